/* emit.c -- hands the plan to the templates as plain facts, and gets C back.
 *
 * In: the planned graph.  Out: the texts of the generated folder: NAME.c, NAME_inspect.c, the Makefile and others.
 * Templates lay out C; every name, size, offset and argument list is decided here.  The one convention: an operator's function takes its
 * results, then its operands, then its weights, then arguments of its kind alone; v.NAME[s] is the tensor NAME of slice s, where slice
 * s = t * G + g is group g at step t (plain form: s = t * N + n, example n).  Operators with equal functions share one (equal.c). */
#include "base/embed.h"
#include "base/escape.h"
#include "emit/decisions.h"
#include "emit/halves.h"
#include "emit/library.h"
#include "emit/passes.h"
#include "emit/place.h"
#include "emit/program.h"
#include "emit/start.h"
#include "emit/tables.h"
#include "emit/tidy.h"
#include "emit/units.h"
#include "emit/wrap.h"
#include "graph/model.h"
#include "graph/window.h"
#include "outside/outside.h"
#include "read/language.h"
#include "schedule/choice.h"
#include "template/fact.h"
#include "template/template.h"
#include <stdlib.h>
#include <string.h>

/* "d=3 steps=4"; `net`: without the parameters that `train:` alone reads. */
static const char *settings_text(Model *m, bool net)
{
    Text t = { .arena = m->arena };
    for (int i = 0; i < m->scope.count; i++) {
        const Param *p = &m->scope.params[i];
        if (!net || p->net_reads || !p->reads)
            text_printf(&t, "%s%s=%s", t.length ? " " : "", p->name, p->value.text);
    }
    return t.text ? t.text : "";
}

/* The text, or nothing if it could end a comment. */
static const char *safe_text(const char *s)
{
    for (const char *c = s; *c; c++)
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') && !(*c >= '0' && *c <= '9') && !strchr("._-+= ", *c))
            return "";
    return s;
}

/* Where the text of each included file begins in that of the net. */
static Fact *included(Model *m)
{
    Fact *list = fact_table(m->arena);
    for (int i = 0; i < m->included.count; i++) {
        const Source *s = m->included.items[i];
        Fact *x = fact_table(m->arena);
        fact_text(x, "path", comment_path(m->arena, s->path, 0));
        fact_int(x, "line", tables_line(m, (Loc){ .line = 1, .file = s }));
        fact_push(list, x);
    }
    return list;
}

/* The lines of a text, each as a C string. */
static Fact *strings(Model *m, const Text *t)
{
    Fact *list = fact_table(m->arena);
    for (const char *line = t->text; line && *line;) {
        const size_t n = strcspn(line, "\n");
        fact_push_text(list, tables_string(m, line, n));
        line += n + (line[n] != '\0');
    }
    return list;
}

static Fact *net_fact(Model *m)
{
    Fact *f = fact_table(m->arena);
    const char *target = m->options.target;
    const Target *on = target_named(target);
    const char *s = settings_text(m, false);
    fact_text(f, "name", m->name);
    fact_text(f, "about", tables_string(m, m->about, strlen(m->about)));
    fact_text(f, "source", comment_path(m->arena, m->file->path, 0));
    fact_text(f, "settings_c", tables_string(m, s, strlen(s)));
    fact_text(f, "settings", safe_text(s));
    fact_text(f, "net_settings", safe_text(settings_text(m, true)));
    fact_text(f, "yaml", tables_yaml(m));
    fact_set(f, "onnx", strings(m, &m->onnx));
    fact_set(f, "parts", included(m));
    fact_int(f, "N", m->batch);
    fact_int(f, "G", m->groups);
    fact_int(f, "last", m->last_examples);
    fact_bool(f, "plain", m->options.plain);
    fact_bool(f, "debug", m->options.debug);
    fact_bool(f, "double", m->options.is_double);
    fact_text(f, "target", target);
    fact_int(f, "registers", on->registers);
    fact_int(f, "vec_registers", on->vec_registers[m->options.is_double]);
    fact_text(f, "signature", arena_printf(m->arena, "%016llx", (unsigned long long)m->signature));
    fact_text(f, "hash", arena_printf(m->arena, "%016llx", (unsigned long long)m->hash));
    fact_int(f, "activation_reals", m->activation_reals);
    fact_int(f, "scratch_reals", m->scratch_reals);
    fact_int(f, "block_reals", m->block_reals);
    fact_real(f, "forward_macs", m->forward_macs);
    fact_real(f, "backward_macs", m->backward_macs);
    fact_text(f, "flags", on->flags);
    fact_text(f, "cpu", on->level ? target : "");
    fact_bool(f, "inference", m->options.inference);
    fact_bool(f, "mpi", m->options.mpi);
    return f;
}

