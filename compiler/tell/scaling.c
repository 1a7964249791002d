/* scaling.c -- `spnc show --scaling`: the time of a training step on more threads, phase by phase, and what limits it.
 *
 * In: a Deck: the planned graph and its emitted C.  Out: text or JSON.  The model: a call takes the longer of the times of its
 * multiply-adds and of its bytes, at the rates below; a phase is cut into equal pieces, of which a thread takes one at a time, so that P
 * threads need the time of ceil(pieces / P) of them; then they wait at a barrier; without a barrier, a thread with no piece left begins the
 * next phase.  The pieces of a phase of groups are the groups (all steps at once: groups x steps); those of a whole-batch operator are
 * counted in the C, since they depend on target, batch and tuning.
 * Not in it: a memory shared by the threads, clocks that fall when many cores work, and pieces that are not quite equal. */
#include "base/json.h"
#include "emit/call.h"
#include "read/language.h"
#include "tell/show.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of one thread, float: fitted to the nine nets of Table 1 as bench/results/where.json has them (EPYC of family 26, AVX-512, peak 145e9 multiply-adds a second),
 * whose steps they give within 9 %.  Direct convolution is in none of them; it gets what the form with its pool reaches. */
typedef enum { WINOGRAD, WINOGRAD_WEIGHTS, DIRECT, POOL_GRADIENTS, DENSE, DENSE_GRADIENTS, SAMPLER, FOLDING, MOVING, KINDS } Kind;
static const struct { const char *name; double products, bytes; } rates[KINDS] = {      /* thousand millions a second; products 0: it makes none */
    [WINOGRAD] = { "Winograd", 82, 55 }, [WINOGRAD_WEIGHTS] = { "its weight gradient", 58, 55 },
    [DIRECT] = { "direct convolution", 92, 55 }, [POOL_GRADIENTS] = { "gradients of one with its pool", 28, 55 },
    [DENSE] = { "dense", 84, 55 }, [DENSE_GRADIENTS] = { "its gradients", 114, 55 },
    [SAMPLER] = { "the sampler", 0, 18 }, [FOLDING] = { "folds", 0, 27 }, [MOVING] = { "all else", 0, 55 },
};
static const double BARRIER = 1e-6;                          /* seconds, times log2 of the threads; an assumption, not measured */
enum { THREADS = 7, MANY = 1 << 20, FOLD_WIDE = 8 * 16 };    /* FOLD_WIDE: reals that fold() takes at a time, net.c.in */
static const int threads[THREADS] = { 1, 2, 4, 8, 16, 32, 64 };

typedef struct {
    const char *pass, *kind, *ops;
    bool whole;
    int steps;               /* rounds, each with its pieces and its barriers */
    int64_t pieces;          /* of a round: the smallest number of its operators, if each is divided by itself */
    double products, bytes;  /* of a step, as Cost has them */
    int barriers;            /* of a step */
    double seconds[THREADS];
} Part;

typedef struct { Part *parts; int count, barriers; double seconds[THREADS]; } Scaling;

/* ---- how the C cuts an operator for the whole batch --------------------------------------------------------------------- */

typedef struct { int64_t pieces; int barriers; } Cut;        /* barriers inside of the function */

/* Rounds of `for (int t = 0; t < 27; t++)`, `r += 16` or `r += L`; 0 if it does not begin at 0 or has no number for an end. */
static int64_t rounds(const char *line, const char *end)
{
    char text[256], *stop;
    size_t n = (size_t)(end - line) < sizeof text ? (size_t)(end - line) : sizeof text - 1;
    memcpy(text, line, n);
    text[n] = 0;
    const char *from = strstr(text, " = 0; "), *less = from ? strstr(from, " < ") : NULL, *add = less ? strstr(less, " += ") : NULL;
    int64_t to = less ? strtoll(less + 3, &stop, 10) : 0, by = !add ? 1 : add[4] == 'L' ? 16 : strtoll(add + 4, NULL, 10);
    return !less || *stop != ';' || to < 1 || by < 1 ? 0 : (to + by - 1) / by;
}

