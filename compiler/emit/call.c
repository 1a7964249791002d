/* call.c -- one line of the emitted passes: the call of an operator's function, and the checks around it (replay, guards).
 *
 * In: the planned graph.  Used by emit.c, whose templates put the lines into loops.
 * The convention: an operator's function takes its results, then its operands, then its weights, then arguments of its kind alone. */
#include "emit/call.h"
#include "emit/loops.h"
#include "emit/place.h"
#include "emit/tables.h"
#include "lower/latency.h"
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

bool call_typed(const Model *m, const Op *op, const Tensor *t)
{
    const char how = letter(op, t, false, 0);
    /* of an embedding the gradient alone is made for all groups at once */
    const bool whole = ((op_is_whole(op) || op->kind == OP_embedding) && !m->options.plain) || op->kind == OP_dense;
    return t->space != RAW && (how == 't' || how == 'a' || whole || (t->space != REALS && (t->space != LABELS_I32 || op->kind == OP_labels)));
}

/* The step of r as the steps are counted, those of the innermost repeat first: "t * 4 + t2". */
static const char *step_counted(Model *m, const Repeat *r)
{
    const char *text = "";
    for (int each = 1; r; each *= r->steps, r = r->outer)
        text = arena_printf(m->arena, "%s%s%s%s", loops_variable(m, "t", r), each > 1 ? arena_printf(m->arena, " * %d", each) : "", *text ? " + " : "", text);
    return text;
}

/* `base` and so many groups (plain form: examples) more. */
static const char *moved(Model *m, const char *base, int by, const char *row)
{
    const int n = by < 0 ? -by : by;
    const char *far = n == 1 ? row : arena_printf(m->arena, "%d * %s", n, row);
    if (!by)
        return base;
    return base[0] == '0' && !base[1] ? arena_printf(m->arena, "%s%s", by < 0 ? "-" : "", far) : arena_printf(m->arena, "%s %c %s", base, by < 0 ? '-' : '+', far);
}

/* The repeat whose step, or slice, a phase has for t: t's own, or the one around it where t's steps are there at once.  What is brief has no slot for
 * each step of the loops. */
static const Repeat *own_step(const Phase *p, const Tensor *t)
{
    if (tensor_owner(t)->brief && section_loops(p->kind))
        return p->from->outer;
    const Repeat *of = p->kind == ONCE ? NULL : p->repeat, *r = t->repeat;
    while (r && !repeat_within(of, r))
        r = r->outer;
    return r;
}

/* Slots from that of the step (outside of t's repeat: from slot 0, which is of its first step, or its last if it is reverse) to that of a shift.  Each is so many as the repeats
 * around t's have steps. */
static int slots(const Phase *p, const Tensor *t, int shift)
{
    if (!t->repeat || tensor_owner(t)->brief)
        return 0;
    if (t->repeat->reverse)
        shift = own_step(p, t) != t->repeat ? t->repeat->steps - 1 - shift : -shift;
    return shift * steps_all(t->repeat->outer);
}

/* A tensor of the whole batch has a slice a step. */
static const char *slice_of_batch(Model *m, const Phase *p, const Tensor *t, int shift)
{
    const char *step = loops_step(m, p, own_step(p, t));
    return moved(m, step, t->repeat ? shift * steps_all(t->repeat->outer) : 0, "1");
}

const char *call_slice(Model *m, const Phase *p, const Tensor *t, int shift)
{
    const char *item = m->options.plain ? "n" : "g", *row = m->options.plain ? "N" : "G";
    const Repeat *own = own_step(p, t);
    if (t->space == TOTALS)
        return slice_of_batch(m, p, t, shift);
    const char *base = own ? loops_variable(m, "s", own) : item;
    if (p->whole_batch) {
        const char *step = loops_step(m, p, own);
        const bool one = !strchr(step, ' ');
        base = step[0] == '0' ? "0" : arena_printf(m->arena, one ? "%s * %s" : "(%s) * %s", step, row);
    }
    return moved(m, base, slots(p, t, shift), row);
}

/* The labels of the slice `at`, an int32_t *: of all positions; in a stepped section those of step t, since one tensor holds them all. */
static const char *labels(Model *m, const Phase *p, const Tensor *t, const char *at)
{
    const char *all = place_slice(m, t, at);
    if (!t->shape.rank)
        return all;
    int64_t each = p->kind == ONCE ? 0 : shape_count(&t->shape) / p->repeat->steps;
    if (t->shape.rank > 1)
        return arena_printf(m->arena, "(int32_t *)%s%s", all, !each ? "" : arena_printf(m->arena, m->options.plain ? " + t * %lld" : " + t * %lld * L", (long long)each));
    const char *first = each == 0 ? "0" : each == 1 ? "t" : arena_printf(m->arena, "t * %lld", (long long)each);
    if (!m->options.plain)
        return arena_printf(m->arena, "%s[%s]", all, first);
    return each ? arena_printf(m->arena, "%s + %s", all, first) : all;
}

