/* ahead.h -- read-ahead: requests the rows of the coming batches from the kernel before a step needs them. */
#ifndef SPN_AHEAD_H
#define SPN_AHEAD_H

#include "run/data.h"

typedef struct Ahead Ahead;

/* The examples will be read in a shuffled order: a touched page is read alone, without those around it (megabytes, on some disks). */
void ahead_shuffled(const Data *data);

/* Starts a thread that stays some batches in front of training, over the ends of epochs, up to the last of `epochs`.  The order of an
 * epoch, and the images that clutter is cut from, follow from the seed.  NULL where the files are not mapped, or no thread can be started:
 * training then waits for what is not in memory.  `data` must outlive it. */
Ahead *ahead_open(const Data *data, uint64_t seed, int epochs);
/* The step that is about to begin takes the examples from `position` of `epoch`.  Never waits for the disk.  NULL is fine. */
void ahead_move(Ahead *a, int epoch, int64_t position);
void ahead_close(Ahead *a);

#endif
