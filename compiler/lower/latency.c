/* latency.c -- the latency form: the kernels of convolutions, dense layers, cells and pools, and their weights.
 *
 * In: the fused forward pass.  Out: Op.kernel.latency; weights of W_LATENCY in the place of those of the net.  Called by store.c, which stores them.
 * A convolution has points in its lanes, or filters: those that fill them better.  A kernel of more than one row of taps reads each of x often, so where
 * the window leaves the map, or is strided under points, x is copied once into a form in which no tap needs a test.  Large ones of 3x3 are by
 * Winograd's algorithm: tiles of one size cover the result, so that the weights have one transformed form.  A transposed convolution is made phase by
 * phase, each a convolution of x with some of the taps. */
#include "lower/latency.h"
#include "lower/winograd.h"
#include <string.h>

enum { SIDE_LEAST = 2, SIDE_MOST = 6, BATCHED_REALS = 4096 }; /* weights that do not stay in the first-level cache beside an example */
static const double TILES_BELOW = 0.8; /* of what direct convolution takes */

static int64_t ceil_of(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t up(int64_t n) { return ceil_of(n, LANES) * LANES; }
static int least(int64_t a, int64_t b) { return (int)(a < b ? a : b); }

/* ---- convolutions ------------------------------------------------------------------------------------------------------ */

static bool is_strided(const Window *w) { return w->stride[0] > 1 || w->stride[1] > 1; }

static bool is_padded(const Window *w) { return w->before[0] || w->after[0] || w->before[1] || w->after[1]; }

/* What the kernel reads: x, or its copy. */
static void lay_out(Latency *l, bool points)
{
    const Window *w = &l->window;
    int64_t size[2];
    l->parted = points && is_strided(w);
    l->copied = is_padded(w) || l->parted;
    for (int k = 0; k < 2; k++) {
        const int64_t stride = points ? w->stride[k] : 1, extent = window_extent(w, k);
        l->parts[k] = l->copied ? least(stride, extent) : 1;
        size[k] = !l->copied ? w->x[k] : points ? w->y[k] + (extent - 1) / stride : w->x[k] + w->before[k] + w->after[k];
    }
    l->rows = (int)size[0], l->pitch = (int)size[1];
    l->plane = (int)(size[0] * size[1]) * l->parts[0] * l->parts[1];
    l->copy_reals = l->copied ? up((int64_t)l->plane * l->C * l->groups + LANES) : 0;
}

/* Where tap k of an axis is: in which part, and how far from the point in it. */
static void find_taps(Arena *a, Latency *l, bool points)
{
    const Window *w = &l->window;
    l->taps = (int)(w->kernel[0] * w->kernel[1]);
    l->at = NEW_ARRAY(a, int, l->taps);
    for (int k = 0; k < l->taps; k++) {
        const int64_t tap[2] = { k / w->kernel[1] * w->dilation[0], k % w->kernel[1] * w->dilation[1] };
        const int64_t s[2] = { points ? w->stride[0] : 1, points ? w->stride[1] : 1 };
        const int64_t part = tap[0] % s[0] * l->parts[1] + tap[1] % s[1];
        l->at[k] = (int)((part * l->rows + tap[0] / s[0]) * l->pitch + tap[1] / s[1]);
    }
}

/* Vecs of points, row by row or going on from row to row: the fewer.  A row shorter than a vec goes on. */
static void count_points(Latency *l)
{
    const int64_t Ho = l->window.y[0], Wo = l->window.y[1], through = up((Ho - 1) * l->pitch + Wo) / LANES, row = up(Wo) / LANES;
    l->flat = Wo < LANES || through * 8 < Ho * row * 7;
    l->vecs = (int)(l->flat ? through : row);
}

/* What a direct convolution takes, in products of vecs; sums on their way to y are moved a vec at a time (points), or turned one by one (filters). */
static double direct_cost(const Latency *l)
{
    enum { VEC = 8 };
    const Window *w = &l->window;
    const double terms = (double)(l->C * w->kernel[0] * w->kernel[1]), points = (double)(w->y[0] * w->y[1]), all = l->M * l->groups;
    if (l->kind == BY_FILTERS)
        return (double)l->groups * points * (l->MP / LANES * terms + l->M);
    return l->flat ? all * (l->vecs * terms + points / VEC) : all * (double)w->y[0] * l->vecs * terms;
}

/* What a convolution by tiles of `side` outputs takes, in products of vecs: of the products, of transforms and turning, and of the transformed weights,
 * which are read from beyond the caches. */
static double tiles_cost(const Latency *l, int side)
{
    enum { TURN = 6, TRANSFORM = 4, FAR = 2 };
    const Window *w = &l->window;
    const double points = (side + 2) * (side + 2), tiles = (double)((w->y[0] + side - 1) / side * ((w->y[1] + side - 1) / side)),
                 C = (double)up(l->C) / LANES, M = l->MP / LANES;
    return points * (tiles + FAR) * l->C * M + tiles * (C + M) * points * TRANSFORM + (double)(w->x[0] * w->x[1]) * C * TURN +
           (double)(w->y[0] * w->y[1]) * M * TURN;
}

/* The side of the Winograd tiles that take less than `most`; 0: none does, or the model or the window forbids them. */
static int best_side(const Op *op, const Latency *l, double most)
{
    int best = 0;
    if (!strcmp(op_word(op, "winograd"), "never") || winograd_misfit(&l->window))
        return 0;
    for (int side = SIDE_LEAST; side <= SIDE_MOST; side++)
        if (tiles_cost(l, side) < most)
            most = tiles_cost(l, side), best = side;
    return best;
}

static Latency *conv_of(Model *m, const Op *op)
{
    Latency points = { .window = window_of(op) };
    const Window *w = &points.window;
    points.groups = (int)w->groups, points.M = (int)(w->filters / w->groups), points.C = (int)(w->channels / w->groups),
    points.MP = (int)up(points.M);
    Latency filters = points, tiles = points, *l = NEW(m->arena, Latency);
    points.kind = BY_POINTS, filters.kind = BY_FILTERS, tiles.kind = BY_TILES;
    lay_out(&points, true), lay_out(&filters, false);
    count_points(&points);
    const double by_points = direct_cost(&points), by_filters = direct_cost(&filters);
    tiles.side = best_side(op, &tiles, TILES_BELOW * (by_points < by_filters ? by_points : by_filters));
    for (int k = 0; k < 2 && tiles.side; k++)
        tiles.tiles[k] = (int)((w->y[k] + tiles.side - 1) / tiles.side);
    *l = tiles.side ? tiles : by_points <= by_filters ? points : filters;
    find_taps(m->arena, l, l->kind == BY_POINTS);
    return l;
}

/* ---- transposed convolutions ------------------------------------------------------------------------------------------- */

/* Along an axis, of the results a, a + stride, ...: how many; taps that they meet, a stride apart; and the place in x that result a meets with the
 * first of them: the others lie before it. */
typedef struct {
    int64_t points, taps, place;
} AxisPhase;

static AxisPhase axis_phase(const Window *w, int axis, int64_t a)
{
    const int64_t stride = w->stride[axis], at = a + w->before[axis];
    return (AxisPhase){ ceil_of(w->x[axis] - a, stride), ceil_of(w->kernel[axis] - at % stride, stride), at / stride };
}

/* Zeros in front of and behind x along an axis, so that each result meets all of its phase's taps. */
static void zeros_around(const Window *w, int axis, int64_t *front, int64_t *behind)
{
    *front = *behind = 0;
    for (int64_t a = 0; a < w->stride[axis]; a++) {
        const AxisPhase p = axis_phase(w, axis, a);
        const int64_t first = p.place - (p.taps - 1), last = p.place + p.points - 1;
        *front = -first > *front ? -first : *front;
        *behind = last - (w->y[axis] - 1) > *behind ? last - (w->y[axis] - 1) : *behind;
    }
}

static void find_phases(Arena *arena, Latency *l)
{
    const Window *w = &l->window;
    int64_t weights = 0;
    l->phases = NEW_ARRAY(arena, LatencyPhase, w->stride[0] * w->stride[1]);
    for (int64_t a = 0; a < w->stride[0]; a++)
        for (int64_t b = 0; b < w->stride[1]; b++) {
            LatencyPhase *p = &l->phases[a * w->stride[1] + b];
            const AxisPhase down = axis_phase(w, 0, a), across = axis_phase(w, 1, b);
            *p = (LatencyPhase){ .taps = (int)(down.taps * across.taps), .weights = (int)weights };
            p->at = NEW_ARRAY(arena, int, p->taps);
            for (int k = 0; k < p->taps; k++)
                p->at[k] = (int)((l->above + down.place - k / across.taps) * l->pitch + l->left + across.place - k % across.taps);
            weights += (int64_t)l->M * l->C * p->taps;
        }
}

/* Of one group, not dilated, each of whose results meets a tap. */
static Latency *transposed_of(Model *m, const Op *op)
{
    const Window w = window_of(op);
    int64_t front[2], behind[2];
    bool uneven = false;
    for (int k = 0; k < 2; k++) {
        if (w.groups > 1 || w.dilation[k] > 1 || w.kernel[k] < w.stride[k] || w.x[k] < w.stride[k])
            return NULL;
        zeros_around(&w, k, &front[k], &behind[k]);
        uneven = uneven || w.x[k] % w.stride[k];
    }
    Latency *l = NEW(m->arena, Latency);
    *l = (Latency){ .kind = BY_PHASES, .window = w, .groups = 1, .M = (int)w.channels, .MP = (int)up(w.channels), .C = (int)w.filters, .flat = true, .above = (int)front[0], .left = (int)front[1] };
    l->taps = (int)(w.kernel[0] * w.kernel[1]);
    l->rows = (int)(w.y[0] + front[0] + behind[0]), l->pitch = (int)(w.y[1] + front[1] + behind[1]), l->plane = l->rows * l->pitch;
    /* the vecs of an uneven phase go on for as many points as those of the first one */
    l->copied = uneven || front[0] || front[1] || behind[0] || behind[1];
    l->copy_reals = l->copied ? up((int64_t)l->plane * l->C + l->pitch + LANES) : 0;
    l->vecs = (int)(up((axis_phase(&w, 0, 0).points - 1) * l->pitch + axis_phase(&w, 1, 0).points) / LANES);
    find_phases(m->arena, l);
    return l;
}

/* Where weight i of [channels][filters][rows][columns] lies: by phases, in each [filters][channels][rows][columns]. */
static int64_t place_in_phases(const Latency *l, int64_t i)
{
    const Window *w = &l->window;
    const int64_t c = i / (l->taps * l->M), filter = i / l->taps % l->M, tap[2] = { i % l->taps / w->kernel[1], i % w->kernel[1] };
    int64_t phase[2];
    for (int k = 0; k < 2; k++)
        phase[k] = (tap[k] % w->stride[k] + w->stride[k] - w->before[k] % w->stride[k]) % w->stride[k];
    const LatencyPhase *p = &l->phases[phase[0] * w->stride[1] + phase[1]];
    return p->weights + (filter * l->C + c) * p->taps + tap[0] / w->stride[0] * axis_phase(w, 1, phase[1]).taps + tap[1] / w->stride[1];
}

/* ---- others ---------------------------------------------------------------------------------------------------------------- */

/* Sums of each output: a power of 2 up to 4, until all outputs of all positions have enough in flight; no more than there are inputs. */
static int sums_of(const Latency *l, int64_t positions)
{
    int sums = 1;
    while (sums < 4 && 2 * sums <= l->C && l->MP / LANES * positions * sums < LATENCY_IN_FLIGHT)
        sums *= 2;
    return sums;
}

static Latency *dense_of(Model *m, const Op *op)
{
    Latency *l = NEW(m->arena, Latency);
    const Shape *w = &op->weights[0]->shape;
    *l = (Latency){ .kind = BY_OUTPUTS, .groups = 1, .M = (int)w->dim[0], .C = (int)w->dim[1], .MP = (int)up(w->dim[0]) };
    const Tensor *y = op->writes[0].tensor;
    l->sums = sums_of(l, shape_count(&y->shape) / l->M);
    const Repeat *x = op->reads[0].tensor->repeat;
    l->batched = m->batch > 1 && (int64_t)l->MP * l->C >= BATCHED_REALS && shape_count(&y->shape) == l->M && (!x || x == y->repeat);
    return l;
}

/* A pool all of whose windows lie inside a map of rows and columns. */
static Latency *pool_of(Model *m, const Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape, *y = &op->writes[0].tensor->shape;
    int64_t size[2], stride[2], padding[2];
    op_pair(size, op, "size"), op_pair(stride, op, op_attr(op, "stride")->given ? "stride" : "size"), op_pair(padding, op, "padding");
    for (int k = 0; x->rank == 3 && k < 2; k++)
        if (padding[k] || (y->dim[k + 1] - 1) * stride[k] + size[k] > x->dim[k + 1])
            return NULL;
    if (x->rank != 3)
        return NULL;
    Latency *l = NEW(m->arena, Latency);
    *l = (Latency){ .kind = BY_ROWS };
    return l;
}

/* A cell of fewer units than lanes has plain loops. */
static Latency *cell_of(Model *m, const Op *op)
{
    const int64_t units = op->writes[0].tensor->shape.dim[0];
    if (units < LANES)
        return NULL;
    Latency *l = NEW(m->arena, Latency);
    *l = (Latency){ .kind = BY_UNITS, .groups = 1, .M = (int)units, .MP = (int)up(units) };
    return l;
}

static Latency *kernel_of(Model *m, const Op *op)
{
    switch (op->kind) {
    case OP_conv: return conv_of(m, op);
    case OP_conv_transpose: return transposed_of(m, op);
    case OP_dense: return op->dense.transposed ? NULL : dense_of(m, op);
    case OP_maxpool: return pool_of(m, op);
    case OP_gru_gates:
    case OP_lstm_gates: return cell_of(m, op);
    default: return NULL;
    }
}

/* ---- weights --------------------------------------------------------------------------------------------------------------- */

static bool is_padded_bias(const Latency *l) { return l->kind != BY_POINTS && l->kind != BY_PHASES; }

/* The shape in which it lies: of points [filters][channels x taps], of filters [vecs of filters][channels x taps][16], of tiles
 * [positions][channels][MP], of phases and outputs all in a row. */
static Shape stored_shape(const Latency *l, bool bias)
{
    const int64_t terms = (int64_t)l->C * l->taps;
    if (bias)
        return (Shape){ 1, { (int64_t)l->groups * (is_padded_bias(l) ? l->MP : l->M) } };
    switch (l->kind) {
    case BY_POINTS: return (Shape){ 2, { (int64_t)l->groups * l->M, terms } };
    case BY_TILES: return (Shape){ 3, { (l->side + 2) * (l->side + 2), l->C, l->MP } };
    case BY_FILTERS: return (Shape){ 3, { (int64_t)l->groups * l->MP / LANES, terms, LANES } };
    case BY_PHASES: return (Shape){ 1, { l->M * terms } };
    default: return (Shape){ 1, { (int64_t)l->MP * l->C } };
    }
}

static bool same_kernel(const Op *a, const Op *b)
{
    const Latency *k = a->kernel.latency, *l = b->kernel.latency;
    if (k->kind == BY_PHASES && l->kind == BY_PHASES)
        for (int axis = 0; axis < 2; axis++)
            if (k->window.stride[axis] != l->window.stride[axis] || k->window.before[axis] % k->window.stride[axis] != l->window.before[axis] % l->window.stride[axis])
                return false;
    return k->kind == l->kind && k->taps == l->taps && k->groups == l->groups && k->side == l->side && a->fold.norm == b->fold.norm;
}

/* True if a stored weight has that name: one that was made, or the net's own, which an operator with plain loops reads. */
static bool is_taken(const Model *m, const List *made, const char *field)
{
    bool taken = false;
    for (int i = 0; i < made->count; i++)
        taken = taken || strcmp(((const Weight *)made->items[i])->field, field) == 0;
    for_each_op(w, &m->forward) for (int i = 0; i < w.op->weight_count && !w.op->kernel.latency; i++) taken =
        taken || strcmp(w.op->weights[i]->field, field) == 0;
    return taken;
}

/* The weight, or with `bias` the bias, of `op` as its kernel reads it; an earlier use may have it. */
static Weight *stored_weight(Model *m, List *made, Op *op, bool bias)
{
    const Weight *of = bias && op->weight_count < 2 ? NULL : op->weights[bias];
    for (int i = 0; i < made->count; i++) {
        Weight *w = made->items[i];
        if (of && w->of == of && (w->layout == W_LATENCY_BIAS) == bias && same_kernel(w->made_for, op))
            return w;
    }
    Weight *w = NEW(m->arena, Weight);
    *w = (Weight){ .name = of ? of->name : arena_printf(m->arena, "%s.bias", op->prefix),
                   .loc = of ? of->loc : op->loc,
                   .shape = stored_shape(op->kernel.latency, bias),
                   .layout = bias ? W_LATENCY_BIAS : W_LATENCY,
                   .of = of,
                   .made_for = op,
                   .init = op->weights[0]->init };
    w->field = of && !is_taken(m, made, of->field)
                   ? of->field
                   : identifier_unique(m, arena_printf(m->arena, "%s_%s", op->name, bias ? "bias" : "weight"));
    list_push(m->arena, made, w);
    return w;
}

static void store_weights(Model *m, List *made, Op *op)
{
    const bool bias = op->weight_count > 1 || op->fold.norm;
    Weight *weight = stored_weight(m, made, op, false);
    if (bias)
        op->weights[1] = stored_weight(m, made, op, true);
    op->weights[0] = weight;
    op->weight_count = 1 + bias;
}

int64_t latency_filter(const Weight *w, int64_t i)
{
    const Latency *l = w->made_for->kernel.latency;
    if (l->kind == BY_PHASES && w->layout == W_LATENCY)
        return i / l->taps % l->M;
    return w->layout == W_LATENCY_BIAS ? i : i / (l->kind == BY_OUTPUTS ? l->C : (int64_t)l->C * l->taps);
}

/* Outputs of a dense layer lie in panels: at m * C begins what belongs to the outputs from m on, a row for each input. */
static int64_t place_in_panels(const Latency *l, int64_t i)
{
    const int64_t m = i / l->C, k = i % l->C, vecs = l->MP / LANES, panels = (vecs + LATENCY_PANEL - 1) / LATENCY_PANEL,
                  small = vecs / panels, large = vecs % panels;
    const int64_t vec = m / LANES, in_large = large * (small + 1), wide = vec < in_large ? small + 1 : small;
    const int64_t first = vec < in_large ? vec / wide * wide : in_large + (vec - in_large) / wide * wide;
    return first * LANES * l->C + k * wide * LANES + m - first * LANES;
}

int64_t latency_place(const Weight *w, int64_t i)
{
    const Latency *l = w->made_for->kernel.latency;
    const int64_t m = latency_filter(w, i);
    if (w->layout == W_LATENCY_BIAS)
        return is_padded_bias(l) ? m / l->M * l->MP + m % l->M : m;
    if (l->kind == BY_OUTPUTS)
        return place_in_panels(l, i);
    if (l->kind == BY_PHASES)
        return place_in_phases(l, i);
    if (l->kind == BY_POINTS)
        return i;
    const int64_t terms = (int64_t)l->C * l->taps, lane = m / l->M * l->MP + m % l->M;
    return (lane / LANES * terms + i % terms) * LANES + lane % LANES;
}

void latency_choose(Model *m)
{
    List made = { 0 };
    for_each_op(w, &m->forward) w.op->kernel.latency = kernel_of(m, w.op);
    for_each_op(w, &m->forward)
    {
        Op *op = w.op;
        const Latency *l = op->kernel.latency;
        if (!l)
            continue;
        if (l->kind < BY_OUTPUTS) {
            Tensor *work = tensor_raw(m, arena_printf(m->arena, "%s_work", op->name), op, op->writes[0].tensor->repeat,
                                      0); /* its size: schedule/latency_tiles.c */
            work->work = true;
            op_write(op, work, 0);
        }
        if (op->weight_count)
            store_weights(m, &made, op);
    }
}
