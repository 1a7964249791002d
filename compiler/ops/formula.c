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
        const FormulaOperand *o = &op->formula.f->operands[i];
        const bool steps = t->op && t->op->kind == OP_stack;
        const char *name = op->formula.f->syntax ? NULL : steps ? t->op->reads[0].tensor->name : t->name;
        if (t->classes) {
            diag_error(m->diag, o->at.line ? o->at : op->loc, "'%s' holds classes, not numbers: one_hot or real makes numbers of them", name ? name : o->name);
            return false;
        }
        operands[i] = (FormulaShape){ t->shape, ones_meant(t), t->shape.rank == 1 && steps, name };
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

/* What the facts of a formula are made of: names in C and texts for people of the operands, and behind them of what is kept on the way. */
typedef struct {
    Model *m;
    const Op *op;
    const Formula *f;
    Loops loops;
    int count;                           /* operands and kept values */
    const char *names[2 * INPUT_MAX], *texts[2 * INPUT_MAX];
    const char *type;                    /* of an element: "vec " or "real " */
} Maker;

/* An element of the array `name`, as C of one vec or one real: "v_load(x + (i * 5 + j) * L)", "x[i * 5 + j]". */
static const char *element(const Maker *k, const char *name, const int64_t *stride, bool address)
{
    Arena *a = k->m->arena;
    Text t = { .arena = a };
    int terms = 0;
    for (int d = 0; d < k->loops.rank; d++) {
        if (!stride[d])
            continue;
        text_printf(&t, "%s%s", terms++ ? " + " : "", variables[d]);
        if (stride[d] != 1)
            text_printf(&t, " * %lld", (long long)stride[d]);
    }
    if (k->m->options.plain)
        return arena_printf(a, "%s[%s]", name, terms ? t.text : "0");
    const char *at = !terms ? name : arena_printf(a, strchr(t.text, ' ') ? "%s + (%s) * L" : "%s + %s * L", name, t.text);
    return address ? at : arena_printf(a, "v_load(%s)", at);
}

static const int64_t *stride_of(const Maker *k, int operand) { return operand < k->op->read_count ? k->loops.stride[operand] : k->loops.own; }

/* The name in C of what a formula calls `text`: the same, unless that means something else there; k->names has those before it. */
static const char *c_name(const Maker *k, const char *text, bool sliced, int number)
{
    static const char *const taken[] = { "y", "dy", "real", "vec", "mask", "L", "N", "G", "T", "v", "batch", "weights", "hash", "drop", "memset", "decide_piece",
                                         "decide_pieces", "bool", "true", "false", "math_errhandling", NULL };
    static const char *const stems[] = { "x_", "m_", "v_", "r_", "d_", "g_", "k_", "M_", "omp_", "kmp_", NULL };     /* the last three: macros of headers */
    Arena *a = k->m->arena;
    if (!text)
        return arena_printf(a, "x_%d", number + 1);
    char *name = arena_copy(a, text, strlen(text));
    bool small = false;
    for (const char *c = name; *c; c++)
        small = small || (*c >= 'a' && *c <= 'z');
    bool other = sliced || (!name[1] && *name >= 'i' && *name <= 'n') || (!small && name[1]) || strstr(name, "_value") || strstr(name, "_gradient");
    for (char *c = name; *c; c++)
        *c = *c == '.' ? '_' : *c;
    for (int i = 0; taken[i]; i++)
        other = other || !strcmp(taken[i], name);
    for (int i = 0; stems[i]; i++)
        other = other || !strncmp(name, stems[i], strlen(stems[i]));
    other = other || (name[0] == 't' && name[1] >= '0' && name[1] <= '9');
    for (int i = 0; i < number; i++)
        other = other || !strcmp(k->names[i], name);
    return other ? arena_printf(a, "x_%d", number + 1) : name;
}

static bool told(const Maker *k, const char *text, int count)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(k->texts[i], text))
            return true;
    return false;
}

static Maker maker_of(Model *m, const Op *op)
{
    Maker k = { .m = m, .op = op, .f = op->formula.f, .loops = loops_of(op), .type = m->options.plain ? "real " : "vec " };
    for (int i = 0; i < op->read_count + k.f->kept_count; i++) {
        const bool kept = i >= op->read_count;
        const FormulaOperand *o = kept ? NULL : &k.f->operands[i];
        const char *text = kept ? k.f->kept_names[i - op->read_count] : formula_operand_text(m->arena, k.f, i);
        k.names[i] = c_name(&k, kept ? text : o->name, !kept && o->sliced, i);
        k.texts[i] = told(&k, text, i) ? k.names[i] : text;       /* in a joined formula two nets may have used one name */
        k.count++;
    }
    return k;
}

