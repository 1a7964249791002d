/* compare.c -- the command `compare`: runs side by side on the same examples, an interval for each share of errors, and a test
 * whether two runs differ.
 *
 * A run is a run folder of this model, or, for another model, an .npz that its `predict -o` wrote on the same split.
 * Counted are labels, and whole examples with a label that counts; McNemar's test uses only those that exactly one of two runs got wrong. */
#include "files/json.h"
#include "report/history.h"
#include "report/report.h"
#include "report/stats.h"
#include "report/survey.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/run.h"
#include "run/settings.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    double loss;                               /* NaN: unknown */
    int epochs, best_epoch;                    /* -1: unknown */
    double valid_error, seconds;               /* NaN: unknown */
    NetTraining training;                      /* its settings, */
    bool set;                                  /* if they are known */
    int32_t *read;                             /* [examples][slots] */
    int64_t wrong, examples_wrong;
} Contender;

typedef struct { int64_t first, second; double p; } Duel;   /* questions only the first, only the second got wrong */

/* ---- gathering -------------------------------------------------------------------------------------------------- */

static bool is_npz(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && !strcmp(name + n - 4, ".npz");
}

/* What read_answers looks at: the context is the data. */
static bool is_answer(const Array *a, const void *data)
{
    char key[ARRAY_NAME + 8];
    for (int i = 0; i < 2 * net.target_count; i++) {
        snprintf(key, sizeof key, "%s/%s", i % 2 ? "label" : "read", net.targets[i / 2].name);
        if (!strcmp(a->name, key))
            return a->type == ARRAY_I4 && a->rank == 2 && a->shape[0] == ((const Data *)data)->examples && a->shape[1] == eval_positions(i / 2);
    }
    return false;
}

/* read/TARGET [N][positions] of every target, and, if it is there, label/TARGET, which must be the data's own. */
static void read_answers(Contender *c, const View *v, const Data *data)
{
    ArrayList l;
    ArrayError e;
    char key[ARRAY_NAME + 8], found[160];
    if (!array_read_npz(&l, c->name, is_answer, data, (size_t)1 << 32, &e))
        fail_array(&e);
    for (int k = 0; k < net.target_count; k++) {
        int positions = eval_positions(k);
        if (!positions)
            continue;
        for (int labels = 0; labels < 2; labels++) {
            snprintf(key, sizeof key, "%s/%s", labels ? "label" : "read", net.targets[k].name);
            const Array *a = array_find(&l, key);
            if (!a && labels)
                continue;
            if (!a)
                fail(WRONG_INPUT, "%s: found no '%s', expected what `predict -o` writes", c->name, key);
            if (a->type != ARRAY_I4 || a->rank != 2 || a->shape[0] != data->examples || a->shape[1] != positions)
                fail(WRONG_INPUT, "%s: found %s %s for '%s', expected i4 [%" PRId64 "][%d]: all examples of %s/%s", c->name,
                     array_type_text(a), array_shape_text(found, sizeof found, a), key, data->examples, positions, data->dir,
                     data->split);
            for (int64_t i = 0; i < data->examples; i++)
                for (int p = 0; p < positions; p++) {
                    int32_t value = ((const int32_t *)a->data)[i * positions + p];
                    if (!labels)
                        c->read[i * v->slots + view_slot(k, p)] = value;
                    else if (value != data_label(data, k, i, p))
                        fail(WRONG_INPUT, "%s: example %" PRId64 " has another label than in %s/%s; these are not the same examples",
                             c->name, i, data->dir, data->split);
                }
        }
    }
    array_list_free(&l);
}

static void run_contender(Contender *c, const View *v, Data *data, bool last)
{
    History h;
    Survey s;
    run_or_file_weights(c->name, NULL, last, false);
    survey_run(&s, v, data);
    history_read(&h, c->name);
    c->set = run_settings(&c->training, c->name);
    c->loss = s.loss;
    memcpy(c->read, s.read, (size_t)data->examples * (size_t)v->slots * sizeof *c->read);
    c->epochs = h.count;
    c->best_epoch = h.best >= 0 ? (int)h.epoch[h.best] : -1;
    c->valid_error = h.best >= 0 ? h.valid_error[h.best] : NAN;
    c->seconds = 0;
    for (int i = 0; i < h.count; i++)
        c->seconds += h.seconds[i];
    history_free(&h);
    survey_free(&s);
}

