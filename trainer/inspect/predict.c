/* predict.c -- the command `predict`: what the net answers to single examples, the transforms of the samplers, and a picture of it.
 *
 * An answer is every output of the net, by its kind (outputs.h): logits that are compared with labels as classes, all others as their numbers.
 * Examples come from a split or from picture files; all are read before the first answer, so a damaged file
 * leaves no partial output.  Only pictures of standard input alone are answered as they arrive; an error there ends the list of JSON, so that
 * the text is whole with the answers that were given.  shot.h defines what a picture shows. */
#include "files/json.h"
#include "files/text.h"
#include "inspect/image_file.h"
#include "inspect/inspect.h"
#include "report/shot.h"
#include "run/culprit.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/names.h"
#include "run/outputs.h"
#include "run/run.h"
#include "run/torn.h"
#include "run/weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where the examples come from. */
typedef struct {
    Data data;
    const Names *names;                        /* of classes */
    Images images;                             /* names: NULL for those of a split */
    int64_t first, end;
    int64_t before;                            /* pictures of a stream that were answered before these */
} Source;

static double element(const NetValue *v, int n, int step, size_t e)
{
    return (double)net.activations()[value_index(v, n, step, e)];
}

static int steps_of(const NetValue *v) { return v->steps ? v->steps : 1; }

/* What is given of a value, beside its classes if it is logits of labels. */
typedef enum { GIVEN_NOT, GIVEN_NUMBERS, GIVEN_TRANSFORM } Given;

static Given given(int i)
{
    const OutputKind kind = output_kind(i);
    return kind == OUTPUT_TRANSFORM ? GIVEN_TRANSFORM : kind == OUTPUT_NONE || kind == OUTPUT_CLASSES ? GIVEN_NOT : GIVEN_NUMBERS;
}

/* A number that is none is no answer.  What read it first, and where, is found by running the batch again. */
static void need_finite(const Data *d, const Batch *batch, int n, int64_t example)
{
    char text[8192], place[4300], index[120];
    for (int i = 0; i < net.value_count; i++) {
        const NetValue *v = &net.values[i];
        if (!v->output)
            continue;
        for (int step = 0; step < steps_of(v); step++)
            for (size_t e = 0; e < v->count; e++) {
                double x = element(v, n, step, e);
                if (isfinite(x))
                    continue;
                NetData shape = { .rank = v->rank, .count = v->count };
                memcpy(shape.shape, v->shape, sizeof shape.shape);
                data_place(place, sizeof place, d, 0, example);
                data_element(index, sizeof index, &shape, e);
                culprit_find(text, sizeof text, d, batch, false);
                fail(WRONG_INPUT, "%s: '%s', step %d, element %s, is %g.  %s", place, v->name, step, index, plain_number(x), text);
            }
    }
}

/* ---- text and JSON ---------------------------------------------------------------------------------------------- */

/* Its numbers, a line a step; of a long one the shape and the range. */
static void print_value(const NetValue *v, int n)
{
    enum { LINE_MOST = 32 };
    for (int step = 0; step < steps_of(v); step++) {
        char label[24] = "";
        double low = INFINITY, high = -INFINITY;
        if (v->steps)
            snprintf(label, sizeof label, " step %d", step);
        printf("  %s%s ", v->name, label);
        for (size_t e = 0; e < v->count; e++) {
            double x = element(v, n, step, e);
            low = fmin(low, x), high = fmax(high, x);
            if (v->count <= LINE_MOST)
                printf(v->transform ? " %8.4f" : " %.6g", x);
        }
        if (v->count > LINE_MOST) {
            printf(" ");
            for (int d = 0; d < v->rank; d++)
                printf("[%d]", v->shape[d]);
            printf(" from %.6g to %.6g", low, high);
        }
        printf("\n");
    }
}

