/* pack_list.c -- lists the examples for `spn-data pack`: pictures in folders, rows of arrays.
 *
 * Reads folders or the arrays' headers; makes the List that pack.c reads.  Pictures themselves are not opened here.
 * Names are in natural order (img2 before img10); a class is its folder's index in that order. */
#define _GNU_SOURCE
#include "data/pack.h"
#include "files/decode.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* ---- folders -------------------------------------------------------------------------------------------------------- */

static bool is_folder(const char *path)
{
    struct stat s;
    return !stat(path, &s) && S_ISDIR(s.st_mode);
}

typedef struct { char **folders, **pictures; int folder_count, picture_count; int64_t others; char other[256]; } Listing;

static void listing_free(Listing *k)
{
    free(k->folders);
    free(k->pictures);
}

/* Hidden names, and the folder that a Mac's archive has for its own. */
static bool is_left_out(const char *name) { return *name == '.' || !strcmp(name, "__MACOSX"); }

/* The entries of a folder, sorted, without those that are left out. */
static int look_into(Listing *k, const char *path)
{
    char child[PATH_MAX];
    struct dirent **entries;
    *k = (Listing){ 0 };
    const int count = scandir(path, &entries, NULL, versionsort);
    if (count < 0)
        return complain(errno == ENOMEM ? ENVIRONMENT : WRONG_INPUT, "%s: cannot be listed: %s", path, strerror(errno));
    int code = FINE;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if ((size_t)snprintf(child, sizeof child, "%s/%s", path, name) >= sizeof child) {
            code = complain(WRONG_INPUT, "%s/%s: the path is too long", path, name);
        } else if (!is_left_out(name)) {
            const bool folder = is_folder(child), picture = !folder && decode_is_name(name);
            char ***list = folder ? &k->folders : &k->pictures;
            int *n = folder ? &k->folder_count : &k->picture_count;
            if (folder || picture) {
                *list = need(*list, (size_t)(*n + 1) * sizeof **list);
                (*list)[(*n)++] = list_text(folder ? name : child);
            } else if (!k->others++) {
                snprintf(k->other, sizeof k->other, "%s", name);
            }
        }
        free(entries[i]);
    }
    free(entries);
    return code;
}

static void say_others(const char *path, const Listing *k)
{
    if (k->others)
        tell("%s: %" PRId64 " file%s left out, no " DECODE_ENDINGS ": %s%s\n", path, k->others, k->others == 1 ? "" : "s", k->other,
               k->others > 1 ? ", ..." : "");
}

/* A line break in the name of a class would be two names in the list of classes. */
static int refuse_controls(const char *name, const char *folder)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127)
            return complain(WRONG_INPUT, "%s/%s: the name of this folder has a control character in it (byte 0x%02x); rename it", folder, name, (unsigned)*c);
    return FINE;
}

/* The classes below `folder` join l->classes, which are sorted when all are known. */
static int collect_classes(List *l, const char *folder)
{
    Listing k;
    int code = look_into(&k, folder);
    for (int i = 0; code == FINE && i < k.folder_count; i++) {
        if ((code = refuse_controls(k.folders[i], folder)) != FINE)
            break;
        l->classes = need(l->classes, (size_t)(l->class_count + 1) * sizeof *l->classes);
        l->classes[l->class_count++] = k.folders[i];
    }
    listing_free(&k);
    return code;
}

static void add_pictures(List *l, const Listing *k, int split, int label)
{
    for (int i = 0; i < k->picture_count; i++) {
        *list_add(l) = (Item){ .path = k->pictures[i], .split = split };
        if (label >= 0) {
            l->labels = need(l->labels, (size_t)l->room * sizeof(int32_t));
            ((int32_t *)l->labels)[l->count - 1] = label;
        }
    }
}

/* The pictures of the folder of one class. */
static int add_class(List *l, const char *path, const char *class, int split)
{
    Listing k;
    int code = look_into(&k, path);
    if (code == FINE && k.folder_count)
        code = complain(WRONG_INPUT, "%s: a folder (%s) inside that of a class; expected pictures there%s", path, k.folders[0],
                        split_of(class) >= 0 ? ".  Splits are folders train, valid (val, validation), test and nothing beside them" : "");
    if (code == FINE) {
        say_others(path, &k);
        if (!k.picture_count)
            tell("%s: no picture in this folder\n", path);
        add_pictures(l, &k, split, names_find(l->classes, l->class_count, class));
    }
    listing_free(&k);
    return code;
}

