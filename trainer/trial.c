/* trial.c -- train --overfit-one-batch and train --lr-find: whether the net learns at all, and at which rate.
 *
 * A net that cannot overfit one batch will learn nothing.  Causes: a wrong loss, a layer without gradient, labels that do
 * not belong to the images, a rate that is far off.  Dropout is off here: with it the loss would not come near zero. */
#include "trial.h"
#include "display.h"
#include "run/culprit.h"
#include "run/message.h"
#include "run/settings.h"
#include "run/weights.h"
#include "verdict.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double NEAR_ZERO = 0.01;

static void start(const NetTraining *training)
{
    weights_init(net.weights(), training->seed);
    buffers_init();
    for (int k = 0; k < net.state_blocks; k++)
        memset(net.state(k), 0, net.block * sizeof(real));
}

/* No rate helps a net that is given a NaN. */
static void need_finite(const Data *data, const Batch *batch)
{
    char text[4800];
    if (!culprit_data_is_finite(text, sizeof text, data, batch))
        fail(WRONG_INPUT, "%s; mend or leave out this example", text);
}

static int interrupted(Display *d, int number)
{
    display_say(d, "stopped by signal %d\n", number);
    display_close(d);
    return BY_SIGNAL + number;
}

/* ---- the least loss ----------------------------------------------------------------------------------------------- */

/* -a log(share of a in `all`): what the best prediction leaves of a loss that is -a log p. */
static double left_of(double a, double all) { return a > 0 ? -a * log(a / all) : 0; }

static double number_at(const NetData *t, const void *data, size_t i)
{
    return t->type == F32 ? (double)((const float *)data)[i] : ((const uint8_t *)data)[i] / 255.0;
}

/* Of a cross entropy at one position of an example, a_c what the target says of class c, smoothed and weighed: the sum over the classes of
 * -a_c log(a_c / sum of a).  Adds to *counted the weight of a label, 1 of shares. */
static double left_at(const NetLoss *l, const void *data, int at, double *counted)
{
    const NetData *t = &net.targets[l->target];
    const bool labels = l->least == LEAST_SMOOTHED;
    const int classes = labels ? t->classes : (int)t->count / l->positions, label = labels ? ((const int32_t *)data)[at] : -1;
    const int first = at / l->inner * classes * l->inner + at % l->inner;
    double all = 0, sum = 0;
    *counted += labels && l->class_weights ? l->class_weights[label] : 1;
    for (int pass = 0; pass < 2; pass++)
        for (int c = 0; c < classes; c++) {
            const double share = labels ? c == label : number_at(t, data, (size_t)(first + c * l->inner));
            const double a = ((1 - l->smoothing) * share + l->smoothing / classes) * (l->class_weights ? l->class_weights[c] : 1);
            if (pass)
                sum += left_of(a, all);
            else
                all += a;
        }
    return sum;
}

/* What the batch's targets leave of the loss where the net predicts as well as can be; of losses whose least is not known 0. */
static double least_loss(const Batch *batch)
{
    double least = 0;
    for (int i = 0; i < net.loss_count; i++) {
        const NetLoss *l = &net.losses[i];
        double sum = 0, counted = 0;
        for (int n = 0; l->least && n < batch->count; n++) {
            const NetData *t = &net.targets[l->target];
            const void *data = batch->targets[l->target][n];
            for (size_t e = 0; l->least == LEAST_BITS && e < t->count; e++, counted++)
                sum += left_of(number_at(t, data, e), 1) + left_of(1 - number_at(t, data, e), 1);
            for (int at = 0; l->least != LEAST_BITS && at < l->positions; at++)
                if (l->least != LEAST_SMOOTHED || !l->ignores || ((const int32_t *)data)[at] != l->ignored)
                    sum += left_at(l, data, at, &counted);
        }
        least += counted > 0 ? fmax(l->weight, 0) * sum / counted : 0;
    }
    return least;
}

/* ---- one batch ---------------------------------------------------------------------------------------------------- */

static void say_overfit(Display *d, int step, double loss, double norm)
{
    JsonWriter w;
    display_say(d, "step %5d  loss %-10.5g  norm %.3g\n", step, loss, norm);
    if (display_event(d, &w, "overfit")) {
        json_integer(&w, "step", step);
        json_double(&w, "loss", loss);
        json_double(&w, "grad_norm", norm);
        display_event_end(d, &w);
    }
}

