/* dense.c -- the fully connected layer.
 *
 *   y = W x + b;  dx = W' dy;  dW = dy x', summed over examples (and steps) in order;  db = dy summed likewise
 * x is flattened, or with `over: last` each position of the axes before the last goes through by itself; then sums over examples go over their positions.
 * A product with a parameter is a dense layer too (matmul.c): with W, or transposed, y = W' x, when forward and gradient change places.
 * In the fast form W is kept as [in][out], outputs side by side, rounded up to whole vectors; in a library in panels of 16 outputs (store.c).
 * All groups are worked on at once.
 * `gemm: openblas` is for kernel.c. */
#include "read/language.h"
#include <string.h>

static const AttrSpec attrs[] = {
    { "units", ATTR_INT, NULL, 1, 1 << 20, NULL, "number of outputs" },
    { "act", ATTR_ACT, "linear", 0, 0, NULL, "activation of the result: relu, or { leaky_relu: { slope: 0.2 } }" },
    { "init", ATTR_INIT, "glorot_uniform", 0, 0, NULL, "initialiser of the weight" },
    { "bias_init", ATTR_INIT, "", 0, 0, NULL, "where the bias starts: a number, or an initialiser; 0 unless given" },
    { "bias", ATTR_BOOL, "true", 0, 1, NULL, "whether a bias is added" },
    { "gemm", ATTR_WORD, "", 0, 0, "lanes openblas", "whose product: our own, from the lanes, or OpenBLAS's" },
    { "over", ATTR_WORD, "", 0, 0, "all last", "what is multiplied: all of x in one row (usual), or each position of its last axis by itself" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" },
    { 0 },
};

/* The bias starts at the identity of the transform that an spn reads; new: this is the weight's first use. */
static bool starts_at_identity(Model *m, const Op *op, Weight *bias, bool new)
{
    const Tensor *t = op->writes[0].tensor;
    const Op *reader = transform_reader(m, t, NULL);
    for (const Op *other = reader; other; other = transform_reader(m, t, other))
        if (transform_identity(other) != transform_identity(reader))
            return shape_refuse(m, op, "the initialiser identity needs one start, but two spn read the value by transforms that start differently");
    if (!reader)
        return shape_refuse(m, op, "the initialiser identity is for a dense layer whose value is the transform of an spn");
    if (!new && bias->init_value != transform_identity(reader))
        return shape_refuse(m, op, "the shared weight starts at the identity of another transform where the net was used first");
    bias->init_value = transform_identity(reader);
    return true;
}

static bool over_last(const Op *op) { return op_word(op, "over") && !strcmp(op_word(op, "over"), "last"); }

int64_t dense_positions(const Op *op)
{
    const Shape *x = &forward_of(op)->reads[0].tensor->shape;
    return over_last(forward_of(op)) && x->rank ? shape_count(x) / x->dim[x->rank - 1] : 1;
}

/* Inputs of each of them, by the weight. */
static int64_t inputs_of(const Op *op)
{
    const Op *fwd = forward_of(op);
    const int64_t x = shape_count(&fwd->reads[0].tensor->shape) / dense_positions(fwd);
    return fwd->dense.transposed ? shape_count(&fwd->writes[0].tensor->shape) / dense_positions(fwd) : x;
}

static bool infer(Model *m, Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape;
    int64_t in = shape_count(x) / dense_positions(op), units = op_int(op, "units");
    const InitSpec *init = initialiser_named(op_word(op, "init"));
    if (init->units && units != init->units)
        return shape_refuse(m, op, "the initialiser %s is for %d units (%s), not %lld", init->name, init->units, init->units_what,
                            (long long)units);
    const Op *cell = op->dense.cell;
    if (cell && (x->rank != 1 || x->dim[0] != op_int(cell, "units")))
        return shape_refuse(m, op, "the state of an %s of %lld units is [%lld], not %s", OP_INFO(cell)->name, (long long)op_int(cell, "units"),
                            (long long)op_int(cell, "units"), shape_text(m->arena, x));
    Shape y = { 1, { units } };
    if (over_last(op)) {
        if (x->rank == 0)
            return shape_refuse(m, op, "over: last needs an input with an axis; a single number has none");
        if (op_word(op, "gemm") && !strcmp(op_word(op, "gemm"), "openblas"))
            return shape_refuse(m, op, "gemm: openblas multiplies all of x: it does not go with over: last");
        y = *x;
        y.dim[y.rank - 1] = units;
    }
    op->writes[0].tensor->shape = y;
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
        if (op->dense.transposed) {                 /* what becomes rows is the side of the units */
            const Use first = w->reads[0];
            w->reads[0] = w->reads[1], w->reads[1] = first;
        }
        if (m->lanes > 1) {
            Tensor *rows = tensor_new(m, arena_printf(m->arena, "d_%s_rows", op->name), op->loc, dy.tensor->repeat);
            rows->space = RAW;
            rows->work = true;
            rows->reals = (op_int(op, "units") + 15) / 16 * 16 * m->lanes * dense_positions(op);
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
    fact_int(f, "IN", inputs_of(op));
    fact_int(f, "P", dense_positions(op));
    fact_sizes(f, (const char *const[]){ "P", "M", "IN" }, (const int64_t[]){ dense_positions(op), M, inputs_of(op) }, 3);
    fact_bool(f, "in_panels", fwd->weight_count && fwd->weights[0]->layout == W_PANELS);
    fact_bool(f, "transposed", fwd->dense.transposed);
    fact_int(f, "M", M);
    fact_int(f, "MP", (M + 15) / 16 * 16), fact_int(f, "vecs", (M + 15) / 16), fact_int(f, "full", M / 16 * 16);
    fact_int(f, "panel_reals", inputs_of(op) * 16), fact_int(f, "row_vecs", dense_positions(op) * ((M + 15) / 16));
    fact_bool(f, "bias", op_int(op, "bias"));
    fact_bool(f, "openblas", fwd->kernel.openblas);
}

static double macs(const Op *op)
{
    return (double)inputs_of(op) * (double)dense_positions(op) * (double)op_int(op, "units");
}

static const OpHelp help_dense = {
    "A fully connected layer.",
    "x, flattened to [n] -> [units]; with over: last [.., n] -> [.., units];  weight [units][n], bias [units]",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - h: { dense: x, units: 16, act: relu }\n"
    "  - v: { dense: h, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_dense = { "dense", "y = W x + b", 1, 1, "units", true, attrs, infer, grad, facts, macs, true, "f:f", &help_dense };
