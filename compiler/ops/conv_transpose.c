/* conv_transpose.c -- transposed convolution, as PyTorch's: each input hands its share to a window of the result.
 *
 *   y[f, i*s+kh*d-p, j*s+kw*d-p] = b[f] + sum over c,i,j of x[c,i,j] w[c,f,kh,kw]
 * It is the gradient of a convolution to its input, with x in the place of dy: so forward is that convolution's gradient to the input, the gradient to x
 * its forward pass, and that of the weight its weights' gradient with x and dy exchanged.  Sums run in the order that these have. */
#include "ops/conv_facts.h"

static const AttrSpec attrs[] = {
    { "filters", ATTR_INT, NULL, 1, 65536, NULL, "number of filters, the channels of the result" },
    { "kernel", ATTR_PAIR, "3", 1, 1024, NULL, "size of the window: n or [rows, columns]" },
    { "stride", ATTR_PAIR, "1", 1, 1024, NULL, "step of the window in the result" },
    { "padding", ATTR_PAIRS, "0", 0, 1024, NULL, "rows and columns of the result that are cut off at each border" },
    { "output_padding", ATTR_PAIR, "0", 0, 1024, NULL, "rows and columns added below and to the right" },
    { "dilation", ATTR_PAIR, "1", 1, 1024, NULL, "step between the taps of the window" },
    { "groups", ATTR_INT, "1", 1, 65536, NULL, "groups of channels and filters, each a transposed convolution by itself" },
    { "act", ATTR_ACT, "linear", 0, 0, NULL, "activation of the result: relu, or { leaky_relu: { slope: 0.2 } }" },
    { "init", ATTR_INIT, "glorot_uniform", 0, 0, NULL, "initialiser of the weight" },
    { "bias_init", ATTR_INIT, "", 0, 0, NULL, "where the bias starts: a number, or an initialiser; 0 unless given" },
    { "bias", ATTR_BOOL, "true", 0, 1, NULL, "whether a bias is added" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" },
    { 0 },
};

/* The size of the result along an axis; false after reporting. */
static bool result_size(Model *m, const Op *op, Window *w, int k, int64_t more)
{
    int64_t steps = w->stride[k] > w->dilation[k] ? w->stride[k] : w->dilation[k];
    if (more >= steps)
        return shape_refuse(m, shape_at(m, op, "output_padding"), "output_padding %lld must be smaller than %s, %lld: windows would not reach that far", (long long)more,
                            w->stride[k] >= w->dilation[k] ? "the stride" : "the dilation", (long long)steps);
    w->x[k] = (w->y[k] - 1) * w->stride[k] + window_extent(w, k) + more - w->before[k] - w->after[k];
    if (w->x[k] > 0)
        return true;
    return shape_refuse(m, shape_at(m, op, "padding"), "padding cuts off all of the %lld %s that its windows cover", (long long)(w->x[k] + w->before[k] + w->after[k]),
                        w->flat ? "positions" : k ? "columns" : "rows");
}

static bool infer(Model *m, Op *op)
{
    Window w;
    int64_t more[2];
    if (!window_read(m, op, &op->reads[0].tensor->shape, &w))
        return false;
    op_pair(more, op, "output_padding");
    if (w.flat && op_attr(op, "output_padding")->count > 1)
        return shape_refuse(m, shape_at(m, op, "output_padding"), "'output_padding' takes one number for an input of [channels, positions]");
    w.x[0] = 1;
    for (int k = w.flat; k < 2; k++)
        if (!result_size(m, op, &w, k, more[k]))
            return false;
    op->writes[0].tensor->shape = window_shape(w.flat, w.channels, w.x);
    if (!weight_new(m, op, op->suffix[0], window_weight(&w), W_EXPORTED))
        return false;
    return !op_int(op, "bias") || weight_new(m, op, op->suffix[1], (Shape){ 1, { w.channels } }, W_EXPORTED);
}

static double macs(const Op *op)
{
    Window w = window_of(op);
    return (double)shape_count(&op->reads[0].tensor->shape) * (double)(w.channels / w.groups * w.kernel[0] * w.kernel[1]);
}

static const OpHelp help = {
    "Each input hands its share to a window of the result, as in PyTorch: a convolution's gradient as a layer, which makes maps larger.",
    "x [C, H, W] -> [filters, (H - 1) s - p + d (k - 1) + 1 + output_padding, ...], p cut off in all;  weight [C][filters / groups][k][k], bias [filters]; x [C, T] likewise",
    "inputs: { x: { shape: [4, 6, 6] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "nets:\n"
    "  paint:\n"
    "    - conv_transpose: { filters: 4, kernel: 4, stride: 2, padding: 1, act: relu }      # 6 x 6 -> 12 x 12\n"
    "    - conv_transpose: { filters: 2, kernel: 3, stride: 2, padding: 1, output_padding: 1, groups: 2 }\n"
    "    - conv_transpose: 2\n"
    "    - conv_transpose: { filters: 2, groups: 2 }\n"
    "    - dense: 3\n"
    "flow:\n"
    "  - v: { paint: x }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_conv_transpose = { "conv_transpose", "y[f, i*s+kh-p, j*s+kw-p] = b[f] + sum over c,i,j,kh,kw of x[c,i,j] w[c,f,kh,kw]", 1, 1, "filters", true, attrs,
                                   infer, grad_layer, conv_facts, macs, false, "t:t", &help };
