/* SPDX-License-Identifier: 0BSD */
/* recurrent.c -- made by spnc from tests/golden/recurrent.yaml.  Edit that, not this.
 * params: steps=2
 *
 *   1 sizes   2 parameters (217)   3 operators   4 memory   5 forward   6 backward   7 update   8 for the trainer
 *
 * Sixteen examples lie side by side in the lanes of a vector (a group); every tensor is [channel][row][column][L] of
 * one group, and every sum has one fixed order, so that the bits do not depend on threads, compiler or vector width.
 * NAME_forward computes a layer, NAME_backward (right under it) the gradient of its input from the gradient of its
 * output, NAME_weights the gradient of its parameters.  The gradient of x is called d_x, of an operator's own y, x and
 * w dy, dx and dw.
 *
 * Before and behind these:
 *   NAME_transpose    lays dy out for NAME_weights, a row an example
 *   NAME_prepare      weights in the form in which forward and backward read them (NAME_u, where that is Winograd's)
 *   NAME_terms        keeps the operands of a group, of which NAME_products makes du, the gradient of u, at once
 *   NAME_finish       dw of du
 *   NAME_last         of a last group with few examples; _packed: with several tiles in a vector; _5x2: 5 by 2 sums
 *
 * Tensors: d_NAME_part is what one group adds to the gradient of NAME, NAME_winner which element a pool took, NAME_sum
 * what stands inside of an activation, d_NAME_total a sum of gradients, NAME_rows what transpose lays out, NAME_work a
 * thread's working memory. */
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

enum { N = 16, G = 1 };     /* examples in a batch; groups of L = 16 lanes that hold them */

typedef real h_t[3][L];
typedef real image_t[1][4][4][L];
typedef real h_from_input_t[9][L];
typedef real h_from_state_t[9][L];
typedef real A_t[6][L];
typedef real crop_t[1][2][2][L];
typedef real classify_dropout1_t[1][2][2][L];
typedef real classify_dense1_t[2][L];
typedef int32_t digits_t[2][L];
typedef real loss1_t[L];
typedef real d_classify_dense1_t[2][L];
typedef real d_classify_dropout1_t[1][2][2][L];
typedef real d_crop_t[1][2][2][L];
typedef real d_A_t[6][L];
typedef real d_h_t[3][L];
typedef real d_h_total_t[3][L];
typedef real h_gates_t[4][3][L];
typedef real d_h_from_input_t[9][L];
typedef real d_h_from_state_t[9][L];
typedef real d_h_2_t[3][L];
typedef real d_h_3_t[3][L];
typedef real d_h_total_2_t[3][L];
typedef real d_h_init_part_t[3];
typedef real d_h_from_input_2_t[9][L];
typedef real crop_slopes_t[2][1][2][2][L];

/* Slices that are longer than their tensor: they are padded to whole vectors. */
typedef struct { d_h_init_part_t of; unsigned char padding[52]; } d_h_init_part_slot;

/* ==== 2 parameters =============================================================================================== */

/* Axes in PyTorch's order, but a dense layer's weight is [in][out]; its rows and biases are rounded up to whole
 * vectors. */
#define ALIGNED _Alignas(16 * sizeof(real))
typedef struct {
    ALIGNED real h_weight_ih[16][16];
    ALIGNED real h_bias_ih[16];
    ALIGNED real h_weight_hh[3][16];
    ALIGNED real A_weight[3][16];
    ALIGNED real A_bias[16];
    ALIGNED real classify_dense1_weight[4][16];
    ALIGNED real classify_dense1_bias[16];
    ALIGNED real h_init[16];
} Weights;
enum { BLOCK = sizeof(Weights) / sizeof(real) };
_Static_assert(BLOCK == 480, "the plan and the struct agree");

enum { STATES = 1 };     /* blocks of numbers that rmsprop keeps beside the weights */
static Weights *weights, *gradient, *state[STATES];
static int threads;

/* Dropout rates, which a run may set: train --set NAME=RATE. */
static double classify_dropout1_rate = 0.5;     /* classify.dropout1.rate */

/* ==== 3 operators ================================================================================================ */

/* ---- load_image: load ------------------------------------ recurrent.yaml:5
 *   1x4x4 */
/* y = x.  Lane l has example first + l of the batch; one that is not there is example 0.
 * Sixteen elements of sixteen examples make a square: read along the examples, turned in registers, written along
 * the lanes. */
static void load_image_forward(real *y, const void *const *rows, int first, int count)
{
    vec square[L];
    for (int l = 0; l < L; l++) {
        const float *x = (const float *)rows[first + l < count ? first + l : 0];
        square[l] = v_loadu(x);
    }
    v_transpose16(square);
    for (int k = 0; k < L; k++)
        v_store(y + k * L, square[k]);
}

/* ---- load_digits: labels --------------------------------- recurrent.yaml:6
 *   2 */
/* y[p][l] = label p of example first + l of the batch; of example 0 where that is not there. */
static void load_digits_forward(digits_t y, const void *const *rows, int first, int count)
{
    enum { P = 2 };
    for (int l = 0; l < L; l++) {
        const int32_t *label = rows[first + l < count ? first + l : 0];
        for (int p = 0; p < P; p++)
            y[p][l] = label[p];
    }
}

/* ---- h_start: broadcast ---------------------------------- recurrent.yaml:13
 *   3 */
/* y = p in every lane */
static void h_start_forward(real *y, real *p)
{
    for (int i = 0; i < 3; i++)
        v_store(y + i * L, v_set1(p[i]));
}

/* dp = sum of dy over the lanes, as v_sum adds them: one group's share. */
static void h_start_weights(real *dp, real *dy)
{
    for (int i = 0; i < 3; i++)
        dp[i] = v_sum(v_load(dy + i * L));
}

/* ---- h_from_input: dense --------------------------------- recurrent.yaml:15
 *   1x4x4 -> 9    153 parameters    144 multiply-adds an example */
