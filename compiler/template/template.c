/* template.c -- C with Lua in the margin: expands one template with facts into C text.
 *
 * Template line n becomes line n of a Lua chunk, so Lua's own line numbers are the template's:
 *   `% lua`         ->  lua
 *   `a ${x} b`      ->  ;__text(0);__value((x),1);__text(2);        (numbers of the template's pieces)
 * The chunk takes its globals as _ENV: fields given to include(), then facts, then a few builtins; reading
 * an unset name is an error.  sandbox.c has the functions and limits of Lua.
 * Lua errors unwind over this file's frames, so these own nothing but arena memory. */
#define _POSIX_C_SOURCE 200809L
#include "template/template.h"
#include "base/embed.h"
#include "template/fact.h"
#include "template/point.h"
#include "template/sandbox.h"
#include "template/tuning.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t MAX_OUTPUT = 64u << 20;          /* bytes one expansion writes; its buffers take twice as many */
static const size_t MAX_FILE = 128u << 10;           /* bytes of a template file */
static const size_t MAX_CHOICE = 200;                /* bytes of a text for candidate() */
enum { LINE_MOST = 112,            /* columns of a line that list() breaks */
       GRID_MOST = 65536,          /* rows, and columns, of grid() */
       MAX_DEPTH = 32, MAX_PLACES = MAX_DEPTH + 2,
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
    Sandbox box;                   /* first: see sandbox.h */
    Diag *diag;
    const char *dir, *name;
    const Fact *facts;
    Tuning *tuning;                /* NULL: every choice by the template's own rule */
    Text *out;
    size_t out_start;
    List templates;
    int depth;
    const Fact *unit[MAX_DEPTH + 1];    /* the operator that each depth of includes is about: its `op` */
    Place places[MAX_PLACES];      /* filled by the message handler: the error, then the include() calls around it */
    int place_count;
} Expansion;

static Expansion *expansion_of(lua_State *L)
{
    return (Expansion *)*(Sandbox **)lua_getextraspace(L);
}

/* Registry and hidden-field keys: their addresses are what counts. */
static const char env_meta, env_fields, env_parent;

/* ---- functions called by a chunk: output ---- */

static void write_out(lua_State *L, const char *bytes, size_t n)
{
    Expansion *x = expansion_of(L);
    if (n > MAX_OUTPUT - (x->out->length - x->out_start))
        luaL_error(L, "the template writes more than 64 MiB");
    sandbox_charge(L, 1 + n / 1024);
    text_add(x->out, bytes, n);
}

/* The piece whose number is the argument `at`.  The functions that write pieces can be called by name: then any number may stand there. */
static const Piece *piece(lua_State *L, Template *t, int at)
{
    const lua_Integer n = luaL_checkinteger(L, at);
    luaL_argcheck(L, n >= 0 && n < t->pieces.count, at, "the template has no such piece");
    return t->pieces.items[n];
}

/* __text(n): piece n as it is.  Upvalue: the Template. */
static int emit_text(lua_State *L)
{
    Template *t = lua_touserdata(L, lua_upvalueindex(1));
    const Piece *p = piece(L, t, 1);
    write_out(L, p->text, p->length);
    t->done = (int)lua_tointeger(L, 1);
    return 0;
}

/* __value(v, n): the value of piece n.  Upvalue: the Template. */
static int emit_value(lua_State *L)
{
    Template *t = lua_touserdata(L, lua_upvalueindex(1));
    const Piece *p = piece(L, t, 2);
    char text[40];
    size_t n;
    const char *s;
    switch (lua_type(L, 1)) {
    case LUA_TSTRING:
        s = lua_tolstring(L, 1, &n);
        write_out(L, s, n);
        break;
    case LUA_TNUMBER:
        sandbox_number(L, 1, text);
        write_out(L, text, strlen(text));
        break;
    default:
        s = arena_copy(expansion_of(L)->box.arena, p->text, p->length);
        return luaL_error(L, "${%s} is %s%s, not text or a number", s, lua_isnil(L, 1) ? "" : "a ", luaL_typename(L, 1));
    }
    t->done = (int)lua_tointeger(L, 2);
    return 0;
}

/* ---- templates into chunks ---- */

/* The path of `name` in the first of the folders (one a line, or NULL) that has it; NULL: none has it. */
static const char *in_folder(Arena *a, const char *dir, const char *name)
{
    while (dir && *dir) {
        const size_t n = strcspn(dir, "\n");
        const char *path = arena_printf(a, "%.*s%s%s", (int)n, dir, n && dir[n - 1] == '/' ? "" : "/", name);
        if (n && access(path, F_OK) == 0)
            return path;
        dir += n + (dir[n] == '\n');
    }
    return NULL;
}

