/* share.c -- lets the result of an operator that goes element by element take the place of its operand, and dropouts join their neighbours.
 *
 * In: the graph as it will run.  Out: tensor->over, op->drop.  Next: the rest of plan.c, for which the two are one.
 * A dropout and its gradient, and an activation and its, read each element once, at the place where they write it.  So if nobody else needs the
 * operand, one tensor less goes through the caches, and the batch needs less memory.  Of the operand of a dropout, the gradient of the
 * relu, or pool of relus, that made it asks only which elements are positive, and only to pass on what the dropout has let through:
 * there result and operand have the same sign, and elsewhere the gradient is 0 by then.  A sigmoid behind it would leave no zeros there.
 * Two passes over a map can be saved besides, to the same bits:
 *   backward   that gradient of a relu, or pool of relus, is 0 wherever the dropout has dropped, for there the result is not positive.  It takes
 *              the gradient of the dropout's result itself, times the scale: no mask is drawn again
 *   forward    such a pool's result goes through the dropout before it is stored
 * The plain form keeps all tensors apart, and all passes. */
#include "spnc.h"
#include "template/template.h"

static bool element_by_element(const Op *op)
{
    bool kind = op->kind == OP_dropout || op->kind == OP_relu || op->kind == OP_tanh || op->kind == OP_sigmoid;
    return kind && (op->pass == FORWARD || op->pass == BACKWARD);
}

/* Reads of t, its own maker's result, only which elements are positive. */
static bool reads_sign(const Op *op, const Tensor *t)
{
    bool kind = op->kind == OP_relu || op->kind == OP_maxpool || op->kind == OP_conv_pool;
    return kind && (op->pass == BACKWARD || op->pass == WEIGHTS) && op->of->writes[0].tensor == t;
}

/* What `by` makes of t, its operand, says as well as t which of its elements are positive, where that matters: behind a dropout elsewhere too. */
static bool keeps_signs(const Op *by, const Tensor *t)
{
    return by->pass == FORWARD && (by->kind == OP_dropout || (t->op && t->op->drop && by->kind != OP_sigmoid));
}

/* All operators, in the order in which they run. */
static List operators(Model *m)
{
    List all = { 0 };
    for (int i = 0; i < m->forward.count + m->backward.count; i++) {
        const Section *s = i < m->forward.count ? m->forward.items[i] : m->backward.items[i - m->forward.count];
        for (int k = 0; k < s->ops.count; k++)
            list_push(m->arena, &all, s->ops.items[k]);
    }
    return all;
}

static bool has_view(const Model *m, const Tensor *t)
{
    for (int i = 0; i < m->tensors.count; i++)
        if (((Tensor *)m->tensors.items[i])->view_of == t)
            return true;
    return false;
}

