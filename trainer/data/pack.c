/* pack.c -- `spn-data pack`: pictures or arrays of the user's own become SPLIT_NAME.npy, which a model reads.
 *
 * Reads the List that pack_list.c finds; draws the splits; decodes and checks a portion at a time on all threads and writes
 * it in order, so memory does not grow with the number of examples.  Every picture is brought to one size and one number of
 * channels, or refused by name; pictures are scaled only by --fit scale.  All files appear at the end, or none. */
#define _POSIX_C_SOURCE 200809L
#include "data/pack.h"
#include "data/dice.h"
#include "files/decode.h"
#include "files/text.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PORTION = 1000, PORTION_BYTES = 1 << 26, NAMED_MOST = 10, SHOWN_CLASSES = 100, DICE_PACK = 12 };

typedef struct {
    const char *source, *labels, *valid, *test, *size, *fit, *shape, *input, *target, *dir, *columns, *as;
    int64_t seed, channels, ground;
} Wishes;

typedef struct {
    Wishes w;
    List list;
    ArrayType type;                            /* of the input: u1 or f4 */
    int rank;
    int64_t shape[ARRAY_RANK];                 /* of an example */
    size_t bytes;                              /* of an example */
    uint32_t *drawn, *order;                   /* items whose split is drawn; all items, split after split */
    int64_t counts[SPLITS];
    double low[SPLITS], high[SPLITS], sum[SPLITS];     /* of the input's elements */
} Pack;

/* ---- the shape of an example ------------------------------------------------------------------------------------------ */

/* "28x28" or "1x28x28" to shape; how many numbers, or 0. */
static int read_shape(int64_t *shape, int most, const char *text)
{
    int n = 0;
    for (const char *p = text; n < most; p++) {
        char *end;
        const long long v = *p >= '0' && *p <= '9' ? strtoll(p, &end, 10) : 0;
        if (v < 1 || v > 32767)
            return 0;
        shape[n++] = v;
        if (!*end)
            return n;
        if (*end != 'x')
            return 0;
        p = end;
    }
    return 0;
}

static bool load(Pixels *p, const char *path, int64_t ground, ArrayError *e)
{
    ArrayMap map;
    if (!array_map_open(&map, path, e))
        return false;
    const bool fine = decode_picture(p, map.data, map.size, (int)ground, path, e);
    array_map_close(&map);
    return fine;
}

static int shape_of_pictures(Pack *p)
{
    Pixels first;
    ArrayError e;
    int64_t size[2];
    if (p->w.shape)
        return complain(WRONG_USAGE, "--shape is for arrays; pictures take --size HxW and --channels");
    if (!load(&first, p->list.items[0].path, p->w.ground, &e))
        return complain_array(&e);
    size[0] = first.height, size[1] = first.width;
    p->type = ARRAY_U1;
    p->rank = 3;
    p->shape[0] = p->w.channels ? p->w.channels : first.channels;
    pixels_free(&first);
    if (p->w.size && read_shape(size, 2, p->w.size) != 2)
        return complain(WRONG_USAGE, "--size: got \"%s\", expected rows x columns as in 28x28", p->w.size);
    p->shape[1] = size[0], p->shape[2] = size[1];
    return FINE;
}

static int shape_of_rows(Pack *p)
{
    const Array *a = &p->list.source;
    int64_t shape[ARRAY_RANK], count = 1, is = 1;
    char found[160];
    if (p->w.size || p->w.fit || p->w.channels || p->w.ground != NO_GROUND)
        return complain(WRONG_USAGE, "--size, --fit, --channels and --ground are for pictures; arrays take --shape");
    p->type = a->type == ARRAY_U1 ? ARRAY_U1 : ARRAY_F4;
    p->rank = a->rank - 1;
    memcpy(p->shape, a->shape + 1, sizeof *a->shape * (size_t)p->rank);
    for (int i = 0; i < p->rank; i++)
        is *= p->shape[i];
    if (p->w.shape) {
        p->rank = read_shape(shape, 4, p->w.shape);
        if (!p->rank)
            return complain(WRONG_USAGE, "--shape: got \"%s\", expected 1 to 4 numbers as in 1x28x28", p->w.shape);
        for (int i = 0; i < p->rank; i++)
            count *= p->shape[i] = shape[i];
        if (count != is)
            return complain(WRONG_INPUT, "--shape %s has %" PRId64 " elements, a row of %s has %" PRId64 " (%s)", p->w.shape, count, p->w.source, is,
                            array_shape_text(found, sizeof found, a));
    } else if (p->type == ARRAY_U1 && p->rank == 2) {
        p->shape[2] = p->shape[1], p->shape[1] = p->shape[0], p->shape[0] = 1;
        p->rank = 3;
    } else if (p->rank == 0) {
        p->shape[0] = p->rank = 1;
    }
    return FINE;
}

