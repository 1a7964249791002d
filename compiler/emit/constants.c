/* constants.c -- puts a number, or the variable of a loop, in the place of a variable that is declared with it and never changes, and takes out variables
 * that nothing reads.
 *
 * In: a function in tokens.  Out: `int from = 0, to = from + 1;` is gone, and what reads them reads 0 and 1; with another `from`, `to - from` is 1.
 * Used by tidy.c, with turns.c, by which variables become numbers and whose loops get numbers by this.
 * The one convention: only `int NAME = ...`; a template that wants the name to stay says `const int`, or has an enum. */
#include "emit/constants.h"
#include "emit/index.h"

/* The token behind the value that x is declared with. */
static Token *value_end(const Declaration *x)
{
    Token *t = x->name->next->next;
    while (!code_is_any(t, ", ;"))
        t = (t->partner && !code_is_any(t, ") ] }") ? t->partner : t)->next;
    return t;
}

/* Is the value such that it need not be computed: names, numbers, sums and products? */
static bool is_simple(const Declaration *x)
{
    for (const Token *t = x->name->next->next; t != value_end(x); t = t->next)
        if ((t->kind == CODE_SIGN && !code_is_any(t, "+ - *")) || t->kind == CODE_TEXT || code_has_comment(t))
            return false;
    return true;
}

/* Takes the variable out of its declaration, and this with the last one. */
static void take_out(Code *c, const Declaration *x)
{
    Token *const end = value_end(x), *const before = x->name->prev;
    if (code_is(before, ","))
        code_delete_all(c, before, end->prev);
    else if (code_is(end, ",")) {
        end->next->gap = x->name->gap;
        code_delete_all(c, x->name, end);
    } else
        code_delete_all(c, x->first, end);
}

/* The declaration is there, with no comment that is lost with it, and a block stays that has more than it. */
static bool may_go(const Declaration *x)
{
    const Token *const end = value_end(x);
    return code_is_any(x->name->prev, "int ,") && !code_has_comment(x->name) && !code_has_comment(end->next) && !code_has_comment(x->first) &&
           !(code_is(x->first->prev, "{") && code_is(end->next, "}"));
}

/* Puts the number in the place of the differences between x and what it is declared with, if that is a variable and a number; true if there are some. */
static bool put_distance(Code *c, const Declared *d, const Declaration *x, Token *end, Token *block)
{
    const Token *const from = x->name->next->next, *const number = from->next->next;
    return from->kind == CODE_NAME && code_is(from->next, "+") && number->number && number->next == end && declared_constant(d, from) &&
           index_put_distance(c, d, end, block, x->name->text, from->text, number->value);
}

/* Is the name that of loops' variables alone, `for (int NAME = ...`, and does it not change from `from` to `to`? */
static bool stays_in_turn(const Declared *d, const Token *name, const Token *from, const Token *to)
{
    bool any = false;
    for (int i = 0; i < d->list.count; i++) {
        const Declaration *x = d->list.items[i];
        if (!code_is(x->name, name->text))
            continue;
        if (!code_is(x->first, "int") || !code_is(x->first->prev, "(") || !code_is(x->first->prev->prev, "for"))
            return false;
        any = true;
    }
    for (const Token *t = d->end->partner; any && t != d->end; t = t->next)
        if (code_names(t, name->text) && code_is(t->prev, "&") && !code_ends_operand(t->prev->prev))
            return false;
    return any && !declared_in_macro(d, name->text) && !declared_changes(d, from, to, name->text);
}

bool constants_put(Code *c, const Declared *d)
{
    bool any = false;
    for (int i = 0; i < d->list.count; i++) {
        const Declaration *x = d->list.items[i];
        if (!code_stays(x->name) || declared_constant(d, x->name) != x || !may_go(x))
            continue;
        Token *const value = x->name->next->next, *const end = value_end(x), *const block = code_around(x->first)->partner;
        if (value->number && value->next == end)
            index_put(c, d, end, block, x->name->text, NULL, value->value);
        else if (value->kind == CODE_NAME && value->next == end && stays_in_turn(d, value, end, block))
            index_put(c, d, end, block, x->name->text, value->text, 0);
        else if (put_distance(c, d, x, end, block))
            any = true;
        if (code_names_within(end, block, x->name->text) || !is_simple(x))
            continue;
        take_out(c, x);
        any = true;
    }
    return any;
}
