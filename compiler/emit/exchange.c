/* exchange.c -- see exchange.h.
 *
 * In: the planned graph.  Used by emit.c, and by traffic.c, which counts the same messages.
 * The convention: slices that several sums read are sent once, by the first of them; the others wait for that exchange.  MPI forbids two receives
 * into one place at a time; so an exchange of slices that another one may still bring in other rows, or at other steps, waits for that one first.
 * The operands of one product lie in places of their own, so its exchange need not wait for itself. */
#include "emit/exchange.h"
#include "emit/call.h"
#include "emit/place.h"
#include <string.h>

/* ---- what a sum brings -------------------------------------------------------------------------------------------------- */

/* The tensor whose values t is a view of. */
static const Tensor *values_of(const Tensor *t)
{
    while (t->view_of)
        t = t->view_of;
    return t;
}

static const Phase *backward_phase(const Model *m, int i) { return m->backward_phases.items[i]; }

/* The operator of a phase that is a product posted once, not in a loop; else NULL. */
static const Op *product_of(const Phase *p)
{
    const Op *op = p->ops.items[0];
    return op->pass == PRODUCTS && !section_loops(p->kind) ? op : NULL;
}

/* Does the product `other`, of phase q, read the slices of the operand u of a sum of phase p?  Its use of them; NULL: it does not. */
static const Use *same_slices(Model *m, const Phase *p, Use u, const Phase *q, const Op *other)
{
    for (int i = 0; i < other->read_count; i++) {
        const Use *v = &other->reads[i];
        if (values_of(v->tensor) == values_of(u.tensor) && sums_reads(other, v->tensor) && call_steps(q, v->tensor) == call_steps(p, u.tensor) &&
            !strcmp(call_slice(m, q, v->tensor, v->shift), call_slice(m, p, u.tensor, u.shift)))
            return v;
    }
    return NULL;
}

/* The place of the exchange of phase i's sum in the order of a pass: behind the phase that makes its operands, or right before it. */
static int place_of(const Model *m, int i)
{
    const Phase *made = sums_made(&m->backward_phases, i);
    return made ? 2 * list_index(&m->backward_phases, made) + 1 : 2 * i;
}

Brought exchange_brings(Model *m, const Phase *p, const Op *op, Use u)
{
    Brought b = { .by = sums_reads(op, u.tensor) ? op : NULL };
    b.count = sums_pieces(op, u.tensor, b.pieces);
    if (!b.by || product_of(p) != op)
        return b;
    int first = place_of(m, list_index(&m->backward_phases, p));
    for (int i = 0; i < m->backward_phases.count; i++) {
        const Phase *q = backward_phase(m, i);
        const Op *other = product_of(q);
        const Use *v = other && other != op ? same_slices(m, p, u, q, other) : NULL;
        if (!v)
            continue;
        DealPiece pieces[SUM_PIECES];
        const int count = sums_pieces(other, v->tensor, pieces), place = place_of(m, i);
        if (count != b.count || memcmp(pieces, b.pieces, (size_t)count * sizeof *pieces) != 0)
            b.count = 0;
        if (place < first || (place == first && i < list_index(&m->backward_phases, p) && b.by == op))
            first = place, b.by = other;
    }
    return b;
}

/* ---- statements ---------------------------------------------------------------------------------------------------------- */

const char *exchange_gather(Model *m, const Tensor *t, const char *at, int steps)
{
    return arena_printf(m->arena, "%s, %d, G, %lld * sizeof(real)", place_flat(m, t, at), steps, (long long)tensor_owner(t)->slot_reals);
}

/* The pieces as C, and their number. */
static const char *pieces_text(Model *m, const DealPiece *pieces, int count)
{
    Text t = { .arena = m->arena };
    for (int k = 0; k < count; k++)
        text_printf(&t, "%s{ %lld, %lld, %d, %d, %lld }", k ? ", " : "(const DealPiece[]){ ", (long long)pieces[k].at, (long long)pieces[k].row, pieces[k].rows, pieces[k].times, (long long)pieces[k].apart);
    return count ? arena_printf(m->arena, "%s }, %d", t.text, count) : "NULL, 0";
}

/* Waits for exchanges that were posted before place `at` of the pass, are not waited for yet, and bring other slices or rows of t's memory. */
static void wait_for_others(Model *m, Fact *list, const Op *op, const Tensor *t, int at)
{
    for (int i = 0; i < m->backward_phases.count; i++) {
        const Phase *q = backward_phase(m, i);
        const Op *other = product_of(q);
        if (!other || other == op || 2 * i < at || place_of(m, i) > at)
            continue;
        for (int k = 0; k < other->read_count; k++)
            if (tensor_owner(other->reads[k].tensor) == tensor_owner(t) && exchange_brings(m, q, other, other->reads[k]).by == other) {
                fact_push_text(list, arena_printf(m->arena, "ranks_wait(%d)", sums_exchange(m, other)));
                break;
            }
    }
}

void exchange_posts(Model *m, Fact *list, const Phase *p, const Op *op)
{
    const int number = sums_exchange(m, op), place = place_of(m, list_index(&m->backward_phases, p));
    if (op->pass == FOLD)
        fact_push_text(list, arena_printf(m->arena, "fold_begin(%d, %s, %s)", number, place_flat(m, op->reads[0].tensor, "0"), call_parts(m, op)));
    for (int i = 0; op->pass == PRODUCTS && i < op->read_count; i++) {
        const Use u = op->reads[i];
        const Brought b = exchange_brings(m, p, op, u);
        if (b.by != op)
            continue;
        wait_for_others(m, list, op, u.tensor, place);
        fact_push_text(list, arena_printf(m->arena, "ranks_post(%d, %s, %s)", number, exchange_gather(m, u.tensor, call_slice(m, p, u.tensor, u.shift), call_steps(p, u.tensor)),
                                          pieces_text(m, b.pieces, b.count)));
    }
}

Fact *exchange_before(Model *m, const Phase *p, const Op *op)
{
    Fact *list = fact_table(m->arena);
    const int at = list_index(&m->backward_phases, p);
    if (!m->options.mpi)
        return list;
    if (sums_posted(op) && !sums_made(&m->backward_phases, at))
        exchange_posts(m, list, p, op);
    for (int i = 0; i < op->read_count; i++) {
        const Use u = op->reads[i];
        if (op->pass == PRODUCTS) {
            const Op *by = exchange_brings(m, p, op, u).by;
            if (by && by != op)
                fact_push_text(list, arena_printf(m->arena, "ranks_wait(%d)", sums_exchange(m, by)));
        } else if (sums_reads(op, u.tensor)) {
            if (at >= 0)
                wait_for_others(m, list, op, u.tensor, 2 * at);
            fact_push_text(list, arena_printf(m->arena, "ranks_gather(%s)", exchange_gather(m, u.tensor, call_slice(m, p, u.tensor, u.shift), call_steps(p, u.tensor))));
        }
    }
    if (op->pass == PRODUCTS)
        fact_push_text(list, arena_printf(m->arena, "ranks_wait(%d)", sums_exchange(m, op)));
    return list;
}

Fact *exchange_behind(Model *m, const Op *op)
{
    Fact *list = fact_table(m->arena);
    DealPiece pieces[SUM_PIECES];
    if (m->options.mpi && op->pass == PRODUCTS && op->write_count) {
        const Tensor *sum = op->writes[0].tensor;
        fact_push_text(list, arena_printf(m->arena, "ranks_share(%s, sizeof(real), %s)", place_flat(m, sum, "0"), pieces_text(m, pieces, sums_pieces(op, sum, pieces))));
    }
    return list;
}
