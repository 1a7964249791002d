/* emit.c -- hands the plan to the templates as plain facts, and gets C back.
 *
 * In: the planned graph.  Out: the texts of the generated folder: NAME.c, NAME_inspect.c, the Makefile and others.
 * Templates lay out C; every name, size, offset and argument list is decided here.  The one convention: an operator's function takes its
 * results, then its operands, then its weights, then arguments of its kind alone; v.NAME[s] is the tensor NAME of slice s, where slice
 * s = t * G + g is group g at step t (plain form: s = t * N + n, example n).  Operators with equal functions share one (equal.c). */
#include "base/embed.h"
#include "base/escape.h"
#include "emit/call.h"
#include "emit/decisions.h"
#include "emit/epilogue.h"
#include "emit/equal.h"
#include "emit/exchange.h"
#include "emit/halves.h"
#include "emit/library.h"
#include "emit/loops.h"
#include "emit/place.h"
#include "emit/program.h"
#include "emit/start.h"
#include "emit/tables.h"
#include "emit/wrap.h"
#include "graph/window.h"
#include "lower/latency.h"
#include "outside/outside.h"
#include "read/language.h"
#include "schedule/choice.h"
#include "template/fact.h"
#include "template/template.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    Op *op;                          /* the forward operator, or one that grad.c added */
    Op *backward, *weights;          /* its backward operators; NULL: that gradient is not computed */
    bool forward, decisions;
    int sharers;                     /* operators that its functions serve: more than one, if they are shared; 0: another unit has them */
    bool lent;                       /* it has a forward function alone: its gradients' functions are another unit's */
} Unit;

typedef struct {
    Model *m;
    Unit *units;
    int unit_count;
} Emitter;

/* ---- units: which functions there are ------------------------------------------------------------------ */

static Unit *unit_of(Emitter *e, Op *op)
{
    for (int i = 0; i < e->unit_count; i++)
        if (e->units[i].op == op)
            return &e->units[i];
    return NULL;
}

static Unit *unit_add(Emitter *e, Op *op, int at)
{
    for (int i = e->unit_count; i > at; i--)
        e->units[i] = e->units[i - 1];
    e->unit_count++;
    e->units[at] = (Unit){ .op = op };
    return &e->units[at];
}

static void collect(Emitter *e)
{
    Model *m = e->m;
    int most = m->ops.count + 8;
    for (int i = 0; i < m->backward.count; i++)
        most += ((Section *)m->backward.items[i])->ops.count;
    e->units = NEW_ARRAY(m->arena, Unit, most);
    for (int i = 0; i < m->forward_phases.count; i++) {
        Phase *p = m->forward_phases.items[i];
        for (int k = 0; k < p->ops.count; k++) {
            const Op *op = p->ops.items[k];
            if (op->pass == FORWARD)
                unit_add(e, p->ops.items[k], e->unit_count)->forward = true;
            if (op->fuse.beside && op->fuse.beside->kind == OP_formula && op->fuse.beside->formula.kinks)      /* for its decisions */
                unit_add(e, (Op *)(uintptr_t)op->fuse.beside, e->unit_count);
        }
    }
    for (int i = 0; i < m->backward_phases.count; i++) {
        Phase *p = m->backward_phases.items[i];
        for (int k = 0; k < p->ops.count; k++) {
            Op *op = p->ops.items[k];
            if (op->pass == PRODUCTS || op->pass == FOLD || op->pass == FINISH || op->pass == AGAIN)
                continue;
            if (op->pass == FORWARD) {
                unit_add(e, op, e->unit_count)->forward = true;
                continue;
            }
            Unit *u = unit_of(e, op->of);
            if (!u) {                           /* a fused activation: its backward follows that of its conv or dense */
                Unit *host = unit_of(e, op->of->writes[0].tensor->op);
                u = unit_add(e, op->of, host ? (int)(host - e->units) + 1 : e->unit_count);
            }
            *(op->pass == BACKWARD ? &u->backward : &u->weights) = op;
        }
    }
    for (int i = 0; i < e->unit_count; i++) {
        Op *op = e->units[i].op;
        e->units[i].decisions = (e->units[i].backward && op->kind == OP_spn) || (op->kind == OP_formula && op->formula.kinks);
    }
}

