/* rows.c -- where the rows are made from which the gradients of dense layers' weights are multiplied.
 *
 * In: the sections, joined.  Out: operators WEIGHTS of dense layers in other places, with rows.by_group.  Next: the rest of plan.c, which cuts
 * phases.
 * A WEIGHTS operator lays the gradient of the layer's outputs out anew, outputs side by side (`transpose`).  If that gradient comes from an operator
 * of groups, the rows of a group are made right behind it, by the same thread, while the gradient is in the cache; in a loop at each step.  What else
 * reads the gradient is then often of the same step, so that it need not be kept for all of them.  A gradient that a whole-batch operator makes is
 * laid out by all threads together.  Layers with the same gradient, as both of an LSTM, have the same rows, which are made once.  Bit-neutral; the
 * plain form has no rows. */
#include "spnc.h"

/* The one operator that computes t, and where it stands; NULL: there is none in the backward pass, or several write t. */
static const Op *maker_of(Model *m, const Tensor *t, Section **section, int *at)
{
    const Op *found = NULL;
    for_each_op(w, &m->backward) {
        for (int k = 0; k < w.op->write_count && !op_is_view(w.op->kind); k++) {
            if (tensor_value(w.op->writes[k].tensor) != t)
                continue;
            if (found || w.op->writes[k].shift)
                return NULL;
            found = w.op, *section = w.section, *at = w.at;
        }
    }
    return found;
}

static bool makes_rows(const Op *op) { return op->kind == OP_dense && op->pass == WEIGHTS && op->kernel.deferred; }

/* Puts them behind the operators of groups that make what they lay out. */
static void move(Model *m)
{
    for (int i = 0; i < m->backward.count; i++) {
        Section *from = m->backward.items[i];
        for (int k = 0; k < from->ops.count; k++) {
            Op *op = from->ops.items[k];
            if (!makes_rows(op) || op->rows.by_group)
                continue;
            const Tensor *dy = op->reads[0].tensor;
            Section *to = NULL;
            int at = 0;
            const Op *maker = op->reads[0].shift || dy->space != REALS ? NULL : maker_of(m, tensor_value(dy), &to, &at);
            if (!maker || op_is_whole(maker) || dy->repeat != (to->kind == ONCE ? NULL : to->repeat))
                continue;
            op->rows.by_group = true;
            list_remove(&from->ops, k);
            list_insert(m->arena, &to->ops, to == from && k < at ? at : at + 1, op);
            k -= to != from || k < at;
        }
    }
}

/* Do both make the same rows? */
static bool same_rows(const Op *a, const Op *b)
{
    return tensor_value(a->reads[0].tensor) == tensor_value(b->reads[0].tensor) && a->reads[0].shift == b->reads[0].shift &&
           op_int(a, "units") == op_int(b, "units") && dense_positions(a) == dense_positions(b);
}

/* Removes an operator that makes what one before it has made. */
static void share(Model *m)
{
    List made = { 0 };                                  /* Op */
    for_each_op(w, &m->backward) {
        const Op *first = NULL;
        for (int i = 0; i < made.count && makes_rows(w.op) && !first; i++)
            first = same_rows(made.items[i], w.op) ? made.items[i] : NULL;
        if (!first) {
            if (makes_rows(w.op))
                list_push(m->arena, &made, w.op);
            continue;
        }
        const Tensor *rows = w.op->writes[0].tensor;
        remark(m, w.op->loc, "%s and %s have one gradient: it is laid out once for both", first->name, w.op->name);
        walk_remove(&w);
        for_each_op(r, &m->backward)
            if (r.op->pass == PRODUCTS && r.op->reads[0].tensor == rows)
                r.op->reads[0].tensor = first->writes[0].tensor;
    }
}

void rows_place(Model *m)
{
    if (m->lanes == 1)
        return;
    move(m);
    share(m);
}
