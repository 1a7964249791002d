/* vec.h -- sixteen numbers at a time: the only arithmetic that emitted code uses.
 *
 * Sixteen lanes everywhere.  A lane is an image of the batch, so the number of lanes is part of every layout and of
 * the order in which examples are summed.  It therefore belongs to the model, not to the machine: a narrower machine
 * holds a `vec` in several registers (here called parts), and files, sums and bits stay the same.
 *
 * Every fused multiply-add is explicit.  Fused and unfused results differ in the last bit, and a compiler that may
 * choose chooses differently at each -O level.  So all code is compiled with -ffp-contract=off and calls v_fma for each
 * fma; the plain form calls fma().  Then AVX-512, AVX2 and plain C, gcc and clang, -O1 and -O3 give the same
 * bits.  The sign and payload of a NaN are not fixed: the processor takes them from either operand.
 *
 *   vec   16 reals       v_...      real: float, or double with -DSPN_DOUBLE
 *   ivec  16 int32_t     iv_...     wraps around on overflow
 *   mask  16 truth values  m_...    one bit a lane in m_bits, lane 0 lowest
 *   vpart a register's share of a vec   p_...   P_LANES reals
 *
 * scalar.h has the same meanings for one number; real and the target come from real.h. */
#ifndef SPN_VEC_H
#define SPN_VEC_H

#include "scalar.h"
#include "intrinsics.h"                         /* for the target that scalar.h's real.h has named */

#if defined __clang__
#define SPN_UNROLL _Pragma("clang loop unroll(full)")
#else
#define SPN_UNROLL _Pragma("GCC unroll 16")
#endif

/* Each target below gives: the types; VOP(op), the instruction for one part; VCMP, a comparison; IV2, an ivec operation
 * (the C expression in x and y beside the instruction); and the functions with no common form.  A vec of several parts
 * has the members p0, p1, ...; the shared lists at the end make the v_ functions of them. */

#if defined SPN_AVX512
/* ==== AVX-512: one register of floats, two of doubles; masks in mask registers =================================== */
typedef __m512i ivec;
typedef __mmask16 mask;
#define VOP(op) SPN_SUFFIX(_mm512_##op)
#define IOP(op) _mm512_##op
#define IBITS(op) _mm512_##op##_si512
#define IV2(name, op, c) static inline ivec name(ivec a, ivec b) { return op(a, b); }
#ifdef SPN_DOUBLE
typedef __m512d spn_part;
#define PARTS 2
#define SHIFT(dir, a, n) _mm512_castsi512_pd(_mm512_##dir##_epi64(_mm512_castpd_si512(a), n))
#define MASK(m, k) (__mmask8)((m) >> 8 * (k))
#define INDEX(i, k) _mm512_extracti64x4_epi64(i, k)
#define FROM_INT(i) _mm512_cvtepi32_pd(i)
#define GATHER(base, i) _mm512_i32gather_pd(i, base, 8)
#define VCMP(name, pred, c) static inline mask name(vec a, vec b) \
    { return (mask)(_mm512_cmp_pd_mask(a.p0, b.p0, pred) | _mm512_cmp_pd_mask(a.p1, b.p1, pred) << 8); }
#else
typedef __m512 spn_part;
#define PARTS 1
#define SHIFT(dir, a, n) _mm512_castsi512_ps(_mm512_##dir##_epi32(_mm512_castps_si512(a), n))
#define MASK(m, k) (m)
#define INDEX(i, k) (i)
#define FROM_INT(i) _mm512_cvtepi32_ps(i)
#define GATHER(base, i) _mm512_i32gather_ps(i, base, 4)
#define VCMP(name, pred, c) static inline mask name(vec a, vec b) { return _mm512_cmp_ps_mask(a, b, pred); }
#endif
#define BLEND(m, k, a, b) VOP(mask_blend)(MASK(m, k), b, a)
#define KEEP(m, k, a) VOP(maskz_mov)(MASK(m, k), a)
#define LDEXP(a, n) VOP(scalef)(a, n)

static inline ivec iv_set1(int32_t a) { return _mm512_set1_epi32(a); }
static inline ivec iv_load(const int32_t *p) { return _mm512_loadu_si512(p); }
static inline void iv_store(int32_t *p, ivec a) { _mm512_storeu_si512(p, a); }
static inline ivec iv_iota(void) { return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }
static inline ivec iv_shr(ivec a, int n) { return (ivec)((__v16su)a >> (unsigned)n); }
static inline ivec iv_select(mask m, ivec a, ivec b) { return _mm512_mask_blend_epi32(m, b, a); }
static inline ivec iv_gather_u32(const uint8_t *base, ivec offset) { return _mm512_i32gather_epi32(offset, base, 1); }
static inline mask iv_eq(ivec a, ivec b) { return _mm512_cmpeq_epi32_mask(a, b); }
static inline mask iv_lt(ivec a, ivec b) { return _mm512_cmplt_epi32_mask(a, b); }
static inline mask iv_ult(ivec a, ivec b) { return _mm512_cmplt_epu32_mask(a, b); }
static inline mask m_and(mask a, mask b) { return a & b; }
static inline mask m_or(mask a, mask b) { return a | b; }
static inline mask m_andnot(mask a, mask b) { return (mask)(~a & b); }
static inline mask m_not(mask a) { return (mask)~a; }
static inline mask m_from(uint16_t bits) { return bits; }
static inline uint16_t m_bits(mask m) { return m; }

