/* page.c -- the page of a report: one file, no script, nothing to load; light and dark, narrow and wide.
 *
 * Reads a Report, makes HTML that is well-formed XML too.  Convention: shares become per cent here; every text that is
 * not a literal of this file goes through html_text. */
#include "report/report.h"
#include "report/stats.h"
#include "run/eval.h"
#include "run/settings.h"
#include "run/weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In two parts: C99 guarantees string literals of 4095 characters only. */
static const char style[] =
    ":root{color-scheme:light dark;--bg:#f6f6f3;--card:#fff;--ink:#1b1d21;--soft:#666b73;--line:#e2e2dc;--a:#2f6fde;--b:#d9681d;"
    "--c:#17865c;--good:23,134,92;--bad:201,48,44;--glow:0 1px 2px #0001}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#121316;--card:#1b1d21;--ink:#e9e9e6;--soft:#9ba0a8;--line:#2d3036;--a:#76a9ff;"
    "--b:#ff9f5a;--c:#4fd1a1;--good:64,190,140;--bad:255,110,100;--glow:none}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,'Segoe UI',"
    "Roboto,'Helvetica Neue',sans-serif;font-variant-numeric:tabular-nums}\n"
    "main{max-width:1120px;margin:0 auto;padding:32px 20px 64px}h1{font-size:30px;line-height:1.2;margin:0;letter-spacing:-.02em;"
    "overflow-wrap:anywhere}h2{font-size:19px;margin:44px 0 4px;letter-spacing:-.01em}p{margin:0 0 14px;color:var(--soft);max-width:75ch;"
    "overflow-wrap:anywhere}p b{color:var(--ink)}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:24px 0 0}.tile,.chart,.shot,.panel{"
    "background:var(--card);border:1px solid var(--line);border-radius:12px;box-shadow:var(--glow)}.tile{padding:14px 16px}"
    ".tile span{display:block;color:var(--soft);font-size:13px}.tile b{display:block;font-size:24px;white-space:nowrap;line-height:1.25;"
    "letter-spacing:-.02em}\n"
    ".grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:14px;align-items:start}figure{margin:0}"
    ".chart{padding:12px 14px 6px}.chart figcaption{display:flex;gap:14px;align-items:baseline;flex-wrap:wrap}.chart svg{display:block;"
    "width:100%;height:auto}.key{color:var(--soft);font-size:13px}.key i{display:inline-block;width:14px;height:3px;border-radius:2px;"
    "vertical-align:middle;margin-right:6px}.key .c0{background:var(--a)}.key .c1{background:var(--b)}.key .c2{background:var(--c)}\n"
    "svg text{font-size:11px;fill:var(--soft)}svg .end{text-anchor:end}svg .mid{text-anchor:middle}svg .grid{stroke:var(--line)}"
    "svg .axis{stroke:var(--soft);opacity:.5}.curve{fill:none;stroke-width:2;stroke-linejoin:round}.curve.c0{stroke:var(--a)}"
    ".curve.c1{stroke:var(--b)}.curve.c2{stroke:var(--c)}.dot{stroke:transparent;stroke-width:9}.dot.c0{fill:var(--a)}"
    ".dot.c1{fill:var(--b)}.dot.c2{fill:var(--c)}.mark{fill:none;stroke-width:1.6;stroke:var(--ink)}\n"
    ".panel{overflow-x:auto;padding:4px 16px}table{border-collapse:collapse;width:100%}th{font-weight:600;color:var(--soft);"
    "font-size:13px;text-align:left}td,th{padding:8px 14px 8px 0;border-bottom:1px solid var(--line);white-space:nowrap}tr:last-child "
    "td,tr:last-child th{border-bottom:0}td.n,th.n{text-align:right;padding:8px 0 8px 14px}td.wrap{white-space:normal;overflow-wrap:anywhere}\n";
