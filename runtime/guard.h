/* guard.h -- a net built with --debug checks that no operator writes outside of its output.
 *
 * Every forward pass begins with memory that is all ones (SPN_POISON, block.h), a NaN.  Between two tensors lie GUARD reals that no tensor
 * uses: an operator that changes one of them wrote outside of its output, however its arguments are declared.  Indices inside a
 * tensor are checked where they are used (guard.c). */
#ifndef SPN_GUARD_H
#define SPN_GUARD_H

#include <stddef.h>
#include "real.h"

enum { GUARD = 16 };

/* Aborts the program (a debugger then shows the call) if a guard beside tensor[0..size) has changed; step -1: not in a repeat; of a repeat in a
 * repeat as the steps of both are counted, the inner one's first. */
void guard_check(const real *tensor, ptrdiff_t size, const char *op, const char *name, int example, int step);

#endif
