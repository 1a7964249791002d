/* test_optimiser.c -- each rule against its formula in double, and the same bits for any number of threads. */
#define _DEFAULT_SOURCE
#include "optimiser.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <omp.h>
#include <stdlib.h>

enum { SIZE = 4096, OUTPUTS = 101, INPUTS = 21, STRIDE = 112, CONV_AT = STRIDE * INPUTS, CONV = 20 * 75, BIAS_AT = CONV_AT + 1504 };

/* A dense weight of 101 outputs as [in][112], a convolution [20][3][5][5], a single number. */
static const NetParam params[] = {
    { .name = "dense", .rank = 2, .shape = { OUTPUTS, INPUTS }, .layout = IN_OUT, .stride = STRIDE, .count = OUTPUTS * INPUTS },
    { .name = "conv", .rank = 4, .shape = { 20, 3, 5, 5 }, .offset = CONV_AT, .count = CONV },
    { .name = "one", .offset = BIAS_AT, .count = 1 },
};
enum { ROWS = OUTPUTS + 20 + 1 };

static _Alignas(64) real w[SIZE], g[SIZE], s0[SIZE], s1[SIZE], s2[SIZE];
static OptimiserNorm row_sums[ROWS];
static const OptimiserInput as_it_is = { .factor = 1 };

static double random_at(int i, int salt)
{
    return ((double)((unsigned)(i * 2654435761u + (unsigned)salt * 40503u) >> 8 & 0xffff) - 32768) / 32768;
}

static void fill(void)
{
    for (int i = 0; i < SIZE; i++) {
        w[i] = (real)random_at(i, 1), g[i] = (real)random_at(i, 2);
        s0[i] = (real)fabs(random_at(i, 3)), s1[i] = (real)fabs(random_at(i, 4));
        s2[i] = (real)fabs(random_at(i, 5));
    }
    for (int in = 0; in < INPUTS; in++)        /* padding is zero */
        for (int out = OUTPUTS; out < STRIDE; out++)
            g[in * STRIDE + out] = 0;
}

static double tolerance(void) { return sizeof(real) == 8 ? 1e-13 : 2e-6; }

static OptimiserNorm norm_with(int threads, double most)
{
    OptimiserNorm norm = { 0, 0 };
#pragma omp parallel num_threads(threads)
    {
        OptimiserNorm mine = optimiser_norm(g, params, 3, row_sums, most);
#pragma omp master
        norm = mine;
    }
    return norm;
}

/* The root of the squares of all elements that belong to a parameter, each within [-most, most]. */
static double norm_expected(double most)
{
    double sum = 0;
    for (int i = 0; i <= BIAS_AT; i++)
        if (i < CONV_AT + CONV || i == BIAS_AT) {
            double x = fmin(fmax((double)g[i], -most), most);
            sum += x * x;
        }
    return sqrt(sum);
}

Test(optimiser, norms_are_the_roots_of_all_squares_whole_and_clipped)
{
    fill();
    double whole = norm_expected(INFINITY), within = norm_expected(0.5);
    OptimiserNorm norm = norm_with(1, 0.5);
    cr_assert(eq(sz, optimiser_all_rows(params, 3), ROWS));
    cr_assert(lt(dbl, within, 0.9 * whole));
    cr_assert(epsilon_eq(dbl, norm.whole, whole, whole * tolerance()));
    cr_assert(epsilon_eq(dbl, norm.within, within, within * tolerance()));
}

Test(optimiser, without_clipping_both_norms_are_one)
{
    fill();
    OptimiserNorm norm = norm_with(1, 0);
    cr_assert(eq(dbl, norm.whole, norm_with(1, 0.5).whole));
    cr_assert(eq(dbl, norm.within, norm.whole));
    cr_assert(eq(dbl, norm_with(1, 1).within, norm.whole), "no element is beyond 1");
}

