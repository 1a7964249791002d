/* help.c -- `spnc ops`: what may stand in a model, one line each, and a page for one of them.
 *
 * In: the tables of operators (ops/) and of the rest (language.c); all that it prints is from the tables that the compiler checks with.
 * An example on a page is indented by four spaces and is a whole model: the tests compile each. */
#include "formula/formula.h"
#include "manual/keys.h"
#include "read/language.h"
#include <string.h>

static void line(FILE *out, const char *name, const char *text) { fprintf(out, "  %-16s %s\n", name, text); }

static void list_all(FILE *out)
{
    fprintf(out, "operators: layers of a net, or entries of the flow\n");
    for (int k = 0; k < op_count; k++)
        if (op_table[k]->help && op_table[k]->layer)
            line(out, op_table[k]->name, op_table[k]->help->about);
    fprintf(out, "\noperators of the flow alone\n");
    for (int k = 0; k < op_count; k++)
        if (op_table[k]->help && !op_table[k]->layer && !loss_table[k])
            line(out, op_table[k]->name, op_table[k]->help->about);
    line(out, map_repeat.name, map_repeat.help);
    fprintf(out, "\ninputs\n");
    line(out, map_augment.name, map_augment.help);
    fprintf(out, "\nlosses\n");
    for (int k = 0; k < op_count; k++)
        if (loss_table[k])
            line(out, loss_word((OpKind)k), op_table[k]->help ? op_table[k]->help->about : "The mean of a value or a formula, over examples and elements.");
    fprintf(out, "\noptimisers\n");
    for (const Optimiser *o = optimisers; o->map.name; o++)
        line(out, o->map.name, o->map.help);
    fprintf(out, "\nschedules\n");
    for (const Schedule *s = schedules; s->map.name; s++)
        line(out, s->map.name, s->map.help);
    fprintf(out, "\ninitialisers\n");
    for (const InitSpec *i = initialisers; i->name; i++)
        line(out, i->name, i->help);
    keys_list(out, line);
    fprintf(out, "\nspnc ops NAME explains one, with an example.\n");
}

/* A row of a table of attributes or keys. */
static void attribute(FILE *out, const AttrSpec *s)
{
    static const char *const forms[] = {
        [ATTR_INT] = "a whole number", [ATTR_PAIR] = "n or [rows, columns]", [ATTR_REAL] = "a number", [ATTR_WORD] = "a word", [ATTR_BOOL] = "true or false",
        [ATTR_INIT] = "an initialiser", [ATTR_SHAPE] = "n or [n, ...]", [ATTR_PAIRS] = "n or [n or [before, after], ...]", [ATTR_NAME] = "a name", [ATTR_ACT] = "an activation", [ATTR_INDEX] = "n or a * $t + b",
        [ATTR_TREE] = "see docs/language.md",
    };
    char form[128], fallback[64] = "";
    bool number = s->type == ATTR_INT || s->type == ATTR_PAIR || s->type == ATTR_REAL || s->type == ATTR_SHAPE || s->type == ATTR_PAIRS;
    if (number)
        snprintf(form, sizeof form, "%s, %.15g to %.15g%s%s", forms[s->type], s->low, s->high, s->choices ? "; or " : "", s->choices ? s->choices : "");
    else
        snprintf(form, sizeof form, "%s", s->type == ATTR_WORD && s->choices ? s->choices : forms[s->type]);
    if (!s->fallback)
        snprintf(fallback, sizeof fallback, "; needed");
    else if (*s->fallback)
        snprintf(fallback, sizeof fallback, "; %s unless given", s->fallback);
    fprintf(out, "  %-16s %s\n  %-16s (%s%s)\n", s->name, s->help, "", form, fallback);
}

static void attributes(FILE *out, const AttrSpec *attrs, const char *title)
{
    fprintf(out, "\n%s\n", title);
    for (const AttrSpec *s = attrs; s->name; s++)
        attribute(out, s);
}

static void example(FILE *out, const char *name, const char *text)
{
    fprintf(out, "\nexample\n    model: %s_example\n", name);
    for (const char *c = text; *c; c += strcspn(c, "\n") + 1)
        fprintf(out, "    %.*s\n", (int)strcspn(c, "\n"), c);
}

/* The functions of formulas, with their derivatives by each operand. */
static void functions(FILE *out)
{
    fprintf(out, "\nfunctions, and what the gradient dy is multiplied by for each operand (x, or x1, x2, x3; y: the result)\n");
    for (int i = 0; i < FN_COUNT; i++) {
        const Function *f = &function_table[i];
        if (f->sign ? !f->derivative || i >= FN_and : !f->derivative && !f->formula)
            continue;
        fprintf(out, "  %-16s %s%s\n", f->sign ? f->operands == 1 ? "-x" : f->sign : f->name, f->formula ? "y = " : "", f->formula ? f->formula : f->derivative);
    }
    fprintf(out, "\n  Formulas that read each other's results, and are alone in it, are one operator: one pass over memory, forward and backward, with the same bits.\n"
                 "  spnc explain NAME has a formula's gradients and says what it was joined with.\n");
}

