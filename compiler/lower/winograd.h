/* winograd.h -- when a convolution is computed by Winograd's algorithm, and what memory that takes.
 * C channels, M filters, Ho x Wo outputs; everything follows from a convolution's window alone. */
#ifndef WINOGRAD_H
#define WINOGRAD_H

#include "graph/window.h"

enum { WINOGRAD_TILES = 4096 };      /* most tiles along one axis */

/* The reason why it is not used; NULL: it is used: maps in one group, 3x3, stride 1, padding at most 1, at least 8 channels and 8 filters,
 * at least 2x2 outputs. */
const char *winograd_misfit(const Window *w);

/* The sizes of the tiles that cover `size` outputs exactly, large ones first, into tiles[WINOGRAD_TILES].  Returns how many. */
int winograd_tiles(int64_t size, int tiles[]);

/* Multiplications as a share of those of direct convolution. */
double winograd_share(int64_t Ho, int64_t Wo);

/* Tiles of one size, mh x mw outputs from mh + 2 x mw + 2 inputs. */
typedef struct {
    int mh, mw, nh, nw;
    int i, j;                        /* first row and column of outputs */
    int tiles, columns;              /* how many; how many side by side */
    int positions, at;               /* points of one; those of the kinds before it */
    int64_t terms;                   /* reals of a slice's terms before its own; of the kind, at each position, */
    int64_t terms_plane, terms_p;    /* all, and those before p: see terms_reals */
} WinogradKind;

/* A convolution's tiles, and the layout of what is kept between its functions.  All follows from the shape alone. */
typedef struct {
    int C, M;
    bool across;                     /* Q is channels, not filters: the one that wastes fewer lanes is in the lanes */
    int P, Q, QP;                    /* rows, and reals of a row: Q rounded up to whole vecs */
    WinogradKind kind[4];
    int kinds;
    int positions;                   /* of all kinds: multiplications of a channel and a filter; the weights have a matrix for each */
    int most_positions, most_tiles;  /* of one kind */
    int block, matrix;               /* reals: [P][16], a block of a matrix [QP / 16][P][16]; from matrix to matrix, with a vec of padding,
                                        or all would share sets of a cache */
    int64_t u_reals;                 /* of the transformed weights, and of their gradient */
    /* Of one slice's operands of the deferred weight gradient (a slice is a group of 16 examples at a step): for each kind at each position
     * q, [tiles x 16 images][QP], then p, [P][tiles x 16 images], and a vec of padding. */
    int64_t terms_reals;
} Winograd;
Winograd winograd_of(int64_t C, int64_t M, int64_t Ho, int64_t Wo);

/* True for a deferred weight gradient: so few Winograd tiles that the operands of all slices and one sum take less memory than a sum for
 * each slice. */
bool winograd_gathers(int64_t C, int64_t M, int64_t Ho, int64_t Wo, int64_t slices);

/* Tiles of one kind in one vec, for a group of `images` images: 4 or 2; 0: they do not fit, or no kind has two tiles. */
int winograd_packs(int64_t Ho, int64_t Wo, int64_t images);

#endif
