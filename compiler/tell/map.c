/* map.c -- NAME.map.json: from lines of the YAML to lines and symbols of the C, and back.
 *
 * In: a Deck.  Out: one JSON object; docs/compiler.md says what is in it.  Lines count from 1; a pair [from, to] holds both ends.
 * `yaml_to_c` and `c_to_yaml` are for an editor that wants to jump; `operators`, `parameters` and `values` for one that wants to explain.
 * A line is one of the model's file; what comes from another has its path as `file`, in `yaml_to_c` before the line ("nets.yaml:17"),
 * in `c_to_yaml` behind it. */
#include "base/escape.h"
#include "tell/card.h"
#include <stdlib.h>
#include <string.h>

static void key(Text *t, const char *name, const char *value)
{
    text_printf(t, "\"%s\":", name);
    json_put(t, value);
}

static void other_file(Text *t, const Deck *d, Loc at)
{
    if (at.file != d->m->file) {
        key(t, "file", at.file->path);
        text_printf(t, ",");
    }
}

/* The line where `with` stands first; 0: nowhere. */
static int line_of(const Deck *d, const char *with)
{
    const char *at = strstr(d->c_lines[1], with);
    int low = 1, high = d->c_count;
    while (at && low < high) {
        int middle = (low + high + 1) / 2;
        if (d->c_lines[middle] <= at)
            low = middle;
        else
            high = middle - 1;
    }
    return at ? low : 0;
}

static void operators(Text *t, const Deck *d)
{
    Model *m = d->m;
    text_printf(t, "\"operators\":[");
    for (int i = 0; i < d->count; i++) {
        const Card *c = &d->cards[i];
        const Op *op = c->op;
        text_printf(t, "%s\n  {", i ? "," : "");
        key(t, "name", op->name);
        text_printf(t, ",");
        other_file(t, d, op->loc);
        text_printf(t, "\"op\":\"%s\",\"yaml\":[%d,%d],\"column\":%d,\"c\":[%d,%d],", card_operator(c), c->yaml_from, c->yaml_to, op->loc.column, c->c_from, c->c_to);
        key(t, "equation", OP_INFO(op)->equation);
        text_printf(t, ",\"reads\":[");
        for (int k = 0, n = 0; k < op->read_count; k++)
            if (op->reads[k].tensor->space != RAW) {
                text_printf(t, "%s", n++ ? "," : "");
                json_put(t, op->reads[k].tensor->name);
            }
        text_printf(t, "],\"writes\":");
        json_put(t, op->writes[0].tensor->name);
        text_printf(t, ",\"shape\":\"%s\",\"parameters\":[", card_shape(m, op->writes[0].tensor));
        for (int k = 0; k < op->weight_count; k++) {
            text_printf(t, "%s", k ? "," : "");
            json_put(t, op->weights[k]->name);
        }
        text_printf(t, "],\"multiply_adds\":%.17g,\"functions\":[", c->macs);
        for (int k = 0; k < c->functions.count; k++) {
            const CardFunction *f = c->functions.items[k];
            text_printf(t, "%s{\"symbol\":\"%s\",\"c\":[%d,%d]}", k ? "," : "", f->symbol, f->from, f->to);
        }
        text_printf(t, "],\"calls\":[");
        for (int k = 0; k < c->calls.count; k++)
            text_printf(t, "%s%lld", k ? "," : "", (long long)*(int64_t *)c->calls.items[k]);
        text_printf(t, "]}");
    }
    text_printf(t, "],\n");
}

static void names(Text *t, const Deck *d)
{
    Model *m = d->m;
    text_printf(t, "\"parameters\":[");
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *w = m->weights.items[i];
        text_printf(t, "%s\n  {", i ? "," : "");
        key(t, "name", w->name);
        text_printf(t, ",");
        key(t, "symbol", w->field);
        text_printf(t, ",");
        other_file(t, d, w->loc);
        text_printf(t, "\"shape\":\"%s\",\"yaml\":%d,\"c\":%d}", shape_text(m->arena, &w->shape), w->loc.line, line_of(d, arena_printf(m->arena, " real %s[", w->field)));
    }
    text_printf(t, "],\n\"values\":[");
    bool first = true;
    for (int i = 0; i < m->tensors.count; i++) {
        Tensor *v = m->tensors.items[i];
        if (!v->flow_name)
            continue;
        text_printf(t, "%s\n  {", first ? "" : ",");
        first = false;
        key(t, "name", v->flow_name);
        text_printf(t, ",");
        key(t, "symbol", arena_printf(m->arena, "%s_at", v->name));
        text_printf(t, ",");
        other_file(t, d, v->loc);
        text_printf(t, "\"shape\":\"%s\",\"yaml\":%d,\"c\":%d}", card_shape(m, v), v->loc.line, line_of(d, arena_printf(m->arena, "#define %s_at(", v->name)));
    }
    text_printf(t, "],\n");
}

typedef struct { int from, to, yaml; const Source *file; } Range;

static int by_line(const void *x, const void *y)
{
    const Range *a = x, *b = y;
    return a->from != b->from ? a->from - b->from : a->yaml - b->yaml;
}

static void ranges(Text *t, const Deck *d)
{
    int n = 0, most = d->count;
    for (int i = 0; i < d->count; i++)
        most += d->cards[i].calls.count;
    Range *r = NEW_ARRAY(d->m->arena, Range, most + 1);
    for (int i = 0; i < d->count; i++) {
        const Card *c = &d->cards[i];
        if (c->c_from)
            r[n++] = (Range){ c->c_from, c->c_to, c->yaml_from, c->op->loc.file };
        for (int k = 0; k < c->calls.count; k++) {
            int line = (int)*(int64_t *)c->calls.items[k];
            r[n++] = (Range){ line, line, c->yaml_from, c->op->loc.file };
        }
    }
    qsort(r, (size_t)n, sizeof *r, by_line);
    text_printf(t, "\"yaml_to_c\":{");
    bool first = true;
    for (int f = 0; f < d->yaml.count; f++) {
        const YamlLines *y = d->yaml.items[f];
        for (int line = 1; line <= y->count; line++) {
            bool found = false;
            for (int i = 0; i < n; i++) {
                if (r[i].yaml != line || r[i].file != y->file)
                    continue;
                if (!found) {
                    text_printf(t, "%s\n  ", first ? "" : ",");
                    json_put(t, card_line(d->m, (Loc){ .line = line, .file = y->file }));
                    text_printf(t, ":[");
                    first = false;
                }
                text_printf(t, "%s[%d,%d]", found ? "," : "", r[i].from, r[i].to);
                found = true;
            }
            if (found)
                text_printf(t, "]");
        }
    }
    text_printf(t, "},\n\"c_to_yaml\":[");
    for (int i = 0; i < n; i++) {
        text_printf(t, "%s[%d,%d,%d", i ? "," : "", r[i].from, r[i].to, r[i].yaml);
        if (r[i].file != d->m->file) {
            text_printf(t, ",");
            json_put(t, r[i].file->path);
        }
        text_printf(t, "]");
    }
    text_printf(t, "]\n");
}

void map_write(Text *out, const Deck *d)
{
    Model *m = d->m;
    text_printf(out, "{");
    key(out, "model", m->name);
    text_printf(out, ",");
    key(out, "yaml", m->file->path);
    text_printf(out, ",");
    key(out, "c", arena_printf(m->arena, "%s.c", m->name));
    text_printf(out, ",\n");
    operators(out, d);
    names(out, d);
    ranges(out, d);
    text_printf(out, "}\n");
}
