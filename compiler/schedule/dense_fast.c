/* dense_fast.c -- schedule of a dense layer by spnc's own kernel: register tiles, panels of weights, pieces of work for the threads.
 *
 * In: a layer's sizes and the slices that its functions work on.  Out: its DensePanels and DenseRows.  All threads call a function together
 * and take its pieces one after the other. */
#include "schedule/kernels.h"

typedef struct {
    int64_t IN, vecs;
    int M;
} Sizes; /* inputs; outputs, and the vecs that hold them */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t weight_reals(const Sizes *z) { return z->IN * z->vecs * LANES; }

static void add_tiles(DensePanels *p, const Runs *rows)
{
    for (int i = 0; i < rows->count; i++)
        for (int k = 0; k < p->panels.count; k++) {
            Tile t = { rows->run[i].size, p->panels.run[k].size };
            bool known = false;
            for (int j = 0; j < p->tile_count; j++)
                known = known || (p->tiles[j].F == t.F && p->tiles[j].Q == t.Q);
            if (!known)
                p->tiles[p->tile_count++] = t;
        }
}

/* Slices of one piece of work: as many as leave 16 pieces, or of a large batch 64, so that a panel is copied seldom.  Weights that come from
 * memory are what all wait for: as few readings of them as 8 pieces allow. */
static int64_t slices_of(const Work *w, const Sizes *z, int64_t panels, int64_t S)
{
    enum { FEW = 8, PIECES = 16, MANY = 64, LEAST_SLICES = 8, LEAST_FAR = 12 };
    if (weight_reals(z) > w->on.target->memory_reals) {
        int64_t readings = most(ceil_div(FEW, panels), ceil_div(S, most(LEAST_FAR, S / ceil_div(MANY, panels))));
        return ceil_div(S, readings);
    }
    return most(1, least(S / ceil_div(PIECES, panels), most(LEAST_SLICES, S / ceil_div(MANY, panels))));
}

/* Examples side by side in a tile's rows leave out the lanes of the last group that have none, but turn all sums into lanes at the end, which takes as
 * long as TURN inputs.  With few inputs, or few such lanes, it is sooner to have the examples in the lanes from the start. */
static bool is_straight(const Model *m, const Sizes *z)
{
    enum { TURN = 16 };
    const int64_t absent = LANES - m->last_examples;
    return z->IN * absent <= (int64_t)TURN * LANES * m->groups;
}

static void forward(Work *w, const Sizes *z, int64_t S)
{
    DensePanels *p = &w->s->panels;
    p->S = (int)S;
    int parts = w->on.parts, last = w->m->last_examples;
    p->straight = is_straight(w->m, z);
    p->tile = schedule_tile(w, "forward", p->straight ? (TileWork){ LANES, 1, 1, parts, 0, false, 0 } : (TileWork){ LANES, (int)z->vecs, 1, parts, 2 * parts, false, 0 });
    p->panels = runs_spread((int)z->vecs, p->tile.Q);
    p->rows = runs_spread(p->straight && z->M < LANES ? 0 : LANES, p->tile.F);
    p->rest = runs_spread(p->straight ? z->M % LANES : last < LANES ? last : 0, p->tile.F);
    int widest = p->panels.run[0].size, count = runs_pieces(&p->panels);
    p->wide = widest * LANES;
    const bool copied = !w->op->weight_count || w->op->weights[0]->layout != W_PANELS;
    const int halves = p->straight && !copied ? 2 : 1;       /* a panel that is read where it lies shares the cache with as many inputs in vecs */
    p->block = (int)least(z->IN, most(16, w->on.target->panel_bytes / ((int64_t)w->on.vec_bytes * widest * halves)));
    int64_t sums = (int64_t)LANES * widest * w->on.vec_bytes;          /* bytes of a slice's, which straight ones have in the result */
    p->slices = (int)most(1, least(p->straight ? S : STACK_BYTES / sums, slices_of(w, z, count, S)));
    p->pieces = (int)(count * ceil_div(S, p->slices));
    p->prefetch = weight_reals(z) > w->on.target->weight_reals;
    p->ahead = (int)ceil_div(LANES, (int64_t)runs_pieces(p->rows.count ? &p->rows : &p->rest) * p->slices);
    add_tiles(p, &p->rows);
    add_tiles(p, &p->rest);
}

