/* sweep.c -- the command `sweep`: a training for every combination of some settings, and a table of the results.
 *
 * Reads a file of lines `train.rate: [0.001, 0.0005]` (grid.c).  Each combination is a run folder of `train` in --runs, trained by a
 * process of its own with --resume: a finished run ends at once, an interrupted one goes on to the same bits.  A run that another process
 * has locked is elsewhere; it is not counted.
 * Runs that differ in the seed alone are one row of the table: mean, spread, interval.  On a signal the trainings save. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "files/json.h"
#include "grid.h"
#include "report/history.h"
#include "report/stats.h"
#include "run/data.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/run.h"
#include "run/settings.h"
#include "trainer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 8, VALUES = 64, VALUE_ROOM = 40, RUNS_MOST = 1000, PATH_ROOM = 4096, NAME_ROOM = 256, NOTE_ROOM = 500, FILE_MOST = 1 << 20 };

/* values: as they were read, so that two of them are the same number only if they are the same text; spelt: as they stand in the file. */
typedef struct { char name[128], values[VALUES][VALUE_ROOM], spelt[VALUES][VALUE_ROOM]; int count; } Axis;
typedef struct {
    char name[NAME_ROOM], path[PATH_ROOM];
    int value[KEYS];                           /* of each axis */
    pid_t pid;                                 /* 0: not running */
    bool ended, done;                          /* its program has ended; and well */
    bool elsewhere;                            /* another process trains it */
    int epochs, best_epoch;
    double best, loss;                         /* validation; NaN: nothing yet */
    int64_t said;                              /* bytes of its messages.txt before it was started */
    char note[NOTE_ROOM];                      /* how it ended if not well, and the last error or warning of its program; "": nothing to say */
} Run;
typedef struct {
    const Options *o;
    char program[PATH_ROOM];
    Axis axes[KEYS];
    int axis_count, seeds, run_count;          /* seeds: the axis of train.seed, or -1 */
    Run *runs;
    int64_t answers;                           /* labels in the validation split; 0: the measure is the loss */
    int at_once, threads;                      /* runs at a time, threads of each */
} Sweep;

static volatile sig_atomic_t stop_signal;
static Sweep *running_sweep;

/* Sends the signal on, so that every training saves.  Processes of the same group may get it twice; train.c counts that as one. */
static void on_signal(int number)
{
    stop_signal = number;
    for (int i = 0; running_sweep && i < running_sweep->run_count; i++)
        if (running_sweep->runs[i].pid > 0)
            kill(running_sweep->runs[i].pid, number);
}

static const int signals[] = { SIGINT, SIGTERM, SIGUSR1, SIGHUP };
enum { SIGNALS = sizeof signals / sizeof *signals };

static void hold_signals(bool hold)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&set, signals[i]);
    sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

/* ---- the file ----------------------------------------------------------------------------------------------------- */

/* The setting of `name` with the value as it was read: "1e-3" and "0.001" become the same text.  Ends the program if the trainer does not
 * take it. */
static void read_value(char *text, size_t room, const char *name, const char *spelt)
{
    NetTraining read = *net.training;
    unsigned given = 0;
    char setting[192], decimal[24], *end;
    int i = 0;
    const char *number = spelt + (*spelt == '+');
    errno = 0;
    if (number[0] == '0' && strchr("xo", number[1]) && number[1]) {         /* of YAML's numbers those that strtoull reads by another name only */
        unsigned long long whole = strtoull(number + 2, &end, number[1] == 'x' ? 16 : 8);
        if (!*end && end > number + 2 && !errno)
            snprintf(decimal, sizeof decimal, "%llu", whole), number = decimal;
    }
    snprintf(setting, sizeof setting, "%s=%s", name, number);
    settings_set(&read, &given, setting);
    while (strcmp(settings_name(i), name))
        i++;
    settings_text(text, room, &read, i);
}

