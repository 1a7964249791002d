/* expr.c -- scalars become values: numbers, parameters ($name) and arithmetic.
 *
 * In: a scalar of the tree and the Scope of parameters.  Out: a Value, or an error at the exact column.
 * Whole numbers stay exact: an int is a whole number within 2^53, so its double is the same number.
 * Grammar, each level one function:   sum = product {+- product}   product = unary {* / // % unary}
 *                                     unary = {+-} atom            atom = number, $name, f(sum, ..), (sum)
 * Plain text is only arithmetic when it has a $, or when it is made of numbers, operators and functions
 * alone: `half-pixel` and `models/a.yaml` stay text. */
#define _POSIX_C_SOURCE 200809L
#include "spnc.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t MAX_WHOLE = (int64_t)1 << 53;
enum { MAX_DEPTH = 64 };                               /* of parentheses and signs: the parser recurses */

typedef struct {
    Arena *arena;
    Diag *diag;
    Scope *scope;
    const Yaml *scalar;
    const char *text, *at;     /* the whole text and how far it is read */
    int depth;
    bool exact;                /* columns of the text are columns of the file */
    const char *label;         /* "--set d=8: " when the text is not in the file, else "" */
} Parser;

static const char *const functions[] = { "floor", "ceil", "min", "max" };
enum { FLOOR, CEIL, MIN, MAX, FUNCTIONS };

