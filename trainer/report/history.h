/* history.h -- the files of a run that a report reads: log.jsonl, transforms.jsonl, machine.json. */
#ifndef SPN_HISTORY_H
#define SPN_HISTORY_H

#include "report/shot.h"

#include <stdbool.h>

/* One element an epoch, NaN where the log has no value.  Owned. */
typedef struct {
    int count, best;                           /* best: index of the epoch kept, -1: none */
    double *epoch, *train_loss, *valid_loss, *valid_error, *rate, *grad_norm, *seconds, *speed;
} History;

/* Reads RUN/log.jsonl; lines that are no epoch are passed over, an epoch logged twice counts as logged last. */
void history_read(History *h, const char *run);
void history_free(History *h);

/* Where the net looked in the first WATCHED validation examples, epoch by epoch: [epoch][example][views] transforms. */
enum { WATCHED = 4 };
typedef struct { int count, examples; int *epoch; double (*transform)[6]; } Watch;

/* Appends the transforms of these examples with the net's weights to RUN/transforms.jsonl; false with *e when it cannot be written. */
bool watch_add(const char *run, const View *v, Data *valid, int epoch, ArrayError *e);
void watch_read(Watch *w, const char *run, const View *v);
void watch_free(Watch *w);
const double *watch_at(const Watch *w, const View *v, int frame, int example, int view);

/* Writes RUN/machine.json if it is not there. */
bool machine_write(const char *run, ArrayError *e);

#endif
