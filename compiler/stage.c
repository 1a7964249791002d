/* stage.c -- what each stage left, as text: `--stage NAME`, and `show`, the whole net on one page.
 *
 *   graph (after model and shape), steps, grad, fuse, plan; "hash" is the part of the plan that decides bits, as it is hashed. */
#include "spnc.h"
#include "winograd.h"
#include <string.h>

static const char *pass_word(Pass p) { return p == FORWARD ? "" : p == BACKWARD ? "' " : p == WEIGHTS ? "' weights " : p == PREPARE ? " prepare " : p == FINISH ? " finish " : " "; }

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
    if (op->act != OP_COUNT)
        fprintf(out, " then %s", op_table[op->act]->name);
    if (op->winograd) {
        int tiles[WINOGRAD_TILES], n = winograd_tiles(op->writes[0].tensor->shape.dim[1], tiles);
        fprintf(out, " by winograd");
        for (int i = 0; i < n && op->pass == FORWARD; i++)
            fprintf(out, "%s%d", i ? "+" : " ", tiles[i]);
    }
    if (op->accumulate)
        fprintf(out, " added");
    if (op->kind == OP_dropout)
        fprintf(out, " place=%d", op->random_place);
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
            fprintf(out, " (%s, %d)", s->repeat->name, s->repeat->steps);
        fprintf(out, ":\n");
        for (int k = 0; k < s->ops.count; k++)
            print_op(m, out, s->ops.items[k]);
    }
}

static void print_plan(const Model *m, FILE *out)
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
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (t->view_of || t->first < 0)
            continue;
        if (t->local)
            fprintf(out, "  %-32s scratch %10lld + %-9lld phase %d\n", t->name, (long long)t->offset, (long long)t->slot_reals, t->first);
        else
            fprintf(out, "  %-32s batch   %10lld + %-9lld phases %d to %d\n", t->name, (long long)t->offset,
                    (long long)t->slot_reals * t->slots * m->groups, t->first, t->last);
    }
}

static void print_decisions(const Model *m, FILE *out)
{
    const TrainDef *t = &m->train;
    fprintf(out, "batch %lld lanes %d precision %s\n", (long long)m->batch, m->lanes, m->options.is_double ? "double" : "float");
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *w = m->weights.items[i];
        fprintf(out, "weight %s %s %s %.17g\n", w->name, shape_text(m->arena, &w->shape), w->init, w->init_value);
    }
    for (int i = 0; i < m->input_count + m->target_count; i++) {
        const DataDef *d = i < m->input_count ? &m->inputs[i] : &m->targets[i - m->input_count];
        fprintf(out, "data %s %s %d %d\n", d->name, shape_text(m->arena, &d->shape), d->type, d->classes);
    }
    print_sections(m, out, &m->forward);
    print_sections(m, out, &m->backward);
    for (int i = 0; i < m->loss_count; i++)
        fprintf(out, "loss %.17g %lld\n", m->losses[i].weight, (long long)m->losses[i].positions);
    fprintf(out, "%s %.17g %.17g %.17g %.17g %.17g %.17g %d clip %.17g %.17g %d schedule %.17g %d %d decay %.17g\n", t->optimiser, t->rate,
            t->decay, t->epsilon, t->momentum, t->beta1, t->beta2, t->inside, t->clip_element, t->clip_norm, t->clip_lasagne, t->divide,
            t->first, t->every, t->weight_decay);
    fprintf(out, "sums: conv c,u,v in order; weight gradients over a group's positions, lanes by a tree, groups by a tree in pairs; dense over "
                 "inputs in order, its gradients over rows in order; losses in order; norm by rows\n");
}

void stage_print(Model *m, const char *stage, FILE *out)
{
    if (!strcmp(stage, "graph")) {
        for (int i = 0; i < m->ops.count; i++)
            print_op(m, out, m->ops.items[i]);
    } else if (!strcmp(stage, "plan")) {
        print_plan(m, out);
    } else if (!strcmp(stage, "hash")) {
        print_decisions(m, out);
    } else {
        fprintf(out, "forward\n");
        print_sections(m, out, &m->forward);
        if (strcmp(stage, "steps") != 0) {
            fprintf(out, "backward\n");
            print_sections(m, out, &m->backward);
        }
    }
}

static void json_text(FILE *out, const char *s)
{
    fputc('"', out);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else if ((unsigned char)*s < 32)
            fprintf(out, "\\u%04x", *s);
        else
            fputc(*s, out);
    }
    fputc('"', out);
}

