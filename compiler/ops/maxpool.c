/* maxpool.c -- the largest element of each window; what lies outside the input never wins.
 *
 *   y[c,i,j]  = max over kh,kw of x[c, i*s-p+kh, j*s-p+kw]      the first in row-major order wins a tie, a NaN wins always
 *   dx[at the winner] += dy[c,i,j]
 * Forward keeps the winner's index in the window for backward.  A value [C, T] is a map of one row, with windows of one row. */
#include "spnc.h"
#include <string.h>

static const AttrSpec attrs[] = {
    { "size", ATTR_PAIR, "2", 1, 255, NULL, "size of the window: n or [rows, columns]" },
    { "stride", ATTR_PAIR, "", 1, 1024, NULL, "step of the window; its size unless given" },
    { "padding", ATTR_PAIR, "", 0, 127, NULL, "places around the input that never win, at most half a window; none unless given" },
    { "ceil", ATTR_BOOL, "", 0, 1, NULL, "true keeps a last window that sticks out" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" },
    { 0 },
};

/* Windows along rows (0) and columns (1): sizes of the input, the window, its step and the padding. */
typedef struct Pool {
    bool flat;                      /* the input is [C, T] */
    int64_t input[2], size[2], stride[2], padding[2];
} Pool;

static Pool geometry(const Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape;
    Pool p = { .flat = x->rank == 2, .input = { x->rank == 2 ? 1 : x->dim[1], x->dim[x->rank - 1] } };
    op_pair(p.size, op, "size");
    memcpy(p.stride, p.size, sizeof p.stride);
    if (op_attr(op, "stride")->given)
        op_pair(p.stride, op, "stride");
    if (op_attr(op, "padding")->given)
        op_pair(p.padding, op, "padding");
    if (p.flat)
        p.size[0] = p.stride[0] = 1, p.padding[0] = 0;
    return p;
}

/* Windows along axis k.  With `ceil` a last one that sticks out counts if it begins inside the input or before it, as PyTorch has it. */
static int64_t windows(const Op *op, const Pool *p, int k)
{
    int64_t room = p->input[k] + 2 * p->padding[k] - p->size[k], n = room / p->stride[k] + 1;
    return n + (op_int(op, "ceil") && room % p->stride[k] && n * p->stride[k] < p->input[k] + p->padding[k]);
}

/* One at least: a window of one element has a mask too, so that no tensor is empty. */
static int bits(const int64_t size[2])
{
    int b = 1;
    while ((1 << b) < size[0] * size[1])
        b++;
    return b;
}

static bool infer(Model *m, Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape;
    if (x->rank != 3 && x->rank != 2)
        return shape_refuse(m, op, "maxpool needs an input of [channels, rows, columns] or [channels, positions], not %s", shape_text(m->arena, x));
    static const char *const pairs[] = { "size", "stride", "padding" };
    const Pool p = geometry(op);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && p.flat; i++) {
        const Attr *a = op_attr(op, pairs[i]);
        if (a->count > 1 && a->number[0] != a->number[1])
            return shape_refuse(m, shape_at(m, op, pairs[i]), "its input %s has no rows and columns: '%s' must be one number", shape_text(m->arena, x), pairs[i]);
    }
    for (int k = p.flat; k < 2; k++) {
        if (2 * p.padding[k] > p.size[k])
            return shape_refuse(m, shape_at(m, op, "padding"), "a padding of %lld is more than half of the window of %lld", (long long)p.padding[k], (long long)p.size[k]);
        if (p.size[k] > p.input[k] + 2 * p.padding[k])
            return p.flat ? shape_refuse(m, shape_at(m, op, "size"), "a window of %lld does not fit its input of %lld", (long long)p.size[k], (long long)p.input[k])
                          : shape_refuse(m, shape_at(m, op, "size"), "a %lldx%lld window does not fit its %lldx%lld input; one of %lldx%lld does", (long long)p.size[0],
                                         (long long)p.size[1], (long long)p.input[0], (long long)p.input[1],
                                         (long long)(p.size[0] < p.input[0] ? p.size[0] : p.input[0]),
                                         (long long)(p.size[1] < p.input[1] ? p.size[1] : p.input[1]));
    }
    int64_t rows = windows(op, &p, 0), columns = windows(op, &p, 1);
    op->writes[0].tensor->shape = p.flat ? (Shape){ 2, { x->dim[0], columns } } : (Shape){ 3, { x->dim[0], rows, columns } };
    return true;
}

static void grad(Model *m, Op *op, Use dy)
{
    Tensor *y = op->writes[0].tensor;
    if (!op->grad.inputs[0])
        return;
    const Pool p = geometry(op);
    Tensor *winner = tensor_new(m, arena_printf(m->arena, "%s_winner", op->name), op->loc, y->repeat);
    winner->space = WINNERS;
    winner->shape = y->shape;
    winner->shape.dim[winner->shape.rank++] = bits(p.size);
    op_write(op, winner, 0);
    op->grad.keeps = true;
    op_read(grad_backward(m, op, dy), winner, 0);
}

