/* epochs.c -- one epoch of a training: its steps, its errors, its validation, its line of the log.
 *
 * In: a Training at any step of an epoch.  Out: the same at the next epoch's begin, saved; or where a signal or the time stopped it.  Next: train.c.
 * The order of an epoch follows from seed and epoch, dropout from seed and update, so that a resumed run has the bits of an uninterrupted one. */
#include "files/json.h"
#include "ranks.h"
#include "report/report.h"
#include "run/agree.h"
#include "run/culprit.h"
#include "run/epoch.h"
#include "run/message.h"
#include "run/settings.h"
#include "run/signals.h"
#include "run/torn.h"
#include "trainer.h"
#include "training.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

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

bool epoch_out_of_time(const Training *t, double now)
{
    return t->o->max_time > 0 && agree_any(!ranks_mine() && now - t->began >= t->o->max_time);
}

int epoch_stopped(void)
{
    bool due = false;
    return agree_signal(&stop_signal, &due);
}

/* The rate of an update of the running epoch; update: those of the run before it. */
static double rate_of(const Progress *p, uint64_t update)
{
    return settings_rate(&p->training, p->epoch, update, (uint64_t)progress_updates(p, progress_steps(p)));
}

void epoch_begin(Training *t)
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
        save_stop_on_torn(t);
    if (!isfinite(loss))
        save_stop_on_nonsense("loss", loss, t, &t->data, &batch);
    if (!isfinite(*norm))
        save_stop_on_nonsense("norm of the gradient", *norm, t, &t->data, &batch);
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

bool epoch_train(Training *t)
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
        in_time = !epoch_out_of_time(t, now);
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
    display_say(&t->display, "epoch %d  train loss %.5f%s%s  rate %.3g  %.1f s  %.0f examples/s%s\n", e->epoch,
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

void epoch_validate(Training *t)
{
    if (!t->validates) {
        t->score.loss = t->score.error = NAN;
        return;
    }
    swap_weights();
    bool whole = score_data(&t->score, &t->valid, &stop_signal);
    swap_weights();
    if (agree_any(torn_look()))
        save_stop_on_torn(t);
    if (!whole || t->score.bad < 0)
        return;
    Batch batch = { 0 };
    data_batch(&batch, &t->valid, NULL, t->score.bad);
    swap_weights();
    save_stop_on_nonsense("validation loss", t->score.loss, t, &t->valid, &batch);
}

bool epoch_finish(Training *t)
{
    Progress *p = &t->p;
    double before = seconds_now();
    if (t->validates)
        display_validating(&t->display, p);
    epoch_validate(t);
    if (epoch_stopped())
        return false;
    save_stop_if_unsound(t);
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
