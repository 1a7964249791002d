/* optimiser.h -- clipping, weight decay and the optimisers, over the whole parameter block at once.
 *
 * A block is read from memory, not from the cache, so it is read twice only: once for the norms of the gradient, before and after its
 * elements are clipped, and once by the update, which clips, scales and decays as it reads.  The gradient itself is not changed.
 *
 * Every function is called by all threads of a parallel region, with the same arguments; outside of one, the calling thread
 * does all the work.  Loops are shared by `omp for`.  When the norm returns, it is complete for every thread; an update ends without a
 * barrier, so that several, each of a part of the block, follow each other at once, and the caller ends them with one.  An element is computed from
 * the elements of the same index in the blocks, and the norm adds its rows in an order that follows from the parameters' shapes, so the bits do not
 * depend on the number of threads.
 *
 * Blocks are 64-byte aligned and n is a multiple of 16.  Padding is zero in weights and gradients, and stays so. */
#ifndef SPN_OPTIMISER_H
#define SPN_OPTIMISER_H

#include "net.h"
#include "power.h"
#include "vec.h"

#define OPTIMISER_EACH(at, n) _Pragma("omp for schedule(static) nowait") for (size_t at = 0; at < (n); at += 16)

/* ---- the norm of the gradient ----------------------------------------------------------------------------------- */

/* Rows of a parameter are those of its exported shape: shape[0] of them, or one for a single number.  A frozen one is not in the norm. */
static inline size_t optimiser_rows(const NetParam *p) { return p->frozen ? 0 : p->rank ? (size_t)p->shape[0] : 1; }

/* The number of rows of all parameters: the length of optimiser_norm's row_sums. */
static inline size_t optimiser_all_rows(const NetParam *params, int count)
{
    size_t rows = 0;
    for (int i = 0; i < count; i++)
        rows += optimiser_rows(&params[i]);
    return rows;
}

/* v within [-most, most]; most 0: v. */
static inline vec optimiser_within(vec v, double most)
{
    return most > 0 ? v_min(v_max(v, v_set1((real)-most)), v_set1((real)most)) : v;
}

/* Of the gradient as it is, and with its elements within [-most, most]: a sum of squares, or its root. */
typedef struct { double whole, within; } OptimiserNorm;

/* Sums of squares of n reals: element i goes to partial sum i mod 16, the sixteen are added by v_sum's tree. */
static inline OptimiserNorm optimiser_row_sums(const real *x, size_t n, double most)
{
    vec whole = v_zero(), within = v_zero();
    _Alignas(64) real rest[16] = { 0 };
    for (size_t i = 0; i < n; i += 16) {
        if (n - i < 16)
            memcpy(rest, x + i, (n - i) * sizeof *x);
        vec v = v_loadu(n - i < 16 ? rest : x + i), c = optimiser_within(v, most);
        whole = v_fma(v, v, whole);
        if (most > 0)
            within = v_fma(c, c, within);
    }
    double sum = (double)v_sum(whole);
    return (OptimiserNorm){ sum, most > 0 ? (double)v_sum(within) : sum };
}

/* The same of 16 * n columns of `length` numbers each, from row to row `stride` apart, each in order; goes_on: behind those that are in the sums.
 * Inlined for a given n: sums in registers, where there are 32. */
static inline __attribute__((always_inline))
void optimiser_column_sums(OptimiserNorm *sums, const real *x, size_t length, size_t stride, int n, double most, int goes_on)
{
    enum { MOST = 4, AHEAD = 8 };                       /* AHEAD: rows; the processor does not foresee a stride */
    vec whole[MOST] = { v_zero(), v_zero(), v_zero(), v_zero() };
    vec within[MOST] = { v_zero(), v_zero(), v_zero(), v_zero() };
    _Alignas(64) real lanes[2][16];
    for (int k = 0; k < n && goes_on; k++) {
        for (int l = 0; l < 16; l++)
            lanes[0][l] = (real)sums[k * 16 + l].whole, lanes[1][l] = (real)sums[k * 16 + l].within;
        whole[k] = v_load(lanes[0]);
        within[k] = v_load(lanes[1]);
    }
    for (size_t i = 0; i < length; i++, x += stride) {
        SPN_UNROLL
        for (int k = 0; k < n; k++) {
            vec v = v_loadu(x + k * 16), c = optimiser_within(v, most);
            v_prefetch(x + AHEAD * stride + k * 16);
            whole[k] = v_fma(v, v, whole[k]);
            if (most > 0)
                within[k] = v_fma(c, c, within[k]);
        }
    }
    for (int k = 0; k < n; k++) {
        v_store(lanes[0], whole[k]);
        v_store(lanes[1], most > 0 ? within[k] : whole[k]);
        for (int l = 0; l < 16; l++)
            sums[k * 16 + l] = (OptimiserNorm){ (double)lanes[0][l], (double)lanes[1][l] };
    }
}

