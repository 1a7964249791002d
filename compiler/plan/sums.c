/* sums.c -- how each sum over the examples of a batch is ordered, and so what several ranks exchange for it (runtime/ranks.h).
 *
 * In: the operators, once they are final.  Used by plan dumps and by emit.c.  Of orders nothing is decided here: they are those of the operators' own
 * C, and the same for one process and for many.  What is decided is which rows of a sum a rank makes: those with the fewest bytes to bring there, as
 * far as a rank's rows lie together in memory. */
#include "plan/sums.h"
#include "lower/winograd.h"

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

int64_t sums_row(const Weight *w)
{
    const int64_t count = shape_count(&w->shape);
    return count <= DEAL_SHORT ? 0 : w->layout == W_IN_OUT ? w->stride : count / w->shape.dim[0];
}

/* The inputs of a dense layer, of which the gradient has a row each: a rank needs its own of each example, and all gradients of outputs.  At each
 * position of Winograd's algorithm a product of its own: the terms of its own positions. */
int sums_pieces(const Op *op, const Tensor *t, DealPiece pieces[SUM_PIECES])
{
    if (op->pass != PRODUCTS)
        return 0;
    if (op->kind == OP_dense) {
        const Weight *w = op->weights[0];
        const int64_t inputs = w->shape.dim[1];
        if (t != op->reads[1].tensor || !sums_row(w))
            return 0;
        pieces[0] = (DealPiece){ 0, 16, (int)inputs, (int)(shape_count(&t->shape) / inputs), inputs * 16 };
        return 1;
    }
    const Shape *x = &forward_of(op)->reads[0].tensor->shape, *y = &forward_of(op)->writes[0].tensor->shape;
    const Winograd w = winograd_of(x->dim[0], y->dim[0], y->dim[1], y->dim[2]);
    for (int k = 0; k < w.kinds; k++)
        pieces[k] = t == op->reads[0].tensor ? (DealPiece){ w.kind[k].terms, w.kind[k].terms_plane, w.kind[k].positions, 1, 0 }
                                             : (DealPiece){ (ptrdiff_t)w.kind[k].at * w.matrix, w.matrix, w.kind[k].positions, 1, 0 };
    return w.kinds;
}

bool sums_posted(const Op *op) { return op->pass == FOLD || op->pass == PRODUCTS; }

int sums_exchange(const Model *m, const Op *sum)
{
    int n = 0;
    for (int i = 0; i < m->backward_phases.count; i++) {
        const Op *op = ((const Phase *)m->backward_phases.items[i])->ops.items[0];
        if (op == sum)
            break;
        n += sums_posted(op);
    }
    return n;
}

/* Phase i, or the last one of the loop that it is in. */
static const Phase *behind_loop(const List *phases, int i)
{
    const Phase *p = phases->items[i];
    while (section_loops(p->kind) && ((const Phase *)phases->items[i + 1])->loop == p->loop)
        i++;
    return phases->items[i];
}

const Phase *sums_made(const List *phases, int at)
{
    const Phase *p = phases->items[at];
    const Op *op = p->ops.items[0];
    for (int i = at - 1; i >= 0 && !section_loops(p->kind); i--) {
        const Phase *before = phases->items[i];
        for (int k = 0; k < before->ops.count; k++) {
            const Op *maker = before->ops.items[k];
            for (int w = 0; w < maker->write_count; w++)
                if (tensor_owner(maker->writes[w].tensor) == tensor_owner(op->reads[0].tensor))
                    return behind_loop(phases, i);
        }
    }
    return NULL;
}
