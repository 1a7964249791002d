/* settings.c -- training settings given at run time: one table, used by reading, writing, checking and comparing.
 *
 * A setting decides what is computed (rate, the numbers of the schedule, seed, dropout rates) or only when to stop (epochs, patience).
 * The first kind is fixed for a run; the second may change at each resume. */
#include "run/settings.h"
#include "run/message.h"
#include "files/nearest.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;                          /* as --set has it */
    double low;                                /* --set: of whole numbers the least; other numbers must be above it, */
    bool from;                                 /* or may be it */
    bool stops;
    Field field;                               /* in NetTraining, and as files have it */
} Setting;

/* A model, and so a file, may have values that --set refuses: a rate of 0, no epoch, and a divisor of 0 where it has no schedule. */
#define TRAIN(member, low, stops, kind, least, most, ...)                                                             \
    { "train." #member, low, false, stops, { #member, kind, offsetof(NetTraining, member), least, most, 2, .group = "train", \
                                      .absent = &net_training.member, __VA_ARGS__ } }
static const Setting first_of_all = TRAIN(rate, 0, false, FIELD_REAL, 0, INFINITY, .what = "the rate of the first epochs"), last_of_all[] = {
    TRAIN(epochs, 1, true, FIELD_INT, 0, FIELD_INT_MOST, .what = "the run ends after so many epochs"),
    TRAIN(patience, 0, true, FIELD_INT, 0, FIELD_INT_MOST,
          .what = "it ends after so many epochs without a better one, too; 0: it does not"),
    TRAIN(seed, 0, false, FIELD_SEED, 0, 0, .formerly = "seed", .what = "start of all random numbers"),
};
enum { LAST = sizeof last_of_all / sizeof *last_of_all };
_Static_assert(1 + NET_SCHEDULE + LAST + NET_RATES == SETTINGS_MOST, "settings.h has room for all of them");
_Static_assert(SETTINGS_MOST <= 32, "which ones are given is kept in the bits of an unsigned");
static const double RATE_MOST = 0.999;         /* as in the model */

/* Settings of `train:`: the rate, this net's numbers of the schedule, the rest. */
static int train_count(void) { return 1 + net.schedule_count + LAST; }
int settings_count(void) { return train_count() + net.rate_count; }

/* Number k of the net's schedule. */
static Setting schedule_at(int k)
{
    const NetSetting *s = &net.schedule[k];
    Field field = { strchr(s->name, '.') + 1, s->whole ? FIELD_WHOLE : FIELD_REAL, offsetof(NetTraining, schedule) + (size_t)k * sizeof(double),
                    s->zero || net_training.schedule[k] == 0 ? 0 : DBL_MIN,
                    s->whole ? FIELD_INT_MOST : INFINITY, strcmp(s->name, "train.warm_up") ? 2 : 5, .group = "train", .absent = &net_training.schedule[k], .what = s->what };
    return (Setting){ s->name, 0, s->zero, false, field };
}

static double rate_most(const NetRate *r) { return r->factor > 1 ? RATE_MOST / r->factor : RATE_MOST; }

/* Those of `train:`, then this net's dropout rates.  Of these a file may also have what is the model's own, however large its parameter. */
static Setting setting_at(int i)
{
    int k = i - train_count();
    if (k < 0)
        return i == 0 ? first_of_all : i <= net.schedule_count ? schedule_at(i - 1) : last_of_all[i - 1 - net.schedule_count];
    const NetRate *r = &net.rates[k];
    const double *own = &net_training.dropout[k];
    Field field = { r->name, FIELD_REAL, offsetof(NetTraining, dropout) + (size_t)k * sizeof *own, 0,
                    fmax(*own, r->rate ? rate_most(r) : 0), 4, .group = "dropout", .absent = own,
                    .what = "a dropout rate of the net, by its name" };
    return (Setting){ r->name, 0, false, false, field };
}

const char *settings_name(int i) { return setting_at(i).name; }

