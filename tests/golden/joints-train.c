/* SPDX-License-Identifier: 0BSD */
/* joints-train.c -- made by spnc from tests/golden/joints.yaml.  Edit that, not this.
 *
 * How the net is trained, and what tells this model from others: an edit of `train:` changes this file alone, unless the optimiser,
 * `accumulate` or `average` is another. */
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
    if (!isfinite(norm.whole))      /* a NaN or an infinity somewhere: the weights stay as they were, for the caller to look at */
        return norm.whole;
    const double factor = 1;
    const OptimiserInput how = { .most = 0, .factor = factor, .decay = 0 };
    optimiser_rmsprop(b->weights, b->gradient, b->state[0], NULL, NULL, b->n, how, rate, 0.9, 1e-06, 1, 0, 0);
    #pragma omp barrier
    return norm.whole;
}

const char net_hash[] = "7e227cba72c32aaf";
const char net_settings[] = "";
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
