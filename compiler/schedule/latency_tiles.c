/* latency_tiles.c -- the latency form: register tiles of its kernels, and the working memory that they need.
 *
 * In: an operator's layout (lower/latency.c).  Out: its tiles; the size of its working memory, which is a copy of x and sums on their way to the result.
 * An operator that needs none loses that operand. */
#include "schedule/kernels.h"

static int least(int a, int b) { return a < b ? a : b; }

/* Positions, or examples that are taken together, whose sums fit the registers beside those of a panel. */
static int positions_together(const Work *w, int panel)
{
    const int64_t all = w->op->kernel.latency->batched ? w->m->batch : dense_positions(w->op);
    const int room = w->on.target->registers - w->on.parts;
    int n = 1;
    while ((n + 1) * (panel * w->op->kernel.latency->sums * w->on.parts + 1) <= room)
        n++;
    return least(n, (int)(all < n ? all : n));
}

static void outputs(Work *w)
{
    LatencyTiles *s = &w->s->latency;
    const int vecs = w->op->kernel.latency->MP / 16;
    s->columns = runs_spread(vecs, LATENCY_PANEL);
    s->tile = (Tile){ positions_together(w, s->columns.run[0].size), s->columns.run[0].size };
    s->rows = runs_spread(w->op->kernel.latency->batched ? s->tile.F : (int)dense_positions(w->op), s->tile.F);
}

static void conv(Work *w)
{
    const Latency *l = w->op->kernel.latency;
    LatencyTiles *s = &w->s->latency;
    const bool points = l->kind == BY_POINTS;
    const int rows = points ? l->M : (int)l->window.y[1], columns = points ? l->vecs : l->MP / 16;
    const int within = points && !l->flat ? (int)l->window.y[1] / 16 : columns; /* row by row, no tile is wider than a row */
    s->tile = tile_best(&w->on, (TileWork){ rows, within, 1, w->on.parts, 0, false, 0 });
    s->rows = runs_spread(rows, s->tile.F), s->columns = runs_spread(columns, s->tile.Q);
    if (points)
        s->stage = l->flat ? s->rows.run[0].size * l->vecs * 16 : 0;
    else
        s->stage = (int)(l->window.y[0] * l->window.y[1]) * l->MP;
    Op *op = w->op;
    op->writes[op->write_count - 1].tensor->reals = l->copy_reals + s->stage;
    if (!l->copied && !s->stage)
        op->write_count--;
}

/* Tiles of filters x vecs of points of a phase; working memory: the copy of x, and the sums of all phases of a row of results. */
static void phases(Work *w)
{
    const Latency *l = w->op->kernel.latency;
    LatencyTiles *s = &w->s->latency;
    s->tile = tile_best(&w->on, (TileWork){ l->M, l->vecs, 1, w->on.parts, 0, false, 0 });
    s->rows = runs_spread(l->M, s->tile.F), s->columns = runs_spread(l->vecs, s->tile.Q);
    s->stage = (int)l->window.stride[1] * s->rows.run[0].size * l->vecs * 16;
    w->op->writes[w->op->write_count - 1].tensor->reals = l->copy_reals + s->stage;
}

/* Working memory: x with channels in the lanes, y with filters there; V and its sums, [positions][tiles][channels or filters], of whole rows of tiles. */
static void tiles(Work *w)
{
    const Latency *l = w->op->kernel.latency;
    LatencyTiles *s = &w->s->latency;
    const int64_t points = (l->side + 2) * (l->side + 2), CP = ceil_div(l->C, 16) * 16;
    const int64_t row = points * l->tiles[1] * (CP + l->MP);
    int rows = l->tiles[0];
    while (rows > 1 && (l->tiles[0] % rows || rows * row > w->on.target->inputs_reals))
        rows--;
    s->together = rows * l->tiles[1];
    s->tile = tile_best(&w->on, (TileWork){ s->together, l->MP / 16, 1, w->on.parts, 0, false, 0 });
    s->rows = runs_spread(s->together, s->tile.F), s->columns = runs_spread(l->MP / 16, s->tile.Q);
    s->turned = (int64_t)(l->tiles[0] * l->side + 2) * (l->tiles[1] * l->side + 2) * CP;
    s->done = ((int64_t)l->tiles[0] * l->tiles[1] * l->side * l->side + 16) * l->MP;
    s->stage = (int)(points * (s->together * CP + 16));
    w->op->writes[w->op->write_count - 1].tensor->reals = s->turned + s->done + s->stage + points * (s->together * l->MP + 16);
}

void schedule_latency(Work *w)
{
    const LatencyKind kind = w->op->kernel.latency->kind;
    (kind == BY_OUTPUTS ? outputs : kind == BY_TILES ? tiles : kind == BY_PHASES ? phases : conv)(w);
}
