/* grad.c -- differentiates the graph: appends the operators that compute the gradient of the loss.
 *
 * In: m->forward.  Out: m->backward, sections of ordinary operators.  Next: fuse.c.
 * Sections are visited last to first, their operators likewise.  The readers of a tensor are visited before the operator
 * that writes it, and push their contributions to t->grads; several are added by one `sum`, in the order they were pushed.  A loop's
 * gradient is a loop in reverse:
 *   - a state read from the step before (shift -1) gets its contribution from one step later (shift +1); beyond the last step it is zero (tail);
 *   - gradients of weights used in the loop run after it, over all steps at once, from the stacked gradients of its outputs;
 *   - a tensor that is read at every step but computed once gets the sum over steps.
 * A loop in a loop is reversed at its place in the outer one: before it what it needs is cleared, behind it the gradients of its states' starts are read.  Gradients of
 * weights of both wait for the end of the outer one.
 * Order of sums: contributions, and a weight's uses, in the order pushed; steps from the first to the last. */
#include "spnc.h"
#include <string.h>

/* The work of this stage while it runs: m->gradient. */
struct Gradient {
    Section *now;            /* the backward section operators are appended to */
    Section *later;          /* AFTER section for weights' gradients of a loop; else equal to now */
    List *folds;             /* of `later`: they run at its end, so that the group operators before them stay in one phase */
    List open;               /* Open: gradients of states, while their loop's body is visited */
};

/* The gradient of a state: a sum that has the state's contributions up to `count`. */
typedef struct { Op *sum; Section *section; Tensor *state; int count; } Open;

static Section *open_section(Model *m, SectionKind kind, Repeat *r, Repeat *from, int loop)
{
    Section *s = NEW(m->arena, Section);
    *s = (Section){ .kind = kind, .repeat = r, .from = from, .loop = loop };
    return s;
}

/* For operators that run once for each step of r and of all around it, NULL: once. */
static Section *open_plain(Model *m, Repeat *r) { return open_section(m, r ? AFTER : ONCE, r, NULL, 0); }

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
        Repeat *r = repeat_within(x->repeat, op->writes[0].tensor->repeat) ? x->repeat : op->writes[0].tensor->repeat;
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
    list_push(m->arena, m->gradient->folds, fold);
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

void grad_layer(Model *m, Op *op, Use dy)
{
    Op *w = grad_weights(m, op, dy);
    if (w)
        op_read(w, op->reads[0].tensor, op->reads[0].shift);
    grad_backward(m, op, dy);
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
        if (repeat_level(g.tensor->repeat) > repeat_level(y->repeat)) {
            Op *s = op_new(m, p->slice ? OP_sum_slices : OP_sum_steps, FORWARD, arena_printf(m->arena, "sum_%s", g.tensor->name), op->loc);
            s->slice.of = p->slice;
            Tensor *once = tensor_new(m, g.tensor->name, op->loc, y->repeat);
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
        *o = (Open){ s, m->gradient->now, y, y->grads.count };
        list_push(m->arena, &m->gradient->open, o);
    }
    return (Use){ s->writes[0].tensor, 0 };
}

