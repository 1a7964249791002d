/* again.c -- the result of a batch norm is computed again in backward, from the map that is normalised; only that map is kept.
 *
 * In: the phases of both passes, cut.  Out: operators of pass AGAIN in phases of backward, in front of the first that reads such a result; their
 * results take the place of it there.  Next: memory.c, which then needs the result in forward alone, most often in a thread's scratch.
 * The map is read by the norm's gradient in any case.  What is computed again is the norm, with what norms.c has joined to it: one pass over the
 * map, the same function, so the same bits.  A result stays kept if it has a name in the flow, is a state or a view, or has other operands, or if an
 * operator of the whole batch reads it in backward, or if a dropout is stored over it.  Bit-neutral; not in the plain form. */
#include "lower/joinable.h"

static const Repeat *repeat_of(const Phase *p) { return p->kind == ONCE ? NULL : p->repeat; }

static bool in_loss(const Model *m, const Tensor *t)
{
    for (int i = 0; i < m->loss_count; i++)
        if (m->losses[i].value == t)
            return true;
    return false;
}

/* True if an operator writes over t: then the memory of t holds something else when backward reads it. */
static bool overwritten(const Model *m, const Tensor *t)
{
    for (int i = 0; i < m->tensors.count; i++)
        if (((const Tensor *)m->tensors.items[i])->over == t)
            return true;
    return false;
}

/* An operator whose result may be made again: of its own step, without a name. */
static bool ordinary(const Model *m, const Op *op)
{
    const Tensor *t = op->writes[0].tensor;
    return op->write_count == 1 && !op->writes[0].shift && !op->reads[0].shift && !op->share.dropout && !t->flow_name && !t->shown &&
           !t->decides && !t->carried && !t->tail && !t->hoisted && !has_view(m, t) && !in_loss(m, t) && op->reads[0].tensor->repeat == t->repeat;
}

/* True if all that read t in backward are operators of groups at its own step; *any: there is one. */
static bool read_by_groups(const Model *m, const Tensor *t, bool *any)
{
    for (int i = 0; i < m->backward_phases.count; i++) {
        const Phase *p = m->backward_phases.items[i];
        for (int k = 0; k < p->ops.count; k++) {
            const Op *op = p->ops.items[k];
            for (int r = 0; r < op->read_count; r++) {
                if (op->reads[r].tensor != t)
                    continue;
                *any = true;
                if (p->whole_batch || op->reads[r].shift || op->share.dropout || repeat_of(p) != t->repeat)
                    return false;
            }
        }
    }
    return true;
}

static bool again(const Model *m, const Op *norm)
{
    const Tensor *t = norm->writes[0].tensor;
    bool any = false;
    return norm->kind == OP_batch_norm && norm->read_count == 2 && ordinary(m, norm) && !overwritten(m, t) && read_by_groups(m, t, &any) && any;
}

/* The norm once more, with a result of its own. */
static Op *once_more(Model *m, Op *norm)
{
    const Tensor *t = norm->writes[0].tensor;
    Tensor *result = tensor_new(m, arena_printf(m->arena, "%s_again", t->name), norm->loc, t->repeat);
    Op *o = op_new(m, norm->kind, AGAIN, norm->name, norm->loc);
    result->shape = t->shape;
    o->of = norm;
    o->family = norm->family;
    op_write(o, result, 0);
    for (int r = 0; r < norm->read_count; r++)
        op_read(o, norm->reads[r].tensor, norm->reads[r].shift);
    return o;
}

/* Puts the norm in front of the first reader of its result in the phase; the phase's operators then read what is made there. */
static void put(Model *m, Phase *p, Op *norm)
{
    const Tensor *t = norm->writes[0].tensor;
    Op *o = NULL;
    for (int k = 0; k < p->ops.count; k++) {
        Op *op = p->ops.items[k];
        for (int r = 0; r < op->read_count; r++) {
            if (op->reads[r].tensor != t)
                continue;
            if (!o)
                list_insert(m->arena, &p->ops, k++, o = once_more(m, norm));
            op->reads[r].tensor = o->writes[0].tensor;
        }
    }
}

void compute_again(Model *m)
{
    if (m->lanes == 1)
        return;
    for (int i = 0; i < m->forward_phases.count; i++) {
        const Phase *f = m->forward_phases.items[i];
        for (int k = 0; k < f->ops.count; k++) {
            Op *norm = f->ops.items[k];
            if (!again(m, norm))
                continue;
            for (int b = 0; b < m->backward_phases.count; b++)
                put(m, m->backward_phases.items[b], norm);
            remark(m, norm->loc, "%s is not kept: backward computes it again, from %s", norm->writes[0].tensor->name, norm->reads[0].tensor->name);
        }
    }
}
