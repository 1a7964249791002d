/* decisions.h -- see decisions.c.  Facts lie in the model's arena. */
#ifndef SPNC_EMIT_DECISIONS_H
#define SPNC_EMIT_DECISIONS_H

#include "spnc.h"
#include "template/fact.h"

/* Appends the choices of the forward pass of `op` that backward relies on: signs of an activation, winners of a pool, pieces of a formula, the pixels that a
 * sampler reads.  has_function: it has a function NAME_decisions of its own. */
void decisions_of(Model *m, Fact *list, const Op *op, bool forward, bool has_function);

#endif
