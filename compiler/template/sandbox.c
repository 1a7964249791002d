/* sandbox.c -- the Lua that templates and descriptions are written in: facts as values, few functions, limits on time and memory.
 *
 * Facts are empty tables; their metatable reads fact.c, and nothing is copied into Lua.  There is no io, no load, no metatable and no
 * address.  Lua errors unwind over these frames, which own nothing but arena memory. */
#include "template/sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t MAX_MEMORY = 256u << 20;         /* of Lua objects alive */
static const size_t MAX_WORK = (size_t)8 << 30;      /* bytes of Lua objects made: bounds `s = s .. big` loops */
static const int64_t MAX_INSTRUCTIONS = 50000000;
enum { STEP = 1000 };                                /* instructions between two looks at the limits */

/* Registry and hidden-field keys: their addresses are what counts. */
static const char fact_key, fact_meta, proxies, builtins;

static Sandbox *sandbox_of(lua_State *L)
{
    return *(Sandbox **)lua_getextraspace(L);
}

/* ---- limits ---- */

static void hook(lua_State *L, lua_Debug *unused)
{
    (void)unused;
    Sandbox *x = sandbox_of(L);
    const char *why = NULL;
    if (x->exceeded) {
        lua_sethook(L, hook, LUA_MASKCOUNT, STEP);
        lua_gc(L, LUA_GCCOLLECT);
        x->exceeded = false;
        if (x->work > MAX_WORK)
            why = "makes too much text";
        else if (x->memory > MAX_MEMORY)
            why = "needs more than 256 MiB of memory";
    } else {
        x->instructions += STEP;
        if (x->instructions >= MAX_INSTRUCTIONS)
            why = "ran for 50 million Lua instructions: an endless loop?";
    }
    if (why) {
        lua_pushfstring(L, "the %s %s", x->what, why);
        lua_error(L);
    }
}

/* At the limit the allocator only sets the hook, which reports the line; at twice the limit it refuses. */
static void *allocate(void *user, void *block, size_t old_size, size_t size)
{
    Sandbox *x = user;
    size_t had = block ? old_size : 0;
    if (size == 0) {
        free(block);
        x->memory -= had;
        return NULL;
    }
    if (size > had) {
        if (x->memory - had + size > 2 * MAX_MEMORY)
            return NULL;
        x->work += size - had;
    }
    void *p = realloc(block, size);
    if (!p)
        return NULL;
    x->memory += size - had;
    if ((x->memory > MAX_MEMORY || x->work > MAX_WORK) && !x->exceeded && x->lua) {
        x->exceeded = true;
        lua_sethook(x->lua, hook, LUA_MASKCOUNT, 1);
    }
    return p;
}

/* ---- facts as Lua values ---- */

const Fact *sandbox_fact(lua_State *L, int at)
{
    if (!lua_istable(L, at))
        return NULL;
    lua_rawgetp(L, at, &fact_key);
    const Fact *f = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return f;
}

void sandbox_push(lua_State *L, const Fact *f)
{
    luaL_checkstack(L, 8, NULL);
    switch (f->kind) {
    case FACT_INT:
        lua_pushinteger(L, (lua_Integer)f->i);
        return;
    case FACT_REAL:
        lua_pushnumber(L, f->r);
        return;
    case FACT_BOOL:
        lua_pushboolean(L, f->i != 0);
        return;
    case FACT_TEXT:
        lua_pushstring(L, f->text);
        return;
    case FACT_TABLE:
        break;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &proxies);    /* one proxy a table, so that == works */
    if (lua_rawgetp(L, -1, f) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushlightuserdata(L, (void *)f);
        lua_rawsetp(L, -2, &fact_key);
        lua_rawgetp(L, LUA_REGISTRYINDEX, &fact_meta);
        lua_setmetatable(L, -2);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, f);
    }
    lua_remove(L, -2);
}

/* Pushes table[key] of a fact or a plain table; pushes nothing and returns false when it is not set. */
bool sandbox_field(lua_State *L, int table, int key)
{
    const Fact *f = sandbox_fact(L, table);
    if (f) {
        const Fact *v = NULL;
        if (lua_type(L, key) == LUA_TSTRING)
            v = fact_get(f, lua_tostring(L, key));
        else if (lua_isinteger(L, key) && lua_tointeger(L, key) >= 1 && lua_tointeger(L, key) <= f->items.count)
            v = f->items.items[lua_tointeger(L, key) - 1];
        if (v)
            sandbox_push(L, v);
        return v != NULL;
    }
    lua_pushvalue(L, key);
    if (lua_rawget(L, table < 0 ? table - 1 : table) != LUA_TNIL)
        return true;
    lua_pop(L, 1);
    return false;
}

