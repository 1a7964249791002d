/* SPDX-License-Identifier: 0BSD */
/* conv.c -- made by spnc from tests/golden/conv.yaml.  Edit that, not this.
 *
 *   1 sizes   2 parameters (44)   3 operators   4 memory   5 forward   6 backward   7 update   8 for the trainer
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

/* ==== 1 sizes ==================================================================================================== */

enum { N = 16, G = 1 };     /* examples in a batch; groups of L = 16 lanes that hold them */

typedef real x_t[1][5][5][L];
typedef real front_conv1_t[2][4][4][L];
typedef real front_maxpool1_t[2][2][2][L];
typedef real front_tanh1_t[2][2][2][L];
typedef real front_dense1_t[2][L];
typedef int32_t y_t[L];
typedef real loss1_t[L];
typedef real d_front_dense1_t[2][L];
typedef real d_front_tanh1_t[2][2][2][L];
typedef real d_front_conv2_t[2][2][2][L];
typedef real d_front_conv2_weight_part_t[2][2][2][2];
typedef real d_front_maxpool1_t[2][2][2][L];
typedef uint16_t front_maxpool1_winner_t[2][2][2][2];
typedef real d_front_conv1_sum_t[2][4][4][L];
typedef real d_front_conv1_weight_part_t[2][1][2][2];
typedef real d_front_conv1_bias_part_t[2];

/* Slices that are longer than their tensor: they are padded to whole vectors. */
typedef struct { front_maxpool1_winner_t of; unsigned char padding[32]; } front_maxpool1_winner_slot;
typedef struct { d_front_conv1_weight_part_t of; unsigned char padding[32]; } d_front_conv1_weight_part_slot;
typedef struct { d_front_conv1_bias_part_t of; unsigned char padding[56]; } d_front_conv1_bias_part_slot;

/* ==== 2 parameters =============================================================================================== */

/* Axes in PyTorch's order, but a dense layer's weight is [in][out]; its rows and biases are rounded up to whole
 * vectors. */
#define ALIGNED _Alignas(16 * sizeof(real))
typedef struct {
    ALIGNED real front_conv1_weight[2][1][2][2];
    ALIGNED real front_conv1_bias[16];
    ALIGNED real front_conv2_weight[2][2][2][2];
    ALIGNED real front_dense1_weight[8][16];
    ALIGNED real front_dense1_bias[16];
} Weights;
enum { BLOCK = sizeof(Weights) / sizeof(real) };
_Static_assert(BLOCK == 192, "the plan and the struct agree");

enum { STATES = 2 };     /* blocks of numbers that adam keeps beside the weights */
static Weights *weights, *gradient, *state[STATES];
static int threads;

/* ==== 3 operators ================================================================================================ */

/* ---- load_x: load ---------------------------------------- conv.yaml:4
 *   1x5x5 */
/* y = x / 255.  Lane l has example first + l of the batch; one that is not there is example 0.
 * Four bytes of each example make a word, sixteen words a vector: byte k of all its lanes is one element of y. */
static void load_x_forward(real *y, const void *const *rows, int first, int count)
{
    for (int i = 0; i < 25; i += L) {
        const int at = i + L <= 25 ? i : 25 - L;     /* the last square overlaps the one before */
        _Alignas(64) int32_t words[L / 4][L];
        for (int l = 0; l < L; l++) {
            const uint8_t *x = (const uint8_t *)rows[first + l < count ? first + l : 0] + at;
            for (int w = 0; w < L / 4; w++, x += 4)
                words[w][l] = (int32_t)(x[0] | (uint32_t)x[1] << 8 | (uint32_t)x[2] << 16 | (uint32_t)x[3] << 24);
        }
        for (int k = 0; k < L; k++)
            v_store(y + (at + k) * L, v_from_byte(iv_shr(iv_load(words[k / 4]), k % 4 * 8)));
    }
}

/* ---- load_y: labels -------------------------------------- conv.yaml:5
 *   1 */
/* y[p][l] = label p of example first + l of the batch; of example 0 where that is not there. */
static void load_y_forward(y_t y, const void *const *rows, int first, int count)
{
    enum { P = 1 };
    for (int l = 0; l < L; l++) {
        const int32_t *label = rows[first + l < count ? first + l : 0];
        for (int p = 0; p < P; p++)
            y[l] = label[p];
    }
}

/* ---- front_conv1: conv ----------------------------------- conv.yaml:8
 *   1x5x5 -> 2x4x4    10 parameters    128 multiply-adds an example */
