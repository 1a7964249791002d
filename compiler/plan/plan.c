/* plan.c -- cuts the sections into phases and gives every tensor its place in memory, once, for forward and backward together.
 *
 * In: m->forward, m->backward.  Out: phases; tensor offsets; sizes.  Next: emit.c.
 * A phase is a run of group operators (each group of examples on one thread, no barrier inside) or one whole-batch operator (plain form: there
 * are only group operators).  Deferred weight gradients (PRODUCTS) are moved behind a phase of groups, into its idle time.  A tensor that
 * is used in one phase only, always at its own step, is placed in a thread's scratch; all others in the batch's memory,
 * [slots][groups][elements][lanes].  A place is used again after the last read of its tensor; a tensor used in a loop keeps its place for
 * the whole loop.  A tensor with a name in the flow keeps its place to the end, so that a program can read it.
 * With --debug every tensor has a place of its own, and a guard before and behind each of its slots. */
#include "read/language.h"
#include <stdlib.h>
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
    case RAW:
        return up(t->reals);
    }
    unreachable("space");
}

static bool reads_from(const Op *op, const Op *maker)
{
    for (int r = 0; r < op->read_count; r++)
        for (int w = 0; w < maker->write_count; w++)
            if (tensor_owner(op->reads[r].tensor) == tensor_owner(maker->writes[w].tensor))
                return true;
    return false;
}

/* The group phase that the group operator `op` can join, which saves a barrier: the last one, if op reads no result of the whole-batch
 * operators behind it; else NULL.  (In-place results are safe: share.c lets an operand's only reader overwrite it.) */
static Phase *earlier(const List *phases, int first, const Op *op)
{
    for (int i = phases->count - 1; i >= first; i--) {
        Phase *p = phases->items[i];
        if (!p->whole_batch)
            return p;
        for (int k = 0; k < p->ops.count; k++)
            if (reads_from(op, p->ops.items[k]))
                return NULL;
    }
    return NULL;
}

static void cut(Model *m, List *sections, List *phases)
{
    for (int i = 0; i < sections->count; i++) {
        Section *s = sections->items[i];
        Phase *now = NULL;
        int first = phases->count;
        for (int k = 0; k < s->ops.count; k++) {
            Op *op = s->ops.items[k];
            if (op->kind == OP_reshape || op->kind == OP_flatten)
                continue;
            bool whole = m->lanes > 1 && (OP_INFO(op)->whole_batch || op->pass == PRODUCTS || op->pass == FOLD || op->pass == PREPARE || op->pass == FINISH);
            Phase *before = !whole && now && now->whole_batch ? earlier(phases, first, op) : NULL;
            if (before) {
                list_push(m->arena, &before->ops, op);
                continue;
            }
            if (!now || whole || now->whole_batch) {
                now = NEW(m->arena, Phase);
                now->kind = s->kind;
                now->repeat = s->repeat;
                now->whole_batch = whole;
                now->section = i + (sections == &m->backward ? m->forward.count : 0);
                list_push(m->arena, phases, now);
            }
            list_push(m->arena, &now->ops, op);
        }
    }
}

/* True if the phase makes nothing but gradients of weights, which only the update reads. */
static bool only_gradients(const Phase *p)
{
    for (int k = 0; k < p->ops.count; k++) {
        const Op *op = p->ops.items[k];
        if (op->pass != PRODUCTS || op->write_count)
            return false;
    }
    return p->whole_batch;
}

/* The phase of groups behind phase `from` where threads wait longest for the last group: the next one with multiply-adds, else the next; -1: none. */
static int long_wait(const List *phases, int from)
{
    int first = -1;
    for (int i = from + 1; i < phases->count; i++) {
        const Phase *p = phases->items[i];
        if (p->whole_batch || p->kind == CORE || p->kind == CORE_BACKWARD)
            continue;
        first = first < 0 ? i : first;
        for (int k = 0; k < p->ops.count; k++)
            if (op_multiplies(p->ops.items[k]))
                return i;
    }
    return first;
}

/* Fills idle time: with seven groups one of two threads is idle during the last.  PRODUCTS that only the update reads move behind the group
 * phase with the longest wait, without a barrier between.  Order is kept: a shared weight's second gradient adds to its first. */
static void fill_waits(List *phases)
{
    for (int i = phases->count - 1; i >= 0; i--) {
        Phase *p = phases->items[i];
        int to = only_gradients(p) ? long_wait(phases, i) : -1;
        for (int k = i; k < to; k++)
            phases->items[k] = phases->items[k + 1];
        if (to >= 0)
            phases->items[to] = p;
    }
}

