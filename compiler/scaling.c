/* scaling.c -- `spnc show --scaling`: what a training step would gain from more threads, phase by phase, and what stands in the way.
 *
 * In: the planned graph.  Out: text or JSON.  The model: a call takes the longer of its multiply-adds and its bytes, at the rates below; a phase is
 * cut into equal pieces, of which a thread takes one at a time, so that P threads need the time of ceil(pieces / P) of them; then they wait at a
 * barrier.  Pieces of a phase of groups are the groups (all steps at once: groups x steps); of an operator for the whole batch, what its template cuts.
 * Not in it: a memory shared by the threads, and clocks that fall when many cores work. */
#include "show.h"
#include "escape.h"
#include <math.h>
#include <string.h>

/* Of one thread, such that the nine nets of Table 1 come within a tenth of their measured steps (bench/where.json: EPYC of family 26, AVX-512, float). */
static const double PRODUCT_RATE = 75e9, BYTE_RATE = 35e9;      /* a second */
static const double BARRIER = 1e-6;                          /* seconds, times log2 of the threads */
enum { THREADS = 7, MANY = 1 << 20 };
static const int threads[THREADS] = { 1, 2, 4, 8, 16, 32, 64 };

typedef struct {
    const char *pass, *kind, *ops;
    bool whole;
    int steps;               /* rounds, each with its pieces and its barriers */
    int64_t pieces;          /* of a round: the fewest of its operators', if they are shared out one by one */
    double products, bytes;  /* of a step, as Cost has them */
    int barriers;            /* of a step */
    double seconds[THREADS];
} Part;

typedef struct { Part *parts; int count, barriers; double seconds[THREADS]; } Scaling;

/* How many pieces a whole-batch operator is cut into; see its template. */
static int64_t pieces_of(const Model *m, const Phase *p, const Op *op)
{
    const Op *f = op->of ? op->of : op;
    int64_t slices = m->groups * (p->kind == AFTER ? p->repeat->steps : 1);
    if (f->kind == OP_conv && (op->pass == PREPARE || op->pass == FINISH)) {
        int64_t C = f->weights[0]->shape.dim[1], M = f->weights[0]->shape.dim[0];        /* a row of U each: winograd.c */
        return (C + 15) / 16 * M <= (M + 15) / 16 * C ? M : C;
    }
    if (f->kind != OP_dense)
        return MANY;
    int64_t in = shape_count(&f->reads[0].tensor->shape), panels = (op_int(f, "units") + 47) / 48, rows = (in + 7) / 8;
    int64_t chunk = rows / 8 < 1 ? 1 : rows / 8 > 16 ? 16 : rows / 8;                    /* rows of tiles that go together */
    if (op->pass == FORWARD)
        return panels * ((slices + (16 + panels - 1) / panels - 1) / ((16 + panels - 1) / panels));
    return (rows + chunk - 1) / chunk * (op->pass == BACKWARD ? (slices + 2) / 3 : panels);
}

/* Rounds of `pieces` equal pieces that take `seconds` in all on one thread, on n threads. */
static double shared_out(double seconds, int64_t pieces, int n)
{
    return seconds * (double)((pieces + n - 1) / n) / (double)pieces;
}

static double call_seconds(Cost c) { return fmax(c.products / PRODUCT_RATE, c.bytes / BYTE_RATE); }

static void part_of(Model *m, Part *part, const Phase *p, bool backward)
{
    static const char *const kinds[] = { [ONCE] = "once", [CORE] = "each step", [CORE_BACKWARD] = "each step", [AFTER] = "all steps at once" };
    bool loop = p->kind == CORE || p->kind == CORE_BACKWARD;
    Text names = { .arena = m->arena };
    *part = (Part){ .pass = backward ? "backward" : "forward", .kind = kinds[p->kind], .whole = p->whole_batch, .steps = loop ? p->repeat->steps : 1 };
    part->barriers = p->barrier ? part->steps : 0;
    part->pieces = p->whole_batch ? MANY : m->groups * (p->kind == AFTER ? p->repeat->steps : 1);
    double group = 0;
    for (int k = 0; k < p->ops.count; k++) {
        const Op *op = p->ops.items[k];
        Cost c = op_cost(m, p, op);
        int64_t pieces = p->whole_batch ? pieces_of(m, p, op) : part->pieces;
        part->products += c.products;
        part->bytes += c.bytes;
        part->pieces = pieces < part->pieces ? pieces : part->pieces;
        if (!strstr(names.text ? names.text : "", op->name))
            text_printf(&names, "%s%s", names.length ? ", " : "", op->name);
        if (p->whole_batch)
            for (int i = 0; i < THREADS; i++)
                part->seconds[i] += shared_out(call_seconds(c), pieces, threads[i]);
        else
            group += call_seconds(c);
    }
    for (int i = 0; i < THREADS; i++)
        part->seconds[i] += (p->whole_batch ? 0 : shared_out(group, part->pieces, threads[i])) + part->barriers * BARRIER * log2(threads[i]);
    part->ops = names.text ? names.text : "";
}

