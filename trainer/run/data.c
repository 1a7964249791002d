/* data.c -- examples from .npy files, or made up; labels of any integer type; batches.
 *
 * Inputs come first, then targets, in one row of files: index f is input f, or target f - input_count.
 * Everything is checked on opening, not during training: the error for a label out of range names its file and
 * example. */
#define _POSIX_C_SOURCE 200809L
#include "run/data.h"
#include "rng.h"
#include "run/message.h"
#include "run/torn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { MADE_UP = 0x6d616465, ORDER = 0x6f726465 };   /* "made", "orde": first numbers of random keys, one a purpose */
enum { GRAIN = 64 };                                /* levels of grey of made-up images' background */

static int file_count(void) { return net.input_count + net.target_count; }
static const NetData *spec(int f) { return f < net.input_count ? &net.inputs[f] : &net.targets[f - net.input_count]; }

static size_t element_size(const NetData *s)
{
    return s->type == U8_OVER_255 ? 1 : 4;     /* f4, or labels as int32 */
}

/* "u1 [N][1][100][100]" */
static char *wanted(char *text, size_t room, const NetData *s)
{
    int n = snprintf(text, room, "%s [N]", s->type == U8_OVER_255 ? "u1" : s->type == F32 ? "f4" : "integers");
    for (int i = 0; i < s->rank && n > 0 && (size_t)n < room; i++)
        n += snprintf(text + n, room - (size_t)n, "[%d]", s->shape[i]);
    return text;
}

/* ---- checks ------------------------------------------------------------------------------------------------------- */

/* Is [N] + shape that of the input with its last dimension in front of the others, as PyTorch has it? */
static bool is_channels_last(const Array *a, const NetData *s)
{
    return s->rank == 3 && a->rank == 4 && a->shape[1] == s->shape[1] && a->shape[2] == s->shape[2] && a->shape[3] == s->shape[0];
}

/* A dimension too many, as long as there are classes. */
static bool is_one_hot(const Array *a, const NetData *s)
{
    return s->type == LABELS && a->rank == s->rank + 2 && a->shape[a->rank - 1] == s->classes;
}

const char *data_u1_hint(void)
{
    return "; bytes of 0 to 255?  (a / 255).astype('f4') makes 0 to 1 of them, as pictures are read, a.astype('f4') keeps them; or write dtype: u8 in the model";
}

static void check_file(const Array *a, const NetData *s, const char *path)
{
    char found[160], expected[160];
    bool type = s->type == U8_OVER_255 ? a->type == ARRAY_U1 : s->type == F32 ? a->type == ARRAY_F4 : a->type <= ARRAY_I8 || a->type == ARRAY_B1;
    bool shape = a->rank == s->rank + 1 && a->shape[0] > 0;
    for (int i = 0; shape && i < s->rank; i++)
        shape = a->shape[i + 1] == s->shape[i];
    if (type && shape)
        return;
    if (a->rank && !a->shape[0])
        fail(WRONG_INPUT, "%s: there is no example in it (%s %s); '%s' of %s needs one or more", path, array_type_name(a->type),
             array_shape_text(found, sizeof found, a), s->name, net.source);
    const char *hint = is_one_hot(a, s) ? "; one-hot labels?  Their numbers are numpy's argmax(axis=-1)"
        : is_channels_last(a, s) ? "; channels last?  numpy's transpose(0, 3, 1, 2) brings them to the front"
        : a->type == ARRAY_U1 && s->type == F32 ? data_u1_hint()
        : !type && s->type == F32 ? "; convert it with numpy's astype('f4')"
        : !type && s->type == U8_OVER_255
              ? "; convert it with numpy's rint(a).astype('u1') if it holds 0 to 255, with rint(255 * a).astype('u1') if 0 to 1; "
                "or write dtype: f32 in the model"
        : !type ? "; labels are integers: convert them with numpy's astype('i4')" : "";
    array_shape_text(found, sizeof found, a);
    fail(WRONG_INPUT, "%s: found %s %s, expected %s for '%s' of %s%s", path, array_type_name(a->type), found,
         wanted(expected, sizeof expected, s), s->name, net.source, hint);
}

bool data_is_whole(ArrayType type)
{
    return type == ARRAY_U1 || type == ARRAY_B1 || type == ARRAY_I1 || type == ARRAY_U2 || type == ARRAY_I2 || type == ARRAY_U4 || type == ARRAY_I4 || type == ARRAY_U8
           || type == ARRAY_I8;
}

