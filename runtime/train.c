/* train.c -- the command `train`: epochs, log, checkpoints, and stopping at any step without losing a bit.
 *
 * Everything that the rest of a run depends on is in the Progress of a checkpoint: the order of an epoch follows from
 * seed and epoch, dropout from seed and update.  So a resumed run has the bits of one that was never interrupted,
 * wherever it stopped.  The log is written before the checkpoint that counts it, and cut to that length on resuming. */
#define _DEFAULT_SOURCE
#include "eval.h"
#include "json.h"
#include "message.h"
#include "run.h"
#include "trainer.h"
#include "weights.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal;

/* The second signal of a kind finds the default action again: an impatient user may still kill. */
static void on_signal(int number) { stop_signal = number; }

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- rate ------------------------------------------------------------------------------------------------------- */

static double rate_at(int epoch)
{
    const NetTraining *t = &net.training;
    double rate = t->rate;
    for (int e = t->first; t->every > 0 && e <= epoch; e += t->every)
        rate /= t->divide;
    return rate;
}

/* ---- the log ---------------------------------------------------------------------------------------------------- */

typedef struct { int fd; char path[4096]; } Log;

/* Opens RUN/log.jsonl and cuts it to `bytes`: lines after the checkpoint will be written again. */
static void log_open(Log *log, const char *run, int64_t bytes)
{
    struct stat s;
    run_path(log->path, sizeof log->path, run, "log.jsonl");
    log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (log->fd < 0 || fstat(log->fd, &s) || (s.st_size > bytes && ftruncate(log->fd, (off_t)bytes)))
        fail(ENVIRONMENT, "%s: cannot be opened for writing: %s", log->path, strerror(errno));
}

/* Appends one line; returns the length of the log. */
static int64_t log_line(Log *log, const Progress *p, const Score *valid, double seconds, bool better)
{
    JsonWriter w;
    struct stat s;
    json_begin(&w, NULL);
    json_object(&w, NULL);
    json_integer(&w, "epoch", p->epoch);
    json_double(&w, "train_loss", p->loss_sum / (double)p->examples);
    json_double(&w, "valid_loss", valid->loss);
    json_double(&w, "valid_error", valid->error);
    json_double(&w, "rate", rate_at(p->epoch));
    json_double(&w, "grad_norm", p->norm_sum / (double)p->steps);
    json_double(&w, "grad_norm_max", p->norm_most);
    json_double(&w, "seconds", seconds);
    json_double(&w, "images_per_second", (double)p->examples / p->train_seconds);
    json_integer(&w, "updates", (int64_t)p->updates);
    json_bool(&w, "best", better);
    json_close(&w);
    json_newline(&w);
    if (!json_end(&w))
        fail(ENVIRONMENT, "no memory for the log");
    for (size_t done = 0; done < w.length;) {
        ssize_t n = write(log->fd, w.text + done, w.length - done);
        if (n < 0 && errno != EINTR)
            fail(ENVIRONMENT, "%s: cannot be written: %s; the checkpoint of the epoch before is kept", log->path, strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    json_free(&w);
    if (fstat(log->fd, &s))
        fail(ENVIRONMENT, "%s: %s", log->path, strerror(errno));
    return s.st_size;
}

/* ---- what the user sees ----------------------------------------------------------------------------------------- */

/* On a terminal one line that is written over, five times a second at most; elsewhere only the line of each epoch. */
typedef struct { bool terminal; double shown; } Display;

static void show_step(Display *d, const Progress *p, int epochs, double now)
{
    enum { BAR = 24 };
    if (!d->terminal || now - d->shown < 0.2)
        return;
    d->shown = now;
    char bar[BAR + 1];
    int full = (int)(BAR * p->position / p->examples);
    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)full);
    bar[BAR] = '\0';
    double speed = p->train_seconds > 0 ? (double)p->position / p->train_seconds : 0;
    fprintf(stderr, "\repoch %d/%d [%s] loss %.4f  %.0f images/s  %.0f s left \033[K", p->epoch, epochs, bar,
            p->loss_sum / (double)(p->position ? p->position : 1), speed, speed > 0 ? (double)(p->examples - p->position) / speed : 0);
    fflush(stderr);
}

static void clear_line(Display *d)
{
    if (d->terminal)
        fprintf(stderr, "\r\033[K");
}

static void show_epoch(Display *d, const Progress *p, const Score *valid, double seconds, bool better)
{
    clear_line(d);
    printf("epoch %d  train loss %.5f  valid loss %.5f", p->epoch, p->loss_sum / (double)p->examples, valid->loss);
    if (!isnan(valid->error))
        printf("  valid error %.3f %%", 100 * valid->error);
    printf("  rate %.3g  %.1f s  %.0f images/s%s\n", rate_at(p->epoch), seconds, (double)p->examples / p->train_seconds,
           better ? "  best" : "");
    fflush(stdout);
}

/* ---- training --------------------------------------------------------------------------------------------------- */

static _Noreturn void stop_on_nonsense(const char *what, double value, const Progress *p, const char *run, Display *d)
{
    clear_line(d);
    if (run_has(run, "last"))
        fail(WRONG_INPUT, "epoch %d, update %" PRIu64 ": the %s is %g.  The last good checkpoint is kept in %s; lower the rate, or"
             " clip the gradient, and start a new run", p->epoch, p->updates, what, value, run);
    fail(WRONG_INPUT, "epoch %d, update %" PRIu64 ": the %s is %g, before the first checkpoint; lower the rate, or clip the gradient",
         p->epoch, p->updates, what, value);
}