/* Its name; of a class without one, and of a label that is none, the number. */
static void print_class(const Source *s, int k, int class)
{
    const char *name = names_class(s->names, k, class);
    if (!name) {
        printf("%d", class);
        return;
    }
    const size_t room = TEXT_GROWS * strlen(name) + 1;
    char *shown = need_memory(room, "a name");
    printf("%s", text_shown(shown, room, name, ""));
    free(shown);
}

static void print_text(const Source *s, int64_t example, int n)
{
    if (s->images.names) {
        char shown[TEXT_GROWS * 4300];
        printf("%s\n", text_shown(shown, sizeof shown, s->images.names[example], ""));
    } else {
        printf("example %" PRId64 "\n", example);
    }
    for (int k = 0; k < net.target_count; k++) {
        int positions = eval_positions(k);
        if (!output_target(k))
            continue;
        printf("  %s", net.targets[k].name);
        for (int i = 0; i < positions; i++) {
            double probability = 0;
            int read = eval_label(&probability, k, n, i);
            printf("  ");
            print_class(s, k, read);
            printf(" (%.3f)", probability);
        }
        if (s->data.targets) {
            printf("   label");
            for (int i = 0; i < positions; i++)
                printf(" "), print_class(s, k, data_label(&s->data, k, example, i));
        }
        printf("\n");
    }
    for (int i = 0; i < net.value_count; i++)
        if (given(i) != GIVEN_NOT)
            print_value(&net.values[i], n);
}

/* The names of what was read, or of the labels, where the classes have some. */
static void write_names(JsonWriter *w, const char *key, const Source *s, int k, int64_t example, int n, bool labels)
{
    if (!names_class(s->names, k, 0))
        return;
    json_array(w, key);
    for (int i = 0; i < eval_positions(k); i++) {
        const char *name = names_class(s->names, k, labels ? data_label(&s->data, k, example, i) : eval_label(NULL, k, n, i));
        name ? json_string(w, NULL, name) : json_null(w, NULL);
    }
    json_close(w);
}

static void write_target(JsonWriter *w, const Source *s, int k, int64_t example, int n)
{
    int positions = eval_positions(k);
    double probability = 0;
    json_object(w, net.targets[k].name);
    json_array(w, "read");
    for (int i = 0; i < positions; i++)
        json_integer(w, NULL, eval_label(NULL, k, n, i));
    json_close(w);
    json_array(w, "probabilities");
    for (int i = 0; i < positions; i++)
        eval_label(&probability, k, n, i), json_double(w, NULL, probability);
    json_close(w);
    write_names(w, "names", s, k, example, n, false);
    if (s->data.targets) {
        json_array(w, "labels");
        for (int i = 0; i < positions; i++)
            json_integer(w, NULL, data_label(&s->data, k, example, i));
        json_close(w);
        write_names(w, "label_names", s, k, example, n, true);
    }
    json_close(w);
}

/* One step of a value, as arrays in arrays by its shape; `at` counts its elements. */
static void write_numbers(JsonWriter *w, const char *key, const NetValue *v, int dim, int n, int step, size_t *at)
{
    if (dim == v->rank) {
        json_double(w, key, element(v, n, step, (*at)++));
        return;
    }
    json_array(w, key);
    for (int i = 0; i < v->shape[dim]; i++)
        write_numbers(w, NULL, v, dim + 1, n, step, at);
    json_close(w);
}

static void write_values(JsonWriter *w, const char *key, Given which, int n)
{
    json_object(w, key);
    for (int i = 0; i < net.value_count; i++) {
        const NetValue *v = &net.values[i];
        if (given(i) != which)
            continue;
        if (v->steps || v->transform)          /* of a transform there is a list of steps always, and six numbers in each */
            json_array(w, v->name);
        for (int step = 0; step < steps_of(v); step++) {
            size_t at = 0;
            NetValue flat = *v;
            flat.rank = v->transform ? 1 : v->rank, flat.shape[0] = v->transform ? (int)v->count : v->shape[0];
            write_numbers(w, v->steps || v->transform ? NULL : v->name, &flat, 0, n, step, &at);
        }
        if (v->steps || v->transform)
            json_close(w);
    }
    json_close(w);
}

