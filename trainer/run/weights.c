/* weights.c -- the parameters of the net: their start, their exported order, and the files that hold them.
 *
 * Indices are those of the exported order: element i of a parameter of shape [rows][rest] is in row i / rest, and
 * weights_index() gives its place in the block.  A file fits if names and shapes do: batch size, precision and
 * form may differ. */
#define _POSIX_C_SOURCE 200809L
#include "run/weights.h"
#include "files/fnv.h"
#include "files/json.h"
#include "files/text.h"
#include "rng.h"
#include "run/message.h"
#include "run/place.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- layouts ---------------------------------------------------------------------------------------------------- */

static size_t row_length(const NetParam *p)
{
    return p->rank && p->shape[0] ? p->count / (size_t)p->shape[0] : 1;
}

size_t weights_index(const NetParam *p, size_t i)
{
    if (p->layout == EXPORTED)
        return p->offset + i;
    size_t inputs = row_length(p);
    return p->offset + i % inputs * (size_t)p->stride + i / inputs;
}

void weights_export(real *exported, const real *block, const NetParam *p)
{
    for (size_t i = 0; i < p->count; i++)
        exported[i] = block[weights_index(p, i)];
}

static size_t count_of(const NetParam *params, int param_count)
{
    size_t count = 0;
    for (int k = 0; k < param_count; k++)
        count += params[k].count;
    return count;
}

size_t weights_count(void) { return count_of(net.params, net.param_count); }
size_t buffers_count(void) { return count_of(net.buffers, net.buffer_count); }

/* ---- the start -------------------------------------------------------------------------------------------------- */

enum { START = 0x73746172 };                   /* "star": no other purpose has this as the first number of its keys */

/* The rules, one for each word of NET_STARTS: they fill the elements of p in the block.  key: of p's own random numbers. */

static double shift_of(const NetParam *p) { return net.init_shifts && p >= net.params && p < net.params + net.param_count ? net.init_shifts[p - net.params] : 0; }

static void start_constant(real *block, const NetParam *p, uint64_t key)
{
    (void)key;
    for (size_t i = 0; i < p->count; i++)
        block[weights_index(p, i)] = (real)p->init_value;
}

static void start_uniform(real *block, const NetParam *p, uint64_t key)
{
    for (size_t i = 0; i < p->count; i++)
        block[weights_index(p, i)] = (real)(shift_of(p) + p->init_value * (2 * rng_uniform(key, i) - 1));
}

static void start_normal(real *block, const NetParam *p, uint64_t key)
{
    for (size_t i = 0; i < p->count; i++)
        block[weights_index(p, i)] = (real)(shift_of(p) + p->init_value * rng_normal(key, i));
}

/* x minus its parts along the n rows of `rows` before it, all of length 1; then of length 1 too.  Twice, for the first time leaves rounding errors that
 * are large where little is left (Giraud and others, 2005). */
static void make_orthogonal(double *x, const double *rows, size_t n, size_t length)
{
    double sum = 0;
    for (int twice = 0; twice < 2; twice++)
        for (size_t k = 0; k < n; k++) {
            const double *row = rows + k * length;
            double along = 0;
            for (size_t i = 0; i < length; i++)
                along += x[i] * row[i];
            for (size_t i = 0; i < length; i++)
                x[i] -= along * row[i];
        }
    for (size_t i = 0; i < length; i++)
        sum += x[i] * x[i];
    for (size_t i = 0; i < length; i++)
        x[i] /= sqrt(sum);
}

/* Of [rows][rest]: the rows, or the columns if there are fewer, made orthogonal from normal numbers, times init_value (Saxe, McClelland and Ganguli, 2014). */
static void start_orthogonal(real *block, const NetParam *p, uint64_t key)
{
    const size_t rest = row_length(p), rows = p->count / rest, n = rows < rest ? rows : rest, length = p->count / n;
    double *made = need_memory(p->count * sizeof *made, "an orthogonal start");
    for (size_t i = 0; i < p->count; i++)
        made[i] = rng_normal(key, i);
    for (size_t k = 0; k < n; k++)
        make_orthogonal(made + k * length, made, k, length);
    for (size_t i = 0; i < p->count; i++) {
        const size_t row = i / rest, column = i % rest;
        block[weights_index(p, i)] = (real)(p->init_value * made[n == rows ? i : column * length + row]);
    }
    free(made);
}

