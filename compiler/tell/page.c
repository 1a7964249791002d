/* page.c -- `show --html`: one self-contained page with the graph drawn, each box opening to its YAML, equation, cost and C.
 *
 * In: a Deck.  Out: HTML, by the template show.html.in, which has the style and the script; all parts with text of the model
 * are made here.  Convention: text from outside this file goes through html_put.  Without its script the page still opens
 * boxes, since they are links to what they open. */
#include "base/escape.h"
#include "tell/layout.h"
#include "tell/show.h"
#include "template/fact.h"
#include <string.h>

typedef struct { Text t; const Deck *d; const Model *m; } Page;

#define PUT(...) text_printf(&p->t, __VA_ARGS__)
static void say(Page *p, const char *text) { html_put(&p->t, text, strlen(text)); }

static const char *colour(const Op *op)
{
    if (LOSS_INFO(op))
        return "loss";
    switch (op->kind) {
    case OP_load: case OP_augment: case OP_labels: case OP_fill: case OP_broadcast: return "data";
    case OP_conv: case OP_conv_transpose: case OP_conv_pool: return "conv";
    case OP_dense: return "dense";
    case OP_maxpool: return "pool";
    case OP_spn: return "look";
    case OP_gru_gates: case OP_lstm_gates: return "gate";
    default: return "other";
    }
}

static const char *cut(const Model *m, const char *text, size_t most)
{
    return strlen(text) <= most ? text : arena_printf(m->arena, "%.*s\xe2\x80\xa6", (int)most - 1, text);
}

/* ---- the graph -------------------------------------------------------------------------------------------------------------- */

static const char *frame_text(const Model *m, const Frame *f)
{
    if (f->kind != CORE)
        return arena_printf(m->arena, "all %s steps at once", card_steps(m, f->repeat, NULL));
    const Repeat *around = f->from->outer;
    const char *text = arena_printf(m->arena, "%s steps, one after the other", card_steps(m, f->repeat, around));
    return around ? arena_printf(m->arena, "%s, for all %s around them at once", text, card_steps(m, around, NULL)) : text;
}

static void frame_svg(Page *p, const Frame *f)
{
    if (f->kind == ONCE || f->empty)
        return;
    double left = f->left - 22, top = f->top - 40, width = f->right - f->left + 44, height = f->bottom - f->top + 58;
    int steps = f->kind == CORE ? f->repeat->steps : steps_all(f->repeat), sheets = steps > 3 ? 3 : steps;
    PUT("<g class=\"frame\">");
    for (int k = sheets - 1; k >= 0; k--)
        PUT("<rect class=\"sheet\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"14\"/>", left + 6 * k, top + 6 * k, width, height);
    PUT("<text class=\"label\" x=\"%.1f\" y=\"%.1f\">", left + 14, top + 24);
    say(p, frame_text(p->m, f));
    PUT("</text>");
    for (int k = 0; k < steps && k < 6; k++) {
        double x = left + width - 18 - 26 * ((steps < 6 ? steps : 6) - k);
        PUT("<rect class=\"step\" x=\"%.1f\" y=\"%.1f\" width=\"19\" height=\"17\" rx=\"4\"/><text class=\"t\" x=\"%.1f\" y=\"%.1f\">%s</text>", x, top + 11, x + 9.5, top + 23.5,
            steps > 6 && k == 5 ? "\xe2\x80\xa6" : arena_printf(p->m->arena, "%d", k));
        if (f->kind == CORE && k)
            PUT("<path class=\"then\" d=\"M%.1f %.1fh6\"/>", x - 6.5, top + 19.5);
    }
    PUT("</g>\n");
}

