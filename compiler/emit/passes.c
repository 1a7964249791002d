/* passes.c -- facts of the passes: phases with their loops and barriers, the calls of each, and the rows of a profile, one a call and one a wait.
 *
 * In: the phases of the plan.  Out: facts for pass.c.in, which net.c.in and inspect.c.in include.  Next: emit.c.
 * The one convention: rows are numbered in the order in which a step comes to them, forward first. */
#include "emit/passes.h"
#include "emit/call.h"
#include "emit/exchange.h"
#include "emit/loops.h"
#include "emit/tables.h"

static const char *row_pass(const Op *op)
{
    static const char *const names[] = { [FORWARD] = "forward", [BACKWARD] = "backward", [WEIGHTS] = "weights", [PRODUCTS] = "products", [FOLD] = "fold",
                                         [PREPARE] = "prepare", [FINISH] = "finish", [AGAIN] = "again" };
    return op->kind == OP_load || op->kind == OP_labels || op->kind == OP_augment ? "load" : names[op->pass];
}

int passes_row(Model *m, Fact *rows, int *count, const char *name, const char *pass, int phase, int line, bool whole, Cost c)
{
    fact_push_text(rows, arena_printf(m->arena, "\"%s\", \"%s\", .phase = %d%s%s%s%s", name, pass, phase, line ? arena_printf(m->arena, ", .yaml_line = %d", line) : "",
                                          whole ? ", .whole = 1" : "", c.macs != 0 ? arena_printf(m->arena, ", .macs = %.17g, .products = %.17g", c.macs, c.products) : "", c.bytes != 0 ? arena_printf(m->arena, ", .bytes = %.17g", c.bytes) : ""));
    return (*count)++;
}

/* Of several ranks: the exchanges that begin behind phase p, before their sums. */
static Fact *posts_fact(Model *m, const List *phases, const Phase *p)
{
    Fact *list = fact_table(m->arena);
    for (int i = 0; m->options.mpi && i < phases->count; i++) {
        const Phase *sum = phases->items[i];
        if (sums_posted(sum->ops.items[0]) && sums_made(phases, i) == p)
            exchange_posts(m, list, sum, sum->ops.items[0]);
    }
    return list;
}

Fact *passes_fact(Model *m, const List *phases, Fact *rows, int *row_count)
{
    Fact *list = fact_table(m->arena);
    int first_phase = phases == &m->backward_phases ? m->forward_phases.count : 0;
    for (int i = 0; i < phases->count; i++) {
        const Phase *p = phases->items[i];
        const Phase *before = i ? phases->items[i - 1] : NULL, *after = i + 1 < phases->count ? phases->items[i + 1] : NULL;
        bool loop = section_loops(p->kind);
        Fact *f = fact_table(m->arena), *calls = fact_table(m->arena);
        Text texts = { .arena = m->arena };
        for (int k = 0; k < p->ops.count; k++) {
            const Op *op = p->ops.items[k];
            const char *text = call_text(m, p, op);
            text_printf(&texts, "%s\n", text);
            Fact *c = fact_table(m->arena), *reads = fact_table(m->arena), *writes = fact_table(m->arena);
            Fact *guards = fact_table(m->arena);
            call_looks(m, reads, writes, p, op);
            for (int w = 0; m->options.debug && w < op->write_count; w++)
                fact_push_text(guards, call_guard(m, p, op, op->writes[w]));
            fact_text(c, "text", text);
            fact_set(c, "reads", reads);
            fact_set(c, "writes", writes);
            fact_set(c, "guards", guards);
            fact_set(c, "before", exchange_before(m, p, op));
            fact_set(c, "behind", exchange_behind(m, op));
            fact_int(c, "row", passes_row(m, rows, row_count, op->name, row_pass(op), first_phase + i, tables_line(m, op->loc), p->whole_batch, op_cost(m, p, op)));
            fact_push(calls, c);
        }
        fact_bool(f, "barrier", p->barrier);
        if (p->barrier && !m->options.plain)
            fact_int(f, "wait", passes_row(m, rows, row_count, "", "wait", first_phase + i, 0, true, (Cost){ 0 }));
        fact_bool(f, "whole", p->whole_batch);
        fact_set(f, "opens", loops_opened(m, p, before));
        loops_layout(m, f, loop ? repeat_level(p->repeat) - repeat_level(p->from) + 1 : 0, loop ? loops_closed(p, after) : 0);
        fact_set(f, "spread", loops_spread(m, p));
        fact_set(f, "slices", loops_slices(m, p, texts.text ? texts.text : ""));
        fact_set(f, "calls", calls);
        fact_set(f, "posts", posts_fact(m, phases, p));
        fact_push(list, f);
    }
    return list;
}

Fact *passes_gathers(Model *m, SumShown when)
{
    Fact *list = fact_table(m->arena);
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (sums_shown(m, t) == when)
            fact_push_text(list, exchange_gather(m, t, "0", steps_all(t->repeat)));
    }
    return list;
}

bool passes_use_scratch(const List *phases)
{
    for (int i = 0; i < phases->count; i++) {
        const Phase *p = phases->items[i];
        for (int k = 0; k < p->ops.count; k++) {
            const Op *op = p->ops.items[k];
            for (int r = 0; r < op_uses(op); r++)
                if (tensor_owner(op_use(op, r)->tensor)->local)
                    return true;
        }
    }
    return false;
}
