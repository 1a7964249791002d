/* shot.c -- finds the images, transforms and glimpses of a net, keeps them for single examples, and draws contact sheets of them.
 *
 * Reads the activations of the batch just run.  Convention: pixel values from low to high become 0 to 255, with low and
 * high those of the image (0 and 1 for bytes), so glimpses are as bright as what they show. */
#include "report/shot.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/outputs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what there is to see --------------------------------------------------------------------------------------- */

static bool same_image(const View *v, const NetValue *value)
{
    return value->rank == 3 && value->shape[0] == v->channels;
}

static int channels_of(const NetValue *v) { return v->rank == 3 ? v->shape[0] : 1; }

static int steps_of(const NetValue *v) { return v->steps ? v->steps : 1; }

static bool is_glimpse(const View *v, int value)
{
    for (int l = 0; l < v->looker_count; l++)
        if (v->looker[l].glimpse == value)
            return true;
    return false;
}

/* Outputs that are maps or short, but not as drawings of the image or glimpses, which are shown as such. */
static void find_outputs(View *v)
{
    for (int i = 0; i < net.value_count; i++) {
        const OutputKind kind = output_kind(i);
        const int steps = steps_of(&net.values[i]);
        if (i == v->drawing || is_glimpse(v, i))
            continue;
        if (kind == OUTPUT_MAP && v->map_count < MAPS) {
            v->map[v->map_count++] = i;
            v->maps += steps;
        } else if (kind == OUTPUT_NUMBERS && v->line_count < LINES && net.values[i].count * (size_t)steps <= NUMBERS_MOST) {
            v->line[v->line_count++] = i;
            v->numbers += (int)net.values[i].count * steps;
        }
    }
}

static void find_lookers(View *v)
{
    int open = -1;                             /* the looker with a transform but no glimpse yet */
    for (int i = 0; i < net.value_count && v->looker_count < LOOKERS; i++) {
        const NetValue *value = &net.values[i];
        int steps = steps_of(value);
        if (value->transform) {
            open = v->looker_count++;
            v->looker[open] = (Looker){ i, -1, steps };
        } else if (same_image(v, value) && value->shape[1] <= v->height && value->shape[2] <= v->width &&
                   value->shape[1] * value->shape[2] < v->height * v->width) {
            if (open < 0 || v->looker[open].steps != steps)
                v->looker[open = v->looker_count++] = (Looker){ -1, i, steps };
            v->looker[open].glimpse = i;
            open = -1;
        }
    }
}

void view_open(View *v)
{
    *v = (View){ .input = -1, .main = -1, .drawing = -1 };
    for (int k = 0; k < net.target_count; k++)
        v->slots += eval_positions(k);
    for (int i = 0; i < net.input_count && v->input < 0; i++)
        if (net.inputs[i].type != LABELS && (net.inputs[i].rank == 3 || net.inputs[i].rank == 2))
            v->input = i;
    if (v->input < 0) {
        find_outputs(v);
        return;
    }
    const NetData *image = &net.inputs[v->input];
    const int *shape = image->shape + (image->rank == 3);
    v->channels = image->rank == 3 ? image->shape[0] : 1, v->height = shape[0], v->width = shape[1];
    find_lookers(v);
    int largest = -1;
    for (int l = 0; l < v->looker_count; l++) {
        int glimpse = v->looker[l].glimpse, area = glimpse < 0 ? 0 : net.values[glimpse].shape[1] * net.values[glimpse].shape[2];
        if (area > largest)
            v->main = l, largest = area;
        v->views += v->looker[l].steps;
    }
    for (int i = 0; i < net.loss_count; i++) {
        const NetLoss *l = &net.losses[i];
        if (l->shows == SHOWS_NOTHING && l->target < 0 && l->value >= 0 && net.values[l->value].count == image->count)
            v->drawing = l->value;
    }
    find_outputs(v);
}

int view_slot(int k, int position)
{
    for (int j = 0; j < k; j++)
        position += eval_positions(j);
    return position;
}

int view_at(const View *v, int looker, int step)
{
    for (int l = 0; l < looker; l++)
        step += v->looker[l].steps;
    return step;
}

/* ---- one example ------------------------------------------------------------------------------------------------- */

static double input_pixel(const View *v, const void *raw, size_t i)
{
    return net.inputs[v->input].type == F32 ? (double)((const float *)raw)[i] : ((const uint8_t *)raw)[i] / 255.0;
}

