/* weights.c -- from a file of weights, or a run, to NAME.weights and NAME_weights.c.
 *
 * In: the planned net; .npz, .safetensors or a checkpoint.  Out: m->weights as bytes, each at its place in the block, padding 0.
 * The one convention: an element's index is that of the exported order, PyTorch's; the layout says where it lies in the block.  Winograd's U is
 * computed here, in the order of conv_winograd_filters.c.in, and scale and shift of a batch norm, so to the same bits. */
#define _GNU_SOURCE
#include "library/weights.h"
#include "emit/library.h"
#include "files/container.h"
#include "files/text.h"
#include "lower/latency.h"
#include "lower/transform.h"
#include "lower/winograd.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KERNEL = 3, BY_ASSEMBLER = 1 << 20, A_LINE = 6, ENVIRONMENT = 74 };
static const size_t HEADERS = (size_t)64 << 20;          /* bytes of a file beside its numbers */

/* What was read; arrays of a checkpoint are called weights/NAME, those of buffers buffers/NAME. */
typedef struct { const char *path; bool checkpoint; ArrayList list; Container container; const Array *items; int count; } Given;

static const char *const prefixes[] = { "average/", "weights/", "buffers/" };         /* of their names in a checkpoint */
enum { PREFIXES = sizeof prefixes / sizeof *prefixes };

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static bool refused(Model *m, const Given *s, const ArrayError *e)
{
    if (e->exit_code == ENVIRONMENT) {
        fprintf(stderr, "spnc: %s\n", e->text);
        exit(ENVIRONMENT);
    }
    size_t n = strlen(s->path);
    diag_error(m->diag, (Loc){ 0 }, "%s: %s", s->path, strncmp(e->text, s->path, n) == 0 && e->text[n] == ':' ? e->text + n + 2 : e->text);
    return false;
}

static const Weight *parameter_named(const Model *m, const char *name)
{
    for (int i = 0; i < m->parameters.count; i++)
        if (strcmp(((Weight *)m->parameters.items[i])->name, name) == 0)
            return m->parameters.items[i];
    return NULL;
}

static bool fits(const Array *a, const Weight *w)
{
    if (a->rank != w->shape.rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->shape[i] != w->shape.dim[i])
            return false;
    return true;
}

/* For array_read_npz: the arrays that are parameters of the net. */
static bool is_wanted(const Array *a, const void *model)
{
    const Weight *w = parameter_named(model, a->name);
    return w && fits(a, w);
}

/* The checkpoint of the run in the folder `path`: the best one, else the newest; NULL: none. */
static const char *checkpoint_of(Arena *a, const char *path)
{
    static const char *const names[] = { "best", "last", "last.previous" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *file = arena_printf(a, "%s/%s", path, names[i]);
        if (access(file, F_OK) == 0)
            return file;
    }
    return NULL;
}

static bool read_source(Model *m, Given *s)
{
    struct stat status;
    ArrayError e;
    size_t numbers = 0;
    for (int i = 0; i < m->parameters.count; i++)
        numbers += (size_t)shape_count(&((Weight *)m->parameters.items[i])->shape);
    if (stat(s->path, &status) == 0 && S_ISDIR(status.st_mode)) {
        const char *checkpoint = checkpoint_of(m->arena, s->path);
        if (!checkpoint) {
            diag_error(m->diag, (Loc){ 0 },
                       "%s is no run: it has neither a checkpoint `best` nor `last`; --weights takes a run, an .npz or a .safetensors",
                       s->path);
            return false;
        }
        s->path = checkpoint;
    }
    if (text_ends(s->path, ".npz") || text_ends(s->path, ".safetensors")) {
        bool zip = text_ends(s->path, ".npz");
        if (!(zip ? array_read_npz : array_read_safetensors)(&s->list, s->path, is_wanted, m, numbers * sizeof(double) + HEADERS, &e))
            return refused(m, s, &e);
        s->items = s->list.items, s->count = s->list.count;
        return true;
    }
    s->checkpoint = true;
    if (!container_read(&s->container, s->path, 8 * numbers * sizeof(double) + HEADERS, &e))       /* with all of its blocks */
        return refused(m, s, &e);
    s->items = s->container.blocks, s->count = s->container.count;
    return true;
}

/* The array of the parameter or buffer w; NULL: it is missing.  Of a checkpoint the average of a parameter where it has one, which is what
 * training has evaluated. */
static const Array *array_of(const Given *s, const Weight *w)
{
    for (int k = 0; k < (s->checkpoint ? PREFIXES : 1); k++) {
        const size_t n = s->checkpoint ? strlen(prefixes[k]) : 0;
        for (int i = 0; i < s->count; i++)
            if (strncmp(s->items[i].name, s->checkpoint ? prefixes[k] : "", n) == 0 && strcmp(s->items[i].name + n, w->name) == 0)
                return &s->items[i];
    }
    return NULL;
}