/* The rest of the running epoch; false when a signal came. */
static bool train_epoch(Progress *p, Data *data, const uint32_t *order, int epochs, const char *run, Display *display)
{
    double rate = rate_at(p->epoch), before = seconds_now();
    while (p->position < p->examples && !stop_signal) {
        Batch batch = { .train = 1, .seed = p->seed, .step = p->updates, .epoch = p->epoch };
        double norm = 0;
        data_batch(&batch, data, order, p->position);
        double loss = net.step(&batch, rate, p->updates, &norm);
        if (!isfinite(loss) || !isfinite(norm))
            stop_on_nonsense(isfinite(loss) ? "norm of the gradient" : "loss", isfinite(loss) ? norm : loss, p, run, display);
        p->loss_sum += loss * batch.count;
        p->norm_sum += norm;
        p->norm_most = norm > p->norm_most ? norm : p->norm_most;
        p->steps++;
        p->updates++;
        p->position += batch.count;
        double now = seconds_now();
        p->train_seconds += now - before;
        before = now;
        show_step(display, p, epochs, now);
    }
    return !stop_signal;
}

/* Saves where the run stands and says how to go on. */
static int interrupted(const Progress *p, const Options *o, Display *display)
{
    clear_line(display);
    run_save(o->run, "last", p);
    fprintf(stderr, "%s: stopped by signal %d in epoch %d after %" PRId64 " of %" PRId64 " examples; saved.  To go on:\n"
            "    %s train --data %s --run %s --resume\n", net.name, (int)stop_signal, p->epoch, p->position, p->examples, net.name,
            o->data, o->run);
    return BY_SIGNAL + (int)stop_signal;
}

static bool out_of_patience(const Progress *p)
{
    return net.training.patience > 0 && p->best_epoch >= 0 && p->epoch - 1 - p->best_epoch >= net.training.patience;
}

/* Validates, logs and saves the epoch that train_epoch has finished; false when a signal came before it was counted. */
static bool finish_epoch(Progress *p, Score *score, Data *valid, Log *log, const char *run, Display *display)
{
    double before = seconds_now();
    if (!score_data(score, valid, &stop_signal))
        return false;
    if (!isfinite(score->loss))
        stop_on_nonsense("validation loss", score->loss, p, run, display);
    double measure = isnan(score->error) ? score->loss : score->error, seconds = p->train_seconds + seconds_now() - before;
    bool better = p->best_epoch < 0 || measure < p->best;
    if (better)
        p->best = measure, p->best_epoch = p->epoch;
    p->log_bytes = log_line(log, p, score, seconds, better);
    show_epoch(display, p, score, seconds, better);
    p->epoch++;
    p->position = p->steps = 0;
    p->loss_sum = p->norm_sum = p->norm_most = p->train_seconds = 0;
    if (better)
        run_save(run, "best", p);
    run_save(run, "last", p);
    return true;
}

static int train(Progress *p, const Options *o, Data *data, Data *valid, Log *log)
{
    int epochs = o->epochs ? o->epochs : net.training.epochs, code = FINE;
    uint32_t *order = need_memory((size_t)data->examples * sizeof *order, "the order of examples");
    Display display = { .terminal = isatty(STDERR_FILENO) };
    Score score;
    score_open(&score);
    catch_signals();
    while (code == FINE && p->epoch < epochs && !out_of_patience(p)) {
        data_order(order, data, p->seed, p->epoch);
        bool whole = train_epoch(p, data, order, epochs, o->run, &display) && finish_epoch(p, &score, valid, log, o->run, &display);
        if (!whole || (stop_signal && p->epoch < epochs))
            code = interrupted(p, o, &display);
    }
    if (code == FINE && p->best_epoch >= 0)
        printf("finished after %d epochs%s; best: epoch %d, validation %s %.6g\n", p->epoch,
               p->epoch < epochs ? " (out of patience)" : "", p->best_epoch, isnan(score.error) ? "loss" : "error", p->best);
    score_close(&score);
    free(order);
    return code;
}

static void check_same_run(const Progress *p, const Options *o, const Data *data)
{
    if (o->seed_given && o->seed != p->seed)
        fail(WRONG_INPUT, "%s: the run has seed %" PRIu64 ", --seed says %" PRIu64 "; leave --seed out to go on", o->run, p->seed, o->seed);
    if (p->examples != data->examples)
        fail(WRONG_INPUT, "%s: the run trains on %" PRId64 " examples, %s has %" PRId64 "; give the run's --data to go on", o->run,
             p->examples, o->data, data->examples);
}

int command_train(const Options *o)
{
    Data data, valid;
    Log log;
    Progress p = { .seed = o->seed_given ? o->seed : net.training.seed, .best = DBL_MAX, .best_epoch = -1 };
    data_open(&data, o->data, "train", true);
    data_open(&valid, o->data, "valid", true);
    run_lock(o->run);
    if (!o->resume && (run_has(o->run, "last") || run_has(o->run, "best")))
        fail(WRONG_INPUT, "%s: this folder has a checkpoint; --resume goes on from it, another --run starts anew", o->run);
    open_net(o->threads);
    p.examples = data.examples;
    if (o->resume && run_has(o->run, "last")) {
        run_resume(&p, o->run);
        check_same_run(&p, o, &data);
        printf("%s: going on at epoch %d, example %" PRId64 "\n", o->run, p.epoch, p.position);
    } else {
        weights_init(net.weights(), p.seed);
        for (int k = 0; k < net.state_blocks; k++)
            memset(net.state(k), 0, net.block * sizeof(real));
    }
    log_open(&log, o->run, p.log_bytes);
    int code = train(&p, o, &data, &valid, &log);
    close(log.fd);
    data_close(&valid);
    data_close(&data);
    net.close();
    return code;
}
