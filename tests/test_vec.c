/* test_vec.c -- what the functions of vec.h, vmath.h and rng.h mean, against plain scalar C on the target this is
 * compiled for.  vec_bits.sh tests that all targets agree in every bit. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "dropout.h"
#include "rng.h"
#include "vec.h"
#include "vmath.h"

#ifdef SPN_DOUBLE
#define FUSED fma
#define DIGITS 52
#else
#define FUSED fmaf
#define DIGITS 23
#endif

static const real odd[16] = { 0, (real)-0.0, 1, -1, (real)0.5, (real)-2.5, 3, (real)1e-30, (real)-1e30, INFINITY,
                              -INFINITY, NAN, 7, (real)0.1, (real)-0.3, 16777216 };
static const real other[16] = { (real)-0.0, 0, 2, -1, NAN, 4, -3, (real)1e30, 5, 1, INFINITY,
                                8, NAN, (real)0.7, (real)-0.3, 1 };

static int same(real a, real b) { return (a != a && b != b) || memcmp(&a, &b, sizeof a) == 0; }

/* Every lane l of the vec `value` must be `expected`, an expression in l. */
#define LANES(value, expected) do {                                                                                   \
        vec got_ = (value);                                                                                           \
        for (int l = 0; l < 16; l++)                                                                                  \
            cr_assert(same(v_get(got_, l), (real)(expected)), #value ": lane %d is %a, not %a", l,                    \
                      (double)v_get(got_, l), (double)(expected));                                                    \
    } while (0)
#define INTS(value, expected) do {                                                                                    \
        int32_t got_[16];                                                                                             \
        iv_store(got_, value);                                                                                        \
        for (int l = 0; l < 16; l++) cr_assert(got_[l] == (int32_t)(expected), #value ": lane %d is %d", l, got_[l]); \
    } while (0)
#define BITS(value, expected) do {                                                                                    \
        unsigned got_ = m_bits(value);                                                                                \
        for (int l = 0; l < 16; l++)                                                                                  \
            cr_assert((int)(got_ >> l & 1) == (int)(expected), #value ": lane %d is %u", l, got_ >> l & 1);           \
    } while (0)

Test(vec, arithmetic_is_the_scalar_one_in_every_lane)
{
    vec a = v_loadu(odd), b = v_loadu(other);
    LANES(v_add(a, b), odd[l] + other[l]);
    LANES(v_sub(a, b), odd[l] - other[l]);
    LANES(v_mul(a, b), odd[l] * other[l]);
    LANES(v_div(a, b), odd[l] / other[l]);
    LANES(v_neg(a), -odd[l]);
    LANES(v_abs(a), fabs(odd[l]));
    LANES(v_sqrt(a), r_sqrt(odd[l]));
    LANES(v_floor(a), floor(odd[l]));
    LANES(v_set1(3), 3);
    LANES(v_zero(), 0);
}

Test(vec, multiply_add_is_rounded_once)
{
    real x = 1 + (real)ldexp(1, -DIGITS);
    vec a = v_set1(x), b = v_loadu(odd), c = v_set1(-(x * x));
    LANES(v_fma(a, a, c), FUSED(x, x, -(x * x)));
    cr_assert(v_get(v_fma(a, a, c), 5) != 0, "the product was rounded before the addition");
    LANES(v_fma(b, a, c), FUSED(odd[l], x, -(x * x)));
    LANES(v_fnma(b, a, c), FUSED(-odd[l], x, -(x * x)));
}

Test(vec, max_and_min_take_the_second_operand_for_nan_and_equal_zeros)
{
    LANES(v_max(v_loadu(odd), v_loadu(other)), odd[l] > other[l] ? odd[l] : other[l]);
    LANES(v_min(v_loadu(odd), v_loadu(other)), odd[l] < other[l] ? odd[l] : other[l]);
    cr_assert(signbit(v_get(v_max(v_set1(0), v_set1((real)-0.0)), 0)));
    cr_assert(v_get(v_max(v_set1(NAN), v_set1(1)), 0) == 1);
}

