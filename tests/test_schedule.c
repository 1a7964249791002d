/* test_schedule.c -- the rates of `divide` are those of one division after the other, to the bit, in any number of epochs; those of the other
 * schedules follow their formulas, and a warm-up rises evenly from update to update. */
#include "schedule.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

static double by_hand(double rate, int epoch, double divide, double first, double every)
{
    for (double e = first; every > 0 && e <= epoch; e += every)
        rate /= divide;
    return rate;
}

Test(schedule, every_rate_is_that_of_all_divisions)
{
    static const double rates[] = { 0, 0.01, 1e-300, 1e300, INFINITY }, divides[] = { 0, 0.5, 1, 1.5, 10, 1e300, INFINITY }, everies[] = { 0, 1, 2, 7 };
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++)
        for (size_t d = 0; d < sizeof divides / sizeof *divides; d++)
            for (size_t k = 0; k < sizeof everies / sizeof *everies; k++)
                for (int epoch = 0; epoch < 3000; epoch = 2 * epoch + 1) {
                    double is = schedule_divide(rates[r], epoch, 9, divides[d], 3, everies[k]), expected = by_hand(rates[r], epoch, divides[d], 3, everies[k]);
                    cr_assert(memcmp(&is, &expected, sizeof is) == 0 || (isnan(is) && isnan(expected)), "%g at epoch %d, divided by %g every %g: %g, not %g", rates[r], epoch, divides[d], everies[k], is, expected);
                }
}

/* A billion divisions would take seconds at the start of every epoch, in which no signal is looked at. */
Test(schedule, a_division_that_changes_nothing_is_the_last, .timeout = 300)
{
    for (int i = 0; i < 1000; i++) {
        cr_assert(eq(dbl, schedule_divide(0.01, 1000000000, 1, 1, 0, 1), 0.01));
        cr_assert(schedule_divide(0.01, 1000000000, 1, 1.5, 0, 1) < 1e-323, "the least number, which rounds to itself");
        cr_assert(eq(dbl, schedule_divide(0.01, 1000000000, 1, 0.5, 0, 1), INFINITY));
    }
}

static void near(double is, double expected, const char *what, int epoch)
{
    cr_assert(epsilon_eq(dbl, is, expected, 4e-16), "%s at epoch %d: %.17g, not %.17g", what, epoch, is, expected);
}

Test(schedule, step_exponential_and_cosine_follow_their_formulas)
{
    const double pi = acos(-1);
    for (int epoch = 0; epoch < 9; epoch++) {
        near(schedule_step(0.5, epoch, 9, 10, 3), 0.5 / pow(10, epoch / 3), "step", epoch);
        near(schedule_exponential(0.5, epoch, 9, 0.9), 0.5 * pow(0.9, epoch), "exponential", epoch);
        near(schedule_cosine(0.5, epoch, 9, 0.1), 0.5 * (0.1 + 0.9 * (1 + cos(pi * epoch / 8)) / 2), "cosine", epoch);
    }
    cr_assert(eq(dbl, schedule_cosine(0.5, 0, 9, 0), 0.5));
    cr_assert(eq(dbl, schedule_cosine(0.5, 8, 9, 0), 0));
    cr_assert(eq(dbl, schedule_cosine(0.5, 12, 9, 0.25), 0.125), "it stays at its end");
    cr_assert(eq(dbl, schedule_cosine(0.5, 0, 1, 0), 0.5), "a run of one epoch");
    cr_assert(eq(dbl, schedule_exponential(0.5, 1000000000, 1, 0.5), 0));
}

Test(schedule, a_warm_up_rises_evenly_from_update_to_update)
{
    for (uint64_t update = 0; update < 12; update++) {
        double expected = update < 6 ? 0.5 * ((double)update + 1) / 6 : 0.5;
        near(schedule_warm_up(0.5, 2, update, 3), expected, "warm_up", (int)update);
        near(schedule_warm_up(0.5, 1.5, update, 4), expected, "warm_up", (int)update);
    }
    cr_assert(eq(dbl, schedule_warm_up(0.5, 0, 0, 3), 0.5));
}
