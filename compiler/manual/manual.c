/* manual.c -- `spnc templates`: the list of templates, and the facts of each.
 *
 * In: the templates' own opening comments, and the table of facts.c.  The operators of a template follow from the templates: NAME.c.in
 * belongs to operator NAME, and a template that has another's name in quotes may include it.  The one convention: emit.c, page.c and ops/
 * set a fact, that table documents it; the tests compare the two in both directions. */
#include "manual/manual.h"
#include "base/embed.h"
#include "outside/outside.h"
#include "template/template.h"

#include <string.h>

/* ---- the templates ------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name, *stem;     /* conv.c.in, conv */
    Source source;
    bool reached;
} Entry;

typedef struct { Arena *arena; Entry *entries; int count; } Manual;

/* Is `word` one of the words of `list`? */
static bool word_of(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *w = list; *w; w += strcspn(w, " "), w += *w == ' ')
        if (strcspn(w, " ") == n && memcmp(w, word, n) == 0)
            return true;
    return false;
}

static Manual manual_new(Arena *a, const char *dir)
{
    Manual m = { a, NEW_ARRAY(a, Entry, embedded_templates_count + 2 * (op_count - OP_COUNT)), embedded_templates_count };
    for (int k = OP_COUNT; k < op_count; k++) {
        if (outside_of((OpKind)k)->builtin)
            continue;                           /* they are among the embedded templates */
        const OutsideTemplate *own[2] = { &outside_of((OpKind)k)->fast, &outside_of((OpKind)k)->plain };
        for (int i = 0; i < 2; i++)
            m.entries[m.count++] = (Entry){ .name = own[i]->name, .stem = arena_copy(a, own[i]->name, strcspn(own[i]->name, ".")), .source = own[i]->source };
    }
    for (int i = 0; i < embedded_templates_count; i++) {
        Entry *e = &m.entries[i];
        e->name = embedded_templates[i].name;
        e->stem = arena_copy(a, e->name, strcspn(e->name, "."));
        if (template_load(a, dir, e->name, &e->source))
            template_load(a, NULL, e->name, &e->source);
    }
    return m;
}

static Entry *entry(const Manual *m, const char *name)
{
    for (int i = 0; i < m->count; i++)
        if (!strcmp(m->entries[i].name, name) || !strcmp(m->entries[i].stem, name))
            return &m->entries[i];
    return NULL;
}

/* True if `a` contains the name of `b` in quotes. */
static bool quotes(const Manual *m, const Entry *a, const Entry *b)
{
    return strstr(a->source.text, arena_printf(m->arena, "\"%s\"", b->name)) != NULL;
}

static void reach(const Manual *m, Entry *e)
{
    if (e->reached)
        return;
    e->reached = true;
    for (int i = 0; i < m->count; i++)
        if (quotes(m, e, &m->entries[i]))
            reach(m, &m->entries[i]);
}

/* The operators whose templates include e, directly or not, as words; empty for the file around them. */
static const char *kinds_of(const Manual *m, const Entry *e)
{
    Text kinds = { .arena = m->arena };
    for (int k = 0; k < op_count; k++) {
        const Outside *o = outside_of((OpKind)k);
        Entry *own[2] = { entry(m, o ? o->plain.name : op_table[k]->name), o ? entry(m, o->fast.name) : NULL };
        for (int i = 0; i < m->count; i++)
            m->entries[i].reached = false;
        for (int i = 0; i < 2; i++)
            if (own[i])
                reach(m, own[i]);
        if (e->reached)
            text_printf(&kinds, "%s%s", kinds.length ? " " : "", op_table[k]->name);
    }
    return kinds.text ? kinds.text : "";
}

/* The opening comment: the first lines in a row that begin with "% -- ". */
static const char *comment(const Manual *m, const Entry *e)
{
    Text text = { .arena = m->arena };
    const char *line = e->source.text;
    while (line && *line && strncmp(line, "% -- ", 5) != 0) {
        line = strchr(line, '\n');
        line += line != NULL;
    }
    for (; line && strncmp(line, "% -- ", 5) == 0; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t n = strcspn(line, "\n");
        text_printf(&text, "%.*s\n", (int)(n - 5), line + 5);
    }
    return text.text ? text.text : "";
}

static void list(const Manual *m, FILE *out)
{
    for (int i = 0; i < m->count; i++) {
        const Entry *e = &m->entries[i];
        const char *about = comment(m, e);
        for (int k = 0; k < 2; k++) {
            const char *prefix = arena_printf(m->arena, "%s: ", k ? e->stem : e->name);
            about += strncmp(about, prefix, strlen(prefix)) ? 0 : strlen(prefix);
        }
        fprintf(out, "  %-28s ", e->name);
        for (; *about && !(about[0] == '.' && (about[1] == ' ' || about[1] == '\n')); about++)
            fputc(*about == '\n' ? ' ' : *about, out);
        fputc('\n', out);
    }
    fprintf(out, "\nspnc templates NAME explains one, and the facts it may use. A file of that name in a folder of yours, given by --templates, is used instead;\n"
                 "spnc templates NAME -o FOLDER puts a copy there to begin with.\n");
}

/* ---- the page of one ------------------------------------------------------------------------------------------ */

