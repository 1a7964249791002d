/* train.c -- the command `train`: epochs, log, checkpoints, and stopping at any step without losing a bit.
 *
 * A checkpoint's Progress holds all that the rest of a run depends on: the order of an epoch follows from
 * seed and epoch, dropout from seed and update.  So a resumed run has the bits of an uninterrupted one,
 * wherever it stopped.  A full disk does not end a training: what could not be written stays in memory, and the
 * next save tries again.  `last` is written after `best` and the log, or holds what they lack. */
#define _DEFAULT_SOURCE
#include "display.h"
#include "files/json.h"
#include "files/text.h"
#include "inspect/replay.h"
#include "ranks.h"
#include "report/report.h"
#include "run/agree.h"
#include "run/ahead.h"
#include "run/culprit.h"
#include "run/epoch.h"
#include "run/eval.h"
#include "run/log.h"
#include "run/message.h"
#include "run/norms.h"
#include "run/run.h"
#include "run/settings.h"
#include "run/signals.h"
#include "run/torn.h"
#include "run/weights.h"
#include "trainer.h"
#include "trial.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double RETRY = 30;                /* seconds after which a save that failed is tried again */

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

/* ---- saving ------------------------------------------------------------------------------------------------------- */

static char *kept(char *text, size_t room, const char *run)
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

/* A checkpoint with a NaN or an infinity would take the place of a good one.  Each rank looks at its part of the optimiser's state. */
static void stop_if_unsound(Training *t)
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
         t->p.epoch, t->p.updates, why, kept(text, sizeof text, t->o->run));
}