Test(vec, comparisons_are_false_for_nan)
{
    vec a = v_loadu(odd), b = v_loadu(other);
    BITS(v_lt(a, b), odd[l] < other[l]);
    BITS(v_le(a, b), odd[l] <= other[l]);
    BITS(v_gt(a, b), odd[l] > other[l]);
    BITS(v_ge(a, b), odd[l] >= other[l]);
    BITS(v_eq(a, b), odd[l] == other[l]);
    cr_assert(m_bits(v_eq(a, a)) == 0xf7ff, "only lane 11 is NaN");
    BITS(v_unordered(a, b), odd[l] != odd[l] || other[l] != other[l]);
    cr_assert(m_bits(v_unordered(a, v_zero())) == 0x0800 && m_bits(v_unordered(v_zero(), a)) == 0x0800);
}

Test(vec, masks_follow_their_bits)
{
    mask a = m_from(0x5a0f), b = m_from(0x33c5);
    cr_assert(m_bits(m_and(a, b)) == (0x5a0f & 0x33c5));
    cr_assert(m_bits(m_or(a, b)) == (0x5a0f | 0x33c5));
    cr_assert(m_bits(m_andnot(a, b)) == (~0x5a0f & 0x33c5));
    cr_assert(m_bits(m_not(a)) == (uint16_t)~0x5a0f);
    for (int n = 0; n <= 16; n++) cr_assert(m_bits(m_first(n)) == (1u << n) - 1);
    for (unsigned bits = 0; bits < 65536; bits++) cr_assert(m_bits(m_from((uint16_t)bits)) == bits);
    LANES(v_select(a, v_loadu(odd), v_loadu(other)), (0x5a0f >> l & 1) ? odd[l] : other[l]);
    LANES(v_zero_unless(a, v_loadu(odd)), (0x5a0f >> l & 1) ? odd[l] : 0);
}

Test(vec, integers_wrap_around_and_compare_both_ways)
{
    const int32_t x[16] = { 0, 1, -1, INT32_MAX, INT32_MIN, 7, 100, -100, 0x7fff, 65536,
                            3, 4, 5, 6, INT32_MIN, INT32_MAX };
    const int32_t y[16] = { 0, -1, 1, 1, -1, 7, -100, 100, 0x7fff, 65537, 9, 8, 7, 6, INT32_MIN, INT32_MIN };
#define U(v) ((uint32_t)(v)[l])
    ivec a = iv_load(x), b = iv_load(y);
    INTS(iv_add(a, b), U(x) + U(y));
    INTS(iv_sub(a, b), U(x) - U(y));
    INTS(iv_mul(a, b), U(x) * U(y));
    INTS(iv_and(a, b), U(x) & U(y));
    INTS(iv_xor(a, b), U(x) ^ U(y));
    INTS(iv_shr(a, 9), U(x) >> 9);
    INTS(iv_min(a, b), x[l] < y[l] ? x[l] : y[l]);
    INTS(iv_max(a, b), x[l] > y[l] ? x[l] : y[l]);
    INTS(iv_set1(-5), -5);
    INTS(iv_iota(), l);
    INTS(iv_select(m_from(0x0ff0), a, b), (0x0ff0 >> l & 1) ? x[l] : y[l]);
    BITS(iv_eq(a, b), x[l] == y[l]);
    BITS(iv_lt(a, b), x[l] < y[l]);
    BITS(iv_ult(a, b), U(x) < U(y));
#undef U
}

Test(vec, conversions_truncate)
{
    const real x[16] = { 0, (real)0.9, (real)-0.9, (real)1.5, (real)-1.5, 100, -100, 8388607, -8388608,
                         2, 3, 4, 5, 6, 7, 8 };
    INTS(v_to_int(v_loadu(x)), x[l]);
    LANES(v_from_int(iv_add(iv_iota(), iv_set1(-8))), l - 8);
    LANES(v_from_int(iv_set1(16777217)), (real)16777217);
}