bool template_replaced(Arena *a, const char *dir, const char *name) { return in_folder(a, dir, name) != NULL; }

const char *template_load(Arena *a, const char *dir, const char *name, Source *source)
{
    const char *path = in_folder(a, dir, name);
    struct stat is;
    if (path && stat(path, &is) == 0 && !S_ISREG(is.st_mode))     /* a pipe would be waited for */
        return arena_printf(a, "the template '%s' is no file", path);
    if (path) {
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
                return arena_printf(a, "the template '%s' is larger than 128 KiB", path);
            *source = (Source){ path, text.text ? text.text : "", text.length };
            return NULL;
        }
    }
    const char **names = NEW_ARRAY(a, const char *, embedded_templates_count);
    for (int i = 0; i < embedded_templates_count; i++) {
        const EmbeddedFile *e = &embedded_templates[i];
        names[i] = e->name;
        if (strcmp(e->name, name) == 0) {
            *source = (Source){ e->path, (const char *)e->bytes, e->size };
            return NULL;
        }
    }
    return arena_printf(a, "there is no template '%s'%s", name, diag_suggestion(a, name, names, embedded_templates_count));
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
    Piece *p = NEW(x->box.arena, Piece);
    *p = (Piece){ text, n, line, hole };
    list_push(x->box.arena, &t->pieces, p);
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
    return arena_printf(x->box.arena, "=template %d", id);
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
    Template *t = NEW(x->box.arena, Template);
    t->name = arena_copy(x->box.arena, name, strlen(name));
    const char *why = template_load(x->box.arena, x->dir, t->name, &t->source);
    if (why)
        luaL_error(L, "%s", why);
    sandbox_keep(L, 8 * t->source.length);               /* its text, its pieces, and the Lua that they become */
    t->id = x->templates.count;
    t->done = -1;
    list_push(x->box.arena, &x->templates, t);
    Text lua = { .arena = x->box.arena };
    int line;
    why = translate(x, t, &lua, &line);
    if (why) {
        lua_pushfstring(L, "template %d:%d: %s", t->id, line, why);
        lua_error(L);
    }
    sandbox_load(L, lua.text, lua.length, chunk_name(x, t->id));
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

/* Calls the template function on top of the stack (popped) with the environment at `env`. */
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
    if (lua_istable(L, 2) && sandbox_field(L, 2, 3) && sandbox_fact(L, -1))
        x->unit[x->depth] = sandbox_fact(L, -1);
    lua_settop(L, 2);
    Template *t = push_template(L, lua_tostring(L, 1));
    push_environment(L, lua_istable(L, 2) ? 2 : 0, lua_upvalueindex(1));
    lua_insert(L, -2);
    run_template(L, t, lua_gettop(L) - 1);
    x->depth--;
    return 0;
}

/* candidate(what, choices): the number of the choice to take.  See tuning.h. */
static int lua_candidate(lua_State *L)
{
    Expansion *x = expansion_of(L);
    const Fact *op = x->unit[x->depth], *names = op ? fact_get(op, "operators") : NULL, *key = op ? fact_get(op, "key") : NULL;
    if (!names || !key)
        return luaL_error(L, "candidate is for the templates of operators");
    if (lua_gettop(L) != 2 || lua_type(L, 1) != LUA_TSTRING || !lua_istable(L, 2) || sandbox_fact(L, 2))
        return luaL_error(L, "candidate wants a text and a list of texts: candidate(\"forward\", { \"4x7\", \"5x5\" })");
    const Fact *net = fact_get(x->facts, "net"), *target = net ? fact_get(net, "target") : NULL, *wide = net ? fact_get(net, "double") : NULL;
    const char *settings = arena_printf(x->box.arena, "%s %s", target ? target->text : "", wide && wide->i ? "double" : "float");
    luaL_argcheck(L, lua_rawlen(L, 1) <= MAX_CHOICE, 1, "a question is a short text");
    sandbox_keep(L, MAX_CHOICE + strlen(key->text) + (x->tuning ? tuning_questions(x->tuning)->count : 0));
    List choices = { 0 };
    for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
        if (lua_type(L, -1) != LUA_TSTRING)
            return luaL_error(L, "a choice is a text, not a %s", luaL_typename(L, -1));
        luaL_argcheck(L, lua_rawlen(L, -1) <= MAX_CHOICE, 2, "a choice is a short text");
        sandbox_keep(L, MAX_CHOICE);
        list_push(x->box.arena, &choices, arena_printf(x->box.arena, "%s", lua_tostring(L, -1)));
    }
    if (!choices.count)
        return luaL_error(L, "candidate needs at least one choice");
    int chosen = 0;
    for (int i = 0; x->tuning && i < names->items.count; i++)
        chosen = tuning_ask(x->tuning, settings, ((const Fact *)names->items.items[i])->text, key->text, lua_tostring(L, 1), &choices);
    lua_pushinteger(L, 1 + chosen);
    return 1;
}