Test(optimiser, norms_have_the_same_bits_for_any_number_of_threads)
{
    fill();
    OptimiserNorm one = norm_with(1, 0.5);
    for (int threads = 2; threads <= 7; threads++) {
        OptimiserNorm norm = norm_with(threads, 0.5);
        cr_assert(eq(dbl, norm.whole, one.whole));
        cr_assert(eq(dbl, norm.within, one.within));
    }
    cr_assert(eq(dbl, optimiser_norm(g, params, 3, row_sums, 0.5).within, one.within), "outside of a parallel region");
}

Test(optimiser, a_row_is_sixteen_strided_sums_and_their_tree)
{
    real whole[16] = { 0 }, within[16] = { 0 };
    fill();
    for (int i = 0; i < 75; i++) {
        real x = r_min(r_max(g[i], (real)-0.5), (real)0.5);
        whole[i % 16] = r_fma(g[i], g[i], whole[i % 16]);
        within[i % 16] = r_fma(x, x, within[i % 16]);
    }
    OptimiserNorm sums = optimiser_row_sums(g, 75, 0.5);
    cr_assert(eq(dbl, sums.whole, (double)v_sum(v_loadu(whole))));
    cr_assert(eq(dbl, sums.within, (double)v_sum(v_loadu(within))));
}

Test(optimiser, clipping_by_norm_follows_torch_and_lasagne)
{
    cr_assert(eq(dbl, optimiser_clip_torch(3, 5), 1));
    cr_assert(eq(dbl, optimiser_clip_torch(10, 5), 5 / (10 + 1e-6)));
    cr_assert(eq(dbl, optimiser_clip_lasagne(3, 5), 3 / (1e-7 + 3)));
    cr_assert(eq(dbl, optimiser_clip_lasagne(10, 5), 5 / (1e-7 + 10)));
    cr_assert(eq(dbl, optimiser_clip_torch(0, 5), 1));
    cr_assert(eq(dbl, optimiser_clip_lasagne(0, 5), 0));
}

Test(optimiser, an_update_clips_scales_and_decays_what_it_reads)
{
    _Alignas(64) real taken[16];
    int clipped = 0, decayed = 0;
    fill();
    for (int i = CONV_AT; i < CONV_AT + 1488; i += 16) {
        OptimiserInput how = { .most = 0.5, .factor = 0.25 };
        v_store(taken, optimiser_input(g + i, v_load(w + i), how));
        for (int l = 0; l < 16; l++) {
            double was = (double)g[i + l], within = was > 0.5 ? 0.5 : was < -0.5 ? -0.5 : was;
            cr_assert(eq(dbl, (double)taken[l], 0.25 * within));
            clipped += was != within;
        }
        how.decay = 0.125;
        v_store(taken, optimiser_input(g + i, v_load(w + i), how));
        for (int l = 0; l < 16; l++) {
            double without = 0.25 * fmin(fmax((double)g[i + l], -0.5), 0.5);
            cr_assert(epsilon_eq(dbl, (double)taken[l], without + 0.125 * (double)w[i + l], tolerance()));
            decayed += (double)taken[l] != without;
        }
    }
    cr_assert(gt(int, clipped, 100));
    cr_assert(gt(int, decayed, 100));
}