static int measure(Pack *p)
{
    const int code = p->list.source.data ? shape_of_rows(p) : shape_of_pictures(p);
    p->bytes = array_type_size(p->type);
    for (int i = 0; i < p->rank; i++)
        p->bytes *= (size_t)p->shape[i];
    return code;
}

/* ---- splits ------------------------------------------------------------------------------------------------------------ */

/* "0.1", "10%" or "1000" of `all`; -1 if it is none of these. */
static int64_t portion_of(const char *text, int64_t all)
{
    char *end;
    const double v = *text >= '0' && *text <= '9' ? strtod(text, &end) : -1;
    if (!(v >= 0) || v > 1e9)
        return -1;
    if (!strcmp(end, "%") || strchr(text, '.')) {
        const double share = *end == '%' ? v / 100 : v;
        return (*end && strcmp(end, "%")) || share >= 1 ? -1 : (int64_t)(share * (double)all + 0.5);
    }
    return *end || v != floor(v) ? -1 : (int64_t)v;
}

/* Items whose split a folder decides keep it; from the others (of a FOLDER with splits: from train) those that are missing
 * are drawn.  The drawn ones are shuffled, the others stay in the order of their names. */
static int draw_splits(Pack *p)
{
    const List *l = &p->list;
    int64_t given[SPLITS] = { 0 }, wanted[SPLITS] = { 0 }, pool = 0, at = 0;
    const char *const texts[SPLITS] = { NULL, p->w.valid ? p->w.valid : "0.1", p->w.test ? p->w.test : "0.1" };
    uint32_t *drawn = p->drawn = need(NULL, (size_t)l->count * sizeof *drawn);
    if (l->count > INT32_MAX)
        return complain(WRONG_INPUT, "%s: %" PRId64 " examples are too many; the most is %d", p->w.source, l->count, INT32_MAX);
    for (int64_t i = 0; i < l->count; i++)
        if (l->items[i].split > 0)
            given[l->items[i].split]++;
        else
            drawn[pool++] = (uint32_t)i;
    int64_t left = pool;
    for (int s = 1; s < SPLITS; s++) {
        if (given[s] && (s == 1 ? p->w.valid : p->w.test))
            return p->w.labels ? complain(WRONG_USAGE, "--%s: the column `split` of %s says which are %s; leave the option out", split_names[s], p->w.labels,
                                          split_names[s])
                               : complain(WRONG_USAGE, "--%s: %s has a folder %s already; leave the option out", split_names[s], p->w.source, split_names[s]);
        if (given[s])
            continue;
        if ((wanted[s] = portion_of(texts[s], pool)) < 0)
            return complain(WRONG_USAGE, "--%s: got \"%s\", expected a share below 1 as in 0.1, or a number as in 1000", split_names[s], texts[s]);
        left -= wanted[s];
    }
    if (left < 1)
        return complain(WRONG_INPUT, "%s: %" PRId64 " examples, %" PRId64 " for validation and %" PRId64 " for the test leave none to train on",
                        p->w.source, pool, wanted[1], wanted[2]);
    Dice dice = dice_open((uint64_t)p->w.seed, DICE_PACK, 0);
    for (int64_t i = pool - 1; i > 0 && (wanted[1] || wanted[2] || l->items[drawn[0]].split == DRAWN); i--) {
        const int j = dice_range(&dice, 0, (int)i);
        const uint32_t other = drawn[i];
        drawn[i] = drawn[j], drawn[j] = other;
    }
    p->order = need(NULL, (size_t)l->count * sizeof *p->order);
    int64_t next = 0;
    for (int s = 0; s < SPLITS; s++) {
        p->counts[s] = s ? given[s] + wanted[s] : left;
        for (int64_t i = 0; i < (s ? wanted[s] : left); i++)
            p->order[at++] = drawn[next++];
        for (int64_t i = 0; s && i < l->count; i++)
            if (l->items[i].split == s)
                p->order[at++] = (uint32_t)i;
    }
    return FINE;
}