/* ---- facts ------------------------------------------------------------------------------------------------ */

/* What the facts of a unit call things: as the operator does; as any of those that share its functions could; or, to be compared, not at all. */
typedef enum { OWN, SHARED, COMPARED } Naming;

static Fact *value_fact(Model *m, const Tensor *t, bool grad, Naming naming)
{
    Fact *f = fact_table(m->arena);
    fact_text(f, "name", naming == COMPARED ? "" : t->name);
    fact_text(f, "type", tensor_type(m, t));
    fact_text(f, "shape", shape_text(m->arena, &t->shape));
    fact_set(f, "dims", tables_dims(m, &t->shape));
    fact_int(f, "size", shape_count(&t->shape));
    fact_bool(f, "grad", grad);
    return f;
}

/* A path, and a line if there is one, safe inside a C comment. */
static const char *path_text(Model *m, const char *path, int line)
{
    Text t = { .arena = m->arena };
    for (const char *c = path; *c; c++) {
        bool safe = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("._-/+ ", *c);
        text_printf(&t, "%c", safe && !(*c == '/' && (c[1] == '*' || (t.length && t.text[t.length - 1] == '*'))) ? *c : '_');
    }
    if (line)
        text_printf(&t, ":%d", line);
    return t.text;
}

/* The file, as seen from the model's folder, and line that an operator comes from. */
static const char *place_text(Model *m, Loc at)
{
    const char *path = at.file->path, *model = m->file->path, *name = strrchr(model, '/');
    const size_t folder = name ? (size_t)(name + 1 - model) : 0;
    return path_text(m, strncmp(path, model, folder) ? path : path + folder, at.line);
}

static const char *latency_template(Model *m, const Op *op)
{
    const LatencyKind kind = op->kernel.latency->kind;
    return arena_printf(m->arena, "latency_%s%s.c.in", OP_INFO(op)->name, kind == BY_POINTS ? "_points" : kind == BY_FILTERS ? "_filters" : kind == BY_TILES ? "_tiles" : "");
}

/* Of the latency form's own kernels that with `latency_` before its name; else NAME.c.in, which has both forms, and of all that work element by element formula.c.in; operators from outside have a template for each. */
static const char *template_of(Model *m, const Op *op)
{
    if (op->kernel.latency)
        return latency_template(m, op);
    if (op_is_elementwise(op->kind) && !template_replaced(m->arena, m->templates, arena_printf(m->arena, "%s.c.in", OP_INFO(op)->name)))
        return "formula.c.in";
    return op->kind < OP_COUNT ? arena_printf(m->arena, "%s.c.in", OP_INFO(op)->name) : (m->options.plain ? outside_of(op->kind)->plain : outside_of(op->kind)->fast).name;
}

enum { SERVES_WIDTH = 105 };         /* columns of the list of operators in a line of a comment */

/* Appends the operators that have the functions of that name, or those of its gradients, to the lines of a comment, after `before`. */
static void put_operators(Emitter *e, Text *t, const char *before, const char *function, bool gradients)
{
    Model *m = e->m;
    size_t line_start = t->length;
    int count = 0;
    for (int i = 0; i < e->unit_count; i++) {
        const Op *op = e->units[i].op;
        const char *has = gradients ? op->gradients : op_function(op);
        if (!has || strcmp(has, function) != 0)
            continue;
        const char *line = op->loc.file == m->file ? arena_printf(m->arena, "line %d", op->loc.line) : place_text(m, op->loc);
        const char *item = arena_printf(m->arena, "%s (%s)", op->kind == OP_fill ? place_name(m, op->writes[0].tensor) : op->name, line);
        const bool full = t->length - line_start + strlen(item) > SERVES_WIDTH;
        text_printf(t, "%s", count ? full ? ",\n *      " : ", " : t->length ? arena_printf(m->arena, "\n *   %s", before) : before);
        line_start = full || !count ? t->length : line_start;
        text_printf(t, "%s", item);
        count++;
    }
}