/* The last loop that the threads share has the products; those before it prepare operands or add up a bias. */
static Cut cut_of(const Deck *d, const Op *op)
{
    Cut cut = { MANY, 0 };
    if (op->pass == FOLD) {
        const Tensor *part = op->reads[0].tensor;
        int64_t size = part->space == RAW ? part->slot_reals : shape_count(&op->weights[0]->shape);
        cut.pieces = (size + FOLD_WIDE - 1) / FOLD_WIDE;
        return cut;
    }
    const Op *host = op->pass == FORWARD ? op : op->of;
    const Card *c = deck_card(d, host);
    const char *symbol = arena_printf(d->m->arena, "%s_%s", op_pass_function(op), call_ending(op));
    for (int i = 0; c && i < c->functions.count; i++) {
        const CardFunction *f = c->functions.items[i];
        for (int k = f->from; !strcmp(f->symbol, symbol) && k < f->to; k++) {
            const char *line = d->c_lines[k], *end = d->c_lines[k + 1], *shared = strstr(line, "#pragma omp for"), *columns = strstr(line, "gemm_columns(");
            int64_t n = shared && shared < end ? rounds(end, d->c_lines[k + 2]) : 0;
            const char *nowait = shared && shared < end ? strstr(shared, "nowait") : NULL;
            cut.pieces = n ? n : cut.pieces;
            cut.barriers += (shared && shared < end && !(nowait && nowait < end)) || (columns && columns < end);
        }
    }
    return cut;
}

/* Of update_pass and the functions of optimiser.h that it calls: the norm has two, the update and the end of the step one each. */
enum { UPDATE_BARRIERS = 4 };

/* ---- the model ------------------------------------------------------------------------------------------------------------ */

/* Rounds of `pieces` equal pieces that take `seconds` in all on one thread, on n threads. */
static double shared_out(double seconds, int64_t pieces, int n)
{
    return seconds * (double)((pieces + n - 1) / n) / (double)pieces;
}

static Kind kind_of(const Op *op)
{
    if (op->pass == FOLD)
        return FOLDING;
    if (op->kind == OP_spn)
        return SAMPLER;
    if (!op_multiplies(op))
        return MOVING;
    if (op->kernel.winograd)
        return op->pass == WEIGHTS || op->pass == PRODUCTS ? WINOGRAD_WEIGHTS : WINOGRAD;
    if (op->kind == OP_dense)
        return op->pass == FORWARD ? DENSE : DENSE_GRADIENTS;
    return op->kind == OP_conv_pool && op->pass != FORWARD ? POOL_GRADIENTS : DIRECT;
}

/* Doubles take half as many to a vector; that they take twice the bytes is in the Cost. */
static double call_seconds(const Model *m, const Op *op, Cost c)
{
    Kind k = kind_of(op);
    double products = rates[k].products ? 1e-9 * c.products / rates[k].products * (m->options.is_double ? 2 : 1) : 0;
    return fmax(products, 1e-9 * c.bytes / rates[k].bytes);
}

/* True if an operator before operator k has that name. */
static bool named_before(const Phase *p, int k)
{
    for (int i = 0; i < k; i++)
        if (!strcmp(((const Op *)p->ops.items[i])->name, ((const Op *)p->ops.items[k])->name))
            return true;
    return false;
}

/* Seconds that a whole-batch operator adds to a step, if the threads were idle for `idle` seconds in all since the last barrier. */
static double after_idle(double seconds, int64_t pieces, int n, double *idle)
{
    double filled = fmin(*idle, seconds);
    *idle -= filled;
    return filled < seconds ? shared_out(seconds - filled, (int64_t)ceil((double)pieces * (1 - filled / seconds)), n) : 0;
}

