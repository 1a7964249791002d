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
    { 0 },
};

static const AttrSpec sgd_keys[] = {
    { "rate", ATTR_REAL, "0.01", 0, 1e6, NULL, "learning rate" },
    { "momentum", ATTR_REAL, "0", 0, 1, NULL, "share of the last update's velocity that is kept" },
    { 0 },
};

static const AttrSpec adam_keys[] = {
    { "rate", ATTR_REAL, "1e-3", 0, 1e6, NULL, "learning rate" },
    { "beta1", ATTR_REAL, "0.9", 0, 0.999999, NULL, "share of the mean gradient that is kept" },
    { "beta2", ATTR_REAL, "0.999", 0, 0.999999, NULL, "share of the mean of squares that is kept" },
    { "epsilon", ATTR_REAL, "1e-8", 0, 1, NULL, "keeps the divisor away from zero" },
    { 0 },
};

const Optimiser optimisers[] = {
    {
        .map = {
            "rmsprop", "rmsprop", rmsprop_keys, "Divides by the root of the recent mean of squared gradients.",
            "r = decay r + (1 - decay) g^2;  w -= rate g / sqrt(r + epsilon), or / (sqrt(r) + epsilon) with epsilon_inside: false",
            OPTIMISER_EXAMPLE("{ rmsprop: { rate: 5e-4, decay: 0.9 } }"),
        },
        .states = { { .name = "r" } },
    },
    {
        .map = {
            "sgd", "sgd", sgd_keys, "Gradient descent, with momentum if wanted.",
            "v = momentum v + g;  w -= rate v",
            OPTIMISER_EXAMPLE("{ sgd: { rate: 0.05, momentum: 0.9 } }"),
        },
        .states = { { .name = "v", .setting = "momentum" } },
    },
    {
        .map = {
            "adam", "adam", adam_keys, "Mean gradient over the root of the mean square, both corrected for their start.",
            "m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  "
            "w -= rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)",
            OPTIMISER_EXAMPLE("{ adam: { rate: 1e-3 } }"),
        },
        .states = { { .name = "m" }, { .name = "v" } },
        .counted = true,
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

static bool is_set(const Optimiser *o, const double *settings, const char *name)
{
    for (int i = 0; o->map.keys[i].name; i++)
        if (strcmp(o->map.keys[i].name, name) == 0)
            return settings[i] != 0;
    unreachable("a state's setting that its optimiser does not have");
}

int optimiser_blocks(const Optimiser *o, const double *settings, int *blocks)
{
    int n = 0;
    for (int k = 0; k < STATES_MAX && o->states[k].name; k++) {
        const StateSpec *s = &o->states[k];
        bool kept = !s->setting || is_set(o, settings, s->setting);
        if (blocks)
            blocks[k] = kept ? n : -1;
        n += kept;
    }
    return n;
}
