/* equal.c -- operators whose C functions would be the same but for their name share one, called with the tensors and weights of each.
 *
 * In: operators and their facts, in which nothing says which operator it is.  Out: which of them are equal, and names for their functions.
 * Next: emit.c makes the functions of the first of equal ones.  A template reads nothing but facts, so equal facts make equal functions; what
 * differs from operator to operator (weights, random numbers, a loss's scale) is an argument of the call. */
#include "emit/equal.h"
#include "template/fact.h"
#include <string.h>

/* ---- names ------------------------------------------------------------------------------------------------ */

/* Does the result's size tell more than the operand's? */
static bool resizes(const Op *op)
{
    const Shape *x = op->read_count ? &op->reads[0].tensor->shape : NULL, *y = &op->writes[0].tensor->shape;
    return x && !LOSS_INFO(op) && x->rank == y->rank && !shape_equal(x, y);
}

/* Of an attribute with numbers that is not its default: "_stride_2", "_kernel_3x5". */
static void put_attributes(Text *t, const Op *op)
{
    for (int i = 0; i < op->attr_count; i++) {
        const Attr *a = &op->attrs[i];
        if (!a->given || (a->spec->type != ATTR_INT && a->spec->type != ATTR_PAIR) || !strcmp(a->spec->name, "filters") || !strcmp(a->spec->name, "units"))
            continue;
        const bool one = a->count < 2 || a->number[0] == a->number[1];
        text_printf(t, "_%s_%.0f", a->spec->name, a->number[0]);
        if (!one)
            text_printf(t, "x%.0f", a->number[1]);
    }
}

/* A name for the functions of `op`: the higher `detail`, the more it says. */
static const char *function_name(Model *m, const Op *op, int detail)
{
    const Tensor *x = op->read_count ? op->reads[0].tensor : op->writes[0].tensor;
    Text t = { .arena = m->arena };
    text_printf(&t, "%s", op->kind == OP_fill ? "zero" : OP_INFO(op)->name);
    if (op->fuse.act != OP_NONE)
        text_printf(&t, "_%s", op_table[op->fuse.act]->name);
    if (op->stores.then)
        text_printf(&t, "_formula");
    const Op *beside = op->norms.applies ? op->norms.applies : op->norms.through;
    if (beside)
        text_printf(&t, "_%s", OP_INFO(beside)->name);
    text_printf(&t, "_%s", x->shape.rank ? shape_text(m->arena, &x->shape) : "1");
    if (resizes(op))
        text_printf(&t, "_to_%s", shape_text(m->arena, &op->writes[0].tensor->shape));
    if (detail)
        put_attributes(&t, op);
    return t.text;
}

/* ---- groups ----------------------------------------------------------------------------------------------- */

static bool is_taken(Model *m, Op *const *ops, int count, const char *name)
{
    if (strcmp(identifier_unique(m, name), name) != 0)
        return true;
    for (int i = 0; i < count; i++)
        if (ops[i]->function && !strcmp(ops[i]->function, name))
            return true;
    return false;
}

/* The shortest name that no other operator has, and no other group of equal ones would have; else the name of the first of them. */
static const char *name_group(Model *m, Op *const *ops, const int *first, const int *sharers, int count, int group)
{
    for (int detail = 0; detail < 2; detail++) {
        const char *name = function_name(m, ops[group], detail);
        bool clear = !is_taken(m, ops, count, name);
        for (int i = 0; clear && i < count; i++)
            clear = first[i] != i || i == group || sharers[i] < 2 || strcmp(function_name(m, ops[i], detail), name) != 0;
        if (clear)
            return name;
    }
    return ops[group]->name;
}

void equal_find(Model *m, Op *const *ops, Fact *const *facts, int count, int *first)
{
    int *sharers = NEW_ARRAY(m->arena, int, count + 1);
    for (int i = 0; i < count; i++) {
        first[i] = i;
        for (int k = 0; k < i && first[i] == i; k++)
            if (first[k] == k && ops[k]->kind == ops[i]->kind && fact_equal(facts[k], facts[i]))
                first[i] = k;
        sharers[first[i]]++;
        ops[i]->function = NULL;
    }
    for (int i = 0; i < count; i++)
        if (first[i] == i && sharers[i] > 1) {
            const char *name = name_group(m, ops, first, sharers, count, i);
            for (int k = i; k < count; k++)
                if (first[k] == i)
                    ops[k]->function = name;
        }
}
