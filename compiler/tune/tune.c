/* tune.c -- finds the fastest choices on this processor: builds the whole net with one choice after the other and profiles it.
 *
 * In: the questions (tuning.h) of the schedule and the templates for this model.  Out: the answers that were faster than the rule's own.
 * One build tries a choice for every question at once: `profile` times each operator by itself, so that the questions do not disturb each other
 * as long as no two are about one pass of one operator.  First come those about all passes of an operator, then those about one, one round for
 * the first that each pass has, one for its second, and so on.  The builds of a round are run in turn, several times, and the least time counts:
 * other work on the machine can only add time.  Everything is measured on one thread. */
#define _GNU_SOURCE
#include "tune/tune.h"
#include "base/cache.h"
#include "base/child.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHOICES_MOST = 8, TURNS = 8, LAST_TURNS = 16 };
static const double STEPS_MS = 100, GAIN = 0.03, WORTH = 0.005;   /* of one profile; less of an operator's time is noise; of a step's */

static char folder[PATH_MAX];                        /* empty: there is none */

typedef struct { TuningQuestion q; double ms[CHOICES_MOST]; } Trial;

typedef struct {
    Arena *arena;
    Tuning *tuning;
    const char *name;
    TuneBuild build;
    void *user;
    bool cached;
    int steps;                       /* a profile */
    double step;                     /* milliseconds of one, by the rule */
    int choices, kept;               /* measured; that differ from the rule */
} Tuner;

static void remove_folder(void)
{
    if (!folder[0])
        return;
    pid_t p = fork();
    if (p == 0) {
        execl("/bin/rm", "rm", "-rf", folder, (char *)NULL);
        _exit(127);
    }
    if (p > 0)
        waitpid(p, NULL, 0);
    folder[0] = 0;
}

void tune_interrupted(void) { remove_folder(); }

/* ---- one build, one profile ---------------------------------------------------------------------------------------- */

static const char *program(const Tuner *t, int number) { return arena_printf(t->arena, "%s/trial-%d", folder, number); }

/* Builds with the answers as they are; the program becomes trial-NUMBER. */
static int build(Tuner *t, int number)
{
    if (!t->build(t->user, t->tuning, folder))
        return 1;
    int status = cache_make(t->arena, folder, t->name, t->cached);
    const char *made = arena_printf(t->arena, "%s/%s", folder, t->name), *kept = program(t, number);
    if (status == 0 && rename(made, kept)) {
        fprintf(stderr, "spnc: %s: %s\n", kept, strerror(errno));
        status = 74;
    }
    return status;
}

static double number(const Yaml *map, const char *key)
{
    const Yaml *y = yaml_get(map, key);
    return y && y->kind == YAML_SCALAR ? strtod(y->text, NULL) : 0;
}

/* JSON is YAML: the compiler's own reader serves.  NULL after saying why. */
static const Yaml *profile(const Tuner *t, Arena *a, int trial)
{
    Text said = { .arena = a };
    const char *path = program(t, trial), *steps = arena_printf(a, "%d", t->steps);
    int status = child_run((const char *const[]){ path, "profile", "--threads", "1", "--steps", steps, "--json", NULL }, false, &said);
    const Yaml *y = status == 0 && said.text ? read_yaml(a, diag_new(a, stderr, false, false), source_new(a, NULL, said.text, said.length)) : NULL;
    if (!y || !(number(y, "step_ms") > 0))
        fprintf(stderr, "spnc: the program that was built cannot be profiled: `%s profile` ended with status %d\n", path, status);
    return y;
}

/* Milliseconds of the question's operators in its pass. */
static double time_of(const TuningQuestion *q, const Yaml *profile)
{
    const Yaml *rows = yaml_get(profile, "rows");
    double sum = 0;
    for (int i = 0; rows && i < rows->count; i++) {
        const Yaml *name = yaml_get(rows->items[i], "name"), *pass = yaml_get(rows->items[i], "pass");
        bool all = !strcmp(q->pass, "all"), ours = name && pass && (!strcmp(pass->text, q->pass) ||
                   (all && (!strcmp(pass->text, "forward") || !strcmp(pass->text, "backward") || !strcmp(pass->text, "weights") || !strcmp(pass->text, "products"))));
        sum += ours && tuning_concerns(q, name->text) ? number(rows->items[i], "ms") : 0;
    }
    return sum;
}

/* ---- one round ----------------------------------------------------------------------------------------------------- */

static void decide(Tuner *t, const Trial *x)
{
    int best = 0, n = x->q.choices.count;
    for (int i = 1; i < n; i++)
        if (x->ms[i] < x->ms[best])
            best = i;
    bool kept = best && x->ms[best] < (1 - GAIN) * x->ms[0] && x->ms[0] > WORTH * t->step;
    tuning_set(t->tuning, x->q.key, kept ? x->q.choices.items[best] : NULL);
    t->choices += n;
    t->kept += kept;
    if (!kept)
        return;
    for (int i = 0; i < x->q.ops.count; i++)
        printf("%s%s", i ? ", " : "  ", (const char *)x->q.ops.items[i]);
    printf(" %s: %s instead of %s, %.3f ms instead of %.3f (%.1f %% less)\n", x->q.what, (const char *)x->q.choices.items[best], (const char *)x->q.choices.items[0],
           x->ms[best], x->ms[0], 100 * (1 - x->ms[best] / x->ms[0]));
    fflush(stdout);
}

