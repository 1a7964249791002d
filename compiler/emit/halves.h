/* halves.h -- NAME.c as two translation units. */
#ifndef HALVES_H
#define HALVES_H

#include "spnc.h"

/* Puts the lines `#if HALF` into `c`, the text of a whole NAME.c, so that two processors can compile it, with -DHALF=1 and
 * -DHALF=2.  False, and `c` is unchanged, if the file is too short to gain by it. */
bool halves_make(Text *c);

#endif