static bool is_dropout(Setting s) { return !strcmp(s.field.group, "dropout"); }
static const void *at(const NetTraining *t, Setting s) { return (const char *)t + s.field.offset; }
static bool is_real(Setting s) { return s.field.kind == FIELD_REAL; }
static bool is_seed(Setting s) { return s.field.kind == FIELD_SEED; }
static uint64_t seed_of(const NetTraining *t, Setting s) { return *(const uint64_t *)at(t, s); }

/* Of all kinds but FIELD_SEED. */
static double number_of(const NetTraining *t, Setting s) { return s.field.kind == FIELD_INT ? *(const int *)at(t, s) : *(const double *)at(t, s); }

static void put_number(NetTraining *t, Setting s, double v)
{
    bool is_int = s.field.kind == FIELD_INT;
    int whole = is_int ? (int)v : 0;
    memcpy((char *)t + s.field.offset, is_int ? (const void *)&whole : &v, is_int ? sizeof whole : sizeof v);
}

static char *text_of(char *text, size_t room, const NetTraining *t, Setting s)
{
    if (is_seed(s))
        snprintf(text, room, "%" PRIu64, seed_of(t, s));
    else
        snprintf(text, room, "%.0f", number_of(t, s));
    for (int n = 6; is_real(s) && n <= 17; n++) {        /* the fewest digits that read back as the same number */
        snprintf(text, room, "%.*g", n, number_of(t, s));
        if (strtod(text, NULL) == number_of(t, s))
            break;
    }
    return text;
}

char *settings_text(char *text, size_t room, const NetTraining *t, int i) { return text_of(text, room, t, setting_at(i)); }

bool settings_removed(int i) { return i >= train_count() && !net.rates[i - train_count()].rate; }

static bool same(const NetTraining *a, const NetTraining *b, Setting s)
{
    return is_seed(s) ? seed_of(a, s) == seed_of(b, s) : number_of(a, s) == number_of(b, s);
}

bool settings_same(const NetTraining *a, const NetTraining *b, int i) { return same(a, b, setting_at(i)); }

static void copy(NetTraining *to, const NetTraining *from, Setting s)
{
    if (is_seed(s))
        memcpy((char *)to + s.field.offset, at(from, s), sizeof(uint64_t));
    else
        put_number(to, s, number_of(from, s));
}

/* ---- giving ------------------------------------------------------------------------------------------------------ */

static const char *where = "--set";            /* what is given, for messages */

void settings_from(const char *place) { where = place ? place : "--set"; }

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

/* True for a parameter of the model.  net.settings: "d=2 filters=8". */
static bool compiled_in(const char *name)
{
    size_t n = strlen(name);
    for (const char *word = net.settings; word; word = strchr(word, ' ') ? strchr(word, ' ') + 1 : NULL)
        if (n > 0 && !strncmp(word, name, n) && word[n] == '=')
            return true;
    return false;
}

/* The setting that was probably meant; "" if none is near.  `train.` is in most of them and says nothing. */
static const char *near_setting(const char *name)
{
    static const char train[] = "train.";
    const size_t n = sizeof train - 1;
    const char *ends[SETTINGS_MOST] = { 0 };
    for (int i = 0; i < settings_count(); i++)
        ends[i] = settings_name(i) + (strncmp(settings_name(i), train, n) ? 0 : n);
    const char *word = strncmp(name, train, n) ? name : name + n;
    const char *near = nearest_within(word, ends, settings_count(), 1 + (int)strlen(word) / 3);
    for (int i = 0; near && i < settings_count(); i++)
        if (near == ends[i])
            return settings_name(i);
    return "";
}