Test(vec, gathers_read_where_they_are_told)
{
    _Alignas(64) static real memory[64 * 16];
    uint8_t bytes[256 + 4];
    for (int i = 0; i < 64 * 16; i++) memory[i] = (real)i;
    for (int i = 0; i < 260; i++) bytes[i] = (uint8_t)(i * 37 + 11);
    ivec i = iv_mul(iv_sub(iv_set1(15), iv_iota()), iv_set1(4));
    LANES(v_gather(memory, i), (15 - l) * 4);
    LANES(v_gather_lane(memory, i), (15 - l) * 64 + l);
    LANES(v_load(memory + 32), 32 + l);
    LANES(v_loadu(memory + 33), 33 + l);
    ivec j = iv_mul(iv_iota(), iv_set1(17));        /* 255, the last offset, reads to the end of the array */
#define B(k) ((uint32_t)bytes[17 * l + (k)] << 8 * (k))
    INTS(iv_gather_u32(bytes, j), B(0) | B(1) | B(2) | B(3));
#undef B
}

Test(vec, the_sum_is_a_fixed_tree)
{
    real t[16];
    for (int round = 0; round < 100; round++) {
        for (int l = 0; l < 16; l++) t[l] = (real)(rng_uniform(3, (uint64_t)(round * 16 + l)) - 0.5);
        real sum = v_sum(v_loadu(t));
        for (int half = 8; half; half /= 2)
            for (int l = 0; l < half; l++) t[l] += t[l + half];
        cr_assert(same(sum, t[0]));
    }
}

Test(vec, a_transpose_swaps_rows_and_lanes)
{
    vec rows[16];
    for (int r = 0; r < 16; r++) rows[r] = v_from_int(iv_add(iv_set1(100 * r), iv_iota()));
    v_transpose16(rows);
    for (int r = 0; r < 16; r++) LANES(rows[r], 100 * l + r);
}

Test(vec, exponent_and_mantissa_take_a_number_apart_and_ldexp_puts_it_together)
{
    for (int e = -126; e <= 127; e++) {
        vec x = v_set1((real)ldexp(1.375, e));
        LANES(v_exponent(x), e);
        LANES(v_mantissa(x), 1.375);
        LANES(v_ldexp(v_set1((real)1.375), v_set1((real)e)), ldexp(1.375, e));
        cr_assert(same(r_exponent((real)ldexp(1.375, e)), (real)e));
    }
}

/* ---- vmath: errors in units of the last place of real, against libm in a wider type ---- */
static double ulps(real got, long double exact)
{
    int e;
    frexpl(exact, &e);
    return (double)(fabsl((long double)got - exact) / ldexpl(1, e - 1 - DIGITS));
}

static long double exact_sigmoid(long double x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }

static double worst(vec (*f)(vec), real (*one)(real), long double (*exact)(long double), double lo, double hi)
{
    double most = 0;
    real t[16];
    for (uint64_t round = 0; round < 20000; round++) {
        for (int l = 0; l < 16; l++) t[l] = (real)(lo + (hi - lo) * rng_uniform(11, round * 16 + (uint64_t)l));
        vec y = f(v_loadu(t));
        for (int l = 0; l < 16; l++) {
            most = fmax(most, ulps(v_get(y, l), exact(t[l])));
            cr_assert(same(v_get(y, l), one(t[l])), "the scalar twin differs at %a", (double)t[l]);
        }
    }
    return most;
}

Test(vmath, results_are_near_the_last_place)
{
    const double end = DIGITS == 52 ? 700 : 87;
    cr_assert(worst(v_exp, r_exp, expl, -end, end) < 1);
    cr_assert(worst(v_exp, r_exp, expl, -1, 1) < 1);
    cr_assert(worst(v_log, r_log, logl, 0.3, 3) < 1.5);
    cr_assert(worst(v_log, r_log, logl, 1e-30, 1e30) < 1.5);
    cr_assert(worst(v_tanh, r_tanh, tanhl, -1.5, 1.5) < 1.5);
    cr_assert(worst(v_tanh, r_tanh, tanhl, -25, 25) < 1.5);
    cr_assert(worst(v_sigmoid, r_sigmoid, exact_sigmoid, -40, 40) < (DIGITS == 52 ? 1.5 : 2.5));
}