typedef struct { Sweep *s; const char *path; } Reading;

static void take_value(void *to, const GridValue *v)
{
    Sweep *s = ((Reading *)to)->s;
    const char *path = ((Reading *)to)->path;
    char name[128], text[VALUE_ROOM], place[PATH_ROOM];
    settings_full_name(name, sizeof name, v->name);
    if (v->first) {
        if (s->axis_count == KEYS)
            fail(WRONG_INPUT, "%s:%d: more than %d settings", path, v->line, KEYS);
        for (int i = 0; i < s->axis_count; i++)
            if (!strcmp(s->axes[i].name, name))
                fail(WRONG_INPUT, "%s:%d: %s stands there twice", path, v->line, name);
        if (!strcmp(name, "train.seed"))
            s->seeds = s->axis_count;
        strcpy(s->axes[s->axis_count++].name, name);
    }
    Axis *a = &s->axes[s->axis_count - 1];
    if (!*v->value || strlen(v->value) >= VALUE_ROOM || strpbrk(v->value, "/ '\""))
        fail(WRONG_INPUT, "%s:%d: %s: got '%s', expected a number", path, v->line, a->name, v->value);
    if (a->count == VALUES)
        fail(WRONG_INPUT, "%s:%d: %s has more than %d values", path, v->line, a->name, VALUES);
    snprintf(place, sizeof place, "%.4000s:%d", path, v->line);
    settings_from(place);
    read_value(text, sizeof text, name, v->value);
    settings_from(NULL);
    for (int i = 0; i < a->count; i++)
        if (!strcmp(a->values[i], text)) {     /* one value, however it is spelt, is one run */
            warn("%s:%d: %s: %s stands there twice%s%s; it is trained once", path, v->line, a->name, text, strcmp(v->value, a->spelt[i]) ? ", also as " : "",
                 strcmp(v->value, a->spelt[i]) ? strcmp(v->value, text) ? v->value : a->spelt[i] : "");
            return;
        }
    strcpy(a->values[a->count], text);
    strcpy(a->spelt[a->count++], v->value);
}

