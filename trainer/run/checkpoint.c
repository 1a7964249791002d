/* checkpoint.c -- the format of a checkpoint; writes and reads it.  docs/checkpoint.md describes it without C.
 *
 *   arrays     "weights/NAME" for each parameter NAME, "state0/NAME", ... for each block of the optimiser's state, as exported
 *              (weights.h), so that any build of the model can read the weights; "gathered/NAME" and "average/NAME" where the net keeps
 *              them; "buffers/NAME" for each running statistic
 *   signature  names and shapes of the parameters
 *   hash       of the model: to resume, it must be the program's, because only then are the bits those of an uninterrupted run
 *   facts      a JSON object: the rows of `net_rows`, settings.c, transfer.c and `run_rows`, in this order
 *
 * container.c lays these out as bytes.  Convention: a row describes a fact completely.  A file has no version number: an older file lacks
 * the facts that came later, and each of these has a default.
 *
 *   version 1  the first; it has train.seed as "seed"
 *   version 2  the settings of training; what notices other data, a loss that explodes, wrong labels, and a full disk
 *   version 3  init
 *   version 4  dropout
 *   version 5  train.warm_up */
#include "run/checkpoint.h"
#include "run/message.h"
#include "run/weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table ------------------------------------------------------------------------------------------------------ */

/* Name, kind, place, least, most, version, and the rest by its name (field.h). */
#define NET(member) 0, 0, 0, 1, .own = &net.member
static const Field net_rows[] = {
    { "model", FIELD_TEXT, NET(name), .what = "name of the model" },
    { "settings", FIELD_TEXT, NET(settings), .what = "its parameters' values" },
    { "precision", FIELD_TEXT, NET(precision), .what = "float or double" },
    { "form", FIELD_TEXT, NET(form), .what = "fast or plain" },
    { "batch", FIELD_INT, 0, 1, FIELD_INT_MOST, 1, .own = &net.batch, .what = "examples of a step" },
    { "yaml", FIELD_TEXT, NET(yaml), .what = "the model file" },
};

#define RUN(member) offsetof(Progress, member)
static const Field run_rows[] = {
    { "data", FIELD_LONG, RUN(data), 0, UINT32_MAX, 2,
      .what = "CRC-32 of the training split's labels and of some rows of its inputs; 0: unknown" },
    { "updates", FIELD_LONG, RUN(updates), 0, FIELD_WHOLE_MOST, 1, .what = "updates done" },
    { "examples", FIELD_LONG, RUN(examples), 1, INT32_MAX, 1, .what = "examples of the training split" },
    { "epoch", FIELD_INT, RUN(epoch), 0, FIELD_INT_MOST, 1, .what = "epochs done, so also the number of the running one" },
    { "position", FIELD_LONG, RUN(position), 0, INT32_MAX, 1, .limit = "examples", .what = "examples of the running epoch that are done" },
    { "loss_sum", FIELD_REAL, RUN(loss_sum), -INFINITY, INFINITY, 1, .what = "sum over these: each batch's loss times its examples" },
    { "norm_sum", FIELD_REAL, RUN(norm_sum), 0, INFINITY, 1, .what = "sum over their updates: the norm of the gradient before clipping" },
    { "norm_most", FIELD_REAL, RUN(norm_most), 0, INFINITY, 1, .what = "the largest of these norms" },
    { "wrong", FIELD_REAL, RUN(wrong), 0, INT32_MAX, 2, .limit = "examples",
      .what = "their wrong labels, each as examples / labels of its target that count in the split; the mean over targets" },
    { "steps", FIELD_LONG, RUN(steps), 0, INT32_MAX, 1, .limit = "examples", .what = "steps of the running epoch: its batches that are done" },
    { "train_seconds", FIELD_REAL, RUN(train_seconds), 0, INFINITY, 1, .what = "seconds that these took" },
    { "best_epoch", FIELD_INT, RUN(best_epoch), -1, FIELD_INT_MOST, 1, .limit = "epoch",
      .what = "the epoch that is kept as `best`; -1: none yet" },
    { "best", FIELD_REAL, RUN(best), -INFINITY, INFINITY, 1, .what = "its validation error, or loss where there are no labels" },
    { "loss_first", FIELD_REAL, RUN(loss_first), -INFINITY, INFINITY, 2, .what = "the first step's loss" },
    { "loss_smooth", FIELD_REAL, RUN(loss_smooth), -INFINITY, INFINITY, 2, .what = "the loss, smoothed over some 32 steps" },
    { "loss_least", FIELD_REAL, RUN(loss_least), -INFINITY, INFINITY, 2, .what = "the least of the smoothed losses" },
    { "exploded", FIELD_FLAG, RUN(exploded), 0, 0, 2, .what = "whether the loss has been said to explode" },
    { "log_bytes", FIELD_LONG, RUN(log_bytes), 0, FIELD_WHOLE_MOST, 1, .what = "bytes of log.jsonl that belong to this checkpoint" },
    { "log_rest", FIELD_TEXT, RUN(log_rest), 0, 0, 2, .optional = true, .what = "what belongs behind these, but could not be written" },
};
enum { NET_ROWS = sizeof net_rows / sizeof *net_rows, RUN_ROWS = sizeof run_rows / sizeof *run_rows };
_Static_assert(NET_ROWS + SETTINGS_MOST + TRANSFER_FIELDS + RUN_ROWS <= CHECKPOINT_FIELDS_MOST, "room for all rows");

