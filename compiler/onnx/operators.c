/* operators.c -- operators of the graph as nodes of ONNX.
 *
 * In: an operator whose shapes are known, and the names of its operands.  Out: lines (lines.h).  All values have the examples as their first axis, so
 * axis k of an example is axis k + 1 here; a value of one number for each example is [N].  Weights are taken as files have them: PyTorch's shapes,
 * which are ONNX's but for the rows of cells (cells.c). */
#include "onnx/operators.h"
#include "graph/window.h"
#include "outside/outside.h"
#include <string.h>

static const Shape *shape_of(const Op *op, int k) { return &op->reads[k].tensor->shape; }

/* ---- convolutions, pools ------------------------------------------------------------------------------------------ */

/* "a b c": x, then the names of the operator's weights. */
static const char *with_weights(Onnx *o, const Op *op, const char *x)
{
    for (int i = 0; i < op->weight_count; i++)
        x = onnx_text(o, "%s %s", x, op->weights[i]->name);
    return x;
}

/* Numbers of the axes that there are, both or the last alone: "[3,3]". */
static const char *pair(Onnx *o, bool flat, const int64_t *two) { return onnx_list(o, two + flat, 2 - flat); }

/* "[top,left,bottom,right]" */
static const char *pads(Onnx *o, bool flat, const int64_t before[2], const int64_t after[2])
{
    const int64_t all[4] = { before[flat], flat ? after[1] : before[1], after[0], after[1] };
    return onnx_list(o, all, flat ? 2 : 4);
}

/* What a transposed convolution adds behind its result is less than the stride in ONNX.  More, which a dilation allows, is made of zeros behind x: each
 * makes the result longer by a stride, and pads take off what is too long.  Changes `added` and `after`. */
static const char *with_room(Onnx *o, const Window *w, const char *x, int64_t added[2], int64_t after[2])
{
    int64_t zeros[8] = { 0 };
    const int axes = w->flat ? 3 : 4;
    bool any = false;
    for (int k = w->flat; k < 2; k++)
        if (added[k] >= w->stride[k]) {
            const int64_t room = (added[k] + w->stride[k] - 1) / w->stride[k];
            after[k] += room * w->stride[k] - added[k];
            added[k] = 0;
            zeros[2 * axes - 2 + k] = room;
            any = true;
        }
    return any ? onnx_node(o, "Pad", NULL, onnx_text(o, "%s int%s", x, onnx_list(o, zeros, 2 * axes)), "mode='constant'") : x;
}

static const char *convolution(Onnx *o, const Op *op, const char *x, const char *out)
{
    Window w = window_of(op);
    const char *more = "";
    if (op->kind == OP_conv_transpose) {
        int64_t added[2];
        op_pair(added, op, "output_padding");
        x = with_room(o, &w, x, added, w.after);
        more = onnx_text(o, " output_padding=%s", pair(o, w.flat, added));
    }
    return onnx_node(o, w.transposed ? "ConvTranspose" : "Conv", out, with_weights(o, op, x),
                     onnx_text(o, "kernel_shape=%s strides=%s dilations=%s pads=%s group=%lld%s", pair(o, w.flat, w.kernel),
                               pair(o, w.flat, w.stride), pair(o, w.flat, w.dilation), pads(o, w.flat, w.before, w.after),
                               (long long)w.groups, more));
}

/* The last window may stick out, so the padding behind is as long as the windows need it. */
static const char *maxpool(Onnx *o, const Op *op, const char *x, const char *out)
{
    const Shape *in = shape_of(op, 0), *y = &op->writes[0].tensor->shape;
    const bool flat = in->rank == 2;
    int64_t size[2], stride[2], before[2] = { 0 }, after[2] = { 0 };
    op_pair(size, op, "size");
    memcpy(stride, size, sizeof stride);
    if (op_attr(op, "stride")->given)
        op_pair(stride, op, "stride");
    if (op_attr(op, "padding")->given)
        op_pair(before, op, "padding");
    for (int k = flat; k < 2; k++) {
        after[k] = (y->dim[k + 1 - flat] - 1) * stride[k] + size[k] - in->dim[k + 1 - flat] - before[k];
        after[k] = after[k] > 0 ? after[k] : 0;
    }
    return onnx_node(
        o, "MaxPool", out, x,
        onnx_text(o, "kernel_shape=%s strides=%s pads=%s", pair(o, flat, size), pair(o, flat, stride), pads(o, flat, before, after)));
}

