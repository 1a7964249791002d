/* log.c -- a growing text file that loses no line: bytes that could not be written stay in memory until a later write.
 *
 * A checkpoint keeps `written` and `rest`: a resumed run cuts the file to the length `written` and appends `rest`. */
#define _DEFAULT_SOURCE
#include "run/log.h"
#include "run/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void log_open(Log *log, const char *path, int64_t bytes, const char *rest)
{
    struct stat s;
    *log = (Log){ .written = bytes, .room = 1 };
    if ((size_t)snprintf(log->path, sizeof log->path, "%s", path) >= sizeof log->path)
        fail(WRONG_INPUT, "%s: the path is too long", path);
    const char *name = path;
    int at = array_io_at(&name);
    log->fd = array_io_open_regular(at, name, O_WRONLY | O_CREAT | O_APPEND);
    if (log->fd < 0 && errno == ENOTSUP)
        fail(WRONG_INPUT, "%s: expected a regular file or none, got a pipe or a device; remove it", path);
    if (log->fd < 0 || fstat(log->fd, &s) || (s.st_size > bytes && ftruncate(log->fd, (off_t)bytes)))
        fail(ENVIRONMENT, "%s: cannot be opened for writing: %s", path, strerror(errno));
    if (s.st_size < bytes) {
        warn("%s: lines are missing: %lld bytes where the checkpoint knows of %lld", path, (long long)s.st_size, (long long)bytes);
        log->written = s.st_size;
    }
    log->rest = need_memory(log->room, path);
    log_add(log, rest ? rest : "");
}

void log_open_nowhere(Log *log)
{
    *log = (Log){ .path = "/dev/null", .room = 1, .fd = open("/dev/null", O_WRONLY | O_CLOEXEC) };
    if (log->fd < 0)
        fail(ENVIRONMENT, "%s: cannot be opened for writing: %s", log->path, strerror(errno));
    log->rest = need_memory(log->room, log->path);
    *log->rest = '\0';
}

void log_add(Log *log, const char *text)
{
    size_t used = strlen(log->rest), more = strlen(text);
    if (used + more >= log->room) {
        log->room = 2 * (used + more + 1);
        char *grown = need_memory(log->room, log->path);
        memcpy(grown, log->rest, used);
        free(log->rest);
        log->rest = grown;
    }
    memcpy(log->rest + used, text, more + 1);
}

bool log_flush(Log *log, ArrayError *e)
{
    while (*log->rest) {
        ssize_t n = array_io.write(log->fd, log->rest, strlen(log->rest));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return array_fail(e, ENVIRONMENT, log->path, "cannot be written: %s", strerror(n ? errno : EIO));
        log->written += n;
        memmove(log->rest, log->rest + n, strlen(log->rest + n) + 1);
    }
    return !array_io.fsync(log->fd) || errno == EINVAL || array_fail(e, ENVIRONMENT, log->path, "cannot be synced: %s", strerror(errno));
}

void log_close(Log *log)
{
    close(log->fd);
    free(log->rest);
}
