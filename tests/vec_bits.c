/* vec_bits.c -- one hash per function of the runtime's arithmetic, over fixed pseudo-random and special inputs.
 * vec_bits.sh builds this with every compiler, -O level and target; all must print the same lines for one precision.
 * NaNs are hashed as one value: their sign and payload are the processor's, see vec.h. */
#include <stdio.h>
#include <stdlib.h>

#include "vec.h"             /* before batch_norm.h, which then has batch_of */
#include "batch_norm.h"
#include "dropout.h"
#include "rng.h"
#include "vmath.h"

enum { ROUNDS = 4096, TABLE = 1024 };

static uint64_t hash, state;
static _Alignas(64) real table[TABLE * 16];
static uint8_t bytes[TABLE + 4];

static const double special[] = {
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 0.625, -0.625, 1.5, -1.5, 1e-30, -1e-30, 1e30, -1e30, 1e-40, -1e-40, 3e-320,
    88.0, 89.0, -87.0, -88.0, -103.9, -104.0, 709.5, 710.0, -708.0, -745.0, -746.0, 1e300, -1e300,
    INFINITY, -INFINITY, NAN,
};

static uint64_t next(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u, z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void eat(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) hash = (hash ^ ((const unsigned char *)p)[i]) * 0x100000001b3u;
}

static void eat_real(real a)
{
    uint64_t nan = 0x7ff8;
    if (a != a) eat(&nan, sizeof nan);
    else eat(&a, sizeof a);
}

static void eat_vec(vec a)
{
    _Alignas(64) real t[16];
    v_store(t, a);
    for (int l = 0; l < 16; l++) eat_real(t[l]);
}

static void eat_ivec(ivec a) { int32_t t[16]; iv_store(t, a); eat(t, sizeof t); }
static void eat_mask(mask a) { uint16_t bits = m_bits(a); eat(&bits, sizeof bits); }

/* A third special values, a third of everyday size, a third from all exponents. */
static vec any(void)
{
    real t[16];
    for (int l = 0; l < 16; l++) {
        double u = (double)(next() >> 11) * 0x1p-53 - 0.5;
        uint64_t kind = next();
        t[l] = (real)(kind % 3 == 0 ? special[(kind >> 8) % (sizeof special / sizeof *special)]
                    : kind % 3 == 1 ? u * 20 : ldexp(u, (int)((kind >> 8) % 300) - 150));
    }
    return v_loadu(t);
}

/* Every lane drawn evenly between lo and hi. */
static vec within(double lo, double hi)
{
    real t[16];
    for (int l = 0; l < 16; l++) t[l] = (real)(lo + (hi - lo) * ((double)(next() >> 11) * 0x1p-53));
    return v_loadu(t);
}

static ivec any_int(void)
{
    static const int32_t edges[] = { 0, 1, -1, INT32_MAX, INT32_MIN, 0x7fff, 0x10000 };
    int32_t t[16];
    for (int l = 0; l < 16; l++) {
        uint64_t z = next();
        t[l] = z % 4 == 0 ? edges[(z >> 8) % 7] : (int32_t)(uint32_t)(z >> 32);
    }
    return iv_load(t);
}

static mask any_mask(void) { return m_from((uint16_t)(next() >> 20)); }
static ivec index_below(int n) { return iv_and(any_int(), iv_set1(n - 1)); }            /* n a power of two */

#define REPORT(name, eater, value) do {                                                                               \
        hash = 0xcbf29ce484222325u, state = 12345;                                                                    \
        for (int round = 0; round < ROUNDS; round++) eater(value);                                                    \
        printf("%-16s %016llx\n", name, (unsigned long long)hash);                                                    \
    } while (0)
#define VEC1(f) REPORT(#f, eat_vec, f(any()))
/* Arguments are evaluated in any order, so the operands of binary functions are drawn one by one. */
#define VEC2(f) REPORT(#f, eat_vec, (a = any(), b = any(), f(a, b)))
#define VEC3(f) REPORT(#f, eat_vec, (a = any(), b = any(), c = any(), f(a, b, c)))
#define COMPARE(f) REPORT(#f, eat_mask, (a = any(), b = any(), f(a, b)))
#define INT2(f) REPORT(#f, eat_ivec, (i = any_int(), j = any_int(), f(i, j)))
#define ICOMPARE(f) REPORT(#f, eat_mask, (i = any_int(), j = any_int(), f(i, j)))
#define MASK2(f) REPORT(#f, eat_mask, (m = any_mask(), n = any_mask(), f(m, n)))

