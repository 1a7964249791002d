/* strokes.h -- digits drawn with a pen, where MNIST is not there. */
#ifndef SPN_STROKES_H
#define SPN_STROKES_H

#include "data/idx.h"

/* The number of drawn digits of the training, validation and test split: as many as MNIST's. */
enum { STROKES_TRAIN = 50000, STROKES_VALID = 10000, STROKES_TEST = 10000 };

/* Digit `index` of split 0, 1 or 2: pixels [28][28] and its class from 0 to 9, each equally likely. */
void strokes_draw(uint8_t *pixels, uint8_t *label, uint64_t seed, int split, int64_t index);

/* The same with the class given. */
void strokes_draw_class(uint8_t *pixels, int label, uint64_t seed, int split, int64_t index);

#endif
