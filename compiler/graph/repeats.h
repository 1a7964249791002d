/* repeats.h -- the steps of the repeat being read: their names, and numbers that follow them. */
#ifndef SPNC_REPEATS_H
#define SPNC_REPEATS_H

#include "formula/formula.h"
#include "graph/model.h"

/* Sets m->step_names and the like for b->repeat: called when a repeat begins and ends. */
void steps_name(Builder *b);
/* The repeat of a number in m->step_repeats. */
Repeat *step_repeat(Builder *b, int number);
/* The repeats in the entries of `body` (NULL: none), those in each other included. */
int repeats_in(const Yaml *body);
/* `name:` and `reverse:` of the repeat r, whose map is y.  False after errors. */
bool repeat_named(Builder *b, Repeat *r, const Yaml *y);
/* True if a repeat of that many steps, whose map is y, may stand in b->repeat (NULL: in none); else an error. */
bool repeat_fits(Builder *b, const Yaml *y, int steps);
/* `step:` of a repeat (NULL: none): a second name of its step, in *name.  False after an error. */
bool step_read(Builder *b, const Yaml *y, const char **name);
/* The value of a formula's operand that is a number of the step: a constant for each step, reckoned in double and rounded once.  False after errors. */
bool step_number(Builder *b, const Formula *f, int operand, const char *path, Use *out);

#endif
