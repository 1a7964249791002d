/* SPDX-License-Identifier: 0BSD */
/* recurrent.c -- made by spnc from tests/golden/recurrent.yaml.  Edit that, not this.
 * params: steps=2
 *
 *   1 sizes   2 parameters (217)   3 operators   4 memory   5 forward   6 backward   7 update   8 for the trainer
 *
 * The plain form: one example at a time, textbook loops.  Every tensor is [channel][row][column] of one example.
 * NAME_forward computes a layer, NAME_backward (right under it) the gradient of its input from the gradient of its
 * output, NAME_weights the gradient of its parameters.  The gradient of x is called d_x, of an operator's own y, x and
 * w dy, dx and dw.  d_NAME_total is a sum of gradients, NAME_sum what stands inside of an activation. */
#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "block.h"
#include "net.h"
#include "vec.h"
#include "vmath.h"
#include "optimiser.h"
#include "schedule.h"
#include "decide.h"
#include "dropout.h"
#include "sampler.h"

/* ==== 1 sizes ==================================================================================================== */

enum { N = 16 };     /* examples in a batch */

typedef real h_t[3];
typedef real image_t[1][4][4];
typedef real h_from_input_t[9];
typedef real h_from_state_t[9];
typedef real A_t[6];
typedef real crop_t[1][2][2];
typedef real classify_dropout1_t[1][2][2];
typedef real classify_dense1_t[2];
typedef int32_t digits_t[2];
typedef real loss1_t[1];
typedef real d_classify_dense1_t[2];
typedef real d_classify_dropout1_t[1][2][2];
typedef real d_crop_t[1][2][2];
typedef real d_A_t[6];
typedef real d_h_t[3];
typedef real d_h_total_t[3];
typedef real h_gates_t[3][3];
typedef real d_h_from_input_t[9];
typedef real d_h_from_state_t[9];
typedef real d_h_2_t[3];
typedef real d_h_3_t[3];
typedef real d_h_total_2_t[3];
typedef real d_h_from_input_2_t[9];

/* Slices that are longer than their tensor: they are padded to whole vectors. */
typedef struct { digits_t of; unsigned char padding[120]; } digits_slot;

/* ==== 2 parameters =============================================================================================== */

/* Axes in PyTorch's order. */
#define ALIGNED _Alignas(16 * sizeof(real))
typedef struct {
    ALIGNED real h_weight_ih[9][16];
    ALIGNED real h_bias_ih[9];
    ALIGNED real h_weight_hh[9][3];
    ALIGNED real A_weight[6][3];
    ALIGNED real A_bias[6];
    ALIGNED real classify_dense1_weight[2][4];
    ALIGNED real classify_dense1_bias[2];
    ALIGNED real h_init[3];
} Weights;
enum { BLOCK = sizeof(Weights) / sizeof(real) };
_Static_assert(BLOCK == 288, "the plan and the struct agree");

enum { STATES = 1 };     /* blocks of numbers that rmsprop keeps beside the weights */
static Weights *weights, *gradient, *state[STATES];
static int threads;

/* Dropout rates, which a run may set: train --set NAME=RATE. */
static double classify_dropout1_rate = 0.5;     /* classify.dropout1.rate */

/* ==== 3 operators ================================================================================================ */

/* ---- load_image: load ------------------------------------ recurrent.yaml:5
 *   1x4x4 */
/* y = x */
static void load_image_forward(real *y, const void *row)
{
    const float *x = row;
    for (int i = 0; i < 16; i++)
        y[i] = x[i];
}

/* ---- load_digits: labels --------------------------------- recurrent.yaml:6
 *   2 */
/* y[p] = label p of the example */
static void load_digits_forward(digits_t y, const void *row)
{
    enum { P = 2 };
    const int32_t *label = row;
    for (int p = 0; p < P; p++)
        y[p] = label[p];
}

/* ---- h_from_input: dense --------------------------------- recurrent.yaml:15
 *   1x4x4 -> 9    153 parameters    144 multiply-adds an example */
/* y[m] = b[m] + sum over k of w[m][k] x[k] */
static void h_from_input_forward(h_from_input_t y, real *x, real w[9][16], real b[9])
{
    enum { M = 9, IN = 16 };
    for (int m = 0; m < M; m++) {
        real s = b[m];
        for (int k = 0; k < IN; k++) s += w[m][k] * x[k];
        y[m] = s;
    }
}

/* dw[m][k] += dy[m] x[k], db[m] += dy[m] */
static void h_from_input_weights(real dw[9][16], real db[9], h_from_input_t dy, real *x)
{
    enum { M = 9, IN = 16 };
    for (int m = 0; m < M; m++) {
        db[m] += dy[m];
        for (int k = 0; k < IN; k++) dw[m][k] += dy[m] * x[k];
    }
}

/* ---- h_start: broadcast ---------------------------------- recurrent.yaml:13
 *   3 */
/* y = p */
static void h_start_forward(real *y, real *p)
{
    memcpy(y, p, 3 * sizeof(real));
}

/* dp = sum of dy over the examples: this one's is added. */
static void h_start_weights(real *dp, real *dy)
{
    for (int i = 0; i < 3; i++)
        dp[i] += dy[i];
}

