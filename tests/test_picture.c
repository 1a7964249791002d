/* test_picture.c -- pixels land where they should, nothing lands outside, and a PNG reads back as it was. */
#define _DEFAULT_SOURCE
#include "files/picture.h"
#include "temporary.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <limits.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int at(const Picture *p, int x, int y)
{
    return p->pixels[(y * p->width + x) * p->channels];
}

static int lit(const Picture *p)
{
    int n = 0;
    for (int i = 0; i < p->width * p->height * p->channels; i++)
        n += p->pixels[i] != 0;
    return n;
}

Test(picture, sizes_and_channels_that_make_no_sense_are_refused)
{
    Picture p;
    const int wrong[][3] = { { 0, 5, 3 }, { 5, -1, 3 }, { 5, 5, 2 }, { PICTURE_SIDE_MOST + 1, 1, 1 } };
    for (int i = 0; i < 4; i++)
        cr_assert(picture_open(&p, wrong[i][0], wrong[i][1], wrong[i][2], 0) == false && p.pixels == NULL, "case %d", i);
}

Test(picture, boxes_and_frames_cover_their_pixels_only)
{
    Picture p;
    cr_assert(picture_open(&p, 20, 10, 1, 0));
    picture_box(&p, 3, 2, 4, 5, 0xffffff);
    cr_assert(eq(int, lit(&p), 20));
    cr_assert(at(&p, 3, 2) == 255 && at(&p, 6, 6) == 255 && at(&p, 7, 6) == 0 && at(&p, 3, 7) == 0);
    picture_box(&p, 0, 0, p.width, p.height, 0);
    picture_frame(&p, 2, 1, 6, 5, 1, 0xffffff);
    cr_assert(eq(int, lit(&p), 18));
    cr_assert(at(&p, 2, 1) == 255 && at(&p, 7, 5) == 255 && at(&p, 4, 3) == 0);
    picture_close(&p);
}

Test(picture, colours_keep_their_channels)
{
    Picture p;
    cr_assert(picture_open(&p, 2, 1, 3, 0x102030));
    picture_box(&p, 1, 0, 1, 1, 0xfe8001);
    cr_assert(memcmp(p.pixels, "\x10\x20\x30\xfe\x80\x01", 6) == 0);
    picture_close(&p);
}

Test(picture, an_image_is_scaled_by_whole_pixels)
{
    Picture p;
    const uint8_t grey[6] = { 10, 20, 30, 40, 50, 60 };
    cr_assert(picture_open(&p, 12, 8, 3, 0));
    picture_blit(&p, 1, 2, grey, 3, 2, 3);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 12; x++) {
            const int inside = x >= 1 && x < 10 && y >= 2;
            cr_assert(eq(int, at(&p, x, y), inside ? grey[(y - 2) / 3 * 3 + (x - 1) / 3] : 0));
        }
    picture_close(&p);
}

Test(picture, lines_have_their_length_and_thickness)
{
    Picture p;
    cr_assert(picture_open(&p, 60, 60, 1, 0));
    picture_line(&p, 10, 20, 50, 20, 4, 0xffffff);
    for (int x = 12; x < 48; x++)
        cr_assert(at(&p, x, 18) >= 254 && at(&p, x, 21) >= 254 && at(&p, x, 16) == 0 && at(&p, x, 23) == 0, "column %d", x);
    cr_assert(at(&p, 5, 20) == 0 && at(&p, 55, 20) == 0);

    /* A slanting one covers about length times thickness, plus its round ends. */
    picture_box(&p, 0, 0, p.width, p.height, 0);
    picture_line(&p, 12, 50, 48, 10, 3, 0xffffff);
    double sum = 0;
    for (int i = 0; i < 3600; i++)
        sum += p.pixels[i] / 255.0;
    const double area = sqrt(36 * 36 + 40 * 40) * 3 + 3.14159 * 1.5 * 1.5;
    cr_assert(fabs(sum - area) < 0.05 * area, "covers %.1f pixels, expected %.1f", sum, area);
    picture_close(&p);
}

Test(picture, a_polygon_is_closed_and_empty_inside)
{
    Picture p;
    const double square[4][2] = { { 5, 5 }, { 25, 5 }, { 25, 25 }, { 5, 25 } };
    cr_assert(picture_open(&p, 30, 30, 1, 0));
    picture_polygon(&p, square, 4, 2, 0xffffff);
    cr_assert(at(&p, 15, 5) > 200 && at(&p, 25, 15) > 200 && at(&p, 15, 25) > 200 && at(&p, 5, 15) > 200);
    cr_assert(at(&p, 15, 15) == 0 && at(&p, 1, 1) == 0 && at(&p, 28, 15) == 0);
    picture_close(&p);
}

