/* batch_norm.h -- statistics over a batch: sums of a group, the fold over groups, the running ones.
 *
 * All sums are in double and in one order on every machine: in each lane over the positions in order, the lanes that hold an example by halving,
 * the groups in pairs 0+1, 2+3, ..., then pairs of pairs.  compiler/ops/batch_norm.c has the equations.
 * BATCH_... number the rows of the arrays that a net keeps: of its statistics, and of the gradient's. */
#ifndef SPN_BATCH_NORM_H
#define SPN_BATCH_NORM_H

#include "real.h"
#include "intrinsics.h"
#include <math.h>
#include <stddef.h>

enum { BATCH_MEAN, BATCH_VARIANCE, BATCH_INVERSE, BATCH_SCALE, BATCH_SHIFT };        /* y = scale x + shift; inverse of the root of the variance */
enum { BATCH_SUM, BATCH_PRODUCT, BATCH_SLOPE, BATCH_OFFSET };                        /* dx = scale dy + slope x + offset */
enum { BATCH_AHEAD = 32 };                                                           /* positions from one that is read to one that is prefetched */

/* Sixteen doubles, in the parts that a register holds.  The parts have names, since gcc keeps an array of sums in memory. */
#if defined SPN_AVX512
enum { BATCH_WIDTH = 8 };
#define BATCH_MAP(E) { E(p0, 0), E(p1, 1) }
#elif defined SPN_AVX2
enum { BATCH_WIDTH = 4 };
#define BATCH_MAP(E) { E(p0, 0), E(p1, 1), E(p2, 2), E(p3, 3) }
#else
enum { BATCH_WIDTH = 2 };
#define BATCH_MAP(E) { E(p0, 0), E(p1, 1), E(p2, 2), E(p3, 3), E(p4, 4), E(p5, 5), E(p6, 6), E(p7, 7) }
#endif
typedef double BatchPart __attribute__((vector_size(BATCH_WIDTH * sizeof(double))));
typedef real BatchReals __attribute__((vector_size(BATCH_WIDTH * sizeof(real)), aligned(sizeof(real))));
#if defined SPN_AVX512
typedef struct { BatchPart p0, p1; } BatchVec;
#elif defined SPN_AVX2
typedef struct { BatchPart p0, p1, p2, p3; } BatchVec;
#else
typedef struct { BatchPart p0, p1, p2, p3, p4, p5, p6, p7; } BatchVec;
#endif

static inline BatchPart batch_part(const real *x)
{
#if defined SPN_AVX2 && !defined SPN_DOUBLE
    return (BatchPart)_mm256_cvtps_pd(_mm_loadu_ps(x));        /* gcc 12 converts two numbers at a time */
#else
    BatchReals r;
    memcpy(&r, x, sizeof r);
    return __builtin_convertvector(r, BatchPart);
#endif
}

#define BATCH_LOAD(p, k) batch_part(x + (k) * BATCH_WIDTH)
static inline BatchVec batch_load(const real *x) { return (BatchVec)BATCH_MAP(BATCH_LOAD); }
#undef BATCH_LOAD
#ifdef SPN_VEC_H
/* The numbers of a vec, which is in registers: by way of memory each position would wait for what it has just stored. */
static inline BatchVec batch_of(vec a)
{
#if defined SPN_AVX512 && !defined SPN_DOUBLE
    return (BatchVec){ (BatchPart)_mm512_cvtps_pd(_mm512_castps512_ps256(a)), (BatchPart)_mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1)) };
#elif defined SPN_AVX2 && !defined SPN_DOUBLE
    return (BatchVec){ (BatchPart)_mm256_cvtps_pd(_mm256_castps256_ps128(a.p0)), (BatchPart)_mm256_cvtps_pd(_mm256_extractf128_ps(a.p0, 1)),
                       (BatchPart)_mm256_cvtps_pd(_mm256_castps256_ps128(a.p1)), (BatchPart)_mm256_cvtps_pd(_mm256_extractf128_ps(a.p1, 1)) };
#else
    _Alignas(64) real numbers[16];
    v_store(numbers, a);
    return batch_load(numbers);
#endif
}
#endif
#define BATCH_ADD(p, k) a.p + b.p
static inline BatchVec batch_add(BatchVec a, BatchVec b) { return (BatchVec)BATCH_MAP(BATCH_ADD); }
#undef BATCH_ADD
#define BATCH_MULTIPLY(p, k) a.p * b.p
static inline BatchVec batch_multiply(BatchVec a, BatchVec b) { return (BatchVec)BATCH_MAP(BATCH_MULTIPLY); }
#undef BATCH_MULTIPLY
#define BATCH_LESS(p, k) a.p - b
static inline BatchVec batch_less(BatchVec a, double b) { return (BatchVec)BATCH_MAP(BATCH_LESS); }
#undef BATCH_LESS
#define BATCH_NOTHING(p, k) { 0 }
static inline BatchVec batch_zero(void) { return (BatchVec)BATCH_MAP(BATCH_NOTHING); }
#undef BATCH_NOTHING
#undef BATCH_MAP

