/* index.c -- puts a number in the place of a variable in C, and computes what has become a number by that.
 *
 * In: tokens, and the one value of a loop's variable in them.  Out: `w[m + 1][k]` with m = 2 is `w[3][k]`, `at + f * L` with f = 0 is `at`.  Used by turns.c.
 * The one convention: only what the number touches is computed, and only where the value and the type of what it stands in stay: terms and factors
 * of 0 go where all that they stand beside is whole, or a place, by its declarations (declared.c), and within brackets. */
#include "emit/index.h"
#include <string.h>

enum { NUMBER_MOST = 100000000, /* numbers that are computed are smaller */
       REACH = 5 };             /* tokens before a change that it can concern */

bool index_begins_sum(const Token *t)
{
    return t->kind == CODE_END || code_is_any(t, "return ( [ , = ? : < > <= >= == != && || += -= { ;");
}
static bool ends_term(const Token *t) { return t->kind == CODE_END || code_is_any(t, ") ] , ; ? : < > <= >= == != + - && || }"); }

/* ---- what is whole ---------------------------------------------------------------------------------------- */

/* True if t stands in an index, and in no call within it. */
static bool in_index(Token *t)
{
    for (t = code_around(t); code_is(t, "(") && !code_ends_operand(t->prev);)
        t = code_around(t);
    return code_is(t, "[");
}

/* The last token of the term, or of the operand of ?:, that begins at t; before what ends it. */
static Token *term_end(Token *t)
{
    for (;; t = t->next) {
        t = code_is_any(t, "( [ {") ? t->partner : t;
        if (ends_term(t->next) || code_is_any(t->next, "<< >> & | ^"))
            return t;
    }
}

/* The first token of the sum that ends at t. */
static Token *sum_begin(Token *t)
{
    for (;; t = t->prev) {
        t = code_is_any(t, ") ] }") ? t->partner : t;
        if (index_begins_sum(t->prev) || code_is_any(t->prev, "<< >> & | ^ *= /= %= <<= >>= &= |= ^="))
            return t;
    }
}

/* True if the term that begins at t, or the sum up to t, can be no real number. */
static bool is_whole_term(const Declared *d, Token *t) { return in_index(t) || declared_whole(d, t, term_end(t)); }
static bool is_whole_sum(const Declared *d, Token *t) { return in_index(sum_begin(t)) || declared_whole(d, sum_begin(t), t); }

/* ---- one change ------------------------------------------------------------------------------------------- */

/* A name in place of t. */
static void put_name(Token *t, const char *name) { t->text = name, t->touched = true; }

/* A number in place of the tokens from t to `end`. */
static void put(Code *c, Token *t, Token *end, int value)
{
    if (t != end)
        code_delete_all(c, t->next, end);
    t->text = arena_printf(c->arena, "%d", value);
    t->kind = CODE_NUMBER, t->partner = NULL;
    t->value = value, t->number = t->touched = true;
}

/* t, a number, an operator and a number: computes it, where the operators beside it allow that. */
static bool compute(Code *c, const Declared *d, Token *t)
{
    const Token *op = t->next, *before = t->prev;
    Token *y = t->next->next;
    if (!t->number || !y->number || !(t->touched || y->touched))
        return false;
    if (code_is_any(op, "* / %") && (index_begins_sum(before) || code_is_any(before, "+ -")) && !(code_is_any(op, "/ %") && y->value == 0)) {
        const int64_t value = code_is(op, "*") ? (int64_t)t->value * y->value : code_is(op, "/") ? t->value / y->value : t->value % y->value;
        if (value < NUMBER_MOST)
            put(c, t, y, (int)value);
        return value < NUMBER_MOST;
    }
    if (code_is_any(op, "+ -") && !code_is_any(y->next, "* / %") &&
        (index_begins_sum(before) || (code_is(before, "+") && code_ends_operand(before->prev) && is_whole_sum(d, before->prev)))) {
        const int sum = code_is(op, "+") ? t->value + y->value : t->value - y->value;
        if (sum >= 0)
            put(c, t, y, sum);
        return sum >= 0;
    }
    return false;
}

/* t, a name that has been put: `a - a` is 0. */
static bool cancel(Code *c, Token *t)
{
    Token *const other = t->next->next;
    if (t->kind != CODE_NAME || !code_is(t->next, "-") || !code_is(other, t->text) || !(t->touched || other->touched) || !index_begins_sum(t->prev) ||
        !(ends_term(other->next) || code_is(other->next, "-")))
        return false;
    put(c, t, other, 0);
    return true;
}

/* The first token behind the operand of ?: that begins at t: `end`, or what ends the whole. */
static Token *operand_end(Token *t, const char *end)
{
    for (int choices = 0;; t = t->next) {
        if (t->kind == CODE_END || code_is_any(t, ") ] , ; }") || (choices == 0 && (code_is(t, end) || code_is(t, ":"))))
            return t;
        choices += code_is(t, "?") - code_is(t, ":");
        t = code_is_any(t, "( [ {") ? t->partner : t;
    }
}

