/* show.c -- the whole net: as a page of text, as JSON, and in Graphviz's language.
 *
 * In: a Deck.  Out: text.  Convention: costs are those of one example, all steps together; bytes those of the whole batch. */
#include "tell/show.h"
#include "base/escape.h"
#include "base/json.h"
#include <string.h>

static double mib(int64_t bytes) { return (double)bytes / 1048576; }
static int64_t real_bytes(const Model *m) { return m->options.is_double ? 8 : 4; }

static int64_t kept_bytes(const Deck *d)
{
    int64_t n = 0;
    for (int i = 0; i < d->count; i++)
        n += d->cards[i].kept;
    return n;
}

/* ---- text ---------------------------------------------------------------------------------------------------------------- */

static int offset_order(const Tensor *a, const Tensor *b)
{
    return a->offset != b->offset ? (a->offset < b->offset ? -1 : 1) : a->first_phase - b->first_phase;
}

/* The places and lifetimes of tensors: one line a tensor, phases from left to right. */
static void memory_map(Text *out, const Deck *d)
{
    Model *m = d->m;
    int n = 0, phases = m->forward_phases.count + m->backward_phases.count;
    const Tensor **order = NEW_ARRAY(m->arena, const Tensor *, m->tensors.count + 1);
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (t->local || tensor_owner(t) != t || t->first_phase < 0)
            continue;
        int at = n++;
        while (at > 0 && offset_order(t, order[at - 1]) < 0)
            order[at] = order[at - 1], at--;
        order[at] = t;
    }
    int64_t all = m->activation_reals * real_bytes(m);
    text_printf(out, "\n  memory map: values and gradients, %.1f MiB for a batch (without reuse %.1f: %.0f %% saved)\n", mib(all), mib(d->apart),
                d->apart ? 100.0 * (double)(d->apart - all) / (double)d->apart : 0);
    text_printf(out, "  %-32s %9s %9s  phases 0 to %d, | is where backward begins\n", "", "at MiB", "MiB", phases - 1);
    for (int i = 0; i < n; i++) {
        const Tensor *t = order[i];
        text_printf(out, "  %-32s %9.3f %9.3f  ", t->name, mib(t->offset * real_bytes(m)), mib(tensor_bytes(m, t)));
        for (int p = 0; p < phases && phases <= 80; p++)
            text_printf(out, "%s%s", p == m->forward_phases.count ? "|" : "", p >= t->first_phase && p <= t->last_phase ? "=" : ".");
        if (phases > 80)
            text_printf(out, "%d to %d", t->first_phase, t->last_phase >= phases ? phases - 1 : t->last_phase);
        text_printf(out, "\n");
    }
}

void show_text(Text *out, const Deck *d)
{
    Model *m = d->m;
    text_printf(out, "%s", m->name);
    for (int i = 0; i < m->scope.count; i++) {
        text_printf(out, " %s=", m->scope.params[i].name);
        plain_put(out, m->scope.params[i].value.text);
    }
    text_printf(out, "\nbatch %lld, %s, %s%s\n\n  %-26s %5s  %-14s %10s %12s %9s  %s\n", (long long)m->batch, m->options.is_double ? "double" : "float",
                m->options.target, m->options.plain ? ", plain" : "", "layer", "line", "shape", "parameters", "multiply-adds", "kept", "operator, kernel");
    for (int i = 0; i < d->count; i++) {
        const Card *c = &d->cards[i];
        if (!c->forward)
            continue;
        text_printf(out, "  %-26s ", c->op->name);
        plain_put(out, arena_printf(m->arena, "%5s", card_line(m, c->op->loc)));
        text_printf(out, "  %-14s", card_shape(m, c->op->writes[0].tensor));
        text_printf(out, " %10s", c->parameters ? count_text(m->arena, c->parameters) : c->sharers.count ? "shared" : "");
        text_printf(out, " %12s", c->macs > 0 ? count_text(m->arena, (int64_t)c->macs) : "");
        text_printf(out, " %10s", c->kept ? bytes_text(m->arena, c->kept) : "");
        text_printf(out, "  %s: %s\n", card_operator(c), kernel_name(m, c->op));
    }
    text_printf(out, "  %-26s %5s  %-14s %10s", "in all", "", "", count_text(m->arena, d->parameters));
    text_printf(out, " %12s", count_text(m->arena, (int64_t)m->forward_macs));
    text_printf(out, " %10s\n", bytes_text(m->arena, kept_bytes(d)));
    text_printf(out, "\n  an example: %s multiply-adds forward, %s for the gradients that somebody needs\n", count_text(m->arena, (int64_t)m->forward_macs), count_text(m->arena, (int64_t)m->backward_macs));
    text_printf(out, "  kept: bytes of a batch that backward reads again\n");
    text_printf(out, "  memory: values and gradients %.1f MiB (without reuse %.1f), weights %.1f, a thread's scratch %.2f\n",
                mib(m->activation_reals * real_bytes(m)), mib(d->apart), mib(m->block_reals * real_bytes(m)), mib(m->scratch_reals * real_bytes(m)));
    if (m->train.accumulate > 1 || m->train.average > 0)
        text_printf(out, "  training: %lld blocks as long as the weights, %.1f MiB: they, gradients, optimiser%s%s\n", (long long)train_blocks(m),
                    mib(train_blocks(m) * m->block_reals * real_bytes(m)), m->train.accumulate > 1 ? ", gradients of the batches that wait for an update" : "",
                    m->train.average > 0 ? ", average" : "");
    text_printf(out, "  signature %016llx  hash %016llx\n", (unsigned long long)m->signature, (unsigned long long)m->hash);
    memory_map(out, d);
    if (m->remarks.count)
        text_printf(out, "\n");
    for (int i = 0; i < m->remarks.count; i++) {
        const Remark *r = m->remarks.items[i];
        text_printf(out, "  ");
        place_put(out, r->at);
        text_printf(out, ": %s\n", r->text);
    }
}

