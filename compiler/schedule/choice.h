/* choice.h -- an operator's choices, and their answers from the tuning file. */
#ifndef SPNC_CHOICE_H
#define SPNC_CHOICE_H

#include "schedule/schedule.h"

/* One operator that is being scheduled. */
typedef struct {
    Model *m;
    Op *op;
    OpSchedule *s;
    Machine on;
    const char *key;                     /* of its questions to the tuning file */
} Work;

/* The index of the choice to take: the tuning's answer to `what`, or 0. */
int schedule_ask(Work *w, const char *what, const List *choices);
/* The best tile, or the one that was measured to be faster. */
Tile schedule_tile(Work *w, const char *what, TileWork t);

/* Slices that an operator works on: groups, times the steps of a repeat if it runs for all steps at once. */
int schedule_slices(const Model *m, const Op *op);
/* "2x8x8, 16 -> 4x6x6": what a forward operator reads and writes. */
const char *schedule_shapes(Model *m, const Op *op);
/* All that decides the speed of a forward operator's functions, in one line; its backward operators may be NULL.  slices: schedule_slices of the
 * operator, of which op may be a copy. */
const char *schedule_key(Model *m, const Op *op, int slices, const Op *backward, const Op *weights);

#endif
