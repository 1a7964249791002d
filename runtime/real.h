/* real.h -- the type `real` of a program, and the target it is compiled for.
 *
 * The part of vec.h that the trainer needs: vec.h takes longer to compile than a whole file of the trainer.
 * The target follows from the compiler's own macros; -DSPN_GENERIC forces plain C. */
#ifndef SPN_REAL_H
#define SPN_REAL_H

#include <stdint.h>
#include <string.h>

/* Results need IEEE arithmetic: NaN is tested for, sums keep their order, constants are doubles, no intermediate has a wider type. */
#if defined __FAST_MATH__ || (defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__)
#error "-ffast-math, -Ofast and -ffinite-math-only change what a net computes: leave them out of CFLAGS"
#elif defined __ASSOCIATIVE_MATH__ || defined __RECIPROCAL_MATH__ || defined __NO_SIGNED_ZEROS__
#error "-funsafe-math-optimizations and its parts change what a net computes: leave them out of CFLAGS"
#elif defined __FLT_EVAL_METHOD__ && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16      /* 16: only _Float16 is kept as it is, too */
#error "a net is computed in float and double as they are: on an x86 of 32 bits with -msse2 -mfpmath=sse, and nowhere with -mfpmath=387"
#endif
_Static_assert(sizeof 1.0 == sizeof(double), "-fsingle-precision-constant changes what a net computes: leave it out of CFLAGS");

#ifdef SPN_DOUBLE
typedef double real;
#define SPN_SUFFIX(op) op##_pd
#define SPN_FRACTION 52
#define SPN_BIAS 1023
#else
typedef float real;
#define SPN_SUFFIX(op) op##_ps
#define SPN_FRACTION 23
#define SPN_BIAS 127
#endif

#if defined SPN_AARCH64 && !defined __aarch64__
#error "these files are made for aarch64 (--target neon): on another machine, make CC=aarch64-linux-gnu-gcc"
#endif

enum { L = 16 };                                    /* lanes: images side by side in a vec */

#if defined SPN_GENERIC
#define SPN_TARGET "generic"
#elif defined __AVX512F__ && defined __AVX512BW__ && defined __AVX512DQ__ && defined __AVX512VL__
#define SPN_TARGET "avx512"
#define SPN_AVX512 1
#elif defined __AVX2__ && defined __FMA__
#define SPN_TARGET "avx2"
#define SPN_AVX2 1
#elif defined __aarch64__ && defined __ARM_NEON && !defined SPN_DOUBLE      /* double is for checking: plain C will do */
#define SPN_TARGET "neon"
#define SPN_NEON 1
#else
#define SPN_TARGET "generic"
#endif

#endif
