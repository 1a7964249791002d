/* folder.c -- writes generated files; never overwrites an edited one.
 *
 * In: names and contents.  Out: a folder that holds them, and its record `.spnc`: a checksum (FNV-1a, 64 bits) of each file as written.
 * A file that differs from its line in the record was edited.  The record is written twice, before the files with old and new
 * checksums and after them with the new ones alone, so that a run cut short leaves no file that looks edited.
 * Each file is written to a temporary name and renamed; a file whose content is the same is not touched, so make has nothing to do. */
#define _POSIX_C_SOURCE 200809L
#include "base/folder.h"
#include "files/fnv.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char RECORD[] = ".spnc";

typedef struct { uint64_t sum; const char *name; } Line;

static char unfinished[PATH_MAX];       /* the temporary file being written, for the signal handler */

void folder_interrupted(void)
{
    if (unfinished[0])
        unlink(unfinished);
}

static _Noreturn void environment(const char *path, const char *what)
{
    fprintf(stderr, "spnc: %s: %s: %s\n", path, what, strerror(errno));
    exit(74);
}

bool folder_make(const char *path, unsigned mode)
{
    char part[PATH_MAX];
    if (strlen(path) >= sizeof part) {
        errno = ENAMETOOLONG;
        return false;
    }
    strcpy(part, path);
    for (char *c = part + 1;; c++)
        if (*c == '/' || !*c) {
            char keep = *c;
            *c = 0;
            if (mkdir(part, mode) && errno != EEXIST)
                return false;
            *c = keep;
            if (!keep)
                return true;
        }
}

static void make_folder(const char *path)
{
    if (!folder_make(path, 0777))
        environment(path, "cannot make the folder");
}

/* Without O_NONBLOCK a pipe would wait for its writer. */
const char *path_beside(Arena *a, const char *path, const char *name)
{
    const char *slash = path && *name != '/' ? strrchr(path, '/') : NULL;
    return slash ? arena_printf(a, "%.*s/%s", (int)(slash - path), path, name) : name;
}

FILE *file_regular(const char *path, struct stat *status)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    bool regular = !fstat(fd, status) && S_ISREG(status->st_mode);
    FILE *f = regular ? fdopen(fd, "rb") : NULL;
    if (!f) {
        close(fd);
        errno = EINVAL;
    }
    return f;
}

/* The file's bytes, NUL behind them; NULL if there is none. */
static char *content(Arena *a, const char *path, size_t *size)
{
    struct stat s;
    FILE *f = file_regular(path, &s);
    if (!f && (errno == ENOENT || errno == ENOTDIR))
        return NULL;
    if (!f && errno == EINVAL) {
        fprintf(stderr, "spnc: %s: cannot write: expected a regular file or none, got a folder, a pipe or a device; move it away\n", path);
        exit(74);
    }
    if (!f)
        environment(path, "cannot write");
    char *bytes = arena_alloc(a, (size_t)s.st_size + 1);
    *size = fread(bytes, 1, (size_t)s.st_size, f);
    if (ferror(f))
        environment(path, "cannot be read");
    fclose(f);
    return bytes;
}

/* The file whole, under a temporary name first; false with errno set. */
static bool put(const char *path, const void *bytes, size_t n, bool synced)
{
    if (snprintf(unfinished, sizeof unfinished, "%s.%ld.tmp", path, (long)getpid()) >= (int)sizeof unfinished) {
        unfinished[0] = 0;
        errno = ENAMETOOLONG;
        return false;
    }
    FILE *f = fopen(unfinished, "wbx");
    bool good = f && fwrite(bytes, 1, n, f) == n && fflush(f) == 0 && (!synced || fsync(fileno(f)) == 0);
    if (f && fclose(f))
        good = false;
    good = good && rename(unfinished, path) == 0;
    int why = errno;
    if (f && !good)
        unlink(unfinished);
    unfinished[0] = 0;
    errno = why;
    return good;
}

static void replace(const char *path, const void *bytes, size_t n)
{
    if (!put(path, bytes, n, true))
        environment(path, "cannot write");
}

bool file_put(const char *path, const void *bytes, size_t size) { return put(path, bytes, size, false); }

/* ---- the record ------------------------------------------------------------------------------------------------------ */

uint64_t bytes_sum(const void *bytes, size_t n)
{
    return fnv(FNV_START, bytes, n);
}

static void record_add(Arena *a, List *record, uint64_t sum, const char *name)
{
    Line *l = NEW(a, Line);
    *l = (Line){ sum, name };
    list_push(a, record, l);
}

/* An unreadable record counts as empty: every file that differs counts as edited. */
static List record_read(Arena *a, const char *path)
{
    List record = { 0 };
    size_t size;
    char *text = content(a, path, &size), *rest;
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
        char *end;
        uint64_t sum = strtoull(line, &end, 16);
        if (end == line + 16 && *end == ' ')
            record_add(a, &record, sum, end + 1);
    }
    return record;
}

