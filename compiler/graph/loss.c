/* loss.c -- `loss:`: the terms that training makes small, each an operator that gives one number an example.
 *
 * In: an entry or a list of them.  Out: m->losses, and their operators at the end of m->ops. */
#include "graph/model.h"
#include <string.h>

static bool loss_entry(Builder *b, const Yaml *y, LossDef *loss)
{
    Model *m = b->m;
    OpKind kind = OP_NONE;
    int which = 0;
    if (!map_expected(m, y, "a loss"))
        return false;
    for (int i = 0; i < y->count; i++) {
        OpKind k = op_kind_of(y->keys[i]->text);
        if (k == OP_cross_entropy || k == OP_mse) {
            if (kind != OP_NONE) {
                diag_error(m->diag, y->keys[i]->loc, "one loss an entry; several make a list: loss: [{ %s: [...] }, { %s: [...] }]", y->keys[which]->text, y->keys[i]->text);
                return false;
            }
            kind = k, which = i;
        }
    }
    if (kind == OP_NONE) {
        diag_error(m->diag, y->count ? y->keys[0]->loc : y->loc, "a loss is { cross_entropy: [logits, labels] } or { mse: [a, b] }");
        return false;
    }
    const Yaml *args = y->items[which];
    if (args->kind != YAML_LIST || args->count != 2) {
        diag_error(m->diag, args->loc, "%s takes two: [%s]", op_table[kind]->name, kind == OP_mse ? "prediction, target" : "logits, labels");
        return false;
    }
    Op *parsed = op_new(m, kind, FORWARD, "", y->keys[which]->loc);
    bool good = attr_parse(m, parsed, y, y->keys[which]->text, y->loc);
    Use x;
    good = flow_resolve(b, args->items[0], &x, true) && good;
    loss->mse = kind == OP_mse;
    loss->loc = y->keys[which]->loc;
    loss->weight = op_real(parsed, "weight");
    loss->target = -1;
    for (int i = 0; i < m->target_count; i++)
        if (args->items[1]->kind == YAML_SCALAR && strcmp(m->targets[i].name, args->items[1]->text) == 0)
            loss->target = i;
    Use other;
    if (loss->target >= 0) {
        DataDef *d = &m->targets[loss->target];
        d->used = true;
        if (d->type == REFUSED)
            return false;
        if ((d->type == 2) == loss->mse) {
            diag_error(m->diag, args->items[1]->loc, loss->mse ? "mse needs real numbers; '%s' holds labels" : "cross_entropy needs labels; '%s' holds real numbers", d->name);
            diag_note(m->diag, d->loc, "'%s' is declared here", d->name);
            return false;
        }
        if (!good)
            return false;
        other = (Use){ data_tensor(m, d, m->input_count + loss->target), 0 };
        if (loss->mse && x.tensor->repeat)
            x = flow_outside(b, x, loss->loc);       /* a target of real numbers holds all steps: [T, ...] */
    } else {
        if (!loss->mse) {
            if (flow_resolve(b, args->items[1], &other, true))
                diag_error(m->diag, args->items[1]->loc, "cross_entropy needs a target with classes; '%s' is not a target", args->items[1]->text);
            return false;
        }
        if (!flow_resolve(b, args->items[1], &other, true) || !good)
            return false;
        if (other.tensor->repeat && other.tensor->repeat != x.tensor->repeat)
            other = flow_outside(b, other, loss->loc);
    }
    loss->value = x.tensor;
    Op *op = op_new(m, kind, FORWARD, "", loss->loc);
    memcpy(op->attrs, parsed->attrs, sizeof op->attrs);
    op->attr_count = parsed->attr_count;
    op->repeat = x.tensor->repeat;
    op->index = (int)(loss - m->losses);
    op->prefix = "loss";
    loss->loss = tensor_new(m, arena_printf(m->arena, "loss%d", op->index + 1), loss->loc, op->repeat);
    op->name = identifier_unique(m, arena_printf(m->arena, "%s%d", op_table[kind]->name, op->index + 1));
    op_write(op, loss->loss, 0);
    op_read(op, x.tensor, x.shift);
    op_read(op, other.tensor, other.shift);
    loss->op = op;
    list_push(m->arena, &m->ops, op);
    return true;
}

void losses_read(Builder *b, const Yaml *y)
{
    Model *m = b->m;
    int n = y->kind == YAML_LIST ? y->count : 1;
    if (n == 0 || n > LOSSES_MAX) {
        diag_error(m->diag, n ? y->items[LOSSES_MAX]->loc : y->loc, n ? "a model has at most %d losses" : "a model needs a loss: { cross_entropy: [logits, labels] }", LOSSES_MAX);
        return;
    }
    m->losses = NEW_ARRAY(m->arena, LossDef, n + 1);
    for (int i = 0; i < n; i++)
        if (loss_entry(b, y->kind == YAML_LIST ? y->items[i] : y, &m->losses[m->loss_count]))
            m->loss_count++;
}