static void edge_svg(Page *p, const Layout *l, const Edge *e)
{
    const Box *a = &l->boxes[e->via[0]], *b = &l->boxes[e->via[e->count - 1]];
    if (e->shift) {             /* from the step before: around the right side, upwards */
        double x = a->x + BOX_W / 2.0, y = a->y + BOX_H * 0.7, to = b->x + BOX_W / 2.0, at = b->y + BOX_H * 0.3, out = (x > to ? x : to) + 17;
        PUT("<path class=\"edge back\" marker-end=\"url(#tip-back)\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\"><title>from step t%+d</title></path>\n", x, y, out, y, out, at, to + 5, at, e->shift);
        return;
    }
    PUT("<path class=\"edge\" marker-end=\"url(#tip)\" d=\"M%.1f %.1f", a->x, a->y + BOX_H);
    double x = a->x, y = a->y + BOX_H;
    for (int k = 1; k < e->count; k++) {
        const Box *to = &l->boxes[e->via[k]];
        double top = to->y - (k + 1 == e->count ? 5 : 0), middle = (y + top) / 2;
        PUT("C%.1f %.1f %.1f %.1f %.1f %.1f", x, middle, to->x, middle, to->x, top);
        if (k + 1 < e->count)
            PUT("V%.1f", to->y + BOX_H);
        x = to->x, y = to->y + BOX_H;
    }
    PUT("\"/>\n");
}

static void box_svg(Page *p, const Box *b)
{
    const Card *c = b->card;
    const Op *op = c->op;
    double x = b->x - BOX_W / 2.0, share = p->m->forward_macs > 0 ? c->macs / p->m->forward_macs : 0;
    const char *shape = card_shape(p->m, op->writes[0].tensor);
    PUT("<a class=\"node %s\" id=\"box-%s\" href=\"#op-%s\" aria-label=\"", colour(op), op->name, op->name);
    say(p, arena_printf(p->m->arena, "%s, %s, gives %s, line %s%s%s", op->name, card_operator(c), shape, card_line(p->m, op->loc),
                        c->macs > 0 ? arena_printf(p->m->arena, ", %s multiply-adds", count_text(p->m->arena, (int64_t)c->macs)) : "", c->sharers.count ? ", weights shared" : ""));
    PUT("\"><rect class=\"box\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" rx=\"9\"/><path class=\"stripe\" d=\"M%.1f %.1fv%d\"/>", x, b->y, BOX_W, BOX_H, x + 9, b->y + 12, BOX_H - 24);
    PUT("<text class=\"name\" x=\"%.1f\" y=\"%.1f\">", x + 20, b->y + 24);
    say(p, cut(p->m, op->name, 23));
    PUT("</text><text class=\"sub\" x=\"%.1f\" y=\"%.1f\">", x + 20, b->y + 42);
    say(p, cut(p->m, card_operator(c), 16));
    PUT("</text><text class=\"shape\" x=\"%.1f\" y=\"%.1f\">", x + BOX_W - 12, b->y + 42);
    say(p, shape);
    PUT("</text>");
    if (share > 0.001)
        PUT("<rect class=\"cost\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"3\" rx=\"1.5\"/>", x + 20, b->y + BOX_H - 9, (BOX_W - 32) * share);
    if (c->sharers.count)
        PUT("<text class=\"shared\" x=\"%.1f\" y=\"%.1f\">shared weights</text>", x + BOX_W - 12, b->y + 24);
    PUT("</a>\n");
}

static void graph(Page *p)
{
    const Layout *l = layout_new(p->d);
    double left = l->left - 62, width = l->right - l->left + 124;
    PUT("<svg class=\"graph\" viewBox=\"%.0f 0 %.0f %.0f\" style=\"max-width:%.0fpx\" role=\"group\" aria-label=\"The forward pass, from the data at the top to the loss\">\n"
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"4\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker>"
        "<marker id=\"tip-back\" viewBox=\"0 0 8 8\" refX=\"4\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
        left, width, l->bottom, width);
    for (int i = 0; i < l->frame_count; i++)
        frame_svg(p, &l->frames[i]);
    for (int i = 0; i < l->edge_count; i++)
        edge_svg(p, l, &l->edges[i]);
    for (int i = 0; i < l->box_count; i++)      /* shared weights: one dashed line from each use to the next */
        for (int k = i + 1, done = 0; l->boxes[i].card && k < l->box_count && !done; k++) {
            const Box *a = &l->boxes[i], *b = &l->boxes[k];
            for (int s = 0; b->card && s < a->card->sharers.count; s++)
                if (a->card->sharers.items[s] == b->card) {
                    double x = a->x - BOX_W / 2.0, to = b->x - BOX_W / 2.0, out = (x < to ? x : to) - 44;
                    PUT("<path class=\"same\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\"><title>the same weights</title></path>\n", x, a->y + BOX_H / 2.0, out, a->y + BOX_H / 2.0, out,
                        b->y + BOX_H / 2.0, to, b->y + BOX_H / 2.0);
                    done = 1;
                }
        }
    for (int i = 0; i < l->box_count; i++)
        if (l->boxes[i].card)
            box_svg(p, &l->boxes[i]);
    PUT("</svg>\n");
}

