/* SPDX-License-Identifier: 0BSD */
/* dense.c -- made by spnc from tests/golden/dense.yaml.  Edit that, not this.
 *
 *   1 sizes   2 parameters (26)   3 operators   4 memory   5 forward   6 backward   7 update   8 for the trainer
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

/* ==== 1 sizes ==================================================================================================== */

enum { N = 16 };     /* examples in a batch */

typedef real x_t[3];
typedef real h_t[4];
typedef real v_t[2];
typedef int32_t y_t[1];
typedef real loss1_t[1];
typedef real d_v_t[2];
typedef real d_h_t[4];
typedef real d_h_sum_t[4];

/* Slices that are longer than their tensor: they are padded to whole vectors. */
typedef struct { y_t of; unsigned char padding[60]; } y_slot;

/* ==== 2 parameters =============================================================================================== */

/* Axes in PyTorch's order. */
#define ALIGNED _Alignas(16 * sizeof(real))
typedef struct {
    ALIGNED real h_weight[4][3];
    ALIGNED real h_bias[4];
    ALIGNED real v_weight[2][4];
    ALIGNED real v_bias[2];
} Weights;
enum { BLOCK = sizeof(Weights) / sizeof(real) };
_Static_assert(BLOCK == 64, "the plan and the struct agree");

enum { STATES = 0 };     /* blocks of numbers that sgd keeps beside the weights */
static Weights *weights, *gradient, *state[1];
static int threads;

/* ==== 3 operators ================================================================================================ */

/* ---- load_x: load ---------------------------------------- dense.yaml:4
 *   3 */
/* y = x */
static void load_x_forward(real *y, const void *row)
{
    const float *x = row;
    for (int i = 0; i < 3; i++)
        y[i] = x[i];
}

/* ---- load_y: labels -------------------------------------- dense.yaml:5
 *   1 */
/* y[p] = label p of the example */
static void load_y_forward(y_t y, const void *row)
{
    enum { P = 1 };
    const int32_t *label = row;
    for (int p = 0; p < P; p++)
        y[p] = label[p];
}

/* ---- h: dense -------------------------------------------- dense.yaml:7
 *   3 -> 4    16 parameters    12 multiply-adds an example */
/* relu(s): a NaN stays a NaN, and -0 stays -0.  For each sum, where it is stored. */
static inline real h_then(real s)
{
    return r_relu(s);
}

/* y[m] = relu(b[m] + sum over k of w[m][k] x[k]) */
static void h_forward(h_t y, real *x, real w[4][3], real b[4])
{
    enum { M = 4, IN = 3 };
    for (int m = 0; m < M; m++) {
        real s = b[m];
        for (int k = 0; k < IN; k++) s += w[m][k] * x[k];
        y[m] = h_then(s);
    }
}

/* dw[m][k] += dy[m] x[k], db[m] += dy[m] */
static void h_weights(real dw[4][3], real db[4], h_t dy, real *x)
{
    enum { M = 4, IN = 3 };
    for (int m = 0; m < M; m++) {
        db[m] += dy[m];
        for (int k = 0; k < IN; k++) dw[m][k] += dy[m] * x[k];
    }
}

/* ---- h_relu: relu ---------------------------------------- dense.yaml:7
 *   4 -> 4 */

/* d_x = where(y > 0, dy, 0) */
static inline void h_relu_gradient(real *d_x, real dy, real y)
{
    *d_x = y > 0 ? dy : (real)0;
}

static void h_relu_backward(real *d_x, real *dy, real *y)
{
    for (int i = 0; i < 4; i++) {
        real g_x;
        h_relu_gradient(&g_x, dy[i], y[i]);
        d_x[i] = g_x;
    }
}

/* ---- v: dense -------------------------------------------- dense.yaml:8
 *   4 -> 2    10 parameters    8 multiply-adds an example */
/* y[m] = b[m] + sum over k of w[m][k] x[k] */
static void v_forward(v_t y, real *x, real w[2][4], real b[2])
{
    enum { M = 2, IN = 4 };
    for (int m = 0; m < M; m++) {
        real s = b[m];
        for (int k = 0; k < IN; k++) s += w[m][k] * x[k];
        y[m] = s;
    }
}

/* dx[k] = sum over m of w[m][k] dy[m] */
static void v_backward(real *dx, v_t dy, real w[2][4])
{
    enum { M = 2, IN = 4 };
    for (int k = 0; k < IN; k++) dx[k] = 0;
    for (int m = 0; m < M; m++)
        for (int k = 0; k < IN; k++) dx[k] += w[m][k] * dy[m];
}

/* dw[m][k] += dy[m] x[k], db[m] += dy[m] */
static void v_weights(real dw[2][4], real db[2], v_t dy, real *x)
{
    enum { M = 2, IN = 4 };
    for (int m = 0; m < M; m++) {
        db[m] += dy[m];
        for (int k = 0; k < IN; k++) dw[m][k] += dy[m] * x[k];
    }
}

/* ---- cross_entropy1: cross_entropy ----------------------- dense.yaml:9
 *   2, 1 -> 1 */
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

/* ==== 4 memory =================================================================================================== */

/* One block for the batch, planned for forward and backward together: a place is used again when its value has been
 * read for the last time.  v.NAME[s] is the value of slice s: example n, or at step t of a repeat s = t * N + n.
 * Of each tensor: its slices, its shape, where a gradient comes from, its place, and what else has some of that place
 * at other times. */
