/* elements.c -- operators that are functions of the table of formulas (relu, tanh, sigmoid, add, multiply, sum) get their formula and its gradient.
 *
 * In: the graph with its gradients, identified.  Out: Op.formula of each of them, as a formula's own.  Called by join.c; emit.c then makes C of them
 * all by one template.  Their gradients keep the order and the rounding that these operators have always had: tanh's is fused, and a product of more
 * than two factors is multiplied from the left, each time but by the operand's own. */
#include "lower/elements.h"
#include "formula/formula.h"
#include "lower/joinable.h"

/* x1 + x2 + ..., or x1 x2 ..., from the left. */
static Formula *chain(Arena *a, FunctionKind function, int count)
{
    Formula *f = NEW(a, Formula);
    *f = (Formula){ .dag = dag_new(a), .operands = NEW_ARRAY(a, FormulaOperand, count), .operand_count = count };
    for (int k = 0; k < count; k++) {
        Node *x = dag_input(f->dag, k);
        f->operands[k] = (FormulaOperand){ .name = arena_printf(a, "x%d", k + 1), .value = k };
        f->root = k ? dag_call(f->dag, function, f->root, x, NULL) : x;
    }
    return f;
}

const Formula *elements_sum(Arena *a, int count) { return chain(a, FN_add, count); }

/* The row of functions.def that an activation is; FN_COUNT: the operator is none. */
static FunctionKind activation_of(OpKind kind)
{
    switch (kind) {
    case OP_relu: return FN_relu;
    case OP_tanh: return FN_tanh;
    case OP_sigmoid: return FN_sigmoid;
    default: return FN_COUNT;
    }
}

bool op_masks(OpKind kind)
{
    const FunctionKind f = activation_of(kind);
    return f != FN_COUNT && function_masks(f);
}

static const Formula *formula_of(Model *m, const Op *op)
{
    if (activation_of(op->kind) != FN_COUNT)
        return formula_function(m->arena, activation_of(op->kind), NULL);
    switch (op->kind) {
    case OP_add:
    case OP_sum: return elements_sum(m->arena, op->read_count);
    case OP_multiply: return chain(m->arena, FN_mul, op->read_count);
    default: unreachable("an operator without a formula");
    }
}

/* dy (1 - y y) */
static Node *tanh_gradient(Dag *g)
{
    Node *y = dag_input(g, INPUT_RESULT);
    return dag_call(g, FN_mul, dag_input(g, INPUT_DY), dag_call(g, FN_fnma, y, y, dag_number(g, 1)), NULL);
}

/* dy times all operands but `skip`. */
static Node *product_gradient(Dag *g, int count, int skip)
{
    Node *d = dag_input(g, INPUT_DY);
    for (int k = 0; k < count; k++)
        d = k == skip ? d : dag_call(g, FN_mul, d, dag_input(g, k), NULL);
    return d;
}

static FormulaGradient *gradient_of(Model *m, const Op *op)
{
    const Formula *f = op->formula.f;
    if (op->kind != OP_tanh && op->kind != OP_multiply)
        return formula_gradient(f, op->grad.inputs, true);
    FormulaPart *parts = NEW_ARRAY(m->arena, FormulaPart, op->read_count);
    int count = 0;
    for (int k = 0; k < op->read_count; k++)
        if (op->grad.inputs[k])
            parts[count++] = (FormulaPart){ op->kind == OP_tanh ? tanh_gradient(f->dag) : product_gradient(f->dag, op->read_count, k), k };
    return formula_gradient_of(f, parts, count);
}

void elements_prepare(Model *m)
{
    for_each_op(w, &m->forward)
        if (op_is_elementwise(w.op->kind) && w.op->kind != OP_formula)
            w.op->formula.f = formula_of(m, w.op);
    for_each_op(w, &m->backward) {
        Op *op = (Op *)(uintptr_t)forward_of(w.op);
        if (!op_is_elementwise(op->kind))
            continue;
        if (op->kind != OP_formula)             /* those in an epilogue, too, which stand in no section of forward */
            op->formula.f = formula_of(m, op);
        if (w.op->pass == BACKWARD && op->kind != OP_formula)
            op->formula.gradient = gradient_of(m, op);
        if (w.op->pass == BACKWARD)
            elements_read(w.op);
    }
}

void elements_read(Op *backward)
{
    const Op *op = backward->of;
    const FormulaGradient *g = op->formula.gradient;
    backward->read_count = 1;                   /* dy */
    for (int k = 0; k < op->read_count; k++)
        if (g->reads[k])
            op_read(backward, op->reads[k].tensor, op->reads[k].shift);
    for (int k = 0; k < op->formula.f->kept_count; k++)
        if (g->reads[op->read_count + k])
            op_read(backward, op->writes[1 + k].tensor, 0);
    if (g->reads_result)
        op_read(backward, op->writes[0].tensor, 0);
}

bool elements_wait(const Model *m, const Section *s, int from, int at)
{
    if (m->lanes == 1)
        return false;
    bool *needed = NEW_ARRAY(m->arena, bool, at + 1);
    needed[at] = true;
    for (int k = at; k > from; k--) {
        const Op *op = s->ops.items[k];
        if (needed[k] && k < at && op_is_whole(op))
            return true;
        for (int r = 0; needed[k] && r < op->read_count; r++) {
            const Op *maker = tensor_value(op->reads[r].tensor)->op;
            const int made = maker ? list_index(&s->ops, maker) : -1;
            if (made > from && made < k)
                needed[made] = true;
        }
    }
    return false;
}

bool elements_behind_norm(const Model *m, const Tensor *t)
{
    const Op *norm = t->op;
    if (m->lanes == 1 || !norm || norm->kind != OP_batch_norm || norm->pass != FORWARD || t->flow_name || t->shown)
        return false;
    return reads_in(&m->forward, t, NULL, NULL) == 1;
}