/* ---- h_from_state: dense --------------------------------- recurrent.yaml:15
 *   3 -> 9    27 parameters    27 multiply-adds an example */
/* y[m] = sum over k of w[m][k] x[k] */
static void h_from_state_forward(h_from_state_t y, real *x, real w[9][3])
{
    enum { M = 9, IN = 3 };
    for (int m = 0; m < M; m++) {
        real s = 0;
        for (int k = 0; k < IN; k++) s += w[m][k] * x[k];
        y[m] = s;
    }
}

/* dx[k] = sum over m of w[m][k] dy[m] */
static void h_from_state_backward(real *dx, h_from_state_t dy, real w[9][3])
{
    enum { M = 9, IN = 3 };
    for (int k = 0; k < IN; k++) dx[k] = 0;
    for (int m = 0; m < M; m++)
        for (int k = 0; k < IN; k++) dx[k] += w[m][k] * dy[m];
}

/* dw[m][k] += dy[m] x[k] */
static void h_from_state_weights(real dw[9][3], h_from_state_t dy, real *x)
{
    enum { M = 9, IN = 3 };
    for (int m = 0; m < M; m++) {
        for (int k = 0; k < IN; k++) dw[m][k] += dy[m] * x[k];
    }
}

/* ---- h: gru_gates ---------------------------------------- recurrent.yaml:15
 *   9, 9, 3 -> 3 */
/* xw = W_i x and hw = W_h h with their biases, 3H numbers each, in the order r, z, n:
 *   r = sigmoid(xw_r + hw_r)     how much of the state the new value sees
 *   z = sigmoid(xw_z + hw_z)     how much of the state stays
 *   n = tanh(xw_n + r hw_n)      the new value
 *   h' = (1 - z) n + z h
 * r, z and n are kept in `gates` for the gradient. */
static void h_forward(h_t h, h_gates_t gates, h_from_input_t xw, h_from_state_t hw, h_t before)
{
    enum { H = 3 };
    for (int i = 0; i < H; i++) {
        real r = r_sigmoid(xw[i] + hw[i]);
        real z = r_sigmoid(xw[H + i] + hw[H + i]);
        real n = r_tanh(xw[2 * H + i] + r * hw[2 * H + i]);
        h[i] = (1 - z) * n + z * before[i];
        gates[0][i] = r;
        gates[1][i] = z;
        gates[2][i] = n;
    }
}

/* The gradient, back through the lines of forward, last to first; da_r, da_z and da_n are the gradients of what stands
 * inside of sigmoid, sigmoid and tanh.
 * dbefore is only the direct path, z dh: the one through W_h comes with hw's gradient. */
static void h_backward(h_from_input_t dxw, h_from_state_t dhw, h_t dbefore, h_t dh, h_gates_t gates, h_from_state_t hw,
    h_t before)
{
    enum { H = 3 };
    for (int i = 0; i < H; i++) {
        real r = gates[0][i], z = gates[1][i], n = gates[2][i];
        real da_n = dh[i] * (1 - z) * (1 - n * n);
        real da_z = dh[i] * (before[i] - n) * z * (1 - z);
        real da_r = da_n * hw[2 * H + i] * r * (1 - r);
        dxw[i] = dhw[i] = da_r;
        dxw[H + i] = dhw[H + i] = da_z;
        dxw[2 * H + i] = da_n;
        dhw[2 * H + i] = da_n * r;
        dbefore[i] = dh[i] * z;
    }
}

/* ---- A: dense -------------------------------------------- recurrent.yaml:16
 *   3 -> 6    24 parameters    18 multiply-adds an example */
/* y[m] = b[m] + sum over k of w[m][k] x[k] */
static void A_forward(A_t y, real *x, real w[6][3], real b[6])
{
    enum { M = 6, IN = 3 };
    for (int m = 0; m < M; m++) {
        real s = b[m];
        for (int k = 0; k < IN; k++) s += w[m][k] * x[k];
        y[m] = s;
    }
}

/* dx[k] = sum over m of w[m][k] dy[m] */
static void A_backward(real *dx, A_t dy, real w[6][3])
{
    enum { M = 6, IN = 3 };
    for (int k = 0; k < IN; k++) dx[k] = 0;
    for (int m = 0; m < M; m++)
        for (int k = 0; k < IN; k++) dx[k] += w[m][k] * dy[m];
}

/* dw[m][k] += dy[m] x[k], db[m] += dy[m] */
static void A_weights(real dw[6][3], real db[6], A_t dy, real *x)
{
    enum { M = 6, IN = 3 };
    for (int m = 0; m < M; m++) {
        db[m] += dy[m];
        for (int k = 0; k < IN; k++) dw[m][k] += dy[m] * x[k];
    }
}

/* ---- crop: spn ------------------------------------------- recurrent.yaml:17
 *   1x4x4, 6 -> 1x2x2 */
/* The grid: where the columns (x) and the rows (y) of the output lie, the image's corners being at -1 and 1. */
static const real crop_x[2] = {
    -1, 1,
};
static const real crop_y[2] = {
    -1, 1,
};

