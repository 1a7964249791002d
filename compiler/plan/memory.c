/* memory.c -- gives every tensor and every weight its place in memory, once, for forward and backward together.
 *
 * In: the phases of both passes.  Out: tensor offsets, lifetimes and slots; the sizes of the batch's memory, a thread's scratch and the block of
 * weights.
 * A tensor that is used in one phase only, always at its own step, is placed in a thread's scratch; all others in the batch's memory,
 * [slots][groups][elements][lanes].  What each round of a loop makes for itself has one slot, which the next round overwrites.
 * A place is used again after the last read of its tensor; a tensor used in a loop keeps its place for the whole loop.  A tensor with a name in the
 * flow keeps its place to the end of the forward pass, so that a program can read it then, and one that tells the kinks of a formula; what is shown
 * beside a loss to the end of both (with --mpi names, too).
 * With --debug every tensor has a place of its own, and a guard before and behind each of its slots. */
#include "spnc.h"
#include <string.h>

enum { REAL_ALIGN = 16 };           /* every place begins on a whole vector */

static int64_t up(int64_t n) { return (n + REAL_ALIGN - 1) / REAL_ALIGN * REAL_ALIGN; }

/* Reals of one group's (plain: one example's) tensor at one step. */
static int64_t slot_reals(const Model *m, const Tensor *t)
{
    int64_t n = shape_count(&t->shape), real = m->options.is_double ? 8 : 4;
    switch (t->space) {
    case REALS:
        return n * m->lanes;
    case WINNERS:
        /* fast: one 16-bit mask a bit; plain: one 16-bit index */
        if (m->lanes == 1 && t->shape.dim[t->shape.rank - 1])
            n /= t->shape.dim[t->shape.rank - 1];
        return up((n * 2 + real - 1) / real);
    case LABELS_I32:
        return up((n * m->lanes * 4 + real - 1) / real);
    case BYTES:
        return up((n * m->lanes + 4 + real - 1) / real);
    case FLOATS:
        return up((n * m->lanes * 4 + real - 1) / real);
    case PARTS:
        return up(n);
    case SUMS:
    case TOTALS:
        return up((n * 8 + real - 1) / real);
    case RAW:
        return up(t->reals);
    }
    unreachable("space");
}

static void touch(Tensor *t, int at)
{
    t = tensor_owner(t);
    if (t->stored)
        return;
    if (t->first_phase < 0 || at < t->first_phase)
        t->first_phase = at;
    if (at > t->last_phase)
        t->last_phase = at;
}

/* Phase i of both passes, forward first. */
static Phase *phase_at(const Model *m, int i)
{
    return i < m->forward_phases.count ? m->forward_phases.items[i] : m->backward_phases.items[i - m->forward_phases.count];
}

static int phase_count(const Model *m) { return m->forward_phases.count + m->backward_phases.count; }

/* True if an operand or a result of op lies in t's memory. */
static bool uses(const Op *op, const Tensor *t)
{
    for (int i = 0; i < op_uses(op); i++)
        if (tensor_owner(op_use(op, i)->tensor) == t)
            return true;
    return false;
}

static bool phase_uses(const Phase *p, const Tensor *t)
{
    for (int k = 0; k < p->ops.count; k++)
        if (uses(p->ops.items[k], t))
            return true;
    return false;
}

/* Sets first_phase and last_phase of every tensor to those that touch it, of what has a name or tells kinks to the end of the forward pass;
 * place_batch extends them. */
static void find_lifetimes(Model *m)
{
    for (int i = 0; i < m->tensors.count; i++) {
        Tensor *t = m->tensors.items[i];
        t->first_phase = t->last_phase = -1;
    }
    for (int p = 0; p < phase_count(m); p++) {
        const Phase *ph = phase_at(m, p);
        for (int k = 0; k < ph->ops.count; k++) {
            const Op *op = ph->ops.items[k];
            for (int i = 0; i < op_uses(op); i++)
                touch(op_use(op, i)->tensor, p);
        }
    }
    for (int i = 0; i < m->tensors.count; i++) {
        Tensor *t = m->tensors.items[i];
        if (t->decides || (t->flow_name && tensor_owner(t)->first_phase >= 0))
            touch(t, m->forward_phases.count - 1);
    }
}

/* Sets Tensor.local of the tensors that a thread's scratch can hold: only one phase of group operators uses them, always at its own
 * slice. */
