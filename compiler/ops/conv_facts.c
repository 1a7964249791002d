/* conv_facts.c -- facts of a convolution's templates: its sizes, and C texts of the loops over taps.
 *
 * In: a convolution's window.  Out: facts; compiler/manual/facts.c says what they mean.  A transposed convolution has those of the convolution whose
 * gradient it is, so that the same kernels serve both. */
#include "ops/conv_facts.h"

/* "kh * 3": the distance of a tap from the first. */
static const char *distance(Arena *a, const Window *w, int axis, const char *tap)
{
    return w->dilation[axis] > 1 ? arena_printf(a, "%s * %lld", tap, (long long)w->dilation[axis]) : tap;
}

/* Where a window's tap is: "i * 2 + kh * 3 - 1". */
static const char *place(Arena *a, const Window *w, int axis, const char *position, const char *tap)
{
    const char *stride = w->stride[axis] > 1 ? arena_printf(a, " * %lld", (long long)w->stride[axis]) : "";
    const char *padding = w->before[axis] ? arena_printf(a, " - %lld", (long long)w->before[axis]) : "";
    return arena_printf(a, "%s%s + %s%s", position, stride, distance(a, w, axis, tap), padding);
}

/* The other way round: "(i + 1 - kh * 3) / 2". */
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
    const char *padded = w->before[axis] ? arena_printf(a, "(%s + %lld)", at, (long long)w->before[axis]) : at;
    return arena_printf(a, "%s %% %lld", padded, (long long)w->stride[axis]);
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
    return arena_printf(a, "(%s + %lld - %s * %lld) %% %lld != 0", axis ? "j" : "i", (long long)w->before[axis], axis ? "kw" : "kh",
                        (long long)w->dilation[axis], (long long)w->stride[axis]);
}

/* The texts of the loops over taps. */
static void tap_facts(Arena *a, const Window *w, Fact *f)
{
    fact_text(f, "tap_row", place(a, w, 0, "i", "kh")), fact_text(f, "tap_column", place(a, w, 1, "j", "kw"));
    fact_text(f, "back_row", place_back(a, w, 0, "i", "kh")), fact_text(f, "back_column", place_back(a, w, 1, "j", "kw"));
    fact_text(f, "far_row", distance(a, w, 0, "kh")), fact_text(f, "far_column", distance(a, w, 1, "kw"));
    fact_text(f, "first_row", first_tap(a, w, 0, "i")), fact_text(f, "first_column", first_tap(a, w, 1, "j"));
    fact_text(f, "next_row", next_tap(a, w, 0, "kh")), fact_text(f, "next_column", next_tap(a, w, 1, "kw"));
    const char *row = no_meeting(a, w, 0), *column = no_meeting(a, w, 1);
    fact_text(f, "skip_row", row);
    fact_text(f, "skip", arena_printf(a, "%s%s%s", row, *row && *column ? " || " : "", column));
}