#elif defined SPN_AVX2
/* ==== AVX2: two registers of floats, four of doubles; a mask is an ivec of 0 and -1 ============================== */
typedef struct { __m256i p0, p1; } ivec;
typedef ivec mask;
#define VOP(op) SPN_SUFFIX(_mm256_##op)
#define IOP(op) _mm256_##op
#define IBITS(op) _mm256_##op##_si256
#define IV2(name, op, c) static inline ivec name(ivec a, ivec b) { return (ivec){ op(a.p0, b.p0), op(a.p1, b.p1) }; }
#ifdef SPN_DOUBLE
typedef __m256d spn_part;
#define PARTS 4
#define SHIFT(dir, a, n) _mm256_castsi256_pd(_mm256_##dir##_epi64(_mm256_castpd_si256(a), n))
#define INDEX(i, k) _mm256_extracti128_si256((k) < 2 ? (i).p0 : (i).p1, (k) & 1)
#define MASK(m, k) _mm256_castsi256_pd(_mm256_cvtepi32_epi64(INDEX(m, k)))
#define FROM_INT(i) _mm256_cvtepi32_pd(i)
#define GATHER(base, i) _mm256_i32gather_pd(base, i, 8)
static inline __m256i spn_narrow(__m256d lo, __m256d hi)    /* 4 + 4 masks of 64 bits to 8 of 32 */
{
    __m256 even = _mm256_shuffle_ps(_mm256_castpd_ps(lo), _mm256_castpd_ps(hi), 0x88);
    return _mm256_permute4x64_epi64(_mm256_castps_si256(even), 0xd8);
}
#define VCMP(name, pred, c) static inline mask name(vec a, vec b) \
    { return (mask){ spn_narrow(_mm256_cmp_pd(a.p0, b.p0, pred), _mm256_cmp_pd(a.p1, b.p1, pred)), \
                     spn_narrow(_mm256_cmp_pd(a.p2, b.p2, pred), _mm256_cmp_pd(a.p3, b.p3, pred)) }; }
#else
typedef __m256 spn_part;
#define PARTS 2
#define SHIFT(dir, a, n) _mm256_castsi256_ps(_mm256_##dir##_epi32(_mm256_castps_si256(a), n))
#define INDEX(i, k) ((k) ? (i).p1 : (i).p0)
#define MASK(m, k) _mm256_castsi256_ps(INDEX(m, k))
#define FROM_INT(i) _mm256_cvtepi32_ps(i)
#define GATHER(base, i) _mm256_i32gather_ps(base, i, 4)
#define VCMP(name, pred, c) static inline mask name(vec a, vec b) \
    { return (mask){ _mm256_castps_si256(_mm256_cmp_ps(a.p0, b.p0, pred)), \
                     _mm256_castps_si256(_mm256_cmp_ps(a.p1, b.p1, pred)) }; }
#endif
#define BLEND(m, k, a, b) VOP(blendv)(b, a, MASK(m, k))
#define KEEP(m, k, a) VOP(and)(MASK(m, k), a)

#define I256(p) ((__m256i *)(void *)(p))
#define CI256(p) ((const __m256i *)(const void *)(p))
IV2(m_and, _mm256_and_si256, )
IV2(m_or, _mm256_or_si256, )
IV2(m_andnot, _mm256_andnot_si256, )
IV2(iv_eq, _mm256_cmpeq_epi32, )
static inline mask iv_lt(ivec a, ivec b)
{ return (mask){ _mm256_cmpgt_epi32(b.p0, a.p0), _mm256_cmpgt_epi32(b.p1, a.p1) }; }
static inline ivec iv_set1(int32_t a) { return (ivec){ _mm256_set1_epi32(a), _mm256_set1_epi32(a) }; }
static inline ivec iv_load(const int32_t *p)
{ return (ivec){ _mm256_loadu_si256(CI256(p)), _mm256_loadu_si256(CI256(p + 8)) }; }
static inline void iv_store(int32_t *p, ivec a)
{ _mm256_storeu_si256(I256(p), a.p0); _mm256_storeu_si256(I256(p + 8), a.p1); }
static inline ivec iv_iota(void)
{ return (ivec){ _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15) }; }
static inline ivec iv_shr(ivec a, int n)
{ return (ivec){ (__m256i)((__v8su)a.p0 >> (unsigned)n), (__m256i)((__v8su)a.p1 >> (unsigned)n) }; }
static inline ivec iv_select(mask m, ivec a, ivec b)
{ return (ivec){ _mm256_blendv_epi8(b.p0, a.p0, m.p0), _mm256_blendv_epi8(b.p1, a.p1, m.p1) }; }
static inline ivec iv_gather_u32(const uint8_t *base, ivec offset)
{
    const int *b = (const int *)(const void *)base;
    return (ivec){ _mm256_i32gather_epi32(b, offset.p0, 1), _mm256_i32gather_epi32(b, offset.p1, 1) };
}
static inline mask iv_ult(ivec a, ivec b)
{
    __m256i sign = _mm256_set1_epi32(INT32_MIN);
    return iv_lt((ivec){ _mm256_xor_si256(a.p0, sign), _mm256_xor_si256(a.p1, sign) },
                 (ivec){ _mm256_xor_si256(b.p0, sign), _mm256_xor_si256(b.p1, sign) });
}
static inline mask m_not(mask a) { return m_andnot(a, iv_set1(-1)); }
static inline mask m_from(uint16_t bits)
{
    ivec all = iv_set1(bits), one = iv_set1(1), i = iv_iota();
    ivec bit = { _mm256_sllv_epi32(one.p0, i.p0), _mm256_sllv_epi32(one.p1, i.p1) };
    return iv_eq(m_and(all, bit), bit);
}
static inline uint16_t m_bits(mask m)
{
    return (uint16_t)(_mm256_movemask_ps(_mm256_castsi256_ps(m.p0))
                    | _mm256_movemask_ps(_mm256_castsi256_ps(m.p1)) << 8);
}

