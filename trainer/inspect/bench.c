/* bench.c -- the command `bench`: the time of a training step, beside the machine's peak.
 *
 * Times are medians over made-up examples.  The same threads measure the peak before and after; the higher value counts.  If the middle
 * half of the times spreads widely, another program has probably used the processors: a warning is printed.  times.c has the statistics.
 * Several ranks do all of it together, step by step; what is printed is a step of all of them, by the clock of the first, and the peak is its own times their number. */
#define _DEFAULT_SOURCE
#include "files/json.h"
#include "inspect/inspect.h"
#include "inspect/peak.h"
#include "inspect/times.h"
#include "ranks.h"
#include "run/agree.h"
#include "run/data.h"
#include "run/message.h"
#include "run/weights.h"

#include <stdlib.h>
#include <sys/resource.h>

/* ---- the net ---------------------------------------------------------------------------------------------------- */

enum { MOST = 200 };

/* Milliseconds of a whole training step, or of a forward pass: two to warm up, then for `seconds`, at least five. */
static Times measure(Data *data, bool train, double seconds)
{
    double times[MOST], norm, end = 0;
    int count = 0;
    for (uint64_t i = 0; count < 5 || (count < MOST && agree_any(!ranks_mine() && seconds_now() < end)); i++) {
        Batch batch = { .train = train, .step = i, .gathered = net.accumulate > 1 ? net.batch : 0 };      /* the last one of an update */
        data_batch(&batch, data, NULL, 0);
        double begin = seconds_now();
        if (train)
            net.step(&batch, net.training->rate, i, &norm);
        else
            net.forward(&batch, NULL);
        if (i == 1)
            end = seconds_now() + seconds;
        if (i >= 2)
            times[count++] = 1e3 * (seconds_now() - begin);
    }
    return times_of(times, count);
}

static void say_if_wide(const char *what, Times t)
{
    char text[400];
    if (!ranks_mine() && times_warning(text, sizeof text, what, t))
        fprintf(stderr, "%s: bench: %s\n", net.name, text);
}

int command_bench(const Options *o)
{
    Data data;
    struct rusage usage;
    open_net(o->threads);
    data_made_up(&data, net.batch, 0);
    weights_init(net.weights(), net.training->seed);
    agree(&data, NULL, NULL, 0);
    double peak = peak_gflops(o->threads);
    Times eval = measure(&data, false, 3), train = measure(&data, true, 10);
    double gflop = 2 * (net.forward_macs + net.backward_macs) * net.batch / 1e9;
    peak = times_peak(peak, peak_gflops(o->threads)) * ranks_count();
    getrusage(RUSAGE_SELF, &usage);
    double rss = (double)usage.ru_maxrss * 1024 / 1e6, reached = gflop / (train.median * 1e-3);
    if (o->json) {
        JsonWriter w;
        json_begin(&w, stdout);
        json_object(&w, NULL);
        json_double(&w, "train_ms", train.median);
        json_double(&w, "eval_ms", eval.median);
        json_double(&w, "step_gflop", gflop);
        json_double(&w, "peak_gflops", peak);
        json_double(&w, "rss_mb", rss);
        json_integer(&w, "threads", o->threads);
        if (ranks_count() > 1)
            json_integer(&w, "ranks", ranks_count());
        json_string(&w, "target", net.target);
        json_integer(&w, "batch", net.batch);
        json_double(&w, "train_spread", times_spread(train));
        json_double(&w, "eval_spread", times_spread(eval));
        json_close(&w);
        json_newline(&w);
        json_end(&w);
        json_free(&w);
    } else {
        printf("training step  %9.3f ms  %8.1f GFLOP/s by direct convolution, %.0f %% of the peak\n", train.median, reached, 100 * reached / peak);
        printf("forward pass   %9.3f ms\n", eval.median);
        printf("step           %9.3f GFLOP, batch %d\n", gflop, net.batch);
        printf("peak           %9.1f GFLOP/s, %d thread%s, %s\n", peak, o->threads * ranks_count(), o->threads * ranks_count() == 1 ? "" : "s", net.target);
        printf("memory         %9.1f MB\n", rss);
    }
    say_if_wide("training steps", train);
    say_if_wide("forward passes", eval);
    data_close(&data);
    net.close();
    return FINE;
}
