/* run.c -- what a run folder holds: checkpoints with weights, optimiser state and progress; a lock.
 *
 * A checkpoint keeps every block as exported arrays ("weights/NAME", "state0/NAME", ...), so any build of the model can
 * read its weights; to go on from it, the model hash must agree, because only then are the bits those of an
 * uninterrupted run.  At every moment one of `last` and `last.previous` is whole: a new checkpoint is written and synced
 * as `last.new`, `last` gets `last.previous` as a second name, and only then is it replaced. */
#define _DEFAULT_SOURCE
#include "run/run.h"
#include "files/json.h"
#include "run/container.h"
#include "run/message.h"
#include "run/settings.h"
#include "run/weights.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, ABANDONED = 3600 };   /* seconds after which a temporary is nobody's */

void run_path(char *path, size_t room, const char *run, const char *file)
{
    if ((size_t)snprintf(path, room, "%s/%s", run, file) >= room)
        fail(WRONG_INPUT, "%s: the path is too long", run);
}

bool run_has(const char *run, const char *file)
{
    char path[PATH_ROOM];
    run_path(path, sizeof path, run, file);
    return !access(path, F_OK);
}

bool run_has_last(const char *run) { return run_has(run, "last") || run_has(run, "last.previous"); }

/* Temporaries (.spn-PID-N.tmp, array_io.c) whose writer is dead, and a checkpoint that was not renamed any more. */
static void remove_leftovers(const char *run)
{
    DIR *d = opendir(run);
    for (struct dirent *f; d && (f = readdir(d));) {
        char path[PATH_ROOM];
        struct stat status;
        long pid = 0;
        size_t n = strlen(f->d_name);
        bool temporary = sscanf(f->d_name, ".spn-%ld-", &pid) == 1 && pid > 0 && n > 4 && !strcmp(f->d_name + n - 4, ".tmp");
        if (!temporary && strcmp(f->d_name, "last.new"))
            continue;
        run_path(path, sizeof path, run, f->d_name);
        bool dead = !temporary || pid == (long)getpid() || (kill((pid_t)pid, 0) && errno == ESRCH);
        if (dead || (!stat(path, &status) && time(NULL) - status.st_mtime > ABANDONED))
            unlink(path);
    }
    if (d)
        closedir(d);
}

