/* activation.c -- relu, tanh, sigmoid: elementwise, differentiated from the result.
 *
 *   relu y = max(x, 0), dx = dy where y > 0 (so relu'(0) = 0);  tanh dx = (1 - y^2) dy;  sigmoid dx = y (1 - y) dy */
#include "spnc.h"

static const AttrSpec attrs[] = { { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" }, { 0 } };

static bool infer(Model *m, Op *op)
{
    (void)m;
    op->writes[0].tensor->shape = op->reads[0].tensor->shape;
    return true;
}

static void grad(Model *m, Op *op, Use dy)
{
    Op *b = grad_backward(m, op, dy);
    if (b)
        op_read(b, op->writes[0].tensor, 0);
}

static void facts(const Model *m, const Op *op, Fact *f) { op_table[OP_formula]->facts(m, op, f); }

static const OpHelp help_relu = {
    "Keeps what is positive; `act: relu` on conv and dense is the same.",
    "x of any shape -> the same shape",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "nets:\n"
    "  classify:\n"
    "    - dense: 16\n"
    "    - relu\n"
    "    - dense: 3\n"
    "flow:\n"
    "  - v: { classify: x }\n"
    "loss: { cross_entropy: [v, y] }\n",
};
static const OpHelp help_tanh = {
    "Squeezes into (-1, 1); `act: tanh` on conv and dense is the same.",
    "x of any shape -> the same shape",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "nets:\n"
    "  classify:\n"
    "    - dense: 16\n"
    "    - tanh\n"
    "    - dense: 3\n"
    "flow:\n"
    "  - v: { classify: x }\n"
    "loss: { cross_entropy: [v, y] }\n",
};
static const OpHelp help_sigmoid = {
    "Squeezes into (0, 1); `act: sigmoid` on conv and dense is the same.",
    "x of any shape -> the same shape",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "nets:\n"
    "  classify:\n"
    "    - dense: 16\n"
    "    - sigmoid\n"
    "    - dense: 3\n"
    "flow:\n"
    "  - v: { classify: x }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_relu = { "relu", "y = max(x, 0)", 1, 1, NULL, true, attrs, infer, grad, facts, NULL, false, "f:f", &help_relu };
const OpInfo op_tanh = { "tanh", "y = tanh(x)", 1, 1, NULL, true, attrs, infer, grad, facts, NULL, false, "f:f", &help_tanh };
const OpInfo op_sigmoid = { "sigmoid", "y = 1 / (1 + exp(-x))", 1, 1, NULL, true, attrs, infer, grad, facts, NULL, false, "f:f", &help_sigmoid };