/* Plane after plane becomes pixel after pixel: planes [channels][height][width]. */
static void make_picture(Picture *p, const double *planes, int channels, int height, int width, double low, double high)
{
    int colours = channels == 3 ? 3 : 1;
    size_t area = (size_t)height * (size_t)width;
    if (!picture_open(p, width, height, colours, 0))
        fail(ENVIRONMENT, "no memory for a picture of %d x %d pixels", width, height);
    for (size_t i = 0; i < area; i++)
        for (int c = 0; c < colours; c++) {
            double sum = planes[(size_t)c * area + i];
            for (int other = 1; other < channels && colours == 1; other++)
                sum += planes[(size_t)other * area + i];
            double level = high > low ? 255 * ((colours == 1 ? sum / channels : sum) - low) / (high - low) : 0;
            p->pixels[i * (size_t)colours + (size_t)c] = (uint8_t)(level > 255 ? 255 : level > 0 ? level + 0.5 : 0);
        }
}

static void take_views(Shot *s, const View *v, int n, double *planes, double low, double high)
{
    const real *memory = net.activations();
    s->glimpse = need_memory((size_t)v->views * sizeof *s->glimpse, "an example");
    s->transform = need_memory((size_t)v->views * sizeof *s->transform, "an example");
    for (int l = 0; l < v->looker_count; l++)
        for (int step = 0; step < v->looker[l].steps; step++) {
            const Looker *looker = &v->looker[l];
            int view = view_at(v, l, step);
            for (size_t e = 0; e < 6; e++)
                s->transform[view][e] = looker->transform < 0 ? NAN
                    : (double)memory[value_index(&net.values[looker->transform], n, step, e)];
            if (looker->glimpse < 0)
                continue;
            const NetValue *g = &net.values[looker->glimpse];
            for (size_t e = 0; e < g->count; e++)
                planes[e] = (double)memory[value_index(g, n, step, e)];
            make_picture(&s->glimpse[view], planes, v->channels, g->shape[1], g->shape[2], low, high);
        }
}

/* Bright is the largest number of the map at any step, dark the least, or 1 and 0 if all lie between these. */
static void take_map(Picture *pictures, const NetValue *m, int n)
{
    const int steps = steps_of(m);
    double *planes = need_memory(m->count * sizeof *planes, "an example"), low = 0, high = 1;
    for (int pass = 0; pass < 2; pass++)
        for (int step = 0; step < steps; step++) {
            for (size_t e = 0; e < m->count; e++) {
                planes[e] = (double)net.activations()[value_index(m, n, step, e)];
                low = fmin(low, planes[e]), high = fmax(high, planes[e]);
            }
            if (pass)
                make_picture(&pictures[step], planes, channels_of(m), m->shape[m->rank - 2], m->shape[m->rank - 1], low, high);
        }
    free(planes);
}

static void take_outputs(Shot *s, const View *v, int n)
{
    s->map = need_memory((size_t)v->maps * sizeof *s->map, "an example");
    s->number = need_memory((size_t)v->numbers * sizeof *s->number, "an example");
    for (int i = 0, at = 0; i < v->map_count; at += steps_of(&net.values[v->map[i]]), i++)
        take_map(s->map + at, &net.values[v->map[i]], n);
    double *to = s->number;
    for (int i = 0; i < v->line_count; i++) {
        const NetValue *value = &net.values[v->line[i]];
        for (int step = 0; step < steps_of(value); step++)
            for (size_t e = 0; e < value->count; e++)
                *to++ = (double)net.activations()[value_index(value, n, step, e)];
    }
}

void shot_take(Shot *s, const View *v, const Batch *batch, const Data *data, int64_t example, int n)
{
    size_t slots = (size_t)v->slots, count = v->input < 0 ? 0 : net.inputs[v->input].count;
    *s = (Shot){ .example = example };
    s->read = need_memory(slots * sizeof *s->read, "an example");
    s->label = need_memory(slots * sizeof *s->label, "an example");
    s->sure = need_memory(slots * sizeof *s->sure, "an example");
    for (int k = 0, slot = 0; k < net.target_count; k++)
        for (int i = 0; i < eval_positions(k); i++, slot++) {
            s->read[slot] = eval_label(&s->sure[slot], k, n, i);
            s->label[slot] = data && data->targets ? data_label(data, k, example, i) : -1;
        }
    take_outputs(s, v, n);
    if (v->input < 0)
        return;
    double *planes = need_memory(count * sizeof *planes, "an example"), low = 0, high = net.inputs[v->input].type == F32 ? 0 : 1;
    for (size_t i = 0; i < count; i++) {
        planes[i] = input_pixel(v, batch->inputs[v->input][n], i);
        low = planes[i] < low ? planes[i] : low;
        high = planes[i] > high ? planes[i] : high;
    }
    make_picture(&s->image, planes, v->channels, v->height, v->width, low, high);
    if (v->drawing >= 0) {
        for (size_t e = 0; e < count; e++)
            planes[e] = (double)net.activations()[value_index(&net.values[v->drawing], n, 0, e)];
        make_picture(&s->drawing, planes, v->channels, v->height, v->width, low, high);
    }
    take_views(s, v, n, planes, low, high);
    free(planes);
}

