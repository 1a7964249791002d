/* add.c -- sums and products of values of one shape: add, multiply, and sum, which grad.c uses for gradients. */
#include "spnc.h"

static const AttrSpec attrs[] = { { "name", ATTR_NAME, "", 0, 0, NULL, "the result's name" }, { 0 } };
static const AttrSpec none[] = { { 0 } };

static bool infer(Model *m, Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape;
    for (int i = 1; i < op->read_count; i++)
        if (!shape_equal(x, &op->reads[i].tensor->shape))
            return shape_refuse(m, op, "%s needs inputs of one shape; these are %s and %s: the formula %s stretches them", OP_INFO(op)->name, shape_text(m->arena, x),
                                shape_text(m->arena, &op->reads[i].tensor->shape), op->kind == OP_multiply ? "a * b" : "a + b");
    op->writes[0].tensor->shape = *x;
    return true;
}

static void grad_add(Model *m, Op *op, Use dy)
{
    for (int i = 0; i < op->read_count; i++)
        if (op->grad.inputs[i])
            grad_pass(m, op, i, dy);
}

static void grad_multiply(Model *m, Op *op, Use dy)
{
    Op *b = grad_backward(m, op, dy);
    if (b)
        for (int i = 0; i < op->read_count; i++)
            op_read(b, op->reads[i].tensor, op->reads[i].shift);
}

static void facts(const Model *m, const Op *op, Fact *f) { op_table[OP_formula]->facts(m, op, f); }

static const OpHelp help_add = {
    "Adds values element by element.",
    "two to eight values of one shape -> that shape",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - a: { dense: x, units: 8, act: tanh }\n"
    "  - b: { add: [x, a] }\n"
    "  - v: { dense: b, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};
static const OpHelp help_multiply = {
    "Multiplies values element by element.",
    "two to eight values of one shape -> that shape",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - gate: { dense: x, units: 8, act: sigmoid }\n"
    "  - b: { multiply: [x, gate] }\n"
    "  - v: { dense: b, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_add = { "add", "y = x1 + x2 + ...", 2, 8, NULL, false, attrs, infer, grad_add, facts, NULL, false, "f:f", &help_add };
const OpInfo op_multiply = { "multiply", "y = x1 x2 ...", 2, 8, NULL, false, attrs, infer, grad_multiply, facts, NULL, false, "f:f", &help_multiply };
const OpInfo op_sum = { "sum", "y = x1 + x2 + ...", 2, INPUT_MAX, NULL, false, none, infer, NULL, facts, NULL, false, "f:f", NULL };
