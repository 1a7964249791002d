/* array_io.h -- used for every file that a trainer reads or writes: errors with an exit code,
 * a file as read-only memory, and a file that appears whole or not at all. */
#ifndef SPN_ARRAY_IO_H
#define SPN_ARRAY_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* An error: "PATH: found, expected; a hint", and its exit code:
 * 1 wrong content, 74 the environment (disk, permission, memory), 70 a bug of the caller. */
typedef struct { char text[512]; int exit_code; } ArrayError;

/* Fills *e (which may be NULL) and returns false, for `return array_fail(...)`.
 * A long path is cut at its front; control characters, which may come from a damaged file, become '?'. */
bool array_fail(ArrayError *e, int exit_code, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- the system calls that fail on a full disk; tests replace them one by one ---------------------- */

typedef struct {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*write)(int fd, const void *data, size_t size);
    int (*fsync)(int fd);
    int (*close)(int fd);
    int (*rename)(const char *from, const char *to);
    void *(*allocate)(size_t size);            /* 64-byte aligned, not cleared, for free(); NULL when memory is out */
} ArrayIo;
extern ArrayIo array_io;

/* Paths of the folder `path`, and of what is in it, mean from now on the folder that the descriptor `fd` holds open, even if it is moved or
 * another one takes its name.  One folder at a time; path NULL: none.  Followed by all of array_io, ArrayMap and ArrayOut. */
void array_io_hold(const char *path, int fd);
/* For openat() and its kin: AT_FDCWD; or the held folder's descriptor, and *path becomes the name in it. */
int array_io_at(const char **path);

/* For a file that is kept open, to append to or to lock: openat() with `flags` and O_CLOEXEC, of a regular file alone: a pipe would wait for its
 * other end.  -1 with errno: what open() says, or ENOTSUP where it is no regular file. */
int array_io_open_regular(int at, const char *name, int flags);

/* array_io.allocate, or NULL with exit code 74 in *e.  A size of 0 gives a pointer too. */
void *array_allocate(const char *path, size_t size, ArrayError *e);

/* ---- a whole file, read-only in memory -------------------------------------------------------------- */

/* The mapping outlives a rename over the file, but not a truncation: files are replaced, never rewritten. */
typedef struct { const unsigned char *data; size_t size; } ArrayMap;

/* Fails on what is missing, unreadable, empty or no regular file (1), or cannot be mapped (74). */
bool array_map_open(ArrayMap *m, const char *path, ArrayError *e);
void array_map_close(ArrayMap *m);

/* ---- several files that appear together ---------------------------------------------------------------- */

/* A file of this name in a folder of data says that files were renamed there one after the other, and not all of them: spn-data makes it
 * before the first rename and removes it after the last. */
#define ARRAY_INCOMPLETE ".spn-incomplete"
/* False, with what to do, if the folder has that file. */
bool array_check_complete(const char *folder, ArrayError *e);

/* ---- a file that appears whole or not at all -------------------------------------------------------- */

/* Bytes go to a temporary name in the folder of `path`; commit makes them durable and renames.  Until then the
 * old file is untouched.  After any failure the temporary is gone and the other calls return false; abandon
 * may be called at any time, also after commit.  A symbolic link is followed: its target is replaced. */
typedef struct {
    int fd;                                    /* -1: not open */
    char *path, *temporary;                    /* owned; path is the resolved name */
    unsigned char *buffer;
    size_t used;
    uint64_t written;                          /* bytes accepted so far */
} ArrayOut;

bool array_out_open(ArrayOut *o, const char *path, ArrayError *e);
bool array_out_write(ArrayOut *o, const void *data, size_t size, ArrayError *e);
bool array_out_zeros(ArrayOut *o, size_t size, ArrayError *e);
bool array_out_commit(ArrayOut *o, ArrayError *e);
/* The first half of commit: all bytes are durable under the temporary name; commit then only renames. */
bool array_out_seal(ArrayOut *o, ArrayError *e);
void array_out_abandon(ArrayOut *o);

#endif
