/* check.c -- the command `check`: the gradients of this program against central differences of its own loss.
 *
 * At jittered weights, with dropout on (a net with batch norms: off, at the statistics of the batch), one parameter element at a time is moved by +h and -h.  A difference counts only
 * if no discrete decision (ReLU mask, side of a formula's kink, pool winner, pixel) changes between the two points; else another element is drawn, and a
 * smaller h.  h becomes larger when the loss's rounding over h is large beside the gradient.  Few examples are used at once:
 * with more, more decisions lie near a kink.  Sums over lanes and groups, which a small batch does not have, are checked
 * without differences: the gradient of a whole batch must be the mean of those of its two uneven parts. */
#include "files/json.h"
#include "inspect/inspect.h"
#include "rng.h"
#include "run/culprit.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/norms.h"
#include "run/weights.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef SPN_DOUBLE
static const double EPSILON = DBL_EPSILON, FIRST_STEP = 1e-3, RELATIVE = 1e-6, OF_LARGEST = 1e-7, PARTS_BOUND = 1e-11;
enum { EXAMPLES = 2, NOISE = 16 };
#else
static const double EPSILON = FLT_EPSILON, FIRST_STEP = 0.1, RELATIVE = 5e-3, OF_LARGEST = 2e-3, PARTS_BOUND = 1e-4;
enum { EXAMPLES = 1, NOISE = 16 };
#endif
enum { WANTED = 24, CONTEST = 8, MEASURED = 8 };             /* MEASURED: examples where batch norms measure them: two would be -1 and 1 in each channel */
static const double SECONDS = 40, DROWNED = 0.25;           /* DROWNED, of the gradient: no step h with more rounding */
enum { CHECK = 0x63686563, JITTER = 0x6a697474 };            /* "chec", "jitt": first numbers of random keys */

/* The comparison with the largest error in terms of its bound. */
typedef struct { size_t index; double gradient, difference, bound, ratio; } Comparison;
typedef struct {
    Comparison worst;
    int tested, redrawn, failed;
    double step;                               /* h relative to the weight: small enough for kinks, large enough for rounding */
} Result;

typedef struct { uint64_t key, count; } Draws;
static double draw(Draws *d) { return rng_uniform(d->key, d->count++); }

static void note(Result *r, Comparison c)
{
    c.ratio = c.bound > 0 ? fabs(c.gradient - c.difference) / c.bound : c.gradient == c.difference ? 0 : INFINITY;
    if (isnan(c.ratio))
        c.ratio = INFINITY;
    if (!r->tested++ || c.ratio > r->worst.ratio)
        r->worst = c;
    r->failed += c.ratio > 1;
}

/* Moves the weights away from their start: zero biases and identity transforms lie on kinks. */
static void jitter(real *block, uint64_t seed)
{
    for (int k = 0; k < net.param_count; k++) {
        const NetParam *p = &net.params[k];
        double fan_in = p->rank > 1 ? (double)p->count / p->shape[0] : 1;
        double most = p->rank > 1 ? 0.2 / sqrt(fan_in) : p->init == INIT_IDENTITY_AFFINE ? 0.05 : 0.1;
        for (size_t i = 0; i < p->count; i++)
            block[weights_index(p, i)] += (real)(most * (2 * rng_uniform(rng_key(seed, JITTER, (uint64_t)k, 0, 0), i) - 1));
    }
}

/* ---- how small a gradient may be ---------------------------------------------------------------------------------- */

/* What an operator's gradients of parameters are summed of, in one pass over the batch: its largest operand and result, and how many terms. */
typedef struct { const char *op; double x, y, terms; bool written; } Sum;
/* Of a parameter: what rounding may leave of a gradient that is 0 because terms cancel, in its own sum or in one before it, epsilon for each term of the
 * size of the net's largest gradient; and what the rounding of the operator's results does to the loss, which is all that a difference sees then. */
typedef struct { double gradient, loss; } Floor;
typedef struct { Sum *list; int count, room; Floor *floor; double largest; } Sums;   /* largest: of all gradients of values */

