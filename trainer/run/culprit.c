/* culprit.c -- finds the first number of a batch that is NaN or infinite.
 *
 * The fast passes test only the loss and the norm of the gradient; both become NaN or infinite in the same step as anything
 * they depend on, and then the update does not change the weights.  So the step can be repeated: net.replay passes each operator's
 * tensors to a callback, and the first operator with a bad result is the cause, unless it read a bad example. */
#include "run/culprit.h"
#include "ranks.h"
#include "run/nest.h"
#include "run/place.h"
#include "run/weights.h"

#include <float.h>
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
    bool backward, found;
    int examples;                /* of the batch: what the other lanes hold counts for nothing */
    const Data *data;            /* or NULL: a batch that was kept, whose files are not known */
    const Batch *batch;
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

static bool is_target(const char *name)
{
    for (int k = 0; k < net.target_count; k++)
        if (!strcmp(net.targets[k].name, name))
            return true;
    return false;
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
    say(f, "\n    read %s%s: %zu numbers", is_target(name) ? "the target " : "", name, n);
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

/* Which example of the batch number i of a tensor belongs to; -1: none. */
static int example_of(const Look *look, size_t i)
{
    if (!look->slot)
        return -1;
    size_t slot = i / look->slot, group = look->group >= 0 ? (size_t)look->group : slot % (size_t)net.groups;
    return (int)(group * (size_t)net.lanes + i % look->slot % (size_t)net.lanes);
}

/* The step that lies at this place in the tensor's memory; of repeats in each other that of each, by its name in the C, the outermost first. */
static void say_step(Finder *f, const char *tensor, size_t place)
{
    const NetNest *nest = nest_of_tensor(tensor);
    if (!nest) {
        say(f, ", step %zu", place);
        return;
    }
    for (int k = 0; k < nest->kept; k++) {
        const size_t step = place % (size_t)nest->repeat[k];
        if (k)
            say(f, ", t%d = %zu", k + 1, step);
        else
            say(f, ", step t = %zu", step);
        place /= (size_t)nest->repeat[k];
    }
}

static void say_place(Finder *f, const Look *look, size_t i)
{
    const bool steps = look->slot && look->group < 0 && look->count > look->slot * (size_t)net.groups;      /* there are several at once */
    const size_t within = steps ? i / look->slot / (size_t)net.groups : 0;
    say(f, "%s:%d: %s (%s", place_file(look->yaml_line), place_line(look->yaml_line), look->op, look->pass);
    if (look->step >= 0)
        say_step(f, look->tensor, (size_t)look->step + within);
    say(f, ") made the first bad number: %s", look->tensor);
    if (look->slot) {
        if (look->step < 0 && steps)
            say_step(f, look->tensor, within);
        const int example = example_of(look, i);
        say(f, ", example %d of the batch", example);
        if (f->data && f->data->dir && *f->data->dir && example < f->examples)
            say(f, " (%u of %s/%s)", f->batch->which[example], f->data->dir, f->data->split);
        say(f, ", element %zu", i % look->slot / (size_t)net.lanes);
    } else {
        say(f, ", element %zu", i);
    }
    say(f, ", is %s", isnan(look->values[i]) ? "NaN" : look->values[i] > 0 ? "infinite" : "minus infinite");
}

static int see(void *to, const Look *look)
{
    Finder *f = to;
    if (!f->backward && !strcmp(look->pass, "backward"))
        return 1;
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
        if (isfinite(look->values[i]) || example_of(look, i) >= f->examples)
            continue;
        f->found = true;
        say_place(f, look, i);
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

/* ---- examples ------------------------------------------------------------------------------------------------------------ */

/* Written so that it becomes vectors: every batch of a training goes through it. */
static bool floats_are_finite(const float *x, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bad |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    return !bad;
}

static const char *word_of(double v) { return isnan(v) ? "NaN" : v > 0 ? "infinite" : "minus infinite"; }

bool culprit_data_is_finite(char *text, size_t size, const Data *d, const Batch *batch)
{
    char place[4400], element[120];
    const int from = ranks_from(net.groups) * net.lanes, end = ranks_to(net.groups) * net.lanes;
    for (int f = 0; f < net.input_count + net.target_count; f++) {
        bool input = f < net.input_count;
        const NetData *s = input ? &net.inputs[f] : &net.targets[f - net.input_count];
        for (int n = from; n < end && n < batch->count && s->type == F32; n++) {
            const float *x = input ? batch->inputs[f][n] : batch->targets[f - net.input_count][n];
            if (floats_are_finite(x, s->count))
                continue;
            size_t i = 0;
            while (isfinite(x[i]))
                i++;
            if (d)
                data_place(place, sizeof place, d, f, batch->which[n]);
            else
                snprintf(place, sizeof place, "'%s', example %d of the batch", s->name, n);
            if (text)
                snprintf(text, size, "%s, element %s, is %s", place, data_element(element, sizeof element, s, i), word_of((double)x[i]));
            return false;
        }
    }
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------------- */

static bool find_weight(Finder *f)
{
    const real *block = net.weights();
    for (int k = 0; k < net.param_count; k++) {
        const NetParam *p = &net.params[k];
        for (size_t i = 0; i < p->count; i++)
            if (!isfinite(block[weights_index(p, i)])) {
                say(f, "%s:%d: the parameter %s, element %zu, is %s before the step begins", place_file(p->yaml_line), place_line(p->yaml_line), p->name, i,
                    word_of((double)block[weights_index(p, i)]));
                return true;
            }
    }
    return false;
}

/* All gradients are finite, but not the sum of their squares, which the norm adds row by row in the build's precision. */
static bool find_large_gradient(Finder *f)
{
    const real *block = net.gradients();
    const double most = sizeof(real) == sizeof(float) ? sqrt(FLT_MAX) : sqrt(DBL_MAX);
    const NetParam *largest = NULL;
    size_t at = 0;
    double size = 0;
    for (int k = 0; k < net.param_count; k++)
        for (size_t i = 0; i < net.params[k].count; i++) {
            double v = fabs((double)block[weights_index(&net.params[k], i)]);
            if (v > size)
                size = v, largest = &net.params[k], at = i;
        }
    if (!largest || size < most / 1e6)
        return false;
    say(f, "%s:%d: the gradient of %s, element %zu, is %g, the largest of all: its square, or the sum of the squares, is too large for a %s",
        place_file(largest->yaml_line), place_line(largest->yaml_line), largest->name, at, (double)block[weights_index(largest, at)], net.precision);
    return true;
}

Culprit culprit_find(char *text, size_t size, const Data *d, const Batch *batch, bool backward)
{
    Finder f = { .text = text, .size = size, .backward = backward, .examples = batch->count, .data = d, .batch = batch };
    *text = 0;
    if (!culprit_data_is_finite(text, size, d, batch))
        return CULPRIT_DATA;
    if (find_weight(&f))
        return CULPRIT_WEIGHT;
    if (net.replay)
        net.replay(batch, see, &f);
    if (f.found)
        return CULPRIT_OPERATOR;
    return backward && net.replay && find_large_gradient(&f) ? CULPRIT_NORM : CULPRIT_NONE;
}