/* ---- what a box opens to ------------------------------------------------------------------------------------------------------ */

/* Lines from..to with their numbers; those of mark_from..mark_to marked. */
static void lines(Page *p, const char *const *start, int from, int to, int mark_from, int mark_to, bool c)
{
    bool comment = false;
    for (int k = from; k <= to; k++) {
        const char *s = start[k], *end = start[k + 1];
        while (end > s && (end[-1] == '\n' || end[-1] == '\r'))
            end--;
        PUT("<span%s><i>%d</i>", k >= mark_from && k <= mark_to ? " class=\"on\"" : "", k);
        for (const char *at = s; at < end;) {
            const char *next = end;
            if (comment) {
                for (const char *e = at; e + 1 < end; e++)
                    if (e[0] == '*' && e[1] == '/') {
                        next = e + 2;
                        comment = false;
                        break;
                    }
                PUT("<em>");
                html_put(&p->t, at, (size_t)(next - at));
                PUT("</em>");
            } else {
                for (const char *e = at; c && e + 1 < end; e++)
                    if (e[0] == '/' && e[1] == '*') {
                        next = e;
                        comment = true;
                        break;
                    }
                html_put(&p->t, at, (size_t)(next - at));
            }
            at = next;
        }
        PUT("\n</span>");
    }
}

static void fact_row(Page *p, const char *what, const char *value)
{
    PUT("<dt>%s</dt><dd>", what);
    say(p, value);
    PUT("</dd>");
}

static void lines_rows(Page *p, const char *what, List lines)
{
    for (int i = 0; i < lines.count; i++)
        fact_row(p, i ? "" : what, lines.items[i]);
}

static bool word_in(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        bool begins = at == text || at[-1] == ' ', ends = !at[n] || at[n] == ' ' || at[n] == ',' || at[n] == ':' || !strncmp(at + n, "_relu ", 6);
        if (begins && ends)
            return true;
    }
    return false;
}