/* The layers without effect that stand behind the operator, and before the next one that has functions of its own. */
static Fact *left_out(Emitter *e, const Op *op)
{
    Model *m = e->m;
    Fact *list = fact_table(m->arena);
    for (int i = 0; i < m->left_out.count; i++) {
        const LeftOut *out = m->left_out.items[i];
        int at = out->behind ? list_index(&m->ops, out->behind) : -1;
        const Unit *u = NULL;
        while (at >= 0 && (!(u = unit_of(e, m->ops.items[at])) || !u->sharers))
            at--;
        if (at < 0 || u->op != op)
            continue;
        Fact *x = fact_table(m->arena);
        fact_text(x, "name", out->name);
        fact_text(x, "place", place_text(m, out->loc));
        fact_push(list, x);
    }
    return list;
}

/* What tells the unit from others: its names, where it stands in the model, and the operators that it serves. */
static void name_facts(Emitter *e, const Unit *u, Naming naming, Fact *f)
{
    Model *m = e->m;
    const Op *op = u->op;
    Fact *names = fact_table(m->arena);
    Text serves = { .arena = m->arena };
    for (int i = 0; i < e->unit_count; i++)
        if (!strcmp(op_function(e->units[i].op), op_function(op)))
            fact_push_text(names, e->units[i].op->name);
    if (naming == SHARED)
        put_operators(e, &serves, "of ", op_function(op), false);
    if (naming == SHARED)
        put_operators(e, &serves, "its gradients also of ", op_function(op), true);
    if (naming == OWN && op->kind == OP_conv_pool) {
        const Tensor *y = op->writes[0].tensor;
        text_printf(&serves, "%s, relu and %s (line %d) in one", op->name, y->name, y->loc.line);
    }
    if (op->gradients)
        text_printf(&serves, "%sgradients: by the functions of %s", serves.length ? "\n *   " : "", op->gradients);
    fact_text(f, "name", op_function(op));
    fact_set(f, "operators", names);
    fact_text(f, "serves", serves.length ? serves.text : "");
    fact_text(f, "place", place_text(m, naming == SHARED ? (Loc){ .file = op->loc.file } : op->loc));
    fact_set(f, "left_out", left_out(e, op));
    fact_place(f, op->loc);
}

