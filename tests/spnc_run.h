/* spnc_run.h -- runs a program with its arguments and keeps its output; for the tests of the command line.
 *
 * The program is spnc (environment variable SPNC, build/spnc without it) or any other; tests run in the repository's root. */
#ifndef SPNC_RUN_H
#define SPNC_RUN_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    int status;                       /* exit code, or 128 + the signal that ended it */
    char out[1 << 16], err[1 << 16];  /* the beginning of what it wrote */
} Run;

static inline const char *spnc_path(void)
{
    const char *path = getenv("SPNC");
    return path && *path ? path : "build/spnc";
}

static inline void run_read(char *into, size_t room, FILE *f)
{
    rewind(f);
    into[fread(into, 1, room - 1, f)] = '\0';
    fclose(f);
}

/* argv ends with NULL; argv[0] is looked up in PATH.  stdout goes to `out_path` if given.  Both streams are files, so nothing blocks. */
static inline Run run_program(const char *const *argv, const char *out_path)
{
    static Run r;
    FILE *out = tmpfile(), *err = tmpfile();
    r = (Run){ .status = -1 };
    if (!out || !err)
        return r;
    pid_t child = fork();
    if (child == 0) {
        int to = out_path ? open(out_path, O_WRONLY) : fileno(out);
        dup2(to, 1);
        dup2(fileno(err), 2);
        execvp(argv[0], (char *const *)(void *)argv);
        _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    r.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    run_read(r.out, sizeof r.out, out);
    run_read(r.err, sizeof r.err, err);
    return r;
}

#define SPNC_RUN(...) run_program((const char *const[]){ spnc_path(), __VA_ARGS__, NULL }, NULL)

#endif
