/* facts.c -- the notes of schedule.c as facts for templates: op.schedule, with a table for each function that has choices.
 *
 * In: op->schedule.  Out: facts; compiler/manual/manual.c says what they mean. */
#include "schedule/schedule.h"

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
    fact_set(f, "filters", runs_fact(a, &p->filters));
    fact_set(f, "taps", runs_fact(a, &p->taps));
    fact_bool(f, "blocked", p->rows > 0);
    fact_int(f, "rows", p->rows);
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
    fact_int(f, "slices", p->slices);
    fact_int(f, "pieces", p->pieces);
    fact_bool(f, "prefetch", p->prefetch);
    return f;
}

static Fact *rows_fact(Arena *a, const DenseRows *p)
{
    Fact *f = fact_table(a);
    fact_set(f, "rows", runs_fact(a, &p->rows));
    fact_set(f, "columns", runs_fact(a, &p->columns));
    fact_int(f, "row_pieces", runs_pieces(&p->rows));
    fact_int(f, "column_pieces", runs_pieces(&p->columns));
    fact_bool(f, "blocked", p->block > 0);
    fact_int(f, "block", p->block);
    fact_int(f, "chunk", p->chunk), fact_int(f, "chunks", p->chunks);
    fact_int(f, "pieces", p->pieces);
    fact_bool(f, "prefetch", p->prefetch);
    return f;
}

Fact *schedule_facts(const Model *m, const Op *op)
{
    Arena *a = m->arena;
    const OpSchedule *s = op->schedule;
    Fact *f = fact_table(a);
    if (!s)
        return f;
    switch (op->kind) {
    case OP_dense:
        fact_set(f, "panels", panels_fact(a, &s->panels));
        fact_set(f, "inputs", rows_fact(a, &s->dense_backward));
        fact_set(f, "products", rows_fact(a, &s->products));
        break;
    case OP_conv_pool:
        fact_set(f, "filters", runs_fact(a, &s->pool_filters));
        break;
    default:
        fact_set(f, "forward", direct_fact(a, &s->direct_forward));
        fact_set(f, "backward", direct_fact(a, &s->direct_backward));
        fact_set(f, "few", few_fact(a, s));
        fact_set(f, "weights", direct_weights_fact(a, &s->direct_weights));
    }
    return f;
}
