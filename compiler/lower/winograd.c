/* winograd.c -- tiles and memory sizes of a convolution by Winograd's algorithm; a tile is always a Winograd tile here.
 *
 * A tile of h x w outputs costs (h + 2)(w + 2) multiplications instead of 9 h w.  Along one axis, tiles that cover `size` outputs
 * exactly cost size + 2 count, so the fewest are best; none is larger than 6, since the rounding error grows fast from there.
 * As even as possible, they are of at most two sizes: 21 = 6 + 5 + 5 + 5.  Larger tiles come first (the gradient to the input
 * relies on it).  conv_winograd_plan.c.in lays out the memory; it repeats BLOCK and CHUNK's rules and checks the room. */
#include "lower/winograd.h"
#include <stddef.h>

enum { LANES = 16, MOST = 6, KERNEL = 3, BORDER = KERNEL - 1, LEAST_CHANNELS = 8, LEAST_OUTPUTS = 2,
       BLOCK_REALS = 200000, BLOCK_TILES = 4,   /* transformed inputs of a block of tiles: what the second-level cache holds */
       CHUNK_REALS = 49152, CHUNK_ROWS = 32 };  /* products of a chunk of filters; at least one register tile, of at most 28 rows, and blocks of 16 whole */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t lanes(int64_t n) { return (n + LANES - 1) / LANES * LANES; }
static int64_t count(int64_t size) { return (size + MOST - 1) / MOST; }

/* P rows of Q: Q, in the lanes, is channels or filters, the one that wastes fewer lanes. */
static int64_t rows(int64_t C, int64_t M) { return lanes(C) * M <= lanes(M) * C ? M : C; }
static int64_t row_reals(int64_t C, int64_t M) { return lanes(C) * M <= lanes(M) * C ? lanes(C) : lanes(M); }

const char *winograd_misfit(int64_t C, int64_t M, int64_t Ho, int64_t Wo, int64_t KH, int64_t KW, int64_t SH, int64_t SW,
                            int64_t PH, int64_t PW)
{
    if (KH != KERNEL || KW != KERNEL)
        return "Winograd's tiles are for kernels of 3x3";
    if (SH != 1 || SW != 1)
        return "Winograd's tiles need stride 1";
    if (PH != 0 || PW != 0)
        return "Winograd's tiles cover unpadded outputs";
    if (C < LEAST_CHANNELS || M < LEAST_CHANNELS)
        return "with fewer than 8 channels or 8 filters, Winograd's transforms cost more than they save";
    if (Ho < LEAST_OUTPUTS || Wo < LEAST_OUTPUTS)
        return "with one output along an axis there is no tile to share";
    return count(Ho) <= WINOGRAD_TILES && count(Wo) <= WINOGRAD_TILES ? NULL : "the output is too large for Winograd's table of tiles";
}

int winograd_tiles(int64_t size, int tiles[])
{
    int64_t n = count(size);
    for (int64_t i = 0; i < n; i++)
        tiles[i] = (int)(size / n + (i < size % n));
    return (int)n;
}

/* Products along one axis: a tile of m outputs takes m + 2. */
static double products(int64_t size) { return (double)(size + BORDER * count(size)); }

double winograd_share(int64_t Ho, int64_t Wo)
{
    return products(Ho) * products(Wo) / (double)(KERNEL * KERNEL * Ho * Wo);
}

/* The one or two sizes of tiles along an axis: points of each, and how many there are. */
typedef struct { int kinds; int64_t points[2], tiles[2]; } Axis;

static Axis axis(int64_t size)
{
    int64_t n = count(size), large = size % n, m = size / n + BORDER;
    return large ? (Axis){ 2, { m + 1, m }, { large, n - large } } : (Axis){ 1, { m, 0 }, { n, 0 } };
}

int64_t winograd_positions(int64_t Ho, int64_t Wo)
{
    Axis h = axis(Ho), w = axis(Wo);
    return (h.points[0] + h.points[1]) * (w.points[0] + w.points[1]);
}

int64_t winograd_u_reals(int64_t C, int64_t M, int64_t Ho, int64_t Wo)
{
    return winograd_positions(Ho, Wo) * (rows(C, M) * row_reals(C, M) + LANES);
}

int64_t winograd_terms_reals(int64_t C, int64_t M, int64_t Ho, int64_t Wo)
{
    Axis h = axis(Ho), w = axis(Wo);
    int64_t sum = 0;
    for (int i = 0; i < h.kinds; i++)
        for (int k = 0; k < w.kinds; k++)
            sum += h.points[i] * w.points[k] * (h.tiles[i] * w.tiles[k] * LANES * (rows(C, M) + row_reals(C, M)) + LANES);
    return sum;
}

bool winograd_gathers(int64_t C, int64_t M, int64_t Ho, int64_t Wo, int64_t slices)
{
    int64_t u = winograd_u_reals(C, M, Ho, Wo);
    return slices * winograd_terms_reals(C, M, Ho, Wo) + u < slices * u;
}

/* Most tiles of one kind. */
static int64_t kind_tiles(int64_t size)
{
    Axis a = axis(size);
    return most(a.tiles[0], a.tiles[1]);
}

int winograd_packs(int64_t Ho, int64_t Wo, int64_t images)
{
    if (kind_tiles(Ho) * kind_tiles(Wo) < 2)
        return 0;
    return images <= LANES / 4 ? 4 : images <= LANES / 2 ? 2 : 0;
}

int64_t winograd_work_reals(int64_t C, int64_t M, int64_t Ho, int64_t Wo)
{
    int64_t side = most(most(C, M), row_reals(C, M));
    int64_t h = (Ho + count(Ho) - 1) / count(Ho), w = (Wo + count(Wo) - 1) / count(Wo);
    int64_t positions = (h + BORDER) * (w + BORDER);
    int64_t block = most(1, least(least(BLOCK_TILES, kind_tiles(Ho) * kind_tiles(Wo)), BLOCK_REALS / (positions * side * LANES)));
    int64_t chunk = most(CHUNK_ROWS, CHUNK_REALS / (positions * block * LANES));
    int64_t planes = (side * block + 1) * LANES + (chunk * block + 1) * LANES + (LANES + 1) * LANES;
    return positions * planes + M * LANES;
}
