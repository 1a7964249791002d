/* times.h -- statistics of measured times: median and spread of a list, the rate of the fastest round, an operator's share of a step.
 *
 * Pure functions of given times: no clock, no net, nothing printed.  So each can be tested on given times. */
#ifndef SPN_TIMES_H
#define SPN_TIMES_H

#include "net.h"

#include <stdbool.h>
#include <stddef.h>

/* A list of times: its median, and the two between which half of the list lies.  In the unit of the list. */
typedef struct { double median, low, high; } Times;

/* Of list[count], which it sorts; all 0 for an empty list. */
Times times_of(double *list, int count);
/* (high - low) / median: 0 where half of the times are equal, infinite for a median of 0 below a high that is not. */
double times_spread(Times t);
/* A spread above this: another program has probably used the processors. */
#define TIMES_WIDE 0.15
/* Writes the warning about a wide spread of `what` ("training steps"), of times in milliseconds, to text[room]; false, and an empty text,
 * if it is not wide. */
bool times_warning(char *text, size_t room, const char *what, Times t);

/* GFLOP/s of one thread in the fastest of its rounds: `flop` operations took seconds[count].  Slower rounds do not count, nor does one in which the clock
 * did not move; 0 if none is left. */
double times_best_rate(double flop, const double *seconds, int count);
/* The peak of two measurements: a disturbance only makes a measurement too low, so the higher one counts. */
double times_peak(double before, double after);

/* Of `steps` profiled steps, clocks[threads]: milliseconds of a step that belong to `row`, the threads' time divided by their number. */
double times_row_ms(const Clock *clocks, int threads, int steps, int row);
/* Calls of `row` a step.  A group's call is counted by the thread that makes it; one for the whole batch by every thread, and is one. */
double times_row_calls(const Clock *clocks, int threads, int steps, int row, bool whole);
/* Giga a second: `amount` in `ms` milliseconds; 0 where no time passed. */
double times_rate(double amount, double ms);

#endif
