/* message.c -- errors, warnings and the clock of a trainer.
 *
 * A fatal error ends the program here, in one place, with one line that names the path, what was
 * expected, what was found and what to do.  Memory is not freed; the operating system does that. */
#define _POSIX_C_SOURCE 200809L
#include "run/message.h"
#include "files/nearest.h"
#include "files/text.h"
#include "net.h"
#include "ranks.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int kept_in = -1;                       /* the folder of message_keep */
static struct { jmp_buf back; char *text; size_t room; bool on; } attempted;
static struct { void (*act)(void *); void *of; } first_act;

/* The message as one text without control characters, which the caller frees; NULL if memory is out. */
static char *text_of(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    const size_t room = TEXT_GROWS * (size_t)(n < 0 ? 0 : n) + 1;
    char *text = n < 0 ? NULL : malloc((size_t)n + 1), *shown = text ? malloc(room) : NULL;
    if (shown) {
        vsnprintf(text, (size_t)n + 1, format, again);
        text_shown(shown, room, text, "\n");
    }
    va_end(again);
    free(text);
    return shown;
}

void tell_text(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_of(format, args);
    va_end(args);
    fputs(text ? text : "", stdout);
    free(text);
}

void message_keep(int folder)
{
    kept_in = folder;
}

void message_forget(void)
{
    if (kept_in >= 0)
        unlinkat(kept_in, MESSAGES, 0);
}

/* A line of the run's list of messages.  A disk that is full takes none, and has been named already. */
static void keep(const char *kind, const char *text)
{
    const int fd = kept_in < 0 ? -1 : array_io_open_regular(kept_in, MESSAGES, O_WRONLY | O_CREAT | O_APPEND);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "a");
    if (!f)
        return;
    fprintf(f, "%s: ", kind);
    for (; *text; text++)
        fputc(*text == '\n' ? ' ' : *text, f);
    fputc('\n', f);
    fclose(f);
}

void message_also(const char *kind, const char *text)
{
    if (!ranks_mine())
        keep(kind, text);
}

bool attempt(void (*act)(void *), void *of, char *text, size_t room)
{
    attempted.text = text, attempted.room = room;
    attempted.on = true;
    if (setjmp(attempted.back) == 0) {
        act(of);
        attempted.on = false;
        return true;
    }
    attempted.on = false;
    return false;
}

void message_before(void (*act)(void *), void *of)
{
    first_act.act = act, first_act.of = of;
}

/* At the start all ranks of a job hear of it, and the first prints it once if all have the same trouble; later the rank itself does,
 * and the job ends. */

void fail(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_of(format, args);
    va_end(args);
    if (attempted.on) {
        snprintf(attempted.text, attempted.room, "%s", text ? text : format);
        free(text);
        longjmp(attempted.back, 1);
    }
    void (*act)(void *) = first_act.act;
    first_act.act = NULL;
    if (act)
        act(first_act.of);
    fflush(stdout);
    if (!ranks_agreed())
        ranks_agree(net.name, text ? text : format, 1, code);
    fprintf(stderr, "%s: error: %s%s\n", net.name, ranks_name(), text ? text : format);
    message_also("error", text ? text : format);
    ranks_exit(code);
}

void fail_array(const ArrayError *e) { fail(e->exit_code, "%s", e->text); }

void warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_of(format, args);
    va_end(args);
    fflush(stdout);
    if (!ranks_mine())                         /* the others have the same to say */
        fprintf(stderr, "%s: warning: %s\n", net.name, text ? text : format);
    message_also("warning", text ? text : format);
    free(text);
}

void *need_memory(size_t bytes, const char *what)
{
    void *p = calloc(bytes ? bytes : 1, 1);
    if (!p)
        fail(ENVIRONMENT, "no memory for %s (%zu bytes)", what, bytes);
    return p;
}

const char *nearest_text(const char *before, const char *word, const char *const *words, int count, const char *after)
{
    const char *near = nearest_within(word, words, count, 1 + (int)strlen(word) / 3);      /* farther than this is another word, not a slip */
    if (!near)
        return "";
    size_t n = strlen(before) + strlen(near) + strlen(after) + 1;
    char *text = need_memory(n, "a message");
    snprintf(text, n, "%s%s%s", before, near, after);
    return text;
}

double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
