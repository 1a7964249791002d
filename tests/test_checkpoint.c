/* test_checkpoint.c -- every row of the table of a checkpoint's fields: written, read back, refused out of its range, and what its absence
 * means; the page that describes them has the same rows.  A new row needs nothing here. */
#define _DEFAULT_SOURCE
#include "net.h"

static double dropped;
static const NetRate rates[] = { { "RATE", &dropped, 1 } };
#define TINY_RATES rates
#include "fixtures/tiny_net.c"
#include "folder.h"
#include "run/message.h"
#include "run/run.h"
#include "run/weights.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <math.h>

static Field rows[CHECKPOINT_FIELDS_MOST];
static int count;

static void begin(void)
{
    folder_make();
    tiny_open(1);
    cr_redirect_stderr();
    count = checkpoint_fields(rows);
}

static void end(void)
{
    tiny_close();
    folder_remove();
}

TestSuite(checkpoint, .init = begin, .fini = end);

static bool is_text(const Field *f) { return f->kind == FIELD_TEXT || f->kind == FIELD_CHARS; }
static bool is_whole(const Field *f) { return f->kind == FIELD_INT || f->kind == FIELD_WHOLE || f->kind == FIELD_LONG; }
static void *at(Progress *p, const Field *f) { return (char *)p + f->offset; }

static bool is_limit(const Field *f)
{
    for (int i = 0; i < count; i++)
        if (rows[i].limit && !strcmp(rows[i].limit, f->name))
            return true;
    return false;
}

static int row_of(const char *name)
{
    int i = 0;
    while (i < count && strcmp(rows[i].name, name))
        i++;
    return i;
}

/* ---- values ----------------------------------------------------------------------------------------------------------- */

/* A value of row i that no other row has, as it stands in the file. */
static void distinctive(char *text, size_t room, int i)
{
    const Field *f = &rows[i];
    double start = isfinite(f->least) ? f->least : 0;
    switch (f->kind) {
    case FIELD_INT: case FIELD_WHOLE: case FIELD_LONG: snprintf(text, room, "%.0f", start + 2 + i + (is_limit(f) ? 1000 : 0)); break;
    case FIELD_SEED: snprintf(text, room, "%d", -5 - i); break;
    case FIELD_REAL: snprintf(text, room, "%.17g", (i + 1) / 64.0); break;
    case FIELD_FLAG: snprintf(text, room, "true"); break;
    case FIELD_TEXT: case FIELD_CHARS: snprintf(text, room, "\"text %d\"", i); break;
    }
}

static void set(Progress *p, int i)
{
    static char texts[CHECKPOINT_FIELDS_MOST][40];
    const Field *f = &rows[i];
    char *text = texts[i];
    distinctive(text, sizeof texts[i], i);
    if (is_text(f))
        text++, text[strlen(text) - 1] = '\0';
    switch (f->kind) {
    case FIELD_INT: *(int *)at(p, f) = atoi(text); break;
    case FIELD_LONG: case FIELD_SEED: *(int64_t *)at(p, f) = atoll(text); break;
    case FIELD_REAL: case FIELD_WHOLE: *(double *)at(p, f) = atof(text); break;
    case FIELD_FLAG: *(bool *)at(p, f) = true; break;
    case FIELD_TEXT: *(const char **)at(p, f) = text; break;
    case FIELD_CHARS: strcpy(at(p, f), text); break;
    }
}

/* Facts in which every row has its distinctive value; for free(). */
static char *distinctive_facts(void)
{
    Progress p = { .epoch = 0 };
    for (int i = 0; i < count; i++)
        if (!rows[i].own)
            set(&p, i);
    return checkpoint_facts(&p);
}

/* `facts` with another value of row i, or without it (NULL); for free(). */
static char *altered(const char *facts, int i, const char *value)
{
    char name[ARRAY_NAME];
    snprintf(name, sizeof name, "\"%s\": ", rows[i].name);
    const char *from = strstr(facts, name), *to = from + strlen(name);
    cr_assert(from != NULL, "%s in %s", name, facts);
    to += strcspn(to, ",}");
    char *text = need_memory(strlen(facts) + (value ? strlen(value) : 0) + 1, "facts");
    if (value) {
        sprintf(text, "%.*s%s%s%s", (int)(from - facts), facts, name, value, to);
        return text;
    }
    if (*to == ',')
        to += 2;
    else if (from[-2] == ',')
        from -= 2;
    sprintf(text, "%.*s%s", (int)(from - facts), facts, to);
    return text;
}

