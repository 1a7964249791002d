/* test_decode.c -- pictures of every kind give the samples that were put into them: PNG of every depth, colour type and order of rows,
 * by an encoder of the test's own; JPEG by libjpeg; PBM to PAM as text.  Transparency lies over the ground that is given, or is refused. */
#define _DEFAULT_SOURCE
#include "files/decode.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <jpeglib.h>

enum { W = 13, H = 11, ROOM = 1 << 16 };
enum { GREY = 0, RGB = 2, PALETTE = 3, GREY_ALPHA = 4, RGB_ALPHA = 6 };

typedef struct { unsigned char bytes[ROOM]; size_t size; } Coded;

/* ---- an encoder of PNG ---------------------------------------------------------------------------------------------- */

static void put(Coded *f, const void *data, size_t size)
{
    cr_assert(f->size + size <= ROOM);
    memcpy(f->bytes + f->size, data, size);
    f->size += size;
}

static void put_u32(Coded *f, uint32_t v)
{
    const unsigned char b[4] = { (unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v };
    put(f, b, 4);
}

static void chunk(Coded *f, const char *kind, const void *data, size_t size)
{
    put_u32(f, (uint32_t)size);
    const size_t from = f->size;
    put(f, kind, 4);
    put(f, data, size);
    put_u32(f, (uint32_t)crc32(0, f->bytes + from, (uInt)(f->size - from)));
}

static int channels_of(int colour) { return colour == RGB ? 3 : colour == RGB_ALPHA ? 4 : colour == GREY_ALPHA ? 2 : 1; }

/* The rows of one pass, filter 0 in front of each: every step_x-th sample from x, every step_y-th row from y. */
static void pass(Coded *raw, const uint16_t *samples, int depth, int channels, int x, int y, int step_x, int step_y)
{
    for (int i = y; i < H && x < W; i += step_y) {
        unsigned char row[W * 8 + 1] = { 0 };
        int bit = 8;                                    /* behind the filter */
        for (int j = x; j < W; j += step_x)
            for (int c = 0; c < channels; c++, bit += depth) {
                const int v = samples[(i * W + j) * channels + c];
                if (depth == 16)
                    row[bit / 8] = (unsigned char)(v >> 8), row[bit / 8 + 1] = (unsigned char)v;
                else
                    row[bit / 8] |= (unsigned char)(v << (8 - depth - bit % 8));
            }
        put(raw, row, (size_t)(bit + 7) / 8);
    }
}

/* extra: chunks between IHDR and IDAT, may be NULL. */
static void png(Coded *f, const uint16_t *samples, int depth, int colour, bool interlaced, const Coded *extra)
{
    static const int passes[7][4] = { { 0, 0, 8, 8 }, { 4, 0, 8, 8 }, { 0, 4, 4, 8 }, { 2, 0, 4, 4 }, { 0, 2, 2, 4 }, { 1, 0, 2, 2 }, { 0, 1, 1, 2 } };
    static Coded raw;
    unsigned char packed[ROOM];
    const unsigned char head[13] = { 0, 0, 0, W, 0, 0, 0, H, (unsigned char)depth, (unsigned char)colour, 0, 0, interlaced };
    uLongf size = ROOM;
    raw.size = f->size = 0;
    for (int k = 0; k < 7 && interlaced; k++)
        pass(&raw, samples, depth, channels_of(colour), passes[k][0], passes[k][1], passes[k][2], passes[k][3]);
    if (!interlaced)
        pass(&raw, samples, depth, channels_of(colour), 0, 0, 1, 1);
    cr_assert(compress(packed, &size, raw.bytes, raw.size) == Z_OK);
    put(f, "\x89PNG\r\n\x1a\n", 8);
    chunk(f, "IHDR", head, sizeof head);
    if (extra)
        put(f, extra->bytes, extra->size);
    chunk(f, "IDAT", packed, size);
    chunk(f, "IEND", "", 0);
}

/* All values that there are, in no order. */
static void fill(uint16_t *samples, int count, int depth)
{
    for (int i = 0; i < count; i++)
        samples[i] = (uint16_t)((uint32_t)i * 40503u + 7u) & (uint16_t)((1 << depth) - 1);
    samples[0] = 0, samples[1] = (uint16_t)((1 << depth) - 1);
}

static int eight(int v, int most) { return (int)((255.0 * v) / most + 0.5); }

static void decoded(Pixels *p, const Coded *f, int ground)
{
    ArrayError e = { 0 };
    cr_assert(decode_picture(p, f->bytes, f->size, ground, "a picture", &e), "%s", e.text);
}

static void refused(const Coded *f, int ground, const char *says)
{
    ArrayError e = { 0 };
    Pixels p;
    cr_assert(not(decode_picture(&p, f->bytes, f->size, ground, "a picture", &e)));
    cr_assert(strstr(e.text, says) && p.pixels == NULL, "%s, expected %s", e.text, says);
    cr_assert(eq(int, e.exit_code, 1));
}

/* ---- PNG --------------------------------------------------------------------------------------------------------------- */

Test(decode, grey_and_colour_png_of_every_depth_in_both_orders)
{
    static const struct { int colour, depth; } forms[] = { { GREY, 1 }, { GREY, 2 }, { GREY, 4 }, { GREY, 8 }, { GREY, 16 }, { RGB, 8 }, { RGB, 16 } };
    static Coded f;
    uint16_t samples[W * H * 3];
    for (size_t k = 0; k < 2 * sizeof forms / sizeof *forms; k++) {
        const int colour = forms[k / 2].colour, depth = forms[k / 2].depth, n = channels_of(colour);
        Pixels p;
        fill(samples, W * H * n, depth);
        png(&f, samples, depth, colour, k % 2, NULL);
        decoded(&p, &f, NO_GROUND);
        cr_assert(p.width == W && p.height == H && p.channels == n);
        for (int i = 0; i < W * H * n; i++)
            cr_assert(eq(int, p.pixels[i], eight(samples[i], (1 << depth) - 1)), "colour type %d, %d bits, order %zu, sample %d", colour, depth, k % 2, i);
        pixels_free(&p);
    }
}

Test(decode, sixteen_bits_become_the_nearest_of_eight)
{
    static Coded f;
    static const struct { int v, is; } rounded[] = { { 0, 0 }, { 128, 0 }, { 129, 1 }, { 257, 1 }, { 385, 1 }, { 386, 2 }, { 65406, 254 }, { 65407, 255 } };
    uint16_t samples[W * H] = { 0 };
    Pixels p;
    for (int i = 0; i < 8; i++)
        samples[i] = (uint16_t)rounded[i].v;
    png(&f, samples, 16, GREY, true, NULL);
    decoded(&p, &f, NO_GROUND);
    for (int i = 0; i < 8; i++)
        cr_assert(eq(int, p.pixels[i], rounded[i].is), "%d", rounded[i].v);
    pixels_free(&p);
}

Test(decode, palettes_of_every_depth_give_their_colours)
{
    static Coded f, extra;
    uint16_t samples[W * H];
    unsigned char colours[256 * 3];
    for (int depth = 1; depth <= 8; depth *= 2)
        for (int interlaced = 0; interlaced < 2; interlaced++) {
            Pixels p;
            for (int i = 0; i < 3 << depth; i++)
                colours[i] = (unsigned char)(i * 89 + 3);
            fill(samples, W * H, depth);
            extra.size = 0;
            chunk(&extra, "PLTE", colours, (size_t)3 << depth);
            png(&f, samples, depth, PALETTE, interlaced, &extra);
            decoded(&p, &f, NO_GROUND);
            cr_assert(eq(int, p.channels, 3));
            for (int i = 0; i < W * H * 3; i++)
                cr_assert(eq(int, p.pixels[i], colours[3 * samples[i / 3] + i % 3]), "%d bits, order %d, sample %d", depth, interlaced, i);
            pixels_free(&p);
        }
}

Test(decode, a_colour_that_is_not_in_the_palette_is_refused)
{
    static Coded f, extra;
    uint16_t samples[W * H] = { 0 };
    for (int depth = 2; depth <= 8; depth *= 2)
        for (int away = 0; away < 2; away++) {
            extra.size = 0;
            chunk(&extra, "PLTE", "\1\2\3\4\5\6\7\10\11", 9);
            samples[W * H - 1] = (uint16_t)(2 + away);
            png(&f, samples, depth, PALETTE, depth == 4, &extra);
            Pixels p;
            if (away) {
                refused(&f, NO_GROUND, "in the palette; the file is damaged");
            } else {
                decoded(&p, &f, NO_GROUND);
                pixels_free(&p);
            }
        }
}

Test(decode, gamma_and_colour_profiles_change_no_sample)
{
    static Coded f, extra;
    uint16_t samples[W * H];
    Pixels p;
    fill(samples, W * H, 8);
    for (int k = 0; k < 3; k++) {
        extra.size = 0;
        if (k == 0)
            chunk(&extra, "gAMA", "\0\1\x86\xa0", 4);           /* 1.0 */
        else if (k == 1)
            chunk(&extra, "sRGB", "\0", 1);
        else
            chunk(&extra, "gAMA", "\0\0\x27\x10", 4), chunk(&extra, "sBIT", "\5", 1);
        png(&f, samples, 8, GREY, false, &extra);
        decoded(&p, &f, NO_GROUND);
        for (int i = 0; i < W * H; i++)
            cr_assert(eq(int, p.pixels[i], samples[i]), "case %d, sample %d", k, i);
        pixels_free(&p);
    }
}

Test(decode, alpha_lies_over_the_ground_and_is_refused_without_one)
{
    static Coded f;
    uint16_t samples[W * H * 4];
    for (int form = 0; form < 8; form++) {
        const int depth = form & 1 ? 16 : 8, colour = form & 2 ? RGB_ALPHA : GREY_ALPHA, n = channels_of(colour), most = (1 << depth) - 1;
        fill(samples, W * H * n, depth);
        png(&f, samples, depth, colour, form & 4, NULL);
        refused(&f, NO_GROUND, "transparency");
        for (int ground = 0; ground <= 255; ground += 85) {
            Pixels p;
            decoded(&p, &f, ground);
            cr_assert(eq(int, p.channels, n - 1));
            for (int i = 0; i < W * H; i++)
                for (int c = 0; c < n - 1; c++) {
                    const double a = (double)samples[i * n + n - 1] / most, v = 255.0 * samples[i * n + c] / most;
                    const double is = p.pixels[i * (n - 1) + c], should = v * a + ground * (1 - a);
                    cr_assert(is - should <= 0.5 + 1e-9 && should - is <= 0.5 + 1e-9, "form %d, pixel %d: %g, not %g", form, i, is, should);
                }
            pixels_free(&p);
        }
        for (int i = 0; i < W * H; i++)
            samples[i * n + n - 1] = (uint16_t)most;    /* an alpha channel that hides nothing is no transparency */
        Pixels p;
        png(&f, samples, depth, colour, form & 4, NULL);
        decoded(&p, &f, NO_GROUND);
        for (int i = 0; i < W * H; i++)
            cr_assert(eq(int, p.pixels[i * (n - 1)], eight(samples[i * n], most)));
        pixels_free(&p);
    }
}

Test(decode, black_ink_on_transparency_is_seen_on_white)
{
    static Coded f;
    uint16_t samples[W * H * 2];
    Pixels p;
    for (int i = 0; i < W * H; i++)
        samples[2 * i] = 0, samples[2 * i + 1] = i % 3 ? 0 : 255;
    png(&f, samples, 8, GREY_ALPHA, false, NULL);
    decoded(&p, &f, 255);
    for (int i = 0; i < W * H; i++)
        cr_assert(eq(int, p.pixels[i], i % 3 ? 255 : 0));
    pixels_free(&p);
}

Test(decode, a_transparent_colour_and_a_palette_with_opacities_are_transparency_too)
{
    static Coded f, extra;
    uint16_t samples[W * H * 3];
    Pixels p;
    for (int depth = 1; depth <= 16; depth *= 2) {              /* grey: one value is no ink */
        const int most = (1 << depth) - 1;
        fill(samples, W * H, depth);
        const int away = samples[5];
        extra.size = 0;
        chunk(&extra, "tRNS", (unsigned char[]){ (unsigned char)(away >> 8), (unsigned char)away }, 2);
        png(&f, samples, depth, GREY, depth & 2, &extra);
        refused(&f, NO_GROUND, "transparency");
        decoded(&p, &f, 77);
        for (int i = 0; i < W * H; i++)
            cr_assert(eq(int, p.pixels[i], samples[i] == away ? 77 : eight(samples[i], most)), "%d bits, sample %d", depth, i);
        pixels_free(&p);
    }
    for (int i = 0; i < W * H * 3; i++)
        samples[i] = (uint16_t)(i % 3 + i % 5);
    extra.size = 0;                                             /* a colour that no pixel has */
    chunk(&extra, "tRNS", "\0\xff\0\xff\0\xff", 6);
    png(&f, samples, 8, RGB, true, &extra);
    decoded(&p, &f, NO_GROUND);
    pixels_free(&p);
    extra.size = 0;                                             /* opacities of the first two colours; the others are opaque */
    chunk(&extra, "PLTE", "\x10\x20\x30\x40\x50\x60\x70\x80\x90\xa0\xb0\xc0", 12);
    chunk(&extra, "tRNS", "\0\x80", 2);
    for (int i = 0; i < W * H; i++)
        samples[i] = (uint16_t)(i % 4);
    png(&f, samples, 2, PALETTE, false, &extra);
    refused(&f, NO_GROUND, "column 0, row 0");
    decoded(&p, &f, 255);
    static const unsigned char first[12] = { 255, 255, 255, 159, 167, 175, 0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0 };
    cr_assert(memcmp(p.pixels, first, 12) == 0, "%d %d %d", p.pixels[3], p.pixels[4], p.pixels[5]);
    pixels_free(&p);
}

Test(decode, a_damaged_png_is_refused_at_every_byte_that_is_missing)
{
    static Coded f, cut;
    uint16_t samples[W * H];
    fill(samples, W * H, 8);
    png(&f, samples, 8, GREY, true, NULL);
    for (size_t n = 8; n < f.size; n++) {
        cut = f;
        cut.size = n;
        refused(&cut, NO_GROUND, "libpng refuses");
    }
    cut = f;
    cut.bytes[60] ^= 1;                                         /* in the packed rows: the CRC no longer fits */
    refused(&cut, NO_GROUND, "libpng refuses");
    cut = f;
    memcpy(cut.bytes + 16, "\0\0\x7f\xff\0\0\x7f\xff", 8);      /* sides that only a header has */
    cut.size = 29;
    put_u32(&cut, (uint32_t)crc32(0, cut.bytes + 12, 17));
    cut.size = f.size;
    refused(&cut, NO_GROUND, "32767 x 32767 pixels");
}

/* ---- JPEG ----------------------------------------------------------------------------------------------------------------- */

static void jpeg(Coded *f, const unsigned char *samples, int channels, J_COLOR_SPACE space, bool progressive)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    unsigned char *out = NULL;
    unsigned long size = 0;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &out, &size);
    c.image_width = W, c.image_height = H, c.input_components = channels, c.in_color_space = space;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, 100, TRUE);
    if (progressive)
        jpeg_simple_progression(&c);
    jpeg_start_compress(&c, TRUE);
    for (int y = 0; y < H; y++) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(samples + y * W * channels);
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    f->size = 0;
    put(f, out, size);
    free(out);
}

