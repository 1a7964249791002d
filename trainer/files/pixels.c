/* pixels.c -- decodes PNG (by libpng), PGM and PPM, and brings pictures to another size.
 *
 * Everything is decoded from bytes in memory, so a pipe is as good as a file.  No length of a file is trusted before it
 * is checked: sides and number of pixels have a bound, so that a header alone cannot cause a huge allocation. */
#define _DEFAULT_SOURCE
#include "files/pixels.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MOST = 32767 };
#define PIXELS_MOST ((int64_t)1 << 26)

bool pixels_sides(int64_t width, int64_t height, const char *path, ArrayError *e)
{
    if (width < 1 || height < 1 || width > SIDE_MOST || height > SIDE_MOST || width * height > PIXELS_MOST)
        return array_fail(e, 1, path, "found %" PRId64 " x %" PRId64 " pixels, expected 1 to %d a side and %" PRId64 " in all", width,
                          height, SIDE_MOST, PIXELS_MOST);
    return true;
}

/* ---- PNG --------------------------------------------------------------------------------------------------------- */

static bool decode_png(Pixels *raw, const unsigned char *bytes, size_t size, const char *path, ArrayError *e)
{
    png_image image = { .version = PNG_IMAGE_VERSION };
    const png_color black = { 0, 0, 0 };
    if (!png_image_begin_read_from_memory(&image, bytes, size))
        return array_fail(e, 1, path, "found a PNG that libpng refuses (%s), expected a whole one", image.message);
    if (!pixels_sides(image.width, image.height, path, e)) {
        png_image_free(&image);
        return false;
    }
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    image.format = image.format & PNG_FORMAT_FLAG_COLOR ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    raw->width = (int)image.width, raw->height = (int)image.height;
    raw->channels = image.format == PNG_FORMAT_RGB ? 3 : 1;
    raw->pixels = array_allocate(path, PNG_IMAGE_SIZE(image), e);
    if (!raw->pixels) {
        png_image_free(&image);
        return false;
    }
    if (!png_image_finish_read(&image, &black, raw->pixels, 0, NULL))
        return array_fail(e, 1, path, "found a PNG that libpng refuses (%s), expected a whole one", image.message);
    return true;
}

/* ---- PGM and PPM --------------------------------------------------------------------------------------------------- */

typedef struct { const unsigned char *at, *end; } Bytes;

/* The next decimal number after white space and comments; -1 if there is none or it is beyond `most`. */
static int64_t take_number(Bytes *b, int64_t most)
{
    int64_t value = 0;
    for (; b->at < b->end && (isspace(*b->at) || *b->at == '#'); b->at++)
        if (*b->at == '#')
            while (b->at + 1 < b->end && *b->at != '\n')
                b->at++;
    if (b->at == b->end || !isdigit(*b->at))
        return -1;
    for (; b->at < b->end && isdigit(*b->at) && value <= most; b->at++)
        value = 10 * value + (*b->at - '0');
    return value <= most ? value : -1;
}

static bool decode_pnm(Pixels *raw, const unsigned char *bytes, size_t size, const char *path, ArrayError *e)
{
    Bytes b = { bytes + 2, bytes + size };
    bool plain = bytes[1] <= '3';
    int64_t width = take_number(&b, INT32_MAX), height = take_number(&b, INT32_MAX), most = take_number(&b, 65535);
    if (width < 0 || height < 0 || most < 1 || b.at == b.end || !isspace(*b.at))
        return array_fail(e, 1, path, "found a P%c file with a damaged header, expected columns, rows and a largest value of 1 to 65535",
                          bytes[1]);
    b.at++;
    if (!pixels_sides(width, height, path, e))
        return false;
    raw->width = (int)width, raw->height = (int)height, raw->channels = bytes[1] == '3' || bytes[1] == '6' ? 3 : 1;
    size_t samples = (size_t)width * (size_t)height * (size_t)raw->channels, wide = most > 255 ? 2 : 1, left = (size_t)(b.end - b.at);
    if (plain ? left < 2 * samples - 1 : left < wide * samples)
        return array_fail(e, 1, path, "found %zu bytes after the header, expected %zu%s for %d x %d pixels: the file is cut short", left,
                          plain ? 2 * samples - 1 : wide * samples, plain ? " or more" : "", raw->width, raw->height);
    raw->pixels = array_allocate(path, samples, e);
    if (!raw->pixels)
        return false;
    for (size_t i = 0; i < samples; i++) {
        int64_t v = plain ? take_number(&b, most) : wide == 2 ? b.at[2 * i] << 8 | b.at[2 * i + 1] : b.at[i];
        if (v < 0 || v > most)
            return array_fail(e, 1, path, "found no number from 0 to %" PRId64 " for sample %zu of %zu, which the header promises", most, i,
                              samples);
        raw->pixels[i] = (uint8_t)((v * 255 + most / 2) / most);
    }
    return true;
}

