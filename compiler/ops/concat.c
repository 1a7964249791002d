/* concat.c -- values joined along an axis; one of shape [] counts as [1]. */
#include "spnc.h"

static const AttrSpec attrs[] = {
    { "axis", ATTR_INT, "0", -RANK_MAX, RANK_MAX - 1, NULL, "the axis along which the inputs are joined, from 0; negative: from the end" },
    { 0 },
};

static Shape part(const Op *op, int k)
{
    const Shape *x = &op->reads[k].tensor->shape;
    return x->rank ? *x : (Shape){ 1, { 1 } };
}

static int64_t axis_of(const Op *op)
{
    const int64_t axis = op_int(op, "axis");
    return axis < 0 ? axis + part(op, 0).rank : axis;
}

static bool infer(Model *m, Op *op)
{
    int64_t axis = axis_of(op);
    Shape y = part(op, 0);
    if (axis < 0 || axis >= y.rank)
        return shape_refuse(m, shape_at(m, op, "axis"), "axis %lld does not exist: the input is %s", (long long)op_int(op, "axis"), shape_text(m->arena, &y));
    for (int i = 1; i < op->read_count; i++) {
        const Shape x = part(op, i);
        bool fits = x.rank == y.rank;
        for (int k = 0; fits && k < y.rank; k++)
            fits = k == axis || x.dim[k] == y.dim[k];
        if (!fits)
            return shape_refuse(m, op, "concat along axis %lld needs inputs that agree in all other axes; these are %s and %s", (long long)axis,
                                shape_text(m->arena, &op->reads[0].tensor->shape), shape_text(m->arena, &x));
        y.dim[axis] += x.dim[axis];
    }
    op->writes[0].tensor->shape = y;
    return true;
}

static void grad(Model *m, Op *op, Use dy) { grad_backward(m, op, dy); }

static void facts(const Model *m, const Op *op, Fact *f)
{
    const Op *fwd = forward_of(op);
    const int axis = (int)axis_of(fwd);
    Fact *loops = fact_table(m->arena), *starts = fact_table(m->arena);
    Text index = { .arena = m->arena };
    for (int a = 0; a < axis; a++) {
        Fact *loop = fact_table(m->arena);
        fact_text(loop, "variable", arena_printf(m->arena, "%c", 'i' + a));
        fact_text(loop, "pad", arena_printf(m->arena, "%*s", 4 * a, ""));
        fact_int(loop, "size", fwd->writes[0].tensor->shape.dim[a]);
        fact_bool(loop, "last", a == axis - 1);
        fact_push(loops, loop);
        text_printf(&index, "[%c]", 'i' + a);
    }
    const char *place = index.text ? index.text : "";
    int64_t from = 0;
    for (int k = 0; k < fwd->read_count; k++) {
        fact_push_text(starts, from ? arena_printf(m->arena, "%s + %lld", place, (long long)from) : place);
        from += part(fwd, k).dim[axis];
    }
    fact_int(f, "axis", axis);
    fact_text(f, "index", place);
    fact_set(f, "loops", loops);
    fact_set(f, "starts", starts);
    fact_text(f, "pad", arena_printf(m->arena, "%*s", 4 * axis, "")), fact_text(f, "end_pad", arena_printf(m->arena, "%*s", 4 * (axis ? axis - 1 : 0), ""));
}

static const OpHelp help_concat = {
    "Joins values along an axis.",
    "two to eight values of one shape but for the axis -> their sizes along it added; one of shape [] counts as [1]",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - a: { dense: x, units: 4, act: tanh }\n"
    "  - b: { concat: [x, a] }\n"
    "  - v: { dense: b, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_concat = { "concat", "y = the inputs joined along an axis", 2, INPUT_MAX - 2, NULL, false, attrs, infer, grad, facts, NULL, false, "t:t", &help_concat };