Test(vmath, borders_are_exact)
{
    const real inf = INFINITY;
    cr_assert(r_exp(0) == 1 && r_exp(inf) == inf && r_exp(-inf) == 0 && r_exp(1000) == inf && r_exp(-1000) == 0);
    cr_assert(r_exp((real)(DIGITS == 52 ? -740 : -100)) > 0, "subnormal results are kept");
    cr_assert(r_log(1) == 0 && r_log(0) == -inf && r_log((real)-0.0) == -inf && r_log(inf) == inf);
    cr_assert(isnan(r_log(-1)) && isnan(r_log(-inf)));
    cr_assert(ulps(r_log((real)ldexp(1, DIGITS == 52 ? -1070 : -149)),
                   logl(ldexpl(1, DIGITS == 52 ? -1070 : -149))) < 1.5, "subnormal arguments count");
    cr_assert(r_tanh(0) == 0 && r_tanh((real)-0.0) == 0 && r_tanh(inf) == 1 && r_tanh(-inf) == -1);
    cr_assert(r_sigmoid(0) == (real)0.5 && r_sigmoid(inf) == 1 && r_sigmoid(-inf) == 0);
    cr_assert(isnan(r_exp(NAN)) && isnan(r_log(NAN)) && isnan(r_tanh(NAN)) && isnan(r_sigmoid(NAN)));
}

/* ---- rng ---- */
Test(rng, a_lane_is_kept_exactly_when_its_scalar_twin_says_so)
{
    for (uint32_t element = 0; element < 2000; element++)
        BITS(rng_keep(rng_key(1, 2, 3, 4, 5), element, 0xc0000000u),
             rng_keep_one(rng_key(1, 2, 3, 4, 5), element, l, 0xc0000000u));
    BITS(rng_keep(7, 7, 0), 0);
}

Test(rng, keys_depend_on_every_part_and_their_order)
{
    uint64_t k = rng_key(1, 2, 3, 4, 5);
    cr_assert(k != rng_key(0, 2, 3, 4, 5) && k != rng_key(1, 3, 2, 4, 5) && k != rng_key(1, 2, 3, 5, 4));
    cr_assert(rng_key(0, 0, 0, 0, 0) != rng_key(0, 0, 0, 0, 1) && rng_key(0, 1, 0, 0, 0) != rng_key(1, 0, 0, 0, 0));
}

/* Standard deviations between the share of kept lanes and the expected one. */
Test(rng, the_kept_share_is_the_threshold)
{
    enum { ELEMENTS = 40000 };
    for (uint32_t sixteenth = 1; sixteenth < 16; sixteenth++) {
        double p = sixteenth / 16.0, kept = 0;
        for (uint32_t e = 0; e < ELEMENTS; e++)
            kept += __builtin_popcount(m_bits(rng_keep(rng_key(sixteenth, 0, 0, 0, 0), e, sixteenth << 28)));
        cr_assert(fabs(kept - 16.0 * ELEMENTS * p) < 4 * sqrt(16.0 * ELEMENTS * p * (1 - p)), "share %g", p);
    }
}

Test(rng, neighbouring_keys_elements_and_lanes_are_uncorrelated)
{
    enum { ELEMENTS = 40000 };
    for (uint64_t step = 0; step < 20; step++) {
        uint64_t key = rng_key(1, step, 2, 3, 4), next = rng_key(1, step + 1, 2, 3, 4);
        double keys = 0, elements = 0, lanes = 0;
        for (uint32_t e = 0; e < ELEMENTS; e++) {
            unsigned a = m_bits(rng_keep(key, e, 0x80000000u));
            keys += __builtin_popcount(a ^ m_bits(rng_keep(next, e, 0x80000000u)));
            elements += __builtin_popcount(a ^ m_bits(rng_keep(key, e ^ 1u << step, 0x80000000u)));
            lanes += __builtin_popcount(a ^ ((a >> 1 | a << 15) & 0xffff));
        }
        double sd = sqrt(4.0 * ELEMENTS);
        cr_assert(fabs(keys - 8.0 * ELEMENTS) < 4.5 * sd);
        cr_assert(fabs(elements - 8.0 * ELEMENTS) < 4.5 * sqrt(2) * sd);    /* every pair is met twice */
        cr_assert(fabs(lanes - 8.0 * ELEMENTS) < 4.5 * sd);
    }
}