/* relu(s): a NaN stays a NaN, and -0 stays -0.  For each sum, where it is stored. */
static inline vec front_conv1_then(vec s)
{
    return v_relu(s);
}

/* y[m][i][j] = relu(b[m] + sum over c, kh, kw of w[m][c][kh][kw] x[c][i + kh][j + kw]), in that order, in every lane.
 * A tile is filters x columns of sums held in registers; _2x2 is 2 filters x 2 columns. */
static void front_conv1_forward_2x2(front_conv1_t y, x_t x, real w[2][1][2][2], real b[2], int m, int i, int j)
{
    vec s0_0 = v_set1(b[m]), s0_1 = s0_0;
    vec s1_0 = v_set1(b[m + 1]), s1_1 = s1_0;
    for (int kh = 0; kh < 2; kh++)
        for (int kw = 0; kw < 2; kw++) {
            real (*p)[L] = &x[0][i + kh][j + kw];
            /* load anew: gcc would keep what the next tap shares and spill sums */
            __asm__ volatile("" ::: "memory");
            vec z0 = v_keep(v_load(p[0]));
            vec z1 = v_keep(v_load(p[1]));
            vec a = v_set1(w[m][0][kh][kw]);
            s0_0 = v_fma(a, z0, s0_0); s0_1 = v_fma(a, z1, s0_1);
            a = v_set1(w[m + 1][0][kh][kw]);
            s1_0 = v_fma(a, z0, s1_0); s1_1 = v_fma(a, z1, s1_1);
        }
    v_store(y[m][i][j], front_conv1_then(s0_0)); v_store(y[m][i][j + 1], front_conv1_then(s0_1));
    v_store(y[m + 1][i][j], front_conv1_then(s1_0)); v_store(y[m + 1][i][j + 1], front_conv1_then(s1_1));
}

static void front_conv1_forward(front_conv1_t y, x_t x, real w[2][1][2][2], real b[2])
{
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j += 2) {
            front_conv1_forward_2x2(y, x, w, b, 0, i, j);
        }
    }
}

/* dw[m][c][kh][kw] = sum over i, j of dy[m][i][j] x[c][i + kh][j + kw], db[m] = sum over i, j of dy[m][i][j]: in each
 * lane in that order, then over the lanes as v_sum does it.  A tile is filters x channels x taps of one row; _2x1x2,
 * say. */
static void front_conv1_weights_2x1x2(real dw[2][1][2][2], real db[2], front_conv1_t dy, x_t x, int m, int c, int kw)
{
    vec b0 = v_zero(), b1 = v_zero();
    if (c == 0 && kw == 0)
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) {
                b0 = v_add(b0, v_load(dy[m][i][j]));
                b1 = v_add(b1, v_load(dy[m + 1][i][j]));
            }
    for (int kh = 0; kh < 2; kh++) {
        vec s0_0 = v_zero(), s0_1 = v_zero(), s1_0 = v_zero(), s1_1 = v_zero();
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) {
                real (*x0)[L] = &x[c][i + kh][j + kw];
                /* load anew: gcc would keep what the next place shares and spill sums */
                __asm__ volatile("" ::: "memory");
                vec z0 = v_keep(v_load(x0[0]));
                vec z1 = v_keep(v_load(x0[1]));
                vec a = v_load(dy[m][i][j]);
                s0_0 = v_fma(a, z0, s0_0); s0_1 = v_fma(a, z1, s0_1);
                a = v_load(dy[m + 1][i][j]);
                s1_0 = v_fma(a, z0, s1_0); s1_1 = v_fma(a, z1, s1_1);
            }
        dw[m][c][kh][kw] = v_sum(s0_0);
        dw[m][c][kh][kw + 1] = v_sum(s0_1);
        dw[m + 1][c][kh][kw] = v_sum(s1_0);
        dw[m + 1][c][kh][kw + 1] = v_sum(s1_1);
    }
    if (c == 0 && kw == 0) {
        db[m] = v_sum(b0);
        db[m + 1] = v_sum(b1);
    }
}

static void front_conv1_weights(real dw[2][1][2][2], real db[2], front_conv1_t dy, x_t x)
{
    front_conv1_weights_2x1x2(dw, db, dy, x, 0, 0, 0);
}

/* ---- front_maxpool1: maxpool ----------------------------- conv.yaml:9
 *   2x4x4 -> 2x2x2 */
