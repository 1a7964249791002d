/* SPDX-License-Identifier: 0BSD */
/* recurrent-train.c -- made by spnc from tests/golden/recurrent.yaml.  Edit that, not this.
 *   steps=2
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
    .dropout = { 0.5 },
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

const char net_hash[] = "53de5d7fee67f08f";
const char net_settings[] = "steps=2";
const char *const net_onnx[] = {        /* for `export -o NET.onnx`; the lines are those of trainer/inspect/onnx.c */
    "in image f32 [1,4,4]",
    "node Shape //examples = image : start=0 end=1",
    "node Concat /0 = //examples int[3] : axis=0",
    "node Expand /h@-1 = h.init /0",
    "node Reshape /1 = image int[0,16]",
    "node Split /h.bias_ih:zrn:0 /h.bias_ih:zrn:1 /h.bias_ih:zrn:2 = h.bias_ih : axis=0 num_outputs=3",
    "node Concat /2 = /h.bias_ih:zrn:1 /h.bias_ih:zrn:0 /h.bias_ih:zrn:2 : axis=0",
    "node Unsqueeze /h.bias_ih:zrn = /2 int[0]",
    "const //nothing1x9 f32 [1,9] 0",
    "node Concat /h.weight_ih:biases = /h.bias_ih:zrn //nothing1x9 : axis=1",
    "node Split /h.weight_hh:zrn:0 /h.weight_hh:zrn:1 /h.weight_hh:zrn:2 = h.weight_hh : axis=0 num_outputs=3",
    "node Concat /3 = /h.weight_hh:zrn:1 /h.weight_hh:zrn:0 /h.weight_hh:zrn:2 : axis=0",
    "node Unsqueeze /h.weight_hh:zrn = /3 int[0]",
    "node Split /h.weight_ih:zrn:0 /h.weight_ih:zrn:1 /h.weight_ih:zrn:2 = h.weight_ih : axis=0 num_outputs=3",
    "node Concat /4 = /h.weight_ih:zrn:1 /h.weight_ih:zrn:0 /h.weight_ih:zrn:2 : axis=0",
    "node Unsqueeze /h.weight_ih:zrn = /4 int[0]",
    "node Unsqueeze /5 = /1 int[0]",
    "node Unsqueeze /6 = /h@-1 int[0]",
    "node GRU - /h@0:gru = /5 /h.weight_ih:zrn /h.weight_hh:zrn /h.weight_ih:biases - /6 : hidden_size=3 linear_before_reset=1",
    "node Squeeze /h@0 = /h@0:gru int[0]",
    "node Gemm /A@0 = /h@0 A.weight A.bias : transB=1",
    "node Reshape /7 = /A@0 int[0,2,3]",
    "node Shape /8 = /7 : start=0 end=1",
    "node Concat /9 = /8 int[1,2,2] : axis=0",
    "node AffineGrid /10 = /7 /9 : align_corners=1",
    "node GridSample /crop@0 = image /10 : align_corners=1 mode='linear' padding_mode='zeros'",
    "node Reshape /11 = /crop@0 int[0,4]",
    "node Gemm /classify_dense1@0 = /11 classify.dense1.weight classify.dense1.bias : transB=1",
    "node Unsqueeze /12 = /classify_dense1@0 int[1]",
    "node Reshape /13 = image int[0,16]",
    "node Unsqueeze /14 = /13 int[0]",
    "node Unsqueeze /15 = /h@0 int[0]",
    "node GRU - /h@1:gru = /14 /h.weight_ih:zrn /h.weight_hh:zrn /h.weight_ih:biases - /15 : hidden_size=3 linear_before_reset=1",
    "node Squeeze /h@1 = /h@1:gru int[0]",
    "node Gemm /A@1 = /h@1 A.weight A.bias : transB=1",
    "node Reshape /16 = /A@1 int[0,2,3]",
    "node Shape /17 = /16 : start=0 end=1",
    "node Concat /18 = /17 int[1,2,2] : axis=0",
    "node AffineGrid /19 = /16 /18 : align_corners=1",
    "node GridSample /crop@1 = image /19 : align_corners=1 mode='linear' padding_mode='zeros'",
    "node Reshape /20 = /crop@1 int[0,4]",
    "node Gemm /classify_dense1@1 = /20 classify.dense1.weight classify.dense1.bias : transB=1",
    "node Unsqueeze /21 = /classify_dense1@1 int[1]",
    "node Concat /classify_dense1@all = /12 /21 : axis=1",
    "node Identity digit = /classify_dense1@all",
    "out digit f32 [2,2]",
    0,
};
/* ISO C promises room for 4,095 characters, compilers have more. */
#pragma GCC diagnostic ignored "-Woverlength-strings"
const char net_yaml[] =
    "# A carried GRU that looks through a sampler; the paper's net in small.\n"
    "model: recurrent\n"
    "params: { steps: 2 }\n"
    "batch: 16\n"
    "inputs: { image: { shape: [1, 4, 4] } }\n"
    "targets: { digits: { length: $steps, classes: 2 } }\n"
    "nets:\n"
    "  classify:\n"
    "    - dropout: { rate: 0.5, ramp: 5 }\n"
    "    - dense: 2\n"
    "flow:\n"
    "  - repeat: $steps\n"
    "    carry: { h: { gru: { units: 3, init: trained } } }\n"
    "    do:\n"
    "      - h: { gru: [image, h] }\n"
    "      - A: { dense: h, units: 6, init: identity_affine }\n"
    "      - crop: { spn: [image, A], size: 2 }\n"
    "      - digit: { classify: crop }\n"
    "loss: { cross_entropy: [digit, digits] }\n";