#elif defined SPN_NEON
/* ==== NEON, aarch64: four registers of floats; a mask is an ivec of 0 and -1 ===================================== */
typedef float32x4_t spn_part;
typedef struct { uint32x4_t p0, p1, p2, p3; } ivec;
typedef ivec mask;
#define PARTS 4
#define VOP(op) part_##op
#define IOP(op) ipart_##op
#define IBITS(op) ipart_##op
#define BITS(a) vreinterpretq_u32_f32(a)
#define REAL(a) vreinterpretq_f32_u32(a)
#define SIGNED(a) vreinterpretq_s32_u32(a)
#define UNSIGNED(a) vreinterpretq_u32_s32(a)
#define PART(name, value) static inline spn_part part_##name(spn_part a, spn_part b) { return value; }
PART(add, vaddq_f32(a, b))
PART(sub, vsubq_f32(a, b))
PART(mul, vmulq_f32(a, b))
PART(div, vdivq_f32(a, b))
PART(max, vbslq_f32(vcgtq_f32(a, b), a, b))
PART(min, vbslq_f32(vcltq_f32(a, b), a, b))
PART(or, REAL(vorrq_u32(BITS(a), BITS(b))))
PART(xor, REAL(veorq_u32(BITS(a), BITS(b))))
PART(andnot, REAL(vbicq_u32(BITS(b), BITS(a))))      /* b without a */
#undef PART
static inline spn_part part_fmadd(spn_part a, spn_part b, spn_part c) { return vfmaq_f32(c, a, b); }
static inline spn_part part_fnmadd(spn_part a, spn_part b, spn_part c) { return vfmsq_f32(c, a, b); }
#define part_set1 vdupq_n_f32
#define part_load vld1q_f32
#define part_loadu vld1q_f32
#define part_store vst1q_f32
#define part_storeu vst1q_f32
#define part_sqrt vsqrtq_f32
#define part_floor vrndmq_f32
#define SHIFT(dir, a, n) REAL(SHIFT_##dir(BITS(a), n))
#define SHIFT_srli vshrq_n_u32
#define SHIFT_slli vshlq_n_u32
#define INDEX(i, k) ((k) == 0 ? (i).p0 : (k) == 1 ? (i).p1 : (k) == 2 ? (i).p2 : (i).p3)
#define BLEND(m, k, a, b) vbslq_f32(INDEX(m, k), a, b)
#define KEEP(m, k, a) REAL(vandq_u32(INDEX(m, k), BITS(a)))
#define FROM_INT(i) vcvtq_f32_s32(SIGNED(i))
#define GATHER(base, i) part_gather(base, i)
static inline spn_part part_gather(const float *base, uint32x4_t i)
{
    int32x4_t at = SIGNED(i);
    return (spn_part){ base[at[0]], base[at[1]], base[at[2]], base[at[3]] };
}
#define FOUR(E) (ivec){ E(p0, 0), E(p1, 1), E(p2, 2), E(p3, 3) }
#define COMPARE(pred, value) static inline uint32x4_t part##pred(spn_part a, spn_part b) { return value; }
COMPARE(_CMP_LT_OQ, vcltq_f32(a, b))
COMPARE(_CMP_LE_OQ, vcleq_f32(a, b))
COMPARE(_CMP_GT_OQ, vcgtq_f32(a, b))
COMPARE(_CMP_GE_OQ, vcgeq_f32(a, b))
COMPARE(_CMP_EQ_OQ, vceqq_f32(a, b))
COMPARE(_CMP_UNORD_Q, vmvnq_u32(vandq_u32(vceqq_f32(a, a), vceqq_f32(b, b))))
#undef COMPARE
#define VCMP(name, pred, c) static inline mask name(vec a, vec b) \
    { return (mask){ part##pred(a.p0, b.p0), part##pred(a.p1, b.p1), part##pred(a.p2, b.p2), part##pred(a.p3, b.p3) }; }
#define ipart_add_epi32 vaddq_u32
#define ipart_sub_epi32 vsubq_u32
#define ipart_mullo_epi32 vmulq_u32
#define ipart_and vandq_u32
#define ipart_xor veorq_u32
#define ipart_min_epi32(a, b) UNSIGNED(vminq_s32(SIGNED(a), SIGNED(b)))
#define ipart_max_epi32(a, b) UNSIGNED(vmaxq_s32(SIGNED(a), SIGNED(b)))
#define ipart_andnot(a, b) vbicq_u32(b, a)
#define IV2(name, op, c) static inline ivec name(ivec a, ivec b) \
    { return (ivec){ op(a.p0, b.p0), op(a.p1, b.p1), op(a.p2, b.p2), op(a.p3, b.p3) }; }
IV2(m_and, vandq_u32, )
IV2(m_or, vorrq_u32, )
IV2(m_andnot, ipart_andnot, )
IV2(iv_eq, vceqq_u32, )
IV2(iv_ult, vcltq_u32, )
#define ipart_lt(a, b) vcltq_s32(SIGNED(a), SIGNED(b))
IV2(iv_lt, ipart_lt, )
#define E(p, k) vdupq_n_u32((uint32_t)a)
static inline ivec iv_set1(int32_t a) { return FOUR(E); }
#undef E
#define E(p, k) UNSIGNED(vld1q_s32(from + 4 * k))
static inline ivec iv_load(const int32_t *from) { return FOUR(E); }
#undef E
static inline void iv_store(int32_t *to, ivec a)
{
    vst1q_s32(to, SIGNED(a.p0)), vst1q_s32(to + 4, SIGNED(a.p1));
    vst1q_s32(to + 8, SIGNED(a.p2)), vst1q_s32(to + 12, SIGNED(a.p3));
}
#define E(p, k) (uint32x4_t){ 4 * k, 4 * k + 1, 4 * k + 2, 4 * k + 3 }
static inline ivec iv_iota(void) { return (ivec){ E(, 0), E(, 1), E(, 2), E(, 3) }; }
#undef E
#define E(p, k) a.p >> (unsigned)n
static inline ivec iv_shr(ivec a, int n) { return FOUR(E); }
#undef E
#define E(p, k) vbslq_u32(m.p, a.p, b.p)
static inline ivec iv_select(mask m, ivec a, ivec b) { return FOUR(E); }
#undef E
static inline uint32x4_t part_gather_u32(const uint8_t *base, uint32x4_t offset)
{
    int32x4_t at = SIGNED(offset);
    uint32_t word[4];
    for (int l = 0; l < 4; l++) memcpy(&word[l], base + at[l], sizeof *word);
    return vld1q_u32(word);
}
#define E(p, k) part_gather_u32(base, offset.p)
static inline ivec iv_gather_u32(const uint8_t *base, ivec offset) { return FOUR(E); }
#undef E
#define E(p, k) vmvnq_u32(a.p)
static inline mask m_not(mask a) { return FOUR(E); }
#undef E
#define E(p, k) vtstq_u32(vdupq_n_u32((uint32_t)bits >> 4 * k), (uint32x4_t){ 1, 2, 4, 8 })
static inline mask m_from(uint16_t bits) { return FOUR(E); }
#undef E
#define E(p, k) vaddvq_u32(vandq_u32(m.p, (uint32x4_t){ 1, 2, 4, 8 })) << 4 * k
static inline uint16_t m_bits(mask m) { return (uint16_t)(E(p0, 0) | E(p1, 1) | E(p2, 2) | E(p3, 3)); }
#undef E
#else
/* ==== plain C: arrays of sixteen; a mask is an ivec of 0 and -1, so that a compiler may vectorise every loop ===== */
typedef struct { real v[16]; } vec;
typedef struct { int32_t v[16]; } ivec;
typedef ivec mask;
#define EACH(type, value) { type r; for (int l = 0; l < L; l++) r.v[l] = (value); return r; }
#define VOP(op) r_##op
#define IOP(op)
#define IBITS(op)
#define V1(name, f) static inline vec name(vec a) EACH(vec, f(a.v[l]))
#define V2(name, f) static inline vec name(vec a, vec b) EACH(vec, f(a.v[l], b.v[l]))
#define V3(name, f) static inline vec name(vec a, vec b, vec c) EACH(vec, f(a.v[l], b.v[l], c.v[l]))
#define VCMP(name, pred, c) static inline mask name(vec a, vec b) EACH(mask, -(a.v[l] c b.v[l]))
#define IV2(name, op, c) static inline ivec name(ivec a, ivec b) \
    { ivec r; \
      for (int l = 0; l < L; l++) { uint32_t x = (uint32_t)a.v[l], y = (uint32_t)b.v[l]; r.v[l] = (int32_t)(c); } \
      return r; }
#define P_FMA r_fma
#define P_FNMA r_fnma
#define P_NEG r_neg
#define P_ABS r_abs
#define P_EXPONENT r_exponent
#define P_MANTISSA r_mantissa
#define LDEXP r_ldexp

static inline vec v_loadu(const real *p) EACH(vec, p[l])
static inline vec v_load(const real *p) { return v_loadu(p); }
static inline void v_storeu(real *p, vec a) { for (int l = 0; l < L; l++) p[l] = a.v[l]; }
static inline void v_store(real *p, vec a) { v_storeu(p, a); }
static inline vec v_set1(real a) EACH(vec, a)
static inline vec v_select(mask m, vec a, vec b) EACH(vec, m.v[l] ? a.v[l] : b.v[l])
static inline vec v_zero_unless(mask m, vec a) EACH(vec, m.v[l] ? a.v[l] : 0)
static inline vec v_from_int(ivec a) EACH(vec, (real)a.v[l])
static inline ivec v_to_int(vec a) EACH(ivec, (int32_t)a.v[l])
static inline vec v_gather(const real *base, ivec i) EACH(vec, base[i.v[l]])
static inline vec v_keep(vec a) { return a; }
static inline real v_get(vec a, int lane) { return a.v[lane]; }
static inline real v_sum(vec a)
{
    for (int half = L / 2; half; half /= 2)
        for (int l = 0; l < half; l++) a.v[l] += a.v[l + half];
    return a.v[0];
}

static inline ivec iv_set1(int32_t a) EACH(ivec, a)
static inline ivec iv_load(const int32_t *p) EACH(ivec, p[l])
static inline void iv_store(int32_t *p, ivec a) { for (int l = 0; l < L; l++) p[l] = a.v[l]; }
static inline ivec iv_iota(void) EACH(ivec, l)
static inline ivec iv_shr(ivec a, int n) EACH(ivec, (int32_t)((uint32_t)a.v[l] >> n))
static inline ivec iv_select(mask m, ivec a, ivec b) EACH(ivec, m.v[l] ? a.v[l] : b.v[l])
static inline uint32_t spn_u32(const uint8_t *p)
{ return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }
static inline ivec iv_gather_u32(const uint8_t *base, ivec offset) EACH(ivec, (int32_t)spn_u32(base + offset.v[l]))
static inline mask iv_eq(ivec a, ivec b) EACH(mask, -(a.v[l] == b.v[l]))
static inline mask iv_lt(ivec a, ivec b) EACH(mask, -(a.v[l] < b.v[l]))
static inline mask iv_ult(ivec a, ivec b) EACH(mask, -((uint32_t)a.v[l] < (uint32_t)b.v[l]))
static inline mask m_and(mask a, mask b) EACH(mask, a.v[l] & b.v[l])
static inline mask m_or(mask a, mask b) EACH(mask, a.v[l] | b.v[l])
static inline mask m_andnot(mask a, mask b) EACH(mask, ~a.v[l] & b.v[l])
static inline mask m_not(mask a) EACH(mask, ~a.v[l])
static inline mask m_from(uint16_t bits) EACH(mask, -(bits >> l & 1))
static inline uint16_t m_bits(mask m)
{ unsigned bits = 0; for (int l = 0; l < L; l++) bits |= (unsigned)(m.v[l] & 1) << l; return (uint16_t)bits; }
static inline void v_transpose16(vec rows[16])
{
    for (int i = 0; i < L; i++)
        for (int j = 0; j < i; j++) {
            real t = rows[i].v[j];
            rows[i].v[j] = rows[j].v[i], rows[j].v[i] = t;
        }
}
#endif

#if defined SPN_AVX512 || defined SPN_AVX2 || defined SPN_NEON
/* ==== shared by the targets with registers: parts to vec ========================================================= */
#if PARTS == 1
typedef spn_part vec;
#define MAP(E) E(, 0)
#define RUN(E) E(, 0)
#define V1(name, f) static inline vec name(vec a) { return f(a); }
#define V2(name, f) static inline vec name(vec a, vec b) { return f(a, b); }
#define V3(name, f) static inline vec name(vec a, vec b, vec c) { return f(a, b, c); }
#elif PARTS == 2
typedef struct { spn_part p0, p1; } vec;
#define MAP(E) (vec){ E(.p0, 0), E(.p1, 1) }
#define RUN(E) E(.p0, 0), E(.p1, 1)
#define V1(name, f) static inline vec name(vec a) { return (vec){ f(a.p0), f(a.p1) }; }
#define V2(name, f) static inline vec name(vec a, vec b) { return (vec){ f(a.p0, b.p0), f(a.p1, b.p1) }; }
#define V3(name, f) static inline vec name(vec a, vec b, vec c) \
    { return (vec){ f(a.p0, b.p0, c.p0), f(a.p1, b.p1, c.p1) }; }
#else
typedef struct { spn_part p0, p1, p2, p3; } vec;
#define MAP(E) (vec){ E(.p0, 0), E(.p1, 1), E(.p2, 2), E(.p3, 3) }
#define RUN(E) E(.p0, 0), E(.p1, 1), E(.p2, 2), E(.p3, 3)
#define V1(name, f) static inline vec name(vec a) { return (vec){ f(a.p0), f(a.p1), f(a.p2), f(a.p3) }; }
#define V2(name, f) static inline vec name(vec a, vec b) \
    { return (vec){ f(a.p0, b.p0), f(a.p1, b.p1), f(a.p2, b.p2), f(a.p3, b.p3) }; }
#define V3(name, f) static inline vec name(vec a, vec b, vec c) \
    { return (vec){ f(a.p0, b.p0, c.p0), f(a.p1, b.p1, c.p1), f(a.p2, b.p2, c.p2), f(a.p3, b.p3, c.p3) }; }
#endif

#define P_FMA VOP(fmadd)
#define P_FNMA VOP(fnmadd)
#define P_NEG(a) VOP(xor)(VOP(set1)((real)-0.0), a)
#define P_ABS(a) VOP(andnot)(VOP(set1)((real)-0.0), a)
#define P_HIDDEN ((real)(1ull << SPN_FRACTION))
#define P_EXPONENT(a) \
    VOP(sub)(VOP(or)(SHIFT(srli, a, SPN_FRACTION), VOP(set1)(P_HIDDEN)), VOP(set1)(P_HIDDEN + SPN_BIAS))
#ifndef LDEXP
#define POW2(n) SHIFT(slli, VOP(add)(n, VOP(set1)((real)(1.5 * (1ull << SPN_FRACTION) + SPN_BIAS))), SPN_FRACTION)
static inline spn_part spn_ldexp(spn_part a, spn_part n)
{
    spn_part half = VOP(floor)(VOP(mul)(n, VOP(set1)((real)0.5)));
    return VOP(mul)(VOP(mul)(a, POW2(half)), POW2(VOP(sub)(n, half)));
}
#define LDEXP(a, n) spn_ldexp(a, n)
#endif
#define P_MANTISSA(a) VOP(or)(VOP(andnot)(VOP(set1)((real)INFINITY), a), VOP(set1)((real)1))

/* E(m, k) writes part k of a vec; m is its member: .p0, .p1, ..., or nothing where a vec is one part. */
#define AT(p, k) ((p) + (k) * (16 / PARTS))
#define E(m, k) VOP(load)(AT(p, k))
static inline vec v_load(const real *p) { return MAP(E); }
#undef E
#define E(m, k) VOP(loadu)(AT(p, k))
static inline vec v_loadu(const real *p) { return MAP(E); }
#undef E
#define E(m, k) VOP(store)(AT(p, k), a m)
static inline void v_store(real *p, vec a) { RUN(E); }
#undef E
#define E(m, k) VOP(storeu)(AT(p, k), a m)
static inline void v_storeu(real *p, vec a) { RUN(E); }
#undef E
#define E(m, k) VOP(set1)(a)
static inline vec v_set1(real a) { return MAP(E); }
#undef E
#define E(m, k) BLEND(choice, k, a m, b m)
static inline vec v_select(mask choice, vec a, vec b) { return MAP(E); }
#undef E
#define E(m, k) KEEP(choice, k, a m)
static inline vec v_zero_unless(mask choice, vec a) { return MAP(E); }
#undef E
#define E(m, k) FROM_INT(INDEX(i, k))
static inline vec v_from_int(ivec i) { return MAP(E); }
#undef E
#define E(m, k) GATHER(base, INDEX(i, k))
static inline vec v_gather(const real *base, ivec i) { return MAP(E); }
#undef E

/* The same vec, from here on in registers: where these are few, gcc would load it from memory for each use. */
#if defined SPN_NEON
#define IN_REGISTER "+w"
#else
#define IN_REGISTER "+v"
#endif
static inline spn_part spn_keep(spn_part a)
{
    __asm__("" : IN_REGISTER(a));
    return a;
}
#undef IN_REGISTER
V1(v_keep, spn_keep)

static inline real v_get(vec a, int lane) { _Alignas(64) real t[16]; v_store(t, a); return t[lane]; }

/* The sum's tree is lane i + i+8, then +4, +2, +1: halves added to halves, whatever the registers. */
#if defined SPN_NEON
#define E(p, k) UNSIGNED(vcvtq_s32_f32(a.p))
static inline ivec v_to_int(vec a) { return FOUR(E); }
#undef E
static inline real v_sum(vec a)
{
    float32x4_t s4 = vaddq_f32(vaddq_f32(a.p0, a.p2), vaddq_f32(a.p1, a.p3));
    float32x2_t s2 = vadd_f32(vget_low_f32(s4), vget_high_f32(s4));
    return vget_lane_f32(s2, 0) + vget_lane_f32(s2, 1);
}

/* Blocks of 4x4, transposed in registers; block (i, j) of the rows' memory becomes part i of rows 4j to 4j + 3. */
#define BLOCK4(i, p) do {                                                                                             \
        float32x4x2_t a = vtrnq_f32(vld1q_f32(t[i] + 4 * j), vld1q_f32(t[i + 1] + 4 * j));                            \
        float32x4x2_t b = vtrnq_f32(vld1q_f32(t[i + 2] + 4 * j), vld1q_f32(t[i + 3] + 4 * j));                        \
        r[4 * j].p = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));                                    \
        r[4 * j + 1].p = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));                                \
        r[4 * j + 2].p = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));                              \
        r[4 * j + 3].p = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));                              \
    } while (0)
