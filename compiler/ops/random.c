/* random.c -- numbers that are drawn anew in each step of training.
 *
 *   y = amount times a standard normal number, or a number drawn evenly from 0 to amount;  outside of training 0, or the draws of seed 0, step 0
 * A number is a function of seed, step of training, place of use, step in time, example and element (runtime/draw.h): the same bits everywhere. */
#include "spnc.h"

static const AttrSpec attrs[] = {
    { "shape", ATTR_SHAPE, "", 1, 1 << 24, "[]", "its shape; one number if left out" },
    { "amount", ATTR_REAL, "1", 0, 1e6, NULL, "normal: the deviation; uniform: the end of the range" },
    { "eval", ATTR_WORD, "zeros", 0, 0, "zeros draw", "outside of training: 0, or the draws of seed 0, step 0" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the value's name" },
    { 0 },
};

static bool infer(Model *m, Op *op) { (void)m, (void)op; return true; }     /* the shape is set where the operator is made */
static void grad(Model *m, Op *op, Use dy) { (void)m, (void)op, (void)dy; }

static void facts(const Model *m, const Op *op, Fact *f)
{
    fact_text(f, "distribution", op_word(op, "random"));
    fact_text(f, "amount", arena_printf(m->arena, "%.17g", op_real(op, "amount")));
}

static const OpHelp help_random = {
    "Numbers drawn anew in each step of training; outside of it 0, or always the same.",
    "random: normal (of deviation `amount`) or uniform (from 0 to `amount`) -> `shape`",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { shape: [8] } }\n"
    "flow:\n"
    "  - mu: { dense: x, units: 2 }\n"
    "  - s: { dense: x, units: 2 }\n"
    "  - noise: { random: normal, shape: [2] }\n"
    "  - z: mu + exp(0.5 * s) * noise\n"
    "  - v: { dense: z, units: 8 }\n"
    "loss: [{ mse: [v, y] }, { mean: 0.5 * (exp(s) + mu * mu - 1 - s) }]\n",
};

const OpInfo op_random = { "random", "y = numbers drawn in each step of training", 0, 0, NULL, false, attrs, infer, grad, facts, NULL, false, "f:f", &help_random };