int64_t data_whole(ArrayType type, const void *data, int64_t i)
{
    union { uint8_t u1; int8_t i1; uint16_t u2; int16_t i2; uint32_t u4; int32_t i4; uint64_t u8; int64_t i8; } v = { 0 };
    const size_t size = array_type_size(type);
    memcpy(&v, (const char *)data + (size_t)i * size, size);
    switch (type) {
    case ARRAY_U1: return v.u1;
    case ARRAY_B1: return v.u1 != 0;
    case ARRAY_I1: return v.i1;
    case ARRAY_U2: return v.u2;
    case ARRAY_I2: return v.i2;
    case ARRAY_U4: return v.u4;
    case ARRAY_I4: return v.i4;
    case ARRAY_U8: return v.u8 > INT64_MAX ? INT64_MAX : (int64_t)v.u8;
    default: return v.i8;
    }
}

const NetLoss *data_reader(int k)
{
    for (int i = 0; i < net.loss_count; i++) {
        const NetLoss *l = &net.losses[i];
        if (l->target == k && l->value >= 0 && (l->shows == SHOWS_WRONG || (l->shows == SHOWS_BITS && net.targets[k].type == LABELS)))
            return l;
    }
    return NULL;
}

bool data_ignores(int k, int64_t label)
{
    int losses = 0, ignoring = 0;
    for (int i = 0; i < net.loss_count; i++)
        if (net.losses[i].target == k)
            losses++, ignoring += net.losses[i].ignores && net.losses[i].ignored == label;
    return losses && ignoring == losses;
}

static bool is_target(const NetData *s) { return s >= net.targets && s < net.targets + net.target_count; }

static int32_t *read_labels(const Array *a, const NetData *s, const char *path)
{
    int64_t n = array_count(a);
    int32_t *labels = need_memory((size_t)n * sizeof *labels, path);
    for (int64_t i = 0; i < n; i++) {
        int64_t v = data_whole(a->type, a->data, i);
        if ((v < 0 || v >= s->classes) && !(is_target(s) && data_ignores((int)(s - net.targets), v)))
            fail(WRONG_INPUT, "%s: %s %" PRId64 " of example %" PRId64 " (position %" PRId64 ") is out of range; '%s' has %d"
                 " classes, 0 to %d", path, is_target(s) ? "label" : "class", v, i / (int64_t)s->count, i % (int64_t)s->count, s->name, s->classes, s->classes - 1);
        labels[i] = (int32_t)v;
    }
    return labels;
}

/* ---- open and close ------------------------------------------------------------------------------------------------ */

static void prepare(Data *d, const char *dir, const char *split)
{
    size_t n = (size_t)file_count(), batch = (size_t)net.batch;
    *d = (Data){ .split = split };
    d->dir = need_memory(strlen(dir) + 1, "a path");
    strcpy(d->dir, dir);
    d->files = need_memory(n * sizeof *d->files, "data");
    d->base = need_memory(n * sizeof *d->base, "data");
    d->stride = need_memory(n * sizeof *d->stride, "data");
    d->pointers = need_memory(n * batch * sizeof *d->pointers, "data");
    d->lists = need_memory(n * sizeof *d->lists, "data");
    d->which = need_memory(batch * sizeof *d->which, "data");
    for (size_t f = 0; f < n; f++) {
        d->lists[f] = d->pointers + f * batch;
        d->stride[f] = spec((int)f)->count * element_size(spec((int)f));
    }
}

static void open_file(Data *d, int f, bool optional)
{
    const NetData *s = spec(f);
    char path[4096], expected[160];
    ArrayError e;
    if ((size_t)snprintf(path, sizeof path, "%s/%s_%s.npy", d->dir, d->split, s->name) >= sizeof path)
        fail(WRONG_INPUT, "%s: the path is too long", d->dir);
    if (access(path, F_OK)) {
        if (optional)
            return;
        fail(WRONG_INPUT, "%s: there is no such file; %s needs %s there, N the number of examples", path, net.name,
             wanted(expected, sizeof expected, s));
    }
    if (!array_map_npy(&d->files[f], path, &e))
        fail_array(&e);
    torn_watch(d->files[f].map.data, d->files[f].map.size, path);
    check_file(&d->files[f], s, path);
    if (f == 0) {
        d->examples = d->files[f].shape[0];
        if (d->examples > INT32_MAX)
            fail(WRONG_INPUT, "%s: %" PRId64 " examples are too many; the most is %d", path, d->examples, INT32_MAX);
    } else if (d->files[f].shape[0] != d->examples) {
        fail(WRONG_INPUT, "%s: %" PRId64 " examples, but %s/%s_%s.npy has %" PRId64 "; both must have the same number", path,
             d->files[f].shape[0], d->dir, d->split, spec(0)->name, d->examples);
    }
    d->base[f] = s->type == LABELS ? read_labels(&d->files[f], s, path) : d->files[f].data;
}

