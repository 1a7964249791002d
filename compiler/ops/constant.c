/* constant.c -- values that no example changes: numbers of the model, and trained parameters.
 *
 *   constant   y = its numbers, or one number for each step of a repeat;   parameter   y = NAME.weight, the gradient summed over examples as broadcast does */
#include "read/language.h"
#include "spnc.h"

static const AttrSpec constant_attrs[] = {
    { "shape", ATTR_SHAPE, "", 1, 1 << 20, "[]", "its shape; that of the list unless given" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the value's name" },
    { 0 },
};
static const AttrSpec parameter_attrs[] = {
    { "init", ATTR_INIT, "zeros", 0, 0, NULL, "initialiser" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the value's name" },
    { 0 },
};

static bool infer_constant(Model *m, Op *op) { (void)m, (void)op; return true; }     /* the shape is set where the operator is made */
static void grad_none(Model *m, Op *op, Use dy) { (void)m, (void)op, (void)dy; }

static void facts_constant(const Model *m, const Op *op, Fact *f)
{
    const int64_t n = shape_count(&op->writes[0].tensor->shape);
    Fact *numbers = fact_table(m->arena);
    bool same = true;
    const int64_t all = op->numbered ? op->numbered : n;
    for (int64_t i = 1; i < all; i++)
        same = same && op->constant.values[i] == op->constant.values[0];
    for (int64_t i = 0; i < (same ? 1 : all); i++)
        fact_push_text(numbers, arena_printf(m->arena, "%.17g", op->constant.values[i]));
    fact_set(f, "numbers", numbers);
    fact_bool(f, "same", same);
    fact_int(f, "steps", op->numbered);
}

/* NAME.weight as a value. */
static bool infer_reference(Model *m, Op *op)
{
    Weight *w = op->reference.inner ? weight_named(m, op->reference.inner) : NULL;
    w = w ? w : weight_named(m, op->reference.name);
    if (!w) {
        const char **names = NEW_ARRAY(m->arena, const char *, m->weights.count + 1);
        for (int i = 0; i < m->weights.count; i++)
            names[i] = ((Weight *)m->weights.items[i])->name;
        diag_error(m->diag, op->loc, "no entry above has a parameter '%s'%s", op->reference.name, diag_suggestion(m->arena, op->reference.name, names, m->weights.count));
        return false;
    }
    op->weights[op->weight_count++] = w;
    op->writes[0].tensor->shape = w->shape;
    op->kind = OP_broadcast;
    return true;
}

/* From here on it is a broadcast of its weight.  A matrix lies as that of a dense layer does, since a product with it becomes one. */
static bool infer_parameter(Model *m, Op *op)
{
    if (op->reference.name)
        return infer_reference(m, op);
    const Attr *init = op_attr(op, "init");
    const InitSpec *spec = initialiser_named(init->word);
    const Shape shape = op->writes[0].tensor->shape;
    if (spec->units)
        return shape_refuse(m, op, "the initialiser %s is for a dense layer", init->word);
    if (spec->fans && shape.rank < 2)
        return shape_refuse(m, op, "the initialiser %s needs two axes or more, [outputs, inputs, ...]", init->word);
    if (!weight_start(m, op, "weight", shape, shape.rank == 2 ? W_IN_OUT : W_EXPORTED, init, false))
        return false;
    op->kind = OP_broadcast;
    return true;
}

static void facts_none(const Model *m, const Op *op, Fact *f) { (void)m, (void)op, (void)f; }

static const OpHelp help_constant = {
    "A number, or a list of numbers, the same for each example.",
    "constant: 0.5, [1, 2, 3], [[1, 0], [0, 1]] or { range: n } (0 to n - 1) -> its shape, or `shape`",
    "inputs: { x: { shape: [3] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - scale: { constant: [1, 2, 4] }\n"
    "  - v: scale * x\n"
    "  - w: { dense: v, units: 3 }\n"
    "loss: { cross_entropy: [w, y] }\n",
};
static const OpHelp help_parameter = {
    "A trained value, the same for each example; exported as NAME.weight.",
    "parameter: [shape] -> that shape;  NAME.weight [shape]",
    "inputs: { x: { shape: [3] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - scale: { parameter: [3], init: ones }\n"
    "  - v: scale * x\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_constant = { "constant", "y = the same numbers for each example", 0, 0, NULL, false, constant_attrs, infer_constant, grad_none, facts_constant, NULL, false, "f:f",
                             &help_constant };
const OpInfo op_parameter = { "parameter", "y = a trained parameter", 0, 0, NULL, false, parameter_attrs, infer_parameter, grad_none, facts_none, NULL, false, "f:f", &help_parameter };
