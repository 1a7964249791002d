/* fuse.c -- joins small operators to the ones that feed them.
 *
 * In: the joint graph.  Out: fewer forward operators.  Next: kernel.c.
 *   epilogue     an activation that is the only reader of a conv's or dense's result is applied inside that operator: the sum before it is
 *                never stored, since the activation's gradient is computed from its result
 *   relu, pool   the gradient of a relu under a max-pool needs no pass of its own: the pool's winner passes its gradient on if it is positive,
 *                so backward does not read the large map
 *   conv, pool   a convolution of one channel with relu and 2x2 pool is one operator, conv_pool: the map between them is never stored
 * A name of the flow is never fused away. */
#include "spnc.h"
#include <string.h>

static int readers(const Model *m, const Tensor *t)
{
    int n = 0;
    for (int pass = 0; pass < 2; pass++) {
        const List *sections = pass ? &m->backward : &m->forward;
        for (int i = 0; i < sections->count; i++) {
            const Section *s = sections->items[i];
            for (int k = 0; k < s->ops.count; k++) {
                const Op *op = s->ops.items[k];
                for (int r = 0; r < op->read_count; r++)
                    n += op->reads[r].tensor == t;
            }
        }
    }
    return n;
}

static bool is_activation(OpKind kind) { return kind == OP_relu || kind == OP_tanh || kind == OP_sigmoid; }

static void epilogues(Model *m)
{
    for (int i = 0; i < m->forward.count; i++) {
        Section *s = m->forward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *act = s->ops.items[k];
            if (!is_activation(act->kind))
                continue;
            Tensor *x = act->reads[0].tensor, *y = act->writes[0].tensor;
            Op *maker = x->op;
            if (list_index(&s->ops, maker) < 0 || (maker->kind != OP_conv && maker->kind != OP_dense) || maker->act != OP_NONE || act->reads[0].shift || x->carried
                || x->flow_name || y->carried || x->view_of || readers(m, x) != 1)
                continue;
            maker->act = act->kind;
            maker->writes[0].tensor = y;
            y->op = maker;
            list_remove(&s->ops, k--);
            remark(m, maker->loc, "%s applied where %s is computed", OP_INFO(act)->name, maker->name);
        }
    }
}

/* Fuses a relu' that is the only reader of a maxpool' result: the pool computes both gradients, from its winner and its result. */
static void relu_pools(Model *m)
{
    for (int i = 0; i < m->backward.count; i++) {
        Section *s = m->backward.items[i];
        for (int k = 1; k < s->ops.count; k++) {
            Op *relu = s->ops.items[k], *pool = NULL;
            if (relu->kind != OP_relu || relu->pass != BACKWARD || relu->reads[0].shift)
                continue;
            for (int j = 0; j < k; j++) {
                Op *op = s->ops.items[j];
                if (op->kind == OP_maxpool && op->pass == BACKWARD && op->writes[0].tensor == relu->reads[0].tensor)
                    pool = op;
            }
            if (!pool || pool->of->reads[0].tensor != relu->of->writes[0].tensor || pool->of->reads[0].shift || readers(m, relu->reads[0].tensor) != 1)
                continue;
            pool->writes[0] = relu->writes[0];
            pool->writes[0].tensor->op = pool;
            op_read(pool, pool->of->writes[0].tensor, 0);
            pool->of->relu = true;
            list_remove(&s->ops, k--);
            remark(m, relu->loc, "the gradient of %s is taken in the pool above it", relu->name);
        }
    }
}

static bool has_shape(const Op *op, const char *attr, int64_t size)
{
    int64_t p[2];
    op_pair(p, op, attr);
    return p[0] == size && p[1] == size;
}

static Op *backward_of(Model *m, const Op *op, Pass pass, Section **section, int *at)
{
    for (int i = 0; i < m->backward.count; i++) {
        Section *s = m->backward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *b = s->ops.items[k];
            if (b->of == op && b->pass == pass) {
                *section = s;
                *at = k;
                return b;
            }
        }
    }
    return NULL;
}

/* One channel, 3x3, relu, 2x2 pool: fused into conv_pool, and both gradients of the convolution are computed from the pool's. */
static bool conv_pool(Model *m, Section *s, int k)
{
    Op *pool = s->ops.items[k];
    if (pool->kind != OP_maxpool)
        return false;
    Tensor *map = pool->reads[0].tensor;
    Op *conv = map->op;
    if (list_index(&s->ops, conv) < 0 || conv->kind != OP_conv || conv->pass != FORWARD || conv->act != OP_relu || pool->reads[0].shift
        || map->flow_name || map->carried || conv->reads[0].tensor->shape.dim[0] != 1 || !has_shape(conv, "kernel", 3) || !has_shape(conv, "stride", 1)
        || !has_shape(conv, "padding", 0) || !has_shape(pool, "size", 2) || (op_attr(pool, "stride")->given && !has_shape(pool, "stride", 2))
        || !op_int(conv, "bias") || readers(m, map) != 1)
        return false;
    Section *ps = NULL, *ds = NULL, *ws = NULL;
    int pk, dk, wk;
    Op *dpool = backward_of(m, pool, BACKWARD, &ps, &pk), *dconv = backward_of(m, conv, BACKWARD, &ds, &dk),
       *wconv = backward_of(m, conv, WEIGHTS, &ws, &wk);
    if (dpool && (!pool->relu || readers(m, dpool->writes[0].tensor) != (dconv != NULL) + (wconv != NULL)))
        return false;
    Op *both[2] = { dconv, wconv };
    for (int i = 0; i < 2; i++)
        if (both[i]) {
            Use x = both[i]->pass == WEIGHTS ? both[i]->reads[1] : (Use){ 0 };
            both[i]->kind = OP_conv_pool;
            both[i]->read_count = 0;
            for (int r = 0; r < dpool->read_count; r++)
                op_read(both[i], dpool->reads[r].tensor, dpool->reads[r].shift);
            if (x.tensor)
                op_read(both[i], x.tensor, x.shift);
        }
    if (dpool) {
        backward_of(m, pool, BACKWARD, &ps, &pk);
        list_remove(&ps->ops, pk);
    }
    conv->kind = OP_conv_pool;
    conv->act = OP_NONE;
    conv->keeps = pool->keeps;
    conv->write_count = 0;
    for (int i = 0; i < pool->write_count; i++) {
        conv->writes[conv->write_count++] = pool->writes[i];
        pool->writes[i].tensor->op = conv;
    }
    list_remove(&s->ops, k);
    remark(m, conv->loc, "%s, relu and %s in one pass: the map between them is never stored", conv->name, pool->name);
    return true;
}

bool fuse(Model *m)
{
    epilogues(m);
    if (m->lanes == 1)          /* the plain form fuses no pools */
        return true;
    relu_pools(m);
    for (int i = 0; i < m->forward.count; i++) {
        Section *s = m->forward.items[i];
        for (int k = 1; k < s->ops.count; k++)
            if (conv_pool(m, s, k))
                k--;
    }
    return true;
}
