/* loss.c -- the losses: one number per example and step; their mean is taken over the whole batch.
 *
 *   cross_entropy  -log(softmax(x)[label] + epsilon), summed over positions;  dx_j = scale (p_j - [j = label]) p_label / (p_label + epsilon)
 *                  with smoothing, class weights, an ignored label, shares for labels: templates/loss/cross_entropy_labels.c.in, cross_entropy_shares.c.in
 *   binary_cross_entropy  sum of max(x, 0) - x t + log(1 + exp(-|x|));  dx = scale (sigmoid(x) - t), dt = -scale x
 *   mse            sum of (a - b)^2;  da = 2 scale (a - b) = -db
 *   mae            sum of |a - b|;  da = scale sign(a - b) = -db
 *   huber          sum of d^2 / 2 for |d| = |a - b| <= delta, else delta (|d| - delta / 2);  da = scale d, held in [-delta, delta] = -db
 *   loss_mean      sum of x, under `loss:` called mean;  dx = scale
 *   weight_l2, weight_l1  of weights, not of examples: graph/penalty.c, runtime/penalty.h
 * Their backward operators start the gradient; grad.c makes them. */
#include "spnc.h"

#define WEIGHT { "weight", ATTR_REAL, "1", -1e9, 1e9, NULL, "factor of this loss in the total" }
static const AttrSpec cross_entropy_attrs[] = {
    { "epsilon", ATTR_REAL, "0", 0, 0.1, NULL, "added to the probability inside the logarithm" },
    WEIGHT,
    { "smoothing", ATTR_REAL, "", 0, 1, NULL, "share of the target that is spread evenly over all classes" },
    { "class_weights", ATTR_TREE, "", 0, 0, "class_weights", "a factor for each class; the mean is divided by those of the labels that count" },
    { "ignore", ATTR_INT, "", -1e9, 1e9, NULL, "positions with this label do not count" },
    { 0 },
};
static const AttrSpec weight_attrs[] = { WEIGHT, { 0 } };
static const AttrSpec huber_attrs[] = {
    { "delta", ATTR_REAL, "1", 1e-30, 1e30, NULL, "where the square ends and the straight line begins" },
    WEIGHT,
    { 0 },
};
#undef WEIGHT