/* y[s][m] = b[m] + sum over k of w[k][m] x[s][k], k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 16 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void h_from_input_forward_5x1(real (*y)[L], real *panel, real *x, real *b)
{
    vec s0_0 = v_set1(b[0]), s1_0 = v_set1(b[1]), s2_0 = v_set1(b[2]), s3_0 = v_set1(b[3]), s4_0 = v_set1(b[4]);
    for (int k = 0; k < 16; k++, x += L, panel += 16) {
        vec z0 = v_keep(v_load(x));
        vec a = v_set1(panel[0]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(panel[1]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(panel[2]);
        s2_0 = v_fma(a, z0, s2_0);
        a = v_set1(panel[3]);
        s3_0 = v_fma(a, z0, s3_0);
        a = v_set1(panel[4]);
        s4_0 = v_fma(a, z0, s4_0);
    }
    v_store(y[0], s0_0); v_store(y[1], s1_0); v_store(y[2], s2_0); v_store(y[3], s3_0); v_store(y[4], s4_0);
}

static void h_from_input_forward_4x1(real (*y)[L], real *panel, real *x, real *b)
{
    vec s0_0 = v_set1(b[0]), s1_0 = v_set1(b[1]), s2_0 = v_set1(b[2]), s3_0 = v_set1(b[3]);
    for (int k = 0; k < 16; k++, x += L, panel += 16) {
        vec z0 = v_keep(v_load(x));
        vec a = v_set1(panel[0]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(panel[1]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(panel[2]);
        s2_0 = v_fma(a, z0, s2_0);
        a = v_set1(panel[3]);
        s3_0 = v_fma(a, z0, s3_0);
    }
    v_store(y[0], s0_0); v_store(y[1], s1_0); v_store(y[2], s2_0); v_store(y[3], s3_0);
}

static void h_from_input_forward(h_from_input_t *y, image_t *x, real w[16][16], real b[16])
{
    real (*xs)[16][L] = (real (*)[16][L])x;
    _Alignas(64) real panel[16][16];
    #pragma omp single nowait
    {
        for (int k = 0; k < 16; k++)
            v_store(panel[k], v_loadu(&w[k][0]));
        h_from_input_forward_5x1(&y[0][0], panel[0], xs[0][0], &b[0]);
        h_from_input_forward_4x1(&y[0][5], &panel[0][5], xs[0][0], &b[5]);
    }
}

static void h_from_input_weights_6x1(real dw[16][16], real dy[][L][16], real x[][16][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero(), s5_0 = v_zero();
    for (int l = 0, end = L; l < end; l++) {
        vec z0 = v_keep(v_load(dy[part][l]));
        vec a = v_set1(x[0][k][l]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(x[0][k + 1][l]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(x[0][k + 2][l]);
        s2_0 = v_fma(a, z0, s2_0);
        a = v_set1(x[0][k + 3][l]);
        s3_0 = v_fma(a, z0, s3_0);
        a = v_set1(x[0][k + 4][l]);
        s4_0 = v_fma(a, z0, s4_0);
        a = v_set1(x[0][k + 5][l]);
        s5_0 = v_fma(a, z0, s5_0);
    }
    v_storeu(&dw[k][m], s0_0);
    v_storeu(&dw[k + 1][m], s1_0);
    v_storeu(&dw[k + 2][m], s2_0);
    v_storeu(&dw[k + 3][m], s3_0);
    v_storeu(&dw[k + 4][m], s4_0);
    v_storeu(&dw[k + 5][m], s5_0);
}

static void h_from_input_weights_5x1(real dw[16][16], real dy[][L][16], real x[][16][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero();
    for (int l = 0, end = L; l < end; l++) {
        vec z0 = v_keep(v_load(dy[part][l]));
        vec a = v_set1(x[0][k][l]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(x[0][k + 1][l]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(x[0][k + 2][l]);
        s2_0 = v_fma(a, z0, s2_0);
        a = v_set1(x[0][k + 3][l]);
        s3_0 = v_fma(a, z0, s3_0);
        a = v_set1(x[0][k + 4][l]);
        s4_0 = v_fma(a, z0, s4_0);
    }
    v_storeu(&dw[k][m], s0_0);
    v_storeu(&dw[k + 1][m], s1_0);
    v_storeu(&dw[k + 2][m], s2_0);
    v_storeu(&dw[k + 3][m], s3_0);
    v_storeu(&dw[k + 4][m], s4_0);
}

/* db of a vec of outputs: the sum of all rows. */
static void h_from_input_bias_1(real db[16], real dy[][L][16], int part)
{
    int m = part * 16;
    vec b0 = v_zero();
    for (int l = 0, end = L; l < end; l++)
        b0 = v_add(b0, v_load(dy[part][l]));
    v_storeu(&db[m], b0);
}

/* rows: dy with the outputs side by side, 16 of an example; of one slice. */
static void h_from_input_transpose(real *rows, real *dy)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows, (*dys)[L] = (real (*)[L])dy;
    vec square[16];
    for (int r = 0; r < 16; r++) square[r] = r < 9 ? v_load(dys[r]) : v_zero();
    v_transpose16(square);
    for (int l = 0; l < L; l++) v_store(dyt[0][l], square[l]);
}

/* dw[k][m] = sum over rows of x[k] dy[m]; db: the sum of dy.  No barrier before: a free thread begins at once. */
static void h_from_input_weights(real dw[16][16], real db[16], real *rows, image_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    real (*xs)[16][L] = (real (*)[16][L])x;
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 3; t++) {
        if (t == 0)
            h_from_input_bias_1(db, dyt, 0);
        if (t < 1) h_from_input_weights_6x1(dw, dyt, xs, t * 6, 0);
        else h_from_input_weights_5x1(dw, dyt, xs, 6 + (t - 1) * 5, 0);
    }
}

/* ---- h_from_state: dense --------------------------------- recurrent.yaml:15
 *   3 -> 9    27 parameters    27 multiply-adds an example */
/* y[s][m] = sum over k of w[k][m] x[s][k], k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 3 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void h_from_state_forward_5x1(real (*y)[L], real *panel, real *x)
{
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero();
    for (int k = 0; k < 3; k++, x += L, panel += 16) {
        vec z0 = v_keep(v_load(x));
        vec a = v_set1(panel[0]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(panel[1]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(panel[2]);
        s2_0 = v_fma(a, z0, s2_0);
        a = v_set1(panel[3]);
        s3_0 = v_fma(a, z0, s3_0);
        a = v_set1(panel[4]);
        s4_0 = v_fma(a, z0, s4_0);
    }
    v_store(y[0], s0_0); v_store(y[1], s1_0); v_store(y[2], s2_0); v_store(y[3], s3_0); v_store(y[4], s4_0);
}

static void h_from_state_forward_4x1(real (*y)[L], real *panel, real *x)
{
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero();
    for (int k = 0; k < 3; k++, x += L, panel += 16) {
        vec z0 = v_keep(v_load(x));
        vec a = v_set1(panel[0]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(panel[1]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(panel[2]);
        s2_0 = v_fma(a, z0, s2_0);
        a = v_set1(panel[3]);
        s3_0 = v_fma(a, z0, s3_0);
    }
    v_store(y[0], s0_0); v_store(y[1], s1_0); v_store(y[2], s2_0); v_store(y[3], s3_0);
}

static void h_from_state_forward(h_from_state_t *y, h_t *x, real w[3][16])
{
    _Alignas(64) real panel[3][16];
    #pragma omp single nowait
    {
        for (int k = 0; k < 3; k++)
            v_store(panel[k], v_loadu(&w[k][0]));
        h_from_state_forward_5x1(&y[0][0], panel[0], x[0][0]);
        h_from_state_forward_4x1(&y[0][5], &panel[0][5], x[0][0]);
    }
}

static void h_from_state_backward_3x1(real dx[][3][L], real dy[][9][L], real w[3][16], int k, int s)
{
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero();
    for (int m = 0; m < 9; m++) {
        vec z0 = v_keep(v_load(dy[s][m]));
        vec a = v_set1(w[k][m]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(w[k + 1][m]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(w[k + 2][m]);
        s2_0 = v_fma(a, z0, s2_0);
    }
    v_store(dx[s][k], s0_0);
    v_store(dx[s][k + 1], s1_0);
    v_store(dx[s][k + 2], s2_0);
}

static void h_from_state_backward(h_t *dx, h_from_state_t *dy, real w[3][16])
{
    #pragma omp single nowait
    {
        h_from_state_backward_3x1(dx, dy, w, 0, 0);
    }
}

static void h_from_state_weights_3x1(real dw[3][16], real dy[][L][16], real x[][3][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero();
    for (int s = 0; s < 2; s++)
        for (int l = 0, end = L; l < end; l++) {
            vec z0 = v_keep(v_load(dy[s + part][l]));
            vec a = v_set1(x[s][k][l]);
            s0_0 = v_fma(a, z0, s0_0);
            a = v_set1(x[s][k + 1][l]);
            s1_0 = v_fma(a, z0, s1_0);
            a = v_set1(x[s][k + 2][l]);
            s2_0 = v_fma(a, z0, s2_0);
        }
    v_storeu(&dw[k][m], s0_0);
    v_storeu(&dw[k + 1][m], s1_0);
    v_storeu(&dw[k + 2][m], s2_0);
}

/* rows: dy with the outputs side by side, 16 of an example; of one slice. */
static void h_from_state_transpose(real *rows, real *dy)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows, (*dys)[L] = (real (*)[L])dy;
    vec square[16];
    for (int r = 0; r < 16; r++) square[r] = r < 9 ? v_load(dys[r]) : v_zero();
    v_transpose16(square);
    for (int l = 0; l < L; l++) v_store(dyt[0][l], square[l]);
}