/* t stands where more has been, with this gap before it; parentheses around it alone go. */
static void remains(Code *c, Token *t, const char *gap)
{
    t->gap = code_has_comment(t) ? t->gap : gap;
    t->touched = t->number;
    const Token *const outer = t->prev->prev;
    const bool cast = code_is(outer, ")") && code_is(outer->prev, "*") && t->kind == CODE_NAME; /* to a pointer */
    if (code_is(t->prev, "(") && code_is(t->next, ")") && (cast || !code_ends_operand(outer))) {
        gap = t->prev->gap;
        code_delete(c, t->next);
        code_delete(c, t->prev);
        t->gap = gap;
    }
}

/* `6 < 6 ? a : b` is b, if a is whole, so that the type of both is that of b. */
static bool decide(Code *c, const Declared *d, Token *t)
{
    Token *op = t->next, *y = op->next, *ask = y->next;
    if (!t->number || !y->number || !(t->touched || y->touched) || !code_is_any(op, "< >") || !code_is(ask, "?") || !index_begins_sum(t->prev) ||
        code_is_any(t->prev, "< > <= >= == != && ||"))
        return false;
    Token *colon = operand_end(ask->next, ":");
    if (!code_is(colon, ":"))
        return false;
    Token *end = operand_end(colon->next, "");
    const bool holds = code_is(op, "<") ? t->value < y->value : t->value > y->value;
    Token *const other = holds ? colon->next : ask->next, *const last = holds ? end->prev : colon->prev;
    if (!in_index(t) && !declared_whole(d, other, last)) /* a real that would make one of the other */
        return false;
    const char *gap = t->gap;
    Token *rest = holds ? ask->next : colon->next;
    if (holds)
        code_delete_all(c, colon, end->prev);
    code_delete_all(c, t, rest->prev);
    remains(c, rest, gap);
    return true;
}

bool index_leave_out_zero(Code *c, const Declared *d, Token *t)
{
    Token *const before = t->prev, *const behind = t->next;
    if (!t->number || t->value)
        return false;
    if (code_is_any(behind, "* / %") && !code_is_any(before, "* / %") && (behind->next->kind == CODE_NAME || behind->next->number) &&
        (ends_term(behind->next->next) || code_is_any(behind->next->next, "* / %")) && (in_index(t) || declared_whole(d, behind->next, behind->next))) {
        put(c, t, behind->next, 0);
        return true;
    }
    if (code_is(before, "*") && before->prev->kind == CODE_NAME && (index_begins_sum(before->prev->prev) || code_is(before->prev->prev, "+")) &&
        ends_term(behind) && (in_index(t) || declared_whole(d, before->prev, before->prev))) {
        put(c, before->prev, t, 0);
        return true;
    }
    if (code_is(behind, "+") && index_begins_sum(before) && is_whole_term(d, behind->next)) {
        Token *const rest = behind->next;
        const char *gap = t->gap;
        code_delete_all(c, t, behind);
        remains(c, rest, gap);
        return true;
    }
    if (code_is_any(before, "+ -") && code_ends_operand(before->prev) && ends_term(behind) && is_whole_sum(d, before->prev)) {
        Token *const rest = before->prev;
        code_delete_all(c, before, t);
        remains(c, rest, rest->gap);
        return true;
    }
    return false;
}

/* Terms and factors of 0, and parentheses around a number. */
static bool leave_out(Code *c, const Declared *d, Token *t)
{
    if (!t->number || !t->touched)
        return false;
    if (code_is(t->prev, "(") && code_is(t->next, ")") && !code_ends_operand(t->prev->prev)) {
        remains(c, t, t->gap);
        return true;
    }
    return index_leave_out_zero(c, d, t);
}

/* Computes what has become a number between the tokens `before` and `behind`. */
static void compute_touched(Code *c, const Declared *d, Token *before, Token *behind)
{
    for (Token *t = before->next; t != behind;) {
        Token *from = t;
        for (int i = 0; i < REACH && from != before; i++) /* found before the change, which may take out those behind */
            from = from->prev;
        if (compute(c, d, t) || cancel(c, t) || decide(c, d, t) || leave_out(c, d, t))
            t = from == before ? before->next : from;
        else
            t = t->next;
    }
    for (Token *t = before->next; t != behind; t = t->next)
        t->touched = false;
}

void index_put(Code *c, const Declared *d, Token *before, Token *behind, const char *variable, const char *name, int number)
{
    for (Token *t = before->next; t != behind; t = t->next)
        if (code_names(t, variable)) {
            if (name)
                put_name(t, name);
            else
                put(c, t, t, number);
        }
    compute_touched(c, d, before, behind);
}

bool index_put_distance(Code *c, const Declared *d, Token *before, Token *behind, const char *to, const char *from, int number)
{
    bool any = false;
    for (Token *t = before->next; t != behind; t = t->next)
        if (code_names(t, to) && index_begins_sum(t->prev) && code_is(t->next, "-") && code_names(t->next->next, from) && ends_term(t->next->next->next)) {
            put(c, t, t->next->next, number);
            any = true;
        }
    compute_touched(c, d, before, behind);
    return any;
}