/* y[c][i][j] = max over kh, kw of x[c][i * 2 + kh][j * 2 + kw], in each lane; of equals the first in row-major order
 * wins.  A NaN in the window makes y NaN.
 * The place k = kh * 2 + kw that won is kept in binary: bit b of it, for all lanes, is the mask winner[c][i][j][b]. */
static void front_maxpool1_forward(front_maxpool1_t y, front_maxpool1_winner_t winner, front_conv1_t x)
{
    enum { C = 2, Ho = 2, Wo = 2 };
    for (int c = 0; c < C; c++)
        for (int i = 0; i < Ho; i++)
            for (int j = 0; j < Wo; j++) {
                const vec x0 = v_load(x[c][i * 2][j * 2]);
                const vec x1 = v_load(x[c][i * 2][j * 2 + 1]);
                const vec x2 = v_load(x[c][i * 2 + 1][j * 2]);
                const vec x3 = v_load(x[c][i * 2 + 1][j * 2 + 1]);
                vec best = x0;
                mask nan = v_unordered(x0, x1);
                const mask wins1 = v_gt(x1, best);
                mask bit0 = wins1;
                best = v_max(x1, best);
                const mask wins2 = v_gt(x2, best);
                bit0 = m_andnot(wins2, bit0);
                mask bit1 = wins2;
                best = v_max(x2, best);
                nan = m_or(nan, v_unordered(x2, x3));
                const mask wins3 = v_gt(x3, best);
                bit0 = m_or(bit0, wins3);
                bit1 = m_or(bit1, wins3);
                best = v_max(x3, best);
                best = v_select(nan, v_set1(NAN), best);
                winner[c][i][j][0] = m_bits(bit0);
                winner[c][i][j][1] = m_bits(bit1);
                v_store(y[c][i][j], best);
            }
}

/* The winner of each window gets its dy, the others 0.
 * x is an activation's result, and this goes on to the gradient of what is below it: nothing passes where the largest x
 * was 0. */
static void front_maxpool1_backward(front_conv1_t dx, front_maxpool1_t dy, front_maxpool1_winner_t winner,
    front_maxpool1_t y)
{
    enum { C = 2, Ho = 2, Wo = 2 };
    for (int c = 0; c < C; c++) {
        for (int i = 0; i < Ho; i++)
            for (int j = 0; j < Wo; j++) {
                vec d = v_zero_unless(v_gt(v_load(y[c][i][j]), v_zero()), v_load(dy[c][i][j]));
                mask bit0 = m_from(winner[c][i][j][0]), not0 = m_not(bit0);
                mask bit1 = m_from(winner[c][i][j][1]), not1 = m_not(bit1);
                v_store(dx[c][i * 2][j * 2], v_zero_unless(m_and(not0, not1), d));
                v_store(dx[c][i * 2][j * 2 + 1], v_zero_unless(m_and(bit0, not1), d));
                v_store(dx[c][i * 2 + 1][j * 2], v_zero_unless(m_and(not0, bit1), d));
                v_store(dx[c][i * 2 + 1][j * 2 + 1], v_zero_unless(m_and(bit0, bit1), d));
            }
    }
}

/* ---- front_conv2: conv ----------------------------------- conv.yaml:10
 *   2x2x2 -> 2x2x2    16 parameters    64 multiply-adds an example */
/* tanh(s).  For each sum, where it is stored. */
static inline vec front_conv2_then(vec s)
{
    return v_tanh(s);
}

/* y[m][i][j] = tanh(sum over c, kh, kw of w[m][c][kh][kw] x[c][i * 2 + kh - 1][j * 2 + kw - 1]), in that order, in
 * every lane.  A tile is filters x columns of sums held in registers; _2x1 is 2 filters x 1 columns.
 * Columns whose window reaches into the padding take the _edge tile, one by one, with the taps that are inside. */