static bool write_all(Training *t)
{
    Progress *p = &t->p;
    stop_if_unsound(t);
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

/* Saves; warns once when that begins to fail, and once when it works again.  False on failure.  Of several ranks all come here at the same step. */
static bool save(Training *t)
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

static bool save_is_due(const Training *t, double now)
{
    double every = t->trouble && t->o->save_every > RETRY ? RETRY : t->o->save_every;
    return now - t->saved >= every;
}

/* ---- numbers gone wrong ------------------------------------------------------------------------------------------- */

/* `batch` of `data` is the one that went wrong; it has changed no weight.  It is run again to find the cause, and kept unless the cause is
 * an example. */
static _Noreturn void stop_on_nonsense(const char *what, double value, Training *t, Data *data, const Batch *batch)
{
    char text[8192], path[4096], left[4200];
    agree_nonsense(text, sizeof text, data, batch);
    ranks_last();
    Culprit found = *text ? CULPRIT_DATA : culprit_find(text, sizeof text, data, batch, batch->train);
    display_clear(&t->display);
    kept(left, sizeof left, t->o->run);
    if (found == CULPRIT_DATA)
        fail(WRONG_INPUT, "%s.  %s; mend or leave out this example, and start a new run", text, left);
    if (found != CULPRIT_NONE)
        fprintf(stderr, "%s\n", text);
    run_path(path, sizeof path, t->o->run, "nonfinite.npz");
    replay_dump(path, batch);
    fail(WRONG_INPUT, "epoch %d, update %" PRIu64 ": the %s is %g.  %s; lower the rate, clip the gradient, or scale the data, and start a new run",
         t->p.epoch, t->p.updates, what, plain_number(value), left);
}

/* A file of the data was cut short: what came before this step, or this validation, is saved, and the program ends. */
static _Noreturn void stop_on_torn(Training *t)
{
    char text[4200];
    const bool saved = save(t);
    display_clear(&t->display);
    if (saved)
        snprintf(text, sizeof text, "Epoch %d, update %" PRIu64 " is saved; --resume goes on when the data are there again", t->p.epoch, t->p.updates);
    else
        kept(text, sizeof text, t->o->run);
    torn_stop(text);
}

/* The loss is smoothed over some 32 steps, because single batches differ.  It has exploded at twice the first loss, or, after it
 * was below half of the first loss, at the first loss again. */
static void watch_loss(Training *t, double loss)
{
    Progress *p = &t->p;
    if (!p->epoch && !p->steps)
        p->loss_first = p->loss_smooth = p->loss_least = loss;
    p->loss_smooth += (loss - p->loss_smooth) / 32;
    p->loss_least = fmin(p->loss_least, p->loss_smooth);
    double limit = p->loss_least < 0.5 * p->loss_first ? p->loss_first : 2 * p->loss_first;
    bool explodes = p->loss_first > 0 && p->loss_smooth > limit;
    if (explodes && !p->exploded)
        display_warn(&t->display, "epoch %d, update %" PRIu64 ": the loss explodes: %.4g over the last steps, %.4g at the start, %.4g at best."
                     "  Lower the rate (%g now), or clip the gradient", p->epoch, p->updates, p->loss_smooth, p->loss_first, p->loss_least,
                     p->rate);
    p->exploded = explodes || (p->exploded && p->loss_smooth > 0.8 * p->loss_first);
}

/* ---- epochs ------------------------------------------------------------------------------------------------------- */

/* Worth of the labels of the running epoch's examples first .. first + count - 1; `wrong`: of those that the forward pass just done, over these, read
 * wrongly.  A label that counts is worth the split's examples divided by those labels of its target, and by the targets with labels: all of a split
 * are worth its examples, however they are spread over the batches. */
static double labels_worth(const Training *t, int64_t first, int64_t count, bool wrong)
{
    double sum = 0;
    for (int k = 0; k < net.target_count; k++) {
        int64_t counted = 0;
        for (int position = 0; position < eval_positions(k); position++)
            for (int64_t n = 0; n < count; n++) {
                const int label = data_label(&t->data, k, t->order[first + n], position);
                counted += label >= 0 && (!wrong || eval_label(NULL, k, (int)n, position) != label);
            }
        if (eval_positions(k))
            sum += (double)counted * (double)t->p.examples / (double)t->labels_of[k];
    }
    return t->labelled ? sum / t->labelled : 0;
}

/* By the clock of the first rank. */
static bool time_is_up(const Training *t, double now)
{
    return t->o->max_time > 0 && agree_any(!ranks_mine() && now - t->began >= t->o->max_time);
}

/* Has this process, or any rank, got a signal?  Its number. */
static int stopped(void)
{
    bool due = false;
    return agree_signal(&stop_signal, &due);
}

/* The rate of an update of the running epoch; update: those of the run before it. */
static double rate_of(const Progress *p, uint64_t update)
{
    return settings_rate(&p->training, p->epoch, update, (uint64_t)progress_updates(p, progress_steps(p)));
}

static void begin_epoch(Training *t)
{
    Progress *p = &t->p;
    p->rate = rate_of(p, p->updates ? p->updates - 1 : 0);     /* a run may go on behind the last step of an epoch */
    data_order(t->order, &t->data, p->training.seed, p->epoch);
    p->labels = labels_worth(t, 0, p->position, false);
}

/* Does the batch of step `step` of the running epoch end with an update? */
static bool updates(const Progress *p, int64_t step) { return progress_updates(p, step + 1) > progress_updates(p, step); }

/* One batch, and the update that ends with it; returns its loss and its count of examples.  Ends the program if loss or norm are no numbers. */
static double take_step(Training *t, int *count, double *norm)
{
    Progress *p = &t->p;
    const int64_t waiting = net.accumulate > 1 ? p->steps % net.accumulate : 0;
    Batch batch = { .train = 1, .seed = p->training.seed, .step = (uint64_t)(p->epoch * progress_steps(p) + p->steps), .epoch = p->epoch,
                    .waits = !updates(p, p->steps), .gathered = waiting * net.batch };
    p->rate = rate_of(p, p->updates);
    ahead_move(t->ahead, p->epoch, p->position);
    data_batch(&batch, &t->data, t->order, p->position);
    t->collected = false;
    const bool finite = culprit_data_is_finite(NULL, 0, &t->data, &batch);
    if (!finite && ranks_count() > 1)          /* the others know nothing of it yet */
        batch.unread = agree_unusable;
    double loss = finite || ranks_count() > 1 ? net.step(&batch, p->rate, p->updates, norm) : (double)NAN;
    if (ranks_count() > 1 ? (!isfinite(loss) || !isfinite(*norm)) && agree_any(torn_look()) : torn || (!isfinite(loss) && torn_look()))
        stop_on_torn(t);
    if (!isfinite(loss))
        stop_on_nonsense("loss", loss, t, &t->data, &batch);
    if (!isfinite(*norm))
        stop_on_nonsense("norm of the gradient", *norm, t, &t->data, &batch);
    *count = batch.count;
    return loss;
}

static void count_step(Training *t, double loss, double norm, int count)
{
    Progress *p = &t->p;
    watch_loss(t, loss);
    p->loss_sum += loss * count;
    p->wrong = fmin(p->wrong + labels_worth(t, p->position, count, true), (double)p->examples);        /* above that only by rounding */
    p->labels += labels_worth(t, p->position, count, false);
    if (updates(p, p->steps)) {
        p->norm_sum += norm;
        p->norm_most = norm > p->norm_most ? norm : p->norm_most;
        p->updates++;
    }
    p->steps++;
    p->position += count;
}

/* Between two steps: has a signal come?  If not, saves what is due by the first rank's clock; stepped: there was a step before this one. */
static bool between_steps(Training *t, bool stepped)
{
    bool due = stepped && !ranks_mine() && save_is_due(t, seconds_now());
    const bool stops = agree_signal(&stop_signal, &due);
    if (!stops && due)
        save(t);
    return stops;
}

/* The rest of the running epoch, a step at least unless a signal came; false when a signal or the time ended it before its end. */
static bool train_epoch(Training *t)
{
    Progress *p = &t->p;
    bool in_time = true, stepped = false;
    while (p->position < p->examples && in_time && !between_steps(t, stepped)) {
        int count;
        double norm = 0, before = seconds_now(), loss = take_step(t, &count, &norm);
        count_step(t, loss, norm, count);
        double now = seconds_now();
        p->train_seconds += now - before;
        display_step(&t->display, p, norm, t->labels, now);
        in_time = !time_is_up(t, now);
        stepped = true;
    }
    return p->position == p->examples;
}

static Epoch epoch_done(const Training *t, double seconds, bool better)
{
    const Progress *p = &t->p;
    const bool is_loss = t->validates && !t->labels;
    Epoch e = {
        .epoch = p->epoch, .train_loss = p->loss_sum / (double)p->examples,
        .train_error = t->labels ? p->wrong / (double)p->examples : (double)NAN,
        .valid_loss = t->score.loss, .valid_error = is_loss ? t->score.loss : t->score.error, .rate = p->rate,
        .grad_norm = p->norm_sum / (double)progress_updates(p, p->steps), .grad_norm_max = p->norm_most,
        .seconds = seconds, .images_per_second = (double)p->examples / p->train_seconds, .updates = (int64_t)p->updates, .best = better,
    };
    if (is_loss)
        strcpy(e.error_is, "valid_loss");
    return e;
}

static void log_epoch(Log *log, const Epoch *e)
{
    JsonWriter w;
    json_begin(&w, NULL);
    json_object(&w, NULL);
    epoch_write(&w, e);
    json_close(&w);
    json_newline(&w);
    if (!json_end(&w))
        fail(ENVIRONMENT, "no memory for the log");
    log_add(log, w.text);
    json_free(&w);
}

static void tell_epoch(Training *t, const Epoch *e)
{
    JsonWriter w;
    char error[40] = "", valid[40] = "";
    if (display_event(&t->display, &w, "epoch")) {
        epoch_write(&w, e);
        display_event_end(&t->display, &w);
    }
    if (t->validates)
        snprintf(valid, sizeof valid, "  valid loss %.5f", e->valid_loss);
    if (t->labels)
        snprintf(error, sizeof error, "  %s error %.3f %%", t->validates ? "valid" : "train", 100 * (t->validates ? e->valid_error : e->train_error));
    display_say(&t->display, "epoch %d  train loss %.5f%s%s  rate %.3g  %.1f s  %.0f images/s%s\n", e->epoch,
                e->train_loss, valid, error, e->rate, e->seconds, e->images_per_second, e->best ? "  best" : "");
}

/* The epoch after it begins, nothing of it done. */
static void next_epoch(Training *t)
{
    Progress *p = &t->p;
    p->epoch++;
    p->position = p->steps = 0;
    p->loss_sum = p->wrong = p->labels = p->norm_sum = p->norm_most = p->train_seconds = 0;
    p->log_bytes = t->log.written;
    p->log_rest = t->log.rest;
}

/* What is evaluated are the averages of the weights, where the net keeps them; called again: the weights. */
static void swap_weights(void)
{
    if (net.swap)
        net.swap();
}

/* Does nothing more if a signal comes; ends the program if there is no loss. */
static void validate(Training *t)
{
    if (!t->validates) {
        t->score.loss = t->score.error = NAN;
        return;
    }
    swap_weights();
    bool whole = score_data(&t->score, &t->valid, &stop_signal);
    swap_weights();
    if (agree_any(torn_look()))
        stop_on_torn(t);
    if (!whole || t->score.bad < 0)
        return;
    Batch batch = { 0 };
    data_batch(&batch, &t->valid, NULL, t->score.bad);
    swap_weights();
    stop_on_nonsense("validation loss", t->score.loss, t, &t->valid, &batch);
}

/* Validates, logs and saves the epoch that train_epoch has finished; false when a signal came before it was counted. */
static bool finish_epoch(Training *t)
{
    Progress *p = &t->p;
    double before = seconds_now();
    if (t->validates)
        display_validating(&t->display, p);
    validate(t);
    if (stopped())
        return false;
    stop_if_unsound(t);
    double measure = !t->validates ? p->loss_sum / (double)p->examples : t->labels ? t->score.error : t->score.loss;
    bool better = p->best_epoch < 0 || measure < p->best;
    if (better)
        p->best = measure, p->best_epoch = p->epoch;
    Epoch done = epoch_done(t, p->train_seconds + seconds_now() - before, better);
    log_epoch(&t->log, &done);
    tell_epoch(t, &done);
    next_epoch(t);
    if (better)
        snapshot_take(&t->best, p), t->best_waits = true;
    save(t);
    swap_weights();
    ranks_alone(1);
    if (!ranks_mine())
        report_epoch(t->o->run, t->validates ? &t->valid : NULL, done.epoch);
    ranks_alone(0);
    swap_weights();
    return true;
}

/* ---- ends --------------------------------------------------------------------------------------------------------- */

static char *way_on(char *text, size_t room, const Options *o)
{
    char program[1024], data[1024], run[1024], now[1000];
    snprintf(text, room, "To go on:\n    %s train --data %s --run %s --resume", text_shell(program, sizeof program, o->program),
             text_shell(data, sizeof data, o->data), text_shell(run, sizeof run, run_path_now(now, sizeof now, o->run)));
    return text;
}

static void end_event(Training *t, const char *reason)
{
    JsonWriter w;
    const Progress *p = &t->p;
    if (!display_event(&t->display, &w, "end"))
        return;
    json_string(&w, "reason", reason);
    json_bool(&w, "saved", !t->trouble);
    json_integer(&w, "epoch", p->epoch);
    json_integer(&w, "position", p->position);
    json_integer(&w, "updates", (int64_t)p->updates);
    json_integer(&w, "best_epoch", p->best_epoch);
    p->best_epoch >= 0 ? json_double(&w, "best", p->best) : json_null(&w, "best");
    display_event_end(&t->display, &w);
}

/* No end of a training hides that its last save failed. */
static int not_saved(Training *t)
{
    char text[4200], on[3200];
    display_clear(&t->display);
    end_event(t, "not saved");
    if (t->only_log)
        snprintf(text, sizeof text, "The checkpoint was saved; it keeps the lines that the log lacks");
    else
        kept(text, sizeof text, t->o->run);
    if (ranks_mine())                          /* the first rank wrote, and says why it could not */
        return ENVIRONMENT;
    fprintf(stderr, "%s: error: %s.  Epoch %d, update %" PRIu64 " could not be saved%s.  %s.  %s\n", net.name, t->error.text, t->p.epoch,
            t->p.updates, t->only_log ? " whole" : "", text, way_on(on, sizeof on, t->o));
    return ENVIRONMENT;
}

/* The last save is always made: it holds the position within the epoch. */
static int interrupted(Training *t)
{
    char on[3200];
    if (!save(t))
        return not_saved(t);
    display_clear(&t->display);
    end_event(t, "signal");
    if (!ranks_mine())
        fprintf(stderr, "%s: stopped by signal %d in epoch %d after %" PRId64 " of %" PRId64 " examples; saved.  %s\n", net.name,
            (int)stop_signal, t->p.epoch, t->p.position, t->p.examples, way_on(on, sizeof on, t->o));
    return BY_SIGNAL + (int)stop_signal;
}

/* The evaluation is printed only: as part of the run it would change the run's bits. */
static int out_of_time(Training *t)
{
    char on[3200], error[40] = "", valid[100] = "";
    JsonWriter w;
    if (!save(t))
        return not_saved(t);
    validate(t);
    if (stopped())
        return interrupted(t);
    if (t->labels)
        snprintf(error, sizeof error, ", error %.3f %%", 100 * t->score.error);
    if (t->validates)
        snprintf(valid, sizeof valid, "  Validation: loss %.5f%s.", t->score.loss, error);
    display_say(&t->display, "stopped after %.1f s (--max-time) in epoch %d after %" PRId64 " of %" PRId64 " examples; saved.%s  %s\n",
                seconds_now() - t->began, t->p.epoch, t->p.position, t->p.examples, valid, way_on(on, sizeof on, t->o));
    if (t->validates && display_event(&t->display, &w, "valid")) {
        json_double(&w, "valid_loss", t->score.loss);
        json_double(&w, "valid_error", t->labels ? t->score.error : t->score.loss);
        display_event_end(&t->display, &w);
    }
    end_event(t, "time");
    return FINE;
}

static bool out_of_patience(const Progress *p)
{
    return p->training.patience > 0 && p->best_epoch >= 0 && p->epoch - 1 - p->best_epoch >= p->training.patience;
}

static int finished(Training *t)
{
    const Progress *p = &t->p;
    if (t->trouble && !save(t))
        return not_saved(t);
    if (p->best_epoch >= 0)
        display_say(&t->display, "finished after %d epochs%s; best: epoch %d, %s %.6g\n", p->epoch,
                    p->epoch < p->training.epochs ? " (out of patience)" : "", p->best_epoch, !t->validates ? "training loss" : t->labels ? "validation error" : "validation loss", p->best);
    end_event(t, p->epoch < p->training.epochs ? "patience" : "epochs");
    return FINE;
}

static int train(Training *t)
{
    Progress *p = &t->p;
    int began = p->epoch;
    while (p->epoch < p->training.epochs && !out_of_patience(p)) {
        begin_epoch(t);
        bool whole = train_epoch(t) && finish_epoch(t), more = p->epoch < p->training.epochs && !out_of_patience(p);
        if (stopped() && (!whole || more))
            return interrupted(t);
        if (more && time_is_up(t, seconds_now()))
            return out_of_time(t);
    }
    int code = finished(t);
    leave_signals();
    ranks_alone(1);
    if (code == FINE && p->epoch > began && !stop_signal && !ranks_mine())
        report_whole(t->o->run, t->o->data);
    ranks_alone(0);
    return code;
}

/* ---- the command -------------------------------------------------------------------------------------------------- */

static void go_on(Training *t, const NetTraining *wanted, unsigned given)
{
    const Options *o = t->o;
    uint64_t mark = t->p.data;
    Transfer init = t->p.init;
    int64_t examples = t->p.examples;
    run_resume(&t->p, o->run);
    settings_go_on(&t->p.training, wanted, given, o->run);
    transfer_go_on(&t->p.init, &init, o->run);
    if (t->p.examples != examples)
        fail(WRONG_INPUT, "%s: the run trains on %" PRId64 " examples, %s has %" PRId64 "; give the run's --data to go on", o->run,
             t->p.examples, o->data, examples);
    if (t->p.data && t->p.data != mark)
        fail(WRONG_INPUT, "%s: the examples in %s are not those of the run; give the run's --data to go on", o->run, o->data);
    display_say(&t->display, "%s: going on at epoch %d, example %" PRId64 "\n", o->run, t->p.epoch, t->p.position);
}

static void tell_transfer(Training *t, char *report)
{
    JsonWriter w;
    if (display_event(&t->display, &w, "init")) {
        json_string(&w, "report", report);
        display_event_end(&t->display, &w);
    }
    for (char *line = strtok(report, "\n"); line; line = strtok(NULL, "\n"))
        display_say(&t->display, "%s\n", line);
    free(report);
}

static void start(Training *t)
{
    weights_init(net.weights(), t->p.training.seed);
    buffers_init();
    for (int k = 0; k < net.state_blocks; k++)
        memset(net.state(k), 0, net.block * sizeof(real));
    if (*t->p.init.file)
        tell_transfer(t, transfer_start(net.weights(), &t->p.init, t->o->rename));
    if (net.average)
        memcpy(net.average(), net.weights(), net.block * sizeof(real));
    if (net.gathered)
        memset(net.gathered(), 0, net.block * sizeof(real));
}

/* Settings of this run: the model's, --set, and the options that are short for a setting. */
static NetTraining wanted_settings(unsigned *given, const Options *o)
{
    NetTraining training = o->training;
    *given = o->settings;
    if (o->epochs)
        settings_set_epochs(&training, given, o->epochs);
    if (o->seed_given)
        settings_set_seed(&training, given, o->seed);
    return training;
}

static int command_trial(const Options *o, const NetTraining *training)
{
    Data data;
    if (ranks_count() > 1)
        fail(WRONG_USAGE, "--overfit-one-batch and --lr-find are for one process: start %s without mpirun", o->program);
    data_open(&data, o->data, "train", true);
    data_need_labels(&data, "learn");
    if (o->overfit)
        norms_check_batch(data.examples < net.batch ? data.examples : net.batch);
    else
        norms_check_split(data.examples);
    open_net(o->threads);
    catch_signals();
    settings_use(training);
    int code = (o->overfit ? trial_overfit : trial_rates)(o, training, &data, &stop_signal);
    data_close(&data);
    net.close();
    return code;
}

static void check_usage(const Options *o)
{
    if (o->overfit && o->lr_find)
        fail(WRONG_USAGE, "give either --overfit-one-batch or --lr-find, not both");
    if ((o->overfit || o->lr_find) && o->resume)
        fail(WRONG_USAGE, "--overfit-one-batch and --lr-find start from new weights; leave --resume out");
    if ((o->overfit || o->lr_find) && o->init)
        fail(WRONG_USAGE, "--overfit-one-batch and --lr-find start from the seed's weights; leave --init out");
    if (o->quiet && o->json)
        fail(WRONG_USAGE, "give either --quiet or --json, not both");
    if (!o->run && !o->overfit && !o->lr_find)
        fail(WRONG_USAGE, "train needs --run DIR: folder with the checkpoints and the log of a training run");
}

int command_train(const Options *o)
{
    Training t = { .o = o, .p = { .best = DBL_MAX, .best_epoch = -1 }, .began = seconds_now() };
    unsigned given;
    char path[4096];
    check_usage(o);
    NetTraining wanted = wanted_settings(&given, o);
    if (o->overfit || o->lr_find)
        return command_trial(o, &wanted);
    data_open(&t.data, o->data, "train", true);
    data_need_labels(&t.data, "learn");
    norms_check_split(t.data.examples);
    ahead_shuffled(&t.data);
    t.validates = data_is_there(o->data, "valid");
    if (t.validates)
        data_open(&t.valid, o->data, "valid", true), data_need_labels(&t.valid, "validate");
    if (!ranks_mine())
        run_lock(o->run);
    if (!ranks_mine() && !o->resume && (run_has_last(o->run) || run_has(o->run, "best")))
        fail(WRONG_INPUT, "%s: this folder has a checkpoint; --resume goes on from it, another --run starts anew", o->run);
    open_net(o->threads);
    display_open(&t.display, o->quiet || ranks_mine(), o->json && !ranks_mine());
    snapshot_open(&t.last);
    snapshot_open(&t.best);
    score_open(&t.score);
    t.labels = !isnan(t.score.error);
    t.labels_of = need_memory((size_t)net.target_count * sizeof *t.labels_of, "the counts of labels");
    for (int k = 0; k < net.target_count; k++)
        t.labels_of[k] = data_labels(&t.data, k), t.labelled += eval_positions(k) > 0;
    t.order = need_memory((size_t)t.data.examples * sizeof *t.order, "the order of examples");
    t.p.training = wanted;
    t.p.examples = t.data.examples;
    t.p.data = data_mark(&t.data);
    transfer_wanted(&t.p.init, o->init, o->only, o->rename);
    if (!t.validates)
        display_warn(&t.display, "%s has no validation split (no valid_*.npy): the epoch of the least training loss is kept as best", o->data);
    catch_signals();
    torn_go_on();
    if (o->resume && run_has_last(o->run))
        go_on(&t, &wanted, given);
    else
        start(&t);
    settings_use(&t.p.training);
    agree(&t.data, t.validates ? &t.valid : NULL, &t.p, o->max_time);
    run_path(path, sizeof path, o->run, "log.jsonl");
    if (!ranks_mine())
        log_open(&t.log, path, t.p.log_bytes, t.p.log_rest);
    else
        log_open(&t.log, "/dev/null", 0, NULL);
    t.trouble = agree_any(*t.log.rest && !log_flush(&t.log, &t.error));
    free((char *)t.p.log_rest);
    if (*t.p.init.file && !t.p.updates)        /* from now on the file is not needed any more */
        save(&t);
    if (!ranks_mine() && !run_describe(o->run, o->data, o->threads, &t.p, &t.error))
        display_warn(&t.display, "%s", t.error.text);
    t.saved = seconds_now();
    t.ahead = ahead_open(&t.data, t.p.training.seed, t.p.training.epochs);
    int code = train(&t), shown = display_close(&t.display);
    ahead_close(t.ahead);
    log_close(&t.log);
    snapshot_close(&t.best);
    snapshot_close(&t.last);
    score_close(&t.score);
    free(t.order);
    free(t.labels_of);
    if (t.validates)
        data_close(&t.valid);
    data_close(&t.data);
    net.close();
    return code ? code : shown;
}
