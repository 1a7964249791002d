/* packed.h -- several tiles of a convolution side by side, in a group with so few images that one tile would leave most lanes empty.
 *
 * Such a group, the last of a batch, keeps the layout of all others: image l in lane l.  Its tiles are brought to, and come back from, arrays d
 * of rows x columns vecs in which lanes `at` to `at + lanes - 1` belong to one tile; lanes is 4 or 8, and the last of them may have no image.
 * `row`: vecs from line to line of the map.  Every number goes through the operations it would go through in a lane of its own, in the same
 * order: the same bits.  (Sums over images leave out lanes that would add 0 times a finite number.) */
#ifndef SPN_PACKED_H
#define SPN_PACKED_H

#include "vec.h"

/* The tile whose first number lies at `map`. */
static inline void pack_tile(real (*d)[L], int at, real (*map)[L], int row, int rows, int columns, int lanes)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            memcpy(&d[r * columns + c][at], map[r * row + c], (size_t)lanes * sizeof(real));
}

/* One tile's lanes, with zeros behind them; reads a whole vec. */
static inline vec packed_images(const real *from, int lanes) { return v_zero_unless(m_first(lanes), v_loadu(from)); }

/* Adds the images of `tiles` tiles that share the vec `from`, one tile after the other. */
static inline void add_images(real *sum, const real *from, int lanes, int tiles)
{
    for (int q = 0; q < tiles; q++)
        v_store(sum, v_add(v_load(sum), packed_images(from + q * lanes, lanes)));
}

/* Back from d, which has a vec more than the tile, to the map; lanes behind the tile's become 0. */
static inline void unpack_tile(real (*map)[L], int row, real (*d)[L], int at, int rows, int columns, int lanes)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            v_store(map[r * row + c], packed_images(d[r * columns + c] + at, lanes));
}

/* Adds to the map, in whose first two rows the tile above, if there is one, has left its numbers, and in whose first two columns that to the
 * left; all others are new. */
static inline void add_tile(real (*map)[L], int row, real (*d)[L], int at, int rows, int columns, int lanes, int above, int left)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            real *to = map[r * row + c];
            vec tile = packed_images(d[r * columns + c] + at, lanes);
            v_store(to, (r < 2 && above) || (c < 2 && left) ? v_add(v_load(to), tile) : tile);
        }
}

#endif
