/* explain.c -- all facts about one name: a layer, a value of the flow, or a parameter.
 *
 * In: a Deck and a name in any of its forms: the C identifier (front_conv1), the dotted one (front.conv1), a value (crop), a parameter
 * (front.conv1.weight), or a layer's own name (conv1) where only one net has it.  Out: text, from its shape to its lines in the C. */
#include "base/escape.h"
#include "graph/window.h"
#include "tell/show.h"
#include "template/tuning.h"
#include <string.h>

static bool dotted(const Op *op, const char *name) { return op->prefix && *op->prefix && !strcmp(op->prefix, name); }

/* A layer's name within its net: the part behind the dot. */
static bool layer(const Op *op, const char *name)
{
    const char *dot = op->prefix ? strrchr(op->prefix, '.') : NULL;
    return dot && !strcmp(dot + 1, name);
}

/* Of a name in two repeats, which are called REPEAT.NAME. */
static bool twin(const Tensor *y, const char *name)
{
    const size_t n = y->repeat && y->repeat->name && y->flow_name ? strlen(y->repeat->name) : 0;
    return n && !strncmp(y->flow_name, y->repeat->name, n) && y->flow_name[n] == '.' && !strcmp(y->flow_name + n + 1, name);
}

static void collect(const Model *m, List *found, const char *name)
{
    for (int way = 0; way < 5 && !found->count; way++)
        for (int i = 0; i < m->ops.count; i++) {
            Op *op = m->ops.items[i];
            const Tensor *y = op->writes[0].tensor;
            bool weight = false;
            for (int k = 0; k < op->weight_count; k++)
                weight = weight || !strcmp(op->weights[k]->name, name);
            bool is = way == 0   ? y->flow_name && !strcmp(y->flow_name, name)
                      : way == 1 ? !strcmp(op->name, name) || !strcmp(y->name, name) || twin(y, name)
                      : way == 2 ? dotted(op, name)
                      : way == 3 ? weight
                                 : layer(op, name);
            if (is)
                list_push(m->arena, found, op);
        }
}

static const char *suggestion(const Model *m, const char *name)
{
    const char **words = NEW_ARRAY(m->arena, const char *, m->ops.count * 3 + m->weights.count + 1);
    int n = 0;
    for (int i = 0; i < m->ops.count; i++) {
        const Op *op = m->ops.items[i];
        words[n++] = op->name;
        if (op->writes[0].tensor->flow_name)
            words[n++] = op->writes[0].tensor->flow_name;
        if (op->prefix && *op->prefix)
            words[n++] = op->prefix;
    }
    for (int i = 0; i < m->weights.count; i++)
        words[n++] = ((Weight *)m->weights.items[i])->name;
    return diag_suggestion(m->arena, name, words, n);
}

/* True if `text` contains `name` as a word, or the name of its activation. */
static bool mentions(const char *text, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t n = strlen(name);
    for (const char *at = text; (at = strstr(at, name)) != NULL; at++) {
        bool begins = at == text || !strchr(letters, at[-1]), ends = !at[n] || !strchr(letters, at[n]);
        for (int i = 0; i < 3 && !ends; i++) {
            static const char *const acts[] = { "_relu", "_tanh", "_sigmoid" };
            size_t k = strlen(acts[i]);
            ends = !strncmp(at + n, acts[i], k) && (!at[n + k] || !strchr(letters, at[n + k]));
        }
        if (begins && ends)
            return true;
    }
    return false;
}

/* One axis of a window: its room, padding included, its extent and stride. */
static void axis_rule(Text *out, const char *name, bool first, int64_t room, int64_t extent, int64_t stride)
{
    text_printf(out, "%s%s: (%lld - %lld) / %lld + 1 = %lld", first ? "   " : ", ", name, (long long)room, (long long)extent, (long long)stride,
                (long long)((room - extent) / stride + 1));
}

