/* winograd.h -- when a convolution is computed by Winograd's algorithm, and what memory that takes.
 * C channels, M filters, Ho x Wo outputs, KH x KW kernel, strides SH SW, paddings PH PW; everything follows from these alone. */
#ifndef WINOGRAD_H
#define WINOGRAD_H

#include <stdbool.h>
#include <stdint.h>

enum { WINOGRAD_TILES = 4096 };      /* most tiles along one axis */

/* The reason why it is not used; NULL: it is used: 3x3, stride 1, unpadded, at least 8 channels and 8 filters, at least 2x2 outputs. */
const char *winograd_misfit(int64_t C, int64_t M, int64_t Ho, int64_t Wo, int64_t KH, int64_t KW, int64_t SH, int64_t SW,
                            int64_t PH, int64_t PW);

/* The sizes of the tiles that cover `size` outputs exactly, large ones first, into tiles[WINOGRAD_TILES].  Returns how many. */
int winograd_tiles(int64_t size, int tiles[]);

/* Positions: multiplications of a channel and a filter, summed over the kinds of tiles; the weights have a matrix C x M for each. */
int64_t winograd_positions(int64_t Ho, int64_t Wo);

/* Multiplications as a share of those of direct convolution. */
double winograd_share(int64_t Ho, int64_t Wo);

/* Reals of the transformed weights, and of their gradient: at each position [Q / 16, rounded up][P][16], and one vec more. */
int64_t winograd_u_reals(int64_t C, int64_t M, int64_t Ho, int64_t Wo);

/* Reals of one slice's operands of the deferred weight gradient (a slice is a group of 16 examples at a step): transformed inputs and
 * gradients, at each position [tiles x 16 images][Q rounded up to 16] and [P][tiles x 16 images], and one vec more. */
int64_t winograd_terms_reals(int64_t C, int64_t M, int64_t Ho, int64_t Wo);

/* True for a deferred weight gradient: so few Winograd tiles that the operands of all slices and one sum take less memory than a sum for
 * each slice. */
bool winograd_gathers(int64_t C, int64_t M, int64_t Ho, int64_t Wo, int64_t slices);

/* Tiles of one kind in one vec, for a group of `images` images: 4 or 2; 0: they do not fit, or no kind has two tiles. */
int winograd_packs(int64_t Ho, int64_t Wo, int64_t images);

/* Reals of one thread's scratch. */
int64_t winograd_work_reals(int64_t C, int64_t M, int64_t Ho, int64_t Wo);

#endif