static int find(const char *name)
{
    char all[2000] = "";
    size_t n = 0;
    for (int i = 0; i < settings_count(); i++) {
        if (!strcmp(name, settings_name(i)))
            return i;
        if (n < sizeof all)
            n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", settings_name(i));
    }
    if (compiled_in(name))
        fail(WRONG_USAGE, "%s: '%s' cannot be set at run time: it is a parameter that the program was compiled with; what can: %s.  Another value is "
             "another program: spnc build %s --set %s=...", where, name, all, net.source, name);
    const char *near = near_setting(name);
    fail(WRONG_USAGE, "%s: '%s' cannot be set at run time%s%s%s; what can: %s.  The rest is compiled in: change the model", where, name,
         *near ? "; did you mean " : "", near, *near ? "?" : "", all);
}

/* A rate of 0 in the model: the layers are left out, so no other rate can be used. */
static void check_rate(const NetRate *r, double rate)
{
    char how[600];
    if (r->rate || rate == 0)
        return;
    if (strchr(r->name, '.'))
        snprintf(how, sizeof how, "give the layer a rate above 0 in %.400s, and build it again", net.source);
    else
        snprintf(how, sizeof how, "build it with a rate above 0: spnc build %.400s --set %.100s=0.2", net.source, r->name);
    fail(WRONG_USAGE, "%s: %s: this program was built with %s 0, which leaves its layers out; %s.  Then each run may set it", where, r->name,
         strchr(r->name, '.') ? "rate" : r->name, how);
}

void settings_set(NetTraining *t, unsigned *given, const char *text)
{
    NetTraining value = *t;
    char name[128], *end;
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || (size_t)(equals - text) >= sizeof name)
        fail(WRONG_USAGE, "%s: got '%s', expected NAME=VALUE as in train.rate=0.01", where, text);
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    int i = find(name);
    Setting s = setting_at(i);
    const char *number = equals + 1;
    bool digit = *number >= '0' && *number <= '9';
    errno = 0;
    if (is_real(s)) {
        double v = strtod(number, &end);
        bool good = (digit || *number == '.') && !*end && end != number && isfinite(v);
        if (!is_dropout(s) && !(good && (v > s.low || (s.from && v == s.low))))
            fail(WRONG_USAGE, "%s: %s: got '%s', expected a number %s %g", where, s.name, number, s.from ? "from" : "above", s.low);
        if (is_dropout(s)) {
            const NetRate *r = &net.rates[i - train_count()];
            if (!(good && v <= rate_most(r)))
                fail(WRONG_USAGE, "%s: %s: got '%s', expected a share to drop, from 0 to %.3g", where, s.name, number, rate_most(r));
            check_rate(r, v);
        }
        put_number(&value, s, v);
    } else {
        uint64_t v = strtoull(number, &end, 10), most = is_seed(s) ? UINT64_MAX : FIELD_INT_MOST;
        if (!digit || *end || errno || (double)v < s.low || v > most)
            fail(WRONG_USAGE, "%s: %s: got '%s', expected a whole number from %g to %" PRIu64, where, s.name, number, s.low, most);
        if (is_seed(s))
            memcpy((char *)&value + s.field.offset, &v, sizeof v);
        else
            put_number(&value, s, (double)v);
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
        if (!strcmp(word, setting_at(i).field.name)) {
            snprintf(name, room, "%s", settings_name(i));
            return;
        }
}

const char *settings_short_name(const char *name) { return strncmp(name, "train.", 6) ? name : name + 6; }

/* ---- keeping ------------------------------------------------------------------------------------------------------ */

int settings_fields(Field *rows)
{
    for (int i = 0; i < settings_count(); i++)
        rows[i] = setting_at(i).field;
    return settings_count();
}

void settings_write(JsonWriter *w, const NetTraining *t)
{
    Field rows[SETTINGS_MOST];
    fields_write(w, rows, settings_fields(rows), t);
}

bool settings_read(NetTraining *t, const JsonValue *object, char *why, size_t room)
{
    Field rows[SETTINGS_MOST];
    return fields_read(t, rows, settings_fields(rows), object, why, room);
}