/* ---- products ------------------------------------------------------------------------------------------------------ */

static const char *flat(Onnx *o, const char *x, const Shape *s)
{
    const int64_t count = shape_count(s);
    return s->rank == 1 ? x : onnx_reshape(o, x, &(Shape){ 1, { count } }, NULL);
}

static const char *dense(Onnx *o, const Op *op, const char *x, const char *out)
{
    const Shape *s = shape_of(op, 0);
    const char *over = op_word(op, "over"), *w = op->weights[0]->name;
    if (!over || strcmp(over, "last") != 0 || s->rank == 1)
        return onnx_node(o, "Gemm", out, with_weights(o, op, flat(o, x, s)), op->dense.transposed ? "" : "transB=1");
    if (!op->dense.transposed)
        w = onnx_node(o, "Transpose", NULL, w, "perm=[1,0]");
    if (op->weight_count < 2)
        return onnx_node(o, "MatMul", out, onnx_text(o, "%s %s", x, w), "");
    const char *product = onnx_node(o, "MatMul", NULL, onnx_text(o, "%s %s", x, w), "");
    return onnx_node(o, "Add", out, onnx_text(o, "%s %s", product, op->weights[1]->name), "");
}

/* An operand of matmul with `leads` axes in front of its rows and columns; a vector is a row, or a column. */
static const char *factor(Onnx *o, const char *x, const Shape *s, bool column, bool transposed, int leads)
{
    Shape full = { .rank = leads + 2 };
    const int own = s->rank > 2 ? s->rank - 2 : 0;
    for (int i = 0; i < leads; i++)
        full.dim[i] = i < leads - own ? 1 : s->dim[i - (leads - own)];
    full.dim[leads] = s->rank > 1 ? s->dim[s->rank - 2] : column ? s->dim[0] : 1;
    full.dim[leads + 1] = s->rank > 1 ? s->dim[s->rank - 1] : column ? 1 : s->dim[0];
    x = onnx_reshape(o, x, &full, NULL);
    if (!transposed)
        return x;
    int64_t perm[RANK_MAX + 1];
    for (int i = 0; i < full.rank + 1; i++)
        perm[i] = i < full.rank - 1 ? i : 2 * full.rank - 1 - i;
    return onnx_node(o, "Transpose", NULL, x, onnx_text(o, "perm=%s", onnx_list(o, perm, full.rank + 1)));
}

static const char *matmul(Onnx *o, const Op *op, const char *const *x, const char *out)
{
    const Shape *a = shape_of(op, 0), *b = shape_of(op, 1);
    const int most = a->rank > b->rank ? a->rank : b->rank, leads = most > 2 ? most - 2 : 0;
    const char *left = factor(o, x[0], a, false, op_int(op, "transpose_a"), leads),
               *right = factor(o, x[1], b, true, op_int(op, "transpose_b"), leads);
    return onnx_reshape(o, onnx_node(o, "MatMul", NULL, onnx_text(o, "%s %s", left, right), ""), &op->writes[0].tensor->shape, out);
}

/* ---- the sampler ---------------------------------------------------------------------------------------------------- */

