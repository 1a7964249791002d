/* penalty.h -- penalties on weights: terms of the loss that depend on no example, and their gradients.
 *
 *   weight_l2   sum of w^2;  dw = 2 w
 *   weight_l1   sum of |w|;  dw = sign(w), sign(0) = 0
 *
 * Weights and gradients are whole blocks of parameters, 64-byte aligned; a run begins at a multiple of 16 and is padded with zeros up to the next
 * one, in both blocks.  A sum is of doubles: element i of a run goes to partial sum i mod 16, the sixteen are added in pairs, the runs in order, so
 * the bits depend on neither threads nor vectors.  The gradients are for all threads of a parallel region to call, with the same arguments: they
 * share the loops, and end without a barrier. */
#ifndef SPN_PENALTY_H
#define SPN_PENALTY_H

#include <math.h>
#include "decide.h"
#include "vec.h"

/* A parameter's place in the block, in reals with padding.  frozen: it has no gradient.  first: no gradient is there yet, what stands for it means
 * nothing. */
typedef struct { size_t at, count; int frozen, first; } PenaltyRun;

/* The sum of sixteen partial sums: pairs, pairs of pairs. */
static inline double penalty_tree(double sums[16])
{
    for (int half = 8; half; half /= 2)
        for (int i = 0; i < half; i++)
            sums[i] = sums[2 * i] + sums[2 * i + 1];
    return sums[0];
}

static inline double penalty_weight_l2(const real *block, const PenaltyRun *runs, int n)
{
    double total = 0;
    for (const PenaltyRun *r = runs; r < runs + n; r++) {
        double sums[16] = { 0 };
        for (size_t i = 0; i < r->count; i += 16)
            for (int l = 0; l < 16; l++)
                sums[l] += (double)block[r->at + i + (size_t)l] * (double)block[r->at + i + (size_t)l];
        total += penalty_tree(sums);
    }
    return total;
}

static inline double penalty_weight_l1(const real *block, const PenaltyRun *runs, int n)
{
    double total = 0;
    for (const PenaltyRun *r = runs; r < runs + n; r++) {
        double sums[16] = { 0 };
        for (size_t i = 0; i < r->count; i += 16)
            for (int l = 0; l < 16; l++)
                sums[l] += fabs((double)block[r->at + i + (size_t)l]);
        total += penalty_tree(sums);
    }
    return total;
}

#define PENALTY_EACH(at, n) _Pragma("omp for schedule(static) nowait") for (size_t at = 0; at < (n); at += 16)

/* Adds factor * 2 w to each gradient. */
static inline void penalty_weight_l2_gradient(real *gradient, const real *block, const PenaltyRun *runs, int n, double factor)
{
    const vec twice = v_set1((real)(2 * factor));
    for (const PenaltyRun *r = runs; r < runs + n; r++) {
        if (r->frozen)
            continue;
        PENALTY_EACH(i, r->count) {
            real *g = gradient + r->at + i;
            v_store(g, v_fma(twice, v_load(block + r->at + i), r->first ? v_zero() : v_load(g)));
        }
    }
}

/* Adds factor * sign(w) to each gradient. */
static inline void penalty_weight_l1_gradient(real *gradient, const real *block, const PenaltyRun *runs, int n, double factor)
{
    const vec step = v_set1((real)factor), zero = v_zero();
    for (const PenaltyRun *r = runs; r < runs + n; r++) {
        if (r->frozen)
            continue;
        PENALTY_EACH(i, r->count) {
            real *g = gradient + r->at + i;
            const vec w = v_load(block + r->at + i), d = v_sub(v_zero_unless(v_gt(w, zero), step), v_zero_unless(v_lt(w, zero), step));
            v_store(g, v_add(r->first ? zero : v_load(g), d));
        }
    }
}

/* The signs of what weight_l1 counts, for `check`: see decide.h. */
static inline uint64_t penalty_decisions(uint64_t hash, real *block, const PenaltyRun *runs, int n)
{
    for (const PenaltyRun *r = runs; r < runs + n; r++)
        hash = decide_positive(hash, block + r->at, (int)r->count);
    return hash;
}

#endif
