/* test_container.c -- a checkpoint reads back bit for bit, or is refused; writing leaves the old one or the new one. */
#define _DEFAULT_SOURCE
#include "files/container.h"
#include "folder.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

TestSuite(container, .init = folder_make, .fini = folder_remove);

static const char hash[] = "0123456789abcdef";
static float weights[6] = { 1, -2.5f, 3e-40f, 4, 5, 6 };
static double state[3] = { 0.1, 1e300, -0.0 };

static bool write_sample(const char *facts, ArrayError *e)
{
    int64_t step = 1234567890123;
    weights[3] = NAN;
    Array blocks[] = {
        array_view("net.conv1.weight", ARRAY_F4, weights, 2, (int64_t[]){ 2, 3 }),
        array_view("adam/m", ARRAY_F8, state, 1, (int64_t[]){ 3 }),
        array_view("step", ARRAY_I8, &step, 0, NULL),
        array_view("empty", ARRAY_F4, NULL, 2, (int64_t[]){ 0, 5 }),
    };
    return container_write("last", hash, "net.conv1.weight [2][3]", facts, blocks, 4, e);
}

static const Array *find(const Container *c, const char *name)
{
    return array_find(&(ArrayList){ .items = c->blocks, .count = c->count }, name);
}

Test(container, reads_back_bit_for_bit)
{
    ArrayError e;
    Container c;
    cr_assert(write_sample("{\"epoch\": 3}", &e), "%s", e.text);
    cr_assert(container_read(&c, "last", 1 << 20, &e), "%s", e.text);
    cr_assert(eq(str, c.hash, (char *)hash));
    cr_assert(eq(str, c.signature, (char *)"net.conv1.weight [2][3]"));
    cr_assert(eq(str, c.facts, (char *)"{\"epoch\": 3}"));
    cr_assert(eq(int, c.count, 4));
    const Array *w = find(&c, "net.conv1.weight"), *m = find(&c, "adam/m");
    cr_assert(w->type == ARRAY_F4 && w->rank == 2 && w->shape[1] == 3 && !memcmp(w->data, weights, sizeof weights));
    cr_assert(m->type == ARRAY_F8 && !memcmp(m->data, state, sizeof state));
    cr_assert(eq(i64, *(int64_t *)find(&c, "step")->data, 1234567890123));
    cr_assert(find(&c, "empty")->bytes == 0);
    cr_assert(find(&c, "nothing") == NULL);
    for (int i = 0; i < c.count; i++)
        cr_assert(eq(int, (int)((uintptr_t)c.blocks[i].data % 64), 0));
    container_free(&c);
}

Test(container, holds_no_blocks_and_no_text_too)
{
    ArrayError e;
    Container c;
    cr_assert(container_write("last", hash, "", "", NULL, 0, &e), "%s", e.text);
    cr_assert(container_read(&c, "last", 1 << 20, &e), "%s", e.text);
    cr_assert(c.count == 0 && !c.facts[0] && !c.signature[0]);
    container_free(&c);
}

Test(container, same_content_makes_the_same_bytes)
{
    size_t n, m;
    cr_assert(write_sample("{}", NULL));
    unsigned char *first = file_get("last", &n);
    cr_assert(write_sample("{}", NULL));
    unsigned char *second = file_get("last", &m);
    cr_assert(n == m && !memcmp(first, second, n));
    free(first);
    free(second);
}

Test(container, refuses_every_truncation_and_every_flipped_bit)
{
    ArrayError e;
    Container c;
    size_t size;
    cr_assert(write_sample("{\"epoch\": 3}", &e));
    unsigned char *bytes = file_get("last", &size);
    bytes[size] = 0;
    for (size_t n = 0; n <= size + 1; n++) {
        file_put("cut", bytes, n);
        cr_assert(container_read(&c, "cut", 1 << 20, &e) == (n == size), "cut to %zu of %zu bytes", n, size);
        cr_assert(n == size || e.exit_code == 1, "%s", e.text);
        container_free(&c);
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        file_put("flipped", bytes, size);
        cr_assert(not(container_read(&c, "flipped", 1 << 20, &e)), "bit %zu", bit);
        cr_assert(eq(int, e.exit_code, 1));
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(bytes);
}

Test(container, refuses_what_is_too_large_missing_or_something_else)
{
    ArrayError e;
    Container c;
    size_t size;
    cr_assert(write_sample("{}", &e));
    free(file_get("last", &size));
    cr_assert(not(container_read(&c, "last", size - 1, &e)));
    cr_assert(container_read(&c, "last", size, &e));
    container_free(&c);
    cr_assert(not(container_read(&c, "nowhere", 1 << 20, &e)));
    cr_assert(e.exit_code == 1 && strstr(e.text, "nowhere: "), "%s", e.text);
    cr_assert(not(container_read(&c, folder, 1 << 20, &e)));
    cr_assert(strstr(e.text, "a folder") != NULL, "%s", e.text);
    char other[100] = "something else";
    file_put("other", other, sizeof other);
    cr_assert(not(container_read(&c, "other", 1 << 20, &e)));
    cr_assert(strstr(e.text, "SPNCKPT1") != NULL, "%s", e.text);
}

Test(container, a_writer_that_contradicts_itself_is_a_bug_and_writes_nothing)
{
    ArrayError e;
    Array twice[2] = { array_view("w", ARRAY_F4, weights, 1, (int64_t[]){ 6 }), array_view("w", ARRAY_F4, weights, 0, NULL) };
    cr_assert(not(container_write("last", hash, "", "", twice, 2, &e)));
    cr_assert(eq(int, e.exit_code, 70));
    twice[0].bytes--;
    cr_assert(not(container_write("last", hash, "", "", twice, 1, &e)));
    cr_assert(eq(int, e.exit_code, 70));
    cr_assert(not(container_write("last", "0123", "", "", NULL, 0, &e)));
    cr_assert(eq(int, e.exit_code, 70));
    cr_assert(eq(int, folder_files(), 0));
}

Test(container, a_full_disk_at_any_call_leaves_the_old_or_the_new_one_whole)
{
    ArrayError e = { .exit_code = 0 };
    Container c;
    cr_assert(write_sample("old", &e));
    io_fail_at(0);
    cr_assert(write_sample("old", &e));
    int calls = test_calls;
    for (int n = 1; n <= calls; n++) {
        cr_assert(write_sample("old", &e));
        io_fail_at(n);
        bool fine = write_sample("new", &e);
        io_real();
        bool closing_folder = n == calls;      /* what is already durable stays so */
        cr_assert(fine == closing_folder, "call %d of %d", n, calls);
        cr_assert(fine || e.exit_code == 74, "%s", e.text);
        cr_assert(eq(int, folder_files(), 1));
        cr_assert(container_read(&c, "last", 1 << 20, &e), "%s", e.text);
        cr_assert(eq(str, c.facts, (char *)(n > calls - CALLS_AFTER_RENAME ? "new" : "old")));
        container_free(&c);
    }
}

Test(container, no_memory_at_any_call_is_the_environments_fault)
{
    ArrayError e = { .exit_code = 0 };
    Container c;
    cr_assert(write_sample("{}", &e));
    io_fail_at(0);
    cr_assert(container_read(&c, "last", 1 << 20, &e));
    container_free(&c);
    int calls = test_calls;
    cr_assert(calls >= 7);
    for (int n = 1; n <= calls; n++) {
        io_fail_at(n);
        cr_assert(not(container_read(&c, "last", 1 << 20, &e)));
        cr_assert(eq(int, e.exit_code, 74));
    }
    io_real();
}
