/* test_weights.c -- layouts, starts and files of parameters, with a hand-written net of both layouts. */
#define _DEFAULT_SOURCE
#define TINY_LANES 16
#include "fixtures/tiny_net.c"
#include "folder.h"
#include "run/message.h"
#include "run/weights.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>

static void begin(void)
{
    folder_make();
    tiny_open(1);
    cr_redirect_stderr();
}

static void end(void)
{
    tiny_close();
    folder_remove();
}

TestSuite(weights, .init = begin, .fini = end);

enum { COUNT = HIDDEN * IN + HIDDEN + SIX * HIDDEN + SIX + OUT * JOINED + OUT };

static void write_all(const char *path, int skip, int rows_of_first, const char *extra)
{
    static real exported[COUNT];
    Array arrays[PARAMS + 1];
    ArrayError e;
    int count = PARAMS;
    weights_arrays(arrays, exported, weights, "");
    if (rows_of_first) {
        int64_t shape[] = { rows_of_first, HIDDEN * IN / rows_of_first };
        arrays[0] = array_view(params[0].name, ARRAY_REAL, exported, 2, shape);
    }
    if (skip >= 0)
        arrays[skip] = arrays[--count];
    if (extra)
        arrays[count++] = array_view(extra, ARRAY_REAL, exported, 0, NULL);
    cr_assert(array_write_npz(path, arrays, count, NULL, &e), "%s", e.text);
}

Test(weights, element_of_a_dense_weight_lies_at_its_input_and_output)
{
    cr_assert(eq(sz, weights_index(&params[0], 3 * IN + 5), HIDDEN_W + 5 * 16 + 3));
    cr_assert(eq(sz, weights_index(&params[1], 3), HIDDEN_B + 3));
}

Test(weights, taking_and_exporting_are_inverse_and_leave_padding_alone)
{
    real exported[OUT * JOINED], back[OUT * JOINED];
    for (int i = 0; i < OUT * JOINED; i++)
        exported[i] = (real)(i + 1);
    Array a = array_view(params[4].name, ARRAY_REAL, exported, 2, (int64_t[]){ OUT, JOINED });
    weights_take(weights, &a, &params[4], "w.npz");
    weights_export(back, weights, &params[4]);
    cr_assert(zero(int, memcmp(back, exported, sizeof back)));
    cr_assert(eq(dbl, (double)weights[LOGITS_W + 2 * 16 + 1], 1 * JOINED + 2 + 1));
    for (int in = 0; in < JOINED; in++)
        for (int pad = OUT; pad < 16; pad++)
            cr_assert(zero(dbl, (double)weights[LOGITS_W + in * 16 + pad]));
}

Test(weights, start_follows_the_rules_of_each_parameter)
{
    double most = 0, square = 0;
    weights_init(weights, 1);
    for (size_t i = 0; i < params[0].count; i++)
        most = fmax(most, fabs((double)weights[weights_index(&params[0], i)]));
    for (size_t i = 0; i < params[4].count; i++)
        square += pow((double)weights[weights_index(&params[4], i)], 2) / (double)params[4].count;
    cr_assert(all(gt(dbl, most, 0.45), le(dbl, most, 0.5)));
    cr_assert(all(gt(dbl, sqrt(square), 0.22), lt(dbl, sqrt(square), 0.38)));
    cr_assert(zero(dbl, (double)weights[HIDDEN_B + 2]));
    cr_assert(eq(dbl, (double)weights[LOGITS_B + 2], 0.25));
    for (int i = 0; i < SIX; i++)
        cr_assert(eq(dbl, (double)weights[A_B + i], i == 0 || i == 4));
}

Test(weights, start_depends_on_the_seed_alone)
{
    real first[BLOCK];
    weights_init(weights, 5);
    memcpy(first, weights, sizeof first);
    weights_init(weights, 6);
    cr_assert(ne(int, memcmp(first, weights, sizeof first), 0));
    weights_init(weights, 5);
    cr_assert(zero(int, memcmp(first, weights, sizeof first)));
}

Test(weights, files_of_both_kinds_read_back_bit_for_bit)
{
    real was[BLOCK];
    const char *paths[] = { "w.npz", "w.safetensors" };
    weights_init(weights, 3);
    memcpy(was, weights, sizeof was);
    for (int i = 0; i < 2; i++) {
        weights_save(paths[i], weights, true);
        memset(weights, 1, sizeof was);        /* padding too must come back as zero */
        weights_load(weights, paths[i]);
        cr_assert(zero(int, memcmp(was, weights, sizeof was)), "%s", paths[i]);
    }
}

Test(weights, other_precision_is_converted)
{
    static double wide[COUNT];
    Array arrays[PARAMS];
    ArrayError e;
    size_t at = 0;
    for (int i = 0; i < COUNT; i++)
        wide[i] = i + 0.1;
    for (int k = 0; k < PARAMS; at += params[k++].count) {
        int64_t shape[] = { params[k].shape[0], params[k].shape[1] };
        arrays[k] = array_view(params[k].name, ARRAY_F8, wide + at, params[k].rank, shape);
    }
    cr_assert(array_write_npz("w.npz", arrays, PARAMS, NULL, &e), "%s", e.text);
    weights_load(weights, "w.npz");
    cr_assert(eq(dbl, (double)weights[weights_index(&params[0], 7)], (double)(real)7.1));
}

Test(weights, missing_parameter_is_refused, .exit_code = 1)
{
    write_all("w.npz", 2, 0, NULL);
    weights_load(weights, "w.npz");
}

Test(weights, parameter_of_another_shape_is_refused, .exit_code = 1)
{
    write_all("w.npz", -1, IN, NULL);
    weights_load(weights, "w.npz");
}

Test(weights, unknown_parameter_is_refused, .exit_code = 1)
{
    write_all("w.npz", -1, 0, "hidden.weights");
    weights_load(weights, "w.npz");
}

Test(weights, complete_file_is_the_one_that_is_taken)
{
    write_all("w.npz", -1, 0, NULL);
    weights_load(weights, "w.npz");
}

Test(weights, damaged_file_is_refused, .exit_code = 1)
{
    size_t size;
    weights_save("w.npz", weights, true);
    unsigned char *bytes = file_get("w.npz", &size);
    file_put("w.npz", bytes, size / 2);
    weights_load(weights, "w.npz");
}

Test(weights, other_endings_are_wrong_usage, .exit_code = 2) { weights_save("w.pt", weights, true); }

/* Messages about a missing parameter: a misspelt name gets a suggestion, another word does not. */
Test(weights, the_nearest_name_stands_in_a_message)
{
    static const char *const words[] = { "train", "eval", "predict" };
    char far[300] = "";
    memset(far, 'x', sizeof far - 1);
    cr_assert(eq(str, (char *)nearest_text("", "perdict", words, 3, ""), "predict"));
    cr_assert(eq(str, (char *)nearest_text("(", "bench", words, 3, ")"), ""));
    cr_assert(eq(str, (char *)nearest_text("(", "x", (const char *const[]){ far }, 1, ")"), ""));
    cr_assert(eq(str, (char *)nearest_text(" (did you mean ", "evla", words, 3, "?)"), " (did you mean eval?)"));
    cr_assert(eq(str, (char *)nearest_text(" (did you mean ", "zzzz", words, 3, "?)"), ""));
}