/* Halves and halves again: a tree that depends on n alone. */
static inline OptimiserNorm optimiser_fold(const OptimiserNorm *x, size_t n)
{
    if (n < 2)
        return n ? *x : (OptimiserNorm){ 0, 0 };
    OptimiserNorm a = optimiser_fold(x, n / 2), b = optimiser_fold(x + n / 2, n - n / 2);
    return (OptimiserNorm){ a.whole + b.whole, a.within + b.within };
}

/* Sums of the rows from .. to - 1 of an EXPORTED parameter, whose gradient g is: each by sixteen strided partial sums.  Ends without a barrier. */
static inline void optimiser_sums_of_rows(OptimiserNorm *sums, const real *g, const NetParam *p, size_t from, size_t to, double most)
{
    const size_t rows = optimiser_rows(p), length = rows ? p->count / rows : 0;
    _Pragma("omp for schedule(static) nowait")
    for (size_t row = from; row < to; row++)
        sums[row] = optimiser_row_sums(g + row * length, length, most);
}

/* Sums of the rows of an IN_OUT parameter, over its inputs from .. to - 1 in order (its rows, the outputs, lie in the lanes); goes_on: behind those
 * that are in the sums. */
static inline void optimiser_sums_of_columns(OptimiserNorm *sums, const real *g, const NetParam *p, size_t from, size_t to, double most, int goes_on)
{
    const size_t rows = optimiser_rows(p), stride = (size_t)p->stride;
    g += from * stride;
    _Pragma("omp for schedule(static) nowait")
    for (size_t row = 0; row < rows; row += 64) {
        if (row + 64 <= rows) {
            optimiser_column_sums(sums + row, g + row, to - from, stride, 4, most, goes_on);
            continue;
        }
        for (size_t part = row; part < rows; part += 16) {
            OptimiserNorm some[16] = { { 0, 0 } };
            const size_t bytes = (rows - part < 16 ? rows - part : 16) * sizeof *some;
            memcpy(some, sums + part, goes_on ? bytes : 0);
            optimiser_column_sums(some, g + part, to - from, stride, 1, most, goes_on);
            memcpy(sums + part, some, bytes);
        }
    }
}

static inline void optimiser_sums(OptimiserNorm *sums, const real *g, const NetParam *p, double most)
{
    const size_t rows = optimiser_rows(p);
    if (p->layout == EXPORTED)
        optimiser_sums_of_rows(sums, g, p, 0, rows, most);
    else
        optimiser_sums_of_columns(sums, g, p, 0, rows ? p->count / rows : 0, most, 0);
}

/* The norm from the sums of `rows` rows. */
static inline OptimiserNorm optimiser_norm_of_sums(const OptimiserNorm *row_sums, size_t rows)
{
    _Pragma("omp barrier")
    OptimiserNorm all = optimiser_fold(row_sums, rows);
    _Pragma("omp barrier")                          /* no thread begins the next norm while another still folds */
    return (OptimiserNorm){ sqrt(all.whole), sqrt(all.within) };
}

/* sqrt of the sum of the squares of all elements; the same value returned to every thread.  most 0: elements are not clipped.
 * row_sums: optimiser_all_rows() of them, shared by the threads.  A row is summed in `real`: an EXPORTED one by sixteen
 * strided partial sums, an IN_OUT one over its inputs in order; the rows in double. */
static inline OptimiserNorm optimiser_norm(const real *gradient, const NetParam *params, int count, OptimiserNorm *row_sums, double most)
{
    OptimiserNorm *sums = row_sums;
    for (int k = 0; k < count; sums += optimiser_rows(&params[k]), k++)
        optimiser_sums(sums, gradient + params[k].offset, &params[k], most);
    return optimiser_norm_of_sums(row_sums, (size_t)(sums - row_sums));
}

/* ---- clipping and decay ----------------------------------------------------------------------------------------- */

/* The factor of clipping by norm: torch's rule does not change short gradients; lasagne's (the authors')
 * scales every one, a short one by slightly less than 1. */
static inline double optimiser_clip_torch(double norm, double most)
{
    double factor = most / (norm + 1e-6);
    return factor < 1 ? factor : 1;
}

static inline double optimiser_clip_lasagne(double norm, double most)
{
    return (norm < most ? norm : most) / (1e-7 + norm);
}

/* The gradient that an update uses: its elements clipped to [-most, most] (0: not clipped), times factor, plus decay times the weight. */
typedef struct { double most, factor, decay; } OptimiserInput;