/* Of a bias of six: 1 0 0, 0 1 0. */
static void start_identity_affine(real *block, const NetParam *p, uint64_t key)
{
    (void)key;
    for (size_t i = 0; i < p->count; i++)
        block[weights_index(p, i)] = p->rank == 1 && (i == 0 || i == 4);
}

/* Of an lstm's bias, [4 units]: the rows of its forget gate. */
static void start_forget_gate(real *block, const NetParam *p, uint64_t key)
{
    (void)key;
    for (size_t i = 0, units = p->count / 4; i < p->count; i++)
        block[weights_index(p, i)] = i >= units && i < 2 * units ? (real)p->init_value : 0;
}

/* 1 where the number has a bit, bit i for element i, and 0 elsewhere. */
static void start_ones_at(real *block, const NetParam *p, uint64_t key)
{
    (void)key;
    for (size_t i = 0; i < p->count; i++)
        block[weights_index(p, i)] = i < 32 && (uint32_t)p->init_value >> i & 1;
}

/* What starts as numbers of a file: parameters in the block, or the running statistics in theirs. */
static void start_given(real *block, bool running)
{
    for (const NetStart *s = net.training->starts; s && s->at >= 0; s++) {
        if ((s->at >= net.param_count) != running)
            continue;
        const NetParam *p = running ? &net.buffers[s->at - net.param_count] : &net.params[s->at];
        for (size_t i = 0; i < p->count; i++)
            block[weights_index(p, i)] = s->numbers[i];
    }
}

void weights_init(real *block, uint64_t seed)
{
#define RULE(upper, lower) [INIT_##upper] = start_##lower,
    static void (*const rules[INITS])(real *block, const NetParam *p, uint64_t key) = { NET_STARTS(RULE) };
#undef RULE
    memset(block, 0, net.block * sizeof *block);
    for (int k = 0; k < net.param_count; k++) {
        const NetParam *p = &net.params[k];
        rules[p->init](block, p, rng_key(seed, START, fnv(FNV_START, p->name, strlen(p->name)), 0, 0));
    }
    start_given(block, false);
}

void buffers_init(void)
{
    for (int k = 0; k < net.buffer_count; k++)
        start_constant(net.running(), &net.buffers[k], 0);
    if (net.buffer_count)
        start_given(net.running(), true);
}

/* ---- arrays ----------------------------------------------------------------------------------------------------- */

Array weights_view(const char *prefix, const char *name, const real *data, int rank, const int *shape)
{
    char full[ARRAY_NAME];
    int64_t dims[ARRAY_RANK] = { 0 };
    if ((size_t)snprintf(full, sizeof full, "%s%s", prefix, name) >= sizeof full)
        fail(WRONG_INPUT, "%s%s: a name in a file has at most %d bytes; shorten it in %s", prefix, name, ARRAY_NAME - 1, net.source);
    for (int i = 0; i < rank; i++)
        dims[i] = shape[i];
    return array_view(full, ARRAY_REAL, data, rank, dims);
}

static void arrays_of(Array *arrays, real *exported, const real *block, const char *prefix, const NetParam *params, int count)
{
    for (int k = 0; k < count; k++) {
        const NetParam *p = &params[k];
        weights_export(exported, block, p);
        arrays[k] = weights_view(prefix, p->name, exported, p->rank, p->shape);
        exported += p->count;
    }
}

void weights_arrays(Array *arrays, real *exported, const real *block, const char *prefix)
{
    arrays_of(arrays, exported, block, prefix, net.params, net.param_count);
}

void buffers_arrays(Array *arrays, real *exported, const char *prefix)
{
    if (net.buffer_count)
        arrays_of(arrays, exported, net.running(), prefix, net.buffers, net.buffer_count);
}

static const Array *find(const Array *arrays, int count, const char *prefix, const char *name)
{
    size_t n = strlen(prefix);
    for (int i = 0; i < count; i++)
        if (!strncmp(arrays[i].name, prefix, n) && !strcmp(arrays[i].name + n, name))
            return &arrays[i];
    return NULL;
}

bool weights_fits(const Array *a, const NetParam *p)
{
    if (a->rank != p->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->shape[i] != p->shape[i])
            return false;
    return true;
}

