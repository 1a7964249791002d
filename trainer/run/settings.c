/* settings.c -- training settings given at run time: one table, from which reading, writing and comparing all follow.
 *
 * A setting either decides what is computed (rate, divide, first, every, seed, dropout rates) or only when to stop (epochs, patience).
 * The first kind belongs to a run for good; the second may be changed whenever it goes on. */
#include "run/settings.h"
#include "run/message.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum { REAL, WHOLE, SEED, RATE } Kind;

typedef struct {
    const char *name;
    Kind kind;
    size_t offset;
    double low;                                /* WHOLE: the least; REAL: must be above it */
    bool stops;
} Setting;

static const Setting of_all_nets[] = {
    { "train.rate", REAL, offsetof(NetTraining, rate), 0, false },
    { "train.divide", REAL, offsetof(NetTraining, divide), 0, false },
    { "train.first", WHOLE, offsetof(NetTraining, first), 0, false },
    { "train.every", WHOLE, offsetof(NetTraining, every), 0, false },
    { "train.epochs", WHOLE, offsetof(NetTraining, epochs), 1, true },
    { "train.patience", WHOLE, offsetof(NetTraining, patience), 0, true },
    { "train.seed", SEED, offsetof(NetTraining, seed), 0, false },
};
enum { ALL_NETS = sizeof of_all_nets / sizeof *of_all_nets, MOST = 1000000000 };
static const double RATE_MOST = 0.999;         /* as in the model */

int settings_count(void) { return ALL_NETS + net.rate_count; }

/* Those of all nets, then this net's dropout rates. */
static Setting setting_at(int i)
{
    return i < ALL_NETS ? of_all_nets[i]
                        : (Setting){ net.rates[i - ALL_NETS].name, RATE, offsetof(NetTraining, dropout) + (size_t)(i - ALL_NETS) * sizeof(double), 0, false };
}

const char *settings_name(int i) { return setting_at(i).name; }

static const char *short_name(Setting s) { return s.kind == RATE ? s.name : strchr(s.name, '.') + 1; }
static const void *at(const NetTraining *t, Setting s) { return (const char *)t + s.offset; }
static bool is_real(Setting s) { return s.kind == REAL || s.kind == RATE; }

static char *text_of(char *text, size_t room, const NetTraining *t, Setting s)
{
    if (is_real(s))
        snprintf(text, room, "%.9g", *(const double *)at(t, s));
    else if (s.kind == WHOLE)
        snprintf(text, room, "%d", *(const int *)at(t, s));
    else
        snprintf(text, room, "%" PRIu64, *(const uint64_t *)at(t, s));
    return text;
}

char *settings_text(char *text, size_t room, const NetTraining *t, int i) { return text_of(text, room, t, setting_at(i)); }

bool settings_removed(int i) { return i >= ALL_NETS && !net.rates[i - ALL_NETS].rate; }

static bool same(const NetTraining *a, const NetTraining *b, Setting s)
{
    return is_real(s)        ? *(const double *)at(a, s) == *(const double *)at(b, s)
           : s.kind == WHOLE ? *(const int *)at(a, s) == *(const int *)at(b, s)
                             : *(const uint64_t *)at(a, s) == *(const uint64_t *)at(b, s);
}

bool settings_same(const NetTraining *a, const NetTraining *b, int i) { return same(a, b, setting_at(i)); }

static void copy(NetTraining *to, const NetTraining *from, Setting s)
{
    memcpy((char *)to + s.offset, at(from, s), is_real(s) ? sizeof(double) : s.kind == WHOLE ? sizeof(int) : sizeof(uint64_t));
}

/* ---- giving ------------------------------------------------------------------------------------------------------ */

/* Takes setting i from *value, unless it was given before with another value. */
static void give(NetTraining *t, unsigned *given, const NetTraining *value, int i)
{
    char was[40], is[40];
    Setting s = setting_at(i);
    unsigned bit = 1u << i;
    if (*given & bit && !same(t, value, s))
        fail(WRONG_USAGE, "%s is given twice, as %s and as %s", s.name, text_of(was, sizeof was, t, s), text_of(is, sizeof is, value, s));
    copy(t, value, s);
    *given |= bit;
}

/* Is it a parameter of the model?  net.settings: "d=2 filters=8". */
static bool compiled_in(const char *name)
{
    size_t n = strlen(name);
    for (const char *word = net.settings; word; word = strchr(word, ' ') ? strchr(word, ' ') + 1 : NULL)
        if (n > 0 && !strncmp(word, name, n) && word[n] == '=')
            return true;
    return false;
}

static int find(const char *name)
{
    const char *names[ALL_NETS + NET_RATES] = { 0 };
    char all[2000] = "";
    size_t n = 0;
    for (int i = 0; i < settings_count(); i++) {
        names[i] = settings_name(i);
        if (!strcmp(name, names[i]))
            return i;
        if (n < sizeof all)
            n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", names[i]);
    }
    if (compiled_in(name))
        fail(WRONG_USAGE, "--set: '%s' cannot be set at run time: it is a parameter that the program was compiled with; what can: %s.  Another value is "
             "another program: spnc build %s --set %s=...", name, all, net.source, name);
    fail(WRONG_USAGE, "--set: '%s' cannot be set at run time%s; what can: %s.  The rest is compiled in: change the model", name,
         nearest_text("; did you mean ", name, names, settings_count(), "?"), all);
}

