/* loss.c -- cross entropy and mean squared error: one number per example and step; their mean is taken over the whole batch.
 *
 *   cross_entropy  -log(softmax(x)[label] + epsilon), summed over positions;  dx_j = scale (p_j - [j = label]) p_label / (p_label + epsilon)
 *   mse            sum of (a - b)^2;  da = 2 scale (a - b) = -db
 *   loss_mean      sum of x, under `loss:` called mean;  dx = scale
 * Their backward operators start the gradient; grad.c makes them. */
#include "spnc.h"

static const AttrSpec cross_entropy_attrs[] = {
    { "epsilon", ATTR_REAL, "0", 0, 0.1, NULL, "added to the probability inside the logarithm" },
    { "weight", ATTR_REAL, "1", -1e9, 1e9, NULL, "factor of this loss in the total" },
    { 0 },
};
static const AttrSpec mse_attrs[] = {
    { "weight", ATTR_REAL, "1", -1e9, 1e9, NULL, "factor of this loss in the total" },
    { 0 },
};

static bool infer(Model *m, Op *op)
{
    (void)m;
    op->writes[0].tensor->shape = (Shape){ 0 };
    return true;
}

/* The backward operator reads what the loss reads; there is no dy, the gradient begins here. */
static void grad(Model *m, Op *op, Use dy)
{
    Op *b = grad_backward(m, op, dy);
    if (b)
        for (int i = 0; i < 2; i++)
            op_read(b, op->reads[i].tensor, op->reads[i].shift);
}

/* dx = scale for every element: nothing is read. */
static void grad_mean(Model *m, Op *op, Use dy) { grad_backward(m, op, dy); }

static void facts_cross_entropy(const Model *m, const Op *op, Fact *f)
{
    (void)m;
    const Op *fwd = forward_of(op);
    const Shape *x = &fwd->reads[0].tensor->shape;
    fact_int(f, "K", x->dim[x->rank - 1]);
    fact_int(f, "P", shape_count(x) / x->dim[x->rank - 1]);
    fact_real(f, "epsilon", op_real(op, "epsilon"));
}

static void facts_mse(const Model *m, const Op *op, Fact *f) { (void)m, (void)op, (void)f; }

static bool fits_cross_entropy(Model *m, LossDef *l)
{
    Op *op = l->op;
    const Shape *x = &op->reads[0].tensor->shape;
    const Repeat *r = op->reads[0].tensor->repeat;
    const DataDef *d = &m->targets[l->target];
    if (x->rank < 1 || x->rank > 2)
        return shape_refuse(m, op, "cross_entropy needs logits of [classes] or [positions, classes], not %s", shape_text(m->arena, x));
    if (x->dim[x->rank - 1] != d->classes)
        return shape_refuse(m, op, "'%s' has %d classes, but there are %lld logits", d->name, d->classes, (long long)x->dim[x->rank - 1]);
    int64_t have = (x->rank == 2 ? x->dim[0] : 1) * (r ? r->steps : 1), want = shape_count(&d->shape);
    if (have != want) {
        shape_refuse(m, op, "'%s' holds %lld label%s an example, but there %s %lld prediction%s", d->name, (long long)want,
                     want == 1 ? "" : "s", have == 1 ? "is" : "are", (long long)have, have == 1 ? "" : "s");
        diag_note(m->diag, d->loc, "'%s' is declared here", d->name);
        return false;
    }
    l->positions = want;
    return true;
}

/* Two values of one shape, compared element by element. */
static bool fits_elements(Model *m, LossDef *l)
{
    Op *op = l->op;
    const Tensor *a = op->reads[0].tensor, *b = op->reads[1].tensor;
    if (!shape_equal(&a->shape, &b->shape))
        return shape_refuse(m, op, "%s needs two values of one shape; these are %s and %s", OP_INFO(op)->name,
                            shape_text(m->arena, &a->shape), shape_text(m->arena, &b->shape));
    l->positions = shape_count(&a->shape) * (a->repeat ? a->repeat->steps : 1);
    return true;
}

/* Any value: its mean. */
static bool fits_any(Model *m, LossDef *l)
{
    (void)m;
    const Tensor *x = l->op->reads[0].tensor;
    l->positions = shape_count(&x->shape) * (x->repeat ? x->repeat->steps : 1);
    return true;
}

static const OpHelp help_cross_entropy = {
    "The loss of a classifier; the softmax is inside.  Stands under `loss`.",
    "[logits, labels]: logits [classes], [positions, classes], or [classes] at each step of a repeat; labels of a target with classes",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - v: { dense: x, units: 3 }\n"
    "loss: { cross_entropy: [v, y], epsilon: 1e-5 }\n",
};
static const OpHelp help_mse = {
    "The mean of squared differences, over examples and elements.  Stands under `loss`.",
    "[a, b]: two values of one shape; b may be a target with a shape",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { shape: [2] } }\n"
    "flow:\n"
    "  - v: { dense: x, units: 2 }\n"
    "loss: { mse: [v, y], weight: 0.5 }\n",
};

const OpInfo op_cross_entropy = { "cross_entropy", "loss = -log(softmax(x)[label] + epsilon)", 2, 2, NULL, false, cross_entropy_attrs, infer,
                                  grad, facts_cross_entropy, NULL, false, "f:f", &help_cross_entropy };
const OpInfo op_loss_mean = { "loss_mean", "loss = sum of x", 1, 1, NULL, false, mse_attrs, infer, grad_mean, facts_mse, NULL, false, "f:f", NULL };
const OpInfo op_mse = { "mse", "loss = sum of (a - b)^2", 2, 2, NULL, false, mse_attrs, infer, grad, facts_mse, NULL, false, "f:f",
                        &help_mse };

const LossInfo loss_cross_entropy = {
    .operands = { "logits", "labels" }, .form = "[logits, labels]", .takes = TAKES_LABELS, .fits = fits_cross_entropy, .shows_wrong = true,
};
const LossInfo loss_loss_mean = {
    .word = "mean", .operands = { "value" }, .form = "value", .takes = TAKES_VALUES, .fits = fits_any,
};
const LossInfo loss_mse = {
    .operands = { "prediction", "target" }, .form = "[a, b]", .takes = TAKES_REALS | TAKES_VALUES, .fits = fits_elements, .squares = true,
};
