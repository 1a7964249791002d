/* reshape.c -- another shape for the same memory: no code, no copy; make.c makes the result a view of the input.  stop_gradient copies: `check` holds the
 * copy while the value itself moves. */
#include "spnc.h"

static const AttrSpec attrs[] = {
    { "shape", ATTR_SHAPE, NULL, 1, 1 << 30, NULL, "the new shape, with the same number of elements" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the result's name" },
    { 0 },
};
static const AttrSpec name_attrs[] = { { "name", ATTR_NAME, "", 0, 0, NULL, "the result's name" }, { 0 } };

static bool infer_reshape(Model *m, Op *op)
{
    const Attr *a = op_attr(op, "shape");
    Shape y = { .rank = a->count };
    int64_t n = 1;
    for (int i = 0; i < a->count; i++) {
        y.dim[i] = (int64_t)a->number[i];
        n = n > ELEMENTS_MAX ? n : n * y.dim[i];
    }
    const Shape *x = &op->reads[0].tensor->shape;
    if (n != shape_count(x))
        return shape_refuse(m, op, "%s has %lld elements, %s has %lld: reshape keeps their number", shape_text(m->arena, x),
                            (long long)shape_count(x), shape_text(m->arena, &y), (long long)n);
    op->writes[0].tensor->shape = y;
    return true;
}

static bool infer_flatten(Model *m, Op *op)
{
    (void)m;
    op->writes[0].tensor->shape = (Shape){ 1, { shape_count(&op->reads[0].tensor->shape) } };
    return true;
}

static bool infer_same(Model *m, Op *op)
{
    (void)m;
    op->writes[0].tensor->shape = op->reads[0].tensor->shape;
    return true;
}

/* The gradient of the input is the gradient of the result under the input's shape. */
static void grad(Model *m, Op *op, Use dy)
{
    if (!op->grad.inputs[0])
        return;
    Tensor *x = op->reads[0].tensor;
    Tensor *view = tensor_new(m, arena_printf(m->arena, "d_%s", x->name), op->loc, dy.tensor->repeat);
    view->shape = x->shape;
    view->view_of = dy.tensor;
    view->tail = dy.tensor->tail;
    grad_pass(m, op, 0, (Use){ view, dy.shift });
}

static void grad_none(Model *m, Op *op, Use dy) { (void)m, (void)op, (void)dy; }

static void facts(const Model *m, const Op *op, Fact *f) { (void)m, (void)op, (void)f; }

static const OpHelp help_reshape = {
    "Reads the same numbers, in the same order, under another shape.",
    "x of any shape -> [shape], with as many elements",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { length: 2, classes: 3 } }\n"
    "flow:\n"
    "  - h: { dense: x, units: 6 }\n"
    "  - v: { reshape: h, shape: [2, 3] }\n"
    "loss: { cross_entropy: [v, y] }\n",
};
static const OpHelp help_flatten = {
    "Reads the same numbers as one row.",
    "x of any shape -> [n]",
    "inputs: { x: { shape: [1, 12, 12] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "nets:\n"
    "  classify:\n"
    "    - conv: { filters: 4, act: relu }\n"
    "    - flatten\n"
    "    - dense: 3\n"
    "flow:\n"
    "  - v: { classify: x }\n"
    "loss: { cross_entropy: [v, y] }\n",
};
static const OpHelp help_stop_gradient = {
    "The same value, through which no gradient goes back.",
    "x of any shape -> the same shape",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - h: { dense: x, units: 4, act: tanh }\n"
    "  - gate: { stop_gradient: h }\n"
    "  - v: { dense: h * gate, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_reshape = { "reshape", "y = x in another shape", 1, 1, "shape", true, attrs, infer_reshape, grad, facts, NULL, false, "t:t", &help_reshape };
const OpInfo op_flatten = { "flatten", "y = x in one row", 1, 1, NULL, true, name_attrs, infer_flatten, grad, facts, NULL, false, "t:t", &help_flatten };
const OpInfo op_stop_gradient = { "stop_gradient", "y = x; dx = 0", 1, 1, NULL, true, name_attrs, infer_same, grad_none, facts, NULL, false, "f:f", &help_stop_gradient };
