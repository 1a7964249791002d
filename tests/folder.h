/* folder.h -- for tests of files: a folder of their own, gone when the test is over, and failures on demand.
 * io_fail_at(n) makes the nth call through array_io fail with ENOSPC, and every write a short one; io_real() ends it;
 * test_calls counts them.  Include it in one .c file of a program only. */
#ifndef TEST_FOLDER_H
#define TEST_FOLDER_H

#include "files/array_io.h"
#include "temporary.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[TEMPORARY_ROOM];

/* The number of files in the folder, hidden ones included. */
static inline int folder_files(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *f; d && (f = readdir(d));)
        n += strcmp(f->d_name, ".") && strcmp(f->d_name, "..");
    closedir(d);
    return n;
}

static inline void folder_remove(void)
{
    DIR *d = opendir(folder);
    if (!d)
        return;
    for (struct dirent *f; (f = readdir(d));)
        unlink(f->d_name);
    closedir(d);
    rmdir(folder);
}

/* Tests of exit codes end without folder_remove. */
static inline void folder_make(void)
{
    temporary_folder(folder);
    if (chdir(folder) || atexit(folder_remove))
        abort();
}

static inline void file_put(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f))
        abort();
}

/* The bytes of a file, for free(). */
static inline unsigned char *file_get(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END))
        abort();
    *size = (size_t)ftell(f);
    rewind(f);
    unsigned char *data = malloc(*size + 1);
    if (!data || fread(data, 1, *size, f) != *size)
        abort();
    fclose(f);
    return data;
}

/* ---- failures ------------------------------------------------------------------------------------------- */

static ArrayIo real_io;
static int test_calls, test_failing;

static inline int fails_now(void)
{
    errno = ENOSPC;
    return ++test_calls == test_failing;
}

static inline int failing_open(const char *path, int flags, mode_t mode)
{
    return fails_now() ? -1 : real_io.open(path, flags, mode);
}

/* Writes 7 bytes at most: every write is a short one. */
static inline ssize_t failing_write(int fd, const void *data, size_t size)
{
    return fails_now() ? -1 : real_io.write(fd, data, size < 7 ? size : 7);
}

static inline int failing_fsync(int fd)
{
    return fails_now() ? -1 : real_io.fsync(fd);
}

static inline int failing_close(int fd)
{
    int failed = fails_now();                  /* like the real one, it closes even if it fails */
    return real_io.close(fd) || failed ? -1 : 0;
}

static inline int failing_rename(const char *from, const char *to)
{
    return fails_now() ? -1 : real_io.rename(from, to);
}

static inline void *failing_allocate(size_t size)
{
    return fails_now() ? NULL : real_io.allocate(size);
}

static inline void io_real(void)
{
    if (real_io.open)
        array_io = real_io;
}

static inline void io_fail_at(int n)
{
    io_real();
    real_io = array_io;
    array_io = (ArrayIo){ failing_open, failing_write, failing_fsync, failing_close, failing_rename, failing_allocate };
    test_calls = 0;
    test_failing = n;
}

/* Where to find the call that makes a written file durable: the last two, opening the folder and syncing it, come
 * after the rename, and the one after them closes it. */
enum { CALLS_AFTER_RENAME = 3 };

#endif