/* Appends what stands between two arguments. */
static void next(Text *line)
{
    if (line->text && line->text[line->length - 1] != '(')
        text_printf(line, ", ");
}

static void argument(Model *m, Text *line, const Phase *p, const Op *op, Use u, bool written, int position)
{
    char how = letter(op, u.tensor, written, position);
    const Tensor *t = u.tensor;
    const Repeat *own = own_step(p, t);
    const bool all = how == 'a' && own != t->repeat && !p->whole_batch;      /* of a stack all steps, from slot 0 on */
    const char *at = !all ? call_slice(m, p, t, u.shift) : own ? loops_variable(m, "s", own) : m->options.plain ? "n" : "g";
    next(line);
    if (t->space == RAW || t->space == BYTES || t->space == FLOATS || (t->space == LABELS_I32 && written))
        how = 't';
    else if (t->space == LABELS_I32)
        how = 'i';
    else if (p->whole_batch)
        how = op->kernel.latency ? 'f' : 'a';
    else if (t->space == SUMS || t->space == TOTALS)
        how = 't';
    const char *text = how == 'i' ? labels(m, p, t, at) : how == 'a' ? place_slices(m, t, at) : how == 'f' ? place_flat(m, t, at) : place_slice(m, t, at);
    text_add(line, text, strlen(text));
}

/* Appends the weight w of the block "weights" or "gradient"; flat: as a real *. */
static void weight(Text *line, const char *block, const Weight *w, bool flat)
{
    next(line);
    text_printf(line, "%s%s->%s", flat && w->shape.rank > 1 ? "(real *)" : "", block, w->field);
}

/* A dropout's rate as C: the run's setting times the model's factor, or a number. */
static const char *rate_text(Model *m, const Op *op)
{
    if (!op->dropout.rate)
        return arena_printf(m->arena, "%.17g", op_real(op, "rate"));
    return op->dropout.factor == 1 ? op->dropout.rate->variable : arena_printf(m->arena, "%.17g * %s", op->dropout.factor, op->dropout.rate->variable);
}

/* The step and the group of a use that draws, as the last members of its struct; behind it, in the plain form, the example's lane. */
static void use_ends(Model *m, Text *line, const Phase *p)
{
    const bool plain = m->options.plain;
    if (p->kind != ONCE)
        text_printf(line, ", .step = %s", step_counted(m, p->repeat));
    text_printf(line, ", .group = %s })%s", plain ? "n / 16" : "g", plain ? ", n % 16" : "");
}

/* The dropout `op`, or a gradient of it, at this step and for this group. */
static void dropout(Model *m, Text *line, const Phase *p, const Op *op)
{
    text_printf(line, ", dropout_at(batch, (DropoutUse){ .rate = %s, ", rate_text(m, forward_of(op)));
    if (op_real(op, "ramp") != 0)
        text_printf(line, ".ramp = %.17g, ", op_real(op, "ramp"));
    text_printf(line, ".place = %d", forward_of(op)->dropout.place);
    use_ends(m, line, p);
}

/* What the `random` op draws from at this step and for this group. */
static void draw(Model *m, Text *line, const Phase *p, const Op *op)
{
    text_printf(line, ", draw_at(batch, (DrawUse){ %s.place = %d", strcmp(op_word(op, "eval"), "draw") ? "" : ".always = 1, ", op->random.place);
    use_ends(m, line, p);
}

/* Where `check` keeps the values of a stop_gradient in this slice. */
static void held(Model *m, Text *line, const Phase *p, const Op *op)
{
    const char *at = p->kind != ONCE ? loops_variable(m, "s", p->repeat) : m->options.plain ? "n" : "g";
    text_printf(line, ", held_at(batch, %lld + %s * (size_t)%lld)", (long long)op->held, at, (long long)shape_count(&op->writes[0].tensor->shape) * m->lanes);
}

