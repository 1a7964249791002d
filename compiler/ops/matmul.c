/* matmul.c -- the product of matrices, or of a matrix and a vector; of each example, and of each index of the axes before the last two.
 *
 *   y[i,j] = sum over k of a[i,k] b[k,j];  da = dy b';  db = a' dy; of an operand that is stretched, summed over the indices that it is stretched to
 * A vector counts as a row on the left and as a column on the right, and its axis disappears, as in PyTorch.  Sums are chains of multiply-adds, k (or j, i) in
 * order.  Where one operand is a parameter, a matrix, and the other's last axis is summed over, the operator becomes a dense layer of that weight, with its
 * kernels and its order of sums; any other parameter is multiplied as a value of each example. */
#include "graph/attr.h"
#include "read/language.h"
#include <string.h>

static const AttrSpec attrs[] = {
    { "transpose_a", ATTR_BOOL, "false", 0, 1, NULL, "whether the last two axes of the first matrix change places before" },
    { "transpose_b", ATTR_BOOL, "false", 0, 1, NULL, "likewise of the second" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "the result's name" },
    { 0 },
};

/* An operand: rows and columns as they are multiplied, their strides in elements, and the axes before them aligned at the right. */
typedef struct { int64_t rows, columns, row, column, lead[RANK_MAX], stride[RANK_MAX]; } Factor;
typedef struct { Factor a, b; int leads; int64_t lead[RANK_MAX], I, J, K; } Product;

static Factor factor_of(const Shape *s, bool column, bool transposed)
{
    Factor f = { .rows = 1, .columns = 1 };
    const int64_t last = s->dim[s->rank - 1];
    if (s->rank == 1) {
        *(column ? &f.rows : &f.columns) = last;
        f.row = f.column = 1;
        return f;
    }
    f.rows = s->dim[s->rank - 2], f.columns = last;
    f.row = last, f.column = 1;
    if (transposed)
        f = (Factor){ .rows = f.columns, .columns = f.rows, .row = 1, .column = last };
    int64_t stride = shape_count(s);
    for (int i = 0; i < s->rank - 2; i++) {
        f.lead[RANK_MAX - (s->rank - 2) + i] = s->dim[i];
        stride /= s->dim[i];
        f.stride[RANK_MAX - (s->rank - 2) + i] = s->dim[i] == 1 ? 0 : stride;
    }
    return f;
}

/* False if the axes before the last two do not fit. */
static bool product_of(const Op *op, Product *p)
{
    const Shape *a = &op->reads[0].tensor->shape, *b = &op->reads[1].tensor->shape;
    *p = (Product){ .a = factor_of(a, false, op_int(op, "transpose_a")), .b = factor_of(b, true, op_int(op, "transpose_b")) };
    p->leads = (a->rank > b->rank ? a->rank : b->rank) - 2;
    p->leads = p->leads > 0 ? p->leads : 0;
    p->I = p->a.rows, p->K = p->a.columns, p->J = p->b.columns;
    for (int i = 0; i < RANK_MAX; i++) {
        const int64_t x = p->a.lead[i], y = p->b.lead[i];
        if (x > 1 && y > 1 && x != y)
            return false;
        p->lead[i] = x > y ? x : y;
    }
    return true;
}

/* The operand as a matrix that is a parameter and lies as that of a dense layer; NULL: it is something else. */
static Weight *matrix_of(const Model *m, const Tensor *t)
{
    Weight *w = t->op && t->op->kind == OP_broadcast ? t->op->weights[0] : NULL;
    return w && w->shape.rank == 2 && !t->carried && (w->layout == W_IN_OUT || m->options.plain) ? w : NULL;
}

/* Makes op a dense layer of the weight w, or of its transpose, with the operand `x` as input. */
static bool become_dense(Model *m, Op *op, Weight *w, int x, bool transposed)
{
    Op parsed = { .kind = OP_dense };
    Yaml units = { .kind = YAML_SCALAR, .loc = op->loc, .text = arena_printf(m->arena, "%lld", (long long)w->shape.dim[0]) };
    Shape y = op->writes[0].tensor->shape;
    attr_parse(m, &parsed, &units, NULL, op->loc);
    for (int i = 0; i < parsed.attr_count; i++) {
        if (!strcmp(parsed.attrs[i].spec->name, "bias"))
            parsed.attrs[i].number[0] = 0;
        if (!strcmp(parsed.attrs[i].spec->name, "over"))
            parsed.attrs[i].word = "last";
    }
    memcpy(op->attrs, parsed.attrs, sizeof op->attrs);
    op->attr_count = parsed.attr_count;
    op->kind = OP_dense;
    op->dense.transposed = transposed;
    op->weights[op->weight_count++] = w;
    op->reads[0] = op->reads[x];
    op->read_count = 1;
    op->writes[0].tensor->shape = y;
    remark(m, op->loc, "%s is a dense layer with the weight %s%s", op->name, w->name, transposed ? ", transposed" : "");
    return true;
}