enum { WIDTH = 26 };          /* of the column of names */

/* The kinds of `all` that have the fact. */
static const char *having(const Manual *m, const FactDoc *d, const char *all, bool *every)
{
    Text have = { .arena = m->arena };
    *every = true;
    for (int k = 0; k < op_count; k++) {
        if (!word_of(all, op_table[k]->name))
            continue;
        if (d->kinds && !word_of(d->kinds, k < OP_COUNT ? op_table[k]->name : "outside"))
            *every = false;
        else
            text_printf(&have, "%s%s", have.length ? " " : "", op_table[k]->name);
    }
    return have.text;
}

static void facts(const Manual *m, FILE *out, const char *table, const char *title, const char *kinds)
{
    fprintf(out, "\n%s\n", title);
    for (const FactDoc *d = fact_docs; d->table; d++) {
        bool every = true;
        const char *only = *kinds ? having(m, d, kinds, &every) : d->kinds;
        if (strcmp(d->table, table) != 0 || (*kinds && !only))
            continue;
        Text names = { .arena = m->arena };
        for (const char *c = d->names; *c; c++)
            text_printf(&names, "%c%s", *c == ' ' ? ',' : *c, *c == ' ' ? " " : "");
        if (names.length > WIDTH)
            fprintf(out, "  %s\n  %*s", names.text, WIDTH, "");
        else
            fprintf(out, "  %-*s", WIDTH, names.text);
        fprintf(out, " %-10s %s", d->type, d->meaning);
        if (only && (!every || !*kinds))
            fprintf(out, "  (%s)", only);
        fputc('\n', out);
    }
}

/* True if one of the operators of the list is described, not written in C. */
static bool described(const char *kinds)
{
    for (int k = OP_COUNT; k < op_count; k++)
        if (word_of(kinds, op_table[k]->name))
            return true;
    return false;
}

/* The tables below the fact op.schedule. */
static void schedule_tables(const Manual *m, FILE *out)
{
    bool inside = false;
    for (const FactDoc *d = fact_docs; d->table; d++) {
        inside = (inside || !strcmp(d->table, "schedule")) && strcmp(d->table, "parameter") != 0;
        if (inside && strcmp(d->table, d[-1].table) != 0)
            facts(m, out, d->table, strcmp(d->table, "schedule") ? d->table : "op.schedule", "");
    }
}

static void page(const Manual *m, FILE *out, const Entry *e)
{
    const char *kinds = kinds_of(m, e), *text = comment(m, e);
    Text by = { .arena = m->arena };
    for (int i = 0; i < m->count; i++)
        if (quotes(m, &m->entries[i], e))
            text_printf(&by, "%s%s", by.length ? ", " : "", m->entries[i].name);
    fprintf(out, "%s (%s)\n\n", e->name, e->source.path);
    for (const char *c = text; *c; c += strcspn(c, "\n") + 1)
        fprintf(out, "  %.*s\n", (int)strcspn(c, "\n"), c);
    if (by.text || *kinds)
        fputc('\n', out);
    if (*kinds)
        fprintf(out, "  operators    %s\n", kinds);
    if (by.text)
        fprintf(out, "  included by  %s\n", by.text);
    if (!strcmp(e->name, "show.html.in")) {
        facts(m, out, "page", "facts", "");
        return;
    }
    if (*kinds) {
        facts(m, out, "unit", "op: the operator", kinds);
        if (word_of(kinds, "conv") || word_of(kinds, "dense") || word_of(kinds, "conv_pool"))
            schedule_tables(m, out);
        facts(m, out, "value", "op.x, op.y, op.inputs[i]: its tensors", "");
        if (described(kinds))
            facts(m, out, "parameter", "op.parameters[i]", "");
        facts(m, out, "net", "net: the program", "");
        fprintf(out, "\nThe other facts of the whole file are there too: spnc templates net. What an including template gives beside them, its comment says.\n");
        return;
    }
    facts(m, out, "", "facts", "");
    for (const FactDoc *d = fact_docs; d->table; d++)
        if (*d->table && strcmp(d->table, "page") != 0 && strcmp(d->table, d[-1].table) != 0)
            facts(m, out, d->table, d->table, "");
}

const char *template_named(Arena *a, const char *name, const char **suggestion)
{
    int own = 2 * (op_count - OP_COUNT), count = embedded_templates_count + own;      /* spnc's own described ones are in both */
    const char **known = NEW_ARRAY(a, const char *, count);
    for (int i = 0; i < count; i++) {
        const Outside *o = i < own ? outside_of((OpKind)(OP_COUNT + i / 2)) : NULL;
        const char *file = !o ? embedded_templates[i - own].name : i % 2 ? o->plain.name : o->fast.name;
        known[i] = arena_copy(a, file, strcspn(file, "."));
        if (!strcmp(file, name) || !strcmp(known[i], name))
            return file;
    }
    *suggestion = diag_suggestion(a, name, known, count);
    return NULL;
}

void templates_print(Arena *a, FILE *out, const char *dir, const char *file)
{
    Manual m = manual_new(a, dir);
    if (file)
        page(&m, out, entry(&m, file));
    else
        list(&m, out);
}
