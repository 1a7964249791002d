/* traffic.c -- see traffic.h.
 *
 * In: the planned graph.  The messages are those of runtime/ranks_mpi.c, from each rank to each other; the sizes those of call.c's arguments. */
#include "emit/traffic.h"
#include "deal.h"
#include "emit/call.h"

static int64_t real_bytes(const Model *m) { return m->options.is_double ? 8 : 4; }

/* `steps` slices of each own group to all others, in `rounds` calls. */
static Traffic gathered(const Model *m, const Tensor *t, int64_t steps, int64_t rounds, int groups, int ranks, int rank)
{
    const int64_t own = deal_from(groups, ranks, rank + 1) - deal_from(groups, ranks, rank);
    return (Traffic){ rounds * steps * own * tensor_owner(t)->slot_reals * real_bytes(m) * (ranks - 1), rounds * (ranks - 1) };
}

/* The nodes of a rank to those who need them, then its slice of the sum. */
static Traffic folded(const Model *m, const Op *op, int groups, int ranks, int rank)
{
    const Tensor *part = op->reads[0].tensor;
    const int leaves = groups * steps_all(part->repeat);
    const int64_t size = part->space == RAW ? part->slot_reals : shape_count(&part->shape);
    DealNode *nodes = NEW_ARRAY(m->arena, DealNode, leaves);
    const int count = deal_nodes(nodes, leaves, groups, ranks);
    int64_t own = 0, reals = 0, messages = 0;
    for (int k = 0; k < count; k++)
        own += nodes[k].rank == rank;
    const int64_t slice = size <= DEAL_SHORT ? 0 : deal_slice(size, ranks, rank + 1) - deal_slice(size, ranks, rank);
    for (int r = 0; r < ranks; r++) {
        const int64_t theirs = size <= DEAL_SHORT ? size : deal_slice(size, ranks, r + 1) - deal_slice(size, ranks, r);
        if (r == rank)
            continue;
        reals += own * theirs + slice;
        messages += (theirs > 0) + (slice > 0);
    }
    return (Traffic){ reals * real_bytes(m), messages };
}

Traffic traffic_op(const Model *m, const Phase *p, const Op *op, int groups, int ranks, int rank)
{
    Traffic all = { 0, 0 };
    const int rounds = section_loops(p->kind) ? steps_all(p->repeat) / steps_all(p->from->outer) : 1;
    if (ranks == 1)
        return all;
    if (sums_kind(op) == SUM_TREE)
        return folded(m, op, groups, ranks, rank);
    for (int i = 0; i < op->read_count; i++) {
        const Tensor *t = op->reads[i].tensor;
        if (!sums_reads(op, t))
            continue;
        const Traffic one = gathered(m, t, call_steps(p, t), rounds, groups, ranks, rank);
        all.bytes += one.bytes;
        all.messages += one.messages;
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
        const Traffic one = gathered(m, t, steps_all(t->repeat), 1, groups, ranks, rank);
        all.bytes += one.bytes;
        all.messages += one.messages;
    }
    return all;
}