/* True if op has become a dense layer. */
static bool is_dense(Model *m, Op *op)
{
    const Tensor *a = op->reads[0].tensor, *b = op->reads[1].tensor;
    const bool ta = op_int(op, "transpose_a"), tb = op_int(op, "transpose_b");
    Weight *left = matrix_of(m, a), *right = matrix_of(m, b);
    if (right && !ta)
        return become_dense(m, op, right, 0, !tb);
    return left && b->shape.rank == 1 && become_dense(m, op, left, 1, ta);
}

static bool infer(Model *m, Op *op)
{
    const Shape *a = &op->reads[0].tensor->shape, *b = &op->reads[1].tensor->shape;
    Product p;
    if (!a->rank || !b->rank)
        return shape_refuse(m, op, "matmul takes vectors and matrices; these are %s and %s: a * b multiplies by a single number", shape_text(m->arena, a), shape_text(m->arena, b));
    if ((a->rank == 1 && op_int(op, "transpose_a")) || (b->rank == 1 && op_int(op, "transpose_b")))
        return shape_refuse(m, op, "%s is a vector, %s: there is nothing to transpose", a->rank == 1 && op_int(op, "transpose_a") ? "the first operand" : "the second operand",
                            shape_text(m->arena, a->rank == 1 && op_int(op, "transpose_a") ? a : b));
    if (!product_of(op, &p))
        return shape_refuse(m, op, "the axes before the last two do not fit: %s and %s", shape_text(m->arena, a), shape_text(m->arena, b));
    if (p.a.columns != p.b.rows) {
        const bool turned = p.a.columns == p.b.columns && b->rank > 1;
        return shape_refuse(m, op, "%lld columns of the first operand, %s%s, meet %lld rows of the second, %s%s%s", (long long)p.a.columns, shape_text(m->arena, a),
                            op_int(op, "transpose_a") ? " transposed" : "", (long long)p.b.rows, shape_text(m->arena, b), op_int(op, "transpose_b") ? " transposed" : "",
                            turned ? op_int(op, "transpose_b") ? "; it fits without transpose_b" : "; with transpose_b: true it fits" : "");
    }
    Shape y = { .rank = p.leads };
    for (int i = 0; i < p.leads; i++)
        y.dim[i] = p.lead[RANK_MAX - p.leads + i];
    if (a->rank > 1)
        y.dim[y.rank++] = p.I;
    if (b->rank > 1)
        y.dim[y.rank++] = p.J;
    op->writes[0].tensor->shape = y;
    is_dense(m, op);
    return true;
}

static void grad(Model *m, Op *op, Use dy)
{
    Op *b = grad_backward(m, op, dy);
    if (!b)
        return;
    if (op->grad.inputs[1])
        op_read(b, op->reads[0].tensor, op->reads[0].shift);
    if (op->grad.inputs[0])
        op_read(b, op->reads[1].tensor, op->reads[1].shift);
}

void matmul_sizes(const Op *op, int sizes[3][2])
{
    Product p;
    product_of(op, &p);
    const int I = (int)p.I, J = (int)p.J, K = (int)p.K, all[3][2] = { { I, J }, { I, K }, { K, J } };
    memcpy(sizes, all, sizeof all);
}

/* ---- facts ------------------------------------------------------------------------------------------------ */

/* "i * 12": C of a loop's variable times a stride. */
static const char *times(const Model *m, const char *variable, int64_t stride)
{
    return stride == 1 ? variable : arena_printf(m->arena, "%s * %lld", variable, (long long)stride);
}

