/* identity.c -- all bit-relevant properties of a net as text; the model hash is the checksum of that text.
 *
 * In: the graph after fusion and the choice of kernels.  Out: m->signature, m->hash.  Next: schedule.c; what changes from there on is bit-neutral.
 * Every run keeps the hash of its model and refuses to go on with another.  So the text is frozen: this is version 1, and a model of the
 * language of version 1 has this text for ever, byte for byte, independent of the dumps of stage.c (tests/identity).
 * New features of the language are written in place, in a form that no text of version 1 can have. */
#include "files/fnv.h"
#include "formula/formula.h"
#include "lower/winograd.h"
#include "outside/outside.h"
#include "read/language.h"
#include <string.h>

static const char *pass_text(Pass p)
{
    static const char *const texts[] = { "", "' ", "' weights ", " products ", " ", " prepare ", " finish " };
    return texts[p];
}

static void put_use(Text *t, Use u)
{
    text_printf(t, "%s", u.tensor->name);
    if (u.shift)
        text_printf(t, "[%+d]", u.shift);
}

static bool is_conv(const Op *op) { return op->kind == OP_conv || op->kind == OP_conv_pool; }

/* A convolution got groups and dilation after version 1: at 1 they are left out. */
static bool left_out(const Op *op, const Attr *a)
{
    bool later = !strcmp(a->spec->name, "groups") || !strcmp(a->spec->name, "dilation");
    return is_conv(op) && later && a->number[0] == 1 && (a->count == 1 || a->number[1] == 1);
}

/* The same padding before and behind each axis was [rows, columns] in version 1, and has that text. */
static int stride_of_numbers(const Op *op, const Attr *a)
{
    bool padding = is_conv(op) && a->count == 4 && !strcmp(a->spec->name, "padding");
    return padding && a->number[0] == a->number[1] && a->number[2] == a->number[3] ? 2 : 1;
}

static void put_attributes(Text *t, const Op *op)
{
    for (int i = 0; i < op->attr_count; i++) {
        const Attr *a = &op->attrs[i];
        if (!strcmp(a->spec->name, "name") || (!a->count && !a->word) || left_out(op, a))
            continue;
        text_printf(t, " %s=", a->spec->name);
        if (a->word)
            text_printf(t, "%s%s", a->word, a->count ? ":" : "");
        for (int k = 0; k < a->count; k += stride_of_numbers(op, a))
            text_printf(t, "%s%.17g", k ? "," : "", a->number[k]);
    }
}

static void put_operator(Text *t, const Op *op)
{
    text_printf(t, "    ");
    for (int i = 0; i < op->write_count; i++) {
        text_printf(t, "%s", i ? ", " : "");
        put_use(t, op->writes[i]);
    }
    if (op->pass == FOLD || (op->pass == WEIGHTS && op->write_count == 0))
        text_printf(t, "gradient");
    text_printf(t, " = %s%s(", OP_INFO(op)->name, pass_text(op->pass));
    for (int i = 0; i < op->read_count; i++) {
        text_printf(t, "%s", i ? ", " : "");
        put_use(t, op->reads[i]);
    }
    text_printf(t, ")");
    if (op->kind == OP_spn && op->pass == FORWARD && (op->writes[0].tensor->shape.dim[1] == 1 || op->writes[0].tensor->shape.dim[2] == 1))
        text_printf(t, " single=middle");          /* until 2026 a single sample stood at the corner */
    if (op->kind == OP_one_hot && tensor_ignored_class(op->reads[0].tensor) >= 0)
        text_printf(t, " ignored=%d", tensor_ignored_class(op->reads[0].tensor));      /* until 2026 it had a 1 like the others */
    if (op->kind == OP_formula && op->pass == FORWARD) {
        text_printf(t, " ");
        formula_canonical(t, op->formula.f);
    }
    if (op->kind == OP_constant)
        for (int64_t i = 0; i < (op->numbered ? op->numbered : shape_count(&op->writes[0].tensor->shape)); i++)
            text_printf(t, "%s %.17g", op->numbered && !i ? " step" : "", op->constant.values[i]);
    for (int i = 0; i < op->weight_count; i++)
        text_printf(t, "%s%s", i ? " " : " ; ", op->weights[i]->name);
    if (op->pass == FORWARD)
        put_attributes(t, op->kind == OP_sum_slices ? op->slice.of : op);
    if (op->fuse.act != OP_NONE)
        text_printf(t, " then %s", op_table[op->fuse.act]->name);
    if (op->kernel.winograd) {
        int tiles[WINOGRAD_TILES], n = winograd_tiles(op->writes[0].tensor->shape.dim[1], tiles);
        text_printf(t, " by winograd");
        for (int i = 0; i < n && op->pass == FORWARD; i++)
            text_printf(t, "%s%d", i ? "+" : " ", tiles[i]);
    }
    if (op->kind == OP_dense && forward_of(op)->dense.transposed)
        text_printf(t, " transposed");
    if (op->kernel.openblas)
        text_printf(t, " by openblas");
    if (op->grad.accumulates)
        text_printf(t, " added");
    if (op->kind == OP_dropout)
        text_printf(t, " place=%d", forward_of(op)->dropout.place);
    if (op->kind == OP_random)
        text_printf(t, " place=%d", op->random.place);
    if (op->write_count && op->pass != WEIGHTS)
        text_printf(t, "    %s", shape_text(t->arena, &op->writes[0].tensor->shape));
    text_printf(t, "\n");
}

