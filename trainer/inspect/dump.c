/* dump.c -- the command `dump`: any tensor of the net as an .npy and as a picture.
 *
 * Values and gradients are copied in a replay, right after an operator writes them, so tensors that the memory plan keeps for one phase
 * only can be dumped too.  Arrays are batch first, [N][T][...] for tensors of a repeat, as `grad` writes them.  With --example
 * or --step the array has no dimension of that name; of repeats in each other --step is that of the outermost. */
#include "files/text.h"
#include "inspect/inspect.h"
#include "inspect/tiles.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/outputs.h"
#include "run/run.h"
#include "run/settings.h"
#include "run/weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A tensor that a replay has shown. */
typedef struct {
    char name[ARRAY_NAME];
    const char *op;              /* the operator that wrote it last: a state's start has another operator than its steps */
    int rank, shape[NET_RANK], steps;   /* steps 0: made once */
    size_t slot;
    ptrdiff_t offset;            /* of its first slice in the activations */
    bool gradient;               /* its name is d_NAME */
} Seen;

typedef struct {
    Seen *list;
    int count, room;
    const Seen *wanted;          /* NULL: only look which there are */
    real *out;                   /* [examples][steps or 1][elements] */
    int examples;
} Catcher;

static int step_of(const Look *l, size_t slot)
{
    const int within = l->group < 0 && slot >= (size_t)net.groups ? (int)(slot / (size_t)net.groups) : -1;
    return l->step < 0 ? within : l->step + (within > 0 ? within : 0);
}

static Seen *seen_named(Catcher *c, const char *name)
{
    for (int i = 0; i < c->count; i++)
        if (!strcmp(c->list[i].name, name))
            return &c->list[i];
    return NULL;
}

static int catch_look(void *to, const Look *l)
{
    Catcher *c = to;
    if (!l->written || !l->slot)
        return 0;
    size_t slots = l->count / l->slot, lanes = (size_t)net.lanes, elements = l->slot / lanes;
    if (!c->wanted) {
        Seen *s = seen_named(c, l->tensor);
        if (!s) {
            if (c->count == c->room) {
                c->room = 2 * c->room + 64;
                Seen *more = realloc(c->list, (size_t)c->room * sizeof *more);
                if (!more)
                    fail(ENVIRONMENT, "no memory for the list of tensors");
                c->list = more;
            }
            s = &c->list[c->count++];
            *s = (Seen){ .op = "" };
            snprintf(s->name, sizeof s->name, "%s", l->tensor);
        }
        if (strcmp(s->op, l->op)) {
            s->op = l->op;
            s->rank = l->rank;
            memcpy(s->shape, l->shape, sizeof s->shape);
            s->slot = l->slot;
            s->steps = 0;
            s->offset = l->values - net.activations();
        }
        s->gradient = s->gradient || !strncmp(l->tensor, "d_", 2);
        int last = step_of(l, slots - 1) + 1;
        s->steps = last > s->steps ? last : s->steps;
        if (nest_of_tensor(l->tensor))
            s->steps = nest_steps(nest_of_tensor(l->tensor));
        return 0;
    }
    if (strcmp(l->tensor, c->wanted->name) || strcmp(l->op, c->wanted->op))
        return 0;
    size_t steps = c->wanted->steps ? (size_t)c->wanted->steps : 1;
    const NetNest *nest = nest_of_tensor(l->tensor);
    for (size_t i = 0; i < slots; i++) {
        size_t group = l->group >= 0 ? (size_t)l->group : i % (size_t)net.groups;
        size_t step = (l->step >= 0 ? (size_t)l->step : 0) + (l->group < 0 ? i / (size_t)net.groups : 0);
        step = nest ? nest_step(nest, step) : step;
        for (size_t lane = 0; lane < lanes && group * lanes + lane < (size_t)c->examples; lane++)
            for (size_t e = 0; e < elements; e++)
                c->out[((group * lanes + lane) * steps + step) * elements + e] = l->values[i * l->slot + e * lanes + lane];
    }
    return 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* As the C has it: front_conv1 for front.conv1. */
static const char *identifier(char out[ARRAY_NAME], const char *name)
{
    size_t i = 0;
    for (; name[i] && i + 1 < ARRAY_NAME; i++)
        out[i] = name[i] == '.' ? '_' : name[i];
    out[i] = 0;
    return out;
}

static const NetValue *value_named(const char *name)
{
    for (int i = 0; i < net.value_count; i++)
        if (!strcmp(net.values[i].name, name))
            return &net.values[i];
    return NULL;
}

/* The tensor that a name of the flow stands for: the last one that was written at its place in the forward pass,
 * to whose end it stays.  What backward writes there later has a name that begins with d_. */
static const Seen *seen_of_value(const Catcher *c, const NetValue *v)
{
    for (int i = c->count - 1; i >= 0; i--)
        if (!c->list[i].gradient && c->list[i].offset == (ptrdiff_t)v->offset)
            return &c->list[i];
    return NULL;
}

/* The gradient of the tensor `name`; if several operators read the tensor, the sum of their contributions. */
static const Seen *seen_gradient(Catcher *c, const char *name)
{
    static const char *const forms[] = { "d_%s_total", "d_%s" };
    for (int i = 0; i < 2; i++) {
        char d[ARRAY_NAME + 16];
        snprintf(d, sizeof d, forms[i], name);
        const Seen *s = seen_named(c, d);
        if (s && !value_named(d))
            return s;
    }
    const NetValue *v = value_named(name);
    const Seen *same = v ? seen_of_value(c, v) : NULL;
    return same && strcmp(same->name, name) ? seen_gradient(c, same->name) : NULL;
}

/* The parameter of that name, or the first of the layer of that name. */
static const NetParam *param_named(const char *name)
{
    size_t n = strlen(name);
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < net.param_count; k++) {
            const char *p = net.params[k].name;
            if (pass ? !strncmp(p, name, n) && p[n] == '.' && !strchr(p + n + 1, '.') : !strcmp(p, name))
                return &net.params[k];
        }
    return NULL;
}

