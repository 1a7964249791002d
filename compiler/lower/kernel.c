/* kernel.c -- chooses the algorithm of an operator, and the layout of some tensors.
 *
 * In: the fused graph.  Out: op->winograd, op->openblas, and the operators that a choice adds.  Next: identity.c.
 * kernels_choose: a convolution directly or by Winograd's algorithm, a dense layer by spnc's kernel or by OpenBLAS.  This decides bits, so it
 * follows from the model alone (winograd.c's rule, `winograd: never`, `gemm: openblas`), never from the machine, and is part of the model hash.
 * layouts_choose, after the hash: bytes or lanes for a sampler's image, slopes kept for its gradient, deferred weight gradients.  No bit changes.
 * By Winograd's algorithm, weights are transformed once at the beginning of a step (PREPARE).  The groups' parts of their gradient are folded in the
 * transformed form (FOLD) and go through the inverse transform once (FINISH).  Where there are few tiles, groups store the operands of their
 * parts instead, and one product over the whole batch follows (PRODUCTS); the weight gradient of a dense layer is always made this way. */
#include "lower/winograd.h"
#include "spnc.h"
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

/* Changes those backward operators of `conv` that exist to Winograd's algorithm. */
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

/* Why a convolution is not computed by Winograd's algorithm; NULL if it is. */
static const char *misfit(const Model *m, const Op *op)
{
    const Shape *x = &op->reads[0].tensor->shape, *y = &op->writes[0].tensor->shape;
    int64_t size[2], stride[2], padding[2];
    if (m->lanes == 1)
        return "the plain form has textbook loops";
    if (!strcmp(op_word(op, "winograd"), "never"))
        return "the model says `winograd: never`";
    op_pair(size, op, "kernel");
    op_pair(stride, op, "stride");
    op_pair(padding, op, "padding");
    return winograd_misfit(x->dim[0], y->dim[0], y->dim[1], y->dim[2], size[0], size[1], stride[0], stride[1], padding[0], padding[1]);
}

/* Share of direct convolution's multiplications. */
static double share(const Op *op)
{
    const Shape *y = &op->writes[0].tensor->shape;
    return winograd_share(y->dim[1], y->dim[2]);
}

int kernel_packs(const Model *m, const Op *op)
{
    const Op *forward = op->of ? op->of : op;
    if (forward->kind != OP_conv || !forward->winograd)
        return 0;
    const Shape *y = &forward->writes[0].tensor->shape;
    return winograd_packs(y->dim[1], y->dim[2], m->last_examples);
}

static void tiles_text(Text *t, int64_t size)
{
    int tiles[WINOGRAD_TILES], n = winograd_tiles(size, tiles);
    for (int i = 0; i < n && i < 6; i++)
        text_printf(t, "%s%d", i ? "+" : "", tiles[i]);
    if (n > 6)
        text_printf(t, "+...");
}

const char *kernel_name(const Model *m, const Op *op)
{
    Text t = { .arena = m->arena };
    if (op->kind == OP_conv && op->winograd) {
        text_printf(&t, "winograd ");
        tiles_text(&t, op->writes[0].tensor->shape.dim[1]);
        text_printf(&t, " x ");
        tiles_text(&t, op->writes[0].tensor->shape.dim[2]);
    } else if (op->kind == OP_conv) {
        text_printf(&t, "direct");
    } else if (op->kind == OP_conv_pool) {
        text_printf(&t, "conv, relu, pool at once");
    } else if (op->openblas) {
        text_printf(&t, "whole batch, by OpenBLAS");
    } else {
        text_printf(&t, "%s", m->lanes == 1 ? "example by example" : OP_INFO(op)->whole_batch ? "whole batch" : "group by group");
    }
    if (op->act != OP_NONE)
        text_printf(&t, ", then %s", op_table[op->act]->name);
    if (op->drop)
        text_printf(&t, ", then dropout");
    return t.text;
}

