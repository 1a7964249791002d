/* describe.c -- reads the description of an operator from outside: NAME.op.lua, Lua that returns one table.
 *
 * In: its text.  Out: an Outside (describe), and for each use in a model the sizes that follow from attributes and inputs (describe_use).
 * The one convention: every name that this file returns is a checked identifier, every text printable ASCII. */
#include "graph/attr.h"
#include "outside/question.h"
#include "read/language.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* ---- fields ---- */

/* Pushes the field of the table at `t`: a value of that type, or nil if it may be missing.  `owner`: the row's name; NULL: the description itself. */
static bool field(lua_State *L, int t, const char *owner, const char *key, int type, bool needed)
{
    int got = lua_getfield(L, t, key);
    if (got == LUA_TNIL && !needed)
        return false;
    if (got == LUA_TNIL)
        question_fault(L, owner ? owner : "return", "%s%s%s has no '%s'", owner ? "'" : "the ", owner ? owner : "description", owner ? "'" : "", key);
    if (got != type)
        question_fault(L, owner ? owner : key, "'%s' must be a %s, not a %s", key, lua_typename(L, type), lua_typename(L, got));
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
            question_fault(L, word, lines ? "'%s' must be printable ASCII" : "'%s' must be one line of printable ASCII", key);
    if (n == 0 || n > 1000)
        question_fault(L, word, "'%s' must be a text of 1 to 1000 characters", key);
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
            question_fault(L, owner ? owner : "return", "%s takes fields with names only", owner ? owner : "the description");
        const char *key = lua_tostring(L, -2);
        bool found = false;
        for (int i = 0; i < count; i++)
            found = found || strcmp(known[i], key) == 0;
        if (!found)
            question_fault(L, key, "unknown field '%s' in %s%s", key, owner ? owner : "the description", diag_suggestion(question_of(L)->arena, key, known, count));
    }
}

/* An identifier of the field `key`: it may become part of a C name, and is reported like names of a model. */
static const char *name_field(lua_State *L, int t, const char *owner, const char *key)
{
    Question *q = question_of(L);
    const char *name = text_field(L, t, owner, key, true, false);
    if (name_check(&(Model){ .arena = q->arena, .diag = q->diag }, description_place(&q->o->source, name), name))
        return name;
    question_end(L);
}

/* The rows of the list `key`, one at a time: pushes row i (from 1) as a table at a new top; false at the end. */
static bool row(lua_State *L, int list, const char *key, int i, int most)
{
    int n = (int)lua_rawlen(L, list);
    if (n > most)
        question_fault(L, key, "'%s' has %d rows; %d is the most", key, n, most);
    if (i > n)
        return false;
    if (lua_rawgeti(L, list, i) != LUA_TTABLE)
        question_fault(L, key, "'%s' must be a list of tables: { { name = \"...\", ... } }", key);
    return true;
}

/* ---- attributes ---- */

static const struct { const char *word; AttrType type; bool number; } types[] = {
    { "int", ATTR_INT, true }, { "real", ATTR_REAL, true }, { "bool", ATTR_BOOL, false }, { "word", ATTR_WORD, false },
    { "pair", ATTR_PAIR, true }, { "shape", ATTR_SHAPE, true }, { "list", ATTR_SHAPE, true }, { "pairs", ATTR_PAIRS, true }, { "init", ATTR_INIT, false },
    { "act", ATTR_ACT, false },
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
    const InitSpec *i = initialiser_named(word);
    return i && !i->units ? i : NULL;
}

static double bound(lua_State *L, int t, const char *name, const char *key, bool whole)
{
    field(L, t, name, key, LUA_TNUMBER, true);
    double v = lua_tonumber(L, -1);
    if (!(fabs(v) <= 9e15) || (whole && v != floor(v)))
        question_fault(L, name, "'%s' of '%s' must be %s number of at most 9e15 in size", key, name, whole ? "a whole" : "a");
    lua_pop(L, 1);
    return v;
}