/* Reads facts as checkpoint_progress does, but comes back. */
static bool reads(Progress *p, const char *facts, char *why, size_t room)
{
    Json j;
    char error[200];
    cr_assert(json_parse(&j, facts, strlen(facts), CONTAINER_TEXT, error, sizeof error), "%s: %s", error, facts);
    *p = (Progress){ .training = *net.training };
    bool fine = fields_read(p, rows, count, j.root, why, room);
    json_parse_free(&j);
    return fine;
}

static char *full_name(char *text, size_t room, const Field *f)
{
    snprintf(text, room, "%s%s%s", f->group ? f->group : "", f->group ? "." : "", f->name);
    return text;
}

/* ---- every row -------------------------------------------------------------------------------------------------------- */

Test(checkpoint, every_field_is_written_and_read_back)
{
    Progress p;
    char why[300] = "", value[40], pair[200];
    char *facts = distinctive_facts();
    cr_assert(reads(&p, facts, why, sizeof why), "%s", why);
    for (int i = 0; i < count; i++) {
        Progress expected = { .epoch = 0 };
        const Field *f = &rows[i];
        if (f->own)
            continue;
        distinctive(value, sizeof value, i);
        snprintf(pair, sizeof pair, "\"%s\": %s", f->name, value);
        cr_assert(strstr(facts, pair) != NULL, "%s in %s", pair, facts);
        set(&expected, i);
        size_t size = f->kind == FIELD_INT ? sizeof(int) : f->kind == FIELD_FLAG ? sizeof(bool) : 8;
        bool same = f->kind == FIELD_TEXT ? !strcmp(*(char **)at(&p, f), *(char **)at(&expected, f))
                    : f->kind == FIELD_CHARS ? !strcmp(at(&p, f), at(&expected, f)) : !memcmp(at(&p, f), at(&expected, f), size);
        cr_assert(same, "%s", f->name);
    }
    char *again = checkpoint_facts(&p);
    cr_assert(eq(str, again, facts));
}

/* Values that a row must not take: of other kinds, and just outside its range. */
static int wrong_values(char wrong[12][64], const Field *f, const Progress *p)
{
    int n = 0;
    double limit = f->limit ? (double)(strcmp(f->limit, "epoch") ? p->examples : p->epoch) : f->most;
    strcpy(wrong[n++], "null");
    strcpy(wrong[n++], "[1]");
    strcpy(wrong[n++], f->kind == FIELD_FLAG || is_text(f) ? "1" : "\"1\"");
    strcpy(wrong[n++], f->kind == FIELD_FLAG ? "\"true\"" : "true");
    if (is_whole(f) || f->kind == FIELD_SEED)
        strcpy(wrong[n++], "1.5"), strcpy(wrong[n++], "9223372036854775808");
    if (is_whole(f)) {
        strcpy(wrong[n++], "9223372036854775807"), strcpy(wrong[n++], "-9223372036854775808");
        sprintf(wrong[n++], "%.0f", f->least - 1), sprintf(wrong[n++], "%.0f", limit + 1);
    }
    if (f->kind == FIELD_REAL && isfinite(f->least))
        sprintf(wrong[n++], "%.17g", f->least - 1e-9);
    if (f->kind == FIELD_REAL && isfinite(limit))
        sprintf(wrong[n++], "%.17g", limit + 1e-9 * (1 + limit));
    return n;
}

Test(checkpoint, a_value_out_of_its_range_is_refused_by_name)
{
    Progress p, good;
    char why[300], wrong[12][64], name[200], range[200];
    char *facts = distinctive_facts();
    cr_assert(reads(&good, facts, why, sizeof why));
    for (int i = 0; i < count; i++) {
        if (rows[i].own)
            continue;
        full_name(name, sizeof name, &rows[i]);
        field_range(range, sizeof range, &rows[i]);
        for (int k = wrong_values(wrong, &rows[i], &good); k-- > 0;) {
            char *other = altered(facts, i, wrong[k]);
            *why = '\0';
            cr_assert(not(reads(&p, other, why, sizeof why)), "%s: %s is believed", name, wrong[k]);
            cr_assert(strstr(why, name) && strstr(why, range), "%s: %s: %s", name, wrong[k], why);
            free(other);
        }
        if (rows[i].group) {
            char no_object[100], *other = need_memory(strlen(facts) + 100, "facts");
            snprintf(no_object, sizeof no_object, "\"%s\": {", rows[i].group);
            const char *from = strstr(facts, no_object);
            sprintf(other, "%.*s\"%s\": 3%s", (int)(from - facts), facts, rows[i].group, strchr(from, '}') + 1);
            cr_assert(not(reads(&p, other, why, sizeof why)));
            cr_assert(strstr(why, rows[i].group) && strstr(why, "an object"), "%s", why);
            free(other);
        }
    }
}

