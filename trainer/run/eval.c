/* eval.c -- the command `eval`, and the count of losses and wrong labels that training uses too.
 *
 * A partial last batch counts with its real examples only: the net's loss is a mean over them, so it is weighted by
 * their number.  Errors are shares from 0 to 1. */
#include "run/eval.h"
#include "files/json.h"
#include "ranks.h"
#include "run/agree.h"
#include "run/culprit.h"
#include "run/message.h"
#include "run/names.h"
#include "run/run.h"
#include "run/torn.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int eval_positions(int k)
{
    const NetLoss *l = data_reader(k);
    return l ? l->positions : 0;
}

int eval_value(int k)
{
    const NetLoss *l = data_reader(k);
    return l ? l->value : -1;
}

/* The logit of class c at `position` of example n: of what the loss l reads.  Of bits: 0 for class 0, the logit for class 1. */
static double logit(const NetLoss *l, int n, int position, int c)
{
    const NetValue *v = &net.values[l->value];
    const bool bits = l->shows == SHOWS_BITS;
    const int classes = bits ? 1 : net.targets[l->target].classes, inner = bits ? 1 : l->inner > 1 ? l->inner : 1;
    const int each = (int)v->count / classes, step = v->steps ? position / each : 0, at = v->steps ? position % each : position;
    if (bits && c == 0)
        return 0;
    const size_t first = (size_t)(at / inner) * (size_t)classes * (size_t)inner + (size_t)(at % inner);
    return (double)net.activations()[value_index(v, n, step, first + (bits ? 0 : (size_t)c * (size_t)inner))];
}

int eval_label(double *probability, int k, int n, int position)
{
    const NetLoss *l = data_reader(k);
    int classes = net.targets[k].classes, best = 0;
    double most = -INFINITY, sum = 0;
    for (int c = 0; c < classes; c++) {
        double x = logit(l, n, position, c);
        if (isnan(x))
            return -1;
        if (x > most)
            most = x, best = c;
    }
    if (probability) {
        for (int c = 0; c < classes; c++)
            sum += exp(logit(l, n, position, c) - most);
        *probability = 1 / sum;
    }
    return best;
}

void eval_probabilities(double *probabilities, int k, int n, int position)
{
    const NetLoss *l = data_reader(k);
    int classes = net.targets[k].classes;
    double most = -INFINITY, sum = 0;
    for (int c = 0; c < classes; c++) {
        probabilities[c] = logit(l, n, position, c);
        most = fmax(most, probabilities[c]);
    }
    for (int c = 0; c < classes; c++)
        sum += probabilities[c] = exp(probabilities[c] - most);
    for (int c = 0; c < classes; c++)
        probabilities[c] /= sum;
}

/* Is `label` among the five classes with the largest logits? */
static bool in_five(int k, int n, int position, int label)
{
    const NetLoss *l = data_reader(k);
    const double own = logit(l, n, position, label);
    int above = 0;
    for (int c = 0; c < net.targets[k].classes; c++) {
        const double x = logit(l, n, position, c);
        above += !(x <= own) || (c < label && x == own);
    }
    return above < 5;
}

/* ---- what is shown beside losses of real numbers --------------------------------------------------------------------- */

/* The first loss of target k that shows that; NULL: there is none. */
static const NetLoss *shown_by(int k, LossShows shows)
{
    for (int i = 0; i < net.loss_count; i++)
        if (net.losses[i].shows == shows && net.losses[i].target == k && net.losses[i].value >= 0 && net.targets[k].type != LABELS)
            return &net.losses[i];
    return NULL;
}

/* Adds up over the elements of example n: squares of the difference to the target, or wrong bits. */
static double beside(const NetLoss *l, const Batch *batch, int n)
{
    const NetValue *v = &net.values[l->value];
    const NetData *t = &net.targets[l->target];
    const void *wanted = batch->targets[l->target][n];
    double sum = 0;
    for (size_t e = 0; e < t->count; e++) {
        const double y = t->type == F32 ? (double)((const float *)wanted)[e] : ((const uint8_t *)wanted)[e] / 255.0;
        const double x = (double)net.activations()[value_index(v, n, v->steps ? (int)(e / v->count) : 0, v->steps ? e % v->count : e)];
        sum += l->shows == SHOWS_BITS ? (x > 0) != (y > 0.5) : (x - y) * (x - y);
    }
    return sum;
}

/* ---- scores ----------------------------------------------------------------------------------------------------- */

