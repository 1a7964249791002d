/* SPDX-License-Identifier: 0BSD */
/* conv-train.c -- made by spnc from tests/golden/conv.yaml.  Edit that, not this.
 *
 * How the net is trained, and what tells this model from others: an edit of `train:` changes this file alone, unless
 * the optimiser, `accumulate` or `average` is another. */
#include "optimiser.h"

/* What a run may set otherwise: train --set. */
const NetTraining net_training = {
    .optimiser = "adam",
    .rate = 0.001,
    .schedule = { 0, 0, 0, 0 },
    .epochs = 100, .patience = 0,
    .seed = 1u,
    .dropout = { 0 },
};

/* One step of adam. */
double optimiser_update(const OptimiserBlocks *b, double rate, uint64_t update_count)
{
    OptimiserNorm norm = optimiser_norm(b->gradient, b->params, b->param_count, b->row_sums, 1);
    /* a NaN or an infinity somewhere: the weights stay as they were, for the caller to look at */
    if (!isfinite(norm.whole))
        return norm.whole;
    const double factor = optimiser_clip_torch(norm.within, 3.3333333333333335);
    const OptimiserInput how = { .most = 1, .factor = factor, .decay = 0 };
    optimiser_adam(b->weights, b->gradient, b->state[0], b->state[1], NULL, b->n, how, rate, 0.9, 0.999, 1e-08, 0,
        update_count);
    #pragma omp barrier
    return norm.whole;
}

const char net_hash[] = "f40923d824080bc1";
const char net_settings[] = "";
const char *const net_onnx[] = {        /* for `export -o NET.onnx`; the lines are those of trainer/inspect/onnx.c */
    "in x u8 [1,5,5]",
    "node Cast /0 = x : to=1",
    "node Div /x = /0 real:255",
    "node Conv /front_conv1_sum = /x front.conv1.weight front.conv1.bias : kernel_shape=[2,2] strides=[1,1] dilations=[1,1] pads=[0,0,0,0] group=1",
    "node Relu /front_conv1 = /front_conv1_sum",
    "node MaxPool /front_maxpool1 = /front_conv1 : kernel_shape=[2,2] strides=[2,2] pads=[0,0,0,0]",
    "node Conv /front_conv2 = /front_maxpool1 front.conv2.weight : kernel_shape=[2,2] strides=[2,2] dilations=[1,1] pads=[1,1,1,1] group=1",
    "node Tanh /front_tanh1 = /front_conv2",
    "node Reshape /1 = /front_tanh1 int[0,8]",
    "node Gemm /front_dense1 = /1 front.dense1.weight front.dense1.bias : transB=1",
    "node Identity v = /front_dense1",
    "out v f32 [2]",
    0,
};
/* ISO C promises room for 4,095 characters, compilers have more. */
#pragma GCC diagnostic ignored "-Woverlength-strings"
const char net_yaml[] =
    "# A convolution that a pool follows, padding and stride; adam.\n"
    "model: conv\n"
    "batch: 16\n"
    "inputs: { x: { shape: [1, 5, 5], dtype: u8 } }\n"
    "targets: { y: { classes: 2 } }\n"
    "nets:\n"
    "  front:\n"
    "    - conv: { filters: 2, kernel: 2, act: relu }\n"
    "    - maxpool: 2\n"
    "    - conv: { filters: 2, kernel: 2, padding: 1, stride: 2, bias: false }\n"
    "    - tanh\n"
    "    - dense: 2\n"
    "flow:\n"
    "  - v: { front: x }\n"
    "loss: { cross_entropy: [v, y], epsilon: 1e-5 }\n"
    "train: { optimiser: { adam: { rate: 1e-3 } }, clip: { element: 1, norm: 10 / 3 } }\n";
