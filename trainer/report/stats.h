/* stats.h -- the confidence interval of a share of errors, and a test whether two nets differ on the same examples. */
#ifndef SPN_STATS_H
#define SPN_STATS_H

#include <stdint.h>

/* Wilson's score interval, 95 %, for `wrong` of `all`; shares from 0 to 1; all 0 gives 0 to 1. */
void wilson(double *low, double *high, int64_t wrong, int64_t all);

/* McNemar's test, two-sided: `first` and `second` count the questions that only the first or only the second net got
 * wrong.  The p-value that they are equally good: exact (binomial) up to MCNEMAR_EXACT such questions, above it by chi
 * square with Edwards' correction. */
enum { MCNEMAR_EXACT = 1000 };
double mcnemar(int64_t first, int64_t second);

#endif