/* What the functions of all groups need to call those of one; the casts make maps of one row of [C, T]. */
static void group_facts(Arena *a, const Window *w, bool bias, Fact *f)
{
    int64_t M = w->filters / w->groups, C = w->channels / w->groups;
    const char *array = arena_printf(a, "w[%lld][%lld][%lld][%lld]", (long long)M, (long long)C, (long long)w->kernel[0], (long long)w->kernel[1]);
    const char *b = !bias ? "" : arena_printf(a, "b[%lld]", (long long)(w->transposed ? C : M)), *comma = bias ? ", real " : "";
    fact_text(f, "takes_group", arena_printf(a, "real %s%s%s", array, w->transposed ? "" : comma, w->transposed ? "" : b));
    fact_text(f, "takes_back", arena_printf(a, "real %s%s%s", array, w->transposed ? comma : "", w->transposed ? b : ""));
    fact_text(f, "gives_group", arena_printf(a, "real d%s%s%s%s", array, w->transposed ? "" : comma, bias && !w->transposed ? "d" : "", w->transposed ? "" : b));
    fact_text(f, "b_array", bias ? arena_printf(a, "b[%lld]", (long long)(w->transposed ? w->channels : w->filters)) : "");
    fact_int(f, "filters", w->filters), fact_int(f, "channels", w->channels);
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

/* Where a tap meets no x: "i + kh - 1 < 0 || i + kh - 1 >= 8 || ..." */
static const char *outside(Arena *a, const Window *w)
{
    const char *row = place(a, w, 0, "i", "kh"), *column = place(a, w, 1, "j", "kw");
    const char *rows = w->flat ? "" : arena_printf(a, "%s < 0 || %s >= %lld || ", row, row, (long long)w->x[0]);
    return arena_printf(a, "%s%s < 0 || %s >= %lld", rows, column, column, (long long)w->x[1]);
}

void conv_facts(const Model *m, const Op *op, Fact *f)
{
    const Op *fwd = forward_of(op);
    Window w = window_of(op);
    Arena *a = m->arena;
    bool split = w.groups > 1 || w.flat || w.transposed, bias = op_int(op, "bias");
    fact_int(f, "M", w.filters / w.groups), fact_int(f, "C", w.channels / w.groups), fact_int(f, "groups", w.groups);
    fact_int(f, "H", w.x[0]), fact_int(f, "W", w.x[1]);
    fact_int(f, "Ho", w.y[0]), fact_int(f, "Wo", w.y[1]);
    fact_int(f, "KH", w.kernel[0]), fact_int(f, "KW", w.kernel[1]);
    fact_sizes(f, (const char *const[]){ "M", "Ho", "Wo", "C", "KH", "KW" }, (const int64_t[]){ w.filters, w.y[0], w.y[1], w.channels / w.groups, w.kernel[0], w.kernel[1] }, 6);
    fact_int(f, "SH", w.stride[0]), fact_int(f, "SW", w.stride[1]);
    fact_int(f, "DH", w.dilation[0]), fact_int(f, "DW", w.dilation[1]);
    fact_int(f, "PH", w.before[0]), fact_int(f, "PW", w.before[1]);
    fact_bool(f, "padded_rows", w.before[0] || w.after[0]), fact_bool(f, "padded_columns", w.before[1] || w.after[1]);
    fact_int(f, "HW", w.x[0] * w.x[1]), fact_int(f, "HoWo", w.y[0] * w.y[1]);
    fact_int(f, "EH", window_extent(&w, 0)), fact_int(f, "EW", window_extent(&w, 1));
    fact_int(f, "taps", w.kernel[0] * w.kernel[1]);
    fact_int(f, "bottom", w.x[0] + w.before[0]), fact_int(f, "right", w.x[1] + w.before[1]);
    fact_int(f, "last_row", (w.y[0] - 1) * w.stride[0]), fact_int(f, "last_column", (w.y[1] - 1) * w.stride[1]);
    fact_int(f, "last_above", w.y[0] - 1 - w.before[0]);
    fact_int(f, "last_begin", (w.y[1] - 1) * w.stride[1] - w.before[1]);
    fact_int(f, "up_tap_rows", w.dilation[0] - 1 + w.before[0]), fact_int(f, "up_tap_columns", w.dilation[1] - 1 + w.before[1]);
    fact_int(f, "end_tap_rows", w.dilation[0] - 1 + w.before[0] + w.x[0]), fact_int(f, "end_tap_columns", w.dilation[1] - 1 + w.before[1] + w.x[1]);
    fact_int(f, "up_rows", w.stride[0] - 1 + w.before[0]), fact_int(f, "up_columns", w.stride[1] - 1 + w.before[1]);
    fact_int(f, "end_rows", w.stride[0] - 1 + w.before[0] + w.x[0]), fact_int(f, "end_columns", w.stride[1] - 1 + w.before[1] + w.x[1]);
    fact_int(f, "up_u", w.stride[0] - 1 + w.kernel[0]), fact_int(f, "up_v", w.stride[1] - 1 + w.kernel[1]);
    fact_int(f, "filter_reals", w.channels / w.groups * w.kernel[0] * w.kernel[1]), fact_int(f, "stride_reals", w.stride[0] * w.kernel[1]);
    tap_facts(a, &w, f);
    group_facts(a, &w, bias, f);
    fact_text(f, "channel", channel(a, &w)), fact_text(f, "outside", outside(a, &w));
    fact_bool(f, "flat", w.flat), fact_bool(f, "split", split);
    fact_text(f, "kernel", split ? arena_printf(a, "%s_group", op_function(op)) : op_function(op));
    fact_text(f, "y_map", split ? arena_printf(a, "%s_group_y", op_function(op)) : tensor_type(m, fwd->writes[0].tensor));
    fact_text(f, "x_map", split ? arena_printf(a, "%s_group_x", op_function(op)) : tensor_type(m, fwd->reads[0].tensor));
    fact_bool(f, "bias", bias && !w.transposed), fact_bool(f, "back_bias", bias && w.transposed);
    fact_bool(f, "winograd", fwd->kernel.winograd);
}
