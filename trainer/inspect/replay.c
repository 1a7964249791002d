/* replay.c -- keeps a batch that went wrong with its weights, and runs it again (run/culprit.h finds the operator). */
#include "inspect/replay.h"
#include "files/array_file.h"
#include "files/json.h"
#include "inspect/inspect.h"
#include "run/culprit.h"
#include "run/message.h"
#include "run/settings.h"
#include "run/weights.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the dump ------------------------------------------------------------------------------------------------------ */

static const NetData *data_of(int i) { return i < net.input_count ? &net.inputs[i] : &net.targets[i - net.input_count]; }

static const NetAugment *augment_of(int input)
{
    for (int k = 0; k < net.augment_count; k++)
        if (net.augments[k].input == input)
            return &net.augments[k];
    return NULL;
}

static size_t element_bytes(const NetData *d) { return d->type == U8_OVER_255 ? 1 : 4; }

/* The other inputs of the step.  64-bit numbers are texts, because many JSON parsers do not keep all their digits. */
static void write_facts(JsonWriter *w, const Batch *batch)
{
    char text[32];
    json_begin(w, NULL);
    json_object(w, NULL);
    json_string(w, "model", net.name);
    json_string(w, "model_hash", net.hash);
    json_string(w, "signature", net.signature);
    snprintf(text, sizeof text, "%" PRIu64, batch->seed);
    json_string(w, "seed", text);
    snprintf(text, sizeof text, "%" PRIu64, batch->step);
    json_string(w, "step", text);
    snprintf(text, sizeof text, "%.0f", batch->epoch);
    json_string(w, "epoch", text);
    json_string(w, "mode", batch->train ? "train" : "eval");
    json_object(w, "dropout");
    for (int k = 0; k < net.rate_count; k++)
        json_double(w, net.rates[k].name, net.rates[k].rate ? *net.rates[k].rate : 0);
    json_close(w);
    json_close(w);
}

void replay_dump(const char *path, const Batch *batch)
{
    const int first = net.param_count + net.buffer_count, all = first + net.input_count + net.target_count;
    Array *arrays = calloc((size_t)all, sizeof *arrays);
    real *exported = malloc((weights_count() + buffers_count()) * sizeof *exported);
    bool good = arrays && exported;
    if (good) {
        weights_arrays(arrays, exported, net.weights(), "weights/");
        buffers_arrays(arrays + net.param_count, exported + weights_count(), "buffers/");
    }
    for (int i = 0; good && i < net.input_count + net.target_count; i++) {
        const NetData *d = data_of(i);
        const void *const *rows = i < net.input_count ? batch->inputs[i] : batch->targets[i - net.input_count];
        size_t bytes = d->count * element_bytes(d);
        char *data = malloc(bytes * (size_t)batch->count);
        if (!(good = data != NULL))
            break;
        const NetAugment *augment = batch->train && batch->all && i < net.input_count ? augment_of(i) : NULL;
        for (int n = 0; n < batch->count; n++)
            if (augment)                        /* the batch as the step read it: replay has no split */
                augment->one(data + (size_t)n * bytes, batch, n);
            else
                memcpy(data + (size_t)n * bytes, rows[n], bytes);
        Array *a = &arrays[first + i];
        snprintf(a->name, sizeof a->name, "%s/%s", i < net.input_count ? "input" : "target", d->name);
        a->type = d->type == U8_OVER_255 ? ARRAY_U1 : d->type == LABELS ? ARRAY_I4 : ARRAY_F4;
        a->rank = 1 + d->rank;
        a->shape[0] = batch->count;
        for (int k = 0; k < d->rank; k++)
            a->shape[k + 1] = d->shape[k];
        a->data = data;
        a->bytes = bytes * (size_t)batch->count;
    }
    JsonWriter facts;
    write_facts(&facts, batch);
    ArrayError e = { .text = "memory is out" };
    if (json_end(&facts) && good && array_write_npz(path, arrays, all, facts.text, &e))
        fprintf(stderr, "%s: the batch and the weights are kept in %s; `%s replay` runs them again\n", net.name, path, net.name);
    else
        fprintf(stderr, "%s: the batch could not be kept: %s\n", net.name, e.text);
    for (int i = first; arrays && i < all; i++)
        free(arrays[i].data);
    json_free(&facts);
    free(exported);
    free(arrays);
}

static const Array *find(const ArrayList *list, const char *group, const char *name)
{
    char key[160];
    snprintf(key, sizeof key, "%s/%s", group, name);
    return array_find(list, key);
}