const char *kernel_reason(const Model *m, const Op *op)
{
    if (op->kind == OP_conv) {
        const char *why = misfit(m, op);
        if (!op->winograd)
            return arena_printf(m->arena, "Direct convolution: %s. Each output is one chain of multiply-adds, bias first, then channels, kernel rows, "
                                          "kernel columns.", why ? why : "it was chosen");
        return arena_printf(m->arena, "Winograd's algorithm: 3x3, stride 1, unpadded, at least 8 channels and filters, so it takes %.2f of the multiplications "
                                      "of direct convolution. Tiles cover the output exactly and are of at most 6x6: larger ones save more, but their rounding "
                                      "error grows fast. `winograd: never` on the layer gives the plain sums.%s", share(op),
                            kernel_packs(m, op) ? arena_printf(m->arena, " The last group is not full: %d tiles share a vec there.", kernel_packs(m, op)) : "");
    }
    if (op->kind == OP_conv_pool)
        return "One channel: the convolution does little work for what it would write, so relu and the 2x2 pool are taken in, the map between them "
               "never exists, and both gradients start from the pool's winners, a quarter of the positions.";
    if (op->kind == OP_augment)
        return "Beside the load and in the form of the file, example by example, on the thread that takes the group. What chance decides follows from seed, epoch and "
               "the example's number, so it is the same for any batch, any threads, and after a stop. Outside of training the examples are copied as they are.";
    if (m->lanes == 1)
        return "The plain form works on one example at a time, by textbook loops.";
    if (op->openblas)
        return "The model says `gemm: openblas`: one product for all groups (and, outside of a loop, all steps) at once, examples side by side, its "
               "rows shared out over the threads in pieces that follow from its sizes; each calls OpenBLAS, on one thread. The order of "
               "sums is OpenBLAS's, so bits may change with its version and with the processor. Without the attribute the kernel is our own.";
    if (op->kind == OP_dense)
        return "One product for all groups (and, outside of a loop, all steps) at once, shared out over the threads inside: the weights are read once "
               "for the whole batch instead of once a group. Inputs are summed in order.";
    if (OP_INFO(op)->whole_batch)
        return "Called once for the whole batch; its work is shared out over the threads inside.";
    return "Sixteen examples side by side in the lanes of a vector; each group on one thread, together with its neighbours in the phase, "
           "while its values are still in the cache.";
}

/* ---- dense layers ------------------------------------------------------------------------------------------ */

/* A dense layer that says `gemm: openblas`, and its gradients: each gets room for its operands and results with the examples side by side. */
static void openblas(Model *m, List *sections)
{
    for (int i = 0; i < sections->count; i++) {
        Section *s = sections->items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *op = s->ops.items[k], *forward = op->of ? op->of : op;
            const char *gemm = op->kind == OP_dense ? op_word(forward, "gemm") : NULL;
            if (!gemm || strcmp(gemm, "openblas") != 0)
                continue;
            op->openblas = true;
            int64_t reals = (shape_count(&forward->reads[0].tensor->shape) + op_int(forward, "units")) * m->lanes;
            if (op->pass == WEIGHTS) {
                op->writes[0].tensor->reals = reals;
                continue;
            }
            Tensor *work = raw(m, arena_printf(m->arena, "%s_%s", op->name, op->pass == FORWARD ? "columns" : "d_columns"), op,
                               s->kind == AFTER ? s->repeat : NULL, reals);
            work->work = true;
            op_write(op, work, 0);
            if (op->pass == FORWARD)
                remark(m, op->loc, "%s by OpenBLAS, as the model says", op->name);
        }
    }
}

/* `gemm: lanes` and `over: elements` are the defaults written out: they are removed, so that they have no part in the hash. */
static void forget_usual(Model *m)
{
    static const char *const usual[][2] = { { "gemm", "lanes" }, { "over", "elements" } };
    for (int i = 0; i < m->ops.count; i++) {
        Op *op = m->ops.items[i];
        for (int k = 0; k < op->attr_count; k++)
            for (size_t u = 0; u < sizeof usual / sizeof *usual; u++)
                if (op->attrs[k].word && !strcmp(op->attrs[k].spec->name, usual[u][0]) && !strcmp(op->attrs[k].word, usual[u][1]))
                    op->attrs[k].word = NULL;
    }
}

bool kernels_choose(Model *m)
{
    forget_usual(m);
    if (m->lanes == 1)
        return true;
    openblas(m, &m->forward);
    openblas(m, &m->backward);
    Section *first = m->forward.items[0];
    if (first->kind != ONCE)
        unreachable("a flow begins by loading its inputs");
    List prepares = { 0 };
    for (int i = 0; i < m->forward.count; i++) {
        Section *s = m->forward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *op = s->ops.items[k];
            if (op->kind != OP_conv || op->pass != FORWARD || misfit(m, op))
                continue;
            const Shape *x = &op->reads[0].tensor->shape, *y = &op->writes[0].tensor->shape;
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
            remark(m, op->loc, "%s by Winograd's algorithm: %.2f of the multiplications", op->name, share(op));
        }
    }
    for (int i = 0; i < prepares.count; i++)            /* before all other operators */
        list_insert(m->arena, &first->ops, i, prepares.items[i]);
    return true;
}

/* ---- layouts of tensors: bit-neutral --------------------------------------------------------------------- */

/* The tensor with the bytes of the input that `load` reads; the first call adds the operator that loads it. */
static Tensor *bytes_of(Model *m, Op *load)
{
    if (load->read_count)                               /* augmented: they are there */
        return load->reads[0].tensor;
    for (int i = 0; i < m->forward.count; i++) {
        Section *s = m->forward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *op = s->ops.items[k];
            if (op->kind == OP_load_bytes && op->index == load->index)
                return op->writes[0].tensor;
            if (op != load)
                continue;
            Tensor *x = load->writes[0].tensor, *t = tensor_new(m, arena_printf(m->arena, "%s_bytes", x->name), load->loc, NULL);
            t->shape = x->shape;
            t->space = BYTES;
            Op *bytes = op_new(m, OP_load_bytes, FORWARD, identifier_unique(m, arena_printf(m->arena, "load_%s", t->name)), load->loc);
            bytes->index = load->index;
            op_write(bytes, t, 0);
            list_insert(m->arena, &s->ops, k, bytes);
            return t;
        }
    }
    unreachable("a load is in the forward pass");
}

