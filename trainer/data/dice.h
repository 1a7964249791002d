/* dice.h -- random numbers without a state to carry: splitmix64 over a key and a counter.
 *
 * A stream is named by (seed, domain, index), so that example i of a split is the same picture however many
 * examples are made, in whatever order, by however many threads.  Integers only: the same numbers with any compiler. */
#ifndef SPN_DICE_H
#define SPN_DICE_H

#include <stdint.h>

/* The purposes of streams; each has four sub-domains (the splits, and one for data that all splits share). */
enum { DICE_SCENE = 0, DICE_CROP = 4, DICE_STROKE = 8 };

typedef struct { uint64_t key, count; } Dice;

static inline uint64_t dice_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline Dice dice_open(uint64_t seed, uint64_t domain, uint64_t index)
{
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    return (Dice){ dice_mix(dice_mix(dice_mix(seed + golden) + golden * (domain + 1)) + golden * (index + 1)), 0 };
}

static inline uint32_t dice_bits(Dice *d)
{
    return (uint32_t)(dice_mix(d->key + UINT64_C(0x9e3779b97f4a7c15) * ++d->count) >> 32);
}

/* A whole number from low to high, both included; every one equally likely (Lemire's multiplication with rejection). */
static inline int dice_range(Dice *d, int low, int high)
{
    const uint32_t n = (uint32_t)(high - low) + 1, reject = (0u - n) % n;
    uint64_t product;
    do
        product = (uint64_t)dice_bits(d) * n;
    while ((uint32_t)product < reject);
    return low + (int)(product >> 32);
}

#endif
