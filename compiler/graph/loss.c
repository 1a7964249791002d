/* loss.c -- `loss:`: the terms that training minimises, each an operator with one number an example as result.
 *
 * In: an entry or a list of them, and the rows of the operators that are losses.  Out: m->losses, and their operators at the end
 * of m->ops. */
#include "graph/model.h"
#include <string.h>

/* "{ cross_entropy: [logits, labels] } or { mse: [a, b] }" */
static const char *forms(Model *m)
{
    Text t = { .arena = m->arena };
    int left = 0;
    for (int k = 0; k < OP_COUNT; k++)
        left += loss_table[k] != NULL;
    for (int k = 0; k < OP_COUNT; k++)
        if (loss_table[k])
            text_printf(&t, "%s{ %s: %s }", !t.text ? "" : left == 1 ? " or " : ", ", loss_word((OpKind)k), loss_table[k]->form), left--;
    return t.text;
}

/* Which key of the entry y is a loss; -1 after an error. */
static int loss_key(Model *m, const Yaml *y)
{
    int which = -1;
    for (int i = 0; i < y->count; i++) {
        if (loss_kind_of(y->keys[i]->text) == OP_NONE)
            continue;
        if (which >= 0) {
            diag_error(m->diag, y->keys[i]->loc, "one loss an entry; several make a list: loss: [{ %s: [...] }, { %s: [...] }]",
                       y->keys[which]->text, y->keys[i]->text);
            return -1;
        }
        which = i;
    }
    if (which < 0)
        diag_error(m->diag, y->count ? y->keys[0]->loc : y->loc, "a loss is %s", forms(m));
    return which;
}

/* What stands under the loss's key: its operands, as many as it takes; a single one may stand without a list.  Returns their number,
 * 0 after an error. */
static int operands(Model *m, const Yaml *y, OpKind kind, const Yaml *from[OPERANDS_MAX])
{
    static const char *const words[OPERANDS_MAX + 1] = { "", "one", "two" };
    const LossInfo *info = loss_table[kind];
    int count = loss_operands(info);
    bool list = y->kind == YAML_LIST;
    if ((list ? y->count : 1) != count) {
        Text names = { .arena = m->arena };
        for (int i = 0; i < count; i++)
            text_printf(&names, "%s%s", i ? ", " : "", info->operands[i]);
        diag_error(m->diag, y->loc, "%s takes %s: [%s]", loss_word(kind), words[count], names.text);
        return 0;
    }
    for (int i = 0; i < count; i++)
        from[i] = list ? y->items[i] : y;
    return count;
}

static int target_named(const Model *m, const Yaml *y)
{
    int found = -1;
    for (int i = 0; i < m->target_count; i++)
        if (y->kind == YAML_SCALAR && strcmp(m->targets[i].name, y->text) == 0)
            found = i;
    return found;
}

/* True if the loss `name` accepts that target. */
static bool target_fits(Model *m, const char *name, const LossInfo *info, const DataDef *d, Loc at)
{
    bool labels = d->type == 2;
    if (info->takes & (labels ? TAKES_LABELS : TAKES_REALS))
        return true;
    diag_error(m->diag, at, labels ? "%s needs real numbers; '%s' holds labels" : "%s needs labels; '%s' holds real numbers", name,
               d->name);
    diag_note(m->diag, d->loc, "'%s' is declared here", d->name);
    return false;
}

static bool loss_entry(Builder *b, const Yaml *y, LossDef *loss)
{
    Model *m = b->m;
    if (!map_expected(m, y, "a loss"))
        return false;
    int which = loss_key(m, y);
    if (which < 0)
        return false;
    const char *name = y->keys[which]->text;
    OpKind kind = loss_kind_of(name);
    if (yaml_get(y, "when")) {
        diag_error(m->diag, yaml_get(y, "when")->loc, "a loss has no `when`");
        return false;
    }
    const LossInfo *info = loss_table[kind];
    const Yaml *from[OPERANDS_MAX];
    int count = operands(m, y->items[which], kind, from);
    if (!count)
        return false;
    Op *parsed = op_new(m, kind, FORWARD, "", y->keys[which]->loc);
    bool good = attr_parse(m, parsed, y, name, y->loc);
    Use x[OPERANDS_MAX];
    Entry e = { .name = arena_printf(m->arena, "loss%d", (int)(loss - m->losses) + 1), .loc = y->loc };
    good = flow_operand(b, &e, from[0], &x[0], true) && good;
    const DataDef *behind = good && count > 1 ? target_behind(m, x[0].tensor) : NULL;
    if (behind) {
        diag_error(m->diag, from[0]->loc, "'%s' depends on the target '%s': a prediction has no targets, only losses do", x[0].tensor->name, behind->name);
        diag_note(m->diag, behind->loc, "'%s' is declared here", behind->name);
        good = false;
    }
    loss->loc = y->keys[which]->loc;
    loss->weight = op_real(parsed, "weight");
    const Yaml *last = from[count - 1];
    loss->target = count > 1 ? target_named(m, last) : -1;
    if (loss->target >= 0) {
        DataDef *d = &m->targets[loss->target];
        d->used = true;
        if (d->type == REFUSED || !target_fits(m, name, info, d, last->loc) || !good)
            return false;
        x[1] = (Use){ data_tensor(m, d), 0 };
        if (d->type != 2 && x[0].tensor->repeat)
            x[0] = make_outside(b, x[0], loss->loc);     /* a target of real numbers holds all steps: [T, ...] */
    } else if (count > 1) {
        bool there = flow_operand(b, &e, last, &x[1], true);
        if (there && !(info->takes & TAKES_VALUES))
            diag_error(m->diag, last->loc, "%s needs a target with classes; '%s' is not a target", name, last->text);
        if (!there || !good || !(info->takes & TAKES_VALUES))
            return false;
        if (x[1].tensor->repeat && x[1].tensor->repeat != x[0].tensor->repeat)
            x[1] = make_outside(b, x[1], loss->loc);
    } else if (!good) {
        return false;
    }
    Op *op = op_new(m, kind, FORWARD, "", loss->loc);
    memcpy(op->attrs, parsed->attrs, sizeof op->attrs);
    op->attr_count = parsed->attr_count;
    op->repeat = x[0].tensor->repeat;
    loss->number = (int)(loss - m->losses);
    op->loss = loss;
    loss->value = x[0].tensor;
    op->prefix = "loss";
    loss->loss = tensor_new(m, arena_printf(m->arena, "loss%d", loss->number + 1), loss->loc, op->repeat);
    op->name = identifier_unique(m, arena_printf(m->arena, "%s%d", name, loss->number + 1));
    op_write(op, loss->loss, 0);
    for (int i = 0; i < count; i++)
        op_read(op, x[i].tensor, x[i].shift);
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
