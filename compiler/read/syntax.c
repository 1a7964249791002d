/* syntax.c -- the parser of parameters, conditions and formulas: text to a tree; syntax.h has the grammar.
 *
 * In: a scalar of the YAML tree.  Out: nodes with their span in its text, or an error at the exact column.  Next: expr.c, and formula/. */
#include "read/syntax.h"

#include <ctype.h>
#include <string.h>

enum { MAX_DEPTH = 64 }; /* of parentheses and signs: the parser recurses */

typedef struct {
    Arena *arena;
    Diag *diag;
    const Scope *scope;
    const SyntaxSource *of;
    const char *at; /* how far the text is read */
    int depth;
} Parser;

/* ---- places ---- */

static int characters(const char *s, const char *end)
{
    int n = 0;
    for (; s < end; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

/* The span [from, to) of the text as a place in the file. */
static Loc place(const SyntaxSource *s, const char *from, const char *to)
{
    Loc at = s->loc;
    if (!s->exact)
        return at;
    at.column += characters(s->text, from) + s->quoted;
    at.length = to > from ? characters(from, to) : 1;
    return at;
}

Loc syntax_at(const Syntax *n) { return place(n->of, n->from, n->to); }
Loc syntax_whole(const Syntax *n) { return place(n->of, n->left, n->right); }
Loc syntax_sign(const Syntax *n) { return place(n->of, n->sign, n->sign + strlen(n->word)); }
const char *syntax_text(Arena *a, const Syntax *n) { return arena_copy(a, n->from, (size_t)(n->to - n->from)); }

/* ---- words and numbers ---- */

static const char *const functions[] = { "floor", "ceil", "min", "max" };
static const int function_operands[] = { 1, 1, 2, 2 };
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

static bool begins_word(char c) { return isalpha((unsigned char)c) || c == '_'; }

const char *syntax_word_end(const char *s)
{
    while (is_word(*s))
        s++;
    return s;
}

/* The same with dots inside: u.gate */
static const char *dotted_end(const char *s)
{
    s = syntax_word_end(s);
    while (*s == '.' && begins_word(s[1]))
        s = syntax_word_end(s + 1);
    return s;
}

const char *syntax_number_end(const char *s)
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

/* The number of the function [s, end), or -1. */
static int function_of(const char *s, const char *end)
{
    for (int f = 0; f < FUNCTIONS; f++)
        if (strlen(functions[f]) == (size_t)(end - s) && memcmp(functions[f], s, (size_t)(end - s)) == 0)
            return f;
    return -1;
}

bool syntax_is_function(const char *s, const char *end) { return function_of(s, end) >= 0; }

/* ---- reading ---- */

static void skip_spaces(Parser *p)
{
    while (*p->at == ' ')
        p->at++;
}

static bool take(Parser *p, char c)
{
    skip_spaces(p);
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

/* True, and past it, if the word `word` stands next. */
static bool take_word(Parser *p, const char *word)
{
    skip_spaces(p);
    size_t n = strlen(word);
    if (strncmp(p->at, word, n) != 0 || is_word(p->at[n]))
        return false;
    p->at += n;
    return true;
}

/* What a formula has instead of what stands at p->at, written as elsewhere; NULL: nothing like it. */
static const char *formula_has(const Parser *p)
{
    static const struct {
        const char *begins, *instead;
    } foreign[] = {
        { "^", "a power is written '**'" },
        { "&", "there is no '&': comparisons are 0 or 1, so multiply them" },
        { "|", "there is no '|': abs(x) is an absolute value, and of two comparisons max is 'or'" },
        { "!", "there is no '!': write 1 - c for a comparison c, and '!=' for unequal" },
        { "?", "a choice is written where(condition, a, b)" },
        { "if", "a choice is written where(condition, a, b)" },
        { "[", "an index stands behind a name alone: give what is in front of it an entry of its own" },
    };
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign && p->of->kind == SYNTAX_FORMULA; i++) {
        const size_t n = strlen(foreign[i].begins);
        if (!strncmp(p->at, foreign[i].begins, n) && !(is_word(*p->at) && is_word(p->at[n])))
            return foreign[i].instead;
    }
    return NULL;
}

static Syntax *expected(Parser *p, const char *what)
{
    skip_spaces(p);
    const char *end = *p->at ? (is_word(*p->at) ? syntax_word_end(p->at) : p->at + 1) : p->at;
    while (((unsigned char)*end & 0xC0) == 0x80)
        end++;
    Loc at = place(p->of, p->at, end);
    const char *instead = formula_has(p);
    if (instead)
        diag_error(p->diag, at, "%sin a formula %s", p->of->label, instead);
    else if (*p->at)
        diag_error(p->diag, at, "%sexpected %s, not '%.*s'", p->of->label, what, (int)(end - p->at), p->at);
    else
        diag_error(p->diag, at, "%sexpected %s at the end of '%s'", p->of->label, what, p->of->text);
    return NULL;
}

static Syntax *node(Parser *p, SyntaxKind kind, const char *word, size_t n, const char *from, int count)
{
    Syntax *s = NEW(p->arena, Syntax);
    *s = (Syntax){
        kind, arena_copy(p->arena, word, n), p->of, from, p->at, from, p->at, from, count ? NEW_ARRAY(p->arena, Syntax *, count) : NULL,
        count
    };
    return s;
}

static Syntax *pair(Parser *p, Syntax *left, const char *sign, size_t n, Syntax *right)
{
    if (!right)
        return NULL;
    Syntax *s = node(p, SYNTAX_PAIR, sign, n, left->left, 2);
    s->to = s->right = right->right;
    s->sign = sign;
    s->items[0] = left;
    s->items[1] = right;
    return s;
}

/* ---- the grammar, each level a function ---- */

static Syntax *condition(Parser *p);
static Syntax *unary(Parser *p);

static Syntax *parameter(Parser *p)
{
    const char *from = p->at, *name = from + 1, *end = syntax_word_end(name);
    p->at = end;
    if (end == name || isdigit((unsigned char)*name)) {
        diag_error(p->diag, place(p->of, from, end), "%sa parameter's name must follow the '$'", p->of->label);
        return NULL;
    }
    return node(p, SYNTAX_PARAM, name, (size_t)(end - name), from, 0);
}

/* The operands of a call, behind its '('; the node's span ends behind the ')'. */
static Syntax *operands(Parser *p, const char *from, const char *end)
{
    List items = { 0 };
    if (take(p, ')'))
        return node(p, SYNTAX_CALL, from, (size_t)(end - from), from, 0);
    do {
        Syntax *item = condition(p);
        if (!item)
            return NULL;
        list_push(p->arena, &items, item);
    } while (take(p, ','));
    if (!take(p, ')'))
        return expected(p, *p->at ? "',' or ')'" : "')'");
    Syntax *call = node(p, SYNTAX_CALL, from, (size_t)(end - from), from, items.count);
    for (int i = 0; i < items.count; i++)
        call->items[i] = items.items[i];
    return call;
}

/* floor(x), min(x, y): the functions of parameters; the '(' is still to come. */
static Syntax *function(Parser *p, int f)
{
    const char *from = p->at;
    Syntax *item[2] = { NULL, NULL };
    p->at += strlen(functions[f]);
    if (!take(p, '('))
        return expected(p, "'('");
    for (int i = 0; i < function_operands[f]; i++) {
        if (i > 0 && !take(p, ','))
            return expected(p, "',' and a second value");
        item[i] = condition(p);
        if (!item[i])
            return NULL;
    }
    if (!take(p, ')'))
        return expected(p, "')'");
    Syntax *call = node(p, SYNTAX_CALL, functions[f], strlen(functions[f]), from, function_operands[f]);
    for (int i = 0; i < call->count; i++)
        call->items[i] = item[i];
    return call;
}

/* A word of a formula: a function before '(', a value, or its slice. */
static Syntax *value(Parser *p)
{
    const char *from = p->at, *end = dotted_end(from);
    p->at = end;
    if (take(p, '('))
        return operands(p, from, end);
    p->at = end;
    if (*p->at != '[')
        return node(p, SYNTAX_WORD, from, (size_t)(end - from), from, 0);
    p->at++;
    Syntax *index = condition(p);
    if (!index)
        return NULL;
    if (!take(p, ']')) {
        if (take(p, ',')) {
            p->at--;
            diag_error(p->diag, place(p->of, p->at, p->at + 1), "%sone index stands in [ ], that of the first axis: x[$t]", p->of->label);
            return NULL;
        }
        return expected(p, "']'");
    }
    Syntax *slice = node(p, SYNTAX_SLICE, from, (size_t)(end - from), from, 1);
    slice->items[0] = index;
    return slice;
}

static Syntax *atom(Parser *p)
{
    static const char *const wanted[] = { "a number, $name or '('", "a number, a word, $name or '('", "a value, a number, $name or '('" };
    skip_spaces(p);
    SyntaxText kind = p->of->kind;
    const char *from = p->at, *end = syntax_number_end(from);
    if (end) {
        p->at = end;
        return node(p, SYNTAX_NUMBER, from, (size_t)(end - from), from, 0);
    }
    if (*from == '$')
        return parameter(p);
    if (*from == '(') {
        p->at++;
        Syntax *inner = condition(p);
        if (!inner)
            return NULL;
        if (!take(p, ')'))
            return expected(p, "')'");
        inner->left = from;
        inner->right = p->at;
        return inner;
    }
    if (kind == SYNTAX_FORMULA && begins_word(*from))
        return value(p);
    end = syntax_word_end(from);
    int f = function_of(from, end);
    if (f >= 0 && (kind == SYNTAX_PARAMETER || end[strspn(end, " ")] == '('))
        return function(p, f);
    if (kind == SYNTAX_CONDITION && begins_word(*from)) {
        p->at = end;
        return node(p, SYNTAX_WORD, from, (size_t)(end - from), from, 0);
    }
    if (end > from && scope_find(p->scope, from, (size_t)(end - from))) {
        diag_error(p->diag, place(p->of, from, end), "%sa parameter is written with '$': '$%.*s'", p->of->label, (int)(end - from), from);
        return NULL;
    }
    return expected(p, wanted[kind]);
}

static Syntax *power(Parser *p)
{
    Syntax *base = atom(p);
    if (!base)
        return NULL;
    skip_spaces(p);
    const char *sign = p->at;
    if (sign[0] != '*' || sign[1] != '*')
        return base;
    p->at += 2;
    return pair(p, base, sign, 2, unary(p));
}

/* `word` before an operand, which `next` reads. */
static Syntax *signed_by(Parser *p, const char *word, Syntax *(*next)(Parser *))
{
    const char *from = p->at;
    p->at += strlen(word);
    Syntax *inner = next(p);
    if (!inner)
        return NULL;
    Syntax *s = node(p, SYNTAX_SIGN, word, strlen(word), from, 1);
    s->to = s->right = inner->right;
    s->items[0] = inner;
    return s;
}

static bool deeper(Parser *p)
{
    skip_spaces(p);
    if (++p->depth <= MAX_DEPTH)
        return true;
    diag_error(p->diag, place(p->of, p->at, p->at), "%sthis is nested more than %d deep", p->of->label, MAX_DEPTH);
    return false;
}

static Syntax *unary(Parser *p)
{
    if (!deeper(p))
        return NULL;
    Syntax *s = *p->at == '-' ? signed_by(p, "-", unary) : *p->at == '+' ? signed_by(p, "+", unary) : power(p);
    p->depth--;
    return s;
}

static Syntax *product(Parser *p)
{
    Syntax *left = unary(p);
    while (left) {
        skip_spaces(p);
        const char *sign = p->at;
        if (*sign != '*' && *sign != '/' && *sign != '%')
            break;
        size_t n = sign[0] == '/' && sign[1] == '/' ? 2 : 1;
        p->at += n;
        left = pair(p, left, sign, n, unary(p));
    }
    return left;
}

static Syntax *sum(Parser *p)
{
    Syntax *left = product(p);
    while (left) {
        skip_spaces(p);
        const char *sign = p->at;
        if (*sign != '+' && *sign != '-')
            break;
        p->at++;
        left = pair(p, left, sign, 1, product(p));
    }
    return left;
}

/* The length of the comparison sign at s, or 0. */
static size_t comparison_sign(const char *s)
{
    if ((*s == '<' || *s == '>' || *s == '=' || *s == '!') && s[1] == '=')
        return 2;
    return *s == '<' || *s == '>';
}

static Syntax *comparison(Parser *p)
{
    Syntax *left = sum(p);
    if (!left || p->of->kind == SYNTAX_PARAMETER)
        return left;
    skip_spaces(p);
    const char *sign = p->at;
    size_t n = comparison_sign(sign);
    if (n == 0 && *sign == '=') {
        diag_error(p->diag, place(p->of, sign, sign + 1), "%sequal is written '=='", p->of->label);
        return NULL;
    }
    if (n == 0)
        return left;
    p->at += n;
    left = pair(p, left, sign, n, sum(p));
    skip_spaces(p);
    if (!left || comparison_sign(p->at) == 0)
        return left;
    diag_error(p->diag, place(p->of, p->at, p->at + comparison_sign(p->at)), "%scomparisons do not chain: write %s", p->of->label,
               p->of->kind == SYNTAX_FORMULA ? "(a < b) * (b < c)" : "a < b and b < c");
    return NULL;
}

static Syntax *negation(Parser *p)
{
    const char *from = p->at + strspn(p->at, " ");
    if (!take_word(p, "not"))
        return comparison(p);
    p->at = from;
    if (!deeper(p))
        return NULL;
    Syntax *s = signed_by(p, "not", negation);
    p->depth--;
    return s;
}

/* left {word left}, for `and` and `or`. */
static Syntax *joined(Parser *p, const char *word, Syntax *(*next)(Parser *))
{
    Syntax *left = next(p);
    while (left) {
        skip_spaces(p);
        const char *sign = p->at;
        if (!take_word(p, word))
            break;
        left = pair(p, left, sign, strlen(word), next(p));
    }
    return left;
}

static Syntax *conjunction(Parser *p) { return joined(p, "and", negation); }

/* The loosest level that the kind of text has. */
static Syntax *condition(Parser *p)
{
    if (p->of->kind == SYNTAX_CONDITION)
        return joined(p, "or", conjunction);
    Syntax *s = comparison(p);
    skip_spaces(p);
    const char *sign = p->at;
    if (s && p->of->kind == SYNTAX_FORMULA && (take_word(p, "and") || take_word(p, "or"))) {
        diag_error(p->diag, place(p->of, sign, p->at),
                   "%sa formula has no 'and' and 'or': comparisons are 0 or 1, so multiply them, or take their max", p->of->label);
        return NULL;
    }
    return s;
}

Syntax *syntax_read(Arena *a, Diag *d, const Scope *scope, const Yaml *scalar, SyntaxText kind, const char *label)
{
    SyntaxSource *of = NEW(a, SyntaxSource);
    const char *text = scalar->text;
    bool exact = scalar->loc.line > 0 && scalar->loc.length == characters(text, text + strlen(text)) + 2 * scalar->quoted;
    *of = (SyntaxSource){ kind, scalar->loc, scalar->quoted, text, exact, label };
    Parser p = { a, d, scope, of, text, 0 };
    Syntax *s = condition(&p);
    if (!s)
        return NULL;
    skip_spaces(&p);
    if (*p.at && kind == SYNTAX_FORMULA && s->kind == SYNTAX_WORD && !strcmp(s->word, "not")) {
        diag_error(d, syntax_at(s), "%sa formula has no 'not': write 1 - c for a comparison c", label);
        return NULL;
    }
    return *p.at ? expected(&p, "an operator or the end") : s;
}
