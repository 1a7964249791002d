/* gradient.c -- the gradients of a formula's operands from its DAG and the derivatives of functions.def; its kinks.
 *
 * In: a Formula.  Out: nodes over its operands, dy and the result.  The DAG is walked from the root to the operands.  What reaches a node
 * is a sum, in the order in which its readers are met; what reaches an operand of it is that sum times the derivative, rounded as written.
 * A branch of `where` brings with it the condition under which it counts, and what it multiplies on its way is chosen by that condition in
 * the end: where a branch is not chosen its gradient is 0, though a derivative on the way may be infinite or NaN. */
#include "formula/formula.h"
#include "formula/rows.h"

/* A gradient on its way: `value` where `active` holds, else 0.  active NULL: everywhere; value NULL: none. */
typedef struct {
    Node *value, *active;
} Adjoint;

static const Adjoint NOTHING = { NULL, NULL };

static Node *negation(Dag *g, Node *c) { return dag_call(g, FN_not, c, NULL, NULL); }

/* Conditions, NULL being the one that always holds. */
static Node *both(Dag *g, Node *a, Node *b) { return !a ? b : !b ? a : dag_call(g, FN_and, a, b, NULL); }

/* True if a and b are x and not x. */
static bool opposite(const Node *a, const Node *b)
{
    return (node_is(a, FN_not) && a->arg[0] == b) || (node_is(b, FN_not) && b->arg[0] == a);
}

/* If a and b are c and not c, or p and c, p and not c: sets *c and *p (NULL: always) and returns true. */
static bool branches(Node *a, Node *b, Node **c, Node **p)
{
    *p = NULL;
    *c = a;
    if (opposite(a, b))
        return true;
    if (!node_is(a, FN_and) || !node_is(b, FN_and) || a->arg[0] != b->arg[0] || !opposite(a->arg[1], b->arg[1]))
        return false;
    *p = a->arg[0];
    *c = a->arg[1];
    return true;
}

static Node *settled(Dag *g, Adjoint d) { return d.active ? dag_call(g, FN_where, d.active, d.value, dag_number(g, 0)) : d.value; }

static Adjoint sum(Dag *g, Adjoint a, Adjoint b)
{
    Node *c, *p;
    if (!a.value || !b.value)
        return a.value ? a : b;
    if (a.active == b.active)
        return (Adjoint){ dag_call(g, FN_add, a.value, b.value, NULL), a.active };
    if (a.active && b.active && branches(a.active, b.active, &c, &p))
        return (Adjoint){ dag_call(g, FN_where, c, a.value, b.value), p };
    Node *value = dag_call(g, FN_add, settled(g, a), settled(g, b), NULL);
    return (Adjoint){ value, a.active && b.active ? dag_call(g, FN_or, a.active, b.active, NULL) : NULL };
}

/* d times a derivative. */
static Adjoint times(Dag *g, Adjoint d, Node *factor)
{
    if (node_is_number(factor, 0))
        return NOTHING;
    if (node_is(factor, FN_where)) {
        Node *c = factor->arg[0];
        Adjoint yes = times(g, (Adjoint){ d.value, both(g, d.active, c) }, factor->arg[1]);
        return sum(g, yes, times(g, (Adjoint){ d.value, both(g, d.active, negation(g, c)) }, factor->arg[2]));
    }
    if (node_is(factor, FN_neg)) {
        Adjoint inner = times(g, d, factor->arg[0]);
        return inner.value ? (Adjoint){ dag_call(g, FN_neg, inner.value, NULL, NULL), inner.active } : NOTHING;
    }
    if (node_is(factor, FN_div) && node_is_number(factor->arg[0], 1))
        return (Adjoint){ dag_call(g, FN_div, d.value, factor->arg[1], NULL), d.active };
    return (Adjoint){ dag_call(g, FN_mul, d.value, factor, NULL), d.active };
}

/* Sets needs[id] where a wanted operand is below n (seen: looked at already). */
static bool mark(const Node *n, const bool *wanted, bool *needs, bool *seen)
{
    if (seen[n->id])
        return needs[n->id];
    seen[n->id] = true;
    bool any = n->kind == NODE_INPUT && n->input >= 0 && wanted[n->input];
    for (int i = 0; i < node_args(n); i++)
        any |= mark(n->arg[i], wanted, needs, seen);
    return needs[n->id] = any;
}

/* ---- what is read ---- */

typedef struct {
    bool *operands, dy, result;
    int functions, costly;
} Reads;

/* A few instructions at most. */
static bool is_cheap(FunctionKind f) { return f == FN_sqrt || f == FN_abs || f == FN_relu || f == FN_min || f == FN_max || f == FN_sign || f == FN_floor || f == FN_fnma; }

