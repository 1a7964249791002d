/* described.c -- spnc's own operators that have a description (templates/), as nodes of ONNX: a row a name.
 *
 * In: an operator, whose attributes are those of its description.  Out: lines (lines.h).  Axis k of an example is axis k + 1 here.  A norm is
 * written with means and products, since ONNX's own norms differ in their weights from one opset to the next. */
#include "onnx/operators.h"
#include <string.h>

static const Shape *shape_of(const Op *op) { return &op->reads[0].tensor->shape; }
static int64_t place(int64_t axis, int rank) { return 1 + (axis < 0 ? axis + rank : axis); }

/* "[1,3]": the axes that the attribute names, all unless given. */
static const char *axes_of(Onnx *o, const Op *op)
{
    const Attr *a = op_attr(op, "axes");
    const int rank = shape_of(op)->rank, n = a->count ? a->count : rank;
    int64_t axes[2 * RANK_MAX];
    for (int i = 0; i < n; i++)
        axes[i] = a->count ? place((int64_t)a->number[i], rank) : i + 1;
    return onnx_list(o, axes, n);
}

static const char *reduced(Onnx *o, const char *type, const Op *op, const char *x, const char *out)
{
    if (!shape_of(op)->rank)
        return x;
    return onnx_node(o, type, out, onnx_text(o, "%s int%s", x, axes_of(o, op)), onnx_text(o, "keepdims=%d", (int)op_int(op, "keep")));
}

/* Over all axes but the channels. */
static const char *by_channel(Onnx *o, const char *type, const Op *op, const char *x, const char *out)
{
    int64_t axes[RANK_MAX];
    const int n = shape_of(op)->rank - 1;
    for (int i = 0; i < n; i++)
        axes[i] = i + 2;
    return onnx_node(o, type, out, onnx_text(o, "%s int%s", x, onnx_list(o, axes, n)), "keepdims=0");
}

static const char *along(Onnx *o, const char *type, const Op *op, const char *x, const char *out)
{
    return onnx_node(o, type, out, x, onnx_text(o, "axis=%lld", (long long)place(op_int(op, "axis"), shape_of(op)->rank)));
}

static const char *flip(Onnx *o, const Op *op, const char *x, const char *out)
{
    const long long axis = place(op_int(op, "axis"), shape_of(op)->rank);
    return onnx_node(o, "Slice", out, onnx_text(o, "%s int[-1] int[-2147483648] int[%lld] int[-1]", x, axis), "");
}

static const char *transpose(Onnx *o, const Op *op, const char *x, const char *out)
{
    const Attr *a = op_attr(op, "axes");
    int64_t perm[RANK_MAX + 1] = { 0 };
    for (int i = 0; i < a->count; i++)
        perm[i + 1] = place((int64_t)a->number[i], a->count);
    return onnx_node(o, "Transpose", out, x, onnx_text(o, "perm=%s", onnx_list(o, perm, a->count + 1)));
}

static const char *stack(Onnx *o, const Op *op, const char *const *x, const char *out)
{
    const Shape *s = shape_of(op), one = { 1, { 1 } };
    const int64_t axis = place(op_int(op, "axis"), (s->rank ? s->rank : 1) + 1);
    const char *all = "";
    for (int k = 0; k < op->read_count; k++) {
        const char *part = op->reads[k].tensor->shape.rank ? x[k] : onnx_reshape(o, x[k], &one, NULL);
        all = onnx_text(o, "%s%s%s", all, k ? " " : "", onnx_node(o, "Unsqueeze", NULL, onnx_text(o, "%s int[%lld]", part, (long long)axis), ""));
    }
    return onnx_node(o, "Concat", out, all, onnx_text(o, "axis=%lld", (long long)axis));
}

