/* clutter.c -- the data of "Recurrent Spatial Transformer Networks", after the authors' create_mnist_sequence.py.
 *
 * A ClutterScene holds the random choices, whole numbers only; drawing copies bytes.  Paper and script differ in the slope: up to
 * 45 degrees in the paper; -14 to 13 rows a digit, about 27 degrees, in the script.  The published numbers come from the script.
 * Convention: top and left are the first row and column that a piece covers. */
#include "data/clutter.h"
#include "data/dice.h"

#include <string.h>

enum { SHARED_BY_SPLITS = 3 };

void clutter_scene(ClutterScene *scene, uint64_t seed, int split, int64_t index, int own)
{
    Dice dice = dice_open(seed, DICE_SCENE + (uint64_t)split, (uint64_t)index);
    for (int i = 0; i < CLUTTER_DIGITS; i++)
        scene->digit[i].which = dice_range(&dice, 0, own - 1);
    const int left = 8 + dice_range(&dice, -8, 7);
    const int top = dice_range(&dice, 0, CLUTTER_SIDE - 1);
    scene->slope = dice_range(&dice, -14, 13);
    for (int i = 0; i < CLUTTER_DIGITS; i++) {
        /* A digit that sticks out is moved back on its own, so rows bend at the border: about 28 % of first digits lie flush at the bottom. */
        const int row = top + i * scene->slope, lowest = CLUTTER_SIDE - DIGIT_SIDE;
        scene->digit[i].top = row < 0 ? 0 : row > lowest ? lowest : row;
        scene->digit[i].left = left + i * DIGIT_SIDE;
    }
    for (int i = 0; i < CLUTTER_PATCHES; i++) {
        scene->patch[i].bank = dice_range(&dice, 0, CLUTTER_BANK - 1);
        scene->patch[i].top = dice_range(&dice, 0, CLUTTER_SIDE - CLUTTER_PATCH_SIDE - 1);
        scene->patch[i].left = dice_range(&dice, 0, CLUTTER_SIDE - CLUTTER_PATCH_SIDE - 1);
    }
}

ClutterCrop clutter_crop(uint64_t seed, int number, int train, int valid)
{
    /* The script of the published data lists the training digits twice, then the validation digits: 10 to 1, not 5 to 1. */
    Dice dice = dice_open(seed, DICE_CROP + SHARED_BY_SPLITS, (uint64_t)number);
    const int pick = dice_range(&dice, 0, 2 * train + valid - 1);
    const int highest = DIGIT_SIDE - CLUTTER_PATCH_SIDE - 1;
    ClutterCrop crop = { .digit = pick < train ? pick : pick - train };
    crop.top = dice_range(&dice, 0, highest);
    crop.left = dice_range(&dice, 0, highest);
    return crop;
}

void clutter_draw(uint8_t *image, int32_t *labels, const ClutterScene *scene, uint64_t seed,
                  const Digits *own, const Digits *train, const Digits *valid)
{
    memset(image, 0, CLUTTER_PIXELS);
    for (int i = 0; i < CLUTTER_PATCHES; i++) {
        const ClutterCrop crop = clutter_crop(seed, scene->patch[i].bank, train->count, valid->count);
        const uint8_t *source = crop.digit < train->count ? train->pixels + (size_t)crop.digit * DIGIT_PIXELS
                                                          : valid->pixels + (size_t)(crop.digit - train->count) * DIGIT_PIXELS;
        for (int y = 0; y < CLUTTER_PATCH_SIDE; y++)                            /* a later patch replaces an earlier one, paper and ink */
            memcpy(image + (scene->patch[i].top + y) * CLUTTER_SIDE + scene->patch[i].left,
                   source + (crop.top + y) * DIGIT_SIDE + crop.left, CLUTTER_PATCH_SIDE);
    }
    for (int i = 0; i < CLUTTER_DIGITS; i++) {
        const uint8_t *source = own->pixels + (size_t)scene->digit[i].which * DIGIT_PIXELS;
        labels[i] = own->labels[scene->digit[i].which];
        for (int y = 0; y < DIGIT_SIDE; y++) {
            uint8_t *row = image + (scene->digit[i].top + y) * CLUTTER_SIDE + scene->digit[i].left;
            for (int x = 0; x < DIGIT_SIDE; x++) {
                const int sum = row[x] + source[y * DIGIT_SIDE + x];
                row[x] = (uint8_t)(sum < 255 ? sum : 255);
            }
        }
    }
}
