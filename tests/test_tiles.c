/* test_tiles.c -- the schedule of kernels: pieces cover what they cut, tiles fit the registers, blocks fit the caches, and what was measured
 * takes the place of the rule. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "lower/transform.h"
#include "pipeline.h"
#include "schedule/choice.h"
#include "template/tuning.h"

TestSuite(tiles, .init = ops_register, .timeout = 60);

static void covers(const Runs *r, int n, int most)
{
    int at = 0;
    for (int i = 0; i < r->count; i++) {
        const Run *p = &r->run[i];
        cr_assert(p->from == at && p->to > p->from && p->size >= 1 && p->size <= most && (p->to - p->from) % p->size == 0);
        at = p->to;
    }
    cr_assert(eq(int, at, n));
}

Test(tiles, pieces_cover_what_they_cut_and_are_even)
{
    for (int n = 0; n < 200; n++)
        for (int most = 1; most < 40; most++) {
            Runs r = runs_spread(n, most);
            covers(&r, n, most);
            cr_assert(eq(int, runs_pieces(&r), (n + most - 1) / most));
            cr_assert(r.count < 2 || r.run[0].size == r.run[1].size + 1);
            Runs in = runs_inside(n, most);
            covers(&in, n, most);
            Runs placed = runs_placed(r, 7, 3);
            cr_assert(eq(int, runs_pieces(&placed), runs_pieces(&r)));
            cr_assert(r.count == 0 || (placed.run[0].from == 7 && placed.run[r.count - 1].to == 7 + 3 * n));
        }
}

Test(tiles, tiles_fit_the_registers_of_their_target)
{
    static const char *const names[] = { "avx512", "avx2" };
    for (int i = 0; i < 4; i++) {
        Model m = { .options = { .target = names[i / 2], .is_double = i % 2 } };
        Machine on = machine_of(&m);
        int parts = on.target->vec_registers[i % 2];
        cr_assert(eq(int, on.parts, parts));
        for (int rows = 1; rows < 70; rows += 3)
            for (int columns = 1; columns < 70; columns += 4) {
                Tile best[TILES_MOST];
                TileWork w = { rows, columns, 1, parts, 0, rows % 2, columns % 3 };
                int n = tiles_best(&on, w, TILES_MOST, best);
                cr_assert(n >= 1 && n <= TILES_MOST);
                for (int k = 0; k < n; k++) {
                    int sums = best[k].F * best[k].Q * parts;
                    cr_assert(best[k].F <= rows && best[k].Q <= columns && sums < on.target->registers);
                    cr_assert(16 % best[k].F == 0 || !w.blocked);
                    cr_assert(best[k].F <= (w.rows_most ? w.rows_most : rows));
                }
                Tile one = tile_best(&on, w);
                cr_assert(one.F == best[0].F && one.Q == best[0].Q);
            }
    }
}

/* Dividing rounds down and up, also of negative numbers. */
Test(tiles, division_rounds_to_its_side)
{
    for (int a = -30; a < 30; a++)
        for (int b = 1; b < 9; b++) {
            int64_t q = floor_div(a, b);
            cr_assert(q * b <= a && a < (q + 1) * b);
            cr_assert(0 > a || (ceil_div(a, b) * b >= a && (ceil_div(a, b) - 1) * b < a));
        }
}

/* ---- models --------------------------------------------------------------------------------------------------------- */

static const char net[] =
    "model: net\nbatch: %d\ninputs: { x: { shape: [8, 24, 24] } }\ntargets: { y: { classes: 3 } }\nnets:\n  read:\n"
    "    - conv: { filters: 40, kernel: 5, stride: 2, padding: 2 }\n    - conv: { filters: 48, act: relu }\n    - maxpool: 2\n"
    "    - conv: { filters: 6, padding: 1, name: few }\n    - dense: 70\n    - dense: 3\nflow: [v: { read: x }]\nloss: { cross_entropy: "
    "[v, y] }\n";

static Model *compiled_text(Arena *a, const char *text, const char *target, Tuning *tuning)
{
    Model *m = NEW(a, Model);
    *m = (Model){ .arena = a,
                  .diag = diag_new(a, stderr, false, false),
                  .options = { .target = target, .memory = (int64_t)64 << 30 },
                  .tuning = tuning };
    m->root = read_yaml(a, m->diag, source_new(a, "net.yaml", text, strlen(text)));
    cr_assert(stages_run(m) == NULL);
    return m;
}

