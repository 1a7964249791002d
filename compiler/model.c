/* model.c -- from the YAML tree to the graph: names resolved, nets applied, repeats entered, losses and training read.
 *
 * In: the tree (read.c), the parameters (expr.c).  Out: m->ops in the order of the file, tensors without shapes.  Next: shape.c.
 * A net is applied by walking its layers once for each use; the weights' names (NET.LAYER.weight) make the uses share.
 * A name of the flow is bound to a Use: a tensor, and -1 where a carried state of the step before is meant.
 * One cause, one error: what an entry with a mistake would have made is bound to no tensor, and its readers fail silently.  The other
 * way round nothing hides behind a mistake: a layer after a wrong one and a net that nobody uses are read too, as layers of no tensor. */
#include "attr.h"
#include "language.h"
#include <stdlib.h>
#include <string.h>

/* Nets of nets multiply: what they come to is bounded, and so is how deep they may stand in each other. */
enum { LAYERS_MAX = 1024, NETS_DEEP = 32, LOSSES_MAX = 64 };

typedef struct {
    const char *name;
    Loc loc;
    Tensor *tensor;          /* NULL: what makes it has been refused */
    int shift;
} Name;

typedef struct {
    const char *name;
    Loc loc;
    const Yaml *layers;      /* NULL: refused */
    bool used, read, open;   /* read: its layers have been; open: being expanded; a net inside itself is a cycle */
} Net;

typedef struct {
    const char *name;
    Loc loc;
    Tensor *tensor;
    bool gru, defined;
    const Op *cell;          /* gru: its attributes */
    const Yaml *init;
} State;

typedef struct {
    Model *m;
    List names, nets;        /* Name, Net */
    Repeat *repeat;          /* the repeat we are in, or NULL */
    State states[16];
    int state_count;
    int layers, depth;       /* entries and layers so far; nets that are open */
} Builder;

/* ---- words ------------------------------------------------------------------------------------------ */

static OpKind op_kind(const char *word)
{
    for (int k = 0; k < OP_load; k++)
        if (k != OP_gru_gates && strcmp(op_table[k]->name, word) == 0)
            return (OpKind)k;
    return OP_COUNT;
}

static Net *net_find(Builder *b, const char *word)
{
    for (int i = 0; i < b->nets.count; i++)
        if (strcmp(((Net *)b->nets.items[i])->name, word) == 0)
            return b->nets.items[i];
    return NULL;
}

static Name *name_find(Builder *b, const char *word)
{
    for (int i = b->names.count - 1; i >= 0; i--)
        if (strcmp(((Name *)b->names.items[i])->name, word) == 0)
            return b->names.items[i];
    return NULL;
}

