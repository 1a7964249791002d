/* formulas.c -- values that no operand makes alone: formulas of other values, constants, trained parameters, draws.
 *
 * In: an entry's text, or what stands under `constant`, `parameter` or `random`.  Out: operators of the graph.  A formula is one operator with a DAG of
 * operations inside (formula/); its operands are the values that it reads, each once. */
#include "graph/formulas.h"
#include "formula/formula.h"
#include "graph/repeats.h"
#include <ctype.h>
#include <string.h>

bool formula_is_name(const char *text)
{
    const char *c = text;
    for (;; c++) {
        if (!isalpha((unsigned char)*c))
            return false;
        while (isalnum((unsigned char)*c) || *c == '_')
            c++;
        if (*c != '.')
            return *c == '\0';
    }
}

/* ---- names that a formula may read ------------------------------------------------------------------------- */

/* A copy of the parameters of a net's use and of those around it: formulas are read again when shapes are known. */
static Scope *kept(Model *m, const Scope *scope)
{
    Scope *copy = NEW(m->arena, Scope);
    *copy = *scope;
    copy->outer = scope->outer ? kept(m, scope->outer) : NULL;
    return copy;
}

/* NAME.h of an entry NAME that has an error, which is reported: what values it would have is not known. */
static bool of_refused(Builder *b, const char *name)
{
    const char *dot = strchr(name, '.');
    const Name *whole = dot ? name_find(b, arena_copy(b->m->arena, name, (size_t)(dot - name))) : NULL;
    return whole && !whole->tensor && !whole->several;
}

