/* settings.c -- training settings given at run time: one table, from which reading, writing and comparing all follow.
 *
 * A setting either decides what is computed (rate, divide, first, every, seed) or only when to stop (epochs, patience).
 * The first kind belongs to a run for good; the second may be changed whenever it goes on. */
#include "settings.h"
#include "message.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum { REAL, WHOLE, SEED } Kind;

typedef struct {
    const char *name;
    Kind kind;
    size_t offset;
    double low;                                /* WHOLE: the least; REAL: must be above it */
    bool stops;
} Setting;

static const Setting settings[] = {
    { "train.rate", REAL, offsetof(NetTraining, rate), 0, false },
    { "train.divide", REAL, offsetof(NetTraining, divide), 0, false },
    { "train.first", WHOLE, offsetof(NetTraining, first), 0, false },
    { "train.every", WHOLE, offsetof(NetTraining, every), 0, false },
    { "train.epochs", WHOLE, offsetof(NetTraining, epochs), 1, true },
    { "train.patience", WHOLE, offsetof(NetTraining, patience), 0, true },
    { "train.seed", SEED, offsetof(NetTraining, seed), 0, false },
};
enum { SETTINGS = sizeof settings / sizeof *settings, MOST = 1000000000 };

static const char *short_name(const Setting *s) { return strchr(s->name, '.') + 1; }
static const void *at(const NetTraining *t, const Setting *s) { return (const char *)t + s->offset; }

static char *text_of(char *text, size_t room, const NetTraining *t, const Setting *s)
{
    if (s->kind == REAL)
        snprintf(text, room, "%.9g", *(const double *)at(t, s));
    else if (s->kind == WHOLE)
        snprintf(text, room, "%d", *(const int *)at(t, s));
    else
        snprintf(text, room, "%" PRIu64, *(const uint64_t *)at(t, s));
    return text;
}

static bool same(const NetTraining *a, const NetTraining *b, const Setting *s)
{
    return s->kind == REAL    ? *(const double *)at(a, s) == *(const double *)at(b, s)
           : s->kind == WHOLE ? *(const int *)at(a, s) == *(const int *)at(b, s)
                              : *(const uint64_t *)at(a, s) == *(const uint64_t *)at(b, s);
}

static void copy(NetTraining *to, const NetTraining *from, const Setting *s)
{
    memcpy((char *)to + s->offset, at(from, s), s->kind == REAL ? sizeof(double) : s->kind == WHOLE ? sizeof(int) : sizeof(uint64_t));
}

/* ---- giving ------------------------------------------------------------------------------------------------------ */

/* Takes s from *value, unless it was given before with another value. */
static void give(NetTraining *t, unsigned *given, const NetTraining *value, const Setting *s)
{
    char was[40], is[40];
    unsigned bit = 1u << (s - settings);
    if (*given & bit && !same(t, value, s))
        fail(WRONG_USAGE, "%s is given twice, as %s and as %s", s->name, text_of(was, sizeof was, t, s), text_of(is, sizeof is, value, s));
    copy(t, value, s);
    *given |= bit;
}

static const Setting *find(const char *name)
{
    const char *names[SETTINGS];
    char all[200] = "";
    for (int i = 0; i < SETTINGS; i++) {
        names[i] = settings[i].name;
        if (!strcmp(name, names[i]))
            return &settings[i];
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = nearest_word(name, names, SETTINGS);
    fail(WRONG_USAGE, "--set: '%s' cannot be set at run time%s%s%s; what can: %s.  The rest is compiled in: change the model", name,
         near ? "; did you mean " : "", near ? near : "", near ? "?" : "", all);
}

void settings_set(NetTraining *t, unsigned *given, const char *text)
{
    NetTraining value = *t;
    char name[64], *end;
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || (size_t)(equals - text) >= sizeof name)
        fail(WRONG_USAGE, "--set: got '%s', expected NAME=VALUE as in train.rate=0.01", text);
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    const Setting *s = find(name);
    const char *number = equals + 1;
    bool digit = *number >= '0' && *number <= '9';
    errno = 0;
    if (s->kind == REAL) {
        double v = strtod(number, &end);
        if (!(digit || *number == '.') || *end || end == number || !isfinite(v) || v <= s->low)
            fail(WRONG_USAGE, "--set: %s: got '%s', expected a number above %g", s->name, number, s->low);
        memcpy((char *)&value + s->offset, &v, sizeof v);
    } else {
        uint64_t v = strtoull(number, &end, 10), most = s->kind == WHOLE ? MOST : UINT64_MAX;
        if (!digit || *end || errno || (double)v < s->low || v > most)
            fail(WRONG_USAGE, "--set: %s: got '%s', expected a whole number from %g to %" PRIu64, s->name, number, s->low, most);
        int whole = (int)v;
        memcpy((char *)&value + s->offset, s->kind == WHOLE ? (const void *)&whole : &v, s->kind == WHOLE ? sizeof whole : sizeof v);
    }
    give(t, given, &value, s);
}

void settings_set_epochs(NetTraining *t, unsigned *given, int epochs)
{
    NetTraining value = *t;
    value.epochs = epochs;
    give(t, given, &value, find("train.epochs"));
}

void settings_set_seed(NetTraining *t, unsigned *given, uint64_t seed)
{
    NetTraining value = *t;
    value.seed = seed;
    give(t, given, &value, find("train.seed"));
}

/* ---- keeping ------------------------------------------------------------------------------------------------------ */

void settings_write(JsonWriter *w, const NetTraining *t)
{
    json_object(w, "train");
    for (const Setting *s = settings; s < settings + SETTINGS; s++)
        if (s->kind == REAL)
            json_double(w, short_name(s), *(const double *)at(t, s));
        else
            json_integer(w, short_name(s), s->kind == WHOLE ? *(const int *)at(t, s) : (int64_t)*(const uint64_t *)at(t, s));
    json_close(w);
}

void settings_read(NetTraining *t, const JsonValue *object)
{
    for (const Setting *s = settings; object && s < settings + SETTINGS; s++) {
        const JsonValue *v = json_get(object, short_name(s));
        if (!v || v->kind != JSON_NUMBER || (s->kind != REAL && !v->whole))
            continue;
        int whole = (int)v->integer;
        uint64_t seed = (uint64_t)v->integer;
        char *to = (char *)t + s->offset;
        if (s->kind == REAL)
            memcpy(to, &v->number, sizeof v->number);
        else if (s->kind == WHOLE)
            memcpy(to, &whole, sizeof whole);
        else
            memcpy(to, &seed, sizeof seed);
    }
}

void settings_go_on(NetTraining *recorded, const NetTraining *wanted, unsigned given, const char *run)
{
    char was[40], is[40];
    for (const Setting *s = settings; s < settings + SETTINGS; s++) {
        if (!(given >> (s - settings) & 1))
            continue;
        if (!s->stops && !same(recorded, wanted, s))
            fail(WRONG_INPUT, "%s: the run has %s %s, --%s says %s; leave it out to go on, or start a new run", run, short_name(s),
                 text_of(was, sizeof was, recorded, s), s->kind == SEED ? "seed" : "set", text_of(is, sizeof is, wanted, s));
        copy(recorded, wanted, s);
    }
}

double settings_rate(const NetTraining *t, int epoch)
{
    double rate = t->rate;
    for (int64_t e = t->first; t->every > 0 && e <= epoch; e += t->every)
        rate /= t->divide;
    return rate;
}
