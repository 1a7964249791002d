/* traffic.c -- see traffic.h.
 *
 * In: the planned graph.  The messages are those of runtime/ranks_mpi.c, from each rank to each other; the sizes those of call.c's arguments. */
#include "emit/traffic.h"
#include "deal.h"
#include "emit/call.h"
#include "emit/exchange.h"
#include "read/language.h"

static int64_t real_bytes(const Model *m) { return m->options.is_double ? 8 : 4; }

static void add(Traffic *to, int64_t bytes)
{
    to->bytes += bytes;
    to->messages += bytes > 0;
}

/* Reals of the rows of the pieces that a rank has. */
static int64_t rows_of(const DealPiece *pieces, int count, int ranks, int rank)
{
    int64_t reals = 0;
    for (int k = 0; k < count; k++)
        reals += (int64_t)(deal_from(pieces[k].rows, ranks, rank + 1) - deal_from(pieces[k].rows, ranks, rank)) * pieces[k].row * pieces[k].times;
    return reals;
}

/* `steps` slices of each own group to all others, in `rounds` calls; with pieces to each its rows of them. */
static Traffic gathered(const Model *m, const Tensor *t, int64_t steps, int64_t rounds, const DealPiece *pieces, int count, int groups, int ranks, int rank)
{
    const int64_t own = deal_from(groups, ranks, rank + 1) - deal_from(groups, ranks, rank);
    Traffic all = { 0, 0 };
    for (int r = 0; r < ranks; r++)
        for (int64_t k = 0; k < rounds && r != rank; k++)
            add(&all, steps * own * (count ? rows_of(pieces, count, ranks, r) : tensor_owner(t)->slot_reals) * real_bytes(m));
    return all;
}

/* The nodes of a rank to those who need them; of a sum that becomes a gradient yet, then its slice to all. */
static Traffic folded(const Model *m, const Op *op, int groups, int ranks, int rank)
{
    const Tensor *part = op->reads[0].tensor;
    const int leaves = groups * steps_all(part->repeat);
    const int64_t size = call_fold_size(op), row = call_fold_row(op);
    DealNode *nodes = NEW_ARRAY(m->arena, DealNode, leaves);
    const int count = deal_nodes(nodes, leaves, groups, ranks);
    int64_t own = 0;
    Traffic all = { 0, 0 };
    ptrdiff_t from, to, mine, end;
    for (int k = 0; k < count; k++)
        own += nodes[k].rank == rank;
    deal_range(&mine, &end, size, row, ranks, rank);
    for (int r = 0; r < ranks; r++) {
        if (r == rank)
            continue;
        deal_range(&from, &to, size, row, ranks, r);
        add(&all, own * (to - from) * real_bytes(m));
        add(&all, part->space == RAW && row ? (end - mine) * real_bytes(m) : 0);
    }
    return all;
}

Traffic traffic_op(Model *m, const Phase *p, const Op *op, int groups, int ranks, int rank)
{
    Traffic all = { 0, 0 };
    DealPiece pieces[SUM_PIECES];
    const int rounds = section_loops(p->kind) ? steps_all(p->repeat) / steps_all(p->from->outer) : 1;
    if (ranks == 1)
        return all;
    if (sums_kind(op) == SUM_TREE)
        return folded(m, op, groups, ranks, rank);
    for (int i = 0; i < op->read_count; i++) {
        const Tensor *t = op->reads[i].tensor;
        const Brought b = exchange_brings(m, p, op, op->reads[i]);
        if (b.by != op)
            continue;
        const Traffic one = gathered(m, t, call_steps(p, t), rounds, b.pieces, b.count, groups, ranks, rank);
        all.bytes += one.bytes;
        all.messages += one.messages;
    }
    for (int r = 0; r < ranks && op->pass == PRODUCTS && op->write_count; r++)
        if (r != rank)
            add(&all, rows_of(pieces, sums_pieces(op, op->writes[0].tensor, pieces), ranks, rank) * real_bytes(m));
    return all;
}

/* Reals of the rows that a rank updates. */
static int64_t own_weights(const Model *m, int ranks, int rank)
{
    int64_t reals = 0;
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *w = m->weights.items[i];
        const int rows = (int)(w->layout == W_IN_OUT ? w->shape.dim[1] : w->shape.rank ? w->shape.dim[0] : 1);
        reals += w->frozen ? 0 : (deal_from(rows, ranks, rank + 1) - deal_from(rows, ranks, rank)) * sums_row(w);
    }
    return reals;
}

Traffic traffic_state(const Model *m, int ranks, int rank)
{
    const int blocks = optimiser_blocks(m->train.optimiser, m->train.optimiser_set, NULL) + (m->train.accumulate > 1);
    Traffic all = { 0, 0 };
    for (int k = 0; k < blocks * (ranks - 1); k++)
        add(&all, own_weights(m, ranks, rank) * real_bytes(m));
    return all;
}

Traffic traffic_weights(const Model *m, int ranks, int rank)
{
    Traffic all = { 0, 0 };
    for (int k = 0; k < ranks - 1; k++)
        add(&all, own_weights(m, ranks, rank) * real_bytes(m));
    return all;
}

/* Sums of rows, two doubles each, and sums over inputs, which go from rank to rank, and from the last one to all. */
Traffic traffic_norm(const Model *m, int ranks, int rank)
{
    int64_t rows = 0, columns = 0;
    Traffic all = { 0, 0 };
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *w = m->weights.items[i];
        if (!sums_row(w) || w->frozen)
            continue;
        if (w->layout == W_IN_OUT)
            columns += w->shape.dim[0];
        else
            rows += deal_from((int)w->shape.dim[0], ranks, rank + 1) - deal_from((int)w->shape.dim[0], ranks, rank);
    }
    for (int r = 0; r < ranks; r++) {
        if (r == rank)
            continue;
        add(&all, rows * 16);
        add(&all, rank == ranks - 1 || r == rank + 1 ? columns * 16 : 0);
    }
    return all;
}

Traffic traffic_losses(const Model *m, int groups, int ranks, int rank)
{
    Traffic all = { 0, 0 };
    for (int i = 0; i < m->tensors.count && ranks > 1; i++) {
        const Tensor *t = m->tensors.items[i];
        if (sums_shown(m, t) != SHOWN_IN_TRAINING)
            continue;
        const Traffic one = gathered(m, t, steps_all(t->repeat), 1, NULL, 0, groups, ranks, rank);
        all.bytes += one.bytes;
        all.messages += one.messages;
    }
    return all;
}