/* One number an example; two, if its labels count by weights. */
static bool infer(Model *m, Op *op)
{
    (void)m;
    for (int i = 0; i < op->write_count; i++)
        op->writes[i].tensor->shape = (Shape){ 0 };
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

/* The classes' weights as C, "1, 0.5"; "" if there are none. */
static const char *weights_text(const Model *m, const LossDef *l)
{
    Text t = { .arena = m->arena };
    for (int k = 0; l->class_weights && k < l->class_count; k++)
        text_printf(&t, "%s%.17g", k ? ", " : "", l->class_weights[k]);
    return t.text ? t.text : "";
}

static bool is_labels(const Op *op) { return op->reads[1].tensor->space == LABELS_I32; }

/* A cross entropy of logits [classes] or [positions, classes] with nothing but an epsilon, if that, has a template of its own. */
static void facts_cross_entropy(const Model *m, const Op *op, Fact *f)
{
    const Op *fwd = forward_of(op);
    const LossDef *l = fwd->loss;
    const double smoothing = op_real(fwd, "smoothing");
    const Attr *ignore = op_attr(fwd, "ignore");
    const int64_t K = l->class_count, all = shape_count(&fwd->reads[0].tensor->shape);
    const bool simple = is_labels(fwd) && l->inner == 1 && !l->class_weights && !smoothing && !ignore->given;
    double sum = l->class_weights ? 0 : (double)K;
    for (int k = 0; l->class_weights && k < K; k++)
        sum += l->class_weights[k];
    fact_text(f, "form", simple ? "" : is_labels(fwd) ? "labels" : "shares");
    fact_int(f, "K", K);
    fact_int(f, "P", all / K);
    fact_int(f, "O", all / K / l->inner);
    fact_int(f, "I", l->inner);
    fact_real(f, "epsilon", op_real(op, "epsilon"));
    fact_real(f, "smoothing", smoothing);
    fact_text(f, "keep", arena_printf(m->arena, "%.17g", 1 - smoothing));
    fact_text(f, "share", arena_printf(m->arena, "%.17g", smoothing / (double)K));
    fact_text(f, "weights", weights_text(m, l));
    fact_text(f, "weights_sum", arena_printf(m->arena, "%.17g", sum));
    fact_bool(f, "ignores", ignore->given);
    fact_int(f, "ignore", ignore->given ? (int64_t)ignore->number[0] : 0);
    fact_bool(f, "counts", l->counts != NULL);
}

static void facts_none(const Model *m, const Op *op, Fact *f) { (void)m, (void)op, (void)f; }

static void facts_huber(const Model *m, const Op *op, Fact *f)
{
    fact_text(f, "delta", arena_printf(m->arena, "%.17g", op_real(forward_of(op), "delta")));
}

static void facts_binary(const Model *m, const Op *op, Fact *f)
{
    (void)m;
    fact_bool(f, "labels", is_labels(forward_of(op)));
}

/* The shape that a value has at each step, behind its steps, if any. */
static const char *whole_text(Model *m, const Tensor *t)
{
    const char *each = shape_text(m->arena, &t->shape);
    return t->repeat ? arena_printf(m->arena, "%s at each of %d steps", each, t->repeat->steps) : each;
}

/* How many axes in front of a value are the steps of repeats: those that a stack has put there. */
static int stack_axes(const Tensor *t)
{
    return !t->repeat && t->op && t->op->kind == OP_stack ? t->shape.rank - t->op->reads[0].tensor->shape.rank : 0;
}

/* `s` without its first n axes. */
static Shape shape_behind(const Shape *s, int n)
{
    Shape rest = { .rank = s->rank - n };
    for (int i = 0; i < rest.rank; i++)
        rest.dim[i] = s->dim[i + n];
    return rest;
}

/* True if the target begins with the steps that the logits have: those of their repeat, or of their stack. */
static bool begins_with_steps(const Tensor *x, const DataDef *d)
{
    if (x->repeat)
        return d->shape.rank && d->shape.dim[0] == x->repeat->steps;
    const int steps = stack_axes(x);
    for (int i = 0; i < steps; i++)
        if (i >= d->shape.rank || d->shape.dim[i] != x->shape.dim[i])
            return false;
    return true;
}

/* True if `axis` of x is as long as there are classes, and the rest is the labels' shape. */
static bool classes_at(const DataDef *d, const Shape *x, const Shape *want, int axis)
{
    Shape rest = { .rank = x->rank - 1 };
    for (int i = 0; i < rest.rank; i++)
        rest.dim[i] = x->dim[i + (i >= axis)];
    return axis < x->rank && x->dim[axis] == d->classes && shape_equal(&rest, want);
}

static bool classes_found(LossDef *l, const Shape *x, int axis)
{
    for (int i = axis + 1; i < x->rank; i++)
        l->inner *= x->dim[i];
    return true;
}

/* Logits with the classes in front of the labels' shape.  Of a repeat, or of a stack, the first axes of the labels are the steps; of a formula of a stack
 * too, where that fits: a factor of the logits must not move the classes to the steps where there are as many of these. */
static bool fits_shape(Model *m, LossDef *l, const DataDef *d)
{
    Op *op = l->op;
    const Tensor *value = op->reads[0].tensor;
    const int front = stack_axes(value);
    if (!value->repeat && value->steps_in_front && classes_at(d, &value->shape, &d->shape, value->steps_in_front)) {
        for (int axis = front; axis < value->steps_in_front; axis++)
            l->behind = l->behind || classes_at(d, &value->shape, &d->shape, axis);
        return classes_found(l, &value->shape, value->steps_in_front);
    }
    const bool steps = begins_with_steps(value, d);
    const Shape x = shape_behind(&value->shape, front), want = steps ? shape_behind(&d->shape, value->repeat ? 1 : front) : d->shape;
    for (int axis = 0; steps && axis < x.rank; axis++)
        if (classes_at(d, &x, &want, axis))
            return classes_found(l, &x, axis);
    Shape logits = { .rank = front + want.rank + 1 };
    for (int i = 0; i < front && i < RANK_MAX; i++)
        logits.dim[i] = value->shape.dim[i];
    if (front < RANK_MAX)
        logits.dim[front] = d->classes;
    for (int i = 0; i < want.rank && front + i + 1 < RANK_MAX; i++)
        logits.dim[front + i + 1] = want.dim[i];
    if (steps)
        shape_refuse(m, op, "the logits for '%s' have the classes %s, %s; these are %s", d->name, front ? "behind the steps" : "first",
                     shape_text(m->arena, &logits), whole_text(m, value));
    else
        shape_refuse(m, op, "the first %s of '%s' are the steps, but it is %s, and the logits are %s", front > 1 ? "axes" : "axis", d->name,
                     shape_text(m->arena, &d->shape), whole_text(m, value));
    diag_note(m->diag, d->loc, "'%s' is declared here", d->name);
    return false;
}

/* Shares for each class, of the logits' shape: the classes are the first axis, behind all steps of a stack and of a formula of one. */
static bool fits_shares(Model *m, LossDef *l)
{
    Op *op = l->op;
    const Tensor *x = op->reads[0].tensor, *t = op->reads[1].tensor;
    const int stack = stack_axes(x), axis = !x->repeat && x->steps_in_front < x->shape.rank && x->steps_in_front > stack ? x->steps_in_front : stack;
    if (!shape_equal(&x->shape, &t->shape) || x->shape.rank <= axis)
        return shape_refuse(m, op, "cross_entropy with shares needs one for each logit; the logits are %s, the shares %s", shape_text(m->arena, &x->shape),
                            shape_text(m->arena, &t->shape));
    l->behind = axis != stack;
    l->class_count = (int)x->shape.dim[axis];
    l->positions = shape_count(&x->shape) / l->class_count * (x->repeat ? x->repeat->steps : 1);
    for (int i = axis + 1; i < x->shape.rank; i++)
        l->inner *= x->shape.dim[i];
    return true;
}

static bool fits_labels(Model *m, LossDef *l)
{
    Op *op = l->op;
    const Shape *x = &op->reads[0].tensor->shape;
    const Repeat *r = op->reads[0].tensor->repeat;
    const DataDef *d = &m->targets[l->target];
    l->class_count = d->classes;
    l->positions = shape_count(&d->shape);
    if (!d->classes_last)
        return fits_shape(m, l, d);
    const int front = stack_axes(op->reads[0].tensor);
    if (x->rank < 1 || x->rank > (front > 1 ? front : 1) + 1)
        return shape_refuse(m, op, "cross_entropy needs logits of [classes] or [positions, classes], not %s", shape_text(m->arena, x));
    if (x->dim[x->rank - 1] != d->classes)
        return shape_refuse(m, op, "'%s' has %d classes, but there are %lld logits", d->name, d->classes, (long long)x->dim[x->rank - 1]);
    int64_t have = shape_count(x) / d->classes * (r ? r->steps : 1), want = shape_count(&d->shape);
    if (have != want) {
        shape_refuse(m, op, "'%s' holds %lld label%s an example, but there %s %lld prediction%s", d->name, (long long)want,
                     want == 1 ? "" : "s", have == 1 ? "is" : "are", (long long)have, have == 1 ? "" : "s");
        diag_note(m->diag, d->loc, "'%s' is declared here", d->name);
        return false;
    }
    return true;
}

static bool fits_cross_entropy(Model *m, LossDef *l)
{
    l->inner = 1;
    if (!(is_labels(l->op) ? fits_labels(m, l) : fits_shares(m, l)))
        return false;
    return loss_classes_fit(m, l);
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

/* Logits and a label of two classes for each; in a repeat the labels have the steps first. */
static bool fits_binary(Model *m, LossDef *l)
{
    Op *op = l->op;
    const Tensor *x = op->reads[0].tensor;
    if (!is_labels(op))
        return fits_elements(m, l);
    const DataDef *d = &m->targets[l->target];
    if (d->classes != 2) {
        shape_refuse(m, op, "binary_cross_entropy needs labels of 2 classes; '%s' has %d", d->name, d->classes);
        diag_note(m->diag, d->loc, "'%s' is declared here", d->name);
        return false;
    }
    Shape whole = x->shape;
    if (x->repeat && whole.rank < RANK_MAX) {
        for (int i = whole.rank++; i > 0; i--)
            whole.dim[i] = whole.dim[i - 1];
        whole.dim[0] = x->repeat->steps;
    }
    l->positions = shape_count(&d->shape);
    if (shape_equal(&whole, &d->shape) || (whole.rank == 1 && whole.dim[0] == 1 && d->shape.rank == 0))
        return true;
    shape_refuse(m, op, "binary_cross_entropy needs a label for each logit; the logits are %s, '%s' is %s", shape_text(m->arena, &whole), d->name,
                 shape_text(m->arena, &d->shape));
    diag_note(m->diag, d->loc, "'%s' is declared here", d->name);
    return false;
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
    "The loss of a classifier; the softmax is inside.  Stands under `loss`.  PyTorch's means: divided by the weights of the labels that count.",
    "[logits, labels]: logits [classes], [positions, classes], or [classes] at each step of a repeat, for labels with a shape [classes, shape...]; or [logits, shares]",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - v: { dense: x, units: 3 }\n"
    "loss: { cross_entropy: [v, y], smoothing: 0.1, class_weights: [1, 2, 1] }\n",
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

static const OpHelp help_binary = {
    "Cross entropy of each element by itself, of two classes; the sigmoid is inside.  Stands under `loss`.",
    "[logits, target]: two values of one shape; the target has shares from 0 to 1, or labels of 2 classes",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { length: 4, classes: 2 } }\n"
    "flow:\n"
    "  - v: { dense: x, units: 4 }\n"
    "loss: { binary_cross_entropy: [v, y] }\n",
};
static const OpHelp help_mae = {
    "The mean of absolute differences, over examples and elements.  Stands under `loss`.",
    "[a, b]: two values of one shape; b may be a target with a shape",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { shape: [2] } }\n"
    "flow:\n"
    "  - v: { dense: x, units: 2 }\n"
    "loss: { mae: [v, y] }\n",
};
static const OpHelp help_huber = {
    "The mean of squares of small differences, and of absolute values of large ones.  Stands under `loss`.",
    "[a, b]: two values of one shape; b may be a target with a shape",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { shape: [2] } }\n"
    "flow:\n"
    "  - v: { dense: x, units: 2 }\n"
    "loss: { huber: [v, y], delta: 0.5 }\n",
};