/* ---- examples ---------------------------------------------------------------------------------------------------------- */

static bool other_size(const Pack *p, const Pixels *x, const char *path, ArrayError *e)
{
    const int64_t h = p->shape[1], w = p->shape[2];
    const char *fit = p->w.fit ? p->w.fit : "";
    const bool fine = *fit == 'p' ? x->height <= h && x->width <= w : *fit == 'c' ? x->height >= h && x->width >= w : *fit == 's';
    return fine || array_fail(e, WRONG_INPUT, path, "found %d x %d pixels, expected %" PRId64 " x %" PRId64 " (columns x rows)%s%s", x->width, x->height,
                              w, h, p->w.size ? "" : " as in the first picture", *fit == 'p' ? "; it is larger: --fit crop or scale"
                              : *fit == 'c' ? "; it is smaller: --fit pad or scale" : "; --fit pad, crop or scale brings it there");
}

/* A picture as an example [channels][rows][columns]. */
static bool from_picture(uint8_t *out, const Pack *p, const Pixels *x, const char *path, ArrayError *e)
{
    const int64_t h = p->shape[1], w = p->shape[2], channels = p->shape[0];
    const bool same = x->height == h && x->width == w;
    if (!p->w.channels && x->channels > channels)
        return array_fail(e, WRONG_INPUT, path, "found colour, expected grey as in the first picture; --channels 1 or 3 decides");
    if (!same && !other_size(p, x, path, e))
        return false;
    const bool scaled = !same && *p->w.fit == 's';
    const size_t from = (size_t)x->height * (size_t)x->width, to = (size_t)(h * w);
    const int64_t top = (h - x->height) / 2, left = (w - x->width) / 2;        /* cropping: both are at most 0 */
    double *plane = NULL;
    bool fine = !scaled || (plane = array_allocate(path, (from + to) * sizeof *plane, e));
    for (int64_t c = 0; fine && c < channels; c++) {
        if (scaled) {
            for (size_t i = 0; i < from; i++)
                plane[to + i] = pixels_channel(x, i, (int)channels, (int)c);
            fine = pixels_fit(plane, plane + to, (int)h, (int)w, x->height, x->width, path, e);
        }
        for (int64_t i = 0; fine && i < h; i++)
            for (int64_t j = 0; j < w; j++) {
                const int64_t y = i - top, z = j - left;
                const bool inside = y >= 0 && y < x->height && z >= 0 && z < x->width;
                const double v = scaled ? plane[i * w + j] : inside ? pixels_channel(x, (size_t)(y * x->width + z), (int)channels, (int)c) : 0;
                out[(c * h + i) * w + j] = (uint8_t)fmin(255, floor(v + 0.5));
            }
    }
    free(plane);
    return fine;
}

static bool from_row(void *out, const Pack *p, int64_t row, ArrayError *e)
{
    const Array *a = &p->list.source;
    const size_t n = p->bytes / array_type_size(p->type), first = (size_t)row * n;
    if (a->type == ARRAY_U1)
        memcpy(out, (const uint8_t *)a->data + first, n);
    for (size_t i = 0; a->type != ARRAY_U1 && i < n; i++) {
        const float v = a->type == ARRAY_F4 ? ((const float *)a->data)[first + i] : (float)((const double *)a->data)[first + i];
        if (!isfinite(v))
            return array_fail(e, WRONG_INPUT, p->w.source, "element %zu of example %" PRId64 " is %g, expected a finite number (f4)", i, row, (double)v);
        ((float *)out)[i] = v;
    }
    return true;
}

static bool make_example(void *out, const Pack *p, const Item *item, ArrayError *e)
{
    Pixels x;
    if (!item->path)
        return from_row(out, p, item->row, e);
    if (!load(&x, item->path, p->w.ground, e))
        return false;
    const bool fine = from_picture(out, p, &x, item->path, e);
    pixels_free(&x);
    return fine;
}