/* (48 - 3) / 1 + 1 = 46, where a window's size, stride and padding decide. */
static void rule(Text *out, const Op *op)
{
    const Shape *x = op->read_count ? &op->reads[0].tensor->shape : NULL;
    if (op->kind == OP_maxpool) {
        int64_t window[2], stride[2];
        op_pair(window, op, "size");
        op_pair(stride, op, op_attr(op, "stride")->given ? "stride" : "size");
        for (int i = 0; i < 2; i++)
            axis_rule(out, i ? "columns" : "rows", !i, x->dim[i + 1], window[i], stride[i]);
        return;
    }
    if (op->kind != OP_conv && op->kind != OP_conv_pool)
        return;
    Window w = window_of(op);
    for (int i = w.flat; i < 2; i++)
        axis_rule(out, w.flat ? "positions" : i ? "columns" : "rows", i == w.flat, w.x[i] + w.before[i] + w.after[i], window_extent(&w, i), w.stride[i]);
    if (op->kind == OP_conv_pool)
        text_printf(out, ", then pooled 2x2");
}

static void chain(Text *out, const Deck *d, const Op *op)
{
    enum { LONGEST = 64 };
    const Op *steps[LONGEST];
    int n = 0;
    for (const Op *o = op; o && n < LONGEST; o = o->read_count ? o->reads[0].tensor->op : NULL) {
        steps[n++] = o;
        if (o->read_count && (o->reads[0].shift || o->reads[0].tensor->carried))
            break;
    }
    text_printf(out, "  shape     how it came about:\n");
    if (n && steps[n - 1]->read_count) {
        const Tensor *from = steps[n - 1]->reads[0].tensor;
        text_printf(out, "              %-28s %s%s\n", from->name, shape_text(d->m->arena, &from->shape), from->carried ? "   carried from step to step" : "");
    }
    for (int i = n - 1; i >= 0; i--) {
        text_printf(out, "              %-28s %-12s %s", steps[i]->writes[0].tensor->name, shape_text(d->m->arena, &steps[i]->writes[0].tensor->shape), OP_INFO(steps[i])->name);
        rule(out, steps[i]);
        text_printf(out, "\n");
    }
}

static void yaml(Text *out, const Deck *d, Loc at, int from, int to)
{
    const char **line = deck_yaml(d, at)->line;
    for (int k = from; k && k <= to; k++) {
        size_t n = (size_t)(line[k + 1] - line[k]);
        while (n && (line[k][n - 1] == '\n' || line[k][n - 1] == '\r'))
            n--;
        text_printf(out, "  %5d | ", k);
        plain_put(out, arena_copy(d->m->arena, line[k], n));
        text_printf(out, "\n");
    }
}

static void weights(Text *out, const Deck *d, const Op *op)
{
    for (int k = 0; k < op->weight_count; k++) {
        const Weight *w = op->weights[k];
        text_printf(out, "  %-9s %s [%s], %s numbers, %s %.4g%s%s\n", k ? "" : "weights", w->name, shape_text(d->m->arena, &w->shape),
                    count_text(d->m->arena, shape_count(&w->shape)), w->init, w->init_value,
                    w->layout == W_IN_OUT && d->m->lanes > 1 ? "; kept as [in][out], outputs side by side" : "", w->trained ? "" : w->frozen ? "; frozen" : "; not trained: the loss does not depend on it");
    }
}

static void remarks(Text *out, const Deck *d, const Op *op)
{
    bool first = true;
    for (int i = 0; i < d->m->remarks.count; i++) {
        const Remark *r = d->m->remarks.items[i];
        if (!mentions(r->text, op->name) && !mentions(r->text, op->writes[0].tensor->name))
            continue;
        text_printf(out, "  %-9s %s\n", first ? "became" : "", r->text);
        first = false;
    }
}