static const OpHelp help_weight_l2 = {
    "The sum of squares of a net's weights, once a batch.  Stands under `loss`, beside another loss.",
    "a net, for all its uses and copies, or a beginning of parameter names up to a dot; its weights count, not its biases and norms",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "nets: { front: [ { dense: { units: 5, act: tanh } } ] }\n"
    "flow:\n"
    "  - h: { front: x }\n"
    "  - v: { dense: h, units: 3 }\n"
    "loss: [{ cross_entropy: [v, y] }, { weight_l2: front, weight: 1e-4 }]\n",
};
static const OpHelp help_weight_l1 = {
    "The sum of magnitudes of a net's weights, once a batch: many of them come near 0.  Stands under `loss`, beside another loss.",
    "a net, for all its uses and copies, or a beginning of parameter names up to a dot; its weights count, not its biases and norms",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - v: { dense: x, units: 3 }\n"
    "loss: [{ cross_entropy: [v, y] }, { weight_l1: v, weight: 1e-4 }]\n",
};

const OpInfo op_cross_entropy = { "cross_entropy", "loss = -log(softmax(x)[label] + epsilon)", 2, 2, NULL, false, cross_entropy_attrs, infer,
                                  grad, facts_cross_entropy, NULL, false, "f:f", &help_cross_entropy };
