/* template.c -- C with Lua in the margin: expands one template with facts into C text.
 *
 * Template line n becomes line n of a Lua chunk, so Lua's own line numbers are the template's:
 *   `% lua`         ->  lua
 *   `a ${x} b`      ->  ;__text(0);__value((x),1);__text(2);        (numbers of the template's pieces)
 * The chunk takes its globals as _ENV: fields given to include(), then facts, then a few builtins; whatever
 * is not there is an error.  Facts are empty tables whose metatable asks fact.c; nothing is copied into Lua.
 * Templates are closed in: no io, no load, no metatables, no addresses, and time and memory have limits.
 * Lua errors unwind over this file's frames, so these own nothing but arena memory. */
#define _POSIX_C_SOURCE 200809L
#include "diag.h"
#include "embed.h"
#include "fact.h"
#include "manual.h"
#include "point.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t MAX_MEMORY = 256u << 20;         /* of Lua objects alive */
static const size_t MAX_WORK = (size_t)8 << 30;      /* bytes of Lua objects made: bounds `s = s .. big` loops */
static const size_t MAX_OUTPUT = 256u << 20;         /* bytes one expansion writes */
static const size_t MAX_FILE = 4u << 20;             /* bytes of a template file */
static const int64_t MAX_INSTRUCTIONS = 50000000;
enum { STEP = 1000, MAX_DEPTH = 32, MAX_PLACES = MAX_DEPTH + 2,
       MAX_LEVELS = 500 /* of the Lua stack searched for includes: a search costs its square */ };

/* A stretch of a text line: C to be copied, or the Lua of a ${...}. */
typedef struct { const char *text; size_t length; int line; bool hole; } Piece;

typedef struct {
    const char *name;
    int id;
    Source source;
    List pieces;
    int done;                      /* the piece that was written last, or -1: errors on its line are in a later hole, if there is one */
    bool loaded;
} Template;

typedef struct { const Template *template; int line; } Place;

typedef struct {
    Arena *arena;
    Diag *diag;
    const char *dir, *name;
    const Fact *facts;
    Text *out;
    size_t out_start;
    List templates;
    lua_State *lua;
    size_t memory, work;
    bool exceeded;                 /* the allocator saw a limit passed; the hook decides */
    int64_t instructions;
    int depth;
    const Fact *unit[MAX_DEPTH + 1];    /* the operator that each depth of includes is about: its `op` */
    Place places[MAX_PLACES];      /* filled by the message handler: the error, then who included it */
    int place_count;
} Expansion;

static Expansion *expansion_of(lua_State *L)
{
    return *(Expansion **)lua_getextraspace(L);
}

/* Registry and hidden-field keys: their addresses are what counts. */
static const char fact_key, fact_meta, env_meta, env_fields, env_parent, proxies, builtins;

/* ---- limits ---- */

static void hook(lua_State *L, lua_Debug *unused)
{
    (void)unused;
    Expansion *x = expansion_of(L);
    const char *why = NULL;
    if (x->exceeded) {
        lua_sethook(L, hook, LUA_MASKCOUNT, STEP);
        lua_gc(L, LUA_GCCOLLECT);
        x->exceeded = false;
        if (x->work > MAX_WORK)
            why = "the template makes too much text";
        else if (x->memory > MAX_MEMORY)
            why = "the template needs more than 256 MiB of memory";
    } else {
        x->instructions += STEP;
        if (x->instructions >= MAX_INSTRUCTIONS)
            why = "the template ran for 50 million Lua instructions: an endless loop?";
    }
    if (why) {
        lua_pushstring(L, why);
        lua_error(L);
    }
}

