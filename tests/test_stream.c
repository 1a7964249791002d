/* test_stream.c -- where pictures end in a stream: at the right byte, for every beginning of it, and for no damage beyond its end. */
#define _DEFAULT_SOURCE
#include "files/picture.h"
#include "inspect/stream.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { const char *name; unsigned char *bytes; size_t size; } Item;

static unsigned char *copy(const void *bytes, size_t size)
{
    unsigned char *c = malloc(size ? size : 1);
    memcpy(c, bytes, size);
    return c;
}

#define TEXT(name, text) { name, copy(text, sizeof text - 1), sizeof text - 1 }

static int items(Item *all)
{
    Picture p;
    Item list[] = {
        TEXT("P1", "P1 3 2 101\n0 1 1"), TEXT("P2", "P2\n# a comment\n2 2 9\n1 2 3 4\n"), TEXT("P3", "P3 1 2 255 1 2 3 4 5 66\n"), TEXT("P4", "P4 9 2 abcd"),
        TEXT("P5", "P5 3 2 255\nabcdef"), TEXT("P5, 16 bits", "P5 2 1 65535 abcd"), TEXT("P6", "P6\n2 1\n255\nabcdef"),
        TEXT("P7", "P7\nWIDTH 2\nHEIGHT 2\n# x\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\nabcdefghijkl"),
        TEXT("JPEG", "\xff\xd8\xff\xe0\0\4ab\xff\xfe\0\5\xff\xd9z\xff\xda\0\3q12\xff\0" "34\xff\xd0" "56\xff\xff\xd9"),
        { "PNG", NULL, 0 }, { "npy", NULL, 0 }, { "npy 2.0", NULL, 0 },
    };
    enum { COUNT = sizeof list / sizeof *list };
    cr_assert(picture_open(&p, 5, 4, 3, 0x123456));
    list[COUNT - 3].bytes = picture_pack(&list[COUNT - 3].size, &p, "p", NULL);
    picture_close(&p);
    for (int v = 1; v <= 2; v++) {
        char npy[200];
        int head = snprintf(npy + 6 + 2 * (v + 1), 150, "%-60s\n", v == 1 ? "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" : "{'descr': '|u1', 'fortran_order': False, 'shape': (7,), }");
        memcpy(npy, v == 1 ? "\x93NUMPY\1\0" : "\x93NUMPY\2\0", 8);
        npy[8] = (char)head, npy[9] = 0;
        if (v == 2)
            npy[10] = npy[11] = 0;
        size_t at = (size_t)(6 + 2 * (v + 1) + head), data = v == 1 ? 24 : 7;
        memset(npy + at, 0x93, data);
        list[COUNT - 3 + v].bytes = copy(npy, at + data), list[COUNT - 3 + v].size = at + data;
    }
    memcpy(all, list, sizeof list);
    return COUNT;
}

/* Each in a piece of memory that ends with it, so that a sanitizer sees a read behind it. */
Test(stream, every_picture_ends_at_its_end)
{
    Item all[20];
    int count = items(all);
    for (int i = 0; i < count; i++) {
        cr_assert(eq(sz, (size_t)stream_length(all[i].bytes, all[i].size, true), all[i].size - (all[i].name[1] == '2' || all[i].name[1] == '3')), "%s", all[i].name);
        for (size_t n = 0; n < all[i].size; n++) {
            unsigned char *part = copy(all[i].bytes, n);
            ptrdiff_t length = stream_length(part, n, false);
            bool text = all[i].name[0] == 'P' && all[i].name[1] >= '1' && all[i].name[1] <= '3';        /* the last number may be over a byte before */
            cr_assert(length == (n ? STREAM_MORE : STREAM_UNKNOWN) || length == STREAM_MORE || (text && n + 1 >= all[i].size), "%zu bytes of %s: %td", n, all[i].name, length);
            free(part);
        }
        for (int k = 0; k < count; k++) {      /* another one behind it */
            unsigned char *two = malloc(all[i].size + all[k].size);
            memcpy(two, all[i].bytes, all[i].size);
            memcpy(two + all[i].size, all[k].bytes, all[k].size);
            ptrdiff_t length = stream_length(two, all[i].size + all[k].size, false);
            cr_assert(length == (ptrdiff_t)all[i].size || length == (ptrdiff_t)all[i].size - 1, "%s, then %s: %td", all[i].name, all[k].name, length);
            free(two);
        }
    }
}

Test(stream, what_is_no_picture_is_unknown)
{
    static const char *const texts[] = { "hello, world", "P8 1 1", "P5x", "PP", "\x89PNX\r\n\x1a\n", "GIF89a", "P5 x 1 255 ", "P2 99999999 1 9 ", "\n\n" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_assert(eq(int, (int)stream_length((const unsigned char *)texts[i], strlen(texts[i]), true), STREAM_UNKNOWN), "%s", texts[i]);
}

Test(stream, damage_is_never_read_beyond_the_end)
{
    Item all[20];
    int count = items(all);
    srand(5);
    for (int i = 0; i < count; i++)
        for (int t = 0; t < 3000; t++) {
            size_t n = all[i].size - (size_t)rand() % 3;
            unsigned char *bytes = copy(all[i].bytes, n);
            for (int k = rand() % 4; k >= 0; k--)
                bytes[(size_t)rand() % n] = (unsigned char)(rand() % 4 ? rand() : "09\xff -'("[rand() % 7]);
            ptrdiff_t length = stream_length(bytes, n, t % 2);
            cr_assert(length <= (ptrdiff_t)n, "%s: %td of %zu", all[i].name, length, n);
            free(bytes);
        }
}
