/* The arena, lists and growing texts. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "spnc.h"

Test(arena, memory_is_zeroed_aligned_and_its_own)
{
    Arena *a = arena_new();
    unsigned char *before = NULL;
    for (size_t size = 0; size < 200000; size = size * 2 + 1) {
        unsigned char *p = arena_alloc(a, size);
        cr_assert(eq(ulong, (uintptr_t)p % 16, 0));
        cr_assert(p != before);
        for (size_t i = 0; i < size; i++)
            cr_assert(p[i] == 0);
        memset(p, 0xAA, size);
        before = p;
    }
    arena_free(a);
    arena_free(NULL);
}

Test(arena, copies_and_prints_texts)
{
    Arena *a = arena_new();
    cr_assert(eq(str, arena_copy(a, "abcdef", 3), "abc"));
    cr_assert(eq(str, arena_copy(a, NULL, 0), ""));
    cr_assert(eq(str, arena_printf(a, "%d %s", 5, "x"), "5 x"));
    arena_free(a);
}

Test(arena, a_list_keeps_its_order_while_growing)
{
    Arena *a = arena_new();
    List l = { 0 };
    int numbers[1000];
    for (int i = 0; i < 1000; i++)
        list_push(a, &l, &numbers[i]);
    cr_assert(eq(int, l.count, 1000));
    for (int i = 0; i < 1000; i++)
        cr_assert(l.items[i] == &numbers[i]);
    arena_free(a);
}

Test(arena, lists_take_in_and_give_up_items_anywhere)
{
    Arena *a = arena_new();
    List l = { 0 };
    char items[] = "abcd";
    list_insert(a, &l, 0, &items[1]);
    list_insert(a, &l, 0, &items[0]);
    list_insert(a, &l, 2, &items[3]);
    list_insert(a, &l, 2, &items[2]);
    for (int i = 0; i < 4; i++)
        cr_assert(eq(int, list_index(&l, &items[i]), i));
    list_remove(&l, 1);
    list_remove(&l, 2);
    cr_assert(eq(int, l.count, 2));
    cr_assert(eq(int, list_index(&l, &items[0]), 0));
    cr_assert(eq(int, list_index(&l, &items[2]), 1));
    cr_assert(eq(int, list_index(&l, &items[1]), -1));
    cr_assert(eq(int, list_index(&l, &items[3]), -1));
    arena_free(a);
}

Test(arena, a_text_is_terminated_after_every_step)
{
    Arena *a = arena_new();
    Text t = { .arena = a };
    text_add(&t, "", 0);
    cr_assert(t.text == NULL);
    for (int i = 0; i < 500; i++) {
        text_printf(&t, "%d,", i % 10);
        text_add(&t, "x", 1);
        cr_assert(eq(ulong, strlen(t.text), t.length));
    }
    cr_assert(eq(ulong, t.length, 1500));
    cr_assert(strncmp(t.text, "0,x1,x2,x", 9) == 0);
    arena_free(a);
}

Test(arena, an_impossible_size_ends_with_the_environments_code, .exit_code = 74)
{
    static Arena *a;    /* still reachable at the exit, so no leak */
    a = arena_new();
    arena_alloc(a, (size_t)-8);
}

Test(arena, our_own_bugs_have_their_own_code, .exit_code = 70)
{
    unreachable("a test");
}