/* One of the three products, of `size` elements in all: z[rows, columns] = sum of u[rows, terms] v[terms, columns], by strides; z is added to where it is stretched. */
static Fact *product_fact(const Model *m, const Product *p, int64_t rows, int64_t columns, int64_t terms, int64_t size, const Factor *z, const Factor *u, bool turn_u, const Factor *v, bool turn_v)
{
    static const char *const loops[] = { "g", "h", "m", "n" };
    Arena *a = m->arena;
    Fact *f = fact_table(a), *leads = fact_table(a);
    const Factor *const all[3] = { z, u, v };
    Text at[3] = { { .arena = a }, { .arena = a }, { .arena = a } };
    const int64_t u_row = turn_u ? u->column : u->row, u_term = turn_u ? u->row : u->column, v_term = turn_v ? v->column : v->row, v_column = turn_v ? v->row : v->column;
    bool added = false;
    int count = 0;
    for (int i = RANK_MAX - p->leads; i < RANK_MAX; i++) {
        if (p->lead[i] == 1)
            continue;
        for (int k = 0; k < 3; k++)
            if (all[k]->stride[i])
                text_printf(&at[k], " + %s * %lld", loops[count], (long long)all[k]->stride[i] * m->lanes);
        added = added || z->stride[i] == 0;
        Fact *l = fact_table(a);
        fact_text(l, "name", loops[count++]);
        fact_int(l, "n", p->lead[i]);
        fact_push(leads, l);
    }
    fact_set(f, "leads", leads);
    fact_text(f, "p_at", at[0].text ? at[0].text : ""), fact_text(f, "left_at", at[1].text ? at[1].text : ""), fact_text(f, "right_at", at[2].text ? at[2].text : "");
    fact_sizes(f, (const char *const[]){ "ROWS", "COLUMNS", "TERMS" }, (const int64_t[]){ rows, columns, terms }, 3);
    fact_int(f, "rows", rows), fact_int(f, "columns", columns), fact_int(f, "terms", terms);
    fact_int(f, "p_row", z->row * m->lanes), fact_int(f, "p_column", z->column * m->lanes);
    fact_int(f, "left_row", u_row * m->lanes), fact_int(f, "right_column", v_column * m->lanes);
    fact_text(f, "left_term", times(m, m->lanes > 1 ? "L" : "k", u_term)), fact_text(f, "right_term", times(m, m->lanes > 1 ? "L" : "k", v_term));
    fact_text(f, "p_element", arena_printf(a, "%s + %s", times(m, "i", z->row), times(m, "j", z->column)));
    fact_text(f, "left_element", times(m, "i", u_row)), fact_text(f, "right_element", times(m, "j", v_column));
    fact_bool(f, "added", added);
    fact_int(f, "size", size);
    return f;
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    const Op *fwd = forward_of(op);
    Product p;
    product_of(fwd, &p);
    Factor y = { .row = p.J, .column = 1 };
    int64_t stride = p.I * p.J;
    for (int i = RANK_MAX - 1; i >= RANK_MAX - p.leads; i--) {
        y.stride[i] = p.lead[i] == 1 ? 0 : stride;
        stride *= p.lead[i];
    }
    fact_set(f, "product", product_fact(m, &p, p.I, p.J, p.K, shape_count(&fwd->writes[0].tensor->shape), &y, &p.a, false, &p.b, false));
    fact_set(f, "product_a", product_fact(m, &p, p.I, p.K, p.J, shape_count(&fwd->reads[0].tensor->shape), &p.a, &y, false, &p.b, true));
    fact_set(f, "product_b", product_fact(m, &p, p.K, p.J, p.I, shape_count(&fwd->reads[1].tensor->shape), &p.b, &p.a, true, &y, false));
    fact_bool(f, "da", fwd->grad.inputs[0]);
    fact_bool(f, "db", fwd->grad.inputs[1]);
}

static double macs(const Op *op)
{
    Product p;
    product_of(op, &p);
    double n = (double)p.I * (double)p.J * (double)p.K;
    for (int i = RANK_MAX - p.leads; i < RANK_MAX; i++)
        n *= (double)p.lead[i];
    return n;
}

static const OpHelp help_matmul = {
    "The product of two matrices, or of a matrix and a vector; either may be a parameter.",
    "[.., n, k] x [.., k, m] -> [.., n, m], the axes before stretched as a formula's; [k] x [k, m] -> [m], [n, k] x [k] -> [n]; NAME.weight of an entry is a matrix too",
    "inputs: { x: { shape: [2, 6, 4] } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - q: { dense: x, units: 4, over: last }\n"
    "  - near: { softmax: { matmul: [q, x], transpose_b: true } }\n"
    "  - mixed: { matmul: [near, x] }\n"
    "  - v: { dense: mixed, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

const OpInfo op_matmul = { "matmul", "y[i,j] = sum over k of a[i,k] b[k,j]", 2, 2, NULL, false, attrs, infer, grad, facts, macs, false, "f:f", &help_matmul };
