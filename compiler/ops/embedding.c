/* embedding.c -- a row of a table for each whole number.
 *
 *   y[.., u] = W[x[..]][u];  dW[c] = sum of dy where x = c: slices in order, in each its positions in order, in each the examples in order
 * The table is the operator's own parameter, or one that another entry has: { embedding: [tokens, table] }.  In the fast form it lies as a dense layer's weight
 * does, [units][stride], so that a product with it (matmul.c) reads it too; all groups' gradients are added at once, each thread adding to units of its own. */
#include "graph/attr.h"
#include "read/language.h"
#include <string.h>

static const AttrSpec attrs[] = {
    { "units", ATTR_INT, "", 1, 1 << 20, NULL, "numbers of a row; those of the table, if it is given" },
    { "init", ATTR_INIT, "", 0, 0, NULL, "initialiser of the table; { normal: 1 } unless given" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the layer's name" },
    { 0 },
};

/* The table of its own: [classes][units]. */
static bool own_table(Model *m, Op *op, int64_t classes)
{
    static const AttrSpec spec = { "init", ATTR_INIT, "", 0, 0, NULL, "initialiser" };
    Attr normal = { .spec = &spec, .loc = op->loc, .word = "normal", .count = 1, .number = { 1 } };
    const Attr *given = op_attr(op, "init");
    if (!op_attr(op, "units")->given)
        return shape_refuse(m, op, "give 'units', the numbers of a row, or a table, a parameter: [tokens, table]");
    Weight *w = weight_start(m, op, "weight", (Shape){ 2, { classes, op_int(op, "units") } }, W_IN_OUT, given->given ? given : &normal, false);
    if (w)
        w->kind = W_PRODUCT;
    return w != NULL;
}

/* The table that is its second operand, which it reads as the parameter that it is. */
static bool given_table(Model *m, Op *op, int64_t classes)
{
    const Tensor *t = op->reads[1].tensor;
    Weight *w = t->op && t->op->kind == OP_broadcast && !t->carried ? t->op->weights[0] : NULL;
    if (!w || w->shape.rank != 2)
        return shape_refuse(m, op, "the table is a parameter of [classes, units]: { parameter: [%lld, 8] }, or NAME.weight", (long long)classes);
    if (w->shape.dim[0] != classes)
        return shape_refuse(m, op, "'%s' has %lld classes, the table %s has %lld rows", op->reads[0].tensor->op && op->reads[0].tensor->op->kind == OP_load ? op->reads[0].tensor->op->data->name : op->reads[0].tensor->name,
                            (long long)classes, w->name, (long long)w->shape.dim[0]);
    if (op_attr(op, "units")->given || op_attr(op, "init")->given)
        return shape_refuse(m, op, "with a table given, its parameter has units and init");
    op->weights[op->weight_count++] = w;
    op->read_count = 1;
    return true;
}

/* The target whose labels t has been made of, if a loss ignores one of them that is no class: the table has no row for it. */
static const DataDef *rowless(const Tensor *t)
{
    const Op *op = t->op;
    if (!op || t->carried)
        return NULL;
    if (op->kind == OP_load)
        return op->data->ignores && (op->data->ignored < 0 || op->data->ignored >= op->data->classes) ? op->data : NULL;
    for (int i = 0; i < op->read_count; i++) {
        const DataDef *d = op->reads[i].tensor->classes ? rowless(op->reads[i].tensor) : NULL;
        if (d)
            return d;
    }
    return NULL;
}

static bool infer(Model *m, Op *op)
{
    const Tensor *x = op->reads[0].tensor;
    const DataDef *d = rowless(x);
    if (d)
        return shape_refuse(m, op, "a loss ignores the label %d of '%s', for which a table has no row: use another label in 'ignore', one of the classes", d->ignored, d->name);
    Shape y = x->shape;
    if (y.rank == RANK_MAX)
        return shape_refuse(m, op, "embedding of %s would have more than %d axes", shape_text(m->arena, &y), RANK_MAX);
    if (!(op->read_count > 1 ? given_table : own_table)(m, op, x->classes))
        return false;
    y.dim[y.rank++] = op->weights[0]->shape.dim[1];
    op->writes[0].tensor->shape = y;
    return true;
}

static void grad(Model *m, Op *op, Use dy)
{
    Op *w = grad_weights(m, op, dy);
    if (w)
        op_read(w, op->reads[0].tensor, op->reads[0].shift);
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    (void)m;
    const Op *fwd = forward_of(op);
    const Weight *w = fwd->weights[0];
    fact_int(f, "K", w->shape.dim[0]);
    fact_int(f, "U", w->shape.dim[1]);
    fact_int(f, "P", shape_count(&fwd->reads[0].tensor->shape));
    fact_sizes(f, (const char *const[]){ "P", "U" }, (const int64_t[]){ shape_count(&fwd->reads[0].tensor->shape), w->shape.dim[1] }, 2);
    fact_int(f, "stride", w->layout == W_IN_OUT ? w->stride : w->shape.dim[1]);
    fact_int(f, "rows", w->shape.dim[w->layout == W_IN_OUT]);
    fact_bool(f, "by_units", w->layout == W_IN_OUT);
}

static const OpHelp help_embedding = {
    "A row of a trained table for each whole number.",
    "labels, or whole numbers (dtype: i32) [..] -> [.., units]; weight [classes][units]; [tokens, table] reads a parameter",
    "inputs: { words: { shape: [6], dtype: i32, classes: 50 } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - e: { embedding: words, units: 8 }\n"
    "  - m: { mean: e, axes: 0 }\n"
    "  - v: { dense: m, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_embedding = { "embedding", "y[u] = W[x][u]", 1, 2, "units", false, attrs, infer, grad, facts, NULL, false, "f:f", &help_embedding };
