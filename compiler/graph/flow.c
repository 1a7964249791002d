/* flow.c -- the flow of a model as operators: entries, their operands, repeats and states.
 *
 * In: the tree of `flow:`, or the `do` of a net at one of its uses (nets.c); the inputs that model.c has declared.  Out: m->ops in the order of the
 * file.  An entry's value is an operator or a net with operands, or a formula; an operand is a name, a formula, or again an operator with operands. */
#include "graph/formulas.h"
#include "graph/model.h"
#include "graph/repeats.h"
#include <string.h>

/* ---- operands ------------------------------------------------------------------------------------------ */

static bool names_operator(Builder *b, const Yaml *key) { return op_kind_of(key->text) != OP_NONE || net_find(b, key->text); }

/* The key of the map v that names its operator or net, by index: the first key; or, if that names none, the only one that does.  -1 after an error. */
static int operator_key(Builder *b, const char *name, const Yaml *v)
{
    int which = -1;
    if (v->count && names_operator(b, v->keys[0]))
        return 0;
    for (int i = 0; i < v->count; i++) {
        if (!names_operator(b, v->keys[i]))
            continue;
        if (which >= 0) {
            diag_error(b->m->diag, v->keys[i]->loc, "'%s' and '%s' both name an operator or a net; an entry has exactly one", v->keys[which]->text, v->keys[i]->text);
            return -1;
        }
        which = i;
    }
    if (which < 0 && v->count == 0)
        diag_error(b->m->diag, v->loc, "'%s' needs an operator or a net: { front: image }", name);
    else if (which < 0)
        unknown_operator(b, v->keys[0]->loc, v->keys[0]->text);
    return which;
}

static bool call(Builder *b, Entry *e, const char *path, Loc at, const Yaml *v, int which, State *state, Outputs *out);

/* A nested operator: { relu: x } as an operand. */
static bool nested(Builder *b, Entry *e, const Yaml *y, Use *out)
{
    int which = operator_key(b, e->name, y);
    if (which < 0 || !room(b, y->loc))
        return false;
    Outputs values = { .count = 0 };
    const Yaml *key = y->keys[which];
    if (yaml_get(y, "when")) {
        diag_error(b->m->diag, yaml_get(y, "when")->loc, "an operand has no `when`: give '%s' an entry", key->text);
        return false;
    }
    const char *path = entry_inner(b, e, key->text);
    if (!call(b, e, path, key->loc, y, which, NULL, &values))
        return false;
    if (values.count != 1) {
        diag_error(b->m->diag, key->loc, "'%s' has %d values: give it an entry, and read one of them", key->text, values.count);
        return false;
    }
    *out = values.items[0].use;
    return true;
}

bool flow_operand(Builder *b, Entry *e, const Yaml *y, Use *out, bool keep_steps)
{
    Model *m = b->m;
    if (y->kind == YAML_MAP)
        return nested(b, e, y, out);
    if (y->kind != YAML_SCALAR || !*y->text) {
        diag_error(m->diag, y->loc, "expected the name of a value");
        return false;
    }
    if (formula_is_name(y->text) || name_is_known(b, y->text))
        return name_resolve(b, y->text, y->loc, out, keep_steps);
    return formula_make(b, entry_inner(b, e, "formula"), y, out);
}

static bool resolve_inputs(Builder *b, Entry *e, const Yaml *y, Use *uses, int *count, bool keep_steps)
{
    *count = 0;
    if (y->kind == YAML_SCALAR || y->kind == YAML_MAP) {
        *count = 1;
        return flow_operand(b, e, y, &uses[0], keep_steps);
    }
    if (y->count > INPUT_MAX - 2) {
        diag_error(b->m->diag, y->items[INPUT_MAX - 2]->loc, "an operator takes at most %d inputs", INPUT_MAX - 2);
        return false;
    }
    bool good = true;
    for (int i = 0; i < y->count; i++)
        good = flow_operand(b, e, y->items[i], &uses[(*count)++], keep_steps) && good;
    return good;
}

/* A state of the repeat being read. */
static State *state_find(Builder *b, const char *name)
{
    for (int i = b->frame->state_first; i < b->frame->state_count; i++)
        if (strcmp(b->frame->states[i].name, name) == 0)
            return &b->frame->states[i];
    return NULL;
}