/* The pictures of one folder of classes, or (no classes) of one folder. */
static int add_folder(List *l, const char *folder, int split)
{
    char path[PATH_MAX];
    Listing k;
    int code = look_into(&k, folder);
    if (code == FINE)
        say_others(folder, &k);
    if (code == FINE && l->class_count && k.picture_count)
        code = complain(WRONG_INPUT, "%s: pictures (%s) and folders (%s) side by side; expected a folder for each class with its pictures in it, or"
                        " --labels TABLE", folder, k.pictures[0], l->classes[0]);
    for (int i = 0; code == FINE && i < k.folder_count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, k.folders[i]);
        code = add_class(l, path, k.folders[i], split);
    }
    if (code == FINE && !k.folder_count)
        add_pictures(l, &k, split, -1);
    listing_free(&k);
    return code;
}

int list_folder(List *l, const char *folder)
{
    char path[PATH_MAX];
    Listing k;
    int code = look_into(&k, folder), splits = 0;
    for (int i = 0; code == FINE && i < k.folder_count; i++)
        splits += split_of(k.folders[i]) >= 0;
    const bool by_split = splits && splits == k.folder_count && !k.picture_count;
    for (int i = 1; code == FINE && by_split && i < k.folder_count; i++)
        for (int j = 0; code == FINE && j < i; j++)
            if (split_of(k.folders[i]) == split_of(k.folders[j]))
                code = complain(WRONG_INPUT, "%s: %s and %s are folders for one split, %s; expected one of them", folder, k.folders[j], k.folders[i],
                                split_names[split_of(k.folders[i])]);
    for (int i = 0; code == FINE && by_split && i < k.folder_count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, k.folders[i]);
        code = collect_classes(l, path);
    }
    if (code == FINE && !by_split)
        code = collect_classes(l, folder);
    l->class_count = names_sort(l->classes, l->class_count);
    for (int i = 0; code == FINE && by_split && i < k.folder_count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, k.folders[i]);
        code = add_folder(l, path, split_of(k.folders[i]));
    }
    if (code == FINE && !by_split)
        code = add_folder(l, folder, DRAWN);
    if (code == FINE && !l->count)
        code = complain(WRONG_INPUT, "%s: no picture found; expected " DECODE_ENDINGS " files in a folder for each class", folder);
    listing_free(&k);
    l->label_type = ARRAY_I4;
    l->label_bytes = sizeof(int32_t);
    return code;
}

/* ---- arrays ---------------------------------------------------------------------------------------------------------- */

/* A table of numbers, which numpy makes arrays of. */
static bool is_table(const char *path)
{
    static const char *const endings[] = { ".csv", ".tsv", ".txt" };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (!strcasecmp(dot, endings[i]))
            return true;
    return false;
}

int list_array(List *l, const char *path, const char *labels, LabelsAs as)
{
    ArrayError e;
    char found[160];
    if (is_table(path))
        return complain(WRONG_INPUT, "%s: found a table, expected a folder of pictures or a .npy.  A table of pictures: spn-data pack FOLDER --labels %s.  One of numbers"
                        " becomes arrays by numpy, as docs/data.md shows", path, path);
    if (!array_map_npy(&l->source, path, &e))
        return complain_array(&e);
    const Array *a = &l->source;
    if (a->rank < 1 || a->rank > 5 || !array_count(a) || (a->type != ARRAY_U1 && a->type != ARRAY_F4 && a->type != ARRAY_F8))
        return complain(WRONG_INPUT, "%s: found %s %s, expected u1, f4 or f8 with an example in each row; numpy's astype converts", path,
                        array_type_name(a->type), array_shape_text(found, sizeof found, a));
    const int64_t *n = a->shape + 1;
    if (a->rank == 4 && array_channels_last(n)) {
        complain(FINE, "warning: %s has its channels last: [%" PRId64 ", %" PRId64 ", %" PRId64 "] is %" PRId64 " channels of %" PRId64 "x%" PRId64, path, n[0], n[1], n[2], n[0],
                 n[1], n[2]);
        complain(FINE, "channels stand first: [%" PRId64 ", %" PRId64 ", %" PRId64 "]; numpy's a.transpose(0, 3, 1, 2) brings data there", n[2], n[0], n[1]);
    }
    for (int64_t i = 0; i < a->shape[0]; i++)
        list_add(l)->row = i;
    return labels ? labels_from_array(l, labels, as) : FINE;
}