static Sum *sum_of(Sums *s, const char *op)
{
    for (int i = s->count - 1; i >= 0; i--)
        if (!strcmp(s->list[i].op, op))
            return &s->list[i];
    if (s->count == s->room) {
        s->room = 2 * s->room + 64;
        s->list = realloc(s->list, (size_t)s->room * sizeof *s->list);
        if (!s->list)
            fail(ENVIRONMENT, "no memory for a check");
    }
    s->list[s->count] = (Sum){ .op = op, .x = 1 };
    return &s->list[s->count++];
}

/* Is this tensor of the program the gradient of a parameter, or a group's part of it?  Of front.conv1.bias: that name, or d_front_conv1_bias_part. */
static bool is_gradient_of(const char *tensor, const char *parameter)
{
    if (!strcmp(tensor, parameter))
        return true;
    if (strncmp(tensor, "d_", 2))
        return false;
    for (tensor += 2; *parameter && *tensor == (*parameter == '.' ? '_' : *parameter); parameter++)
        tensor++;
    return !*parameter && !strcmp(tensor, "_part");
}

static int see_sum(void *to, const Look *l)
{
    Sums *s = to;
    const bool forward = !strcmp(l->pass, "forward"), weights = !strcmp(l->pass, "weights");
    double largest = 0;
    for (size_t i = 0; i < l->count; i++)
        largest = fmax(largest, fabs((double)l->values[i]));
    if (!forward && !strncmp(l->tensor, "d_", 2))
        s->largest = fmax(s->largest, largest);
    if (!weights && !(forward && l->written))
        return 0;
    Sum *sum = sum_of(s, l->op);
    for (int k = 0; k < net.param_count && weights && l->written; k++)
        if (is_gradient_of(l->tensor, net.params[k].name)) {
            s->floor[k].gradient += EPSILON * sum->terms * sum->x;
            s->floor[k].loss += 4 * EPSILON * sum->terms * sum->y;
        }
    if (weights && sum->written && !l->written) /* the next group's, or the next step's */
        sum->terms = 0;
    sum->written = weights && l->written;
    if ((weights && l->written) || !l->slot)
        return 0;
    if (forward) {
        sum->y = fmax(sum->y, largest);
    } else if (strncmp(l->tensor, "d_", 2)) {
        sum->x = fmax(sum->x, largest);
    } else {
        sum->terms += (double)l->count / (l->rank && l->shape[0] ? l->shape[0] : 1);
    }
    return 0;
}

/* By parameter. */
static Floor *floors(Data *data)
{
    Sums s = { .floor = need_memory((size_t)net.param_count * sizeof *s.floor, "a check") };
    Batch batch = { .statistics = 1 };
    data_batch(&batch, data, NULL, 0);
    if (net.replay)
        net.replay(&batch, see_sum, &s);
    for (int k = 0; k < net.param_count; k++)
        s.floor[k].gradient *= s.largest, s.floor[k].loss *= s.largest;
    free(s.list);
    return s.floor;
}

/* ---- differences ------------------------------------------------------------------------------------------------ */

typedef struct {
    Batch batch;
    uint64_t decisions;                        /* of the unmoved weights */
    double noise;                              /* what rounding may do to the loss */
} Point;

/* The loss is no more exact than the values it is computed from: most enter it with factors up to 1, those of a mean square with
 * factors of their own size. */
static double loss_noise(const Batch *batch)
{
    double noise = 0;
    for (int i = 0; i < net.loss_count; i++) {
        const NetLoss *l = &net.losses[i];
        if (l->value < 0)                      /* inputs and targets: they do not move with the weights */
            continue;
        const NetValue *v = &net.values[l->value];
        double largest = 0;
        for (int n = 0; n < batch->count; n++)
            for (int step = 0; step < (v->steps ? v->steps : 1); step++)
                for (size_t e = 0; e < v->count; e++)
                    largest = fmax(largest, fabs((double)net.activations()[value_index(v, n, step, e)]));
        noise += fabs(l->weight) * EPSILON * largest * (l->growth == GROWS_SQUARED ? 1 + 2 * largest : 1);
    }
    return NOISE * noise + 16 * DBL_EPSILON;
}