static Fact *unit_fact(Emitter *e, const Unit *u, Naming naming)
{
    Model *m = e->m;
    Op *op = u->op;
    Fact *f = fact_table(m->arena), *inputs = fact_table(m->arena);
    if (naming != COMPARED)
        name_facts(e, u, naming, f);
    fact_text(f, "kind", OP_INFO(op)->name);
    fact_text(f, "template", template_of(m, op));
    fact_text(f, "equation", op->kind < OP_COUNT || outside_of(op->kind)->builtin ? OP_INFO(op)->equation : arena_printf(m->arena, "by %s", template_of(m, op)));
    fact_bool(f, "forward", u->forward);
    fact_bool(f, "dx", u->backward && op->grad.inputs[0]);
    fact_bool(f, "gradients", u->backward != NULL);
    fact_bool(f, "dw", u->weights != NULL);
    fact_bool(f, "lent", u->lent);
    fact_bool(f, "decisions", u->decisions);
    fact_text(f, "act", op->fuse.act != OP_NONE ? op_table[op->fuse.act]->name : op->fuse.then ? arena_printf(m->arena, "%s_then", naming == COMPARED ? "" : op_function(op)) : "");
    epilogue_facts(m, op, f);
    fact_bool(f, "accumulate", u->weights && u->weights->grad.accumulates);
    fact_bool(f, "adds_bias", u->weights && u->weights->grad.adds_bias);
    fact_bool(f, "gathers", u->weights && u->weights->kernel.deferred);
    if (op->kind == OP_dense)
        fact_bool(f, "dealt", m->options.mpi && op->weight_count && sums_row(op->weights[0]));
    fact_int(f, "S", schedule_slices(m, op));
    fact_int(f, "S_backward", u->backward ? schedule_slices(m, u->backward) : 0);
    fact_int(f, "S_weights", u->weights ? schedule_slices(m, u->weights) : 0);
    fact_int(f, "size", shape_count(&(LOSS_INFO(op) ? op->reads[0] : op->writes[0]).tensor->shape));
    for (int i = 0; i < op->read_count; i++)
        if (op->reads[i].tensor->space != RAW)
            fact_push(inputs, value_fact(m, op->reads[i].tensor, u->backward && op->grad.inputs[i], naming));
    fact_set(f, "inputs", inputs);
    if (op->read_count)
        fact_set(f, "x", value_fact(m, op->reads[0].tensor, u->backward && op->grad.inputs[0], naming));
    fact_set(f, "y", value_fact(m, op->writes[0].tensor, false, naming));
    fact_text(f, "shapes", schedule_shapes(m, op));
    fact_text(f, "key", schedule_key(m, op, u->backward, u->weights));
    if (op->schedule)
        fact_set(f, "schedule", schedule_facts(m, op));
    double macs = OP_INFO(op)->macs ? OP_INFO(op)->macs(op) : 0;
    int64_t parameters = 0;
    for (int i = 0; i < op->weight_count; i++)
        parameters += shape_count(&op->weights[i]->shape);
    fact_text(f, "cost", !macs ? "" : arena_printf(m->arena, "%s parameters    %s multiply-adds an example", count_text(m->arena, parameters), count_text(m->arena, (int64_t)macs)));
    OP_INFO(op)->facts(m, op, f);
    fact_bool(f, "drops", op->share.dropout != NULL);
    fact_bool(f, "scales", (u->backward && u->backward->share.dropout) || (u->weights && u->weights->share.dropout));
    fact_text(f, "dropout", !op->share.dropout ? "" : naming == OWN ? op->share.dropout->name : "the dropout behind it");
    if (op->share.dropout)
        OP_INFO(op->share.dropout)->facts(m, op->share.dropout, f);
    return f;
}

/* The unit's facts as they would be without an epilogue. */
static Fact *bare_fact(Emitter *e, const Unit *u)
{
    Op *op = u->op;
    const Op before = *op;
    op->fuse.act = OP_NONE, op->function = "";
    if (op->fuse.then)
        op->fuse.then = NULL, op->read_count = op->fuse.reads;
    Fact *f = unit_fact(e, u, COMPARED);
    *op = before;
    return f;
}

/* Of units that differ in their epilogue alone, one that serves several operators lends the functions of its gradients to the others: the one
 * without an epilogue, or else the first. */
static void lend_gradients(Emitter *e, const int *first)
{
    const int n = e->unit_count;
    Fact **bare = NEW_ARRAY(e->m->arena, Fact *, n + 1);
    for (int i = 0; i < n; i++) {
        const Unit *u = &e->units[i];
        bool hosts = u->forward && (u->op->kind == OP_conv || u->op->kind == OP_dense) && (u->backward || u->weights);
        bare[i] = hosts && first[i] == i ? bare_fact(e, u) : NULL;
        u->op->gradients = NULL;
    }
    for (int i = 0; i < n; i++) {
        int lender = -1;
        for (int k = 0; bare[i] && k < n; k++)
            if (bare[k] && e->units[k].sharers > 1 && fact_equal(bare[k], bare[i]) && (lender < 0 || (e->units[k].op->fuse.act == OP_NONE && !e->units[k].op->fuse.then)))
                lender = k;
        e->units[i].lent = lender >= 0 && lender != i;
        for (int j = i; e->units[i].lent && j < n; j++)
            if (first[j] == i)
                e->units[j].op->gradients = op_function(e->units[lender].op);
    }
}

