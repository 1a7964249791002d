/* fold.c -- the latency form: a batch norm behind a convolution or a dense layer is folded into their weights and bias.
 *
 * In: the forward pass alone.  Out: m->forward without those batch norms; Op.fold.norm.  Next: fuse.c, which joins the activation behind them.
 *   y = a (W x + b) + s   is   (a W) x + (a b + s),   a = weight / sqrt(variance + epsilon),  s = bias - mean a, of the running statistics
 * spnc reckons it in double and rounds once (library/weights.c), so the bits are not those of training. */
#include "lower/latency.h"

static int readers(const Model *m, const Tensor *t)
{
    int n = 0;
    for_each_op(w, &m->forward) for (int r = 0; r < w.op->read_count; r++) n += w.op->reads[r].tensor == t;
    for (int i = 0; i < m->tensors.count; i++)
        n += ((const Tensor *)m->tensors.items[i])->view_of == t;
    return n;
}

/* True if the weights of `maker` make each channel of its result by themselves. */
static bool has_channels(const Op *maker)
{
    return maker->kind == OP_conv || (maker->kind == OP_dense && !maker->dense.transposed && maker->writes[0].tensor->shape.rank == 1);
}

static bool foldable(const Model *m, const Section *s, const Op *norm)
{
    if (norm->kind != OP_batch_norm)
        return false;
    const Tensor *x = norm->reads[0].tensor, *y = norm->writes[0].tensor;
    const Op *maker = x->op;
    return list_index(&s->ops, maker) >= 0 && has_channels(maker) && !maker->fold.norm && !norm->reads[0].shift && !x->carried &&
           !x->flow_name && !x->view_of && !y->carried && readers(m, x) == 1;
}

static void remove_op(Model *m, Walk *w)
{
    list_remove(&m->ops, list_index(&m->ops, w->op));
    walk_remove(w);
}

void norms_fold(Model *m)
{
    List statistics = { 0 };
    for_each_op(w, &m->forward)
    {
        Op *norm = w.op;
        if (!foldable(m, w.section, norm))
            continue;
        Op *maker = norm->reads[0].tensor->op;
        maker->fold.norm = norm->reads[1].tensor->op;
        maker->writes[0].tensor = norm->writes[0].tensor;
        norm->writes[0].tensor->op = maker;
        list_push(m->arena, &statistics, norm->reads[1].tensor->op);
        remark(m, norm->loc, "%s is in the weights of %s", norm->name, maker->name);
        remove_op(m, &w);
    }
    for_each_op(w, &m->forward) if (list_index(&statistics, w.op) >= 0 && !readers(m, w.op->writes[0].tensor)) remove_op(m, &w);
}