void score_open(Score *s)
{
    *s = (Score){ .error = NAN };
    for (int k = 0; k < net.target_count; k++)
        if (eval_positions(k) > s->positions)
            s->positions = eval_positions(k), s->error = 0;
    s->target = need_memory((size_t)net.target_count * sizeof *s->target, "scores");
    s->position = need_memory((size_t)net.target_count * (size_t)s->positions * sizeof *s->position, "scores");
    s->counted = need_memory((size_t)net.target_count * (size_t)s->positions * sizeof *s->counted, "scores");
    s->top_5 = need_memory((size_t)net.target_count * sizeof *s->top_5, "scores");
    s->beside = need_memory((size_t)net.target_count * sizeof *s->beside, "scores");
    s->sums = need_memory(2 * (size_t)net.loss_count * sizeof *s->sums, "scores");
}

void score_close(Score *s)
{
    free(s->target);
    free(s->position);
    free(s->counted);
    free(s->top_5);
    free(s->beside);
    free(s->sums);
}

static void count_wrong(Score *s, const Data *data, const Batch *batch, int64_t first)
{
    for (int k = 0; k < net.target_count; k++) {
        const NetLoss *bits = shown_by(k, SHOWS_BITS), *square = shown_by(k, SHOWS_SQUARE);
        for (int position = 0; position < eval_positions(k); position++)
            for (int n = 0; n < batch->count; n++) {
                const int label = data_label(data, k, first + n, position);
                if (label < 0)                  /* ignored */
                    continue;
                s->counted[k * s->positions + position]++;
                s->position[k * s->positions + position] += eval_label(NULL, k, n, position) != label;
                if (net.targets[k].classes > 10)
                    s->top_5[k] += !in_five(k, n, position, label);
            }
        for (int n = 0; (bits || square) && n < batch->count; n++)
            s->beside[k] += beside(bits ? bits : square, batch, n);
    }
}

/* Adds the losses of the batch of the forward pass just done, whose sum is `total`: those that are divided by what counts apart from the others. */
static void add_losses(Score *s, const Batch *batch, double total, const double *each)
{
    for (int i = 0; i < net.loss_count; i++) {
        if (!net.losses[i].count)
            continue;
        const double count = net.losses[i].count(batch);
        s->sums[2 * i] += each[i] * count;
        s->sums[2 * i + 1] += count;
        total -= net.losses[i].weight * each[i];
    }
    s->loss += total * batch->count;
}

/* The mean of the whole split. */
static double whole_loss(const Score *s)
{
    double loss = s->loss / (double)s->examples;
    for (int i = 0; i < net.loss_count; i++)
        if (net.losses[i].count && s->sums[2 * i + 1] > 0)
            loss += net.losses[i].weight * (s->sums[2 * i] / s->sums[2 * i + 1]);
    return loss;
}

bool score_data(Score *s, Data *data, const volatile sig_atomic_t *stop)
{
    int labelled = 0;
    s->examples = 0;
    s->bad = -1;
    s->loss = s->error = 0;
    for (int i = 0; i < net.target_count * s->positions; i++)
        s->position[i] = 0, s->counted[i] = 0;
    for (int k = 0; k < net.target_count; k++)
        s->top_5[k] = s->beside[k] = 0;
    for (int i = 0; i < 2 * net.loss_count; i++)
        s->sums[i] = 0;
    double each[NET_LOSSES];
    for (int64_t first = 0; first < data->examples; first += net.batch) {
        Batch batch = { 0 };
        data_batch(&batch, data, NULL, first);
        const bool finite = culprit_data_is_finite(NULL, 0, data, &batch);
        double loss = finite || ranks_count() > 1 ? net.forward(&batch, each) : (double)NAN;
        const int trouble = ranks_most(torn_look() ? 2 : !finite);
        if (trouble == 2)
            return false;
        if (trouble || !isfinite(loss)) {
            s->loss = trouble ? (double)NAN : loss;
            s->bad = first;
            return true;
        }
        add_losses(s, &batch, loss, each);
        s->examples += batch.count;
        count_wrong(s, data, &batch, first);
        if (stop && agree_any(*stop))
            return false;
    }
    s->loss = whole_loss(s);
    for (int k = 0; k < net.target_count; k++) {
        int positions = eval_positions(k);
        int64_t all = 0;
        double wrong = 0;
        s->target[k] = positions ? 0 : NAN;
        for (int i = 0; i < positions; i++) {
            double *share = &s->position[k * s->positions + i];
            const int64_t counted = s->counted[k * s->positions + i];
            wrong += *share;
            all += counted;
            *share = counted ? *share / (double)counted : (double)NAN;
            s->target[k] += *share / positions;
        }
        if (all != positions * s->examples)         /* where fewer labels count, each that does counts alike */
            s->target[k] = all ? wrong / (double)all : (double)NAN;
        s->top_5[k] = positions && net.targets[k].classes > 10 && all ? s->top_5[k] / (double)all : (double)NAN;
        const double elements = (double)s->examples * (double)net.targets[k].count;
        const bool bits = shown_by(k, SHOWS_BITS) != NULL;
        s->beside[k] = bits ? s->beside[k] / elements : shown_by(k, SHOWS_SQUARE) ? sqrt(s->beside[k] / elements) : (double)NAN;
        if (!isnan(s->target[k]))
            s->error += s->target[k], labelled++;
    }
    s->error = labelled ? s->error / labelled : NAN;
    return true;
}

