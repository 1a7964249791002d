/* norm_facts.h -- see norm_facts.c. */
#ifndef SPNC_NORM_FACTS_H
#define SPNC_NORM_FACTS_H

#include "spnc.h"

/* Of a batch_norm: what it stores, and how its backward pass begins. */
void norm_facts(Model *m, const Op *norm, Fact *f);
/* Of a batch_gradient_sums. */
void norm_sums_facts(Model *m, const Op *sums, Fact *f);

#endif