/* Whether anybody of `all` but `by`, its reader, needs t as it is, or writes it too. */
static bool needed_as_it_is(const Model *m, const List *all, const Tensor *t, const Op *by)
{
    int makers = 0;
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

/* Values or gradients of one step, at that step. */
static bool of_this_step(const Use *u)
{
    const Tensor *t = u->tensor;
    return t->space == REALS && !u->shift && !t->carried && !t->tail && !t->hoisted;
}

static bool ordinary(const Use *u) { return of_this_step(u) && !u->tensor->view_of && !u->tensor->flow_name; }

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

/* All of `all` that read or write `from` do so with `to`. */
static void replace(const List *all, const Tensor *from, Tensor *to)
{
    for (int k = 0; k < all->count; k++) {
        Op *op = all->items[k];
        for (int i = 0; i < op->read_count + op->write_count; i++) {
            Use *u = i < op->read_count ? &op->reads[i] : &op->writes[i - op->read_count];
            u->tensor = u->tensor == from ? to : u->tensor;
        }
    }
}

/* `op` runs no more. */
static void leave(Model *m, List *all, Op *op)
{
    Section *s = section_of(m, op);
    list_remove(&s->ops, list_index(&s->ops, op));
    list_remove(all, list_index(all, op));
}

/* Knows from the sign of its own result, which is in y's memory, what passes. */
static bool asks_sign(const Op *op, const Tensor *y)
{
    for (int r = 0; r < op->read_count; r++)
        if (reads_sign(op, op->reads[r].tensor) && tensor_owner(op->reads[r].tensor) == tensor_owner(y))
            return true;
    return false;
}

/* A template of the user's own knows nothing of dropouts, or means something else by one. */
static bool own_template(const Model *m, const Op *op)
{
    bool unary = op->kind == OP_relu && template_replaced(m->arena, m->options.templates, "unary.c.in");
    return unary || template_replaced(m->arena, m->options.templates, arena_printf(m->arena, "%s.c.in", OP_INFO(op)->name));
}

/* Does all that reads the result of `drop`, a dropout's gradient, begin with it and know from the sign of y where the dropout has dropped?  Then it
 * can begin with the gradient of the dropout's result instead. */
static bool gradients_join(const Model *m, const List *all, const Op *drop, const Tensor *y)
{
    const Tensor *dy = drop->reads[0].tensor, *dx = drop->writes[0].tensor;
    const Section *s = section_of(m, drop);
    int readers = 0;
    if (!of_this_step(&drop->reads[0]) || !ordinary(&drop->writes[0]) || has_view(m, dx) || dx->repeat != dy->repeat || own_template(m, drop))
        return false;
    for (int k = 0; k < all->count; k++) {
        const Op *op = all->items[k];
        for (int r = 0; r < op->read_count; r++) {
            if (op->reads[r].tensor != dx)
                continue;
            if (r > 0 || op->drop || !asks_sign(op, y) || own_template(m, op) || list_index(&s->ops, op) < 0)
                return false;
            readers++;
        }
    }
    return readers > 0;
}

static void join_gradients(Model *m, List *all, Op *drop)
{
    Tensor *dy = drop->reads[0].tensor, *dx = drop->writes[0].tensor;
    leave(m, all, drop);
    for (int k = 0; k < all->count; k++) {
        Op *op = all->items[k];
        if (op->read_count && op->reads[0].tensor == dx)
            op->drop = drop->of;
    }
    replace(all, dx, dy);
    remark(m, drop->loc, "the gradient of %s draws no mask: it is 0 where that of its operand is, and else scaled there", drop->name);
}

/* The pool that makes the operand of `drop`, which nobody else needs, stores it dropped.  Both passes are saved, or neither. */
static bool join_pool(Model *m, List *all, Op *drop)
{
    Tensor *x = drop->reads[0].tensor, *y = drop->writes[0].tensor;
    Op *pool = x->op, *gradient = NULL;
    if (!pool || (pool->kind != OP_maxpool && pool->kind != OP_conv_pool) || pool->drop || list_index(&section_of(m, drop)->ops, pool) < 0 || own_template(m, drop)
        || own_template(m, pool))
        return false;
    for (int k = 0; k < all->count; k++) {
        Op *op = all->items[k];
        gradient = op->of == drop && op->pass == BACKWARD ? op : gradient;
    }
    if (gradient && !gradients_join(m, all, gradient, x))
        return false;
    leave(m, all, drop);
    replace(all, x, y);
    pool->drop = drop;
    y->op = pool;
    remark(m, drop->loc, "%s is applied where %s stores its result", drop->name, pool->name);
    if (gradient)
        join_gradients(m, all, gradient);
    return true;
}

/* May y = op(x) be where x is? */
static bool may_take_place(const Model *m, const List *all, const Op *op)
{
    const Tensor *x = op->reads[0].tensor, *y = op->writes[0].tensor;
    /* What a whole-batch operator made is out of the caches; its successor may be in a thread's scratch. */
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
        if (!ordinary(&op->reads[0]) || !of_this_step(&op->writes[0]) || y->view_of || !may_take_place(m, &all, op))
            continue;
        if (op->kind == OP_dropout && op->pass == FORWARD && join_pool(m, &all, op)) {
            k--;
            continue;
        }
        if (y->flow_name || (op->kind == OP_sigmoid && op->pass == FORWARD && (x->over || (x->op && x->op->drop))))
            continue;
        y->over = x;
        if (op->pass == FORWARD)
            remark(m, op->loc, "%s takes the place of %s", y->name, x->name);
    }
}
