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
#include <time.h>

/* With the text that an expansion writes (template.c) all of this fits into 256 MiB. */
static const size_t MAX_MEMORY = 64u << 20;          /* of Lua objects alive */
static const size_t MOST_MEMORY = 112u << 20;        /* where the allocator refuses: the last doubling of a text still ends at its line */
static const size_t MAX_TEXT = 16u << 20;            /* of one text that a function of ours makes */
static const size_t MAX_KEPT = 16u << 20;            /* copied out of Lua */
static const size_t MAX_WORK = (size_t)1 << 30;      /* bytes of Lua objects made: bounds `s = s .. big` loops */
static const int64_t MAX_INSTRUCTIONS = 50000000;
static const clock_t MAX_TIME = 10 * CLOCKS_PER_SEC; /* of the processor: for what the other limits do not see, such as texts that become numbers again and again */
enum { STEP = 1000,                                  /* instructions between two looks at the limits */
       TEXTS_AT_START = 128 * sizeof(void *),        /* bytes of Lua's table of short texts */
       BLOCK = 4096, TEXT = 16384 };                 /* bytes that one instruction looks at within its price; a text can be compared as a number, which is slower */

/* Registry and hidden-field keys: their addresses are what counts. */
static const char fact_key, fact_meta, proxies, builtins;

static Sandbox *sandbox_of(lua_State *L)
{
    return *(Sandbox **)lua_getextraspace(L);
}

/* ---- limits ---- */

/* No instruction takes longer than a look at the whole of the largest block: a comparison of two texts, a search in a table whose keys collide,
 * the count of its free places, a copy of all arguments of a call.  So that block's size is the price of an instruction. */
static int64_t price(const Sandbox *x)
{
    return 1 + (int64_t)(x->largest / BLOCK) + (x->longest > TEXT ? (int64_t)(x->longest / (TEXT / 64)) : 0);
}

static const char *count(Sandbox *x, int64_t instructions)
{
    x->instructions += instructions < MAX_INSTRUCTIONS ? instructions : MAX_INSTRUCTIONS;
    if (x->instructions < MAX_INSTRUCTIONS)
        return NULL;
    return price(x) > 10 ? "ran for too long with large tables or texts: an endless loop?" : "ran for 50 million Lua instructions: an endless loop?";
}

static void refuse(lua_State *L, const char *why)
{
    if (why)
        luaL_error(L, "the %s %s", sandbox_of(L)->what, why);
}

void sandbox_charge(lua_State *L, size_t n)
{
    refuse(L, count(sandbox_of(L), n < (size_t)MAX_INSTRUCTIONS ? (int64_t)n : MAX_INSTRUCTIONS));
}

void sandbox_keep(lua_State *L, size_t n)
{
    Sandbox *x = sandbox_of(L);
    x->kept += n < MAX_KEPT ? n : MAX_KEPT;
    refuse(L, x->kept >= MAX_KEPT ? "makes too much text" : NULL);
    sandbox_charge(L, 1 + n / BLOCK);
}

/* A call takes as long as some twenty instructions, more with each argument; a text given to a function in C may be read as a number. */
static const char *count_call(lua_State *L, lua_Debug *call)
{
    int64_t n = 20;
    lua_getinfo(L, "fr", call);
    const bool in_c = lua_iscfunction(L, -1);
    lua_pop(L, 1);
    n += 2 * call->ntransfer;
    for (int i = 0; in_c && i < call->ntransfer && lua_getlocal(L, call, call->ftransfer + i); i++) {
        n += lua_type(L, -1) == LUA_TSTRING ? (int64_t)(lua_rawlen(L, -1) / 8) : 0;
        lua_pop(L, 1);
    }
    return count(sandbox_of(L), n);
}

static void hook(lua_State *L, lua_Debug *event)
{
    Sandbox *x = sandbox_of(L);
    const char *why = NULL;
    if (x->exceeded) {
        lua_sethook(L, hook, LUA_MASKCOUNT | LUA_MASKCALL, x->step);
        lua_gc(L, LUA_GCCOLLECT);
        x->exceeded = false;
        why = count(x, (int64_t)(x->memory / 16));            /* what was collected and what was not: each object once */
        if (x->work > MAX_WORK)
            why = "makes too much text";
        else if (x->memory > MAX_MEMORY)
            why = "needs more than 64 MiB of memory";
    } else if (event->event != LUA_HOOKCOUNT) {
        why = count_call(L, event);
    } else {
        const clock_t now = clock();
        x->time += now - x->last, x->last = now;
        why = count(x, x->step * price(x));
        if (!why && x->time > MAX_TIME)
            why = "ran for 10 seconds";
        const int step = price(x) < STEP ? STEP / (int)price(x) : 1;
        if (step < x->step) {
            x->step = step;
            lua_sethook(L, hook, LUA_MASKCOUNT | LUA_MASKCALL, step);
        }
    }
    if (why) {
        lua_pushfstring(L, "the %s %s", x->what, why);
        lua_error(L);
    }
}