static _Noreturn void fail_missing(const Array *arrays, int count, const char *prefix, const NetParam *p, const char *path)
{
    const char **names = need_memory((size_t)count * sizeof *names, "names");
    for (int i = 0; i < count; i++)
        names[i] = arrays[i].name;
    fail(WRONG_INPUT, "%s: parameter %s%s is missing%s (%d array%s there, the net has %d parameters: see %s info)", path, prefix,
         p->name, nearest_text("; nearest name in the file: ", p->name, names, count, ""), count, count == 1 ? " is" : "s are",
         net.param_count, net.name);
}

void weights_take(real *block, const Array *a, const NetParam *p, const char *path)
{
    char why[ARRAY_REFUSAL];
    if (array_refusal(why, a))
        fail(WRONG_INPUT, "%s: parameter %s %s", path, a->name, why);
    if (!weights_fits(a, p)) {
        char found[160], expected[160];
        int64_t shape[NET_RANK];
        for (int i = 0; i < p->rank; i++)
            shape[i] = p->shape[i];
        Array want = array_view("", ARRAY_REAL, NULL, p->rank, shape);
        fail(WRONG_INPUT, "%s: parameter %s has shape %s, expected %s (%s:%d); the weights belong to another model or setting",
             path, a->name, array_shape_text(found, sizeof found, a), array_shape_text(expected, sizeof expected, &want),
             place_file(p->yaml_line), place_line(p->yaml_line));
    }
    for (size_t i = 0; i < p->count; i++)
        block[weights_index(p, i)] = (real)array_number(a, (int64_t)i);
}

void weights_from_arrays(real *block, const Array *arrays, int count, const char *prefix, const char *path)
{
    memset(block, 0, net.block * sizeof *block);
    for (int k = 0; k < net.param_count; k++) {
        const NetParam *p = &net.params[k];
        const Array *a = find(arrays, count, prefix, p->name);
        if (!a)
            fail_missing(arrays, count, prefix, p, path);
        weights_take(block, a, p, path);
    }
}

const NetParam *buffers_from_arrays(const Array *arrays, int count, const char *prefix, const char *path)
{
    const NetParam *missing = NULL;
    buffers_init();
    for (int k = 0; k < net.buffer_count; k++) {
        const NetParam *b = &net.buffers[k];
        const Array *a = find(arrays, count, prefix, b->name);
        if (a)
            weights_take(net.running(), a, b, path);
        else if (!missing)
            missing = b;
    }
    return missing;
}

