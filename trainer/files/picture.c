/* picture.c -- contact sheets, glimpses and their captions, as PNG by libpng.
 *
 * Reads only its arguments; makes pixels in the caller's Picture, and one file in picture_write.
 * Convention: x to the right, y downwards, in pixels; whatever lies outside the picture is not drawn. */
#include "files/picture.h"

#include <limits.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

/* Columns from left to right, the lowest bit on top; ' ' to '~'. */
static const uint8_t font[95][PICTURE_GLYPH_WIDTH] = {
    { 0x00, 0x00, 0x00, 0x00, 0x00 }, { 0x00, 0x00, 0x5f, 0x00, 0x00 }, { 0x00, 0x07, 0x00, 0x07, 0x00 }, { 0x14, 0x7f, 0x14, 0x7f, 0x14 },   /*   ! " # */
    { 0x24, 0x2a, 0x7f, 0x2a, 0x12 }, { 0x23, 0x13, 0x08, 0x64, 0x62 }, { 0x36, 0x49, 0x56, 0x20, 0x50 }, { 0x00, 0x08, 0x07, 0x03, 0x00 },   /* $ % & ' */
    { 0x00, 0x1c, 0x22, 0x41, 0x00 }, { 0x00, 0x41, 0x22, 0x1c, 0x00 }, { 0x2a, 0x1c, 0x7f, 0x1c, 0x2a }, { 0x08, 0x08, 0x3e, 0x08, 0x08 },   /* ( ) * + */
    { 0x00, 0x80, 0x70, 0x30, 0x00 }, { 0x08, 0x08, 0x08, 0x08, 0x08 }, { 0x00, 0x00, 0x60, 0x60, 0x00 }, { 0x20, 0x10, 0x08, 0x04, 0x02 },   /* , - . / */
    { 0x3e, 0x51, 0x49, 0x45, 0x3e }, { 0x00, 0x42, 0x7f, 0x40, 0x00 }, { 0x42, 0x61, 0x51, 0x49, 0x46 }, { 0x21, 0x41, 0x45, 0x4b, 0x31 },   /* 0 1 2 3 */
    { 0x18, 0x14, 0x12, 0x7f, 0x10 }, { 0x27, 0x45, 0x45, 0x45, 0x39 }, { 0x3c, 0x4a, 0x49, 0x49, 0x30 }, { 0x01, 0x71, 0x09, 0x05, 0x03 },   /* 4 5 6 7 */
    { 0x36, 0x49, 0x49, 0x49, 0x36 }, { 0x06, 0x49, 0x49, 0x29, 0x1e }, { 0x00, 0x00, 0x14, 0x00, 0x00 }, { 0x00, 0x40, 0x34, 0x00, 0x00 },   /* 8 9 : ; */
    { 0x00, 0x08, 0x14, 0x22, 0x41 }, { 0x14, 0x14, 0x14, 0x14, 0x14 }, { 0x00, 0x41, 0x22, 0x14, 0x08 }, { 0x02, 0x01, 0x59, 0x09, 0x06 },   /* < = > ? */
    { 0x3e, 0x41, 0x5d, 0x59, 0x4e }, { 0x7c, 0x12, 0x11, 0x12, 0x7c }, { 0x7f, 0x49, 0x49, 0x49, 0x36 }, { 0x3e, 0x41, 0x41, 0x41, 0x22 },   /* @ A B C */
    { 0x7f, 0x41, 0x41, 0x41, 0x3e }, { 0x7f, 0x49, 0x49, 0x49, 0x41 }, { 0x7f, 0x09, 0x09, 0x09, 0x01 }, { 0x3e, 0x41, 0x41, 0x51, 0x73 },   /* D E F G */
    { 0x7f, 0x08, 0x08, 0x08, 0x7f }, { 0x00, 0x41, 0x7f, 0x41, 0x00 }, { 0x20, 0x40, 0x41, 0x3f, 0x01 }, { 0x7f, 0x08, 0x14, 0x22, 0x41 },   /* H I J K */
    { 0x7f, 0x40, 0x40, 0x40, 0x40 }, { 0x7f, 0x02, 0x1c, 0x02, 0x7f }, { 0x7f, 0x04, 0x08, 0x10, 0x7f }, { 0x3e, 0x41, 0x41, 0x41, 0x3e },   /* L M N O */
    { 0x7f, 0x09, 0x09, 0x09, 0x06 }, { 0x3e, 0x41, 0x51, 0x21, 0x5e }, { 0x7f, 0x09, 0x19, 0x29, 0x46 }, { 0x26, 0x49, 0x49, 0x49, 0x32 },   /* P Q R S */
    { 0x01, 0x01, 0x7f, 0x01, 0x01 }, { 0x3f, 0x40, 0x40, 0x40, 0x3f }, { 0x1f, 0x20, 0x40, 0x20, 0x1f }, { 0x3f, 0x40, 0x38, 0x40, 0x3f },   /* T U V W */
    { 0x63, 0x14, 0x08, 0x14, 0x63 }, { 0x03, 0x04, 0x78, 0x04, 0x03 }, { 0x61, 0x51, 0x49, 0x45, 0x43 }, { 0x00, 0x7f, 0x41, 0x41, 0x00 },   /* X Y Z [ */
    { 0x02, 0x04, 0x08, 0x10, 0x20 }, { 0x00, 0x41, 0x41, 0x7f, 0x00 }, { 0x04, 0x02, 0x01, 0x02, 0x04 }, { 0x40, 0x40, 0x40, 0x40, 0x40 },   /* \ ] ^ _ */
    { 0x00, 0x03, 0x07, 0x08, 0x00 }, { 0x20, 0x54, 0x54, 0x54, 0x78 }, { 0x7f, 0x48, 0x44, 0x44, 0x38 }, { 0x38, 0x44, 0x44, 0x44, 0x28 },   /* ` a b c */
    { 0x38, 0x44, 0x44, 0x48, 0x7f }, { 0x38, 0x54, 0x54, 0x54, 0x18 }, { 0x00, 0x08, 0x7e, 0x09, 0x02 }, { 0x18, 0xa4, 0xa4, 0xa4, 0x7c },   /* d e f g */
    { 0x7f, 0x08, 0x04, 0x04, 0x78 }, { 0x00, 0x44, 0x7d, 0x40, 0x00 }, { 0x40, 0x80, 0x84, 0x7d, 0x00 }, { 0x7f, 0x10, 0x28, 0x44, 0x00 },   /* h i j k */
    { 0x00, 0x41, 0x7f, 0x40, 0x00 }, { 0x7c, 0x04, 0x78, 0x04, 0x78 }, { 0x7c, 0x08, 0x04, 0x04, 0x78 }, { 0x38, 0x44, 0x44, 0x44, 0x38 },   /* l m n o */
    { 0xfc, 0x24, 0x24, 0x24, 0x18 }, { 0x18, 0x24, 0x24, 0x24, 0xfc }, { 0x7c, 0x08, 0x04, 0x04, 0x08 }, { 0x48, 0x54, 0x54, 0x54, 0x24 },   /* p q r s */
    { 0x04, 0x04, 0x3f, 0x44, 0x24 }, { 0x3c, 0x40, 0x40, 0x20, 0x7c }, { 0x1c, 0x20, 0x40, 0x20, 0x1c }, { 0x3c, 0x40, 0x30, 0x40, 0x3c },   /* t u v w */
    { 0x44, 0x28, 0x10, 0x28, 0x44 }, { 0x1c, 0xa0, 0xa0, 0xa0, 0x7c }, { 0x44, 0x64, 0x54, 0x4c, 0x44 }, { 0x00, 0x08, 0x36, 0x41, 0x00 },   /* x y z { */
    { 0x00, 0x00, 0x77, 0x00, 0x00 }, { 0x00, 0x41, 0x36, 0x08, 0x00 }, { 0x02, 0x01, 0x02, 0x04, 0x02 },                                     /* | } ~ */
};
static const uint8_t no_glyph[PICTURE_GLYPH_WIDTH] = { 0x7f, 0x41, 0x41, 0x41, 0x7f };