/* { last: x }: of the outermost repeat that the place it is read at does not lie in. */
static Tensor *flow_last(Builder *b, const char *path, Loc at, const Yaml *inputs, Use in)
{
    const Repeat *r = in.tensor->repeat;
    while (r && r->outer && !repeat_within(b->repeat, r->outer))
        r = r->outer;
    if (!r || repeat_within(b->repeat, r)) {
        diag_error(b->m->diag, inputs->loc, "last needs a name made in a repeat above");
        return NULL;
    }
    if (r != in.tensor->repeat) {
        const Use all = make_outside(b, in, at);
        return value_element(b, path, at, all, r->reverse ? 0 : r->steps - 1);
    }
    Op *pick = make(b, OP_pick, path, at, NULL);
    pick->step = in.tensor->repeat->reverse ? 0 : in.tensor->repeat->steps - 1;
    op_read(pick, in.tensor, 0);
    return pick->writes[0].tensor;
}

/* The repeat whose step the slice moves with, or NULL. */
static const Repeat *slice_moves(Builder *b, const Op *parsed)
{
    const Repeat *r = NULL;
    for (int k = 0; k < parsed->attr_count; k++)
        if (parsed->attrs[k].spec->type == ATTR_INDEX && parsed->attrs[k].count == 2)
            r = step_repeat(b, parsed->attrs[k].repeat);
    return r;
}

/* { OP: inputs, attributes }, of v's key `which`: any operator but the cells. */
static Tensor *flow_operator(Builder *b, const char *path, Loc at, const Yaml *v, int which, Use *in, int count)
{
    Model *m = b->m;
    const Yaml *opkey = v->keys[which];
    OpKind kind = op_kind_of(opkey->text);
    Op *parsed = op_new(m, kind, FORWARD, "", at);
    bool good = inputs_fit(b, kind, v->items[which]->loc, count);
    if (!attr_parse(m, parsed, v, opkey->text, opkey->loc) || !good)
        return NULL;
    if (kind == OP_last)
        return flow_last(b, path, at, v->items[which], in[0]);
    if (kind == OP_slice)
        parsed->slice.repeat = slice_moves(b, parsed);
    return make_operator(b, parsed, path, at, in, count);
}

/* { OP or NET: inputs, attributes }: v's key `which`.  `path` begins the names of its weights, `state` is the state of that entry or NULL. */
static bool call(Builder *b, Entry *e, const char *path, Loc at, const Yaml *v, int which, State *state, Outputs *out)
{
    Model *m = b->m;
    const Yaml *opkey = v->keys[which];
    Net *net = net_find(b, opkey->text);
    OpKind kind = net ? OP_NONE : op_kind_of(opkey->text);
    Use in[INPUT_MAX];
    int count;
    if (kind != OP_NONE && loss_table[kind]) {
        diag_error(m->diag, opkey->loc, "%s is a loss: it stands under loss", opkey->text);
        return false;
    }
    if (value_is_special(kind)) {
        out->count = 1;
        return value_special(b, kind, path, at, v, which, &out->items[0].use);
    }
    if (!resolve_inputs(b, e, v->items[which], in, &count, kind == OP_last)) {
        if (kind != OP_NONE && !op_is_cell(kind))
            attr_parse(m, op_new(m, kind, FORWARD, "", at), v, opkey->text, opkey->loc);
        return false;
    }
    if (net)
        return net_call(b, path, v, which, in, count, out);
    if (op_is_cell(kind))
        return cell_call(b, path, at, v, which, state, in, count, out);
    Tensor *t = flow_operator(b, path, at, v, which, in, count);
    out->items[out->count++] = (Output){ NULL, { t, 0 } };
    return t != NULL;
}

/* ---- entries ---------------------------------------------------------------------------------------------- */

static bool twin_refuse(Builder *b, const Yaml *key, Loc first)
{
    diag_error(b->m->diag, key->loc, "'%s' stands in two repeats: it may if it is no state, has no weights and is not read outside of them", key->text);
    diag_note(b->m->diag, first, "the first is here");
    name_bind(b, key->text, key->loc, (Use){ NULL, 0 });     /* what reads it below has no error of its own */
    return false;
}