/* ---- what does not fit ------------------------------------------------------------------------------------------------ */

static const char *suggestion(Model *m, const Given *s, const Weight *w)
{
    const char **names = NEW_ARRAY(m->arena, const char *, s->count + 1);
    for (int i = 0; i < s->count; i++)
        names[i] = s->items[i].name;
    return diag_suggestion(m->arena, w->name, names, s->count);
}

static bool all_finite(const Array *a, int64_t *at)
{
    for (int64_t i = 0; i < array_count(a); i++)
        if (!isfinite(array_number(a, i)))
            return *at = i, false;
    return true;
}

static void check_parameter(Model *m, const Given *s, const Weight *w)
{
    const Array *a = array_of(s, w);
    char found[160], why[ARRAY_REFUSAL];
    int64_t at;
    if (!a) {
        diag_error(m->diag, (Loc){ 0 }, "%s: parameter %s is missing%s", s->path, w->name, suggestion(m, s, w));
    } else if (array_refusal(why, a)) {
        diag_error(m->diag, (Loc){ 0 }, "%s: parameter %s %s", s->path, w->name, why);
    } else if (!fits(a, w)) {
        Text expected = { .arena = m->arena };
        for (int i = 0; i < w->shape.rank; i++)
            text_printf(&expected, "[%lld]", (long long)w->shape.dim[i]);
        diag_error(m->diag, (Loc){ 0 }, "%s: parameter %s has shape %s, expected %s", s->path, w->name,
                   array_shape_text(found, sizeof found, a), expected.text ? expected.text : "[]");
    } else if (!all_finite(a, &at)) {
        diag_error(m->diag, (Loc){ 0 }, "%s: parameter %s, element %lld, is not finite: no trained net has such a weight", s->path, w->name,
                   (long long)at);
    } else {
        return;
    }
    diag_note(m->diag, w->loc, "it belongs here");
}

/* The name of the parameter or buffer that an array is; NULL: it is something else, as the optimiser's state in a checkpoint. */
static const char *name_of(const Given *s, const Array *a)
{
    if (!s->checkpoint)
        return a->name;
    for (int k = 0; k < PREFIXES; k++)
        if (strncmp(a->name, prefixes[k], strlen(prefixes[k])) == 0)
            return a->name + strlen(prefixes[k]);
    return NULL;
}

/* PyTorch's count of updates of a batch norm that the net has. */
static bool counts_updates(const Model *m, const char *name)
{
    const char *end = ".num_batches_tracked";
    return text_ends(name, end) && parameter_named(m, arena_printf(m->arena, "%.*s.running_mean", (int)(strlen(name) - strlen(end)), name));
}

static bool check_all(Model *m, const Given *s)
{
    const int before = diag_errors(m->diag);
    for (int i = 0; i < m->parameters.count; i++)
        check_parameter(m, s, m->parameters.items[i]);
    for (int i = 0; i < s->count; i++) {
        const char *name = name_of(s, &s->items[i]);
        if (name && !parameter_named(m, name) && !counts_updates(m, name))
            diag_error(m->diag, (Loc){ 0 }, "%s: the net has no parameter %s: remove it from the file, or take the weights of this model",
                       s->path, name);
    }
    return diag_errors(m->diag) == before;
}

/* ---- layouts ---------------------------------------------------------------------------------------------------------- */

/* The block of a library's weights, of float or double. */
typedef struct { void *numbers; bool is_double; } Block;

static void set(const Block *b, int64_t at, double v)
{
    if (b->is_double)
        ((double *)b->numbers)[at] = v;
    else
        ((float *)b->numbers)[at] = (float)v;
}

static double as_real(const Block *b, double v) { return b->is_double ? v : (double)(float)v; }

/* U = G g G' of one filter and channel, for tiles of mh x mw outputs: position (a, s) lies at u + (a * nw + s) * plane. */
static void transform_tile(const Block *b, int mh, int mw, int64_t u, int64_t plane, double g[KERNEL][KERNEL])
{
    const int nh = mh + KERNEL - 1, nw = mw + KERNEL - 1;
    double line[KERNEL][TRANSFORM_SIDE], column[KERNEL], result[TRANSFORM_SIDE];
    for (int r = 0; r < KERNEL; r++)
        transform_filter(mw, b->is_double, g[r], line[r]);
    for (int s = 0; s < nw; s++) {
        for (int r = 0; r < KERNEL; r++)
            column[r] = line[r][s];
        transform_filter(mh, b->is_double, column, result);
        for (int a = 0; a < nh; a++)
            set(b, u + (int64_t)(a * nw + s) * plane, result[a]);
    }
}

