/* message.c -- errors, warnings and the clock of a trainer.
 *
 * A command that cannot go on ends the program here, in one place, with one line that names the path, what was
 * expected, what was found and what to do.  The operating system takes the memory back. */
#define _POSIX_C_SOURCE 200809L
#include "run/message.h"
#include "net.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void say(const char *kind, const char *format, va_list args)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s: ", net.name, kind);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void fail(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("error", format, args);
    va_end(args);
    exit(code);
}

void fail_array(const ArrayError *e) { fail(e->exit_code, "%s", e->text); }

void warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("warning", format, args);
    va_end(args);
}

void *need_memory(size_t bytes, const char *what)
{
    void *p = calloc(bytes ? bytes : 1, 1);
    if (!p)
        fail(ENVIRONMENT, "no memory for %s (%zu bytes)", what, bytes);
    return p;
}

/* Levenshtein's distance, one row at a time; words longer than a row are simply far away. */
static int distance(const char *a, const char *b)
{
    enum { ROW = 128 };
    int row[ROW + 1];
    size_t n = strlen(b);
    if (n > ROW)
        return ROW;
    for (size_t j = 0; j <= n; j++)
        row[j] = (int)j;
    for (size_t i = 0; a[i]; i++) {
        int diagonal = row[0];
        row[0] = (int)i + 1;
        for (size_t j = 0; j < n; j++) {
            int best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            best = best < row[j] + 1 ? best : row[j] + 1;
            row[j + 1] = best < diagonal + 1 ? best : diagonal + 1;
        }
    }
    return row[n];
}

const char *nearest_word(const char *word, const char *const *words, int count)
{
    const char *nearest = NULL;
    int best = 2 + (int)strlen(word) / 3;          /* farther than this is another word, not a slip */
    for (int i = 0; i < count; i++) {
        int d = distance(word, words[i]);
        if (d < best)
            best = d, nearest = words[i];
    }
    return nearest;
}

double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
