/* make.c -- operators appended to the graph: of the language, and those that the compiler adds to them (an activation, a stack of steps, a copy).
 *
 * In: parsed attributes and resolved operands.  Out: m->ops grows, in the order of the file.
 * An operator's C identifier is its path, a view of the file: front.conv1 becomes front_conv1. */
#include "formula/formula.h"
#include "graph/model.h"
#include <string.h>

/* "x1.b1.a" -> "x1_b1_a" */
static const char *symbol(Model *m, const char *path)
{
    char *s = arena_copy(m->arena, path, strlen(path));
    for (char *c = s; *c; c++)
        *c = *c == '.' ? '_' : *c;
    return s;
}

/* The net that a path is in: all of it but the last name; "" in the flow. */
static const char *family(Model *m, const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? arena_copy(m->arena, path, (size_t)(dot - path)) : "";
}

Op *make(Builder *b, OpKind kind, const char *name, Loc at, Tensor *out)
{
    Model *m = b->m;
    Tensor *t = out ? out : tensor_new(m, symbol(m, name), at, b->repeat);
    Op *op = op_new(m, kind, FORWARD, t->name, at);
    op->repeat = b->repeat;
    op_write(op, t, 0);
    list_push(m->arena, &m->ops, op);
    return op;
}

Tensor *make_state(Builder *b, const char *path, Loc at)
{
    Tensor *t = tensor_new(b->m, symbol(b->m, path), at, b->repeat);
    t->carried = true;
    return t;
}

Tensor *make_reference(Builder *b, const char *name, const char *inner, Loc at)
{
    Model *m = b->m;
    Op *op = make(b, OP_parameter, arena_printf(m->arena, "%s_value", name), at, NULL);
    op->prefix = name;
    op->reference.inner = inner;
    op->reference.name = name;
    return op->writes[0].tensor;
}

Tensor *make_before(Builder *b, Use u, Loc at)
{
    Repeat *inside = b->repeat;
    b->repeat = u.tensor->repeat;
    Op *op = make(b, OP_copy, arena_printf(b->m->arena, "%s_before", u.tensor->name), at, NULL);
    b->repeat = inside;
    op_read(op, u.tensor, u.shift);
    return op->writes[0].tensor;
}

Use make_outside(Builder *b, Use u, Loc at)
{
    if (repeat_within(b->repeat, u.tensor->repeat))
        return u;
    Op *op = make(b, OP_stack, arena_printf(b->m->arena, "%s_steps", u.tensor->name), at, NULL);
    op_read(op, u.tensor, 0);
    return (Use){ op->writes[0].tensor, 0 };
}

Use make_viewable(Builder *b, Use u, Loc at)
{
    if (u.shift == 0)
        return u;
    Op *copy = make(b, OP_copy, arena_printf(b->m->arena, "%s_before", u.tensor->name), at, NULL);
    op_read(copy, u.tensor, u.shift);
    return (Use){ copy->writes[0].tensor, 0 };
}

/* The function of a parsed elementwise operator (parsed NULL: of that kind, with its defaults) as a formula. */
static const Formula *element(Model *m, OpKind kind, const Op *parsed)
{
    double numbers[ATTR_MAX];
    int count = 0;
    const char *name = op_table[kind]->name;
    for (int i = 0; parsed && i < parsed->attr_count; i++) {
        const Attr *a = &parsed->attrs[i];
        if (a->spec->type == ATTR_REAL)
            numbers[count++] = a->number[0];
        if (kind == OP_gelu && a->word && strcmp(a->word, "tanh") == 0)
            name = "gelu_tanh";
    }
    return formula_function(m->arena, (FunctionKind)function_find(name), count ? numbers : NULL);
}

/* Appends f(inputs) as a formula. */
static Op *make_element(Builder *b, const Formula *f, const char *path, Loc at, Tensor *out, const Use *inputs, int count)
{
    Op *op = make(b, OP_formula, path, at, out);
    op->formula.f = f;
    op->prefix = path;
    op->family = family(b->m, path);
    for (int i = 0; i < count; i++)
        op_read(op, inputs[i].tensor, inputs[i].shift);
    return op;
}

/* One of the two operators in front of a batch norm. */
static Op *measure(Builder *b, OpKind kind, const char *path, const char *suffix, Loc at, Space space)
{
    Op *op = make(b, kind, arena_printf(b->m->arena, "%s_%s", path, suffix), at, NULL);
    op->prefix = path;
    op->family = family(b->m, path);
    op->writes[0].tensor->space = space;
    return op;
}

/* Before a batch norm: the sums of each group, the statistics of the whole batch.  Returns the latter. */
static Tensor *batch_statistics(Builder *b, const Op *parsed, const char *path, Loc at, Use x)
{
    Op *sums = measure(b, OP_batch_sums, path, "sums", at, SUMS);
    op_read(sums, x.tensor, x.shift);
    Op *op = measure(b, OP_batch_statistics, path, "statistics", at, TOTALS);
    op_read(op, sums->writes[0].tensor, 0);
    op->writes[0].tensor->shared = true;
    memcpy(op->attrs, parsed->attrs, sizeof op->attrs);
    op->attr_count = parsed->attr_count;
    op->norm.repeat = b->repeat;
    return op->writes[0].tensor;
}

