/* formula.c -- a formula of other values, element by element: one operator with a DAG of operations inside (compiler/formula).
 *
 *   y = f(x1, x2, ...), operands stretched to the result's shape as numpy does
 *   dx_k = df/dx_k dy, summed over the elements that x_k was stretched to: one chain in row-major order
 * Nothing is kept for backward but operands and the result; what else it needs is computed again. */
#include "formula/formula.h"
#include "outside/outside.h"
#include <string.h>

static const AttrSpec none[] = { { 0 } };

/* True if the 1s among the axes of t were written so. */
static bool ones_meant(const Tensor *t)
{
    const OpKind kind = t->op ? t->op->kind : OP_NONE;
    bool keep = false;
    for (int i = 0; t->op && i < t->op->attr_count; i++)
        keep = keep || (!strcmp(t->op->attrs[i].spec->name, "keep") && t->op->attrs[i].number[0] != 0);
    return keep || kind == OP_constant || kind == OP_broadcast || kind == OP_reshape;
}

static bool infer(Model *m, Op *op)
{
    FormulaShape operands[INPUT_MAX];
    for (int i = 0; i < op->read_count; i++) {
        const Tensor *t = op->reads[i].tensor;
        if (t->classes) {
            diag_error(m->diag, op->formula.f->operands[i].at, "'%s' holds classes, not numbers: one_hot or real makes numbers of them", op->formula.f->operands[i].name);
            return false;
        }
        operands[i] = (FormulaShape){ t->shape, ones_meant(t), t->shape.rank == 1 && t->op && t->op->kind == OP_stack };
    }
    return formula_shape(op->formula.f, m->arena, m->diag, op->loc, operands, &op->writes[0].tensor->shape);
}

static void grad(Model *m, Op *op, Use dy)
{
    FormulaGradient *g = formula_gradient(op->formula.f, op->grad.inputs, true);
    for (int i = 0; i < op->read_count; i++)
        op->grad.inputs[i] = op->grad.inputs[i] && g->d[i];
    op->formula.gradient = g;
    Op *b = grad_backward(m, op, dy);
    if (!b)
        return;
    for (int i = 0; i < op->read_count; i++)
        if (g->reads[i])
            op_read(b, op->reads[i].tensor, op->reads[i].shift);
    if (g->reads_result)
        op_read(b, op->writes[0].tensor, 0);
}

/* ---- facts ------------------------------------------------------------------------------------------------ */

/* The result's axes, those along which every operand and the result go on evenly joined to one. */
typedef struct { int rank; int64_t dim[RANK_MAX], stride[INPUT_MAX][RANK_MAX], own[RANK_MAX]; } Loops;

static Loops loops_of(const Op *op)
{
    const Shape *y = &op->writes[0].tensor->shape;
    int64_t stride[INPUT_MAX][RANK_MAX], next = 1;
    Loops l = { 0 };
    for (int k = 0; k < op->read_count; k++)
        formula_access(&op->reads[k].tensor->shape, y, stride[k]);
    for (int d = 0; d < y->rank; d++) {
        bool joins = l.rank > 0 || y->dim[d] == 1;
        for (int k = 0; joins && l.rank && k < op->read_count; k++)
            joins = l.stride[k][l.rank - 1] == stride[k][d] * y->dim[d];
        if (y->dim[d] == 1)
            continue;
        if (!joins)
            l.rank++;
        l.dim[l.rank - 1] = (joins ? l.dim[l.rank - 1] : 1) * y->dim[d];
        for (int k = 0; k < op->read_count; k++)
            l.stride[k][l.rank - 1] = stride[k][d];
    }
    for (int d = l.rank - 1; d >= 0; next *= l.dim[d--])
        l.own[d] = next;
    return l;
}

static const char *const variables[RANK_MAX] = { "i", "j", "k", "l", "m", "n" };

/* An element of the array `name`, as C of one vec or one real: "v_load(x + (i * 5 + j) * L)", "x[i * 5 + j]". */
static const char *element(Model *m, const Loops *l, const char *name, const int64_t *stride, bool address)
{
    Text t = { .arena = m->arena };
    int terms = 0;
    for (int d = 0; d < l->rank; d++) {
        if (!stride[d])
            continue;
        text_printf(&t, "%s%s", terms++ ? " + " : "", variables[d]);
        if (stride[d] != 1)
            text_printf(&t, " * %lld", (long long)stride[d]);
    }
    if (m->options.plain)
        return arena_printf(m->arena, "%s[%s]", name, terms ? t.text : "0");
    const char *at = !terms ? name : arena_printf(m->arena, strchr(t.text, ' ') ? "%s + (%s) * L" : "%s + %s * L", name, t.text);
    return address ? at : arena_printf(m->arena, "v_load(%s)", at);
}

