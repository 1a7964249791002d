/* joinable.c -- what keeps operators from being joined, or a tensor from being left out.
 *
 * In: the graph.  Used by join.c, stores.c and fuse.c, and by norms.c, share.c and again.c in plan/, which add conditions of their own. */
#include "lower/joinable.h"
#include "template/template.h"

bool has_view(const Model *m, const Tensor *t)
{
    for (int i = 0; i < m->tensors.count; i++)
        if (((Tensor *)m->tensors.items[i])->view_of == t)
            return true;
    return false;
}

int reads_in(const List *sections, const Tensor *t, const Op *a, const Op *b)
{
    int n = 0;
    for_each_op(w, sections)
        for (int r = 0; r < w.op->read_count; r++)
            n += w.op->reads[r].tensor == t && w.op != a && w.op != b;
    return n;
}

bool own_template(const Model *m, const Op *op)
{
    const bool formula = op_is_elementwise(op->kind) && template_replaced(m->arena, m->templates, "formula.c.in");
    return formula || template_replaced(m->arena, m->templates, arena_printf(m->arena, "%s.c.in", OP_INFO(op)->name));
}