/* Gradients beyond 0.1, most of them, are clipped: each rule's formula with its own states gives the gradient it must have read. */
Test(optimiser, every_update_reads_the_gradient_by_the_same_rule_and_leaves_it)
{
    static real before[4][SIZE];
    const OptimiserInput how = { .most = 0.1, .factor = 0.25, .decay = 0.125 };
    for (int rule = 0; rule < 4; rule++) {
        fill();
        memcpy(before[0], w, sizeof w), memcpy(before[1], g, sizeof g), memcpy(before[2], s0, sizeof s0), memcpy(before[3], s1, sizeof s1);
        switch (rule) {
        case 0: optimiser_sgd(w, g, NULL, SIZE, how, 0.1, 0, 0); break;
        case 1: optimiser_sgd(w, g, s0, SIZE, how, 0.1, 0.9, 0); break;
        case 2: optimiser_rmsprop(w, g, s0, NULL, NULL, SIZE, how, 0.1, 0.9, 1e-3, 1, 0, 0); break;
        default: optimiser_adam(w, g, s0, s1, NULL, SIZE, how, 0.1, 0.9, 0.999, 1e-8, 0, 3);
        }
        for (int i = 0; i < SIZE; i++) {
            double weight = (double)before[0][i], a = (double)before[2][i], b = (double)before[3][i];
            double d = 0.25 * fmin(fmax((double)before[1][i], -0.1), 0.1) + 0.125 * weight;
            double first = rule == 0 ? a : rule == 1 ? 0.9 * a + d : rule == 2 ? 0.9 * a + 0.1 * d * d : 0.9 * a + 0.1 * d;
            double second = rule == 3 ? 0.999 * b + 0.001 * d * d : b;
            double step = rule == 0 ? d : rule == 1 ? first : rule == 2 ? d / sqrt(first + 1e-3) :
                first / (1 - pow(0.9, 4)) / (sqrt(second) / sqrt(1 - pow(0.999, 4)) + 1e-8);
            cr_assert(epsilon_eq(dbl, (double)s0[i], first, 2 * tolerance()), "rule %d, element %d", rule, i);
            cr_assert(epsilon_eq(dbl, (double)s1[i], second, tolerance()), "rule %d, element %d", rule, i);
            cr_assert(epsilon_eq(dbl, (double)w[i], weight - 0.1 * step, (1 + fabs(step)) * tolerance()), "rule %d, element %d", rule, i);
        }
        cr_assert(zero(int, memcmp(before[1], g, sizeof g)), "rule %d", rule);
    }
}

/* Clipping turns a NaN into a bound, so the norm that is tested is the one before clipping. */
Test(optimiser, no_clipping_hides_nonsense_from_the_whole_norm)
{
    for (int conv = 0; conv < 2; conv++)
        for (int infinite = 0; infinite < 2; infinite++) {
            fill();
            g[conv ? CONV_AT + 700 : 5 * STRIDE + 70] = (real)(infinite ? INFINITY : NAN);
            OptimiserNorm norm = norm_with(2, 0.5);
            cr_assert(eq(int, !isfinite(norm.whole), 1), "conv %d, infinite %d", conv, infinite);
            cr_assert(eq(int, !isfinite(norm.within), 0), "conv %d, infinite %d", conv, infinite);
            cr_assert(eq(int, !isfinite(norm_with(2, 0).whole), 1), "conv %d, infinite %d", conv, infinite);
        }
}

Test(optimiser, rmsprop_follows_its_formula_inside_and_outside)
{
    for (int inside = 0; inside < 2; inside++) {
        fill();
        optimiser_rmsprop(w, g, s0, NULL, NULL, SIZE, as_it_is, 0.01, 0.9, 1e-3, inside, 0, 0);
        for (int i = 0; i < SIZE; i++) {
            double d = i < CONV_AT && i % STRIDE >= OUTPUTS ? 0 : random_at(i, 2), r = 0.9 * fabs(random_at(i, 3)) + 0.1 * d * d;
            double root = inside ? sqrt(r + 1e-3) : sqrt(r) + 1e-3;
            cr_assert(epsilon_eq(dbl, (double)s0[i], r, tolerance()));
            cr_assert(epsilon_eq(dbl, (double)w[i], random_at(i, 1) - 0.01 * d / root, tolerance()));
        }
    }
}