static const char *pad(Onnx *o, const Op *op, const char *x, const char *out)
{
    const Attr *by = op_attr(op, "by");
    const Shape *s = shape_of(op);
    const char *mode = op_word(op, "mode");
    int64_t pads[2 * (RANK_MAX + 1)] = { 0 };
    for (int k = 0; k < s->rank; k++)
        for (int side = 0; side < 2; side++)
            pads[side * (s->rank + 1) + k + 1] =
                by->count == 1 ? (k || s->rank == 1 ? (int64_t)by->number[0] : 0) : (int64_t)by->number[2 * k + side];
    return onnx_node(o, "Pad", out, onnx_text(o, "%s int%s", x, onnx_list(o, pads, 2 * (s->rank + 1))),
                     onnx_text(o, "mode='%s'", !strcmp(mode, "zeros") ? "constant" : mode));
}

/* ---- pools ------------------------------------------------------------------------------------------------------------ */

static const char *avgpool(Onnx *o, const Op *op, const char *x, const char *out)
{
    const Shape *in = shape_of(op), *y = &op->writes[0].tensor->shape;
    const int flat = in->rank == 2;
    int64_t size[2], stride[2], pads[4];
    bool longer = false;
    op_pair(size, op, "size");
    op_pair(pads, op, "padding");
    memcpy(stride, size, sizeof stride);
    if (op_attr(op, "stride")->given)
        op_pair(stride, op, "stride");
    for (int k = flat; k < 2; k++) {                 /* a last window may stick out */
        const int64_t after = (y->dim[k + 1 - flat] - 1) * stride[k] + size[k] - in->dim[k + 1 - flat] - pads[k];
        longer = longer || after > pads[k];
        pads[k + 2] = after > 0 ? after : 0;
    }
    const bool counted = op_int(op, "count_padding");
    if (counted && longer)
        onnx_refuse(o, op->loc, "avgpool with `ceil` and `count_padding` divides a last window that sticks out by another number than ONNX does");
    if (counted)                                     /* all of the padding counts, also where no window reaches it */
        memcpy(pads + 2, pads, 2 * sizeof *pads);
    const int64_t one[2] = { pads[1], pads[3] };
    return onnx_node(o, "AveragePool", out, x,
                     onnx_text(o, "kernel_shape=%s strides=%s pads=%s count_include_pad=%d", onnx_list(o, size + flat, 2 - flat),
                               onnx_list(o, stride + flat, 2 - flat), onnx_list(o, flat ? one : pads, flat ? 2 : 4), counted));
}

static const char *upsample(Onnx *o, const Op *op, const char *x, const char *out)
{
    int64_t factor[2];
    op_pair(factor, op, "factor");
    const bool flat = shape_of(op)->rank == 2, linear = !strcmp(op_word(op, "mode"), "bilinear");
    const char *scales = flat ? onnx_text(o, "real[1,1,%lld]", (long long)factor[1])
                              : onnx_text(o, "real[1,1,%lld,%lld]", (long long)factor[0], (long long)factor[1]);
    return onnx_node(o, "Resize", out, onnx_text(o, "%s - %s", x, scales),
                     linear ? "mode='linear' coordinate_transformation_mode='half_pixel'"
                            : "mode='nearest' coordinate_transformation_mode='asymmetric' nearest_mode='floor'");
}

/* ---- norms ------------------------------------------------------------------------------------------------------------ */

/* x as its groups see it, [G, elements], or as it is. */
static const char *grouped(Onnx *o, const Op *op, const char *x, int64_t *groups)
{
    const Shape *s = shape_of(op);
    const char *name = OP_INFO(op)->name;
    *groups = !strcmp(name, "group_norm") ? op_int(op, "groups") : !strcmp(name, "instance_norm") ? s->dim[0] : 0;
    return *groups ? onnx_reshape(o, x, &(Shape){ 2, { *groups, shape_count(s) / *groups } }, NULL) : x;
}

/* A parameter of the norm, so that it meets the axes that it belongs to: for each channel, or of the shape of the axes. */
static const char *stretched(Onnx *o, const Op *op, const Weight *w, int64_t groups)
{
    const Shape *s = shape_of(op);
    const Attr *a = groups ? NULL : op_attr(op, "axes");
    int64_t dims[RANK_MAX];
    for (int k = 0; k < s->rank; k++) {
        bool own = groups && k == 0;
        for (int i = 0; a && i < a->count; i++)
            own = own || place((int64_t)a->number[i], s->rank) == k + 1;
        dims[k] = own ? s->dim[k] : 1;
    }
    return onnx_node(o, "Reshape", NULL, onnx_text(o, "%s int%s", w->name, onnx_list(o, dims, s->rank)), "");
}