static void front_conv2_forward_edge2(front_tanh1_t y, front_maxpool1_t x, real w[2][2][2][2], int m, int i, int j)
{
    vec s0_0 = v_zero();
    vec s1_0 = v_zero();
    int above = 1 - i * 2, below = 3 - i * 2;
    int kh0 = above > 0 ? above : 0, kh1 = below < 2 ? below : 2;
    int before = 1 - j * 2, after = 3 - j * 2;
    int kw0 = before > 0 ? before : 0, kw1 = after < 2 ? after : 2;
    for (int c = 0; c < 2; c++)
        for (int kh = kh0; kh < kh1; kh++)
            for (int kw = kw0; kw < kw1; kw++) {
                real (*p)[L] = &x[c][i * 2 + kh - 1][j * 2 + kw - 1];
                /* load anew: gcc would keep what the next tap shares and spill sums */
                __asm__ volatile("" ::: "memory");
                vec z0 = v_keep(v_load(p[0]));
                vec a = v_set1(w[m][c][kh][kw]);
                s0_0 = v_fma(a, z0, s0_0);
                a = v_set1(w[m + 1][c][kh][kw]);
                s1_0 = v_fma(a, z0, s1_0);
            }
    v_store(y[m][i][j], front_conv2_then(s0_0));
    v_store(y[m + 1][i][j], front_conv2_then(s1_0));
}

static void front_conv2_forward(front_tanh1_t y, front_maxpool1_t x, real w[2][2][2][2])
{
    for (int i = 0; i < 2; i++) {
        front_conv2_forward_edge2(y, x, w, 0, i, 0);
        front_conv2_forward_edge2(y, x, w, 0, i, 1);
    }
}

/* dx[c][i][j] = sum over m, kh, kw of w[m][c][kh][kw] dy[m][(i + 1 - kh) / 2][(j + 1 - kw) / 2], in that order, where
 * dy has such a place and the division leaves nothing.
 * A tile is channels x columns of sums held in registers; _2x1 is 2 channels x 1 columns, all of which see every tap of
 * a row; columns near the border that do not take an _edge tile, one by one, with the taps that are inside. */
static void front_conv2_backward_2x1(front_maxpool1_t dx, front_tanh1_t dy, real w[2][2][2][2], int c, int i, int j)
{
    vec s0_0 = v_zero(), s1_0 = v_zero();
    int above = i + 1 - 2, below = i + 1 + 1;
    int kh0 = above > 0 ? above : (i + 1) % 2, kh1 = below < 2 ? below : 2;
    for (int m = 0; m < 2; m++)
        for (int kh = kh0; kh < kh1; kh += 2)
            for (int kw = (j + 1) % 2; kw < 2; kw += 2) {
                real (*p)[L] = &dy[m][(i + 1 - kh) / 2][(j + 1 - kw) / 2];
                /* load anew: gcc would keep what the next tap shares and spill sums */
                __asm__ volatile("" ::: "memory");
                vec z0 = v_keep(v_load(p[0]));
                vec a = v_set1(w[m][c][kh][kw]);
                s0_0 = v_fma(a, z0, s0_0);
                a = v_set1(w[m][c + 1][kh][kw]);
                s1_0 = v_fma(a, z0, s1_0);
            }
    v_store(dx[c][i][j], s0_0);
    v_store(dx[c + 1][i][j], s1_0);
}

static void front_conv2_backward(front_maxpool1_t dx, front_tanh1_t dy, real w[2][2][2][2])
{
    for (int i = 0; i < 2; i++) {
        front_conv2_backward_2x1(dx, dy, w, 0, i, 0);
        front_conv2_backward_2x1(dx, dy, w, 0, i, 1);
    }
}

/* dw[m][c][kh][kw] = sum over i, j of dy[m][i][j] x[c][i * 2 + kh - 1][j * 2 + kw - 1]: in each lane
 * in that order, then over the lanes as v_sum does it.  A tile is filters x channels x taps of one row; _2x2x1, say. */
static void front_conv2_weights_2x2x1(real dw[2][2][2][2], front_tanh1_t dy, front_maxpool1_t x, int m, int c, int kw)
{
    int j0 = kw < 1 ? (2 - kw) / 2 : 0;
    int j1 = (4 - kw) / 2 < 2 ? (4 - kw) / 2 : 2;
    for (int kh = 0; kh < 2; kh++) {
        int i0 = 0, i1 = 2;
        int top = kh < 1 ? (2 - kh) / 2 : 0, bottom = (4 - kh) / 2;
        i0 = i0 > top ? i0 : top;
        i1 = i1 < bottom ? i1 : bottom;
        vec s0_0 = v_zero(), s0_1 = v_zero(), s1_0 = v_zero(), s1_1 = v_zero();
        for (int i = i0; i < i1; i++)
            for (int j = j0; j < j1; j++) {
                real (*x0)[L] = &x[c][i * 2 + kh - 1][j * 2 + kw - 1];
                real (*x1)[L] = &x[c + 1][i * 2 + kh - 1][j * 2 + kw - 1];
                /* load anew: gcc would keep what the next place shares and spill sums */
                __asm__ volatile("" ::: "memory");
                vec z0 = v_keep(v_load(x0[0]));
                vec z1 = v_keep(v_load(x1[0]));
                vec a = v_load(dy[m][i][j]);
                s0_0 = v_fma(a, z0, s0_0); s0_1 = v_fma(a, z1, s0_1);
                a = v_load(dy[m + 1][i][j]);
                s1_0 = v_fma(a, z0, s1_0); s1_1 = v_fma(a, z1, s1_1);
            }
        dw[m][c][kh][kw] = v_sum(s0_0);
        dw[m][c + 1][kh][kw] = v_sum(s0_1);
        dw[m + 1][c][kh][kw] = v_sum(s1_0);
        dw[m + 1][c + 1][kh][kw] = v_sum(s1_1);
    }
}