static void find_locals(Model *m)
{
    if (m->options.debug)
        return;
    for (int i = 0; i < m->tensors.count; i++) {
        Tensor *t = m->tensors.items[i];
        t->local = tensor_owner(t) == t && t->first_phase >= 0 && t->first_phase == t->last_phase && !phase_at(m, t->first_phase)->whole_batch && !t->flow_name && !t->carried
                   && !t->tail && t->space != LABELS_I32 && t->space != PARTS && t->space != SUMS && !t->shared;
    }
    for (int p = 0; p < phase_count(m); p++) {
        Phase *ph = phase_at(m, p);
        for (int k = 0; k < ph->ops.count; k++) {
            const Op *op = ph->ops.items[k];
            for (int i = 0; i < op_uses(op); i++) {
                const Use u = *op_use(op, i);
                if (u.shift || u.tensor->repeat != (ph->kind == ONCE ? NULL : ph->repeat))
                    tensor_owner(u.tensor)->local = false;
            }
        }
    }
    for (int i = 0; i < m->loss_count; i++)
        m->losses[i].loss->local = false;
    for (int i = 0; i < m->loss_count; i++)
        if (m->losses[i].counts)
            m->losses[i].counts->local = false;
    for (int i = 0; i < m->tensors.count; i++) {
        Tensor *t = m->tensors.items[i];
        if (t->flow_name || t->shown || t->decides)
            tensor_owner(t)->local = false;
    }
}

static int slots_of(const Tensor *t)
{
    if (t->brief)
        return t->brief;
    return t->repeat ? (t->repeat->steps + t->carried + t->tail) * steps_all(t->repeat->outer) : 1;
}

int64_t memory_reals(const Model *m, const Tensor *t) { return up((int64_t)slots_of(t) * (t->shared ? 1 : m->groups) * slot_reals(m, t)); }

int64_t memory_kept(Model *m)
{
    int64_t reals = 0;
    find_lifetimes(m);
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (tensor_owner(t) == t && t->first_phase >= 0 && t->first_phase < m->forward_phases.count && t->last_phase >= m->forward_phases.count)
            reals += memory_reals(m, t);
    }
    return reals;
}

/* A tensor to be placed: its reals, and when it is needed, by the numbers of the phases that share the memory, or of the operators of one phase. */
typedef struct { Tensor *t; int64_t size; int first, last; } Item;

static void sort_items(Item *items, int n)
{
    for (int i = 1; i < n; i++) {           /* insertion: a few hundred items, stable, larger first */
        Item x = items[i];
        int k = i;
        while (k > 0 && items[k - 1].size < x.size)
            items[k] = items[k - 1], k--;
        items[k] = x;
    }
}

/* Places tensors, largest first, each at the lowest offset that is free during its whole lifetime. */
static int64_t place(Model *m, Item *items, int n)
{
    int64_t end = 0;
    sort_items(items, n);
    bool *busy = NEW_ARRAY(m->arena, bool, n + 1);
    for (int i = 0; i < n; i++) {
        int64_t at = 0;
        for (int k = 0; k < i; k++)
            busy[k] = items[k].first <= items[i].last && items[i].first <= items[k].last;
        for (bool moved = true; moved;) {
            moved = false;
            for (int k = 0; k < i; k++)
                if (busy[k] && at < items[k].t->offset + items[k].size && items[k].t->offset < at + items[i].size) {
                    at = items[k].t->offset + items[k].size;
                    moved = true;
                }
        }
        items[i].t->offset = at;
        if (at + items[i].size > end)
            end = at + items[i].size;
    }
    return end;
}

static void place_locals(Model *m)
{
    Item *items = NEW_ARRAY(m->arena, Item, m->tensors.count + 1);
    for (int p = 0; p < phase_count(m); p++) {
        Phase *ph = phase_at(m, p);
        int n = 0;
        for (int i = 0; i < m->tensors.count; i++) {
            Tensor *t = m->tensors.items[i];
            if (!t->local || t->first_phase != p)
                continue;
            Item *it = &items[n++];
            *it = (Item){ t, t->slot_reals = up(slot_reals(m, t)), ph->ops.count, -1 };
            for (int k = 0; k < ph->ops.count; k++)
                if (uses(ph->ops.items[k], t)) {
                    it->first = k < it->first ? k : it->first;
                    it->last = k;
                }
            t->slots = 1;
        }
        int64_t end = place(m, items, n);
        if (end > m->scratch_reals)
            m->scratch_reals = end;
    }
}

