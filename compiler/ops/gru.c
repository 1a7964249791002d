/* gru.c -- the gated recurrent unit, split in three operators, so that a product that is the same at each step is computed once.
 *
 *   xw = W_ih x + b_ih        a dense layer (hoisted out of the loop when x is the same at each step)
 *   hw = W_hh h [+ b_hh]      a dense layer on the state of the step before
 *   r = sigmoid(xw_r + hw_r);  z = sigmoid(xw_z + hw_z);  n = tanh(xw_n + r hw_n);  h' = (1 - z) n + z h       gru_gates
 * Rows of the weights in the order r, z, n (PyTorch's); the paper's update gate is 1 - z.
 * `gru` itself is only a word of the language: cells.c makes the three. */
#include "spnc.h"

static const AttrSpec attrs[] = {
    { "units", ATTR_INT, NULL, 1, 1 << 16, NULL, "size of the state" },
    { "init", ATTR_TREE, "", 0, 0, "operand", "the state before the first step: zeros, trained, or a value" },
    { "weight_init", ATTR_INIT, "", 0, 0, NULL, "initialiser of both weights; { normal: 0.1 } unless given" },
    { "bias_hh", ATTR_BOOL, "false", 0, 1, NULL, "whether the state's product has a bias of its own" },
    { "gemm", ATTR_WORD, "", 0, 0, "lanes openblas", "whose products: our own, from the lanes, or OpenBLAS's" },
    { 0 },
};
static const AttrSpec none[] = { { 0 } };

static bool infer_never(Model *m, Op *op) { (void)m, (void)op; unreachable("gru is split by cells.c"); }
static void grad_never(Model *m, Op *op, Use dy) { (void)m, (void)op, (void)dy; unreachable("gru is split by cells.c"); }
static void facts_none(const Model *m, const Op *op, Fact *f) { (void)m, (void)op, (void)f; }

static bool infer(Model *m, Op *op)
{
    const Shape *xw = &op->reads[0].tensor->shape, *h = &op->reads[2].tensor->shape;
    int64_t units = xw->dim[0] / 3;
    if (h->rank != 1 || h->dim[0] != units)
        return shape_refuse(m, op, "the state of a gru of %lld units is [%lld], not %s", (long long)units, (long long)units, shape_text(m->arena, h));
    op->writes[0].tensor->shape = *h;
    return true;
}

static void grad(Model *m, Op *op, Use dy)
{
    Tensor *gates = tensor_new(m, arena_printf(m->arena, "%s_gates", op->name), op->loc, op->writes[0].tensor->repeat);
    gates->shape = (Shape){ 2, { 3, op->writes[0].tensor->shape.dim[0] } };
    op_write(op, gates, 0);
    op->grad.keeps = true;
    op->grad.inputs[0] = op->grad.inputs[1] = true;
    Op *b = grad_backward(m, op, dy);
    op_read(b, gates, 0);
    op_read(b, op->reads[1].tensor, op->reads[1].shift);
    op_read(b, op->reads[2].tensor, op->reads[2].shift);
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    const Op *fwd = forward_of(op);
    fact_int(f, "H", fwd->writes[0].tensor->shape.dim[0]);
    fact_bool(f, "keep_gates", fwd->grad.keeps);
    fact_text(f, "gates_type", fwd->grad.keeps ? tensor_type(m, fwd->writes[1].tensor) : "");
}

static const OpHelp help_gru = {
    "The gated recurrent unit: a state that learns what to keep.  PyTorch's, rows in the order r, z, n.",
    "x of any shape, h [units] -> h' [units];  weight_ih [3 units][n], weight_hh [3 units][units], bias_ih [3 units]",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - repeat: 4\n"
    "    carry: { h: { gru: { units: 16 } } }\n"
    "    do:\n"
    "      - h: { gru: [x, h] }\n"
    "  - z: { last: h }\n"
    "  - v: { dense: z, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_gru = { "gru", "h' = (1-z) n + z h", 1, 2, NULL, false, attrs, infer_never, grad_never, facts_none, NULL, false, "", &help_gru };
const OpInfo op_gru_gates = { "gru_gates", "r, z = sigmoid(xw + hw);  n = tanh(xw_n + r hw_n);  h' = (1-z) n + z h", 3, 3, NULL, false, none,
                              infer, grad, facts, NULL, false, "tt:ttt", NULL };