static void read_file(Sweep *s, const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = need_memory(FILE_MOST + 1, "the settings"), why[500];
    if (!f)
        fail(WRONG_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    size_t n = fread(text, 1, FILE_MOST + 1, f);
    if (ferror(f))
        fail(WRONG_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    if (n > FILE_MOST)
        fail(WRONG_INPUT, "%s: found more than %d bytes, expected lines as in train.rate: [0.001, 0.0005]", path, FILE_MOST);
    fclose(f);
    if (!grid_read(text, n, take_value, &(Reading){ s, path }, why, sizeof why))
        fail(WRONG_INPUT, "%s:%s", path, why);
    free(text);
    if (!s->axis_count)
        fail(WRONG_INPUT, "%s: no setting in it, expected lines as in train.rate: [0.001, 0.0005]", path);
}

/* The run's folder is named by the values as they were read, or, if only that is there, by their spelling in the file: so older versions did. */
static void name_run(Run *run, const Sweep *s)
{
    for (int spelt = 1; spelt >= 0; spelt--) {
        size_t n = 0;
        for (int i = 0; i < s->axis_count; i++) {
            const Axis *a = &s->axes[i];
            const char *value = (spelt ? a->spelt : a->values)[run->value[i]];
            n += (size_t)snprintf(run->name + n, sizeof run->name - n, "%s%s-%s", i ? "_" : "", settings_short_name(a->name), value);
            if (n >= sizeof run->name)
                fail(WRONG_INPUT, "%s: the names of the runs would be longer than %zu characters: fewer settings in one sweep", s->o->operands[0], sizeof run->name - 1);
        }
        if ((size_t)snprintf(run->path, sizeof run->path, "%s/%s", s->o->runs, run->name) >= sizeof run->path)
            fail(WRONG_INPUT, "%s: the path is too long", s->o->runs);
        if (spelt && run_has_last(run->path))
            return;
    }
}

/* Every combination; seeds run fastest, so that a row of the table is done early. */
static void make_runs(Sweep *s)
{
    int64_t count = 1;
    for (int i = 0; i < s->axis_count; i++)
        if ((count *= s->axes[i].count) > RUNS_MOST)
            fail(WRONG_INPUT, "%s: more than %d runs", s->o->operands[0], RUNS_MOST);
    if (s->seeds >= 0) {
        Axis last = s->axes[s->axis_count - 1];
        s->axes[s->axis_count - 1] = s->axes[s->seeds], s->axes[s->seeds] = last;
        s->seeds = s->axis_count - 1;
    }
    s->run_count = (int)count;
    s->runs = need_memory((size_t)count * sizeof *s->runs, "the runs");
    for (int r = 0; r < s->run_count; r++) {
        Run *run = &s->runs[r];
        for (int i = s->axis_count - 1, rest = r; i >= 0; rest /= s->axes[i--].count)
            run->value[i] = rest % s->axes[i].count;
        name_run(run, s);
        run->best = run->loss = NAN;
    }
}

/* ---- programs ------------------------------------------------------------------------------------------------------ */

/* Starts this program with other arguments.  out: where its standard output goes, and its messages nowhere: a measurement's are not the user's; -1:
 * both are this program's.  If this process is killed, it goes on. */
static pid_t start(const Sweep *s, char *const arguments[], int out)
{
    pid_t pid = fork();
    if (pid < 0)
        fail(ENVIRONMENT, "no process can be started: %s", strerror(errno));
    if (pid)
        return pid;
    hold_signals(false);
    if (out >= 0 && (dup2(out, STDOUT_FILENO) < 0 || dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO) < 0))
        _exit(ENVIRONMENT);
    execv(s->program, arguments);
    _exit(ENVIRONMENT);
}

/* Milliseconds a step of the slowest of `count` programs that run at once, each with `threads` threads; NaN if not measured. */
static double step_time(const Sweep *s, int count, int threads)
{
    char text[16], answer[4096], why[100];
    char *arguments[] = { (char *)s->o->program, "bench", "--json", "--threads", text, NULL };
    int *pipes = need_memory((size_t)count * sizeof *pipes, "the measurement");
    double slowest = 0;
    snprintf(text, sizeof text, "%d", threads);
    for (int i = 0; i < count; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC))
            fail(ENVIRONMENT, "no pipe: %s", strerror(errno));
        start(s, arguments, ends[1]);
        close(ends[1]);
        pipes[i] = ends[0];
    }
    for (int i = 0; i < count; i++) {
        size_t n = 0;
        for (ssize_t got; n < sizeof answer - 1 && ((got = read(pipes[i], answer + n, sizeof answer - 1 - n)) > 0 || (got < 0 && errno == EINTR && !stop_signal));)
            n += got > 0 ? (size_t)got : 0;
        close(pipes[i]);
        Json j;
        bool told = json_parse(&j, answer, n, sizeof answer, why, sizeof why);
        const JsonValue *ms = told ? json_get(j.root, "train_ms") : NULL;
        slowest = ms && ms->kind == JSON_NUMBER ? fmax(slowest, ms->number) : NAN;
        if (told)
            json_parse_free(&j);
        if (isnan(slowest))
            break;
    }
    while (waitpid(-1, NULL, 0) > 0 || (errno == EINTR && !stop_signal))
        continue;
    free(pipes);
    return slowest;
}

