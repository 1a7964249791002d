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

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK = 100, STEPS_MOST = 10000 };       /* steps between two looks at whether the loss still falls; the end */
static const double NEAR_ZERO = 0.01, STILL_FALLS = 0.95;

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
    double first = 0, least = INFINITY, at_last_look = INFINITY, norm = 0, loss = INFINITY, began = seconds_now(), shown = 0;
    int step = 0;
    bool stuck = false, near = false;
    display_open(&d, o->quiet, o->json);
    start(training);
    data_order(order, data, training->seed, 0);
    for (; step < STEPS_MOST && !stuck && !near && !*stop; step++) {
        Batch batch = { .statistics = 1, .seed = training->seed, .step = (uint64_t)step };
        data_batch(&batch, data, order, 0);
        need_finite(data, &batch);
        loss = net.step(&batch, training->rate, (uint64_t)step, &norm);
        if (!step)
            first = loss;
        least = fmin(least, loss);
        near = loss <= NEAR_ZERO * fabs(first);
        stuck = !isfinite(loss) || !isfinite(norm);
        if (step && step % LOOK == 0) {
            stuck |= least > STILL_FALLS * at_last_look;
            at_last_look = least;
        }
        if (!step || near || stuck || seconds_now() - shown > 1)
            say_overfit(&d, step, loss, norm), shown = seconds_now();
    }
    free(order);
    if (*stop)
        return interrupted(&d, (int)*stop);
    if (display_event(&d, &w, "end")) {
        json_bool(&w, "near_zero", near);
        json_double(&w, "first_loss", first);
        json_double(&w, "least_loss", least);
        json_integer(&w, "steps", step);
        display_event_end(&d, &w);
    }
    if (near) {
        display_say(&d, "the net learns: on one batch the loss fell from %.4g to %.4g in %d steps (%.1f s)\n", first, loss, step,
                    seconds_now() - began);
        return display_close(&d);
    }
    display_close(&d);
    fprintf(stderr, "%s: error: on one batch the loss %s: from %.4g to %.4g at the least in %d steps at rate %g.  Look at the rate (--lr-find,"
            " --set train.rate=...), the gradients (`%s check`), the labels, and that every layer reaches the loss\n", net.name,
            !isfinite(loss) || !isfinite(norm) ? "became infinite or no number" : least > 0.5 * first ? "does not fall"
            : "falls, but does not come near zero", first, least, step, training->rate, net.name);
    return WRONG_INPUT;
}

/* ---- rates -------------------------------------------------------------------------------------------------------- */

enum { DECADES = 8, PER_DECADE = 20, POINTS = DECADES * PER_DECADE + 1, SHOWN = 5 };   /* every fifth point is printed */
static const double RATE_FIRST = 1e-7, SMOOTH = 0.9, EXPLODED = 4;

typedef struct { double rate, loss, smooth; } Point;

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

/* Where the smoothed loss falls most from one third of a decade to the next, before its least; 0 if it never fell by more
 * than a twentieth. */
static double suggest(const Point *points, int count)
{
    enum { SPAN = PER_DECADE / 3 };
    int least = 0, steepest = 0;
    double most = 0;
    for (int i = 1; i < count; i++)
        if (points[i].smooth < points[least].smooth)
            least = i;
    for (int i = SPAN; i <= least; i++)
        if (points[i - SPAN].smooth - points[i].smooth > most)
            most = points[i - SPAN].smooth - points[i].smooth, steepest = i;
    if (!least || points[least].smooth > 0.95 * points[0].smooth)
        return 0;
    return fmin(points[steepest].rate, points[least].rate / 3);
}

/* One step at each rate; returns how many were done.  The mean is weighted towards the latest, and starts without bias. */
static int sweep(Point *points, Display *d, const NetTraining *training, Data *data, const volatile sig_atomic_t *stop)
{
    uint32_t *order = need_memory((size_t)data->examples * sizeof *order, "the order of examples");
    double sum = 0, weight = 0, least = INFINITY, norm;
    int epoch = 0, count = 0;
    int64_t first = 0;
    data_order(order, data, training->seed, epoch);
    while (count < POINTS && !*stop) {
        Point *p = &points[count];
        Batch batch = { .train = 1, .seed = training->seed, .step = (uint64_t)count };
        data_batch(&batch, data, order, first);
        need_finite(data, &batch);
        first += batch.count;
        p->rate = RATE_FIRST * pow(10, (double)count / PER_DECADE);
        p->loss = net.step(&batch, p->rate, (uint64_t)count, &norm);
        if (!isfinite(p->loss) || !isfinite(norm))
            break;
        sum = SMOOTH * sum + (1 - SMOOTH) * p->loss;
        weight = SMOOTH * weight + (1 - SMOOTH);
        p->smooth = sum / weight;
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
    display_say(&d, "%10s %12s %12s\n", "rate", "loss", "smoothed");
    int count = sweep(points, &d, training, data, stop);
    if (*stop)
        return interrupted(&d, (int)*stop);
    double rate = suggest(points, count);
    if (display_event(&d, &w, "end")) {
        rate > 0 ? json_double(&w, "suggestion", rate) : json_null(&w, "suggestion");
        json_double(&w, "model_rate", training->rate);
        display_event_end(&d, &w);
    }
    if (!(rate > 0)) {
        display_close(&d);
        fprintf(stderr, "%s: error: the loss falls at no rate from %g to %g; try --overfit-one-batch, and `%s check`\n", net.name,
                RATE_FIRST, RATE_FIRST * pow(10, DECADES), net.name);
        return WRONG_INPUT;
    }
    display_say(&d, "the loss falls fastest near rate %.2g (the model has %.2g); to try it: --set train.rate=%.2g.  Nothing was changed\n",
                rate, training->rate, rate);
    return display_close(&d);
}