/* The text on top of the stack, which is popped: an item of list() or grid(), or an operand of plus(). */
static const char *popped(lua_State *L, const char *of, size_t *n)
{
    if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
        luaL_error(L, "%s wants texts, not a %s", of, luaL_typename(L, -1));
    const char *s = lua_tolstring(L, -1, n);
    sandbox_keep(L, *n);
    s = arena_copy(expansion_of(L)->box.arena, s, *n);
    lua_pop(L, 1);
    return s;
}

/* The items f(0), ..., f(n - 1), or with columns f(0, 0), f(0, 1), ..., f(n / columns - 1, columns - 1), the separator between.  With a margin, a line
 * that would be too long ends in the separator without its last character, and the next begins with the margin; so does every `each`-th item, if that
 * is given.  f is at stack index `f`, behind it margin and each. */
static int joined(lua_State *L, const char *of, lua_Integer n, lua_Integer columns, int f)
{
    Expansion *x = expansion_of(L);
    size_t between, indent = 0, size, line = 0;
    lua_Integer each = luaL_optinteger(L, f + 2, 0);
    const char *separator = luaL_checklstring(L, f - 1, &between), *margin = luaL_optlstring(L, f + 1, NULL, &indent);
    luaL_checktype(L, f, LUA_TFUNCTION);
    Text text = { .arena = x->box.arena };
    for (lua_Integer i = 0; i < n; i++) {
        lua_pushvalue(L, f);
        lua_pushinteger(L, columns ? i / columns : i);
        if (columns)
            lua_pushinteger(L, i % columns);
        lua_call(L, columns ? 2 : 1, 1);
        const char *item = popped(L, of, &size);
        sandbox_keep(L, 2 * (size + between + indent));
        bool new_line = margin && i > 0 && (each ? i % each == 0 : indent + line + size > LINE_MOST);
        if (i > 0)
            text_add(&text, separator, between - (new_line && between ? 1 : 0));
        if (new_line) {
            text_add(&text, "\n", 1);
            text_add(&text, margin, indent);
        }
        text_add(&text, item, size);
        line = (new_line ? 0 : line + (i > 0 ? between : 0)) + size;
    }
    lua_pushlstring(L, text.text ? text.text : "", text.length);
    return 1;
}

/* list(n, separator, f, margin, each): f(0), ..., f(n - 1). */
static int lua_list(lua_State *L) { return joined(L, "list", luaL_checkinteger(L, 1), 0, 3); }

/* grid(rows, columns, separator, f, margin, each): f(0, 0), f(0, 1), ..., f(1, 0), ... */
static int lua_grid(lua_State *L)
{
    const lua_Integer rows = luaL_checkinteger(L, 1), columns = luaL_checkinteger(L, 2);
    luaL_argcheck(L, rows >= 0 && rows <= GRID_MOST, 1, "there are 0 to 65536 rows");
    luaL_argcheck(L, columns > 0 && columns <= GRID_MOST, 2, "there are 1 to 65536 columns");
    return joined(L, "grid", rows * columns, columns, 4);
}

/* plus(a, n, size): the C of a + n * size, "a - 3" where that is negative, a where it is 0; size: 1 unless given. */
static int lua_plus(lua_State *L)
{
    size_t text;
    lua_Integer n = luaL_checkinteger(L, 2), size = luaL_optinteger(L, 3, 1), most = INT32_MAX;
    luaL_argcheck(L, n >= -most && n <= most, 2, "out of range");
    luaL_argcheck(L, size >= -most && size <= most, 3, "out of range");
    lua_pushvalue(L, 1);
    const char *a = popped(L, "plus", &text);
    if (n * size != 0)
        lua_pushfstring(L, n * size > 0 ? "%s + %I" : "%s - %I", a, n * size > 0 ? n * size : -(n * size));
    else
        lua_pushstring(L, a);
    return 1;
}

/* upto(a, n, end): the C of a + n, or of the end where that is nearer; a is a multiple of n below the end. */
static int lua_upto(lua_State *L)
{
    size_t size;
    const lua_Integer n = luaL_checkinteger(L, 2), end = luaL_checkinteger(L, 3);
    lua_pushvalue(L, 1);
    const char *a = popped(L, "upto", &size);
    luaL_argcheck(L, n > 0, 2, "a step is at least 1");
    if (end % n == 0)
        lua_pushfstring(L, "%s + %I", a, n);
    else
        lua_pushfstring(L, "%s + %I < %I ? %s + %I : %I", a, n, end, a, n, end);
    return 1;
}

