/* schedule.h -- the schedules: the learning rate as a function of the epoch.
 *
 * Each is one function of the rate that the training begins with, the epoch (from 0), the number of epochs that the model says, and its own settings in the
 * order of its row in spnc's table of schedules.  A warm-up multiplies what it gives. */
#ifndef SPN_SCHEDULE_H
#define SPN_SCHEDULE_H

#include "power.h"
#include "rmath.h"
#include <stdint.h>

/* rate / divide at epoch `first`, divided once more every `every` epochs from there on; every 0: constant.  Ends early where a division
 * changes nothing any more (0, infinity, divide 1). */
static inline double schedule_divide(double rate, int epoch, int epochs, double divide, double first, double every)
{
    (void)epochs;
    for (double e = first; every > 0 && e <= epoch; e += every) {
        double divided = rate / divide;
        if (!(divided < rate || divided > rate))
            return divided;
        rate = divided;
    }
    return rate;
}

/* rate / divide every `every` epochs */
static inline double schedule_step(double rate, int epoch, int epochs, double divide, double every)
{
    return schedule_divide(rate, epoch, epochs, divide, every, every);
}

/* rate * factor^epoch */
static inline double schedule_exponential(double rate, int epoch, int epochs, double factor)
{
    (void)epochs;
    return rate * power_whole(factor, (uint64_t)epoch);
}

/* rate * (final + (1 - final) * (1 + cos(pi * epoch / (epochs - 1))) / 2), as PyTorch's CosineAnnealingLR with T_max = epochs - 1.  A run of
 * one epoch has the rate; so has one that goes on beyond its last epoch its end. */
static inline double schedule_cosine(double rate, int epoch, int epochs, double final)
{
    double way = epochs <= 1 ? 0 : epoch >= epochs - 1 ? 1 : (double)epoch / (epochs - 1);
    return rate * (final + (1 - final) * (1 + d_cos(3.14159265358979323846 * way)) / 2);
}

/* What a schedule says, times the share that an even rise over so many epochs has come to: 1 / n at the first of its n updates, n = epochs
 * times the updates of an epoch, and 1 from the last of them on.  update counts those before this one. */
static inline double schedule_warm_up(double rate, double epochs, uint64_t update, uint64_t updates)
{
    double whole = epochs * (double)updates, done = (double)update + 1;
    return done < whole ? rate * (done / whole) : rate;
}

#endif