/* Adds the names of parameters, NAME.weight, that the text of a formula reads, and those of values that an error has kept from being made. */
static int parameters_in(Builder *b, const char *text, const char **list, int n)
{
    for (const char *c = text; *c;) {
        size_t word = strspn(c, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
        const char *name = word && !isdigit((unsigned char)*c) && *c != '.' ? arena_copy(b->m->arena, c, word) : "";
        if (name_of_parameter(name) || of_refused(b, name))
            list[n++] = name;
        c += word ? word : 1;
    }
    return n;
}

/* The words in the text of a formula that name an operator or a net, *count of them. */
static const FormulaOperator *operators_in(Builder *b, const char *text, int *count)
{
    Arena *a = b->m->arena;
    FormulaOperator *list = NEW_ARRAY(a, FormulaOperator, strlen(text) / 2 + 1);
    *count = 0;
    for (const char *c = text; *c;) {
        const size_t word = isalpha((unsigned char)*c) ? (size_t)(syntax_word_end(c) - c) : 0;
        const char *name = word ? arena_copy(a, c, word) : NULL, *what, *form = name ? operator_written(b, name, &what) : NULL;
        if (form)
            list[(*count)++] = (FormulaOperator){ name, form, what };
        c += word ? word : 1;
    }
    return list;
}

static const FormulaNames *visible(Builder *b, const char *text)
{
    Model *m = b->m;
    const Frame *f = b->frame;
    const char **list = NEW_ARRAY(m->arena, const char *, f->names.count + f->absent.count + m->input_count + m->target_count + (int)strlen(text) / 2 + 1);
    int n = 0;
    for (int i = 0; i < f->names.count; i++)
        list[n++] = ((Name *)f->names.items[i])->name;
    for (int i = 0; i < f->absent.count; i++)
        list[n++] = ((Absent *)f->absent.items[i])->name;
    for (int i = 0; !f->net && i < m->input_count; i++)
        list[n++] = m->inputs[i].name;
    for (int i = 0; !f->net && i < m->target_count; i++)
        list[n++] = m->targets[i].name;
    n = parameters_in(b, text, list, n);
    FormulaNames *names = NEW(m->arena, FormulaNames);
    *names = (FormulaNames){ .scope = kept(m, &m->scope), .values = list, .value_count = n, .steps = m->step_names, .step_repeats = m->step_repeats,
                              .step_count = m->step_count };
    names->operators = operators_in(b, text, &names->operator_count);
    return names;
}

/* ---- constants ------------------------------------------------------------------------------------------------ */

static Tensor *constant(Builder *b, const char *path, Loc at, Shape shape, const double *values)
{
    Op *op = make(b, OP_constant, path, at, NULL);
    op->writes[0].tensor->shape = shape;
    op->constant.values = values;
    return op->writes[0].tensor;
}

/* x[i], x[a * $t + b]: the part of the operand's value along its first axis. */
static bool element(Builder *b, const FormulaOperand *o, const char *path, Use *u)
{
    Model *m = b->m;
    Op *parsed = op_new(m, OP_slice, FORWARD, "", o->at);
    Yaml key = { .kind = YAML_SCALAR, .loc = o->at, .text = "index" };
    Yaml number = { .kind = YAML_SCALAR, .loc = o->at, .text = o->a ? "0" : arena_printf(m->arena, "%lld", (long long)o->b) };
    Yaml *keys[1] = { &key }, *items[1] = { &number };
    Yaml attributes = { .kind = YAML_MAP, .loc = o->at, .count = 1, .keys = keys, .items = items };
    if (!attr_parse(m, parsed, &attributes, NULL, o->at))
        return false;
    if (o->a) {
        Attr *index = (Attr *)(uintptr_t)op_attr(parsed, "index");
        index->number[0] = (double)o->b, index->number[1] = (double)o->a, index->count = 2, index->repeat = o->repeat;
        parsed->slice.repeat = step_repeat(b, o->repeat);
    }
    *u = (Use){ make_operator(b, parsed, arena_printf(m->arena, "%s.slice", path), o->at, u, 1), 0 };
    return true;
}

Tensor *value_element(Builder *b, const char *path, Loc at, Use u, int index)
{
    FormulaOperand o = { .at = at, .sliced = true, .b = index };
    return element(b, &o, path, &u) ? u.tensor : NULL;
}

bool formula_make(Builder *b, const char *path, const Yaml *text, Use *out)
{
    Model *m = b->m;
    const Formula *f = formula_read(m->arena, m->diag, visible(b, text->text), text);
    Use operands[INPUT_MAX];
    bool good = f != NULL;
    if (f && f->operand_count > INPUT_MAX - 2) {
        diag_error(m->diag, text->loc, "a formula reads at most %d values", INPUT_MAX - 2);
        return false;
    }
    for (int i = 0; f && i < f->operand_count; i++) {
        const FormulaOperand *o = &f->operands[i];
        bool there = o->name ? name_resolve(b, o->name, o->at, &operands[i], false) : step_number(b, f, i, path, &operands[i]);
        good = (there && (!o->sliced || element(b, o, path, &operands[i]))) && good;
    }
    if (!good)
        return false;
    if (f->root->kind == NODE_INPUT) {
        *out = operands[f->root->input];
        return true;
    }
    if (f->root->kind == NODE_NUMBER) {
        double *value = NEW(m->arena, double);
        *value = f->root->number;
        *out = (Use){ constant(b, path, text->loc, (Shape){ 0 }, value), 0 };
        return true;
    }
    Op *op = make(b, OP_formula, path, text->loc, NULL);
    op->formula.f = f;
    op->prefix = path;
    for (int i = 0; i < f->operand_count; i++)
        op_read(op, operands[i].tensor, operands[i].shift);
    *out = (Use){ op->writes[0].tensor, 0 };
    return true;
}

bool value_is_special(OpKind kind) { return kind == OP_constant || kind == OP_parameter || kind == OP_random || kind == OP_formula; }

/* The numbers of a list of lists, in order, behind those that are there; *shape gets its axes, *leaf (-1 at first) the depth at which numbers stand. */
static bool numbers(Builder *b, const Yaml *y, int depth, Shape *shape, int *leaf, double *values, int64_t *count)
{
    Model *m = b->m;
    Value v;
    if (y->kind == YAML_LIST) {
        if (depth == RANK_MAX || y->count == 0 || depth == *leaf || (shape->rank > depth && shape->dim[depth] != y->count)) {
            diag_error(m->diag, y->loc, "a constant is a number, or a list of numbers, or a list of such lists of one length");
            return false;
        }
        if (shape->rank == depth)
            shape->dim[shape->rank++] = y->count;
        for (int i = 0; i < y->count; i++)
            if (!numbers(b, y->items[i], depth + 1, shape, leaf, values, count))
                return false;
        return true;
    }
    if (y->kind == YAML_SCALAR && *count == 0 && depth == shape->rank)
        *leaf = depth;
    if (y->kind != YAML_SCALAR || depth != *leaf) {
        diag_error(m->diag, y->loc, "a constant is a number, or a list of numbers, or a list of such lists of one length");
        return false;
    }
    if (!expr_value(m->arena, m->diag, &m->scope, y, &v))
        return false;
    if (v.kind == VALUE_TEXT) {
        diag_error(m->diag, y->loc, "a constant is made of numbers, not '%s'", v.text);
        return false;
    }
    if (values)
        values[*count] = v.r;
    ++*count;
    return true;
}

/* { range: n }: 0 .. n-1. */
static bool range(Builder *b, const Yaml *y, Shape *shape, double **values)
{
    Model *m = b->m;
    static const AttrSpec spec = { "range", ATTR_INT, NULL, 1, 1 << 20, NULL, "how many" };
    Attr a = { .spec = &spec };
    if (y->count != 1 || strcmp(y->keys[0]->text, "range")) {
        diag_error(m->diag, y->loc, "a constant is a number, a list of numbers, or { range: n }");
        return false;
    }
    if (!attr_from_yaml(m, &a, y->items[0]))
        return false;
    *shape = (Shape){ 1, { (int64_t)a.number[0] } };
    *values = NEW_ARRAY(m->arena, double, shape->dim[0]);
    for (int64_t i = 0; i < shape->dim[0]; i++)
        (*values)[i] = (double)i;
    return true;
}

/* A number stands for all elements of `shape:`, a list for its elements in row-major order. */
static bool reshape(Builder *b, const Op *parsed, Loc at, Shape *shape, double **values)
{
    const Attr *given = op_attr(parsed, "shape");
    const int64_t had = shape_count(shape);
    if (!given->given)
        return true;
    Shape new = { .rank = given->count };
    for (int i = 0; i < given->count; i++)
        new.dim[i] = (int64_t)given->number[i];
    int64_t count = 1;
    for (int i = 0; i < new.rank; i++)
        count = count > 1 << 20 ? count : count * new.dim[i];
    if (count > 1 << 20 || (had != count && had != 1)) {
        diag_error(b->m->diag, at, "a constant of shape %s needs one number or %lld, not %lld", shape_text(b->m->arena, &new), (long long)count, (long long)had);
        return false;
    }
    double *all = NEW_ARRAY(b->m->arena, double, count + 1);
    for (int64_t i = 0; i < count; i++)
        all[i] = (*values)[had == 1 ? 0 : i];
    *shape = new, *values = all;
    return true;
}

static bool constant_read(Builder *b, const char *path, Loc at, const Yaml *v, int which, Use *out)
{
    Model *m = b->m;
    const Yaml *y = v->items[which];
    Op *parsed = op_new(m, OP_constant, FORWARD, "", at);
    Shape shape = { 0 };
    int64_t count = 0;
    double *values = NULL;
    bool good = attr_parse(m, parsed, v, v->keys[which]->text, at);
    if (y->kind == YAML_MAP) {
        good = range(b, y, &shape, &values) && good;
    } else {
        Shape again = { 0 };
        int leaf = -1;
        if (!numbers(b, y, 0, &shape, &leaf, NULL, &count))
            return false;
        values = NEW_ARRAY(m->arena, double, count + 1);
        count = 0, leaf = -1;
        numbers(b, y, 0, &again, &leaf, values, &count);
    }
    if (!good || !reshape(b, parsed, y->loc, &shape, &values))
        return false;
    *out = (Use){ constant(b, path, at, shape, values), 0 };
    return true;
}

static bool parameter_read(Builder *b, const char *path, Loc at, const Yaml *v, int which, Use *out)
{
    Model *m = b->m;
    static const AttrSpec spec = { "parameter", ATTR_SHAPE, NULL, 1, 1 << 24, NULL, "its shape" };
    Attr a = { .spec = &spec };
    Op *parsed = op_new(m, OP_parameter, FORWARD, "", at);
    Shape shape = { 0 };
    bool good = attr_parse(m, parsed, v, v->keys[which]->text, at);
    const Yaml *y = v->items[which];
    if (!(y->kind == YAML_LIST && y->count == 0))       /* []: one number */
        good = shape_read(m, &a, y, path, &shape) && good;
    if (!good)
        return false;
    Op *op = make(b, OP_parameter, path, at, NULL);
    memcpy(op->attrs, parsed->attrs, sizeof op->attrs);
    op->attr_count = parsed->attr_count;
    op->prefix = path;
    op->writes[0].tensor->shape = shape;
    *out = (Use){ op->writes[0].tensor, 0 };
    return true;
}

/* A word for the distribution; the draws of each use are its own. */
static bool random_read(Builder *b, const char *path, Loc at, const Yaml *v, int which, Use *out)
{
    Model *m = b->m;
    static const AttrSpec spec = { "random", ATTR_WORD, NULL, 0, 0, "normal uniform", "distribution" };
    Attr a = { .spec = &spec };
    Op *parsed = op_new(m, OP_random, FORWARD, "", at);
    Shape shape = { 0 };
    bool good = attr_parse(m, parsed, v, v->keys[which]->text, at);
    good = attr_from_yaml(m, &a, v->items[which]) && good;
    if (!good || !shape_given(m, op_attr(parsed, "shape"), path, &shape))
        return false;
    Op *op = make(b, OP_random, path, at, NULL);
    op->attrs[op->attr_count++] = a;
    for (int i = 0; i < parsed->attr_count; i++)
        op->attrs[op->attr_count++] = parsed->attrs[i];
    op->prefix = path;
    op->random.place = m->random_places++;
    op->writes[0].tensor->shape = shape;
    *out = (Use){ op->writes[0].tensor, 0 };
    return true;
}

bool value_special(Builder *b, OpKind kind, const char *path, Loc at, const Yaml *v, int which, Use *out)
{
    if (kind != OP_formula)
        return (kind == OP_constant ? constant_read : kind == OP_random ? random_read : parameter_read)(b, path, at, v, which, out);
    if (v->items[which]->kind != YAML_SCALAR) {
        diag_error(b->m->diag, v->items[which]->loc, "a formula is text: { formula: a + b, when: $n > 1 }");
        return false;
    }
    Op *parsed = op_new(b->m, OP_formula, FORWARD, "", at);
    return attr_parse(b->m, parsed, v, v->keys[which]->text, at) && formula_make(b, path, v->items[which], out);
}
