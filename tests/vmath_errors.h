/* vmath_errors.h -- the error of vmath.h's functions of one float, in units of the last place, against libm's in double.
 * Subnormal results count in units of the smallest normal number's last place.  float only. */
#ifndef VMATH_ERRORS_H
#define VMATH_ERRORS_H

#include "vmath.h"

typedef struct {
    const char *name;
    vec (*many)(vec);
    real (*one)(real);
    double (*exact)(double);
    double end, bound;       /* |x| <= end is looked at; the error that vmath.h promises at most */
} VmathRow;

static double exact_sigmoid(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }

static const VmathRow vmath_rows[] = {
    { "exp", v_exp, r_exp, exp, INFINITY, 1 },
    { "log", v_log, r_log, log, INFINITY, 1 },
    { "tanh", v_tanh, r_tanh, tanh, INFINITY, 1.5 },
    { "sigmoid", v_sigmoid, r_sigmoid, exact_sigmoid, INFINITY, 2.5 },
    { "expm1", v_expm1, r_expm1, expm1, INFINITY, 2 },
    { "log1p", v_log1p, r_log1p, log1p, INFINITY, 2 },
    { "erf", v_erf, r_erf, erf, INFINITY, 2 },
    { "sin", v_sin, r_sin, sin, 65536, 2 },
    { "cos", v_cos, r_cos, cos, 65536, 2 },
};
enum { VMATH_ROWS = sizeof vmath_rows / sizeof *vmath_rows };

/* The error of y for an exact result; infinity: one is NaN, infinite or 0 where the other is not. */
static double vmath_error(float y, double exact)
{
    int e;
    if (exact != exact || y != y)
        return exact != exact && y != y ? 0 : INFINITY;
    if (isinf((float)exact) || isinf(y))                            /* the last number before infinity may go either way */
        return (float)exact == y || (fabs(exact) >= 0x1.fffffcp127 && fabs(exact) <= 0x1.000002p128) ? 0 : INFINITY;
    if (exact == 0)
        return y == 0 ? 0 : INFINITY;
    frexp(exact, &e);
    return fabs(y - exact) / ldexp(1, (e < -125 ? -125 : e) - 24);
}

/* The largest error over the floats of the bits first, first + step, ...; *at: where.  Infinity also if the scalar twin differs. */
static double vmath_worst(const VmathRow *row, uint64_t first, uint64_t step, float *at)
{
    double worst = 0;
    for (uint64_t bits = first; bits < (uint64_t)1 << 32; bits += L * step) {
        float x[16], y[16];
        for (int l = 0; l < L; l++) {
            uint32_t u = (uint32_t)(bits + (uint64_t)l * step);
            memcpy(&x[l], &u, sizeof u);
        }
        v_storeu(y, row->many(v_loadu(x)));
        for (int l = 0; l < L; l++) {
            if (fabsf(x[l]) > row->end)
                continue;
            float one = row->one(x[l]);
            double error = memcmp(&one, &y[l], sizeof one) != 0 && one == one ? INFINITY : vmath_error(y[l], row->exact(x[l]));
            if (error > worst) {
                worst = error;
                *at = x[l];
            }
        }
    }
    return worst;
}

#endif
