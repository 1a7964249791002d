/* nets.c -- nets: their declarations, and each of their uses as operators of the graph.
 *
 * In: `nets:` of the model, and the uses that flow.c meets.  Out: operators; a use without `new` has the weights of all other such uses.
 * A net is a list of layers, or entries between `in` and `out`.  Its weights are found by their names: the net's name begins them, or the path of a
 * use with `new` (a copy).  What a copy uses with `new` is copied with it, at a longer path; what it uses without is shared by all. */
#include "graph/formulas.h"
#include "graph/model.h"
#include <string.h>

/* ---- declarations ------------------------------------------------------------------------------------------ */

/* Reports parameters of a net that could not be given where it is used. */
static void params_check(Builder *b, const Yaml *params)
{
    static const char *const taken[] = { "new", "name", "when", "formula" };
    for (int i = 0; i < params->count; i++) {
        const Yaml *key = params->keys[i];
        bool bad = op_kind_of(key->text) != OP_NONE || net_find(b, key->text);
        for (size_t k = 0; k < sizeof taken / sizeof *taken; k++)
            bad = bad || strcmp(key->text, taken[k]) == 0;
        if (bad)
            diag_error(b->m->diag, key->loc, "a parameter of a net may not be called '%s', which means something else where the net is used", key->text);
    }
}

/* { params, layers } or { params, in, do, out }. */
static bool net_map(Builder *b, Net *net, const Yaml *y)
{
    Model *m = b->m;
    if (!map_keys_known(m, y, yaml_get(y, "layers") ? &map_net_layers : &map_net))
        return false;
    net->params = yaml_get(y, "params");
    net->layers = yaml_get(y, "layers");
    net->in = yaml_get(y, "in");
    net->body = yaml_get(y, "do");
    net->out = yaml_get(y, "out");
    if (net->params && !map_expected(m, net->params, "params"))
        return false;
    const Yaml *list = net->layers ? net->layers : net->body;
    if (!list || list->kind != YAML_LIST) {
        diag_error(m->diag, list ? list->loc : y->loc, "net '%s' needs a list: layers: [...], or in, do and out", net->name);
        return false;
    }
    if (net->body && (!net->in || !net->out)) {
        diag_error(m->diag, y->loc, "net '%s' needs '%s': in: x, do: [...], out: y", net->name, net->in ? "out" : "in");
        return false;
    }
    return true;
}

static void net_declare(Builder *b, const Yaml *key, const Yaml *y)
{
    Model *m = b->m;
    Net *net = NEW(m->arena, Net);
    *net = (Net){ .name = key->text, .loc = key->loc, .refused = true };
    list_push(m->arena, &b->nets, net);
    if (!name_check(m, key->loc, net->name))
        return;
    if (op_kind_of(net->name) != OP_NONE)
        diag_error(m->diag, key->loc, "'%s' is an operator; a net needs a name of its own", net->name);
    else if (y->kind == YAML_LIST)
        net->layers = y, net->refused = false;
    else if (y->kind == YAML_MAP)
        net->refused = !net_map(b, net, y);
    else
        diag_error(m->diag, y->loc, "net '%s' must be a list of layers", net->name);
}

void nets_read(Builder *b, const Yaml *y)
{
    Model *m = b->m;
    if (!y || !map_expected(m, y, "nets"))
        return;
    if (y->count > NETS_MAX) {
        diag_error(m->diag, y->keys[NETS_MAX]->loc, "a model has at most %d nets", NETS_MAX);
        return;
    }
    for (int i = 0; i < y->count; i++)
        net_declare(b, y->keys[i], y->items[i]);
    for (int i = 0; i < b->nets.count; i++) {
        const Net *net = b->nets.items[i];
        if (net->params)
            params_check(b, net->params);
    }
}

/* ---- what a use gives a net --------------------------------------------------------------------------------- */

/* A use: whether it is a copy, and the parameters that it gives, as "name=value", with the places of the values. */
typedef struct { bool copy; const char *name; const char *sets[PARAMS_MAX]; Loc sets_at[PARAMS_MAX]; int set_count; Loc at, inputs_at; } Given;

static bool flag(Builder *b, const Yaml *y, bool *out)
{
    const AttrSpec spec = { "new", ATTR_BOOL, "", 0, 0, NULL, "" };
    Attr a = { .spec = &spec };
    if (!attr_from_yaml(b->m, &a, y))
        return false;
    *out = a.number[0] != 0;
    return true;
}

