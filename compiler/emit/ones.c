/* ones.c -- leaves out factors and divisors of one, which templates write where a size happens to be 1, and terms of 0.
 *
 * In: tokens.  Out: `s * 1`, `1 * s` and `t / 1` are s and t, `t % 1` and `t % 1 * 4` are 0 where they stand alone, `[i + 0]` is `[i]`, `f(k == k)` is `f(1)`.  Used by tidy.c.
 * The one convention: only the whole numbers 1 and 0, and terms of 0 where no real can stand (index.c); lines of the preprocessor stay as they are. */
#include "emit/ones.h"
#include "emit/index.h"
#include <string.h>

/* Takes out t, a one, with the operator behind or before it; returns the token to go on with, NULL: it stays. */
static Token *leave_out(Code *c, Token *t)
{
    Token *const op = t->prev, *const operand = op->prev, *const behind = t->next;
    const bool binary = code_is_any(op, "+ -") && code_ends_operand(operand);
    if (code_is(behind, "*") && (binary || index_begins_sum(op)) && (behind->next->kind == CODE_NAME || behind->next->kind == CODE_NUMBER)) {
        Token *const rest = behind->next;
        rest->gap = code_has_comment(rest) ? rest->gap : t->gap;
        code_delete_all(c, t, behind);
        return rest;
    }
    if (code_is_any(op, "* /") && code_ends_operand(operand)) {
        code_delete_all(c, op, t);
        return operand;
    }
    Token *const factor = code_is(behind, "*") && behind->next->kind == CODE_NUMBER ? behind->next : NULL;
    if (code_is(op, "%") && operand->kind == CODE_NAME && code_is_any(operand->prev, "( = ,") && code_is_any(factor ? factor->next : behind, ", ; )")) {
        t->gap = code_has_comment(t) ? t->gap : operand->gap;
        if (factor)
            code_delete_all(c, behind, factor);
        code_delete_all(c, operand, op);
        t->text = "0", t->value = 0;
        return t;
    }
    return NULL;
}

/* `k == k` of a whole number, which is what `k == from` becomes in the body of a loop of one turn, is 1 as an argument of a call. */
static void same_is_one(Code *c, const Declared *d, Token *sign)
{
    Token *const left = sign->prev, *const right = sign->next;
    if (left->kind != CODE_NAME || right->kind != CODE_NAME || strcmp(left->text, right->text) || !code_is_any(left->prev, "( ,") || !code_is_any(right->next, ", )"))
        return;
    const Token *const call = code_around(left)->prev;
    if (call->kind != CODE_NAME || code_is_any(call, "if while for switch return") || !declared_whole(d, left, left))
        return;
    left->text = "1", left->kind = CODE_NUMBER, left->number = true, left->value = 1;
    code_delete_all(c, sign, right);
}

void ones_leave_out(Code *c, const Declared *d, Token *before, const Token *behind)
{
    for (Token *t = before->next; t != behind;) {
        Token *const last = t->prev;
        if (code_is(t, "==")) {
            same_is_one(c, d, t);
            t = last->next;
        }
        if (t->number && t->value == 0 && index_leave_out_zero(c, d, t))
            t = last == before || !code_stays(last) ? before->next : last;
        else {
            Token *const next = t->number && t->value == 1 ? leave_out(c, t) : NULL;
            t = next ? next : t->next;
        }
    }
}
