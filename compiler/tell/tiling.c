/* tiling.c -- the schedule of an operator in words: its register tiles and cache blocks, and why they have these sizes.
 *
 * In: op->schedule.  Out: lines of `spnc explain`.  The numbers of the target (target.c) that decided are named beside what they decided. */
#include "base/escape.h"
#include "schedule/schedule.h"
#include "tell/card.h"

typedef struct {
    Text *out;
    const Model *m;
    Machine on;
    bool first;
} Teller;

static void line(Teller *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line(Teller *t, const char *format, ...)
{
    va_list args;
    char text[512];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_printf(t->out, "  %-9s %s\n", t->first ? "tiles" : "", text);
    t->first = false;
}

static double kib(int64_t bytes) { return (double)bytes / 1024; }

/* A register tile; k, x: registers that an operand of a row and of a column is loaded into. */
static void tile(Teller *t, const char *pass, Tile tile, const char *rows, const char *columns, bool wide_rows)
{
    int parts = t->on.target->vec_registers[t->m->options.is_double];
    int loads = tile.F * (wide_rows ? parts : 1) + tile.Q * parts, sums = tile.F * tile.Q;
    if (sums * parts > t->on.target->registers)
        line(t, "%s: %dx%d (%s x %s): without vector registers to speak of, the C is kept short", pass, tile.F, tile.Q, rows, columns);
    else
        line(t, "%s: %dx%d (%s x %s): sums take %d of %d registers, and %d multiply-adds need %d loads", pass, tile.F, tile.Q, rows,
             columns, sums * parts, t->on.target->registers, sums * parts, loads);
}

/* ---- direct convolution -------------------------------------------------------------------------------------------- */

static void direct(Teller *t, const char *pass, const DirectPass *p, const char *rows, const char *blocks)
{
    tile(t, pass, p->tile, rows, "columns", false);
    if (p->block)
        line(t, "  %s in blocks of %d: all operands of a tile would take %.1f KiB, and operands may take %.0f of the first-level cache",
             blocks, p->block, kib(p->bytes), kib(t->on.target->operand_bytes));
    else
        line(t, "  all %s at once: the operands of a tile take %.1f KiB, and may take %.0f of the first-level cache", blocks, kib(p->bytes),
             kib(t->on.target->operand_bytes));
}

static void direct_weights(Teller *t, const DirectWeights *p)
{
    tile(t, "weights", (Tile){ p->tile.F, p->channels * p->tile.Q }, "filters", "channels and taps", true);
    if (p->rows)
        line(t, "  %d rows of positions at a time: their dy and x fill the %.0f KiB of the first-level cache that they may take", p->rows,
             kib(t->on.target->rows_bytes));
    else
        line(t, "  all rows of positions at once: their dy and x are within the %.0f KiB of the first-level cache that they may take",
             kib(t->on.target->rows_bytes));
}

/* The gradient to the weights, by either kernel. */
static void weights_of(Teller *t, const OpSchedule *s)
{
    const PackedWeights *p = s->packed_weights;
    if (!p) {
        direct_weights(t, &s->direct_weights);
        return;
    }
    line(t, "weights: %dx%d (filters x channels), of one register of each vec: %d multiply-adds need %d loads", p->tile.F, p->tile.Q, p->tile.F * p->tile.Q, p->tile.F + p->tile.Q);
    line(t, "  %d positions of %d channels are copied side by side: with a tile's filters it takes %.1f KiB, and may take %.0f of the first-level cache",
         p->block, p->panel, kib((int64_t)(p->panel + p->tile.F) * p->block * t->on.vec_bytes), kib(t->on.target->operand_bytes));
}

/* A pass whose operands are copied, else that of conv_direct.c. */
static void packed_or(Teller *t, const char *pass, const PackedPass *p, const DirectPass *other, const char *rows, const char *blocks)
{
    if (!p) {
        direct(t, pass, other, rows, blocks);
        return;
    }
    tile(t, pass, p->tile, rows, "positions", false);
    line(t, "  what a tile reads is copied side by side, %s%s: it takes %.1f KiB, and may take %.0f of the first-level cache",
         p->blocked ? arena_printf(t->m->arena, "%d ", p->block) : "of all ", blocks, kib(p->bytes), kib(t->on.target->operand_bytes));
}

/* The gradient to the input, by whichever kernel: that of a stride, of copied operands, or of conv_direct.c. */
static void to_input(Teller *t, const char *pass, const OpSchedule *s, const char *rows, const char *blocks)
{
    const PhasedPass *p = s->phased;
    if (!p) {
        packed_or(t, pass, s->packed_backward, &s->direct_backward, rows, blocks);
        return;
    }
    tile(t, pass, p->tile, rows, "positions of a phase", false);
    line(t, "  strips of %dx%d positions of each phase of the stride: what they meet %s, %s%s takes %.1f KiB, and may take %.0f of the first-level cache",
         p->down, p->across, p->copied ? "is copied side by side" : "lies near enough in memory", p->blocked ? arena_printf(t->m->arena, "%d ", p->block) : "of all ",
         blocks, kib(p->bytes * p->block), kib(t->on.target->operand_bytes));
}

static void few(Teller *t, const OpSchedule *s)
{
    int widest = 0;
    for (int i = 0; i < s->few_count; i++)
        widest = s->few[i].Q > widest ? s->few[i].Q : widest;
    line(t,
         "backward: all channels x %d columns: the weights of a row of taps stay in registers, and each dy is loaded once for all of them",
         widest);
}

static void lines(Teller *t, const OpSchedule *o)
{
    const LineSchedule *s = o->lines;
    line(t, "forward: runs of %d columns: the weights of a row of taps stay in registers, and each x is loaded once for all of them", s->forward.Q);
    if (o->dx)
        line(t, "backward: runs of %d columns: likewise", s->backward.Q);
    if (o->weights)
        line(t, "weights: runs of %d columns; sums of %d row%s of taps stay in registers for all positions", s->weights.Q, s->rows.run[0].size,
             s->rows.run[0].size == 1 ? "" : "s");
}

/* ---- Winograd -------------------------------------------------------------------------------------------------------- */

static void block_tiles(Teller *t, const char *pass, const WinogradSchedule *s, const WinogradPass *p, const char *rows)
{
    for (int i = 0; i < s->size_count; i++)
        tile(t, arena_printf(t->m->arena, "%s, blocks of %d", pass, s->sizes[i]), p->tiles[i].tile, rows, "Winograd tiles", false);
}

static void winograd(Teller *t, const OpSchedule *o)
{
    const WinogradSchedule *s = o->winograd;
    const Winograd *w = &s->layout;
    Arena *a = t->m->arena;
    line(t,
         "blocks of %d of at most %d Winograd tiles: at %d positions their transformed inputs take %s reals, and may take %s of the "
         "second-level cache",
         s->T, w->most_tiles, w->most_positions, count_text(a, (int64_t)w->most_positions * s->plane),
         count_text(a, t->on.target->inputs_reals));
    line(t, "  sums of %d rows at a time: %s reals, where %s are meant to be beside them%s", s->chunk,
         count_text(a, (int64_t)w->most_positions * s->chunk * s->T * 16), count_text(a, t->on.target->sums_reals),
         s->chunk == 32 ? "; fewer rows than 32 would make register tiles small" : "");
    if (s->far_x || s->far_y)
        line(t, "  the next channel's tile of %s is prefetched: the map is larger than the second-level cache",
             s->far_x && s->far_y ? "x and y"
             : s->far_x           ? "x"
                                  : "y");
    block_tiles(t, "forward", s, &s->forward, "filters");
    if (o->dx)
        block_tiles(t, "backward", s, &s->backward, "channels");
    if (o->weights)
        tile(t, "weights", s->weights.tile, w->across ? "filters" : "channels", w->across ? "vecs of channels" : "vecs of filters", false);
}

/* ---- dense layer ------------------------------------------------------------------------------------------------------ */

static void pieces(Teller *t, const DenseRows *p, const char *blocks)
{
    if (p->block)
        line(t,
             "  %s in blocks of %d, whose operands are within the %.0f KiB of the first-level cache that they may take; %d pieces of work",
             blocks, p->block, kib(t->on.target->operand_bytes), p->pieces);
    else
        line(t, "  all %s at once, within the %.0f KiB of the first-level cache that operands may take; %d piece%s of work", blocks,
             kib(t->on.target->operand_bytes), p->pieces, p->pieces == 1 ? "" : "s");
}

static void dense(Teller *t, const OpSchedule *s, bool transposed)
{
    const DensePanels *p = &s->panels;
    if (p->pieces) {
        tile(t, transposed ? "backward" : "forward", p->tile, p->straight ? "outputs" : "examples", p->straight ? "slices" : "vecs of outputs", false);
    line(t,
         "  panels of %d inputs x %d outputs, %.1f KiB of the first-level cache, each copied once for %d slice%s of 16 examples; %d "
         "piece%s of work%s",
         p->block, p->wide, kib((int64_t)p->block * p->wide / 16 * t->on.vec_bytes), p->slices, p->slices == 1 ? "" : "s", p->pieces,
         p->pieces == 1 ? "" : "s", p->prefetch ? "; weights are prefetched" : "");
    }
    if (s->dense_backward.pieces) {
        tile(t, transposed ? "forward" : "backward", s->dense_backward.tile, "inputs", "slices", false);
        pieces(t, &s->dense_backward, "outputs");
    }
    if (s->weights) {
        tile(t, "products", s->products.tile, "inputs", "vecs of outputs", false);
        pieces(t, &s->products, "slices");
        line(t, "  a piece is at most %d inputs x %d outputs: what it reads of either operand in a block stays in the second-level cache",
             s->products.chunk * s->products.rows.run[0].size, s->products.across * s->products.columns.run[0].size * 16);
    }
}

void tiling_put(Text *out, const Model *m, const Op *op)
{
    const OpSchedule *s = op->schedule;
    if (!s)
        return;
    Teller t = { out, m, machine_of(m), true };
    if (op->kind == OP_dense) {
        dense(&t, s, op->dense.transposed);
    } else if (op->kind == OP_matmul) {
        static const char *const passes[3] = { "forward", "backward, first operand", "backward, second operand" };
        for (int i = 0; i < (s->backward ? 3 : 1); i++)
            tile(&t, passes[i], (Tile){ s->product_rows[i].run[0].size, s->product_columns[i].run[0].size }, "rows", "columns", true);
    } else if (op->kind == OP_conv_pool) {
        line(&t, "forward: the nine weights of a filter and a 4x4 patch of x stay in registers%s",
             s->dx ? "; backward: a patch of dx, for four filters at a time" : "");
    } else if (s->winograd) {
        winograd(&t, s);
    } else if (s->lines) {
        lines(&t, s);
    } else if (op->kind == OP_conv_transpose) {
        to_input(&t, "forward", s, "filters", "channels");
        if (s->dx)
            packed_or(&t, "backward", s->packed_forward, &s->direct_forward, "channels", "filters");
        if (s->weights)
            weights_of(&t, s);
    } else {
        packed_or(&t, "forward", s->packed_forward, &s->direct_forward, "filters", "channels");
        if (s->few_count)
            few(&t, s);
        else if (s->dx)
            to_input(&t, "backward", s, "channels", "filters");
        if (s->weights)
            weights_of(&t, s);
    }
}
