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

/* What a loss is called here that others call `word`, or the nearest: "; here it is 'mae'"; "". */
static const char *called_here(Model *m, const char *word)
{
    static const Synonym brought[] = {
        { "bce", "binary_cross_entropy" }, { "bce_with_logits", "binary_cross_entropy" }, { "binary_crossentropy", "binary_cross_entropy" },
        { "sigmoid_cross_entropy", "binary_cross_entropy" }, { "ce", "cross_entropy" }, { "nll", "cross_entropy" }, { "nll_loss", "cross_entropy" },
        { "softmax_cross_entropy", "cross_entropy" }, { "categorical_crossentropy", "cross_entropy" },
        { "sparse_categorical_crossentropy", "cross_entropy" }, { "l2", "mse" }, { "l2_loss", "mse" }, { "mse_loss", "mse" },
        { "mean_squared_error", "mse" }, { "l1", "mae" }, { "l1_loss", "mae" }, { "mean_absolute_error", "mae" }, { "smooth_l1", "huber" },
        { "smooth_l1_loss", "huber" }, { "huber_loss", "huber" }, { "l2_regularizer", "weight_l2" }, { "l1_regularizer", "weight_l1" },
    };
    const char *words[OP_COUNT];
    int n = 0;
    for (int k = 0; k < OP_COUNT; k++)
        if (loss_table[k])
            words[n++] = loss_word((OpKind)k);
    const char *ours = diag_called_here(m->arena, word, brought, sizeof brought / sizeof *brought, words, n);
    return ours ? ours : diag_suggestion(m->arena, word, words, n);
}

static bool is_loss_attribute(const char *word)
{
    for (int k = 0; k < OP_COUNT; k++)
        for (const AttrSpec *a = loss_table[k] ? op_table[k]->attrs : NULL; a && a->name; a++)
            if (strcmp(a->name, word) == 0)
                return true;
    return false;
}

/* The key of an entry without a loss that was meant as one: the first that is no attribute of a loss, or else the first. */
static const Yaml *loss_meant(const Yaml *y)
{
    for (int i = 0; i < y->count; i++)
        if (!is_loss_attribute(y->keys[i]->text))
            return y->keys[i];
    return y->keys[0];
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
    const Yaml *meant = which < 0 && y->count ? loss_meant(y) : NULL;
    if (which < 0)
        diag_error(m->diag, meant ? meant->loc : y->loc, "a loss is %s%s", forms(m), meant ? called_here(m, meant->text) : "");
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
    if (d->type != 2 || info->takes & TAKES_LABELS)
        return true;
    diag_error(m->diag, at, "%s needs real numbers; '%s' holds labels", name, d->name);
    diag_note(m->diag, d->loc, "'%s' is declared here", d->name);
    return false;
}

/* class_weights: a list of numbers, none below 0, not all of them 0. */
static bool classes_read(Model *m, const Yaml *y, const Op *parsed, LossDef *loss)
{
    const Yaml *list = yaml_get(y, "class_weights");
    if (parsed->attr_count && op_real(parsed, "epsilon") != 0)
        for (int i = 0; i < parsed->attr_count; i++) {
            const Attr *a = &parsed->attrs[i];
            if (a->given && (!strcmp(a->spec->name, "smoothing") || !strcmp(a->spec->name, "class_weights") || !strcmp(a->spec->name, "ignore"))) {
                diag_error(m->diag, a->loc, "epsilon and %s do not go together: leave one of them out", a->spec->name);
                return false;
            }
        }
    if (!list)
        return true;
    if (list->kind != YAML_LIST || !list->count) {
        diag_error(m->diag, list->loc, "class_weights is a list with a number for each class: class_weights: [1, 0.5]");
        return false;
    }
    double *weights = NEW_ARRAY(m->arena, double, list->count), sum = 0;
    static const AttrSpec spec = { "class_weights", ATTR_REAL, NULL, 0, 1e9, NULL, "a factor for a class" };
    for (int i = 0; i < list->count; i++) {
        Attr a = { .spec = &spec };
        if (!attr_from_yaml(m, &a, list->items[i]))
            return false;
        sum += weights[i] = a.number[0];
    }
    if (sum == 0) {
        diag_error(m->diag, list->loc, "all class_weights are 0: nothing counts");
        return false;
    }
    loss->class_weights = weights;
    loss->weights_given = list->count;
    return true;
}

