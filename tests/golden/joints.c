/* SPDX-License-Identifier: 0BSD */
/* joints.c -- made by spnc from tests/golden/joints.yaml.  Edit that, not this.
 *
 *   1 sizes   2 parameters (36)   3 operators   4 memory   5 forward   6 backward   7 update   8 for the trainer
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

typedef real s_t[2][2][L];
typedef real x_t[4][L];
typedef real d_t[4][L];
typedef real e_t[2][2][L];
typedef real p_t[2][2][L];
typedef real s_2_t[2][2][L];
typedef real end_t[2][2][L];
typedef real s_steps_t[2][2][2][L];
typedef real first_t[2][2][L];
typedef real both_t[2][4][L];
typedef real v_t[2][L];
typedef real r_t[2][L];
typedef real loss1_t[L];
typedef real d_v_t[2][L];
typedef real d_both_t[2][4][L];
typedef real d_end_t[2][2][L];
typedef real d_first_t[2][2][L];
typedef real d_s_steps_t[2][2][2][L];
typedef real d_s_t[2][2][L];
typedef real d_s_2_t[2][2][L];
typedef real d_s_total_t[2][2][L];
typedef real d_e_t[2][2][L];
typedef real d_s_3_t[2][2][L];
typedef real d_s_total_2_t[2][2][L];
typedef real d_e_2_t[2][2][L];
typedef real d_e_total_t[2][2][L];
typedef real d_d_t[4][L];
typedef real d_d_sum_t[4][L];

/* By their shapes: for functions that several layers share. */
typedef real real_2x2[2][2][L];

/* ==== 2 parameters =============================================================================================== */

/* Axes in PyTorch's order, but a dense layer's weight is [in][out]; its rows and biases are rounded up to whole
 * vectors. */
#define ALIGNED _Alignas(16 * sizeof(real))
typedef struct {
    ALIGNED real d_weight[4][16];
    ALIGNED real d_bias[16];
    ALIGNED real v_weight[8][16];
} Weights;
enum { BLOCK = sizeof(Weights) / sizeof(real) };
_Static_assert(BLOCK == 208, "the plan and the struct agree");

enum { STATES = 1 };     /* blocks of numbers that rmsprop keeps beside the weights */
static Weights *weights, *gradient, *state[STATES];
static int threads;

/* ==== 3 operators ================================================================================================ */

/* ---- load_x: load ---------------------------------------- joints.yaml:4
 *   4 */
/* y = x.  Lane l has example first + l of the batch; one that is not there is example 0. */
static void load_x_forward(real *y, const void *const *rows, int first, int count)
{
    for (int l = 0; l < L; l++) {
        const float *x = (const float *)rows[first + l < count ? first + l : 0];
        for (int i = 0; i < 4; i++)
            y[i * L + l] = x[i];
    }
}

/* ---- load_r: load ---------------------------------------- joints.yaml:5
 *   2 */
/* y = x.  Lane l has example first + l of the batch; one that is not there is example 0. */
static void load_r_forward(real *y, const void *const *rows, int first, int count)
{
    for (int l = 0; l < L; l++) {
        const float *x = (const float *)rows[first + l < count ? first + l : 0];
        for (int i = 0; i < 2; i++)
            y[i * L + l] = x[i];
    }
}

/* ---- zero_2x2: fill -------------------------------------- joints.yaml
 *   2x2
 *   of v.s (line 8), v.d_s_3 (line 12) */
/* y = 0 */
static void zero_2x2_forward(real *y)
{
    for (int i = 0; i < 4 * L; i += L)
        v_store(y + i, v_zero());
}

/* ---- d: dense -------------------------------------------- joints.yaml:10
 *   4 -> 4    20 parameters    16 multiply-adds an example */
/* sigmoid(s).  For each sum, where it is stored. */
static inline vec d_then(vec s)
{
    return v_sigmoid(s);
}

