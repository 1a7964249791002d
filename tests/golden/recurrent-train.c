/* SPDX-License-Identifier: 0BSD */
/* recurrent-train.c -- made by spnc from tests/golden/recurrent.yaml.  Edit that, not this.
 *   steps=2
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
    .dropout = { 0.5 },
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

const char net_hash[] = "53de5d7fee67f08f";
const char net_settings[] = "steps=2";
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