/* `idle`: for each number of threads, see after_idle. */
static void part_of(const Deck *d, Part *part, const Phase *p, bool backward, double idle[THREADS])
{
    Model *m = d->m;
    static const char *const kinds[] = { [ONCE] = "once", [CORE] = "each step", [CORE_BACKWARD] = "each step", [AFTER] = "all steps at once" };
    bool loop = p->kind == CORE || p->kind == CORE_BACKWARD;
    Text names = { .arena = m->arena };
    *part = (Part){ .pass = backward ? "backward" : "forward", .kind = kinds[p->kind], .whole = p->whole_batch, .steps = loop ? steps_all(p->repeat) / steps_all(p->from->outer) : 1 };
    part->barriers = p->barrier ? part->steps : 0;
    part->pieces = p->whole_batch ? MANY : m->groups * steps_at_once(p->kind, p->repeat, p->from);
    double group = 0;
    for (int k = 0; k < p->ops.count; k++) {
        const Op *op = p->ops.items[k];
        Cost c = op_cost(m, p, op);
        Cut cut = p->whole_batch ? cut_of(d, op) : (Cut){ part->pieces, 0 };
        part->products += c.products;
        part->bytes += c.bytes;
        part->pieces = cut.pieces < part->pieces ? cut.pieces : part->pieces;
        part->barriers += cut.barriers * part->steps;
        if (!named_before(p, k))
            text_printf(&names, "%s%s", names.length ? ", " : "", op->name);
        if (p->whole_batch)
            for (int i = 0; i < THREADS; i++)
                part->seconds[i] += after_idle(call_seconds(m, op, c), cut.pieces, threads[i], &idle[i]);
        else
            group += call_seconds(m, op, c);
    }
    for (int i = 0; i < THREADS; i++) {
        double groups = p->whole_batch ? 0 : shared_out(group, part->pieces, threads[i]);
        part->seconds[i] += groups + part->barriers * BARRIER * log2(threads[i]);
        idle[i] = p->barrier ? 0 : idle[i] + (p->whole_batch ? 0 : threads[i] * groups - group);
    }
    part->ops = names.text ? names.text : "";
}

static Scaling *predict(const Deck *d)
{
    Model *m = d->m;
    Scaling *s = NEW(m->arena, Scaling);
    s->parts = NEW_ARRAY(m->arena, Part, m->forward_phases.count + m->backward_phases.count + 1);
    for (int pass = 0; pass < 2; pass++) {
        const List *phases = pass ? &m->backward_phases : &m->forward_phases;
        double idle[THREADS] = { 0 };
        for (int i = 0; i < phases->count; i++)
            part_of(d, &s->parts[s->count++], phases->items[i], pass, idle);
    }
    Part *update = &s->parts[s->count++];
    *update = (Part){ .pass = "update", .kind = "once", .whole = true, .steps = 1, .pieces = MANY, .barriers = UPDATE_BARRIERS,
                      .ops = m->train.optimiser->map.name, .bytes = update_cost(m).bytes };
    update->barriers += (m->train.accumulate > 1) + (m->train.average > 0);
    for (int i = 0; i < THREADS; i++)
        update->seconds[i] = 1e-9 * update->bytes / rates[MOVING].bytes / threads[i] + update->barriers * BARRIER * log2(threads[i]);
    for (int k = 0; k < s->count; k++) {
        s->barriers += s->parts[k].barriers;
        for (int i = 0; i < THREADS; i++)
            s->seconds[i] += s->parts[k].seconds[i];
    }
    return s;
}

