/* describe.c -- asks the description of an operator from outside: NAME.op.lua, Lua that returns one table.
 *
 * In: its text.  Out: an Outside (describe), and for each use in a model the sizes that follow from attributes and inputs (describe_use).
 * The Lua state lives for one question: the file is run anew each time, so no answer depends on an earlier one.  The one convention: what is
 * wrong with a description is said by fault(), with the word of the file that it is about; `refuse`, which only a description calls, says what
 * is wrong with the model.  What leaves this file as a name is a checked identifier, what leaves it as text is printable ASCII.
 * Lua errors unwind over these frames, which own nothing but arena memory. */
#include "attr.h"
#include "language.h"
#include "outside.h"
#include "point.h"
#include "sandbox.h"

#include <lauxlib.h>
#include <lua.h>
#include <math.h>
#include <string.h>

typedef struct {
    Sandbox box;               /* first: see sandbox.h */
    Arena *arena;
    Diag *diag;
    Outside *o;
    Model *m;                  /* describe_use: of which model ... */
    const Op *op;              /* ... and operator; NULL while the description itself is read */
    Told *told;
    const char *word;          /* what the message is about: the place of this word in the file; NULL: Lua's line */
    int line;                  /* Lua's */
    const char *refusal;
    bool reported;
} Question;

static Question *question_of(lua_State *L)
{
    return (Question *)*(Sandbox **)lua_getextraspace(L);
}

static const char env_meta;    /* a registry key: its address is what counts */

/* ---- what is wrong ---- */

static _Noreturn void fault(lua_State *L, const char *word, const char *format, ...)
{
    Question *q = question_of(L);
    va_list args;
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    q->word = arena_copy(q->arena, word, strlen(word));
    lua_error(L);
    unreachable("lua_error");
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A row's name stands in quotes, a field's before its '=', `return` at the beginning of its line; else the first line is meant. */
Loc description_place(const Source *s, const char *word)
{
    size_t n, length = strlen(word);
    bool whole = strcmp(word, "return") == 0;
    for (int quoted = 1; quoted >= 0; quoted--) {
        const char *line;
        for (int k = 1; (line = point_line(s, k, &n)) != NULL; k++) {
            size_t at = whole ? 0 : strspn(line, " \t");
            if (at + 1 < n && line[at] == '-' && line[at + 1] == '-')
                continue;
            for (; at + length <= n && !(whole && at); at++) {
                size_t end = at + length;
                char before = at ? line[at - 1] : ' ', after = end < n ? line[end] : ' ';
                while (!quoted && end < n && (line[end] == ' ' || line[end] == '\t'))
                    end++;
                if (memcmp(line + at, word, length) == 0 && !in_word(before) && !in_word(after)
                    && (quoted ? (before == '"' || before == '\'') && after == before : whole || (end < n && line[end] == '=')))
                    return point_at(s, k, line + at, length, "");
            }
        }
    }
    return (Loc){ .line = 1 };
}

/* Runs where the error happens. */
static int handle(lua_State *L)
{
    Question *q = question_of(L);
    if (q->refusal || q->reported)
        return 1;
    if (lua_type(L, 1) != LUA_TSTRING) {
        lua_pushfstring(L, "error was called with a %s, not with text", luaL_typename(L, 1));
        lua_replace(L, 1);
    }
    int n = 0;
    const char *message = lua_tostring(L, 1);
    if (sscanf(message, "description:%d: %n", &q->line, &n) == 1 && n) {
        lua_pushstring(L, message + n);
        return 1;
    }
    lua_Debug frame;
    for (int level = 0; !q->word && level < 200 && lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (strcmp(frame.source, "=description") == 0) {
            q->line = frame.currentline;
            break;
        }
    }
    return 1;
}

static void report(Question *q, const char *message)
{
    const Source *s = &q->o->source;
    size_t n;
    const char *line = !q->word && q->line ? point_line(s, q->line, &n) : NULL;
    Loc at = q->word ? description_place(s, q->word) : line ? point_at(s, q->line, line, n, message) : (Loc){ .line = q->line ? q->line : 1 };
    diag_in(q->diag, SEVERITY_ERROR, s, at, "%s", message);
    if (q->op)
        diag_note(q->diag, q->op->loc, "while %s (%s) was asked for its sizes", q->op->name, q->o->info.name);
}

/* ---- the world of a description ---- */

static int env_index(lua_State *L)
{
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
    return sandbox_builtin(L, 2) ? 1 : luaL_error(L, "'%s' is not set here", name);
}

static int env_write(lua_State *L)
{
    return luaL_error(L, "'%s' cannot be set: write 'local %s'", lua_tostring(L, 2), lua_tostring(L, 2));
}

/* refuse(text): what the model says does not fit this operator. */
static int lua_refuse(lua_State *L)
{
    Question *q = question_of(L);
    const char *text = luaL_checkstring(L, 1);
    if (!q->op)
        return luaL_error(L, "'refuse' is for functions that are asked about an operator of a model");
    q->refusal = arena_copy(q->arena, text, strlen(text));
    lua_settop(L, 1);
    return lua_error(L);
}

/* Runs the file; its table is then at stack index 1. */
static void open_description(lua_State *L)
{
    const Source *s = &question_of(L)->o->source;
    sandbox_world(L);
    lua_settop(L, 0);
    if (luaL_loadbufferx(L, s->text, s->length, "=description", "t") != LUA_OK)
        lua_error(L);
    sandbox_metatable(L, &env_meta, env_index, env_write, NULL);
    lua_newtable(L);
    lua_pushcfunction(L, lua_refuse);
    lua_setfield(L, -2, "refuse");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &env_meta);
    lua_setmetatable(L, -2);
    lua_setupvalue(L, 1, 1);
    sandbox_limit(L);
    lua_call(L, 0, 1);
    if (!lua_istable(L, 1))
        fault(L, "return", "a description returns a table: return { about = \"...\", ... }");
}