static void touch(Tensor *t, int at)
{
    t = tensor_owner(t);
    if (t->first < 0 || at < t->first)
        t->first = at;
    if (at > t->last)
        t->last = at;
}

static Phase *phase_at(Model *m, int i)
{
    return i < m->forward_phases.count ? m->forward_phases.items[i] : m->backward_phases.items[i - m->forward_phases.count];
}

/* Sets Tensor.local of the tensors that a thread's scratch can hold: only one phase of group operators uses them, always at its own
 * slice. */
static void find_locals(Model *m, int phases)
{
    if (m->options.debug)
        return;
    for (int i = 0; i < m->tensors.count; i++) {
        Tensor *t = m->tensors.items[i];
        t->local = tensor_owner(t) == t && t->first >= 0 && t->first == t->last && !phase_at(m, t->first)->whole_batch && !t->flow_name && !t->carried
                   && !t->tail && t->space != LABELS_I32 && t->space != PARTS && !t->shared;
    }
    for (int p = 0; p < phases; p++) {
        Phase *ph = phase_at(m, p);
        for (int k = 0; k < ph->ops.count; k++) {
            Op *op = ph->ops.items[k];
            for (int r = 0; r < op->read_count + op->write_count; r++) {
                Use u = r < op->read_count ? op->reads[r] : op->writes[r - op->read_count];
                bool stepped = ph->kind != ONCE;
                if (u.shift || (u.tensor->repeat != NULL) != stepped)
                    tensor_owner(u.tensor)->local = false;
            }
        }
    }
    for (int i = 0; i < m->loss_count; i++)
        m->losses[i].loss->local = false;
    for (int i = 0; i < m->tensors.count; i++) {
        Tensor *t = m->tensors.items[i];
        if (t->flow_name)
            tensor_owner(t)->local = false;
    }
}

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

