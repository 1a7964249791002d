/* tables.c -- facts for the tables at the end of NAME.c, which the trainer reads: parameters, data, values, losses; and for NAME-train.c.
 *
 * In: the planned graph.  Out: facts of net.c.in and train.c.in, one function each; it reads the model and changes nothing.  Used by emit.c. */
#include "emit/tables.h"
#include "emit/loops.h"
#include "emit/place.h"
#include "read/language.h"
#include "template/fact.h"
#include <stdlib.h>
#include <string.h>

Fact *tables_dims(Model *m, const Shape *s)
{
    Fact *f = fact_table(m->arena);
    for (int i = 0; i < s->rank; i++)
        fact_push_int(f, s->dim[i]);
    return f;
}

static Fact *data_fact(Model *m, const DataDef *d)
{
    Fact *f = fact_table(m->arena);
    fact_text(f, "name", d->name);
    fact_text(f, "type", d->type == 0 ? "U8_OVER_255" : d->type == 1 ? "F32" : "LABELS");
    fact_set(f, "dims", tables_dims(m, &d->shape));
    fact_int(f, "rank", d->shape.rank);
    fact_int(f, "count", shape_count(&d->shape));
    fact_int(f, "classes", d->classes);
    return f;
}

const char *tables_string(Model *m, const char *text, size_t n)
{
    Text t = { .arena = m->arena };
    text_add(&t, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n')
            text_printf(&t, "\\n%s", i + 1 < n ? "\"\n    \"" : "");
        else if (c == '"' || c == '\\')
            text_printf(&t, "\\%c", c);
        else if (c < 32 || c >= 127 || c == '?')
            text_printf(&t, "\\%03o", c);
        else
            text_printf(&t, "%c", c);
    }
    text_add(&t, "\"", 1);
    return t.text;
}

/* ---- the text of the model's files, one behind the other --------------------------------------------------------- */

static bool ends_a_line(const Source *s) { return s->length && s->text[s->length - 1] == '\n'; }

static int lines_of(const Source *s)
{
    int n = !ends_a_line(s);
    for (size_t i = 0; i < s->length; i++)
        n += s->text[i] == '\n';
    return n;
}

int tables_line(const Model *m, Loc at)
{
    if (!at.line || !at.file || at.file == m->file)
        return at.line;
    int before = lines_of(m->file);
    for (int i = 0; i < m->included.count; i++) {
        if (m->included.items[i] == at.file)
            return before + at.line;
        before += lines_of(m->included.items[i]);
    }
    return 0;
}

const char *tables_yaml(Model *m)
{
    Text t = { .arena = m->arena };
    text_add(&t, m->file->text, m->file->length);
    const Source *last = m->file;
    for (int i = 0; i < m->included.count; i++) {
        text_add(&t, "\n", !ends_a_line(last));
        last = m->included.items[i];
        text_add(&t, last->text, last->length);
    }
    return tables_string(m, t.text, t.length);
}

/* ---- losses, weights, values --------------------------------------------------------------------------------------- */

/* What operand k of a loss is; for a stack, the value that is stacked. */
static const Tensor *loss_operand(const LossDef *l, int k)
{
    const Tensor *read = l->op->reads[k].tensor;
    return read->op && read->op->kind == OP_stack ? read->op->reads[0].tensor : read;
}

/* Is the value, or a reshape of it that has no name, the transform of a sampler? */
static bool is_transform(const Model *m, const Tensor *t)
{
    for (int i = 0; i < m->forward_phases.count; i++) {
        const Phase *p = m->forward_phases.items[i];
        for (int k = 0; k < p->ops.count; k++) {
            const Op *op = p->ops.items[k];
            const Tensor *read = op->kind == OP_spn ? op->reads[1].tensor : NULL;
            while (read && !read->flow_name)
                read = read->view_of;
            if (read == t)
                return true;
        }
    }
    return false;
}

/* The number of a value: in the order of the fact `values`, and behind these of `shown`, what has no name and is shown beside a loss.  -1: it is in
 * neither. */
static int value_number(const Model *m, const Tensor *of)
{
    int named = 0, unnamed = 0, before = 0;
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (t == of)
            before = t->flow_name ? named : unnamed;
        named += t->flow_name != NULL;
        unnamed += !t->flow_name && t->shown;
    }
    return of->flow_name ? before : of->shown ? named + before : -1;
}

