/* predict.c -- the command `predict`: what the net reads in single examples, where it looked, and a picture of both.
 *
 * Nothing here knows a model.  A target of labels gives what is read; a value of six numbers is taken for a transform
 * [2][3] whose corners are those of the image; a value of rank 3 that is smaller than the image, with as many channels,
 * for a glimpse of it. */
#include "eval.h"
#include "json.h"
#include "message.h"
#include "picture.h"
#include "run.h"
#include "trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static bool is_transform(const NetValue *v) { return v->count == 6; }
static int steps_of(const NetValue *v) { return v->steps ? v->steps : 1; }

static double element(const NetValue *v, int n, int step, size_t e)
{
    return (double)net.activations()[value_index(v, n, step, e)];
}

/* ---- text and JSON ---------------------------------------------------------------------------------------------- */

static void print_text(const Data *data, int64_t example, int n)
{
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
        if (data->targets) {
            printf("   label");
            for (int i = 0; i < positions; i++)
                printf(" %d", data_label(data, k, example, i));
        }
        printf("\n");
    }
    for (int i = 0; i < net.value_count; i++) {
        const NetValue *v = &net.values[i];
        for (int step = 0; step < steps_of(v) && is_transform(v); step++) {
            char label[24] = "";
            if (v->steps)
                snprintf(label, sizeof label, " step %d", step);
            printf("  %s%s ", v->name, label);
            for (size_t e = 0; e < 6; e++)
                printf(" %8.4f", element(v, n, step, e));
            printf("\n");
        }
    }
}

static void write_json(JsonWriter *w, const Data *data, int64_t example, int n)
{
    json_object(w, NULL);
    json_integer(w, "example", example);
    json_object(w, "targets");
    for (int k = 0; k < net.target_count; k++) {
        int positions = eval_positions(k);
        double probability = 0;
        if (!positions)
            continue;
        json_object(w, net.targets[k].name);
        json_array(w, "read");
        for (int i = 0; i < positions; i++)
            json_integer(w, NULL, eval_label(NULL, k, n, i));
        json_close(w);
        json_array(w, "probabilities");
        for (int i = 0; i < positions; i++)
            eval_label(&probability, k, n, i), json_double(w, NULL, probability);
        json_close(w);
        if (data->targets) {
            json_array(w, "labels");
            for (int i = 0; i < positions; i++)
                json_integer(w, NULL, data_label(data, k, example, i));
            json_close(w);
        }
        json_close(w);
    }
    json_close(w);
    json_object(w, "transforms");
    for (int i = 0; i < net.value_count; i++) {
        const NetValue *v = &net.values[i];
        if (!is_transform(v))
            continue;
        json_array(w, v->name);
        for (int step = 0; step < steps_of(v); step++) {
            json_array(w, NULL);
            for (size_t e = 0; e < 6; e++)
                json_double(w, NULL, element(v, n, step, e));
            json_close(w);
        }
        json_close(w);
    }
    json_close(w);
    json_close(w);
}

/* ---- the picture: a row an example, its image with transforms at the left, then the glimpses ------------------------ */

enum { SCALE = 2, MARGIN = 8, CAPTION = 2 * PICTURE_GLYPH_HEIGHT + 4, COLOURS = 6 };
static const Colour step_colours[COLOURS] = { 0xff5050, 0x50d050, 0x60a0ff, 0xffc040, 0xd070ff, 0x40e0e0 };

typedef struct {
    const NetData *image;
    int input, channels, width, height;        /* of the image */
    int row;                                   /* pixels from one example to the next */
    Picture picture;
} Sheet;

static bool is_glimpse(const Sheet *s, const NetValue *v)
{
    return v->rank == 3 && v->shape[0] == s->channels && v->shape[1] <= s->height && v->shape[2] <= s->width &&
           v->shape[1] * v->shape[2] < s->width * s->height;
}

/* Glimpses are enlarged by whole numbers, as far as the image's height allows. */
static int glimpse_scale(const Sheet *s, const NetValue *v)
{
    int scale = s->height * SCALE / v->shape[1];
    return scale < 1 ? 1 : scale < 4 ? scale : 4;
}

