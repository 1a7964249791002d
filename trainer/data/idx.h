/* idx.h -- MNIST's IDX files, raw or gzipped. */
#ifndef SPN_IDX_H
#define SPN_IDX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGIT_SIDE = 28, DIGIT_PIXELS = DIGIT_SIDE * DIGIT_SIDE, DIGIT_CLASSES = 10 };

/* Grey digits, 0 is paper and 255 is ink: pixels [count][28][28], labels [count] from 0 to 9. */
typedef struct {
    uint8_t *pixels, *labels;
    int count;
} Digits;

/* Reads DIR/PREFIX-images-idx3-ubyte and DIR/PREFIX-labels-idx1-ubyte (also `.idx3-ubyte`; also with `.gz`); PREFIX is "train" or "t10k".
 * 0, or an exit code (1: the files are missing or damaged, 74: the machine failed) with a reason (path, expected, got) in `why`.
 * The header's sizes are not trusted: memory grows with the bytes that are read, up to the size in the header.
 * The caller ends with digits_close, also after a failure. */
int idx_read(Digits *digits, const char *dir, const char *prefix, char *why, size_t why_size);

/* Room for `count` digits; false when memory is out. */
bool digits_open(Digits *digits, int count);
void digits_close(Digits *digits);

#endif
