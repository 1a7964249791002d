/* include.c -- `include:` of a model: nets and params of other files, as if they were written in it.
 *
 * In: the model's tree, with the files that it names, in its folder or below.  Out: m->root as one tree without `include`; each node keeps its own
 * file, so a message about it has its place there.  A file that two others include is read once.  Names are unique over all files; but a parameter of
 * the model itself stands instead of an included one, which others see: it is reckoned where the included one stands. */
#define _XOPEN_SOURCE 700
#include "graph/model.h"
#include "base/folder.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 64 };

/* A file that is read, or being read. */
typedef struct { const char *path, *real; bool open; } File;

/* Pairs of a map that grows. */
typedef struct { List keys, items; } Pairs;

typedef struct {
    Model *m;
    const char *folder;      /* the model's, without links */
    List files;              /* File */
    Pairs params, nets;
    const Yaml *own;         /* the model's own params, or NULL */
} Includes;

/* A path of the C library, copied; NULL: there is no such file. */
static const char *real_path(Arena *a, const char *path)
{
    char *found = realpath(path, NULL);
    const char *copy = found ? arena_copy(a, found, strlen(found)) : NULL;
    free(found);
    return copy;
}

static bool within(const char *path, const char *folder)
{
    const size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || folder[n - 1] == '/');
}

static bool put(Includes *x, Pairs *p, Yaml *key, Yaml *item)
{
    for (int i = 0; i < p->keys.count; i++) {
        const Yaml *first = p->keys.items[i];
        if (strcmp(first->text, key->text))
            continue;
        diag_error(x->m->diag, key->loc, "'%s' is defined twice", key->text);
        diag_note(x->m->diag, first->loc, "the first definition is here");
        return false;
    }
    list_push(x->m->arena, &p->keys, key);
    list_push(x->m->arena, &p->items, item);
    return true;
}

/* ---- params ------------------------------------------------------------------------------------------------------ */

static bool placed(const Pairs *p, const char *name)
{
    for (int i = 0; i < p->keys.count; i++)
        if (strcmp(((Yaml *)p->keys.items[i])->text, name) == 0)
            return true;
    return false;
}

static void place_own(Includes *x, int i);

/* The model's own parameters above the `below`-th that a text mentions. */
static void place_mentioned(Includes *x, const Yaml *item, int below)
{
    for (const char *c = item->kind == YAML_SCALAR ? strchr(item->text, '$') : NULL; c; c = strchr(c + 1, '$')) {
        size_t n = 0;
        while (isalnum((unsigned char)c[1 + n]) || c[1 + n] == '_')
            n++;
        const char *word = arena_copy(x->m->arena, c + 1, n);
        for (int k = 0; k < below; k++)
            if (strcmp(x->own->keys[k]->text, word) == 0)
                place_own(x, k);
    }
}

/* The model's own parameter i, and before it those above it that its text mentions. */
static void place_own(Includes *x, int i)
{
    if (placed(&x->params, x->own->keys[i]->text))
        return;
    place_mentioned(x, x->own->items[i], i);
    put(x, &x->params, x->own->keys[i], x->own->items[i]);
}