/* That of the value that the loss reads: its first operand that is one.  -1: all operands are inputs and targets. */
static int loss_value(const Model *m, const LossDef *l)
{
    for (int k = 0; k < l->op->read_count; k++) {
        const int number = value_number(m, loss_operand(l, k));
        if (number >= 0)
            return number;
    }
    return -1;
}

/* Where the target leaves some of the loss to the best prediction: the last members of the loss's row; of others empty. */
static const char *loss_least(const Model *m, const LossDef *l)
{
    const bool labels = l->target >= 0 && m->targets[l->target].type == 2;
    if (l->target < 0 || (l->op->kind != OP_cross_entropy && (l->op->kind != OP_binary_cross_entropy || labels)))
        return "";
    if (l->op->kind == OP_binary_cross_entropy)
        return ", .least = LEAST_BITS";
    const double smoothing = op_real(l->op, "smoothing");
    if (labels && !smoothing)
        return "";
    Text t = { .arena = m->arena };
    text_printf(&t, ", .least = %s", labels ? "LEAST_SMOOTHED" : "LEAST_SHARES");
    if (smoothing != 0)
        text_printf(&t, ", .smoothing = %.17g", smoothing);
    for (int k = 0; l->class_weights && k < l->class_count; k++)
        text_printf(&t, "%s%.17g", k ? ", " : ", .class_weights = (const double[]){ ", l->class_weights[k]);
    text_printf(&t, l->class_weights ? " }" : "");
    return t.text;
}

static Fact *loss_fact(Model *m, const LossDef *l)
{
    Fact *x = fact_table(m->arena);
    const LossInfo *info = LOSS_INFO(l->op);
    const Repeat *r = l->loss->repeat;
    bool differentiated = false;
    for (int k = 0; k < l->op->read_count; k++)
        differentiated = differentiated || l->op->grad.inputs[k];
    fact_text(x, "name", l->loss->name);
    fact_text(x, "slice", place_slice(m, l->loss, "s"));
    fact_text(x, "kind", OP_INFO(l->op)->name);
    const bool targeted = l->target >= 0, wrong = info->shows && !strcmp(info->shows, "WRONG");
    fact_text(x, "shows", targeted && info->shows && (!wrong || m->targets[l->target].type == 2) ? info->shows : "NOTHING");
    fact_bool(x, "counted", l->counts != NULL);
    fact_text(x, "counts", l->counts ? place_slice(m, l->counts, "s") : "");
    fact_int(x, "inner", l->inner ? l->inner : 1);
    const DataDef *target = targeted ? &m->targets[l->target] : NULL;
    const bool ignores = target && target->ignores && l->op->kind == OP_cross_entropy && op_attr(l->op, "ignore")->given;
    fact_bool(x, "ignores", ignores);
    fact_int(x, "ignored", ignores ? target->ignored : 0);
    fact_bool(x, "squares", info->squares);
    fact_text(x, "least", loss_least(m, l));
    fact_int(x, "value", loss_value(m, l));
    fact_int(x, "target", l->target);
    fact_int(x, "positions", l->positions);
    fact_int(x, "shown", wrong || (target && target->type == 2) ? l->positions : 1);
    fact_real(x, "weight", l->weight);
    fact_int(x, "line", tables_line(m, l->loc));
    fact_bool(x, "differentiated", differentiated);
    fact_text(x, "slices", place_count(m, steps_all(r)));
    return x;
}

