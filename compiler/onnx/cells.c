/* cells.c -- a step of a gru or lstm as ONNX's operator of that name, for a sequence of one.
 *
 * ONNX's cells compute what PyTorch's do (a GRU with linear_before_reset), but their weights have other rows: z, r, n for r, z, n; i, o, f, g for
 * i, f, g, o.  They are reordered once, by nodes on the parameters, which a runtime computes when it loads the file. */
#include "onnx/operators.h"

/* The parts of the weight's rows in another order, in front of it an axis of one direction. */
static const char *reordered(Onnx *o, const Weight *w, const char *suffix, int parts, const int *order)
{
    const char *name = onnx_text(o, "/%s:%s", w->name, suffix), *pieces = "", *joined = "";
    if (!onnx_first(o, name))
        return name;
    for (int i = 0; i < parts; i++) {
        pieces = onnx_text(o, "%s%s%s:%d", pieces, i ? " " : "", name, i);
        joined = onnx_text(o, "%s%s%s:%d", joined, i ? " " : "", name, order[i]);
    }
    onnx_node(o, "Split", pieces, w->name, onnx_text(o, "axis=0 num_outputs=%d", parts));
    return onnx_node(o, "Unsqueeze", name, onnx_text(o, "%s int[0]", onnx_node(o, "Concat", NULL, joined, "axis=0")), "");
}

/* Both biases side by side, 0 where there is none; [1, 2 * rows]. */
static const char *biases(Onnx *o, const Op *const products[2], const char *suffix, int parts, const int *order)
{
    const char *b[2];
    const int64_t rows = products[0]->weights[0]->shape.dim[0];
    for (int k = 0; k < 2; k++) {
        b[k] = products[k]->weight_count > 1 ? reordered(o, products[k]->weights[1], suffix, parts, order)
                                             : onnx_text(o, "//nothing1x%lld", (long long)rows);
        if (products[k]->weight_count < 2 && onnx_first(o, b[k]))
            onnx_constant(o, b[k], &(Shape){ 2, { 1, rows } }, (const double[]){ 0 }, 1);
    }
    const char *name = onnx_text(o, "/%s:biases", products[0]->weights[0]->name);
    return onnx_first(o, name) ? onnx_node(o, "Concat", name, onnx_text(o, "%s %s", b[0], b[1]), "axis=1") : name;
}

/* "X W R B": the operands that both cells have; x is the input of the cell. */
static const char *operands(Onnx *o, const Op *gates, const char *x, const char *suffix, int parts, const int *order)
{
    const Op *products[2] = { gates->reads[0].tensor->op, gates->reads[1].tensor->op };
    const Shape *s = &products[0]->reads[0].tensor->shape;
    const char *row = s->rank == 1 ? x : onnx_reshape(o, x, &(Shape){ 1, { shape_count(s) } }, NULL);
    return onnx_text(o, "%s %s %s %s", onnx_node(o, "Unsqueeze", NULL, onnx_text(o, "%s int[0]", row), ""),
                     reordered(o, products[0]->weights[0], suffix, parts, order),
                     reordered(o, products[1]->weights[0], suffix, parts, order), biases(o, products, suffix, parts, order));
}

static const char *in_front(Onnx *o, const char *state) { return onnx_node(o, "Unsqueeze", NULL, onnx_text(o, "%s int[0]", state), ""); }
static void without_front(Onnx *o, const char *state, const char *out) { onnx_node(o, "Squeeze", out, onnx_text(o, "%s int[0]", state), ""); }

void onnx_gru(Onnx *o, const Op *gates, const char *const *x, const char *out)
{
    static const int order[] = { 1, 0, 2 };
    const char *after = onnx_text(o, "%s:gru", out), *in = operands(o, gates, x[0], "zrn", 3, order);
    onnx_node(o, "GRU", onnx_text(o, "- %s", after), onnx_text(o, "%s - %s", in, in_front(o, x[1])),
              onnx_text(o, "hidden_size=%lld linear_before_reset=1", (long long)gates->writes[0].tensor->shape.dim[0]));
    without_front(o, after, out);
}

void onnx_lstm(Onnx *o, const Op *gates, const char *const *x, const char *out, const char *out_c)
{
    static const int order[] = { 0, 3, 1, 2 };
    const char *after = onnx_text(o, "%s:lstm", out), *after_c = onnx_text(o, "%s:lstm", out_c), *in = operands(o, gates, x[0], "iofg", 4, order);
    const char *h = in_front(o, x[1]), *c = in_front(o, x[2]);
    onnx_node(o, "LSTM", onnx_text(o, "- %s %s", after, after_c), onnx_text(o, "%s - %s %s", in, h, c),
              onnx_text(o, "hidden_size=%lld", (long long)gates->writes[0].tensor->shape.dim[0]));
    without_front(o, after, out);
    without_front(o, after_c, out_c);
}