/* Row by row, so that no sum depends on the number of threads. */
static void add_range(Pack *p, int split, const void *rows, int count)
{
    const size_t n = p->bytes / array_type_size(p->type) * (size_t)count;
    for (size_t i = 0; i < n; i++) {
        const double v = p->type == ARRAY_U1 ? ((const uint8_t *)rows)[i] : (double)((const float *)rows)[i];
        p->low[split] = fmin(p->low[split], v);
        p->high[split] = fmax(p->high[split], v);
        p->sum[split] += v;
    }
}

/* ---- files ------------------------------------------------------------------------------------------------------------- */

/* Errors of the pictures of one portion; the first ones by name. */
static int complain_portion(const ArrayError *errors, int n)
{
    int code = FINE, wrong = 0;
    for (int i = 0; i < n; i++)
        if (errors[i].exit_code && ++wrong <= NAMED_MOST)
            code = complain_array(&errors[i]);
    if (wrong > NAMED_MOST)
        complain(code, "and %d more", wrong - NAMED_MOST);
    return code;
}

static int write_split(Pack *p, ArrayNpy *input, ArrayNpy *target, int split, const uint32_t *order)
{
    const int portion = p->bytes * PORTION <= PORTION_BYTES ? PORTION : p->bytes < PORTION_BYTES ? (int)(PORTION_BYTES / p->bytes) : 1;
    char *rows = need(NULL, p->bytes * (size_t)portion);
    ArrayError *errors = need(NULL, sizeof *errors * (size_t)portion), e;
    int code = FINE;
    for (int64_t first = 0; code == FINE && first < p->counts[split]; first += portion) {
        const int n = (int)(p->counts[split] - first < portion ? p->counts[split] - first : portion);
        ALL_THREADS
        for (int i = 0; i < n; i++) {
            errors[i].exit_code = 0;
            make_example(rows + (size_t)i * p->bytes, p, &p->list.items[order[first + i]], &errors[i]);
        }
        code = complain_portion(errors, n);
        if (code == FINE && !array_npy_rows(input, rows, n, &e))
            code = complain_array(&e);
        for (int i = 0; code == FINE && target && i < n; i++)
            if (!array_npy_rows(target, (const char *)p->list.labels + order[first + i] * p->list.label_bytes, 1, &e))
                code = complain_array(&e);
        if (code == FINE)
            add_range(p, split, rows, n);
    }
    free(errors);
    free(rows);
    return code;
}

/* Where classes have names: DIR/TARGET_classes.txt, a name a line, in the order of the labels.  Sealed. */
static int write_classes(ArrayOut *out, const Pack *p, const char *path)
{
    ArrayError e;
    bool fine = list_begin(out, path, &e);
    for (int i = 0; fine && i < p->list.class_count; i++)
        fine = array_out_write(out, p->list.classes[i], strlen(p->list.classes[i]), &e) && array_out_write(out, "\n", 1, &e);
    return fine && array_out_seal(out, &e) ? FINE : complain_array(&e);
}

/* Old files that would stay: of a split that is not written now, or of another name. */
static int refuse_old(const Pack *p)
{
    char path[PATH_MAX];
    for (int s = 0; s < SPLITS; s++) {
        snprintf(path, sizeof path, "%s/%s_%s.npy", p->w.dir, split_names[s], p->w.input);
        if (!p->counts[s] && !access(path, F_OK))
            return complain(WRONG_INPUT, "%s: is there already, but this set has no example for %s; remove it, or choose another -o", path, split_names[s]);
    }
    return set_refuse_mixture(p->w.dir, (const char *const[]){ p->w.input, p->w.target }, p->list.labels ? 2 : 1);
}