static void print_row(const char *name, int steps, int rank, const int *shape, const char *note)
{
    char text[128] = "";
    size_t used = 0;
    if (steps)
        used += (size_t)snprintf(text, sizeof text, "%d steps of ", steps);
    for (int i = 0; i < rank && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%d", i ? "x" : "", shape[i]);
    printf("  %-32s %-24s %s\n", name, rank ? text : strcat(text, "1"), note);
}

/* What --layer may be. */
static void print_list(Catcher *c)
{
    printf("values (--what gradient: those marked; of outputs their kind)\n");
    for (int i = 0; i < net.value_count; i++) {
        const NetValue *v = &net.values[i];
        const char *kind = output_word(output_kind(i));
        char note[40];
        snprintf(note, sizeof note, "%s%s%s", seen_gradient(c, v->name) ? "gradient" : "", *kind && seen_gradient(c, v->name) ? ", " : "", kind);
        print_row(v->name, v->once ? 0 : v->steps, v->rank, v->shape, note);
    }
    for (int i = 0; i < c->count; i++) {
        const Seen *s = &c->list[i];
        if (!s->gradient && !value_named(s->name))
            print_row(s->name, s->steps, s->rank, s->shape, seen_gradient(c, s->name) ? "gradient" : "");
    }
    printf("\nparameters (--what weights, gradient)\n");
    for (int k = 0; k < net.param_count; k++)
        print_row(net.params[k].name, 0, net.params[k].rank, net.params[k].shape, "");
}

static _Noreturn void unknown(Catcher *c, const char *layer, const char *what)
{
    int most = net.value_count + net.param_count + c->count, count = 0;
    const char **names = need_memory((size_t)most * sizeof *names, "a list of names");
    bool weights = !strcmp(what, "weights"), gradient = !strcmp(what, "gradient");
    for (int i = 0; i < net.param_count; i++)
        names[count++] = net.params[i].name;
    for (int i = 0; i < net.value_count && !weights; i++)
        if (!gradient || seen_gradient(c, net.values[i].name))
            names[count++] = net.values[i].name;
    for (int i = 0; i < c->count && !weights; i++)
        if (gradient == c->list[i].gradient)
            names[count++] = c->list[i].name + (gradient ? 2 : 0);
    fail(WRONG_INPUT, "--layer %s: no %s of that name is kept%s; `%s dump` lists what there is", layer,
         weights ? "parameter" : gradient ? "gradient" : "tensor", nearest_text(" (did you mean ", layer, names, count, "?)"), net.name);
}

/* ---- the array ----------------------------------------------------------------------------------------------------- */

typedef struct { char name[ARRAY_NAME]; real *data; int rank; int64_t shape[ARRAY_RANK]; } Tensor;

static int64_t elements_of(const Tensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= t->shape[i];
    return n;
}

static void dimension(Tensor *t, int64_t n) { t->shape[t->rank++] = n; }

/* [N] and [T], or the steps of all repeats, in front of the shape of one example at one step; data is made. */
static void stacked(Tensor *t, int examples, int steps, const NetNest *nest, int rank, const int *shape)
{
    dimension(t, examples);
    if (steps && !nest)
        dimension(t, steps);
    for (int i = 0; nest && i < nest->kept; i++)
        dimension(t, nest->repeat[i]);
    for (int i = 0; i < rank; i++)
        dimension(t, shape[i]);
    t->data = need_memory((size_t)elements_of(t) * sizeof *t->data, t->name);
}

/* Keeps index `at` of dimension `axis` and drops the dimension. */
static void take(Tensor *t, int axis, int64_t at)
{
    int64_t before = 1, after = 1, n = t->shape[axis];
    for (int i = 0; i < axis; i++)
        before *= t->shape[i];
    for (int i = axis + 1; i < t->rank; i++)
        after *= t->shape[i];
    for (int64_t b = 0; b < before; b++)
        memmove(t->data + b * after, t->data + (b * n + at) * after, (size_t)after * sizeof *t->data);
    for (int i = axis; i + 1 < t->rank; i++)
        t->shape[i] = t->shape[i + 1];
    t->rank--;
}

static void take_param(Tensor *t, const NetParam *p, const real *block)
{
    snprintf(t->name, sizeof t->name, "%s", p->name);
    for (int i = 0; i < p->rank; i++)
        dimension(t, p->shape[i]);
    t->data = need_memory(p->count * sizeof *t->data, p->name);
    weights_export(t->data, block, p);
}

/* From the batch: the value or gradient called o->layer. */
static void take_value(Tensor *t, Catcher *c, const Options *o, const Batch *batch)
{
    char name[ARRAY_NAME];
    bool gradient = !strcmp(o->what, "gradient");
    const NetValue *v = gradient ? NULL : value_named(o->layer);
    int steps = 0;
    snprintf(t->name, sizeof t->name, "%s", o->layer);
    if (v) {
        const NetNest *nest = nest_of_value(v);
        const int each = nest ? v->steps / nest_steps(nest) : 1;         /* steps at which it is the same */
        steps = v->once ? 0 : v->steps / each;
        stacked(t, batch->count, steps, nest, v->rank, v->shape);
        real *at = t->data;
        for (int n = 0; n < batch->count; n++)
            for (int s = 0; s < (steps ? steps : 1); s++)
                for (size_t e = 0; e < v->count; e++)
                    *at++ = net.activations()[value_index(v, n, s * each, e)];
    } else {
        identifier(name, o->layer);
        const Seen *s = gradient ? seen_gradient(c, name) : seen_named(c, name);
        if (!s)
            unknown(c, o->layer, o->what);
        steps = s->steps;
        stacked(t, batch->count, steps, nest_of_tensor(s->name), s->rank, s->shape);
        memset(t->data, 0, (size_t)elements_of(t) * sizeof *t->data);
        c->wanted = s;
        c->out = t->data;
        c->examples = batch->count;
        net.replay(batch, catch_look, c);
    }
    if (o->step >= 0) {
        if (o->step >= (steps ? t->shape[1] : 0))
            fail(WRONG_INPUT, "--step %" PRId64 ": %s has %s", o->step, o->layer, steps ? "fewer steps" : "no steps: it is not made in a repeat");
        take(t, 1, o->step);
    }
    if (o->example >= 0)
        take(t, 0, 0);
}

/* ---- the files --------------------------------------------------------------------------------------------------------- */

static void write_files(const Tensor *t, const Options *o)
{
    ArrayError e;
    int64_t n = elements_of(t), odd = 0, zeros = 0;
    double low = INFINITY, high = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double v = (double)t->data[i];
        zeros += v == 0;
        if (!isfinite(v)) {
            odd++;
            continue;
        }
        low = fmin(low, v), high = fmax(high, v), sum += v;
    }
    Array a = array_view("", ARRAY_REAL, t->data, t->rank, t->shape);
    char shape[160], title[256 + ARRAY_NAME], *path = need_memory(strlen(o->out) + 8, "a path");
    array_shape_text(shape, sizeof shape, &a);
    int used = snprintf(title, sizeof title, "%s %s", t->name, strcmp(o->what, "value") ? o->what : "");
    snprintf(title + used, sizeof title - (size_t)used, "%s%s: %.4g to %.4g", used && title[used - 1] == ' ' ? "" : " ", shape, low, high);
    printf("%s, mean %.4g, %.1f %% zeros", title, sum / (double)(n - odd), 100 * (double)zeros / (double)n);
    printf(odd ? ", %" PRId64 " NaN or infinite\n" : "\n", odd);
    bool npy = text_ends(o->out, ".npy"), png = text_ends(o->out, ".png");
    if (!png) {
        sprintf(path, "%s%s", o->out, npy ? "" : ".npy");
        if (!array_write_npy(path, &a, &e))
            fail_array(&e);
        printf("%s\n", path);
    }
    if (!npy) {
        Picture picture;
        int64_t left;
        sprintf(path, "%s%s", o->out, png ? "" : ".png");
        if (!tiles_draw(&picture, &left, title, t->data, t->rank, t->shape))
            fail(ENVIRONMENT, "no memory for the picture");
        if (!picture_write(&picture, path, &e))
            fail_array(&e);
        printf(left ? "%s, without the last %" PRId64 " tiles\n" : "%s\n", path, left);
        picture_close(&picture);
    }
    free(path);
}

