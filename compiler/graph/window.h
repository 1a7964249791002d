/* window.h -- the window of a convolution: all of its sizes, axis by axis. */
#ifndef SPNC_WINDOW_H
#define SPNC_WINDOW_H

#include "spnc.h"

/* Axis 0 is the rows, axis 1 the columns.  A convolution of [C, T] has one row: 1 everywhere on axis 0, and no padding there.
 * A transposed convolution has the window of the convolution whose gradient it is: its input has `filters` channels and the size y, its result
 * `channels` and the size x. */
typedef struct {
    bool flat;                       /* of [C, T] */
    bool transposed;
    int64_t filters, channels, groups;       /* of all groups together */
    int64_t x[2], y[2];              /* sizes of the maps */
    int64_t kernel[2], stride[2], dilation[2];
    int64_t before[2], after[2];     /* zeros around x: above and left, below and right */
} Window;

/* Of a convolution whose shapes are known; of its backward operators too. */
Window window_of(const Op *op);
/* Positions from the first to the last tap of the kernel, both counted. */
int64_t window_extent(const Window *w, int axis);
/* Neither padded nor dilated, of [C, H, W], in one group; stride and kernel are any. */
bool window_is_bare(const Window *w);
/* [channels, rows, columns], or [channels, columns] of a flat one. */
Shape window_shape(bool flat, int64_t channels, const int64_t size[2]);
/* Of its weight: [filters][channels / groups][rows][columns], without the rows if it is flat. */
Shape window_weight(const Window *w);
/* Fills *w from the attributes of `op`, whose input has the shape x, but for the size of the result; false after reporting what does not fit. */
bool window_read(Model *m, const Op *op, const Shape *x, Window *w);

#endif