Test(decode, jpeg_of_both_kinds_gives_its_samples_nearly)
{
    static Coded f;
    unsigned char samples[W * H * 3];
    for (int k = 0; k < 4; k++) {
        const int n = k & 1 ? 3 : 1;
        Pixels p;
        for (int i = 0; i < W * H; i++)
            for (int c = 0; c < n; c++)
                samples[i * n + c] = (unsigned char)(10 + 9 * (i % W) + 8 * (i / W) + 10 * c);
        jpeg(&f, samples, n, n == 3 ? JCS_RGB : JCS_GRAYSCALE, k & 2);
        decoded(&p, &f, NO_GROUND);
        cr_assert(p.width == W && p.height == H && p.channels == n);
        for (int i = 0; i < W * H * n; i++)
            cr_assert(abs(p.pixels[i] - samples[i]) <= (n == 1 ? 1 : 8), "kind %d, sample %d: %d, not %d", k, i, p.pixels[i], samples[i]);
        pixels_free(&p);
        for (size_t size = 3; size + 2 < f.size; size += 7) {   /* the last two bytes only say that it ends */
            static Coded cut;
            cut = f;
            cut.size = size;
            refused(&cut, NO_GROUND, "libjpeg refuses");
        }
    }
}

Test(decode, a_jpeg_for_printers_is_refused_with_what_helps)
{
    static Coded f;
    unsigned char samples[W * H * 4] = { 0 };
    jpeg(&f, samples, 4, JCS_CMYK, false);
    refused(&f, NO_GROUND, "save it as RGB");
}

