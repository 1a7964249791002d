/* vmath.h -- exp, log, tanh, sin and others with the same bits on every target.
 *
 * libm's differ from version to version and take one number at a time.  These are made of vec.h's functions alone:
 *   v_exp  v_log  v_tanh  v_sigmoid  v_expm1  v_log1p  v_erf  v_sin  v_cos     sixteen reals
 *   v_pow(x, y)   v_relu  v_sign  v_lesser(a, b)  v_greater(a, b)
 * and in rmath.h, of scalar.h's:
 *   r_exp  r_log  ...    one real, the same bits as a lane of v_
 *   d_exp  d_log  ...    one double, whatever real is (rng.h draws from them)
 * NaN gives NaN; e^x overflows to infinity and passes through subnormal numbers to 0; log 0 = -infinity, and the log of
 * a negative number is NaN; tanh -0 is 0, the other odd functions keep its sign; from 2^24 on (double: 2^50) an angle counts as 0.
 * Largest errors against libm in a wider type, in units of the last place (float: all 2^32 arguments, for sin and cos those up to 2^16, by
 * tests/vmath_all.sh; double: 13 million of the first four, 4 million of each range in tests/test_vmath.c for the others, sin and cos up to
 * 2^16; pow: 7 million of e^-10 to e^10 to powers from -2 to 1000, float 21 million; subnormal results in units of the smallest normal
 * number's last place):
 *            exp    log    tanh   sigmoid   expm1   log1p   erf    sin    cos    pow
 *   float    0.91   0.83   1.37   2.41      1.29    1.44    1.16   1.00   1.32   1.80
 *   double   0.76   0.81   1.35   1.43      1.28    1.00    1.00   1.32   1.33   1.11 */
#ifndef SPN_VMATH_H
#define SPN_VMATH_H

#include "rmath.h"
#include "vec.h"

#define T vec
#define X(f) v_##f
#define K(c) v_set1((real)(c))
#define SPN_WIDE SPN_WIDE_REAL
#include "vmath_body.h"

#endif
