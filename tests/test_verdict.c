/* test_verdict.c -- what --overfit-one-batch and --lr-find say of rows of losses that are given, with noise of several kinds. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdint.h>

#include "verdict.h"

/* ---- does the loss still fall? ------------------------------------------------------------------------------------- */

enum { LOOKS = STEPS_MOST / LOOK };

/* The first look at which the row is said to fall no more; LOOKS: none. */
static int ends(double (*loss)(double step))
{
    double least[LOOKS], low = INFINITY;
    for (int k = 0; k < LOOKS; k++) {
        least[k] = low = fmin(low, loss((k + 1.0) * LOOK));
        if (!still_falls(least, k + 1))
            return k;
    }
    return LOOKS;
}

static double inverse(double t) { return 100 / (t + 50); }
static double root(double t) { return 1 / sqrt(t); }
static double from_plateau(double t) { return 2.3 * fmax(1 - t / 25000, 0.01); }
static double flat(double t) { return t < 30 ? 1.2 : 1.1; }
static double to_entropy(double t) { return 0.69 + exp(-t / 200); }
static double to_entropy_slowly(double t) { return 0.69 + 20 / t; }
static double hardly(double t) { return 2.3 - 1e-7 * t; }

Test(verdict, a_loss_that_falls_as_a_power_of_the_steps_falls_and_one_that_comes_to_an_end_does_not)
{
    cr_assert(eq(int, ends(inverse), LOOKS));
    cr_assert(eq(int, ends(root), LOOKS));
    cr_assert(gt(int, ends(from_plateau), 250));
    cr_assert(eq(int, ends(flat), 4));
    cr_assert(eq(int, ends(hardly), 4));
    cr_assert(lt(int, ends(to_entropy), 30));
    cr_assert(lt(int, ends(to_entropy_slowly), 50));
}

/* ---- which rate? ----------------------------------------------------------------------------------------------------- */

static uint64_t state;
static double uniform(void) { return (double)((state = state * 6364136223846793005u + 1442695040888963407u) >> 11) / 9007199254740992.0; }
static double none(int i) { return 0 * i; }
static double even(int i) { return (void)i, uniform() - 0.5; }
static double bell(int i) { return (void)i, (uniform() + uniform() + uniform() + uniform() - 2) / 2; }
static double spikes(int i) { return (void)i, uniform() < 0.1 ? 1.0 * uniform() : 0.05 * uniform(); }       /* a few hard batches */
static double epochs(int i) { return 0.3 * sin(i * 6.283185307 / 7) + 0.1 * (uniform() - 0.5); }           /* the same seven batches again */
static double high_first(int i) { return (i < 2 ? 0.6 : 0) + 0.3 * (uniform() - 0.5); }
static double low_first(int i) { return (i < 2 ? -0.6 : 0) + 0.3 * (uniform() - 0.5); }
static double (*const noises[])(int i) = { none, even, bell, spikes, epochs, high_first, low_first };
enum { NOISES = sizeof noises / sizeof *noises };

/* A sweep of a loss that is `from` up to about the rate `at`, `to` a decade above, and explodes at 1. */
static double suggested(double (*noise)(int i), double from, double to, double at)
{
    Point points[POINTS];
    for (int i = 0; i < POINTS; i++) {
        const double rate = 1e-7 * pow(10, (double)i / PER_DECADE), fallen = 1 / (1 + pow(at * 3 / rate, 2));
        points[i] = (Point){ .rate = rate, .loss = from + (to - from) * fallen + noise(i) + pow(rate, 2) };
        point_smooth(points, i + 1);
    }
    return rate_suggested(points, POINTS);
}

Test(verdict, the_rate_is_where_the_loss_falls_and_not_where_noise_does)
{
    static const double places[] = { 1e-4, 1e-3, 1e-2 };
    for (int k = 0; k < NOISES; k++)
        for (int place = 0; place < 3; place++)
            for (int seed = 0; seed < 200; seed++) {
                state = (uint64_t)(seed * 977 + 1);
                const double at = places[place], rate = suggested(noises[k], 2.3, 1, at);
                cr_assert(rate > at && rate < 40 * at, "noise %d, seed %d: %g, and the loss falls behind %g", k, seed, rate, at);
            }
}

Test(verdict, a_fall_little_larger_than_the_noise_of_one_batch_is_one)
{
    int found = 0;
    for (int seed = 0; seed < 100; seed++) {
        state = (uint64_t)(seed * 977 + 1);
        found += suggested(even, 1.55, 1.15, 1e-3) > 0;         /* of deviation 0.29 */
    }
    cr_assert(gt(int, found, 80), "%d of 100", found);
}

Test(verdict, noise_alone_is_no_fall)
{
    for (int k = 0; k < NOISES; k++) {
        int falls = 0;          /* three and a half standard errors are seldom reached, not never */
        for (int seed = 0; seed < 200; seed++) {
            state = (uint64_t)(seed * 977 + 1);
            falls += suggested(noises[k], 1.2, 1.2, 1e-3) > 0;
        }
        cr_assert(le(int, falls, 10), "noise %d: %d of 200 are called a fall", k, falls);
    }
}

Test(verdict, a_rate_is_never_one_that_changes_nothing)
{
    for (int k = 0; k < NOISES; k++)
        for (int seed = 0; seed < 2000; seed++) {
            state = (uint64_t)(seed * 977 + 1);
            const double rate = suggested(noises[k], 1.6, 1.52, 1e-2);       /* a fall that is hardly more than chance */
            cr_assert(rate == 0 || rate > 2e-7, "noise %d, seed %d: %g", k, seed, rate);
        }
}

Test(verdict, what_one_answer_for_all_gives_is_not_learnt)
{
    static const double noise_at[] = { 0.01, 0.1 };
    for (int k = 0; k < 2; k++)
        for (int seed = 0; seed < 200; seed++) {
            Point points[POINTS];
            state = (uint64_t)(seed * 977 + 1);
            for (int i = 0; i < POINTS; i++) {
                points[i] = (Point){ .rate = i, .loss = (i < 60 ? 1.6 : 1.4) + noise_at[k] * even(i) };
                point_smooth(points, i + 1);
            }
            cr_assert(rate_learns(points, POINTS, 1.386) == false, "seed %d", seed);
            cr_assert(rate_learns(points, POINTS, 1.55), "seed %d", seed);
        }
    cr_assert(rate_learns(NULL, 0, 1) == false);
}

Test(verdict, a_row_that_ends_at_once_has_no_rate)
{
    Point points[POINTS] = { { 0 } };
    for (int count = 1; count <= 10; count++) {
        points[count - 1] = (Point){ .rate = count, .loss = 20 - count };
        point_smooth(points, count);
        cr_assert(rate_suggested(points, count) == 0);
    }
    cr_assert(rate_suggested(points, 0) == 0);
}
