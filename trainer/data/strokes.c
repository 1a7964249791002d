/* strokes.c -- draws handwritten-looking digits.
 *
 * A class has several ways of writing it; each is a few strokes through points in a box 60 wide and 100 high.  Every point is jittered,
 * the whole is bent, scaled, slanted and rotated, and a round pen of random width runs along Catmull-Rom curves through the points.
 * Convention: whole numbers throughout, so that all compilers draw the same bits.  Lengths are 1/256 pixel (ONE = 1 pixel),
 * ratios are 1/4096 (UNIT = 1). */
#include "data/strokes.h"
#include "data/dice.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ONE = 256, UNIT = 4096, MOST_POINTS = 24, MOST_WAYS = 5, PIECES = 8, BOX_WIDTH = 60, BOX_HEIGHT = 100 };

/* Pen: the point begins a stroke, is passed smoothly, or is a corner.  STOP ends the list. */
enum { STOP, DOWN, BEND, TURN };
typedef struct { int pen, x, y; } Knot;
typedef struct { int32_t x, y; } Point;

static const Knot ways[DIGIT_CLASSES][MOST_WAYS][MOST_POINTS] = {
    { /* 0: wide, narrow, started at the top right with a small hook, not quite closed */
        { { DOWN, 36, 1 }, { BEND, 12, 12 }, { BEND, 2, 50 }, { BEND, 13, 90 }, { BEND, 33, 99 }, { BEND, 53, 86 }, { BEND, 59, 48 }, { BEND, 49, 12 }, { BEND, 33, 0 } },
        { { DOWN, 33, 2 }, { BEND, 19, 16 }, { BEND, 14, 52 }, { BEND, 20, 88 }, { BEND, 31, 99 }, { BEND, 42, 86 }, { BEND, 47, 48 }, { BEND, 41, 14 }, { BEND, 31, 1 } },
        { { DOWN, 50, 8 }, { BEND, 32, 2 }, { BEND, 10, 22 }, { BEND, 2, 64 }, { BEND, 16, 97 }, { BEND, 40, 90 }, { BEND, 56, 54 }, { BEND, 50, 18 }, { BEND, 34, 8 } },
        { { DOWN, 24, 4 }, { BEND, 6, 30 }, { BEND, 4, 72 }, { BEND, 24, 99 }, { BEND, 48, 88 }, { BEND, 58, 50 }, { BEND, 50, 14 }, { BEND, 38, 3 } },
    },
    { /* 1: a bar, with a flag, with flag and foot, a bar that leans */
        { { DOWN, 31, 0 }, { BEND, 30, 50 }, { BEND, 29, 100 } },
        { { DOWN, 14, 24 }, { BEND, 25, 14 }, { TURN, 36, 0 }, { BEND, 35, 50 }, { BEND, 34, 100 } },
        { { DOWN, 14, 22 }, { TURN, 32, 0 }, { BEND, 32, 50 }, { BEND, 32, 99 }, { DOWN, 10, 100 }, { BEND, 54, 98 } },
        { { DOWN, 44, 0 }, { BEND, 32, 48 }, { BEND, 18, 100 } },
    },
    { /* 2: a sharp foot, a loop at the foot, a round neck, a flat Z */
        { { DOWN, 4, 22 }, { BEND, 16, 4 }, { BEND, 38, 0 }, { BEND, 53, 18 }, { BEND, 46, 46 }, { BEND, 24, 76 }, { TURN, 2, 99 }, { BEND, 59, 96 } },
        { { DOWN, 6, 20 }, { BEND, 24, 1 }, { BEND, 49, 10 }, { BEND, 49, 40 }, { BEND, 27, 78 }, { BEND, 10, 97 }, { BEND, 2, 86 }, { BEND, 15, 77 }, { BEND, 36, 93 }, { BEND, 60, 94 } },
        { { DOWN, 12, 12 }, { BEND, 34, 0 }, { BEND, 52, 22 }, { BEND, 30, 58 }, { BEND, 8, 88 }, { TURN, 4, 98 }, { BEND, 30, 92 }, { BEND, 56, 100 } },
        { { DOWN, 4, 8 }, { BEND, 30, 2 }, { TURN, 52, 8 }, { BEND, 30, 50 }, { TURN, 4, 96 }, { BEND, 58, 98 } },
    },
    { /* 3: two bows, a flat top, shallow bows without a waist, a small upper bow */
        { { DOWN, 4, 12 }, { BEND, 28, 0 }, { BEND, 51, 14 }, { BEND, 45, 38 }, { TURN, 22, 47 }, { BEND, 49, 56 }, { BEND, 57, 80 }, { BEND, 34, 99 }, { BEND, 3, 90 } },
        { { DOWN, 6, 3 }, { TURN, 52, 2 }, { TURN, 26, 42 }, { BEND, 51, 54 }, { BEND, 55, 82 }, { BEND, 30, 100 }, { BEND, 4, 90 } },
        { { DOWN, 8, 8 }, { BEND, 34, 2 }, { BEND, 50, 20 }, { BEND, 36, 44 }, { BEND, 30, 48 }, { BEND, 48, 60 }, { BEND, 50, 84 }, { BEND, 28, 99 }, { BEND, 8, 94 } },
        { { DOWN, 14, 8 }, { BEND, 32, 0 }, { BEND, 44, 14 }, { TURN, 24, 36 }, { BEND, 52, 50 }, { BEND, 58, 78 }, { BEND, 32, 100 }, { BEND, 2, 88 } },
    },
    { /* 4: open, closed, open and round, with a short stem */
        { { DOWN, 12, 2 }, { BEND, 10, 30 }, { TURN, 4, 56 }, { BEND, 58, 52 }, { DOWN, 46, 10 }, { BEND, 44, 56 }, { BEND, 42, 100 } },
        { { DOWN, 46, 0 }, { BEND, 26, 30 }, { TURN, 1, 66 }, { BEND, 60, 64 }, { DOWN, 46, 0 }, { BEND, 45, 50 }, { BEND, 44, 100 } },
        { { DOWN, 8, 2 }, { BEND, 3, 28 }, { BEND, 12, 48 }, { BEND, 36, 48 }, { BEND, 50, 30 }, { DOWN, 53, 0 }, { BEND, 50, 48 }, { BEND, 44, 100 } },
        { { DOWN, 30, 0 }, { BEND, 14, 34 }, { TURN, 2, 62 }, { BEND, 58, 58 }, { DOWN, 40, 34 }, { BEND, 38, 68 }, { BEND, 36, 100 } },
    },
    { /* 5: in one go, cap last, a round S, a big belly */
        { { DOWN, 54, 2 }, { TURN, 13, 3 }, { TURN, 9, 44 }, { BEND, 34, 38 }, { BEND, 56, 60 }, { BEND, 46, 91 }, { BEND, 20, 100 }, { BEND, 2, 88 } },
        { { DOWN, 16, 4 }, { TURN, 10, 42 }, { BEND, 38, 42 }, { BEND, 52, 66 }, { BEND, 36, 96 }, { BEND, 4, 94 }, { DOWN, 16, 3 }, { BEND, 58, 0 } },
        { { DOWN, 53, 4 }, { BEND, 22, 4 }, { BEND, 10, 26 }, { BEND, 30, 44 }, { BEND, 51, 66 }, { BEND, 36, 97 }, { BEND, 4, 92 } },
        { { DOWN, 50, 0 }, { TURN, 22, 4 }, { TURN, 8, 52 }, { BEND, 36, 44 }, { BEND, 58, 68 }, { BEND, 34, 99 }, { BEND, 0, 92 } },
    },
    { /* 6: a bowed back, a straight back, a small eye, a large eye */
        { { DOWN, 46, 2 }, { BEND, 18, 28 }, { BEND, 4, 68 }, { BEND, 18, 98 }, { BEND, 45, 93 }, { BEND, 53, 68 }, { BEND, 33, 53 }, { BEND, 8, 70 } },
        { { DOWN, 30, 0 }, { BEND, 12, 42 }, { BEND, 6, 80 }, { BEND, 28, 100 }, { BEND, 50, 82 }, { BEND, 38, 60 }, { BEND, 10, 70 } },
        { { DOWN, 40, 0 }, { BEND, 16, 36 }, { BEND, 8, 76 }, { BEND, 26, 99 }, { BEND, 46, 88 }, { BEND, 42, 70 }, { BEND, 26, 72 }, { BEND, 16, 86 } },
        { { DOWN, 52, 6 }, { BEND, 26, 8 }, { BEND, 6, 44 }, { BEND, 10, 88 }, { BEND, 36, 99 }, { BEND, 57, 72 }, { BEND, 42, 44 }, { BEND, 10, 58 } },
    },
    { /* 7: plain, crossed, with a hook at the start, rounded, plain and steep */
        { { DOWN, 2, 4 }, { TURN, 56, 3 }, { BEND, 36, 48 }, { BEND, 22, 100 } },
        { { DOWN, 4, 4 }, { TURN, 56, 4 }, { BEND, 36, 50 }, { BEND, 24, 100 }, { DOWN, 16, 52 }, { BEND, 54, 50 } },
        { { DOWN, 4, 22 }, { TURN, 6, 4 }, { BEND, 30, 6 }, { TURN, 56, 2 }, { BEND, 38, 50 }, { BEND, 30, 100 } },
        { { DOWN, 4, 12 }, { BEND, 28, 4 }, { BEND, 52, 6 }, { BEND, 50, 28 }, { BEND, 38, 62 }, { BEND, 34, 100 } },
        { { DOWN, 8, 6 }, { TURN, 48, 2 }, { BEND, 44, 50 }, { BEND, 40, 100 } },
    },
    { /* 8: one line, two rings, a narrow one line, a small head */
        { { DOWN, 52, 14 }, { BEND, 28, 0 }, { BEND, 9, 18 }, { BEND, 27, 45 }, { BEND, 52, 72 }, { BEND, 33, 99 }, { BEND, 7, 82 }, { BEND, 25, 52 }, { BEND, 50, 26 }, { BEND, 51, 14 } },
        { { DOWN, 30, 0 }, { BEND, 13, 12 }, { BEND, 14, 34 }, { BEND, 30, 46 }, { BEND, 46, 34 }, { BEND, 47, 12 }, { TURN, 30, 0 },
          { DOWN, 30, 46 }, { BEND, 9, 62 }, { BEND, 9, 88 }, { BEND, 30, 100 }, { BEND, 51, 88 }, { BEND, 51, 62 }, { BEND, 30, 46 } },
        { { DOWN, 44, 10 }, { BEND, 28, 1 }, { BEND, 18, 18 }, { BEND, 30, 44 }, { BEND, 42, 76 }, { BEND, 28, 99 }, { BEND, 14, 80 }, { BEND, 30, 48 }, { BEND, 46, 20 }, { BEND, 40, 6 } },
        { { DOWN, 40, 8 }, { BEND, 28, 4 }, { BEND, 20, 16 }, { BEND, 30, 32 }, { BEND, 55, 64 }, { BEND, 36, 99 }, { BEND, 6, 84 }, { BEND, 14, 54 }, { BEND, 38, 26 }, { BEND, 40, 10 } },
    },
    { /* 9: a straight stem, a curved tail, a bent stem from an open head, a hook */
        { { DOWN, 50, 20 }, { BEND, 30, 2 }, { BEND, 7, 22 }, { BEND, 21, 48 }, { BEND, 46, 34 }, { TURN, 52, 10 }, { BEND, 50, 56 }, { BEND, 46, 100 } },
        { { DOWN, 50, 16 }, { BEND, 28, 1 }, { BEND, 6, 22 }, { BEND, 22, 46 }, { BEND, 46, 34 }, { BEND, 53, 20 }, { BEND, 52, 56 }, { BEND, 38, 91 }, { BEND, 8, 97 } },
        { { DOWN, 46, 6 }, { BEND, 18, 6 }, { BEND, 6, 32 }, { BEND, 28, 48 }, { TURN, 50, 12 }, { BEND, 42, 58 }, { BEND, 26, 100 } },
        { { DOWN, 42, 4 }, { BEND, 16, 10 }, { BEND, 10, 36 }, { BEND, 32, 44 }, { TURN, 48, 8 }, { BEND, 46, 60 }, { BEND, 34, 96 }, { BEND, 12, 88 } },
    },
};

