/* stores.c -- a formula that alone reads the result of a convolution or a dense layer is computed where that result is stored.
 *
 * In: the identified graph, formulas joined.  Out: Op.stores.then of the operators that do so; the formula has no pass of its own, and what it reads of
 * the sum is never stored.  So its gradient may not read the sum: it is made from the result and the other operands, or nobody needs it.  Those are
 * indexed as the result, by channel, or there are none; they are read by the kernel behind its own operands.  Behind a batch norm it is left to
 * norms.c, which saves more.  Bit-neutral, as joins are. */
#include "formula/formula.h"
#include "lower/elements.h"
#include "lower/joinable.h"
#include "template/template.h"

enum { STORES_EXTRAS = 3 };          /* operands beside the sum that kernels take: conv.c.in, dense.c.in */

/* Do the operator's kernels take operands behind their own?  Not those of a dense layer by OpenBLAS, for several positions, or in the latency form for
 * several examples. */
static bool takes_extras(const Model *m, const Op *host)
{
    if (host->kind != OP_dense)
        return true;
    return !host->kernel.openblas && host->writes[0].tensor->shape.rank == 1 && !(m->options.latency && m->batch > 1);
}

/* Is a template that emits the kernels the user's?  It need not take operands beside the sum. */
static bool own_kernels(const Model *m)
{
    static const char *const names[] = {
        "conv.c.in", "conv_forward.c.in", "conv_packed_forward.c.in", "conv_depthwise.c.in", "conv_groups.c.in", "conv_plain.c.in",
        "conv_plain_line.c.in", "conv_winograd.c.in", "conv_winograd_maps.c.in", "conv_winograd_pass.c.in", "conv_winograd_last.c.in",
        "dense.c.in", "dense_fast.c.in", "dense_straight.c.in", "dense_plain.c.in", "latency_conv_points.c.in",
        "latency_conv_filters.c.in", "latency_conv_tiles.c.in", "latency_extras.c.in", "latency_dense.c.in", "epilogue.c.in", "library.c.in",
    };
    for (size_t i = 0; m->templates && i < sizeof names / sizeof *names; i++)
        if (template_replaced(m->arena, m->templates, names[i]))
            return true;
    return false;
}

static bool is_extra(const Op *host, const Use *u, const Tensor *y)
{
    const Shape *x = &u->tensor->shape;
    const bool same = shape_equal(x, &y->shape);
    const bool channel = x->rank == y->shape.rank && x->rank > 1 && x->dim[0] == y->shape.dim[0] && shape_count(x) == x->dim[0];
    if (u->tensor->space != REALS || !repeat_within(y->repeat, u->tensor->repeat))
        return false;
    return host->kind == OP_dense ? same && !u->shift && u->tensor->repeat == y->repeat : same || channel;
}

static bool operands_fit(const Model *m, const Op *host, const Op *op, int at)
{
    const int extras = op->read_count - 1;
    if (extras > STORES_EXTRAS || (extras && (!takes_extras(m, host) || own_kernels(m))))
        return false;
    for (int k = 0; k < op->read_count; k++)
        if (k != at && (!is_extra(host, &op->reads[k], op->writes[0].tensor) || elements_behind_norm(m, op->reads[k].tensor)))
            return false;
    return true;
}

/* Does backward, or `check`, need the sum?  gradient: of the formula, or NULL. */
static bool sum_is_read(const Model *m, const Op *op, int at)
{
    const FormulaGradient *g = op->formula.gradient;
    if (g && g->reads[at])
        return true;
    if (!op->writes[0].tensor->trained || m->options.inference)
        return false;
    const FormulaKinks *kinks = formula_pieces(op->formula.f);
    return kinks->count && kinks->reads[at];
}

/* A convolution or a dense layer whose result may become that of `op`, an operator that reads it as operand `at`. */
static bool is_host(const Model *m, const Op *host, const Op *op, int at)
{
    const Tensor *t = op->reads[at].tensor, *y = op->writes[0].tensor;
    if ((host->kind != OP_conv && (host->kind != OP_dense || host->dense.transposed)) || host->fuse.act != OP_NONE || host->stores.then)
        return false;
    if (op->reads[at].shift || t->carried || y->carried || t->flow_name || t->shown || t->view_of || y->view_of)
        return false;
    if (!shape_equal(&t->shape, &y->shape) || t->repeat != y->repeat)
        return false;
    return reads_in(&m->forward, t, NULL, NULL) == 1 && !reads_in(&m->backward, t, NULL, NULL);
}

/* The place among the formula's operands of a sum in whose operator it may be computed; -1: there is none. */
static int place_in(const Model *m, const Section *s, const Op *op)
{
    const bool kind = op->kind == OP_formula || op->kind == OP_add || op->kind == OP_multiply;     /* activations are fuse.c's */
    if (!kind || op->formula.f->root->kind != NODE_CALL || op->formula.f->kept_count || op->writes[0].shift)
        return -1;
    for (int k = 0; k < op->read_count; k++) {
        const Op *host = op->reads[k].tensor->op;
        const int from = host ? list_index(&s->ops, host) : -1;
        if (from >= 0 && is_host(m, host, op, k) && !sum_is_read(m, op, k) && operands_fit(m, host, op, k)
            && !elements_wait(m, s, from, list_index(&s->ops, op)))
            return k;
    }
    return -1;
}

static void move_in(Model *m, Section *s, Op *op, int at)
{
    Op *host = op->reads[at].tensor->op;
    Tensor *y = op->writes[0].tensor;
    if (op->kind == OP_formula)
        kinks_set(op);
    host->stores.then = op->formula.f;
    host->stores.at = at;
    host->stores.reads = host->read_count;
    for (int k = 0; k < op->read_count; k++)
        if (k != at)
            op_read(host, op->reads[k].tensor, op->reads[k].shift);
    host->writes[0].tensor = y;
    y->op = host;
    list_remove(&s->ops, list_index(&s->ops, host));        /* where the formula stands, all that it reads is there */
    s->ops.items[list_index(&s->ops, op)] = host;
    remark(m, op->loc, "%s is computed where %s stores its sums", y->name, host->name);
}

void formulas_store(Model *m)
{
    for (int i = 0; i < m->forward.count; i++) {
        Section *s = m->forward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *op = s->ops.items[k];
            const int at = op->pass == FORWARD ? place_in(m, s, op) : -1;
            if (at >= 0)
                move_in(m, s, op, at), k--;
        }
    }
}