/* At the limit the allocator only sets the hook, which reports the line; beyond it, it refuses.  Lua says of a new object of which type it is, in the
 * place of its old size.  Lua's table of short texts, made when the state is opened, grows with the model: it costs no instruction more. */
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
        if (x->memory - had + size > MOST_MEMORY)
            return NULL;
        x->work += size - had;
    }
    const bool texts = block ? block == x->texts : !x->lua && !x->texts && size == TEXTS_AT_START, text = !block && old_size == LUA_TSTRING;
    void *p = realloc(block, size);
    if (!p)
        return NULL;
    if (texts)
        x->texts = p;
    else if (text && size > x->longest)
        x->longest = size;
    else if (!text && !x->ours && size > x->largest)
        x->largest = size;
    x->memory += size - had;
    if ((x->memory > MAX_MEMORY || x->work > MAX_WORK) && !x->exceeded && x->lua) {
        x->exceeded = true;
        lua_sethook(x->lua, hook, LUA_MASKCOUNT | LUA_MASKCALL, 1);
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
        Sandbox *x = sandbox_of(L);
        const bool before = x->ours;
        x->ours = true;
        lua_rawsetp(L, -3, f);
        x->ours = before;
    }
    lua_remove(L, -2);
}

/* Pushes table[key] of a fact or a plain table; pushes nothing and returns false when it is not set, or there is no table. */
bool sandbox_field(lua_State *L, int table, int key)
{
    if (!lua_istable(L, table))
        return false;
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
            sandbox_charge(L, 30);
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
    const lua_Integer last = luaL_checkinteger(L, 2), i = last < LUA_MAXINTEGER ? last + 1 : last;
    luaL_checktype(L, 1, LUA_TTABLE);
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
        size_t length;
        const char *name = luaL_checklstring(L, at, &length);
        luaL_argcheck(L, length <= 100, at, "a loop variable's name is short");
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
            sandbox_charge(L, 10 + lua_rawlen(L, -1) / BLOCK);
            luaL_addvalue(&text);
        }
    }
    luaL_addstring(&text, terms ? "" : "0");
    luaL_pushresult(&text);
    return 1;
}

/* A key as it stands in the table: its place in the list of keys, to be put in order. */
typedef struct { int type; bool whole; lua_Integer i; lua_Number r; const char *text; size_t length; } Key;

static int order(bool less, bool more) { return more - less; }

static int compare_keys(const void *a, const void *b)
{
    const Key *x = a, *y = b;
    if (x->type != y->type)
        return x->type == LUA_TNUMBER ? -1 : 1;
    if (x->type == LUA_TNUMBER) {
        const int by_value = order(x->r < y->r, x->r > y->r);
        return by_value ? by_value : x->whole && y->whole ? order(x->i < y->i, x->i > y->i) : order(x->whole, y->whole);
    }
    const int by_text = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);
    return by_text ? by_text : order(x->length < y->length, x->length > y->length);
}

/* The step of pairs.  Upvalues: the array of keys, how far it is. */
static int pairs_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    sandbox_charge(L, 10);
    for (;;) {
        lua_Integer i = lua_tointeger(L, lua_upvalueindex(2)) + 1;
        lua_pushinteger(L, i);
        lua_replace(L, lua_upvalueindex(2));
        if (lua_rawgeti(L, lua_upvalueindex(1), i) == LUA_TNIL)
            return 1;
        if (sandbox_field(L, 1, 2))
            return 2;
        lua_settop(L, 1);    /* cleared by the loop's body */
        sandbox_charge(L, 1);
    }
}

