/* join.c -- operators that work element by element are joined with the one that alone reads their result: one pass over memory for both.
 *
 * In: the identified graph.  Out: fewer operators, forward and backward; kind OP_formula for those that were joined.  Next: store.c.
 * A joined operator has both formulas in one DAG (formula/join.c); its gradient has both gradients.  Each operation is rounded as before, so joins
 * are bit-neutral, and no part of the hash.  The value between them is not stored, unless
 *   - it has a name in the flow: then it is stored as the pass goes by, and not read again forward;
 *   - backward reads it, and computing it again would cost a function or more reads than it saves.
 * Only what has the result's shape is joined, and only if operands are indexed as the result, by channel, or are one number.  A maker is not moved
 * behind an operator of the whole batch whose result the reader needs: its operands would have left the caches.  What a batch norm would compute
 * stays as it is where it could not if it were joined (plan/norms.c). */
#include "formula/formula.h"
#include "lower/elements.h"
#include "lower/joinable.h"
#include "template/template.h"
#include <string.h>

enum { JOIN_NODES = 200 };           /* of a joined DAG; beyond, the C is more to compile than the passes cost */

typedef struct { Op *op; Section *section; } Gradient;

/* A maker, the operator that reads its result as operand `at`, and their gradients. */
typedef struct {
    Op *first, *last;
    int at;
    Gradient d_first, d_last;            /* op NULL: there is none; that of an add is passed on as it is */
} Pair;

static Gradient gradient_of(const Model *m, const Op *op)
{
    for_each_op(w, &m->backward)
        if (w.op->of == op && w.op->pass == BACKWARD)
            return (Gradient){ w.op, w.section };
    return (Gradient){ 0 };
}

static bool ordinary(const Tensor *t) { return t->space == REALS && !t->carried && !t->tail && !t->view_of && !t->classes; }

/* Are all operands indexed as the result, by channel, or one number, and of its steps or of those around it? */
static bool indexed_as(const Op *op)
{
    const Tensor *y = op->writes[0].tensor;
    int64_t stride[RANK_MAX];
    for (int k = 0; k < op->read_count; k++) {
        const Tensor *x = op->reads[k].tensor;
        if (!repeat_within(y->repeat, x->repeat) || formula_access(&x->shape, &y->shape, stride) == ACCESS_BROADCAST)
            return false;
    }
    return true;
}

/* True for an add that hands the gradient of its value on to its operand `at`, as it is. */
static bool passes_on(const Op *op, const Gradient *d, int at) { return op->kind == OP_add && !d->op && op->grad.inputs[at]; }

/* Are the gradients of both in one section, the first reading what the last writes for it, and nobody else? */
static bool gradients_fit(const Model *m, const Pair *p)
{
    const bool *inputs = p->last->grad.inputs;
    const FormulaGradient *g = p->last->formula.gradient;
    Tensor *dt = NULL;
    int count = 0;
    if (passes_on(p->last, &p->d_last, p->at))
        return p->d_first.op ? !p->d_first.op->reads[0].shift : p->first->kind == OP_add;
    if (!p->d_last.op || !inputs[p->at])
        return !p->d_first.op;
    for (int i = 0; i < g->part_count; i++)
        if (g->parts[i].operand == p->at)
            dt = p->d_last.op->writes[i].tensor, count++;
    const Gradient *d = &p->d_first;
    if (p->first->kind == OP_add && !d->op)
        return count == 1;
    return count == 1 && d->op && d->section == p->d_last.section && d->op->reads[0].tensor == dt && !d->op->reads[0].shift && ordinary(dt)
           && !reads_in(&m->forward, dt, NULL, NULL) && !reads_in(&m->backward, dt, d->op, NULL);
}

static bool elementwise(const Op *op)
{
    return op && op_is_elementwise(op->kind) && op->pass == FORWARD && !op->writes[0].shift && op->formula.f->root->kind == NODE_CALL;
}

/* How many gradients the operator has: those of its operands, of one that joined operators read several times several. */
static int parts_of(const Op *op) { return op->formula.gradient ? op->formula.gradient->part_count : 0; }

