/* kernel.c -- chooses the algorithm of an operator: a convolution directly or by Winograd's algorithm, a dense layer by spnc's kernel or by OpenBLAS.
 *
 * In: the fused graph.  Out: op->kernel, and the operators that a choice adds.  Next: identity.c.
 * The choice decides bits, so it follows from the model alone (winograd.c's rule, `winograd: never`, `gemm: openblas`), never from the machine, and
 * is part of the model hash.  tell/reason.c says why in words.
 * By Winograd's algorithm, weights are transformed once at the beginning of a step (PREPARE).  The groups' parts of their gradient are folded in the
 * transformed form (FOLD) and go through the inverse transform once (FINISH). */
#include "lower/winograd.h"
#include <string.h>

/* Working memory of one thread; its size follows from the blocks of tiles, which the stage `schedule` chooses. */
static void with_work(Model *m, Op *op)
{
    Tensor *work = tensor_raw(m, arena_printf(m->arena, "%s_work", op->name), op, op->reads[0].tensor->repeat, 0);
    work->work = true;
    op_write(op, work, 0);
}

/* Changes those backward operators of `conv` that exist to Winograd's algorithm. */
static void gradients(Model *m, Op *conv, Tensor *u, int64_t u_reals)
{
    for_each_op(w, &m->backward) {
        Op *op = w.op;
        if (op->pass == BACKWARD && op->of == conv) {
            op->kernel.winograd = true;
            op_read(op, u, 0);
            with_work(m, op);
        } else if (op->pass == WEIGHTS && op->of == conv) {
            op->kernel.winograd = true;
            Tensor *part = op->writes[0].tensor;
            part->space = RAW;
            part->reals = u_reals;
            with_work(m, op);
        } else if (op->pass == FOLD && op->of->of == conv && op->weights[0] == conv->weights[0]) {
            Op *finish = op_new(m, OP_conv, FINISH, conv->name, conv->loc);
            finish->of = conv;
            finish->weights[finish->weight_count++] = op->weights[0];
            op->grad.accumulates = false;
            op_read(finish, op->reads[0].tensor, 0);
            list_push(m->arena, &w.section->ops, finish);
        }
    }
}

const char *kernel_misfit(const Model *m, const Op *op)
{
    if (m->lanes == 1)
        return "the plain form has textbook loops";
    if (!strcmp(op_word(op, "winograd"), "never"))
        return "the model says `winograd: never`";
    Window w = window_of(op);
    return winograd_misfit(&w);
}

int kernel_packs(const Model *m, const Op *op)
{
    const Op *forward = forward_of(op);
    if (forward->kind != OP_conv || !forward->kernel.winograd)
        return 0;
    const Shape *y = &forward->writes[0].tensor->shape;
    return winograd_packs(y->dim[1], y->dim[2], m->last_examples);
}

/* ---- dense layers ------------------------------------------------------------------------------------------ */

/* A dense layer that says `gemm: openblas`, and its gradients: each gets room for its operands and results with the examples side by side. */
static void openblas(Model *m, List *sections)
{
    for_each_op(w, sections) {
        Op *op = w.op;
        const Op *forward = forward_of(op);
        const char *gemm = op->kind == OP_dense ? op_word(forward, "gemm") : NULL;
        if (!gemm || strcmp(gemm, "openblas") != 0)
            continue;
        if (m->options.mpi && op == forward) {
            diag_error(m->diag, op_attr(op, "gemm")->given ? op_attr(op, "gemm")->loc : op->loc, "the order of OpenBLAS's sums follows from the examples of one process: --mpi does not take `gemm: openblas`");
            diag_note(m->diag, (Loc){ 0 }, "`gemm: lanes` takes the same weights");
        }
        op->kernel.openblas = true;
        int64_t reals = (shape_count(&forward->reads[0].tensor->shape) + op_int(forward, "units")) * m->lanes;
        if (op->pass == WEIGHTS) {
            op->writes[0].tensor->reals = reals;
            continue;
        }
        Tensor *work = tensor_raw(m, arena_printf(m->arena, "%s_%s", op->name, op->pass == FORWARD ? "columns" : "d_columns"), op,
                                  w.section->kind == AFTER ? w.section->repeat : w.section->from ? w.section->from->outer : NULL, reals);
        work->work = true;
        op_write(op, work, 0);
        if (op->pass == FORWARD)
            remark(m, op->loc, "%s by OpenBLAS, as the model says", op->name);
    }
}

