/* predict.c -- the command `predict`: labels of single examples, the transforms of the samplers, and a picture of both.
 *
 * Examples come from a split or from picture files; all are read before the first answer, so a damaged file
 * leaves no partial output.  shot.h defines which values are labels, transforms and glimpses. */
#include "files/json.h"
#include "inspect/image_file.h"
#include "inspect/inspect.h"
#include "report/shot.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/run.h"
#include "run/weights.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Where the examples come from. */
typedef struct {
    Data data;
    Images images;                             /* names: NULL for those of a split */
    int64_t first, end;
} Source;

static double element(const NetValue *v, int n, int step, size_t e)
{
    return (double)net.activations()[value_index(v, n, step, e)];
}

static int steps_of(const NetValue *v) { return v->steps ? v->steps : 1; }

static const NetValue *transform_of(const View *v, int looker)
{
    return v->looker[looker].transform < 0 ? NULL : &net.values[v->looker[looker].transform];
}

/* ---- text and JSON ---------------------------------------------------------------------------------------------- */

static void print_text(const Source *s, const View *v, int64_t example, int n)
{
    if (s->images.names)
        printf("%s\n", s->images.names[example]);
    else
        printf("example %" PRId64 "\n", example);
    for (int k = 0; k < net.target_count; k++) {
        int positions = eval_positions(k);
        if (!positions)
            continue;
        printf("  %s", net.targets[k].name);
        for (int i = 0; i < positions; i++) {
            double probability = 0;
            int read = eval_label(&probability, k, n, i);
            printf("  %d (%.3f)", read, probability);
        }
        if (s->data.targets) {
            printf("   label");
            for (int i = 0; i < positions; i++)
                printf(" %d", data_label(&s->data, k, example, i));
        }
        printf("\n");
    }
    for (int l = 0; l < v->looker_count; l++) {
        const NetValue *value = transform_of(v, l);
        for (int step = 0; value && step < steps_of(value); step++) {
            char label[24] = "";
            if (value->steps)
                snprintf(label, sizeof label, " step %d", step);
            printf("  %s%s ", value->name, label);
            for (size_t e = 0; e < 6; e++)
                printf(" %8.4f", element(value, n, step, e));
            printf("\n");
        }
    }
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
    if (s->data.targets) {
        json_array(w, "labels");
        for (int i = 0; i < positions; i++)
            json_integer(w, NULL, data_label(&s->data, k, example, i));
        json_close(w);
    }
    json_close(w);
}

static void write_json(JsonWriter *w, const Source *s, const View *v, int64_t example, int n)
{
    json_object(w, NULL);
    json_integer(w, "example", example);
    if (s->images.names)
        json_string(w, "file", s->images.names[example]);
    json_object(w, "targets");
    for (int k = 0; k < net.target_count; k++)
        if (eval_positions(k))
            write_target(w, s, k, example, n);
    json_close(w);
    json_object(w, "transforms");
    for (int l = 0; l < v->looker_count; l++) {
        const NetValue *value = transform_of(v, l);
        if (!value)
            continue;
        json_array(w, value->name);
        for (int step = 0; step < steps_of(value); step++) {
            json_array(w, NULL);
            for (size_t e = 0; e < 6; e++)
                json_double(w, NULL, element(value, n, step, e));
            json_close(w);
        }
        json_close(w);
    }
    json_close(w);
    json_close(w);
}

/* ---- npz ---------------------------------------------------------------------------------------------------------- */

/* read/TARGET and label/TARGET [N][positions], probability/TARGET [N][positions][classes], transform/VALUE [N][T][2][3]. */
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

static void answer_open(Answer *a, const Source *s, const View *v)
{
    int64_t n = s->end - s->first;
    *a = (Answer){ need_memory((size_t)(3 * net.target_count + LOOKERS) * sizeof *a->arrays, "the answer"), 0 };
    for (int k = 0; k < net.target_count; k++) {
        const NetData *t = &net.targets[k];
        const int64_t shape[] = { n, eval_positions(k), t->classes };
        if (!eval_positions(k))
            continue;
        add_array(a, "read/", t->name, ARRAY_I4, 2, shape);
        add_array(a, "probability/", t->name, ARRAY_REAL, 3, shape);
        if (s->data.targets)
            add_array(a, "label/", t->name, ARRAY_I4, 2, shape);
    }
    for (int l = 0; l < v->looker_count; l++) {
        const NetValue *value = transform_of(v, l);
        const int64_t shape[] = { n, value ? value->steps : 0, 2, 3 }, still[] = { n, 2, 3 };
        if (value)
            add_array(a, "transform/", value->name, ARRAY_REAL, value->steps ? 4 : 3, value->steps ? shape : still);
    }
}

