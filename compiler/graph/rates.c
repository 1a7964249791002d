/* rates.c -- the dropout rates that a run can set (`train --set dropout=0.3`), and each dropout layer's factor.
 *
 * Reads the rates that flow.c noted, as written; makes Model.rates and each layer's Op.rate.  A parameter of the model is a setting of the
 * run if nothing but dropout rates reads it, each a product that it begins ($dropout, $dropout * $after_conv3).  Any other rate is its
 * layer's: classify.dropout1.rate.  The values stay those of the model, and part of its hash; a layer that flow.c removed (rate
 * 0) cannot be restored by a run; it is listed so that the trainer can report that. */
#include "spnc.h"

#include <string.h>

typedef struct { Op *op; const char *layer; const Attr *rate; Param *by; double factor; } Noted;      /* op NULL: removed */

void rate_note(Model *m, Op *op, const char *layer, const Op *parsed)
{
    Noted *n = NEW(m->arena, Noted);
    *n = (Noted){ .op = op, .layer = layer, .rate = op_attr(parsed, "rate"), .factor = 1 };
    list_push(m->arena, &m->noted_rates, n);
    if (op)
        return;
    LeftOut *out = NEW(m->arena, LeftOut);
    *out = (LeftOut){ .name = layer, .loc = parsed->loc, .behind = m->ops.count ? m->ops.items[m->ops.count - 1] : NULL };
    list_push(m->arena, &m->left_out, out);
}

static double evaluate(Model *m, const Noted *n)
{
    Value v = { 0 };
    Yaml text = { .kind = YAML_SCALAR, .text = n->rate->text, .loc = n->rate->loc };
    return expr_value(m->arena, m->diag, &m->scope, &text, &v) ? v.r : 0;
}

/* The parameter that begins a product of parameters and numbers, if the rate is that and it stands there once; else NULL. */
static Param *first_factor(Model *m, const char *text)
{
    const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    if (!text || *text != '$' || text[strspn(text, " $.*/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] || strstr(text, "//"))
        return NULL;
    size_t length = strspn(text + 1, letters);
    for (int i = 0; i < m->scope.count; i++) {
        Param *p = &m->scope.params[i];
        if (strlen(p->name) != length || memcmp(p->name, text + 1, length) || p->value.kind == VALUE_TEXT)
            continue;
        for (const char *rest = strchr(text + 1, '$'); rest; rest = strchr(rest + 1, '$'))
            if (strspn(rest + 1, letters) == length && !memcmp(rest + 1, p->name, length))
                return NULL;
        return p;
    }
    return NULL;
}

/* Sets n->by and n->factor if the rate is factor * parameter, to the bit. */
static void find_factor(Model *m, Noted *n)
{
    Param *p = first_factor(m, n->rate->text);
    if (!p)
        return;
    Value was = p->value;
    p->value = (Value){ .kind = VALUE_INT, .i = 1, .r = 1, .text = "1" };
    int reads = p->reads;
    double factor = evaluate(m, n);
    p->value = was, p->reads = reads;
    if (factor >= 0 && factor * was.r == n->rate->number[0])
        n->by = p, n->factor = factor;
}

static int decided_by(const Model *m, const Param *p)
{
    int count = 0;
    for (int i = 0; i < m->noted_rates.count; i++)
        count += ((Noted *)m->noted_rates.items[i])->by == p;
    return count;
}

/* The setting `name`, new if need be; NULL when there are too many. */
static Rate *setting(Model *m, const char *name, double value)
{
    for (int i = 0; i < m->rates.count; i++)
        if (!strcmp(((Rate *)m->rates.items[i])->name, name))
            return m->rates.items[i];
    if (m->rates.count == RATES_MAX)
        return NULL;
    const char *end = strrchr(name, '.');
    char *c = arena_printf(m->arena, "%.*s_rate", end ? (int)(end - name) : (int)strlen(name), name), *first = c;
    for (char *dot = c; (dot = strchr(dot, '.')); *dot = '_')
        continue;
    for (int i = 0, number = 2; i < m->rates.count; i++)
        if (!strcmp(((Rate *)m->rates.items[i])->variable, c))
            c = arena_printf(m->arena, "%s%d", first, number++), i = -1;
    Rate *r = NEW(m->arena, Rate);
    *r = (Rate){ .name = name, .variable = c, .value = value, .removed = true };
    list_push(m->arena, &m->rates, r);
    return r;
}

void rates_choose(Model *m)
{
    for (int i = 0; i < m->noted_rates.count; i++)
        find_factor(m, m->noted_rates.items[i]);
    for (int i = 0; i < m->noted_rates.count; i++) {
        Noted *n = m->noted_rates.items[i];
        bool whole = n->by && n->by->reads == decided_by(m, n->by);
        if (whole && n->factor == 0)           /* off whatever the parameter is */
            continue;
        Rate *r = setting(m, whole ? n->by->name : arena_printf(m->arena, "%s.rate", n->layer), whole ? n->by->value.r : n->rate->number[0]);
        if (!r)
            continue;
        double factor = whole ? n->factor : 1;
        r->factor = factor > r->factor ? factor : r->factor;
        if (!n->op)
            continue;
        r->removed = false;
        n->op->dropout.rate = r;
        n->op->dropout.factor = factor;
    }
}
