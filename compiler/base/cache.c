/* cache.c -- keeps the objects of runtime/ and trainer/, which do not depend on the net, for the next build.
 *
 * In: a generated folder.  Out: the program, and in $XDG_CACHE_HOME/spnc (or ~/.cache/spnc) one file a set of objects.
 * A set is named by a checksum of all that decides its objects: spnc's sources, the names of those in the folder, the compiler and its
 * version text, the options, the system's headers.  The same text stands in the file and is compared; a checksum at its end shows if the
 * file is damaged.  Files are written under a temporary name and renamed, so parallel builds see a whole set or none.  After any failure
 * here make compiles.
 *
 * The folder's own rule decides what is old: an object that make would compile is taken from the cache, or make compiles it and the cache
 * keeps it. */
#define _GNU_SOURCE
#include "base/cache.h"
#include "base/child.h"
#include "base/embed.h"
#include "base/folder.h"
#include "files/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SETS_MOST = 32, DAYS_MOST = 90, SUM_DIGITS = 16 };
static const char ENDING[] = ".objects", MAGIC[] = "spnc objects 1\n";

typedef struct { const char *name, *bytes; size_t size; } Object;       /* "trainer/run/log.o" */

/* ---- the folder ------------------------------------------------------------------------------------------------------ */

static bool newer(struct timespec a, struct timespec b) { return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec; }

/* The time of the file's last change; false if there is no file. */
static bool changed(Arena *a, const char *folder, const char *name, struct timespec *when)
{
    struct stat s;
    if (stat(arena_printf(a, "%s/%s", folder, name), &s))
        return false;
    *when = s.st_mtim;
    return true;
}

static const char *object_of(Arena *a, const char *source) { return arena_printf(a, "%.*s.o", (int)strlen(source) - 2, source); }

/* The objects of the folder's sources.  *old: those that make would compile, because they are missing, or older than their source, a header
 * or the Makefile. */
static List objects_of(Arena *a, const char *folder, List *old)
{
    List all = { 0 };
    struct timespec headers = { 0 }, when, source;
    for (int i = -1; i < embedded_program_count; i++) {
        const char *name = i < 0 ? "Makefile" : embedded_program[i].name;
        if ((i < 0 || text_ends(name, ".h")) && changed(a, folder, name, &when) && newer(when, headers))
            headers = when;
    }
    for (int i = 0; i < embedded_program_count; i++) {
        const char *name = embedded_program[i].name, *object = text_ends(name, ".c") ? object_of(a, name) : NULL;
        if (!object || !changed(a, folder, name, &source) || !strcmp(name, "runtime/ranks_mpi.c"))        /* MPI's compiler makes that one */
            continue;
        list_push(a, &all, (void *)(uintptr_t)object);
        if (!changed(a, folder, object, &when) || newer(source, when) || newer(headers, when))
            list_push(a, old, (void *)(uintptr_t)object);
    }
    return all;
}

/* ---- the origin of the objects: text ------------------------------------------------------------------------------------ */

/* True if the option's text is its whole effect: it names no file that can change, writes none, and puts no name of the folder into the
 * object. */