void scaling_seconds(const Deck *d, double *shared, double *dealt, double *repeated)
{
    *shared = *repeated = 0;
    *dealt = 1e-9 * update_cost(d->m).bytes / rates[MOVING].bytes;
    for (int pass = 0; pass < 2; pass++) {
        const List *phases = pass ? &d->m->backward_phases : &d->m->forward_phases;
        for (int i = 0; i < phases->count; i++) {
            const Phase *p = phases->items[i];
            for (int k = 0; k < p->ops.count; k++) {
                const Op *op = p->ops.items[k];
                const bool all = op->pass == PREPARE || op->pass == FINISH || (sums_kind(op) != SUM_NONE && sums_kind(op) != SUM_TREE);
                *(op->pass == PRODUCTS ? dealt : all ? repeated : shared) += call_seconds(d->m, op, op_cost(d->m, p, op));
            }
        }
    }
}

/* Prints the idle time of a step on 64 threads: of phases of groups, of phases with fewer pieces than threads, at barriers. */
static void limits(Text *out, const Model *m, const Scaling *s)
{
    enum { LAST = THREADS - 1 };
    double groups = 0, few = 0, barriers = s->barriers * BARRIER * log2(threads[LAST]), all = s->seconds[LAST];
    int64_t most = 0;
    const Part *worst = NULL;
    for (int k = 0; k < s->count; k++) {
        const Part *p = &s->parts[k];
        double lost = p->seconds[LAST] - p->barriers * BARRIER * log2(threads[LAST]) - p->seconds[0] / threads[LAST];
        *(p->whole && lost > 0 ? &few : &groups) += lost;              /* negative: done while other threads had a group */
        if (p->whole && (!worst || lost > worst->seconds[LAST] - worst->seconds[0] / threads[LAST]))
            worst = p;
        most = !p->whole && p->pieces > most ? p->pieces : most;
    }
    if (groups > 0.01 * all)
        text_printf(out, "  groups: %.0f %% of the step: %d group%s of %d examples, at most %lld piece%s in a phase%s\n", 100 * groups / all, m->groups, m->groups == 1 ? "" : "s",
                    m->lanes, (long long)most, most == 1 ? "" : "s", m->groups % threads[LAST] ? arena_printf(m->arena, "; --batch %d has %d groups", threads[LAST] * m->lanes, threads[LAST]) : "");
    if (few > 0.01 * all)
        text_printf(out, "  whole-batch operators: %.0f %%: cut into too few pieces, most of all %s (%lld)\n", 100 * few / all, worst->ops, (long long)worst->pieces);
    if (barriers > 0.01 * all)
        text_printf(out, "  barriers: %.0f %%: %d of them\n", 100 * barriers / all, s->barriers);
}

static double rate_of(const Model *m, Kind k) { return rates[k].products / (m->options.is_double ? 2 : 1); }