int trial_overfit(const Options *o, const NetTraining *training, Data *data, const volatile sig_atomic_t *stop)
{
    Display d;
    JsonWriter w;
    uint32_t *order = need_memory((size_t)data->examples * sizeof *order, "the order of examples");
    double zero = 0, first = 0, least = INFINITY, looks[STEPS_MOST / LOOK], norm = 0, loss = INFINITY, began = seconds_now(), shown = 0;
    int step = 0;
    bool stuck = false, near = false, nothing = false; /* nothing: the batch teaches nothing */
    display_open(&d, o->quiet, o->json);
    start(training);
    data_order(order, data, training->seed, 0);
    for (; step < STEPS_MOST && !stuck && !near && !nothing && !*stop; step++) {
        Batch batch = { .statistics = 1, .seed = training->seed, .step = (uint64_t)step };
        data_batch(&batch, data, order, 0);
        need_finite(data, &batch);
        const double penalties = net.penalties ? net.penalties() : 0;       /* no fit makes them 0 */
        loss = net.step(&batch, training->rate, (uint64_t)step, &norm) - penalties;
        if (!step)
            first = loss, zero = least_loss(&batch);
        least = fmin(least, loss);
        near = loss - zero <= NEAR_ZERO * fabs(first - zero);
        nothing = !step && loss <= zero && (norm == 0 || penalties > 0);
        near = near && !nothing;
        stuck = !isfinite(loss) || !isfinite(norm);
        if (step && step % LOOK == 0) {
            looks[step / LOOK - 1] = least - zero;
            stuck |= !still_falls(looks, step / LOOK);
        }
        if (!step || near || stuck || nothing || seconds_now() - shown > 1)
            say_overfit(&d, step, loss, norm), shown = seconds_now();
    }
    free(order);
    if (*stop)
        return interrupted(&d, (int)*stop);
    if (display_event(&d, &w, "end")) {
        json_bool(&w, "near_zero", near);
        json_double(&w, "first_loss", first);
        json_double(&w, "least_loss", least);
        json_double(&w, "least_possible", zero);
        json_integer(&w, "steps", step);
        display_event_end(&d, &w);
    }
    char end[100] = "", how[160];
    if (zero > 0)
        snprintf(end, sizeof end, " (%.4g is the least that these targets allow)", zero);
    if (near) {
        display_say(&d, "the net learns: on one batch the loss fell from %.4g to %.4g%s in %d steps (%.1f s)\n", first, loss, end, step,
                    seconds_now() - began);
        return display_close(&d);
    }
    display_close(&d);
    if (nothing)
        fail(WRONG_INPUT, "on one batch the loss is %.4g from the start, and no gradient comes of it: no label of this batch counts, or there"
             " is nothing to tell apart.  Another batch: --seed N", first);
    snprintf(how, sizeof how, "%s near %s%s", stuck ? "falls, but does not come" : "still falls, but at this rate does not come soon", zero > 0 ? "its end" : "zero", end);
    fprintf(stderr, "%s: error: on one batch the loss %s: from %.4g to %.4g at the least in %d steps at rate %g.  Look at the rate (--lr-find,"
            " --set train.rate=...), the gradients (`%s check`), the labels, and that every layer reaches the loss\n", net.name,
            !isfinite(loss) || !isfinite(norm) ? "became infinite or no number" : stuck && least - zero > 0.5 * (first - zero) ? "does not fall" : how,
            first, least, step, training->rate, net.name);
    return WRONG_INPUT;
}

/* ---- rates -------------------------------------------------------------------------------------------------------- */

enum { SHOWN = 5, ANSWERS_MOST = 1 << 22 };       /* every fifth point is printed; counts of labels */
static const double RATE_FIRST = 1e-7, EXPLODED = 4;

static void say_point(Display *d, const Point *p, int i, double first)
{
    char bar[41];
    int length = (int)fmin(40, fmax(0, 20 * p->smooth / first));
    memset(bar, '#', sizeof bar);
    if (i % SHOWN == 0)
        display_say(d, "%10.3g %12.5f %12.5f  %.*s\n", p->rate, p->loss, p->smooth, length, bar);
    JsonWriter w;
    if (display_event(d, &w, "rate")) {
        json_double(&w, "rate", p->rate);
        json_double(&w, "loss", p->loss);
        json_double(&w, "smooth", p->smooth);
        display_event_end(d, &w);
    }
}

/* The labels of all batches seen, by position and class, of the losses whose least for one and the same answer is the entropy of those counts. */
typedef struct { int64_t *counts[NET_LOSSES]; } Answers;

static bool is_counted(const NetLoss *l) { return l->shows == SHOWS_WRONG && l->least == LEAST_ZERO && !l->class_weights && !l->ignores && l->target >= 0 && l->weight > 0; }

/* Room for the counts; false, and none, if a loss is of another kind, there are penalties, or they would be too many. */
static bool answers_open(Answers *a)
{
    int64_t all = 0;
    if (net.penalties || !net.loss_count)
        return false;
    for (int i = 0; i < net.loss_count; i++)
        if (!is_counted(&net.losses[i]) || (all += (int64_t)net.losses[i].positions * net.targets[net.losses[i].target].classes) > ANSWERS_MOST)
            return false;
    for (int i = 0; i < net.loss_count; i++) {
        const size_t bytes = (size_t)net.losses[i].positions * (size_t)net.targets[net.losses[i].target].classes * sizeof **a->counts;
        a->counts[i] = memset(need_memory(bytes, "counts of labels"), 0, bytes);
    }
    return true;
}

