/* step.h -- a recurrent net one step at a time, --step of a library. */
#ifndef LOWER_STEP_H
#define LOWER_STEP_H

#include "spnc.h"

/* m->forward becomes one step of the repeat that the outputs depend on; its states become inputs and outputs.  False after an error: what is not a step's own. */
bool one_step(Model *m);

#endif