void scaling_text(Text *out, const Deck *d)
{
    Model *m = d->m;
    const Scaling *s = predict(d);
    text_printf(out, "%s: a training step of %lld examples (%d group%s of %d), %s, %s, by a model: the longer of multiply-adds and bytes, and %.0f us at a\n"
                     "barrier, times log2 of the threads.  Thousand million multiply-adds a second and thread:\n ", m->name, (long long)m->batch, m->groups, m->groups == 1 ? "" : "s", m->lanes,
                m->options.is_double ? "double" : "float", m->options.target, 1e6 * BARRIER);
    for (int k = 0; k < SAMPLER; k++)
        text_printf(out, "%s %s %.3g", k ? "," : "", rates[k].name, rate_of(m, k));
    text_printf(out, ".\nGB a second and thread: %s %.0f, %s %.0f, %s %.0f.  Fitted to steps measured with AVX-512: docs/performance.md\n\n  %-9s %-18s %6s %7s %9s %9s %8s %8s  %s\n", rates[SAMPLER].name,
                rates[SAMPLER].bytes, rates[FOLDING].name, rates[FOLDING].bytes, rates[MOVING].name, rates[MOVING].bytes, "pass", "runs", "pieces", "waits", "M products", "MB", "ms",
                "ms on 64", "operators");
    for (int k = 0; k < s->count; k++) {
        const Part *p = &s->parts[k];
        const char *runs = p->steps > 1 ? arena_printf(m->arena, "%s, %d", p->kind, p->steps) : p->kind;
        text_printf(out, "  %-9s %-18s %6s %7d %9.1f %9.2f %8.3f %8.3f  %.60s%s\n", p->pass, runs, p->pieces == MANY ? "even" : arena_printf(m->arena, "%lld", (long long)p->pieces),
                    p->barriers, p->products / 1e6, p->bytes / 1e6, 1e3 * p->seconds[0], 1e3 * p->seconds[THREADS - 1], p->ops, strlen(p->ops) > 60 ? "..." : "");
    }
    text_printf(out, "\n  %-12s", "threads");
    for (int i = 0; i < THREADS; i++)
        text_printf(out, " %8d", threads[i]);
    text_printf(out, "\n  %-12s", "ms a step");
    for (int i = 0; i < THREADS; i++)
        text_printf(out, " %8.2f", 1e3 * s->seconds[i]);
    text_printf(out, "\n  %-12s", "times faster");
    for (int i = 0; i < THREADS; i++)
        text_printf(out, " %8.2f", s->seconds[0] / s->seconds[i]);
    text_printf(out, "\n  %-12s", "busy, %");
    for (int i = 0; i < THREADS; i++)
        text_printf(out, " %8.0f", 100 * s->seconds[0] / s->seconds[i] / threads[i]);
    text_printf(out, "\n\nWhat stands in the way of %d threads:\n", threads[THREADS - 1]);
    limits(out, m, s);
}

void scaling_json(Text *out, const Deck *d)
{
    Model *m = d->m;
    const Scaling *s = predict(d);
    Json json = { .out = out, .form = JSON_TIGHT }, *j = &json;
    json_opens(j, NULL, '{');
    json_text(j, "model", m->name);
    json_int(j, "batch", m->batch);
    json_int(j, "groups", m->groups);
    json_int(j, "lanes", m->lanes);
    json_real(j, "barrier_seconds", BARRIER, 17);
    json_int(j, "barriers", s->barriers);
    json_opens(j, "rates", '[');
    for (int k = 0; k < KINDS; k++) {
        json_opens(j, NULL, '{');
        json_text(j, "kind", rates[k].name);
        json_real(j, "multiply_adds_per_second", 1e9 * rate_of(m, k), 17);
        json_real(j, "bytes_per_second", 1e9 * rates[k].bytes, 17);
        json_closes(j, '}');
    }
    json_closes(j, ']');
    json_opens(j, "phases", '[');
    for (int k = 0; k < s->count; k++) {
        const Part *p = &s->parts[k];
        json_opens(j, NULL, '{');
        json_text(j, "pass", p->pass);
        json_text(j, "runs", p->kind);
        json_word(j, "whole_batch", p->whole ? "true" : "false");
        json_int(j, "steps", p->steps);
        if (p->pieces == MANY)
            json_word(j, "pieces", "null");
        else
            json_int(j, "pieces", p->pieces);
        json_real(j, "products", p->products, 17);
        json_real(j, "bytes", p->bytes, 17);
        json_int(j, "barriers", p->barriers);
        json_text(j, "operators", p->ops);
        json_opens(j, "ms", '[');
        for (int i = 0; i < THREADS; i++)
            json_real(j, NULL, 1e3 * p->seconds[i], 9);
        json_closes(j, ']');
        json_closes(j, '}');
    }
    json_closes(j, ']');
    json_opens(j, "threads", '[');
    for (int i = 0; i < THREADS; i++) {
        json_opens(j, NULL, '{');
        json_int(j, "threads", threads[i]);
        json_real(j, "ms", 1e3 * s->seconds[i], 9);
        json_real(j, "speedup", s->seconds[0] / s->seconds[i], 9);
        json_closes(j, '}');
    }
    json_closes(j, ']');
    json_closes(j, '}');
    text_printf(out, "\n");
}