/* Builds every choice of the questions and decides. */
static int round_of(Tuner *t, Trial *trials, int count)
{
    int most = 0, status = 0;
    for (int i = 0; i < count; i++) {
        if (trials[i].q.choices.count > CHOICES_MOST)
            trials[i].q.choices.count = CHOICES_MOST;
        most = trials[i].q.choices.count > most ? trials[i].q.choices.count : most;
    }
    for (int c = 0; c < most && !status; c++) {
        for (int i = 0; i < count; i++)
            tuning_set(t->tuning, trials[i].q.key, trials[i].q.choices.items[c < trials[i].q.choices.count ? c : 0]);
        status = build(t, c);
    }
    for (int turn = 0; turn < TURNS && !status; turn++)
        for (int c = 0; c < most && !status; c++) {
            Arena *a = arena_new();
            const Yaml *p = profile(t, a, c);
            for (int i = 0; p && i < count; i++) {
                double ms = time_of(&trials[i].q, p), *least = &trials[i].ms[c < trials[i].q.choices.count ? c : 0];
                *least = *least == 0 || ms < *least ? ms : *least;
            }
            status = p ? 0 : 74;
            arena_free(a);
        }
    for (int i = 0; i < count && !status; i++)
        decide(t, &trials[i]);
    return status;
}

/* The questions of a round: number `place` of those about one pass (place < 0: those about all), with more than one choice. */
static int questions(Tuner *t, int place, Trial **trials)
{
    const List *all = tuning_questions(t->tuning);
    int n = 0;
    *trials = NEW_ARRAY(t->arena, Trial, all->count + 1);
    for (int i = 0; i < all->count; i++) {
        const TuningQuestion *q = all->items[i];
        int before = 0;
        for (int k = 0; k < i; k++) {
            const TuningQuestion *o = all->items[k];
            before += o->choices.count > 1 && !strcmp(o->pass, q->pass) && !strcmp(o->ops.items[0], q->ops.items[0]);
        }
        if (q->choices.count > 1 && (!strcmp(q->pass, "all") ? place < 0 : place == before))
            (*trials)[n++] = (Trial){ .q = *q };
    }
    return n;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

/* The whole step, by the rule and as it is now: least of several turns.  Answers that do not make it faster are dropped. */
static int compare(Tuner *t)
{
    double ms[2] = { 0 };
    const List *all = tuning_questions(t->tuning);
    const char **kept = NEW_ARRAY(t->arena, const char *, all->count + 1);
    List keys = { 0 };
    for (int i = 0; i < all->count; i++) {
        const TuningQuestion *q = all->items[i];
        kept[i] = q->chosen ? q->choices.items[q->chosen] : NULL;
        list_push(t->arena, &keys, (void *)q->key);
    }
    int status = build(t, 1);
    for (int i = 0; i < keys.count; i++)
        tuning_set(t->tuning, keys.items[i], NULL);
    status = status ? status : build(t, 0);
    for (int turn = 0; turn < LAST_TURNS && !status; turn++)
        for (int c = 0; c < 2 && !status; c++) {
            Arena *a = arena_new();
            const Yaml *p = profile(t, a, c);
            double step = p ? number(p, "step_without_clocks_ms") : 0;
            ms[c] = ms[c] == 0 || step < ms[c] ? step : ms[c];
            status = p ? 0 : 74;
            arena_free(a);
        }
    if (status)
        return status;
    printf("a training step, one thread: %.3f ms by the rule, %.3f ms tuned", ms[0], ms[1]);
    bool faster = ms[1] < ms[0];
    printf(faster ? " (%.1f %% less)\n" : "; not faster, so the rule stays\n", 100 * (1 - ms[1] / ms[0]));
    for (int i = 0; i < keys.count && faster; i++)
        tuning_set(t->tuning, keys.items[i], kept[i]);
    return 0;
}

static int measure(Tuner *t)
{
    int status = build(t, 0);
    Arena *a = arena_new();
    const Yaml *p = status ? NULL : profile(t, a, 0);
    double step = p ? number(p, "step_without_clocks_ms") : 0;
    arena_free(a);
    if (!p)
        return status ? status : 74;
    t->step = step;
    t->steps = step < STEPS_MS / 50 ? 50 : step > STEPS_MS / 2 ? 2 : (int)(STEPS_MS / step);
    for (int place = -1, n = 1; !status && (n || place < 1); place++) {
        Trial *trials;
        tuning_forget(t->tuning);                    /* later questions may depend on earlier answers */
        if (!t->build(t->user, t->tuning, NULL))
            return 1;
        n = questions(t, place, &trials);
        if (n)
            status = round_of(t, trials, n);
    }
    if (status)
        return status;
    tuning_forget(t->tuning);
    if (!t->build(t->user, t->tuning, NULL))
        return 1;
    printf("%d choices measured, %d %s faster than the rule's own\n", t->choices, t->kept, t->kept == 1 ? "is" : "are");
    return t->kept ? compare(t) : 0;
}

int tune(Arena *a, Tuning *tuning, const char *name, bool cached, TuneBuild build_it, void *user)
{
    Tuner t = { .arena = a, .tuning = tuning, .name = name, .build = build_it, .user = user, .cached = cached, .steps = 4 };
    const char *root = getenv("TMPDIR");
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/spnc-tune-XXXXXX", root && *root ? root : "/tmp") >= (int)sizeof path || !mkdtemp(path)) {
        fprintf(stderr, "spnc: %s: a folder to measure in cannot be made: %s\n", root && *root ? root : "/tmp", strerror(errno));
        return 74;
    }
    memcpy(folder, path, sizeof folder);
    atexit(remove_folder);
    setenv("TMPDIR", folder, 1);                     /* temporary files of a stopped compiler are removed with the folder */
    printf("measuring on %s, one thread; this takes minutes\n", processor_name(a));
    fflush(stdout);
    int status = measure(&t);
    remove_folder();
    return status;
}
