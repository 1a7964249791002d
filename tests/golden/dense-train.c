/* SPDX-License-Identifier: 0BSD */
/* dense-train.c -- made by spnc from tests/golden/dense.yaml.  Edit that, not this.
 *
 * How the net is trained, and what tells this model from others: an edit of `train:` changes this file alone, unless
 * the optimiser, `accumulate` or `average` is another. */
#include "optimiser.h"

/* What a run may set otherwise: train --set. */
const NetTraining net_training = {
    .optimiser = "sgd",
    .rate = 0.1,
    .schedule = { 0, 0, 0, 0 },
    .epochs = 100, .patience = 0,
    .seed = 1u,
    .dropout = { 0 },
};

/* One step of sgd. */
double optimiser_update(const OptimiserBlocks *b, double rate, uint64_t update_count)
{
    (void)update_count;
    OptimiserNorm norm = optimiser_norm(b->gradient, b->params, b->param_count, b->row_sums, 0);
    /* a NaN or an infinity somewhere: the weights stay as they were, for the caller to look at */
    if (!isfinite(norm.whole))
        return norm.whole;
    const double factor = 1;
    const OptimiserInput how = { .most = 0, .factor = factor, .decay = 0 };
    optimiser_sgd(b->weights, b->gradient, NULL, b->n, how, rate, 0, 0);
    #pragma omp barrier
    return norm.whole;
}

const char net_hash[] = "e66cb8a242f840fd";
const char net_settings[] = "";
const char *const net_onnx[] = {        /* for `export -o NET.onnx`; the lines are those of trainer/inspect/onnx.c */
    "in x f32 [3]",
    "node Gemm /h_sum = x h.weight h.bias : transB=1",
    "node Relu /h = /h_sum",
    "node Gemm /v = /h v.weight v.bias : transB=1",
    "node Identity v = /v",
    "out v f32 [2]",
    0,
};
/* ISO C promises room for 4,095 characters, compilers have more. */
#pragma GCC diagnostic ignored "-Woverlength-strings"
const char net_yaml[] =
    "# Two dense layers, one with an activation in its epilogue; labels.\n"
    "model: dense\n"
    "batch: 16\n"
    "inputs: { x: { shape: [3] } }\n"
    "targets: { y: { classes: 2 } }\n"
    "flow:\n"
    "  - h: { dense: x, units: 4, act: relu }\n"
    "  - v: { dense: h, units: 2 }\n"
    "loss: { cross_entropy: [v, y] }\n"
    "train: { optimiser: { sgd: { rate: 0.1 } } }\n";
