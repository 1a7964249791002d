/* conv.c -- two-dimensional convolution (cross-correlation, as in PyTorch).
 *
 *   y[m,i,j]  = b[m] + sum over c,u,v of x[c, i*s+u-p, j*s+v-p] w[m,c,u,v]
 *   dx        = the adjoint applied to dy;  dw[m,c,u,v] = sum over i,j of dy[m,i,j] x[c, i*s+u-p, j*s+v-p];  db[m] = sum of dy[m]
 * Sums run c, u, v in order (bias first); those of dw over i, j in order in each lane, then over the lanes by a fixed tree. */
#include "spnc.h"
#include <string.h>

static const AttrSpec attrs[] = {
    { "filters", ATTR_INT, NULL, 1, 65536, NULL, "number of filters, the channels of the result" },
    { "kernel", ATTR_PAIR, "3", 1, 1024, NULL, "size of the window: n or [rows, columns]" },
    { "stride", ATTR_PAIR, "1", 1, 1024, NULL, "step of the window" },
    { "padding", ATTR_PAIR, "0", 0, 1024, NULL, "zeros around the input" },
    { "act", ATTR_ACT, "linear", 0, 0, NULL, "activation of the result: relu, or { leaky_relu: { slope: 0.2 } }" },
    { "init", ATTR_INIT, "glorot_uniform", 0, 0, NULL, "initialiser of the weight" },
    { "bias", ATTR_BOOL, "true", 0, 1, NULL, "whether a bias is added" },
    { "winograd", ATTR_WORD, "auto", 0, 0, "auto never", "Winograd's algorithm where it saves multiplications, or never" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" },
    { 0 },
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static bool infer(Model *m, Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape;
    if (x->rank != 3)
        return shape_refuse(m, op, "conv needs an input of [channels, rows, columns], not %s", shape_text(m->arena, x));
    int64_t k[2], s[2], p[2], out[2];
    op_pair(k, op, "kernel");
    op_pair(s, op, "stride");
    op_pair(p, op, "padding");
    for (int i = 0; i < 2; i++) {
        int64_t room = x->dim[i + 1] + 2 * p[i];
        if (k[i] > room)
            return shape_refuse(m, op, "a %lldx%lld kernel does not fit its %lldx%lld input%s; one of %lldx%lld does", (long long)k[0], (long long)k[1],
                                (long long)x->dim[1], (long long)x->dim[2], p[0] || p[1] ? ", padding included" : "",
                                (long long)least(k[0], x->dim[1] + 2 * p[0]), (long long)least(k[1], x->dim[2] + 2 * p[1]));
        if (p[i] >= k[i])
            return shape_refuse(m, op, "padding %lld must be smaller than the kernel's %lld: whole windows would see only zeros", (long long)p[i], (long long)k[i]);
        out[i] = (room - k[i]) / s[i] + 1;
    }
    int64_t M = op_int(op, "filters");
    op->writes[0].tensor->shape = (Shape){ 3, { M, out[0], out[1] } };
    if (!weight_new(m, op, op->suffix[0], (Shape){ 4, { M, x->dim[0], k[0], k[1] } }, W_EXPORTED))
        return false;
    return !op_int(op, "bias") || weight_new(m, op, op->suffix[1], (Shape){ 1, { M } }, W_EXPORTED);
}

static void grad(Model *m, Op *op, Use dy)
{
    Op *w = grad_weights(m, op, dy);
    if (w)
        op_read(w, op->reads[0].tensor, op->reads[0].shift);
    grad_backward(m, op, dy);
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    (void)m;
    const Op *fwd = forward_of(op);
    const Shape *x = &fwd->reads[0].tensor->shape, *y = &fwd->writes[0].tensor->shape;
    int64_t k[2], s[2], p[2];
    op_pair(k, op, "kernel");
    op_pair(s, op, "stride");
    op_pair(p, op, "padding");
    fact_int(f, "M", y->dim[0]);
    fact_int(f, "C", x->dim[0]), fact_int(f, "H", x->dim[1]), fact_int(f, "W", x->dim[2]);
    fact_int(f, "Ho", y->dim[1]), fact_int(f, "Wo", y->dim[2]);
    fact_int(f, "KH", k[0]), fact_int(f, "KW", k[1]);
    fact_int(f, "SH", s[0]), fact_int(f, "SW", s[1]);
    fact_int(f, "PH", p[0]), fact_int(f, "PW", p[1]);
    fact_bool(f, "bias", op_int(op, "bias"));
    fact_bool(f, "winograd", fwd->kernel.winograd);
}

static double macs(const Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape, *y = &op->writes[0].tensor->shape;
    int64_t k[2];
    op_pair(k, op, "kernel");
    return (double)shape_count(y) * (double)(x->dim[0] * k[0] * k[1]);
}

static const OpHelp help_conv = {
    "Cross-correlation with learned windows, as in PyTorch.",
    "x [C, H, W] -> [filters, (H + 2p - k) // s + 1, (W + 2p - k) // s + 1];  weight [filters][C][k][k], bias [filters]",
    "inputs: { x: { shape: [1, 12, 12] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "nets:\n"
    "  classify:\n"
    "    - conv: { filters: 4, kernel: 3, act: relu }\n"
    "    - conv: 8\n"
    "    - dense: 3\n"
    "flow:\n"
    "  - v: { classify: x }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_conv = { "conv", "y[m,i,j] = b[m] + sum over c,u,v of x[c, i*s+u-p, j*s+v-p] w[m,c,u,v]", 1, 1, "filters", true, attrs,
                         infer, grad, facts, macs, false, "t:t", &help_conv };
