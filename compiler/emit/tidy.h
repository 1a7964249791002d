/* tidy.h -- leaves out of the emitted C what a template need not ask for; see tidy.c. */
#ifndef SPNC_TIDY_H
#define SPNC_TIDY_H

#include "spnc.h"

/* Replaces `c` by the same C without factors of one and terms of 0, and without loops of one turn if `turns`; lines of at most WRAP_WIDTH columns. */
void tidy(Text *c, bool turns);

#endif