/* "..., did you mean 'x'?" or nothing, from the fields of a fact. */
const char *sandbox_suggestion(lua_State *L, const Fact *f, const char *word)
{
    return diag_suggestion(sandbox_of(L)->arena, word, (const char *const *)f->keys.items, f->keys.count);
}

static int fact_index(lua_State *L)
{
    if (sandbox_field(L, 1, 2))
        return 1;
    const Fact *f = sandbox_fact(L, 1);
    if (lua_type(L, 2) == LUA_TSTRING)
        return luaL_error(L, "this fact has no field '%s'%s", lua_tostring(L, 2),
                          sandbox_suggestion(L, f, lua_tostring(L, 2)));
    if (lua_isinteger(L, 2))
        return luaL_error(L, "this list of facts has no item %I, only 1 to %d", lua_tointeger(L, 2), f->items.count);
    return luaL_error(L, "a fact cannot be indexed with a %s", luaL_typename(L, 2));
}

static int fact_length(lua_State *L)
{
    lua_pushinteger(L, sandbox_fact(L, 1)->items.count);
    return 1;
}

static int refuse_write(lua_State *L)
{
    return luaL_error(L, "facts are read-only: '%s' cannot be set",
                      lua_type(L, 2) == LUA_TSTRING || lua_type(L, 2) == LUA_TNUMBER ? lua_tostring(L, 2) : "it");
}

/* ---- text of values ---- */

/* A number as C reads it back: whole ones as integers, others with the fewest digits that are exact. */
void sandbox_number(lua_State *L, int at, char text[40])
{
    if (lua_isinteger(L, at)) {
        snprintf(text, 40, "%lld", (long long)lua_tointeger(L, at));
        return;
    }
    double r = lua_tonumber(L, at);
    if (!isfinite(r))
        luaL_error(L, "%s is not a number C can be given", isnan(r) ? "nan" : "infinity");
    if (r == 0 && signbit(r))
        snprintf(text, 40, "-0.0");
    else if (r == floor(r) && fabs(r) <= 9007199254740992.0)
        snprintf(text, 40, "%.0f", r);
    else
        for (int digits = 1; digits <= 17; digits++) {
            snprintf(text, 40, "%.*g", digits, r);
            if (strtod(text, NULL) == r)
                break;
        }
}

static int lua_tostring_plain(lua_State *L)
{
    char text[40];
    luaL_checkany(L, 1);
    switch (lua_type(L, 1)) {
    case LUA_TSTRING:
        lua_settop(L, 1);
        return 1;
    case LUA_TNUMBER:
        sandbox_number(L, 1, text);
        lua_pushstring(L, text);
        return 1;
    case LUA_TBOOLEAN:
        lua_pushstring(L, lua_toboolean(L, 1) ? "true" : "false");
        return 1;
    case LUA_TNIL:
        lua_pushliteral(L, "nil");
        return 1;
    default:    /* Lua would print an address, which differs from run to run */
        return luaL_error(L, "a %s has no text", luaL_typename(L, 1));
    }
}

/* ---- builtins ---- */

static int lua_has(lua_State *L)
{
    if (lua_gettop(L) != 2 || !lua_istable(L, 1))
        return luaL_error(L, "has wants a table and a key: has(op, \"name\")");
    bool set = sandbox_field(L, 1, 2);
    lua_pushboolean(L, set);
    return 1;
}

static int ipairs_next(lua_State *L)
{
    lua_Integer i = luaL_checkinteger(L, 2) + 1;
    lua_settop(L, 1);
    lua_pushinteger(L, i);
    if (!sandbox_field(L, 1, 2))
        lua_pushnil(L);
    return lua_isnil(L, -1) ? 1 : 2;
}

