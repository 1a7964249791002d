/* decode_pnm.c -- PBM, PGM and PPM, as text (P1 to P3) or bytes (P4 to P6), and PAM (P7).
 *
 * A bit of a PBM is ink: 1 is black.  In a PAM it is light: 1 is white. */
#define _DEFAULT_SOURCE
#include "files/decode.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct { const unsigned char *at, *end; } Bytes;

static void skip(Bytes *b)
{
    for (; b->at < b->end && (isspace(*b->at) || *b->at == '#'); b->at++)
        if (*b->at == '#')
            while (b->at + 1 < b->end && *b->at != '\n')
                b->at++;
}

/* The next decimal number after white space and comments; -1 if there is none or it is beyond `most`. */
static int64_t take_number(Bytes *b, int64_t most)
{
    int64_t value = 0;
    skip(b);
    if (b->at == b->end || !isdigit(*b->at))
        return -1;
    for (; b->at < b->end && isdigit(*b->at) && value <= most; b->at++)
        value = 10 * value + (*b->at - '0');
    return value <= most ? value : -1;
}

/* The next bit of a P1: a digit, with or without space before it. */
static int take_bit(Bytes *b)
{
    skip(b);
    return b->at < b->end && (*b->at == '0' || *b->at == '1') ? *b->at++ - '0' : -1;
}

static bool cut_short(size_t left, size_t needed, const char *more, int width, int height, const char *path, ArrayError *e)
{
    return array_fail(e, 1, path, "found %zu bytes after the header, expected %zu%s for %d x %d pixels: the file is cut short", left, needed, more,
                      width, height);
}

/* Samples of one or two bytes. */
static bool take_bytes(Pixels *p, Bytes b, int most, bool alpha, int ground, const char *path, ArrayError *e)
{
    const size_t width = (size_t)p->width, wide = most > 255 ? 2 : 1, samples = width * ((size_t)p->channels + alpha);
    const size_t needed = samples * (size_t)p->height * wide, left = (size_t)(b.end - b.at);
    if (left < needed)
        return cut_short(left, needed, "", p->width, p->height, path, e);
    uint16_t *line = array_allocate(path, samples * sizeof *line, e);
    bool fine = line;
    for (size_t y = 0; fine && y < (size_t)p->height; y++) {
        for (size_t i = 0; fine && i < samples; i++, b.at += wide) {
            line[i] = (uint16_t)(wide == 2 ? b.at[0] << 8 | b.at[1] : b.at[0]);
            if (line[i] > most)
                fine = array_fail(e, 1, path, "found %d in row %zu, which is beyond the largest value of its header, %d", line[i], y, most);
        }
        fine = fine && pixels_take(p, y * width, width, line, most, alpha, ground, path, e);
    }
    free(line);
    return fine;
}

static bool take_text(Pixels *p, Bytes b, int most, bool bits, const char *path, ArrayError *e)
{
    const size_t samples = (size_t)p->width * (size_t)p->height * (size_t)p->channels, left = (size_t)(b.end - b.at);
    const size_t needed = bits ? samples : 2 * samples - 1;
    if (left < needed)
        return cut_short(left, needed, " or more", p->width, p->height, path, e);
    for (size_t i = 0; i < samples; i++) {
        const int64_t v = bits ? take_bit(&b) : take_number(&b, most);
        if (v < 0)
            return array_fail(e, 1, path, "found no number from 0 to %d for sample %zu of %zu, which the header promises", most, i, samples);
        p->pixels[i] = (uint8_t)(bits ? 255 * (1 - v) : (v * 255 + most / 2) / most);
    }
    return true;
}

/* Rows of bits, each filled up to whole bytes. */
static bool take_bits(Pixels *p, Bytes b, const char *path, ArrayError *e)
{
    const size_t width = (size_t)p->width, row = (width + 7) / 8, needed = row * (size_t)p->height, left = (size_t)(b.end - b.at);
    if (left < needed)
        return cut_short(left, needed, "", p->width, p->height, path, e);
    for (size_t y = 0; y < (size_t)p->height; y++)
        for (size_t x = 0; x < width; x++)
            p->pixels[y * width + x] = b.at[y * row + x / 8] >> (7 - x % 8) & 1 ? 0 : 255;
    return true;
}

bool decode_pnm(Pixels *p, const unsigned char *bytes, size_t size, const char *path, ArrayError *e)
{
    Bytes b = { bytes + 2, bytes + size };
    const char kind = (char)bytes[1];
    const bool bits = kind == '1' || kind == '4';
    const int64_t width = take_number(&b, INT32_MAX), height = take_number(&b, INT32_MAX), most = bits ? 1 : take_number(&b, 65535);
    if (width < 0 || height < 0 || most < 1 || b.at == b.end || !isspace(*b.at))
        return array_fail(e, 1, path, "found a P%c file with a damaged header, expected columns, rows%s", kind,
                          bits ? "" : " and a largest value of 1 to 65535");
    if (kind > '3' && b.end - b.at > 1 && b.at[0] == '\r' && b.at[1] == '\n')      /* one byte ends the header: pixels would begin with the second */
        return array_fail(e, 1, path, "found a P%c file whose header ends with a carriage return and a line feed, expected one of them; was it written as text?", kind);
    b.at++;
    if (!pixels_sides(width, height, path, e) ||
        !pixels_open(p, (int)width, (int)height, kind == '3' || kind == '6' ? 3 : 1, path, e))
        return false;
    return kind <= '3' ? take_text(p, b, (int)most, bits, path, e)
         : bits ? take_bits(p, b, path, e) : take_bytes(p, b, (int)most, false, NO_GROUND, path, e);
}

/* ---- PAM: lines of a word and a value, up to ENDHDR ---------------------------------------------------------------------- */

static bool is_line(const char *word, size_t length, const char *name)
{
    return length == strlen(name) && !memcmp(word, name, length);
}

bool decode_pam(Pixels *p, const unsigned char *bytes, size_t size, int ground, const char *path, ArrayError *e)
{
    static const char *const names[] = { "WIDTH", "HEIGHT", "DEPTH", "MAXVAL" };
    Bytes b = { bytes + 3, bytes + size };
    int64_t values[4] = { -1, -1, -1, -1 };
    bool ended = false;
    while (!ended) {
        skip(&b);
        const char *word = (const char *)b.at;
        while (b.at < b.end && !isspace(*b.at))
            b.at++;
        const size_t length = (size_t)(b.at - (const unsigned char *)word);
        if (!length)
            break;
        ended = is_line(word, length, "ENDHDR");
        for (int i = 0; i < 4; i++)
            if (is_line(word, length, names[i]))
                values[i] = take_number(&b, INT32_MAX);
        while (b.at < b.end && *b.at != '\n')   /* TUPLTYPE says in words what the depth says */
            b.at++;
        b.at += b.at < b.end;
    }
    if (!ended || values[0] < 0 || values[1] < 0 || values[2] < 1 || values[2] > 4 || values[3] < 1 || values[3] > 65535)
        return array_fail(e, 1, path, "found a PAM with a damaged header, expected WIDTH, HEIGHT, DEPTH 1 to 4 and MAXVAL 1 to 65535");
    const int depth = (int)values[2];
    return pixels_sides(values[0], values[1], path, e) && pixels_open(p, (int)values[0], (int)values[1], depth < 3 ? 1 : 3, path, e) &&
           take_bytes(p, b, (int)values[3], depth % 2 == 0, ground, path, e);
}