bool picture_open(Picture *picture, int width, int height, int channels, Colour colour)
{
    *picture = (Picture){ 0 };
    if (width < 1 || height < 1 || width > PICTURE_SIDE_MOST || height > PICTURE_SIDE_MOST || (channels != 1 && channels != 3))
        return false;
    uint8_t *pixels = malloc((size_t)width * (size_t)height * (size_t)channels);
    if (!pixels)
        return false;
    *picture = (Picture){ .width = width, .height = height, .channels = channels, .pixels = pixels, .right = width, .bottom = height };
    picture_box(picture, 0, 0, width, height, colour);
    return true;
}

void picture_close(Picture *picture)
{
    free(picture->pixels);
    *picture = (Picture){ 0 };
}

/* Mixes `colour` into a pixel that is inside the picture; cover from 0 to 256. */
static void mix(Picture *picture, int x, int y, Colour colour, int cover)
{
    const int red = colour >> 16 & 255, green = colour >> 8 & 255, blue = colour & 255;
    uint8_t *p = picture->pixels + ((size_t)y * (size_t)picture->width + (size_t)x) * (size_t)picture->channels;
    if (picture->channels == 1) {
        p[0] = (uint8_t)(p[0] + ((red * 77 + green * 150 + blue * 29) / 256 - p[0]) * cover / 256);
        return;
    }
    p[0] = (uint8_t)(p[0] + (red - p[0]) * cover / 256);
    p[1] = (uint8_t)(p[1] + (green - p[1]) * cover / 256);
    p[2] = (uint8_t)(p[2] + (blue - p[2]) * cover / 256);
}