static int lua_ipairs(lua_State *L)
{
    if (!lua_istable(L, 1))
        return luaL_error(L, "ipairs wants a table, not %s", luaL_typename(L, 1));
    lua_pushcfunction(L, ipairs_next);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

/* index("k", { 12, 1 }, ...): the text "k1 * 12 + k2" of an element's place in memory, from loop variables k1, k2, ... and the strides of their axes;
 * a stride of 0 is left out, and nothing at all is "0". */
static int lua_index(lua_State *L)
{
    int given = lua_gettop(L), terms = 0;
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (int at = 1; at < given; at += 2) {
        const char *name = luaL_checkstring(L, at);
        luaL_checktype(L, at + 1, LUA_TTABLE);
        for (lua_Integer k = 1;; k++) {
            lua_pushinteger(L, k);
            bool there = sandbox_field(L, at + 1, -1);
            lua_Integer stride = there ? lua_tointeger(L, -1) : 0;
            lua_settop(L, lua_gettop(L) - (there ? 2 : 1));
            if (!there)
                break;
            if (stride == 0)
                continue;
            lua_pushfstring(L, stride == 1 ? "%s%s%I" : "%s%s%I * %I", terms++ ? " + " : "", name, k, stride);
            luaL_addvalue(&text);
        }
    }
    luaL_addstring(&text, terms ? "" : "0");
    luaL_pushresult(&text);
    return 1;
}

typedef struct { bool number; lua_Number value; const char *text; } Key;

static int compare_keys(const void *a, const void *b)
{
    const Key *x = a, *y = b;
    if (x->number != y->number)
        return x->number ? -1 : 1;
    return x->number ? (x->value > y->value) - (x->value < y->value) : strcmp(x->text, y->text);
}

/* The step of pairs.  Upvalues: the array of keys, how far it is. */
static int pairs_next(lua_State *L)
{
    lua_settop(L, 1);
    for (;;) {
        lua_Integer i = lua_tointeger(L, lua_upvalueindex(2)) + 1;
        lua_pushinteger(L, i);
        lua_replace(L, lua_upvalueindex(2));
        if (lua_rawgeti(L, lua_upvalueindex(1), i) == LUA_TNIL)
            return 1;
        if (sandbox_field(L, 1, 2))
            return 2;
        lua_settop(L, 1);    /* cleared by the loop's body */
    }
}

/* Unlike Lua's, in a fixed order, or the C would differ from run to run: facts as they were set, other
 * tables by numbers and then by names. */
static int lua_pairs(lua_State *L)
{
    if (!lua_istable(L, 1))
        return luaL_error(L, "pairs wants a table, not %s", luaL_typename(L, 1));
    const Fact *f = sandbox_fact(L, 1);
    lua_settop(L, 1);
    lua_newtable(L);
    if (f) {
        lua_Integer n = 0;
        for (int i = 1; i <= f->items.count; i++) {
            lua_pushinteger(L, i);
            lua_rawseti(L, 2, ++n);
        }
        for (int i = 0; i < f->keys.count; i++) {
            lua_pushstring(L, f->keys.items[i]);
            lua_rawseti(L, 2, ++n);
        }
    } else {
        size_t n = 0, i = 0;
        for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
            n++;
        Key *keys = lua_newuserdatauv(L, sizeof *keys * (n + 1), 0);
        for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
            int type = lua_type(L, -2);
            if (type == LUA_TNUMBER)
                keys[i++] = (Key){ true, lua_tonumber(L, -2), NULL };
            else if (type == LUA_TSTRING)
                keys[i++] = (Key){ false, 0, lua_tostring(L, -2) };
            else
                return luaL_error(L, "pairs orders keys that are text or numbers, not a %s", lua_typename(L, type));
        }
        qsort(keys, n, sizeof *keys, compare_keys);
        for (i = 0; i < n; i++) {
            if (!keys[i].number)
                lua_pushstring(L, keys[i].text);
            else if (keys[i].value == floor(keys[i].value) && fabs(keys[i].value) <= 9007199254740992.0)
                lua_pushinteger(L, (lua_Integer)keys[i].value);
            else
                lua_pushnumber(L, keys[i].value);
            lua_rawseti(L, 2, (lua_Integer)i + 1);
        }
        lua_settop(L, 2);
    }
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, pairs_next, 2);
    lua_pushvalue(L, 1);
    return 2;
}

/* string.rep that checks the result's size first.  Upvalue: Lua's own. */
static int string_rep(lua_State *L)
{
    size_t n, between = 0;
    luaL_checklstring(L, 1, &n);
    lua_Integer times = luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &between);
    if (times > 0 && n + between > MAX_MEMORY / (size_t)times)
        return luaL_error(L, "string.rep would make more than 256 MiB");
    int given = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, given, 1);
    return 1;
}

