/* pair.c -- two programs made by spnc, their training steps in turn: which is faster, on a machine where nothing else stays the same.
 *
 * bench/pair/pair.sh makes a shared library of each and calls this.  A step of the first, a step of the second, next time the other way round; each pair gives
 * one ratio.  What a neighbour takes of the processor for a second or more it takes of both, so that the median of the ratios is steadier than the
 * ratio of two benches.  Both nets are open in one process and have the same threads.
 * Built with the flags of the generated folders, which define _GNU_SOURCE.
 * usage: pair THREADS PAIRS FIRST.so SECOND.so */
#include "run/data.h"
#include "clock.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    const Net *net;
    Data data;
    void (*batch_of)(Batch *batch, Data *data, const uint32_t *order, int64_t first);
    double *step, *forward;                     /* [pairs] seconds */
} Side;

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void open_side(Side *s, const char *path, int threads, size_t pairs)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (!library) {
        fprintf(stderr, "pair: %s\n", dlerror());
        exit(74);
    }
    void (*made_up)(Data *, int64_t, uint64_t);
    void (*init)(real *, uint64_t);
    *(void **)&made_up = dlsym(library, "data_made_up"), *(void **)&init = dlsym(library, "weights_init");
    *(void **)&s->batch_of = dlsym(library, "data_batch"), s->net = dlsym(library, "net");
    s->step = calloc(pairs, sizeof(double)), s->forward = calloc(pairs, sizeof(double));
    if (!made_up || !init || !s->batch_of || !s->net || !s->step || !s->forward || s->net->open(threads)) {
        fprintf(stderr, "pair: %s: no program of spnc's, or no memory for it\n", path);
        exit(74);
    }
    made_up(&s->data, s->net->batch, 0);
    init(s->net->weights(), 1);
}

static void run(Side *s, long i)                /* the first, with i < 0, warm up */
{
    Batch batch = { .train = 1, .step = (uint64_t)(i + 3) };
    double norm, begin = clock_now();
    s->batch_of(&batch, &s->data, NULL, 0);
    s->net->step(&batch, 1e-4, batch.step, &norm);
    double between = clock_now();
    batch.train = 0;
    s->net->forward(&batch, NULL);
    if (i >= 0)
        s->step[i] = between - begin, s->forward[i] = clock_now() - between;
}

static void report(const char *what, const double *first, const double *second, size_t pairs)
{
    double *ratio = calloc(pairs, sizeof *ratio), *a = calloc(pairs, sizeof *a), *b = calloc(pairs, sizeof *b);
    if (!ratio || !a || !b) {
        fprintf(stderr, "pair: no memory\n");
        exit(74);
    }
    for (size_t i = 0; i < pairs; i++)
        ratio[i] = first[i] / second[i], a[i] = first[i], b[i] = second[i];
    qsort(ratio, pairs, sizeof *ratio, by_size), qsort(a, pairs, sizeof *a, by_size), qsort(b, pairs, sizeof *b, by_size);
    printf("%-13s first %8.3f ms, second %8.3f ms (medians); %8.3f and %8.3f (a twentieth is faster); first / second %.3f (half of them %.3f to %.3f)\n", what,
           1e3 * a[pairs / 2], 1e3 * b[pairs / 2], 1e3 * a[pairs / 20], 1e3 * b[pairs / 20], ratio[pairs / 2], ratio[pairs / 4], ratio[pairs * 3 / 4]);
    free(ratio), free(a), free(b);
}

int main(int argc, char **argv)
{
    long threads = argc == 5 ? strtol(argv[1], NULL, 10) : 0, pairs = argc == 5 ? strtol(argv[2], NULL, 10) : 0;
    Side side[2];
    if (threads < 1 || threads > 1024 || pairs < 1 || pairs > 1000000) {
        fprintf(stderr, "usage: pair THREADS PAIRS FIRST.so SECOND.so\n");
        return 2;
    }
    for (int k = 0; k < 2; k++)
        open_side(&side[k], argv[3 + k], (int)threads, (size_t)pairs);
    for (long i = -3; i < pairs; i++)
        for (int k = 0; k < 2; k++)
            run(&side[k ^ (i & 1)], i);
    report("training step", side[0].step, side[1].step, (size_t)pairs);
    report("forward pass", side[0].forward, side[1].forward, (size_t)pairs);
    return 0;
}