/* dw[k][m] = sum over rows of x[k] dy[m].  No barrier before: a free thread begins at once. */
static void h_from_state_weights(real dw[3][16], real *rows, h_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    #pragma omp single nowait
    {
        h_from_state_weights_3x1(dw, dyt, x, 0, 0);
    }
}

/* ---- h: gru_gates ---------------------------------------- recurrent.yaml:15
 *   9, 9, 3 -> 3 */
/* xw = W_i x and hw = W_h h with their biases, 3H vecs each, in the order r, z, n:
 *   r = sigmoid(xw_r + hw_r)     how much of the state the new value sees
 *   z = sigmoid(xw_z + hw_z)     how much of the state stays
 *   n = tanh(xw_n + r hw_n)      the new value
 *   h' = (1 - z) n + z h, as n + z (h - n)
 * r, z, n and hw_n are kept in `gates` for the gradient. */
static void h_forward(h_t h, h_gates_t gates, h_from_input_t xw, h_from_state_t hw, h_t before)
{
    enum { H = 3 };
    for (int i = 0; i < H; i++) {
        vec r = v_sigmoid(v_add(v_load(xw[i]), v_load(hw[i])));
        vec z = v_sigmoid(v_add(v_load(xw[H + i]), v_load(hw[H + i])));
        vec hw_n = v_load(hw[2 * H + i]), n = v_tanh(v_fma(r, hw_n, v_load(xw[2 * H + i])));
        v_store(h[i], v_fma(z, v_sub(v_load(before[i]), n), n));
        v_store(gates[0][i], r);
        v_store(gates[1][i], z);
        v_store(gates[2][i], n);
        v_store(gates[3][i], hw_n);
    }
}

/* The gradient, back through the lines of forward, last to first; da_r, da_z and da_n are the gradients of what stands
 * inside of sigmoid, sigmoid and tanh.
 * dbefore is only the direct path, z dh: the one through W_h comes with hw's gradient. */
static void h_backward(h_from_input_t dxw, h_from_state_t dhw, h_t dbefore, h_t dh, h_gates_t gates, h_t before)
{
    enum { H = 3 };
    const vec one = v_set1(1);
    for (int i = 0; i < H; i++) {
        vec r = v_load(gates[0][i]), z = v_load(gates[1][i]), n = v_load(gates[2][i]), d = v_load(dh[i]);
        vec da_n = v_mul(v_mul(d, v_sub(one, z)), v_fnma(n, n, one));
        vec da_z = v_mul(v_mul(d, v_sub(v_load(before[i]), n)), v_mul(z, v_sub(one, z)));
        vec da_r = v_mul(v_mul(da_n, v_load(gates[3][i])), v_mul(r, v_sub(one, r)));
        v_store(dxw[i], da_r);
        v_store(dhw[i], da_r);
        v_store(dxw[H + i], da_z);
        v_store(dhw[H + i], da_z);
        v_store(dxw[2 * H + i], da_n);
        v_store(dhw[2 * H + i], v_mul(da_n, r));
        v_store(dbefore[i], v_mul(d, z));
    }
}

/* ---- A: dense -------------------------------------------- recurrent.yaml:16
 *   3 -> 6    24 parameters    18 multiply-adds an example */
/* y[s][m] = b[m] + sum over k of w[k][m] x[s][k], k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 3 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void A_forward_6x1(real (*y)[L], real *panel, real *x, real *b)
{
    vec s0_0 = v_set1(b[0]), s1_0 = v_set1(b[1]), s2_0 = v_set1(b[2]), s3_0 = v_set1(b[3]), s4_0 = v_set1(b[4]),
        s5_0 = v_set1(b[5]);
    for (int k = 0; k < 3; k++, x += L, panel += 16) {
        vec z0 = v_keep(v_load(x));
        vec a = v_set1(panel[0]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(panel[1]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(panel[2]);
        s2_0 = v_fma(a, z0, s2_0);
        a = v_set1(panel[3]);
        s3_0 = v_fma(a, z0, s3_0);
        a = v_set1(panel[4]);
        s4_0 = v_fma(a, z0, s4_0);
        a = v_set1(panel[5]);
        s5_0 = v_fma(a, z0, s5_0);
    }
    v_store(y[0], s0_0); v_store(y[1], s1_0); v_store(y[2], s2_0); v_store(y[3], s3_0); v_store(y[4], s4_0);
    v_store(y[5], s5_0);
}

static void A_forward(A_t *y, h_t *x, real w[3][16], real b[16])
{
    _Alignas(64) real panel[3][16];
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++) {
        for (int k = 0; k < 3; k++)
            v_store(panel[k], v_loadu(&w[k][0]));
        A_forward_6x1(&y[t][0], panel[0], x[t][0], &b[0]);
    }
}

static void A_backward_3x1(real dx[][3][L], real dy[][6][L], real w[3][16], int k, int s)
{
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero();
    for (int m = 0; m < 6; m++) {
        vec z0 = v_keep(v_load(dy[s][m]));
        vec a = v_set1(w[k][m]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(w[k + 1][m]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(w[k + 2][m]);
        s2_0 = v_fma(a, z0, s2_0);
    }
    v_store(dx[s][k], s0_0);
    v_store(dx[s][k + 1], s1_0);
    v_store(dx[s][k + 2], s2_0);
}

static void A_backward(h_t *dx, A_t *dy, real w[3][16])
{
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++) {
        A_backward_3x1(dx, dy, w, 0, t);
    }
}

static void A_weights_3x1(real dw[3][16], real dy[][L][16], real x[][3][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero();
    for (int s = 0; s < 2; s++)
        for (int l = 0, end = L; l < end; l++) {
            vec z0 = v_keep(v_load(dy[s + part][l]));
            vec a = v_set1(x[s][k][l]);
            s0_0 = v_fma(a, z0, s0_0);
            a = v_set1(x[s][k + 1][l]);
            s1_0 = v_fma(a, z0, s1_0);
            a = v_set1(x[s][k + 2][l]);
            s2_0 = v_fma(a, z0, s2_0);
        }
    v_storeu(&dw[k][m], s0_0);
    v_storeu(&dw[k + 1][m], s1_0);
    v_storeu(&dw[k + 2][m], s2_0);
}

/* db of a vec of outputs: the sum of all rows. */
static void A_bias_1(real db[16], real dy[][L][16], int part)
{
    int m = part * 16;
    vec b0 = v_zero();
    for (int s = 0; s < 2; s++)
        for (int l = 0, end = L; l < end; l++)
            b0 = v_add(b0, v_load(dy[s + part][l]));
    v_storeu(&db[m], b0);
}