/* The fewest digits that read back as the same number. */
static const char *digits(Model *m, double v)
{
    char text[40];
    for (int n = 6; n <= 17; n++) {
        snprintf(text, sizeof text, "%.*g", n, v);
        if (strtod(text, NULL) == v)
            break;
    }
    return arena_printf(m->arena, "%s", text);
}

/* Dropout rates; `set`: those alone that have a variable. */
static Fact *rates_fact(Model *m, bool set)
{
    Fact *list = fact_table(m->arena);
    for (int i = 0; i < m->rates.count; i++) {
        const Rate *r = m->rates.items[i];
        if (set && (r->removed || !*r->variable))
            continue;
        Fact *x = fact_table(m->arena);
        fact_text(x, "name", r->name);
        fact_text(x, "variable", r->removed ? "" : r->variable);
        fact_text(x, "value", digits(m, r->value));
        fact_text(x, "factor", digits(m, r->factor));
        fact_push(list, x);
    }
    return list;
}

/* A convolution by Winograd's algorithm, some of whose tiles stick out of a padded map. */
static bool copies_tiles(const Op *op)
{
    if (op->kind != OP_conv || !op->kernel.winograd)
        return false;
    Window w = window_of(op);
    return !window_is_bare(&w);
}

/* The objects that the Makefile has NAME.c compiled to: the whole of it, or its two halves. */
static Fact *objects_fact(Model *m, bool halves)
{
    Fact *list = fact_table(m->arena);
    for (int half = 1; half <= (halves ? 2 : 1); half++) {
        Fact *o = fact_table(m->arena);
        fact_text(o, "file", arena_printf(m->arena, half == 1 ? "%s.o" : "%s-2.o", m->name));
        fact_text(o, "options", halves ? arena_printf(m->arena, " -DHALF=%d", half) : "");
        fact_push(list, o);
    }
    return list;
}