/* y[s][m] = sigmoid(b[m] + sum over k of w[k][m] x[s][k]), k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 4 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void d_forward_4x1(real (*y)[L], real *panel, real *x, real *b)
{
    vec s0_0 = v_set1(b[0]), s1_0 = v_set1(b[1]), s2_0 = v_set1(b[2]), s3_0 = v_set1(b[3]);
    for (int k = 0; k < 4; k++, x += L, panel += 16) {
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
    v_store(y[0], d_then(s0_0)); v_store(y[1], d_then(s1_0)); v_store(y[2], d_then(s2_0));
    v_store(y[3], d_then(s3_0));
}

static void d_forward(d_t *y, x_t *x, real w[4][16], real b[16])
{
    _Alignas(64) real panel[4][16];
    #pragma omp single nowait
    {
        for (int k = 0; k < 4; k++)
            v_store(panel[k], v_loadu(&w[k][0]));
        d_forward_4x1(&y[0][0], panel[0], x[0][0], &b[0]);
    }
}

static void d_weights_4x1(real dw[4][16], real dy[][L][16], real x[][4][L], int k, int part)
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
static void d_bias_1(real db[16], real dy[][L][16], int part)
{
    int m = part * 16;
    vec b0 = v_zero();
    for (int l = 0, end = L; l < end; l++)
        b0 = v_add(b0, v_load(dy[part][l]));
    v_storeu(&db[m], b0);
}

/* rows: dy with the outputs side by side, 16 of an example; of one slice. */
static void d_transpose(real *rows, real *dy)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows, (*dys)[L] = (real (*)[L])dy;
    vec square[16];
    for (int r = 0; r < 16; r++) square[r] = r < 4 ? v_load(dys[r]) : v_zero();
    v_transpose16(square);
    for (int l = 0; l < L; l++) v_store(dyt[0][l], square[l]);
}

/* dw[k][m] = sum over rows of x[k] dy[m]; db: the sum of dy.  No barrier before: a free thread begins at once. */
static void d_weights(real dw[4][16], real db[16], real *rows, x_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    #pragma omp single nowait
    {
        d_bias_1(db, dyt, 0);
        d_weights_4x1(dw, dyt, x, 0, 0);
    }
}

/* ---- d_sigmoid: sigmoid ---------------------------------- joints.yaml:10
 *   4 -> 4 */

/* d_x = dy * (y * (1 - y)) */
static inline void d_sigmoid_gradient(vec *d_x, vec dy, vec y)
{
    const vec t1 = v_sub(v_set1(1), y);
    const vec t2 = v_mul(y, t1);
    *d_x = v_mul(dy, t2);
}

static void d_sigmoid_backward(real *d_x, real *dy, real *y)
{
    for (int i = 0; i < 4; i++) {
        vec g_x;
        d_sigmoid_gradient(&g_x, v_load(dy + i * L), v_load(y + i * L));
        v_store(d_x + i * L, g_x);
    }
}

/* ---- s_2: formula ---------------------------------------- joints.yaml:13
 *   2x2, 2x2 -> 2x2 */
/* p = e * s
 * y = p + e */
static inline vec s_2_value(vec *k_p, vec e, vec s)
{
    const vec t1 = v_mul(e, s);
    const vec t2 = v_add(t1, e);
    *k_p = t1;
    return t2;
}

static void s_2_forward(real *y, real *p, real *e, real *s)
{
    for (int i = 0; i < 4; i++) {
        vec k_p;
        v_store(y + i * L, s_2_value(&k_p, v_load(e + i * L), v_load(s + i * L)));
        v_store(p + i * L, k_p);
    }
}

/* d_e = dy * s
 * d_s = dy * e */
static inline void s_2_gradient(vec *d_e, vec *d_s, vec dy, vec e, vec s)
{
    const vec t1 = v_mul(dy, s);
    const vec t2 = v_mul(dy, e);
    *d_e = t1;
    *d_s = t2;
}

static void s_2_backward(real *d_e, real *d_s, real *dy, real *e, real *s)
{
    for (int i = 0; i < 4; i++) {
        vec g_e, g_s;
        s_2_gradient(&g_e, &g_s, v_load(dy + i * L), v_load(e + i * L), v_load(s + i * L));
        v_store(d_e + i * L, g_e);
        v_store(d_s + i * L, g_s);
    }
}

/* ---- s: copy --------------------------------------------- joints.yaml:13
 *   2x2 -> 2x2 */
/* y = x */
static void s_forward(real *y, real *x)
{
    memcpy(y, x, 4 * L * sizeof(real));
}

/* ---- end: pick ------------------------------------------- joints.yaml:14
 *   2x2 -> 2x2 */
