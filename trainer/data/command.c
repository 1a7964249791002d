/* command.c -- shared by the commands of spn-data: error messages, options, folders, files, and the clean-up on a signal.
 *
 * Functions return an exit code, after a message on stderr.  A signal removes the temporary files and
 * the folders made for them, so that no half-written file stays. */
#define _POSIX_C_SOURCE 200809L
#include "data/command.h"
#include "files/nearest.h"
#include "files/text.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPORARIES = 2 * SPLITS };
const char *const split_names[SPLITS] = { "train", "valid", "test" };

int complain(int code, const char *format, ...)
{
    char text[PATH_MAX + 2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "spn-data: %s\n", text_clean_name(text));
    return code;
}

void tell(const char *format, ...)
{
    char text[PATH_MAX + 2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fputs(text_clean(text), stdout);
}

int complain_array(const ArrayError *e)
{
    return complain(e->exit_code, "%s", e->text);
}

/* ---- what a signal has to take back --------------------------------------------------------------- */

/* Names in fixed memory, since a handler may call little more than unlink and rmdir. */
static char temporaries[TEMPORARIES][PATH_MAX], folders[16][PATH_MAX];
static volatile sig_atomic_t temporary_count, folder_count;

void take_back(void)
{
    for (int i = 0; i < temporary_count; i++)
        unlink(temporaries[i]);
    for (int i = folder_count; i-- > 0;)
        rmdir(folders[i]);                                                      /* of those we made, only the empty ones go */
}

static void on_signal(int number)
{
    take_back();
    _exit(128 + number);
}

void hold_signals(bool hold)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

void set_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN }, before;
    const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    for (int i = 0; i < 3; i++)
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)              /* nohup stays nohup */
            sigaction(numbers[i], &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);                                          /* writes then fail, and are reported */
    sigaction(SIGXFSZ, &ignore, NULL);
}

/* Makes `path` and the folders above it that are missing. */
int make_folder(const char *path)
{
    char part[PATH_MAX];
    const size_t length = strlen(path);
    if (length == 0 || length >= PATH_MAX - 64)
        return complain(WRONG_USAGE, "-o: expected the name of a folder, got %zu characters", length);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        struct stat st;
        if (stat(part, &st) == 0) {
            if (!S_ISDIR(st.st_mode))
                return complain(ENVIRONMENT, "%s: expected a folder to write to, got a file; choose another with -o", part);
            continue;
        }
        hold_signals(true);
        const int failed = mkdir(part, 0777), error = errno;
        if (!failed && folder_count < 16) {
            memcpy(folders[folder_count], part, i + 1);
            folder_count = folder_count + 1;
        }
        hold_signals(false);
        if (failed && error != EEXIST)
            return complain(ENVIRONMENT, "%s: cannot make this folder: %s; choose another with -o", part, strerror(error));
    }
    return FINE;
}

/* ---- the command line ------------------------------------------------------------------------------ */

int complain_unknown(const char *kind, const char *word, const char *const *words, int count)
{
    const int length = (int)strlen(word);
    const char *near = nearest_within(word, words, count, length <= 3 ? length - 1 : 3);
    if (near)
        return complain(WRONG_USAGE, "unknown %s \"%s\"; did you mean \"%s\"?", kind, word, near);
    return complain(WRONG_USAGE, "unknown %s \"%s\"; see spn-data --help", kind, word);
}

static void print_help(const Command *c)
{
    printf("usage: spn-data %s%s%s [options]\n%s", c->name, c->operand ? " " : "", c->operand ? c->operand : "", c->about);
    for (int i = 0; i < c->option_count; i++)
        option_print(&c->options[i], 17, "");
}

static int complain_option(const Option *o, const OptionError *e)
{
    if (e->fault == OPTION_TAKES_NONE)
        return complain(WRONG_USAGE, "%s takes no value, got \"%s\"", o->name, e->value);
    if (!e->value || !*e->value)
        return complain(WRONG_USAGE, "%s needs a value; see --help", o->name);
    return complain(WRONG_USAGE, "%s: expected %s, got \"%s\"", o->name, e->expected, e->value);
}

int options_parse(void *into, const char **operand, const Command *c, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(c);
            return -1;
        }
        if (argv[i][0] != '-') {
            if (!operand || *operand)
                return complain(WRONG_USAGE, "\"%s\" is one word too many; see --help", argv[i]);
            *operand = argv[i];
            continue;
        }
        const Option *o = option_find(c->options, c->option_count, argv[i]);
        if (!o) {
            const char *names[OPTIONS_MOST];
            char word[64];
            for (int k = 0; k < c->option_count; k++)
                names[k] = c->options[k].name;
            snprintf(word, sizeof word, "%.*s", (int)option_length(argv[i]), argv[i]);
            return complain_unknown("option", word, names, c->option_count);
        }
        const char *value;
        OptionError e;
        if (!option_read(into, &value, o, argc, argv, &i, &e))
            return complain_option(o, &e);
    }
    return FINE;
}

/* ---- files ------------------------------------------------------------------------------------------- */

bool split_begin(ArrayNpy *file, const char *dir, int split, const char *name, ArrayType type, int rank, const int64_t *shape, ArrayError *e)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s_%s.npy", dir, split_names[split], name);
    hold_signals(true);
    const bool fine = array_npy_begin(file, path, type, rank, shape, e);
    if (fine) {
        snprintf(temporaries[temporary_count], PATH_MAX, "%s", file->out.temporary);
        temporary_count = temporary_count + 1;
    }
    hold_signals(false);
    return fine;
}