Test(optimiser, sgd_follows_its_formula_with_and_without_momentum)
{
    fill();
    optimiser_sgd(w, g, s0, SIZE, as_it_is, 0.1, 0.9, 0);
    double v = 0.9 * fabs(random_at(2000, 3)) + random_at(2000, 2);
    cr_assert(epsilon_eq(dbl, (double)s0[2000], v, tolerance()));
    cr_assert(epsilon_eq(dbl, (double)w[2000], random_at(2000, 1) - 0.1 * v, tolerance()));
    fill();
    optimiser_sgd(w, g, NULL, SIZE, as_it_is, 0.1, 0, 0);
    cr_assert(epsilon_eq(dbl, (double)w[2000], random_at(2000, 1) - 0.1 * random_at(2000, 2), tolerance()));
}

Test(optimiser, adam_follows_its_formula_over_three_updates)
{
    double weight = random_at(2000, 1), m = 0, v = 0;
    fill();
    memset(s0, 0, sizeof s0);
    memset(s1, 0, sizeof s1);
    for (int t = 1; t <= 3; t++) {
        double d = (double)g[2000];
        m = 0.9 * m + 0.1 * d;
        v = 0.999 * v + 0.001 * d * d;
        weight -= 0.01 / (1 - pow(0.9, t)) * m / (sqrt(v) / sqrt(1 - pow(0.999, t)) + 1e-8);
        optimiser_adam(w, g, s0, s1, NULL, SIZE, as_it_is, 0.01, 0.9, 0.999, 1e-8, 0, (uint64_t)t - 1);
        cr_assert(epsilon_eq(dbl, (double)w[2000], weight, 10 * tolerance()));
    }
}

/* Three updates of all elements, whose gradient changes from one to the next, beside the formulas in double.  The rules that one setting
 * turns into another each have a number here. */
enum { NESTEROV, RMSPROP_MOMENTUM, RMSPROP_CENTRED, RMSPROP_BOTH, AMSGRAD, ADAMW, ADAMW_AMSGRAD, ADAGRAD, VARIANTS };

static void update(int variant, uint64_t count)
{
    switch (variant) {
    case NESTEROV: optimiser_sgd(w, g, s0, SIZE, as_it_is, 0.1, 0.9, 1); break;
    case RMSPROP_MOMENTUM: optimiser_rmsprop(w, g, s0, NULL, s2, SIZE, as_it_is, 0.01, 0.8, 1e-3, 1, 0.9, 0); break;
    case RMSPROP_CENTRED: optimiser_rmsprop(w, g, s0, s1, NULL, SIZE, as_it_is, 0.01, 0.8, 1e-3, 0, 0, 1); break;
    case RMSPROP_BOTH: optimiser_rmsprop(w, g, s0, s1, s2, SIZE, as_it_is, 0.01, 0.8, 1e-3, 1, 0.9, 1); break;
    case AMSGRAD: optimiser_adam(w, g, s0, s1, s2, SIZE, as_it_is, 0.01, 0.9, 0.7, 1e-8, 1, count); break;
    case ADAMW: optimiser_adamw(w, g, s0, s1, NULL, SIZE, as_it_is, 0.01, 0.9, 0.7, 1e-8, 0, 0.5, count); break;
    case ADAMW_AMSGRAD: optimiser_adamw(w, g, s0, s1, s2, SIZE, as_it_is, 0.01, 0.9, 0.7, 1e-8, 1, 0.5, count); break;
    default: optimiser_adagrad(w, g, s0, SIZE, as_it_is, 0.1, 1e-10); break;
    }
}

/* The same of one element: its weight and its states a, b, c. */
typedef struct { double w, a, b, c; } Element;