/* All threads for one run after the other, or a run for each thread: the choice with more steps a second. */
static void choose(Sweep *s)
{
    int all = s->o->threads < s->run_count ? s->o->threads : s->run_count;
    s->at_once = 1, s->threads = s->o->threads;
    if (all < 2)
        return;
    double alone = step_time(s, 1, s->o->threads), together = step_time(s, all, s->o->threads / all) / all;
    if (isnan(alone) || isnan(together)) {
        if (!stop_signal)
            warn("%d run%s at a time could not be measured (`%s bench --threads %d`), so they go one after the other", isnan(alone) ? 1 : all,
                 isnan(alone) ? "" : "s", net.name, isnan(alone) ? s->o->threads : s->o->threads / all);
        return;
    }
    if (together < alone)
        s->at_once = all, s->threads = s->o->threads / all;
    printf("a step takes %.3g ms with %d threads, %.3g ms if %d run at once with %d each: so %d run%s at a time\n", alone, s->o->threads, together, all,
           s->o->threads / all, s->at_once, s->at_once == 1 ? "" : "s");
}

static bool start_run(const Sweep *s, Run *run)
{
    char threads[16], path[PATH_ROOM], (*sets)[192] = need_memory(KEYS * sizeof *sets, "a run");
    struct stat messages;
    char *arguments[12 + 2 * KEYS] = { (char *)s->o->program, "train", "--data", (char *)s->o->data, "--run", run->path, "--resume", "--quiet", "--threads", threads };
    int n = 10;
    run_path(path, sizeof path, run->path, MESSAGES);
    run->said = stat(path, &messages) ? 0 : (int64_t)messages.st_size;
    snprintf(threads, sizeof threads, "%d", s->threads);
    for (int i = 0; i < s->axis_count; i++) {
        snprintf(sets[i], sizeof sets[i], "%s=%s", s->axes[i].name, s->axes[i].values[run->value[i]]);
        arguments[n++] = "--set", arguments[n++] = sets[i];
    }
    hold_signals(true);                        /* a training not yet in the list would not get a signal */
    if (!stop_signal)
        run->pid = start(s, arguments, -1);
    hold_signals(false);
    free(sets);
    return run->pid;
}

/* ---- results ------------------------------------------------------------------------------------------------------- */

static void read_log(const Sweep *s, Run *run)
{
    History h;
    history_read(&h, run->path);
    const double *measure = s->answers ? h.valid_error : h.valid_loss;
    run->epochs = h.count;
    run->best = run->loss = NAN;
    for (int i = 0; i < h.count; i++)
        if (measure[i] < run->best || isnan(run->best))
            run->best = measure[i], run->loss = h.valid_loss[i], run->best_epoch = (int)h.epoch[i];
    history_free(&h);
}

/* The last line of its messages.txt, if this sweep's training has written one. */
static void read_note(Run *run)
{
    char path[PATH_ROOM];
    ArrayMap map;
    run_path(path, sizeof path, run->path, MESSAGES);
    if (!run_has(run->path, MESSAGES) || !array_map_open(&map, path, NULL))
        return;
    const char *text = (const char *)map.data;
    size_t end = map.size, from, used = strlen(run->note);
    const size_t before = map.size >= (size_t)run->said ? (size_t)run->said : 0;       /* a shorter one was begun anew */
    while (end > before && text[end - 1] == '\n')
        end--;
    for (from = end; from > before && text[from - 1] != '\n';)
        from--;
    if (end > before)
        snprintf(run->note + used, sizeof run->note - used, "%s%.*s", used ? "; " : "", (int)(end - from < NOTE_ROOM ? end - from : NOTE_ROOM), text + from);
    array_map_close(&map);
}

typedef struct { int first, count, of; double mean, spread, low, high; } Row;

/* What is not trained to its end is no result yet. */
static bool counts(const Run *r) { return r->done && !isnan(r->best); }

