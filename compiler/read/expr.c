/* expr.c -- scalars become values: numbers, parameters ($name) and arithmetic; and conditions of them.
 *
 * In: a scalar and the Scope of parameters; for formulas, the trees of syntax.c.  Out: a Value, or an error at the exact column.
 * Whole numbers stay exact: an int is a whole number within 2^53, so its double is the same number.
 * Plain text is only arithmetic when it has a $, or when it is made of numbers, operators and functions
 * alone: `half-pixel` and `models/a.yaml` stay text.  Powers are those of rmath.h: the same on every machine. */
#define _POSIX_C_SOURCE 200809L
#include "read/expr.h"
#include "rmath.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t MAX_WHOLE = (int64_t)1 << 53;

/* ---- values ---- */

/* Results of a node: whole ones keep within 2^53, the others are finite. */
static bool finish_whole(const Reckoner *r, const Syntax *n, Value *v, int64_t i)
{
    if (i > MAX_WHOLE || i < -MAX_WHOLE) {
        diag_error(r->diag, syntax_at(n), "%sthis is beyond 2^53, the largest whole number here", n->of->label);
        return false;
    }
    v->kind = VALUE_INT;
    v->i = i;
    v->r = (double)i;
    return true;
}

static bool finish_real(const Reckoner *r, const Syntax *n, Value *v, double x)
{
    if (!isfinite(x)) {
        diag_error(r->diag, syntax_at(n), isnan(x) ? "%sthis is no number" : "%sthis number is too large", n->of->label);
        return false;
    }
    v->kind = VALUE_REAL;
    v->i = 0;
    v->r = x;
    return true;
}

static bool is(const Syntax *n, const char *word) { return strcmp(n->word, word) == 0; }

static bool is_comparison(const Syntax *n)
{
    return n->kind == SYNTAX_PAIR && (*n->word == '<' || *n->word == '>' || is(n, "==") || is(n, "!="));
}

static bool is_logic(const Syntax *n) { return n->kind == SYNTAX_PAIR && (is(n, "and") || is(n, "or")); }

static bool compare(const Syntax *n, double a, double b)
{
    bool equal = n->word[1] == '=';
    switch (n->word[0]) {
    case '<': return a < b || (equal && a == b);
    case '>': return a > b || (equal && a == b);
    case '=': return a == b;
    case '!': return a != b;
    default: unreachable("a comparison without a rule");
    }
}

/* i to the power of j, j >= 0; INT64_MAX beyond 2^53. */
static int64_t whole_power(int64_t i, int64_t j)
{
    int64_t k = 1;
    if (j > 0 && (i == 0 || i == 1 || i == -1))
        return i == -1 && j % 2 == 0 ? 1 : i;
    for (; j > 0; j--)
        if (__builtin_mul_overflow(k, i, &k) || k > MAX_WHOLE || k < -MAX_WHOLE)
            return INT64_MAX;
    return k;
}

/* The same for whole numbers; what does not come out whole is left to `combine_reals`. */
static bool combine_wholes(const Reckoner *r, const Syntax *n, Value *left, int64_t i, int64_t j)
{
    int64_t k = INT64_MAX;    /* stays there when a product overflows, and is refused */
    if (is(n, "+"))
        k = i + j;
    else if (is(n, "-"))
        k = i - j;
    else if (is(n, "*") && __builtin_mul_overflow(i, j, &k))
        k = INT64_MAX;
    else if (is(n, "/"))
        k = i / j;
    else if (is(n, "//"))
        k = i / j - (i % j != 0 && (i < 0) != (j < 0));
    else if (is(n, "%"))
        k = i % j + (i % j != 0 && (i < 0) != (j < 0) ? j : 0);
    else if (is(n, "**"))
        k = whole_power(i, j);
    return finish_whole(r, n, left, k);
}