/* rows: dy with the outputs side by side, 16 of an example; of one slice. */
static void A_transpose(real *rows, real *dy)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows, (*dys)[L] = (real (*)[L])dy;
    vec square[16];
    for (int r = 0; r < 16; r++) square[r] = r < 6 ? v_load(dys[r]) : v_zero();
    v_transpose16(square);
    for (int l = 0; l < L; l++) v_store(dyt[0][l], square[l]);
}

/* dw[k][m] = sum over rows of x[k] dy[m]; db: the sum of dy.  No barrier before: a free thread begins at once. */
static void A_weights(real dw[3][16], real db[16], real *rows, h_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    #pragma omp single nowait
    {
        A_bias_1(db, dyt, 0);
        A_weights_3x1(dw, dyt, x, 0, 0);
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

/* Where lane l's pixel (row, column) lies in its channel of an image [H][W][L]. */
static inline ivec crop_pixel(ivec row, ivec column)
{
    return iv_add(iv_add(iv_mul(row, iv_set1(4 * L)), iv_mul(column, iv_set1(L))), iv_iota());
}

/* y[c][i][j] = image[c] read at the point
 *   x_s = A[0] x[j] + (A[1] y[i] + A[2])
 *   y_s = A[3] x[j] + (A[4] y[i] + A[5])
 * bilinearly, between the two rows and two columns of pixels around it (sampler.h; BORDER_ZERO).  A is [6][L]: each
 * lane has a window of its own, so its pixels are gathered: a b above e f.
 * Kept for backward: the slopes of y[c][i][j] along the columns (slopes[0]) and the rows (slopes[1]) of pixels. */
static void crop_forward(crop_t y, crop_slopes_t slopes, image_t image, A_t A)
{
    enum { C = 1, H = 4, W = 4, Ho = 2, Wo = 2 };
    for (int i = 0; i < Ho; i++) {
        const vec gy = v_set1(crop_y[i]);
        const vec x0 = v_fma(v_load(A[1]), gy, v_load(A[2]));
        const vec y0 = v_fma(v_load(A[4]), gy, v_load(A[5]));
        for (int j = 0; j < Wo; j++) {
            const vec gx = v_set1(crop_x[j]);
            SamplerAxis column = sampler_axis(v_fma(v_load(A[0]), gx, x0), W, BORDER_ZERO);
            SamplerAxis row = sampler_axis(v_fma(v_load(A[3]), gx, y0), H, BORDER_ZERO);
            ivec at_a = crop_pixel(row.low, column.low), at_b = crop_pixel(row.low, column.high);
            ivec at_e = crop_pixel(row.high, column.low), at_f = crop_pixel(row.high, column.high);
            for (int c = 0; c < C; c++) {
                const real *pixels = image[c][0][0];
                vec a = v_gather(pixels, at_a), b = v_gather(pixels, at_b);
                vec e = v_gather(pixels, at_e), f = v_gather(pixels, at_f);
                vec upper = v_fma(column.weight_high, b, v_mul(column.weight_low, a));
                vec lower = v_fma(column.weight_high, f, v_mul(column.weight_low, e));
                v_store(y[c][i][j], v_fma(row.weight_high, lower, v_mul(row.weight_low, upper)));
                vec upper_slope = v_fma(column.slope_high, b, v_mul(column.slope_low, a));
                vec lower_slope = v_fma(column.slope_high, f, v_mul(column.slope_low, e));
                v_store(slopes[0][c][i][j], v_fma(row.weight_high, lower_slope, v_mul(row.weight_low, upper_slope)));
                v_store(slopes[1][c][i][j], v_fma(row.slope_high, lower, v_mul(row.slope_low, upper)));
            }
        }
    }
}

/* dA alone: the image gets no gradient.  Each output gives its gradient d to the point (u, v), its column and row in
 * pixels, that it was read at, by its slopes.
 *   du = sum over c of d slopes[0], dv = sum over c of d slopes[1]
 *   dA[0] = du/dx_s sum of du x[j]     dA[1] = du/dx_s sum of du y[i]     dA[2] = du/dx_s sum of du
 *   dA[3] = dv/dy_s sum of dv x[j]     dA[4] = dv/dy_s sum of dv y[i]     dA[5] = dv/dy_s sum of dv
 * du/dx_s and dv/dy_s are the constants sampler_scale().
 * Sums run over the outputs row by row. */
static void crop_backward(A_t dA, crop_t dy, crop_slopes_t slopes)
{
    enum { C = 1, H = 4, W = 4, Ho = 2, Wo = 2 };
    vec d0 = v_zero(), d1 = v_zero(), d2 = v_zero(), d3 = v_zero(), d4 = v_zero(), d5 = v_zero();
    for (int i = 0; i < Ho; i++) {
        const vec gy = v_set1(crop_y[i]);
        for (int j = 0; j < Wo; j++) {
            const vec gx = v_set1(crop_x[j]);
            vec du = v_zero(), dv = v_zero();
            for (int c = 0; c < C; c++) {
                const vec d = v_load(dy[c][i][j]);
                du = v_fma(d, v_load(slopes[0][c][i][j]), du);
                dv = v_fma(d, v_load(slopes[1][c][i][j]), dv);
            }
            d0 = v_fma(du, gx, d0), d1 = v_fma(du, gy, d1), d2 = v_add(du, d2);
            d3 = v_fma(dv, gx, d3), d4 = v_fma(dv, gy, d4), d5 = v_add(dv, d5);
        }
    }
    const vec scale_x = v_set1(sampler_scale(W, BORDER_ZERO)), scale_y = v_set1(sampler_scale(H, BORDER_ZERO));
    v_store(dA[0], v_mul(d0, scale_x)), v_store(dA[3], v_mul(d3, scale_y));
    v_store(dA[1], v_mul(d1, scale_x)), v_store(dA[4], v_mul(d4, scale_y));
    v_store(dA[2], v_mul(d2, scale_x)), v_store(dA[5], v_mul(d5, scale_y));
}

/* The pixels that every sample of every lane fell on. */
static uint64_t crop_decisions(uint64_t hash, A_t A)
{
    enum { H = 4, W = 4, Ho = 2, Wo = 2 };
    for (int i = 0; i < Ho; i++)
        for (int j = 0; j < Wo; j++)
            for (int l = 0; l < L; l++) {
                const real gx = crop_x[j], gy = crop_y[i];
                real x = r_fma(A[0][l], gx, r_fma(A[1][l], gy, A[2][l]));
                real y = r_fma(A[3][l], gx, r_fma(A[4][l], gy, A[5][l]));
                hash = decide(hash, (uint64_t)sampler_cell(x, W, BORDER_ZERO));
                hash = decide(hash, (uint64_t)sampler_cell(y, H, BORDER_ZERO));
            }
    return hash;
}

/* ---- classify_dropout1: dropout -------------------------- recurrent.yaml:9
 *   1x2x2 -> 1x2x2 */
/* y = x / (1 - rate) where the mask keeps the element, else 0. */
static void classify_dropout1_forward(real *y, real *x, Dropout d)
{
    if (!d.on) {
        if (y != x) memcpy(y, x, 4 * L * sizeof(real));
        return;
    }
    for (int i = 0; i < 4; i++) {
        mask kept = rng_keep(d.key, (uint32_t)i, d.keep);
        v_store(y + i * L, v_zero_unless(kept, v_mul(v_load(x + i * L), v_set1(d.scale))));
    }
}

/* dx = dy under the same mask, drawn again from the same key. */
static void classify_dropout1_backward(real *dx, real *dy, Dropout d)
{
    if (!d.on) {
        if (dx != dy) memcpy(dx, dy, 4 * L * sizeof(real));
        return;
    }
    for (int i = 0; i < 4; i++) {
        mask kept = rng_keep(d.key, (uint32_t)i, d.keep);
        v_store(dx + i * L, v_zero_unless(kept, v_mul(v_load(dy + i * L), v_set1(d.scale))));
    }
}

/* ---- classify_dense1: dense ------------------------------ recurrent.yaml:10
 *   1x2x2 -> 2    10 parameters    8 multiply-adds an example */
/* y[s][m] = b[m] + sum over k of w[k][m] x[s][k], k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 4 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void classify_dense1_forward_2x1(real (*y)[L], real *panel, real *x, real *b)
{
    vec s0_0 = v_set1(b[0]), s1_0 = v_set1(b[1]);
    for (int k = 0; k < 4; k++, x += L, panel += 16) {
        vec z0 = v_keep(v_load(x));
        vec a = v_set1(panel[0]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(panel[1]);
        s1_0 = v_fma(a, z0, s1_0);
    }
    v_store(y[0], s0_0); v_store(y[1], s1_0);
}

static void classify_dense1_forward(classify_dense1_t *y, classify_dropout1_t *x, real w[4][16], real b[16])
{
    real (*xs)[4][L] = (real (*)[4][L])x;
    _Alignas(64) real panel[4][16];
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++) {
        for (int k = 0; k < 4; k++)
            v_store(panel[k], v_loadu(&w[k][0]));
        classify_dense1_forward_2x1(&y[t][0], panel[0], xs[t][0], &b[0]);
    }
}

static void classify_dense1_backward_2x2(real dx[][4][L], real dy[][2][L], real w[4][16], int k, int s)
{
    vec s0_0 = v_zero(), s0_1 = v_zero(), s1_0 = v_zero(), s1_1 = v_zero();
    for (int m = 0; m < 2; m++) {
        vec z0 = v_keep(v_load(dy[s][m]));
        vec z1 = v_keep(v_load(dy[s + 1][m]));
        vec a = v_set1(w[k][m]);
        s0_0 = v_fma(a, z0, s0_0); s0_1 = v_fma(a, z1, s0_1);
        a = v_set1(w[k + 1][m]);
        s1_0 = v_fma(a, z0, s1_0); s1_1 = v_fma(a, z1, s1_1);
    }
    v_store(dx[s][k], s0_0); v_store(dx[s + 1][k], s0_1);
    v_store(dx[s][k + 1], s1_0); v_store(dx[s + 1][k + 1], s1_1);
}

static void classify_dense1_backward(classify_dropout1_t *dx, classify_dense1_t *dy, real w[4][16])
{
    real (*dxs)[4][L] = (real (*)[4][L])dx;
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++) {
        int from = t % 2, s = t / 2;
        classify_dense1_backward_2x2(dxs, dy, w, from * 2, s * 2);
    }
}

static void classify_dense1_weights_4x1(real dw[4][16], real dy[][L][16], real x[][4][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero();
    for (int s = 0; s < 2; s++)
        for (int l = 0, end = L; l < end; l++) {
            vec z0 = v_keep(v_load(dy[s + part][l]));
            vec a = v_set1(x[s][k][l]);
            s0_0 = v_fma(a, z0, s0_0);
            a = v_set1(x[s][k + 1][l]);
            s1_0 = v_fma(a, z0, s1_0);
            a = v_set1(x[s][k + 2][l]);
            s2_0 = v_fma(a, z0, s2_0);
            a = v_set1(x[s][k + 3][l]);
            s3_0 = v_fma(a, z0, s3_0);
        }
    v_storeu(&dw[k][m], s0_0);
    v_storeu(&dw[k + 1][m], s1_0);
    v_storeu(&dw[k + 2][m], s2_0);
    v_storeu(&dw[k + 3][m], s3_0);
}

/* db of a vec of outputs: the sum of all rows. */
static void classify_dense1_bias_1(real db[16], real dy[][L][16], int part)
{
    int m = part * 16;
    vec b0 = v_zero();
    for (int s = 0; s < 2; s++)
        for (int l = 0, end = L; l < end; l++)
            b0 = v_add(b0, v_load(dy[s + part][l]));
    v_storeu(&db[m], b0);
}

/* rows: dy with the outputs side by side, 16 of an example; of one slice. */
static void classify_dense1_transpose(real *rows, real *dy)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows, (*dys)[L] = (real (*)[L])dy;
    vec square[16];
    for (int r = 0; r < 16; r++) square[r] = r < 2 ? v_load(dys[r]) : v_zero();
    v_transpose16(square);
    for (int l = 0; l < L; l++) v_store(dyt[0][l], square[l]);
}

/* dw[k][m] = sum over rows of x[k] dy[m]; db: the sum of dy.  No barrier before: a free thread begins at once. */
static void classify_dense1_weights(real dw[4][16], real db[16], real *rows, classify_dropout1_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    real (*xs)[4][L] = (real (*)[4][L])x;
    #pragma omp single nowait
    {
        classify_dense1_bias_1(db, dyt, 0);
        classify_dense1_weights_4x1(dw, dyt, xs, 0, 0);
    }
}

/* ---- cross_entropy1: cross_entropy ----------------------- recurrent.yaml:19
 *   2, 2 -> 1 */
/* With p = softmax(x) and y the label, in every lane
 *   loss = sum over the P positions of -log p_y, where -log p_y = log(sum over k of exp(x_k - m)) - (x_y - m)
 * m = max x keeps exp from overflowing and changes nothing else. */
static void cross_entropy1_forward(real *loss, real *x, int32_t *label)
{
    enum { P = 1, K = 2 };
    vec total = v_zero();
    for (int p = 0; p < P; p++, x += K * L, label += L) {
        vec m = v_load(x), sum = v_zero();
        for (int k = 1; k < K; k++)
            m = v_max(m, v_load(x + k * L));
        for (int k = 0; k < K; k++)
            sum = v_add(sum, v_exp(v_sub(v_load(x + k * L), m)));
        ivec at = iv_add(iv_mul(iv_load(label), iv_set1(L)), iv_iota());      /* where each lane's own x_y lies */
        vec xy = v_sub(v_gather(x, at), m);
        total = v_add(total, v_sub(v_log(sum), xy));
    }
    v_store(loss, total);
}

/* dx_k = scale (p_k - [k = y]).
 * Lanes from `present` on hold no example: 0. */
static void cross_entropy1_backward(real *dx, real *x, int32_t *label, real scale, int present)
{
    enum { P = 1, K = 2 };
    const mask here = iv_lt(iv_iota(), iv_set1(present));
    for (int p = 0; p < P; p++, x += K * L, dx += K * L, label += L) {
        const ivec y = iv_load(label);
        vec m = v_load(x), sum = v_zero();
        for (int k = 1; k < K; k++)
            m = v_max(m, v_load(x + k * L));
        for (int k = 0; k < K; k++) {
            vec e = v_exp(v_sub(v_load(x + k * L), m));
            sum = v_add(sum, e);
            v_store(dx + k * L, e);
        }
        const vec pull = v_set1(scale);
        for (int k = 0; k < K; k++) {
            vec hit = v_zero_unless(iv_eq(y, iv_set1(k)), v_set1(1));
            vec d = v_mul(pull, v_sub(v_div(v_load(dx + k * L), sum), hit));
            v_store(dx + k * L, v_zero_unless(here, d));
        }
    }
}

/* ---- zero_3: fill ---------------------------------------- recurrent.yaml
 *   3
 *   of v.d_h_2 (line 15), v.d_h_3 (line 15) */
/* y = 0 */
static void zero_3_forward(real *y)
{
    for (int i = 0; i < 3 * L; i += L)
        v_store(y + i, v_zero());
}

/* ---- sum_d_h_total: sum ---------------------------------- recurrent.yaml:13
 *   3, 3, 3 -> 3 */
/* y = x1 + x2 + x3 */
static inline vec sum_d_h_total_value(vec x1, vec x2, vec x3)
{
    const vec t1 = v_add(x1, x2);
    return v_add(t1, x3);
}

static void sum_d_h_total_forward(real *y, real *x1, real *x2, real *x3)
{
    for (int i = 0; i < 3; i++) {
        v_store(y + i * L, sum_d_h_total_value(v_load(x1 + i * L), v_load(x2 + i * L), v_load(x3 + i * L)));
    }
}

/* ---- sum_d_h_total_2: sum -------------------------------- recurrent.yaml:13
 *   3, 3 -> 3 */
/* y = x1 + x2 */
static inline vec sum_d_h_total_2_value(vec x1, vec x2)
{
    return v_add(x1, x2);
}

static void sum_d_h_total_2_forward(real *y, real *x1, real *x2)
{
    for (int i = 0; i < 3; i++) {
        v_store(y + i * L, sum_d_h_total_2_value(v_load(x1 + i * L), v_load(x2 + i * L)));
    }
}

/* ---- sum_d_h_from_input_2: sum_steps --------------------- recurrent.yaml:15
 *   9 -> 9 */
/* y = x of step 0 + x of step 1 + ... in that order; a step lies G groups after the one before. */
static void sum_d_h_from_input_2_forward(d_h_from_input_2_t y, d_h_from_input_t *x)
{
    enum { T = 2 };
    real *sum = (real *)y;
    for (int i = 0; i < 9 * L; i += L) {
        vec s = v_load((real *)x + i);
        for (int t = 1; t < T; t++)
            s = v_add(s, v_load((real *)&x[t] + i));
        v_store(sum + i, s);
    }
}

/* ---- fold ------------------------------------------------------------------------------------------------------
 * A weight's gradient from its parts, one a group, which are added in pairs: 0 + 1, 2 + 3, ...; then the sums likewise.
 * A block at a time, each part is read once, in order: 0, 1, their sum; 2, 3, their sum, the sum of both; ...  What
 * waits for its partner stays in the first-level cache. */
static void fold(real *sum, const real *part, int parts, ptrdiff_t size, int add)
{
    enum { WIDE = 8 * L, DEEP = 32 };
    const ptrdiff_t stride = (size + L - 1) / L * L;
    #pragma omp for schedule(static) nowait
    for (ptrdiff_t i = 0; i < size; i += WIDE) {
        _Alignas(64) real waiting[DEEP][WIDE];
        int count = size - i < WIDE ? (int)(size - i) : WIDE, n = 0;
        for (int k = 0; k < parts; k++) {
            /* part k ends as many pairs as k + 1 has factors of two; the last part ends all that wait */
            int due = k + 1 < parts ? __builtin_ctz((unsigned)k + 1) : n;
            n -= due;
            for (int l = 0; l < count; l += L) {
                vec s = v_load(part + k * stride + i + l);
                v_prefetch(part + k * stride + i + l + WIDE);
                for (int m = n + due; m > n; m--) s = v_add(v_load(&waiting[m - 1][l]), s);
                v_store(&waiting[n][l], s);
            }
            n++;
        }
        int l = 0;
        for (; l + L <= count; l += L) {
            vec s = v_load(&waiting[0][l]);
            v_storeu(sum + i + l, add ? v_add(v_loadu(sum + i + l), s) : s);
        }
        for (; l < count; l++)
            sum[i + l] = add ? sum[i + l] + waiting[0][l] : waiting[0][l];
    }
}

/* ==== 4 memory =================================================================================================== */

/* One block for the batch, planned for forward and backward together: a place is used again when its value has been
 * read for the last time.  v.NAME[s] is the value of slice s: group g, or at step t of a repeat s = t * G + g.
 * Of each tensor: its slices, its shape, where a gradient comes from, its place, and what else has some of that place
 * at other times. */
static real *memory;
#define MEMORY ((size_t)2640)     /* reals */
#define SCRATCH ((size_t)144)     /* reals of each thread */
static struct {
    image_t *image;                         /* [0 .. G)  1x4x4: reals 1408 to 1664, 1.0 KiB */
    h_t *h;                                 /* [-G .. 2G)  3: reals 2112 to 2256, 576 bytes, [0] at 2160 */
    digits_t *digits;                       /* [0 .. G)  2: reals 2576 to 2608, 128 bytes */
    h_from_input_t *h_from_input;
        /* [0 .. G)  9: reals 0 to 144, 576 bytes; with A, d_classify_dense1_rows, d_h_from_state_rows,
         * d_h_from_input_rows */
    h_from_state_t *h_from_state;
        /* [0 .. G)  9: reals 144 to 288, 576 bytes; with A, crop, d_classify_dense1_rows, d_h_from_state_rows,
         * d_h_from_input_rows */
    h_gates_t *h_gates;                     /* [0 .. 2G)  4x3: reals 1024 to 1408, 1.5 KiB */
    A_t *A;
        /* [0 .. 2G)  6: reals 0 to 192, 768 bytes; with h_from_input, h_from_state, d_classify_dense1_rows,
         * d_h_from_state_rows, d_h_from_input_rows */
    crop_t *crop;
        /* [0 .. 2G)  1x2x2: reals 192 to 320, 512 bytes; with h_from_state, d_classify_dense1_rows,
         * d_h_from_state_rows, d_h_from_input_rows */
    crop_slopes_t *crop_slopes;
        /* [0 .. 2G)  2x1x2x2: reals 1664 to 1920, 1.0 KiB; with d_h, d_h_2, d_h_3 */
    classify_dropout1_t *classify_dropout1; /* [0 .. 2G)  1x2x2: reals 2256 to 2384, 512 bytes */
    classify_dense1_t *classify_dense1;     /* [0 .. 2G)  2: reals 2512 to 2576, 256 bytes */
    loss1_t *loss1;                         /* [0 .. 2G)  1: reals 2608 to 2640, 128 bytes */
    real (*d_classify_dense1_rows)[256];
        /* [0 .. 2G)  a kernel's own layout: reals 0 to 512, 2.0 KiB; with h_from_input, h_from_state, A, crop,
         * d_h_from_state_rows, d_h_from_input_rows */
    d_classify_dense1_t *d_classify_dense1;
        /* [0 .. 2G)  2: by cross_entropy1; reals 512 to 576, 256 bytes; with d_A_rows, d_h_from_input */
    d_classify_dropout1_t *d_classify_dropout1;
        /* [0 .. 2G)  1x2x2: by classify_dense1; reals 2384 to 2512, 512 bytes */
    real (*d_A_rows)[256];
        /* [0 .. 2G)  a kernel's own layout: reals 512 to 1024, 2.0 KiB; with d_classify_dense1, d_h_from_input,
         * d_h_from_state, d_h_init_part */
    d_A_t *d_A;                             /* [0 .. 2G)  6: by crop; reals 1920 to 2112, 768 bytes */
    d_h_t *d_h;                             /* [0 .. 2G)  3: by A; reals 1664 to 1760, 384 bytes; with crop_slopes */
    d_h_2_t *d_h_2;
        /* [0 .. G)  3: by h, for the step before; reals 1760 to 1808, 192 bytes; with crop_slopes */
    d_h_3_t *d_h_3;
        /* [0 .. G)  3: by h_from_state, for the step before; reals 1808 to 1856, 192 bytes; with crop_slopes */
    real (*d_h_from_state_rows)[256];
        /* [0 .. 2G)  a kernel's own layout: reals 0 to 512, 2.0 KiB; with h_from_input, h_from_state, A, crop,
         * d_classify_dense1_rows, d_h_from_input_rows */
    d_h_from_input_t *d_h_from_input;
        /* [0 .. 2G)  9: by h; reals 512 to 800, 1.1 KiB; with d_classify_dense1, d_A_rows */
    d_h_from_state_t *d_h_from_state;
        /* [0 .. G)  9: by h; reals 800 to 944, 576 bytes; with d_A_rows, d_h_init_part */
    d_h_init_part_slot *d_h_init_part;      /* [0 .. G)  3: reals 800 to 816, 64 bytes; with d_A_rows, d_h_from_state */
    real (*d_h_from_input_rows)[256];
        /* [0 .. G)  a kernel's own layout: reals 0 to 256, 1.0 KiB; with h_from_input, h_from_state, A, crop,
         * d_classify_dense1_rows, d_h_from_state_rows */
} v;

/* What lives only within one group's phase: in the scratch of its thread, planned as the block is. */
typedef struct {
    d_crop_t *d_crop;
        /* 1x2x2: by classify_dropout1; reals 0 to 64, 256 bytes; with d_h_total, d_h_total_2, d_h_from_input_2 */
    d_h_total_t *d_h_total;
        /* 3: d_h + d_h_2 of the next step + d_h_3 of the next step; reals 0 to 48, 192 bytes; with d_crop, d_h_total_2,
         * d_h_from_input_2 */
    d_h_total_2_t *d_h_total_2;
        /* 3: d_h_2 + d_h_3; reals 0 to 48, 192 bytes; with d_crop, d_h_total, d_h_from_input_2 */
    d_h_from_input_2_t *d_h_from_input_2;
        /* 9: d_h_from_input of all steps; reals 0 to 144, 576 bytes; with d_crop, d_h_total, d_h_total_2 */
} Scratch;
static real *scratch_memory;
static Scratch *scratches;      /* one a thread */
static inline const Scratch *scratch_of_thread(void) { return &scratches[omp_get_thread_num()]; }

/* Lays the tensors into the memory. */
static void lay_out(void)
{
    v.image = (void *)(memory + 1408);
    v.h = (void *)(memory + 2160);
    v.digits = (void *)(memory + 2576);
    v.h_from_input = (void *)memory;
    v.h_from_state = (void *)(memory + 144);
    v.h_gates = (void *)(memory + 1024);
    v.A = (void *)memory;
    v.crop = (void *)(memory + 192);
    v.crop_slopes = (void *)(memory + 1664);
    v.classify_dropout1 = (void *)(memory + 2256);
    v.classify_dense1 = (void *)(memory + 2512);
    v.loss1 = (void *)(memory + 2608);
    v.d_classify_dense1_rows = (void *)memory;
    v.d_classify_dense1 = (void *)(memory + 512);
    v.d_classify_dropout1 = (void *)(memory + 2384);
    v.d_A_rows = (void *)(memory + 512);
    v.d_A = (void *)(memory + 1920);
    v.d_h = (void *)(memory + 1664);
    v.d_h_2 = (void *)(memory + 1760);
    v.d_h_3 = (void *)(memory + 1808);
    v.d_h_from_state_rows = (void *)memory;
    v.d_h_from_input = (void *)(memory + 512);
    v.d_h_from_state = (void *)(memory + 800);
    v.d_h_init_part = (void *)(memory + 800);
    v.d_h_from_input_rows = (void *)memory;
    for (int k = 0; k < threads; k++) {
        real *at = scratch_memory + (size_t)k * SCRATCH;
        scratches[k].d_crop = (void *)at;
        scratches[k].d_h_total = (void *)at;
        scratches[k].d_h_total_2 = (void *)at;
        scratches[k].d_h_from_input_2 = (void *)at;
    }
}

/* How many examples group g holds: L, or fewer in the last group of a batch; the last batch of an epoch may have fewer
 * groups, too. */
static inline int present(const Batch *batch, int g)
{
    int n = batch->count - g * L;
    return n < 0 ? 0 : n > L ? L : n;
}

/* ==== 5 forward ================================================================================================== */

/* Called by all threads.  `omp for` shares the groups out; its end is a barrier, or with nowait a thread that finds no
 * group left goes on.  A call outside of such a loop works on all groups and shares its work out inside; the threads
 * wait after it where the next call needs its results or its place in memory.  A loop over t is a repeat of the
 * model. */
static void forward_pass(const Batch *batch)
{
    block_poison(memory, MEMORY * sizeof(real));
    block_poison(scratch_memory, (size_t)threads * SCRATCH * sizeof(real));
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        load_image_forward((real *)v.image[g], batch->inputs[0], g * L, batch->count);
        load_digits_forward(v.digits[g], batch->targets[0], g * L, batch->count);
        h_start_forward((real *)v.h[g - G], weights->h_init);
    }
    h_from_input_forward(v.h_from_input, v.image, weights->h_weight_ih, weights->h_bias_ih);
    for (int t = 0; t < 2; t++) {
        h_from_state_forward(v.h_from_state, v.h + t * G - G, weights->h_weight_hh);
        #pragma omp barrier
        #pragma omp for schedule(dynamic, 1)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            h_forward(v.h[s], v.h_gates[s], v.h_from_input[g], v.h_from_state[g], v.h[s - G]);
        }
    }
    A_forward(v.A, v.h, weights->A_weight, weights->A_bias);
    #pragma omp barrier
    #pragma omp for collapse(2) schedule(dynamic, 1)
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            crop_forward(v.crop[s], v.crop_slopes[s], v.image[g], v.A[s]);
            classify_dropout1_forward((real *)v.classify_dropout1[s], (real *)v.crop[s],
                dropout_at(batch, (DropoutUse){ .rate = classify_dropout1_rate, .ramp = 5, .place = 0, .step = t,
                .group = g }));
        }
    classify_dense1_forward(v.classify_dense1, v.classify_dropout1, weights->classify_dense1_weight,
        weights->classify_dense1_bias);
    #pragma omp barrier
    #pragma omp for collapse(2) schedule(dynamic, 1)
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            cross_entropy1_forward(v.loss1[s], (real *)v.classify_dense1[s], v.digits[g][t]);
        }
}

