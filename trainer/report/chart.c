/* chart.c -- curves over the epochs, twice: as SVG for the page, as pixels for a picture beside it.
 *
 * Both share one Frame: the ranges of the axes, by which values become positions.  Convention: a chart has its own units,
 * 480 x 250, which SVG scales with the page. */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 480, HEIGHT = 250, LEFT = 50, RIGHT = 14, TOP = 10, BOTTOM = 30, TICKS = 12 };

typedef struct {
    double low, high, first, last;             /* of y (its logarithm in a logarithmic chart) and of x */
    double left, top, width, height;           /* where the curves are drawn */
    double tick[TICKS], across[TICKS];
    int ticks, acrosses;
} Frame;

/* Where a value is drawn; NaN: not at all.  A log may hold any number: what is larger than MOST is left out, what is smaller than LEAST is 0, so
 * that no difference of two values overflows, and none that is not 0 vanishes. */
static const double MOST = 1e30, LEAST = 1e-30;

static double level(const Chart *c, double y)
{
    if (!(fabs(y) <= MOST))
        return NAN;
    if (fabs(y) < LEAST)
        return c->logarithmic ? NAN : 0;
    return c->logarithmic ? y > 0 ? log10(y) : NAN : y;
}

/* Multiples of 1, 2 or 5 times a power of ten, at most `most` of them. */
static int even_ticks(double *tick, double low, double high, int most, bool whole)
{
    double step = pow(10, floor(log10((high - low) / most)));
    int count = 0;
    for (int i = 0; (high - low) / step > most || (whole && step < 1); i++)
        step *= i % 3 == 1 ? 2.5 : 2;
    for (double t = ceil(low / step - 1e-9) * step; t <= high + 1e-9 * step && count < TICKS; t += step)
        tick[count++] = fabs(t) < 1e-9 * step ? 0 : t;
    return count;
}

static int decade_ticks(double *tick, double low, double high)
{
    static const double some[] = { 1, 2, 5 };
    int count = 0, dense = high - low < 2.2 ? 3 : 1;
    for (int decade = (int)floor(low); decade <= (int)ceil(high); decade++)
        for (int i = 0; i < dense; i++) {
            double t = decade + log10(some[i]);
            if (t >= low - 1e-9 && t <= high + 1e-9 && count < TICKS)
                tick[count++] = t;
        }
    return count;
}

static Frame frame_of(const Chart *c, double left, double top, double width, double height)
{
    Frame f = { INFINITY, -INFINITY, INFINITY, -INFINITY, left, top, width, height, { 0 }, { 0 }, 0, 0 };
    for (int i = 0; i < c->points; i++) {
        f.first = fmin(f.first, c->x[i]), f.last = fmax(f.last, c->x[i]);
        for (int k = 0; k < c->curve_count; k++) {
            double y = level(c, c->curves[k].y[i]);
            if (isfinite(y))
                f.low = fmin(f.low, y), f.high = fmax(f.high, y);
        }
    }
    if (!(f.low <= f.high))
        f.low = 0, f.high = 1;
    if (!c->logarithmic)
        f.low = fmin(f.low, 0);
    double room = f.high > f.low ? 0.05 * (f.high - f.low) : 0.3;
    f.high += room;
    if (c->logarithmic)
        f.low -= room;
    if (!(f.last > f.first))
        f.first = f.first < INFINITY ? f.first : 0, f.last = f.first + 1;
    f.ticks = c->logarithmic ? decade_ticks(f.tick, f.low, f.high) : even_ticks(f.tick, f.low, f.high, 5, false);
    if (c->logarithmic && f.ticks < 3) {       /* a narrow range: even numbers, at their logarithms */
        f.ticks = even_ticks(f.tick, pow(10, f.low), pow(10, f.high), 5, false);
        for (int i = 0; i < f.ticks; i++)
            f.tick[i] = log10(f.tick[i]);
    }
    f.acrosses = even_ticks(f.across, f.first, f.last, 8, true);
    return f;
}

static double place_x(const Frame *f, double x) { return f->left + f->width * (x - f->first) / (f->last - f->first); }
static double place_y(const Frame *f, double y) { return f->top + f->height * (1 - (y - f->low) / (f->high - f->low)); }

static char *tick_text(char text[32], const Chart *c, double tick)
{
    double v = c->logarithmic ? pow(10, tick) : tick;
    snprintf(text, 32, "%.3g%s", *c->unit ? 100 * v : v, *c->unit ? " %" : "");
    return text;
}

/* ---- SVG ---------------------------------------------------------------------------------------------------------- */

