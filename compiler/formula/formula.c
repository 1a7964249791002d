/* formula.c -- a formula's text becomes a DAG over numbered operands.
 *
 * In: a scalar and the names that it may read.  Out: a Formula, or an error at the exact column.  Next: shapes.c and gradient.c.
 * A part that reads no value is reckoned by expr.c, in double: it is one number of the DAG, or one operand if it reads a step. */
#include "formula/formula.h"
#include "formula/rows.h"

#include <math.h>
#include <string.h>

typedef struct {
    Arena *arena;
    Diag *diag;
    const FormulaNames *names;
    Formula *formula;
    List operands;     /* FormulaOperand */
    Reckoner reckoner; /* at step 0 of every repeat */
} Binder;

/* ---- functions ---- */

/* The operator or net called `name`; NULL: there is none. */
static const FormulaOperator *operator_called(const FormulaNames *names, const char *name)
{
    for (int i = 0; i < names->operator_count; i++)
        if (strcmp(names->operators[i].name, name) == 0)
            return &names->operators[i];
    return NULL;
}

/* Functions that others have, and what a formula has instead. */
static const char *written_instead(const char *name)
{
    static const struct { const char *name, *instead; } others[] = {
        { "pow", "x ** 2" }, { "power", "x ** 2" }, { "tan", "sin(x) / cos(x)" }, { "round", "floor(x + 0.5)" }, { "ln", "log(x)" }, { "log2", "log(x) / log(2)" },
        { "log10", "log(x) / log(10)" }, { "rsqrt", "x ** -0.5" }, { "sqr", "x ** 2" }, { "fabs", "abs(x)" },
        { "clamp", "clip(x, low, high)" }, { "mod", "a - b * floor(a / b)" }, { "swish", "silu(x)" },
        { "logit", "log(x / (1 - x))" }, { "cosh", "(exp(x) + exp(-x)) / 2" }, { "sinh", "(exp(x) - exp(-x)) / 2" },
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i].name, name) == 0)
            return others[i].instead;
    return NULL;
}

static bool is_value(const FormulaNames *names, const char *name)
{
    for (int i = 0; i < names->value_count; i++)
        if (strcmp(names->values[i], name) == 0)
            return true;
    return false;
}

static void unknown_function(Arena *a, Diag *d, const FormulaNames *names, const Syntax *n)
{
    const char *words[FN_COUNT];
    const FormulaOperator *operator = operator_called(names, n->word);
    int count = 0;
    Loc at = syntax_at(n);
    at.length = (int)strlen(n->word);
    for (int f = 0; f < FN_COUNT; f++)
        if (function_find(function_table[f].name) == f)         /* not those that are never written */
            words[count++] = function_table[f].name;
    if (operator)
        diag_error(d, at, "'%s' is %s, not a function: write %s", n->word, operator->what, operator->form);
    else if (is_value(names, n->word))
        diag_error(d, at, "'%s' is a value, not a function: a product is written with '*'", n->word);
    else if (strcmp(n->word, "ceil") == 0)
        diag_error(d, at, "ceil takes numbers and $params alone: of a value write -floor(-x)");
    else if (written_instead(n->word))
        diag_error(d, at, "a formula has no function '%s': write %s", n->word, written_instead(n->word));
    else
        diag_error(d, at, "unknown function '%s'%s", n->word, diag_suggestion(a, n->word, words, count));
}

/* The function of a call whose number of operands is right, or -1 after reporting. */
static int function_of(Arena *a, Diag *d, const FormulaNames *names, const Syntax *n)
{
    int f = function_find(n->word), least, most;
    if (f < 0) {
        unknown_function(a, d, names, n);
        return -1;
    }
    function_takes((FunctionKind)f, &least, &most);
    if (n->count >= least && n->count <= most)
        return f;
    const FormulaOperator *over = n->count == 1 && least == 2 ? operator_called(names, n->word) : NULL;
    const char *takes =
        least < most ? arena_printf(a, "%d or %d operands", least, most) : arena_printf(a, "%d operand%s", most, most == 1 ? "" : "s");
    diag_error(d, syntax_at(n), "%s takes %s, not %d: write %s%s%s", n->word, takes, n->count, function_form(a, (FunctionKind)f),
               over ? ", or over axes " : "", over ? over->form : "");
    return -1;
}

/* A function of numbers, for expr.c. */
static bool number_function(void *context, const Syntax *n, const double *x, double *result)
{
    Binder *b = context;
    Node *arg[3] = { NULL };
    int f = function_of(b->arena, b->diag, b->names, n);
    if (f < 0)
        return false;
    for (int i = 0; i < n->count; i++)
        arg[i] = dag_number(b->formula->dag, x[i]);
    Node *value = function_apply(b->formula->dag, (FunctionKind)f, arg, n->count);
    *result = value->kind == NODE_NUMBER ? value->number : NAN;
    if (value->kind != NODE_NUMBER)
        diag_error(b->diag, syntax_at(n), "%s is no finite number here", n->word);
    return value->kind == NODE_NUMBER;
}

