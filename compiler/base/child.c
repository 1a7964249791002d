/* child.c -- runs one program at a time and keeps its output.
 *
 * In: argv.  Out: exit status and output.  The one convention: the child leads a process group of its own, and a signal goes to the whole
 * group (make, compilers, their children).  If only gcc's driver got it, the compiler proper could write its temporary file after the
 * driver removed it. */
#define _GNU_SOURCE
#include "base/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAID_MOST = 1 << 20 };

static volatile pid_t child;

void child_stop(void)
{
    pid_t group = child;
    if (group <= 0 || kill(-group, SIGTERM))
        return;
    waitpid(group, NULL, 0);                        /* make removes what it has not finished */
    for (int i = 0; i < 200 && kill(-group, 0) == 0; i++)
        poll(NULL, 0, 5);                           /* until the last of them has gone */
}

int child_run(const char *const argv[], bool errors, Text *said)
{
    int ends[2];
    if (pipe(ends))
        return -1;
    child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    if (child == 0) {
        setpgid(0, 0);
        close(ends[0]);
        dup2(ends[1], 1);
        if (errors)
            dup2(ends[1], 2);
        execvp(argv[0], (char **)argv);
        fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    setpgid(child, child);                          /* parent and child both call it: the order of their start is open */
    close(ends[1]);
    char piece[4096];
    for (ssize_t got; (got = read(ends[0], piece, sizeof piece)) > 0 || (got < 0 && errno == EINTR);)
        if (got > 0 && said->length + (size_t)got < SAID_MOST)
            text_add(said, piece, (size_t)got);
    close(ends[0]);
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    child = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int child_run_make(const char *folder, const char *option, const char *target, Text *said)
{
    unsetenv("MAKEFLAGS");
    unsetenv("MFLAGS");
    unsetenv("MAKELEVEL");
    return child_run((const char *const[]){ "make", "-s", option, "-C", folder, target, NULL }, true, said);
}

int child_make(Arena *a, const char *folder, const char *name, const char *needs)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const char *jobs = arena_printf(a, "-j%ld", cores > 1 ? cores : 1);
    Text said = { .arena = a };
    int status = child_run_make(folder, jobs, name, &said);
    if (status == 0)
        return 0;
    if (status < 0)
        fprintf(stderr, "spnc: make: cannot start: %s\n", strerror(errno));
    fwrite(said.text ? said.text : "", 1, said.length, stderr);
    fprintf(stderr, "spnc: %s: the C compiler failed; its messages are above (it needs %s)\n", folder, needs);
    return 74;
}
