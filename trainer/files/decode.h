/* decode.h -- pictures decoded from the bytes of a PNG, JPEG, PBM, PGM, PPM or PAM. */
#ifndef SPN_DECODE_H
#define SPN_DECODE_H

#include "files/pixels.h"

#define DECODE_KINDS "PNG, JPEG, PBM, PGM, PPM, PAM"
#define DECODE_ENDINGS ".png, .jpg, .jpeg, .pbm, .pgm, .ppm, .pnm or .pam"

/* The first bytes decide the kind of file, never its name.  Samples are taken as they stand: gamma, colour profiles and a camera's
 * orientation are not applied; 16 bits become 8, rounded.  ground: see pixels.h.  On failure *p is empty. */
bool decode_picture(Pixels *p, const unsigned char *bytes, size_t size, int ground, const char *path, ArrayError *e);
/* Is this the name of a picture: not hidden, and with one of the endings? */
bool decode_is_name(const char *name);
/* Ending i, ".png" first; NULL behind the last. */
const char *decode_ending(int i);

/* One kind each, the first bytes already looked at.  On failure *p may hold pixels, for pixels_free. */
bool decode_png(Pixels *p, const unsigned char *bytes, size_t size, int ground, const char *path, ArrayError *e);
bool decode_jpeg(Pixels *p, const unsigned char *bytes, size_t size, const char *path, ArrayError *e);
bool decode_pnm(Pixels *p, const unsigned char *bytes, size_t size, const char *path, ArrayError *e);
bool decode_pam(Pixels *p, const unsigned char *bytes, size_t size, int ground, const char *path, ArrayError *e);

#endif
