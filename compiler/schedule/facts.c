/* facts.c -- the notes of schedule.c as facts for templates: op.schedule, with a table for each function that has choices.
 *
 * In: op->schedule.  Out: facts; compiler/manual/facts.c says what they mean. */
#include "graph/window.h"
#include "lower/transform.h"
#include "schedule/choice.h"
#include "template/fact.h"
#include <string.h>

static Fact *runs_fact(Arena *a, const Runs *runs)
{
    Fact *list = fact_table(a);
    int before = 0;
    for (int i = 0; i < runs->count; i++) {
        const Run *r = &runs->run[i];
        Fact *f = fact_table(a);
        fact_int(f, "size", r->size);
        fact_int(f, "from", r->from), fact_int(f, "to", r->to), fact_int(f, "step", r->step);
        fact_int(f, "before", before);
        before += run_pieces(r);
        fact_int(f, "behind", before);
        fact_bool(f, "one", run_pieces(r) == 1);
        fact_push(list, f);
    }
    return list;
}

static Fact *ints_fact(Arena *a, const int *numbers, int count)
{
    Fact *list = fact_table(a);
    for (int i = 0; i < count; i++)
        fact_push_int(list, numbers[i]);
    return list;
}

/* ---- direct convolution ------------------------------------------------------------------------------------------ */

static Fact *direct_fact(Arena *a, const DirectPass *p)
{
    Fact *f = fact_table(a), *columns = fact_table(a);
    for (int i = 0; i < p->columns_count; i++) {
        Fact *c = fact_table(a);
        fact_set(c, "inner", runs_fact(a, &p->columns[i].inner));
        fact_set(c, "border", runs_fact(a, &p->columns[i].border));
        fact_push(columns, c);
    }
    fact_int(f, "F", p->tile.F), fact_int(f, "Q", p->tile.Q);
    fact_set(f, "rows", runs_fact(a, &p->rows));
    fact_set(f, "edges", runs_fact(a, &p->edges));
    fact_set(f, "columns", columns);
    fact_set(f, "sizes", ints_fact(a, p->sizes, p->size_count));
    fact_bool(f, "border", p->edges.count > 0);
    fact_bool(f, "blocked", p->block > 0);
    fact_int(f, "block", p->block);
    return f;
}

static Fact *few_fact(Arena *a, const OpSchedule *s)
{
    Fact *list = fact_table(a);
    for (int i = 0; i < s->few_count; i++) {
        const FewTile *t = &s->few[i];
        Fact *f = fact_table(a), *loads = fact_table(a);
        for (int d = t->high; d >= t->low; d--) {
            const FewTaps *l = &t->loads[t->high - d];
            Fact *x = fact_table(a);
            fact_int(x, "at", d);
            fact_int(x, "tap", l->v), fact_int(x, "count", l->count), fact_int(x, "column", l->column);
            fact_push(loads, x);
        }
        fact_text(f, "name", t->name);
        fact_int(f, "Q", t->Q);
        fact_int(f, "from", t->from), fact_int(f, "to", t->to);
        fact_int(f, "first_tap", t->first_tap), fact_int(f, "last_tap", t->last_tap);
        fact_set(f, "loads", loads);
        fact_push(list, f);
    }
    return list;
}

static Fact *direct_weights_fact(Arena *a, const DirectWeights *p)
{
    Fact *f = fact_table(a);
    fact_int(f, "F", p->tile.F), fact_int(f, "Q", p->tile.Q);
    fact_int(f, "channels", p->channels);
    fact_bool(f, "channels_first", p->channels_first);
    fact_set(f, "filters", runs_fact(a, &p->filters));
    fact_set(f, "taps", runs_fact(a, &p->taps));
    fact_bool(f, "blocked", p->rows > 0);
    fact_int(f, "rows", p->rows);
    return f;
}