/* The name of operand k in C: as in the formula, unless that means something else there; names has those before it. */
static const char *c_name(Model *m, const Op *op, int k, const char *const *names)
{
    if (!op->formula.f->operands[k].name)
        return arena_printf(m->arena, "x_%d", k + 1);
    static const char *const taken[] = { "y", "dy", "real", "vec", "mask", "L", "N", "G", "T", "v", "batch", "weights", "hash", NULL };
    char *name = arena_copy(m->arena, op->formula.f->operands[k].name, strlen(op->formula.f->operands[k].name));
    bool small = false;
    for (const char *c = name; *c; c++)
        small = small || (*c >= 'a' && *c <= 'z');
    bool other = op->formula.f->operands[k].sliced || (!name[1] && *name >= 'i' && *name <= 'n') || (!small && name[1]) || !strncmp(name, "x_", 2) || !strncmp(name, "m_", 2)
                 || strstr(name, "_value") || strstr(name, "_gradient");
    for (char *c = name; *c; c++)
        *c = *c == '.' ? '_' : *c;
    for (int i = 0; taken[i]; i++)
        other = other || !strcmp(taken[i], name);
    other = other || !strncmp(name, "v_", 2) || !strncmp(name, "r_", 2) || !strncmp(name, "d_", 2) || !strncmp(name, "g_", 2)
            || (name[0] == 't' && name[1] >= '0' && name[1] <= '9');
    for (int i = 0; i < k; i++)
        other = other || !strcmp(names[i], name);
    return other ? arena_printf(m->arena, "x_%d", k + 1) : name;
}

/* The lines that compute `roots` from operands of these names; values[k] is then C of roots[k]. */
static Fact *lines_of(Model *m, const Op *op, Node *const *roots, int count, const char *const *names, const char **values)
{
    Fact *lines = fact_table(m->arena);
    Text t = { .arena = m->arena };
    const FormulaC c = { .operands = names, .dy = "dy", .result = "y", .prefix = "t", .indent = "" };
    formula_lines(&t, op->formula.f->dag, roots, count, m->options.plain, &c, values);
    for (const char *line = t.text; line && *line;) {
        size_t n = strcspn(line, "\n");
        fact_push_text(lines, arena_copy(m->arena, line, n));
        line += n + (line[n] == '\n');
    }
    return lines;
}

/* A list of C with commas between. */
static void item(Text *t, const char *a, const char *b) { text_printf(t, "%s%s%s", t->length ? ", " : "", a, b); }

static const char *whole(const Text *t) { return t->text ? t->text : ""; }

/* The function of one element and the loop around it. */
static void forward_facts(Model *m, const Op *op, const Loops *l, const char *const *names, const char *const *texts, Fact *f)
{
    const char *type = m->options.plain ? "real " : "vec ", *value;
    Text parameters = { .arena = m->arena }, pointers = { .arena = m->arena }, loads = { .arena = m->arena };
    Fact *axes = fact_table(m->arena);
    item(&pointers, "real *", "y");
    for (int k = 0; k < op->read_count; k++) {
        item(&parameters, type, names[k]);
        item(&pointers, "real *", names[k]);
        item(&loads, element(m, l, names[k], l->stride[k], false), "");
    }
    for (int d = 0; d < l->rank; d++) {
        Fact *a = fact_table(m->arena);
        fact_text(a, "variable", variables[d]);
        fact_text(a, "pad", arena_printf(m->arena, "%*s", 4 * (d + 1), ""));
        fact_int(a, "size", l->dim[d]);
        fact_push(axes, a);
    }
    fact_set(f, "axes", axes);
    fact_text(f, "pad", arena_printf(m->arena, "%*s", 4 * (l->rank + 1), ""));
    fact_text(f, "formula", formula_text(m->arena, op->formula.f->dag, op->formula.f->root, texts, "dy", "y", "y"));
    fact_set(f, "lines", lines_of(m, op, (Node *[]){ op->formula.f->root }, 1, names, &value));
    fact_text(f, "result", value);
    fact_text(f, "parameters", whole(&parameters));
    fact_text(f, "pointers", whole(&pointers));
    fact_text(f, "loads", whole(&loads));
    fact_text(f, "element", element(m, l, "y", l->own, true));
}

