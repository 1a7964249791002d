/* verdict.h -- what the losses of a short training tell: whether they still fall, and the rate at which they fall fastest.  Functions of arrays alone. */
#ifndef SPN_VERDICT_H
#define SPN_VERDICT_H

#include <stdbool.h>

/* How often --overfit-one-batch looks, in steps, and when it ends. */
enum { LOOK = 100, STEPS_MOST = 40000 };

/* least[k]: the least loss so far, above what the targets leave of it, at the look k = 0, 1, ... after (k + 1) LOOK steps.  False if at the last of
 * them, of number `looks` - 1, it is hardly below what it was after half as many steps; true of the first four. */
bool still_falls(const double *least, int looks);

/* The rates of --lr-find, a row that grows by the same factor, and the loss at each. */
enum { DECADES = 8, PER_DECADE = 20, POINTS = DECADES * PER_DECADE + 1 };
typedef struct { double rate, loss, smooth; } Point;

/* The mean of losses, weighted towards the latest, without bias: the loss of points[count - 1] into its `smooth`, those before it have theirs. */
void point_smooth(Point *points, int count);
/* Does the loss come below `same`, the least that one answer for every example gives, by more than chance?  If not, what fell was the error of the first
 * weights, and nothing was learnt from the inputs. */
bool rate_learns(const Point *points, int count, double same);
/* Where the smoothed loss falls most from one third of a decade to the next, between the rate from which on it is below the losses at the smallest rates
 * by more than their noise, and the one where it has come near its least.  0 if it never falls by more than that noise and a twentieth of those losses,
 * or is least among the smallest rates. */
double rate_suggested(const Point *points, int count);

#endif
