/* applied.h -- see applied.c. */
#ifndef SPNC_APPLIED_H
#define SPNC_APPLIED_H

#include "formula/formula.h"

/* An operator that works element by element, as a formula of its operands, and its gradient; NULL: that is dy, or none is computed. */
typedef struct {
    Formula *f;
    const FormulaGradient *gradient;
    Node **d; /* by operand, NULL: it has none; all NULL if there is no gradient, or an operand has several parts of it */
} Applied;

/* True for what works element by element. */
bool is_applied(const Op *op);
/* Of such an operator, once formulas_join has run. */
Applied applied_of(Arena *a, const Op *op);
/* The place of the operand's gradient among those that the operator of backward writes; -1: it has none.  a->gradient is not NULL. */
int applied_part(const Applied *a, int operand);

#endif