static Reckoner reckoner(Binder *b, const int64_t *steps)
{
    return (Reckoner){ b->arena, b->diag, b->names->scope, b->names->steps, steps, b->names->step_count, b->names->step_repeats, number_function, b };
}

/* ---- operands ---- */

static bool same_operand(const FormulaOperand *x, const FormulaOperand *y)
{
    return x->name && y->name && strcmp(x->name, y->name) == 0 && x->sliced == y->sliced && x->a == y->a && x->b == y->b && x->repeat == y->repeat;
}

static Node *operand(Binder *b, const FormulaOperand *wanted)
{
    for (int i = 0; i < b->operands.count; i++)
        if (same_operand(b->operands.items[i], wanted))
            return dag_input(b->formula->dag, i);
    if (b->operands.count == INPUT_MAX) {
        diag_error(b->diag, wanted->at, "a formula reads at most %d values: give a part of it an entry of its own", INPUT_MAX);
        return NULL;
    }
    FormulaOperand *o = NEW(b->arena, FormulaOperand);
    *o = *wanted;
    list_push(b->arena, &b->operands, o);
    return dag_input(b->formula->dag, b->operands.count - 1);
}

static void unknown_value(Binder *b, const Syntax *n, Loc at)
{
    const FormulaNames *names = b->names;
    const FormulaOperator *operator = operator_called(names, n->word);
    if (operator)
        diag_error(b->diag, at, "'%s' is %s, not a value: write %s", n->word, operator->what, operator->form);
    else if (function_find(n->word) >= 0)
        diag_error(b->diag, at, "'%s' is a function, not a value: write %s", n->word,
                   function_form(b->arena, (FunctionKind)function_find(n->word)));
    else if (names->scope && scope_param(names->scope, n->word))
        diag_error(b->diag, at, "unknown value '%s'; the parameter is written '$%s'", n->word, n->word);
    else
        diag_error(b->diag, at, "unknown value '%s'%s", n->word, diag_suggestion(b->arena, n->word, names->values, names->value_count));
}

static Node *value(Binder *b, const Syntax *n)
{
    FormulaOperand o = { .at = syntax_at(n), .value = -1 };
    for (int i = 0; i < b->names->value_count; i++)
        if (strcmp(b->names->values[i], n->word) == 0)
            o.value = i;
    Loc name = o.at;
    name.length = (int)strlen(n->word) < name.length ? (int)strlen(n->word) : name.length;
    if (o.value < 0) {
        unknown_value(b, n, name);
        return NULL;
    }
    o.name = n->word;
    if (n->kind == SYNTAX_SLICE) {
        o.sliced = true;
        if (!expr_linear(&b->reckoner, n->items[0], &o.repeat, &o.a, &o.b))
            return NULL;
        if (o.a == 0 && o.b < 0) {
            diag_error(b->diag, syntax_at(n->items[0]), "an index counts from the start, from 0 on");
            return NULL;
        }
    }
    Node *x = operand(b, &o);
    if (x) {
        FormulaRead *r = NEW(b->arena, FormulaRead);
        *r = (FormulaRead){ n, x->input };
        list_push(b->arena, &b->formula->reads, r);
    }
    return x;
}

/* ---- the DAG ---- */

static Node *bind(Binder *b, const Syntax *n);

static Node *number(Binder *b, const Syntax *n, bool stepped)
{
    Value v;
    if (!expr_number(&b->reckoner, n, &v))
        return NULL;
    return stepped ? operand(b, &(FormulaOperand){ .value = -1, .at = syntax_at(n), .number = n }) : dag_number(b->formula->dag, v.r);
}

static Node *call(Binder *b, const Syntax *n)
{
    Node *x[FORMULA_MAX];
    int f = function_of(b->arena, b->diag, b->names, n);
    if (f < 0)
        return NULL;
    bool fine = true;
    for (int i = 0; i < n->count; i++) {
        x[i] = bind(b, n->items[i]);
        fine &= x[i] != NULL;
        if (x[i] && i >= function_table[f].operands && x[i]->kind != NODE_NUMBER) {
            diag_error(b->diag, syntax_at(n->items[i]), "this must be a number, the same for all elements: %s",
                       function_form(b->arena, (FunctionKind)f));
            fine = false;
        }
    }
    if (fine && f == FN_clip && x[1]->number > x[2]->number) {
        diag_error(b->diag, syntax_at(n->items[2]), "clip(x, low, high) has its lower bound first: %s is above this",
                   syntax_text(b->arena, n->items[1]));
        return NULL;
    }
    return fine ? function_apply(b->formula->dag, (FunctionKind)f, x, n->count) : NULL;
}