/* One attribute of a use: key and value. */
static bool given_read(Builder *b, const Net *net, Given *g, const Yaml *key, const Yaml *y, bool named)
{
    Model *m = b->m;
    Value v;
    if (strcmp(key->text, "when") == 0)
        return true;
    if (strcmp(key->text, "new") == 0)
        return flag(b, y, &g->copy);
    if (named && strcmp(key->text, "name") == 0) {
        g->name = y->kind == YAML_SCALAR ? y->text : "";
        return name_check(m, y->loc, g->name);
    }
    if (!net->params) {
        diag_error(m->diag, key->loc, "a net takes no attributes; '%s' belongs in its layers", key->text);
        return false;
    }
    if (!yaml_get(net->params, key->text)) {
        const char *known[PARAMS_MAX + 2];
        int n = 0;
        for (int i = 0; i < net->params->count && n < PARAMS_MAX; i++)
            known[n++] = net->params->keys[i]->text;
        known[n++] = "new";
        diag_error(m->diag, key->loc, "net '%s' has no parameter '%s'%s", net->name, key->text, diag_suggestion(m->arena, key->text, known, n));
        note_known(m, net->name, known, n);
        return false;
    }
    if (y->kind != YAML_SCALAR) {
        diag_error(m->diag, y->loc, "a parameter is a number or a word");
        return false;
    }
    if (!expr_value(m->arena, m->diag, &m->scope, y, &v) || g->set_count == PARAMS_MAX)
        return false;
    g->sets_at[g->set_count] = y->loc;
    g->sets[g->set_count++] = arena_printf(m->arena, "%s=%s", key->text, v.kind == VALUE_TEXT ? v.text : arena_printf(m->arena, "%.17g", v.r));
    return true;
}

/* All attributes of the map y but its key `skip` (-1: none). */
static bool given_map(Builder *b, const Net *net, Given *g, const Yaml *y, int skip, bool named)
{
    bool good = true;
    for (int i = 0; i < y->count; i++)
        if (i != skip)
            good = given_read(b, net, g, y->keys[i], y->items[i], named) && good;
    return good;
}

/* Uses without `new` share weights, so their parameters agree.  The first one's are kept. */
static bool agrees(Builder *b, Net *net, const Scope *scope, Loc at)
{
    Model *m = b->m;
    if (net->given.count == 0) {
        net->given_at = at;
        for (int i = 0; i < scope->count; i++)
            list_push(m->arena, &net->given, &scope->params[i]);
        return true;
    }
    for (int i = 0; i < scope->count; i++) {
        const Param *first = net->given.items[i], *p = &scope->params[i];
        if (p->value.kind == first->value.kind && (p->value.kind == VALUE_TEXT ? strcmp(p->value.text, first->value.text) == 0 : p->value.r == first->value.r))
            continue;
        diag_error(m->diag, at, "net '%s' has %s = %s here and %s = %s in another use, but they share weights: write new: true for weights of its own", net->name, p->name,
                   p->value.text, p->name, first->value.text);
        diag_note(m->diag, net->given_at, "the other use");
        return false;
    }
    return true;
}

/* ---- layers --------------------------------------------------------------------------------------------------- */

static bool apply(Builder *b, Net *net, const char *path, const Given *g, const Use *in, int count, Outputs *out);

/* The name of a layer that none of its net has yet. */
static bool layer_name(Builder *b, const Net *net, Entry *e, List *names, const char *given, const Yaml *key, const char **name)
{
    const char *counted = strrchr(entry_inner(b, e, key->text), '.') + 1;
    *name = given ? given : counted;
    for (int i = 0; i < names->count; i++)
        if (strcmp(names->items[i], *name) == 0) {
            diag_error(b->m->diag, key->loc, "net '%s' already has a layer '%s'", net->name, *name);
            return false;
        }
    list_push(b->m->arena, names, (void *)(uintptr_t)*name);
    return true;
}

