/* run.c -- the folder of a run: its lock, run.json, and the choice of the checkpoint (checkpoint.c) to resume from.
 *
 * At every moment one of `last` and `last.previous` is whole: a new checkpoint is written and synced under a name of this process, `last` gets
 * `last.previous` as a second name, and only then is it replaced. */
#define _DEFAULT_SOURCE
#include "run/run.h"
#include "files/json.h"
#include "run/checkpoint.h"
#include "run/message.h"
#include "run/settings.h"
#include "run/weights.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, ABANDONED = 3600 };   /* seconds after which a temporary counts as left over */

bool run_has_last(const char *run) { return run_has(run, "last") || run_has(run, "last.previous"); }

/* ---- the lock ----------------------------------------------------------------------------------------------------- */

/* The folder that this process has locked.  It is held open, and everything is written through its descriptor: what is locked is what is
 * written to, whatever becomes of its name. */
static struct { int folder, lock; bool folder_locked; } held = { -1, -1, false };

/* Temporaries (.spn-PID-N.tmp, array_io.c) whose writer is dead, and a checkpoint that was not renamed any more. */
static void remove_leftovers(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *f; d && (f = readdir(d));) {
        struct stat status;
        long pid = 0;
        size_t n = strlen(f->d_name);
        bool temporary = sscanf(f->d_name, ".spn-%ld-", &pid) == 1 && pid > 0 && n > 4 && !strcmp(f->d_name + n - 4, ".tmp");
        if (!temporary && strcmp(f->d_name, "last.new"))        /* the latter is of older versions */
            continue;
        bool dead = !temporary || pid == (long)getpid() || (kill((pid_t)pid, 0) && errno == ESRCH);
        if (dead || (!fstatat(folder, f->d_name, &status, 0) && time(NULL) - status.st_mtime > ABANDONED))
            unlinkat(folder, f->d_name, 0);
    }
    if (d)
        closedir(d);
}

static void make_folders(const char *run)
{
    char path[PATH_ROOM];
    run_path(path, sizeof path, run, "lock");
    for (char *slash = path; (slash = strchr(slash + 1, '/')); *slash = '/') {
        *slash = '\0';
        if (mkdir(path, 0777) && errno != EEXIST)
            fail(ENVIRONMENT, "%s: the folder cannot be made: %s", path, strerror(errno));
    }
}

/* Takes the lock of a descriptor; false if another process has it.  A killed holder may take a moment to die. */
static bool take(int fd, int *error)
{
    for (int tries = 20; flock(fd, LOCK_EX | LOCK_NB); tries--) {
        *error = errno;
        if (errno != EWOULDBLOCK || !tries)
            return false;
        nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
    }
    *error = 0;
    return true;
}

static bool same_file(const struct stat *a, const struct stat *b) { return a->st_dev == b->st_dev && a->st_ino == b->st_ino; }

/* Is the file RUN/lock still the one that is locked? */
static bool lock_is_ours(void)
{
    struct stat ours, there;
    return !fstat(held.lock, &ours) && !fstatat(held.folder, "lock", &there, 0) && same_file(&ours, &there);
}

static _Noreturn void fail_locked(const char *run)
{
    fail(WRONG_INPUT, "%s: another training is running in this folder; wait for it, or choose another --run", run);
}

/* The folder itself is locked, for a file in it can be deleted; and RUN/lock, because older versions and some network file systems know no
 * other lock. */
void run_lock(const char *run)
{
    int error;
    make_folders(run);
    held.folder = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (held.folder < 0)
        fail(errno == ENOTDIR ? WRONG_INPUT : ENVIRONMENT, "%s: cannot be opened: %s", run, strerror(errno));
    held.folder_locked = take(held.folder, &error);
    if (error == EWOULDBLOCK)
        fail_locked(run);
    do {                                       /* again if it was deleted before it was locked */
        if (held.lock >= 0)
            close(held.lock);
        held.lock = array_io_open_regular(held.folder, "lock", O_RDWR | O_CREAT);
        if (held.lock < 0 && errno == ENOTSUP)
            fail(WRONG_INPUT, "%s/lock: expected a regular file or none, got a pipe or a device; remove it", run);
        if (held.lock < 0)
            fail(ENVIRONMENT, "%s/lock: cannot be opened: %s", run, strerror(errno));
        if (!take(held.lock, &error) && error == EWOULDBLOCK)
            fail_locked(run);
        if (error)
            fail(ENVIRONMENT, "%s/lock: cannot be locked: %s", run, strerror(error));
    } while (!lock_is_ours());
    array_io_hold(run, held.folder);
    remove_leftovers(held.folder);
}

