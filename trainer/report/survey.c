/* survey.c -- one pass over a split; keeps the results that a report and a comparison use.
 *
 * Reads the net's weights as they are.  Everything is counted example by example, so the answers do not depend on the
 * size of a batch. */
#include "report/survey.h"
#include "run/culprit.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/torn.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static void survey_open(Survey *s, const View *v, const Data *data)
{
    *s = (Survey){ .examples = data->examples, .slots = v->slots };
    s->counted = need_memory((size_t)v->slots * sizeof *s->counted, "a survey");
    s->wrong = need_memory((size_t)v->slots * sizeof *s->wrong, "a survey");
    s->confusion = need_memory((size_t)net.target_count * sizeof *s->confusion, "a survey");
    s->read = need_memory((size_t)data->examples * (size_t)v->slots * sizeof *s->read, "a survey");
    s->badness = need_memory((size_t)data->examples * sizeof *s->badness, "a survey");
    for (int k = 0; k < net.target_count; k++)
        if (eval_positions(k))
            s->confusion[k] = need_memory((size_t)net.targets[k].classes * (size_t)net.targets[k].classes * sizeof **s->confusion,
                                          "a survey");
}

void survey_free(Survey *s)
{
    for (int k = 0; k < net.target_count && s->confusion; k++)
        free(s->confusion[k]);
    free(s->confusion);
    free(s->counted);
    free(s->wrong);
    free(s->read);
    free(s->badness);
    *s = (Survey){ 0 };
}

static void count_labels(Survey *s, const Data *data, int64_t example, int n, double *probabilities)
{
    bool right = true, labelled = false;
    for (int k = 0, slot = 0; k < net.target_count; k++)
        for (int i = 0; i < eval_positions(k); i++, slot++) {
            int read = eval_label(NULL, k, n, i), label = data_label(data, k, example, i);
            s->read[example * s->slots + slot] = read;
            if (label < 0)                      /* ignored */
                continue;
            labelled = true;
            s->counted[slot]++;
            if (read >= 0)
                s->confusion[k][label * net.targets[k].classes + read]++;
            if (read == label)
                continue;
            right = false;
            s->wrong[slot]++;
            eval_probabilities(probabilities, k, n, i);
            double bad = -log(probabilities[label]);
            s->badness[example] = isnan(bad) ? INFINITY : fmax(s->badness[example], bad);
        }
    s->labelled += labelled;
    s->all_right += labelled && right;
}

static double drawing_error(const View *v, const Batch *batch, int n)
{
    const NetData *image = &net.inputs[v->input];
    const void *raw = batch->inputs[v->input][n];
    double sum = 0;
    for (size_t e = 0; e < image->count; e++) {
        double pixel = image->type == F32 ? (double)((const float *)raw)[e] : ((const uint8_t *)raw)[e] / 255.0;
        double difference = (double)net.activations()[value_index(&net.values[v->drawing], n, 0, e)] - pixel;
        sum += difference * difference;
    }
    return sum / (double)image->count;
}

void survey_run(Survey *s, const View *v, Data *data)
{
    int classes = 1;
    char text[8192];
    survey_open(s, v, data);
    for (int k = 0; k < net.target_count; k++)
        classes = net.targets[k].classes > classes ? net.targets[k].classes : classes;
    double *probabilities = need_memory((size_t)classes * sizeof *probabilities, "a survey");
    for (int64_t first = 0; first < data->examples; first += net.batch) {
        Batch batch = { 0 };
        data_batch(&batch, data, NULL, first);
        double loss = culprit_data_is_finite(text, sizeof text, data, &batch) ? net.forward(&batch, NULL) : (double)NAN;
        if (torn_look())
            torn_fail("");
        if (!isfinite(loss)) {
            culprit_find(text, sizeof text, data, &batch, false);
            fail(WRONG_INPUT, "%s/%s: the loss of examples %" PRId64 " to %" PRId64 " is %g.  %s", data->dir, data->split, first, first + batch.count - 1,
                 plain_number(loss), text);
        }
        s->loss += loss * batch.count;
        for (int n = 0; n < batch.count; n++) {
            count_labels(s, data, first + n, n, probabilities);
            if (v->drawing >= 0)
                s->badness[first + n] = drawing_error(v, &batch, n);
        }
    }
    s->loss /= (double)s->examples;
    free(probabilities);
}

int survey_worst(int64_t *worst, const Survey *s, int count)
{
    int found = 0;
    for (int64_t i = 0; i < s->examples; i++) {
        if (!(s->badness[i] > 0) || (found == count && s->badness[i] <= s->badness[worst[count - 1]]))
            continue;
        int at = found < count ? found++ : count - 1;
        for (; at > 0 && s->badness[worst[at - 1]] < s->badness[i]; at--)
            worst[at] = worst[at - 1];
        worst[at] = i;
    }
    return found;
}

void survey_shots(Shot *shots, const View *v, Data *data, const int64_t *examples, int count)
{
    uint32_t *order = need_memory((size_t)data->examples * sizeof *order, "examples to show");
    for (int i = 0; i < count; i++)
        order[i] = (uint32_t)examples[i];
    for (int first = 0; first < count; first += net.batch) {
        Batch batch = { 0 };
        data_batch(&batch, data, order, first);
        batch.count = batch.count < count - first ? batch.count : count - first;
        net.forward(&batch, NULL);
        for (int n = 0; n < batch.count; n++)
            shot_take(&shots[first + n], v, &batch, data, examples[first + n], n);
    }
    free(order);
}
