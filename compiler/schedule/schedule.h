/* schedule.h -- how the loops of each operator's kernels are cut: register tiles and cache blocks.  Speed only, never bits. */
#ifndef SPNC_SCHEDULE_H
#define SPNC_SCHEDULE_H

#include "lower/latency.h"
#include "lower/winograd.h"
#include "schedule/tiles.h"
#include "spnc.h"

/* One residue of a strided convolution's columns (stride 1: all columns).  Inner ones read no padding; those at the border are computed
 * one by one. */
typedef struct { Runs inner, border; } Columns;

/* Forward (rows of a tile: filters) or gradient to the input (rows: channels) of a direct convolution. */
typedef struct {
    Tile tile;
    Runs rows, edges;                    /* rows in pieces of a tile; and of one for columns at the border: none if there are none */
    int64_t bytes;                       /* of a tile's operands, of all channels (gradient: filters) */
    int block;                           /* channels (filters) whose operands stay in the first-level cache; 0: all at once */
    int columns_count;
    Columns *columns;
    int size_count, *sizes;              /* of the pieces of columns, each once */
} DirectPass;

/* Gradient to an input of few channels: a tile has all channels of a run of columns, all taps of a row unrolled. */
typedef struct { int v, count, column; } FewTaps;     /* taps v to v + count - 1 of the load are for the columns from `column` on */
typedef struct {
    const char *name;                    /* of its function, behind the operator's: "backward_2x8_left0" */
    int Q, from, to;                     /* columns; those that it is used for */
    int low, high;                       /* columns of dy that it reads: j + padding + low to high */
    FewTaps *loads;                      /* from high down to low */
    int first_tap, last_tap;
} FewTile;

/* Gradient to the weights of a direct convolution: a tile is filters x channels x taps of one row. */
typedef struct {
    Tile tile;                           /* most filters, most taps */
    int channels;
    Runs filters, taps;
    bool channels_first;                 /* the outer loop: else filters */
    int rows;                            /* rows of positions whose dy and x stay in the first-level cache; 0: all at once */
} DirectWeights;

/* Forward or gradient to the input of a direct convolution whose operands are copied side by side, tile by tile. */
typedef struct {
    Tile tile;
    Runs rows;
    int64_t bytes;                       /* of a tile's operands, of all channels (gradient: filters) */
    int taps;                            /* most taps of a window that meet something */
    int block;                           /* channels (filters) that are copied together */
    bool blocked;                        /* not all of them are */
    bool in_place, padded;               /* a position reads the same position; some read what lies outside */
} PackedPass;

/* Gradient to the input in a stride: a strip has down x across positions of each phase, which are those that the stride leads to from one of the first.
 * They meet high x wide positions of dy, of a block of filters at a time. */
typedef struct {
    Tile tile;                           /* channels x positions of a phase; what is left of a run of positions is of one column */
    Runs rows, edges;                    /* of a chunk's channels in pieces of a tile; and of one for the rest of a run */
    int down, across, high, wide;
    int first_row, first_column;         /* of dy, from the strip's first position of a phase on: below 0 where the kernel begins before it */
    int rows_met, columns_met;           /* that one position of each phase meets */
    int64_t bytes;                       /* of high x wide positions */
    int block, chunk;                    /* filters whose dy is used together; channels whose sums go through all filters together */
    bool blocked;                        /* not all filters are */
    bool copied, zeros;                  /* dy is copied; with 0 for what lies outside, which is left out else */
} PhasedPass;

/* Gradient to the weights of a 1x1 convolution as a product: filters x channels.  A block of positions of a panel of channels is copied side by side; the sums
 * of all filters with a panel wait in memory for the next block. */
typedef struct {
    Tile tile;                           /* filters x channels, of one part of a vec: see vec.h */
    Runs filters;
    int columns, panel, block;           /* channels in all, and of a panel, a multiple of the tile's; positions of a block */
} PackedWeights;

/* Depthwise convolution: an operand `at` columns from the tile's place (gradient: in rows of dy, place / stride) is used for these columns of the tile and
 * taps of the row. */
typedef struct { int column, tap; } LinePair;
enum { LINE_PAIRS = 16 };                /* a column of the tile meets an operand with one tap at most */
typedef struct { int at, count; LinePair pairs[LINE_PAIRS]; } LineLoad;
/* Q columns of a row; the same code for all that begin at from, from + Q, ..., below `to`. */
typedef struct {
    const char *name;
    int Q, from, to;
    int load_count;
    LineLoad *loads;
} LineTile;
typedef struct { int Q, count; LineTile *tiles; } LinePass;         /* Q: of the widest */
typedef struct {
    LinePass forward, backward, weights;
    Runs rows;                           /* weights: rows of the kernel whose sums are in registers together */
} LineSchedule;

/* Products at one position: u's rows times the tiles of a block. */
typedef struct { Tile tile; Runs rows, columns; } BlockTile;
enum { BLOCK_SIZES = 4,
       WINOGRAD_SQUARE = 17 * 16,            /* reals of a transposed square, with a vec of padding */
       WINOGRAD_TOGETHER = 8 };              /* rows of weights that are transformed together: their vecs are consecutive lines */