static int refuse_global(lua_State *L)
{
    return luaL_error(L, "'%s' cannot be set: write 'local %s'", lua_tostring(L, 2), lua_tostring(L, 2));
}

static int env_index(lua_State *L)
{
    Expansion *x = expansion_of(L);
    const char *name = lua_tostring(L, 2);
    lua_settop(L, 2);
    for (lua_pushvalue(L, 1); lua_istable(L, 3); lua_rawgetp(L, 3, &env_parent), lua_replace(L, 3)) {
        if (lua_rawgetp(L, 3, &env_fields) == LUA_TTABLE && sandbox_field(L, 4, 2))
            return 1;
        lua_settop(L, 3);
    }
    const Fact *f = name ? fact_get(x->facts, name) : NULL;
    if (f) {
        sandbox_push(L, f);
        return 1;
    }
    if (name && strcmp(name, "include") == 0) {
        lua_pushvalue(L, 1);
        lua_pushcclosure(L, lua_include, 1);
        return 1;
    }
    static const luaL_Reg ours[] = { { "candidate", lua_candidate }, { "list", lua_list }, { "grid", lua_grid }, { "plus", lua_plus }, { "upto", lua_upto } };
    for (size_t i = 0; name && i < sizeof ours / sizeof *ours; i++)
        if (strcmp(name, ours[i].name) == 0) {
            lua_pushcfunction(L, ours[i].func);
            return 1;
        }
    if (sandbox_builtin(L, 2))
        return 1;
    return luaL_error(L, "'%s' is not set here%s", name ? name : luaL_typename(L, 2),
                      name ? sandbox_suggestion(L, x->facts, name) : "");
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

/* Lua's message handler, runs at the error: records its place, and the include() calls on the way to it. */
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

static int expand(lua_State *L)
{
    Expansion *x = expansion_of(L);
    sandbox_world(L);
    sandbox_metatable(L, &env_meta, env_index, refuse_global, NULL);
    lua_settop(L, 0);
    push_environment(L, 0, 0);
    Template *t = push_template(L, x->name);
    sandbox_limit(L);
    run_template(L, t, 1);
    return 0;
}

/* The part of the place's line that was running: a Lua line, or one hole of a text line.  NULL: unknown. */
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
        diag_error(x->diag, (Loc){ .file = x->templates.count ? &((Template *)x->templates.items[0])->source : &nowhere }, "template '%s': %s", x->name, message);
    for (int i = 0; i < x->place_count; i++) {
        const Place *p = &x->places[i];
        const Source *source = &p->template->source;
        size_t length = 0;
        const char *text = running(p, &length);
        Loc at = text ? point_at(source, p->line, text, length, i ? "'include'" : message) : (Loc){ .line = p->line, .file = source };
        if (i)
            diag_note(x->diag, at, "included from here");
        else
            diag_error(x->diag, at, "%s", message);
    }
    const Fact *unit = x->unit[x->depth], *name = unit ? fact_get(unit, "name") : NULL, *kind = unit ? fact_get(unit, "kind") : NULL;
    if (name && kind && unit->place.file)
        diag_note(x->diag, unit->place, "while expanding %s (%s) of %s", name->text, kind->text, what);
    else if (what)
        diag_note(x->diag, (Loc){ .file = &nowhere }, "while expanding %s", what);
}

bool template_expand(Arena *a, Diag *d, const char *dir, const char *name, const char *what, const Fact *facts, Tuning *tuning, Text *out)
{
    Expansion x = { .box = { .arena = a, .what = "template" }, .diag = d, .dir = dir, .name = name, .facts = facts, .tuning = tuning, .out = out,
                    .out_start = out->length };
    lua_State *L = sandbox_open(&x.box);
    if (!L) {
        diag_error(d, (Loc){ 0 }, "template '%s': no memory to start Lua", name);
        return false;
    }
    lua_pushcfunction(L, handle_error);
    lua_pushcfunction(L, expand);
    int status = lua_pcall(L, 0, 0, 1);
    if (status != LUA_OK) {
        const char *message = status == LUA_ERRMEM ? "the template needs more than 64 MiB of memory" : lua_tostring(L, -1);
        report(&x, what, sandbox_message(a, message));
        out->length = out->length > x.out_start ? x.out_start : out->length;
        if (out->text)
            out->text[out->length] = '\0';
    }
    lua_close(L);
    return status == LUA_OK;
}
