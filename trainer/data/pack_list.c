/* pack_list.c -- lists the examples for `spn-data pack`: pictures in folders, pictures named in a table, rows of arrays.
 *
 * Reads folders, the table or the arrays' headers; makes the List that pack.c reads.  Pictures themselves are not
 * opened here.  Names are in natural order (img2 before img10); a class is its folder's index in that order. */
#define _GNU_SOURCE
#include "data/pack.h"
#include "files/decode.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LABELS_MOST = 64, CLASS_MOST = 1000000 };

void *need(void *old, size_t bytes)
{
    void *memory = realloc(old, bytes ? bytes : 1);
    if (memory)
        return memory;
    take_back();
    exit(complain(ENVIRONMENT, "memory is out: %zu bytes", bytes));
}

/* Memory that stays until the program ends: names, which the List points at. */
static char *keep(size_t bytes)
{
    static struct Kept { struct Kept *next; char bytes[]; } *all;
    struct Kept *one = need(NULL, sizeof *one + bytes);
    one->next = all;
    all = one;
    return one->bytes;
}

static char *copy_of(const char *text) { return strcpy(keep(strlen(text) + 1), text); }

static Item *add_item(List *l)
{
    if (l->count == l->room)
        l->items = need(l->items, (size_t)(l->room = 2 * l->room + 256) * sizeof *l->items);
    l->items[l->count] = (Item){ .split = DRAWN };
    return &l->items[l->count++];
}

static int by_name(const void *a, const void *b) { return strverscmp(*(char *const *)a, *(char *const *)b); }

/* Sorted, each once; returns how many are left. */
static int sort_names(char **names, int count)
{
    int kept = 0;
    if (count)
        qsort(names, (size_t)count, sizeof *names, by_name);
    for (int i = 0; i < count; i++)
        if (!kept || strcmp(names[kept - 1], names[i]))
            names[kept++] = names[i];
    return kept;
}

static int place_of(char **names, int count, const char *name)
{
    char **at = count ? bsearch(&name, names, (size_t)count, sizeof *names, by_name) : NULL;
    return at ? (int)(at - names) : -1;
}

static void one_label(List *l)
{
    l->label_type = ARRAY_I4;
    l->label_bytes = sizeof(int32_t);
}

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

/* The entries of a folder, sorted, without hidden names. */
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
        } else if (*name != '.') {
            const bool folder = is_folder(child), picture = !folder && decode_is_name(name);
            char ***list = folder ? &k->folders : &k->pictures;
            int *n = folder ? &k->folder_count : &k->picture_count;
            if (folder || picture) {
                *list = need(*list, (size_t)(*n + 1) * sizeof **list);
                (*list)[(*n)++] = copy_of(folder ? name : child);
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
        printf("%s: %" PRId64 " file%s left out, no " DECODE_ENDINGS ": %s%s\n", path, k->others, k->others == 1 ? "" : "s", k->other,
               k->others > 1 ? ", ..." : "");
}

static int is_split(const char *name)
{
    for (int s = 0; s < SPLITS; s++)
        if (!strcmp(name, split_names[s]))
            return s;
    return -1;
}

/* The classes below `folder` join l->classes, which are sorted when all are known. */
static int collect_classes(List *l, const char *folder)
{
    Listing k;
    const int code = look_into(&k, folder);
    for (int i = 0; code == FINE && i < k.folder_count; i++) {
        l->classes = need(l->classes, (size_t)(l->class_count + 1) * sizeof *l->classes);
        l->classes[l->class_count++] = k.folders[i];
    }
    listing_free(&k);
    return code;
}

static void add_pictures(List *l, const Listing *k, int split, int label)
{
    for (int i = 0; i < k->picture_count; i++) {
        *add_item(l) = (Item){ .path = k->pictures[i], .split = split };
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
                        is_split(class) >= 0 ? ".  Splits are folders train, valid, test and nothing beside them" : "");
    if (code == FINE) {
        say_others(path, &k);
        if (!k.picture_count)
            printf("%s: no picture in this folder\n", path);
        add_pictures(l, &k, split, place_of(l->classes, l->class_count, class));
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
        splits += is_split(k.folders[i]) >= 0;
    const bool by_split = splits && splits == k.folder_count && !k.picture_count;
    for (int i = 0; code == FINE && by_split && i < k.folder_count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, k.folders[i]);
        code = collect_classes(l, path);
    }
    if (code == FINE && !by_split)
        code = collect_classes(l, folder);
    l->class_count = sort_names(l->classes, l->class_count);
    for (int i = 0; code == FINE && by_split && i < k.folder_count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, k.folders[i]);
        code = add_folder(l, path, is_split(k.folders[i]));
    }
    if (code == FINE && !by_split)
        code = add_folder(l, folder, DRAWN);
    if (code == FINE && !l->count)
        code = complain(WRONG_INPUT, "%s: no picture found; expected " DECODE_ENDINGS " files in a folder for each class", folder);
    listing_free(&k);
    if (l->labels)
        one_label(l);
    return code;
}

