/* conv_facts.h -- see conv_facts.c. */
#ifndef SPNC_CONV_FACTS_H
#define SPNC_CONV_FACTS_H

#include "graph/window.h"

/* An operator's row of facts: of a convolution or a transposed one. */
void conv_facts(const Model *m, const Op *op, Fact *f);

#endif
