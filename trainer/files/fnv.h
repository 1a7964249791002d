/* fnv.h -- FNV-1a, 64 bits (Fowler, Noll, Vo): a sum that tells files and names apart, no protection against intent. */
#ifndef SPN_FNV_H
#define SPN_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_START 0xcbf29ce484222325u            /* the sum of no bytes */

/* The sum of what h is the sum of, and of n more bytes. */
static inline uint64_t fnv(uint64_t h, const void *bytes, size_t n)
{
    for (const unsigned char *c = bytes, *end = c + n; c < end; c++)
        h = (h ^ *c) * 0x100000001b3u;
    return h;
}

#endif
