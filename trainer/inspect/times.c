/* times.c -- medians, spreads, rates and shares of measured times.
 *
 * In: arrays of numbers.  Out: numbers, and the warning about a wide spread.  Convention: times are given; nothing is measured here. */
#define _DEFAULT_SOURCE
#include "inspect/times.h"
#include "clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

Times times_of(double *list, int count)
{
    if (count < 1)
        return (Times){ 0, 0, 0 };
    qsort(list, (size_t)count, sizeof *list, by_size);
    return (Times){ count % 2 ? list[count / 2] : (list[count / 2 - 1] + list[count / 2]) / 2, list[count / 4], list[count - 1 - count / 4] };
}

double times_spread(Times t) { return t.high > t.low ? (t.high - t.low) / t.median : 0; }

bool times_warning(char *text, size_t room, const char *what, Times t)
{
    bool wide = times_spread(t) > TIMES_WIDE;
    *text = '\0';
    if (wide)
        snprintf(text, room, "the spread is wide: half of the %s took %.4g to %.4g ms, the middle one %.4g; probably other programs, "
                             "or a neighbour on the same machine, had a part of the processors", what, t.low, t.high, t.median);
    return wide;
}

double times_best_rate(double flop, const double *seconds, int count)
{
    double best = 0;
    for (int i = 0; i < count; i++)
        best = seconds[i] > 0 ? fmax(best, flop / seconds[i] * 1e-9) : best;
    return best;
}

double times_peak(double before, double after) { return fmax(before, after); }

double times_row_ms(const Clock *clocks, int threads, int steps, int row)
{
    double sum = 0;
    for (int t = 0; t < threads; t++)
        sum += clocks[t].laps[row].seconds;
    return 1e3 * sum / threads / steps;
}

double times_row_calls(const Clock *clocks, int threads, int steps, int row, bool whole)
{
    double most = 0, sum = 0;
    for (int t = 0; t < threads; t++) {
        sum += (double)clocks[t].laps[row].calls;
        most = fmax(most, (double)clocks[t].laps[row].calls);
    }
    return (whole ? most : sum) / steps;
}

double times_rate(double amount, double ms) { return ms > 0 ? amount / ms * 1e-6 : 0; }
