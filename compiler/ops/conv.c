/* conv.c -- convolution of maps or of lines (cross-correlation, as in PyTorch).
 *
 *   y[m,i,j]  = b[m] + sum over c,kh,kw of x[c, i*s+kh*d-p, j*s+kw*d-p] w[m,c,kh,kw]
 *   dx        = the adjoint applied to dy;  dw[m,c,kh,kw] = sum over i,j of dy[m,i,j] x[c, i*s+kh*d-p, j*s+kw*d-p];  db[m] = sum of dy[m]
 * In g groups, each filter sees the C / g channels of its group alone.  Of [C, T] there is no i and no kh.
 * Sums run c, kh, kw in order (bias first); those of dw over i, j in order in each lane, then over the lanes by a fixed tree. */
#include "ops/conv_facts.h"

static const AttrSpec attrs[] = {
    { "filters", ATTR_INT, NULL, 1, 65536, NULL, "number of filters, the channels of the result" },
    { "kernel", ATTR_PAIR, "3", 1, 1024, NULL, "size of the window: n or [rows, columns]" },
    { "stride", ATTR_PAIR, "1", 1, 1024, NULL, "step of the window" },
    { "padding", ATTR_PAIRS, "0", 0, 1024, "same", "zeros around the input; same: as many as give a result of the input's size" },
    { "dilation", ATTR_PAIR, "1", 1, 1024, NULL, "step between the taps of the window" },
    { "groups", ATTR_INT, "1", 1, 65536, NULL, "groups of channels and filters, each a convolution by itself" },
    { "act", ATTR_ACT, "linear", 0, 0, NULL, "activation of the result: relu, or { leaky_relu: { slope: 0.2 } }" },
    { "init", ATTR_INIT, "glorot_uniform", 0, 0, NULL, "initialiser of the weight" },
    { "bias_init", ATTR_INIT, "", 0, 0, NULL, "where the bias starts: a number, or an initialiser; 0 unless given" },
    { "bias", ATTR_BOOL, "true", 0, 1, NULL, "whether a bias is added" },
    { "winograd", ATTR_WORD, "auto", 0, 0, "auto never", "Winograd's algorithm where it saves multiplications, or never" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" },
    { 0 },
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* The room of x with its padding, on each axis, must hold a window. */
static bool fits(Model *m, const Op *op, const Window *w)
{
    int64_t room[2], extent[2], most[2];
    bool padded = false;
    for (int k = 0; k < 2; k++) {
        room[k] = w->x[k] + w->before[k] + w->after[k], extent[k] = window_extent(w, k);
        most[k] = least(w->kernel[k], (room[k] - 1) / w->dilation[k] + 1);
        padded = padded || w->before[k] || w->after[k];
    }
    if (extent[0] <= room[0] && extent[1] <= room[1])
        return true;
    const char *spread = w->dilation[0] > 1 || w->dilation[1] > 1 ? " with its dilation" : "", *included = padded ? ", padding included" : "";
    if (w->flat)
        return shape_refuse(m, shape_at(m, op, "kernel"), "a kernel of %lld%s does not fit its input of %lld%s; one of %lld does", (long long)w->kernel[1], spread, (long long)w->x[1],
                            included, (long long)most[1]);
    return shape_refuse(m, shape_at(m, op, "kernel"), "a %lldx%lld kernel%s does not fit its %lldx%lld input%s; one of %lldx%lld does", (long long)w->kernel[0], (long long)w->kernel[1],
                        spread, (long long)w->x[0], (long long)w->x[1], included, (long long)most[0], (long long)most[1]);
}

static bool infer(Model *m, Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape;
    Window w;
    if (!window_read(m, op, x, &w) || !fits(m, op, &w))
        return false;
    for (int k = 0; k < 2; k++)
        w.y[k] = (w.x[k] + w.before[k] + w.after[k] - window_extent(&w, k)) / w.stride[k] + 1;
    op->writes[0].tensor->shape = window_shape(w.flat, w.filters, w.y);
    if (!weight_new(m, op, op->suffix[0], window_weight(&w), W_EXPORTED))
        return false;
    return !op_int(op, "bias") || weight_new(m, op, op->suffix[1], (Shape){ 1, { w.filters } }, W_EXPORTED);
}

static double macs(const Op *op)
{
    Window w = window_of(op);
    return (double)shape_count(&op->writes[0].tensor->shape) * (double)(w.channels / w.groups * w.kernel[0] * w.kernel[1]);
}

static const OpHelp help_conv = {
    "Cross-correlation with learned windows, as in PyTorch.",
    "x [C, H, W] -> [filters, (H + p - d (k - 1) - 1) // s + 1, ...], p zeros in all;  weight [filters][C / groups][k][k], bias [filters]; x [C, T] likewise",
    "inputs: { x: { shape: [1, 12, 12] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "nets:\n"
    "  classify:\n"
    "    - conv: { filters: 4, kernel: 3, act: relu }\n"
    "    - conv: 8\n"
    "    - conv: { filters: 8, kernel: 3, groups: 8, padding: same }      # each channel by itself\n"
    "    - conv: { filters: 6, kernel: 3, stride: 2, padding: [[0, 1], [1, 0]] }\n"
    "    - dense: 3\n"
    "flow:\n"
    "  - v: { classify: x }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_conv = { "conv", "y[m,i,j] = b[m] + sum over c,kh,kw of x[c, i*s+kh-p, j*s+kw-p] w[m,c,kh,kw]", 1, 1, "filters", true, attrs,
                         infer, grad_layer, conv_facts, macs, false, "t:t", &help_conv };