/* Fills *p if the maker of the operand may be joined with `last`, an operator of the section s. */
static bool fits(const Model *m, const Section *s, Op *last, int at, Pair *p)
{
    const Tensor *t = last->reads[at].tensor, *y = last->writes[0].tensor;
    Op *first = t->op;
    if (!elementwise(first) || !elementwise(last) || last->reads[at].shift || !ordinary(t))
        return false;
    const int from = list_index(&s->ops, first);
    const Formula *f = first->formula.f, *l = last->formula.f;
    if (from < 0 || !shape_equal(&t->shape, &y->shape) || t->repeat != y->repeat || !indexed_as(first) || !indexed_as(last))
        return false;
    const int operands = first->read_count + last->read_count + f->kept_count + l->kept_count;
    if (operands > INPUT_MAX - 4 || parts_of(first) + parts_of(last) > INPUT_MAX || f->dag->nodes.count + l->dag->nodes.count > JOIN_NODES)
        return false;
    *p = (Pair){ first, last, at, gradient_of(m, first), gradient_of(m, last) };
    /* not if `last` reads it at two places: the joined operator has `first` in the place of one */
    if (reads_in(&m->forward, t, NULL, NULL) != 1 || reads_in(&m->backward, t, p->d_first.op, p->d_last.op) || !gradients_fit(m, p))
        return false;
    return !elements_wait(m, s, from, list_index(&s->ops, last)) && !own_template(m, first) && !own_template(m, last);
}

/* The place of an operand among those of the joined operator, which gets it if it has not got it yet. */
static int place_of(Op *joined, FormulaOperand *operands, Use u, const FormulaOperand *o)
{
    for (int k = 0; k < joined->read_count; k++)
        if (joined->reads[k].tensor == u.tensor && joined->reads[k].shift == u.shift)
            return k;
    op_read(joined, u.tensor, u.shift);
    operands[joined->read_count - 1] = *o;
    return joined->read_count - 1;
}

/* What the flow, or a net, calls a value: "c", whatever net it is in. */
static const char *word_of(const Tensor *t)
{
    const char *dot = t->op && t->op->prefix ? strrchr(t->op->prefix, '.') : NULL;
    return t->flow_name ? t->flow_name : dot ? dot + 1 : t->name;
}

/* The operator's formula; where it is a function of the table, whose operands have no names of their own, with names for them. */
static const Formula *named(Model *m, const Op *op)
{
    if (op->kind == OP_formula)
        return op->formula.f;
    Formula *f = NEW(m->arena, Formula);
    *f = *op->formula.f;
    f->operands = NEW_ARRAY(m->arena, FormulaOperand, op->read_count);
    for (int k = 0; k < op->read_count; k++) {
        f->operands[k] = op->formula.f->operands[k];
        f->operands[k].name = word_of(op->reads[k].tensor);
    }
    return f;
}

/* Values of the result's shape that the gradient reads. */
static int maps_read(const Op *joined, const Formula *f, const FormulaGradient *g)
{
    int n = 0;
    for (int k = 0; k < f->operand_count + f->kept_count; k++)
        n += g->reads[k] && (k >= f->operand_count || shape_equal(&joined->reads[k].tensor->shape, &joined->writes[0].tensor->shape));
    return n;
}

/* The gradients of both are written by one operator, in the order of their parts. */
static void join_gradients(const Pair *p, const FormulaGradient *last, const FormulaGradient *first)
{
    Op *d = p->d_last.op, *before = p->d_first.op;
    Use writes[INPUT_MAX];
    int count = 0;
    for (int i = 0; i < last->part_count; i++)
        if (last->parts[i].operand != p->at || !before)
            writes[count++] = d->writes[i];
    for (int i = 0; before && i < first->part_count; i++)
        writes[count++] = before->writes[i];
    d->write_count = count;
    for (int i = 0; i < count; i++) {
        d->writes[i] = writes[i];
        writes[i].tensor->op = d;
    }
    d->kind = OP_formula;
    if (before)
        list_remove(&p->d_first.section->ops, list_index(&p->d_first.section->ops, before));
}