static inline void v_transpose16(vec r[16])
{
    _Alignas(64) real t[16][16];
    for (int i = 0; i < 16; i++) v_store(t[i], r[i]);
    for (int j = 0; j < 4; j++) {
        BLOCK4(0, p0);
        BLOCK4(4, p1);
        BLOCK4(8, p2);
        BLOCK4(12, p3);
    }
}
#undef BLOCK4
#elif defined SPN_DOUBLE
#if PARTS == 2
static inline ivec v_to_int(vec a)
{ return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvttpd_epi32(a.p0)), _mm512_cvttpd_epi32(a.p1), 1); }
#else
static inline ivec v_to_int(vec a)
{ return (ivec){ _mm256_set_m128i(_mm256_cvttpd_epi32(a.p1), _mm256_cvttpd_epi32(a.p0)),
                 _mm256_set_m128i(_mm256_cvttpd_epi32(a.p3), _mm256_cvttpd_epi32(a.p2)) }; }
#endif
static inline real v_sum(vec a)
{
#if PARTS == 2
    __m512d s8 = _mm512_add_pd(a.p0, a.p1);
    __m256d s4 = _mm256_add_pd(_mm512_castpd512_pd256(s8), _mm512_extractf64x4_pd(s8, 1));
#else
    __m256d s4 = _mm256_add_pd(_mm256_add_pd(a.p0, a.p2), _mm256_add_pd(a.p1, a.p3));
#endif
    __m128d s2 = _mm_add_pd(_mm256_castpd256_pd128(s4), _mm256_extractf128_pd(s4, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s2, _mm_unpackhi_pd(s2, s2)));
}
static inline void v_transpose16(vec rows[16])       /* double is for checking: through memory will do */
{
    _Alignas(64) real t[16][16], u[16][16];
    for (int i = 0; i < 16; i++) v_store(t[i], rows[i]);
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++) u[j][i] = t[i][j];
    for (int i = 0; i < 16; i++) rows[i] = v_load(u[i]);
}
#else
#if PARTS == 1
static inline ivec v_to_int(vec a) { return _mm512_cvttps_epi32(a); }
#else
static inline ivec v_to_int(vec a) { return (ivec){ _mm256_cvttps_epi32(a.p0), _mm256_cvttps_epi32(a.p1) }; }
#endif
static inline real v_sum(vec a)
{
#if PARTS == 1
    __m256 s8 = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
#else
    __m256 s8 = _mm256_add_ps(a.p0, a.p1);
#endif
    __m128 s4 = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
    __m128 s2 = _mm_add_ps(s4, _mm_movehl_ps(s4, s4));
    return _mm_cvtss_f32(_mm_add_ss(s2, _mm_movehdup_ps(s2)));
}