/* A rate that the model has as 0 left no layers behind that could use another. */
static void check_rate(const NetRate *r, double rate)
{
    char how[600];
    if (r->rate || rate == 0)
        return;
    if (strchr(r->name, '.'))
        snprintf(how, sizeof how, "give the layer a rate above 0 in %.400s, and build it again", net.source);
    else
        snprintf(how, sizeof how, "build it with a rate above 0: spnc build %.400s --set %.100s=0.2", net.source, r->name);
    fail(WRONG_USAGE, "--set: %s: this program was built with %s 0, which leaves its layers out; %s.  Then each run may set it", r->name,
         strchr(r->name, '.') ? "rate" : r->name, how);
}

void settings_set(NetTraining *t, unsigned *given, const char *text)
{
    NetTraining value = *t;
    char name[128], *end;
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || (size_t)(equals - text) >= sizeof name)
        fail(WRONG_USAGE, "--set: got '%s', expected NAME=VALUE as in train.rate=0.01", text);
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    int i = find(name);
    Setting s = setting_at(i);
    const char *number = equals + 1;
    bool digit = *number >= '0' && *number <= '9';
    errno = 0;
    if (is_real(s)) {
        double v = strtod(number, &end), most = RATE_MOST;
        bool good = (digit || *number == '.') && !*end && end != number && isfinite(v);
        if (s.kind == REAL && !(good && v > s.low))
            fail(WRONG_USAGE, "--set: %s: got '%s', expected a number above %g", s.name, number, s.low);
        if (s.kind == RATE) {
            const NetRate *r = &net.rates[i - ALL_NETS];
            most = r->factor > 1 ? RATE_MOST / r->factor : RATE_MOST;
            if (!(good && v <= most))
                fail(WRONG_USAGE, "--set: %s: got '%s', expected a share to drop, from 0 to %.3g", s.name, number, most);
            check_rate(r, v);
        }
        memcpy((char *)&value + s.offset, &v, sizeof v);
    } else {
        uint64_t v = strtoull(number, &end, 10), most = s.kind == WHOLE ? MOST : UINT64_MAX;
        if (!digit || *end || errno || (double)v < s.low || v > most)
            fail(WRONG_USAGE, "--set: %s: got '%s', expected a whole number from %g to %" PRIu64, s.name, number, s.low, most);
        int whole = (int)v;
        memcpy((char *)&value + s.offset, s.kind == WHOLE ? (const void *)&whole : &v, s.kind == WHOLE ? sizeof whole : sizeof v);
    }
    give(t, given, &value, i);
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

void settings_use(const NetTraining *t)
{
    for (int k = 0; k < net.rate_count; k++)
        if (net.rates[k].rate)
            *net.rates[k].rate = t->dropout[k];
}

void settings_full_name(char *name, size_t room, const char *word)
{
    snprintf(name, room, "%s", word);
    for (int i = 0; i < settings_count(); i++)
        if (!strcmp(word, short_name(setting_at(i)))) {
            snprintf(name, room, "%s", settings_name(i));
            return;
        }
}

const char *settings_short_name(const char *name) { return strncmp(name, "train.", 6) ? name : name + 6; }

/* ---- keeping ------------------------------------------------------------------------------------------------------ */

void settings_write(JsonWriter *w, const NetTraining *t)
{
    json_object(w, "train");
    for (int i = 0; i < ALL_NETS; i++) {
        Setting s = setting_at(i);
        if (is_real(s))
            json_double(w, short_name(s), *(const double *)at(t, s));
        else
            json_integer(w, short_name(s), s.kind == WHOLE ? *(const int *)at(t, s) : (int64_t)*(const uint64_t *)at(t, s));
    }
    json_close(w);
    if (!net.rate_count)
        return;
    json_object(w, "dropout");
    for (int k = 0; k < net.rate_count; k++)
        json_double(w, net.rates[k].name, t->dropout[k]);
    json_close(w);
}

void settings_read(NetTraining *t, const JsonValue *facts)
{
    const JsonValue *train = json_get(facts, "train"), *dropout = json_get(facts, "dropout");
    for (int i = 0; i < settings_count(); i++) {
        Setting s = setting_at(i);
        const JsonValue *v = json_get(s.kind == RATE ? dropout : train, short_name(s));
        if (!v || v->kind != JSON_NUMBER || (!is_real(s) && !v->whole))
            continue;
        int whole = (int)v->integer;
        uint64_t seed = (uint64_t)v->integer;
        char *to = (char *)t + s.offset;
        if (is_real(s))
            memcpy(to, &v->number, sizeof v->number);
        else if (s.kind == WHOLE)
            memcpy(to, &whole, sizeof whole);
        else
            memcpy(to, &seed, sizeof seed);
    }
}

void settings_go_on(NetTraining *recorded, const NetTraining *wanted, unsigned given, const char *run)
{
    char was[40], is[40];
    for (int i = 0; i < settings_count(); i++) {
        Setting s = setting_at(i);
        if (!(given >> i & 1))
            continue;
        if (!s.stops && !same(recorded, wanted, s))
            fail(WRONG_INPUT, "%s: the run has %s %s, --%s says %s; leave it out to go on, or start a new run", run, short_name(s),
                 text_of(was, sizeof was, recorded, s), s.kind == SEED ? "seed" : "set", text_of(is, sizeof is, wanted, s));
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
