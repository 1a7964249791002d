/* constants.h -- variables that are a number, in the emitted C; see constants.c. */
#ifndef SPNC_CONSTANTS_H
#define SPNC_CONSTANTS_H

#include "emit/declared.h"

/* Puts the number in the place of such variables of a function, whose names are those of d; true if there were some. */
bool constants_put(Code *c, const Declared *d);

#endif
