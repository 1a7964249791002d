/* checkpoint.h -- a checkpoint: the net's weights and running statistics, the optimiser's state and the run's progress, in one file.
 *
 * checkpoint.c has the format: which arrays, which facts, of which kind and in which range.  Its bytes are a container's (container.h). */
#ifndef SPN_CHECKPOINT_H
#define SPN_CHECKPOINT_H

#include "net.h"
#include "files/container.h"
#include "run/settings.h"
#include "run/transfer.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a run stands; with weights and optimiser state it is all that the rest of the run depends on. */
typedef struct {
    NetTraining training;                      /* the model's settings, or those given when the run began */
    Transfer init;                             /* where the first weights came from */
    uint64_t updates;                          /* updates done: the step number of adam */
    uint64_t data;                             /* mark of the training split, 0 if unknown */
    int64_t examples;                          /* of the training split */
    int epoch;                                 /* epochs finished, so also the number of the running one */
    int64_t position;                          /* examples of the running epoch that are done */
    double loss_sum, norm_sum, norm_most;      /* over these: loss times examples; norms of the updates */
    double wrong;                              /* worth of wrong labels; those of an epoch that count are worth its examples (epochs.c) */
    double labels;                             /* worth of all labels of these examples; it follows from the data and is not kept */
    int64_t steps;                             /* batches of the running epoch that are done; the last ones may wait for their update */
    double train_seconds;
    double loss_first, loss_smooth, loss_least;    /* of the whole run, to notice a loss that explodes */
    bool exploded;                             /* the loss has exploded, and the user was warned */
    int best_epoch;                            /* -1: none yet */
    double best;                               /* its validation error, or loss where there are no labels */
    int64_t log_bytes;                         /* length of log.jsonl when this was saved */
    const char *log_rest;                      /* text that follows, not written because the disk was full; or NULL */
    double rate;                               /* of the last update; it follows from training, epoch and updates and is not kept */
} Progress;

/* Steps, a batch each, of an epoch; updates of an epoch's first `steps` (net.accumulate steps each; the rest of an epoch has its own). */
int64_t progress_steps(const Progress *p);
int64_t progress_updates(const Progress *p, int64_t steps);

/* ---- the facts ------------------------------------------------------------------------------------------------------ */

/* Facts of the net, which describe the model of a checkpoint: model, settings, precision, form, batch.  Also in run.json. */
enum { CHECKPOINT_NET_FIELDS = 5, CHECKPOINT_FIELDS_MOST = 64 };
int checkpoint_net_fields(Field *rows);
/* All rows of Progress, in the order of the file: into rows[0..CHECKPOINT_FIELDS_MOST); returns how many. */
int checkpoint_fields(Field *rows);
/* Owned; ends the program if there is no memory. */
char *checkpoint_facts(const Progress *p);
/* Fills *p from facts (log_rest is then owned).  A field out of its range ends the program with exit code 1, naming `path`, the field and
 * the range. */
void checkpoint_progress(Progress *p, const JsonValue *facts, const char *path);
/* Ends the program if the best validation error is none; share: it is one of labels, else a loss, which any finite number may be. */
void checkpoint_check_best(const Progress *p, bool share, const char *path);

/* ---- writing -------------------------------------------------------------------------------------------------------- */

/* False if a weight, a running statistic, a number of the optimiser's state, or a fact is NaN or infinite; why[0..room) says which.  Such a state is never saved. */
bool checkpoint_is_sound(char *why, size_t room, const Progress *p);

/* The net's weights, optimiser state and progress at one moment, ready to be written. */
typedef struct { Array *arrays; real *exported; char *facts; } Snapshot;

/* Allocates a snapshot, except for its facts; ends the program without memory. */
void snapshot_open(Snapshot *s);
void snapshot_close(Snapshot *s);
void snapshot_take(Snapshot *s, const Progress *p);
/* To `path`, durably, whole or not at all. */
bool snapshot_write(const Snapshot *s, const char *path, ArrayError *e);

/* ---- reading -------------------------------------------------------------------------------------------------------- */

typedef struct { Container container; Json facts; } Checkpoint;

/* False, with *e, if the file is damaged or no checkpoint; ends the program if its facts are no JSON. */
bool checkpoint_open(Checkpoint *c, const char *path, ArrayError *e);
void checkpoint_close(Checkpoint *c);
/* True if it has an average of the weights. */
bool checkpoint_averages(const Checkpoint *c);
/* Its weights as updates left them, or their average; EVALUATED: the average where it has one, as training evaluates. */
typedef enum { CHECKPOINT_EVALUATED, CHECKPOINT_TRAINED, CHECKPOINT_AVERAGE } CheckpointWeights;
/* These to net.weights(), its running statistics to net.running(); shapes must fit, the model hash need not.  False if it has no average. */
bool checkpoint_weights(const Checkpoint *c, const char *path, CheckpointWeights which);
/* Weights, state and *p.  Another model hash ends the program, with a message about the difference. */
void checkpoint_resume(Progress *p, const Checkpoint *c, const char *path);

#endif
