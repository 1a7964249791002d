/* tuning.c -- the file of the fastest choices on one processor: answers to questions of the schedule and of templates.
 *
 * In: MODEL.tuning, written by tune.c.  Out: for each question the number of a choice among those that are offered with it: nothing of the
 * file reaches the C but that number.  A file ends with the count of its answers, so that a truncated file is
 * detected. */
#include "template/tuning.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct { const char *key, *choice; } Answer;

struct Tuning {
    Arena *arena;
    const char *processor, *version;
    List answers, questions;
};

enum { FILE_MOST = 1 << 20, ANSWERS_MOST = 20000 };

Tuning *tuning_new(Arena *a, const char *processor, const char *version)
{
    Tuning *t = NEW(a, Tuning);
    *t = (Tuning){ .arena = a, .processor = processor, .version = version };
    return t;
}

static Answer *answer_of(const Tuning *t, const char *key)
{
    for (int i = 0; i < t->answers.count; i++)
        if (!strcmp(((Answer *)t->answers.items[i])->key, key))
            return t->answers.items[i];
    return NULL;
}

void tuning_set(Tuning *t, const char *key, const char *choice)
{
    Answer *a = answer_of(t, key);
    if (!a) {
        a = NEW(t->arena, Answer);
        a->key = arena_printf(t->arena, "%s", key);
        list_push(t->arena, &t->answers, a);
    }
    a->choice = choice ? arena_printf(t->arena, "%s", choice) : NULL;
}

int tuning_answers(const Tuning *t)
{
    int n = 0;
    for (int i = 0; i < t->answers.count; i++)
        n += ((Answer *)t->answers.items[i])->choice != NULL;
    return n;
}

int tuning_merge(Tuning *into, const Tuning *from)
{
    int found = 0;
    for (int i = 0; i < from->questions.count; i++) {
        const TuningQuestion *q = from->questions.items[i];
        const Answer *a = answer_of(from, q->key);
        tuning_set(into, q->key, a ? a->choice : NULL);
        found += a && a->choice;
    }
    return found;
}

/* ---- questions ----------------------------------------------------------------------------------------------------- */

bool tuning_concerns(const TuningQuestion *q, const char *op)
{
    for (int i = 0; i < q->ops.count; i++)
        if (!strcmp(q->ops.items[i], op))
            return true;
    return false;
}

int tuning_ask(Tuning *t, const char *settings, const char *op, const char *op_key, const char *what, const List *choices)
{
    const char *key = arena_printf(t->arena, "%s: %s: %s", settings, op_key, what);
    TuningQuestion *q = NULL;
    for (int i = 0; i < t->questions.count && !q; i++)
        if (!strcmp(((TuningQuestion *)t->questions.items[i])->key, key))
            q = t->questions.items[i];
    if (!q) {
        q = NEW(t->arena, TuningQuestion);
        *q = (TuningQuestion){ .key = key, .pass = arena_copy(t->arena, what, strcspn(what, " ,")), .what = arena_printf(t->arena, "%s", what) };
        for (int i = 0; i < choices->count; i++)
            list_push(t->arena, &q->choices, arena_printf(t->arena, "%s", (const char *)choices->items[i]));
        list_push(t->arena, &t->questions, q);
    }
    if (!tuning_concerns(q, op))
        list_push(t->arena, &q->ops, arena_printf(t->arena, "%s", op));
    const Answer *a = answer_of(t, key);
    q->chosen = 0;
    for (int i = 0; a && a->choice && i < choices->count; i++)
        if (!strcmp(choices->items[i], a->choice))
            q->chosen = i;
    return q->chosen;
}

const List *tuning_questions(const Tuning *t) { return &t->questions; }

void tuning_forget(Tuning *t) { t->questions.count = 0; }

/* ---- the file ------------------------------------------------------------------------------------------------------ */

static const char head[] = "# What was fastest on this processor: `spnc tune` wrote it, `spnc build` reads it.  Speed only, never bits; delete it at any time.\n";

static int by_key(const void *a, const void *b)
{
    return strcmp((*(Answer *const *)a)->key, (*(Answer *const *)b)->key);
}

