/* ones.h -- factors and divisors of one, and terms of 0, in the emitted C; see ones.c. */
#ifndef SPNC_ONES_H
#define SPNC_ONES_H

#include "emit/declared.h"

/* Leaves them out between the tokens `before` and `behind`, whose names are those of d. */
void ones_leave_out(Code *c, const Declared *d, Token *before, const Token *behind);

#endif