void buffers_need(const NetParam *missing, const char *path)
{
    if (missing)
        fail(WRONG_INPUT, "%s: the buffer %s is missing (%s:%d): evaluation takes running statistics instead of a batch's; expected a file"
             " that has them, as `%s export` and PyTorch's state_dict() write", path, missing->name, net.source, missing->yaml_line, net.name);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static const char *kind_of(const char *path)
{
    if (!text_ends(path, ".npz") && !text_ends(path, ".safetensors"))
        fail(WRONG_USAGE, "%s: weights are kept in a file that ends in .npz or .safetensors; `export --run RUN -o W.npz` of the program that trained makes"
             " one of a run", path);
    return text_ends(path, ".npz") ? "npz" : "safetensors";
}

/* What PyTorch writes is a program's memory; it is converted where PyTorch is. */
static void refuse_pickle(const char *path)
{
    static const char *const endings[] = { ".pt", ".pth", ".ckpt", ".bin", ".pkl" };
    char from[1024], to[1024], target[1024];
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (text_ends(path, endings[i])) {
            snprintf(target, sizeof target, "%.*s.npz", (int)(strlen(path) - strlen(endings[i])), path);
            fail(WRONG_USAGE, "%s: this ending is PyTorch's; weights are read from .npz or .safetensors.  Where PyTorch is, this makes one:\n"
                 "    python3 -c 'import sys, torch, numpy; numpy.savez(sys.argv[2], **{k: v.float().numpy() for k, v in torch.load(sys.argv[1],"
                 " map_location=\"cpu\").items()})' %s %s", path, text_shell(from, sizeof from, path), text_shell(to, sizeof to, target));
        }
}

void weights_check_name(const char *path)
{
    refuse_pickle(path);
    kind_of(path);
}

void weights_read_file(ArrayList *list, const char *path, ArrayWanted *wanted, const void *context)
{
    /* For headers, and those arrays that are wanted, at most one a parameter or buffer. */
    const size_t limit = (weights_count() + buffers_count()) * sizeof(double) + (size_t)(net.param_count + net.buffer_count) * (ARRAY_NPY_HEADER + 12);
    ArrayError e;
    weights_check_name(path);
    if (!(*kind_of(path) == 'n' ? array_read_npz(list, path, wanted, context, limit, &e)
                                : array_read_safetensors(list, path, wanted, context, limit, &e)))
        fail_array(&e);
}

/* The parameter or buffer of that name; NULL: there is none. */
static const NetParam *named(const char *name)
{
    for (int k = 0; k < net.param_count + net.buffer_count; k++) {
        const NetParam *p = k < net.param_count ? &net.params[k] : &net.buffers[k - net.param_count];
        if (!strcmp(name, p->name))
            return p;
    }
    return NULL;
}

bool weights_wanted(const Array *a, const void *prefix)
{
    size_t n = strlen(prefix);
    const NetParam *p = strncmp(a->name, prefix, n) ? NULL : named(a->name + n);
    return p && weights_fits(a, p);
}

bool weights_counts_batches(const char *name)
{
    static const char end[] = ".num_batches_tracked", mean[] = ".running_mean";
    const size_t n = strlen(name), m = sizeof end - 1;
    for (int k = 0; n > m && !strcmp(name + n - m, end) && k < net.buffer_count; k++)
        if (!strncmp(net.buffers[k].name, name, n - m) && !strcmp(net.buffers[k].name + n - m, mean))
            return true;
    return false;
}

const NetParam *weights_load(real *block, const char *path)
{
    ArrayList list;
    weights_read_file(&list, path, weights_wanted, "");
    weights_from_arrays(block, list.items, list.count, "", path);
    const NetParam *missing = buffers_from_arrays(list.items, list.count, "", path);
    for (int i = 0; i < list.count; i++) {
        if (!named(list.items[i].name) && !weights_counts_batches(list.items[i].name))
            fail(WRONG_INPUT, "%s: the net has no parameter %s (it has %d, see %s info); remove it from the file, or take the"
                 " weights of this model", path, list.items[i].name, net.param_count, net.name);
    }
    array_list_free(&list);
    return missing;
}

/* The metadata as JSON text: what a zip comment holds. */
static char *metadata_text(const ArrayText *items, int count, bool whole)
{
    JsonWriter w;
    json_begin(&w, NULL);
    json_object(&w, NULL);
    for (int i = 0; i < count; i++)
        if (whole || strcmp(items[i].key, "yaml"))
            json_string(&w, items[i].key, items[i].value);
    json_close(&w);
    if (!json_end(&w))
        fail(ENVIRONMENT, "no memory for metadata");
    return w.text;
}

void weights_save(const char *path, const real *block, bool buffers)
{
    enum { COMMENT = 65535 };                  /* the longest comment a zip may have */
    const ArrayText metadata[] = {
        { "model", (char *)net.name },         { "model_hash", (char *)net.hash }, { "signature", (char *)net.signature },
        { "settings", (char *)net.settings },  { "precision", (char *)net.precision }, { "yaml", (char *)net.yaml },
    };
    enum { COUNT = sizeof metadata / sizeof *metadata };
    const char *kind = kind_of(path);
    const int all = net.param_count + (buffers ? net.buffer_count : 0);
    real *exported = need_memory((weights_count() + buffers_count()) * sizeof *exported, "weights");
    Array *arrays = need_memory((size_t)all * sizeof *arrays, "weights");
    ArrayError e;
    bool written;
    weights_arrays(arrays, exported, block, "");
    if (buffers)
        buffers_arrays(arrays + net.param_count, exported + weights_count(), "");
    if (*kind == 'n') {
        char *text = metadata_text(metadata, COUNT, true);
        if (strlen(text) > COMMENT) {          /* a very long model file stays out */
            free(text);
            text = metadata_text(metadata, COUNT, false);
        }
        written = array_write_npz(path, arrays, all, text, &e);
        free(text);
    } else {
        written = array_write_safetensors(path, arrays, all, metadata, COUNT, &e);
    }
    if (!written)
        fail_array(&e);
    free(arrays);
    free(exported);
}