/* Cuts rows x columns by the tile; the work is one piece of `chunk` x `across` tiles, until the caller makes these smaller. */
static void cut(DenseRows *p, int rows, int columns)
{
    p->rows = runs_spread(rows, p->tile.F);
    p->columns = runs_spread(columns, p->tile.Q);
    p->chunk = runs_pieces(&p->rows), p->across = runs_pieces(&p->columns);
}

static void count_pieces(DenseRows *p)
{
    p->chunks = (int)ceil_div(runs_pieces(&p->rows), p->chunk);
    p->acrosses = (int)ceil_div(runs_pieces(&p->columns), p->across);
    p->pieces = p->chunks * p->acrosses;
}

/* A thread takes an eighth of the rows together, but at most 16 pieces, and one piece of the columns. */
static void backward(Work *w, const Sizes *z, int S)
{
    enum { LEAST_BLOCK = 16, MOST_BLOCK = 128 };
    DenseRows *p = &w->s->dense_backward;
    p->S = S;
    p->tile = schedule_tile(w, "backward", (TileWork){ (int)z->IN, S, 1, w->on.parts, 0, false, 0 });
    int64_t block = most(LEAST_BLOCK, least(MOST_BLOCK, w->on.target->operand_bytes / ((int64_t)w->on.vec_bytes * p->tile.Q)));
    p->block = block < z->M ? (int)block : 0;
    p->prefetch = weight_reals(z) > w->on.target->weight_reals;
    cut(p, (int)z->IN, S);
    p->chunk = (int)most(1, least(16, p->chunk / 8)), p->across = 1;
    count_pieces(p);
}

/* The sums are as long as the batch, so both operands are read block after block: the rows of a tile's outputs stay in the first-level cache
 * while the inputs pass, and what a piece of work reads of either operand in a block stays in the second-level cache.  16 pieces at least. */
static void products(Work *w, const Sizes *z, int S)
{
    enum { PIECES = 16 };
    DenseRows *p = &w->s->products;
    p->S = S;
    p->tile = schedule_tile(w, "products", (TileWork){ (int)z->IN, (int)z->vecs, 1, w->on.parts, w->on.parts + 1, false, 0 });
    const int64_t row = w->on.vec_bytes, column = row * LANES, far = w->on.target->far_bytes;        /* of a slice: an input, a vec of outputs */
    const int64_t slices = most(1, w->on.target->operand_bytes / (row * p->tile.F + column * p->tile.Q));
    p->prefetch = (int64_t)S * z->vecs * LANES * LANES > w->on.target->weight_reals;
    p->block = slices < S ? (int)slices : 0;
    cut(p, (int)z->IN, (int)z->vecs);
    const int64_t height = row * p->tile.F, width = column * p->tile.Q;
    const int64_t together = least(slices, S);
    p->chunk = (int)most(1, least(p->chunk, far / (height * together)));
    p->across = (int)most(1, least(p->across, far / (width * together)));
    for (count_pieces(p); p->pieces < PIECES && p->chunk * p->across > 1; count_pieces(p)) {
        if (p->across > 1 && (p->chunk == 1 || width * p->across >= height * p->chunk))
            p->across = (int)ceil_div(p->across, 2);
        else
            p->chunk = (int)ceil_div(p->chunk, 2);
    }
}

void schedule_dense(Work *w)
{
    const Op *op = w->op, *back = w->s->dx ? w->s->backward : NULL;
    const Op *down = op->dense.transposed ? back : op, *up = op->dense.transposed ? op : back;      /* to the units, and from them */
    int64_t M = op_int(op, "units"), P = dense_positions(op);
    Sizes z = { shape_count(&(op->dense.transposed ? op->writes[0] : op->reads[0]).tensor->shape) / P, ceil_div(M, LANES), (int)M };
    if (down)
        forward(w, &z, schedule_slices(w->m, down) * P);
    if (up)
        backward(w, &z, (int)(schedule_slices(w->m, up) * P));
    if (w->s->weights)
        products(w, &z, (int)(schedule_slices(w->m, w->s->weights) * P));
}