static inline vec optimiser_input(const real *g, vec weight, OptimiserInput how)
{
    vec d = v_mul(optimiser_within(v_load(g), how.most), v_set1((real)how.factor));
    return how.decay > 0 ? v_fma(v_set1((real)how.decay), weight, d) : d;
}

/* ---- updates ---------------------------------------------------------------------------------------------------- */

/* One function a rule, optimiser_NAME.  It takes weights and gradient, its states (NULL: not kept at these settings), their length, how
 * the gradient is read, then its settings, rate first: states and settings by the names and in the order of its row in spnc's table of
 * optimisers; at last, if the row says so, the number of updates before this one.  In the formulas g stands for what optimiser_input makes
 * of the gradient. */

/* r = decay r + (1 - decay) g^2;  mean = decay mean + (1 - decay) g;  q = r - mean^2 (centred) or r;  root = sqrt(q + epsilon), or, unless
 * `epsilon_inside`, sqrt(q) + epsilon;  v = momentum v + g / root;  w = w - rate v.  Not centred: mean is NULL; without momentum v is, and
 * w = w - rate g / root.  Rounding takes no q below 0. */
static inline void optimiser_rmsprop(real *w, const real *g, real *r, real *mean, real *v, size_t n, OptimiserInput how, double rate,
                                     double decay, double epsilon, int epsilon_inside, double momentum, int centred)
{
    vec step = v_set1((real)rate), keep = v_set1((real)decay), add = v_set1((real)(1 - decay)), small = v_set1((real)epsilon);
    vec share = v_set1((real)momentum);
    (void)centred;
    OPTIMISER_EACH(i, n) {
        vec weight = v_load(w + i), d = optimiser_input(g + i, weight, how);
        vec squares = v_fma(keep, v_load(r + i), v_mul(add, v_mul(d, d)));
        v_store(r + i, squares);
        if (mean) {
            vec middle = v_fma(keep, v_load(mean + i), v_mul(add, d));
            v_store(mean + i, middle);
            squares = v_max(v_fnma(middle, middle, squares), v_zero());
        }
        vec root = epsilon_inside ? v_sqrt(v_add(squares, small)) : v_add(v_sqrt(squares), small);
        if (v) {
            vec move = v_fma(share, v_load(v + i), v_div(d, root));
            v_store(v + i, move);
            v_store(w + i, v_fnma(step, move, weight));
        } else {
            v_store(w + i, v_sub(weight, v_div(v_mul(step, d), root)));
        }
    }
}

/* v = momentum v + g;  w = w - rate v, or with nesterov w = w - rate (g + momentum v).  Without momentum v is NULL. */
static inline void optimiser_sgd(real *w, const real *g, real *v, size_t n, OptimiserInput how, double rate, double momentum, int nesterov)
{
    vec step = v_set1((real)rate), keep = v_set1((real)momentum);
    OPTIMISER_EACH(i, n) {
        vec weight = v_load(w + i), d = optimiser_input(g + i, weight, how);
        if (v) {
            vec move = v_fma(keep, v_load(v + i), d);
            v_store(v + i, move);
            d = nesterov ? v_fma(keep, move, d) : move;
        }
        v_store(w + i, v_fnma(step, d, weight));
    }
}

/* m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  largest = max(largest, v) (amsgrad; else NULL, and v stands for it);
 * t = update_count + 1;  w = (1 - rate fade) w - rate / (1 - beta1^t) * m / (sqrt(largest) / sqrt(1 - beta2^t) + epsilon).  fade 0: w as it is. */
static inline void optimiser_adam_and_fade(real *w, const real *g, real *m, real *v, real *largest, size_t n, OptimiserInput how, double rate,
                                           double beta1, double beta2, double epsilon, double fade, uint64_t update_count)
{
    double unbias1 = 1 - power_whole(beta1, update_count + 1), unbias2 = 1 - power_whole(beta2, update_count + 1);
    vec step = v_set1((real)(rate / unbias1)), scale = v_set1((real)(1 / sqrt(unbias2))), small = v_set1((real)epsilon);
    vec keep1 = v_set1((real)beta1), add1 = v_set1((real)(1 - beta1));
    vec keep2 = v_set1((real)beta2), add2 = v_set1((real)(1 - beta2)), rest = v_set1((real)(1 - rate * fade));
    OPTIMISER_EACH(i, n) {
        vec weight = v_load(w + i), d = optimiser_input(g + i, weight, how);
        vec mean = v_fma(keep1, v_load(m + i), v_mul(add1, d));
        vec square = v_fma(keep2, v_load(v + i), v_mul(add2, v_mul(d, d)));
        v_store(m + i, mean);
        v_store(v + i, square);
        if (largest) {
            square = v_max(v_load(largest + i), square);
            v_store(largest + i, square);
        }
        if (fade > 0)
            weight = v_mul(weight, rest);
        v_store(w + i, v_sub(weight, v_div(v_mul(step, mean), v_fma(v_sqrt(square), scale, small))));
    }
}

