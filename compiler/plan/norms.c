/* norms.c -- a batch norm and what stands behind it are one pass over the map: y = f(scale z + shift, others), and likewise backward.
 *
 * In: the sections of both passes.  Out: fewer operators; Op.norms.  Next: share.c.
 *   forward   what works element by element and alone reads the result of a norm is computed by the norm, in its place; other operands are read as
 *             they are, and if one is the result of another norm, that is computed on the way too.  The map between them is never stored
 *   backward  of one operand: the two sums, and later dz, take the gradient of f from dy and z themselves; its result is never stored.  That
 *             costs f twice, so it is done if f is arithmetic alone
 *             of several: the sums take the gradients of f in the same pass, and of equal ones (of a sum both) one is stored; if dy is a sum that
 *             nothing else reads, its parts are added there too
 * Each number goes through the same operations in the same order, so this is bit-neutral.  What has a name in the flow is always stored.  The plain
 * form stays as it is, and so do operators whose template the user replaces. */
#include "lower/applied.h"
#include "lower/joinable.h"
#include "template/template.h"

enum { PARTS_MAX = 8 }; /* operands of a sum that is taken in */

/* An operator of backward, and where it stands. */
typedef struct {
    Section *section;
    Op *op;
} Found;

/* A norm, what is computed with it, and the operators of backward that this concerns. */
typedef struct {
    Section *section;
    Op *norm, *then;
    int operand;          /* of `then`: the norm's result */
    Found gradient, sums; /* of `then`; of the norm: op NULL: that gradient is not computed */
    Op *dz;               /* the norm's own, or NULL */
    Applied a;            /* `then` as a formula */
} Join;

/* ---- what reads a tensor -------------------------------------------------------------------------------------------- */

static int reads_of(const List *sections, const Tensor *t, Found *last)
{
    int n = 0;
    for_each_op(w, sections) for (int r = 0; r < w.op->read_count; r++) if (w.op->reads[r].tensor == t)
    {
        n++;
        *last = (Found){ w.section, w.op };
    }
    return n;
}

/* True if nothing but the operators that read t by their operands needs it. */
static bool passing(const Model *m, const Tensor *t)
{
    return t->space == REALS && !t->flow_name && !t->shown && !t->decides && !t->carried && !t->tail && !t->hoisted && !t->view_of &&
           !has_view(m, t);
}

static bool is_norm(const Op *op) { return op && op->kind == OP_batch_norm && op->pass == FORWARD && !op->norms.applies && !op->norms.host; }

/* ---- forward -------------------------------------------------------------------------------------------------------- */

/* True if `then` can be computed where the norm's result, its operand k, is; sets k. */
static bool fits(const Model *m, Join *j)
{
    const Op *then = j->then;
    if (!is_applied(then) || then->pass != FORWARD || list_index(&j->section->ops, then) < 0 || own_template(m, then) ||
        then->read_count > INPUT_MAX / 2 - 4)
        return false;
    const Tensor *y = then->writes[0].tensor;
    if (y->carried || then->writes[0].shift || then->write_count > 1)
        return false;
    j->operand = -1;
    for (int k = 0; k < then->read_count; k++) {
        const Use u = then->reads[k];
        if (u.tensor->space != REALS || !shape_equal(&u.tensor->shape, &y->shape))
            return false;
        if (u.tensor == j->norm->writes[0].tensor)
            j->operand = u.shift ? -1 : k;
    }
    return j->operand >= 0;
}

/* True if operand k of `then` is the result of another norm, which can be computed on the way. */
static bool on_the_way(const Model *m, const Join *j, int k)
{
    const Use u = j->then->reads[k];
    const Op *maker = u.tensor->op;
    Found reader;
    if (!is_norm(maker) || u.shift || list_index(&j->section->ops, maker) < 0 || !passing(m, u.tensor) || maker->reads[0].shift)
        return false;
    return reads_of(&m->forward, u.tensor, &reader) == 1 && reads_of(&m->backward, u.tensor, &reader) == 0;
}

