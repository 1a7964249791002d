/* torn.c -- the signal of a read behind the end of a mapped file: says which file it was, and ends the program or lets it go on.
 *
 * To let it go on, the handler lays zeros over the rest of the mapping, and the read is repeated by the processor.  Signals that are of no
 * mapped file keep their meaning. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "run/torn.h"
#include "net.h"
#include "ranks.h"
#include "run/message.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WATCHED_MOST = 256 };

/* data NULL: a free row.  Changed by the main thread only. */
typedef struct { const char *data; size_t size; char *path; int fd; } Watched;

static Watched watched[WATCHED_MOST];
static uintptr_t page;
static bool going_on;
volatile int torn;                             /* number of the row + 1 */

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return;                                /* there is nobody to tell */
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    int before = errno;
    for (int i = 0; i < WATCHED_MOST; i++) {
        uintptr_t from = (uintptr_t)watched[i].data, at = (uintptr_t)info->si_addr, end = from + watched[i].size;
        if (!watched[i].data || at < from || at >= end)
            continue;
        at -= at % page;
        if (going_on && mmap((void *)at, end - at, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
            torn = i + 1;
            errno = before;
            return;
        }
        say(net.name), say(": error: "), say(ranks_name()), say(watched[i].path);
        say(": another program cut this file short while it was in use; write it anew, to another name first.\n");
        _exit(ENVIRONMENT);
    }
    signal(number, SIG_DFL);                   /* the access is repeated, or the sender's wish fulfilled */
    if (info->si_code <= 0)
        raise(number);
}

void torn_watch(const void *data, size_t size, const char *path)
{
    struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };
    int i = 0;
    while (i < WATCHED_MOST && watched[i].data)
        i++;
    if (i == WATCHED_MOST || !data)
        return;
    page = (uintptr_t)sysconf(_SC_PAGESIZE);
    watched[i] = (Watched){ .size = size, .path = strcpy(need_memory(strlen(path) + 1, "a path"), path), .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
    struct stat s;
    if (watched[i].fd >= 0 && (fstat(watched[i].fd, &s) || (size_t)s.st_size != size)) {        /* by now another file has this name */
        close(watched[i].fd);
        watched[i].fd = -1;
    }
    watched[i].data = data;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

void torn_forget(const void *data)
{
    for (int i = 0; data && i < WATCHED_MOST; i++)
        if (watched[i].data == data) {
            watched[i].data = NULL;
            free(watched[i].path);
            if (watched[i].fd >= 0)
                close(watched[i].fd);
        }
}

void torn_go_on(void) { going_on = true; }

int torn_look(void)
{
    struct stat s;
    for (int i = 0; i < WATCHED_MOST && !torn; i++)
        if (watched[i].data && watched[i].fd >= 0 && !fstat(watched[i].fd, &s) && (size_t)s.st_size < watched[i].size)
            torn = i + 1;
    return torn;
}

void torn_fail(const char *more)
{
    fail(ENVIRONMENT, "%s: another program cut this file short while it was in use; write it anew, to another name first.  %s", watched[torn - 1].path, more);
}

void torn_stop(const char *more)
{
    if (torn_look())
        torn_fail(more);
    for (;;)
        ranks_most(0);                         /* the job ends meanwhile */
}