static real *memory;
#define MEMORY ((size_t)416)     /* reals */
#define SCRATCH ((size_t)32)     /* reals of each thread */
static struct {
    y_slot *y;      /* [0 .. N)  1: reals 0 to 256, 1.0 KiB */
    h_t *h;         /* [0 .. N)  4: reals 256 to 320, 256 bytes */
    x_t *x;         /* [0 .. N)  3: reals 320 to 368, 192 bytes */
    v_t *v;         /* [0 .. N)  2: reals 368 to 400, 128 bytes */
    loss1_t *loss1; /* [0 .. N)  1: reals 400 to 416, 64 bytes */
} v;

/* What lives only within one example's phase: in the scratch of its thread, planned as the block is. */
typedef struct {
    d_v_t *d_v;         /* 2: by cross_entropy1; reals 0 to 16, 64 bytes; with d_h_sum */
    d_h_sum_t *d_h_sum; /* 4: by h_relu; reals 0 to 16, 64 bytes; with d_v */
    d_h_t *d_h;         /* 4: by v; reals 16 to 32, 64 bytes */
} Scratch;
static real *scratch_memory;
static Scratch *scratches;      /* one a thread */
static inline const Scratch *scratch_of_thread(void) { return &scratches[omp_get_thread_num()]; }

/* Lays the tensors into the memory. */
static void lay_out(void)
{
    v.y = (void *)memory;
    v.h = (void *)(memory + 256);
    v.x = (void *)(memory + 320);
    v.v = (void *)(memory + 368);
    v.loss1 = (void *)(memory + 400);
    for (int k = 0; k < threads; k++) {
        real *at = scratch_memory + (size_t)k * SCRATCH;
        scratches[k].d_v = (void *)at;
        scratches[k].d_h_sum = (void *)at;
        scratches[k].d_h = (void *)(at + 16);
    }
}

/* ==== 5 forward ================================================================================================== */

/* The examples one after the other; a loop over t is a repeat of the model. */
static void forward_pass(const Batch *batch)
{
    block_poison(memory, MEMORY * sizeof(real));
    block_poison(scratch_memory, (size_t)threads * SCRATCH * sizeof(real));
    for (int n = 0; n < N; n++) {
        load_x_forward(v.x[n], batch->inputs[0][n < batch->count ? n : 0]);
        load_y_forward(v.y[n].of, batch->targets[0][n < batch->count ? n : 0]);
        h_forward(v.h[n], v.x[n], weights->h_weight, weights->h_bias);
        v_forward(v.v[n], v.h[n], weights->v_weight, weights->v_bias);
        cross_entropy1_forward(v.loss1[n], v.v[n], v.y[n].of);
    }
}

/* The mean of loss1, cross_entropy, over the examples and positions that are there, added up in order. */
static double loss1_mean(const Batch *batch)
{
    double sum = 0;
    for (int s = 0; s < N; s++)
        if (s % N < batch->count)
            sum += v.loss1[s][0];
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
    memset(gradient, 0, sizeof *gradient);
    for (int n = 0; n < N; n++) {
        cross_entropy1_backward(*scratch->d_v, v.v[n], v.y[n].of, loss1_scale, n < batch->count);
        v_weights(gradient->v_weight, gradient->v_bias, *scratch->d_v, v.h[n]);
        v_backward(*scratch->d_h, *scratch->d_v, weights->v_weight);
        h_relu_backward(*scratch->d_h_sum, *scratch->d_h, v.h[n]);
        h_weights(gradient->h_weight, gradient->h_bias, *scratch->d_h_sum, v.x[n]);
    }
}

/* ==== 7 update =================================================================================================== */

/* The parameters: shape, place in the block, the rule of their start and its number. */
static const NetParam params[] = {
    { "h.weight", .rank = 2, .shape = { 4, 3 }, .layout = EXPORTED, .offset = 0, .count = 12, .init = INIT_UNIFORM,
        .init_value = 0.9258200997725514, .yaml_line = 7 },
    { "h.bias", .rank = 1, .shape = { 4 }, .layout = EXPORTED, .offset = 16, .count = 4, .init = INIT_CONSTANT,
        .init_value = 0, .yaml_line = 7 },
    { "v.weight", .rank = 2, .shape = { 2, 4 }, .layout = EXPORTED, .offset = 32, .count = 8, .init = INIT_UNIFORM,
        .init_value = 1, .yaml_line = 8 },
    { "v.bias", .rank = 1, .shape = { 2 }, .layout = EXPORTED, .offset = 48, .count = 2, .init = INIT_CONSTANT,
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
    for (int s = 0; s < N; s++)
        hash = decide_positive(hash, v.h[s], sizeof v.h[s] / sizeof(real));
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
    { "x", F32, .rank = 1, .shape = { 3 }, .count = 3 },
};

static const NetData targets[] = {
    { "y", LABELS, .rank = 0, .shape = { 0 }, .count = 1, .classes = 2 },
};

/* The names of the flow. */
static const NetValue values[] = {
    { "h", .rank = 1, .shape = { 4 }, .count = 4, .offset = 256, .slot = 4 },
    { "v", .rank = 1, .shape = { 2 }, .count = 2, .offset = 368, .slot = 2, .output = 1 },
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
    .target = "generic",
    .precision = "float",
    .form = "plain",
    .signature = "471c529e9fc00774",
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
