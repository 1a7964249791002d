/* SPDX-License-Identifier: 0BSD */
/* tiny.c -- made by spnc from models/tiny.yaml.  Edit that, not this.
 * params: d=5
 *
 *   1 sizes   2 parameters (16936)   3 operators   4 memory   5 forward   6 backward   7 update   8 for the trainer
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
#include "sampler.h"

/* ==== 1 sizes ==================================================================================================== */

enum { N = 32, G = 2 };     /* examples in a batch; groups of L = 16 lanes that hold them */

typedef real image_t[1][100][100][L];
typedef real front_maxpool1_t[1][25][25][L];
typedef real front_conv1_t[4][23][23][L];
typedef real front_maxpool2_t[4][7][7][L];
typedef real h_t[16][L];
typedef real h_from_input_t[48][L];
typedef real h_from_state_t[48][L];
typedef real A_t[6][L];
typedef real crop_t[1][20][20][L];
typedef real classify_maxpool1_t[8][9][9][L];
typedef real classify_dense1_t[10][L];
typedef int32_t digits_t[3][L];
typedef real loss1_t[L];
typedef real d_classify_dense1_t[10][L];
typedef real d_classify_maxpool1_t[8][9][9][L];
typedef uint16_t classify_maxpool1_winner_t[8][9][9][2];
typedef real d_classify_conv1_weight_part_t[8][1][3][3];
typedef real d_classify_conv1_bias_part_t[8];
typedef real d_crop_t[1][20][20][L];
typedef real d_A_t[6][L];
typedef real d_h_t[16][L];
typedef real d_h_total_t[16][L];
typedef real h_gates_t[4][16][L];
typedef real d_h_from_input_t[48][L];
typedef real d_h_from_state_t[48][L];
typedef real d_h_2_t[16][L];
typedef real d_h_3_t[16][L];
typedef real d_h_from_input_2_t[48][L];
typedef real d_front_maxpool2_t[4][7][7][L];
typedef uint16_t front_maxpool2_winner_t[4][7][7][4];
typedef real d_front_conv1_sum_t[4][23][23][L];
typedef real d_front_conv1_weight_part_t[4][1][3][3];
typedef real d_front_conv1_bias_part_t[4];
typedef uint8_t image_bytes_t[L][1][100][100];
typedef real crop_slopes_t[2][1][20][20][L];

/* Slices that are longer than their tensor: they are padded to whole vectors. */
typedef struct { classify_maxpool1_winner_t of; unsigned char padding[32]; } classify_maxpool1_winner_slot;
typedef struct { d_classify_conv1_weight_part_t of; unsigned char padding[32]; } d_classify_conv1_weight_part_slot;
typedef struct { d_classify_conv1_bias_part_t of; unsigned char padding[32]; } d_classify_conv1_bias_part_slot;
typedef struct { front_maxpool2_winner_t of; unsigned char padding[32]; } front_maxpool2_winner_slot;
typedef struct { d_front_conv1_weight_part_t of; unsigned char padding[48]; } d_front_conv1_weight_part_slot;
typedef struct { d_front_conv1_bias_part_t of; unsigned char padding[48]; } d_front_conv1_bias_part_slot;
/* read by words of four bytes, the last of which go on behind it */
typedef struct { image_bytes_t of; unsigned char padding[64]; } image_bytes_slot;

/* ==== 2 parameters =============================================================================================== */

/* Axes in PyTorch's order, but a dense layer's weight is [in][out]; its rows and biases are rounded up to whole
 * vectors. */
#define ALIGNED _Alignas(16 * sizeof(real))
typedef struct {
    ALIGNED real front_conv1_weight[4][1][3][3];
    ALIGNED real front_conv1_bias[16];
    ALIGNED real h_weight_ih[196][48];
    ALIGNED real h_bias_ih[48];
    ALIGNED real h_weight_hh[16][48];
    ALIGNED real A_weight[16][16];
    ALIGNED real A_bias[16];
    ALIGNED real classify_conv1_weight[8][1][3][3];
    ALIGNED real classify_conv1_bias[16];
    ALIGNED real classify_dense1_weight[648][16];
    ALIGNED real classify_dense1_bias[16];
} Weights;
enum { BLOCK = sizeof(Weights) / sizeof(real) };
_Static_assert(BLOCK == 21040, "the plan and the struct agree");

enum { STATES = 1 };     /* blocks of numbers that sgd keeps beside the weights */
static Weights *weights, *gradient, *state[STATES];
static int threads;

/* ==== 3 operators ================================================================================================ */

/* ---- load_image_bytes: load_bytes ------------------------ tiny.yaml:10
 *   1x100x100 */
/* Copies the examples, whose bytes stand for x / 255.  Lane l has example first + l of the batch; one that is not there
 * is example 0. */
static void load_image_bytes_forward(image_bytes_t y, const void *const *rows, int first, int count)
{
    for (int l = 0; l < L; l++)
        memcpy(y[l], rows[first + l < count ? first + l : 0], 10000);
}

/* ---- load_image: load ------------------------------------ tiny.yaml:10
 *   1x100x100 */
/* y = x / 255.  Lane l has example first + l of the batch; one that is not there is example 0.
 * Four bytes of each example make a word, sixteen words a vector: byte k of all its lanes is one element of y. */