/* The lines that compute `roots` from what the formula reads; values[k] is then C of roots[k]. */
static Fact *lines_of(const Maker *k, Node *const *roots, int count, const char **values)
{
    Model *m = k->m;
    Fact *lines = fact_table(m->arena);
    Text t = { .arena = m->arena };
    const FormulaC c = { .operands = k->names, .dy = "dy", .result = "y", .prefix = "t", .indent = "" };
    formula_lines(&t, k->f->dag, roots, count, m->options.plain, &c, values);
    if (count == 1)
        formula_last_line(&t, &values[0]);
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

static Fact *axes_fact(const Maker *k)
{
    Fact *axes = fact_table(k->m->arena);
    for (int d = 0; d < k->loops.rank; d++) {
        Fact *a = fact_table(k->m->arena);
        fact_text(a, "variable", variables[d]);
        fact_text(a, "pad", arena_printf(k->m->arena, "%*s", 4 * (d + 1), ""));
        fact_int(a, "size", k->loops.dim[d]);
        fact_push(axes, a);
    }
    return axes;
}

/* The values that are stored beside the result: `name`, C of the value and of its place. */
static Fact *kept_fact(const Maker *k, const char *const *values)
{
    Fact *list = fact_table(k->m->arena);
    for (int i = 0; i < k->f->kept_count; i++) {
        Fact *x = fact_table(k->m->arena);
        const char *name = k->names[k->op->read_count + i];
        fact_text(x, "name", name);
        fact_text(x, "result", values[i]);
        fact_text(x, "element", element(k, name, k->loops.own, true));
        fact_push(list, x);
    }
    return list;
}

/* The function of one element and the loop around it. */
static void forward_facts(const Maker *k, Fact *f)
{
    Model *m = k->m;
    Text parameters = { .arena = m->arena }, pointers = { .arena = m->arena }, loads = { .arena = m->arena }, locals = { .arena = m->arena };
    Node *roots[INPUT_MAX + 1] = { k->f->root };
    const char *values[INPUT_MAX + 1];
    item(&pointers, "real *", "y");
    for (int i = 0; i < k->f->kept_count; i++) {
        const char *name = k->names[k->op->read_count + i];
        roots[1 + i] = k->f->kept[i];
        item(&pointers, "real *", name);
        item(&parameters, m->options.plain ? "real *" : "vec *", arena_printf(m->arena, "k_%s", name));
        item(&locals, "k_", name);
        item(&loads, "&k_", name);
    }
    for (int i = 0; i < k->op->read_count; i++) {
        item(&parameters, k->type, k->names[i]);
        item(&pointers, "real *", k->names[i]);
        item(&loads, element(k, k->names[i], k->loops.stride[i], false), "");
    }
    fact_set(f, "axes", axes_fact(k));
    fact_text(f, "pad", arena_printf(m->arena, "%*s", 4 * (k->loops.rank + 1), ""));
    fact_text(f, "formula", formula_comment(m->arena, formula_steps_text(m->arena, k->f, "y")));
    fact_set(f, "lines", lines_of(k, roots, 1 + k->f->kept_count, values));
    fact_text(f, "result", values[0]);
    fact_set(f, "kept", kept_fact(k, values + 1));
    fact_text(f, "kept_locals", whole(&locals));
    fact_text(f, "parameters", whole(&parameters));
    fact_text(f, "pointers", whole(&pointers));
    fact_text(f, "loads", whole(&loads));
    fact_text(f, "element", element(k, "y", k->loops.own, true));
}

/* What a function of the gradients is called with behind its results: its parameters, the operator's, and an element of each. */
static void gradient_reads(const Maker *k, const FormulaGradient *g, Text *parameters, Text *pointers, Text *values)
{
    const char *names[2 * INPUT_MAX + 2];
    const int64_t *strides[2 * INPUT_MAX + 2];
    int count = 0;
    names[count] = "dy", strides[count++] = k->loops.own;
    for (int i = 0; i < k->count; i++)
        if (g->reads[i])
            names[count] = k->names[i], strides[count++] = stride_of(k, i);
    if (g->reads_result)
        names[count] = "y", strides[count++] = k->loops.own;
    for (int i = 0; i < count; i++) {
        const char *value = element(k, names[i], strides[i], false);
        item(parameters, k->type, names[i]);
        item(pointers, "real *", names[i]);
        item(values, value, "");
    }
}

/* The name of a gradient behind "d_": the operand's; of an operand's second one with a number before it. */
static const char *part_name(const Maker *k, const FormulaGradient *g, int part)
{
    int before = 0;
    for (int i = 0; i < part; i++)
        before += g->parts[i].operand == g->parts[part].operand;
    const char *name = k->names[g->parts[part].operand];
    return before ? arena_printf(k->m->arena, "%d_%s", before + 1, name) : name;
}

static Fact *derivative_fact(const Maker *k, const FormulaPart *part, const char *name, const char *result)
{
    Model *m = k->m;
    Fact *x = fact_table(m->arena);
    const Shape *shape = &k->op->reads[part->operand].tensor->shape;
    fact_text(x, "name", name);
    fact_text(x, "result", result);
    fact_text(x, "element", element(k, arena_printf(m->arena, "d_%s", name), k->loops.stride[part->operand], true));
    fact_bool(x, "stretched", shape_count(shape) != shape_count(&k->op->writes[0].tensor->shape));
    fact_int(x, "size", shape_count(shape));
    return x;
}

/* Likewise of the gradients. */
static void gradient_facts(const Maker *k, Fact *f)
{
    static const FormulaGradient no_gradient;
    Model *m = k->m;
    const FormulaGradient *g = k->op->formula.gradient ? k->op->formula.gradient : &no_gradient;
    Text parameters = { .arena = m->arena }, pointers = { .arena = m->arena }, values = { .arena = m->arena }, locals = { .arena = m->arena };
    Fact *gradients = fact_table(m->arena);
    Node **roots = NEW_ARRAY(m->arena, Node *, g->part_count + 1);
    const char **results = NEW_ARRAY(m->arena, const char *, g->part_count + 1), **left = NEW_ARRAY(m->arena, const char *, g->part_count + 1);
    for (int i = 0; i < g->part_count; i++) {
        const char *name = part_name(k, g, i);
        roots[i] = g->parts[i].d;
        left[i] = arena_printf(m->arena, "d_%s", k->texts[g->parts[i].operand]);
        item(&parameters, m->options.plain ? "real *" : "vec *", arena_printf(m->arena, "d_%s", name));
        item(&pointers, "real *", arena_printf(m->arena, "d_%s", name));
        item(&values, "&g_", name);
        item(&locals, "g_", name);
    }
    if (g->part_count)
        gradient_reads(k, g, &parameters, &pointers, &values);
    fact_set(f, "gradient_lines", g->part_count ? lines_of(k, roots, g->part_count, results) : fact_table(m->arena));
    for (int i = 0; i < g->part_count; i++)
        fact_push(gradients, derivative_fact(k, &g->parts[i], part_name(k, g, i), results[i]));
    fact_set(f, "derivatives", gradients);
    fact_text(f, "gradient_text", formula_comment(m->arena, formula_texts(m->arena, k->f->dag, roots, g->part_count, k->texts, "dy", "y", left)));
    fact_text(f, "gradient_parameters", whole(&parameters));
    fact_text(f, "gradient_pointers", whole(&pointers));
    fact_text(f, "gradient_values", whole(&values));
    fact_text(f, "locals", whole(&locals));
}

/* Likewise of the numbers that say in which piece between kinks an element lies. */
static void kink_facts(const Maker *k, Fact *f)
{
    static const FormulaKinks smooth;
    Model *m = k->m;
    const FormulaKinks *kinks = k->op->kind == OP_formula && k->op->formula.kinks ? k->op->formula.kinks : &smooth;
    const char **values = NEW_ARRAY(m->arena, const char *, kinks->count + 1);
    Text parameters = { .arena = m->arena }, pointers = { .arena = m->arena }, loads = { .arena = m->arena }, text = { .arena = m->arena };
    Fact *pieces = fact_table(m->arena);
    for (int i = 0; kinks->count && i < k->op->read_count; i++) {
        if (!kinks->reads[i])
            continue;
        item(&parameters, k->type, k->names[i]);
        item(&pointers, "real *", k->names[i]);
        item(&loads, element(k, k->names[i], k->loops.stride[i], false), "");
    }
    if (kinks->reads_result) {
        item(&parameters, k->type, "y");
        item(&pointers, "real *", "y");
        item(&loads, element(k, "y", k->loops.own, false), "");
    }
    fact_set(f, "kink_lines", kinks->count ? lines_of(k, kinks->nodes, kinks->count, values) : fact_table(m->arena));
    for (int i = 0; i < kinks->count; i++) {
        item(&text, formula_text(m->arena, k->f->dag, kinks->nodes[i], k->texts, "dy", "y", NULL), "");
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
    const Maker k = maker_of((Model *)(uintptr_t)model, forward_of(op));
    forward_facts(&k, f);
    gradient_facts(&k, f);
    kink_facts(&k, f);
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
