/* decisions.c -- facts of what a pass decides by comparison: the sign of a relu, the winner of a window, the side of a kink.
 *
 * In: the planned graph.  Out: a list of facts, from which the inspecting half of a program counts decisions that change when `check` moves a
 * weight. */
#include "emit/decisions.h"
#include "emit/place.h"
#include "formula/formula.h"
#include "lower/elements.h"
#include "outside/outside.h"

/* The slice of t, once or of y's repeat or one around it, at the steps of slice s of y. */
static const char *slice_around(Model *m, const Tensor *y, const Tensor *t)
{
    const char *row = m->options.plain ? "N" : "G";
    if (t->repeat == y->repeat)
        return "s";
    return t->repeat ? arena_printf(m->arena, "s %% (%d * %s)", steps_all(t->repeat), row) : arena_printf(m->arena, "s %% %s", row);
}

/* The slice of an operand in slice s of its result y: of a state, that of the step before. */
static const char *slice_read(Model *m, const Tensor *y, Use u)
{
    const Repeat *r = u.tensor->repeat;
    const char *at = slice_around(m, y, u.tensor);
    const int shift = !r ? 0 : r->reverse ? -u.shift : u.shift, slots = (shift < 0 ? -shift : shift) * steps_all(r ? r->outer : NULL);
    const char *far = slots == 1 ? "" : arena_printf(m->arena, "%d * ", slots);
    return shift ? arena_printf(m->arena, "%s %c %s%s", at, shift < 0 ? '-' : '+', far, m->options.plain ? "N" : "G") : at;
}

/* Appends the decisions of `op` that stand in an operand or a result, as a kind that the template has; NULL, and nothing appended: backward does not
 * rely on them. */
static Fact *add(Model *m, Fact *list, const char *kind, const Op *op, Use u)
{
    Tensor *t = u.tensor;
    if (!tensor_value(t)->decides && (tensor_owner(t)->local || tensor_owner(t)->last_phase < m->forward_phases.count))
        return NULL;
    const Repeat *r = op->writes[0].tensor->repeat;
    Fact *d = fact_table(m->arena);
    fact_text(d, "kind", kind);
    fact_text(d, "name", op_function(op));
    const char *at = slice_read(m, op->writes[0].tensor, u);
    fact_text(d, "tensor", place_slice(m, t, at));
    fact_text(d, "flat", place_flat(m, t, at));
    fact_text(d, "slices", place_count(m, steps_all(r)));
    fact_int(d, "size", shape_count(&t->shape) * m->lanes);
    fact_push(list, d);
    return d;
}

/* Signs of an activation's result that a batch norm computes: from the map that is normalised, since the result need not be kept. */
static void add_norm(Model *m, Fact *list, const Op *norm)
{
    const Tensor *x = norm->reads[0].tensor, *statistics = norm->reads[1].tensor;
    Fact *d = add(m, list, "norm", norm, norm->reads[0]);
    if (!d)
        return;
    fact_text(d, "statistics", place_slice(m, statistics, statistics->repeat ? "s / G" : "0"));
    fact_int(d, "C", x->shape.dim[0]);
}

/* The pieces that the elements of a formula lie in, each between kinks. */
static void add_formula(Model *m, Fact *list, const Op *op)
{
    const FormulaKinks *kinks = op->formula.kinks;
    const Tensor *y = op->writes[0].tensor;
    Text arguments = { .arena = m->arena };
    for (int k = 0; k < op->read_count; k++)
        if (kinks->reads[k])
            text_printf(&arguments, ", %s", place_flat(m, op->reads[k].tensor, slice_read(m, y, op->reads[k])));
    if (kinks->reads_result)
        text_printf(&arguments, ", %s", place_flat(m, y, "s"));
    Fact *d = fact_table(m->arena);
    fact_text(d, "kind", "formula");
    fact_text(d, "name", op_function(op));
    fact_text(d, "arguments", arguments.text ? arguments.text : "");
    fact_text(d, "slices", place_count(m, steps_all(y->repeat)));
    fact_push(list, d);
}

void decisions_of(Model *m, Fact *list, const Op *op, bool forward, bool has_function)
{
    const bool masks = op_masks(op->fuse.act) || (op_masks(op->kind) && forward) || (op->kind == OP_maxpool && op->fuse.masks) || op->kind == OP_conv_pool;
    if (op->norms.applies && op_masks(op->norms.applies->kind))
        add_norm(m, list, op);
    if (masks)
        add(m, list, "positive", op, op->writes[0]);
    if ((op->kind == OP_maxpool || op->kind == OP_conv_pool) && op->grad.keeps)
        add(m, list, "maxpool", op, op->writes[1]);
    if (outside_kink(op).tensor)
        add(m, list, "positive", op, outside_kink(op));
    if (outside_choice(op).tensor)
        add(m, list, "choice", op, outside_choice(op));
    if (has_function && op->kind == OP_formula)
        add_formula(m, list, op);
    else if (has_function)
        add(m, list, "spn", op, op->reads[1]);
}
