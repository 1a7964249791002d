/* bench.c -- the command `bench`: what a training step takes, beside what the machine could do.
 *
 * Times are medians over made-up examples.  The peak is measured by the same threads in the same run: chains of
 * fused multiply-adds that depend on nothing but themselves, enough of them to fill every unit's latency. */
#define _DEFAULT_SOURCE
#include "data.h"
#include "json.h"
#include "message.h"
#include "trainer.h"
#include "vec.h"
#include "weights.h"

#include <stdlib.h>
#include <sys/resource.h>

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- the peak --------------------------------------------------------------------------------------------------- */

#if defined SPN_AVX512
typedef spn_part Chain;
#define CHAIN_FMA SPN_SUFFIX(_mm512_fmadd)
#define CHAIN_SET SPN_SUFFIX(_mm512_set1)
#elif defined SPN_AVX2
typedef spn_part Chain;
#define CHAIN_FMA SPN_SUFFIX(_mm256_fmadd)
#define CHAIN_SET SPN_SUFFIX(_mm256_set1)
#else
typedef real Chain;                            /* plain C: what fma() alone reaches */
#define CHAIN_FMA r_fma
#define CHAIN_SET(x) ((real)(x))
#endif

/* An empty statement that the compiler must believe to change x, so that no chain is dropped, merged or precomputed. */
#if defined __x86_64__ && defined SPN_AVX512
#define KEEP(x) __asm__ volatile("" : "+v"(x))
#elif defined __x86_64__
#define KEEP(x) __asm__ volatile("" : "+x"(x))
#else
#define KEEP(x) __asm__ volatile("" : "+w"(x))
#endif

enum { CHAINS = 12 };                          /* latency 4 times two units is 8; with factor and addend 14 of 16 registers */

/* `rounds` times CHAINS multiply-adds. */
static void run_chains(long rounds)
{
    Chain c0 = CHAIN_SET(1), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, c8 = c0, c9 = c0, c10 = c0, c11 = c0;
    Chain factor = CHAIN_SET(0.5), addend = CHAIN_SET(0.25);
#define ALL(each) each(c0) each(c1) each(c2) each(c3) each(c4) each(c5) each(c6) each(c7) each(c8) each(c9) each(c10) each(c11)
#define NEXT(c) c = CHAIN_FMA(c, factor, addend); KEEP(c);
    KEEP(factor);
    KEEP(addend);
    for (long i = 0; i < rounds; i++) {
        ALL(NEXT)
    }
}

/* GFLOP/s of all threads together: the best of some rounds of at least 50 ms each. */
static double peak_gflops(int threads)
{
    double best = 0;
    long rounds = 1000;
    for (int good = 0; good < 5;) {
        double begin = seconds_now();
#pragma omp parallel num_threads(threads)
        run_chains(rounds);
        double seconds = seconds_now() - begin;
        double flop = 2.0 * CHAINS * (double)(sizeof(Chain) / sizeof(real)) * (double)rounds * threads;
        if (seconds < 0.05) {
            rounds *= 2;
            continue;
        }
        best = flop / seconds * 1e-9 > best ? flop / seconds * 1e-9 : best;
        good++;
    }
    return best;
}

/* ---- the net ---------------------------------------------------------------------------------------------------- */

enum { MOST = 200 };

/* Median milliseconds of a whole training step, or of a forward pass: two to warm up, then for `seconds`, at least five. */
static double median_ms(Data *data, bool train, double seconds)
{
    double times[MOST], norm, end = 0;
    int count = 0;
    for (uint64_t i = 0; count < 5 || (count < MOST && seconds_now() < end); i++) {
        Batch batch = { .train = train, .step = i };
        data_batch(&batch, data, NULL, 0);
        double begin = seconds_now();
        if (train)
            net.step(&batch, net.training.rate, i, &norm);
        else
            net.forward(&batch, NULL);
        if (i == 1)
            end = seconds_now() + seconds;
        if (i >= 2)
            times[count++] = 1e3 * (seconds_now() - begin);
    }
    qsort(times, (size_t)count, sizeof *times, by_size);
    return count % 2 ? times[count / 2] : (times[count / 2 - 1] + times[count / 2]) / 2;
}

int command_bench(const Options *o)
{
    Data data;
    struct rusage usage;
    open_net(o->threads);
    data_made_up(&data, net.batch, 0);
    weights_init(net.weights(), net.training.seed);
    double eval_ms = median_ms(&data, false, 3), train_ms = median_ms(&data, true, 10);
    double gflop = 2 * (net.forward_macs + net.backward_macs) * net.batch / 1e9, peak = peak_gflops(o->threads);
    getrusage(RUSAGE_SELF, &usage);
    double rss = (double)usage.ru_maxrss * 1024 / 1e6, reached = gflop / (train_ms * 1e-3);
    if (o->json) {
        JsonWriter w;
        json_begin(&w, stdout);
        json_object(&w, NULL);
        json_double(&w, "train_ms", train_ms);
        json_double(&w, "eval_ms", eval_ms);
        json_double(&w, "step_gflop", gflop);
        json_double(&w, "peak_gflops", peak);
        json_double(&w, "rss_mb", rss);
        json_integer(&w, "threads", o->threads);
        json_string(&w, "target", net.target);
        json_integer(&w, "batch", net.batch);
        json_close(&w);
        json_newline(&w);
        json_end(&w);
        json_free(&w);
    } else {
        printf("training step  %9.3f ms  %8.1f GFLOP/s by direct convolution, %.0f %% of the peak\n", train_ms, reached, 100 * reached / peak);
        printf("forward pass   %9.3f ms\n", eval_ms);
        printf("step           %9.3f GFLOP, batch %d\n", gflop, net.batch);
        printf("peak           %9.1f GFLOP/s, %d thread%s, %s\n", peak, o->threads, o->threads == 1 ? "" : "s", net.target);
        printf("memory         %9.1f MB\n", rss);
    }
    data_close(&data);
    net.close();
    return FINE;
}