static bool ask(Question *q, lua_CFunction what)
{
    lua_State *L = sandbox_open(&q->box);
    if (!L) {
        report(q, "no memory to start Lua");
        return false;
    }
    lua_pushcfunction(L, handle);
    lua_pushcfunction(L, what);
    int status = lua_pcall(L, 0, 0, 1);
    if (status != LUA_OK && q->refusal)
        shape_refuse(q->m, q->op, "%s", q->refusal);
    else if (status != LUA_OK && !q->reported)
        report(q, status == LUA_ERRMEM ? "the description needs more than 256 MiB of memory" : lua_tostring(L, -1));
    lua_close(L);
    return status == LUA_OK;
}

/* ---- fields ---- */

/* Pushes the field of the table at `t`: a value of that type, or nil if it may be missing.  `owner`: the row's name; NULL: the description itself. */
static bool field(lua_State *L, int t, const char *owner, const char *key, int type, bool needed)
{
    int got = lua_getfield(L, t, key);
    if (got == LUA_TNIL && !needed)
        return false;
    if (got == LUA_TNIL)
        fault(L, owner ? owner : "return", "%s%s%s has no '%s'", owner ? "'" : "the ", owner ? owner : "description", owner ? "'" : "", key);
    if (got != type)
        fault(L, owner ? owner : key, "'%s' must be a %s, not a %s", key, lua_typename(L, type), lua_typename(L, got));
    return true;
}

/* A text of printable ASCII, on one line or several, copied; NULL if it may be missing and is. */
static const char *text_field(lua_State *L, int t, const char *owner, const char *key, bool needed, bool lines)
{
    size_t n;
    if (!field(L, t, owner, key, LUA_TSTRING, needed)) {
        lua_pop(L, 1);
        return NULL;
    }
    const char *text = lua_tolstring(L, -1, &n), *word = owner ? owner : key;
    for (size_t i = 0; i < n; i++)
        if ((text[i] < ' ' || text[i] > '~') && !(lines && text[i] == '\n'))
            fault(L, word, lines ? "'%s' must be printable ASCII" : "'%s' must be one line of printable ASCII", key);
    if (n == 0 || n > 1000)
        fault(L, word, "'%s' must be a text of 1 to 1000 characters", key);
    text = arena_copy(question_of(L)->arena, text, n);
    lua_pop(L, 1);
    return text;
}

static bool flag_field(lua_State *L, int t, const char *owner, const char *key)
{
    bool set = field(L, t, owner, key, LUA_TBOOLEAN, false) && lua_toboolean(L, -1);
    lua_pop(L, 1);
    return set;
}

