/* stream.c -- the lengths of pictures in a stream, from their headers: PNG, JPEG, PBM, PGM, PPM, PAM and .npy.
 *
 * Only lengths are read here; a damaged picture is found by its decoder, which gets the bytes up to where the next one could begin. */
#include "inspect/stream.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_MOST ((uint64_t)1 << 40)

typedef struct { const unsigned char *bytes; size_t size; bool ended; } Stream;

static uint64_t big(const unsigned char *b, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | b[i];
    return v;
}

/* Where `end` bytes are there. */
static ptrdiff_t up_to(const Stream *s, uint64_t end)
{
    return end > LENGTH_MOST ? STREAM_UNKNOWN : end <= s->size ? (ptrdiff_t)end : STREAM_MORE;
}

/* Chunks of a length, a name of four letters, so many bytes and a checksum, up to IEND. */
static ptrdiff_t length_png(const Stream *s)
{
    for (uint64_t at = 8;;) {
        if (at + 12 > s->size)
            return STREAM_MORE;
        uint64_t next = at + 12 + big(s->bytes + at, 4);
        if (!memcmp(s->bytes + at + 4, "IEND", 4))
            return up_to(s, next);
        at = next;
    }
}

/* Segments, each with its length but for those of one marker alone; the coded picture goes to the next marker that is none of its own. */
static ptrdiff_t length_jpeg(const Stream *s)
{
    for (uint64_t at = 2;;) {
        while (at + 1 < s->size && (s->bytes[at] != 0xff || s->bytes[at + 1] == 0 || s->bytes[at + 1] == 0xff || (s->bytes[at + 1] & 0xf8) == 0xd0))
            at++;
        if (at + 2 > s->size)
            return STREAM_MORE;
        if (s->bytes[at + 1] == 0xd9)
            return (ptrdiff_t)(at + 2);
        if (at + 4 > s->size)
            return STREAM_MORE;
        at += 2 + (s->bytes[at + 1] == 0x01 ? 0 : big(s->bytes + at + 2, 2));
    }
}

/* ---- PBM, PGM, PPM, PAM -------------------------------------------------------------------------------------------------- */

/* A number behind blanks and comments; false, with *end STREAM_MORE or _UNKNOWN, if there is none. */
static bool number(uint64_t *v, size_t *at, const Stream *s, ptrdiff_t *end)
{
    *end = STREAM_MORE;
    for (; *at < s->size && (isspace(s->bytes[*at]) || s->bytes[*at] == '#'); ++*at)
        if (s->bytes[*at] == '#')
            while (*at + 1 < s->size && s->bytes[*at] != '\n')
                ++*at;
    if (*at == s->size)
        return false;
    *end = STREAM_UNKNOWN;
    if (!isdigit(s->bytes[*at]))
        return false;
    for (*v = 0; *at < s->size && isdigit(s->bytes[*at]) && *v < LENGTH_MOST; ++*at)
        *v = 10 * *v + (uint64_t)(s->bytes[*at] - '0');
    *end = STREAM_MORE;
    return *at < s->size || s->ended;
}

static ptrdiff_t length_pnm(const Stream *s)
{
    char kind = (char)s->bytes[1];
    uint64_t columns, rows, most = 1, v;
    size_t at = 2;
    ptrdiff_t end;
    if (!number(&columns, &at, s, &end) || !number(&rows, &at, s, &end) || (kind != '1' && kind != '4' && !number(&most, &at, s, &end)))
        return end;
    uint64_t samples = columns * rows * (kind == '3' || kind == '6' ? 3 : 1);
    if (columns > 1 << 20 || rows > 1 << 20)
        return STREAM_UNKNOWN;
    if (kind >= '4')
        return up_to(s, at + 1 + (kind == '4' ? (columns + 7) / 8 * rows : samples * (most > 255 ? 2 : 1)));
    for (; samples; samples--) {
        if (kind != '1') {
            if (!number(&v, &at, s, &end))
                return end;
            continue;
        }
        while (at < s->size && isspace(s->bytes[at]))          /* bits may stand side by side */
            at++;
        if (at == s->size)
            return STREAM_MORE;
        at++;
    }
    return (ptrdiff_t)at;
}