static int write_files(Pack *p)
{
    const List *l = &p->list;
    ArrayNpy input[SPLITS], target[SPLITS];
    ArrayOut classes = { .fd = -1 }, *outs[2 * SPLITS + 1];
    char list[PATH_MAX];
    int64_t shape[ARRAY_RANK + 1], label_shape[ARRAY_RANK + 1], at = 0;
    int begun = 0, labelled = 0, code = FINE, count = 0;
    ArrayError e;
    snprintf(list, sizeof list, "%s/%s_classes.txt", p->w.dir, p->w.target);
    set_begin(p->w.dir);
    memcpy(shape + 1, p->shape, sizeof p->shape);
    memcpy(label_shape + 1, l->label_shape, sizeof l->label_shape);
    for (int s = 0; s < SPLITS && code == FINE; s++) {
        shape[0] = label_shape[0] = p->counts[s];
        p->low[s] = INFINITY, p->high[s] = -INFINITY;
        if (!p->counts[s])
            continue;
        if (!split_begin(&input[s], p->w.dir, s, p->w.input, p->type, p->rank + 1, shape, &e))
            code = complain_array(&e);
        else if (begun |= 1 << s, l->labels && !split_begin(&target[s], p->w.dir, s, p->w.target, l->label_type, l->label_rank + 1, label_shape, &e))
            code = complain_array(&e);
        else if (l->labels)
            labelled |= 1 << s;
    }
    for (int s = 0; s < SPLITS && code == FINE; at += p->counts[s++])
        if (p->counts[s])
            code = write_split(p, &input[s], l->labels ? &target[s] : NULL, s, p->order + at);
    for (int s = 0; s < SPLITS; s++) {
        if (code == FINE && begun >> s & 1 && !array_npy_seal(&input[s], &e))
            code = complain_array(&e);
        if (code == FINE && labelled >> s & 1 && !array_npy_seal(&target[s], &e))
            code = complain_array(&e);
    }
    if (code == FINE && l->classes)
        code = write_classes(&classes, p, list);
    for (int s = 0; s < SPLITS; s++) {
        if (begun >> s & 1)
            outs[count++] = &input[s].out;
        if (labelled >> s & 1)
            outs[count++] = &target[s].out;
    }
    outs[count] = &classes;
    if (code == FINE)
        code = set_commit(p->w.dir, outs, count + (l->classes != NULL), (const char *const[]){ l->classes ? NULL : list, NULL });
    for (int i = 0; i <= count && code != FINE; i++)
        array_out_abandon(outs[i]);
    return code;
}

/* ---- the summary ------------------------------------------------------------------------------------------------------- */

static void list_shape(const char *before, int rank, const int64_t *shape)
{
    tell("%s[", before);
    for (int i = 0; i < rank; i++)
        tell("%s%" PRId64, i ? ", " : "", shape[i]);
    tell("]");
}

/* counts [class][split] of all labels. */
static int64_t *count_classes(const Pack *p)
{
    const List *l = &p->list;
    int64_t *counts = need(NULL, (size_t)l->class_count * SPLITS * sizeof *counts), at = 0;
    memset(counts, 0, (size_t)l->class_count * SPLITS * sizeof *counts);
    for (int s = 0; s < SPLITS; s++)
        for (int64_t i = 0; i < p->counts[s]; i++, at++)
            for (size_t k = 0; k < l->label_bytes / sizeof(int32_t); k++)
                counts[((const int32_t *)((const char *)l->labels + p->order[at] * l->label_bytes))[k] * SPLITS + s]++;
    return counts;
}

/* Programs that read the list of classes as UTF-8 stop at such a name, others show it in some way of their own. */
static void warn_of_bytes(const Pack *p)
{
    for (int i = 0; p->list.classes && i < p->list.class_count; i++) {
        const char *name = p->list.classes[i];
        size_t at = 0, step;
        for (; name[at] && (step = text_utf8(name + at, strlen(name + at))); at += step)
            continue;
        if (!name[at])
            continue;
        complain(FINE, "warning: the name of class %d, %s, is not UTF-8 (byte 0x%02x): it is shown with U+FFFD there; %s", i, name, (unsigned char)name[at],
                 p->w.labels ? "save the table as UTF-8, as with iconv -f LATIN1 -t UTF-8" : "convmv -f LATIN1 -t UTF-8 renames folders");
        return;
    }
}

