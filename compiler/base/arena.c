/* arena.c -- memory that ends with the compilation; List, Text and the exit for our own bugs.
 *
 * An arena is a chain of blocks, newest first; small requests are cut from the newest block, large ones get a
 * block of their own behind it.  Nothing is given back before arena_free.  Memory that runs out ends the
 * program here (exit 74), so no caller ever tests for NULL. */
#define _POSIX_C_SOURCE 200809L
#include "spnc.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 64 * 1024, ALIGN = 16 };

typedef struct Block Block;
struct Block {
    Block *next;
    size_t used, size;
    _Alignas(ALIGN) unsigned char bytes[];
};

struct Arena { Block *blocks; };

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "spnc: out of memory (%zu bytes more were needed)\n", size);
    exit(74);
}

static Block *block_new(size_t size)
{
    Block *b = size <= SIZE_MAX - sizeof *b ? calloc(1, sizeof *b + size) : NULL;
    if (!b)
        out_of_memory(size);
    b->size = size;
    return b;
}

Arena *arena_new(void)
{
    Arena *a = calloc(1, sizeof *a);
    if (!a)
        out_of_memory(sizeof *a);
    a->blocks = block_new(BLOCK_SIZE);
    return a;
}

void arena_free(Arena *a)
{
    if (!a)
        return;
    for (Block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

void *arena_alloc(Arena *a, size_t size)
{
    if (size > SIZE_MAX / 2)    /* a negative count times a size ends up here */
        out_of_memory(size);
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (size == 0)
        size = ALIGN;
    Block *b = a->blocks;
    if (size > b->size - b->used) {
        Block *fresh = block_new(size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE);
        if (fresh->size == size) {    /* a large one goes behind, so the rest of the newest block stays in use */
            fresh->next = b->next;
            b->next = fresh;
        } else {
            fresh->next = b;
            a->blocks = fresh;
        }
        b = fresh;
    }
    void *p = b->bytes + b->used;
    b->used += size;
    return p;
}

char *arena_copy(Arena *a, const char *text, size_t n)
{
    char *copy = arena_alloc(a, n + 1);
    if (n)
        memcpy(copy, text, n);
    return copy;
}

char *arena_printf(Arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        unreachable("a format that cannot be printed");
    char *text = arena_alloc(a, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

void list_push(Arena *a, List *l, void *item)
{
    if (l->count == l->room) {
        int room = l->room ? 2 * l->room : 8;
        void **items = NEW_ARRAY(a, void *, room);
        if (l->count)
            memcpy(items, l->items, sizeof *items * (size_t)l->count);
        l->items = items;
        l->room = room;
    }
    l->items[l->count++] = item;
}

void list_insert(Arena *a, List *l, int at, void *item)
{
    list_push(a, l, item);
    for (int k = l->count - 1; k > at; k--)
        l->items[k] = l->items[k - 1];
    l->items[at] = item;
}

void list_remove(List *l, int at)
{
    for (l->count--; at < l->count; at++)
        l->items[at] = l->items[at + 1];
}

int list_index(const List *l, const void *item)
{
    for (int k = 0; k < l->count; k++)
        if (l->items[k] == item)
            return k;
    return -1;
}

static void text_reserve(Text *t, size_t n)
{
    if (n < t->room - t->length)    /* room counts the NUL */
        return;
    size_t room = t->room ? 2 * t->room : 64;
    while (room - t->length <= n)
        room *= 2;
    char *text = arena_alloc(t->arena, room);
    if (t->length)
        memcpy(text, t->text, t->length);
    t->text = text;
    t->room = room;
}

void text_add(Text *t, const char *bytes, size_t n)
{
    if (n == 0)
        return;
    text_reserve(t, n);
    memcpy(t->text + t->length, bytes, n);
    t->length += n;
    t->text[t->length] = '\0';
}

void text_printf(Text *t, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        unreachable("a format that cannot be printed");
    if (n > 0) {
        text_reserve(t, (size_t)n);
        vsnprintf(t->text + t->length, (size_t)n + 1, format, again);
        t->length += (size_t)n;
    }
    va_end(again);
}

_Noreturn void unreachable_at(const char *file, int line, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "spnc: a bug of ours at %s:%d: %s\n", file, line, what);
    exit(70);
}