/* y[c][i][j] = image[c] read at the point
 *   x_s = A[0] x[j] + A[1] y[i] + A[2]
 *   y_s = A[3] x[j] + A[4] y[i] + A[5]
 * between the two rows and two columns of pixels around it (sampler.h; BORDER_ZERO). */
static void crop_forward(crop_t y, image_t image, A_t A)
{
    enum { C = 1, H = 4, W = 4, Ho = 2, Wo = 2 };
    for (int i = 0; i < Ho; i++)
        for (int j = 0; j < Wo; j++) {
            real gx = crop_x[j], gy = crop_y[i];
            SamplerAxisOne column = sampler_axis_one(A[0] * gx + (A[1] * gy + A[2]), W, BORDER_ZERO);
            SamplerAxisOne row = sampler_axis_one(A[3] * gx + (A[4] * gy + A[5]), H, BORDER_ZERO);
            for (int c = 0; c < C; c++) {
                real upper = column.weight_low * image[c][row.low][column.low]
                           + column.weight_high * image[c][row.low][column.high];
                real lower = column.weight_low * image[c][row.high][column.low]
                           + column.weight_high * image[c][row.high][column.high];
                y[c][i][j] = row.weight_low * upper + row.weight_high * lower;
            }
        }
}

/* Each output gives its gradient to the point it was read at, by the slopes of the pixels' weights; the point gives it
 * to A: dA[0] = sum of du x[j], dA[1] = sum of du y[i], dA[2] = sum of du, and so on for dv, where u and v are its
 * column and row in pixels and du / dx_s is a constant. */
static void crop_backward(A_t dA, crop_t dy, image_t image, A_t A)
{
    enum { C = 1, H = 4, W = 4, Ho = 2, Wo = 2 };
    memset(dA, 0, sizeof(A_t));
    for (int i = 0; i < Ho; i++)
        for (int j = 0; j < Wo; j++) {
            real gx = crop_x[j], gy = crop_y[i];
            SamplerAxisOne column = sampler_axis_one(A[0] * gx + (A[1] * gy + A[2]), W, BORDER_ZERO);
            SamplerAxisOne row = sampler_axis_one(A[3] * gx + (A[4] * gy + A[5]), H, BORDER_ZERO);
            real du = 0, dv = 0;
            for (int c = 0; c < C; c++) {
                real d = dy[c][i][j];
                const real a = image[c][row.low][column.low], b = image[c][row.low][column.high];          /* a b */
                const real e = image[c][row.high][column.low], f = image[c][row.high][column.high];        /* e f */
                du += d * (row.weight_low * (column.slope_low * a + column.slope_high * b)
                         + row.weight_high * (column.slope_low * e + column.slope_high * f));
                dv += d * (row.slope_low * (column.weight_low * a + column.weight_high * b)
                         + row.slope_high * (column.weight_low * e + column.weight_high * f));
            }
            dA[0] += du * gx, dA[1] += du * gy, dA[2] += du;
            dA[3] += dv * gx, dA[4] += dv * gy, dA[5] += dv;
        }
    dA[0] *= sampler_scale(W, BORDER_ZERO), dA[3] *= sampler_scale(H, BORDER_ZERO);
    dA[1] *= sampler_scale(W, BORDER_ZERO), dA[4] *= sampler_scale(H, BORDER_ZERO);
    dA[2] *= sampler_scale(W, BORDER_ZERO), dA[5] *= sampler_scale(H, BORDER_ZERO);
}

/* The pixels that every sample fell on. */
static uint64_t crop_decisions(uint64_t hash, A_t A)
{
    enum { H = 4, W = 4, Ho = 2, Wo = 2 };
    for (int i = 0; i < Ho; i++)
        for (int j = 0; j < Wo; j++) {
            real gx = crop_x[j], gy = crop_y[i];
            hash = decide(hash, (uint64_t)sampler_cell(A[0] * gx + (A[1] * gy + A[2]), W, BORDER_ZERO));
            hash = decide(hash, (uint64_t)sampler_cell(A[3] * gx + (A[4] * gy + A[5]), H, BORDER_ZERO));
        }
    return hash;
}

/* ---- classify_dropout1: dropout -------------------------- recurrent.yaml:9
 *   1x2x2 -> 1x2x2 */
/* y = x / (1 - rate) where the mask keeps the element, else 0; without dropout d.scale is 1.  `lane` is the example's
 * place in its group of 16: the masks are those of the fast form. */
static void classify_dropout1_forward(real *y, real *x, Dropout d, int lane)
{
    for (int i = 0; i < 4; i++) {
        int kept = !d.on || rng_keep_one(d.key, (uint32_t)i, lane, d.keep);
        y[i] = kept ? x[i] * d.scale : 0;
    }
}

/* dx = dy under the same mask, drawn again from the same key. */
static void classify_dropout1_backward(real *dx, real *dy, Dropout d, int lane)
{
    for (int i = 0; i < 4; i++) {
        int kept = !d.on || rng_keep_one(d.key, (uint32_t)i, lane, d.keep);
        dx[i] = kept ? dy[i] * d.scale : 0;
    }
}

