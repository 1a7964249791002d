/* kinks.c -- formulas with kinks: a difference of two losses across one says nothing of a gradient, so `check` compares on which side each element lies.
 * A sampler has one wherever a point goes from pixel to pixel.
 *
 * In: the graph with its gradients, its formulas joined.  Out: Op.formula.kinks; Tensor.decides of what they are told by (of a sampler: its
 * transform), which then stays until the forward pass is over. */
#include "formula/formula.h"
#include "spnc.h"

/* True if the slot of every operand follows from that of the result: of its own repeat, of one around that, or made once. */
static bool in_step(const Op *op, const FormulaKinks *kinks)
{
    for (int k = 0; k < op->read_count; k++) {
        const Tensor *x = op->reads[k].tensor;
        if (kinks->reads[k] && !repeat_within(op->writes[0].tensor->repeat, x->repeat))
            return false;
    }
    return true;
}

void kinks_set(Op *op)
{
    if (!op->writes[0].tensor->trained)
        return;
    FormulaKinks *kinks = formula_pieces(op->formula.f);
    if (!kinks->count || !in_step(op, kinks))
        return;
    op->formula.kinks = kinks;
    for (int k = 0; k < op->read_count; k++)
        if (kinks->reads[k])
            tensor_value(op->reads[k].tensor)->decides = true;
    if (kinks->reads_result)
        op->writes[0].tensor->decides = true;
}

void kinks_mark(Model *m)
{
    for_each_op(w, &m->forward)
        if (w.op->kind == OP_formula)
            kinks_set(w.op);
        else if (w.op->kind == OP_spn && w.op->reads[1].tensor->trained)
            tensor_value(w.op->reads[1].tensor)->decides = true;
}
