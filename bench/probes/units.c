/* units.c -- how many vectors of 64 bytes this processor's units take in a nanosecond, one thread; bench/probes/roofline.py runs it beside its counts.
 *
 * usage: units
 * Prints { "multiply_adds", "arithmetic", "loads", "stores" }, each the best of 30 runs of some 2 ms, everything in registers or in 16 KiB of the
 * first-level cache, so that no kernel can be faster:
 *   multiply_adds  twelve chains of fused multiply-adds
 *   arithmetic     six such chains and six of maxima, which some processors do beside them and others in their stead
 *   loads, stores  whole vectors
 * Needs AVX-512, which spnc's target avx512 means too: cc -O2 -mavx512f. */
#include <immintrin.h>
#include <stdio.h>
#include <time.h>

enum { VECTORS = 256, ROUNDS = 20000 };

static _Alignas(64) float memory[VECTORS * 16];

#define EACH(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11)
#define CHAIN(k) __m512 c##k = _mm512_set1_ps(1);
#define FMA(k) c##k = _mm512_fmadd_ps(c##k, half, quarter); KEEP(c##k);
#define MAX(k) c##k = _mm512_max_ps(c##k, half); KEEP(c##k);
#define KEEP(x) __asm__ volatile("" : "+v"(x))        /* the compiler must believe that x changes */

static double multiply_adds(void)
{
    EACH(CHAIN)
    __m512 half = _mm512_set1_ps(0.5f), quarter = _mm512_set1_ps(0.25f);
    KEEP(half);
    KEEP(quarter);
    for (int i = 0; i < ROUNDS; i++) {
        EACH(FMA)
    }
    return 12.0 * ROUNDS;
}

static double arithmetic(void)
{
    EACH(CHAIN)
    __m512 half = _mm512_set1_ps(0.5f), quarter = _mm512_set1_ps(0.25f);
    KEEP(half);
    KEEP(quarter);
    for (int i = 0; i < ROUNDS; i++) {
        FMA(0) MAX(6) FMA(1) MAX(7) FMA(2) MAX(8) FMA(3) MAX(9) FMA(4) MAX(10) FMA(5) MAX(11)
    }
    return 12.0 * ROUNDS;
}

static double loads(void)
{
    for (int i = 0; i < ROUNDS / 16; i++)
        for (int k = 0; k < VECTORS; k += 8) {
            const float *p = memory + k * 16;
#define LOAD(n) { __m512 x; __asm__ volatile("vmovaps %1, %0" : "=v"(x) : "m"(*(const __m512 *)(const void *)(p + n * 16))); }
            LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6) LOAD(7)
        }
    return (double)(ROUNDS / 16) * VECTORS;
}

static double stores(void)
{
    const __m512 x = _mm512_set1_ps(1);
    for (int i = 0; i < ROUNDS / 16; i++)
        for (int k = 0; k < VECTORS; k += 8) {
            float *p = memory + k * 16;
#define STORE(n) __asm__ volatile("vmovaps %1, %0" : "=m"(*(__m512 *)(void *)(p + n * 16)) : "v"(x));
            STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5) STORE(6) STORE(7)
        }
    return (double)(ROUNDS / 16) * VECTORS;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double best(double (*run)(void))
{
    double most = 0;
    for (int i = 0; i < 30; i++) {
        double begin = now(), count = 0;
        for (int k = 0; k < 20; k++)
            count += run();
        double rate = count / (now() - begin);
        most = rate > most ? rate : most;
    }
    return most;
}

int main(void)
{
    printf("{\"multiply_adds\": %.3f, \"arithmetic\": %.3f, \"loads\": %.3f, \"stores\": %.3f}\n", best(multiply_adds), best(arithmetic), best(loads), best(stores));
    return 0;
}