bool data_is_there(const char *dir, const char *split)
{
    char path[4096];
    for (int f = 0; f < file_count(); f++)
        if ((size_t)snprintf(path, sizeof path, "%s/%s_%s.npy", dir, split, spec(f)->name) < sizeof path && !access(path, F_OK))
            return true;
    return false;
}

void data_open(Data *d, const char *dir, const char *split, bool targets)
{
    ArrayError e;
    prepare(d, dir, split);
    if (!array_check_complete(dir, &e))
        fail_array(&e);
    for (int f = 0; f < net.input_count; f++)
        open_file(d, f, false);
    d->targets = true;
    for (int f = net.input_count; f < file_count(); f++) {
        open_file(d, f, !targets);
        if (!d->base[f]) {
            d->targets = false;
            d->base[f] = need_memory(d->stride[f], "targets");    /* one example of zeros for all */
            d->stride[f] = 0;
        }
    }
    if (!array_check_complete(dir, &e))         /* begun while the files were opened */
        fail_array(&e);
}

void data_over(Data *d, void *inputs, int64_t examples, char *const *names)
{
    prepare(d, "", "pictures");
    d->examples = examples;
    d->names = names;
    d->base[0] = inputs;
    for (int f = net.input_count; f < file_count(); f++) {
        d->base[f] = need_memory(d->stride[f], "targets");
        d->stride[f] = 0;
    }
}

/* Blobs are smooth, with gradients in both directions.  Around them, and where they are darker than it, there is grain: on an even surface
 * all places of a pool's window would have the same sum, and rounding would decide which one wins, at any step of `check`. */
static void make_image(uint8_t *image, const NetData *s, uint64_t key)
{
    int width = s->rank ? s->shape[s->rank - 1] : 1, height = s->rank > 1 ? s->shape[s->rank - 2] : 1;
    int planes = (int)(s->count / ((size_t)width * (size_t)height));
    uint64_t draw = 0;
    for (size_t i = 0; i < s->count; i++)
        image[i] = (uint8_t)(GRAIN * rng_uniform(key, draw++));
    for (int plane = 0; plane < planes; plane++)
        for (int blob = 0; blob < 6; blob++) {
            double cx = rng_uniform(key, draw++) * width, cy = rng_uniform(key, draw++) * height;
            double radius = 1 + (0.05 + 0.1 * rng_uniform(key, draw++)) * (width < height ? height : width);
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++) {
                    double fall = 1 - ((x - cx) * (x - cx) + (y - cy) * (y - cy)) / (radius * radius);
                    uint8_t *pixel = &image[((size_t)plane * (size_t)height + (size_t)y) * (size_t)width + (size_t)x];
                    if (fall > 0 && 255 * fall > *pixel)
                        *pixel = (uint8_t)(255 * fall);
                }
        }
}

void data_made_up(Data *d, int64_t examples, uint64_t seed)
{
    prepare(d, "", "made-up");
    d->examples = examples;
    d->targets = true;
    for (int f = 0; f < file_count(); f++) {
        const NetData *s = spec(f);
        char *all = need_memory((size_t)examples * d->stride[f], "made-up examples");
        d->base[f] = all;
        for (int64_t n = 0; n < examples; n++) {
            void *one = all + (size_t)n * d->stride[f];
            uint64_t key = rng_key(seed, MADE_UP, (uint64_t)n, (uint64_t)f, 0);
            if (s->type == U8_OVER_255)
                make_image(one, s, key);
            for (size_t i = 0; i < s->count && s->type == F32; i++)
                ((float *)one)[i] = (float)rng_normal(key, i);
            for (size_t i = 0; i < s->count && s->type == LABELS; i++)
                ((int32_t *)one)[i] = (int32_t)(rng_uniform(key, i) * s->classes);
        }
    }
}

void data_close(Data *d)
{
    for (int f = 0; f < file_count(); f++) {
        if (d->base[f] != d->files[f].data)
            free((void *)d->base[f]);
        torn_forget(d->files[f].map.data);
        array_free(&d->files[f]);
    }
    free(d->which);
    free(d->lists);
    free(d->pointers);
    free(d->stride);
    free(d->base);
    free(d->files);
    free(d->dir);
    *d = (Data){ 0 };
}