/* The six numbers of a restricted transform: the rows of transform.c's table. */
static const char *transform(Onnx *o, const Op *op, const char *x, const char *out)
{
    const char *word = op_word(op, "transform"), *p[4] = { 0 };
    for (int i = 0; i < transform_numbers(op); i++)
        p[i] = onnx_node(o, "Slice", NULL, onnx_text(o, "%s int[%d] int[%d] int[1]", flat(o, x, shape_of(op, 0)), i, i + 1), "");
    const char *nought = onnx_node(o, "Mul", NULL, onnx_text(o, "%s real:0", p[0]), ""), *all[6] = { p[0], nought, p[1], nought, p[2], p[3] };
    if (!strcmp(word, "attention"))
        all[2] = p[1], all[4] = p[0], all[5] = p[2];
    if (!strcmp(word, "translation")) {
        all[0] = all[4] = onnx_node(o, "Add", NULL, onnx_text(o, "%s real:1", nought), "");
        all[2] = p[0], all[5] = p[1];
    }
    if (!strcmp(word, "similarity")) {
        const char *cosine = onnx_node(o, "Cos", NULL, p[1], ""), *sine = onnx_node(o, "Sin", NULL, p[1], "");
        all[0] = all[4] = onnx_node(o, "Mul", NULL, onnx_text(o, "%s %s", p[0], cosine), "");
        all[3] = onnx_node(o, "Mul", NULL, onnx_text(o, "%s %s", p[0], sine), "");
        all[1] = onnx_node(o, "Neg", NULL, all[3], "");
        all[2] = p[2], all[5] = p[3];
    }
    return onnx_node(o, "Concat", out, onnx_text(o, "%s %s %s %s %s %s", all[0], all[1], all[2], all[3], all[4], all[5]), "axis=1");
}

/* Where the point k of n lies, from -1 to 1, an only one at 0. */
static double place(int64_t k, int64_t n) { return n > 1 ? -1 + 2 * (double)k / (double)(n - 1) : 0; }

/* The grid [N, rows, columns, 2] of a single row or column, of which AffineGrid would divide by 0. */
static const char *thin_grid(Onnx *o, const char *A, int64_t rows, int64_t columns)
{
    const char *name = onnx_text(o, "//points%lldx%lld", (long long)rows, (long long)columns);
    if (onnx_first(o, name)) {
        double *points = NEW_ARRAY(o->m->arena, double, 3 * rows * columns);
        for (int64_t k = 0; k < rows * columns; k++)
            points[3 * k] = place(k % columns, columns), points[3 * k + 1] = place(k / columns, rows), points[3 * k + 2] = 1;
        onnx_constant(o, name, &(Shape){ 2, { rows * columns, 3 } }, points, 3 * rows * columns);
    }
    const char *moved = onnx_node(o, "MatMul", NULL, onnx_text(o, "%s %s", name, onnx_node(o, "Transpose", NULL, A, "perm=[0,2,1]")), "");
    return onnx_reshape(o, moved, &(Shape){ 3, { rows, columns, 2 } }, NULL);
}

static const char *spn(Onnx *o, const Op *op, const char *const *x, const char *out)
{
    const Shape *y = &op->writes[0].tensor->shape;
    const char *border = op_word(op, "border");
    if (!strcmp(border, "legacy"))
        onnx_refuse(o, op->loc, "`border: legacy` is no sampler of ONNX: zero and clamp are");
    const char *A = onnx_reshape(o, x[1], &(Shape){ 2, { 2, 3 } }, NULL), *grid;
    if (y->dim[1] > 1 && y->dim[2] > 1) {
        const char *size =
            onnx_node(o, "Concat", NULL, onnx_text(o, "%s int%s", onnx_node(o, "Shape", NULL, A, "start=0 end=1"), onnx_list(o, y->dim, 3)),
                      "axis=0");
        grid = onnx_node(o, "AffineGrid", NULL, onnx_text(o, "%s %s", A, size), "align_corners=1");
    } else {
        grid = thin_grid(o, A, y->dim[1], y->dim[2]);
    }
    return onnx_node(o, "GridSample", out, onnx_text(o, "%s %s", x[0], grid),
                     onnx_text(o, "align_corners=1 mode='linear' padding_mode='%s'", !strcmp(border, "clamp") ? "border" : "zeros"));
}

/* ---- parts, joins ---------------------------------------------------------------------------------------------------- */