/* Likewise of the gradients. */
static void gradient_facts(Model *m, const Op *op, const Loops *l, const char *const *names, const char *const *texts, Fact *f)
{
    const FormulaGradient *g = op->formula.gradient;
    const char *type = m->options.plain ? "real " : "vec ", *pointer = m->options.plain ? "real *" : "vec *";
    Text parameters = { .arena = m->arena }, pointers = { .arena = m->arena }, values = { .arena = m->arena }, locals = { .arena = m->arena };
    Fact *gradients = fact_table(m->arena);
    Node *roots[INPUT_MAX];
    const char *results[INPUT_MAX];
    int count = 0;
    for (int k = 0; k < op->read_count; k++) {
        if (!g || !op->grad.inputs[k])
            continue;
        roots[count++] = g->d[k];
        item(&parameters, pointer, arena_printf(m->arena, "d_%s", names[k]));
        item(&pointers, "real *", arena_printf(m->arena, "d_%s", names[k]));
        item(&values, "&g_", names[k]);
        item(&locals, "g_", names[k]);
    }
    item(&parameters, type, "dy");
    item(&pointers, "real *", "dy");
    item(&values, element(m, l, "dy", l->own, false), "");
    for (int k = 0; k < op->read_count; k++) {
        if (!g || !g->reads[k])
            continue;
        item(&parameters, type, names[k]);
        item(&pointers, "real *", names[k]);
        item(&values, element(m, l, names[k], l->stride[k], false), "");
    }
    if (g && g->reads_result) {
        item(&parameters, type, "y");
        item(&pointers, "real *", "y");
        item(&values, element(m, l, "y", l->own, false), "");
    }
    fact_set(f, "gradient_lines", count ? lines_of(m, op, roots, count, names, results) : fact_table(m->arena));
    count = 0;
    for (int k = 0; k < op->read_count; k++) {
        if (!g || !op->grad.inputs[k])
            continue;
        Fact *x = fact_table(m->arena);
        const char *d = arena_printf(m->arena, "d_%s", names[k]);
        fact_text(x, "name", names[k]);
        fact_text(x, "equation", formula_text(m->arena, op->formula.f->dag, g->d[k], texts, "dy", "y", arena_printf(m->arena, "d_%s", texts[k])));
        fact_text(x, "result", results[count++]);
        fact_text(x, "element", element(m, l, d, l->stride[k], true));
        fact_bool(x, "stretched", shape_count(&op->reads[k].tensor->shape) != shape_count(&op->writes[0].tensor->shape));
        fact_int(x, "size", shape_count(&op->reads[k].tensor->shape));
        fact_push(gradients, x);
    }
    fact_set(f, "derivatives", gradients);
    fact_text(f, "gradient_parameters", whole(&parameters));
    fact_text(f, "gradient_pointers", whole(&pointers));
    fact_text(f, "gradient_values", whole(&values));
    fact_text(f, "locals", whole(&locals));
}

/* Likewise of the numbers that say in which piece between kinks an element lies. */
static void kink_facts(Model *m, const Op *op, const Loops *l, const char *const *names, const char *const *texts, Fact *f)
{
    static FormulaKinks smooth;
    const FormulaKinks *kinks = op->formula.kinks ? op->formula.kinks : &smooth;
    const char *type = m->options.plain ? "real " : "vec ", **values = NEW_ARRAY(m->arena, const char *, kinks->count + 1);
    Text parameters = { .arena = m->arena }, pointers = { .arena = m->arena }, loads = { .arena = m->arena }, text = { .arena = m->arena };
    Fact *pieces = fact_table(m->arena);
    for (int k = 0; kinks->count && k < op->read_count; k++) {
        if (!kinks->reads[k])
            continue;
        item(&parameters, type, names[k]);
        item(&pointers, "real *", names[k]);
        item(&loads, element(m, l, names[k], l->stride[k], false), "");
    }
    if (kinks->reads_result) {
        item(&parameters, type, "y");
        item(&pointers, "real *", "y");
        item(&loads, element(m, l, "y", l->own, false), "");
    }
    fact_set(f, "kink_lines", kinks->count ? lines_of(m, op, kinks->nodes, kinks->count, names, values) : fact_table(m->arena));
    for (int i = 0; i < kinks->count; i++) {
        item(&text, formula_text(m->arena, op->formula.f->dag, kinks->nodes[i], texts, "dy", "y", NULL), "");
        fact_push_text(pieces, values[i]);
    }
    fact_set(f, "kinks", pieces);
    fact_text(f, "kink_text", whole(&text));
    fact_text(f, "kink_parameters", whole(&parameters));
    fact_text(f, "kink_pointers", whole(&pointers));
    fact_text(f, "kink_loads", whole(&loads));
}

static void facts(const Model *model, const Op *op, Fact *f)
{
    Model *m = (Model *)(uintptr_t)model;
    const Op *fwd = forward_of(op);
    const Loops loops = loops_of(fwd);
    const char *names[INPUT_MAX], *texts[INPUT_MAX];
    for (int k = 0; k < fwd->read_count; k++) {
        names[k] = c_name(m, fwd, k, names);
        const FormulaOperand *o = &fwd->formula.f->operands[k];
        texts[k] = o->name ? o->name : arena_printf(m->arena, o->number->kind == SYNTAX_PARAM ? "%s" : "(%s)", syntax_text(m->arena, o->number));
    }
    forward_facts(m, fwd, &loops, names, texts, f);
    gradient_facts(m, fwd, &loops, names, texts, f);
    kink_facts(m, fwd, &loops, names, texts, f);
}

static const OpHelp help = {
    "A value computed element by element from others: an entry whose value is text.",
    "values whose shapes fit as numpy's do -> the shape that they are stretched to",
    "inputs: { x: { shape: [8] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - gate: { dense: x, units: 8, act: sigmoid }\n"
    "  - h: gate * x + (1 - gate) * tanh(x)\n"
    "  - g: { formula: h * h, when: 1 > 0 }\n"
    "  - v: { dense: g, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_formula = { "formula", "y = f(x1, x2, ...), element by element", 0, INPUT_MAX - 2, NULL, false, none, infer, grad, facts, NULL, false, "f:f", &help };