Test(picture, what_is_drawn_is_cut_at_a_clip)
{
    Picture p;
    const double square[4][2] = { { 2, 2 }, { 28, 2 }, { 28, 28 }, { 2, 28 } };
    cr_assert(picture_open(&p, 30, 30, 1, 0));
    picture_clip(&p, -5, 10, 20, 100);                       /* 0 <= x < 15, 10 <= y < 30 */
    picture_polygon(&p, square, 4, 2, 0xffffff);
    picture_box(&p, 10, 0, 10, 30, 0xffffff);
    cr_assert(at(&p, 2, 20) > 200 && at(&p, 5, 28) > 200 && at(&p, 14, 10) == 255);
    cr_assert(at(&p, 2, 5) == 0 && at(&p, 28, 20) == 0 && at(&p, 15, 20) == 0 && at(&p, 14, 9) == 0);
    picture_clip(&p, 0, 0, p.width, p.height);
    picture_box(&p, 29, 0, 1, 1, 0xffffff);
    cr_assert(at(&p, 29, 0) == 255);
    picture_close(&p);
}

Test(picture, nothing_is_drawn_outside)
{
    Picture p;
    const uint8_t grey[4] = { 255, 255, 255, 255 };
    const int far[] = { INT_MIN, -1000, -1, 0, 9, 10, 1000, INT_MAX };
    const double wild[] = { -INFINITY, -1e300, -1e5, -0.5, 3, 1e5, 1e300, INFINITY, NAN };
    cr_assert(picture_open(&p, 10, 10, 3, 0));
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 8; k++) {
            picture_box(&p, far[i], far[k], far[k], far[i], 0xff0000);
            picture_frame(&p, far[i], far[k], 5, far[k], 1, 0xff00);
            picture_blit(&p, far[i], far[k], grey, 2, 2, 3);
            picture_text(&p, far[i], far[k], "W~\xff", 2, 0xff);
        }
    for (int i = 0; i < 9; i++)
        for (int k = 0; k < 9; k++)
            picture_line(&p, wild[i], wild[k], 5, wild[i], 2, 0xffffff);
    picture_box(&p, 0, 0, p.width, p.height, 0);
    picture_box(&p, 2, 2, -3, 4, 0xffffff);
    picture_line(&p, NAN, 1, 5, 5, 2, 0xffffff);
    picture_line(&p, 1, 1, 5, 5, 0, 0xffffff);
    picture_text(&p, 10, 0, "8", 1, 0xffffff);
    cr_assert(eq(int, lit(&p), 0));
    picture_close(&p);
}

Test(picture, letters_differ_and_text_advances)
{
    static uint8_t seen[95][8 * 8];
    for (int c = 0; c < 95; c++) {
        Picture p;
        cr_assert(picture_open(&p, 8, 8, 1, 0));
        cr_assert(eq(int, picture_text(&p, 1, 0, (char[]){ (char)(' ' + c), 0 }, 1, 0xffffff), 7));
        cr_assert(eq(int, lit(&p) > 0, c > 0), "'%c'", ' ' + c);
        memcpy(seen[c], p.pixels, 64);
        for (int k = 0; k < c; k++)
            cr_assert(memcmp(seen[k], seen[c], 64) != 0, "'%c' looks like '%c'", ' ' + k, ' ' + c);
        picture_close(&p);
    }
    Picture seven;
    static const char *const rows[7] = { "#####", "....#", "...#.", "..#..", ".#...", ".#...", ".#..." };
    cr_assert(picture_open(&seven, 5, 8, 1, 0));
    picture_text(&seven, 0, 0, "7", 1, 0xffffff);
    for (int y = 0; y < 7; y++)
        for (int x = 0; x < 5; x++)
            cr_assert(eq(int, at(&seven, x, y), rows[y][x] == '#' ? 255 : 0), "7 at %d, %d", x, y);
    picture_close(&seven);
}

static void round_trip(int channels)
{
    char folder[TEMPORARY_ROOM], path[TEMPORARY_ROOM + 8];
    Picture p;
    ArrayError e = { 0 };
    temporary_folder(folder);
    snprintf(path, sizeof path, "%s/a.png", folder);
    cr_assert(picture_open(&p, 37, 23, channels, 0));
    for (int i = 0; i < 37 * 23 * channels; i++)
        p.pixels[i] = (uint8_t)(i * 13 + i / 7);
    cr_assert(picture_write(&p, path, &e), "%s", e.text);

    png_image image = { .version = PNG_IMAGE_VERSION };
    cr_assert(png_image_begin_read_from_file(&image, path));
    cr_assert(image.width == 37 && image.height == 23);
    cr_assert(eq(int, image.format & PNG_FORMAT_FLAG_COLOR ? 3 : 1, channels));
    image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    uint8_t back[37 * 23 * 3];
    cr_assert(png_image_finish_read(&image, NULL, back, 0, NULL));
    cr_assert(memcmp(back, p.pixels, (size_t)(37 * 23 * channels)) == 0);
    picture_close(&p);
    unlink(path);
    rmdir(folder);
}

Test(picture, grey_png_reads_back)
{
    round_trip(1);
}

Test(picture, colour_png_reads_back)
{
    round_trip(3);
}

Test(picture, a_folder_that_is_missing_is_reported_with_its_path)
{
    Picture p;
    ArrayError e = { 0 };
    cr_assert(picture_open(&p, 4, 4, 1, 0));
    cr_assert(picture_write(&p, "/nonexistent/no-such-folder-of-pictures/a.png", &e) == false);
    cr_assert(eq(int, e.exit_code, 74));
    cr_assert(strstr(e.text, "no-such-folder-of-pictures") != NULL);
    picture_close(&p);
}
