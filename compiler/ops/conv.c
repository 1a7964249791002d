/* conv.c -- convolution of maps or of lines (cross-correlation, as in PyTorch).
 *
 *   y[m,i,j]  = b[m] + sum over c,u,v of x[c, i*s+u*d-p, j*s+v*d-p] w[m,c,u,v]
 *   dx        = the adjoint applied to dy;  dw[m,c,u,v] = sum over i,j of dy[m,i,j] x[c, i*s+u*d-p, j*s+v*d-p];  db[m] = sum of dy[m]
 * In g groups, each filter sees the C / g channels of its group alone.  Of [C, T] there is no i and no u.
 * Sums run c, u, v in order (bias first); those of dw over i, j in order in each lane, then over the lanes by a fixed tree. */
#include "graph/window.h"

static const AttrSpec attrs[] = {
    { "filters", ATTR_INT, NULL, 1, 65536, NULL, "number of filters, the channels of the result" },
    { "kernel", ATTR_PAIR, "3", 1, 1024, NULL, "size of the window: n or [rows, columns]" },
    { "stride", ATTR_PAIR, "1", 1, 1024, NULL, "step of the window" },
    { "padding", ATTR_PAIRS, "0", 0, 1024, "same", "zeros around the input; same: as many as give a result of the input's size" },
    { "dilation", ATTR_PAIR, "1", 1, 1024, NULL, "step between the taps of the window" },
    { "groups", ATTR_INT, "1", 1, 65536, NULL, "groups of channels and filters, each a convolution by itself" },
    { "act", ATTR_ACT, "linear", 0, 0, NULL, "activation of the result: relu, or { leaky_relu: { slope: 0.2 } }" },
    { "init", ATTR_INIT, "glorot_uniform", 0, 0, NULL, "initialiser of the weight" },
    { "bias", ATTR_BOOL, "true", 0, 1, NULL, "whether a bias is added" },
    { "winograd", ATTR_WORD, "auto", 0, 0, "auto never", "Winograd's algorithm where it saves multiplications, or never" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" },
    { 0 },
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* [channels, rows, columns], or [channels, columns] of a flat one. */
static Shape map_shape(bool flat, int64_t channels, const int64_t size[2])
{
    return flat ? (Shape){ 2, { channels, size[1] } } : (Shape){ 3, { channels, size[0], size[1] } };
}

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
        return shape_refuse(m, op, "a kernel of %lld%s does not fit its input of %lld%s; one of %lld does", (long long)w->kernel[1], spread, (long long)w->x[1],
                            included, (long long)most[1]);
    return shape_refuse(m, op, "a %lldx%lld kernel%s does not fit its %lldx%lld input%s; one of %lldx%lld does", (long long)w->kernel[0], (long long)w->kernel[1],
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
    op->writes[0].tensor->shape = map_shape(w.flat, w.filters, w.y);
    Shape weight = map_shape(w.flat, w.channels / w.groups, w.kernel);
    for (int k = weight.rank++; k > 0; k--)
        weight.dim[k] = weight.dim[k - 1];
    weight.dim[0] = w.filters;
    if (!weight_new(m, op, op->suffix[0], weight, W_EXPORTED))
        return false;
    return !op_int(op, "bias") || weight_new(m, op, op->suffix[1], (Shape){ 1, { w.filters } }, W_EXPORTED);
}

static void grad(Model *m, Op *op, Use dy)
{
    Op *w = grad_weights(m, op, dy);
    if (w)
        op_read(w, op->reads[0].tensor, op->reads[0].shift);
    grad_backward(m, op, dy);
}

/* "u * 3": the distance of a tap from the first. */
static const char *distance(Arena *a, const Window *w, int axis, const char *tap)
{
    return w->dilation[axis] > 1 ? arena_printf(a, "%s * %lld", tap, (long long)w->dilation[axis]) : tap;
}

/* Where a window's tap is: "i * 2 + u * 3 - 1". */
static const char *place(Arena *a, const Window *w, int axis, const char *position, const char *tap)
{
    const char *stride = w->stride[axis] > 1 ? arena_printf(a, " * %lld", (long long)w->stride[axis]) : "";
    const char *padding = w->before[axis] ? arena_printf(a, " - %lld", (long long)w->before[axis]) : "";
    return arena_printf(a, "%s%s + %s%s", position, stride, distance(a, w, axis, tap), padding);
}

/* The other way round: "(i + 1 - u * 3) / 2". */
static const char *place_back(Arena *a, const Window *w, int axis, const char *position, const char *tap)
{
    const char *padding = w->before[axis] ? arena_printf(a, " + %lld", (long long)w->before[axis]) : "";
    const char *text = arena_printf(a, "%s%s - %s", position, padding, distance(a, w, axis, tap));
    return w->stride[axis] > 1 ? arena_printf(a, "(%s) / %lld", text, (long long)w->stride[axis]) : text;
}

/* Of the position `at` of x: the first tap that may meet y, in a stride the only ones it meets.  With stride and dilation: of all taps. */
static const char *first_tap(Arena *a, const Window *w, int axis, const char *at)
{
    if (w->stride[axis] == 1 || w->dilation[axis] > 1)
        return "0";
    const char *padded = w->before[axis] ? arena_printf(a, "%s + %lld", at, (long long)w->before[axis]) : at;
    return arena_printf(a, "(%s) %% %lld", padded, (long long)w->stride[axis]);
}

static const char *next_tap(Arena *a, const Window *w, int axis, const char *tap)
{
    return w->stride[axis] == 1 || w->dilation[axis] > 1 ? arena_printf(a, "%s++", tap) : arena_printf(a, "%s += %lld", tap, (long long)w->stride[axis]);
}

/* A condition under which tap and position do not meet along an axis; "": there is none, the loop takes only those that do. */
static const char *no_meeting(Arena *a, const Window *w, int axis)
{
    if (w->stride[axis] == 1 || w->dilation[axis] == 1)
        return "";
    return arena_printf(a, "(%s + %lld - %s * %lld) %% %lld != 0", axis ? "j" : "i", (long long)w->before[axis], axis ? "v" : "u",
                        (long long)w->dilation[axis], (long long)w->stride[axis]);
}

/* The texts of the loops over taps. */
static void tap_facts(Arena *a, const Window *w, Fact *f)
{
    fact_text(f, "tap_row", place(a, w, 0, "i", "u")), fact_text(f, "tap_column", place(a, w, 1, "j", "v"));
    fact_text(f, "back_row", place_back(a, w, 0, "i", "u")), fact_text(f, "back_column", place_back(a, w, 1, "j", "v"));
    fact_text(f, "far_u", distance(a, w, 0, "u")), fact_text(f, "far_v", distance(a, w, 1, "v"));
    fact_text(f, "first_u", first_tap(a, w, 0, "i")), fact_text(f, "first_v", first_tap(a, w, 1, "j"));
    fact_text(f, "next_u", next_tap(a, w, 0, "u")), fact_text(f, "next_v", next_tap(a, w, 1, "v"));
    const char *row = no_meeting(a, w, 0), *column = no_meeting(a, w, 1);
    fact_text(f, "skip_row", row);
    fact_text(f, "skip", arena_printf(a, "%s%s%s", row, *row && *column ? " || " : "", column));
}

/* What the functions of all groups need to call those of one; the casts make maps of one row of [C, T]. */
static void group_facts(Arena *a, const Window *w, Fact *f)
{
    const char *one = w->flat ? "" : arena_printf(a, "[%lld]", (long long)w->kernel[0]);
    fact_text(f, "w_array", arena_printf(a, "w[%lld][%lld]%s[%lld]", (long long)w->filters, (long long)(w->channels / w->groups), one, (long long)w->kernel[1]));
    fact_text(f, "y_cast", w->flat ? arena_printf(a, "(real (*)[1][%lld][L])", (long long)w->y[1]) : "");
    fact_text(f, "x_cast", w->flat ? arena_printf(a, "(real (*)[1][%lld][L])", (long long)w->x[1]) : "");
    fact_text(f, "w_cast", w->flat ? arena_printf(a, "(real (*)[%lld][1][%lld])", (long long)(w->channels / w->groups), (long long)w->kernel[1]) : "");
}

/* The channel of x that a filter's c-th weight meets. */
static const char *channel(Arena *a, const Window *w)
{
    int64_t M = w->filters / w->groups, C = w->channels / w->groups;
    const char *over = M > 1 ? arena_printf(a, " / %lld", (long long)M) : "", *times = C > 1 ? arena_printf(a, " * %lld", (long long)C) : "";
    return w->groups == 1 ? "c" : arena_printf(a, "m%s%s + c", over, times);
}

/* Where a tap meets no x: "i + u - 1 < 0 || i + u - 1 >= 8 || ..." */
static const char *outside(Arena *a, const Window *w)
{
    const char *row = place(a, w, 0, "i", "u"), *column = place(a, w, 1, "j", "v");
    const char *rows = w->flat ? "" : arena_printf(a, "%s < 0 || %s >= %lld || ", row, row, (long long)w->x[0]);
    return arena_printf(a, "%s%s < 0 || %s >= %lld", rows, column, column, (long long)w->x[1]);
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    const Op *fwd = forward_of(op);
    Window w = window_of(op);
    Arena *a = m->arena;
    bool split = w.groups > 1 || w.flat;
    fact_int(f, "M", w.filters / w.groups), fact_int(f, "C", w.channels / w.groups), fact_int(f, "groups", w.groups);
    fact_int(f, "H", w.x[0]), fact_int(f, "W", w.x[1]);
    fact_int(f, "Ho", w.y[0]), fact_int(f, "Wo", w.y[1]);
    fact_int(f, "KH", w.kernel[0]), fact_int(f, "KW", w.kernel[1]);
    fact_int(f, "SH", w.stride[0]), fact_int(f, "SW", w.stride[1]);
    fact_int(f, "DH", w.dilation[0]), fact_int(f, "DW", w.dilation[1]);
    fact_int(f, "PH", w.before[0]), fact_int(f, "PW", w.before[1]);
    fact_bool(f, "padded_rows", w.before[0] || w.after[0]), fact_bool(f, "padded_columns", w.before[1] || w.after[1]);
    fact_int(f, "EH", window_extent(&w, 0)), fact_int(f, "EW", window_extent(&w, 1));
    tap_facts(a, &w, f);
    group_facts(a, &w, f);
    fact_text(f, "channel", channel(a, &w)), fact_text(f, "outside", outside(a, &w));
    fact_bool(f, "flat", w.flat), fact_bool(f, "split", split);
    fact_text(f, "kernel", split ? arena_printf(a, "%s_group", op->name) : op->name);
    fact_text(f, "y_map", split ? arena_printf(a, "%s_group_y", op->name) : arena_printf(a, "%s_t", fwd->writes[0].tensor->name));
    fact_text(f, "x_map", split ? arena_printf(a, "%s_group_x", op->name) : arena_printf(a, "%s_t", fwd->reads[0].tensor->name));
    fact_bool(f, "bias", op_int(op, "bias"));
    fact_bool(f, "winograd", fwd->kernel.winograd);
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

const OpInfo op_conv = { "conv", "y[m,i,j] = b[m] + sum over c,u,v of x[c, i*s+u-p, j*s+v-p] w[m,c,u,v]", 1, 1, "filters", true, attrs,
                         infer, grad, facts, macs, false, "t:t", &help_conv };