static void front_conv2_weights(real dw[2][2][2][2], front_tanh1_t dy, front_maxpool1_t x)
{
    for (int kw = 0; kw < 2; kw++)
        front_conv2_weights_2x2x1(dw, dy, x, 0, 0, kw);
}

/* ---- front_tanh1: tanh ----------------------------------- conv.yaml:11
 *   2x2x2 -> 2x2x2 */

/* d_x = dy * (1 - y * y) */
static inline void front_tanh1_gradient(vec *d_x, vec dy, vec y)
{
    const vec t1 = v_fnma(y, y, v_set1(1));
    *d_x = v_mul(dy, t1);
}

static void front_tanh1_backward(real *d_x, real *dy, real *y)
{
    for (int i = 0; i < 8; i++) {
        vec g_x;
        front_tanh1_gradient(&g_x, v_load(dy + i * L), v_load(y + i * L));
        v_store(d_x + i * L, g_x);
    }
}

/* ---- front_dense1: dense --------------------------------- conv.yaml:12
 *   2x2x2 -> 2    18 parameters    16 multiply-adds an example */
/* y[s][m] = b[m] + sum over k of w[k][m] x[s][k], k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 8 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void front_dense1_forward_2x1(real (*y)[L], real *panel, real *x, real *b)
{
    vec s0_0 = v_set1(b[0]), s1_0 = v_set1(b[1]);
    for (int k = 0; k < 8; k++, x += L, panel += 16) {
        vec z0 = v_keep(v_load(x));
        vec a = v_set1(panel[0]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(panel[1]);
        s1_0 = v_fma(a, z0, s1_0);
    }
    v_store(y[0], s0_0); v_store(y[1], s1_0);
}

static void front_dense1_forward(front_dense1_t *y, front_tanh1_t *x, real w[8][16], real b[16])
{
    real (*xs)[8][L] = (real (*)[8][L])x;
    _Alignas(64) real panel[8][16];
    #pragma omp single nowait
    {
        for (int k = 0; k < 8; k++)
            v_store(panel[k], v_loadu(&w[k][0]));
        front_dense1_forward_2x1(&y[0][0], panel[0], xs[0][0], &b[0]);
    }
}

static void front_dense1_backward_4x1(real dx[][8][L], real dy[][2][L], real w[8][16], int k, int s)
{
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero();
    for (int m = 0; m < 2; m++) {
        vec z0 = v_keep(v_load(dy[s][m]));
        vec a = v_set1(w[k][m]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(w[k + 1][m]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(w[k + 2][m]);
        s2_0 = v_fma(a, z0, s2_0);
        a = v_set1(w[k + 3][m]);
        s3_0 = v_fma(a, z0, s3_0);
    }
    v_store(dx[s][k], s0_0);
    v_store(dx[s][k + 1], s1_0);
    v_store(dx[s][k + 2], s2_0);
    v_store(dx[s][k + 3], s3_0);
}

static void front_dense1_backward(front_tanh1_t *dx, front_dense1_t *dy, real w[8][16])
{
    real (*dxs)[8][L] = (real (*)[8][L])dx;
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++) {
        int from = t % 2, s = t / 2;
        front_dense1_backward_4x1(dxs, dy, w, from * 4, s);
    }
}

static void front_dense1_weights_4x1(real dw[8][16], real dy[][L][16], real x[][8][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero();
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
    }
    v_storeu(&dw[k][m], s0_0);
    v_storeu(&dw[k + 1][m], s1_0);
    v_storeu(&dw[k + 2][m], s2_0);
    v_storeu(&dw[k + 3][m], s3_0);
}

/* db of a vec of outputs: the sum of all rows. */
static void front_dense1_bias_1(real db[16], real dy[][L][16], int part)
{
    int m = part * 16;
    vec b0 = v_zero();
    for (int l = 0, end = L; l < end; l++)
        b0 = v_add(b0, v_load(dy[part][l]));
    v_storeu(&db[m], b0);
}