/* For each kind of tiles. */
static void transform_one(const Block *b, const Winograd *w, int64_t u, double g[KERNEL][KERNEL])
{
    for (const WinogradKind *k = w->kind; k < w->kind + w->kinds; k++)
        transform_tile(b, k->mh, k->mw, u + (int64_t)k->at * w->matrix, w->matrix, g);
}

static void pack_transformed(const Block *b, const Weight *to, const Array *from)
{
    const Shape *x = &to->made_for->reads[0].tensor->shape, *y = &to->made_for->writes[0].tensor->shape;
    const Winograd w = winograd_of(x->dim[0], y->dim[0], y->dim[1], y->dim[2]);
    for (int p = 0; p < w.P; p++)
        for (int q = 0; q < w.Q; q++) {
            const int64_t first = (int64_t)(w.across ? p * w.C + q : q * w.C + p) * KERNEL * KERNEL;
            double g[KERNEL][KERNEL];
            for (int k = 0; k < KERNEL * KERNEL; k++)
                g[k / KERNEL][k % KERNEL] = as_real(b, array_number(from, first + k));
            transform_one(b, &w, to->offset + (int64_t)(q / LANES) * w.block + p * LANES + q % LANES, g);
        }
}

/* What a batch norm's scale and shift follow from: op is its batch_statistics.  weight and bias NULL: 1 and 0. */
typedef struct { const Op *op; const Array *mean, *variance, *weight, *bias; } Norm;

static Norm norm_of(const Given *s, const Op *op)
{
    return (Norm){ op, array_of(s, op->norm.mean), array_of(s, op->norm.variance), op->weight_count ? array_of(s, op->weights[0]) : NULL,
                   op->weight_count ? array_of(s, op->weights[1]) : NULL };
}

/* scale[channels], then shift[channels], in the order of runtime/batch_norm.h. */
static void pack_scales(const Block *b, const Weight *to, const Given *s)
{
    const Norm n = norm_of(s, to->made_for);
    const Op *op = n.op;
    const Array *mean = n.mean, *variance = n.variance, *weight = n.weight, *bias = n.bias;
    const int64_t channels = op->norm.mean->shape.dim[0];
    for (int64_t c = 0; c < channels; c++) {
        const double inverse = 1 / sqrt(as_real(b, array_number(variance, c)) + op_real(op, "epsilon"));
        const double scale = as_real(b, (weight ? as_real(b, array_number(weight, c)) : 1) * inverse);
        set(b, to->offset + c, scale);
        set(b, to->offset + channels + c, (bias ? as_real(b, array_number(bias, c)) : 0) - as_real(b, array_number(mean, c)) * scale);
    }
}

/* The factor of channel c, without a norm 1; *shift: what is added to it then. */
static double factor(const Norm *n, int64_t c, double *shift)
{
    *shift = 0;
    if (!n->op)
        return 1;
    const double scale = (n->weight ? array_number(n->weight, c) : 1) / sqrt(array_number(n->variance, c) + op_real(n->op, "epsilon"));
    *shift = (n->bias ? array_number(n->bias, c) : 0) - array_number(n->mean, c) * scale;
    return scale;
}

/* A weight or a bias of the latency form, with the batch norm that is folded into it. */
static void pack_latency(const Block *b, const Weight *to, const Given *s)
{
    const Norm n = to->made_for->fold.norm ? norm_of(s, to->made_for->fold.norm) : (Norm){ 0 };
    const Array *from = to->of ? array_of(s, to->of) : NULL;
    const int64_t count = from ? array_count(from) : to->made_for->weights[0]->of->shape.dim[0];
    const Latency *l = to->made_for->kernel.latency;
    double shift;
    for (int64_t i = 0; l->kind == BY_TILES && to->layout == W_LATENCY && i < count; i += KERNEL * KERNEL) {
        const int64_t f = i / (KERNEL * KERNEL) / l->C, c = i / (KERNEL * KERNEL) % l->C;
        const double scale = factor(&n, f, &shift);
        double g[KERNEL][KERNEL];
        for (int k = 0; k < KERNEL * KERNEL; k++)
            g[k / KERNEL][k % KERNEL] = as_real(b, array_number(from, i + k) * scale);
        transform_tile(b, l->side, l->side, to->offset + c * l->MP + f, (int64_t)l->C * l->MP, g);
    }
    for (int64_t i = 0; !(l->kind == BY_TILES && to->layout == W_LATENCY) && i < count; i++) {
        const double scale = factor(&n, latency_filter(to, i), &shift), v = (from ? array_number(from, i) : 0) * scale;
        set(b, to->offset + latency_place(to, i), to->layout == W_LATENCY_BIAS ? v + shift : v);
    }
}

