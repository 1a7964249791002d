/* shot.h -- image, transforms, glimpses and answers of one example, kept after the activations are overwritten.
 *
 * They are found in any model.  An input of rank 3, or 2, is an image; a value that a sampler reads as its transform [2][3] is a transform,
 * whose corners are those of the image; a value of rank 3 with the image's channels and fewer pixels is a glimpse, seen through the
 * transform named before it; a value that a loss compares with the image is a drawing of it.  Other outputs of the net are shown by their kind: maps
 * as pictures, short ones as numbers (outputs.h). */
#ifndef SPN_SHOT_H
#define SPN_SHOT_H

#include "files/picture.h"
#include "run/data.h"

enum { LOOKERS = 8, MAPS = 8, LINES = 8, NUMBERS_MOST = 12 };       /* NUMBERS_MOST: the numbers of an output that are shown, all steps together */

/* Indices into net.values, or -1. */
typedef struct { int transform, glimpse, steps; } Looker;

typedef struct {
    int input;                                 /* the image's index, or -1: there is nothing to draw */
    int channels, height, width;
    int looker_count;
    Looker looker[LOOKERS];
    int main;                                  /* the looker whose glimpses are largest, -1 without glimpses or transforms */
    int views;                                 /* steps of all lookers together */
    int drawing;                               /* a value, or -1 */
    int map_count, map[MAPS], maps;            /* values; their steps, together */
    int line_count, line[LINES], numbers;      /* values that are shown as numbers; their numbers, together */
    int slots;                                 /* labels of an example, all targets together */
} View;

/* Pictures are grey for one channel, coloured for three; the mean of others. */
typedef struct {
    int64_t example;                           /* its place in the split or in the list of files */
    Picture image, drawing;                    /* pixels NULL: none */
    Picture *map;                              /* [maps], by map, then step */
    double *number;                            /* [numbers], by line, then step */
    Picture *glimpse;                          /* [views], by looker, then step */
    double (*transform)[6];                    /* [views]; NaN where a looker has none */
    int *read, *label;                         /* [slots], by target, then position; label -1: unknown */
    double *sure;                              /* [slots]: probability of what was read */
} Shot;

void view_open(View *v);
/* The slot of target k, position i; the view of looker l at a step. */
int view_slot(int k, int position);
int view_at(const View *v, int looker, int step);

/* Example n of the batch just run; `data` gives labels (NULL, or without targets: unknown).  Owned: shot_free. */
void shot_take(Shot *s, const View *v, const Batch *batch, const Data *data, int64_t example, int n);
void shot_free(Shot *s, const View *v);
/* The box of a transform over an image of width x height pixels, whose centres are at halves: four corners, in pixels. */
void shot_box(double corners[4][2], const double transform[6], int width, int height);
/* Draws it over an image of width x height pixels that stands at (x, y), enlarged by `scale`; what lies more than OUTSIDE pixels beside the image
 * is not drawn, so that it does not run into what stands next to it. */
enum { OUTSIDE = 3 };
void shot_outline(Picture *picture, const double transform[6], int x, int y, int width, int height, int scale, double thickness, Colour colour);
/* The colour of a step's box. */
Colour shot_colour(int step);

/* A picture with a row an example: the image with its boxes, the glimpses, what was read (a wrong label in brackets).
 * sheet_open ends the program if it would be too large; `title` may be NULL. */
void sheet_open(Picture *sheet, const View *v, int64_t rows, const char *title);
void sheet_draw(Picture *sheet, const View *v, const Shot *shot, int row, const char *title);

#endif
