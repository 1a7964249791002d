/* transform.h -- the transforms of Winograd's algorithm along one axis, as straight-line C. */
#ifndef TRANSFORM_H
#define TRANSFORM_H

#include "spnc.h"

/* INPUT_TRANSFORM: B', of m + 2 inputs; OUTPUT_TRANSFORM: A', from m + 2 sums to m outputs; FILTER_TRANSFORM: G, of 3 weights. */
typedef enum { INPUT_TRANSFORM, OUTPUT_TRANSFORM, FILTER_TRANSFORM, TRANSFORMS } TransformKind;

enum { TRANSFORM_SIDE = 16 };        /* most rows or columns of a matrix */

/* vec NAME = VALUE; one after the other, then the results as expressions; the inputs are d0, d1, ...  Texts live in the arena. */
typedef struct {
    int inputs, sum_count, result_count;
    struct { const char *name, *value; } sums[2 * TRANSFORM_SIDE];
    const char *results[TRANSFORM_SIDE];
} Transform;

/* The transform for tiles of m outputs (2 to 6), or its adjoint: the transposed matrix. */
Transform *transform_of(Arena *a, TransformKind kind, bool adjoint, int m);

/* The FILTER_TRANSFORM of tiles of m outputs, of three weights: m + 2 numbers, in float or double as an emitted net reckons them, to the same bits. */
void transform_filter(int m, bool is_double, const double weights[3], double results[TRANSFORM_SIDE]);

/* "0, 1, -1, 1/2, -2, infinity": the points of evaluation for tiles of m outputs. */
const char *transform_points(Arena *a, int m);

#endif