/* The six numbers of the transform that an spn is given by fewer. */
static Use make_transform(Builder *b, const Op *spn, const char *path, Loc at, Use numbers)
{
    Op *op = make(b, OP_transform, arena_printf(b->m->arena, "%s.transform", path), at, NULL);
    memcpy(op->attrs, spn->attrs, sizeof op->attrs);
    op->attr_count = spn->attr_count;
    op->prefix = path;
    op->family = family(b->m, path);
    op_read(op, numbers.tensor, numbers.shift);
    return (Use){ op->writes[0].tensor, 0 };
}

Tensor *make_operator(Builder *b, Op *parsed, const char *path, Loc at, const Use *inputs, int count)
{
    Model *m = b->m;
    const Attr *act = NULL;
    const char *name = symbol(m, path);
    if (op_is_element(parsed->kind))
        return make_element(b, element(m, parsed->kind, parsed), path, at, NULL, inputs, count)->writes[0].tensor;
    Use operands[INPUT_MAX];
    if (parsed->kind == OP_spn && count == 2 && op_attr(parsed, "transform")->given && strcmp(op_word(parsed, "transform"), "affine") != 0) {
        operands[0] = inputs[0];
        operands[1] = make_transform(b, parsed, path, at, inputs[1]);
        inputs = operands;
    }
    const bool view = op_is_view(parsed->kind);
    const Use first = view ? make_viewable(b, inputs[0], at) : inputs[0];
    for (int i = 0; i < parsed->attr_count; i++)
        if (strcmp(parsed->attrs[i].spec->name, "act") == 0 && strcmp(parsed->attrs[i].word, "linear") != 0)
            act = &parsed->attrs[i];
    Tensor *statistics = parsed->kind == OP_batch_norm ? batch_statistics(b, parsed, path, at, first) : NULL;
    Tensor *y = act ? tensor_new(m, name, at, b->repeat) : NULL;
    Op *op = make(b, parsed->kind, act ? arena_printf(m->arena, "%s_%s", name, statistics ? "normed" : "sum") : name, at, NULL);
    memcpy(op->attrs, parsed->attrs, sizeof op->attrs);
    op->attr_count = parsed->attr_count;
    op->prefix = path;
    op->family = family(m, path);
    if (act)
        op->name = y->name;
    if (parsed->kind == OP_slice)
        op->slice = parsed->slice;
    if (parsed->kind == OP_dropout) {
        op->dropout.place = m->random_places++;
        rate_note(m, op, path, parsed);
    }
    for (int i = 0; i < count; i++)
        op_read(op, i ? inputs[i].tensor : first.tensor, i ? inputs[i].shift : first.shift);
    if (statistics)
        op_read(op, statistics, 0);
    if (view)
        op->writes[0].tensor->view_of = op->reads[0].tensor;
    if (!act)
        return op->writes[0].tensor;
    const OpKind kind = op_kind_own(act->word);
    const Use sum = { op->writes[0].tensor, 0 };
    Op *a = op_is_element(kind) ? make_element(b, element(m, kind, act->act), path, at, y, &sum, 1) : make(b, kind, y->name, at, y);
    a->name = identifier_unique(m, arena_printf(m->arena, "%s_%s", y->name, act->word));
    a->family = op->family;
    if (!op_is_element(kind))
        op_read(a, sum.tensor, 0);
    return y;
}

static bool has_weights(const Op *op)
{
    bool init = false, affine = true;
    for (int k = 0; k < op->attr_count; k++) {
        init = init || !strcmp(op->attrs[k].spec->name, "init");
        affine = affine && (strcmp(op->attrs[k].spec->name, "affine") || op->attrs[k].number[0] != 0);
    }
    if (op->kind == OP_batch_norm)
        return true;                                        /* without a weight it has running statistics */
    return op_weighs[op->kind] ? affine : init && !(op->kind == OP_embedding && op->read_count > 1);
}

const Op *weighs(const Model *m, int from, const char *path)
{
    for (int i = from; i < m->ops.count; i++) {
        const Op *op = m->ops.items[i];
        const size_t n = path ? strlen(path) : 0;
        if (n && (strncmp(op->prefix, path, n) || (op->prefix[n] && op->prefix[n] != '.')))
            continue;
        if (has_weights(op))
            return op;
    }
    return NULL;
}

bool weighs_refuse(Builder *b, int from, const Yaml *y, const char *where, const char *place)
{
    const Op *op = weighs(b->m, from, NULL);
    if (!op)
        return false;
    diag_error(b->m->diag, y->kind == YAML_MAP && y->count ? y->keys[0]->loc : y->loc, "an operator with weights does not stand %s: give it an entry %s", where, place);
    return true;
}

bool inputs_fit(Builder *b, OpKind kind, Loc at, int count)
{
    const OpInfo *info = op_table[kind];
    if (count >= info->inputs_min && count <= info->inputs_max)
        return true;
    if (info->inputs_min == info->inputs_max)
        diag_error(b->m->diag, at, "%s takes %d input%s, not %d", info->name, info->inputs_min, info->inputs_min == 1 ? "" : "s", count);
    else
        diag_error(b->m->diag, at, "%s takes %d to %d inputs, not %d", info->name, info->inputs_min, info->inputs_max, count);
    return false;
}