/* Moves one weight by +h and -h; false if a decision changed.  Divides by the step that rounding has left. */
static bool difference(double *slope, const Point *at, real *weight, double h)
{
    real was = *weight, up = (real)((double)was + h), down = (real)((double)was - h);
    *weight = up;
    double above = net.forward(&at->batch, NULL);
    bool same = net.decisions() == at->decisions;
    if (same) {
        *weight = down;
        double below = net.forward(&at->batch, NULL);
        same = net.decisions() == at->decisions;
        *slope = (above - below) / ((double)up - (double)down);
    }
    *weight = was;
    return same;
}

typedef enum { TOLD, KINK, ROUNDING } Outcome;

/* Moves one element by `relative` of its size; by less if the error may be curvature.  TOLD: *c is filled. */
static Outcome compare(Comparison *c, const Point *at, real *weight, double gradient, double largest, const Floor *floor, double relative)
{
    double h = relative * (fabs((double)*weight) > 0.05 ? fabs((double)*weight) : 0.05), slope;
    const bool zero = largest <= floor->gradient;
    double noise = at->noise + (zero ? floor->loss : 0), seen = zero ? 0 : fabs(gradient) > 0.2 * largest ? fabs(gradient) : 0.2 * largest;
    Outcome outcome = ROUNDING;
    for (; !seen || noise / h <= DROWNED * seen; h /= 4) {
        if (!difference(&slope, at, weight, h))         /* a larger h that saw no change may have crossed this kink twice */
            return outcome == TOLD && c->ratio <= 1 ? TOLD : KINK;
        double size = fabs(slope) > fabs(gradient) ? fabs(slope) : fabs(gradient);
        double bound = RELATIVE * size + OF_LARGEST * largest + (zero ? floor->gradient : 0) + noise / h, ratio = fabs(slope - gradient) / bound;
        if (outcome != TOLD || ratio < c->ratio)
            c->gradient = gradient, c->difference = slope, c->bound = bound, c->ratio = ratio;
        outcome = TOLD;
        if (ratio <= 0.5 || !seen)
            break;
    }
    return outcome;
}

/* Any element half of the time, else the one with the largest gradient of a few: small gradients test little. */
static size_t draw_element(const NetParam *p, const real *gradients, Draws *d)
{
    size_t index = (size_t)(draw(d) * (double)p->count);
    for (int i = 1, contest = draw(d) < 0.5 ? 1 : CONTEST; i < contest; i++) {
        size_t other = (size_t)(draw(d) * (double)p->count);
        if (fabs((double)gradients[weights_index(p, other)]) > fabs((double)gradients[weights_index(p, index)]))
            index = other;
    }
    return index;
}

/* Draws elements until one was compared or crossed a kink, or rounding is too large even at the largest step. */
static void check_param(Result *r, const NetParam *p, const Point *at, const Floor *floor, Draws *d)
{
    const real *gradients = net.gradients();
    double largest = 0;
    for (size_t i = 0; i < p->count; i++)
        largest = fmax(largest, fabs((double)gradients[weights_index(p, i)]));
    for (Outcome outcome = ROUNDING; outcome == ROUNDING && r->tested < WANTED; ) {
        size_t index = draw_element(p, gradients, d), place = weights_index(p, index);
        Comparison c = { .index = index };
        bool largest_step = r->step >= FIRST_STEP;
        outcome = compare(&c, at, net.weights() + place, (double)gradients[place], largest, floor, r->step);
        if (outcome == TOLD)
            note(r, c);
        else
            r->redrawn++;
        r->step = fmin(FIRST_STEP, r->step * (outcome == KINK ? 0.2 : 2));
        if (outcome == ROUNDING && largest_step)
            break;
    }
}

