/* cache.h -- the trainer's objects, compiled once for every net that is built with the same compiler and options. */
#ifndef CACHE_H
#define CACHE_H

#include "spnc.h"

/* make NAME in `folder`, which folder_write has written.  Objects of runtime/ and trainer/ that make would compile come from the user's
 * cache, or are added to it, unless `cached` is false; a cache that cannot be used changes nothing but the time.  One build of a folder
 * waits for another to end.  Returns as child_make, 0 or 74, after the same messages. */
int cache_make(Arena *a, const char *folder, const char *name, bool cached);

#endif
