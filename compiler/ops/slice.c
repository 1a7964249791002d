/* slice.c -- a range, or one position, of an axis. */
#include "spnc.h"

static const AttrSpec attrs[] = {
    { "axis", ATTR_INT, "0", 0, RANK_MAX - 1, NULL, "the axis, from 0" },
    { "from", ATTR_INT, "0", 0, 1 << 30, NULL, "first position" },
    { "to", ATTR_INT, "", 1, 1 << 30, NULL, "position after the last; the end unless given" },
    { "index", ATTR_INT, "", 0, 1 << 30, NULL, "a single position; the axis disappears" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the result's name" },
    { 0 },
};

static void range(const Op *op, int64_t size, int64_t *from, int64_t *to)
{
    if (op_attr(op, "index")->given) {
        *from = op_int(op, "index");
        *to = *from + 1;
    } else {
        *from = op_int(op, "from");
        *to = op_attr(op, "to")->given ? op_int(op, "to") : size;
    }
}

static bool infer(Model *m, Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape;
    int64_t axis = op_int(op, "axis"), from, to;
    if (axis >= x->rank)
        return shape_refuse(m, op, "axis %lld does not exist: the input is %s", (long long)axis, shape_text(m->arena, x));
    if (op_attr(op, "index")->given && (op_attr(op, "from")->given || op_attr(op, "to")->given))
        return shape_refuse(m, op, "give either index, or from and to");
    range(op, x->dim[axis], &from, &to);
    if (from >= to || to > x->dim[axis])
        return shape_refuse(m, op, "positions %lld to %lld lie outside axis %lld of the %s input", (long long)from, (long long)to,
                            (long long)axis, shape_text(m->arena, x));
    Shape y = *x;
    y.dim[axis] = to - from;
    if (op_attr(op, "index")->given) {
        for (int k = (int)axis; k + 1 < y.rank; k++)
            y.dim[k] = y.dim[k + 1];
        y.rank--;
    }
    op->writes[0].tensor->shape = y;
    return true;
}

static void grad(Model *m, Op *op, Use dy) { grad_backward(m, op, dy); }

static void facts(const Model *m, const Op *op, Fact *f)
{
    (void)m;
    const Op *fwd = forward_of(op);
    int64_t from, to, axis = op_int(op, "axis");
    range(op, fwd->reads[0].tensor->shape.dim[axis], &from, &to);
    fact_int(f, "axis", axis);
    fact_int(f, "from", from);
    fact_int(f, "to", to);
    fact_bool(f, "index", op_attr(op, "index")->given);
}

static const OpHelp help_slice = {
    "Takes a range of an axis, or one position of it.",
    "[.., n, ..] -> [.., to - from, ..]; with `index` the axis disappears",
    "inputs: { x: { shape: [1, 12, 12] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - row: { slice: x, axis: 1, index: 0 }\n"
    "  - half: { slice: row, axis: 1, to: 6 }\n"
    "  - v: { dense: half, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_slice = { "slice", "y = x[from:to] along an axis", 1, 1, NULL, true, attrs, infer, grad, facts, NULL, false, "t:t", &help_slice };
