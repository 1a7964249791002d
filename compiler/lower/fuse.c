/* fuse.c -- joins small operators to the ones that feed them.
 *
 * In: the joint graph.  Out: fewer forward operators.  Next: kernel.c.
 *   epilogue     an activation that is the only reader of a conv's or dense's result is applied inside that operator: the sum before it is
 *                never stored, since the activation's gradient is computed from its result
 *   relu, pool   the gradient of a relu under a max-pool needs no pass of its own: the pool's winner passes its gradient on if it is positive,
 *                so backward does not read the large map
 *   conv, pool   a convolution of one channel with relu and 2x2 pool is one operator, conv_pool: the map between them is never stored
 * A name of the flow is never fused away. */
#include "graph/window.h"
#include "lower/elements.h"
#include "lower/joinable.h"
#include <string.h>

static int readers(const Model *m, const Tensor *t) { return reads_in(&m->forward, t, NULL, NULL) + reads_in(&m->backward, t, NULL, NULL); }

static bool is_activation(OpKind kind) { return kind == OP_relu || kind == OP_tanh || kind == OP_sigmoid; }

/* True if the activation `act` may be applied inside the operator of its section that makes its operand: the sum between them is not used by others. */
static bool fits_epilogue(const Model *m, const Section *s, const Op *act)
{
    const Tensor *x = act->reads[0].tensor, *y = act->writes[0].tensor;
    const Op *maker = x->op;
    bool hosts = list_index(&s->ops, maker) >= 0 && (maker->kind == OP_conv || (maker->kind == OP_dense && !maker->dense.transposed)) && maker->fuse.act == OP_NONE;
    return hosts && !act->reads[0].shift && !x->carried && !x->flow_name && !y->carried && !x->view_of && readers(m, x) == 1;
}

static void epilogues(Model *m)
{
    for_each_op(w, &m->forward) {
        Op *act = w.op;
        if (!is_activation(act->kind) || !fits_epilogue(m, w.section, act))
            continue;
        Op *maker = act->reads[0].tensor->op;
        maker->fuse.act = act->kind;
        maker->writes[0].tensor = act->writes[0].tensor;
        act->writes[0].tensor->op = maker;
        walk_remove(&w);
        remark(m, maker->loc, "%s applied where %s is computed", OP_INFO(act)->name, maker->name);
    }
}

/* The maxpool' of section s, before index `end`, that makes t; NULL: none. */
static Op *pool_gradient(const Section *s, int end, const Tensor *t)
{
    Op *pool = NULL;
    for (int j = 0; j < end; j++) {
        Op *op = s->ops.items[j];
        if (op->kind == OP_maxpool && op->pass == BACKWARD && op->writes[0].tensor == t)
            pool = op;
    }
    return pool;
}

/* Fuses the gradient of an activation that masks (relu'), the only reader of a maxpool' result: the pool computes both gradients, from its winner and
 * its result. */
static void masked_pools(Model *m)
{
    for_each_op(w, &m->backward) {
        Op *act = w.op;
        if (!op_masks(act->kind) || act->pass != BACKWARD || act->reads[0].shift)
            continue;
        Op *pool = pool_gradient(w.section, w.at, act->reads[0].tensor);
        if (!pool || pool->of->reads[0].tensor != act->of->writes[0].tensor || pool->of->reads[0].shift || readers(m, act->reads[0].tensor) != 1)
            continue;
        pool->writes[0] = act->writes[0];
        pool->writes[0].tensor->op = pool;
        op_read(pool, pool->of->writes[0].tensor, 0);
        pool->of->fuse.masks = true;
        walk_remove(&w);
        remark(m, act->loc, "the gradient of %s is taken in the pool above it", act->name);
    }
}

static bool has_shape(const Op *op, const char *attr, int64_t size)
{
    int64_t p[2];
    op_pair(p, op, attr);
    return p[0] == size && p[1] == size;
}

/* Where a backward operator stands: op NULL if that gradient is not computed. */
static Walk backward_of(const Model *m, const Op *op, Pass pass)
{
    for_each_op(w, &m->backward)
        if (w.op->of == op && w.op->pass == pass)
            return w;
    return (Walk){ 0 };
}

static bool bare(const Op *conv)
{
    Window w = window_of(conv);
    return window_is_bare(&w);
}

/* 3x3 with one channel, bias and relu, neither strided nor padded; its map is not used by name or in the next step. */
static bool poolable_conv(const Op *conv)
{
    const Tensor *map = conv->writes[0].tensor;
    return conv->kind == OP_conv && conv->pass == FORWARD && conv->fuse.act == OP_relu && conv->reads[0].tensor->shape.dim[0] == 1 && has_shape(conv, "kernel", 3)
        && has_shape(conv, "stride", 1) && bare(conv) && op_int(conv, "bias") && !map->flow_name && !map->carried;
}

/* 2x2, windows side by side, all inside the map. */
static bool small_pool(const Op *pool)
{
    return pool->kind == OP_maxpool && !pool->reads[0].shift && has_shape(pool, "size", 2) && (!op_attr(pool, "stride")->given || has_shape(pool, "stride", 2))
        && (!op_attr(pool, "padding")->given || has_shape(pool, "padding", 0)) && !op_int(pool, "ceil");
}

/* Turns a gradient of the convolution into one that reads what the pool's gradient reads. */
static void read_as_pool(Op *gradient, const Op *dpool)
{
    Use x = gradient->pass == WEIGHTS ? gradient->reads[1] : (Use){ 0 };
    gradient->kind = OP_conv_pool;
    gradient->read_count = 0;
    for (int r = 0; r < dpool->read_count; r++)
        op_read(gradient, dpool->reads[r].tensor, dpool->reads[r].shift);
    if (x.tensor)
        op_read(gradient, x.tensor, x.shift);
}

/* One channel, 3x3, relu, 2x2 pool: fused into conv_pool, and both gradients of the convolution are computed from the pool's. */
static void conv_pool(Model *m, Walk *w)
{
    Op *pool = w->op, *conv = pool->read_count ? pool->reads[0].tensor->op : NULL;
    if (!small_pool(pool) || list_index(&w->section->ops, conv) < 0 || !poolable_conv(conv) || readers(m, pool->reads[0].tensor) != 1)
        return;
    Walk dpool = backward_of(m, pool, BACKWARD);
    Op *dconv = backward_of(m, conv, BACKWARD).op, *wconv = backward_of(m, conv, WEIGHTS).op;
    if (dpool.op && (!pool->fuse.masks || readers(m, dpool.op->writes[0].tensor) != (dconv != NULL) + (wconv != NULL)))
        return;
    if (dconv)
        read_as_pool(dconv, dpool.op);
    if (wconv)
        read_as_pool(wconv, dpool.op);
    if (dpool.op)
        walk_remove(&dpool);
    conv->kind = OP_conv_pool;
    conv->fuse.act = OP_NONE;
    conv->grad.keeps = pool->grad.keeps;
    conv->write_count = 0;
    for (int i = 0; i < pool->write_count; i++) {
        conv->writes[conv->write_count++] = pool->writes[i];
        pool->writes[i].tensor->op = conv;
    }
    walk_remove(w);
    remark(m, conv->loc, "%s, relu and %s in one pass: the map between them is never stored", conv->name, pool->name);
}

bool fuse(Model *m)
{
    epilogues(m);
    if (m->lanes == 1)          /* the plain form fuses no pools */
        return true;
    masked_pools(m);
    for_each_op(w, &m->forward)
        conv_pool(m, &w);
    return true;
}