/* rows: dy with the outputs side by side, 16 of an example; of one slice. */
static void front_dense1_transpose(real *rows, real *dy)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows, (*dys)[L] = (real (*)[L])dy;
    vec square[16];
    for (int r = 0; r < 16; r++) square[r] = r < 2 ? v_load(dys[r]) : v_zero();
    v_transpose16(square);
    for (int l = 0; l < L; l++) v_store(dyt[0][l], square[l]);
}

/* dw[k][m] = sum over rows of x[k] dy[m]; db: the sum of dy.  No barrier before: a free thread begins at once. */
static void front_dense1_weights(real dw[8][16], real db[16], real *rows, front_tanh1_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    real (*xs)[8][L] = (real (*)[8][L])x;
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++) {
        if (t == 0)
            front_dense1_bias_1(db, dyt, 0);
        front_dense1_weights_4x1(dw, dyt, xs, t * 4, 0);
    }
}

/* ---- cross_entropy1: cross_entropy ----------------------- conv.yaml:15
 *   2, 1 -> 1 */
/* With p = softmax(x) and y the label, in every lane
 *   loss = sum over the P positions of -log(p_y + 1e-05)
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
        total = v_sub(total, v_log(v_add(v_div(v_exp(xy), sum), v_set1((real)1e-05))));
    }
    v_store(loss, total);
}

/* dx_k = scale (p_k - [k = y]) p_y / (p_y + 1e-05), which goes to 0 with p_y.
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
        vec py = v_div(v_gather(dx, iv_add(iv_mul(y, iv_set1(L)), iv_iota())), sum);
        vec pull = v_mul(v_set1(scale), v_div(py, v_add(py, v_set1((real)1e-05))));
        for (int k = 0; k < K; k++) {
            vec hit = v_zero_unless(iv_eq(y, iv_set1(k)), v_set1(1));
            vec d = v_mul(pull, v_sub(v_div(v_load(dx + k * L), sum), hit));
            v_store(dx + k * L, v_zero_unless(here, d));
        }
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
#define MEMORY ((size_t)1168)     /* reals */
#define SCRATCH ((size_t)640)     /* reals of each thread */
static struct {
    x_t *x;                           /* [0 .. G)  1x5x5: reals 0 to 400, 1.6 KiB */
    front_maxpool1_t *front_maxpool1; /* [0 .. G)  2x2x2: reals 656 to 784, 512 bytes */
    front_tanh1_t *front_tanh1;       /* [0 .. G)  2x2x2: reals 784 to 912, 512 bytes */
    y_t *y;                           /* [0 .. G)  1: reals 1104 to 1120, 64 bytes */
    front_maxpool1_winner_slot *front_maxpool1_winner; /* [0 .. G)  2x2x2x2: reals 1136 to 1152, 64 bytes */
    front_dense1_t *front_dense1;     /* [0 .. G)  2: reals 1040 to 1072, 128 bytes */
    loss1_t *loss1;                   /* [0 .. G)  1: reals 1120 to 1136, 64 bytes */
    real (*d_front_dense1_rows)[256]; /* [0 .. G)  a kernel's own layout: reals 400 to 656, 1.0 KiB */
    d_front_dense1_t *d_front_dense1;
        /* [0 .. G)  2: by cross_entropy1; reals 1072 to 1104, 128 bytes; with d_front_conv2_weight_part,
         * d_front_conv1_weight_part */
    d_front_tanh1_t *d_front_tanh1;   /* [0 .. G)  2x2x2: by front_dense1; reals 912 to 1040, 512 bytes */
    d_front_conv2_weight_part_t *d_front_conv2_weight_part;
        /* [0 .. G)  2x2x2x2: reals 1072 to 1088, 64 bytes; with d_front_dense1 */
    d_front_conv1_weight_part_slot *d_front_conv1_weight_part;
        /* [0 .. G)  2x1x2x2: reals 1088 to 1104, 64 bytes; with d_front_dense1 */
    d_front_conv1_bias_part_slot *d_front_conv1_bias_part; /* [0 .. G)  2: reals 1152 to 1168, 64 bytes */
} v;