/* A sampler reads an input of bytes in the layout of the file: the pixels that one example's points fall on then lie near each other. */
static void read_bytes(Model *m)
{
    for (int i = 0; i < m->forward.count; i++) {
        Section *s = m->forward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *op = s->ops.items[k], *load = op->read_count ? op->reads[0].tensor->op : NULL;
            if (op->kind == OP_spn && load && load->kind == OP_load && m->inputs[load->index].type == 0) {
                op->reads[0].tensor = bytes_of(m, load);
                remark(m, op->loc, "%s reads the bytes of %s", op->name, m->inputs[load->index].name);
            }
        }
    }
}

/* The sampler's forward pass keeps its slopes, so that the gradient to the transform need not gather the pixels once more. */
static void keep_slopes(Model *m)
{
    for (int i = 0; i < m->backward.count; i++) {
        Section *s = m->backward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *b = s->ops.items[k], *op = b->of;
            if (b->kind != OP_spn || !op->grads[1])
                continue;
            const Tensor *y = op->writes[0].tensor;
            Tensor *slopes = tensor_new(m, arena_printf(m->arena, "%s_slopes", op->name), op->loc, y->repeat);
            slopes->shape = (Shape){ 4, { 2, y->shape.dim[0], y->shape.dim[1], y->shape.dim[2] } };
            op_write(op, slopes, 0);
            op->keeps = true;
            b->read_count = 1;                          /* dy stays; the transform says where the image's gradient goes */
            op_read(b, slopes, 0);
            if (op->grads[0])
                op_read(b, op->reads[1].tensor, op->reads[1].shift);
            remark(m, op->loc, "%s keeps its slopes for the gradient of the transform", op->name);
        }
    }
}

/* Deferred weight gradients of Winograd convolutions with few tiles: the operands of all groups are stored, not a sum for each. */
static void gather_terms(Model *m)
{
    for (int i = 0; i < m->backward.count; i++) {
        Section *s = m->backward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *op = s->ops.items[k], *weights = op->of, *conv = weights ? weights->of : NULL;
            if (op->pass != FOLD || op->reads[0].tensor->space != RAW)
                continue;
            const Shape *x = &conv->reads[0].tensor->shape, *y = &conv->writes[0].tensor->shape;
            Tensor *terms = op->reads[0].tensor;
            if (!winograd_gathers(x->dim[0], y->dim[0], y->dim[1], y->dim[2], (int64_t)m->groups * (terms->repeat ? terms->repeat->steps : 1)))
                continue;
            Tensor *sum = raw(m, arena_printf(m->arena, "d_%s_u", conv->name), op, NULL, terms->reals);
            sum->shared = true;
            for (int j = k; j < s->ops.count; j++) {
                Op *finish = s->ops.items[j];
                if (finish->pass == FINISH && finish->reads[0].tensor == terms)
                    finish->reads[0].tensor = sum;
            }
            terms->name = identifier_unique(m, arena_printf(m->arena, "%s_terms", conv->name));
            terms->reals = winograd_terms_reals(x->dim[0], y->dim[0], y->dim[1], y->dim[2]);
            weights->gathers = true;
            op->kind = OP_conv, op->pass = PRODUCTS, op->of = conv, op->name = conv->name, op->winograd = true, op->weight_count = 0;
            op_write(op, sum, 0);
            remark(m, conv->loc, "%s leaves the terms of its weights' gradient, which the whole batch is multiplied from", conv->name);
        }
    }
}

/* The gradient of a dense layer's weights: WEIGHTS turns dy into rows, PRODUCTS multiplies; plan.c may move it to where threads would
 * wait. */
static void part_products(Model *m)
{
    for (int i = 0; i < m->backward.count; i++) {
        Section *s = m->backward.items[i];
        for (int k = 0; k < s->ops.count; k++) {
            Op *op = s->ops.items[k];
            if (op->kind != OP_dense || op->pass != WEIGHTS || op->openblas)
                continue;
            Op *products = op_new(m, OP_dense, PRODUCTS, op->name, op->loc);
            products->of = op->of;
            products->family = op->family;
            products->accumulate = op->accumulate;
            for (int w = 0; w < op->weight_count; w++)
                products->weights[products->weight_count++] = op->weights[w];
            op->weight_count = 0;
            op->gathers = true;
            op->writes[0].tensor->work = false;
            op_read(products, op->writes[0].tensor, 0);
            op_read(products, op->reads[1].tensor, op->reads[1].shift);
            op->read_count = 1;
            list_insert(m->arena, &s->ops, ++k, products);
        }
    }
}

void layouts_choose(Model *m)
{
    if (m->lanes == 1)
        return;
    gather_terms(m);
    part_products(m);
    read_bytes(m);
    keep_slopes(m);
}
