/* decode_png.c -- PNG by libpng: every depth, palette, grey and colour, interlaced or not.
 *
 * libpng's functions for rows are used, not its simplified interface, which applies gamma and, in 1.6.39, reads interlaced
 * pictures of 16 bits wrongly.  It is told to unpack bits, and nothing else: samples stay as they are in the file.  Colours of a palette are looked
 * up here, since libpng takes what is beyond its end for black. */
#define _DEFAULT_SOURCE
#include "files/decode.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const unsigned char *at, *end;             /* of the file, what is not yet read */
    char why[100];                             /* libpng's own message */
    unsigned char *rows;                       /* the whole picture as libpng gives it */
    png_bytep *row;
    uint16_t *line;                            /* a row of samples */
    png_colorp palette;                        /* of `colours`, the first `opacities` of them with an opacity; NULL: samples are no indices */
    png_bytep opacity;
    int colours, opacities;
} Reader;

static void on_error(png_structp png, const char *message)
{
    Reader *r = png_get_error_ptr(png);
    strncat(r->why, message, sizeof r->why - 1);
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, const char *message) { (void)png, (void)message; }

static void on_read(png_structp png, png_bytep to, size_t size)
{
    Reader *r = png_get_io_ptr(png);
    if (size > (size_t)(r->end - r->at))
        png_error(png, "the file is cut short");
    memcpy(to, r->at, size);
    r->at += size;
}

/* Fewer than 8 bits become 8 (of a palette: the indices in a byte each), tRNS of grey and colour an alpha channel. */
static void expand(Reader *r, png_structp png, png_infop info)
{
    if (png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE) {
        png_get_PLTE(png, info, &r->palette, &r->colours);
        png_get_tRNS(png, info, &r->opacity, &r->opacities, NULL);
        png_set_packing(png);
    } else if (png_get_bit_depth(png, info) < 8) {
        png_set_expand_gray_1_2_4_to_8(png);
    }
    if (!r->palette && png_get_valid(png, info, PNG_INFO_tRNS))
        png_set_tRNS_to_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

/* The colours, and their opacities if there are any, of a row of indices. */
static bool look_up(Reader *r, const unsigned char *from, size_t width, size_t y, const char *path, ArrayError *e)
{
    uint16_t *to = r->line;
    for (size_t x = 0; x < width; x++) {
        const int i = from[x];
        if (i >= r->colours)
            return array_fail(e, 1, path, "found colour %d at column %zu, row %zu, and %d in the palette; the file is damaged", i, x, y, r->colours);
        *to++ = r->palette[i].red, *to++ = r->palette[i].green, *to++ = r->palette[i].blue;
        if (r->opacities)
            *to++ = i < r->opacities ? r->opacity[i] : 255;
    }
    return true;
}

static bool take_rows(Pixels *p, Reader *r, int channels, int depth, int ground, const char *path, ArrayError *e)
{
    const size_t width = (size_t)p->width, samples = width * (size_t)channels;
    for (size_t y = 0; y < (size_t)p->height; y++) {
        const unsigned char *from = r->row[y];
        if (r->palette && !look_up(r, from, width, y, path, e))
            return false;
        for (size_t i = 0; i < samples && !r->palette; i++)
            r->line[i] = depth == 16 ? (uint16_t)(from[2 * i] << 8 | from[2 * i + 1]) : from[i];
        if (!pixels_take(p, y * width, width, r->line, depth == 16 ? 65535 : 255, channels != p->channels, ground, path, e))
            return false;
    }
    return true;
}

/* Runs libpng; an error of its own comes back by longjmp.  Nothing is kept in a variable of this function over such a jump. */
static bool read_all(Pixels *p, Reader *r, png_structp png, png_infop info, int ground, const char *path, ArrayError *e)
{
    if (setjmp(png_jmpbuf(png)))
        return array_fail(e, 1, path, "found a PNG that libpng refuses (%s), expected a whole one", r->why);
    png_set_read_fn(png, r, on_read);
    png_read_info(png, info);
    const png_uint_32 width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    if (!pixels_sides(width, height, path, e))
        return false;
    expand(r, png, info);
    const int channels = !r->palette ? png_get_channels(png, info) : r->opacities ? 4 : 3, depth = png_get_bit_depth(png, info);
    const size_t bytes = png_get_rowbytes(png, info);
    r->rows = array_allocate(path, bytes * height, e);
    r->row = r->rows ? array_allocate(path, sizeof *r->row * height, e) : NULL;
    r->line = r->row ? array_allocate(path, sizeof *r->line * (size_t)channels * width, e) : NULL;
    if (!r->line || !pixels_open(p, (int)width, (int)height, channels < 3 ? 1 : 3, path, e))
        return false;
    for (size_t y = 0; y < height; y++)
        r->row[y] = r->rows + y * bytes;
    png_read_image(png, r->row);
    png_read_end(png, NULL);
    return take_rows(p, r, channels, depth, ground, path, e);
}

bool decode_png(Pixels *p, const unsigned char *bytes, size_t size, int ground, const char *path, ArrayError *e)
{
    Reader r = { .at = bytes, .end = bytes + size };
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    const bool fine = info ? read_all(p, &r, png, info, ground, path, e) : array_fail(e, 74, path, "no memory to read a PNG");
    png_destroy_read_struct(&png, &info, NULL);
    free(r.line);
    free(r.row);
    free(r.rows);
    return fine;
}
