/* share.c -- lets the result of an operator that goes element by element take the place of its operand.
 *
 * In: the graph as it will run.  Out: tensor->over.  Next: the rest of plan.c, for which the two are one.
 * A dropout and its gradient, and an activation and its, read each element once, at the place where they write it.  So if nobody else needs the
 * operand, one tensor less goes through the caches, and the batch needs less memory.  Of the operand of a dropout, the gradient of the
 * relu, or pool of relus, that made it asks only which elements are positive, and only to pass on what the dropout has let through:
 * there result and operand have the same sign, and elsewhere the gradient is 0 by then.  A sigmoid behind it would leave no zeros there.
 * The plain form keeps all tensors apart. */
#include "spnc.h"

static bool element_by_element(const Op *op)
{
    bool kind = op->kind == OP_dropout || op->kind == OP_relu || op->kind == OP_tanh || op->kind == OP_sigmoid;
    return kind && (op->pass == FORWARD || op->pass == BACKWARD);
}

/* Reads of t, its own maker's result, only which elements are positive. */
static bool reads_sign(const Op *op, const Tensor *t)
{
    bool kind = op->kind == OP_relu || op->kind == OP_maxpool || op->kind == OP_conv_pool;
    return kind && (op->pass == BACKWARD || op->pass == WEIGHTS) && op->of->writes[0].tensor == t;
}

/* All operators, in the order in which they run. */
static List operators(Model *m)
{
    List all = { 0 };
    for (int i = 0; i < m->forward.count + m->backward.count; i++) {
        const Section *s = i < m->forward.count ? m->forward.items[i] : m->backward.items[i - m->forward.count];
        for (int k = 0; k < s->ops.count; k++)
            list_push(m->arena, &all, s->ops.items[k]);
    }
    return all;
}

/* Whether anybody of `all` but `by`, its reader, needs t as it is, or writes it too. */
static bool needed_as_it_is(const Model *m, const List *all, const Tensor *t, const Op *by)
{
    int makers = 0;
    for (int k = 0; k < all->count; k++) {
        const Op *op = all->items[k];
        for (int r = 0; r < op->read_count; r++)
            if (op->reads[r].tensor == t && op != by && !(by->kind == OP_dropout && by->pass == FORWARD && reads_sign(op, t)))
                return true;
        for (int w = 0; w < op->write_count; w++)
            makers += op->writes[w].tensor == t;
    }
    for (int i = 0; i < m->tensors.count; i++)
        if (((Tensor *)m->tensors.items[i])->view_of == t)
            return true;
    for (int i = 0; i < m->loss_count; i++)
        if (m->losses[i].value == t)
            return true;
    return makers != 1;
}

static bool ordinary(const Use *u)
{
    const Tensor *t = u->tensor;
    return t->space == REALS && !u->shift && !t->view_of && !t->carried && !t->tail && !t->hoisted && !t->flow_name;
}

void places_share(Model *m)
{
    if (m->lanes == 1)
        return;
    List all = operators(m);
    for (int k = 0; k < all.count; k++) {
        const Op *op = all.items[k];
        if (!element_by_element(op) || !ordinary(&op->reads[0]) || !ordinary(&op->writes[0]))
            continue;
        Tensor *x = op->reads[0].tensor, *y = op->writes[0].tensor;
        if (op->kind == OP_sigmoid && op->pass == FORWARD && x->over)
            continue;
        /* What a whole-batch operator made is out of the caches; its successor may be in a thread's scratch. */
        bool far = op->pass == BACKWARD && x->op && OP_INFO(x->op)->whole_batch;
        if (x->repeat != y->repeat || far || needed_as_it_is(m, &all, x, op))
            continue;
        y->over = x;
        if (op->pass == FORWARD)
            remark(m, op->loc, "%s takes the place of %s", y->name, x->name);
    }
}
