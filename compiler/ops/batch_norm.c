/* batch_norm.c -- batch normalisation, as PyTorch's: mean 0 and variance 1 for each channel over all examples that are there and all positions.
 *
 * In training, with n numbers x of a channel: mean = sum x / n;  variance = sum x^2 / n - mean^2;  inverse = 1 / sqrt(variance + epsilon);
 *   y = a x + b,  a = weight inverse,  b = bias - mean a
 *   d_bias = S = sum dy;  d_weight = inverse P,  P = sum dy (x - mean)
 *   dx = a dy + p x + q,  p = -a inverse^2 P / n,  q = -a S / n - p mean;  0 in lanes without an example
 * In evaluation mean and variance are the running ones, and p = q = 0.  A training step moves those, once for each use and each step of a
 * repeat, in the order of the flow: r = (1 - momentum) r + momentum r_batch, the variance with n - 1 in the place of n.
 *
 * Five operators, so that a group never waits for the others:
 *   batch_sums (groups: sum x, sum x^2) -> batch_statistics (whole batch) -> batch_norm (groups: y)
 *   batch_gradient_sums (groups: S, P)  -> batch_gradient (whole batch: p, q) -> batch_norm' (groups: dx);  batch_statistics' weights, for the parameters
 * Sums are in double: in each lane over positions in order, the lanes with an example by the tree, groups in pairs 0+1, 2+3, ..., then pairs of
 * pairs; d_weight and d_bias then over the steps in order.  Only x is kept for backward. */
#include "ops/norm_facts.h"

