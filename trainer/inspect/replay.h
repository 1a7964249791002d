/* replay.h -- finds the first operator with a NaN or an infinity: runs a batch again, operator by operator. */
#ifndef SPN_REPLAY_H
#define SPN_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include "net.h"

/* Runs forward and backward of the batch once more on one thread and tests all results of each operator, up to the first NaN or
 * infinity.  True: found; text[size] has operator, line of the model, pass, step, example and element, and the ranges of the operands.
 * False: nothing was found.  The weights must be those of the batch's first run; gradients and values are overwritten. */
bool replay_find(char *text, size_t size, const Batch *batch);

/* Writes weights, examples and random state of the batch to an .npz, for `replay` to run again.  A failure is reported on stderr. */
void replay_dump(const char *path, const Batch *batch);

#endif
