/* model.c -- from the YAML tree to the graph: parameters, inputs, nets, losses and training read; the flow by flow.c.
 *
 * In: the tree (read.c), the parameters (expr.c).  Out: m->ops in the order of the file, tensors without shapes.  Next: shape.c.
 * One cause, one error: what an entry with a mistake would have made is bound to no tensor, and its readers fail silently.  The other
 * way round nothing hides behind a mistake: a layer after a wrong one and a net that nobody uses are read too, as layers of no tensor. */
#include "graph/model.h"
#include <stdlib.h>
#include <string.h>

/* Checks the keys of a map against its table; reports unknown ones with the nearest. */
bool map_keys_known(Model *m, const Yaml *y, const MapSpec *map)
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
        note_known(m, map->what, known, n);
        good = false;
    }
    return good;
}

bool map_expected(Model *m, const Yaml *y, const char *what)
{
    if (y->kind == YAML_MAP)
        return true;
    diag_error(m->diag, y->loc, "%s must be a map of key: value", what);
    return false;
}

const AttrSpec *map_key(const MapSpec *map, const char *key)
{
    for (const AttrSpec *s = map->keys; s->name; s++)
        if (strcmp(s->name, key) == 0)
            return s;
    unreachable("a key that is not in its table");
}

/* The number under `key` of the map y; if it is absent, the table's fallback, or *out as it was. */
bool map_number(Model *m, const Yaml *y, const MapSpec *map, const char *key, double *out)
{
    const AttrSpec *spec = map_key(map, key);
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
static bool map_word(Model *m, const Yaml *y, const MapSpec *map, const char *key, const char **out)
{
    const AttrSpec *spec = map_key(map, key);
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
bool shape_read(Model *m, Attr *a, const Yaml *y, const char *name, Shape *out)
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

static DataDef *data_defs(Model *m, const Yaml *y, bool target, int *count)
{
    *count = 0;
    if (!y || !map_expected(m, y, target ? "targets" : "inputs"))
        return NULL;
    DataDef *defs = NEW_ARRAY(m->arena, DataDef, y->count + 1);
    for (int i = 0; i < y->count; i++) {
        DataDef *d = &defs[(*count)++];
        const Yaml *v = y->items[i];
        d->name = y->keys[i]->text;
        d->loc = y->keys[i]->loc;
        d->type = REFUSED;
        if (!name_check(m, d->loc, d->name) || !map_expected(m, v, d->name))
            continue;
        if (target && yaml_get(v, "augment")) {
            diag_error(m->diag, yaml_get(v, "augment")->loc, "a target is never augmented; an input may be");
            continue;
        }
        if (target && yaml_get(v, "classes")) {
            double classes = 0, length = 0;
            bool good = map_keys_known(m, v, &map_labels);
            good = map_number(m, v, &map_labels, "classes", &classes) && good;
            good = map_number(m, v, &map_labels, "length", &length) && good;
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
        const Yaml *augment = yaml_get(v, "augment");
        const char *dtype;
        Attr a = { .spec = map_key(&map_input, "shape") };
        bool good = map_keys_known(m, v, target ? &map_reals : &map_input);
        good = map_word(m, v, &map_input, "dtype", &dtype) && good;
        if (shape)
            good = shape_read(m, &a, shape, d->name, &d->shape) && good;
        else if (good)      /* else the key that is missing may be the one that was misspelt */
            diag_error(m->diag, d->loc, target ? "target '%s' needs its classes, or its shape: { classes: 10 }" : "input '%s' needs its shape: { shape: [1, 28, 28] }", d->name);
        if (!good || !shape)
            continue;
        d->type = strcmp(dtype, "u8") != 0;
        if (augment && !target && !augment_read(m, augment, d))
            d->type = REFUSED;
    }
    return defs;
}

Tensor *data_tensor(Model *m, DataDef *d, int index)
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
    if (d->augment)
        op_read(op, augment_tensor(m, d, index), 0);
    op_write(op, t, 0);
    list_push(m->arena, &m->ops, op);
    return t;
}

/* ---- losses --------------------------------------------------------------------------------------------------- */

static bool loss_entry(Builder *b, const Yaml *y, LossDef *loss)
{
    Model *m = b->m;
    OpKind kind = OP_NONE;
    int which = 0;
    if (!map_expected(m, y, "a loss"))
        return false;
    for (int i = 0; i < y->count; i++) {
        OpKind k = op_kind_of(y->keys[i]->text);
        if (k == OP_cross_entropy || k == OP_mse) {
            if (kind != OP_NONE) {
                diag_error(m->diag, y->keys[i]->loc, "one loss an entry; several make a list: loss: [{ %s: [...] }, { %s: [...] }]", y->keys[which]->text, y->keys[i]->text);
                return false;
            }
            kind = k, which = i;
        }
    }
    if (kind == OP_NONE) {
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
    good = flow_resolve(b, args->items[0], &x, true) && good;
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
            x = flow_outside(b, x, loss->loc);       /* a target of real numbers holds all steps: [T, ...] */
    } else {
        if (!loss->mse) {
            if (flow_resolve(b, args->items[1], &other, true))
                diag_error(m->diag, args->items[1]->loc, "cross_entropy needs a target with classes; '%s' is not a target", args->items[1]->text);
            return false;
        }
        if (!flow_resolve(b, args->items[1], &other, true) || !good)
            return false;
        if (other.tensor->repeat && other.tensor->repeat != x.tensor->repeat)
            other = flow_outside(b, other, loss->loc);
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
    diag_note(m->diag, (Loc){ 0 }, "the default of %s is %s", map->name, map_key(map, "rate")->fallback);
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
                map_number(m, y, map, s->name, numbers[i].to);
    double inside = t->inside;
    if (map == &map_rmsprop)
        map_number(m, y, map, "epsilon_inside", &inside);
    t->inside = inside != 0;
}

static void training(Model *m, const Yaml *y)
{
    TrainDef *t = &m->train;
    optimiser(m, NULL, optimisers[0]);
    if (y && !map_expected(m, y, "train"))
        y = NULL;
    if (y)
        map_keys_known(m, y, &map_train);
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
        } else if (!s || map_expected(m, s, map->name)) {
            if (s)
                map_keys_known(m, s, map);
            optimiser(m, s, map);
            rate_check(m, yaml_get(s, "rate"), map);
        }
    }
    if (clip && map_expected(m, clip, "clip")) {
        const char *rule;
        map_keys_known(m, clip, &map_clip);
        map_number(m, clip, &map_clip, "element", &t->clip_element);
        map_number(m, clip, &map_clip, "norm", &t->clip_norm);
        map_word(m, clip, &map_clip, "rule", &rule);
        t->clip_lasagne = rule[0] == 'l';
    }
    if (schedule && !(schedule->kind == YAML_SCALAR && strcmp(schedule->text, "constant") == 0) && map_expected(m, schedule, "schedule")) {
        bool known = map_keys_known(m, schedule, &map_schedule);
        map_number(m, schedule, &map_schedule, "divide", &t->divide);
        map_number(m, schedule, &map_schedule, "first", &first);
        map_number(m, schedule, &map_schedule, "every", &every);
        t->first = (int)first;
        t->every = (int)every;
        if (known && !yaml_get(schedule, "every"))
            diag_error(m->diag, schedule->loc, "a schedule needs 'every': { divide: 1.5, first: 31, every: 12 }");
    }
    map_number(m, y, &map_train, "weight_decay", &t->weight_decay);
    map_number(m, y, &map_train, "epochs", &epochs);
    map_number(m, y, &map_train, "patience", &patience);
    map_number(m, y, &map_train, "seed", &seed);
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
        if (!m->scope.params[i].reads)
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
    if (!map_expected(m, root, "a model"))
        return false;
    bool known = map_keys_known(m, root, &map_model);
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
    map_number(m, root, &map_model, "batch", &batch);
    m->batch = m->options.batch ? m->options.batch : (int64_t)batch;
    m->lanes = m->options.plain ? 1 : 16;
    m->groups = (int)((m->batch + m->lanes - 1) / m->lanes);
    m->last_examples = (int)(m->batch - (int64_t)(m->groups - 1) * m->lanes);
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
    bool nets_good = nets && map_expected(m, nets, "nets");
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
            if (op_kind_of(net->name) != OP_NONE)
                diag_error(m->diag, key->loc, "'%s' is an operator; a net needs a name of its own", net->name);
            else if (layers->kind != YAML_LIST)
                diag_error(m->diag, layers->loc, "net '%s' must be a list of layers", net->name);
            else
                net->layers = layers;
        }
    if (flow ? flow->kind != YAML_LIST || flow->count == 0 : known)
        diag_error(m->diag, flow ? flow->loc : root->loc, "a model needs a flow: a list of entries such as - c: { front: image }");
    if (m->input_count && flow && flow->kind == YAML_LIST && flow->count) {
        flow_read(&b, flow);
        if (loss && b.layers <= LAYERS_MAX)
            losses(&b, loss);
    }
    if (b.layers <= LAYERS_MAX)
        flow_read_unused(&b);
    if (!loss && known)
        diag_error(m->diag, root->loc, "a model needs a loss: { cross_entropy: [logits, labels] }");
    training(m, yaml_get(root, "train"));
    if (diag_errors(m->diag))
        return false;
    unused(&b);
    rates_choose(m);
    return true;
}
