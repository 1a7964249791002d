/* block.h -- the large memory of a net: zeroed, page-aligned, on large pages where the system has them. */
#ifndef SPN_BLOCK_H
#define SPN_BLOCK_H

#include <stddef.h>

/* At least `bytes` bytes of zeros, aligned to a page; free() ends them.  NULL when memory is out. */
void *block_new(size_t bytes);

#endif