/* Float: 4x4 blocks are transposed inside the 128-bit quarters of four rows; then whole quarters change places. */
#define TRANSPOSE4(r0, r1, r2, r3) do {                                                                               \
        spn_part ab = VOP(unpacklo)(r0, r1), cd = VOP(unpacklo)(r2, r3);                                              \
        spn_part AB = VOP(unpackhi)(r0, r1), CD = VOP(unpackhi)(r2, r3);                                              \
        r0 = VOP(shuffle)(ab, cd, 0x44), r1 = VOP(shuffle)(ab, cd, 0xee);                                             \
        r2 = VOP(shuffle)(AB, CD, 0x44), r3 = VOP(shuffle)(AB, CD, 0xee);                                             \
    } while (0)
#if PARTS == 1
static inline void v_transpose16(vec r[16])
{
    SPN_UNROLL
    for (int i = 0; i < 16; i += 4) TRANSPOSE4(r[i], r[i + 1], r[i + 2], r[i + 3]);
    SPN_UNROLL
    for (int i = 0; i < 4; i++) {
        vec a = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x44), b = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xee);
        vec c = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x44), d = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xee);
        r[i] = _mm512_shuffle_f32x4(a, c, 0x88), r[i + 4] = _mm512_shuffle_f32x4(a, c, 0xdd);
        r[i + 8] = _mm512_shuffle_f32x4(b, d, 0x88), r[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}
