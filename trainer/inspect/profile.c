/* profile.c -- the command `profile`: the time of a training step, operator by operator.
 *
 * net.profile is the step of training with clocks, a function of its own: the real step has none.  A row's time is the sum over the
 * threads, divided by their number: rows and waits add up to the step.  Rates are by the time of work, without waiting. */
#define _DEFAULT_SOURCE
#include "clock.h"
#include "files/json.h"
#include "inspect/inspect.h"
#include "inspect/peak.h"
#include "inspect/times.h"
#include "run/data.h"
#include "run/message.h"
#include "run/place.h"
#include "run/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int threads, steps;
    Clock *clocks;
    double step_ms, plain_ms, peak;            /* mean step with clocks, and without */
} Profile;

static double mean_ms(Data *data, int steps, Clock *clocks)
{
    double begin = seconds_now(), norm;
    for (int i = 0; i < steps; i++) {
        Batch batch = { .train = 1, .step = (uint64_t)i, .gathered = net.accumulate > 1 ? net.batch : 0 };      /* the last one of an update */
        data_batch(&batch, data, NULL, 0);
        if (clocks)
            net.profile(&batch, net.training->rate, (uint64_t)i, &norm, clocks);
        else
            net.step(&batch, net.training->rate, (uint64_t)i, &norm);
    }
    return 1e3 * (seconds_now() - begin) / steps;
}

static double row_calls(const Profile *p, int row) { return times_row_calls(p->clocks, p->threads, p->steps, row, net.rows[row].whole); }

static bool is_wait(int row) { return !strcmp(net.rows[row].pass, "wait"); }

/* ---- tables -------------------------------------------------------------------------------------------------------- */

static const char *const passes[] = { "load", "prepare", "forward", "again", "backward", "weights", "products", "fold", "finish", "update", "wait" };
enum { PASSES = sizeof passes / sizeof *passes };

static int *sort_by;                           /* rows, slowest first */
static double *times;
static int slower(const void *a, const void *b)
{
    double x = times[*(const int *)a], y = times[*(const int *)b];
    return x != y ? (x < y) - (x > y) : *(const int *)a - *(const int *)b;
}

static void print_row(const Profile *p, int k)
{
    const NetRow *r = &net.rows[k];
    double ms = times[k];
    printf("  %-34.34s %6.0f %9.3f %5.1f", r->name, row_calls(p, k), ms, 100 * ms / p->step_ms);
    if (r->macs > 0)
        printf(" %9.1f %6.0f%s", times_rate(2 * r->macs, ms), 100 * times_rate(2 * r->products, ms) / p->peak, r->products < r->macs ? " w" : "  ");
    else
        printf(" %9s %6s  ", "", "");
    printf(" %9.2f %7.1f", r->bytes / 1e6, times_rate(r->bytes, ms));
    if (r->yaml_line)
        printf("  %s:%d", place_file(r->yaml_line), place_line(r->yaml_line));
    printf("\n");
}

static void print_tables(const Profile *p)
{
    printf("a training step of %s: %.3f ms with clocks, %.3f ms without; mean of %d, batch %d, %d thread%s, %s\n", net.name, p->step_ms, p->plain_ms,
           p->steps, net.batch, p->threads, p->threads == 1 ? "" : "s", net.target);
    printf("peak of these threads, in this run: %.1f GFLOP/s (%s multiply-adds in registers)\n\n", p->peak, net.precision);
    printf("  %-34s %6s %9s %5s %9s %6s   %9s %7s\n", "operator", "calls", "ms", "%", "GFLOP/s", "% peak", "MB", "GB/s");
    double all = 0;
    for (int g = 0; g < PASSES - 1; g++) {
        double sum = 0;
        int count = 0;
        for (int k = 0; k < net.row_count; k++)
            if (!strcmp(net.rows[k].pass, passes[g]))
                sum += times[k], count++;
        if (count)
            printf("%-36s %6s %9.3f %5.1f\n", passes[g], "", sum, 100 * sum / p->step_ms);
        for (int i = 0; i < net.row_count; i++)
            if (!strcmp(net.rows[sort_by[i]].pass, passes[g]))
                print_row(p, sort_by[i]);
    }
    double waits = 0;
    for (int k = 0; k < net.row_count; k++) {
        all += times[k];
        waits += is_wait(k) ? times[k] : 0;
    }
    printf("%-36s %6s %9.3f %5.1f\n", "wait for other threads", "", waits, 100 * waits / p->step_ms);
    printf("%-36s %6s %9.3f %5.1f\n", "rest: threads begin and end, loss", "", p->step_ms - all, 100 * (p->step_ms - all) / p->step_ms);
    printf("\n  GFLOP/s count the multiply-adds of direct convolution; %% peak those that are made (w: fewer, by Winograd's algorithm).\n"
           "  MB: tensors and weights read and written, once a call.\n\n");
    printf("  %5s %9s %9s  %s\n", "phase", "ms", "wait ms", "operators");
    for (int k = 0; k < net.row_count;) {
        double work = 0, wait = 0;
        int phase = net.rows[k].phase, from = k;
        for (; k < net.row_count && net.rows[k].phase == phase; k++)
            *(is_wait(k) ? &wait : &work) += times[k];
        printf("  %5d %9.3f %9.3f  %s%s\n", phase, work, wait, net.rows[from].name, net.rows[from].whole && strcmp(net.rows[from].pass, "update") ? ", whole batch" : "");
    }
    printf("\n");
    for (int t = 0; t < p->threads; t++) {
        double work = 0, wait = 0;
        for (int k = 0; k < net.row_count; k++)
            *(is_wait(k) ? &wait : &work) += 1e3 * p->clocks[t].laps[k].seconds / p->steps;
        printf("  thread %d: works %.3f ms, waits %.3f ms, %.1f %% of the step idle\n", t, work, p->step_ms - work, 100 * (1 - work / p->step_ms));
    }
}