/* ---- a table --------------------------------------------------------------------------------------------------------- */

static int read_text(char **text, const char *path)
{
    ArrayMap map;
    ArrayError e;
    if (!array_map_open(&map, path, &e))
        return complain_array(&e);
    *text = keep(map.size + 1);
    memcpy(*text, map.data, map.size);
    (*text)[map.size] = '\0';
    const bool whole = strlen(*text) == map.size;
    array_map_close(&map);
    return whole ? FINE : complain(WRONG_INPUT, "%s: found a byte 0, expected lines of text: file,label[,label...]", path);
}

/* The next cell of *at, which is cut in place; "a ""quoted"" cell" as spreadsheets write it.  NULL at the line's end. */
static char *take_cell(char **at, char separator)
{
    char *cell = *at, *to = cell;
    if (!cell)
        return NULL;
    if (*cell == '"') {
        char *from = cell + 1;
        for (; *from && !(*from == '"' && from[1] != '"'); from++)
            from += *from == '"', *to++ = *from;
        char *end = strchr(from, separator);
        *to = '\0';
        *at = end ? end + 1 : NULL;
        return cell;
    }
    char *end = strchr(cell, separator);
    *at = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    while (*cell == ' ')
        cell++;
    for (to = cell + strlen(cell); to > cell && (to[-1] == ' ' || to[-1] == '\t'); to--)
        to[-1] = '\0';
    return cell;
}

static bool is_header(const char *cell)
{
    static const char *const words[] = { "file", "filename", "image", "path", "name" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(cell, words[i]))
            return true;
    return false;
}

static bool is_number(const char *text)
{
    const size_t n = strspn(text, "0123456789");
    return n && n < 10 && !text[n];
}

/* Words become classes; numbers stay what they are. */
static int number_labels(List *l, char **words, const char *table)
{
    const int64_t n = l->count * (int64_t)(l->label_bytes / sizeof(int32_t));
    int32_t *labels = need(NULL, (size_t)n * sizeof *labels);
    bool numbers = true;
    for (int64_t i = 0; i < n; i++)
        numbers = numbers && is_number(words[i]);
    if (!numbers) {
        l->classes = need(NULL, (size_t)n * sizeof *l->classes);
        memcpy(l->classes, words, (size_t)n * sizeof *words);
        l->class_count = n <= INT_MAX ? sort_names(l->classes, (int)n) : INT_MAX;
    }
    for (int64_t i = 0; i < n; i++) {
        labels[i] = numbers ? (int32_t)strtol(words[i], NULL, 10) : place_of(l->classes, l->class_count, words[i]);
        if (numbers && labels[i] >= l->class_count)
            l->class_count = labels[i] + 1;
    }
    l->labels = labels;
    return l->class_count <= CLASS_MOST ? FINE : complain(WRONG_INPUT, "%s: %d classes are too many; the most is %d", table, l->class_count, CLASS_MOST);
}

