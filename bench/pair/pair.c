/* pair.c -- two programs made by spnc, their training steps in turn: which is faster, on a machine where nothing else stays the same.
 *
 * In:  two shared libraries, each a side.c and its net (bench/pair/pair.sh makes them).  Out: a line a pair, seconds: the training step of the first and
 * of the second, the forward pass of the first and of the second.  Next: ratios.py.
 * A step of the first, a step of the second, next time the other way round.  What a neighbour takes of the processor for a second or more it takes of
 * both, so the median of the pairs' ratios is steadier than the ratio of two benches.  Both nets are open in one process and have the same threads.
 *
 * usage: pair THREADS PAIRS FIRST.so SECOND.so
 * Exit codes: 0 fine, 1 batches of different sizes, 2 wrong usage, 74 no such library or no memory. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WARM_UP = 3 };                           /* pairs that are not printed */

typedef struct {
    int batch;                                  /* examples */
    int (*open)(int threads);
    void (*step)(int64_t update);
    void (*forward)(void);
} Side;

static void *find(void *library, const char *path, const char *name)
{
    void *function = dlsym(library, name);
    if (!function) {
        fprintf(stderr, "pair: %s: no %s\n", path, name);
        exit(74);
    }
    return function;
}

static Side open_side(const char *path, int threads)
{
    Side s;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (!library) {
        fprintf(stderr, "pair: %s\n", dlerror());
        exit(74);
    }
    *(void **)&s.open = find(library, path, "side_open");
    *(void **)&s.step = find(library, path, "side_step");
    *(void **)&s.forward = find(library, path, "side_forward");
    s.batch = s.open(threads);
    if (s.batch < 0) {
        fprintf(stderr, "pair: %s: no memory\n", path);
        exit(74);
    }
    return s;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    long threads = argc == 5 ? strtol(argv[1], NULL, 10) : 0, pairs = argc == 5 ? strtol(argv[2], NULL, 10) : 0;
    if (threads < 1 || threads > 1024 || pairs < 1 || pairs > 1000000) {
        fprintf(stderr, "usage: pair THREADS PAIRS FIRST.so SECOND.so\n");
        return 2;
    }
    Side side[2] = { open_side(argv[3], (int)threads), open_side(argv[4], (int)threads) };
    if (side[0].batch != side[1].batch) {
        fprintf(stderr, "pair: the first has batches of %d examples, the second of %d: their steps cannot be compared\n", side[0].batch, side[1].batch);
        return 1;
    }
    for (long i = 0; i < WARM_UP + pairs; i++) {
        double step[2], forward[2];
        for (int k = 0; k < 2; k++) {
            int s = k ^ (int)(i & 1);
            double begin = now();
            side[s].step(i);
            double between = now();
            side[s].forward();
            step[s] = between - begin, forward[s] = now() - between;
        }
        if (i >= WARM_UP)
            printf("%.9f %.9f %.9f %.9f\n", step[0], step[1], forward[0], forward[1]);
    }
    return 0;
}
