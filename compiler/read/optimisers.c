/* optimisers.c -- the table of optimisers: one row each, the only source of all that spnc computes and prints about an optimiser.
 *
 * In: nothing.  Out: optimisers[].  A row has the settings with their ranges, defaults and help, the blocks of state, and the page of
 * `spnc ops`.  The one convention: the rule itself is the function optimiser_NAME in runtime/optimiser.h; its parameters bear the names of
 * the row's states and settings. */
#include "read/language.h"
#include <string.h>

#define OPTIMISER_EXAMPLE(line)                   \
    "inputs: { x: { shape: [4] } }\n"             \
    "targets: { y: { classes: 3 } }\n"            \
    "flow:\n"                                     \
    "  - v: { dense: x, units: 3 }\n"             \
    "loss: { cross_entropy: [v, y] }\n"           \
    "train:\n"                                    \
    "  optimiser: " line "\n"

static const AttrSpec rmsprop_keys[] = {
    { "rate", ATTR_REAL, "5e-4", 0, 1e6, NULL, "learning rate" },
    { "decay", ATTR_REAL, "0.9", 0, 1, NULL, "share of the mean of squares that is kept" },
    { "epsilon", ATTR_REAL, "1e-6", 0, 1, NULL, "keeps the divisor away from zero" },
    { "epsilon_inside", ATTR_BOOL, "true", 0, 1, NULL, "whether epsilon stands under the root" },
    { "momentum", ATTR_REAL, "0", 0, 1, NULL, "share of the last update's velocity that is kept" },
    { "centred", ATTR_BOOL, "false", 0, 1, NULL, "whether the square of the mean gradient is taken off the mean of squares" },
    { 0 },
};

static const AttrSpec sgd_keys[] = {
    { "rate", ATTR_REAL, "0.01", 0, 1e6, NULL, "learning rate" },
    { "momentum", ATTR_REAL, "0", 0, 1, NULL, "share of the last update's velocity that is kept" },
    { "nesterov", ATTR_BOOL, "false", 0, 1, NULL, "whether the gradient is taken ahead of the velocity; momentum must be above 0" },
    { 0 },
};

#define ADAM_KEYS                                                                                        \
    { "rate", ATTR_REAL, "1e-3", 0, 1e6, NULL, "learning rate" },                                        \
    { "beta1", ATTR_REAL, "0.9", 0, 0.999999, NULL, "share of the mean gradient that is kept" },         \
    { "beta2", ATTR_REAL, "0.999", 0, 0.999999, NULL, "share of the mean of squares that is kept" },     \
    { "epsilon", ATTR_REAL, "1e-8", 0, 1, NULL, "keeps the divisor away from zero" },                    \
    { "amsgrad", ATTR_BOOL, "false", 0, 1, NULL, "whether the largest mean of squares so far takes the place of the mean" }

static const AttrSpec adam_keys[] = { ADAM_KEYS, { 0 } };

static const AttrSpec adamw_keys[] = {
    ADAM_KEYS,
    { "weight_decay", ATTR_REAL, "0.01", 0, 1e3, NULL, "share of each weight, times the rate, that an update takes away" },
    { 0 },
};

static const AttrSpec adagrad_keys[] = {
    { "rate", ATTR_REAL, "0.01", 0, 1e6, NULL, "learning rate" },
    { "epsilon", ATTR_REAL, "1e-10", 0, 1, NULL, "keeps the divisor away from zero" },
    { 0 },
};

#define ADAM_STATES { { .name = "m" }, { .name = "v" }, { .name = "largest", .setting = "amsgrad" } }

const Optimiser optimisers[] = {
    {
        .map = {
            "rmsprop", "rmsprop", rmsprop_keys, "Divides by the root of the recent mean of squared gradients.",
            "r = decay r + (1 - decay) g^2;  w -= rate g / sqrt(r + epsilon), or / (sqrt(r) + epsilon) with epsilon_inside: false\n"
            "centred: mean = decay mean + (1 - decay) g, and r - mean^2 stands for r under the root\n"
            "momentum: v = momentum v + g / root;  w -= rate v",
            OPTIMISER_EXAMPLE("{ rmsprop: { rate: 5e-4, decay: 0.9 } }"),
        },
        .states = { { .name = "r" }, { .name = "mean", .setting = "centred" }, { .name = "v", .setting = "momentum" } },
    },
    {
        .map = {
            "sgd", "sgd", sgd_keys, "Gradient descent, with momentum if wanted.",
            "v = momentum v + g;  w -= rate v, or w -= rate (g + momentum v) with nesterov",
            OPTIMISER_EXAMPLE("{ sgd: { rate: 0.05, momentum: 0.9, nesterov: true } }"),
        },
        .states = { { .name = "v", .setting = "momentum" } },
    },
    {
        .map = {
            "adam", "adam", adam_keys, "Mean gradient over the root of the mean square, both corrected for their start.",
            "m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  "
            "w -= rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)\n"
            "amsgrad: largest = max(largest, v), and largest stands for v under the root",
            OPTIMISER_EXAMPLE("{ adam: { rate: 1e-3 } }"),
        },
        .states = ADAM_STATES,
        .counted = true,
    },
    {
        .map = {
            "adamw", "adamw", adamw_keys, "Adam, with weight decay that bypasses the means (Loshchilov and Hutter, 2019).",
            "w -= rate weight_decay w, and then as adam",
            OPTIMISER_EXAMPLE("{ adamw: { rate: 1e-3, weight_decay: 0.05 } }"),
        },
        .states = ADAM_STATES,
        .counted = true,
    },
    {
        .map = {
            "adagrad", "adagrad", adagrad_keys, "Divides by the root of the sum of all squared gradients so far.",
            "r = r + g^2;  w -= rate g / (sqrt(r) + epsilon)",
            OPTIMISER_EXAMPLE("{ adagrad: { rate: 0.05 } }"),
        },
        .states = { { .name = "r" } },
    },
    { .map = { 0 } },
};

const Optimiser *optimiser_named(const char *name)
{
    for (const Optimiser *o = optimisers; o->map.name; o++)
        if (strcmp(o->map.name, name) == 0)
            return o;
    return NULL;
}

bool optimiser_has(const Optimiser *o, const char *name)
{
    for (const AttrSpec *k = o->map.keys; k->name; k++)
        if (strcmp(k->name, name) == 0)
            return true;
    return false;
}

double optimiser_setting(const Optimiser *o, const double *settings, const char *name)
{
    for (int i = 0; o->map.keys[i].name; i++)
        if (strcmp(o->map.keys[i].name, name) == 0)
            return settings[i];
    unreachable("a setting that its optimiser does not have");
}

int optimiser_blocks(const Optimiser *o, const double *settings, int *blocks)
{
    int n = 0;
    for (int k = 0; k < STATES_MAX && o->states[k].name; k++) {
        const StateSpec *s = &o->states[k];
        bool kept = !s->setting || optimiser_setting(o, settings, s->setting) != 0;
        if (blocks)
            blocks[k] = kept ? n : -1;
        n += kept;
    }
    return n;
}
