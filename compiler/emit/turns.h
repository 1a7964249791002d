/* turns.h -- loops of one turn in the emitted C; see turns.c. */
#ifndef SPNC_TURNS_H
#define SPNC_TURNS_H

#include "spnc.h"

/* Replaces `c` by the same C without them, in its own arena. */
void turns_leave_out(Text *c);

#endif
