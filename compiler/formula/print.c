/* print.c -- nodes as infix text: for people, for plain C; and the canonical text that the model hash has.
 *
 * In: roots of a DAG.  Out: text.  A node that several read is written once, before them, under a name of its own; so is one whose text
 * grows too long.  Parentheses stand where the order of evaluation needs them, and nowhere else. */
#include "formula/print.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONG = 105 }; /* bytes of a line; beyond, parts get names */

/* From loose to tight; C's and the language's agree on these. */
typedef enum { CHOICE, EITHER, BOTH, EQUAL, ORDER, SUM, PRODUCT, UNARY, POWER, ATOM } Level;

typedef struct {
    const char *text;
    Level level;
} Piece;

typedef struct {
    const Infix *i;
    int *uses;         /* by id */
    const char **name; /* by id; NULL: none yet */
    int names;
    Text *lines;
} Printer;

const char *number_text(Arena *a, double x, bool c)
{
    if (x == floor(x) && fabs(x) < 16777216 && !(x == 0 && signbit(x)))
        return arena_printf(a, "%.0f", x);
    for (int digits = 1; digits <= 17; digits++) {
        const char *s = arena_printf(a, "%.*g", digits, x);
        if (strtod(s, NULL) == x)
            return arena_printf(a, c ? "(real)%s" : "%s", s);
    }
    unreachable("a number without a text");
}

void node_uses(const Node *n, int *uses)
{
    if (uses[n->id]++ > 0)
        return;
    for (int i = 0; i < node_args(n); i++)
        node_uses(n->arg[i], uses);
}