/* A bell-shaped whole number from -spread to spread. */
static int32_t bell(Dice *dice, int spread)
{
    return (dice_range(dice, -spread, spread) + dice_range(dice, -spread, spread) + dice_range(dice, -spread, spread)) / 3;
}

static int choose_way(Dice *dice, int label)
{
    int count = 0;
    while (count < MOST_WAYS && ways[label][count][0].pen != STOP)
        count++;
    return dice_range(dice, 0, count - 1);
}

/* Places the knots on the canvas: jitter, bend, scale, slant, rotate, then move the middle of what came out near the middle of the canvas. */
static int place(Point *point, Dice *dice, const Knot *knots, int32_t radius)
{
    const int32_t height = dice_range(dice, 14 * ONE, 21 * ONE);
    const int32_t width = height * 6 / 10 * dice_range(dice, 60, 130) / 100;
    const int32_t slant = UNIT / 9 + bell(dice, UNIT * 6 / 10), bow = bell(dice, 90);
    const int32_t jitter = dice_range(dice, 20, 90);                            /* tenths of the box's units: a steady hand or a shaky one */
    /* A turn by a, with t = tan(a/2): cos = (1-tt)/(1+tt), sin = 2t/(1+tt); up to 17 degrees. */
    const int32_t t = bell(dice, UNIT * 15 / 100), tt = t * t / UNIT;
    const int32_t cosine = (UNIT - tt) * UNIT / (UNIT + tt), sine = 2 * t * UNIT / (UNIT + tt);

    int count = 0;
    Point least = { INT32_MAX, INT32_MAX }, most = { INT32_MIN, INT32_MIN };
    for (; count < MOST_POINTS && knots[count].pen != STOP; count++) {
        const int32_t u = (2 * knots[count].x - BOX_WIDTH) * 5 + bell(dice, jitter);                /* tenths, from the box's middle */
        const int32_t v = (2 * knots[count].y - BOX_HEIGHT) * 5 + bell(dice, jitter);
        const int32_t bent = u + bow * (v * v / 500 - 250) / 250;                                   /* the middle one way, the ends the other */
        const int32_t x = bent * width / (BOX_WIDTH * 10), y = v * height / (BOX_HEIGHT * 10);
        const int32_t leaning = x - slant * y / UNIT;
        point[count] = (Point){ (leaning * cosine - y * sine) / UNIT, (leaning * sine + y * cosine) / UNIT };
        least.x = point[count].x < least.x ? point[count].x : least.x;
        least.y = point[count].y < least.y ? point[count].y : least.y;
        most.x = point[count].x > most.x ? point[count].x : most.x;
        most.y = point[count].y > most.y ? point[count].y : most.y;
    }
    /* Curves may swing out beyond their points by a pixel, and the pen by its radius: shrink what would touch the canvas' edge. */
    const int32_t room = DIGIT_SIDE * ONE - 2 * radius - 5 * ONE;
    const int32_t extent = most.x - least.x > most.y - least.y ? most.x - least.x : most.y - least.y;
    const int32_t scaled = extent > room ? room : extent, divisor = extent > 0 ? extent : 1;
    const int32_t shift_x = bell(dice, 5 * ONE / 2), shift_y = bell(dice, 5 * ONE / 2);
    for (int i = 0; i < count; i++) {
        point[i].x = (2 * point[i].x - least.x - most.x) * scaled / divisor / 2 + DIGIT_SIDE * ONE / 2 + shift_x;
        point[i].y = (2 * point[i].y - least.y - most.y) * scaled / divisor / 2 + DIGIT_SIDE * ONE / 2 + shift_y;
    }
    return count;
}

