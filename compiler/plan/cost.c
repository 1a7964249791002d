/* cost.c -- the work of an operator in one training step of the whole batch (calls, multiply-adds, bytes), and the barriers between phases.
 *
 * In: the planned graph.  Used by emit.c (the rows of `profile`) and scaling.c.
 * Bytes are those of the tensors and weights that an operator reads and writes, each once a call, from cache or memory alike; not
 * counted are a kernel's working memory and second reads. */
#include "lower/winograd.h"
#include "read/language.h"

static int steps_of(const Phase *p) { return p->kind == ONCE ? 1 : steps_all(p->repeat); }

/* How often a phase of the whole batch is run. */
static int rounds(const Phase *p) { return steps_of(p) / steps_at_once(p->kind, p->repeat, p->from); }

/* Slices of t that `op` touches in a step. */
static double slices(const Model *m, const Phase *p, const Op *op, const Tensor *t)
{
    if (op->pass == FINISH)                 /* FOLD has put its sum into the first slice */
        return rounds(p);
    bool stack = repeat_level(t->repeat) > (p->kind == ONCE ? 0 : repeat_level(p->repeat)) && (op->kind == OP_sum_steps || op->kind == OP_sum_slices || op->kind == OP_stack);
    return (double)m->groups * (stack ? steps_all(t->repeat) : p->kind == AFTER && p->whole_batch && !t->repeat ? 1 : steps_of(p));
}

bool op_multiplies(const Op *op)
{
    return OP_INFO(op)->macs && (op->pass == FORWARD || op->pass == BACKWARD || op->pass == PRODUCTS || (op->pass == WEIGHTS && !op->kernel.deferred));
}

Cost op_cost(const Model *m, const Phase *p, const Op *op)
{
    const Op *f = forward_of(op);
    double real = m->options.is_double ? 8 : 4, steps = steps_of(p);
    Cost c = { .calls = p->whole_batch ? rounds(p) : m->groups * steps };
    for (int i = 0; i < op_uses(op); i++) {
        const Tensor *t = tensor_value(op_use(op, i)->tensor);
        bool again = false;
        for (int k = 0; k < i; k++)
            again = again || tensor_value(op_use(op, k)->tensor) == t;
        if (!again && !t->work)
            c.bytes += real * (double)tensor_owner(t)->slot_reals * (t->space == TOTALS && p->whole_batch ? steps : t->shared ? c.calls : slices(m, p, op, t));
    }
    for (int i = op->kernel.winograd && (op->pass == FORWARD || op->pass == BACKWARD); i < op->weight_count; i++)
        c.bytes += real * (double)op->weights[i]->reals * (op->pass == WEIGHTS && !p->whole_batch ? 0 : c.calls);
    if (op_multiplies(op)) {
        c.macs = OP_INFO(op)->macs(f) * (double)m->batch * steps;
        const Shape *y = &f->writes[0].tensor->shape;
        c.products = c.macs * (op->kernel.winograd ? winograd_share(y->dim[1], y->dim[2])
                               : op->kind != OP_conv_pool || op->pass == FORWARD ? 1
                               : op->pass == WEIGHTS ? 1 / 4.0 : 2 / 3.0);     /* only winners count; see conv_pool.c.in */
    }
    return c;
}

int64_t train_blocks(const Model *m)
{
    const TrainDef *t = &m->train;
    return 2 + optimiser_blocks(t->optimiser, t->optimiser_set, NULL) + (t->accumulate > 1) + (t->average > 0);
}

/* It reads weights, gradients and state, and writes the first and the last; the norm reads the gradients again.  Of several batches it reads
 * the gradient and their sum, and writes the mean.  The average reads itself and the weights, and is written. */
Cost update_cost(const Model *m)
{
    const TrainDef *t = &m->train;
    const int blocks = 4 + 2 * optimiser_blocks(t->optimiser, t->optimiser_set, NULL) + (t->accumulate > 1 ? 3 : 0) + (t->average > 0 ? 3 : 0);
    return (Cost){ .calls = 1, .bytes = (double)m->block_reals * (m->options.is_double ? 8 : 4) * blocks };
}

/* ---- barriers ----------------------------------------------------------------------------------------------------- */

typedef struct { int64_t from, to; const Weight *weight; bool written; } Touch;
typedef struct { Touch *items; int count, room; } Touches;

static void touch(Model *m, Touches *t, Touch x)
{
    if (t->count == t->room) {
        Touch *items = NEW_ARRAY(m->arena, Touch, t->room = t->room ? 2 * t->room : 32);
        for (int i = 0; i < t->count; i++)
            items[i] = t->items[i];
        t->items = items;
    }
    t->items[t->count++] = x;
}

/* The batch's memory, and the gradients of weights, that a phase reads or writes.  A thread's scratch is its own. */
static void touched(Model *m, Touches *all, const Phase *p)
{
    for (int k = 0; k < p->ops.count; k++) {
        const Op *op = p->ops.items[k];
        for (int i = 0; i < op_uses(op); i++) {
            const Tensor *t = tensor_owner(op_use(op, i)->tensor);
            Touch x = { .written = i >= op->read_count || op->pass == FOLD };      /* a fold adds in place, in its parts */
            tensor_range(m, t, &x.from, &x.to);
            if (!t->local)
                touch(m, all, x);
        }
        bool writes = op->pass == FOLD || op->pass == FINISH || op->pass == WEIGHTS || op->pass == PRODUCTS;
        for (int i = 0; writes && i < op->weight_count; i++)
            touch(m, all, (Touch){ 0, 0, op->weights[i], true });
    }
}

static bool conflict(const Touches *a, const Touches *b)
{
    for (int i = 0; i < a->count; i++)
        for (int k = 0; k < b->count; k++) {
            const Touch *x = &a->items[i], *y = &b->items[k];
            if ((x->written || y->written) && (x->weight ? x->weight == y->weight : !y->weight && x->from < y->to && y->from < x->to))
                return true;
        }
    return false;
}

/* A phase is followed by a barrier only if one of those that began since the last barrier touches what the next phase needs.  A pass and each
 * round of a loop, also of one in a loop, end with one always. */
void barriers(Model *m, List *phases)
{
    Touches since = { 0 };
    for (int i = 0; i < phases->count; i++) {
        Phase *p = phases->items[i], *next = i + 1 < phases->count ? phases->items[i + 1] : NULL;
        Touches coming = { 0 };
        touched(m, &since, p);
        if (next)
            touched(m, &coming, next);
        bool loop_ends = next && section_loops(p->kind) && (next->loop != p->loop || !repeat_within(next->repeat, p->repeat));
        p->barrier = !next || loop_ends || conflict(&since, &coming);
        if (p->barrier)
            since.count = 0;
    }
}
