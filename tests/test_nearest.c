/* The nearest known word to a misspelt one, as a trainer and spn-data find it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "files/nearest.h"

static const char *const words[] = { "train", "eval", "predict", "evil" };

Test(nearest, word_is_the_first_of_the_nearest)
{
    cr_assert(eq(str, (char *)nearest_within("trian", words, 4, 2), "train"));
    cr_assert(eq(str, (char *)nearest_within("evxl", words, 4, 2), "eval"), "eval and evil are both one edit away");
    cr_assert(eq(str, (char *)nearest_within("evils", words, 4, 1), "evil"));
    cr_assert(nearest_within("evals", words, 4, 0) == NULL);
    cr_assert(nearest_within("", words, 4, -1) == NULL);
    cr_assert(nearest_within("eval", words, 0, 3) == NULL);
}