/* ---- PBM to PAM --------------------------------------------------------------------------------------------------------- */

static void text(Coded *f, const char *head, const void *data, size_t size)
{
    f->size = 0;
    put(f, head, strlen(head));
    put(f, data, size);
}

Test(decode, every_kind_of_pnm_gives_its_samples)
{
    static Coded f;
    static const struct { const char *head, *data; size_t size; int channels; const char *is; } cases[] = {
        { "P1\n# ink is 1\n4 2\n", "1011 0\n1 0 0", 12, 1, "\0\377\0\0\377\0\377\377" },
        { "P1 4 2 ", "10110100", 8, 1, "\0\377\0\0\377\0\377\377" },
        { "P4 4 2\n", "\xb0\x4f", 2, 1, "\0\377\0\0\377\0\377\377" },
        { "P2 4 2 15 ", "0 15 1 2 3 4 5 9", 16, 1, "\0\377\21\42\63\104\125\231" },
        { "P5 4 2 255\n", "\0\377\1\2\3\4\5\6", 8, 1, "\0\377\1\2\3\4\5\6" },
        { "P5 4 2 65535\n", "\0\0\377\377\1\1\2\2\3\3\4\4\0\200\0\201", 16, 1, "\0\377\1\2\3\4\0\1" },
        { "P3 2 1 255 ", "1 2 3 4 5 6", 11, 3, "\1\2\3\4\5\6" },
        { "P6 2 1 255\n", "\1\2\3\4\5\6", 6, 3, "\1\2\3\4\5\6" },
        { "P7\nWIDTH 4\nHEIGHT 2\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n", "\1\0\1\1\0\1\0\0", 8, 1, "\377\0\377\377\0\377\0\0" },
        { "P7\n# a comment\nHEIGHT 1\nWIDTH 2\nMAXVAL 255\nDEPTH 3\nENDHDR\n", "\1\2\3\4\5\6", 6, 3, "\1\2\3\4\5\6" },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        Pixels p;
        text(&f, cases[k].head, cases[k].data, cases[k].size);
        decoded(&p, &f, NO_GROUND);
        cr_assert(eq(int, p.channels, cases[k].channels), "case %zu", k);
        cr_assert(memcmp(p.pixels, cases[k].is, (size_t)(p.width * p.height * p.channels)) == 0, "case %zu", k);
        pixels_free(&p);
        f.size--;
        refused(&f, NO_GROUND, k == 0 || k == 3 ? "no number" : "cut short");
    }
}

