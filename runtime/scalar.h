/* scalar.h -- the operations of vec.h for one number, with the same bits.
 *
 *   real     r_...     the plain form computes with these; float, or double with -DSPN_DOUBLE
 *   double   d_...     whatever real is
 *
 * In the macro p is the prefix, T the type, U its bits, S libm's suffix, F the bits of the fraction, B the bias of the exponent.
 *   max, min     exactly a > b ? a : b and a < b ? a : b, the x86 meaning: b if either is NaN, b if both are zeros
 *   exponent     e of x = m * 2^e, 1 <= m < 2, as a number; x positive and normal
 *   mantissa     that m
 *   ldexp        x * 2^n rounded once; n a whole number within +-2B, x within [1/2, 2]
 * 2^n and e pass through the fraction of a number near 2^F, whose last bit is 1: no conversion to integers. */
#ifndef SPN_SCALAR_H
#define SPN_SCALAR_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#include "real.h"

#define SPN_SCALAR(p, T, U, S, F, B)                                                                                  \
    static inline T p##bits_to(U u) { T a; memcpy(&a, &u, sizeof a); return a; }                                      \
    static inline U p##bits_of(T a) { U u; memcpy(&u, &a, sizeof u); return u; }                                      \
    static inline T p##set1(double a) { return (T)a; }                                                                \
    static inline T p##add(T a, T b) { return a + b; }                                                                \
    static inline T p##sub(T a, T b) { return a - b; }                                                                \
    static inline T p##mul(T a, T b) { return a * b; }                                                                \
    static inline T p##div(T a, T b) { return a / b; }                                                                \
    static inline T p##max(T a, T b) { return a > b ? a : b; }                                                        \
    static inline T p##min(T a, T b) { return a < b ? a : b; }                                                        \
    static inline T p##fma(T a, T b, T c) { return fma##S(a, b, c); }                                                 \
    static inline T p##fnma(T a, T b, T c) { return fma##S(-a, b, c); }                                               \
    static inline T p##neg(T a) { return -a; }                                                                        \
    static inline T p##abs(T a) { return fabs##S(a); }                                                                \
    static inline T p##sqrt(T a) { return sqrt##S(a); }                                                               \
    static inline T p##floor(T a) { return floor##S(a); }                                                             \
    static inline int p##lt(T a, T b) { return a < b; }                                                               \
    static inline int p##eq(T a, T b) { return a == b; }                                                              \
    static inline T p##select(int m, T a, T b) { return m ? a : b; }                                                  \
    static inline T p##pow2(T n) { return p##bits_to(p##bits_of(n + (T)(1.5 * (1ull << F) + B)) << F); }              \
    static inline T p##ldexp(T a, T n) { T h = floor##S(n * (T)0.5); return a * p##pow2(h) * p##pow2(n - h); }        \
    static inline T p##exponent(T a)                                                                                  \
    { return p##bits_to(p##bits_of(a) >> F | p##bits_of((T)(1ull << F))) - (T)((1ull << F) + B); }                    \
    static inline T p##mantissa(T a)                                                                                  \
    { return p##bits_to((p##bits_of(a) & (((U)1 << F) - 1)) | p##bits_of((T)1)); }

SPN_SCALAR(d_, double, uint64_t, , 52, 1023)
#ifdef SPN_DOUBLE
SPN_SCALAR(r_, double, uint64_t, , SPN_FRACTION, SPN_BIAS)
#else
SPN_SCALAR(r_, float, uint32_t, f, SPN_FRACTION, SPN_BIAS)
#endif

#endif
