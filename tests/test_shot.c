/* test_shot.c -- the box of a transform, drawn over the image. */
#define _DEFAULT_SOURCE
#include "fixtures/tiny_net.c"
#include "report/shot.h"
#include "run/options.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* main.c's, for commands; nothing here runs the net. */
void open_net(int count)
{
    (void)count;
    abort();
}

static int lit(const Picture *p, bool inside)
{
    int n = 0;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            n += p->pixels[y * p->width + x] && (x >= 20 - OUTSIDE && x < 40 + OUTSIDE && y >= 20 - OUTSIDE && y < 40 + OUTSIDE) == inside;
    return n;
}

Test(shot, a_box_ends_beside_its_image)
{
    /* over an image of 10 x 10 pixels that stands at (20, 20), twice as large: half of it to the right, then all around and nowhere near */
    static const double right[6] = { 1, 0, 1, 0, 1, 0 }, around[6] = { 3, 0, 0, 0, 3, 0 };
    Picture p;
    cr_assert(picture_open(&p, 64, 64, 1, 0));
    shot_outline(&p, right, 20, 20, 10, 10, 2, 1.5, 0xffffff);
    cr_assert(p.pixels[30 * 64 + 30] > 100);
    cr_assert(lit(&p, true) > 30);
    cr_assert(eq(int, lit(&p, false), 0));
    picture_box(&p, 0, 0, p.width, p.height, 0);
    shot_outline(&p, around, 20, 20, 10, 10, 2, 1.5, 0xffffff);
    cr_assert(eq(int, lit(&p, true) + lit(&p, false), 0));
    picture_box(&p, 0, 0, 1, 1, 0xffffff);
    cr_assert(p.pixels[0] == 255, "what comes after a box is cut, too");
    picture_close(&p);
}