/* Returns true if time ran out before every parameter had all its moves. */
static bool check_differences(Result *results, Data *data, const Floor *floor, uint64_t seed)
{
    Draws draws = { .key = rng_key(seed, CHECK, 0, 0, 0) };
    double end = seconds_now() + SECONDS;
    bool wanted = true;
    double step = FIRST_STEP;
    real *kept = net.held_reals ? need_memory(net.held_reals * sizeof *kept, "a check") : NULL;
    for (int round = 0; wanted && round < 20 * WANTED && seconds_now() < end; round++) {
        /* epoch: beyond any ramp of dropout */
        Held held = { .values = kept };
        Point at = { .batch = { .held = kept ? &held : NULL, .train = !net.norm_count, .statistics = 1, .seed = seed, .step = (uint64_t)round, .epoch = 1e6 } };
        const int examples = net.norm_count ? MEASURED : EXAMPLES;
        const int64_t begins = net.norm_count && data->examples >= examples ? data->examples - examples + 1 : net.norm_count ? 1 : data->examples;
        data_batch(&at.batch, data, NULL, round * examples % begins);
        at.batch.count = at.batch.count < examples ? at.batch.count : examples;
        net.forward(&at.batch, NULL);
        at.decisions = net.decisions();
        at.noise = loss_noise(&at.batch);
        net.backward(&at.batch);
        held.taken = 1;
        wanted = false;
        for (int k = 0; k < net.param_count && seconds_now() < end; k++) {
            if (net.params[k].frozen)
                continue;
            if (!round)                        /* starts with the step found for the parameter before */
                results[k].step = step;
            check_param(&results[k], &net.params[k], &at, &floor[k], &draws);
            step = results[k].step;
            wanted |= results[k].tested < WANTED;
        }
    }
    free(kept);
    return wanted && seconds_now() >= end;
}

/* ---- parts of a batch --------------------------------------------------------------------------------------------- */

/* The gradient of `count` examples from `first` on, times count / all, added to sum[net.block]; largest element of each
 * parameter in largest[param_count]. */
static void add_part(double *sum, double *largest, Data *data, int first, int count, int all)
{
    Batch batch = { .undrawn = 1 };
    data_batch(&batch, data, NULL, first);
    batch.count = count;
    net.forward(&batch, NULL);
    net.backward(&batch);
    for (int k = 0; k < net.param_count; k++)
        for (size_t i = 0; i < net.params[k].count; i++) {
            size_t place = weights_index(&net.params[k], i);
            double g = (double)net.gradients()[place] * count / all;
            sum[place] += g;
            largest[k] = fmax(largest[k], fabs(g));
        }
}

/* True if a loss is divided by the labels that count: its mean over a batch is then not that of the means over parts. */
static bool divides_by_labels(void)
{
    for (int i = 0; i < net.loss_count; i++)
        if (net.losses[i].count)
            return true;
    return false;
}

/* Uneven parts, so that every example of the second comes to lie in another lane and group. */
static void check_parts(Result *results, Data *data, const Floor *floor)
{
    int all = data->examples < net.batch ? (int)data->examples : net.batch, part = all * 3 / 8 + (all > 1);
    if (all < 2 || divides_by_labels())
        return;
    double *sum = need_memory(net.block * sizeof *sum, "a check"), *whole = need_memory(net.block * sizeof *whole, "a check");
    double *largest = need_memory((size_t)net.param_count * sizeof *largest, "a check");
    add_part(sum, largest, data, 0, part, all);
    add_part(sum, largest, data, part, all - part, all);
    add_part(whole, largest, data, 0, all, all);
    for (int k = 0; k < net.param_count; k++)
        for (size_t i = 0; i < net.params[k].count; i++) {
            size_t place = weights_index(&net.params[k], i);
            if (!net.params[k].frozen)
                note(&results[k], (Comparison){ i, whole[place], sum[place], PARTS_BOUND * largest[k] + (largest[k] <= floor[k].gradient ? floor[k].gradient : 0), 0 });
        }
    free(largest);
    free(whole);
    free(sum);
}

/* ---- report ----------------------------------------------------------------------------------------------------- */

static char *element_name(char *text, size_t room, const NetParam *p, size_t index)
{
    size_t n = (size_t)snprintf(text, room, "%s", p->name), rest = p->count;
    for (int r = 0; r < p->rank && n < room; r++) {
        rest /= (size_t)p->shape[r];
        n += (size_t)snprintf(text + n, room - n, "[%zu]", index / rest);
        index %= rest;
    }
    return text;
}

static int report_failures(const Result *results, const char *against)
{
    int failed = 0;
    for (int k = 0; k < net.param_count; k++) {
        const Comparison *c = &results[k].worst;
        char name[300];
        if (!results[k].failed)
            continue;
        failed++;
        fprintf(stderr, "%s: error: gradient of %s (index %zu): %.9g, %s %.9g, apart by %.3g, bound %.3g (%d of %d out of bounds)\n",
                net.name, element_name(name, sizeof name, &net.params[k], c->index), c->index, c->gradient, against, c->difference,
                fabs(c->gradient - c->difference), c->bound, results[k].failed, results[k].tested);
    }
    return failed;
}

