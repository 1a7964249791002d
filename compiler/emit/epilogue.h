/* epilogue.h -- what becomes of a convolution's or a dense layer's sum where it is stored. */
#ifndef SPNC_EPILOGUE_H
#define SPNC_EPILOGUE_H

#include "spnc.h"

/* Sets the facts `stores`, `has_epilogue` and `epilogue` of a forward operator: C of what is stored of a sum, for string.format(op.stores, sum), and the function
 * that it calls; there is none, and it is the sum itself that is stored, if nothing is fused into the operator. */
void epilogue_facts(Model *m, const Op *op, Fact *f);

#endif
