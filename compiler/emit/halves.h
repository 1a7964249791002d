/* halves.h -- NAME.c as two translation units. */
#ifndef HALVES_H
#define HALVES_H

#include "spnc.h"

/* Puts the lines `#if HALF` into `c`, the text of a whole NAME.c, so that two processors can compile it, each with another -DHALF=1 or 2.
 * False, and `c` as it was, if the file is too short to gain by it. */
bool halves_make(Text *c);

#endif