static int characters(const char *s, const char *end)
{
    int n = 0;
    for (; s < end; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

/* The span [from, to) of the text as a place in the file. */
static Loc place(const Parser *p, const char *from, const char *to)
{
    Loc at = p->scalar->loc;
    if (!p->exact)
        return at;
    at.column += characters(p->text, from) + p->scalar->quoted;
    at.length = to > from ? characters(from, to) : 1;
    return at;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static const char *word_end(const char *s)
{
    while (is_word(*s))
        s++;
    return s;
}

static void skip_spaces(Parser *p)
{
    while (*p->at == ' ')
        p->at++;
}

/* The end of the unsigned number at s (3, .5, 2.5e-4), or NULL. */
static const char *number_end(const char *s)
{
    const char *from = s;
    while (isdigit((unsigned char)*s))
        s++;
    bool digits = s > from;
    if (*s == '.') {
        s++;
        digits |= isdigit((unsigned char)*s) != 0;
        while (isdigit((unsigned char)*s))
            s++;
    }
    if (!digits)
        return NULL;
    if (*s == 'e' || *s == 'E') {
        const char *e = s + 1 + (s[1] == '+' || s[1] == '-');
        if (isdigit((unsigned char)*e))
            for (s = e; isdigit((unsigned char)*s);)
                s++;
    }
    return is_word(*s) || *s == '.' ? NULL : s;
}

/* ---- values ---- */

/* Results at [from, to): whole ones keep within 2^53, the others are finite. */
static bool finish_whole(Parser *p, Value *v, int64_t i, const char *from, const char *to)
{
    if (i > MAX_WHOLE || i < -MAX_WHOLE) {
        diag_error(p->diag, place(p, from, to), "%sthis is beyond 2^53, the largest whole number here", p->label);
        return false;
    }
    v->kind = VALUE_INT;
    v->i = i;
    v->r = (double)i;
    return true;
}

static bool finish_real(Parser *p, Value *v, double r, const char *from, const char *to)
{
    if (!isfinite(r)) {
        diag_error(p->diag, place(p, from, to), "%sthis number is too large", p->label);
        return false;
    }
    v->kind = VALUE_REAL;
    v->i = 0;
    v->r = r;
    return true;
}

/* left = left op right; op is one of + - * / % and f for //. */
static bool combine(Parser *p, Value *left, char op, const Value *right, const char *sign, const char *from)
{
    double a = left->r, b = right->r, r;
    int64_t i = left->i, j = right->i;
    if (strchr("/f%", op) && b == 0) {
        diag_error(p->diag, place(p, sign, sign + (op == 'f' ? 2 : 1)), "%sdivision by zero", p->label);
        return false;
    }
    if (left->kind == VALUE_INT && right->kind == VALUE_INT && !(op == '/' && i % j != 0)) {
        int64_t k = INT64_MAX;    /* stays there when a product overflows, and is refused */
        switch (op) {
        case '+': k = i + j; break;
        case '-': k = i - j; break;
        case '*':
            if (__builtin_mul_overflow(i, j, &k))
                k = INT64_MAX;
            break;
        case '/': k = i / j; break;
        case 'f': k = i / j - (i % j != 0 && (i < 0) != (j < 0)); break;
        case '%': k = i % j + (i % j != 0 && (i < 0) != (j < 0) ? j : 0); break;
        default: unreachable("an operator without a rule");
        }
        return finish_whole(p, left, k, from, p->at);
    }
    switch (op) {
    case '+': r = a + b; break;
    case '-': r = a - b; break;
    case '*': r = a * b; break;
    case '/': r = a / b; break;
    case 'f': r = floor(a / b); break;
    case '%':    /* the rest that // leaves: it has the divisor's sign */
        r = fmod(a, b);
        if (r != 0 && (r < 0) != (b < 0))
            r += b;
        break;
    default: unreachable("an operator without a rule");
    }
    return finish_real(p, left, r, from, p->at);
}

/* ---- the grammar ---- */

static bool sum(Parser *p, Value *v);

static bool expected(Parser *p, const char *what)
{
    skip_spaces(p);
    const char *end = *p->at ? (is_word(*p->at) ? word_end(p->at) : p->at + 1) : p->at;
    while (((unsigned char)*end & 0xC0) == 0x80)
        end++;
    if (*p->at)
        diag_error(p->diag, place(p, p->at, end), "%sexpected %s, not '%.*s'", p->label, what, (int)(end - p->at), p->at);
    else
        diag_error(p->diag, place(p, p->at, p->at), "%sexpected %s at the end of '%s'", p->label, what, p->text);
    return false;
}

static bool take(Parser *p, char c)
{
    skip_spaces(p);
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

static Param *find_param(const Scope *scope, const char *name, size_t n)
{
    for (int i = 0; scope && i < scope->count; i++)
        if (strlen(scope->params[i].name) == n && memcmp(scope->params[i].name, name, n) == 0)
            return &scope->params[i];
    return NULL;
}

const Param *scope_param(const Scope *scope, const char *name) { return find_param(scope, name, strlen(name)); }

static const char *nearest_param(Arena *a, const Scope *scope, const char *name)
{
    if (!scope || scope->count == 0)
        return "; the model has no params";
    const char **names = NEW_ARRAY(a, const char *, scope->count);
    for (int i = 0; i < scope->count; i++)
        names[i] = scope->params[i].name;
    return diag_suggestion(a, name, names, scope->count);
}

/* $name.  Text is let through only when it is all there is. */
static bool parameter(Parser *p, Value *v)
{
    const char *from = p->at, *name = from + 1, *end = word_end(name);
    p->at = end;
    if (end == name || isdigit((unsigned char)*name)) {
        diag_error(p->diag, place(p, from, end), "%sa parameter's name must follow the '$'", p->label);
        return false;
    }
    Param *param = find_param(p->scope, name, (size_t)(end - name));
    if (!param) {
        const char *word = arena_copy(p->arena, name, (size_t)(end - name));
        diag_error(p->diag, place(p, from, end), "%sunknown parameter '%s'%s", p->label, word,
                   nearest_param(p->arena, p->scope, word));
        return false;
    }
    param->reads++;
    if (param->refused)
        return false;
    *v = param->value;
    if (v->kind != VALUE_TEXT)
        return true;
    const char *rest = end + strspn(end, " ");
    if (p->text + strspn(p->text, " ") == from && *rest == '\0')
        return true;
    diag_error(p->diag, place(p, from, end), "%s'%s' is the text '%s', and text cannot be reckoned with", p->label,
               param->name, v->text);
    diag_note(p->diag, param->loc, "'%s' is given here", param->name);
    return false;
}

static bool call(Parser *p, int function, const char *from, Value *v)
{
    Value other;
    if (!sum(p, v))
        return false;
    if (function == MIN || function == MAX) {
        if (!take(p, ','))
            return expected(p, "',' and a second value");
        if (!sum(p, &other))
            return false;
        if (function == MIN ? other.r < v->r : other.r > v->r)
            *v = other;
    }
    if (!take(p, ')'))
        return expected(p, "')'");
    if (function == MIN || function == MAX)
        return true;
    double r = function == FLOOR ? floor(v->r) : ceil(v->r);
    return finish_whole(p, v, fabs(r) < 1e18 ? (int64_t)r : INT64_MAX, from, p->at);
}

static bool atom(Parser *p, Value *v)
{
    skip_spaces(p);
    const char *from = p->at, *end = number_end(from);
    if (end) {
        bool whole = strspn(from, "0123456789") == (size_t)(end - from);
        p->at = end;
        return whole ? finish_whole(p, v, strtoll(from, NULL, 10), from, end)    /* it saturates */
                     : finish_real(p, v, strtod(from, NULL), from, end);
    }
    if (*from == '$')
        return parameter(p, v);
    if (*from == '(') {
        p->at++;
        if (!sum(p, v))
            return false;
        return take(p, ')') || expected(p, "')'");
    }
    end = word_end(from);
    for (int f = 0; f < FUNCTIONS; f++)
        if (strlen(functions[f]) == (size_t)(end - from) && memcmp(functions[f], from, (size_t)(end - from)) == 0) {
            p->at = end;
            return take(p, '(') ? call(p, f, from, v) : expected(p, "'('");
        }
    if (end > from && find_param(p->scope, from, (size_t)(end - from))) {
        diag_error(p->diag, place(p, from, end), "%sa parameter is written with '$': '$%.*s'", p->label, (int)(end - from), from);
        return false;
    }
    return expected(p, "a number, $name or '('");
}

static bool unary(Parser *p, Value *v)
{
    skip_spaces(p);
    const char *from = p->at;
    if (++p->depth > MAX_DEPTH) {
        diag_error(p->diag, place(p, from, from), "%sthis is nested more than %d deep", p->label, MAX_DEPTH);
        return false;
    }
    bool fine;
    if (*from == '-' || *from == '+') {
        p->at++;
        fine = unary(p, v);
        if (fine && *from == '-') {
            v->r = v->kind == VALUE_INT ? 0 - v->r : -v->r;    /* a whole zero has no sign */
            v->i = -v->i;
        }
    } else {
        fine = atom(p, v);
    }
    p->depth--;
    return fine;
}

static bool product(Parser *p, Value *v)
{
    skip_spaces(p);
    const char *from = p->at;
    if (!unary(p, v))
        return false;
    for (;;) {
        skip_spaces(p);
        const char *sign = p->at;
        char op = *sign;
        if (op != '*' && op != '/' && op != '%')
            return true;
        p->at++;
        if (op == '/' && *p->at == '/') {
            op = 'f';
            p->at++;
        }
        Value right;
        if (!unary(p, &right) || !combine(p, v, op, &right, sign, from))
            return false;
    }
}

static bool sum(Parser *p, Value *v)
{
    skip_spaces(p);
    const char *from = p->at;
    if (!product(p, v))
        return false;
    for (;;) {
        skip_spaces(p);
        const char *sign = p->at;
        if (*sign != '+' && *sign != '-')
            return true;
        p->at++;
        Value right;
        if (!product(p, &right) || !combine(p, v, *sign, &right, sign, from))
            return false;
    }
}

/* ---- scalars ---- */

/* True if a text without $ is arithmetic: it is a number, or has numbers and operators, and every word is a called
 * function or the name of a parameter (a missing $). */
static bool is_arithmetic(const char *s, const Scope *scope)
{
    const char *all = number_end(s);
    if (all && *all == '\0')
        return true;
    bool digits = false, operators = false;
    while (*s) {
        const char *number = number_end(s);
        if (number) {
            digits = true;
            s = number;
        } else if (is_word(*s)) {
            const char *end = word_end(s);
            bool known = find_param(scope, s, (size_t)(end - s)) != NULL;
            for (int f = 0; f < FUNCTIONS; f++)
                known |= strlen(functions[f]) == (size_t)(end - s) && memcmp(functions[f], s, (size_t)(end - s)) == 0
                      && end[strspn(end, " ")] == '(';
            if (!known)
                return false;
            s = end;
        } else if (strchr("+-*/%(), ", *s)) {
            operators |= *s != ' ' && *s != ',';
            s++;
        } else {
            return false;
        }
    }
    return digits && operators;
}

static bool evaluate(Parser *p, Value *out)
{
    const Yaml *scalar = p->scalar;
    *out = (Value){ .kind = VALUE_TEXT, .text = scalar->text };
    bool dollar = strchr(scalar->text, '$') != NULL;
    if (!dollar && (scalar->quoted || !is_arithmetic(scalar->text, p->scope)))
        return true;
    p->text = p->at = scalar->text;
    p->exact = scalar->loc.line > 0
            && scalar->loc.length == characters(p->text, p->text + strlen(p->text)) + 2 * scalar->quoted;
    Value v = { 0 };
    if (!sum(p, &v))
        return false;
    skip_spaces(p);
    if (*p->at)
        return expected(p, "an operator or the end");
    if (v.kind != VALUE_TEXT)
        v.text = scalar->text;
    *out = v;
    return true;
}

bool expr_value(Arena *a, Diag *d, Scope *scope, const Yaml *scalar, Value *out)
{
    *out = (Value){ .kind = VALUE_TEXT, .text = "" };
    if (scalar->kind != YAML_SCALAR) {
        diag_error(d, scalar->loc, "expected a value, not a %s", scalar->kind == YAML_LIST ? "list" : "map");
        return false;
    }
    Parser p = { .arena = a, .diag = d, .scope = scope, .scalar = scalar, .label = "" };
    return evaluate(&p, out);
}

/* ---- params ---- */

/* Applies `key=value` to its parameter, which has the file's value already. */
static bool override(Arena *a, Diag *d, Scope *scope, Param *param, const char *set)
{
    const char *value = strchr(set, '=') + 1;
    Yaml scalar = { .kind = YAML_SCALAR, .text = value };
    Parser p = { .arena = a, .diag = d, .scope = scope, .scalar = &scalar, .label = arena_printf(a, "--set %s: ", set) };
    Value v;
    if (!evaluate(&p, &v))
        return false;
    bool is_text = v.kind == VALUE_TEXT, wants_text = param->value.kind == VALUE_TEXT;
    if (is_text != wants_text || *value == '\0') {
        diag_error(d, (Loc){ 0 }, "--set %s: '%s' is %s, not %s", set, param->name,
                   wants_text ? "text" : "a number", *value == '\0' ? "empty" : is_text ? "text" : "a number");
        diag_note(d, param->loc, "'%s' is given here", param->name);
        return false;
    }
    param->value = v;
    param->set = true;
    param->set_text = set;
    return true;
}

static bool is_set_of(const char *set, const char *name)
{
    size_t n = strlen(name);
    return strncmp(set, name, n) == 0 && set[n] == '=';
}

bool expr_params(Arena *a, Diag *d, const Yaml *params, const char *const *sets, int set_count, Scope *out)
{
    *out = (Scope){ 0 };
    bool fine = true;
    if (params && params->kind != YAML_MAP) {
        diag_error(d, params->loc, "params is a map: { name: value, ... }");
        return false;
    }
    int count = params ? params->count : 0;
    if (count > PARAMS_MAX) {    /* a name is looked for among all before it */
        diag_error(d, params->keys[PARAMS_MAX]->loc, "a model has at most %d parameters", PARAMS_MAX);
        return false;
    }
    out->params = NEW_ARRAY(a, Param, count);
    for (int i = 0; i < count; i++) {
        const Yaml *key = params->keys[i], *item = params->items[i];
        Param *param = &out->params[out->count];
        bool good = true;
        *param = (Param){ .name = key->text, .loc = item->loc };
        if (isdigit((unsigned char)*key->text) || *word_end(key->text)) {
            diag_error(d, key->loc, "'%s' cannot be a parameter's name: letters, digits and '_' only, no digit first", key->text);
            fine = false;
        }
        if (item->kind == YAML_SCALAR && *item->text == '\0' && !item->quoted) {
            diag_error(d, key->loc, "the parameter '%s' has no value", key->text);
            good = false;
        } else if (!expr_value(a, d, out, item, &param->value)) {
            good = false;
        } else {
            for (int s = 0; s < set_count; s++)    /* here, so that later parameters see it; the last one wins */
                if (is_set_of(sets[s], key->text))
                    good &= override(a, d, out, param, sets[s]);
        }
        param->refused = !good;
        fine &= good;
        out->count++;
    }
    for (int s = 0; s < set_count; s++) {
        const char *equals = strchr(sets[s], '=');
        size_t n = equals ? (size_t)(equals - sets[s]) : 0;
        if (n == 0) {
            diag_error(d, (Loc){ 0 }, "--set %s: write --set name=value", sets[s]);
            fine = false;
        } else if (!find_param(out, sets[s], n)) {
            const char *name = arena_copy(a, sets[s], n);
            diag_error(d, (Loc){ 0 }, "--set %s: unknown parameter '%s'%s", sets[s], name, nearest_param(a, out, name));
            if (strncmp(name, "train.", 6) == 0)
                diag_note(d, (Loc){ 0 }, "settings of training belong to the program that is built: NAME train --set %s", sets[s]);
            fine = false;
        }
    }
    return fine;
}