static void write_json(JsonWriter *w, const Source *s, int64_t example, int n)
{
    json_object(w, NULL);
    json_integer(w, "example", s->before + example);
    if (s->images.names)
        json_string(w, "file", s->images.names[example]);
    json_object(w, "targets");
    for (int k = 0; k < net.target_count; k++)
        if (output_target(k))
            write_target(w, s, k, example, n);
    json_close(w);
    write_values(w, "transforms", GIVEN_TRANSFORM, n);
    write_values(w, "values", GIVEN_NUMBERS, n);
    json_close(w);
}

/* ---- npz ---------------------------------------------------------------------------------------------------------- */

/* read/TARGET and label/TARGET [N][positions], probability/TARGET [N][positions][classes], transform/VALUE [N][T][2][3], value/VALUE [N][T]
 * and its shape; without T where it is in no repeat. */
typedef struct { Array *arrays; int count; } Answer;

static void *add_array(Answer *a, const char *prefix, const char *name, ArrayType type, int rank, const int64_t *shape)
{
    char whole[ARRAY_NAME];
    if ((size_t)snprintf(whole, sizeof whole, "%s%s", prefix, name) >= sizeof whole)
        fail(WRONG_INPUT, "the name '%s%s' is too long for a file", prefix, name);
    size_t bytes = array_type_size(type);
    for (int i = 0; i < rank; i++)
        bytes *= (size_t)shape[i];
    void *data = need_memory(bytes, "the answer");
    a->arrays[a->count++] = array_view(whole, type, data, rank, shape);
    return data;
}

static void answer_open(Answer *a, const Source *s)
{
    int64_t n = s->end - s->first;
    *a = (Answer){ need_memory((size_t)(3 * net.target_count + net.value_count) * sizeof *a->arrays, "the answer"), 0 };
    for (int k = 0; k < net.target_count; k++) {
        const NetData *t = &net.targets[k];
        const int64_t shape[] = { n, eval_positions(k), t->classes };
        if (!output_target(k))
            continue;
        add_array(a, "read/", t->name, ARRAY_I4, 2, shape);
        add_array(a, "probability/", t->name, ARRAY_REAL, 3, shape);
        if (s->data.targets)
            add_array(a, "label/", t->name, ARRAY_I4, 2, shape);
    }
    for (int i = 0; i < net.value_count; i++) {
        const NetValue *value = &net.values[i];
        int64_t shape[NET_RANK + NET_REPEATS + 2] = { n };
        int steps[NET_REPEATS], rank = 1;
        if (given(i) == GIVEN_NOT)
            continue;
        for (int k = 0, axes = nest_axes(value, steps, 0); k < axes; k++)
            shape[rank++] = steps[k];
        if (value->transform)
            shape[rank++] = 2, shape[rank++] = 3;
        for (int d = 0; d < value->rank && !value->transform; d++)
            shape[rank++] = value->shape[d];
        add_array(a, value->transform ? "transform/" : "value/", value->name, ARRAY_REAL, rank, shape);
    }
}

/* Example `row` of the output is example n of the batch just run; the arrays are filled in the order they were made. */
static void answer_take(Answer *a, const Source *s, int64_t row, int n)
{
    Array *next = a->arrays;
    double *p = NULL;
    for (int k = 0; k < net.target_count; k++) {
        int64_t positions = eval_positions(k), classes = net.targets[k].classes;
        if (!output_target(k))
            continue;
        int32_t *read = (int32_t *)next++->data + row * positions;
        real *all = (real *)next++->data + row * positions * classes;
        int32_t *label = s->data.targets ? (int32_t *)next++->data + row * positions : NULL;
        p = realloc(p, (size_t)classes * sizeof *p);
        if (!p)
            fail(ENVIRONMENT, "no memory for the answer");
        for (int i = 0; i < positions; i++) {
            read[i] = eval_label(NULL, k, n, i);
            eval_probabilities(p, k, n, i);
            for (int c = 0; c < classes; c++)
                all[i * classes + c] = (real)p[c];
            if (label)
                label[i] = data_label(&s->data, k, s->first + row, i);
        }
    }
    free(p);
    for (int i = 0; i < net.value_count; i++) {
        const NetValue *value = &net.values[i];
        if (given(i) == GIVEN_NOT)
            continue;
        real *out = (real *)next++->data + (size_t)row * value->count * (size_t)steps_of(value);
        for (int step = 0; step < steps_of(value); step++)
            for (size_t e = 0; e < value->count; e++)
                *out++ = (real)element(value, n, step, e);
    }
}