static void join_forward(Model *m, const Join *j)
{
    Op *norm = j->norm, *then = j->then;
    List *ops = &j->section->ops;
    list_remove(ops, list_index(ops, norm));
    for (int k = 0; k < then->read_count; k++) {
        const Use u = then->reads[k];
        Op *other = u.tensor->op;
        if (k == j->operand)
            continue;
        if (!on_the_way(m, j, k)) {
            op_read(norm, u.tensor, u.shift);
            continue;
        }
        op_read(norm, other->reads[0].tensor, other->reads[0].shift);
        op_read(norm, other->reads[1].tensor, other->reads[1].shift);
        other->norms.host = norm;
        list_remove(ops, list_index(ops, other));
    }
    ops->items[list_index(ops, then)] = norm;
    norm->writes[0] = then->writes[0];
    norm->writes[0].tensor->op = norm;
    norm->norms.applies = then;
    remark(m, then->loc, "%s applied where %s is normalised", OP_INFO(then)->name, norm->reads[0].tensor->name);
}

/* ---- backward ------------------------------------------------------------------------------------------------------- */

/* The gradient that the backward operator of j->then writes for operand k; NULL: none. */
static Use *gradient_of(const Join *j, int k)
{
    const int part = applied_part(&j->a, k);
    return part >= 0 ? &j->gradient.op->writes[part] : NULL;
}

static bool is_arithmetic(const Node *n)
{
    static const bool more[FN_OWN] = {
        [FN_where] = true, [FN_abs] = true, [FN_relu] = true, [FN_min] = true, [FN_max] = true, [FN_sign] = true
    };
    bool simple = n->kind != NODE_CALL || more[n->function] || (n->function <= FN_not && n->function != FN_power) ||
                  (n->function == FN_power && n->arg[1]->kind == NODE_NUMBER && n->arg[1]->number >= 2 && n->arg[1]->number <= 4 &&
                   n->arg[1]->number == (int)n->arg[1]->number);
    for (int i = 0; i < node_args(n); i++)
        simple = simple && is_arithmetic(n->arg[i]);
    return simple;
}

/* Finds the operators of backward.  True if those of `then` and of the norm can be joined. */
static bool fits_backward(Model *m, Join *j)
{
    Op *g = j->gradient.op;
    if (!g || list_index(&j->gradient.section->ops, g) < 0 || g->reads[0].shift || !j->then->grad.inputs[j->operand])
        return false;
    j->a = applied_of(m->arena, j->then);
    if (!j->a.d)
        return false;
    const Use dn = *gradient_of(j, j->operand);
    if (dn.shift || !passing(m, dn.tensor))
        return false;
    for_each_op(w, &m->backward) for (int r = 0; r < w.op->read_count; r++)
    {
        if (w.op->reads[r].tensor != dn.tensor || w.op->reads[r].shift)
            continue;
        if (r == 0 && w.op->kind == OP_batch_gradient_sums)
            j->sums = (Found){ w.section, w.op };
        else if (r == 0 && w.op->of == j->norm && w.op->pass == BACKWARD)
            j->dz = w.op;
        else
            return false;
    }
    return j->sums.op && j->sums.section == j->gradient.section && j->sums.op->reads[1].tensor == j->norm->reads[0].tensor;
}

/* One operand: both passes of the norm take the gradient of `then` from its dy. */
static bool join_curve(Model *m, const Join *j)
{
    Op *g = j->gradient.op;
    const Use dy = g->reads[0];
    const bool dropped =
        dy.tensor->op && dy.tensor->op->kind == OP_dropout && dy.tensor->op->pass == BACKWARD; /* share.c joins these two */
    if (dropped || !is_arithmetic(j->a.d[0]) || !is_arithmetic(j->a.f->root))
        return false;
    j->sums.op->reads[0] = dy;
    j->sums.op->norms.through = j->then;
    j->sums.op->norms.sums_of = j->norm;
    if (j->dz) {
        j->dz->reads[0] = dy;
        j->norm->norms.through = j->then;
    }
    list_remove(&j->gradient.section->ops, list_index(&j->gradient.section->ops, g));
    remark(m, j->then->loc, "the gradient of %s is taken where that of %s is", OP_INFO(j->then)->name, j->norm->name);
    return true;
}

static void replace(Model *m, const Tensor *from, Tensor *to)
{
    for_each_op(w, &m->backward) for (int r = 0; r < w.op->read_count; r++) if (w.op->reads[r].tensor == from) w.op->reads[r].tensor = to;
}

