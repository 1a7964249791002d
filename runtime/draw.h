/* draw.h -- what a value of `random` is drawn from in this batch.
 *
 * Number i of a group is number i of a key that follows from the seed, the training step, the place in the model, the step in time and the group, as
 * a dropout's mask does (dropout.h): nothing is stored, and the numbers have the same bits for any threads, target and form. */
#ifndef SPN_DRAW_H
#define SPN_DRAW_H

#include "rng.h"
#include "net.h"

typedef struct {
    uint64_t key;            /* of this group of 16 examples, here and now */
    int on;                  /* 0: all numbers are 0 */
} Draw;

/* Where is drawn: `place` numbers the uses in the model, `group` the sixteen examples.  Outside of training nothing is, or (always) the numbers of seed 0,
 * step 0. */
typedef struct { int always; uint64_t place; int step, group; } DrawUse;

static inline Draw draw_at(const Batch *batch, DrawUse use)
{
    const uint64_t seed = batch->train ? batch->seed : 0, update = batch->train ? batch->step : 0;
    return (Draw){ rng_key(seed, update, use.place, (uint64_t)use.step, (uint64_t)use.group), !batch->undrawn && (batch->train || use.always) };
}

#endif