static void load_image_forward(real *y, const void *const *rows, int first, int count)
{
    for (int at = 0; at < 10000; at += L) {
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

/* ---- load_digits: labels --------------------------------- tiny.yaml:12
 *   3 */
/* y[p][l] = label p of example first + l of the batch; of example 0 where that is not there. */
static void load_digits_forward(digits_t y, const void *const *rows, int first, int count)
{
    enum { P = 3 };
    for (int l = 0; l < L; l++) {
        const int32_t *label = rows[first + l < count ? first + l : 0];
        for (int p = 0; p < P; p++)
            y[p][l] = label[p];
    }
}

/* ---- front_maxpool1: maxpool ----------------------------- tiny.yaml:16
 *   1x100x100 -> 1x25x25 */
/* y[c][i][j] = max over kh, kw of x[c][i * 4 + kh][j * 4 + kw], in each lane.
 * A NaN in the window makes y NaN. */
static void front_maxpool1_forward(front_maxpool1_t y, image_t x)
{
    enum { C = 1, Ho = 25, Wo = 25 };
    for (int c = 0; c < C; c++)
        for (int i = 0; i < Ho; i++)
            for (int j = 0; j < Wo; j++) {
                const vec x0 = v_load(x[c][i * 4][j * 4]);
                const vec x1 = v_load(x[c][i * 4][j * 4 + 1]);
                const vec x2 = v_load(x[c][i * 4][j * 4 + 2]);
                const vec x3 = v_load(x[c][i * 4][j * 4 + 3]);
                const vec x4 = v_load(x[c][i * 4 + 1][j * 4]);
                const vec x5 = v_load(x[c][i * 4 + 1][j * 4 + 1]);
                const vec x6 = v_load(x[c][i * 4 + 1][j * 4 + 2]);
                const vec x7 = v_load(x[c][i * 4 + 1][j * 4 + 3]);
                const vec x8 = v_load(x[c][i * 4 + 2][j * 4]);
                const vec x9 = v_load(x[c][i * 4 + 2][j * 4 + 1]);
                const vec x10 = v_load(x[c][i * 4 + 2][j * 4 + 2]);
                const vec x11 = v_load(x[c][i * 4 + 2][j * 4 + 3]);
                const vec x12 = v_load(x[c][i * 4 + 3][j * 4]);
                const vec x13 = v_load(x[c][i * 4 + 3][j * 4 + 1]);
                const vec x14 = v_load(x[c][i * 4 + 3][j * 4 + 2]);
                const vec x15 = v_load(x[c][i * 4 + 3][j * 4 + 3]);
                vec best = x0;
                mask nan = v_unordered(x0, x1);
                best = v_max(x1, best);
                best = v_max(x2, best);
                nan = m_or(nan, v_unordered(x2, x3));
                best = v_max(x3, best);
                best = v_max(x4, best);
                nan = m_or(nan, v_unordered(x4, x5));
                best = v_max(x5, best);
                best = v_max(x6, best);
                nan = m_or(nan, v_unordered(x6, x7));
                best = v_max(x7, best);
                best = v_max(x8, best);
                nan = m_or(nan, v_unordered(x8, x9));
                best = v_max(x9, best);
                best = v_max(x10, best);
                nan = m_or(nan, v_unordered(x10, x11));
                best = v_max(x11, best);
                best = v_max(x12, best);
                nan = m_or(nan, v_unordered(x12, x13));
                best = v_max(x13, best);
                best = v_max(x14, best);
                nan = m_or(nan, v_unordered(x14, x15));
                best = v_max(x15, best);
                best = v_select(nan, v_set1(NAN), best);
                v_store(y[c][i][j], best);
            }
}

/* ---- front_conv1: conv ----------------------------------- tiny.yaml:17
 *   1x25x25 -> 4x23x23    40 parameters    19,044 multiply-adds an example */
/* relu(s): a NaN stays a NaN, and -0 stays -0.  For each sum, where it is stored. */
static inline vec front_conv1_then(vec s)
{
    return v_relu(s);
}

/* y[m][i][j] = relu(b[m] + sum over c, kh, kw of w[m][c][kh][kw] x[c][i + kh][j + kw]), in that order, in every lane.
 * A tile is filters x columns of sums held in registers; _2x3 is 2 filters x 3 columns. */
static void front_conv1_forward_2x3(front_conv1_t y, front_maxpool1_t x, real w[4][1][3][3], real b[4], int m, int i,
    int j)
{
    vec s0_0 = v_set1(b[m]), s0_1 = s0_0, s0_2 = s0_0;
    vec s1_0 = v_set1(b[m + 1]), s1_1 = s1_0, s1_2 = s1_0;
    for (int kh = 0; kh < 3; kh++)
        for (int kw = 0; kw < 3; kw++) {
            real (*p)[L] = &x[0][i + kh][j + kw];
            /* load anew: gcc would keep what the next tap shares and spill sums */
            __asm__ volatile("" ::: "memory");
            vec a0 = v_set1(w[m][0][kh][kw]);
            vec a1 = v_set1(w[m + 1][0][kh][kw]);
            vec z = v_keep(v_load(p[0]));
            s0_0 = v_fma(a0, z, s0_0); s1_0 = v_fma(a1, z, s1_0);
            z = v_keep(v_load(p[1]));
            s0_1 = v_fma(a0, z, s0_1); s1_1 = v_fma(a1, z, s1_1);
            z = v_keep(v_load(p[2]));
            s0_2 = v_fma(a0, z, s0_2); s1_2 = v_fma(a1, z, s1_2);
        }
    v_store(y[m][i][j], front_conv1_then(s0_0)); v_store(y[m][i][j + 1], front_conv1_then(s0_1));
    v_store(y[m][i][j + 2], front_conv1_then(s0_2));
    v_store(y[m + 1][i][j], front_conv1_then(s1_0)); v_store(y[m + 1][i][j + 1], front_conv1_then(s1_1));
    v_store(y[m + 1][i][j + 2], front_conv1_then(s1_2));
}

static void front_conv1_forward_2x2(front_conv1_t y, front_maxpool1_t x, real w[4][1][3][3], real b[4], int m, int i,
    int j)
{
    vec s0_0 = v_set1(b[m]), s0_1 = s0_0;
    vec s1_0 = v_set1(b[m + 1]), s1_1 = s1_0;
    for (int kh = 0; kh < 3; kh++)
        for (int kw = 0; kw < 3; kw++) {
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

static void front_conv1_forward(front_conv1_t y, front_maxpool1_t x, real w[4][1][3][3], real b[4])
{
    for (int i = 0; i < 23; i++) {
        for (int j = 0; j < 21; j += 3) {
            for (int m = 0; m < 4; m += 2)
                front_conv1_forward_2x3(y, x, w, b, m, i, j);
        }
        for (int m = 0; m < 4; m += 2)
            front_conv1_forward_2x2(y, x, w, b, m, i, 21);
    }
}

/* dw[m][c][kh][kw] = sum over i, j of dy[m][i][j] x[c][i + kh][j + kw], db[m] = sum over i, j of dy[m][i][j]: in each
 * lane in that order, then over the lanes as v_sum does it.  A tile is filters x channels x taps of one row; _4x1x1,
 * say.  It takes 4 rows of positions at a time through all rows of taps while they lie in the first-level cache; `sums`
 * waits for the next, whose x is prefetched. */
static void front_conv1_weights_4x1x1(real dw[4][1][3][3], real db[4], front_conv1_t dy, front_maxpool1_t x, int m,
    int c, int kw)
{
    _Alignas(64) real sums[3][4][L];
    vec b0 = v_zero(), b1 = v_zero(), b2 = v_zero(), b3 = v_zero();
    for (int row = 0; row < 23; row += 4) {
        int end = row + 4 < 23 ? row + 4 : 23;
        int ahead = end + 3 < 25 ? end + 3 : 24;
        for (int j = 0; j < 25; j++)
            v_prefetch(x[c][ahead][j]);
        if (c == 0 && kw == 0)
            for (int i = row; i < end; i++)
                for (int j = 0; j < 23; j++) {
                    b0 = v_add(b0, v_load(dy[m][i][j]));
                    b1 = v_add(b1, v_load(dy[m + 1][i][j]));
                    b2 = v_add(b2, v_load(dy[m + 2][i][j]));
                    b3 = v_add(b3, v_load(dy[m + 3][i][j]));
                }
        for (int kh = 0; kh < 3; kh++) {
            int i1 = end;
            vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero();
            if (row > 0) {
                s0_0 = v_load(sums[kh][0]);
                s1_0 = v_load(sums[kh][1]);
                s2_0 = v_load(sums[kh][2]);
                s3_0 = v_load(sums[kh][3]);
            }
            for (int i = row; i < i1; i++)
                for (int j = 0; j < 23; j++) {
                    real (*x0)[L] = &x[c][i + kh][j + kw];
                    /* load anew: gcc would keep what the next place shares and spill sums */
                    __asm__ volatile("" ::: "memory");
                    vec z0 = v_keep(v_load(x0[0]));
                    vec a = v_load(dy[m][i][j]);
                    s0_0 = v_fma(a, z0, s0_0);
                    a = v_load(dy[m + 1][i][j]);
                    s1_0 = v_fma(a, z0, s1_0);
                    a = v_load(dy[m + 2][i][j]);
                    s2_0 = v_fma(a, z0, s2_0);
                    a = v_load(dy[m + 3][i][j]);
                    s3_0 = v_fma(a, z0, s3_0);
                }
            v_store(sums[kh][0], s0_0);
            v_store(sums[kh][1], s1_0);
            v_store(sums[kh][2], s2_0);
            v_store(sums[kh][3], s3_0);
        }
    }
    for (int kh = 0; kh < 3; kh++)
        for (int f = 0; f < 4; f++)
            dw[m + f][c][kh][kw] = v_sum(v_load(sums[kh][f]));
    if (c == 0 && kw == 0) {
        db[m] = v_sum(b0);
        db[m + 1] = v_sum(b1);
        db[m + 2] = v_sum(b2);
        db[m + 3] = v_sum(b3);
    }
}

static void front_conv1_weights(real dw[4][1][3][3], real db[4], front_conv1_t dy, front_maxpool1_t x)
{
    for (int kw = 0; kw < 3; kw++)
        front_conv1_weights_4x1x1(dw, db, dy, x, 0, 0, kw);
}

/* ---- front_maxpool2: maxpool ----------------------------- tiny.yaml:18
 *   4x23x23 -> 4x7x7 */
/* y[c][i][j] = max over kh, kw of x[c][i * 3 + kh][j * 3 + kw], in each lane; of equals the first in row-major order
 * wins.  A NaN in the window makes y NaN.
 * The place k = kh * 3 + kw that won is kept in binary: bit b of it, for all lanes, is the mask winner[c][i][j][b]. */
static void front_maxpool2_forward(front_maxpool2_t y, front_maxpool2_winner_t winner, front_conv1_t x)
{
    enum { C = 4, Ho = 7, Wo = 7 };
    for (int c = 0; c < C; c++)
        for (int i = 0; i < Ho; i++)
            for (int j = 0; j < Wo; j++) {
                const vec x0 = v_load(x[c][i * 3][j * 3]);
                const vec x1 = v_load(x[c][i * 3][j * 3 + 1]);
                const vec x2 = v_load(x[c][i * 3][j * 3 + 2]);
                const vec x3 = v_load(x[c][i * 3 + 1][j * 3]);
                const vec x4 = v_load(x[c][i * 3 + 1][j * 3 + 1]);
                const vec x5 = v_load(x[c][i * 3 + 1][j * 3 + 2]);
                const vec x6 = v_load(x[c][i * 3 + 2][j * 3]);
                const vec x7 = v_load(x[c][i * 3 + 2][j * 3 + 1]);
                const vec x8 = v_load(x[c][i * 3 + 2][j * 3 + 2]);
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
                const mask wins4 = v_gt(x4, best);
                bit0 = m_andnot(wins4, bit0);
                bit1 = m_andnot(wins4, bit1);
                mask bit2 = wins4;
                best = v_max(x4, best);
                nan = m_or(nan, v_unordered(x4, x5));
                const mask wins5 = v_gt(x5, best);
                bit0 = m_or(bit0, wins5);
                bit1 = m_andnot(wins5, bit1);
                bit2 = m_or(bit2, wins5);
                best = v_max(x5, best);
                const mask wins6 = v_gt(x6, best);
                bit0 = m_andnot(wins6, bit0);
                bit1 = m_or(bit1, wins6);
                bit2 = m_or(bit2, wins6);
                best = v_max(x6, best);
                nan = m_or(nan, v_unordered(x6, x7));
                const mask wins7 = v_gt(x7, best);
                bit0 = m_or(bit0, wins7);
                bit1 = m_or(bit1, wins7);
                bit2 = m_or(bit2, wins7);
                best = v_max(x7, best);
                const mask wins8 = v_gt(x8, best);
                bit0 = m_andnot(wins8, bit0);
                bit1 = m_andnot(wins8, bit1);
                bit2 = m_andnot(wins8, bit2);
                mask bit3 = wins8;
                best = v_max(x8, best);
                nan = m_or(nan, v_unordered(x8, x8));        /* x8 is left: with itself */
                best = v_select(nan, v_set1(NAN), best);
                winner[c][i][j][0] = m_bits(bit0);
                winner[c][i][j][1] = m_bits(bit1);
                winner[c][i][j][2] = m_bits(bit2);
                winner[c][i][j][3] = m_bits(bit3);
                v_store(y[c][i][j], best);
            }
}

/* The winner of each window gets its dy, the others 0.
 * x is an activation's result, and this goes on to the gradient of what is below it: nothing passes where the largest x
 * was 0. */
static void front_maxpool2_backward(front_conv1_t dx, front_maxpool2_t dy, front_maxpool2_winner_t winner,
    front_maxpool2_t y)
{
    enum { C = 4, Ho = 7, Wo = 7 };
    for (int c = 0; c < C; c++) {
        for (int i = 0; i < Ho; i++)
            for (int j = 0; j < Wo; j++) {
                vec d = v_zero_unless(v_gt(v_load(y[c][i][j]), v_zero()), v_load(dy[c][i][j]));
                mask bit0 = m_from(winner[c][i][j][0]), not0 = m_not(bit0);
                mask bit1 = m_from(winner[c][i][j][1]), not1 = m_not(bit1);
                mask bit2 = m_from(winner[c][i][j][2]), not2 = m_not(bit2);
                mask bit3 = m_from(winner[c][i][j][3]), not3 = m_not(bit3);
                v_store(dx[c][i * 3][j * 3], v_zero_unless(m_and(m_and(m_and(not0, not1), not2), not3), d));
                v_store(dx[c][i * 3][j * 3 + 1], v_zero_unless(m_and(m_and(m_and(bit0, not1), not2), not3), d));
                v_store(dx[c][i * 3][j * 3 + 2], v_zero_unless(m_and(m_and(m_and(not0, bit1), not2), not3), d));
                v_store(dx[c][i * 3 + 1][j * 3], v_zero_unless(m_and(m_and(m_and(bit0, bit1), not2), not3), d));
                v_store(dx[c][i * 3 + 1][j * 3 + 1], v_zero_unless(m_and(m_and(m_and(not0, not1), bit2), not3), d));
                v_store(dx[c][i * 3 + 1][j * 3 + 2], v_zero_unless(m_and(m_and(m_and(bit0, not1), bit2), not3), d));
                v_store(dx[c][i * 3 + 2][j * 3], v_zero_unless(m_and(m_and(m_and(not0, bit1), bit2), not3), d));
                v_store(dx[c][i * 3 + 2][j * 3 + 1], v_zero_unless(m_and(m_and(m_and(bit0, bit1), bit2), not3), d));
                v_store(dx[c][i * 3 + 2][j * 3 + 2], v_zero_unless(m_and(m_and(m_and(not0, not1), not2), bit3), d));
            }
        for (int i = 0; i < Ho * 3; i++)
            for (int j = Wo * 3; j < 23; j++) v_store(dx[c][i][j], v_zero());
        for (int i = Ho * 3; i < 23; i++)
            for (int j = 0; j < 23; j++) v_store(dx[c][i][j], v_zero());
    }
}

/* ---- zero_16: fill --------------------------------------- tiny.yaml
 *   16
 *   of v.h (line 27), v.d_h_2 (line 29), v.d_h_3 (line 29) */
/* y = 0 */
static void zero_16_forward(real *y)
{
    for (int i = 0; i < 16 * L; i += L)
        v_store(y + i, v_zero());
}

/* ---- h_from_input: dense --------------------------------- tiny.yaml:29
 *   4x7x7 -> 48    9,456 parameters    9,408 multiply-adds an example */
/* y[s][m] = b[m] + sum over k of w[k][m] x[s][k], k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 196 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void h_from_input_forward_6x1(real (*y)[L], real *panel, real *x, real *b)
{
    vec s0_0 = v_set1(b[0]), s1_0 = v_set1(b[1]), s2_0 = v_set1(b[2]), s3_0 = v_set1(b[3]), s4_0 = v_set1(b[4]),
        s5_0 = v_set1(b[5]);
    for (int k = 0; k < 196; k++, x += L, panel += 16) {
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

static void h_from_input_forward_5x1(real (*y)[L], real *panel, real *x, real *b)
{
    vec s0_0 = v_set1(b[0]), s1_0 = v_set1(b[1]), s2_0 = v_set1(b[2]), s3_0 = v_set1(b[3]), s4_0 = v_set1(b[4]);
    for (int k = 0; k < 196; k++, x += L, panel += 16) {
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

static void h_from_input_forward(h_from_input_t *y, front_maxpool2_t *x, real w[196][48], real b[48])
{
    real (*xs)[196][L] = (real (*)[196][L])x;
    _Alignas(64) real panel[196][16];
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 6; t++) {
        int m = t % 3 * 16, s0 = t / 3;
        for (int k = 0; k < 196; k++)
            v_store(panel[k], v_loadu(&w[k][m]));
        h_from_input_forward_6x1(&y[s0][m], panel[0], xs[s0][0], &b[m]);
        for (int l = 6; l < 16; l += 5)
            h_from_input_forward_5x1(&y[s0][m + l], &panel[0][l], xs[s0][0], &b[m + l]);
    }
}

static void h_from_input_backward_6x1(real dx[][196][L], real dy[][48][L], real w[196][48], int k, int s)
{
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero(), s5_0 = v_zero();
    for (int m = 0; m < 48; m++) {
        vec z0 = v_keep(v_load(dy[s][m]));
        vec a = v_set1(w[k][m]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(w[k + 1][m]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(w[k + 2][m]);
        s2_0 = v_fma(a, z0, s2_0);
        a = v_set1(w[k + 3][m]);
        s3_0 = v_fma(a, z0, s3_0);
        a = v_set1(w[k + 4][m]);
        s4_0 = v_fma(a, z0, s4_0);
        a = v_set1(w[k + 5][m]);
        s5_0 = v_fma(a, z0, s5_0);
    }
    v_store(dx[s][k], s0_0);
    v_store(dx[s][k + 1], s1_0);
    v_store(dx[s][k + 2], s2_0);
    v_store(dx[s][k + 3], s3_0);
    v_store(dx[s][k + 4], s4_0);
    v_store(dx[s][k + 5], s5_0);
}

static void h_from_input_backward_5x1(real dx[][196][L], real dy[][48][L], real w[196][48], int k, int s)
{
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero();
    for (int m = 0; m < 48; m++) {
        vec z0 = v_keep(v_load(dy[s][m]));
        vec a = v_set1(w[k][m]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(w[k + 1][m]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(w[k + 2][m]);
        s2_0 = v_fma(a, z0, s2_0);
        a = v_set1(w[k + 3][m]);
        s3_0 = v_fma(a, z0, s3_0);
        a = v_set1(w[k + 4][m]);
        s4_0 = v_fma(a, z0, s4_0);
    }
    v_store(dx[s][k], s0_0);
    v_store(dx[s][k + 1], s1_0);
    v_store(dx[s][k + 2], s2_0);
    v_store(dx[s][k + 3], s3_0);
    v_store(dx[s][k + 4], s4_0);
}

static void h_from_input_backward(front_maxpool2_t *dx, h_from_input_t *dy, real w[196][48])
{
    real (*dxs)[196][L] = (real (*)[196][L])dx;
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 18; t++) {
        int from = t % 9 * 4, to = from + 4 < 33 ? from + 4 : 33, s = t / 9;
        for (int k = from; k < to; k++) {
            if (k < 31) h_from_input_backward_6x1(dxs, dy, w, k * 6, s);
            else h_from_input_backward_5x1(dxs, dy, w, 186 + (k - 31) * 5, s);
        }
    }
}

static void h_from_input_weights_6x1(real dw[196][48], real dy[][L][16], real x[][196][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero(), s5_0 = v_zero();
    for (int s = 0; s < 2; s++)
        for (int l = 0, end = L; l < end; l++) {
            vec z0 = v_keep(v_load(dy[s * 3 + part][l]));
            vec a = v_set1(x[s][k][l]);
            s0_0 = v_fma(a, z0, s0_0);
            a = v_set1(x[s][k + 1][l]);
            s1_0 = v_fma(a, z0, s1_0);
            a = v_set1(x[s][k + 2][l]);
            s2_0 = v_fma(a, z0, s2_0);
            a = v_set1(x[s][k + 3][l]);
            s3_0 = v_fma(a, z0, s3_0);
            a = v_set1(x[s][k + 4][l]);
            s4_0 = v_fma(a, z0, s4_0);
            a = v_set1(x[s][k + 5][l]);
            s5_0 = v_fma(a, z0, s5_0);
        }
    v_storeu(&dw[k][m], s0_0);
    v_storeu(&dw[k + 1][m], s1_0);
    v_storeu(&dw[k + 2][m], s2_0);
    v_storeu(&dw[k + 3][m], s3_0);
    v_storeu(&dw[k + 4][m], s4_0);
    v_storeu(&dw[k + 5][m], s5_0);
}

static void h_from_input_weights_5x1(real dw[196][48], real dy[][L][16], real x[][196][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero();
    for (int s = 0; s < 2; s++)
        for (int l = 0, end = L; l < end; l++) {
            vec z0 = v_keep(v_load(dy[s * 3 + part][l]));
            vec a = v_set1(x[s][k][l]);
            s0_0 = v_fma(a, z0, s0_0);
            a = v_set1(x[s][k + 1][l]);
            s1_0 = v_fma(a, z0, s1_0);
            a = v_set1(x[s][k + 2][l]);
            s2_0 = v_fma(a, z0, s2_0);
            a = v_set1(x[s][k + 3][l]);
            s3_0 = v_fma(a, z0, s3_0);
            a = v_set1(x[s][k + 4][l]);
            s4_0 = v_fma(a, z0, s4_0);
        }
    v_storeu(&dw[k][m], s0_0);
    v_storeu(&dw[k + 1][m], s1_0);
    v_storeu(&dw[k + 2][m], s2_0);
    v_storeu(&dw[k + 3][m], s3_0);
    v_storeu(&dw[k + 4][m], s4_0);
}

/* db of a vec of outputs: the sum of all rows. */
static void h_from_input_bias_1(real db[48], real dy[][L][16], int part)
{
    int m = part * 16;
    vec b0 = v_zero();
    for (int s = 0; s < 2; s++)
        for (int l = 0, end = L; l < end; l++)
            b0 = v_add(b0, v_load(dy[s * 3 + part][l]));
    v_storeu(&db[m], b0);
}

/* rows: dy with the outputs side by side, 16 of an example; of one slice. */
static void h_from_input_transpose(real *rows, real *dy)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows, (*dys)[L] = (real (*)[L])dy;
    for (int part = 0; part < 3; part++) {
        int m = part * 16;
        vec square[16];
        for (int r = 0; r < 16; r++) square[r] = v_load(dys[m + r]);
        v_transpose16(square);
        for (int l = 0; l < L; l++) v_store(dyt[part][l], square[l]);
    }
}

/* dw[k][m] = sum over rows of x[k] dy[m]; db: the sum of dy.  No barrier before: a free thread begins at once. */
static void h_from_input_weights(real dw[196][48], real db[48], real *rows, front_maxpool2_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    real (*xs)[196][L] = (real (*)[196][L])x;
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 21; t++) {
        int from = t / 3 * 5, to = from + 5 < 33 ? from + 5 : 33;
        int part = t % 3;
        if (from == 0)
            h_from_input_bias_1(db, dyt, part);
        for (int k = from; k < to; k++) {
            if (k < 31) h_from_input_weights_6x1(dw, dyt, xs, k * 6, part);
            else h_from_input_weights_5x1(dw, dyt, xs, 186 + (k - 31) * 5, part);
        }
    }
}

/* ---- h_from_state: dense --------------------------------- tiny.yaml:29
 *   16 -> 48    768 parameters    768 multiply-adds an example */
/* y[s][m] = sum over k of w[k][m] x[s][k], k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 16 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void h_from_state_forward_6x1(real (*y)[L], real *panel, real *x)
{
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero(), s5_0 = v_zero();
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
        a = v_set1(panel[5]);
        s5_0 = v_fma(a, z0, s5_0);
    }
    v_store(y[0], s0_0); v_store(y[1], s1_0); v_store(y[2], s2_0); v_store(y[3], s3_0); v_store(y[4], s4_0);
    v_store(y[5], s5_0);
}

static void h_from_state_forward_5x1(real (*y)[L], real *panel, real *x)
{
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero();
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

static void h_from_state_forward(h_from_state_t *y, h_t *x, real w[16][48])
{
    _Alignas(64) real panel[16][16];
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 6; t++) {
        int m = t % 3 * 16, s0 = t / 3;
        for (int k = 0; k < 16; k++)
            v_store(panel[k], v_loadu(&w[k][m]));
        h_from_state_forward_6x1(&y[s0][m], panel[0], x[s0][0]);
        for (int l = 6; l < 16; l += 5)
            h_from_state_forward_5x1(&y[s0][m + l], &panel[0][l], x[s0][0]);
    }
}

static void h_from_state_backward_6x1(real dx[][16][L], real dy[][48][L], real w[16][48], int k, int s)
{
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero(), s5_0 = v_zero();
    for (int m = 0; m < 48; m++) {
        vec z0 = v_keep(v_load(dy[s][m]));
        vec a = v_set1(w[k][m]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(w[k + 1][m]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(w[k + 2][m]);
        s2_0 = v_fma(a, z0, s2_0);
        a = v_set1(w[k + 3][m]);
        s3_0 = v_fma(a, z0, s3_0);
        a = v_set1(w[k + 4][m]);
        s4_0 = v_fma(a, z0, s4_0);
        a = v_set1(w[k + 5][m]);
        s5_0 = v_fma(a, z0, s5_0);
    }
    v_store(dx[s][k], s0_0);
    v_store(dx[s][k + 1], s1_0);
    v_store(dx[s][k + 2], s2_0);
    v_store(dx[s][k + 3], s3_0);
    v_store(dx[s][k + 4], s4_0);
    v_store(dx[s][k + 5], s5_0);
}

static void h_from_state_backward_5x1(real dx[][16][L], real dy[][48][L], real w[16][48], int k, int s)
{
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero();
    for (int m = 0; m < 48; m++) {
        vec z0 = v_keep(v_load(dy[s][m]));
        vec a = v_set1(w[k][m]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(w[k + 1][m]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(w[k + 2][m]);
        s2_0 = v_fma(a, z0, s2_0);
        a = v_set1(w[k + 3][m]);
        s3_0 = v_fma(a, z0, s3_0);
        a = v_set1(w[k + 4][m]);
        s4_0 = v_fma(a, z0, s4_0);
    }
    v_store(dx[s][k], s0_0);
    v_store(dx[s][k + 1], s1_0);
    v_store(dx[s][k + 2], s2_0);
    v_store(dx[s][k + 3], s3_0);
    v_store(dx[s][k + 4], s4_0);
}

static void h_from_state_backward(h_t *dx, h_from_state_t *dy, real w[16][48])
{
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 6; t++) {
        int from = t % 3, s = t / 3;
        if (from < 1) h_from_state_backward_6x1(dx, dy, w, from * 6, s);
        else h_from_state_backward_5x1(dx, dy, w, 6 + (from - 1) * 5, s);
    }
}

static void h_from_state_weights_2x3(real dw[16][48], real dy[][L][16], real x[][16][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s0_1 = v_zero(), s0_2 = v_zero(), s1_0 = v_zero(), s1_1 = v_zero(), s1_2 = v_zero();
    for (int s = 0; s < 6; s++)
        for (int l = 0, end = L; l < end; l++) {
            vec a0 = v_set1(x[s][k][l]);
            vec a1 = v_set1(x[s][k + 1][l]);
            vec z = v_keep(v_load(dy[s * 3 + part][l]));
            s0_0 = v_fma(a0, z, s0_0); s1_0 = v_fma(a1, z, s1_0);
            z = v_keep(v_load(dy[s * 3 + part + 1][l]));
            s0_1 = v_fma(a0, z, s0_1); s1_1 = v_fma(a1, z, s1_1);
            z = v_keep(v_load(dy[s * 3 + part + 2][l]));
            s0_2 = v_fma(a0, z, s0_2); s1_2 = v_fma(a1, z, s1_2);
        }
    v_storeu(&dw[k][m], s0_0); v_storeu(&dw[k][m + 16], s0_1); v_storeu(&dw[k][m + 32], s0_2);
    v_storeu(&dw[k + 1][m], s1_0); v_storeu(&dw[k + 1][m + 16], s1_1); v_storeu(&dw[k + 1][m + 32], s1_2);
}

/* rows: dy with the outputs side by side, 16 of an example; of one slice. */
static void h_from_state_transpose(real *rows, real *dy)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows, (*dys)[L] = (real (*)[L])dy;
    for (int part = 0; part < 3; part++) {
        int m = part * 16;
        vec square[16];
        for (int r = 0; r < 16; r++) square[r] = v_load(dys[m + r]);
        v_transpose16(square);
        for (int l = 0; l < L; l++) v_store(dyt[part][l], square[l]);
    }
}

/* dw[k][m] = sum over rows of x[k] dy[m].  No barrier before: a free thread begins at once. */
static void h_from_state_weights(real dw[16][48], real *rows, h_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 8; t++) {
        h_from_state_weights_2x3(dw, dyt, x, t * 2, 0);
    }
}