/* What lives only within one group's phase: in the scratch of its thread, planned as the block is. */
typedef struct {
    front_conv1_t *front_conv1;             /* 2x4x4: reals 0 to 512, 2.0 KiB; with d_front_conv2, d_front_conv1_sum */
    d_front_conv2_t *d_front_conv2;
        /* 2x2x2: by front_tanh1; reals 0 to 128, 512 bytes; with front_conv1, d_front_conv1_sum */
    d_front_conv1_sum_t *d_front_conv1_sum;
        /* 2x4x4: by front_maxpool1; reals 0 to 512, 2.0 KiB; with front_conv1, d_front_conv2 */
    d_front_maxpool1_t *d_front_maxpool1;   /* 2x2x2: by front_conv2; reals 512 to 640, 512 bytes */
} Scratch;
static real *scratch_memory;
static Scratch *scratches;      /* one a thread */
static inline const Scratch *scratch_of_thread(void) { return &scratches[omp_get_thread_num()]; }

/* Lays the tensors into the memory. */
static void lay_out(void)
{
    v.x = (void *)memory;
    v.front_maxpool1 = (void *)(memory + 656);
    v.front_tanh1 = (void *)(memory + 784);
    v.y = (void *)(memory + 1104);
    v.front_maxpool1_winner = (void *)(memory + 1136);
    v.front_dense1 = (void *)(memory + 1040);
    v.loss1 = (void *)(memory + 1120);
    v.d_front_dense1_rows = (void *)(memory + 400);
    v.d_front_dense1 = (void *)(memory + 1072);
    v.d_front_tanh1 = (void *)(memory + 912);
    v.d_front_conv2_weight_part = (void *)(memory + 1072);
    v.d_front_conv1_weight_part = (void *)(memory + 1088);
    v.d_front_conv1_bias_part = (void *)(memory + 1152);
    for (int k = 0; k < threads; k++) {
        real *at = scratch_memory + (size_t)k * SCRATCH;
        scratches[k].front_conv1 = (void *)at;
        scratches[k].d_front_conv2 = (void *)at;
        scratches[k].d_front_conv1_sum = (void *)at;
        scratches[k].d_front_maxpool1 = (void *)(at + 512);
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
    const Scratch *scratch = scratch_of_thread();
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        load_x_forward((real *)v.x[g], batch->inputs[0], g * L, batch->count);
        load_y_forward(v.y[g], batch->targets[0], g * L, batch->count);
        front_conv1_forward(*scratch->front_conv1, v.x[g], weights->front_conv1_weight, weights->front_conv1_bias);
        front_maxpool1_forward(v.front_maxpool1[g], v.front_maxpool1_winner[g].of, *scratch->front_conv1);
        front_conv2_forward(v.front_tanh1[g], v.front_maxpool1[g], weights->front_conv2_weight);
    }
    front_dense1_forward(v.front_dense1, v.front_tanh1, weights->front_dense1_weight, weights->front_dense1_bias);
    #pragma omp barrier
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        cross_entropy1_forward(v.loss1[g], (real *)v.front_dense1[g], v.y[g]);
    }
}

/* The mean of loss1, cross_entropy, over the examples and positions that are there, added up in order. */
static double loss1_mean(const Batch *batch)
{
    double sum = 0;
    for (int s = 0; s < G; s++)
        for (int lane = 0; lane < present(batch, s % G); lane++)
            sum += v.loss1[s][lane];
    return sum / batch->count;
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
    real loss1_scale = (real)(1 / (double)batch->count);
    const Scratch *scratch = scratch_of_thread();
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        cross_entropy1_backward((real *)v.d_front_dense1[g], (real *)v.front_dense1[g], v.y[g], loss1_scale,
            present(batch, g));
        front_dense1_transpose(v.d_front_dense1_rows[g], (real *)v.d_front_dense1[g]);
    }
    front_dense1_backward(v.d_front_tanh1, v.d_front_dense1, weights->front_dense1_weight);
    #pragma omp barrier
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        front_tanh1_backward((real *)*scratch->d_front_conv2, (real *)v.d_front_tanh1[g], (real *)v.front_tanh1[g]);
        front_conv2_weights(v.d_front_conv2_weight_part[g], *scratch->d_front_conv2, v.front_maxpool1[g]);
        front_conv2_backward(*scratch->d_front_maxpool1, *scratch->d_front_conv2, weights->front_conv2_weight);
        front_maxpool1_backward(*scratch->d_front_conv1_sum, *scratch->d_front_maxpool1, v.front_maxpool1_winner[g].of,
            v.front_maxpool1[g]);
        front_conv1_weights(v.d_front_conv1_weight_part[g].of, v.d_front_conv1_bias_part[g].of,
            *scratch->d_front_conv1_sum, v.x[g]);
    }
    front_dense1_weights(gradient->front_dense1_weight, gradient->front_dense1_bias, v.d_front_dense1_rows[0],
        v.front_tanh1);
    #pragma omp barrier
    fold((real *)gradient->front_conv2_weight, (real *)v.d_front_conv2_weight_part[0], G, 16, 0);
    fold((real *)gradient->front_conv1_weight, (real *)v.d_front_conv1_weight_part[0].of, G, 8, 0);
    fold(gradient->front_conv1_bias, v.d_front_conv1_bias_part[0].of, G, 2, 0);
    #pragma omp barrier
}