void settings_go_on(NetTraining *recorded, const NetTraining *wanted, unsigned given, const char *run)
{
    char was[40], is[40];
    for (int i = 0; i < settings_count(); i++) {
        Setting s = setting_at(i);
        if (!(given >> i & 1))
            continue;
        if (!s.stops && !same(recorded, wanted, s))
            fail(WRONG_INPUT, "%s: the run has %s %s, --%s says %s; leave it out to go on, or start a new run", run, s.field.name,
                 text_of(was, sizeof was, recorded, s), s.field.kind == FIELD_SEED ? "seed" : "set", text_of(is, sizeof is, wanted, s));
        copy(recorded, wanted, s);
    }
}

static const char *epochs_text(char *text, size_t room, int epochs)
{
    snprintf(text, room, "%d epoch%s", epochs, epochs == 1 ? "" : "s");
    return text;
}

/* Setting "train.NAME" of the schedule; -1: the net has none.  own: it and the number of epochs are those of the model file. */
static double schedule_number(const NetTraining *t, const char *name, bool *own)
{
    for (int i = 1; i <= net.schedule_count; i++)
        if (!strcmp(settings_name(i) + 6, name)) {
            *own = settings_same(t, net.training, i) && t->epochs == net.training->epochs;
            return t->schedule[i - 1];
        }
    return -1;
}

static bool divides(const NetTraining *t)
{
    bool own;
    const double by = schedule_number(t, "divide", &own);
    return by > 0 && (by < 1 || by > 1);
}

/* The first change of the rate comes when the run is over; text: how that is said.  `step` has no `first`. */
static bool begins_late(char *text, size_t room, const NetTraining *t)
{
    bool own = false;
    char whole[40];
    const char *name = schedule_number(t, "first", &own) < 0 ? "every" : "first";
    const double at = schedule_number(t, name, &own);
    if (own || !divides(t) || at < t->epochs || at <= 0)
        return false;
    snprintf(text, room, "train.%s is %g, and the run ends after %s: the rate stays as it is", name, at, epochs_text(whole, sizeof whole, t->epochs));
    return true;
}

static bool warms_long(char *text, size_t room, const NetTraining *t)
{
    bool own = false;
    char whole[40];
    const double warm = schedule_number(t, "warm_up", &own);
    if (own || warm <= t->epochs)
        return false;
    snprintf(text, room, "train.warm_up is %g, and the run ends after %s: the rate never comes to its full height", warm,
             epochs_text(whole, sizeof whole, t->epochs));
    return true;
}

static bool gathers_all(char *text, size_t room, int64_t steps)
{
    if (net.accumulate <= steps || net.accumulate < 2)
        return false;
    snprintf(text, room, "%s: accumulate is %d, and an epoch has %" PRId64 " batch%s: it makes one update", net.source, net.accumulate, steps, steps == 1 ? "" : "es");
    return true;
}

static bool averages_long(char *text, size_t room, const NetTraining *t, int64_t updates)
{
    const double span = net.average_keeps > 0 ? 1 / (1 - net.average_keeps) : 0, all = (double)updates * t->epochs;
    if (all >= span)
        return false;
    snprintf(text, room, "%s: average: %g is of some %.0f updates, and the run makes %.0f: what is evaluated is near the weights it starts from; choose a smaller"
             " average, or more epochs", net.source, net.average_keeps, span, all);
    return true;
}

bool settings_doubt(char *text, size_t room, const NetTraining *t, int64_t steps, int64_t updates, int k)
{
    for (int kind = 0; kind < 4; kind++) {
        const bool doubt = kind == 0 ? begins_late(text, room, t) : kind == 1 ? warms_long(text, room, t) : kind == 2 ? gathers_all(text, room, steps)
                                                                                                          : averages_long(text, room, t, updates);
        if (doubt && !k--)
            return true;
    }
    return false;
}

double settings_rate(const NetTraining *t, int epoch, uint64_t update, uint64_t updates) { return net.rate(t, epoch, update, updates); }
