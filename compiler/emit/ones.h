/* ones.h -- factors and divisors of one in the emitted C; see ones.c. */
#ifndef SPNC_ONES_H
#define SPNC_ONES_H

#include "spnc.h"

/* Replaces `c` by the same C without them, in its own arena. */
void ones_leave_out(Text *c);

#endif