void shot_free(Shot *s, const View *v)
{
    for (int i = 0; i < v->views && s->glimpse; i++)
        picture_close(&s->glimpse[i]);
    picture_close(&s->image);
    picture_close(&s->drawing);
    for (int i = 0; i < v->maps && s->map; i++)
        picture_close(&s->map[i]);
    free(s->map);
    free(s->number);
    free(s->glimpse);
    free(s->transform);
    free(s->read);
    free(s->label);
    free(s->sure);
    *s = (Shot){ 0 };
}

/* The corners of the grid are the centres of the image's corner pixels, so -1 .. 1 is pixel 0 .. size - 1. */
void shot_box(double corners[4][2], const double a[6], int width, int height)
{
    static const double grid[4][2] = { { -1, -1 }, { 1, -1 }, { 1, 1 }, { -1, 1 } };
    for (int i = 0; i < 4; i++) {
        double across = a[0] * grid[i][0] + a[1] * grid[i][1] + a[2], down = a[3] * grid[i][0] + a[4] * grid[i][1] + a[5];
        corners[i][0] = (across + 1) / 2 * (width - 1) + 0.5;
        corners[i][1] = (down + 1) / 2 * (height - 1) + 0.5;
    }
}

void shot_outline(Picture *picture, const double transform[6], int x, int y, int width, int height, int scale, double thickness, Colour colour)
{
    double box[4][2];
    shot_box(box, transform, width, height);
    for (int i = 0; i < 4; i++)
        box[i][0] = x + scale * box[i][0], box[i][1] = y + scale * box[i][1];
    picture_clip(picture, x - OUTSIDE, y - OUTSIDE, width * scale + 2 * OUTSIDE, height * scale + 2 * OUTSIDE);
    picture_polygon(picture, (const double (*)[2])box, 4, thickness, colour);
    picture_clip(picture, 0, 0, picture->width, picture->height);
}

Colour shot_colour(int step)
{
    static const Colour colours[] = { 0xff5c5c, 0x4fd06c, 0x5aa9ff, 0xffc247, 0xd58bff, 0x46dede };
    return colours[step % (int)(sizeof colours / sizeof *colours)];
}

/* ---- contact sheets ---------------------------------------------------------------------------------------------- */

enum { MARGIN = 8, CAPTION = 2 * PICTURE_GLYPH_HEIGHT + 4, SIDE = 200, BACKGROUND = 0x202020 };

/* Everything is enlarged by whole numbers: small images to about SIDE pixels, glimpses at most to the image's height. */
static int scale_of(int height, int width)
{
    int side = height > width ? height : width;
    return side >= SIDE ? 1 : SIDE / side;
}

static int image_scale(const View *v) { return scale_of(v->height, v->width); }

static int map_height(const NetValue *m) { return m->shape[m->rank - 2]; }
static int map_width(const NetValue *m) { return m->shape[m->rank - 1]; }

static int glimpse_scale(const View *v, const NetValue *g)
{
    int scale = v->height * image_scale(v) / g->shape[1], most = 2 * image_scale(v);
    return scale < 1 ? 1 : scale < most ? scale : most;
}

static int row_height(const View *v)
{
    int most = v->input < 0 ? 0 : v->height * image_scale(v);
    for (int i = 0; i < v->map_count; i++) {
        const NetValue *m = &net.values[v->map[i]];
        const int height = map_height(m) * scale_of(map_height(m), map_width(m));
        most = height > most ? height : most;
    }
    return most + CAPTION + MARGIN;
}

static int title_height(const char *title) { return title ? CAPTION + MARGIN : 0; }

