/* packed.h -- tiles of a convolution that are copied: those that stick out of a padded map; and several side by side in a vec, for a short last
 * group, in which one tile would leave most lanes empty.
 *
 * Such a group has the layout of all others: image l in lane l.  Its tiles are copied to, and added back from, arrays d
 * of rows x columns vecs in which lanes `at` to `at + lanes - 1` belong to one tile; lanes is 4 or 8, and the last of them may have no image.
 * `row`: vecs from line to line of the map.  Every number goes through the operations it would go through in a lane of its own, in the same
 * order: the same bits.  (Sums over images leave out lanes that would add 0 times a finite number.) */
#ifndef SPN_PACKED_H
#define SPN_PACKED_H

#include "vec.h"

/* Copies the tile that begins at `map` into lanes at .. at + lanes - 1 of d. */
static inline void pack_tile(real (*d)[L], int at, real (*map)[L], int row, int rows, int columns, int lanes)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            memcpy(&d[r * columns + c][at], map[r * row + c], (size_t)lanes * sizeof(real));
}

/* The first `lanes` lanes at `from`, zeros in the others; reads a whole vec. */
static inline vec packed_images(const real *from, int lanes) { return v_zero_unless(m_first(lanes), v_loadu(from)); }

/* Adds the images of `tiles` tiles that share the vec `from`, one tile after the other. */
static inline void add_images(real *sum, const real *from, int lanes, int tiles)
{
    for (int q = 0; q < tiles; q++)
        v_store(sum, v_add(v_load(sum), packed_images(from + q * lanes, lanes)));
}

/* Copies lanes at .. at + lanes - 1 of d back to the map, zeros in the other lanes; d has room for one vec more than the tile. */
static inline void unpack_tile(real (*map)[L], int row, real (*d)[L], int at, int rows, int columns, int lanes)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            v_store(map[r * row + c], packed_images(d[r * columns + c] + at, lanes));
}

/* Adds the tile d to the map.  Neighbouring tiles overlap by two rows and two columns: there the tile is added to what the neighbour above (`above`)
 * or to the left (`left`) has stored, if it exists; all other elements are overwritten. */
static inline void add_tile(real (*map)[L], int row, real (*d)[L], int at, int rows, int columns, int lanes, int above, int left)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            real *to = map[r * row + c];
            vec tile = packed_images(d[r * columns + c] + at, lanes);
            v_store(to, (r < 2 && above) || (c < 2 && left) ? v_add(v_load(to), tile) : tile);
        }
}

/* ---- tiles that stick out ---------------------------------------------------------------------------------------- */

/* A map of height x width, in which a tile begins at (i, j), outside of it where there is padding. */
typedef struct { real (*map)[L]; int height, width, i, j; } PaddedTile;

/* True if element (r, c) of the tile lies inside of the map. */
static inline int in_map(PaddedTile t, int r, int c) { return t.i + r >= 0 && t.i + r < t.height && t.j + c >= 0 && t.j + c < t.width; }

static inline real *map_at(PaddedTile t, int r, int c) { return t.map[(t.i + r) * t.width + t.j + c]; }

/* Copies the tile to d [rows][columns], zeros where there is padding. */
static inline void take_padded(real (*d)[L], PaddedTile t, int rows, int columns)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            v_store(d[r * columns + c], in_map(t, r, c) ? v_load(map_at(t, r, c)) : v_zero());
}

/* pack_tile; the padding is left as it is in d: zeros. */
static inline void pack_padded(real (*d)[L], int at, PaddedTile t, int rows, int columns, int lanes)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            if (in_map(t, r, c))
                memcpy(&d[r * columns + c][at], map_at(t, r, c), (size_t)lanes * sizeof(real));
}

/* add_tile, for what lies inside of the map; `lanes` is L for a tile that has its vecs for itself, and then `at` is 0. */
static inline void add_padded(PaddedTile t, real (*d)[L], int at, int rows, int columns, int lanes, int above, int left)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            if (!in_map(t, r, c))
                continue;
            real *to = map_at(t, r, c);
            vec tile = lanes == L ? v_load(d[r * columns + c]) : packed_images(d[r * columns + c] + at, lanes);
            v_store(to, (r < 2 && above) || (c < 2 && left) ? v_add(v_load(to), tile) : tile);
        }
}

#endif