/* The part of start..start+length-1 that lies in low..limit-1, as first and one past the last. */
static void cut(int *first, int *end, int64_t start, int64_t length, int low, int limit)
{
    const int64_t stop = start + length;
    *first = start < low ? low : start > limit ? limit : (int)start;
    *end = stop < *first ? *first : stop > limit ? limit : (int)stop;
}

void picture_clip(Picture *picture, int x, int y, int width, int height)
{
    cut(&picture->left, &picture->right, x, width, 0, picture->width);
    cut(&picture->top, &picture->bottom, y, height, 0, picture->height);
}

static void box(Picture *picture, int64_t x, int64_t y, int64_t width, int64_t height, Colour colour)
{
    int left, right, top, bottom;
    cut(&left, &right, x, width, picture->left, picture->right);
    cut(&top, &bottom, y, height, picture->top, picture->bottom);
    for (int row = top; row < bottom; row++)
        for (int column = left; column < right; column++)
            mix(picture, column, row, colour, 256);
}

void picture_box(Picture *picture, int x, int y, int width, int height, Colour colour)
{
    box(picture, x, y, width, height, colour);
}

void picture_frame(Picture *picture, int x, int y, int width, int height, int thickness, Colour colour)
{
    const int64_t t = thickness, right = (int64_t)x + width - t, bottom = (int64_t)y + height - t;
    box(picture, x, y, width, t, colour);
    box(picture, x, bottom, width, t, colour);
    box(picture, x, y, t, height, colour);
    box(picture, right, y, t, height, colour);
}