/* True if the entry `key` may define its name; an error if an input, a target or an entry above has it already. */
static bool name_is_free(Builder *b, const Yaml *key, const State *state, const char *condition)
{
    const Model *m = b->m;
    const Name *before = name_find(b, key->text);
    if (before && !before->tensor && !before->several)
        return false;
    Loc first = before ? before->loc : (Loc){ 0 };
    for (int i = 0; !b->frame->net && i < m->input_count; i++)
        if (strcmp(m->inputs[i].name, key->text) == 0)
            first = m->inputs[i].loc;
    for (int i = 0; !b->frame->net && i < m->target_count; i++)
        if (strcmp(m->targets[i].name, key->text) == 0)
            first = m->targets[i].loc;
    if (!first.line || (state && !state->defined))
        return true;
    if (before && before->tensor && before->tensor->carried && before->repeat != b->repeat && repeat_within(b->repeat, before->repeat)) {
        diag_error(m->diag, key->loc, "'%s' is a state of a repeat around this one, which alone defines it", key->text);
        diag_note(m->diag, first, "it is carried here");
        for (int i = 0; i < b->frame->state_count; i++)
            b->frame->states[i].refused = b->frame->states[i].refused || b->frame->states[i].tensor == before->tensor;
        return false;
    }
    if (before && before->repeat && b->repeat && !repeat_within(b->repeat, before->repeat)) {
        const bool helper = !state && !before->weighs && !before->outside && !(before->tensor && before->tensor->carried);
        return helper || twin_refuse(b, key, first);
    }
    if (before && condition && before->conditional)
        diag_error(m->diag, key->loc, "two entries make '%s': at most one `when` may hold", key->text);
    else
        diag_error(m->diag, key->loc, "'%s' is defined twice", key->text);
    diag_note(m->diag, first, "the first definition is here");
    return false;
}

/* A value that an entry may give its name to: one that has no other name, and is made by an operator at this step. */
static Tensor *own_value(Builder *b, const char *path, Loc at, Use u)
{
    const Tensor *t = u.tensor;
    const bool own = u.shift == 0 && !t->flow_name && !t->carried && t->repeat == b->repeat && (!t->op || t->op->kind != OP_load) && t->space == REALS && t->op;
    if (own)
        return u.tensor;
    Op *copy = make(b, OP_copy, path, at, NULL);
    op_read(copy, u.tensor, u.shift);
    return copy->writes[0].tensor;
}

/* Makes u the next value of the state that the entry `key` bears the name of. */
static bool define_state(Builder *b, const Yaml *key, Loc at, State *state, Use u)
{
    if (u.tensor != state->tensor && state->cell) {
        const char *word = OP_INFO(state->cell)->name;
        diag_error(b->m->diag, at, "'%s' is carried as %s, so { %s: [input, %s] } must define it", key->text, cell_called(state->cell->kind), word, key->text);
        return false;
    }
    if (u.tensor != state->tensor || u.shift)
        op_read(make(b, OP_copy, path_in(b, key->text), key->loc, state->tensor), u.tensor, u.shift);
    state->defined = true;
    for (int i = 0; i < b->frame->names.count; i++) {
        Name *n = b->frame->names.items[i];
        if (n->tensor == state->tensor || (state->c && n->tensor == state->c))
            n->shift = 0;
    }
    return true;
}

/* The entry of that name in a repeat before the one being read, or NULL. */
static Name *twin_of(Builder *b, const char *name)
{
    Name *n = b->repeat ? name_find(b, name) : NULL;
    return n && n->repeat && !repeat_within(b->repeat, n->repeat) ? n : NULL;
}

/* Of a name in two repeats out/ has REPEAT.NAME. */
static void name_twin(Builder *b, Name *n, Name *before)
{
    n->twin = before;
    if (b->frame->net || !n->tensor || !before->tensor)
        return;
    if (!before->twin)
        before->tensor->flow_name = arena_printf(b->m->arena, "%s.%s", before->repeat->name, before->name);
    n->tensor->flow_name = arena_printf(b->m->arena, "%s.%s", n->repeat->name, n->name);
}

static Name *name_kept(Builder *b, const char *name, Loc at, Use u, bool conditional, bool weighty)
{
    Name *before = twin_of(b, name), *n = name_bind(b, name, at, u);
    n->conditional = conditional, n->weighs = weighty;
    if (before)
        name_twin(b, n, before);
    return n;
}

