/* rmath.h -- vmath.h's functions for one number: r_exp, r_log and so on of a real, d_exp, d_log and so on of a double. */
#ifndef SPN_RMATH_H
#define SPN_RMATH_H

#include "scalar.h"

#ifdef SPN_DOUBLE
#define SPN_WIDE_REAL 1
#else
#define SPN_WIDE_REAL 0
#endif

#define T real
#define X(f) r_##f
#define K(c) ((real)(c))
#define SPN_WIDE SPN_WIDE_REAL
#include "vmath_body.h"

#define T double
#define X(f) d_##f
#define K(c) ((double)(c))
#define SPN_WIDE 1
#include "vmath_body.h"

#endif
