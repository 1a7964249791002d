/* calls.c -- how long a call of C takes, without what it costs to come from Python.  A shared object for inference.py. */
#define _POSIX_C_SOURCE 199309L
#include <time.h>

enum { BLOCKS = 5 };
static const double LEAST = 20e-6,      /* seconds of a block: a thousand times what the clock itself takes */
                    WARM = 3e-3;        /* of calls before: until weights have come back into the caches from which another side has pushed them */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one call of call(arguments), of the quickest of a few blocks of calls one behind the other.  A block has as many calls as last for LEAST. */
double quickest(void (*call)(void *), void *arguments)
{
    double best = 1e9;
    for (const double begin = now(); now() - begin < WARM;)
        call(arguments);
    for (int block = 0, calls = 1; block < BLOCKS;) {
        const double begin = now();
        for (int i = 0; i < calls; i++)
            call(arguments);
        const double taken = now() - begin;
        if (taken < LEAST) {
            calls *= 2;
            continue;
        }
        best = taken / calls < best ? taken / calls : best;
        block++;
    }
    return best;
}

/* What spnc's NAME_run takes. */
struct run {
    int (*run)(void *net, int count, const void *inputs, const void *outputs);
    void *net;
    const void *inputs, *outputs;
    int count;
};

/* One call of it; its answer is that of the calls before, which were compared. */
void call_run(void *arguments)
{
    const struct run *r = arguments;
    r->run(r->net, r->count, r->inputs, r->outputs);
}