static Scaling *predict(Model *m)
{
    Scaling *s = NEW(m->arena, Scaling);
    s->parts = NEW_ARRAY(m->arena, Part, m->forward_phases.count + m->backward_phases.count + 1);
    for (int pass = 0; pass < 2; pass++) {
        const List *phases = pass ? &m->backward_phases : &m->forward_phases;
        for (int i = 0; i < phases->count; i++)
            part_of(m, &s->parts[s->count++], phases->items[i], pass);
    }
    Part *update = &s->parts[s->count++];
    int states = m->train.optimiser[0] == 'a' ? 2 : m->train.optimiser[0] == 's' && m->train.momentum == 0 ? 0 : 1;
    *update = (Part){ .pass = "update", .kind = "once", .whole = true, .steps = 1, .pieces = MANY, .barriers = 2, .ops = m->train.optimiser,
                      .bytes = (double)m->block_reals * (m->options.is_double ? 8 : 4) * (4 + 2 * states) };
    for (int i = 0; i < THREADS; i++)
        update->seconds[i] = update->bytes / BYTE_RATE / threads[i] + update->barriers * BARRIER * log2(threads[i]);
    for (int k = 0; k < s->count; k++) {
        s->barriers += s->parts[k].barriers;
        for (int i = 0; i < THREADS; i++)
            s->seconds[i] += s->parts[k].seconds[i];
    }
    return s;
}

/* Time of a step on 64 threads during which somebody has nothing to do, by phases of groups, by phases cut into fewer pieces than that, at barriers. */
static void limits(Text *out, const Model *m, const Scaling *s, const char *begin, const char *end)
{
    enum { LAST = THREADS - 1 };
    double groups = 0, few = 0, barriers = s->barriers * BARRIER * log2(threads[LAST]), all = s->seconds[LAST];
    int64_t most = 0;
    const Part *worst = NULL;
    for (int k = 0; k < s->count; k++) {
        const Part *p = &s->parts[k];
        double lost = p->seconds[LAST] - p->barriers * BARRIER * log2(threads[LAST]) - p->seconds[0] / threads[LAST];
        *(p->whole ? &few : &groups) += lost;
        if (p->whole && (!worst || lost > worst->seconds[LAST] - worst->seconds[0] / threads[LAST]))
            worst = p;
        most = !p->whole && p->pieces > most ? p->pieces : most;
    }
    if (groups > 0.01 * all)
        text_printf(out, "%sgroups: %.0f %% of the step: %d group%s of %d examples, at most %lld piece%s in a phase%s%s", begin, 100 * groups / all, m->groups, m->groups == 1 ? "" : "s",
                    m->lanes, (long long)most, most == 1 ? "" : "s", m->groups % threads[LAST] ? arena_printf(m->arena, "; --batch %d has %d groups", threads[LAST] * m->lanes, threads[LAST]) : "", end);
    if (few > 0.01 * all)
        text_printf(out, "%swhole-batch operators: %.0f %%: cut into too few pieces, most of all %s (%lld)%s", begin, 100 * few / all, worst->ops, (long long)worst->pieces, end);
    if (barriers > 0.01 * all)
        text_printf(out, "%sbarriers: %.0f %%: %d of them%s", begin, 100 * barriers / all, s->barriers, end);
}

void scaling_text(Text *out, Model *m)
{
    const Scaling *s = predict(m);
    text_printf(out, "%s: a training step of %lld examples (%d group%s of %d), %s, by a model: %.0f thousand million multiply-adds or %.0f GB a second and thread,\n"
                     "whichever takes longer, and %.0f us at a barrier, times log2 of the threads\n\n  %-9s %-18s %6s %7s %9s %9s %8s %8s  %s\n", m->name, (long long)m->batch, m->groups,
                m->groups == 1 ? "" : "s", m->lanes, m->options.is_double ? "double" : "float", PRODUCT_RATE / 1e9, BYTE_RATE / 1e9, 1e6 * BARRIER, "pass", "runs", "pieces", "waits",
                "M products", "MB", "ms", "ms on 64", "operators");
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
    limits(out, m, s, "  ", "\n");
}

void scaling_json(Text *out, Model *m)
{
    const Scaling *s = predict(m);
    text_printf(out, "{\"model\":");
    json_put(out, m->name);
    text_printf(out, ",\"batch\":%lld,\"groups\":%d,\"lanes\":%d,\"multiply_adds_per_second\":%.17g,\"bytes_per_second\":%.17g,\"barrier_seconds\":%.17g,\"barriers\":%d,\"phases\":[",
                (long long)m->batch, m->groups, m->lanes, PRODUCT_RATE, BYTE_RATE, BARRIER, s->barriers);
    for (int k = 0; k < s->count; k++) {
        const Part *p = &s->parts[k];
        text_printf(out, "%s{\"pass\":\"%s\",\"runs\":\"%s\",\"whole_batch\":%s,\"steps\":%d,\"pieces\":%s,\"products\":%.17g,\"bytes\":%.17g,\"barriers\":%d,\"operators\":", k ? "," : "",
                    p->pass, p->kind, p->whole ? "true" : "false", p->steps, p->pieces == MANY ? "null" : arena_printf(m->arena, "%lld", (long long)p->pieces),
                    p->products, p->bytes, p->barriers);
        json_put(out, p->ops);
        text_printf(out, ",\"ms\":[");
        for (int i = 0; i < THREADS; i++)
            text_printf(out, "%s%.9g", i ? "," : "", 1e3 * p->seconds[i]);
        text_printf(out, "]}");
    }
    text_printf(out, "],\"threads\":[");
    for (int i = 0; i < THREADS; i++)
        text_printf(out, "%s{\"threads\":%d,\"ms\":%.9g,\"speedup\":%.9g}", i ? "," : "", threads[i], 1e3 * s->seconds[i], s->seconds[0] / s->seconds[i]);
    text_printf(out, "]}\n");
}