static void curve_svg(Html *h, const Chart *c, const Frame *f, int k)
{
    bool pen = false;
    double before = 0;
    html_put(h, "<path class=\"curve c%d\" d=\"", k);
    for (int i = 0; i < c->points; i++) {
        double y = level(c, c->curves[k].y[i]);
        if (!isfinite(y)) {
            pen = false;
            continue;
        }
        if (pen && c->steps)
            html_put(h, "L%.1f %.1f", place_x(f, c->x[i]), before);
        html_put(h, "%c%.1f %.1f", pen ? 'L' : 'M', place_x(f, c->x[i]), before = place_y(f, y));
        pen = true;
    }
    html_put(h, "\"/>\n");
    for (int i = 0; i < c->points; i++) {      /* a dot where there are few, and a text to point at everywhere */
        double y = level(c, c->curves[k].y[i]), value = c->curves[k].y[i];
        if (isfinite(y))
            html_put(h, "<circle class=\"dot c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"><title>epoch %g: %s %.4g%s</title></circle>", k,
                     place_x(f, c->x[i]), place_y(f, y), c->points <= 40 && !c->steps ? "2.2" : "0.1", c->x[i], c->curves[k].name,
                     *c->unit ? 100 * value : value, *c->unit ? " %" : "");
    }
    if (k == c->curve_count - 1 && c->mark >= 0 && isfinite(level(c, c->curves[k].y[c->mark])))
        html_put(h, "<circle class=\"mark c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\"/>", k, place_x(f, c->x[c->mark]),
                 place_y(f, level(c, c->curves[k].y[c->mark])));
    html_put(h, "\n");
}

void chart_svg(Html *h, const Chart *c)
{
    char text[32];
    Frame f = frame_of(c, LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    html_put(h, "<figure class=\"chart\"><figcaption><b>%s</b>", c->title);
    for (int k = 0; k < c->curve_count && c->curve_count > 1; k++)
        html_put(h, "<span class=\"key\"><i class=\"c%d\"></i>%s</span>", k, c->curves[k].name);
    html_put(h, "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s by epoch\">\n", WIDTH, HEIGHT, c->title);
    for (int i = 0; i < f.ticks; i++) {
        double y = place_y(&f, f.tick[i]);
        html_put(h, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" class=\"end\">%s</text>\n",
                 LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 3.5, tick_text(text, c, f.tick[i]));
    }
    for (int i = 0; i < f.acrosses; i++)
        html_put(h, "<text x=\"%.1f\" y=\"%d\" class=\"mid\">%g</text>", place_x(&f, f.across[i]), HEIGHT - BOTTOM + 16, f.across[i]);
    html_put(h, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, HEIGHT - BOTTOM);
    for (int k = 0; k < c->curve_count; k++)
        curve_svg(h, c, &f, k);
    html_put(h, "</svg></figure>\n");
}

/* ---- pixels --------------------------------------------------------------------------------------------------------- */

void chart_draw(Picture *p, int x, int y, int width, int height, const Chart *c)
{
    static const Colour colours[] = { 0x2f6fde, 0xd9681d, 0x17865c };
    char text[32];
    int left = x + 56, top = y + 30;
    Frame f = frame_of(c, left, top, width - 70, height - 60);
    int at = picture_text(p, left, y + 8, c->title, 1, 0x1c1d20) + 18;
    for (int k = 0; k < c->curve_count && c->curve_count > 1; k++) {
        picture_box(p, at, y + 10, 12, 3, colours[k]);
        at = picture_text(p, at + 16, y + 8, c->curves[k].name, 1, 0x5a5f66) + 14;
    }
    for (int i = 0; i < f.ticks; i++) {
        int line = (int)place_y(&f, f.tick[i]);
        tick_text(text, c, f.tick[i]);
        picture_box(p, left, line, width - 70, 1, 0xe3e3df);
        picture_text(p, left - 6 - (int)strlen(text) * PICTURE_ADVANCE, line - 3, text, 1, 0x5a5f66);
    }
    for (int i = 0; i < f.acrosses; i++) {
        snprintf(text, sizeof text, "%g", f.across[i]);
        picture_text(p, (int)place_x(&f, f.across[i]) - (int)strlen(text) * PICTURE_ADVANCE / 2, y + height - 22, text, 1, 0x5a5f66);
    }
    for (int k = 0; k < c->curve_count; k++)
        for (int i = 0; i < c->points; i++) {
            double to = level(c, c->curves[k].y[i]), from = i ? level(c, c->curves[k].y[i - 1]) : NAN, px = place_x(&f, c->x[i]);
            double before = i ? place_x(&f, c->x[i - 1]) : px;
            if (c->steps && i) {
                picture_line(p, before, place_y(&f, from), px, place_y(&f, from), 1.6, colours[k]);
                before = px;
            }
            picture_line(p, before, place_y(&f, isfinite(from) ? from : to), px, place_y(&f, to), 1.6, colours[k]);
            if (i == c->mark && k == c->curve_count - 1)
                picture_line(p, px, place_y(&f, to), px, place_y(&f, to), 8, colours[k]);
        }
}