static const char style_of_figures[] =
    ".shots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,250px),1fr));gap:14px}.shot{padding:12px}"
    ".shot svg,.shot img{display:block;width:100%;border-radius:6px;background:#000}image,img{image-rendering:pixelated}"
    ".shot .numbers{margin:8px 0 0;font-size:12px;color:var(--soft);overflow-wrap:anywhere}"
    ".shot h3{margin:0 0 8px;font-size:13px;font-weight:500;color:var(--soft);display:flex;justify-content:space-between}"
    ".crops{display:grid;grid-auto-flow:column;grid-auto-columns:minmax(0,1fr);gap:8px;margin-top:10px}.crops.few{grid-auto-columns:"
    "minmax(0,140px)}.crop>img{border:2px solid var(--s);border-radius:6px}"
    ".read{display:block;text-align:center;margin-top:5px}.read b{font-size:23px;line-height:1.1}.read b.name{font-size:15px;"
    "overflow-wrap:anywhere}.read small{display:block;color:"
    "var(--soft);font-size:12px}.read .bar{display:block;height:3px;border-radius:2px;background:var(--line);margin:3px 0 2px;"
    "overflow:hidden}.read .bar i{display:block;height:3px;background:rgb(var(--good))}.bad b,.bad .was{color:rgb(var(--bad))!important}"
    ".bad .bar i{background:rgb(var(--bad))!important}\n"
    ".s0{--s:#ff5c5c}.s1{--s:#4fd06c}.s2{--s:#5aa9ff}.s3{--s:#ffc247}.s4{--s:#d58bff}.s5{--s:#46dede}"
    "polygon,.path{fill:none;stroke:var(--s);stroke-width:1.6;vector-effect:non-scaling-stroke;stroke-linejoin:round}polygon.side{"
    "stroke-width:1;stroke-dasharray:3 3;opacity:.75}.path{stroke-width:1.4;opacity:.95}.spot{fill:var(--s)}\n"
    ".moves{display:grid;gap:12px;overflow-x:auto;padding-bottom:6px}.moves div{display:grid;grid-auto-flow:column;grid-auto-columns:"
    "minmax(112px,1fr);gap:8px}.moves svg{display:block;width:100%;border-radius:6px;background:#000}.moves span{font-size:12px;color:"
    "var(--soft)}\n"
    ".confusion{width:auto;margin:10px auto}.confusion td,.confusion th{border:0;padding:0;width:46px;height:36px;text-align:center;"
    "font-size:12.5px;min-width:30px}.confusion td{border:1px solid var(--card)}.confusion .zero{color:var(--soft);opacity:.45}\n"
    "details{margin-top:14px}summary{cursor:pointer;color:var(--soft)}pre{overflow-x:auto;background:var(--card);border:1px solid "
    "var(--line);border-radius:12px;padding:14px 16px;font:12.5px/1.5 ui-monospace,'SF Mono',Menlo,Consolas,monospace}"
    "footer{margin-top:44px;color:var(--soft);font-size:13px}\n"
    "@media(max-width:480px){main{padding:20px 14px 40px}h1{font-size:25px}.tile b{font-size:21px}.confusion td,.confusion th{"
    "font-size:11px;width:30px;height:30px}.tiles{grid-template-columns:1fr 1fr}}\n"
    "@media print{body{background:#fff}.shot,.chart,.panel,.tile{break-inside:avoid}}\n";

static double nth(const double *values, int i) { return i >= 0 ? values[i] : NAN; }

static bool has_errors(const Report *r) { return r->view.slots > 0; }

static void put_time(Html *h, double seconds)
{
    if (seconds < 60)
        html_put(h, "%.1f s", seconds);
    else if (seconds < 3600)
        html_put(h, "%.0f min", seconds / 60);
    else
        html_put(h, "%.0f h %.0f min", floor(seconds / 3600), floor(fmod(seconds / 60, 60)));
}

/* `id` is the fragment of an address: report.html#mistakes. */
static void section(Html *h, const char *id, const char *title, const char *text)
{
    html_put(h, "<section id=\"%s\"><h2>%s</h2>\n<p>%s</p>\n", id, title, text);
}

/* ---- the head ----------------------------------------------------------------------------------------------------- */

static int64_t wrong_of(const Survey *s)
{
    int64_t wrong = 0;
    for (int i = 0; i < s->slots; i++)
        wrong += s->wrong[i];
    return wrong;
}

static int64_t counted_of(const Survey *s)
{
    int64_t counted = 0;
    for (int i = 0; i < s->slots; i++)
        counted += s->counted[i];
    return counted;
}

/* In per cent; 0 of none. */
static double per_cent(int64_t part, int64_t all) { return all ? 100.0 * (double)part / (double)all : 0; }

static void tile(Html *h, const char *what) { html_put(h, "<div class=\"tile\"><span>%s</span><b>", what); }

