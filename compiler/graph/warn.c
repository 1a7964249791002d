/* warn.c -- warnings about valid models that are probably mistakes: values that no loss depends on, crops larger than their image,
 * transforms that cannot learn, a batch among the axes of an input, channels that stand last, a softmax before a loss that has one.
 *
 * In: the graph with shapes, and which tensors depend on weights (grad.c).  Out: warnings; the model is still compiled.
 * Unused names are reported by model.c.  One cause, one warning: of a dead chain of values only the last is named. */
#include "graph/attr.h"
#include <string.h>

/* Marks `t` and all tensors that it depends on. */
static void mark_needed(const Model *m, Tensor *t)
{
    if (t->needed)
        return;
    t->needed = true;
    if (t->start)
        mark_needed(m, t->start);
    for (int i = 0; t->op && i < t->op->read_count; i++)
        mark_needed(m, t->op->reads[i].tensor);
    for (int i = 0; t->op && i < t->op->weight_count; i++)      /* a parameter that an operator reads as it is: its value has a name too */
        for (int k = 0; k < m->tensors.count; k++) {
            Tensor *value = m->tensors.items[k];
            if (value->op && value->op->kind == OP_broadcast && !value->carried && value->op->weights[0] == t->op->weights[i])
                mark_needed(m, value);
        }
}

/* Whether a named value other than `of` is made from t; values without a name are looked through, each once. */
static bool feeds_another(const Model *m, const Tensor *t, const Tensor *of, List *seen)
{
    if (list_index(seen, t) >= 0)
        return false;
    list_push(m->arena, seen, (void *)(uintptr_t)t);
    for (int i = 0; i < m->ops.count; i++) {
        const Op *op = m->ops.items[i];
        const Tensor *y = op->writes[0].tensor;
        for (int k = 0; k < op->read_count; k++)
            if (op->reads[k].tensor == t && y != of && y != t && (y->flow_name || feeds_another(m, y, of, seen)))
                return true;
    }
    return false;
}

/* A target by pixel of an input that training moves or flips. */
static void moved_inputs(const Model *m)
{
    for (int i = 0; i < m->input_count; i++) {
        const DataDef *x = &m->inputs[i];
        const AugmentDef *a = x->augment;
        const int64_t *size = &x->shape.dim[x->shape.rank - 2];
        for (int k = 0; a && (a->flip || a->shift || a->rotate > 0 || a->scale > 0) && k < m->target_count; k++) {
            const Shape *y = &m->targets[k].shape;
            if (y->rank < 2 || size[0] != y->dim[y->rank - 2] || size[1] != y->dim[y->rank - 1])
                continue;
            diag_warning(m->diag, a->loc, "training moves or flips '%s', and '%s' has a value for each of its pixels, which stays where it is: noise and clutter alone"
                         " move nothing", x->name, m->targets[k].name);
            diag_note(m->diag, m->targets[k].loc, "'%s' is declared here", m->targets[k].name);
        }
    }
}

/* Weights that the loss depends on, but not smoothly. */
static void flat_weights(const Model *m)
{
    for (int i = 0; i < m->ops.count; i++)
        if (strcmp(OP_INFO((Op *)m->ops.items[i])->name, "stop_gradient") == 0)
            return;
    for (int i = 0; i < m->ops.count; i++) {
        const Op *op = m->ops.items[i];
        if (op->pass == FORWARD && op->weight_count && op->writes[0].tensor->needed && !op->weights[0]->trained && !op->weights[0]->frozen)
            diag_warning(m->diag, op->weights[0]->loc, "'%s' reaches the loss through comparisons, sign or floor alone: its gradient is 0", op->weights[0]->name);
    }
}

static void dead_values(const Model *m)
{
    for (int i = 0; i < m->loss_count; i++)
        for (int k = 0; k < m->losses[i].op->read_count; k++)
            mark_needed(m, m->losses[i].op->reads[k].tensor);
    flat_weights(m);
    moved_inputs(m);
    for (int i = 0; m->outputs_named && i < m->outputs.count; i++)
        mark_needed(m, m->outputs.items[i]);
    for (int round = 0; round < 2; round++)     /* second round: rings of several values that read each other */
        for (int i = 0; i < m->tensors.count; i++) {
            Tensor *t = m->tensors.items[i];
            if (!t->flow_name || t->needed || (round == 0 && feeds_another(m, t, t, &(List){ 0 })))
                continue;
            if (!tensor_is_read(m, t))
                diag_warning(m->diag, t->loc, "nothing reads '%s'", t->flow_name);
            else
                diag_warning(m->diag, t->loc, "the loss does not depend on '%s'", t->flow_name);
            mark_needed(m, t);
        }
}