Test(tiles, check_makes_no_c)
{
    for (int check = 0; check < 2; check++) {
        Arena *a = arena_new();
        Model *m = NEW(a, Model);
        const char *text = arena_printf(a, net, 16);
        *m = (Model){ .arena = a, .diag = diag_new(a, stderr, false, false), .options = { .target = "avx2", .memory = (int64_t)64 << 30, .check = check } };
        m->root = read_yaml(a, m->diag, source_new(a, "net.yaml", text, strlen(text)));
        cr_assert(stages_run(m) == NULL);
        cr_expect_eq(m->c.length == 0, check, "with%s check there %s C", check ? "" : "out", check ? "is" : "is no");
        arena_free(a);
    }
}

static Model *compiled(Arena *a, const char *target, int batch, Tuning *tuning) { return compiled_text(a, arena_printf(a, net, batch), target, tuning); }

static const Op *named(const Model *m, const char *name)
{
    for (int i = 0; i < m->ops.count; i++)
        if (!strcmp(((const Op *)m->ops.items[i])->name, name))
            return m->ops.items[i];
    cr_fatal("no operator %s", name);
}

static int64_t work_reals(const Op *op)
{
    for (int i = 0; i < op->write_count; i++)
        if (op->writes[i].tensor->work)
            return op->writes[i].tensor->reals;
    cr_fatal("%s has no working memory", op->name);
}

Test(tiles, every_kernel_has_its_notes_and_the_rest_has_none)
{
    Arena *a = arena_new();
    const Model *m = compiled(a, "avx2", 20, NULL);
    const OpSchedule *direct = named(m, "read_few")->schedule, *packed = named(m, "read_conv1")->schedule,
                     *winograd = named(m, "read_conv2")->schedule, *dense = named(m, "read_dense1")->schedule;
    cr_assert(direct && !direct->winograd && direct->weights && !direct->packed_forward && direct->direct_forward.columns_count == 1);
    cr_assert(direct->direct_forward.edges.count > 0, "columns at the padding have a tile of their own");
    cr_assert(packed && !packed->dx && packed->packed_forward && !packed->packed_backward);
    cr_assert(winograd && winograd->winograd && winograd->dx && winograd->weights);
    cr_assert(dense && dense->dx && dense->weights && dense->panels.tile_count > 0);
    cr_assert(named(m, "read_maxpool1")->schedule == NULL);
    arena_free(a);
}

Test(tiles, blocks_fit_the_caches_of_the_target)
{
    Arena *a = arena_new();
    const Target *t = target_named("avx512");
    const Model *m = compiled(a, "avx512", 20, NULL);
    const PackedPass *packed = named(m, "read_conv1")->schedule->packed_forward;
    cr_assert(packed->blocked && packed->bytes * packed->block / 8 <= t->operand_bytes);
    const DirectPass *p = &named(m, "read_few")->schedule->direct_forward;
    cr_assert(p->block ? p->bytes * p->block / 48 <= t->operand_bytes : p->bytes <= t->operand_bytes);
    const WinogradSchedule *w = named(m, "read_conv2")->schedule->winograd;
    cr_assert(w->T == 1 || w->layout.most_positions * (int64_t)(w->plane - 16) <= t->inputs_reals);
    const DensePanels *d = &named(m, "read_dense1")->schedule->panels;
    cr_assert(le(i64, (int64_t)d->block * d->wide * 4, t->panel_bytes));
    const DenseRows *r = &named(m, "read_dense1")->schedule->products;
    const int64_t slices = r->block ? r->block : r->S;
    cr_assert(le(i64, slices * r->tile.F * 64 * r->chunk, t->far_bytes));
    cr_assert(le(i64, slices * r->tile.Q * 1024 * r->across, t->far_bytes));
    cr_assert(r->pieces >= 16 && r->chunks * r->chunk >= runs_pieces(&r->rows) && r->acrosses * r->across >= runs_pieces(&r->columns));
    arena_free(a);
}

/* Where examples are in the lanes, tiles begin and end in the result, so they cover the outputs that are there. */
Test(tiles, a_dense_layer_with_examples_in_the_lanes_computes_no_output_that_is_not_there)
{
    Arena *a = arena_new();
    const Model *m = compiled(a, "avx2", 32, NULL);
    const DensePanels *wide = &named(m, "read_dense1")->schedule->panels, *narrow = &named(m, "read_dense2")->schedule->panels;
    cr_assert(wide->straight && narrow->straight);
    covers(&wide->rows, 16, wide->tile.F);
    covers(&wide->rest, 70 % 16, wide->tile.F);
    covers(&narrow->rest, 3, narrow->tile.F);
    cr_assert(narrow->rows.count == 0 && narrow->tile_count == 1 && narrow->tiles[0].F == 3);
    arena_free(a);
}