#else
#define QUARTERS(lo0, lo1, hi0, hi1, out0, out1) do {                                                                 \
        spn_part a = _mm256_permute2f128_ps(lo0, lo1, 0x20), b = _mm256_permute2f128_ps(lo0, lo1, 0x31);              \
        spn_part c = _mm256_permute2f128_ps(hi0, hi1, 0x20), d = _mm256_permute2f128_ps(hi0, hi1, 0x31);              \
        out0 = (vec){ a, c }, out1 = (vec){ b, d };                                                                   \
    } while (0)
static inline void v_transpose16(vec r[16])
{
    SPN_UNROLL
    for (int i = 0; i < 16; i += 4) {
        TRANSPOSE4(r[i].p0, r[i + 1].p0, r[i + 2].p0, r[i + 3].p0);
        TRANSPOSE4(r[i].p1, r[i + 1].p1, r[i + 2].p1, r[i + 3].p1);
    }
    SPN_UNROLL
    for (int i = 0; i < 4; i++) {
        vec q0 = r[i], q1 = r[i + 4], q2 = r[i + 8], q3 = r[i + 12];
        QUARTERS(q0.p0, q1.p0, q2.p0, q3.p0, r[i], r[i + 4]);
        QUARTERS(q0.p1, q1.p1, q2.p1, q3.p1, r[i + 8], r[i + 12]);
    }
}
#undef QUARTERS
#endif
#undef TRANSPOSE4
#endif
#endif

