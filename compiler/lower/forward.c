/* forward.c -- the forward pass alone, of a net that is to become a library: what only training needs is removed.
 *
 * In: m->forward, m->outputs, --outputs.  Out: m->forward with fewer operators; m->outputs.  Next: fuse.c (grad.c has nothing to do).
 * What stays is what the outputs depend on, so losses, targets and their loads go.  A dropout becomes a view of its operand, an augmented input is
 * loaded as it comes, a batch norm has its running statistics: that is all they do outside of training.  Values that are no outputs lose their names, so that they may be fused and their
 * memory used again.  Everything follows from what operators read and write; only those three and OpenBLAS are known by kind. */
#include "graph/model.h"
#include "lower/latency.h"
#include "lower/step.h"
#include <string.h>

/* ---- outputs ------------------------------------------------------------------------------------------------------ */

static Loc flow_loc(const Model *m) { return yaml_get(m->root, "flow")->loc; }

/* The value of the flow of that name; NULL: none. */
static Tensor *value_named(const Model *m, const char *name)
{
    for (int i = 0; i < m->tensors.count; i++) {
        Tensor *t = m->tensors.items[i];
        if (t->flow_name && strcmp(t->flow_name, name) == 0)
            return t;
    }
    return NULL;
}

static void no_value(Model *m, const char *name)
{
    const char **words = NEW_ARRAY(m->arena, const char *, m->tensors.count + 1);
    Text all = { .arena = m->arena };
    int n = 0;
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (!t->flow_name)
            continue;
        text_printf(&all, "%s%s", n ? ", " : "", t->flow_name);
        words[n++] = t->flow_name;
    }
    diag_error(m->diag, flow_loc(m), "--outputs: the flow has no value '%s'%s", name, diag_suggestion(m->arena, name, words, n));
    diag_note(m->diag, (Loc){ 0 }, "its values are %s", all.text ? all.text : "none");
}

/* Those that --outputs names, in place of the model's. */
static void named_outputs(Model *m)
{
    m->outputs = (List){ 0 };
    char *names = arena_copy(m->arena, m->options.outputs, strlen(m->options.outputs));
    for (char *name = names, *end; name; name = end) {
        end = strchr(name, ',');
        if (end)
            *end++ = '\0';
        Tensor *t = value_named(m, name);
        if (!t)
            no_value(m, name);
        else if (target_behind(m, t))
            diag_error(m->diag, t->loc, "--outputs: '%s' depends on the target '%s', which a library does not have", name, target_behind(m, t)->name);
        else if (list_index(&m->outputs, t) >= 0)
            diag_error(m->diag, t->loc, "--outputs names '%s' twice", name);
        else
            list_push(m->arena, &m->outputs, t);
    }
}

/* ---- what they depend on ------------------------------------------------------------------------------------------ */

static bool writes_one_of(const Op *op, const List *needed)
{
    for (int i = 0; i < op->write_count; i++)
        if (list_index(needed, op->writes[i].tensor) >= 0)
            return true;
    return false;
}

static bool add(Model *m, List *needed, Tensor *t)
{
    if (list_index(needed, t) >= 0)
        return false;
    list_push(m->arena, needed, t);
    return true;
}

/* All tensors that the outputs depend on.  Repeated until nothing changes, since a state depends on itself. */
static List needed_tensors(Model *m)
{
    List needed = { 0 };
    for (int i = 0; i < m->outputs.count; i++)
        add(m, &needed, m->outputs.items[i]);
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < needed.count; i++) {
            Tensor *t = needed.items[i];
            changed = (t->view_of && add(m, &needed, t->view_of)) || changed;
        }
        for (int i = m->ops.count - 1; i >= 0; i--) {
            const Op *op = m->ops.items[i];
            for (int k = 0; k < op->read_count && writes_one_of(op, &needed); k++)
                changed = add(m, &needed, op->reads[k].tensor) || changed;
        }
    }
    return needed;
}

static void remove_others(Model *m)
{
    const List needed = needed_tensors(m);
    for_each_op(w, &m->forward)
        if (!writes_one_of(w.op, &needed))
            walk_remove(&w);
    for (int i = m->ops.count - 1; i >= 0; i--)
        if (!writes_one_of(m->ops.items[i], &needed))
            list_remove(&m->ops, i);
    m->loss_count = 0;
    m->penalties = (List){ 0 };
}

/* ---- what does something in training alone ------------------------------------------------------------------------ */

/* y = x: as a view, or as a copy where y has slots that x does not have. */
static void pass_on(Op *op)
{
    const Use x = op->reads[0];
    Tensor *y = op->writes[0].tensor;
    bool view = !x.shift && !op->writes[0].shift && !y->carried && !x.tensor->carried && x.tensor->repeat == y->repeat;
    op->kind = view ? OP_reshape : OP_copy;
    if (view)
        y->view_of = x.tensor;
}

/* Outside of training a `random` is zeros, unless its model says otherwise: then its draws are those of a run, which a library does not have. */
static void without_draws(Model *m, Op *op)
{
    const Attr *eval = op_attr(op, "eval");
    if (!strcmp(eval->word, "draw")) {
        diag_error(m->diag, eval->loc, "a library draws no random numbers: --for inference does not take `eval: draw`");
        diag_note(m->diag, (Loc){ 0 }, "with `eval: zeros` the value is 0 there; or make it an input, which the caller fills");
    }
    op->kind = OP_fill;
}

static void without_training(Model *m)
{
    for_each_op(w, &m->forward) {
        if (w.op->kind == OP_dropout || w.op->kind == OP_stop_gradient)
            pass_on(w.op);
        else if (w.op->kind == OP_random)
            without_draws(m, w.op);
        else if (w.op->kind == OP_load)
            w.op->read_count = 0;
        else if (w.op->kind == OP_augment || w.op->kind == OP_batch_sums)
            walk_remove(&w);
        else if (w.op->kind == OP_batch_statistics)          /* of the running ones: store.c */
            w.op->read_count = 0;
    }
}

static void refuse_openblas(Model *m)
{
    for (int i = 0; i < m->ops.count; i++) {
        const Op *op = m->ops.items[i];
        const char *gemm = op->kind == OP_dense ? op_word(op, "gemm") : NULL;
        if (!gemm || strcmp(gemm, "openblas") != 0)
            continue;
        diag_error(m->diag, op_attr(op, "gemm")->given ? op_attr(op, "gemm")->loc : op->loc,
                   "a library calls no other: --for inference does not take `gemm: openblas`");
        diag_note(m->diag, (Loc){ 0 }, "`gemm: lanes` takes the same weights");
    }
}

bool forward_only(Model *m)
{
    if (!m->options.inference)
        return true;
    if (m->options.outputs)
        named_outputs(m);
    if (!m->outputs.count && !diag_errors(m->diag))
        diag_error(m->diag, flow_loc(m), "the losses read no value of the flow: --outputs says which values the library returns");
    if (diag_errors(m->diag))
        return false;
    remove_others(m);
    refuse_openblas(m);
    without_training(m);
    if (m->options.step && !one_step(m))
        return false;
    for (int i = 0; i < m->tensors.count; i++) {
        Tensor *t = m->tensors.items[i];
        if (list_index(&m->outputs, t) < 0)
            t->flow_name = NULL;
        t->shown = false;
    }
    if (m->options.latency)
        norms_fold(m);
    return !diag_errors(m->diag);
}
