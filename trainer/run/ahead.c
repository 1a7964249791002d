/* ahead.c -- a thread that prefetches the rows of the coming batches, so that a step finds them in memory, however large the files are.
 *
 * The files are mapped; a page that is not in memory is read when it is touched, and the step would wait for it.  posix_madvise starts reading
 * and returns, so many reads run at once; it may block while the disk's queue is full, hence the thread.  Nothing is copied or
 * kept: a row that comes too late, or is evicted again, is read when a step touches it.
 * Convention: places count examples over all epochs, epoch * examples + position. */
#define _POSIX_C_SOURCE 200809L
#include "run/ahead.h"
#include "augment.h"
#include "ranks.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* How far in front: as much as fits into BYTES, within a number of batches. */
enum { LEAST = 2, MOST = 32, BYTES = 1 << 26 };

struct Ahead {
    const Data *data;
    uint64_t seed;
    int64_t window, end;             /* examples in front; the place behind the last epoch */
    uint32_t *order;                 /* the order of `epoch`; both are used by the thread alone */
    int64_t epoch;
    pthread_t thread;
    pthread_mutex_t lock;            /* of what follows */
    pthread_cond_t moved;
    int64_t at, asked;               /* place of training (at the end until it begins); place up to which rows were requested */
    bool closing;
};

static bool is_mapped(const Data *d, int f) { return d->base[f] && d->base[f] == d->files[f].data; }
static const NetData *spec(int f) { return f < net.input_count ? &net.inputs[f] : &net.targets[f - net.input_count]; }

static void advise(const void *from, size_t bytes, int advice)
{
    uintptr_t before = (uintptr_t)from % (uintptr_t)sysconf(_SC_PAGESIZE);
    posix_madvise((void *)((uintptr_t)from - before), bytes + before, advice);
}

void ahead_shuffled(const Data *d)
{
    for (int f = 0; f < net.input_count + net.target_count; f++)
        if (is_mapped(d, f))
            advise(d->base[f], (size_t)d->examples * d->stride[f], POSIX_MADV_RANDOM);
}

/* ---- the rows of an example ------------------------------------------------------------------------------------------ */

/* How the squares of clutter lie in the images they are cut from: in each plane a run of whole rows. */
typedef struct { size_t height, width, planes, row; } Cut;       /* row: bytes */

static Cut cut_of(const Data *d, const NetAugment *augment)
{
    const NetData *s = spec(augment->input);
    size_t height = (size_t)s->shape[s->rank - 2], width = (size_t)s->shape[s->rank - 1];
    return (Cut){ height, width, s->count / (height * width), width * (d->stride[augment->input] / s->count) };
}

static void ask_clutter(const Ahead *a, const NetAugment *augment, uint32_t example)
{
    const Data *d = a->data;
    const Cut cut = cut_of(d, augment);
    Batch one = { .seed = a->seed, .epoch = (double)a->epoch, .which = &example, .all = d->base, .stride = d->stride, .total = d->examples };
    for (int k = 0; k < augment->pieces; k++) {
        AugmentPiece piece = augment_piece(&one, augment->input, 0, k, augment->piece, (int)cut.height, (int)cut.width);
        for (size_t plane = 0; plane < cut.planes; plane++)
            advise((const char *)piece.image + (plane * cut.height + (size_t)piece.row) * cut.row, (size_t)augment->piece * cut.row, POSIX_MADV_WILLNEED);
    }
}

static void ask_example(Ahead *a, int64_t place)
{
    const Data *d = a->data;
    if (place / d->examples != a->epoch)
        data_order(a->order, d, a->seed, (int)(a->epoch = place / d->examples));
    const int group = (int)(place % d->examples % net.batch) / net.lanes;
    if (group < ranks_from(net.groups) || group >= ranks_to(net.groups))        /* another rank's */
        return;
    uint32_t example = a->order[place % d->examples];
    for (int f = 0; f < net.input_count + net.target_count; f++)
        if (is_mapped(d, f))
            advise((const char *)d->base[f] + example * d->stride[f], d->stride[f], POSIX_MADV_WILLNEED);
    for (int k = 0; k < net.augment_count; k++)
        if (is_mapped(d, net.augments[k].input))
            ask_clutter(a, &net.augments[k], example);
}

/* Bytes that an example brings into memory, in whole pages; 0: nothing is mapped. */
static int64_t bytes_of_example(const Data *d)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = 0;
    for (int f = 0; f < net.input_count + net.target_count; f++)
        bytes += is_mapped(d, f) ? d->stride[f] + page : 0;
    for (int k = 0; k < net.augment_count; k++) {
        const NetAugment *augment = &net.augments[k];
        const Cut cut = cut_of(d, augment);
        if (is_mapped(d, augment->input))
            bytes += (size_t)augment->pieces * cut.planes * ((size_t)augment->piece * cut.row + page);
    }
    return (int64_t)bytes;
}

/* ---- the thread ------------------------------------------------------------------------------------------------------- */

static void *run(void *of)
{
    Ahead *a = of;
    pthread_mutex_lock(&a->lock);
    while (!a->closing) {
        int64_t to = a->at + a->window < a->end ? a->at + a->window : a->end, from = a->asked > a->at ? a->asked : a->at;
        if (from >= to) {
            pthread_cond_wait(&a->moved, &a->lock);
            continue;
        }
        to = to - from > net.batch ? from + net.batch : to;
        a->asked = to;
        pthread_mutex_unlock(&a->lock);
        for (int64_t place = from; place < to; place++)
            ask_example(a, place);
        pthread_mutex_lock(&a->lock);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

Ahead *ahead_open(const Data *data, uint64_t seed, int epochs)
{
    int64_t bytes = bytes_of_example(data);
    Ahead *a = bytes ? calloc(1, sizeof *a) : NULL;
    if (!a)
        return NULL;
    int64_t fit = BYTES / bytes, least = (int64_t)LEAST * net.batch, most = (int64_t)MOST * net.batch;
    *a = (Ahead){ .data = data, .seed = seed, .window = fit < least ? least : fit > most ? most : fit, .end = epochs * data->examples,
                  .at = epochs * data->examples, .order = malloc((size_t)data->examples * sizeof *a->order), .epoch = -1 };
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->moved, NULL);
    sigset_t all, before;            /* signals are the training's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = a->order && !pthread_create(&a->thread, NULL, run, a);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started)
        return a;
    free(a->order);
    free(a);
    return NULL;
}

void ahead_move(Ahead *a, int epoch, int64_t position)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->at = epoch * a->data->examples + position;
    if (a->asked < a->at + a->window / 2)       /* woken seldom, for many rows at once */
        pthread_cond_signal(&a->moved);
    pthread_mutex_unlock(&a->lock);
}

void ahead_close(Ahead *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->closing = true;
    pthread_cond_signal(&a->moved);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    pthread_cond_destroy(&a->moved);
    pthread_mutex_destroy(&a->lock);
    free(a->order);
    free(a);
}
