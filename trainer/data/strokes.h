/* strokes.h -- digits drawn with a pen, for those who have no MNIST at hand. */
#ifndef SPN_STROKES_H
#define SPN_STROKES_H

#include "data/idx.h"

/* How many digits the drawn training, validation and test split have to choose from: as many as MNIST. */
enum { STROKES_TRAIN = 50000, STROKES_VALID = 10000, STROKES_TEST = 10000 };

/* Digit `index` of split 0, 1 or 2: pixels [28][28] and its class from 0 to 9, each equally likely. */
void strokes_draw(uint8_t *pixels, uint8_t *label, uint64_t seed, int split, int64_t index);

/* The same with the class given. */
void strokes_draw_class(uint8_t *pixels, int label, uint64_t seed, int split, int64_t index);

#endif