/* `gemm: lanes` and `over: elements` are the defaults written out: they are removed, so that they have no part in the hash. */
static void forget_usual(Model *m)
{
    static const char *const usual[][2] = { { "gemm", "lanes" }, { "over", "elements" }, { "over", "all" } };
    for (int i = 0; i < m->ops.count; i++) {
        Op *op = m->ops.items[i];
        for (int k = 0; k < op->attr_count; k++)
            for (size_t u = 0; u < sizeof usual / sizeof *usual; u++)
                if (op->attrs[k].word && !strcmp(op->attrs[k].spec->name, usual[u][0]) && !strcmp(op->attrs[k].word, usual[u][1]))
                    op->attrs[k].word = NULL;
    }
}

/* Changes the convolution and its gradients to Winograd's algorithm; the operator that transforms the weights is appended to `prepares`. */
static void by_winograd(Model *m, Op *op, List *prepares)
{
    const Shape *x = &op->reads[0].tensor->shape, *y = &op->writes[0].tensor->shape;
    int64_t reals = winograd_of(x->dim[0], y->dim[0], y->dim[1], y->dim[2]).u_reals;
    Tensor *u = tensor_raw(m, arena_printf(m->arena, "%s_u", op->name), op, NULL, reals);
    u->shared = true;
    op->kernel.winograd = true;
    Op *prepare = op_new(m, OP_conv, PREPARE, op->name, op->loc);
    prepare->of = op;
    prepare->weights[prepare->weight_count++] = op->weights[0];
    op_write(prepare, u, 0);
    list_push(m->arena, prepares, prepare);
    op_read(op, u, 0);
    with_work(m, op);
    gradients(m, op, u, reals);
    remark(m, op->loc, "%s by Winograd's algorithm: %.2f of the multiplications", op->name, winograd_share(y->dim[1], y->dim[2]));
}

/* True if the fold's result is Winograd's transformed gradient, which a FINISH then brings to the weight. */
static bool is_transformed(const Op *op)
{
    return op->pass == FOLD && op->of->kernel.winograd && op->weights[0] == op->of->of->weights[0];
}

/* Of the operators that write the gradient of a weight with a FINISH the first that runs sets it, the others add: grad.c settled that for the folds,
 * whose order is not that of the FINISHes behind them. */
static void order_finishes(Model *m)
{
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *weight = m->weights.items[i];
        bool finished = false, written = false;
        for_each_op(w, &m->backward)
            finished = finished || (w.op->pass == FINISH && w.op->weights[0] == weight);
        for_each_op(w, &m->backward)
            for (int k = 0; finished && k < w.op->weight_count; k++) {
                Op *op = w.op;
                const bool writes = op->pass == FINISH || (op->pass == FOLD && !is_transformed(op)) || (op->pass == WEIGHTS && op_is_whole(op));
                if (op->weights[k] != weight || !writes)
                    continue;
                *(k ? &op->grad.adds_bias : &op->grad.accumulates) = written;
                written = true;
            }
    }
}

bool kernels_choose(Model *m)
{
    forget_usual(m);
    if (m->lanes == 1)
        return true;
    openblas(m, &m->forward);
    openblas(m, &m->backward);
    if (diag_errors(m->diag))
        return false;
    Section *first = m->forward.items[0];
    if (first->kind != ONCE)
        unreachable("a flow begins by loading its inputs");
    List prepares = { 0 };
    for_each_op(w, &m->forward)
        if (w.op->kind == OP_conv && w.op->pass == FORWARD && !kernel_misfit(m, w.op))
            by_winograd(m, w.op, &prepares);
    order_finishes(m);
    for (int i = 0; i < prepares.count; i++)            /* before all other operators */
        list_insert(m->arena, &first->ops, i, prepares.items[i]);
    return true;
}