/* Refuses keys of the table at `t`, the row `owner` or the description, that are not among `known` (ends with NULL). */
static void keys_known(lua_State *L, int t, const char *owner, const char *const *known)
{
    int count = 0;
    while (known[count])
        count++;
    for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            fault(L, owner ? owner : "return", "%s takes fields with names only", owner ? owner : "the description");
        const char *key = lua_tostring(L, -2), *near = diag_nearest(key, known, count);
        bool found = false;
        for (int i = 0; i < count; i++)
            found = found || strcmp(known[i], key) == 0;
        if (!found)
            fault(L, key, "unknown field '%s' in %s%s%s%s", key, owner ? owner : "the description", near ? "; did you mean '" : "",
                  near ? near : "", near ? "'?" : "");
    }
}

/* An identifier of the field `key`: it may become part of a C name, and is reported like names of a model. */
static const char *name_field(lua_State *L, int t, const char *owner, const char *key)
{
    Question *q = question_of(L);
    const char *name = text_field(L, t, owner, key, true, false);
    const Source model = *diag_text(q->diag), *s = &q->o->source;
    diag_source(q->diag, s->path, s->text, s->length);
    bool good = name_check(&(Model){ .arena = q->arena, .diag = q->diag }, description_place(s, name), name);
    diag_source(q->diag, model.path, model.text, model.length);
    if (good)
        return name;
    q->reported = true;
    lua_error(L);
    unreachable("lua_error");
}

/* The rows of the list `key`, one at a time: pushes row i (from 1) as a table at a new top; false at the end. */
static bool row(lua_State *L, int list, const char *key, int i, int most)
{
    int n = (int)lua_rawlen(L, list);
    if (n > most)
        fault(L, key, "'%s' has %d rows; %d is the most", key, n, most);
    if (i > n)
        return false;
    if (lua_rawgeti(L, list, i) != LUA_TTABLE)
        fault(L, key, "'%s' must be a list of tables: { { name = \"...\", ... } }", key);
    return true;
}

/* ---- attributes ---- */

static const struct { const char *word; AttrType type; bool number; } types[] = {
    { "int", ATTR_INT, true }, { "real", ATTR_REAL, true }, { "bool", ATTR_BOOL, false }, { "word", ATTR_WORD, false },
    { "pair", ATTR_PAIR, true }, { "shape", ATTR_SHAPE, true }, { "init", ATTR_INIT, false },
};

static bool is_word(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!in_word(*c))
            return false;
    return *text != '\0' && strlen(text) <= 40;
}

static const InitSpec *initialiser(const char *word)
{
    for (const InitSpec *i = initialisers; i->name; i++)
        if (strcmp(i->name, word) == 0 && strcmp(word, "identity_affine") != 0)
            return i;
    return NULL;
}

static double bound(lua_State *L, int t, const char *name, const char *key, bool whole)
{
    field(L, t, name, key, LUA_TNUMBER, true);
    double v = lua_tonumber(L, -1);
    if (!(fabs(v) <= 9e15) || (whole && v != floor(v)))
        fault(L, name, "'%s' of '%s' must be %s number of at most 9e15 in size", key, name, whole ? "a whole" : "a");
    lua_pop(L, 1);
    return v;
}

/* The default as it would be written in a model; the compiler reads it the same way. */
static const char *fallback(lua_State *L, int t, const AttrSpec *s)
{
    Question *q = question_of(L);
    int type = lua_getfield(L, t, "default");
    const char *text = NULL;
    char number[40];
    bool good = type == LUA_TNIL;
    if (type == LUA_TNUMBER && (s->type == ATTR_INT || s->type == ATTR_REAL || s->type == ATTR_PAIR || s->type == ATTR_SHAPE)) {
        double v = lua_tonumber(L, -1);
        good = v >= s->low && v <= s->high && (s->type == ATTR_REAL || v == floor(v));
        sandbox_number(L, -1, number);
        text = arena_copy(q->arena, number, strlen(number));
    } else if (type == LUA_TBOOLEAN && s->type == ATTR_BOOL) {
        text = lua_toboolean(L, -1) ? "true" : "false";
        good = true;
    } else if (type == LUA_TSTRING && (s->type == ATTR_WORD || s->type == ATTR_INIT)) {
        text = arena_copy(q->arena, lua_tostring(L, -1), strlen(lua_tostring(L, -1)));
        const InitSpec *init = initialiser(text);
        const char *at = s->type == ATTR_WORD && is_word(text) ? strstr(arena_printf(q->arena, " %s ", s->choices), arena_printf(q->arena, " %s ", text)) : NULL;
        good = s->type == ATTR_WORD ? at != NULL : init && !init->number;
    }
    if (!good)
        fault(L, s->name, "the default of '%s' is no value that it may have", s->name);
    lua_pop(L, 1);
    return text;
}

