/* grad.c -- differentiates the graph: appends the operators that compute the gradient of the loss.
 *
 * In: m->forward.  Out: m->backward, sections of ordinary operators.  Next: fuse.c.
 * Sections are visited last to first, their operators likewise.  The readers of a tensor are visited before the operator
 * that writes it, and push their contributions to t->grads; several are added by one `sum`, in the order they were pushed.  A loop's
 * gradient is a loop in reverse:
 *   - a state read from the step before (shift -1) gets its contribution from one step later (shift +1); beyond the last step it is zero (tail);
 *   - gradients of weights used in the loop run after it, over all steps at once, from the stacked gradients of its outputs;
 *   - a tensor that is read at every step but computed once gets the sum over steps.
 * Order of sums: contributions, and a weight's uses, in the order pushed; steps from the first to the last. */
#include "spnc.h"
#include <string.h>

/* The work of this stage while it runs: m->gradient. */
struct Gradient {
    Section *now;            /* the backward section operators are appended to */
    Section *later;          /* AFTER section for weights' gradients of a loop; else equal to now */
    List folds;              /* of this section: they run at its end, so that the group operators before them stay in one phase */
    List open;               /* Open: gradients of states, while their loop's body is visited */
};

/* The gradient of a state: a sum that has the state's contributions up to `count`. */
typedef struct { Op *sum; Tensor *state; int count; } Open;

static Section *open_section(Model *m, SectionKind kind, Repeat *r)
{
    Section *s = NEW(m->arena, Section);
    s->kind = kind;
    s->repeat = r;
    return s;
}

/* A part of a tensor's gradient.  slice: it is that of the slice that each step read, by this operator. */
typedef struct { Use use; const Op *slice; } Part;

static void contribute(Model *m, Tensor *t, Use g, const Op *slice)
{
    Part *p = NEW(m->arena, Part);
    *p = (Part){ g, slice };
    list_push(m->arena, &t->grads, p);
}

void grad_slices(Model *m, Op *op, Use dy)
{
    if (dy.shift)
        unreachable("the gradient of a slice comes from its own step");
    if (op->grad.inputs[0])
        contribute(m, op->reads[0].tensor, dy, op);
}

void grad_pass(Model *m, Op *op, int input, Use dy)
{
    Use in = op->reads[input];
    Tensor *t = in.tensor;
    if (in.shift == -1 && dy.shift) {       /* two steps away: bring it to this step first, so that one slot behind is enough */
        Op *copy = op_new(m, OP_copy, FORWARD, "", op->loc);
        Tensor *here = tensor_new(m, arena_printf(m->arena, "d_%s", t->name), op->loc, dy.tensor->repeat);
        copy->name = arena_printf(m->arena, "copy_%s", here->name);
        here->shape = dy.tensor->shape;
        op_write(copy, here, 0);
        op_read(copy, dy.tensor, dy.shift);
        list_push(m->arena, &m->gradient->now->ops, copy);
        dy = (Use){ here, 0 };
    }
    if (in.shift == -1) {
        Tensor *base = dy.tensor;
        while (base->view_of)
            base = base->view_of;
        base->tail = dy.tensor->tail = true;
    }
    contribute(m, t, (Use){ dy.tensor, dy.shift - in.shift }, NULL);
}

