/* protobuf.c -- the wire format of Protocol Buffers: a key (field * 8 + kind), then a number of variable length, 4 bytes, or a length and so many bytes. */
#include "files/protobuf.h"
#include "files/array_io.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT = 0, LENGTH = 2, FIXED32 = 5 };

static unsigned char *more(Protobuf *p, size_t n)
{
    if (!p->failed && p->length + n > p->room) {
        const size_t room = p->length + n + p->length / 2 + 64;
        unsigned char *bytes = array_io.allocate(room);
        if (bytes && p->length)
            memcpy(bytes, p->bytes, p->length);
        p->failed = !bytes;
        free(p->bytes);
        p->bytes = bytes, p->room = room;
    }
    if (p->failed)
        return NULL;
    p->length += n;
    return p->bytes + p->length - n;
}

/* Seven bits a byte, the lowest first; the highest bit says that more follow. */
static void varint(Protobuf *p, uint64_t value)
{
    unsigned char bytes[10], *to;
    size_t n = 0;
    do {
        bytes[n++] = (unsigned char)((value & 127) | (value > 127 ? 128 : 0));
        value >>= 7;
    } while (value);
    if ((to = more(p, n)))
        memcpy(to, bytes, n);
}

static void key(Protobuf *p, int field, int kind) { varint(p, (uint64_t)field << 3 | (unsigned)kind); }

void protobuf_int(Protobuf *p, int field, int64_t value)
{
    key(p, field, VARINT);
    varint(p, (uint64_t)value);
}

void protobuf_float(Protobuf *p, int field, float value)
{
    uint32_t bits;
    unsigned char *to;
    memcpy(&bits, &value, sizeof bits);
    key(p, field, FIXED32);
    if ((to = more(p, 4)))
        for (int i = 0; i < 4; i++)
            to[i] = (unsigned char)(bits >> 8 * i);
}

void protobuf_bytes(Protobuf *p, int field, const void *bytes, size_t n)
{
    unsigned char *to;
    key(p, field, LENGTH);
    varint(p, n);
    if ((to = more(p, n)) && n)
        memcpy(to, bytes, n);
}

void protobuf_text(Protobuf *p, int field, const char *text) { protobuf_bytes(p, field, text, strlen(text)); }

void protobuf_message(Protobuf *p, int field, Protobuf *m)
{
    p->failed = p->failed || m->failed;
    if (!p->failed)
        protobuf_bytes(p, field, m->bytes, m->length);
    protobuf_free(m);
}

void protobuf_free(Protobuf *p)
{
    free(p->bytes);
    *p = (Protobuf){ 0 };
}
