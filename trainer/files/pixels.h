/* pixels.h -- pictures in memory as a net's data have them: 8 bits, grey or colour; brought to another size.
 *
 *   decode.c   the kind of a file, by its first bytes     decode_png.c   decode_jpeg.c   decode_pnm.c   one kind each */
#ifndef SPN_PIXELS_H
#define SPN_PIXELS_H

#include "files/array_io.h"

/* 8-bit grey (1 channel) or red, green and blue (3), row by row: pixels [height][width][channels], owned. */
typedef struct { int width, height, channels; uint8_t *pixels; } Pixels;

void pixels_free(Pixels *p);
/* Refuses sides out of range. */
bool pixels_sides(int64_t width, int64_t height, const char *path, ArrayError *e);
/* Room for the pixels; false with exit code 74. */
bool pixels_open(Pixels *p, int width, int height, int channels, const char *path, ArrayError *e);

/* What lies behind a picture that has transparency: 0 black to 255 white, or NO_GROUND, which refuses such a picture. */
enum { NO_GROUND = -1 };
/* A decoder's samples, 0 to `most` (at most 65535) each, as they stand in the file: `channels` of them a pixel, and the opacity behind
 * them if alpha.  They become `count` pixels of p from pixel `first` on: round(255 (s a + g (1 - a))) with s = sample / most,
 * a = opacity / most, g = ground / 255.  False if a pixel is not opaque and there is no ground. */
bool pixels_take(Pixels *p, size_t first, size_t count, const uint16_t *samples, int most, bool alpha, int ground, const char *path, ArrayError *e);

/* Channel c of pixel i as a picture of `channels` has it, 0 to 255: grey is 0.299 red + 0.587 green + 0.114 blue. */
double pixels_channel(const Pixels *p, size_t i, int channels, int c);
/* plane [rows][columns] from source [height][width]: scaled to fit, its proportions kept, centred, black around. */
bool pixels_fit(double *plane, const double *source, int rows, int columns, int height, int width, const char *path, ArrayError *e);

#endif