/* Finds the units that share functions, and appends the C types that these take to `types`. */
static void share_functions(Emitter *e, Fact *types)
{
    Model *m = e->m;
    Op **ops = NEW_ARRAY(m->arena, Op *, e->unit_count + 1);
    Fact **facts = NEW_ARRAY(m->arena, Fact *, e->unit_count + 1);
    int *first = NEW_ARRAY(m->arena, int, e->unit_count + 1);
    for (int i = 0; i < m->tensors.count; i++)
        ((Tensor *)m->tensors.items[i])->type = place_shape_type(m, m->tensors.items[i]);
    for (int i = 0; i < e->unit_count; i++) {
        ops[i] = e->units[i].op;
        ops[i]->function = "";
        facts[i] = unit_fact(e, &e->units[i], COMPARED);
    }
    equal_find(m, ops, facts, e->unit_count, first);
    for (int i = 0; i < e->unit_count; i++)
        e->units[first[i]].sharers++;
    lend_gradients(e, first);
    for (int i = 0; i < m->tensors.count; i++)
        ((Tensor *)m->tensors.items[i])->type = NULL;
    for (int i = 0; i < e->unit_count; i++)
        for (int k = 0; e->units[i].sharers > 1 && k < op_uses(ops[i]); k++)
            if (call_typed(m, ops[i], op_use(ops[i], k)->tensor))
                place_shape_fact(m, types, op_use(ops[i], k)->tensor);
}

/* The unit's facts for its template; of one that shares its functions all tensors have types by their shapes. */
static Fact *emitted_fact(Emitter *e, const Unit *u)
{
    Model *m = e->m;
    for (int i = 0; u->sharers > 1 && i < m->tensors.count; i++)
        ((Tensor *)m->tensors.items[i])->type = place_shape_type(m, m->tensors.items[i]);
    Unit emitted = *u;
    if (u->lent)
        emitted.backward = emitted.weights = NULL;
    Fact *f = unit_fact(e, &emitted, u->sharers > 1 ? SHARED : OWN);
    for (int i = 0; i < m->tensors.count; i++)
        ((Tensor *)m->tensors.items[i])->type = NULL;
    return f;
}

/* ---- profile: a row for each call, and one for the wait after it ----------------------------------------- */

static const char *row_pass(const Op *op)
{
    static const char *const names[] = { [FORWARD] = "forward", [BACKWARD] = "backward", [WEIGHTS] = "weights", [PRODUCTS] = "products", [FOLD] = "fold",
                                         [PREPARE] = "prepare", [FINISH] = "finish", [AGAIN] = "again" };
    return op->kind == OP_load || op->kind == OP_labels || op->kind == OP_augment ? "load" : names[op->pass];
}

/* Appends a row; returns its number. */
static int row(Model *m, Fact *rows, int *count, const char *name, const char *pass, int phase, int line, bool whole, Cost c)
{
    fact_push_text(rows, arena_printf(m->arena, "\"%s\", \"%s\", %d, %d, %d, %.17g, %.17g, %.17g", name, pass, phase, line, whole, c.macs, c.products, c.bytes));
    return (*count)++;
}

/* Of several ranks: the exchanges that begin behind phase p, before their sums. */
static Fact *posts_fact(Model *m, const List *phases, const Phase *p)
{
    Fact *list = fact_table(m->arena);
    for (int i = 0; m->options.mpi && i < phases->count; i++) {
        const Phase *sum = phases->items[i];
        if (sums_posted(sum->ops.items[0]) && sums_made(phases, i) == p)
            exchange_posts(m, list, sum, sum->ops.items[0]);
    }
    return list;
}

