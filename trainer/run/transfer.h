/* transfer.h -- a training that starts from weights of another: train --init FILE [--only PREFIX,...] [--rename FILE]. */
#ifndef SPN_TRANSFER_H
#define SPN_TRANSFER_H

#include "net.h"
#include "run/field.h"

enum { TRANSFER_PATH = 1024, TRANSFER_ONLY = 512 };

/* Where a run's first weights came from; file "" where the seed alone gave them.  Part of every checkpoint. */
typedef struct {
    char file[TRANSFER_PATH], only[TRANSFER_ONLY];       /* as they were given; only "": all that fits */
    int64_t mark;                              /* CRC-32 of the file, and of --rename's behind it */
} Transfer;

/* *t from the options (NULL: not given), the file's mark included; ends the program on texts that are too long, on a file
 * that cannot be read, and (exit code 2) on `only` or `rename` without `init`. */
void transfer_wanted(Transfer *t, const char *init, const char *only, const char *rename);
/* Lays the file's parameters over the block, which holds the seed's.  With `only`, every parameter of these prefixes must be
 * in the file with its shape; without, whatever has the same name and shape is taken, and at least one must.
 * An array's name is that of a parameter as it stands; or as a line of the file `rename` (NULL: none) says, NAME-THERE NAME-HERE, both
 * of which may be prefixes that end in a dot; or without the `module.` and `_orig_mod.` in front, and the `_l0` behind, of PyTorch.
 * Returns what was taken and what was not, and why, line by line, for free(). */
char *transfer_start(real *block, const Transfer *t, const char *rename);

/* Its rows, an object "init" that is there only if the run began so: into rows[0..TRANSFER_FIELDS); returns how many.  They are part of a
 * checkpoint and of run.json. */
enum { TRANSFER_FIELDS = 3 };
int transfer_fields(Field *rows);
void transfer_write(JsonWriter *w, const Transfer *t);
/* For a resumed run: options given now must equal those it began with.  Ends the program with exit code 1 otherwise. */
void transfer_go_on(const Transfer *recorded, const Transfer *wanted, const char *run);

#endif
