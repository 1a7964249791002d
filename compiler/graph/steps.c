/* steps.c -- divides the operators of each repeat: those that run once, step by step, or for all steps at once.
 *
 * In: operators in the order of the file, each with the repeat it was written in.  Out: m->forward, a list of sections.  Next: grad.c.
 *   before   reads nothing that changes from step to step: hoisted into the section before the loop, its tensors become once-tensors
 *   ahead    follows the step or chance, but no state: runs before the loop, all steps at once
 *   core     the next value of a state depends on it, and it on a state: stays in the loop
 *   after    the rest: runs when the loop is over, all steps at once
 * Inputs and targets are loaded at the very beginning.  What draws in a repeat (dropout, random) draws anew at each step, so it is never hoisted.  The start of a state runs before its loop.
 *
 * A repeat in a repeat is divided twice.  What the next state of the outer one depends on, and depends on one itself, runs in a loop in that loop.  The rest runs before or
 * behind the outer loop, for all outer steps at once, as if they were a larger batch: there the inner repeat is divided as any other is.  So an
 * inner repeat may have loops in two or three places, each with a part of its operators. */
#include "spnc.h"
#include <string.h>

/* The start of a state of r itself.  Those of repeats in it are operators of its body. */
static bool starts(const Op *op, const Repeat *r) { return op_is_start(op) && op->writes[0].tensor->repeat == r; }

/* An operator of the body of r, or of a repeat in it. */
static bool is_of(const Op *op, const Repeat *r) { return repeat_within(op->repeat, r) && !starts(op, r); }

/* Of one repeat, a place for each operator of m->ops; why it is of the core. */
typedef struct { bool *stepped, *stateful, *core, *ahead; const char **why; } Marks;

/* True if the operator's result follows the number of r's step, whatever it reads. */
static bool counts_steps(const Op *op, const Repeat *r)
{
    if (op->kind == OP_slice)
        return op->slice.repeat == r;
    return op->kind == OP_random || (op->kind == OP_constant && op->numbered && repeat_within(op->constant.repeat, r));
}

static bool varies(const Op *op, const Repeat *r)
{
    if (op->kind == OP_dropout || counts_steps(op, r))
        return true;
    for (int i = 0; i < op->read_count; i++)
        if (repeat_within(op->reads[i].tensor->repeat, r))
            return true;
    for (int i = 0; i < op->write_count; i++)
        if (op->writes[i].tensor->carried)
            return true;
    return false;
}