/* Rows of a weight gradient are asked for beforehand where all of them are more than the second-level cache holds. */
Test(tiles, rows_from_beyond_the_caches_are_asked_for)
{
    Arena *a = arena_new();
    for (int batch = 32; batch <= 2048; batch *= 4) {
        const DenseRows *r = &named(compiled(a, "avx512", batch, NULL), "read_dense1")->schedule->products;
        cr_assert(r->prefetch == ((int64_t)r->S * 5 * 256 > target_named("avx512")->weight_reals), "batch %d", batch);
        cr_assert(r->prefetch == (batch > 1000));
    }
    arena_free(a);
}

/* Lanes without an example are left out where there are many inputs for each of them. */
Test(tiles, a_dense_layer_has_its_examples_in_the_lanes_unless_too_many_are_empty)
{
    Arena *a = arena_new();
    const Model *some = compiled(a, "avx2", 20, NULL), *none = compiled(a, "avx2", 32, NULL);
    const bool turned = !named(some, "read_dense1")->schedule->panels.straight;
    cr_assert(turned && named(none, "read_dense1")->schedule->panels.straight);
    arena_free(a);
}

/* A measured choice is taken; it changes no place in memory.  A choice that is not offered is not. */
Test(tiles, a_measured_choice_takes_the_place_of_the_rule)
{
    Arena *a = arena_new();
    Tuning *t = tuning_new(a, "a processor", "0");
    const Model *m = compiled(a, "avx2", 20, t);
    const Op *conv = named(m, "read_conv2"), *dense = named(m, "read_dense1");
    int64_t reals = m->scratch_reals, work = work_reals(conv);
    Tile rule = dense->schedule->panels.tile;
    cr_assert(conv->schedule->winograd->T > 1);
    const List *asked = tuning_questions(t);
    for (int i = 0; i < asked->count; i++) {
        const TuningQuestion *q = asked->items[i];
        if (tuning_concerns(q, "read_conv2") && !strcmp(q->what, "all, tiles in a block"))
            tuning_set(t, q->key, "1");
        else if (tuning_concerns(q, "read_dense1") && !strcmp(q->what, "forward"))
            tuning_set(t, q->key, q->choices.items[1]);
        else if (tuning_concerns(q, "read_dense2"))
            tuning_set(t, q->key, "31x31");
    }
    Tile other = named(m, "read_dense2")->schedule->panels.tile;
    m = compiled(a, "avx2", 20, t);
    cr_assert(eq(int, named(m, "read_conv2")->schedule->winograd->T, 1));
    cr_assert(eq(i64, work_reals(named(m, "read_conv2")), work));
    cr_assert(eq(i64, m->scratch_reals, reals));
    Tile tuned = named(m, "read_dense1")->schedule->panels.tile, same = named(m, "read_dense2")->schedule->panels.tile;
    cr_assert(tuned.F != rule.F || tuned.Q != rule.Q);
    cr_assert(same.F == other.F && same.Q == other.Q);
    arena_free(a);
}

/* The hash is that of the model alone. */
Test(tiles, no_target_and_no_choice_changes_the_hash)
{
    Arena *a = arena_new();
    uint64_t hash = compiled(a, "avx512", 33, NULL)->hash;
    cr_assert(eq(u64, compiled(a, "avx2", 33, NULL)->hash, hash));
    cr_assert(eq(u64, compiled(a, "generic", 33, NULL)->hash, hash));
    arena_free(a);
}

/* Whether padding adds 0 or is left out decides bits, if only those of -0: it follows from the model alone. */
Test(tiles, all_targets_copy_the_operands_of_the_same_passes)
{
    static const char *const names[] = { "avx512", "avx2", "generic" };
    Arena *a = arena_new();
    for (int i = 0; i < 3; i++) {
        const Model *m = compiled(a, names[i], 20, NULL);
        const OpSchedule *packed = named(m, "read_conv1")->schedule, *direct = named(m, "read_few")->schedule;
        cr_assert(packed->packed_forward && !direct->packed_forward && !direct->packed_backward && !direct->packed_weights);
    }
    arena_free(a);
}

static const char strides[] =
    "model: strides\nbatch: 20\ninputs: { x: { shape: [16, 16, 16] } }\ntargets: { y: { classes: 3 } }\nnets:\n  read:\n"
    "    - conv: { filters: 16, kernel: 1, name: first }\n    - conv: { filters: 70, kernel: 3, stride: 2, padding: 1, name: half }\n"
    "    - conv_transpose: { filters: 40, kernel: 4, stride: 2, padding: 1, name: twice }\n    - conv: { filters: 100, kernel: 4, stride: 4, name: quarter }\n"
    "    - conv_transpose: { filters: 90, kernel: 4, stride: 2, padding: 1, name: small }\n    - conv: { filters: 8, kernel: 7, stride: [1, 2], padding: [1, 3], name: edges }\n"
    "    - dense: 3\nflow: [v: { read: x }]\nloss: { cross_entropy: [v, y] }\n";

