/* data.c -- `inputs:` and `targets:`: the parts of an example.
 *
 * In: the two maps of the model file.  Out: DataDefs; a tensor for each that an operator reads (data_tensor).
 * A declaration with an error stays in the list, with type REFUSED, so that its readers report no further errors. */
#include "graph/model.h"
#include <string.h>

DataDef *data_read(Model *m, const Yaml *y, bool target, int *count)
{
    *count = 0;
    if (!y || !map_expected(m, y, target ? "targets" : "inputs"))
        return NULL;
    DataDef *defs = NEW_ARRAY(m->arena, DataDef, y->count + 1);
    for (int i = 0; i < y->count; i++) {
        DataDef *d = &defs[(*count)++];
        const Yaml *v = y->items[i];
        d->target = target;
        d->number = i;
        d->name = y->keys[i]->text;
        d->loc = y->keys[i]->loc;
        d->type = REFUSED;
        if (!name_check(m, d->loc, d->name) || !map_expected(m, v, d->name))
            continue;
        if (target && yaml_get(v, "augment")) {
            diag_error(m->diag, yaml_get(v, "augment")->loc, "a target is never augmented; an input may be");
            continue;
        }
        if (target && yaml_get(v, "classes")) {
            double classes = 0, length = 0;
            bool good = map_keys_known(m, v, &map_labels);
            good = map_number(m, v, &map_labels, "classes", &classes) && good;
            good = map_number(m, v, &map_labels, "length", &length) && good;
            if (!good)
                continue;
            if (classes == 1)
                diag_warning(m->diag, yaml_get(v, "classes")->loc, "'%s' has one class: there is nothing to tell apart, and its loss is 0", d->name);
            d->type = 2;
            d->classes = (int)classes;
            d->shape.rank = yaml_get(v, "length") != NULL;
            d->shape.dim[0] = (int64_t)length;
            continue;
        }
        const Yaml *shape = yaml_get(v, "shape");
        if (target && yaml_get(v, "length")) {
            diag_error(m->diag, d->loc, "labels need the number of their classes: { length: 3, classes: 10 }");
            continue;
        }
        const Yaml *augment = yaml_get(v, "augment");
        const char *dtype;
        Attr a = { .spec = map_key(&map_input, "shape") };
        bool good = map_keys_known(m, v, target ? &map_reals : &map_input);
        good = map_word(m, v, &map_input, "dtype", &dtype) && good;
        if (shape)
            good = shape_read(m, &a, shape, d->name, &d->shape) && good;
        else if (good)      /* else the missing key may be the misspelt one */
            diag_error(m->diag, d->loc, target ? "target '%s' needs its classes, or its shape: { classes: 10 }" : "input '%s' needs its shape: { shape: [1, 28, 28] }", d->name);
        if (!good || !shape)
            continue;
        d->type = strcmp(dtype, "u8") != 0;
        if (augment && !target && !augment_read(m, augment, d))
            d->type = REFUSED;
    }
    return defs;
}

Tensor *data_tensor(Model *m, DataDef *d)
{
    d->used = true;
    if (d->tensor)
        return d->tensor;
    Tensor *t = d->tensor = tensor_new(m, d->name, d->loc, NULL);
    t->shape = d->shape;
    if (d->type == REFUSED)
        t->shape.rank = -1;
    t->space = d->type == 2 ? LABELS_I32 : REALS;
    const char *name = identifier_unique(m, arena_printf(m->arena, "load_%s", t->name));
    Op *op = op_new(m, d->type == 2 ? OP_labels : OP_load, FORWARD, name, d->loc);
    op->data = d;
    if (d->augment)
        op_read(op, augment_tensor(m, d), 0);
    op_write(op, t, 0);
    list_push(m->arena, &m->ops, op);
    return t;
}