/* Out of a repeat in a repeat into the body of the outer one, whose turn comes later. */
static void hoist(Model *m, Repeat *r)
{
    for (int i = 0; i < m->ops.count; i++) {
        Op *op = m->ops.items[i];
        if (op->repeat != r || op_is_start(op) || LOSS_INFO(op) || varies(op, r))
            continue;
        op->repeat = r->outer;
        for (int k = 0; k < op->write_count; k++) {
            Tensor *y = op->writes[k].tensor;
            y->repeat = r->outer;
            y->hoisted = y->hoisted ? y->hoisted : r;
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
            if (!is_of(op, r) || marks->core[i] || LOSS_INFO(op))
                continue;
            const Tensor *y = op->writes[0].tensor;
            bool needed = y->carried && y->repeat == r;
            if (needed)
                marks->why[i] = arena_printf(m->arena, "it makes %s, which the next step reads", y->flow_name ? y->flow_name : y->name);
            for (int j = 0; j < m->ops.count && !needed; j++) {
                const Op *reader = m->ops.items[j];
                if (!marks->core[j] || !reads_result(reader, op))
                    continue;
                needed = true;
                marks->why[i] = marks->why[j];
                if (!strstr(marks->why[j], "is made from it"))
                    marks->why[i] = arena_printf(m->arena, "the next %s is made from it", reader->writes[0].tensor->flow_name ? reader->writes[0].tensor->flow_name : reader->writes[0].tensor->name);
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
            if (!is_of(op, r))
                continue;
            bool stepped = counts_steps(op, r), stateful = false;
            for (int k = 0; k < op_uses(op); k++)
                stateful = stateful || (op_use(op, k)->tensor->repeat == r && op_use(op, k)->tensor->carried);
            for (int j = 0; j < m->ops.count; j++)
                if (j != i && (marks->stepped[j] || marks->stateful[j]) && is_of(m->ops.items[j], r) && reads_result(op, m->ops.items[j]))
                    stepped = stepped || marks->stepped[j], stateful = stateful || marks->stateful[j];
            changed = changed || stepped != marks->stepped[i] || stateful != marks->stateful[i];
            marks->stepped[i] = stepped, marks->stateful[i] = stateful;
        }
    }
    bool counted = r->reverse || r->outer;
    for (int i = 0; i < m->ops.count; i++)
        counted = counted || (marks->stepped[i] && is_of(m->ops.items[i], r)) || (is_of(m->ops.items[i], r) && ((Op *)m->ops.items[i])->repeat != r);
    for (bool changed = counted; changed;) {
        changed = false;
        for (int i = m->ops.count - 1; i >= 0; i--) {
            Op *op = m->ops.items[i];
            if (!is_of(op, r) || LOSS_INFO(op) || marks->stateful[i] || marks->ahead[i])
                continue;
            bool ahead = marks->core[i] || marks->stepped[i];
            for (int j = 0; j < m->ops.count && !ahead; j++)
                ahead = marks->ahead[j] && reads_result(m->ops.items[j], op);
            marks->ahead[i] = ahead;
            changed = changed || ahead;
        }
    }
}

/* ---- sections ----------------------------------------------------------------------------------------------- */

/* Operators that are put into sections together, by their places in m->ops, and how: the steps of the repeat `of` one after the other, in loops from that of `from`
 * on, or (from NULL) all at once. */
typedef struct { bool *chosen; Repeat *of, *from; int loop; } Region;
/* The parts that a repeat is divided into, in the order in which they run. */
typedef enum { AHEAD, IN_CORE, BEHIND, PARTS_OF_REPEAT } StepsOrder;

/* The work of this stage: the marks of each repeat, in the order of m->repeats; operators that have their section. */
typedef struct { Model *m; Marks *marks; bool *done; } Split;

static const Marks *marks_of(const Split *s, const Repeat *r) { return &s->marks[list_index(&s->m->repeats, r)]; }

static Section *section_of(Split *s, const Region *g)
{
    List *list = &s->m->forward;
    const SectionKind kind = g->from ? CORE : g->of ? AFTER : ONCE;
    Section *last = list->count ? list->items[list->count - 1] : NULL;
    if (last && last->kind == kind && last->repeat == g->of && last->loop == g->loop)
        return last;
    Section *new = NEW(s->m->arena, Section);
    *new = (Section){ .kind = kind, .repeat = g->of, .from = g->from, .loop = g->loop };
    list_push(s->m->arena, list, new);
    return new;
}

static void put(Split *s, const Region *g, int i)
{
    if (s->done[i])
        return;
    list_push(s->m->arena, &section_of(s, g)->ops, s->m->ops.items[i]);
    s->done[i] = true;
}

/* Says where the operator runs: of the repeats that it was written in the first whose part is not the core, or the innermost. */
static void tell(Split *s, int i)
{
    Model *m = s->m;
    Op *o = m->ops.items[i];
    for (int level = 1; level <= repeat_level(o->repeat); level++) {
        Repeat *r = (Repeat *)(uintptr_t)repeat_at(o->repeat, level);
        const Marks *marks = marks_of(s, r);
        if (starts(o, r))
            continue;
        if (marks->ahead[i]) {
            const char *by = marks->stepped[i] && o->kind != OP_random ? "the step" : "chance";
            o->section = (StepsPart){ "ahead", arena_printf(m->arena, "it follows %s, but no state", by), r };
            remark(m, o->loc, "%s follows %s, but no state: computed ahead of %s, all %d steps at once", o->name, by, r->name, r->steps);
        } else if (marks->core[i]) {
            o->section = (StepsPart){ "core", marks->why[i], r };
        } else {
            o->section = (StepsPart){ "after", marks->stateful[i] ? "it depends on a state, but no next state on it" : "no state depends on it", r };
            remark(m, o->loc, "%s does not feed the next step: run after %s, all %d steps at once", o->name, r->name, r->steps);
        }
        if (!marks->core[i] || marks->ahead[i])
            return;
    }
}

static void region(Split *s, const Region *g);

/* The repeat r, which stands in the body of g, with those of its operators that are in g. */
static void inner(Split *s, const Region *g, Repeat *r)
{
    Model *m = s->m;
    const Marks *marks = marks_of(s, r);
    const bool loops = g->from != NULL;
    for (int i = 0; i < m->ops.count; i++)
        if (g->chosen[i] && is_of(m->ops.items[i], r) && !LOSS_INFO((Op *)m->ops.items[i]))
            tell(s, i);
    for (StepsOrder order = AHEAD; order < PARTS_OF_REPEAT; order++) {
        Region part = { .chosen = NEW_ARRAY(m->arena, bool, m->ops.count + 1), .of = r };
        for (int i = 0; i < m->ops.count; i++) {
            const StepsOrder of = loops ? IN_CORE : marks->ahead[i] ? AHEAD : marks->core[i] ? IN_CORE : BEHIND;
            part.chosen[i] = g->chosen[i] && !s->done[i] && of == order && is_of(m->ops.items[i], r) && !LOSS_INFO((Op *)m->ops.items[i]);
        }
        part.from = loops ? g->from : order == IN_CORE ? r : NULL;
        part.loop = loops ? g->loop : order == IN_CORE ? ++m->loops : 0;
        region(s, &part);
    }
}

/* The operators of the region in the order of the file.  The first operator of a repeat brings the whole repeat; what was hoisted out of it, and the starts
 * of its states, come first. */
static void region(Split *s, const Region *g)
{
    Model *m = s->m;
    for (int i = 0; i < m->ops.count; i++) {
        Op *op = m->ops.items[i];
        if (s->done[i] || !g->chosen[i] || (op_is_start(op) && op->repeat == g->of))
            continue;
        if (LOSS_INFO(op)) {
            put(s, &(Region){ .of = op->repeat }, i);
            continue;
        }
        if (op->repeat == g->of) {
            put(s, g, i);
            continue;
        }
        if (!g->of)             /* though it may stay empty: the model hash has had it from the first version on */
            section_of(s, g);
        Repeat *r = (Repeat *)(uintptr_t)repeat_at(op->repeat, repeat_level(g->of) + 1);
        int end = i;
        for (int k = i; k < m->ops.count; k++)
            if (g->chosen[k] && is_of(m->ops.items[k], r) && !op_is_start(m->ops.items[k]) && !LOSS_INFO((Op *)m->ops.items[k]))
                end = k;
        for (int k = i; k < end; k++)
            if (g->chosen[k] && ((Op *)m->ops.items[k])->repeat == g->of && !op_is_start(m->ops.items[k]))
                put(s, g, k);
        for (int k = 0; k < m->ops.count; k++)
            if (g->chosen[k] && starts(m->ops.items[k], r))
                put(s, g, k);
        inner(s, g, r);
    }
    for (int i = 0; i < m->ops.count; i++)          /* of repeats whose loop is in another region */
        if (g->chosen[i])
            put(s, g, i);
}

bool steps_split(Model *m)
{
    const int n = m->ops.count + 1;
    Split s = { m, NEW_ARRAY(m->arena, Marks, m->repeats.count + 1), NEW_ARRAY(m->arena, bool, n) };
    Region all = { .chosen = NEW_ARRAY(m->arena, bool, n) };
    for (int i = m->repeats.count - 1; i >= 0; i--)         /* those in a repeat before that one */
        hoist(m, m->repeats.items[i]);
    for (int i = 0; i < m->repeats.count; i++) {
        Marks *marks = &s.marks[i];
        *marks = (Marks){ NEW_ARRAY(m->arena, bool, n), NEW_ARRAY(m->arena, bool, n), NEW_ARRAY(m->arena, bool, n), NEW_ARRAY(m->arena, bool, n), NEW_ARRAY(m->arena, const char *, n) };
        mark_core(m, m->repeats.items[i], marks);
        mark_ahead(m, m->repeats.items[i], marks);
    }
    for (int i = 0; i < m->ops.count; i++) {        /* data first: one phase brings all of it in */
        const Op *op = m->ops.items[i];
        all.chosen[i] = true;
        if (op->kind == OP_load || op->kind == OP_labels || op->kind == OP_augment)
            put(&s, &all, i);
    }
    region(&s, &all);
    return true;
}