/* The sum that begins with these two, which nobody else reads; NULL: there is none. */
static Op *sum_of(const Model *m, const Section *s, const Tensor *a, const Tensor *b)
{
    for (int k = 0; k < s->ops.count; k++) {
        Op *op = s->ops.items[k];
        const bool both = op->kind == OP_sum && op->reads[0].tensor == a && op->reads[1].tensor == b && !op->reads[0].shift && !op->reads[1].shift;
        if (both && ordinary(a) && ordinary(b) && ordinary(op->writes[0].tensor) && !op->writes[0].shift && op->writes[0].tensor->repeat == a->repeat)
            return reads_in(&m->backward, a, op, NULL) || reads_in(&m->backward, b, op, NULL) ? NULL : op;
    }
    return NULL;
}

/* Part k of the gradient `d` is added to part i, as `sum` does, where `sum` begins with the two. */
static void take_sum(Model *m, Gradient *d, FormulaGradient *g, int i, int k, Op *sum)
{
    const Op *op = d->op->of;
    Use *writes = d->op->writes;
    g->parts[i].d = dag_call(op->formula.f->dag, FN_add, g->parts[i].d, g->parts[k].d, NULL);
    g->part_count--;
    d->op->write_count--;
    for (; k < g->part_count; k++)
        g->parts[k] = g->parts[k + 1], writes[k] = writes[k + 1];
    if (sum->read_count > 2) {
        sum->read_count--;
        for (int r = 1; r < sum->read_count; r++)
            sum->reads[r] = sum->reads[r + 1];
        sum->formula.f = elements_sum(m->arena, sum->read_count);
        return;
    }
    writes[i] = sum->writes[0];
    writes[i].tensor->op = d->op;
    list_remove(&d->section->ops, list_index(&d->section->ops, sum));
}

/* An operand of both has two gradients; they are added in the same pass if their sum begins with them. */
static void take_sums(Model *m, Gradient *d)
{
    Op *op = d->op->of;
    FormulaGradient *g = (FormulaGradient *)(uintptr_t)op->formula.gradient;
    for (int i = 0; i < g->part_count; i++)
        for (int k = i + 1; k < g->part_count; k++) {
            const Tensor *x = op->reads[g->parts[i].operand].tensor;
            if (g->parts[i].operand != g->parts[k].operand || shape_count(&x->shape) != shape_count(&op->writes[0].tensor->shape))
                continue;
            Op *sum = own_template(m, d->op) ? NULL : sum_of(m, d->section, d->op->writes[i].tensor, d->op->writes[k].tensor);
            if (sum && sum->formula.f)
                take_sum(m, d, g, i, k--, sum);
        }
    op->formula.gradient = formula_gradient_of(op->formula.f, g->parts, g->part_count);
}

/* The gradient of an add's operand alone, dy. */
static FormulaGradient *gradient_of_add(Model *m, const Op *op, int at)
{
    FormulaPart *part = NEW(m->arena, FormulaPart);
    *part = (FormulaPart){ dag_input(op->formula.f->dag, INPUT_DY), at };
    return formula_gradient_of(op->formula.f, part, 1);
}

/* Would a batch norm compute the two operators, but not what they are joined to?  That has a value that is stored, or kinks that need the norm's
 * result. */
static bool hinders_norm(const Model *m, const Op *joined, const Formula *f)
{
    const FormulaKinks *kinks = NULL;
    for (int k = 0; k < joined->read_count; k++) {
        if (!elements_behind_norm(m, joined->reads[k].tensor))
            continue;
        kinks = kinks ? kinks : formula_pieces(f);
        if (f->kept_count || (kinks->count && kinks->reads[k]))
            return true;
    }
    return false;
}

