/* window.c -- see window.h: reads the attributes of a convolution, and checks them against its input.
 *
 * In: kernel, stride, dilation, padding, groups, and the shape of the input.  Out: a Window.
 * `padding: same` is d (k - 1) zeros in all along an axis, of which the odd one stands below or to the right, as in PyTorch. */
#include "graph/window.h"
#include <string.h>

int64_t window_extent(const Window *w, int axis) { return w->dilation[axis] * (w->kernel[axis] - 1) + 1; }

Shape window_shape(bool flat, int64_t channels, const int64_t size[2])
{
    return flat ? (Shape){ 2, { channels, size[1] } } : (Shape){ 3, { channels, size[0], size[1] } };
}

Shape window_weight(const Window *w)
{
    int64_t C = w->channels / w->groups;
    return w->flat ? (Shape){ 3, { w->filters, C, w->kernel[1] } } : (Shape){ 4, { w->filters, C, w->kernel[0], w->kernel[1] } };
}

bool window_is_bare(const Window *w)
{
    for (int k = 0; k < 2; k++)
        if (w->before[k] || w->after[k] || w->dilation[k] != 1)
            return false;
    return w->groups == 1 && !w->flat;
}

/* An attribute n or [rows, columns]; of [C, T] there are only columns. */
static void pair(int64_t out[2], const Op *op, const char *name, bool flat)
{
    op_pair(out, op, name);
    if (flat)
        out[0] = 1;
}

static void map_size(int64_t size[2], const Shape *s)
{
    size[0] = s->rank == 2 ? 1 : s->dim[1];
    size[1] = s->dim[s->rank - 1];
}

static void sizes(Window *w, const Op *op, const Shape *x)
{
    w->flat = x->rank == 2;
    w->groups = op_int(op, "groups");
    w->transposed = op->kind == OP_conv_transpose;
    w->filters = w->transposed ? x->dim[0] : op_int(op, "filters"), w->channels = w->transposed ? op_int(op, "filters") : x->dim[0];
    map_size(w->transposed ? w->y : w->x, x);
    pair(w->kernel, op, "kernel", w->flat);
    pair(w->stride, op, "stride", w->flat);
    pair(w->dilation, op, "dilation", w->flat);
}

/* The padding on each side; `same` and a single number are those of each axis there is. */
static void padding(Window *w, const Op *op)
{
    const Attr *a = op_attr(op, "padding");
    for (int k = w->flat; k < 2; k++) {
        const double *sides = a->count > 2 ? &a->number[2 * k] : a->number;
        w->before[k] = a->word ? (window_extent(w, k) - 1) / 2 : (int64_t)sides[0];
        w->after[k] = a->word ? window_extent(w, k) - 1 - w->before[k] : (int64_t)sides[a->count > 1];
    }
}

Window window_of(const Op *op)
{
    const Op *f = forward_of(op);
    Window w = { 0 };
    sizes(&w, f, &f->reads[0].tensor->shape);
    padding(&w, f);
    map_size(w.transposed ? w.x : w.y, &f->writes[0].tensor->shape);
    return w;
}

/* ---- errors ---------------------------------------------------------------------------------------------------- */

static bool one_number(Model *m, const Op *op, const char *name, const Shape *x)
{
    if (op_attr(op, name)->count < 2)
        return true;
    return shape_refuse(m, shape_at(m, op, name), "'%s' takes one number for an input of [channels, positions], %s", name, shape_text(m->arena, x));
}

static bool forms_fit(Model *m, const Op *op, const Window *w, const Shape *x)
{
    const Attr *a = op_attr(op, "padding");
    if (w->flat && (!one_number(m, op, "kernel", x) || !one_number(m, op, "stride", x) || !one_number(m, op, "dilation", x)))
        return false;
    if (a->count > 1 && a->count != (w->flat ? 2 : 4))
        return shape_refuse(m, shape_at(m, op, "padding"), "'padding' must be n, same or %s for an input of %s",
                            w->flat ? "[[left, right]]" : "[[top, bottom], [left, right]]", shape_text(m->arena, x));
    for (int k = 0; k < 2; k++)
        if (a->word && w->stride[k] > 1)
            return shape_refuse(m, shape_at(m, op, "padding"),
                                "'padding: same' needs stride 1, not %lld: say how much in numbers, as [[top, bottom], [left, right]]",
                                (long long)w->stride[k]);
    return true;
}

static bool groups_fit(Model *m, const Op *op, const Window *w)
{
    int64_t inputs = w->transposed ? w->filters : w->channels, outputs = w->transposed ? w->channels : w->filters;
    bool channels = inputs % w->groups != 0;
    if (!channels && outputs % w->groups == 0)
        return true;
    int64_t n = channels ? inputs : outputs, below = w->groups, above = w->groups + 1;
    while (below > 1 && (w->channels % below || w->filters % below))
        below--;
    while (above <= n && (w->channels % above || w->filters % above))
        above++;
    return shape_refuse(m, shape_at(m, op, "groups"), "%lld groups do not divide %lld %s; %lld%s do%s", (long long)w->groups, (long long)n,
                        channels ? "channels" : "filters", (long long)below,
                        above <= n ? arena_printf(m->arena, " or %lld", (long long)above) : "", above <= n || below > 1 ? "" : "es");
}

/* Whole windows outside of x see only zeros.  Of a transposed convolution padding cuts off results, be it more than a window: inputs at the border then
 * hand nothing on. */
static bool padding_fits(Model *m, const Op *op, const Window *w)
{
    for (int k = w->flat; k < 2 && !w->transposed; k++) {
        int64_t most = w->before[k] > w->after[k] ? w->before[k] : w->after[k];
        const char *spread = window_extent(w, k) > w->kernel[k] ? arena_printf(m->arena, ", which is %lld wide with dilation %lld",
                                                                               (long long)window_extent(w, k), (long long)w->dilation[k])
                                                                : "";
        if (most >= window_extent(w, k))
            return shape_refuse(m, shape_at(m, op, "padding"), "padding %lld must be smaller than the kernel's %lld%s: whole windows would see only zeros",
                                (long long)most, (long long)w->kernel[k], spread);
    }
    return true;
}

bool window_read(Model *m, const Op *op, const Shape *x, Window *w)
{
    *w = (Window){ 0 };
    if (x->rank != 3 && x->rank != 2)
        return shape_refuse(m, op, "%s needs an input of [channels, rows, columns] or [channels, positions], not %s", OP_INFO(op)->name,
                            shape_text(m->arena, x));
    sizes(w, op, x);
    if (!forms_fit(m, op, w, x) || !groups_fit(m, op, w))
        return false;
    padding(w, op);
    return padding_fits(m, op, w);
}
