/* array_io.c -- errors, a file as memory, and a file that appears whole or not at all.
 * A writer fills a temporary in the target's folder (O_EXCL, mode 0666 less umask), then: write, fsync, close,
 * rename, fsync of the folder.  A crash at any point leaves the old file or the new one, never a mixture.
 * Whatever fails before the rename also unlinks the temporary.
 * Convention: an error of writing has exit code 74, an error of reading 1. */
#define _DEFAULT_SOURCE
#include "files/array_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are little endian and are read without swapping");
_Static_assert(sizeof(size_t) == 8, "file sizes are kept in size_t");

enum { BUFFER = 1 << 16, PATH_SHOWN = 200, TRIES = 1000 };

/* ---- errors ------------------------------------------------------------------------------------------- */

bool array_fail(ArrayError *e, int exit_code, const char *path, const char *format, ...)
{
    if (!e)
        return false;
    size_t length = strlen(path);
    bool cut = length > PATH_SHOWN;
    int used = snprintf(e->text, sizeof e->text, "%s%s: ", cut ? "..." : "", cut ? path + length - PATH_SHOWN : path);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(e->text + used, sizeof e->text - (size_t)used, format, arguments);
    va_end(arguments);
    for (char *c = e->text; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127)
            *c = '?';
    e->exit_code = exit_code;
    return false;
}

static bool fail_writing(ArrayError *e, const char *path, const char *what, int error)
{
    const char *hint = error == ENOSPC || error == EDQUOT ? "; free some space, the old file (if any) is untouched"
                     : error == EACCES || error == EROFS || error == EPERM ? "; choose a folder that you may write to"
                     : error == ENOENT || error == ENOTDIR ? "; make its folder first" : "";
    return array_fail(e, 74, path, "cannot %s: %s%s", what, strerror(error), hint);
}

/* ---- the calls that tests replace ------------------------------------------------------------------------ */

static struct { const char *path; size_t length; int fd; } held;

void array_io_hold(const char *path, int fd)
{
    held.path = path, held.fd = fd;
    held.length = path ? strlen(path) : 0;
    while (held.length && path[held.length - 1] == '/')
        held.length--;
}

int array_io_at(const char **path)
{
    const char *rest = *path + held.length;
    if (!held.path || strncmp(*path, held.path, held.length) || (*rest && *rest != '/'))
        return AT_FDCWD;
    rest += strspn(rest, "/");
    *path = *rest ? rest : ".";
    return held.fd;
}

int array_io_open_regular(int at, const char *name, int flags)
{
    struct stat status;
    const int fd = openat(at, name, flags | O_CLOEXEC | O_NONBLOCK, 0666);     /* a pipe that is opened for writing: ENXIO, or no regular file */
    if (fd < 0) {
        if (errno == ENXIO)
            errno = ENOTSUP;
        return -1;
    }
    if (!fstat(fd, &status) && S_ISREG(status.st_mode))
        return fd;
    close(fd);
    errno = ENOTSUP;
    return -1;
}

static int io_open(const char *path, int flags, mode_t mode)
{
    int at = array_io_at(&path);
    return openat(at, path, flags, mode);
}

static int io_rename(const char *from, const char *to)
{
    int at = array_io_at(&from), at_to = array_io_at(&to);
    return renameat(at, from, at_to, to);
}

static void *io_allocate(size_t size)
{
    void *memory;
    return posix_memalign(&memory, 64, size ? size : 1) ? NULL : memory;
}

ArrayIo array_io = { io_open, write, fsync, close, io_rename, io_allocate };

void *array_allocate(const char *path, size_t size, ArrayError *e)
{
    void *memory = array_io.allocate(size);
    if (!memory)
        array_fail(e, 74, path, "no memory for %zu bytes", size);
    return memory;
}

/* ---- a whole file in memory -------------------------------------------------------------------------------- */