static void sheet_open(Sheet *s, int64_t examples)
{
    *s = (Sheet){ .input = -1 };
    for (int i = 0; i < net.input_count && s->input < 0; i++)
        if (net.inputs[i].rank == 3)
            s->input = i;
    if (s->input < 0)
        fail(WRONG_INPUT, "--picture: %s has no input of shape [channels, rows, columns] to draw", net.name);
    s->image = &net.inputs[s->input];
    s->channels = s->image->shape[0], s->height = s->image->shape[1], s->width = s->image->shape[2];
    s->row = s->height * SCALE + CAPTION + MARGIN;
    int64_t width = MARGIN + s->width * SCALE + MARGIN, captions = MARGIN + 64 * PICTURE_ADVANCE;
    for (int i = 0; i < net.value_count; i++)
        if (is_glimpse(s, &net.values[i]))
            width += (int64_t)steps_of(&net.values[i]) * (net.values[i].shape[2] * glimpse_scale(s, &net.values[i]) + MARGIN);
    width = width < captions ? captions : width;
    int64_t height = MARGIN + examples * s->row;
    if (width > PICTURE_SIDE_MOST || height > PICTURE_SIDE_MOST)
        fail(WRONG_INPUT, "--picture: %" PRId64 " x %" PRId64 " pixels are too many, the most is %d a side; ask for fewer examples"
             " with --count", width, height, PICTURE_SIDE_MOST);
    if (!picture_open(&s->picture, (int)width, (int)height, 3, 0x202020))
        fail(ENVIRONMENT, "no memory for a picture of %" PRId64 " x %" PRId64 " pixels", width, height);
}

/* Numbers from low to high become grey; channels are averaged. */
static void draw_grey(Sheet *s, int x, int y, const double *plane, int width, int height, int scale, double low, double high)
{
    uint8_t *grey = need_memory((size_t)width * (size_t)height, "a picture");
    for (int i = 0; i < width * height; i++) {
        double g = high > low ? 255 * (plane[i] - low) / (high - low) : 0;
        grey[i] = (uint8_t)(g > 255 ? 255 : g > 0 ? g : 0);
    }
    picture_blit(&s->picture, x, y, grey, width, height, scale);
    free(grey);
}

/* The corners of the grid are the centres of the image's corner pixels, so -1 .. 1 is pixel 0 .. size - 1. */
static void draw_transform(Sheet *s, int x, int y, const NetValue *v, int n, int step)
{
    static const double corners[4][2] = { { -1, -1 }, { 1, -1 }, { 1, 1 }, { -1, 1 } };
    double a[6], points[4][2];
    for (size_t e = 0; e < 6; e++)
        a[e] = element(v, n, step, e);
    for (int i = 0; i < 4; i++) {
        double across = a[0] * corners[i][0] + a[1] * corners[i][1] + a[2], down = a[3] * corners[i][0] + a[4] * corners[i][1] + a[5];
        points[i][0] = x + SCALE * ((across + 1) / 2 * (s->width - 1) + 0.5);
        points[i][1] = y + SCALE * ((down + 1) / 2 * (s->height - 1) + 0.5);
    }
    picture_polygon(&s->picture, (const double (*)[2])points, 4, 1.5, step_colours[step % COLOURS]);
}

static int draw_labels(Sheet *s, int x, int y, const Data *data, int64_t example, int n)
{
    char text[40];
    for (int k = 0; k < net.target_count; k++) {
        for (int i = 0; i < eval_positions(k); i++) {
            int read = eval_label(NULL, k, n, i);
            bool wrong = data->targets && read != data_label(data, k, example, i);
            if (wrong)
                snprintf(text, sizeof text, "%d(%d) ", read, data_label(data, k, example, i));
            else
                snprintf(text, sizeof text, "%d ", read);
            x = picture_text(&s->picture, x, y, text, 2, wrong ? 0xff6060 : 0xffffff);
        }
        x += PICTURE_ADVANCE;
    }
    return x;
}