/* y = x of step 1 */
static void end_forward(end_t y, s_t *x)
{
    memcpy(y, &x[1], sizeof(s_t));
}

/* dx = dy at step 1, 0 at the others */
static void end_backward(s_t *dx, end_t dy)
{
    enum { T = 2 };
    for (int t = 0; t < T; t++)
        memset(&dx[t], 0, sizeof(s_t));
    memcpy(&dx[1], dy, sizeof(s_t));
}

/* ---- s_steps: stack -------------------------------------- joints.yaml:15
 *   2x2 -> 2x2x2 */
/* y[t] = x of step t, for t < 2 */
static void s_steps_forward(s_steps_t y, s_t *x)
{
    enum { T = 2 };
    for (int t = 0; t < T; t++)
        memcpy(&y[t], &x[t], sizeof(s_t));
}

/* dx of step t = dy[t] */
static void s_steps_backward(s_t *dx, s_steps_t dy)
{
    enum { T = 2 };
    for (int t = 0; t < T; t++)
        memcpy(&dx[t], &dy[t], sizeof(s_t));
}

/* ---- first: slice ---------------------------------------- joints.yaml:15
 *   2x2x2 -> 2x2 */
/* y = position 0 of axis 0 of x */
static void first_forward(first_t y, s_steps_t x)
{
    memcpy(y, &x[0], sizeof(first_t));
}

/* dx = dy there, 0 elsewhere */
static void first_backward(s_steps_t dx, first_t dy)
{
    memset(dx, 0, sizeof(s_steps_t));
    memcpy(&dx[0], dy, sizeof(first_t));
}

/* ---- both: concat ---------------------------------------- joints.yaml:16
 *   2x2, 2x2 -> 2x4 */
/* y = the inputs, joined along axis 1 */
static void both_forward(both_t y, end_t x1, first_t x2)
{
    for (int i = 0; i < 2; i++) {
        memcpy(y[i], x1[i], sizeof x1[i]);
        memcpy(y[i] + 2, x2[i], sizeof x2[i]);
    }
}

/* Each input's gradient is its part of dy. */
static void both_backward(end_t dx1, first_t dx2, both_t dy)
{
    for (int i = 0; i < 2; i++) {
        memcpy(dx1[i], dy[i], sizeof dx1[i]);
        memcpy(dx2[i], dy[i] + 2, sizeof dx2[i]);
    }
}

/* ---- v: dense -------------------------------------------- joints.yaml:17
 *   2x4 -> 2    16 parameters    16 multiply-adds an example */
/* y[s][m] = sum over k of w[k][m] x[s][k], k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 8 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void v_forward_2x1(real (*y)[L], real *panel, real *x)
{
    vec s0_0 = v_zero(), s1_0 = v_zero();
    for (int k = 0; k < 8; k++, x += L, panel += 16) {
        vec z0 = v_keep(v_load(x));
        vec a = v_set1(panel[0]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(panel[1]);
        s1_0 = v_fma(a, z0, s1_0);
    }
    v_store(y[0], s0_0); v_store(y[1], s1_0);
}

static void v_forward(v_t *y, both_t *x, real w[8][16])
{
    real (*xs)[8][L] = (real (*)[8][L])x;
    _Alignas(64) real panel[8][16];
    #pragma omp single nowait
    {
        for (int k = 0; k < 8; k++)
            v_store(panel[k], v_loadu(&w[k][0]));
        v_forward_2x1(&y[0][0], panel[0], xs[0][0]);
    }
}

static void v_backward_4x1(real dx[][8][L], real dy[][2][L], real w[8][16], int k, int s)
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

static void v_backward(both_t *dx, v_t *dy, real w[8][16])
{
    real (*dxs)[8][L] = (real (*)[8][L])dx;
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++) {
        int from = t % 2, s = t / 2;
        v_backward_4x1(dxs, dy, w, from * 4, s);
    }
}

static void v_weights_4x1(real dw[8][16], real dy[][L][16], real x[][8][L], int k, int part)
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

/* rows: dy with the outputs side by side, 16 of an example; of one slice. */
static void v_transpose(real *rows, real *dy)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows, (*dys)[L] = (real (*)[L])dy;
    vec square[16];
    for (int r = 0; r < 16; r++) square[r] = r < 2 ? v_load(dys[r]) : v_zero();
    v_transpose16(square);
    for (int l = 0; l < L; l++) v_store(dyt[0][l], square[l]);
}