Test(checkpoint, both_ends_of_a_range_are_believed)
{
    Progress p;
    char why[300] = "", value[64];
    char *facts = distinctive_facts();
    for (int i = 0; i < count; i++) {
        const Field *f = &rows[i];
        if (f->own || !(is_whole(f) || f->kind == FIELD_REAL) || is_limit(f))
            continue;
        for (int end_of = 0; end_of < 2; end_of++) {
            double v = !end_of ? f->least : f->limit ? (double)(1000 + 2 + row_of(f->limit) + rows[row_of(f->limit)].least) : f->most;
            if (!isfinite(v))
                continue;
            snprintf(value, sizeof value, is_whole(f) ? "%.0f" : "%.17g", v);
            char *other = altered(facts, i, value);
            cr_assert(reads(&p, other, why, sizeof why), "%s: %s", value, why);
            free(other);
        }
    }
}

Test(checkpoint, a_text_that_is_too_long_is_refused)
{
    Progress p;
    char why[300] = "", value[TRANSFER_PATH + 8];
    char *facts = distinctive_facts();
    for (int i = 0; i < count; i++) {
        if (rows[i].kind != FIELD_CHARS)
            continue;
        for (size_t more = 0; more < 2; more++) {
            memset(value, 'x', sizeof value);
            value[0] = value[rows[i].room + more] = '"';
            value[rows[i].room + more + 1] = '\0';
            char *other = altered(facts, i, value);
            cr_assert(reads(&p, other, why, sizeof why) == !more, "%s: %s", rows[i].name, why);
            free(other);
        }
        cr_assert(strstr(why, rows[i].name) && strstr(why, "at most"), "%s", why);
    }
}

Test(checkpoint, absence_gives_the_default_of_the_row_or_is_refused)
{
    Progress p;
    char why[300], name[200];
    static const char zeros[TRANSFER_PATH];
    char *facts = distinctive_facts();
    for (int i = 0; i < count; i++) {
        const Field *f = &rows[i];
        char *less = altered(facts, i, NULL);
        bool fine = reads(&p, less, why, sizeof why);
        full_name(name, sizeof name, f);
        cr_assert(fine == (f->own || f->optional || f->since > 1), "%s: %s", name, why);
        cr_assert(fine || (strstr(why, f->name) && strstr(why, "is missing")), "%s", why);
        if (fine && !f->own) {
            size_t size = f->kind == FIELD_INT ? sizeof(int) : f->kind == FIELD_FLAG ? sizeof(bool) : f->kind == FIELD_CHARS ? f->room : 8;
            cr_assert(zero(int, memcmp(at(&p, f), f->absent ? f->absent : zeros, size)), "%s", name);
        }
        free(less);
    }
}

Test(checkpoint, fields_of_a_later_version_are_passed_over)
{
    Progress p;
    char why[300] = "", later[20000];
    char *facts = distinctive_facts(), *train = strstr(facts, "\"train\": {") + 10;
    snprintf(later, sizeof later, "{\"later\": {\"x\": [1]}, %.*s\"later\": -1, %s", (int)(train - facts - 1), facts + 1, train);
    cr_assert(reads(&p, later, why, sizeof why), "%s", why);
    char *again = checkpoint_facts(&p);
    cr_assert(eq(str, again, facts));
}

/* What a new member of Progress needs: one row. */
Test(checkpoint, one_more_row_is_one_more_field)
{
    typedef struct { Progress p; int patience_left; } More;
    static const int at_first = 3;
    const Field row = { "patience_left", FIELD_INT, offsetof(More, patience_left), 0, 9, 5, .absent = &at_first, .what = "an example" };
    More m = { .p = { .training = *net.training, .examples = 57, .epoch = 2, .best_epoch = 1 }, .patience_left = 7 }, back;
    JsonWriter w;
    Json j;
    char why[300] = "";
    int more = fields_add(rows, count, &row, 1, 0);
    for (int value = 7; value <= 10; value += 3) {     /* as it is, and out of its range */
        m.patience_left = value;
        json_begin(&w, NULL);
        json_object(&w, NULL);
        fields_write(&w, rows, more, &m);
        json_close(&w);
        cr_assert(json_end(&w) && json_parse(&j, w.text, w.length, CONTAINER_TEXT, why, sizeof why), "%s", why);
        cr_assert(fields_read(&back, rows, more, j.root, why, sizeof why) == (value == 7), "%s", why);
        cr_assert(value == 10 || (back.patience_left == 7 && back.p.epoch == 2 && back.p.examples == 57));
        json_parse_free(&j);
        json_free(&w);
    }
    cr_assert(strstr(why, "field 'patience_left' is 10, expected a whole number from 0 to 9") != NULL, "%s", why);
    char *old = checkpoint_facts(&m.p);
    cr_assert(json_parse(&j, old, strlen(old), CONTAINER_TEXT, why, sizeof why));
    cr_assert(fields_read(&back, rows, more, j.root, why, sizeof why) && back.patience_left == at_first, "%s", why);
    json_parse_free(&j);
    free(old);
}

