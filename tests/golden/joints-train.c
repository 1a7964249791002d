/* SPDX-License-Identifier: 0BSD */
/* joints-train.c -- made by spnc from tests/golden/joints.yaml.  Edit that, not this.
 *
 * How the net is trained, and what tells this model from others: an edit of `train:` changes this file alone, unless
 * the optimiser, `accumulate` or `average` is another. */
#include "optimiser.h"

/* What a run may set otherwise: train --set. */
const NetTraining net_training = {
    .optimiser = "rmsprop",
    .rate = 0.0005,
    .schedule = { 0, 0, 0, 0 },
    .epochs = 100, .patience = 0,
    .seed = 1u,
    .dropout = { 0 },
};

/* One step of rmsprop. */
double optimiser_update(const OptimiserBlocks *b, double rate, uint64_t update_count)
{
    (void)update_count;
    OptimiserNorm norm = optimiser_norm(b->gradient, b->params, b->param_count, b->row_sums, 0);
    /* a NaN or an infinity somewhere: the weights stay as they were, for the caller to look at */
    if (!isfinite(norm.whole))
        return norm.whole;
    const double factor = 1;
    const OptimiserInput how = { .most = 0, .factor = factor, .decay = 0 };
    optimiser_rmsprop(b->weights, b->gradient, b->state[0], NULL, NULL, b->n, how, rate, 0.9, 1e-06, 1, 0, 0);
    #pragma omp barrier
    return norm.whole;
}

const char net_hash[] = "7e227cba72c32aaf";
const char net_settings[] = "";
const char *const net_onnx[] = {        /* for `export -o NET.onnx`; the lines are those of trainer/inspect/onnx.c */
    "in x f32 [4]",
    "node Gemm /d_sum@0 = x d.weight d.bias : transB=1",
    "node Sigmoid /d@0 = /d_sum@0",
    "node Reshape /e@0 = /d@0 int[0,2,2]",
    "node Shape //examples = x : start=0 end=1",
    "node Concat /0 = //examples int[2,2] : axis=0",
    "node Expand /s@-1 = real:0 /0",
    "node Mul /p@0 = /e@0 /s@-1",
    "node Add /s_2@0 = /p@0 /e@0",
    "node Gemm /d_sum@1 = x d.weight d.bias : transB=1",
    "node Sigmoid /d@1 = /d_sum@1",
    "node Reshape /e@1 = /d@1 int[0,2,2]",
    "node Mul /p@1 = /e@1 /s_2@0",
    "node Add /s_2@1 = /p@1 /e@1",
    "node Unsqueeze /1 = /s_2@0 int[1]",
    "node Unsqueeze /2 = /s_2@1 int[1]",
    "node Concat /s_steps = /1 /2 : axis=1",
    "node Gather /first = /s_steps int:0 : axis=1",
    "node Concat /both = /s_2@1 /first : axis=2",
    "node Reshape /3 = /both int[0,8]",
    "node Gemm /v = /3 v.weight : transB=1",
    "node Identity v = /v",
    "out v f32 [2]",
    0,
};
/* ISO C promises room for 4,095 characters, compilers have more. */
#pragma GCC diagnostic ignored "-Woverlength-strings"
const char net_yaml[] =
    "# What joins and cuts: add, multiply, concat, slice, reshape, last; a carried value of a plain shape; mse.\n"
    "model: joints\n"
    "batch: 16\n"
    "inputs: { x: { shape: [4] } }\n"
    "targets: { r: { shape: [2] } }\n"
    "flow:\n"
    "  - repeat: 2\n"
    "    carry: { s: { shape: [2, 2] } }\n"
    "    do:\n"
    "      - d: { dense: x, units: 4, act: sigmoid }\n"
    "      - e: { reshape: d, shape: [2, 2] }\n"
    "      - p: { multiply: [e, s] }\n"
    "      - s: { add: [p, e] }\n"
    "  - end: { last: s }\n"
    "  - first: { slice: s, index: 0 }\n"
    "  - both: { concat: [end, first], axis: 1 }\n"
    "  - v: { dense: both, units: 2, bias: false }\n"
    "loss: { mse: [v, r] }\n";
