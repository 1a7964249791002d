/* data.c -- `inputs:` and `targets:`: the parts of an example.
 *
 * In: the two maps of the model file.  Out: DataDefs; a tensor for each that an operator reads (data_tensor).
 * A declaration with an error stays in the list, with type REFUSED, so that its readers report no further errors. */
#include "graph/model.h"
#include <string.h>

/* The classes of the input d, which are those of an input of whole numbers alone. */
static bool whole_numbers(Model *m, const Yaml *v, DataDef *d, bool whole)
{
    const Yaml *given = yaml_get(v, "classes");
    double classes = 0;
    if (!map_number(m, v, &map_input, "classes", &classes))
        return false;
    if (whole && !given)
        diag_error(m->diag, d->loc, "whole numbers need the number of their classes: { shape: %s, dtype: i32, classes: 128 }", yaml_get(v, "shape")->kind == YAML_LIST ? "[28]" : "28");
    else if (!whole && given)
        diag_error(m->diag, given->loc, "classes are whole numbers: an input that has them has dtype: i32");
    else if (whole && yaml_get(v, "augment"))
        diag_error(m->diag, yaml_get(v, "augment")->loc, "an input of whole numbers is not augmented");
    else {
        d->type = whole ? 2 : d->type;
        d->classes = (int)classes;
        return true;
    }
    return false;
}

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
            const Yaml *shape = yaml_get(v, "shape");
            Attr a = { .spec = map_key(&map_labels, "shape") };
            if (good && shape && yaml_get(v, "length")) {
                diag_error(m->diag, yaml_get(v, "length")->loc, "'%s' has a length and a shape: labels have one of them", d->name);
                good = false;
            }
            if (!good || (shape && !shape_read(m, &a, shape, d->name, &d->shape)))
                continue;
            if (classes == 1)
                diag_warning(m->diag, yaml_get(v, "classes")->loc, "'%s' has one class: there is nothing to tell apart, and its loss is 0", d->name);
            d->type = 2;
            d->classes = (int)classes;
            d->classes_last = shape == NULL;
            if (yaml_get(v, "length"))
                d->shape = (Shape){ 1, { (int64_t)length } };
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
        if (!target && !whole_numbers(m, v, d, strcmp(dtype, "i32") == 0))
            d->type = REFUSED;
        if (augment && !target && !augment_read(m, augment, d))
            d->type = REFUSED;
    }
    return defs;
}

/* The operator of that kind that loads d into t. */
static void load(Model *m, OpKind kind, const DataDef *d, Tensor *t)
{
    Op *op = op_new(m, kind, FORWARD, identifier_unique(m, arena_printf(m->arena, "load_%s", t->name)), d->loc);
    op->data = d;
    t->shape = d->shape;
    if (d->type == REFUSED)
        t->shape.rank = -1;
    if (d->augment)
        op_read(op, augment_tensor(m, d), 0);
    op_write(op, t, 0);
    list_push(m->arena, &m->ops, op);
}

Tensor *data_tensor(Model *m, DataDef *d)
{
    d->used = true;
    if (d->tensor)
        return d->tensor;
    d->tensor = tensor_new(m, d->name, d->loc, NULL);
    d->tensor->space = d->type == 2 ? LABELS_I32 : REALS;
    load(m, d->type == 2 ? OP_labels : OP_load, d, d->tensor);
    return d->tensor;
}

Tensor *data_value(Model *m, DataDef *d)
{
    if (d->type != 2)
        return data_tensor(m, d);
    d->used = true;
    if (d->numbers)
        return d->numbers;
    d->numbers = tensor_new(m, d->name, d->loc, NULL);
    d->numbers->classes = d->classes;
    d->numbers->classes_axis = d->classes_last ? -1 : 0;
    load(m, OP_load, d, d->numbers);
    return d->numbers;
}
