/* shape.c -- gives every operator its output's shape, and every weight its own.
 *
 * In: the graph in the order of the file (model.c).  Out: shapes filled, m->weights, or errors.  Next: steps.c.
 * The shape rule of each operator is in ops/; this file walks, checks sizes and reports, with the chain of shapes that led to the
 * mistake.  Shapes are those of one example at one step; groups and lanes are added by plan.c. */
#include "files/array_file.h"
#include "graph/attr.h"
#include "read/language.h"
#include <string.h>

/* One value in all examples and steps: far beyond any memory, and small enough that sums of sizes stay within int64_t. */
static const int64_t VALUE_MAX = (int64_t)1 << 40;

/* image 1x100x100 -> front_maxpool1 1x50x50 -> ... : the last eight values on the way to `t`. */
static void note_chain(Model *m, const Tensor *t)
{
    const Tensor *chain[8];
    int n = 0;
    for (const Tensor *c = t; c && n < 8; c = c->op && c->op->read_count ? c->op->reads[0].tensor : NULL) {
        chain[n++] = c;
        if (c->carried)
            break;
    }
    if (n < 2)
        return;
    Text line = { .arena = m->arena };
    for (int i = n - 1; i >= 0; i--)
        text_printf(&line, "%s %s%s", chain[i]->name, shape_text(m->arena, &chain[i]->shape), i ? " -> " : "");
    diag_note(m->diag, t->loc, "%s gives %s here: %s", t->name, shape_text(m->arena, &t->shape), line.text);
}

bool batch_is_axis(const Model *m, const DataDef *d)
{
    return m->batch > 1 && d->shape.rank > 1 && d->shape.rank != 3 && d->shape.dim[0] == m->batch;
}

bool channels_are_last(const DataDef *d)
{
    return d->shape.rank == 3 && array_channels_last(d->shape.dim);
}

void note_channels_first(const Model *m, const DataDef *d, Loc at)
{
    const int64_t *n = d->shape.dim;
    diag_note(m->diag, at, "channels stand first: [%lld, %lld, %lld]; numpy's a.transpose(0, 3, 1, 2) brings data there", (long long)n[2], (long long)n[0],
              (long long)n[1]);
}

/* An input that does not fit may have its batch among its axes, or its channels last, as arrays in other frameworks do. */
static void note_input(Model *m, const Tensor *t)
{
    for (int i = 0; i < m->input_count; i++) {
        const DataDef *d = &m->inputs[i];
        if (d->tensor == t && batch_is_axis(m, d))
            diag_note(m->diag, d->loc, "a shape is that of one example: the batch of %lld is not one of its axes", (long long)m->batch);
        if (d->tensor == t && channels_are_last(d))
            note_channels_first(m, d, d->loc);
    }
}

bool shape_refuse(Model *m, const Op *op, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    diag_error(m->diag, op->loc, "%s: %s", op->prefix && *op->prefix ? op->prefix : op->name, text);
    for (int i = 0; i < op->read_count; i++) {
        note_chain(m, op->reads[i].tensor);
        note_input(m, op->reads[i].tensor);
    }
    note_sets(m, NULL);
    return false;
}

const Op *shape_at(Model *m, const Op *op, const char *attribute)
{
    const Attr *a = op_attr(op, attribute);
    Op *there = NEW(m->arena, Op);
    *there = *op;
    there->loc = a->given ? a->loc : op->loc;
    return there;
}

/* A convolution's fans count its window.  init NULL: the weight starts at 0.  bias: init is that of the weight beside it. */
static void weight_init(Weight *w, const Attr *init, bool bias)
{
    const InitSpec *spec = init ? initialiser_named(init->word) : NULL;
    w->init = "constant";
    w->init_value = 0;
    w->init_shift = !bias && init && init->count == 2 ? init->number[1] : 0;
    if (bias && spec && spec->bias_rule)
        w->init = spec->bias_rule;
    if (bias || !spec)
        return;
    double field = 1;
    for (int i = 2; i < w->shape.rank; i++)
        field *= (double)w->shape.dim[i];
    double out = (double)w->shape.dim[0] * field, in = (double)(w->shape.rank > 1 ? w->shape.dim[1] : 1) * field;
    w->init = spec->rule;
    if (spec->value)
        w->init_value = spec->value(in, out, spec->gain && !init->count ? 1 : init->number[0]);
}