static bool fail_reading(ArrayError *e, const char *path, int error)
{
    bool input = error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP || error == ENAMETOOLONG;
    return array_fail(e, input ? 1 : 74, path, "cannot read it: %s", strerror(error));
}

bool array_map_open(ArrayMap *m, const char *path, ArrayError *e)
{
    *m = (ArrayMap){ 0 };
    const char *name = path;
    int at = array_io_at(&name), fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);   /* without O_NONBLOCK a pipe would wait for its writer */
    if (fd < 0)
        return fail_reading(e, path, errno);
    struct stat status;
    void *data = MAP_FAILED;
    bool fine = false;
    if (fstat(fd, &status))
        fail_reading(e, path, errno);
    else if (!S_ISREG(status.st_mode))
        array_fail(e, 1, path, "expected a regular file, got %s",
                   S_ISDIR(status.st_mode) ? "a folder" : "a pipe or a device; save to a file first");
    else if (status.st_size == 0)
        array_fail(e, 1, path, "the file is empty; was its writer interrupted?");
    else if ((data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)
        array_fail(e, 74, path, "cannot map %lld bytes: %s", (long long)status.st_size, strerror(errno));
    else
        fine = true;
    close(fd);
    if (fine)
        *m = (ArrayMap){ data, (size_t)status.st_size };
    return fine;
}

void array_map_close(ArrayMap *m)
{
    if (m->data)
        munmap((void *)m->data, m->size);
    *m = (ArrayMap){ 0 };
}

/* ---- a file that appears whole or not at all --------------------------------------------------------------- */

void array_out_abandon(ArrayOut *o)
{
    if (o->fd >= 0)
        array_io.close(o->fd);
    if (o->temporary) {
        const char *name = o->temporary;
        int at = array_io_at(&name);
        unlinkat(at, name, 0);
    }
    free(o->path);
    free(o->temporary);
    free(o->buffer);
    *o = (ArrayOut){ .fd = -1 };
}

/* The length of the folder's part of a path, with its slash; 0 for a bare name. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Where the link `name` in the folder `at` leads to; NULL with errno. */
static char *follow(int at, const char *name)
{
    char path[4096];
    if (at == AT_FDCWD)
        return realpath(name, NULL);
    if ((size_t)snprintf(path, sizeof path, "/proc/self/fd/%d/%s", at, name) >= sizeof path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    return realpath(path, NULL);
}

/* The name to rename to: the path itself, or what a link points to.  Renaming over a device (/dev/null), a pipe
 * or a folder would destroy or fail, so these are refused first. */
static char *resolve_target(const char *path, ArrayError *e)
{
    struct stat status;
    const char *name = path;
    int at = array_io_at(&name);
    bool there = !fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW);
    char *target = there && S_ISLNK(status.st_mode) ? follow(at, name) : strdup(path);
    if (!target) {
        fail_writing(e, path, "follow the link", errno);
        return NULL;
    }
    if (there && !fstatat(at, name, &status, 0) && !S_ISREG(status.st_mode)) {
        array_fail(e, 74, path, "cannot write it: expected a regular file or none, got %s",
                   S_ISDIR(status.st_mode) ? "a folder" : "a pipe or a device");
        free(target);
        return NULL;
    }
    return target;
}

bool array_out_open(ArrayOut *o, const char *path, ArrayError *e)
{
    static atomic_uint serial;
    *o = (ArrayOut){ .fd = -1 };
    if (!(o->path = resolve_target(path, e)))
        return false;
    size_t folder = folder_length(o->path);
    char *temporary = malloc(folder + 64);
    o->buffer = malloc(BUFFER);
    if (!temporary || !o->buffer) {
        free(temporary);
        array_out_abandon(o);
        return array_fail(e, 74, path, "no memory to write it");
    }
    memcpy(temporary, o->path, folder);
    for (int i = 0; i < TRIES; i++) {          /* a name may be taken by what a crash left behind */
        snprintf(temporary + folder, 64, ".spn-%ld-%u.tmp", (long)getpid(), atomic_fetch_add(&serial, 1));
        o->fd = array_io.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (o->fd >= 0 || errno != EEXIST)
            break;
    }
    if (o->fd >= 0) {
        o->temporary = temporary;
        return true;
    }
    fail_writing(e, path, "create a file beside it", errno);
    free(temporary);
    array_out_abandon(o);
    return false;
}

