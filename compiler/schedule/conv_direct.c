/* conv_direct.c -- schedule of a direct convolution: tiles of sums in registers, blocks that stay in the first-level cache.
 *
 * In: a convolution's shape.  Out: its DirectPass, FewTiles and DirectWeights.  Letters as in conv.c.in: M filters, C channels, H W and
 * Ho Wo maps, KH KW kernel, SH SW stride, DH DW dilation, PH PW padding above and to the left; M and C are those of one group. */
#include "graph/window.h"
#include "schedule/kernels.h"

typedef struct {
    int M, C, H, W, Ho, Wo, KH, KW, SH, SW, DH, DW, PH, PW;
    int EH, EW;                          /* rows and columns from the first to the last tap */
    bool padded;
} Sizes;

static Sizes sizes_of(const Op *op)
{
    Window w = window_of(op);
    return (Sizes){ .M = (int)(w.filters / w.groups), .C = (int)(w.channels / w.groups),
                    .H = (int)w.x[0], .W = (int)w.x[1], .Ho = (int)w.y[0], .Wo = (int)w.y[1],
                    .KH = (int)w.kernel[0], .KW = (int)w.kernel[1], .SH = (int)w.stride[0], .SW = (int)w.stride[1],
                    .DH = (int)w.dilation[0], .DW = (int)w.dilation[1], .PH = (int)w.before[0], .PW = (int)w.before[1],
                    .EH = (int)window_extent(&w, 0), .EW = (int)window_extent(&w, 1),
                    .padded = w.before[0] || w.before[1] || w.after[0] || w.after[1] };
}

static int least(int a, int b) { return a < b ? a : b; }
static int most(int a, int b) { return a > b ? a : b; }

/* Of n things whose operands take `bytes` together: how many stay in the first-level cache, in blocks of one size.  0: all. */
static int block_of(const Machine *on, int n, int64_t bytes)
{
    int block = (int)ceil_div(n, ceil_div(bytes, on->target->operand_bytes));
    return block < n ? block : 0;
}

/* The pieces of a pass, of columns `all` of which left <= i < right are inner ones; column i lies at first + i * stride. */
static Columns columns_of(int first, int stride, int left, int right, int all, int Q)
{
    Columns c = { .inner = runs_placed(runs_spread(right - left, Q), first + left * stride, stride) };
    if (left > 0)
        c.border.run[c.border.count++] = (Run){ 1, first, first + left * stride, stride };
    if (right < all)
        c.border.run[c.border.count++] = (Run){ 1, first + right * stride, first + all * stride, stride };
    return c;
}

/* A tile's rows read weights that lie `bytes` apart: so many of their lines stay in the first-level cache. */
static int rows_most(const Machine *on, int64_t bytes)
{
    int64_t power = on->target->set_bytes;
    while (bytes % power)
        power /= 2;
    return (int)(on->target->set_bytes / power) * on->target->ways;
}

/* Rows in pieces of tiles, of at most `together` (0: any); the sizes of pieces of columns, each once. */
static void pieces_of(Work *w, DirectPass *p, int rows, int together)
{
    bool border = false;
    p->rows = runs_spread(rows, p->tile.F);
    p->sizes = NEW_ARRAY(w->m->arena, int, 2 * p->columns_count + 1);
    for (int i = 0; i < p->columns_count; i++) {
        const Columns *c = &p->columns[i];
        border = border || c->border.count;
        for (int k = 0; k < c->inner.count; k++) {
            bool known = false;
            for (int j = 0; j < p->size_count; j++)
                known = known || p->sizes[j] == c->inner.run[k].size;
            if (!known)
                p->sizes[p->size_count++] = c->inner.run[k].size;
        }
    }
    if (border)
        p->edges = runs_spread(rows, tile_best(&w->on, (TileWork){ rows, 1, 1, w->on.parts, 0, false, together }).F);
}

/* The x of a register tile stays in the first-level cache while all filters are applied to it. */
static void forward(Work *w, const Sizes *z)
{
    DirectPass *p = &w->s->direct_forward;
    int left = least((int)ceil_div(z->PW, z->SW), z->Wo);
    int right = most(left, least(z->Wo, (int)floor_div(z->W - z->EW + z->PW, z->SW) + 1));
    const int together = rows_most(&w->on, (int64_t)z->C * z->KH * z->KW * (w->on.vec_bytes / LANES));
    p->tile = schedule_tile(w, "forward", (TileWork){ z->M, most(1, right - left), 1, w->on.parts, 0, false, together });
    p->bytes = (int64_t)z->C * z->KH * ((p->tile.Q - 1) * z->SW + z->EW) * w->on.vec_bytes;
    p->block = block_of(&w->on, z->C, p->bytes);
    p->columns = NEW(w->m->arena, Columns);
    p->columns[p->columns_count++] = columns_of(0, 1, left, right, z->Wo, p->tile.Q);
    pieces_of(w, p, z->M, together);
}