/* Runs that differ in the seed alone.  The interval is that of the validation examples (Wilson, 95 %), which all seeds share. */
static Row row_at(const Sweep *s, int first)
{
    Row r = { .first = first, .of = s->seeds >= 0 ? s->axes[s->seeds].count : 1, .low = NAN, .high = NAN, .mean = NAN, .spread = NAN };
    double sum = 0, squares = 0;
    for (int i = first; i < first + r.of; i++)
        if (counts(&s->runs[i]))
            sum += s->runs[i].best, r.count++;
    if (!r.count)
        return r;
    r.mean = sum / r.count;
    for (int i = first; i < first + r.of; i++)
        if (counts(&s->runs[i]))
            squares += (s->runs[i].best - r.mean) * (s->runs[i].best - r.mean);
    if (r.count > 1)
        r.spread = sqrt(squares / (r.count - 1));
    if (s->answers)
        wilson(&r.low, &r.high, (int64_t)(r.mean * (double)s->answers + 0.5), s->answers);
    return r;
}

static char *settings_of(char *text, size_t room, const Sweep *s, const Run *run)
{
    size_t n = 0;
    *text = '\0';
    for (int i = 0; i < s->axis_count; i++)
        if (i != s->seeds && n < room)
            n += (size_t)snprintf(text + n, room - n, "%s%s %s", n ? ", " : "", settings_short_name(s->axes[i].name), s->axes[i].values[run->value[i]]);
    if (!n)
        snprintf(text, room, "the model's");
    return text;
}

/* In a cell of Markdown. */
static void put_cell(FILE *markdown, const char *text)
{
    for (; *text; text++)
        fprintf(markdown, *text == '|' ? "\\%c" : "%c", *text);
}

/* Below the table: what there is to say of single runs. */
static void write_notes(const Sweep *s, FILE *text, FILE *markdown)
{
    bool any = false;
    for (int i = 0; i < s->run_count; i++) {
        const Run *run = &s->runs[i];
        if (!*run->note)
            continue;
        if (!any)
            fprintf(markdown, "\n| run | note |\n| --- | --- |\n");
        any = true;
        fprintf(text, "%s: %s\n", run->name, run->note);
        fprintf(markdown, "| %s | ", run->name);
        put_cell(markdown, run->note);
        fprintf(markdown, " |\n");
    }
}

static void write_tables(const Sweep *s, FILE *text, FILE *markdown, FILE *json)
{
    JsonWriter w;
    char name[NAME_ROOM];
    const char *measure = s->answers ? "valid error, %" : "valid loss";
    const double scale = s->answers ? 100 : 1;
    json_begin(&w, json);
    json_object(&w, NULL);
    json_string(&w, "model_hash", net.hash);
    json_string(&w, "measure", s->answers ? "valid_error" : "valid_loss");
    json_integer(&w, "answers", s->answers);
    json_array(&w, "rows");
    fprintf(text, "%-40s %6s %14s %9s %19s\n", "settings", "runs", measure, "spread", "95 % interval");
    fprintf(markdown, "| settings | runs | %s | spread over seeds | 95 %% interval by validation |\n| --- | --- | --- | --- | --- |\n", measure);
    for (int i = 0; i < s->run_count;) {
        Row r = row_at(s, i);
        char mean[24] = "", spread[24] = "", interval[40] = "";
        settings_of(name, sizeof name, s, &s->runs[i]);
        if (r.count)
            snprintf(mean, sizeof mean, "%.4g", scale * r.mean);
        if (r.count > 1)
            snprintf(spread, sizeof spread, "%.2g", scale * r.spread);
        if (r.count && s->answers)
            snprintf(interval, sizeof interval, "%.4g to %.4g", scale * r.low, scale * r.high);
        fprintf(text, "%-40s %2d / %-2d %13s %9s %19s\n", name, r.count, r.of, mean, spread, interval);
        fprintf(markdown, "| %s | %d / %d | %s | %s | %s |\n", name, r.count, r.of, mean, spread, interval);
        json_object(&w, NULL);
        json_string(&w, "settings", name);
        json_double(&w, "mean", r.mean);
        json_double(&w, "spread", r.spread);
        json_double(&w, "low", r.low);
        json_double(&w, "high", r.high);
        json_array(&w, "runs");
        for (; i < r.first + r.of; i++) {
            const Run *run = &s->runs[i];
            json_object(&w, NULL);
            json_string(&w, "run", run->name);
            json_bool(&w, "done", run->done);
            json_bool(&w, "elsewhere", run->elsewhere);
            json_integer(&w, "epochs", run->epochs);
            isnan(run->best) ? json_null(&w, "best_epoch") : json_integer(&w, "best_epoch", run->best_epoch);
            json_double(&w, "best", run->best);
            json_double(&w, "valid_loss", run->loss);
            *run->note ? json_string(&w, "note", run->note) : json_null(&w, "note");
            json_close(&w);
        }
        json_close(&w);
        json_close(&w);
    }
    json_close(&w);
    json_close(&w);
    json_newline(&w);
    write_notes(s, text, markdown);
    if (!json_end(&w))
        fail(ENVIRONMENT, "%s: the table cannot be written", s->o->runs);
}

