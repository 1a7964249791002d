/* augment.h -- random changes of a training example: whether it is mirrored, its shift and rotation, the clutter on it, its noise.
 *
 * Each is a function of seed, epoch, input and the example's number in the split.  Nothing is stored and there is no generator state, so a
 * resumed run gets the same images, whatever the batch, the threads, the target or the form.  Each purpose has its own key, and each draw
 * of a purpose a fixed number: one more kind of draw changes none of the others. */
#ifndef SPN_AUGMENT_H
#define SPN_AUGMENT_H

#include "rng.h"
#include "net.h"

typedef enum { AUGMENT_MOVE, AUGMENT_CLUTTER, AUGMENT_NOISE, AUGMENT_FLIP } AugmentPurpose;

static inline uint64_t augment_key(uint64_t seed, uint64_t epoch, int input, uint64_t example, AugmentPurpose purpose)
{
    const uint64_t augm = 0x6175676d;
    return rng_key(seed, augm + (uint64_t)input, epoch, example, purpose);
}

/* Of example n of the batch. */
static inline uint64_t augment_key_of(const Batch *batch, int input, int n, AugmentPurpose purpose)
{
    return augment_key(batch->seed, (uint64_t)batch->epoch, input, batch->which[n], purpose);
}

/* Draw i of the key: a whole number from 0 to n - 1 (of 53 bits: n / 2^53 from even). */
static inline int64_t augment_below(uint64_t key, uint64_t i, int64_t n) { return (int64_t)(rng_uniform(key, i) * (double)n); }

/* 1 for every second example, on the average: its columns are in reverse order. */
static inline int augment_flipped(uint64_t key) { return (int)augment_below(key, 0, 2); }

/* ---- moved, turned, enlarged -------------------------------------------------------------------------------------------- */

/* Whole pixels, -most to most; draw 0 is the shift down, draw 1 to the right. */
static inline int augment_shift(uint64_t key, int draw, int most) { return (int)augment_below(key, (uint64_t)draw, 2 * most + 1) - most; }

/* The pixel of x that the pixel (row, column) of y shows: row yx column + yy row + y0, column xx column + xy row + x0. */
typedef struct { float xx, xy, x0, yx, yy, y0; } AugmentMap;

/* Sine and cosine of an angle in [-pi, pi] by their series, 1e-15: libm's differ from version to version. */
static inline void augment_turn(double *sine, double *cosine, double angle)
{
    double s = angle, c = 1, term_s = angle, term_c = 1;
    for (int k = 1; k <= 16; k++) {
        term_c *= -angle * angle / ((2 * k - 1) * (2 * k));
        term_s *= -angle * angle / ((2 * k) * (2 * k + 1));
        c += term_c, s += term_s;
    }
    *sine = s, *cosine = c;
}

/* Turned by up to `degrees` either way, made 1 - scale to 1 + scale times as large, then moved by `shift`; all about the centre of H x W. */
static inline AugmentMap augment_map(uint64_t key, int shift, double degrees, double scale, int H, int W)
{
    double angle = degrees * (3.14159265358979323846 / 180) * (2 * rng_uniform(key, 2) - 1), size = 1 + scale * (2 * rng_uniform(key, 3) - 1), s, c;
    double middle_x = 0.5 * (W - 1), middle_y = 0.5 * (H - 1);
    double to_x = middle_x + augment_shift(key, 1, shift), to_y = middle_y + augment_shift(key, 0, shift);
    augment_turn(&s, &c, angle);
    s /= size, c /= size;
    return (AugmentMap){ (float)c, (float)s, (float)(middle_x - c * to_x - s * to_y), (float)-s, (float)c, (float)(middle_y + s * to_x - c * to_y) };
}

/* ---- clutter -------------------------------------------------------------------------------------------------------------- */

enum { AUGMENT_DRAWS = 5 };          /* of one piece */

/* The example that piece k is cut from: any but this one. */
static inline int64_t augment_source(uint64_t key, int k, int64_t example, int64_t total)
{
    int64_t other = augment_below(key, (uint64_t)k * AUGMENT_DRAWS, total - 1);
    return other + (other >= example && total > 1);
}

/* A square of another example: from its place (row, column), to (to_row, to_column). */
typedef struct { const void *image; int row, column, to_row, to_column; } AugmentPiece;

static inline AugmentPiece augment_piece(const Batch *batch, int input, int n, int k, int size, int H, int W)
{
    uint64_t key = augment_key_of(batch, input, n, AUGMENT_CLUTTER), draw = (uint64_t)k * AUGMENT_DRAWS;
    int64_t source = augment_source(key, k, batch->which[n], batch->total);
    return (AugmentPiece){ (const char *)batch->all[input] + (size_t)source * batch->stride[input],
                           (int)augment_below(key, draw + 1, H - size + 1), (int)augment_below(key, draw + 2, W - size + 1),
                           (int)augment_below(key, draw + 3, H - size + 1), (int)augment_below(key, draw + 4, W - size + 1) };
}

/* ---- noise ---------------------------------------------------------------------------------------------------------------- */

enum { AUGMENT_RUN = 16 };           /* elements whose noise is made at once */

/* Noise of elements first, first + 1, ...: of mean 0 and deviation 1, nearly normal, the sum of the eight bytes of two hashes.  Its distribution
 * function is off by 0.004 at most, and it ends at 4.9 deviations; normal numbers by rng_normal would cost twenty times as much. */
static inline void augment_noise(float noise[AUGMENT_RUN], uint64_t key, uint32_t first)
{
    const uint32_t lo = (uint32_t)key, hi = (uint32_t)(key >> 32), pair = 0x00ff00ff;
    #pragma omp simd
    for (int i = 0; i < AUGMENT_RUN; i++) {
        uint32_t a = rng_hash32(2 * (first + (uint32_t)i), lo, hi), b = rng_hash32(2 * (first + (uint32_t)i) + 1, lo, hi);
        uint32_t sums = (a & pair) + (a >> 8 & pair) + (b & pair) + (b >> 8 & pair);
        noise[i] = (float)((int)((sums & 0xffff) + (sums >> 16)) - 1020) * 0.00478419615f;      /* / sqrt(8 (256^2 - 1) / 12) */
    }
}

/* As the file would hold it: rounded, and kept in 0 to 255. */
static inline uint8_t augment_byte(float v)
{
    v = v > 0 ? v : 0;
    v = v < 255 ? v : 255;
    return (uint8_t)(v + 0.5f);
}

#endif