static void article(Page *p, const Card *c)
{
    const Model *m = p->m;
    const Op *op = c->op;
    Text shapes = { .arena = m->arena };
    for (int r = 0; r < op->read_count; r++)
        if (op->reads[r].tensor->space != RAW)
            text_printf(&shapes, "%s%s %s%s", shapes.length ? ", " : "", op->reads[r].tensor->name, shape_text(m->arena, &op->reads[r].tensor->shape),
                        op->reads[r].shift ? " of the step before" : "");
    PUT("<article id=\"op-%s\" class=\"%s\" tabindex=\"-1\" aria-labelledby=\"title-%s\">\n<header><h2 id=\"title-%s\">", op->name, colour(op), op->name, op->name);
    say(p, op->name);
    PUT("</h2><span class=\"badge\">%s</span><a class=\"close\" href=\"#graph\" aria-label=\"close\">\xc3\x97</a></header>\n<p class=\"equation\">", card_operator(c));
    say(p, OP_INFO(op)->equation);
    PUT("</p>\n<dl>");
    lines_rows(p, "formula", card_formula(p->d->m, op));
    lines_rows(p, "gradient", card_derivatives(p->d->m, op));
    if (shapes.length)
        fact_row(p, "reads", shapes.text);
    fact_row(p, "gives", card_shape(m, op->writes[0].tensor));
    if (c->macs > 0)
        fact_row(p, "multiply-adds", arena_printf(m->arena, "%s forward, %s for gradients; an example, %.1f %% of the net's", count_text(m->arena, (int64_t)c->macs),
                                                  count_text(m->arena, (int64_t)c->gradient_macs), 100 * c->macs / (m->forward_macs > 0 ? m->forward_macs : 1)));
    fact_row(p, "kept for backward", !c->forward ? "only the gradient needs it" : c->kept ? bytes_text(m->arena, c->kept) : "nothing");
    fact_row(p, "kernel", kernel_name(m, op));
    PUT("<dt>why</dt><dd class=\"why\">");
    say(p, kernel_reason(m, op));
    PUT("</dd>");
    for (int k = 0; k < op->weight_count; k++)
        fact_row(p, k ? "" : "parameters", arena_printf(m->arena, "%s [%s]: %s", op->weights[k]->name, shape_text(m->arena, &op->weights[k]->shape),
                                                        count_text(m->arena, shape_count(&op->weights[k]->shape))));
    for (int k = 0; k < c->sharers.count; k++) {
        const char *other = ((Card *)c->sharers.items[k])->op->name;
        PUT("<dt>%s</dt><dd><a href=\"#op-%s\">%s</a></dd>", k ? "" : "same weights as", other, other);
    }
    for (int k = 0; k < c->phases.count; k++)
        fact_row(p, k ? "" : "runs", c->phases.items[k]);
    bool first = true;
    for (int i = 0; i < m->remarks.count; i++) {
        const Remark *r = m->remarks.items[i];
        if (!word_in(r->text, op->name) && !word_in(r->text, op->writes[0].tensor->name))
            continue;
        fact_row(p, first ? "what became of it" : "", r->text);
        first = false;
    }
    PUT("</dl>\n<div class=\"pair\"><section><h3>");
    const YamlLines *y = deck_yaml(p->d, op->loc);
    say(p, cut(m, y->file->path, 60));
    int from = c->yaml_from > 3 ? c->yaml_from - 3 : 1, to = c->yaml_to + 3 < y->count ? c->yaml_to + 3 : y->count;
    PUT("</h3><pre class=\"code\" tabindex=\"0\" aria-label=\"YAML\">");
    if (c->yaml_from)
        lines(p, y->line, from, to, c->yaml_from, c->yaml_to, false);
    PUT("</pre>\n<h3>its calls, among the passes</h3><pre class=\"code\" tabindex=\"0\" aria-label=\"calls\">");
    for (int k = 0; k < c->calls.count; k++) {
        int line = (int)*(int64_t *)c->calls.items[k];
        lines(p, p->d->c_lines, line, line, 0, 0, true);
    }
    PUT("</pre></section>\n<section><h3>%s.c", m->name);
    if (c->c_from)
        PUT(", lines %d to %d", c->c_from, c->c_to);
    PUT("</h3><pre class=\"code c\" tabindex=\"0\" aria-label=\"C\">");
    if (c->c_from)
        lines(p, p->d->c_lines, c->c_from, c->c_to, 0, 0, true);
    PUT("</pre></section></div>\n</article>\n");
}

/* ---- the rest of the page --------------------------------------------------------------------------------------------------------- */

static void table(Page *p)
{
    const Model *m = p->m;
    PUT("<table><thead><tr><th>layer</th><th>operator</th><th>kernel</th><th class=\"n\">line</th><th>shape</th><th class=\"n\">parameters</th>"
        "<th class=\"n\">multiply-adds</th><th class=\"n\">kept</th></tr></thead><tbody>\n");
    for (int i = 0; i < p->d->count; i++) {
        const Card *c = &p->d->cards[i];
        if (!c->forward)
            continue;
        PUT("<tr><td><a href=\"#op-%s\">%s</a></td><td>%s</td><td>", c->op->name, c->op->name, card_operator(c));
        say(p, kernel_name(m, c->op));
        PUT("</td><td class=\"n\">");
        say(p, card_line(m, c->op->loc));
        PUT("</td><td>%s</td><td class=\"n\">%s</td>", card_shape(m, c->op->writes[0].tensor),
            c->parameters ? count_text(m->arena, c->parameters) : c->sharers.count ? "shared" : "");
        PUT("<td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n", c->macs > 0 ? count_text(m->arena, (int64_t)c->macs) : "", c->kept ? bytes_text(m->arena, c->kept) : "");
    }
    PUT("<tr class=\"sum\"><td>in all</td><td></td><td></td><td></td><td></td><td class=\"n\">%s</td><td class=\"n\">%s</td><td></td></tr></tbody></table>\n",
        count_text(m->arena, p->d->parameters), count_text(m->arena, (int64_t)m->forward_macs));
}

