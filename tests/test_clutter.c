/* test_clutter.c -- the sequences follow the authors' script: ranges, frequencies, borders, what covers what. */
#include "data/clutter.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

enum { SCENES = 100000, OWN = 50 };

static Digits train, valid, test;

/* Digits by whose pixels the source can be found: a pixel's value is made of set, digit, row and column. */
static void fill(Digits *d, int count, int set)
{
    cr_assert(digits_open(d, count));
    for (int i = 0; i < count; i++) {
        d->labels[i] = (uint8_t)((i + set) % 10);
        for (int p = 0; p < DIGIT_PIXELS; p++)
            d->pixels[i * DIGIT_PIXELS + p] = (uint8_t)(1 + (unsigned)(i * 31 + p * 17 + set * 101) % 120);
    }
}

static void open_digits(void)
{
    fill(&train, OWN, 0);
    fill(&valid, OWN / 5, 1);
    fill(&test, OWN / 5, 2);
}

static void close_digits(void)
{
    digits_close(&train);
    digits_close(&valid);
    digits_close(&test);
}

TestSuite(clutter, .init = open_digits, .fini = close_digits);

/* Every value from low to high occurs, nothing else, each about equally often (five standard deviations). */
static void uniform(const int *counts, int low, int high, int total, const char *what)
{
    const double share = (double)total / (high - low + 1);
    for (int v = 0; v <= high - low; v++) {
        const double off = counts[v] - share;
        cr_assert(off * off < 25 * share, "%s %d: %d times, expected about %.0f", what, v + low, counts[v], share);
    }
}

Test(clutter, first_column_slope_digits_and_patches_are_uniform_in_their_ranges)
{
    static int left[16], slope[28], which[OWN], top[91], across[91];
    for (int i = 0; i < SCENES; i++) {
        ClutterScene s;
        clutter_scene(&s, 1234, 0, i, OWN);
        cr_assert(s.digit[0].left >= 0 && s.digit[0].left <= 15 && s.slope >= -14 && s.slope <= 13);
        left[s.digit[0].left]++;
        slope[s.slope + 14]++;
        which[s.digit[i % 3].which]++;
        for (int k = 0; k < CLUTTER_PATCHES; k++)
            cr_assert(s.patch[k].top >= 0 && s.patch[k].top <= 90 && s.patch[k].left >= 0 && s.patch[k].left <= 90
                      && s.patch[k].bank >= 0 && s.patch[k].bank < CLUTTER_BANK);
        top[s.patch[i % 8].top]++;
        across[s.patch[i % 8].left]++;
    }
    uniform(left, 0, 15, SCENES, "first column");
    uniform(slope, -14, 13, SCENES, "slope");
    uniform(which, 0, OWN - 1, SCENES, "digit");
    uniform(top, 0, 90, SCENES, "patch row");
    uniform(across, 0, 90, SCENES, "patch column");
}

Test(clutter, first_rows_are_uniform_and_28_in_100_lie_flush_at_the_bottom)
{
    static int rows[73];
    for (int i = 0; i < SCENES; i++) {
        ClutterScene s;
        clutter_scene(&s, 7, 0, i, OWN);
        cr_assert(s.digit[0].top >= 0 && s.digit[0].top <= 72);
        rows[s.digit[0].top]++;
    }
    for (int r = 0; r < 72; r++)
        cr_assert(abs(rows[r] - SCENES / 100) < 5 * 32, "row %d: %d times", r, rows[r]);
    cr_assert(abs(rows[72] - 28 * SCENES / 100) < 5 * 142, "flush: %d of %d", rows[72], SCENES);
}

Test(clutter, rows_follow_the_slope_except_where_the_border_holds_a_digit)
{
    int bottom = 0, top = 0, free_rows = 0;
    for (int i = 0; i < SCENES; i++) {
        ClutterScene s;
        clutter_scene(&s, 99, 1, i, OWN);
        for (int k = 1; k < CLUTTER_DIGITS; k++) {
            const int from = s.digit[k - 1].top, to = s.digit[k].top;
            cr_assert(eq(int, s.digit[k].left, s.digit[k - 1].left + 28));      /* side by side: they never overlap */
            cr_assert(to >= 0 && to <= 72 && s.digit[k].left <= 72);
            if (to > 0 && to < 72 && from > 0 && from < 72) {
                cr_assert(eq(int, to - from, s.slope));
                free_rows++;
            }
            bottom += to == 72;
            top += to == 0;
        }
    }
    cr_assert(bottom > SCENES / 4 && top > SCENES / 50 && free_rows > SCENES / 2);
}