static void record_write(Arena *a, const char *path, const List *record)
{
    Text t = { .arena = a };
    text_printf(&t, "# What spnc wrote here.  A file that differs from its line was edited since, and is not overwritten without --force.\n");
    for (int i = 0; i < record->count; i++)
        text_printf(&t, "%016" PRIx64 " %s\n", ((Line *)record->items[i])->sum, ((Line *)record->items[i])->name);
    size_t size = 0;
    char *have = content(a, path, &size);
    if (!have || size != t.length || memcmp(have, t.text, size))
        replace(path, t.text, t.length);
}

static bool recorded(const List *record, const char *name, const uint64_t *sum)
{
    for (int i = 0; i < record->count; i++) {
        const Line *l = record->items[i];
        if (strcmp(l->name, name) == 0 && (!sum || l->sum == *sum))
            return true;
    }
    return false;
}

/* ---- the folder ------------------------------------------------------------------------------------------------------ */

/* The number of the first line in which `have` differs from the new content. */
static Loc first_difference(const Source *file, const FolderFile *f)
{
    const char *have = file->text, *want = f->bytes;
    Loc at = { 1, 1, 0, file };
    size_t start = 0, n = file->length;
    for (size_t i = 0; i < n && i < f->size && have[i] == want[i]; i++)
        if (have[i] == '\n')
            at.line++, start = i + 1;
    while (start + (size_t)at.length < n && have[start + (size_t)at.length] != '\n')
        at.length++;
    return at;
}

static void refuse(Diag *d, const Source *file, const FolderFile *f, bool known)
{
    Loc at = first_difference(file, f);
    if (known)
        diag_error(d, at, "edited since spnc wrote it, so it is left alone; this is the first line that differs from what spnc writes now");
    else
        diag_error(d, at, "this file is there already, and spnc has no record of having written it");
}

static const char *path_of(Arena *a, const char *folder, const char *name)
{
    const char *path = arena_printf(a, "%s/%s", folder, name);
    if (strlen(path) + 32 >= PATH_MAX) {
        errno = ENAMETOOLONG;
        environment(path, "cannot write");
    }
    return path;
}

/* Moves an edited file out of the way, to the first free one of NAME.edited, NAME.edited2, ... */
static void keep(Arena *a, const char *path)
{
    const char *kept = arena_printf(a, "%s.edited", path);
    for (int k = 2; access(kept, F_OK) == 0; k++)
        kept = arena_printf(a, "%s.edited%d", path, k);
    if (rename(path, kept))
        environment(kept, "cannot keep the edited file");
    fprintf(stderr, "spnc: %s: the edited file is kept as %s\n", path, kept);
}

bool folder_write(Arena *a, Diag *d, const char *folder, const FolderFile *files, int count, bool force)
{
    enum { SAME, OURS, EDITED };
    const char *record_path = path_of(a, folder, RECORD);
    List record = record_read(a, record_path), both = { 0 }, after = { 0 };
    int *state = NEW_ARRAY(a, int, count + 1), changes = 0, edited = 0, errors = diag_errors(d);
    for (int i = 0; i < count; i++) {
        const FolderFile *f = &files[i];
        const char *path = path_of(a, folder, f->name);
        size_t size = 0;
        const char *have = content(a, path, &size);
        uint64_t sum = have ? bytes_sum(have, size) : 0;
        bool same = have && size == f->size && memcmp(have, f->bytes, size) == 0;
        state[i] = same ? SAME : !have || recorded(&record, f->name, &sum) ? OURS : EDITED;
        changes += !same;
        edited += state[i] == EDITED;
        if (state[i] == EDITED && !force)
            refuse(d, source_new(a, path, have, size), f, recorded(&record, f->name, NULL));
        record_add(a, &both, bytes_sum(f->bytes, f->size), f->name);
        record_add(a, &after, bytes_sum(f->bytes, f->size), f->name);
    }
    if (diag_errors(d) > errors) {
        diag_note(d, (Loc){ 0 }, "nothing was written to %s. `make -C %s` builds what is there, edits included; --force writes spnc's %s and keeps %s as NAME.edited; "
                  "or take another folder with -o", folder, folder, edited > 1 ? "files" : "file", edited > 1 ? "those that differ" : "the one that differs");
        return false;
    }
    for (int i = 0; i < record.count; i++) {
        Line *l = record.items[i];
        list_push(a, &both, l);
        if (!recorded(&after, l->name, NULL))               /* another model's file in the same folder */
            list_push(a, &after, l);
    }
    make_folder(folder);
    if (changes)
        record_write(a, record_path, &both);
    for (int i = 0; i < count; i++) {
        const char *path = path_of(a, folder, files[i].name);
        if (state[i] == EDITED)
            keep(a, path);
        if (state[i] != SAME) {
            char *inner = arena_copy(a, path, strlen(path));
            *strrchr(inner, '/') = 0;
            make_folder(inner);
            replace(path, files[i].bytes, files[i].size);
        }
    }
    record_write(a, record_path, &after);
    return true;
}

void file_write(Arena *a, const char *path, const void *bytes, size_t size)
{
    char *folder = arena_copy(a, path, strlen(path)), *slash = strrchr(folder, '/');
    if (slash && slash != folder) {
        *slash = 0;
        make_folder(folder);
    }
    if (strlen(path) + 32 >= PATH_MAX) {
        errno = ENAMETOOLONG;
        environment(path, "cannot write");
    }
    replace(path, bytes, size);
}