/* ---- classify_dense1: dense ------------------------------ recurrent.yaml:10
 *   1x2x2 -> 2    10 parameters    8 multiply-adds an example */
/* y[m] = b[m] + sum over k of w[m][k] x[k] */
static void classify_dense1_forward(classify_dense1_t y, real *x, real w[2][4], real b[2])
{
    enum { M = 2, IN = 4 };
    for (int m = 0; m < M; m++) {
        real s = b[m];
        for (int k = 0; k < IN; k++) s += w[m][k] * x[k];
        y[m] = s;
    }
}

/* dx[k] = sum over m of w[m][k] dy[m] */
static void classify_dense1_backward(real *dx, classify_dense1_t dy, real w[2][4])
{
    enum { M = 2, IN = 4 };
    for (int k = 0; k < IN; k++) dx[k] = 0;
    for (int m = 0; m < M; m++)
        for (int k = 0; k < IN; k++) dx[k] += w[m][k] * dy[m];
}

/* dw[m][k] += dy[m] x[k], db[m] += dy[m] */
static void classify_dense1_weights(real dw[2][4], real db[2], classify_dense1_t dy, real *x)
{
    enum { M = 2, IN = 4 };
    for (int m = 0; m < M; m++) {
        db[m] += dy[m];
        for (int k = 0; k < IN; k++) dw[m][k] += dy[m] * x[k];
    }
}

/* ---- cross_entropy1: cross_entropy ----------------------- recurrent.yaml:19
 *   2, 2 -> 1 */
/* With p = softmax(x) and y the label,
 *   loss = sum over the P positions of -log p_y, where -log p_y = log(sum over k of exp(x_k - m)) - (x_y - m)
 * m = max x keeps exp from overflowing and changes nothing else. */
static void cross_entropy1_forward(real *loss, real *x, int32_t *label)
{
    enum { P = 1, K = 2 };
    *loss = 0;
    for (int p = 0; p < P; p++, x += K) {
        real m = x[0], sum = 0;
        for (int k = 1; k < K; k++)
            m = r_max(m, x[k]);
        for (int k = 0; k < K; k++)
            sum += r_exp(x[k] - m);
        *loss += r_log(sum) - (x[label[p]] - m);
    }
}

/* dx_k = scale (p_k - [k = y]). */
static void cross_entropy1_backward(real *dx, real *x, int32_t *label, real scale, int present)
{
    enum { P = 1, K = 2 };
    for (int p = 0; p < P; p++, x += K, dx += K) {
        real m = x[0], sum = 0;
        for (int k = 1; k < K; k++)
            m = r_max(m, x[k]);
        for (int k = 0; k < K; k++)
            sum += dx[k] = r_exp(x[k] - m);
        real pull = present ? scale : 0;
        for (int k = 0; k < K; k++)
            dx[k] = pull * (dx[k] / sum - (k == label[p]));
    }
}

/* ---- zero_3: fill ---------------------------------------- recurrent.yaml
 *   3
 *   of v.d_h_2 (line 15), v.d_h_3 (line 15) */
/* y = 0 */
static void zero_3_forward(real *y)
{
    for (int i = 0; i < 3; i++)
        y[i] = (real)0;
}

/* ---- sum_d_h_total: sum ---------------------------------- recurrent.yaml:13
 *   3, 3, 3 -> 3 */
/* y = x1 + x2 + x3 */
static inline real sum_d_h_total_value(real x1, real x2, real x3)
{
    return x1 + x2 + x3;
}

static void sum_d_h_total_forward(real *y, real *x1, real *x2, real *x3)
{
    for (int i = 0; i < 3; i++) {
        y[i] = sum_d_h_total_value(x1[i], x2[i], x3[i]);
    }
}

/* ---- sum_d_h_total_2: sum -------------------------------- recurrent.yaml:13
 *   3, 3 -> 3 */
/* y = x1 + x2 */
static inline real sum_d_h_total_2_value(real x1, real x2)
{
    return x1 + x2;
}

static void sum_d_h_total_2_forward(real *y, real *x1, real *x2)
{
    for (int i = 0; i < 3; i++) {
        y[i] = sum_d_h_total_2_value(x1[i], x2[i]);
    }
}

/* ---- sum_d_h_from_input_2: sum_steps --------------------- recurrent.yaml:15
 *   9 -> 9 */
/* y = x of step 0 + x of step 1 + ... in that order; a step lies N examples after the one before. */
static void sum_d_h_from_input_2_forward(d_h_from_input_2_t y, d_h_from_input_t *x)
{
    enum { T = 2 };
    real *sum = (real *)y;
    for (int i = 0; i < 9; i++) {
        sum[i] = 0;
        for (int t = 0; t < T; t++)
            sum[i] += ((real *)&x[t * 16])[i];
    }
}

/* ==== 4 memory =================================================================================================== */

/* One block for the batch, planned for forward and backward together: a place is used again when its value has been
 * read for the last time.  v.NAME[s] is the value of slice s: example n, or at step t of a repeat s = t * N + n.
 * Of each tensor: its slices, its shape, where a gradient comes from, its place, and what else has some of that place
 * at other times. */
