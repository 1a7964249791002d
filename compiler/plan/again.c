/* again.c -- the result of a batch norm is computed again in backward, from the map that is normalised; only that map is kept.
 *
 * In: the phases of both passes, cut.  Out: operators of pass AGAIN in phases of backward, in front of the first that reads such a result; their
 * results take the place of it there.  Next: memory.c, which then needs the result in forward alone, most often in a thread's scratch.
 * The map is read by the norm's gradient in any case.  What is computed again is the norm, and the relu, tanh or sigmoid behind it: one pass over the
 * map, the same function, so the same bits.  A result stays kept if it has a name in the flow, is a state or a view, or if an operator of the whole
 * batch reads it in backward, or if a dropout is stored over it.  Bit-neutral; not in the plain form. */
#include "spnc.h"

/* A norm with the activation that alone reads its result, if there is one: what each writes is made again. */
typedef struct {
    Op *ops[2];
    int count;
} Chain;

static const Repeat *repeat_of(const Phase *p) { return p->kind == ONCE ? NULL : p->repeat; }

static int readers_in(const List *phases, const Tensor *t, Op **reader)
{
    int n = 0;
    for (int i = 0; i < phases->count; i++) {
        const Phase *p = phases->items[i];
        for (int k = 0; k < p->ops.count; k++) {
            Op *op = p->ops.items[k];
            for (int r = 0; r < op->read_count; r++)
                if (op->reads[r].tensor == t)
                    n++, *reader = op;
        }
    }
    return n;
}

static bool has_view(const Model *m, const Tensor *t)
{
    for (int i = 0; i < m->tensors.count; i++)
        if (((Tensor *)m->tensors.items[i])->view_of == t)
            return true;
    return false;
}

static bool in_loss(const Model *m, const Tensor *t)
{
    for (int i = 0; i < m->loss_count; i++)
        if (m->losses[i].value == t)
            return true;
    return false;
}

/* True if an operator other than `by` writes over t: then the memory of t holds something else when backward reads it. */
static bool overwritten(const Model *m, const Tensor *t, const Op *by)
{
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *other = m->tensors.items[i];
        if (other->over == t && other->op != by)
            return true;
    }
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

static bool again(const Model *m, Op *norm, Chain *c)
{
    Op *next = NULL;
    *c = (Chain){ { norm }, 1 };
    if (norm->kind != OP_batch_norm || !ordinary(m, norm))
        return false;
    const bool alone = readers_in(&m->forward_phases, norm->writes[0].tensor, &next) == 1;
    const bool curve = alone && (next->kind == OP_relu || next->kind == OP_tanh || next->kind == OP_sigmoid);
    if (curve && ordinary(m, next))
        c->ops[c->count++] = next;
    bool any = false;
    for (int i = 0; i < c->count; i++) {
        const Tensor *t = c->ops[i]->writes[0].tensor;
        if (overwritten(m, t, i + 1 < c->count ? c->ops[i + 1] : NULL) || !read_by_groups(m, t, &any))
            return false;
    }
    return any;
}

/* The operator once more, with a result of its own; before: what it made of its operand, if that was made again too. */
static Op *once_more(Model *m, Op *op, Tensor *before)
{
    const Tensor *t = op->writes[0].tensor;
    Tensor *result = tensor_new(m, arena_printf(m->arena, "%s_again", t->name), op->loc, t->repeat);
    Op *o = op_new(m, op->kind, AGAIN, op->name, op->loc);
    result->shape = t->shape;
    result->over = t->over ? before : NULL;
    o->of = op;
    o->family = op->family;
    op->again = true;
    op_write(o, result, 0);
    for (int r = 0; r < op->read_count; r++)
        op_read(o, r == 0 && before ? before : op->reads[r].tensor, op->reads[r].shift);
    return o;
}

/* Puts the chain in front of its first reader in the phase; the phase's operators then read what it makes. */
static void put(Model *m, Phase *p, const Chain *c)
{
    int first = -1, last = -1;
    for (int k = 0; k < p->ops.count; k++) {
        const Op *op = p->ops.items[k];
        for (int r = 0; r < op->read_count; r++)
            for (int i = 0; i < c->count; i++)
                if (op->reads[r].tensor == c->ops[i]->writes[0].tensor)
                    first = first < 0 ? k : first, last = i > last ? i : last;
    }
    Tensor *before = NULL;
    for (int i = 0; i <= last; i++) {
        const Tensor *t = c->ops[i]->writes[0].tensor;
        Op *o = once_more(m, c->ops[i], before);
        before = o->writes[0].tensor;
        for (int k = first; k < p->ops.count; k++) {
            Op *op = p->ops.items[k];
            for (int r = 0; r < op->read_count && op->pass != AGAIN; r++)
                if (op->reads[r].tensor == t)
                    op->reads[r].tensor = before;
        }
        list_insert(m->arena, &p->ops, first + i, o);
    }
}

void compute_again(Model *m)
{
    if (m->lanes == 1)
        return;
    for (int i = 0; i < m->forward_phases.count; i++) {
        Phase *f = m->forward_phases.items[i];
        for (int k = 0; k < f->ops.count; k++) {
            Chain c;
            Op *norm = f->ops.items[k];
            if (!again(m, norm, &c))
                continue;
            for (int b = 0; b < m->backward_phases.count; b++)
                put(m, m->backward_phases.items[b], &c);
            remark(m, norm->loc, "%s is not kept: backward computes it again, from %s", c.ops[c.count - 1]->writes[0].tensor->name,
                   norm->reads[0].tensor->name);
        }
    }
}