Op *grad_backward(Model *m, Op *op, Use dy)
{
    Op *b = op_new(m, op->kind, BACKWARD, op->name, op->loc);
    b->of = op;
    b->family = op->family;
    memcpy(b->attrs, op->attrs, sizeof b->attrs);
    b->attr_count = op->attr_count;
    memcpy(b->weights, op->weights, sizeof b->weights);
    b->weight_count = op->weight_count > 0 && (op->kind == OP_conv || op->kind == OP_conv_transpose || op->kind == OP_dense) ? 1 : 0;
    for (int i = 0; i < op->read_count; i++) {
        if (!op->grad.inputs[i])
            continue;
        Tensor *x = op->reads[i].tensor;
        /* in a loop or after it the gradient is stacked, though x may be made once: total() sums it over the steps */
        Repeat *r = op->writes[0].tensor->repeat ? op->writes[0].tensor->repeat : x->repeat;
        Tensor *dx = tensor_new(m, arena_printf(m->arena, "d_%s", x->name), op->loc, r);
        dx->shape = x->shape;
        op_write(b, dx, 0);
        grad_pass(m, op, i, (Use){ dx, 0 });
    }
    if (b->write_count == 0)
        return NULL;
    if (dy.tensor)
        op_read(b, dy.tensor, dy.shift);
    list_push(m->arena, &m->gradient->now->ops, b);
    return b;
}

void grad_append(Model *m, Op *op) { list_push(m->arena, &m->gradient->now->ops, op); }

static void fold_part(Model *m, Op *op, Weight *w)
{
    if (m->lanes == 1)
        return;
    Tensor *part = tensor_new(m, arena_printf(m->arena, "d_%s_part", w->field), op->loc, op->reads[0].tensor->repeat);
    part->space = PARTS;
    part->shape = w->layout == W_IN_OUT ? (Shape){ 2, { w->shape.dim[1], w->stride } } : w->shape;
    op_write(op, part, 0);
    Op *fold = op_new(m, OP_fold, FOLD, arena_printf(m->arena, "fold_%s", w->field), op->loc);
    fold->of = op;
    fold->weights[fold->weight_count++] = w;
    fold->grad.accumulates = w->uses > 0;
    op_read(fold, part, 0);
    list_push(m->arena, &m->gradient->folds, fold);
}

/* Does an operator have a parameter that is not frozen? */
static bool learns(const Op *op)
{
    for (int i = 0; i < op->weight_count; i++)
        if (!op->weights[i]->frozen)
            return true;
    return false;
}

/* If one of several parameters is frozen, the pass that makes the others' gradients makes its too, which nothing reads. */
Op *grad_weights(Model *m, Op *op, Use dy)
{
    if (!learns(op))
        return NULL;
    Op *w = op_new(m, op->kind, WEIGHTS, op->name, op->loc);
    w->of = op;
    w->family = op->family;
    memcpy(w->attrs, op->attrs, sizeof w->attrs);
    w->attr_count = op->attr_count;
    memcpy(w->weights, op->weights, sizeof w->weights);
    w->weight_count = op->weight_count;
    op_read(w, dy.tensor, dy.shift);
    list_push(m->arena, &m->gradient->later->ops, w);
    for (int i = 0; i < op->weight_count; i++) {
        if (!op_is_whole(w))
            fold_part(m, w, op->weights[i]);
        *(i ? &w->grad.adds_bias : &w->grad.accumulates) = op->weights[i]->uses > 0;
        op->weights[i]->trained = !op->weights[i]->frozen;
    }
    for (int i = 0; i < op->weight_count; i++)
        op->weights[i]->uses++;
    return w;
}

/* A sum of up to INPUT_MAX parts of the gradient of y, put into `ops` at a place. */
static Op *sum_parts(Model *m, List *ops, int at, const Tensor *y, const Use *parts, int n)
{
    Tensor *t = tensor_new(m, arena_printf(m->arena, "d_%s_total", y->name), y->loc, y->repeat);
    Op *s = op_new(m, OP_sum, FORWARD, arena_printf(m->arena, "sum_%s", t->name), y->loc);
    t->shape = y->shape;
    op_write(s, t, 0);
    for (int k = 0; k < n; k++)
        op_read(s, parts[k].tensor, parts[k].shift);
    list_insert(m->arena, ops, at, s);
    return s;
}