static void unknown_operator(Builder *b, Loc at, const char *word)
{
    const char *list[OP_COUNT + 256];
    int n = 0;
    for (int k = 0; k < OP_load; k++)
        if (k != OP_gru_gates)
            list[n++] = op_table[k]->name;
    for (int i = 0; i < b->nets.count && n < OP_COUNT + 256; i++)
        list[n++] = ((Net *)b->nets.items[i])->name;
    const char *near = diag_nearest(word, list, n);
    diag_error(b->m->diag, at, "no operator or net is called '%s'%s%s%s", word, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Counts a layer or an entry; false, with one error, when there are too many. */
static bool room(Builder *b, Loc at)
{
    if (++b->layers == LAYERS_MAX + 1)
        diag_error(b->m->diag, at, "with this, the flow and its nets come to more than %d operators", LAYERS_MAX);
    return b->layers <= LAYERS_MAX;
}

/* Checks the keys of a map against its table; reports unknown ones with the nearest. */
static bool keys_known(Model *m, const Yaml *y, const MapSpec *map)
{
    bool good = true;
    int n = 0;
    const char *known[ATTR_MAX];
    for (const AttrSpec *s = map->keys; s->name; s++)
        known[n++] = s->name;
    for (int i = 0; i < y->count; i++) {
        bool found = false;
        for (int k = 0; k < n; k++)
            found = found || strcmp(known[k], y->keys[i]->text) == 0;
        if (found)
            continue;
        const char *near = diag_nearest(y->keys[i]->text, known, n);
        diag_error(m->diag, y->keys[i]->loc, "unknown key '%s' in %s%s%s%s", y->keys[i]->text, map->what, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
        good = false;
    }
    return good;
}

static bool is_map(Model *m, const Yaml *y, const char *what)
{
    if (y->kind == YAML_MAP)
        return true;
    diag_error(m->diag, y->loc, "%s must be a map of key: value", what);
    return false;
}

static const AttrSpec *key_spec(const MapSpec *map, const char *key)
{
    for (const AttrSpec *s = map->keys; s->name; s++)
        if (strcmp(s->name, key) == 0)
            return s;
    unreachable("a key that is not in its table");
}

/* The number under `key` of the map y; if it is absent, the table's fallback, or *out as it was. */
static bool number(Model *m, const Yaml *y, const MapSpec *map, const char *key, double *out)
{
    const AttrSpec *spec = key_spec(map, key);
    const Yaml *v = yaml_get(y, key);
    Attr a = { .spec = spec };
    if (!v && spec->fallback && *spec->fallback)
        *out = spec->type == ATTR_BOOL ? spec->fallback[0] == 't' : strtod(spec->fallback, NULL);
    if (!v)
        return true;
    if (!attr_from_yaml(m, &a, v))
        return false;
    *out = a.number[0];
    return true;
}

/* Likewise a word. */
static bool word(Model *m, const Yaml *y, const MapSpec *map, const char *key, const char **out)
{
    const AttrSpec *spec = key_spec(map, key);
    const Yaml *v = yaml_get(y, key);
    Attr a = { .spec = spec };
    *out = spec->fallback;
    if (!v)
        return true;
    if (!attr_from_yaml(m, &a, v))
        return false;
    *out = a.word;
    return true;
}

/* A list of sizes that stays below what one example may hold. */
static bool shape_read(Model *m, Attr *a, const Yaml *y, const char *name, Shape *out)
{
    if (!attr_from_yaml(m, a, y))
        return false;
    out->rank = a->count;
    int64_t n = 1;
    for (int k = 0; k < a->count; k++) {
        out->dim[k] = (int64_t)a->number[k];
        n = n > ELEMENTS_MAX ? n : n * out->dim[k];
    }
    if (n <= ELEMENTS_MAX / 64)
        return true;
    diag_error(m->diag, y->loc, "one example of '%s' has more than %lld elements", name, (long long)(ELEMENTS_MAX / 64));
    return false;
}

/* ---- inputs and targets ------------------------------------------------------------------------------- */

enum { REFUSED = -1 };       /* a DataDef's type: its declaration is wrong, its readers are not to blame */

static DataDef *data_defs(Model *m, const Yaml *y, bool target, int *count)
{
    *count = 0;
    if (!y || !is_map(m, y, target ? "targets" : "inputs"))
        return NULL;
    DataDef *defs = NEW_ARRAY(m->arena, DataDef, y->count + 1);
    for (int i = 0; i < y->count; i++) {
        DataDef *d = &defs[(*count)++];
        const Yaml *v = y->items[i];
        d->name = y->keys[i]->text;
        d->loc = y->keys[i]->loc;
        d->type = REFUSED;
        if (!name_check(m, d->loc, d->name) || !is_map(m, v, d->name))
            continue;
        if (target && yaml_get(v, "classes")) {
            double classes = 0, length = 0;
            bool good = keys_known(m, v, &map_labels);
            good = number(m, v, &map_labels, "classes", &classes) && good;
            good = number(m, v, &map_labels, "length", &length) && good;
            if (!good)
                continue;
            d->type = 2;
            d->classes = (int)classes;
            d->shape.rank = yaml_get(v, "length") != NULL;
            d->shape.dim[0] = (int64_t)length;
            continue;
        }
        const Yaml *shape = yaml_get(v, "shape");
        if (target && yaml_get(v, "length")) {
            diag_error(m->diag, d->loc, "labels need the number of their classes: { length: 3, classes: 10 }");
            continue;
        }
        const char *dtype;
        Attr a = { .spec = key_spec(&map_input, "shape") };
        bool good = keys_known(m, v, target ? &map_reals : &map_input);
        good = word(m, v, &map_input, "dtype", &dtype) && good;
        if (shape)
            good = shape_read(m, &a, shape, d->name, &d->shape) && good;
        else if (good)      /* else the key that is missing may be the one that was misspelt */
            diag_error(m->diag, d->loc, target ? "target '%s' needs its classes, or its shape: { classes: 10 }" : "input '%s' needs its shape: { shape: [1, 28, 28] }", d->name);
        if (good && shape)
            d->type = strcmp(dtype, "u8") != 0;
    }
    return defs;
}

static Tensor *data_tensor(Model *m, DataDef *d, int index)
{
    d->used = true;
    if (d->tensor)
        return d->tensor;
    Tensor *t = d->tensor = tensor_new(m, d->name, d->loc, NULL);
    t->shape = d->shape;
    if (d->type == REFUSED)
        t->shape.rank = -1;
    t->space = d->type == 2 ? LABELS_I32 : REALS;
    const char *name = identifier_unique(m, arena_printf(m->arena, "load_%s", t->name));
    Op *op = op_new(m, d->type == 2 ? OP_labels : OP_load, FORWARD, name, d->loc);
    op->index = index;
    op_write(op, t, 0);
    list_push(m->arena, &m->ops, op);
    return t;
}

/* ---- operators ------------------------------------------------------------------------------------------ */

static Op *append(Builder *b, OpKind kind, const char *name, Loc at, Tensor *out)
{
    Model *m = b->m;
    Tensor *t = out ? out : tensor_new(m, name, at, b->repeat);
    Op *op = op_new(m, kind, FORWARD, t->name, at);
    op->repeat = b->repeat;
    op_write(op, t, 0);
    list_push(m->arena, &m->ops, op);
    return op;
}

/* A stack of steps read outside its repeat becomes one value of rank + 1. */
static Use outside(Builder *b, Use u, Loc at)
{
    if (!u.tensor->repeat || u.tensor->repeat == b->repeat)
        return u;
    Op *op = append(b, OP_stack, arena_printf(b->m->arena, "%s_steps", u.tensor->name), at, NULL);
    op_read(op, u.tensor, 0);
    return (Use){ op->writes[0].tensor, 0 };
}

/* Applies an operator whose attributes are parsed; gives the result its name, with the activation that `act` asks for. */
static Tensor *apply(Builder *b, Op *parsed, const char *name, const char *prefix, const char *family, Loc at, const Use *inputs, int count)
{
    Model *m = b->m;
    const char *act = NULL;
    for (int i = 0; i < parsed->attr_count; i++)
        if (strcmp(parsed->attrs[i].spec->name, "act") == 0 && strcmp(parsed->attrs[i].word, "linear") != 0)
            act = parsed->attrs[i].word;
    Tensor *y = act ? tensor_new(m, name, at, b->repeat) : NULL;
    Op *op = append(b, parsed->kind, act ? arena_printf(m->arena, "%s_sum", name) : name, at, NULL);
    memcpy(op->attrs, parsed->attrs, sizeof op->attrs);
    op->attr_count = parsed->attr_count;
    op->prefix = prefix;
    op->family = family;
    if (act)
        op->name = y->name;
    if (parsed->kind == OP_dropout)
        op->random_place = m->random_places++;
    for (int i = 0; i < count; i++)
        op_read(op, inputs[i].tensor, inputs[i].shift);
    if (parsed->kind == OP_reshape || parsed->kind == OP_flatten)
        op->writes[0].tensor->view_of = inputs[0].tensor;
    if (!act)
        return op->writes[0].tensor;
    Op *a = append(b, op_kind(act), y->name, at, y);
    a->name = identifier_unique(m, arena_printf(m->arena, "%s_%s", y->name, act));
    a->family = family;
    op_read(a, op->writes[0].tensor, 0);
    return y;
}

/* A view of a state of the step before, or of a tensor that is not this step's own, needs memory of its own. */
static Use viewable(Builder *b, Use u, Loc at)
{
    if (u.shift == 0)
        return u;
    Op *copy = append(b, OP_copy, arena_printf(b->m->arena, "%s_before", u.tensor->name), at, NULL);
    op_read(copy, u.tensor, u.shift);
    return (Use){ copy->writes[0].tensor, 0 };
}

static bool inputs_fit(Builder *b, OpKind kind, Loc at, int count)
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

static bool apply_net(Builder *b, Net *net, Loc at, Use *x);

/* One layer of a net: OP, OP: value, OP: { attributes }, or another net.  Without a tensor in x it is only read for its mistakes. */
static bool apply_layer(Builder *b, Net *net, const Yaml *y, int *counts, List *layer_names, Use *x)
{
    Model *m = b->m;
    const Yaml *key = y, *value = NULL;
    if (!room(b, y->loc))
        return false;
    if (y->kind == YAML_MAP && y->count == 1) {
        key = y->keys[0];
        value = y->items[0];
    } else if (y->kind != YAML_SCALAR) {
        if (y->kind == YAML_MAP && y->count > 1)
            diag_error(m->diag, y->keys[1]->loc, "a layer is one operator; its attributes stand in braces: - %.40s: { %.40s: ... }", y->keys[0]->text, y->keys[1]->text);
        else
            diag_error(m->diag, y->loc, "a layer is one operator: - conv: { filters: 32, kernel: 3 }");
        return false;
    }
    OpKind kind = op_kind(key->text);
    Net *inner = kind == OP_COUNT ? net_find(b, key->text) : NULL;
    if (inner) {
        if (value && !(value->kind == YAML_MAP && value->count == 0)) {
            diag_error(m->diag, value->loc, "the net '%s' takes no attributes here", inner->name);
            return false;
        }
        return apply_net(b, inner, key->loc, x);
    }
    if (kind == OP_COUNT) {
        unknown_operator(b, key->loc, key->text);
        return false;
    }
    if (!op_table[kind]->layer) {
        bool loss = kind == OP_cross_entropy || kind == OP_mse;
        diag_error(m->diag, key->loc, "'%s' stands %s, not in a net", key->text, loss ? "under loss" : "in the flow");
        return false;
    }
    Op *parsed = op_new(m, kind, FORWARD, "", key->loc);
    if (!attr_parse(m, parsed, value, NULL, key->loc))
        return false;
    const char *layer = op_word(parsed, "name");
    counts[kind]++;
    if (!layer)
        layer = arena_printf(m->arena, "%s%d", op_table[kind]->name, counts[kind]);
    for (int i = 0; i < layer_names->count; i++)
        if (strcmp(layer_names->items[i], layer) == 0) {
            diag_error(m->diag, key->loc, "net '%s' already has a layer '%s'", net->name, layer);
            return false;
        }
    list_push(m->arena, layer_names, (void *)(uintptr_t)layer);
    if (!x->tensor)
        return true;
    if (kind == OP_dropout && op_real(parsed, "rate") == 0) {
        m->random_places++;
        remark(m, key->loc, "dropout at rate 0 does nothing: removed");
        return true;
    }
    if (kind == OP_reshape || kind == OP_flatten)
        *x = viewable(b, *x, key->loc);
    Tensor *t = apply(b, parsed, arena_printf(m->arena, "%s_%s", net->name, layer), arena_printf(m->arena, "%s.%s", net->name, layer),
                      net->name, key->loc, x, 1);
    *x = (Use){ t, 0 };
    return true;
}

static bool apply_net(Builder *b, Net *net, Loc at, Use *x)
{
    Model *m = b->m;
    net->used = true;
    if (!net->layers)
        return false;
    if (net->open || b->depth == NETS_DEEP) {
        diag_error(m->diag, at, net->open ? "net '%s' contains itself" : "net '%s' stands in more than %d nets", net->name, NETS_DEEP);
        return false;
    }
    net->open = net->read = true;
    b->depth++;
    int counts[OP_COUNT] = { 0 };
    List names = { 0 };
    bool good = true;
    for (int i = 0; i < net->layers->count && b->layers <= LAYERS_MAX; i++)
        if (!apply_layer(b, net, net->layers->items[i], counts, &names, x)) {
            x->tensor = NULL;
            good = false;
        }
    net->open = false;
    b->depth--;
    return good && b->layers <= LAYERS_MAX;
}

/* Nets that no entry has led to have mistakes all the same. */
static void read_unused(Builder *b)
{
    for (int i = 0; i < b->nets.count; i++) {
        Net *net = b->nets.items[i];
        if (net->read || !net->layers)
            continue;
        b->layers = 0;
        bool used = net->used;
        apply_net(b, net, net->loc, &(Use){ NULL, 0 });
        net->used = used;
    }
}

/* ---- the flow ---------------------------------------------------------------------------------------------- */

static Name *bind(Builder *b, const char *name, Loc at, Use u)
{
    Name *n = NEW(b->m->arena, Name);
    *n = (Name){ name, at, u.tensor, u.shift };
    list_push(b->m->arena, &b->names, n);
    return n;
}

/* What an entry with a mistake would have made; a name that was bound before keeps its value. */
static void bind_refused(Builder *b, const Yaml *key)
{
    if (!name_find(b, key->text))
        bind(b, key->text, key->loc, (Use){ NULL, 0 });
}

static bool resolve(Builder *b, const Yaml *y, Use *out, bool keep_steps)
{
    Model *m = b->m;
    if (y->kind != YAML_SCALAR || !*y->text) {
        diag_error(m->diag, y->loc, "expected the name of a value");
        return false;
    }
    Name *n = name_find(b, y->text);
    if (n) {
        if (!n->tensor)
            return false;
        *out = (Use){ n->tensor, n->shift };
        if (!keep_steps)
            *out = outside(b, *out, y->loc);
        return true;
    }
    for (int i = 0; i < m->input_count; i++)
        if (strcmp(m->inputs[i].name, y->text) == 0) {
            *out = (Use){ data_tensor(m, &m->inputs[i], i), 0 };
            return true;
        }
    for (int i = 0; i < m->target_count; i++)
        if (strcmp(m->targets[i].name, y->text) == 0) {
            diag_error(m->diag, y->loc, "'%s' is a target: only a loss may read it", y->text);
            return false;
        }
    const char **list = NEW_ARRAY(m->arena, const char *, m->input_count + b->names.count + 1);
    int count = 0;
    for (int i = 0; i < m->input_count; i++)
        list[count++] = m->inputs[i].name;
    for (int i = 0; i < b->names.count; i++)
        list[count++] = ((Name *)b->names.items[i])->name;
    const char *near = diag_nearest(y->text, list, count);
    diag_error(m->diag, y->loc, "no value is called '%s' here%s%s%s", y->text, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    diag_note(m->diag, (Loc){ 0 }, "a value is an input, or a name that an entry above defines");
    return false;
}

static bool resolve_inputs(Builder *b, const Yaml *y, Use *uses, int *count, bool keep_steps)
{
    *count = 0;
    if (y->kind == YAML_SCALAR) {
        *count = 1;
        return resolve(b, y, &uses[0], keep_steps);
    }
    if (y->kind != YAML_LIST || y->count > INPUT_MAX - 2) {
        if (y->kind == YAML_LIST)
            diag_error(b->m->diag, y->items[INPUT_MAX - 2]->loc, "an operator takes at most %d inputs", INPUT_MAX - 2);
        else
            diag_error(b->m->diag, y->loc, "expected the name of a value, or a list of names");
        return false;
    }
    bool good = true;
    for (int i = 0; i < y->count; i++)
        good = resolve(b, y->items[i], &uses[(*count)++], keep_steps) && good;
    return good;
}

static State *state_find(Builder *b, const char *name)
{
    for (int i = 0; i < b->state_count; i++)
        if (strcmp(b->states[i].name, name) == 0)
            return &b->states[i];
    return NULL;
}

/* h' = gru(x, h): two dense layers and the gates; see ops/gru.c.  `cell` has the attributes, `out` is the carried state or NULL. */
static Tensor *apply_gru(Builder *b, const Op *cell, const char *name, Loc at, Tensor *out, Use x, Use h)
{
    Model *m = b->m;
    const Attr *init = op_attr(cell, "weight_init");
    Tensor *parts[2];
    for (int k = 0; k < 2; k++) {
        Op *dense = op_new(m, OP_dense, FORWARD, "", at);
        Yaml rows = { .kind = YAML_SCALAR, .loc = at, .text = arena_printf(m->arena, "%lld", (long long)(3 * op_int(cell, "units"))) };
        attr_parse(m, dense, &rows, NULL, at);
        for (int i = 0; i < dense->attr_count; i++) {
            Attr *a = &dense->attrs[i];
            if (!strcmp(a->spec->name, "bias"))
                a->number[0] = k == 0 || op_int(cell, "bias_hh");
            else if (!strcmp(a->spec->name, "init")) {
                a->word = init->given ? init->word : "normal";
                a->number[0] = init->given ? init->number[0] : 0.1;
                a->count = init->given ? init->count : 1;
            }
        }
        Use in = k == 0 ? x : h;
        parts[k] = apply(b, dense, arena_printf(m->arena, "%s_%s", name, k == 0 ? "from_input" : "from_state"), name, name, at, &in, 1);
        parts[k]->op->suffix[0] = k == 0 ? "weight_ih" : "weight_hh";
        parts[k]->op->suffix[1] = k == 0 ? "bias_ih" : "bias_hh";
    }
    Op *gates = append(b, OP_gru_gates, name, at, out);
    gates->family = name;
    op_read(gates, parts[0], 0);
    op_read(gates, parts[1], 0);
    op_read(gates, h.tensor, h.shift);
    return gates->writes[0].tensor;
}

/* A carried gru has its attributes under carry; any other is a value like all others: { gru: [x, h], units: 9 }. */
static Tensor *flow_gru(Builder *b, const Yaml *key, const Yaml *v, int which, State *state, const Use *in, int count)
{
    Model *m = b->m;
    const Yaml *opkey = v->keys[which], *inputs = v->items[which];
    const char *name = key->text;
    if (!state || !state->gru) {
        Op *cell = op_new(m, OP_gru, FORWARD, "", key->loc);
        if (v->count == 1) {
            diag_error(m->diag, opkey->loc, "gru needs 'units' (size of the state)");
            diag_note(m->diag, (Loc){ 0 }, "a state that a repeat carries has them there: carry: { %s: { gru: { units: 256 } } }", name);
            return NULL;
        }
        if (!attr_parse(m, cell, v, opkey->text, opkey->loc))
            return NULL;
        if (op_attr(cell, "init")->given) {
            diag_error(m->diag, op_attr(cell, "init")->loc, "this gru has no first step: its state is the second input, { gru: [x, h] }");
            return NULL;
        }
        if (count != 2) {
            diag_error(m->diag, inputs->loc, "a gru without a carry takes 2 inputs, [x, h], not %d", count);
            return NULL;
        }
        return apply_gru(b, cell, name, key->loc, NULL, in[0], in[1]);
    }
    for (int i = 0; i < v->count; i++)
        if (i != which) {
            diag_error(m->diag, v->keys[i]->loc, "'%s' belongs to the gru under carry", v->keys[i]->text);
            diag_note(m->diag, state->loc, "'%s' is carried here", name);
            return NULL;
        }
    Use h = { state->tensor, -1 };
    if (!inputs_fit(b, OP_gru, inputs->loc, count))
        return NULL;
    if (count == 2 && (in[1].tensor != h.tensor || in[1].shift != h.shift)) {
        diag_error(m->diag, inputs->items[1]->loc, "the gru of '%s' updates '%s' itself: write { gru: [input, %s] }", name, name, name);
        return NULL;
    }
    return apply_gru(b, state->cell, name, key->loc, state->tensor, in[0], h);
}

/* NAME: { OP: inputs, attributes } */
static bool flow_value(Builder *b, const Yaml *key, const Yaml *v, State *state)
{
    Model *m = b->m;
    const char *name = key->text;
    if (!name_check(m, key->loc, name))
        return false;
    if (v->kind != YAML_MAP) {
        diag_error(m->diag, v->loc, "what makes '%s' stands in braces: - %s: { relu: image }", name, name);
        return false;
    }
    Name *before = name_find(b, name);
    if (before && !before->tensor)
        return false;
    Loc first = before ? before->loc : (Loc){ 0 };
    for (int i = 0; i < m->input_count; i++)
        if (strcmp(m->inputs[i].name, name) == 0)
            first = m->inputs[i].loc;
    for (int i = 0; i < m->target_count; i++)
        if (strcmp(m->targets[i].name, name) == 0)
            first = m->targets[i].loc;
    if (first.line && !(state && !state->defined)) {
        diag_error(m->diag, key->loc, "'%s' is defined twice", name);
        diag_note(m->diag, first, "the first definition is here");
        return false;
    }
    int which = -1;
    for (int i = 0; i < v->count; i++)
        if (op_kind(v->keys[i]->text) != OP_COUNT || net_find(b, v->keys[i]->text)) {
            if (which >= 0) {
                diag_error(m->diag, v->keys[i]->loc, "'%s' and '%s' both name an operator or a net; an entry has exactly one",
                           v->keys[which]->text, v->keys[i]->text);
                return false;
            }
            which = i;
        }
    if (which < 0) {
        if (v->count == 0)
            diag_error(m->diag, v->loc, "'%s' needs an operator or a net: { front: image }", name);
        else
            unknown_operator(b, v->keys[0]->loc, v->keys[0]->text);
        return false;
    }
    const Yaml *opkey = v->keys[which];
    OpKind kind = op_kind(opkey->text);
    Use in[INPUT_MAX];
    int count;
    if (!resolve_inputs(b, v->items[which], in, &count, kind == OP_last)) {
        if (kind != OP_COUNT && kind != OP_gru)
            attr_parse(m, op_new(m, kind, FORWARD, "", key->loc), v, opkey->text, opkey->loc);
        return false;
    }
    Tensor *t = NULL;
    if (kind == OP_COUNT) {
        for (int i = 0; i < v->count; i++)
            if (i != which) {
                diag_error(m->diag, v->keys[i]->loc, "a net takes no attributes; '%s' belongs in its layers", v->keys[i]->text);
                return false;
            }
        if (count != 1) {
            diag_error(m->diag, v->items[which]->loc, "net '%s' takes one input, not %d", opkey->text, count);
            return false;
        }
        if (!apply_net(b, net_find(b, opkey->text), opkey->loc, &in[0]))
            return false;
        t = in[0].tensor;
        if (in[0].shift || t->op->kind == OP_load) {
            in[0] = viewable(b, in[0], opkey->loc);
            t = in[0].tensor;
        }
    } else if (kind == OP_gru) {
        if (!(t = flow_gru(b, key, v, which, state, in, count)))
            return false;
    } else {
        if (kind == OP_cross_entropy || kind == OP_mse) {
            diag_error(m->diag, opkey->loc, "%s is a loss: it stands under loss", opkey->text);
            return false;
        }
        Op *parsed = op_new(m, kind, FORWARD, "", key->loc);
        bool good = inputs_fit(b, kind, v->items[which]->loc, count);
        if (!attr_parse(m, parsed, v, opkey->text, opkey->loc) || !good)
            return false;
        if (kind == OP_last) {
            if (!in[0].tensor->repeat || in[0].tensor->repeat == b->repeat) {
                diag_error(m->diag, v->items[which]->loc, "last needs a name made in a repeat above");
                return false;
            }
            Op *pick = append(b, OP_pick, name, key->loc, NULL);
            pick->index = in[0].tensor->repeat->steps - 1;
            op_read(pick, in[0].tensor, 0);
            t = pick->writes[0].tensor;
        } else {
            if (kind == OP_reshape || kind == OP_flatten)
                in[0] = viewable(b, in[0], key->loc);
            t = apply(b, parsed, name, name, "", key->loc, in, count);
        }
    }
    if (state && t != state->tensor) {
        if (state->gru) {
            diag_error(m->diag, opkey->loc, "'%s' is carried as a gru, so { gru: [input, %s] } must define it", name, name);
            return false;
        }
        Op *copy = append(b, OP_copy, name, key->loc, state->tensor);
        op_read(copy, t, 0);
        t = state->tensor;
    }
    if (state) {
        state->defined = true;
        before->shift = 0;
    } else {
        bind(b, name, key->loc, (Use){ t, 0 });
    }
    if (!t->flow_name)
        t->flow_name = name;
    else if (strcmp(t->flow_name, name) != 0) {     /* a net without layers */
        Op *copy = append(b, OP_copy, name, key->loc, NULL);
        op_read(copy, t, 0);
        t = copy->writes[0].tensor;
        t->flow_name = name;
        name_find(b, name)->tensor = t;
    }
    return true;
}

static bool flow_entry(Builder *b, const Yaml *y)
{
    if (!room(b, y->loc))
        return false;
    if (y->kind != YAML_MAP || y->count != 1) {
        diag_error(b->m->diag, y->loc, "a flow entry is one name and what makes it: - c: { front: image }");
        for (int i = 0; y->kind == YAML_MAP && i < y->count; i++)
            bind_refused(b, y->keys[i]);
        return false;
    }
    State *state = state_find(b, y->keys[0]->text);
    if (flow_value(b, y->keys[0], y->items[0], state))
        return true;
    bind_refused(b, y->keys[0]);
    if (state)
        state->defined = true;
    return false;
}

static bool state_declare(Builder *b, const Yaml *key, const Yaml *v)
{
    Model *m = b->m;
    const char *name = key->text;
    if (!name_check(m, key->loc, name) || !is_map(m, v, arena_printf(m->arena, "the state '%s'", name)))
        return false;
    if (name_find(b, name)) {
        diag_error(m->diag, key->loc, "'%s' is defined twice", name);
        diag_note(m->diag, name_find(b, name)->loc, "the first definition is here");
        return false;
    }
    if (b->state_count == 16) {
        diag_error(m->diag, key->loc, "a repeat carries at most 16 states");
        return false;
    }
    State *s = &b->states[b->state_count];
    *s = (State){ .name = name, .loc = key->loc };
    Shape shape = { 0 };
    const Yaml *cell = yaml_get(v, "gru");
    if (cell) {
        keys_known(m, v, &map_carried_gru);
        if (!is_map(m, cell, "gru"))
            return false;
        Op *parsed = op_new(m, OP_gru, FORWARD, name, key->loc);
        /* `init` may also name a value: it is read as text here and resolved below */
        if (!attr_parse(m, parsed, cell, NULL, v->keys[0]->loc))
            return false;
        s->cell = parsed;
        s->gru = true;
        s->init = yaml_get(cell, "init");
        shape = (Shape){ 1, { op_int(parsed, "units") } };
    } else if (yaml_get(v, "shape")) {
        keys_known(m, v, &map_carried);
        Attr a = { .spec = key_spec(&map_carried, "shape") };
        if (!shape_read(m, &a, yaml_get(v, "shape"), name, &shape))
            return false;
        s->init = yaml_get(v, "init");
    } else {
        diag_error(m->diag, v->loc, "the state '%s' is either { gru: { units: 256 } } or { shape: [256], init: zeros }", name);
        return false;
    }
    Tensor *t = s->tensor = tensor_new(m, name, key->loc, b->repeat);
    t->shape = shape;
    t->carried = true;
    t->flow_name = name;
    list_push(m->arena, &b->repeat->states, t);
    b->state_count++;
    if (s->init) {
        Value w;
        if (s->init->kind != YAML_SCALAR || !expr_value(m->arena, m->diag, &m->scope, s->init, &w)) {
            if (s->init->kind != YAML_SCALAR)
                diag_error(m->diag, s->init->loc, "init must be zeros, trained, or the name of a value");
            return false;
        }
        if (strcmp(w.text, "trained") == 0) {
            t->start_weight = NEW(m->arena, Weight);
            *t->start_weight = (Weight){ .name = arena_printf(m->arena, "%s.init", name), .loc = key->loc };
        } else if (strcmp(w.text, "zeros") != 0) {
            Yaml reference = *s->init;
            reference.text = w.text;
            Use u;
            Repeat *inside = b->repeat;
            b->repeat = NULL;               /* the start is read before the repeat begins */
            bool good = resolve(b, &reference, &u, true);
            if (good && u.tensor->repeat == inside) {
                diag_error(m->diag, s->init->loc, "'%s' is carried by the same repeat: it has no value before the first step", w.text);
                good = false;
            } else if (good) {
                t->start = outside(b, u, s->init->loc).tensor;
            }
            b->repeat = inside;
            if (!good)
                return false;
        }
    }
    bind(b, name, key->loc, (Use){ t, -1 });
    return true;
}

static bool flow_list(Builder *b, const Yaml *y);

static bool flow_repeat(Builder *b, const Yaml *y)
{
    Model *m = b->m;
    bool good = keys_known(m, y, &map_repeat);
    double steps = 0;
    const Yaml *body = yaml_get(y, "do"), *carry = yaml_get(y, "carry");
    if (b->repeat) {
        diag_error(m->diag, y->keys[0]->loc, "a repeat may not stand inside a repeat");
        for (int i = 0; body && body->kind == YAML_LIST && i < body->count; i++)
            for (int k = 0; body->items[i]->kind == YAML_MAP && k < body->items[i]->count; k++)
                bind_refused(b, body->items[i]->keys[k]);
        return false;
    }
    good = number(m, y, &map_repeat, "repeat", &steps) && good;
    if (!body || body->kind != YAML_LIST || body->count == 0) {
        if (body || good)
            diag_error(m->diag, body ? body->loc : y->loc, "a repeat needs a list of entries under do");
        return false;
    }
    Repeat *r = b->repeat = NEW(m->arena, Repeat);
    list_push(m->arena, &m->repeats, r);
    *r = (Repeat){ .name = arena_printf(m->arena, "repeat%d", m->repeats.count), .steps = (int)steps, .loc = y->loc };
    b->state_count = 0;
    if (carry && is_map(m, carry, "carry"))
        for (int i = 0; i < carry->count; i++)
            if (!state_declare(b, carry->keys[i], carry->items[i])) {
                bind(b, carry->keys[i]->text, carry->keys[i]->loc, (Use){ NULL, 0 });
                good = false;
            }
    good = flow_list(b, body) && good;
    for (int i = 0; i < b->state_count; i++)
        if (!b->states[i].defined) {
            diag_error(m->diag, b->states[i].loc, "nothing under do defines the carried '%s'", b->states[i].name);
            good = false;
        }
    b->repeat = NULL;
    b->state_count = 0;
    return good;
}

static bool flow_list(Builder *b, const Yaml *y)
{
    bool good = true;
    for (int i = 0; i < y->count && b->layers <= LAYERS_MAX; i++)
        good = (yaml_get(y->items[i], "repeat") ? flow_repeat(b, y->items[i]) : flow_entry(b, y->items[i])) && good;
    return good;
}

/* ---- losses --------------------------------------------------------------------------------------------------- */

static bool loss_entry(Builder *b, const Yaml *y, LossDef *loss)
{
    Model *m = b->m;
    OpKind kind = OP_COUNT;
    int which = 0;
    if (!is_map(m, y, "a loss"))
        return false;
    for (int i = 0; i < y->count; i++) {
        OpKind k = op_kind(y->keys[i]->text);
        if (k == OP_cross_entropy || k == OP_mse) {
            if (kind != OP_COUNT) {
                diag_error(m->diag, y->keys[i]->loc, "one loss an entry; several make a list: loss: [{ %s: [...] }, { %s: [...] }]", y->keys[which]->text, y->keys[i]->text);
                return false;
            }
            kind = k, which = i;
        }
    }
    if (kind == OP_COUNT) {
        diag_error(m->diag, y->count ? y->keys[0]->loc : y->loc, "a loss is { cross_entropy: [logits, labels] } or { mse: [a, b] }");
        return false;
    }
    const Yaml *args = y->items[which];
    if (args->kind != YAML_LIST || args->count != 2) {
        diag_error(m->diag, args->loc, "%s takes two: [%s]", op_table[kind]->name, kind == OP_mse ? "prediction, target" : "logits, labels");
        return false;
    }
    Op *parsed = op_new(m, kind, FORWARD, "", y->keys[which]->loc);
    bool good = attr_parse(m, parsed, y, y->keys[which]->text, y->loc);
    Use x;
    good = resolve(b, args->items[0], &x, true) && good;
    loss->mse = kind == OP_mse;
    loss->loc = y->keys[which]->loc;
    loss->weight = op_real(parsed, "weight");
    loss->target = -1;
    for (int i = 0; i < m->target_count; i++)
        if (args->items[1]->kind == YAML_SCALAR && strcmp(m->targets[i].name, args->items[1]->text) == 0)
            loss->target = i;
    Use other;
    if (loss->target >= 0) {
        DataDef *d = &m->targets[loss->target];
        d->used = true;
        if (d->type == REFUSED)
            return false;
        if ((d->type == 2) == loss->mse) {
            diag_error(m->diag, args->items[1]->loc, loss->mse ? "mse needs real numbers; '%s' holds labels" : "cross_entropy needs labels; '%s' holds real numbers", d->name);
            diag_note(m->diag, d->loc, "'%s' is declared here", d->name);
            return false;
        }
        if (!good)
            return false;
        other = (Use){ data_tensor(m, d, m->input_count + loss->target), 0 };
        if (loss->mse && x.tensor->repeat)
            x = outside(b, x, loss->loc);       /* a target of real numbers holds all steps: [T, ...] */
    } else {
        if (!loss->mse) {
            if (resolve(b, args->items[1], &other, true))
                diag_error(m->diag, args->items[1]->loc, "cross_entropy needs a target with classes; '%s' is not a target", args->items[1]->text);
            return false;
        }
        if (!resolve(b, args->items[1], &other, true) || !good)
            return false;
        if (other.tensor->repeat && other.tensor->repeat != x.tensor->repeat)
            other = outside(b, other, loss->loc);
    }
    loss->value = x.tensor;
    Op *op = op_new(m, kind, FORWARD, "", loss->loc);
    memcpy(op->attrs, parsed->attrs, sizeof op->attrs);
    op->attr_count = parsed->attr_count;
    op->repeat = x.tensor->repeat;
    op->index = (int)(loss - m->losses);
    op->prefix = "loss";
    loss->loss = tensor_new(m, arena_printf(m->arena, "loss%d", op->index + 1), loss->loc, op->repeat);
    op->name = identifier_unique(m, arena_printf(m->arena, "%s%d", op_table[kind]->name, op->index + 1));
    op_write(op, loss->loss, 0);
    op_read(op, x.tensor, x.shift);
    op_read(op, other.tensor, other.shift);
    loss->op = op;
    list_push(m->arena, &m->ops, op);
    return true;
}

static void losses(Builder *b, const Yaml *y)
{
    Model *m = b->m;
    int n = y->kind == YAML_LIST ? y->count : 1;
    if (n == 0 || n > LOSSES_MAX) {
        diag_error(m->diag, n ? y->items[LOSSES_MAX]->loc : y->loc, n ? "a model has at most %d losses" : "a model needs a loss: { cross_entropy: [logits, labels] }", LOSSES_MAX);
        return;
    }
    m->losses = NEW_ARRAY(m->arena, LossDef, n + 1);
    for (int i = 0; i < n; i++)
        if (loss_entry(b, y->kind == YAML_LIST ? y->items[i] : y, &m->losses[m->loss_count]))
            m->loss_count++;
}

/* ---- training --------------------------------------------------------------------------------------------------- */

/* A rate that hardly any net survives; the value is the model's, so the net is compiled all the same. */
static void rate_check(Model *m, const Yaml *y, const MapSpec *map)
{
    if (!y || m->train.rate <= 1)
        return;
    diag_warning(m->diag, y->loc, "a rate of %g is above 1: training will hardly converge", m->train.rate);
    diag_note(m->diag, (Loc){ 0 }, "the default of %s is %s", map->name, key_spec(map, "rate")->fallback);
    if (y->kind == YAML_SCALAR)
        note_sets(m, y->text);
}

/* What the optimisers know, all of it: a key of the other two stays at its default. */
static void optimiser(Model *m, const Yaml *y, const MapSpec *map)
{
    TrainDef *t = &m->train;
    struct { const char *key; double *to; } numbers[] = {
        { "rate", &t->rate }, { "decay", &t->decay }, { "epsilon", &t->epsilon }, { "momentum", &t->momentum }, { "beta1", &t->beta1 }, { "beta2", &t->beta2 },
    };
    t->optimiser = map->name;
    for (const AttrSpec *s = map->keys; s->name; s++)
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            if (strcmp(numbers[i].key, s->name) == 0)
                number(m, y, map, s->name, numbers[i].to);
    double inside = t->inside;
    if (map == &map_rmsprop)
        number(m, y, map, "epsilon_inside", &inside);
    t->inside = inside != 0;
}

static void training(Model *m, const Yaml *y)
{
    TrainDef *t = &m->train;
    optimiser(m, NULL, optimisers[0]);
    if (y && !is_map(m, y, "train"))
        y = NULL;
    if (y)
        keys_known(m, y, &map_train);
    double epochs = 0, patience = 0, seed = 0, first = 0, every = 0;
    const Yaml *o = yaml_get(y, "optimiser"), *clip = yaml_get(y, "clip"), *schedule = yaml_get(y, "schedule");
    if (o) {
        const Yaml *s = o->kind == YAML_MAP && o->count == 1 ? o->items[0] : NULL, *called = s ? o->keys[0] : o;
        const MapSpec *map = NULL;
        const char *names[8];
        int n = 0;
        for (; optimisers[n]; n++) {
            names[n] = optimisers[n]->name;
            if (called->kind == YAML_SCALAR && strcmp(called->text, names[n]) == 0)
                map = optimisers[n];
        }
        if (!map) {
            const char *near = called->kind == YAML_SCALAR ? diag_nearest(called->text, names, n) : NULL;
            diag_error(m->diag, called->loc, "the optimiser is one of rmsprop, sgd, adam: { rmsprop: { rate: 5e-4 } }%s%s%s", near ? "; did you mean '" : "",
                       near ? near : "", near ? "'?" : "");
        } else if (!s || is_map(m, s, map->name)) {
            if (s)
                keys_known(m, s, map);
            optimiser(m, s, map);
            rate_check(m, yaml_get(s, "rate"), map);
        }
    }
    if (clip && is_map(m, clip, "clip")) {
        const char *rule;
        keys_known(m, clip, &map_clip);
        number(m, clip, &map_clip, "element", &t->clip_element);
        number(m, clip, &map_clip, "norm", &t->clip_norm);
        word(m, clip, &map_clip, "rule", &rule);
        t->clip_lasagne = rule[0] == 'l';
    }
    if (schedule && !(schedule->kind == YAML_SCALAR && strcmp(schedule->text, "constant") == 0) && is_map(m, schedule, "schedule")) {
        bool known = keys_known(m, schedule, &map_schedule);
        number(m, schedule, &map_schedule, "divide", &t->divide);
        number(m, schedule, &map_schedule, "first", &first);
        number(m, schedule, &map_schedule, "every", &every);
        t->first = (int)first;
        t->every = (int)every;
        if (known && !yaml_get(schedule, "every"))
            diag_error(m->diag, schedule->loc, "a schedule needs 'every': { divide: 1.5, first: 31, every: 12 }");
    }
    number(m, y, &map_train, "weight_decay", &t->weight_decay);
    number(m, y, &map_train, "epochs", &epochs);
    number(m, y, &map_train, "patience", &patience);
    number(m, y, &map_train, "seed", &seed);
    t->epochs = (int)epochs;
    t->patience = (int)patience;
    t->seed = (uint64_t)seed;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

/* Not wrong, but hardly meant; what the loss does not depend on is found later (warn.c). */
static void unused(Builder *b)
{
    Model *m = b->m;
    for (int i = 0; i < b->nets.count; i++) {
        Net *n = b->nets.items[i];
        if (!n->used)
            diag_warning(m->diag, n->loc, "net '%s' is not used", n->name);
    }
    for (int i = 0; i < m->input_count; i++)
        if (!m->inputs[i].used)
            diag_warning(m->diag, m->inputs[i].loc, "input '%s' is not used", m->inputs[i].name);
    for (int i = 0; i < m->target_count; i++)
        if (!m->targets[i].used)
            diag_warning(m->diag, m->targets[i].loc, "target '%s' is not used", m->targets[i].name);
    for (int i = 0; i < m->scope.count; i++)
        if (!m->scope.params[i].used)
            diag_warning(m->diag, m->scope.params[i].loc, "parameter '%s' is not used", m->scope.params[i].name);
}

/* The program's name is that of a file beside others in one folder, and of a target of its Makefile. */
static bool file_check(Model *m, const Yaml *name)
{
    static const char *const others[] = { "runtime", "Makefile", "makefile", "GNUmakefile", "clean" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name->text, others[i]) == 0) {
            diag_error(m->diag, name->loc, "'%s' is taken in the folder that the program is built in: another name for the model, please", name->text);
            return false;
        }
    return true;
}

bool model_build(Model *m, const Yaml *root, const char *const *sets, int set_count)
{
    Builder b = { .m = m };
    if (!is_map(m, root, "a model"))
        return false;
    bool known = keys_known(m, root, &map_model);
    expr_params(m->arena, m->diag, yaml_get(root, "params"), sets, set_count, &m->scope);
    const Yaml *name = yaml_get(root, "model"), *about = yaml_get(root, "about");
    if (name && name->kind == YAML_SCALAR) {
        if (name_check(m, name->loc, name->text) && file_check(m, name))
            m->name = name->text;
    } else if (name || known) {
        diag_error(m->diag, name ? name->loc : root->loc, "a model needs a name: model: my_net");
    }
    if (about && about->kind != YAML_SCALAR)
        diag_error(m->diag, about->loc, "about is one line of text");
    m->about = about && about->kind == YAML_SCALAR ? about->text : "";
    double batch = 100;      /* also when it is refused */
    number(m, root, &map_model, "batch", &batch);
    m->batch = m->options.batch ? m->options.batch : (int64_t)batch;
    m->lanes = m->options.plain ? 1 : 16;
    m->groups = (int)((m->batch + m->lanes - 1) / m->lanes);
    m->inputs = data_defs(m, yaml_get(root, "inputs"), false, &m->input_count);
    m->targets = data_defs(m, yaml_get(root, "targets"), true, &m->target_count);
    for (int i = 0; i < m->input_count; i++)
        for (int k = 0; k < m->target_count; k++)
            if (strcmp(m->inputs[i].name, m->targets[k].name) == 0) {
                diag_error(m->diag, m->targets[k].loc, "'%s' is defined twice", m->targets[k].name);
                diag_note(m->diag, m->inputs[i].loc, "the first definition is here");
            }
    const Yaml *nets = yaml_get(root, "nets"), *flow = yaml_get(root, "flow"), *loss = yaml_get(root, "loss"), *inputs = yaml_get(root, "inputs");
    if (m->input_count == 0 && (inputs ? inputs->kind == YAML_MAP : known))
        diag_error(m->diag, root->loc, "a model needs inputs: inputs: { image: { shape: [1, 28, 28] } }");
    bool nets_good = nets && is_map(m, nets, "nets");
    if (nets_good && nets->count > NETS_MAX)
        diag_error(m->diag, nets->keys[NETS_MAX]->loc, "a model has at most %d nets", NETS_MAX);
    else if (nets_good)
        for (int i = 0; i < nets->count; i++) {
            const Yaml *key = nets->keys[i], *layers = nets->items[i];
            Net *net = NEW(m->arena, Net);
            *net = (Net){ .name = key->text, .loc = key->loc };
            list_push(m->arena, &b.nets, net);
            if (!name_check(m, key->loc, net->name))
                continue;
            if (op_kind(net->name) != OP_COUNT)
                diag_error(m->diag, key->loc, "'%s' is an operator; a net needs a name of its own", net->name);
            else if (layers->kind != YAML_LIST)
                diag_error(m->diag, layers->loc, "net '%s' must be a list of layers", net->name);
            else
                net->layers = layers;
        }
    if (flow ? flow->kind != YAML_LIST || flow->count == 0 : known)
        diag_error(m->diag, flow ? flow->loc : root->loc, "a model needs a flow: a list of entries such as - c: { front: image }");
    if (m->input_count && flow && flow->kind == YAML_LIST && flow->count) {
        flow_list(&b, flow);
        if (loss && b.layers <= LAYERS_MAX)
            losses(&b, loss);
    }
    if (b.layers <= LAYERS_MAX)
        read_unused(&b);
    if (!loss && known)
        diag_error(m->diag, root->loc, "a model needs a loss: { cross_entropy: [logits, labels] }");
    training(m, yaml_get(root, "train"));
    if (diag_errors(m->diag))
        return false;
    unused(&b);
    return true;
}
