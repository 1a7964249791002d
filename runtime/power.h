/* power.h -- whole powers of a number.  Every machine has the same bits; libm's pow may differ in the last one from system to system. */
#ifndef SPN_POWER_H
#define SPN_POWER_H

#include <stdint.h>

/* b^n by squaring. */
static inline double power_whole(double b, uint64_t n)
{
    double p = 1;
    for (; n; n >>= 1, b *= b)
        if (n & 1)
            p *= b;
    return p;
}

#endif
