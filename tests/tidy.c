/* tidy.c -- usage: tidy <IN >OUT: C as compiler/emit/tidy.c lays it out; for tests/test_tidy.sh. */
#include "emit/tidy.h"
#include <stdio.h>

int main(void)
{
    Arena *a = arena_new();
    Text t = { .arena = a };
    char bytes[4096];
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, stdin)) > 0;)
        text_add(&t, bytes, n);
    tidy(&t, true);
    fputs(t.text, stdout);
    arena_free(a);
    return 0;
}
