/* maps.c -- reads the maps of a model file against the tables of language.c: known keys, numbers, words, shapes.
 *
 * In: a map of the YAML tree and its table (MapSpec).  Out: C values.  Used by the readers of every part of a model.
 * A key that is absent gets the table's default. */
#include "graph/model.h"
#include <string.h>

/* Checks the keys of a map against its table; reports unknown ones with the nearest. */
bool map_keys_known(Model *m, const Yaml *y, const MapSpec *map)
{
    bool good = true;
    int n = 0;
    const char *known[ATTR_MAX];
    for (const AttrSpec *s = map->keys; s->name; s++)
        known[n++] = s->name;
    for (int i = 0; i < y->count; i++) {
        bool found = false;
        for (int k = 0; k < n; k++)
            found = found || strcmp(known[k], y->keys[i]->text) == 0;
        if (found)
            continue;
        const char *ours = attr_elsewhere(m->arena, y->keys[i]->text, known, n);
        diag_error(m->diag, y->keys[i]->loc, "unknown key '%s' in %s%s", y->keys[i]->text, map->what,
                   ours ? ours : diag_suggestion(m->arena, y->keys[i]->text, known, n));
        note_known(m, map->what, known, n);
        good = false;
    }
    return good;
}

bool map_expected(Model *m, const Yaml *y, const char *what)
{
    if (y->kind == YAML_MAP)
        return true;
    diag_error(m->diag, y->loc, "%s must be a map of key: value", what);
    return false;
}

const AttrSpec *map_key(const MapSpec *map, const char *key)
{
    for (const AttrSpec *s = map->keys; s->name; s++)
        if (strcmp(s->name, key) == 0)
            return s;
    unreachable("a key that is not in its table");
}

/* The number under `key` of the map y; if it is absent, the table's fallback, or *out as it was. */
bool map_number(Model *m, const Yaml *y, const MapSpec *map, const char *key, double *out)
{
    const AttrSpec *spec = map_key(map, key);
    const Yaml *v = yaml_get(y, key);
    Attr a = { .spec = spec };
    if (!v && spec->fallback && *spec->fallback)
        *out = default_number(spec);
    if (!v)
        return true;
    if (!attr_from_yaml(m, &a, v))
        return false;
    *out = a.number[0];
    return true;
}

/* Likewise a word. */
bool map_word(Model *m, const Yaml *y, const MapSpec *map, const char *key, const char **out)
{
    const AttrSpec *spec = map_key(map, key);
    const Yaml *v = yaml_get(y, key);
    Attr a = { .spec = spec };
    *out = spec->fallback;
    if (!v)
        return true;
    if (!attr_from_yaml(m, &a, v))
        return false;
    *out = a.word;
    return true;
}

bool shape_read(Model *m, Attr *a, const Yaml *y, const char *name, Shape *out) { return attr_from_yaml(m, a, y) && shape_given(m, a, name, out); }

bool shape_given(Model *m, const Attr *a, const char *name, Shape *out)
{
    out->rank = a->count;
    int64_t n = 1;
    for (int k = 0; k < a->count; k++) {
        out->dim[k] = (int64_t)a->number[k];
        n = n > ELEMENTS_MAX ? n : n * out->dim[k];
    }
    if (n <= ELEMENTS_MAX / 64)
        return true;
    diag_error(m->diag, a->loc, "one example of '%s' has more than %lld elements", name, (long long)(ELEMENTS_MAX / 64));
    return false;
}