static bool take_params(Includes *x, const Yaml *params)
{
    bool good = true;
    for (int i = 0; i < params->count; i++) {
        int own = x->own ? x->own->count - 1 : -1;
        while (own >= 0 && strcmp(x->own->keys[own]->text, params->keys[i]->text))
            own--;
        if (own >= 0) {
            place_own(x, own);
            continue;
        }
        place_mentioned(x, params->items[i], x->own ? x->own->count : 0);
        good = put(x, &x->params, params->keys[i], params->items[i]) && good;
    }
    return good;
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

static bool included(Includes *x, const char *from, const Yaml *y);

/* What a file that is read holds: first what it includes. */
static bool take(Includes *x, const char *path, const Yaml *root)
{
    Model *m = x->m;
    if (!map_expected(m, root, "an included file") || !map_keys_known(m, root, &map_included))
        return false;
    const Yaml *include = yaml_get(root, "include"), *params = yaml_get(root, "params"), *nets = yaml_get(root, "nets");
    bool good = !include || included(x, path, include);
    if (params)
        good = map_expected(m, params, "params") && take_params(x, params) && good;
    if (nets && !map_expected(m, nets, "nets"))
        return false;
    for (int i = 0; nets && i < nets->count; i++)
        good = put(x, &x->nets, nets->keys[i], nets->items[i]) && good;
    return good;
}

static bool include_one(Includes *x, const char *from, const Yaml *y)
{
    Model *m = x->m;
    if (y->kind != YAML_SCALAR || !*y->text) {
        diag_error(m->diag, y->loc, "include holds paths of files: include: blocks.yaml, or a list");
        return false;
    }
    const char *path = path_beside(m->arena, from, y->text), *real = real_path(m->arena, path);
    if (!real) {
        diag_error(m->diag, y->loc, "cannot open '%s': %s", path, strerror(errno));
        return false;
    }
    if (!within(real, x->folder)) {
        diag_error(m->diag, y->loc, "'%s' lies outside of the model's folder: an included file lies there, or below", path);
        return false;
    }
    for (int i = 0; i < x->files.count; i++) {
        const File *f = x->files.items[i];
        if (strcmp(f->real, real))
            continue;
        if (f->open)
            diag_error(m->diag, y->loc, "'%s' includes itself%s", f->path, strcmp(f->path, from) ? ", by way of others" : "");
        return !f->open;
    }
    if (x->files.count == FILES_MAX) {
        diag_error(m->diag, y->loc, "a model is made of at most %d files", FILES_MAX);
        return false;
    }
    File *file = NEW(m->arena, File);
    *file = (File){ path, real, true };
    list_push(m->arena, &x->files, file);
    const Yaml *root = read_file(m->arena, m->diag, path);
    if (!root) {
        diag_note(m->diag, y->loc, "'%s' is included here", path);
        return false;
    }
    list_push(m->arena, &m->included, (void *)(uintptr_t)root->loc.file);
    const bool good = take(x, path, root);
    file->open = false;
    return good;
}

static bool included(Includes *x, const char *from, const Yaml *y)
{
    bool good = true;
    if (y->kind != YAML_LIST)
        return include_one(x, from, y);
    for (int i = 0; i < y->count; i++)
        good = include_one(x, from, y->items[i]) && good;
    return good;
}

/* ---- one tree --------------------------------------------------------------------------------------------------------- */

/* The pairs as a map in the place of `own` (may be NULL), or of the key `include`. */
static Yaml *map_of(Includes *x, const Pairs *p, const Yaml *own, Loc at)
{
    Yaml *y = NEW(x->m->arena, Yaml);
    *y = (Yaml){ .kind = YAML_MAP, .loc = own ? own->loc : at, .count = p->keys.count, .keys = (Yaml **)p->keys.items, .items = (Yaml **)p->items.items };
    return y;
}

/* The root with `value` under `key`: in its place, or at the end. */
static void replace(Model *m, Yaml *root, const char *key, Yaml *value)
{
    for (int i = 0; i < root->count; i++)
        if (strcmp(root->keys[i]->text, key) == 0) {
            root->items[i] = value;
            return;
        }
    Yaml *name = NEW(m->arena, Yaml);
    *name = (Yaml){ .kind = YAML_SCALAR, .loc = value->loc, .text = key };
    root->keys[root->count] = name;
    root->items[root->count++] = value;
}

static Yaml *without_include(Model *m, const Yaml *old)
{
    Yaml *root = NEW(m->arena, Yaml);
    *root = *old;
    root->keys = NEW_ARRAY(m->arena, Yaml *, old->count + 2);
    root->items = NEW_ARRAY(m->arena, Yaml *, old->count + 2);
    root->count = 0;
    for (int i = 0; i < old->count; i++)
        if (strcmp(old->keys[i]->text, "include")) {
            root->keys[root->count] = old->keys[i];
            root->items[root->count++] = old->items[i];
        }
    return root;
}

/* The model's part under `key` if it is a map; NULL with *wrong if it is something else. */
static const Yaml *own_map(const Model *m, const char *key, bool *wrong)
{
    const Yaml *y = yaml_get(m->root, key);
    const bool empty = y && y->kind == YAML_SCALAR && !*y->text && !y->quoted;
    *wrong = y && !empty && y->kind != YAML_MAP;
    return y && y->kind == YAML_MAP ? y : NULL;
}

bool include_read(Model *m)
{
    const Yaml *include = yaml_get(m->root, "include");
    if (!include)
        return true;
    Includes x = { .m = m };
    const char *folder = m->path ? real_path(m->arena, m->path) : NULL;
    if (!folder) {
        diag_error(m->diag, include->loc, "a model that is no file in a folder cannot include others");
        return false;
    }
    const char *slash = strrchr(folder, '/');
    x.folder = slash == folder ? "/" : arena_copy(m->arena, folder, (size_t)(slash - folder));
    bool params_wrong, nets_wrong;
    x.own = own_map(m, "params", &params_wrong);
    const Yaml *nets = own_map(m, "nets", &nets_wrong);
    list_push(m->arena, &x.files, &(File){ m->path, folder, true });
    bool good = included(&x, m->path, include);
    for (int i = 0; x.own && i < x.own->count; i++)
        place_own(&x, i);
    for (int i = 0; nets && i < nets->count; i++)
        good = put(&x, &x.nets, nets->keys[i], nets->items[i]) && good;
    Yaml *root = without_include(m, m->root);
    if (!params_wrong && x.params.keys.count)
        replace(m, root, "params", map_of(&x, &x.params, x.own, include->loc));
    if (!nets_wrong && x.nets.keys.count)
        replace(m, root, "nets", map_of(&x, &x.nets, nets, include->loc));
    m->root = root;
    return good;
}
