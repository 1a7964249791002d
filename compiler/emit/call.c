/* call.c -- one line of the emitted passes: the call of an operator's function, and the checks around it (replay, guards).
 *
 * In: the planned graph.  Used by emit.c, whose templates put the lines into loops.
 * The convention: an operator's function takes its results, then its operands, then its weights, then arguments of its kind alone. */
#include "emit/call.h"
#include <string.h>

/* ---- arguments ------------------------------------------------------------------------------------------ */

/* The parameter kind of a tensor of `op`, a letter: see OpInfo.arguments.  A gradient has the kind of its value. */
static char letter(const Op *op, const Tensor *t, bool written, int position)
{
    const Op *f = forward_of(op);
    const char *outs = OP_INFO(op)->arguments, *ins = strchr(outs, ':') + 1;
    int out_count = (int)(ins - 1 - outs), in_count = (int)strlen(ins);
    for (int i = 0; i < f->write_count; i++)
        if (f->writes[i].tensor == t)
            return outs[i < out_count ? i : out_count - 1];
    for (int i = 0; i < f->read_count; i++)
        if (f->reads[i].tensor == t)
            return ins[i < in_count ? i : in_count - 1];
    if (op->pass == BACKWARD && written) {      /* the gradient of the position-th input that has one */
        for (int i = 0, n = 0; i < f->read_count; i++)
            if (f->grad.inputs[i] && n++ == position)
                return ins[i < in_count ? i : in_count - 1];
    }
    if (op->pass == WEIGHTS && written)
        return op->kind == OP_broadcast ? 'f' : 't';
    return outs[0];                             /* the gradient of the output */
}

static const char *slice(Model *m, const Phase *p, const Tensor *t, int shift)
{
    const char *item = m->options.plain ? "n" : "g", *row = m->options.plain ? "N" : "G";
    bool stepped = p->kind != ONCE;
    if (p->whole_batch) {
        const char *base = p->kind == CORE || p->kind == CORE_BACKWARD ? t->repeat ? "t * G" : "0" : "0";
        int at = t->repeat ? shift : 0;
        if (at == 0)
            return base;
        return base[0] == '0' ? arena_printf(m->arena, "%s%sG", at < 0 ? "-" : "", at == 1 || at == -1 ? "" : arena_printf(m->arena, "%d * ", at < 0 ? -at : at))
                              : arena_printf(m->arena, "%s %c G", base, at < 0 ? '-' : '+');
    }
    const char *base = stepped && t->repeat ? "s" : item;
    int at = t->repeat ? shift : 0;
    if (at == 0)
        return base;
    if (at == 1 || at == -1)
        return arena_printf(m->arena, "%s %c %s", base, at < 0 ? '-' : '+', row);
    return arena_printf(m->arena, "%s %c %d * %s", base, at < 0 ? '-' : '+', at < 0 ? -at : at, row);
}

static void argument(Model *m, Text *line, const Phase *p, const Op *op, Use u, bool written, int position)
{
    char how = letter(op, u.tensor, written, position);
    if (u.tensor->space == LABELS_I32)
        how = 'i';
    if (p->whole_batch && how == 't')
        how = 'f';
    if (u.tensor->space == RAW || u.tensor->space == BYTES || u.tensor->space == FLOATS)
        how = 't';
    const char *at = u.tensor->shared ? "0" : slice(m, p, u.tensor, u.shift);
    const char *cast = how == 'f' ? "(real *)" : how == 'i' ? "(int32_t *)" : how == 'a' ? "&" : "";
    text_printf(line, "%s%s%s_at(%s)", line->text && line->text[line->length - 1] != '(' ? ", " : "", cast, u.tensor->name, at);
}

/* A dropout's rate as C: the run's setting times the model's factor, or a number. */
static const char *rate_text(Model *m, const Op *op)
{
    if (!op->dropout.rate)
        return arena_printf(m->arena, "%.17g", op_real(op, "rate"));
    return op->dropout.factor == 1 ? op->dropout.rate->variable : arena_printf(m->arena, "%.17g * %s", op->dropout.factor, op->dropout.rate->variable);
}

