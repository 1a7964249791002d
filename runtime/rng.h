/* rng.h -- random numbers that are counted, not drawn: number i of a key is a function of key and i alone.
 *
 * There is no state: any thread computes any number in any order, and backward computes again what forward
 * used.  A key stands for one purpose (seed, step, place, time, ...); a purpose takes several numbers by counting i on.
 * Only integers and scalar.h's arithmetic are used: the same bits on every target. */
#ifndef SPN_RNG_H
#define SPN_RNG_H

#include "rmath.h"

/* The finaliser of splitmix64 (Stafford's variant 13): every bit of the result depends on every bit of z. */
static inline uint64_t rng_mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A key of five numbers; their order matters.  Each is mixed before the next is added, so small ones cannot cancel. */
static inline uint64_t rng_key(uint64_t seed, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    const uint64_t step = 0x9e3779b97f4a7c15u;
    uint64_t k = rng_mix(seed + step);
    k = rng_mix((k ^ a) + step);
    k = rng_mix((k ^ b) + step);
    k = rng_mix((k ^ c) + step);
    return rng_mix((k ^ d) + step);
}

/* The 32-bit hash triple32 of (counter + half a key), the other half coming in between its multiplications: two keys do
 * not walk through one common sequence at different places.  lowbias32, one multiplication shorter (1.2 instead of 1.5 ns
 * for 16), correlates the top bits of close counters: up to 9 standard deviations over 2^20 of them, where triple32
 * shows nothing beyond chance. */
static inline uint32_t rng_hash32(uint32_t counter, uint32_t key_lo, uint32_t key_hi)
{
    uint32_t x = counter + key_lo;
    x = (x ^ x >> 17) * 0xed5ad4bbu;
    x = ((x ^ x >> 11) + key_hi) * 0xac4c1b51u;
    x = (x ^ x >> 15) * 0x31848babu;
    return x ^ x >> 14;
}

/* 1 if `lane` of an element is kept, with probability threshold / 2^32: iff its hash is below threshold.
 * element < 2^28 within one key.  dropout.h computes sixteen lanes at a time. */
static inline int rng_keep_one(uint64_t key, uint32_t element, int lane, uint32_t threshold)
{
    return rng_hash32(element * 16 + (uint32_t)lane, (uint32_t)key, (uint32_t)(key >> 32)) < threshold;
}

/* 64 random bits, number i of the key. */
static inline uint64_t rng_bits(uint64_t key, uint64_t i)
{
    return rng_mix(key ^ rng_mix(i + 0x9e3779b97f4a7c15u));
}

/* Uniform in [0, 1), a multiple of 2^-53. */
static inline double rng_uniform(uint64_t key, uint64_t i)
{
    return (double)(rng_bits(key, i) >> 11) * 0x1p-53;
}

/* (c[0] + c[1] x + ... + c[7] x^7) / (1 + d[0] x + ... + d[6] x^7) */
static inline double rng_ratio(double x, const double c[8], const double d[7])
{
    double p = c[7], q = d[6];
    for (int i = 6; i >= 0; i--) p = fma(p, x, c[i]);
    for (int i = 5; i >= 0; i--) q = fma(q, x, d[i]);
    return p / fma(q, x, 1);
}

/* Standard normal: the inverse of its distribution function at a uniform number of (0, 1), by Wichura's AS 241 (1e-16
 * relative).  Box and Muller's way needs a cosine, and libm's are not the same everywhere. */
static inline double rng_normal(uint64_t key, uint64_t i)
{
    static const double
        middle[] = {
            3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
            4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3 },
        middle_d[] = {
            4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
            3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3 },
        tail[] = {
            1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
            1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4 },
        tail_d[] = {
            2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
            1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9 },
        far[] = {
            6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
            2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7 },
        far_d[] = {
            5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
            1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15 };
    double u = ((double)(rng_bits(key, i) >> 12) + 0.5) * 0x1p-52, q = u - 0.5;         /* both exact; never 0 or 1 */
    if (fabs(q) <= 0.425) return q * rng_ratio(fma(-q, q, 0.180625), middle, middle_d);
    double r = sqrt(-d_log(q < 0 ? u : 1 - u));
    double z = r <= 5 ? rng_ratio(r - 1.6, tail, tail_d) : rng_ratio(r - 5, far, far_d);
    return q < 0 ? -z : z;
}

/* out[0..n-1]: the numbers 0 to n-1 in an order drawn evenly from all (Fisher and Yates).  Bounded numbers are drawn
 * without bias by Lemire's method: a product whose low half falls into the uneven rest is drawn again. */
static inline void rng_permutation(uint32_t *out, uint32_t n, uint64_t key)
{
    uint64_t drawn = 0;
    for (uint32_t i = 0; i < n; i++) out[i] = i;
    for (uint32_t bound = n; bound > 1; bound--) {
        uint32_t uneven = (0u - bound) % bound;
        uint64_t product;
        do product = (rng_bits(key, drawn++) >> 32) * bound;
        while ((uint32_t)product < uneven);
        uint32_t j = (uint32_t)(product >> 32), last = out[bound - 1];
        out[bound - 1] = out[j], out[j] = last;
    }
}

#endif