static void kept(Text *out, const Deck *d, const Card *c)
{
    Model *m = d->m;
    bool elsewhere = false;
    for (int k = 0; k < c->op->write_count; k++) {
        const Tensor *t = tensor_value(c->op->writes[k].tensor);
        if (t->work)
            continue;
        if (t->over) {
            text_printf(out, "  %-9s %s: in the place of %s, which nobody needs as it was\n", k ? "" : "memory", t->name, t->over->name);
            elsewhere = true;
            continue;
        }
        text_printf(out, "  %-9s %s: %s, ", k ? "" : "memory", t->name, bytes_text(m->arena, tensor_bytes(m, t)));
        if (t->local)
            text_printf(out, "in each thread's scratch, within phase %d\n", t->first_phase);
        else
            text_printf(out, "phases %d to %d%s\n", t->first_phase, t->last_phase, t->flow_name ? "; a name of the flow stays to the end of the forward pass" : "");
    }
    if (elsewhere)
        return;
    if (!c->forward)
        text_printf(out, "  kept      only the gradient needs it\n");
    else if (!m->backward_phases.count || !c->kept)
        text_printf(out, "  kept      nothing: backward does not read it again\n");
    else
        text_printf(out, "  kept      %s: backward reads it again\n", bytes_text(m->arena, c->kept));
}

/* Its bit-neutral choices: those of the schedule, or of an outside operator's template (candidate()). */
static void choices(Text *out, const Deck *d, const Op *op)
{
    const List *all = d->m->tuning ? tuning_questions(d->m->tuning) : NULL;
    for (int i = 0; all && i < all->count; i++) {
        const TuningQuestion *q = all->items[i];
        if (!tuning_concerns(q, op->name) || q->choices.count < 2)
            continue;
        text_printf(out, "  choice    %s: %s, %s; the same bits with", q->what, (const char *)q->choices.items[q->chosen], q->chosen ? "measured to be the fastest here" : "by rule");
        for (int k = 0, n = 0; k < q->choices.count; k++)
            if (k != q->chosen)
                text_printf(out, "%s %s", n++ ? "," : "", (const char *)q->choices.items[k]);
        text_printf(out, "\n");
    }
}

/* True if the gradient of the dropout `op` is joined with that of its operand. */
static bool joined(const Model *m, const Op *op)
{
    for_each_op(w, &m->backward)
        if (w.op->share.dropout == op)
            return true;
    return false;
}

/* The other operators that have its functions. */
static void equal_ones(Text *out, const Deck *d, const Op *op)
{
    int n = 0;
    for (int i = 0; i < d->count; i++) {
        const Op *other = d->cards[i].op;
        if (other != op && !strcmp(op_function(other), op_function(op)))
            text_printf(out, "%s%s", n++ ? ", " : "            equal, and so computed by the same functions: ", other->name);
    }
    if (n)
        text_printf(out, "\n");
}

static void card(Text *out, const Deck *d, const Card *c)
{
    Model *m = d->m;
    const Op *op = c->op;
    text_printf(out, "  cost      %s multiply-adds an example forward, %s for its gradients\n", count_text(m->arena, (int64_t)c->macs), count_text(m->arena, (int64_t)c->gradient_macs));
    text_printf(out, "  kernel    %s\n            %s\n", kernel_name(m, op), kernel_reason(m, op));
    tiling_put(out, m, op);
    choices(out, d, op);
    weights(out, d, op);
    for (int k = 0; k < c->sharers.count; k++)
        text_printf(out, "  %-9s %s: the same weights; their gradients are added\n", k ? "" : "shared", ((Card *)c->sharers.items[k])->op->name);
    kept(out, d, c);
    for (int k = 0; k < c->phases.count; k++)
        text_printf(out, "  %-9s %s\n", k ? "" : "runs", (const char *)c->phases.items[k]);
    if (c->forward && !c->backward && !c->weights && m->loss_count && !joined(m, op))
        text_printf(out, "  gradient  nobody needs it\n");
    for (int k = 0; k < c->functions.count; k++) {
        const CardFunction *f = c->functions.items[k];
        text_printf(out, "  %-9s %s.c:%d to %d  %s\n", k ? "" : "C", m->name, f->from, f->to, f->symbol);
    }
    equal_ones(out, d, op);
    for (int k = 0; k < c->calls.count; k++)
        text_printf(out, "%s%lld%s", k ? ", " : "            called at lines ", (long long)*(int64_t *)c->calls.items[k], k + 1 < c->calls.count ? "" : "\n");
}