/* False, with an error, if a cross entropy has attributes that do not go with its labels or shares; d: its target, or NULL. */
static bool target_alone(Model *m, const Op *parsed, DataDef *d)
{
    if (parsed->kind != OP_cross_entropy)
        return true;
    const Attr *ignore = op_attr(parsed, "ignore");
    const bool labels = d && d->type == 2;
    if (!labels && ignore->given) {
        diag_error(m->diag, ignore->loc, "ignore is for labels; cross_entropy with shares has none to ignore");
        return false;
    }
    if (!labels && op_real(parsed, "epsilon") != 0) {
        diag_error(m->diag, op_attr(parsed, "epsilon")->loc, "epsilon is for labels; cross_entropy with shares takes none");
        return false;
    }
    if (!labels || !ignore->given)
        return true;
    const int label = (int)ignore->number[0];
    if (d->classes == 1 && label == 0) {
        diag_error(m->diag, ignore->loc, "'%s' has the class 0 alone: with ignore: 0 nothing counts", d->name);
        return false;
    }
    if (d->ignores && d->ignored != label) {
        diag_error(m->diag, ignore->loc, "another loss ignores the label %d of '%s': one target has one label that is ignored", d->ignored, d->name);
        return false;
    }
    d->ignores = true;
    d->ignored = label;
    return true;
}

bool loss_classes_fit(Model *m, LossDef *l)
{
    const Attr *given = op_attr(l->op, "class_weights");
    const int classes = l->class_count;
    if (l->class_weights && l->weights_given != classes) {
        diag_error(m->diag, given->loc, "class_weights has %d numbers, but there are %d classes", l->weights_given, classes);
        return false;
    }
    const Attr *ignore = op_attr(l->op, "ignore");
    double counts = 0;
    for (int k = 0; l->class_weights && k < classes; k++)
        counts += ignore->given && k == (int)ignore->number[0] ? 0 : l->class_weights[k];
    if (l->class_weights && counts == 0) {
        diag_error(m->diag, ignore->loc, "of class_weights only that of the class %d is above 0, which is ignored: nothing counts",
                   (int)ignore->number[0]);
        return false;
    }
    return true;
}

