/* checkpoint.h -- one file with everything a run needs to go on: named arrays, a JSON text of facts, and the
 * model it belongs to.  Any truncation and any flipped bit is refused on reading. */
#ifndef SPN_CHECKPOINT_H
#define SPN_CHECKPOINT_H

#include "files/array_file.h"

enum { CHECKPOINT_HASH = 16, CHECKPOINT_TEXT = 16 << 20, CHECKPOINT_BLOCKS = 65536 };

/* Filled by checkpoint_read; all of it is owned, checkpoint_free ends it. */
typedef struct {
    char hash[CHECKPOINT_HASH + 1];            /* model hash: 16 hex digits */
    char *signature;                           /* names and shapes of the parameters, as the writer put it */
    char *facts;                               /* JSON, for json_parse */
    Array *blocks;                             /* in the order written; data 64-byte aligned and writable */
    int count;
} Checkpoint;

/* Writes `path` atomically and durably.  hash: 16 hex digits; signature and facts: up to CHECKPOINT_TEXT bytes each;
 * blocks: any ArrayType but ARRAY_OTHER, names all different.  What the floats are (NaN too) is not its concern. */
bool checkpoint_write(const char *path, const char *hash, const char *signature, const char *facts,
                      const Array *blocks, int count, ArrayError *e);
/* limit: the most bytes the file may have.  Exit code 1: damaged, or no checkpoint; 74: no memory. */
bool checkpoint_read(Checkpoint *c, const char *path, size_t limit, ArrayError *e);
void checkpoint_free(Checkpoint *c);

#endif