/* The dropout `op`, or a gradient of it, at this step and for this group. */
static void dropout(Model *m, Text *line, const Phase *p, const Op *op)
{
    bool plain = m->options.plain;
    text_printf(line, ", dropout_at(batch, %s, %.17g, %d, %s, %s)%s", rate_text(m, forward_of(op)), op_real(op, "ramp"), forward_of(op)->dropout.place,
                p->kind != ONCE ? "t" : "0", plain ? "n / 16" : "g", plain ? ", n % 16" : "");
}

/* The last arguments: those that only one kind of operator takes. */
static void extras(Model *m, Text *line, const Phase *p, const Op *op)
{
    bool plain = m->options.plain, stepped = p->kind != ONCE;
    const char *sep = line->text[line->length - 1] != '(' ? ", " : "";
    if (op->share.dropout)
        dropout(m, line, p, op->share.dropout);
    if (LOSS_INFO(op)) {
        const Tensor *target = op->reads[op->read_count - 1].tensor;
        if (stepped && target->space == LABELS_I32)         /* one tensor holds the labels of all steps */
            text_printf(line, " + t * %lld%s", (long long)(shape_count(&target->shape) / p->repeat->steps), plain ? "" : " * L");
        if (op->pass == BACKWARD)
            text_printf(line, ", %s_scale, %s", forward_of(op)->loss->loss->name, plain ? "n < batch->count" : "present(batch, g)");
    }
    switch (op->kind) {
    case OP_augment:
        text_printf(line, "%sbatch, %s", sep, plain ? "n" : "g");
        break;
    case OP_load:
    case OP_load_bytes:
    case OP_labels: {
        if (op->read_count) {                   /* augmented: its rows are a tensor */
            if (!plain)
                text_printf(line, "%spresent(batch, g)", sep);
            break;
        }
        const char *which = op->data->target ? "targets" : "inputs";
        if (plain)
            text_printf(line, "%sn < batch->count ? batch->%s[%d][n] : NULL", sep, which, op->data->number);
        else
            text_printf(line, "%sbatch->%s[%d] + g * L, present(batch, g)", sep, which, op->data->number);
        break;
    }
    case OP_dropout:
        dropout(m, line, p, op);
        break;
    case OP_conv:
        if (op->pass != PRODUCTS && m->groups > 1 && kernel_packs(m, op))
            text_printf(line, "%sg == G - 1", sep);
        break;
    default:
        break;
    }
}

/* True if `op` writes the weight gradients themselves, not parts for groups. */
static bool writes_gradients(const Model *m, const Op *op)
{
    return (op->pass == WEIGHTS && (m->options.plain || OP_INFO(op)->whole_batch)) || (op->pass == PRODUCTS && op->weight_count);
}

const char *call_text(Model *m, const Phase *p, const Op *op)
{
    Text line = { .arena = m->arena };
    if (op->pass == PREPARE) {
        text_printf(&line, "%s_prepare(%s_at(0), weights->%s)", op->name, op->writes[0].tensor->name, op->weights[0]->field);
        return line.text;
    }
    if (op->pass == FINISH) {
        text_printf(&line, "%s_finish(gradient->%s, %s_at(0), %d)", op->name, op->weights[0]->field, op->reads[0].tensor->name, op->grad.accumulates);
        return line.text;
    }
    if (op->pass == FOLD) {
        const Weight *w = op->weights[0];
        const Tensor *part = op->reads[0].tensor;
        int64_t size = part->space == RAW ? part->slot_reals : shape_count(&w->shape);
        if (part->space == RAW) {               /* the sum takes the place of the first part; FINISH reads it there */
            text_printf(&line, "fold(%s_at(0), %s_at(0), %d, %lld, 0)", part->name, part->name, m->groups * (part->repeat ? part->repeat->steps : 1), (long long)size);
            return line.text;
        }
        text_printf(&line, "fold((real *)gradient->%s, (real *)%s_at(0), %d, %lld, %d)", w->field, part->name,
                    m->groups * (part->repeat ? part->repeat->steps : 1), (long long)size, op->grad.accumulates);
        return line.text;
    }
    text_printf(&line, "%s_%s(", op->name, op->pass == FORWARD ? "forward" : op->pass == BACKWARD ? "backward" : op->pass == PRODUCTS ? "products" : "weights");
    if (writes_gradients(m, op))
        for (int i = 0; i < op->weight_count; i++)
            text_printf(&line, "%s%sgradient->%s", i ? ", " : "", op->kind == OP_broadcast ? "(real *)" : "", op->weights[i]->field);
    for (int i = 0; i < op->write_count; i++)
        if (!op->writes[i].tensor->work)
            argument(m, &line, p, op, op->writes[i], true, i);
    for (int i = 0; i < op->read_count; i++)
        argument(m, &line, p, op, op->reads[i], false, i);
    if (op->pass == FORWARD || op->pass == BACKWARD)
        for (int i = op->kernel.winograd; i < op->weight_count; i++)      /* Winograd's weights came as a tensor */
            text_printf(&line, "%s%sweights->%s", line.text[line.length - 1] != '(' ? ", " : "", op->kind == OP_broadcast ? "(real *)" : "", op->weights[i]->field);
    for (int i = 0; i < op->write_count; i++)
        if (op->writes[i].tensor->work)
            argument(m, &line, p, op, op->writes[i], true, i);
    extras(m, &line, p, op);
    text_add(&line, ")", 1);
    return line.text;
}

