/* steps.c -- divides the operators of each repeat: those that run once, step by step, or for all steps at once.
 *
 * In: operators in the order of the file, each with the repeat it was written in.  Out: m->forward, a list of sections.  Next: grad.c.
 *   before   reads nothing that changes from step to step: hoisted into the section before the loop, its tensors become once-tensors
 *   core     the next value of a state depends on it: stays in the loop
 *   after    the rest: runs when the loop is over, all steps at once
 * Inputs and targets are loaded at the very beginning.  A dropout in a repeat draws a new mask at each step, so it is never hoisted.  The start of a state runs before its loop. */
#include "spnc.h"
#include <string.h>

static Section *section_new(Model *m, List *list, SectionKind kind, Repeat *r)
{
    if (list->count) {
        Section *last = list->items[list->count - 1];
        if (last->kind == kind && last->repeat == r)
            return last;
    }
    Section *s = NEW(m->arena, Section);
    s->kind = kind;
    s->repeat = r;
    list_push(m->arena, list, s);
    return s;
}

static bool is_start(const Op *op) { return op->write_count && op->writes[0].shift == -1; }

static bool varies(const Op *op, const Repeat *r)
{
    if (op->kind == OP_dropout)
        return true;
    for (int i = 0; i < op->read_count; i++)
        if (op->reads[i].tensor->repeat == r)
            return true;
    for (int i = 0; i < op->write_count; i++)
        if (op->writes[i].tensor->carried)
            return true;
    return false;
}

static void hoist(Model *m, Repeat *r)
{
    for (int i = 0; i < m->ops.count; i++) {
        Op *op = m->ops.items[i];
        if (op->repeat != r || is_start(op) || LOSS_INFO(op) || varies(op, r))
            continue;
        op->repeat = NULL;
        for (int k = 0; k < op->write_count; k++) {
            op->writes[k].tensor->repeat = NULL;
            op->writes[k].tensor->hoisted = r->steps;
        }
        remark(m, op->loc, "%s is the same at each of %d steps: computed once, before %s", op->name, r->steps, r->name);
    }
}

/* Marks the operators that the next step depends on: from those that write states, backwards through reads of the same step. */
static void mark_core(Model *m, const Repeat *r, bool *core)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = m->ops.count - 1; i >= 0; i--) {
            Op *op = m->ops.items[i];
            if (op->repeat != r || core[i] || is_start(op))
                continue;
            bool needed = op->writes[0].tensor->carried;
            for (int j = 0; j < m->ops.count && !needed; j++) {
                Op *reader = m->ops.items[j];
                if (!core[j])
                    continue;
                for (int k = 0; k < reader->read_count && !needed; k++)
                    needed = tensor_owner(reader->reads[k].tensor) == tensor_owner(op->writes[0].tensor) || reader->reads[k].tensor == op->writes[0].tensor;
            }
            if (needed)
                core[i] = changed = true;
        }
    }
}

bool steps_split(Model *m)
{
    bool *core = NEW_ARRAY(m->arena, bool, m->ops.count + 1), *done = NEW_ARRAY(m->arena, bool, m->ops.count + 1);
    for (int i = 0; i < m->repeats.count; i++) {
        hoist(m, m->repeats.items[i]);
        mark_core(m, m->repeats.items[i], core);
    }
    for (int i = 0; i < m->ops.count; i++) {        /* data first: one phase brings all of it in */
        Op *op = m->ops.items[i];
        if (op->kind == OP_load || op->kind == OP_labels || op->kind == OP_augment) {
            list_push(m->arena, &section_new(m, &m->forward, ONCE, NULL)->ops, op);
            done[i] = true;
        }
    }
    for (int i = 0; i < m->ops.count; i++) {
        Op *op = m->ops.items[i];
        if (done[i] || is_start(op))
            continue;
        Repeat *r = op->repeat;
        if (!r || LOSS_INFO(op)) {
            list_push(m->arena, &section_new(m, &m->forward, r ? AFTER : ONCE, r)->ops, op);
            continue;
        }
        /* the first operator of a repeat brings the whole repeat; hoisted ones of it come first */
        Section *once = section_new(m, &m->forward, ONCE, NULL);
        int end = i;
        for (int k = i; k < m->ops.count; k++) {
            const Op *o = m->ops.items[k];
            if (o->repeat == r && !LOSS_INFO(o))
                end = k;
        }
        for (int k = i; k < end; k++)
            if (!((Op *)m->ops.items[k])->repeat && !is_start(m->ops.items[k]) && !done[k]) {
                list_push(m->arena, &once->ops, m->ops.items[k]);
                done[k] = true;
            }
        for (int k = 0; k < m->ops.count; k++)
            if (is_start(m->ops.items[k]) && ((Op *)m->ops.items[k])->writes[0].tensor->repeat == r) {
                list_push(m->arena, &once->ops, m->ops.items[k]);
                done[k] = true;
            }
        for (int pass = 0; pass < 2; pass++)
            for (int k = i; k <= end; k++) {
                Op *o = m->ops.items[k];
                if (o->repeat != r || done[k] || core[k] == (pass == 1))
                    continue;
                list_push(m->arena, &section_new(m, &m->forward, pass ? AFTER : CORE, r)->ops, o);
                done[k] = true;
                if (pass)
                    remark(m, o->loc, "%s does not feed the next step: run after %s, all %d steps at once", o->name, r->name, r->steps);
            }
    }
    return true;
}