/* True if an operator takes the tensor at all steps (kind a of OpInfo.arguments): it reads the slots as one array, without guards
 * between. */
static bool walked(const Model *m, const Tensor *t)
{
    for (int p = 0; p < phase_count(m); p++) {
        const Phase *ph = phase_at(m, p);
        for (int k = 0; k < ph->ops.count; k++) {
            const Op *op = ph->ops.items[k];
            if (strchr(OP_INFO(op)->arguments, 'a') && uses(op, t))
                return true;
        }
    }
    return false;
}

/* A loop's tensors live as long as the loop. */
static void extend_over_loops(const Model *m, Tensor *t)
{
    int first = t->first_phase, last = t->last_phase;
    for (int p = 0; p < phase_count(m); p++) {
        const Phase *ph = phase_at(m, p);
        if ((ph->kind != CORE && ph->kind != CORE_BACKWARD) || !phase_uses(ph, t))
            continue;
        for (int q = 0; q < phase_count(m); q++)
            if (phase_at(m, q)->loop == ph->loop) {
                first = q < first ? q : first;
                last = q > last ? q : last;
            }
    }
    t->first_phase = first;
    t->last_phase = last;
}

/* Has it, or a view of it, a name in the flow? */
static bool is_named(const Model *m, const Tensor *t)
{
    for (int k = 0; k < m->tensors.count; k++) {
        const Tensor *v = m->tensors.items[k];
        if (v->flow_name && tensor_owner(v) == t)
            return true;
    }
    return false;
}

/* True if the tensor is read after both passes: labels, losses, what is shown beside them, a batch norm's statistics. */
static bool outlives_passes(const Model *m, const Tensor *t)
{
    for (int k = 0; k < m->loss_count; k++)
        if (m->losses[k].loss == t || m->losses[k].counts == t)
            return true;
    for (int k = 0; k < m->tensors.count; k++) {
        const Tensor *v = m->tensors.items[k];
        if (v->shown && tensor_owner(v) == t)
            return true;
    }
    return t->space == LABELS_I32 || (t->op && t->op->kind == OP_batch_statistics);
}

/* Where t is used: a phase, and an operator in it; -1: nowhere.  write: of the first write in the loop; next: of the last read of what the round
 * before has left; first, last: phases of the loop; around: the outer loop whose phases fill t before the loop or read it behind it, 0:
 * they are in no loop, or there are none. */
typedef struct { int phase, op; } Spot;
typedef struct { const Phase *loop; Spot write, next; int first, last, around; } Rounds;

/* A use of t in the loop, at the step of the round; a read may be of what the round before has left. */
static bool in_round(Rounds *r, const Phase *ph, Spot at, const Tensor *t, Use u, bool written)
{
    const bool next = t->tail && u.shift == 1 && !written;
    if (ph->repeat != t->repeat || u.tensor->repeat != t->repeat || (u.shift && !next) || (r->loop && r->loop->loop != ph->loop))
        return false;
    r->loop = ph;
    r->first = r->first < 0 ? at.phase : r->first;
    r->last = at.phase;
    if (next)
        r->next = at;
    if (written && r->write.phase < 0)
        r->write = at;
    return true;
}

/* A use of t outside of the loop: what the first round reads, set before it by a fill, the one writer of another step; what the last round leaves,
 * read behind it. */
static bool around_rounds(Rounds *r, const Phase *ph, const Op *op, const Tensor *t, Use u, bool written)
{
    const bool steps = ph->kind != ONCE && repeat_within(ph->repeat, t->repeat);
    if (!t->tail || steps || u.tensor->repeat != t->repeat || (r->around && r->around != ph->loop))
        return false;
    r->around = ph->loop;
    return written ? !r->loop && op->kind == OP_fill && u.shift == t->repeat->steps : r->loop && !u.shift && !strchr(OP_INFO(op)->arguments, 'a');
}

/* The loop of which t has no more to keep than what one round makes, or leaves to the next one; NULL: none.  What is left is read before it is
 * written anew.  Phases of a loop in a loop follow each other. */
