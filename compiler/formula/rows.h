/* rows.h -- the texts of functions.def as nodes. */
#ifndef SPNC_ROWS_H
#define SPNC_ROWS_H

#include "formula/dag.h"

/* The operands and attributes that a call of the function takes: *least without those that have a default, *most with all. */
void function_takes(FunctionKind function, int *least, int *most);
/* "clip(x, low, high)": how it is written, for messages. */
const char *function_form(Arena *a, FunctionKind function);
/* The function of operands and attributes x[0..count); attributes left out are their defaults. */
Node *function_apply(Dag *g, FunctionKind function, Node *const *x, int count);
/* The derivative of the node n, which is a function, by its operand i. */
Node *function_derivative(Dag *g, Node *n, int i);
/* The node that is constant on each smooth piece of n's function, or NULL if it is smooth. */
Node *function_kink(Dag *g, Node *n);

#endif
