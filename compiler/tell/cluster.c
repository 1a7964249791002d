/* cluster.c -- `spnc show --scaling --ranks`: bytes and messages of a training step on several processes, and its time by a model.
 *
 * In: a Deck.  Out: text.  The bytes are exact (emit/traffic.c).  The time is that of scaling.c for one thread a rank: what groups do is divided, as the rank with the most
 * groups has it; products for the whole batch, transforms of weights and the update are done by each rank.  To that comes, of the rank that sends most, a latency a
 * message and the bytes by the bandwidth; nothing is sent while something is computed.  Weak: so many times the batch for so many ranks. */
#include "emit/traffic.h"
#include "tell/show.h"

#include <stdlib.h>
#include <string.h>

static void add(Traffic *to, Traffic more)
{
    to->bytes += more.bytes;
    to->messages += more.messages;
}

/* What a rank sends in a step. */
static Traffic of_step(Model *m, int groups, int ranks, int rank)
{
    Traffic sum = traffic_losses(m, groups, ranks, rank);
    add(&sum, traffic_norm(m, ranks, rank));
    add(&sum, traffic_weights(m, ranks, rank));
    for (int pass = 0; pass < 2; pass++) {
        const List *phases = pass ? &m->backward_phases : &m->forward_phases;
        for (int i = 0; i < phases->count; i++) {
            const Phase *p = phases->items[i];
            for (int k = 0; k < p->ops.count; k++)
                add(&sum, traffic_op(m, p, p->ops.items[k], groups, ranks, rank));
        }
    }
    return sum;
}

/* Of all ranks together, and the most that one sends. */
static Traffic of_ranks(Model *m, int groups, int ranks, Traffic *most)
{
    Traffic all = { 0, 0 };
    *most = all;
    for (int r = 0; r < ranks; r++) {
        const Traffic one = of_step(m, groups, ranks, r);
        add(&all, one);
        most->bytes = one.bytes > most->bytes ? one.bytes : most->bytes;
        most->messages = one.messages > most->messages ? one.messages : most->messages;
    }
    return all;
}

/* Appends a line for each sum: what `ranks` ranks send for it together. */
static void layers(Text *out, Model *m, int ranks)
{
    Traffic losses = { 0, 0 }, norm = { 0, 0 }, weights = { 0, 0 }, state = { 0, 0 };
    text_printf(out, "\nOn %d ranks, by what the sums are of:\n  %-28s %12s %9s  %s\n", ranks, "sum", "bytes", "messages", "order");
    for (int pass = 0; pass < 2; pass++) {
        const List *phases = pass ? &m->backward_phases : &m->forward_phases;
        for (int i = 0; i < phases->count; i++) {
            const Phase *p = phases->items[i];
            for (int k = 0; k < p->ops.count; k++) {
                const Op *op = p->ops.items[k];
                Traffic all = { 0, 0 };
                for (int r = 0; r < ranks; r++)
                    add(&all, traffic_op(m, p, op, m->groups, ranks, r));
                if (all.messages)
                    text_printf(out, "  %-28s %12lld %9lld  %s\n", op->weight_count && op->pass != FORWARD ? op->weights[0]->name : op->name, (long long)all.bytes,
                                (long long)all.messages, sums_order(sums_kind(op)));
            }
        }
    }
    for (int r = 0; r < ranks; r++) {
        add(&losses, traffic_losses(m, m->groups, ranks, r));
        add(&norm, traffic_norm(m, ranks, r));
        add(&weights, traffic_weights(m, ranks, r));
        add(&state, traffic_state(m, ranks, r));
    }
    text_printf(out, "  %-28s %12lld %9lld  slices in order\n", "losses and errors", (long long)losses.bytes, (long long)losses.messages);
    text_printf(out, "  %-28s %12lld %9lld  rows\n", "norm of the gradient", (long long)norm.bytes, (long long)norm.messages);
    text_printf(out, "  %-28s %12lld %9lld  each rank updates its rows\n", "weights", (long long)weights.bytes, (long long)weights.messages);
    if (state.messages)
        text_printf(out, "For a checkpoint, %lld bytes of the optimiser's state in %lld messages.\n", (long long)state.bytes, (long long)state.messages);
}

void cluster_text(Text *out, const Deck *d, const char *ranks_given, const char *network)
{
    Model *m = d->m;
    int ranks[RANKS_MOST], count = 0, largest = 1;
    double latency = 0, bandwidth = 1, shared, dealt, repeated;
    for (const char *at = ranks_given; at && count < RANKS_MOST; at = strchr(at, ',')) {
        at += *at == ',';
        ranks[count++] = atoi(at);
    }
    sscanf(network, "%lf,%lf", &latency, &bandwidth);
    scaling_seconds(d, &shared, &dealt, &repeated);
    text_printf(out, "%s: a training step of %lld examples (%d groups), %s, on several ranks of one thread.  Bytes are counted; times are a model: %.3f ms are shared out by\n"
                     "groups, %.3f ms evenly, %.3f ms are done by each rank, then %g us a message and %g GB/s of the rank that sends most.\n\n", m->name, (long long)m->batch, m->groups,
                m->options.is_double ? "double" : "float", 1e3 * shared, 1e3 * dealt, 1e3 * repeated, 1e6 * latency, 1e-9 * bandwidth);
    text_printf(out, "  %5s %6s %12s %9s %12s %9s %10s %8s %8s\n", "ranks", "groups", "bytes", "messages", "most bytes", "ms", "of network", "faster", "weak, %");
    for (int k = 0; k < count; k++) {
        const int n = ranks[k];
        Traffic most, weak;
        of_ranks(m, m->groups * n, n, &weak);
        const double alone = shared + dealt + repeated, other = latency * (double)weak.messages + (double)weak.bytes / bandwidth;
        if (n > m->groups) {
            text_printf(out, "  %5d %6s %12s %9s %12s %9s %10s %8s %8.0f\n", n, "-", "-", "-", "-", "-", "-", "-", 100 * alone / (shared + dealt + n * repeated + other));
            continue;
        }
        const Traffic all = of_ranks(m, m->groups, n, &most);
        const int groups = (m->groups + n - 1) / n;
        const double sent = latency * (double)most.messages + (double)most.bytes / bandwidth, seconds = shared * groups / m->groups + dealt / n + repeated + sent;
        text_printf(out, "  %5d %6d %12lld %9lld %12lld %9.3f %10.3f %8.2f %8.0f\n", n, groups, (long long)all.bytes, (long long)all.messages, (long long)most.bytes, 1e3 * seconds, 1e3 * sent,
                    alone / seconds, 100 * alone / (shared + dealt + n * repeated + other));
        largest = n > largest ? n : largest;
    }
    text_printf(out, "\ngroups: of the rank with the most.  weak: the batch grows with the ranks; a step of one rank, in %% of theirs.  -: more ranks than groups.\n");
    if (largest > 1)
        layers(out, m, largest);
}
