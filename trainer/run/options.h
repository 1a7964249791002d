/* options.h -- the values of a program's command line: the options that its commands share; opens the net for them.
 *
 * Every command takes the options that its row in main.c allows and returns an exit code (message.h). */
#ifndef SPN_OPTIONS_H
#define SPN_OPTIONS_H

#include "net.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *data, *run, *weights, *out, *split, *mode, *picture, *init, *only, *rename, *runs;    /* NULL: not given */
    const char **operands;                     /* what stands without an option: files, folders, runs */
    int operand_count;
    int threads;                               /* at least 1 */
    int steps;                                 /* profile: at least 1 */
    int epochs;                                /* 0: the model's */
    int ground;                                /* behind transparent pictures, 0 to 255, or -1: they are refused */
    const char *layer, *what;                  /* dump */
    int64_t first, count, index, step, example, epoch;    /* index, step, example -1: not given */
    uint64_t seed;                             /* if seed_given */
    bool seed_given, resume, json, last, average, buffers, parameters_only, fit, quiet, overfit, lr_find, wait;
    double max_time, save_every;               /* seconds; max_time 0: no limit */
    NetTraining training;                      /* the model's settings, with those of --set */
    unsigned settings;                         /* which were given: settings.h */
    const char *program;                       /* as it was called */
} Options;

/* net.open(threads), or exit 74. */
void open_net(int threads);

#endif
