/* formulas.c -- what an operator computes element by element, and its gradient, as people write them: for explain and the page.
 *
 * In: a forward operator that has a formula.  Out: lines of text.  Of a joined operator each formula has its line. */
#include "formula/formula.h"
#include "tell/card.h"
#include <string.h>

static void push_lines(Model *m, List *lines, const char *text)
{
    for (const char *line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n')
        list_push(m->arena, lines, arena_copy(m->arena, line, strcspn(line, "\n")));
}

/* What operands and kept values are called; a name that another one has is its tensor's. */
static const char **names_of(Model *m, const Op *op)
{
    const Formula *f = op->formula.f;
    const int count = op->read_count + f->kept_count;
    const char **names = NEW_ARRAY(m->arena, const char *, count + 1);
    for (int k = 0; k < count; k++) {
        const bool kept = k >= op->read_count;
        names[k] = kept ? f->kept_names[k - op->read_count] : formula_operand_text(m->arena, f, k);
        for (int i = 0; i < k; i++)
            if (!strcmp(names[i], names[k]))
                names[k] = (kept ? op->writes[1 + k - op->read_count] : op->reads[k]).tensor->name;
    }
    return names;
}

List card_formula(Model *m, const Op *op)
{
    List lines = { 0 };
    if (op_is_elementwise(op->kind) && op->formula.f)
        push_lines(m, &lines, formula_steps_text(m->arena, op->formula.f, "y"));
    return lines;
}

List card_derivatives(Model *m, const Op *op)
{
    List lines = { 0 };
    if (!op_is_elementwise(op->kind) || !op->formula.f || !op->formula.gradient)
        return lines;
    const FormulaGradient *g = op->formula.gradient;
    const char **names = names_of(m, op), **results = NEW_ARRAY(m->arena, const char *, g->part_count + 1);
    Node **roots = NEW_ARRAY(m->arena, Node *, g->part_count + 1);
    for (int i = 0; i < g->part_count; i++) {
        roots[i] = g->parts[i].d;
        results[i] = arena_printf(m->arena, "d_%s", names[g->parts[i].operand]);
    }
    push_lines(m, &lines, formula_texts(m->arena, op->formula.f->dag, roots, g->part_count, names, "dy", "y", results));
    return lines;
}
