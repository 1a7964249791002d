/* applied.c -- an operator that works element by element, as a formula: so another operator can compute it on the numbers that it has at hand.
 *
 * In: a relu, tanh, sigmoid or formula.  Out: nodes over its operands, dy and the result.  Used by plan/norms.c and by the facts of batch norms.
 * The gradient of tanh is one multiply-add in its template, and that of sigmoid is a product with a function in it, so neither is given. */
#include "lower/applied.h"

bool is_applied(const Op *op) { return op->kind == OP_relu || op->kind == OP_tanh || op->kind == OP_sigmoid || op->kind == OP_formula; }

Applied applied_of(Arena *a, const Op *op)
{
    if (op->kind == OP_formula)
        return (Applied){ (Formula *)(uintptr_t)op->formula.f, op->formula.gradient };
    Formula *f = formula_function(a, (FunctionKind)function_find(op_table[op->kind]->name), NULL);
    const bool wanted = true;
    return (Applied){ f, op->kind == OP_relu ? formula_gradient(f, &wanted, true) : NULL };
}
