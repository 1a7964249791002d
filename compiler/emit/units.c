/* units.c -- which functions the emitted C has, which operators they serve, and the facts from which templates make them.
 *
 * In: the planned graph.  Out: a list of units, each an operator with its gradients; the facts of each.  Next: emit.c.
 * Operators whose facts are equal share the functions of the first (equal.c), so facts are made twice: without names and places, to be compared, and
 * as the template reads them.  The one convention: what the facts call things is a Naming. */
#include "emit/units.h"
#include "base/escape.h"
#include "emit/call.h"
#include "emit/epilogue.h"
#include "emit/equal.h"
#include "emit/place.h"
#include "emit/tables.h"
#include "lower/latency.h"
#include "outside/outside.h"
#include "schedule/choice.h"
#include "template/template.h"
#include <string.h>

/* ---- which there are --------------------------------------------------------------------------------------- */

static Unit *unit_of(const Units *e, const Op *op)
{
    for (int i = 0; i < e->count; i++)
        if (e->list[i].op == op)
            return &e->list[i];
    return NULL;
}

static Unit *unit_add(Units *e, Op *op, int at)
{
    for (int i = e->count; i > at; i--)
        e->list[i] = e->list[i - 1];
    e->count++;
    e->list[at] = (Unit){ .op = op };
    return &e->list[at];
}

