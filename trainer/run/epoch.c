/* epoch.c -- the fields of log.jsonl, one line an epoch, as people and other programs read it.
 *
 * A log may have been edited, or cut short by a kill: a field with an impossible value counts as missing. */
#include "run/epoch.h"

#include <math.h>

static const double unknown = NAN;

#define AT(member) offsetof(Epoch, member)
const Field epoch_fields[EPOCH_FIELDS] = {
    { "epoch", FIELD_INT, AT(epoch), 0, FIELD_INT_MOST, 1, .what = "its number, from 0" },
    { "train_loss", FIELD_REAL, AT(train_loss), -INFINITY, INFINITY, 1,
      .what = "mean of its batches' losses, each counted by its examples, before its update" },
    { "train_error", FIELD_REAL, AT(train_error), 0, 1, 1, .optional = true, .absent = &unknown,
      .what = "share of wrong labels, of those that count; the mean over targets; not there without labels" },
    { "valid_loss", FIELD_REAL, AT(valid_loss), -INFINITY, INFINITY, 1, .what = "loss of the validation split after it; null without one" },
    { "valid_error", FIELD_REAL, AT(valid_error), -INFINITY, INFINITY, 1, .what = "share of wrong labels there; without labels valid_loss; null without that split" },
    { "error_is", FIELD_CHARS, AT(error_is), 0, 0, 1, .optional = true, .room = sizeof ((Epoch *)0)->error_is, .what = "`valid_loss` where valid_error is that; not there with labels" },
    { "rate", FIELD_REAL, AT(rate), 0, INFINITY, 1, .what = "the rate of its last update" },
    { "grad_norm", FIELD_REAL, AT(grad_norm), 0, INFINITY, 1, .what = "mean norm of the gradient before clipping" },
    { "grad_norm_max", FIELD_REAL, AT(grad_norm_max), 0, INFINITY, 1, .what = "the largest" },
    { "seconds", FIELD_REAL, AT(seconds), 0, 1e9, 1, .what = "training and validation" },
    { "images_per_second", FIELD_REAL, AT(images_per_second), 0, 1e12, 1, .what = "of training alone" },
    { "updates", FIELD_LONG, AT(updates), 0, FIELD_WHOLE_MOST, 1, .what = "updates since the run began" },
    { "best", FIELD_FLAG, AT(best), 0, 0, 1, .what = "whether it was kept as `best`" },
};
enum { EPOCH_SURE = 2 };                       /* the first rows, without which a line is no epoch */

void epoch_write(JsonWriter *w, const Epoch *e) { fields_write(w, epoch_fields, EPOCH_FIELDS, e); }

bool epoch_read(Epoch *e, const JsonValue *object)
{
    char why[300];
    *e = (Epoch){ 0 };
    if (!fields_read(e, epoch_fields, EPOCH_SURE, object, why, sizeof why))
        return false;
    for (const Field *f = epoch_fields + EPOCH_SURE; f < epoch_fields + EPOCH_FIELDS; f++)
        if (!fields_read(e, f, 1, object, why, sizeof why) && f->kind == FIELD_REAL)
            *(double *)((char *)e + f->offset) = NAN;
    if (!*e->error_is && !(e->valid_error >= 0 && e->valid_error <= 1))
        e->valid_error = NAN;
    return true;
}