static bool join(Model *m, Section *s, Pair *p)
{
    Op *first = p->first, *last = p->last, joined = *last;
    Tensor *between = first->writes[0].tensor;
    const FormulaGradient *g_first = first->formula.gradient, *g_last = last->formula.gradient;
    int first_place[INPUT_MAX], last_place[INPUT_MAX];
    FormulaOperand *operands = NEW_ARRAY(m->arena, FormulaOperand, INPUT_MAX);
    const Formula *f_first = named(m, first), *f_last = named(m, last);
    const bool passed = passes_on(last, &p->d_last, p->at) && p->d_first.op;
    if (passed)
        g_last = gradient_of_add(m, last, p->at);
    const Gradient *d = passed ? &p->d_first : &p->d_last;
    joined.read_count = 0;
    for (int k = 0; k < last->read_count; k++) {
        if (k != p->at) {
            last_place[k] = place_of(&joined, operands, last->reads[k], &f_last->operands[k]);
            continue;
        }
        for (int i = 0; i < first->read_count; i++)
            first_place[i] = place_of(&joined, operands, first->reads[i], &f_first->operands[i]);
    }
    FormulaJoin j = { f_first, f_last, p->at, first_place, last_place, operands, joined.read_count, between->flow_name || between->shown };
    Formula *f = formula_join(m->arena, &j);
    FormulaGradient *g = d->op ? formula_join_gradient(f, &j, p->d_first.op ? g_first : NULL, g_last) : NULL;
    if (g && !j.kept) {                         /* backward computes it again, if that costs nothing */
        FormulaJoin stored = j;
        stored.kept = true;
        Formula *f2 = formula_join(m->arena, &stored);
        FormulaGradient *g2 = formula_join_gradient(f2, &stored, p->d_first.op ? g_first : NULL, g_last);
        if (g2->functions < g->functions || maps_read(&joined, f2, g2) < maps_read(&joined, f, g))
            j = stored, f = f2, g = g2;
    }
    if (hinders_norm(m, &joined, f))
        return false;
    if (passed)                                 /* the operator of first's gradient becomes that of both */
        p->d_first.op->of = last;
    joined.kind = OP_formula;
    joined.write_count = 1;
    for (int k = 0; k < last->formula.f->kept_count; k++)
        op_write(&joined, last->writes[1 + k].tensor, 0);
    for (int k = 0; k < first->formula.f->kept_count; k++)
        op_write(&joined, first->writes[1 + k].tensor, 0);
    if (j.kept)
        op_write(&joined, between, 0);
    memset(joined.grad.inputs, 0, sizeof joined.grad.inputs);
    for (int i = 0; g && i < g->part_count; i++)
        joined.grad.inputs[g->parts[i].operand] = true;
    joined.formula.f = f;
    joined.formula.gradient = g;
    *last = joined;
    for (int k = 0; k < last->write_count; k++)
        last->writes[k].tensor->op = last;
    if (g && passed)
        d->op->kind = OP_formula;
    else if (g)
        join_gradients(p, g_last, g_first);
    if (g) {
        take_sums(m, &(Gradient){ d->op, d->section });
        elements_read(d->op);
    }
    list_remove(&s->ops, list_index(&s->ops, first));
    remark(m, first->loc, "%s is computed where %s is, in one pass%s", between->name, last->writes[0].tensor->name,
           between->flow_name || between->shown ? ", and stored there" : j.kept ? ", and stored for backward" : ": it is not stored");
    return true;
}

static bool join_one(Model *m, Section *s, Op *last)
{
    Pair p;
    for (int k = 0; k < last->read_count; k++)
        if (fits(m, s, last, k, &p) && join(m, s, &p))
            return true;
    return false;
}

bool formulas_join(Model *m)
{
    elements_prepare(m);
    for (int i = 0; i < m->forward.count && !m->options.debug; i++) {      /* --debug looks at each value by itself */
        Section *s = m->forward.items[i];
        for (int k = s->ops.count - 1; k >= 0; k--) {
            Op *last = s->ops.items[k];
            while (op_is_elementwise(last->kind) && last->pass == FORWARD && join_one(m, s, last))
                k = list_index(&s->ops, last);
        }
    }
    if (!m->options.debug)
        formulas_store(m);
    kinks_mark(m);
    return true;
}