static void answer_write(Answer *a, const char *path)
{
    ArrayError e;
    if (!array_write_npz(path, a->arrays, a->count, NULL, &e))
        fail_array(&e);
    for (int i = 0; i < a->count; i++)
        free(a->arrays[i].data);
    free(a->arrays);
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

/* Examples that were read, as the data of `s`. */
static void source_over(Source *s)
{
    data_over(&s->data, s->images.examples, s->images.count, s->images.names);
    s->images.examples = NULL;                 /* now the data's */
    s->end = s->images.count;
}

static void source_open(Source *s, const Options *o)
{
    ArrayError e;
    *s = (Source){ 0 };
    if (o->data) {
        data_open(&s->data, o->data, o->split, false);
        s->first = o->index < 0 ? 0 : o->index, s->end = o->index < 0 ? o->count : o->index + 1;
    } else {
        for (int i = 0; i < o->operand_count; i++)
            if (!images_add(&s->images, o->operands[i], o->fit, o->ground, &e))
                fail_array(&e);
        if (!s->images.count)
            fail(WRONG_INPUT, "%s: found an array of no examples, expected one or more", o->operands[0]);
        source_over(s);
    }
    if (s->first >= s->data.examples)
        fail(WRONG_INPUT, "--index %" PRId64 ": %s/%s has %" PRId64 " examples, 0 to %" PRId64, s->first, o->data, o->split,
             s->data.examples, s->data.examples - 1);
    s->end = s->end < s->data.examples ? s->end : s->data.examples;
}

static void source_close(Source *s)
{
    data_close(&s->data);
    images_free(&s->images);
}

/* Where the answers go, beside standard output. */
typedef struct { const Options *o; Names names; View view; Picture sheet; Answer answer; JsonWriter json; bool json_begun; } Sink;

/* The text begins with the first answer: an error before it leaves none. */
static void begin_json(Sink *k)
{
    if (k->json_begun)
        return;
    k->json_begun = true;
    json_object(&k->json, NULL);
    if (k->o->data)
        json_string(&k->json, "split", k->o->split);
    json_array(&k->json, "examples");
}

static void end_json(void *sink)
{
    Sink *k = sink;
    while (k->json.depth)
        json_close(&k->json);
    if (k->json_begun)
        json_newline(&k->json);
}

static void answer_all(Sink *k, Source *s)
{
    const Options *o = k->o;
    char text[4800];
    for (int64_t at = s->first; at < s->end; at += net.batch) {
        Batch batch = { 0 };
        data_batch(&batch, &s->data, NULL, at);
        batch.count = batch.count < s->end - at ? batch.count : (int)(s->end - at);
        if (!culprit_data_is_finite(text, sizeof text, &s->data, &batch))
            fail(WRONG_INPUT, "%s", text);
        net.forward(&batch, NULL);
        if (torn_look())
            torn_fail("");
        for (int n = 0; n < batch.count; n++)
            need_finite(&s->data, &batch, n, at + n);
        for (int n = 0; n < batch.count; n++) {
            if (o->json)
                begin_json(k), write_json(&k->json, s, at + n, n);
            else if (!o->out)
                print_text(s, at + n, n);
            if (o->out)
                answer_take(&k->answer, s, at + n - s->first, n);
            if (o->picture) {
                Shot shot;
                shot_take(&shot, &k->view, &batch, &s->data, at + n, n);
                sheet_draw(&k->sheet, &k->view, &shot, (int)(at + n - s->first), NULL);
                shot_free(&shot, &k->view);
            }
        }
    }
}

/* The pictures of standard input, each as soon as it is there. */
static void answer_stream(Sink *k)
{
    ImageStream stream = image_stream(k->o->fit, k->o->ground);
    ArrayError e;
    int64_t before = 0;
    bool fine = true;
    while (fine && !stream.ended) {
        Source s = { .before = before, .names = &k->names };
        fine = images_take(&s.images, &stream, &e);
        if (s.images.count) {
            before += s.images.count;
            source_over(&s);
            answer_all(k, &s);
            fflush(stdout);
            source_close(&s);
        } else {
            images_free(&s.images);
        }
    }
    if (!fine)
        fail_array(&e);
    image_stream_free(&stream);
}

static void check_usage(const Options *o)
{
    size_t length = o->out ? strlen(o->out) : 0;
    if (o->out && (length < 5 || strcmp(o->out + length - 4, ".npz")))
        fail(WRONG_USAGE, "-o %s: the answer is an .npz file; give a name that ends in .npz", o->out);
    if (!o->data == !o->operand_count)
        fail(WRONG_USAGE, "predict: give either --data DIR or pictures%s", o->data ? ", not both" : " (files, folders, or - for standard input)");
    if (o->operand_count && o->index >= 0)
        fail(WRONG_USAGE, "--index picks an example of --data; pictures are all read");
    if (o->data && o->ground >= 0)
        fail(WRONG_USAGE, "--ground is for pictures with transparency; the examples of --data have none");
    if (o->data && o->fit)
        fail(WRONG_USAGE, "--fit is for pictures; the examples of --data have the input's size");
}

static void need_answer(void)
{
    for (int i = 0; i < net.value_count; i++)
        if (net.values[i].output)
            return;
    fail(WRONG_INPUT, "%s has no answer to give: its loss reads no value of the flow", net.name);
}

int command_predict(const Options *o)
{
    Source s = { .first = 0 };
    Sink k = { .o = o };
    ArrayError e;
    check_usage(o);
    need_answer();
    bool streams = o->operand_count == 1 && !strcmp(o->operands[0], "-") && !o->out && !o->picture;
    if (streams && net.input_count != 1)
        fail(WRONG_INPUT, "%s has %d inputs, and a picture can be only one; expected --data DIR", net.name, net.input_count);
    if (!streams)
        source_open(&s, o);
    view_open(&k.view);
    if (o->picture)
        sheet_open(&k.sheet, &k.view, s.end - s.first, NULL);
    open_net(o->threads);
    run_or_file_weights(o->run, o->weights, o->last, false);
    names_open(&k.names, o->run, o->data);
    s.names = &k.names;
    if (o->out)
        answer_open(&k.answer, &s);
    json_begin(&k.json, o->json && streams ? stdout : NULL);       /* else in memory: an error on the way leaves no half of a text */
    if (o->json && streams)
        message_before(end_json, &k);
    if (streams)
        answer_stream(&k);
    else
        answer_all(&k, &s);
    message_before(NULL, NULL);
    if (o->json)
        begin_json(&k), end_json(&k);
    if (!json_end(&k.json) && !streams)
        fail(ENVIRONMENT, "no memory for the answer");
    if (o->json && !streams)
        fputs(k.json.text, stdout);
    json_free(&k.json);
    if (o->out)
        answer_write(&k.answer, o->out);
    if (o->out && !o->json)
        tell_text("%s: %" PRId64 " examples\n", o->out, s.end - s.first);
    if (o->picture) {
        if (!picture_write(&k.sheet, o->picture, &e))
            fail_array(&e);
        picture_close(&k.sheet);
    }
    if (!streams)
        source_close(&s);
    names_close(&k.names);
    net.close();
    return FINE;
}