Weight *weight_named(const Model *m, const char *name)
{
    for (int i = 0; i < m->weights.count; i++)
        if (strcmp(((Weight *)m->weights.items[i])->name, name) == 0)
            return m->weights.items[i];
    return NULL;
}

static char *field_name(Model *m, const char *name)
{
    char *field = arena_copy(m->arena, name, strlen(name));
    for (char *c = field; *c; c++)
        if (*c == '.')
            *c = '_';
    return field;
}

/* Adds `w` to the model; two names that become one C identifier are refused. */
static bool weight_add(Model *m, Weight *w)
{
    w->field = field_name(m, w->name);
    for (int i = 0; i < m->weights.count; i++) {
        Weight *other = m->weights.items[i];
        if (strcmp(other->field, w->field) == 0) {
            diag_error(m->diag, w->loc, "the names '%s' and '%s' become one in C", w->name, other->name);
            diag_note(m->diag, other->loc, "'%s' is made here", other->name);
            return false;
        }
    }
    list_push(m->arena, &m->weights, w);
    return true;
}

/* bias_init: any initialiser of a line of numbers, unless the weight's own starts the bias too. */
static bool bias_init_fits(Model *m, Op *op, const Attr *init, const Attr *own)
{
    const InitSpec *spec = initialiser_named(own->word);
    if (initialiser_named(init->word)->bias_rule)
        return shape_refuse(m, op, "the initialiser %s starts the bias too: leave bias_init out", init->word);
    if (spec->fans)
        return shape_refuse(m, op, "the initialiser %s needs two axes or more, and a bias has one", own->word);
    if (spec->units || spec->transform)
        return shape_refuse(m, op, "the initialiser %s is for a layer's weight, as init: %s", own->word, own->word);
    return true;
}

Weight *weight_new(Model *m, Op *op, const char *suffix, Shape shape, WeightLayout layout)
{
    const bool bias = op->weight_count > 0;
    const Attr *init = op_attr(op, "init"), *own = bias ? op_attr(op, "bias_init") : NULL;
    if (!bias && op_attr(op, "bias_init")->given && !op_int(op, "bias"))
        return shape_refuse(m, op, "bias_init says where the bias starts, and there is none"), NULL;
    if (own && own->given && !bias_init_fits(m, op, init, own))
        return NULL;
    Weight *w = weight_start(m, op, suffix, shape, layout, own && own->given ? own : init, bias && !(own && own->given));
    if (w && w->kind == W_OTHER && !w->is_bias)
        w->kind = W_PRODUCT;
    return w;
}

/* Norms are the operators whose names end so; the parameters of batch_norm belong to its statistics. */
static bool is_norm(const Op *op)
{
    const char *name = OP_INFO(op)->name, *end = name + strlen(name);
    return op->kind == OP_batch_statistics || (end - name > 5 && strcmp(end - 5, "_norm") == 0);
}

/* Uses of one net have one place in the file for each of their weights. */
static bool same_place(Loc a, Loc b) { return a.line == b.line && a.column == b.column && a.file == b.file; }

/* An operand's parameter, numbered in its entry, has the name of another one: a net's layer, a layer's of a copy. */
static void taken(Model *m, const Op *op, const Weight *w)
{
    diag_error(m->diag, op->loc, "'%s' is the name of another parameter too: give the operand an entry of its own", w->name);
    diag_note(m->diag, w->loc, "the other is made here");
}

