/* history.c -- reads a run's JSON lines, and keeps two small files of its own there.
 *
 * A killed run may have left part of a line: a line that is no whole JSON object is skipped, and
 * of several lines for one epoch the last one counts. */
#define _DEFAULT_SOURCE
#include "report/history.h"
#include "files/json.h"
#include "run/epoch.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void *grown(void *old, size_t bytes)
{
    void *p = realloc(old, bytes);
    if (!p)
        fail(ENVIRONMENT, "no memory for the history of a run");
    return p;
}

/* ---- log.jsonl --------------------------------------------------------------------------------------------------------- */

enum { COLUMNS = 8 };

static double **column(History *h, int i)
{
    double **all[COLUMNS] = { &h->epoch, &h->train_loss, &h->valid_loss, &h->valid_error, &h->rate, &h->grad_norm, &h->seconds, &h->speed };
    return all[i];
}

static void log_row(void *to, const JsonValue *object)
{
    History *h = to;
    Epoch e;
    if (!epoch_read(&e, object))
        return;
    while (h->count && h->epoch[h->count - 1] >= e.epoch)
        h->count--;
    const double values[COLUMNS] = { e.epoch, e.train_loss, e.valid_loss, *e.error_is ? (double)NAN : e.valid_error, e.rate, e.grad_norm, e.seconds,
                                     e.images_per_second };
    for (int i = 0; i < COLUMNS; i++) {
        double **to_column = column(h, i);
        *to_column = grown(*to_column, ((size_t)h->count + 1) * sizeof **to_column);
        (*to_column)[h->count] = values[i];
    }
    if (h->best >= h->count)
        h->best = -1;
    if (e.best)
        h->best = h->count;
    h->count++;
}

void history_read(History *h, const char *run)
{
    *h = (History){ .best = -1 };
    run_lines(run, "log.jsonl", log_row, h);
}

void history_free(History *h)
{
    for (int i = 0; i < COLUMNS; i++)
        free(*column(h, i));
    *h = (History){ 0 };
}

/* ---- transforms.jsonl ---------------------------------------------------------------------------------------------------- */

static void write_watched(JsonWriter *w, const View *v, int example)
{
    json_object(w, NULL);
    json_integer(w, "example", example);
    for (int l = 0; l < v->looker_count; l++) {
        if (v->looker[l].transform < 0)
            continue;
        const NetValue *value = &net.values[v->looker[l].transform];
        json_array(w, value->name);
        for (int step = 0; step < v->looker[l].steps; step++) {
            json_array(w, NULL);
            for (size_t e = 0; e < 6; e++)
                json_float(w, NULL, (float)net.activations()[value_index(value, example, step, e)]);
            json_close(w);
        }
        json_close(w);
    }
    json_close(w);
}

/* A torn last line is ended first, so that it spoils no other. */
static bool append(const char *path, const char *text, size_t length, ArrayError *e)
{
    const char *file = path;
    int at = array_io_at(&file), fd = array_io_open_regular(at, file, O_RDWR | O_CREAT | O_APPEND);
    char last = '\n';
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    bool fine = fd >= 0 && size >= 0 && (size == 0 || pread(fd, &last, 1, size - 1) == 1) && (last == '\n' || write(fd, "\n", 1) == 1) &&
                write(fd, text, length) == (ssize_t)length;
    int reason = errno;
    if (fd >= 0 && close(fd) && fine)
        fine = false, reason = errno;
    return fine || array_fail(e, 74, path, "cannot be written: %s", strerror(reason));
}

bool watch_add(const char *run, const View *v, Data *valid, int epoch, ArrayError *e)
{
    char path[4096];
    JsonWriter w;
    Batch batch = { 0 };
    if (!v->looker_count || v->looker[v->main].transform < 0)
        return true;
    data_batch(&batch, valid, NULL, 0);
    batch.count = batch.count < WATCHED ? batch.count : WATCHED;
    net.forward(&batch, NULL);
    json_begin(&w, NULL);
    json_object(&w, NULL);
    json_integer(&w, "epoch", epoch);
    json_array(&w, "examples");
    for (int n = 0; n < batch.count; n++)
        write_watched(&w, v, n);
    json_close(&w);
    json_close(&w);
    json_newline(&w);
    run_path(path, sizeof path, run, "transforms.jsonl");
    bool fine = json_end(&w) ? append(path, w.text, w.length, e) : array_fail(e, 74, path, "no memory for a line");
    json_free(&w);
    return fine;
}