void picture_line(Picture *picture, double x0, double y0, double x1, double y1, double thickness, Colour colour)
{
    const double far = 1e6;                                                     /* beyond it, coordinates are nonsense and pixels would not fit an int */
    if (!(fabs(x0) < far && fabs(y0) < far && fabs(x1) < far && fabs(y1) < far && thickness > 0 && thickness < far))
        return;
    const double dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy, reach = thickness / 2 + 0.5;
    int top, bottom;
    cut(&top, &bottom, (int64_t)floor(fmin(y0, y1) - reach), (int64_t)(fabs(dy) + 2 * reach) + 2, picture->top, picture->bottom);
    for (int row = top; row < bottom; row++) {
        /* Only the columns that this row can touch: the line between y - reach and y + reach, widened by reach. */
        double t0 = 0, t1 = 1;
        const double y = row + 0.5 - y0;
        if (fabs(dy) > 1e-9) {
            const double a = (y - reach) / dy, b = (y + reach) / dy;
            t0 = fmax(0, fmin(a, b));
            t1 = fmin(1, fmax(a, b));
            if (t0 > t1) {                                                      /* beyond an end: only its round cap */
                t0 = fmin(fmax(t0, 0), 1);
                t1 = t0;
            }
        }
        const double from = x0 + fmin(t0 * dx, t1 * dx) - reach, to = x0 + fmax(t0 * dx, t1 * dx) + reach;
        int left, right;
        cut(&left, &right, (int64_t)floor(from), (int64_t)(to - from) + 2, picture->left, picture->right);
        for (int column = left; column < right; column++) {
            const double x = column + 0.5 - x0;
            const double t = length > 0 ? fmin(fmax((x * dx + y * dy) / length, 0), 1) : 0;
            const double ex = x - t * dx, ey = y - t * dy, cover = fmin(fmin(reach - sqrt(ex * ex + ey * ey), 1), thickness);
            if (cover > 0)
                mix(picture, column, row, colour, (int)(cover * 256));
        }
    }
}

void picture_polygon(Picture *picture, const double (*points)[2], int count, double thickness, Colour colour)
{
    for (int i = 0; i < count; i++) {
        const double *a = points[i], *b = points[(i + 1) % count];
        picture_line(picture, a[0], a[1], b[0], b[1], thickness, colour);
    }
}

void picture_blit(Picture *picture, int x, int y, const uint8_t *grey, int width, int height, int scale)
{
    for (int row = 0; row < height; row++)
        for (int column = 0; column < width; column++) {
            const Colour g = grey[(size_t)row * (size_t)width + (size_t)column];
            box(picture, x + (int64_t)column * scale, y + (int64_t)row * scale, scale, scale, g << 16 | g << 8 | g);
        }
}

int picture_text(Picture *picture, int x, int y, const char *text, int scale, Colour colour)
{
    int64_t at = x;
    for (const char *c = text; *c; c++, at += (int64_t)PICTURE_ADVANCE * scale) {
        const uint8_t *glyph = *c >= ' ' && *c <= '~' ? font[*c - ' '] : no_glyph;
        for (int column = 0; column < PICTURE_GLYPH_WIDTH; column++)
            for (int row = 0; row < PICTURE_GLYPH_HEIGHT; row++)
                if (glyph[column] >> row & 1)
                    box(picture, at + (int64_t)column * scale, y + (int64_t)row * scale, scale, scale, colour);
    }
    return at < INT_MAX ? (int)at : INT_MAX;
}

void *picture_pack(size_t *size, const Picture *picture, const char *path, ArrayError *error)
{
    png_image image = { .version = PNG_IMAGE_VERSION, .width = (png_uint_32)picture->width, .height = (png_uint_32)picture->height,
                        .format = picture->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB };
    png_alloc_size_t packed = PNG_IMAGE_PNG_SIZE_MAX(image);
    void *bytes = array_allocate(path, packed, error);
    if (bytes && !png_image_write_to_memory(&image, bytes, &packed, 0, picture->pixels, 0, NULL)) {
        array_fail(error, 74, path, "libpng could not pack the picture: %s", image.message);
        free(bytes);
        bytes = NULL;
    }
    *size = bytes ? packed : 0;
    return bytes;
}

bool picture_write(const Picture *picture, const char *path, ArrayError *error)
{
    size_t size;
    void *bytes = picture_pack(&size, picture, path, error);
    if (!bytes)
        return false;
    ArrayOut out;
    bool fine = array_out_open(&out, path, error) && array_out_write(&out, bytes, size, error) && array_out_commit(&out, error);
    free(bytes);
    return fine;
}