/* "i * 2 - 1": where the window of row (or column) i begins. */
static const char *start(const Model *m, const char *i, int64_t stride, int64_t padding)
{
    const char *before = stride > 1 ? arena_printf(m->arena, "%s * %lld", i, (long long)stride) : i;
    return padding ? arena_printf(m->arena, "%s - %lld", before, (long long)padding) : before;
}

/* Places of the window's elements as C, and which masks of the winner's bits say that an element has won; of large windows none. */
static void unrolled(const Model *m, const Pool *p, Fact *f)
{
    enum { UNROLL = 16 };
    const int64_t n = p->size[0] * p->size[1];
    Fact *elements = fact_table(m->arena), *won = fact_table(m->arena);
    const char *row = start(m, "i", p->stride[0], p->padding[0]), *column = start(m, "j", p->stride[1], p->padding[1]);
    for (int64_t k = 0; n <= UNROLL && k < n; k++) {
        const long long u = k / p->size[1], v = k % p->size[1];
        fact_push_text(elements, p->flat ? arena_printf(m->arena, "[c][%s + %lld]", column, v) : arena_printf(m->arena, "[c][%s + %lld][%s + %lld]", row, u, column, v));
        const char *all = k & 1 ? "bit0" : "not0";
        for (int b = 1; b < bits(p->size); b++)
            all = arena_printf(m->arena, "m_and(%s, %s%d)", all, k >> b & 1 ? "bit" : "not", b);
        fact_push_text(won, all);
    }
    fact_set(f, "elements", elements);
    fact_set(f, "won", won);
    fact_text(f, "window", p->flat ? arena_printf(m->arena, "[c][%s + kw]", column) : arena_printf(m->arena, "[c][%s + kh][%s + kw]", row, column));
    fact_text(f, "element", p->flat ? arena_printf(m->arena, "[c][%s + k]", column)
                                    : arena_printf(m->arena, "[c][%s + k / %lld][%s + k %% %lld]", row, (long long)p->size[1], column, (long long)p->size[1]));
    fact_text(f, "at", p->flat ? "[c][j]" : "[c][i][j]");
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    const Op *fwd = forward_of(op);
    const Pool p = geometry(fwd);
    const int64_t rows = windows(fwd, &p, 0), columns = windows(fwd, &p, 1);
    fact_int(f, "C", fwd->reads[0].tensor->shape.dim[0]), fact_int(f, "H", p.input[0]), fact_int(f, "W", p.input[1]);
    fact_int(f, "Ho", rows), fact_int(f, "Wo", columns);
    fact_int(f, "KH", p.size[0]), fact_int(f, "KW", p.size[1]);
    fact_int(f, "SH", p.stride[0]), fact_int(f, "SW", p.stride[1]);
    fact_int(f, "PH", p.padding[0]), fact_int(f, "PW", p.padding[1]);
    fact_int(f, "taps", p.size[0] * p.size[1]), fact_int(f, "bottom", p.input[0] + p.padding[0]), fact_int(f, "right", p.input[1] + p.padding[1]);
    fact_bool(f, "flat", p.flat);
    fact_bool(f, "inside", !p.padding[0] && !p.padding[1] && (rows - 1) * p.stride[0] + p.size[0] <= p.input[0] && (columns - 1) * p.stride[1] + p.size[1] <= p.input[1]);
    fact_int(f, "BITS", bits(p.size));
    fact_text(f, "top", start(m, "i", p.stride[0], 0)), fact_text(f, "left", start(m, "j", p.stride[1], 0));
    fact_bool(f, "tiling", p.size[0] == p.stride[0] && p.size[1] == p.stride[1]);
    fact_bool(f, "rows_left", rows * p.stride[0] < p.input[0]), fact_bool(f, "columns_left", columns * p.stride[1] < p.input[1]);
    unrolled(m, &p, f);
    fact_bool(f, "masks", fwd->fuse.masks);
    fact_bool(f, "keep_winner", fwd->grad.keeps);
    fact_text(f, "winner_type", fwd->grad.keeps ? tensor_type(m, fwd->writes[1].tensor) : "");
}

static const OpHelp help_maxpool = {
    "Keeps the largest element of each window; windows that stick out are dropped, or kept with `ceil: true`.  A NaN in a window wins.",
    "x [C, H, W] or [C, T] -> (H + 2 padding - size) // stride + 1 rows, columns likewise",
    "inputs: { x: { shape: [1, 12, 12] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "nets:\n"
    "  classify:\n"
    "    - conv: { filters: 4, act: relu }\n"
    "    - maxpool: 2\n"
    "    - dense: 3\n"
    "flow:\n"
    "  - v: { classify: x }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_maxpool = { "maxpool", "y[c,i,j] = max over kh,kw of x[c, i*s-p+kh, j*s-p+kw], the first on a tie", 1, 1, "size", true, attrs,
                            infer, grad, facts, NULL, false, "tt:t", &help_maxpool };