/* A pass whose operands are copied; no fields but `used` without one. */
static Fact *packed_fact(Arena *a, const Op *op, const PackedPass *p, bool back)
{
    Fact *f = fact_table(a);
    fact_bool(f, "used", p != NULL);
    if (!p)
        return f;
    Window w = window_of(op);
    int64_t filters = w.filters / w.groups, channels = w.channels / w.groups;
    const int64_t positions = back ? w.x[0] * w.x[1] : w.y[0] * w.y[1];
    fact_int(f, "Q", p->tile.Q), fact_bool(f, "ragged", positions % p->tile.Q > 0);
    fact_set(f, "rows", runs_fact(a, &p->rows));
    fact_int(f, "of", back ? filters : channels);
    fact_int(f, "block", p->block), fact_bool(f, "blocked", p->blocked);
    fact_int(f, "taps", p->taps);
    fact_int(f, "ahead", back ? p->tile.Q : p->tile.Q * w.stride[1]);
    fact_int(f, "copies", (int64_t)p->block * p->taps);
    fact_int(f, "products", channels * w.kernel[0] * w.kernel[1]);
    fact_bool(f, "in_place", p->in_place), fact_bool(f, "padded", p->padded);
    return f;
}

/* Likewise of the gradient to the input in a stride. */
static Fact *phased_fact(Arena *a, const PhasedPass *p, Window w)
{
    Fact *f = fact_table(a);
    fact_bool(f, "used", p != NULL);
    if (!p)
        return f;
    Fact *tiles = fact_table(a);
    for (int k = 0; k < 2; k++) {
        const Runs *rows = k ? &p->edges : &p->rows;
        const int Q = k ? 1 : p->tile.Q;
        for (int i = 0; i < rows->count && (k || Q > 1); i++) {
            Fact *t = fact_table(a);
            fact_int(t, "F", rows->run[i].size), fact_int(t, "Q", Q);
            fact_push(tiles, t);
        }
    }
    fact_set(f, "tiles", tiles);
    fact_int(f, "Q", p->tile.Q);
    fact_set(f, "rows", runs_fact(a, &p->rows)), fact_set(f, "edges", runs_fact(a, &p->edges));
    fact_int(f, "down", p->down), fact_int(f, "across", p->across);
    fact_int(f, "high", p->high), fact_int(f, "wide", p->wide), fact_int(f, "area", p->high * p->wide), fact_int(f, "tap_row", p->wide * w.dilation[0]);
    fact_int(f, "strip_rows", p->down * w.stride[0]), fact_int(f, "strip_columns", p->across * w.stride[1]);
    fact_int(f, "first_row", p->first_row), fact_int(f, "first_column", p->first_column);
    fact_int(f, "block", p->block), fact_int(f, "chunk", p->chunk), fact_bool(f, "blocked", p->blocked);
    fact_int(f, "copies", (int64_t)p->block * p->high);
    fact_bool(f, "copied", p->copied), fact_bool(f, "zeros", p->zeros);
    return f;
}

/* Likewise of the gradient to the weights. */
static Fact *packed_weights_fact(Arena *a, const Op *op, const PackedWeights *p)
{
    Fact *f = fact_table(a);
    fact_bool(f, "used", p != NULL);
    if (!p)
        return f;
    fact_int(f, "Q", p->tile.Q);
    fact_set(f, "rows", runs_fact(a, &p->filters));
    fact_int(f, "columns", p->columns), fact_int(f, "panel", p->panel), fact_int(f, "block", p->block);
    Window w = window_of(op);
    fact_bool(f, "panels", p->panel < p->columns), fact_bool(f, "blocks", p->block < w.y[0] * w.y[1]);
    return f;
}

/* The C of a column `offset` behind the tile's place. */
static const char *column_text(Arena *a, int place, const char *variable, int offset)
{
    if (!variable)
        return arena_printf(a, "%d", place + offset);
    return offset ? arena_printf(a, "%s %c %d", variable, offset < 0 ? '-' : '+', offset < 0 ? -offset : offset) : variable;
}