static Fact *phases_fact(Model *m, const List *phases, Fact *rows, int *row_count)
{
    Fact *list = fact_table(m->arena);
    int first_phase = phases == &m->backward_phases ? m->forward_phases.count : 0;
    for (int i = 0; i < phases->count; i++) {
        const Phase *p = phases->items[i];
        const Phase *before = i ? phases->items[i - 1] : NULL, *after = i + 1 < phases->count ? phases->items[i + 1] : NULL;
        bool loop = section_loops(p->kind);
        Fact *f = fact_table(m->arena), *calls = fact_table(m->arena);
        Text texts = { .arena = m->arena };
        for (int k = 0; k < p->ops.count; k++) {
            const Op *op = p->ops.items[k];
            const char *text = call_text(m, p, op);
            text_printf(&texts, "%s\n", text);
            Fact *c = fact_table(m->arena), *reads = fact_table(m->arena), *writes = fact_table(m->arena);
            Fact *guards = fact_table(m->arena);
            call_looks(m, reads, writes, p, op);
            for (int w = 0; m->options.debug && w < op->write_count; w++)
                fact_push_text(guards, call_guard(m, p, op, op->writes[w]));
            fact_text(c, "text", text);
            fact_set(c, "reads", reads);
            fact_set(c, "writes", writes);
            fact_set(c, "guards", guards);
            fact_set(c, "before", exchange_before(m, p, op));
            fact_set(c, "behind", exchange_behind(m, op));
            fact_int(c, "row", row(m, rows, row_count, op->name, row_pass(op), first_phase + i, tables_line(m, op->loc), p->whole_batch, op_cost(m, p, op)));
            fact_push(calls, c);
        }
        fact_bool(f, "barrier", p->barrier);
        if (p->barrier && !m->options.plain)
            fact_int(f, "wait", row(m, rows, row_count, "", "wait", first_phase + i, 0, true, (Cost){ 0 }));
        fact_bool(f, "whole", p->whole_batch);
        fact_set(f, "opens", loops_opened(m, p, before));
        fact_int(f, "open", loop ? repeat_level(p->repeat) - repeat_level(p->from) + 1 : 0);
        fact_int(f, "closes", loop ? loops_closed(p, after) : 0);
        fact_set(f, "spread", loops_spread(m, p));
        fact_set(f, "slices", loops_slices(m, p, texts.text ? texts.text : ""));
        fact_set(f, "calls", calls);
        fact_set(f, "posts", posts_fact(m, phases, p));
        fact_push(list, f);
    }
    return list;
}

/* What the loss and the counts of errors read after the forward pass, as arguments of ranks_gather. */
static Fact *shown_gathers(Model *m, SumShown when)
{
    Fact *list = fact_table(m->arena);
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (sums_shown(m, t) == when)
            fact_push_text(list, exchange_gather(m, t, "0", steps_all(t->repeat)));
    }
    return list;
}

/* True if a pass has a tensor in a thread's scratch. */
static bool uses_scratch(const List *phases)
{
    for (int i = 0; i < phases->count; i++) {
        const Phase *p = phases->items[i];
        for (int k = 0; k < p->ops.count; k++) {
            const Op *op = p->ops.items[k];
            for (int r = 0; r < op_uses(op); r++)
                if (tensor_owner(op_use(op, r)->tensor)->local)
                    return true;
        }
    }
    return false;
}

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
        fact_text(x, "path", path_text(m, s->path, 0));
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
    fact_text(f, "source", path_text(m, m->file->path, 0));
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

