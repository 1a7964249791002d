/* figure.c -- the pictures of a report as PNG files beside it.
 *
 * Convention: what shows images is light on dark, like the images; curves and tables are dark on light, for paper. */
#include "report/report.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void save(Picture *p, const char *run, const char *file)
{
    char path[4096];
    ArrayError e;
    run_path(path, sizeof path, run, file);
    if (!picture_write(p, path, &e))
        warn("%s", e.text);
    picture_close(p);
}

static void write_sheet(const Report *r, const Shot *shots, int count, const char *file, const char *title)
{
    Picture sheet;
    if (!count || r->view.input < 0)
        return;
    sheet_open(&sheet, &r->view, count, title);
    for (int i = 0; i < count; i++)
        sheet_draw(&sheet, &r->view, &shots[i], i, title);
    save(&sheet, r->run, file);
}

static void write_curves(const Report *r)
{
    enum { WIDE = 560, HIGH = 300 };
    Chart charts[4];
    Picture p;
    int count = page_charts(charts, r);
    if (!count || !picture_open(&p, 2 * WIDE, (count + 1) / 2 * HIGH, 3, 0xffffff))
        return;
    for (int i = 0; i < count; i++)
        chart_draw(&p, i % 2 * WIDE, i / 2 * HIGH, WIDE, HIGH, &charts[i]);
    save(&p, r->run, "curves.png");
}

/* Rows: the label; columns: the class that the net chose.  The darker a cell, the larger its share of the row. */
static void write_confusion(const Report *r, int k)
{
    enum { CELL = 44, EDGE = 48, CLASSES_MOST = 100 };
    const int64_t *counts = r->survey.confusion[k];
    int classes = net.targets[k].classes;
    char text[40], file[300];
    Picture p;
    if (!counts || classes > CLASSES_MOST || !picture_open(&p, EDGE + classes * CELL + 8, EDGE + classes * CELL + 8, 3, 0xffffff))
        return;
    picture_text(&p, 8, 6, "rows: label, columns: read", 1, 0x1c1d20);
    for (int row = 0; row < classes; row++) {
        int64_t all = 0;
        for (int c = 0; c < classes; c++)
            all += counts[row * classes + c];
        snprintf(text, sizeof text, "%d", row);
        picture_text(&p, EDGE - 22, EDGE + row * CELL + CELL / 2 - 7, text, 2, 0x1c1d20);
        picture_text(&p, EDGE + row * CELL + CELL / 2 - 5, EDGE - 22, text, 2, 0x1c1d20);
        for (int c = 0; c < classes; c++) {
            int64_t n = counts[row * classes + c];
            double share = all ? (double)n / (double)all : 0, ink = n ? 0.12 + 0.88 * sqrt(share) : 0;
            Colour full = row == c ? 0x17865c : 0xc9302c, colour = 0;
            for (int shift = 0; shift < 24; shift += 8)
                colour |= (Colour)(245 + ink * ((double)(full >> shift & 255) - 245)) << shift;
            picture_box(&p, EDGE + c * CELL, EDGE + row * CELL, CELL - 2, CELL - 2, colour);
            snprintf(text, sizeof text, "%" PRId64, n);
            if (n)
                picture_text(&p, EDGE + c * CELL + (CELL - 2 - PICTURE_ADVANCE * (int)strlen(text)) / 2, EDGE + row * CELL + CELL / 2 - 4,
                             text, 1, ink > 0.5 ? 0xffffff : 0x1c1d20);
        }
    }
    snprintf(file, sizeof file, "confusion-%.200s.png", net.targets[k].name);
    save(&p, r->run, file);
}

static void write_transforms(const Report *r)
{
    enum { GAP = 8, CAPTION = 16 };
    const View *v = &r->view;
    int scale = v->width > 160 ? 1 : 320 / (v->width < 1 ? 1 : v->width) / 2, wide = v->width * scale + GAP, high = v->height * scale + GAP;
    Picture p;
    if (!r->frame_count || !r->watched_count || !picture_open(&p, GAP + r->frame_count * wide, GAP + CAPTION + r->watched_count * high, 3,
                                                              0x202020))
        return;
    for (int f = 0; f < r->frame_count; f++) {
        char text[32];
        snprintf(text, sizeof text, "epoch %d", r->watch.epoch[r->frame[f]]);
        picture_text(&p, GAP + f * wide, GAP, text, 1, 0xffffff);
        for (int i = 0; i < r->watched_count; i++) {
            int x = GAP + f * wide, y = GAP + CAPTION + i * high;
            const Picture *image = &r->watched[i].image;
            for (int at = 0; at < v->width * v->height; at++) {
                const uint8_t *c = image->pixels + (size_t)at * (size_t)image->channels;
                picture_box(&p, x + at % v->width * scale, y + at / v->width * scale, scale, scale,
                            image->channels == 3 ? (Colour)c[0] << 16 | (Colour)c[1] << 8 | c[2] : c[0] * 0x10101u);
            }
            for (int step = 0; step < v->looker[v->main].steps; step++)
                shot_outline(&p, watch_at(&r->watch, v, r->frame[f], i, view_at(v, v->main, step)), x, y, v->width, v->height, scale, 1.5, shot_colour(step));
        }
    }
    save(&p, r->run, "transforms.png");
}

void figures_write(const Report *r)
{
    char title[200];
    snprintf(title, sizeof title, "%.60s: the first examples of the %.10s split", net.name, r->split);
    write_sheet(r, r->shown, r->shown_count, "glimpses.png", title);
    snprintf(title, sizeof title, "%.60s: %s of the %.10s split", net.name, r->view.slots ? "the worst mistakes" : "the worst drawings",
             r->split);
    write_sheet(r, r->worst, r->worst_count, "mistakes.png", title);
    for (int k = 0; k < net.target_count; k++)
        write_confusion(r, k);
    write_curves(r);
    write_transforms(r);
}