/* Gives the values of an entry their names: NAME, or NAME.OUTPUT each. */
static void name_values(Builder *b, const Yaml *key, const Outputs *out, bool conditional, bool weighty)
{
    Model *m = b->m;
    for (int i = 0; i < out->count; i++) {
        const Output *o = &out->items[i];
        const char *name = o->name ? arena_printf(m->arena, "%s.%s", key->text, o->name) : key->text;
        Use u = o->use;
        if (!b->frame->net) {
            u = (Use){ own_value(b, path_in(b, name), key->loc, u), 0 };
            u.tensor->flow_name = name;
        }
        name_kept(b, name, key->loc, u, conditional, weighty);
    }
    if (out->count && out->items[0].name)
        name_kept(b, key->text, key->loc, (Use){ NULL, 0 }, conditional, weighty)->several = true;
}

/* NAME: formula, or NAME: { OP: inputs, attributes } */
static bool flow_value(Builder *b, const Yaml *key, const Yaml *v, State *state, const char *condition)
{
    Model *m = b->m;
    Entry e = { .name = path_in(b, key->text), .loc = key->loc };
    Outputs out = { .count = 0 };
    Loc at = v->loc;
    const int from = m->ops.count;
    if (!name_check(m, key->loc, key->text) || !name_is_free(b, key, state, condition))
        return false;
    if (v->kind == YAML_SCALAR && !*v->text) {
        diag_error(m->diag, key->loc, "nothing makes '%s': a formula does, or an operator with its input: - %s: { relu: image }", key->text, key->text);
        return false;
    }
    if (v->kind == YAML_SCALAR) {
        out.count = 1;
        if (!formula_make(b, e.name, v, &out.items[0].use))
            return false;
    } else if (v->kind != YAML_MAP) {
        diag_error(m->diag, v->loc, "what makes '%s' is a formula, or stands in braces: - %s: { relu: image }", key->text, key->text);
        return false;
    } else {
        int which = operator_key(b, key->text, v);
        if (which < 0)
            return false;
        at = v->keys[which]->loc;
        if (!call(b, &e, e.name, key->loc, v, which, state, &out))
            return false;
    }
    if (state && (out.count != 1 || out.items[0].name)) {
        diag_error(m->diag, at, "the state '%s' is one value", key->text);
        return false;
    }
    if (state)
        return define_state(b, key, at, state, out.items[0].use);
    const bool weighty = weighs(m, from, e.name) != NULL;
    if (weighty && twin_of(b, key->text))
        return twin_refuse(b, key, twin_of(b, key->text)->loc);
    name_values(b, key, &out, condition != NULL, weighty);
    return true;
}

static void absent(Builder *b, const Yaml *key, const char *condition)
{
    Absent *x = NEW(b->m->arena, Absent);
    *x = (Absent){ key->text, key->loc, condition };
    list_push(b->m->arena, &b->frame->absent, x);
}

static bool flow_entry(Builder *b, const Yaml *y)
{
    if (!room(b, y->loc))
        return false;
    if (y->kind != YAML_MAP || y->count != 1) {
        diag_error(b->m->diag, y->loc, "a flow entry is one name and what makes it: - c: { front: image }");
        for (int i = 0; y->kind == YAML_MAP && i < y->count; i++)
            name_refuse(b, y->keys[i]);
        return false;
    }
    bool holds;
    const char *condition;
    State *state = state_find(b, y->keys[0]->text);
    bool good = when_holds(b, y->items[0], &holds, &condition);
    if (good && !holds) {
        absent(b, y->keys[0], condition);
        return true;
    }
    if (good && flow_value(b, y->keys[0], y->items[0], state, condition))
        return true;
    name_refuse(b, y->keys[0]);
    if (state)
        state->defined = true;
    return false;
}

/* ---- states and repeats ------------------------------------------------------------------------------------- */