const OpInfo op_binary_cross_entropy = { "binary_cross_entropy", "loss = sum of max(x, 0) - x t + log(1 + exp(-|x|))", 2, 2, NULL, false, weight_attrs, infer, grad,
                                         facts_binary, NULL, false, "f:f", &help_binary };
const OpInfo op_loss_mean = { "loss_mean", "loss = sum of x", 1, 1, NULL, false, weight_attrs, infer, grad_mean, facts_none, NULL, false, "f:f", NULL };
const OpInfo op_mse = { "mse", "loss = sum of (a - b)^2", 2, 2, NULL, false, weight_attrs, infer, grad, facts_none, NULL, false, "f:f",
                        &help_mse };
const OpInfo op_mae = { "mae", "loss = sum of |a - b|", 2, 2, NULL, false, weight_attrs, infer, grad, facts_none, NULL, false, "f:f", &help_mae };
const OpInfo op_huber = { "huber", "loss = sum of d^2 / 2, or delta (|d| - delta / 2) where |d| = |a - b| > delta", 2, 2, NULL, false, huber_attrs, infer, grad,
                          facts_huber, NULL, false, "f:f", &help_huber };

const OpInfo op_weight_l2 = { "weight_l2", "loss = sum of w^2", 1, 1, NULL, false, weight_attrs, infer, grad_mean, facts_none, NULL, false, "f:f", &help_weight_l2 };
const OpInfo op_weight_l1 = { "weight_l1", "loss = sum of |w|", 1, 1, NULL, false, weight_attrs, infer, grad_mean, facts_none, NULL, false, "f:f", &help_weight_l1 };