/* Positions that move with a step are known here, since repeats are written out step by step. */
static const char *slice(Onnx *o, const Op *op, const char *x, const int *at, const char *out)
{
    const Attr *index = op_attr(op, "index"), *from = op_attr(op, "from"), *to = op_attr(op, "to");
    const int64_t axis = op_int(op, "axis"), t = op->slice.repeat ? at[repeat_level(op->slice.repeat) - 1] : 0;
    const int64_t k = 1 + (axis < 0 ? axis + shape_of(op, 0)->rank : axis);
    const Attr *first = index->given ? index : from;
    const int64_t start = (int64_t)first->number[0] + (first->count == 2 ? (int64_t)first->number[1] * t : 0);
    if (index->given)
        return onnx_node(o, "Gather", out, onnx_text(o, "%s int:%lld", x, (long long)start), onnx_text(o, "axis=%lld", (long long)k));
    const int64_t end = to->given ? (int64_t)to->number[0] + (to->count == 2 ? (int64_t)to->number[1] * t : 0) : shape_of(op, 0)->dim[k - 1];
    const long long step = op_attr(op, "step")->given ? op_int(op, "step") : 1;
    return onnx_node(o, "Slice", out,
                     onnx_text(o, "%s int[%lld] int[%lld] int[%lld] int[%lld]", x, (long long)start, (long long)end, (long long)k, step),
                     "");
}

static const char *concat(Onnx *o, const Op *op, const char *const *x, const char *out)
{
    const char *all = "";
    const int64_t axis = op_int(op, "axis"), rank = op->writes[0].tensor->shape.rank;
    for (int k = 0; k < op->read_count; k++)
        all = onnx_text(o, "%s%s%s", all, k ? " " : "", shape_of(op, k)->rank ? x[k] : onnx_reshape(o, x[k], &(Shape){ 1, { 1 } }, NULL));
    return onnx_node(o, "Concat", out, all, onnx_text(o, "axis=%lld", (long long)(1 + (axis < 0 ? axis + rank : axis))));
}

static const char *folded(Onnx *o, const char *type, const Op *op, const char *const *x, const char *out)
{
    const char *y = x[0];
    for (int k = 1; k < op->read_count; k++)
        y = onnx_node(o, type, k == op->read_count - 1 ? out : NULL, onnx_text(o, "%s %s", y, x[k]), "");
    return y;
}

static const char *one_hot(Onnx *o, const Op *op, const char *x, const char *out)
{
    const Tensor *t = op->reads[0].tensor;
    return onnx_node(o, "OneHot", out, onnx_text(o, "%s int:%d real[0,1]", x, t->classes),
                     onnx_text(o, "axis=%d", t->classes_axis < 0 ? t->shape.rank + 1 : t->classes_axis + 1));
}

/* ---- values without operands ------------------------------------------------------------------------------------------ */

static const char *load(Onnx *o, const DataDef *d, const char *out)
{
    if (d->type == 1)
        return d->name;
    if (d->type == 0)
        return onnx_node(o, "Div", out, onnx_text(o, "%s real:255", onnx_node(o, "Cast", NULL, d->name, "to=1")), "");
    return onnx_node(o, "Clip", out, onnx_text(o, "%s int:0 int:%d", onnx_node(o, "Cast", NULL, d->name, "to=7"), d->classes - 1), "");
}

static const char *constant(Onnx *o, const Op *op, const int *at, const char *out)
{
    const Shape *s = &op->writes[0].tensor->shape;
    if (!op->numbered)
        return onnx_every(o, onnx_constant(o, onnx_text(o, "%s:numbers", out), s, op->constant.values, shape_count(s)), s, out);
    int64_t step = 0;
    for (int k = 1; k <= repeat_level(op->constant.repeat); k++)
        step = step * repeat_at(op->constant.repeat, k)->steps + at[k - 1];
    return onnx_every(o, onnx_text(o, "real:%.9g", op->constant.values[step]), s, out);
}

static const char *coordinates(Onnx *o, const Op *op, const char *out)
{
    const Shape *s = &op->writes[0].tensor->shape;
    const int64_t columns = s->dim[s->rank - 1], rows = s->rank == 3 ? s->dim[1] : 1, each = rows * columns;
    double *values = NEW_ARRAY(o->m->arena, double, shape_count(s));
    for (int64_t k = 0; k < each; k++) {
        values[k] = s->rank == 3 ? place(k / columns, rows) : place(k, columns);
        if (s->rank == 3)
            values[each + k] = place(k % columns, columns);
    }
    return onnx_every(o, onnx_constant(o, onnx_text(o, "%s:numbers", out), s, values, shape_count(s)), s, out);
}

