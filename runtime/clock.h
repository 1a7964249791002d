/* clock.h -- clocks for the profiled step of a net: each thread has one, and stops it after each call and after each barrier.
 *
 * The time between two stops is counted in the row of the second, so the rows of a thread add up to its step.  The step of
 * training has no clocks. */
#ifndef SPN_PROFILE_H
#define SPN_PROFILE_H

#include "net.h"

#include <time.h>

typedef struct { double seconds; uint64_t calls; } Lap;

struct Clock {
    double last;
    Lap *laps;                                  /* one for each of net.rows */
    char apart[48];                             /* clocks of two threads are not in one cache line */
};

static inline double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline void clock_stop(Clock *clock, int row)
{
    double now = clock_now();
    clock->laps[row].seconds += now - clock->last;
    clock->laps[row].calls++;
    clock->last = now;
}

#endif
