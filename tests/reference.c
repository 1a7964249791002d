/* reference.c -- see reference.h.  Every operator is its equation in docs/language.md, one element after the other; its gradient
 * is written beside it.  A node holds its inputs' numbers, not pointers, because the list of nodes moves when it grows. */
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEED(condition) ((condition) ? (void)0 : (fprintf(stderr, "reference.c:%d: not " #condition "\n", __LINE__), abort()))

static void *zeros(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    NEED(p);
    return p;
}

int dims_size(Dims d)
{
    int n = 1;
    for (int i = 0; i < d.rank; i++)
        n *= d.dim[i];
    return n;
}

Tape tape_new(int examples) { return (Tape){ .examples = examples }; }

void tape_free(Tape *t)
{
    for (int i = 0; i < t->count; i++)
        free(t->nodes[i].v), free(t->nodes[i].g), free(t->nodes[i].chosen);
    free(t->nodes);
    *t = (Tape){ 0 };
}

/* A new node for one result; inputs of -1 are left out of the gradient.  Pointers to nodes are good until the next call. */
static Node *node(Tape *t, Dims dims, bool shared, const int *in, int count, void (*back)(Node *, const Node *, int))
{
    if (t->count == t->room)
        NEED(t->nodes = realloc(t->nodes, (size_t)(t->room = 2 * t->room + 64) * sizeof *t->nodes));
    Node *y = &t->nodes[t->count++];
    *y = (Node){ .dims = dims, .size = dims_size(dims), .shared = shared, .in_count = count, .back = back };
    NEED(count <= 32);
    for (int i = 0; i < count; i++)
        y->in[i] = in[i];
    size_t all = (size_t)y->size * (size_t)(shared ? 1 : t->examples);
    y->v = zeros(all, sizeof(double)), y->g = zeros(all, sizeof(double));
    return y;
}

/* Example n's part of a node's values or gradients. */
static double *val(const Node *x, int n) { return x->v + (x->shared ? 0 : (size_t)n * (size_t)x->size); }
static double *grd(const Node *x, int n) { return x->g + (x->shared ? 0 : (size_t)n * (size_t)x->size); }

void tape_backward(Tape *t, int loss)
{
    for (int i = 0; i < t->count; i++) {
        Node *x = &t->nodes[i];
        memset(x->g, 0, (size_t)x->size * (size_t)(x->shared ? 1 : t->examples) * sizeof(double));
    }
    NEED(t->nodes[loss].size == 1 && t->nodes[loss].shared);
    *t->nodes[loss].g = 1;
    for (int i = t->count - 1; i >= 0; i--)
        if (t->nodes[i].back)
            t->nodes[i].back(t->nodes, &t->nodes[i], t->examples);
}

int tape_leaf(Tape *t, Dims dims, bool shared, const double *data)
{
    Node *y = node(t, dims, shared, NULL, 0, NULL);
    memcpy(y->v, data, (size_t)y->size * (size_t)(shared ? 1 : t->examples) * sizeof(double));
    return t->count - 1;
}

/* ---- conv, maxpool, dense ----------------------------------------------------------------------------------------- */

/* Rows and columns of a map, of one row if it is [C, T]; of a weight's window likewise. */
static int rows_of(Dims d, int line) { return d.rank == line ? 1 : d.dim[line - 1]; }
static int columns_of(Dims d) { return d.dim[d.rank - 1]; }

/* Every product of a convolution, forwards (back false) and backwards: the loops are the same. */
static void conv_all(const Node *nodes, const Node *y, int examples, bool back)
{
    const Node *x = &nodes[y->in[0]], *w = &nodes[y->in[1]], *b = y->in_count > 2 ? &nodes[y->in[2]] : NULL;
    int C = w->dims.dim[1], H = rows_of(x->dims, 2), W = columns_of(x->dims), kh = rows_of(w->dims, 3), kw = columns_of(w->dims);
    int F = y->dims.dim[0], Ho = rows_of(y->dims, 2), Wo = columns_of(y->dims);
    for (int n = 0; n < examples; n++)
        for (int f = 0; f < F; f++)
            for (int i = 0; i < Ho; i++)
                for (int j = 0; j < Wo; j++) {
                    int o = (f * Ho + i) * Wo + j, first = f / (F / y->at[6]) * C;
                    if (b && back)
                        b->g[f] += grd(y, n)[o];
                    else if (b)
                        val(y, n)[o] += b->v[f];
                    for (int c = 0; c < C; c++)
                        for (int u = 0; u < kh; u++)
                            for (int v = 0; v < kw; v++) {
                                int r = i * y->at[0] + u * y->at[4] - y->at[2], s = j * y->at[1] + v * y->at[5] - y->at[3];
                                if (r < 0 || r >= H || s < 0 || s >= W)
                                    continue;
                                int p = ((first + c) * H + r) * W + s, q = ((f * C + c) * kh + u) * kw + v;
                                if (back) {
                                    grd(x, n)[p] += grd(y, n)[o] * w->v[q];
                                    w->g[q] += grd(y, n)[o] * val(x, n)[p];
                                } else {
                                    val(y, n)[o] += val(x, n)[p] * w->v[q];
                                }
                            }
                }
}

static void conv_back(Node *nodes, const Node *y, int examples) { conv_all(nodes, y, examples, true); }

int tape_conv(Tape *t, int x, int w, int bias, const Window *window)
{
    Dims dx = t->nodes[x].dims, dw = t->nodes[w].dims, d = { dx.rank, { dw.dim[0] } };
    NEED(dw.rank == dx.rank + 1 && dw.dim[1] * window->groups == dx.dim[0] && dw.dim[0] / window->groups * window->groups == dw.dim[0]);
    for (int k = 3 - dx.rank; k < 2; k++) {
        int at = k + dx.rank - 2;
        d.dim[at] = (dx.dim[at] + window->before[k] + window->after[k] - window->dilation[k] * (dw.dim[at + 1] - 1) - 1) / window->stride[k] + 1;
    }
    Node *y = node(t, d, false, (int[]){ x, w, bias }, bias < 0 ? 2 : 3, conv_back);
    for (int k = 3 - dx.rank; k < 2; k++)
        y->at[k] = window->stride[k], y->at[k + 2] = window->before[k], y->at[k + 4] = window->dilation[k];
    y->at[6] = window->groups;
    conv_all(t->nodes, y, t->examples, false);
    return t->count - 1;
}

static void maxpool_back(Node *nodes, const Node *y, int examples)
{
    const Node *x = &nodes[y->in[0]];
    for (int n = 0; n < examples; n++)
        for (int o = 0; o < y->size; o++)
            grd(x, n)[y->chosen[n * y->size + o]] += grd(y, n)[o];
}

int tape_maxpool(Tape *t, int x, const int size[2], const int stride[2])
{
    Dims dx = t->nodes[x].dims, d = { 3, { dx.dim[0] } };
    NEED(dx.rank == 3);
    for (int k = 0; k < 2; k++)
        d.dim[k + 1] = (dx.dim[k + 1] - size[k]) / stride[k] + 1;
    Node *y = node(t, d, false, &x, 1, maxpool_back);
    const Node *in = &t->nodes[x];
    y->chosen = zeros((size_t)y->size * (size_t)t->examples, sizeof(int));
    for (int n = 0; n < t->examples; n++)
        for (int o = 0; o < y->size; o++) {
            int c = o / (d.dim[1] * d.dim[2]), i = o / d.dim[2] % d.dim[1] * stride[0], j = o % d.dim[2] * stride[1], best = -1;
            for (int u = 0; u < size[0]; u++)
                for (int v = 0; v < size[1]; v++) {
                    int p = (c * dx.dim[1] + i + u) * dx.dim[2] + j + v;
                    if (best < 0 || val(in, n)[p] > val(in, n)[best])
                        best = p;
                }
            y->chosen[n * y->size + o] = best;
            val(y, n)[o] = val(in, n)[best];
        }
    return t->count - 1;
}

/* Mean of a[n][c][i] b[n][c][i] over examples n and positions i of channel c; b NULL: 1. */
static double channel_mean(const Node *x, const double *a, const double *b, int c, int examples)
{
    const int P = x->size / x->dims.dim[0];
    double sum = 0;
    for (int n = 0; n < examples; n++)
        for (int i = 0; i < P; i++) {
            const int at = n * x->size + c * P + i;
            sum += a[at] * (b ? b[at] : 1);
        }
    return sum / ((double)examples * P);
}

/* at: whether there are w and b; whether mean and variance are given, and their nodes; factor: epsilon. */
static void batch_norm_back(Node *nodes, const Node *y, int examples)
{
    const Node *x = &nodes[y->in[0]], *w = y->at[0] ? &nodes[y->in[1]] : NULL, *b = w ? &nodes[y->in[2]] : NULL;
    const int P = x->size / x->dims.dim[0];
    double *xhat = zeros((size_t)x->size * (size_t)examples, sizeof(double));
    for (int c = 0; c < x->dims.dim[0]; c++) {
        double mean = y->at[1] ? nodes[y->at[2]].v[c] : channel_mean(x, x->v, NULL, c, examples), inverse = 0;
        for (int n = 0; n < examples; n++)
            for (int i = c * P; i < (c + 1) * P; i++)
                inverse += (val(x, n)[i] - mean) * (val(x, n)[i] - mean) / ((double)examples * P);
        inverse = 1 / sqrt((y->at[1] ? nodes[y->at[3]].v[c] : inverse) + y->factor);
        for (int n = 0; n < examples; n++)
            for (int i = c * P; i < (c + 1) * P; i++)
                xhat[n * x->size + i] = (val(x, n)[i] - mean) * inverse;
        double of_one = channel_mean(x, y->g, NULL, c, examples), of_xhat = channel_mean(x, y->g, xhat, c, examples);
        if (w)
            w->g[c] += of_xhat * examples * P, b->g[c] += of_one * examples * P;
        for (int n = 0; n < examples; n++)
            for (int i = c * P; i < (c + 1) * P; i++)
                grd(x, n)[i] += (w ? w->v[c] : 1) * inverse * (grd(y, n)[i] - (y->at[1] ? 0 : of_one + xhat[n * x->size + i] * of_xhat));
    }
    free(xhat);
}

int tape_batch_norm(Tape *t, int x, int w, int b, int mean, int variance, double epsilon)
{
    Node *y = node(t, t->nodes[x].dims, false, (int[]){ x, w, b }, w < 0 ? 1 : 3, batch_norm_back);
    const Node *in = &t->nodes[x];
    const int P = in->size / in->dims.dim[0];
    y->factor = epsilon;
    y->at[0] = w >= 0, y->at[1] = mean >= 0, y->at[2] = mean, y->at[3] = variance;
    for (int c = 0; c < in->dims.dim[0]; c++) {
        double m = mean >= 0 ? t->nodes[mean].v[c] : channel_mean(in, in->v, NULL, c, t->examples), s = 0;
        for (int n = 0; n < t->examples; n++)
            for (int i = c * P; i < (c + 1) * P; i++)
                s += (val(in, n)[i] - m) * (val(in, n)[i] - m) / ((double)t->examples * P);
        s = sqrt((mean >= 0 ? t->nodes[variance].v[c] : s) + epsilon);
        for (int n = 0; n < t->examples; n++)
            for (int i = c * P; i < (c + 1) * P; i++)
                val(y, n)[i] = (val(in, n)[i] - m) / s * (w < 0 ? 1 : t->nodes[w].v[c]) + (b < 0 ? 0 : t->nodes[b].v[c]);
    }
    return t->count - 1;
}

static void dense_back(Node *nodes, const Node *y, int examples)
{
    const Node *x = &nodes[y->in[0]], *w = &nodes[y->in[1]];
    for (int n = 0; n < examples; n++)
        for (int o = 0; o < y->size; o++) {
            double dy = grd(y, n)[o];
            if (y->in_count > 2)
                nodes[y->in[2]].g[o] += dy;
            for (int i = 0; i < x->size; i++) {
                grd(x, n)[i] += dy * w->v[o * x->size + i];
                w->g[o * x->size + i] += dy * val(x, n)[i];
            }
        }
}

int tape_dense(Tape *t, int x, int w, int bias)
{
    Dims dw = t->nodes[w].dims;
    NEED(dw.rank == 2 && dw.dim[1] == t->nodes[x].size);
    Node *y = node(t, (Dims){ 1, { dw.dim[0] } }, false, (int[]){ x, w, bias }, bias < 0 ? 2 : 3, dense_back);
    const Node *in = &t->nodes[x], *W = &t->nodes[w];
    for (int n = 0; n < t->examples; n++)
        for (int o = 0; o < y->size; o++) {
            double sum = bias < 0 ? 0 : t->nodes[bias].v[o];
            for (int i = 0; i < in->size; i++)
                sum += W->v[o * in->size + i] * val(in, n)[i];
            val(y, n)[o] = sum;
        }
    return t->count - 1;
}

/* ---- one element at a time ------------------------------------------------------------------------------------------ */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static void curve_back(Node *nodes, const Node *y, int examples)
{
    const Node *x = &nodes[y->in[0]];
    for (int n = 0; n < examples; n++)
        for (int i = 0; i < y->size; i++) {
            double v = val(y, n)[i];
            double slope = y->at[0] == RELU ? v > 0 : y->at[0] == TANH ? 1 - v * v : y->at[0] == SIGMOID ? v * (1 - v) : 1;
            grd(x, n)[i] += slope * grd(y, n)[i];
        }
}

int tape_curve(Tape *t, int x, Curve curve)
{
    Node *y = node(t, t->nodes[x].dims, false, &x, 1, curve_back);
    y->at[0] = curve;
    for (int n = 0; n < t->examples; n++)
        for (int i = 0; i < y->size; i++) {
            double v = val(&t->nodes[x], n)[i];
            val(y, n)[i] = curve == RELU ? (v > 0 ? v : 0) : curve == TANH ? tanh(v) : curve == SIGMOID ? sigmoid(v) : v;
        }
    return t->count - 1;
}

static void add_back(Node *nodes, const Node *y, int examples)
{
    for (int k = 0; k < y->in_count; k++)
        for (int n = 0; n < examples; n++)
            for (int i = 0; i < y->size; i++)
                grd(&nodes[y->in[k]], n)[i] += grd(y, n)[i];
}

int tape_add(Tape *t, const int *in, int count)
{
    Node *y = node(t, t->nodes[in[0]].dims, false, in, count, add_back);
    for (int k = 0; k < count; k++)
        for (int n = 0; n < t->examples; n++)
            for (int i = 0; i < y->size; i++)
                val(y, n)[i] += val(&t->nodes[in[k]], n)[i];
    return t->count - 1;
}

static void multiply_back(Node *nodes, const Node *y, int examples)
{
    for (int k = 0; k < y->in_count; k++)
        for (int n = 0; n < examples; n++)
            for (int i = 0; i < y->size; i++) {
                double others = 1;
                for (int j = 0; j < y->in_count; j++)
                    if (j != k)
                        others *= val(&nodes[y->in[j]], n)[i];
                grd(&nodes[y->in[k]], n)[i] += others * grd(y, n)[i];
            }
}

int tape_multiply(Tape *t, const int *in, int count)
{
    Node *y = node(t, t->nodes[in[0]].dims, false, in, count, multiply_back);
    for (int n = 0; n < t->examples; n++)
        for (int i = 0; i < y->size; i++) {
            val(y, n)[i] = 1;
            for (int k = 0; k < count; k++)
                val(y, n)[i] *= val(&t->nodes[in[k]], n)[i];
        }
    return t->count - 1;
}

/* ---- other places for the same numbers -------------------------------------------------------------------------------- */

/* y[outer][at..at+width] = x[outer][from..from+width] for a block of one input; sizes in elements. */
typedef struct { int outer, x_row, y_row, x_from, y_from, width; } Move;

static void move(const Node *x, const Node *y, int examples, Move m, bool back)
{
    for (int n = 0; n < examples; n++)
        for (int o = 0; o < m.outer; o++)
            for (int i = 0; i < m.width; i++) {
                int p = o * m.x_row + m.x_from + i, q = o * m.y_row + m.y_from + i;
                if (back)
                    grd(x, n)[p] += grd(y, n)[q];
                else
                    val(y, n)[q] = val(x, n)[p];
            }
}

static int product(Dims d, int from, int to)
{
    int n = 1;
    for (int i = from; i < to; i++)
        n *= d.dim[i];
    return n;
}

static void concat_all(const Node *nodes, const Node *y, int examples, bool back)
{
    int axis = y->at[0], inner = product(y->dims, axis + 1, y->dims.rank), outer = product(y->dims, 0, axis);
    for (int k = 0, done = 0; k < y->in_count; k++) {
        const Node *x = &nodes[y->in[k]];
        int row = x->size / outer;
        move(x, y, examples, (Move){ outer, row, y->dims.dim[axis] * inner, 0, done, row }, back);
        done += row;
    }
}

static void concat_back(Node *nodes, const Node *y, int examples) { concat_all(nodes, y, examples, true); }

int tape_concat(Tape *t, const int *in, int count, int axis)
{
    Dims d = t->nodes[in[0]].dims;
    for (int k = 1; k < count; k++)
        d.dim[axis] += t->nodes[in[k]].dims.dim[axis];
    Node *y = node(t, d, false, in, count, concat_back);
    y->at[0] = axis;
    concat_all(t->nodes, y, t->examples, false);
    return t->count - 1;
}

int tape_stack(Tape *t, const int *in, int count)
{
    Dims one = t->nodes[in[0]].dims, d = { one.rank + 1, { count } };
    memcpy(d.dim + 1, one.dim, (size_t)one.rank * sizeof(int));
    Node *y = node(t, d, false, in, count, concat_back);
    concat_all(t->nodes, y, t->examples, false);
    return t->count - 1;
}

static void slice_all(const Node *nodes, const Node *y, int examples, bool back)
{
    const Node *x = &nodes[y->in[0]];
    int axis = y->at[0], inner = product(x->dims, axis + 1, x->dims.rank), width = (y->at[2] - y->at[1]) * inner;
    move(x, y, examples, (Move){ product(x->dims, 0, axis), x->dims.dim[axis] * inner, width, y->at[1] * inner, 0, width }, back);
}

static void slice_back(Node *nodes, const Node *y, int examples) { slice_all(nodes, y, examples, true); }

int tape_slice(Tape *t, int x, int axis, int from, int to, bool drop)
{
    Dims d = t->nodes[x].dims;
    d.dim[axis] = to - from;
    if (drop) {
        NEED(to == from + 1);
        for (int i = axis; i + 1 < d.rank; i++)
            d.dim[i] = d.dim[i + 1];
        d.rank--;
    }
    Node *y = node(t, d, false, &x, 1, slice_back);
    y->at[0] = axis, y->at[1] = from, y->at[2] = to;
    slice_all(t->nodes, y, t->examples, false);
    return t->count - 1;
}

int tape_reshape(Tape *t, int x, Dims dims)
{
    Node *y = node(t, dims, false, &x, 1, add_back);
    NEED(y->size == t->nodes[x].size);
    for (int n = 0; n < t->examples; n++)
        memcpy(val(y, n), val(&t->nodes[x], n), (size_t)y->size * sizeof(double));
    return t->count - 1;
}

/* ---- gru: made of the operators above ------------------------------------------------------------------------------------ */

static void affine_back(Node *nodes, const Node *y, int examples)
{
    for (int n = 0; n < examples; n++)
        for (int i = 0; i < y->size; i++)
            grd(&nodes[y->in[0]], n)[i] -= grd(y, n)[i];
}

static int one_minus(Tape *t, int x)
{
    Node *y = node(t, t->nodes[x].dims, false, &x, 1, affine_back);
    for (int n = 0; n < t->examples; n++)
        for (int i = 0; i < y->size; i++)
            val(y, n)[i] = 1 - val(&t->nodes[x], n)[i];
    return t->count - 1;
}

int tape_gru(Tape *t, int x, int h, int weight_ih, int weight_hh, int bias_ih, int bias_hh)
{
    int H = t->nodes[h].size, xw = tape_dense(t, x, weight_ih, bias_ih), hw = tape_dense(t, h, weight_hh, bias_hh);
    int of_x[3], of_h[3];
    for (int k = 0; k < 3; k++)
        of_x[k] = tape_slice(t, xw, 0, k * H, (k + 1) * H, false), of_h[k] = tape_slice(t, hw, 0, k * H, (k + 1) * H, false);
    int r = tape_curve(t, tape_add(t, (int[]){ of_x[0], of_h[0] }, 2), SIGMOID);
    int z = tape_curve(t, tape_add(t, (int[]){ of_x[1], of_h[1] }, 2), SIGMOID);
    int gated = tape_multiply(t, (int[]){ r, of_h[2] }, 2);
    int new = tape_curve(t, tape_add(t, (int[]){ of_x[2], gated }, 2), TANH);
    int fresh = tape_multiply(t, (int[]){ one_minus(t, z), new }, 2);
    return tape_add(t, (int[]){ fresh, tape_multiply(t, (int[]){ z, h }, 2) }, 2);
}

/* ---- spn ------------------------------------------------------------------------------------------------------------- */

static double clip(double x, double most) { return x < 0 ? 0 : x > most ? most : x; }

/* One axis: sample position p of coordinate s, the two pixels, whether each is there, and dp / ds. */
typedef struct { double p, slope, pixel[2]; bool there[2]; } Axis;

static Axis axis(double s, int size, Edge edge)
{
    double scale = (edge == LEGACY ? size : size - 1) / 2.0, last = size - 1;
    Axis a = { .p = (s + 1) * scale, .slope = scale };
    if (edge == CLAMP && !(a.p > 0 && a.p < last))
        a.p = clip(a.p, last), a.slope = 0;
    for (int k = 0; k < 2; k++) {
        a.pixel[k] = floor(a.p) + k;
        a.there[k] = a.pixel[k] >= 0 && a.pixel[k] <= last;
        if (edge == LEGACY)                    /* both pixels are moved into the image, where the weights of equal ones cancel */
            a.pixel[k] = clip(a.pixel[k], last), a.there[k] = true;
    }
    return a;
}

static void spn_all(const Node *nodes, const Node *y, int examples, bool back)
{
    const Node *x = &nodes[y->in[0]], *A = &nodes[y->in[1]];
    int C = x->dims.dim[0], H = x->dims.dim[1], W = x->dims.dim[2], h = y->dims.dim[1], w = y->dims.dim[2];
    for (int n = 0; n < examples; n++)
        for (int i = 0; i < h; i++)
            for (int j = 0; j < w; j++) {
                const double *a = val(A, n), g[3] = { w > 1 ? -1 + 2.0 * j / (w - 1) : -1, h > 1 ? -1 + 2.0 * i / (h - 1) : -1, 1 };
                Axis ax = axis(a[0] * g[0] + a[1] * g[1] + a[2], W, (Edge)y->at[0]);
                Axis ay = axis(a[3] * g[0] + a[4] * g[1] + a[5], H, (Edge)y->at[0]);
                for (int r = 0; r < 2; r++)
                    for (int s = 0; s < 2; s++) {
                        if (!ay.there[r] || !ax.there[s])
                            continue;
                        double wy = r ? ay.p - ay.pixel[0] : ay.pixel[1] - ay.p, wx = s ? ax.p - ax.pixel[0] : ax.pixel[1] - ax.p;
                        int pixel = (int)ay.pixel[r] * W + (int)ax.pixel[s];
                        for (int c = 0; c < C; c++) {
                            int p = c * H * W + pixel, o = (c * h + i) * w + j;
                            if (!back) {
                                val(y, n)[o] += wy * wx * val(x, n)[p];
                                continue;
                            }
                            double dy = grd(y, n)[o];
                            grd(x, n)[p] += wy * wx * dy;
                            for (int k = 0; k < 3; k++) {
                                grd(A, n)[k] += dy * val(x, n)[p] * wy * (s ? 1 : -1) * ax.slope * g[k];
                                grd(A, n)[3 + k] += dy * val(x, n)[p] * wx * (r ? 1 : -1) * ay.slope * g[k];
                            }
                        }
                    }
            }
}

static void spn_back(Node *nodes, const Node *y, int examples) { spn_all(nodes, y, examples, true); }

int tape_spn(Tape *t, int image, int transform, int rows, int columns, Edge edge)
{
    NEED(t->nodes[transform].size == 6 && t->nodes[image].dims.rank == 3);
    Node *y = node(t, (Dims){ 3, { t->nodes[image].dims.dim[0], rows, columns } }, false, (int[]){ image, transform }, 2, spn_back);
    y->at[0] = edge;
    spn_all(t->nodes, y, t->examples, false);
    return t->count - 1;
}

/* ---- losses ------------------------------------------------------------------------------------------------------------ */

static void cross_entropy_all(const Node *nodes, const Node *y, int examples, bool back)
{
    const Node *x = &nodes[y->in[0]];
    int K = x->dims.dim[x->dims.rank - 1], P = x->size / K;
    for (int n = 0; n < examples; n++)
        for (int p = 0; p < P; p++) {
            const double *v = val(x, n) + p * K, epsilon = y->factor, share = y->g[0] / ((double)examples * P);
            double largest = v[0], sum = 0;
            int label = y->chosen[n * P + p];
            for (int k = 0; k < K; k++)
                largest = fmax(largest, v[k]);
            for (int k = 0; k < K; k++)
                sum += exp(v[k] - largest);
            double right = exp(v[label] - largest) / sum;
            if (!back)
                y->v[0] -= log(right + epsilon) / ((double)examples * P);
            else
                for (int k = 0; k < K; k++)
                    grd(x, n)[p * K + k] += share * (exp(v[k] - largest) / sum - (k == label)) * right / (right + epsilon);
        }
}

static void cross_entropy_back(Node *nodes, const Node *y, int examples) { cross_entropy_all(nodes, y, examples, true); }

static void weigh_back(Node *nodes, const Node *y, int examples)
{
    (void)examples;
    nodes[y->in[0]].g[0] += y->factor * y->g[0];
}

static int weigh(Tape *t, int loss, double weight)
{
    Node *y = node(t, (Dims){ 0 }, true, &loss, 1, weigh_back);
    y->factor = weight;
    y->v[0] = weight * t->nodes[loss].v[0];
    return t->count - 1;
}

int tape_cross_entropy(Tape *t, int logits, const int *labels, double epsilon, double weight)
{
    Node *y = node(t, (Dims){ 0 }, true, &logits, 1, cross_entropy_back);
    Dims d = t->nodes[logits].dims;
    size_t count = (size_t)(t->nodes[logits].size / d.dim[d.rank - 1]) * (size_t)t->examples;
    y->factor = epsilon;
    y->chosen = zeros(count, sizeof(int));
    memcpy(y->chosen, labels, count * sizeof(int));
    cross_entropy_all(t->nodes, y, t->examples, false);
    return weigh(t, t->count - 1, weight);
}

static void mse_back(Node *nodes, const Node *y, int examples)
{
    const Node *a = &nodes[y->in[0]], *b = &nodes[y->in[1]];
    for (int n = 0; n < examples; n++)
        for (int i = 0; i < a->size; i++) {
            double d = 2 * (val(a, n)[i] - val(b, n)[i]) * y->g[0] / ((double)examples * a->size);
            grd(a, n)[i] += d, grd(b, n)[i] -= d;
        }
}

int tape_mse(Tape *t, int a, int b, double weight)
{
    Node *y = node(t, (Dims){ 0 }, true, (int[]){ a, b }, 2, mse_back);
    NEED(t->nodes[a].size == t->nodes[b].size);
    for (int n = 0; n < t->examples; n++)
        for (int i = 0; i < t->nodes[a].size; i++) {
            double d = val(&t->nodes[a], n)[i] - val(&t->nodes[b], n)[i];
            y->v[0] += d * d / ((double)t->examples * t->nodes[a].size);
        }
    return weigh(t, t->count - 1, weight);
}

static void total_back(Node *nodes, const Node *y, int examples)
{
    (void)examples;
    for (int k = 0; k < y->in_count; k++)
        nodes[y->in[k]].g[0] += y->g[0];
}

int tape_total(Tape *t, const int *losses, int count)
{
    Node *y = node(t, (Dims){ 0 }, true, losses, count, total_back);
    for (int k = 0; k < count; k++)
        y->v[0] += t->nodes[losses[k]].v[0];
    return t->count - 1;
}