/* The gradients of other operands: those that are others than that of the norm's result are written too; an equal one becomes the same tensor. */
static void write_gradients(Model *m, const Join *j)
{
    const Node *own = j->a.d[j->operand];
    Use dn = *gradient_of(j, j->operand);
    const int first = j->sums.op->write_count;
    op_write(j->sums.op, dn.tensor, 0);
    for (int k = 0; k < j->then->read_count; k++) {
        const Use *d = k == j->operand ? NULL : gradient_of(j, k);
        if (!d)
            continue;
        if (j->a.d[k] == own && passing(m, d->tensor) && !d->shift && d->tensor->repeat == dn.tensor->repeat)
            replace(m, d->tensor, dn.tensor);
        else {
            op_write(j->sums.op, d->tensor, d->shift);
            j->sums.op->norms.gradients[k] = true;
        }
    }
    for (int w = first; w < j->sums.op->write_count; w++)
        j->sums.op->writes[w].tensor->op = j->sums.op;
}

/* The sum that makes dy, if it can be taken in; else NULL. */
static Op *sum_before(const Model *m, const Join *j)
{
    const Tensor *dy = j->gradient.op->reads[0].tensor;
    Op *s = dy->op;
    Found reader;
    bool fits = s && s->kind == OP_sum && s->read_count <= PARTS_MAX && passing(m, dy) && list_index(&j->gradient.section->ops, s) >= 0 &&
                reads_of(&m->backward, dy, &reader) == 1 && !own_template(m, s);
    return fits ? s : NULL;
}

/* Several operands: the sums take the place of the gradient of `then`, and read and write what that did.  Reads: dy, z, statistics; further parts of
 * dy; operands but the norm's result; the result. */
static bool join_formula(Model *m, const Join *j)
{
    Op *g = j->gradient.op, *sums = j->sums.op, *sum = sum_before(m, j);
    List *ops = &j->gradient.section->ops;
    if (op_uses(g) + PARTS_MAX + 4 > INPUT_MAX)
        return false;
    write_gradients(m, j);
    sums->reads[0] = sum ? sum->reads[0] : g->reads[0];
    for (int k = 1; sum && k < sum->read_count; k++)
        op_read(sums, sum->reads[k].tensor, sum->reads[k].shift);
    for (int r = 1; r < g->read_count; r++)
        if (g->reads[r].tensor != j->then->reads[j->operand].tensor)
            op_read(sums, g->reads[r].tensor, g->reads[r].shift);
    sums->norms.through = j->then;
    sums->norms.sums_of = j->norm;
    list_remove(ops, list_index(ops, sums));
    ops->items[list_index(ops, g)] = sums;
    if (sum)
        list_remove(ops, list_index(ops, sum));
    remark(m, j->then->loc, "the gradient of %s is taken with the sums of %s", OP_INFO(j->then)->name, j->norm->name);
    return true;
}

static bool join_backward(Model *m, Join *j)
{
    if (!fits_backward(m, j))
        return false;
    return j->then->read_count == 1 ? join_curve(m, j) : join_formula(m, j);
}

/* ---- both ----------------------------------------------------------------------------------------------------------- */

static void join(Model *m, Section *section, Op *norm)
{
    Join j = { .section = section, .norm = norm };
    const Tensor *n = norm->writes[0].tensor;
    Found reader = { 0 }, behind = { 0 };
    if (!passing(m, n) || norm->reads[0].shift || norm->writes[0].shift || reads_of(&m->forward, n, &reader) != 1)
        return;
    j.then = reader.op;
    if (!fits(m, &j))
        return;
    for_each_op(w, &m->backward) if (w.op->of == j.then && w.op->pass == BACKWARD) j.gradient = (Found){ w.section, w.op };
    const int read_again = reads_of(&m->backward, n, &behind);
    if (read_again > 1 || (read_again == 1 && behind.op != j.gradient.op))
        return;
    if (join_backward(m, &j) || !read_again)
        join_forward(m, &j);
}

void norms_join(Model *m)
{
    if (m->lanes == 1 || template_replaced(m->arena, m->templates, "batch_norm.c.in") ||
        template_replaced(m->arena, m->templates, "batch_gradient_sums.c.in"))
        return;
    List norms = { 0 }, sections = { 0 };
    for_each_op(w, &m->forward) if (is_norm(w.op))
    {
        list_push(m->arena, &norms, w.op);
        list_push(m->arena, &sections, w.section);
    }
    for (int i = 0; i < norms.count; i++)
        if (is_norm(norms.items[i]))
            join(m, sections.items[i], norms.items[i]);
}