static const char *norm(Onnx *o, const Op *op, const char *x, const char *out)
{
    int64_t groups;
    const char *centred = grouped(o, op, x, &groups), *axes = groups ? "[2]" : axes_of(o, op);
    for (int k = 0; k < 2 && strcmp(OP_INFO(op)->name, "rms_norm") != 0; k++) {       /* twice, as in norm_plain.c.in: equal numbers become 0 */
        const char *mean = onnx_node(o, "ReduceMean", NULL, onnx_text(o, "%s int%s", centred, axes), "keepdims=1");
        centred = onnx_node(o, "Sub", NULL, onnx_text(o, "%s %s", centred, mean), "");
    }
    const char *square = onnx_node(o, "Mul", NULL, onnx_text(o, "%s %s", centred, centred), "");
    const char *mean = onnx_node(o, "ReduceMean", NULL, onnx_text(o, "%s int%s", square, axes), "keepdims=1");
    const char *root = onnx_node(o, "Sqrt", NULL, onnx_node(o, "Add", NULL, onnx_text(o, "%s real:%.9g", mean, op_real(op, "epsilon")), ""), "");
    const char *y = onnx_node(o, "Div", NULL, onnx_text(o, "%s %s", centred, root), "");
    if (groups)
        y = onnx_reshape(o, y, shape_of(op), NULL);
    for (int k = 0; k < op->weight_count; k++)
        y = onnx_node(o, k ? "Add" : "Mul", NULL, onnx_text(o, "%s %s", y, stretched(o, op, op->weights[k], groups)), "");
    return onnx_node(o, "Identity", out, y, "");     /* its activation is an operator of its own */
}

static const char *prelu(Onnx *o, const Op *op, const char *x, const char *out)
{
    int64_t dims[RANK_MAX] = { shape_of(op)->dim[0], 1, 1, 1, 1, 1 };
    const char *slope = onnx_node(o, "Reshape", NULL, onnx_text(o, "%s int%s", op->weights[0]->name, onnx_list(o, dims, shape_of(op)->rank)), "");
    return onnx_node(o, "PRelu", out, onnx_text(o, "%s %s", x, slope), "");
}

/* ---- all of them ------------------------------------------------------------------------------------------------------ */

static bool is(const Op *op, const char *name) { return strcmp(OP_INFO(op)->name, name) == 0; }

const char *onnx_described(Onnx *o, const Op *op, const char *const *x, const char *out)
{
    static const struct { const char *name, *type; const char *(*write)(Onnx *, const char *, const Op *, const char *, const char *); } typed[] = {
        { "softmax", "Softmax", along }, { "log_softmax", "LogSoftmax", along }, { "sum", "ReduceSum", reduced }, { "mean", "ReduceMean", reduced },
        { "max", "ReduceMax", reduced }, { "global_avgpool", "ReduceMean", by_channel }, { "global_maxpool", "ReduceMax", by_channel },
    };
    static const struct { const char *name; const char *(*write)(Onnx *, const Op *, const char *, const char *); } others[] = {
        { "flip", flip }, { "transpose", transpose }, { "pad", pad }, { "avgpool", avgpool }, { "upsample", upsample }, { "prelu", prelu },
        { "layer_norm", norm }, { "rms_norm", norm }, { "group_norm", norm }, { "instance_norm", norm },
    };
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++)
        if (is(op, typed[i].name))
            return typed[i].write(o, typed[i].type, op, x[0], out);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is(op, others[i].name))
            return others[i].write(o, op, x[0], out);
    if (is(op, "stack"))
        return stack(o, op, x, out);
    onnx_refuse(o, op->loc, "the operator '%s' has no form in ONNX", OP_INFO(op)->name);
    return out;
}
