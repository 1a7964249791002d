/* image_file.h -- pictures from outside (decode.h, .npy, folders of them, standard input) as examples of the net. */
#ifndef SPN_IMAGE_FILE_H
#define SPN_IMAGE_FILE_H

#include "files/array_io.h"
#include "net.h"

/* Examples of the net's one input, one after the other as its data files hold them, and where each came from. */
typedef struct {
    void *examples;                            /* owned, [count] of the input's size; hand on or free */
    size_t bytes, room;
    char **names;                              /* owned: "a/b.png", "c.npy[3]" */
    int64_t count, names_room;
} Images;

/* Grey or colour is converted to the input's channels: one channel is 0.299 red + 0.587 green + 0.114 blue,
 * 16 bits become 8, transparency lies over `ground` (pixels.h); a .npy must have the input's type, one example or [N] of
 * them.  The first bytes decide the kind of a file, never its name.  Sizes must agree, unless `fit`: then pictures are
 * scaled to fit into the input and centred on black.
 * path: a file, a folder (its pictures in the order of their names, without hidden ones), or "-" for standard input.  Each picture of a file counts, if several
 * stand in it, one behind the other; a warning says what is passed over behind the last.
 * false with *e filled for a bad file: path, found, expected. */
bool images_add(Images *images, const char *path, bool fit, int ground, ArrayError *e);

/* Standard input, picture by picture. */
typedef struct {
    const char *path;                          /* "standard input" */
    bool fit, ended, strict;                   /* ended: all is read */
    int ground;
    int64_t taken;                             /* pictures so far */
    unsigned char *bytes;                      /* read, and not taken yet */
    size_t size, room;
} ImageStream;
ImageStream image_stream(bool fit, int ground);
/* Waits until one picture or more have arrived, and adds them to `images`, which is empty; s->ended with no picture: there are no more.
 * False for a bad one; those before it are in `images`. */
bool images_take(Images *images, ImageStream *s, ArrayError *e);
void image_stream_free(ImageStream *s);

void images_free(Images *images);

#endif