static void print_json(const Profile *p)
{
    JsonWriter w;
    json_begin(&w, stdout);
    json_object(&w, NULL);
    json_string(&w, "model", net.name);
    json_double(&w, "step_ms", p->step_ms);
    json_double(&w, "step_without_clocks_ms", p->plain_ms);
    json_double(&w, "peak_gflops", p->peak);
    json_integer(&w, "threads", p->threads);
    json_integer(&w, "steps", p->steps);
    json_integer(&w, "batch", net.batch);
    json_string(&w, "target", net.target);
    json_array(&w, "rows");
    for (int k = 0; k < net.row_count; k++) {
        const NetRow *r = &net.rows[k];
        json_object(&w, NULL);
        json_string(&w, "name", r->name);
        json_string(&w, "pass", r->pass);
        json_integer(&w, "phase", r->phase);
        if (place_part(r->yaml_line) >= 0)
            json_string(&w, "file", place_file(r->yaml_line));
        json_integer(&w, "line", place_line(r->yaml_line));
        json_double(&w, "calls", row_calls(p, k));
        json_double(&w, "ms", times[k]);
        json_double(&w, "macs", r->macs);
        json_double(&w, "products", r->products);
        json_double(&w, "bytes", r->bytes);
        json_double(&w, "gflops", times_rate(2 * r->macs, times[k]));
        json_double(&w, "peak_share", times_rate(2 * r->products, times[k]) / p->peak);
        json_double(&w, "gbytes_per_second", times_rate(r->bytes, times[k]));
        json_close(&w);
    }
    json_close(&w);
    json_array(&w, "thread_work_ms");
    for (int t = 0; t < p->threads; t++) {
        double work = 0;
        for (int k = 0; k < net.row_count; k++)
            work += is_wait(k) ? 0 : 1e3 * p->clocks[t].laps[k].seconds / p->steps;
        json_double(&w, NULL, work);
    }
    json_close(&w);
    json_close(&w);
    json_newline(&w);
    json_end(&w);
    json_free(&w);
}

int command_profile(const Options *o)
{
    Data data;
    size_t rows = (size_t)net.row_count;
    open_net(o->threads);
    Profile p = { .threads = strcmp(net.form, "plain") ? o->threads : 1, .steps = o->steps };
    size_t threads = (size_t)p.threads, laps = rows + 64 / sizeof(Lap);        /* of two threads: not in one cache line */
    p.clocks = need_memory(threads * sizeof *p.clocks, "the clocks");
    Lap *all = need_memory(threads * laps * sizeof *all, "the clocks");
    times = need_memory(rows * sizeof *times, "the clocks");
    sort_by = need_memory(rows * sizeof *sort_by, "the clocks");
    for (size_t t = 0; t < threads; t++)
        p.clocks[t].laps = all + t * laps;
    data_made_up(&data, net.batch, 0);
    weights_init(net.weights(), net.training->seed);
    p.peak = peak_gflops(p.threads);
    mean_ms(&data, 2, NULL);
    p.plain_ms = mean_ms(&data, o->steps, NULL);
    memset(all, 0, threads * laps * sizeof *all);
    mean_ms(&data, 1, p.clocks);
    memset(all, 0, threads * laps * sizeof *all);
    p.step_ms = mean_ms(&data, o->steps, p.clocks);
    p.peak = times_peak(p.peak, peak_gflops(p.threads));
    for (int k = 0; k < net.row_count; k++)
        times[k] = times_row_ms(p.clocks, p.threads, p.steps, k), sort_by[k] = k;
    qsort(sort_by, rows, sizeof *sort_by, slower);
    if (o->json)
        print_json(&p);
    else
        print_tables(&p);
    free(sort_by);
    free(times);
    free(all);
    free(p.clocks);
    data_close(&data);
    net.close();
    return FINE;
}
