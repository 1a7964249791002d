/* call.h -- the calls that emit.c puts into the passes; texts live in the model's arena. */
#ifndef SPNC_CALL_H
#define SPNC_CALL_H

#include "spnc.h"

/* "conv1_forward(conv1_at(g), image_at(g), weights->conv1_weight)", for the operator `op` of the phase p. */
const char *call_text(Model *m, const Phase *p, const Op *op);
/* True if the functions of the forward operator `op` name the C type of t, one of its tensors; else they take a real * or an int32_t *. */
bool call_typed(const Model *m, const Op *op, const Tensor *t);
/* Appends to `reads` and `writes` the tensors that replay checks before and after the call: arguments of its SEE. */
void call_looks(Model *m, Fact *reads, Fact *writes, const Phase *p, const Op *op);
/* Several ranks: arguments of ranks_gather for the slices of t that begin at the slice `at`, of so many steps. */
const char *call_gather(Model *m, const Tensor *t, const char *at, int steps);
/* Steps of t that a call for the whole batch has before it. */
int call_steps(const Phase *p, const Tensor *t);
/* Those before the call: of operands that it sums over all groups (sums.c). */
Fact *call_gathers(Model *m, const Phase *p, const Op *op);
/* --debug: arguments that name the guards around u, a result of `op`. */
const char *call_guard(Model *m, const Phase *p, const Op *op, Use u);

#endif