Test(checkpoint, versions_are_counted_from_1_without_a_gap)
{
    bool seen[CHECKPOINT_FIELDS_MOST] = { false };
    int last = 0;
    for (int i = 0; i < count; i++) {
        cr_assert(rows[i].since >= 1 && rows[i].since < CHECKPOINT_FIELDS_MOST, "%s", rows[i].name);
        seen[rows[i].since] = true;
        last = rows[i].since > last ? rows[i].since : last;
    }
    for (int v = 1; v <= last; v++)
        cr_assert(seen[v], "no field of version %d", v);
}

/* ---- whole files -------------------------------------------------------------------------------------------------------- */

/* What a trainer wrote before there were settings, dropout or --init. */
Test(checkpoint, the_first_version_is_still_read)
{
    static const char facts[] =
        "{\"model\": \"tiny\", \"settings\": \"units=8\", \"precision\": \"float\", \"form\": \"plain\", \"batch\": 10, \"yaml\": \"\", "
        "\"seed\": 77, \"updates\": 12, \"examples\": 57, \"epoch\": 1, \"position\": 10, \"loss_sum\": 3.5, \"norm_sum\": 2, "
        "\"norm_most\": 1, \"steps\": 1, \"train_seconds\": 0.5, \"best_epoch\": 0, \"best\": 0.25, \"log_bytes\": 300}";
    Progress p;
    char why[300] = "";
    cr_assert(reads(&p, facts, why, sizeof why), "%s", why);
    cr_assert(eq(u64, p.training.seed, 77));
    cr_assert(eq(dbl, p.training.rate, net.training->rate));
    cr_assert(eq(int, p.training.epochs, net.training->epochs));
    cr_assert(p.updates == 12 && p.examples == 57 && p.position == 10 && p.best_epoch == 0 && p.log_bytes == 300);
    cr_assert(p.data == 0 && p.wrong == 0 && !p.exploded && !p.log_rest && !*p.init.file);
}

static void save_run(const Progress *p)
{
    Snapshot s;
    ArrayError e;
    snapshot_open(&s);
    weights_init(net.weights(), 3);
    snapshot_take(&s, p);
    cr_assert(run_save(".", "last", &s, &e), "%s", e.text);
    snapshot_close(&s);
}

Test(checkpoint, a_run_goes_on_from_what_it_saved)
{
    Progress p = { .training = *net.training, .examples = 57, .position = 20, .steps = 2, .updates = 8, .epoch = 1, .best_epoch = 0,
                   .best = 0.25 }, q;
    save_run(&p);
    memset(weights, 0, sizeof *weights * BLOCK);
    run_resume(&q, ".");
    cr_assert(q.position == 20 && q.updates == 8 && q.epoch == 1 && q.best_epoch == 0 && q.best == 0.25);
    cr_assert(weights[HIDDEN_W] != 0);
}

Test(checkpoint, a_run_does_not_go_on_from_what_cannot_be, .exit_code = WRONG_INPUT)
{
    Progress p = { .training = *net.training, .examples = 57, .position = -20 };
    save_run(&p);
    run_resume(&p, ".");
}

static Progress with_best(int epoch, int best_epoch, double best)
{
    return (Progress){ .training = *net.training, .examples = 57, .position = 20, .steps = 2, .epoch = epoch, .updates = (uint64_t)(6 * epoch + 2),
                       .best_epoch = best_epoch, .best = best };
}

/* Goes on from a run whose best is that; share: of wrong labels. */
static void go_on_from(int epoch, int best_epoch, double best, bool share)
{
    Progress p = with_best(epoch, best_epoch, best), q;
    save_run(&p);
    run_resume(&q, ".");
    checkpoint_check_best(&q, share, "last");
}

