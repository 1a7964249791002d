/* gemm.h -- products of whole batches by OpenBLAS, for the layers of a model that say `gemm: openblas`; included by no other program.
 *
 * Values lie in lanes, [slice][row][L]; a slice is 16 examples at one step.  OpenBLAS takes a matrix [row][column] with the examples
 * side by side: whole vectors are copied, without the lanes that never hold an example, so there are N columns a step.
 * A product is divided into pieces by its sizes alone, and the threads of the step share the pieces.  Within a piece OpenBLAS runs on one
 * thread and in its own order of sums: bits may change with its version and with the kind of processor. */
#ifndef SPN_GEMM_H
#define SPN_GEMM_H

#include "vec.h"
#include <string.h>

#if defined __has_include
#if !__has_include(<cblas.h>)
#error "this model says `gemm: openblas`: its program needs OpenBLAS's cblas.h (Debian: libopenblas-dev); without the attribute it needs no library"
#endif
#endif
#include <cblas.h>
#ifndef OPENBLAS_VERSION
#error "this model says `gemm: openblas`, but the cblas.h that was found is another library's: install OpenBLAS's (Debian: libopenblas-dev)"
#endif

#ifdef SPN_DOUBLE
#define gemm cblas_dgemm
#else
#define gemm cblas_sgemm
#endif

/* Examples in slice s of groups of L, `count` in a batch. */
static inline int gemm_lanes(int s, int groups, int count) { return s % groups == groups - 1 ? count - (groups - 1) * L : L; }

/* The column in which they begin. */
static inline int gemm_column(int s, int groups, int count) { return s / groups * count + s % groups * L; }

/* to [rows][columns] from lanes [slices][rows][L].  Called by all threads, which share the rows and wait for each other. */
static inline void gemm_columns(real *to, const real *from, int rows, int slices, int groups, int count)
{
    int columns = slices / groups * count;
    #pragma omp for schedule(static)
    for (int r = 0; r < rows; r++)
        for (int s = 0; s < slices; s++) {
            int n = gemm_lanes(s, groups, count);
            real *t = to + (size_t)r * (size_t)columns + gemm_column(s, groups, count);
            const real *f = from + ((size_t)s * (size_t)rows + (size_t)r) * L;
            if (n == L)
                v_storeu(t, v_load(f));
            else
                memcpy(t, f, (size_t)n * sizeof(real));
        }
}

/* The lanes of slice s in one row of columns; zero where no example is. */
static inline vec gemm_slice(const real *row, int s, int groups, int count)
{
    int n = gemm_lanes(s, groups, count);
    const real *f = row + gemm_column(s, groups, count);
    if (n == L)
        return v_loadu(f);
    _Alignas(64) real part[L] = { 0 };
    memcpy(part, f, (size_t)n * sizeof(real));
    return v_load(part);
}

#endif
