/* decide.h -- a hash of the discrete decisions of a forward pass: which units are positive, which pixels win a pool or are read.
 *
 * While no decision changes, a net is smooth; where one changes, it has a kink, and a difference of two losses across it
 * does not approximate the gradient.  `check` compares the hashes of its two points and tries another element if they differ.
 * Each function takes the hash so far and returns the new one (FNV-1a over integers). */
#ifndef SPN_DECIDE_H
#define SPN_DECIDE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "vec.h"

static inline uint64_t decide(uint64_t hash, uint64_t decision)
{
    return (hash ^ decision) * 0x100000001b3u;
}

/* y: `size` outputs of a relu; which of them are positive. */
static inline uint64_t decide_positive(uint64_t hash, real *y, int size)
{
    uint64_t bits = 0;
    for (int i = 0; i < size; i++) {
        bits = bits << 1 | (y[i] > 0);
        if (i % 64 == 63 || i == size - 1) hash = decide(hash, bits), bits = 0;
    }
    return hash;
}

/* x: `size` numbers of each of so many channels, which a relu has got as scale x + shift; which of its outputs are positive. */
static inline uint64_t decide_scaled(uint64_t hash, const real *x, const double *scale, const double *shift, int channels, int size)
{
    uint64_t bits = 0;
    for (int i = 0; i < channels * size; i++) {
        bits = bits << 1 | (r_fma(x[i], (real)scale[i / size], (real)shift[i / size]) > 0);
        if (i % 64 == 63 || i == channels * size - 1) hash = decide(hash, bits), bits = 0;
    }
    return hash;
}

/* winner: n words, the index of the element of each window that a max-pool took. */
static inline uint64_t decide_winner(uint64_t hash, const uint16_t *winner, size_t n)
{
    for (size_t i = 0; i < n; i++) hash = decide(hash, winner[i]);
    return hash;
}

/* choice: `size` whole numbers, each the number of the element that a result was taken from. */
static inline uint64_t decide_choice(uint64_t hash, const real *choice, int size)
{
    for (int i = 0; i < size; i++) hash = decide(hash, (uint64_t)choice[i]);
    return hash;
}

/* x: a number that is constant on each piece where a formula is smooth: 0 or 1, a sign, a whole number. */
static inline uint64_t decide_piece(uint64_t hash, real x)
{
    double piece = (double)x + 0;              /* -0 is 0 */
    uint64_t bits;
    memcpy(&bits, &piece, sizeof bits);
    return decide(hash, bits ^ bits >> 32);
}

/* decide_piece of the sixteen lanes. */
static inline uint64_t decide_pieces(uint64_t hash, vec x)
{
    _Alignas(64) real piece[16];
    v_store(piece, x);
    for (int lane = 0; lane < 16; lane++) hash = decide_piece(hash, piece[lane]);
    return hash;
}

#endif
