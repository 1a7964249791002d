/* coordinates.c -- where each position of a map lies: y[0,i,j] = -1 + 2 i / (H - 1), y[1,i,j] = -1 + 2 j / (W - 1); of a line the second alone.
 *
 * As the sampler's grid: the first position at -1, the last at 1, an only one at 0.  Of its operand it takes the shape; from infer on it reads nothing. */
#include "spnc.h"

static const AttrSpec attrs[] = { { "name", ATTR_NAME, "", 0, 0, NULL, "the value's name" }, { 0 } };

static bool infer(Model *m, Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape;
    if (x->rank != 2 && x->rank != 3)
        return shape_refuse(m, op, "coordinates are those of a map [C,H,W] or of lines [C,T], not of %s", shape_text(m->arena, x));
    Shape y = *x;
    y.dim[0] = x->rank - 1;
    op->writes[0].tensor->shape = y;
    op->read_count = 0;
    return true;
}

static void grad(Model *m, Op *op, Use dy) { (void)m, (void)op, (void)dy; }

static void facts(const Model *m, const Op *op, Fact *f)
{
    (void)m;
    const Shape *y = &op->writes[0].tensor->shape;
    fact_int(f, "rows", y->rank == 3 ? y->dim[1] : 0);
    fact_int(f, "columns", y->dim[y->rank - 1]);
}

static const OpHelp help_coordinates = {
    "Where each position of a map lies: its row and its column, from -1 to 1.",
    "x [C,H,W] -> [2,H,W]: rows, then columns; x [C,T] -> [1,T]",
    "inputs: { x: { shape: [1, 6, 6] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - at: { coordinates: x }\n"
    "  - seen: { concat: [x, at] }\n"
    "  - c: { conv: seen, filters: 4, kernel: 3, act: relu }\n"
    "  - v: { dense: c, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_coordinates = { "coordinates", "y = where each position lies, from -1 to 1", 1, 1, NULL, false, attrs, infer, grad, facts, NULL, false, "f:f", &help_coordinates };
