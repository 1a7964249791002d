/* tiles.c -- the cost model of register tiles.
 *
 * In: the target's registers, and the sums that a kernel makes.  Out: the tile with the lowest estimated cost, and the next ones, which
 * `spnc tune` measures.  A register tile is F x Q vecs of sums in named variables s0_0, s0_1, ...: each loaded operand is used for a whole
 * row or column of it.  Names, not arrays: gcc keeps an array of sums in memory at -O2.  Sizes decide speed, never bits. */
#include "schedule/tiles.h"

enum { SIDE_MOST = 28, PARTS_MOST = 4, OPERANDS_MOST = 31, IN_FLIGHT = 8, BLOCK = 16 };
static const double LOAD = 0.3, LOOP = 3,
                    RUN = 0.01; /* half-cycles of a load in a free half-cycle; of a round's loop; share of a further size */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

/* ---- pieces ------------------------------------------------------------------------------------------------ */

Runs runs_spread(int n, int most)
{
    Runs r = { 0 };
    if (n <= 0)
        return r;
    int count = (int)ceil_div(n, most), size = n / count, from = (n - size * count) * (size + 1);
    if (from > 0)
        r.run[r.count++] = (Run){ size + 1, 0, from, size + 1 };
    if (from < n)
        r.run[r.count++] = (Run){ size, from, n, size };
    return r;
}

Runs runs_inside(int n, int size)
{
    Runs r = { 0 };
    int even = n - n % size;
    if (even > 0)
        r.run[r.count++] = (Run){ size, 0, even, size };
    if (even < n)
        r.run[r.count++] = (Run){ n - even, even, n, n - even };
    return r;
}

Runs runs_placed(Runs r, int from, int step)
{
    for (int i = 0; i < r.count; i++)
        r.run[i] = (Run){ r.run[i].size, from + r.run[i].from * step, from + r.run[i].to * step, r.run[i].size * step };
    return r;
}

int run_pieces(const Run *r) { return (r->to - r->from) / r->step; }

int runs_pieces(const Runs *r)
{
    int n = 0;
    for (int i = 0; i < r->count; i++)
        n += run_pieces(&r->run[i]);
    return n;
}

/* ---- the cost of a tile ------------------------------------------------------------------------------------- */

Machine machine_of(const Model *m)
{
    const Target *t = target_named(m->options.target);
    return (Machine){ t, (int)least(t->vec_registers[m->options.is_double], PARTS_MOST), BLOCK * (m->options.is_double ? 8 : 4) };
}

/* Half-cycles of one round of a tile: two multiply-adds or two loads a cycle, at least eight sums in flight; a load has a small cost even
 * in a free half-cycle, and so has the loop. */
static double round_cost(const Machine *on, int f, int q, int k, int x)
{
    int sums = f * q * on->parts, loads = f * k + q * x, most = sums > loads ? sums : loads;
    return (most > IN_FLIGHT ? most : IN_FLIGHT) + loads * LOAD + LOOP;
}

static bool fits(const Machine *on, TileWork w, int f, int q)
{
    int sums = f * q * on->parts, registers = on->target->registers;
    int operands = f < q ? f * w.row_registers + w.column_registers : q * w.column_registers + w.row_registers;
    bool whole = sums + operands <= least(registers, OPERANDS_MOST) && sums <= registers * 13 / 16 && (!w.blocked || BLOCK % f == 0);
    return whole || f * q == 1;
}

/* A tile with its cost for all sums, and the largest pieces that it cuts. */
typedef struct {
    Tile tile;
    double cost;
    int down, across;
} Choice;

static Choice choice(const Machine *on, TileWork w, int f, int q)
{
    Runs down = w.blocked ? runs_inside(w.rows, f) : runs_spread(w.rows, f), across = runs_spread(w.columns, q);
    double sum = 0;
    for (int i = 0; i < down.count; i++)
        for (int j = 0; j < across.count; j++) {
            const Run *r = &down.run[i], *c = &across.run[j];
            sum += run_pieces(r) * run_pieces(c) * round_cost(on, r->size, c->size, w.row_registers, w.far ? w.far : w.column_registers);
        }
    return (Choice){ { f, q }, sum * (1 + RUN * down.count * across.count), down.run[0].size, across.run[0].size };
}

int tiles_best(const Machine *on, TileWork w, int most, Tile best[TILES_MOST])
{
    Choice sorted[TILES_MOST];
    int count = 0;
    for (int f = 1; f <= least(least(w.rows, SIDE_MOST), w.rows_most ? w.rows_most : SIDE_MOST); f++)
        for (int q = 1; q <= least(w.columns, SIDE_MOST); q++) {
            if (!fits(on, w, f, q))
                continue;
            Choice c = choice(on, w, f, q);
            int at = count;
            bool known = false;
            for (int i = count - 1; i >= 0; i--) {
                known = known || (sorted[i].down == c.down && sorted[i].across == c.across && sorted[i].cost <= c.cost);
                at = sorted[i].cost > c.cost ? i : at;
            }
            if (known || at >= most)
                continue;
            count += count < most;
            for (int i = count - 1; i > at; i--)
                sorted[i] = sorted[i - 1];
            sorted[at] = c;
        }
    for (int i = 0; i < count; i++)
        best[i] = sorted[i].tile;
    return count;
}

Tile tile_best(const Machine *on, TileWork w)
{
    Tile best[TILES_MOST];
    tiles_best(on, w, 1, best);
    return best[0];
}
