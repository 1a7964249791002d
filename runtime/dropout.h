/* dropout.h -- which elements a dropout layer drops in this batch.
 *
 * The mask is a function of the seed, the training step, the place in the model, the step in time, the example's place
 * in the batch (its group and lane) and the element.  So no mask is stored: backward computes it again, with the same
 * bits, whatever the threads, the target or the form (plain or fast). */
#ifndef SPN_DROPOUT_H
#define SPN_DROPOUT_H

#include "rng.h"
#include "net.h"
#include "vec.h"

typedef struct {
    uint64_t key;            /* of this group of 16 examples, here and now */
    uint32_t keep;           /* an element stays with probability keep / 2^32 */
    real scale;              /* and is multiplied by 1 / (1 - rate), which keeps the mean */
    int on;                  /* 0: y = x */
} Dropout;

/* Where and how much is dropped: `place` numbers the uses in the model, `group` the sixteen examples.  With ramp > 0 the
 * rate rises linearly from 0 to `rate` (below 1) over so many epochs. */
typedef struct { double rate, ramp; uint64_t place; int step, group; } DropoutUse;

static inline Dropout dropout_at(const Batch *batch, DropoutUse use)
{
    const double rate = use.ramp > 0 && batch->epoch < use.ramp ? use.rate * (batch->epoch / use.ramp) : use.rate;
    Dropout d = { .scale = 1, .on = batch->train && rate > 0 };
    if (d.on) {
        const double of = 0x1p32, keep = floor((1 - rate) * of + 0.5);
        d.key = rng_key(batch->seed, batch->step, use.place, (uint64_t)use.step, (uint64_t)use.group);
        d.keep = keep < of ? (uint32_t)keep : UINT32_MAX;
        d.scale = (real)(1 / (1 - rate));
    }
    return d;
}

/* rng_keep_one of the sixteen lanes. */
static inline mask rng_keep(uint64_t key, uint32_t element, uint32_t threshold)
{
    ivec x = iv_add(iv_set1((int32_t)(element * 16 + (uint32_t)key)), iv_iota());
    x = iv_mul(iv_xor(x, iv_shr(x, 17)), iv_set1((int32_t)0xed5ad4bbu));
    x = iv_add(iv_xor(x, iv_shr(x, 11)), iv_set1((int32_t)(uint32_t)(key >> 32)));
    x = iv_mul(x, iv_set1((int32_t)0xac4c1b51u));
    x = iv_mul(iv_xor(x, iv_shr(x, 15)), iv_set1((int32_t)0x31848babu));
    return iv_ult(iv_xor(x, iv_shr(x, 14)), iv_set1((int32_t)threshold));
}

/* x after the dropout, in each lane: kept and scaled, or 0.  `element` is its number, or its channel's where a draw decides about channels. */
static inline vec dropped(vec x, Dropout d, int element)
{
    return d.on ? v_zero_unless(rng_keep(d.key, (uint32_t)element, d.keep), v_mul(x, v_set1(d.scale))) : x;
}

#endif
