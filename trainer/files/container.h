/* container.h -- the bytes of a checkpoint: named arrays, a JSON text of facts, and the model they belong to, in one file.
 * checkpoint.c defines their contents.  Any truncation and any flipped bit is refused on reading. */
#ifndef SPN_CONTAINER_H
#define SPN_CONTAINER_H

#include "files/array_file.h"

enum { CONTAINER_HASH = 16, CONTAINER_TEXT = 16 << 20, CONTAINER_BLOCKS = 65536 };

/* Filled by container_read; all of it is owned, container_free ends it. */
typedef struct {
    char hash[CONTAINER_HASH + 1];             /* model hash: 16 hex digits */
    char *signature;                           /* names and shapes of the parameters, as the writer put it */
    char *facts;                               /* JSON, for json_parse */
    Array *blocks;                             /* in the order written; data 64-byte aligned and writable */
    int count;
} Container;

/* Writes `path` atomically and durably.  hash: 16 hex digits; signature and facts: up to CONTAINER_TEXT bytes each;
 * blocks: any ArrayType but ARRAY_OTHER, names all different.  Any float is written as it is, NaN too. */
bool container_write(const char *path, const char *hash, const char *signature, const char *facts,
                     const Array *blocks, int count, ArrayError *e);
/* limit: the most bytes the file may have.  Exit code 1: damaged, or no checkpoint; 74: no memory. */
bool container_read(Container *c, const char *path, size_t limit, ArrayError *e);
void container_free(Container *c);

#endif
