/* lines.c -- nodes as lines of C: fast, one vector operation a line; plain, the formula as nested expressions.
 *
 * In: roots of a DAG and the C names of what they read.  Out: lines, and the expression of each root.  Powers by 2, 3 and 4 become
 * products in both forms, so both round the same operations in the same order. */
#include "formula/print.h"

#include <math.h>
#include <string.h>

typedef struct {
    const Infix *i;
    int *uses;
    const char **value; /* by id: its C expression; NULL: not yet written */
    const char **mask;  /* by id: of conditions */
    int names;
    Text *lines;
} Fast;

static const char *vec_of(Fast *f, Node *n);

static const char *line(Fast *f, const char *type, const char *text)
{
    const char *name = arena_printf(f->i->dag->arena, "%s%d", f->i->prefix, ++f->names);
    text_printf(f->lines, "%sconst %s %s = %s;\n", f->i->indent, type, name, text);
    return name;
}

static const char *operation(Fast *f, const char *name, const Node *n, int operands)
{
    Arena *a = f->i->dag->arena;
    const char *x = vec_of(f, n->arg[0]), *y = operands > 1 ? vec_of(f, n->arg[1]) : NULL;
    return y ? arena_printf(a, "v_%s(%s, %s)", name, x, y) : arena_printf(a, "v_%s(%s)", name, x);
}

/* The mask of a condition. */
static const char *mask_of(Fast *f, Node *n)
{
    Arena *a = f->i->dag->arena;
    const char *x, *y;
    if (f->mask[n->id])
        return f->mask[n->id];
    switch (n->function) {
    case FN_and:
    case FN_or:
        x = mask_of(f, n->arg[0]);
        y = mask_of(f, n->arg[1]);
        x = arena_printf(a, "m_%s(%s, %s)", n->function == FN_and ? "and" : "or", x, y);
        break;
    case FN_not: x = arena_printf(a, "m_not(%s)", mask_of(f, n->arg[0])); break;
    case FN_ne: x = arena_printf(a, "m_not(%s)", operation(f, "eq", n, 2)); break;
    default: x = operation(f, function_table[n->function].name, n, 2);
    }
    return f->mask[n->id] = line(f, "mask", x);
}

static const char *choice(Fast *f, const Node *n)
{
    Arena *a = f->i->dag->arena;
    const char *mask = mask_of(f, n->arg[0]);
    if (node_is_number(n->arg[2], 0))
        return arena_printf(a, "v_zero_unless(%s, %s)", mask, vec_of(f, n->arg[1]));
    if (node_is_number(n->arg[1], 0))
        return arena_printf(a, "v_zero_unless(m_not(%s), %s)", mask, vec_of(f, n->arg[2]));
    const char *yes = vec_of(f, n->arg[1]), *no = vec_of(f, n->arg[2]);
    return arena_printf(a, "v_select(%s, %s, %s)", mask, yes, no);
}

static const char *call(Fast *f, Node *n)
{
    Arena *a = f->i->dag->arena;
    if (node_is_condition(n))
        return arena_printf(a, "v_zero_unless(%s, v_set1(1))", mask_of(f, n));
    if (n->function == FN_where)
        return choice(f, n);
    if (n->function == FN_power)
        return operation(f, "pow", n, 2);
    if (n->function == FN_fnma) {
        const char *x = vec_of(f, n->arg[0]), *y = vec_of(f, n->arg[1]);
        return arena_printf(a, "v_fnma(%s, %s, %s)", x, y, vec_of(f, n->arg[2]));
    }
    if (n->function <= FN_not)
        return operation(f, function_table[n->function].name, n, node_args(n));
    if ((n->function == FN_min || n->function == FN_max) && n->arg[1]->kind == NODE_NUMBER) { /* see print.c: no NaN in the number */
        const char *x = vec_of(f, n->arg[0]), *bound = vec_of(f, n->arg[1]);
        return arena_printf(a, "v_%s(%s, %s)", function_table[n->function].name, bound, x);
    }
    return operation(f, function_table[n->function].c, n, node_args(n));
}

/* The C expression of n as a vec: a variable, a constant or an operand's name. */
static const char *vec_of(Fast *f, Node *n)
{
    if (f->value[n->id])
        return f->value[n->id];
    const char *text;
    if (n->kind == NODE_NUMBER) {
        text = arena_printf(f->i->dag->arena, "v_set1(%s)", number_text(f->i->dag->arena, n->number, true));
    } else if (n->kind == NODE_INPUT) {
        text = input_name(f->i, n->input);
        if (f->uses[n->id] > 1 && !is_identifier(text))
            text = line(f, "vec", text);
    } else {
        text = line(f, "vec", call(f, n));
    }
    return f->value[n->id] = text;
}

static void fast_lines(Text *out, const Infix *i, Node *const *roots, int count, const char **values)
{
    Arena *a = i->dag->arena;
    int nodes = i->dag->nodes.count;
    Fast f = { i, NEW_ARRAY(a, int, nodes), NEW_ARRAY(a, const char *, nodes), NEW_ARRAY(a, const char *, nodes), 0, out };
    for (int k = 0; k < count; k++)
        node_uses(roots[k], f.uses);
    for (int k = 0; k < count; k++)
        values[k] = vec_of(&f, roots[k]);
}

void formula_lines(Text *out, Dag *g, Node *const *roots, int count, bool plain, const FormulaC *c, const char **values)
{
    Infix i = { g, true, c->operands, c->dy, c->result, c->prefix, c->indent };
    Node **lowered = NEW_ARRAY(g->arena, Node *, count);
    for (int k = 0; k < count; k++)
        lowered[k] = dag_lower(g, roots[k]);
    (plain ? infix_lines : fast_lines)(out, &i, lowered, count, values);
}

void formula_last_line(Text *lines, const char **value)
{
    Arena *a = lines->arena;
    if (!lines->length)
        return;
    size_t at = lines->length - 1;
    while (at > 0 && lines->text[at - 1] != '\n')
        at--;
    const char *line = lines->text + at, *names = arena_printf(a, "%s = ", *value), *own = strstr(line, names);
    if (!own || own == line || own[-1] != ' ' || strncmp(line + strspn(line, " "), "const ", 6) != 0)
        return;
    own += strlen(names);
    *value = arena_copy(a, own, strcspn(own, ";"));
    lines->length = at;
    lines->text[at] = '\0';
}