/* The last arguments: those that only one kind of operator takes. */
static void extras(Model *m, Text *line, const Phase *p, const Op *op)
{
    bool plain = m->options.plain;
    if (op->share.dropout)
        dropout(m, line, p, op->share.dropout);
    if (LOSS_INFO(op) && op->pass == BACKWARD)
        text_printf(line, ", %s_scale, %s", forward_of(op)->loss->loss->name, plain ? "n < batch->count" : "present(batch, g)");
    switch (op->kind) {
    case OP_augment:
        next(line);
        text_printf(line, "batch, %s", plain ? "n" : "g");
        break;
    case OP_load:
    case OP_load_bytes:
    case OP_labels: {
        if (op->read_count)                     /* augmented: its rows are a tensor */
            break;
        next(line);
        const char *which = op->data->target ? "targets" : "inputs";
        if (plain)
            text_printf(line, "batch->%s[%d][n < batch->count ? n : 0]", which, op->data->number);
        else
            text_printf(line, "batch->%s[%d], g * L, batch->count", which, op->data->number);
        break;
    }
    case OP_dropout:
        dropout(m, line, p, op);
        break;
    case OP_random:
        draw(m, line, p, op);
        break;
    case OP_stop_gradient:
        held(m, line, p, op);
        break;
    case OP_slice:
        if (forward_of(op)->slice.repeat)
            text_printf(line, ", %s", loops_variable(m, "t", forward_of(op)->slice.repeat));
        break;
    case OP_constant:
        if (op->numbered)
            text_printf(line, ", %s", step_counted(m, op->constant.repeat));
        break;
    case OP_batch_sums:
        text_printf(line, ", measured(batch, %s)", plain ? "n" : "g");
        break;
    case OP_batch_statistics:
        if (op->pass == FORWARD)
            text_printf(line, ", buffers->%s, buffers->%s, batch", op->norm.mean->field, op->norm.variance->field);
        break;
    case OP_batch_gradient:
        text_printf(line, ", batch");
        break;
    case OP_batch_norm:
    case OP_batch_gradient_sums:
        if (op->kind == OP_batch_gradient_sums || op->pass == BACKWARD)
            text_printf(line, plain ? ", n < batch->count" : ", present(batch, g)");
        break;
    case OP_dense:
        if (op->kernel.latency && op->kernel.latency->batched)
            text_printf(line, ", there, %d", steps_at_once(p->kind, p->repeat, p->from));
        break;
    case OP_conv:
        if (op->pass != PRODUCTS && m->groups > 1 && kernel_packs(m, op)) {
            next(line);
            text_printf(line, "g == G - 1");
        }
        break;
    default:
        break;
    }
}

/* True if `op` writes the weight gradients themselves, not parts for groups. */
static bool writes_gradients(const Model *m, const Op *op)
{
    return (op->pass == WEIGHTS && (m->options.plain || op_is_whole(op))) || (op->pass == PRODUCTS && op->weight_count);
}

int64_t call_fold_size(const Op *op)
{
    const Tensor *part = op->reads[0].tensor;
    return part->space == RAW ? part->slot_reals : shape_count(&part->shape);
}

int64_t call_fold_row(const Op *op)
{
    if (op->reads[0].tensor->space != RAW)
        return sums_row(op->weights[0]);
    return call_fold_size(op) <= DEAL_SHORT ? 0 : DEAL_WIDE;
}

const char *call_parts(Model *m, const Op *op)
{
    const char *text = arena_printf(m->arena, "%s, %lld", place_count(m, steps_all(op->reads[0].tensor->repeat)), (long long)call_fold_size(op));
    return m->options.mpi ? arena_printf(m->arena, "%s, %lld", text, (long long)call_fold_row(op)) : text;
}

const char *call_ending(const Op *op)
{
    static const char *const endings[] = { [FORWARD] = "forward", [BACKWARD] = "backward", [WEIGHTS] = "weights", [PRODUCTS] = "products",
                                           [FOLD] = "fold", [PREPARE] = "prepare", [FINISH] = "finish", [AGAIN] = "forward" };
    if (op->pass == WEIGHTS && op->kernel.deferred)
        return op->kind == OP_dense ? "transpose" : "terms";
    return op->pass == PRODUCTS && op->kind == OP_dense ? "weights" : endings[op->pass];
}