/* A table that was made in memory, to --runs, whole or not at all. */
static void put(const Sweep *s, const char *file, FILE *from, char *const *text, const size_t *size)
{
    char path[PATH_ROOM];
    ArrayOut out = { .fd = -1 };
    ArrayError e;
    snprintf(path, sizeof path, "%.4000s/%s", s->o->runs, file);
    if (fclose(from) || !array_out_open(&out, path, &e) || !array_out_write(&out, *text, *size, &e) || !array_out_commit(&out, &e))
        warn("%s: the table is not written", path);
    array_out_abandon(&out);
    free(*text);
}

static void tell(const Sweep *s)
{
    char *texts[2];
    size_t sizes[2];
    FILE *markdown = open_memstream(&texts[0], &sizes[0]), *json = open_memstream(&texts[1], &sizes[1]);
    if (!markdown || !json)
        fail(ENVIRONMENT, "no memory for the table");
    write_tables(s, stdout, markdown, json);
    put(s, "sweep.md", markdown, &texts[0], &sizes[0]);
    put(s, "sweep.json", json, &texts[1], &sizes[1]);
}

/* ---- the command ---------------------------------------------------------------------------------------------------- */

static void be_elsewhere(Run *run)
{
    printf("%s: elsewhere: another process trains it\n", run->name);
    fflush(stdout);
    run->elsewhere = true;
}