bool is_identifier(const char *s) { return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.")] == '\0'; }

const char *input_name(const Infix *i, int input)
{
    const char *name = input == INPUT_DY ? i->dy : input == INPUT_RESULT ? i->result : i->operands[input];
    if (!name)
        unreachable("an input without a name");
    return name;
}

static Piece piece(Printer *p, Node *n);

/* The text of n where an operand of `least` may stand. */
static const char *within(Printer *p, Node *n, Level least)
{
    Piece x = piece(p, n);
    return x.level >= least ? x.text : arena_printf(p->i->dag->arena, "(%s)", x.text);
}

/* The same as a value: in C a condition is an int, and so is a whole number, which must not meet another one in a division. */
static const char *as_value(Printer *p, Node *n, Level least)
{
    bool cast = p->i->c && (node_is_condition(n) || (n->kind == NODE_NUMBER && least == CHOICE + 1));
    if (!cast)
        return within(p, n, least);
    const char *text = within(p, n, UNARY);
    return strncmp(text, "(real)", 6) == 0 ? text : arena_printf(p->i->dag->arena, "(real)%s", text);
}

/* A part as a condition: without the cast. */
static const char *as_condition(Printer *p, Node *n, Level least) { return within(p, n, least); }

static Piece operator_piece(Printer *p, const Node *n)
{
    static const Level levels[FN_not + 1] = { SUM,   SUM,   PRODUCT, PRODUCT, UNARY, POWER,  ORDER, ORDER,
                                              ORDER, ORDER, EQUAL,   EQUAL,   BOTH,  EITHER, UNARY };
    Arena *a = p->i->dag->arena;
    Level level = levels[n->function];
    const char *sign = function_table[n->function].sign;
    bool logic = n->function >= FN_and;
    const char *(*part)(Printer *, Node *, Level) = logic ? as_condition : as_value;
    if (p->i->c && logic)
        sign = n->function == FN_and ? "&&" : n->function == FN_or ? "||" : "!";
    if (n->function == FN_neg) {
        const char *inner = part(p, n->arg[0], UNARY);
        return (Piece){ arena_printf(a, *inner == '-' ? "-(%s)" : "-%s", inner), UNARY };
    }
    if (n->function == FN_not)
        return (Piece){ arena_printf(a, p->i->c ? "%s%s" : "%s %s", sign, part(p, n->arg[0], UNARY)), UNARY };
    if (n->function == FN_power && p->i->c)
        return (Piece){ arena_printf(a, "r_pow(%s, %s)", within(p, n->arg[0], CHOICE), within(p, n->arg[1], CHOICE)), ATOM };
    Level left = level == POWER ? ATOM : level == ORDER || level == EQUAL ? SUM : level;
    Level right = level == POWER ? UNARY : level == ORDER || level == EQUAL ? SUM : (Level)(level + 1);
    if (logic)
        left = right = p->i->c ? EQUAL : (Level)(level + 1);
    return (Piece){ arena_printf(a, "%s %s %s", part(p, n->arg[0], left), sign, part(p, n->arg[1], right)), level };
}

/* min and max with a number behind: nothing of it can be NaN, so the shorter form has the same bits. */
static const char *c_name(const Node *n)
{
    if (n->arg[1] && n->arg[1]->kind == NODE_NUMBER)
        return n->function == FN_min ? "min" : n->function == FN_max ? "max" : function_table[n->function].c;
    return function_table[n->function].c;
}

static Piece function_piece(Printer *p, const Node *n)
{
    Arena *a = p->i->dag->arena;
    if (p->i->c && n->function == FN_where) {
        const char *c = as_condition(p, n->arg[0], EITHER), *yes = as_value(p, n->arg[1], CHOICE + 1),
                   *no = as_value(p, n->arg[2], CHOICE + 1);
        return (Piece){ arena_printf(a, "%s ? %s : %s", c, yes, no), CHOICE };
    }
    if (n->function == FN_fnma) {
        const char *c = within(p, n->arg[2], SUM), *x = within(p, n->arg[0], PRODUCT);
        return (Piece){ arena_printf(a, "%s - %s * %s", c, x, within(p, n->arg[1], UNARY)), SUM };
    }
    const char *x[3] = { NULL };
    for (int i = 0; i < node_args(n); i++)
        x[i] = within(p, n->arg[i], CHOICE);
    const char *name = p->i->c ? c_name(n) : function_table[n->function].name, *prefix = p->i->c ? "r_" : "";
    if (node_args(n) == 3)
        return (Piece){ arena_printf(a, "%s%s(%s, %s, %s)", prefix, name, x[0], x[1], x[2]), ATOM };
    if (node_args(n) == 1)
        return (Piece){ arena_printf(a, "%s%s(%s)", prefix, name, x[0]), ATOM };
    bool turned = p->i->c && name != function_table[n->function].c;
    return (Piece){ arena_printf(a, "%s%s(%s, %s)", prefix, name, x[turned], x[!turned]), ATOM };
}

static Piece named(Printer *p, const Node *n, const char *text)
{
    const char *type = !p->i->c ? "" : node_is_condition(n) ? "const int " : "const real ";
    const char *name = arena_printf(p->i->dag->arena, "%s%d", p->i->prefix, ++p->names);
    text_printf(p->lines, "%s%s%s = %s%s\n", p->i->indent, type, name, text, p->i->c ? ";" : "");
    p->name[n->id] = name;
    return (Piece){ name, ATOM };
}

static Piece composed(Printer *p, const Node *n) { return n->function <= FN_not ? operator_piece(p, n) : function_piece(p, n); }

/* Gives a name to the longest part of n that has none; false if all have. */
static bool longest_named(Printer *p, const Node *n)
{
    const Node *longest = NULL;
    const char *text = "";
    for (int i = 0; i < node_args(n); i++)
        if (n->arg[i]->kind == NODE_CALL && !p->name[n->arg[i]->id]) {
            const char *part = piece(p, n->arg[i]).text;
            if (!p->name[n->arg[i]->id] && strlen(part) > strlen(text)) {
                longest = n->arg[i];
                text = part;
            }
        }
    return longest && named(p, longest, text).text;
}

static Piece piece(Printer *p, Node *n)
{
    if (p->name[n->id])
        return (Piece){ p->name[n->id], ATOM };
    if (n->kind == NODE_NUMBER)
        return (Piece){ number_text(p->i->dag->arena, n->number, p->i->c), n->number < 0 || signbit(n->number) ? UNARY : ATOM };
    if (n->kind == NODE_INPUT) {
        const char *name = input_name(p->i, n->input);
        return p->i->c && p->uses[n->id] > 1 && !is_identifier(name) ? named(p, n, name) : (Piece){ name, ATOM };
    }
    Piece x = composed(p, n);
    while (strlen(x.text) > LONG && longest_named(p, n))
        x = composed(p, n);
    return p->uses[n->id] > 1 ? named(p, n, x.text) : x;
}

void infix_lines(Text *out, const Infix *i, Node *const *roots, int count, const char **values)
{
    Printer p = { .i = i, .lines = out };
    p.uses = NEW_ARRAY(i->dag->arena, int, i->dag->nodes.count);
    p.name = NEW_ARRAY(i->dag->arena, const char *, i->dag->nodes.count);
    for (int k = 0; k < count; k++)
        node_uses(roots[k], p.uses);
    for (int k = 0; k < count; k++)
        values[k] = as_value(&p, roots[k], CHOICE);
}

const char *formula_text(Arena *a, Dag *g, Node *root, const char *const *names, const char *dy, const char *y, const char *result)
{
    Infix i = { g, false, names, dy, y, "t", "" };
    Text t = { .arena = a };
    const char *value;
    infix_lines(&t, &i, &root, 1, &value);
    return arena_printf(a, "%s%s%s%s", t.text ? t.text : "", result ? result : "", result ? " = " : "", value);
}

const char *formula_texts(Arena *a, Dag *g, Node *const *roots, int count, const char *const *names, const char *dy, const char *y,
                          const char *const *results)
{
    Infix i = { g, false, names, dy, y, "t", "" };
    Text t = { .arena = a };
    const char **values = NEW_ARRAY(a, const char *, count + 1);
    infix_lines(&t, &i, roots, count, values);
    for (int k = 0; k < count; k++)
        text_printf(&t, "%s%s = %s", t.length && t.text[t.length - 1] != '\n' ? "\n" : "", results[k], values[k]);
    return t.text ? t.text : "";
}

const char *formula_comment(Arena *a, const char *text)
{
    Text t = { .arena = a };
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        text_printf(&t, "%s%.*s", line == text ? "" : "\n * ", (int)strcspn(line, "\n"), line);
    return t.text ? t.text : "";
}

/* ---- the canonical text ---- */

static int canonical(Text *t, const Node *n, int *number, int *count)
{
    if (number[n->id] || n->kind != NODE_CALL)
        return number[n->id];
    for (int i = 0; i < node_args(n); i++)
        canonical(t, n->arg[i], number, count);
    number[n->id] = ++*count;
    text_printf(t, "%d=%s(", *count, function_table[n->function].name);
    for (int i = 0; i < node_args(n); i++) {
        const Node *x = n->arg[i];
        const char *comma = i ? "," : "";
        if (x->kind == NODE_CALL)
            text_printf(t, "%s%d", comma, number[x->id]);
        else if (x->kind == NODE_INPUT)
            text_printf(t, "%s#%d", comma, x->input);
        else
            text_printf(t, "%s%a", comma, x->number);
    }
    text_printf(t, ");");
    return *count;
}

void formula_canonical(Text *t, const Formula *f)
{
    int count = 0;
    if (f->root->kind == NODE_INPUT)
        text_printf(t, "#%d", f->root->input);
    else if (f->root->kind == NODE_NUMBER)
        text_printf(t, "%a", f->root->number);
    else
        canonical(t, f->root, NEW_ARRAY(f->dag->arena, int, f->dag->nodes.count), &count);
}
