/* conv_packed.c -- schedule of a direct convolution as a product of matrices: what a tile reads is copied side by side first.
 *
 * In: a convolution's window.  Out: a PackedPass forward and one backward, PackedWeights; a pass without one has the kernel of conv_direct.c.
 * Forward, the rows are the M filters, the columns positions of y, and each sum has the C KH KW products of a window; of the gradient to the input of a 1x1
 * convolution, rows are the C channels, columns positions of x, and a sum has the products of M filters (in a stride: conv_phases.c).
 * In a map, lines of neighbouring channels lie a power of two apart in most nets, so that eight channels fill their set of the first-level cache, and
 * the next filters would read the same lines from memory again.  Copied, a tile's operands stay there for all rows.  The copy costs about two multiply-adds a
 * number, each of which is used for every row, hence ROWS_LEAST; small maps stay in the cache as they are.  What lies outside is copied as 0.
 * Of the gradient to the weights of a 1x1 convolution, rows are the M filters and columns the C channels; a sum is over all positions, so all sums with a
 * panel of columns wait in memory between two blocks of positions.  Both operands are vecs: a register tile is of one part of them, which makes it twice as
 * large as a tile of whole vecs where a vec has two registers, and each operand is used as much more often.  Of small maps and of strides that was slower.
 * The rule decides whether products with it are added or left out, so it follows from the window alone.  Letters as in conv_direct.c. */
#include "graph/window.h"
#include "schedule/kernels.h"

enum { ROWS_LEAST = 8, TAPS_MOST = 128, POSITIONS_LEAST = 64, FILTERS_MOST = 256, WEIGHTS_POSITIONS = 128, PANEL = 16 };

static int least(int a, int b) { return a < b ? a : b; }
static int most(int a, int b) { return a > b ? a : b; }

/* Of the places that the windows' taps meet along an axis, how many lie inside of x. */
static int64_t inside(const Window *w, int axis)
{
    int64_t count = 0;
    for (int64_t u = 0; u < w->kernel[axis]; u++) {
        int64_t at = u * w->dilation[axis] - w->before[axis], first = at < 0 ? ceil_div(-at, w->stride[axis]) : 0;
        int64_t end = floor_div(w->x[axis] - 1 - at, w->stride[axis]) + 1;
        count += end > first ? (end < w->y[axis] ? end : w->y[axis]) - first : 0;
    }
    return count;
}

/* Enough rows to pay for the copies, and positions to pay for the rest; at most a fifth of all products are with what lies outside.  With a stride of 1
 * and several taps, the kernel of conv_direct.c reads each line for several of them and is as fast. */
bool packed_pays(const Window *w, int64_t rows)
{
    int64_t taps = w->kernel[0] * w->kernel[1], positions = w->y[0] * w->y[1];
    bool dense = w->stride[0] == 1 && w->stride[1] == 1 && taps > 1;
    return !dense && rows >= ROWS_LEAST && taps <= TAPS_MOST && positions >= POSITIONS_LEAST &&
           inside(w, 0) * inside(w, 1) * 5 >= taps * positions * 4;
}

static bool is_padded(const Window *w) { return w->before[0] || w->before[1] || w->after[0] || w->after[1]; }

/* A position of y reads the same position of x, and no other. */
static bool in_place(const Window *w) { return w->kernel[0] * w->kernel[1] * w->stride[0] * w->stride[1] == 1 && !is_padded(w); }

/* Rows in pieces of a tile, and blocks of `outer` things with `taps` operands for each column that stay in the first-level cache. */
static void cut(Work *work, PackedPass *p, const char *name, int rows, int columns, int outer, int taps)
{
    p->tile = schedule_tile(work, name, (TileWork){ rows, columns, 1, work->on.parts, 0, false, 0 });
    p->tile.Q = runs_spread(columns, p->tile.Q).run[0].size;
    p->rows = runs_spread(rows, p->tile.F);
    p->bytes = (int64_t)outer * taps * p->tile.Q * work->on.vec_bytes;
    p->taps = taps;
    p->block = runs_spread(outer, most(1, (int)(outer * work->on.target->operand_bytes / p->bytes))).run[0].size;
    p->blocked = p->block < outer;
}

bool schedule_packed_forward(Work *work)
{
    Window w = window_of(work->op);
    int64_t M = w.filters / w.groups, C = w.channels / w.groups;
    if (!packed_pays(&w, M))
        return false;
    PackedPass *p = work->s->packed_forward = NEW(work->m->arena, PackedPass);
    p->in_place = in_place(&w), p->padded = is_padded(&w);
    cut(work, p, "forward", (int)M, (int)(w.y[0] * w.y[1]), (int)C, (int)(w.kernel[0] * w.kernel[1]));
    return true;
}

bool schedule_packed_backward(Work *work)
{
    Window w = window_of(work->op);
    int64_t M = w.filters / w.groups, C = w.channels / w.groups;
    if (w.stride[0] > 1 || w.stride[1] > 1 || !packed_pays(&w, C))
        return false;
    PackedPass *p = work->s->packed_backward = NEW(work->m->arena, PackedPass);
    p->in_place = in_place(&w);
    cut(work, p, "backward", (int)C, (int)(w.x[0] * w.x[1]), (int)M, 1);
    return true;
}

/* Blocks of positions whose operands, of a panel of columns and a tile of filters, stay in the first-level cache. */
bool schedule_packed_weights(Work *work)
{
    Window w = window_of(work->op);
    int M = (int)(w.filters / w.groups), columns = (int)(w.channels / w.groups), positions = (int)(w.y[0] * w.y[1]);
    if (!in_place(&w) || M < ROWS_LEAST || M > FILTERS_MOST || columns < 2 || positions < WEIGHTS_POSITIONS)
        return false;
    PackedWeights *p = work->s->packed_weights = NEW(work->m->arena, PackedWeights);
    Work parts = *work;
    if (work->on.target->vec_registers[work->m->options.is_double] <= work->on.parts)
        parts.on.parts = 1;              /* generic code has no registers to speak of, so its tiles stay small */
    p->tile = schedule_tile(&parts, "weights", (TileWork){ M, columns, 1, 1, 0, false, 0 });
    p->filters = runs_spread(M, p->tile.F);
    p->columns = columns;
    const int all = (int)ceil_div(columns, p->tile.Q), fit = (int)(STACK_BYTES / 2 / ((int64_t)M * work->on.vec_bytes * p->tile.Q));
    p->panel = p->tile.Q * least(all, most(1, least(fit, PANEL / p->tile.Q)));
    p->block = most(8, (int)(work->on.target->operand_bytes / ((p->panel + p->tile.F) * work->on.vec_bytes)));
    p->block = least(p->block, positions);
    return true;
}