/* Forward (rows: filters) or gradient to the input (rows: channels) by Winograd's algorithm. */
typedef struct {
    bool blocked;                        /* rows lie side by side in u, 16 in a block; else one below the other, and the terms do */
    BlockTile tiles[BLOCK_SIZES];        /* for each size of a block, as in WinogradSchedule.sizes */
} WinogradPass;

typedef struct {
    Winograd layout;
    int packs;                           /* Winograd tiles in one vec in a last group of few images; 0: none */
    int T, chunk;                        /* most Winograd tiles in a block; rows whose sums are in memory together */
    int plane, part;                     /* reals from position to position: of transformed inputs, of sums; with a vec of padding */
    bool far_x, far_y;                   /* the map does not stay in the second-level cache: the next channel is prefetched */
    int size_count, sizes[BLOCK_SIZES];  /* of blocks of Winograd tiles */
    Runs blocks[4], packed[4];           /* of each kind: its tiles in blocks; its vecs, where tiles share one */
    WinogradPass forward, backward;
    BlockTile weights;                   /* rows P, columns vecs of Q: of a group, or of the deferred gradient */
    int deep, images;                    /* deferred: sums that wait for their partner; images of a tile in the last group */
} WinogradSchedule;

/* Forward of a dense layer: a panel of weights to some outputs is copied together, some inputs at a time, and meets the examples of some
 * slices.  Rows of a tile are examples, its columns vecs of outputs; or rows are outputs, and the examples of a slice are in the lanes. */
typedef struct {
    Tile tile;
    Runs rows, rest, panels;             /* the examples of a slice; of the last group, if it is not full; vecs of outputs; straight: the outputs
                                          * of a panel; of the last one, if it is not full */
    Tile tiles[8];                       /* of the pieces, each once */
    int tile_count;
    int wide;                            /* outputs of the widest panel */
    int block, slices;                   /* inputs in a panel; slices that it meets */
    int pieces;                          /* of work, for the threads */
    int S;                               /* slices in all, each position one of them */
    bool prefetch;                       /* the weights do not stay in the second-level cache */
    bool straight;                       /* rows are outputs: nothing is turned at the end */
    int ahead;                           /* straight, of weights in panels: reals of the next block that each of a tile's inputs asks for */
} DensePanels;

/* Gradient of a dense layer to its input (rows: inputs, columns: slices) or to its weights (columns: vecs of outputs). */
typedef struct {
    Tile tile;
    Runs rows, columns;
    int block;                           /* outputs (weights: slices) whose operands stay in the first-level cache; 0: all at once */
    int chunk, chunks;                   /* pieces of rows that a thread takes together; how often */
    int across, acrosses;                /* pieces of columns, likewise */
    int pieces;                          /* of work, for the threads */
    int S;                               /* slices in all, each position one of them */
    bool prefetch;                       /* the weights (weights: the rows of dy) do not stay in the second-level cache */
} DenseRows;

/* A kernel of the latency form: tiles of filters x vecs of points (BY_POINTS), points of a row x vecs of filters (BY_FILTERS), positions x vecs of
 * outputs (BY_OUTPUTS), Winograd tiles x vecs of filters (BY_TILES). */
typedef struct {
    Tile tile;
    Runs rows, columns;
    int stage;                           /* reals of sums of a tile's rows that wait for their place in the result; 0: they are stored there at once */
    int together;                        /* BY_TILES: tiles whose V and sums are in memory at the same time */
    int64_t turned, done;                /* likewise: reals of x and of y, with channels and filters in the lanes; `stage` is those of V */
} LatencyTiles;

/* The notes of this stage about a forward operator; what its kind does not have is zero. */
struct OpSchedule {
    const Op *backward, *weights;        /* its backward operators; NULL: that gradient is not computed */
    bool dx;                             /* the gradient to its first operand is computed */
    DirectPass direct_forward, direct_backward;
    int few_count;
    FewTile *few;
    DirectWeights direct_weights;
    PackedPass *packed_forward, *packed_backward;       /* a pass that has it: instead of these */
    PackedWeights *packed_weights;                      /* likewise */
    PhasedPass *phased;                  /* likewise, of the gradient to the input */
    LineSchedule *lines;                 /* a depthwise convolution: instead of these */
    LatencyTiles latency;                /* the latency form: this alone */
    DensePanels panels;
    DenseRows dense_backward, products;
    WinogradSchedule *winograd;
    Runs product_rows[3], product_columns[3];   /* matmul: of its value, of the gradients to its operands */
    Runs pool_filters;                   /* conv_pool: filters whose gradients are added to a patch of dx while it is in registers */
};

/* The facts of `op`'s templates: the fact op.schedule.  A table without fields if the operator has no choices. */
Fact *schedule_facts(const Model *m, const Op *op);

#endif