/* A passed limit only arms the hook, which can tell the line; twice the limit is refused outright. */
static void *allocate(void *user, void *block, size_t old_size, size_t size)
{
    Expansion *x = user;
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

static const Fact *to_fact(lua_State *L, int at)
{
    if (!lua_istable(L, at))
        return NULL;
    lua_rawgetp(L, at, &fact_key);
    const Fact *f = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return f;
}

static void push_fact(lua_State *L, const Fact *f)
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
static bool push_field(lua_State *L, int table, int key)
{
    const Fact *f = to_fact(L, table);
    if (f) {
        const Fact *v = NULL;
        if (lua_type(L, key) == LUA_TSTRING)
            v = fact_get(f, lua_tostring(L, key));
        else if (lua_isinteger(L, key) && lua_tointeger(L, key) >= 1 && lua_tointeger(L, key) <= f->items.count)
            v = f->items.items[lua_tointeger(L, key) - 1];
        if (v)
            push_fact(L, v);
        return v != NULL;
    }
    lua_pushvalue(L, key);
    if (lua_rawget(L, table < 0 ? table - 1 : table) != LUA_TNIL)
        return true;
    lua_pop(L, 1);
    return false;
}

/* "..., did you mean 'x'?" or nothing, from the fields of a fact. */
static const char *suggestion(Expansion *x, const Fact *f, const char *word)
{
    const char *near = diag_nearest(word, (const char *const *)f->keys.items, f->keys.count);
    return near ? arena_printf(x->arena, "; did you mean '%s'?", near) : "";
}

static int fact_index(lua_State *L)
{
    if (push_field(L, 1, 2))
        return 1;
    const Fact *f = to_fact(L, 1);
    if (lua_type(L, 2) == LUA_TSTRING)
        return luaL_error(L, "this fact has no field '%s'%s", lua_tostring(L, 2),
                          suggestion(expansion_of(L), f, lua_tostring(L, 2)));
    if (lua_isinteger(L, 2))
        return luaL_error(L, "this list of facts has no item %I, only 1 to %d", lua_tointeger(L, 2), f->items.count);
    return luaL_error(L, "a fact cannot be indexed with a %s", luaL_typename(L, 2));
}

static int fact_length(lua_State *L)
{
    lua_pushinteger(L, to_fact(L, 1)->items.count);
    return 1;
}

static int refuse_write(lua_State *L)
{
    return luaL_error(L, "facts are read-only: '%s' cannot be set",
                      lua_type(L, 2) == LUA_TSTRING || lua_type(L, 2) == LUA_TNUMBER ? lua_tostring(L, 2) : "it");
}

static int refuse_global(lua_State *L)
{
    return luaL_error(L, "'%s' cannot be set: write 'local %s'", lua_tostring(L, 2), lua_tostring(L, 2));
}

/* ---- text of values ---- */

/* A number as C reads it back: whole ones as integers, others with the fewest digits that are exact. */
static void number_text(lua_State *L, int at, char text[40])
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
        number_text(L, 1, text);
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

static void write_out(lua_State *L, const char *bytes, size_t n)
{
    Expansion *x = expansion_of(L);
    if (n > MAX_OUTPUT - (x->out->length - x->out_start))
        luaL_error(L, "the template writes more than 256 MiB");
    text_add(x->out, bytes, n);
}

/* __text(n): piece n as it is.  Upvalue: the Template. */
static int emit_text(lua_State *L)
{
    Template *t = lua_touserdata(L, lua_upvalueindex(1));
    const Piece *p = t->pieces.items[lua_tointeger(L, 1)];
    write_out(L, p->text, p->length);
    t->done = (int)lua_tointeger(L, 1);
    return 0;
}

/* __value(v, n): the value of piece n.  Upvalue: the Template. */
static int emit_value(lua_State *L)
{
    Template *t = lua_touserdata(L, lua_upvalueindex(1));
    const Piece *p = t->pieces.items[lua_tointeger(L, 2)];
    char text[40];
    size_t n;
    const char *s;
    switch (lua_type(L, 1)) {
    case LUA_TSTRING:
        s = lua_tolstring(L, 1, &n);
        write_out(L, s, n);
        break;
    case LUA_TNUMBER:
        number_text(L, 1, text);
        write_out(L, text, strlen(text));
        break;
    default:
        s = arena_copy(expansion_of(L)->arena, p->text, p->length);
        return luaL_error(L, "${%s} is %s%s, not text or a number", s, lua_isnil(L, 1) ? "" : "a ", luaL_typename(L, 1));
    }
    t->done = (int)lua_tointeger(L, 2);
    return 0;
}

/* ---- builtins ---- */

static int lua_has(lua_State *L)
{
    if (lua_gettop(L) != 2 || !lua_istable(L, 1))
        return luaL_error(L, "has wants a table and a key: has(op, \"name\")");
    bool set = push_field(L, 1, 2);
    lua_pushboolean(L, set);
    return 1;
}

static int ipairs_next(lua_State *L)
{
    lua_Integer i = luaL_checkinteger(L, 2) + 1;
    lua_settop(L, 1);
    lua_pushinteger(L, i);
    if (!push_field(L, 1, 2))
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
        if (push_field(L, 1, 2))
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
    const Fact *f = to_fact(L, 1);
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

/* string.rep that looks before it leaps.  Upvalue: Lua's own. */
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
            return luaL_error(L, "%%p is not for templates");
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
    return luaL_error(L, "templates have no '%s.%s'", lua_tostring(L, lua_upvalueindex(1)),
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

/* ---- templates into chunks ---- */

const char *template_load(Arena *a, const char *dir, const char *name, Source *source)
{
    if (dir && *dir) {
        const char *path = arena_printf(a, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name);
        FILE *f = fopen(path, "rb");
        if (f) {
            Text text = { .arena = a };
            char bytes[4096];
            size_t n;
            while (text.length <= MAX_FILE && (n = fread(bytes, 1, sizeof bytes, f)) > 0)
                text_add(&text, bytes, n);
            bool bad = ferror(f);
            fclose(f);
            if (bad)
                return arena_printf(a, "the template '%s' cannot be read", path);
            if (text.length > MAX_FILE)
                return arena_printf(a, "the template '%s' is larger than 4 MiB", path);
            *source = (Source){ path, text.text ? text.text : "", text.length };
            return NULL;
        }
    }
    const char **names = NEW_ARRAY(a, const char *, embedded_templates_count);
    for (int i = 0; i < embedded_templates_count; i++) {
        const EmbeddedFile *e = &embedded_templates[i];
        names[i] = e->name;
        if (strcmp(e->name, name) == 0) {
            *source = (Source){ arena_printf(a, "templates/%s", name), (const char *)e->bytes, e->size };
            return NULL;
        }
    }
    const char *near = diag_nearest(name, names, embedded_templates_count);
    return arena_printf(a, "there is no template '%s'%s%s%s", name, near ? "; did you mean '" : "",
                        near ? near : "", near ? "'?" : "");
}

/* The end of the Lua expression that begins at `s`: its closing brace, or NULL with *why. */
static const char *expression_end(const char *s, const char *end, const char **why)
{
    *why = "'${' is not closed on its line";
    for (int depth = 1; s < end; s++) {
        if (*s == '\'' || *s == '"') {
            char quote = *s++;
            while (s < end && *s != quote)
                s += *s == '\\' ? 2 : 1;
        } else if (*s == '[') {
            const char *open = s + 1;
            while (open < end && *open == '=')
                open++;
            if (open >= end || *open != '[')
                continue;
            size_t level = (size_t)(open - s - 1);
            for (s = open + 1; s < end; s++)
                if (*s == ']' && (size_t)(end - s) > level + 1 && strspn(s + 1, "=") == level && s[level + 1] == ']')
                    break;
            s += level + 1;
        } else if (*s == '-' && s + 1 < end && s[1] == '-') {
            *why = "a comment inside '${...}'";
            return NULL;
        } else if (*s == '{') {
            depth++;
        } else if (*s == '}' && --depth == 0) {
            return s;
        }
    }
    return NULL;
}

static int add_piece(Expansion *x, Template *t, const char *text, size_t n, int line, bool hole)
{
    Piece *p = NEW(x->arena, Piece);
    *p = (Piece){ text, n, line, hole };
    list_push(x->arena, &t->pieces, p);
    return t->pieces.count - 1;
}

/* One text line, newline included, as calls. */
static const char *translate_text(Expansion *x, Template *t, Text *lua, const char *s, const char *end, int line)
{
    const char *content = end;    /* its end without the line end */
    while (content > s && (content[-1] == '\n' || content[-1] == '\r'))
        content--;
    text_add(lua, ";", 1);        /* so that Lua cannot go on from an unfinished line above */
    while (s < end) {
        const char *hole = s;
        while (hole < content && !(hole[0] == '$' && hole + 1 < content && hole[1] == '{'))
            hole++;
        if (hole == content)
            hole = end;
        if (hole > s)
            text_printf(lua, "__text(%d);", add_piece(x, t, s, (size_t)(hole - s), line, false));
        s = hole;
        if (s < end) {
            const char *why, *close = expression_end(s + 2, content, &why);
            if (!close)
                return why;
            text_add(lua, "__value((", 9);
            text_add(lua, s + 2, (size_t)(close - s - 2));
            text_printf(lua, "),%d);", add_piece(x, t, s + 2, (size_t)(close - s - 2), line, true));
            s = close + 1;
        }
    }
    return NULL;
}

/* The whole template as Lua.  NULL, or what is wrong at *line. */
static const char *translate(Expansion *x, Template *t, Text *lua, int *line)
{
    const char *s = t->source.text, *end = s + t->source.length;
    text_printf(lua, "local _ENV,__text,__value=...;");
    for (*line = 1; s < end; ++*line) {
        const char *newline = memchr(s, '\n', (size_t)(end - s));
        const char *next = newline ? newline + 1 : end;
        if (*s == '%') {
            size_t at = lua->length;
            text_add(lua, s + 1, (size_t)(next - s - 1) - (newline ? 1 : 0));
            for (; at < lua->length; at++)    /* Lua counts a lone CR as a line */
                if (lua->text[at] == '\r')
                    lua->text[at] = ' ';
        } else {
            const char *why = translate_text(x, t, lua, s, next, *line);
            if (why)
                return why;
        }
        text_add(lua, "\n", 1);
        s = next;
    }
    return NULL;
}

static const char *chunk_name(const Expansion *x, int id)
{
    return arena_printf(x->arena, "=template %d", id);
}

/* Pushes the template's function, from the registry when it has been made before. */
static Template *push_template(lua_State *L, const char *name)
{
    Expansion *x = expansion_of(L);
    for (int i = 0; i < x->templates.count; i++) {
        Template *t = x->templates.items[i];
        if (strcmp(t->name, name) == 0) {
            lua_rawgetp(L, LUA_REGISTRYINDEX, t);
            return t;
        }
    }
    if (strpbrk(name, "/\\") || *name == '.' || *name == '\0')
        luaL_error(L, "'%s' is not a template's name: plain file names only", name);
    Template *t = NEW(x->arena, Template);
    t->name = arena_copy(x->arena, name, strlen(name));
    const char *why = template_load(x->arena, x->dir, t->name, &t->source);
    if (why)
        luaL_error(L, "%s", why);
    t->id = x->templates.count;
    t->done = -1;
    list_push(x->arena, &x->templates, t);
    Text lua = { .arena = x->arena };
    int line;
    why = translate(x, t, &lua, &line);
    if (why) {
        lua_pushfstring(L, "template %d:%d: %s", t->id, line, why);
        lua_error(L);
    }
    if (luaL_loadbufferx(L, lua.text, lua.length, chunk_name(x, t->id), "t") != LUA_OK)
        lua_error(L);
    t->loaded = true;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, t);
    return t;
}

/* ---- environments and include ---- */

/* Pushes a new environment: the fields at stack index `fields` over the environment at `parent`; 0: none. */
static void push_environment(lua_State *L, int fields, int parent)
{
    lua_newtable(L);
    if (fields) {
        lua_pushvalue(L, fields);
        lua_rawsetp(L, -2, &env_fields);
    }
    if (parent) {
        lua_pushvalue(L, parent);
        lua_rawsetp(L, -2, &env_parent);
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &env_meta);
    lua_setmetatable(L, -2);
}

/* Calls the template whose function is on top (popped) with the environment at `env`. */
static void run_template(lua_State *L, const Template *t, int env)
{
    lua_pushvalue(L, env);
    lua_pushlightuserdata(L, (void *)t);
    lua_pushcclosure(L, emit_text, 1);
    lua_pushlightuserdata(L, (void *)t);
    lua_pushcclosure(L, emit_value, 1);
    lua_call(L, 3, 0);
}

/* include(name, fields).  Upvalue: the environment it was read from. */
static int lua_include(lua_State *L)
{
    Expansion *x = expansion_of(L);
    if (lua_type(L, 1) != LUA_TSTRING || lua_gettop(L) > 2 || !(lua_isnoneornil(L, 2) || lua_istable(L, 2)))
        return luaL_error(L, "include wants a name and a table: include(\"loop.c.in\", { n = 4 })");
    if (x->depth >= MAX_DEPTH)
        return luaL_error(L, "templates include each other more than %d deep", MAX_DEPTH);
    lua_settop(L, 2);
    x->depth++;
    x->unit[x->depth] = x->unit[x->depth - 1];
    lua_pushliteral(L, "op");
    if (lua_istable(L, 2) && push_field(L, 2, 3) && to_fact(L, -1))
        x->unit[x->depth] = to_fact(L, -1);
    lua_settop(L, 2);
    Template *t = push_template(L, lua_tostring(L, 1));
    push_environment(L, lua_istable(L, 2) ? 2 : 0, lua_upvalueindex(1));
    lua_insert(L, -2);
    run_template(L, t, lua_gettop(L) - 1);
    x->depth--;
    return 0;
}

static int env_index(lua_State *L)
{
    Expansion *x = expansion_of(L);
    const char *name = lua_tostring(L, 2);
    lua_settop(L, 2);
    for (lua_pushvalue(L, 1); lua_istable(L, 3); lua_rawgetp(L, 3, &env_parent), lua_replace(L, 3)) {
        if (lua_rawgetp(L, 3, &env_fields) == LUA_TTABLE && push_field(L, 4, 2))
            return 1;
        lua_settop(L, 3);
    }
    const Fact *f = name ? fact_get(x->facts, name) : NULL;
    if (f) {
        push_fact(L, f);
        return 1;
    }
    if (name && strcmp(name, "include") == 0) {
        lua_pushvalue(L, 1);
        lua_pushcclosure(L, lua_include, 1);
        return 1;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &builtins);
    if (push_field(L, 4, 2))
        return 1;
    return luaL_error(L, "'%s' is not set here%s", name ? name : luaL_typename(L, 2),
                      name ? suggestion(x, x->facts, name) : "");
}

/* ---- one expansion ---- */

/* "template 3:14: text": the place, and the text after it; false for any other message. */
static bool parse_place(const Expansion *x, const char **message, Place *place)
{
    int id, line, n = 0;
    if (sscanf(*message, "template %d:%d: %n", &id, &line, &n) != 2 || n == 0 || id < 0 || id >= x->templates.count)
        return false;
    *place = (Place){ x->templates.items[id], line };
    *message += n;
    return true;
}

/* Runs where the error happens: notes the place, and the include() calls on the way to it. */
static int handle_error(lua_State *L)
{
    Expansion *x = expansion_of(L);
    if (lua_type(L, 1) != LUA_TSTRING) {
        lua_pushfstring(L, "error was called with a %s, not with text", luaL_typename(L, 1));
        lua_replace(L, 1);
    }
    const char *message = lua_tostring(L, 1);
    x->place_count = parse_place(x, &message, &x->places[0]) ? 1 : 0;
    lua_Debug frame;
    const Template *below = NULL;    /* of the last template body seen on the way out */
    for (int level = 0; level < MAX_LEVELS && x->place_count < MAX_PLACES && lua_getstack(L, level, &frame); level++) {
        int id;
        lua_getinfo(L, "Sl", &frame);
        if (sscanf(frame.source, "=template %d", &id) != 1 || id < 0 || id >= x->templates.count)
            continue;
        Place here = { x->templates.items[id], frame.currentline };
        bool body = strcmp(frame.what, "main") == 0;
        if (x->place_count == 0)
            x->places[x->place_count++] = here;
        else if (body && (below || here.template != x->places[0].template))
            x->places[x->place_count++] = here;
        if (body)
            below = here.template;
    }
    lua_pushstring(L, message);
    return 1;
}

static const char *const string_functions[] = { "format", "rep", "upper", "lower", "sub", NULL };
static const char *const math_functions[] = { "floor", "min", "max", NULL };

static void set_metatable(lua_State *L, const void *key, lua_CFunction index, lua_CFunction write, lua_CFunction length)
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

static void make_world(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &proxies);
    set_metatable(L, &fact_meta, fact_index, refuse_write, fact_length);
    set_metatable(L, &env_meta, env_index, refuse_global, NULL);

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
        { "has", lua_has }, { "ipairs", lua_ipairs }, { "pairs", lua_pairs }, { "tostring", lua_tostring_plain },
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

static int expand(lua_State *L)
{
    Expansion *x = expansion_of(L);
    make_world(L);
    lua_settop(L, 0);
    push_environment(L, 0, 0);
    Template *t = push_template(L, x->name);
    lua_sethook(L, hook, LUA_MASKCOUNT, STEP);
    run_template(L, t, 1);
    return 0;
}

/* The part of the place's line that was running: a Lua line, or one hole of a text line.  NULL: it cannot be told. */
static const char *running(const Place *p, size_t *length)
{
    const Template *t = p->template;
    const char *line = point_line(&t->source, p->line, length), *after = line;
    if (!line)
        return NULL;
    if (*line == '%') {
        --*length;
        return line + 1;
    }
    int first = -1, next = -1, holes = 0;
    for (int i = 0; i < t->pieces.count; i++) {
        const Piece *k = t->pieces.items[i];
        if (k->line != p->line)
            continue;
        after = k->text + k->length;
        holes += k->hole;
        first = k->hole && first < 0 ? i : first;
        next = k->hole && next < 0 && i > t->done ? i : next;
    }
    if (!t->loaded) {                      /* '${' without an end; or Lua refused one of the holes, which need not be the first */
        for (const char *s = after; s + 1 < line + *length; s++)
            if (s[0] == '$' && s[1] == '{') {
                *length -= (size_t)(s - line);
                return s;
            }
        if (holes != 1)
            return NULL;
    }
    if (first < 0)
        return NULL;
    bool here = t->done >= 0 && ((Piece *)t->pieces.items[t->done])->line == p->line && next >= 0;
    const Piece *hole = t->pieces.items[here ? next : first];
    *length = hole->length;
    return hole->text;
}

static void report(Expansion *x, const char *what, const char *message)
{
    static const Source nowhere = { NULL, NULL, 0 };
    if (x->place_count == 0)
        diag_in(x->diag, SEVERITY_ERROR, x->templates.count ? &((Template *)x->templates.items[0])->source : &nowhere,
                (Loc){ 0, 0, 0 }, "template '%s': %s", x->name, message);
    for (int i = 0; i < x->place_count; i++) {
        const Place *p = &x->places[i];
        const Source *source = &p->template->source;
        size_t length = 0;
        const char *text = running(p, &length);
        Loc at = text ? point_at(source, p->line, text, length, i ? "'include'" : message) : (Loc){ .line = p->line };
        diag_in(x->diag, i ? SEVERITY_NOTE : SEVERITY_ERROR, source, at, "%s", i ? "included from here" : message);
    }
    const Fact *unit = x->unit[x->depth], *name = unit ? fact_get(unit, "name") : NULL, *kind = unit ? fact_get(unit, "kind") : NULL;
    const Fact *line = unit ? fact_get(unit, "line") : NULL, *column = unit ? fact_get(unit, "column") : NULL, *span = unit ? fact_get(unit, "span") : NULL;
    if (name && kind && line && column && span)
        diag_note(x->diag, (Loc){ (int)line->i, (int)column->i, (int)span->i }, "while expanding %s (%s) of %s", name->text, kind->text, what);
    else if (what)
        diag_in(x->diag, SEVERITY_NOTE, &nowhere, (Loc){ 0, 0, 0 }, "while expanding %s", what);
}

bool template_expand(Arena *a, Diag *d, const char *dir, const char *name, const char *what, const Fact *facts, Text *out)
{
    Expansion x = { .arena = a, .diag = d, .dir = dir, .name = name, .facts = facts, .out = out,
                    .out_start = out->length };
    lua_State *L = lua_newstate(allocate, &x);
    if (!L) {
        diag_error(d, (Loc){ 0, 0, 0 }, "template '%s': no memory to start Lua", name);
        return false;
    }
    *(Expansion **)lua_getextraspace(L) = &x;
    x.lua = L;
    lua_pushcfunction(L, handle_error);
    lua_pushcfunction(L, expand);
    int status = lua_pcall(L, 0, 0, 1);
    if (status != LUA_OK) {
        const char *message = status == LUA_ERRMEM ? "the template needs more than 256 MiB of memory" : lua_tostring(L, -1);
        report(&x, what, message ? message : "an error without text");
        out->length = out->length > x.out_start ? x.out_start : out->length;
        if (out->text)
            out->text[out->length] = '\0';
    }
    lua_close(L);
    return status == LUA_OK;
}