static void say_classes(const Pack *p)
{
    const List *l = &p->list;
    int64_t *counts = count_classes(p);
    int missing = 0, first = -1;
    tell("\n%-24s %9s %9s %9s\n", "class", "train", "valid", "test");
    for (int c = 0; c < l->class_count; c++) {
        const int64_t *n = counts + c * SPLITS;
        if (!n[0] && !missing++)
            first = c;
        if (c < SHOWN_CLASSES)
            tell("%3d %-20.60s %9" PRId64 " %9" PRId64 " %9" PRId64 "\n", c, l->classes ? l->classes[c] : "", n[0], n[1], n[2]);
    }
    if (l->class_count > SHOWN_CLASSES)
        tell("    and %d classes more\n", l->class_count - SHOWN_CLASSES);
    if (missing)
        complain(FINE, "warning: %d of %d classes ha%s no example to train on: %d%s%s%s", missing, l->class_count, missing == 1 ? "s" : "ve", first,
                 l->classes ? " " : "", l->classes ? l->classes[first] : "", missing > 1 ? ", ..." : "");
    warn_of_bytes(p);
    free(counts);
}

static void say_all(const Pack *p)
{
    const List *l = &p->list;
    const size_t n = p->bytes / array_type_size(p->type);
    const bool u1 = p->type == ARRAY_U1;
    tell("%-6s %9s   %s\n", "split", "examples", "range and mean of the input");
    for (int s = 0; s < SPLITS; s++)
        if (p->counts[s])
            tell("%-6s %9" PRId64 "   %g to %g, mean %.4g\n", split_names[s], p->counts[s], p->low[s], p->high[s], p->sum[s] / ((double)n * (double)p->counts[s]));
    if (l->labels && l->label_type == ARRAY_I4)
        say_classes(p);
    if (!u1 && p->high[0] > 20)
        complain(FINE, "warning: the input reaches %g; nets learn better from numbers around 0 to 1", p->high[0]);
    if (p->low[0] == p->high[0])
        complain(FINE, "warning: every element of the input is %g", p->low[0]);
    tell("\n%s/SPLIT_%s.npy%s%s%s\nIn the model:\n  inputs:  { %s: { ", p->w.dir, p->w.input, l->labels ? " and SPLIT_" : "", l->labels ? p->w.target : "",
           l->labels ? ".npy" : "", p->w.input);
    list_shape("shape: ", p->rank, p->shape);
    tell("%s } }\n", u1 ? ", dtype: u8" : "");
    if (!l->labels)
        return;
    tell("  targets: { %s: { ", p->w.target);
    if (l->label_type == ARRAY_F4)
        list_shape("shape: ", l->label_rank, l->label_shape);
    else if (l->label_rank)
        tell("length: %" PRId64 ", classes: %d", l->label_shape[0], l->class_count);
    else
        tell("classes: %d", l->class_count);
    tell(" } }\n");
}

/* ---- the command ------------------------------------------------------------------------------------------------------- */

/* A name of the model is part of a file's name: an identifier. */
static bool is_name(const char *text)
{
    return *text && strlen(text) < 64 && !(*text >= '0' && *text <= '9') &&
           !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")];
}

static int check_wishes(const Wishes *w)
{
    static const char *const ways[] = { "pad", "crop", "scale" };
    int way = 0;
    if (!w->source)
        return complain(WRONG_USAGE, "pack needs a folder of pictures or a .npy: spn-data pack SOURCE; see --help");
    while (w->fit && way < 3 && strcmp(w->fit, ways[way]))
        way++;
    if (way == 3)
        return complain_unknown("way for --fit", w->fit, ways, 3);
    if (w->channels != 0 && w->channels != 1 && w->channels != 3)
        return complain(WRONG_USAGE, "--channels: expected 1 or 3, got %" PRId64, w->channels);
    if (!is_name(w->input) || !is_name(w->target) || !strcmp(w->input, w->target))
        return complain(WRONG_USAGE, "--input %s, --target %s: expected two different names as a model has them: letters, digits, _", w->input, w->target);
    return FINE;
}

