/* test_protobuf.c -- the wire format against bytes of its specification: numbers of any length, negative ones, floats, bytes, messages; no memory. */
#include "files/array_io.h"
#include "files/protobuf.h"

#include <criterion/criterion.h>
#include <string.h>

#define is(p, text) cr_expect((p).length == sizeof(text) - 1 && !memcmp((p).bytes, text, sizeof(text) - 1))

Test(protobuf, numbers)
{
    Protobuf p = { 0 };
    protobuf_int(&p, 1, 150);
    is(p, "\x08\x96\x01");
    protobuf_free(&p);
    protobuf_int(&p, 16, 0);
    is(p, "\x80\x01\x00");
    protobuf_free(&p);
    protobuf_int(&p, 2, -2);
    is(p, "\x10\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    protobuf_free(&p);
    protobuf_float(&p, 3, -2.5f);
    is(p, "\x1d\x00\x00\x20\xc0");
    protobuf_free(&p);
}

Test(protobuf, bytes_and_messages)
{
    Protobuf p = { 0 }, inner = { 0 }, empty = { 0 };
    protobuf_text(&p, 2, "testing");
    is(p, "\x12\x07" "testing");
    protobuf_int(&inner, 1, 150);
    protobuf_message(&p, 3, &inner);
    protobuf_message(&p, 4, &empty);
    is(p, "\x12\x07" "testing" "\x1a\x03\x08\x96\x01\x22\x00");
    cr_expect(!inner.bytes && !inner.length);
    protobuf_free(&p);
}

Test(protobuf, long_bytes)
{
    static unsigned char many[70000];
    Protobuf p = { 0 };
    memset(many, 7, sizeof many);
    for (int i = 0; i < 3; i++)
        protobuf_bytes(&p, 1, many, sizeof many);
    cr_assert(!p.failed && p.length == 3 * (sizeof many + 4));
    for (int i = 0; i < 3; i++)
        cr_expect(!memcmp(p.bytes + (size_t)i * (sizeof many + 4), "\x0a\xf0\xa2\x04\x07", 5));
    protobuf_free(&p);
}

static void *nothing(size_t size)
{
    (void)size;
    return NULL;
}

Test(protobuf, no_memory)
{
    Protobuf p = { 0 }, outer = { 0 };
    void *(*allocate)(size_t) = array_io.allocate;
    array_io.allocate = nothing;
    protobuf_text(&p, 1, "x");
    array_io.allocate = allocate;
    protobuf_text(&p, 1, "y");
    cr_expect(p.failed);
    protobuf_message(&outer, 1, &p);
    cr_expect(outer.failed && !p.bytes);
    protobuf_free(&outer);
}
