/* names.c -- what words mean where entries are read: operators, nets, values, and the paths of parameters.
 *
 * In: the frame, the model's flow or the `do` of a net at one of its uses.  A net sees its inputs and its own entries alone; the flow sees the
 * inputs of the model too, and its targets where only losses read.  A name is bound to a Use: a tensor, and -1 where a carried state of the
 * step before is meant. */
#include "graph/model.h"
#include "read/expr.h"
#include <ctype.h>
#include <string.h>

Name *name_find(Builder *b, const char *word)
{
    for (int i = b->frame->names.count - 1; i >= 0; i--)
        if (strcmp(((Name *)b->frame->names.items[i])->name, word) == 0)
            return b->frame->names.items[i];
    return NULL;
}

bool room(Builder *b, Loc at)
{
    if (++b->layers == LAYERS_MAX + 1)
        diag_error(b->m->diag, at, "with this, the flow and its nets come to more than %d operators", LAYERS_MAX);
    return b->layers <= LAYERS_MAX;
}

/* ---- values ------------------------------------------------------------------------------------------ */

Name *name_bind(Builder *b, const char *name, Loc at, Use u)
{
    Name *n = NEW(b->m->arena, Name);
    *n = (Name){ .name = name, .loc = at, .tensor = u.tensor, .shift = u.shift, .repeat = b->repeat };
    list_push(b->m->arena, &b->frame->names, n);
    return n;
}

void name_refuse(Builder *b, const Yaml *key)
{
    if (!name_find(b, key->text))
        name_bind(b, key->text, key->loc, (Use){ NULL, 0 });
}

static const Absent *absent_find(const Builder *b, const char *word)
{
    for (int i = b->frame->absent.count - 1; i >= 0; i--)
        if (strcmp(((Absent *)b->frame->absent.items[i])->name, word) == 0)
            return b->frame->absent.items[i];
    return NULL;
}

/* An input or a target of the model called `word`; NULL: neither. */
static DataDef *data_find(Model *m, const char *word)
{
    for (int i = 0; i < m->input_count; i++)
        if (strcmp(m->inputs[i].name, word) == 0)
            return &m->inputs[i];
    for (int i = 0; i < m->target_count; i++)
        if (strcmp(m->targets[i].name, word) == 0)
            return &m->targets[i];
    return NULL;
}

/* "a, b and c": the values of a call, as `n.a`. */
static const char *values_of(Builder *b, const char *word)
{
    Text t = { .arena = b->m->arena };
    size_t n = strlen(word);
    for (int i = 0; i < b->frame->names.count; i++) {
        const Name *x = b->frame->names.items[i];
        if (strncmp(x->name, word, n) == 0 && x->name[n] == '.')
            text_printf(&t, "%s%s", t.length ? ", " : "", x->name);
    }
    return t.text ? t.text : "";
}

static bool unknown_value(Builder *b, const char *word, Loc at)
{
    Model *m = b->m;
    const bool flow = !b->frame->net;
    const char **list = NEW_ARRAY(m->arena, const char *, m->input_count + b->frame->names.count + 1);
    int count = 0;
    for (int i = 0; flow && i < m->input_count; i++)
        list[count++] = m->inputs[i].name;
    for (int i = 0; i < b->frame->names.count; i++)
        list[count++] = ((Name *)b->frame->names.items[i])->name;
    const char *what, *form = operator_written(b, word, &what);
    if (form) {
        diag_error(m->diag, at, "'%s' is %s, not a value: write %s", word, what, form);
        return false;
    }
    diag_error(m->diag, at, "no value is called '%s' here%s", word, diag_suggestion(m->arena, word, list, count));
    if (flow)
        diag_note(m->diag, (Loc){ 0 }, "a value is an input, or a name that an entry above defines");
    else
        diag_note(m->diag, b->frame->net->loc, "the net '%s' sees its own inputs and entries alone", b->frame->net->name);
    return false;
}

bool name_of_parameter(const char *word)
{
    static const char *const endings[] = { "weight", "bias", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "init" };
    const char *dot = strrchr(word, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcmp(dot + 1, endings[i]) == 0)
            return true;
    return false;
}

bool name_is_known(Builder *b, const char *word) { return name_find(b, word) || (!b->frame->net && data_find(b->m, word)); }