/* Phases to the right, places downwards: what stands above one another never lives at one time at one place. */
static void memory(Page *p)
{
    const Model *m = p->m;
    enum { WIDTH = 1080, HEIGHT = 300 };
    int phases = m->forward_phases.count + m->backward_phases.count;
    double each = phases ? (double)WIDTH / phases : WIDTH, scale = m->activation_reals ? (double)HEIGHT / (double)m->activation_reals : 0;
    int64_t real = m->options.is_double ? 8 : 4;
    PUT("<svg class=\"memory\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Memory: phases from left to right, places from top to bottom\">\n", WIDTH, HEIGHT);
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (t->local || tensor_owner(t) != t || t->first_phase < 0)
            continue;
        int last = t->last_phase >= phases ? phases - 1 : t->last_phase;
        int64_t begin = t->offset - tensor_front(t) * m->groups * t->slot_reals;
        PUT("<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"><title>", t->space == RAW ? "raw" : t->first_phase >= m->forward_phases.count ? "grad" : t->flow_name ? "named" : "value",
            t->first_phase * each, (double)begin * scale, (last - t->first_phase + 1) * each, (double)tensor_bytes(m, t) / (double)real * scale);
        say(p, arena_printf(m->arena, "%s: %s, phases %d to %d", t->name, bytes_text(m->arena, tensor_bytes(m, t)), t->first_phase, last));
        PUT("</title></rect>\n");
    }
    PUT("<path class=\"turn\" d=\"M%.2f 0V%d\"/></svg>\n", m->forward_phases.count * each, HEIGHT);
}

static void remarks(Page *p)
{
    for (int i = 0; i < p->m->remarks.count; i++) {
        const Remark *r = p->m->remarks.items[i];
        PUT("<li><span>");
        say(p, card_line(p->m, r->at));
        PUT("</span> ");
        say(p, r->text);
        PUT("</li>\n");
    }
}

static void settings(Page *p)
{
    for (int i = 0; i < p->m->scope.count; i++) {
        const Param *s = &p->m->scope.params[i];
        PUT("<code>");
        say(p, arena_printf(p->m->arena, "%s=%s", s->name, s->value.text));
        PUT("</code> ");
    }
}

static void path(Page *p) { say(p, p->m->file->path); }
static void about(Page *p) { say(p, p->m->about && *p->m->about ? p->m->about : p->m->name); }

static void articles(Page *p)
{
    for (int i = 0; i < p->d->count; i++)
        article(p, &p->d->cards[i]);
}

static const char *made(const Deck *d, void (*part)(Page *))
{
    Page p = { .t = { .arena = d->m->arena }, .d = d, .m = d->m };
    part(&p);
    return p.t.text ? p.t.text : "";
}

Fact *page_facts(const Deck *d)
{
    Model *m = d->m;
    Arena *a = m->arena;
    int64_t real = m->options.is_double ? 8 : 4, all = m->activation_reals * real;
    Fact *f = fact_table(a);
    fact_text(f, "name", m->name);
    fact_text(f, "about", made(d, about));
    fact_text(f, "path", made(d, path));
    fact_text(f, "settings", made(d, settings));
    fact_text(f, "form", arena_printf(a, "%s, %s, batches of %lld%s", m->options.target, m->options.is_double ? "double" : "float", (long long)m->batch, m->options.plain ? ", plain form" : ""));
    fact_text(f, "parameters", count_text(a, d->parameters));
    fact_text(f, "forward", arena_printf(a, "%.2f M", m->forward_macs / 1e6));
    fact_text(f, "backward", arena_printf(a, "%.2f M", m->backward_macs / 1e6));
    fact_text(f, "values", bytes_text(a, all));
    fact_text(f, "saved", arena_printf(a, "%.0f %%", d->apart ? 100.0 * (double)(d->apart - all) / (double)d->apart : 0));
    fact_text(f, "apart", bytes_text(a, d->apart));
    fact_text(f, "weights", bytes_text(a, m->block_reals * real));
    fact_text(f, "scratch", bytes_text(a, m->scratch_reals * real));
    fact_text(f, "hash", arena_printf(a, "%016llx", (unsigned long long)m->hash));
    fact_text(f, "graph", made(d, graph));
    fact_text(f, "articles", made(d, articles));
    fact_text(f, "memory", made(d, memory));
    fact_text(f, "table", made(d, table));
    fact_text(f, "remarks", made(d, remarks));
    return f;
}

bool show_html(Text *out, const Deck *d)
{
    Model *m = d->m;
    return template_expand(m->arena, m->diag, m->templates, "show.html.in", m->name, page_facts(d), NULL, out);
}