/* ==== all targets: the functions with a common form ============================================================== */
V2(v_add, VOP(add))
V2(v_sub, VOP(sub))
V2(v_mul, VOP(mul))
V2(v_div, VOP(div))
V2(v_max, VOP(max))                       /* a > b ? a : b */
V2(v_min, VOP(min))                       /* a < b ? a : b */
V3(v_fma, P_FMA)                          /* a * b + c, rounded once */
V3(v_fnma, P_FNMA)                        /* c - a * b, rounded once */
V1(v_neg, P_NEG)
V1(v_abs, P_ABS)
V1(v_sqrt, VOP(sqrt))
V1(v_floor, VOP(floor))
V1(v_exponent, P_EXPONENT)                /* these three: see scalar.h */
V1(v_mantissa, P_MANTISSA)
V2(v_ldexp, LDEXP)
VCMP(v_lt, _CMP_LT_OQ, <)                 /* false for NaN, all five */
VCMP(v_le, _CMP_LE_OQ, <=)
VCMP(v_gt, _CMP_GT_OQ, >)
VCMP(v_ge, _CMP_GE_OQ, >=)
VCMP(v_eq, _CMP_EQ_OQ, ==)
VCMP(v_unordered, _CMP_UNORD_Q, != a.v[l] || b.v[l] !=)         /* a or b is NaN */
/* On masks: m_andnot(a, b) is b without a, as the x86 instruction has it.  On ivec: iv_shr shifts zeros in. */
IV2(iv_add, IOP(add_epi32), x + y)
IV2(iv_sub, IOP(sub_epi32), x - y)
IV2(iv_mul, IOP(mullo_epi32), x * y)
IV2(iv_and, IBITS(and), x & y)
IV2(iv_xor, IBITS(xor), x ^ y)
IV2(iv_min, IOP(min_epi32), (int32_t)x < (int32_t)y ? x : y)
IV2(iv_max, IOP(max_epi32), (int32_t)x > (int32_t)y ? x : y)

