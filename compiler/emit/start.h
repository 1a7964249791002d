/* start.h -- the numbers of a file as a part of the program: what parameters start as. */
#ifndef SPNC_EMIT_START_H
#define SPNC_EMIT_START_H

#include "spnc.h"

/* True if a parameter or a running statistic starts as numbers of a file. */
bool start_given(const Model *m);

/* Fills m->start with NAME_start.c, which NAME-train.c includes, and m->start_numbers with NAME.start: the numbers as reals of the program, one parameter
 * behind the other; up to a megabyte they are in NAME_start.c, and m->start_numbers stays empty. */
void start_write(Model *m);

#endif