/* ---- replay: an operator's operands and results, checked by replay.c ------------------------------------- */

static void seen(Model *m, Fact *list, const Phase *p, const Op *op, Use u, bool written)
{
    const Tensor *t = u.tensor;
    if (t->space != REALS && t->space != PARTS)
        return;
    bool stepped = p->kind != ONCE && t->repeat;
    int64_t each = shape_count(&t->shape) * (t->space == REALS ? m->lanes : 1);
    int64_t n = !p->whole_batch ? each : tensor_owner(t)->slot_reals * m->groups * (p->kind == AFTER && stepped ? p->repeat->steps : 1);
    bool loop = p->kind == CORE || p->kind == CORE_BACKWARD || (p->kind == AFTER && !p->whole_batch);
    Text shape = { .arena = m->arena };
    for (int i = 0; i < t->shape.rank; i++)
        text_printf(&shape, "%s%lld", i ? ", " : "", (long long)t->shape.dim[i]);
    fact_push_text(list, arena_printf(m->arena, "\"%s\", \"%s\", %d, %s, %s, \"%s\", %d, (real *)%s_at(%s), %lld, %lld, %d, { %s }", op->name,
        op->pass == FORWARD ? "forward" : op->pass == BACKWARD ? "backward" : "weights", op->loc.line, loop ? "t" : "-1",
        p->whole_batch ? "-1" : m->options.plain ? "n" : "g", t->name, written, t->name, slice(m, p, t, u.shift), (long long)n, (long long)(t->space == REALS ? each : 0), t->shape.rank, shape.text ? shape.text : "0"));
}

/* --debug: the guards around an operator's results, checked after its call. */
const char *call_guard(Model *m, const Phase *p, const Op *op, Use u)
{
    const Tensor *t = u.tensor;
    const char *first = arena_printf(m->arena, "(real *)%s_at(%s)", t->name, slice(m, p, t, u.shift));
    const Tensor *o = tensor_owner(t);
    int64_t size = o->slot_reals - (o->guarded ? GUARD : 0);
    if (!o->guarded)
        first = arena_printf(m->arena, "memory + %lld", (long long)(o->offset - (o->carried ? m->groups * o->slot_reals : 0))), size = o->slots * m->groups * o->slot_reals;
    return arena_printf(m->arena, "%s, %lld, \"%s_%s\", \"%s\", n, %s", first, (long long)size, op->name,
                        op->pass == FORWARD ? "forward" : op->pass == BACKWARD ? "backward" : "weights", t->name, p->kind == ONCE ? "-1" : "t");
}

void call_looks(Model *m, Fact *reads, Fact *writes, const Phase *p, const Op *op)
{
    if (op->pass != FORWARD && op->pass != BACKWARD && op->pass != WEIGHTS && !writes_gradients(m, op))
        return;
    for (int i = 0; i < op->read_count; i++)
        seen(m, reads, p, op, op->reads[i], false);
    for (int i = 0; i < op->write_count; i++)
        seen(m, writes, p, op, op->writes[i], true);
    if (writes_gradients(m, op))
        for (int i = 0; i < op->weight_count; i++)
            fact_push_text(writes, arena_printf(m->arena, "\"%s\", \"weights\", %d, -1, -1, \"%s\", 1, (real *)gradient->%s, %lld, 0, 0, { 0 }", op->name, op->loc.line,
                                                op->weights[i]->name, op->weights[i]->field, (long long)op->weights[i]->reals));
}