static real *memory;
#define MEMORY ((size_t)2096)     /* reals */
#define SCRATCH ((size_t)32)     /* reals of each thread */
static struct {
    h_from_input_t *h_from_input;           /* [0 .. N)  9: reals 576 to 720, 1.1 KiB; with A, d_h_from_input */
    image_t *image;                         /* [0 .. N)  1x4x4: reals 1152 to 1408, 2.0 KiB */
    digits_slot *digits;                    /* [0 .. N)  2: reals 1408 to 1664, 2.0 KiB */
    h_t *h;                                 /* [-N .. 2N)  3: reals 1664 to 1808, 1.1 KiB, [0] at 1712 */
    h_from_state_t *h_from_state;           /* [0 .. 2N)  9: reals 0 to 288, 2.2 KiB */
    h_gates_t *h_gates;                     /* [0 .. 2N)  3x3: reals 288 to 576, 2.2 KiB */
    A_t *A;
        /* [0 .. 2N)  6: reals 576 to 768, 1.5 KiB; with h_from_input, d_h_from_input */
    crop_t *crop;
        /* [0 .. 2N)  1x2x2: reals 768 to 896, 1.0 KiB; with d_h_from_input, d_h_from_state */
    classify_dropout1_t *classify_dropout1; /* [0 .. 2N)  1x2x2: reals 896 to 1024, 1.0 KiB; with d_h_from_state */
    classify_dense1_t *classify_dense1;     /* [0 .. 2N)  2: reals 1904 to 1968, 512 bytes */
    loss1_t *loss1;                         /* [0 .. 2N)  1: reals 2064 to 2096, 256 bytes */
    d_h_t *d_h;                             /* [0 .. 2N)  3: by A; reals 1808 to 1904, 768 bytes */
    d_h_2_t *d_h_2;                         /* [0 .. N)  3: by h, for the step before; reals 1968 to 2016, 384 bytes */
    d_h_3_t *d_h_3;
        /* [0 .. N)  3: by h_from_state, for the step before; reals 2016 to 2064, 384 bytes */
    d_h_from_input_t *d_h_from_input;
        /* [0 .. 2N)  9: by h; reals 576 to 864, 2.2 KiB; with h_from_input, A, crop */
    d_h_from_state_t *d_h_from_state;
        /* [0 .. 2N)  9: by h; reals 864 to 1152, 2.2 KiB; with crop, classify_dropout1 */
} v;

/* What lives only within one example's phase: in the scratch of its thread, planned as the block is. */
typedef struct {
    d_classify_dense1_t *d_classify_dense1;
        /* 2: by cross_entropy1; reals 0 to 16, 128 bytes; with d_crop, d_h_total, d_h_total_2, d_h_from_input_2 */
    d_crop_t *d_crop;
        /* 1x2x2: by classify_dropout1; reals 0 to 16, 128 bytes; with d_classify_dense1, d_h_total, d_h_total_2,
         * d_h_from_input_2 */
    d_classify_dropout1_t *d_classify_dropout1; /* 1x2x2: by classify_dense1; reals 16 to 32, 128 bytes; with d_A */
    d_A_t *d_A;                             /* 6: by crop; reals 16 to 32, 128 bytes; with d_classify_dropout1 */
    d_h_total_t *d_h_total;
        /* 3: d_h + d_h_2 of the next step + d_h_3 of the next step; reals 0 to 16, 128 bytes; with d_classify_dense1,
         * d_crop, d_h_total_2, d_h_from_input_2 */
    d_h_total_2_t *d_h_total_2;
        /* 3: d_h_2 + d_h_3; reals 0 to 16, 128 bytes; with d_classify_dense1, d_crop, d_h_total, d_h_from_input_2 */
    d_h_from_input_2_t *d_h_from_input_2;
        /* 9: d_h_from_input of all steps; reals 0 to 16, 128 bytes; with d_classify_dense1, d_crop, d_h_total,
         * d_h_total_2 */
} Scratch;
static real *scratch_memory;
static Scratch *scratches;      /* one a thread */
static inline const Scratch *scratch_of_thread(void) { return &scratches[omp_get_thread_num()]; }

/* Lays the tensors into the memory. */
static void lay_out(void)
{
    v.h_from_input = (void *)(memory + 576);
    v.image = (void *)(memory + 1152);
    v.digits = (void *)(memory + 1408);
    v.h = (void *)(memory + 1712);
    v.h_from_state = (void *)memory;
    v.h_gates = (void *)(memory + 288);
    v.A = (void *)(memory + 576);
    v.crop = (void *)(memory + 768);
    v.classify_dropout1 = (void *)(memory + 896);
    v.classify_dense1 = (void *)(memory + 1904);
    v.loss1 = (void *)(memory + 2064);
    v.d_h = (void *)(memory + 1808);
    v.d_h_2 = (void *)(memory + 1968);
    v.d_h_3 = (void *)(memory + 2016);
    v.d_h_from_input = (void *)(memory + 576);
    v.d_h_from_state = (void *)(memory + 864);
    for (int k = 0; k < threads; k++) {
        real *at = scratch_memory + (size_t)k * SCRATCH;
        scratches[k].d_classify_dense1 = (void *)at;
        scratches[k].d_crop = (void *)at;
        scratches[k].d_classify_dropout1 = (void *)(at + 16);
        scratches[k].d_A = (void *)(at + 16);
        scratches[k].d_h_total = (void *)at;
        scratches[k].d_h_total_2 = (void *)at;
        scratches[k].d_h_from_input_2 = (void *)at;
    }
}