/* Tiles of a depthwise convolution.  `variable`: C of a tile's place in a row of its operand, `place` of its first column there.  `single`: of a tile that is
 * used once the columns are numbers. */
static Fact *lines_fact(Arena *a, const LinePass *p, const char *variable, int times, int over, bool single)
{
    Fact *list = fact_table(a);
    for (int i = 0; i < p->count; i++) {
        const LineTile *t = &p->tiles[i];
        Fact *f = fact_table(a), *loads = fact_table(a);
        bool once = t->from + t->Q == t->to, number = single && once, used[LINE_PAIRS] = { 0 };
        Fact *all = fact_table(a);
        for (int k = 0; k < t->load_count; k++) {
            const LineLoad *l = &t->loads[k];
            Fact *x = fact_table(a), *columns = fact_table(a), *taps = fact_table(a);
            for (int n = 0; n < l->count; n++) {
                fact_push_int(columns, l->pairs[n].column), fact_push_int(taps, l->pairs[n].tap);
                used[l->pairs[n].tap] = true;
            }
            fact_text(x, "at", column_text(a, t->from * times / over, number ? NULL : variable, l->at));
            fact_int(x, "count", l->count);
            fact_set(x, "columns", columns), fact_set(x, "taps", taps);
            fact_push(loads, x);
        }
        for (int v = 0; v < LINE_PAIRS; v++)
            if (used[v])
                fact_push_int(all, v);
        fact_text(f, "name", t->name);
        fact_set(f, "taps", all);
        fact_bool(f, "once", once);
        fact_text(f, "first", number ? arena_printf(a, "%d", t->from) : "j");
        fact_int(f, "Q", t->Q), fact_int(f, "from", t->from), fact_int(f, "to", t->to);
        fact_set(f, "loads", loads);
        fact_push(list, f);
    }
    return list;
}

static Fact *line_schedule_fact(const Model *m, const Op *op)
{
    Arena *a = m->arena;
    const LineSchedule *s = op->schedule->lines;
    Window w = window_of(op);
    int stride = (int)w.stride[1];
    const char *times = stride > 1 ? arena_printf(a, "j * %d", stride) : "j", *over = stride > 1 ? arena_printf(a, "j / %d", stride) : "j";
    Fact *f = fact_table(a);
    fact_set(f, "forward", lines_fact(a, &s->forward, times, stride, 1, false));
    fact_set(f, "backward", lines_fact(a, &s->backward, over, 1, stride, false));
    fact_set(f, "weights", lines_fact(a, &s->weights, times, stride, 1, true));
    fact_set(f, "rows", runs_fact(a, &s->rows));
    fact_int(f, "Q", s->weights.Q);
    return f;
}

/* ---- dense layer, convolution with its pool ---------------------------------------------------------------------- */

static Fact *panels_fact(Arena *a, const DensePanels *p)
{
    Fact *f = fact_table(a), *tiles = fact_table(a);
    for (int i = 0; i < p->tile_count; i++) {
        Fact *t = fact_table(a);
        fact_int(t, "F", p->tiles[i].F), fact_int(t, "Q", p->tiles[i].Q);
        fact_push(tiles, t);
    }
    fact_set(f, "tiles", tiles);
    fact_set(f, "rows", runs_fact(a, &p->rows));
    fact_set(f, "rest", runs_fact(a, &p->rest));
    fact_set(f, "panels", runs_fact(a, &p->panels));
    fact_int(f, "count", runs_pieces(&p->panels));
    fact_int(f, "wide", p->wide);
    fact_int(f, "block", p->block);
    fact_int(f, "S", p->S);
    fact_int(f, "slices", p->slices);
    fact_int(f, "pieces", p->pieces);
    fact_bool(f, "prefetch", p->prefetch);
    fact_bool(f, "straight", p->straight);
    fact_int(f, "ahead", p->ahead);
    return f;
}

