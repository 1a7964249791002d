/* image_file.h -- pictures from outside (PNG, PGM, PPM, .npy, folders of them, standard input) as examples of the net. */
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
 * 16 bits become 8, transparency lies over black; a .npy must have the input's type, one example or [N] of them.  The
 * first bytes decide the kind of a file, never its name.  Sizes must agree, unless `fit`: then pictures are
 * scaled to fit into the input and centred on black.
 * path: a file, a folder (its pictures in the order of their names), or "-" for standard input.
 * false with *e filled for a bad file: path, found, expected. */
bool images_add(Images *images, const char *path, bool fit, ArrayError *e);
void images_free(Images *images);

#endif
