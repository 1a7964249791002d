/* wrap.h -- long lines of the emitted C. */
#ifndef SPNC_WRAP_H
#define SPNC_WRAP_H

#include "spnc.h"

enum { WRAP_WIDTH = 120 };

/* Breaks the lines of C that are longer than WRAP_WIDTH; what the compiler reads stays the same.  A line without a place to break it, and a
 * line of the preprocessor, stay as they are. */
void wrap(Text *c);

#endif