/* The arrays that command_replay reads: the weights, and a batch that fits the model. */
static bool is_of_batch(const Array *a, const void *nothing)
{
    char key[160];
    (void)nothing;
    for (int i = 0; i < net.input_count + net.target_count; i++) {
        const NetData *d = data_of(i);
        snprintf(key, sizeof key, "%s/%s", i < net.input_count ? "input" : "target", d->name);
        if (!strcmp(a->name, key))
            return a->bytes <= (size_t)net.batch * d->count * element_bytes(d);
    }
    return weights_wanted(a, "weights/") || weights_wanted(a, "buffers/");
}

static uint64_t fact(const Json *facts, const char *key)
{
    const JsonValue *v = json_get(facts->root, key);
    return v && v->kind == JSON_STRING ? strtoull(v->string, NULL, 10) : 0;
}

/* `NAME replay FILE.npz`: exit 1, with the place, if the batch still goes wrong; 0 if all its numbers are finite. */
int command_replay(const Options *o)
{
    const char *path = o->operand_count ? o->operands[0] : NULL;
    if (!path || o->operand_count > 1)
        fail(WRONG_USAGE, "replay takes one file, the .npz that train left when a number went wrong");
    ArrayError e;
    ArrayList list;
    if (!array_read_npz(&list, path, is_of_batch, NULL, (size_t)1 << 36, &e))
        fail_array(&e);
    open_net(o->threads);
    weights_from_arrays(net.weights(), list.items, list.count, "weights/", path);
    buffers_from_arrays(list.items, list.count, "buffers/", path);
    int all = net.input_count + net.target_count;
    const void **rows = need_memory((size_t)all * (size_t)net.batch * sizeof *rows, "the batch");
    const void *const **lists = need_memory((size_t)all * sizeof *lists, "the batch");
    Batch batch = { 0 };
    for (int i = 0; i < all; i++) {
        const NetData *d = data_of(i);
        const Array *a = find(&list, i < net.input_count ? "input" : "target", d->name);
        int64_t count = a && a->rank ? a->shape[0] : 0;
        if (!a || !a->data || count < 1 || count > net.batch || (batch.count && count != batch.count) || a->bytes != (size_t)count * d->count * element_bytes(d))
            fail(WRONG_INPUT, "%s: '%s' is missing or does not fit this model; expected 1 to %d examples of %zu elements", path, d->name, net.batch, d->count);
        if (d->type == LABELS)
            for (size_t k = 0; k < a->bytes / 4; k++)
                if ((((const int32_t *)a->data)[k] < 0 || ((const int32_t *)a->data)[k] >= d->classes)
                    && (i < net.input_count || !data_ignores(i - net.input_count, ((const int32_t *)a->data)[k])))
                    fail(WRONG_INPUT, "%s: a label of '%s' is outside 0 to %d", path, d->name, d->classes - 1);
        batch.count = (int)count;
        for (int n = 0; n < batch.count; n++)
            rows[(size_t)i * (size_t)net.batch + (size_t)n] = (const char *)a->data + (size_t)n * d->count * element_bytes(d);
        lists[i] = rows + (size_t)i * (size_t)net.batch;
    }
    batch.inputs = lists;
    batch.targets = lists + net.input_count;
    Json facts;
    char why[256];
    if (!list.comment || !json_parse(&facts, list.comment, strlen(list.comment), 4096, why, sizeof why))
        fail(WRONG_INPUT, "%s: this is not a file that train left: its zip comment says nothing of seed and step", path);
    const JsonValue *mode = json_get(facts.root, "mode");
    NetTraining training = *net.training;
    if (!settings_read(&training, facts.root, why, sizeof why))
        fail(WRONG_INPUT, "%s: its zip comment: %s", path, why);
    settings_use(&training);
    batch.train = !mode || mode->kind != JSON_STRING || strcmp(mode->string, "eval");
    batch.epoch = (double)fact(&facts, "epoch");
    batch.seed = fact(&facts, "seed");
    batch.step = fact(&facts, "step");
    char text[8192];
    bool found = culprit_find(text, sizeof text, NULL, &batch, true) != CULPRIT_NONE;
    printf("%s\n", found ? text : "every number of this batch is finite, forward and backward");
    json_parse_free(&facts);
    free(rows);
    free(lists);
    array_list_free(&list);
    net.close();
    return found ? WRONG_INPUT : FINE;
}
