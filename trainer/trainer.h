/* trainer.h -- the commands of a trainer and the options they share.
 *
 *   main.c      options, help            train.c   train            check.c   check        bench.c   bench
 *   weights.c   parameters and files     eval.c    eval, batches    grad.c    grad         info.c    info
 *   data.c      examples and files       predict.c predict          export.c  export       run.c     run folders
 *   trial.c     train: first trials      display.c train: bar, lines                       settings.c --set
 *   transfer.c  train: --init            sweep.c   sweep
 *   report.c    report, with page.c (HTML), figure.c (PNG), chart.c (curves), history.c (what a run wrote), survey.c, shot.c
 *   compare.c   compare, with stats.c                          dump.c    dump, with tiles.c            ahead.c   reads ahead
 *   profile.c   profile, with peak.c: the machine's
 *
 * Every command takes the options that its row in main.c allows and returns an exit code (message.h). */
#ifndef SPN_TRAINER_H
#define SPN_TRAINER_H

#include "net.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *data, *run, *weights, *out, *split, *mode, *picture, *init, *only, *runs;    /* NULL: not given */
    const char **operands;                     /* what stands without an option: files, folders, runs */
    int operand_count;
    int threads;                               /* at least 1 */
    int steps;                                 /* profile: at least 1 */
    int epochs;                                /* 0: the model's */
    const char *layer, *what;                  /* dump */
    int64_t first, count, index, step, example, epoch;    /* index, step, example -1: not given */
    uint64_t seed;                             /* if seed_given */
    bool seed_given, resume, json, last, buffers, fit, quiet, overfit, lr_find;
    double max_time, save_every;               /* seconds; max_time 0: no limit */
    NetTraining training;                      /* the model's settings, with those of --set */
    unsigned settings;                         /* which were given: settings.h */
    const char *program;                       /* as it was called */
} Options;

int command_train(const Options *o);
int command_sweep(const Options *o);
int command_eval(const Options *o);
int command_predict(const Options *o);
int command_report(const Options *o);
int command_compare(const Options *o);
int command_check(const Options *o);
int command_grad(const Options *o);
int command_export(const Options *o);
int command_bench(const Options *o);
int command_profile(const Options *o);
int command_info(const Options *o);
int command_replay(const Options *o);
int command_dump(const Options *o);

/* net.open(threads), or exit 74. */
void open_net(int threads);

#endif
