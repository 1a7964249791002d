/* saving.c -- what a training must not lose: checkpoints, the log, and the last good state when numbers or data go wrong.
 *
 * In: a Training.  Out: `last`, `best` and the log in its folder.  Next: epochs.c.
 * A full disk does not end a training: what could not be written stays in memory, and the next save tries again.  `last` is written after `best`
 * and the log, or holds what they lack. */
#include "inspect/replay.h"
#include "ranks.h"
#include "run/agree.h"
#include "run/culprit.h"
#include "run/message.h"
#include "run/torn.h"
#include "trainer.h"
#include "training.h"

#include <inttypes.h>
#include <math.h>

static const double RETRY = 30;                /* seconds after which a save that failed is tried again */

char *save_kept(char *text, size_t room, const char *run)
{
    if (run_has_last(run))
        snprintf(text, room, "The last good checkpoint is kept in %s", run);
    else
        snprintf(text, room, "There is no checkpoint yet");
    return text;
}

static bool save_best(Training *t)
{
    if (t->best_waits && !run_save(t->o->run, "best", &t->best, &t->error))
        return false;
    t->best_waits = false;
    return true;
}

/* Each rank looks at its part of the optimiser's state. */
void save_stop_if_unsound(Training *t)
{
    char why[400], text[4200];
    if (net.collect && ranks_count() > 1 && !t->collected)
        net.collect();
    t->collected = true;
    if (checkpoint_is_sound(why, sizeof why, &t->p))
        return;
    ranks_last();
    save_best(t);
    display_clear(&t->display);
    fail(WRONG_INPUT, "epoch %d, after update %" PRIu64 ": %s, so it is not saved.  %s; lower the rate, or clip the gradient, and start a new run",
         t->p.epoch, t->p.updates, why, save_kept(text, sizeof text, t->o->run));
}

static bool write_all(Training *t)
{
    Progress *p = &t->p;
    save_stop_if_unsound(t);
    if (ranks_mine())                          /* the first rank writes */
        return true;
    bool logged = log_flush(&t->log, &t->error);
    p->log_bytes = t->log.written;
    p->log_rest = t->log.rest;
    snapshot_take(&t->last, p);
    t->only_log = false;
    if (!save_best(t))
        return false;
    t->only_log = run_save(t->o->run, "last", &t->last, &t->error);
    return t->only_log && logged;
}

bool save(Training *t)
{
    bool fine = !agree_any(!write_all(t));
    if (!fine && !t->trouble)
        display_warn(&t->display, "%s.  Training goes on, and tries again", t->error.text);
    else if (fine && t->trouble)
        display_warn(&t->display, "saving works again; epoch %d, update %" PRIu64 " is saved", t->p.epoch, t->p.updates);
    t->trouble = !fine;
    t->saved = seconds_now();
    return fine;
}

bool save_is_due(const Training *t, double now)
{
    double every = t->trouble && t->o->save_every > RETRY ? RETRY : t->o->save_every;
    return now - t->saved >= every;
}

/* ---- stopping: numbers gone wrong ------------------------------------------------------------------------------------------- */

/* The batch is run again to find the cause, and kept unless the cause is an example. */
_Noreturn void save_stop_on_nonsense(const char *what, double value, Training *t, Data *data, const Batch *batch)
{
    char text[8192], path[4096], left[4200];
    agree_nonsense(text, sizeof text, data, batch);
    ranks_last();
    Culprit found = *text ? CULPRIT_DATA : culprit_find(text, sizeof text, data, batch, batch->train);
    display_clear(&t->display);
    save_kept(left, sizeof left, t->o->run);
    if (found == CULPRIT_DATA)
        fail(WRONG_INPUT, "%s.  %s; mend or leave out this example, and start a new run", text, left);
    if (found != CULPRIT_NONE)
        fprintf(stderr, "%s\n", text);
    run_path(path, sizeof path, t->o->run, "nonfinite.npz");
    replay_dump(path, batch);
    fail(WRONG_INPUT, "epoch %d, update %" PRIu64 ": the %s is %g.  %s; lower the rate, clip the gradient, or scale the data, and start a new run",
         t->p.epoch, t->p.updates, what, plain_number(value), left);
}

_Noreturn void save_stop_on_torn(Training *t)
{
    char text[4200];
    const bool saved = save(t);
    display_clear(&t->display);
    if (saved)
        snprintf(text, sizeof text, "Epoch %d, update %" PRIu64 " is saved; --resume goes on when the data are there again", t->p.epoch, t->p.updates);
    else
        save_kept(text, sizeof text, t->o->run);
    torn_stop(text);
}
