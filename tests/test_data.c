/* test_data.c -- example files are checked against the net, labels of any width become int32, batches are lists. */
#define _DEFAULT_SOURCE
#include "fixtures/tiny_net.c"
#include "run/data.h"
#include "folder.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>

static void begin(void)
{
    folder_make();
    cr_redirect_stderr();
}

TestSuite(data, .init = begin, .fini = folder_remove);

enum { EXAMPLES = 23 };
static uint8_t images[EXAMPLES][IN];

static void put(const char *path, ArrayType type, const void *bytes, int rank, const int64_t *shape)
{
    Array a = array_view("", type, bytes, rank, shape);
    ArrayError e;
    cr_assert(array_write_npy(path, &a, &e), "%s", e.text);
}

static void put_images(int64_t count)
{
    for (int i = 0; i < EXAMPLES * IN; i++)
        images[i / IN][i % IN] = (uint8_t)(i * 7);
    put("test_image.npy", ARRAY_U1, images, 4, (int64_t[]){ count, 1, 4, 4 });
}

/* Labels (i % 4) of the given type; `odd` at element `at`. */
static void put_labels(ArrayType type, int64_t count, int64_t at, int64_t odd)
{
    size_t size = array_type_size(type);
    char bytes[EXAMPLES * POSITIONS * 8] = { 0 };
    for (int64_t i = 0; i < count * POSITIONS; i++) {
        int64_t v = i == at ? odd : i % CLASSES;
        memcpy(bytes + (size_t)i * size, &v, size);           /* little endian, as the files are */
    }
    put("test_digits.npy", type, bytes, 2, (int64_t[]){ count, POSITIONS });
}

static void open_them(Data *d)
{
    data_open(d, ".", "test", true);
}

Test(data, labels_of_every_integer_type_are_the_same)
{
    put_images(EXAMPLES);
    for (int type = ARRAY_U1; type <= ARRAY_I8; type++) {
        Data d;
        put_labels((ArrayType)type, EXAMPLES, -1, 0);
        open_them(&d);
        cr_assert(eq(i64, d.examples, EXAMPLES));
        for (int i = 0; i < EXAMPLES * POSITIONS; i++)
            cr_assert(eq(int, data_label(&d, 0, i / POSITIONS, i % POSITIONS), i % CLASSES));
        data_close(&d);
    }
}

Test(data, last_batch_is_partial_and_points_into_the_file)
{
    Data d;
    Batch batch = { 0 };
    put_images(EXAMPLES);
    put_labels(ARRAY_I4, EXAMPLES, -1, 0);
    open_them(&d);
    int batches = 0;
    for (int64_t first = 0; first < d.examples; first += batch.count, batches++)
        data_batch(&batch, &d, NULL, first);
    cr_assert(eq(int, batches, 3));
    data_batch(&batch, &d, NULL, 20);
    cr_assert(eq(int, batch.count, 3));
    cr_assert(zero(int, memcmp(batch.inputs[0][2], images[22], IN)));
    cr_assert(eq(int, ((const int32_t *)batch.targets[0][1])[1], (21 * 2 + 1) % CLASSES));
    data_close(&d);
}

Test(data, order_is_a_permutation_that_changes_with_epoch_and_seed)
{
    Data d;
    Batch batch = { 0 };
    uint32_t a[EXAMPLES], b[EXAMPLES], seen = 0;
    put_images(EXAMPLES);
    put_labels(ARRAY_I4, EXAMPLES, -1, 0);
    open_them(&d);
    data_order(a, &d, 1, 0);
    for (int i = 0; i < EXAMPLES; i++)
        seen |= 1u << a[i];
    cr_assert(eq(u32, seen, (1u << EXAMPLES) - 1));
    data_order(b, &d, 1, 1);
    cr_assert(ne(int, memcmp(a, b, sizeof a), 0));
    data_order(b, &d, 2, 0);
    cr_assert(ne(int, memcmp(a, b, sizeof a), 0));
    data_order(b, &d, 1, 0);
    cr_assert(zero(int, memcmp(a, b, sizeof a)));
    data_batch(&batch, &d, a, 10);
    cr_assert(zero(int, memcmp(batch.inputs[0][4], images[a[14]], IN)));
    data_close(&d);
}

