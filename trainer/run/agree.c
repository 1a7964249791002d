/* agree.c -- see agree.h.  Weights and examples are compared by checksums, the rest as text. */
#include "run/agree.h"
#include "ranks.h"
#include "run/culprit.h"
#include "run/message.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <zlib.h>

typedef struct { char text[8192]; size_t length; } Lines;

static __attribute__((format(printf, 2, 3))) void add(Lines *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(l->text + l->length, sizeof l->text - l->length, format, args);
    va_end(args);
    l->length += n > 0 && (size_t)n < sizeof l->text - l->length ? (size_t)n : 0;
}

static void add_data(Lines *l, const Data *d)
{
    add(l, "number of %s examples\t%" PRId64 "\n%s examples (checksum)\t%016" PRIx64 "\n", d->split, d->examples, d->split, data_mark(d));
}

static void add_block(Lines *l, const char *what, const real *block, size_t reals)
{
    if (block)
        add(l, "%s (checksum)\t%08lx\n", what, (unsigned long)crc32_z(crc32(0, Z_NULL, 0), (const Bytef *)block, reals * sizeof *block));
}

static void add_progress(Lines *l, const Progress *p)
{
    const NetTraining *t = &p->training;
    add(l, "train.seed\t%" PRIu64 "\ntrain.epochs\t%d\ntrain.patience\t%d\ntrain.rate\t%.17g\n", t->seed, t->epochs, t->patience, t->rate);
    for (int k = 0; k < net.schedule_count; k++)
        add(l, "%s\t%.17g\n", net.schedule[k].name, t->schedule[k]);
    for (int k = 0; k < net.rate_count; k++)
        add(l, "%s\t%.17g\n", net.rates[k].name, t->dropout[k]);
    add(l, "place in the run\tepoch %d, example %" PRId64 ", update %" PRIu64 "\n", p->epoch, p->position, p->updates);
    for (int k = 0; k < net.state_blocks; k++)
        add_block(l, "optimiser's state", net.state(k), net.block);
    add_block(l, "average of the weights", net.average ? net.average() : NULL, net.block);
    add_block(l, "gradients that wait", net.gathered ? net.gathered() : NULL, net.block);
}

void agree(const Data *data, const Data *valid, const Progress *p, double max_time)
{
    Lines l = { .length = 0 };
    if (ranks_count() == 1)
        return;
    if (ranks_count() > net.groups)
        fail(WRONG_USAGE, "%d ranks, but a batch of %d examples has %d groups of %d, and each rank needs one: at most mpirun -n %d", ranks_count(), net.batch, net.groups,
             net.lanes, net.groups);
    add(&l, "program (model hash)\t%s\n", net.hash);
    add_data(&l, data);
    if (valid)
        add_data(&l, valid);
    if (p)
        add_progress(&l, p);
    add(&l, "--max-time\t%.17g s\n", max_time);
    add_block(&l, "weights", net.weights(), net.block);
    add_block(&l, "running statistics", net.running ? net.running() : NULL, net.buffer_block);
    ranks_agree(net.name, l.text, 0, 0);
}

bool agree_any(bool here) { return ranks_most(here) != 0; }

int agree_signal(volatile sig_atomic_t *here, bool *due)
{
    if (ranks_count() == 1)
        return (int)*here;
    const int most = ranks_most(2 * (int)*here + *due);
    if (most / 2)
        *here = most / 2;                      /* else it stays: a signal may have come while this rank waited, and counts the next time */
    *due = most % 2;
    return most / 2;
}

/* Has a value of this rank's examples an element that is no number? */
static bool is_nonsense(const NetValue *v)
{
    for (int step = 0; step < (v->steps && !v->once ? v->steps : 1); step++)
        for (int g = ranks_from(net.groups); g < ranks_to(net.groups); g++) {
            const real *slot = net.activations() + v->offset + ((size_t)step * (size_t)net.groups + (size_t)g) * v->slot;
            for (size_t i = 0; i < v->count * (size_t)net.lanes; i++)
                if (!isfinite(slot[i]))
                    return true;
        }
    return false;
}

int agree_unusable(void) { return 1; }

/* The first rank for which it is so; -1: none. */
static int first_rank(bool here)
{
    const int most = ranks_most(here ? ranks_count() - ranks_mine() : 0);
    return most ? ranks_count() - most : -1;
}

void agree_nonsense(char *text, size_t size, const Data *data, const Batch *batch)
{
    const size_t name = (size_t)snprintf(text, size, "%s", ranks_name());
    int first = ranks_count() > 1 ? first_rank(!culprit_data_is_finite(text + name, size - name, data, batch)) : -1;
    bool found = false;
    if (first < 0)
        *text = 0;
    else
        ranks_tell(text, size, first);
    for (int k = 0; k < net.value_count && ranks_count() > 1 && !*text; k++)
        found = found || is_nonsense(&net.values[k]);
    first = first_rank(found);
    if (found && first == ranks_mine())
        fprintf(stderr, "%s: error: %sa value of its examples is no number\n", net.name, ranks_name());
    ranks_most(0);                             /* it is told before the job ends */
}
