/* conv_pool.c -- a 3x3 convolution of one channel, relu and 2x2 max-pool as one operator; fuse.c makes it of the three.
 *
 *   y[m,i,j] = max(0, max over r,q of b[m] + sum over kh,kw of x[2i+r+kh, 2j+q+kw] w[m,kh,kw])
 * With one channel the convolution computes little for each element it writes; so the map is never stored, and both gradients are computed
 * at the pool's winners only: a quarter of the positions. */
#include "spnc.h"

static const AttrSpec none[] = { { 0 } };
static bool infer(Model *m, Op *op) { (void)m, (void)op; unreachable("conv_pool is made after shapes are known"); }

static void facts(const Model *m, const Op *op, Fact *f)
{
    const Op *fwd = forward_of(op);
    const Shape *x = &fwd->reads[0].tensor->shape, *y = &fwd->writes[0].tensor->shape;
    fact_int(f, "M", y->dim[0]);
    fact_int(f, "H", x->dim[1]), fact_int(f, "W", x->dim[2]);
    fact_int(f, "Ho", y->dim[1]), fact_int(f, "Wo", y->dim[2]), fact_int(f, "rest", 2 * y->dim[2]);
    fact_bool(f, "keep_winner", fwd->grad.keeps);
    fact_text(f, "winner_type", fwd->grad.keeps ? tensor_type(m, fwd->writes[1].tensor) : "");
}

/* By direct convolution, over the whole map. */
static double macs(const Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape;
    return (double)op->writes[0].tensor->shape.dim[0] * (double)((x->dim[1] - 2) * (x->dim[2] - 2)) * 9;
}

const OpInfo op_conv_pool = { "conv_pool", "y = max(0, the largest of each 2x2 of conv(x))", 1, 1, NULL, false, none, infer, NULL, facts, macs, false, "tt:t", NULL };
