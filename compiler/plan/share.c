/* share.c -- in-place results of elementwise operators, and dropouts that join their neighbours.
 *
 * In: the graph in the order in which it runs.  Out: tensor->over (the operand whose memory a result takes), op->share.dropout (a joined dropout).
 * Next: the rest of plan.c, which places an operand and its in-place result once.
 *
 * In place: a dropout, an activation, a formula and their gradients read each element once, where they write it.  If no other operator reads the
 * operand, the result is written over it: one tensor less passes through the caches, and the batch needs less memory.  One other reader is harmless:
 * the gradient of the relu (or of the pool of relus) that made a dropout's operand uses only its signs, and only where the dropout kept the element.
 * There operand and result have the same sign; where it was dropped the incoming gradient is already 0.
 *
 * Joined: two passes over a map are saved, with the same bits.
 *   backward   the gradient of that relu is 0 wherever the dropout dropped, since the stored result is 0 there.  So it can read the gradient of the
 *              dropout's result and multiply by 1 / (1 - rate); the mask is not drawn again
 *   forward    the pool applies the dropout to what it stores
 * The plain form does neither. */
#include "lower/elements.h"
#include "lower/joinable.h"

static bool element_by_element(const Op *op)
{
    bool kind = op->kind == OP_dropout || op->kind == OP_relu || op->kind == OP_tanh || op->kind == OP_sigmoid;
    /* a formula reads all operands of an element before it writes; its gradient must not be a sum over elements */
    bool formula = op->kind == OP_formula && op->read_count && shape_equal(&op->reads[0].tensor->shape, &op->writes[0].tensor->shape);
    return (kind || formula) && (op->pass == FORWARD || op->pass == BACKWARD);
}

/* True for the gradient of a relu, or of a pool of relus, whose mask is the sign of its forward result t. */
static bool reads_sign(const Op *op, const Tensor *t)
{
    bool kind = op_masks(op->kind) || op->kind == OP_maxpool || op->kind == OP_conv_pool;
    return kind && (op->pass == BACKWARD || op->pass == WEIGHTS) && op->of->writes[0].tensor == t;
}

/* True if the result of `by`, whose operand is t, has the sign of t wherever the gradient of a relu will test it: a dropout always; relu and tanh
 * only if t has been dropped already, for they leave a 0 at 0 and others do not. */
static bool keeps_signs(const Op *by, const Tensor *t)
{
    return by->pass == FORWARD && (by->kind == OP_dropout || (t->op && t->op->share.dropout && (by->kind == OP_relu || by->kind == OP_tanh)));
}

/* All operators, in the order in which they run. */
static List operators(Model *m)
{
    List all = { 0 };
    for_each_op(w, &m->forward)
        list_push(m->arena, &all, w.op);
    for_each_op(w, &m->backward)
        list_push(m->arena, &all, w.op);
    return all;
}

/* True if t may not be overwritten by its reader `by`: another operator reads its values, it has a view, a loss or `check` reads it, or it has
 * several writers. */
static bool needed_as_it_is(const Model *m, const List *all, const Tensor *t, const Op *by)
{
    int makers = 0;
    if (t->decides)
        return true;
    for (int k = 0; k < all->count; k++) {
        const Op *op = all->items[k];
        for (int r = 0; r < op->read_count; r++)
            if (op->reads[r].tensor == t && op != by && !(keeps_signs(by, t) && reads_sign(op, t)))
                return true;
        for (int w = 0; w < op->write_count; w++)
            makers += op->writes[w].tensor == t;
    }
    if (has_view(m, t))
        return true;
    for (int i = 0; i < m->loss_count; i++)
        if (m->losses[i].value == t)
            return true;
    return makers != 1;
}

/* A value or gradient that is read or written at its own step, and is neither a state nor hoisted. */
static bool of_this_step(const Use *u)
{
    const Tensor *t = u->tensor;
    return t->space == REALS && !u->shift && !t->carried && !t->tail && !t->hoisted;
}

static bool ordinary(const Use *u) { return of_this_step(u) && !u->tensor->view_of && !u->tensor->flow_name && !u->tensor->shown; }

/* The section in which `op` runs. */
static Section *section_of(const Model *m, const Op *op)
{
    for (int i = 0; i < m->forward.count + m->backward.count; i++) {
        Section *s = i < m->forward.count ? m->forward.items[i] : m->backward.items[i - m->forward.count];
        if (list_index(&s->ops, op) >= 0)
            return s;
    }
    unreachable("an operator runs in a section");
}

/* Replaces `from` by `to` in the reads and writes of `all`. */
static void replace(const List *all, const Tensor *from, Tensor *to)
{
    for (int k = 0; k < all->count; k++) {
        Op *op = all->items[k];
        for (int i = 0; i < op_uses(op); i++)
            if (op_use(op, i)->tensor == from)
                op_use(op, i)->tensor = to;
    }
}

/* Removes `op` from its section and from `all`. */
static void remove_op(Model *m, List *all, Op *op)
{
    Section *s = section_of(m, op);
    list_remove(&s->ops, list_index(&s->ops, op));
    list_remove(all, list_index(all, op));
}