bool name_resolve(Builder *b, const char *word, Loc at, Use *out, bool keep_steps)
{
    Model *m = b->m;
    Name *n = name_find(b, word);
    if (n && n->several) {
        const char *values = values_of(b, word);
        if (strchr(values, ','))
            diag_error(m->diag, at, "'%s' has several values: %s", word, values);
        else
            diag_error(m->diag, at, "the value of '%s' has a name, %s: a map under `out:` names values", word, values);
        return false;
    }
    if (n && n->twin && !repeat_within(b->repeat, n->repeat)) {
        diag_error(m->diag, at, "'%s' is made in %s and in %s, so it is not read outside of them: give one of the two another name", word, n->twin->repeat->name, n->repeat->name);
        diag_note(m->diag, n->twin->loc, "the one in %s", n->twin->repeat->name);
        diag_note(m->diag, n->loc, "the one in %s", n->repeat->name);
        return false;
    }
    if (n) {
        n->outside = n->outside || !repeat_within(b->repeat, n->repeat);
        if (!n->tensor)
            return false;
        *out = (Use){ n->tensor, n->shift };
        if (n->shift && n->tensor->repeat != b->repeat) {
            n->copied = n->copied ? n->copied : make_before(b, *out, at);
            *out = (Use){ n->copied, 0 };
        }
        if (!keep_steps)
            *out = make_outside(b, *out, at);
        return true;
    }
    const char *dot = strrchr(word, '.');
    const Name *whole = dot ? name_find(b, arena_copy(m->arena, word, (size_t)(dot - word))) : NULL;
    if (whole && !whole->tensor && !whole->several)     /* a value of an entry that has an error */
        return false;
    DataDef *d = b->frame->net ? NULL : data_find(m, word);
    const Absent *absent = d ? NULL : absent_find(b, word);
    if (absent) {
        diag_error(m->diag, at, "'%s' is not there: %s does not hold", word, absent->condition);
        diag_note(m->diag, absent->loc, "its entry");
        return false;
    }
    if (!d && name_of_parameter(word)) {
        *out = (Use){ make_reference(b, word, *b->frame->path ? path_in(b, word) : NULL, at), 0 };
        return true;
    }
    if (!d)
        return unknown_value(b, word, at);
    if (d->type == REFUSED)
        return false;
    *out = (Use){ data_value(m, d), 0 };
    return true;
}

/* ---- paths of parameters ------------------------------------------------------------------------------ */

const char *path_in(Builder *b, const char *name)
{
    return *b->frame->path ? arena_printf(b->m->arena, "%s.%s", b->frame->path, name) : name;
}

const char *entry_inner(Builder *b, Entry *e, const char *word)
{
    for (int i = 0; i < e->counted.count; i++) {
        Counted *c = e->counted.items[i];
        if (strcmp(c->word, word) == 0)
            return arena_printf(b->m->arena, "%s.%s%d", e->name, word, ++c->count);
    }
    Counted *c = NEW(b->m->arena, Counted);
    *c = (Counted){ word, 1 };
    list_push(b->m->arena, &e->counted, c);
    return arena_printf(b->m->arena, "%s.%s1", e->name, word);
}

/* A part of the model that a condition leaves out: its $parameters, and the nets that a whole word of it names, are used by another setting. */
static void count_as_used(Builder *b, const Yaml *y)
{
    if (y->kind == YAML_SCALAR) {
        Scope *scope = &b->m->scope;
        for (const char *at = strchr(y->text, '$'); at; at = strchr(at + 1, '$'))
            for (int i = 0; i < scope->count; i++) {
                const size_t n = strlen(scope->params[i].name);
                scope->params[i].reads += strncmp(at + 1, scope->params[i].name, n) == 0 && !isalnum((unsigned char)at[1 + n]) && at[1 + n] != '_';
            }
        Net *net = net_find(b, y->text);
        if (net)
            net->used = true;
    }
    for (int i = 0; i < y->count; i++) {
        if (y->kind == YAML_MAP)
            count_as_used(b, y->keys[i]);
        count_as_used(b, y->items[i]);
    }
}

bool when_holds(Builder *b, const Yaml *y, bool *holds, const char **condition)
{
    const Yaml *when = y && y->kind == YAML_MAP ? yaml_get(y, "when") : NULL;
    *holds = true;
    *condition = when && when->kind == YAML_SCALAR ? when->text : NULL;
    if (!when)
        return true;
    if (when->kind != YAML_SCALAR) {
        diag_error(b->m->diag, when->loc, "when is a condition: when: $stride > 1");
        return false;
    }
    if (!expr_when(b->m->arena, b->m->diag, &b->m->scope, when, holds))
        return false;
    if (!*holds)
        count_as_used(b, y);
    return true;
}
