/* The functions of vmath.h that formulas bring: every 1009th float and special values, doubles against libm's in long double, powers.
 * tests/vmath_all.sh has all floats; vec_bits.sh that all targets agree in every bit; test_vec.c the doubles of the older functions. */
#include <criterion/criterion.h>
#include <float.h>

#include "rng.h"
#include "vmath_errors.h"

TestSuite(vmath_all, .timeout = 600);

Test(vmath_all, every_1009th_float_is_within_the_promise)
{
    for (int k = 0; k < VMATH_ROWS; k++) {
        float at = 0;
        double worst = vmath_worst(&vmath_rows[k], 17, 1009, &at);
        cr_assert(worst <= vmath_rows[k].bound, "%s(%a) is %.2f units off", vmath_rows[k].name, (double)at, worst);
        cr_assert(worst > 0.4, "%s: an error of %.2f is not believed", vmath_rows[k].name, worst);
    }
}

Test(vmath_all, special_values_and_their_neighbours_are_within_the_promise)
{
    static const float special[] = { 0, FLT_MIN, FLT_MAX, INFINITY, 0x1p-149f, 0x1p-126f, 0x1p-25f, 0x1p-24f, 0x1p-12f, 0.5f, 1, 2, 4, 88.72284f, 103.97208f,
                                     0x1.921fb6p-1f, 0x1.921fb6p+0f, 0x1.921fb6p+1f, 0x1.2d97c8p+2f, 65536, 0x1.62e43p-2f, 0x1.6a09e6p+0f, 9.010913f };
    for (int k = 0; k < VMATH_ROWS; k++)
        for (size_t i = 0; i < sizeof special / sizeof *special; i++)
            for (int near = -2; near <= 2; near++)
                for (int sign = 0; sign < 2; sign++) {
                    float x = special[i];
                    for (int n = 0; n != near; n += near > 0 ? 1 : -1)
                        x = nextafterf(x, near > 0 ? INFINITY : -INFINITY);
                    x = sign ? -x : x;
                    const VmathRow *row = &vmath_rows[k];
                    if (fabsf(x) <= row->end)
                        cr_assert(vmath_error(row->one(x), row->exact(x)) <= row->bound, "%s(%a) is %a", row->name, (double)x, (double)row->one(x));
                }
    cr_assert(isnan(r_sin(INFINITY)) && isnan(r_cos(-INFINITY)) && isnan(r_erf(NAN)) && isnan(r_sin(NAN)) && isnan(r_log1p(NAN)) && isnan(r_expm1(NAN)));
    cr_assert(fabsf(r_sin(1e7f)) <= 1 && fabsf(r_cos(1e7f)) <= 1 && r_sin(1e30f) == 0 && r_cos(1e30f) == 1);
}

/* ---- doubles: d_ is what a net in double has, too ---- */

static double ulps(double y, long double exact)
{
    int e;
    frexpl(exact, &e);
    return (double)(fabsl(y - exact) / ldexpl(1, (e < -1021 ? -1021 : e) - 53));
}

Test(vmath_all, doubles_are_within_one_and_a_half_units)
{
    static const struct { const char *name; double (*f)(double); long double (*exact)(long double); double low, high; } rows[] = {
        { "expm1", d_expm1, expm1l, -1, 1 }, { "expm1", d_expm1, expm1l, -40, 700 }, { "expm1", d_expm1, expm1l, -1e-3, 1e-3 },
        { "log1p", d_log1p, log1pl, -1, 3 }, { "log1p", d_log1p, log1pl, -1e-3, 1e-3 }, { "log1p", d_log1p, log1pl, 0, 1e6 },
        { "erf", d_erf, erfl, -1, 1 }, { "erf", d_erf, erfl, -7, 7 },
        { "sin", d_sin, sinl, -4, 4 }, { "sin", d_sin, sinl, -65536, 65536 }, { "cos", d_cos, cosl, -4, 4 }, { "cos", d_cos, cosl, -65536, 65536 },
    };
    if (LDBL_MANT_DIG < 64)
        return;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        for (uint64_t i = 0; i < 100000; i++) {
            double x = rows[k].low + (rows[k].high - rows[k].low) * rng_uniform(k, i);
            cr_assert(ulps(rows[k].f(x), rows[k].exact(x)) < 1.5, "%s(%.17g) is %.17g, %.2f units off", rows[k].name, x, rows[k].f(x),
                      ulps(rows[k].f(x), rows[k].exact(x)));
        }
    cr_assert(d_erf(6) == 1 && d_erf(-INFINITY) == -1 && d_expm1(1000) == INFINITY && d_expm1(-1000) == -1 && d_log1p(-1) == -INFINITY);
    cr_assert(signbit(d_sin(-0.0)) && signbit(d_erf(-0.0)) && signbit(d_expm1(-0.0)) && signbit(d_log1p(-0.0)) && d_sin(1e300) == 0);
    cr_assert(signbit(r_sin(-0.0f)) && signbit(r_erf(-0.0f)) && signbit(r_expm1(-0.0f)) && signbit(r_log1p(-0.0f)));
}

