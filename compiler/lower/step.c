/* step.c -- a recurrent net one step at a time (--step): its repeat has one step, whose states come in and go out.
 *
 * In: the forward pass alone.  Out: the same of one step; for each state an input, loaded over its start where the caller gives one, and an output.
 * Next: fuse.c.  An input that is sliced by the step becomes the slice, so that the caller passes what belongs to the step.  Everything else must be a
 * step's own, or the same at each: stacks, other places of an input, the step's number and a reversed repeat are refused.  No sum changes, so the bits
 * are those of all steps. */
#include "lower/step.h"
#include <string.h>

static const char *called(const Tensor *t) { return t->flow_name ? t->flow_name : t->name; }

/* The one repeat whose steps the outputs depend on; NULL, with an error, if there is none or another one. */
static Repeat *repeat_alone(Model *m)
{
    Repeat *r = NULL;
    for_each_op(w, &m->forward) {
        Repeat *other = w.op->writes[0].tensor->repeat;
        if (r && other && other != r) {
            diag_error(m->diag, other->loc, "--step runs the steps of one repeat, but the outputs depend on %s and %s", r->name, other->name);
            diag_note(m->diag, r->loc, "%s is here; --outputs may name values that depend on one of them alone", r->name);
            return NULL;
        }
        r = other ? other : r;
    }
    if (!r)
        diag_error(m->diag, yaml_get(m->root, "flow")->loc, "--step: the outputs depend on no repeat, so there are no steps");
    else if (r->reverse)
        diag_error(m->diag, r->loc, "--step: %s is reversed, so it begins with the last step, which is not there yet", r->name);
    return r && !r->reverse ? r : NULL;
}

/* ---- what is not a step's own ------------------------------------------------------------------------------------- */

static void refuse_others(Model *m, const Repeat *r)
{
    for_each_op(w, &m->forward) {
        Op *op = w.op;
        const Tensor *x = op->read_count ? op->reads[0].tensor : NULL;
        if (op->kind == OP_stack) {
            diag_error(m->diag, op->loc, "--step: the %d steps of '%s' are read here at once, but there is one at a time", r->steps, called(x));
            diag_note(m->diag, (Loc){ 0 }, "{ last: %s } is the one that has been run", called(x));
        } else if (op->kind == OP_constant && op->numbered) {
            diag_error(m->diag, op->loc, "--step: this follows the number of the step, which a net that runs one at a time does not count");
            diag_note(m->diag, (Loc){ 0 }, "as an input it comes from the caller");
        } else if (op->kind == OP_pick) {
            op->step = 0;
        }
    }
}

/* ---- inputs that are sliced ------------------------------------------------------------------------------------------ */

static bool same_attributes(const Op *a, const Op *b)
{
    for (int i = 0; i < a->attr_count; i++) {
        const Attr *x = &a->attrs[i], *y = op_attr(b, x->spec->name);
        if (strcmp(x->spec->name, "name") != 0 &&
            (x->given != y->given || x->count != y->count || memcmp(x->number, y->number, (size_t)x->count * sizeof *x->number)))
            return false;
    }
    return true;
}

static bool same_slice(const Op *a, const Op *b)
{
    return b->kind == OP_slice && b->slice.repeat == a->slice.repeat &&
           shape_equal(&a->reads[0].tensor->shape, &b->reads[0].tensor->shape) && same_attributes(a, b);
}

/* An error if an operator reads the input `all` at another place than the slice of this step. */
static bool read_alone(Model *m, const Op *slice, const Tensor *all)
{
    for_each_op(w, &m->forward) {
        const Op *op = w.op;
        for (int k = 0; k < op->read_count; k++) {
            if (tensor_owner(op->reads[k].tensor) != all || op_is_view(op->kind) || same_slice(slice, op))
                continue;
            diag_error(m->diag, op->loc, "--step: '%s' is read here at another place than the step's own, which is not there yet",
                       all->op->data->name);
            diag_note(m->diag, slice->loc, "the step's own is here");
            return false;
        }
    }
    return true;
}

