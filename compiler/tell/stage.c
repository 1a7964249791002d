/* stage.c -- the result of each stage as text: `--stage NAME`.
 *
 * In: a Model after that stage.  Out: its operators, a line each, or its phases and places.  The table of stages (pipeline.c) names the
 * function for each; a new property of operators is printed in print_op. */
#include "lower/winograd.h"
#include "spnc.h"
#include <string.h>

static const char *pass_word(Pass p) { return p == FORWARD ? "" : p == BACKWARD ? "' " : p == WEIGHTS ? "' weights " : p == PRODUCTS ? " products " : p == PREPARE ? " prepare " : p == FINISH ? " finish " : p == AGAIN ? " again " : " "; }

static void print_use(FILE *out, Use u)
{
    fprintf(out, "%s", u.tensor->name);
    if (u.shift)
        fprintf(out, "[%+d]", u.shift);
}

static void print_attrs(FILE *out, const Op *op)
{
    for (int i = 0; i < op->attr_count; i++) {
        const Attr *a = &op->attrs[i];
        if (!strcmp(a->spec->name, "name") || (!a->count && !a->word))
            continue;
        fprintf(out, " %s=", a->spec->name);
        if (a->word)
            fprintf(out, "%s%s", a->word, a->count ? ":" : "");
        for (int k = 0; k < a->count; k++)
            fprintf(out, "%s%.17g", k ? "," : "", a->number[k]);
    }
}

static void print_op(const Model *m, FILE *out, const Op *op)
{
    fprintf(out, "    ");
    for (int i = 0; i < op->write_count; i++) {
        fprintf(out, "%s", i ? ", " : "");
        print_use(out, op->writes[i]);
    }
    if (op->pass == FOLD || (op->pass == WEIGHTS && op->write_count == 0))
        fprintf(out, "%s", "gradient");
    fprintf(out, " = %s%s", OP_INFO(op)->name, pass_word(op->pass));
    fprintf(out, "(");
    for (int i = 0; i < op->read_count; i++) {
        fprintf(out, "%s", i ? ", " : "");
        print_use(out, op->reads[i]);
    }
    fprintf(out, ")");
    for (int i = 0; i < op->weight_count; i++)
        fprintf(out, "%s%s", i ? " " : " ; ", op->weights[i]->name);
    if (op->pass == FORWARD)
        print_attrs(out, op);
    if (op->fuse.act != OP_NONE)
        fprintf(out, " then %s", op_table[op->fuse.act]->name);
    if (op->stores.then)
        fprintf(out, " then formula");
    if (op->norms.applies)
        fprintf(out, " then %s", OP_INFO(op->norms.applies)->name);
    if (op->kernel.winograd) {
        int tiles[WINOGRAD_TILES], n = winograd_tiles(op->writes[0].tensor->shape.dim[1], tiles);
        fprintf(out, " by winograd");
        for (int i = 0; i < n && op->pass == FORWARD; i++)
            fprintf(out, "%s%d", i ? "+" : " ", tiles[i]);
    }
    if (op->kernel.openblas)
        fprintf(out, " by openblas");
    if (op->grad.accumulates)
        fprintf(out, " added");
    if (op->kind == OP_dropout)
        fprintf(out, " place=%d", forward_of(op)->dropout.place);
    if (op->kind == OP_random)
        fprintf(out, " place=%d", op->random.place);
    if (op->write_count && op->pass != WEIGHTS)
        fprintf(out, "    %s", shape_text(m->arena, &op->writes[0].tensor->shape));
    fprintf(out, "\n");
}

static void print_sections(const Model *m, FILE *out, const List *sections)
{
    static const char *const kinds[] = { "once", "at each step", "at each step, backwards", "for all steps" };
    for (int i = 0; i < sections->count; i++) {
        const Section *s = sections->items[i];
        fprintf(out, "  %s", kinds[s->kind]);
        if (s->repeat)
            fprintf(out, " (%s, %d%s)", s->repeat->name, s->repeat->steps, s->repeat->reverse ? ", reverse" : "");
        for (const Repeat *r = s->repeat ? s->repeat->outer : NULL; r; r = r->outer)
            fprintf(out, s->from && repeat_within(r, s->from) ? ", in the loop of %s (%d)" : ", for all steps of %s (%d)", r->name, r->steps);
        fprintf(out, ":\n");
        for (int k = 0; k < s->ops.count; k++)
            print_op(m, out, s->ops.items[k]);
    }
}

void stage_graph(const Model *m, FILE *out)
{
    for (int i = 0; i < m->ops.count; i++)
        print_op(m, out, m->ops.items[i]);
}

void stage_steps(const Model *m, FILE *out)
{
    fprintf(out, "forward\n");
    print_sections(m, out, &m->forward);
}

void stage_passes(const Model *m, FILE *out)
{
    stage_steps(m, out);
    fprintf(out, "backward\n");
    print_sections(m, out, &m->backward);
}

void stage_identity(const Model *m, FILE *out)
{
    Text t = { .arena = m->arena };
    identity_write(&t, m);
    fputs(t.text, out);
}

/* The sums over the examples of a batch, and the order of each. */
static void stage_sums(const Model *m, FILE *out)
{
    for (int pass = 0; pass < 2 && m->lanes > 1; pass++) {
        const List *phases = pass ? &m->backward_phases : &m->forward_phases;
        for (int i = 0; i < phases->count; i++) {
            const Phase *p = phases->items[i];
            for (int k = 0; k < p->ops.count; k++) {
                const Op *op = p->ops.items[k];
                if (sums_kind(op) != SUM_NONE)
                    fprintf(out, "  sum %-28s %s\n", op->weight_count && op->pass != FORWARD ? op->weights[0]->name : op->name, sums_order(sums_kind(op)));
            }
        }
    }
}

void stage_plan(const Model *m, FILE *out)
{
    for (int pass = 0; pass < 2; pass++) {
        const List *phases = pass ? &m->backward_phases : &m->forward_phases;
        for (int i = 0; i < phases->count; i++) {
            const Phase *p = phases->items[i];
            fprintf(out, "  phase %d, %s%s%s:", i + (pass ? m->forward_phases.count : 0), pass ? "backward" : "forward",
                    p->whole_batch ? ", whole batch" : "", p->kind == CORE || p->kind == CORE_BACKWARD ? ", in the loop" : "");
            for (int k = 0; k < p->ops.count; k++)
                fprintf(out, " %s%s", ((Op *)p->ops.items[k])->name, pass_word(((Op *)p->ops.items[k])->pass));
            fprintf(out, "\n");
        }
    }
    stage_sums(m, out);
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (tensor_owner(t) != t || t->first_phase < 0)
            continue;
        if (t->local)
            fprintf(out, "  %-32s scratch %10lld + %-9lld phase %d\n", t->name, (long long)t->offset, (long long)t->slot_reals, t->first_phase);
        else {
            int64_t from, to;
            tensor_range(m, t, &from, &to);
            fprintf(out, "  %-32s batch   %10lld + %-9lld phases %d to %d\n", t->name, (long long)from, (long long)(to - from), t->first_phase, t->last_phase);
        }
    }
}
