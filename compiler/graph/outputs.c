/* outputs.c -- what a net gives: the values that `predict` and the inference library return.
 *
 * In: the flow and the losses as operators; `outputs:` of the model, which names values of the flow.  Out: m->outputs.  Without `outputs:` a net gives
 * what its losses read: their operands, and where an operand has no name, or depends on a target, the named values that it is made of.
 * A prediction has no targets, so no output depends on one. */
#include "graph/model.h"
#include <string.h>

const DataDef *target_behind(Model *m, const Tensor *t)
{
    bool *seen = NEW_ARRAY(m->arena, bool, m->tensors.count + 1);
    List open = { 0 };
    list_push(m->arena, &open, (void *)(uintptr_t)t);
    for (int i = 0; i < open.count; i++) {
        const Tensor *x = open.items[i];
        const Op *op = x->op;
        if (op && (op->kind == OP_load || op->kind == OP_labels) && op->data->target)
            return op->data;
        for (int k = 0; op && k < op->read_count; k++) {
            const int at = list_index(&m->tensors, op->reads[k].tensor);
            if (!seen[at])
                list_push(m->arena, &open, op->reads[k].tensor);
            seen[at] = true;
        }
        if (x->start)
            list_push(m->arena, &open, x->start);
    }
    return NULL;
}

/* ---- what the losses read ------------------------------------------------------------------------------------- */

/* Appends t, or the named values that it is made of. */
static void gather(Model *m, Tensor *t, bool *seen)
{
    const int at = list_index(&m->tensors, t);
    if (seen[at])
        return;
    seen[at] = true;
    if (t->flow_name && !target_behind(m, t)) {
        list_push(m->arena, &m->outputs, t);
        return;
    }
    for (int k = 0; t->op && k < t->op->read_count; k++)
        gather(m, t->op->reads[k].tensor, seen);
    if (t->start)
        gather(m, t->start, seen);
}

static void of_losses(Model *m)
{
    bool *seen = NEW_ARRAY(m->arena, bool, m->tensors.count + 1);
    for (int i = 0; i < m->loss_count; i++)
        for (int k = 0; k < m->losses[i].op->read_count; k++)
            gather(m, m->losses[i].op->reads[k].tensor, seen);
}

/* ---- outputs: ----------------------------------------------------------------------------------------------------- */

static bool output_named(Builder *b, const Yaml *y)
{
    Model *m = b->m;
    Use u;
    if (y->kind != YAML_SCALAR || !*y->text) {
        diag_error(m->diag, y->loc, "outputs holds names of the flow: outputs: [digit, crop]");
        return false;
    }
    if (!name_resolve(b, y->text, y->loc, &u, true))
        return false;
    if (!u.tensor->flow_name) {
        diag_error(m->diag, y->loc, "'%s' is not made in the flow: outputs are values that an entry defines", y->text);
        return false;
    }
    const DataDef *behind = target_behind(m, u.tensor);
    if (behind) {
        diag_error(m->diag, y->loc, "'%s' depends on the target '%s': a prediction has no targets, so it cannot be an output", y->text, behind->name);
        diag_note(m->diag, behind->loc, "'%s' is declared here", behind->name);
        return false;
    }
    if (list_index(&m->outputs, u.tensor) >= 0) {
        diag_error(m->diag, y->loc, "'%s' stands twice in outputs", y->text);
        return false;
    }
    list_push(m->arena, &m->outputs, u.tensor);
    return true;
}

void outputs_read(Builder *b, const Yaml *y)
{
    Model *m = b->m;
    m->outputs_named = y != NULL;
    if (!y) {
        of_losses(m);
    } else if (y->kind != YAML_LIST) {
        output_named(b, y);
    } else if (y->count == 0) {
        diag_error(m->diag, y->loc, "outputs holds at least one name: outputs: [digit, crop]; without it a net gives what its losses read");
    } else {
        for (int i = 0; i < y->count; i++)
            output_named(b, y->items[i]);
    }
}
