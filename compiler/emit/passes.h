/* passes.h -- facts of the passes; see passes.c.  Facts lie in the model's arena. */
#ifndef SPNC_PASSES_H
#define SPNC_PASSES_H

#include "plan/sums.h"
#include "template/fact.h"

/* Appends the row of a profile; returns its number.  phase: of both passes, counted through; line 0: none; whole: of the whole batch. */
int passes_row(Model *m, Fact *rows, int *count, const char *name, const char *pass, int phase, int line, bool whole, Cost c);
/* The phases of a pass, each with its calls, whose rows are appended to `rows`. */
Fact *passes_fact(Model *m, const List *phases, Fact *rows, int *row_count);
/* What the loss and the counts of errors read after the forward pass, as arguments of ranks_gather. */
Fact *passes_gathers(Model *m, SumShown when);
/* Has the pass a tensor in a thread's scratch? */
bool passes_use_scratch(const List *phases);

#endif