Test(decode, a_pam_may_have_alpha)
{
    static Coded f;
    Pixels p;
    text(&f, "P7\nWIDTH 2\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n", "\144\200\144\377", 4);
    refused(&f, NO_GROUND, "--ground");
    decoded(&p, &f, 0);
    cr_assert(p.channels == 1 && p.pixels[0] == 50 && p.pixels[1] == 100);
    pixels_free(&p);
    text(&f, "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 65535\nENDHDR\n", "\0\0\377\377\0\0\0\0", 8);
    decoded(&p, &f, 9);
    cr_assert(p.channels == 3 && p.pixels[0] == 9 && p.pixels[1] == 9 && p.pixels[2] == 9);
    pixels_free(&p);
}

Test(decode, headers_of_pnm_are_not_believed)
{
    static Coded f;
    static const struct { const char *head, *says; } cases[] = {
        { "P5\r\n4 4\r\n255\r\n0123456789abcdef", "whose header ends with a carriage return and a line feed" },
        { "P5 2000000000 2000000000 255\n", "pixels, expected 1 to 32767 a side" }, { "P5 4 -4 255\n", "damaged header" },
        { "P5 4 4 0\n", "damaged header" }, { "P5 4 4 65536\n", "damaged header" }, { "P4 4\n", "damaged header" }, { "P1 4 1 1020", "no number" },
        { "P7\nWIDTH 4\nHEIGHT 4\nDEPTH 5\nMAXVAL 255\nENDHDR\n", "damaged header" }, { "P7\nWIDTH 4\nHEIGHT 4\nDEPTH 1\nMAXVAL 255\n", "damaged header" },
        { "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 9\nENDHDR\n\x0a", "beyond the largest" }, { "P8 4 4 255\n", "no kind of picture" },
        { "hello there", "no kind of picture" },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        text(&f, cases[k].head, "", 0);
        refused(&f, NO_GROUND, cases[k].says);
    }
}

/* ---- names ------------------------------------------------------------------------------------------------------------------ */

Test(decode, names_of_pictures)
{
    static const char *const are[] = { "a.png", "a.PNG", "a.b.jpg", "x.JPEG", "x.pbm", "x.pgm", "x.ppm", "x.pnm", "x.pam", " .png" };
    static const char *const are_not[] = { ".png", "._a.png", ".a.jpg", "png", "a.png~", "a.npy", "a.gif", "a.", "" };
    for (size_t i = 0; i < sizeof are / sizeof *are; i++)
        cr_assert(decode_is_name(are[i]), "%s", are[i]);
    for (size_t i = 0; i < sizeof are_not / sizeof *are_not; i++)
        cr_assert(not(decode_is_name(are_not[i])), "%s", are_not[i]);
}
