/* The manual of templates: every fact that a template can read is in the table with its type, and nothing is in the table that no template
 * can read.  The facts are those of the committed models and of every example of `spnc ops`, in all forms. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit/library.h"
#include "tell/card.h"
#include "template/fact.h"
#include "read/language.h"
#include "manual/manual.h"
#include "outside/outside.h"
#include "pipeline.h"
#include "tell/show.h"
#include "template/template.h"

enum { ROWS = 1024, NAMES = 24 };
static bool seen[ROWS][NAMES];              /* a name of a row ... */
static bool of_kind[ROWS][OP_NONE];         /* ... and an operator that had it */
static int checked;

TestSuite(manual, .init = ops_register, .timeout = 600);

static int place_in(const char *list, const char *word)
{
    size_t n = strlen(word);
    int at = 0;
    for (const char *w = list; *w; w += strcspn(w, " "), w += *w == ' ', at++)
        if (strcspn(w, " ") == n && memcmp(w, word, n) == 0)
            return at;
    return -1;
}

/* What the column of kinds calls it. */
static const char *kind_name(int kind) { return kind < OP_COUNT ? op_table[kind]->name : "outside"; }

static void walk(const Fact *f, const char *table, int kind);

static void check(const Fact *v, const char *type, const char *where)
{
    size_t n = strlen(type);
    if (n > 2 && !strcmp(type + n - 2, "[]")) {
        char item[32];
        snprintf(item, sizeof item, "%.*s", (int)(n - 2), type);
        cr_assert(v->kind == FACT_TABLE && v->keys.count == 0, "%s is no list", where);
        for (int i = 0; i < v->items.count; i++)
            check(v->items.items[i], item, where);
        return;
    }
    if (!strcmp(type, "by name")) {
        cr_assert(v->kind == FACT_TABLE && v->items.count == 0, "%s is no table", where);
        return;
    }
    static const char *const plain[] = { [FACT_INT] = "int", [FACT_REAL] = "real", [FACT_BOOL] = "bool", [FACT_TEXT] = "text" };
    if (v->kind != FACT_TABLE) {
        cr_assert(strcmp(plain[v->kind], type) == 0, "%s is said to be %s, and is %s", where, type, plain[v->kind]);
        return;
    }
    int kind = -1;
    for (int k = 0; !strcmp(type, "unit") && k < op_count; k++)
        if (!strcmp(op_table[k]->name, fact_get(v, "kind")->text) && (kind < 0 || strcmp(fact_get(v, "template")->text, "formula.c.in") != 0))    /* `sum` is two */
            kind = k;
    walk(v, type, kind);
}

static void walk(const Fact *f, const char *table, int kind)
{
    for (int i = 0; i < f->keys.count; i++) {
        const char *key = f->keys.items[i], *name = kind < 0 ? "" : kind_name(kind);
        int found = -1;
        for (int r = 0; fact_docs[r].table; r++) {
            const FactDoc *d = &fact_docs[r];
            int at = strcmp(d->table, table) ? -1 : place_in(d->names, key);
            if (at < 0 || (d->kinds && place_in(d->kinds, name) < 0))
                continue;
            cr_assert(found < 0, "%s.%s is documented twice (%s)", table, key, name);
            found = r;
            seen[r][at] = true;
            if (kind >= 0)
                of_kind[r][kind] = true;
        }
        char where[128];
        snprintf(where, sizeof where, "%s.%s%s%s", table, key, *name ? " of " : "", name);
        cr_assert(found >= 0, "%s is set, and compiler/manual/facts.c does not say what it means", where);
        check(f->values.items[i], fact_docs[found].type, where);
        checked++;
    }
}

/* The facts of one model in one form: a file, or a text.  The operators of docs/operators are known. */
static void model(const char *path, const char *text, bool plain, bool debug)
{
    Arena *a = arena_new();
    Diag *diag = diag_new(a, stderr, false, false);
    Model m = { .arena = a, .diag = diag, .path = text ? NULL : path, .options = { .target = "avx2", .plain = plain, .debug = debug, .memory = (int64_t)64 << 30, .templates = "docs/operators" } };
    cr_assert(outside_read(a, diag, m.options.templates));
    m.root = text ? read_yaml(a, diag, source_new(a, path, text, strlen(text))) : read_file(a, diag, path);
    bool good = m.root;
    for (const Stage *s = stages; good && s->run != emit; s++)
        good = s->run(&m);
    cr_assert(good, "%s does not compile", path);
    walk(emit_facts(&m), "", -1);
    for (int latency = 0; text && !plain && latency < 2; latency++) {               /* as a library too, in both forms */
        Model l = { .arena = a, .diag = diag, .options = m.options, .root = m.root };
        l.options.inference = true;
        l.options.form = latency ? "latency" : "lanes";
        for (const Stage *s = stages; good && s->run != emit; s++)
            good = s->run(&l);
        cr_assert(good, "%s does not compile as a library", path);
        Fact *f = emit_facts(&l);
        library_facts(&l, f);
        l.facts = f;
        cr_assert(library_front(&l, (Model *const[]){ &l }, 1));        /* and as a part of a portable one */
        walk(f, "", -1);
    }
    if (!plain && !text) {
        cr_assert(emit(&m));
        walk(page_facts(deck_new(&m, &m.c)), "page", -1);
    }
    arena_free(a);
}

