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

static _Alignas(64) real w[SIZE], g[SIZE], s0[SIZE], s1[SIZE];
static double row_sums[ROWS];

static double random_at(int i, int salt)
{
    return ((double)((unsigned)(i * 2654435761u + (unsigned)salt * 40503u) >> 8 & 0xffff) - 32768) / 32768;
}

static void fill(void)
{
    for (int i = 0; i < SIZE; i++) {
        w[i] = (real)random_at(i, 1), g[i] = (real)random_at(i, 2);
        s0[i] = (real)fabs(random_at(i, 3)), s1[i] = (real)fabs(random_at(i, 4));
    }
    for (int in = 0; in < INPUTS; in++)        /* padding is zero */
        for (int out = OUTPUTS; out < STRIDE; out++)
            g[in * STRIDE + out] = 0;
}

static double tolerance(void) { return sizeof(real) == 8 ? 1e-13 : 2e-6; }

static double norm_with(int threads)
{
    double norm = 0;
#pragma omp parallel num_threads(threads)
    {
        double mine = optimiser_norm(g, params, 3, row_sums);
#pragma omp master
        norm = mine;
    }
    return norm;
}

Test(optimiser, norm_is_the_root_of_all_squares)
{
    double sum = 0;
    fill();
    for (int i = 0; i < CONV_AT; i++)
        sum += (double)g[i] * (double)g[i];
    for (int i = 0; i < CONV; i++)
        sum += (double)g[CONV_AT + i] * (double)g[CONV_AT + i];
    sum += (double)g[BIAS_AT] * (double)g[BIAS_AT];
    cr_assert(eq(sz, optimiser_all_rows(params, 3), ROWS));
    cr_assert(epsilon_eq(dbl, norm_with(1), sqrt(sum), sqrt(sum) * tolerance()));
}

Test(optimiser, norm_has_the_same_bits_for_any_number_of_threads)
{
    fill();
    double one = norm_with(1);
    for (int threads = 2; threads <= 7; threads++)
        cr_assert(eq(dbl, norm_with(threads), one));
    cr_assert(eq(dbl, optimiser_norm(g, params, 3, row_sums), one), "outside of a parallel region");
}

Test(optimiser, a_row_is_sixteen_strided_sums_and_their_tree)
{
    real lanes[16] = { 0 };
    vec v;
    fill();
    for (int i = 0; i < 75; i++)
        lanes[i % 16] = r_fma(g[i], g[i], lanes[i % 16]);
    v = v_loadu(lanes);
    cr_assert(eq(dbl, optimiser_row_sum(g, 75), (double)v_sum(v)));
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

Test(optimiser, elements_are_clipped_scaled_and_decayed)
{
    fill();
    optimiser_clip_elements(g, SIZE, 0.5);
    for (int i = 0; i < SIZE; i++) {
        double was = i < CONV_AT && i % STRIDE >= OUTPUTS ? 0 : random_at(i, 2);
        cr_assert(eq(dbl, (double)g[i], was > 0.5 ? 0.5 : was < -0.5 ? -0.5 : was));
    }
    optimiser_scale(g, SIZE, 0.25);
    double before = (double)g[100];
    optimiser_decay(g, w, SIZE, 0.125);
    cr_assert(epsilon_eq(dbl, (double)g[100], before + 0.125 * (double)w[100], tolerance()));
}

Test(optimiser, rmsprop_follows_its_formula_inside_and_outside)
{
    for (int inside = 0; inside < 2; inside++) {
        fill();
        optimiser_rmsprop(w, g, s0, SIZE, 0.01, 0.9, 1e-3, inside);
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
    optimiser_sgd(w, g, s0, SIZE, 0.1, 0.9);
    double v = 0.9 * fabs(random_at(2000, 3)) + random_at(2000, 2);
    cr_assert(epsilon_eq(dbl, (double)s0[2000], v, tolerance()));
    cr_assert(epsilon_eq(dbl, (double)w[2000], random_at(2000, 1) - 0.1 * v, tolerance()));
    fill();
    optimiser_sgd(w, g, NULL, SIZE, 0.1, 0);
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
        optimiser_adam(w, g, s0, s1, SIZE, 0.01, 0.9, 0.999, 1e-8, (uint64_t)t - 1);
        cr_assert(epsilon_eq(dbl, (double)w[2000], weight, 10 * tolerance()));
    }
}

Test(optimiser, updates_have_the_same_bits_for_any_number_of_threads)
{
    static real first[SIZE];
    for (int threads = 1; threads <= 5; threads++) {
        fill();
#pragma omp parallel num_threads(threads)
        {
            double norm = optimiser_norm(g, params, 3, row_sums);
            optimiser_clip_elements(g, SIZE, 0.7);
            optimiser_scale(g, SIZE, optimiser_clip_torch(norm, 5));
            optimiser_decay(g, w, SIZE, 1e-3);
            optimiser_adam(w, g, s0, s1, SIZE, 0.01, 0.9, 0.999, 1e-8, 4);
            optimiser_rmsprop(w, g, s0, SIZE, 0.01, 0.9, 1e-6, 1);
        }
        if (threads == 1)
            memcpy(first, w, sizeof first);
        cr_assert(zero(int, memcmp(first, w, sizeof first)));
    }
}
