/* tiles.h -- register tiles: how loops are cut into pieces, and which tile costs least. */
#ifndef SPNC_TILES_H
#define SPNC_TILES_H

#include "schedule/target.h"
#include "spnc.h"

/* Pieces of one size: they begin at from, from + step, ..., up to `to`; step is the size, unless columns are `step / size` apart. */
typedef struct { int size, from, to, step; } Run;
/* At most two runs, which cover n items: 22 in pieces of at most 6 are 6, 6, 5, 5. */
typedef struct { int count; Run run[2]; } Runs;

Runs runs_spread(int n, int most);       /* in the fewest pieces of at most `most`, of equal size or nearly, large ones first */
Runs runs_inside(int n, int size);       /* in pieces of `size`, and the rest: if `size` divides 16, no piece crosses a block of 16 */
Runs runs_placed(Runs r, int from, int step);    /* the same, item i at from + i * step */
int run_pieces(const Run *r);
int runs_pieces(const Runs *r);

/* The processor as kernels see it. */
typedef struct {
    const Target *target;
    int parts;                           /* registers of one vec that count: generic code has none to speak of, so its text is kept small */
    int vec_bytes;
} Machine;

Machine machine_of(const Model *m);

/* F x Q vecs of sums in registers: each loaded operand is used for a whole row or column of them. */
typedef struct { int F, Q; } Tile;

/* What a tile is for: rows x columns sums; registers for an operand of a row and of a column. */
typedef struct {
    int rows, columns, row_registers, column_registers;
    int far;                             /* half-cycles to load a column's operand, if not its registers; 0: as usual */
    bool blocked;                        /* rows lie in blocks of 16, which no tile may cross: see runs_inside */
    int rows_most;                       /* of a tile; 0: as many as registers hold */
} TileWork;

Tile tile_best(const Machine *on, TileWork w);

enum { TILES_MOST = 8 };
/* The `most` (at most TILES_MOST) best tiles by the cost model, best first; of tiles with the same cuts only the first.  Returns how many. */
int tiles_best(const Machine *on, TileWork w, int most, Tile best[TILES_MOST]);

int64_t ceil_div(int64_t a, int64_t b);  /* a / b rounded up; a >= 0, b > 0 */
int64_t floor_div(int64_t a, int64_t b); /* a / b rounded down; b > 0 */

#endif
