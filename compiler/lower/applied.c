/* applied.c -- an operator that works element by element, as a formula: so another operator can compute it on the numbers that it has at hand.
 *
 * In: an operator that has a formula (elements.c), joined or not.  Out: nodes over its operands, dy and the result.  Used by plan/norms.c and by the
 * facts of batch norms. */
#include "lower/applied.h"

bool is_applied(const Op *op) { return op_is_elementwise(op->kind); }

int applied_part(const Applied *a, int operand)
{
    for (int i = 0; i < a->gradient->part_count; i++)
        if (a->gradient->parts[i].operand == operand)
            return i;
    return -1;
}

Applied applied_of(Arena *a, const Op *op)
{
    Applied x = { (Formula *)(uintptr_t)op->formula.f, op->formula.gradient, NULL };
    if (!x.gradient)
        return x;
    Node **d = NEW_ARRAY(a, Node *, x.f->operand_count + 1);
    for (int i = 0; i < x.gradient->part_count; i++) {
        const FormulaPart *part = &x.gradient->parts[i];
        if (d[part->operand])
            return x;
        d[part->operand] = part->d;
    }
    x.d = d;
    return x;
}
