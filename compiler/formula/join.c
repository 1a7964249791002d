/* join.c -- two formulas, one of which reads the other's result, as one; and their gradients.
 *
 * In: both formulas, their gradients, and where their operands stand among those of the joined one.  Out: a Formula with a DAG of its own.
 * The nodes are taken over as they are.  The gradient is not made anew from the joined DAG, whose sums would stand in another order and whose
 * conditions would reach further: it is that of `last`, and that of `first` with d(its value) in the place of dy. */
#include "formula/formula.h"

typedef struct {
    Dag *to;
    Node *const *inputs; /* by number, of operands and of what is kept */
    Node *dy, *result;
    Node **made; /* by id of the old node */
} Import;

static Import import_of(const Formula *joined, const Formula *from, Node *const *inputs, Node *dy, Node *result)
{
    return (Import){ joined->dag, inputs, dy, result, NEW_ARRAY(joined->dag->arena, Node *, from->dag->nodes.count) };
}

static Node *import(Import *i, const Node *n)
{
    Node *arg[3] = { NULL };
    if (i->made[n->id])
        return i->made[n->id];
    if (n->kind == NODE_NUMBER)
        return i->made[n->id] = dag_number(i->to, n->number);
    if (n->kind == NODE_INPUT)
        return n->input == INPUT_DY ? i->dy : n->input == INPUT_RESULT ? i->result : i->inputs[n->input];
    for (int k = 0; k < node_args(n); k++)
        arg[k] = import(i, n->arg[k]);
    return i->made[n->id] = dag_call(i->to, n->function, arg[0], arg[1], arg[2]);
}

const char *formula_operand_text(Arena *a, const Formula *f, int operand)
{
    const FormulaOperand *o = &f->operands[operand];
    return o->name ? o->name : arena_printf(a, o->number->kind == SYNTAX_PARAM ? "%s" : "(%s)", syntax_text(a, o->number));
}

/* What stands for the operands and kept values of one of the two; kept: the place of its first kept value among those of both. */
static Node **inputs_of(const Formula *joined, const Formula *f, const int *place, int kept, int at, Node *value)
{
    Node **inputs = NEW_ARRAY(joined->dag->arena, Node *, f->operand_count + f->kept_count + 1);
    for (int k = 0; k < f->operand_count; k++)
        inputs[k] = k == at ? value : dag_input(joined->dag, place[k]);
    for (int k = 0; k < f->kept_count; k++)
        inputs[f->operand_count + k] = dag_input(joined->dag, joined->operand_count + kept + k);
    return inputs;
}

static void keep(Formula *f, Node *n, const char *name)
{
    f->kept[f->kept_count] = n;
    f->kept_names[f->kept_count++] = name;
}

/* Takes over the formulas that f was made of, or f itself; its value is called `name`. */
static void take_steps(Formula *joined, const Formula *f, const char *name)
{
    for (int i = 0; i < f->step_count; i++)
        joined->steps[joined->step_count++] = f->steps[i];
    if (!f->step_count)
        joined->steps[joined->step_count++].of = f;
    joined->steps[joined->step_count - 1].name = name;
}

const char *formula_steps_text(Arena *a, const Formula *f, const char *result)
{
    const FormulaStep own = { result, f }, *steps = f->step_count ? f->steps : &own;
    Text t = { .arena = a };
    for (int i = 0; i < (f->step_count ? f->step_count : 1); i++) {
        const Formula *of = steps[i].of;
        const char **names = NEW_ARRAY(a, const char *, of->operand_count + 1);
        for (int k = 0; k < of->operand_count; k++)
            names[k] = formula_operand_text(a, of, k);
        text_printf(&t, "%s%s", i ? "\n" : "",
                    formula_text(a, of->dag, of->root, names, NULL, NULL, i + 1 < f->step_count ? steps[i].name : result));
    }
    return t.text;
}

Formula *formula_join(Arena *a, const FormulaJoin *j)
{
    const Formula *first = j->first, *last = j->last;
    const int kept = first->kept_count + last->kept_count + 1, steps = first->step_count + last->step_count + 2;
    Formula *f = NEW(a, Formula);
    *f = (Formula){ .dag = dag_new(a),
                    .operands = j->operands,
                    .operand_count = j->operand_count,
                    .kept = NEW_ARRAY(a, Node *, kept),
                    .kept_names = NEW_ARRAY(a, const char *, kept),
                    .steps = NEW_ARRAY(a, FormulaStep, steps) };
    Import of_first = import_of(f, first, inputs_of(f, first, j->first_place, 0, -1, NULL), NULL, NULL);
    Node *value = import(&of_first, first->root);
    Import of_last = import_of(f, last, inputs_of(f, last, j->last_place, 0, j->at, value), NULL, NULL);
    f->root = import(&of_last, last->root);
    for (int k = 0; k < last->kept_count; k++)
        keep(f, import(&of_last, last->kept[k]), last->kept_names[k]);
    for (int k = 0; k < first->kept_count; k++)
        keep(f, import(&of_first, first->kept[k]), first->kept_names[k]);
    const char *name = last->operands[j->at].name;
    if (j->kept)
        keep(f, value, name);
    take_steps(f, first, name);
    take_steps(f, last, "y");
    return f;
}

FormulaGradient *formula_join_gradient(const Formula *joined, const FormulaJoin *j, const FormulaGradient *first,
                                       const FormulaGradient *last)
{
    Arena *a = joined->dag->arena;
    const Formula *f = j->first, *l = j->last;
    FormulaPart *parts = NEW_ARRAY(a, FormulaPart, last->part_count + (first ? first->part_count : 0) + 1);
    Import values = import_of(joined, f, inputs_of(joined, f, j->first_place, l->kept_count, -1, NULL), NULL, NULL);
    for (int k = 0; k < f->kept_count; k++)
        values.made[f->kept[k]->id] = dag_input(joined->dag, joined->operand_count + l->kept_count + k);
    Node *value = j->kept ? dag_input(joined->dag, joined->operand_count + joined->kept_count - 1) : import(&values, f->root), *dy = NULL;
    Import of_last = import_of(joined, l, inputs_of(joined, l, j->last_place, 0, j->at, value), dag_input(joined->dag, INPUT_DY),
                               dag_input(joined->dag, INPUT_RESULT));
    int count = 0;
    for (int i = 0; i < last->part_count; i++) {
        Node *d = import(&of_last, last->parts[i].d);
        if (last->parts[i].operand == j->at)
            dy = d;
        if (last->parts[i].operand != j->at || !first)
            parts[count++] =
                (FormulaPart){ d, last->parts[i].operand == j->at ? j->first_place[0] : j->last_place[last->parts[i].operand] };
    }
    if (first && dy) {
        Import of_first = import_of(joined, f, values.inputs, dy, value);
        for (int i = 0; i < first->part_count; i++)
            parts[count++] = (FormulaPart){ import(&of_first, first->parts[i].d), j->first_place[first->parts[i].operand] };
    }
    return formula_gradient_of(joined, parts, count);
}
