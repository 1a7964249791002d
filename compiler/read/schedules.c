/* schedules.c -- the table of schedules: one row each: the rate of a training as a function of the epoch.
 *
 * In: nothing.  Out: schedules[].  A row has the settings with their ranges, defaults and help, and the page of `spnc ops`.  The one
 * convention: the rule itself is the function schedule_NAME in runtime/schedule.h, whose last parameters bear the names of the row's
 * settings; the last setting, warm_up, is apart from the rule: schedule_warm_up. */
#include "read/language.h"

#define SCHEDULE_EXAMPLE(form)                    \
    "inputs: { x: { shape: [4] } }\n"             \
    "targets: { y: { classes: 3 } }\n"            \
    "flow:\n"                                     \
    "  - v: { dense: x, units: 3 }\n"             \
    "loss: { cross_entropy: [v, y] }\n"           \
    "train:\n"                                    \
    "  schedule: " form "\n"

/* The last setting of every schedule; the rule of a schedule does not have it. */
#define SCHEDULE_WARM_UP \
    { "warm_up", ATTR_REAL, "0", 0, 1e6, NULL, "epochs in which the rate rises evenly, update by update; what the schedule says is multiplied by it" }

#define DIVIDE_FORM "{ divide: 1.5, first: 31, every: 12 }"
static const AttrSpec divide_keys[] = {
    { "divide", ATTR_REAL, "1", 1e-6, 1e6, NULL, "what the rate is divided by each time" },
    { "first", ATTR_INT, "0", 0, 1e6, NULL, "the first epoch (from 0) that has a divided rate" },
    { "every", ATTR_INT, NULL, 1, 1e6, NULL, "epochs from one division to the next" },
    SCHEDULE_WARM_UP,
    { 0 },
};

#define STEP_FORM "{ step: { divide: 10, every: 30 } }"
static const AttrSpec step_keys[] = {
    { "divide", ATTR_REAL, NULL, 1e-6, 1e6, NULL, "what the rate is divided by each time" },
    { "every", ATTR_INT, NULL, 1, 1e6, NULL, "epochs from one division to the next" },
    SCHEDULE_WARM_UP,
    { 0 },
};

#define EXPONENTIAL_FORM "{ exponential: { factor: 0.95 } }"
static const AttrSpec exponential_keys[] = {
    { "factor", ATTR_REAL, NULL, 1e-6, 1e6, NULL, "what the rate is multiplied by from one epoch to the next" },
    SCHEDULE_WARM_UP,
    { 0 },
};

#define COSINE_FORM "{ cosine: { final: 0.01, warm_up: 5 } }"
static const AttrSpec cosine_keys[] = {
    { "final", ATTR_REAL, "0", 0, 1e6, NULL, "share of the rate at the last epoch" },
    SCHEDULE_WARM_UP,
    { 0 },
};

const Schedule schedules[] = {
    {
        .map = {
            "divide", "schedule", divide_keys, "The rate is divided at epoch `first` and every `every` epochs after.",
            "rate(epoch) = rate / divide^n,  n = 0 before epoch `first`, then floor((epoch - first) / every) + 1",
            SCHEDULE_EXAMPLE(DIVIDE_FORM),
        },
        .form = DIVIDE_FORM,
        .begins = "first",
        .bare = true,
    },
    {
        .map = {
            "step", "step", step_keys, "The rate is divided every `every` epochs.", "rate(epoch) = rate / divide^floor(epoch / every)",
            SCHEDULE_EXAMPLE(STEP_FORM),
        },
        .form = STEP_FORM,
        .begins = "every",
    },
    {
        .map = {
            "exponential", "exponential", exponential_keys, "The rate is multiplied by one factor from epoch to epoch.",
            "rate(epoch) = rate factor^epoch",
            SCHEDULE_EXAMPLE(EXPONENTIAL_FORM),
        },
        .form = EXPONENTIAL_FORM,
    },
    {
        .map = {
            "cosine", "cosine", cosine_keys, "Half a wave, from the whole rate at the first epoch to a share of it at the last.",
            "rate(epoch) = rate (final + (1 - final) (1 + cos(pi epoch / (epochs - 1))) / 2)",
            SCHEDULE_EXAMPLE(COSINE_FORM),
        },
        .form = COSINE_FORM,
        .whole_run = true,
    },
    { .map = { 0 } },
};