/* What kind of state `v` declares, its shape and its init; false after an error. */
static bool state_kind(Builder *b, State *s, const Yaml *v, Shape *shape)
{
    Model *m = b->m;
    const MapSpec *map = carried_cells;
    while (map->keys && !yaml_get(v, map->keys->name))
        map++;
    if (map->keys) {
        const char *word = map->keys->name;
        const Yaml *cell = yaml_get(v, word);
        map_keys_known(m, v, map);
        if (cell->kind != YAML_MAP) {
            diag_error(m->diag, cell->loc, "the settings of a carried %s are a map: { %s: { units: %s } }", word, word, cell->kind == YAML_SCALAR && *cell->text ? cell->text : "256");
            return false;
        }
        Op *parsed = op_new(m, cell_kind(word), FORWARD, s->name, s->loc);
        /* `init` may also name a value: it is read as text here and resolved in state_start */
        if (!attr_parse(m, parsed, cell, NULL, v->keys[0]->loc))
            return false;
        s->cell = parsed;
        s->init = yaml_get(cell, "init");
        *shape = (Shape){ 1, { op_int(parsed, "units") } };
        return true;
    }
    if (!yaml_get(v, "shape")) {
        diag_error(m->diag, v->loc, "the state '%s' is a cell, { gru: { units: 256 } }, lstm or rnn, or { shape: [256], init: zeros }", s->name);
        return false;
    }
    map_keys_known(m, v, &map_carried);
    static const AttrSpec spec = { "shape", ATTR_SHAPE, NULL, 1, 1 << 24, NULL, NULL };
    Attr a = { .spec = &spec };
    s->init = yaml_get(v, "init");
    const Yaml *y = yaml_get(v, "shape");
    *shape = (Shape){ 0 };
    return (y->kind == YAML_LIST && y->count == 0) || shape_read(m, &a, y, s->name, shape);      /* []: one number */
}

/* True if t, or a value that it is made of, is made at each step of r.  seen: tensors that have been looked at; states of other repeats make rings. */
static bool made_from(Model *m, const Tensor *t, const Repeat *r, List *seen)
{
    if (t->repeat == r)
        return true;
    if (list_index(seen, t) >= 0)
        return false;
    list_push(m->arena, seen, (Tensor *)(uintptr_t)t);
    for (int k = 0; t->op && k < t->op->read_count; k++)
        if (made_from(m, t->op->reads[k].tensor, r, seen))
            return true;
    return false;
}

static bool depends_on(Model *m, const Tensor *t, const Repeat *r)
{
    List seen = { 0 };
    return made_from(m, t, r, &seen);
}

/* A number starts every element of the state. */
static void start_number(Builder *b, const Tensor *state, Tensor *start)
{
    Op *op = start->op;
    if (!op || op->kind != OP_constant || start->flow_name || start->shape.rank || !state->shape.rank)
        return;
    double *all = NEW_ARRAY(b->m->arena, double, shape_count(&state->shape) + 1);
    for (int64_t i = 0; i < shape_count(&state->shape); i++)
        all[i] = op->constant.values[0];
    op->constant.values = all;
    start->shape = state->shape;
}

/* The value of the flow that a state starts from: `reference` is its name or what makes it, read before the repeat begins. */
static bool start_value(Builder *b, Tensor *t, const Yaml *reference)
{
    Repeat *inside = b->repeat;
    const int before = b->m->ops.count;
    Use u;
    Entry e = { .name = arena_printf(b->m->arena, "%s.init", t->name), .loc = reference->loc };
    b->repeat = inside->outer;
    bool good = flow_operand(b, &e, reference, &u, true);
    if (good && weighs_refuse(b, before, reference, "in init", "before the repeat")) {
        good = false;
    } else if (good && depends_on(b->m, u.tensor, inside)) {
        diag_error(b->m->diag, reference->loc, "'%s' is carried by the same repeat: it has no value before the first step", reference->text ? reference->text : u.tensor->name);
        good = false;
    } else if (good) {
        u = make_outside(b, u, reference->loc);
        t->start = u.shift ? make_before(b, u, reference->loc) : u.tensor;      /* a state of the repeat around this one, before its entry */
        start_number(b, t, t->start);
    }
    b->repeat = inside;
    return good;
}

