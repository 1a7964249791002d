/* target.h -- the table of targets: registers and caches that the sizes of kernels follow from. */
#ifndef SPNC_TARGET_H
#define SPNC_TARGET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *name, *flags;        /* --target; the C compiler's flags */
    int level;                       /* x86-64: which processors have it: 2 those with AVX-512, 1 with AVX2, 0 all */
    int registers;                   /* vector registers */
    int vec_registers[2];            /* of them that one vec takes: float, double */
    /* First-level cache, bytes of operands that are used again and again while others pass through. */
    int64_t operand_bytes;           /* of a register tile, while all others of its row of tiles are made with them */
    int64_t panel_bytes;             /* a panel of a dense layer's weights, while all examples pass through it */
    int64_t rows_bytes;              /* rows of dy and x that one tile of a weight gradient is summed from */
    int64_t set_bytes;               /* addresses so far apart share a set of it: its size divided by its ways */
    int ways;                        /* of it: lines of one set that stay, of such addresses */
    /* Second-level cache. */
    int64_t far_bytes;               /* either operand of a piece of a dense layer's weight gradient, in a block of slices */
    int64_t kept_bytes;              /* sums that are put aside between two blocks of filters */
    /* Second-level cache, reals. */
    int64_t inputs_reals;            /* transformed inputs of a block of Winograd's tiles */
    int64_t sums_reals;              /* their sums, for a chunk of filters */
    /* Beyond: what is larger is prefetched, or read as seldom as possible. */
    int64_t map_reals;               /* one example's map of all channels, sixteen of which fill the second level */
    int64_t weight_reals;            /* a matrix of weights that does not stay in the second level */
    int64_t memory_reals;            /* one that comes from memory each time */
} Target;

/* The bodies of --target portable, the highest level first. */
enum { PORTABLE_BODIES = 3 };
extern const char *const portable_bodies[PORTABLE_BODIES];

/* The row of that name; a name that is not in the table is a bug. */
const Target *target_named(const char *name);

#endif