Weight *weight_start(Model *m, Op *op, const char *suffix, Shape shape, WeightLayout layout, const Attr *init, bool bias)
{
    const char *name = arena_printf(m->arena, "%s.%s", op->prefix, suffix);
    Weight *w = weight_named(m, name);
    if (shape_count(&shape) > ELEMENTS_MAX / 8) {
        shape_refuse(m, op, "a weight of %s has more than %lld elements", shape_text(m->arena, &shape), (long long)(ELEMENTS_MAX / 8));
        return NULL;
    }
    if (init && initialiser_named(init->word)->transform && op->kind != OP_dense) {
        shape_refuse(m, op, "the initialiser %s is for a dense layer", init->word);
        return NULL;
    }
    if (w && !same_place(w->loc, op->loc))
        return taken(m, op, w), NULL;
    if (w && !shape_equal(&w->shape, &shape)) {
        shape_refuse(m, op, "the shared weight is %s where the net was used first, but %s here", shape_text(m->arena, &w->shape), shape_text(m->arena, &shape));
        diag_note(m->diag, w->loc, "the net's first use gave it that shape");
        return NULL;
    }
    if (!w) {
        w = NEW(m->arena, Weight);
        *w = (Weight){ .name = name, .loc = op->loc, .shape = shape, .layout = m->options.plain ? W_EXPORTED : layout };
        w->kind = is_norm(op) ? W_NORM : W_OTHER;
        w->is_bias = strncmp(suffix, "bias", 4) == 0;
        w->stride = w->layout == W_IN_OUT ? (shape.dim[0] + 15) / 16 * 16 : 0;
        weight_init(w, init, bias);
        if (!weight_add(m, w))
            return NULL;
    }
    op->weights[op->weight_count++] = w;
    return w;
}

Weight *weight_constant(Model *m, Op *op, const char *suffix, Shape shape, double value)
{
    const int before = m->weights.count;
    Weight *w = weight_start(m, op, suffix, shape, W_EXPORTED, NULL, false);
    if (w && m->weights.count > before)
        w->init_value = value;
    return w;
}

Weight *buffer_new(Model *m, Op *op, const char *suffix, Shape shape, double value)
{
    const char *name = arena_printf(m->arena, "%s.%s", op->prefix, suffix);
    for (int i = 0; i < m->buffers.count; i++) {
        Weight *b = m->buffers.items[i];
        if (strcmp(b->name, name))
            continue;
        if (!same_place(b->loc, op->loc))
            return taken(m, op, b), NULL;
        if (shape_equal(&b->shape, &shape))
            return b;
        shape_refuse(m, op, "the shared %s is %s where the net was used first, but %s here", suffix, shape_text(m->arena, &b->shape), shape_text(m->arena, &shape));
        diag_note(m->diag, b->loc, "the net's first use gave it that shape");
        return NULL;
    }
    Weight *b = NEW(m->arena, Weight);
    *b = (Weight){ .name = name, .field = field_name(m, name), .loc = op->loc, .shape = shape, .layout = W_EXPORTED, .init = "constant", .init_value = value };
    list_push(m->arena, &m->buffers, b);
    return b;
}

/* The state before step 0: zeros, a trained parameter for all examples, or a value of the flow. */
static bool state_start(Model *m, Tensor *state, List *starts)
{
    OpKind kind = state->start ? OP_copy : state->start_weight ? OP_broadcast : OP_fill;
    Op *op = op_new(m, kind, FORWARD, identifier_unique(m, arena_printf(m->arena, "%s_start", state->name)), state->loc);
    op->prefix = state->name;
    op->repeat = state->repeat->outer;
    Op *maker = state->op;
    op->writes[op->write_count++] = (Use){ state, -1 };
    state->op = maker;
    if (state->start) {
        op_read(op, state->start, 0);
        if (state->start->shape.rank < 0)
            return false;
        if (!shape_equal(&state->start->shape, &state->shape))
            return shape_refuse(m, op, "the state is %s, but its start is %s", shape_text(m->arena, &state->shape), shape_text(m->arena, &state->start->shape));
    }
    if (state->start_weight) {
        Weight *w = state->start_weight, *before = weight_named(m, w->name);
        if (before && same_place(before->loc, w->loc) && shape_equal(&before->shape, &state->shape)) {      /* another use of the net */
            state->start_weight = before;
            op->weights[op->weight_count++] = before;
            list_push(m->arena, starts, op);
            return true;
        }
        w->shape = state->shape;
        w->layout = W_EXPORTED;
        w->init = "constant";
        if (!weight_add(m, w))
            return false;
        op->weights[op->weight_count++] = w;
    }
    list_push(m->arena, starts, op);
    return true;
}

