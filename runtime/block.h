/* block.h -- the large memory of a net: zeroed, page-aligned, on large pages where the system has them. */
#ifndef SPN_BLOCK_H
#define SPN_BLOCK_H

#include <stddef.h>
#include <string.h>

/* At least `bytes` bytes of zeros, aligned to a page; free() ends them.  NULL when memory is out. */
void *block_new(size_t bytes);

/* Called by all threads of a team.  A build with -DSPN_POISON, for tests, fills a block with NaN here, so that a read of an
 * element never written shows in the results.  Otherwise it does nothing. */
static inline void block_poison(void *block, size_t bytes)
{
#ifdef SPN_POISON
    #pragma omp single
    memset(block, 0xff, bytes);
#else
    (void)block, (void)bytes;
#endif
}

#endif