static bool wrong_at(const Contender *c, const View *v, const Data *data, int64_t example, int slot)
{
    for (int k = 0; k < net.target_count; k++) {
        if (slot < eval_positions(k)) {
            const int label = data_label(data, k, example, slot);
            return label >= 0 && c->read[example * v->slots + view_slot(k, slot)] != label;        /* below 0: ignored */
        }
        slot -= eval_positions(k);
    }
    return false;
}

static bool example_wrong(const Contender *c, const View *v, const Data *data, int64_t example)
{
    for (int slot = 0; slot < v->slots; slot++)
        if (wrong_at(c, v, data, example, slot))
            return true;
    return false;
}

static void count_wrong(Contender *c, const View *v, const Data *data)
{
    for (int64_t i = 0; i < data->examples; i++) {
        for (int slot = 0; slot < v->slots; slot++)
            c->wrong += wrong_at(c, v, data, i, slot);
        c->examples_wrong += example_wrong(c, v, data, i);
    }
}

static Duel duel_of(const Contender *a, const Contender *b, const View *v, const Data *data, bool whole)
{
    Duel d = { 0 };
    for (int64_t i = 0; i < data->examples; i++)
        for (int slot = 0; slot < (whole ? 1 : v->slots); slot++) {
            bool x = whole ? example_wrong(a, v, data, i) : wrong_at(a, v, data, i, slot);
            bool y = whole ? example_wrong(b, v, data, i) : wrong_at(b, v, data, i, slot);
            d.first += x && !y;
            d.second += y && !x;
        }
    d.p = mcnemar(d.first, d.second);
    return d;
}

/* ---- answers ------------------------------------------------------------------------------------------------------ */

/* What is not known is a dash. */
static void print_cell(const char *format, int width, double value)
{
    char text[40] = "-";
    if (isfinite(value) && value >= 0)
        snprintf(text, sizeof text, format, value);
    printf(" %*s", width, text);
}

/* True if the runs with known settings differ in setting i. */
static bool differs(const Contender *all, int count, int i)
{
    const Contender *first = NULL;
    for (int c = 0; c < count; c++) {
        if (first && all[c].set && !settings_same(&first->training, &all[c].training, i))
            return true;
        if (!first && all[c].set)
            first = &all[c];
    }
    return false;
}

/* A column for each setting in which the runs differ. */
static void print_settings(const Contender *all, int count)
{
    char text[40];
    int found = 0;
    for (int i = 0; i < settings_count(); i++)
        found += differs(all, count, i);
    if (!found)
        return;
    printf("\nsettings that differ\n\n    ");
    for (int i = 0; i < settings_count(); i++)
        if (differs(all, count, i))
            printf(" %14s", settings_name(i));
    for (int c = 0; c < count; c++) {
        printf("\n%4d", c + 1);
        for (int i = 0; i < settings_count(); i++)
            if (differs(all, count, i))
                printf(" %*s", (int)fmax(14, (double)strlen(settings_name(i))), all[c].set ? settings_text(text, sizeof text, &all[c].training, i) : "-");
    }
    printf("\n");
}

static void print_text(const Contender *all, int count, const View *v, const Data *data)
{
    const int64_t labels = data_all_labels(data), labelled = data_labelled(data);
    tell_text("%s/%s: %" PRId64 " examples%s\n\n", data->dir, data->split, data->examples,
           v->slots ? "; 95 % intervals are Wilson's, over labels taken as independent" : "");
    printf("     %9s", "loss");
    bool apart = v->slots > 1;                 /* with one label an example, the share of examples is the same number */
    if (v->slots)
        printf(" %9s %19s", "error", "95 %");
    if (apart)
        printf(" %10s %18s", "examples", "95 %");
    if (v->slots)
        printf(" %9s", "valid");
    printf(" %6s %5s %7s  run\n", "epochs", "best", "time");
    for (int i = 0; i < count; i++) {
        const Contender *c = &all[i];
        double low, high;
        printf("%4d", i + 1);
        print_cell("%.5f", 9, c->loss);
        if (v->slots) {
            wilson(&low, &high, c->wrong, labels);
            print_cell("%.3f %%", 9, 100.0 * (double)c->wrong / (double)labels);
            printf(" %7.3f to %6.3f %%", 100 * low, 100 * high);
        }
        if (apart) {
            wilson(&low, &high, c->examples_wrong, labelled);
            print_cell("%.2f %%", 10, 100.0 * (double)c->examples_wrong / (double)labelled);
            printf(" %6.2f to %6.2f %%", 100 * low, 100 * high);
        }
        if (v->slots)
            print_cell("%.3f %%", 9, 100 * c->valid_error);
        print_cell("%.0f", 6, c->epochs);
        print_cell("%.0f", 5, c->best_epoch);
        print_cell("%.0f s", 7, c->seconds);
        tell_text("  %s\n", c->name);
    }
    print_settings(all, count);
    if (!v->slots || count < 2)
        return;
    printf("\nMcNemar's test, two-sided: p that two runs are equally good\n\n");
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++)
            for (int whole = 0; whole < 1 + apart; whole++) {
                Duel d = duel_of(&all[i], &all[j], v, data, whole);
                printf("  %d and %d, %-9s only %d wrong %6" PRId64 ", only %d wrong %6" PRId64 ", p %.3g%s\n", i + 1, j + 1,
                       whole ? "examples:" : "labels:", i + 1, d.first, j + 1, d.second, d.p, d.p < 0.05 ? "" : "  (no difference shown)");
            }
}