static Fact *weight_fact(Model *m, const Weight *w)
{
    Fact *x = fact_table(m->arena);
    fact_text(x, "name", w->name);
    fact_text(x, "field", w->field);
    fact_set(x, "dims", tables_dims(m, &w->shape));
    fact_int(x, "rank", w->shape.rank);
    fact_int(x, "count", shape_count(&w->shape));
    fact_bool(x, "in_out", w->layout == W_IN_OUT);
    fact_bool(x, "trained", w->trained);
    fact_bool(x, "frozen", w->frozen);
    fact_int(x, "stride", w->stride);
    fact_int(x, "offset", w->offset);
    fact_int(x, "reals", w->reals);
    fact_int(x, "line", tables_line(m, w->loc));
    char upper[32];
    snprintf(upper, sizeof upper, "INIT_%s", w->init);
    for (char *c = upper; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    fact_text(x, "init", upper);
    fact_real(x, "init_value", w->init_value), fact_real(x, "init_shift", w->init_shift);
    Text dims = { .arena = m->arena };
    if (w->layout == W_IN_OUT)
        text_printf(&dims, "[%lld][%lld]", (long long)w->shape.dim[1], (long long)w->stride);
    else if (w->layout == W_PANELS)
        text_printf(&dims, "[%lld][%lld][16]", (long long)w->stride / 16, (long long)w->shape.dim[1]);
    else if (w->shape.rank <= 1)
        text_printf(&dims, "[%lld]", (long long)(m->lanes > 1 ? w->reals : shape_count(&w->shape)));
    else
        for (int k = 0; k < w->shape.rank; k++)
            text_printf(&dims, "[%lld]", (long long)w->shape.dim[k]);
    fact_text(x, "c_dims", dims.text);
    return x;
}

/* Repeats around r that are not around `other`, r counted. */
static int loops_beyond(const Repeat *r, const Repeat *other)
{
    int n = 0;
    for (; r && !repeat_within(other, r); r = r->outer)
        n++;
    return n;
}

/* The uses of batch norms in the order of the flow: running statistics, how many numbers an example gives, and the repeat a use is written in;
 * `opens` and `ends` its steps, which are updated one after the other, as they run. */
static Fact *norms_fact(Model *m)
{
    Fact *list = fact_table(m->arena), *last = NULL;
    const Repeat *in = NULL;
    for (int i = 0; i < m->ops.count; i++) {
        const Op *op = m->ops.items[i];
        if (op->kind != OP_batch_statistics)
            continue;
        const Tensor *t = op->writes[0].tensor;
        const Shape *x = &op->reads[0].tensor->op->reads[0].tensor->shape;
        const Repeat *r = op->norm.repeat;
        Fact *f = fact_table(m->arena);
        if (last)
            loops_layout(m, last, repeat_level(in), loops_beyond(in, r));
        fact_text(f, "name", op->prefix);
        fact_text(f, "mean", op->norm.mean->field);
        fact_text(f, "variance", op->norm.variance->field);
        const char *step = "";
        for (const Repeat *k = t->repeat; k; k = k->outer)
            step = arena_printf(m->arena, "%s%s%s%s", step, *step ? " + " : "", loops_variable(m, "t", k),
                                k->outer ? arena_printf(m->arena, " * %d", steps_all(k->outer)) : "");
        fact_text(f, "statistics", place_slice(m, t, t->repeat ? step : "0"));
        fact_int(f, "row", t->shape.dim[1]);
        fact_int(f, "C", x->dim[0]);
        fact_int(f, "P", shape_count(x) / x->dim[0]);
        fact_real(f, "momentum", op_real(op, "momentum"));
        fact_int(f, "line", op->loc.line);
        Fact *opens = fact_table(m->arena);
        for (int k = repeat_level(r) - loops_beyond(r, in) + 1; k <= repeat_level(r); k++) {
            const Repeat *o = repeat_at(r, k);
            fact_push(opens, loops_fact(m, o, o->reverse, k));
        }
        fact_set(f, "opens", opens);
        loops_layout(m, f, repeat_level(r), repeat_level(r));
        fact_push(list, f);
        last = f;
        in = r;
    }
    return list;
}

static Fact *named_fact(Model *m, const Tensor *t)
{
    Fact *x = fact_table(m->arena);
    fact_text(x, "name", t->flow_name ? t->flow_name : t->name);
    const Repeat *written = t->hoisted ? t->hoisted : t->repeat;
    fact_int(x, "steps", written ? steps_all(written) : 0);
    fact_bool(x, "once", t->hoisted && !t->repeat);
    fact_set(x, "dims", tables_dims(m, &t->shape));
    fact_int(x, "rank", t->shape.rank);
    fact_int(x, "count", shape_count(&t->shape));
    fact_int(x, "offset", tensor_owner(t)->offset);
    fact_int(x, "slot", tensor_owner(t)->slot_reals);
    const bool transform = is_transform(m, t);
    fact_bool(x, "transform", transform);
    fact_bool(x, "output", list_index(&m->outputs, t) >= 0 || (transform && !m->outputs_named));
    return x;
}

/* Tensors of repeats in repeats. */
static Fact *nests_fact(Model *m)
{
    Fact *list = fact_table(m->arena);
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        const Repeat *written = t->hoisted ? t->hoisted : t->repeat;
        const int value = value_number(m, t);
        if (repeat_level(written) < 2 || tensor_owner(t)->first_phase < 0 || (!t->repeat && value < 0))
            continue;
        Fact *x = fact_table(m->arena), *repeats = fact_table(m->arena);
        for (int k = 1; k <= repeat_level(written); k++)
            fact_push_int(repeats, repeat_at(written, k)->steps);
        fact_text(x, "tensor", t->name);
        fact_int(x, "value", value);
        fact_set(x, "repeats", repeats);
        fact_int(x, "kept", repeat_level(t->repeat));
        fact_push(list, x);
    }
    return list;
}