static void eat_transposed(vec first)
{
    vec rows[16];
    rows[0] = first;
    for (int r = 1; r < 16; r++) rows[r] = any();
    v_transpose16(rows);
    for (int r = 0; r < 16; r++) eat_vec(rows[r]);
}

/* Four lanes by the scalar twin and by the vector: they must agree here, whatever the target. */
#define TWIN(name, argument)                                                                                          \
    do {                                                                                                              \
        VEC1(v_##name);                                                                                               \
        for (int round = 0; round < ROUNDS; round++) {                                                                \
            vec x = round % 2 ? any() : (argument), y = v_##name(x);                                                  \
            for (int l = 0; l < 16; l += 5) {                                                                         \
                real one = r_##name(v_get(x, l)), of16 = v_get(y, l);                                                 \
                if (memcmp(&one, &of16, sizeof one) != 0 && !(one != one && of16 != of16)) {                          \
                    printf("r_" #name "(%a) = %a, v_" #name " says %a\n", (double)v_get(x, l), (double)one,           \
                           (double)of16);                                                                             \
                    return 1;                                                                                         \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
        REPORT("v_" #name " near", eat_vec, v_##name(argument));                                                      \
    } while (0)

/* The sum over the first `present` lanes of f[position][lane] in a batch norm's order, number by number. */
static double batch_sum_one_by_one(double (*f)[16], int positions, int present)
{
    double lanes[16] = { 0 };
    for (int l = 0; l < present; l++)
        for (int i = 0; i < positions; i++) lanes[l] += f[i][l];
    for (int half = 8; half; half /= 2)
        for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
    return lanes[0];
}

/* Sums of batch norms, for each number of examples in a group: each is what its terms give one by one. */
static void eat_batch_sums(void)
{
    enum { POSITIONS = 9 };
    static _Alignas(64) real x[POSITIONS][16], dy[POSITIONS][16];
    static double term[4][POSITIONS][16];
    const double mean = 0.3;
    for (int i = 0; i < POSITIONS; i++) {
        v_store(x[i], within(-3, 3)), v_store(dy[i], within(-1, 1));
        for (int l = 0; l < 16; l++) {
            const double v = (double)x[i][l], d = (double)dy[i][l];
            term[0][i][l] = v, term[1][i][l] = v * v, term[2][i][l] = d, term[3][i][l] = d * (v - mean);
        }
    }
    for (int i = 0; i < POSITIONS; i++) {
        const BatchVec loaded = batch_load(x[i]), of = batch_of(v_load(x[i]));
        if (memcmp(&loaded, &of, sizeof of)) {
            printf("a vec is not the doubles that its numbers in memory are\n");
            exit(1);
        }
    }
    for (int present = 1; present <= 16; present++) {
        double sums[4];
        batch_sums(&sums[0], &sums[1], x[0], POSITIONS, present);
        batch_gradient_sums(&sums[2], &sums[3], dy[0], x[0], mean, POSITIONS, present);
        for (int k = 0; k < 4; k++)
            if (memcmp(&sums[k], &(double){ batch_sum_one_by_one(term[k], POSITIONS, present) }, sizeof sums[k])) {
                printf("batch sum %d of %d examples is not what its terms give one by one\n", k, present);
                exit(1);
            }
        eat(sums, sizeof sums);
    }
}

int main(void)
{
    vec a, b, c;
    ivec i, j;
    mask m, n;
    _Alignas(64) real out[16];
    for (int k = 0; k < TABLE * 16; k++) table[k] = (real)((double)(next() >> 40) / 1000);
    for (int k = 0; k < TABLE + 4; k++) bytes[k] = (uint8_t)next();

    VEC2(v_add); VEC2(v_sub); VEC2(v_mul); VEC2(v_div); VEC2(v_max); VEC2(v_min);
    VEC3(v_fma); VEC3(v_fnma);
    VEC1(v_sqrt); VEC1(v_floor); VEC1(v_neg); VEC1(v_abs);
    COMPARE(v_lt); COMPARE(v_le); COMPARE(v_gt); COMPARE(v_ge); COMPARE(v_eq); COMPARE(v_unordered);
    REPORT("v_exponent", eat_vec, v_exponent(within(1e-30, 1e30)));
    REPORT("v_mantissa", eat_vec, v_mantissa(within(1e-30, 4)));
    REPORT("v_ldexp", eat_vec, (a = within(0.5, 2), b = v_floor(within(-160, 129)), v_ldexp(a, b)));
    REPORT("v_load", eat_vec, v_load(table + 16 * (next() % TABLE)));
    REPORT("v_loadu", eat_vec, v_loadu(table + next() % (TABLE * 15)));
    REPORT("v_storeu", eat_vec, (v_storeu(out, any()), v_load(out)));
    REPORT("v_set1", eat_vec, v_set1(v_get(any(), 3)));
    REPORT("v_zero", eat_vec, v_zero());
    REPORT("v_select", eat_vec, (a = any(), b = any(), v_select(any_mask(), a, b)));
    REPORT("v_zero_unless", eat_vec, (a = any(), v_zero_unless(any_mask(), a)));
    REPORT("v_to_int", eat_ivec, v_to_int(within(-2e9, 2e9)));
    REPORT("v_from_int", eat_vec, v_from_int(any_int()));
    REPORT("v_gather", eat_vec, v_gather(table, index_below(TABLE * 16)));
    REPORT("v_gather_lane", eat_vec, v_gather_lane(table, index_below(TABLE)));
    REPORT("v_sum", eat_real, v_sum(within(-1, 1)));
    REPORT("v_sum any", eat_real, v_sum(any()));
    REPORT("v_get", eat_real, (a = any(), v_get(a, (int)(state >> 60))));
    REPORT("v_transpose16", eat_transposed, any());
    INT2(iv_add); INT2(iv_sub); INT2(iv_mul); INT2(iv_and); INT2(iv_xor); INT2(iv_min); INT2(iv_max);
    ICOMPARE(iv_eq); ICOMPARE(iv_lt); ICOMPARE(iv_ult);
    REPORT("iv_shr", eat_ivec, iv_shr(any_int(), 7));
    REPORT("iv_shr varied", eat_ivec, (i = any_int(), iv_shr(i, (int)(state >> 59))));
    REPORT("iv_iota", eat_ivec, iv_iota());
    REPORT("iv_select", eat_ivec, (i = any_int(), j = any_int(), iv_select(any_mask(), i, j)));
    REPORT("iv_gather_u32", eat_ivec, iv_gather_u32(bytes, index_below(TABLE)));
    MASK2(m_and); MASK2(m_or); MASK2(m_andnot);
    REPORT("m_not", eat_mask, m_not(any_mask()));
    REPORT("m_from", eat_mask, any_mask());
    REPORT("m_first", eat_mask, m_first(round % 17));

    TWIN(exp, within(-105, 90));
    TWIN(log, within(0, 4));
    TWIN(tanh, within(-2, 2));
    TWIN(sigmoid, within(-20, 20));
    TWIN(expm1, within(-3, 3));
    TWIN(log1p, within(-1, 3));
    TWIN(erf, within(-5, 5));
    TWIN(sin, within(-20, 20));
    TWIN(cos, within(-70000, 70000));
    TWIN(relu, within(-1, 1));
    TWIN(sign, within(-1, 1));
    VEC2(v_pow); VEC2(v_lesser); VEC2(v_greater);
    REPORT("v_pow near", eat_vec, (a = within(0, 4), b = within(-9, 9), v_pow(a, b)));

    REPORT("rng_keep", eat_mask, rng_keep(rng_key(1, 2, 3, 4, (uint64_t)round), (uint32_t)round * 0x12345u,
                                          (uint32_t)(next() >> 32)));
    hash = 0xcbf29ce484222325u;
    for (uint32_t k = 0; k < ROUNDS; k++) {
        double u = rng_uniform(7, k), z = rng_normal(7, k);
        eat(&u, sizeof u), eat(&z, sizeof z);
    }
    printf("%-16s %016llx\n", "rng scalars", (unsigned long long)hash);
    static uint32_t order[1000];
    rng_permutation(order, 1000, rng_key(5, 0, 0, 0, 0));
    hash = 0xcbf29ce484222325u, eat(order, sizeof order);
    printf("%-16s %016llx\n", "rng_permutation", (unsigned long long)hash);
    hash = 0xcbf29ce484222325u, state = 12345, eat_batch_sums();
    printf("%-16s %016llx\n", "batch sums", (unsigned long long)hash);
    return 0;
}