/* Example `row` of the output is example n of the batch just run; the arrays are filled in the order they were made. */
static void answer_take(Answer *a, const Source *s, const View *v, int64_t row, int n)
{
    Array *next = a->arrays;
    double *p = NULL;
    for (int k = 0; k < net.target_count; k++) {
        int64_t positions = eval_positions(k), classes = net.targets[k].classes;
        if (!positions)
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
    for (int l = 0; l < v->looker_count; l++) {
        const NetValue *value = transform_of(v, l);
        real *out = value ? (real *)next++->data + row * 6 * steps_of(value) : NULL;
        for (int step = 0; value && step < steps_of(value); step++)
            for (size_t e = 0; e < 6; e++)
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

static void source_open(Source *s, const Options *o)
{
    ArrayError e;
    *s = (Source){ 0 };
    if (!o->data == !o->operand_count)
        fail(WRONG_USAGE, "predict: give either --data DIR or pictures%s", o->data ? ", not both" : " (files, folders, or - for standard input)");
    if (o->operand_count && o->index >= 0)
        fail(WRONG_USAGE, "--index picks an example of --data; pictures are all read");
    if (o->data && o->fit)
        fail(WRONG_USAGE, "--fit is for pictures; the examples of --data have the input's size");
    if (o->data) {
        data_open(&s->data, o->data, o->split, false);
        s->first = o->index < 0 ? 0 : o->index, s->end = o->index < 0 ? o->count : o->index + 1;
    } else {
        for (int i = 0; i < o->operand_count; i++)
            if (!images_add(&s->images, o->operands[i], o->fit, &e))
                fail_array(&e);
        if (!s->images.count)
            fail(WRONG_INPUT, "%s: found an array of no examples, expected one or more", o->operands[0]);
        data_over(&s->data, s->images.examples, s->images.count);
        s->images.examples = NULL;             /* now the data's */
        s->end = s->images.count;
    }
    if (s->first >= s->data.examples)
        fail(WRONG_INPUT, "--index %" PRId64 ": %s/%s has %" PRId64 " examples, 0 to %" PRId64, s->first, o->data, o->split,
             s->data.examples, s->data.examples - 1);
    s->end = s->end < s->data.examples ? s->end : s->data.examples;
}

int command_predict(const Options *o)
{
    Source s;
    View view;
    Picture sheet;
    Answer answer;
    JsonWriter w;
    ArrayError e;
    size_t length = o->out ? strlen(o->out) : 0;
    if (o->out && (length < 5 || strcmp(o->out + length - 4, ".npz")))
        fail(WRONG_USAGE, "-o %s: the answer is an .npz file; give a name that ends in .npz", o->out);
    source_open(&s, o);
    view_open(&view);
    if (o->picture)
        sheet_open(&sheet, &view, s.end - s.first, NULL);
    open_net(o->threads);
    run_or_file_weights(o->run, o->weights, o->last);
    if (o->out)
        answer_open(&answer, &s, &view);
    json_begin(&w, o->json ? stdout : NULL);
    json_object(&w, NULL);
    if (o->data)
        json_string(&w, "split", o->split);
    json_array(&w, "examples");
    for (int64_t at = s.first; at < s.end; at += net.batch) {
        Batch batch = { 0 };
        data_batch(&batch, &s.data, NULL, at);
        batch.count = batch.count < s.end - at ? batch.count : (int)(s.end - at);
        net.forward(&batch, NULL);
        for (int n = 0; n < batch.count; n++) {
            if (o->json)
                write_json(&w, &s, &view, at + n, n);
            else if (!o->out)
                print_text(&s, &view, at + n, n);
            if (o->out)
                answer_take(&answer, &s, &view, at + n - s.first, n);
            if (o->picture) {
                Shot shot;
                shot_take(&shot, &view, &batch, &s.data, at + n, n);
                sheet_draw(&sheet, &view, &shot, (int)(at + n - s.first), NULL);
                shot_free(&shot, &view);
            }
        }
    }
    json_close(&w);
    json_close(&w);
    if (o->json)
        json_newline(&w);
    json_end(&w);
    json_free(&w);
    if (o->out)
        answer_write(&answer, o->out);
    if (o->out && !o->json)
        printf("%s: %" PRId64 " examples\n", o->out, s.end - s.first);
    if (o->picture) {
        if (!picture_write(&sheet, o->picture, &e))
            fail_array(&e);
        picture_close(&sheet);
    }
    images_free(&s.images);
    data_close(&s.data);
    net.close();
    return FINE;
}
