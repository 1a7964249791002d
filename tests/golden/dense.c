/* SPDX-License-Identifier: 0BSD */
/* dense.c -- made by spnc from tests/golden/dense.yaml.  Edit that, not this.
 *
 *   1 sizes   2 parameters (26)   3 operators   4 memory   5 forward   6 backward   7 update   8 for the trainer
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

typedef real x_t[3][L];
typedef real h_t[4][L];
typedef real v_t[2][L];
typedef int32_t y_t[L];
typedef real loss1_t[L];
typedef real d_v_t[2][L];
typedef real d_h_t[4][L];
typedef real d_h_sum_t[4][L];

/* ==== 2 parameters =============================================================================================== */

/* Axes in PyTorch's order, but a dense layer's weight is [in][out]; its rows and biases are rounded up to whole
 * vectors. */
#define ALIGNED _Alignas(16 * sizeof(real))
typedef struct {
    ALIGNED real h_weight[3][16];
    ALIGNED real h_bias[16];
    ALIGNED real v_weight[4][16];
    ALIGNED real v_bias[16];
} Weights;
enum { BLOCK = sizeof(Weights) / sizeof(real) };
_Static_assert(BLOCK == 144, "the plan and the struct agree");

enum { STATES = 0 };     /* blocks of numbers that sgd keeps beside the weights */
static Weights *weights, *gradient, *state[1];
static int threads;

/* ==== 3 operators ================================================================================================ */

/* ---- load_x: load ---------------------------------------- dense.yaml:4
 *   3 */
/* y = x.  Lane l has example first + l of the batch; one that is not there is example 0. */
static void load_x_forward(real *y, const void *const *rows, int first, int count)
{
    for (int l = 0; l < L; l++) {
        const float *x = (const float *)rows[first + l < count ? first + l : 0];
        for (int i = 0; i < 3; i++)
            y[i * L + l] = x[i];
    }
}

/* ---- load_y: labels -------------------------------------- dense.yaml:5
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

/* ---- h: dense -------------------------------------------- dense.yaml:7
 *   3 -> 4    16 parameters    12 multiply-adds an example */
/* relu(s): a NaN stays a NaN, and -0 stays -0.  For each sum, where it is stored. */
static inline vec h_then(vec s)
{
    return v_relu(s);
}

/* y[s][m] = relu(b[m] + sum over k of w[k][m] x[s][k]), k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 3 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void h_forward_4x1(real (*y)[L], real *panel, real *x, real *b)
{
    vec s0_0 = v_set1(b[0]), s1_0 = v_set1(b[1]), s2_0 = v_set1(b[2]), s3_0 = v_set1(b[3]);
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
    v_store(y[0], h_then(s0_0)); v_store(y[1], h_then(s1_0)); v_store(y[2], h_then(s2_0));
    v_store(y[3], h_then(s3_0));
}

static void h_forward(h_t *y, x_t *x, real w[3][16], real b[16])
{
    _Alignas(64) real panel[3][16];
    #pragma omp single nowait
    {
        for (int k = 0; k < 3; k++)
            v_store(panel[k], v_loadu(&w[k][0]));
        h_forward_4x1(&y[0][0], panel[0], x[0][0], &b[0]);
    }
}

static void h_weights_3x1(real dw[3][16], real dy[][L][16], real x[][3][L], int k, int part)
{
    int m = part * 16;
    vec s0_0 = v_zero(), s1_0 = v_zero(), s2_0 = v_zero();
    for (int l = 0, end = L; l < end; l++) {
        vec z0 = v_keep(v_load(dy[part][l]));
        vec a = v_set1(x[0][k][l]);
        s0_0 = v_fma(a, z0, s0_0);
        a = v_set1(x[0][k + 1][l]);
        s1_0 = v_fma(a, z0, s1_0);
        a = v_set1(x[0][k + 2][l]);
        s2_0 = v_fma(a, z0, s2_0);
    }
    v_storeu(&dw[k][m], s0_0);
    v_storeu(&dw[k + 1][m], s1_0);
    v_storeu(&dw[k + 2][m], s2_0);
}

/* db of a vec of outputs: the sum of all rows. */
static void h_bias_1(real db[16], real dy[][L][16], int part)
{
    int m = part * 16;
    vec b0 = v_zero();
    for (int l = 0, end = L; l < end; l++)
        b0 = v_add(b0, v_load(dy[part][l]));
    v_storeu(&db[m], b0);
}

/* rows: dy with the outputs side by side, 16 of an example; of one slice. */
static void h_transpose(real *rows, real *dy)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows, (*dys)[L] = (real (*)[L])dy;
    vec square[16];
    for (int r = 0; r < 16; r++) square[r] = r < 4 ? v_load(dys[r]) : v_zero();
    v_transpose16(square);
    for (int l = 0; l < L; l++) v_store(dyt[0][l], square[l]);
}

