/* pixels.h -- pictures decoded from the bytes of a PNG, PGM or PPM, and brought to another size. */
#ifndef SPN_PIXELS_H
#define SPN_PIXELS_H

#include "files/array_io.h"

#define PIXELS_KINDS "PNG, PGM (P2, P5), PPM (P3, P6) or .npy"

/* 8-bit grey (1 channel) or red, green and blue (3), row by row: pixels [height][width][channels], owned. */
typedef struct { int width, height, channels; uint8_t *pixels; } Pixels;

/* 16 bits become 8, transparency lies over black.  The first bytes decide the kind of file.  On failure *p is empty. */
bool pixels_decode(Pixels *p, const unsigned char *bytes, size_t size, const char *path, ArrayError *e);
void pixels_free(Pixels *p);
/* Refuses sides out of range. */
bool pixels_sides(int64_t width, int64_t height, const char *path, ArrayError *e);

/* Channel c of pixel i as a picture of `channels` has it, 0 to 255: grey is 0.299 red + 0.587 green + 0.114 blue. */
double pixels_channel(const Pixels *p, size_t i, int channels, int c);
/* plane [rows][columns] from source [height][width]: scaled to fit, its proportions kept, centred, black around. */
bool pixels_fit(double *plane, const double *source, int rows, int columns, int height, int width, const char *path, ArrayError *e);

#endif