/* dw[k][m] = sum over rows of x[k] dy[m].  No barrier before: a free thread begins at once. */
static void v_weights(real dw[8][16], real *rows, both_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    real (*xs)[8][L] = (real (*)[8][L])x;
    #pragma omp for schedule(dynamic, 1) nowait
    for (int t = 0; t < 2; t++) {
        v_weights_4x1(dw, dyt, xs, t * 4, 0);
    }
}

/* ---- mse1: mse ------------------------------------------- joints.yaml:18
 *   2, 2 -> 1 */
/* loss = sum over i of (a_i - b_i)^2, in order of i, in every lane. */
static void mse1_forward(real *loss, real *a, real *b)
{
    vec sum = v_set1(0);
    for (int i = 0; i < 2 * L; i += L) {
        vec d = v_sub(v_load(a + i), v_load(b + i));
        sum = v_fma(d, d, sum);
    }
    v_store(loss, sum);
}

/* da = scale * 2 (a - b), db = -da; 0 in the lanes from `present` on, which hold no example. */
static void mse1_backward(real *da, real *a, real *b, real scale, int present)
{
    const mask here = iv_lt(iv_iota(), iv_set1(present));
    for (int i = 0; i < 2 * L; i += L) {
        vec d = v_mul(v_set1(2 * scale), v_sub(v_load(a + i), v_load(b + i)));
        v_store(da + i, v_zero_unless(here, d));
    }
}

/* ---- sum_d_s_total: sum ---------------------------------- joints.yaml:8
 *   2x2, 2x2, 2x2 -> 2x2 */
/* y = x1 + x2 + x3 */
static inline vec sum_d_s_total_value(vec x1, vec x2, vec x3)
{
    const vec t1 = v_add(x1, x2);
    return v_add(t1, x3);
}

static void sum_d_s_total_forward(real *y, real *x1, real *x2, real *x3)
{
    for (int i = 0; i < 4; i++) {
        v_store(y + i * L, sum_d_s_total_value(v_load(x1 + i * L), v_load(x2 + i * L), v_load(x3 + i * L)));
    }
}

/* ---- sum_steps_2x2: sum_steps ---------------------------- joints.yaml
 *   2x2 -> 2x2
 *   of sum_d_s_total_2 (line 11), sum_d_e_2 (line 11) */
/* y = x of step 0 + x of step 1 + ... in that order; a step lies G groups after the one before. */
static void sum_steps_2x2_forward(real_2x2 y, real_2x2 *x)
{
    enum { T = 2 };
    real *sum = (real *)y;
    for (int i = 0; i < 4 * L; i += L) {
        vec s = v_load((real *)x + i);
        for (int t = 1; t < T; t++)
            s = v_add(s, v_load((real *)&x[t] + i));
        v_store(sum + i, s);
    }
}

/* ---- sum_d_e_total: sum ---------------------------------- joints.yaml:11
 *   2x2, 2x2 -> 2x2 */
/* y = x1 + x2 */
static inline vec sum_d_e_total_value(vec x1, vec x2)
{
    return v_add(x1, x2);
}

static void sum_d_e_total_forward(real *y, real *x1, real *x2)
{
    for (int i = 0; i < 4; i++) {
        v_store(y + i * L, sum_d_e_total_value(v_load(x1 + i * L), v_load(x2 + i * L)));
    }
}

/* ==== 4 memory =================================================================================================== */

/* One block for the batch, planned for forward and backward together: a place is used again when its value has been
 * read for the last time.  v.NAME[s] is the value of slice s: group g, or at step t of a repeat s = t * G + g.
 * Of each tensor: its slices, its shape, where a gradient comes from, its place, and what else has some of that place
 * at other times. */