/* ---- batches ------------------------------------------------------------------------------------------------------ */

void data_batch(Batch *batch, Data *d, const uint32_t *order, int64_t first)
{
    int64_t left = d->examples - first;
    batch->count = (int)(left < net.batch ? left : net.batch);
    for (int n = 0; n < batch->count; n++)
        d->which[n] = order ? order[first + n] : (uint32_t)(first + n);
    for (int f = 0; f < file_count(); f++)
        for (int n = 0; n < batch->count; n++)
            d->pointers[(size_t)f * (size_t)net.batch + (size_t)n] = (const char *)d->base[f] + d->which[n] * d->stride[f];
    batch->inputs = d->lists;
    batch->targets = d->lists + net.input_count;
    batch->which = d->which;
    batch->all = d->base;
    batch->stride = d->stride;
    batch->total = d->examples;
    batch->unread = torn_look;
}

char *data_place(char *text, size_t room, const Data *d, int f, int64_t example)
{
    if (d->names)
        snprintf(text, room, "%s", d->names[example]);
    else if (*d->dir)
        snprintf(text, room, "%s/%s_%s.npy: example %" PRId64, d->dir, d->split, spec(f)->name, example);
    else
        snprintf(text, room, "'%s' of the %s examples: example %" PRId64, spec(f)->name, d->split, example);
    return text;
}

char *data_element(char *text, size_t room, const NetData *s, size_t i)
{
    size_t left = s->count, n = 0;
    *text = '\0';
    for (int k = 0; k < s->rank && n < room; k++) {
        left /= (size_t)s->shape[k];
        n += (size_t)snprintf(text + n, room - n, "[%zu]", i / left);
        i %= left;
    }
    if (!s->rank)
        snprintf(text, room, "%zu", i);
    return text;
}

int32_t data_label(const Data *d, int k, int64_t i, int position)
{
    int f = net.input_count + k;
    const int32_t label = ((const int32_t *)((const char *)d->base[f] + (size_t)i * d->stride[f]))[position];
    const NetLoss *reader = data_reader(k);
    return reader && reader->ignores && reader->ignored == label ? -1 : label;
}

int64_t data_labels(const Data *d, int k)
{
    const NetLoss *reader = data_reader(k);
    int64_t count = 0;
    if (reader && !reader->ignores)
        return d->examples * reader->positions;
    for (int64_t i = 0; reader && i < d->examples; i++)
        for (int position = 0; position < reader->positions; position++)
            count += data_label(d, k, i, position) >= 0;
    return count;
}

int64_t data_all_labels(const Data *d)
{
    int64_t count = 0;
    for (int k = 0; k < net.target_count; k++)
        count += data_labels(d, k);
    return count;
}

int64_t data_labelled(const Data *d)
{
    int64_t count = 0;
    for (int64_t i = 0; i < d->examples; i++) {
        bool labelled = false;
        for (int k = 0; k < net.target_count; k++)
            for (int position = 0; data_reader(k) && position < data_reader(k)->positions; position++)
                labelled = labelled || data_label(d, k, i, position) >= 0;
        count += labelled;
    }
    return count;
}

void data_need_labels(const Data *d, const char *what)
{
    for (int k = 0; k < net.target_count; k++)
        if (data_reader(k) && !data_labels(d, k))
            fail(WRONG_INPUT, "%s/%s_%s.npy: every label is %d, which the model's loss ignores (line %d of %s): there is nothing to %s", d->dir, d->split,
                 net.targets[k].name, data_reader(k)->ignored, data_reader(k)->yaml_line, net.source, what);
}

void data_order(uint32_t *order, const Data *d, uint64_t seed, int epoch)
{
    rng_permutation(order, (uint32_t)d->examples, rng_key(seed, ORDER, (uint64_t)epoch, 0, 0));
}

uint64_t data_mark(const Data *d)
{
    enum { ROWS = 64 };
    uLong sum = crc32(0, Z_NULL, 0);
    for (int f = 0; f < file_count(); f++) {
        int64_t every = f < net.input_count && d->examples > ROWS ? d->examples / ROWS : 1;
        for (int64_t i = 0; i < d->examples; i += every)
            sum = crc32(sum, (const Bytef *)d->base[f] + (size_t)i * d->stride[f], (uInt)d->stride[f]);
    }
    return (uint64_t)sum;
}