/* Adds to an open sum the contributions that came after it was made; those beyond the operands of one sum make sums of their own before it. */
static void close_sum(Model *m, const Open *o)
{
    Op *s = o->sum;
    const Tensor *y = o->state;
    List *ops = &o->section->ops;
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
 * the loop's body.  r: the loop whose body ends. */
static void close_sums(Model *m, const Repeat *r)
{
    List *open = &m->gradient->open;
    for (int i = 0; i < open->count; i++)
        if (((Open *)open->items[i])->state->repeat == r) {
            close_sum(m, open->items[i]);
            list_remove(open, i--);
        }
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

static void start_gradient(Model *m, Op *op);

/* The start of a state of a repeat that stands in no other is visited right behind its loop: see loop_gradient. */
static void visit(Model *m, Op *op)
{
    if (LOSS_INFO(op)) {
        Use none = { 0 };
        OP_INFO(op)->grad(m, op, none);
        return;
    }
    if (op_is_start(op) && op->repeat)
        start_gradient(m, op);
    if (op_is_start(op) || !op->writes[0].tensor->trained)
        return;
    Use dy = total(m, op);
    if (dy.tensor)
        OP_INFO(op)->grad(m, op, dy);
}

/* Zeroes the slot beyond the last step of every contribution that arrives from the step after: of the repeat r, in the operators of `from`.  `all`: the
 * sections that have been made, some of which may have zeroed it. */
static void clear_tails(Model *m, const Repeat *r, Section *before, const List *from, const List *all)
{
    for (int i = 0; i < from->count; i++) {
        Op *op = from->items[i];
        for (int k = 0; k < op->write_count; k++) {
            Tensor *t = op->writes[k].tensor;
            if (!t->tail || t->view_of || t->repeat != r)
                continue;
            bool done = false;
            for (int s = 0; s <= all->count; s++) {
                const Section *section = s < all->count ? all->items[s] : before;
                for (int j = 0; j < section->ops.count; j++) {
                    const Op *other = section->ops.items[j];
                    done = done || (other->kind == OP_fill && other->writes[0].tensor == t && other->writes[0].shift == r->steps);
                }
            }
            if (done)
                continue;
            Op *fill = op_new(m, OP_fill, FORWARD, arena_printf(m->arena, "%s_end", t->name), op->loc);
            fill->writes[fill->write_count++] = (Use){ t, t->repeat->steps };
            list_push(m->arena, &before->ops, fill);
        }
    }
}

/* The gradient of a state's start: the contributions of step 0 to the state before it. */
static void start_gradient(Model *m, Op *op)
{
    Tensor *state = op->writes[0].tensor;
    bool wanted = learns(op) || (op->read_count && op->reads[0].tensor->trained);
    Tensor once = *state;           /* the gradient of a value that is computed once, before the loop */
    once.repeat = state->repeat->outer;
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
        return;
    Op *s = sum_parts(m, &m->gradient->now->ops, m->gradient->now->ops.count, &once, parts, n);
    s->kind = n == 1 ? OP_copy : OP_sum;
    OP_INFO(op)->grad(m, op, s->writes[0]);
}

/* Begins the backward section of a loop or of what runs once; `later`: see struct Gradient. */
static void begin(Model *m, Section *now, Section *later, List *folds)
{
    m->gradient->now = now;
    m->gradient->later = later;
    m->gradient->folds = folds;
}

/* Appends the section to those of `to`, if it has operators; folds: those that run at its end. */
static void close_section(Model *m, List *to, Section *s, const List *folds)
{
    for (int i = 0; i < folds->count; i++)
        list_push(m->arena, &s->ops, folds->items[i]);
    if (s->ops.count)
        list_push(m->arena, to, s);
}

static void visit_all(Model *m, const Section *f)
{
    for (int k = f->ops.count - 1; k >= 0; k--)
        visit(m, f->ops.items[k]);
}

/* A loop, or a loop in it, while its gradient is made: sections of m->forward from `first` to `last`. */
typedef struct Nest Nest;
struct Nest { Repeat *from; int loop; List sections; List later; List folds; };

/* The section for gradients of the weights that are used in the body of r. */
static Section *later_of(Model *m, Nest *nest, Repeat *r, List **folds)
{
    for (int i = 0; i < nest->later.count; i++)
        if (((Section *)nest->later.items[i])->repeat == r) {
            *folds = nest->folds.items[i];
            return nest->later.items[i];
        }
    Section *s = open_plain(m, r);
    *folds = NEW(m->arena, List);
    list_push(m->arena, &nest->later, s);
    list_push(m->arena, &nest->folds, *folds);
    return s;
}

/* A section of the loop of r, which operators are appended to from now on. */
static Section *enter(Model *m, Nest *nest, Repeat *r)
{
    List *folds;
    Section *s = open_section(m, CORE_BACKWARD, r, nest->from, nest->loop), *later = later_of(m, nest, r, &folds);
    list_push(m->arena, &nest->sections, s);
    begin(m, s, later, folds);
    return s;
}

/* Zeroes into `before` what the loop of r needs zero. */
static void clear(Model *m, const Nest *nest, const Repeat *r, Section *before)
{
    const List *lists[] = { &m->backward, &nest->sections };
    List all = { 0 };
    for (int l = 0; l < 2; l++)
        for (int i = 0; i < lists[l]->count; i++)
            list_push(m->arena, &all, lists[l]->items[i]);
    for (int i = 0; i < all.count; i++)
        if (((Section *)all.items[i])->repeat == r)
            clear_tails(m, r, before, &((Section *)all.items[i])->ops, &all);
}

/* The gradient of m->forward[first..last], which are of the loop of r or of loops in it. */
static void body_gradient(Model *m, Nest *nest, Repeat *r, int first, int last)
{
    Section *now = enter(m, nest, r);
    for (int k = last; k >= first; k--) {
        const Section *f = m->forward.items[k];
        if (f->repeat == r) {
            visit_all(m, f);
            continue;
        }
        Repeat *child = f->repeat;
        int begins = k;
        while (child->outer != r)
            child = child->outer;
        while (begins > first && repeat_within(((Section *)m->forward.items[begins - 1])->repeat, child))
            begins--;
        body_gradient(m, nest, child, begins, k);
        clear(m, nest, child, now);             /* it ends where that loop begins */
        now = enter(m, nest, r);
        k = begins;
    }
    close_sums(m, r);
}

/* True if the operator writes where a state begins whose steps are computed in m->forward[first..last]. */
static bool starts_in(const Model *m, const Op *op, int first, int last)
{
    for (int i = first; i <= last; i++) {
        const Section *s = m->forward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            const Op *other = s->ops.items[k];
            for (int w = 0; w < other->write_count; w++)
                if (other->writes[w].tensor == op->writes[0].tensor && !op_is_start(other))
                    return true;
        }
    }
    return false;
}

/* The gradient of m->forward[first..last], a loop: what is cleared before it, the loop in reverse, the gradients of its weights, those of its states' starts. */
static void loop_gradient(Model *m, int first, int last)
{
    Repeat *r = ((Section *)m->forward.items[first])->from;
    Nest nest = { .from = r, .loop = ++m->loops };
    Section *before = open_plain(m, r->outer);
    List none = { 0 }, folds = { 0 };
    body_gradient(m, &nest, r, first, last);
    clear(m, &nest, r, before);
    close_section(m, &m->backward, before, &none);
    for (int i = 0; i < nest.sections.count; i++)
        close_section(m, &m->backward, nest.sections.items[i], &none);
    for (int i = 0; i < nest.later.count; i++)
        close_section(m, &m->backward, nest.later.items[i], nest.folds.items[i]);
    if (r->outer)               /* the starts are visited where they run */
        return;
    Section *now = open_plain(m, NULL);
    begin(m, now, now, &folds);
    for (int k = first - 1; k >= 0; k--) {
        const Section *starts = m->forward.items[k];
        for (int i = starts->ops.count - 1; i >= 0; i--) {
            Op *op = starts->ops.items[i];
            if (op_is_start(op) && op->writes[0].tensor->repeat == r && starts_in(m, op, first, last))
                start_gradient(m, op);
        }
    }
    close_section(m, &m->backward, now, &folds);
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

/* What a penalty counts has a gradient, whatever the other losses depend on. */
static void penalised_weights(Model *m)
{
    for (int i = 0; i < m->penalties.count; i++) {
        const Penalty *p = m->penalties.items[i];
        for (int k = 0; k < p->weights.count; k++) {
            Weight *w = p->weights.items[k];
            w->trained = !w->frozen;
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
            const int last = i;
            while (i > 0 && ((Section *)m->forward.items[i - 1])->loop == f->loop)
                i--;
            loop_gradient(m, i, last);
            continue;
        }
        Section *now = open_plain(m, f->repeat);
        List folds = { 0 };
        begin(m, now, now, &folds);
        visit_all(m, f);
        close_section(m, &m->backward, now, &folds);
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
    penalised_weights(m);
    return true;
}
