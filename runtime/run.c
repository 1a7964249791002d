/* run.c -- what a run folder holds: checkpoints with weights, optimiser state and progress; a lock.
 *
 * A checkpoint keeps every block as exported arrays ("weights/NAME", "state0/NAME", ...), so any build of the model can
 * read its weights; to go on from it, the model hash must agree, because only then are the bits those of an
 * uninterrupted run. */
#define _DEFAULT_SOURCE
#include "run.h"
#include "checkpoint.h"
#include "json.h"
#include "message.h"
#include "weights.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

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
    if (flock(fd, LOCK_EX | LOCK_NB))
        fail(WRONG_INPUT, "%s: another training is running in this folder; wait for it, or choose another --run", run);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

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
    json_string(&w, "model", net.name);
    json_string(&w, "settings", net.settings);
    json_string(&w, "precision", net.precision);
    json_string(&w, "form", net.form);
    json_integer(&w, "batch", net.batch);
    json_string(&w, "yaml", net.yaml);
    json_integer(&w, "seed", (int64_t)p->seed);
    json_integer(&w, "updates", (int64_t)p->updates);
    json_integer(&w, "examples", p->examples);
    json_integer(&w, "epoch", p->epoch);
    json_integer(&w, "position", p->position);
    json_double(&w, "loss_sum", p->loss_sum);
    json_double(&w, "norm_sum", p->norm_sum);
    json_double(&w, "norm_most", p->norm_most);
    json_integer(&w, "steps", p->steps);
    json_double(&w, "train_seconds", p->train_seconds);
    json_integer(&w, "best_epoch", p->best_epoch);
    json_double(&w, "best", p->best);
    json_integer(&w, "log_bytes", p->log_bytes);
    json_close(&w);
    if (!json_end(&w))
        fail(ENVIRONMENT, "no memory for a checkpoint");
    return w.text;
}

void run_save(const char *run, const char *file, const Progress *p)
{
    static Array *arrays;                      /* made at the first checkpoint, and kept: later ones need no memory */
    static real *exported;
    char path[PATH_ROOM], prefix[32];
    int blocks = 1 + net.state_blocks;
    size_t n = weights_count();
    ArrayError e;
    if (!arrays) {
        arrays = need_memory((size_t)(blocks * net.param_count) * sizeof *arrays, "a checkpoint");
        exported = need_memory((size_t)blocks * n * sizeof *exported, "a checkpoint");
    }
    for (int k = 0; k < blocks; k++)
        weights_arrays(arrays + k * net.param_count, exported + (size_t)k * n, k ? net.state(k - 1) : net.weights(),
                       block_prefix(prefix, k - 1));
    char *facts = facts_of(p);
    run_path(path, sizeof path, run, file);
    if (!checkpoint_write(path, net.hash, net.signature, facts, arrays, blocks * net.param_count, &e))
        fail_array(&e);
    free(facts);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static void open_checkpoint(Checkpoint *c, Json *facts, const char *path)
{
    size_t limit = 3 * weights_count() * sizeof(double) + (size_t)net.param_count * 65536 + ((size_t)64 << 20);
    ArrayError e;
    char why[200];
    if (!checkpoint_read(c, path, limit, &e))
        fail_array(&e);
    if (!json_parse(facts, c->facts, strlen(c->facts), CHECKPOINT_TEXT, why, sizeof why))
        fail(WRONG_INPUT, "%s: its facts are no JSON: %s; the checkpoint is not one of a trainer", path, why);
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

static _Noreturn void fail_other_model(const Checkpoint *c, const JsonValue *facts, const char *path)
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

void run_resume(Progress *p, const char *run)
{
    char path[PATH_ROOM], prefix[32];
    Checkpoint c;
    Json facts;
    run_path(path, sizeof path, run, "last");
    open_checkpoint(&c, &facts, path);
    const JsonValue *f = facts.root;
    if (strcmp(c.hash, net.hash))
        fail_other_model(&c, f, path);
    weights_from_arrays(net.weights(), c.blocks, c.count, "weights/", path);
    for (int k = 0; k < net.state_blocks; k++)
        weights_from_arrays(net.state(k), c.blocks, c.count, block_prefix(prefix, k), path);
    *p = (Progress){
        .seed = (uint64_t)whole_of(f, "seed", path), .updates = (uint64_t)whole_of(f, "updates", path),
        .examples = whole_of(f, "examples", path), .epoch = (int)whole_of(f, "epoch", path),
        .position = whole_of(f, "position", path), .loss_sum = number_of(f, "loss_sum", path),
        .norm_sum = number_of(f, "norm_sum", path), .norm_most = number_of(f, "norm_most", path),
        .steps = whole_of(f, "steps", path), .train_seconds = number_of(f, "train_seconds", path),
        .best_epoch = (int)whole_of(f, "best_epoch", path), .best = number_of(f, "best", path),
        .log_bytes = whole_of(f, "log_bytes", path),
    };
    json_parse_free(&facts);
    checkpoint_free(&c);
}

void run_or_file_weights(const char *run, const char *weights, bool last)
{
    char path[PATH_ROOM];
    Checkpoint c;
    Json facts;
    if (!run == !weights)
        fail(WRONG_USAGE, "give either --run DIR or --weights FILE%s", run ? ", not both" : "");
    if (weights) {
        weights_load(net.weights(), weights);
        return;
    }
    const char *file = last || !run_has(run, "best") ? "last" : "best";
    if (!run_has(run, file))
        fail(WRONG_INPUT, "%s: there is no checkpoint in this folder; `%s train --run %s` makes one", run, net.name, run);
    run_path(path, sizeof path, run, file);
    open_checkpoint(&c, &facts, path);
    weights_from_arrays(net.weights(), c.blocks, c.count, "weights/", path);
    json_parse_free(&facts);
    checkpoint_free(&c);
}
