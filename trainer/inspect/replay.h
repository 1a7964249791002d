/* replay.h -- where a number first went wrong: a batch run again, operator by operator. */
#ifndef SPN_REPLAY_H
#define SPN_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include "net.h"

/* Runs forward and backward of the batch once more on one thread, looking at all that each operator writes, up to the first NaN or
 * infinity.  Then true, and text[size] says operator, line of the model, pass, step, example and element, and the ranges of what went in.
 * False: nothing was found.  The weights must be those the batch was first run with; gradients and values are overwritten. */
bool replay_find(char *text, size_t size, const Batch *batch);

/* Writes weights, examples and random state of the batch to an .npz, for `replay` to run again.  A failure is reported on stderr. */
void replay_dump(const char *path, const Batch *batch);

#endif