/* ==== 5 forward ================================================================================================== */

/* The examples one after the other; a loop over t is a repeat of the model. */
static void forward_pass(const Batch *batch)
{
    block_poison(memory, MEMORY * sizeof(real));
    block_poison(scratch_memory, (size_t)threads * SCRATCH * sizeof(real));
    for (int n = 0; n < N; n++) {
        load_image_forward((real *)v.image[n], batch->inputs[0][n < batch->count ? n : 0]);
        load_digits_forward(v.digits[n].of, batch->targets[0][n < batch->count ? n : 0]);
        h_from_input_forward(v.h_from_input[n], (real *)v.image[n], weights->h_weight_ih, weights->h_bias_ih);
        h_start_forward(v.h[n - N], weights->h_init);
    }
    for (int t = 0; t < 2; t++) {
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            h_from_state_forward(v.h_from_state[s], v.h[s - N], weights->h_weight_hh);
            h_forward(v.h[s], v.h_gates[s], v.h_from_input[n], v.h_from_state[s], v.h[s - N]);
        }
    }
    for (int t = 0; t < 2; t++)
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            A_forward(v.A[s], v.h[s], weights->A_weight, weights->A_bias);
            crop_forward(v.crop[s], v.image[n], v.A[s]);
            classify_dropout1_forward((real *)v.classify_dropout1[s], (real *)v.crop[s],
                dropout_at(batch, (DropoutUse){ .rate = classify_dropout1_rate, .ramp = 5, .place = 0, .step = t,
                .group = n / 16 }), n % 16);
            classify_dense1_forward(v.classify_dense1[s], (real *)v.classify_dropout1[s],
                weights->classify_dense1_weight, weights->classify_dense1_bias);
            cross_entropy1_forward(v.loss1[s], v.classify_dense1[s], v.digits[n].of + t);
        }
}

/* The mean of loss1, cross_entropy, over the examples and positions that are there, added up in order. */
static double loss1_mean(const Batch *batch)
{
    double sum = 0;
    for (int s = 0; s < 2 * N; s++)
        if (s % N < batch->count)
            sum += v.loss1[s][0];
    return sum / ((double)batch->count * 2);
}

/* The loss; each: of each term, before its weight; NULL: nowhere. */
static double loss(const Batch *batch, double *each)
{
    const double means[] = { loss1_mean(batch) };
    if (each)
        memcpy(each, means, sizeof means);
    return means[0];
}

/* ==== 6 backward ================================================================================================= */

/* The gradients of all that forward_pass computed, the last first; a loop over t counts down.  At t = 0 the gradient of
 * a state's start comes out like that of any step before; where the start is not trained, nothing reads it. */
static void backward_pass(const Batch *batch)
{
    real loss1_scale = (real)(1 / ((double)batch->count * 2));
    const Scratch *scratch = scratch_of_thread();
    memset(gradient, 0, sizeof *gradient);
    for (int t = 0; t < 2; t++)
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            cross_entropy1_backward(*scratch->d_classify_dense1, v.classify_dense1[s], v.digits[n].of + t, loss1_scale,
                n < batch->count);
            classify_dense1_weights(gradient->classify_dense1_weight, gradient->classify_dense1_bias,
                *scratch->d_classify_dense1, (real *)v.classify_dropout1[s]);
            classify_dense1_backward((real *)*scratch->d_classify_dropout1, *scratch->d_classify_dense1,
                weights->classify_dense1_weight);
            classify_dropout1_backward((real *)*scratch->d_crop, (real *)*scratch->d_classify_dropout1,
                dropout_at(batch, (DropoutUse){ .rate = classify_dropout1_rate, .ramp = 5, .place = 0, .step = t,
                .group = n / 16 }), n % 16);
            crop_backward(*scratch->d_A, *scratch->d_crop, v.image[n], v.A[s]);
            A_weights(gradient->A_weight, gradient->A_bias, *scratch->d_A, v.h[s]);
            A_backward(v.d_h[s], *scratch->d_A, weights->A_weight);
        }
    for (int n = 0; n < N; n++) {
        zero_3_forward(v.d_h_2[n]);
        zero_3_forward(v.d_h_3[n]);
    }
    for (int t = 1; t >= 0; t--) {
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            sum_d_h_total_forward(*scratch->d_h_total, v.d_h[s], v.d_h_2[n], v.d_h_3[n]);
            h_backward(v.d_h_from_input[s], v.d_h_from_state[s], v.d_h_2[n], *scratch->d_h_total, v.h_gates[s],
                v.h_from_state[s], v.h[s - N]);
            h_from_state_backward(v.d_h_3[n], v.d_h_from_state[s], weights->h_weight_hh);
        }
    }
    for (int t = 0; t < 2; t++)
        for (int n = 0; n < N; n++) {
            int s = t * N + n;
            h_from_state_weights(gradient->h_weight_hh, v.d_h_from_state[s], v.h[s - N]);
        }
    for (int n = 0; n < N; n++) {
        sum_d_h_total_2_forward(*scratch->d_h_total_2, v.d_h_2[n], v.d_h_3[n]);
        h_start_weights(gradient->h_init, *scratch->d_h_total_2);
    }
    for (int n = 0; n < N; n++) {
        sum_d_h_from_input_2_forward(*scratch->d_h_from_input_2, v.d_h_from_input + n);
        h_from_input_weights(gradient->h_weight_ih, gradient->h_bias_ih, *scratch->d_h_from_input_2,
            (real *)v.image[n]);
    }
}