static void put_sections(Text *t, const List *sections)
{
    static const char *const kinds[] = { "once", "at each step", "at each step, backwards", "for all steps" };
    for (int i = 0; i < sections->count; i++) {
        const Section *s = sections->items[i];
        text_printf(t, "  %s", kinds[s->kind]);
        if (s->repeat)
            text_printf(t, " (%s, %d%s)", s->repeat->name, s->repeat->steps, s->repeat->reverse ? ", reverse" : "");
        for (const Repeat *r = s->repeat ? s->repeat->outer : NULL; r; r = r->outer)
            text_printf(t, " %s (%s, %d%s)", s->from && repeat_within(r, s->from) ? "in a loop" : "of all", r->name, r->steps, r->reverse ? ", reverse" : "");
        text_printf(t, ":\n");
        for (int k = 0; k < s->ops.count; k++)
            put_operator(t, s->ops.items[k]);
    }
}

static void put_loss(Text *t, const LossDef *l)
{
    text_printf(t, "loss %.17g %lld", l->weight, (long long)l->positions);
    for (int k = 0; l->class_weights && k < l->class_count; k++)
        text_printf(t, "%s%.17g", k ? "," : " class_weights=", l->class_weights[k]);
    if (l->behind)
        text_printf(t, " classes behind steps");
    if (l->inner > 1 && op_real(l->op, "epsilon") != 0)         /* which was left out once */
        text_printf(t, " epsilon at each position");
    text_printf(t, "\n");
}

static void put_penalty(Text *t, const Penalty *p)
{
    text_printf(t, "%s %.17g", loss_word(p->kind), p->weight);
    for (int k = 0; k < p->weights.count; k++)
        text_printf(t, " %s", ((Weight *)p->weights.items[k])->name);
    text_printf(t, "\n");
}

/* Described operators, each once: the hash of its files; of spnc's own the version. */
static void put_outside(Text *t, const Model *m)
{
    bool done[OP_NONE] = { 0 };
    for (int i = 0; i < m->ops.count; i++) {
        const Op *op = m->ops.items[i];
        const Outside *o = outside_of(op->kind);
        if (o && !done[op->kind] && o->builtin)
            text_printf(t, "operator %s version %d\n", OP_INFO(op)->name, o->version);
        else if (o && !done[op->kind])
            text_printf(t, "operator %s %016llx\n", OP_INFO(op)->name, (unsigned long long)o->hash);
        done[op->kind] = true;
    }
}

/* Version 1 has of an optimiser, or a schedule, these numbers in this order; `otherwise` stands where the row does not have that
 * setting. */
typedef struct { const char *name; double otherwise; } Frozen;
static const char *const optimisers_1[] = { "rmsprop", "sgd", "adam", NULL }, *const schedules_1[] = { "divide", NULL };
static const Frozen optimiser_1[] = {
    { "rate", 0 }, { "decay", 0.9 }, { "epsilon", 1e-6 }, { "momentum", 0 }, { "beta1", 0 }, { "beta2", 0 }, { "epsilon_inside", 1 }, { 0 },
};
static const Frozen schedule_1[] = { { "divide", 0 }, { "first", 0 }, { "every", 0 }, { 0 } };

static bool frozen_row(const char *const *names, const MapSpec *row)
{
    while (*names && strcmp(*names, row->name))
        names++;
    return *names != NULL;
}

static bool frozen_setting(const Frozen *frozen, const char *name)
{
    while (frozen->name && strcmp(frozen->name, name))
        frozen++;
    return frozen->name != NULL;
}