void run_lock(const char *run)
{
    char path[PATH_ROOM];
    run_path(path, sizeof path, run, "lock");
    for (char *slash = path; (slash = strchr(slash + 1, '/')); *slash = '/') {
        *slash = '\0';
        if (mkdir(path, 0777) && errno != EEXIST)
            fail(ENVIRONMENT, "%s: the folder cannot be made: %s", path, strerror(errno));
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        fail(errno == ENOTDIR ? WRONG_INPUT : ENVIRONMENT, "%s: cannot be opened: %s", path, strerror(errno));
    for (int tries = 20; flock(fd, LOCK_EX | LOCK_NB); tries--) {
        if (errno != EWOULDBLOCK)
            fail(ENVIRONMENT, "%s: cannot be locked: %s", path, strerror(errno));
        if (!tries)
            fail(WRONG_INPUT, "%s: another training is running in this folder; wait for it, or choose another --run", run);
        nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);          /* a killed holder may take a moment to die */
    }
    remove_leftovers(run);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void write_model(JsonWriter *w)
{
    json_string(w, "model", net.name);
    json_string(w, "settings", net.settings);
    json_string(w, "precision", net.precision);
    json_string(w, "form", net.form);
    json_integer(w, "batch", net.batch);
}

bool run_describe(const char *run, const char *data, int threads, const Progress *p, ArrayError *e)
{
    char path[PATH_ROOM];
    JsonWriter w;
    ArrayOut out = { .fd = -1 };
    run_path(path, sizeof path, run, "run.json");
    json_begin(&w, NULL);
    json_object(&w, NULL);
    write_model(&w);
    json_string(&w, "source", net.source);
    json_string(&w, "signature", net.signature);
    json_string(&w, "model_hash", net.hash);
    json_string(&w, "target", net.target);
    json_integer(&w, "threads", threads);
    json_string(&w, "data", data);
    settings_write(&w, &p->training);
    transfer_write(&w, &p->init);
    json_close(&w);
    json_newline(&w);
    bool fine = json_end(&w) ? array_out_open(&out, path, e) && array_out_write(&out, w.text, w.length, e) && array_out_commit(&out, e)
                             : array_fail(e, ENVIRONMENT, path, "no memory to write it");
    array_out_abandon(&out);
    json_free(&w);
    return fine;
}

bool run_settings(NetTraining *training, const char *run)
{
    char path[PATH_ROOM], why[200];
    ArrayMap map;
    Json j;
    run_path(path, sizeof path, run, "run.json");
    if (!run_has(run, "run.json") || !array_map_open(&map, path, NULL))
        return false;
    bool fine = json_parse(&j, (const char *)map.data, map.size, 1 << 20, why, sizeof why);
    array_map_close(&map);
    if (!fine)
        return false;
    *training = net.training;
    settings_read(training, j.root);
    json_parse_free(&j);
    return true;
}

static const char *block_prefix(char *text, int k)           /* -1: weights */
{
    if (k < 0)
        return strcpy(text, "weights/");
    sprintf(text, "state%d/", k);
    return text;
}

static char *facts_of(const Progress *p)
{
    JsonWriter w;
    json_begin(&w, NULL);
    json_object(&w, NULL);
    write_model(&w);
    json_string(&w, "yaml", net.yaml);
    settings_write(&w, &p->training);
    transfer_write(&w, &p->init);
    json_integer(&w, "data", (int64_t)p->data);
    json_integer(&w, "updates", (int64_t)p->updates);
    json_integer(&w, "examples", p->examples);
    json_integer(&w, "epoch", p->epoch);
    json_integer(&w, "position", p->position);
    json_double(&w, "loss_sum", p->loss_sum);
    json_double(&w, "norm_sum", p->norm_sum);
    json_double(&w, "norm_most", p->norm_most);
    json_double(&w, "wrong", p->wrong);
    json_integer(&w, "steps", p->steps);
    json_double(&w, "train_seconds", p->train_seconds);
    json_integer(&w, "best_epoch", p->best_epoch);
    json_double(&w, "best", p->best);
    json_double(&w, "loss_first", p->loss_first);
    json_double(&w, "loss_smooth", p->loss_smooth);
    json_double(&w, "loss_least", p->loss_least);
    json_bool(&w, "exploded", p->exploded);
    json_integer(&w, "log_bytes", p->log_bytes);
    if (p->log_rest && *p->log_rest)
        json_string(&w, "log_rest", p->log_rest);
    json_close(&w);
    if (!json_end(&w))
        fail(ENVIRONMENT, "no memory for a checkpoint");
    return w.text;
}

void snapshot_open(Snapshot *s)
{
    size_t blocks = 1 + (size_t)net.state_blocks;
    *s = (Snapshot){ need_memory(blocks * (size_t)net.param_count * sizeof *s->arrays, "a checkpoint"),
                     need_memory(blocks * weights_count() * sizeof *s->exported, "a checkpoint"), NULL };
}

void snapshot_close(Snapshot *s)
{
    free(s->arrays);
    free(s->exported);
    free(s->facts);
}

void snapshot_take(Snapshot *s, const Progress *p)
{
    char prefix[32];
    for (int k = -1; k < net.state_blocks; k++)
        weights_arrays(s->arrays + (k + 1) * net.param_count, s->exported + (size_t)(k + 1) * weights_count(),
                       k < 0 ? net.weights() : net.state(k), block_prefix(prefix, k));
    free(s->facts);
    s->facts = facts_of(p);
}

/* `last` becomes last.previous too, by a second link, so that it is never missing.  If that cannot be done the checkpoint
 * before it stays: the new one is on the disk already, and more important. */
static void keep_previous(const char *run, const char *last)
{
    char previous[PATH_ROOM], link_path[PATH_ROOM], name[40];
    snprintf(name, sizeof name, ".spn-%ld-link.tmp", (long)getpid());
    run_path(previous, sizeof previous, run, "last.previous");
    run_path(link_path, sizeof link_path, run, name);
    unlink(link_path);
    if (!link(last, link_path)) {
        array_io.rename(link_path, previous);
        unlink(link_path);                     /* still there if both names were of one file already */
    } else if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) {
        array_io.rename(last, previous);       /* no links on this file system: then `last` is missing for a moment */
    }
}

static bool replace_last(const char *run, const char *written, ArrayError *e)
{
    char last[PATH_ROOM];
    run_path(last, sizeof last, run, "last");
    keep_previous(run, last);
    if (array_io.rename(written, last)) {
        array_fail(e, ENVIRONMENT, last, "cannot be renamed to: %s", strerror(errno));
        unlink(written);
        return false;
    }
    int fd = array_io.open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    bool fine = fd >= 0 && (!array_io.fsync(fd) || errno == EINVAL || errno == ENOTSUP);
    if (!fine)
        array_fail(e, ENVIRONMENT, last, "written, but its folder cannot be synced: %s", strerror(errno));
    if (fd >= 0)
        array_io.close(fd);
    return fine;
}

