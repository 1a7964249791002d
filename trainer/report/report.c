/* report.c -- the command `report`, which training calls too: gathers a run's history and the results of its best weights.
 *
 * Reads the run folder and the data; leaves report.html and PNG files, each whole or not at all. */
#define _DEFAULT_SOURCE
#include "report/report.h"
#include "files/text.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- gathering -------------------------------------------------------------------------------------------------- */

/* The first and last epochs and, between them, ever longer gaps: transforms change most in early epochs. */
static void choose_frames(Report *r)
{
    int last = r->watch.count - 1;
    for (int i = 0; i < REPORT_FRAMES && last >= 0; i++) {
        double share = (double)i / (REPORT_FRAMES - 1);
        int frame = (int)(pow(last + 1.0, share) - 1 + 0.5);
        if (r->frame_count && frame <= r->frame[r->frame_count - 1])
            frame = r->frame[r->frame_count - 1] + 1;
        if (frame <= last)
            r->frame[r->frame_count++] = frame;
    }
}

static void report_open(Report *r, const char *run)
{
    *r = (Report){ .run = run };
    view_open(&r->view);
    history_read(&r->history, run);
    run_json(&r->settings, run, "run.json");
    run_json(&r->machine, run, "machine.json");
    names_of_run(&r->names, run);
}

static void report_close(Report *r)
{
    Shot *lists[] = { r->shown, r->worst, r->watched };
    int counts[] = { r->shown_count, r->worst_count, r->watched_count };
    for (int l = 0; l < 3; l++)
        for (int i = 0; i < counts[l]; i++)
            shot_free(&lists[l][i], &r->view);
    survey_free(&r->survey);
    names_close(&r->names);
    watch_free(&r->watch);
    history_free(&r->history);
    if (r->settings.root)
        json_parse_free(&r->settings);
    if (r->machine.root)
        json_parse_free(&r->machine);
}

static bool split_is_there(const char *dir, const char *split)
{
    char path[4096];
    bool there = true;
    for (int f = 0; f < net.input_count + net.target_count; f++) {
        const char *name = f < net.input_count ? net.inputs[f].name : net.targets[f - net.input_count].name;
        int n = snprintf(path, sizeof path, "%s/%s_%s.npy", dir, split, name);
        there = there && n > 0 && (size_t)n < sizeof path && !access(path, F_OK);
    }
    return there;
}

/* The watched examples as they were before any training: only their images and labels are shown. */
static void take_watched(Report *r, Data *valid)
{
    int64_t examples[WATCHED];
    watch_read(&r->watch, r->run, &r->view);
    choose_frames(r);
    r->watched_count = r->watch.examples < valid->examples ? r->watch.examples : (int)valid->examples;
    for (int i = 0; i < r->watched_count; i++)
        examples[i] = i;
    survey_shots(r->watched, &r->view, valid, examples, r->watched_count);
}

static void take_survey(Report *r, Data *data)
{
    int64_t examples[REPORT_SHOWN + REPORT_WORST];
    r->split = data->split;
    survey_run(&r->survey, &r->view, data);
    r->shown_count = data->examples < REPORT_SHOWN ? (int)data->examples : REPORT_SHOWN;
    for (int i = 0; i < r->shown_count; i++)
        examples[i] = i;
    survey_shots(r->shown, &r->view, data, examples, r->shown_count);
    r->worst_count = survey_worst(examples, &r->survey, REPORT_WORST);
    survey_shots(r->worst, &r->view, data, examples, r->worst_count);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static bool write_page(const Report *r, ArrayError *e)
{
    char path[4096];
    Html h = { 0 };
    ArrayOut out;
    run_path(path, sizeof path, r->run, "report.html");
    page_write(&h, r);
    bool fine = array_out_open(&out, path, e) && array_out_write(&out, h.text, h.length, e) && array_out_commit(&out, e);
    html_free(&h);
    return fine;
}

void report_epoch(const char *run, Data *valid, int epoch)
{
    Report r;
    View view;
    ArrayError e;
    view_open(&view);
    if ((valid && !watch_add(run, &view, valid, epoch, &e)) || !machine_write(run, &e))
        warn("%s", e.text);
    report_open(&r, run);
    r.running = true;
    r.valid_examples = valid ? valid->examples : 0;
    r.valid_labels = valid ? data_all_labels(valid) : 0;
    if (!write_page(&r, &e))
        warn("%s", e.text);
    report_close(&r);
}

typedef struct { Report *r; const char *dir; } Gathering;

/* What the best weights do with the examples of the data folder. */
static void gather(void *of)
{
    Report *r = ((Gathering *)of)->r;
    const char *dir = ((Gathering *)of)->dir;
    Data data;
    if (split_is_there(dir, "valid")) {
        data_open(&data, dir, "valid", true);
        r->valid_examples = data.examples;
        r->valid_labels = data_all_labels(&data);
        take_watched(r, &data);
        data_close(&data);
    }
    const char *split = split_is_there(dir, "test") ? "test" : split_is_there(dir, "valid") ? "valid" : "train";
    data_open(&data, dir, split, true);
    take_survey(r, &data);
    data_close(&data);
}

/* try: what is wrong with the data is a warning. */
static void make_report(const char *run, const char *dir, bool try)
{
    Report r;
    ArrayError e;
    char why[8192], words[2][1200];
    if (!run_has(run, "best") && !run_has(run, "last"))
        return;                                /* the disk was full: training has already warned */
    report_open(&r, run);
    run_or_file_weights(run, NULL, false, false);
    names_close(&r.names);
    names_open(&r.names, run, dir);
    if (!try)
        gather(&(Gathering){ &r, dir });
    else if (!attempt(gather, &(Gathering){ &r, dir }, why, sizeof why)) {
        warn("%s.  The run is trained and saved; its report has no results.  Once this is mended: %s report --run %s --data %s", why, net.name,
             text_shell(words[0], sizeof words[0], run), text_shell(words[1], sizeof words[1], dir));
        r.missing = why;
        r.split = NULL;
        r.shown_count = r.worst_count = r.watched_count = 0;
    }
    if (!write_page(&r, &e))
        warn("%s", e.text);
    if (!r.missing)
        figures_write(&r);
    report_close(&r);
}

void report_whole(const char *run, const char *dir) { make_report(run, dir, false); }

void report_end(const char *run, const char *dir) { make_report(run, dir, true); }

int command_report(const Options *o)
{
    if (!run_has(o->run, "best") && !run_has(o->run, "last"))
        fail(WRONG_INPUT, "%s: there is no checkpoint in this folder; `%s train --run %s` makes one", o->run, net.name, o->run);
    open_net(o->threads);
    report_whole(o->run, o->data);
    tell_text("%s/report.html\n", o->run);
    net.close();
    return FINE;
}