/* What is copied with zeros follows from the window, and all channels and positions are in pieces of the strip, which fits the first-level cache. */
Test(tiles, phases_of_a_stride_fit)
{
    static const char *const names[] = { "avx512", "avx2", "neon", "generic" };
    static const struct {
        const char *name;
        int M, C, first;
        bool copied, zeros;
    } expected[] = { { "read_half", 70, 16, 0, true, true }, { "read_twice", 70, 40, -1, true, true }, { "read_quarter", 100, 40, 0, false, false },
                     { "read_small", 100, 90, 0, false, false }, { "read_edges", 8, 90, -5, false, false } };
    Arena *a = arena_new();
    for (int i = 0; i < 4; i++) {
        const Model *m = compiled_text(a, strides, names[i], NULL);
        for (int k = 0; k < 5; k++) {
            const PhasedPass *p = named(m, expected[k].name)->schedule->phased;
            cr_assert(p && p->copied == expected[k].copied && p->zeros == expected[k].zeros, "%s, %s", names[i], expected[k].name);
            cr_assert(p->block == 1 || p->bytes * p->block <= target_named(names[i])->operand_bytes);
            cr_assert(p->blocked == (p->block < expected[k].M) && expected[k].C % p->chunk == 0);
            cr_assert(p->rows.run[p->rows.count - 1].to == p->chunk && p->edges.run[p->edges.count - 1].to == p->chunk);
            cr_assert(p->copied == false || (p->first_row == expected[k].first && p->high == p->down - 1 + p->rows_met && p->across <= p->wide));
        }
        cr_assert(named(m, "read_small")->schedule->phased->chunk < 90);
        cr_assert(le(int, named(m, "read_small")->schedule->phased->tile.Q, 3), "of 4 positions of a phase 3 meet all taps: wider tiles would not be used");
        const PhasedPass *twice = named(m, "read_twice")->schedule->phased;
        cr_assert(twice->across % twice->tile.Q == 0 && 8 % twice->across == 0, "a strip of whole tiles");
        cr_assert(named(m, "read_first")->schedule->phased == NULL);
    }
    arena_free(a);
}

/* A strip is so wide that whole tiles cover it: what is left of a row goes column by column. */
Test(tiles, strips_of_phases_are_whole_tiles)
{
    static const char text[] =
        "model: strips\nbatch: 20\ninputs: { x: { shape: [32, 32, 32] } }\ntargets: { y: { classes: 3 } }\nnets:\n  read:\n"
        "    - conv: { filters: 32, kernel: 1, name: first }\n    - conv_transpose: { filters: 16, kernel: 2, stride: 2, name: up }\n"
        "    - dense: 3\nflow: [v: { read: x }]\nloss: { cross_entropy: [v, y] }\n";
    Arena *a = arena_new();
    const PhasedPass *p = named(compiled_text(a, text, "avx512", NULL), "read_up")->schedule->phased;
    cr_assert(p->copied && p->across < 32);
    cr_assert(eq(int, 32 % p->across, 0));
    cr_assert(eq(int, p->across % p->tile.Q, 0));
    arena_free(a);
}

/* Weights of a filter that lie 4096 bytes from those of the next share a set of the first-level cache, which has eight lines. */
Test(tiles, rows_whose_weights_share_a_set_stay_in_the_cache)
{
    static const char text[] =
        "model: sets\nbatch: 20\nparams: { filters: 64 }\ninputs: { x: { shape: [96, 4, 4] } }\ntargets: { y: { classes: 3 } }\nnets:\n  read:\n"
        "    - conv: { filters: 96, kernel: 1, name: first }\n    - conv_transpose: { filters: $filters, kernel: 4, stride: 2, padding: 1, name: up }\n"
        "    - dense: 3\nflow: [v: { read: x }]\nloss: { cross_entropy: [v, y] }\n";
    static const int filters[] = { 64, 32, 60 }, most[] = { 8, 16, 96 };
    Arena *a = arena_new();
    for (int i = 0; i < 3; i++) {
        const char *now = arena_printf(a, "%.*s%d%s", (int)(strstr(text, "64") - text), text, filters[i], strstr(text, "64") + 2);
        const DirectPass *p = &named(compiled_text(a, now, "avx512", NULL), "read_up")->schedule->direct_forward;
        cr_assert(p->rows.count && p->edges.count);
        cr_assert(le(int, p->rows.run[0].size, most[i]));
        cr_assert(le(int, p->edges.run[0].size, most[i]));
        cr_assert(i < 2 || p->edges.run[0].size > 16, "all that registers hold");
    }
    arena_free(a);
}

