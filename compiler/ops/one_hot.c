/* one_hot.c -- what makes real numbers of whole ones: labels, or an input with dtype: i32 (Tensor.classes).
 *
 *   one_hot   y[c] = 1 where x = c, else 0; the classes are the axis where logits have them: the first, or the last of a target with `length`;
 *             of a label that a loss ignores all are 0
 *   real      y = x: whole numbers are kept as reals, so the result is a view of the same memory (make.c)
 * Neither has a gradient: whole numbers are not trained. */
#include "spnc.h"

static const AttrSpec attrs[] = { { "name", ATTR_NAME, "", 0, 0, NULL, "the result's name" }, { 0 } };

/* Where the classes stand among the axes of the result. */
static int axis_of(const Tensor *x) { return x->classes_axis < 0 ? x->shape.rank : x->classes_axis; }

static bool infer_one_hot(Model *m, Op *op)
{
    const Tensor *x = op->reads[0].tensor;
    Shape y = { .rank = x->shape.rank + 1 };
    if (tensor_ignored_class(x) == CLASSES_DIFFER)
        return shape_refuse(m, op, "a loss ignores a class of one target in it that counts in another: take one_hot of each, then stack or concat them");
    if (y.rank > RANK_MAX)
        return shape_refuse(m, op, "one_hot of %s would have more than %d axes", shape_text(m->arena, &x->shape), RANK_MAX);
    for (int i = 0; i < y.rank; i++)
        y.dim[i] = i == axis_of(x) ? x->classes : x->shape.dim[i - (i > axis_of(x))];
    op->writes[0].tensor->shape = y;
    return true;
}

static bool infer_real(Model *m, Op *op)
{
    (void)m;
    op->writes[0].tensor->shape = op->reads[0].tensor->shape;
    return true;
}

static void grad(Model *m, Op *op, Use dy) { (void)m, (void)op, (void)dy; }

static void facts_one_hot(const Model *m, const Op *op, Fact *f)
{
    const Tensor *x = op->reads[0].tensor;
    int64_t before = 1;
    for (int i = 0; i < axis_of(x); i++)
        before *= x->shape.dim[i];
    const int64_t after = shape_count(&x->shape) / before;
    const char *i = before > 1 ? "i" : NULL, *j = after > 1 ? "j" : NULL;
    fact_int(f, "K", x->classes);
    fact_int(f, "ignored", tensor_ignored_class(x));
    fact_text(f, "element", i && j ? arena_printf(m->arena, "i * %lld + j", (long long)after) : i ? i : j ? j : "0");
    fact_text(f, "result", i && j ? arena_printf(m->arena, "(i * %d + c) * %lld + j", x->classes, (long long)after)
                           : i    ? arena_printf(m->arena, "i * %d + c", x->classes)
                           : j    ? arena_printf(m->arena, "c * %lld + j", (long long)after)
                                  : "c");
    fact_int(f, "before", before);
    fact_int(f, "after", after);
}

static void facts_none(const Model *m, const Op *op, Fact *f) { (void)m, (void)op, (void)f; }

static const OpHelp help_one_hot = {
    "1 at the place of each class, 0 at the others.  Of a label that a loss ignores all are 0.",
    "labels, or whole numbers (dtype: i32) [..] -> [classes, ..]; of a target with `length` [.., classes]",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - v: { dense: x, units: 3 }\n"
    "  - p: { log_softmax: v }\n"
    "  - chosen: { one_hot: y }\n"
    "loss: { mean: 0 - chosen * p }\n",
};
static const OpHelp help_real = {
    "Labels, or whole numbers of an input, as real numbers.",
    "labels, or whole numbers (dtype: i32), of any shape -> the same shape",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { same: { classes: 2 } }\n"
    "flow:\n"
    "  - v: { dense: x, units: 1 }\n"
    "  - d: { sum: v ** 2 }\n"
    "  - y: { real: same }\n"
    "loss: { mean: y * d + (1 - y) * exp(-d) }\n",
};

const OpInfo op_one_hot = { "one_hot", "y[c] = 1 where x = c, else 0", 1, 1, NULL, false, attrs, infer_one_hot, grad, facts_one_hot, NULL, false, "f:f", &help_one_hot };
const OpInfo op_to_real = { "real", "y = x, as real numbers", 1, 1, NULL, false, attrs, infer_real, grad, facts_none, NULL, false, "t:t", &help_real };