void tuning_write(const Tuning *t, Text *out)
{
    int n = 0;
    Answer **sorted = NEW_ARRAY(t->arena, Answer *, t->answers.count + 1);
    for (int i = 0; i < t->answers.count; i++)
        if (((Answer *)t->answers.items[i])->choice)
            sorted[n++] = t->answers.items[i];
    qsort(sorted, (size_t)n, sizeof *sorted, by_key);
    text_printf(out, "%sversion: %s\nprocessor: %s\n", head, t->version, t->processor);
    for (int i = 0; i < n; i++)
        text_printf(out, "%s = %s\n", sorted[i]->key, sorted[i]->choice);
    text_printf(out, "answers: %d\n", n);
}

/* Takes "NAME: value" off the line; NULL if it is another. */
static const char *after(const char *line, const char *name)
{
    size_t n = strlen(name);
    return !strncmp(line, name, n) && line[n] == ':' && line[n + 1] == ' ' ? line + n + 2 : NULL;
}

/* Why the file counts as empty, or NULL: `read` has its answers. */
static const char *parse(Tuning *t, char *text, size_t length, List *read)
{
    if (memchr(text, 0, length))
        return "it is damaged: a NUL byte";
    const char *version = NULL, *processor = NULL;
    long count = -1;
    int number = 0;
    for (char *line = text, *next; *line; line = next) {
        char *end = strchr(line, '\n');
        number++;
        if (!end || count >= 0)
            return arena_printf(t->arena, "it is damaged: line %d %s", number, end ? "follows its end" : "is cut off");
        *end = 0;
        next = end + 1;
        for (const char *c = line; *c; c++)
            if (*c < ' ' || *c > '~')
                return arena_printf(t->arena, "it is damaged: line %d is not text", number);
        char *equals = strstr(line, " = ");
        if (line[0] == '#' || !line[0])
            continue;
        if (!version && (version = after(line, "version"))) {
            if (strcmp(version, t->version))
                return arena_printf(t->arena, "it was written by spnc %.40s, and this is %s", version, t->version);
        } else if (version && !processor && (processor = after(line, "processor"))) {
            if (strcmp(processor, t->processor))
                return arena_printf(t->arena, "it is about another processor, '%.100s'", processor);
        } else if (processor && equals && equals > line && equals[3]) {
            *equals = 0;
            Answer *a = NEW(t->arena, Answer);
            *a = (Answer){ line, equals + 3 };
            if (read->count == ANSWERS_MOST)
                return "it has too many lines";
            list_push(t->arena, read, a);
        } else if (processor && after(line, "answers")) {
            char *rest;
            count = strtol(after(line, "answers"), &rest, 10);
            if (*rest || count != read->count)
                return arena_printf(t->arena, "it is damaged: it should have %.20s answers and has %d", after(line, "answers"), read->count);
        } else {
            return arena_printf(t->arena, "it is damaged: line %d is not what spnc tune writes", number);
        }
    }
    return count < 0 ? "it is damaged: its end is missing" : NULL;
}

void tuning_read(Tuning *t, const char *path, bool wanted)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        if (wanted || errno != ENOENT)
            fprintf(stderr, "spnc: %s is ignored: %s\n", path, strerror(errno));
        return;
    }
    char *text = arena_alloc(t->arena, FILE_MOST + 1);
    size_t length = fread(text, 1, FILE_MOST + 1, f);
    const char *why = ferror(f) ? strerror(errno) : length > FILE_MOST ? "it is larger than 1 MiB" : NULL;
    fclose(f);
    List read = { 0 };
    if (!why) {
        text[length] = 0;
        why = parse(t, text, length, &read);
    }
    if (why)
        fprintf(stderr, "spnc: %s is ignored: %s; tiles follow spnc's own rule (`spnc tune` measures anew)\n", path, why);
    for (int i = 0; !why && i < read.count; i++) {
        const Answer *a = read.items[i];
        tuning_set(t, a->key, a->choice);
    }
}

/* ---- the processor ------------------------------------------------------------------------------------------------- */

const char *processor_name(Arena *a)
{
    char line[512], name[200] = "unknown";
    int family = 0, model = 0, stepping = 0;
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f) && line[0] != '\n') {       /* of the first processor */
        sscanf(line, "model name : %199[^\n]", name);
        sscanf(line, "cpu family : %d", &family);
        sscanf(line, "model : %d", &model);
        sscanf(line, "stepping : %d", &stepping);
    }
    if (f)
        fclose(f);
    for (char *c = name; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '_';
    return arena_printf(a, "%s, family %d model %d stepping %d", name, family, model, stepping);
}