static void loss_fits(Model *m, LossDef *loss)
{
    const Op *op = loss->op;
    const Repeat *r = op->reads[0].tensor->repeat;
    bool known = !r || r->steps > 0;
    for (int i = 0; i < op->read_count; i++)
        known = known && op->reads[i].tensor->shape.rank >= 0;
    if (known)
        LOSS_INFO(op)->fits(m, loss);
}

/* A tensor of whole numbers as the file calls it. */
static const char *whole_name(const Tensor *t) { return t->op && t->op->kind == OP_load ? t->op->data->name : t->flow_name ? t->flow_name : t->name; }

/* Whole numbers are classes: most operators calculate, and refuse them.  (A formula says so itself, with the place in its text.) */
static bool reads_numbers(Model *m, const Op *op)
{
    const Tensor *whole = NULL, *real = NULL;
    for (int k = 0; k < op->read_count && op->kind != OP_formula; k++)
        *(op->reads[k].tensor->classes ? &whole : &real) = op->reads[k].tensor;
    if (op_whole[op->kind] == WHOLE_TAKEN)          /* the table of an embedding is real */
        real = op->reads[0].tensor, whole = real->classes ? real : NULL;
    if (!whole && op_whole[op->kind] == WHOLE_TAKEN)
        return shape_refuse(m, op, "%s takes whole numbers: labels, or an input with dtype: i32; '%s' holds real numbers", OP_INFO(op)->name, whole_name(real));
    if (!whole || op_whole[op->kind] == WHOLE_TAKEN)
        return true;
    if (op_whole[op->kind] == WHOLE_REFUSED)
        return shape_refuse(m, op, "'%s' holds classes, not numbers: one_hot, real or embedding makes numbers of them", whole_name(whole));
    if (op->writes[0].tensor->carried)
        return shape_refuse(m, op, "a state holds real numbers, and '%s' classes: one_hot or real makes numbers of them", whole_name(whole));
    if (real)
        return shape_refuse(m, op, "'%s' holds classes and '%s' real numbers: one_hot or real makes numbers of the first", whole_name(whole), whole_name(real));
    return true;
}

/* Whole numbers that are moved about stay whole. */
static void keep_whole(const Op *op)
{
    Tensor *y = op->writes[0].tensor;
    if (op_whole[op->kind] != WHOLE_KEPT || !op->read_count)
        return;
    for (int k = 0; k < op->read_count; k++) {
        const Tensor *x = op->reads[k].tensor;
        y->classes = x->classes > y->classes ? x->classes : y->classes;
        y->classes_axis = x->classes_axis;
    }
    if (op->kind == OP_stack)
        y->classes_axis += y->classes_axis >= 0;     /* the steps stand before the classes */
    else if (y->classes_axis > 0)
        y->classes_axis = 0;
}