static void place_locals(Model *m, int phases)
{
    Item *items = NEW_ARRAY(m->arena, Item, m->tensors.count + 1);
    for (int p = 0; p < phases; p++) {
        Phase *ph = phase_at(m, p);
        int n = 0;
        for (int i = 0; i < m->tensors.count; i++) {
            Tensor *t = m->tensors.items[i];
            if (!t->local || t->first != p)
                continue;
            Item *it = &items[n++];
            *it = (Item){ t, t->slot_reals = up(slot_reals(m, t)), ph->ops.count, -1 };
            for (int k = 0; k < ph->ops.count; k++) {
                Op *op = ph->ops.items[k];
                for (int r = 0; r < op->read_count + op->write_count; r++)
                    if (tensor_owner(r < op->read_count ? op->reads[r].tensor : op->writes[r - op->read_count].tensor) == t) {
                        it->first = k < it->first ? k : it->first;
                        it->last = k > it->last ? k : it->last;
                    }
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
static bool walked(const Model *m, const Tensor *t, int phases)
{
    for (int p = 0; p < phases; p++) {
        const Phase *ph = phase_at((Model *)(uintptr_t)m, p);
        for (int k = 0; k < ph->ops.count; k++) {
            const Op *op = ph->ops.items[k];
            for (int r = 0; r < op->read_count + op->write_count; r++)
                if (strchr(OP_INFO(op)->arguments, 'a') && tensor_owner(r < op->read_count ? op->reads[r].tensor : op->writes[r - op->read_count].tensor) == t)
                    return true;
        }
    }
    return false;
}

static void place_batch(Model *m, int phases)
{
    const int guard = m->options.debug ? GUARD : 0;
    Item *items = NEW_ARRAY(m->arena, Item, m->tensors.count + 1);
    int n = 0;
    for (int i = 0; i < m->tensors.count; i++) {
        Tensor *t = m->tensors.items[i];
        if (t->local || tensor_owner(t) != t || t->first < 0)
            continue;
        t->slots = (t->repeat ? t->repeat->steps : 1) + t->carried + t->tail;
        t->guarded = guard && !walked(m, t, phases);
        t->slot_reals = slot_reals(m, t) + (t->guarded ? guard : 0);
        int first = t->first, last = t->last;
        for (int p = 0; p < phases; p++) {      /* a loop's tensors live as long as the loop */
            Phase *ph = phase_at(m, p);
            if (ph->kind != CORE && ph->kind != CORE_BACKWARD)
                continue;
            bool touched = false;
            for (int k = 0; k < ph->ops.count && !touched; k++) {
                Op *op = ph->ops.items[k];
                for (int r = 0; r < op->read_count + op->write_count && !touched; r++)
                    touched = tensor_owner(r < op->read_count ? op->reads[r].tensor : op->writes[r - op->read_count].tensor) == t;
            }
            if (!touched)
                continue;
            for (int q = 0; q < phases; q++)
                if (phase_at(m, q)->section == ph->section) {
                    first = q < first ? q : first;
                    last = q > last ? q : last;
                }
        }
        if (t->space == LABELS_I32)
            last = phases;
        for (int k = 0; k < m->loss_count; k++)
            if (m->losses[k].loss == t)
                last = phases;
        for (int k = 0; k < m->tensors.count; k++)
            if (((Tensor *)m->tensors.items[k])->flow_name && tensor_owner(m->tensors.items[k]) == t)
                last = phases;
        t->first = guard ? 0 : first;
        t->last = guard ? phases : last;
        items[n++] = (Item){ t, up((t->shared ? 1 : (int64_t)t->slots * m->groups) * t->slot_reals + 2 * guard), t->first, t->last };
    }
    m->activation_reals = place(m, items, n);
    for (int i = 0; i < n; i++) {
        items[i].t->offset += guard;
        if (items[i].t->carried)                /* the tensor begins behind the slot of its start */
            items[i].t->offset += m->groups * items[i].t->slot_reals;
    }
}

static void place_weights(Model *m)
{
    int64_t at = 0;
    for (int i = 0; i < m->weights.count; i++) {
        Weight *w = m->weights.items[i];
        w->offset = at;
        int64_t n = shape_count(&w->shape);
        if (w->layout == W_IN_OUT)
            n = w->shape.dim[1] * w->stride;
        else if (m->lanes > 1 && w->shape.rank == 1)
            n = up(n);                          /* biases of dense layers are read as whole vectors */
        w->reals = up(n);
        at += w->reals;
    }
    m->block_reals = at;
}

static void count_macs(Model *m)
{
    for (int pass = 0; pass < 2; pass++) {
        List *phases = pass ? &m->backward_phases : &m->forward_phases;
        for (int i = 0; i < phases->count; i++) {
            Phase *p = phases->items[i];
            for (int k = 0; k < p->ops.count; k++) {
                Op *op = p->ops.items[k];
                if (!op_multiplies(op))
                    continue;
                double n = OP_INFO(op)->macs(op->of ? op->of : op) * (p->kind == ONCE ? 1 : p->repeat->steps);
                *(pass ? &m->backward_macs : &m->forward_macs) += n;
            }
        }
    }
}

bool plan(Model *m)
{
    layouts_choose(m);
    places_share(m);
    cut(m, &m->forward, &m->forward_phases);
    cut(m, &m->backward, &m->backward_phases);
    fill_waits(&m->backward_phases);
    int phases = m->forward_phases.count + m->backward_phases.count;
    for (int i = 0; i < m->tensors.count; i++)
        ((Tensor *)m->tensors.items[i])->first = ((Tensor *)m->tensors.items[i])->last = -1;
    for (int p = 0; p < phases; p++) {
        Phase *ph = phase_at(m, p);
        for (int k = 0; k < ph->ops.count; k++) {
            Op *op = ph->ops.items[k];
            for (int r = 0; r < op->read_count; r++)
                touch(op->reads[r].tensor, p);
            for (int r = 0; r < op->write_count; r++)
                touch(op->writes[r].tensor, p);
        }
    }
    find_locals(m, phases);
    place_locals(m, phases);
    place_batch(m, phases);
    place_weights(m);
    barriers(m, &m->forward_phases);
    barriers(m, &m->backward_phases);
    count_macs(m);
    int64_t real = m->options.is_double ? 8 : 4;
    int64_t states = optimiser_blocks(m->train.optimiser, m->train.optimiser_set, NULL);
    int64_t bytes = (m->activation_reals + m->block_reals * (2 + states)) * real;
    if (bytes > m->options.memory) {
        diag_error(m->diag, (Loc){ 1, 1, 0, m->file }, "the program would need %.1f MiB, more than the %.1f MiB allowed", (double)bytes / 1048576, (double)m->options.memory / 1048576);
        diag_note(m->diag, (Loc){ 0 }, "values and gradients %.1f MiB, weights with gradients and optimiser %.1f MiB; a smaller batch, or --memory, helps",
                  (double)m->activation_reals * (double)real / 1048576, (double)(m->block_reals * (2 + states) * real) / 1048576);
        return false;
    }
    if (m->activation_reals >= ELEMENTS_MAX * 4) {
        diag_error(m->diag, (Loc){ 1, 1, 0, m->file }, "the values of one batch would be more than %lld numbers: use a smaller batch", (long long)(ELEMENTS_MAX * 4));
        return false;
    }
    return true;
}
