/* store.c -- which weights a library stores, and in which form: that in which its kernels read them, so that nothing is computed when it is opened.
 *
 * In: the graph with its kernels chosen.  Out: m->weights, what is stored; m->parameters, all weights of the net, which a file of weights has.
 * Next: schedule.c.
 * A PREPARE of a convolution is done by spnc: its result is stored in place of the weight, once for all uses of the same shape.  (A PREPARE that
 * spnc cannot do stays in the forward pass.)  Likewise what a batch norm multiplies by and adds.  A weight that no operator reads is not stored. */
#include "lower/latency.h"
#include "lower/winograd.h"

static bool same_layout(const Op *a, const Op *b)
{
    return shape_equal(&a->reads[0].tensor->shape, &b->reads[0].tensor->shape) && shape_equal(&a->writes[0].tensor->shape, &b->writes[0].tensor->shape);
}

/* The stored form of what `prepare` computes, which an earlier use of the weight may have. */
static const Weight *transformed(Model *m, List *stored, const Op *prepare)
{
    const Tensor *u = prepare->writes[0].tensor;
    for (int i = 0; i < stored->count; i++) {
        const Weight *w = stored->items[i];
        if (w->of == prepare->weights[0] && same_layout(w->made_for, prepare->of))
            return w;
    }
    Weight *w = NEW(m->arena, Weight);
    *w = (Weight){ .name = prepare->weights[0]->name, .field = u->name, .loc = prepare->loc, .shape = { 1, { u->reals } }, .layout = W_TRANSFORMED,
                   .of = prepare->weights[0], .made_for = prepare->of, .init = prepare->weights[0]->init };
    list_push(m->arena, stored, w);
    return w;
}

/* Scale and shift in the place of the statistics that `op` would compute of the running ones. */
static void store_scales(Model *m, List *stored, const Op *op)
{
    Tensor *t = op->writes[0].tensor;
    const int64_t channels = op->norm.mean->shape.dim[0];
    Weight *w = NEW(m->arena, Weight);
    *w = (Weight){ .name = t->name, .field = t->name, .loc = op->loc, .shape = { 1, { 2 * channels } }, .layout = W_SCALES, .made_for = op, .init = op->norm.mean->init };
    list_push(m->arena, stored, w);
    t->space = RAW;
    t->reals = 2 * channels;
    t->stored = w;
}

/* A weight of the lanes form that dense layers alone read, as inputs come: what a panel of its outputs needs lies together, and is not copied. */
static void lay_in_panels(Model *m)
{
    for (int i = 0; i < m->weights.count; i++) {
        Weight *w = m->weights.items[i];
        bool panels = w->layout == W_IN_OUT;
        for_each_op(o, &m->forward) for (int k = 0; k < o.op->weight_count; k++)
            if (o.op->weights[k] == w && (o.op->kind != OP_dense || o.op->dense.transposed))
                panels = false;
        if (panels)
            w->layout = W_PANELS;
    }
}

bool weights_store(Model *m)
{
    if (!m->options.inference)
        return true;
    List stored = { 0 };
    if (m->options.latency)
        latency_choose(m);
    else if (!m->options.plain)
        lay_in_panels(m);
    for_each_op(w, &m->forward) {
        Op *op = w.op;
        if (op->kind == OP_batch_statistics) {
            store_scales(m, &stored, op);
            walk_remove(&w);
            continue;
        }
        if (op->pass == PREPARE && op->kind == OP_conv) {
            op->writes[0].tensor->stored = transformed(m, &stored, op);
            walk_remove(&w);
            continue;
        }
        for (int i = op->kernel.winograd; i < op->weight_count; i++)       /* Winograd's weight comes as a tensor */
            if (list_index(&stored, op->weights[i]) < 0)
                list_push(m->arena, &stored, op->weights[i]);
    }
    m->parameters = m->weights;
    for (int i = 0; i < m->buffers.count; i++)
        list_push(m->arena, &m->parameters, m->buffers.items[i]);
    m->weights = stored;
    m->buffers.count = 0;
    return true;
}