/* ==== 7 update =================================================================================================== */

/* The parameters: shape, place in the block, the rule of their start and its number. */
static const NetParam params[] = {
    { "h.weight_ih", .rank = 2, .shape = { 9, 16 }, .layout = EXPORTED, .offset = 0, .count = 144, .init = INIT_NORMAL,
        .init_value = 0.1, .yaml_line = 15 },
    { "h.bias_ih", .rank = 1, .shape = { 9 }, .layout = EXPORTED, .offset = 144, .count = 9, .init = INIT_CONSTANT,
        .init_value = 0, .yaml_line = 15 },
    { "h.weight_hh", .rank = 2, .shape = { 9, 3 }, .layout = EXPORTED, .offset = 160, .count = 27, .init = INIT_NORMAL,
        .init_value = 0.1, .yaml_line = 15 },
    { "A.weight", .rank = 2, .shape = { 6, 3 }, .layout = EXPORTED, .offset = 192, .count = 18, .init = INIT_CONSTANT,
        .init_value = 0, .yaml_line = 16 },
    { "A.bias", .rank = 1, .shape = { 6 }, .layout = EXPORTED, .offset = 224, .count = 6, .init = INIT_IDENTITY_AFFINE,
        .init_value = 0, .yaml_line = 16 },
    { "classify.dense1.weight", .rank = 2, .shape = { 2, 4 }, .layout = EXPORTED, .offset = 240, .count = 8,
        .init = INIT_UNIFORM, .init_value = 1, .yaml_line = 10 },
    { "classify.dense1.bias", .rank = 1, .shape = { 2 }, .layout = EXPORTED, .offset = 256, .count = 2,
        .init = INIT_CONSTANT, .init_value = 0, .yaml_line = 10 },
    { "h.init", .rank = 1, .shape = { 3 }, .layout = EXPORTED, .offset = 272, .count = 3, .init = INIT_CONSTANT,
        .init_value = 0, .yaml_line = 13 },
};
enum { PARAMS = sizeof params / sizeof *params };
static OptimiserNorm *row_sums;     /* of the gradient, by rows of parameters: parts of its norm */

/* One step of rmsprop, with the settings in recurrent-train.c.  Called by all threads; returns the norm of the gradient
 * before clipping. */
static double update_pass(double rate, uint64_t update_count)
{
    OptimiserBlocks blocks = { .weights = (real *)weights, .gradient = (real *)gradient, .n = BLOCK, .params = params,
        .param_count = PARAMS, .row_sums = row_sums };
    for (int k = 0; k < STATES; k++)
        blocks.state[k] = (real *)state[k];
    return optimiser_update(&blocks, rate, update_count);
}

/* ==== 8 for the trainer ========================================================================================== */

static double net_forward(const Batch *batch, double *each)
{
    #pragma omp parallel num_threads(threads)
    forward_pass(batch);
    return loss(batch, each);
}

static void net_backward(const Batch *batch)
{
    #pragma omp parallel num_threads(threads)
    backward_pass(batch);
}

static double net_update(double rate, uint64_t update_count)
{
    double norm = 0;
    #pragma omp parallel num_threads(threads)
    {
        double n = update_pass(rate, update_count);
        #pragma omp single
        norm = n;
    }
    return norm;
}

/* The loss is looked at before the update: if it is not finite, or data could not be read, nothing changes. */
static double net_step(const Batch *batch, double rate, uint64_t update_count, double *norm)
{
    double total = 0;
    int sound = 0;
    *norm = NAN;
    #pragma omp parallel num_threads(threads)
    {
        forward_pass(batch);
        #pragma omp single
        {
            total = loss(batch, NULL);
            sound = isfinite(total) && !(batch->unread && batch->unread());
        }
        if (sound) {
            backward_pass(batch);
            double n = update_pass(rate, update_count);
            #pragma omp single
            *norm = n;
        }
    }
    return total;
}

/* Which units were on, which pixels won or were read: see decide.h. */
static uint64_t net_decisions(void)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (int s = 0; s < 2 * N; s++)
        hash = crop_decisions(hash, v.A[s]);
    return hash;
}

/* net_replay and net_profile, the same calls looked at or timed, and `rows`, which names them. */
#include "recurrent_inspect.c"

