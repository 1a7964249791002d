/* test_stats.c -- Wilson's interval and McNemar's test against numbers worked out with scipy and statsmodels. */
#include "report/stats.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

static int near(double a, double b) { return fabs(a - b) <= 1e-9 + 1e-7 * fabs(b); }

Test(stats, wilson_agrees_with_statsmodels)
{
    double low, high;
    wilson(&low, &high, 10, 100);
    cr_assert(near(low, 0.0552291370606751) && near(high, 0.1743656615079475), "%.16g %.16g", low, high);
    wilson(&low, &high, 1087, 30000);
    cr_assert(low < 1087 / 30000.0 && high > 1087 / 30000.0 && high - low < 0.0044, "%.16g %.16g", low, high);
}

Test(stats, wilson_at_the_borders_stays_within_shares)
{
    double low, high;
    wilson(&low, &high, 0, 10);
    cr_assert(low == 0 && near(high, 0.2775327998628892), "%.16g", high);
    wilson(&low, &high, 10, 10);
    cr_assert(high == 1 && near(low, 0.7224672001371107), "%.16g", low);
    wilson(&low, &high, 0, 0);
    cr_assert(low == 0 && high == 1);
}

Test(stats, mcnemar_is_exact_for_few)
{
    cr_assert(near(mcnemar(0, 5), 0.0625));
    cr_assert(near(mcnemar(5, 0), 0.0625));
    cr_assert(near(mcnemar(2, 8), 0.109375));
    cr_assert(mcnemar(0, 0) == 1 && mcnemar(7, 7) == 1 && mcnemar(1, 0) == 1);
}

Test(stats, mcnemar_of_many_goes_on_where_the_exact_one_ends)
{
    double exact = mcnemar(460, MCNEMAR_EXACT - 460), many = mcnemar(460, MCNEMAR_EXACT + 1 - 460);
    cr_assert(exact > many && exact - many < 0.002, "%g %g", exact, many);
    cr_assert(mcnemar(1000000, 1000) >= 0 && mcnemar(1000000, 1000) < 1e-300);
}