/* dw[k][m] = sum over rows of x[k] dy[m]; db: the sum of dy.  No barrier before: a free thread begins at once. */
static void h_weights(real dw[3][16], real db[16], real *rows, x_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    #pragma omp single nowait
    {
        h_bias_1(db, dyt, 0);
        h_weights_3x1(dw, dyt, x, 0, 0);
    }
}

/* ---- h_relu: relu ---------------------------------------- dense.yaml:7
 *   4 -> 4 */

/* d_x = where(y > 0, dy, 0) */
static inline void h_relu_gradient(vec *d_x, vec dy, vec y)
{
    const mask t1 = v_gt(y, v_set1(0));
    *d_x = v_zero_unless(t1, dy);
}

static void h_relu_backward(real *d_x, real *dy, real *y)
{
    for (int i = 0; i < 4; i++) {
        vec g_x;
        h_relu_gradient(&g_x, v_load(dy + i * L), v_load(y + i * L));
        v_store(d_x + i * L, g_x);
    }
}

/* ---- v: dense -------------------------------------------- dense.yaml:8
 *   4 -> 2    10 parameters    8 multiply-adds an example */
/* y[s][m] = b[m] + sum over k of w[k][m] x[s][k], k in order, in every lane.
 * Tiles of outputs, the examples in the vectors; a panel of weights to 16 outputs is copied together, 4 inputs
 * at a time, stays in the first-level cache and meets the examples of 1 slice. */
static void v_forward_2x1(real (*y)[L], real *panel, real *x, real *b)
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

static void v_forward(v_t *y, h_t *x, real w[4][16], real b[16])
{
    _Alignas(64) real panel[4][16];
    #pragma omp single nowait
    {
        for (int k = 0; k < 4; k++)
            v_store(panel[k], v_loadu(&w[k][0]));
        v_forward_2x1(&y[0][0], panel[0], x[0][0], &b[0]);
    }
}

static void v_backward_4x1(real dx[][4][L], real dy[][2][L], real w[4][16], int k, int s)
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

static void v_backward(h_t *dx, v_t *dy, real w[4][16])
{
    #pragma omp single nowait
    {
        v_backward_4x1(dx, dy, w, 0, 0);
    }
}

