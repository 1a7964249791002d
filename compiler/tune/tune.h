/* tune.h -- `spnc tune`: measures the choices that are open in a model's schedule. */
#ifndef SPNC_TUNE_H
#define SPNC_TUNE_H

#include "template/tuning.h"

/* Compiles the model with the answers of `t` and builds it in `folder`, quietly; returns false after saying why. */
typedef bool (*TuneBuild)(void *user, Tuning *t, const char *folder);

/* Measures, in a folder of its own below $TMPDIR, and puts the faster choices into `t`; `name` is the program's.  Prints progress and
 * results on stdout.  `cached`: the trainer's objects may come from the user's cache.  Returns an exit status: 0, 1 after a model's own
 * error, 74. */
int tune(Arena *a, Tuning *t, const char *name, bool cached, TuneBuild build, void *user);

/* Removes the folder; for a signal handler that ends the program. */
void tune_interrupted(void);

#endif
