/* maxpool.c -- the largest element of each window; windows that stick out are dropped.
 *
 *   y[c,i,j]  = max over u,v of x[c, i*s+u, j*s+v]      the first in row-major order wins a tie
 *   dx[at the winner] += dy[c,i,j]
 * Forward keeps the winner's index in the window for backward. */
#include "spnc.h"

static const AttrSpec attrs[] = {
    { "size", ATTR_PAIR, "2", 1, 255, NULL, "size of the window: n or [rows, columns]" },
    { "stride", ATTR_PAIR, "", 1, 1024, NULL, "step of the window; its size unless given" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" },
    { 0 },
};

static void geometry(const Op *op, int64_t size[2], int64_t stride[2])
{
    op_pair(size, op, "size");
    if (op_attr(op, "stride")->given)
        op_pair(stride, op, "stride");
    else
        stride[0] = size[0], stride[1] = size[1];
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
    if (x->rank != 3)
        return shape_refuse(m, op, "maxpool needs an input of [channels, rows, columns], not %s", shape_text(m->arena, x));
    int64_t size[2], stride[2];
    geometry(op, size, stride);
    for (int i = 0; i < 2; i++)
        if (size[i] > x->dim[i + 1])
            return shape_refuse(m, op, "a %lldx%lld window does not fit its %lldx%lld input; one of %lldx%lld does", (long long)size[0],
                                (long long)size[1], (long long)x->dim[1], (long long)x->dim[2],
                                (long long)(size[0] < x->dim[1] ? size[0] : x->dim[1]), (long long)(size[1] < x->dim[2] ? size[1] : x->dim[2]));
    op->writes[0].tensor->shape = (Shape){ 3, { x->dim[0], (x->dim[1] - size[0]) / stride[0] + 1, (x->dim[2] - size[1]) / stride[1] + 1 } };
    return true;
}

static void grad(Model *m, Op *op, Use dy)
{
    Tensor *y = op->writes[0].tensor;
    if (!op->grad.inputs[0])
        return;
    int64_t size[2], stride[2];
    geometry(op, size, stride);
    Tensor *winner = tensor_new(m, arena_printf(m->arena, "%s_winner", op->name), op->loc, y->repeat);
    winner->space = WINNERS;
    winner->shape = y->shape;
    winner->shape.dim[winner->shape.rank++] = bits(size);
    op_write(op, winner, 0);
    op->grad.keeps = true;
    op_read(grad_backward(m, op, dy), winner, 0);
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    const Op *fwd = forward_of(op);
    const Shape *x = &fwd->reads[0].tensor->shape, *y = &fwd->writes[0].tensor->shape;
    int64_t size[2], stride[2];
    geometry(op, size, stride);
    fact_int(f, "C", x->dim[0]), fact_int(f, "H", x->dim[1]), fact_int(f, "W", x->dim[2]);
    fact_int(f, "Ho", y->dim[1]), fact_int(f, "Wo", y->dim[2]);
    fact_int(f, "KH", size[0]), fact_int(f, "KW", size[1]);
    fact_int(f, "SH", stride[0]), fact_int(f, "SW", stride[1]);
    fact_int(f, "BITS", bits(size));
    fact_bool(f, "relu", fwd->fuse.relu);
    fact_bool(f, "keep_winner", fwd->grad.keeps);
    fact_text(f, "winner_type", fwd->grad.keeps ? arena_printf(m->arena, "%s_t", fwd->writes[1].tensor->name) : "");
}

static const OpHelp help_maxpool = {
    "Keeps the largest element of each window; windows that stick out are dropped.",
    "x [C, H, W] -> [C, (H - size) // stride + 1, (W - size) // stride + 1]",
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

const OpInfo op_maxpool = { "maxpool", "y[c,i,j] = max over u,v of x[c, i*s+u, j*s+v], the first on a tie", 1, 1, "size", true, attrs,
                            infer, grad, facts, NULL, false, "tt:t", &help_maxpool };