/* All but the last, the model file. */
int checkpoint_net_fields(Field *rows) { return fields_add(rows, 0, net_rows, CHECKPOINT_NET_FIELDS, 0); }

int checkpoint_fields(Field *rows)
{
    Field more[SETTINGS_MOST + TRANSFER_FIELDS];
    int n = fields_add(rows, 0, net_rows, NET_ROWS, 0);
    n = fields_add(rows, n, more, settings_fields(more), RUN(training));
    n = fields_add(rows, n, more, transfer_fields(more), RUN(init));
    return fields_add(rows, n, run_rows, RUN_ROWS, 0);
}

/* ---- the facts ------------------------------------------------------------------------------------------------------ */

char *checkpoint_facts(const Progress *p)
{
    Field rows[CHECKPOINT_FIELDS_MOST];
    JsonWriter w;
    json_begin(&w, NULL);
    json_object(&w, NULL);
    fields_write(&w, rows, checkpoint_fields(rows), p);
    json_close(&w);
    if (!json_end(&w))
        fail(ENVIRONMENT, "no memory for a checkpoint");
    return w.text;
}

int64_t progress_steps(const Progress *p) { return (p->examples + net.batch - 1) / net.batch; }

int64_t progress_updates(const Progress *p, int64_t steps)
{
    const int64_t of_one = net.accumulate > 1 ? net.accumulate : 1;
    return steps / of_one + (steps % of_one && steps == progress_steps(p));
}

/* What follows from other facts: an epoch is run in whole batches, but for the last one.  A file of version 1 has it too. */
static bool counts_agree(char *why, size_t room, const Progress *p)
{
    int64_t steps = (p->position + net.batch - 1) / net.batch;
    const struct { const char *name; int64_t is, expected; } rows[] = {
        { "position", p->position, p->position == p->examples ? p->examples : p->position / net.batch * net.batch },
        { "steps", p->steps, steps },
        { "updates", (int64_t)p->updates, p->epoch * progress_updates(p, progress_steps(p)) + progress_updates(p, steps) },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].is != rows[i].expected) {
            snprintf(why, room, "field '%s' is %" PRId64 ", expected %" PRId64 ": epoch %d, %" PRId64 " of %" PRId64 " examples done in batches of %d",
                     rows[i].name, rows[i].is, rows[i].expected, p->epoch, p->position, p->examples, net.batch);
            return false;
        }
    return true;
}

/* The first epoch becomes best whatever it measures, so one is best exactly if one is done. */
static bool best_agrees(char *why, size_t room, const Progress *p)
{
    if (p->best_epoch < 0 ? !p->epoch : p->best_epoch < p->epoch)
        return true;
    if (p->epoch)
        snprintf(why, room, "field 'best_epoch' is %d, expected 0 to %d: epochs done are %d", p->best_epoch, p->epoch - 1, p->epoch);
    else
        snprintf(why, room, "field 'best_epoch' is %d, expected -1: no epoch is done", p->best_epoch);
    return false;
}

void checkpoint_check_best(const Progress *p, bool share, const char *path)
{
    if (share && p->best_epoch >= 0 && !(p->best >= 0 && p->best <= 1))
        fail(WRONG_INPUT, "%s: field 'best' is %.17g, expected a share of wrong labels, from 0 to 1; the checkpoint is not one of a trainer", path, p->best);
}