static void draw_example(Sheet *s, const Data *data, const Batch *batch, int64_t example, int n, int line)
{
    int x = MARGIN, y = MARGIN + line * s->row, top = y + CAPTION, size = s->width * s->height;
    const void *raw = batch->inputs[s->input][n];
    double *plane = need_memory((size_t)size * sizeof *plane, "a picture"), low = 0, high = 0;
    for (int i = 0; i < size * s->channels; i++)
        plane[i % size] += (s->image->type == F32 ? (double)((const float *)raw)[i] : ((const uint8_t *)raw)[i] / 255.0) / s->channels;
    for (int i = 0; i < size; i++) {
        low = plane[i] < low ? plane[i] : low;
        high = plane[i] > high ? plane[i] : high;
    }
    char text[32];
    snprintf(text, sizeof text, "%" PRId64 ":", example);
    draw_labels(s, picture_text(&s->picture, x, y, text, 1, 0xa0a0a0) + PICTURE_ADVANCE, y, data, example, n);
    draw_grey(s, x, top, plane, s->width, s->height, SCALE, low, high);
    for (int i = 0; i < net.value_count; i++)
        for (int step = 0; step < steps_of(&net.values[i]) && is_transform(&net.values[i]); step++)
            draw_transform(s, x, top, &net.values[i], n, step);
    x += s->width * SCALE + MARGIN;
    for (int i = 0; i < net.value_count; i++) {
        const NetValue *v = &net.values[i];
        if (!is_glimpse(s, v))
            continue;
        int area = v->shape[1] * v->shape[2], scale = glimpse_scale(s, v);
        for (int step = 0; step < steps_of(v); step++) {
            memset(plane, 0, (size_t)area * sizeof *plane);
            for (int e = 0; e < area * s->channels; e++)
                plane[e % area] += element(v, n, step, (size_t)e) / s->channels;
            picture_frame(&s->picture, x - 2, top - 2, v->shape[2] * scale + 4, v->shape[1] * scale + 4, 2, step_colours[step % COLOURS]);
            draw_grey(s, x, top, plane, v->shape[2], v->shape[1], scale, low, high);
            x += v->shape[2] * scale + MARGIN;
        }
    }
    free(plane);
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

int command_predict(const Options *o)
{
    Data data;
    Sheet sheet;
    JsonWriter w;
    ArrayError e;
    data_open(&data, o->data, o->split, false);
    int64_t first = o->index < 0 ? 0 : o->index, end = o->index < 0 ? o->count : o->index + 1;
    if (first >= data.examples)
        fail(WRONG_INPUT, "--index %" PRId64 ": %s/%s has %" PRId64 " examples, 0 to %" PRId64, first, o->data, o->split,
             data.examples, data.examples - 1);
    end = end < data.examples ? end : data.examples;
    if (o->picture)
        sheet_open(&sheet, end - first);
    open_net(o->threads);
    run_or_file_weights(o->run, o->weights, o->last);
    json_begin(&w, o->json ? stdout : NULL);
    json_object(&w, NULL);
    json_string(&w, "split", o->split);
    json_array(&w, "examples");
    for (int64_t at = first; at < end; at += net.batch) {
        Batch batch = { 0 };
        data_batch(&batch, &data, NULL, at);
        batch.count = batch.count < end - at ? batch.count : (int)(end - at);
        net.forward(&batch, NULL);
        for (int n = 0; n < batch.count; n++) {
            if (o->json)
                write_json(&w, &data, at + n, n);
            else
                print_text(&data, at + n, n);
            if (o->picture)
                draw_example(&sheet, &data, &batch, at + n, n, (int)(at + n - first));
        }
    }
    json_close(&w);
    json_close(&w);
    if (o->json)
        json_newline(&w);
    json_end(&w);
    json_free(&w);
    if (o->picture) {
        if (!picture_write(&sheet.picture, o->picture, &e))
            fail_array(&e);
        picture_close(&sheet.picture);
    }
    data_close(&data);
    net.close();
    return FINE;
}