static inline vec v_zero(void) { return v_set1(0); }
static inline mask m_first(int n) { return m_from((uint16_t)((1u << n) - 1)); }         /* n from 0 to 16 */
/* base[index[l] * 16 + l]: each lane reads its own image of an array of vecs. */
static inline vec v_gather_lane(const real *base, ivec index)
{ return v_gather(base, iv_add(iv_mul(index, iv_set1(L)), iv_iota())); }
/* The lowest byte of each lane, divided by 255.  No division: q = n * (1 / 255) is off by at most one unit in the last place; the
 * remainder n - 255 q is exact, and a 255th of it puts q where the division would have rounded (so for each of the 256 bytes, in
 * float and double). */
static inline vec v_from_byte(ivec a)
{
    vec part = v_set1((real)1 / 255), n = v_from_int(iv_and(a, iv_set1(255))), q = v_mul(n, part);
    return v_fma(v_fnma(q, v_set1(255), n), part, q);
}
static inline void v_prefetch(const void *p) { __builtin_prefetch(p); }

/* A vec one part after the other, for kernels both of whose operands are vecs: more sums fit into the registers.  P_LANES numbers each; a vec that is
 * in no registers is one part. */
#if defined SPN_AVX512 || defined SPN_AVX2
typedef spn_part vpart;
enum { P_LANES = 16 / PARTS };
static inline vpart p_load(const real *a) { return VOP(load)(a); }
static inline void p_store(real *a, vpart x) { VOP(store)(a, x); }
static inline vpart p_keep(vpart a) { return spn_keep(a); }
static inline vpart p_zero(void) { return VOP(set1)(0); }
static inline vpart p_set1(real a) { return VOP(set1)(a); }
static inline vpart p_add(vpart a, vpart b) { return VOP(add)(a, b); }
static inline vpart p_sub(vpart a, vpart b) { return VOP(sub)(a, b); }
static inline vpart p_mul(vpart a, vpart b) { return VOP(mul)(a, b); }
static inline vpart p_fma(vpart a, vpart b, vpart c) { return P_FMA(a, b, c); }
static inline vpart p_fnma(vpart a, vpart b, vpart c) { return P_FNMA(a, b, c); }
#else
typedef vec vpart;
enum { P_LANES = 16 };
static inline vpart p_load(const real *a) { return v_load(a); }
static inline void p_store(real *a, vpart x) { v_store(a, x); }
static inline vpart p_keep(vpart a) { return v_keep(a); }
static inline vpart p_zero(void) { return v_zero(); }
static inline vpart p_set1(real a) { return v_set1(a); }
static inline vpart p_add(vpart a, vpart b) { return v_add(a, b); }
static inline vpart p_sub(vpart a, vpart b) { return v_sub(a, b); }
static inline vpart p_mul(vpart a, vpart b) { return v_mul(a, b); }
static inline vpart p_fma(vpart a, vpart b, vpart c) { return v_fma(a, b, c); }
static inline vpart p_fnma(vpart a, vpart b, vpart c) { return v_fnma(a, b, c); }
#endif

#undef V1
#undef V2
#undef V3
#undef VCMP
#undef IV2
#undef VOP
#undef IOP
#undef IBITS
#undef LDEXP
#undef P_FMA
#undef P_FNMA
#undef P_NEG
#undef P_ABS
#undef P_EXPONENT
#undef P_MANTISSA
#undef P_HIDDEN
#undef PARTS
#undef SHIFT
#undef MASK
#undef INDEX
#undef FROM_INT
#undef GATHER
#undef BLEND
#undef KEEP
#undef POW2
#undef BITS
#undef REAL
#undef SIGNED
#undef UNSIGNED
#undef FOUR
#undef SHIFT_srli
#undef SHIFT_slli
#undef part_set1
#undef part_load
#undef part_loadu
#undef part_store
#undef part_storeu
#undef part_sqrt
#undef part_floor
#undef ipart_add_epi32
#undef ipart_sub_epi32
#undef ipart_mullo_epi32
#undef ipart_and
#undef ipart_xor
#undef ipart_min_epi32
#undef ipart_max_epi32
#undef ipart_andnot
#undef ipart_lt
#undef I256
#undef CI256
#undef MAP
#undef RUN
#undef AT
#undef EACH
#endif
