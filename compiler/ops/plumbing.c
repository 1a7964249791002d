/* plumbing.c -- operators that the compiler adds: bringing data into the lanes, joining and picking the steps of a repeat, starting states. */
#include "spnc.h"

static const AttrSpec none[] = { { 0 } };

static bool infer_set(Model *m, Op *op) { (void)m, (void)op; return true; }        /* the shape is set where the operator is made */
static bool infer_same(Model *m, Op *op)
{
    Shape *y = &op->writes[0].tensor->shape;
    const Shape *x = &op->reads[0].tensor->shape;
    if (op->writes[0].tensor->carried && y->rank && !shape_equal(x, y))
        return shape_refuse(m, op, "the state is %s, but what it becomes is %s", shape_text(m->arena, y), shape_text(m->arena, x));
    *y = *x;
    return true;
}
/* How many of r and the repeats around it the operator does not stand in. */
static int levels_outside(const Op *op, const Repeat *r)
{
    int n = 0;
    for (; r && !repeat_within(op->repeat, r); r = r->outer)
        n++;
    return n;
}

static bool infer_stack(Model *m, Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape;
    const Repeat *r = op->reads[0].tensor->repeat;
    const int levels = levels_outside(op, r);
    if (steps_all(r) == 0)       /* the number of steps has an error, already reported */
        return false;
    if (x->rank + levels > RANK_MAX)
        return shape_refuse(m, op, "the stack of steps would have more than %d axes", RANK_MAX);
    Shape y = { .rank = x->rank + levels };
    for (int i = levels; i > 0; i--, r = r->outer)
        y.dim[i - 1] = r->steps;
    for (int i = 0; i < x->rank; i++)
        y.dim[i + levels] = x->dim[i];
    op->writes[0].tensor->shape = y;
    return true;
}

static void grad_backward_only(Model *m, Op *op, Use dy) { grad_backward(m, op, dy); }
static void grad_copy(Model *m, Op *op, Use dy) { if (op->grad.inputs[0]) grad_pass(m, op, 0, dy); }
static void grad_broadcast(Model *m, Op *op, Use dy) { grad_weights(m, op, dy); }
static void grad_none(Model *m, Op *op, Use dy) { (void)m, (void)op, (void)dy; }

static void facts_none(const Model *m, const Op *op, Fact *f) { (void)m, (void)op, (void)f; }
static void facts_steps(const Model *m, const Op *op, Fact *f)
{
    const Op *fwd = forward_of(op);
    const Tensor *x = fwd->reads[0].tensor, *y = fwd->writes[0].tensor;
    const int level = repeat_level(y->repeat);
    const bool once = repeat_level(x->repeat) <= level;                /* hoisted: the same at each step, kept once */
    fact_int(f, "T", !once ? steps_all(x->repeat) / steps_all(y->repeat) : x->hoisted ? x->hoisted->steps : 1);
    fact_int(f, "G", m->groups * steps_all(y->repeat));
    fact_bool(f, "once", once);
    fact_int(f, "step", op->kind == OP_pick ? fwd->step : 0);
    if (fwd->kind != OP_stack)
        return;
    Fact *levels = fact_table(m->arena);       /* of the steps, the outermost first */
    const Repeat *written = x->hoisted ? x->hoisted : x->repeat;
    Text index = { .arena = m->arena }, at = { .arena = m->arena }, sizes = { .arena = m->arena };
    bool same = false;
    const int first = repeat_level(written) - (y->shape.rank - x->shape.rank) + 1;
    for (int k = first; k <= repeat_level(written); k++) {
        const Repeat *r = repeat_at(written, k);
        const char *name = k == first ? "t" : arena_printf(m->arena, "t%d", k - first + 1);
        const int apart = k <= repeat_level(x->repeat) ? m->groups * steps_all(r->outer) : 0;
        Fact *loop = fact_table(m->arena);
        fact_text(loop, "name", name);
        fact_text(loop, "pad", arena_printf(m->arena, "%*s", 4 * (k - first), ""));
        fact_int(loop, "T", r->steps);
        fact_push(levels, loop);
        text_printf(&index, "[%s]", name);
        text_printf(&sizes, "%s%d", k > first ? ", " : "", r->steps);
        if (apart)
            text_printf(&at, "%s%s * %d", at.text ? " + " : "", name, apart);
        same = same || !apart;
    }
    fact_set(f, "levels", levels);
    fact_text(f, "pad", arena_printf(m->arena, "%*s", 4 * (repeat_level(written) - first + 1), ""));
    fact_text(f, "index", index.text);
    fact_text(f, "at", at.text ? at.text : "0");
    fact_text(f, "sizes", sizes.text);
    fact_bool(f, "same", same);
}
static void facts_broadcast(const Model *m, const Op *op, Fact *f)
{
    (void)m;
    const Weight *w = op->weights[0];
    const bool rows = w->layout == W_IN_OUT;
    fact_int(f, "rows", rows ? w->shape.dim[0] : 0);
    fact_int(f, "columns", rows ? w->shape.dim[1] : 0);
    fact_int(f, "stride", rows ? w->stride : 0);
    fact_int(f, "reals", rows ? w->shape.dim[1] * w->stride : 0);
}
static void facts_fill(const Model *m, const Op *op, Fact *f) { (void)m, (void)op; fact_real(f, "value", 0); }
static void facts_load(const Model *m, const Op *op, Fact *f)
{
    fact_int(f, "classes", m->options.inference && op->data->type == 2 ? op->data->classes : 0);
    fact_text(f, "source", op->data->state ? "real" : op->data->type == 0 ? "u8" : op->data->type == 1 ? "f32" : "i32");
    fact_bool(f, "augmented", op->read_count > 0);
    fact_bool(f, "state", op->data->state);
}
static void facts_labels(const Model *m, const Op *op, Fact *f) { (void)m; fact_int(f, "P", shape_count(&op->writes[0].tensor->shape)); }