static const Phase *rounds_of(const Model *m, const Tensor *t)
{
    Rounds r = { NULL, { -1, -1 }, { -1, -1 }, -1, -1, 0 };
    for (int p = t->first_phase; p <= t->last_phase; p++) {
        const Phase *ph = phase_at(m, p);
        for (int k = 0; k < ph->ops.count; k++) {
            const Op *op = ph->ops.items[k];
            for (int i = 0; i < op_uses(op); i++) {
                const Use u = *op_use(op, i);
                const bool written = i >= op->read_count, inside = section_loops(ph->kind) && ph->repeat == t->repeat;
                if (tensor_owner(u.tensor) != t)
                    continue;
                if (!(inside ? in_round(&r, ph, (Spot){ p, k }, t, u, written) : around_rounds(&r, ph, op, t, u, written)))
                    return NULL;
            }
        }
    }
    for (int p = r.first; r.loop && p <= r.last; p++) {
        const Phase *ph = phase_at(m, p);
        if (ph->loop != r.loop->loop || !repeat_within(ph->repeat, t->repeat))
            return NULL;
    }
    if (r.loop && r.around && r.around != r.loop->loop)
        return NULL;
    const bool before = r.next.phase < r.write.phase || (r.next.phase == r.write.phase && r.next.op < r.write.op);
    return r.next.phase < 0 || before ? r.loop : NULL;
}

/* Sets Tensor.brief of what a round of a loop makes for itself alone, or for the next one: at its end all threads wait, so the next may overwrite
 * it. */
static void find_brief(Model *m)
{
    for (int i = 0; i < m->tensors.count && !m->options.debug; i++) {
        Tensor *t = m->tensors.items[i];
        const bool kept = t->carried || t->decides || t->space != REALS || !t->repeat || is_named(m, t) || outlives_passes(m, t);
        const Phase *loop = kept || t->local || t->first_phase < 0 || tensor_owner(t) != t ? NULL : rounds_of(m, t);
        t->brief = loop ? steps_all(loop->from->outer) : 0;
    }
}

static void place_batch(Model *m)
{
    const int guard = m->options.debug ? GUARD : 0;
    Item *items = NEW_ARRAY(m->arena, Item, m->tensors.count + 1);
    int n = 0;
    for (int i = 0; i < m->tensors.count; i++) {
        Tensor *t = m->tensors.items[i];
        if (t->local || tensor_owner(t) != t || t->first_phase < 0)
            continue;
        t->slots = slots_of(t);
        t->guarded = guard && !walked(m, t);
        t->slot_reals = slot_reals(m, t) + (t->guarded ? guard : 0);
        extend_over_loops(m, t);
        if (guard)
            t->first_phase = 0;
        if (guard || outlives_passes(m, t) || (m->options.mpi && is_named(m, t)))      /* ranks look there for what is no number when a step has failed */
            t->last_phase = phase_count(m);
        items[n++] = (Item){ t, up((int64_t)t->slots * (t->shared ? 1 : m->groups) * t->slot_reals + 2 * guard), t->first_phase, t->last_phase };
    }
    m->activation_reals = place(m, items, n);
    for (int i = 0; i < n; i++) {
        items[i].t->offset += guard;
        items[i].t->offset += tensor_front(items[i].t) * m->groups * items[i].t->slot_reals;       /* the tensor begins at step 0 */
    }
}

/* Places the weights or buffers of a list one behind the other; returns the reals of them all. */
static int64_t place_weights(const Model *m, const List *list)
{
    int64_t at = 0;
    for (int i = 0; i < list->count; i++) {
        Weight *w = list->items[i];
        w->offset = at;
        int64_t n = shape_count(&w->shape);
        if (w->layout == W_IN_OUT || w->layout == W_PANELS)
            n = w->shape.dim[1] * w->stride;
        else if (m->lanes > 1 && w->shape.rank == 1)
            n = up(n);                          /* biases of dense layers are read as whole vectors */
        w->reals = up(n);
        at += w->reals;
    }
    return at;
}

/* Where `check` keeps what stands behind each stop_gradient. */
static void place_held(Model *m)
{
    for_each_op(w, &m->forward) {
        if (w.op->kind != OP_stop_gradient)
            continue;
        const Tensor *y = w.op->writes[0].tensor;
        w.op->held = m->held_reals;
        m->held_reals += shape_count(&y->shape) * m->lanes * m->groups * steps_all(y->repeat);
    }
}

void memory_place(Model *m)
{
    place_held(m);
    find_lifetimes(m);
    find_locals(m);
    place_locals(m);
    find_brief(m);
    place_batch(m);
    m->block_reals = place_weights(m, &m->weights);
    m->buffer_reals = place_weights(m, &m->buffers);
}
