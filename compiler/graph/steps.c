/* steps.c -- divides the operators of each repeat: those that run once, step by step, or for all steps at once.
 *
 * In: operators in the order of the file, each with the repeat it was written in.  Out: m->forward, a list of sections.  Next: grad.c.
 *   before   reads nothing that changes from step to step: hoisted into the section before the loop, its tensors become once-tensors
 *   ahead    follows the step or chance, but no state: runs before the loop, all steps at once
 *   core     the next value of a state depends on it, and it on a state: stays in the loop
 *   after    the rest: runs when the loop is over, all steps at once
 * Inputs and targets are loaded at the very beginning.  What draws in a repeat (dropout, random) draws anew at each step, so it is never hoisted.  The start of a state runs before its loop. */
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

/* A place for each operator of m->ops. */
typedef struct { bool *stepped, *stateful, *core, *ahead, *done; } Marks;

/* True if the operator's result follows the number of the step, whatever it reads. */
static bool counts_steps(const Op *op)
{
    return (op->kind == OP_slice && op->slice.repeat) || (op->kind == OP_constant && op->numbered) || op->kind == OP_random;
}

static bool varies(const Op *op, const Repeat *r)
{
    if (op->kind == OP_dropout || counts_steps(op))
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
        op->section = (StepsPart){ "before", "nothing that it reads changes from step to step", r };
        remark(m, op->loc, "%s is the same at each of %d steps: computed once, before %s", op->name, r->steps, r->name);
    }
}

static bool reads_result(const Op *op, const Op *maker)
{
    for (int k = 0; k < op->read_count; k++)
        for (int w = 0; w < maker->write_count; w++) {
            const Tensor *x = op->reads[k].tensor, *y = maker->writes[w].tensor;
            if (x == y || tensor_owner(x) == tensor_owner(y))
                return true;
        }
    return false;
}

/* Marks the operators that the next step depends on: from those that write states, backwards through reads of the same step. */
static void mark_core(Model *m, const Repeat *r, Marks *marks)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = m->ops.count - 1; i >= 0; i--) {
            Op *op = m->ops.items[i];
            if (op->repeat != r || marks->core[i] || is_start(op))
                continue;
            const Tensor *y = op->writes[0].tensor;
            bool needed = y->carried;
            if (needed)
                op->section.why = arena_printf(m->arena, "it makes %s, which the next step reads", y->flow_name ? y->flow_name : y->name);
            for (int j = 0; j < m->ops.count && !needed; j++) {
                const Op *reader = m->ops.items[j];
                if (!marks->core[j] || !reads_result(reader, op))
                    continue;
                needed = true;
                op->section.why = reader->section.why;
                if (!strstr(reader->section.why, "is made from it"))
                    op->section.why = arena_printf(m->arena, "the next %s is made from it", reader->writes[0].tensor->flow_name ? reader->writes[0].tensor->flow_name : reader->writes[0].tensor->name);
            }
            if (needed)
                marks->core[i] = changed = true;
        }
    }
}

/* Marks what follows the number of the step (stepped) and what depends on a state (stateful); then what runs ahead: of what depends on no state
 * that which the core reads, that which follows the step, and what such operators read.  Where no operator follows
 * the step, chance alone moves none: such repeats are of the first edition, and their models keep their hash. */
static void mark_ahead(Model *m, const Repeat *r, Marks *marks)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < m->ops.count; i++) {
            const Op *op = m->ops.items[i];
            if (op->repeat != r || is_start(op))
                continue;
            bool stepped = counts_steps(op), stateful = false;
            for (int k = 0; k < op_uses(op); k++)
                stateful = stateful || (op_use(op, k)->tensor->repeat == r && op_use(op, k)->tensor->carried);
            for (int j = 0; j < m->ops.count; j++)
                if (j != i && (marks->stepped[j] || marks->stateful[j]) && ((Op *)m->ops.items[j])->repeat == r && reads_result(op, m->ops.items[j]))
                    stepped = stepped || marks->stepped[j], stateful = stateful || marks->stateful[j];
            changed = changed || stepped != marks->stepped[i] || stateful != marks->stateful[i];
            marks->stepped[i] = stepped, marks->stateful[i] = stateful;
        }
    }
    bool counted = r->reverse;
    for (int i = 0; i < m->ops.count; i++)
        counted = counted || (marks->stepped[i] && ((Op *)m->ops.items[i])->repeat == r);
    for (bool changed = counted; changed;) {
        changed = false;
        for (int i = m->ops.count - 1; i >= 0; i--) {
            Op *op = m->ops.items[i];
            if (op->repeat != r || is_start(op) || LOSS_INFO(op) || marks->stateful[i] || marks->ahead[i])
                continue;
            bool ahead = marks->core[i] || marks->stepped[i];
            for (int j = 0; j < m->ops.count && !ahead; j++)
                ahead = marks->ahead[j] && reads_result(m->ops.items[j], op);
            marks->ahead[i] = ahead;
            changed = changed || ahead;
        }
    }
}

/* Operators first..end of the repeat r, of one part of it, into the section of that part. */
typedef enum { AHEAD, IN_CORE, BEHIND } StepsOrder;

static void part(Model *m, Repeat *r, int first, int end, StepsOrder order, Marks *marks)
{
    for (int k = first; k <= end; k++) {
        Op *o = m->ops.items[k];
        const StepsOrder of = marks->ahead[k] ? AHEAD : marks->core[k] ? IN_CORE : BEHIND;
        if (o->repeat != r || marks->done[k] || of != order)
            continue;
        list_push(m->arena, &section_new(m, &m->forward, order == IN_CORE ? CORE : AFTER, r)->ops, o);
        marks->done[k] = true;
        if (order == AHEAD) {
            const char *by = marks->stepped[k] && o->kind != OP_random ? "the step" : "chance";
            o->section = (StepsPart){ "ahead", arena_printf(m->arena, "it follows %s, but no state", by), r };
            remark(m, o->loc, "%s follows %s, but no state: computed ahead of %s, all %d steps at once", o->name, by, r->name, r->steps);
        } else if (order == IN_CORE) {
            o->section = (StepsPart){ "core", o->section.why, r };
        } else {
            o->section = (StepsPart){ "after", "it depends on a state, but no next state on it", r };
            if (!marks->stateful[k])
                o->section.why = "no state depends on it";
            remark(m, o->loc, "%s does not feed the next step: run after %s, all %d steps at once", o->name, r->name, r->steps);
        }
    }
}

bool steps_split(Model *m)
{
    const int n = m->ops.count + 1;
    bool *done = NEW_ARRAY(m->arena, bool, n);
    Marks marks = { NEW_ARRAY(m->arena, bool, n), NEW_ARRAY(m->arena, bool, n), NEW_ARRAY(m->arena, bool, n), NEW_ARRAY(m->arena, bool, n), done };
    for (int i = 0; i < m->repeats.count; i++) {
        hoist(m, m->repeats.items[i]);
        mark_core(m, m->repeats.items[i], &marks);
        mark_ahead(m, m->repeats.items[i], &marks);
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
        for (StepsOrder order = AHEAD; order <= BEHIND; order++)
            part(m, r, i, end, order, &marks);
    }
    return true;
}