static void attribute(lua_State *L, int t, Outside *o, AttrSpec *s)
{
    static const char *const known[] = { "name", "type", "default", "optional", "min", "max", "choices", "help", NULL };
    Arena *a = question_of(L)->arena;
    s->name = name_field(L, t, "attributes", "name");
    keys_known(L, t, s->name, known);
    if (!strcmp(s->name, "name"))
        fault(L, "name", "'name' is an attribute of every layer: it needs no row");
    for (const AttrSpec *other = o->attrs; other < s; other++)
        if (!strcmp(other->name, s->name))
            fault(L, s->name, "there are two attributes '%s'", s->name);
    s->help = text_field(L, t, s->name, "help", true, false);
    const char *type = text_field(L, t, s->name, "type", true, false);
    bool number = false, found = false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].word, type))
            s->type = types[i].type, number = types[i].number, found = true;
    if (!found)
        fault(L, s->name, "the type of '%s' must be int, real, bool, word, pair, shape or init, not '%s'", s->name, type);
    if (number) {
        s->low = bound(L, t, s->name, "min", s->type != ATTR_REAL);
        s->high = bound(L, t, s->name, "max", s->type != ATTR_REAL);
        if (s->low > s->high || ((s->type == ATTR_PAIR || s->type == ATTR_SHAPE) && s->low < 0))
            fault(L, s->name, "the bounds of '%s' leave no value", s->name);
    }
    if (s->type == ATTR_WORD) {
        field(L, t, s->name, "choices", LUA_TTABLE, true);
        int n = (int)lua_rawlen(L, -1);
        Text words = { .arena = a };
        for (int i = 1; i <= n; i++, lua_pop(L, 1)) {
            const char *w = lua_rawgeti(L, -1, i) == LUA_TSTRING ? lua_tostring(L, -1) : "";
            if (!is_word(w))
                fault(L, s->name, "the choices of '%s' must be words of letters, digits and _", s->name);
            text_printf(&words, "%s%s", i > 1 ? " " : "", w);
        }
        if (n < 1 || n > 16)
            fault(L, s->name, "'%s' needs 1 to 16 choices", s->name);
        s->choices = words.text;
        lua_pop(L, 1);
    }
    s->fallback = fallback(L, t, s);
    if (flag_field(L, t, s->name, "optional")) {
        if (s->fallback)
            fault(L, s->name, "'%s' has a default: it is not optional", s->name);
        s->fallback = "";
    }
}

/* ---- parameters, what is kept, what is given to backward ---- */

static void part(lua_State *L, int t, const Outside *o, const char *list, const Part *first, Part *p, bool parameter)
{
    static const char *const known[] = { "name", "shape", NULL }, *const known_parameter[] = { "name", "shape", "init", NULL };
    p->name = name_field(L, t, list, "name");
    keys_known(L, t, p->name, parameter ? known_parameter : known);
    field(L, t, p->name, "shape", LUA_TFUNCTION, true);
    bool input = p->name[0] == 'x' && strspn(p->name + 1, "0123456789") == strlen(p->name + 1);
    bool twice = input || !strcmp(p->name, "y") || !strcmp(p->name, "dy");
    for (const Part *q = first; q < p; q++)
        twice = twice || !strcmp(q->name, p->name);
    for (int i = 0; !parameter && i < o->parameter_count; i++)
        twice = twice || !strcmp(o->parameters[i].name, p->name);
    if (twice)
        fault(L, p->name, "'%s' means something else already", p->name);
    if (!parameter)
        return;
    p->init.word = "zeros";
    int type = lua_getfield(L, t, "init"), table = lua_gettop(L);
    const char *word = type == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_pushnil(L);
    if (type == LUA_TTABLE && lua_next(L, table) && lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TNUMBER) {
        word = lua_tostring(L, -2);                 /* { normal = 0.1 } */
        p->init.number[0] = lua_tonumber(L, -1);
        p->init.count = 1;
    }
    for (const AttrSpec *s = o->attrs; word && type == LUA_TSTRING && s->name; s++)
        if (s->type == ATTR_INIT && !strcmp(s->name, word))
            p->init_by = s->name;
    const InitSpec *spec = word ? initialiser(word) : NULL;
    if (type != LUA_TNIL && !p->init_by && (!spec || spec->number != (p->init.count == 1) || !(fabs(p->init.number[0]) <= 1e6)))
        fault(L, p->name, "the 'init' of '%s' must be an initialiser, such as \"ones\" or { normal = 0.1 }, or an attribute of type init", p->name);
    if (spec)
        p->init.word = spec->name;
}

