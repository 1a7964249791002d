/* augment.c -- random changes of an input's examples in training: `augment:` in its declaration.
 *
 * The operator runs before the input's load.  Its result has the layout of the file (bytes or floats, one example after the other), so all
 * readers of the input read it augmented and need no change.  It has no gradient: an input depends on no weight. */
#include "read/language.h"
#include "spnc.h"
#include <string.h>

static const AttrSpec none[] = { { 0 } };

static bool infer(Model *m, Op *op) { (void)m, (void)op; return true; }            /* the shape is set where the operator is made */
static void grad(Model *m, Op *op, Use dy) { (void)m, (void)op, (void)dy; }

static void facts(const Model *m, const Op *op, Fact *f)
{
    const Shape *s = &op->writes[0].tensor->shape;
    (void)m;
    bool byte = op->data->type == 0;
    int64_t H = s->rank < 2 ? 1 : s->dim[s->rank - 2], W = s->dim[s->rank - 1];         /* a vector is a row */
    fact_text(f, "source", byte ? "u8" : "f32");
    fact_int(f, "input", op->data->number);
    fact_int(f, "PLANES", shape_count(s) / (H * W));
    fact_int(f, "H", H);
    fact_int(f, "W", W);
    fact_bool(f, "flip", op->data->augment->flip);
    fact_int(f, "shift", op_int(op, "shift"));
    fact_real(f, "rotate", op_real(op, "rotate"));
    fact_real(f, "scale", op_real(op, "scale"));
    fact_real(f, "noise", op_real(op, "noise") * (byte ? 255 : 1));
    fact_int(f, "pieces", op_int(op, "pieces"));
    fact_int(f, "piece", op_int(op, "size"));
}

const OpInfo op_augment = { "augment", "y(r, c) = clutter(r, c) + x(r', c') + noise, (r', c') where (r, c) comes from; outside of training y = x", 0, 0, NULL, false, none, infer, grad,
                            facts, NULL, false, "t:t", NULL };