static void write_result(JsonWriter *w, const char *key, const Result *r)
{
    json_object(w, key);
    json_integer(w, "tested", r->tested);
    json_integer(w, "redrawn", r->redrawn);
    json_integer(w, "failed", r->failed);
    if (r->tested) {
        json_integer(w, "index", (int64_t)r->worst.index);
        json_double(w, "gradient", r->worst.gradient);
        json_double(w, "difference", r->worst.difference);
        json_double(w, "bound", r->worst.bound);
    }
    json_close(w);
}

static void print_json(const Result *differences, const Result *parts, bool passed)
{
    JsonWriter w;
    json_begin(&w, stdout);
    json_object(&w, NULL);
    json_bool(&w, "passed", passed);
    json_string(&w, "precision", net.precision);
    json_array(&w, "parameters");
    for (int k = 0; k < net.param_count; k++) {
        json_object(&w, NULL);
        json_string(&w, "name", net.params[k].name);
        write_result(&w, "central_differences", &differences[k]);
        write_result(&w, "parts_of_a_batch", &parts[k]);
        json_close(&w);
    }
    json_close(&w);
    json_close(&w);
    json_newline(&w);
    json_end(&w);
    json_free(&w);
}

static void print_table(const Result *results, bool made_up)
{
    printf("%-32s %7s %8s %14s %14s %10s\n", "worst of each parameter", "tested", "redrawn", "gradient", "difference", "of bound");
    for (int k = 0; k < net.param_count; k++) {
        const Result *r = &results[k];
        printf("%-32s %7d %8d ", net.params[k].name, r->tested, r->redrawn);
        if (net.params[k].frozen)
            printf("  frozen: it has no gradient\n");
        else if (r->tested)
            printf("%14.6g %14.6g %8.0f %%\n", r->worst.gradient, r->worst.difference, 100 * r->worst.ratio);
        else
            printf("  untested: each move crossed a kink or drowned in rounding; another --seed moves elsewhere%s%s\n",
                   strcmp(net.precision, "double") ? ", a build with --precision double tells more" : "",
                   made_up ? "" : ", made-up examples (no --data) have no even surfaces, on which pools tie");
    }
}

/* No difference of a NaN is out of any bound. */
static void need_finite(Data *data)
{
    char text[4800];
    Batch batch = { 0 };
    data_batch(&batch, data, NULL, 0);
    if (!culprit_data_is_finite(text, sizeof text, data, &batch))
        fail(WRONG_INPUT, "%s", text);
}

int command_check(const Options *o)
{
    Data data;
    uint64_t seed = o->seed_given ? o->seed : net.training->seed;
    size_t bytes = (size_t)net.param_count * sizeof(Result);
    Result *differences = need_memory(bytes, "a check"), *parts = need_memory(bytes, "a check");
    if (o->data)
        data_open(&data, o->data, "train", true);
    else
        data_made_up(&data, net.batch, seed);
    need_finite(&data);
    norms_check_batch(data.examples < net.batch ? data.examples : net.batch);
    open_net(o->threads);
    weights_init(net.weights(), seed);
    jitter(net.weights(), seed);
    Floor *floor = floors(&data);
    check_parts(parts, &data, floor);
    bool cut_short = check_differences(differences, &data, floor, seed);
    free(floor);
    if (!o->json)
        print_table(differences, !o->data);
    int untested = 0, failed = report_failures(differences, "central difference") + report_failures(parts, "mean over two parts of the batch");
    for (int k = 0; k < net.param_count; k++)
        untested += !differences[k].tested && !net.params[k].frozen;
    if (o->json)
        print_json(differences, parts, !failed);
    else if (cut_short)
        printf("stopped looking for elements to test after %.0f s: another run, or a busier machine, may test others\n", SECONDS);
    if (!o->json && untested)
        printf("check %s; %d of %d parameters untested by differences\n", failed ? "failed" : "passed", untested, net.param_count);
    else if (!o->json)
        printf("check %s\n", failed ? "failed" : "passed");
    data_close(&data);
    net.close();
    free(parts);
    free(differences);
    return failed ? WRONG_INPUT : FINE;
}