static Fact *rows_fact(Arena *a, const DenseRows *p, int64_t vecs)
{
    Fact *f = fact_table(a);
    fact_set(f, "rows", runs_fact(a, &p->rows));
    fact_set(f, "columns", runs_fact(a, &p->columns));
    fact_int(f, "S", p->S);
    fact_int(f, "S_vecs", (int64_t)p->S * vecs);
    fact_int(f, "row_pieces", runs_pieces(&p->rows));
    fact_int(f, "column_pieces", runs_pieces(&p->columns));
    fact_bool(f, "blocked", p->block > 0);
    fact_int(f, "block", p->block);
    fact_int(f, "chunk", p->chunk), fact_int(f, "chunks", p->chunks);
    fact_int(f, "across", p->across), fact_int(f, "acrosses", p->acrosses);
    fact_int(f, "pieces", p->pieces);
    fact_bool(f, "prefetch", p->prefetch);
    return f;
}

/* ---- Winograd ------------------------------------------------------------------------------------------------------ */

/* The C of a transform of vecs, or the same with p_ for v_, which transforms one part of them. */
static const char *of_type(Arena *a, const char *text, bool part)
{
    char *c = arena_copy(a, text, strlen(text));
    for (char *v = c; part && (v = strstr(v, "v_")); v++)
        *v = 'p';
    return c;
}

static Fact *transform_text(Arena *a, const Transform *t, bool part)
{
    Fact *f = fact_table(a), *sums = fact_table(a), *results = fact_table(a);
    for (int i = 0; i < t->sum_count; i++) {
        Fact *s = fact_table(a);
        fact_text(s, "name", t->sums[i].name);
        fact_text(s, "value", of_type(a, t->sums[i].value, part));
        fact_push(sums, s);
    }
    for (int i = 0; i < t->result_count; i++)
        fact_push_text(results, of_type(a, t->results[i], part));
    fact_text(f, "type", part ? "vpart" : "vec");
    fact_int(f, "inputs", t->inputs);
    fact_set(f, "sums", sums);
    fact_set(f, "results", results);
    return f;
}

static Fact *transform_fact(Arena *a, const Transform *t)
{
    Fact *f = transform_text(a, t, false);
    fact_set(f, "part", transform_text(a, t, true));
    return f;
}

/* All transforms of tiles of m outputs along an axis. */
static Fact *axis_fact(Arena *a, int m)
{
    static const char *const names[TRANSFORMS][2] = { { "input", "input_adjoint" },
                                                      { "output", "output_adjoint" },
                                                      { "filter", "filter_adjoint" } };
    Fact *f = fact_table(a);
    for (TransformKind k = 0; k < TRANSFORMS; k++)
        for (int adjoint = 0; adjoint < 2; adjoint++)
            fact_set(f, names[k][adjoint], transform_fact(a, transform_of(a, k, adjoint, m)));
    return f;
}

/* The row or column of tile t, where the first of `count` along the axis lies at `from`: text for format() of t. */
static const char *place(Arena *a, int from, const char *number, int count, int m)
{
    const char *start = from ? arena_printf(a, "%d + ", from) : "";
    return count == 1 ? arena_printf(a, "%d", from) : arena_printf(a, "%s%s * %d", start, number, m);
}

static Fact *blocks_fact(Arena *a, const WinogradSchedule *s, const Runs *runs)
{
    Fact *list = fact_table(a);
    for (int i = 0; i < runs->count; i++) {
        const Run *r = &runs->run[i];
        Fact *f = fact_table(a);
        int number = 0;
        while (number < s->size_count && s->sizes[number] != r->size)
            number++;
        fact_int(f, "size", r->size);
        fact_int(f, "from", r->from), fact_int(f, "to", r->to);
        fact_int(f, "number", number + 1);
        fact_bool(f, "last", i == runs->count - 1);
        const bool once = r->to - r->from == r->size, single = r->size == 1;
        const char *first = once ? arena_printf(a, "%d", r->from) : "t";
        fact_bool(f, "once", once);
        fact_text(f, "tile", single ? first : once && !r->from ? "s" : arena_printf(a, "(%s + s)", first));
        fact_push(list, f);
    }
    return list;
}

