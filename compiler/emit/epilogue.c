/* epilogue.c -- the function of a sum that a kernel calls where it stores: the activation that was fused into its operator.
 *
 * In: a forward operator.  Out: facts of epilogue.c.in.  The function is made of the row of functions.def, so that no template has to have a case
 * for each activation: another one that is fused needs nothing here. */
#include "emit/epilogue.h"
#include "formula/formula.h"
#include "template/fact.h"
#include <string.h>

/* What a reader may wonder about; empty: nothing. */
static const char *note_of(OpKind act) { return act == OP_relu ? ": a NaN stays a NaN, and -0 stays -0" : ""; }

void epilogue_facts(Model *m, const Op *op, Fact *f)
{
    const bool some = op->fuse.act != OP_NONE;
    fact_bool(f, "has_epilogue", some);
    fact_text(f, "stores", some ? arena_printf(m->arena, "%s_then(%%s)", op_function(op)) : "%s");
    if (!some)
        return;
    const bool plain = m->options.plain && !op->kernel.latency;      /* kernels of the latency form have vecs, of points or outputs */
    const char *name = op_table[op->fuse.act]->name, *value;
    const Formula *formula = formula_function(m->arena, (FunctionKind)function_find(name), NULL);
    const FormulaC c = { .operands = (const char *const[]){ "s" }, .prefix = "t", .indent = "" };
    Text text = { .arena = m->arena };
    formula_lines(&text, formula->dag, (Node *[]){ formula->root }, 1, plain, &c, &value);
    Fact *x = fact_table(m->arena), *lines = fact_table(m->arena);
    for (const char *line = text.text; line && *line; line += strcspn(line, "\n") + 1)     /* each ends so */
        fact_push_text(lines, arena_copy(m->arena, line, strcspn(line, "\n")));
    const char *last = arena_printf(m->arena, "const vec %s = ", value);                    /* a line of its own is not worth a name */
    if (lines->items.count && !strncmp(((Fact *)lines->items.items[lines->items.count - 1])->text, last, strlen(last))) {
        const char *own = ((Fact *)lines->items.items[--lines->items.count])->text + strlen(last);
        value = arena_copy(m->arena, own, strlen(own) - 1);
    }
    fact_text(x, "about", arena_printf(m->arena, "%s(s)%s", name, note_of(op->fuse.act)));
    fact_set(x, "lines", lines);
    fact_text(x, "type", plain ? "real" : "vec");
    fact_text(x, "value", value);
    fact_set(f, "epilogue", x);
}
