/* count.h -- counts the vector instructions of an emitted net, operator by operator: bench/probes/roofline.py compiles NAME.c and NAME-train.c with -include count.h.
 *
 * The functions of vec.h that the net calls first count what they will do, in whole vectors of 64 bytes; and the clock of `NAME profile`
 * shows one of the counts, as nanoseconds: a million instructions are a millisecond.  COUNT=multiply_adds, arithmetic, loads or stores in
 * the environment chooses which.  One thread only.
 *
 *   multiply_adds  v_fma, v_fnma, v_mul, v_div, v_sqrt
 *   arithmetic     those, and sums, comparisons, choices, shuffles and vectors of integers: all that the arithmetic units do
 *   loads          vectors, numbers set in all lanes that are no constant, masks, prefetches, gathers lane by lane
 *   stores         vectors, masks, memset
 *
 * Not counted: masks joined with masks, which have registers of their own; addresses, branches, numbers outside vectors; constants set in all
 * lanes; and what a compiler adds when registers are too few. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "vec.h"

enum { MULTIPLY_ADDS, ARITHMETIC, LOADS, STORES, UNITS };

__attribute__((weak)) uint64_t counted[UNITS];                /* the same in all of the net's objects */

static int count_time(struct timespec *t)
{
    static const char *const names[UNITS] = { "multiply_adds", "arithmetic", "loads", "stores" };
    const char *wanted = getenv("COUNT");
    for (int unit = 0; wanted && unit < UNITS; unit++)
        if (!strcmp(wanted, names[unit])) {
            t->tv_sec = (time_t)(counted[unit] / 1000000000);
            t->tv_nsec = (long)(counted[unit] % 1000000000);
            return 0;
        }
    fprintf(stderr, "count.h: COUNT=%s is none of multiply_adds, arithmetic, loads, stores\n", wanted ? wanted : "");
    exit(2);
}
#define clock_gettime(id, t) count_time(t)

/* Calls, because what a call does is done at once: two counts within one expression may be in any order, but never mixed. */
static inline void count(int unit, uint64_t n) { counted[unit] += n; }
static inline void computes(uint64_t n) { count(ARITHMETIC, n); }
static inline void multiplies(uint64_t n) { count(MULTIPLY_ADDS, n), count(ARITHMETIC, n); }
static inline void reads(uint64_t n) { count(LOADS, n); }
static inline void writes(uint64_t n) { count(STORES, n); }

#define v_fma(a, b, c) (multiplies(1), v_fma(a, b, c))
#define v_fnma(a, b, c) (multiplies(1), v_fnma(a, b, c))
#define v_mul(a, b) (multiplies(1), v_mul(a, b))
#define v_div(a, b) (multiplies(1), v_div(a, b))
#define v_sqrt(a) (multiplies(1), v_sqrt(a))
#define v_add(a, b) (computes(1), v_add(a, b))
#define v_sub(a, b) (computes(1), v_sub(a, b))
#define v_max(a, b) (computes(1), v_max(a, b))
#define v_min(a, b) (computes(1), v_min(a, b))
#define v_neg(a) (computes(1), v_neg(a))
#define v_abs(a) (computes(1), v_abs(a))
#define v_floor(a) (computes(1), v_floor(a))
#define v_exponent(a) (computes(1), v_exponent(a))
#define v_mantissa(a) (computes(1), v_mantissa(a))
#define v_ldexp(a, n) (computes(1), v_ldexp(a, n))
#define v_lt(a, b) (computes(1), v_lt(a, b))
#define v_le(a, b) (computes(1), v_le(a, b))
#define v_gt(a, b) (computes(1), v_gt(a, b))
#define v_ge(a, b) (computes(1), v_ge(a, b))
#define v_select(m, a, b) (computes(1), v_select(m, a, b))
#define v_zero_unless(m, a) (computes(1), v_zero_unless(m, a))
#define v_from_int(a) (computes(1), v_from_int(a))
#define v_to_int(a) (computes(1), v_to_int(a))
#define v_sum(a) (computes(8), v_sum(a))                       /* four halvings: a shuffle and a sum each */
#define v_transpose16(rows) (computes(64), v_transpose16(rows))
#define v_load(p) (reads(1), v_load(p))
#define v_loadu(p) (reads(1), v_loadu(p))
#define v_set1(a) (reads(!__builtin_constant_p(a)), v_set1(a))
#define v_prefetch(p) (reads(1), v_prefetch(p))
#define v_gather(base, i) (reads(16), v_gather(base, i))
#define v_gather_lane(base, i) (reads(16), computes(2), v_gather_lane(base, i))
#define v_store(p, a) (writes(1), v_store(p, a))
#define v_storeu(p, a) (writes(1), v_storeu(p, a))
#define v_from_byte(a) (multiplies(3), computes(2), v_from_byte(a))
#define iv_add(a, b) (computes(1), iv_add(a, b))
#define iv_mul(a, b) (computes(1), iv_mul(a, b))
#define iv_shr(a, n) (computes(1), iv_shr(a, n))
#define iv_and(a, b) (computes(1), iv_and(a, b))
#define iv_xor(a, b) (computes(1), iv_xor(a, b))
#define iv_lt(a, b) (computes(1), iv_lt(a, b))
#define iv_ult(a, b) (computes(1), iv_ult(a, b))
#define iv_eq(a, b) (computes(1), iv_eq(a, b))
#define iv_select(m, a, b) (computes(1), iv_select(m, a, b))
#define iv_load(p) (reads(1), iv_load(p))
#define iv_store(p, a) (writes(1), iv_store(p, a))
#define iv_gather_u32(base, i) (reads(16), iv_gather_u32(base, i))
#define m_from(bits) (reads(!__builtin_constant_p(bits)), m_from(bits))
#define m_bits(m) (writes(1), m_bits(m))
#define memset(p, c, n) (writes((n) / 64), memset(p, c, n))