/* *failed becomes the exit code: 0 while all went well, 74 if the environment failed one of them. */
static void wait_for_one(Sweep *s, int *running, int *failed)
{
    int status;
    pid_t pid = waitpid(-1, &status, 0);
    for (int i = 0; pid > 0 && i < s->run_count; i++) {
        Run *run = &s->runs[i];
        if (run->pid != pid)
            continue;
        run->pid = 0, run->ended = true;
        run->done = WIFEXITED(status) && !WEXITSTATUS(status);
        read_log(s, run);
        --*running;
        if (run->done)
            printf("%s: %d epochs, best %.5g at epoch %d\n", run->name, run->epochs, run->best, run->best_epoch);
        else if (WIFEXITED(status) && WEXITSTATUS(status) == WRONG_INPUT && run_is_locked(run->path))
            be_elsewhere(run);
        else if (!stop_signal) {
            snprintf(run->note, sizeof run->note, "ended with %s %d", WIFEXITED(status) ? "exit code" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
            printf("%s: %s\n", run->name, run->note);
            *failed = *failed == ENVIRONMENT || (WIFEXITED(status) && WEXITSTATUS(status) == ENVIRONMENT) ? ENVIRONMENT : WRONG_INPUT;
        }
        if (!run->elsewhere && !stop_signal)
            read_note(run);
        fflush(stdout);
    }
}

/* The path by which the program was called: behind /proc/self/exe may be a loader, or an emulator, that was called with it. */
static void find_program(Sweep *s)
{
    bool path = strchr(s->o->program, '/') && !access(s->o->program, X_OK) && strlen(s->o->program) < sizeof s->program;
    ssize_t n = path ? -1 : readlink("/proc/self/exe", s->program, sizeof s->program - 1);
    if (n < 0)
        snprintf(s->program, sizeof s->program, "%s", s->o->program);
}

static int count_elsewhere(const Sweep *s)
{
    int n = 0;
    for (int i = 0; i < s->run_count; i++)
        n += s->runs[i].elsewhere;
    return n;
}

/* --wait: one after the other, those of other processes; what they leave unfinished is trained here. */
static void wait_for_others(Sweep *s, int *failed)
{
    for (int i = 0; i < s->run_count && !stop_signal; i++)
        while (s->runs[i].elsewhere && !stop_signal && run_wait(s->runs[i].path)) {
            int running = 1;
            s->runs[i].elsewhere = s->runs[i].ended = false;
            if (start_run(s, &s->runs[i]))
                wait_for_one(s, &running, failed);
        }
}

int command_sweep(const Options *o)
{
    Sweep s = { .o = o, .seeds = -1 };
    Data train, valid;
    struct stat folder;
    struct sigaction action = { .sa_handler = on_signal }, was;
    int next = 0, running = 0, failed = 0;
    if (o->operand_count != 1)
        fail(WRONG_USAGE, "sweep takes one file, of lines as in train.rate: [0.001, 0.0005]");
    find_program(&s);
    read_file(&s, o->operands[0]);
    make_runs(&s);
    data_open(&train, o->data, "train", true);      /* what no run could begin with is said once */
    data_need_labels(&train, "learn");
    data_close(&train);
    data_open(&valid, o->data, "valid", true);
    data_need_labels(&valid, "compare");
    s.answers = data_all_labels(&valid);
    data_close(&valid);
    if (mkdir(o->runs, 0777) && errno != EEXIST)
        fail(ENVIRONMENT, "%s: the folder cannot be made: %s", o->runs, strerror(errno));
    if (stat(o->runs, &folder) || !S_ISDIR(folder.st_mode))
        fail(WRONG_INPUT, "%s: found a file, expected a folder for the runs, or none", o->runs);
    for (int i = 0; i < SIGNALS; i++)
        if (!sigaction(signals[i], NULL, &was) && (was.sa_handler != SIG_IGN || signals[i] != SIGHUP))       /* nohup: ignored, stays so */
            sigaction(signals[i], &action, NULL);
    running_sweep = &s;
    tell_text("%d run%s in %s\n", s.run_count, s.run_count == 1 ? "" : "s", o->runs);
    fflush(stdout);
    choose(&s);
    fflush(stdout);
    while (running || (next < s.run_count && !stop_signal)) {
        while (running < s.at_once && next < s.run_count && !stop_signal) {
            Run *run = &s.runs[next++];
            if (run_is_locked(run->path))
                be_elsewhere(run);
            else
                running += start_run(&s, run);
        }
        if (running)
            wait_for_one(&s, &running, &failed);
    }
    if (o->wait)
        wait_for_others(&s, &failed);
    for (int i = 0; i < s.run_count; i++)
        if (!s.runs[i].ended)
            read_log(&s, &s.runs[i]);
    tell(&s);
    int elsewhere = count_elsewhere(&s);
    if (elsewhere && !stop_signal)
        printf("%d run%s elsewhere, not in the table; --wait waits for %s\n", elsewhere, elsewhere == 1 ? " is" : "s are", elsewhere == 1 ? "it" : "them");
    running_sweep = NULL;
    free(s.runs);
    if (!stop_signal)
        return failed;
    fprintf(stderr, "%s: stopped by signal %d; every training has saved.  To go on:\n    %s sweep %s --data %s --runs %s\n", net.name, (int)stop_signal,
            o->program, o->operands[0], o->data, o->runs);
    return BY_SIGNAL + (int)stop_signal;
}
