/* batch_norm.h -- statistics over a batch: sums of a group, the fold over groups, the running ones.
 *
 * All sums are in double and in one order on every machine: in each lane over the positions in order, the lanes that hold an example by halving,
 * the groups in pairs 0+1, 2+3, ..., then pairs of pairs.  compiler/ops/batch_norm.c has the equations.
 * BATCH_... number the rows of the arrays that a net keeps: of its statistics, and of the gradient's. */
#ifndef SPN_BATCH_NORM_H
#define SPN_BATCH_NORM_H

#include "real.h"
#include <math.h>
#include <stddef.h>

enum { BATCH_MEAN, BATCH_VARIANCE, BATCH_INVERSE, BATCH_SCALE, BATCH_SHIFT };        /* y = scale x + shift; inverse of the root of the variance */
enum { BATCH_SUM, BATCH_PRODUCT, BATCH_SLOPE, BATCH_OFFSET };                        /* dx = scale dy + slope x + offset */

/* Sixteen doubles, as parts that a register holds. */
#if defined SPN_AVX512
enum { BATCH_WIDTH = 8, BATCH_PARTS = 2 };
#else
enum { BATCH_WIDTH = 4, BATCH_PARTS = 4 };
#endif
typedef double BatchPart __attribute__((vector_size(BATCH_WIDTH * sizeof(double))));
typedef real BatchReals __attribute__((vector_size(BATCH_WIDTH * sizeof(real)), aligned(sizeof(real))));

static inline BatchPart batch_load(const real *x)
{
    BatchReals r;
    memcpy(&r, x, sizeof r);
    return __builtin_convertvector(r, BatchPart);
}

/* The sum of the lanes that hold an example: the first `present`. */
static inline double batch_lanes(const BatchPart *part, int present)
{
    double lanes[16];
    memcpy(lanes, part, sizeof lanes);
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
    BatchPart s[BATCH_PARTS] = { { 0 } }, q[BATCH_PARTS] = { { 0 } };
    for (int i = 0; i < positions; i++)
        for (int k = 0; k < BATCH_PARTS; k++) {
            const BatchPart v = batch_load(x + i * 16 + k * BATCH_WIDTH);
            s[k] += v;
            q[k] += v * v;
        }
    *sum = batch_lanes(s, present);
    *squares = batch_lanes(q, present);
}

/* Of a position of a channel, dy[16] and x[16]: to s is added dy, to p dy (x - mean). */
static inline void batch_gradient_add(BatchPart *s, BatchPart *p, const real *dy, const real *x, double mean)
{
    for (int k = 0; k < BATCH_PARTS; k++) {
        const BatchPart d = batch_load(dy + k * BATCH_WIDTH);
        s[k] += d;
        p[k] += d * (batch_load(x + k * BATCH_WIDTH) - mean);
    }
}

/* Of a channel: *sum is the sum of dy, *product that of dy (x - mean). */
static inline void batch_gradient_sums(double *sum, double *product, const real *dy, const real *x, double mean, int positions, int present)
{
    BatchPart s[BATCH_PARTS] = { { 0 } }, p[BATCH_PARTS] = { { 0 } };
    for (int i = 0; i < positions; i++)
        batch_gradient_add(s, p, dy + i * 16, x + i * 16, mean);
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