/* Settings of a row of a table, with their numbers. */
static Fact *settings_fact(Model *m, const AttrSpec *specs, const double *set)
{
    Fact *list = fact_table(m->arena);
    for (int i = 0; specs[i].name; i++) {
        Fact *x = fact_table(m->arena);
        fact_text(x, "name", specs[i].name);
        fact_real(x, "value", set[i]);
        fact_bool(x, "whole", specs[i].type == ATTR_INT);
        fact_text(x, "help", tables_string(m, specs[i].help, strlen(specs[i].help)));
        fact_bool(x, "zero", specs[i].type == ATTR_INT || specs[i].low <= 0);
        fact_push(list, x);
    }
    return list;
}

/* Parts of the block with the same factor of the rate and the same decay, in order; what is frozen is in none.  True if one part is
 * all of it, at the rate itself. */
static bool parts_fact(Model *m, Fact *f)
{
    Fact *list = fact_table(m->arena);
    bool whole = !m->options.mpi;                  /* else a rank updates a part of each */
    for (int i = 0; i < m->weights.count;) {
        const Weight *first = m->weights.items[i], *w = first;
        int64_t end = first->offset;
        for (; i < m->weights.count && w->frozen == first->frozen && w->rate_times == first->rate_times && w->decay == first->decay && w->offset == end;
             w = ++i < m->weights.count ? m->weights.items[i] : w)
            end = w->offset + w->reals;
        whole = whole && !first->frozen && first->rate_times == 1 && i == m->weights.count && first == m->weights.items[0];
        if (first->frozen)
            continue;
        Fact *x = fact_table(m->arena);
        fact_int(x, "at", first->offset), fact_int(x, "count", end - first->offset);
        fact_real(x, "rate_times", first->rate_times), fact_real(x, "decay", first->decay);
        fact_push(list, x);
    }
    fact_set(f, "parts", list);
    fact_bool(f, "whole", whole);
    return whole;
}

/* The fewest digits that read back as the same number. */
static void put_number(Text *t, double v)
{
    char digits[40];
    for (int n = 15; n <= 17; n++) {
        snprintf(digits, sizeof digits, "%.*g", n, v);
        if (strtod(digits, NULL) == v)
            break;
    }
    text_printf(t, ", %s", digits);
}

/* C of the arguments that the rule of the optimiser takes beside weights and gradient: its states, and behind `rate` its numbers.  A rule that
 * decays has the decay of a part; p is that part, if there are several. */
static void arguments_fact(Model *m, Fact *f, bool whole, double decay)
{
    const Optimiser *o = m->train.optimiser;
    int blocks[STATES_MAX];
    Text states = { .arena = m->arena }, numbers = { .arena = m->arena };
    optimiser_blocks(o, m->train.optimiser_set, blocks);
    for (int k = 0; k < STATES_MAX && o->states[k].name; k++)
        if (blocks[k] < 0)
            text_printf(&states, "NULL, ");
        else
            text_printf(&states, "b->state[%d]%s, ", blocks[k], whole ? "" : " + p->at");
    for (int k = 1; o->map.keys[k].name; k++)
        if (strcmp(o->map.keys[k].name, "weight_decay"))
            put_number(&numbers, m->train.optimiser_set[k]);
        else if (whole)
            put_number(&numbers, decay);
        else
            text_printf(&numbers, ", p->decay");
    fact_text(f, "states", states.length ? states.text : "");
    fact_text(f, "numbers", arena_printf(m->arena, "%s%s", numbers.length ? numbers.text : "", o->counted ? ", update_count" : ""));
    numbers = (Text){ .arena = m->arena };
    for (int k = 0; m->train.schedule->map.keys[k + 1].name; k++)
        text_printf(&numbers, ", t->schedule[%d]", k);
    fact_text(f, "schedule_numbers", numbers.length ? numbers.text : "");
}