/* ---- h: gru_gates ---------------------------------------- tiny.yaml:29
 *   48, 48, 16 -> 16 */
/* xw = W_i x and hw = W_h h with their biases, 3H vecs each, in the order r, z, n:
 *   r = sigmoid(xw_r + hw_r)     how much of the state the new value sees
 *   z = sigmoid(xw_z + hw_z)     how much of the state stays
 *   n = tanh(xw_n + r hw_n)      the new value
 *   h' = (1 - z) n + z h, as n + z (h - n)
 * r, z, n and hw_n are kept in `gates` for the gradient. */
static void h_forward(h_t h, h_gates_t gates, h_from_input_t xw, h_from_state_t hw, h_t before)
{
    enum { H = 16 };
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
    enum { H = 16 };
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

/* ---- A: dense -------------------------------------------- tiny.yaml:30
 *   16 -> 6    102 parameters    96 multiply-adds an example */
/* y[s][m] = b[m] + sum over k of w[k][m] x[s][k], k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 16 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void A_forward_6x1(real (*y)[L], real *panel, real *x, real *b)
{
    vec s0_0 = v_set1(b[0]), s1_0 = v_set1(b[1]), s2_0 = v_set1(b[2]), s3_0 = v_set1(b[3]), s4_0 = v_set1(b[4]),
        s5_0 = v_set1(b[5]);
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
        a = v_set1(panel[5]);
        s5_0 = v_fma(a, z0, s5_0);
    }
    v_store(y[0], s0_0); v_store(y[1], s1_0); v_store(y[2], s2_0); v_store(y[3], s3_0); v_store(y[4], s4_0);
    v_store(y[5], s5_0);
}

static void A_forward(A_t *y, h_t *x, real w[16][16], real b[16])
{
    _Alignas(64) real panel[16][16];
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 6; t++) {
        for (int k = 0; k < 16; k++)
            v_store(panel[k], v_loadu(&w[k][0]));
        A_forward_6x1(&y[t][0], panel[0], x[t][0], &b[0]);
    }
}

static void A_backward_2x3(real dx[][16][L], real dy[][6][L], real w[16][16], int k, int s)
{
    vec s0_0 = v_zero(), s0_1 = v_zero(), s0_2 = v_zero(), s1_0 = v_zero(), s1_1 = v_zero(), s1_2 = v_zero();
    for (int m = 0; m < 6; m++) {
        vec a0 = v_set1(w[k][m]);
        vec a1 = v_set1(w[k + 1][m]);
        vec z = v_keep(v_load(dy[s][m]));
        s0_0 = v_fma(a0, z, s0_0); s1_0 = v_fma(a1, z, s1_0);
        z = v_keep(v_load(dy[s + 1][m]));
        s0_1 = v_fma(a0, z, s0_1); s1_1 = v_fma(a1, z, s1_1);
        z = v_keep(v_load(dy[s + 2][m]));
        s0_2 = v_fma(a0, z, s0_2); s1_2 = v_fma(a1, z, s1_2);
    }
    v_store(dx[s][k], s0_0); v_store(dx[s + 1][k], s0_1); v_store(dx[s + 2][k], s0_2);
    v_store(dx[s][k + 1], s1_0); v_store(dx[s + 1][k + 1], s1_1); v_store(dx[s + 2][k + 1], s1_2);
}

static void A_backward(h_t *dx, A_t *dy, real w[16][16])
{
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 16; t++) {
        int from = t % 8, s = t / 8;
        A_backward_2x3(dx, dy, w, from * 2, s * 3);
    }
}

static void A_weights_6x1(real dw[16][16], real dy[][L][16], real x[][16][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero(), s5_0 = v_zero();
    for (int s = 0; s < 6; s++)
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
            a = v_set1(x[s][k + 4][l]);
            s4_0 = v_fma(a, z0, s4_0);
            a = v_set1(x[s][k + 5][l]);
            s5_0 = v_fma(a, z0, s5_0);
        }
    v_storeu(&dw[k][m], s0_0);
    v_storeu(&dw[k + 1][m], s1_0);
    v_storeu(&dw[k + 2][m], s2_0);
    v_storeu(&dw[k + 3][m], s3_0);
    v_storeu(&dw[k + 4][m], s4_0);
    v_storeu(&dw[k + 5][m], s5_0);
}

static void A_weights_5x1(real dw[16][16], real dy[][L][16], real x[][16][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero();
    for (int s = 0; s < 6; s++)
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
            a = v_set1(x[s][k + 4][l]);
            s4_0 = v_fma(a, z0, s4_0);
        }
    v_storeu(&dw[k][m], s0_0);
    v_storeu(&dw[k + 1][m], s1_0);
    v_storeu(&dw[k + 2][m], s2_0);
    v_storeu(&dw[k + 3][m], s3_0);
    v_storeu(&dw[k + 4][m], s4_0);
}

/* db of a vec of outputs: the sum of all rows. */
static void A_bias_1(real db[16], real dy[][L][16], int part)
{
    int m = part * 16;
    vec b0 = v_zero();
    for (int s = 0; s < 6; s++)
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
static void A_weights(real dw[16][16], real db[16], real *rows, h_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 3; t++) {
        if (t == 0)
            A_bias_1(db, dyt, 0);
        if (t < 1) A_weights_6x1(dw, dyt, x, t * 6, 0);
        else A_weights_5x1(dw, dyt, x, 6 + (t - 1) * 5, 0);
    }
}

/* ---- crop: spn ------------------------------------------- tiny.yaml:31
 *   1x100x100, 6 -> 1x20x20 */
/* The grid: where the columns (x) and the rows (y) of the output lie, the image's corners being at -1 and 1. */
static const real crop_x[20] = {
    -1, -0.89473684210526316, -0.78947368421052633, -0.68421052631578949, -0.57894736842105265,
    -0.47368421052631582, -0.36842105263157898, -0.26315789473684215, -0.15789473684210531, -0.052631578947368474,
    0.052631578947368363, 0.15789473684210531, 0.26315789473684204, 0.36842105263157898, 0.47368421052631571,
    0.57894736842105265, 0.68421052631578938, 0.78947368421052633, 0.89473684210526305, 1,
};
static const real crop_y[20] = {
    -1, -0.89473684210526316, -0.78947368421052633, -0.68421052631578949, -0.57894736842105265,
    -0.47368421052631582, -0.36842105263157898, -0.26315789473684215, -0.15789473684210531, -0.052631578947368474,
    0.052631578947368363, 0.15789473684210531, 0.26315789473684204, 0.36842105263157898, 0.47368421052631571,
    0.57894736842105265, 0.68421052631578938, 0.78947368421052633, 0.89473684210526305, 1,
};

/* Where lane l's pixel (row, column) lies in its channel of an image [L][C][H][W]. */
static inline ivec crop_pixel(ivec row, ivec column)
{
    ivec pixel = iv_add(iv_mul(row, iv_set1(100)), column);
    return iv_add(iv_mul(iv_iota(), iv_set1(10000)), pixel);
}

/* y[c][i][j] = image[c] read at the point
 *   x_s = A[0] x[j] + (A[1] y[i] + A[2])
 *   y_s = A[3] x[j] + (A[4] y[i] + A[5])
 * bilinearly, between the two rows and two columns of pixels around it (sampler.h; BORDER_ZERO).  A is [6][L]: each
 * lane has a window of its own, so its pixels are gathered, the two of a row as one word of four bytes.  Pixels a b lie
 * above e f.  Kept for backward: the slopes of y[c][i][j] along the columns (slopes[0]) and the rows (slopes[1]) of
 * pixels. */
static void crop_forward(crop_t y, crop_slopes_t slopes, image_bytes_t image, A_t A)
{
    enum { C = 1, H = 100, W = 100, Ho = 20, Wo = 20 };
    for (int i = 0; i < Ho; i++) {
        const vec gy = v_set1(crop_y[i]);
        const vec x0 = v_fma(v_load(A[1]), gy, v_load(A[2]));
        const vec y0 = v_fma(v_load(A[4]), gy, v_load(A[5]));
        for (int j = 0; j < Wo; j++) {
            const vec gx = v_set1(crop_x[j]);
            SamplerAxis column = sampler_axis(v_fma(v_load(A[0]), gx, x0), W, BORDER_ZERO);
            SamplerAxis row = sampler_axis(v_fma(v_load(A[3]), gx, y0), H, BORDER_ZERO);
            ivec upper_at = crop_pixel(row.low, column.low), lower_at = crop_pixel(row.high, column.low);
            mask edge = iv_eq(column.low, column.high);       /* both columns are the same one */
            for (int c = 0; c < C; c++) {
                ivec ab = iv_gather_u32(image[0][c][0], upper_at), ef = iv_gather_u32(image[0][c][0], lower_at);
                vec a = v_from_byte(ab), b = v_from_byte(iv_select(edge, ab, iv_shr(ab, 8)));
                vec e = v_from_byte(ef), f = v_from_byte(iv_select(edge, ef, iv_shr(ef, 8)));
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
    enum { C = 1, H = 100, W = 100, Ho = 20, Wo = 20 };
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
    enum { H = 100, W = 100, Ho = 20, Wo = 20 };
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

/* ---- classify_conv1: conv_pool --------------------------- tiny.yaml:20
 *   1x20x20 -> 8x9x9    80 parameters    23,328 multiply-adds an example
 *   classify_conv1, relu and classify_maxpool1 (line 21) in one */
/* y[m][i][j] = max(0, the largest of the four sums s[r][q], r, q in {0, 1}, of the window), in each lane, where
 *   s[r][q] = b[m] + sum over kh, kw of w[m][kh][kw] x[2i + r + kh][2j + q + kw]
 * The nine weights of a filter and the 4x4 patch of x that a window needs stay in registers; the map s is never stored.
 * A NaN among the four makes y NaN.
 * Kept for the gradient: which of the four won (the first on a tie), column bit and row bit, a mask of lanes each. */
static void classify_conv1_forward(classify_maxpool1_t y, classify_maxpool1_winner_t winner, crop_t x,
    real w[8][1][3][3], real b[8])
{
    for (int i = 0; i < 9; i++)
        for (int m = 0; m < 8; m++) {
            const vec bias = v_set1(b[m]);
            const vec w00 = v_set1(w[m][0][0][0]), w01 = v_set1(w[m][0][0][1]), w02 = v_set1(w[m][0][0][2]);
            const vec w10 = v_set1(w[m][0][1][0]), w11 = v_set1(w[m][0][1][1]), w12 = v_set1(w[m][0][1][2]);
            const vec w20 = v_set1(w[m][0][2][0]), w21 = v_set1(w[m][0][2][1]), w22 = v_set1(w[m][0][2][2]);
            for (int j = 0; j < 9; j++) {
                vec x00 = v_load(x[0][2 * i][2 * j]), x01 = v_load(x[0][2 * i][2 * j + 1]),
                    x02 = v_load(x[0][2 * i][2 * j + 2]), x03 = v_load(x[0][2 * i][2 * j + 3]);
                vec x10 = v_load(x[0][2 * i + 1][2 * j]), x11 = v_load(x[0][2 * i + 1][2 * j + 1]),
                    x12 = v_load(x[0][2 * i + 1][2 * j + 2]), x13 = v_load(x[0][2 * i + 1][2 * j + 3]);
                vec x20 = v_load(x[0][2 * i + 2][2 * j]), x21 = v_load(x[0][2 * i + 2][2 * j + 1]),
                    x22 = v_load(x[0][2 * i + 2][2 * j + 2]), x23 = v_load(x[0][2 * i + 2][2 * j + 3]);
                vec x30 = v_load(x[0][2 * i + 3][2 * j]), x31 = v_load(x[0][2 * i + 3][2 * j + 1]),
                    x32 = v_load(x[0][2 * i + 3][2 * j + 2]), x33 = v_load(x[0][2 * i + 3][2 * j + 3]);
                vec s00 = bias, s01 = bias, s10 = bias, s11 = bias;
                s00 = v_fma(w00, x00, s00), s01 = v_fma(w00, x01, s01), s10 = v_fma(w00, x10, s10),
                    s11 = v_fma(w00, x11, s11);
                s00 = v_fma(w01, x01, s00), s01 = v_fma(w01, x02, s01), s10 = v_fma(w01, x11, s10),
                    s11 = v_fma(w01, x12, s11);
                s00 = v_fma(w02, x02, s00), s01 = v_fma(w02, x03, s01), s10 = v_fma(w02, x12, s10),
                    s11 = v_fma(w02, x13, s11);
                s00 = v_fma(w10, x10, s00), s01 = v_fma(w10, x11, s01), s10 = v_fma(w10, x20, s10),
                    s11 = v_fma(w10, x21, s11);
                s00 = v_fma(w11, x11, s00), s01 = v_fma(w11, x12, s01), s10 = v_fma(w11, x21, s10),
                    s11 = v_fma(w11, x22, s11);
                s00 = v_fma(w12, x12, s00), s01 = v_fma(w12, x13, s01), s10 = v_fma(w12, x22, s10),
                    s11 = v_fma(w12, x23, s11);
                s00 = v_fma(w20, x20, s00), s01 = v_fma(w20, x21, s01), s10 = v_fma(w20, x30, s10),
                    s11 = v_fma(w20, x31, s11);
                s00 = v_fma(w21, x21, s00), s01 = v_fma(w21, x22, s01), s10 = v_fma(w21, x31, s10),
                    s11 = v_fma(w21, x32, s11);
                s00 = v_fma(w22, x22, s00), s01 = v_fma(w22, x23, s01), s10 = v_fma(w22, x32, s10),
                    s11 = v_fma(w22, x33, s11);
                const mask nan = m_or(v_unordered(s00, s01), v_unordered(s10, s11));
                mask right0 = v_gt(s01, s00), right1 = v_gt(s11, s10);
                vec top = v_max(s01, s00), low = v_max(s11, s10);
                mask lower = v_gt(low, top);
                winner[m][i][j][0] = m_bits(m_or(m_and(lower, right1), m_andnot(lower, right0)));
                winner[m][i][j][1] = m_bits(lower);
                v_store(y[m][i][j], v_select(nan, v_set1(NAN), v_max(v_zero(), v_max(low, top))));
            }
        }
}

/* dx: each positive y hands its gradient d to the 3x3 patch of x below its winner.  Lanes have different winners, so
 * the patch is laid into the window's 4x4 by choosing, per lane, the weight of each column, and d in the rows of the
 * winner, 0 in the other.  Columns slide: two of the four are finished and stored at each step.  Filters are added four
 * at a time, in order. */
static inline void classify_conv1_backward_4(crop_t dx, classify_maxpool1_t dy, classify_maxpool1_winner_t winner,
    classify_maxpool1_t y, real w[8][1][3][3], int i, int m)
{
    vec p00 = v_load(dx[0][2 * i][0]), p01 = v_load(dx[0][2 * i][1]), p02, p03;
    vec p10 = v_load(dx[0][2 * i + 1][0]), p11 = v_load(dx[0][2 * i + 1][1]), p12, p13;
    vec p20 = v_load(dx[0][2 * i + 2][0]), p21 = v_load(dx[0][2 * i + 2][1]), p22, p23;
    vec p30 = v_load(dx[0][2 * i + 3][0]), p31 = v_load(dx[0][2 * i + 3][1]), p32, p33;
    for (int j = 0; j < 9; j++) {
        p02 = v_load(dx[0][2 * i][2 * j + 2]), p03 = v_load(dx[0][2 * i][2 * j + 3]);
        p12 = v_load(dx[0][2 * i + 1][2 * j + 2]), p13 = v_load(dx[0][2 * i + 1][2 * j + 3]);
        p22 = v_load(dx[0][2 * i + 2][2 * j + 2]), p23 = v_load(dx[0][2 * i + 2][2 * j + 3]);
        p32 = v_load(dx[0][2 * i + 3][2 * j + 2]), p33 = v_load(dx[0][2 * i + 3][2 * j + 3]);
        for (int f = m; f < m + 4; f++) {
            vec d = v_zero_unless(v_gt(v_load(y[f][i][j]), v_zero()), v_load(dy[f][i][j]));
            mask right = m_from(winner[f][i][j][0]), lower = m_from(winner[f][i][j][1]);
            vec high = v_zero_unless(m_not(lower), d), low = v_zero_unless(lower, d);
            {
                vec a = v_set1(w[f][0][0][0]), b = v_set1(w[f][0][0][1]), c = v_set1(w[f][0][0][2]);
                vec k0 = v_zero_unless(m_not(right), a), k1 = v_select(right, a, b), k2 = v_select(right, b, c),
                    k3 = v_zero_unless(right, c);
                p00 = v_fma(high, k0, p00), p10 = v_fma(low, k0, p10);
                p01 = v_fma(high, k1, p01), p11 = v_fma(low, k1, p11);
                p02 = v_fma(high, k2, p02), p12 = v_fma(low, k2, p12);
                p03 = v_fma(high, k3, p03), p13 = v_fma(low, k3, p13);
            }
            {
                vec a = v_set1(w[f][0][1][0]), b = v_set1(w[f][0][1][1]), c = v_set1(w[f][0][1][2]);
                vec k0 = v_zero_unless(m_not(right), a), k1 = v_select(right, a, b), k2 = v_select(right, b, c),
                    k3 = v_zero_unless(right, c);
                p10 = v_fma(high, k0, p10), p20 = v_fma(low, k0, p20);
                p11 = v_fma(high, k1, p11), p21 = v_fma(low, k1, p21);
                p12 = v_fma(high, k2, p12), p22 = v_fma(low, k2, p22);
                p13 = v_fma(high, k3, p13), p23 = v_fma(low, k3, p23);
            }
            {
                vec a = v_set1(w[f][0][2][0]), b = v_set1(w[f][0][2][1]), c = v_set1(w[f][0][2][2]);
                vec k0 = v_zero_unless(m_not(right), a), k1 = v_select(right, a, b), k2 = v_select(right, b, c),
                    k3 = v_zero_unless(right, c);
                p20 = v_fma(high, k0, p20), p30 = v_fma(low, k0, p30);
                p21 = v_fma(high, k1, p21), p31 = v_fma(low, k1, p31);
                p22 = v_fma(high, k2, p22), p32 = v_fma(low, k2, p32);
                p23 = v_fma(high, k3, p23), p33 = v_fma(low, k3, p33);
            }
        }
        v_store(dx[0][2 * i][2 * j], p00), v_store(dx[0][2 * i][2 * j + 1], p01), p00 = p02, p01 = p03;
        v_store(dx[0][2 * i + 1][2 * j], p10), v_store(dx[0][2 * i + 1][2 * j + 1], p11), p10 = p12, p11 = p13;
        v_store(dx[0][2 * i + 2][2 * j], p20), v_store(dx[0][2 * i + 2][2 * j + 1], p21), p20 = p22, p21 = p23;
        v_store(dx[0][2 * i + 3][2 * j], p30), v_store(dx[0][2 * i + 3][2 * j + 1], p31), p30 = p32, p31 = p33;
    }
    v_store(dx[0][2 * i][18], p00), v_store(dx[0][2 * i][19], p01);
    v_store(dx[0][2 * i + 1][18], p10), v_store(dx[0][2 * i + 1][19], p11);
    v_store(dx[0][2 * i + 2][18], p20), v_store(dx[0][2 * i + 2][19], p21);
    v_store(dx[0][2 * i + 3][18], p30), v_store(dx[0][2 * i + 3][19], p31);
}

static void classify_conv1_backward(crop_t dx, classify_maxpool1_t dy, classify_maxpool1_winner_t winner,
    classify_maxpool1_t y, real w[8][1][3][3])
{
    memset(dx, 0, sizeof(crop_t));
    for (int i = 0; i < 9; i++) {
        for (int m = 0; m < 8; m += 4)
            classify_conv1_backward_4(dx, dy, winner, y, w, i, m);
    }
}

/* dw[m][kh][kw] = sum over windows of d x[at the winner + (kh, kw)], db[m] = sum of d, with d = dy where y > 0:
 * row-major over the windows in each lane, then the lanes by v_sum's tree.  Nothing is unpooled: each lane picks its
 * winner's 3x3 out of the window's 4x4. */
static void classify_conv1_weights(real dw[8][1][3][3], real db[8], classify_maxpool1_t dy,
    classify_maxpool1_winner_t winner, classify_maxpool1_t y, crop_t x)
{
    for (int m = 0; m < 8; m++) {
        vec bias = v_zero();
        vec w00 = v_zero(), w01 = v_zero(), w02 = v_zero();
        vec w10 = v_zero(), w11 = v_zero(), w12 = v_zero();
        vec w20 = v_zero(), w21 = v_zero(), w22 = v_zero();
        for (int i = 0; i < 9; i++)
            for (int j = 0; j < 9; j++) {
                vec d = v_zero_unless(v_gt(v_load(y[m][i][j]), v_zero()), v_load(dy[m][i][j]));
                mask right = m_from(winner[m][i][j][0]), lower = m_from(winner[m][i][j][1]);
                bias = v_add(bias, d);
                vec x01 = v_load(x[0][2 * i][2 * j + 1]), x02 = v_load(x[0][2 * i][2 * j + 2]);
                vec c00 = v_select(right, x01, v_load(x[0][2 * i][2 * j])), c01 = v_select(right, x02, x01),
                    c02 = v_select(right, v_load(x[0][2 * i][2 * j + 3]), x02);
                vec x11 = v_load(x[0][2 * i + 1][2 * j + 1]), x12 = v_load(x[0][2 * i + 1][2 * j + 2]);
                vec c10 = v_select(right, x11, v_load(x[0][2 * i + 1][2 * j])), c11 = v_select(right, x12, x11),
                    c12 = v_select(right, v_load(x[0][2 * i + 1][2 * j + 3]), x12);
                vec x21 = v_load(x[0][2 * i + 2][2 * j + 1]), x22 = v_load(x[0][2 * i + 2][2 * j + 2]);
                vec c20 = v_select(right, x21, v_load(x[0][2 * i + 2][2 * j])), c21 = v_select(right, x22, x21),
                    c22 = v_select(right, v_load(x[0][2 * i + 2][2 * j + 3]), x22);
                vec x31 = v_load(x[0][2 * i + 3][2 * j + 1]), x32 = v_load(x[0][2 * i + 3][2 * j + 2]);
                vec c30 = v_select(right, x31, v_load(x[0][2 * i + 3][2 * j])), c31 = v_select(right, x32, x31),
                    c32 = v_select(right, v_load(x[0][2 * i + 3][2 * j + 3]), x32);
                w00 = v_fma(d, v_select(lower, c10, c00), w00), w01 = v_fma(d, v_select(lower, c11, c01), w01),
                    w02 = v_fma(d, v_select(lower, c12, c02), w02);
                w10 = v_fma(d, v_select(lower, c20, c10), w10), w11 = v_fma(d, v_select(lower, c21, c11), w11),
                    w12 = v_fma(d, v_select(lower, c22, c12), w12);
                w20 = v_fma(d, v_select(lower, c30, c20), w20), w21 = v_fma(d, v_select(lower, c31, c21), w21),
                    w22 = v_fma(d, v_select(lower, c32, c22), w22);
            }
        db[m] = v_sum(bias);
        dw[m][0][0][0] = v_sum(w00), dw[m][0][0][1] = v_sum(w01), dw[m][0][0][2] = v_sum(w02);
        dw[m][0][1][0] = v_sum(w10), dw[m][0][1][1] = v_sum(w11), dw[m][0][1][2] = v_sum(w12);
        dw[m][0][2][0] = v_sum(w20), dw[m][0][2][1] = v_sum(w21), dw[m][0][2][2] = v_sum(w22);
    }
}

/* ---- classify_dense1: dense ------------------------------ tiny.yaml:22
 *   8x9x9 -> 10    6,490 parameters    6,480 multiply-adds an example */
/* y[s][m] = b[m] + sum over k of w[k][m] x[s][k], k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 384 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void classify_dense1_forward_5x1(real (*y)[L], real *panel, real *x, real *b, int k0, int k1)
{
    vec s0_0 = v_set1(b[0]), s1_0 = v_set1(b[1]), s2_0 = v_set1(b[2]), s3_0 = v_set1(b[3]), s4_0 = v_set1(b[4]);
    if (k0 > 0) {
        s0_0 = v_load(y[0]); s1_0 = v_load(y[1]); s2_0 = v_load(y[2]); s3_0 = v_load(y[3]); s4_0 = v_load(y[4]);
    }
    for (int k = k0; k < k1; k++, x += L, panel += 16) {
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

static void classify_dense1_forward(classify_dense1_t *y, classify_maxpool1_t *x, real w[648][16], real b[16])
{
    real (*xs)[648][L] = (real (*)[648][L])x;
    _Alignas(64) real panel[384][16];
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 6; t++) {
        for (int k0 = 0; k0 < 648; k0 += 384) {
            int k1 = k0 + 384 < 648 ? k0 + 384 : 648;
            for (int k = k0; k < k1; k++)
                v_store(panel[k - k0], v_loadu(&w[k][0]));
            for (int l = 0; l < 10; l += 5)
                classify_dense1_forward_5x1(&y[t][l], &panel[0][l], xs[t][k0], &b[l], k0, k1);
        }
    }
}

static void classify_dense1_backward_2x3(real dx[][648][L], real dy[][10][L], real w[648][16], int k, int s)
{
    vec s0_0 = v_zero(), s0_1 = v_zero(), s0_2 = v_zero(), s1_0 = v_zero(), s1_1 = v_zero(), s1_2 = v_zero();
    for (int m = 0; m < 10; m++) {
        vec a0 = v_set1(w[k][m]);
        vec a1 = v_set1(w[k + 1][m]);
        vec z = v_keep(v_load(dy[s][m]));
        s0_0 = v_fma(a0, z, s0_0); s1_0 = v_fma(a1, z, s1_0);
        z = v_keep(v_load(dy[s + 1][m]));
        s0_1 = v_fma(a0, z, s0_1); s1_1 = v_fma(a1, z, s1_1);
        z = v_keep(v_load(dy[s + 2][m]));
        s0_2 = v_fma(a0, z, s0_2); s1_2 = v_fma(a1, z, s1_2);
    }
    v_store(dx[s][k], s0_0); v_store(dx[s + 1][k], s0_1); v_store(dx[s + 2][k], s0_2);
    v_store(dx[s][k + 1], s1_0); v_store(dx[s + 1][k + 1], s1_1); v_store(dx[s + 2][k + 1], s1_2);
}

static void classify_dense1_backward(classify_maxpool1_t *dx, classify_dense1_t *dy, real w[648][16])
{
    real (*dxs)[648][L] = (real (*)[648][L])dx;
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 42; t++) {
        int from = t % 21 * 16, to = from + 16 < 324 ? from + 16 : 324, s = t / 21;
        for (int k = from; k < to; k++)
            classify_dense1_backward_2x3(dxs, dy, w, k * 2, s * 3);
    }
}

static void classify_dense1_weights_6x1(real dw[648][16], real dy[][L][16], real x[][648][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero(), s3_0 = v_zero(), s4_0 = v_zero(), s5_0 = v_zero();
    for (int s = 0; s < 6; s++)
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
            a = v_set1(x[s][k + 4][l]);
            s4_0 = v_fma(a, z0, s4_0);
            a = v_set1(x[s][k + 5][l]);
            s5_0 = v_fma(a, z0, s5_0);
        }
    v_storeu(&dw[k][m], s0_0);
    v_storeu(&dw[k + 1][m], s1_0);
    v_storeu(&dw[k + 2][m], s2_0);
    v_storeu(&dw[k + 3][m], s3_0);
    v_storeu(&dw[k + 4][m], s4_0);
    v_storeu(&dw[k + 5][m], s5_0);
}

/* db of a vec of outputs: the sum of all rows. */
static void classify_dense1_bias_1(real db[16], real dy[][L][16], int part)
{
    int m = part * 16;
    vec b0 = v_zero();
    for (int s = 0; s < 6; s++)
        for (int l = 0, end = L; l < end; l++)
            b0 = v_add(b0, v_load(dy[s + part][l]));
    v_storeu(&db[m], b0);
}

/* rows: dy with the outputs side by side, 16 of an example; of one slice. */
static void classify_dense1_transpose(real *rows, real *dy)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows, (*dys)[L] = (real (*)[L])dy;
    vec square[16];
    for (int r = 0; r < 16; r++) square[r] = r < 10 ? v_load(dys[r]) : v_zero();
    v_transpose16(square);
    for (int l = 0; l < L; l++) v_store(dyt[0][l], square[l]);
}

/* dw[k][m] = sum over rows of x[k] dy[m]; db: the sum of dy.  No barrier before: a free thread begins at once. */
static void classify_dense1_weights(real dw[648][16], real db[16], real *rows, classify_maxpool1_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    real (*xs)[648][L] = (real (*)[648][L])x;
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 18; t++) {
        int from = t * 6, to = from + 6;
        if (from == 0)
            classify_dense1_bias_1(db, dyt, 0);
        for (int k = from; k < to; k++)
            classify_dense1_weights_6x1(dw, dyt, xs, k * 6, 0);
    }
}

/* ---- cross_entropy1: cross_entropy ----------------------- tiny.yaml:34
 *   10, 3 -> 1 */
/* With p = softmax(x) and y the label, in every lane
 *   loss = sum over the P positions of -log p_y, where -log p_y = log(sum over k of exp(x_k - m)) - (x_y - m)
 * m = max x keeps exp from overflowing and changes nothing else. */
static void cross_entropy1_forward(real *loss, real *x, int32_t *label)
{
    enum { P = 1, K = 10 };
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
    enum { P = 1, K = 10 };
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

/* ---- sum_d_h_total: sum ---------------------------------- tiny.yaml:27
 *   16, 16, 16 -> 16 */
/* y = x1 + x2 + x3 */
static inline vec sum_d_h_total_value(vec x1, vec x2, vec x3)
{
    const vec t1 = v_add(x1, x2);
    return v_add(t1, x3);
}

static void sum_d_h_total_forward(real *y, real *x1, real *x2, real *x3)
{
    for (int i = 0; i < 16; i++) {
        v_store(y + i * L, sum_d_h_total_value(v_load(x1 + i * L), v_load(x2 + i * L), v_load(x3 + i * L)));
    }
}

/* ---- sum_d_h_from_input_2: sum_steps --------------------- tiny.yaml:29
 *   48 -> 48 */
/* y = x of step 0 + x of step 1 + ... in that order; a step lies G groups after the one before. */
static void sum_d_h_from_input_2_forward(d_h_from_input_2_t y, d_h_from_input_t *x)
{
    enum { T = 3 };
    real *sum = (real *)y;
    for (int i = 0; i < 48 * L; i += L) {
        vec s = v_load((real *)x + i);
        for (int t = 1; t < T; t++)
            s = v_add(s, v_load((real *)&x[t * 2] + i));
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
#define MEMORY ((size_t)297312)     /* reals */
#define SCRATCH ((size_t)160000)     /* reals of each thread */
static struct {
    image_bytes_slot *image_bytes;
        /* [0 .. G)  1x100x100: reals 0 to 80032, 313 KiB; with classify_dense1, loss1, d_classify_dense1,
         * d_classify_dense1_rows, d_classify_maxpool1, d_classify_conv1_weight_part, d_classify_conv1_bias_part, d_A,
         * d_A_rows, d_h, d_h_from_input, d_h_from_state, d_h_2, d_h_from_state_rows, d_h_3, d_h_from_input_2,
         * d_h_from_input_rows, d_front_maxpool2, d_front_conv1_weight_part, d_front_conv1_bias_part */
    front_maxpool1_t *front_maxpool1;       /* [0 .. G)  1x25x25: reals 257440 to 277440, 78 KiB */
    front_maxpool2_t *front_maxpool2;       /* [0 .. G)  4x7x7: reals 277440 to 283712, 24 KiB */
    h_t *h;                                 /* [-G .. 3G)  16: reals 293792 to 295840, 8.0 KiB, [0] at 294304 */
    front_maxpool2_winner_slot *front_maxpool2_winner; /* [0 .. G)  4x7x7x4: reals 295840 to 296640, 3.1 KiB */
    digits_t *digits;                       /* [0 .. G)  3: reals 297216 to 297312, 384 bytes */
    h_from_input_t *h_from_input;           /* [0 .. G)  48: reals 80032 to 81568, 6.0 KiB; with crop_slopes */
    h_from_state_t *h_from_state;           /* [0 .. G)  48: reals 81568 to 83104, 6.0 KiB; with crop_slopes */
    h_gates_t *h_gates;                     /* [0 .. 3G)  4x16: reals 283712 to 289856, 24 KiB */
    A_t *A;                                 /* [0 .. 3G)  6: reals 296640 to 297216, 2.2 KiB */
    crop_slopes_t *crop_slopes;
        /* [0 .. 3G)  2x1x20x20: reals 80032 to 156832, 300 KiB; with h_from_input, h_from_state */
    classify_maxpool1_t *classify_maxpool1; /* [0 .. 3G)  8x9x9: reals 156832 to 219040, 243 KiB */
    crop_t *crop;                           /* [0 .. 3G)  1x20x20: reals 219040 to 257440, 150 KiB */
    classify_maxpool1_winner_slot *classify_maxpool1_winner; /* [0 .. 3G)  8x9x9x2: reals 289856 to 293792, 15 KiB */
    classify_dense1_t *classify_dense1;     /* [0 .. 3G)  10: reals 65280 to 66240, 3.8 KiB; with image_bytes */
    loss1_t *loss1;                         /* [0 .. 3G)  1: reals 67296 to 67392, 384 bytes; with image_bytes */
    real (*d_classify_dense1_rows)[256];
        /* [0 .. 3G)  a kernel's own layout: reals 62208 to 63744, 6.0 KiB; with image_bytes */
    d_classify_dense1_t *d_classify_dense1;
        /* [0 .. 3G)  10: by cross_entropy1; reals 63744 to 64704, 3.8 KiB; with d_A_rows, image_bytes */
    d_classify_maxpool1_t *d_classify_maxpool1;
        /* [0 .. 3G)  8x9x9: by classify_dense1; reals 0 to 62208, 243 KiB; with d_h, d_h_from_input, d_h_from_state,
         * d_h_2, d_h_from_state_rows, d_h_3, d_h_from_input_2, d_h_from_input_rows, d_front_maxpool2,
         * d_front_conv1_weight_part, d_front_conv1_bias_part, image_bytes */
    real (*d_A_rows)[256];
        /* [0 .. 3G)  a kernel's own layout: reals 63744 to 65280, 6.0 KiB; with d_classify_dense1, image_bytes */
    d_A_t *d_A;                             /* [0 .. 3G)  6: by crop; reals 66240 to 66816, 2.2 KiB; with image_bytes */
    d_classify_conv1_weight_part_slot *d_classify_conv1_weight_part;
        /* [0 .. 3G)  8x1x3x3: reals 66816 to 67296, 1.9 KiB; with image_bytes */
    d_classify_conv1_bias_part_slot *d_classify_conv1_bias_part;
        /* [0 .. 3G)  8: reals 67392 to 67488, 384 bytes; with image_bytes */
    d_h_t *d_h;
        /* [0 .. 3G)  16: by A; reals 4608 to 6144, 6.0 KiB; with d_classify_maxpool1, d_front_maxpool2, image_bytes */
    d_h_2_t *d_h_2;
        /* [0 .. G)  16: by h, for the step before; reals 12416 to 12928, 2.0 KiB; with d_classify_maxpool1,
         * d_h_from_input_rows, image_bytes */
    d_h_3_t *d_h_3;
        /* [0 .. G)  16: by h_from_state, for the step before; reals 12928 to 13440, 2.0 KiB; with d_classify_maxpool1,
         * d_h_from_input_rows, image_bytes */
    d_h_from_input_t *d_h_from_input;
        /* [0 .. 3G)  48: by h; reals 0 to 4608, 18 KiB; with d_classify_maxpool1, d_front_maxpool2, image_bytes */
    real (*d_h_from_state_rows)[768];
        /* [0 .. 3G)  a kernel's own layout: reals 6272 to 10880, 18 KiB; with d_classify_maxpool1, image_bytes */
    d_h_from_state_t *d_h_from_state;
        /* [0 .. G)  48: by h; reals 10880 to 12416, 6.0 KiB; with d_classify_maxpool1, d_h_from_input_2,
         * d_front_conv1_weight_part, d_front_conv1_bias_part, image_bytes */
    d_h_from_input_2_t *d_h_from_input_2;
        /* [0 .. G)  48: d_h_from_input of all steps; reals 10880 to 12416, 6.0 KiB; with d_classify_maxpool1,
         * d_h_from_state, d_front_conv1_weight_part, d_front_conv1_bias_part, image_bytes */
    real (*d_h_from_input_rows)[768];
        /* [0 .. G)  a kernel's own layout: reals 12416 to 13952, 6.0 KiB; with d_classify_maxpool1, d_h_2, d_h_3,
         * image_bytes */
    d_front_maxpool2_t *d_front_maxpool2;
        /* [0 .. G)  4x7x7: by h_from_input; reals 0 to 6272, 24 KiB; with d_classify_maxpool1, d_h, d_h_from_input,
         * image_bytes */
    d_front_conv1_weight_part_slot *d_front_conv1_weight_part;
        /* [0 .. G)  4x1x3x3: reals 10880 to 10976, 384 bytes; with d_classify_maxpool1, d_h_from_state,
         * d_h_from_input_2, image_bytes */
    d_front_conv1_bias_part_slot *d_front_conv1_bias_part;
        /* [0 .. G)  4: reals 10976 to 11008, 128 bytes; with d_classify_maxpool1, d_h_from_state, d_h_from_input_2,
         * image_bytes */
} v;

/* What lives only within one group's phase: in the scratch of its thread, planned as the block is. */
typedef struct {
    image_t *image;
        /* 1x100x100: reals 0 to 160000, 625 KiB; with front_conv1, d_crop, d_h_total, d_front_conv1_sum */
    front_conv1_t *front_conv1;
        /* 4x23x23: reals 0 to 33856, 132 KiB; with image, d_crop, d_h_total, d_front_conv1_sum */
    d_crop_t *d_crop;
        /* 1x20x20: by classify_conv1; reals 0 to 6400, 25 KiB; with image, front_conv1, d_h_total, d_front_conv1_sum */
    d_h_total_t *d_h_total;
        /* 16: d_h + d_h_2 of the next step + d_h_3 of the next step; reals 0 to 256, 1.0 KiB; with image, front_conv1,
         * d_crop, d_front_conv1_sum */
    d_front_conv1_sum_t *d_front_conv1_sum;
        /* 4x23x23: by front_maxpool2; reals 0 to 33856, 132 KiB; with image, front_conv1, d_crop, d_h_total */
} Scratch;
static real *scratch_memory;
static Scratch *scratches;      /* one a thread */
static inline const Scratch *scratch_of_thread(void) { return &scratches[omp_get_thread_num()]; }

/* Lays the tensors into the memory. */
static void lay_out(void)
{
    v.image_bytes = (void *)memory;
    v.front_maxpool1 = (void *)(memory + 257440);
    v.front_maxpool2 = (void *)(memory + 277440);
    v.h = (void *)(memory + 294304);
    v.front_maxpool2_winner = (void *)(memory + 295840);
    v.digits = (void *)(memory + 297216);
    v.h_from_input = (void *)(memory + 80032);
    v.h_from_state = (void *)(memory + 81568);
    v.h_gates = (void *)(memory + 283712);
    v.A = (void *)(memory + 296640);
    v.crop_slopes = (void *)(memory + 80032);
    v.classify_maxpool1 = (void *)(memory + 156832);
    v.crop = (void *)(memory + 219040);
    v.classify_maxpool1_winner = (void *)(memory + 289856);
    v.classify_dense1 = (void *)(memory + 65280);
    v.loss1 = (void *)(memory + 67296);
    v.d_classify_dense1_rows = (void *)(memory + 62208);
    v.d_classify_dense1 = (void *)(memory + 63744);
    v.d_classify_maxpool1 = (void *)memory;
    v.d_A_rows = (void *)(memory + 63744);
    v.d_A = (void *)(memory + 66240);
    v.d_classify_conv1_weight_part = (void *)(memory + 66816);
    v.d_classify_conv1_bias_part = (void *)(memory + 67392);
    v.d_h = (void *)(memory + 4608);
    v.d_h_2 = (void *)(memory + 12416);
    v.d_h_3 = (void *)(memory + 12928);
    v.d_h_from_input = (void *)memory;
    v.d_h_from_state_rows = (void *)(memory + 6272);
    v.d_h_from_state = (void *)(memory + 10880);
    v.d_h_from_input_2 = (void *)(memory + 10880);
    v.d_h_from_input_rows = (void *)(memory + 12416);
    v.d_front_maxpool2 = (void *)memory;
    v.d_front_conv1_weight_part = (void *)(memory + 10880);
    v.d_front_conv1_bias_part = (void *)(memory + 10976);
    for (int k = 0; k < threads; k++) {
        real *at = scratch_memory + (size_t)k * SCRATCH;
        scratches[k].image = (void *)at;
        scratches[k].front_conv1 = (void *)at;
        scratches[k].d_crop = (void *)at;
        scratches[k].d_h_total = (void *)at;
        scratches[k].d_front_conv1_sum = (void *)at;
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
        load_image_bytes_forward(v.image_bytes[g].of, batch->inputs[0], g * L, batch->count);
        load_image_forward((real *)*scratch->image, batch->inputs[0], g * L, batch->count);
        load_digits_forward(v.digits[g], batch->targets[0], g * L, batch->count);
        front_maxpool1_forward(v.front_maxpool1[g], *scratch->image);
        front_conv1_forward(*scratch->front_conv1, v.front_maxpool1[g], weights->front_conv1_weight,
            weights->front_conv1_bias);
        front_maxpool2_forward(v.front_maxpool2[g], v.front_maxpool2_winner[g].of, *scratch->front_conv1);
        zero_16_forward((real *)v.h[g - G]);
    }
    h_from_input_forward(v.h_from_input, v.front_maxpool2, weights->h_weight_ih, weights->h_bias_ih);
    for (int t = 0; t < 3; t++) {
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
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            crop_forward(v.crop[s], v.crop_slopes[s], v.image_bytes[g].of, v.A[s]);
            classify_conv1_forward(v.classify_maxpool1[s], v.classify_maxpool1_winner[s].of, v.crop[s],
                weights->classify_conv1_weight, weights->classify_conv1_bias);
        }
    classify_dense1_forward(v.classify_dense1, v.classify_maxpool1, weights->classify_dense1_weight,
        weights->classify_dense1_bias);
    #pragma omp barrier
    #pragma omp for collapse(2) schedule(dynamic, 1)
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            cross_entropy1_forward(v.loss1[s], (real *)v.classify_dense1[s], v.digits[g][t]);
        }
}

/* The mean of loss1, cross_entropy, over the examples and positions that are there, added up in order. */
static double loss1_mean(const Batch *batch)
{
    double sum = 0;
    for (int s = 0; s < 3 * G; s++)
        for (int lane = 0; lane < present(batch, s % G); lane++)
            sum += v.loss1[s][lane];
    return sum / ((double)batch->count * 3);
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
    real loss1_scale = (real)(1 / ((double)batch->count * 3));
    const Scratch *scratch = scratch_of_thread();
    #pragma omp for collapse(2) schedule(dynamic, 1)
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            cross_entropy1_backward((real *)v.d_classify_dense1[s], (real *)v.classify_dense1[s], v.digits[g][t],
                loss1_scale, present(batch, g));
            classify_dense1_transpose(v.d_classify_dense1_rows[s], (real *)v.d_classify_dense1[s]);
        }
    classify_dense1_backward(v.d_classify_maxpool1, v.d_classify_dense1, weights->classify_dense1_weight);
    #pragma omp barrier
    #pragma omp for collapse(2) schedule(dynamic, 1) nowait
    for (int t = 0; t < 3; t++)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            classify_conv1_weights(v.d_classify_conv1_weight_part[s].of, v.d_classify_conv1_bias_part[s].of,
                v.d_classify_maxpool1[s], v.classify_maxpool1_winner[s].of, v.classify_maxpool1[s], v.crop[s]);
            classify_conv1_backward(*scratch->d_crop, v.d_classify_maxpool1[s], v.classify_maxpool1_winner[s].of,
                v.classify_maxpool1[s], weights->classify_conv1_weight);
            crop_backward(v.d_A[s], *scratch->d_crop, v.crop_slopes[s]);
            A_transpose(v.d_A_rows[s], (real *)v.d_A[s]);
        }
    classify_dense1_weights(gradient->classify_dense1_weight, gradient->classify_dense1_bias,
        v.d_classify_dense1_rows[0], v.classify_maxpool1);
    #pragma omp barrier
    A_backward(v.d_h, v.d_A, weights->A_weight);
    fold((real *)gradient->classify_conv1_weight, (real *)v.d_classify_conv1_weight_part[0].of, 3 * G, 72, 0);
    fold(gradient->classify_conv1_bias, v.d_classify_conv1_bias_part[0].of, 3 * G, 8, 0);
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        zero_16_forward((real *)v.d_h_2[g]);
        zero_16_forward((real *)v.d_h_3[g]);
    }
    for (int t = 2; t >= 0; t--) {
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
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        sum_d_h_from_input_2_forward(v.d_h_from_input_2[g], v.d_h_from_input + g);
        h_from_input_transpose(v.d_h_from_input_rows[g], (real *)v.d_h_from_input_2[g]);
    }
    h_from_input_backward(v.d_front_maxpool2, v.d_h_from_input_2, weights->h_weight_ih);
    #pragma omp barrier
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        front_maxpool2_backward(*scratch->d_front_conv1_sum, v.d_front_maxpool2[g], v.front_maxpool2_winner[g].of,
            v.front_maxpool2[g]);
        front_conv1_weights(v.d_front_conv1_weight_part[g].of, v.d_front_conv1_bias_part[g].of,
            *scratch->d_front_conv1_sum, v.front_maxpool1[g]);
    }
    A_weights(gradient->A_weight, gradient->A_bias, v.d_A_rows[0], v.h);
    h_from_state_weights(gradient->h_weight_hh, v.d_h_from_state_rows[0], v.h - G);
    h_from_input_weights(gradient->h_weight_ih, gradient->h_bias_ih, v.d_h_from_input_rows[0], v.front_maxpool2);
    #pragma omp barrier
    fold((real *)gradient->front_conv1_weight, (real *)v.d_front_conv1_weight_part[0].of, G, 36, 0);
    fold(gradient->front_conv1_bias, v.d_front_conv1_bias_part[0].of, G, 4, 0);
    #pragma omp barrier
}

/* ==== 7 update =================================================================================================== */

/* The parameters: shape, place in the block, the rule of their start and its number. */
static const NetParam params[] = {
    { "front.conv1.weight", .rank = 4, .shape = { 4, 1, 3, 3 }, .layout = EXPORTED, .offset = 0, .count = 36,
        .init = INIT_UNIFORM, .init_value = 0.3651483716701107, .yaml_line = 17 },
    { "front.conv1.bias", .rank = 1, .shape = { 4 }, .layout = EXPORTED, .offset = 48, .count = 4,
        .init = INIT_CONSTANT, .init_value = 0, .yaml_line = 17 },
    { "h.weight_ih", .rank = 2, .shape = { 48, 196 }, .layout = IN_OUT, .stride = 48, .offset = 64, .count = 9408,
        .init = INIT_NORMAL, .init_value = 0.1, .yaml_line = 29 },
    { "h.bias_ih", .rank = 1, .shape = { 48 }, .layout = EXPORTED, .offset = 9472, .count = 48, .init = INIT_CONSTANT,
        .init_value = 0, .yaml_line = 29 },
    { "h.weight_hh", .rank = 2, .shape = { 48, 16 }, .layout = IN_OUT, .stride = 48, .offset = 9520, .count = 768,
        .init = INIT_NORMAL, .init_value = 0.1, .yaml_line = 29 },
    { "A.weight", .rank = 2, .shape = { 6, 16 }, .layout = IN_OUT, .stride = 16, .offset = 10288, .count = 96,
        .init = INIT_CONSTANT, .init_value = 0, .yaml_line = 30 },
    { "A.bias", .rank = 1, .shape = { 6 }, .layout = EXPORTED, .offset = 10544, .count = 6,
        .init = INIT_IDENTITY_AFFINE, .init_value = 0, .yaml_line = 30 },
    { "classify.conv1.weight", .rank = 4, .shape = { 8, 1, 3, 3 }, .layout = EXPORTED, .offset = 10560, .count = 72,
        .init = INIT_UNIFORM, .init_value = 0.2721655269759087, .yaml_line = 20 },
    { "classify.conv1.bias", .rank = 1, .shape = { 8 }, .layout = EXPORTED, .offset = 10640, .count = 8,
        .init = INIT_CONSTANT, .init_value = 0, .yaml_line = 20 },
    { "classify.dense1.weight", .rank = 2, .shape = { 10, 648 }, .layout = IN_OUT, .stride = 16, .offset = 10656,
        .count = 6480, .init = INIT_UNIFORM, .init_value = 0.09549105211188455, .yaml_line = 22 },
    { "classify.dense1.bias", .rank = 1, .shape = { 10 }, .layout = EXPORTED, .offset = 21024, .count = 10,
        .init = INIT_CONSTANT, .init_value = 0, .yaml_line = 22 },
};
enum { PARAMS = sizeof params / sizeof *params };
static OptimiserNorm *row_sums;     /* of the gradient, by rows of parameters: parts of its norm */

/* One step of sgd, with the settings in tiny-train.c.  Called by all threads; returns the norm of the gradient before
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
        hash = decide_positive(hash, (real *)v.front_maxpool2[s], sizeof v.front_maxpool2[s] / sizeof(real));
    for (int s = 0; s < G; s++)
        hash = decide_winner(hash, (uint16_t *)v.front_maxpool2_winner[s].of,
            sizeof v.front_maxpool2_winner[s].of / sizeof(uint16_t));
    for (int s = 0; s < 3 * G; s++)
        hash = crop_decisions(hash, v.A[s]);
    for (int s = 0; s < 3 * G; s++)
        hash = decide_positive(hash, (real *)v.classify_maxpool1[s], sizeof v.classify_maxpool1[s] / sizeof(real));
    for (int s = 0; s < 3 * G; s++)
        hash = decide_winner(hash, (uint16_t *)v.classify_maxpool1_winner[s].of,
            sizeof v.classify_maxpool1_winner[s].of / sizeof(uint16_t));
    return hash;
}

/* net_replay and net_profile, the same calls looked at or timed, and `rows`, which names them. */
#include "tiny_inspect.c"

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
    { "image", U8_OVER_255, .rank = 3, .shape = { 1, 100, 100 }, .count = 10000 },
};

