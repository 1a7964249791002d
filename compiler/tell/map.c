/* map.c -- NAME.map.json: from lines of the YAML to lines and symbols of the C, and back.
 *
 * In: a Deck.  Out: one JSON object; its keys are documented in docs/compiler.md.  Lines count from 1; a pair [from, to] holds both ends.
 * `yaml_to_c` and `c_to_yaml` are for an editor's jumps; `operators`, `parameters` and `values` for its explanations.
 * A line is one of the model's file; a line of another file has its path as `file`, in `yaml_to_c` before the line ("nets.yaml:17"),
 * in `c_to_yaml` behind it. */
#include "base/json.h"
#include "emit/place.h"
#include "tell/card.h"
#include <stdlib.h>
#include <string.h>

/* [from, to] */
static void lines(Json *j, const char *key, int from, int to)
{
    json_opens(j, key, '[');
    json_int(j, NULL, from);
    json_int(j, NULL, to);
    json_closes(j, ']');
}

static void other_file(Json *j, const Deck *d, Loc at)
{
    if (at.file != d->m->file)
        json_text(j, "file", at.file->path);
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

static void operators(Json *j, const Deck *d)
{
    json_opens(j, "operators", '[');
    for (int i = 0; i < d->count; i++) {
        const Card *c = &d->cards[i];
        const Op *op = c->op;
        json_break(j, "\n  ");
        json_opens(j, NULL, '{');
        json_text(j, "name", op->name);
        other_file(j, d, op->loc);
        json_text(j, "op", card_operator(c));
        lines(j, "yaml", c->yaml_from, c->yaml_to);
        json_int(j, "column", op->loc.column);
        lines(j, "c", c->c_from, c->c_to);
        json_text(j, "equation", OP_INFO(op)->equation);
        json_opens(j, "reads", '[');
        for (int k = 0; k < op->read_count; k++)
            if (op->reads[k].tensor->space != RAW)
                json_text(j, NULL, op->reads[k].tensor->name);
        json_closes(j, ']');
        json_text(j, "writes", op->writes[0].tensor->name);
        json_text(j, "shape", card_shape(d->m, op->writes[0].tensor));
        json_opens(j, "parameters", '[');
        for (int k = 0; k < op->weight_count; k++)
            json_text(j, NULL, op->weights[k]->name);
        json_closes(j, ']');
        json_real(j, "multiply_adds", c->macs, 17);
        json_opens(j, "functions", '[');
        for (int k = 0; k < c->functions.count; k++) {
            const CardFunction *f = c->functions.items[k];
            json_opens(j, NULL, '{');
            json_text(j, "symbol", f->symbol);
            lines(j, "c", f->from, f->to);
            json_closes(j, '}');
        }
        json_closes(j, ']');
        json_opens(j, "calls", '[');
        for (int k = 0; k < c->calls.count; k++)
            json_int(j, NULL, *(int64_t *)c->calls.items[k]);
        json_closes(j, ']');
        json_closes(j, '}');
    }
    json_closes(j, ']');
}

/* A parameter or a value; `with` is what only the line of its definition in the C holds. */
static void name(Json *j, const Deck *d, const char *name, const char *symbol, Loc at, const char *shape, const char *with)
{
    json_break(j, "\n  ");
    json_opens(j, NULL, '{');
    json_text(j, "name", name);
    json_text(j, "symbol", symbol);
    other_file(j, d, at);
    json_text(j, "shape", shape);
    json_int(j, "yaml", at.line);
    json_int(j, "c", line_of(d, with));
    json_closes(j, '}');
}

static void names(Json *j, const Deck *d)
{
    Model *m = d->m;
    json_break(j, "\n");
    json_opens(j, "parameters", '[');
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *w = m->weights.items[i];
        name(j, d, w->name, w->field, w->loc, shape_text(m->arena, &w->shape), arena_printf(m->arena, " real %s[", w->field));
    }
    json_closes(j, ']');
    json_break(j, "\n");
    json_opens(j, "values", '[');
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *v = m->tensors.items[i];
        if (v->flow_name)
            name(j, d, v->flow_name, place_name(m, v), v->loc, card_shape(m, v), arena_printf(m->arena, "%s;", place_declaration(m, v)));
    }
    json_closes(j, ']');
}

typedef struct { int from, to, yaml; const Source *file; } Range;

static int by_line(const void *x, const void *y)
{
    const Range *a = x, *b = y;
    return a->from != b->from ? a->from - b->from : a->yaml - b->yaml;
}

static void ranges(Json *j, const Deck *d)
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
    json_break(j, "\n");
    json_opens(j, "yaml_to_c", '{');
    for (int f = 0; f < d->yaml.count; f++) {
        const YamlLines *y = d->yaml.items[f];
        for (int line = 1; line <= y->count; line++) {
            bool found = false;
            for (int i = 0; i < n; i++) {
                if (r[i].yaml != line || r[i].file != y->file)
                    continue;
                if (!found) {
                    json_break(j, "\n  ");
                    json_opens(j, card_line(d->m, (Loc){ .line = line, .file = y->file }), '[');
                }
                lines(j, NULL, r[i].from, r[i].to);
                found = true;
            }
            if (found)
                json_closes(j, ']');
        }
    }
    json_closes(j, '}');
    json_break(j, "\n");
    json_opens(j, "c_to_yaml", '[');
    for (int i = 0; i < n; i++) {
        json_opens(j, NULL, '[');
        json_int(j, NULL, r[i].from);
        json_int(j, NULL, r[i].to);
        json_int(j, NULL, r[i].yaml);
        if (r[i].file != d->m->file)
            json_text(j, NULL, r[i].file->path);
        json_closes(j, ']');
    }
    json_closes(j, ']');
}

void map_write(Text *out, const Deck *d)
{
    Model *m = d->m;
    Json json = { .out = out, .form = JSON_TIGHT }, *j = &json;
    json_opens(j, NULL, '{');
    json_text(j, "model", m->name);
    json_text(j, "yaml", m->file->path);
    json_text(j, "c", arena_printf(m->arena, "%s.c", m->name));
    json_break(j, "\n");
    operators(j, d);
    names(j, d);
    ranges(j, d);
    json_break(j, "\n");
    json_closes(j, '}');
    text_printf(out, "\n");
}