/* string.format without addresses.  Upvalue: Lua's own. */
static int string_format(lua_State *L)
{
    const char *format = luaL_checkstring(L, 1);
    for (const char *s = format; (s = strchr(s, '%')) != NULL;) {
        s += 1 + strspn(s + 1, "-+ #0.123456789");
        if (*s == 'p')
            return luaL_error(L, "%%p would give an address");
        s += *s != '\0';
    }
    int given = lua_gettop(L);
    for (int i = 2; i <= given; i++)
        if (lua_type(L, i) > LUA_TSTRING || lua_type(L, i) == LUA_TLIGHTUSERDATA)
            return luaL_error(L, "string.format is given a %s", luaL_typename(L, i));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, given, 1);
    return 1;
}

static int library_index(lua_State *L)
{
    return luaL_error(L, "there is no '%s.%s' here", lua_tostring(L, lua_upvalueindex(1)),
                      lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2));
}

static int library_write(lua_State *L)
{
    return luaL_error(L, "'%s' cannot be changed", lua_tostring(L, lua_upvalueindex(1)));
}

/* Takes Lua's library from the top, leaves a read-only one with the named functions only. */
static void restrict_library(lua_State *L, const char *name, const char *const *functions)
{
    int full = lua_gettop(L);
    lua_newtable(L);
    for (; *functions; functions++) {
        lua_getfield(L, full, *functions);
        if (strcmp(*functions, "rep") == 0)
            lua_pushcclosure(L, string_rep, 1);
        else if (strcmp(*functions, "format") == 0)
            lua_pushcclosure(L, string_format, 1);
        lua_setfield(L, -2, *functions);
    }
    lua_newtable(L);                       /* reads that miss the functions */
    lua_pushstring(L, name);
    lua_pushcclosure(L, library_index, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);

    lua_newtable(L);                       /* the library itself: empty, so that every write is seen */
    lua_newtable(L);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, name);
    lua_pushcclosure(L, library_write, 1);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
    lua_replace(L, full);
    lua_settop(L, full);
}

/* ---- the whole ---- */

static const char *const string_functions[] = { "format", "rep", "upper", "lower", "sub", NULL };
static const char *const math_functions[] = { "floor", "min", "max", NULL };

void sandbox_metatable(lua_State *L, const void *key, lua_CFunction index, lua_CFunction write, lua_CFunction length)
{
    lua_newtable(L);
    lua_pushcfunction(L, index);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, write);
    lua_setfield(L, -2, "__newindex");
    if (length) {
        lua_pushcfunction(L, length);
        lua_setfield(L, -2, "__len");
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void sandbox_world(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &proxies);
    sandbox_metatable(L, &fact_meta, fact_index, refuse_write, fact_length);

    lua_newtable(L);
    int world = lua_gettop(L);
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1);
    static const char *const base[] = { "type", "error", "assert" };
    for (int i = 0; i < 3; i++) {
        lua_getfield(L, -1, base[i]);
        lua_setfield(L, world, base[i]);
    }
    static const luaL_Reg ours[] = {
        { "has", lua_has }, { "index", lua_index }, { "ipairs", lua_ipairs }, { "pairs", lua_pairs }, { "tostring", lua_tostring_plain },
        { NULL, NULL },
    };
    lua_settop(L, world);
    luaL_setfuncs(L, ours, 0);
    lua_pushcfunction(L, luaopen_math);
    lua_call(L, 0, 1);
    restrict_library(L, "math", math_functions);
    lua_setfield(L, world, "math");
    lua_pushcfunction(L, luaopen_string);
    lua_call(L, 0, 1);
    restrict_library(L, "string", string_functions);
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);               /* s:rep(2) finds the same functions */
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 2);
    lua_setfield(L, world, "string");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &builtins);
}

bool sandbox_builtin(lua_State *L, int key)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &builtins);
    if (sandbox_field(L, -1, key))
        return true;
    lua_pop(L, 1);
    return false;
}

lua_State *sandbox_open(Sandbox *box)
{
    lua_State *L = lua_newstate(allocate, box);
    if (!L)
        return NULL;
    *(Sandbox **)lua_getextraspace(L) = box;
    return box->lua = L;
}

void sandbox_limit(lua_State *L)
{
    lua_sethook(L, hook, LUA_MASKCOUNT, STEP);
}