Test(vmath_all, powers_are_near_the_last_place)
{
    static const double exponents[] = { 0.3, 1.5, -2, 7.1, -0.4, 5, 100, 1000, -0x1p-20 };
    for (size_t k = 0; k < sizeof exponents / sizeof *exponents; k++)
        for (uint64_t i = 0; i < 50000; i++) {
            double x = exp((rng_uniform(k, i) - 0.5) * 20), y = exponents[k], exact = pow((float)x, (float)y);
            long double wide = powl(x, y);
            if (exact > FLT_MIN && exact < FLT_MAX)
                cr_assert(vmath_error(r_pow((float)x, (float)y), exact) < 2, "%g ** %g", x, y);
            if (LDBL_MANT_DIG >= 64 && wide > DBL_MIN && wide < DBL_MAX)
                cr_assert(ulps(d_pow(x, y), wide) < 1.5, "%.17g ** %g", x, y);
        }
}

Test(vmath_all, powers_of_odd_values)
{
    const real inf = INFINITY;
    cr_assert(r_pow(2, 10) == 1024 && r_pow(2, -1) == 0.5f && r_pow(10, 5) == 100000 && r_pow(4, 1.5f) == 8);
    cr_assert(r_pow(-2, 3) == -8 && r_pow(-2, 4) == 16 && r_pow(-2, -1) == -0.5f && isnan(r_pow(-2, 0.5f)) && r_pow(-1, 0x1p30f) == 1);
    cr_assert(r_pow(0, 2) == 0 && r_pow(0, -2) == inf && r_pow(0, 0) == 1 && r_pow(NAN, 0) == 1 && isnan(r_pow(NAN, 2)) && r_pow(1, 1e30f) == 1);
    cr_assert(r_pow(inf, 0.5f) == inf && r_pow(inf, -0.5f) == 0 && r_pow(-inf, 3) == -inf && r_pow(-inf, -2) == 0);
    cr_assert(r_pow(2, 128) == inf && r_pow(2, -149) == 0x1p-149f && r_pow(2, -151) == 0 && r_pow(0x1p-149f, 0.5f) > 0 && r_pow(2, -1000) == 0);
    cr_assert(d_pow(0x1p-1074, -1) == inf && d_pow(0x1p-1074, 0.5) == 0x1p-537 && d_pow(3, 33) == 5559060566555523.0);
    for (uint64_t i = 0; i < 20000; i++) {
        float x[16], y[16];
        for (int l = 0; l < L; l++)
            x[l] = (float)(rng_uniform(1, i * 16 + (uint64_t)l) * 6 - 1);
        v_storeu(y, v_pow(v_loadu(x), v_set1((float)(rng_uniform(2, i) * 4 - 2))));
        for (int l = 0; l < L; l++) {
            float one = r_pow(x[l], (float)(rng_uniform(2, i) * 4 - 2));
            cr_assert(memcmp(&one, &y[l], sizeof one) == 0 || (one != one && y[l] != y[l]), "the scalar twin differs at %a", (double)x[l]);
        }
    }
}

Test(vmath_all, choices_keep_nan_and_take_the_first_at_a_tie)
{
    const real nan = NAN;
    cr_assert(isnan(r_greater(nan, 1)) && isnan(r_greater(1, nan)) && isnan(r_lesser(nan, 1)) && isnan(r_lesser(1, nan)) && isnan(r_relu(nan)));
    cr_assert(signbit(r_greater(-0.0f, 0)) && !signbit(r_greater(0, -0.0f)) && signbit(r_lesser(-0.0f, 0)) && !signbit(r_lesser(0, -0.0f)));
    cr_assert(r_greater(1, 2) == 2 && r_greater(2, 1) == 2 && r_lesser(1, 2) == 1 && r_lesser(2, 1) == 1);
    cr_assert(r_sign(-3) == -1 && r_sign(0) == 0 && r_sign(-0.0f) == 0 && r_sign(5) == 1 && r_sign(nan) == 0 && r_relu(-1) == 0 && r_relu(2) == 2);
    _Alignas(64) real a[16] = { nan, 1, nan, 0, -0.0f, 3, -3, INFINITY }, b[16] = { 1, nan, nan, -0.0f, 0, 3, 2, -INFINITY }, y[4][16];
    v_store(y[0], v_greater(v_load(a), v_load(b)));
    v_store(y[1], v_lesser(v_load(a), v_load(b)));
    v_store(y[2], v_sign(v_load(a)));
    v_store(y[3], v_relu(v_load(a)));
    for (int l = 0; l < 16; l++) {
        const real one[4] = { r_greater(a[l], b[l]), r_lesser(a[l], b[l]), r_sign(a[l]), r_relu(a[l]) };
        for (int k = 0; k < 4; k++)
            cr_assert(memcmp(&one[k], &y[k][l], sizeof(real)) == 0 || (isnan(one[k]) && isnan(y[k][l])), "function %d, lane %d", k, l);
    }
}