/* False, with what to write, if a state is to start from a word (NULL: none) that is neither its own nor a value's, or from an initialiser in braces. */
static bool start_known(Builder *b, const Yaml *init, const char *word)
{
    Model *m = b->m;
    static const char *const own[] = { "zeros", "trained" };
    static const Synonym brought[] = { { "zero", "zeros" }, { "none", "zeros" }, { "null", "zeros" }, { "learned", "trained" }, { "learnt", "trained" },
                                       { "learnable", "trained" }, { "trainable", "trained" }, { "train", "trained" } };
    const bool braces = init->kind == YAML_MAP && init->count == 1 && op_kind_of(init->keys[0]->text) == OP_NONE && !net_find(b, init->keys[0]->text);
    const char *drawn = braces ? init->keys[0]->text : word;
    if (!drawn || (word && (name_is_known(b, word) || name_of_parameter(word) || strchr(word, '.'))))
        return true;
    const bool chance = initialiser_named(drawn) || strcmp(drawn, "random") == 0;
    if (braces && !chance)
        return true;
    if (strcmp(drawn, "ones") == 0 || strcmp(drawn, "one") == 0) {
        diag_error(m->diag, init->loc, "a state starts from zeros, trained, or a value, not from '%s': write init: 1", drawn);
    } else if (chance) {
        diag_error(m->diag, init->loc, "a state starts from zeros, trained, or a value, not from '%s'", drawn);
        diag_note(m->diag, (Loc){ 0 }, "numbers by chance are an entry above the repeat, first: { random: normal, shape: [4] }, and here init: first");
    } else {
        const char *end = diag_called_here(m->arena, drawn, brought, sizeof brought / sizeof *brought, own, 2);
        const char *what, *form = operator_written(b, drawn, &what);
        if (form || (!end && !*(end = diag_suggestion(m->arena, drawn, own, 2))))
            return true;                       /* as any name of no value */
        diag_error(m->diag, init->loc, "a state starts from zeros, trained, or a value, and no value is called '%s' here%s", drawn, end);
    }
    return false;
}

/* zeros, trained, or a value: where the state t starts, whose parameter is NAME.init. */
static bool start_read(Builder *b, Tensor *t, const char *name, const Yaml *init)
{
    Model *m = b->m;
    Value w = { .text = "" };
    if (init->kind == YAML_LIST) {
        diag_error(m->diag, init->loc, "init must be zeros, trained, or a value: a name, a number, a formula");
        diag_note(m->diag, (Loc){ 0 }, "a list stands in an entry above the repeat: first: { constant: [0, 1] }, and here init: first");
        return false;
    }
    const bool word = init->kind == YAML_SCALAR && formula_is_name(init->text + (*init->text == '$'));
    if (word && !expr_value(m->arena, m->diag, &m->scope, init, &w))
        return false;
    if (strcmp(w.text, "trained") == 0) {
        t->start_weight = NEW(m->arena, Weight);
        *t->start_weight = (Weight){ .name = path_in(b, arena_printf(m->arena, "%s.init", name)), .loc = t->loc };
        return true;
    }
    Yaml reference = *init;
    if (word)
        reference.text = w.text;
    return strcmp(w.text, "zeros") == 0 || (start_known(b, init, word ? w.text : NULL) && start_value(b, t, &reference));
}

/* init: zeros, trained, or a value; of an lstm also { h: VALUE, c: VALUE }. */
static bool state_start(Builder *b, const State *s)
{
    Model *m = b->m;
    const Yaml *init = s->init;
    if (!init)
        return true;
    if (!s->c)
        return start_read(b, s->tensor, s->name, init);
    bool good = true;
    const Yaml *h = yaml_get(init, "h"), *c = yaml_get(init, "c");
    if (init->kind == YAML_MAP) {
        for (int i = 0; i < init->count; i++)
            if (init->items[i] != h && init->items[i] != c) {
                diag_error(m->diag, init->keys[i]->loc, "an lstm starts from h and c: init: { h: first, c: zeros }, not from '%s'", init->keys[i]->text);
                return false;
            }
    } else if (init->kind != YAML_SCALAR || (strcmp(init->text, "zeros") && strcmp(init->text, "trained") && *init->text != '$')) {
        diag_error(m->diag, init->loc, "the init of an lstm is zeros, trained, or { h: VALUE, c: VALUE }");
        return false;
    } else {
        h = c = init;
    }
    good = (!h || start_read(b, s->tensor, arena_printf(m->arena, "%s.h", s->name), h)) && good;
    return (!c || start_read(b, s->c, arena_printf(m->arena, "%s.c", s->name), c)) && good;
}

/* A carried tensor of the state s, called `name`. */
static Tensor *state_tensor(Builder *b, const State *s, const char *name, Shape shape)
{
    Tensor *t = make_state(b, path_in(b, name), s->loc);
    t->shape = shape;
    t->flow_name = b->frame->net ? NULL : name;
    list_push(b->m->arena, &b->repeat->states, t);
    return t;
}