static Node *power(Binder *b, const Syntax *n)
{
    Node *x = bind(b, n->items[0]), *y = bind(b, n->items[1]);
    if (!x || !y)
        return NULL;
    if (y->kind == NODE_NUMBER)
        return dag_call(b->formula->dag, FN_power, x, y, NULL);
    const char *base = syntax_text(b->arena, n->items[0]), *by = syntax_text(b->arena, n->items[1]);
    const bool one = by[strspn(by, "[]$._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] == '\0';
    diag_error(b->diag, syntax_at(n->items[1]), "'**' takes a number: to the power of a %s, write exp(%s%s%s * log(%s))", *by == '$' ? "step" : "value",
               one ? "" : "(", by, one ? "" : ")", base);
    diag_note(b->diag, (Loc){ 0 }, *by == '$' ? "log is of numbers above 0; a number to the power of $t may be written so: 0.9 ** $t" : "log is of numbers above 0");
    return NULL;
}

static Node *pair(Binder *b, const Syntax *n)
{
    if (strcmp(n->word, "//") == 0 || strcmp(n->word, "%") == 0) {
        diag_error(b->diag, syntax_sign(n), "'%s' takes numbers and $params alone: of values write %s", n->word,
                   *n->word == '/' ? "floor(a / b)" : "a - b * floor(a / b)");
        return NULL;
    }
    if (strcmp(n->word, "**") == 0)
        return power(b, n);
    Node *x = bind(b, n->items[0]), *y = bind(b, n->items[1]);
    for (int f = 0; x && y && f < FN_OWN; f++)
        if (function_table[f].sign && function_table[f].operands == 2 && strcmp(function_table[f].sign, n->word) == 0)
            return dag_call(b->formula->dag, (FunctionKind)f, x, y, NULL);
    return NULL;
}

/* The node of n, or NULL after reporting. */
static Node *bind(Binder *b, const Syntax *n)
{
    bool stepped = false;
    if (expr_is_number(&b->reckoner, n, &stepped))
        return number(b, n, stepped);
    switch (n->kind) {
    case SYNTAX_WORD:
    case SYNTAX_SLICE: return value(b, n);
    case SYNTAX_CALL: return call(b, n);
    case SYNTAX_PAIR: return pair(b, n);
    case SYNTAX_SIGN: {
        Node *x = bind(b, n->items[0]);
        return x && *n->word == '-' ? dag_call(b->formula->dag, FN_neg, x, NULL, NULL) : x;
    }
    default: unreachable("a part of a formula that is neither number nor value");
    }
}

/* Nodes of the tree, or more than FORMULA_MAX. */
static int size_of(const Syntax *n)
{
    int size = 1;
    for (; n->kind == SYNTAX_PAIR && size <= FORMULA_MAX; n = n->items[0])
        size += 1 + size_of(n->items[1]);
    for (int i = 0; i < n->count && size <= FORMULA_MAX; i++)
        size += n->kind == SYNTAX_PAIR ? 0 : size_of(n->items[i]);
    return size;
}

Formula *formula_read(Arena *a, Diag *d, const FormulaNames *names, const Yaml *scalar)
{
    Formula *f = NEW(a, Formula);
    int64_t *zeros = NEW_ARRAY(a, int64_t, names->step_count + 1);
    Binder b = { .arena = a, .diag = d, .names = names, .formula = f };
    b.reckoner = reckoner(&b, zeros);
    f->names = names;
    f->dag = dag_new(a);
    if (scalar->folded) {
        diag_error(d, scalar->loc, "a formula is one line: give a part of it an entry of its own");
        return NULL;
    }
    f->syntax = syntax_read(a, d, names->scope, scalar, SYNTAX_FORMULA, "");
    if (!f->syntax)
        return NULL;
    if (size_of(f->syntax) > FORMULA_MAX) {
        diag_error(d, scalar->loc, "a formula has at most %d operations, names and numbers: give a part of it an entry of its own",
                   FORMULA_MAX);
        return NULL;
    }
    f->root = bind(&b, f->syntax);
    f->operand_count = b.operands.count;
    f->operands = NEW_ARRAY(a, FormulaOperand, b.operands.count);
    for (int i = 0; i < b.operands.count; i++)
        f->operands[i] = *(FormulaOperand *)b.operands.items[i];
    return f->root ? f : NULL;
}

Formula *formula_function(Arena *a, FunctionKind function, const double *attributes)
{
    static const char *const names[] = { "x1", "x2", "x3" };
    Formula *f = NEW(a, Formula);
    Node *x[16] = { NULL };
    int least, most, operands = function_table[function].operands;
    function_takes(function, &least, &most);
    f->dag = dag_new(a);
    f->operand_count = operands;
    f->operands = NEW_ARRAY(a, FormulaOperand, operands);
    for (int i = 0; i < operands; i++) {
        f->operands[i] = (FormulaOperand){ .name = operands == 1 ? "x" : names[i], .value = i };
        x[i] = dag_input(f->dag, i);
    }
    for (int i = operands; attributes && i < most; i++)
        x[i] = dag_number(f->dag, attributes[i - operands]);
    f->root = function_apply(f->dag, function, x, attributes ? most : operands);
    return f;
}

bool formula_step_number(const Formula *f, Diag *d, int operand, const int64_t *steps, double *number)
{
    Formula scratch = { .dag = dag_new(f->dag->arena) };
    Binder b = { .arena = f->dag->arena, .diag = d, .names = f->names, .formula = &scratch };
    Reckoner r = reckoner(&b, steps);
    Value v;
    if (!expr_number(&r, f->operands[operand].number, &v))
        return false;
    *number = v.r;
    return true;
}
