/* winograd.h -- when a convolution is computed by Winograd's algorithm, and what memory that takes.
 * C channels, M filters, Ho x Wo outputs, KH x KW kernel, strides SH SW, paddings PH PW; everything follows from these alone. */
#ifndef WINOGRAD_H
#define WINOGRAD_H

#include <stdbool.h>
#include <stdint.h>

enum { WINOGRAD_TILES = 4096 };      /* most tiles along one axis */

/* Why it is not used, or NULL if it is: 3x3, stride 1, unpadded, at least 8 channels and 8 filters, at least 2x2 outputs. */
const char *winograd_misfit(int64_t C, int64_t M, int64_t Ho, int64_t Wo, int64_t KH, int64_t KW, int64_t SH, int64_t SW,
                            int64_t PH, int64_t PW);

/* The sizes of the tiles that cover `size` outputs exactly, large ones first, into tiles[WINOGRAD_TILES].  Returns how many. */
int winograd_tiles(int64_t size, int tiles[]);

/* Multiplications of a channel and a filter, summed over the kinds of tiles: one matrix C x M each is kept. */
int64_t winograd_positions(int64_t Ho, int64_t Wo);

/* Multiplications for one made by the sum as it is written. */
double winograd_share(int64_t Ho, int64_t Wo);

/* Reals of the transformed weights, and of their gradient: at each position [Q / 16, rounded up][P][16], and one vec more. */
int64_t winograd_u_reals(int64_t C, int64_t M, int64_t Ho, int64_t Wo);

/* Reals of what one slice (a group of 16 examples at a step) contributes to the gradient of the weights: its transformed inputs and gradients, at each
 * position [tiles x 16 images][Q rounded up to 16] and [P][tiles x 16 images], and one vec more. */
int64_t winograd_terms_reals(int64_t C, int64_t M, int64_t Ho, int64_t Wo);

/* Do all slices leave their terms, to be multiplied for the whole batch?  Where there are so few tiles that these and one sum take less memory than a
 * sum for each slice. */
bool winograd_gathers(int64_t C, int64_t M, int64_t Ho, int64_t Wo, int64_t slices);

/* In a group with so many images, how many tiles of one kind share a vec: 4 or 2; 0 if they would not fit, or no kind has two tiles. */
int winograd_packs(int64_t Ho, int64_t Wo, int64_t images);

/* Reals of one thread's scratch. */
int64_t winograd_work_reals(int64_t C, int64_t M, int64_t Ho, int64_t Wo);

#endif