static real *memory;
#define MEMORY ((size_t)1136)     /* reals */
#define SCRATCH ((size_t)256)     /* reals of each thread */
static struct {
    s_t *s;                 /* [-G .. 2G)  2x2: reals 256 to 448, 768 bytes, [0] at 320 */
    r_t *r;                 /* [0 .. G)  2: reals 576 to 608, 128 bytes; with d_both, d_e */
    x_t *x;                 /* [0 .. G)  4: reals 960 to 1024, 256 bytes */
    d_t *d;                 /* [0 .. G)  4: reals 1024 to 1088, 256 bytes */
    e_t *e;                 /* [0 .. G)  2x2: d again */
    p_t *p;                 /* [0 .. 2G)  2x2: reals 0 to 128, 512 bytes; with d_v_rows, d_s_3, d_d_rows */
    end_t *end;             /* [0 .. G)  2x2: reals 128 to 192, 256 bytes; with d_v_rows, d_d_rows */
    first_t *first;         /* [0 .. G)  2x2: reals 192 to 256, 256 bytes; with d_v_rows, d_d_rows */
    both_t *both;           /* [0 .. G)  2x4: reals 448 to 576, 512 bytes; with d_s_total */
    v_t *v;                 /* [0 .. G)  2: reals 1088 to 1120, 128 bytes */
    loss1_t *loss1;         /* [0 .. G)  1: reals 1120 to 1136, 64 bytes */
    real (*d_v_rows)[256];
        /* [0 .. G)  a kernel's own layout: reals 0 to 256, 1.0 KiB; with p, end, first, d_s_3, d_d_rows */
    d_v_t *d_v;             /* [0 .. G)  2: by mse1; reals 704 to 736, 128 bytes; with d_s */
    d_both_t *d_both;       /* [0 .. G)  2x4: by v; reals 576 to 704, 512 bytes; with r, d_e */
    d_s_t *d_s;             /* [0 .. 2G)  2x2: by s_steps; reals 704 to 832, 512 bytes; with d_v */
    d_s_2_t *d_s_2;         /* [0 .. 2G)  2x2: by end; reals 832 to 960, 512 bytes */
    d_s_3_t *d_s_3;
        /* [0 .. G)  2x2: by p, for the step before; reals 0 to 64, 256 bytes; with p, d_v_rows, d_d_rows */
    d_s_total_t *d_s_total;
        /* [0 .. 2G)  2x2: d_s + d_s_2 + d_s_3 of the next step; reals 448 to 576, 512 bytes; with both */
    d_e_t *d_e;             /* [0 .. 2G)  2x2: by p; reals 576 to 704, 512 bytes; with r, d_both */
    real (*d_d_rows)[256];
        /* [0 .. G)  a kernel's own layout: reals 0 to 256, 1.0 KiB; with p, end, first, d_v_rows, d_s_3 */
} v;

/* What lives only within one group's phase: in the scratch of its thread, planned as the block is. */
typedef struct {
    s_2_t *s_2;                 /* 2x2: reals 0 to 64, 256 bytes; with s_steps, d_s_steps, d_s_total_2, d_d_sum */
    s_steps_t *s_steps;         /* 2x2x2: reals 0 to 128, 512 bytes; with s_2, d_s_steps, d_s_total_2, d_e_2, d_d_sum */
    d_s_steps_t *d_s_steps;
        /* 2x2x2: by first; reals 0 to 128, 512 bytes; with s_2, s_steps, d_s_total_2, d_e_2, d_d_sum */
    d_end_t *d_end;             /* 2x2: by both; reals 128 to 192, 256 bytes; with d_e_total */
    d_first_t *d_first;         /* 2x2: by both; reals 192 to 256, 256 bytes */
    d_s_total_2_t *d_s_total_2;
        /* 2x2: d_s_total of all steps; reals 0 to 64, 256 bytes; with s_2, s_steps, d_s_steps, d_d_sum */
    d_d_sum_t *d_d_sum;
        /* 4: by d_sigmoid; reals 0 to 64, 256 bytes; with s_2, s_steps, d_s_steps, d_s_total_2 */
    d_e_2_t *d_e_2;             /* 2x2: d_e of all steps; reals 64 to 128, 256 bytes; with s_steps, d_s_steps */
    d_e_total_t *d_e_total;     /* 2x2: d_s_total_2 + d_e_2; reals 128 to 192, 256 bytes; with d_end */
    d_d_t *d_d;                 /* 4: d_e_total again */
} Scratch;
static real *scratch_memory;
static Scratch *scratches;      /* one a thread */
static inline const Scratch *scratch_of_thread(void) { return &scratches[omp_get_thread_num()]; }

