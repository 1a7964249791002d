/* schedules.c -- the table of schedules: one row each: the rate of a training as a function of the epoch.
 *
 * In: nothing.  Out: schedules[].  A row has the settings with their ranges, defaults and help, and the page of `spnc ops`.  The one
 * convention: the rule itself is the function schedule_NAME in runtime/schedule.h, whose last parameters bear the names of the row's
 * settings. */
#include "read/language.h"

#define SCHEDULE_EXAMPLE(form)                    \
    "inputs: { x: { shape: [4] } }\n"             \
    "targets: { y: { classes: 3 } }\n"            \
    "flow:\n"                                     \
    "  - v: { dense: x, units: 3 }\n"             \
    "loss: { cross_entropy: [v, y] }\n"           \
    "train:\n"                                    \
    "  schedule: " form "\n"

#define DIVIDE_FORM "{ divide: 1.5, first: 31, every: 12 }"
static const AttrSpec divide_keys[] = {
    { "divide", ATTR_REAL, "1", 1e-6, 1e6, NULL, "what the rate is divided by each time" },
    { "first", ATTR_INT, "0", 0, 1e6, NULL, "the first epoch (from 0) that has a divided rate" },
    { "every", ATTR_INT, NULL, 1, 1e6, NULL, "epochs from one division to the next" },
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
        .bare = true,
    },
    { .map = { 0 } },
};
