/* call.h -- the calls that emit.c puts into the passes; texts live in the model's arena. */
#ifndef SPNC_CALL_H
#define SPNC_CALL_H

#include "plan/sums.h"

/* "conv1_forward(conv1_at(g), image_at(g), weights->conv1_weight)", for the operator `op` of the phase p. */
const char *call_text(Model *m, const Phase *p, const Op *op);
/* What the name of op's function ends in, "forward".  A deferred gradient has two passes: a dense layer transposes dy and then makes the gradient of its
 * weights, a convolution keeps its terms and multiplies them. */
const char *call_ending(const Op *op);
/* True if the functions of the forward operator `op` name the C type of t, one of its tensors; else they take a real * or an int32_t *. */
bool call_typed(const Model *m, const Op *op, const Tensor *t);
/* Appends to `reads` and `writes` the tensors that replay checks before and after the call: arguments of its SEE. */
void call_looks(Model *m, Fact *reads, Fact *writes, const Phase *p, const Op *op);
/* C: the slice of t at which an operator of p has its operand, so many steps from its own. */
const char *call_slice(Model *m, const Phase *p, const Tensor *t, int shift);
/* Steps of t that a call for the whole batch has before it. */
int call_steps(const Phase *p, const Tensor *t);
/* Of a fold: reals of a part, and of a row of it, by which ranks divide the sum among them; 0: each has all of it. */
int64_t call_fold_size(const Op *op);
int64_t call_fold_row(const Op *op);
/* Of a fold, C: how many parts there are, and their size; of several ranks the size of a row. */
const char *call_parts(Model *m, const Op *op);
/* --debug: arguments that name the guards around u, a result of `op`. */
const char *call_guard(Model *m, const Phase *p, const Op *op, Use u);

#endif