static void v_weights_4x1(real dw[4][16], real dy[][L][16], real x[][4][L], int k, int part)
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
static void v_bias_1(real db[16], real dy[][L][16], int part)
{
    int m = part * 16;
    vec b0 = v_zero();
    for (int l = 0, end = L; l < end; l++)
        b0 = v_add(b0, v_load(dy[part][l]));
    v_storeu(&db[m], b0);
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

/* dw[k][m] = sum over rows of x[k] dy[m]; db: the sum of dy.  No barrier before: a free thread begins at once. */
static void v_weights(real dw[4][16], real db[16], real *rows, h_t *x)
{
    real (*dyt)[L][16] = (real (*)[L][16])rows;
    #pragma omp single nowait
    {
        v_bias_1(db, dyt, 0);
        v_weights_4x1(dw, dyt, x, 0, 0);
    }
}

/* ---- cross_entropy1: cross_entropy ----------------------- dense.yaml:9
 *   2, 1 -> 1 */
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

/* ==== 4 memory =================================================================================================== */

/* One block for the batch, planned for forward and backward together: a place is used again when its value has been
 * read for the last time.  v.NAME[s] is the value of slice s: group g, or at step t of a repeat s = t * G + g.
 * Of each tensor: its slices, its shape, where a gradient comes from, its place, and what else has some of that place
 * at other times. */
static real *memory;
#define MEMORY ((size_t)752)     /* reals */
#define SCRATCH ((size_t)64)     /* reals of each thread */
static struct {
    x_t *x;                /* [0 .. G)  3: reals 640 to 688, 192 bytes */
    y_t *y;                /* [0 .. G)  1: reals 720 to 736, 64 bytes */
    h_t *h;                /* [0 .. G)  4: reals 512 to 576, 256 bytes */
    v_t *v;                /* [0 .. G)  2: reals 688 to 720, 128 bytes */
    loss1_t *loss1;        /* [0 .. G)  1: reals 736 to 752, 64 bytes */
    real (*d_v_rows)[256]; /* [0 .. G)  a kernel's own layout: reals 0 to 256, 1.0 KiB */
    d_v_t *d_v;            /* [0 .. G)  2: by cross_entropy1; reals 256 to 288, 128 bytes; with d_h_rows */
    d_h_t *d_h;            /* [0 .. G)  4: by v; reals 576 to 640, 256 bytes */
    real (*d_h_rows)[256]; /* [0 .. G)  a kernel's own layout: reals 256 to 512, 1.0 KiB; with d_v */
} v;

/* What lives only within one group's phase: in the scratch of its thread, planned as the block is. */
typedef struct {
    d_h_sum_t *d_h_sum; /* 4: by h_relu; reals 0 to 64, 256 bytes */
} Scratch;
static real *scratch_memory;
static Scratch *scratches;      /* one a thread */
static inline const Scratch *scratch_of_thread(void) { return &scratches[omp_get_thread_num()]; }

/* Lays the tensors into the memory. */
static void lay_out(void)
{
    v.x = (void *)(memory + 640);
    v.y = (void *)(memory + 720);
    v.h = (void *)(memory + 512);
    v.v = (void *)(memory + 688);
    v.loss1 = (void *)(memory + 736);
    v.d_v_rows = (void *)memory;
    v.d_v = (void *)(memory + 256);
    v.d_h = (void *)(memory + 576);
    v.d_h_rows = (void *)(memory + 256);
    for (int k = 0; k < threads; k++) {
        real *at = scratch_memory + (size_t)k * SCRATCH;
        scratches[k].d_h_sum = (void *)at;
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
        load_x_forward((real *)v.x[g], batch->inputs[0], g * L, batch->count);
        load_y_forward(v.y[g], batch->targets[0], g * L, batch->count);
    }
    h_forward(v.h, v.x, weights->h_weight, weights->h_bias);
    #pragma omp barrier
    v_forward(v.v, v.h, weights->v_weight, weights->v_bias);
    #pragma omp barrier
    #pragma omp for schedule(dynamic, 1)
    for (int g = 0; g < G; g++) {
        cross_entropy1_forward(v.loss1[g], (real *)v.v[g], v.y[g]);
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
        cross_entropy1_backward((real *)v.d_v[g], (real *)v.v[g], v.y[g], loss1_scale, present(batch, g));
        v_transpose(v.d_v_rows[g], (real *)v.d_v[g]);
    }
    v_backward(v.d_h, v.d_v, weights->v_weight);
    #pragma omp barrier
    #pragma omp for schedule(dynamic, 1) nowait
    for (int g = 0; g < G; g++) {
        h_relu_backward((real *)*scratch->d_h_sum, (real *)v.d_h[g], (real *)v.h[g]);
        h_transpose(v.d_h_rows[g], (real *)*scratch->d_h_sum);
    }
    v_weights(gradient->v_weight, gradient->v_bias, v.d_v_rows[0], v.h);
    #pragma omp barrier
    h_weights(gradient->h_weight, gradient->h_bias, v.d_h_rows[0], v.x);
    #pragma omp barrier
}

/* ==== 7 update =================================================================================================== */

/* The parameters: shape, place in the block, the rule of their start and its number. */
static const NetParam params[] = {
    { "h.weight", .rank = 2, .shape = { 4, 3 }, .layout = IN_OUT, .stride = 16, .offset = 0, .count = 12,
        .init = INIT_UNIFORM, .init_value = 0.9258200997725514, .yaml_line = 7 },
    { "h.bias", .rank = 1, .shape = { 4 }, .layout = EXPORTED, .offset = 48, .count = 4, .init = INIT_CONSTANT,
        .init_value = 0, .yaml_line = 7 },
    { "v.weight", .rank = 2, .shape = { 2, 4 }, .layout = IN_OUT, .stride = 16, .offset = 64, .count = 8,
        .init = INIT_UNIFORM, .init_value = 1, .yaml_line = 8 },
    { "v.bias", .rank = 1, .shape = { 2 }, .layout = EXPORTED, .offset = 128, .count = 2, .init = INIT_CONSTANT,
        .init_value = 0, .yaml_line = 8 },
};
enum { PARAMS = sizeof params / sizeof *params };
static OptimiserNorm *row_sums;     /* of the gradient, by rows of parameters: parts of its norm */

/* One step of sgd, with the settings in dense-train.c.  Called by all threads; returns the norm of the gradient before
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
        hash = decide_positive(hash, (real *)v.h[s], sizeof v.h[s] / sizeof(real));
    return hash;
}

/* net_replay and net_profile, the same calls looked at or timed, and `rows`, which names them. */
#include "dense_inspect.c"

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
    { "x", F32, .rank = 1, .shape = { 3 }, .count = 3 },
};

static const NetData targets[] = {
    { "y", LABELS, .rank = 0, .shape = { 0 }, .count = 1, .classes = 2 },
};

/* The names of the flow. */
static const NetValue values[] = {
    { "h", .rank = 1, .shape = { 4 }, .count = 4, .offset = 512, .slot = 64 },
    { "v", .rank = 1, .shape = { 2 }, .count = 2, .offset = 688, .slot = 32, .output = 1 },
};

/* The terms of the loss. */
static const NetLoss losses[] = {
    /* cross_entropy */
    { SHOWS_WRONG, GROWS_EVENLY, .value = 1, .target = 0, .positions = 1, .weight = 1, .yaml_line = 9, .inner = 1 },
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
    .name = "dense",
    .about = "",
    .source = "tests/golden/dense.yaml",
    .target = "avx2",
    .precision = "float",
    .form = "fast",
    .signature = "471c529e9fc00774",
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
    .value_count = 2,
    .losses = losses,
    .loss_count = 1,
    .training = &net_training,
    .schedule = schedule,
    .schedule_count = sizeof schedule / sizeof *schedule,
    .block = BLOCK,
    .state_blocks = STATES,
    .activation_reals = MEMORY,
    .thread_reals = SCRATCH,
    .forward_macs = 20,
    .backward_macs = 28,
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
