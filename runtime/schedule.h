/* schedule.h -- the schedules: the learning rate as a function of the epoch.
 *
 * Each is one function of the rate that the training begins with, the epoch (from 0), the number of epochs, and its own settings in the
 * order of its row in spnc's table of schedules. */
#ifndef SPN_SCHEDULE_H
#define SPN_SCHEDULE_H

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

#endif