typedef struct { const char *path; int line; } Named;
static int by_path(const void *a, const void *b)
{
    const Named *x = a, *y = b;
    const int order = strcmp(x->path, y->path);
    return order ? order : x->line - y->line;
}

/* A file listed twice might be in the training and in the test split. */
static int refuse_twice(const List *l, const int *lines, const char *table)
{
    Named *names = need(NULL, (size_t)l->count * sizeof *names);
    int code = FINE;
    for (int64_t i = 0; i < l->count; i++)
        names[i] = (Named){ l->items[i].path, lines[i] };
    qsort(names, (size_t)l->count, sizeof *names, by_path);
    for (int64_t i = 1; code == FINE && i < l->count; i++)
        if (!strcmp(names[i - 1].path, names[i].path))
            code = complain(WRONG_INPUT, "%s:%d: %s stands in line %d already; expected each file once", table, names[i].line, names[i].path,
                            names[i - 1].line);
    free(names);
    return code;
}

typedef struct { char **words; int *lines, per; } Table;       /* words [count][per]; the line of each item */

/* One line, cut into its cells. */
static int add_line(List *l, Table *t, char *line, int number, char separator, const char *folder, const char *table)
{
    char *at = line, *cell, path[PATH_MAX];
    const char *file = take_cell(&at, separator);
    if (number == 1 && is_header(file))
        return FINE;
    const bool absolute = *file == '/';
    if (!*file || (size_t)snprintf(path, sizeof path, "%s%s%s", absolute ? "" : folder, absolute ? "" : "/", file) >= sizeof path)
        return complain(WRONG_INPUT, "%s:%d: found no name of a file, expected file,label[,label...]", table, number);
    if (access(path, R_OK))
        return complain(WRONG_INPUT, "%s:%d: %s: %s; files are looked for in %s", table, number, path, strerror(errno), folder);
    add_item(l)->path = copy_of(path);
    const int width = t->per ? t->per : LABELS_MOST;
    t->lines = need(t->lines, (size_t)l->room * sizeof *t->lines);
    t->words = need(t->words, (size_t)(l->room * width) * sizeof *t->words);
    t->lines[l->count - 1] = number;
    int found = 0;
    for (; (cell = take_cell(&at, separator)); found++) {
        if (found == LABELS_MOST || !*cell)
            return complain(WRONG_INPUT, "%s:%d: label %d is %s", table, number, found + 1, *cell ? "one too many; the most is 64" : "empty");
        if (found < width)
            t->words[(l->count - 1) * width + found] = cell;
    }
    if (!found || (t->per && found != t->per))
        return complain(WRONG_INPUT, "%s:%d: %d label%s, expected %s%.0d", table, number, found, found == 1 ? "" : "s",
                        t->per ? "as many as in the lines before: " : "file,label[,label...]", t->per);
    t->per = found;
    return FINE;
}

int list_table(List *l, const char *folder, const char *table)
{
    char *text = NULL;
    Table t = { 0 };
    int code = read_text(&text, table);
    if (code != FINE)
        return code;
    const char separator = strchr(text, '\t') ? '\t' : strchr(text, ',') || !strchr(text, ';') ? ',' : ';';
    char *next = strncmp(text, "\xef\xbb\xbf", 3) ? text : text + 3;           /* some editors begin with this mark */
    for (int number = 1; code == FINE && next && *next; number++) {
        char *line = next;
        const size_t length = strcspn(line, "\r\n");
        next = line[length] == '\r' && line[length + 1] == '\n' ? line + length + 2 : line[length] ? line + length + 1 : NULL;
        line[length] = '\0';
        if (line[strspn(line, " \t")])
            code = add_line(l, &t, line, number, separator, folder, table);
    }
    if (code == FINE && !l->count)
        code = complain(WRONG_INPUT, "%s: no line in it, expected file,label[,label...]", table);
    l->label_type = ARRAY_I4;
    l->label_rank = t.per > 1;
    l->label_shape[0] = t.per;
    l->label_bytes = (size_t)t.per * sizeof(int32_t);
    if (code == FINE)
        code = number_labels(l, t.words, table);
    if (code == FINE)
        code = refuse_twice(l, t.lines, table);
    free(t.lines);
    free(t.words);
    return code;
}

