/* names.c -- the names of classes, from the folder of data and from a run.
 *
 * In: TARGET_classes.txt or run.json.  Out: names for predict, eval and the report.  Convention: bytes that are not UTF-8 become U+FFFD as they are
 * read, so that a name is the same from both. */
#include "run/names.h"
#include "files/array_io.h"
#include "files/text.h"
#include "run/data.h"
#include "run/message.h"
#include "run/run_file.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH_MOST = 1 << 18 };                /* bytes of all names that a run.json has room for */

static bool map(ArrayMap *m, char path[4096], const char *folder, const char *target, const char *file)
{
    return (size_t)snprintf(path, 4096, "%s/%s%s", folder, target, file) < 4096 && array_map_open(m, path, NULL);
}

static bool has_classes(int k) { return net.targets[k].type == LABELS && data_reader(k); }

/* A copy of text[0..n) as UTF-8. */
static char *copy(const char *text, size_t n)
{
    char *to = need_memory(3 * n + 1, "the names of classes"), *at = to;
    for (size_t i = 0; i < n;) {
        const size_t length = text_utf8(text + i, n - i);
        if (length) {
            memcpy(at, text + i, length);
            at += length;
        } else {
            memcpy(at, "\xef\xbf\xbd", 3);
            at += 3;
        }
        i += length ? length : 1;
    }
    return to;
}

static void none(Names *n) { n->of = need_memory((size_t)net.target_count * sizeof *n->of, "the names of classes"); }

static void forget(Names *n, int k)
{
    for (int c = 0; n->of[k] && c < net.targets[k].classes; c++)
        free(n->of[k][c]);
    free(n->of[k]);
    n->of[k] = NULL;
}

/* Lines of a whole file; the last may lack its end. */
static void read_lines(Names *n, int k, const char *path, const char *text, size_t size)
{
    const int classes = net.targets[k].classes;
    const char *at = text, *end = text + size;
    int count = 0;
    n->of[k] = need_memory((size_t)classes * sizeof **n->of, "the names of classes");
    for (; at < end; count++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        if (length && at[length - 1] == '\r')
            length--;
        if (count < classes)
            n->of[k][count] = copy(at, length);
        at = stop ? stop + 1 : end;
    }
    if (count == classes)
        return;
    warn("%s: %d line%s, but '%s' of %s has %d classes; numbers are shown in place of names", path, count, count == 1 ? "" : "s", net.targets[k].name,
         net.source, classes);
    forget(n, k);
}

void names_of_data(Names *n, const char *dir)
{
    none(n);
    for (int k = 0; k < net.target_count; k++) {
        char path[4096];
        ArrayMap file;
        if (!has_classes(k) || !map(&file, path, dir, net.targets[k].name, "_classes.txt"))
            continue;
        read_lines(n, k, path, (const char *)file.data, file.size);
        array_map_close(&file);
    }
}

void names_of_run(Names *n, const char *run)
{
    Json j;
    none(n);
    if (!run_json(&j, run, "run.json"))
        return;
    for (int k = 0; k < net.target_count; k++) {
        const JsonValue *list = json_get(json_get(j.root, "classes"), net.targets[k].name);
        int c = 0;
        if (!has_classes(k) || !list || list->kind != JSON_ARRAY || list->count != net.targets[k].classes)
            continue;
        n->of[k] = need_memory((size_t)list->count * sizeof **n->of, "the names of classes");
        for (const JsonValue *v = list->first; v; v = v->next)
            n->of[k][c++] = copy(v->kind == JSON_STRING ? v->string : "", v->kind == JSON_STRING ? strlen(v->string) : 0);
    }
    json_parse_free(&j);
}

/* The run's, with the folder's where it has none. */
static void join(Names *n, Names *data, const char *run, const char *dir)
{
    for (int k = 0; k < net.target_count; k++) {
        char **swap = n->of[k];
        if (!swap)
            n->of[k] = data->of[k], data->of[k] = swap;
        for (int c = 0; n->of[k] && data->of[k] && c < net.targets[k].classes; c++)
            if (strcmp(n->of[k][c], data->of[k][c])) {
                warn("%s/%s_classes.txt: class %d is '%s', but in %s it is '%s': the labels there are not the classes that the net has learnt", dir,
                     net.targets[k].name, c, data->of[k][c], run, n->of[k][c]);
                break;
            }
    }
}

void names_open(Names *n, const char *run, const char *dir)
{
    Names data;
    if (!run || !dir) {
        run ? names_of_run(n, run) : dir ? names_of_data(n, dir) : none(n);
        return;
    }
    names_of_run(n, run);
    names_of_data(&data, dir);
    join(n, &data, run, dir);
    names_close(&data);
}

void names_check(const char *run, const char *dir)
{
    Names names;
    names_open(&names, run, dir);
    names_close(&names);
}

void names_close(Names *n)
{
    for (int k = 0; n->of && k < net.target_count; k++)
        forget(n, k);
    free(n->of);
    n->of = NULL;
}

const char *names_class(const Names *n, int k, int class)
{
    return n->of && n->of[k] && class >= 0 && class < net.targets[k].classes ? n->of[k][class] : NULL;
}

void names_write(JsonWriter *w, const Names *n)
{
    size_t length = 0;
    for (int k = 0; k < net.target_count; k++)
        for (int c = 0; n->of[k] && c < net.targets[k].classes; c++)
            length += strlen(n->of[k][c]) + 4;
    if (!length || length > LENGTH_MOST)
        return;
    json_object(w, "classes");
    for (int k = 0; k < net.target_count; k++) {
        if (!n->of[k])
            continue;
        json_array(w, net.targets[k].name);
        for (int c = 0; c < net.targets[k].classes; c++)
            json_string(w, NULL, n->of[k][c]);
        json_close(w);
    }
    json_close(w);
}