/* Another net as a layer: - NET, or - NET: { new: true, name: b2, PARAM: value }. */
static bool layer_net(Builder *b, Net *net, Net *inner, const char *path, const Yaml *key, const Yaml *value, Entry *e, List *names, Use *x)
{
    Model *m = b->m;
    Given g = { .at = key->loc };
    const bool takes = value && value->kind == YAML_MAP && (!value->count || inner->params || yaml_get(value, "new") || yaml_get(value, "name") || yaml_get(value, "when"));
    if (value && !takes) {
        diag_error(m->diag, value->loc, "the net '%s' takes no attributes here", inner->name);
        return false;
    }
    const char *name;
    if ((value && !given_map(b, inner, &g, value, -1, true)) || !layer_name(b, net, e, names, g.name, key, &name))
        return false;
    Outputs out = { .count = 0 };
    if (!apply(b, inner, g.copy ? arena_printf(m->arena, "%s.%s", path, name) : inner->name, &g, x, 1, &out))
        return false;
    if (out.count > 1) {
        diag_error(m->diag, key->loc, "net '%s' has %d values: it cannot be a layer", inner->name, out.count);
        return false;
    }
    if (out.count)
        *x = out.items[0].use;
    return true;
}

/* One layer: OP, OP: value, OP: { attributes }, or another net.  Without a tensor in x it is read only to report its errors. */
static bool layer(Builder *b, Net *net, const char *path, const Yaml *y, Entry *e, List *names, Use *x)
{
    Model *m = b->m;
    const Yaml *key = y, *value = NULL;
    bool holds;
    const char *condition;
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
    if (!when_holds(b, value, &holds, &condition))
        return false;
    Net *inner = net_find(b, key->text);
    if (!holds) {
        if (inner)
            inner->used = true;
        return true;
    }
    OpKind kind = op_kind_of(key->text);
    if (inner)
        return layer_net(b, net, inner, path, key, value, e, names, x);
    if (kind == OP_NONE && !value && !formula_is_name(key->text)) {
        diag_error(m->diag, key->loc, "text in a list of layers is an operator: a formula stands in the flow, or under `do` of a net, { in: x, do: [...], out: y }");
        return false;
    }
    if (kind == OP_NONE) {
        unknown_operator(b, key->loc, key->text);
        return false;
    }
    if (!op_table[kind]->layer) {
        diag_error(m->diag, key->loc, "'%s' stands %s, not in a list of layers", key->text, loss_table[kind] ? "under loss" : "in the flow, or under `do` of a net");
        return false;
    }
    Op *parsed = op_new(m, kind, FORWARD, "", key->loc);
    const char *name;
    if (!attr_parse(m, parsed, value, NULL, key->loc) || !layer_name(b, net, e, names, op_word(parsed, "name"), key, &name))
        return false;
    if (!x->tensor)
        return true;
    const char *whole = arena_printf(m->arena, "%s.%s", path, name);
    if (kind == OP_dropout && op_real(parsed, "rate") == 0) {
        m->random_places++;
        rate_note(m, NULL, whole, parsed);
        remark(m, key->loc, "dropout at rate 0 does nothing: removed");
        return true;
    }
    *x = (Use){ make_operator(b, parsed, whole, key->loc, x, 1), 0 };
    return true;
}

static bool apply_layers(Builder *b, Net *net, const char *path, Use *x)
{
    Entry e = { .name = path };
    List names = { 0 };
    bool good = true;
    for (int i = 0; i < net->layers->count && b->layers <= LAYERS_MAX; i++)
        if (!layer(b, net, path, net->layers->items[i], &e, &names, x)) {
            x->tensor = NULL;
            good = false;
        }
    return good;
}

/* ---- nets with branches ------------------------------------------------------------------------------------------ */

/* Binds the names of `in` to the operands of a use. */
static bool bind_inputs(Builder *b, const Net *net, const Use *in, int count, Loc at)
{
    Model *m = b->m;
    const int wanted = net->in->kind == YAML_LIST ? net->in->count : 1;
    bool good = true;
    for (int i = 0; i < wanted; i++) {
        const Yaml *name = net->in->kind == YAML_LIST ? net->in->items[i] : net->in;
        if (name->kind != YAML_SCALAR) {
            diag_error(m->diag, name->loc, "in holds the names of the net's inputs: in: [x, y]");
            return false;
        }
        good = name_check(m, name->loc, name->text) && good;
        if (name_find(b, name->text)) {
            diag_error(m->diag, name->loc, "'%s' is defined twice", name->text);
            good = false;
        }
        name_bind(b, name->text, name->loc, in && i < count ? in[i] : (Use){ NULL, 0 });
    }
    if (in && wanted != count) {
        diag_error(m->diag, at, "net '%s' takes %d input%s, not %d", net->name, wanted, wanted == 1 ? "" : "s", count);
        good = false;
    }
    return good;
}