Test(manual, every_fact_is_documented_and_every_documented_fact_is_there)
{
    static const char *const models[] = { "models/tiny.yaml", "models/rnn_spn.yaml", "models/autoencoder.yaml", "tests/oracle/nets/options.yaml",
                                          "tests/oracle/nets/recurrent.yaml", "docs/operators/digits.yaml", "tests/fixtures/including.yaml", "tests/oracle/nets/samplers.yaml", "tests/oracle/nets/shared.yaml",
                                          "tests/oracle/nets/transforms.yaml", "tests/oracle/nets/nested.yaml" };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        for (int form = 0; form < 3; form++)
            model(models[i], NULL, form > 0, form == 2);
    for (int k = 0; k < OP_COUNT; k++)
        if (op_table[k]->help) {
            char text[4096];
            snprintf(text, sizeof text, "model: example\n%s", op_table[k]->help->example);
            model(op_table[k]->name, text, false, false);
        }
    char text[4096];
    snprintf(text, sizeof text, "model: example\n%s", map_augment.example);
    for (int plain = 0; plain < 2; plain++)
        model(map_augment.name, text, plain, false);
    /* pools that store what a dropout leaves: by themselves, and with the convolution below */
    model("pools", "model: pools\n"
                   "inputs: { x: { shape: [1, 14, 14] } }\n"
                   "targets: { y: { classes: 3 } }\n"
                   "nets:\n"
                   "  read: [conv: { filters: 8, act: relu }, maxpool: 2, dropout: 0.2, conv: { filters: 8, act: relu }, maxpool: 2, dropout: { rate: 0.3, over: channels }, dense: 3]\n"
                   "flow: [v: { read: x }]\n"
                   "loss: { cross_entropy: [v, y] }\n", false, false);
    /* the gradient to an input of few channels */
    model("few", "model: few\n"
                 "inputs: { x: { shape: [1, 14, 14] } }\n"
                 "targets: { y: { classes: 3 } }\n"
                 "nets:\n"
                 "  read: [conv: 2, conv: 8, dense: 3]\n"
                 "flow: [v: { read: x }]\n"
                 "loss: { cross_entropy: [v, y] }\n", false, false);
    /* a convolution that the latency form computes by Winograd's algorithm */
    model("large", "model: large\n"
                   "inputs: { x: { shape: [32, 20, 20] } }\n"
                   "targets: { y: { classes: 3 } }\n"
                   "nets:\n"
                   "  read: [conv: { filters: 64, kernel: 3 }, dense: 3]\n"
                   "flow: [v: { read: x }]\n"
                   "loss: { cross_entropy: [v, y] }\n", false, false);
    /* a formula with another operand, computed where a convolution stores */
    model("residual", "model: residual\n"
                      "inputs: { x: { shape: [4, 6, 6] } }\n"
                      "targets: { y: { classes: 3 } }\n"
                      "nets:\n"
                      "  read: { in: x, do: [{ c: { conv: x, filters: 4, kernel: 1 } }, { r: \"relu(c + x)\" }], out: r }\n"
                      "flow: [v: { dense: { read: x }, units: 3 }]\n"
                      "loss: { cross_entropy: [v, y] }\n", false, false);
    cr_assert(checked > 20000);
    for (int r = 0; fact_docs[r].table; r++) {
        const FactDoc *d = &fact_docs[r];
        cr_assert(r < ROWS && *d->meaning);
        int at = 0;
        for (const char *w = d->names; *w; w += strcspn(w, " "), w += *w == ' ', at++)
            cr_assert(seen[r][at], "%s.%.*s is documented, and nobody sets it", d->table, (int)strcspn(w, " "), w);
        for (int k = 0; d->kinds && k < op_count; k++)
            cr_assert(of_kind[r][k] == (place_in(d->kinds, kind_name(k)) >= 0), "%s.%s is documented for %s, which does not have it", d->table, d->names, kind_name(k));
    }
}

/* What a template reads of `op`, its page has. */
Test(manual, a_page_has_what_its_template_reads)
{
    Arena *a = arena_new();
    static const char *const names[] = { "conv_forward", "dense_fast", "maxpool", "spn", "conv_winograd", "gru_gates", "slice", "augment" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *said;
        size_t size;
        const char *suggestion, *file = template_named(a, names[i], &suggestion);
        cr_assert(file != NULL);
        FILE *out = open_memstream(&said, &size);
        templates_print(a, out, NULL, file);
        fclose(out);
        Source source;
        cr_assert(template_load(a, NULL, file, &source) == NULL);
        for (const char *at = source.text; (at = strstr(at, "op.")) != NULL; at += 3) {
            if (at > source.text && (at[-1] == '_' || at[-1] == '.' || (at[-1] >= 'a' && at[-1] <= 'z')))
                continue;
            char forms[4][64];
            bool there = false;
            int n = (int)strspn(at + 3, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
            for (int k = 0; k < 4; k++) {
                snprintf(forms[k], sizeof forms[k], "%s%.*s%s", k & 1 ? ", " : "\n  ", n, at + 3, k & 2 ? "," : " ");
                there = there || strstr(said, forms[k]);
            }
            cr_assert(n == 0 || there, "the page of %s does not have op.%.*s", file, n, at + 3);
        }
        free(said);
    }
    arena_free(a);
}