typedef struct { Watch *watch; const View *view; } Watching;

static bool read_transform(double to[6], const JsonValue *numbers)
{
    const JsonValue *n = numbers && numbers->kind == JSON_ARRAY && numbers->count == 6 ? numbers->first : NULL;
    for (int e = 0; n; n = n->next, e++)
        to[e] = n->kind == JSON_NUMBER ? n->number : NAN;
    return numbers && numbers->kind == JSON_ARRAY && numbers->count == 6;
}

static void watch_row(void *to, const JsonValue *object)
{
    Watch *w = ((Watching *)to)->watch;
    const View *v = ((Watching *)to)->view;
    const JsonValue *epoch = json_get(object, "epoch"), *examples = json_get(object, "examples");
    if (!epoch || !epoch->whole || epoch->integer < 0 || epoch->integer > 1000000000 || !examples || examples->kind != JSON_ARRAY ||
        !examples->count || (w->examples && examples->count != w->examples) || examples->count > WATCHED)
        return;
    while (w->count && w->epoch[w->count - 1] >= epoch->integer)
        w->count--;
    w->examples = examples->count;
    size_t frame = (size_t)w->examples * (size_t)v->views;
    w->epoch = grown(w->epoch, ((size_t)w->count + 1) * sizeof *w->epoch);
    w->transform = grown(w->transform, ((size_t)w->count + 1) * frame * sizeof *w->transform);
    double (*at)[6] = w->transform + (size_t)w->count * frame;
    for (const JsonValue *example = examples->first; example; example = example->next)
        for (int l = 0; l < v->looker_count; l++) {
            int transform = v->looker[l].transform;
            const JsonValue *steps = transform < 0 ? NULL : json_get(example, net.values[transform].name);
            const JsonValue *step = steps && steps->kind == JSON_ARRAY ? steps->first : NULL;
            for (int i = 0; i < v->looker[l].steps; i++, at++, step = step ? step->next : NULL)
                if (!read_transform(*at, step))
                    for (int e = 0; e < 6; e++)
                        (*at)[e] = NAN;
        }
    w->epoch[w->count++] = (int)epoch->integer;
}

void watch_read(Watch *w, const char *run, const View *v)
{
    *w = (Watch){ 0 };
    run_lines(run, "transforms.jsonl", watch_row, &(Watching){ w, v });
}

void watch_free(Watch *w)
{
    free(w->epoch);
    free(w->transform);
    *w = (Watch){ 0 };
}

const double *watch_at(const Watch *w, const View *v, int frame, int example, int view)
{
    return w->transform[((size_t)frame * (size_t)w->examples + (size_t)example) * (size_t)v->views + (size_t)view];
}

/* ---- machine.json ---------------------------------------------------------------------------------------------------------- */

#ifdef __clang__
#define COMPILER ""                            /* its version names it */
#else
#define COMPILER "gcc "
#endif

static void processor_name(char *name, size_t room)
{
    char line[512];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(name, room, "unknown");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (!strncmp(line, "model name", 10) && colon) {
            snprintf(name, room, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    if (f)
        fclose(f);
}

bool machine_write(const char *run, ArrayError *e)
{
    char path[4096], name[256], system[512];
    struct utsname u;
    JsonWriter w;
    ArrayOut out = { .fd = -1 };
    if (run_has(run, "machine.json"))
        return true;
    run_path(path, sizeof path, run, "machine.json");
    processor_name(name, sizeof name);
    snprintf(system, sizeof system, uname(&u) ? "unknown" : "%.100s %.100s, %.100s", u.sysname, u.release, u.machine);
    json_begin(&w, NULL);
    json_object(&w, NULL);
    json_string(&w, "processor", name);
    json_integer(&w, "processors", sysconf(_SC_NPROCESSORS_ONLN));
    json_integer(&w, "memory_mb", (int64_t)sysconf(_SC_PHYS_PAGES) / 1024 * (sysconf(_SC_PAGESIZE) / 1024));
    json_string(&w, "system", system);
    json_string(&w, "compiler", COMPILER __VERSION__);
    json_close(&w);
    json_newline(&w);
    bool fine = json_end(&w) && array_out_open(&out, path, e) && array_out_write(&out, w.text, w.length, e) && array_out_commit(&out, e);
    json_free(&w);
    return fine;
}
