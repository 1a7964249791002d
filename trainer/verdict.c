/* verdict.c -- what the losses of a short training tell, for train --overfit-one-batch and --lr-find. */
#include "verdict.h"

#include <math.h>

/* Any power of the steps falls by the same factor from half of them to all: 1/t to a half, 1/sqrt(t) to 0.7.  What is stuck, or comes near another end
 * than zero, ends at 1.  A fall in a straight line, as from a plateau, needs only a hundredth. */
static const double STILL_FALLS = 0.99;
enum { LOOKS_FIRST = 5 };       /* before, what falls slowly in a straight line is not told from what is stuck */

bool still_falls(const double *least, int looks)
{
    return looks < LOOKS_FIRST || least[looks - 1] <= STILL_FALLS * least[looks / 2 - 1];
}

/* ---- rates -------------------------------------------------------------------------------------------------------- */

static const double SMOOTH = 0.9, FALL = 0.05, ERRORS = 3.5;

void point_smooth(Point *points, int count)
{
    double sum = 0, weight = 0;
    for (int i = 0; i < count; i++) {
        sum = SMOOTH * sum + (1 - SMOOTH) * points[i].loss;
        weight = SMOOTH * weight + (1 - SMOOTH);
    }
    points[count - 1].smooth = sum / weight;
}

/* The standard deviation of the losses of neighbours, by their differences, which a fall of all of them hardly changes. */
static double spread(const Point *points, int count)
{
    double squares = 0;
    for (int i = 1; i < count; i++)
        squares += (points[i].loss - points[i - 1].loss) * (points[i].loss - points[i - 1].loss);
    return count > 1 ? sqrt(squares / (count - 1) / 2) : 0;
}

enum {
    SPAN = PER_DECADE / 3,      /* points over which a fall is measured */
    SETTLED = 10,               /* points from which on the mean is smooth: 1 / (1 - SMOOTH) */
    FIRST = 2 * PER_DECADE      /* points of the smallest rates, which change nothing */
};

/* Standard errors of the mean of the first losses, and of a smoothed one. */
static double noise_of(const Point *points, int first) { return ERRORS * spread(points, first) * sqrt(1.0 / first + (1 - SMOOTH) / (1 + SMOOTH)); }

bool rate_learns(const Point *points, int count, double same)
{
    double least = INFINITY;
    for (int i = SETTLED; i < count; i++)
        least = fmin(least, points[i].smooth);
    return same - least > noise_of(points, count < FIRST ? count : FIRST);
}

double rate_suggested(const Point *points, int count)
{
    const int first = count < FIRST ? count : FIRST;
    double mean = 0, most = 0;
    int least = 0, begin = SETTLED - 1, end, steepest = 0;
    if (count <= SETTLED)
        return 0;
    for (int i = 0; i < first; i++)
        mean += points[i].loss / first;
    const double noise = noise_of(points, first);
    for (int i = SETTLED; i < count; i++)
        if (!least || points[i].smooth < points[least].smooth)
            least = i;
    const double fall = mean - points[least].smooth;
    if (!(fall > fmax(noise, FALL * fabs(mean))) || (least < FIRST && count > FIRST))
        return 0;
    for (int i = SETTLED; i < least; i++)
        if (points[i].smooth >= mean - noise)
            begin = i;
    for (end = begin + 1; end < least && points[end].smooth > points[least].smooth + fmax(noise, fall / 10);)
        end++;
    for (int i = begin + 1; i <= end; i++)
        if (points[i - SPAN].smooth - points[i].smooth > most)
            most = points[i - SPAN].smooth - points[i].smooth, steepest = i;
    return steepest ? fmin(points[steepest].rate, points[least].rate / 3) : points[least].rate / 3;       /* steepest 0: noise hides where it falls */
}
