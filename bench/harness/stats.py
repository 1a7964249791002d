"""The statistics of measurements: the median, its interval, the geometric mean.  Every script in bench/ means the same by them."""

import math


def median(values):
    """The middle one of the sorted values, or the mean of the middle two."""
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def median_interval(values, level=0.95):
    """A confidence interval of the median by order statistics, or None where there are too few values for `level` (fewer than 6 for 0.95).

    It reaches from the k-th smallest to the k-th largest value; of the k that cover the median with probability `level` or more, k is the
    largest.  The number of values below the median is binomial (n, 1/2), whatever the distribution is; the values must be independent."""
    n, outside, k = len(values), 0.0, 0
    while True:                                         # outside: the probability that fewer than k + 1 values lie below the median
        outside += math.comb(n, k) / 2 ** n
        if 2 * outside > 1 - level:
            break
        k += 1
    values = sorted(values)
    return (values[k - 1], values[n - k]) if k else None


def geometric(values):
    """The geometric mean of the values that are there, or None if none is."""
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None