/* ==== 7 update =================================================================================================== */

/* The parameters: shape, place in the block, the rule of their start and its number. */
static const NetParam params[] = {
    { "front.conv1.weight", .rank = 4, .shape = { 2, 1, 2, 2 }, .layout = EXPORTED, .offset = 0, .count = 8,
        .init = INIT_UNIFORM, .init_value = 0.7071067811865476, .yaml_line = 8 },
    { "front.conv1.bias", .rank = 1, .shape = { 2 }, .layout = EXPORTED, .offset = 16, .count = 2,
        .init = INIT_CONSTANT, .init_value = 0, .yaml_line = 8 },
    { "front.conv2.weight", .rank = 4, .shape = { 2, 2, 2, 2 }, .layout = EXPORTED, .offset = 32, .count = 16,
        .init = INIT_UNIFORM, .init_value = 0.6123724356957945, .yaml_line = 10 },
    { "front.dense1.weight", .rank = 2, .shape = { 2, 8 }, .layout = IN_OUT, .stride = 16, .offset = 48, .count = 16,
        .init = INIT_UNIFORM, .init_value = 0.7745966692414834, .yaml_line = 12 },
    { "front.dense1.bias", .rank = 1, .shape = { 2 }, .layout = EXPORTED, .offset = 176, .count = 2,
        .init = INIT_CONSTANT, .init_value = 0, .yaml_line = 12 },
};
enum { PARAMS = sizeof params / sizeof *params };
static OptimiserNorm *row_sums;     /* of the gradient, by rows of parameters: parts of its norm */

/* One step of adam, with the settings in conv-train.c.  Called by all threads; returns the norm of the gradient before
 * clipping. */
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
    for (int s = 0; s < G; s++)
        hash = decide_positive(hash, (real *)v.front_maxpool1[s], sizeof v.front_maxpool1[s] / sizeof(real));
    for (int s = 0; s < G; s++)
        hash = decide_winner(hash, (uint16_t *)v.front_maxpool1_winner[s].of,
            sizeof v.front_maxpool1_winner[s].of / sizeof(uint16_t));
    return hash;
}

/* net_replay and net_profile, the same calls looked at or timed, and `rows`, which names them. */
#include "conv_inspect.c"

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
    { "x", U8_OVER_255, .rank = 3, .shape = { 1, 5, 5 }, .count = 25 },
};

static const NetData targets[] = {
    { "y", LABELS, .rank = 0, .shape = { 0 }, .count = 1, .classes = 2 },
};

/* The names of the flow. */
static const NetValue values[] = {
    { "v", .rank = 1, .shape = { 2 }, .count = 2, .offset = 1040, .slot = 32, .output = 1 },
};

/* The terms of the loss. */
static const NetLoss losses[] = {
    /* cross_entropy */
    { SHOWS_WRONG, GROWS_EVENLY, .value = 0, .target = 0, .positions = 1, .weight = 1, .yaml_line = 15, .inner = 1 },
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
    .name = "conv",
    .about = "",
    .source = "tests/golden/conv.yaml",
    .target = "avx2",
    .precision = "float",
    .form = "fast",
    .signature = "e9581e94936aae34",
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
    .value_count = 1,
    .losses = losses,
    .loss_count = 1,
    .training = &net_training,
    .schedule = schedule,
    .schedule_count = sizeof schedule / sizeof *schedule,
    .block = BLOCK,
    .state_blocks = STATES,
    .activation_reals = MEMORY,
    .thread_reals = SCRATCH,
    .forward_macs = 208,
    .backward_macs = 288,
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
