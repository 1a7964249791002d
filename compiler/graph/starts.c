/* starts.c -- parameters that start as numbers of a file: `train: nets: { NET: { init: { file: PATH } } }`.
 *
 * In: OwnTraining.file, and m->weights and m->buffers once shapes are known.  Out: Weight.start.  The file has names as this model has them, and may hold
 * others; every parameter of the net must be in it, a running statistic may.  It is read here, so that the program needs no file to start. */
#include "graph/model.h"
#include "base/folder.h"
#include "files/array_file.h"
#include "files/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ENVIRONMENT = 74 };
static const size_t HEADERS = (size_t)64 << 20;          /* bytes of a file beside its numbers */

/* What one entry reads. */
typedef struct { Model *m; const OwnTraining *own; const char *path; ArrayList list; } File;

Weight *weight_at(const Model *m, int k)
{
    return k < m->weights.count ? m->weights.items[k] : k < m->weights.count + m->buffers.count ? m->buffers.items[k - m->weights.count] : NULL;
}

static Weight *named(const Model *m, const char *name)
{
    for (int k = 0; weight_at(m, k); k++)
        if (strcmp(weight_at(m, k)->name, name) == 0)
            return weight_at(m, k);
    return NULL;
}

static bool fits(const Array *a, const Weight *w)
{
    bool same = a->rank == w->shape.rank;
    for (int i = 0; i < a->rank && same; i++)
        same = a->shape[i] == w->shape.dim[i];
    return same;
}

/* For the readers: arrays that are parameters of this entry and have their shape. */
static bool is_wanted(const Array *a, const void *file)
{
    const File *f = file;
    const Weight *w = named(f->m, a->name);
    return w && parameters_own(f->m, w) == f->own && fits(a, w);
}

/* Opens the file of f; false after an error. */
static bool file_open(File *f)
{
    const Yaml *y = f->own->file;
    ArrayError e;
    size_t numbers = 0;
    for (int k = 0; weight_at(f->m, k); k++)
        numbers += (size_t)shape_count(&weight_at(f->m, k)->shape);
    const bool zip = text_ends(f->path, ".npz");
    if (!zip && !text_ends(f->path, ".safetensors")) {
        diag_error(f->m->diag, y->loc, "a file of weights is an .npz or a .safetensors, not '%s'", y->text);
        return false;
    }
    if ((zip ? array_read_npz : array_read_safetensors)(&f->list, f->path, is_wanted, f, numbers * sizeof(double) + HEADERS, &e))
        return true;
    if (e.exit_code == ENVIRONMENT) {
        fprintf(stderr, "spnc: %s\n", e.text);
        exit(ENVIRONMENT);
    }
    diag_error(f->m->diag, y->loc, "%s", e.text);
    return false;
}

static void refuse_missing(const File *f, const Weight *w)
{
    const char **names = NEW_ARRAY(f->m->arena, const char *, f->list.count + 1);
    for (int i = 0; i < f->list.count; i++)
        names[i] = f->list.items[i].name;
    diag_error(f->m->diag, f->own->file->loc, "%s: parameter %s is missing%s", f->path, w->name, diag_suggestion(f->m->arena, w->name, names, f->list.count));
    diag_note(f->m->diag, w->loc, "it belongs here");
}

/* Takes the numbers of w from the file. */
static void take(const File *f, Weight *w, const Array *a)
{
    Model *m = f->m;
    const int64_t n = shape_count(&w->shape);
    char found[160], why[ARRAY_REFUSAL];
    if (array_refusal(why, a)) {
        diag_error(m->diag, f->own->file->loc, "%s: parameter %s %s", f->path, w->name, why);
        return;
    }
    if (!fits(a, w)) {
        Text expected = { .arena = m->arena };
        for (int i = 0; i < w->shape.rank; i++)
            text_printf(&expected, "[%lld]", (long long)w->shape.dim[i]);
        diag_error(m->diag, f->own->file->loc, "%s: parameter %s has shape %s, expected %s", f->path, w->name, array_shape_text(found, sizeof found, a),
                   expected.text ? expected.text : "[]");
        diag_note(m->diag, w->loc, "it belongs here");
        return;
    }
    double *numbers = NEW_ARRAY(m->arena, double, (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        numbers[i] = m->options.is_double ? array_number(a, i) : (double)(float)array_number(a, i);
        if (!isfinite(numbers[i])) {
            diag_error(m->diag, f->own->file->loc, "%s: parameter %s, element %lld, is not a finite number", f->path, w->name, (long long)i);
            return;
        }
    }
    w->start = numbers;
}

/* Warns of parameters that the entry fits, but that another, longer key counts for alone, which has no file. */
static void warn_of_longer(Model *m, const OwnTraining *own)
{
    for (int i = 0; i < m->train.own_count; i++) {
        const OwnTraining *longer = &m->train.own[i];
        for (int k = 0; k < m->weights.count && longer != own && !longer->file; k++) {
            Weight *w = m->weights.items[k];
            if (!parameters_fit(m, own->key, w->name) || parameters_own(m, w) != longer)
                continue;
            diag_warning(m->diag, longer->key_loc,
                         "%s does not start from %s: of the keys that fit a parameter the longest alone counts; give '%s' the init of '%s' too",
                         w->name, own->file->text, longer->key, own->key);
            break;
        }
    }
}

void starts_read(Model *m)
{
    for (int i = 0; i < m->train.own_count && !m->options.inference; i++) {
        const OwnTraining *own = &m->train.own[i];
        if (!own->file)
            continue;
        File f = { .m = m, .own = own, .path = path_beside(m->arena, m->path, own->file->text) };
        int parameters = 0, statistics = 0;
        if (!file_open(&f))
            continue;
        for (int k = 0; weight_at(m, k); k++) {
            Weight *w = weight_at(m, k);
            if (parameters_own(m, w) != own)
                continue;
            const Array *a = array_find(&f.list, w->name);
            if (a)
                take(&f, w, a);
            else if (k < m->weights.count)
                refuse_missing(&f, w);
            *(k < m->weights.count ? &parameters : &statistics) += a != NULL;
        }
        remark(m, own->key_loc, "%s starts from %s: %d parameter%s%s", own->key, own->file->text, parameters, parameters == 1 ? "" : "s",
               statistics ? arena_printf(m->arena, ", %d running statistics", statistics) : "");
        array_list_free(&f.list);
        warn_of_longer(m, own);
    }
}