void run_keep_messages(void) { message_keep(held.folder); }

bool run_is_locked(const char *run)
{
    char path[PATH_ROOM];
    bool locked = false;
    run_path(path, sizeof path, run, "lock");
    for (int i = 0; i < 2 && !locked; i++) {
        int fd = open(i ? path : run, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
        if (fd >= 0)
            close(fd);
    }
    return locked;
}

bool run_wait(const char *run)
{
    char path[PATH_ROOM];
    bool ended = true;
    run_path(path, sizeof path, run, "lock");
    for (int i = 0; i < 2 && ended; i++) {
        int fd = open(i ? path : run, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        ended = fd < 0 || !flock(fd, LOCK_SH) || errno != EINTR;
        if (fd >= 0)
            close(fd);
    }
    return ended;
}

const char *run_path_now(char *path, size_t room, const char *run)
{
    struct stat named, is;
    char link[40];
    if (held.folder < 0 || fstat(held.folder, &is) || (!stat(run, &named) && same_file(&named, &is)))
        return run;
    snprintf(link, sizeof link, "/proc/self/fd/%d", held.folder);
    ssize_t n = readlink(link, path, room - 1);
    path[n > 0 ? n : 0] = '\0';
    return n > 0 ? path : run;
}

void run_lines(const char *run, const char *file, void (*line)(void *to, const JsonValue *object), void *to)
{
    char path[PATH_ROOM], why[200];
    ArrayMap map;
    run_path(path, sizeof path, run, file);
    if (!run_has(run, file) || !array_map_open(&map, path, NULL))
        return;
    for (const char *at = (const char *)map.data, *end = at + map.size; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at);
        Json j;
        if (json_parse(&j, at, n, 1 << 20, why, sizeof why)) {
            if (j.root->kind == JSON_OBJECT)
                line(to, j.root);
            json_parse_free(&j);
        }
        at += n + 1;
    }
    array_map_close(&map);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

bool run_describe(const char *run, const char *data, const Names *names, int threads, const Progress *p, ArrayError *e)
{
    char path[PATH_ROOM];
    Field rows[CHECKPOINT_NET_FIELDS];
    JsonWriter w;
    ArrayOut out = { .fd = -1 };
    run_path(path, sizeof path, run, "run.json");
    json_begin(&w, NULL);
    json_object(&w, NULL);
    fields_write(&w, rows, checkpoint_net_fields(rows), NULL);
    json_string(&w, "source", net.source);
    json_string(&w, "signature", net.signature);
    json_string(&w, "model_hash", net.hash);
    json_string(&w, "target", net.target);
    json_integer(&w, "threads", threads);
    json_string(&w, "data", data);
    names_write(&w, names);
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
    char why[200];
    Json j;
    if (!run_json(&j, run, "run.json"))
        return false;
    *training = *net.training;
    const bool fine = settings_read(training, j.root, why, sizeof why);
    if (!fine)
        warn("%s/run.json: %s; its settings are passed over", run, why);
    json_parse_free(&j);
    return fine;
}

/* A name in the run's folder that no other process uses. */
static void own_path(char *path, const char *run, const char *what)
{
    char name[60];
    snprintf(name, sizeof name, ".spn-%ld-%s.tmp", (long)getpid(), what);
    run_path(path, PATH_ROOM, run, name);
}

static int unlink_path(const char *path)
{
    int at = array_io_at(&path);
    return unlinkat(at, path, 0);
}

static int link_path(const char *path, const char *to)
{
    int at = array_io_at(&path), at_to = array_io_at(&to);
    return linkat(at, path, at_to, to, 0);
}

/* `last` becomes last.previous too, by a second link, so that it is never missing.  If that cannot be done the checkpoint
 * before it stays: the new one is on the disk already, and more important. */
static void keep_previous(const char *run, const char *last)
{
    char previous[PATH_ROOM], second[PATH_ROOM];
    run_path(previous, sizeof previous, run, "last.previous");
    own_path(second, run, "link");
    unlink_path(second);
    if (!link_path(last, second)) {
        array_io.rename(second, previous);
        unlink_path(second);                   /* still there if both names were of one file already */
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
        unlink_path(written);
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

bool run_save(const char *run, const char *file, const Snapshot *s, ArrayError *e)
{
    char path[PATH_ROOM];
    bool last = !strcmp(file, "last");
    if (held.lock >= 0 && !held.folder_locked && !lock_is_ours()) {
        run_path(path, sizeof path, run, "lock");
        return array_fail(e, ENVIRONMENT, path, "was deleted or replaced, so another training may write to this folder");
    }
    if (last)
        own_path(path, run, "last");
    else
        run_path(path, sizeof path, run, file);
    return snapshot_write(s, path, e) && (!last || replace_last(run, path, e));
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* The newest checkpoint that is whole; its path in path[PATH_ROOM].  True if `last` is damaged and last.previous was taken. */
static bool open_newest(Checkpoint *c, char *path, const char *run)
{
    ArrayError e, older;
    bool there = run_has(run, "last");
    run_path(path, PATH_ROOM, run, "last");
    if (there && checkpoint_open(c, path, &e))
        return false;
    if (there && (e.exit_code != WRONG_INPUT || !run_has(run, "last.previous")))
        fail_array(&e);
    run_path(path, PATH_ROOM, run, "last.previous");
    if (!checkpoint_open(c, path, &older))
        there ? fail(WRONG_INPUT, "%s; and %s", e.text, older.text) : fail_array(&older);
    if (there)
        warn("%s; taking the checkpoint before it, %s", e.text, path);
    return there;
}

void run_resume(Progress *p, const char *run)
{
    char path[PATH_ROOM], damaged[PATH_ROOM], last[PATH_ROOM];
    Checkpoint c;
    bool fell_back = open_newest(&c, path, run);
    checkpoint_resume(p, &c, path);
    if (fell_back) {                           /* out of the way: it must not become the previous of the next checkpoint */
        run_path(last, sizeof last, run, "last");
        run_path(damaged, sizeof damaged, run, "last.damaged");
        if (array_io.rename(last, damaged))
            fail(ENVIRONMENT, "%s: cannot be renamed: %s", last, strerror(errno));
    }
    checkpoint_close(&c);
}

void run_or_file_weights(const char *run, const char *weights, bool last, bool measured)
{
    if (!run == !weights)
        fail(WRONG_USAGE, "give either --run DIR or --weights FILE%s", run ? ", not both" : "");
    if (weights) {
        const NetParam *missing = weights_load(net.weights(), weights);
        if (!measured)
            buffers_need(missing, weights);
        return;
    }
    run_weights(run, last, CHECKPOINT_EVALUATED);
}

bool run_weights(const char *run, bool last, CheckpointWeights which)
{
    char path[PATH_ROOM];
    Checkpoint c;
    ArrayError e;
    bool best = !last && run_has(run, "best");
    if (!best && !run_has_last(run))
        fail(WRONG_INPUT, "%s: there is no checkpoint in this folder; `%s train --run %s` makes one", run, net.name, run);
    run_path(path, sizeof path, run, "best");
    if (!best)
        open_newest(&c, path, run);
    else if (!checkpoint_open(&c, path, &e))
        fail_array(&e);
    if (!checkpoint_weights(&c, path, which))
        fail(WRONG_INPUT, "%s: has no average of the weights; a net keeps one with train: { average: 0.999 }", path);
    const bool averages = checkpoint_averages(&c);
    checkpoint_close(&c);
    return averages;
}
