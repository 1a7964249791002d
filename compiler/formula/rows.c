/* rows.c -- the texts of functions.def (derivatives, kinks, functions written with others) become nodes.
 *
 * In: a row and the nodes of its operands.  Out: a node.  A mistake in a row is a bug of ours: exit 70. */
#include "formula/rows.h"
#include "read/syntax.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 8 };

/* The names that a row's text may read. */
typedef struct {
    Dag *g;
    const char *name[NAMES_MAX];
    Node *node[NAMES_MAX];
    int count;
} Row;

static void row_name(Row *r, const char *name, Node *node)
{
    r->name[r->count] = name;
    r->node[r->count++] = node;
}

static const FunctionKind NONE = FN_COUNT;

static FunctionKind operator_of(const char *sign, int operands)
{
    for (int f = 0; f < FN_OWN; f++)
        if (function_table[f].sign && function_table[f].operands == operands && strcmp(function_table[f].sign, sign) == 0)
            return (FunctionKind)f;
    return NONE;
}

static Node *row_node(Row *r, const Syntax *n)
{
    Node *x[NAMES_MAX] = { NULL };
    for (int i = 0; i < n->count && i < NAMES_MAX; i++)
        x[i] = row_node(r, n->items[i]);
    if (n->kind == SYNTAX_NUMBER)
        return dag_number(r->g, strtod(n->word, NULL));
    for (int i = 0; n->kind == SYNTAX_WORD && i < r->count; i++)
        if (strcmp(r->name[i], n->word) == 0)
            return r->node[i];
    if (n->kind == SYNTAX_CALL && function_find(n->word) >= 0)
        return function_apply(r->g, (FunctionKind)function_find(n->word), x, n->count);
    FunctionKind f = n->kind == SYNTAX_PAIR || n->kind == SYNTAX_SIGN ? operator_of(n->word, n->count) : NONE;
    if (f == NONE)
        unreachable("a row of functions.def that cannot be read");
    return dag_call(r->g, f, x[0], x[1], NULL);
}

static Node *row_text(Row *r, const char *text)
{
    Arena *a = r->g->arena;
    Yaml scalar = { .kind = YAML_SCALAR, .text = text };
    const Syntax *n = syntax_read(a, diag_new(a, stderr, false, false), NULL, &scalar, SYNTAX_FORMULA, "");
    if (!n)
        unreachable("a row of functions.def that is no formula");
    return row_node(r, n);
}

/* x, x1, x2, x3 and y of the node n. */
static Row row_of(Dag *g, Node *n)
{
    static const char *const names[] = { "x1", "x2", "x3" };
    Row r = { .g = g };
    row_name(&r, "x", n->arg[0]);
    for (int i = 0; i < node_args(n); i++)
        row_name(&r, names[i], n->arg[i]);
    row_name(&r, "y", n);
    return r;
}

Node *function_derivative(Dag *g, Node *n, int i)
{
    Row r = row_of(g, n);
    const char *from = function_table[n->function].derivative;
    while (i-- > 0)
        from = strchr(from, ';') + 1;
    return row_text(&r, arena_copy(g->arena, from, strcspn(from, ";")));
}

Node *function_kink(Dag *g, Node *n)
{
    Row r = row_of(g, n);
    const char *kink = function_table[n->function].kink;
    return node_is_condition(n) && n->function <= FN_ne ? n : kink ? row_text(&r, kink) : NULL;
}

bool function_masks(FunctionKind function)
{
    const char *derivative = function_table[function].derivative;
    return derivative && strcmp(derivative, "where(y > 0, 1, 0)") == 0;
}

/* ---- functions written with others ---- */

/* The attribute that begins at s, "slope=0.01": its name and default (NULL: none); returns the next one, or NULL. */
static const char *attribute(Arena *a, const char *s, const char **name, const char **fallback)
{
    size_t n = strcspn(s, " "), equals = strcspn(s, "= ");
    *name = arena_copy(a, s, equals);
    *fallback = equals < n ? arena_copy(a, s + equals + 1, n - equals - 1) : NULL;
    return s[n] ? s + n + 1 : NULL;
}

void function_takes(FunctionKind function, int *least, int *most)
{
    const Function *f = &function_table[function];
    *least = *most = f->operands;
    for (const char *s = f->attributes; s && *s; s = s[strcspn(s, " ")] ? s + strcspn(s, " ") + 1 : NULL) {
        *most += 1;
        *least += s[strcspn(s, " =")] != '=';
    }
}

const char *function_form(Arena *a, FunctionKind function)
{
    static const char *const operands[] = { "x", "a, b", "condition, a, b" };
    const Function *f = &function_table[function];
    Text t = { .arena = a };
    text_printf(&t, "%s(%s", f->name, operands[f->operands - 1]);
    const char *name, *fallback;
    for (const char *s = f->attributes && *f->attributes ? f->attributes : NULL; s;) {
        s = attribute(a, s, &name, &fallback);
        text_printf(&t, ", %s", fallback ? fallback : name);
    }
    text_add(&t, ")", 1);
    return t.text;
}

Node *function_apply(Dag *g, FunctionKind function, Node *const *x, int count)
{
    static const char *const names[] = { "x1", "x2", "x3" };
    const Function *f = &function_table[function];
    if (!f->formula)
        return dag_call(g, function, x[0], f->operands > 1 ? x[1] : NULL, f->operands > 2 ? x[2] : NULL);
    Row r = { .g = g };
    row_name(&r, "x", x[0]);
    for (int i = 0; i < f->operands; i++)
        row_name(&r, names[i], x[i]);
    const char *name, *fallback;
    int i = f->operands;
    for (const char *s = *f->attributes ? f->attributes : NULL; s; i++) {
        s = attribute(g->arena, s, &name, &fallback);
        row_name(&r, name, i < count ? x[i] : dag_number(g, strtod(fallback, NULL)));
    }
    return row_text(&r, f->formula);
}