void sheet_open(Picture *sheet, const View *v, int64_t rows, const char *title)
{
    if (v->input < 0 && !v->map_count)
        fail(WRONG_INPUT, "%s has nothing to draw: no input of shape [channels, rows, columns], and no such output", net.name);
    int64_t width = MARGIN + (v->input < 0 ? 0 : v->width * image_scale(v) + MARGIN), captions = MARGIN + 64 * PICTURE_ADVANCE;
    for (int l = 0; l < v->looker_count; l++)
        if (v->looker[l].glimpse >= 0) {
            const NetValue *g = &net.values[v->looker[l].glimpse];
            width += (int64_t)v->looker[l].steps * (g->shape[2] * glimpse_scale(v, g) + MARGIN);
        }
    if (v->drawing >= 0)
        width += v->width * image_scale(v) + MARGIN;
    for (int i = 0; i < v->map_count; i++) {
        const NetValue *m = &net.values[v->map[i]];
        width += (int64_t)steps_of(m) * (map_width(m) * scale_of(map_height(m), map_width(m)) + MARGIN);
    }
    width = width < captions ? captions : width;
    int64_t height = MARGIN + title_height(title) + rows * row_height(v);
    if (width > PICTURE_SIDE_MOST || height > PICTURE_SIDE_MOST)
        fail(WRONG_INPUT, "a picture of %" PRId64 " x %" PRId64 " pixels is too large, the most is %d a side; ask for fewer examples",
             width, height, PICTURE_SIDE_MOST);
    if (!picture_open(sheet, (int)width, (int)height, 3, BACKGROUND))
        fail(ENVIRONMENT, "no memory for a picture of %" PRId64 " x %" PRId64 " pixels", width, height);
    if (title)
        picture_text(sheet, MARGIN, MARGIN, title, 1, 0xffffff);
}

static void draw_enlarged(Picture *sheet, int x, int y, const Picture *p, int scale)
{
    for (int row = 0; row < p->height; row++)
        for (int column = 0; column < p->width; column++) {
            const uint8_t *at = p->pixels + ((size_t)row * (size_t)p->width + (size_t)column) * (size_t)p->channels;
            Colour colour = p->channels == 3 ? (Colour)at[0] << 16 | (Colour)at[1] << 8 | at[2] : at[0] * 0x10101u;
            picture_box(sheet, x + column * scale, y + row * scale, scale, scale, colour);
        }
}

static void draw_labels(Picture *sheet, const View *v, const Shot *s, int x, int y)
{
    char text[48];
    snprintf(text, sizeof text, "%" PRId64 ":", s->example);
    x = picture_text(sheet, x, y, text, 1, 0xa0a0a0) + PICTURE_ADVANCE;
    for (int slot = 0; slot < v->slots; slot++) {
        bool wrong = s->label[slot] >= 0 && s->read[slot] != s->label[slot];
        snprintf(text, sizeof text, wrong ? "%d(%d) " : "%d ", s->read[slot], s->label[slot]);
        x = picture_text(sheet, x, y, text, 2, wrong ? 0xff6060 : 0xffffff);
    }
}

void sheet_draw(Picture *sheet, const View *v, const Shot *s, int row, const char *title)
{
    int scale = v->input < 0 ? 1 : image_scale(v), x = MARGIN, y = MARGIN + title_height(title) + row * row_height(v), top = y + CAPTION;
    draw_labels(sheet, v, s, x, y);
    if (s->image.pixels)
        draw_enlarged(sheet, x, top, &s->image, scale);
    for (int l = 0; l < v->looker_count; l++)
        for (int step = 0; step < v->looker[l].steps; step++)
            shot_outline(sheet, s->transform[view_at(v, l, step)], x, top, v->width, v->height, scale, l == v->main ? 1.5 : 0.75, shot_colour(step));
    x += v->input < 0 ? 0 : v->width * scale + MARGIN;
    for (int l = 0; l < v->looker_count; l++)
        for (int step = 0; step < v->looker[l].steps && v->looker[l].glimpse >= 0; step++) {
            const NetValue *g = &net.values[v->looker[l].glimpse];
            int size = glimpse_scale(v, g);
            picture_frame(sheet, x - 2, top - 2, g->shape[2] * size + 4, g->shape[1] * size + 4, 2, shot_colour(step));
            draw_enlarged(sheet, x, top, &s->glimpse[view_at(v, l, step)], size);
            x += g->shape[2] * size + MARGIN;
        }
    if (s->drawing.pixels) {
        draw_enlarged(sheet, x, top, &s->drawing, scale);
        x += v->width * scale + MARGIN;
    }
    for (int i = 0, at = 0; i < v->map_count; i++) {
        const NetValue *m = &net.values[v->map[i]];
        const int size = scale_of(map_height(m), map_width(m));
        for (int step = 0; step < steps_of(m); step++, x += map_width(m) * size + MARGIN)
            draw_enlarged(sheet, x, top, &s->map[at++], size);
    }
}