const LossInfo loss_cross_entropy = {
    .operands = { "logits", "labels" }, .form = "[logits, labels]", .takes = TAKES_LABELS | TAKES_REALS | TAKES_VALUES, .fits = fits_cross_entropy, .shows = "WRONG",
};
const LossInfo loss_binary_cross_entropy = {
    .operands = { "logits", "target" }, .form = "[logits, target]", .takes = TAKES_LABELS | TAKES_REALS | TAKES_VALUES, .fits = fits_binary, .shows = "BITS",
};
const LossInfo loss_loss_mean = {
    .word = "mean", .operands = { "value" }, .form = "value", .takes = TAKES_VALUES, .fits = fits_any,
};
const LossInfo loss_mse = {
    .operands = { "prediction", "target" }, .form = "[a, b]", .takes = TAKES_REALS | TAKES_VALUES, .fits = fits_elements, .shows = "SQUARE", .squares = true,
};
const LossInfo loss_mae = {
    .operands = { "prediction", "target" }, .form = "[a, b]", .takes = TAKES_REALS | TAKES_VALUES, .fits = fits_elements, .shows = "SQUARE",
};
const LossInfo loss_huber = {
    .operands = { "prediction", "target" }, .form = "[a, b]", .takes = TAKES_REALS | TAKES_VALUES, .fits = fits_elements, .shows = "SQUARE", .squares = true,
};
const LossInfo loss_weight_l2 = { .operands = { "net" }, .form = "NET", .takes = TAKES_WEIGHTS };
const LossInfo loss_weight_l1 = { .operands = { "net" }, .form = "NET", .takes = TAKES_WEIGHTS };
