/* flow.c -- the flow of a model as operators: names bound and resolved, nets applied, repeats entered.
 *
 * In: the tree of `flow:`, the nets and inputs that model.c has declared.  Out: m->ops in the order of the file.
 * A net is applied by walking its layers once for each use; the weights' names (NET.LAYER.weight) make the uses share.
 * A name of the flow is bound to a Use: a tensor, and -1 where a carried state of the step before is meant. */
#include "base/embed.h"
#include "graph/model.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- words ------------------------------------------------------------------------------------------ */

OpKind op_kind_of(const char *word)
{
    for (int k = 0; k < op_count; k++)
        if (op_table[k]->help && strcmp(op_table[k]->name, word) == 0)
            return (OpKind)k;
    return OP_NONE;
}

static Net *net_find(Builder *b, const char *word)
{
    for (int i = 0; i < b->nets.count; i++)
        if (strcmp(((Net *)b->nets.items[i])->name, word) == 0)
            return b->nets.items[i];
    return NULL;
}

/* The newest of that name, or NULL. */
static Name *flow_find(Builder *b, const char *word)
{
    for (int i = b->names.count - 1; i >= 0; i--)
        if (strcmp(((Name *)b->names.items[i])->name, word) == 0)
            return b->names.items[i];
    return NULL;
}

/* Words that people bring from elsewhere: what it is called here, or NULL for what is not a misspelling of anything here. */
static const struct { const char *word, *ours; } brought[] = {
    { "linear", "dense" }, { "fc", "dense" }, { "fully_connected", "dense" }, { "conv2d", "conv" }, { "convolution", "conv" }, { "max_pool", "maxpool" },
    { "maxpool2d", "maxpool" }, { "max_pool2d", "maxpool" }, { "stn", "spn" }, { "grid_sample", "spn" }, { "concatenate", "concat" }, { "cat", "concat" },
    { "sum", "add" }, { "mul", "multiply" }, { "elu", NULL }, { "gelu", NULL }, { "selu", NULL }, { "celu", NULL }, { "silu", NULL }, { "swish", NULL }, { "mish", NULL },
    { "prelu", NULL }, { "lrelu", NULL }, { "leaky_relu", NULL }, { "relu6", NULL }, { "softmax", NULL }, { "log", NULL }, { "exp", NULL }, { "sqrt", NULL }, { "max", NULL },
    { "lstm", NULL }, { "rnn", NULL }, { "norm", NULL }, { "pad", NULL }, { "mean", NULL }, { "stack", NULL },
};

static void unknown_operator(Builder *b, Loc at, const char *word)
{
    const char **list = NEW_ARRAY(b->m->arena, const char *, OP_NONE + b->nets.count + embedded_descriptions_count);
    int n = 0;
    for (int k = 0; k < op_count; k++)
        if (op_table[k]->help)
            list[n++] = op_table[k]->name;
    for (int i = 0; i < embedded_descriptions_count; i++)
        list[n++] = arena_copy(b->m->arena, embedded_descriptions[i].name, strcspn(embedded_descriptions[i].name, "."));
    for (int i = 0; i < b->nets.count; i++)
        list[n++] = ((Net *)b->nets.items[i])->name;
    const char *near = diag_suggestion(b->m->arena, word, list, n);
    bool written = !*near;
    for (size_t i = 0; i < sizeof brought / sizeof *brought; i++)
        if (strcasecmp(brought[i].word, word) == 0) {
            near = brought[i].ours ? arena_printf(b->m->arena, "; it is called '%s' here", brought[i].ours) : "";
            written = !brought[i].ours;
        }
    diag_error(b->m->diag, at, "no operator or net is called '%s'%s", word, near);
    if (!written)
        return;
    Text all = { .arena = b->m->arena };
    for (int i = 0; i < n; i++)
        if (op_kind_of(list[i]) == OP_NONE || !loss_table[op_kind_of(list[i])])
            text_printf(&all, "%s%s", all.length ? ", " : "", list[i]);
    diag_note(b->m->diag, (Loc){ 0 }, "there are %s", all.text);
    diag_note(b->m->diag, (Loc){ 0 }, "one that is not there can be written: a description and two templates, in a folder for --templates");
}