static bool write_all(ArrayOut *o, const unsigned char *data, size_t size, ArrayError *e)
{
    while (size) {
        ssize_t done = array_io.write(o->fd, data, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            fail_writing(e, o->path, "write", done < 0 ? errno : EIO);
            array_out_abandon(o);
            return false;
        }
        data += done;
        size -= (size_t)done;
    }
    return true;
}

static bool flush(ArrayOut *o, ArrayError *e)
{
    size_t used = o->used;
    o->used = 0;
    return write_all(o, o->buffer, used, e);
}

bool array_out_write(ArrayOut *o, const void *data, size_t size, ArrayError *e)
{
    if (o->fd < 0)
        return false;                          /* failed before, with a message */
    if (size > BUFFER - o->used && !flush(o, e))
        return false;
    if (size >= BUFFER) {
        if (!write_all(o, data, size, e))
            return false;
    } else if (size) {
        memcpy(o->buffer + o->used, data, size);
        o->used += size;
    }
    o->written += size;
    return true;
}

bool array_out_zeros(ArrayOut *o, size_t size, ArrayError *e)
{
    static const unsigned char zeros[64];
    for (; size > sizeof zeros; size -= sizeof zeros)
        if (!array_out_write(o, zeros, sizeof zeros, e))
            return false;
    return array_out_write(o, zeros, size, e);
}

/* Makes the rename durable.  Some file systems cannot sync a folder: EINVAL and ENOTSUP count as success. */
static bool sync_folder(const char *path, ArrayError *e)
{
    size_t length = folder_length(path);
    char *folder = length ? strndup(path, length) : strdup(".");
    int fd = folder ? array_io.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) : -1;
    bool fine = fd >= 0 && (!array_io.fsync(fd) || errno == EINVAL || errno == ENOTSUP);
    if (!fine)
        array_fail(e, 74, path, "written, but its folder cannot be synced: %s", strerror(errno));
    if (fd >= 0)
        array_io.close(fd);
    free(folder);
    return fine;
}

bool array_out_seal(ArrayOut *o, ArrayError *e)
{
    if (o->fd < 0 || !flush(o, e))
        return false;
    bool fine = !array_io.fsync(o->fd) || fail_writing(e, o->path, "sync", errno);
    if (fine) {
        fine = !array_io.close(o->fd) || fail_writing(e, o->path, "close", errno);
        o->fd = -1;
    }
    if (!fine)
        array_out_abandon(o);
    return fine;
}

bool array_out_commit(ArrayOut *o, ArrayError *e)
{
    if (o->fd >= 0 && !array_out_seal(o, e))
        return false;
    bool fine = o->temporary;                  /* else it was not opened, or failed before */
    if (fine && (fine = !array_io.rename(o->temporary, o->path) || fail_writing(e, o->path, "rename to it", errno))) {
        free(o->temporary);
        o->temporary = NULL;
        fine = sync_folder(o->path, e);
    }
    array_out_abandon(o);
    return fine;
}

bool array_check_complete(const char *folder, ArrayError *e)
{
    char path[4096];
    struct stat status;
    if ((size_t)snprintf(path, sizeof path, "%s/" ARRAY_INCOMPLETE, folder) >= sizeof path || stat(path, &status))
        return true;
    return array_fail(e, 1, folder, "spn-data was stopped while it replaced this set, so that new and old files lie side by side; make it again"
                      " with the same command (%s says so)", ARRAY_INCOMPLETE);
}
