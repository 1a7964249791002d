/* conv_lines.c -- schedule of a depthwise convolution: each filter sees one channel, so no operand is used for several filters or channels at once.
 *
 * In: a convolution's window.  Out: a LineSchedule.  A register tile is a run of columns of one row; the taps of a row of the kernel are unrolled, and
 * one loaded operand is used for each tap that it meets.  The taps that would read outside of the map are left out: tiles at the left and the
 * right border are functions of their own.  Letters as in conv_direct.c.
 * Order of sums: with the column of the operand rising (gradient: falling), the taps of each sum rise. */
#include "graph/window.h"
#include "schedule/kernels.h"

enum { LEAST_SUMS = 4, COLUMNS_MOST = 16, REGISTERS_MOST = 31, TAPS_MOST = 11, STRIDE_MOST = 8 };

static int least(int a, int b) { return a < b ? a : b; }
static int most(int a, int b) { return a > b ? a : b; }

/* Taps of a row and columns of a stride are unrolled, so with many of either the kernels of conv_direct.c serve, to the same bits. */
bool is_depthwise(const Window *w) { return w->groups > 1 && w->groups == w->channels && w->kernel[1] <= TAPS_MOST && w->stride[1] <= STRIDE_MOST; }

/* The offset from the tile's place of the operand that tap v of column q meets; false: of none (gradient, in a stride). */
static bool meets(const Window *w, bool back, int q, int v, int *at)
{
    int stride = (int)w->stride[1],
        place = back ? q + (int)(w->before[1] - v * w->dilation[1]) : q * stride + (int)(v * w->dilation[1] - w->before[1]);
    *at = back ? (int)floor_div(place, stride) : place;
    return !back || place == *at * stride;
}

static LineLoad *load_at(LineTile *t, int at)
{
    for (int i = 0; i < t->load_count; i++)
        if (t->loads[i].at == at)
            return &t->loads[i];
    t->loads[t->load_count] = (LineLoad){ .at = at };
    return &t->loads[t->load_count++];
}

static void sort(LineTile *t, bool falling)
{
    for (int i = 1; i < t->load_count; i++)
        for (int k = i; k > 0 && (falling ? t->loads[k].at > t->loads[k - 1].at : t->loads[k].at < t->loads[k - 1].at); k--) {
            LineLoad swap = t->loads[k];
            t->loads[k] = t->loads[k - 1], t->loads[k - 1] = swap;
        }
}

/* The tile of Q columns from `from` on; where it stands in the operand's row, and how long that is, decides which taps there are. */
static LineTile tile_at(const Work *work, const Window *w, bool back, int from, int Q)
{
    LineTile t = { .Q = Q, .from = from, .to = from + Q };
    int K = (int)w->kernel[1], stride = (int)w->stride[1], at, place = back ? from / stride : from * stride;
    int length = (int)(back ? w->y[1] : w->x[1]);
    t.loads = NEW_ARRAY(work->m->arena, LineLoad, Q * K);
    for (int q = 0; q < Q; q++)
        for (int v = 0; v < K; v++) {
            if (!meets(w, back, q, v, &at) || place + at < 0 || place + at >= length)
                continue;
            LineLoad *l = load_at(&t, at);
            l->pairs[l->count++] = (LinePair){ q, v };
        }
    sort(&t, back);
    return t;
}

static bool same(const LineTile *a, const LineTile *b)
{
    bool same = a->Q == b->Q && a->load_count == b->load_count;
    for (int i = 0; same && i < a->load_count; i++) {
        const LineLoad *x = &a->loads[i], *y = &b->loads[i];
        same = x->at == y->at && x->count == y->count;
        for (int k = 0; same && k < x->count; k++)
            same = x->pairs[k].column == y->pairs[k].column && x->pairs[k].tap == y->pairs[k].tap;
    }
    return same;
}

/* The columns of a row in tiles of at most Q; neighbours that are alike are one entry. */
static void pass(const Work *work, const Window *w, LinePass *p, const char *name, bool back, int Q)
{
    int stride = back ? (int)w->stride[1] : 1, columns = (int)(back ? w->x[1] : w->y[1]);
    Runs runs = runs_spread((int)ceil_div(columns, stride), most(1, Q / stride)); /* gradient: tiles begin at a multiple of the stride */
    p->tiles = NEW_ARRAY(work->m->arena, LineTile, runs_pieces(&runs));
    for (int i = 0; i < runs.count; i++)
        for (int k = runs.run[i].from; k < runs.run[i].to; k += runs.run[i].size) {
            int from = k * stride, to = least(columns, (k + runs.run[i].size) * stride);
            LineTile t = tile_at(work, w, back, from, to - from);
            LineTile *last = p->count ? &p->tiles[p->count - 1] : NULL;
            if (last && same(last, &t)) {
                last->to = to;
                continue;
            }
            t.name = arena_printf(work->m->arena, "%s_%d_from%d", name, t.Q, from);
            p->Q = most(p->Q, t.Q);
            p->tiles[p->count++] = t;
        }
}

/* Sums for so many columns fit into the registers beside the weights of a row of taps and one operand. */
static int columns_of(const Machine *on, const Window *w)
{
    int room = least(on->target->registers, REGISTERS_MOST) - (int)w->kernel[1] - on->parts;
    return most(1, least(COLUMNS_MOST, room / on->parts));
}

void schedule_lines(Work *work)
{
    Window w = window_of(work->op);
    LineSchedule *s = work->s->lines = NEW(work->m->arena, LineSchedule);
    int K = (int)w.kernel[1], registers = least(work->on.target->registers, REGISTERS_MOST) / work->on.parts - 1,
        Q = columns_of(&work->on, &w);
    if (!w.transposed || work->s->dx)
        pass(work, &w, &s->forward, "forward", false, Q);
    if (w.transposed || work->s->dx)
        pass(work, &w, &s->backward, "backward", true, Q);
    if (work->s->weights) {
        int rows = most(1, (registers - LEAST_SUMS) / K);
        s->rows = runs_spread((int)w.kernel[0], rows);
        pass(work, &w, &s->weights, "weights", false, most(1, least(COLUMNS_MOST / 2, registers - K * s->rows.run[0].size)));
    }
}