/* The mean of loss1, cross_entropy, over the examples and positions that are there, added up in order. */
static double loss1_mean(const Batch *batch)
{
    double sum = 0;
    for (int s = 0; s < 2 * G; s++)
        for (int lane = 0; lane < present(batch, s % G); lane++)
            sum += v.loss1[s][lane];
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
    #pragma omp for collapse(2) schedule(dynamic, 1)
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            cross_entropy1_backward((real *)v.d_classify_dense1[s], (real *)v.classify_dense1[s], v.digits[g][t],
                loss1_scale, present(batch, g));
            classify_dense1_transpose(v.d_classify_dense1_rows[s], (real *)v.d_classify_dense1[s]);
        }
    classify_dense1_backward(v.d_classify_dropout1, v.d_classify_dense1, weights->classify_dense1_weight);
    #pragma omp barrier
    #pragma omp for collapse(2) schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            classify_dropout1_backward((real *)*scratch->d_crop, (real *)v.d_classify_dropout1[s],
                dropout_at(batch, (DropoutUse){ .rate = classify_dropout1_rate, .ramp = 5, .place = 0, .step = t,
                .group = g }));
            crop_backward(v.d_A[s], *scratch->d_crop, v.crop_slopes[s]);
            A_transpose(v.d_A_rows[s], (real *)v.d_A[s]);
        }
    classify_dense1_weights(gradient->classify_dense1_weight, gradient->classify_dense1_bias,
        v.d_classify_dense1_rows[0], v.classify_dropout1);
    #pragma omp barrier
    A_backward(v.d_h, v.d_A, weights->A_weight);
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        zero_3_forward((real *)v.d_h_2[g]);
        zero_3_forward((real *)v.d_h_3[g]);
    }
    A_weights(gradient->A_weight, gradient->A_bias, v.d_A_rows[0], v.h);
    #pragma omp barrier
    for (int t = 1; t >= 0; t--) {
        #pragma omp for schedule(dynamic, 1)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            sum_d_h_total_forward((real *)*scratch->d_h_total, (real *)v.d_h[s], (real *)v.d_h_2[g],
                (real *)v.d_h_3[g]);
            h_backward(v.d_h_from_input[s], v.d_h_from_state[g], v.d_h_2[g], *scratch->d_h_total, v.h_gates[s],
                v.h[s - G]);
            h_from_state_transpose(v.d_h_from_state_rows[s], (real *)v.d_h_from_state[g]);
        }
        h_from_state_backward(v.d_h_3, v.d_h_from_state, weights->h_weight_hh);
        #pragma omp barrier
    }
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        sum_d_h_total_2_forward((real *)*scratch->d_h_total_2, (real *)v.d_h_2[g], (real *)v.d_h_3[g]);
        h_start_weights(v.d_h_init_part[g].of, (real *)*scratch->d_h_total_2);
    }
    h_from_state_weights(gradient->h_weight_hh, v.d_h_from_state_rows[0], v.h - G);
    #pragma omp barrier
    fold(gradient->h_init, v.d_h_init_part[0].of, G, 3, 0);
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        sum_d_h_from_input_2_forward(*scratch->d_h_from_input_2, v.d_h_from_input + g);
        h_from_input_transpose(v.d_h_from_input_rows[g], (real *)*scratch->d_h_from_input_2);
    }
    h_from_input_weights(gradient->h_weight_ih, gradient->h_bias_ih, v.d_h_from_input_rows[0], v.image);
    #pragma omp barrier
}