static const OpHelp help_last = {
    "The value that a name of a repeat has at the last step.",
    "a name made in a repeat -> its shape at one step",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - repeat: 4\n"
    "    carry: { h: { gru: { units: 16 } } }\n"
    "    do:\n"
    "      - h: { gru: [x, h] }\n"
    "  - z: { last: h }\n"
    "  - v: { dense: z, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_load = { "load", "the examples of a group, side by side", 0, 1, NULL, false, none, infer_set, grad_none, facts_load, NULL, false, "f:f", NULL };
const OpInfo op_load_bytes = { "load_bytes", "the examples of a group, one after the other", 0, 0, NULL, false, none, infer_set, grad_none, facts_none, NULL, false, "t:t", NULL };
const OpInfo op_labels = { "labels", "the labels of a group, side by side", 0, 0, NULL, false, none, infer_set, grad_none, facts_labels, NULL, false, "i:i", NULL };
const OpInfo op_stack = { "stack", "y = the steps of x, one after the other", 1, 1, NULL, false, none, infer_stack, grad_backward_only, facts_steps, NULL, false, "t:a", NULL };
const OpInfo op_pick = { "pick", "y = x at one step", 1, 1, NULL, false, none, infer_same, grad_backward_only, facts_steps, NULL, false, "t:a", NULL };
const OpInfo op_sum_steps = { "sum_steps", "y = x summed over the steps", 1, 1, NULL, false, none, infer_same, NULL, facts_steps, NULL, false, "t:a", NULL };
const OpInfo op_fill = { "fill", "y = 0", 0, 0, NULL, false, none, infer_set, grad_none, facts_fill, NULL, false, "f:f", NULL };
const OpInfo op_broadcast = { "broadcast", "y = a parameter, for every example", 0, 0, NULL, false, none, infer_set, grad_broadcast, facts_broadcast, NULL, false, "f:f", NULL };
const OpInfo op_copy = { "copy", "y = x", 1, 1, NULL, false, none, infer_same, grad_copy, facts_none, NULL, false, "f:f", NULL };
const OpInfo op_fold = { "fold", "the groups' parts of a gradient, added in a fixed tree", 0, 0, NULL, false, none, infer_set, NULL, facts_none, NULL, true, "f:f", NULL };
static bool infer_never(Model *m, Op *op) { (void)m, (void)op; unreachable("last is made a pick by flow.c"); }
const OpInfo op_last = { "last", "y = x at the last step", 1, 1, NULL, false, none, infer_never, grad_none, facts_none, NULL, false, "", &help_last };
