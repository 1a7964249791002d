/* slice.c -- a range of an axis, or one position of it; inside a repeat the positions may move with the step.
 *
 *   y = x[from : to : step], from and to moving by the same number of positions from step to step
 *   dx = dy there, 0 elsewhere.  Of a value that is made once and read by a slice that moves: sum_slices, the slices of all steps at once, written
 *   where they do not overlap, else added, step 0 first */
#include "spnc.h"

static const AttrSpec attrs[] = {
    { "axis", ATTR_INT, "0", -RANK_MAX, RANK_MAX - 1, NULL, "the axis, from 0; negative: from the end" },
    { "from", ATTR_INDEX, "0", 0, 1 << 30, NULL, "first position" },
    { "to", ATTR_INDEX, "", 1, 1 << 30, NULL, "position after the last; the end unless given" },
    { "index", ATTR_INDEX, "", 0, 1 << 30, NULL, "a single position; the axis disappears" },
    { "step", ATTR_INT, "", 1, 1 << 30, NULL, "every step-th position of the range; 1 unless given" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the result's name" },
    { 0 },
};

/* Positions from + by * t to to + by * t, each step-th, `count` of them. */
typedef struct {
    int axis;
    double from, to, by;
    int64_t step, count;
} Range;

static double moved(const Op *op, const char *name) { return op_attr(op, name)->count == 2 ? op_attr(op, name)->number[1] : 0; }

static Range range(const Op *op, const Shape *x)
{
    Range r = { .axis = (int)op_int(op, "axis"), .step = op_attr(op, "step")->given ? op_int(op, "step") : 1, .count = 1 };
    r.axis += r.axis < 0 ? x->rank : 0;
    if (op_attr(op, "index")->given) {
        r.from = op_real(op, "index");
        r.to = r.from + 1;
        r.by = moved(op, "index");
        return r;
    }
    r.from = op_real(op, "from");
    r.by = moved(op, "from");
    r.to = op_attr(op, "to")->given ? op_real(op, "to") : r.axis >= 0 && r.axis < x->rank ? (double)x->dim[r.axis] : 0;
    r.count = r.to > r.from ? ((int64_t)(r.to - r.from) + r.step - 1) / r.step : 0;
    return r;
}

static const Repeat *repeat_of(const Op *op) { return op->slice.repeat; }

/* The attributes by themselves: index, or from and to that move alike. */
static bool fit(Model *m, Op *op)
{
    const Attr *index = op_attr(op, "index"), *from = op_attr(op, "from"), *to = op_attr(op, "to");
    if (index->given && (from->given || to->given || op_attr(op, "step")->given))
        return shape_refuse(m, op, "give either index, or from and to");
    if (index->given)
        return true;
    if (moved(op, "from") != 0 && !to->given)
        return shape_refuse(m, shape_at(m, op, "from"), "from moves with the step, so to must be given, and move with it");
    if (to->given && (moved(op, "from") != moved(op, "to") || (moved(op, "to") != 0 && from->repeat != to->repeat)))
        return shape_refuse(m, shape_at(m, op, "to"),
                            "from and to must move alike, by as many positions a step, so that each step has a slice of one size");
    return true;
}

/* Every step's positions lie on the axis. */
static bool inside(Model *m, Op *op, const Range *r, int64_t size, const Shape *x)
{
    const Repeat *repeat = repeat_of(op);
    const int steps = r->by != 0 && repeat ? repeat->steps : 1;
    for (int t = 0; t < steps; t++) {
        const double from = r->from + r->by * t, to = r->to + r->by * t;
        if (from >= 0 && to <= (double)size && from < to)
            continue;
        const bool index = op_attr(op, "index")->given;
        const Op *here = r->by == 0 ? op : shape_at(m, op, index ? "index" : "from");
        const char *step = r->by == 0 ? "" : arena_printf(m->arena, "at $%s = %d ", repeat->step ? repeat->step : "t", t);
        const char *has = arena_printf(m->arena, "axis %d of the %s input has positions 0 to %lld", r->axis, shape_text(m->arena, x),
                                       (long long)size - 1);
        if (index)
            return shape_refuse(m, here, "%sthe index is %lld, but %s", step, (long long)from, has);
        if (from >= to)
            return shape_refuse(m, here,
                                "%sit goes from %lld to %lld and takes no position: `to` is the first one behind those that it takes", step,
                                (long long)from, (long long)to);
        if (r->step > 1)    /* the last one that it takes may lie inside */
            return shape_refuse(m, here, "%sit goes from %lld to %lld in steps of %lld, but %s", step, (long long)from, (long long)to - 1,
                                (long long)r->step, has);
        return shape_refuse(m, here, "%sit takes positions %lld to %lld, but %s", step, (long long)from, (long long)to - 1, has);
    }
    return true;
}

static bool infer(Model *m, Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape;
    if (!fit(m, op))
        return false;
    const Range r = range(op, x);
    if (repeat_of(op) && repeat_of(op)->steps == 0) /* the number of steps has an error, already reported */
        return false;
    if (r.axis < 0 || r.axis >= x->rank)
        return shape_refuse(m, shape_at(m, op, "axis"), "axis %lld does not exist: the input is %s", (long long)op_int(op, "axis"), shape_text(m->arena, x));
    if (!inside(m, op, &r, x->dim[r.axis], x))
        return false;
    Shape y = *x;
    y.dim[r.axis] = r.count;
    if (op_attr(op, "index")->given) {
        for (int k = r.axis; k + 1 < y.rank; k++)
            y.dim[k] = y.dim[k + 1];
        y.rank--;
    }
    op->writes[0].tensor->shape = y;
    return true;
}

static void grad(Model *m, Op *op, Use dy)
{
    if (repeat_of(op) && op->reads[0].tensor->repeat != op->writes[0].tensor->repeat)
        grad_slices(m, op, dy);
    else
        grad_backward(m, op, dy);
}

/* "2 * t + 1" */
static const char *place(const Model *m, const Range *r, bool moves)
{
    const long long by = (long long)r->by, from = (long long)r->from;
    if (!moves)
        return arena_printf(m->arena, "%lld", from);
    const char *part = by == 1 ? "t" : by == -1 ? "-t" : arena_printf(m->arena, "%lld * t", by);
    if (!from)
        return part;
    return by < 0 ? arena_printf(m->arena, "%lld - %s", from, by == -1 ? "t" : arena_printf(m->arena, "%lld * t", -by))
                  : arena_printf(m->arena, "%s %c %lld", part, from < 0 ? '-' : '+', from < 0 ? -from : from);
}

/* The loops over the axes before the one that is cut, and over positions that lie apart; the part of x, of y, as C. */
static void facts_of(const Model *m, const Op *fwd, Fact *f)
{
    static const char *const variables[] = { "i", "j", "k", "l", "m", "n" };
    const Shape *x = &fwd->reads[0].tensor->shape;
    const Range r = range(fwd, x);
    const bool apart = r.step > 1 && r.count > 1;
    Text index = { .arena = m->arena };
    Fact *loops = fact_table(m->arena);
    for (int a = 0; a < r.axis + apart; a++) {
        Fact *l = fact_table(m->arena);
        fact_text(l, "pad", arena_printf(m->arena, "%*s", 4 * a, ""));
        fact_text(l, "variable", a < r.axis ? variables[a] : "p");
        fact_int(l, "size", a < r.axis ? x->dim[a] : r.count);
        fact_push(loops, l);
        if (a < r.axis)
            text_printf(&index, "[%s]", variables[a]);
    }
    const char *before = index.text ? index.text : "", *from = place(m, &r, repeat_of(fwd) != NULL);
    fact_set(f, "loops", loops);
    fact_text(f, "pad", arena_printf(m->arena, "%*s", 4 * (r.axis + apart), ""));
    fact_text(f, "part", arena_printf(m->arena, apart ? "%s[%s + p * %lld]" : "%s[%s]", before, from, (long long)r.step));
    fact_text(f, "inside", arena_printf(m->arena, "%s%s", before, apart ? "[p]" : ""));
    fact_text(f, "what",
              op_attr(fwd, "index")->given ? arena_printf(m->arena, "position %s", from)
              : apart ? arena_printf(m->arena, "%lld positions, each %lldth from %s on,", (long long)r.count, (long long)r.step, from)
                      : arena_printf(m->arena, "%lld position%s from %s on", (long long)r.count, r.count == 1 ? "" : "s", from));
    fact_int(f, "axis", r.axis);
    fact_bool(f, "moves", repeat_of(fwd) != NULL);
}

static void facts(const Model *m, const Op *op, Fact *f) { facts_of(m, forward_of(op), f); }

static const OpHelp help_slice = {
    "Takes a range of an axis, or one position of it.  Inside a repeat the positions may move with the step: x[$t].",
    "[.., n, ..] -> [.., to - from, ..]; with `index` the axis disappears",
    "inputs: { x: { shape: [4, 12] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - wide: { dense: x, units: 32, act: tanh }\n"
    "  - rows: { reshape: wide, shape: [4, 8] }\n"
    "  - half: { slice: rows, axis: 1, from: 4 }\n"
    "  - repeat: 4\n"
    "    carry: { h: { gru: { units: 8 } } }\n"
    "    do:\n"
    "      - row: { slice: half, index: 3 - $t }\n"
    "      - h: { gru: [row, h] }\n"
    "  - end: { last: h }\n"
    "  - v: { dense: end, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_slice = { "slice",    "y = x[from:to] along an axis", 1, 1, NULL, true, attrs, infer, grad, facts, NULL, false, "t:t",
                          &help_slice };

/* ---- the gradient of all steps at once ---------------------------------------------------------------------- */

static bool infer_set(Model *m, Op *op)
{
    (void)m, (void)op;
    return true;
} /* the shape is set where the operator is made */

static void facts_sum(const Model *m, const Op *op, Fact *f)
{
    const Op *slice = op->slice.of;
    const Shape *x = &slice->reads[0].tensor->shape;
    const Range r = range(slice, x);
    const double by = r.by < 0 ? -r.by : r.by;
    const Repeat *inner = op->reads[0].tensor->repeat, *outer = op->writes[0].tensor->repeat;
    const int T = repeat_of(slice)->steps, Q = steps_all(inner->outer) / steps_all(outer);
    facts_of(m, slice, f);
    fact_int(f, "T", T);
    fact_int(f, "Q", Q);
    fact_int(f, "G", m->groups * steps_all(outer));
    fact_bool(f, "overlap", (T > 1 && by < r.to - r.from) || Q > 1);
    fact_bool(f, "whole", r.step == 1 && by == r.to - r.from && by * T == (double)x->dim[r.axis]);
    fact_text(f, "of", slice->name);
}

static const AttrSpec none[] = { { 0 } };

const OpInfo op_sum_slices = {
    "sum_slices", "y = the slices of all steps, each at its place", 1, 1, NULL, false, none, infer_set, NULL, facts_sum, NULL, false, "t:a",
    NULL
};