static const NetData targets[] = {
    { "digits", LABELS, .rank = 1, .shape = { 3 }, .count = 3, .classes = 10 },
};

/* The names of the flow. */
static const NetValue values[] = {
    { "c", .rank = 3, .shape = { 4, 7, 7 }, .count = 196, .offset = 277440, .slot = 3136 },
    { "h", .steps = 3, .rank = 1, .shape = { 16 }, .count = 16, .offset = 294304, .slot = 256 },
    { "A", .steps = 3, .rank = 1, .shape = { 6 }, .count = 6, .offset = 296640, .slot = 96, .transform = 1,
        .output = 1 },
    { "crop", .steps = 3, .rank = 3, .shape = { 1, 20, 20 }, .count = 400, .offset = 219040, .slot = 6400 },
    { "digit", .steps = 3, .rank = 1, .shape = { 10 }, .count = 10, .offset = 65280, .slot = 160, .output = 1 },
};

/* The terms of the loss. */
static const NetLoss losses[] = {
    /* cross_entropy */
    { SHOWS_WRONG, GROWS_EVENLY, .value = 4, .target = 0, .positions = 3, .weight = 1, .yaml_line = 34, .inner = 1 },
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
    .name = "tiny",
    .about = "Recurrent spatial transformer of a few thousand weights",
    .source = "models/tiny.yaml",
    .target = "avx2",
    .precision = "float",
    .form = "fast",
    .signature = "f2ac19d5503bfc16",
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
    .value_count = 5,
    .losses = losses,
    .loss_count = 1,
    .training = &net_training,
    .schedule = schedule,
    .schedule_count = sizeof schedule / sizeof *schedule,
    .block = BLOCK,
    .state_blocks = STATES,
    .activation_reals = MEMORY,
    .thread_reals = SCRATCH,
    .forward_macs = 120468,
    .backward_macs = 221892,
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
