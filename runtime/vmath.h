/* vmath.h -- exp, log, tanh and sigmoid with the same bits on every target.
 *
 * libm's differ from version to version and take one number at a time.  These are made of vec.h's functions alone:
 *   v_exp  v_log  v_tanh  v_sigmoid    sixteen reals
 * and in rmath.h, of scalar.h's:
 *   r_exp  r_log  r_tanh  r_sigmoid    one real, the same bits as a lane of v_
 *   d_exp  d_log  d_tanh  d_sigmoid    one double, whatever real is (rng.h draws from them)
 * NaN gives NaN; e^x overflows to infinity and passes through subnormal numbers to 0; log 0 = -infinity, and the log of
 * a negative number is NaN; tanh -0 is 0.  Largest errors against libm in a wider type, in units of the last place (float:
 * all 2^32 arguments; double: 13 million; subnormal results in units of the smallest normal number's last place):
 *            exp    log    tanh   sigmoid
 *   float    0.91   0.83   1.37   2.41
 *   double   0.76   0.81   1.35   1.43 */
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