static const char *split_tile(const Report *r, const char *test, const char *valid, const char *train)
{
    return !strcmp(r->split, "test") ? test : !strcmp(r->split, "valid") ? valid : train;
}

/* The epoch whose weights were kept, or the last. */
static int kept_epoch(const History *t) { return t->best >= 0 ? t->best : t->count - 1; }
static bool has_validation(const History *t) { return t->count && !isnan(t->valid_loss[kept_epoch(t)]); }

static void put_tiles(Html *h, const Report *r)
{
    const History *t = &r->history;
    double seconds = 0, speed = 0;
    for (int i = 0; i < t->count; i++)
        seconds += isnan(t->seconds[i]) ? 0 : t->seconds[i], speed += isnan(t->speed[i]) ? 0 : t->speed[i] / t->count;
    html_put(h, "<div class=\"tiles\">\n");
    if (r->split && has_errors(r)) {
        tile(h, split_tile(r, "test error", "validation error", "training error"));
        html_put(h, "%.2f %%</b></div>\n", per_cent(wrong_of(&r->survey), counted_of(&r->survey)));
    } else if (r->split) {
        tile(h, split_tile(r, "test loss", "validation loss", "training loss"));
        html_put(h, "%.4g</b></div>\n", r->survey.loss);
    }
    if (t->count && !has_validation(t)) {
        tile(h, t->best >= 0 ? "best training loss" : "training loss");
        html_put(h, "%.4g</b></div>\n", nth(t->train_loss, kept_epoch(t)));
    } else if (t->count && has_errors(r)) {
        tile(h, t->best >= 0 ? "best validation error" : "validation error");
        html_put(h, "%.2f %%</b></div>\n", 100 * nth(t->valid_error, t->best >= 0 ? t->best : t->count - 1));
    } else if (t->count) {
        tile(h, "best validation loss");
        html_put(h, "%.4g</b></div>\n", nth(t->valid_loss, t->best >= 0 ? t->best : t->count - 1));
    }
    if (t->count) {
        html_put(h, "<div class=\"tile\"><span>epochs");
        if (t->best >= 0)
            html_put(h, ", best: %g", t->epoch[t->best]);
        html_put(h, "</span><b>%d</b></div>\n", t->count);
        tile(h, "time");
        put_time(h, seconds);
        html_put(h, "</b></div>\n");
        tile(h, "examples/s");
        html_count(h, (long long)(speed + 0.5));
        html_put(h, "</b></div>\n");
    }
    tile(h, "parameters");
    html_count(h, (long long)weights_count());
    html_put(h, "</b></div>\n</div>\n");
}

