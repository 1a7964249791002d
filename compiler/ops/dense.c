/* dense.c -- the fully connected layer.
 *
 *   y = W x + b;  dx = W' dy;  dW = dy x', summed over examples (and steps) in order;  db = dy summed likewise
 * In the fast form W is kept as [in][out], outputs side by side, rounded up to whole vectors; all groups are worked on at once.
 * `gemm: openblas` is for kernel.c. */
#include "read/language.h"

static const AttrSpec attrs[] = {
    { "units", ATTR_INT, NULL, 1, 1 << 20, NULL, "number of outputs" },
    { "act", ATTR_ACT, "linear", 0, 0, NULL, "activation of the result: relu, or { leaky_relu: { slope: 0.2 } }" },
    { "init", ATTR_INIT, "glorot_uniform", 0, 0, NULL, "initialiser of the weight" },
    { "bias", ATTR_BOOL, "true", 0, 1, NULL, "whether a bias is added" },
    { "gemm", ATTR_WORD, "", 0, 0, "lanes openblas", "whose product: our own, from the lanes, or OpenBLAS's" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" },
    { 0 },
};

/* The bias starts at the identity of the transform that an spn reads; new: this is the weight's first use. */
static bool starts_at_identity(Model *m, const Op *op, Weight *bias, bool new)
{
    const Op *reader = transform_reader(m, op->writes[0].tensor);
    if (!reader)
        return shape_refuse(m, op, "the initialiser identity is for a dense layer whose value is the transform of an spn");
    if (!new && bias->init_value != transform_identity(reader))
        return shape_refuse(m, op, "the shared weight starts at the identity of another transform where the net was used first");
    bias->init_value = transform_identity(reader);
    return true;
}

static bool infer(Model *m, Op *op)
{
    int64_t in = shape_count(&op->reads[0].tensor->shape), units = op_int(op, "units");
    const InitSpec *init = initialiser_named(op_word(op, "init"));
    if (init->units && units != init->units)
        return shape_refuse(m, op, "the initialiser %s is for %d units (%s), not %lld", init->name, init->units, init->units_what,
                            (long long)units);
    const Op *cell = op->dense.cell;
    const Shape *x = &op->reads[0].tensor->shape;
    if (cell && (x->rank != 1 || x->dim[0] != op_int(cell, "units")))
        return shape_refuse(m, op, "the state of an %s of %lld units is [%lld], not %s", OP_INFO(cell)->name, (long long)op_int(cell, "units"),
                            (long long)op_int(cell, "units"), shape_text(m->arena, x));
    op->writes[0].tensor->shape = (Shape){ 1, { units } };
    if (!weight_new(m, op, op->suffix[0], (Shape){ 2, { units, in } }, W_IN_OUT))
        return false;
    if (!op_int(op, "bias"))
        return !init->transform || shape_refuse(m, op, "the initialiser %s sets a bias, and there is none", init->name);
    const int had = m->weights.count;
    Weight *bias = weight_new(m, op, op->suffix[1], (Shape){ 1, { units } }, W_EXPORTED);
    return bias && (!init->transform || starts_at_identity(m, op, bias, m->weights.count > had));
}

static void grad(Model *m, Op *op, Use dy)
{
    Op *w = grad_weights(m, op, dy);
    if (w) {
        op_read(w, op->reads[0].tensor, op->reads[0].shift);
        if (m->lanes > 1) {
            Tensor *rows = tensor_new(m, arena_printf(m->arena, "d_%s_rows", op->name), op->loc, dy.tensor->repeat);
            rows->space = RAW;
            rows->work = true;
            rows->reals = (op_int(op, "units") + 15) / 16 * 16 * m->lanes;
            op_write(w, rows, 0);
        }
    }
    grad_backward(m, op, dy);
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    (void)m;
    const Op *fwd = forward_of(op);
    int64_t M = op_int(op, "units");
    fact_int(f, "IN", shape_count(&fwd->reads[0].tensor->shape));
    fact_int(f, "M", M);
    fact_int(f, "MP", (M + 15) / 16 * 16);
    fact_bool(f, "bias", op_int(op, "bias"));
    fact_bool(f, "openblas", fwd->kernel.openblas);
}

static double macs(const Op *op)
{
    return (double)shape_count(&op->reads[0].tensor->shape) * (double)op_int(op, "units");
}

static const OpHelp help_dense = {
    "A fully connected layer.",
    "x, flattened to [n] -> [units];  weight [units][n], bias [units]",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - h: { dense: x, units: 16, act: relu }\n"
    "  - v: { dense: h, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_dense = { "dense", "y = W x + b", 1, 1, "units", true, attrs, infer, grad, facts, macs, true, "f:f", &help_dense };