static double combine_reals(const Syntax *n, double a, double b)
{
    if (is(n, "+"))
        return a + b;
    if (is(n, "-"))
        return a - b;
    if (is(n, "*"))
        return a * b;
    if (is(n, "/"))
        return a / b;
    if (is(n, "//"))
        return floor(a / b);
    if (is(n, "**"))
        return b == 0.5 ? sqrt(a) : d_pow(a, b);
    double rest = fmod(a, b);    /* what // leaves: it has the divisor's sign */
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/* left = left OP right, of the pair n. */
static bool combine(const Reckoner *r, const Syntax *n, Value *left, const Value *right)
{
    if (is_comparison(n))
        return finish_whole(r, n, left, compare(n, left->r, right->r));
    bool divides = is(n, "/") || is(n, "//") || is(n, "%"), power = is(n, "**");
    if ((divides && right->r == 0) || (power && left->r == 0 && right->r < 0)) {
        diag_error(r->diag, syntax_sign(n), "%sdivision by zero", n->of->label);
        return false;
    }
    bool whole = left->kind == VALUE_INT && right->kind == VALUE_INT;
    if (whole && !(is(n, "/") && left->i % right->i != 0) && !(power && right->i < 0))
        return combine_wholes(r, n, left, left->i, right->i);
    return finish_real(r, n, left, combine_reals(n, left->r, right->r));
}

/* ---- parameters and steps ---- */

static const char *nearest_param(Arena *a, const Scope *scope, const char *name)
{
    if (!scope || scope->count == 0)
        return "; the model has no params";
    const char **names = NEW_ARRAY(a, const char *, scope->count);
    for (int i = 0; i < scope->count; i++)
        names[i] = scope->params[i].name;
    return diag_suggestion(a, name, names, scope->count);
}

/* The number of the step that `$word` is, or -1: a parameter of that name comes first. */
static int step_of(const Reckoner *r, const Syntax *n)
{
    if (n->kind != SYNTAX_PARAM || scope_find(r->scope, n->word, strlen(n->word)))
        return -1;
    for (int i = 0; i < r->step_count; i++)
        if (is(n, r->steps[i]))
            return i;
    return -1;
}

/* The parameter of a node; NULL after reporting, and where a message about it has been printed already. */
static Param *param_of(const Reckoner *r, const Syntax *n)
{
    Param *param = scope_find(r->scope, n->word, strlen(n->word));
    if (!param && is(n, "t")) {
        diag_error(r->diag, syntax_at(n), "%s$t is the step of a repeat: it stands inside of one, in formulas and in a slice's index, from and to", n->of->label);
        return NULL;
    }
    if (!param) {
        diag_error(r->diag, syntax_at(n), "%sunknown parameter '%s'%s", n->of->label, n->word, nearest_param(r->arena, r->scope, n->word));
        return NULL;
    }
    param->reads++;
    return param->refused ? NULL : param;
}

static bool parameter(const Reckoner *r, const Syntax *n, Value *v)
{
    int step = step_of(r, n);
    if (step >= 0)
        return finish_whole(r, n, v, r->step_values[step]);
    const Param *param = param_of(r, n);
    if (!param)
        return false;
    *v = param->value;
    if (v->kind != VALUE_TEXT)
        return true;
    diag_error(r->diag, syntax_at(n), "%s'%s' is the text '%s', and text cannot be reckoned with", n->of->label, param->name, v->text);
    diag_note(r->diag, param->loc, "'%s' is given here", param->name);
    return false;
}

/* ---- trees ---- */

static bool holds(const Reckoner *r, const Syntax *n, bool *yes);

static bool call(const Reckoner *r, const Syntax *n, Value *v)
{
    Value x[3] = { { 0 } };
    double number[3] = { 0 };
    for (int i = 0; i < n->count && i < 3; i++) {
        if (!expr_number(r, n->items[i], &x[i]))
            return false;
        number[i] = x[i].r;
    }
    if (n->count == 2 && (is(n, "min") || is(n, "max"))) {
        *v = (is(n, "min") ? x[1].r < x[0].r : x[1].r > x[0].r) ? x[1] : x[0];
        return true;
    }
    if (n->count == 1 && (is(n, "floor") || is(n, "ceil"))) {
        double whole = is(n, "floor") ? floor(number[0]) : ceil(number[0]);
        return finish_whole(r, n, v, fabs(whole) < 1e18 ? (int64_t)whole : INT64_MAX);
    }
    double result;
    if (!r->function)
        unreachable("a function that no parameter has");
    return r->function(r->context, n, number, &result) && finish_real(r, n, v, result);
}

/* A node that is no pair. */
static bool single(const Reckoner *r, const Syntax *n, Value *v)
{
    bool whole;
    switch (n->kind) {
    case SYNTAX_NUMBER:
        whole = n->word[strspn(n->word, "0123456789")] == '\0';
        return whole ? finish_whole(r, n, v, strtoll(n->word, NULL, 10))    /* it saturates */
                     : finish_real(r, n, v, strtod(n->word, NULL));
    case SYNTAX_PARAM: return parameter(r, n, v);
    case SYNTAX_CALL: return call(r, n, v);
    case SYNTAX_SIGN:
        if (is(n, "not")) {
            bool yes;
            return holds(r, n->items[0], &yes) && finish_whole(r, n, v, !yes);
        }
        if (!expr_number(r, n->items[0], v))
            return false;
        if (is(n, "-")) {
            v->r = v->kind == VALUE_INT ? 0 - v->r : -v->r;    /* a whole zero has no sign */
            v->i = -v->i;
        }
        return true;
    default:
        diag_error(r->diag, syntax_at(n), "%s'%s' is no number%s%s", n->of->label, n->word,
                   scope_find(r->scope, n->word, strlen(n->word)) ? ": the parameter is written $" : "",
                   scope_find(r->scope, n->word, strlen(n->word)) ? n->word : "");
        return false;
    }
}

/* The pairs on the way from n to its first operand, which is returned: *chain has the outermost first. */
static const Syntax *left_chain(Arena *a, const Syntax *n, const Syntax *const **chain, int *count)
{
    int pairs = 0;
    for (const Syntax *s = n; s->kind == SYNTAX_PAIR; s = s->items[0])
        pairs++;
    const Syntax **found = pairs ? NEW_ARRAY(a, const Syntax *, pairs) : NULL;
    for (int i = 0; i < pairs; i++, n = n->items[0])
        found[i] = n;
    *chain = found;
    *count = pairs;
    return n;
}

bool expr_number(const Reckoner *r, const Syntax *n, Value *v)
{
    const Syntax *const *chain;
    int count;
    const Syntax *first = left_chain(r->arena, n, &chain, &count);
    for (int i = 0; i < count; i++)
        if (is_logic(chain[i])) {
            bool yes;
            return holds(r, n, &yes) && finish_whole(r, n, v, yes);
        }
    if (!single(r, first, v))
        return false;
    while (count-- > 0) {
        Value right;
        if (!expr_number(r, chain[count]->items[1], &right) || !combine(r, chain[count], v, &right))
            return false;
    }
    return true;
}

bool expr_is_number(const Reckoner *r, const Syntax *n, bool *stepped)
{
    for (; n->kind == SYNTAX_PAIR; n = n->items[0])
        if (!expr_is_number(r, n->items[1], stepped))
            return false;
    if (n->kind == SYNTAX_WORD || n->kind == SYNTAX_SLICE)
        return false;
    *stepped |= step_of(r, n) >= 0;
    for (int i = 0; i < n->count; i++)
        if (!expr_is_number(r, n->items[i], stepped))
            return false;
    return true;
}

/* ---- a * step + b ---- */

static bool not_linear(const Reckoner *r, const Syntax *n)
{
    diag_error(r->diag, syntax_at(n), "%san index is a whole number or a * $%s + b%s", n->of->label,
               r->step_count ? r->steps[0] : "t", r->step_count == 0 ? ", with $t inside a repeat" : "");
    return false;
}

static int repeat_of(const Reckoner *r, int step) { return r->step_repeats ? r->step_repeats[step] : step; }

/* repeat -1: no step has been read yet. */
static bool linear(const Reckoner *r, const Syntax *n, int *repeat, int64_t *a, int64_t *b)
{
    int64_t c, d;
    bool stepped = false, numbers = expr_is_number(r, n, &stepped);
    if (numbers && !stepped) {
        Value v;
        if (!expr_number(r, n, &v))
            return false;
        *a = 0;
        *b = v.i;
        return v.kind == VALUE_INT || not_linear(r, n);
    }
    if (numbers && step_of(r, n) >= 0) {
        const int of = repeat_of(r, step_of(r, n));
        if (*repeat >= 0 && *repeat != of) {
            diag_error(r->diag, syntax_at(n), "%san index moves with the step of one repeat, not of two", n->of->label);
            return false;
        }
        *repeat = of;
        *a = 1;
        *b = 0;
        return true;
    }
    if (numbers && n->kind == SYNTAX_SIGN) {
        if (!linear(r, n->items[0], repeat, a, b))
            return false;
        *a = is(n, "-") ? -*a : *a;
        *b = is(n, "-") ? -*b : *b;
        return true;
    }
    if (!numbers || n->kind != SYNTAX_PAIR || strchr("+-*", n->word[0]) == NULL || n->word[1])
        return not_linear(r, n);
    if (!linear(r, n->items[0], repeat, a, b) || !linear(r, n->items[1], repeat, &c, &d))
        return false;
    if (is(n, "*") && *a != 0 && c != 0)
        return not_linear(r, n);
    bool beyond;
    int64_t by = *a == 0 ? *b : d, slope = *a == 0 ? c : *a, start = *a == 0 ? d : *b;
    if (is(n, "*"))
        beyond = (int)__builtin_mul_overflow(by, slope, a) | (int)__builtin_mul_overflow(by, start, b);
    else if (is(n, "+"))
        beyond = (int)__builtin_add_overflow(*a, c, a) | (int)__builtin_add_overflow(*b, d, b);
    else
        beyond = (int)__builtin_sub_overflow(*a, c, a) | (int)__builtin_sub_overflow(*b, d, b);
    Value v;
    return finish_whole(r, n, &v, beyond ? INT64_MAX : *a) && finish_whole(r, n, &v, *b);
}

bool expr_linear(const Reckoner *r, const Syntax *n, int *repeat, int64_t *a, int64_t *b)
{
    int of = -1;
    if (!linear(r, n, &of, a, b))
        return false;
    if (*a)
        *repeat = of;
    return true;
}

bool expr_index(const Reckoner *r, const Yaml *scalar, int *repeat, int64_t *a, int64_t *b)
{
    const Syntax *n = syntax_read(r->arena, r->diag, r->scope, scalar, SYNTAX_PARAMETER, "");
    return n && expr_linear(r, n, repeat, a, b);
}

/* ---- conditions ---- */

/* Looks up each parameter below n, so that a wrong name is found behind a decided `and` too. */
static bool params_are_there(const Reckoner *r, const Syntax *n)
{
    bool fine = true;
    for (; n->kind == SYNTAX_PAIR; n = n->items[0])
        fine &= params_are_there(r, n->items[1]);
    if (n->kind == SYNTAX_PARAM)
        fine &= param_of(r, n) != NULL;
    for (int i = 0; i < n->count; i++)
        fine &= params_are_there(r, n->items[i]);
    return fine;
}

/* The word that an operand of a comparison is; NULL: it is a number, or will be refused as one. */
static const char *word_of(const Reckoner *r, const Syntax *n)
{
    if (n->kind == SYNTAX_WORD)
        return n->word;
    const Param *param = n->kind == SYNTAX_PARAM ? scope_find(r->scope, n->word, strlen(n->word)) : NULL;
    return param && param->value.kind == VALUE_TEXT ? param->value.text : NULL;
}

static bool compare_words(const Reckoner *r, const Syntax *n, const char *const word[2], bool *yes)
{
    const Syntax *text = n->items[!word[0]], *other = n->items[!!word[0]];
    if (!word[0] || !word[1]) {
        bool forgot = text->kind == SYNTAX_WORD && scope_find(r->scope, text->word, strlen(text->word));
        diag_error(r->diag, syntax_at(text), "%s'%s' is a word and '%s' a number: they cannot be compared%s", n->of->label, word[!word[0]],
                   syntax_text(r->arena, other), forgot ? arena_printf(r->arena, "; the parameter is written '$%s'", text->word) : "");
        return false;
    }
    if (*n->word == '<' || *n->word == '>') {
        diag_error(r->diag, syntax_sign(n), "%swords are compared with == and !=", n->of->label);
        return false;
    }
    *yes = (strcmp(word[0], word[1]) == 0) == is(n, "==");
    return true;
}

/* A condition that is no `and` and no `or`. */
static bool plain_holds(const Reckoner *r, const Syntax *n, bool *yes)
{
    if (n->kind == SYNTAX_SIGN && is(n, "not")) {
        bool inner;
        if (!holds(r, n->items[0], &inner))
            return false;
        *yes = !inner;
        return true;
    }
    if (!is_comparison(n)) {
        diag_error(r->diag, syntax_at(n), "%sa condition compares: $d == 1, $d > 1 and not $border == zero", n->of->label);
        return false;
    }
    const char *const word[2] = { word_of(r, n->items[0]), word_of(r, n->items[1]) };
    if (word[0] || word[1])
        return compare_words(r, n, word, yes);
    Value left, right;
    if (!expr_number(r, n->items[0], &left) || !expr_number(r, n->items[1], &right))
        return false;
    *yes = compare(n, left.r, right.r);
    return true;
}

static bool holds(const Reckoner *r, const Syntax *n, bool *yes)
{
    int count = 0;
    for (const Syntax *s = n; is_logic(s); s = s->items[0])
        count++;
    const Syntax **chain = count ? NEW_ARRAY(r->arena, const Syntax *, count) : NULL;
    for (int i = 0; i < count; i++, n = n->items[0])
        chain[i] = n;
    if (!plain_holds(r, n, yes))
        return false;
    while (count-- > 0)
        if (*yes == is(chain[count], "and") && !holds(r, chain[count]->items[1], yes))
            return false;
    return true;
}

bool expr_when(Arena *a, Diag *d, Scope *scope, const Yaml *scalar, bool *yes)
{
    if (scalar->kind != YAML_SCALAR) {
        diag_error(d, scalar->loc, "expected a condition, not a %s", scalar->kind == YAML_LIST ? "list" : "map");
        return false;
    }
    Reckoner r = { .arena = a, .diag = d, .scope = scope };
    const Syntax *n = syntax_read(a, d, scope, scalar, SYNTAX_CONDITION, "");
    return n && params_are_there(&r, n) && holds(&r, n, yes);
}

/* ---- scalars ---- */

/* True if a text without $ is arithmetic: it is a number, or has numbers and operators, and every word is a called
 * function or the name of a parameter (a missing $). */
static bool is_arithmetic(const char *s, const Scope *scope)
{
    const char *all = syntax_number_end(s);
    if (all && *all == '\0')
        return true;
    bool digits = false, operators = false;
    while (*s) {
        const char *number = syntax_number_end(s);
        if (number) {
            digits = true;
            s = number;
        } else if (syntax_word_end(s) > s) {
            const char *end = syntax_word_end(s);
            bool known = scope_find(scope, s, (size_t)(end - s)) != NULL;
            known |= syntax_is_function(s, end) && end[strspn(end, " ")] == '(';
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

/* The parameter that is the whole text, without parentheses: text is let through there alone.  NULL: it is none, or there is no such. */
static Param *only_param(const Scope *scope, const Syntax *n)
{
    return n->kind == SYNTAX_PARAM && n->left == n->from ? scope_find(scope, n->word, strlen(n->word)) : NULL;
}

static bool evaluate(Arena *a, Diag *d, Scope *scope, const Yaml *scalar, const char *label, Value *out)
{
    *out = (Value){ .kind = VALUE_TEXT, .text = scalar->text };
    bool dollar = strchr(scalar->text, '$') != NULL;
    if (!dollar && (scalar->quoted || !is_arithmetic(scalar->text, scope)))
        return true;
    const Syntax *n = syntax_read(a, d, scope, scalar, SYNTAX_PARAMETER, label);
    if (!n)
        return false;
    Param *param = only_param(scope, n);
    if (param && param->value.kind == VALUE_TEXT) {
        param->reads++;
        *out = param->refused ? *out : param->value;
        return !param->refused;
    }
    Reckoner r = { .arena = a, .diag = d, .scope = scope };
    Value v = { 0 };
    if (!expr_number(&r, n, &v))
        return false;
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
    return evaluate(a, d, scope, scalar, "", out);
}

/* ---- params ---- */

/* Applies `key=value` to its parameter, which has the file's value already.  at: of a net's, where the use gives it; no place: --set does. */
static bool override(Arena *a, Diag *d, Scope *scope, Param *param, const char *set, Loc at)
{
    const char *value = strchr(set, '=') + 1;
    Yaml scalar = { .kind = YAML_SCALAR, .text = value, .loc = at };
    Value v;
    if (!evaluate(a, d, scope, &scalar, at.line ? "" : arena_printf(a, "--set %s: ", set), &v))
        return false;
    bool is_text = v.kind == VALUE_TEXT, wants_text = param->value.kind == VALUE_TEXT;
    if (is_text != wants_text || *value == '\0') {
        const char *wants = wants_text ? "text" : "a number", *is = *value == '\0' ? "empty" : is_text ? "text" : "a number";
        if (at.line)
            diag_error(d, at, "the parameter '%s' is %s, not %s, as in %s", param->name, wants, is, set);
        else
            diag_error(d, at, "--set %s: '%s' is %s, not %s", set, param->name, wants, is);
        diag_note(d, param->loc, "'%s' is given here", param->name);
        return false;
    }
    param->value = v;
    param->set = true;
    param->set_text = set;
    param->given = at;
    return true;
}

static bool is_set_of(const char *set, const char *name)
{
    size_t n = strlen(name);
    return strncmp(set, name, n) == 0 && set[n] == '=';
}

bool expr_params_within(Arena *a, Diag *d, const Yaml *params, const char *const *sets, int set_count, const Loc *at, const Scope *outer,
                        Scope *out)
{
    *out = (Scope){ .outer = outer };
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
        if (isdigit((unsigned char)*key->text) || *syntax_word_end(key->text)) {
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
                    good &= override(a, d, out, param, sets[s], at ? at[s] : (Loc){ 0 });
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
        } else if (!scope_find(out, sets[s], n)) {
            const char *name = arena_copy(a, sets[s], n);
            diag_error(d, (Loc){ 0 }, "--set %s: unknown parameter '%s'%s", sets[s], name, nearest_param(a, out, name));
            if (strncmp(name, "train.", 6) == 0)
                diag_note(d, (Loc){ 0 }, "settings of training belong to the program that is built: NAME train --set %s", sets[s]);
            fine = false;
        }
    }
    return fine;
}

bool expr_params(Arena *a, Diag *d, const Yaml *params, const char *const *sets, int set_count, Scope *out)
{
    return expr_params_within(a, d, params, sets, set_count, NULL, NULL, out);
}