/* Counts a layer or an entry; false, with one error, when there are too many. */
static bool room(Builder *b, Loc at)
{
    if (++b->layers == LAYERS_MAX + 1)
        diag_error(b->m->diag, at, "with this, the flow and its nets come to more than %d operators", LAYERS_MAX);
    return b->layers <= LAYERS_MAX;
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
Use flow_outside(Builder *b, Use u, Loc at)
{
    if (!u.tensor->repeat || u.tensor->repeat == b->repeat)
        return u;
    Op *op = append(b, OP_stack, arena_printf(b->m->arena, "%s_steps", u.tensor->name), at, NULL);
    op_read(op, u.tensor, 0);
    return (Use){ op->writes[0].tensor, 0 };
}

/* Appends an operator with parsed attributes, and an activation operator if its attribute `act` has one; the last result gets the name. */
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
    if (parsed->kind == OP_dropout) {
        op->dropout.place = m->random_places++;
        rate_note(m, op, prefix, parsed);
    }
    for (int i = 0; i < count; i++)
        op_read(op, inputs[i].tensor, inputs[i].shift);
    if (parsed->kind == OP_reshape || parsed->kind == OP_flatten)
        op->writes[0].tensor->view_of = inputs[0].tensor;
    if (!act)
        return op->writes[0].tensor;
    Op *a = append(b, op_kind_of(act), y->name, at, y);
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

/* One layer of a net: OP, OP: value, OP: { attributes }, or another net.  Without a tensor in x it is read only to report its errors. */
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
    OpKind kind = op_kind_of(key->text);
    Net *inner = kind == OP_NONE ? net_find(b, key->text) : NULL;
    if (inner) {
        if (value && !(value->kind == YAML_MAP && value->count == 0)) {
            diag_error(m->diag, value->loc, "the net '%s' takes no attributes here", inner->name);
            return false;
        }
        return apply_net(b, inner, key->loc, x);
    }
    if (kind == OP_NONE) {
        unknown_operator(b, key->loc, key->text);
        return false;
    }
    if (!op_table[kind]->layer) {
        diag_error(m->diag, key->loc, "'%s' stands %s, not in a net", key->text, loss_table[kind] ? "under loss" : "in the flow");
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
        rate_note(m, NULL, arena_printf(m->arena, "%s.%s", net->name, layer), parsed);
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
    int counts[OP_NONE] = { 0 };
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

/* Reads the nets that no entry uses, to report their errors too. */
void flow_read_unused(Builder *b)
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

/* Binds the names of an entry with an error to no tensor; a name that is already bound keeps its value. */
static void bind_refused(Builder *b, const Yaml *key)
{
    if (!flow_find(b, key->text))
        bind(b, key->text, key->loc, (Use){ NULL, 0 });
}

bool flow_resolve(Builder *b, const Yaml *y, Use *out, bool keep_steps)
{
    Model *m = b->m;
    if (y->kind != YAML_SCALAR || !*y->text) {
        diag_error(m->diag, y->loc, "expected the name of a value");
        return false;
    }
    Name *n = flow_find(b, y->text);
    if (n) {
        if (!n->tensor)
            return false;
        *out = (Use){ n->tensor, n->shift };
        if (!keep_steps)
            *out = flow_outside(b, *out, y->loc);
        return true;
    }
    for (int i = 0; i < m->input_count; i++)
        if (strcmp(m->inputs[i].name, y->text) == 0) {
            *out = (Use){ data_tensor(m, &m->inputs[i]), 0 };
            return true;
        }
    for (int i = 0; i < m->target_count; i++)
        if (strcmp(m->targets[i].name, y->text) == 0) {
            diag_error(m->diag, y->loc, "'%s' is a target: only a loss may read it", y->text);
            return false;
        }
    char *end;
    strtod(y->text, &end);
    if (end != y->text && !*end) {
        diag_error(m->diag, y->loc, "%s is a number, and an operator reads values: inputs, and results that have a name", y->text);
        diag_note(m->diag, (Loc){ 0 }, "a factor or a bias belongs to the weights of a dense or conv; a fixed one can come as an input");
        return false;
    }
    const char **list = NEW_ARRAY(m->arena, const char *, m->input_count + b->names.count + 1);
    int count = 0;
    for (int i = 0; i < m->input_count; i++)
        list[count++] = m->inputs[i].name;
    for (int i = 0; i < b->names.count; i++)
        list[count++] = ((Name *)b->names.items[i])->name;
    diag_error(m->diag, y->loc, "no value is called '%s' here%s", y->text, diag_suggestion(m->arena, y->text, list, count));
    diag_note(m->diag, (Loc){ 0 }, "a value is an input, or a name that an entry above defines");
    return false;
}

static bool resolve_inputs(Builder *b, const Yaml *y, Use *uses, int *count, bool keep_steps)
{
    *count = 0;
    if (y->kind == YAML_SCALAR) {
        *count = 1;
        return flow_resolve(b, y, &uses[0], keep_steps);
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
        good = flow_resolve(b, y->items[i], &uses[(*count)++], keep_steps) && good;
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
            else if (!strcmp(a->spec->name, "gemm"))
                a->word = op_word(cell, "gemm");
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

/* True if the entry `key` may define its name; an error if an input, a target or an entry above has it already. */
static bool name_is_free(Builder *b, const Yaml *key, const State *state)
{
    const Model *m = b->m;
    const Name *before = flow_find(b, key->text);
    if (before && !before->tensor)
        return false;
    Loc first = before ? before->loc : (Loc){ 0 };
    for (int i = 0; i < m->input_count; i++)
        if (strcmp(m->inputs[i].name, key->text) == 0)
            first = m->inputs[i].loc;
    for (int i = 0; i < m->target_count; i++)
        if (strcmp(m->targets[i].name, key->text) == 0)
            first = m->targets[i].loc;
    if (!first.line || (state && !state->defined))
        return true;
    diag_error(m->diag, key->loc, "'%s' is defined twice", key->text);
    diag_note(m->diag, first, "the first definition is here");
    return false;
}

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

/* { NET: x }; the net is that of v's key `which`. */
static Tensor *flow_net(Builder *b, const Yaml *v, int which, Use in, int count)
{
    Model *m = b->m;
    const Yaml *key = v->keys[which];
    for (int i = 0; i < v->count; i++)
        if (i != which) {
            diag_error(m->diag, v->keys[i]->loc, "a net takes no attributes; '%s' belongs in its layers", v->keys[i]->text);
            return NULL;
        }
    if (count != 1) {
        diag_error(m->diag, v->items[which]->loc, "net '%s' takes one input, not %d", key->text, count);
        return NULL;
    }
    if (!apply_net(b, net_find(b, key->text), key->loc, &in))
        return NULL;
    return in.shift || in.tensor->op->kind == OP_load ? viewable(b, in, key->loc).tensor : in.tensor;
}

/* { last: x } */
static Tensor *flow_last(Builder *b, const Yaml *key, const Yaml *inputs, Use in)
{
    if (!in.tensor->repeat || in.tensor->repeat == b->repeat) {
        diag_error(b->m->diag, inputs->loc, "last needs a name made in a repeat above");
        return NULL;
    }
    Op *pick = append(b, OP_pick, key->text, key->loc, NULL);
    pick->step = in.tensor->repeat->steps - 1;
    op_read(pick, in.tensor, 0);
    return pick->writes[0].tensor;
}

/* { OP: inputs, attributes }, of v's key `which`: any operator but gru. */
static Tensor *flow_operator(Builder *b, const Yaml *key, const Yaml *v, int which, Use *in, int count)
{
    Model *m = b->m;
    const Yaml *opkey = v->keys[which];
    OpKind kind = op_kind_of(opkey->text);
    if (loss_table[kind]) {
        diag_error(m->diag, opkey->loc, "%s is a loss: it stands under loss", opkey->text);
        return NULL;
    }
    Op *parsed = op_new(m, kind, FORWARD, "", key->loc);
    bool good = inputs_fit(b, kind, v->items[which]->loc, count);
    if (!attr_parse(m, parsed, v, opkey->text, opkey->loc) || !good)
        return NULL;
    if (kind == OP_last)
        return flow_last(b, key, v->items[which], in[0]);
    if (kind == OP_reshape || kind == OP_flatten)
        in[0] = viewable(b, in[0], key->loc);
    return apply(b, parsed, key->text, key->text, "", key->loc, in, count);
}

/* Gives t the name of its entry; a value that already bears another name of the flow (a net without layers) is copied. */
static void name_value(Builder *b, const Yaml *key, Tensor *t)
{
    if (t->flow_name && strcmp(t->flow_name, key->text) != 0) {
        Op *copy = append(b, OP_copy, key->text, key->loc, NULL);
        op_read(copy, t, 0);
        t = copy->writes[0].tensor;
    }
    t->flow_name = key->text;
    bind(b, key->text, key->loc, (Use){ t, 0 });
}

/* Makes t the next value of the state that the entry `key` bears the name of. */
static bool define_state(Builder *b, const Yaml *key, const Yaml *opkey, State *state, Tensor *t)
{
    if (t != state->tensor && state->gru) {
        diag_error(b->m->diag, opkey->loc, "'%s' is carried as a gru, so { gru: [input, %s] } must define it", key->text, key->text);
        return false;
    }
    if (t != state->tensor)
        op_read(append(b, OP_copy, key->text, key->loc, state->tensor), t, 0);
    state->defined = true;
    flow_find(b, key->text)->shift = 0;
    return true;
}

/* NAME: { OP: inputs, attributes } */
static bool flow_value(Builder *b, const Yaml *key, const Yaml *v, State *state)
{
    Model *m = b->m;
    if (!name_check(m, key->loc, key->text))
        return false;
    if (v->kind != YAML_MAP) {
        diag_error(m->diag, v->loc, "what makes '%s' stands in braces: - %s: { relu: image }", key->text, key->text);
        return false;
    }
    int which = name_is_free(b, key, state) ? operator_key(b, key->text, v) : -1;
    if (which < 0)
        return false;
    const Yaml *opkey = v->keys[which];
    OpKind kind = op_kind_of(opkey->text);
    Use in[INPUT_MAX];
    int count;
    if (!resolve_inputs(b, v->items[which], in, &count, kind == OP_last)) {
        if (kind != OP_NONE && kind != OP_gru)
            attr_parse(m, op_new(m, kind, FORWARD, "", key->loc), v, opkey->text, opkey->loc);
        return false;
    }
    Tensor *t = kind == OP_NONE  ? flow_net(b, v, which, in[0], count)
                : kind == OP_gru ? flow_gru(b, key, v, which, state, in, count)
                                 : flow_operator(b, key, v, which, in, count);
    if (!t)
        return false;
    if (state)
        return define_state(b, key, opkey, state, t);
    name_value(b, key, t);
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

/* What kind of state `v` declares, its shape and its init; false after an error. */
static bool state_kind(Builder *b, State *s, const Yaml *v, Shape *shape)
{
    Model *m = b->m;
    const Yaml *cell = yaml_get(v, "gru");
    if (cell) {
        map_keys_known(m, v, &map_carried_gru);
        if (!map_expected(m, cell, "gru"))
            return false;
        Op *parsed = op_new(m, OP_gru, FORWARD, s->name, s->loc);
        /* `init` may also name a value: it is read as text here and resolved in state_start */
        if (!attr_parse(m, parsed, cell, NULL, v->keys[0]->loc))
            return false;
        s->cell = parsed;
        s->gru = true;
        s->init = yaml_get(cell, "init");
        *shape = (Shape){ 1, { op_int(parsed, "units") } };
        return true;
    }
    if (!yaml_get(v, "shape")) {
        diag_error(m->diag, v->loc, "the state '%s' is either { gru: { units: 256 } } or { shape: [256], init: zeros }", s->name);
        return false;
    }
    map_keys_known(m, v, &map_carried);
    Attr a = { .spec = map_key(&map_carried, "shape") };
    s->init = yaml_get(v, "init");
    return shape_read(m, &a, yaml_get(v, "shape"), s->name, shape);
}

/* The value of the flow that a state starts from: `reference` is its name, read before the repeat begins. */
static bool start_value(Builder *b, Tensor *t, const Yaml *reference)
{
    Repeat *inside = b->repeat;
    Use u;
    b->repeat = NULL;
    bool good = flow_resolve(b, reference, &u, true);
    if (good && u.tensor->repeat == inside) {
        diag_error(b->m->diag, reference->loc, "'%s' is carried by the same repeat: it has no value before the first step", reference->text);
        good = false;
    } else if (good) {
        t->start = flow_outside(b, u, reference->loc).tensor;
    }
    b->repeat = inside;
    return good;
}

/* init: zeros, trained, or the name of a value. */
static bool state_start(Builder *b, const State *s)
{
    Model *m = b->m;
    Value w;
    if (!s->init)
        return true;
    if (s->init->kind != YAML_SCALAR) {
        diag_error(m->diag, s->init->loc, "init must be zeros, trained, or the name of a value");
        return false;
    }
    if (!expr_value(m->arena, m->diag, &m->scope, s->init, &w))
        return false;
    if (strcmp(w.text, "trained") == 0) {
        s->tensor->start_weight = NEW(m->arena, Weight);
        *s->tensor->start_weight = (Weight){ .name = arena_printf(m->arena, "%s.init", s->name), .loc = s->loc };
        return true;
    }
    Yaml reference = *s->init;
    reference.text = w.text;
    return strcmp(w.text, "zeros") == 0 || start_value(b, s->tensor, &reference);
}

static bool state_declare(Builder *b, const Yaml *key, const Yaml *v)
{
    Model *m = b->m;
    const char *name = key->text;
    if (!name_check(m, key->loc, name) || !map_expected(m, v, arena_printf(m->arena, "the state '%s'", name)))
        return false;
    if (flow_find(b, name)) {
        diag_error(m->diag, key->loc, "'%s' is defined twice", name);
        diag_note(m->diag, flow_find(b, name)->loc, "the first definition is here");
        return false;
    }
    if (b->state_count == 16) {
        diag_error(m->diag, key->loc, "a repeat carries at most 16 states");
        return false;
    }
    State *s = &b->states[b->state_count];
    *s = (State){ .name = name, .loc = key->loc };
    Shape shape = { 0 };
    if (!state_kind(b, s, v, &shape))
        return false;
    Tensor *t = s->tensor = tensor_new(m, name, key->loc, b->repeat);
    t->shape = shape;
    t->carried = true;
    t->flow_name = name;
    list_push(m->arena, &b->repeat->states, t);
    b->state_count++;
    if (!state_start(b, s))
        return false;
    bind(b, name, key->loc, (Use){ t, -1 });
    return true;
}

static bool flow_repeat(Builder *b, const Yaml *y)
{
    Model *m = b->m;
    bool good = map_keys_known(m, y, &map_repeat);
    double steps = 0;
    const Yaml *body = yaml_get(y, "do"), *carry = yaml_get(y, "carry");
    if (b->repeat) {
        diag_error(m->diag, y->keys[0]->loc, "a repeat may not stand inside a repeat");
        for (int i = 0; body && body->kind == YAML_LIST && i < body->count; i++)
            for (int k = 0; body->items[i]->kind == YAML_MAP && k < body->items[i]->count; k++)
                bind_refused(b, body->items[i]->keys[k]);
        return false;
    }
    good = map_number(m, y, &map_repeat, "repeat", &steps) && good;
    if (!body || body->kind != YAML_LIST || body->count == 0) {
        if (body || good)
            diag_error(m->diag, body ? body->loc : y->loc, "a repeat needs a list of entries under do");
        return false;
    }
    Repeat *r = b->repeat = NEW(m->arena, Repeat);
    list_push(m->arena, &m->repeats, r);
    *r = (Repeat){ .name = arena_printf(m->arena, "repeat%d", m->repeats.count), .steps = (int)steps, .loc = y->loc };
    b->state_count = 0;
    if (carry && map_expected(m, carry, "carry"))
        for (int i = 0; i < carry->count; i++)
            if (!state_declare(b, carry->keys[i], carry->items[i])) {
                bind(b, carry->keys[i]->text, carry->keys[i]->loc, (Use){ NULL, 0 });
                good = false;
            }
    good = flow_read(b, body) && good;
    for (int i = 0; i < b->state_count; i++)
        if (!b->states[i].defined) {
            diag_error(m->diag, b->states[i].loc, "nothing under do defines the carried '%s'", b->states[i].name);
            good = false;
        }
    b->repeat = NULL;
    b->state_count = 0;
    return good;
}

bool flow_read(Builder *b, const Yaml *y)
{
    bool good = true;
    for (int i = 0; i < y->count && b->layers <= LAYERS_MAX; i++)
        good = (yaml_get(y->items[i], "repeat") ? flow_repeat(b, y->items[i]) : flow_entry(b, y->items[i])) && good;
    return good;
}