/* True where a loss has become m->losses[...]; false after an error, and for a penalty, which is no loss of examples. */
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
    if (info->takes == TAKES_WEIGHTS)
        return penalty_add(m, parsed, from[0], yaml_get(y, "weight")), false;
    Use x[OPERANDS_MAX];
    Entry e = { .name = arena_printf(m->arena, "loss%d", (int)(loss - m->losses) + 1), .loc = y->loc };
    const int before = m->ops.count;
    good = flow_operand(b, &e, from[0], &x[0], true) && !weighs_refuse(b, before, from[0], "in loss", "in the flow") && good;
    const DataDef *behind = good && count > 1 ? target_behind(m, x[0].tensor) : NULL;
    if (behind) {
        diag_error(m->diag, from[0]->loc, "'%s' depends on the target '%s': a prediction has no targets, only losses do", x[0].tensor->name, behind->name);
        diag_note(m->diag, behind->loc, "'%s' is declared here", behind->name);
        if (from[1]->kind == YAML_SCALAR && target_named(m, from[1]) < 0)
            diag_note(m->diag, (Loc){ 0 }, "the prediction stands first: { %s: [%s, %s] }", name, from[1]->text,
                      from[0]->kind == YAML_SCALAR ? from[0]->text : x[0].tensor->name);
        good = false;
    }
    if (good && repeat_level(x[0].tensor->repeat) > 1)
        x[0] = make_outside(b, x[0], from[0]->loc);         /* of a repeat in a repeat: the stack of all steps */
    if (kind == OP_cross_entropy)
        good = classes_read(m, y, parsed, loss) && good;
    loss->loc = y->keys[which]->loc;
    loss->weight = op_real(parsed, "weight");
    const Yaml *last = from[count - 1];
    loss->target = count > 1 ? target_named(m, last) : -1;
    if (loss->target >= 0) {
        DataDef *d = &m->targets[loss->target];
        d->used = true;
        if (d->type == REFUSED || !target_fits(m, name, info, d, last->loc) || !good)
            return false;
        if (!target_alone(m, parsed, d))
            return false;
        x[1] = (Use){ data_tensor(m, d), 0 };
        if (d->type != 2 && x[0].tensor->repeat)
            x[0] = make_outside(b, x[0], loss->loc);     /* a target of real numbers holds all steps: [T, ...] */
    } else if (count > 1) {
        const int first = m->ops.count;
        bool there = flow_operand(b, &e, last, &x[1], true) && !weighs_refuse(b, first, last, "in loss", "in the flow");
        if (!there || !good || !target_alone(m, parsed, NULL))
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
    Tensor *compared = loss->value->op && loss->value->op->kind == OP_stack ? loss->value->op->reads[0].tensor : loss->value;
    compared->shown = compared->shown || (loss->target >= 0 && info->shows && compared->op && compared->op->kind != OP_load);
    op->prefix = "loss";
    loss->loss = tensor_new(m, arena_printf(m->arena, "loss%d", loss->number + 1), loss->loc, op->repeat);
    op->name = identifier_unique(m, arena_printf(m->arena, "%s%d", name, loss->number + 1));
    op_write(op, loss->loss, 0);
    if (kind == OP_cross_entropy && x[1].tensor->space == LABELS_I32 && (loss->class_weights || op_attr(parsed, "ignore")->given)) {
        loss->counts = tensor_new(m, arena_printf(m->arena, "loss%d_counts", loss->number + 1), loss->loc, op->repeat);
        op_write(op, loss->counts, 0);
    }
    for (int i = 0; i < count; i++)
        op_read(op, x[i].tensor, x[i].shift);
    loss->op = op;
    list_push(m->arena, &m->ops, op);
    return true;
}

/* A label that stands for no class is ignored by each loss that reads its target. */
static void ignores_too(Model *m, const LossDef *l)
{
    const DataDef *d = l->target >= 0 ? &m->targets[l->target] : NULL;
    if (d && d->ignores && (d->ignored < 0 || d->ignored >= d->classes) && !(l->op->kind == OP_cross_entropy && op_attr(l->op, "ignore")->given))
        diag_error(m->diag, l->loc, "another loss ignores the label %d of '%s', which is no class: this one has to ignore it too", d->ignored, d->name);
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
    if (m->penalties.count == n && !diag_errors(m->diag))
        diag_error(m->diag, ((Penalty *)m->penalties.items[0])->loc, "a penalty alone teaches nothing: it needs a loss beside it, as in loss: [{ cross_entropy: [logits, labels] }, { %s: %s }]",
                   loss_word(((Penalty *)m->penalties.items[0])->kind), ((Penalty *)m->penalties.items[0])->key);
    bool weighs = !m->loss_count;
    for (int i = 0; i < m->loss_count; i++) {
        const Attr *weight = op_attr(m->losses[i].op, "weight");
        ignores_too(m, &m->losses[i]);
        weighs = weighs || m->losses[i].weight != 0 || (weight->text && strchr(weight->text, '$'));
    }
    if (!weighs)
        diag_warning(m->diag, m->losses[0].loc, "%s a weight of 0: nothing is learned",
                     m->loss_count == 1 ? "the loss has" : "all losses have");
}