static void put_head(Html *h, const Report *r)
{
    html_put(h, "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
    if (r->running)
        html_put(h, "<meta http-equiv=\"refresh\" content=\"20\"/>\n");
    html_put(h, "<title>");
    html_text(h, net.name);
    html_put(h, ": ");
    html_text(h, r->run);
    html_put(h, "</title>\n<style>\n%s%s</style>\n</head>\n<body>\n<main>\n<header><h1>", style, style_of_figures);
    html_text(h, net.about && *net.about ? net.about : net.name);
    html_put(h, "</h1>\n<p><b>");
    html_text(h, net.name);
    html_put(h, "</b> ");
    html_text(h, net.settings);
    html_put(h, ", run ");
    html_text(h, r->run);
    html_put(h, "</p></header>\n");
    if (r->running) {
        html_put(h, "<p>Written while training ran, and loaded anew by itself.  The figures come at the end, or by <b>");
        html_text(h, net.name);
        html_put(h, " report</b>.</p>\n");
    }
    if (r->missing) {
        html_put(h, "<p><b>No results:</b> ");
        html_text(h, r->missing);
        html_put(h, "</p>\n");
    }
}

/* ---- curves and results ---------------------------------------------------------------------------------------------- */

int page_charts(Chart charts[4], const Report *r)
{
    const History *t = &r->history;
    int count = 0;
    if (!t->count)
        return 0;
    charts[count++] = (Chart){ "Loss", "", t->epoch, t->count, { { "training", t->train_loss }, { "validation", t->valid_loss } },
                               has_validation(t) ? 2 : 1, true, false, t->best };
    if (has_errors(r) && has_validation(t))
        charts[count++] = (Chart){ "Validation error", "%", t->epoch, t->count, { { "error", t->valid_error } }, 1, true, false, t->best };
    charts[count++] = (Chart){ "Rate", "", t->epoch, t->count, { { "rate", t->rate } }, 1, false, true, -1 };
    charts[count++] = (Chart){ "Gradient norm", "", t->epoch, t->count, { { "mean norm", t->grad_norm } }, 1, true, false, -1 };
    return count;
}

static void put_curves(Html *h, const Report *r)
{
    Chart charts[4];
    int count = page_charts(charts, r);
    if (!count)
        return;
    section(h, "curves", "Curves", "Over the epochs; the ring marks the epoch whose weights were kept.");
    html_put(h, "<div class=\"grid2\">\n");
    for (int i = 0; i < count; i++)
        chart_svg(h, &charts[i]);
    html_put(h, "</div></section>\n");
}

static void put_interval(Html *h, int64_t wrong, int64_t all)
{
    double low, high;
    wilson(&low, &high, wrong, all);
    html_put(h, "<td class=\"n\">%.2f to %.2f %%</td>", 100 * low, 100 * high);
}

static void put_results(Html *h, const Report *r)
{
    const History *t = &r->history;
    const Survey *s = &r->survey;
    int kept = t->best >= 0 ? t->best : t->count - 1;
    if (!t->count && !r->split)
        return;
    section(h, "results", "Results", has_errors(r) ? "Of the weights kept.  The error is the share of labels read wrongly; the interval is"
                                          " Wilson's, 95 %, over labels taken as independent."
                                        : "Of the weights kept.");
    html_put(h, "<div class=\"panel\"><table>\n<tr><th>split</th><th class=\"n\">examples</th><th class=\"n\">loss</th>%s</tr>\n",
             has_errors(r) ? "<th class=\"n\">error</th><th class=\"n\">95 %</th><th class=\"n\">all labels right</th>" : "");
    if (t->count)
        html_put(h, "<tr><td>train (running mean)</td><td class=\"n\"></td><td class=\"n\">%.5f</td>%s</tr>\n", t->train_loss[kept],
                 has_errors(r) ? "<td class=\"n\"></td><td class=\"n\"></td><td class=\"n\"></td>" : "");
    if (has_validation(t) && (!r->split || strcmp(r->split, "valid"))) {
        html_put(h, "<tr><td>valid</td><td class=\"n\">");
        if (r->valid_examples)
            html_count(h, r->valid_examples);
        html_put(h, "</td><td class=\"n\">%.5f</td>", t->valid_loss[kept]);
        int64_t all = r->valid_labels;
        if (has_errors(r)) {
            html_put(h, "<td class=\"n\">%.3f %%</td>", 100 * t->valid_error[kept]);
            if (all && !isnan(t->valid_error[kept]))
                put_interval(h, (int64_t)(t->valid_error[kept] * (double)all + 0.5), all);
            else
                html_put(h, "<td></td>");
            html_put(h, "<td></td>");
        }
        html_put(h, "</tr>\n");
    }
    if (r->split) {
        html_put(h, "<tr><td><b>%s</b></td><td class=\"n\">", r->split);
        html_count(h, s->examples);
        html_put(h, "</td><td class=\"n\">%.5f</td>", s->loss);
        if (has_errors(r)) {
            html_put(h, "<td class=\"n\"><b>%.3f %%</b></td>", per_cent(wrong_of(s), counted_of(s)));
            put_interval(h, wrong_of(s), counted_of(s));
            html_put(h, "<td class=\"n\">%.2f %%</td>", per_cent(s->all_right, s->labelled));
        }
        html_put(h, "</tr>\n");
    }
    html_put(h, "</table></div></section>\n");
}

static void put_positions(Html *h, const Report *r)
{
    const Survey *s = &r->survey;
    if (!r->split || r->view.slots < 2)
        return;
    section(h, "positions", "Error by position", "The share of wrong labels at each position of an example.");
    html_put(h, "<div class=\"panel\"><table>\n<tr><th>target</th><th>position</th><th class=\"n\">wrong</th><th class=\"n\">error</th>"
                "<th class=\"n\">95 %%</th></tr>\n");
    for (int k = 0, slot = 0; k < net.target_count; k++)
        for (int i = 0; i < eval_positions(k); i++, slot++) {
            html_put(h, "<tr><td>");
            html_text(h, net.targets[k].name);
            html_put(h, "</td><td>%d</td><td class=\"n\">", i + 1);
            html_count(h, s->wrong[slot]);
            html_put(h, "</td><td class=\"n\">%.3f %%</td>", per_cent(s->wrong[slot], s->counted[slot]));
            put_interval(h, s->wrong[slot], s->counted[slot]);
            html_put(h, "</tr>\n");
        }
    html_put(h, "</table></div></section>\n");
}

/* ---- what the net saw --------------------------------------------------------------------------------------------------- */

static void put_box(Html *h, const View *v, const double transform[6], int step, bool side)
{
    double box[4][2];
    shot_box(box, transform, v->width, v->height);
    for (int i = 0; i < 4; i++)
        if (!(fabs(box[i][0]) < 1e6 && fabs(box[i][1]) < 1e6))
            return;
    html_put(h, "<polygon class=\"s%d%s\" points=\"%.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f\"/>", step % 6, side ? " side" : "", box[0][0],
             box[0][1], box[1][0], box[1][1], box[2][0], box[2][1], box[3][0], box[3][1]);
}

/* The name of the class, or its number where it has none. */
static void put_class(Html *h, const Names *names, int k, int class)
{
    const char *name = names_class(names, k, class);
    if (name)
        html_text(h, name);
    else
        html_put(h, "%d", class);
}

static int target_of(int slot)
{
    int k = 0;
    for (; slot >= eval_positions(k); k++)
        slot -= eval_positions(k);
    return k;
}

static void put_read(Html *h, const Names *names, const Shot *s, int slot)
{
    const int k = target_of(slot);
    bool wrong = s->label[slot] >= 0 && s->label[slot] != s->read[slot];
    double sure = isfinite(s->sure[slot]) ? s->sure[slot] : 0;
    html_put(h, "<span class=\"read%s\"><b%s>", wrong ? " bad" : "", names_class(names, k, 0) ? " class=\"name\"" : "");
    put_class(h, names, k, s->read[slot]);
    html_put(h, "</b><span class=\"bar\"><i style=\"width:%.1f%%\"></i></span><small>%.1f %%</small>", 100 * sure, 100 * sure);
    if (wrong) {
        html_put(h, "<small class=\"was\">is ");
        put_class(h, names, k, s->label[slot]);
        html_put(h, "</small>");
    }
    html_put(h, "</span>");
}

static void put_image(Html *h, const Picture *p)
{
    html_put(h, "<image width=\"%d\" height=\"%d\" href=\"", p->width, p->height);
    html_picture(h, p);
    html_put(h, "\"/>");
}

/* Glimpses of one looker side by side; `reads`: with what was read under each. */
static void put_glimpses(Html *h, const Names *names, const View *v, const Shot *s, int looker, bool reads)
{
    const Looker *l = &v->looker[looker];
    html_put(h, "<div class=\"crops%s\">", l->steps < 3 ? " few" : "");
    for (int step = 0; step < l->steps; step++) {
        html_put(h, "<figure class=\"crop s%d\">", step % 6);
        if (l->glimpse >= 0) {
            html_put(h, "<img alt=\"step %d\" src=\"", step + 1);
            html_picture(h, &s->glimpse[view_at(v, looker, step)]);
            html_put(h, "\"/>");
        }
        if (reads)
            put_read(h, names, s, step);
        html_put(h, "</figure>");
    }
    html_put(h, "</div>\n");
}

/* The maps and the short outputs. */
static void put_outputs(Html *h, const View *v, const Shot *s)
{
    for (int i = 0, at = 0; i < v->map_count; i++) {
        const NetValue *m = &net.values[v->map[i]];
        html_put(h, "<div class=\"crops few\">");
        for (int step = 0; step < (m->steps ? m->steps : 1); step++) {
            html_put(h, "<figure><img alt=\"%s\" src=\"", m->name);
            html_picture(h, &s->map[at++]);
            html_put(h, "\"/></figure>");
        }
        html_put(h, "</div>\n");
    }
    const double *number = s->number;
    for (int i = 0; i < v->line_count; i++) {
        const NetValue *value = &net.values[v->line[i]];
        html_put(h, "<p class=\"numbers\">%s", value->name);
        for (size_t e = 0; e < value->count * (size_t)(value->steps ? value->steps : 1); e++)
            html_put(h, " %.4g", *number++);
        html_put(h, "</p>\n");
    }
}

static void put_shot(Html *h, const Names *names, const View *v, const Shot *s)
{
    bool paired = v->main >= 0 && v->slots && v->looker[v->main].steps == v->slots && v->looker[v->main].glimpse >= 0;
    html_put(h, "<article class=\"shot\"><h3><span>example %" PRId64 "</span></h3>\n", s->example);
    if (v->input >= 0) {
        html_put(h, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"example %" PRId64 "\">", v->width, v->height, s->example);
        put_image(h, &s->image);
        for (int l = 0; l < v->looker_count; l++)
            for (int step = 0; step < v->looker[l].steps; step++)
                put_box(h, v, s->transform[view_at(v, l, step)], step, l != v->main);
        html_put(h, "</svg>\n");
    }
    if (s->drawing.pixels) {
        html_put(h, "<div class=\"crops few\" style=\"grid-auto-columns:1fr\"><figure><img alt=\"drawing\" src=\"");
        html_picture(h, &s->drawing);
        html_put(h, "\"/></figure></div>\n");
    }
    for (int l = 0; l < v->looker_count; l++)
        if (l != v->main && v->looker[l].glimpse >= 0)
            put_glimpses(h, names, v, s, l, false);
    if (v->main >= 0 && v->looker[v->main].glimpse >= 0)
        put_glimpses(h, names, v, s, v->main, paired);
    if (v->slots && !paired) {
        html_put(h, "<div class=\"crops\">");
        for (int slot = 0; slot < v->slots; slot++)
            put_read(h, names, s, slot);
        html_put(h, "</div>\n");
    }
    put_outputs(h, v, s);
    html_put(h, "</article>\n");
}

static void put_shots(Html *h, const Report *r, const Shot *shots, int count, const char *id, const char *title, const char *text)
{
    if (!count)
        return;
    section(h, id, title, text);
    html_put(h, "<div class=\"shots\">\n");
    for (int i = 0; i < count; i++)
        put_shot(h, &r->names, &r->view, &shots[i]);
    html_put(h, "</div></section>\n");
}

static void put_figures(Html *h, const Report *r)
{
    const View *v = &r->view;
    bool looks = v->main >= 0 && v->looker[v->main].transform >= 0, draws = v->drawing >= 0;
    put_shots(h, r, r->shown, r->shown_count, "examples", looks ? "Where it looked, what it read" : draws ? "What it drew" : "What it read",
              looks ? "The first examples of the split, not chosen.  A box on the image is where the transform of a step samples; below, what"
                      " was sampled, what was read in it and how sure the net was."
              : draws ? "The first examples of the split, not chosen: the input, and below it the net's drawing."
                      : "The first examples of the split, not chosen: what was read, and how sure the net was.");
    put_shots(h, r, r->worst, r->worst_count, "mistakes", draws ? "Worst drawings" : "Worst mistakes",
              draws ? "The examples with the largest squared error." : "The examples whose true labels the net held least likely.");
}

/* ---- confusion ------------------------------------------------------------------------------------------------------------ */

enum { MATRIX_MOST = 24 };

/* A column has room for a number alone; its name stands in the title. */
static void put_matrix(Html *h, const Names *names, int k, const int64_t *counts)
{
    const int classes = net.targets[k].classes;
    html_put(h, "<div class=\"panel\"><table class=\"confusion\">\n<tr><th></th>");
    for (int c = 0; c < classes; c++)
        html_put(h, "<th scope=\"col\" title=\""), put_class(h, names, k, c), html_put(h, "\">%d</th>", c);
    html_put(h, "</tr>\n");
    for (int row = 0; row < classes; row++) {
        int64_t all = 0;
        html_put(h, "<tr><th scope=\"row\">%d", row);
        if (names_class(names, k, row))
            html_put(h, " "), put_class(h, names, k, row);
        html_put(h, "</th>");
        for (int c = 0; c < classes; c++)
            all += counts[row * classes + c];
        for (int c = 0; c < classes; c++) {
            int64_t n = counts[row * classes + c];
            double share = all ? (double)n / (double)all : 0;
            if (n)
                html_put(h, "<td style=\"background:rgba(var(--%s),%.2f)\" title=\"%d read as %d: %.2f %%\">%" PRId64 "</td>",
                         row == c ? "good" : "bad", row == c ? 0.15 + 0.45 * share : fmin(0.85, 0.08 + 3 * sqrt(share) / 2), row, c, 100 * share, n);
            else
                html_put(h, "<td class=\"zero\">0</td>");
        }
        html_put(h, "</tr>\n");
    }
    html_put(h, "</table></div>\n");
}

/* Too many classes for a matrix: the most frequent confusions. */
static void put_frequent(Html *h, const Names *names, int k, const int64_t *counts)
{
    const int classes = net.targets[k].classes;
    int64_t limit = INT64_MAX;
    html_put(h, "<div class=\"panel\"><table>\n<tr><th>label</th><th>read</th><th class=\"n\">times</th></tr>\n");
    for (int rows = 0; rows < 20;) {
        int64_t most = 0;
        for (int i = 0; i < classes * classes; i++)
            if (i / classes != i % classes && counts[i] < limit && counts[i] > most)
                most = counts[i];
        if (!most)
            break;
        for (int i = 0; i < classes * classes && rows < 20; i++)
            if (i / classes != i % classes && counts[i] == most) {
                html_put(h, "<tr><td>");
                put_class(h, names, k, i / classes);
                html_put(h, "</td><td>");
                put_class(h, names, k, i % classes);
                html_put(h, "</td><td class=\"n\">%" PRId64 "</td></tr>\n", most);
                rows++;
            }
        limit = most;
    }
    html_put(h, "</table></div>\n");
}

static void put_confusion(Html *h, const Report *r)
{
    for (int k = 0; k < net.target_count && r->split; k++) {
        if (!r->survey.confusion[k])
            continue;
        char id[32];
        snprintf(id, sizeof id, "confusion%d", k + 1);
        section(h, id, "Confusion", "Rows: the label; columns: what was read in it.");
        if (net.targets[k].classes <= MATRIX_MOST)
            put_matrix(h, &r->names, k, r->survey.confusion[k]);
        else
            put_frequent(h, &r->names, k, r->survey.confusion[k]);
        html_put(h, "</section>\n");
    }
}

/* ---- how the transforms moved ---------------------------------------------------------------------------------------------- */

static void put_path(Html *h, const Report *r, int example, int step)
{
    const View *v = &r->view;
    int view = view_at(v, v->main, step), last = 0;
    double at[2] = { 0, 0 };
    html_put(h, "<polyline class=\"path s%d\" points=\"", step % 6);
    for (int f = 0; f < r->watch.count; f++) {
        const double *t = watch_at(&r->watch, v, f, example, view);
        double x = (t[2] + 1) / 2 * (v->width - 1) + 0.5, y = (t[5] + 1) / 2 * (v->height - 1) + 0.5;
        if (fabs(x) < 1e6 && fabs(y) < 1e6)
            html_put(h, "%.1f,%.1f ", at[0] = x, at[1] = y), last++;
    }
    html_put(h, "\"/>");
    if (last)
        html_put(h, "<circle class=\"spot s%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.2f\"/>", step % 6, at[0], at[1], v->width / 40.0);
}

static void put_moves(Html *h, const Report *r)
{
    const View *v = &r->view;
    if (!r->frame_count || !r->watched_count)
        return;
    section(h, "transforms", "How the transforms moved", "The first validation examples, from the first epoch to the last; in the last column, the way"
                                                         " the boxes' centres went over all epochs, with a spot at the end.");
    html_put(h, "<div class=\"moves\">\n");
    for (int i = 0; i < r->watched_count; i++) {
        html_put(h, "<div>");
        for (int f = 0; f <= r->frame_count; f++) {
            html_put(h, "<figure><svg viewBox=\"0 0 %d %d\">", v->width, v->height);
            if (f == 0) {
                html_put(h, "<g id=\"watched%d\">", i);
                put_image(h, &r->watched[i].image);
                html_put(h, "</g>");
            } else {
                html_put(h, "<use href=\"#watched%d\"/>", i);
            }
            for (int step = 0; step < v->looker[v->main].steps; step++)
                if (f < r->frame_count)
                    put_box(h, v, watch_at(&r->watch, v, r->frame[f], i, view_at(v, v->main, step)), step, false);
                else
                    put_path(h, r, i, step);
            html_put(h, "</svg>");
            if (f < r->frame_count)
                html_put(h, "<span>epoch %d</span></figure>", r->watch.epoch[r->frame[f]]);
            else
                html_put(h, "<span>all epochs</span></figure>");
        }
        html_put(h, "</div>\n");
    }
    html_put(h, "</div></section>\n");
}

/* ---- how it was made --------------------------------------------------------------------------------------------------------- */

static void row(Html *h, const char *name, const char *value)
{
    html_put(h, "<tr><th scope=\"row\">");
    html_text(h, name);
    html_put(h, "</th><td class=\"wrap\">");
    html_text(h, value);
    html_put(h, "</td></tr>\n");
}

static void value_row(Html *h, const JsonValue *v)
{
    char text[64];
    snprintf(text, sizeof text, v->kind == JSON_NUMBER ? "%.10g" : v->kind == JSON_BOOL ? (v->truth ? "yes" : "no") : "-", v->number);
    row(h, v->key, v->kind == JSON_STRING ? v->string : text);
}

static void put_training(Html *h, const Report *r)
{
    const JsonValue *train = json_get(r->settings.root, "train");
    const NetTraining *t = net.training;
    char text[100];
    html_put(h, "<div class=\"panel\"><table>\n");
    row(h, "model", net.source);
    row(h, "optimiser", t->optimiser);
    snprintf(text, sizeof text, "%d", net.batch);
    row(h, "batch", text);
    if (train && train->kind == JSON_OBJECT) {
        const JsonValue *dropout = json_get(r->settings.root, "dropout");
        for (const JsonValue *v = train->first; v; v = v->next)
            value_row(h, v);
        for (const JsonValue *v = dropout && dropout->kind == JSON_OBJECT ? dropout->first : NULL; v; v = v->next)
            value_row(h, v);
    } else {
        for (int i = 0; i < settings_count(); i++)
            row(h, settings_short_name(settings_name(i)), settings_text(text, sizeof text, t, i));
    }
    row(h, "precision", net.precision);
    row(h, "form", net.form);
    row(h, "target", net.target);
    row(h, "model hash", net.hash);
    row(h, "signature", net.signature);
    html_put(h, "</table></div>\n");
}

static void put_machine(Html *h, const Report *r)
{
    static const char *const from_run[] = { "threads", "data" };
    html_put(h, "<div class=\"panel\"><table>\n");
    for (int i = 0; i < 2; i++) {
        const JsonValue *v = json_get(r->settings.root, from_run[i]);
        if (v)
            value_row(h, v);
    }
    if (r->machine.root && r->machine.root->kind == JSON_OBJECT)
        for (const JsonValue *v = r->machine.root->first; v; v = v->next)
            value_row(h, v);
    html_put(h, "</table></div>\n");
}

static void put_setup(Html *h, const Report *r)
{
    section(h, "setup", "How it was made", "Settings of the training, and the machine it ran on.");
    html_put(h, "<div class=\"grid2\">\n");
    put_training(h, r);
    put_machine(h, r);
    html_put(h, "</div>\n<details><summary>Parameters</summary>\n<div class=\"panel\"><table>\n"
                "<tr><th>name</th><th>shape</th><th class=\"n\">count</th></tr>\n");
    for (int i = 0; i < net.param_count; i++) {
        const NetParam *p = &net.params[i];
        html_put(h, "<tr><td>");
        html_text(h, p->name);
        html_put(h, "</td><td>");
        for (int d = 0; d < p->rank; d++)
            html_put(h, "%s%d", d ? " × " : "", p->shape[d]);
        html_put(h, "</td><td class=\"n\">");
        html_count(h, (long long)p->count);
        html_put(h, "</td></tr>\n");
    }
    html_put(h, "</table></div></details>\n<details><summary>The model as it was compiled</summary>\n<pre>");
    html_text(h, net.yaml);
    html_put(h, "</pre></details></section>\n");
}

void page_write(Html *h, const Report *r)
{
    put_head(h, r);
    put_tiles(h, r);
    put_curves(h, r);
    put_results(h, r);
    put_positions(h, r);
    put_figures(h, r);
    put_confusion(h, r);
    put_moves(h, r);
    put_setup(h, r);
    html_put(h, "<footer>Made by ");
    html_text(h, net.name);
    html_put(h, ", a trainer that spnc wrote.</footer>\n</main>\n</body>\n</html>\n");
}
