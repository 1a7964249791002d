/* epoch.h -- what a run records of an epoch: a line of RUN/log.jsonl, written by train, read by report, compare and sweep. */
#ifndef SPN_EPOCH_H
#define SPN_EPOCH_H

#include "run/field.h"

typedef struct {
    int epoch;                                 /* from 0 */
    double train_loss, train_error;            /* means over the epoch, each batch before its update; the error NaN: there are no labels */
    double valid_loss, valid_error;            /* without labels the second is the first, as error_is then says */
    double rate;
    double grad_norm, grad_norm_max;
    double seconds, images_per_second;         /* with validation; of training alone */
    int64_t updates;                           /* since the run began */
    bool best;                                 /* less wrong than any before, so kept as `best` */
    char error_is[16];                         /* "valid_loss", or "" */
} Epoch;

enum { EPOCH_FIELDS = 13 };
extern const Field epoch_fields[EPOCH_FIELDS];

/* Its fields as members of the innermost object. */
void epoch_write(JsonWriter *w, const Epoch *e);
/* False if the object is no epoch, that is, lacks its number or its training loss; anything else that is missing or out of its range is
 * NaN, or 0. */
bool epoch_read(Epoch *e, const JsonValue *object);

#endif