/* The steps of a stack stay in front of what is computed of it element by element: a loss looks for the classes behind them. */
static void keep_steps(const Op *op)
{
    Tensor *y = op->writes[0].tensor;
    const bool elements = op->kind == OP_formula || op->kind == OP_relu || op->kind == OP_tanh || op->kind == OP_sigmoid || op->kind == OP_add || op->kind == OP_multiply;
    for (int k = 0; k < op->read_count; k++) {
        const Tensor *x = op->reads[k].tensor;
        if (op->kind == OP_stack)
            y->steps_in_front = y->shape.rank - x->shape.rank + x->steps_in_front;
        else if (elements && x->shape.rank == y->shape.rank && x->steps_in_front > y->steps_in_front)
            y->steps_in_front = x->steps_in_front;
    }
}

/* Does an operator read t, or may something else: is it a start, a state, or a name of the flow? */
static bool is_needed(const Model *m, const Tensor *t)
{
    if (tensor_is_read(m, t))
        return true;
    for (int i = 0; i < m->tensors.count; i++)
        if (((Tensor *)m->tensors.items[i])->start == t)
            return true;
    return t->flow_name || t->carried;
}

/* Takes out parameters as values whose only readers read the parameter itself now (a product, a table). */
static void drop_unread(Model *m)
{
    for (int i = m->ops.count - 1; i >= 0; i--) {
        const Op *op = m->ops.items[i];
        if (op->kind == OP_broadcast && !is_needed(m, op->writes[0].tensor))
            list_remove(&m->ops, i);
    }
}

bool shape_infer(Model *m)
{
    List starts = { 0 };
    for (int i = 0; i < m->ops.count; i++) {
        Op *op = m->ops.items[i];
        bool known = true;
        for (int k = 0; k < op->read_count; k++)
            known = known && op->reads[k].tensor->shape.rank >= 0;
        Tensor *y = op->writes[0].tensor;
        Shape state = y->shape;
        if (known && !reads_numbers(m, op))
            known = false;
        if (!known || !OP_INFO(op)->infer(m, op)) {
            y->shape.rank = -1;     /* its readers are not checked: one cause, one error */
            continue;
        }
        keep_whole(op);
        keep_steps(op);
        if (y->carried && !shape_equal(&state, &y->shape)) {
            shape_refuse(m, op, "the state is %s, but what it becomes is %s", shape_text(m->arena, &state), shape_text(m->arena, &y->shape));
            y->shape = state;
        }
        if (shape_count(&y->shape) > ELEMENTS_MAX / 64) {
            shape_refuse(m, op, "a value of %s has more than %lld elements", shape_text(m->arena, &y->shape), (long long)(ELEMENTS_MAX / 64));
            y->shape.rank = -1;
        } else if (shape_count(&y->shape) * steps_all(y->repeat) > VALUE_MAX / m->batch) {
            shape_refuse(m, op, "a value of %s comes to more than %lld numbers in a batch of %lld%s", shape_text(m->arena, &y->shape), (long long)VALUE_MAX,
                         (long long)m->batch, y->repeat ? arena_printf(m->arena, " and %d steps", steps_all(y->repeat)) : "");
            y->shape.rank = -1;
        } else if (y->shape.rank + repeat_level(y->repeat) > ARRAY_RANK - 1) {      /* the first axis of a file's array: the examples */
            shape_refuse(m, op, "a value of %s in %d repeats has %d axes with those of the steps, and an array in a file at most %d", shape_text(m->arena, &y->shape),
                         repeat_level(y->repeat), y->shape.rank + repeat_level(y->repeat), ARRAY_RANK - 1);
            y->shape.rank = -1;
        }
    }
    drop_unread(m);
    for (int i = 0; i < m->repeats.count; i++) {
        Repeat *r = m->repeats.items[i];
        for (int k = 0; k < r->states.count; k++)
            state_start(m, r->states.items[k], &starts);
    }
    for (int i = 0; i < starts.count; i++)
        list_push(m->arena, &m->ops, starts.items[i]);
    for (int i = 0; i < m->loss_count; i++)
        loss_fits(m, &m->losses[i]);
    if (!diag_errors(m->diag)) {
        parameters_settle(m);
        penalties_settle(m);
        starts_read(m);
    }
    return diag_errors(m->diag) == 0;
}