/* Where element i lies among those of the weight. */
static int64_t place_of(const Weight *w, int64_t i)
{
    if (w->layout != W_IN_OUT && w->layout != W_PANELS)
        return i;
    const int64_t inputs = w->shape.dim[1], k = i % inputs, m = i / inputs;
    return w->layout == W_IN_OUT ? k * w->stride + m : (m / LANES * inputs + k) * LANES + m % LANES;
}

static void pack(const Block *b, const Weight *to, const Given *s)
{
    if (to->layout == W_LATENCY || to->layout == W_LATENCY_BIAS) {
        pack_latency(b, to, s);
        return;
    }
    const Array *from = array_of(s, to->of ? to->of : to);
    if (to->layout == W_TRANSFORMED) {
        pack_transformed(b, to, from);
        return;
    }
    if (to->layout == W_SCALES) {
        pack_scales(b, to, s);
        return;
    }
    for (int64_t i = 0; i < shape_count(&to->shape); i++)
        set(b, to->offset + place_of(to, i), array_number(from, i));
}

bool weights_pack(Model *m, const char *path, Text *bytes)
{
    Given s = { .path = path };
    if (!read_source(m, &s))
        return false;
    const bool good = check_all(m, &s);
    if (good) {
        const size_t real = m->options.is_double ? sizeof(double) : sizeof(float), numbers = m->weights.count ? (size_t)m->block_reals : 1;
        const size_t size = (LIBRARY_HEAD + (numbers + LIBRARY_HEAD - 1) / LIBRARY_HEAD * LIBRARY_HEAD) * real;
        char *all = arena_alloc(m->arena, size);
        const uint64_t head[] = { LIBRARY_MAGIC, library_layout(m), size };
        const Block b = { all + LIBRARY_HEAD * real, m->options.is_double };
        memcpy(all, head, sizeof head);
        for (int i = 0; i < m->weights.count; i++)
            pack(&b, m->weights.items[i], &s);
        text_add(bytes, all, size);
    }
    array_list_free(&s.list);
    container_free(&s.container);
    return good;
}

/* ---- NAME_weights.c --------------------------------------------------------------------------------------------------- */

static void as_numbers(Model *m, const Text *bytes, Text *c)
{
    uint64_t head[3];
    memcpy(head, bytes->text, sizeof head);
    text_printf(c, "static const WeightsFile compiled = {\n    0x%016llxu, 0x%016llxu, %lluu,\n    {", (unsigned long long)head[0],
                (unsigned long long)head[1], (unsigned long long)head[2]);
    const size_t real = m->options.is_double ? sizeof(double) : sizeof(float), n = bytes->length / real - LIBRARY_HEAD;
    for (size_t i = 0; i < n; i++) {
        const char *at = bytes->text + (LIBRARY_HEAD + i) * real;
        double wide;
        float narrow;
        memcpy(&narrow, at, sizeof narrow);
        if (m->options.is_double)
            memcpy(&wide, at, sizeof wide);
        else
            wide = narrow;
        text_printf(c, "%s%a%s,", i % A_LINE ? " " : "\n        ", wide, m->options.is_double ? "" : "f");
    }
    text_printf(c, "\n    },\n};\n");
}

static void by_assembler(Model *m, Text *c)
{
    const char *n = m->name;
    text_printf(c,
                "#ifndef %s_FILE\n#define %s_FILE \"%s.weights\"       /* for a compiler that runs elsewhere: -D%s_FILE='\"path\"' */\n#endif\n"
                "__asm__(\".pushsection .rodata\\n.balign 128\\n%s_compiled:\\n.incbin \\\"\" %s_FILE \"\\\"\\n.popsection\\n\");\n"
                "extern const WeightsFile compiled __asm__(\"%s_compiled\") __attribute__((visibility(\"hidden\")));\n",
                n, n, n, n, n, n, n);
}

void weights_source(Model *m, const Text *bytes, Text *c)
{
    const char *n = m->name;
    text_printf(c, "/* SPDX-License-Identifier: 0BSD */\n/* %s_weights.c -- made by spnc: the weights of %s, as they are in %s.weights.", n, n, n);
    text_printf(c, "  %s.c includes it. */\n", n);
    if (bytes->length <= BY_ASSEMBLER)
        as_numbers(m, bytes, c);
    else
        by_assembler(m, c);
    text_printf(c, "static const WeightsFile *const compiled_in = &compiled;\n");
}