static inline void optimiser_adam(real *w, const real *g, real *m, real *v, real *largest, size_t n, OptimiserInput how, double rate,
                                  double beta1, double beta2, double epsilon, int amsgrad, uint64_t update_count)
{
    (void)amsgrad;
    optimiser_adam_and_fade(w, g, m, v, largest, n, how, rate, beta1, beta2, epsilon, 0, update_count);
}

/* The decay is of the weights alone: w = (1 - rate weight_decay) w, and then as adam.  how.decay is 0. */
static inline void optimiser_adamw(real *w, const real *g, real *m, real *v, real *largest, size_t n, OptimiserInput how, double rate,
                                   double beta1, double beta2, double epsilon, int amsgrad, double weight_decay, uint64_t update_count)
{
    (void)amsgrad;
    optimiser_adam_and_fade(w, g, m, v, largest, n, how, rate, beta1, beta2, epsilon, weight_decay, update_count);
}

/* r = r + g^2;  w = w - rate g / (sqrt(r) + epsilon) */
static inline void optimiser_adagrad(real *w, const real *g, real *r, size_t n, OptimiserInput how, double rate, double epsilon)
{
    vec step = v_set1((real)rate), small = v_set1((real)epsilon);
    OPTIMISER_EACH(i, n) {
        vec weight = v_load(w + i), d = optimiser_input(g + i, weight, how);
        vec sum = v_fma(d, d, v_load(r + i));
        v_store(r + i, sum);
        v_store(w + i, v_sub(weight, v_div(v_mul(step, d), v_add(v_sqrt(sum), small))));
    }
}

/* ---- several batches, and the average ----------------------------------------------------------------------------- */

/* Length of p's place in the block, in reals, with its padding. */
static inline size_t optimiser_length(const NetParam *p)
{
    return p->layout == IN_OUT ? p->count / (size_t)p->shape[0] * (size_t)p->stride : (p->count + 15) / 16 * 16;
}

/* sum = examples g of the first batch of an update, sum + examples g of another: g is a mean over so many examples.  What is frozen is left
 * out.  Complete for every thread when it returns. */
static inline void optimiser_gather(real *sum, const real *gradient, const NetParam *params, int count, double examples, int first)
{
    vec times = v_set1((real)examples);
    for (int k = 0; k < count; k++) {
        const size_t at = params[k].offset, n = params[k].frozen ? 0 : optimiser_length(&params[k]);
        OPTIMISER_EACH(i, n) {
            vec d = v_load(gradient + at + i);
            v_store(sum + at + i, first ? v_mul(times, d) : v_fma(times, d, v_load(sum + at + i)));
        }
    }
    _Pragma("omp barrier")
}

/* g = (sum + examples g) / all: the mean over the examples of all batches of an update, the last one's own gradient in g before.  Likewise. */
static inline void optimiser_gathered(real *gradient, const real *sum, const NetParam *params, int count, double examples, double all)
{
    vec times = v_set1((real)examples), by = v_set1((real)all);
    for (int k = 0; k < count; k++) {
        const size_t at = params[k].offset, n = params[k].frozen ? 0 : optimiser_length(&params[k]);
        OPTIMISER_EACH(i, n)
            v_store(gradient + at + i, v_div(v_fma(times, v_load(gradient + at + i), v_load(sum + at + i)), by));
    }
    _Pragma("omp barrier")
}

/* average = average + (1 - keep)(w - average); behind the first update it is w (as torch's AveragedModel).  Complete when it returns. */
static inline void optimiser_average(real *average, const real *w, size_t n, double keep, uint64_t update_count)
{
    vec share = v_set1((real)(1 - keep));
    OPTIMISER_EACH(i, n) {
        vec weight = v_load(w + i), old = v_load(average + i);
        v_store(average + i, update_count ? v_fma(share, v_sub(weight, old), old) : weight);
    }
    _Pragma("omp barrier")
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

typedef struct {
    real *weights;
    const real *gradient;
    real *state[NET_STATES];      /* those that the optimiser keeps */
    size_t n;                     /* reals of each block */
    const NetParam *params; int param_count;
    OptimiserNorm *row_sums;
    const struct Shares *shares;  /* shares.h; NULL: the program is for one process */
} OptimiserBlocks;

/* NAME-train.c: the net's own clipping, decay and optimiser.  Returns the norm of the gradient before clipping, to every thread; if that is not
 * finite, nothing has changed. */
double optimiser_update(const OptimiserBlocks *b, double rate, uint64_t update_count);

#endif