static void put_lines(Text *out, const char *what, const List *lines)
{
    for (int i = 0; i < lines->count; i++)
        text_printf(out, "  %-9s %s\n", i ? "" : what, (const char *)lines->items[i]);
}

static void one(Text *out, const Deck *d, const Op *op)
{
    Model *m = d->m;
    const Card *c = deck_card(d, op);
    text_printf(out, "%s: %s, ", op->name, OP_INFO(op)->name);
    place_put(out, op->loc);
    text_printf(out, "\n");
    if (c)
        yaml(out, d, op->loc, c->yaml_from, c->yaml_to);
    else
        yaml(out, d, op->loc, op->loc.line, op->loc.line);
    const List formula = card_formula(m, op), gradient = card_derivatives(m, op);
    text_printf(out, "  equation  %s\n", OP_INFO(op)->equation);
    put_lines(out, "formula", &formula);
    put_lines(out, "gradient", &gradient);
    text_printf(out, "  result    %s\n", card_shape(m, op->writes[0].tensor));
    if (c)
        chain(out, d, op);
    if (op->section.word)
        text_printf(out, "  section   %s (%s, %s steps): %s\n", op->section.word, op->section.repeat->name, card_steps(m, op->section.repeat, NULL), op->section.why);
    remarks(out, d, op);
    if (c)
        card(out, d, c);
    else if (op->writes[0].tensor->view_of)
        text_printf(out, "  kernel    none: the same memory under another shape\n");
    else
        text_printf(out, "            no function of its own in the C; the operator it joined has the rest\n");
}

/* True for the products of a cell, and the gates of an lstm. */
static bool of_cell(const Op *op)
{
    return op->kind == OP_lstm_gates || (op->kind == OP_dense && (!strcmp(op->suffix[0], "weight_ih") || !strcmp(op->suffix[0], "weight_hh")));
}

bool explain(Text *out, const Deck *d, const char *name)
{
    Model *m = d->m;
    List found = { 0 };
    collect(m, &found, name);
    if (!found.count) {
        diag_error(m->diag, (Loc){ 0 }, "%s has no layer, value or parameter '%s'%s", m->file->path, name, suggestion(m, name));
        diag_note(m->diag, (Loc){ 0 }, "`spnc show` lists them; a layer that does nothing (dropout at rate 0) is removed and has no name any more");
        return false;
    }
    /* `conv1` in two nets is two layers, an error; of one layer all uses are printed. */
    const Op *first = found.items[0];
    for (int i = 1; i < found.count; i++) {
        const Op *op = found.items[i];
        if (layer(op, name) && layer(first, name) && strcmp(op->prefix, first->prefix) != 0 && strcmp(first->name, name) != 0) {
            diag_error(m->diag, (Loc){ 0 }, "%s has more than one layer '%s': say %s or %s", m->file->path, name, first->prefix, op->prefix);
            return false;
        }
    }
    for (int i = 0; i < found.count; i++) {         /* with a cell, what it is made of */
        const Op *op = found.items[i];
        for (int r = 0; r < op->read_count; r++) {
            Op *maker = op->reads[r].tensor->op;
            if (maker && of_cell(maker) && maker->loc.line == op->loc.line && maker->loc.file == op->loc.file && list_index(&found, maker) < 0)
                list_push(m->arena, &found, maker);
        }
    }
    bool any = false, said = false;
    for (int i = 0; i < found.count; i++)
        any = any || deck_card(d, found.items[i]);
    for (int i = 0; i < found.count; i++) {
        if (any && !deck_card(d, found.items[i]))   /* a fused activation: its remarks are printed */
            continue;
        text_printf(out, "%s", said ? "\n" : "");
        one(out, d, found.items[i]);
        said = true;
    }
    return true;
}
