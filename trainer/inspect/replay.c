/* replay.c -- finds the operator that first made a NaN or an infinity, and keeps the batch so that it can be run again.
 *
 * The fast passes test only the loss and the norm of the gradient; both become NaN or infinite in the same step as anything
 * they depend on, and then the update does not change the weights.  So the step can be repeated: net.replay passes each operator's
 * tensors to a callback, and the first operator with a bad result is the cause. */
#include "inspect/replay.h"
#include "files/array_file.h"
#include "files/json.h"
#include "inspect/inspect.h"
#include "run/message.h"
#include "run/settings.h"
#include "run/weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READS = 40 };

typedef struct {
    char *text;
    size_t size, used;
    Look reads[READS];           /* of the operator that runs now */
    int read_count;
    bool written;                /* a result has been passed: the next read belongs to the next operator */
} Finder;

static void say(Finder *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(Finder *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(f->text + f->used, f->size - f->used, format, args);
    va_end(args);
    if (n > 0)
        f->used = f->used + (size_t)n < f->size ? f->used + (size_t)n : f->size - 1;
}

static void say_range(Finder *f, const char *name, const real *x, size_t n)
{
    double low = INFINITY, high = -INFINITY;
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            bad++;
            continue;
        }
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    say(f, "\n    read %s: %zu numbers", name, n);
    if (low <= high)
        say(f, " from %g to %g", low, high);
    if (bad)
        say(f, ", %zu NaN or infinite", bad);
}

/* The operator's own weights: parameters whose name is its name with dots ("front_conv1" has front.conv1.weight). */
static void say_weights(Finder *f, const char *op)
{
    for (int k = 0; k < net.param_count; k++) {
        const NetParam *p = &net.params[k];
        size_t i = 0;
        while (op[i] && (op[i] == p->name[i] || (op[i] == '_' && p->name[i] == '.')))
            i++;
        if (op[i] || p->name[i] != '.')
            continue;
        real *exported = malloc(p->count * sizeof *exported);
        if (!exported)
            return;
        weights_export(exported, net.weights(), p);
        say_range(f, p->name, exported, p->count);
        free(exported);
    }
}

static int see(void *to, const Look *look)
{
    Finder *f = to;
    if (!look->written) {
        if (f->written)
            f->read_count = 0;
        f->written = false;
        if (f->read_count < READS)
            f->reads[f->read_count++] = *look;
        return 0;
    }
    if (f->written && f->read_count && strcmp(f->reads[0].op, look->op) != 0)
        f->read_count = 0;
    f->written = true;
    for (size_t i = 0; i < look->count; i++) {
        if (isfinite(look->values[i]))
            continue;
        say(f, "%s:%d: %s (%s", net.source, look->yaml_line, look->op, look->pass);
        if (look->step >= 0)
            say(f, ", step %d", look->step);
        say(f, ") made the first bad number: %s", look->tensor);
        if (look->slot) {
            size_t lanes = (size_t)net.lanes, slot = i / look->slot, in = i % look->slot;
            size_t group = look->group >= 0 ? (size_t)look->group : slot % (size_t)net.groups;
            if (look->step < 0 && look->group < 0 && look->count > look->slot * (size_t)net.groups)
                say(f, ", step %zu", slot / (size_t)net.groups);
            say(f, ", example %zu of the batch, element %zu", group * lanes + in % lanes, in / lanes);
        } else {
            say(f, ", element %zu", i);
        }
        say(f, ", is %s", isnan(look->values[i]) ? "NaN" : look->values[i] > 0 ? "infinite" : "minus infinite");
        for (int k = 0; k < f->read_count; k++)
            if (f->reads[k].values == look->values)
                say(f, "\n    read %s, whose place the result has taken", f->reads[k].tensor);
            else
                say_range(f, f->reads[k].tensor, f->reads[k].values, f->reads[k].count);
        say_weights(f, look->op);
        return 1;
    }
    return 0;
}

bool replay_find(char *text, size_t size, const Batch *batch)
{
    Finder f = { .text = text, .size = size };
    *text = 0;
    for (int k = 0; k < net.param_count; k++) {
        const NetParam *p = &net.params[k];
        const real *block = net.weights();
        for (size_t i = 0; i < p->count; i++)
            if (!isfinite(block[weights_index(p, i)])) {
                say(&f, "%s:%d: the parameter %s, element %zu, is %g before the step begins", net.source, p->yaml_line, p->name, i,
                    (double)block[weights_index(p, i)]);
                return true;
            }
    }
    return net.replay && net.replay(batch, see, &f);
}

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
    int all = net.param_count + net.input_count + net.target_count;
    Array *arrays = calloc((size_t)all, sizeof *arrays);
    real *exported = malloc(weights_count() * sizeof *exported);
    bool good = arrays && exported;
    if (good)
        weights_arrays(arrays, exported, net.weights(), "weights/");
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
        Array *a = &arrays[net.param_count + i];
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
    for (int i = net.param_count; arrays && i < all; i++)
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
    if (!array_read_npz(&list, path, (size_t)1 << 36, &e))
        fail_array(&e);
    open_net(o->threads);
    weights_from_arrays(net.weights(), list.items, list.count, "weights/", path);
    int all = net.input_count + net.target_count;
    const void **rows = need_memory((size_t)all * (size_t)net.batch * sizeof *rows, "the batch");
    const void *const **lists = need_memory((size_t)all * sizeof *lists, "the batch");
    Batch batch = { 0 };
    for (int i = 0; i < all; i++) {
        const NetData *d = data_of(i);
        const Array *a = find(&list, i < net.input_count ? "input" : "target", d->name);
        int64_t count = a && a->rank ? a->shape[0] : 0;
        if (!a || count < 1 || count > net.batch || (batch.count && count != batch.count) || a->bytes != (size_t)count * d->count * element_bytes(d))
            fail(WRONG_INPUT, "%s: '%s' is missing or does not fit this model; expected 1 to %d examples of %zu elements", path, d->name, net.batch, d->count);
        if (d->type == LABELS)
            for (size_t k = 0; k < a->bytes / 4; k++)
                if (((const int32_t *)a->data)[k] < 0 || ((const int32_t *)a->data)[k] >= d->classes)
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
    bool found = replay_find(text, sizeof text, &batch);
    printf("%s\n", found ? text : "every number of this batch is finite, forward and backward");
    json_parse_free(&facts);
    free(rows);
    free(lists);
    array_list_free(&list);
    net.close();
    return found ? WRONG_INPUT : FINE;
}