bool snapshot_save(const Snapshot *s, const char *run, const char *file, ArrayError *e)
{
    char path[PATH_ROOM];
    bool last = !strcmp(file, "last");
    run_path(path, sizeof path, run, last ? "last.new" : file);
    return container_write(path, net.hash, net.signature, s->facts, s->arrays, (1 + net.state_blocks) * net.param_count, e) &&
           (!last || replace_last(run, path, e));
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* false, with *e, only if the file cannot be read as a checkpoint at all. */
static bool open_checkpoint(Container *c, Json *facts, const char *path, ArrayError *e)
{
    size_t limit = 3 * weights_count() * sizeof(double) + (size_t)net.param_count * 65536 + ((size_t)64 << 20);
    char why[200];
    if (!container_read(c, path, limit, e))
        return false;
    if (!json_parse(facts, c->facts, strlen(c->facts), CONTAINER_TEXT, why, sizeof why))
        fail(WRONG_INPUT, "%s: its facts are no JSON: %s; the checkpoint is not one of a trainer", path, why);
    return true;
}

/* The newest checkpoint that is whole; its path in path[PATH_ROOM].  True if `last` is damaged and last.previous was taken. */
static bool open_newest(Container *c, Json *facts, char *path, const char *run)
{
    ArrayError e, older;
    bool there = run_has(run, "last");
    run_path(path, PATH_ROOM, run, "last");
    if (there && open_checkpoint(c, facts, path, &e))
        return false;
    if (there && (e.exit_code != WRONG_INPUT || !run_has(run, "last.previous")))
        fail_array(&e);
    run_path(path, PATH_ROOM, run, "last.previous");
    if (!open_checkpoint(c, facts, path, &older))
        there ? fail(WRONG_INPUT, "%s; and %s", e.text, older.text) : fail_array(&older);
    if (there)
        warn("%s; taking the checkpoint before it, %s", e.text, path);
    return there;
}

static const char *text_of(const JsonValue *facts, const char *key)
{
    const JsonValue *v = json_get(facts, key);
    return v && v->kind == JSON_STRING ? v->string : "?";
}

/* The first line in which two texts differ, quoted; returns its number, 0 if they are equal. */
static int first_difference(char *was, char *is, size_t room, const char *a, const char *b)
{
    for (int line = 1; *a || *b; line++) {
        size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");
        if (n != m || memcmp(a, b, n)) {
            snprintf(was, room, "%.*s", (int)(n < room ? n : room - 1), a);
            snprintf(is, room, "%.*s", (int)(m < room ? m : room - 1), b);
            return line;
        }
        a += n + (a[n] == '\n');
        b += m + (b[m] == '\n');
    }
    return 0;
}

static _Noreturn void fail_other_model(const Container *c, const JsonValue *facts, const char *path)
{
    char batch_was[24], batch_is[24], was[100], is[100], text[1200] = "";
    const JsonValue *b = json_get(facts, "batch");
    snprintf(batch_was, sizeof batch_was, "%" PRId64, b && b->whole ? b->integer : 0);
    snprintf(batch_is, sizeof batch_is, "%d", net.batch);
    const struct { const char *what, *was, *is; } rows[] = {
        { "model", text_of(facts, "model"), net.name },             { "settings", text_of(facts, "settings"), net.settings },
        { "batch", batch_was, batch_is },                           { "precision", text_of(facts, "precision"), net.precision },
        { "form", text_of(facts, "form"), net.form },               { "signature", c->signature, net.signature },
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && n < sizeof text; i++)
        if (strcmp(rows[i].was, rows[i].is))
            n += (size_t)snprintf(text + n, sizeof text - n, "; %s was '%.200s', is '%.200s'", rows[i].what, rows[i].was, rows[i].is);
    int line = first_difference(was, is, sizeof was, text_of(facts, "yaml"), net.yaml);
    if (line && n < sizeof text)
        n += (size_t)snprintf(text + n, sizeof text - n, "; line %d of the model was '%s', is '%s'", line, was, is);
    if (!n)
        snprintf(text, sizeof text, "; the model file is the same, so it was another version of spnc or of its options");
    fail(WRONG_INPUT, "%s: belongs to model hash %s, this program is %s%s.  Build the program as it was, or start a new run"
         " (`export` still gives its weights)", path, c->hash, net.hash, text);
}

static double number_of(const JsonValue *facts, const char *key, const char *path)
{
    const JsonValue *v = json_get(facts, key);
    if (!v || v->kind != JSON_NUMBER)
        fail(WRONG_INPUT, "%s: the number '%s' is missing in its facts; the checkpoint is not one of a trainer", path, key);
    return v->number;
}

static int64_t whole_of(const JsonValue *facts, const char *key, const char *path)
{
    number_of(facts, key, path);
    return json_get(facts, key)->integer;
}

/* A number that older checkpoints do not have. */
static double number_or(const JsonValue *facts, const char *key, double otherwise)
{
    const JsonValue *v = json_get(facts, key);
    return v && v->kind == JSON_NUMBER ? v->number : otherwise;
}

static void read_progress(Progress *p, const JsonValue *f, const char *path)
{
    const JsonValue *exploded = json_get(f, "exploded"), *rest = json_get(f, "log_rest"), *data = json_get(f, "data");
    const JsonValue *seed = json_get(f, "seed");
    *p = (Progress){
        .training = net.training, .updates = (uint64_t)whole_of(f, "updates", path),
        .data = data && data->whole ? (uint64_t)data->integer : 0,
        .examples = whole_of(f, "examples", path), .epoch = (int)whole_of(f, "epoch", path),
        .position = whole_of(f, "position", path), .loss_sum = number_of(f, "loss_sum", path),
        .norm_sum = number_of(f, "norm_sum", path), .norm_most = number_of(f, "norm_most", path),
        .wrong = number_or(f, "wrong", 0), .steps = whole_of(f, "steps", path),
        .train_seconds = number_of(f, "train_seconds", path),
        .loss_first = number_or(f, "loss_first", 0), .loss_smooth = number_or(f, "loss_smooth", 0),
        .loss_least = number_or(f, "loss_least", 0), .exploded = exploded && exploded->truth,
        .best_epoch = (int)whole_of(f, "best_epoch", path), .best = number_of(f, "best", path),
        .log_bytes = whole_of(f, "log_bytes", path),
    };
    if (seed && seed->whole)                   /* where older checkpoints have it */
        p->training.seed = (uint64_t)seed->integer;
    settings_read(&p->training, f);
    if (json_get(f, "init"))
        transfer_read(&p->init, json_get(f, "init"));
    if (rest && rest->kind == JSON_STRING) {
        char *copy = need_memory(strlen(rest->string) + 1, path);
        p->log_rest = strcpy(copy, rest->string);
    }
}

void run_resume(Progress *p, const char *run)
{
    char path[PATH_ROOM], damaged[PATH_ROOM], last[PATH_ROOM], prefix[32];
    Container c;
    Json facts;
    bool fell_back = open_newest(&c, &facts, path, run);
    if (strcmp(c.hash, net.hash))
        fail_other_model(&c, facts.root, path);
    weights_from_arrays(net.weights(), c.blocks, c.count, "weights/", path);
    for (int k = 0; k < net.state_blocks; k++)
        weights_from_arrays(net.state(k), c.blocks, c.count, block_prefix(prefix, k), path);
    read_progress(p, facts.root, path);
    if (fell_back) {                           /* out of the way: it must not become the previous of the next checkpoint */
        run_path(last, sizeof last, run, "last");
        run_path(damaged, sizeof damaged, run, "last.damaged");
        if (array_io.rename(last, damaged))
            fail(ENVIRONMENT, "%s: cannot be renamed: %s", last, strerror(errno));
    }
    json_parse_free(&facts);
    container_free(&c);
}

void run_or_file_weights(const char *run, const char *weights, bool last)
{
    char path[PATH_ROOM];
    Container c;
    Json facts;
    ArrayError e;
    if (!run == !weights)
        fail(WRONG_USAGE, "give either --run DIR or --weights FILE%s", run ? ", not both" : "");
    if (weights) {
        weights_load(net.weights(), weights);
        return;
    }
    bool best = !last && run_has(run, "best");
    if (!best && !run_has_last(run))
        fail(WRONG_INPUT, "%s: there is no checkpoint in this folder; `%s train --run %s` makes one", run, net.name, run);
    run_path(path, sizeof path, run, "best");
    if (!best)
        open_newest(&c, &facts, path, run);
    else if (!open_checkpoint(&c, &facts, path, &e))
        fail_array(&e);
    weights_from_arrays(net.weights(), c.blocks, c.count, "weights/", path);
    json_parse_free(&facts);
    container_free(&c);
}
