/* decisions.h -- see decisions.c.  Facts lie in the model's arena. */
#ifndef SPNC_EMIT_DECISIONS_H
#define SPNC_EMIT_DECISIONS_H

#include "spnc.h"
#include "template/fact.h"

/* Appends the decisions of `op` that stand in t to the list, as a kind that the template has; NULL, and nothing appended: backward does not rely
 * on them. */
Fact *decisions_add(Model *m, Fact *list, const char *kind, const Op *op, Tensor *t);
/* Those of a relu that a batch norm computes: from the map that is normalised, since the result need not be kept. */
void decisions_add_norm(Model *m, Fact *list, const Op *norm);
/* The pieces that the elements of a formula lie in, each between kinks. */
void decisions_add_formula(Model *m, Fact *list, const Op *op);

#endif