static void remove_op(Model *m, Walk *w)
{
    list_remove(&m->ops, list_index(&m->ops, w->op));
    walk_remove(w);
}

/* The input `all` becomes what `slice` and its equals take of it, themselves or from a view. */
static void become_slice(Model *m, const Op *slice, Tensor *all)
{
    List slices = { 0 }, views = { 0 };
    for_each_op(w, &m->forward) {
        if (!w.op->read_count || tensor_owner(w.op->reads[0].tensor) != all)
            continue;
        list_push(m->arena, op_is_view(w.op->kind) ? &views : &slices, w.op);
    }
    all->shape = m->inputs[all->op->data->number].shape = slice->writes[0].tensor->shape;
    for_each_op(w, &m->forward)
        if (list_index(&views, w.op) >= 0) {
            w.op->writes[0].tensor->view_of = NULL;
            remove_op(m, &w);
        }
    for (int i = 0; i < slices.count; i++) {
        Op *op = slices.items[i];
        Tensor *y = op->writes[0].tensor;
        op->kind = OP_reshape, op->attr_count = 0;
        op->reads[0] = (Use){ all, 0 };
        y->repeat = NULL, y->view_of = all;
    }
}

static void slice_inputs(Model *m)
{
    List refused = { 0 };           /* each input is refused once */
    for_each_op(w, &m->forward) {
        const Op *op = w.op;
        if (op->kind != OP_slice || !op->slice.repeat)
            continue;
        Tensor *all = (Tensor *)(uintptr_t)tensor_owner(op->reads[0].tensor);
        if (all->op->kind != OP_load) {
            diag_error(m->diag, op->loc, "--step: this takes a step of '%s', all of whose steps are computed at once", called(op->reads[0].tensor));
            diag_note(m->diag, (Loc){ 0 },
                      "a slice of an input would come step by step: the operators that make '%s', inside of the repeat",
                      called(op->reads[0].tensor));
        } else if (list_index(&refused, all) < 0 && read_alone(m, op, all)) {
            become_slice(m, op, all);
        } else if (list_index(&refused, all) < 0) {
            list_push(m->arena, &refused, all);
        }
    }
}

/* ---- states -------------------------------------------------------------------------------------------------------- */

/* The inputs in an array with room for `more`; operators that load one point there. */
static void make_room(Model *m, int more)
{
    DataDef *all = NEW_ARRAY(m->arena, DataDef, m->input_count + more + 1);
    for (int i = 0; i < m->input_count; i++)
        all[i] = m->inputs[i];
    m->inputs = all;
    for_each_op(w, &m->forward)
        if (w.op->kind == OP_load)
            w.op->data = &all[w.op->data->number];
}

/* The operator that loads the state t over its start, behind `start`; none where the caller gives nothing. */
static Op *load_state(Model *m, Tensor *t, const Op *start)
{
    DataDef *d = &m->inputs[m->input_count];
    *d = (DataDef){ .name = called(t), .loc = t->loc, .number = m->input_count++, .shape = t->shape, .type = 1, .used = true, .state = true };
    Op *load = op_new(m, OP_load, FORWARD, identifier_unique(m, arena_printf(m->arena, "%s_given", t->name)), t->loc);
    load->data = d;
    load->repeat = start->repeat;
    op_write(load, t, -1);
    return load;
}

static void pass_states(Model *m, const Repeat *r)
{
    make_room(m, r->states.count);
    for_each_op(w, &m->forward) {
        Tensor *t = w.op->writes[0].tensor;
        if (!op_is_start(w.op) || t->repeat != r || w.op->kind == OP_load)
            continue;
        list_insert(m->arena, &w.section->ops, w.at + 1, load_state(m, t, w.op));
        t->flow_name = called(t);
        if (list_index(&m->outputs, t) < 0)
            list_push(m->arena, &m->outputs, t);
    }
}

bool one_step(Model *m)
{
    Repeat *r = repeat_alone(m);
    if (!r)
        return false;
    refuse_others(m, r);
    slice_inputs(m);
    if (diag_errors(m->diag))
        return false;
    pass_states(m, r);
    r->steps = 1;
    return true;
}
