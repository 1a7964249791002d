/* latency.h -- the latency form of a library: which operators have kernels of their own, and how these lay out what they read.
 *
 * Tensors are those of the plain form, one example each.  The sixteen lanes of a vec are points or filters of a convolution's result, outputs of a
 * dense layer, units of a cell.  Each element is summed in one order, that of the lanes form: the bias, then channels, kernel rows, kernel columns, or
 * inputs.  So the choice between points and filters decides speed alone, and so does the batch.  There are two exceptions, which the shape of the
 * operator alone decides: Winograd's tiles (BY_TILES), with filters in the lanes; and dense layers of few outputs, whose inputs are dealt out in turn to
 * `sums` sums of each output, the first of which has the bias: then (0 + 1) + (2 + 3). */
#ifndef LATENCY_H
#define LATENCY_H

#include "graph/window.h"

enum {
    LATENCY_PANEL = 4
}; /* most vecs of outputs whose weights lie together */
enum {
    LATENCY_IN_FLIGHT = 8
}; /* sums that keep a processor busy: two units, four cycles from a multiply-add to the next of the same sum */

typedef enum { BY_POINTS, BY_FILTERS, BY_TILES, BY_PHASES, BY_OUTPUTS, BY_UNITS, BY_ROWS } LatencyKind;

/* BY_PHASES: the results of a transposed convolution a whole stride apart, all of which meet the same taps. */
typedef struct {
    int taps, *at;         /* reals from a point, counted from the first of x or its copy, to each of them */
    int weights;           /* reals of the phases before it, whose weights lie before its own, [filters][channels x taps] */
} LatencyPhase;

/* What BY_POINTS and BY_FILTERS read is x itself, or a copy with zeros around it.  A copy for points of a strided convolution has parts: part (a, b) is
 * every position (i * stride + a, j * stride + b), so that the points that a tap meets lie side by side there. */
typedef struct Latency {
    LatencyKind kind;
    int groups, M, C;       /* filters and channels of one group; dense: M outputs, C inputs */
    int MP;                 /* M rounded up to whole vecs */
    int taps, *at;          /* of a kernel; reals from a point to each of its taps */
    int parts[2];           /* of a copy, down and across, as many as taps meet: 1 unless strided, and under a kernel of 1 */
    int rows, pitch, plane; /* of what is read: rows of a part, reals from row to row, from channel to channel */
    bool copied, parted;    /* parted: a copy whose part (0, 0) is not all of x */
    bool flat; /* BY_POINTS: points go on from row to row of what is read, those beyond a row's end are left out; else row by row */
    int vecs;  /* BY_POINTS: of points, in a row or in all */
    int64_t copy_reals; /* of the copy, with room for a vec that begins at its last point */
    LatencyPhase *phases;  /* BY_PHASES, which are flat: stride[0] x stride[1] of them */
    int above, left;       /* BY_PHASES: zeros around x in its copy */
    int side, tiles[2];              /* BY_TILES: outputs of a Winograd tile along an axis; tiles down and across, the last of which may stick out */
    int sums;           /* BY_OUTPUTS: 1, 2 or 4 sums of each output */
    bool batched;       /* BY_OUTPUTS, of one position: called once for all examples, so that each panel of weights is read once for them */
    Window window;      /* of a convolution */
} Latency;

/* fold.c: a batch norm behind a convolution or a dense layer becomes a part of their weights; what remains is Op.fold.norm. */
void norms_fold(Model *m);
/* Sets Op.kernel.latency of all operators that have a kernel, and puts the weights as these read them in the place of their weights. */
void latency_choose(Model *m);
/* Where element i of the exported order lies in the stored weight w, of W_LATENCY or W_LATENCY_BIAS, in reals.  (Not of tiles, whose weights are transformed.) */
int64_t latency_place(const Weight *w, int64_t i);
/* The filter or unit to which it belongs. */
int64_t latency_filter(const Weight *w, int64_t i);

#endif