static bool find_part(const Part *parts, int count, const char *word, int *index)
{
    for (*index = 0; *index < count; ++*index)
        if (!strcmp(parts[*index].name, word))
            return true;
    return false;
}

static void gives(lua_State *L, Outside *o, const char *key, Gives *list, int *count)
{
    if (!field(L, 1, NULL, key, LUA_TTABLE, false))
        return;
    int n = (int)lua_rawlen(L, -1), given = 0;
    bool parameters = false;
    for (int i = 1; i <= n; i++, lua_pop(L, 1)) {
        const char *word = lua_rawgeti(L, -1, i) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        Gives g = { .index = -1 };
        if (!strcmp(word, "x"))
            g.kind = GIVES_INPUTS;
        else if (word[0] == 'x' && word[1] >= '1' && word[1] <= '0' + o->info.inputs_min && !word[2])
            g = (Gives){ GIVES_INPUT, word[1] - '1' };
        else if (!strcmp(word, "y"))
            g.kind = GIVES_RESULT;
        else if (find_part(o->keeps, o->keep_count, word, &g.index))
            g.kind = GIVES_KEPT;
        else if (find_part(o->parameters, o->parameter_count, word, &g.index) && !strcmp(key, "backward"))
            g.kind = GIVES_PARAMETER;
        else
            fault(L, key, "'%s' may hold \"x\" (\"x1\" to \"x%d\"), \"y\", what is kept%s; not '%s'", key, o->info.inputs_min,
                  !strcmp(key, "backward") ? ", and parameters" : "", is_word(word) ? word : "anything else");
        if (parameters && g.kind != GIVES_PARAMETER)
            fault(L, key, "the parameters stand last in '%s', as the function takes them", key);
        parameters = g.kind == GIVES_PARAMETER;
        given += g.kind == GIVES_INPUTS ? o->info.inputs_max : 1;
        for (int k = 0; k < *count; k++)
            if (list[k].kind == g.kind && list[k].index == g.index)
                fault(L, key, "'%s' holds '%s' twice", key, word);
        if (given > READS_MOST)
            fault(L, key, "'%s' holds more than %d values", key, READS_MOST);
        list[(*count)++] = g;
    }
    lua_pop(L, 1);
}

/* ---- the whole description ---- */

static void inputs(lua_State *L, OpInfo *info)
{
    int type = lua_getfield(L, 1, "inputs");
    double low = 1, high = 1;
    if (type == LUA_TNUMBER) {
        low = high = lua_tonumber(L, -1);
    } else if (type == LUA_TTABLE) {
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        low = lua_tonumber(L, -2), high = lua_tonumber(L, -1);
        lua_pop(L, 2);
    }
    if ((type != LUA_TNIL && type != LUA_TNUMBER && type != LUA_TTABLE) || !(low >= 1 && low <= high && high <= INPUTS_MOST) || low != floor(low) || high != floor(high))
        fault(L, "inputs", "'inputs' must be a number from 1 to %d, or { least, most }", INPUTS_MOST);
    info->inputs_min = (int)low, info->inputs_max = (int)high;
    info->layer = info->inputs_min == 1;
    lua_pop(L, 1);
}

