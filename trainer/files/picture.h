/* picture.h -- small pictures in memory, a few things to draw on them, and PNG files. */
#ifndef SPN_PICTURE_H
#define SPN_PICTURE_H

#include "files/array_io.h"

#include <stdbool.h>
#include <stdint.h>

/* pixels [height][width][channels], 1 channel (grey) or 3 (red, green, blue), 8 bits each. */
typedef struct {
    int width, height, channels;
    uint8_t *pixels;
    int left, top, right, bottom;       /* where drawing is seen: left <= x < right, top <= y < bottom */
} Picture;

/* A colour is 0xRRGGBB; a grey picture takes its brightness. */
typedef uint32_t Colour;

/* A glyph is 5 wide and 8 high (the last row is for descenders); text advances by 6. */
enum { PICTURE_GLYPH_WIDTH = 5, PICTURE_GLYPH_HEIGHT = 8, PICTURE_ADVANCE = 6, PICTURE_SIDE_MOST = 32767 };

/* A picture filled with one colour; false when memory is out or a side is not in 1..PICTURE_SIDE_MOST. */
bool picture_open(Picture *picture, int width, int height, int channels, Colour colour);
void picture_close(Picture *picture);

/* Everything drawn is cut at the picture's border, or at that of the rectangle given to picture_clip last; coordinates may lie anywhere. */
void picture_clip(Picture *picture, int x, int y, int width, int height);
void picture_box(Picture *picture, int x, int y, int width, int height, Colour colour);           /* filled */
void picture_frame(Picture *picture, int x, int y, int width, int height, int thickness, Colour colour);   /* its outline, inside */

/* Anti-aliased lines `thickness` pixels wide.  The centre of the pixel in the corner is at (0.5, 0.5), so a shape over an image drawn at
 * scale s has its coordinates times s.  Not-a-number and infinite coordinates draw nothing. */
void picture_line(Picture *picture, double x0, double y0, double x1, double y1, double thickness, Colour colour);
void picture_polygon(Picture *picture, const double (*points)[2], int count, double thickness, Colour colour);   /* closed outline */

/* grey [height][width] (0 black, 255 white), each pixel drawn as scale x scale. */
void picture_blit(Picture *picture, int x, int y, const uint8_t *grey, int width, int height, int scale);

/* ASCII text in the built-in 5x7 font, its left top corner at (x, y); other bytes are drawn as boxes.  Returns the x after the text. */
int picture_text(Picture *picture, int x, int y, const char *text, int scale, Colour colour);

/* The bytes of a PNG, for free(); NULL on failure, with the reason under the name `path`.  The same picture gives the same bytes. */
void *picture_pack(size_t *size, const Picture *picture, const char *path, ArrayError *error);
/* Writes a PNG that appears whole or not at all. */
bool picture_write(const Picture *picture, const char *path, ArrayError *error);

#endif
