/* temporary.h -- a folder of a test's own, below TMPDIR, or below /tmp without it. */
#ifndef TEST_TEMPORARY_H
#define TEST_TEMPORARY_H

#include <stdio.h>
#include <stdlib.h>

enum { TEMPORARY_ROOM = 256 };

/* Makes it and writes its path to path[TEMPORARY_ROOM]; the caller removes it. */
static inline void temporary_folder(char *path)
{
    const char *root = getenv("TMPDIR");
    if (snprintf(path, TEMPORARY_ROOM, "%s/spnc-test-XXXXXX", root && *root ? root : "/tmp") >= TEMPORARY_ROOM || !mkdtemp(path)) {
        fprintf(stderr, "no folder can be made in %s\n", root ? root : "/tmp");
        abort();
    }
}

#endif
