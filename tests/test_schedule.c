/* test_schedule.c -- the rates of `divide` are those of one division after the other, to the bit, in any number of epochs. */
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
