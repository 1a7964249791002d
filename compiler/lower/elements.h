/* elements.h -- operators that work element by element have a formula: those of the flow, and functions of the table that are operators. */
#ifndef SPNC_ELEMENTS_H
#define SPNC_ELEMENTS_H

#include "spnc.h"

/* Sets Op.formula.f of every operator that op_is_elementwise, and of those that are differentiated Op.formula.gradient; their BACKWARD operators read
 * dy and what that reads, no more. */
void elements_prepare(Model *m);
/* Sets the reads of a BACKWARD operator behind dy, by Op.formula of its forward operator: operands, kept values, the result. */
void elements_read(Op *backward);
/* Does the operator at index `at` of the section need an operator of the whole batch that stands behind index `from`?  Not in the plain form. */
bool elements_wait(const Model *m, const Section *s, int from, int at);
/* True for the result of a batch norm without a name that one operator alone reads forward: norms.c may compute that one with the norm.  Not in the plain form. */
bool elements_behind_norm(const Model *m, const Tensor *t);
/* True for an activation (relu) whose row in functions.def has the derivative 1 where the result is positive, 0 elsewhere: the signs of the result say all
 * that its gradient has to know. */
bool op_masks(OpKind kind);
/* x1 + x2 + ..., from the left, of `count` operands. */
const struct Formula *elements_sum(Arena *a, int count);

#endif