int command_dump(const Options *o)
{
    Data data = { 0 };
    Batch batch = { .train = !strcmp(o->mode, "train"), .seed = o->seed_given ? o->seed : 0, .epoch = (double)o->epoch };
    Catcher c = { 0 };
    Tensor t = { 0 };
    bool weights = !strcmp(o->what, "weights"), gradient = !strcmp(o->what, "gradient");
    if (o->layer && !o->out)
        fail(WRONG_USAGE, "dump needs -o OUT: OUT.npy and OUT.png are written");
    if (o->layer && (o->run != NULL) + (o->weights != NULL) + o->seed_given != 1)
        fail(WRONG_USAGE, "dump needs weights: one of --run DIR, --weights FILE and --seed N");
    if (o->layer && !o->data && !weights)
        fail(WRONG_USAGE, "dump needs --data DIR for a %s; --what weights does without", o->what);
    int64_t first = o->example >= 0 ? o->example : o->first;
    if (o->data && !weights) {
        data_open(&data, o->data, o->split, true);
        if (first >= data.examples)
            fail(WRONG_INPUT, "example %" PRId64 ": %s/%s has %" PRId64 " examples, 0 to %" PRId64, first, o->data, o->split, data.examples, data.examples - 1);
    }
    open_net(o->threads);
    if (o->run || o->weights)
        run_or_file_weights(o->run, o->weights, o->last, batch.train);
    else
        weights_init(net.weights(), o->seed_given ? o->seed : net.training->seed);
    NetTraining training;
    if (o->run && run_settings(&training, o->run)) {         /* dropout and augmentation as the run had them */
        settings_use(&training);
        batch.seed = training.seed;
    }
    const NetParam *param = o->layer && (weights || gradient) ? param_named(o->layer) : NULL;
    if (gradient && param && strcmp(param->name, o->layer))
        param = NULL;                           /* a layer's gradient is that of its result */
    if (weights) {
        if (!param)
            unknown(&c, o->layer ? o->layer : "", o->what);
        take_param(&t, param, net.weights());
    } else {
        if (!o->data)
            data_made_up(&data, 1, 1);
        data_batch(&batch, &data, NULL, first);
        batch.count = o->example >= 0 ? 1 : batch.count;
        net.replay(&batch, catch_look, &c);
        if (!o->layer) {
            print_list(&c);
        } else if (param) {
            net.forward(&batch, NULL);
            net.backward(&batch);
            take_param(&t, param, net.gradients());
        } else {
            net.forward(&batch, NULL);
            take_value(&t, &c, o, &batch);
        }
        data_close(&data);
    }
    if (o->layer)
        write_files(&t, o);
    free(t.data);
    free(c.list);
    net.close();
    return FINE;
}
