/* stream.h -- where one picture ends and the next begins, in bytes that hold several. */
#ifndef SPN_STREAM_H
#define SPN_STREAM_H

#include <stdbool.h>
#include <stddef.h>

enum { STREAM_MORE = 0, STREAM_UNKNOWN = -1 };

/* The length of the picture or .npy that bytes[0..size) begin with, as its own header gives it.  STREAM_MORE: its end is not among them;
 * STREAM_UNKNOWN: they begin none that is known.  `ended`: no bytes come after these. */
ptrdiff_t stream_length(const unsigned char *bytes, size_t size, bool ended);

#endif
