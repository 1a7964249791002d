/* sampler.h -- where a bilinear sample falls on one axis of an image.
 *
 * A coordinate s runs from -1, the middle of the first pixel, to 1.  It becomes p, counted in pixels; p lies between
 * the pixels floor(p) and floor(p) + 1, whose weights are 1 - (p - floor(p)) and p - floor(p).  What happens outside:
 *
 *   BORDER_ZERO    p = (s + 1) / 2 (size - 1); pixels outside the image are 0      PyTorch's grid_sample, zeros
 *   BORDER_CLAMP   the same p, moved to the nearest pixel of the image             PyTorch's grid_sample, border
 *   BORDER_LEGACY  p = (s + 1) / 2 size; the sample is 0 unless 0 <= p < size - 1  Lasagne's layer of September 2015
 *
 * (PyTorch with align_corners=True.)  A sample is the sum over two rows and two columns of the row's weight times the
 * column's weight times the pixel.  A pixel that does not count has weight and slope 0; there is no branch.
 *
 * p may be anything.  It is brought near the image while it is still a floating-point number, so no index is ever
 * outside; infinity is outside the image like any large number, and NaN reads pixel 0 with the weight NaN.
 *
 * `size` and `border` are constants wherever these functions are called; they are always inlined, so the choice between
 * borders is gone from the machine code.  sampler_axis takes 16 coordinates, sampler_axis_one takes one. */
#ifndef SPN_SAMPLER_H
#define SPN_SAMPLER_H

#include "vec.h"

#define SAMPLER_INLINE static inline __attribute__((always_inline))

typedef enum { BORDER_ZERO, BORDER_CLAMP, BORDER_LEGACY } Border;

typedef struct {
    ivec low, high;                /* the two pixels: 0 to size - 1 */
    vec weight_low, weight_high;   /* what they count for */
    vec slope_low, slope_high;     /* d weight / dp: -1 and 1, or 0 */
} SamplerAxis;

typedef struct {
    int low, high;
    real weight_low, weight_high, slope_low, slope_high;
} SamplerAxisOne;

/* dp / ds, the same everywhere. */
SAMPLER_INLINE real sampler_scale(int size, Border border)
{
    return (border == BORDER_LEGACY ? size : size - 1) * (real)0.5;
}

SAMPLER_INLINE vec sampler_pixel(vec s, int size, Border border)
{
    return v_mul(v_add(s, v_set1(1)), v_set1(sampler_scale(size, border)));
}

/* v_max gives its second argument for NaN. */
SAMPLER_INLINE vec sampler_between(real low, vec p, real high)
{
    return v_min(v_max(p, v_set1(low)), v_set1(high));
}

SAMPLER_INLINE SamplerAxis sampler_axis(vec s, int size, Border border)
{
    const vec zero = v_set1(0), one = v_set1(1), last = v_set1((real)(size - 1));
    vec p = sampler_pixel(s, size, border);
    mask below = v_le(p, zero), above = v_ge(p, last);
    if (border == BORDER_CLAMP)
        p = v_select(below, zero, v_select(above, last, p));
    vec pixel = v_floor(p), next = v_add(pixel, one);
    vec toward = v_sub(p, pixel);
    mask low_out, high_out;        /* tested as "out", not "in": NaN is not out, and keeps its weight */
    if (border == BORDER_ZERO) {
        low_out = m_or(v_lt(pixel, zero), v_gt(pixel, last));
        high_out = m_or(v_lt(next, zero), v_gt(next, last));
    } else if (border == BORDER_CLAMP) {
        low_out = high_out = m_or(below, above);
    } else {
        low_out = high_out = m_or(v_lt(p, zero), above);
    }
    SamplerAxis axis = {
        .low = v_to_int(sampler_between(0, pixel, (real)(size - 1))),
        .high = v_to_int(sampler_between(0, next, (real)(size - 1))),
        .weight_low = v_sub(one, toward), .weight_high = toward,
        .slope_low = v_zero_unless(m_not(low_out), v_set1(-1)),
        .slope_high = v_zero_unless(m_not(high_out), one),
    };
    if (border != BORDER_CLAMP) {  /* a clamped point stands still (slope 0), but its pixel counts */
        axis.weight_low = v_zero_unless(m_not(low_out), axis.weight_low);
        axis.weight_high = v_zero_unless(m_not(high_out), axis.weight_high);
    }
    return axis;
}

SAMPLER_INLINE SamplerAxisOne sampler_axis_one(real s, int size, Border border)
{
    const real last = (real)(size - 1);
    real p = (s + 1) * sampler_scale(size, border);
    int below = p <= 0, above = p >= last;
    if (border == BORDER_CLAMP)
        p = below ? 0 : above ? last : p;
    real pixel = r_floor(p), next = pixel + 1;
    real toward = p - pixel;
    int low_out, high_out;
    if (border == BORDER_ZERO) {
        low_out = pixel < 0 || pixel > last;
        high_out = next < 0 || next > last;
    } else if (border == BORDER_CLAMP) {
        low_out = high_out = below || above;
    } else {
        low_out = high_out = p < 0 || above;
    }
    SamplerAxisOne axis = {
        .low = (int)r_min(r_max(pixel, 0), last), .high = (int)r_min(r_max(next, 0), last),
        .weight_low = 1 - toward, .weight_high = toward,
        .slope_low = low_out ? 0 : -1, .slope_high = high_out ? 0 : 1,
    };
    if (border != BORDER_CLAMP) {
        if (low_out) axis.weight_low = 0;
        if (high_out) axis.weight_high = 0;
    }
    return axis;
}

/* Adds lane l of `part` to element at[l] of the image that lane owns: no two lanes ever meet. */
SAMPLER_INLINE void sampler_scatter(real *image, ivec at, vec part)
{
    _Alignas(64) int32_t where[L];
    _Alignas(64) real what[L];
    iv_store(where, at);
    v_store(what, part);
    for (int l = 0; l < L; l++) image[where[l]] += what[l];
}

/* For `check`: the whole part of p, from -2 to size, distinct wherever the value or the slope changes its formula. */
SAMPLER_INLINE int sampler_cell(real s, int size, Border border)
{
    real p = (s + 1) * sampler_scale(size, border);
    return (int)r_min(r_max(r_floor(p), -2), (real)size);
}

#endif
