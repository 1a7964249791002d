/* replay.h -- keeps the batch of a step that went wrong. */
#ifndef SPN_REPLAY_H
#define SPN_REPLAY_H

#include "net.h"

/* Writes weights, examples and random state of the batch to an .npz, for `replay` to run again.  A failure is reported on stderr. */
void replay_dump(const char *path, const Batch *batch);

#endif