/* The default as YAML text; it is parsed as in a model. */
static const char *fallback(lua_State *L, int t, const AttrSpec *s)
{
    Question *q = question_of(L);
    int type = lua_getfield(L, t, "default");
    const char *text = NULL;
    char number[40];
    bool good = type == LUA_TNIL;
    if (type == LUA_TNUMBER && (s->type == ATTR_INT || s->type == ATTR_REAL || s->type == ATTR_PAIR || s->type == ATTR_SHAPE || s->type == ATTR_PAIRS)) {
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
        question_fault(L, s->name, "the default of '%s' is no value that it may have", s->name);
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
        question_fault(L, "name", "'name' is an attribute of every layer: it needs no row");
    for (const AttrSpec *other = o->attrs; other < s; other++)
        if (!strcmp(other->name, s->name))
            question_fault(L, s->name, "there are two attributes '%s'", s->name);
    s->help = text_field(L, t, s->name, "help", true, false);
    const char *type = text_field(L, t, s->name, "type", true, false);
    bool number = false, found = false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].word, type))
            s->type = types[i].type, number = types[i].number, found = true;
    if (!found)
        question_fault(L, s->name, "the type of '%s' must be int, real, bool, word, pair, shape, list, pairs, init or act, not '%s'", s->name, type);
    if (number) {
        s->low = bound(L, t, s->name, "min", s->type != ATTR_REAL);
        s->high = bound(L, t, s->name, "max", s->type != ATTR_REAL);
        if (s->low > s->high || ((s->type == ATTR_PAIR || !strcmp(type, "shape")) && s->low < 0))
            question_fault(L, s->name, "the bounds of '%s' leave no value", s->name);
    }
    if (s->type == ATTR_WORD) {
        field(L, t, s->name, "choices", LUA_TTABLE, true);
        int n = (int)lua_rawlen(L, -1);
        if (n < 1 || n > 16)
            question_fault(L, s->name, "'%s' needs 1 to 16 choices", s->name);
        Text words = { .arena = a };
        for (int i = 1; i <= n; i++, lua_pop(L, 1)) {
            const char *w = lua_rawgeti(L, -1, i) == LUA_TSTRING ? lua_tostring(L, -1) : "";
            if (!is_word(w))
                question_fault(L, s->name, "the choices of '%s' must be words of letters, digits and _", s->name);
            text_printf(&words, "%s%s", i > 1 ? " " : "", w);
        }
        s->choices = words.text;
        lua_pop(L, 1);
    }
    if (s->type == ATTR_ACT && strcmp(s->name, "act"))
        question_fault(L, s->name, "an attribute of the type act is called act, not '%s'", s->name);
    s->fallback = fallback(L, t, s);
    if (s->type == ATTR_ACT && !s->fallback)
        s->fallback = "linear";
    if (flag_field(L, t, s->name, "optional")) {
        if (s->fallback)
            question_fault(L, s->name, "'%s' has a default: it is not optional", s->name);
        s->fallback = "";
    }
}

/* ---- parameters, kept tensors, operands of backward ---- */

static void part(lua_State *L, int t, const Outside *o, const char *list, const Part *first, Part *p, bool parameter)
{
    static const char *const known[] = { "name", "shape", NULL }, *const known_parameter[] = { "name", "shape", "init", "present", NULL };
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
        question_fault(L, p->name, "'%s' means something else already", p->name);
    if (!parameter)
        return;
    p->present_by = text_field(L, t, p->name, "present", false, false);
    bool flag = !p->present_by;
    for (const AttrSpec *s = o->attrs; s->name; s++)
        flag = flag || (s->type == ATTR_BOOL && s->fallback && *s->fallback && !strcmp(s->name, p->present_by));
    if (!flag)
        question_fault(L, p->name, "'present' of '%s' must be the name of an attribute of type bool with a default", p->name);
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
        question_fault(L, p->name, "the 'init' of '%s' must be an initialiser, such as \"ones\" or { normal = 0.1 }, or an attribute of type init", p->name);
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
        else if (word[0] == 'x' && word[1] >= '1' && word[1] <= '9' && word[1] <= '0' + o->info.inputs_min && !word[2])
            g = (Gives){ GIVES_INPUT, word[1] - '1' };
        else if (!strcmp(word, "y"))
            g.kind = GIVES_RESULT;
        else if (find_part(o->keeps, o->keep_count, word, &g.index))
            g.kind = GIVES_KEPT;
        else if (find_part(o->parameters, o->parameter_count, word, &g.index) && !strcmp(key, "backward"))
            g.kind = GIVES_PARAMETER;
        else
            question_fault(L, key, "'%s' may hold \"x\" (\"x1\" to \"x%d\"), \"y\", what is kept%s; not '%s'", key, o->info.inputs_min,
                  !strcmp(key, "backward") ? ", and parameters" : "", is_word(word) ? word : "anything else");
        if (parameters && g.kind != GIVES_PARAMETER)
            question_fault(L, key, "the parameters stand last in '%s', as the function takes them", key);
        parameters = g.kind == GIVES_PARAMETER;
        given += g.kind == GIVES_INPUTS ? o->info.inputs_max : 1;
        for (int k = 0; k < *count; k++)
            if (list[k].kind == g.kind && list[k].index == g.index)
                question_fault(L, key, "'%s' holds '%s' twice", key, word);
        if (given > READS_MOST)
            question_fault(L, key, "'%s' holds more than %d values", key, READS_MOST);
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
        question_fault(L, "inputs", "'inputs' must be a number from 1 to %d, or { least, most }", INPUTS_MOST);
    info->inputs_min = (int)low, info->inputs_max = (int)high;
    info->layer = info->inputs_min == 1;
    lua_pop(L, 1);
}