static Fact *rates_fact(Model *m)
{
    Fact *list = fact_table(m->arena);
    for (int i = 0; i < m->rates.count; i++) {
        const Rate *r = m->rates.items[i];
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
    Emitter e = { .m = m };
    collect(&e);
    Fact *f = fact_table(m->arena), *net = net_fact(m), *units = fact_table(m->arena);
    bool uses[OP_NONE] = { 0 }, folds = false, openblas = false, packs = false;
    fact_set(f, "net", net);
    fact_set(f, "types", place_types(m));
    place_members(m, f, false);
    place_members(m, f, true);
    Fact *decisions = fact_table(m->arena), *shared_types = fact_table(m->arena);
    share_functions(&e, shared_types);
    fact_set(f, "shared_types", shared_types);
    for (int i = 0; i < e.unit_count; i++) {
        const Unit *u = &e.units[i];
        Op *op = u->op;
        uses[op->kind] = true;
        uses[OP_dropout] = uses[OP_dropout] || op->share.dropout || (u->backward && u->backward->share.dropout) || (u->weights && u->weights->share.dropout);
        openblas = openblas || op->kernel.openblas;
        packs = packs || kernel_packs(m, op) || copies_tiles(op);
        if (u->sharers)
            fact_push(units, emitted_fact(&e, u));
        /* choices of the forward pass that backward reads: results of relu, winners of pools, transforms of samplers */
        bool relu = op->fuse.act == OP_relu || (op->kind == OP_relu && u->forward) || (op->kind == OP_maxpool && op->fuse.relu) || op->kind == OP_conv_pool;
        if (op->fuse.beside && op->fuse.beside->kind == OP_relu)
            decisions_add_norm(m, decisions, op);
        if (relu)
            decisions_add(m, decisions, "relu", op, op->writes[0].tensor);
        if ((op->kind == OP_maxpool || op->kind == OP_conv_pool) && op->grad.keeps)
            decisions_add(m, decisions, "maxpool", op, op->writes[1].tensor);
        if (outside_kink(op))
            decisions_add(m, decisions, "relu", op, outside_kink(op));
        if (outside_choice(op))
            decisions_add(m, decisions, "choice", op, outside_choice(op));
        if (u->decisions && op->kind == OP_formula)
            decisions_add_formula(m, decisions, op);
        else if (u->decisions)
            decisions_add(m, decisions, "spn", op, op->reads[1].tensor);
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
    fact_bool(f, "sampler", uses[OP_spn]);
    fact_bool(f, "openblas", openblas);
    fact_bool(f, "augment", uses[OP_augment]);
    fact_set(f, "rates", rates_fact(m));
    fact_set(f, "sources", fact_table(m->arena));      /* these two are set after NAME.c is complete */
    fact_set(f, "objects", objects_fact(m, false));
    fact_bool(f, "accumulates", m->options.plain);
    fact_bool(f, "starts", start_given(m));
    Fact *rows = fact_table(m->arena);
    int row_count = 0;
    fact_set(f, "forward", phases_fact(m, &m->forward_phases, rows, &row_count));
    fact_set(f, "backward", phases_fact(m, &m->backward_phases, rows, &row_count));
    int update_phase = m->forward_phases.count + m->backward_phases.count;
    fact_int(f, "update_row", row(m, rows, &row_count, m->train.optimiser->map.name, "update", update_phase, 0, true, update_cost(m)));
    fact_set(f, "rows", rows);
    fact_set(f, "gathers", shown_gathers(m, SHOWN_IN_TRAINING));
    fact_set(f, "evaluation_gathers", shown_gathers(m, SHOWN_IN_EVALUATION));
    fact_bool(f, "forward_scratch", uses_scratch(&m->forward_phases));
    fact_bool(f, "backward_scratch", uses_scratch(&m->backward_phases));
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
    Fact *f = emit_facts(m);
    if (m->options.inference)
        return library_emit(m, f);
    m->c = m->inspect = m->makefile = m->gdb = m->training = (Text){ .arena = m->arena };
    if (!template_expand(m->arena, m->diag, m->templates, "net.c.in", m->name, f, m->tuning, &m->c)
        || !template_expand(m->arena, m->diag, m->templates, "inspect.c.in", m->name, f, NULL, &m->inspect))
        return false;
    wrap(&m->c);
    wrap(&m->inspect);
    start_write(m);
    add_sources(m, (Fact *)(uintptr_t)fact_get(f, "sources"));
    fact_set(f, "objects", objects_fact(m, !m->templates && halves_make(&m->c)));      /* a user's template may have another layout of functions */
    return template_expand(m->arena, m->diag, m->templates, "Makefile.in", m->name, f, NULL, &m->makefile)
        && template_expand(m->arena, m->diag, m->templates, "train.c.in", m->name, f, NULL, &m->training)
        && template_expand(m->arena, m->diag, m->templates, "gdb.py.in", m->name, f, NULL, &m->gdb);
}