static int read_description(lua_State *L)
{
    static const char *const known[] = { "about", "equation", "shapes", "example", "inputs", "attributes", "main", "flat", "shape", "parameters", "keeps",
                                         "backward", "weights", "kink", "multiply_adds", NULL };
    static const AttrSpec name = { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" };
    Outside *o = question_of(L)->o;
    open_description(L);
    keys_known(L, 1, NULL, known);
    o->help.about = text_field(L, 1, NULL, "about", true, false);
    o->info.equation = text_field(L, 1, NULL, "equation", true, false);
    o->help.shapes = text_field(L, 1, NULL, "shapes", true, false);
    o->help.example = text_field(L, 1, NULL, "example", false, true);
    o->info.arguments = flag_field(L, 1, NULL, "flat") ? "f:f" : "t:t";
    inputs(L, &o->info);
    field(L, 1, NULL, "shape", LUA_TFUNCTION, true);
    field(L, 1, NULL, "multiply_adds", LUA_TFUNCTION, false);
    lua_settop(L, 1);
    int n = 0;
    for (int i = 1; field(L, 1, NULL, "attributes", LUA_TTABLE, false) && row(L, 2, "attributes", i, ATTR_MAX - 1); i++, lua_settop(L, 1))
        attribute(L, 3, o, &o->attrs[n++]);
    lua_settop(L, 1);
    o->attrs[n] = name;
    o->info.main = text_field(L, 1, NULL, "main", false, false);
    bool has_main = !o->info.main;
    for (int i = 0; i < n; i++)
        has_main = has_main || !strcmp(o->info.main, o->attrs[i].name);
    if (!has_main)
        fault(L, "main", "'main' must be the name of an attribute");
    for (int i = 1; field(L, 1, NULL, "parameters", LUA_TTABLE, false) && row(L, 2, "parameters", i, PARAMETERS_MOST); i++, lua_settop(L, 1))
        part(L, 3, o, "parameters", o->parameters, &o->parameters[o->parameter_count], true), o->parameter_count++;
    lua_settop(L, 1);
    for (int i = 1; field(L, 1, NULL, "keeps", LUA_TTABLE, false) && row(L, 2, "keeps", i, KEEPS_MOST); i++, lua_settop(L, 1))
        part(L, 3, o, "keeps", o->keeps, &o->keeps[o->keep_count], false), o->keep_count++;
    lua_settop(L, 1);
    gives(L, o, "backward", o->backward, &o->backward_count);
    lua_settop(L, 1);
    gives(L, o, "weights", o->weights, &o->weights_count);
    lua_settop(L, 1);
    if (o->weights_count && !o->parameter_count)
        fault(L, "weights", "'weights' is for the gradients of parameters; there are none");
    o->kink = -1;
    const char *kink = text_field(L, 1, NULL, "kink", false, false);
    for (int i = 0; kink && i < o->backward_count; i++) {
        const Gives *g = &o->backward[i];
        if ((g->kind == GIVES_INPUTS && o->info.inputs_max == 1 && !strcmp(kink, "x")) || (g->kind == GIVES_RESULT && !strcmp(kink, "y"))
            || (g->kind == GIVES_KEPT && !strcmp(kink, o->keeps[g->index].name)))
            o->kink = i;
    }
    if (kink && o->kink < 0)
        fault(L, "kink", "'kink' must be \"x\" (of one input), \"y\" or something kept, and in 'backward'");
    return 0;
}

bool describe(Arena *a, Diag *d, Outside *o)
{
    Question q = { .box = { .arena = a, .what = "description" }, .arena = a, .diag = d, .o = o };
    return ask(&q, read_description);
}

/* ---- one operator of a model ---- */

Fact *outside_attrs(Arena *a, const Op *op)
{
    Fact *f = fact_table(a);
    for (int i = 0; i < op->attr_count; i++) {
        const Attr *x = &op->attrs[i];
        const char *name = x->spec->name;
        if (x->spec->type == ATTR_NAME || x->spec->type == ATTR_INIT || (!x->count && !x->word))
            continue;
        Fact *list = fact_table(a);
        switch (x->spec->type) {
        case ATTR_INT: fact_int(f, name, (int64_t)x->number[0]); break;
        case ATTR_REAL: fact_real(f, name, x->number[0]); break;
        case ATTR_BOOL: fact_bool(f, name, x->number[0] != 0); break;
        case ATTR_WORD: fact_text(f, name, x->word); break;
        default:
            for (int k = 0; k < (x->spec->type == ATTR_PAIR ? 2 : x->count); k++)
                fact_push_int(list, (int64_t)x->number[k < x->count ? k : 0]);
            fact_set(f, name, list);
        }
    }
    return f;
}

static Fact *value(Arena *a, const Shape *s)
{
    Fact *f = fact_table(a), *dims = fact_table(a);
    for (int i = 0; i < s->rank; i++)
        fact_push_int(dims, s->dim[i]);
    fact_set(f, "dims", dims);
    fact_int(f, "size", shape_count(s));
    fact_text(f, "shape", shape_text(a, s));
    return f;
}

/* Calls the function on top of the stack, popped, with `op`; its one result is then on top. */
static void call(lua_State *L, const Fact *op)
{
    sandbox_push(L, op);
    lua_call(L, 1, 1);
}

/* The list of sizes on top of the stack, popped. */
static Shape sizes(lua_State *L, const char *what, const char *word)
{
    Question *q = question_of(L);
    Shape s = { 0 };
    int list = lua_gettop(L);
    int64_t n = 1;
    if (!lua_istable(L, list))
        fault(L, word, "%s must be a list of sizes, not a %s", what, luaL_typename(L, list));
    for (lua_Integer i = 1; lua_pushinteger(L, i), sandbox_field(L, list, -1); i++, lua_settop(L, list)) {
        double v = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0.5;
        if (!(v >= 1 && v == floor(v)))
            fault(L, word, "%s must hold whole numbers from 1; place %d does not: 'refuse' is there for what does not fit", what, (int)i);
        if (s.rank == RANK_MAX)
            fault(L, word, "%s has more than %d sizes", what, RANK_MAX);
        s.dim[s.rank++] = (int64_t)(v < (double)ELEMENTS_MAX ? v : (double)ELEMENTS_MAX);
        if (n <= ELEMENTS_MAX)
            n *= s.dim[s.rank - 1];
    }
    lua_settop(L, list - 1);
    if (n <= ELEMENTS_MAX / 64)
        return s;
    q->refusal = arena_printf(q->arena, "%s %s has more than %lld elements", what, shape_text(q->arena, &s), (long long)(ELEMENTS_MAX / 64));
    lua_pushstring(L, q->refusal);
    lua_error(L);
    unreachable("lua_error");
}

/* The `shape` of row i of the list `key`. */
static Shape part_shape(lua_State *L, const char *key, int i, const char *name, const Fact *op)
{
    lua_getfield(L, 1, key);
    lua_rawgeti(L, -1, i + 1);
    lua_getfield(L, -1, "shape");
    call(L, op);
    Shape s = sizes(L, arena_printf(question_of(L)->arena, "the shape of '%s'", name), name);
    lua_settop(L, 1);
    return s;
}

static int ask_sizes(lua_State *L)
{
    Question *q = question_of(L);
    const Outside *o = q->o;
    Fact *op = fact_table(q->arena), *list = fact_table(q->arena);
    for (int i = 0; i < q->op->read_count; i++) {
        Fact *x = value(q->arena, &q->op->reads[i].tensor->shape);
        fact_push(list, x);
        if (i == 0)
            fact_set(op, "x", x);
    }
    fact_set(op, "inputs", list);
    fact_set(op, "attrs", outside_attrs(q->arena, q->op));
    open_description(L);
    lua_getfield(L, 1, "shape");
    call(L, op);
    q->told->y = sizes(L, "the shape of the result", "shape");
    fact_set(op, "y", value(q->arena, &q->told->y));
    for (int i = 0; i < o->parameter_count; i++)
        q->told->parameters[i] = part_shape(L, "parameters", i, o->parameters[i].name, op);
    for (int i = 0; i < o->keep_count; i++)
        q->told->keeps[i] = part_shape(L, "keeps", i, o->keeps[i].name, op);
    if (lua_getfield(L, 1, "multiply_adds") == LUA_TFUNCTION) {
        call(L, op);
        q->told->macs = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
        if (!(q->told->macs >= 0 && q->told->macs <= 1e18))
            fault(L, "multiply_adds", "'multiply_adds' must give a number from 0");
    }
    return 0;
}

const Told *describe_use(Model *m, const Op *op)
{
    Question q = { .box = { .arena = m->arena, .what = "description" }, .arena = m->arena, .diag = m->diag, .m = m, .op = op,
                   .o = (Outside *)(uintptr_t)outside_of(op->kind), .told = NEW(m->arena, Told) };
    return ask(&q, ask_sizes) ? q.told : NULL;
}
