/* run.h -- a run folder: log.jsonl, the checkpoints `last`, `last.previous` and `best`, what the run is (run.json), and a
 * lock while somebody trains in it. */
#ifndef SPN_RUN_H
#define SPN_RUN_H

#include "files/array_file.h"
#include "net.h"
#include "run/transfer.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a run stands; with weights and optimiser state it is all that the rest of the run depends on. */
typedef struct {
    NetTraining training;                      /* the model's settings, or those given when the run began */
    Transfer init;                             /* where the first weights came from */
    uint64_t updates;                          /* updates done: the step number of dropout and adam */
    uint64_t data;                             /* mark of the training split, 0 if unknown */
    int64_t examples;                          /* of the training split */
    int epoch;                                 /* epochs finished, so also the number of the running one */
    int64_t position;                          /* examples of the running epoch that are done */
    double loss_sum, norm_sum, norm_most;      /* over these: loss times examples; norms of the steps */
    double wrong;                              /* share of wrong labels times examples */
    int64_t steps;
    double train_seconds;
    double loss_first, loss_smooth, loss_least;    /* of the whole run, to notice a loss that explodes */
    bool exploded;                             /* and has been said to */
    int best_epoch;                            /* -1: none yet */
    double best;                               /* its validation error, or loss where there are no labels */
    int64_t log_bytes;                         /* length of log.jsonl when this was saved */
    const char *log_rest;                      /* what belongs behind it, but was not written for want of space; or NULL */
} Progress;

/* RUN/file in path[0..room); ends the program if that is too long. */
void run_path(char *path, size_t room, const char *run, const char *file);
bool run_has(const char *run, const char *file);
/* Is there a checkpoint to go on from? */
bool run_has_last(const char *run);
/* Makes the folder and its parents if need be and takes its lock, kept until the program ends; ends the program with
 * exit code 1 if somebody else has it.  What killed writers left half written is removed. */
void run_lock(const char *run);
/* Writes RUN/run.json: the model, the machine's share in it (target, threads), the data, the settings, the start. */
bool run_describe(const char *run, const char *data, int threads, const Progress *p, ArrayError *e);

/* The settings of a run, from its run.json; false if that is missing or not to be read. */
bool run_settings(NetTraining *training, const char *run);

/* The net's weights, optimiser state and progress at one moment, ready to be written. */
typedef struct { Array *arrays; real *exported; char *facts; } Snapshot;

/* All the room a snapshot needs but its facts; ends the program if there is none. */
void snapshot_open(Snapshot *s);
void snapshot_close(Snapshot *s);
void snapshot_take(Snapshot *s, const Progress *p);
/* To RUN/file, durably, whole or not at all.  "last": the one before is kept as last.previous. */
bool snapshot_save(const Snapshot *s, const char *run, const char *file, ArrayError *e);

/* Weights, state and *p (log_rest is then owned) from `last`, or, with a warning, from `last.previous` if `last` is
 * damaged or missing.  Another model hash ends the program, saying what differs. */
void run_resume(Progress *p, const char *run);

/* For the commands that only look.  The weights of a run's best checkpoint (the last if there is none, or if `last`) or
 * of a file go to net.weights(); exactly one of run and weights is to be given.  Shapes must fit, the hash need not. */
void run_or_file_weights(const char *run, const char *weights, bool last);

#endif