/* Lays the tensors into the memory. */
static void lay_out(void)
{
    v.s = (void *)(memory + 320);
    v.r = (void *)(memory + 576);
    v.x = (void *)(memory + 960);
    v.d = (void *)(memory + 1024);
    v.e = (void *)(memory + 1024);
    v.p = (void *)memory;
    v.end = (void *)(memory + 128);
    v.first = (void *)(memory + 192);
    v.both = (void *)(memory + 448);
    v.v = (void *)(memory + 1088);
    v.loss1 = (void *)(memory + 1120);
    v.d_v_rows = (void *)memory;
    v.d_v = (void *)(memory + 704);
    v.d_both = (void *)(memory + 576);
    v.d_s = (void *)(memory + 704);
    v.d_s_2 = (void *)(memory + 832);
    v.d_s_3 = (void *)memory;
    v.d_s_total = (void *)(memory + 448);
    v.d_e = (void *)(memory + 576);
    v.d_d_rows = (void *)memory;
    for (int k = 0; k < threads; k++) {
        real *at = scratch_memory + (size_t)k * SCRATCH;
        scratches[k].s_2 = (void *)at;
        scratches[k].s_steps = (void *)at;
        scratches[k].d_s_steps = (void *)at;
        scratches[k].d_end = (void *)(at + 128);
        scratches[k].d_first = (void *)(at + 192);
        scratches[k].d_s_total_2 = (void *)at;
        scratches[k].d_d_sum = (void *)at;
        scratches[k].d_e_2 = (void *)(at + 64);
        scratches[k].d_e_total = (void *)(at + 128);
        scratches[k].d_d = (void *)(at + 128);
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
        load_r_forward((real *)v.r[g], batch->targets[0], g * L, batch->count);
        zero_2x2_forward((real *)v.s[g - G]);
    }
    d_forward(v.d, v.x, weights->d_weight, weights->d_bias);
    #pragma omp barrier
    for (int t = 0; t < 2; t++) {
        #pragma omp for schedule(dynamic, 1)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            s_2_forward((real *)*scratch->s_2, (real *)v.p[s], (real *)v.e[g], (real *)v.s[s - G]);
            s_forward((real *)v.s[s], (real *)*scratch->s_2);
        }
    }
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        end_forward(v.end[g], v.s + g);
        s_steps_forward(*scratch->s_steps, v.s + g);
        first_forward(v.first[g], *scratch->s_steps);
        both_forward(v.both[g], v.end[g], v.first[g]);
    }
    v_forward(v.v, v.both, weights->v_weight);
    #pragma omp barrier
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        mse1_forward(v.loss1[g], (real *)v.v[g], (real *)v.r[g]);
    }
}

/* The mean of loss1, mse, over the examples and positions that are there, added up in order. */
static double loss1_mean(const Batch *batch)
{
    double sum = 0;
    for (int s = 0; s < G; s++)
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
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        mse1_backward((real *)v.d_v[g], (real *)v.v[g], (real *)v.r[g], loss1_scale, present(batch, g));
        v_transpose(v.d_v_rows[g], (real *)v.d_v[g]);
    }
    v_backward(v.d_both, v.d_v, weights->v_weight);
    #pragma omp barrier
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        both_backward(*scratch->d_end, *scratch->d_first, v.d_both[g]);
        first_backward(*scratch->d_s_steps, *scratch->d_first);
        s_steps_backward(v.d_s + g, *scratch->d_s_steps);
        end_backward(v.d_s_2 + g, *scratch->d_end);
    }
    v_weights(gradient->v_weight, v.d_v_rows[0], v.both);
    #pragma omp barrier
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        zero_2x2_forward((real *)v.d_s_3[g]);
    }
    for (int t = 1; t >= 0; t--) {
        #pragma omp for schedule(dynamic, 1)
        for (int g = 0; g < G; g++) {
            int s = t * G + g;
            sum_d_s_total_forward((real *)v.d_s_total[s], (real *)v.d_s[s], (real *)v.d_s_2[s], (real *)v.d_s_3[g]);
            s_2_backward((real *)v.d_e[s], (real *)v.d_s_3[g], (real *)v.d_s_total[s], (real *)v.e[g],
                (real *)v.s[s - G]);
        }
    }
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        sum_steps_2x2_forward(*scratch->d_s_total_2, v.d_s_total + g);
        sum_steps_2x2_forward(*scratch->d_e_2, v.d_e + g);
        sum_d_e_total_forward((real *)*scratch->d_e_total, (real *)*scratch->d_s_total_2, (real *)*scratch->d_e_2);
        d_sigmoid_backward((real *)*scratch->d_d_sum, (real *)*scratch->d_d, (real *)v.d[g]);
        d_transpose(v.d_d_rows[g], (real *)*scratch->d_d_sum);
    }
    d_weights(gradient->d_weight, gradient->d_bias, v.d_d_rows[0], v.x);
    #pragma omp barrier
}