/* True for the gradient of a relu, or of a pool of relus, whose mask is the sign of a forward result stored in y's memory. */
static bool masks_by_sign(const Op *op, const Tensor *y)
{
    for (int r = 0; r < op->read_count; r++)
        if (reads_sign(op, op->reads[r].tensor) && tensor_owner(op->reads[r].tensor) == tensor_owner(y))
            return true;
    return false;
}

/* True if `drop`, the backward operator of a dropout with the result y, can be deleted: each reader of its result has it as first operand and masks
 * by y > 0.  Dropped elements of y are 0, so only the factor 1 / (1 - rate) is left, which the readers apply. */
static bool gradients_join(const Model *m, const List *all, const Op *drop, const Tensor *y)
{
    const Tensor *dy = drop->reads[0].tensor, *dx = drop->writes[0].tensor;
    const Section *s = section_of(m, drop);
    int readers = 0;
    if (!of_this_step(&drop->reads[0]) || !ordinary(&drop->writes[0]) || has_view(m, dx) || dx->repeat != dy->repeat ||
        own_template(m, drop))
        return false;
    for (int k = 0; k < all->count; k++) {
        const Op *op = all->items[k];
        for (int r = 0; r < op->read_count; r++) {
            if (op->reads[r].tensor != dx)
                continue;
            if (r > 0 || op->share.dropout || !masks_by_sign(op, y) || own_template(m, op) || list_index(&s->ops, op) < 0)
                return false;
            readers++;
        }
    }
    return readers > 0;
}

static void join_gradients(Model *m, List *all, Op *drop)
{
    Tensor *dy = drop->reads[0].tensor, *dx = drop->writes[0].tensor;
    remove_op(m, all, drop);
    for (int k = 0; k < all->count; k++) {
        Op *op = all->items[k];
        if (op->read_count && op->reads[0].tensor == dx)
            op->share.dropout = drop->of;
    }
    replace(all, dx, dy);
    remark(m, drop->loc, "the gradient of %s draws no mask: it is 0 where that of its operand is, and else scaled there", drop->name);
}

/* Moves the forward dropout `drop` into the pool that makes its operand, and deletes its backward operator; does both or neither.  The caller has
 * checked that no other operator needs the operand. */
static bool join_pool(Model *m, List *all, Op *drop)
{
    Tensor *x = drop->reads[0].tensor, *y = drop->writes[0].tensor;
    Op *pool = x->op, *gradient = NULL;
    if (!pool || (pool->kind != OP_maxpool && pool->kind != OP_conv_pool) || pool->share.dropout || list_index(&section_of(m, drop)->ops, pool) < 0 ||
        own_template(m, drop) || own_template(m, pool))
        return false;
    for (int k = 0; k < all->count; k++) {
        Op *op = all->items[k];
        gradient = op->of == drop && op->pass == BACKWARD ? op : gradient;
    }
    if (gradient && !gradients_join(m, all, gradient, x))
        return false;
    remove_op(m, all, drop);
    replace(all, x, y);
    pool->share.dropout = drop;
    y->op = pool;
    remark(m, drop->loc, "%s is applied where %s stores its result", drop->name, pool->name);
    if (gradient)
        join_gradients(m, all, gradient);
    return true;
}

/* True if the result of op, over its first operand x, would have other signs than x, by which the gradient of a relu masks: that relu's result lies
 * there, too, with a dropout over it.  relu and tanh leave a 0 at 0, where the dropout dropped, and others their sign. */
static bool changes_signs(const List *all, const Op *op)
{
    if (op->kind == OP_dropout || op->kind == OP_relu || op->kind == OP_tanh)
        return false;
    for (int k = 0; k < all->count; k++)
        if (masks_by_sign(all->items[k], op->reads[0].tensor))
            return true;
    return false;
}

/* True if the result of op may be written over its first operand. */
static bool may_be_in_place(const Model *m, const List *all, const Op *op)
{
    const Tensor *x = op->reads[0].tensor, *y = op->writes[0].tensor;
    /* The result of a whole-batch operator has left the caches; in a place of its own, the next result may stay in a thread's scratch. */
    bool far = op->pass == BACKWARD && x->op && OP_INFO(x->op)->whole_batch;
    return x->repeat == y->repeat && !far && !needed_as_it_is(m, all, x, op);
}

void places_share(Model *m)
{
    if (m->lanes == 1)
        return;
    List all = operators(m);
    for (int k = 0; k < all.count; k++) {
        Op *op = all.items[k];
        if (!element_by_element(op))
            continue;
        Tensor *x = op->reads[0].tensor, *y = op->writes[0].tensor;
        if (op->kind == OP_dropout && op->pass == BACKWARD && gradients_join(m, &all, op, op->of->writes[0].tensor)) {
            join_gradients(m, &all, op);
            k--;
            continue;
        }
        if (!ordinary(&op->reads[0]) || !of_this_step(&op->writes[0]) || y->view_of || !may_be_in_place(m, &all, op))
            continue;
        if (op->kind == OP_dropout && op->pass == FORWARD && join_pool(m, &all, op)) {
            k--;
            continue;
        }
        if (y->flow_name || y->shown || changes_signs(&all, op))
            continue;
        y->over = x;
        if (op->pass == FORWARD)
            remark(m, op->loc, "%s takes the place of %s", y->name, x->name);
    }
}