static const char windows[] =
    "model: windows\nbatch: 20\ninputs: { x: { shape: [8, 12, 200] } }\ntargets: { y: { classes: 3 } }\nnets:\n  read:\n"
    "    - conv: { filters: 8, kernel: 3, padding: 1, winograd: never }\n"
    "    - conv: { filters: 8, kernel: [3, 3], stride: [1, 1], padding: [1, 1], winograd: never }\n"
    "    - conv: { filters: 8, kernel: 3, padding: same, winograd: never }\n    - conv: { filters: 8, kernel: 3, padding: [[1, 1], [1, 1]], winograd: never }\n"
    "    - conv: { filters: 8, kernel: 3, padding: [[2, 0], [1, 1]], winograd: never }\n    - conv: { filters: 40, kernel: 1, name: pixel }\n    - conv: { filters: 40, kernel: 3, groups: 40, stride: 40, name: far }\n"
    "    - dense: 3\nflow: [v: { read: x }]\nloss: { cross_entropy: [v, y] }\n";

/* Sums and copies of a gradient to weights as a product fit the stack and the first-level cache, and tiles the registers. */
Test(tiles, a_product_of_weights_fits)
{
    static const char *const names[] = { "avx512", "avx2", "generic" };
    Arena *a = arena_new();
    for (int i = 0; i < 3; i++) {
        const Op *pixel = named(compiled_text(a, windows, names[i], NULL), "read_pixel");
        const PackedWeights *p = pixel->schedule->packed_weights;
        const Target *t = target_named(names[i]);
        covers(&p->filters, 40, p->tile.F);
        cr_assert(p && p->columns == 8 && p->panel % p->tile.Q == 0 && p->block < 2400);
        cr_assert(le(i64, (int64_t)(p->panel + p->tile.F) * p->block * 64, t->operand_bytes));
        cr_assert(le(int, p->tile.F * p->tile.Q * (i == 2 ? 4 : 1), t->registers * 13 / 16));
    }
    arena_free(a);
}

/* What was measured of a convolution holds for the same one whose numbers are written in another way. */
Test(tiles, a_key_has_the_numbers_and_not_their_spelling)
{
    Arena *a = arena_new();
    Model *m = compiled_text(a, windows, "avx2", NULL);
    const char *first = schedule_key(m, named(m, "read_conv1"), 0, NULL, NULL);
    cr_assert(strstr(first, " padding=1") && !strstr(first, "padding=1x"));
    for (int i = 2; i <= 4; i++)
        cr_assert(eq(str, (char *)schedule_key(m, named(m, arena_printf(a, "read_conv%d", i)), 0, NULL, NULL), (char *)first));
    cr_assert(eq(str, (char *)schedule_key(m, named(m, "read_conv5"), 0, NULL, NULL),
                 "conv 8x12x200 -> 8x12x200 filters=8 kernel=3 stride=1 padding=2x0x1x1"));
    arena_free(a);
}

/* Columns of a stride are unrolled only if they are few. */
Test(tiles, the_code_of_a_depthwise_convolution_does_not_grow_with_its_stride)
{
    Arena *a = arena_new();
    const OpSchedule *far = named(compiled_text(a, windows, "avx2", NULL), "read_far")->schedule;
    cr_assert(far && !far->lines && far->dx && far->direct_backward.columns_count == 1);
    covers(&far->direct_backward.columns[0].border, 200, 1);
    arena_free(a);
}

/* A transform and its adjoint have each other's number of inputs and results. */
Test(tiles, an_adjoint_has_as_many_results_as_its_transform_has_inputs)
{
    Arena *a = arena_new();
    for (int m = 2; m <= 6; m++)
        for (TransformKind k = 0; k < TRANSFORMS; k++) {
            const Transform *t = transform_of(a, k, false, m), *u = transform_of(a, k, true, m);
            cr_assert(t->inputs == (k == FILTER_TRANSFORM ? 3 : m + 2) && t->result_count == (k == OUTPUT_TRANSFORM ? m : m + 2));
            cr_assert(u->inputs == t->result_count && u->result_count == t->inputs);
            for (int i = 0; i < t->result_count; i++)
                cr_assert(t->results[i] != NULL);
        }
    arena_free(a);
}
