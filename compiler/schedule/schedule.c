/* schedule.c -- the stage that cuts the loops of kernels: register tiles, cache blocks, Winograd's blocks of tiles.
 *
 * In: the graph with its algorithms and layouts.  Out: op->schedule of every forward operator whose kernel has choices.  Next: plan.c.
 * Each choice follows from the operator's shape and the table of targets (target.c), by the cost model of tiles.c; a choice of which the
 * tuning file says that another was measured to be faster is that other.  Nothing here is bit-relevant: it runs after the hash is made. */
#include "schedule/kernels.h"

static bool has_choices(const Model *m, const Op *op)
{
    if (m->options.latency)
        return op->kernel.latency && op->kernel.latency->kind < BY_UNITS;        /* what has tiles */
    bool conv = op->kind == OP_conv || op->kind == OP_conv_transpose || op->kind == OP_conv_pool;
    return op->pass == FORWARD && (conv || (op->kind == OP_dense && !op->kernel.openblas) || op->kind == OP_matmul);
}

/* A patch of dx stays in registers for four filters, which is what their weights leave room for. */
static void schedule_pool(Work *w)
{
    enum { FILTERS = 4 };
    w->s->pool_filters = runs_inside((int)w->op->writes[0].tensor->shape.dim[0], FILTERS);
}

/* Both operands of a tile are loaded as vecs. */
static void schedule_matmul(Work *w)
{
    int sizes[3][2];
    matmul_sizes(w->op, sizes);
    for (int i = 0; i < 3; i++) {
        const Tile t = tile_best(&w->on, (TileWork){ sizes[i][0], sizes[i][1], w->on.parts, w->on.parts, 0, false, 0 });
        w->s->product_rows[i] = runs_spread(sizes[i][0], t.F);
        w->s->product_columns[i] = runs_spread(sizes[i][1], t.Q);
    }
}

static void schedule_conv(Work *w)
{
    Window window = window_of(w->op);
    (w->op->kernel.winograd ? schedule_winograd : is_depthwise(&window) ? schedule_lines : schedule_direct)(w);
}

/* Gives each forward operator with choices its notes, and puts its backward operators into them. */
static void collect(Model *m, List *all)
{
    for (int pass = 0; pass < 2; pass++) {
        List *sections = pass ? &m->backward : &m->forward;
        for (int i = 0; i < sections->count; i++) {
            Section *s = sections->items[i];
            for (int k = 0; k < s->ops.count; k++) {
                Op *op = s->ops.items[k];
                OpSchedule *of = op->of ? op->of->schedule : NULL;
                if (has_choices(m, op)) {
                    op->schedule = NEW(m->arena, OpSchedule);
                    list_push(m->arena, all, op);
                } else if (of && op->pass == BACKWARD) {
                    of->backward = op;
                    of->dx = op->of->grad.inputs[0];
                } else if (of && op->pass == WEIGHTS) {
                    of->weights = op;
                }
            }
        }
    }
}

bool schedule(Model *m)
{
    layouts_choose(m);
    if (m->lanes == 1 && !m->options.latency)
        return true;
    List all = { 0 };
    collect(m, &all);
    for (int i = 0; i < all.count; i++) {
        Op *op = all.items[i];
        OpSchedule *s = op->schedule;
        Work w = { m, op, s, machine_of(m), schedule_key(m, op, schedule_slices(m, op), s->backward, s->weights) };
        (m->options.latency          ? schedule_latency
         : op->kind == OP_dense       ? schedule_dense
         : op->kind == OP_matmul    ? schedule_matmul
         : op->kind == OP_conv_pool ? schedule_pool
                                    : schedule_conv)(&w);
    }
    return true;
}