static void write_whole(JsonWriter *w, const char *key, int value)
{
    if (value < 0)
        json_null(w, key);
    else
        json_integer(w, key, value);
}

static void write_share(JsonWriter *w, const char *key, int64_t wrong, int64_t all)
{
    double low, high;
    wilson(&low, &high, wrong, all);
    json_object(w, key);
    json_double(w, "error", (double)wrong / (double)all);
    json_integer(w, "wrong", wrong);
    json_double(w, "low", low);
    json_double(w, "high", high);
    json_close(w);
}

static void write_json(const Contender *all, int count, const View *v, const Data *data)
{
    JsonWriter w;
    json_begin(&w, stdout);
    json_object(&w, NULL);
    json_string(&w, "split", data->split);
    json_integer(&w, "examples", data->examples);
    json_array(&w, "runs");
    for (int i = 0; i < count; i++) {
        const Contender *c = &all[i];
        json_object(&w, NULL);
        json_string(&w, "run", c->name);
        json_double(&w, "loss", c->loss);
        if (v->slots) {
            write_share(&w, "labels", c->wrong, data_all_labels(data));
            write_share(&w, "whole_examples", c->examples_wrong, data_labelled(data));
        }
        json_double(&w, "valid_error", c->valid_error);
        write_whole(&w, "epochs", c->epochs);
        write_whole(&w, "best_epoch", c->best_epoch);
        json_double(&w, "seconds", c->seconds);
        if (c->set)
            settings_write(&w, &c->training);
        json_close(&w);
    }
    json_close(&w);
    json_array(&w, "mcnemar");
    for (int i = 0; i < count && v->slots; i++)
        for (int j = i + 1; j < count; j++)
            for (int whole = 0; whole < 2; whole++) {
                Duel d = duel_of(&all[i], &all[j], v, data, whole);
                json_object(&w, NULL);
                json_integer(&w, "first", i);
                json_integer(&w, "second", j);
                json_string(&w, "of", whole ? "examples" : "labels");
                json_integer(&w, "only_first_wrong", d.first);
                json_integer(&w, "only_second_wrong", d.second);
                json_double(&w, "p", d.p);
                json_close(&w);
            }
    json_close(&w);
    json_close(&w);
    json_newline(&w);
    json_end(&w);
    json_free(&w);
}

int command_compare(const Options *o)
{
    View view;
    Data data;
    if (o->operand_count < 2)
        fail(WRONG_USAGE, "compare: give two runs or more (run folders, or .npz files of `predict -o`), got %d", o->operand_count);
    data_open(&data, o->data, o->split, true);
    view_open(&view);
    open_net(o->threads);
    Contender *all = need_memory((size_t)o->operand_count * sizeof *all, "a comparison");
    for (int i = 0; i < o->operand_count; i++) {
        Contender *c = &all[i];
        *c = (Contender){ .name = o->operands[i], .loss = NAN, .epochs = -1, .best_epoch = -1, .valid_error = NAN, .seconds = NAN };
        c->read = need_memory((size_t)data.examples * (size_t)view.slots * sizeof *c->read, "a comparison");
        if (is_npz(c->name))
            read_answers(c, &view, &data);
        else
            run_contender(c, &view, &data, o->last);
        count_wrong(c, &view, &data);
    }
    if (o->json)
        write_json(all, o->operand_count, &view, &data);
    else
        print_text(all, o->operand_count, &view, &data);
    for (int i = 0; i < o->operand_count; i++)
        free(all[i].read);
    free(all);
    data_close(&data);
    net.close();
    return FINE;
}
