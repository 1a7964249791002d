/* spn.c -- the spatial transformer's sampler (paper, eq. 1-4): the image read at A (x, y, 1), bilinearly.
 *
 *   for each point (x, y) of a grid with its corners at -1 and 1, a single row or column at 0:  (u, v) = A (x, y, 1);  y[c,i,j] = sum over the four pixels around (u, v)
 *   of weight times image[c, pixel].  Borders: zero and clamp as PyTorch's grid_sample (align_corners), legacy as the authors' layer in 2015. */
#include "spnc.h"
#include <math.h>
#include <string.h>

static const AttrSpec attrs[] = {
    { "downsample", ATTR_REAL, "1", 1e-3, 1e4, NULL, "the result has floor(rows / d) x floor(columns / d) points" },
    { "size", ATTR_PAIR, "", 1, 16384, NULL, "size of the result instead: n or [rows, columns]" },
    { "transform", ATTR_WORD, "", 0, 0, "affine scale attention translation similarity",
      "what A says; affine unless given: 6 numbers; scale: sx, tx, sy, ty; attention: s, tx, ty; translation: tx, ty; similarity: s, angle, tx, ty" },
    { "border", ATTR_WORD, "zero", 0, 0, "zero clamp legacy", "what lies outside the image" },
    { 0 },
};

static bool infer(Model *m, Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape, *A = &op->reads[1].tensor->shape;
    if (x->rank != 3)
        return shape_refuse(m, op, "spn reads an image of [channels, rows, columns], not %s", shape_text(m->arena, x));
    if (shape_count(A) != 6)
        return shape_refuse(m, op, "the transform of spn has 6 numbers (2x3), not %s", shape_text(m->arena, A));
    int64_t out[2];
    if (op_attr(op, "size")->given) {
        if (op_attr(op, "downsample")->given)
            return shape_refuse(m, shape_at(m, op, "size"), "give either downsample or size");
        op_pair(out, op, "size");
    } else {
        for (int i = 0; i < 2; i++)
            out[i] = (int64_t)floor((double)x->dim[i + 1] / op_real(op, "downsample"));
    }
    if (out[0] < 1 || out[1] < 1)
        return shape_refuse(m, shape_at(m, op, "downsample"), "downsample %g leaves nothing of a %lldx%lld image", op_real(op, "downsample"), (long long)x->dim[1], (long long)x->dim[2]);
    if (out[0] > 16384 || out[1] > 16384)
        return shape_refuse(m, shape_at(m, op, "size"), "a result of %lldx%lld points is larger than 16384x16384", (long long)out[0], (long long)out[1]);
    op->writes[0].tensor->shape = (Shape){ 3, { x->dim[0], out[0], out[1] } };
    return true;
}

static void grad(Model *m, Op *op, Use dy)
{
    Op *b = grad_backward(m, op, dy);
    if (b)
        for (int i = 0; i < 2; i++)
            op_read(b, op->reads[i].tensor, op->reads[i].shift);
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    const Op *fwd = forward_of(op);
    const Shape *x = &fwd->reads[0].tensor->shape, *y = &fwd->writes[0].tensor->shape;
    fact_int(f, "C", x->dim[0]), fact_int(f, "H", x->dim[1]), fact_int(f, "W", x->dim[2]), fact_int(f, "image", shape_count(x));
    fact_int(f, "Ho", y->dim[1]), fact_int(f, "Wo", y->dim[2]);
    const char *border = op_word(op, "border");
    fact_text(f, "border", !strcmp(border, "zero") ? "BORDER_ZERO" : !strcmp(border, "clamp") ? "BORDER_CLAMP" : "BORDER_LEGACY");
    Fact *entries = fact_table(m->arena);
    for (int k = 0; k < 6; k++)
        fact_push_text(entries, fwd->reads[1].tensor->shape.rank == 1 ? arena_printf(m->arena, "[%d]", k) : arena_printf(m->arena, "[%d][%d]", k / 3, k % 3));
    fact_set(f, "entries", entries);
    fact_bool(f, "bytes", fwd->reads[0].tensor->space == BYTES);
    fact_bool(f, "keep_slopes", fwd->grad.keeps);
    fact_text(f, "slopes_type", fwd->grad.keeps ? tensor_type(m, fwd->writes[1].tensor) : "");
}

static const OpHelp help_spn = {
    "Reads an image at the points of a grid that the transform A moves: a crop that can be learned.",
    "image [C, H, W], A of six numbers (2x3, row by row), or those of `transform` -> [C, H // downsample, W // downsample]",
    "inputs: { x: { shape: [1, 12, 12] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - l: { dense: x, units: 16, act: relu }\n"
    "  - A: { dense: l, units: 6, init: identity }\n"
    "  - crop: { spn: [x, A], downsample: 2 }\n"
    "  - v: { dense: crop, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_spn = { "spn", "y[c,i,j] = image[c] at A (x_j, y_i, 1), bilinear", 2, 2, NULL, false, attrs, infer, grad, facts, NULL, false, "tt:tt", &help_spn };
