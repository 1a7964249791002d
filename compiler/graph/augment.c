/* augment.c -- `augment:` of an input: reads and checks it, and adds an operator before the input's load.
 *
 * In: the map under the key.  Out: DataDef.augment, or NULL if all its numbers are 0: `--set` can turn augmentation off in this way,
 * and the model is then the same as without the key.  The numbers are documented in language.c, the random draws in runtime/augment.h. */
#include "graph/model.h"
#include <string.h>

static Loc key_loc(const Yaml *y, const char *key) { return yaml_get(y, key) ? yaml_get(y, key)->loc : y->loc; }

/* Adds notes for the --set values that the value under `key` reads. */
static void note_key(Model *m, const Yaml *y, const char *key)
{
    const Yaml *v = yaml_get(y, key);
    if (v && v->kind == YAML_SCALAR)
        note_sets(m, v->text);
}

static bool clutter(Model *m, const Yaml *y, AugmentDef *a, const Shape *s)
{
    int64_t H = s->dim[s->rank - 2], W = s->dim[s->rank - 1];
    double pieces = 0, size = 0;
    if (!map_expected(m, y, "clutter"))
        return false;
    bool good = map_keys_known(m, y, &map_clutter);
    if (good && (!yaml_get(y, "pieces") || !yaml_get(y, "size"))) {
        diag_error(m->diag, y->loc, "clutter needs how many pieces there are, and their size: { pieces: 16, size: 8 }");
        return false;
    }
    good = map_number(m, y, &map_clutter, "pieces", &pieces) && good;
    good = map_number(m, y, &map_clutter, "size", &size) && good;
    if (!good)
        return false;
    if (size > (double)(H < W ? H : W)) {
        diag_error(m->diag, key_loc(y, "size"), "a piece of clutter is %.0fx%.0f, the image only %lldx%lld", size, size, (long long)H, (long long)W);
        note_key(m, y, "size");
        return false;
    }
    if (pieces * size * size > (double)(H * W)) {
        diag_warning(m->diag, key_loc(y, "pieces"), "%.0f pieces of %.0fx%.0f are more than the whole image, %lldx%lld", pieces, size, size, (long long)H, (long long)W);
        note_key(m, y, "pieces");
    }
    a->pieces = (int)pieces;
    a->size = (int)size;
    return true;
}

bool augment_read(Model *m, const Yaml *y, DataDef *d)
{
    if (!map_expected(m, y, "augment"))
        return false;
    AugmentDef *a = NEW(m->arena, AugmentDef);
    const Shape *s = &d->shape;
    double shift = 0;
    const char *flip;
    a->loc = y->loc;
    bool good = map_keys_known(m, y, &map_augment);
    for (int i = 0; s->rank < 2 && i < y->count; i++)
        if (strcmp(y->keys[i]->text, "noise") != 0) {
            diag_error(m->diag, y->loc, "'%s' has no rows and columns: its shape needs two axes or more for all but noise", d->name);
            return false;
        }
    int64_t H = s->rank < 2 ? 1 : s->dim[s->rank - 2], W = s->dim[s->rank - 1];
    good = map_word(m, y, &map_augment, "flip", &flip) && good;
    good = map_number(m, y, &map_augment, "shift", &shift) && good;
    good = map_number(m, y, &map_augment, "rotate", &a->rotate) && good;
    good = map_number(m, y, &map_augment, "scale", &a->scale) && good;
    good = map_number(m, y, &map_augment, "noise", &a->noise) && good;
    if (shift >= (double)H || shift >= (double)W) {
        diag_warning(m->diag, key_loc(y, "shift"), "a shift of up to %.0f pixels can move the whole image out of view: it is %lldx%lld", shift, (long long)H, (long long)W);
        note_key(m, y, "shift");
    }
    if (d->type == 0 && a->noise > 0.5) {
        diag_warning(m->diag, key_loc(y, "noise"), "noise of deviation %g drowns an image of bytes, which are read as 0 to 1", a->noise);
        note_key(m, y, "noise");
    }
    if (yaml_get(y, "clutter"))
        good = clutter(m, yaml_get(y, "clutter"), a, s) && good;
    a->shift = (int)shift;
    a->flip = good && strcmp(flip, "horizontal") == 0;
    if (good && (a->flip || a->shift || a->rotate > 0 || a->scale > 0 || a->noise > 0 || a->pieces))
        d->augment = a;
    return good;
}

Tensor *augment_tensor(Model *m, const DataDef *d)
{
    const AugmentDef *a = d->augment;
    const struct { const MapSpec *map; const char *key; double value; } asked[] = {
        { &map_augment, "shift", a->shift }, { &map_augment, "rotate", a->rotate }, { &map_augment, "scale", a->scale },
        { &map_augment, "noise", a->noise }, { &map_clutter, "pieces", a->pieces }, { &map_clutter, "size", a->size },
    };
    Tensor *t = tensor_new(m, arena_printf(m->arena, "%s_augmented", d->name), a->loc, NULL);
    t->shape = d->shape;
    t->space = d->type == 0 ? BYTES : FLOATS;
    Op *op = op_new(m, OP_augment, FORWARD, identifier_unique(m, arena_printf(m->arena, "augment_%s", d->name)), a->loc);
    op->data = d;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        op->attrs[op->attr_count++] = (Attr){ .spec = map_key(asked[i].map, asked[i].key), .loc = a->loc, .count = 1, .number = { asked[i].value } };
    if (a->flip)
        op->attrs[op->attr_count++] = (Attr){ .spec = map_key(&map_augment, "flip"), .loc = a->loc, .word = "horizontal" };
    op_write(op, t, 0);
    list_push(m->arena, &m->ops, op);
    remark(m, a->loc, "training sees each example of %s anew in every epoch", d->name);
    return t;
}
