/* schedule.h -- the schedules: the learning rate as a function of the epoch.
 *
 * Each is one function of the rate that the training begins with, the epoch (from 0), the number of epochs, and its own settings in the
 * order of its row in spnc's table of schedules. */
#ifndef SPN_SCHEDULE_H
#define SPN_SCHEDULE_H

#include <stdint.h>

/* rate / divide at epoch `first`, divided once more every `every` epochs from there on; every 0: constant */
static inline double schedule_divide(double rate, int epoch, int epochs, double divide, double first, double every)
{
    (void)epochs;
    for (double e = first; every > 0 && e <= epoch; e += every)
        rate /= divide;
    return rate;
}

#endif
