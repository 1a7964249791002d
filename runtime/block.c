/* block.c -- see block.h.  Pages of 2 MiB: the tiles of a convolution lie far apart, and large pages cause fewer TLB misses. */
#define _DEFAULT_SOURCE
#include "block.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *block_new(size_t bytes)
{
    const size_t large = (size_t)1 << 21, page = bytes >= 2 * large ? large : 4096, size = (bytes / page + 1) * page;
    if (size < bytes)
        return NULL;
    void *p = aligned_alloc(page, size);
    if (!p)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (page == large)
        madvise(p, size, MADV_HUGEPAGE);        /* advice: where it is not taken, small pages do */
#endif
    return memset(p, 0, size);
}