Fact *emit_facts(Model *m)
{
    Fact *f = fact_table(m->arena), *net = net_fact(m), *units = fact_table(m->arena);
    bool uses[OP_NONE] = { 0 }, folds = false, openblas = false, packs = false, winograd = false;
    fact_set(f, "net", net);
    fact_set(f, "types", place_types(m));
    place_members(m, f, false);
    place_members(m, f, true);
    Fact *decisions = fact_table(m->arena), *shared_types = fact_table(m->arena);
    const Units all = units_collect(m, shared_types);
    fact_set(f, "shared_types", shared_types);
    for (int i = 0; i < all.count; i++) {
        const Unit *u = &all.list[i];
        const Op *op = u->op;
        uses[op->kind] = true;
        uses[OP_dropout] = uses[OP_dropout] || op->share.dropout || (u->backward && u->backward->share.dropout) || (u->weights && u->weights->share.dropout);
        openblas = openblas || op->kernel.openblas;
        packs = packs || kernel_packs(m, op) || copies_tiles(op);
        winograd = winograd || (op->kernel.winograd && !op->kernel.latency);
        if (u->sharers)
            fact_push(units, units_fact(&all, u));
        decisions_of(m, decisions, op, u->forward, u->decisions);
    }
    for (int i = 0; i < m->backward_phases.count; i++) {
        Phase *p = m->backward_phases.items[i];
        folds = folds || ((Op *)p->ops.items[0])->pass == FOLD;
    }
    fact_set(f, "units", units);
    fact_set(f, "decisions", decisions);
    fact_bool(f, "folds", folds);
    fact_bool(f, "dropout", uses[OP_dropout]);
    fact_bool(f, "random", uses[OP_random]);
    fact_int(f, "held_reals", m->held_reals);
    fact_bool(f, "packs", packs);
    fact_bool(f, "winograd", winograd);
    fact_bool(f, "sampler", uses[OP_spn]);
    fact_bool(f, "openblas", openblas);
    fact_bool(f, "augment", uses[OP_augment]);
    fact_set(f, "rates", rates_fact(m, false)), fact_set(f, "set_rates", rates_fact(m, true));
    fact_bool(f, "padded", place_pads(m));
    fact_set(f, "sources", fact_table(m->arena));      /* these two are set after NAME.c is complete */
    fact_set(f, "objects", objects_fact(m, false));
    fact_bool(f, "accumulates", m->options.plain);
    fact_bool(f, "starts", start_given(m));
    bool shifted = false;
    for (int k = 0; weight_at(m, k); k++)
        shifted = shifted || weight_at(m, k)->init_shift != 0;
    fact_bool(f, "shifted", shifted);
    Fact *rows = fact_table(m->arena);
    int row_count = 0;
    fact_set(f, "forward", passes_fact(m, &m->forward_phases, rows, &row_count));
    fact_set(f, "backward", passes_fact(m, &m->backward_phases, rows, &row_count));
    int update_phase = m->forward_phases.count + m->backward_phases.count;
    fact_int(f, "update_row", passes_row(m, rows, &row_count, m->train.optimiser->map.name, "update", update_phase, 0, true, update_cost(m)));
    fact_set(f, "rows", rows);
    fact_set(f, "gathers", passes_gathers(m, SHOWN_IN_TRAINING));
    fact_set(f, "evaluation_gathers", passes_gathers(m, SHOWN_IN_EVALUATION));
    fact_bool(f, "forward_scratch", passes_use_scratch(&m->forward_phases));
    fact_bool(f, "backward_scratch", passes_use_scratch(&m->backward_phases));
    tables_facts(m, f);
    return f;
}

/* The .c files that the Makefile compiles beside NAME.c. */
static void add_sources(Model *m, Fact *list)
{
    const List files = program_files(m);
    for (int i = 0; i < files.count; i++) {
        const char *name = ((const EmbeddedFile *)files.items[i])->name;
        if (name[strlen(name) - 1] == 'c')
            fact_push_text(list, name);
    }
}

bool emit(Model *m)
{
    /* spnc's own templates make C of every plan: making it takes twenty times as long as all before it, and would bring no mistake to light */
    if (m->options.check && !m->templates && !m->options.inference)
        return true;
    Fact *f = emit_facts(m);
    if (m->options.inference)
        return library_emit(m, f);
    m->c = m->inspect = m->makefile = m->gdb = m->training = (Text){ .arena = m->arena };
    if (!template_expand(m->arena, m->diag, m->templates, "net.c.in", m->name, f, m->tuning, &m->c)
        || !template_expand(m->arena, m->diag, m->templates, "inspect.c.in", m->name, f, NULL, &m->inspect))
        return false;
    tidy(&m->c, !m->templates); /* loops in a user's templates stay as they were written */
    wrap(&m->inspect);
    start_write(m);
    add_sources(m, (Fact *)(uintptr_t)fact_get(f, "sources"));
    fact_set(f, "objects", objects_fact(m, !m->templates && halves_make(&m->c)));      /* a user's template may have another layout of functions */
    if (!template_expand(m->arena, m->diag, m->templates, "Makefile.in", m->name, f, NULL, &m->makefile)
        || !template_expand(m->arena, m->diag, m->templates, "train.c.in", m->name, f, NULL, &m->training)
        || !template_expand(m->arena, m->diag, m->templates, "gdb.py.in", m->name, f, NULL, &m->gdb))
        return false;
    wrap(&m->training);
    return true;
}