Test(data, split_without_targets_will_do_where_nobody_needs_them)
{
    Data d;
    put_images(EXAMPLES);
    data_open(&d, ".", "test", false);
    cr_assert(not(d.targets));
    cr_assert(zero(int, data_label(&d, 0, EXAMPLES - 1, 1)));
    data_close(&d);
}

Test(data, made_up_examples_follow_from_the_seed_and_have_legal_labels)
{
    Data a, b;
    bool light = false;
    data_made_up(&a, 50, 3);
    data_made_up(&b, 50, 3);
    cr_assert(zero(int, memcmp(a.base[0], b.base[0], 50 * IN)));
    for (int64_t i = 0; i < 50 * IN; i++)
        light |= ((const uint8_t *)a.base[0])[i] > 100;
    for (int64_t i = 0; i < 50; i++)
        cr_assert(all(ge(int, data_label(&a, 0, i, 0), 0), lt(int, data_label(&a, 0, i, 0), CLASSES)));
    cr_assert(light);
    data_close(&a);
    data_close(&b);
}

Test(data, a_set_that_was_replaced_in_part_is_refused, .exit_code = 1)
{
    Data d;
    put_images(EXAMPLES);
    put_labels(ARRAY_U1, EXAMPLES, -1, 0);
    open_them(&d);
    data_close(&d);
    file_put(ARRAY_INCOMPLETE, "x", 1);
    open_them(&d);
}

Test(data, true_and_false_are_labels)
{
    Data d;
    put_images(EXAMPLES);
    uint8_t bools[EXAMPLES * POSITIONS];
    for (int i = 0; i < EXAMPLES * POSITIONS; i++)
        bools[i] = i % 3 == 0;
    put("test_digits.npy", ARRAY_B1, bools, 2, (int64_t[]){ EXAMPLES, POSITIONS });
    open_them(&d);
    for (int i = 0; i < EXAMPLES * POSITIONS; i++)
        cr_assert(eq(int, data_label(&d, 0, i / POSITIONS, i % POSITIONS), i % 3 == 0));
    data_close(&d);
}

Test(data, missing_target_is_refused, .exit_code = 1)
{
    Data d;
    put_images(EXAMPLES);
    open_them(&d);
}

Test(data, label_beyond_the_classes_is_refused, .exit_code = 1)
{
    Data d;
    put_images(EXAMPLES);
    put_labels(ARRAY_U1, EXAMPLES, 45, CLASSES);
    open_them(&d);
}

Test(data, negative_label_is_refused, .exit_code = 1)
{
    Data d;
    put_images(EXAMPLES);
    put_labels(ARRAY_I2, EXAMPLES, 0, -1);
    open_them(&d);
}

Test(data, label_beyond_int64_is_refused, .exit_code = 1)
{
    Data d;
    put_images(EXAMPLES);
    put_labels(ARRAY_U8, EXAMPLES, 0, INT64_MIN);
    open_them(&d);
}

Test(data, real_labels_are_refused, .exit_code = 1)
{
    Data d;
    put_images(EXAMPLES);
    put_labels(ARRAY_F4, EXAMPLES, -1, 0);
    open_them(&d);
}

Test(data, files_of_different_length_are_refused, .exit_code = 1)
{
    Data d;
    put_images(EXAMPLES);
    put_labels(ARRAY_I4, EXAMPLES - 1, -1, 0);
    open_them(&d);
}

Test(data, another_shape_is_refused, .exit_code = 1)
{
    Data d;
    put("test_image.npy", ARRAY_U1, images, 4, (int64_t[]){ EXAMPLES, 1, 2, 8 });
    open_them(&d);
}

Test(data, another_type_is_refused, .exit_code = 1)
{
    Data d;
    static float reals[EXAMPLES][IN];
    put("test_image.npy", ARRAY_F4, reals, 4, (int64_t[]){ EXAMPLES, 1, 4, 4 });
    open_them(&d);
}

Test(data, file_without_examples_is_refused, .exit_code = 1)
{
    Data d;
    put_images(0);
    put_labels(ARRAY_I4, 0, -1, 0);
    open_them(&d);
}