static const AttrSpec attrs[] = {
    { "momentum", ATTR_REAL, "0.1", 0, 1, NULL, "share of the batch's statistics in the running ones after each update" },
    { "epsilon", ATTR_REAL, "1e-5", 1e-12, 1, NULL, "added to the variance under the root" },
    { "affine", ATTR_BOOL, "true", 0, 1, NULL, "a trained weight and bias for each channel" },
    { "act", ATTR_ACT, "linear", 0, 0, NULL, "activation of the result: relu, or { leaky_relu: { slope: 0.2 } }" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" },
    { 0 },
};
static const AttrSpec none[] = { { 0 } };

/* A row of SUMS or TOTALS: the channels, rounded up to whole places of memory in double and in float. */
static int64_t row(int64_t channels) { return (channels + 15) / 16 * 16; }
static Shape rows(int64_t count, const Shape *like) { return (Shape){ 2, { count, like->dim[1] } }; }

/* The input of the batch norm that `op` is a part of. */
static const Tensor *input(const Op *op)
{
    const Op *f = forward_of(op);
    switch (f->kind) {
    case OP_batch_statistics: return input(f->reads[0].tensor->op);
    case OP_batch_gradient_sums: return f->reads[1].tensor;
    case OP_batch_gradient: return input(f->reads[0].tensor->op);
    default: return f->reads[0].tensor;
    }
}

static bool infer_sums(Model *m, Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape;
    if (x->rank == 0)
        return shape_refuse(m, op, "batch_norm needs an input of [channels, ...], not a single number");
    const Shape channels = { 1, { x->dim[0] } };
    op->writes[0].tensor->shape = (Shape){ 2, { 2, row(x->dim[0]) } };
    op->norm.mean = buffer_new(m, op, "running_mean", channels, 0);
    op->norm.variance = op->norm.mean ? buffer_new(m, op, "running_var", channels, 1) : NULL;
    return op->norm.variance != NULL;
}

static bool infer_statistics(Model *m, Op *op)
{
    const Shape channels = { 1, { input(op)->shape.dim[0] } };
    op->writes[0].tensor->shape = rows(5, &op->reads[0].tensor->shape);
    op->norm.mean = op->reads[0].tensor->op->norm.mean;
    op->norm.variance = op->reads[0].tensor->op->norm.variance;
    return !op_int(op, "affine") || (weight_constant(m, op, "weight", channels, 1) && weight_constant(m, op, "bias", channels, 0));
}

static bool infer(Model *m, Op *op)
{
    (void)m;
    op->writes[0].tensor->shape = op->reads[0].tensor->shape;
    return true;
}

static bool infer_set(Model *m, Op *op) { (void)m, (void)op; return true; }
static void grad_none(Model *m, Op *op, Use dy) { (void)m, (void)op, (void)dy; }

/* An operator of backward that reads what was measured there, in the section that is being made. */
static Op *append(Model *m, const Op *op, OpKind kind, Space space, bool shared, Shape shape, const char *suffix)
{
    Tensor *t = tensor_new(m, arena_printf(m->arena, "%s_%s", op->name, suffix), op->loc, op->writes[0].tensor->repeat);
    Op *b = op_new(m, kind, FORWARD, t->name, op->loc);
    b->family = op->family;
    b->prefix = op->prefix;
    t->space = space;
    t->shared = shared;
    t->shape = shape;
    op_write(b, t, 0);
    grad_append(m, b);
    return b;
}

static void grad(Model *m, Op *op, Use dy)
{
    const Use x = op->reads[0], statistics = op->reads[1];
    Op *measured = statistics.tensor->op;
    const Shape *like = &statistics.tensor->shape;
    Op *sums = append(m, op, OP_batch_gradient_sums, SUMS, false, rows(2, like), "gradient_sums");
    op_read(sums, dy.tensor, dy.shift);
    op_read(sums, x.tensor, x.shift);
    op_read(sums, statistics.tensor, statistics.shift);
    Op *all = append(m, op, OP_batch_gradient, TOTALS, true, rows(4, like), "gradient");
    op_read(all, sums->writes[0].tensor, 0);
    op_read(all, statistics.tensor, statistics.shift);
    op->norm.gradient = measured->norm.gradient = all->writes[0].tensor;
    Op *w = grad_weights(m, measured, all->writes[0]);
    if (w)
        op_read(w, statistics.tensor, statistics.shift);
    op->grad.inputs[1] = false;
    Op *b = grad_backward(m, op, dy);
    if (!b)
        return;
    op_read(b, x.tensor, x.shift);
    op_read(b, statistics.tensor, statistics.shift);
    op_read(b, all->writes[0].tensor, 0);
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    const Tensor *x = input(op);
    const Op *fwd = forward_of(op);
    fact_int(f, "C", x->shape.dim[0]);
    fact_int(f, "P", shape_count(&x->shape) / x->shape.dim[0]);
    if (fwd->kind == OP_batch_norm || fwd->kind == OP_batch_statistics)
        fact_text(f, "gradient_type", fwd->norm.gradient ? tensor_type(m, fwd->norm.gradient) : "");
    if (fwd->kind == OP_batch_norm)
        fact_bool(f, "stored", fwd->reads[1].tensor->stored != NULL);
    if (fwd->kind == OP_batch_norm)
        norm_facts((Model *)(uintptr_t)m, fwd, f);
    if (fwd->kind == OP_batch_gradient_sums)
        norm_sums_facts((Model *)(uintptr_t)m, fwd, f);
    if (fwd->kind != OP_batch_statistics)
        return;
    fact_real(f, "epsilon", op_real(fwd, "epsilon"));
    fact_bool(f, "affine", fwd->weight_count > 0);
}

static const OpHelp help = {
    "Mean 0 and variance 1 for each channel over the batch and all positions, then a trained weight and bias; in evaluation with running statistics.",
    "x [C, ...] -> the same shape;  weight, bias [C];  buffers running_mean, running_var [C]",
    "inputs: { x: { shape: [1, 16, 16] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "nets:\n"
    "  front:\n"
    "    - conv: { filters: 8, kernel: 3, bias: false }\n"
    "    - batch_norm: { act: relu }\n"
    "    - conv: { filters: 8, kernel: 3, bias: false }\n"
    "    - batch_norm\n"
    "    - relu\n"
    "  gate:\n"
    "    in: x\n"
    "    do:\n"
    "      - n: { batch_norm: { conv: x, filters: 8, kernel: 1, bias: false } }\n"
    "    out: n * x\n"
    "flow:\n"
    "  - f: { front: x }\n"
    "  - g: { gate: f }\n"
    "  - v: { dense: g, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_batch_norm = { "batch_norm", "y[c] = (x[c] - mean[c]) / sqrt(variance[c] + epsilon) * weight[c] + bias[c], over the batch and all positions", 1, 1, "momentum",
                               true, attrs, infer, grad, facts, NULL, false, "f:ftf", &help };
const OpInfo op_batch_sums = { "batch_sums", "sums of x and x^2 of each channel, over a group", 1, 1, NULL, false, none, infer_sums, grad_none, facts, NULL, false, "t:f", NULL };
const OpInfo op_batch_statistics = { "batch_statistics", "mean and variance of each channel, and y = scale x + shift", 1, 1, NULL, false, attrs, infer_statistics, grad_none, facts,
                                     NULL, true, "a:a", NULL };
const OpInfo op_batch_gradient_sums = { "batch_gradient_sums", "sums of dy and dy (x - mean) of each channel, over a group", 3, 3, NULL, false, none, infer_set, NULL, facts, NULL,
                                        false, "tf:fftf", NULL };
const OpInfo op_batch_gradient = { "batch_gradient", "these over the batch, and dx = scale dy + slope x + offset", 2, 2, NULL, false, none, infer_set, NULL, facts, NULL, true,
                                   "a:aa", NULL };
