/* held.h -- the values behind stop_gradient while gradients are checked by differences.
 *
 * A gradient takes them for constants.  So `check` has a first forward pass keep them (Batch.held), and those at moved weights take them from there. */
#ifndef SPN_HELD_H
#define SPN_HELD_H

#include <string.h>
#include "net.h"

/* Where the values of one operator and slice are kept; values NULL: nowhere. */
static inline Held held_at(const Batch *batch, size_t at)
{
    return batch->held ? (Held){ batch->held->values + at, batch->held->taken } : (Held){ 0 };
}

/* y = x, n numbers; or those that were kept. */
static inline void hold(real *y, const real *x, size_t n, Held held)
{
    memcpy(y, held.values && held.taken ? held.values : x, n * sizeof *y);
    if (held.values && !held.taken) memcpy(held.values, x, n * sizeof *x);
}

#endif