bool pixels_decode(Pixels *p, const unsigned char *bytes, size_t size, const char *path, ArrayError *e)
{
    bool png = size >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1a\n", 8);
    bool pnm = size >= 3 && bytes[0] == 'P' && (bytes[1] == '2' || bytes[1] == '3' || bytes[1] == '5' || bytes[1] == '6');
    *p = (Pixels){ 0 };
    if (png ? decode_png(p, bytes, size, path, e) : pnm && decode_pnm(p, bytes, size, path, e))
        return true;
    pixels_free(p);
    return png || pnm ? false : array_fail(e, 1, path, "found no kind of picture that is known, expected " PIXELS_KINDS);
}

void pixels_free(Pixels *p)
{
    free(p->pixels);
    *p = (Pixels){ 0 };
}

/* ---- size and channels -------------------------------------------------------------------------------------------- */

double pixels_channel(const Pixels *p, size_t i, int channels, int c)
{
    const uint8_t *pixel = p->pixels + i * (size_t)p->channels;
    if (p->channels == 1)
        return pixel[0];
    return channels == 1 ? 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2] : pixel[c];
}

/* One axis: out[i * out_step] from in[j * in_step], i < out_count, by a triangle as wide as a pixel of the coarser side. */
static void resample(double *out, const double *in, int out_count, int in_count, size_t out_step, size_t in_step)
{
    double ratio = (double)in_count / out_count, reach = ratio > 1 ? ratio : 1;
    for (int i = 0; i < out_count; i++) {
        double middle = (i + 0.5) * ratio - 0.5, sum = 0, weights = 0;
        for (int j = (int)floor(middle - reach) + 1; j < middle + reach; j++) {
            double weight = 1 - fabs(j - middle) / reach;
            int inside = j < 0 ? 0 : j < in_count ? j : in_count - 1;
            sum += weight * in[(size_t)inside * in_step], weights += weight;
        }
        out[(size_t)i * out_step] = sum / weights;
    }
}

bool pixels_fit(double *plane, const double *source, int rows, int columns, int height, int width, const char *path, ArrayError *e)
{
    double scale = fmin((double)columns / width, (double)rows / height);
    int w = (int)fmin(columns, fmax(1, floor(width * scale + 0.5))), h = (int)fmin(rows, fmax(1, floor(height * scale + 0.5)));
    double *narrow = array_allocate(path, (size_t)w * (size_t)height * sizeof *narrow, e);
    if (!narrow)
        return false;
    memset(plane, 0, (size_t)rows * (size_t)columns * sizeof *plane);
    for (int y = 0; y < height; y++)
        resample(narrow + (size_t)y * (size_t)w, source + (size_t)y * (size_t)width, w, width, 1, 1);
    double *corner = plane + (size_t)((rows - h) / 2) * (size_t)columns + (size_t)((columns - w) / 2);
    for (int x = 0; x < w; x++)
        resample(corner + x, narrow + x, h, height, (size_t)columns, (size_t)w);
    free(narrow);
    return true;
}
