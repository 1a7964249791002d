/* tiles.c -- see tiles.h.  Every element is a square of whole pixels, so that each can be seen by itself. */
#include "inspect/tiles.h"

#include <math.h>

enum { MARGIN = 4, GAP = 2, HEAD = 2 * PICTURE_GLYPH_HEIGHT, WIDE = 1200, HIGH = 4000, NARROW = 240 };

static const Colour paper = 0x20242c, ink = 0xe8e8e8, odd = 0x00ff40;

typedef struct { double low, high, most; } Range;

static Range range_of(const real *x, int64_t n)
{
    Range r = { INFINITY, -INFINITY, 0 };
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            continue;
        r.low = fmin(r.low, (double)x[i]);
        r.high = fmax(r.high, (double)x[i]);
    }
    r.most = r.low > r.high ? 0 : fmax(fabs(r.low), fabs(r.high));
    return r;
}

/* a at 0, b at 1. */
static Colour between(Colour a, Colour b, double at)
{
    Colour c = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        double u = (double)(a >> shift & 255), v = (double)(b >> shift & 255);
        c |= (Colour)(u + (v - u) * at + 0.5) << shift;
    }
    return c;
}

static Colour colour_of(double v, const Range *r)
{
    if (!isfinite(v))
        return odd;
    double at = r->most > 0 ? fabs(v) / r->most : 0;
    if (r->low >= 0)
        return between(0x000000, 0xffffff, at);
    return v < 0 ? between(0xffffff, 0x2166ac, at) : between(0xffffff, 0xb2182b, at);
}

static int64_t limit(int64_t v, int64_t low, int64_t high) { return v < low ? low : v > high ? high : v; }

bool tiles_draw(Picture *picture, int64_t *left_out, const char *title, const real *values, int rank, const int64_t *shape)
{
    int64_t count = 1, wide = rank ? shape[rank - 1] : 1, high = rank > 1 ? shape[rank - 2] : 1;
    for (int i = 0; i < rank; i++)
        count *= shape[i];
    if (rank > 2 && wide * high == 1)               /* many single numbers: the dimensions before them are a table */
        return tiles_draw(picture, left_out, title, values, rank - 2, shape);
    int64_t tiles = count / (wide * high), columns = rank > 2 ? shape[rank - 3] : 1;
    int64_t scale = limit(64 / (wide > high ? wide : high), 1, 12);
    if (tiles == 1)
        scale = limit(WIDE / 2 / (wide > high ? wide : high), 1, 24);
    int64_t across = wide * scale + GAP, down = high * scale + GAP;
    if (columns == tiles && tiles > 1)              /* one row of tiles: about as high as it is wide */
        columns = limit((int64_t)ceil(sqrt((double)tiles * (double)down / (double)across)), 1, limit(WIDE / across, 1, tiles));
    int64_t rows = (tiles + columns - 1) / columns;
    int64_t width = limit(columns * across + 2 * MARGIN, NARROW, PICTURE_SIDE_MOST);
    int64_t shown = limit((HIGH - HEAD) / down, 1, rows), height = limit(HEAD + shown * down + 2 * MARGIN, 1, PICTURE_SIDE_MOST);
    *left_out = tiles - limit(shown * columns, 0, tiles);
    Range range = range_of(values, count);
    if (!picture_open(picture, (int)width, (int)height, 3, paper))
        return false;
    picture_text(picture, MARGIN, MARGIN, title, 1, ink);
    for (int64_t t = 0; t < tiles - *left_out; t++)
        for (int64_t i = 0; i < high; i++)
            for (int64_t j = 0; j < wide; j++) {
                int64_t x = MARGIN + t % columns * across + j * scale, y = MARGIN + HEAD + t / columns * down + i * scale;
                if (x < width && y < height)
                    picture_box(picture, (int)x, (int)y, (int)scale, (int)scale, colour_of((double)values[(t * high + i) * wide + j], &range));
            }
    return true;
}
