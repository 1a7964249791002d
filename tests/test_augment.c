/* test_augment.c -- augmentation's draws, taken one by one: even, in their ranges, and the same for the same key. */
#include "augment.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(augment, turns_as_libm_does)
{
    double s, c;
    for (int k = -1800; k <= 1800; k++) {
        double angle = k * (3.14159265358979323846 / 1800);
        augment_turn(&s, &c, angle);
        cr_assert(fabs(s - sin(angle)) < 4e-15 && fabs(c - cos(angle)) < 4e-15, "angle %g: %.17g %.17g", angle, s, c);
    }
}

Test(augment, shifts_by_every_number_of_pixels_alike)
{
    enum { MOST = 3, PLACES = 2 * MOST + 1, DRAWS = 70000 };
    int count[2][PLACES] = { { 0 } };
    for (uint64_t n = 0; n < DRAWS; n++)
        for (int draw = 0; draw < 2; draw++)
            count[draw][augment_shift(augment_key(1, 0, 0, n, AUGMENT_MOVE), draw, MOST) + MOST]++;
    for (int draw = 0; draw < 2; draw++)
        for (int k = 0; k < PLACES; k++)                 /* 10000 each, deviation 93 */
            cr_assert(abs(count[draw][k] - DRAWS / PLACES) < 500, "%d: %d", k - MOST, count[draw][k]);
}

Test(augment, cuts_clutter_from_every_other_example_and_never_from_its_own)
{
    int count[5] = { 0 };
    for (int k = 0; k < 4096; k++)
        count[augment_source(augment_key(3, 2, 1, 4, AUGMENT_CLUTTER), k, 3, 5)]++;
    for (int i = 0; i < 5; i++)
        cr_assert(i == 3 ? count[i] == 0 : abs(count[i] - 1024) < 140, "%d: %d", i, count[i]);
    cr_assert(eq(int, (int)augment_source(7, 0, 0, 1), 0), "a split of one example has no other");
}

Test(augment, has_noise_of_mean_0_and_deviation_1)
{
    enum { N = 1 << 20 };
    static float z[N];
    double sum = 0, squares = 0, neighbours = 0, beyond = 0;
    for (uint32_t i = 0; i < N; i += AUGMENT_RUN)
        augment_noise(z + i, augment_key(1, 1, 0, 1, AUGMENT_NOISE), i);
    for (int i = 0; i < N; i++) {
        sum += z[i], squares += z[i] * z[i], beyond += fabsf(z[i]) > 1.959964f;
        neighbours += i ? z[i] * z[i - 1] : 0;
    }
    cr_assert(fabs(sum / N) < 0.005, "mean %g", sum / N);
    cr_assert(fabs(squares / N - 1) < 0.01, "variance %g", squares / N);
    cr_assert(fabs(neighbours / N) < 0.005, "neighbours %g", neighbours / N);
    cr_assert(fabs(beyond / N - 0.05) < 0.003, "beyond 1.96: %g", beyond / N);
}

Test(augment, makes_any_two_keys_differ)
{
    uint64_t key = augment_key(1, 2, 3, 4, AUGMENT_MOVE);
    cr_assert(key != augment_key(2, 2, 3, 4, AUGMENT_MOVE) && key != augment_key(1, 3, 3, 4, AUGMENT_MOVE) && key != augment_key(1, 2, 4, 4, AUGMENT_MOVE)
              && key != augment_key(1, 2, 3, 5, AUGMENT_MOVE) && key != augment_key(1, 2, 3, 4, AUGMENT_NOISE));
}

Test(augment, rounds_to_the_nearest_byte)
{
    const float v[] = { -3, -0.1f, 0.4f, 0.6f, 254.4f, 254.6f, 255.4f, 300 };
    const int byte[] = { 0, 0, 0, 1, 254, 255, 255, 255 };
    for (int i = 0; i < 8; i++)
        cr_assert(eq(int, augment_byte(v[i]), byte[i]));
}
