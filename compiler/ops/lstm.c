/* lstm.c -- the long short-term memory, split in four operators, so that a product that is the same at each step is computed once.
 *
 *   xw = W_ih x + b_ih        a dense layer (hoisted out of the loop when x is the same at each step)
 *   hw = W_hh h [+ b_hh]      a dense layer on the state of the step before
 *   i, f, o = sigmoid(xw + hw);  g = tanh(xw_g + hw_g);  c' = f c + i g        lstm_gates, which gives c' and o
 *   h' = o tanh(c')           a formula
 * Rows of the weights in the order i, f, g, o (PyTorch's).  xw and hw have one gradient: that of their sum.
 * `lstm` itself is only a word of the language: cells.c makes the four. */
#include "spnc.h"

static const AttrSpec attrs[] = {
    { "units", ATTR_INT, NULL, 1, 1 << 16, NULL, "size of both states" },
    { "init", ATTR_TREE, "", 0, 0, "cell_start", "the states before the first step: zeros, trained, or { h: VALUE, c: VALUE }" },
    { "forget_bias", ATTR_REAL, "0", -1e6, 1e6, NULL, "where the forget gate's rows of bias_ih start" },
    { "weight_init", ATTR_INIT, "", 0, 0, NULL, "initialiser of both weights; { normal: 0.1 } unless given" },
    { "bias_hh", ATTR_BOOL, "false", 0, 1, NULL, "whether the state's product has a bias of its own" },
    { "gemm", ATTR_WORD, "", 0, 0, "lanes openblas", "whose products: our own, from the lanes, or OpenBLAS's" },
    { 0 },
};
static const AttrSpec gate_attrs[] = {
    { "forget_bias", ATTR_REAL, "0", -1e6, 1e6, NULL, "where the forget gate's rows of bias_ih start" },
    { 0 },
};

static bool infer_never(Model *m, Op *op) { (void)m, (void)op; unreachable("lstm is split by cells.c"); }
static void grad_never(Model *m, Op *op, Use dy) { (void)m, (void)op, (void)dy; unreachable("lstm is split by cells.c"); }
static void facts_none(const Model *m, const Op *op, Fact *f) { (void)m, (void)op, (void)f; }

static bool infer(Model *m, Op *op)
{
    const Tensor *xw = op->reads[0].tensor;
    const Shape *c = &op->reads[2].tensor->shape;
    const int64_t units = xw->shape.dim[0] / 4;
    if (c->rank != 1 || c->dim[0] != units)
        return shape_refuse(m, op, "the cell of an lstm of %lld units is [%lld], not %s", (long long)units, (long long)units, shape_text(m->arena, c));
    op->writes[0].tensor->shape = op->writes[1].tensor->shape = *c;
    Weight *bias = xw->op->weights[1];
    if (op_real(op, "forget_bias") != 0) {
        bias->init = "forget_gate";
        bias->init_value = op_real(op, "forget_bias");
    }
    return true;
}

/* dy is the gradient of c'; that of the output gate is what the formula of h' contributed to it (none, if nothing reads h'). */
static void grad(Model *m, Op *op, Use dy)
{
    Tensor *c = op->writes[0].tensor, *out = op->writes[1].tensor;
    Tensor *gates = tensor_new(m, arena_printf(m->arena, "%s_gates", op->name), op->loc, c->repeat);
    gates->shape = (Shape){ 2, { 3, c->shape.dim[0] } };
    op_write(op, gates, 0);
    op->grad.keeps = true;
    op->grad.inputs[0] = true;
    op->grad.inputs[1] = false;         /* it has the gradient of the first */
    Op *b = grad_backward(m, op, dy);
    grad_pass(m, op, 1, b->writes[0]);
    if (out->grads.count) {
        const Use *u = out->grads.items[0];
        op_read(b, u->tensor, u->shift);
        op_read(b, out, 0);
    }
    op_read(b, gates, 0);
    op_read(b, op->reads[2].tensor, op->reads[2].shift);
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    const Op *fwd = forward_of(op);
    fact_int(f, "H", fwd->writes[0].tensor->shape.dim[0]);
    fact_bool(f, "keep_gates", fwd->grad.keeps);
    fact_text(f, "gates_type", fwd->grad.keeps ? tensor_type(m, fwd->writes[2].tensor) : "");
    fact_bool(f, "out_matters", fwd->writes[1].tensor->grads.count > 0);
}

static const OpHelp help_lstm = {
    "The long short-term memory: a state h, and a cell c that gates protect.  PyTorch's, rows in the order i, f, g, o.",
    "x of any shape, h [units], c [units] -> NAME.h, NAME.c;  weight_ih [4 units][n], weight_hh [4 units][units], bias_ih [4 units]",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - repeat: 4\n"
    "    carry: { h: { lstm: { units: 16, forget_bias: 1 } } }\n"
    "    do:\n"
    "      - h: { lstm: [x, h] }\n"
    "  - z: { last: h }\n"
    "  - v: { dense: z, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_lstm = { "lstm", "c' = f c + i g;  h' = o tanh(c')", 1, 3, NULL, false, attrs, infer_never, grad_never, facts_none, NULL, false, "", &help_lstm };
const OpInfo op_lstm_gates = { "lstm_gates", "i, f, out = sigmoid(xw + hw);  g = tanh(xw_g + hw_g);  c' = f c + i g", 3, 3, NULL, false, gate_attrs,
                               infer, grad, facts, NULL, false, "ttt:ttt", NULL };
