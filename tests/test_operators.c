/* test_operators.c -- the emitted C against the reference: values and all gradients of random models, both forms, in double.
 *
 * A test makes a few models around one operator (random_net.h), has spnc write each in both forms, compiles them to shared objects and
 * calls the forward and backward pass of their struct Net: whole and partial batches, one and several threads, with and without
 * dropout.  SPN_SEED=n tries other models; a failure prints its seed and its model. */
#define _GNU_SOURCE
#include "random_net.h"
#include "net.h"
#include "temporary.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The build defines their paths. */
static const char spnc[] = SPNC, compiler[] = TEST_CC;

enum { MODELS = 5 };
static const int batches[MODELS] = { 17, 7, 33, 1, 16 };

typedef struct {
    const Model *model;
    const Net *net;
    const char *form;
    Batch batch;
    double *parameters[256];   /* in net->params' order, exported */
    int nodes[256];            /* of the reference's run */
    double *values;            /* the program's activations after forward */
} Trial;

/* ---- failures -------------------------------------------------------------------------------------------------------- */

#define FAIL(t, ...) fail((t), __LINE__, __VA_ARGS__)
static _Noreturn void fail(const Trial *t, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
static _Noreturn void fail(const Trial *t, int line, const char *format, ...)
{
    char said[512];
    va_list list;
    va_start(list, format);
    vsnprintf(said, sizeof said, format, list);
    va_end(list);
    char *yaml = NULL;
    size_t size;
    FILE *out = open_memstream(&yaml, &size);
    model_yaml(t->model, out);
    fclose(out);
    fprintf(stderr, "# seed %llu, %s form, %d examples of %d, %s mode: %s\n%s", (unsigned long long)t->model->seed, t->form,
            t->batch.count, t->model->batch, t->batch.train ? "train" : "eval", said, yaml);
    cr_fatal("line %d: seed %llu, %s form, %d examples: %s", line, (unsigned long long)t->model->seed, t->form, t->batch.count, said);
    abort();
}

static void command(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void command(const char *format, ...)
{
    char line[4096];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    cr_assert(system(line) == 0, "failed: %s", line);
}

/* ---- the program's side ------------------------------------------------------------------------------------------------ */

/* Exported element i of a parameter in its block. */
static size_t place(const NetParam *p, size_t i)
{
    size_t in = p->count / (size_t)p->shape[0];
    return p->offset + (p->layout == IN_OUT ? i % in * (size_t)p->stride + i / in : i);
}

static double value_at(const Trial *t, const NetValue *v, int n, int step, size_t e)
{
    size_t group = (size_t)((v->once ? 0 : step) * t->net->groups + n / t->net->lanes);
    return t->values[v->offset + group * v->slot + e * (size_t)t->net->lanes + (size_t)(n % t->net->lanes)];
}

static const NetValue *value_named(const Trial *t, const char *name)
{
    for (int i = 0; i < t->net->value_count; i++)
        if (!strcmp(t->net->values[i].name, name))
            return &t->net->values[i];
    FAIL(t, "the program has no value %s", name);
}

static void set_parameters(Trial *t, uint64_t *random)
{
    for (int k = 0; k < t->net->param_count; k++) {
        const NetParam *p = &t->net->params[k];
        double fan_in = p->rank > 1 ? (double)p->count / p->shape[0] : 4;
        double *w = t->parameters[k] = malloc(p->count * sizeof *w);
        for (size_t i = 0; i < p->count; i++) {
            w[i] = uniform(random) * (p->init == INIT_IDENTITY_AFFINE ? 0.5 : 1.5 / sqrt(fan_in));
            if (p->init == INIT_IDENTITY_AFFINE && p->rank == 1 && i % 4 == 0)
                w[i] += 0.9;
            t->net->weights()[place(p, i)] = w[i];
        }
    }
}

/* Running statistics, as if some training had moved them. */
static void set_buffers(Trial *t, uint64_t *random)
{
    for (int k = 0; k < t->net->buffer_count; k++) {
        const NetParam *p = &t->net->buffers[k];
        for (size_t i = 0; i < p->count; i++)
            t->net->running()[place(p, i)] = p->init_value + 0.5 * uniform(random);
    }
}

/* ---- the reference's side ---------------------------------------------------------------------------------------------- */

static int find_parameter(Run *r, const char *name, Dims d)
{
    Trial *t = r->context;
    for (int k = 0; k < t->net->param_count; k++) {
        const NetParam *p = &t->net->params[k];
        if (strcmp(p->name, name))
            continue;
        if (p->rank != d.rank || memcmp(p->shape, d.dim, (size_t)d.rank * sizeof(int)))
            FAIL(t, "%s has another shape", name);
        if (t->nodes[k] < 0)
            t->nodes[k] = tape_leaf(&r->tape, d, true, t->parameters[k]);
        return t->nodes[k];
    }
    FAIL(t, "the program has no parameter %s", name);
}

static int find_running(Run *r, const char *prefix, Dims d, const char *what)
{
    Trial *t = r->context;
    char name[80];
    snprintf(name, sizeof name, "%s.%s", prefix, what);
    for (int k = 0; k < t->net->buffer_count; k++) {
        const NetParam *p = &t->net->buffers[k];
        if (!strcmp(p->name, name) && p->rank == d.rank && p->shape[0] == d.dim[0])
            return t->batch.train ? -1 : tape_leaf(&r->tape, d, true, t->net->running() + p->offset);
    }
    FAIL(t, "the program has no buffer %s", name);
}

/* Dropout's factors, read from the program's result: any units may be dropped, but each unit must be dropped or scaled. */
static int find_mask(Run *r, int k, int step)
{
    Trial *t = r->context;
    const Value *v = &t->model->values[k];
    double rate = v->ramp ? v->rate * fmin(1, t->batch.epoch / v->ramp) : v->rate;
    const NetValue *value = value_named(t, v->name);
    if (!t->batch.train)
        return -1;
    double *factors = malloc(value->count * (size_t)t->batch.count * sizeof *factors);
    size_t run = v->channels && v->dims.rank ? value->count / (size_t)v->dims.dim[0] : 1;      /* elements that share a draw */
    int all = (int)(value->count / run) * t->batch.count, gone = 0, nothing = 0;
    const Node *x = &r->tape.nodes[r->node[v->in[0]][t->model->values[v->in[0]].inside ? step : 0]];
    for (int n = 0; n < t->batch.count; n++)
        for (size_t begin = 0; begin < value->count; begin += run) {
            size_t there = 0, dropped = 0;
            for (size_t e = begin; e < begin + run; e++)
                if (x->v[(size_t)n * value->count + e] != 0)
                    there++, dropped += value_at(t, value, n, step, e) == 0;
            if (dropped && dropped < there)
                FAIL(t, "%s at step %d, example %d: %zu of %zu elements of one channel are dropped", v->name, step, n, dropped, there);
            for (size_t e = begin; e < begin + run; e++)
                factors[(size_t)n * value->count + e] = dropped ? 0 : 1 / (1 - rate);
            gone += dropped > 0, nothing += !there;
        }
    all -= nothing;
    if (fabs(gone - rate * all) > 6 * sqrt(rate * (1 - rate) * all) + 1)
        FAIL(t, "%s at step %d: %d of %d are dropped at rate %g", v->name, step, gone, all, rate);
    int node = tape_leaf(&r->tape, v->dims, false, factors);
    free(factors);
    return node;
}

/* ---- comparison ------------------------------------------------------------------------------------------------------- */

/* Equal but for rounding: relative to the largest number of the array. */
static bool near(double got, double expected, double largest) { return fabs(got - expected) <= 1e-9 * largest + 1e-13; }

static double largest_of(const double *v, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(v[i]));
    return most;
}

static void compare_values(const Trial *t, const Run *r)
{
    for (int k = 0; k < t->model->count; k++) {
        const Value *v = &t->model->values[k];
        if (v->kind == INPUT || v->kind == STATE)
            continue;
        const NetValue *got = value_named(t, v->name);
        if ((got->steps ? got->steps : 1) != (v->inside ? t->model->steps : 1) || (int)got->count != dims_size(v->dims))
            FAIL(t, "%s has another shape", v->name);
        for (int step = 0; step < (v->inside ? t->model->steps : 1); step++) {
            const Node *x = &r->tape.nodes[r->node[k][step]];
            double most = largest_of(x->v, (size_t)x->size * (size_t)t->batch.count);
            for (int n = 0; n < t->batch.count; n++)
                for (int e = 0; e < x->size; e++) {
                    double a = value_at(t, got, n, step, (size_t)e), b = x->v[(x->shared ? 0 : n * x->size) + e];
                    if (!near(a, b, most))
                        FAIL(t, "value %s, step %d, example %d, element %d: %.17g, not %.17g", v->name, step, n, e, a, b);
                }
        }
    }
}

static void compare_gradients(const Trial *t, const Run *r)
{
    for (int k = 0; k < t->net->param_count; k++) {
        const NetParam *p = &t->net->params[k];
        if (t->nodes[k] < 0)
            FAIL(t, "the program has a parameter %s", p->name);
        const double *g = r->tape.nodes[t->nodes[k]].g;
        double most = largest_of(g, p->count);
        for (size_t i = 0; i < p->count; i++) {
            double a = t->net->gradients()[place(p, i)];
            if (!near(a, g[i], most))
                FAIL(t, "gradient of %s, element %zu: %.17g, not %.17g", p->name, i, a, g[i]);
        }
    }
}

/* ---- one program -------------------------------------------------------------------------------------------------------- */

typedef struct {
    double *inputs[3];         /* as the reference takes them */
    void *raw[3];              /* as the program does: u8 or f32 */
    double *wanted[LOSSES];
    float *floats[LOSSES];
    int32_t *labels[LOSSES];
} Examples;

static void make_examples(Examples *x, const Model *m, uint64_t *random)
{
    *x = (Examples){ 0 };
    for (int k = 0; k < 3; k++) {
        size_t count = (size_t)dims_size(m->values[k].dims) * (size_t)m->batch;
        x->inputs[k] = malloc(count * sizeof(double));
        uint8_t *bytes = x->raw[k] = malloc(count * sizeof(float));
        for (size_t i = 0; i < count; i++)
            if (m->values[k].u8)
                x->inputs[k][i] = (bytes[i] = (uint8_t)(below(random, 3) ? below(random, 256) : 0)) / 255.0;
            else
                x->inputs[k][i] = ((float *)x->raw[k])[i] = (float)uniform(random);
    }
    for (int i = 0; i < m->loss_count; i++) {
        const Loss *l = &m->losses[i];
        size_t count = (size_t)dims_size(stacked_dims(m, l->value)) * (size_t)m->batch;
        x->wanted[i] = malloc(count * sizeof(double)), x->floats[i] = malloc(count * sizeof(float)), x->labels[i] = malloc(count * sizeof(int32_t));
        for (size_t e = 0; e < count; e++) {
            x->wanted[i][e] = x->floats[i][e] = (float)uniform(random);
            x->labels[i][e] = l->mse ? 0 : below(random, l->classes);
        }
    }
}

static void free_examples(Examples *x)
{
    for (int k = 0; k < 3; k++)
        free(x->inputs[k]), free(x->raw[k]);
    for (int i = 0; i < LOSSES; i++)
        free(x->wanted[i]), free(x->floats[i]), free(x->labels[i]);
}

/* Pointers to the examples as the program's lists of inputs and targets order them; none beyond `count`. */
static void point(Trial *t, const Examples *x, const void **pointers, const void *const **inputs, const void *const **targets)
{
    const Model *m = t->model;
    for (int i = 0; i < t->net->input_count + t->net->target_count; i++) {
        bool input = i < t->net->input_count;
        const NetData *d = input ? &t->net->inputs[i] : &t->net->targets[i - t->net->input_count];
        const void **list = pointers + (size_t)i * (size_t)m->batch;
        const char *base = NULL;
        size_t size = d->type == U8_OVER_255 ? 1 : 4;
        for (int k = 0; input && k < 3; k++)
            if (!strcmp(m->values[k].name, d->name))
                base = x->raw[k];
        if (!input)
            base = d->type == LABELS ? (const char *)x->labels[atoi(d->name + 1)] : (const char *)x->floats[atoi(d->name + 1)];
        for (int n = 0; n < m->batch; n++)
            list[n] = n < t->batch.count ? base + (size_t)n * d->count * size : NULL;
        *(input ? &inputs[i] : &targets[i - t->net->input_count]) = list;
    }
    t->batch.inputs = inputs, t->batch.targets = targets;
}

/* Forward, backward, and the reference's; the program's values and gradients are left in place. */
static void compare(Trial *t, const Examples *x, int count, bool train)
{
    const void *pointers[(3 + LOSSES) * 33];
    const void *const *inputs[3], *const *targets[LOSSES];
    t->batch = (Batch){ .count = count, .train = train, .seed = t->model->seed, .step = 3, .epoch = 2.5 };
    point(t, x, pointers, inputs, targets);
    double loss = t->net->forward(&t->batch, NULL);
    memcpy(t->values, t->net->activations(), t->net->activation_reals * sizeof(double));
    t->net->backward(&t->batch);

    Run r = { .parameter = find_parameter, .running = find_running, .mask = find_mask, .context = t };
    for (int k = 0; k < 3; k++)
        r.inputs[k] = x->inputs[k];
    for (int i = 0; i < t->model->loss_count; i++)
        r.targets[i] = t->model->losses[i].mse ? (const void *)x->wanted[i] : x->labels[i];
    memset(t->nodes, -1, sizeof t->nodes);
    model_run(t->model, &r, count);
    tape_backward(&r.tape, r.loss);
    compare_values(t, &r);
    double expected = r.tape.nodes[r.loss].v[0];
    if (!near(loss, expected, fabs(expected)))
        FAIL(t, "loss %.17g, not %.17g", loss, expected);
    compare_gradients(t, &r);
    tape_free(&r.tape);
}

static void try_program(const Model *m, const char *path, const char *form)
{
    Trial t = { .model = m, .form = form };
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    cr_assert(library != NULL, "%s", dlerror());
    t.net = dlsym(library, "net");
    cr_assert(t.net && !strcmp(t.net->precision, "double") && !strcmp(t.net->form, form));
    uint64_t random = m->seed;
    Examples x;
    make_examples(&x, m, &random);
    t.values = malloc(t.net->activation_reals * sizeof(double));
    double *first = malloc(t.net->block * sizeof(double));
    for (int threads = 1; threads <= 3; threads += 2) {
        cr_assert(t.net->open(threads) == 0);
        uint64_t again = m->seed + 1;
        set_parameters(&t, &again);
        set_buffers(&t, &again);
        compare(&t, &x, m->batch, false);
        compare(&t, &x, (m->batch + 1) / 2, false);          /* what the others left in the lanes must not matter */
        compare(&t, &x, m->batch, true);
        if (threads == 1)
            memcpy(first, t.net->gradients(), t.net->block * sizeof(double));
        else if (memcmp(first, t.net->gradients(), t.net->block * sizeof(double)))
            FAIL(&t, "three threads give other bits than one");
        for (int k = 0; k < t.net->param_count; k++)
            free(t.parameters[k]);
        t.net->close();
    }
    free(first);
    free(t.values);
    free_examples(&x);         /* the library stays: OpenMP's threads live in what it brought along */
}

/* ---- one operator ------------------------------------------------------------------------------------------------------- */

static void try_form(Kind focus, bool openblas)
{
    const char *text = getenv("SPN_SEED");
    uint64_t seed = (text ? strtoull(text, NULL, 10) : 1) * 1000;
    const int forms = openblas ? 1 : 2, most = focus == BATCH_NORM ? 3 : focus == ODD ? 2 : MODELS;     /* the plain form has no use for OpenBLAS */
    static Model models[MODELS];
    char folder[TEMPORARY_ROOM], path[512];
    temporary_folder(folder);
    snprintf(path, sizeof path, "%s/Makefile", folder);
    FILE *make = fopen(path, "w");
    cr_assert(make != NULL);
    fputs("all:", make);
    for (int i = 0; i < forms * most; i++)
        fprintf(make, " %d.so", i);
    /* A program's own Makefile has its flags.  Poisoned memory shows reads of elements never written. */
    fprintf(make, "\n%%.so: %%/random.c\n\t@%s $$(sed -n 's/^FLAGS = //p' $*/Makefile) -O0 -DSPN_POISON -fPIC -shared -Wl,-Bsymbolic -I$*/runtime -o $@ $< $*/random-train.c $*/runtime/block.c -lm%s\n", compiler, openblas ? " -lopenblas" : "");
    fclose(make);
    for (int i = 0; i < most; i++) {
        random_model(&models[i], focus, seed + (uint64_t)i, batches[i]);
        if (openblas)
            model_openblas(&models[i]);
        snprintf(path, sizeof path, "%s/%d.yaml", folder, i);
        FILE *yaml = fopen(path, "w");
        cr_assert(yaml != NULL);
        model_yaml(&models[i], yaml);
        fclose(yaml);
        for (int plain = 0; plain < forms; plain++)
            command("%s emit %s -o %s/%d --precision double %s >%s.log 2>&1 || { cat %s.log %s >&2; exit 1; }", spnc, path, folder,
                    i + plain * most, plain ? "--plain" : "", path, path, path);
    }
    command("make -s -j2 -C %s all", folder);
    for (int i = 0; i < forms * most; i++) {
        snprintf(path, sizeof path, "%s/%d.so", folder, i);
        try_program(&models[i % most], path, i < most ? "fast" : "plain");
    }
    command("rm -r %s", folder);
}

static void try_operator(Kind focus) { try_form(focus, false); }

Test(operators, conv) { try_operator(CONV); }
Test(operators, conv_of_many_channels) { try_operator(WIDE); }
Test(operators, conv_of_odd_windows) { try_operator(ODD); }
Test(operators, maxpool) { try_operator(MAXPOOL); }
Test(operators, dense) { try_operator(DENSE); }
Test(operators, dense_by_openblas) { try_form(DENSE, true); }
Test(operators, relu_tanh_sigmoid) { try_operator(CURVE); }
Test(operators, batch_norm) { try_operator(BATCH_NORM); }
Test(operators, dropout) { try_operator(DROPOUT); }
Test(operators, add) { try_operator(ADD); }
Test(operators, multiply) { try_operator(MULTIPLY); }
Test(operators, concat) { try_operator(CONCAT); }
Test(operators, slice) { try_operator(SLICE); }
Test(operators, reshape) { try_operator(RESHAPE); }
Test(operators, flatten) { try_operator(FLATTEN); }
Test(operators, gru) { try_operator(GRU); }
Test(operators, gru_by_openblas) { try_form(GRU, true); }
Test(operators, spn) { try_operator(SPN); }
Test(operators, shared_nets) { try_operator(NET); }
Test(operators, states) { try_operator(STATE); }