/* The whole gradient of writes[0] of `op`, as a Use at op's own step; tensor NULL if no reader contributes to it. */
static Use total(Model *m, Op *op)
{
    Tensor *y = op->writes[0].tensor;
    Use parts[INPUT_MAX];
    int n = 0;
    for (int i = 0; i < y->grads.count; i++) {
        const Part *p = y->grads.items[i];
        Use g = p->use;
        if (!y->repeat && g.tensor->repeat) {
            Op *s = op_new(m, p->slice ? OP_sum_slices : OP_sum_steps, FORWARD, arena_printf(m->arena, "sum_%s", g.tensor->name), op->loc);
            s->slice.of = p->slice;
            Tensor *once = tensor_new(m, g.tensor->name, op->loc, NULL);
            once->shape = y->shape;
            s->name = arena_printf(m->arena, "sum_%s", once->name);
            op_write(s, once, 0);
            op_read(s, g.tensor, 0);
            list_push(m->arena, &m->gradient->now->ops, s);
            g = (Use){ once, 0 };
        }
        if (n == INPUT_MAX) {       /* more readers than one sum takes: sums of sums, still in order */
            parts[0] = (Use){ sum_parts(m, &m->gradient->now->ops, m->gradient->now->ops.count, y, parts, n)->writes[0].tensor, 0 };
            n = 1;
        }
        parts[n++] = g;
    }
    bool open = y->carried && m->gradient->now->kind == CORE_BACKWARD;
    if (n == 0 && !open)
        return (Use){ 0 };
    if (n == 1 && !open)
        return parts[0];
    Op *s = sum_parts(m, &m->gradient->now->ops, m->gradient->now->ops.count, y, parts, n);
    if (open) {
        Open *o = NEW(m->arena, Open);
        *o = (Open){ s, y, y->grads.count };
        list_push(m->arena, &m->gradient->open, o);
    }
    return (Use){ s->writes[0].tensor, 0 };
}

/* Adds to an open sum the contributions that came after it was made; those beyond the operands of one sum make sums of their own before it. */
static void close_sum(Model *m, const Open *o)
{
    Op *s = o->sum;
    const Tensor *y = o->state;
    List *ops = &m->gradient->now->ops;
    Use parts[INPUT_MAX];
    int n = 0, left = y->grads.count - o->count;
    for (int k = o->count; k < y->grads.count; k++, left--) {
        const Use *g = &((Part *)y->grads.items[k])->use;
        if (s->read_count + left + (n > 0) <= INPUT_MAX && n == 0) {
            op_read(s, g->tensor, g->shift);
            continue;
        }
        parts[n++] = *g;
        if (n == INPUT_MAX - 1 || left == 1) {
            op_read(s, sum_parts(m, ops, list_index(ops, s), y, parts, n)->writes[0].tensor, 0);
            n = 0;
        }
    }
    s->kind = s->read_count == 0 ? OP_fill : s->read_count == 1 ? OP_copy : OP_sum;
}

/* A state's readers in the next step push their contributions after the operator that writes it was visited: they are added at the end of
 * the loop's body. */
static void close_sums(Model *m)
{
    List *open = &m->gradient->open;
    for (int i = 0; i < open->count; i++)
        close_sum(m, open->items[i]);
    open->count = 0;
}

static bool *mark_of(Tensor *t, bool weighted) { return weighted ? &t->weighted : &t->trained; }

/* Sets Tensor.weighted or Tensor.trained; repeated until nothing changes, since a state may depend on a weight through the loop. */
static void mark(Model *m, bool weighted)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < m->ops.count; i++) {
            Op *op = m->ops.items[i];
            bool marked = weighted ? op->weight_count > 0 : learns(op);
            for (int k = 0; k < op->read_count && op->kind != OP_stop_gradient; k++)
                marked = marked || *mark_of(op->reads[k].tensor, weighted);
            for (int k = 0; marked && k < op->write_count; k++)
                if (!*mark_of(op->writes[k].tensor, weighted))
                    *mark_of(op->writes[k].tensor, weighted) = changed = true;
        }
    }
}

