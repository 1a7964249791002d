/* winograd.c -- tiles and memory layout of a convolution by Winograd's algorithm; a tile is always a Winograd tile here.
 *
 * A tile of h x w outputs costs (h + 2)(w + 2) multiplications instead of 9 h w.  Along one axis, tiles that cover `size` outputs
 * exactly cost size + 2 count, so the fewest are best; none is larger than 6, since the rounding error grows fast from there.
 * As even as possible, they are of at most two sizes: 21 = 6 + 5 + 5 + 5.  Larger tiles come first (the gradient to the input
 * relies on it).  How many tiles are worked on together is conv_winograd.c's to decide. */
#include "lower/winograd.h"
#include <stddef.h>

enum { MOST = 6, KERNEL = 3, BORDER = KERNEL - 1, LEAST_CHANNELS = 8, LEAST_OUTPUTS = 2 };

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t lanes(int64_t n) { return (n + LANES - 1) / LANES * LANES; }
static int64_t count(int64_t size) { return (size + MOST - 1) / MOST; }

const char *winograd_misfit(const Window *w)
{
    if (w->flat || w->groups > 1)
        return w->flat ? "Winograd's tiles are for maps of rows and columns" : "with groups, each filter sees too few channels for Winograd's transforms";
    if (w->kernel[0] != KERNEL || w->kernel[1] != KERNEL)
        return "Winograd's tiles are for kernels of 3x3";
    if (w->stride[0] != 1 || w->stride[1] != 1)
        return "Winograd's tiles need stride 1";
    if (w->dilation[0] != 1 || w->dilation[1] != 1)
        return "Winograd's tiles need taps side by side";
    for (int k = 0; k < 2; k++)
        if (w->before[k] > 1 || w->after[k] > 1)
            return "Winograd's tiles take a padding of at most 1";
    if (w->channels < LEAST_CHANNELS || w->filters < LEAST_CHANNELS)
        return "with fewer than 8 channels or 8 filters, Winograd's transforms cost more than they save";
    if (w->y[0] < LEAST_OUTPUTS || w->y[1] < LEAST_OUTPUTS)
        return "with one output along an axis there is no tile to share";
    return count(w->y[0]) <= WINOGRAD_TILES && count(w->y[1]) <= WINOGRAD_TILES ? NULL : "the output is too large for Winograd's table of tiles";
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

/* Tiles of one size along an axis: outputs of each, how many, and where the first begins. */
typedef struct { int size, count, from; } Tiles;

/* At most two sizes; returns how many. */
static int axis(int64_t size, Tiles tiles[2])
{
    int n = (int)count(size), each = (int)size / n, large = (int)size % n;
    if (!large)
        return tiles[0] = (Tiles){ each, n, 0 }, 1;
    tiles[0] = (Tiles){ each + 1, large, 0 };
    tiles[1] = (Tiles){ each, n - large, large * (each + 1) };
    return 2;
}

static void add_kind(Winograd *w, Tiles h, Tiles across)
{
    WinogradKind k = { h.size, across.size, h.size + BORDER, across.size + BORDER, h.from, across.from, h.count * across.count, across.count,
                       .at = w->positions, .terms = w->terms_reals };
    k.positions = k.nh * k.nw;
    k.terms_p = (int64_t)k.tiles * LANES * w->QP;
    k.terms_plane = k.terms_p + (int64_t)k.tiles * LANES * w->P + LANES;
    w->positions += k.positions;
    w->terms_reals += k.positions * k.terms_plane;
    w->most_positions = (int)most(w->most_positions, k.positions);
    w->most_tiles = (int)most(w->most_tiles, k.tiles);
    w->kind[w->kinds++] = k;
}

Winograd winograd_of(int64_t C, int64_t M, int64_t Ho, int64_t Wo)
{
    Winograd w = { .C = (int)C, .M = (int)M, .across = lanes(C) * M <= lanes(M) * C };
    w.P = (int)(w.across ? M : C), w.Q = (int)(w.across ? C : M), w.QP = (int)lanes(w.Q);
    Tiles down[2], right[2];
    int rows = axis(Ho, down), columns = axis(Wo, right);
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < columns; k++)
            add_kind(&w, down[i], right[k]);
    w.block = w.P * LANES;
    w.matrix = w.P * w.QP + LANES;
    w.u_reals = (int64_t)w.positions * w.matrix;
    return w;
}

bool winograd_gathers(int64_t C, int64_t M, int64_t Ho, int64_t Wo, int64_t slices)
{
    Winograd w = winograd_of(C, M, Ho, Wo);
    return slices * w.terms_reals + w.u_reals < slices * w.u_reals;
}

int winograd_packs(int64_t Ho, int64_t Wo, int64_t images)
{
    if (winograd_of(1, 1, Ho, Wo).most_tiles < 2)
        return 0;
    return images <= LANES / 4 ? 4 : images <= LANES / 2 ? 2 : 0;
}