/* ---- JSON ---------------------------------------------------------------------------------------------------------------- */

/* Of another file than the model's, its path too. */
static void line_json(Json *j, const Model *m, Loc at)
{
    if (at.file != m->file)
        json_text(j, "file", at.file->path);
    json_int(j, "line", at.line);
}

static void layer_json(Json *j, const Deck *d, const Card *c)
{
    static const char *const kinds[] = { "once", "each step", "each step, backwards", "all steps at once" };
    const Tensor *y = c->op->writes[0].tensor;
    json_opens(j, NULL, '{');
    json_text(j, "name", c->op->name);
    json_text(j, "op", card_operator(c));
    line_json(j, d->m, c->op->loc);
    json_opens(j, "shape", '[');
    for (int k = 0; k < y->shape.rank; k++)
        json_int(j, NULL, y->shape.dim[k]);
    json_closes(j, ']');
    json_int(j, "steps", steps_all(y->repeat));
    json_int(j, "parameters", c->parameters);
    json_real(j, "macs", c->macs, 17);
    json_real(j, "gradient_macs", c->gradient_macs, 17);
    json_int(j, "bytes", c->bytes);
    json_int(j, "kept", c->kept);
    json_text(j, "kernel", kernel_name(d->m, c->op));
    json_text(j, "runs", kinds[c->kind]);
    if (c->repeat)
        json_text(j, "repeat", c->repeat->name);
    else
        json_word(j, "repeat", "null");
    json_opens(j, "weights", '[');
    for (int k = 0; k < c->op->weight_count; k++)
        json_text(j, NULL, c->op->weights[k]->name);
    json_closes(j, ']');
    json_opens(j, "shares_with", '[');
    for (int k = 0; k < c->sharers.count; k++)
        json_text(j, NULL, ((Card *)c->sharers.items[k])->op->name);
    json_closes(j, ']');
    json_opens(j, "c", '[');
    json_int(j, NULL, c->c_from);
    json_int(j, NULL, c->c_to);
    json_closes(j, ']');
    json_closes(j, '}');
}

static void memory_json(Json *j, const Deck *d)
{
    const Model *m = d->m;
    int64_t real = real_bytes(m);
    json_opens(j, "memory", '{');
    json_int(j, "values", m->activation_reals * real);
    json_int(j, "without_reuse", d->apart);
    json_int(j, "kept", kept_bytes(d));
    json_int(j, "weights", m->block_reals * real);
    json_int(j, "scratch", m->scratch_reals * real);
    json_closes(j, '}');
}

static void map_json(Json *j, const Model *m)
{
    json_opens(j, "map", '[');
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (tensor_owner(t) != t || t->first_phase < 0 || t->local)
            continue;
        json_opens(j, NULL, '{');
        json_text(j, "name", t->name);
        json_int(j, "at", t->offset * real_bytes(m));
        json_int(j, "bytes", tensor_bytes(m, t));
        json_int(j, "first", t->first_phase);
        json_int(j, "last", t->last_phase);
        json_closes(j, '}');
    }
    json_closes(j, ']');
}

