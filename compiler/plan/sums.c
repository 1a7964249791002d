/* sums.c -- how each sum over the examples of a batch is ordered, and so what several ranks exchange for it (runtime/ranks.h).
 *
 * In: the operators, once they are final.  Used by plan dumps and by emit.c.  Nothing is decided here: the order is that of the operators' own C, and it is the same for
 * one process and for many. */
#include "spnc.h"

SumKind sums_kind(const Op *op)
{
    if (op->pass == FOLD)
        return SUM_TREE;
    if (op->pass == PRODUCTS)
        return forward_of(op)->kind == OP_conv ? SUM_TREE_AT_ONCE : SUM_CHAIN;
    if (op->kind == OP_embedding && op->pass == WEIGHTS)
        return SUM_CHAIN;
    if ((op->kind == OP_batch_statistics && op->pass == FORWARD) || op->kind == OP_batch_gradient)
        return SUM_STATISTICS;
    return SUM_NONE;
}

const char *sums_order(SumKind kind)
{
    static const char *const texts[] = {
        [SUM_NONE] = "no sum", [SUM_TREE] = "tree over the parts of slices", [SUM_TREE_AT_ONCE] = "tree over slices, from their operands",
        [SUM_CHAIN] = "one chain over all examples", [SUM_STATISTICS] = "tree over groups, at each step",
    };
    return texts[kind];
}

SumShown sums_shown(const Model *m, const Tensor *t)
{
    bool labels = false;
    for (int k = 0; k < m->loss_count; k++) {
        const LossDef *l = &m->losses[k];
        if (l->loss == t || l->counts == t)
            return SHOWN_IN_TRAINING;
        labels = labels || (l->target >= 0 && m->targets[l->target].type == 2);
    }
    return !t->shown ? SHOWN_NEVER : labels ? SHOWN_IN_TRAINING : SHOWN_IN_EVALUATION;
}

bool sums_reads(const Op *op, const Tensor *t)
{
    const SumKind kind = sums_kind(op);
    return kind != SUM_NONE && kind != SUM_TREE && !t->shared && t->space != TOTALS;
}
