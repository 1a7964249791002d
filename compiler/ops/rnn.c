/* rnn.c -- Elman's cell: h' = act(W_ih x + b_ih + W_hh h [+ b_hh]), two dense layers and a formula.
 *
 * The product with x stands before the loop if x is the same at each step.  `rnn` itself is only a word of the language: cells.c makes the
 * three. */
#include "spnc.h"

static const AttrSpec attrs[] = {
    { "units", ATTR_INT, NULL, 1, 1 << 16, NULL, "size of the state" },
    { "act", ATTR_WORD, "tanh", 0, 0, "tanh relu sigmoid linear", "activation" },
    { "init", ATTR_TREE, "", 0, 0, "operand", "the state before the first step: zeros, trained, or a value" },
    { "weight_init", ATTR_INIT, "", 0, 0, NULL, "initialiser of both weights; { normal: 0.1 } unless given" },
    { "bias_hh", ATTR_BOOL, "false", 0, 1, NULL, "whether the state's product has a bias of its own" },
    { "gemm", ATTR_WORD, "", 0, 0, "lanes openblas", "whose products: our own, from the lanes, or OpenBLAS's" },
    { 0 },
};

static bool infer(Model *m, Op *op) { (void)m, (void)op; unreachable("rnn is split by cells.c"); }
static void grad(Model *m, Op *op, Use dy) { (void)m, (void)op, (void)dy; unreachable("rnn is split by cells.c"); }
static void facts(const Model *m, const Op *op, Fact *f) { (void)m, (void)op, (void)f; }

static const OpHelp help_rnn = {
    "Elman's cell: the activation of one sum of input and state.  PyTorch's.",
    "x of any shape, h [units] -> h' [units];  weight_ih [units][n], weight_hh [units][units], bias_ih [units]",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - repeat: 4\n"
    "    carry: { h: { rnn: { units: 16, act: relu } } }\n"
    "    do:\n"
    "      - h: { rnn: [x, h] }\n"
    "  - z: { last: h }\n"
    "  - v: { dense: z, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_rnn = { "rnn", "h' = act(W_ih x + b_ih + W_hh h)", 1, 2, NULL, false, attrs, infer, grad, facts, NULL, false, "", &help_rnn };
