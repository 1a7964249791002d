/* training.h -- a training under way: its state, what saves it, and one epoch of it.  saving.c, epochs.c and train.c share it, in this order. */
#ifndef SPN_TRAINING_H
#define SPN_TRAINING_H

#include "display.h"
#include "run/ahead.h"
#include "run/eval.h"
#include "run/log.h"
#include "run/run.h"

typedef struct {
    const Options *o;
    Progress p;
    Data data, valid;
    Ahead *ahead;                              /* reads the coming batches of data */
    uint32_t *order;                           /* of the running epoch */
    Score score;
    Log log;
    Display display;
    Snapshot last, best;
    bool best_waits, trouble;                  /* `best` could not be written yet; the last save failed, */
    bool only_log;                             /* but only the log's part of it */
    ArrayError error;                          /* of that save */
    double began, saved;                       /* seconds_now() */
    bool labels;                               /* there is an error to count */
    int labelled;                              /* targets with labels, */
    int64_t *labels_of;                        /* [target_count]: and those of the training split that count */
    bool collected;                            /* of several ranks: each has the whole of the optimiser's state, since the last step */
    bool validates;                            /* there is a validation split; else the training loss decides what is best */
} Training;

/* ---- saving.c ------------------------------------------------------------------------------------------------------------ */

/* Which checkpoint is kept in the folder `run`, as half a sentence in text[room]; returns text. */
char *save_kept(char *text, size_t room, const char *run);
/* Saves; warns once when that begins to fail, and once when it works again.  False on failure.  Of several ranks all come here at the same step. */
bool save(Training *t);
bool save_is_due(const Training *t, double now);
/* Ends the program if weights or optimiser's state hold a number that is none: such a checkpoint would take the place of a good one. */
void save_stop_if_unsound(Training *t);
/* Ends the program, with what is known of the cause: `what`, "loss", has that value behind `batch` of `data`, which has changed no weight. */
_Noreturn void save_stop_on_nonsense(const char *what, double value, Training *t, Data *data, const Batch *batch);
/* Ends the program: a file of the data was cut short; what came before this step, or this validation, is saved. */
_Noreturn void save_stop_on_torn(Training *t);

/* ---- epochs.c ------------------------------------------------------------------------------------------------------------ */

/* The running epoch's order and rate, wherever in it the run goes on. */
void epoch_begin(Training *t);
/* The rest of the running epoch, a step at least unless a signal came; false when a signal or the time ended it before its end. */
bool epoch_train(Training *t);
/* Validates, logs and saves the epoch that epoch_train has finished; false when a signal came before it was counted. */
bool epoch_finish(Training *t);
/* The score over the validation split, in t->score; ends the program if there is no loss.  Does nothing more if a signal comes. */
void epoch_validate(Training *t);
/* Has --max-time passed, by the clock of the first rank? */
bool epoch_out_of_time(const Training *t, double now);
/* The number of a signal that this process, or any rank, has got; 0: none. */
int epoch_stopped(void);

#endif