/* before: the padding above and to the left. */
static Fact *kind_fact(Arena *a, const WinogradSchedule *s, int number, Fact *const axes[], const int64_t before[2])
{
    const WinogradKind *k = &s->layout.kind[number];
    int rows = k->tiles / k->columns, packs = s->packs, vecs = packs ? (int)ceil_div(k->tiles, packs) : k->tiles;
    Fact *f = fact_table(a);
    fact_text(f, "name", arena_printf(a, "%dx%d", k->mh, k->mw));
    fact_int(f, "mh", k->mh), fact_int(f, "mw", k->mw), fact_int(f, "nh", k->nh), fact_int(f, "nw", k->nw);
    fact_set(f, "high", axes[k->mh]), fact_set(f, "wide", axes[k->mw]);
    fact_int(f, "tiles", k->tiles), fact_int(f, "outputs", k->mh * k->mw), fact_int(f, "tile_reals", k->tiles * 16);
    fact_int(f, "at", k->at), fact_int(f, "positions", k->positions);
    const char *down = place(a, k->i, k->columns == 1 ? "%s" : arena_printf(a, "%%s / %d", k->columns), rows, k->mh);
    const char *right = place(a, k->j, rows == 1 ? "%s" : arena_printf(a, "%%s %%%% %d", k->columns), k->columns, k->mw);
    fact_text(f, "down", down), fact_text(f, "right", right);
    fact_text(f, "x_down", before[0] ? arena_printf(a, "%s - %lld", down, (long long)before[0]) : down);
    fact_text(f, "x_right", before[1] ? arena_printf(a, "%s - %lld", right, (long long)before[1]) : right);
    fact_text(f, "above", k->i ? "1" : rows == 1 ? "0" : arena_printf(a, "%s > 0", down));
    fact_text(f, "left", k->j ? "1" : k->columns == 1 ? "0" : arena_printf(a, "%s > 0", right));
    fact_bool(f, "shared", packs && k->tiles > 1);
    fact_bool(f, "ragged", packs && k->tiles % packs);
    fact_text(f, "together",
              !packs || k->tiles % packs == 0 ? arena_printf(a, "%d", packs)
              : vecs == 1                     ? arena_printf(a, "%d", k->tiles)
                          : arena_printf(a, "%%s * %d + %d < %d ? %d : %d - %%s * %d", packs, packs, k->tiles, packs, k->tiles, packs));
    fact_int(f, "vecs", k->tiles), fact_int(f, "packed_vecs", vecs);
    fact_set(f, "blocks", blocks_fact(a, s, &s->blocks[number]));
    fact_set(f, "packed_blocks", blocks_fact(a, s, &s->packed[number]));
    fact_int(f, "terms", k->terms), fact_int(f, "terms_p", k->terms_p), fact_int(f, "terms_plane", k->terms_plane);
    return f;
}

/* Rows, of whose sums a chunk is in memory together: whole tiles, and whole blocks of 16 of u's rows. */
static Fact *chunks_fact(Arena *a, const Runs *rows, int chunk, bool blocked)
{
    Fact *list = runs_fact(a, rows);
    for (int i = 0; i < rows->count; i++) {
        const Run *r = &rows->run[i];
        int unit = blocked ? 16 : r->size, most = chunk / unit * unit, size = most > unit ? most : unit;
        const bool whole = size >= r->to - r->from;
        Fact *f = list->items.items[i];
        fact_int(f, "chunk", size);
        fact_bool(f, "whole", whole);
        fact_text(f, "low", whole ? arena_printf(a, "%d", r->from) : "from");
        fact_text(f, "high", whole ? arena_printf(a, "%d", r->to) : "to");
    }
    return list;
}