Test(rng, masks_of_sixteen_lanes_are_uniform)
{
    enum { DRAWS = 1 << 20 };
    static unsigned count[65536];
    double chi2 = 0;
    for (uint32_t e = 0; e < DRAWS; e++) count[m_bits(rng_keep(rng_key(9, 0, 0, 0, 0), e, 0x80000000u))]++;
    for (int i = 0; i < 65536; i++) chi2 += (count[i] - 16.0) * (count[i] - 16.0) / 16;
    cr_assert(fabs(chi2 - 65535) < 4 * sqrt(2 * 65535.0), "chi-square %g of 65535 degrees", chi2);
}

Test(rng, uniform_and_normal_numbers_have_their_moments)
{
    enum { DRAWS = 1000000 };
    double u1 = 0, u2 = 0, z1 = 0, z2 = 0, z4 = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        double u = rng_uniform(42, i), z = rng_normal(43, i);
        cr_assert(u >= 0 && u < 1 && fabs(z) < 9);
        u1 += u, u2 += u * u, z1 += z, z2 += z * z, z4 += z * z * z * z;
    }
    cr_assert(fabs(u1 / DRAWS - 1.0 / 2) < 4 * sqrt(1.0 / 12 / DRAWS));
    cr_assert(fabs(u2 / DRAWS - 1.0 / 3) < 4 * sqrt(4.0 / 45 / DRAWS));
    cr_assert(fabs(z1 / DRAWS) < 4 * sqrt(1.0 / DRAWS));
    cr_assert(fabs(z2 / DRAWS - 1) < 4 * sqrt(2.0 / DRAWS));
    cr_assert(fabs(z4 / DRAWS - 3) < 4 * sqrt(96.0 / DRAWS));
}

/* Phi(z(u)) must give u back, in the middle and in both tails. */
Test(rng, normal_numbers_invert_their_distribution_function)
{
    for (uint64_t i = 0; i < 100000; i++) {
        double u = ((double)(rng_bits(5, i) >> 12) + 0.5) * 0x1p-52, back = 0.5 * erfc(-rng_normal(5, i) / sqrt(2));
        cr_assert(fabs(back - u) <= 1e-13 * u + 2e-16, "u %g came back as %g", u, back);
    }
}

Test(rng, permutations_of_four_are_equally_likely)
{
    enum { DRAWS = 240000 };
    unsigned count[24] = { 0 };
    double chi2 = 0;
    for (uint64_t k = 0; k < DRAWS; k++) {
        uint32_t order[4], id = 0, seen = 0;
        rng_permutation(order, 4, k);
        for (int i = 0; i < 4; i++) {
            uint32_t smaller = 0;
            for (int j = i + 1; j < 4; j++) smaller += order[j] < order[i];
            id = id * (uint32_t)(4 - i) + smaller;
            seen |= 1u << order[i];
        }
        cr_assert(seen == 15);
        count[id]++;
    }
    for (int i = 0; i < 24; i++) chi2 += (count[i] - DRAWS / 24.0) * (count[i] - DRAWS / 24.0) / (DRAWS / 24.0);
    cr_assert(chi2 < 55, "chi-square %g of 23 degrees", chi2);
}

Test(rng, permutations_of_none_and_one_are_themselves)
{
    uint32_t one = 9;
    rng_permutation(NULL, 0, 1);
    rng_permutation(&one, 1, 1);
    cr_assert(one == 0);
}
