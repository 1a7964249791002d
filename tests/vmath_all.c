/* vmath_all.c -- the largest error of a function of vmath.h over all floats, or every STEP-th.
 * usage: vmath_all NAME [STEP]     a line: name, largest error in units of the last place, where.  tests/vmath_all.sh runs it for each. */
#include <stdio.h>
#include <stdlib.h>

#include "vmath_errors.h"

int main(int argc, char **argv)
{
    for (int k = 0; k < VMATH_ROWS; k++)
        if (argc > 1 && strcmp(argv[1], vmath_rows[k].name) == 0) {
            float at = 0;
            double worst = vmath_worst(&vmath_rows[k], 0, argc > 2 ? strtoull(argv[2], NULL, 10) : 1, &at);
            printf("%-8s %.2f at %.9g\n", argv[1], worst, (double)at);
            return worst > vmath_rows[k].bound;
        }
    fprintf(stderr, "usage: vmath_all NAME [STEP]\n");
    return 2;
}
