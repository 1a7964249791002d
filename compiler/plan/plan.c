/* plan.c -- cuts the sections into phases; memory.c then places their tensors.
 *
 * In: m->forward, m->backward.  Out: phases, with their barriers; places; sizes.  Next: emit.c.
 * A phase is a run of group operators (each group of examples on one thread, no barrier inside) or one whole-batch operator (plain form: there
 * are only group operators, and the statistics of batch norms).  Deferred weight gradients (PRODUCTS), and those of batch norms, are moved behind a
 * phase of groups, into its idle time. */
#include "base/escape.h"
#include "lower/latency.h"
#include "read/language.h"

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

/* Is the operator called once for all groups?  In the plain form only a batch norm's statistics are, in the latency form dense layers with many
 * weights. */
static bool of_batch(const Model *m, const Op *op)
{
    if (m->lanes == 1)
        return op->kind == OP_batch_statistics || op->kind == OP_batch_gradient || (op->kernel.latency && op->kernel.latency->batched);
    return (op_is_whole(op) && !op->rows.by_group) || op->pass == PRODUCTS || op->pass == FOLD || op->pass == PREPARE || op->pass == FINISH;
}

static void cut(Model *m, List *sections, List *phases)
{
    for (int i = 0; i < sections->count; i++) {
        Section *s = sections->items[i];
        Phase *now = NULL;
        int first = phases->count;
        for (int k = 0; k < s->ops.count; k++) {
            Op *op = s->ops.items[k];
            if (op_is_view(op->kind))
                continue;
            bool whole = of_batch(m, op);
            Phase *before = !whole && now && now->whole_batch ? earlier(phases, first, op) : NULL;
            if (before) {
                list_push(m->arena, &before->ops, op);
                continue;
            }
            if (!now || whole || now->whole_batch) {
                now = NEW(m->arena, Phase);
                now->kind = s->kind;
                now->repeat = s->repeat;
                now->from = s->from;
                now->loop = s->loop;
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
        const bool last = op->pass == PRODUCTS || (op->pass == WEIGHTS && op->kind == OP_batch_statistics);
        if (!last || op->write_count)
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

static bool makes_gradient(const Op *op) { return op->pass == WEIGHTS || op->pass == PRODUCTS || op->pass == FOLD || op->pass == FINISH; }

/* Do operators of both phases make the gradient of the same weight?  products: PRODUCTS of `a` count too. */
static bool same_gradient(const Phase *a, const Phase *b, bool products)
{
    for (int k = 0; k < a->ops.count; k++)
        for (int j = 0; j < b->ops.count; j++) {
            const Op *x = a->ops.items[k], *y = b->ops.items[j];
            if (!makes_gradient(x) || !makes_gradient(y) || (x->pass == PRODUCTS && !products))
                continue;
            for (int w = 0; w < x->weight_count; w++)
                for (int v = 0; v < y->weight_count; v++)
                    if (x->weights[w] == y->weights[v])
                        return true;
        }
    return false;
}

/* Fills idle time: with seven groups one of two threads is idle during the last.  Gradients that only the update reads move behind the group
 * phase with the longest wait, without a barrier between.  Order is kept: a shared weight's second gradient adds to its first. */
static void fill_waits(List *phases)
{
    for (int i = phases->count - 1; i >= 0; i--) {
        Phase *p = phases->items[i];
        int to = only_gradients(p) ? long_wait(phases, i) : -1;
        for (int k = i + 1; k <= to; k++)
            if (same_gradient(phases->items[k], p, false))
                to = k - 1 > i ? k - 1 : -1;
        for (int k = i; k < to; k++)
            phases->items[k] = phases->items[k + 1];
        if (to >= 0)
            phases->items[to] = p;
    }
}

/* A fold, or what becomes a gradient by Winograd's algorithm: only the update reads it. */
static bool can_wait(const Phase *p)
{
    const Op *op = p->ops.items[0];
    return p->whole_batch && !section_loops(p->kind) && (op->pass == FOLD || op->pass == FINISH || (op->pass == PRODUCTS && op->kind == OP_conv));
}

/* What waits with several ranks: phases, and what each keeps in memory that those behind it do not. */
typedef struct { Phase **phase; int64_t *reals; int first, count; int64_t all; } Waiting;

static bool reads_memory(const Op *op, const Tensor *owner)
{
    for (int r = 0; r < op->read_count; r++)
        if (tensor_owner(op->reads[r].tensor) == owner)
            return true;
    return false;
}

/* Does an operand of the phases of w, from number `from` on, lie in that memory?  The last such phase, or -1. */
static int last_reader(const Waiting *w, int from, const Tensor *owner)
{
    for (int i = w->count - 1; i >= from; i--)
        if (reads_memory(w->phase[i]->ops.items[0], owner))
            return i;
    return -1;
}

/* Puts the phase behind those that wait.  Memory that several phases read is counted for the last of them. */
static void wait_behind(const Model *m, Waiting *w, Phase *p)
{
    const Op *op = p->ops.items[0];
    int64_t reals = 0;
    for (int r = 0; r < op->read_count; r++) {
        const Tensor *owner = tensor_owner(op->reads[r].tensor);
        const int before = last_reader(w, w->first, owner);
        reals += memory_reals(m, owner);
        w->all += before < 0 ? memory_reals(m, owner) : 0;
        if (before >= 0)
            w->reals[before] -= memory_reals(m, owner);
    }
    w->reals[w->count] = reals;
    w->phase[w->count++] = p;
}

/* Several ranks: such phases move towards the end of the pass, in their order, so that what is exchanged for them is under way while earlier layers have
 * their turn.  Their operands stay in memory meanwhile: those of all that wait are at most a quarter of what forward keeps for backward; then the first of
 * them has its turn.  All stay where they are if one of those gradients is also made by an operator behind it that does not move. */
static void delay_sums(Model *m, List *phases)
{
    const int64_t most = memory_kept(m) / 4;
    Waiting w = { .phase = NEW_ARRAY(m->arena, Phase *, phases->count + 1), .reals = NEW_ARRAY(m->arena, int64_t, phases->count + 1) };
    int n = 0;
    for (int i = 0; i < phases->count; i++)
        for (int k = i + 1; k < phases->count; k++)
            if (can_wait(phases->items[i]) && !can_wait(phases->items[k]) && same_gradient(phases->items[i], phases->items[k], true))
                return;
    for (int i = 0; i < phases->count; i++) {
        if (!can_wait(phases->items[i])) {
            phases->items[n++] = phases->items[i];
            continue;
        }
        wait_behind(m, &w, phases->items[i]);
        while (w.first < w.count && w.all > most) {
            w.all -= w.reals[w.first];
            phases->items[n++] = w.phase[w.first++];
        }
    }
    while (w.first < w.count)
        phases->items[n++] = w.phase[w.first++];
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
                double n = OP_INFO(op)->macs(forward_of(op)) * (p->kind == ONCE ? 1 : steps_all(p->repeat));
                *(pass ? &m->backward_macs : &m->forward_macs) += n;
            }
        }
    }
}

bool plan(Model *m)
{
    norms_join(m);
    places_share(m);
    rows_place(m);
    cut(m, &m->forward, &m->forward_phases);
    cut(m, &m->backward, &m->backward_phases);
    compute_again(m);
    fill_waits(&m->backward_phases);
    if (m->options.mpi)
        delay_sums(m, &m->backward_phases);
    memory_place(m);
    barriers(m, &m->forward_phases);
    barriers(m, &m->backward_phases);
    count_macs(m);
    int64_t real = m->options.is_double ? 8 : 4;
    int64_t copies = m->options.inference ? 1 : train_blocks(m);
    int64_t bytes = (m->activation_reals + m->block_reals * copies) * real;
    if (bytes > m->options.memory) {
        const bool library = m->options.inference;
        diag_error(m->diag, (Loc){ 1, 1, 0, m->file }, "the net would need %s, more than the %s allowed", bytes_text(m->arena, bytes), bytes_text(m->arena, m->options.memory));
        diag_note(m->diag, (Loc){ 0 }, "values%s %s, weights%s %s; a smaller batch, or --memory, helps", library ? "" : " and gradients",
                  bytes_text(m->arena, m->activation_reals * real), library ? "" : " with gradients and optimiser", bytes_text(m->arena, m->block_reals * copies * real));
        return false;
    }
    if (m->activation_reals >= ELEMENTS_MAX * 4) {
        diag_error(m->diag, (Loc){ 1, 1, 0, m->file }, "the values of one batch would be more than %lld numbers: use a smaller batch", (long long)(ELEMENTS_MAX * 4));
        return false;
    }
    return true;
}