static Reads reads_of(const Formula *f, Node *const *roots, int count)
{
    Dag *g = f->dag;
    bool *reached = NEW_ARRAY(g->arena, bool, g->nodes.count);
    Reads r = { NEW_ARRAY(g->arena, bool, f->operand_count + f->kept_count), false, false, 0, 0 };
    for (int k = 0; k < count; k++)
        if (roots[k])
            dag_reach(roots[k], reached);
    for (int i = 0; i < g->nodes.count; i++) {
        const Node *n = g->nodes.items[i];
        if (!reached[i])
            continue;
        const bool function = n->kind == NODE_CALL && function_table[n->function].c != NULL;
        r.functions += function;
        r.costly += (function && !is_cheap(n->function)) || node_is(n, FN_power);
        if (n->kind == NODE_INPUT && n->input >= 0)
            r.operands[n->input] = true;
        r.dy |= n->kind == NODE_INPUT && n->input == INPUT_DY;
        r.result |= n->kind == NODE_INPUT && n->input == INPUT_RESULT;
    }
    return r;
}

static int count_of(const Formula *f, const bool *reads)
{
    int n = 0;
    for (int k = 0; k < f->operand_count; k++)
        n += reads[k];
    return n;
}

FormulaGradient *formula_gradient(const Formula *f, const bool *wanted, bool result_kept)
{
    Dag *g = f->dag;
    int nodes = g->nodes.count;
    bool *needs = NEW_ARRAY(g->arena, bool, nodes);
    Adjoint *d = NEW_ARRAY(g->arena, Adjoint, nodes);
    FormulaGradient *gradient = NEW(g->arena, FormulaGradient);
    Node **read_again = NEW_ARRAY(g->arena, Node *, f->operand_count);
    gradient->d = NEW_ARRAY(g->arena, Node *, f->operand_count);
    mark(f->root, wanted, needs, NEW_ARRAY(g->arena, bool, nodes));
    d[f->root->id].value = needs[f->root->id] ? dag_input(g, INPUT_DY) : NULL;
    for (int id = f->root->id; id >= 0; id--) {
        Node *n = g->nodes.items[id];
        if (!d[id].value)
            continue;
        if (n->kind == NODE_INPUT)
            gradient->d[n->input] = settled(g, d[id]);
        for (int i = 0; i < node_args(n); i++)
            if (needs[n->arg[i]->id])
                d[n->arg[i]->id] = sum(g, d[n->arg[i]->id], times(g, d[id], function_derivative(g, n, i)));
    }
    Reads r = reads_of(f, gradient->d, f->operand_count);
    if (result_kept && f->root->kind == NODE_CALL) {
        for (int k = 0; k < f->operand_count; k++)
            read_again[k] = gradient->d[k] ? dag_replace(g, gradient->d[k], f->root, dag_input(g, INPUT_RESULT)) : NULL;
        Reads again = reads_of(f, read_again, f->operand_count);
        if (again.result && (count_of(f, again.operands) < count_of(f, r.operands) || again.functions < r.functions)) {
            gradient->d = read_again;
            r = again;
        }
    }
    gradient->parts = NEW_ARRAY(g->arena, FormulaPart, f->operand_count);
    for (int k = 0; k < f->operand_count; k++)
        if (gradient->d[k])
            gradient->parts[gradient->part_count++] = (FormulaPart){ gradient->d[k], k };
    gradient->reads = r.operands;
    gradient->functions = r.costly;
    gradient->reads_dy = r.dy;
    gradient->reads_result = r.result;
    return gradient;
}

FormulaGradient *formula_gradient_of(const Formula *f, FormulaPart *parts, int count)
{
    Arena *a = f->dag->arena;
    Node **roots = NEW_ARRAY(a, Node *, count + 1);
    for (int i = 0; i < count; i++)
        roots[i] = parts[i].d;
    const Reads r = reads_of(f, roots, count);
    FormulaGradient *g = NEW(a, FormulaGradient);
    *g = (FormulaGradient){ .parts = parts, .part_count = count, .reads = r.operands, .functions = r.costly, .reads_dy = r.dy, .reads_result = r.result };
    return g;
}

void formula_kinks(const Formula *f, List *kinks)
{
    Dag *g = f->dag;
    int nodes = g->nodes.count;
    bool *reached = NEW_ARRAY(g->arena, bool, nodes);
    dag_reach(f->root, reached);
    for (int i = 0; i < nodes; i++) {
        Node *kink = reached[i] && ((Node *)g->nodes.items[i])->kind == NODE_CALL ? function_kink(g, g->nodes.items[i]) : NULL;
        if (kink && kink->kind != NODE_NUMBER && list_index(kinks, kink) < 0)
            list_push(g->arena, kinks, kink);
    }
}

FormulaKinks *formula_pieces(const Formula *f)
{
    Dag *g = f->dag;
    List kinks = { 0 };
    FormulaKinks *k = NEW(g->arena, FormulaKinks);
    formula_kinks(f, &kinks);
    k->count = kinks.count;
    k->nodes = NEW_ARRAY(g->arena, Node *, kinks.count + 1);
    Node **by_result = NEW_ARRAY(g->arena, Node *, kinks.count + 1);
    for (int i = 0; i < kinks.count; i++) {
        k->nodes[i] = kinks.items[i];
        by_result[i] = dag_replace(g, kinks.items[i], f->root, dag_input(g, INPUT_RESULT));
    }
    Reads r = reads_of(f, k->nodes, k->count), by = reads_of(f, by_result, k->count);
    if (count_of(f, by.operands) < count_of(f, r.operands)) {
        k->nodes = by_result;
        r = by;
    }
    k->reads = r.operands;
    k->reads_result = r.result;
    return k;
}