/* ==== 7 update =================================================================================================== */

/* The parameters: shape, place in the block, the rule of their start and its number. */
static const NetParam params[] = {
    { "d.weight", .rank = 2, .shape = { 4, 4 }, .layout = IN_OUT, .stride = 16, .offset = 0, .count = 16,
        .init = INIT_UNIFORM, .init_value = 0.8660254037844386, .yaml_line = 10 },
    { "d.bias", .rank = 1, .shape = { 4 }, .layout = EXPORTED, .offset = 64, .count = 4, .init = INIT_CONSTANT,
        .init_value = 0, .yaml_line = 10 },
    { "v.weight", .rank = 2, .shape = { 2, 8 }, .layout = IN_OUT, .stride = 16, .offset = 80, .count = 16,
        .init = INIT_UNIFORM, .init_value = 0.7745966692414834, .yaml_line = 17 },
};
enum { PARAMS = sizeof params / sizeof *params };
static OptimiserNorm *row_sums;     /* of the gradient, by rows of parameters: parts of its norm */

/* One step of rmsprop, with the settings in joints-train.c.  Called by all threads; returns the norm of the gradient
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
    return hash;
}

/* net_replay and net_profile, the same calls looked at or timed, and `rows`, which names them. */
#include "joints_inspect.c"

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
    { "x", F32, .rank = 1, .shape = { 4 }, .count = 4 },
};

static const NetData targets[] = {
    { "r", F32, .rank = 1, .shape = { 2 }, .count = 2 },
};

/* The names of the flow. */
static const NetValue values[] = {
    { "s", .steps = 2, .rank = 2, .shape = { 2, 2 }, .count = 4, .offset = 320, .slot = 64 },
    { "d", .steps = 2, .rank = 1, .shape = { 4 }, .count = 4, .offset = 1024, .once = 1, .slot = 64 },
    { "e", .steps = 2, .rank = 2, .shape = { 2, 2 }, .count = 4, .offset = 1024, .once = 1, .slot = 64 },
    { "p", .steps = 2, .rank = 2, .shape = { 2, 2 }, .count = 4, .offset = 0, .slot = 64 },
    { "end", .rank = 2, .shape = { 2, 2 }, .count = 4, .offset = 128, .slot = 64 },
    { "first", .rank = 2, .shape = { 2, 2 }, .count = 4, .offset = 192, .slot = 64 },
    { "both", .rank = 2, .shape = { 2, 4 }, .count = 8, .offset = 448, .slot = 128 },
    { "v", .rank = 1, .shape = { 2 }, .count = 2, .offset = 1088, .slot = 32, .output = 1 },
};

/* The terms of the loss. */
static const NetLoss losses[] = {
    /* mse */
    { SHOWS_SQUARE, GROWS_SQUARED, .value = 7, .target = 0, .positions = 1, .weight = 1, .yaml_line = 18, .inner = 1 },
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
    .name = "joints",
    .about = "",
    .source = "tests/golden/joints.yaml",
    .target = "avx2",
    .precision = "float",
    .form = "fast",
    .signature = "d0614ac06950fe47",
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
    .value_count = 8,
    .losses = losses,
    .loss_count = 1,
    .training = &net_training,
    .schedule = schedule,
    .schedule_count = sizeof schedule / sizeof *schedule,
    .block = BLOCK,
    .state_blocks = STATES,
    .activation_reals = MEMORY,
    .thread_reals = SCRATCH,
    .forward_macs = 32,
    .backward_macs = 48,
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