/* One coordinate of the Catmull-Rom curve from b to c, at k/PIECES of the way. */
static int32_t curve(int32_t a, int32_t b, int32_t c, int32_t d, int32_t k)
{
    const int32_t p = PIECES;
    return (2 * b * p * p * p + (c - a) * k * p * p + (2 * a - 5 * b + 4 * c - d) * k * k * p + (3 * b - a - 3 * c + d) * k * k * k) / (2 * p * p * p);
}

/* Lowers `distance` (squared, per pixel) to what it is from the straight line a-b, where that is near enough to matter. */
static void draw_line(int64_t *distance, Point a, Point b, int32_t reach)
{
    const int32_t left = (a.x < b.x ? a.x : b.x) - reach, right = (a.x > b.x ? a.x : b.x) + reach;
    const int32_t top = (a.y < b.y ? a.y : b.y) - reach, bottom = (a.y > b.y ? a.y : b.y) + reach;
    const int64_t dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    for (int32_t row = top < 0 ? 0 : top / ONE; row < DIGIT_SIDE && row * ONE <= bottom; row++)
        for (int32_t column = left < 0 ? 0 : left / ONE; column < DIGIT_SIDE && column * ONE <= right; column++) {
            const int64_t x = column * ONE + ONE / 2 - a.x, y = row * ONE + ONE / 2 - a.y;
            const int64_t along = x * dx + y * dy, across = x * dy - y * dx;
            int64_t d;
            if (along <= 0)
                d = x * x + y * y;
            else if (along >= length)
                d = (x - dx) * (x - dx) + (y - dy) * (y - dy);
            else
                d = across * across / length;
            int64_t *best = distance + row * DIGIT_SIDE + column;
            if (d < *best)
                *best = d;
        }
}

