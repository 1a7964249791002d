/* kernel.c -- chooses how an operator is computed, where that decides bits: a convolution directly or by Winograd's algorithm.
 *
 * In: the fused graph.  Out: op->winograd, and the operators that a choice needs.  Next: plan.c.
 * The choice follows from the model alone (winograd.c's rule, or `winograd: never`), never from the machine: it is part of the model hash.
 * Winograd's weights are brought into their form once, at the beginning of a step (PREPARE); the groups' parts of their gradient are
 * added in that form and brought back once (FINISH). */
#include "spnc.h"
#include "winograd.h"
#include <string.h>

static Tensor *raw(Model *m, const char *name, const Op *op, Repeat *repeat, int64_t reals)
{
    Tensor *t = tensor_new(m, name, op->loc, repeat);
    t->space = RAW;
    t->reals = reals;
    return t;
}

static void with_work(Model *m, Op *op, const Shape *x, const Shape *y)
{
    Tensor *work = raw(m, arena_printf(m->arena, "%s_work", op->name), op, op->reads[0].tensor->repeat,
                       winograd_work_reals(x->dim[0], y->dim[0], y->dim[1], y->dim[2]));
    work->work = true;
    op_write(op, work, 0);
}

/* Gradients that somebody wants, changed likewise. */
static void gradients(Model *m, Op *conv, Tensor *u, int64_t u_reals)
{
    const Shape *x = &conv->reads[0].tensor->shape, *y = &conv->writes[0].tensor->shape;
    for (int i = 0; i < m->backward.count; i++) {
        Section *s = m->backward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *op = s->ops.items[k];
            if (op->pass == BACKWARD && op->of == conv) {
                op->winograd = true;
                op_read(op, u, 0);
                with_work(m, op, x, y);
            } else if (op->pass == WEIGHTS && op->of == conv) {
                op->winograd = true;
                Tensor *part = op->writes[0].tensor;
                part->space = RAW;
                part->reals = u_reals;
                with_work(m, op, x, y);
            } else if (op->pass == FOLD && op->of->of == conv && op->weights[0] == conv->weights[0]) {
                Op *finish = op_new(m, OP_conv, FINISH, conv->name, conv->loc);
                finish->of = conv;
                finish->weights[finish->weight_count++] = op->weights[0];
                finish->accumulate = op->accumulate;
                op->accumulate = false;
                op_read(finish, op->reads[0].tensor, 0);
                list_push(m->arena, &s->ops, finish);
            }
        }
    }
}

/* Products along one axis: a tile of m outputs takes m + 2. */
static double products(int64_t size)
{
    int tiles[WINOGRAD_TILES], n = winograd_tiles(size, tiles), sum = 0;
    for (int i = 0; i < n; i++)
        sum += tiles[i] + 2;
    return sum;
}

void kernels_choose(Model *m)
{
    if (m->lanes == 1)
        return;
    Section *first = m->forward.items[0];
    if (first->kind != ONCE)
        unreachable("a flow begins by loading its inputs");
    List prepares = { 0 };
    for (int i = 0; i < m->forward.count; i++) {
        Section *s = m->forward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *op = s->ops.items[k];
            if (op->kind != OP_conv || op->pass != FORWARD || !strcmp(op_word(op, "winograd"), "never"))
                continue;
            const Shape *x = &op->reads[0].tensor->shape, *y = &op->writes[0].tensor->shape;
            int64_t size[2], stride[2], padding[2];
            op_pair(size, op, "kernel");
            op_pair(stride, op, "stride");
            op_pair(padding, op, "padding");
            if (!winograd_fits(x->dim[0], y->dim[0], y->dim[1], y->dim[2], size[0], size[1], stride[0], stride[1], padding[0], padding[1]))
                continue;
            int64_t reals = winograd_u_reals(x->dim[0], y->dim[0], y->dim[1], y->dim[2]);
            Tensor *u = raw(m, arena_printf(m->arena, "%s_u", op->name), op, NULL, reals);
            u->shared = true;
            op->winograd = true;
            Op *prepare = op_new(m, OP_conv, PREPARE, op->name, op->loc);
            prepare->of = op;
            prepare->weights[prepare->weight_count++] = op->weights[0];
            op_write(prepare, u, 0);
            list_push(m->arena, &prepares, prepare);
            op_read(op, u, 0);
            with_work(m, op, x, y);
            gradients(m, op, u, reals);
            remark(m, op->loc, "%s by Winograd's algorithm: %.2f of the multiplications", op->name,
                   products(y->dim[1]) * products(y->dim[2]) / (9.0 * (double)(y->dim[1] * y->dim[2])));
        }
    }
    for (int i = 0; i < prepares.count; i++) {          /* before everything else */
        list_push(m->arena, &first->ops, NULL);
        for (int k = first->ops.count - 1; k > i; k--)
            first->ops.items[k] = first->ops.items[k - 1];
        first->ops.items[i] = prepares.items[i];
    }
}