/* ---- arrays ---------------------------------------------------------------------------------------------------------- */

static int64_t whole_at(const Array *a, int64_t i)
{
    switch (a->type) {
    case ARRAY_U1: return ((const uint8_t *)a->data)[i];
    case ARRAY_I1: return ((const int8_t *)a->data)[i];
    case ARRAY_U2: return ((const uint16_t *)a->data)[i];
    case ARRAY_I2: return ((const int16_t *)a->data)[i];
    case ARRAY_U4: return ((const uint32_t *)a->data)[i];
    case ARRAY_I4: return ((const int32_t *)a->data)[i];
    default: return ((const int64_t *)a->data)[i];     /* u8 beyond int64 comes out negative, which no label may be */
    }
}

static int array_labels(List *l, const char *path)
{
    Array a;
    ArrayError e;
    char found[160];
    if (!array_map_npy(&a, path, &e))
        return complain_array(&e);
    const bool real = a.type == ARRAY_F4 || a.type == ARRAY_F8;
    if (a.rank < 1 || a.rank > (real ? 5 : 2) || a.shape[0] != l->count || !array_count(&a))
        return complain(WRONG_INPUT, "%s: found %s %s, expected labels of %" PRId64 " examples, [N] or [N][K]", path, array_type_name(a.type),
                        array_shape_text(found, sizeof found, &a), l->count);
    const int64_t n = array_count(&a), per = n / l->count;
    l->label_type = real ? ARRAY_F4 : ARRAY_I4;
    l->label_rank = real && a.rank == 1 ? 1 : a.rank - 1;                       /* a lone real number is a target of shape [1] */
    l->label_shape[0] = 1;
    memcpy(l->label_shape, a.shape + 1, sizeof *a.shape * (size_t)(a.rank - 1));
    l->label_bytes = (size_t)per * 4;
    l->labels = need(NULL, (size_t)n * 4);
    int code = FINE;
    for (int64_t i = 0; code == FINE && i < n; i++) {
        const double v = a.type == ARRAY_F4 ? (double)((const float *)a.data)[i] : a.type == ARRAY_F8 ? ((const double *)a.data)[i] : 0;
        const int64_t w = real ? 0 : whole_at(&a, i);
        if (!isfinite((float)v))
            code = complain(WRONG_INPUT, "%s: target %" PRId64 " of example %" PRId64 " is %g, expected a finite number", path, i % per, i / per, v);
        if (w < 0 || w >= CLASS_MOST)
            code = complain(WRONG_INPUT, "%s: label %" PRId64 " of example %" PRId64 ", expected 0 to %d", path, w, i / per, CLASS_MOST - 1);
        if (real)
            ((float *)l->labels)[i] = (float)v;
        else
            ((int32_t *)l->labels)[i] = (int32_t)w;
        l->class_count = w >= l->class_count && !real ? (int)w + 1 : l->class_count;
    }
    array_free(&a);
    return code;
}

int list_array(List *l, const char *path, const char *labels)
{
    ArrayError e;
    char found[160];
    if (!array_map_npy(&l->source, path, &e))
        return complain_array(&e);
    const Array *a = &l->source;
    if (a->rank < 1 || a->rank > 5 || !array_count(a) || (a->type != ARRAY_U1 && a->type != ARRAY_F4 && a->type != ARRAY_F8))
        return complain(WRONG_INPUT, "%s: found %s %s, expected u1, f4 or f8 with an example in each row; numpy's astype converts", path,
                        array_type_name(a->type), array_shape_text(found, sizeof found, a));
    for (int64_t i = 0; i < a->shape[0]; i++)
        add_item(l)->row = i;
    return labels ? array_labels(l, labels) : FINE;
}