Test(checkpoint, a_best_epoch_that_was_done_is_believed)
{
    go_on_from(2, 0, 0.25, true);
    go_on_from(2, 1, 0, true);
    go_on_from(2, 1, 1, true);
    go_on_from(0, -1, 1e300, true);
    go_on_from(2, 0, -3, false);
}

Test(checkpoint, no_best_epoch_after_one_is_refused, .exit_code = WRONG_INPUT) { go_on_from(2, -1, 0.25, true); }
Test(checkpoint, a_best_epoch_not_done_is_refused, .exit_code = WRONG_INPUT) { go_on_from(2, 2, 0.25, true); }
Test(checkpoint, a_best_epoch_before_the_first_is_refused, .exit_code = WRONG_INPUT) { go_on_from(0, 0, 0.25, true); }
Test(checkpoint, a_best_share_below_0_is_refused, .exit_code = WRONG_INPUT) { go_on_from(2, 0, -1, true); }
Test(checkpoint, a_best_share_above_1_is_refused, .exit_code = WRONG_INPUT) { go_on_from(2, 0, 1.5, true); }

Test(checkpoint, a_constant_of_the_program_has_its_kind)
{
    char *facts = distinctive_facts(), why[300];
    Progress p;
    for (int i = 0; i < count; i++) {
        static const char *const wrong[] = { "null", "true", "-1", "1.5" };
        for (int k = 0; k < 4 && rows[i].own; k++) {
            char *text = altered(facts, i, wrong[k]), name[80];
            snprintf(name, sizeof name, "field '%s' is", rows[i].name);
            cr_assert(not(reads(&p, text, why, sizeof why)), "%s: %s", rows[i].name, wrong[k]);
            cr_assert(strstr(why, name) == why, "%s", why);
            free(text);
        }
    }
    free(facts);
}

/* ---- what is never saved ------------------------------------------------------------------------------------------------- */

Test(checkpoint, nothing_that_is_not_finite_is_sound)
{
    const Progress good = { .training = *net.training, .examples = 57, .best = 1e300 };
    Progress p = good;
    char why[300] = "";
    weights_init(net.weights(), 3);
    cr_assert(checkpoint_is_sound(why, sizeof why, &p), "%s", why);
    for (int k = 0; k < PARAMS; k++)
        for (int block_of = 0; block_of < 2; block_of++) {
            size_t at = weights_index(&params[k], params[k].count - 1);
            real *block_at = block_of ? state0 : weights, before = block_at[at];
            block_at[at] = block_of ? (real)NAN : (real)-INFINITY;
            cr_assert(not(checkpoint_is_sound(why, sizeof why, &p)));
            cr_assert(strstr(why, params[k].name) && strstr(why, block_of ? "state 0" : "the parameter"), "%s", why);
            block_at[at] = before;
        }
    for (int i = 0; i < count; i++) {
        if (rows[i].own || rows[i].kind != FIELD_REAL || rows[i].optional)
            continue;
        p = good;
        *(double *)at(&p, &rows[i]) = i % 2 ? (double)INFINITY : (double)NAN;
        cr_assert(not(checkpoint_is_sound(why, sizeof why, &p)), "%s", rows[i].name);
        cr_assert(strstr(why, rows[i].name) != NULL, "%s: %s", rows[i].name, why);
    }
}

/* ---- the page ----------------------------------------------------------------------------------------------------------- */

TestSuite(checkpoint_page);

static const char *without(const Field *f)
{
    if (f->own)
        return "not read";
    if (f->formerly)
        return "`seed` outside `train`, or the model's";
    if (f->since == 1 && !f->optional)
        return "refused";
    if (f->absent)
        return "the model's";
    return is_text(f) ? "empty" : f->kind == FIELD_FLAG ? "false" : "0";
}

Test(checkpoint_page, has_every_field_of_a_checkpoint)
{
    char table[16384], name[200], range[200];
    size_t size;
    size_t n = (size_t)sprintf(table, "| field | value | version | without it | meaning |\n| --- | --- | --- | --- | --- |\n");
    count = checkpoint_fields(rows);
    for (int i = 0; i < count; i++)
        n += (size_t)snprintf(table + n, sizeof table - n, "| `%s` | %s | %d | %s | %s |\n", full_name(name, sizeof name, &rows[i]),
                              field_range(range, sizeof range, &rows[i]), rows[i].since, without(&rows[i]), rows[i].what);
    char *page = (char *)file_get("docs/checkpoint.md", &size);
    page[size] = '\0';
    cr_assert(strstr(page, table) != NULL, "docs/checkpoint.md lacks this table:\n%s", table);
    free(page);
}