/* One value of `out`. */
static bool output(Builder *b, const Yaml *y, const char *name, Outputs *out)
{
    Entry e = { .name = path_in(b, name ? name : "out"), .loc = y->loc };
    if (out->count == OUTPUTS_MAX) {
        diag_error(b->m->diag, y->loc, "a net has at most %d values", OUTPUTS_MAX);
        return false;
    }
    Output *o = &out->items[out->count];
    const int before = b->m->ops.count;
    o->name = name;
    if (!b->operand(b, &e, y, &o->use, false) || weighs_refuse(b, before, y, "in out", "under do"))
        return false;
    out->count++;
    return true;
}

static bool outputs(Builder *b, const Net *net, Outputs *out)
{
    bool good = true;
    if (net->out->kind != YAML_MAP)
        return output(b, net->out, NULL, out);
    for (int i = 0; i < net->out->count; i++)
        good = name_check(b->m, net->out->keys[i]->loc, net->out->keys[i]->text) && output(b, net->out->items[i], net->out->keys[i]->text, out) && good;
    return good;
}

static bool apply_body(Builder *b, const Net *net, const char *path, const Use *in, int count, Loc at, Outputs *out)
{
    Frame *outer = b->frame, *frame = NEW(b->m->arena, Frame);
    *frame = (Frame){ .net = net, .path = path };
    b->frame = frame;
    bool good = bind_inputs(b, net, in, count, at);
    good = b->read(b, net->body) && good;
    good = good && outputs(b, net, out);
    b->frame = outer;
    return good;
}

/* Appends the operators of a use; in NULL: the net is read only to report its errors. */
static bool apply(Builder *b, Net *net, const char *path, const Given *g, const Use *in, int count, Outputs *out)
{
    Model *m = b->m;
    net->used = true;
    if (net->refused)
        return false;
    if (net->open || b->depth == NETS_DEEP) {
        diag_error(m->diag, g->at, net->open ? "net '%s' contains itself" : "net '%s' stands in more than %d nets", net->name, NETS_DEEP);
        return false;
    }
    Scope scope = m->scope, inner = { 0 };
    if (net->params && !expr_params_within(m->arena, m->diag, net->params, g->sets, g->set_count, g->sets_at, &scope, &inner))
        return false;
    if (in && !g->copy && !agrees(b, net, &inner, g->at))
        return false;
    if (in) {
        NetPath *p = NEW(m->arena, NetPath);
        *p = (NetPath){ net->name, path };
        list_push(m->arena, &m->net_paths, p);
    }
    net->open = net->read = true;
    b->depth++;
    m->scope = net->params ? inner : scope;
    Use x = in ? in[0] : (Use){ NULL, 0 };
    bool good;
    if (net->layers && in && count != 1) {
        diag_error(m->diag, g->inputs_at, "net '%s' takes one input, not %d", net->name, count);
        good = false;
    } else if (net->layers) {
        good = apply_layers(b, net, path, &x);
        out->items[out->count++] = (Output){ NULL, x };
    } else {
        good = apply_body(b, net, path, in, count, g->inputs_at.line ? g->inputs_at : g->at, out);
    }
    m->scope = scope;
    net->open = false;
    b->depth--;
    return good && b->layers <= LAYERS_MAX;
}

bool net_call(Builder *b, const char *path, const Yaml *v, int which, const Use *in, int count, Outputs *out)
{
    Net *net = net_find(b, v->keys[which]->text);
    Given g = { .at = v->keys[which]->loc, .inputs_at = v->items[which]->loc };
    if (!given_map(b, net, &g, v, which, false))
        return false;
    return apply(b, net, g.copy ? path : net->name, &g, in, count, out);
}

void nets_read_unused(Builder *b)
{
    for (int i = 0; i < b->nets.count; i++) {
        Net *net = b->nets.items[i];
        if (net->read || net->refused)
            continue;
        b->layers = 0;
        bool used = net->used;
        Outputs out = { .count = 0 };
        apply(b, net, net->name, &(Given){ .at = net->loc }, NULL, 0, &out);
        net->used = used;
    }
}
