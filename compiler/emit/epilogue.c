/* epilogue.c -- the function of a sum that a kernel calls where it stores: the activation, or the formula, that was fused into its operator.
 *
 * In: a forward operator.  Out: facts of epilogue.c.in.  The function is made of the row of functions.def, or of the formula, so that no template has to
 * have a case for each: another one that is fused needs nothing here.  Other operands of a formula are arguments of the kernel, behind its own. */
#include "emit/epilogue.h"
#include "formula/formula.h"
#include "graph/window.h"
#include "lower/latency.h"
#include "template/fact.h"
#include <string.h>

/* What a reader may wonder about; empty: nothing. */
static const char *note_of(OpKind act) { return act == OP_relu ? ": a NaN stays a NaN, and -0 stays -0" : ""; }

/* How the functions of one group take operand `name`, and how those of all groups give it to them: a map of the result's shape as maps of y are. */
static void group_facts(Model *m, const Op *op, const Tensor *t, bool same, const char *name, Text *takes, Text *gives)
{
    const Window w = window_of(op);
    const char *cast = same && w.flat ? arena_printf(m->arena, "(real (*)[1][%lld][L])", (long long)w.y[1]) : "";
    const char *group = w.groups > 1 ? arena_printf(m->arena, " + g * %lld", (long long)(w.filters / w.groups)) : "";
    const bool split = w.groups > 1 || w.flat;
    text_printf(takes, ", %s %s", split && same ? arena_printf(m->arena, "%s_group_y", op_function(op)) : tensor_type(m, t), name);
    text_printf(gives, ", %s%s%s", cast, name, group);
}

/* C of operand `name` beside a sum, for string.format with its place and channel: an element of a map, or of a value for each channel. */
static const char *value_of(Model *m, const Tensor *t, bool same, bool plain, const char *name)
{
    const char *value = arena_printf(m->arena, same ? "%s%%s%%.0s" : t->shape.rank == 2 ? "%s%%.0s[%%s][0]" : "%s%%.0s[%%s][0][0]", name);
    return plain ? value : arena_printf(m->arena, "v_load(%s)", value);
}

/* True if a kernel of the latency form has its points, or filters, elsewhere than the result has them: they are stored there one by one. */
static bool one_by_one(const Op *op)
{
    const Latency *l = op->kernel.latency;
    return l && op->stores.then && op->read_count > op->stores.reads && (l->kind == BY_FILTERS || (l->kind == BY_POINTS && l->flat));
}

/* Operand `name` in kernels of the latency form: its place is a distance in reals, of tiles and dense layers with the number of lanes that are there. */
static const char *latency_value(Model *m, const Op *op, bool same, bool plain, const char *name)
{
    const LatencyKind kind = op->kernel.latency->kind;
    if (plain)
        return arena_printf(m->arena, same ? "%s[%%s]%%.0s" : "%%.0s%s[%%s]", name);
    const bool first = kind == BY_TILES || kind == BY_OUTPUTS;
    return arena_printf(m->arena, !same ? "%%.0sv_set1(%s[%%s])" : first ? "take_first(%s + %%s)%%.0s" : "v_loadu(%s + %%s)%%.0s", name);
}

/* The parameter of the kernel for it. */
static const char *taken(Model *m, const Op *op, const Tensor *t, const char *name)
{
    if (op->kind == OP_dense)
        return arena_printf(m->arena, m->options.plain ? "real *%.0s%s" : "%s *%s", tensor_type(m, t), name);
    return arena_printf(m->arena, "%s %s%s", tensor_type(m, t), op->kernel.latency ? "map" : "", op->kernel.latency ? name + 1 : name);
}

/* Beside the sum: parameters r1, r2, ... of the kernel, and of the function of a sum; what is stored, for string.format(stores, sum, place, channel,
 * place, ...). */
