/* choice.c -- one choice of a schedule: the rule's own, or another of which the tuning file says that it was measured to be faster.
 *
 * In: an operator, and the choices by the cost model, best first.  Out: the one to take.  A question is noted in the tuning, so that
 * `spnc tune` measures all of its choices and `spnc explain` lists them; its key is the operator's shape. */
#include "graph/window.h"
#include "schedule/choice.h"
#include "template/tuning.h"
#include <string.h>

static int slices_in(const Model *m, const List *sections, const Op *op)
{
    for (int i = 0; i < sections->count; i++) {
        const Section *s = sections->items[i];
        if (list_index(&s->ops, op) >= 0)
            return m->groups * steps_at_once(s->kind, s->repeat, s->from);
    }
    return 0;
}

int schedule_slices(const Model *m, const Op *op)
{
    int n = slices_in(m, &m->forward, op);
    n = n ? n : slices_in(m, &m->backward, op);
    return n ? n : m->groups;
}

const char *schedule_shapes(Model *m, const Op *op)
{
    Text ins = { .arena = m->arena };
    for (int i = 0; i < op->read_count; i++)
        if (op->reads[i].tensor->space != RAW)
            text_printf(&ins, "%s%s", i ? ", " : "", shape_text(m->arena, &op->reads[i].tensor->shape));
    return arena_printf(m->arena, "%s%s%s", ins.text ? ins.text : "", ins.text ? " -> " : "",
                        shape_text(m->arena, &op->writes[0].tensor->shape));
}

/* A convolution's groups, its dilation: only where they are not 1, so that answers from before they were there stay answers. */
static bool counts(const Op *op, const Attr *a)
{
    bool later = (op->kind == OP_conv || op->kind == OP_conv_pool) && (!strcmp(a->spec->name, "groups") || !strcmp(a->spec->name, "dilation"));
    bool numbers = a->spec->type == ATTR_INT || a->spec->type == ATTR_PAIR || a->spec->type == ATTR_PAIRS;
    return numbers && !(later && a->number[0] == 1 && a->number[a->count - 1] == 1);
}

/* How many of an attribute's numbers are written: [3, 3] is 3. */
static int numbers_of(const Attr *a)
{
    for (int k = 1; k < a->count; k++)
        if (a->number[k] != a->number[0])
            return a->count;
    return a->count > 0;
}

/* Padding as it is, however it is written: n or rows x columns where both sides have the same, else each side; of [C, T] columns alone. */
static void put_padding(Text *t, const Op *op)
{
    const Window w = window_of(op);
    const bool even = w.before[0] == w.after[0] && w.before[1] == w.after[1];
    text_printf(t, " padding=");
    for (int k = w.flat; k < 2 && (even ? k == w.flat || w.before[0] != w.before[1] : true); k++) {
        text_printf(t, "%s%lld", k > w.flat ? "x" : "", (long long)w.before[k]);
        if (!even)
            text_printf(t, "x%lld", (long long)w.after[k]);
    }
}

/* "conv 32x9x9 -> 32x7x7 filters=32 kernel=3 stride=1 padding=0 winograd" */
const char *schedule_key(Model *m, const Op *op, int slices, const Op *backward, const Op *weights)
{
    Text t = { .arena = m->arena };
    text_printf(&t, "%s %s", OP_INFO(op)->name, schedule_shapes(m, op));
    const bool window = op->kind == OP_conv || op->kind == OP_conv_transpose;
    for (int i = 0; i < op->attr_count; i++)
        if (window && !strcmp(op->attrs[i].spec->name, "padding"))
            put_padding(&t, op);
        else if (counts(op, &op->attrs[i]))
            for (int k = 0; k < numbers_of(&op->attrs[i]); k++)
                text_printf(&t, "%s%s%.0f", k ? "x" : " ", k ? "" : arena_printf(m->arena, "%s=", op->attrs[i].spec->name),
                            op->attrs[i].number[k]);
    if (OP_INFO(op)->whole_batch)
        text_printf(&t, " batch=%lld slices=%d,%d,%d", (long long)m->batch, slices,
                    backward ? schedule_slices(m, backward) : 0, weights ? schedule_slices(m, weights) : 0);
    if (op->kind == OP_dense && dense_positions(op) > 1)
        text_printf(&t, " positions=%lld", (long long)dense_positions(op));
    if (op->kind == OP_dense && op->dense.transposed)
        text_printf(&t, " transposed");
    text_printf(&t, "%s%s%s%s", op->kernel.winograd ? " winograd" : "",
                op->kernel.winograd && weights && weights->kernel.deferred ? " gathered" : "",
                op->fuse.act == OP_NONE ? "" : arena_printf(m->arena, " %s", op_table[op->fuse.act]->name),
                op->stores.then ? " formula" : "");
    return t.text;
}

int schedule_ask(Work *w, const char *what, const List *choices)
{
    if (!w->m->tuning)
        return 0;
    const char *settings = arena_printf(w->m->arena, "%s %s", w->m->options.target, w->m->options.is_double ? "double" : "float");
    return tuning_ask(w->m->tuning, settings, w->op->name, w->key, what, choices);
}

Tile schedule_tile(Work *w, const char *what, TileWork t)
{
    Tile best[TILES_MOST];
    List names = { 0 };
    int n = tiles_best(&w->on, t, TILES_MOST, best);
    for (int i = 0; i < n; i++)
        list_push(w->m->arena, &names, arena_printf(w->m->arena, "%dx%d", best[i].F, best[i].Q));
    return best[schedule_ask(w, what, &names)];
}
