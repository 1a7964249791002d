/* pixels.c -- the samples of a decoded picture as 8 bits, over a ground where it is transparent; other sizes, grey from colour.
 *
 * No length of a file is trusted before it is checked: sides and number of pixels have a bound, so that a header alone
 * cannot cause a huge allocation. */
#define _DEFAULT_SOURCE
#include "files/pixels.h"

#include <inttypes.h>
#include <math.h>
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

bool pixels_open(Pixels *p, int width, int height, int channels, const char *path, ArrayError *e)
{
    *p = (Pixels){ width, height, channels, array_allocate(path, (size_t)width * (size_t)height * (size_t)channels, e) };
    return p->pixels;
}

void pixels_free(Pixels *p)
{
    free(p->pixels);
    *p = (Pixels){ 0 };
}

/* In whole numbers, so that it is rounded once: 255 v a + g most (most - a) over most^2, below 2^48. */
static uint8_t over(uint64_t v, uint64_t a, uint64_t most, uint64_t ground)
{
    return (uint8_t)((255 * v * a + ground * most * (most - a) + most * most / 2) / (most * most));
}

bool pixels_take(Pixels *p, size_t first, size_t count, const uint16_t *samples, int most, bool alpha, int ground, const char *path, ArrayError *e)
{
    const size_t n = (size_t)p->channels;
    uint8_t *out = p->pixels + first * n;
    for (size_t i = 0; i < count; i++, samples += n + alpha) {
        const int opacity = alpha ? samples[n] : most;
        if (opacity != most && ground == NO_GROUND)
            return array_fail(e, 1, path, "found transparency (column %zu, row %zu), expected none, or what lies behind it: --ground 255 for white,"
                              " --ground 0 for black", (first + i) % (size_t)p->width, (first + i) / (size_t)p->width);
        for (size_t c = 0; c < n; c++)
            *out++ = over(samples[c], (uint64_t)opacity, (uint64_t)most, ground == NO_GROUND ? 0 : (uint64_t)ground);
    }
    return true;
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