static void answers_add(Answers *a, const Batch *batch)
{
    for (int i = 0; i < net.loss_count; i++) {
        const NetLoss *l = &net.losses[i];
        for (int n = 0; n < batch->count; n++)
            for (int at = 0; at < l->positions; at++)
                a->counts[i][(int64_t)at * net.targets[l->target].classes + ((const int32_t *)batch->targets[l->target][n])[at]]++;       /* in range: the data were opened */
    }
}

/* The loss of the best single answer for every example. */
static double answers_loss(const Answers *a)
{
    double loss = 0;
    for (int i = 0; i < net.loss_count; i++) {
        const NetLoss *l = &net.losses[i];
        const int classes = net.targets[l->target].classes;
        for (int at = 0; at < l->positions; at++) {
            const int64_t *counts = a->counts[i] + (int64_t)at * classes;
            double all = 0;
            for (int c = 0; c < classes; c++)
                all += (double)counts[c];
            for (int c = 0; c < classes; c++)
                if (counts[c])
                    loss -= l->weight * (double)counts[c] / all * log((double)counts[c] / all) / l->positions;
        }
    }
    return loss;
}

/* One step at each rate; returns how many were done.  answers: gets the labels of all batches; NULL: not wanted. */
static int sweep(Point *points, Answers *answers, Display *d, const NetTraining *training, Data *data, const volatile sig_atomic_t *stop)
{
    uint32_t *order = need_memory((size_t)data->examples * sizeof *order, "the order of examples");
    double least = INFINITY, norm;
    int epoch = 0, count = 0;
    int64_t first = 0;
    data_order(order, data, training->seed, epoch);
    while (count < POINTS && !*stop) {
        Point *p = &points[count];
        Batch batch = { .train = 1, .seed = training->seed, .step = (uint64_t)count };
        data_batch(&batch, data, order, first);
        need_finite(data, &batch);
        first += batch.count;
        if (answers)
            answers_add(answers, &batch);
        p->rate = RATE_FIRST * pow(10, (double)count / PER_DECADE);
        p->loss = net.step(&batch, p->rate, (uint64_t)count, &norm);
        if (!isfinite(p->loss) || !isfinite(norm))
            break;
        point_smooth(points, count + 1);
        say_point(d, p, count++, points[0].smooth);
        least = fmin(least, p->smooth);
        if (p->smooth > EXPLODED * least && count > PER_DECADE)
            break;
        if (first >= data->examples)
            data_order(order, data, training->seed, ++epoch), first = 0;
    }
    free(order);
    return count;
}

int trial_rates(const Options *o, const NetTraining *training, Data *data, const volatile sig_atomic_t *stop)
{
    Display d;
    JsonWriter w;
    Point points[POINTS];
    display_open(&d, o->quiet, o->json);
    start(training);
    if (data->examples <= net.batch)
        display_warn(&d, "the training split is one batch (%" PRId64 " of %d examples), which every step sees whole: the rate found is one that learns it by heart,"
                     " and may be too large for more data", data->examples, net.batch);
    display_say(&d, "%10s %12s %12s\n", "rate", "loss", "smoothed");
    Answers answers = { 0 };
    const bool counted = answers_open(&answers);
    int count = sweep(points, counted ? &answers : NULL, &d, training, data, stop);
    const double same = counted ? answers_loss(&answers) : INFINITY;
    for (int i = 0; i < net.loss_count; i++)
        free(answers.counts[i]);
    if (*stop)
        return interrupted(&d, (int)*stop);
    double rate = rate_suggested(points, count);
    const bool learns = rate_learns(points, count, same);
    if (display_event(&d, &w, "end")) {
        rate > 0 ? json_double(&w, "suggestion", rate) : json_null(&w, "suggestion");
        json_double(&w, "model_rate", training->rate);
        counted ? json_bool(&w, "learns", rate > 0 && learns) : json_null(&w, "learns");
        display_event_end(&d, &w);
    }
    if (!(rate > 0)) {
        display_close(&d);
        fprintf(stderr, "%s: error: the loss falls at no rate from %g to %g%s; try --overfit-one-batch, and `%s check`\n", net.name, RATE_FIRST,
                count ? points[count - 1].rate : RATE_FIRST, count < POINTS ? ", where it explodes" : "", net.name);
        return WRONG_INPUT;
    }
    if (!learns)
        display_warn(&d, "at no rate does the loss come below %.4g, which one and the same answer for every example gives: in these %d steps nothing was learnt from the"
                     " inputs, and the rate tells little.  Is it noise, do examples and labels belong together?  --overfit-one-batch tells whether the net can learn", same, count);
    display_say(&d, "the loss falls fastest near rate %.2g (the model has %.2g); to try it: --set train.rate=%.2g.  Nothing was changed\n",
                rate, training->rate, rate);
    return display_close(&d);
}