char *score_trouble(const Score *s, Data *data)
{
    enum { ROOM = 8192 };
    char *text = need_memory(ROOM, "a message");
    Batch batch = { 0 };
    data_batch(&batch, data, NULL, s->bad);
    agree_nonsense(text, ROOM, data, &batch);
    ranks_last();
    if (!*text && culprit_find(text, ROOM, data, &batch, false) == CULPRIT_NONE)
        snprintf(text, ROOM, "%s/%s: the loss of examples %" PRId64 " to %" PRId64 " is %g", data->dir, data->split, s->bad, s->bad + batch.count - 1,
                 plain_number(s->loss));
    return text;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

/* Is that number of target k there, as that kind? */
static bool is_shown(const double *numbers, int k, LossShows shows)
{
    return !isnan(numbers[k]) && (shows == SHOWS_WRONG || (shows == SHOWS_BITS) == (shown_by(k, SHOWS_BITS) != NULL));
}

static void print_beside(JsonWriter *w, const char *key, const double *numbers, LossShows shows)
{
    bool open = false;
    for (int k = 0; k < net.target_count; k++) {
        if (!is_shown(numbers, k, shows))
            continue;
        if (!open)
            json_object(w, key);
        open = true;
        json_double(w, net.targets[k].name, numbers[k]);
    }
    if (open)
        json_close(w);
}

static void print_json(const Score *s, const char *split)
{
    JsonWriter w;
    json_begin(&w, stdout);
    json_object(&w, NULL);
    json_string(&w, "split", split);
    json_integer(&w, "examples", s->examples);
    json_double(&w, "loss", s->loss);
    json_object(&w, "error");
    for (int k = 0; k < net.target_count; k++) {
        if (!eval_positions(k))
            continue;
        json_object(&w, net.targets[k].name);
        json_double(&w, "mean", s->target[k]);
        json_array(&w, "positions");
        for (int i = 0; i < eval_positions(k); i++)
            json_double(&w, NULL, s->position[k * s->positions + i]);
        json_close(&w);
        json_close(&w);
    }
    json_close(&w);
    print_beside(&w, "top_5", s->top_5, SHOWS_WRONG);
    print_beside(&w, "wrong_bits", s->beside, SHOWS_BITS);
    print_beside(&w, "root_mean_square", s->beside, SHOWS_SQUARE);
    json_close(&w);
    json_newline(&w);
    json_end(&w);
    json_free(&w);
}

/* The error; of several labels an example also by position, where a dash stands for one at which no label counts. */
static void print_errors(const Score *s, int k)
{
    if (isnan(s->target[k])) {
        printf("%s: no error: every label is %d, which the model's loss ignores\n", net.targets[k].name, data_reader(k)->ignored);
        return;
    }
    printf("%s: error %.4f %%%s", net.targets[k].name, 100 * s->target[k], eval_positions(k) > 1 ? ", by position" : "");
    for (int i = 0; i < eval_positions(k) && eval_positions(k) > 1; i++)
        if (isnan(s->position[k * s->positions + i]))
            printf(" -");
        else
            printf(" %.4f", 100 * s->position[k * s->positions + i]);
    printf("\n");
}

int command_eval(const Options *o)
{
    Data data;
    Score s;
    data_open(&data, o->data, o->split, true);
    open_net(o->threads);
    run_or_file_weights(o->run, o->weights, o->last, false);
    names_check(o->run, o->data);
    score_open(&s);
    agree(&data, NULL, NULL, 0);
    if (!score_data(&s, &data, NULL))
        torn_stop("");
    if (s.bad >= 0)
        fail(WRONG_INPUT, "%s", score_trouble(&s, &data));
    if (o->json) {
        print_json(&s, o->split);
    } else {
        printf("%s: %" PRId64 " examples, loss %.6f\n", o->split, s.examples, s.loss);
        for (int k = 0; k < net.target_count; k++) {
            if (is_shown(s.beside, k, SHOWS_BITS))
                printf("%s: wrong bits %.4f %%\n", net.targets[k].name, 100 * s.beside[k]);
            else if (is_shown(s.beside, k, SHOWS_SQUARE))
                printf("%s: root mean square %.6g\n", net.targets[k].name, s.beside[k]);
            if (is_shown(s.top_5, k, SHOWS_WRONG))
                printf("%s: not among the first five %.4f %%\n", net.targets[k].name, 100 * s.top_5[k]);
            if (!eval_positions(k))
                continue;
            print_errors(&s, k);
        }
    }
    score_close(&s);
    data_close(&data);
    net.close();
    return FINE;
}
