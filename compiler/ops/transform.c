/* transform.c -- the six numbers of an affine transform from the few of a restricted one, for the sampler behind it.
 *
 *   scale (sx, tx, sy, ty)         A = sx 0 tx; 0 sy ty
 *   attention (s, tx, ty)          A = s 0 tx; 0 s ty
 *   translation (tx, ty)           A = 1 0 tx; 0 1 ty
 *   similarity (s, a, tx, ty)      A = s cos a, -s sin a, tx; s sin a, s cos a, ty     a in radians
 * make.c puts one before an spn whose `transform` is not affine.  The gradient of a number is the sum over the elements that it makes, in order. */
#include "spnc.h"
#include <string.h>

/* from[k]: the number that element k of A is, or FIXED_0, FIXED_1.  identity: bit i is set where number i of the identity is 1. */
enum { FIXED_0 = -1, FIXED_1 = -2 };
static const struct {
    const char *name;
    int numbers, from[6];
    unsigned identity;
} transforms[] = {
    { "affine", 6, { 0, 1, 2, 3, 4, 5 }, 0x11 },
    { "scale", 4, { 0, FIXED_0, 1, FIXED_0, 2, 3 }, 0x5 },
    { "attention", 3, { 0, FIXED_0, 1, FIXED_0, 0, 2 }, 0x1 },
    { "translation", 2, { FIXED_1, FIXED_0, 0, FIXED_0, FIXED_1, 1 }, 0 },
    { "similarity", 4, { 0, 0, 2, 0, 0, 3 }, 0x1 },
};

static int row_of(const Op *op)
{
    const char *name = op_attr(op, "transform")->given ? op_word(op, "transform") : "affine";
    for (int i = 0; i < (int)(sizeof transforms / sizeof *transforms); i++)
        if (strcmp(transforms[i].name, name) == 0)
            return i;
    unreachable("a transform without a row");
}

int transform_numbers(const Op *op) { return transforms[row_of(op)].numbers; }
unsigned transform_identity(const Op *op) { return transforms[row_of(op)].identity; }

/* The tensor whose numbers t is: t itself, a view, a second name. */
static const Tensor *named_first(const Tensor *t)
{
    while (t->op && (t->op->kind == OP_copy || t->view_of) && !t->op->reads[0].shift)
        t = t->op->reads[0].tensor;
    return t;
}

const Op *transform_reader(const Model *m, const Tensor *t, const Op *after)
{
    for (int i = after ? list_index(&m->ops, after) + 1 : 0; i < m->ops.count; i++) {
        const Op *op = m->ops.items[i];
        const int k = op->kind == OP_spn ? 1 : op->kind == OP_transform ? 0 : -1;
        if (k >= 0 && named_first(op->reads[k].tensor) == named_first(t))
            return op;
    }
    return NULL;
}

static bool infer(Model *m, Op *op)
{
    const Shape *p = &op->reads[0].tensor->shape;
    if (shape_count(p) != transform_numbers(op))
        return shape_refuse(m, op, "the transform '%s' of spn has %d numbers, not %s", op_word(op, "transform"), transform_numbers(op), shape_text(m->arena, p));
    op->writes[0].tensor->shape = (Shape){ 1, { 6 } };
    return true;
}

static void grad(Model *m, Op *op, Use dy)
{
    Op *b = grad_backward(m, op, dy);
    if (b && !strcmp(op_word(op, "transform"), "similarity"))
        op_read(b, op->reads[0].tensor, op->reads[0].shift);
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    const int row = row_of(forward_of(op));
    Fact *elements = fact_table(m->arena), *places = fact_table(m->arena);
    for (int k = 0; k < 6; k++) {
        const int i = transforms[row].from[k];
        fact_push_text(elements, i == FIXED_0 ? "0" : i == FIXED_1 ? "1" : arena_printf(m->arena, "p%d", i));
    }
    for (int i = 0; i < transforms[row].numbers; i++) {            /* the elements that number i makes */
        Fact *list = fact_table(m->arena);
        for (int k = 0; k < 6; k++)
            if (transforms[row].from[k] == i)
                fact_push_text(list, arena_printf(m->arena, "%d", k));
        fact_push(places, list);
    }
    fact_int(f, "count", transforms[row].numbers);
    fact_bool(f, "turns", !strcmp(transforms[row].name, "similarity"));
    fact_set(f, "elements", elements);
    fact_set(f, "places", places);
}

static const AttrSpec none[] = { { 0 } };
const OpInfo op_transform = { "transform", "A = the affine transform of a restricted one's numbers", 1, 1, NULL, false, none, infer, grad, facts, NULL, false, "f:f", NULL };
