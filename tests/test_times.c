/* test_times.c -- the statistics of bench and profile, on given times: quiet, disturbed once or half of the time, all alike, one, none,
 * zeros. */
#include "clock.h"
#include "inspect/times.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

#define OF(...) of((const double[]){ __VA_ARGS__ }, sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double))
static Times of(const double *given, size_t count)
{
    double list[32];
    memcpy(list, given, count * sizeof *list);
    return times_of(list, (int)count);
}

static int is(Times t, double low, double median, double high) { return t.low == low && t.median == median && t.high == high; }
static int near(double a, double b) { return fabs(a - b) <= 1e-12 * fabs(b); }

Test(times, the_middle_half_of_a_list_in_any_order)
{
    cr_assert(is(OF(5, 1, 4, 2, 3), 2, 3, 4));
    cr_assert(is(OF(8, 1, 7, 2, 6, 3, 5, 4), 3, 4.5, 6), "an even number has the mean of two as its median");
    cr_assert(is(OF(2, 1), 1, 1.5, 2));
    cr_assert(is(OF(7), 7, 7, 7));
    cr_assert(is(times_of(NULL, 0), 0, 0, 0));
}

Test(times, a_quiet_machine_has_no_spread_to_speak_of)
{
    char text[400] = "before";
    Times t = OF(10.0, 10.1, 10.2, 10.0, 9.9, 10.1, 10.3, 10.0);
    cr_assert(near(times_spread(t), (10.1 - 10.0) / 10.05), "%.17g", times_spread(t));
    cr_assert(not(times_warning(text, sizeof text, "training steps", t)));
    cr_assert(eq(str, text, (char *)""));
    cr_assert(eq(dbl, times_spread(OF(3, 3, 3, 3, 3)), 0.0));
    cr_assert(eq(dbl, times_spread(OF(3)), 0.0));
}

Test(times, outliers_do_not_widen_it_while_they_are_a_quarter_at_most)
{
    cr_assert(eq(dbl, times_spread(OF(10, 10, 10, 10, 10, 10, 10, 1000)), 0.0));
    cr_assert(eq(dbl, times_spread(OF(10, 10, 10, 10, 10, 10, 0.1, 1000)), 0.0), "one on each side");
    cr_assert(eq(dbl, times_spread(OF(10, 10, 10, 10, 10, 10, 1000, 1000)), 0.0), "a quarter of them");
    cr_assert(eq(dbl, times_spread(OF(10, 10, 10, 10, 10, 1000, 1000, 1000)), 99.0), "three of eight");
}

Test(times, a_machine_that_is_disturbed_half_of_the_time_is_told)
{
    char text[400];
    Times t = OF(10, 25, 10, 25, 10, 25, 10, 25);
    cr_assert(is(t, 10, 17.5, 25));
    cr_assert(times_warning(text, sizeof text, "forward passes", t));
    cr_assert(eq(str, text, (char *)"the spread is wide: half of the forward passes took 10 to 25 ms, the middle one 17.5; probably other programs, or a neighbour on the "
                                    "same machine, had a part of the processors"));
}

Test(times, wide_begins_above_its_border)
{
    char text[400];
    Times at = { 100, 100, 100 + 100 * TIMES_WIDE }, above = { 100, 100, nextafter(at.high, INFINITY) + 1e-9 };
    cr_assert(not(times_warning(text, sizeof text, "training steps", at)), "spread %.17g", times_spread(at));
    cr_assert(times_warning(text, sizeof text, "training steps", above), "spread %.17g", times_spread(above));
}

Test(times, a_clock_that_stands_still_is_no_division_by_zero)
{
    char text[400];
    cr_assert(eq(dbl, times_spread(OF(0, 0, 0, 0)), 0.0));
    Times t = OF(0, 0, 0, 0, 0, 5, 5, 5);                    /* more than half took no time */
    cr_assert(isinf(times_spread(t)) && times_warning(text, sizeof text, "training steps", t));
    cr_assert(eq(dbl, times_best_rate(1e9, (const double[]){ 0, 0 }, 2), 0.0));
    cr_assert(eq(dbl, times_rate(1e9, 0), 0.0));
}

Test(times, a_peak_is_that_of_the_fastest_round)
{
    const double quiet[] = { 1e-3, 1.01e-3, 1e-3, 1.02e-3 }, disturbed[] = { 8e-3, 1e-3, 9e-3, 7e-3 }, always[] = { 8e-3, 9e-3, 7e-3 };
    cr_assert(near(times_best_rate(64e6, quiet, 4), 64));
    cr_assert(near(times_best_rate(64e6, disturbed, 4), 64), "one undisturbed round is enough");
    cr_assert(near(times_best_rate(64e6, always, 3), 64 / 7.0));
    cr_assert(near(times_best_rate(64e6, quiet, 1), 64));
    cr_assert(near(times_best_rate(64e6, (const double[]){ 0, 2e-3 }, 2), 32), "a round without time does not count");
    cr_assert(eq(dbl, times_best_rate(64e6, quiet, 0), 0.0));
}

Test(times, of_two_peaks_the_one_that_was_not_disturbed_counts)
{
    cr_assert(eq(dbl, times_peak(64, 9), 64.0));
    cr_assert(eq(dbl, times_peak(9, 64), 64.0));
    cr_assert(eq(dbl, times_peak(64, 64), 64.0));
    cr_assert(eq(dbl, times_peak(0, 0), 0.0));
}

Test(times, rows_and_waits_of_all_threads_add_up_to_the_step)
{
    /* two threads, ten steps of 5 ms: one works, the other waits; row 0 is called for groups, row 1 for the whole batch, row 2 waits */
    Lap first[] = { { 0.020, 30 }, { 0.020, 10 }, { 0.010, 10 } }, second[] = { { 0.005, 10 }, { 0.015, 10 }, { 0.030, 10 } };
    const Clock clocks[] = { { .laps = first }, { .laps = second } };
    cr_assert(near(times_row_ms(clocks, 2, 10, 0), 1.25));
    cr_assert(near(times_row_ms(clocks, 2, 10, 1), 1.75));
    cr_assert(near(times_row_ms(clocks, 2, 10, 2), 2));
    cr_assert(near(times_row_ms(clocks, 2, 10, 0) + times_row_ms(clocks, 2, 10, 1) + times_row_ms(clocks, 2, 10, 2), 5));
    cr_assert(near(times_row_ms(clocks, 1, 10, 2), 1));
    cr_assert(eq(dbl, times_row_calls(clocks, 2, 10, 0, false), 4.0), "a group's calls are those of both threads");
    cr_assert(eq(dbl, times_row_calls(clocks, 2, 10, 1, true), 1.0), "both threads take part in one call");
    cr_assert(eq(dbl, times_row_calls(clocks, 1, 1, 0, false), 30.0));
}

Test(times, a_rate_is_an_amount_by_milliseconds)
{
    cr_assert(near(times_rate(3e9, 1500), 2));
    cr_assert(near(times_rate(3e6, 1e-3), 3000));
}
