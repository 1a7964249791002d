/* dropout.c -- in training, each element, or each channel with all of its elements, is dropped with probability `rate`, the others divided
 * by 1 - rate; else nothing happens.
 *
 * The mask is a function of seed, step of training, place of use, step in time, example and element (runtime/rng.h): nothing is kept. */
#include "spnc.h"
#include <string.h>

static const AttrSpec attrs[] = {
    { "rate", ATTR_REAL, NULL, 0, 0.999, NULL, "share of the elements that are dropped" },
    { "ramp", ATTR_REAL, "0", 0, 1e6, NULL, "epochs over which the rate rises from 0" },
    { "over", ATTR_WORD, "", 0, 0, "elements channels", "what a draw decides about: one element (usual), or all of a channel, the first dimension" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" },
    { 0 },
};

static bool infer(Model *m, Op *op)
{
    (void)m;
    op->writes[0].tensor->shape = op->reads[0].tensor->shape;
    return true;
}

static void grad(Model *m, Op *op, Use dy) { grad_backward(m, op, dy); }

static void facts(const Model *m, const Op *op, Fact *f)
{
    (void)m;
    const Shape *x = &op->reads[0].tensor->shape;
    const char *over = op_word(forward_of(op), "over");
    const int64_t run = over && !strcmp(over, "channels") && x->rank ? shape_count(x) / x->dim[0] : 1;
    fact_int(f, "runs", shape_count(x) / run);
    fact_int(f, "RUN", run);
    fact_real(f, "rate", op_real(op, "rate"));
    fact_real(f, "ramp", op_real(op, "ramp"));
}

static const OpHelp help_dropout = {
    "In training, drops elements at random and scales the others up; else does nothing.",
    "x of any shape -> the same shape",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "nets:\n"
    "  classify:\n"
    "    - dense: { units: 16, act: relu }\n"
    "    - dropout: { rate: 0.5, ramp: 5 }\n"
    "    - dense: 3\n"
    "flow:\n"
    "  - v: { classify: x }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_dropout = { "dropout", "y = x / (1 - rate), or 0 with probability rate", 1, 1, "rate", true, attrs, infer, grad, facts, NULL, false, "f:f", &help_dropout };