static void extras_facts(Model *m, const Op *op, bool plain, Fact *f, Fact *x)
{
    Arena *a = m->arena;
    Text stores = { .arena = a }, takes = { .arena = a }, gives = { .arena = a }, more = { .arena = a };
    Text group = { .arena = a }, groups = { .arena = a };
    text_printf(&stores, "%s_then(%%s", op_function(op));
    Fact *list = fact_table(a);
    for (int k = op->stores.reads; op->stores.then && k < op->read_count; k++) {
        const Tensor *t = op->reads[k].tensor;
        const bool same = shape_equal(&t->shape, &op->writes[0].tensor->shape);
        const char *name = arena_printf(a, "r%d", k - op->stores.reads + 1);
        text_printf(&stores, ", %s", op->kernel.latency ? latency_value(m, op, same, plain, name) : value_of(m, t, same, plain, name));
        text_printf(&takes, ", %s", taken(m, op, t, name));
        text_printf(&gives, ", %s", name);
        text_printf(&more, ", %s %s", plain ? "real" : "vec", name);
        if (op->kind == OP_conv)
            group_facts(m, op, t, same, name, &group, &groups);
        Fact *one = fact_table(a);
        fact_text(one, "name", name);
        fact_text(one, "type", tensor_type(m, t));
        fact_bool(one, "same", same);
        fact_push(list, one);
    }
    text_printf(&stores, ")");
    fact_text(f, "stores", stores.text);
    fact_text(f, "takes_extras", takes.text ? takes.text : "");
    fact_text(f, "gives_extras", gives.text ? gives.text : "");
    fact_text(f, "takes_group_extras", group.text ? group.text : "");
    fact_text(f, "gives_group_extras", groups.text ? groups.text : "");
    fact_set(f, "extras", list);
    if (x)
        fact_text(x, "more", more.text ? more.text : "");
}

void epilogue_facts(Model *m, const Op *op, Fact *f)
{
    const bool some = op->fuse.act != OP_NONE || op->stores.then;
    /* kernels of the latency form have vecs, of points or outputs */
    const bool plain = one_by_one(op) || (m->options.plain && !op->kernel.latency);
    fact_bool(f, "has_epilogue", some);
    if (!some) {
        fact_text(f, "stores", "%s");
        fact_text(f, "takes_extras", "");
        fact_text(f, "gives_extras", "");
        fact_text(f, "takes_group_extras", "");
        fact_text(f, "gives_group_extras", "");
        fact_set(f, "extras", fact_table(m->arena));
        return;
    }
    const char *name = op->stores.then ? NULL : op_table[op->fuse.act]->name, *value, **operands = NEW_ARRAY(m->arena, const char *, INPUT_MAX);
    const Formula *formula = op->stores.then ? op->stores.then : formula_function(m->arena, (FunctionKind)function_find(name), NULL);
    for (int k = 0, extra = 0; k < formula->operand_count; k++)
        operands[k] = k == op->stores.at ? "s" : arena_printf(m->arena, "r%d", ++extra);
    const FormulaC c = { .operands = operands, .prefix = "t", .indent = "" };
    Text text = { .arena = m->arena };
    formula_lines(&text, formula->dag, (Node *[]){ formula->root }, 1, plain, &c, &value);
    formula_last_line(&text, &value);
    Fact *x = fact_table(m->arena), *lines = fact_table(m->arena);
    for (const char *line = text.text; line && *line; line += strcspn(line, "\n") + 1)     /* each ends so */
        fact_push_text(lines, arena_copy(m->arena, line, strcspn(line, "\n")));
    const char *about = name ? arena_printf(m->arena, "%s(s)%s", name, note_of(op->fuse.act))
                             : formula_comment(m->arena, formula_text(m->arena, formula->dag, formula->root, operands, NULL, NULL, "y"));
    fact_text(x, "about", about);
    fact_set(x, "lines", lines);
    fact_text(x, "type", plain ? "real" : "vec");
    fact_text(x, "value", value);
    extras_facts(m, op, plain, f, x);
    fact_set(f, "epilogue", x);
}