static void mark_trained(Model *m)
{
    mark(m, true);
    mark(m, false);
    for (int i = 0; i < m->ops.count; i++) {
        Op *op = m->ops.items[i];
        for (int k = 0; k < op->read_count; k++)
            op->grad.inputs[k] = op->reads[k].tensor->trained && op->kind != OP_stop_gradient;
    }
}

/* What fell away because parameters are frozen: of each operator whose gradients are others than without. */
static void note_frozen(Model *m)
{
    for (int i = 0; i < m->ops.count; i++) {
        const Op *op = m->ops.items[i];
        const Tensor *y = op->writes[0].tensor;
        bool less = false;
        for (int k = 0; k < op->read_count; k++)
            less = less || (op->reads[k].tensor->weighted && !op->reads[k].tensor->trained);
        if (op->weight_count && !learns(op))
            remark(m, op->loc, y->trained ? "%s is frozen: the gradient passes it, to its input alone" : "%s is frozen, and its input does not learn: no gradient is computed of either",
                   op->name);
        else if (y->weighted && !y->trained)
            remark(m, op->loc, "%s has no gradient: all parameters that it is made with are frozen", op->name);
        else if (less)
            remark(m, op->loc, "%s passes no gradient to what is made with frozen parameters alone", op->name);
        for (int k = 0; k < op->weight_count && learns(op); k++)
            if (op->weights[k]->frozen)
                remark(m, op->loc, "%s: %s is frozen; its gradient comes with that of the others, and is not read", op->name, op->weights[k]->name);
    }
}

static bool is_start(const Op *op) { return op->write_count && op->writes[0].shift == -1; }

static void visit(Model *m, Op *op)
{
    if (LOSS_INFO(op)) {
        Use none = { 0 };
        OP_INFO(op)->grad(m, op, none);
        return;
    }
    if (is_start(op) || !op->writes[0].tensor->trained)
        return;
    Use dy = total(m, op);
    if (dy.tensor)
        OP_INFO(op)->grad(m, op, dy);
}

/* Zeroes the slot beyond the last step of every contribution that arrives from the step after. */
static void clear_tails(Model *m, Section *before, const List *from)
{
    for (int i = 0; i < from->count; i++) {
        Op *op = from->items[i];
        for (int k = 0; k < op->write_count; k++) {
            Tensor *t = op->writes[k].tensor;
            if (!t->tail || t->view_of)
                continue;
            bool done = false;
            for (int j = 0; j < before->ops.count; j++)
                done = done || (((Op *)before->ops.items[j])->kind == OP_fill && ((Op *)before->ops.items[j])->writes[0].tensor == t);
            if (done)
                continue;
            Op *fill = op_new(m, OP_fill, FORWARD, arena_printf(m->arena, "%s_end", t->name), op->loc);
            fill->writes[fill->write_count++] = (Use){ t, t->repeat->steps };
            list_push(m->arena, &before->ops, fill);
        }
    }
}

/* The gradient of a state's start: the contributions of step 0 to the state before it. */
static void start_gradients(Model *m, Repeat *r, const Section *starts)
{
    for (int i = starts->ops.count - 1; i >= 0; i--) {
        Op *op = starts->ops.items[i];
        if (!is_start(op) || op->writes[0].tensor->repeat != r)
            continue;
        Tensor *state = op->writes[0].tensor;
        bool wanted = learns(op) || (op->read_count && op->reads[0].tensor->trained);
        Tensor once = *state;           /* the gradient of a value that is computed once, before the loop */
        once.repeat = NULL;
        Use parts[INPUT_MAX];
        int n = 0;
        for (int k = 0; wanted && k < state->grads.count; k++) {
            Use *g = &((Part *)state->grads.items[k])->use;
            if (g->shift != 1)
                continue;
            if (n == INPUT_MAX) {
                parts[0] = (Use){ sum_parts(m, &m->gradient->now->ops, m->gradient->now->ops.count, &once, parts, n)->writes[0].tensor, 0 };
                n = 1;
            }
            parts[n++] = (Use){ g->tensor, 0 };
        }
        if (n == 0)
            continue;
        Op *s = sum_parts(m, &m->gradient->now->ops, m->gradient->now->ops.count, &once, parts, n);
        s->kind = n == 1 ? OP_copy : OP_sum;
        OP_INFO(op)->grad(m, op, s->writes[0]);
    }
}