static void draw_strokes(int64_t *distance, const Point *point, const Knot *knots, int count, int32_t reach)
{
    for (int i = 1; i < count; i++) {
        if (knots[i].pen == DOWN)
            continue;
        const bool first = knots[i - 1].pen != BEND, last = i + 1 == count || knots[i].pen == TURN || knots[i + 1].pen == DOWN;
        const Point b = point[i - 1], c = point[i], a = first ? b : point[i - 2], d = last ? c : point[i + 1];
        Point from = b;
        for (int k = 1; k <= PIECES; k++) {
            const Point to = { curve(a.x, b.x, c.x, d.x, k), curve(a.y, b.y, c.y, d.y, k) };
            draw_line(distance, from, to, reach);
            from = to;
        }
    }
}

static int32_t square_root(int64_t n)
{
    int64_t root = 0;
    for (int64_t bit = INT64_C(1) << 12; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= n)
            root += bit;
    return (int32_t)root;
}

static void draw(uint8_t *pixels, int label, Dice *dice)
{
    const Knot *knots = ways[label][choose_way(dice, label)];
    const int32_t radius = dice_range(dice, 150, 470), edge = dice_range(dice, 130, 220);           /* pen: 1.2 to 3.7 pixels wide, edge soft */
    const int32_t ink = dice_range(dice, 215, 255), reach = radius + edge;
    Point point[MOST_POINTS];
    const int count = place(point, dice, knots, radius);

    int64_t distance[DIGIT_PIXELS];
    for (int i = 0; i < DIGIT_PIXELS; i++)
        distance[i] = INT64_MAX;
    draw_strokes(distance, point, knots, count, reach);
    for (int i = 0; i < DIGIT_PIXELS; i++) {
        int32_t cover = 0;
        if (distance[i] < (int64_t)reach * reach) {
            cover = reach - square_root(distance[i]);
            cover = cover > 2 * edge ? 2 * edge : cover;
        }
        pixels[i] = (uint8_t)(ink * cover / (2 * edge));
    }
}

void strokes_draw_class(uint8_t *pixels, int label, uint64_t seed, int split, int64_t index)
{
    Dice dice = dice_open(seed, DICE_STROKE + (uint64_t)split, (uint64_t)index);
    (void)dice_bits(&dice);                                                     /* the number that strokes_draw takes the class from */
    draw(pixels, label, &dice);
}

void strokes_draw(uint8_t *pixels, uint8_t *label, uint64_t seed, int split, int64_t index)
{
    Dice dice = dice_open(seed, DICE_STROKE + (uint64_t)split, (uint64_t)index);
    *label = (uint8_t)dice_range(&dice, 0, DIGIT_CLASSES - 1);
    draw(pixels, *label, &dice);
}