static Fact *pass_fact(Arena *a, const WinogradSchedule *s, const WinogradPass *p, int K)
{
    Fact *f = fact_table(a), *tiles = fact_table(a);
    for (int i = 0; i < s->size_count; i++) {
        Fact *t = fact_table(a);
        fact_int(t, "T", s->sizes[i]);
        fact_set(t, "rows", chunks_fact(a, &p->tiles[i].rows, s->chunk, p->blocked));
        fact_set(t, "columns", runs_fact(a, &p->tiles[i].columns));
        fact_push(tiles, t);
    }
    fact_int(f, "K", K), fact_bool(f, "ragged", K % 16 > 0);
    fact_bool(f, "blocked", p->blocked);
    fact_set(f, "tiles", tiles);
    return f;
}

/* One of each number of tiles in a kind: a function of the deferred product. */
static Fact *lists_fact(const Model *m, const WinogradSchedule *s, Fact *const kinds[])
{
    Arena *a = m->arena;
    Fact *list = fact_table(a);
    const Winograd *w = &s->layout;
    int calls = runs_pieces(&s->weights.rows) * runs_pieces(&s->weights.columns);
    for (int k = 0; k < w->kinds; k++) {
        int t = w->kind[k].tiles;
        bool known = false;
        for (int i = 0; i < k; i++)
            known = known || w->kind[i].tiles == t;
        const char *all = t > 1 ? arena_printf(a, "%d * L", t) : "L";
        Fact *f = known ? NULL : fact_table(a);
        int soon = calls ? (int)ceil_div((int64_t)t * (w->P + w->QP), calls) : 0;
        fact_int(kinds[k], "soon", soon);
        if (!f)
            continue;
        fact_int(f, "tiles", t);
        fact_int(f, "soon", soon);
        fact_bool(f, "short", s->images < 16);
        fact_text(f, "count",
                  s->images == 16 ? all : arena_printf(a, "g %% %d == %d ? %d : %s", m->groups, m->groups - 1, t * s->images, all));
        fact_push(list, f);
    }
    return list;
}

static Fact *winograd_fact(const Model *m, const WinogradSchedule *s, int slices, const int64_t before[2])
{
    Arena *a = m->arena;
    const Winograd *w = &s->layout;
    Fact *f = fact_table(a), *kinds = fact_table(a), *points = fact_table(a), *axes[7] = { 0 }, *kind[4];
    for (int size = 6; size > 1; size--) {
        bool used = false;
        for (int k = 0; k < w->kinds; k++)
            used = used || w->kind[k].mh == size || w->kind[k].mw == size;
        if (!used)
            continue;
        axes[size] = axis_fact(a, size);
        fact_push_text(points, arena_printf(a, "%d: points %s", size, transform_points(a, size)));
    }
    for (int k = 0; k < w->kinds; k++)
        fact_push(kinds, kind[k] = kind_fact(a, s, k, axes, before));
    fact_int(f, "P", w->P), fact_int(f, "Q", w->Q), fact_int(f, "QP", w->QP), fact_int(f, "side_reals", w->QP * 16), fact_int(f, "shares", w->QP / 16 * ceil_div(w->P, WINOGRAD_TOGETHER));
    fact_bool(f, "across", w->across);
    fact_int(f, "block", w->block), fact_int(f, "matrix", w->matrix), fact_int(f, "positions", w->positions);
    fact_set(f, "kinds", kinds);
    fact_set(f, "points", points);
    fact_int(f, "together", WINOGRAD_TOGETHER), fact_int(f, "pieces", ceil_div(w->P, WINOGRAD_TOGETHER));
    fact_int(f, "T", s->T);
    fact_int(f, "plane", s->plane), fact_int(f, "part", s->part), fact_int(f, "square_reals", WINOGRAD_SQUARE);
    fact_int(f, "planes", (int64_t)w->most_positions * s->plane), fact_int(f, "parts", (int64_t)w->most_positions * s->part);
    fact_int(f, "squares", (int64_t)w->most_positions * WINOGRAD_SQUARE);
    fact_int(f, "packs", s->packs), fact_int(f, "share", s->packs ? 16 / s->packs : 16);
    fact_bool(f, "far_x", s->far_x), fact_bool(f, "far_y", s->far_y);
    fact_set(f, "sizes", ints_fact(a, s->sizes, s->size_count));
    fact_set(f, "forward", pass_fact(a, s, &s->forward, w->C));
    fact_set(f, "backward", pass_fact(a, s, &s->backward, w->M));
    fact_set(f, "rows", chunks_fact(a, &s->weights.rows, s->chunk, false));
    fact_set(f, "columns", runs_fact(a, &s->weights.columns));
    fact_set(f, "lists", lists_fact(m, s, kind));
    fact_int(f, "deep", s->deep);
    fact_int(f, "slices", slices), fact_int(f, "slice", ceil_div(w->terms_reals, 16) * 16);
    return f;
}