static int read_description(lua_State *L)
{
    static const char *const known[] = { "about", "equation", "shapes", "example", "inputs", "attributes", "main", "flat", "shape", "parameters", "keeps",
                                         "backward", "weights", "kink", "choice", "whole", "facts", "multiply_adds", "version", NULL };
    static const AttrSpec name = { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" };
    Outside *o = question_of(L)->o;
    question_open(L);
    keys_known(L, 1, NULL, known);
    o->help.about = text_field(L, 1, NULL, "about", true, false);
    o->info.equation = text_field(L, 1, NULL, "equation", true, false);
    o->help.shapes = text_field(L, 1, NULL, "shapes", true, false);
    o->help.example = text_field(L, 1, NULL, "example", false, true);
    o->info.arguments = flag_field(L, 1, NULL, "flat") ? "f:f" : "t:t";
    o->whole = flag_field(L, 1, NULL, "whole");
    inputs(L, &o->info);
    field(L, 1, NULL, "shape", LUA_TFUNCTION, true);
    field(L, 1, NULL, "multiply_adds", LUA_TFUNCTION, false);
    field(L, 1, NULL, "facts", LUA_TFUNCTION, false);
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
        question_fault(L, "main", "'main' must be the name of an attribute");
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
        question_fault(L, "weights", "'weights' is for the gradients of parameters; there are none");
    if (o->builtin)
        o->version = (int)bound(L, 1, "version", "version", true);
    o->kink = -1;
    const char *kink = text_field(L, 1, NULL, "kink", false, false);
    for (int i = 0; kink && i < o->backward_count; i++) {
        const Gives *g = &o->backward[i];
        if ((g->kind == GIVES_INPUTS && o->info.inputs_max == 1 && !strcmp(kink, "x")) || (g->kind == GIVES_RESULT && !strcmp(kink, "y"))
            || (g->kind == GIVES_KEPT && !strcmp(kink, o->keeps[g->index].name)))
            o->kink = i;
    }
    o->choice = -1;
    const char *choice = text_field(L, 1, NULL, "choice", false, false);
    if (choice && !find_part(o->keeps, o->keep_count, choice, &o->choice))
        question_fault(L, "choice", "'choice' must be something kept");
    if (kink && o->kink < 0)
        question_fault(L, "kink", "'kink' must be \"x\" (of one input), \"y\" or something kept, and in 'backward'");
    return 0;
}

bool describe(Arena *a, Diag *d, Outside *o)
{
    Question q = { .box = { .arena = a, .what = "description" }, .arena = a, .diag = d, .o = o };
    return question_ask(&q, read_description);
}

/* ---- one operator of a model ---- */

bool outside_present(const Op *op, const Part *p)
{
    return !p->present_by || op_attr(op, p->present_by)->number[0] != 0;
}

/* A single number as it is; else an item { before, after } for each axis. */
static void pairs(Arena *a, Fact *f, const Attr *x)
{
    Fact *list = fact_table(a);
    if (x->count == 1) {
        fact_int(f, x->spec->name, (int64_t)x->number[0]);
        return;
    }
    for (int k = 0; k < x->count; k += 2) {
        Fact *pair = fact_table(a);
        fact_push_int(pair, (int64_t)x->number[k]);
        fact_push_int(pair, (int64_t)x->number[k + 1]);
        fact_push(list, pair);
    }
    fact_set(f, x->spec->name, list);
}

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
        case ATTR_WORD: case ATTR_ACT: fact_text(f, name, x->word); break;
        case ATTR_PAIRS: pairs(a, f, x); break;
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
        question_fault(L, word, "%s must be a list of sizes, not a %s", what, luaL_typename(L, list));
    for (lua_Integer i = 1; lua_pushinteger(L, i), sandbox_field(L, list, -1); i++, lua_settop(L, list)) {
        double v = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0.5;
        if (!(v >= 1 && v == floor(v)))
            question_fault(L, word, "%s must hold whole numbers from 1; place %d does not: 'refuse' is there for what does not fit", what, (int)i);
        if (s.rank == RANK_MAX)
            question_fault(L, word, "%s has more than %d sizes", what, RANK_MAX);
        s.dim[s.rank++] = (int64_t)(v < (double)ELEMENTS_MAX ? v : (double)ELEMENTS_MAX);
        if (n <= ELEMENTS_MAX)
            n *= s.dim[s.rank - 1];
    }
    lua_settop(L, list - 1);
    if (n <= ELEMENTS_MAX / 64)
        return s;
    question_refuse(L, arena_printf(q->arena, "%s %s has more than %lld elements", what, shape_text(q->arena, &s), (long long)(ELEMENTS_MAX / 64)));
}

