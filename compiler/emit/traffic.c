/* traffic.c -- see traffic.h.
 *
 * In: the planned graph.  The messages are those of runtime/ranks_mpi.c, from each rank to each other; the sizes those of call.c's arguments. */
#include "emit/traffic.h"
#include "deal.h"
#include "emit/call.h"
#include "emit/exchange.h"
#include "read/language.h"

static int64_t real_bytes(const Model *m) { return m->options.is_double ? 8 : 4; }

static void add(Traffic *to, Traffic more)
{
    to->bytes += more.bytes;
    to->messages += more.messages;
}

/* Of n blocks of numbers, of `each` bytes, that go to one rank. */
static Traffic sent(const DealBlock *blocks, int n, int64_t each)
{
    long long bytes;
    const int messages = deal_messages(blocks, n, (size_t)each, &bytes);
    return (Traffic){ bytes, messages };
}

/* The rows of the pieces that a rank has (DEAL_ALL: all rows), to one other. */
static Traffic rows_of(const Model *m, const DealPiece *pieces, int count, int64_t each, int ranks, int rank)
{
    DealBlock *blocks = NEW_ARRAY(m->arena, DealBlock, deal_places(pieces, count) + 1);
    return sent(blocks, deal_rows(blocks, 0, 0, pieces, count, ranks, rank), each);
}

/* `steps` slices of each own group to all others, in `rounds` calls; with pieces to each its rows of them. */
static Traffic gathered(const Model *m, const Tensor *t, int64_t steps, int64_t rounds, const DealPiece *pieces, int count, int groups, int ranks, int rank)
{
    DealBlock *blocks = NEW_ARRAY(m->arena, DealBlock, (int)steps * groups * (count ? deal_places(pieces, count) : 1) + 1);
    Traffic all = { 0, 0 };
    for (int r = 0; r < ranks; r++) {
        if (r == rank)
            continue;
        const Traffic one = sent(blocks, deal_slices(blocks, (int)steps, groups, tensor_owner(t)->slot_reals, rank, pieces, count, ranks, r), real_bytes(m));
        add(&all, (Traffic){ rounds * one.bytes, rounds * one.messages });
    }
    return all;
}

/* The nodes of a rank to those who need them; of a sum that becomes a gradient yet, then its slice to all. */
static Traffic folded(const Model *m, const Op *op, int groups, int ranks, int rank)
{
    const Tensor *part = op->reads[0].tensor;
    const int leaves = groups * steps_all(part->repeat);
    const int64_t size = call_fold_size(op), row = call_fold_row(op), stride = (size + 15) / 16 * 16;
    DealNode *nodes = NEW_ARRAY(m->arena, DealNode, leaves);
    DealBlock *blocks = NEW_ARRAY(m->arena, DealBlock, leaves), slice;
    const int count = deal_nodes(nodes, leaves, groups, ranks);
    Traffic all = { 0, 0 };
    ptrdiff_t from, to, mine, end;
    deal_range(&mine, &end, size, row, ranks, rank);
    for (int r = 0; r < ranks; r++) {
        if (r == rank)
            continue;
        deal_range(&from, &to, size, row, ranks, r);
        add(&all, sent(blocks, deal_node_blocks(blocks, nodes, count, rank, stride, from, to), real_bytes(m)));
        if (part->space == RAW && row)
            add(&all, sent(&slice, deal_add(&slice, 0, mine, end - mine), real_bytes(m)));
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
        add(&all, gathered(m, t, call_steps(p, t), rounds, b.pieces, b.count, groups, ranks, rank));
    }
    for (int r = 0; r < ranks && op->pass == PRODUCTS && op->write_count; r++)
        if (r != rank)
            add(&all, rows_of(m, pieces, sums_pieces(op, op->writes[0].tensor, pieces), real_bytes(m), ranks, rank));
    return all;
}

static int rows_of_weight(const Weight *w) { return (int)(w->frozen ? 0 : w->shape.rank ? w->shape.dim[0] : 1); }

/* The rows that a rank updates, to one other: the pieces are those of runtime/shares.h. */
static Traffic own_weights(const Model *m, int ranks, int rank)
{
    DealPiece *pieces = NEW_ARRAY(m->arena, DealPiece, m->weights.count + 1);
    int count = 0;
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *w = m->weights.items[i];
        if (!w->frozen && sums_row(w))
            pieces[count++] = (DealPiece){ w->offset, sums_row(w), w->layout == W_IN_OUT ? (int)w->shape.dim[1] : rows_of_weight(w), 1, 0 };
    }
    return rows_of(m, pieces, count, real_bytes(m), ranks, rank);
}

Traffic traffic_state(const Model *m, int ranks, int rank)
{
    const int blocks = optimiser_blocks(m->train.optimiser, m->train.optimiser_set, NULL) + (m->train.accumulate > 1);
    const Traffic one = own_weights(m, ranks, rank);
    return (Traffic){ blocks * (ranks - 1) * one.bytes, blocks * (ranks - 1) * one.messages };
}

Traffic traffic_weights(const Model *m, int ranks, int rank)
{
    const Traffic one = own_weights(m, ranks, rank);
    return (Traffic){ (ranks - 1) * one.bytes, (ranks - 1) * one.messages };
}

/* Sums of rows, two doubles each, and sums over inputs, which go from rank to rank, and from the last one to all. */
Traffic traffic_norm(const Model *m, int ranks, int rank)
{
    DealPiece *rows = NEW_ARRAY(m->arena, DealPiece, m->weights.count + 1), *columns = NEW_ARRAY(m->arena, DealPiece, m->weights.count + 1);
    int row_count = 0, column_count = 0, sums = 0;
    Traffic all = { 0, 0 };
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *w = m->weights.items[i];
        const DealPiece piece = { 2 * sums, 2, rows_of_weight(w), 1, 0 };
        sums += rows_of_weight(w);
        if (!sums_row(w) || w->frozen)
            continue;
        if (w->layout == W_IN_OUT)
            columns[column_count++] = piece;
        else
            rows[row_count++] = piece;
    }
    for (int r = 0; r < ranks; r++) {
        if (r == rank)
            continue;
        add(&all, rows_of(m, rows, row_count, sizeof(double), ranks, rank));
        if (rank == ranks - 1 || r == rank + 1)
            add(&all, rows_of(m, columns, column_count, sizeof(double), ranks, DEAL_ALL));
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
        add(&all, gathered(m, t, steps_all(t->repeat), 1, NULL, 0, groups, ranks, rank));
    }
    return all;
}
