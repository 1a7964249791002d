/* peak.c -- the largest rate of multiply-adds that the processor reaches: independent chains, enough of them to hide the latency of
 * every unit.  All operands stay in registers, so no kernel can be faster; the compiler must not simplify the chains. */
#include "inspect/peak.h"
#include "inspect/times.h"
#include "run/message.h"
#include "vec.h"

#if defined SPN_AVX512
typedef spn_part Chain;
#define CHAIN_FMA SPN_SUFFIX(_mm512_fmadd)
#define CHAIN_SET SPN_SUFFIX(_mm512_set1)
#elif defined SPN_AVX2
typedef spn_part Chain;
#define CHAIN_FMA SPN_SUFFIX(_mm256_fmadd)
#define CHAIN_SET SPN_SUFFIX(_mm256_set1)
#elif defined SPN_NEON
typedef spn_part Chain;
#define CHAIN_FMA(x, y, z) vfmaq_f32(z, x, y)
#define CHAIN_SET vdupq_n_f32
#else
typedef real Chain;                            /* plain C: what fma() alone reaches */
#define CHAIN_FMA r_fma
#define CHAIN_SET(x) ((real)(x))
#endif

/* Empty, but declared to change x, so that the compiler drops, merges or precomputes no chain. */
#if defined __x86_64__ && defined SPN_AVX512
#define KEEP(x) __asm__ volatile("" : "+v"(x))
#elif defined __x86_64__
#define KEEP(x) __asm__ volatile("" : "+x"(x))
#else
#define KEEP(x) __asm__ volatile("" : "+w"(x))
#endif

enum { CHAINS = 12 };                          /* latency 4 times two units is 8; with factor and addend 14 of 16 registers */
enum { ROUNDS = 512 };                         /* rounds whose times are kept at once */

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

double peak_gflops(int threads)
{
    double all = 0;
    long rounds = 1000;
    for (double begin = seconds_now(); run_chains(rounds), seconds_now() - begin < 0.001; begin = seconds_now())
        rounds *= 2;
#pragma omp parallel num_threads(threads) reduction(+ : all)
    {
        double flop = 2.0 * CHAINS * (double)(sizeof(Chain) / sizeof(real)) * (double)rounds, times[ROUNDS], best = 0;
        int count = 0;
#pragma omp barrier
        for (double end = seconds_now() + 0.3, begin; (begin = seconds_now()) < end;) {
            run_chains(rounds);
            times[count++] = seconds_now() - begin;
            if (count == ROUNDS)
                best = times_peak(best, times_best_rate(flop, times, count)), count = 0;
        }
        all += times_peak(best, times_best_rate(flop, times, count));
    }
    return all;
}