static void sampler(const Model *m, const Op *op)
{
    const Tensor *image = op->reads[0].tensor, *A = op->reads[1].tensor, *y = op->writes[0].tensor;
    const Attr *size = op_attr(op, "size")->given ? op_attr(op, "size") : op_attr(op, "downsample");
    if (y->shape.dim[1] > image->shape.dim[1] || y->shape.dim[2] > image->shape.dim[2]) {
        diag_warning(m->diag, size->loc, "the crop '%s' has %lldx%lld points, its image %lldx%lld: it up-samples", op->name, (long long)y->shape.dim[1],
                     (long long)y->shape.dim[2], (long long)image->shape.dim[1], (long long)image->shape.dim[2]);
        if (size->text)
            note_sets(m, size->text);
    }
    if (!A->weighted) {
        diag_warning(m->diag, op->loc, "the transform of '%s' cannot learn: it depends on no weight", op->name);
        diag_note(m->diag, A->loc, "'%s' is %s", A->flow_name ? A->flow_name : A->name,
                  A->op && A->op->kind == OP_load ? "an input" : "made here, of inputs and constants alone");
    }
}

static void batch_in_shape(const Model *m)
{
    for (int i = 0; i < m->input_count; i++) {
        const DataDef *d = &m->inputs[i];
        if (batch_is_axis(m, d)) {
            diag_warning(m->diag, d->loc, "the first axis of '%s' is as long as the batch, %lld", d->name, (long long)m->batch);
            diag_note(m->diag, (Loc){ 0 }, "a shape is that of one example: the batch is not one of its axes");
        }
    }
}

static void channels_last(const Model *m)
{
    for (int i = 0; i < m->input_count; i++) {
        const DataDef *d = &m->inputs[i];
        const int64_t *n = d->shape.dim;
        if (channels_are_last(d)) {
            diag_warning(m->diag, d->loc, "'%s' has its channels last: [%lld, %lld, %lld] is %lld channels of %lldx%lld", d->name, (long long)n[0], (long long)n[1],
                         (long long)n[2], (long long)n[0], (long long)n[1], (long long)n[2]);
            note_channels_first(m, d, (Loc){ 0 });
        }
    }
}

/* A convolution over [H, W], which is H channels of W positions. */
static void picture_without_channel(const Model *m)
{
    for (int i = 0; i < m->input_count; i++) {
        const DataDef *d = &m->inputs[i];
        const int64_t *n = d->shape.dim;
        if (d->shape.rank != 2 || n[0] != n[1] || n[0] <= 4)
            continue;
        for (int k = 0; k < m->ops.count; k++) {
            const Op *op = m->ops.items[k];
            if (op->kind != OP_conv || op->reads[0].tensor != d->tensor)
                continue;
            diag_warning(m->diag, op->loc, "'%s' is %lld channels of %lld positions here", d->name, (long long)n[0], (long long)n[1]);
            diag_note(m->diag, d->loc, "a picture of one channel has the shape [1, %lld, %lld]", (long long)n[0], (long long)n[1]);
            break;
        }
    }
}

/* Losses of logits have the softmax, or the sigmoid, inside. */
static void softmax_twice(const Model *m)
{
    for (int i = 0; i < m->loss_count; i++) {
        const LossDef *l = &m->losses[i];
        const Op *op = l->op->reads[0].tensor->op;
        if (op && op->kind == OP_stack)
            op = op->reads[0].tensor->op;
        while (op && op_is_view(op->kind))
            op = op->reads[0].tensor->op;
        const char *twice = l->op->kind == OP_cross_entropy ? "softmax" : l->op->kind == OP_binary_cross_entropy ? "sigmoid" : NULL;
        if (!twice || !op || strcmp(OP_INFO(op)->name, twice))
            continue;
        diag_warning(m->diag, l->loc, "%s takes logits: the %s is inside it, and this one is a second", loss_word(l->op->kind), twice);
        diag_note(m->diag, op->loc, "the first is here");
    }
}

/* A dense layer outside of a repeat that takes all of its steps as one row; of a cell this is its rule. */
static void steps_flattened(const Model *m, const Op *op)
{
    const Tensor *x = op->reads[0].tensor, *of = x->op && x->op->kind == OP_stack ? x->op->reads[0].tensor : NULL;
    const bool apart = op->dense.transposed || strcmp(op->suffix[0], "weight") || (op_word(op, "over") && !strcmp(op_word(op, "over"), "last"));
    if (!of || apart || !of->repeat || of->repeat->steps < 2 || !of->shape.rank)
        return;
    diag_warning(m->diag, op->loc, "'%s' takes all %d steps of '%s' as one row of %lld numbers", op->name, of->repeat->steps, of->flow_name ? of->flow_name : of->name,
                 (long long)shape_count(&x->shape));
    diag_note(m->diag, (Loc){ 0 }, "over: last keeps the steps apart, { flatten: %s } says that one row is meant", of->flow_name ? of->flow_name : of->name);
}

bool warn(Model *m)
{
    if (m->options.inference)         /* they are about training */
        return true;
    batch_in_shape(m);
    channels_last(m);
    picture_without_channel(m);
    softmax_twice(m);
    for (int i = 0; i < m->ops.count; i++) {
        const Op *op = m->ops.items[i];
        if (op->kind == OP_spn)
            sampler(m, op);
        if (op->kind == OP_dense)
            steps_flattened(m, op);
    }
    dead_values(m);
    return true;
}
