/* ranks.c -- see ranks.h: one process.  In a program built with --mpi the functions of ranks_mpi.c stand in the place of these, which are weak; so
 * the objects of all other files are the same for both. */
#include "ranks.h"

#include <stdlib.h>

#define WEAK __attribute__((weak))

WEAK int ranks_open(void) { return 0; }
WEAK int ranks_can(void) { return 0; }
WEAK int ranks_count(void) { return 1; }
WEAK int ranks_mine(void) { return 0; }
WEAK const char *ranks_name(void) { return ""; }
WEAK int ranks_from(int groups) { return (void)groups, 0; }
WEAK int ranks_to(int groups) { return groups; }
WEAK void ranks_alone(int on) { (void)on; }
WEAK int ranks_most(int value) { return value; }
WEAK void ranks_tell(char *text, size_t size, int rank) { (void)text, (void)size, (void)rank; }
WEAK void ranks_agree(const char *program, const char *text, int failed, int code)
{
    (void)program, (void)text, (void)failed, (void)code;
}
WEAK int ranks_agreed(void) { return 1; }
WEAK void ranks_last(void) {}
WEAK void ranks_exit(int code) { exit(code); }
