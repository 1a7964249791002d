/* layout.c -- chooses the layout of some tensors, after the model hash is made: no bit changes.
 *
 * In: the graph with its kernels chosen.  Out: operators and operands changed in m->forward and m->backward.  Called by schedule.c.
 *   - a sampler's image as bytes of the file, instead of lanes;
 *   - slopes kept by a sampler's forward pass for its gradient;
 *   - the one row of a GRU's product with the state that its gradient reads, kept beside the gates instead of the whole product;
 *   - deferred weight gradients.  Where a Winograd convolution has few tiles, groups store the operands of their parts, and one product over the
 *     whole batch follows (PRODUCTS).  The weight gradient of a dense layer is always made this way. */
#include "lower/winograd.h"
#include "spnc.h"

/* The tensor with the bytes of the input that `load` reads; the first call adds the operator that loads it. */
static Tensor *bytes_of(Model *m, Op *load)
{
    if (load->read_count)                               /* augmented: they are there */
        return load->reads[0].tensor;
    for_each_op(w, &m->forward) {
        if (w.op->kind == OP_load_bytes && w.op->data == load->data)
            return w.op->writes[0].tensor;
        if (w.op != load)
            continue;
        Tensor *x = load->writes[0].tensor, *t = tensor_new(m, arena_printf(m->arena, "%s_bytes", x->name), load->loc, NULL);
        t->shape = x->shape;
        t->space = BYTES;
        Op *bytes = op_new(m, OP_load_bytes, FORWARD, identifier_unique(m, arena_printf(m->arena, "load_%s", t->name)), load->loc);
        bytes->data = load->data;
        op_write(bytes, t, 0);
        list_insert(m->arena, &w.section->ops, w.at, bytes);
        return t;
    }
    unreachable("a load is in the forward pass");
}

/* A sampler reads an input of bytes in the layout of the file: the pixels that one example's points fall on then lie near each other. */
static void read_bytes(Model *m)
{
    for_each_op(w, &m->forward) {
        Op *op = w.op, *load = op->read_count ? op->reads[0].tensor->op : NULL;
        if (op->kind != OP_spn || !load || load->kind != OP_load || load->data->type != 0)
            continue;
        op->reads[0].tensor = bytes_of(m, load);
        remark(m, op->loc, "%s reads the bytes of %s", op->name, load->data->name);
    }
}

/* The sampler's forward pass keeps its slopes, so that the gradient to the transform need not gather the pixels once more. */
static void keep_slopes(Model *m)
{
    for_each_op(w, &m->backward) {
        Op *b = w.op, *op = b->of;
        if (b->kind != OP_spn || !op->grad.inputs[1])
            continue;
        const Tensor *y = op->writes[0].tensor;
        Tensor *slopes = tensor_new(m, arena_printf(m->arena, "%s_slopes", op->name), op->loc, y->repeat);
        slopes->shape = (Shape){ 4, { 2, y->shape.dim[0], y->shape.dim[1], y->shape.dim[2] } };
        op_write(op, slopes, 0);
        op->grad.keeps = true;
        b->read_count = 1;                          /* dy stays; the transform says where the image's gradient goes */
        op_read(b, slopes, 0);
        if (op->grad.inputs[0])
            op_read(b, op->reads[1].tensor, op->reads[1].shift);
        remark(m, op->loc, "%s keeps its slopes for the gradient of the transform", op->name);
    }
}

/* The gates of a GRU keep the state's product of the n gate as a row of their own, so that the product, three rows at each step, need not be kept. */
static void keep_product(Model *m)
{
    enum { PRODUCT = 1, KEPT = 1, ROWS = 4 };           /* forward: of its operands, of its results */
    for_each_op(w, &m->backward) {
        Op *b = w.op;
        if (b->kind != OP_gru_gates || b->pass != BACKWARD)
            continue;
        const Tensor *product = b->of->reads[PRODUCT].tensor;
        int n = 0;
        for (int i = 0; i < b->read_count; i++)
            if (b->reads[i].tensor != product)
                b->reads[n++] = b->reads[i];
        b->read_count = n;
        b->of->writes[KEPT].tensor->shape.dim[0] = ROWS;
    }
}

/* Deferred weight gradients of Winograd convolutions with few tiles: the operands of all groups are stored, not a sum for each. */
static void gather_terms(Model *m)
{
    for_each_op(w, &m->backward) {
        Op *op = w.op, *weights = op->of, *conv = weights ? weights->of : NULL;
        if (op->pass != FOLD || op->reads[0].tensor->space != RAW)
            continue;
        const Shape *x = &conv->reads[0].tensor->shape, *y = &conv->writes[0].tensor->shape;
        Tensor *terms = op->reads[0].tensor;
        if (!winograd_gathers(x->dim[0], y->dim[0], y->dim[1], y->dim[2], (int64_t)m->groups * steps_all(terms->repeat)))
            continue;
        Tensor *sum = tensor_raw(m, arena_printf(m->arena, "d_%s_u", conv->name), op, NULL, terms->reals);
        sum->shared = true;
        for (int j = w.at; j < w.section->ops.count; j++) {
            Op *finish = w.section->ops.items[j];
            if (finish->pass == FINISH && finish->reads[0].tensor == terms)
                finish->reads[0].tensor = sum;
        }
        terms->name = identifier_unique(m, arena_printf(m->arena, "%s_terms", conv->name));
        terms->reals = winograd_of(x->dim[0], y->dim[0], y->dim[1], y->dim[2]).terms_reals;
        weights->kernel.deferred = true;
        op->kind = OP_conv, op->pass = PRODUCTS, op->of = conv, op->name = conv->name, op->kernel.winograd = true, op->weight_count = 0;
        op_write(op, sum, 0);
        remark(m, conv->loc, "%s leaves the terms of its weights' gradient, which the whole batch is multiplied from", conv->name);
    }
}

/* The gradient of a dense layer's weights: WEIGHTS turns dy into rows, PRODUCTS multiplies; plan.c may move it to where threads would
 * wait. */
static void part_products(Model *m)
{
    for_each_op(w, &m->backward) {
        Op *op = w.op;
        if (op->kind != OP_dense || op->pass != WEIGHTS || op->kernel.openblas)
            continue;
        Op *products = op_new(m, OP_dense, PRODUCTS, op->name, op->loc);
        products->of = op->of;
        products->family = op->family;
        products->grad.accumulates = op->grad.accumulates;
        products->grad.adds_bias = op->grad.adds_bias;
        for (int i = 0; i < op->weight_count; i++)
            products->weights[products->weight_count++] = op->weights[i];
        op->weight_count = 0;
        op->kernel.deferred = true;
        op->writes[0].tensor->work = false;
        op_read(products, op->writes[0].tensor, 0);
        op_read(products, op->reads[1].tensor, op->reads[1].shift);
        op->read_count = 1;
        list_insert(m->arena, &w.section->ops, w.at + 1, products);
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
    keep_product(m);
}