/* The columns first, first + SW, ... of x (all of them: `*all`), of which those from *left up to *right lie within dy for each of their taps. */
static void residue(const Sizes *z, int first, int *left, int *right, int *all)
{
    *all = (int)ceil_div(z->W - first, z->SW);
    if (z->DW > 1) {                     /* as if each tap were used */
        *left = least(*all, most(0, (int)ceil_div(most(0, z->EW - 1 - z->PW - first), z->SW)));
        *right = most(*left, least(*all, (int)floor_div((z->Wo - 1) * z->SW - z->PW - first, z->SW) + 1));
        return;
    }
    int r = (first + z->PW) % z->SW, last = r < z->KW ? r + (z->KW - 1 - r) / z->SW * z->SW : r;
    *left = least(*all, most(0, (int)floor_div(last - z->PW - first + z->SW - 1, z->SW)));
    *right = r < z->KW ? most(*left, least(*all, (int)floor_div((z->Wo - 1) * z->SW + r - z->PW - first, z->SW) + 1)) : *left;
}

/* Stride SW makes SW residues: columns j with (j + PW) % SW = r use the taps r, r + SW, ...  Those from `left` to `right` (in steps of SW)
 * use all of them; the others are computed one by one, and so are all in a stride so large that most columns meet no tap: each residue is code of its own. */
static void backward(Work *w, const Sizes *z)
{
    enum { RESIDUES = 16 };
    DirectPass *p = &w->s->direct_backward;
    int count = least(z->SW, z->W), widest = 1;
    bool many = count > RESIDUES;
    count = many ? 1 : count;
    int(*at)[3] = arena_alloc(w->m->arena, sizeof *at * (size_t)count);
    for (int first = 0; first < count && !many; first++) {
        residue(z, first, &at[first][0], &at[first][1], &at[first][2]);
        widest = most(widest, at[first][1] - at[first][0]);
    }
    p->tile = schedule_tile(w, "backward", (TileWork){ z->C, widest, 1, w->on.parts, 0, false, 0 });
    int taps = (int)(ceil_div(z->KH, z->SH) * (p->tile.Q + ceil_div(z->KW, z->SW) - 1));
    p->bytes = (int64_t)z->M * taps * w->on.vec_bytes;
    p->block = block_of(&w->on, z->M, p->bytes);
    p->columns = NEW_ARRAY(w->m->arena, Columns, count);
    if (many)
        p->columns[p->columns_count++] = columns_of(0, 1, z->W, z->W, z->W, 1);
    for (int first = 0; first < count && !many; first++)
        p->columns[p->columns_count++] = columns_of(first, z->SW, at[first][0], at[first][1], at[first][2], p->tile.Q);
    pieces_of(w, p, z->C, 0);
}

/* ---- few channels ------------------------------------------------------------------------------------------- */

/* So few channels, with stride 1, that a tile of all of them and the weights of a whole row of taps are in registers. */
static bool is_few(const Sizes *z)
{
    enum { CHANNELS = 3, TAPS = 9 };
    return z->C <= CHANNELS && z->KW > 1 && z->KW * z->C <= TAPS && z->SH == 1 && z->SW == 1 && z->DH == 1 && z->DW == 1;
}

static bool few_same(const FewTile *a, const FewTile *b) { return a->Q == b->Q && a->low == b->low && a->high == b->high; }

static void few_taps(Work *w, FewTile *t, const Sizes *z)
{
    t->first_tap = most(0, -t->high), t->last_tap = least(z->KW, t->Q - t->low) - 1;
    t->loads = NEW_ARRAY(w->m->arena, FewTaps, t->high - t->low + 2);
    for (int d = t->high, i = 0; d >= t->low; d--, i++) {
        int v = most(0, -d), end = least(z->KW, t->Q - d);
        t->loads[i] = (FewTaps){ v, end - v, d + v };
    }
}