static void net_close(void)
{
    free(memory), free(scratch_memory), free(scratches), free(weights), free(gradient), free(row_sums);
    memory = NULL;
    scratch_memory = NULL;
    scratches = NULL;
    weights = gradient = NULL;
    row_sums = NULL;
    for (int k = 0; k < STATES; k++)
        free(state[k]), state[k] = NULL;
}

static int net_open(int count)
{
    threads = 1;
    (void)count;                /* the plain form is for reading and stepping through: one thread */
    memory = block_new(MEMORY * sizeof(real));
    scratch_memory = block_new((size_t)threads * SCRATCH * sizeof(real));
    scratches = malloc((size_t)threads * sizeof *scratches);
    weights = block_new(sizeof *weights), gradient = block_new(sizeof *gradient);
    row_sums = malloc((optimiser_all_rows(params, PARAMS) + 1) * sizeof *row_sums);
    int all = memory && scratch_memory && scratches && weights && gradient && row_sums;
    for (int k = 0; k < STATES; k++)
        all = (state[k] = block_new(sizeof *state[k])) && all;
    if (!all) {
        net_close();
        return -1;
    }
    lay_out();
    return 0;
}

/* The learning rate of update number `update` of the run, with `updates` an epoch.  A schedule that depends on how many
 * epochs there are takes the model's, so that a run which ends sooner, or goes on, has the same rates. */
static double net_rate(const NetTraining *t, int epoch, uint64_t update, uint64_t updates)
{
    double rate = schedule_divide(t->rate, epoch, net_training.epochs, t->schedule[0], t->schedule[1], t->schedule[2]);
    return schedule_warm_up(rate, t->schedule[3], update, updates);
}

static real *net_weights(void) { return (real *)weights; }
static real *net_gradients(void) { return (real *)gradient; }
static real *net_state(int k) { return (real *)state[k]; }
static real *net_activations(void) { return memory; }

/* What stands for one example in the data. */
static const NetData inputs[] = {
    { "image", F32, .rank = 3, .shape = { 1, 4, 4 }, .count = 16 },
};

static const NetData targets[] = {
    { "digits", LABELS, .rank = 1, .shape = { 2 }, .count = 2, .classes = 2 },
};

/* The names of the flow. */
static const NetValue values[] = {
    { "h", .steps = 2, .rank = 1, .shape = { 3 }, .count = 3, .offset = 1712, .slot = 3 },
    { "A", .steps = 2, .rank = 1, .shape = { 6 }, .count = 6, .offset = 576, .slot = 6, .transform = 1, .output = 1 },
    { "crop", .steps = 2, .rank = 3, .shape = { 1, 2, 2 }, .count = 4, .offset = 768, .slot = 4 },
    { "digit", .steps = 2, .rank = 1, .shape = { 2 }, .count = 2, .offset = 1904, .slot = 2, .output = 1 },
};

/* The terms of the loss. */
static const NetLoss losses[] = {
    /* cross_entropy */
    { SHOWS_WRONG, GROWS_EVENLY, .value = 3, .target = 0, .positions = 2, .weight = 1, .yaml_line = 19, .inner = 1 },
};

/* The dropout rates that a run may set.  One without a variable is 0 in the model, and its layers are left out. */
static const NetRate rates[] = {
    { "classify.dropout1.rate", .rate = &classify_dropout1_rate, .factor = 1 },
};

/* The numbers of the schedule, which a run may set: train --set NAME=NUMBER. */
static const NetSetting schedule[] = {
    { "train.divide", .what = "what the rate is divided by each time" },
    { "train.first", .whole = 1, .zero = 1, .what = "the first epoch (from 0) that has a divided rate" },
    { "train.every", .whole = 1, .zero = 1, .what = "epochs from one division to the next" },
    { "train.warm_up", .zero = 1,
        .what = "epochs in which the rate rises evenly, update by update; what the schedule says is multiplied by it" },
};

const Net net = {
    .name = "recurrent",
    .about = "",
    .source = "tests/golden/recurrent.yaml",
    .target = "generic",
    .precision = "double",
    .form = "plain",
    .signature = "20cf2ff899f212d2",
    .hash = net_hash,
    .settings = net_settings,
    .yaml = net_yaml,
    .onnx = net_onnx,
    .batch = N,
    .lanes = 1,
    .groups = N,
    .params = params,
    .param_count = PARAMS,
    .inputs = inputs,
    .input_count = 1,
    .targets = targets,
    .target_count = 1,
    .values = values,
    .value_count = 4,
    .losses = losses,
    .loss_count = 1,
    .training = &net_training,
    .schedule = schedule,
    .schedule_count = sizeof schedule / sizeof *schedule,
    .rates = rates,
    .rate_count = sizeof rates / sizeof *rates,
    .block = BLOCK,
    .state_blocks = STATES,
    .activation_reals = MEMORY,
    .thread_reals = SCRATCH,
    .forward_macs = 250,
    .backward_macs = 356,
    .open = net_open,
    .close = net_close,
    .weights = net_weights,
    .gradients = net_gradients,
    .state = net_state,
    .activations = net_activations,
    .rate = net_rate,
    .forward = net_forward,
    .backward = net_backward,
    .step = net_step,
    .update = net_update,
    .decisions = net_decisions,
    .replay = net_replay,
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .profile = net_profile,
};
