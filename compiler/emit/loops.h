/* loops.h -- the loops over the steps of repeats in the emitted C; texts and facts live in the model's arena. */
#ifndef SPNC_LOOPS_H
#define SPNC_LOOPS_H

#include "spnc.h"

/* C of the variable of r's step (letter "t"), or of its slices (letter "s"). */
const char *loops_variable(Model *m, const char *letter, const Repeat *r);
/* C of the place of r's step among all steps in memory, "t2 * 3 + t", as far as the phase steps through them; "0": it does not. */
const char *loops_step(Model *m, const Phase *p, const Repeat *r);
/* The spaces of a line within so many loops of a function. */
const char *loops_pad(Model *m, int depth);
/* Facts of lines that stand in `open` loops, the innermost `closes` of which end behind them: pad, ends and behind. */
void loops_layout(Model *m, Fact *f, int open, int closes);
/* A loop over the steps of r as a fact: falls: from the last to step 0; depth: of the loops around its line, with the function's own. */
Fact *loops_fact(Model *m, const Repeat *r, bool falls, int depth);
/* The loops that begin with the phase p, the outermost first, and how many end with it; the phases before and after it, NULL: none. */
Fact *loops_opened(Model *m, const Phase *p, const Phase *before);
int loops_closed(const Phase *p, const Phase *after);
/* The steps that a phase of groups has at once, in the order in which they lie in memory. */
Fact *loops_spread(Model *m, const Phase *p);
/* Of a phase of groups the variables of slices that its calls, one a line, name. */
Fact *loops_slices(Model *m, const Phase *p, const char *calls);

#endif
