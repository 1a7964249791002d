/* unlisted.c -- pictures that a table of `spn-data pack` does not list, though they lie beside those that it does.
 *
 * Reads the List of a table and the folders in which its pictures lie, and the folder of the command; prints one warning.  A file is known by
 * its device and number, so one that is listed under another path, or by a link, is listed. */
#define _GNU_SOURCE
#include "data/pack.h"
#include "files/decode.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct { dev_t device; ino_t number; const char *path; } Known;

static int by_identity(const void *a, const void *b)
{
    const Known *x = a, *y = b;
    return x->device != y->device ? (x->device < y->device ? -1 : 1) : x->number != y->number ? (x->number < y->number ? -1 : 1) : 0;
}

static bool know(Known *k, const char *path, mode_t kind)
{
    struct stat s;
    if (stat(path, &s) || (s.st_mode & S_IFMT) != kind)
        return false;
    *k = (Known){ s.st_dev, s.st_ino, path };
    return true;
}

/* Sorts; each once.  Returns how many are left. */
static size_t sort(Known *all, size_t n)
{
    size_t kept = 0;
    if (n)
        qsort(all, n, sizeof *all, by_identity);
    for (size_t i = 0; i < n; i++)
        if (!kept || by_identity(&all[kept - 1], &all[i]))
            all[kept++] = all[i];
    return kept;
}

/* The pictures of one folder that are not among files[0..n): their number is added to *count, the first path by name goes to `first`. */
static void look_through(int64_t *count, char first[PATH_MAX], const char *folder, const Known *files, size_t n)
{
    char path[PATH_MAX];
    struct dirent **entries;
    const int found = scandir(folder, &entries, NULL, versionsort);
    for (int i = 0; i < found; i++) {
        const char *name = entries[i]->d_name;
        Known k;
        if (*name != '.' && decode_is_name(name) && (size_t)snprintf(path, sizeof path, "%s/%s", folder, name) < sizeof path && know(&k, path, S_IFREG)
            && !bsearch(&k, files, n, sizeof *files, by_identity)) {
            if (!(*count)++ || strverscmp(path, first) < 0)
                strcpy(first, path);
        }
        free(entries[i]);
    }
    if (found >= 0)
        free(entries);
}

void list_say_unlisted(const List *l, const char *folder, const char *table)
{
    Known *files = need(NULL, (size_t)l->count * sizeof *files), *folders = need(NULL, ((size_t)l->count + 1) * sizeof *folders);
    size_t file_count = 0, folder_count = know(&folders[0], folder, S_IFDIR);
    char first[PATH_MAX] = "", *last = NULL;
    int64_t unlisted = 0;
    for (int64_t i = 0; i < l->count; i++) {
        char *of = list_text(l->items[i].path), *slash = strrchr(of, '/');
        file_count += know(&files[file_count], l->items[i].path, S_IFREG);
        if (slash)
            slash[slash == of] = '\0';
        if (slash && (!last || strcmp(last, of)))       /* tables go folder by folder */
            folder_count += know(&folders[folder_count], last = of, S_IFDIR);
    }
    file_count = sort(files, file_count);
    folder_count = sort(folders, folder_count);
    for (size_t i = 0; i < folder_count; i++)
        look_through(&unlisted, first, folders[i].path, files, file_count);
    if (unlisted)
        complain(FINE, "warning: %s does not list %" PRId64 " picture%s that lie%s beside those it lists: %s%s; %s left out", table, unlisted, unlisted == 1 ? "" : "s",
                 unlisted == 1 ? "s" : "", first, unlisted > 1 ? ", ..." : "", unlisted == 1 ? "it is" : "they are");
    free(files);
    free(folders);
}