/* Lines "WIDTH 4" up to ENDHDR */
static ptrdiff_t length_pam(const Stream *s)
{
    uint64_t width = 0, height = 0, depth = 0, most = 0;
    for (size_t at = 0;;) {
        const unsigned char *line = s->bytes + at, *stop = memchr(line, '\n', s->size - at);
        if (!stop)
            return s->size - at > 4096 ? STREAM_UNKNOWN : STREAM_MORE;
        size_t n = (size_t)(stop - line);
        char text[100] = "";
        memcpy(text, line, n < sizeof text - 1 ? n : sizeof text - 1);
        at += n + 1;
        struct { const char *name; uint64_t *to; } rows[] = { { "WIDTH ", &width }, { "HEIGHT ", &height }, { "DEPTH ", &depth }, { "MAXVAL ", &most } };
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            if (!strncmp(text, rows[i].name, strlen(rows[i].name)))
                *rows[i].to = strtoull(text + strlen(rows[i].name), NULL, 10);
        if (!strncmp(text, "ENDHDR", 6))
            return width > 1 << 20 || height > 1 << 20 || depth > 64 ? STREAM_UNKNOWN : up_to(s, at + width * height * depth * (most > 255 ? 2 : 1));
    }
}

/* ---- .npy ------------------------------------------------------------------------------------------------------------------ */

static ptrdiff_t length_npy(const Stream *s)
{
    if (s->size < 12)
        return STREAM_MORE;
    bool wide = s->bytes[6] > 1;
    uint64_t head = wide ? 12 : 10, text = s->bytes[8] | (uint64_t)s->bytes[9] << 8;
    if (wide)
        text |= (uint64_t)s->bytes[10] << 16 | (uint64_t)s->bytes[11] << 24;
    if (text > 10000)
        return STREAM_UNKNOWN;
    if (head + text > s->size)
        return STREAM_MORE;
    char header[10001], *type, *shape;
    memcpy(header, s->bytes + head, text);
    header[text] = '\0';
    type = strstr(header, "'descr'"), shape = strstr(header, "'shape'");
    type = type ? strchr(type + 7, '\'') : NULL, shape = shape ? strchr(shape, '(') : NULL;
    if (!type || !shape)
        return STREAM_UNKNOWN;
    type += 1 + strcspn(type + 1, "0123456789'");
    uint64_t bytes = strtoull(type, NULL, 10);
    for (char *at = shape + 1; *at && *at != ')' && bytes < LENGTH_MOST; at += strspn(at, ", "))
        if (isdigit((unsigned char)*at))
            bytes *= strtoull(at, &at, 10);
        else
            return STREAM_UNKNOWN;
    return up_to(s, head + text + bytes);
}

ptrdiff_t stream_length(const unsigned char *bytes, size_t size, bool ended)
{
    static const struct { const char *magic; size_t size; ptrdiff_t (*length)(const Stream *s); } kinds[] = {
        { "\x89PNG\r\n\x1a\n", 8, length_png }, { "\xff\xd8\xff", 3, length_jpeg }, { "\x93NUMPY", 6, length_npy }, { "P7\n", 3, length_pam },
    };
    Stream s = { bytes, size, ended };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (size >= kinds[i].size && !memcmp(bytes, kinds[i].magic, kinds[i].size))
            return kinds[i].length(&s);
        if (!ended && size < kinds[i].size && !memcmp(bytes, kinds[i].magic, size))
            return STREAM_MORE;
    }
    if (size < 3)
        return !ended && size && bytes[0] == 'P' && (size == 1 || strchr("123456", bytes[1])) ? STREAM_MORE : STREAM_UNKNOWN;
    return bytes[0] == 'P' && strchr("123456", bytes[1]) && bytes[1] && (isspace(bytes[2]) || bytes[2] == '#') ? length_pnm(&s) : STREAM_UNKNOWN;
}
