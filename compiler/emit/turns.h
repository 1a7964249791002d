/* turns.h -- loops of one turn in the emitted C; see turns.c. */
#ifndef SPNC_TURNS_H
#define SPNC_TURNS_H

#include "emit/declared.h"

/* Leaves them out of the function whose head begins at `from`, whose body is that of the bracket `open`, and whose names are those of d. */
void turns_leave_out(Code *c, const Declared *d, Token *from, Token *open);

#endif