/* Fills the list at stack index 2 with the keys of the plain table at 1, in their order. */
static void list_keys(lua_State *L)
{
    size_t n = 0, i = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
        n++;
    sandbox_charge(L, 20 + 16 * n);
    Key *keys = lua_newuserdatauv(L, sizeof *keys * (n + 1), 0);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        Key *k = &keys[i++];
        *k = (Key){ .type = lua_type(L, -2) };
        if (k->type == LUA_TNUMBER)
            k->whole = lua_isinteger(L, -2), k->i = k->whole ? lua_tointeger(L, -2) : 0, k->r = lua_tonumber(L, -2);
        else if (k->type == LUA_TSTRING)
            k->text = lua_tolstring(L, -2, &k->length);
        else
            luaL_error(L, "pairs orders keys that are text or numbers, not a %s", lua_typename(L, k->type));
    }
    qsort(keys, n, sizeof *keys, compare_keys);
    for (i = 0; i < n; i++) {
        if (keys[i].type == LUA_TSTRING)
            lua_pushlstring(L, keys[i].text, keys[i].length);
        else if (keys[i].whole)
            lua_pushinteger(L, keys[i].i);
        else
            lua_pushnumber(L, keys[i].r);
        lua_rawseti(L, 2, (lua_Integer)i + 1);
    }
    lua_settop(L, 2);
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
        sandbox_charge(L, 20 + 10 * (size_t)(f->items.count + f->keys.count));
        for (int i = 1; i <= f->items.count; i++) {
            lua_pushinteger(L, i);
            lua_rawseti(L, 2, ++n);
        }
        for (int i = 0; i < f->keys.count; i++) {
            lua_pushstring(L, f->keys.items[i]);
            lua_rawseti(L, 2, ++n);
        }
    } else {
        list_keys(L);
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
    if (times > 0 && n + between > MAX_TEXT / (size_t)times)
        return luaL_error(L, "string.rep would make more than 16 MiB");
    if (n + between == 0) {                /* Lua's own counts to `times` */
        lua_pushliteral(L, "");
        return 1;
    }
    sandbox_charge(L, times > 0 ? (size_t)times : 0);
    int given = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, given, 1);
    return 1;
}

/* string.format without addresses.  Upvalue: Lua's own. */
static int string_format(lua_State *L)
{
    size_t n;
    const char *format = luaL_checklstring(L, 1, &n), *end = format + n;
    for (const char *s = format; (s = memchr(s, '%', (size_t)(end - s))) != NULL;) {    /* Lua reads past a NUL */
        s += 1 + strspn(s + 1, "-+ #0.123456789");
        if (*s == 'p')
            return luaL_error(L, "%%p would give an address");
        s += s < end;
    }
    int given = lua_gettop(L);
    size_t texts = 0, made;
    sandbox_charge(L, n + 20 * (size_t)given);
    for (int i = 2; i <= given; i++)
        texts += lua_type(L, i) == LUA_TSTRING ? lua_rawlen(L, i) : 0;
    for (int i = 2; i <= given; i++)
        if (lua_type(L, i) > LUA_TSTRING || lua_type(L, i) == LUA_TLIGHTUSERDATA)
            return luaL_error(L, "string.format is given a %s", luaL_typename(L, i));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, given, 1);
    lua_tolstring(L, -1, &made);
    sandbox_charge(L, made > texts ? 2 * (made - texts) : 0);      /* digits: %99.99f makes 409 of them */
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

/* Lua's compiler takes the square of a chain's length (of `and`, of `elseif`): a text of 220 KiB costs all the instructions there are. */
void sandbox_load(lua_State *L, const char *text, size_t n, const char *name)
{
    Sandbox *x = sandbox_of(L);
    sandbox_charge(L, (n / 32) * (n / 32));
    x->ours = true;
    const int status = luaL_loadbufferx(L, text, n, name, "t");
    x->ours = false;
    const char *message = status == LUA_OK || status == LUA_ERRMEM ? NULL : lua_tostring(L, -1), *place = name + 1;
    if (message && strncmp(message, place, strlen(place)) != 0)
        lua_pushfstring(L, "%s:1: %s", place, message);      /* of nests that are too deep Lua's compiler tells no place */
    if (status != LUA_OK)
        lua_error(L);
}

bool sandbox_builtin(lua_State *L, int key)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &builtins);
    if (sandbox_field(L, -1, key))
        return true;
    lua_pop(L, 1);
    return false;
}

const char *sandbox_message(Arena *a, const char *message)
{
    enum { MOST = 500 };
    if (!message)
        return "an error without text";
    size_t n = strlen(message);
    if (n <= MOST)
        return message;
    for (n = MOST; n && ((unsigned char)message[n] & 0xC0) == 0x80; n--)
        ;
    return arena_printf(a, "%.*s ...", (int)n, message);
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
    Sandbox *x = sandbox_of(L);
    x->step = STEP, x->last = clock();
    lua_sethook(L, hook, LUA_MASKCOUNT | LUA_MASKCALL, STEP);
}