void checkpoint_progress(Progress *p, const JsonValue *facts, const char *path)
{
    Field rows[CHECKPOINT_FIELDS_MOST];
    char why[300];
    *p = (Progress){ .training = *net.training };
    if (!fields_read(p, rows, checkpoint_fields(rows), facts, why, sizeof why) || !counts_agree(why, sizeof why, p) || !best_agrees(why, sizeof why, p))
        fail(WRONG_INPUT, "%s: %s; the checkpoint is not one of a trainer", path, why);
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

/* The blocks of a checkpoint: weights, the optimiser's state, and what the net keeps besides. */
static int block_count(void) { return 1 + net.state_blocks + (net.gathered != NULL) + (net.average != NULL); }

/* Block k, and what the names of its arrays begin with. */
static real *block_at(char *prefix, int k)
{
    if (k == 0)
        return strcpy(prefix, "weights/"), net.weights();
    if (k <= net.state_blocks)
        return sprintf(prefix, "state%d/", k - 1), net.state(k - 1);
    if (net.gathered && k == net.state_blocks + 1)
        return strcpy(prefix, "gathered/"), net.gathered();
    return strcpy(prefix, "average/"), net.average();
}

static bool block_is_sound(char *why, size_t room, const real *block, const char *what, const NetParam *params, int count)
{
    for (int k = 0; k < count; k++) {
        const NetParam *p = &params[k];
        for (size_t i = 0; i < p->count; i++) {
            double v = (double)block[weights_index(p, i)];
            if (isfinite(v))
                continue;
            snprintf(why, room, "%s%s, element %zu, is %g", what, p->name, i, plain_number(v));
            return false;
        }
    }
    return true;
}

bool checkpoint_is_sound(char *why, size_t room, const Progress *p)
{
    Field rows[CHECKPOINT_FIELDS_MOST];
    char prefix[32];
    if (!block_is_sound(why, room, net.weights(), "the parameter ", net.params, net.param_count))
        return false;
    if (net.buffer_count && !block_is_sound(why, room, net.running(), "the running statistic ", net.buffers, net.buffer_count))
        return false;
    for (int k = 1; k < block_count(); k++) {
        char what[60];
        const real *block = block_at(prefix, k);
        snprintf(what, sizeof what, k <= net.state_blocks ? "the optimiser's state %d of " : block == (net.gathered ? net.gathered() : NULL)
                 ? "the gradient that waits of " : "the average of ", k - 1);
        if (!block_is_sound(why, room, block, what, net.params, net.param_count))
            return false;
    }
    return fields_finite(rows, checkpoint_fields(rows), p, why, room);
}

void snapshot_open(Snapshot *s)
{
    size_t blocks = (size_t)block_count();
    *s = (Snapshot){ need_memory((blocks * (size_t)net.param_count + (size_t)net.buffer_count) * sizeof *s->arrays, "a checkpoint"),
                     need_memory((blocks * weights_count() + buffers_count()) * sizeof *s->exported, "a checkpoint"), NULL };
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
    const size_t blocks = (size_t)block_count();
    for (int k = 0; k < block_count(); k++) {
        const real *block = block_at(prefix, k);
        weights_arrays(s->arrays + k * net.param_count, s->exported + (size_t)k * weights_count(), block, prefix);
    }
    buffers_arrays(s->arrays + blocks * (size_t)net.param_count, s->exported + blocks * weights_count(), "buffers/");
    free(s->facts);
    s->facts = checkpoint_facts(p);
}

bool snapshot_write(const Snapshot *s, const char *path, ArrayError *e)
{
    return container_write(path, net.hash, net.signature, s->facts, s->arrays, block_count() * net.param_count + net.buffer_count, e);
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

bool checkpoint_open(Checkpoint *c, const char *path, ArrayError *e)
{
    size_t limit = ((3 + NET_STATES) * weights_count() + buffers_count()) * sizeof(double) + (size_t)(net.param_count + net.buffer_count) * 65536 + ((size_t)64 << 20);
    char why[200];
    if (!container_read(&c->container, path, limit, e))
        return false;
    if (!json_parse(&c->facts, c->container.facts, strlen(c->container.facts), CONTAINER_TEXT, why, sizeof why))
        fail(WRONG_INPUT, "%s: its facts are no JSON: %s; the checkpoint is not one of a trainer", path, why);
    return true;
}

void checkpoint_close(Checkpoint *c)
{
    json_parse_free(&c->facts);
    container_free(&c->container);
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

static _Noreturn void fail_other_model(const Checkpoint *c, const char *path)
{
    const JsonValue *facts = c->facts.root;
    char batch_was[24], batch_is[24], was[100], is[100], text[1200] = "";
    const JsonValue *b = json_get(facts, "batch");
    snprintf(batch_was, sizeof batch_was, "%" PRId64, b && b->whole ? b->integer : 0);
    snprintf(batch_is, sizeof batch_is, "%d", net.batch);
    const struct { const char *what, *was, *is; } rows[] = {
        { "model", text_of(facts, "model"), net.name },             { "settings", text_of(facts, "settings"), net.settings },
        { "batch", batch_was, batch_is },                           { "precision", text_of(facts, "precision"), net.precision },
        { "form", text_of(facts, "form"), net.form },               { "signature", c->container.signature, net.signature },
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
         " (`export` still gives its weights)", path, c->container.hash, net.hash, text);
}

static const char average[] = "average/";

bool checkpoint_averages(const Checkpoint *c)
{
    bool there = false;
    for (int i = 0; i < c->container.count; i++)
        there = there || !strncmp(c->container.blocks[i].name, average, strlen(average));
    return there;
}

bool checkpoint_weights(const Checkpoint *c, const char *path, CheckpointWeights which)
{
    const bool there = which != CHECKPOINT_TRAINED && checkpoint_averages(c);
    if (which == CHECKPOINT_AVERAGE && !there)
        return false;
    weights_from_arrays(net.weights(), c->container.blocks, c->container.count, there ? average : "weights/", path);
    buffers_need(buffers_from_arrays(c->container.blocks, c->container.count, "buffers/", path), path);
    return true;
}

void checkpoint_resume(Progress *p, const Checkpoint *c, const char *path)
{
    char prefix[32];
    if (strcmp(c->container.hash, net.hash))
        fail_other_model(c, path);
    checkpoint_weights(c, path, CHECKPOINT_TRAINED);
    for (int k = 1; k < block_count(); k++) {
        real *block = block_at(prefix, k);
        weights_from_arrays(block, c->container.blocks, c->container.count, prefix, path);
    }
    checkpoint_progress(p, c->facts.root, path);
}