static Element update_of(int variant, Element e, double d, int t)
{
    double root, fade = variant == ADAMW || variant == ADAMW_AMSGRAD ? 0.5 : 0;
    switch (variant) {
    case NESTEROV:
        e.a = 0.9 * e.a + d;
        e.w -= 0.1 * (d + 0.9 * e.a);
        return e;
    case RMSPROP_MOMENTUM: case RMSPROP_CENTRED: case RMSPROP_BOTH:
        e.a = 0.8 * e.a + 0.2 * d * d;
        e.b = 0.8 * e.b + 0.2 * d;
        root = variant == RMSPROP_MOMENTUM ? e.a : fmax(e.a - e.b * e.b, 0);
        root = variant == RMSPROP_CENTRED ? sqrt(root) + 1e-3 : sqrt(root + 1e-3);
        e.c = (variant == RMSPROP_CENTRED ? 0 : 0.9) * e.c + d / root;
        e.w -= 0.01 * e.c;
        return e;
    case ADAGRAD:
        e.a += d * d;
        e.w -= 0.1 * d / (sqrt(e.a) + 1e-10);
        return e;
    default:
        e.a = 0.9 * e.a + 0.1 * d;
        e.b = 0.7 * e.b + 0.3 * d * d;
        e.c = fmax(e.c, e.b);
        root = sqrt((variant == ADAMW ? e.b : e.c) / (1 - pow(0.7, t))) + 1e-8;
        e.w = (1 - 0.01 * fade) * e.w - 0.01 * e.a / (1 - pow(0.9, t)) / root;
        return e;
    }
}

Test(optimiser, every_setting_of_a_rule_follows_its_formula_over_three_updates)
{
    static Element expected[SIZE];
    for (int variant = 0; variant < VARIANTS; variant++) {
        int shrank = 0;
        fill();
        memset(s0, 0, sizeof s0), memset(s1, 0, sizeof s1), memset(s2, 0, sizeof s2);
        for (int i = 0; i < SIZE; i++)
            expected[i] = (Element){ .w = (double)w[i] };
        for (int t = 1; t <= 3; t++) {
            for (int i = 0; i < SIZE; i++) {
                g[i] = (real)(random_at(i, 10 + t) / t);
                expected[i] = update_of(variant, expected[i], (double)g[i], t);
                shrank += expected[i].b < expected[i].c;
            }
            update(variant, (uint64_t)t - 1);
        }
        bool amsgrad = variant == AMSGRAD || variant == ADAMW_AMSGRAD;
        cr_assert(eq(int, amsgrad ? shrank > SIZE / 2 : 1, 1), "the largest mean of squares is seldom the last one");
        for (int i = 0; i < SIZE; i++) {
            double far = 20 * tolerance() * (1 + fabs(expected[i].w));
            if (variant >= RMSPROP_CENTRED && variant <= RMSPROP_BOTH)
                far *= 20;                     /* a difference of two near numbers stands under the root */
            cr_assert(epsilon_eq(dbl, (double)w[i], expected[i].w, far), "variant %d, element %d", variant, i);
        }
    }
}

Test(optimiser, a_steady_gradient_does_not_bring_the_centred_root_below_zero)
{
    fill();
    memset(s0, 0, sizeof s0), memset(s1, 0, sizeof s1);
    for (int t = 0; t < 400; t++)
        optimiser_rmsprop(w, g, s0, s1, NULL, SIZE, as_it_is, 1e-9, 0.8, 1e-6, 0, 0, 1);
    for (int i = 0; i < SIZE; i++)
        cr_assert(isfinite((double)w[i]), "element %d is %g", i, (double)w[i]);
}

Test(optimiser, updates_have_the_same_bits_for_any_number_of_threads)
{
    static real first[SIZE];
    for (int threads = 1; threads <= 5; threads++) {
        fill();
#pragma omp parallel num_threads(threads)
        {
            double norm = optimiser_norm(g, params, 3, row_sums, 0.7).within;
            OptimiserInput how = { .most = 0.7, .factor = optimiser_clip_torch(norm, 5), .decay = 1e-3 };
            optimiser_adam(w, g, s0, s1, NULL, SIZE, how, 0.01, 0.9, 0.999, 1e-8, 0, 4);
            optimiser_rmsprop(w, g, s0, NULL, NULL, SIZE, how, 0.01, 0.9, 1e-6, 1, 0, 0);
        }
        if (threads == 1)
            memcpy(first, w, sizeof first);
        cr_assert(zero(int, memcmp(first, w, sizeof first)));
    }
}
