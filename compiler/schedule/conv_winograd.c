/* conv_winograd.c -- schedule of a convolution by Winograd's algorithm: how many tiles are worked on together, and the register tiles of their
 * products.
 *
 * In: the tiles and layouts of winograd.c.  Out: a WinogradSchedule, and the size of the working memory.  A block of Winograd tiles is
 * transformed for all channels; its products are made for a chunk of filters at a time, position by position, and transformed back. */
#include "schedule/kernels.h"

enum { BLOCK_MOST = BLOCK_SIZES, LEAST_CHUNK = 32 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* Channels of the widest operand. */
static int64_t side(const Winograd *w) { return most(most(w->C, w->M), w->QP); }

/* Most tiles in a block: their transformed inputs stay in the second-level cache. */
static int block_most(const Machine *on, const Winograd *w)
{
    int64_t room = on->target->inputs_reals / (w->most_positions * side(w) * LANES);
    return (int)most(1, least(least(BLOCK_MOST, w->most_tiles), room));
}

/* Cuts the working memory for blocks of T tiles. */
static void memory(const Machine *on, WinogradSchedule *s, int T)
{
    const Winograd *w = &s->layout;
    s->T = T;
    s->chunk = (int)most(LEAST_CHUNK, on->target->sums_reals / ((int64_t)w->most_positions * T * LANES));
    s->plane = (int)((side(w) * T + 1) * LANES);
    s->part = (s->chunk * T + 1) * LANES;
}

/* Reals of it: transformed inputs, sums, a square that is transposed, at each position; and the bias's sums. */
static int64_t work_reals(const WinogradSchedule *s)
{
    return (int64_t)s->layout.most_positions * (s->plane + s->part + WINOGRAD_SQUARE) + (int64_t)s->layout.M * LANES;
}

static void size_work(const Op *op, int64_t reals)
{
    for (int i = 0; op && i < op->write_count; i++)
        if (op->writes[i].tensor->work)
            op->writes[i].tensor->reals = reals;
}

/* The blocks of each kind, and their sizes in the order in which the functions of a pass need them. */
static void blocks(const Model *m, WinogradSchedule *s)
{
    for (int packed = 0; packed < 2; packed++)
        for (int k = 0; k < s->layout.kinds; k++) {
            int tiles = s->layout.kind[k].tiles, vecs = packed ? (int)ceil_div(tiles, most(1, s->packs)) : tiles;
            Runs *runs = packed ? &s->packed[k] : &s->blocks[k];
            bool needed = packed ? s->packs : !s->packs || m->groups > 1;
            *runs = runs_spread(vecs, s->T);
            for (int i = 0; needed && i < runs->count; i++) {
                bool known = false;
                for (int j = 0; j < s->size_count; j++)
                    known = known || s->sizes[j] == runs->run[i].size;
                if (!known)
                    s->sizes[s->size_count++] = runs->run[i].size;
            }
        }
}

static void pass(Work *w, WinogradSchedule *s, WinogradPass *p, const char *name, int rows, bool blocked)
{
    p->blocked = blocked;
    for (int i = 0; i < s->size_count; i++) {
        int t = s->sizes[i];
        BlockTile *b = &p->tiles[i];
        b->tile =
            schedule_tile(w, arena_printf(w->m->arena, "%s, blocks of %d", name, t), (TileWork){ rows, t, 1, w->on.parts, 0, blocked, 0 });
        b->rows = blocked ? runs_inside(rows, b->tile.F) : runs_spread(rows, b->tile.F);
        b->columns = runs_spread(t, b->tile.Q);
    }
}

static void weights(Work *w, WinogradSchedule *s, const char *name)
{
    const Winograd *l = &s->layout;
    BlockTile *b = &s->weights;
    b->tile = schedule_tile(w, name, (TileWork){ l->P, l->QP / LANES, 1, w->on.parts, 0, false, 0 });
    b->rows = runs_spread(l->P, b->tile.F);
    b->columns = runs_spread(l->QP / LANES, b->tile.Q);
}

/* The last group of a batch may have fewer images than lanes: its list of terms is shorter if its tiles are packed, or if there is only one
 * tile, so that no empty lanes lie between the images of two tiles.  The sums of slices wait for their partners in a stack. */
static void deferred(const Work *w, WinogradSchedule *s)
{
    s->images = s->packs ? LANES / s->packs : s->layout.most_tiles == 1 ? w->m->last_examples : LANES;
    for (s->deep = 1; 1 << s->deep <= schedule_slices(w->m, w->s->weights); s->deep++)
        ;
}

void schedule_winograd(Work *w)
{
    const Shape *x = &w->op->reads[0].tensor->shape, *y = &w->op->writes[0].tensor->shape;
    WinogradSchedule *s = w->s->winograd = NEW(w->m->arena, WinogradSchedule);
    s->layout = winograd_of(x->dim[0], y->dim[0], y->dim[1], y->dim[2]);
    s->packs = kernel_packs(w->m, w->op);
    s->far_x = shape_count(x) > w->on.target->map_reals, s->far_y = shape_count(y) > w->on.target->map_reals;
    int room = block_most(&w->on, &s->layout);
    memory(&w->on, s, room);
    int64_t reals = work_reals(s); /* of the largest block, so that a tuning changes no place in memory */
    size_work(w->op, reals), size_work(w->s->backward, reals), size_work(w->s->weights, reals);
    List choices = { 0 };
    for (int t = room; t > 0; t--)
        list_push(w->m->arena, &choices, arena_printf(w->m->arena, "%d", t));
    memory(&w->on, s, room - schedule_ask(w, "all, tiles in a block", &choices));
    if (work_reals(s) > reals)
        unreachable("a smaller block of tiles needs more memory");
    blocks(w->m, s);
    pass(w, s, &s->forward, "forward", s->layout.M, !s->layout.across);
    if (w->s->dx)
        pass(w, s, &s->backward, "backward", s->layout.C, s->layout.across);
    if (w->s->weights) {
        weights(w, s, w->s->weights->kernel.deferred ? "products" : "weights");
        deferred(w, s);
    }
}