static bool state_declare(Builder *b, const Yaml *key, const Yaml *v)
{
    Model *m = b->m;
    const char *name = key->text;
    if (!name_check(m, key->loc, name) || !map_expected(m, v, arena_printf(m->arena, "the state '%s'", name)))
        return false;
    if (name_find(b, name)) {
        diag_error(m->diag, key->loc, "'%s' is defined twice", name);
        diag_note(m->diag, name_find(b, name)->loc, "the first definition is here");
        return false;
    }
    if (b->frame->state_count == STATES_OF_REPEAT) {
        diag_error(m->diag, key->loc, "a repeat carries at most %d states, those of the repeats around it counted", STATES_OF_REPEAT);
        return false;
    }
    State *s = &b->frame->states[b->frame->state_count];
    *s = (State){ .name = name, .loc = key->loc };
    Shape shape = { 0 };
    if (!state_kind(b, s, v, &shape))
        return false;
    const bool pair = s->cell && s->cell->kind == OP_lstm;
    s->tensor = state_tensor(b, s, pair ? arena_printf(m->arena, "%s.h", name) : name, shape);
    if (pair)
        s->c = state_tensor(b, s, arena_printf(m->arena, "%s.c", name), shape);
    b->frame->state_count++;
    if (!state_start(b, s))
        return false;
    name_bind(b, name, key->loc, (Use){ s->tensor, -1 });
    if (pair) {
        name_bind(b, arena_printf(m->arena, "%s.h", name), key->loc, (Use){ s->tensor, -1 });
        name_bind(b, arena_printf(m->arena, "%s.c", name), key->loc, (Use){ s->c, -1 });
    }
    return true;
}

static bool flow_repeat(Builder *b, const Yaml *y)
{
    Model *m = b->m;
    bool good = map_keys_known(m, y, &map_repeat);
    double steps = 0;
    const Yaml *body = yaml_get(y, "do"), *carry = yaml_get(y, "carry");
    bool holds;
    const char *condition;
    if (!when_holds(b, y, &holds, &condition))
        return false;
    if (!holds) {
        b->repeats += 1 + repeats_in(body);
        for (int i = 0; body && body->kind == YAML_LIST && i < body->count; i++)
            for (int k = 0; body->items[i]->kind == YAML_MAP && k < body->items[i]->count; k++)
                absent(b, body->items[i]->keys[k], condition);
        return good;
    }
    good = map_number(m, y, &map_repeat, "repeat", &steps) && good;
    if (!repeat_fits(b, y, (int)steps)) {
        for (int i = 0; body && body->kind == YAML_LIST && i < body->count; i++)
            for (int k = 0; body->items[i]->kind == YAML_MAP && k < body->items[i]->count; k++)
                name_refuse(b, body->items[i]->keys[k]);
        return false;
    }
    if (!body || body->kind != YAML_LIST || body->count == 0) {
        if (body || good)
            diag_error(m->diag, body ? body->loc : y->loc, "a repeat needs a list of entries under do");
        return false;
    }
    Repeat *r = NEW(m->arena, Repeat);
    const int before = b->frame->state_first;
    list_push(m->arena, &m->repeats, r);
    *r = (Repeat){ .name = arena_printf(m->arena, "repeat%d", ++b->repeats), .steps = (int)steps, .loc = y->loc, .outer = b->repeat };
    b->repeat = r;
    good = repeat_named(b, r, y) && good;
    good = step_read(b, yaml_get(y, "step"), &r->step) && good;
    b->frame->state_first = b->frame->state_count;
    if (carry && map_expected(m, carry, "carry"))
        for (int i = 0; i < carry->count; i++)
            if (!state_declare(b, carry->keys[i], carry->items[i])) {
                name_bind(b, carry->keys[i]->text, carry->keys[i]->loc, (Use){ NULL, 0 });
                good = false;
            }
    steps_name(b);
    good = flow_read(b, body) && good;
    for (int i = b->frame->state_first; i < b->frame->state_count; i++)
        if (!b->frame->states[i].defined && !b->frame->states[i].refused) {
            diag_error(m->diag, b->frame->states[i].loc, "nothing under do defines the carried '%s'", b->frame->states[i].name);
            good = false;
        }
    b->repeat = r->outer;
    steps_name(b);
    b->frame->state_count = b->frame->state_first;
    b->frame->state_first = before;
    return good;
}

bool flow_read(Builder *b, const Yaml *y)
{
    bool good = true;
    for (int i = 0; i < y->count && b->layers <= LAYERS_MAX; i++)
        good = (yaml_get(y->items[i], "repeat") ? flow_repeat(b, y->items[i]) : flow_entry(b, y->items[i])) && good;
    return good;
}