#define AT(field) offsetof(Wishes, field), 0
static const Option pack_options[] = {
    { "--labels", "FILE", TEXT, AT(labels), "labels, as above" },
    { "--labels-as", "classes|indices|reals", CHOICE, AT(as), "what labels are, where their type leaves it open: see above" },
    { "--columns", "FILE,LABEL...", TEXT, AT(columns), "of a table: names of its header, or numbers from 1" },
    { "--valid", "A", TEXT, AT(valid), "share (0.1) or number (1000) of the examples for validation (default 0.1)" },
    { "--test", "A", TEXT, AT(test), "the same for the test (default 0.1)" },
    { "--seed", "N", INT64(0, INT64_MAX), AT(seed), "another seed, other splits (default 1); one seed gives the same bytes everywhere" },
    { "--size", "HxW", TEXT, AT(size), "size of the input (default: that of the first picture); other sizes are refused, unless" },
    { "--fit", "HOW", TEXT, AT(fit), "pad: black around; crop: the middle; scale: to fit, proportions kept, black around" },
    { "--channels", "N", INT64(1, 3), AT(channels), "1 (grey) or 3 (colour) (default: as the first picture)" },
    { "--ground", "G", INT64(0, 255), AT(ground), "what lies behind transparent pictures: 0 black to 255 white (default: they are refused)" },
    { "--shape", "CxHxW", TEXT, AT(shape), "shape of an example, for arrays (default: that of a row; [H,W] of u1 becomes [1,H,W])" },
    { "--input", "NAME", TEXT, AT(input), "the model's name of the input    (default image)" },
    { "--target", "NAME", TEXT, AT(target), "the model's name of the target   (default label)" },
    { "-o", "DIR", TEXT, AT(dir), "where to write                   (default data; made if missing)" },
};

static int pack(const Command *c, int argc, char **argv)
{
    static Pack p = { .w = { .input = "image", .target = "label", .dir = "data", .seed = 1, .ground = NO_GROUND } };
    Wishes *w = &p.w;
    int code = options_parse(w, &w->source, c, argc, argv);
    if (code != FINE)
        return code < 0 ? FINE : code;
    if ((code = check_wishes(w)) != FINE)
        return code;
    struct stat s;
    if (stat(w->source, &s))
        return complain(WRONG_INPUT, "%s: %s; expected a folder of pictures or a .npy", w->source, strerror(errno));
    const LabelsAs as = !w->as ? BY_TYPE : *w->as == 'c' ? AS_CLASSES : *w->as == 'i' ? AS_INDICES : AS_REALS;
    const bool array = !S_ISDIR(s.st_mode), table = !array && w->labels;
    if (w->columns && !table)
        return complain(WRONG_USAGE, "--columns is for a table: pack FOLDER --labels TABLE");
    if (w->as && !w->labels)
        return complain(WRONG_USAGE, "--labels-as is for --labels; the classes of folders are their names");
    code = array ? list_array(&p.list, w->source, w->labels, as) : table ? list_table(&p.list, w->source, w->labels, w->columns, as)
           : list_folder(&p.list, w->source);
    if (code == FINE && !array && !table)
        code = list_refuse_twice(&p.list, NULL, NULL);
    if (code == FINE)
        code = measure(&p);
    if (code == FINE)
        code = draw_splits(&p);
    if (code == FINE)
        code = refuse_old(&p);
    if (code == FINE)
        code = make_folder(w->dir);
    if (code == FINE)
        code = write_files(&p);
    if (code == FINE)
        say_all(&p);
    else
        take_back();
    return code;
}

const Command command_pack = {
    "pack", "SOURCE", "the same from pictures or arrays of your own",
    "Makes DIR/{train,valid,test}_NAME.npy, which a model reads, from what SOURCE is:\n"
    "  FOLDER/CLASS/picture            a folder for each class; PNG, JPEG, PBM, PGM, PPM or PAM\n"
    "  FOLDER/SPLIT/CLASS/picture      the same in folders train, valid (val), test: those splits are kept\n"
    "  FOLDER with --labels TABLE      lines of file,label[,label...] (commas, semicolons or tabs), with or without a header\n"
    "  IMAGES.npy with --labels L.npy  rows of arrays: u1, f4 or f8\n"
    "Without labels only the input is written.  Whole numbers and names in a table become classes, in numeric order and by name;\n"
    "whole numbers of an array are the classes' numbers; real numbers become a target of f4.  docs/data.md has the details.\n",
    pack_options, sizeof pack_options / sizeof *pack_options, pack,
};
