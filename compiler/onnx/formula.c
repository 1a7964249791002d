/* formula.c -- a formula as nodes of ONNX, a node for each operation of its DAG.
 *
 * In: an operator `formula` and the names of its operands.  Out: lines (lines.h).  Operands are aligned at the right as numpy does it; the examples
 * stand in front of that, so an operand of fewer axes gets axes of one element behind the examples.  Conditions are ONNX's booleans, and become 0 or 1
 * where they are calculated with. */
#include "formula/formula.h"
#include "onnx/operators.h"
#include <string.h>

typedef struct { Onnx *o; const char **operands, **names; } Nodes;

/* By FunctionKind; NULL: written below. */
static const char *const types[FN_OWN] = {
    [FN_add] = "Add", [FN_sub] = "Sub",        [FN_mul] = "Mul",    [FN_div] = "Div",           [FN_neg] = "Neg",   [FN_power] = "Pow",
    [FN_lt] = "Less", [FN_le] = "LessOrEqual", [FN_gt] = "Greater", [FN_ge] = "GreaterOrEqual", [FN_eq] = "Equal",  [FN_and] = "And",
    [FN_or] = "Or",   [FN_not] = "Not",        [FN_exp] = "Exp",    [FN_log] = "Log",           [FN_sqrt] = "Sqrt", [FN_abs] = "Abs",
    [FN_sin] = "Sin", [FN_cos] = "Cos",        [FN_tanh] = "Tanh",  [FN_sigmoid] = "Sigmoid",   [FN_relu] = "Relu", [FN_erf] = "Erf",
    [FN_min] = "Min", [FN_max] = "Max",        [FN_sign] = "Sign",  [FN_floor] = "Floor",
};

static const char *name_of(Nodes *n, const Node *x);

static const char *condition(Nodes *n, const Node *x)
{
    return node_is_condition(x) ? name_of(n, x) : onnx_node(n->o, "Cast", NULL, name_of(n, x), "to=9");
}

static const char *number(Nodes *n, const Node *x)
{
    return node_is_condition(x) ? onnx_node(n->o, "Cast", NULL, name_of(n, x), "to=1") : name_of(n, x);
}

static const char *call(Nodes *n, const Node *x)
{
    Onnx *o = n->o;
    const bool logic = x->function == FN_and || x->function == FN_or || x->function == FN_not;
    const char *a = logic || x->function == FN_where ? condition(n, x->arg[0]) : number(n, x->arg[0]);
    const char *b = node_args(x) < 2 ? "" : logic ? condition(n, x->arg[1]) : number(n, x->arg[1]);
    switch (x->function) {
    case FN_where: return onnx_node(o, "Where", NULL, onnx_text(o, "%s %s %s", a, b, number(n, x->arg[2])), "");
    case FN_ne: return onnx_node(o, "Not", NULL, onnx_node(o, "Equal", NULL, onnx_text(o, "%s %s", a, b), ""), "");
    case FN_expm1: return onnx_node(o, "Sub", NULL, onnx_text(o, "%s real:1", onnx_node(o, "Exp", NULL, a, "")), "");
    case FN_log1p: return onnx_node(o, "Log", NULL, onnx_node(o, "Add", NULL, onnx_text(o, "%s real:1", a), ""), "");
    default: break;
    }
    if (x->function >= FN_OWN || !types[x->function])
        unreachable("a function of formulas without a form in ONNX");
    return onnx_node(o, types[x->function], NULL, *b ? onnx_text(o, "%s %s", a, b) : a, "");
}

/* Each node of the DAG is written once. */
static const char *name_of(Nodes *n, const Node *x)
{
    if (!n->names[x->id])
        n->names[x->id] = x->kind == NODE_NUMBER  ? onnx_text(n->o, "real:%.9g", x->number)
                          : x->kind == NODE_INPUT ? n->operands[x->input]
                                                  : call(n, x);
    return n->names[x->id];
}

const char *onnx_formula(Onnx *o, const Op *op, const char *const *x, const char *out)
{
    const Formula *f = op->formula.f;
    const Shape *y = &op->writes[0].tensor->shape;
    Nodes n = { o, NEW_ARRAY(o->m->arena, const char *, op->read_count + 1), NEW_ARRAY(o->m->arena, const char *, f->dag->nodes.count) };
    bool whole = false;                                       /* an operand of the result's own shape is in it */
    for (int k = 0; k < op->read_count; k++) {
        const Shape *s = &op->reads[k].tensor->shape;
        whole = whole || shape_equal(s, y);
        n.operands[k] =
            s->rank == y->rank ? x[k] : onnx_node(o, "Reshape", NULL, onnx_text(o, "%s %s", x[k], onnx_shape(o, s, y->rank - s->rank)), "");
    }
    const char *value = number(&n, f->root);
    return whole && f->root->kind != NODE_NUMBER ? onnx_node(o, "Identity", out, value, "") : onnx_every(o, value, y, out);
}