/* ---- latency form ---------------------------------------------------------------------------------------------------- */

static void phases_fact(Arena *a, const Latency *l, Fact *f)
{
    Fact *phases = fact_table(a);
    int most = 0, least = l->taps;
    for (int64_t i = 0; i < l->window.stride[0] * l->window.stride[1]; i++) {
        const LatencyPhase *p = &l->phases[i];
        Fact *one = fact_table(a);
        fact_int(one, "taps", p->taps), fact_int(one, "weights", p->weights), fact_set(one, "at", ints_fact(a, p->at, p->taps));
        fact_push(phases, one);
        most = p->taps > most ? p->taps : most, least = p->taps < least ? p->taps : least;
    }
    fact_set(f, "phases", phases), fact_int(f, "phase_count", phases->items.count), fact_bool(f, "even", most == least), fact_int(f, "most_taps", most);
    fact_text(f, "count", most == least ? arena_printf(a, "%d", most) : "taps");
    fact_int(f, "zeros_above", l->above), fact_int(f, "zeros_left", l->left);
}

static Fact *latency_fact(const Model *m, const Op *op)
{
    Arena *a = m->arena;
    const Latency *l = op->kernel.latency;
    const LatencyTiles *s = &op->schedule->latency;
    const int64_t points = l->window.y[0] * l->window.y[1];
    Fact *f = fact_table(a);
    fact_int(f, "Q", s->tile.Q);
    fact_set(f, "rows", runs_fact(a, &s->rows)), fact_set(f, "columns", runs_fact(a, &s->columns));
    fact_int(f, "M", l->M), fact_int(f, "C", l->C), fact_int(f, "MP", l->MP), fact_int(f, "panels", l->MP / 16);
    fact_int(f, "left", l->M % 16);
    fact_int(f, "terms", (int64_t)l->C * l->taps), fact_int(f, "weight_reals", (int64_t)l->C * l->taps * l->M), fact_int(f, "taps", l->taps);
    if (l->kind == BY_PHASES)
        phases_fact(a, l, f);
    else
        fact_set(f, "at", ints_fact(a, l->at, l->taps));
    fact_int(f, "rows_read", l->rows), fact_int(f, "pitch", l->pitch), fact_int(f, "plane", l->plane);
    fact_int(f, "parts_down", l->parts[0]), fact_int(f, "parts_across", l->parts[1]);
    fact_bool(f, "copied", l->copied), fact_bool(f, "parted", l->parted);
    fact_bool(f, "flat", l->flat), fact_bool(f, "work", l->copied || s->stage);
    fact_int(f, "copy", l->copy_reals), fact_int(f, "stage", (int64_t)l->vecs * 16), fact_int(f, "points", points);
    fact_bool(f, "far", (int64_t)l->MP * l->C > target_named(m->options.target)->weight_reals);
    if (l->kind == BY_OUTPUTS)
        fact_int(f, "sums", l->sums), fact_int(f, "in_turn", l->C - l->C % l->sums), fact_int(f, "rest", l->C % l->sums);
    fact_bool(f, "batched", l->batched), fact_bool(f, "once", !op->reads[0].tensor->repeat);
    fact_int(f, "x_slot", tensor_owner(op->reads[0].tensor)->slot_reals), fact_int(f, "y_slot", tensor_owner(op->writes[0].tensor)->slot_reals);
    fact_bool(f, "bias", op->weight_count > 1), fact_bool(f, "norm", op->fold.norm != NULL);
    if (l->kind == BY_TILES) {
        const int positions = (l->side + 2) * (l->side + 2);
        fact_int(f, "side", l->side), fact_int(f, "line", l->side + 2), fact_int(f, "positions", positions);
        fact_int(f, "down", l->tiles[0]), fact_int(f, "across", l->tiles[1]);
        fact_int(f, "CP", ceil_div(l->C, 16) * 16), fact_int(f, "together", s->together), fact_int(f, "turned", s->turned), fact_int(f, "done", s->done), fact_int(f, "inputs", s->stage);
        fact_text(f, "evaluated", transform_points(a, l->side));
        fact_set(f, "input", transform_fact(a, transform_of(a, INPUT_TRANSFORM, false, l->side)));
        fact_set(f, "output", transform_fact(a, transform_of(a, OUTPUT_TRANSFORM, false, l->side)));
    }
    fact_text(f, "y", l->window.flat ? "y[0]" : "y[0][0]"), fact_text(f, "x", l->window.flat ? "x[0]" : "x[0][0]");
    return f;
}

