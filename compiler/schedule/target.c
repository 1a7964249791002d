/* target.c -- one row for each target, as BLIS registers block sizes once for each architecture.
 *
 * In: a name of --target.  Out: its row.  A size here is bit-neutral: it decides how loops are cut, never the order of a sum.
 * The numbers were found by measurement on processors with 32 or 48 KiB of first-level and 1 MiB of second-level cache.  A panel leaves
 * room for the examples that pass through it; the rows of a weight gradient are read in order, so they may take more than operands
 * that are used at random.  Many processors with AVX2 alone (Zen to Zen 3) have 512 KiB of second-level cache, so there Winograd's transformed
 * inputs take half as much: on an EPYC of 512 KiB convolutions by that algorithm took half the time.  Those with NEON often have no more, which is
 * not measured: all targets have the same caches until one is measured that wants others. */
#include "schedule/target.h"
#include "spnc.h"
#include <string.h>

#define CACHES                                                                                                                            \
    .operand_bytes = 28 * 1024, .panel_bytes = 24 * 1024, .rows_bytes = 36 * 1024, .set_bytes = 4096, .ways = 8,                          \
    .far_bytes = 192 * 1024, .kept_bytes = 128 * 1024, .sums_reals = 49152,                                                               \
    .map_reals = 16384, .weight_reals = 100000, .memory_reals = 1000000

static const Target targets[] = {
    { "avx512", "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd -mfma -mavx2", 2, 32, { 1, 2 }, CACHES, .inputs_reals = 200000 },
    { "avx2", "-mavx2 -mfma", 1, 16, { 2, 4 }, CACHES, .inputs_reals = 100000 },
    { "neon", "-DSPN_AARCH64", 0, 32, { 4, 16 }, CACHES, .inputs_reals = 200000 },
    { "generic", "-DSPN_GENERIC", 0, 16, { 16, 16 }, CACHES, .inputs_reals = 200000 },
};

const char *const portable_bodies[PORTABLE_BODIES] = { "avx512", "avx2", "generic" };

const Target *target_named(const char *name)
{
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (!strcmp(targets[i].name, name))
            return &targets[i];
    unreachable("a target without a row in target.c");
}
