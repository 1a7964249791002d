/* index.c -- puts a number in the place of a variable in a line of C, and computes what has become a number by that.
 *
 * In: a line as turns.c has it, and the one value of a loop's variable.  Out: `w[m + 1][k]` with m = 2 is `w[3][k]`, `at + f * L` with f = 0
 * is `at`.  The one convention: only what the number touches is computed, in whole numbers, and a term of 0 is left out only within
 * brackets, and in lines that have neither the word of a real type nor a number with a point: the templates' other lines with a loop's variable reckon
 * places.  Comments and strings stay as they are. */
#include "emit/index.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MOST = 100000000 }; /* numbers that are computed are smaller */

typedef struct {
    const char *text;
    int length, spaces, value;
    bool number, touched;
} Token; /* spaces: how many stand before it */
typedef struct {
    Token *list;
    int count;
} Tokens;

static bool word_begins(char c) { return isalpha((unsigned char)c) || c == '_'; }
static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }
static bool is(const Token *t, const char *text) { return (size_t)t->length == strlen(text) && !strncmp(t->text, text, (size_t)t->length); }

/* True if the token is one of the words of `list`, which are divided by a space. */
static bool is_any(const Token *t, const char *list)
{
    for (const char *c = list; *c; c += strspn(c, " ")) {
        const size_t n = strcspn(c, " ");
        if (n == (size_t)t->length && !strncmp(c, t->text, n))
            return true;
        c += n;
    }
    return false;
}

/* How long the token at c is: a comment, a string, a number, a name, an operator. */
static int token_length(const char *c)
{
    if (!strncmp(c, "/*", 2)) {
        const char *end = strstr(c, "*/");
        return end ? (int)(end + 2 - c) : (int)strlen(c);
    }
    if (*c == '"' || *c == '\'') {
        const char *end = c + 1;
        while (*end && *end != *c)
            end += *end == '\\' && end[1] ? 2 : 1;
        return (int)(end - c) + (*end != 0);
    }
    int n = 1;
    if (isdigit((unsigned char)*c))
        while (in_word(c[n]) || c[n] == '.' || (c[n] == '-' && c[n - 1] == 'e'))
            n++;
    else if (word_begins(*c))
        while (in_word(c[n]))
            n++;
    else if ((c[1] == '=' && strchr("=!<>+-*/%&|", *c)) || (c[1] == *c && strchr("+-&|<>", *c)) || !strncmp(c, "->", 2))
        n = 2;
    return n;
}

static Tokens tokens_of(Arena *a, const char *line)
{
    Tokens t = { NEW_ARRAY(a, Token, strlen(line) + 1), 0 };
    for (const char *c = line; *c;) {
        const int spaces = (int)strspn(c, " ");
        c += spaces;
        if (!*c)
            break;
        Token *k = &t.list[t.count++];
        *k = (Token){ .text = c, .length = token_length(c), .spaces = spaces };
        k->number = isdigit((unsigned char)*c) && strspn(c, "0123456789") == (size_t)k->length && k->length < 9; /* below NUMBER_MOST */
        k->value = k->number ? atoi(c) : 0;
        c += k->length;
    }
    return t;
}

/* Is token i a name by itself, and not a member? */
static bool stands_alone(const Tokens *t, int i, const char *word)
{
    return is(&t->list[i], word) && !(i > 0 && is_any(&t->list[i - 1], ". ->"));
}

bool index_names(const char *text, const char *word)
{
    for (const char *c = text; *c;) {
        const int n = *c == ' ' || *c == '\n' ? 1 : token_length(c);
        const bool member = c > text && (c[-1] == '.' || (c[-1] == '>' && c - text > 1 && c[-2] == '-'));
        if ((size_t)n == strlen(word) && !strncmp(c, word, (size_t)n) && !member)
            return true;
        c += n;
    }
    return false;
}

static void delete (Tokens *t, int at, int n)
{
    memmove(&t->list[at], &t->list[at + n], sizeof(Token) * (size_t)(t->count - at - n));
    t->count -= n;
}

/* Puts a number in place of n tokens. */
static void put(Arena *a, Tokens *t, int at, int n, int value)
{
    const char *text = arena_printf(a, "%d", value);
    t->list[at] =
        (Token){ .text = text, .length = (int)strlen(text), .value = value, .number = true, .touched = true, .spaces = t->list[at].spaces };
    delete (t, at + 1, n - 1);
}

static const Token none = { .text = "", .length = 0 };
static const Token *token(const Tokens *t, int i) { return i >= 0 && i < t->count ? &t->list[i] : &none; }
static bool is_operand_end(const Token *t) { return word_begins(*t->text) || isdigit((unsigned char)*t->text) || is_any(t, ") ]"); }
static bool begins_sum(const Token *t) { return t == &none || is(t, "return") || is_any(t, "( [ , = ? : < > <= >= == != && || += -= { ;"); }
static bool ends_term(const Token *t) { return t == &none || is_any(t, ") ] , ; ? : < > <= >= == != + - && || }"); }

/* True if a sum of reals may stand at token i: outside of brackets, in a line that has a real, or a number with a point. */
static bool may_be_real(const Tokens *t, int i)
{
    int depth = 0;
    for (int k = 0; k < i; k++)
        depth += is(&t->list[k], "[") - is(&t->list[k], "]");
    for (int k = 0; k < t->count && depth == 0; k++) {
        const Token *x = &t->list[k];
        const bool pointer = is(token(t, k + 1), "*") || (is(token(t, k + 1), "(") && is(token(t, k + 2), "*"));
        if ((is_any(x, "real float double") && !pointer) || (isdigit((unsigned char)*x->text) && !x->number))
            return true;
    }
    return false;
}