Fact *schedule_facts(const Model *m, const Op *op)
{
    Arena *a = m->arena;
    const OpSchedule *s = op->schedule;
    Fact *f = fact_table(a);
    if (!s)
        return f;
    if (op->kernel.latency) {
        fact_set(f, "latency", latency_fact(m, op));
        return f;
    }
    switch (op->kind) {
    case OP_dense:
        fact_text(f, "is_last", dense_positions(op) > 1 ? arena_printf(a, "%%s / %lld %%%% %d == %d", (long long)dense_positions(op), m->groups, m->groups - 1)
                                                        : arena_printf(a, "%%s %%%% %d == %d", m->groups, m->groups - 1));
        fact_set(f, "panels", panels_fact(a, &s->panels));
        fact_set(f, "inputs", rows_fact(a, &s->dense_backward, ceil_div(op_int(op, "units"), 16)));
        fact_set(f, "products", rows_fact(a, &s->products, ceil_div(op_int(op, "units"), 16)));
        break;
    case OP_matmul:
        for (int i = 0; i < 3; i++) {
            static const char *const names[3] = { "product", "product_a", "product_b" };
            Fact *p = fact_table(a);
            fact_set(p, "rows", runs_fact(a, &s->product_rows[i]));
            fact_set(p, "columns", runs_fact(a, &s->product_columns[i]));
            fact_set(f, names[i], p);
        }
        break;
    case OP_conv_pool: fact_set(f, "filters", runs_fact(a, &s->pool_filters)); break;
    default:
        if (s->winograd) {
            Window w = window_of(op);
            fact_set(f, "winograd", winograd_fact(m, s->winograd, s->weights ? schedule_slices(m, s->weights) : 0, w.before));
            break;
        }
        fact_bool(f, "depthwise", s->lines != NULL);
        if (s->lines) {
            fact_set(f, "lines", line_schedule_fact(m, op));
            break;
        }
        fact_set(f, "forward", direct_fact(a, &s->direct_forward));
        fact_set(f, "backward", direct_fact(a, &s->direct_backward));
        fact_set(f, "few", few_fact(a, s));
        fact_set(f, "weights", direct_weights_fact(a, &s->direct_weights));
        fact_set(f, "packed_forward", packed_fact(a, op, s->packed_forward, false));
        fact_set(f, "packed_backward", packed_fact(a, op, s->packed_backward, true));
        fact_set(f, "phased", phased_fact(a, s->phased, window_of(op)));
        fact_set(f, "packed_weights", packed_weights_fact(a, op, s->packed_weights));
    }
    return f;
}
