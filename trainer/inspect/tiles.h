/* tiles.h -- a tensor as a picture: its last two dimensions as tiles, side by side. */
#ifndef SPN_TILES_H
#define SPN_TILES_H

#include "files/picture.h"
#include "real.h"

/* Draws values[shape[0]]...[shape[rank-1]] under a line of text.  A row of tiles is the last dimension but two; rows are all before it
 * (a lone row of tiles is broken into several; a vector is one tile of one row, many vectors the rows of one tile).  One scale for
 * all: black to white from 0 to the largest where nothing is negative; else blue, white at 0, red, alike on both sides.  What is not
 * a number is bright green.  Rows beyond a picture's size are left out; *left_out counts tiles.  False when memory is out. */
bool tiles_draw(Picture *picture, int64_t *left_out, const char *title, const real *values, int rank, const int64_t *shape);

#endif