Test(clutter, the_bank_takes_crops_from_training_digits_twice_and_validation_digits_once)
{
    static int rows[19], columns[19], digit[OWN + OWN / 5];
    for (int i = 0; i < CLUTTER_BANK; i++) {
        const ClutterCrop c = clutter_crop(5, i, OWN, OWN / 5);
        cr_assert(c.top >= 0 && c.top <= 18 && c.left >= 0 && c.left <= 18 && c.digit >= 0 && c.digit < OWN + OWN / 5);
        rows[c.top]++;
        columns[c.left]++;
        digit[c.digit]++;
    }
    uniform(rows, 0, 18, CLUTTER_BANK, "crop row");
    uniform(columns, 0, 18, CLUTTER_BANK, "crop column");
    int from_valid = 0;
    for (int i = 0; i < OWN + OWN / 5; i++) {
        cr_assert(digit[i] > 0);
        from_valid += i >= OWN ? digit[i] : 0;
    }
    cr_assert(abs(from_valid - CLUTTER_BANK / 11) < 5 * 91, "%d of %d from validation", from_valid, CLUTTER_BANK);
}

/* The picture written a second time, pixel by pixel: the last patch that covers it, plus the digit that covers it. */
static int expected_pixel(const ClutterScene *s, uint64_t seed, int y, int x)
{
    int value = 0;
    for (int k = CLUTTER_PATCHES; k-- > 0;) {
        const int v = y - s->patch[k].top, u = x - s->patch[k].left;
        if (v < 0 || v >= 9 || u < 0 || u >= 9)
            continue;
        const ClutterCrop c = clutter_crop(seed, s->patch[k].bank, train.count, valid.count);
        const Digits *d = c.digit < train.count ? &train : &valid;
        value = d->pixels[(c.digit - (d == &valid) * train.count) * DIGIT_PIXELS + (c.top + v) * 28 + c.left + u];
        break;
    }
    for (int k = 0; k < CLUTTER_DIGITS; k++) {
        const int v = y - s->digit[k].top, u = x - s->digit[k].left;
        if (v >= 0 && v < 28 && u >= 0 && u < 28)
            value += test.pixels[s->digit[k].which * DIGIT_PIXELS + v * 28 + u];
    }
    return value < 255 ? value : 255;
}

static void compare_pictures(void)
{
    for (int i = 0; i < 300; i++) {
        uint8_t image[CLUTTER_PIXELS];
        int32_t labels[CLUTTER_DIGITS];
        ClutterScene s;
        clutter_scene(&s, 3, 2, i, test.count);
        clutter_draw(image, labels, &s, 3, &test, &train, &valid);
        for (int p = 0; p < CLUTTER_PIXELS; p++)
            cr_assert(image[p] == expected_pixel(&s, 3, p / 100, p % 100), "example %d, row %d, column %d", i, p / 100, p % 100);
        for (int k = 0; k < CLUTTER_DIGITS; k++)
            cr_assert(eq(int, labels[k], test.labels[s.digit[k].which]));
    }
}

Test(clutter, later_patches_replace_earlier_ones_digits_add_and_labels_match)
{
    compare_pictures();
}

Test(clutter, sums_stop_at_255)
{
    memset(train.pixels, 200, (size_t)train.count * DIGIT_PIXELS);
    memset(test.pixels, 200, (size_t)test.count * DIGIT_PIXELS);
    compare_pictures();
}

Test(clutter, a_scene_depends_on_seed_split_and_index_alone)
{
    ClutterScene a, b;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    clutter_scene(&a, 1234, 0, 41, OWN);
    clutter_scene(&b, 1234, 0, 41, OWN);
    cr_assert(memcmp(&a, &b, sizeof a) == 0);
    clutter_scene(&b, 1235, 0, 41, OWN);
    cr_assert(memcmp(&a, &b, sizeof a) != 0);
    clutter_scene(&b, 1234, 1, 41, OWN);
    cr_assert(memcmp(&a, &b, sizeof a) != 0);
    clutter_scene(&b, 1234, 0, 42, OWN);
    cr_assert(memcmp(&a, &b, sizeof a) != 0);
}