void show_print(Model *m, FILE *out, bool json)
{
    int64_t parameters = 0, real = m->options.is_double ? 8 : 4;
    for (int i = 0; i < m->weights.count; i++)
        parameters += shape_count(&((Weight *)m->weights.items[i])->shape);
    double MiB = (double)real / 1048576;
    if (json) {
        fprintf(out, "{\"model\":");
        json_text(out, m->name);
        fprintf(out, ",\"batch\":%lld,\"parameters\":%lld,\"forward_macs\":%.17g,\"backward_macs\":%.17g,\"hash\":\"%016llx\",\"signature\":\"%016llx\"",
                (long long)m->batch, (long long)parameters, m->forward_macs, m->backward_macs, (unsigned long long)m->hash, (unsigned long long)m->signature);
        fprintf(out, ",\"memory\":{\"values\":%lld,\"weights\":%lld,\"scratch\":%lld},\"layers\":[", (long long)(m->activation_reals * real),
                (long long)(m->block_reals * real), (long long)(m->scratch_reals * real));
        bool first = true;
        for (int i = 0; i < m->forward_phases.count; i++) {
            const Phase *p = m->forward_phases.items[i];
            for (int k = 0; k < p->ops.count; k++) {
                const Op *op = p->ops.items[k];
                if (op->pass != FORWARD)
                    continue;
                const Tensor *y = op->writes[0].tensor;
                int64_t n = 0;
                for (int w = 0; w < op->weight_count; w++)
                    n += shape_count(&op->weights[w]->shape);
                fprintf(out, "%s{\"name\":\"%s\",\"op\":\"%s\",\"line\":%d,\"shape\":[", first ? "" : ",", op->name, OP_INFO(op)->name, op->loc.line);
                for (int d = 0; d < y->shape.rank; d++)
                    fprintf(out, "%s%lld", d ? "," : "", (long long)y->shape.dim[d]);
                fprintf(out, "],\"steps\":%d,\"parameters\":%lld,\"macs\":%.17g}", y->repeat ? y->repeat->steps : 0, (long long)n,
                        OP_INFO(op)->macs ? OP_INFO(op)->macs(op) : 0.0);
                first = false;
            }
        }
        fprintf(out, "]}\n");
        return;
    }
    fprintf(out, "%s", m->name);
    for (int i = 0; i < m->scope.count; i++)
        fprintf(out, " %s=%s", m->scope.params[i].name, m->scope.params[i].value.text);
    fprintf(out, "\nbatch %lld, %s, %s\n\n", (long long)m->batch, m->options.is_double ? "double" : "float", m->options.plain ? "plain form" : m->options.target);
    fprintf(out, "  %-28s %-18s %5s  %-14s %10s %12s\n", "layer", "operator", "line", "shape", "parameters", "multiply-adds");
    for (int i = 0; i < m->forward_phases.count; i++) {
        const Phase *p = m->forward_phases.items[i];
        for (int k = 0; k < p->ops.count; k++) {
            const Op *op = p->ops.items[k];
            if (op->pass != FORWARD)
                continue;
            const Tensor *y = op->writes[0].tensor;
            int64_t n = 0;
            for (int w = 0; w < op->weight_count; w++)
                n += shape_count(&op->weights[w]->shape);
            double macs = OP_INFO(op)->macs ? OP_INFO(op)->macs(op) : 0;
            char what[64], shape[64];
            snprintf(what, sizeof what, "%s%s%s%s", op->winograd ? "winograd " : "", OP_INFO(op)->name, op->act != OP_COUNT ? "+" : "", op->act != OP_COUNT ? op_table[op->act]->name : "");
            snprintf(shape, sizeof shape, "%s", shape_text(m->arena, &y->shape));
            if (y->repeat)
                snprintf(shape, sizeof shape, "%d x %s", y->repeat->steps, shape_text(m->arena, &y->shape));
            fprintf(out, "  %-28s %-18s %5d  %-14s %10lld", op->name, what, op->loc.line, shape, (long long)n);
            if (macs > 0)
                fprintf(out, " %12.0f", macs * (y->repeat ? y->repeat->steps : 1));
            fprintf(out, "\n");
        }
    }
    fprintf(out, "\n  parameters %lld;  an example: %.2f M multiply-adds forward, %.2f M for the gradients that somebody needs\n", (long long)parameters,
            m->forward_macs / 1e6, m->backward_macs / 1e6);
    int64_t apart = 0;
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (!t->local && !t->view_of && t->first >= 0)
            apart += (int64_t)t->slots * m->groups * t->slot_reals;
    }
    fprintf(out, "  memory: values and gradients %.1f MiB (without reuse %.1f), weights %.1f, a thread's scratch %.2f\n", (double)m->activation_reals * MiB,
            (double)apart * MiB, (double)m->block_reals * MiB, (double)m->scratch_reals * MiB);
    fprintf(out, "  signature %016llx  hash %016llx\n", (unsigned long long)m->signature, (unsigned long long)m->hash);
    if (m->remarks.count)
        fprintf(out, "\n");
    for (int i = 0; i < m->remarks.count; i++)
        fprintf(out, "  %s\n", (const char *)m->remarks.items[i]);
}