/* ==== 7 update =================================================================================================== */

/* The parameters: shape, place in the block, the rule of their start and its number. */
static const NetParam params[] = {
    { "h.weight_ih", .rank = 2, .shape = { 9, 16 }, .layout = IN_OUT, .stride = 16, .offset = 0, .count = 144,
        .init = INIT_NORMAL, .init_value = 0.1, .yaml_line = 15 },
    { "h.bias_ih", .rank = 1, .shape = { 9 }, .layout = EXPORTED, .offset = 256, .count = 9, .init = INIT_CONSTANT,
        .init_value = 0, .yaml_line = 15 },
    { "h.weight_hh", .rank = 2, .shape = { 9, 3 }, .layout = IN_OUT, .stride = 16, .offset = 272, .count = 27,
        .init = INIT_NORMAL, .init_value = 0.1, .yaml_line = 15 },
    { "A.weight", .rank = 2, .shape = { 6, 3 }, .layout = IN_OUT, .stride = 16, .offset = 320, .count = 18,
        .init = INIT_CONSTANT, .init_value = 0, .yaml_line = 16 },
    { "A.bias", .rank = 1, .shape = { 6 }, .layout = EXPORTED, .offset = 368, .count = 6, .init = INIT_IDENTITY_AFFINE,
        .init_value = 0, .yaml_line = 16 },
    { "classify.dense1.weight", .rank = 2, .shape = { 2, 4 }, .layout = IN_OUT, .stride = 16, .offset = 384, .count = 8,
        .init = INIT_UNIFORM, .init_value = 1, .yaml_line = 10 },
    { "classify.dense1.bias", .rank = 1, .shape = { 2 }, .layout = EXPORTED, .offset = 448, .count = 2,
        .init = INIT_CONSTANT, .init_value = 0, .yaml_line = 10 },
    { "h.init", .rank = 1, .shape = { 3 }, .layout = EXPORTED, .offset = 464, .count = 3, .init = INIT_CONSTANT,
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
    for (int s = 0; s < 2 * G; s++)
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
    threads = count;
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
    { "h", .steps = 2, .rank = 1, .shape = { 3 }, .count = 3, .offset = 2160, .slot = 48 },
    { "A", .steps = 2, .rank = 1, .shape = { 6 }, .count = 6, .offset = 0, .slot = 96, .transform = 1, .output = 1 },
    { "crop", .steps = 2, .rank = 3, .shape = { 1, 2, 2 }, .count = 4, .offset = 192, .slot = 64 },
    { "digit", .steps = 2, .rank = 1, .shape = { 2 }, .count = 2, .offset = 2512, .slot = 32, .output = 1 },
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
    .target = "avx2",
    .precision = "float",
    .form = "fast",
    .signature = "20cf2ff899f212d2",
    .hash = net_hash,
    .settings = net_settings,
    .yaml = net_yaml,
    .onnx = net_onnx,
    .batch = N,
    .lanes = L,
    .groups = G,
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
