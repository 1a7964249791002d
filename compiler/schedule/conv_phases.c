/* conv_phases.c -- schedule of a strided convolution's gradient to its input, which is a transposed convolution's forward pass: phase by phase.
 *
 * In: a convolution's window.  Out: a PhasedPass; a pass without one has another kernel.  Letters as in conv_direct.c.
 * A stride makes SH SW phases: positions i, i + SH, ... and j, j + SW, ... of x meet the same taps, and are a convolution of y with stride 1 and
 * these taps alone.  A strip is so many positions of each phase; all its phases read the same piece of y, with the rows and columns beside
 * it.  Where channels of y lie so far apart that they share a few sets of the first-level cache, that piece is copied side by side first, once for
 * all phases and channels of x.
 * Filters come in blocks, whose pieces of y stay in that cache; x holds the sums between.
 * What the rule of conv_packed.c would have copied as 0 is copied as 0 here and multiplied; else what lies outside is left out, so each sum has
 * its products and their order whichever kernel makes it. */
#include "graph/window.h"
#include "schedule/kernels.h"

enum { ROWS_LEAST = 8, ROWS_MOST = 4, LINE_BYTES = 64 };
static const double COPY = 3, PUT_ASIDE = 3; /* cycles for a vec: copied; of sums, stored and loaded again */
static const double LINE = 0.3;              /* for a line of weights from the second-level cache, of which each phase takes some taps */
static const double ALONE = 0.15;            /* more, for a multiply-add in a tile of one column, which uses its weight once */

static int least(int a, int b) { return a < b ? a : b; }

/* Positions of y that those at first, first + 1, ... of the phases meet, from the first of them: one of y or more for each. */
static void meets(const Window *w, int axis, int *first, int *count)
{
    int64_t low = 0, high = 0;
    bool any = false;
    for (int64_t i = 0; i < w->stride[axis] && i < w->x[axis]; i++)
        for (int64_t u = 0; u < w->kernel[axis]; u++) {
            int64_t at = i + w->before[axis] - u * w->dilation[axis], place = floor_div(at, w->stride[axis]);
            if (at != place * w->stride[axis])
                continue;
            low = !any || place < low ? place : low, high = !any || place > high ? place : high;
            any = true;
        }
    *first = (int)low, *count = (int)(high - low + 1);
}

/* Positions of a phase along an axis that meet y with all of its taps: most of any phase.  The others are tiles of one column. */
static int whole(const Window *w, int axis)
{
    int64_t best = 1;
    for (int64_t i = 0; i < w->stride[axis] && i < w->x[axis]; i++) {
        int64_t first = (i + w->before[axis]) % w->stride[axis], last = first, count = 0; /* taps */
        while (last + w->stride[axis] < w->kernel[axis])
            last += w->stride[axis];
        for (int64_t at = i; at < w->x[axis]; at += w->stride[axis])
            count += at + w->before[axis] >= last * w->dilation[axis] &&
                     floor_div(at + w->before[axis] - first * w->dilation[axis], w->stride[axis]) < w->y[axis];
        best = count > best ? count : best;
    }
    return (int)best;
}

static int block_of(const Work *work, int M, int64_t bytes)
{
    int64_t fit = work->on.target->operand_bytes / bytes;
    return fit < 1 ? 1 : fit < M ? (int)fit : M;
}

/* Of the columns in strips of `across`, those that no whole tile covers. */
static int columns_alone(const Work *work, int C, int columns, int across)
{
    int Q = tile_best(&work->on, (TileWork){ C, across, 1, work->on.parts, 0, false, 0 }).Q, alone = 0;
    for (int at = 0; Q > 1 && at < columns; at += across)
        alone += least(across, columns - at) % Q;
    return alone;
}

/* The strip whose copies, sums put aside, weights and single columns cost least, by position. */
static void strip(const Work *work, PhasedPass *p, int M, int C, int taps, int phases, int rows, int columns)
{
    const double products = (double)M * C * taps, lines = products * (work->on.vec_bytes / LANES) / LINE_BYTES;
    double least_cost = 0;
    for (int down = 1; down <= least(ROWS_MOST, rows); down++)
        for (int n = 1, before = 0; n <= columns; n++) {
            int across = (int)ceil_div(columns, n), high = down - 1 + p->rows_met, wide = across - 1 + p->columns_met;
            if (across == before)
                continue;
            before = across;
            int block = block_of(work, M, (int64_t)high * wide * work->on.vec_bytes), blocks = (int)ceil_div(M, block);
            double cost = COPY * M * high * wide / (down * across) + PUT_ASIDE * (blocks - 1) * C * phases + LINE * lines * phases / across +
                          ALONE * products * columns_alone(work, C, columns, across) / columns;
            if (p->down && cost >= least_cost)
                continue;
            least_cost = cost, p->down = down, p->across = across;
        }
}

/* The channels whose sums of a strip stay in the second-level cache between two blocks of filters: an equal share of all. */
static int chunk_of(const Work *work, const PhasedPass *p, int C, int phases)
{
    int64_t bytes = (int64_t)C * p->down * p->across * phases * work->on.vec_bytes;
    for (int n = (int)ceil_div(bytes, work->on.target->kept_bytes); p->blocked && n <= C / ROWS_LEAST; n++)
        if (C % n == 0)
            return C / n;
    return C;
}

bool schedule_phased(Work *work)
{
    Window w = window_of(work->op);
    int M = (int)(w.filters / w.groups), C = (int)(w.channels / w.groups), phases = 1;
    for (int k = 0; k < 2; k++) {
        if (w.stride[k] > 1 && w.dilation[k] > 1) /* which taps meet y is no sequence of even steps */
            return false;
        phases *= (int)(w.stride[k] < w.x[k] ? w.stride[k] : w.x[k]);
    }
    if ((w.stride[0] == 1 && w.stride[1] == 1) || C < ROWS_LEAST)
        return false;
    PhasedPass *p = work->s->phased = NEW(work->m->arena, PhasedPass);
    int rows = (int)ceil_div(w.x[0], w.stride[0]), columns = (int)ceil_div(w.x[1], w.stride[1]);
    int64_t map = w.y[0] * w.y[1] * work->on.vec_bytes;
    p->zeros = packed_pays(&w, C), p->copied = p->zeros || map >= work->on.target->set_bytes;
    meets(&w, 0, &p->first_row, &p->rows_met), meets(&w, 1, &p->first_column, &p->columns_met);
    if (p->copied) {
        strip(work, p, M, C, (int)(w.kernel[0] * w.kernel[1]), phases, rows, columns);
        p->high = p->down - 1 + p->rows_met, p->wide = p->across - 1 + p->columns_met;
    } else {
        p->down = rows, p->across = columns;
        p->high = (int)w.y[0], p->wide = (int)w.y[1], p->first_row = p->first_column = 0;
    }
    p->bytes = (int64_t)p->high * p->wide * work->on.vec_bytes;
    p->block = runs_spread(M, block_of(work, M, p->bytes)).run[0].size;
    p->blocked = p->block < M;
    p->chunk = chunk_of(work, p, C, phases);
    const int run = p->zeros ? p->across : least(p->across, whole(&w, 1));
    p->tile = schedule_tile(work, "backward", (TileWork){ p->chunk, run, 1, work->on.parts, 0, false, 0 });
    p->rows = runs_spread(p->chunk, p->tile.F);
    p->edges = runs_spread(p->chunk, tile_best(&work->on, (TileWork){ p->chunk, 1, 1, work->on.parts, 0, false, 0 }).F);
    return true;
}
