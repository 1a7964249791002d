/* fuse.c -- joins small operators to the ones that feed them.
 *
 * In: the joint graph.  Out: fewer forward operators.  Next: plan.c.
 * An activation whose input is made by a conv or dense and read by nobody else becomes that operator's epilogue: the sum before it is never
 * stored, since the activation's gradient is written in terms of its result.  A name of the flow is never fused away. */
#include "spnc.h"

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

void fuse(Model *m)
{
    for (int i = 0; i < m->forward.count; i++) {
        Section *s = m->forward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *act = s->ops.items[k];
            if (!is_activation(act->kind))
                continue;
            Tensor *x = act->reads[0].tensor, *y = act->writes[0].tensor;
            Op *maker = x->op;
            bool here = false;
            for (int j = 0; j < k; j++)
                here = here || s->ops.items[j] == maker;
            if (!here || (maker->kind != OP_conv && maker->kind != OP_dense) || maker->act != OP_COUNT || act->reads[0].shift || x->carried
                || x->flow_name || y->carried || x->view_of || readers(m, x) != 1)
                continue;
            maker->act = act->kind;
            maker->writes[0].tensor = y;
            y->op = maker;
            for (int j = k; j + 1 < s->ops.count; j++)
                s->ops.items[j] = s->ops.items[j + 1];
            s->ops.count--;
            k--;
            remark(m, maker->loc, "%s applied where %s is computed", OP_INFO(act)->name, maker->name);
        }
    }
}