/* Token i, a number, an operator and a number: computes it, where the operators beside it allow that. */
static bool compute(Arena *a, Tokens *t, int i)
{
    const Token *x = token(t, i), *op = token(t, i + 1), *y = token(t, i + 2), *before = token(t, i - 1), *behind = token(t, i + 3);
    if (!x->number || !y->number || !(x->touched || y->touched) || is_any(before, ". ->"))
        return false;
    if (is_any(op, "* / %") && (begins_sum(before) || is_any(before, "+ -")) && !(is_any(op, "/ %") && y->value == 0)) {
        const int64_t value = is(op, "*") ? (int64_t)x->value * y->value : is(op, "/") ? x->value / y->value : x->value % y->value;
        if (value < NUMBER_MOST)
            put(a, t, i, 3, (int)value);
        return value < NUMBER_MOST;
    }
    if (is_any(op, "+ -") && (begins_sum(before) || is(before, "+")) && !is_any(behind, "* / %")) {
        const int sum = is(op, "+") ? x->value + y->value : x->value - y->value;
        if (sum >= 0)
            put(a, t, i, 3, sum);
        return sum >= 0;
    }
    return false;
}

/* Where the operand of ?: that begins at token i ends: at `end`, or before what ends the whole. */
static int operand_end(const Tokens *t, int i, const char *end)
{
    for (int depth = 0, choices = 0; i < t->count; i++) {
        const Token *x = &t->list[i];
        if (depth == 0 && choices == 0 && (is(x, end) || is_any(x, ") ] , ; }")))
            return i;
        if (depth == 0 && choices == 0 && is(x, ":"))
            return i;
        depth += is_any(x, "( [ {") - is_any(x, ") ] }");
        choices += depth == 0 ? is(x, "?") - is(x, ":") : 0;
    }
    return i;
}

/* Token i stands where more has been, with so many spaces before it; parentheses around it alone go. */
static void remains(Tokens *t, int i, int spaces)
{
    t->list[i].spaces = spaces;
    t->list[i].touched = t->list[i].number;
    if (is(token(t, i - 1), "(") && is(token(t, i + 1), ")") && !is_operand_end(token(t, i - 2))) {
        t->list[i].spaces = t->list[i - 1].spaces;
        delete (t, i + 1, 1);
        delete (t, i - 1, 1);
    }
}

/* `6 < 6 ? a : b` is b. */
static bool decide(Tokens *t, int i)
{
    const Token *x = token(t, i), *op = token(t, i + 1), *y = token(t, i + 2);
    if (!x->number || !y->number || !(x->touched || y->touched) || !is_any(op, "< >") || !is(token(t, i + 3), "?") ||
        !begins_sum(token(t, i - 1)) || is_any(token(t, i - 1), "< > <= >= == != && ||"))
        return false;
    const bool holds = is(op, "<") ? x->value < y->value : x->value > y->value;
    const int spaces = x->spaces;
    const int colon = operand_end(t, i + 4, ":");
    if (!is(token(t, colon), ":"))
        return false;
    if (holds) {
        delete (t, colon, operand_end(t, colon + 1, "") - colon);
        delete (t, i, 4);
    } else
        delete (t, i, colon + 1 - i);
    remains(t, i, spaces);
    return true;
}

/* Terms and factors of 0, and parentheses around a number. */
static bool leave_out(Arena *a, Tokens *t, int i)
{
    const Token *x = token(t, i), *before = token(t, i - 1), *behind = token(t, i + 1);
    if (!x->number || !x->touched)
        return false;
    if (is(before, "(") && is(behind, ")") && !is_operand_end(token(t, i - 2))) {
        put(a, t, i - 1, 3, x->value);
        return true;
    }
    if (x->value || may_be_real(t, i))
        return false;
    const int spaces = x->spaces;
    const Token *last = token(t, i + 3);
    if (is_any(behind, "* / %") && word_begins(*token(t, i + 2)->text) && (ends_term(last) || is_any(last, "* / %")) &&
        !is_any(before, "* / %")) {
        put(a, t, i, 3, 0);
        return true;
    }
    if (is(before, "*") && word_begins(*token(t, i - 2)->text) && (begins_sum(token(t, i - 3)) || is(token(t, i - 3), "+")) &&
        ends_term(behind)) {
        put(a, t, i - 2, 3, 0);
        return true;
    }
    if (is(behind, "+") && begins_sum(before)) {
        delete (t, i, 2);
        remains(t, i, spaces);
        return true;
    }
    if (is_any(before, "+ -") && x->spaces && is_operand_end(token(t, i - 2)) && ends_term(behind)) {
        delete (t, i - 1, 2);
        remains(t, i - 2, token(t, i - 2)->spaces);
        return true;
    }
    return false;
}

const char *index_put(Arena *a, const char *line, const char *variable, int number)
{
    const size_t indent = strspn(line, " ");
    Tokens t = tokens_of(a, line + indent);
    bool any = false;
    for (int i = 0; i < t.count; i++)
        if (stands_alone(&t, i, variable)) {
            put(a, &t, i, 1, number);
            any = true;
        }
    if (!any)
        return line;
    for (int i = 0; i < t.count;)
        i = compute(a, &t, i) || decide(&t, i) || leave_out(a, &t, i) ? 0 : i + 1;
    Text out = { .arena = a };
    text_add(&out, line, indent);
    for (int i = 0; i < t.count; i++)
        text_printf(&out, "%*s%.*s", t.list[i].spaces, "", t.list[i].length, t.list[i].text);
    return out.text;
}