/* What stands behind the operator's name in an entry. */
static const char *operands_of(const OpInfo *op)
{
    static const struct { OpKind kind; const char *form; } forms[] = {
        { OP_formula, "a + b" }, { OP_gru, "[x, h]" }, { OP_rnn, "[x, h]" }, { OP_lstm, "[x, h, c]" }, { OP_spn, "[image, A]" }, { OP_embedding, "tokens" }, { OP_matmul, "[a, b]" },
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (op == op_table[forms[i].kind])
            return forms[i].form;
    return op->inputs_max == 0 ? "" : op->inputs_max == 1 ? "x" : "[x, y]";
}

static void operator_page(FILE *out, const OpInfo *op, const LossInfo *loss)
{
    fprintf(out, "%s: %s\n\n  %s\n  %s\n\n", op->name, op->help->about, op->equation, op->help->shapes);
    if (op->layer && op->main)
        fprintf(out, "  in a net     - %s: { %s: ... }, or - %s: VALUE, which sets '%s'\n", op->name, op->main, op->name, op->main);
    else if (op->layer)
        fprintf(out, "  in a net     - %s\n", op->name);
    if (loss)
        fprintf(out, "  under loss   { %s: %s }\n", op->name, loss->takes == TAKES_WEIGHTS ? loss->form : loss_operands(loss) == 1 ? "a" : "[a, b]");
    else if (op == op_table[OP_formula])
        fprintf(out, "  in the flow  - NAME: a + b, or - NAME: { formula: a + b, when: CONDITION }\n");
    else
        fprintf(out, "  in the flow  - NAME: { %s: %s%s... }\n", op->name, operands_of(op), op->inputs_max ? ", " : "");
    if (op->attrs->name)
        attributes(out, op->attrs, "attributes");
    if (op->help->example)
        example(out, op->name, op->help->example);
    if (op == op_table[OP_formula])
        functions(out);
}

static void map_page(FILE *out, const MapSpec *map)
{
    fprintf(out, "%s: %s\n\n", map->name, map->help);
    for (const char *c = map->equation; *c; c += strcspn(c, "\n"), c += *c == '\n')
        fprintf(out, "  %.*s\n", (int)strcspn(c, "\n"), c);
    attributes(out, map->keys, "keys");
    example(out, map->name, map->example);
}

static void initialiser_page(FILE *out, const InitSpec *init)
{
    fprintf(out, "%s: %s\n\n  in a layer   init: %s%s%s\n", init->name, init->help, init->number ? "{ " : "", init->name, init->number ? ": a }" : "");
    if (init->pair || init->gain)
        fprintf(out, "  or           init: { %s: %s%s%s }\n", init->name, init->pair ? "[" : "{ ", init->pair ? init->pair : "gain: a", init->pair ? "]" : " }");
    char text[512];
    const char *form = init->transform ? "inputs: { x: { shape: [1, 3, 2] } }\ntargets: { y: { shape: [1, 3, 2] } }\nflow:\n  - A: { dense: x, units: 6, init: %s%s%s }\n  - v: { spn: [x, A] }\nloss: { mse: [v, y] }\n"
                                       : "inputs: { x: { shape: [4] } }\ntargets: { y: { classes: 6 } }\nflow:\n  - v: { dense: x, units: 6, init: %s%s%s }\nloss: { cross_entropy: [v, y] }\n";
    snprintf(text, sizeof text, form, init->number ? "{ " : "", init->name, init->number ? ": 0.1 }" : "");
    example(out, init->name, text);
}

/* The names of all pages, and how many of them are printed: an operator and a schedule, or a key, may have one name. */
typedef struct { FILE *out; const char *wanted, *names[OP_NONE + 128]; int count, found; } Search;

static bool is_wanted(Search *s, const char *name)
{
    if (s->count == sizeof s->names / sizeof *s->names)
        unreachable("more pages than a search has room for");
    s->names[s->count++] = name;
    if (strcmp(name, s->wanted))
        return false;
    if (s->found++)
        fprintf(s->out, "\n");
    return true;
}

static void map_wanted(Search *s, const MapSpec *map)
{
    if (is_wanted(s, map->name))
        map_page(s->out, map);
}

bool ops_print(Arena *a, FILE *out, const char *name, const char **suggestion)
{
    Search s = { .out = out, .wanted = name };
    if (!name) {
        list_all(out);
        return true;
    }
    for (int k = 0; k < op_count; k++)
        if (op_table[k]->help && is_wanted(&s, op_table[k]->name))
            operator_page(out, op_table[k], loss_table[k]);
    map_wanted(&s, &map_augment);
    map_wanted(&s, &map_repeat);
    for (const Optimiser *o = optimisers; o->map.name; o++)
        map_wanted(&s, &o->map);
    for (const Schedule *c = schedules; c->map.name; c++)
        map_wanted(&s, &c->map);
    for (const InitSpec *i = initialisers; i->name; i++)
        if (is_wanted(&s, i->name))
            initialiser_page(out, i);
    int place = 0, row = 0;
    bool paged = false;
    for (const char *key; keys_next(&key, &place, &row);)
        if ((!paged || strcmp(key, name)) && is_wanted(&s, key)) {
            keys_page(a, out, key, attribute);
            paged = true;
        }
    if (!s.found)
        *suggestion = diag_suggestion(a, name, s.names, s.count);
    return s.found > 0;
}
