/* random_net.c -- see random_net.h.  First the values a model can be made of, then models, then the two ways to write one. */
#define _POSIX_C_SOURCE 200809L
#include "random_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64 */
static uint64_t draw(uint64_t *random)
{
    uint64_t x = *random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

double uniform(uint64_t *random) { return (double)(draw(random) >> 11) * 0x1p-52 - 1; }
int below(uint64_t *random, int n) { return (int)(draw(random) % (uint64_t)n); }
static int from_to(Model *m, int low, int high) { return low + below(&m->random, high - low + 1); }
static bool chance(Model *m, double p) { return (uniform(&m->random) + 1) / 2 < p; }
#define ONE_OF(m, ...) ((int[]){ __VA_ARGS__ }[below(&(m)->random, (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)))])

Dims stacked_dims(const Model *m, int v)
{
    Dims one = m->values[v].dims, d = { one.rank + 1, { m->steps } };
    memcpy(d.dim + 1, one.dim, (size_t)one.rank * sizeof(int));
    return m->values[v].inside ? d : one;
}

/* ---- values ----------------------------------------------------------------------------------------------------------- */

/* Its shape as a value made here sees it. */
static Dims seen(const Model *m, int v) { return m->body_end && v < m->body_end ? stacked_dims(m, v) : m->values[v].dims; }

static int add_value(Model *m, Value v, Dims dims, int in)
{
    if (m->count == VALUES)
        abort();
    v.dims = dims;
    v.state = -1;
    v.inside = m->body && !m->body_end;
    if (in >= 0)
        v.in[0] = in, v.in_count = 1;
    for (int i = 0; i < v.in_count; i++) {
        m->values[v.in[i]].read = true;
        v.trained = v.trained || m->values[v.in[i]].trained;
    }
    if (!v.name[0])
        snprintf(v.name, sizeof v.name, "v%d", m->count);
    m->values[m->count] = v;
    return m->count++;
}

static Curve any_curve(Model *m) { return (Curve)ONE_OF(m, LINEAR, RELU, RELU, TANH, SIGMOID); }

static Value conv_layer(Model *m, Dims x, Dims *y)
{
    Value v = { .kind = CONV, .curve = any_curve(m), .bias = chance(m, 0.85), .trained = true, .window = { .dilation = { 1, 1 }, .groups = 1 } };
    *y = (Dims){ 3, { ONE_OF(m, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 17, 20) } };
    for (int k = 0; k < 2; k++) {
        int padding = ONE_OF(m, 0, 0, 0, 1, 2);
        v.size[k] = from_to(m, 1, 4);
        if (padding >= v.size[k] || v.size[k] > x.dim[k + 1] + 2 * padding)
            v.size[k] = 1, padding = 0;
        v.window.stride[k] = ONE_OF(m, 1, 1, 1, 2, 3), v.window.before[k] = v.window.after[k] = padding;
        y->dim[k + 1] = (x.dim[k + 1] + 2 * padding - v.size[k]) / v.window.stride[k] + 1;
    }
    if (chance(m, 0.5))                        /* the ordinary one */
        for (int k = 0; k < 2; k++)
            if (x.dim[k + 1] >= 3) {
                v.window.before[k] = v.window.after[k] = 0, v.size[k] = 3, v.window.stride[k] = 1;
                y->dim[k + 1] = x.dim[k + 1] - 2;
            }
    return v;
}

/* A window along axis k of the columns or rows that are `room` long: dilated, with another padding on each side. */
static int odd_axis(Model *m, Value *v, int k, int room)
{
    Window *w = &v->window;
    v->size[k] = from_to(m, 1, 4), w->dilation[k] = ONE_OF(m, 1, 1, 2, 3);
    int span = w->dilation[k] * (v->size[k] - 1);
    w->before[k] = below(&m->random, 4), w->after[k] = below(&m->random, 4), w->stride[k] = ONE_OF(m, 1, 1, 2, 3);
    w->before[k] = w->before[k] < span ? w->before[k] : span, w->after[k] = w->after[k] < span ? w->after[k] : span;
    if (room + w->before[k] + w->after[k] <= span)
        v->size[k] = 1, w->before[k] = w->after[k] = span = 0;
    return (room + w->before[k] + w->after[k] - span - 1) / w->stride[k] + 1;
}

/* A convolution in groups, of maps or of lines; half of them depthwise, the window of an odd kind. */
static Value odd_conv_layer(Model *m, Dims x, Dims *y)
{
    Value v = { .kind = CONV, .curve = any_curve(m), .bias = chance(m, 0.85), .trained = true };
    int C = x.dim[0], groups = chance(m, 0.6) ? C : ONE_OF(m, 1, 2, 3);
    groups = C % groups ? 1 : groups;
    *y = (Dims){ x.rank, { groups * ONE_OF(m, 1, 1, 2, 3) } };
    v.window = (Window){ .stride = { 1, 1 }, .dilation = { 1, 1 }, .groups = groups };
    v.size[0] = 1;
    for (int k = 3 - x.rank; k < 2; k++)
        y->dim[k + x.rank - 2] = odd_axis(m, &v, k, x.dim[k + x.rank - 2]);
    return v;
}

static Value pool_layer(Model *m, Dims x, Dims *y)
{
    Value v = { .kind = MAXPOOL };
    bool usual = chance(m, 0.4), overlap = chance(m, 0.5);
    *y = x;
    for (int k = 0; k < 2; k++) {
        v.size[k] = usual ? 2 : from_to(m, 1, 4);
        if (v.size[k] > x.dim[k + 1])
            v.size[k] = x.dim[k + 1];
        v.stride[k] = usual || !overlap ? v.size[k] : from_to(m, 1, 3);
        y->dim[k + 1] = (x.dim[k + 1] - v.size[k]) / v.stride[k] + 1;
    }
    return v;
}

static Value dense_layer(Model *m, int units, Dims *y)
{
    *y = (Dims){ 1, { units } };
    return (Value){ .kind = DENSE, .curve = any_curve(m), .bias = chance(m, 0.85), .trained = true };
}

static Value norm_layer(Model *m)
{
    return (Value){ .kind = BATCH_NORM, .curve = any_curve(m), .bias = chance(m, 0.8), .rate = ONE_OF(m, 0, 0, 1) ? 0.01 : 0, .trained = true };
}

static int many(Model *m) { return ONE_OF(m, 1, 2, 3, 5, 10, 15, 16, 17, 24, 31, 32, 33, 50, 65); }

static int add_conv(Model *m, int x)
{
    Dims y;
    Value v = conv_layer(m, seen(m, x), &y);
    return add_value(m, v, y, x);
}

static int add_dense(Model *m, int x, int units)
{
    Dims y;
    Value v = dense_layer(m, units, &y);
    return add_value(m, v, y, x);
}

static int add_reshape(Model *m, int x, Dims d) { return add_value(m, (Value){ .kind = RESHAPE }, d, x); }

static Dims random_map(Model *m) { return (Dims){ 3, { ONE_OF(m, 1, 2, 3, 5, 8), from_to(m, 2, 7), from_to(m, 2, 7) } }; }

/* Something with a gradient and the shape d, made of x. */
static int add_like(Model *m, int x, Dims d)
{
    int made = add_dense(m, x, dims_size(d));
    return d.rank == 1 ? made : add_reshape(m, made, d);
}

/* A map [C,H,W] with a gradient, made of x. */
static int add_map(Model *m, int x)
{
    Dims d = seen(m, x);
    if (d.rank == 3 && d.dim[1] > 1 && d.dim[2] > 1 && chance(m, 0.7))
        return add_conv(m, x);
    return add_like(m, x, random_map(m));
}

static int add_pose(Model *m, int x)
{
    return add_value(m, (Value){ .kind = DENSE, .bias = true, .pose = true, .trained = true }, (Dims){ 1, { 6 } }, x);
}

/* Two convolutions, 3 x 3 of many channels, of which each has the gradient of its input to make. */
static int add_wide(Model *m, int x)
{
    Dims d = { 3, { ONE_OF(m, 8, 9, 16, 17), from_to(m, 6, 13), from_to(m, 6, 13) } };
    int y = add_like(m, add_dense(m, x, 3), d);
    for (int k = 0; k < 2; k++) {
        Value v = { .kind = CONV, .curve = any_curve(m), .bias = chance(m, 0.85), .trained = true, .size = { 3, 3 }, .window = { .stride = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 } };
        d = (Dims){ 3, { ONE_OF(m, 8, 11, 16, 18, 33), d.dim[1] - 2, d.dim[2] - 2 } };
        for (int a = 0; a < 2; a++) {
            int *before = &v.window.before[a], *after = &v.window.after[a];
            *before = ONE_OF(m, 0, 0, 1, 1, 1), *after = ONE_OF(m, *before, *before, 1);
            d.dim[a + 1] += *before + *after;
        }
        y = add_value(m, v, d, y);
    }
    return y;
}

/* A convolution of an odd kind: of a map, or of a line [C, T]. */
static int add_odd_conv(Model *m, int x)
{
    Dims d = { 3, { ONE_OF(m, 2, 4, 6), from_to(m, 3, 9), from_to(m, 3, 9) } };
    if (chance(m, 0.4))
        d = (Dims){ 2, { d.dim[0], from_to(m, 4, 30) } };
    int y = add_like(m, add_dense(m, x, 3), d);
    Value v = odd_conv_layer(m, seen(m, y), &d);
    return add_value(m, v, d, y);
}

/* What `focus` makes of a value that came from x. */
static int add_focus(Model *m, Kind focus, int x)
{
    if (focus == WIDE)
        return add_wide(m, x);
    if (focus == ODD)
        return add_odd_conv(m, x);
    Value v = { .kind = focus };
    int map = add_map(m, x);
    Dims d = m->values[map].dims, y = d;
    switch (focus) {
    case CONV:
        return add_conv(m, map);
    case MAXPOOL:
        v = pool_layer(m, d, &y);
        break;
    case DENSE:
        return add_dense(m, map, many(m));
    case CURVE:
        v.curve = (Curve)ONE_OF(m, RELU, TANH, SIGMOID);
        break;
    case DROPOUT:
        v.rate = 0.1 * from_to(m, 1, 8), v.ramp = ONE_OF(m, 0, 0, 5), v.channels = chance(m, 0.4);
        break;
    case ADD: case MULTIPLY:
        v.in_count = from_to(m, 2, 4);
        for (int k = 0; k < v.in_count; k++)
            v.in[k] = k && chance(m, 0.7) ? add_like(m, chance(m, 0.5) ? map : x, d) : map;
        return add_value(m, v, d, -1);
    case CONCAT:
        v.axis = below(&m->random, 3);
        v.in_count = from_to(m, 2, 3);
        y.dim[v.axis] = 0;
        for (int k = 0; k < v.in_count; k++) {
            Dims part = d;
            if (k)
                part.dim[v.axis] = from_to(m, 1, 4);
            v.in[k] = !k ? map : add_like(m, map, part);
            y.dim[v.axis] += part.dim[v.axis];
        }
        return add_value(m, v, y, -1);
    case SLICE:
        v.axis = below(&m->random, 3);
        v.from = below(&m->random, d.dim[v.axis]);
        v.to = from_to(m, v.from + 1, d.dim[v.axis]);
        y.dim[v.axis] = v.to - v.from;
        if ((v.drop = v.to == v.from + 1 && chance(m, 0.7))) {
            for (int i = v.axis; i < 2; i++)
                y.dim[i] = y.dim[i + 1];
            y.rank = 2;
        }
        break;
    case RESHAPE:
        y = chance(m, 0.5) ? (Dims){ 2, { d.dim[1] * d.dim[0], d.dim[2] } } : (Dims){ 4, { d.dim[2], d.dim[0], 1, d.dim[1] } };
        break;
    case FLATTEN:
        y = (Dims){ 1, { dims_size(d) } };
        break;
    case GRU: {
        int units = many(m), state = add_dense(m, x, units);
        v.bias_hh = chance(m, 0.5), v.trained = true;
        v.in[0] = map, v.in[1] = state, v.in_count = 2;
        return add_value(m, v, (Dims){ 1, { units } }, -1);
    }
    case SPN: {
        int image = chance(m, 0.5) ? below(&m->random, 2) : map;
        Dims from = seen(m, image);
        v.in[0] = image, v.in[1] = add_pose(m, map), v.in_count = 2;
        v.edge = (Edge)ONE_OF(m, ZERO, CLAMP, LEGACY);
        v.rate = chance(m, 0.5) && from.dim[1] >= 4 && from.dim[2] >= 4 ? ONE_OF(m, 1, 2) : 0;      /* downsample, or a size */
        for (int k = 0; k < 2; k++)
            v.size[k] = v.rate > 0 ? from.dim[k + 1] / (int)v.rate : from_to(m, 2, 9);
        return add_value(m, v, (Dims){ 3, { from.dim[0], v.size[0], v.size[1] } }, -1);
    }
    case BATCH_NORM:
        if (chance(m, 0.3)) {                  /* of a net, whose parameters and running statistics its uses share */
            map = add_like(m, map, m->nets[0].from);
            return add_value(m, (Value){ .kind = NET, .net = 0, .trained = true }, m->nets[0].layers[m->nets[0].count - 1].dims, map);
        }
        v = norm_layer(m);
        if (chance(m, 0.4))
            map = add_dense(m, x, many(m)), y = m->values[map].dims;
        break;
    case NET: {                                /* the same net again wherever its input has the right shape */
        v.net = m->net_count == 1 || chance(m, 0.6) ? 0 : m->net_count - 1;
        LayerList *l = &m->nets[v.net];
        v.trained = true;
        return add_value(m, v, l->layers[l->count - 1].dims, add_like(m, map, l->from));
    }
    default:
        return map;
    }
    return add_value(m, v, y, map);
}

static void add_nets(Model *m)
{
    for (; m->net_count < 2; m->net_count++) {
        LayerList *l = &m->nets[m->net_count];
        Dims d = l->from = (Dims){ 3, { from_to(m, 1, 3), from_to(m, 4, 8), from_to(m, 4, 8) } };
        Dims y;
        l->layers[0] = conv_layer(m, d, &y);
        l->layers[0].dims = d = y;
        l->layers[1] = chance(m, 0.5) ? pool_layer(m, d, &y) : (Value){ .kind = CURVE, .curve = (Curve)ONE_OF(m, RELU, TANH, SIGMOID) };
        l->layers[1].dims = y;
        int units = many(m);
        l->layers[2] = dense_layer(m, units, &d);
        l->layers[2].dims = d;
        l->count = 3;
        if (chance(m, 0.5))
            l->layers[l->count++] = (Value){ .kind = RESHAPE, .dims = { 2, { 1, units } } };
        for (int k = 0; k < l->count; k++)
            if (chance(m, 0.3) && (l->layers[k].kind == CONV || l->layers[k].kind == DENSE))
                snprintf(l->layers[k].name, sizeof l->layers[k].name, "layer%d", k);
    }
}

/* ---- models ----------------------------------------------------------------------------------------------------------- */

static int add_state(Model *m, int k, bool gru, int before)
{
    Value v = { .kind = STATE, .gru = gru, .bias_hh = chance(m, 0.3), .start = -1, .update = -1, .trained = true };
    Dims d = gru ? (Dims){ 1, { many(m) } } : chance(m, 0.5) ? random_map(m) : (Dims){ 1, { many(m) } };
    snprintf(v.name, sizeof v.name, "s%d", k);
    v.start_trained = chance(m, 0.4);
    if (!v.start_trained && before >= 0 && dims_size(m->values[before].dims) < 200 && chance(m, 0.7)) {
        v.start = before, m->values[before].read = true;
        d = gru ? (Dims){ 1, { dims_size(m->values[before].dims) } } : m->values[before].dims;
        if (gru && m->values[before].dims.rank != 1)
            v.start = -1;
    }
    v.read = true;
    return add_value(m, v, d, -1);
}

/* The update of a state from x; readers below it see this value. */
static int add_update(Model *m, int state, int x)
{
    Value *s = &m->values[state], v = { .trained = true };
    if (s->gru) {
        v.kind = GRU, v.bias_hh = s->bias_hh;
        v.in[0] = x, v.in[1] = state, v.in_count = 2;
    } else {
        int step = add_like(m, x, s->dims);
        v.kind = chance(m, 0.7) ? ADD : MULTIPLY;
        v.in[0] = state, v.in[1] = step, v.in_count = 2;
    }
    memcpy(v.name, m->values[state].name, sizeof v.name);
    int u = add_value(m, v, m->values[state].dims, -1);
    m->values[u].state = state;
    m->values[state].update = u;
    return u;
}

static void add_loss(Model *m, int v)
{
    Dims d = stacked_dims(m, v);
    Loss l = { .mse = true, .value = v, .other = -1, .weight = chance(m, 0.5) ? 1 : 0.25 * from_to(m, 1, 9) };
    m->values[v].read = true;
    if ((d.rank == 1 || d.rank == 2) && d.dim[d.rank - 1] > 1 && chance(m, 0.6)) {
        l.mse = false;
        l.classes = d.dim[d.rank - 1];
        l.epsilon = ONE_OF(m, 0, 1) ? 1e-3 : 0;
    }
    m->losses[m->loss_count++] = l;
}

void random_model(Model *m, Kind focus, uint64_t seed, int batch)
{
    *m = (Model){ .seed = seed, .random = seed * 77 + (uint64_t)focus, .batch = batch, .steps = 1 };
    Value x = { .kind = INPUT, .name = "x" }, image = { .kind = INPUT, .name = "image", .u8 = true }, flat = { .kind = INPUT, .name = "flat" };
    add_value(m, x, (Dims){ 3, { ONE_OF(m, 1, 1, 2, 3, 5), from_to(m, 4, 11), from_to(m, 4, 11) } }, -1);
    add_value(m, image, (Dims){ 3, { ONE_OF(m, 1, 1, 2, 3), from_to(m, 5, 13), from_to(m, 5, 13) } }, -1);
    add_value(m, flat, (Dims){ 1, { many(m) } }, -1);
    if (focus == NET || focus == BATCH_NORM)
        add_nets(m);
    for (int k = 0; focus == BATCH_NORM && k < m->net_count; k++) {
        Dims d = m->nets[k].layers[0].dims;
        m->nets[k].layers[1] = norm_layer(m);
        m->nets[k].layers[1].dims = d;
    }

    int outside = add_focus(m, focus, below(&m->random, 3));
    if (chance(m, 0.8)) {
        int vector = add_dense(m, outside, many(m));
        m->steps = from_to(m, 1, STEPS);
        m->body = m->count;
        int states[2], updates[2], count = focus == STATE ? 2 : 1;
        for (int k = 0; k < count; k++)
            states[k] = add_state(m, k, focus == STATE ? k : chance(m, 0.6), chance(m, 0.5) ? vector : outside);
        int hoisted = add_focus(m, focus, chance(m, 0.5) ? outside : below(&m->random, 3));
        int core = add_focus(m, focus, states[0]);
        if (chance(m, 0.5)) {
            Value join = { .kind = CONCAT, .in = { add_dense(m, core, 5), add_dense(m, hoisted, 3) }, .in_count = 2 };
            core = add_value(m, join, (Dims){ 1, { 8 } }, -1);
        }
        for (int k = 0; k < count; k++)
            updates[k] = add_update(m, states[k], k ? updates[0] : core);
        int after = add_focus(m, focus, updates[count - 1]);
        if (chance(m, 0.4))
            add_dense(m, after, many(m));
        m->body_end = m->count;
        int made = ONE_OF(m, after, core, updates[0], hoisted);
        Dims d = m->values[made].dims;
        if (chance(m, 0.6)) {
            int last = add_value(m, (Value){ .kind = LAST }, d, made);
            add_dense(m, last, many(m));
        }
        if (chance(m, 0.5)) {
            int t = below(&m->random, m->steps);
            add_focus(m, focus, add_value(m, (Value){ .kind = SLICE, .from = t, .to = t + 1, .drop = true }, d, made));
        }
        if (chance(m, 0.4))
            add_value(m, (Value){ .kind = CURVE, .curve = TANH }, stacked_dims(m, updates[0]), updates[0]);
        if (chance(m, 0.3))
            add_dense(m, after, many(m));      /* of all steps together */
    }
    for (int v = 0, all = m->count; v < all; v++)
        if (!m->values[v].read && m->values[v].kind != INPUT && m->loss_count < LOSSES)
            add_loss(m, v);
    if (chance(m, 0.3)) {                      /* two values of the flow, each with a gradient */
        int a = m->losses[0].value, b = a;
        for (int v = 3; v < m->count; v++)
            if (m->values[v].kind != STATE && dims_size(stacked_dims(m, v)) == dims_size(stacked_dims(m, a)) && stacked_dims(m, v).rank == stacked_dims(m, a).rank
                && !memcmp(stacked_dims(m, v).dim, stacked_dims(m, a).dim, sizeof(int) * (size_t)stacked_dims(m, a).rank) && m->values[v].inside == m->values[a].inside)
                b = v;
        if (b != a && m->loss_count < LOSSES)
            m->losses[m->loss_count++] = (Loss){ .mse = true, .value = a, .other = b, .weight = 0.5 };
    }
}

/* ---- as YAML ------------------------------------------------------------------------------------------------------------ */

static const char *const curve_names[] = { "linear", "relu", "tanh", "sigmoid" }, *const edge_names[] = { "zero", "clamp", "legacy" };
static const char *const kind_names[] = { "", "conv", "maxpool", "dense", "", "dropout", "add", "multiply", "concat", "slice", "reshape",
                                          "flatten", "gru", "spn", "last", "batch_norm" };

static const char *kind_name(const Value *v) { return v->kind == CURVE ? curve_names[v->curve] : kind_names[v->kind]; }

static void put_dims(FILE *out, Dims d)
{
    for (int i = 0; i < d.rank; i++)
        fprintf(out, "%s%d", i ? ", " : "[", d.dim[i]);
    fputc(']', out);
}

/* A pair as one number where it is one, so that both spellings are met. */
static void put_pair(FILE *out, const char *name, const int pair[2])
{
    if (pair[0] == pair[1])
        fprintf(out, ", %s: %d", name, pair[0]);
    else
        fprintf(out, ", %s: [%d, %d]", name, pair[0], pair[1]);
}

/* A convolution's window; of a line one number for each attribute, and only one pair of zeros. */
static void put_window(const Value *v, FILE *out)
{
    const Window *w = &v->window;
    bool line = v->dims.rank == 2;
    if (line) {
        fprintf(out, ", kernel: %d, stride: %d, dilation: %d, padding: [[%d, %d]]", v->size[1], w->stride[1], w->dilation[1], w->before[1], w->after[1]);
    } else {
        put_pair(out, "kernel", v->size), put_pair(out, "stride", w->stride);
        if (w->dilation[0] > 1 || w->dilation[1] > 1)
            put_pair(out, "dilation", w->dilation);
        if (w->before[0] == w->after[0] && w->before[1] == w->after[1])
            put_pair(out, "padding", w->before);
        else
            fprintf(out, ", padding: [[%d, %d], [%d, %d]]", w->before[0], w->after[0], w->before[1], w->after[1]);
    }
    if (w->groups > 1)
        fprintf(out, ", groups: %d", w->groups);
}

/* The attributes, each after a comma. */
static void put_attributes(const Value *v, FILE *out)
{
    switch (v->kind) {
    case CONV:
        fprintf(out, ", filters: %d", v->dims.dim[0]);
        put_window(v, out);
        break;
    case MAXPOOL:
        put_pair(out, "size", v->size);
        if (v->size[0] != v->stride[0] || v->size[1] != v->stride[1])
            put_pair(out, "stride", v->stride);
        break;
    case DENSE:
        fprintf(out, ", units: %d%s", v->dims.dim[0], v->pose ? ", init: identity_affine" : "");
        break;
    case DROPOUT:
        fprintf(out, ", rate: %.1f, ramp: %d%s", v->rate, v->ramp, v->channels ? ", over: channels" : "");
        break;
    case CONCAT:
        fprintf(out, ", axis: %d", v->axis);
        break;
    case SLICE:
        fprintf(out, v->drop ? ", axis: %d, index: %d" : ", axis: %d, from: %d, to: %d", v->axis, v->from, v->to);
        break;
    case RESHAPE:
        fputs(", shape: ", out), put_dims(out, v->dims);
        break;
    case GRU:
        if (v->state < 0)
            fprintf(out, ", units: %d, bias_hh: %s", v->dims.dim[0], v->bias_hh ? "true" : "false");
        break;
    case SPN:
        if (v->rate > 0)
            fprintf(out, ", downsample: %.0f", v->rate);
        else
            put_pair(out, "size", v->size);
        fprintf(out, ", border: %s", edge_names[v->edge]);
        break;
    default:
        break;
    }
    if (v->openblas && (v->kind == DENSE || v->state < 0))
        fputs(", gemm: openblas", out);
    if (v->kind == BATCH_NORM && !v->bias)
        fputs(", affine: false", out);
    if (v->kind == BATCH_NORM && v->rate > 0)
        fprintf(out, ", epsilon: %g", v->rate);
    if (v->kind == CONV || v->kind == DENSE || v->kind == BATCH_NORM) {
        if (v->curve != LINEAR)
            fprintf(out, ", act: %s", curve_names[v->curve]);
        if (!v->bias && v->kind != BATCH_NORM)
            fputs(", bias: false", out);
    }
}

static void put_value(const Model *m, int k, FILE *out)
{
    const Value *v = &m->values[k];
    if (v->kind == INPUT || v->kind == STATE)
        return;
    fprintf(out, "%s- %s: { ", v->inside ? "      " : "  ", v->name);
    if (v->kind == NET)
        fprintf(out, "net%d: ", v->net);
    else
        fprintf(out, "%s: ", kind_name(v));
    for (int i = 0; i < v->in_count; i++)
        fprintf(out, "%s%s", i ? ", " : v->in_count > 1 ? "[" : "", m->values[v->in[i]].name);
    if (v->in_count > 1)
        fputc(']', out);
    put_attributes(v, out);
    fputs(" }\n", out);
}

static void put_net(const Model *m, int k, FILE *out)
{
    fprintf(out, "  net%d:\n", k);
    for (int i = 0; i < m->nets[k].count; i++) {
        const Value *v = &m->nets[k].layers[i];
        char *text = NULL;
        size_t size;
        FILE *attributes = open_memstream(&text, &size);
        put_attributes(v, attributes);
        if (v->name[0])
            fprintf(attributes, ", name: %s", v->name);
        fclose(attributes);
        fprintf(out, size ? "    - %s: { %s }\n" : "    - %s\n", kind_name(v), size ? text + 2 : "");
        free(text);
    }
}

static void put_states(const Model *m, FILE *out)
{
    fputs("    carry:\n", out);
    for (int k = m->body; k < m->body_end; k++) {
        const Value *v = &m->values[k];
        if (v->kind != STATE)
            continue;
        fprintf(out, v->gru ? "      %s: { gru: { units: %d, bias_hh: %s, " : "      %s: { shape: ", v->name, v->dims.dim[0],
                v->bias_hh ? "true" : "false");
        if (!v->gru)
            put_dims(out, v->dims), fputs(", ", out);
        fprintf(out, "%sinit: %s }%s\n", v->openblas ? "gemm: openblas, " : "", v->start_trained ? "trained" : v->start < 0 ? "zeros" : m->values[v->start].name, v->gru ? " }" : "");
    }
}

void model_openblas(Model *m)
{
    for (int k = 0; k < m->count; k++)
        m->values[k].openblas = m->values[k].kind == DENSE || m->values[k].kind == GRU || (m->values[k].kind == STATE && m->values[k].gru);
    for (int i = 0; i < m->net_count; i++)
        for (int k = 0; k < m->nets[i].count; k++)
            m->nets[i].layers[k].openblas = m->nets[i].layers[k].kind == DENSE;
}

void model_yaml(const Model *m, FILE *out)
{
    fprintf(out, "model: random\nbatch: %d\ninputs:\n", m->batch);
    for (int k = 0; k < 3; k++) {
        fprintf(out, "  %s: { shape: ", m->values[k].name);
        put_dims(out, m->values[k].dims);
        fputs(m->values[k].u8 ? ", dtype: u8 }\n" : " }\n", out);
    }
    fputs("targets:\n", out);
    for (int i = 0; i < m->loss_count; i++) {
        const Loss *l = &m->losses[i];
        Dims d = stacked_dims(m, l->value);
        if (l->mse && l->other < 0)
            fprintf(out, "  t%d: { shape: ", i), put_dims(out, d), fputs(" }\n", out);
        else if (!l->mse && d.rank == 2)
            fprintf(out, "  t%d: { length: %d, classes: %d }\n", i, d.dim[0], l->classes);
        else if (!l->mse)
            fprintf(out, "  t%d: { classes: %d }\n", i, l->classes);
    }
    if (m->net_count)
        fputs("nets:\n", out);
    for (int k = 0; k < m->net_count; k++)
        put_net(m, k, out);
    fputs("flow:\n", out);
    for (int k = 0; k < m->count; k++) {
        if (m->body && k == m->body) {
            fprintf(out, "  - repeat: %d\n", m->steps);
            put_states(m, out);
            fputs("    do:\n", out);
        }
        put_value(m, k, out);
    }
    fputs("loss:\n", out);
    for (int i = 0; i < m->loss_count; i++) {
        const Loss *l = &m->losses[i];
        char target[16];
        snprintf(target, sizeof target, "t%d", i);
        fprintf(out, "  - { %s: [%s, %s]", l->mse ? "mse" : "cross_entropy", m->values[l->value].name, l->other < 0 ? target : m->values[l->other].name);
        if (l->epsilon > 0)
            fprintf(out, ", epsilon: %g", l->epsilon);
        fprintf(out, ", weight: %g }\n", l->weight);
    }
    fputs("train:\n  optimiser: { sgd: { rate: 0.01, momentum: 0.9 } }\n  epochs: 1\n", out);
}

/* ---- as a run of the reference -------------------------------------------------------------------------------------------- */

static int parameter(Run *r, const char *prefix, const char *what, Dims d)
{
    char name[80];
    snprintf(name, sizeof name, "%s.%s", prefix, what);
    return r->parameter(r, name, d);
}

static int layer(Run *r, const Value *v, const char *prefix, int x)
{
    Tape *t = &r->tape;
    Dims dx = t->nodes[x].dims;
    int units = v->dims.dim[0], y = x;
    switch (v->kind) {
    case CONV: {
        Dims dw = { dx.rank + 1, { units, dx.dim[0] / v->window.groups, v->size[0], v->size[1] } };
        if (dx.rank == 2)
            dw.dim[2] = v->size[1];
        int w = parameter(r, prefix, "weight", dw);
        y = tape_conv(t, x, w, v->bias ? parameter(r, prefix, "bias", (Dims){ 1, { units } }) : -1, &v->window);
        return tape_curve(t, y, v->curve);
    }
    case DENSE: {
        int w = parameter(r, prefix, "weight", (Dims){ 2, { units, t->nodes[x].size } });
        y = tape_dense(t, x, w, v->bias ? parameter(r, prefix, "bias", (Dims){ 1, { units } }) : -1);
        return tape_curve(t, y, v->curve);
    }
    case BATCH_NORM: {
        Dims channels = { 1, { dx.dim[0] } };
        int mean = r->running(r, prefix, channels, "running_mean"), variance = r->running(r, prefix, channels, "running_var");
        int w = v->bias ? parameter(r, prefix, "weight", channels) : -1, b = v->bias ? parameter(r, prefix, "bias", channels) : -1;
        return tape_curve(t, tape_batch_norm(t, x, w, b, mean, variance, v->rate > 0 ? v->rate : 1e-5), v->curve);
    }
    case MAXPOOL:
        return tape_maxpool(t, x, v->size, v->stride);
    case CURVE:
        return tape_curve(t, x, v->curve);
    case RESHAPE: case FLATTEN:
        return tape_reshape(t, x, v->dims);
    default:
        abort();
    }
}

/* Value k as an entry inside of the repeat at step t, or outside of it, reads it. */
static int reads(const Model *m, Run *r, int k, int t, bool inside)
{
    if (inside || !m->values[k].inside)
        return r->node[k][m->values[k].inside ? t : 0];
    if (r->stacked[k] < 0)
        r->stacked[k] = tape_stack(&r->tape, r->node[k], m->steps);
    return r->stacked[k];
}

static int state_at(const Model *m, Run *r, const Value *v, int t)
{
    double *zero = calloc((size_t)dims_size(v->dims), sizeof *zero);
    int y;
    if (t)
        y = r->node[v->update][t - 1];
    else if (v->start >= 0)
        y = r->node[v->start][0];
    else
        y = v->start_trained ? parameter(r, v->name, "init", v->dims) : tape_leaf(&r->tape, v->dims, true, zero);
    free(zero);
    (void)m;
    return y;
}

static int evaluate(const Model *m, Run *r, int k, int step)
{
    const Value *v = &m->values[k];
    Tape *t = &r->tape;
    int in[4] = { 0 };
    for (int i = 0; i < v->in_count; i++)
        in[i] = v->kind == LAST ? r->node[v->in[i]][m->steps - 1] : reads(m, r, v->in[i], step, v->inside);
    switch (v->kind) {
    case INPUT:
        return tape_leaf(t, v->dims, false, r->inputs[k]);
    case STATE:
        return state_at(m, r, v, step);
    case LAST:
        return in[0];
    case DROPOUT: {
        int mask = r->mask(r, k, step);
        return mask < 0 ? in[0] : tape_multiply(t, (int[]){ in[0], mask }, 2);
    }
    case ADD:
        return tape_add(t, in, v->in_count);
    case MULTIPLY:
        return tape_multiply(t, in, v->in_count);
    case CONCAT:
        return tape_concat(t, in, v->in_count, v->axis);
    case SLICE:
        return tape_slice(t, in[0], v->axis, v->from, v->to, v->drop);
    case SPN:
        return tape_spn(t, in[0], in[1], v->size[0], v->size[1], v->edge);
    case GRU: {
        int H = v->dims.dim[0];
        int ih = parameter(r, v->name, "weight_ih", (Dims){ 2, { 3 * H, t->nodes[in[0]].size } });
        int hh = parameter(r, v->name, "weight_hh", (Dims){ 2, { 3 * H, H } }), bias = parameter(r, v->name, "bias_ih", (Dims){ 1, { 3 * H } });
        return tape_gru(t, in[0], in[1], ih, hh, bias, v->bias_hh ? parameter(r, v->name, "bias_hh", (Dims){ 1, { 3 * H } }) : -1);
    }
    case NET: {
        const LayerList *l = &m->nets[v->net];
        int counted[KINDS] = { 0 }, y = in[0];
        for (int i = 0; i < l->count; i++) {
            char prefix[64];
            int number = ++counted[l->layers[i].kind];
            if (l->layers[i].name[0])
                snprintf(prefix, sizeof prefix, "net%d.%s", v->net, l->layers[i].name);
            else
                snprintf(prefix, sizeof prefix, "net%d.%s%d", v->net, kind_name(&l->layers[i]), number);
            y = layer(r, &l->layers[i], prefix, y);
        }
        return y;
    }
    default:
        return layer(r, v, v->name, in[0]);
    }
}

void model_run(const Model *m, Run *r, int examples)
{
    r->tape = tape_new(examples);
    memset(r->stacked, -1, sizeof r->stacked);
    for (int k = 0; k < m->count; k++) {
        if (k < m->body || !m->body || k >= m->body_end)
            r->node[k][0] = evaluate(m, r, k, 0);
        else if (k == m->body)
            for (int t = 0; t < m->steps; t++)
                for (int i = m->body; i < m->body_end; i++)
                    r->node[i][t] = evaluate(m, r, i, t);
    }
    int terms[LOSSES];
    for (int i = 0; i < m->loss_count; i++) {
        const Loss *l = &m->losses[i];
        int a = reads(m, r, l->value, 0, false);
        if (!l->mse)
            terms[i] = tape_cross_entropy(&r->tape, a, r->targets[i], l->epsilon, l->weight);
        else
            terms[i] = tape_mse(&r->tape, a, l->other < 0 ? tape_leaf(&r->tape, stacked_dims(m, l->value), false, r->targets[i])
                                                          : reads(m, r, l->other, 0, false), l->weight);
    }
    r->loss = tape_total(&r->tape, terms, m->loss_count);
}