/* A row of version 1: its numbers; then settings that were added later, by name, if not at their default. */
static void put_frozen(Text *t, const MapSpec *row, const double *set, const Frozen *frozen)
{
    for (const Frozen *f = frozen; f->name; f++) {
        double v = f->otherwise;
        for (int k = 0; row->keys[k].name; k++)
            if (!strcmp(row->keys[k].name, f->name))
                v = set[k];
        text_printf(t, " %.17g", v);
    }
    for (int k = 0; row->keys[k].name; k++)
        if (!frozen_setting(frozen, row->keys[k].name) && set[k] != default_number(&row->keys[k]))
            text_printf(t, " %s=%.17g", row->keys[k].name, set[k]);
}

/* A later row: all of its settings by name. */
static void put_named(Text *t, const MapSpec *row, const double *set)
{
    text_printf(t, " {");
    for (int k = 0; row->keys[k].name; k++)
        text_printf(t, " %s=%.17g", row->keys[k].name, set[k]);
    text_printf(t, " }");
}

static void put_training(Text *t, const TrainDef *d)
{
    const MapSpec *optimiser = &d->optimiser->map, *schedule = &d->schedule->map;
    text_printf(t, "%s", optimiser->name);
    if (frozen_row(optimisers_1, optimiser))
        put_frozen(t, optimiser, d->optimiser_set, optimiser_1);
    else
        put_named(t, optimiser, d->optimiser_set);
    text_printf(t, " clip %.17g %.17g %d schedule", d->clip_element, d->clip_norm, d->clip_lasagne);
    if (frozen_row(schedules_1, schedule)) {
        put_frozen(t, schedule, d->schedule_set, schedule_1);
    } else {
        text_printf(t, " %s", schedule->name);
        put_named(t, schedule, d->schedule_set);
        if (d->schedule->whole_run)
            text_printf(t, " of %d epochs", d->epochs);
    }
    text_printf(t, " decay %.17g\n", d->weight_decay);
    if (d->accumulate > 1)
        text_printf(t, "an update for %d batches\n", d->accumulate);
    if (d->average > 0)
        text_printf(t, "average %.17g\n", d->average);
}

/* Parameters that are trained otherwise than the rest. */
static void put_own(Text *t, const Model *m)
{
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *w = m->weights.items[i];
        if (w->frozen)
            text_printf(t, "frozen %s\n", w->name);
        else if (w->rate_times != 1 || w->decay != parameters_decay(m))
            text_printf(t, "trained %s rate_times %.17g decay %.17g\n", w->name, w->rate_times, w->decay);
    }
}

/* Parameters that start as numbers of a file. */
static void put_starts(Text *t, const List *weights)
{
    for (int i = 0; i < weights->count; i++) {
        const Weight *w = weights->items[i];
        if (w->start)
            text_printf(t, "start %s of %016llx\n", w->name, (unsigned long long)fnv(FNV_START, w->start, (size_t)shape_count(&w->shape) * sizeof *w->start));
    }
}

void identity_write(Text *t, const Model *m)
{
    text_printf(t, "batch %lld lanes %d precision %s\n", (long long)m->batch, m->lanes, m->options.is_double ? "double" : "float");
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *w = m->weights.items[i];
        text_printf(t, "weight %s %s %s %.17g\n", w->name, shape_text(m->arena, &w->shape), w->init, w->init_value);
        if (w->init_shift != 0)
            text_printf(t, "start %s around %.17g\n", w->name, w->init_shift);
    }
    put_starts(t, &m->weights);
    put_starts(t, &m->buffers);
    for (int i = 0; i < m->input_count + m->target_count; i++) {
        const DataDef *d = i < m->input_count ? &m->inputs[i] : &m->targets[i - m->input_count];
        text_printf(t, "data %s %s %d %d%s\n", d->name, shape_text(m->arena, &d->shape), d->type, d->classes, d->target && d->type == 2 && !d->classes_last ? " classes first" : "");
    }
    put_outside(t, m);
    put_sections(t, &m->forward);
    put_sections(t, &m->backward);
    for (int i = 0; i < m->loss_count; i++)
        put_loss(t, &m->losses[i]);
    for (int i = 0; i < m->penalties.count; i++)
        put_penalty(t, m->penalties.items[i]);
    put_training(t, &m->train);
    put_own(t, m);
    text_printf(t, "sums: conv c,u,v in order; weight gradients over a group's positions, lanes by a tree, groups by a tree in pairs; dense over "
                   "inputs in order, its gradients over rows in order; losses in order; norm by rows\n");
}

bool identify(Model *m)
{
    Text names = { .arena = m->arena }, text = { .arena = m->arena };
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *w = m->weights.items[i];
        text_printf(&names, "%s %s;", w->name, shape_text(m->arena, &w->shape));
    }
    identity_write(&text, m);
    m->signature = fnv(FNV_START, names.text, names.length);
    m->hash = fnv(m->signature, text.text, text.length);
    return true;
}