/* The operators of both passes that have functions, in their order. */
static void collect(Units *e)
{
    Model *m = e->m;
    int most = m->ops.count + 8;
    for (int i = 0; i < m->backward.count; i++)
        most += ((Section *)m->backward.items[i])->ops.count;
    e->list = NEW_ARRAY(m->arena, Unit, most);
    for (int i = 0; i < m->forward_phases.count; i++) {
        Phase *p = m->forward_phases.items[i];
        for (int k = 0; k < p->ops.count; k++) {
            const Op *op = p->ops.items[k];
            if (op->pass == FORWARD)
                unit_add(e, p->ops.items[k], e->count)->forward = true;
            if (op->norms.applies && op->norms.applies->kind == OP_formula && op->norms.applies->formula.kinks)      /* for its decisions */
                unit_add(e, (Op *)(uintptr_t)op->norms.applies, e->count);
        }
    }
    for (int i = 0; i < m->backward_phases.count; i++) {
        Phase *p = m->backward_phases.items[i];
        for (int k = 0; k < p->ops.count; k++) {
            Op *op = p->ops.items[k];
            if ((op->pass == PRODUCTS && op->kind != OP_dense) || op->pass == FOLD || op->pass == FINISH || op->pass == AGAIN)
                continue;
            if (op->pass == FORWARD) {
                unit_add(e, op, e->count)->forward = true;
                continue;
            }
            Unit *u = unit_of(e, op->of);
            if (!u) {                           /* a fused activation: its backward follows that of its conv or dense */
                Unit *host = unit_of(e, op->of->writes[0].tensor->op);
                u = unit_add(e, op->of, host ? (int)(host - e->list) + 1 : e->count);
            }
            const bool rows = op->kind == OP_dense && op->pass == WEIGHTS && op->kernel.deferred;
            *(op->pass == BACKWARD ? &u->backward : rows ? &u->rows : &u->weights) = op;
        }
    }
    for (int i = 0; i < e->count; i++) {
        Op *op = e->list[i].op;
        e->list[i].decisions = (e->list[i].backward && op->kind == OP_spn) || (op->kind == OP_formula && op->formula.kinks);
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

/* The file, as seen from the model's folder, and line that an operator comes from. */
static const char *place_text(Model *m, Loc at)
{
    const char *path = at.file->path, *model = m->file->path, *name = strrchr(model, '/');
    const size_t folder = name ? (size_t)(name + 1 - model) : 0;
    return comment_path(m->arena, strncmp(path, model, folder) ? path : path + folder, at.line);
}

static const char *latency_template(Model *m, const Op *op)
{
    const LatencyKind kind = op->kernel.latency->kind;
    return arena_printf(m->arena, "latency_%s%s.c.in", OP_INFO(op)->name, kind == BY_POINTS ? "_points" : kind == BY_FILTERS ? "_filters" : kind == BY_TILES ? "_tiles" : "");
}

/* Of the latency form's own kernels that with `latency_` before its name; else NAME.c.in, which has both forms, and of all that work element by
 * element formula.c.in; operators from outside have a template for each. */
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
static void put_operators(const Units *e, Text *t, const char *before, const char *function, bool gradients)
{
    Model *m = e->m;
    size_t line_start = t->length;
    int count = 0;
    for (int i = 0; i < e->count; i++) {
        const Op *op = e->list[i].op;
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
static Fact *left_out(const Units *e, const Op *op)
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
static void name_facts(const Units *e, const Unit *u, Naming naming, Fact *f)
{
    Model *m = e->m;
    const Op *op = u->op;
    Fact *names = fact_table(m->arena);
    Text serves = { .arena = m->arena };
    for (int i = 0; i < e->count; i++)
        if (!strcmp(op_function(e->list[i].op), op_function(op)))
            fact_push_text(names, e->list[i].op->name);
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
    const int used = (int)(strlen(op_function(op)) + strlen(OP_INFO(op)->name)), rule = used < 48 ? 50 - used : 2;
    fact_text(f, "rule", arena_printf(m->arena, "%.*s", rule, "--------------------------------------------------"));
    fact_set(f, "operators", names);
    fact_text(f, "serves", serves.length ? serves.text : "");
    fact_text(f, "place", place_text(m, naming == SHARED ? (Loc){ .file = op->loc.file } : op->loc));
    fact_set(f, "left_out", left_out(e, op));
    fact_place(f, op->loc);
}

/* The facts of the unit, whose operator they describe as `op`: as it is, or as a copy that is to be compared. */
static Fact *unit_fact(const Units *e, const Unit *u, const Op *op, Naming naming)
{
    Model *m = e->m;
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
    const char *act = op->fuse.act != OP_NONE ? op_table[op->fuse.act]->name : op->stores.then ? arena_printf(m->arena, "%s_then", naming == COMPARED ? "" : op_function(op)) : "";
    fact_text(f, "act", act);
    fact_text(f, "act_opens", *act ? arena_printf(m->arena, "%s(", act) : "");
    fact_text(f, "act_closes", *act ? ")" : "");
    epilogue_facts(m, op, f);
    fact_bool(f, "accumulate", u->weights && u->weights->grad.accumulates);
    fact_bool(f, "adds_bias", u->weights && u->weights->grad.adds_bias);
    fact_bool(f, "gathers", u->weights && u->weights->kernel.deferred);
    if (op->kind == OP_dense)
        fact_bool(f, "makes_rows", u->rows != NULL), fact_bool(f, "by_group", u->rows && u->rows->rows.by_group);
    if (op->kind == OP_dense || op->kind == OP_conv)
        fact_bool(f, "dealt", m->options.mpi && op->weight_count && sums_row(op->weights[0]));
    const int slices = schedule_slices(m, u->op);
    fact_int(f, "S", slices);
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
    fact_text(f, "key", schedule_key(m, op, slices, u->backward, u->weights));
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

/* ---- which operators share functions ------------------------------------------------------------------------ */

/* The unit's facts as they would be without an epilogue. */
static Fact *bare_fact(const Units *e, const Unit *u)
{
    Op bare = *u->op;
    bare.fuse.act = OP_NONE, bare.function = "";
    if (bare.stores.then)
        bare.stores.then = NULL, bare.read_count = bare.stores.reads;
    return unit_fact(e, u, &bare, COMPARED);
}

/* Of units that differ in their epilogue alone, one that serves several operators lends the functions of its gradients to the others: the one
 * without an epilogue, or else the first. */
static void lend_gradients(Units *e, const int *first)
{
    const int n = e->count;
    Fact **bare = NEW_ARRAY(e->m->arena, Fact *, n + 1);
    for (int i = 0; i < n; i++) {
        const Unit *u = &e->list[i];
        bool hosts = u->forward && (u->op->kind == OP_conv || u->op->kind == OP_dense) && (u->backward || u->weights);
        bare[i] = hosts && first[i] == i ? bare_fact(e, u) : NULL;
        u->op->gradients = NULL;
    }
    for (int i = 0; i < n; i++) {
        int lender = -1;
        for (int k = 0; bare[i] && k < n; k++)
            if (bare[k] && e->list[k].sharers > 1 && fact_equal(bare[k], bare[i]) && (lender < 0 || (e->list[k].op->fuse.act == OP_NONE && !e->list[k].op->stores.then)))
                lender = k;
        e->list[i].lent = lender >= 0 && lender != i;
        for (int j = i; e->list[i].lent && j < n; j++)
            if (first[j] == i)
                e->list[j].op->gradients = op_function(e->list[lender].op);
    }
}

/* Finds the units that share functions, and appends the C types that these take to `types`. */
static void share_functions(Units *e, Fact *types)
{
    Model *m = e->m;
    Op **ops = NEW_ARRAY(m->arena, Op *, e->count + 1);
    Fact **facts = NEW_ARRAY(m->arena, Fact *, e->count + 1);
    int *first = NEW_ARRAY(m->arena, int, e->count + 1);
    for (int i = 0; i < m->tensors.count; i++)
        ((Tensor *)m->tensors.items[i])->type = place_shape_type(m, m->tensors.items[i]);
    for (int i = 0; i < e->count; i++) {
        ops[i] = e->list[i].op;
        ops[i]->function = "";
        facts[i] = unit_fact(e, &e->list[i], ops[i], COMPARED);
    }
    equal_find(m, ops, facts, e->count, first);
    for (int i = 0; i < e->count; i++)
        e->list[first[i]].sharers++;
    lend_gradients(e, first);
    for (int i = 0; i < m->tensors.count; i++)
        ((Tensor *)m->tensors.items[i])->type = NULL;
    for (int i = 0; i < e->count; i++)
        for (int k = 0; e->list[i].sharers > 1 && k < op_uses(ops[i]); k++)
            if (call_typed(m, ops[i], op_use(ops[i], k)->tensor))
                place_shape_fact(m, types, op_use(ops[i], k)->tensor);
}

Units units_collect(Model *m, Fact *types)
{
    Units e = { .m = m };
    collect(&e);
    share_functions(&e, types);
    return e;
}

Fact *units_fact(const Units *e, const Unit *u)
{
    Model *m = e->m;
    for (int i = 0; u->sharers > 1 && i < m->tensors.count; i++)
        ((Tensor *)m->tensors.items[i])->type = place_shape_type(m, m->tensors.items[i]);
    Unit emitted = *u;
    if (u->lent)
        emitted.backward = emitted.weights = NULL;
    Fact *f = unit_fact(e, &emitted, u->op, u->sharers > 1 ? SHARED : OWN);
    for (int i = 0; i < m->tensors.count; i++)
        ((Tensor *)m->tensors.items[i])->type = NULL;
    return f;
}