static void train_fact(Model *m, Fact *f)
{
    const TrainDef *t = &m->train;
    Fact *x = fact_table(m->arena);
    const Optimiser *o = t->optimiser;
    fact_text(x, "optimiser", o->map.name);
    fact_int(x, "blocks", optimiser_blocks(o, t->optimiser_set, NULL));
    fact_real(x, "rate", t->optimiser_set[0]);
    fact_bool(x, "counted", o->counted);
    fact_text(x, "schedule", t->schedule->map.name);
    fact_set(x, "schedule_settings", settings_fact(m, t->schedule->map.keys, t->schedule_set));
    fact_real(x, "clip_element", t->clip_element), fact_real(x, "clip_norm", t->clip_norm);
    fact_bool(x, "lasagne", t->clip_lasagne);
    fact_bool(x, "decays", optimiser_has(o, "weight_decay"));
    arguments_fact(m, x, parts_fact(m, x), m->weights.count ? ((Weight *)m->weights.items[0])->decay : 0);
    fact_int(x, "accumulate", t->accumulate), fact_real(x, "average", t->average);
    fact_int(x, "epochs", t->epochs), fact_int(x, "patience", t->patience);
    fact_text(x, "seed", arena_printf(m->arena, "%llu", (unsigned long long)t->seed));
    fact_set(f, "train", x);
}

/* True if an operator of the backward pass writes the gradient of w. */
static bool has_gradient(const Model *m, const Weight *w)
{
    for (int i = 0; i < m->backward_phases.count; i++) {
        const Phase *p = m->backward_phases.items[i];
        for (int k = 0; k < p->ops.count; k++) {
            const Op *op = p->ops.items[k];
            for (int n = 0; n < op->weight_count; n++)
                if (op->weights[n] == w && (op->pass == WEIGHTS || op->pass == FOLD || op->pass == PRODUCTS || op->pass == FINISH))
                    return true;
        }
    }
    return false;
}

/* Penalties, and of each the runs of the block that it counts. */
static Fact *penalties_fact(Model *m)
{
    Fact *list = fact_table(m->arena);
    for (int i = 0; i < m->penalties.count; i++) {
        const Penalty *p = m->penalties.items[i];
        Fact *x = fact_table(m->arena), *runs = fact_table(m->arena);
        fact_text(x, "rule", loss_word(p->kind));
        fact_real(x, "weight", p->weight);
        for (int k = 0; k < p->weights.count; k++) {
            const Weight *w = p->weights.items[k];
            bool first = !has_gradient(m, w) && !m->options.plain;
            for (int before = 0; before < i && first; before++)
                first = list_index(&((Penalty *)m->penalties.items[before])->weights, w) < 0;
            Fact *run = fact_table(m->arena);
            fact_text(run, "name", w->name);
            fact_int(run, "offset", w->offset);
            fact_int(run, "count", w->reals);
            fact_bool(run, "frozen", w->frozen);
            fact_bool(run, "first", first);
            fact_push(runs, run);
        }
        fact_set(x, "runs", runs);
        fact_push(list, x);
    }
    return list;
}

void tables_facts(Model *m, Fact *f)
{
    Fact *weights = fact_table(m->arena), *inputs = fact_table(m->arena), *targets = fact_table(m->arena), *values = fact_table(m->arena),
         *shown = fact_table(m->arena), *losses = fact_table(m->arena);
    int64_t parameters = 0;
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *w = m->weights.items[i];
        parameters += shape_count(&w->shape);
        fact_push(weights, weight_fact(m, w));
    }
    Fact *buffers = fact_table(m->arena);
    for (int i = 0; i < m->buffers.count; i++)
        fact_push(buffers, weight_fact(m, m->buffers.items[i]));
    for (int i = 0; i < m->input_count; i++)
        fact_push(inputs, data_fact(m, &m->inputs[i]));
    for (int i = 0; i < m->target_count; i++)
        fact_push(targets, data_fact(m, &m->targets[i]));
    for (int i = 0; i < m->tensors.count; i++)
        if (((Tensor *)m->tensors.items[i])->flow_name)
            fact_push(values, named_fact(m, m->tensors.items[i]));
        else if (((Tensor *)m->tensors.items[i])->shown)
            fact_push(shown, named_fact(m, m->tensors.items[i]));
    for (int k = 0; k < m->loss_count; k++)
        fact_push(losses, loss_fact(m, &m->losses[k]));
    fact_int(f, "parameters", parameters);
    fact_set(f, "weights", weights);
    fact_set(f, "buffers", buffers);
    fact_set(f, "norms", norms_fact(m));
    fact_set(f, "inputs", inputs);
    fact_set(f, "targets", targets);
    fact_set(f, "values", values);
    fact_set(f, "shown", shown);
    fact_set(f, "nests", nests_fact(m));
    fact_set(f, "losses", losses);
    fact_set(f, "penalties", penalties_fact(m));
    train_fact(m, f);
}