static bool plain_option(const char *word)
{
    static const char *const kinds[] = { "-O", "-W", "-D", "-U", "-I/usr/", "-m", "-w", "-std=", "-fno-", "-ffp-contract=", "-fopenmp", "-fsigned-zeros", "-fsanitize=",
                                         "-fPIC", "-fPIE", "-fpic", "-fpie", "-fstack-protector", "-pthread", "-pipe" };
    if (strstr(word, "native") || (strncmp(word, "-W", 2) == 0 && strchr(word, ',')))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(word, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

static bool plain_options(Arena *a, const char *line)
{
    char *words = arena_copy(a, line, strcspn(line, "\n")), *rest;
    for (char *word = strtok_r(words, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
        if (!plain_option(word))
            return false;
    return true;
}

/* All that decides the objects, as text; NULL if they cannot be shared.  make itself prints the compiler's command. */
static const char *origin(Arena *a, const char *folder, const List *objects)
{
    static const char question[] = "--eval=spnc-origin:\n"
        "\t@: $(info $(CPPFLAGS) $(HURRY) $(LOOPS) $(CFLAGS) $(FLAGS))\n"
        "\t@: $(info $(CC))\n"
        "\t@command -v $(firstword $(CC)); $(CC) --version\n"
        "\t@grep -h '^#include <' runtime/*.[ch] trainer/*.[ch] trainer/*/*.[ch] | grep -v -e immintrin -e arm_neon -e mpi.h | sort -u"      /* the first two are the compiler's */
        " | $(CC) $(CPPFLAGS) $(CFLAGS) $(FLAGS) -Iruntime -Itrainer -E -dD -x c - | cksum\n";
    Text t = { .arena = a };
    if (child_run_make(folder, question, "spnc-origin", &t) || !t.length || !plain_options(a, t.text))
        return NULL;
    for (int i = 0; i < objects->count; i++)
        text_printf(&t, "%s\n", (const char *)objects->items[i]);
    for (int i = 0; i < embedded_program_count; i++)
        text_printf(&t, "%s %016" PRIx64 "\n", embedded_program[i].name, bytes_sum(embedded_program[i].bytes, embedded_program[i].size));
    return t.text;
}

/* ---- one set --------------------------------------------------------------------------------------------------------- */

/* The folder of the sets, made if need be; NULL: there is no place for it. */
static const char *cache_folder(Arena *a)
{
    const char *given = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *path;
    if (given && *given == '/')
        path = arena_printf(a, "%s/spnc", given);
    else if (home && *home == '/')
        path = arena_printf(a, "%s/.cache/spnc", home);
    else
        return NULL;
    return folder_make(path, 0700) ? path : NULL;
}

/* The file's bytes; NULL if it cannot be read. */
static const char *content(Arena *a, const char *path, size_t *size)
{
    struct stat s;
    FILE *f = file_regular(path, &s);
    char *bytes = NULL;
    if (f) {
        bytes = arena_alloc(a, (size_t)s.st_size + 1);
        *size = fread(bytes, 1, (size_t)s.st_size, f);
        if (*size != (size_t)s.st_size)
            bytes = NULL;
    }
    if (f)
        fclose(f);
    return bytes;
}

static const char *head_of(Arena *a, const char *origin) { return arena_printf(a, "%s%zu\n%s", MAGIC, strlen(origin), origin); }

/* A set as a file: its head, for each object its name, its size and its bytes, then the checksum of all that. */
static bool set_write(Arena *a, const char *path, const char *folder, const char *origin, const List *objects)
{
    Text t = { .arena = a };
    text_printf(&t, "%s", head_of(a, origin));
    for (int i = 0; i < objects->count; i++) {
        size_t size;
        const char *bytes = content(a, arena_printf(a, "%s/%s", folder, (const char *)objects->items[i]), &size);
        if (!bytes)
            return false;
        text_printf(&t, "%s %zu\n", (const char *)objects->items[i], size);
        text_add(&t, bytes, size);
    }
    text_printf(&t, "%016" PRIx64, bytes_sum(t.text, t.length));
    return file_put(path, t.text, t.length);
}

/* The objects of a set; false if it is not there, damaged, or of another origin. */
static bool set_read(Arena *a, const char *path, const char *origin, List *objects)
{
    size_t size;
    const char *text = content(a, path, &size), *head = head_of(a, origin);
    if (!text || size < strlen(head) + SUM_DIGITS || strncmp(text, head, strlen(head)))
        return false;
    const char *end = text + size - SUM_DIGITS;
    if (strcmp(end, arena_printf(a, "%016" PRIx64, bytes_sum(text, size - SUM_DIGITS))))
        return false;
    for (const char *at = text + strlen(head); at < end;) {
        Object *o = NEW(a, Object);
        const char *space = memchr(at, ' ', (size_t)(end - at));
        char *bytes;
        if (!space || !memchr(space, '\n', (size_t)(end - space)))
            return false;
        o->name = arena_copy(a, at, (size_t)(space - at));
        o->size = strtoull(space, &bytes, 10);
        o->bytes = ++bytes;
        if (o->size > (size_t)(end - bytes))
            return false;
        list_push(a, objects, o);
        at = bytes + o->size;
    }
    return true;
}

/* Writes those objects that make would compile.  After a failure here make compiles them. */
static void install(Arena *a, const char *folder, const List *old, const List *objects)
{
    for (int i = 0; i < objects->count; i++) {
        const Object *o = objects->items[i];
        for (int k = 0; k < old->count; k++)
            if (strcmp(old->items[k], o->name) == 0)
                file_put(arena_printf(a, "%s/%s", folder, o->name), o->bytes, o->size);
    }
}

/* ---- all sets -------------------------------------------------------------------------------------------------------- */

/* Removes sets that were not used for long, the oldest beyond SETS_MOST files, and temporary files left by a killed spnc. */
static void tidy(Arena *a, const char *cache)
{
    for (;;) {
        DIR *d = opendir(cache);
        const char *oldest = NULL;
        struct timespec least = { 0 }, when;
        int count = 0;
        for (struct dirent *e; d && (e = readdir(d));) {
            if ((!text_ends(e->d_name, ENDING) && !text_ends(e->d_name, ".tmp")) || !changed(a, cache, e->d_name, &when))
                continue;
            count++;
            if (!oldest || newer(least, when))
                least = when, oldest = arena_printf(a, "%s/%s", cache, e->d_name);
        }
        if (d)
            closedir(d);
        bool unused = oldest && least.tv_sec < time(NULL) - DAYS_MOST * 24 * 3600L;
        if ((count <= SETS_MOST && !unused) || unlink(oldest))
            return;
    }
}

static int make_here(Arena *a, const char *folder, const char *name) { return child_make(a, folder, name, "a C compiler, make, libpng, libjpeg and zlib"); }

static int make(Arena *a, const char *folder, const char *name)
{
    List old = { 0 };
    const List all = objects_of(a, folder, &old);
    const char *cache = old.count ? cache_folder(a) : NULL, *from = cache ? origin(a, folder, &all) : NULL;
    if (!from)
        return make_here(a, folder, name);
    const char *path = arena_printf(a, "%s/%016" PRIx64 "%s", cache, bytes_sum(from, strlen(from)), ENDING);
    List objects = { 0 };
    bool found = set_read(a, path, from, &objects);
    if (found) {
        utimensat(AT_FDCWD, path, NULL, 0);
        install(a, folder, &old, &objects);
    }
    int status = make_here(a, folder, name);
    if (status == 0 && !found && old.count == all.count && set_write(a, path, folder, from, &all))
        tidy(a, cache);
    return status;
}

int cache_make(Arena *a, const char *folder, const char *name, bool cached)
{
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock >= 0)
        flock(lock, LOCK_EX);                       /* without locks (some file systems), parallel builds of one folder are not safe */
    int status = (cached ? make : make_here)(a, folder, name);
    if (lock >= 0)
        close(lock);
    return status;
}
