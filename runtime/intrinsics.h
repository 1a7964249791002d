/* intrinsics.h -- the compiler's header of this target's instructions, for vec.h and batch_norm.h.
 *
 * gcc's immintrin.h has every instruction set that there is, and takes 0.3 s to read; its parts that are used here take 0.05 s (AVX2) and 0.15 s
 * (AVX-512).  Which parts they are is a matter of the compiler: gcc 12, on which it is tested, reads them, all others the whole header. */
#ifndef SPN_INTRINSICS_H
#define SPN_INTRINSICS_H

#if (defined SPN_AVX512 || defined SPN_AVX2) && defined __GNUC__ && !defined __clang__ && __GNUC__ == 12 && !defined _IMMINTRIN_H_INCLUDED
#define _IMMINTRIN_H_INCLUDED
#include <smmintrin.h>
#include <avxintrin.h>
#include <avx2intrin.h>
#include <fmaintrin.h>
#ifdef SPN_AVX512
#include <avx512fintrin.h>
#include <avx512dqintrin.h>
#endif
#undef _IMMINTRIN_H_INCLUDED
#elif defined SPN_AVX512 || defined SPN_AVX2
#include <immintrin.h>
#elif defined SPN_NEON
#include <arm_neon.h>
#endif

#endif