const char *call_text(Model *m, const Phase *p, const Op *op)
{
    Text line = { .arena = m->arena };
    if (op->pass == PREPARE) {
        text_printf(&line, "%s_prepare(%s", op_pass_function(op), place_slice(m, op->writes[0].tensor, "0"));
        weight(&line, "weights", op->weights[0], false);
        text_printf(&line, ")");
        return line.text;
    }
    if (op->pass == FINISH) {
        text_printf(&line, "%s_finish(", op_pass_function(op));
        weight(&line, "gradient", op->weights[0], false);
        text_printf(&line, ", %s, %d)", place_slice(m, op->reads[0].tensor, "0"), op->grad.accumulates);
        return line.text;
    }
    if (op->pass == FOLD) {
        const Tensor *part = op->reads[0].tensor;
        const char *first = place_flat(m, part, "0");
        text_printf(&line, "fold(");
        if (m->options.mpi)
            text_printf(&line, "%d", sums_exchange(m, op));
        if (part->space == RAW) {               /* the sum takes the place of the first part; FINISH reads it there */
            next(&line);
            text_printf(&line, "%s", first);
        } else
            weight(&line, "gradient", op->weights[0], true);
        text_printf(&line, ", %s, %s, %d)", first, call_parts(m, op), part->space != RAW && op->grad.accumulates);
        return line.text;
    }
    text_printf(&line, "%s_%s(", op_pass_function(op), call_ending(op));
    if (writes_gradients(m, op))
        for (int i = 0; i < op->weight_count; i++)
            weight(&line, "gradient", op->weights[i], op->kind == OP_broadcast);
    for (int i = 0; i < op->write_count; i++)
        if (!op->writes[i].tensor->work)
            argument(m, &line, p, op, op->writes[i], true, i);
    for (int i = 0; i < op->read_count; i++)
        argument(m, &line, p, op, op->reads[i], false, i);
    if (op->pass == FORWARD || op->pass == BACKWARD)
        for (int i = op->kernel.winograd; i < op->weight_count; i++)      /* Winograd's weights came as a tensor */
            weight(&line, "weights", op->weights[i], op->kind == OP_broadcast);
    for (int i = 0; i < op->write_count; i++)
        if (op->writes[i].tensor->work)
            argument(m, &line, p, op, op->writes[i], true, i);
    extras(m, &line, p, op);
    text_add(&line, ")", 1);
    return line.text;
}

/* ---- replay: an operator's operands and results, checked by replay.c ------------------------------------- */

int call_steps(const Phase *p, const Tensor *t)
{
    const Repeat *own = own_step(p, t);
    return own && section_loops(p->kind) ? steps_all(repeat_within(own, p->from) ? p->from->outer : own) : steps_all(own);
}

static void seen(Model *m, Fact *list, const Phase *p, const Op *op, Use u, bool written)
{
    const Tensor *t = u.tensor;
    if (t->space != REALS && t->space != PARTS)
        return;
    int64_t each = shape_count(&t->shape) * (t->space == REALS ? m->lanes : 1);
    int64_t n = !p->whole_batch ? each : tensor_owner(t)->slot_reals * m->groups * call_steps(p, t);
    bool loop = section_loops(p->kind) || (p->kind == AFTER && !p->whole_batch);
    const char *at = call_slice(m, p, t, u.shift), *first = place_slice(m, t, at);
    Text shape = { .arena = m->arena };
    for (int i = 0; i < t->shape.rank; i++)
        text_printf(&shape, "%s%lld", i ? ", " : "", (long long)t->shape.dim[i]);
    const char *slot = t->space == REALS ? arena_printf(m->arena, ", .slot = %lld", (long long)each) : "";
    const char *dims = shape.text ? arena_printf(m->arena, ", .rank = %d, .shape = { %s }", t->shape.rank, shape.text) : "";
    fact_push_text(list, arena_printf(m->arena, "%s, %s, %s, \"%s\", \"%s\", .yaml_line = %d, .tensor = \"%s\"%s, .count = %lld%s%s",
        loop ? loops_step(m, p, own_step(p, t) ? own_step(p, t) : p->repeat) : "-1", p->whole_batch ? "-1" : m->options.plain ? "n" : "g", first, op->name,
        op->pass == FORWARD ? "forward" : op->pass == BACKWARD ? "backward" : "weights", tables_line(m, op->loc), t->name, written ? ", .written = 1" : "", (long long)n, slot, dims));
}

/* --debug: the guards around an operator's results, checked after its call. */
const char *call_guard(Model *m, const Phase *p, const Op *op, Use u)
{
    const Tensor *t = u.tensor;
    const char *first = place_flat(m, t, call_slice(m, p, t, u.shift));
    const Tensor *o = tensor_owner(t);
    int64_t size = o->slot_reals - (o->guarded ? GUARD : 0);
    if (!o->guarded)
        first = arena_printf(m->arena, "memory + %lld", (long long)(o->offset - tensor_front(o) * m->groups * o->slot_reals)), size = (int64_t)o->slots * (o->shared ? 1 : m->groups) * o->slot_reals;
    return arena_printf(m->arena, "%s, %lld, \"%s_%s\", \"%s\", %s, %s", first, (long long)size, op->name,
                        op->pass == FORWARD ? "forward" : op->pass == BACKWARD ? "backward" : "weights", t->name, p->whole_batch ? "-1" : "n", p->kind == ONCE || (p->whole_batch && p->kind == AFTER) ? "-1" : p->whole_batch ? loops_step(m, p, p->repeat) : step_counted(m, p->repeat));
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
            fact_push_text(writes, arena_printf(m->arena, "-1, -1, gradient->%s, \"%s\", \"weights\", .yaml_line = %d, .tensor = \"%s\", .written = 1, .count = %lld", op->weights[i]->field, op->name,
                                                tables_line(m, op->loc), op->weights[i]->name, (long long)op->weights[i]->reals));
}
