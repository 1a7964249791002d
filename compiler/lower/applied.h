/* applied.h -- see applied.c. */
#ifndef SPNC_APPLIED_H
#define SPNC_APPLIED_H

#include "formula/formula.h"

/* An activation or a formula, as a formula of its operands, and its gradient.  d NULL: it has none that is computed, or none whose bits are those
 * of the operator's template. */
typedef struct {
    Formula *f;
    FormulaGradient *d;
} Applied;

/* True for relu, tanh, sigmoid and formulas. */
bool is_applied(const Op *op);
/* Of such an operator, once grad.c has run; of an activation each time a new one. */
Applied applied_of(Arena *a, const Op *op);

#endif