static const char *draws(Onnx *o, const Op *op, const char *out)
{
    if (!strcmp(op_word(op, "eval"), "draw"))
        onnx_refuse(o, op->loc,
                    "`eval: draw` takes the random numbers of a run, which an ONNX graph does not have: make the value an input, which the "
                    "caller fills, or let `outputs:` of the model name values that do not depend on it");
    return onnx_every(o, "real:0", &op->writes[0].tensor->shape, out);
}

/* Of the running statistics. */
static const char *batch_norm(Onnx *o, const Op *op, const char *x, const char *out)
{
    const Op *statistics = op->reads[1].tensor->op;
    const Shape channels = { 1, { shape_of(op, 0)->dim[0] } };
    const char *scale[2];
    for (int k = 0; k < 2; k++) {
        scale[k] = k < statistics->weight_count ? statistics->weights[k]->name
                                                : onnx_text(o, k ? "//zeros%lld" : "//ones%lld", (long long)channels.dim[0]);
        if (k >= statistics->weight_count && onnx_first(o, scale[k]))
            onnx_constant(o, scale[k], &channels, (const double[]){ k ? 0 : 1 }, 1);
    }
    return onnx_node(o, "BatchNormalization", out,
                     onnx_text(o, "%s %s %s %s %s", x, scale[0], scale[1], statistics->norm.mean->name, statistics->norm.variance->name),
                     onnx_text(o, "epsilon=%#.9g", op_real(op, "epsilon")));
}

/* ---- all of them ------------------------------------------------------------------------------------------------------ */

const char *onnx_operator(Onnx *o, const Op *op, const char *const *x, const int *at, const char *out)
{
    const Shape *y = &op->writes[0].tensor->shape;
    switch (op->kind) {
    case OP_conv:
    case OP_conv_transpose: return convolution(o, op, x[0], out);
    case OP_maxpool: return maxpool(o, op, x[0], out);
    case OP_dense: return dense(o, op, x[0], out);
    case OP_matmul: return matmul(o, op, x, out);
    case OP_relu: return onnx_node(o, "Relu", out, x[0], "");
    case OP_tanh: return onnx_node(o, "Tanh", out, x[0], "");
    case OP_sigmoid: return onnx_node(o, "Sigmoid", out, x[0], "");
    case OP_add: return folded(o, "Add", op, x, out);
    case OP_multiply: return folded(o, "Mul", op, x, out);
    case OP_formula: return onnx_formula(o, op, x, out);
    case OP_concat: return concat(o, op, x, out);
    case OP_slice: return slice(o, op, x[0], at, out);
    case OP_reshape:
    case OP_flatten: return onnx_reshape(o, x[0], y, out);
    case OP_one_hot: return one_hot(o, op, x[0], out);
    case OP_to_real: return onnx_node(o, "Cast", out, x[0], "to=1");
    case OP_embedding: return onnx_node(o, "Gather", out, onnx_text(o, "%s %s", op->weights[0]->name, x[0]), "axis=0");
    case OP_spn: return spn(o, op, x, out);
    case OP_transform: return transform(o, op, x[0], out);
    case OP_batch_norm: return batch_norm(o, op, x[0], out);
    case OP_load: return load(o, op->data, out);
    case OP_constant: return constant(o, op, at, out);
    case OP_coordinates: return coordinates(o, op, out);
    case OP_random: return draws(o, op, out);
    case OP_broadcast: return onnx_every(o, op->weights[0]->name, y, out);
    case OP_fill: return onnx_every(o, "real:0", y, out);
    case OP_dropout:
    case OP_stop_gradient:
    case OP_copy: return x[0];
    default: break;
    }
    if (outside_of(op->kind) && outside_of(op->kind)->builtin)
        return onnx_described(o, op, x, out);
    onnx_refuse(o, op->loc,
                outside_of(op->kind) ? "the operator '%s' is one of a templates folder, which ONNX does not have"
                                     : "the operator '%s' has no form in ONNX",
                OP_INFO(op)->name);
    return out;
}