/* The sum of the lanes that hold an example: the first `present`. */
static inline double batch_lanes(BatchVec sum, int present)
{
    double lanes[16];
    memcpy(lanes, &sum, sizeof lanes);
    for (int l = present; l < 16; l++)
        lanes[l] = 0;
    for (int half = 8; half; half /= 2)
        for (int l = 0; l < half; l++)
            lanes[l] += lanes[l + half];
    return lanes[0];
}

/* Of a channel x[positions][16]: *sum is the sum of its numbers, *squares that of their squares. */
static inline void batch_sums(double *sum, double *squares, const real *x, int positions, int present)
{
    BatchVec s = batch_zero(), q = batch_zero();
    for (int i = 0; i < positions; i++) {
        const BatchVec v = batch_load(x + i * 16);
        s = batch_add(s, v);
        q = batch_add(q, batch_multiply(v, v));
    }
    *sum = batch_lanes(s, present);
    *squares = batch_lanes(q, present);
}

/* Of a position of a channel: to *sum is added dy, to *product dy (x - mean). */
static inline void batch_gradient_add(BatchVec *sum, BatchVec *product, BatchVec dy, BatchVec x, double mean)
{
    *sum = batch_add(*sum, dy);
    *product = batch_add(*product, batch_multiply(dy, batch_less(x, mean)));
}

/* Of a channel: *sum is the sum of dy, *product that of dy (x - mean). */
static inline void batch_gradient_sums(double *sum, double *product, const real *dy, const real *x, double mean, int positions, int present)
{
    BatchVec s = batch_zero(), p = batch_zero();
    for (int i = 0; i < positions; i++)
        batch_gradient_add(&s, &p, batch_load(dy + i * 16), batch_load(x + i * 16), mean);
    *sum = batch_lanes(s, present);
    *product = batch_lanes(p, present);
}

/* part[0], part[stride], ..., `parts` of them, added in pairs, then pairs of pairs. */
static inline double batch_fold(const double *part, int parts, ptrdiff_t stride)
{
    double waiting[32];
    int n = 0;
    for (int k = 0; k < parts; k++) {
        double s = part[k * stride];
        int due = k + 1 < parts ? __builtin_ctz((unsigned)k + 1) : n;      /* part k completes so many sums; the last one all */
        while (due-- > 0)
            s = waiting[--n] + s;
        waiting[n++] = s;
    }
    return waiting[0];
}

/* Statistics of channel c, in rows of `row` doubles, from its mean and (biased) variance. */
static inline void batch_statistics(double *of, ptrdiff_t row, int c, double mean, double variance, double epsilon, double weight, double bias)
{
    const double inverse = 1 / sqrt(variance + epsilon), scale = (double)(real)(weight * inverse);
    of[BATCH_MEAN * row + c] = mean;
    of[BATCH_VARIANCE * row + c] = variance;
    of[BATCH_INVERSE * row + c] = inverse;
    of[BATCH_SCALE * row + c] = scale;
    of[BATCH_SHIFT * row + c] = (double)(real)(bias - mean * scale);
}

/* The same of n numbers with these sums.  Rounding may leave the variance of equal numbers just below 0. */
static inline void batch_measured(double *of, ptrdiff_t row, int c, double sum, double squares, double n, double epsilon, double weight, double bias)
{
    const double mean = sum / n, variance = squares / n - mean * mean;
    batch_statistics(of, row, c, mean, variance < 0 ? 0 : variance, epsilon, weight, bias);
}

/* What dx needs of channel c, from sum and product; n numbers were measured, 0: the statistics were the running ones. */
static inline void batch_gradient(double *of, const double *statistics, ptrdiff_t row, int c, double sum, double product, double n)
{
    const double mean = statistics[BATCH_MEAN * row + c], inverse = statistics[BATCH_INVERSE * row + c], scale = statistics[BATCH_SCALE * row + c];
    const double slope = n > 0 ? (double)(real)(-scale * inverse * inverse * product / n) : 0;
    of[BATCH_SUM * row + c] = sum;
    of[BATCH_PRODUCT * row + c] = product;
    of[BATCH_SLOPE * row + c] = slope;
    of[BATCH_OFFSET * row + c] = n > 0 ? (double)(real)(-scale * sum / n - slope * mean) : 0;
}

/* r = (1 - momentum) r + momentum r_batch, of mean and variance over n numbers; the variance with n - 1 in the place of n. */
static inline void batch_running(real *mean, real *variance, const double *statistics, ptrdiff_t row, int channels, double momentum, double n)
{
    const double unbiased = n > 1 ? n / (n - 1) : 1;
    for (int c = 0; c < channels; c++) {
        mean[c] = (real)((1 - momentum) * (double)mean[c] + momentum * statistics[BATCH_MEAN * row + c]);
        variance[c] = (real)((1 - momentum) * (double)variance[c] + momentum * (unbiased * statistics[BATCH_VARIANCE * row + c]));
    }
}

#endif
