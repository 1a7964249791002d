/* test_strokes.c -- drawn digits: inside the canvas, with enough ink, varied, learnable, and always the same bits. */
#include "data/strokes.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 5000 };

Test(strokes, the_bits_are_fixed)
{
    uint64_t hash = UINT64_C(14695981039346656037);                             /* FNV-1a over pixels and labels */
    for (int i = 0; i < 2000; i++) {
        uint8_t pixels[DIGIT_PIXELS + 1];
        strokes_draw(pixels, pixels + DIGIT_PIXELS, 1234, i % 3, i);
        for (int p = 0; p <= DIGIT_PIXELS; p++)
            hash = (hash ^ pixels[p]) * UINT64_C(1099511628211);
    }
    cr_assert(hash == UINT64_C(0x3a401423a32a627b), "got 0x%016llx", (unsigned long long)hash);
}

Test(strokes, every_digit_has_ink_in_the_middle_and_paper_at_the_border)
{
    for (int i = 0; i < MANY; i++) {
        uint8_t pixels[DIGIT_PIXELS], label;
        int dark = 0, most = 0, border = 0;
        strokes_draw(pixels, &label, 1, 0, i);
        for (int p = 0; p < DIGIT_PIXELS; p++) {
            const int y = p / 28, x = p % 28;
            dark += pixels[p] > 64;
            most = pixels[p] > most ? pixels[p] : most;
            border += (y == 0 || y == 27 || x == 0 || x == 27) && pixels[p] > 64;
        }
        cr_assert(dark >= 15 && dark <= 400, "digit %d, a %d: %d dark pixels", i, label, dark);
        cr_assert(most >= 150, "digit %d, a %d: darkest is %d", i, label, most);
        cr_assert(border <= 6, "digit %d, a %d: %d dark pixels at the border", i, label, border);
    }
}

Test(strokes, classes_are_equally_likely)
{
    int counts[DIGIT_CLASSES] = { 0 };
    for (int i = 0; i < MANY; i++) {
        uint8_t pixels[DIGIT_PIXELS], label;
        strokes_draw(pixels, &label, 2, 1, i);
        cr_assert(label < DIGIT_CLASSES);
        counts[label]++;
    }
    for (int c = 0; c < DIGIT_CLASSES; c++)
        cr_assert(abs(counts[c] - MANY / 10) < 5 * 22, "class %d: %d times", c, counts[c]);
}

Test(strokes, a_class_asked_for_is_the_class_drawn)
{
    for (int i = 0; i < 200; i++) {
        uint8_t a[DIGIT_PIXELS], b[DIGIT_PIXELS], label;
        strokes_draw(a, &label, 3, 2, i);
        strokes_draw_class(b, label, 3, 2, i);
        cr_assert(memcmp(a, b, sizeof a) == 0);
    }
}

Test(strokes, no_two_digits_are_alike_not_even_across_splits_and_seeds)
{
    static uint8_t drawn[400][DIGIT_PIXELS];
    for (int i = 0; i < 400; i++)
        strokes_draw_class(drawn[i], 1, 10 + (uint64_t)(i & 1), i >> 1 & 1, i >> 2);
    for (int i = 0; i < 400; i++)
        for (int k = 0; k < i; k++)
            cr_assert(memcmp(drawn[i], drawn[k], DIGIT_PIXELS) != 0, "%d and %d", i, k);
}

static int64_t squared_distance(const uint8_t *a, const uint8_t *b)
{
    int64_t sum = 0;
    for (int p = 0; p < DIGIT_PIXELS; p++)
        sum += (a[p] - b[p]) * (a[p] - b[p]);
    return sum;
}

/* One picture a class must not be enough, many must: the mean of a class is a poor model of it, the nearest pictures are a good one. */
Test(strokes, neighbours_recognise_what_means_cannot)
{
    static uint8_t known[4000][DIGIT_PIXELS], known_label[4000], mean[DIGIT_CLASSES][DIGIT_PIXELS];
    static int64_t sum[DIGIT_CLASSES][DIGIT_PIXELS], count[DIGIT_CLASSES];
    for (int i = 0; i < 4000; i++) {
        strokes_draw(known[i], &known_label[i], 1234, 0, i);
        count[known_label[i]]++;
        for (int p = 0; p < DIGIT_PIXELS; p++)
            sum[known_label[i]][p] += known[i][p];
    }
    for (int c = 0; c < DIGIT_CLASSES; c++)
        for (int p = 0; p < DIGIT_PIXELS; p++)
            mean[c][p] = (uint8_t)(sum[c][p] / count[c]);
    int by_neighbour = 0, by_mean = 0;
    for (int i = 0; i < 500; i++) {
        uint8_t pixels[DIGIT_PIXELS], label;
        int neighbour = 0, nearest_mean = 0;
        int64_t best = INT64_MAX, best_mean = INT64_MAX;
        strokes_draw(pixels, &label, 1234, 2, i);
        for (int k = 0; k < 4000; k++) {
            const int64_t d = squared_distance(pixels, known[k]);
            if (d < best) {
                best = d;
                neighbour = known_label[k];
            }
        }
        for (int c = 0; c < DIGIT_CLASSES; c++) {
            const int64_t d = squared_distance(pixels, mean[c]);
            if (d < best_mean) {
                best_mean = d;
                nearest_mean = c;
            }
        }
        by_neighbour += neighbour == label;
        by_mean += nearest_mean == label;
    }
    cr_assert(by_neighbour > 430, "nearest neighbour: %d of 500", by_neighbour);
    cr_assert(by_mean > 100 && by_mean < 400, "nearest mean: %d of 500", by_mean);
}
