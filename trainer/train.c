/* train.c -- the command `train`: from the options to a training under way, its epochs, and its ends.
 *
 * A checkpoint's Progress holds all that the rest of a run depends on, so a resumed run has the bits of an uninterrupted one, wherever it stopped:
 * epochs.c makes the steps, saving.c keeps what they lead to. */
#define _DEFAULT_SOURCE
#include "files/json.h"
#include "files/text.h"
#include "ranks.h"
#include "report/report.h"
#include "run/agree.h"
#include "run/message.h"
#include "run/norms.h"
#include "run/settings.h"
#include "run/signals.h"
#include "run/torn.h"
#include "run/weights.h"
#include "trainer.h"
#include "training.h"
#include "trial.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
        save_kept(text, sizeof text, t->o->run);
    if (ranks_mine())                          /* the first rank wrote, and says why it could not */
        return ENVIRONMENT;
    message_also("error", t->error.text);
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
    epoch_validate(t);
    if (epoch_stopped())
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
    if (!p->training.epochs)
        display_warn(&t->display, "the run has no epochs, so nothing is trained and there is no checkpoint; --epochs says how many");
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
        epoch_begin(t);
        bool whole = epoch_train(t) && epoch_finish(t), more = p->epoch < p->training.epochs && !out_of_patience(p);
        if (epoch_stopped() && (!whole || more))
            return interrupted(t);
        if (more && epoch_out_of_time(t, seconds_now()))
            return out_of_time(t);
    }
    int code = finished(t);
    leave_signals();
    ranks_alone(1);
    if (code == FINE && p->epoch > began && !stop_signal && !ranks_mine())
        report_end(t->o->run, t->o->data);
    ranks_alone(0);
    return code;
}

/* ---- the command -------------------------------------------------------------------------------------------------- */

static void go_on(Training *t, const NetTraining *wanted, unsigned given)
{
    char path[4096];
    const Options *o = t->o;
    uint64_t mark = t->p.data;
    Transfer init = t->p.init;
    int64_t examples = t->p.examples;
    run_resume(&t->p, o->run);
    run_path(path, sizeof path, o->run, "last");
    checkpoint_check_best(&t->p, t->validates && t->labels, path);
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

static void describe(Training *t)
{
    Names names;
    names_open(&names, t->p.updates ? t->o->run : NULL, t->o->data);      /* what has been learnt keeps its names */
    if (!run_describe(t->o->run, t->o->data, &names, t->o->threads, &t->p, &t->error))
        display_warn(&t->display, "%s", t->error.text);
    names_close(&names);
}

/* Of a run that has epochs to train. */
static void tell_doubts(Training *t)
{
    char text[1200];
    for (int k = 0; t->p.epoch < t->p.training.epochs && settings_doubt(text, sizeof text, &t->p.training, progress_steps(&t->p),
                                                                        progress_updates(&t->p, progress_steps(&t->p)), k); k++)
        display_warn(&t->display, "%s", text);
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
    if (!ranks_mine())
        run_keep_messages();
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
    if (!ranks_mine() && t.p.epoch < t.p.training.epochs && !out_of_patience(&t.p))
        message_forget();                      /* those of a run that is finished stay */
    settings_use(&t.p.training);
    agree(&t.data, t.validates ? &t.valid : NULL, &t.p, o->max_time);
    run_path(path, sizeof path, o->run, "log.jsonl");
    if (!ranks_mine())
        log_open(&t.log, path, t.p.log_bytes, t.p.log_rest);
    else
        log_open_nowhere(&t.log);
    t.trouble = agree_any(*t.log.rest && !log_flush(&t.log, &t.error));
    free((char *)t.p.log_rest);
    if (*t.p.init.file && !t.p.updates)        /* from now on the file is not needed any more */
        save(&t);
    if (!ranks_mine())
        describe(&t);
    if (!ranks_mine())
        tell_doubts(&t);
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