/* Begins the backward section of a loop or of what runs once; `later`: see struct Gradient. */
static void begin(Model *m, Section *now, Section *later)
{
    m->gradient->now = now;
    m->gradient->later = later;
}

static void close_section(Model *m, Section *s)
{
    List *folds = &m->gradient->folds;
    if (s == m->gradient->later) {
        for (int i = 0; i < folds->count; i++)
            list_push(m->arena, &s->ops, folds->items[i]);
        folds->count = 0;
    }
    if (s->ops.count)
        list_push(m->arena, &m->backward, s);
}

static void visit_all(Model *m, const Section *f)
{
    for (int k = f->ops.count - 1; k >= 0; k--)
        visit(m, f->ops.items[k]);
}

/* The gradient of m->forward[at], a loop: what is cleared before it, the loop in reverse, the gradients of its weights, those of its states' starts. */
static void loop_gradient(Model *m, int at)
{
    const Section *f = m->forward.items[at];
    Section *before = open_section(m, ONCE, NULL), *now = open_section(m, CORE_BACKWARD, f->repeat), *later = open_section(m, AFTER, f->repeat);
    begin(m, now, later);
    visit_all(m, f);
    close_sums(m);
    for (int k = 0; k < m->backward.count; k++) {
        const Section *s = m->backward.items[k];
        if (s->repeat == f->repeat)
            clear_tails(m, before, &s->ops);
    }
    clear_tails(m, before, &now->ops);
    close_section(m, before);
    close_section(m, now);
    close_section(m, later);
    now = open_section(m, ONCE, NULL);
    begin(m, now, now);
    for (int k = at - 1; k >= 0; k--)
        start_gradients(m, f->repeat, m->forward.items[k]);
    close_section(m, now);
}

/* Of the operators that write the gradient of a weight the first that runs sets it and the others add: folds wait for the end of their section, so that it need not
 * be the one that was made first. */
static void order_additions(Model *m)
{
    for (int i = 0; i < m->weights.count; i++) {
        bool written = false;
        for_each_op(w, &m->backward)
            for (int k = 0; k < w.op->weight_count; k++) {
                if (w.op->weights[k] != m->weights.items[i] || !(w.op->pass == FOLD || (w.op->pass == WEIGHTS && op_is_whole(w.op))))
                    continue;
                *(k ? &w.op->grad.adds_bias : &w.op->grad.accumulates) = written;
                written = true;
            }
    }
}

bool grad_build(Model *m)
{
    if (m->options.inference)
        return true;
    mark_trained(m);
    m->gradient = NEW(m->arena, struct Gradient);
    for (int i = m->forward.count - 1; i >= 0; i--) {
        const Section *f = m->forward.items[i];
        if (f->kind == CORE) {
            loop_gradient(m, i);
            continue;
        }
        Section *now = open_section(m, f->kind, f->repeat);
        begin(m, now, now);
        visit_all(m, f);
        close_section(m, now);
    }
    m->gradient = NULL;
    order_additions(m);
    bool any = false, frozen = false;
    for (int i = 0; i < m->weights.count; i++) {
        any = any || ((Weight *)m->weights.items[i])->trained;
        frozen = frozen || ((Weight *)m->weights.items[i])->frozen;
    }
    if (frozen)
        note_frozen(m);
    for (int i = 0; i < m->train.own_count && !any && frozen; i++)
        if (m->train.own[i].freeze) {
            diag_error(m->diag, m->train.own[i].loc, "every parameter that the loss depends on is frozen: there is nothing to train");
            return false;
        }
    if (!any) {
        diag_error(m->diag, m->losses[0].loc, "no weight has an influence on the loss: there is nothing to train");
        return false;
    }
    return true;
}
