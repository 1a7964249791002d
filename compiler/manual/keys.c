/* keys.c -- the pages of `spnc ops` for keys that stand in maps: what `train:`, its parts, `augment:` and a loss take.
 *
 * In: the tables that these maps are checked with.  Out: a line for each key, or the page of one: each place where it may stand, with its row of the
 * table, and an example.  The one convention: what a table does not have is only where the map stands, and a value for the example. */
#include "manual/keys.h"
#include <string.h>

/* A table of keys, and where its map stands in a model: `form` has the key and its value in place of %s. */
typedef struct {
    const char *title;                                  /* of its keys in the list */
    const char *form;                                   /* a part of the model: inputs, flow, loss or train */
    const AttrSpec *keys;
} Place;

enum { TRAIN, TRAIN_NET, CLIP, SCHEDULE, AUGMENT, LOSS, LAYER, PLACES };

/* The key that every schedule ends with. */
static const AttrSpec *warm_up(void)
{
    const AttrSpec *key = schedules[0].map.keys;
    while (key[1].name)
        key++;
    return key;
}

static Place place_of(int k)
{
    switch (k) {
    case TRAIN: return (Place){ "keys of train", "train: { %s }", map_train.keys };
    case TRAIN_NET: return (Place){ "keys of train: nets:, for a net or the parameters with one beginning of their names", "train: { nets: { h: { %s } } }", map_train_net.keys };
    case CLIP: return (Place){ "keys of train: clip:", "train: { clip: { %s } }", map_clip.keys };
    case SCHEDULE: return (Place){ "a key of every schedule", "train: { schedule: { %s } }", warm_up() };
    case AUGMENT: return (Place){ "keys of augment", "inputs: { x: { shape: [1, 8, 8], augment: { %s } } }", map_augment.keys };
    case LOSS: return (Place){ "attributes of losses", "loss: { cross_entropy: [v, y], %s }", op_table[OP_cross_entropy]->attrs };
    default: return (Place){ NULL, "flow: [{ h: { dense: x, units: 8, %s } }, { v: { dense: h, units: 3 } }]", op_table[OP_dense]->attrs };
    }
}

/* The value of a key in its example, and what it needs beside it. */
static const char *value_of(int place, const char *key)
{
    static const struct { int place; const char *key, *value; } values[] = {
        { TRAIN, "optimiser", "{ adam: { rate: 1e-3 } }" }, { TRAIN, "clip", "{ norm: 10 }" }, { TRAIN, "schedule", "{ divide: 2, first: 10, every: 10 }" },
        { TRAIN, "weight_decay", "1e-4" }, { TRAIN, "nets", "{ h: { rate_times: 0.1 } }" }, { TRAIN, "no_decay", "[bias, norms], weight_decay: 1e-4" },
        { TRAIN, "accumulate", "4" }, { TRAIN, "average", "0.999" }, { TRAIN, "epochs", "50" }, { TRAIN, "patience", "10" }, { TRAIN, "seed", "7" },
        { TRAIN_NET, "rate_times", "0.1" }, { TRAIN_NET, "weight_decay", "1e-3" }, { TRAIN_NET, "freeze", "true" }, { TRAIN_NET, "init", "{ file: weights.npz }" },
        { CLIP, "element", "1" }, { CLIP, "norm", "10" }, { CLIP, "rule", "lasagne, norm: 10" }, { SCHEDULE, "warm_up", "2" },
        { AUGMENT, "flip", "horizontal" }, { AUGMENT, "shift", "2" }, { AUGMENT, "rotate", "15" }, { AUGMENT, "scale", "0.1" }, { AUGMENT, "noise", "0.05" },
        { AUGMENT, "clutter", "{ pieces: 2, size: 4 }" }, { LOSS, "epsilon", "1e-8" }, { LOSS, "weight", "0.5" }, { LOSS, "smoothing", "0.1" }, { LOSS, "class_weights", "[1, 2, 0.5]" },
        { LOSS, "ignore", "-1" }, { LAYER, "init", "he_normal" },
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (values[i].place == place && strcmp(values[i].key, key) == 0)
            return values[i].value;
    return place == LAYER ? NULL : "...";
}

static const AttrSpec *row_of(const AttrSpec *keys, const char *name)
{
    for (; keys->name; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

void keys_list(FILE *out, void (*line)(FILE *out, const char *name, const char *text))
{
    for (int k = 0; k < LAYER; k++) {
        const Place p = place_of(k);
        fprintf(out, "\n%s\n", p.title);
        for (const AttrSpec *s = p.keys; s->name; s++)
            line(out, s->name, s->help);
    }
}

bool keys_next(const char **name, int *place, int *row)
{
    while (*place < LAYER) {
        const Place p = place_of(*place);
        if (p.keys[*row].name) {
            *name = p.keys[(*row)++].name;
            return true;
        }
        ++*place, *row = 0;
    }
    return false;
}

/* Each part of a model where the key has none of its own. */
static void example(FILE *out, const char *name, const char *part)
{
    static const char *const parts[] = {
        "inputs: { x: { shape: [1, 8, 8] } }", "targets: { y: { classes: 3 } }", "flow: [{ h: { dense: x, units: 8 } }, { v: { dense: h, units: 3 } }]",
        "loss: { cross_entropy: [v, y] }",
    };
    bool there = false;
    fprintf(out, "\nexample\n    model: %s_example\n", name);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const bool own = strncmp(parts[i], part, strcspn(parts[i], ":") + 1) == 0;
        there |= own;
        fprintf(out, "    %s\n", own ? part : parts[i]);
    }
    if (!there)
        fprintf(out, "    %s\n", part);
}

void keys_page(Arena *a, FILE *out, const char *name, void (*attribute)(FILE *out, const AttrSpec *row))
{
    const char *shown = NULL, *about = NULL;
    for (int k = 0; k < PLACES; k++) {
        const Place p = place_of(k);
        const AttrSpec *row = row_of(p.keys, name);
        const char *value = row ? value_of(k, name) : NULL;
        if (!value)
            continue;
        const char *part = arena_printf(a, p.form, arena_printf(a, "%s: %s", name, value));
        if (!about)
            fprintf(out, "%s: %s\n", name, about = row->help);
        fprintf(out, "\n  %s\n", part);
        attribute(out, row);
        if (!shown || k == LAYER)
            shown = k == TRAIN_NET && !strcmp(name, "init") ? NULL : part;       /* the example of a file that is not there would not compile */
    }
    if (shown)
        example(out, name, shown);
}
