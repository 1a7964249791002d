/* list.c -- the List of `spn-data pack`: its memory, its items, names in natural order, and no file twice. */
#define _GNU_SOURCE
#include "data/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

void *need(void *old, size_t bytes)
{
    void *memory = realloc(old, bytes ? bytes : 1);
    if (memory)
        return memory;
    take_back();
    exit(complain(ENVIRONMENT, "memory is out: %zu bytes", bytes));
}

char *list_room(size_t bytes)
{
    static struct Kept { struct Kept *next; char bytes[]; } *all;
    struct Kept *one = need(NULL, sizeof *one + bytes);
    one->next = all;
    all = one;
    return one->bytes;
}

char *list_text(const char *text) { return strcpy(list_room(strlen(text) + 1), text); }

Item *list_add(List *l)
{
    if (l->count == l->room)
        l->items = need(l->items, (size_t)(l->room = 2 * l->room + 256) * sizeof *l->items);
    l->items[l->count] = (Item){ .split = DRAWN };
    return &l->items[l->count++];
}

static int by_name(const void *a, const void *b) { return strverscmp(*(char *const *)a, *(char *const *)b); }

int names_sort(char **names, int count)
{
    int kept = 0;
    if (count)
        qsort(names, (size_t)count, sizeof *names, by_name);
    for (int i = 0; i < count; i++)
        if (!kept || strcmp(names[kept - 1], names[i]))
            names[kept++] = names[i];
    return kept;
}

int names_find(char **names, int count, const char *name)
{
    char **at = count ? bsearch(&name, names, (size_t)count, sizeof *names, by_name) : NULL;
    return at ? (int)(at - names) : -1;
}

int split_of(const char *word)
{
    static const struct { const char *word; int split; } words[] = {
        { "train", 0 }, { "training", 0 }, { "valid", 1 }, { "val", 1 }, { "validation", 1 }, { "test", 2 }, { "testing", 2 },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(word, words[i].word))
            return words[i].split;
    return -1;
}

/* ---- no file twice ---------------------------------------------------------------------------------------------------- */

typedef struct { dev_t device; ino_t number; int64_t item; } Identity;

static int by_identity(const void *a, const void *b)
{
    const Identity *x = a, *y = b;
    return x->device != y->device ? (x->device < y->device ? -1 : 1) : x->number != y->number ? (x->number < y->number ? -1 : 1)
         : x->item < y->item ? -1 : x->item > y->item;
}

int list_refuse_twice(const List *l, const int *lines, const char *table)
{
    Identity *all = need(NULL, (size_t)l->count * sizeof *all);
    int64_t n = 0;
    int code = FINE;
    for (int64_t i = 0; i < l->count; i++) {
        struct stat s;
        if (!stat(l->items[i].path, &s))                /* one that is not there is reported when it is read */
            all[n++] = (Identity){ s.st_dev, s.st_ino, i };
    }
    qsort(all, (size_t)n, sizeof *all, by_identity);
    for (int64_t i = 1; code == FINE && i < n; i++) {
        const char *one = l->items[all[i - 1].item].path, *two = l->items[all[i].item].path;
        if (all[i].device != all[i - 1].device || all[i].number != all[i - 1].number)
            continue;
        if (lines)
            code = complain(WRONG_INPUT, "%s:%d: %s stands in line %d already%s%s; expected each file once", table, lines[all[i].item], two,
                            lines[all[i - 1].item], strcmp(one, two) ? " as " : "", strcmp(one, two) ? one : "");
        else
            code = complain(WRONG_INPUT, "%s and %s are one file, by a link; expected each file once", one, two);
    }
    free(all);
    return code;
}
