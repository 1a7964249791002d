/* eval.c -- the command `eval`, and the count of losses and wrong labels that training uses too.
 *
 * A partial last batch counts with its real examples only: the net's loss is a mean over them, so it is weighted by
 * their number.  Errors are shares from 0 to 1. */
#include "run/eval.h"
#include "files/json.h"
#include "run/culprit.h"
#include "run/message.h"
#include "run/run.h"
#include "run/torn.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const NetLoss *reader_of(int k)
{
    for (int i = 0; i < net.loss_count; i++)
        if (net.losses[i].shows == SHOWS_WRONG && net.losses[i].target == k && net.losses[i].value >= 0)
            return &net.losses[i];
    return NULL;
}

int eval_positions(int k)
{
    const NetLoss *l = reader_of(k);
    return l ? l->positions : 0;
}

int eval_value(int k)
{
    const NetLoss *l = reader_of(k);
    return l ? l->value : -1;
}

int eval_label(double *probability, int k, int n, int position)
{
    const NetLoss *l = reader_of(k);
    const NetValue *v = &net.values[l->value];
    const real *memory = net.activations();
    int classes = net.targets[k].classes, best = 0, step = v->steps ? position : 0;
    size_t first = v->steps ? 0 : (size_t)position * (size_t)classes;
    double most = -INFINITY, sum = 0;
    for (int c = 0; c < classes; c++) {
        double logit = (double)memory[value_index(v, n, step, first + (size_t)c)];
        if (isnan(logit))
            return -1;
        if (logit > most)
            most = logit, best = c;
    }
    if (probability) {
        for (int c = 0; c < classes; c++)
            sum += exp((double)memory[value_index(v, n, step, first + (size_t)c)] - most);
        *probability = 1 / sum;
    }
    return best;
}

void eval_probabilities(double *probabilities, int k, int n, int position)
{
    const NetLoss *l = reader_of(k);
    const NetValue *v = &net.values[l->value];
    int classes = net.targets[k].classes;
    size_t first = v->steps ? 0 : (size_t)position * (size_t)classes;
    double most = -INFINITY, sum = 0;
    for (int c = 0; c < classes; c++) {
        probabilities[c] = (double)net.activations()[value_index(v, n, v->steps ? position : 0, first + (size_t)c)];
        most = fmax(most, probabilities[c]);
    }
    for (int c = 0; c < classes; c++)
        sum += probabilities[c] = exp(probabilities[c] - most);
    for (int c = 0; c < classes; c++)
        probabilities[c] /= sum;
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
}

void score_close(Score *s)
{
    free(s->target);
    free(s->position);
}

static void count_wrong(Score *s, const Data *data, int64_t first, int count)
{
    for (int k = 0; k < net.target_count; k++)
        for (int position = 0; position < eval_positions(k); position++)
            for (int n = 0; n < count; n++)
                s->position[k * s->positions + position] +=
                    eval_label(NULL, k, n, position) != data_label(data, k, first + n, position);
}

bool score_data(Score *s, Data *data, const volatile sig_atomic_t *stop)
{
    int labelled = 0;
    s->examples = 0;
    s->bad = -1;
    s->loss = s->error = 0;
    for (int i = 0; i < net.target_count * s->positions; i++)
        s->position[i] = 0;
    for (int64_t first = 0; first < data->examples; first += net.batch) {
        Batch batch = { 0 };
        data_batch(&batch, data, NULL, first);
        double loss = culprit_data_is_finite(NULL, 0, data, &batch) ? net.forward(&batch, NULL) : (double)NAN;
        if (torn_look())
            return false;
        if (!isfinite(loss)) {
            s->loss = loss;
            s->bad = first;
            return true;
        }
        s->loss += loss * batch.count;
        s->examples += batch.count;
        count_wrong(s, data, first, batch.count);
        if (stop && *stop)
            return false;
    }
    s->loss /= (double)s->examples;
    for (int k = 0; k < net.target_count; k++) {
        int positions = eval_positions(k);
        s->target[k] = positions ? 0 : NAN;
        for (int i = 0; i < positions; i++) {
            double *share = &s->position[k * s->positions + i];
            *share /= (double)s->examples;
            s->target[k] += *share / positions;
        }
        if (positions)
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
    if (culprit_find(text, ROOM, data, &batch, false) == CULPRIT_NONE)
        snprintf(text, ROOM, "%s/%s: the loss of examples %" PRId64 " to %" PRId64 " is %g", data->dir, data->split, s->bad, s->bad + batch.count - 1, s->loss);
    return text;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

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
    json_close(&w);
    json_newline(&w);
    json_end(&w);
    json_free(&w);
}

int command_eval(const Options *o)
{
    Data data;
    Score s;
    data_open(&data, o->data, o->split, true);
    open_net(o->threads);
    run_or_file_weights(o->run, o->weights, o->last, false);
    score_open(&s);
    if (!score_data(&s, &data, NULL))
        torn_fail("");
    if (s.bad >= 0)
        fail(WRONG_INPUT, "%s", score_trouble(&s, &data));
    if (o->json) {
        print_json(&s, o->split);
    } else {
        printf("%s: %" PRId64 " examples, loss %.6f\n", o->split, s.examples, s.loss);
        for (int k = 0; k < net.target_count; k++) {
            if (!eval_positions(k))
                continue;
            printf("%s: error %.4f %%, by position", net.targets[k].name, 100 * s.target[k]);
            for (int i = 0; i < eval_positions(k); i++)
                printf(" %.4f", 100 * s.position[k * s.positions + i]);
            printf("\n");
        }
    }
    score_close(&s);
    data_close(&data);
    net.close();
    return FINE;
}