/* The `shape` of row i of the list `key`. */
static Shape part_shape(lua_State *L, const char *key, int i, const char *name, const Fact *op)
{
    lua_getfield(L, 1, key);                            /* lua_geti: a function of the description may have changed its own table */
    lua_geti(L, -1, i + 1);
    lua_getfield(L, -1, "shape");
    call(L, op);
    Shape s = sizes(L, arena_printf(question_of(L)->arena, "the shape of '%s'", name), name);
    lua_settop(L, 1);
    return s;
}

/* The number or truth value on top of the stack, popped, as the fact `key` of f; key NULL: a whole number, as its next item.  False: it is neither. */
static bool plain_fact(lua_State *L, Fact *f, const char *key)
{
    int type = lua_type(L, -1);
    double v = type == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    bool whole = type == LUA_TNUMBER && v == floor(v) && fabs(v) <= 9e15, good = whole || (key && (type == LUA_TBOOLEAN || (type == LUA_TNUMBER && isfinite(v))));
    if (whole && key)
        fact_int(f, key, (int64_t)v);
    else if (whole)
        fact_push_int(f, (int64_t)v);
    else if (good && type == LUA_TNUMBER)
        fact_real(f, key, v);
    else if (good)
        fact_bool(f, key, lua_toboolean(L, -1));
    lua_pop(L, 1);
    return good;
}

/* The list on top of the stack, popped, as the fact `key` of f. */
static bool list_fact(lua_State *L, Fact *f, const char *key)
{
    Fact *items = fact_table(question_of(L)->arena);
    int list = lua_gettop(L);
    bool good = true;
    for (lua_Integer k = 1; good && (lua_pushinteger(L, k), sandbox_field(L, list, -1)); k++, lua_settop(L, list))
        good = k <= 4096 && plain_fact(L, items, NULL);
    lua_settop(L, list - 1);
    fact_set(f, key, items);
    return good;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The table that `facts` returned, on top of the stack, popped; in the order of its names, for Lua has none. */
static Fact *facts(lua_State *L)
{
    enum { MOST = 64 };
    Question *q = question_of(L);
    Fact *f = fact_table(q->arena);
    const char *names[MOST];
    int count = 0, table = lua_gettop(L);
    if (!lua_istable(L, table) || sandbox_fact(L, table))
        question_fault(L, "facts", "'facts' must return a table: { rows = 3, ... }");
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || !is_word(lua_tostring(L, -2)) || count == MOST)
            question_fault(L, "facts", "'facts' takes at most %d fields, named by words of letters, digits and _", MOST);
        names[count++] = arena_copy(q->arena, lua_tostring(L, -2), strlen(lua_tostring(L, -2)));
    }
    if (count)
        qsort(names, (size_t)count, sizeof *names, by_text);
    for (int i = 0; i < count; i++) {
        bool list = lua_getfield(L, table, names[i]) == LUA_TTABLE;
        if (!(list ? list_fact(L, f, names[i]) : plain_fact(L, f, names[i])))
            question_fault(L, names[i], "the fact '%s' must be a number, a truth value, or a list of at most 4096 whole numbers", names[i]);
    }
    lua_settop(L, table - 1);
    return f;
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
    question_open(L);
    lua_getfield(L, 1, "shape");
    call(L, op);
    q->told->y = sizes(L, "the shape of the result", "shape");
    fact_set(op, "y", value(q->arena, &q->told->y));
    for (int i = 0; i < o->parameter_count; i++)
        if (outside_present(q->op, &o->parameters[i]))
            q->told->parameters[i] = part_shape(L, "parameters", i, o->parameters[i].name, op);
    for (int i = 0; i < o->keep_count; i++)
        q->told->keeps[i] = part_shape(L, "keeps", i, o->keeps[i].name, op);
    q->told->facts = fact_table(q->arena);
    if (lua_getfield(L, 1, "facts") == LUA_TFUNCTION) {
        call(L, op);
        q->told->facts = facts(L);
    }
    if (lua_getfield(L, 1, "multiply_adds") == LUA_TFUNCTION) {
        call(L, op);
        q->told->macs = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
        if (!(q->told->macs >= 0 && q->told->macs <= 1e18))
            question_fault(L, "multiply_adds", "'multiply_adds' must give a number from 0");
    }
    return 0;
}

const Told *describe_use(Model *m, const Op *op)
{
    Question q = { .box = { .arena = m->arena, .what = "description" }, .arena = m->arena, .diag = m->diag, .m = m, .op = op,
                   .o = (Outside *)(uintptr_t)outside_of(op->kind), .told = NEW(m->arena, Told) };
    return question_ask(&q, ask_sizes) ? q.told : NULL;
}