/* The taps that would read outside dy are left out: tiles at the left and the right border are functions of their own. */
static void backward_few(Work *w, const Sizes *z)
{
    enum { COLUMNS = 16, REGISTERS = 31 };
    OpSchedule *s = w->s;
    int parts = w->on.parts;
    int widest = most(1, least(COLUMNS, (least(w->on.target->registers, REGISTERS) - z->C * z->KW - parts) / (z->C * parts)));
    Runs runs = runs_spread(z->W, widest);
    s->few = NEW_ARRAY(w->m->arena, FewTile, runs_pieces(&runs));
    for (int i = 0; i < runs.count; i++)
        for (int j = runs.run[i].from, Q = runs.run[i].size; j < runs.run[i].to; j += Q) {
            FewTile t = {
                .Q = Q, .from = j, .to = j + Q, .low = most(1 - z->KW, -(j + z->PW)), .high = least(Q - 1, z->Wo - 1 - j - z->PW)
            };
            FewTile *known = NULL;
            for (int k = 0; k < s->few_count && !known; k++)
                known = few_same(&s->few[k], &t) ? &s->few[k] : NULL;
            if (known) {
                known->to = j + Q;
                continue;
            }
            const char *left = t.low > 1 - z->KW ? "_left" : "", *right = t.high < Q - 1 ? "_right" : "";
            const char *at = *left || *right ? arena_printf(w->m->arena, "%d", j) : "";
            t.name = arena_printf(w->m->arena, "backward_%dx%d%s%s%s", z->C, Q, left, right, at);
            few_taps(w, &t, z);
            s->few[s->few_count++] = t;
        }
}

/* ---- weights ------------------------------------------------------------------------------------------------ */

/* With padding each tap has its own range of positions, so a register tile holds one tap. */
static Tile weights_tile(Work *w, const Sizes *z, int *taps, int *channels)
{
    enum { TAPS = 4, CHANNELS = 6, IN_FLIGHT = 8 };
    int parts = w->on.parts;
    Tile found = { 0 };
    double least_score = 0;
    *taps = z->padded ? 1 : runs_spread(z->KW, TAPS).run[0].size;
    *channels = 1;
    for (int k = 1; k <= CHANNELS; k++) {
        if (z->C % k)
            continue;
        Tile t = tile_best(&w->on, (TileWork){ z->M, k * *taps, parts, parts, 0, false, 0 });
        if (t.Q != k * *taps)
            continue;
        int sums = t.F * t.Q, idle = IN_FLIGHT - sums * parts;
        double score = (sums + 2.0) / sums + (t.F + t.Q) * 0.5 / sums + most(0, idle);
        if (!found.F || score < least_score)
            least_score = score, found = t, *channels = k;
    }
    if (!found.F) {
        *taps = 1;
        found = tile_best(&w->on, (TileWork){ z->M, 1, parts, parts, 0, false, 0 });
    }
    return found;
}

/* The inner loop reads all of its operand's maps in each round of the outer one: x for each tile of filters, or dy for each of channels. */
static bool channels_outside(const Sizes *z, int F, int channels)
{
    const double x = (double)z->C * z->H * z->W, dy = (double)z->M * z->Ho * z->Wo;
    return x * (double)ceil_div(z->M, F) + dy > dy * (double)ceil_div(z->C, channels) + x;
}

/* Rows of positions: as many as keep their dy and x in the first-level cache.  Between blocks of rows the sums are in memory. */
static void weights(Work *w, const Sizes *z)
{
    DirectWeights *p = &w->s->direct_weights;
    int taps;
    Tile t = weights_tile(w, z, &taps, &p->channels);
    int64_t vecs = w->on.target->rows_bytes / w->on.vec_bytes, above = (int64_t)p->channels * z->W * (z->EH - z->SH);
    int64_t rows = floor_div(vecs - above, (int64_t)t.F * z->Wo + (int64_t)p->channels * z->W * z->SH);
    rows = rows > z->Ho ? z->Ho : rows < 1 ? 1 : rows;
    bool fits = (int64_t)z->KH * t.F * p->channels * taps * w->on.vec_bytes <= STACK_BYTES;             /* the sums between two blocks of rows */
    p->rows = fits && rows < z->Ho ? (int)rows : 0;
    p->tile = (Tile){ t.F, taps };
    p->filters = runs_spread(z->M, t.F);
    p->channels_first = channels_outside(z, t.F, p->channels);
    p->taps = runs_spread(z->KW, taps);
}

void schedule_direct(Work *w)
{
    Sizes z = sizes_of(w->op);
    bool transposed = w->op->kind == OP_conv_transpose;
    if ((!transposed || w->s->dx) && !schedule_packed_forward(w))
        forward(w, &z);
    if ((transposed || w->s->dx) && !schedule_phased(w) && !schedule_packed_backward(w))
        (!transposed && is_few(&z) ? backward_few : backward)(w, &z);
    if (w->s->weights && !schedule_packed_weights(w))
        weights(w, &z);
}
