/* command.c -- shared by the commands of spn-data: error messages, options, folders, files, and the clean-up on a signal.
 *
 * Functions return an exit code, after a message on stderr.  A signal removes the temporary files and
 * the folders made for them, so that no half-written file stays. */
#define _GNU_SOURCE
#include "data/command.h"
#include "files/nearest.h"
#include "files/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPORARIES = 3 * SPLITS };           /* as many as one command writes: make, at most three a split */
const char *const split_names[SPLITS] = { "train", "valid", "test" };

int complain(int code, const char *format, ...)
{
    char text[PATH_MAX + 2048], shown[TEXT_GROWS * sizeof text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "spn-data: %s\n", text_shown(shown, sizeof shown, text, ""));
    return code;
}

void tell(const char *format, ...)
{
    char text[PATH_MAX + 2048], shown[TEXT_GROWS * sizeof text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fputs(text_shown(shown, sizeof shown, text, "\n"), stdout);
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

/* The thread that began, and alone holds signals back; another one that a signal reaches passes it on to this one. */
static pthread_t first_thread;

static void on_signal(int number)
{
    if (!pthread_equal(pthread_self(), first_thread)) {
        pthread_kill(first_thread, number);
        return;
    }
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
    pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

void set_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN }, before;
    const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    first_thread = pthread_self();
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

static void note_temporary(const ArrayOut *out)
{
    snprintf(temporaries[temporary_count], PATH_MAX, "%s", out->temporary);
    temporary_count = temporary_count + 1;
}

bool split_begin(ArrayNpy *file, const char *dir, int split, const char *name, ArrayType type, int rank, const int64_t *shape, ArrayError *e)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s_%s.npy", dir, split_names[split], name);
    hold_signals(true);
    const bool fine = array_npy_begin(file, path, type, rank, shape, e);
    if (fine)
        note_temporary(&file->out);
    hold_signals(false);
    return fine;
}

bool list_begin(ArrayOut *file, const char *path, ArrayError *e)
{
    hold_signals(true);
    const bool fine = array_out_open(file, path, e);
    if (fine)
        note_temporary(file);
    hold_signals(false);
    return fine;
}

/* ---- sets ------------------------------------------------------------------------------------------------ */

/* Temporary files of processes that are no more: .spn-PID-NUMBER.tmp. */
void set_begin(const char *dir)
{
    DIR *folder = opendir(dir);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char path[PATH_MAX];
        long pid;
        unsigned serial;
        int end = 0;
        if (sscanf(entry->d_name, ".spn-%ld-%u.tmp%n", &pid, &serial, &end) == 2 && end && !entry->d_name[end] && pid > 0 && kill((pid_t)pid, 0) && errno == ESRCH
            && snprintf(path, sizeof path, "%s/%s", dir, entry->d_name) < PATH_MAX)
            unlink(path);
    }
    if (folder)
        closedir(folder);
}

/* The mark, locked against a second spn-data that replaces the same set; -1 after a message. */
static int mark_open(const char *path)
{
    struct stat ours, there;
    for (;;) {
        const int fd = array_io.open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);    /* a pipe would wait for its reader */
        if (fd < 0 || (flock(fd, LOCK_EX) && errno != ENOTSUP && errno != ENOLCK) || fstat(fd, &ours)) {
            complain(ENVIRONMENT, "%s: cannot make it: %s", path, strerror(errno));
            if (fd >= 0)
                close(fd);
            return -1;
        }
        if (!stat(path, &there) && there.st_ino == ours.st_ino && there.st_dev == ours.st_dev)
            return fd;
        close(fd);                             /* the one who had it has removed it */
    }
}

static bool sync_folder(const char *dir)
{
    const int fd = array_io.open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    const bool fine = fd >= 0 && (!array_io.fsync(fd) || errno == EINVAL || errno == ENOTSUP);
    if (fd >= 0)
        array_io.close(fd);
    return fine;
}

int set_commit(const char *dir, ArrayOut **outs, int count, const char *const *stale)
{
    static const char why[] = "spn-data is replacing the files of this folder one by one, or was stopped before the last.\n";
    char path[PATH_MAX], to[PATH_MAX];
    ArrayError e;
    int code = FINE;
    snprintf(path, sizeof path, "%s/" ARRAY_INCOMPLETE, dir);
    hold_signals(true);
    const int mark = mark_open(path);
    if (mark < 0)
        code = ENVIRONMENT;
    else if (array_io.write(mark, why, sizeof why - 1) < 0 || array_io.fsync(mark) || !sync_folder(dir)) {
        code = complain(ENVIRONMENT, "%s: cannot write it: %s", path, strerror(errno));
        unlink(path);                          /* nothing is renamed yet */
    }
    bool begun = false;
    for (int i = 0; code == FINE && i < count; i++) {
        struct stat was = { 0 }, is;
        snprintf(to, sizeof to, "%s", outs[i]->path);
        stat(outs[i]->temporary, &was);
        if (!array_out_commit(outs[i], &e))
            code = complain_array(&e);
        begun |= !stat(to, &is) && is.st_ino == was.st_ino;     /* also where only the folder could not be synced */
    }
    for (; code == FINE && *stale; stale++)
        if (unlink(*stale) && errno != ENOENT)
            code = complain(ENVIRONMENT, "%s: of the old set, cannot be removed: %s", *stale, strerror(errno));
    if (code == FINE && (unlink(path) || !sync_folder(dir)))
        code = complain(ENVIRONMENT, "%s: cannot be removed: %s; the set is complete, remove it", path, strerror(errno));
    else if (code != FINE && begun)
        complain(code, "%s: new and old files lie side by side; make the set again.  Until then it is refused", dir);
    else if (code != FINE && mark >= 0)
        unlink(path);
    if (mark >= 0)
        close(mark);
    hold_signals(false);
    return code;
}

int set_refuse_mixture(const char *dir, const char *const *names, int count)
{
    char path[PATH_MAX];
    bool replaces = false;
    int code = FINE;
    for (int s = 0; s < SPLITS; s++)
        replaces |= snprintf(path, sizeof path, "%s/%s_%s.npy", dir, split_names[s], names[0]) < PATH_MAX && !access(path, F_OK);
    DIR *folder = replaces ? opendir(dir) : NULL;
    for (struct dirent *entry; folder && code == FINE && (entry = readdir(folder));)
        for (int s = 0; s < SPLITS; s++) {
            const size_t n = strlen(split_names[s]), length = strlen(entry->d_name);
            bool written = false;
            if (length < n + 6 || strncmp(entry->d_name, split_names[s], n) || entry->d_name[n] != '_' || strcmp(entry->d_name + length - 4, ".npy"))
                continue;
            for (int i = 0; i < count; i++)
                written |= strlen(names[i]) == length - n - 5 && !strncmp(entry->d_name + n + 1, names[i], strlen(names[i]));
            if (!written)
                code = complain(WRONG_INPUT, "%s/%s: is there already, and would stay beside another %s; remove the old set, or choose another -o", dir,
                                entry->d_name, names[0]);
        }
    if (folder)
        closedir(folder);
    return code;
}