void show_json(Text *out, const Deck *d)
{
    Model *m = d->m;
    Json json = { .out = out, .form = JSON_TIGHT }, *j = &json;
    json_opens(j, NULL, '{');
    json_text(j, "model", m->name);
    json_int(j, "batch", m->batch);
    json_text(j, "target", m->options.target);
    json_text(j, "precision", m->options.is_double ? "double" : "float");
    json_int(j, "parameters", d->parameters);
    json_real(j, "forward_macs", m->forward_macs, 17);
    json_real(j, "backward_macs", m->backward_macs, 17);
    json_text(j, "hash", arena_printf(m->arena, "%016llx", (unsigned long long)m->hash));
    json_text(j, "signature", arena_printf(m->arena, "%016llx", (unsigned long long)m->signature));
    memory_json(j, d);
    json_opens(j, "layers", '[');
    for (int i = 0; i < d->count; i++)
        if (d->cards[i].forward)
            layer_json(j, d, &d->cards[i]);
    json_closes(j, ']');
    map_json(j, m);
    json_int(j, "forward_phases", m->forward_phases.count);
    json_int(j, "phases", m->forward_phases.count + m->backward_phases.count);
    json_opens(j, "remarks", '[');
    for (int i = 0; i < m->remarks.count; i++) {
        const Remark *r = m->remarks.items[i];
        json_opens(j, NULL, '{');
        line_json(j, m, r->at);
        json_text(j, "text", r->text);
        json_closes(j, '}');
    }
    json_closes(j, ']');
    json_closes(j, '}');
    text_printf(out, "\n");
}

/* ---- Graphviz --------------------------------------------------------------------------------------------------------------- */

static void node_dot(Text *out, const Deck *d, const Card *c, const char *pad)
{
    Model *m = d->m;
    text_printf(out, "%s", pad);
    dot_put(out, c->op->name);
    text_printf(out, " [label=");
    dot_put(out, arena_printf(m->arena, "%s\n%s  %s%s", c->op->name, card_operator(c), card_shape(m, c->op->writes[0].tensor),
                              c->macs > 0 ? arena_printf(m->arena, "\n%s multiply-adds", count_text(m->arena, (int64_t)c->macs)) : ""));
    text_printf(out, "%s]\n", c->sharers.count ? " penwidth=2" : "");
}

/* A section that is a loop, in a repeat in a repeat: what becomes of the steps around it. */
static const char *around(const Model *m, const Section *s)
{
    const char *text = "";
    for (const Repeat *r = s->repeat->outer; r; r = r->outer)
        text = arena_printf(m->arena, "%s, %s the %d steps of %s", text, repeat_within(r, s->from) ? "at each of" : "for all", r->steps, r->name);
    return text;
}

void show_dot(Text *out, const Deck *d)
{
    Model *m = d->m;
    text_printf(out, "digraph ");
    dot_put(out, m->name);
    text_printf(out, " {\n    node [shape=box fontname=Helvetica fontsize=11]\n    edge [fontname=Helvetica fontsize=9]\n    graph [fontname=Helvetica fontsize=11 labeljust=l]\n");
    for (int i = 0, cluster = 0; i < m->forward.count; i++) {
        const Section *s = m->forward.items[i];
        if (s->kind != ONCE) {
            text_printf(out, "    subgraph cluster%d {\n        label=", cluster++);
            dot_put(out, s->kind == CORE ? arena_printf(m->arena, "%s: t = 0 .. %d, one step after the other%s", s->repeat->name, s->repeat->steps - 1, around(m, s))
                                         : arena_printf(m->arena, "%s: all %s steps at once", s->repeat->name, card_steps(m, s->repeat, NULL)));
            text_printf(out, "\n");
        }
        for (int k = 0; k < s->ops.count; k++) {
            const Card *c = deck_card(d, s->ops.items[k]);
            if (c && c->forward)
                node_dot(out, d, c, s->kind == ONCE ? "    " : "        ");
        }
        if (s->kind != ONCE)
            text_printf(out, "    }\n");
    }
    for (int i = 0; i < d->count; i++) {
        const Card *c = &d->cards[i];
        for (int r = 0; c->forward && r < c->op->read_count; r++) {
            const Use *u = &c->op->reads[r];
            const Op *maker = tensor_value(u->tensor)->op;
            if (!maker || u->tensor->space == RAW || !deck_card(d, maker))
                continue;
            text_printf(out, "    ");
            dot_put(out, maker->name);
            text_printf(out, " -> ");
            dot_put(out, c->op->name);
            if (u->shift)
                text_printf(out, " [label=\"  from step t%+d  \" style=bold constraint=false]", u->shift);
            text_printf(out, "\n");
        }
        const Op *state = c->forward ? tensor_value(c->op->writes[0].tensor)->op : NULL;
        if (state && state != c->op && deck_card(d, state)) {            /* it writes where a state begins */
            text_printf(out, "    ");
            dot_put(out, c->op->name);
            text_printf(out, " -> ");
            dot_put(out, state->name);
            text_printf(out, " [label=\"  before step 0  \" style=bold]\n");
        }
        for (int k = 0; k < c->sharers.count; k++)
            if ((const Card *)c->sharers.items[k] > c) {
                text_printf(out, "    ");
                dot_put(out, c->op->name);
                text_printf(out, " -> ");
                dot_put(out, ((Card *)c->sharers.items[k])->op->name);
                text_printf(out, " [dir=none style=dashed constraint=false label=\"  same weights  \"]\n");
            }
    }
    text_printf(out, "}\n");
}
