/* run.h -- a run folder: log.jsonl, the checkpoints `last` and `best`, and a lock while somebody trains in it. */
#ifndef SPN_RUN_H
#define SPN_RUN_H

#include "spn.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a run stands; with weights and optimiser state it is all that the rest of the run depends on. */
typedef struct {
    uint64_t seed, updates;                    /* updates done: the step number of dropout and adam */
    int64_t examples;                          /* of the training split */
    int epoch;                                 /* epochs finished, so also the number of the running one */
    int64_t position;                          /* examples of the running epoch that are done */
    double loss_sum, norm_sum, norm_most;      /* over these: loss times examples; norms of the steps */
    int64_t steps;
    double train_seconds;
    int best_epoch;                            /* -1: none yet */
    double best;                               /* its validation error, or loss where there are no labels */
    int64_t log_bytes;                         /* length of log.jsonl when this was saved */
} Progress;

/* RUN/file in path[0..room); ends the program if that is too long. */
void run_path(char *path, size_t room, const char *run, const char *file);
bool run_has(const char *run, const char *file);
/* Makes the folder and its parents if need be and takes its lock, kept until the program ends; ends the program with
 * exit code 1 if somebody else has it. */
void run_lock(const char *run);

/* The net's weights and optimiser state with `p`, to RUN/file, atomically. */
void run_save(const char *run, const char *file, const Progress *p);
/* Back again, weights and state and *p.  Another model hash ends the program, saying what differs. */
void run_resume(Progress *p, const char *run);

/* For the commands that only look.  The weights of a run's best checkpoint (the last if there is none, or if `last`) or
 * of a file go to net.weights(); exactly one of run and weights is to be given.  Shapes must fit, the hash need not. */
void run_or_file_weights(const char *run, const char *weights, bool last);

#endif
