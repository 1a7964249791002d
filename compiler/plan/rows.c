/* rows.c -- where the rows are made from which the gradients of dense layers' weights are multiplied.
 *
 * In: the sections, joined.  Out: operators WEIGHTS of dense layers in other places, with kernel.by_group.  Next: the rest of plan.c, which cuts phases.
 * A WEIGHTS operator lays the gradient of the layer's outputs out anew, outputs side by side (`transpose`).  If that gradient comes from an operator of groups,
 * the rows of a group are made right behind it, by the same thread, while the gradient is in the cache; in a loop at each step.  What else reads the gradient is
 * then often of the same step, so that it need not be kept for all of them.  A gradient that a whole-batch operator makes is laid out by all threads
 * together, as before.  Bit-neutral; the plain form has no rows. */
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

void rows_place(Model *m)
{
    for (int i = 0; i < m->backward.count && m->lanes > 1; i++) {
        Section *from = m->backward.items[i];
        for (int k = 0; k < from->ops.count; k++) {
            Op *op = from->ops.items[k];
            if (op->kind != OP_dense || op->pass != WEIGHTS || !op->kernel.deferred || op->kernel.by_group)
                continue;
            const Tensor *dy = op->reads[0].tensor;
            Section *to = NULL;
            int at = 0;
            const Op *maker = op->reads[0].shift || dy->space != REALS ? NULL : maker_of(m, tensor_value(dy), &to, &at);
            if (!maker || op_is_whole(maker) || dy->repeat != (to->kind == ONCE ? NULL : to->repeat))
                continue;
            op->kernel.by_group = true;
            list_remove(&from->ops, k);
            list_insert(m->arena, &to->ops, to == from && k < at ? at : at + 1, op);
            k -= to != from || k < at;
        }
    }
}
