/* fact.c -- facts, the input of templates: a tree of ints, reals, bools, texts and tables.
 *
 * The stages write facts; template.c reads them through fact.h.  A table has fields and a list part, as in
 * Lua.  Fields keep the order in which they were first set, so a template that walks them always writes
 * the same C; setting a field again replaces its value.  Texts are copied; a table given twice is shared. */
#include "template/fact.h"

#include <string.h>

static Fact *fact_new(Arena *a, FactKind kind)
{
    Fact *f = NEW(a, Fact);
    f->kind = kind;
    f->arena = a;
    return f;
}

static Fact *text_new(Arena *a, const char *v)
{
    if (!v)
        unreachable("a fact without its text");
    Fact *f = fact_new(a, FACT_TEXT);
    f->text = arena_copy(a, v, strlen(v));
    return f;
}

static int find(const Fact *t, const char *key)
{
    for (int i = 0; i < t->keys.count; i++)
        if (strcmp(t->keys.items[i], key) == 0)
            return i;
    return -1;
}

static Fact *int_new(Arena *a, FactKind kind, int64_t v)
{
    Fact *f = fact_new(a, kind);
    f->i = v;
    return f;
}

Fact *fact_table(Arena *a)
{
    return fact_new(a, FACT_TABLE);
}

void fact_set(Fact *t, const char *key, Fact *sub)
{
    if (t->kind != FACT_TABLE || !sub)
        unreachable(key);
    int at = find(t, key);
    if (at >= 0) {
        t->values.items[at] = sub;
        return;
    }
    list_push(t->arena, &t->keys, arena_copy(t->arena, key, strlen(key)));
    list_push(t->arena, &t->values, sub);
}

void fact_push(Fact *list, Fact *item)
{
    if (list->kind != FACT_TABLE || !item)
        unreachable("an item pushed to what is no list");
    list_push(list->arena, &list->items, item);
}

void fact_int(Fact *t, const char *key, int64_t v)
{
    fact_set(t, key, int_new(t->arena, FACT_INT, v));
}

void fact_bool(Fact *t, const char *key, bool v)
{
    fact_set(t, key, int_new(t->arena, FACT_BOOL, v));
}

void fact_real(Fact *t, const char *key, double v)
{
    Fact *f = fact_new(t->arena, FACT_REAL);
    f->r = v;
    fact_set(t, key, f);
}

void fact_text(Fact *t, const char *key, const char *v)
{
    fact_set(t, key, text_new(t->arena, v));
}

void fact_push_text(Fact *list, const char *v)
{
    fact_push(list, text_new(list->arena, v));
}

void fact_push_int(Fact *list, int64_t v)
{
    fact_push(list, int_new(list->arena, FACT_INT, v));
}

void fact_place(Fact *t, Loc at)
{
    fact_int(t, "line", at.line), fact_int(t, "column", at.column), fact_int(t, "span", at.length);
    t->place = at;
}

const Fact *fact_get(const Fact *table, const char *key)
{
    int at = find(table, key);
    return at < 0 ? NULL : table->values.items[at];
}

bool fact_equal(const Fact *a, const Fact *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->keys.count != b->keys.count || a->items.count != b->items.count)
        return false;
    if (a->kind == FACT_TEXT)
        return strcmp(a->text, b->text) == 0;
    if (a->kind == FACT_REAL)
        return memcmp(&a->r, &b->r, sizeof a->r) == 0;
    if (a->kind != FACT_TABLE)
        return a->i == b->i;
    for (int i = 0; i < a->keys.count; i++)
        if (strcmp(a->keys.items[i], b->keys.items[i]) != 0 || !fact_equal(a->values.items[i], b->values.items[i]))
            return false;
    for (int i = 0; i < a->items.count; i++)
        if (!fact_equal(a->items.items[i], b->items.items[i]))
            return false;
    return true;
}

void fact_sizes(Fact *f, const char *const *names, const int64_t *sizes, int count)
{
    Text all = { .arena = f->arena };
    Fact *bound = fact_table(f->arena);
    for (int i = 0; i < count; i++) {
        fact_text(bound, names[i], sizes[i] == 1 ? "1" : names[i]);
        if (sizes[i] != 1)
            text_printf(&all, "%s%s = %lld", all.length ? ", " : "", names[i], (long long)sizes[i]);
    }
    fact_text(f, "sizes", all.length ? all.text : "");
    fact_set(f, "bound", bound);
}
