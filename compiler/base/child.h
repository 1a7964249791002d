/* child.h -- programs that spnc runs: make, and what it built. */
#ifndef SPNC_CHILD_H
#define SPNC_CHILD_H

#include "spnc.h"

/* Runs argv[0] (looked up in PATH) to its end and appends its standard output to `said`; with `errors` its stderr too, which else is
 * spnc's own.  At most 1 MiB is kept.  Returns its exit status (128 + n: signal n), or -1 with errno set if it cannot be started. */
int child_run(const char *const argv[], bool errors, Text *said);

/* Ends the running child with all that it started, and waits for it; for a signal handler. */
void child_stop(void);

/* `make -s OPTION TARGET` in `folder`, as from a shell: the environment of a make that spnc itself runs in is removed.  Returns as
 * child_run with `errors`. */
int child_run_make(const char *folder, const char *option, const char *target, Text *said);

/* make NAME in `folder`, on all cores; its output is shown only if it fails, and then what a build needs.  Returns 0 or 74. */
int child_make(Arena *a, const char *folder, const char *name, const char *needs);

#endif
