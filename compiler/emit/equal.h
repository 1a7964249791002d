/* equal.h -- operators whose C functions would be the same but for their name: they share one. */
#ifndef SPNC_EQUAL_H
#define SPNC_EQUAL_H

#include "spnc.h"

/* Compares the facts of forward operators, made without names and places, and sets first[i] to the number of the first operator with the facts of
 * number i: i itself, if none before is equal.  op->function of those that share is then the name of their functions: the kind and the shapes,
 * with as much else as tells them from others: "conv_16x32x32_to_32x16x16".  Both arrays have `count` items. */
void equal_find(Model *m, Op *const *ops, Fact *const *facts, int count, int *first);

#endif
