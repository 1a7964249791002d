/* clutter.h -- cluttered MNIST sequences: three digits in a slanting row among eight scraps of others. */
#ifndef SPN_CLUTTER_H
#define SPN_CLUTTER_H

#include "data/idx.h"

enum {
    CLUTTER_SIDE = 100, CLUTTER_PIXELS = CLUTTER_SIDE * CLUTTER_SIDE,
    CLUTTER_DIGITS = 3, CLUTTER_PATCHES = 8, CLUTTER_PATCH_SIDE = 9,
    CLUTTER_BANK = 100000               /* patches there are to choose from, the same for every split */
};

/* One patch of the bank: 9x9 pixels of a digit, from row `top` and column `left` (0 to 18).
 * `digit` counts through the training digits, then the validation digits. */
typedef struct { int digit, top, left; } ClutterCrop;

/* All random choices of one image; drawing it then only copies bytes. */
typedef struct {
    int slope;                                                                  /* rows down from digit to digit, -14 to 13 */
    struct { int which, top, left; } digit[CLUTTER_DIGITS];                     /* which: index among the split's own digits */
    struct { int bank, top, left; } patch[CLUTTER_PATCHES];                     /* in the order in which they are laid down */
} ClutterScene;

/* The scene of example `index` of split 0, 1 or 2 (train, valid, test), which has `own` digits. */
void clutter_scene(ClutterScene *scene, uint64_t seed, int split, int64_t index, int own);

/* Patch `number` (0 to CLUTTER_BANK - 1) of the bank over `train` and `valid` digits. */
ClutterCrop clutter_crop(uint64_t seed, int number, int train, int valid);

/* image [100][100] and labels [3] of a scene.  `own` are the split's digits; the patches come from `train` and `valid`. */
void clutter_draw(uint8_t *image, int32_t *labels, const ClutterScene *scene, uint64_t seed,
                  const Digits *own, const Digits *train, const Digits *valid);

#endif
