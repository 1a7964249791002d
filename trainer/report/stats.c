/* stats.c -- Wilson's interval and McNemar's test.
 *
 * Counts in, shares and probabilities out, all in double. */
#include "report/stats.h"

#include <math.h>

void wilson(double *low, double *high, int64_t wrong, int64_t all)
{
    const double z = 1.959963984540054;
    if (all <= 0) {
        *low = 0, *high = 1;
        return;
    }
    double n = (double)all, p = (double)wrong / n, middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    double reach = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    *low = wrong == 0 ? 0 : fmax(0, middle - reach);
    *high = wrong == all ? 1 : fmin(1, middle + reach);
}

double mcnemar(int64_t first, int64_t second)
{
    int64_t n = first + second, few = first < second ? first : second;
    if (n == 0 || first == second)
        return 1;
    if (n > MCNEMAR_EXACT) {
        double d = fabs((double)(first - second)) - 1;
        return erfc(sqrt(d * d / (double)n / 2));              /* chi square with one degree of freedom */
    }
    double sum = 0;
    for (int64_t k = 0; k <= few; k++)
        sum += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) - (double)n * log(2));
    return fmin(1, 2 * sum);
}
