/* place.c -- tensors in the emitted C: their types, the pointers to them, and how a call names a slice.
 *
 * In: the planned graph.  Used by emit.c and call.c.
 * The convention: v.NAME points to slice 0 of the tensor NAME in the batch's memory, scratch->NAME to a tensor that lives in a thread's
 * scratch.  A slot is exactly its type, NAME_t, unless it is padded to whole vectors or has a guard behind it: then it is a struct NAME_slot
 * with the tensor as its member `of`.  A kernel's own layout has no type but an array of reals. */
#include "emit/place.h"
#include "template/fact.h"
#include <string.h>

static int64_t real_bytes(const Model *m) { return m->options.is_double ? 8 : 4; }

const char *place_element(const Tensor *t)
{
    return t->space == WINNERS ? "uint16_t" : t->space == LABELS_I32 ? "int32_t" : t->space == BYTES ? "uint8_t" : t->space == FLOATS ? "float"
         : t->space == SUMS || t->space == TOTALS ? "double" : "real";
}

static int64_t element_bytes(const Model *m, const Tensor *t)
{
    return t->space == WINNERS ? 2 : t->space == LABELS_I32 ? 4 : t->space == BYTES ? 1 : t->space == FLOATS ? 4 : t->space == SUMS || t->space == TOTALS ? 8 : real_bytes(m);
}

/* Axes of the type without lanes; the last axis of winner masks is their bits, which the plain form does not have. */
static int rank_of(const Model *m, const Tensor *t) { return t->shape.rank - (t->space == WINNERS && m->options.plain); }

/* True if lanes are the last axis of the type; in BYTES and FLOATS they are the first. */
static bool lanes_last(const Model *m, const Tensor *t) { return !m->options.plain && (t->space == REALS || t->space == LABELS_I32); }
static bool lanes_first(const Model *m, const Tensor *t) { return !m->options.plain && (t->space == BYTES || t->space == FLOATS); }

static int64_t type_bytes(const Model *m, const Tensor *t)
{
    int64_t n = element_bytes(m, t) * (lanes_last(m, t) || lanes_first(m, t) ? LANES : 1);
    for (int i = 0; i < rank_of(m, t); i++)
        n *= t->shape.dim[i];
    return n;
}

/* Bytes of a slot behind the tensor itself. */
static int64_t padding(const Model *m, const Tensor *t)
{
    const Tensor *o = tensor_owner(t);
    return o->local || t->space == RAW ? 0 : o->slot_reals * real_bytes(m) - type_bytes(m, t);
}

bool place_padded(const Model *m, const Tensor *t) { return tensor_owner(t)->first_phase >= 0 && t->space != RAW && padding(m, t) > 0; }

/* The member's name: the tensor's, with a _ where that could be a macro of a header (NULL, NAN, M_PI). */
static const char *member(const Model *m, const Tensor *t)
{
    const char *name = t->name;
    bool lower = false;
    for (const char *c = name; *c; c++)
        lower = lower || (*c >= 'a' && *c <= 'z');
    if ((!lower && strlen(name) > 2) || !strncmp(name, "M_", 2) || !strcmp(name, "math_errhandling"))
        name = arena_printf(m->arena, "%s_", name);
    return name;
}

const char *place_slice(const Model *m, const Tensor *t, const char *at)
{
    if (t->stored)
        return arena_printf(m->arena, "weights->%s", t->stored->field);
    if (tensor_owner(t)->local)
        return arena_printf(m->arena, "%sscratch->%s", t->space == RAW ? "" : "*", member(m, t));
    if (tensor_owner(t)->shared && t->space == RAW)
        return arena_printf(m->arena, "v.%s", member(m, t));
    return arena_printf(m->arena, "v.%s[%s]%s", member(m, t), at, padding(m, t) ? ".of" : "");
}

const char *place_count(Model *m, int steps)
{
    const char *one = m->options.plain ? "N" : "G";
    return steps == 1 ? one : arena_printf(m->arena, "%d * %s", steps, one);
}

const char *place_slices(const Model *m, const Tensor *t, const char *at)
{
    const char *sign = at[0] == '-' ? " - " : " + ";
    return arena_printf(m->arena, "v.%s%s%s", member(m, t), !strcmp(at, "0") ? "" : sign, !strcmp(at, "0") ? "" : at + (at[0] == '-'));
}

const char *place_flat(const Model *m, const Tensor *t, const char *at)
{
    int axes = rank_of(m, t) + lanes_last(m, t);
    bool flat = t->space == RAW || ((t->space == REALS || t->space == PARTS) && axes < 2);
    return arena_printf(m->arena, "%s%s", flat ? "" : "(real *)", place_slice(m, t, at));
}

const char *place_size(const Model *m, int64_t bytes)
{
    if (bytes < 1024)
        return arena_printf(m->arena, "%lld bytes", (long long)bytes);
    double k = (double)bytes / 1024;
    return k < 1024 ? arena_printf(m->arena, k < 10 ? "%.1f KiB" : "%.0f KiB", k) : arena_printf(m->arena, "%.1f MiB", k / 1024);
}

/* "[16][32][32][L]" */
static const char *type_dims(const Model *m, const Tensor *t)
{
    Text dims = { .arena = m->arena };
    for (int k = 0; k < rank_of(m, t); k++)
        text_printf(&dims, "[%lld]", (long long)t->shape.dim[k]);
    return arena_printf(m->arena, "%s%s%s", lanes_first(m, t) ? "[L]" : "", dims.text ? dims.text : "", lanes_last(m, t) ? "[L]" : dims.text ? "" : "[1]");
}

static Fact *type_fact(Model *m, const Tensor *t)
{
    Fact *f = fact_table(m->arena);
    fact_text(f, "type", tensor_type(m, t));
    fact_text(f, "element", place_element(t));
    fact_text(f, "dims", type_dims(m, t));
    fact_text(f, "slot", padding(m, t) ? arena_printf(m->arena, "%s_slot", t->name) : "");
    fact_text(f, "behind", tensor_owner(t)->guarded ? "guard" : "padding");
    fact_int(f, "padding", padding(m, t));
    fact_text(f, "about", t->space == BYTES && padding(m, t) ? "     /* read by words of four bytes, the last of which go on behind it */" : "");
    return f;
}

bool place_pads(const Model *m)
{
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (tensor_owner(t)->first_phase >= 0 && t->space != RAW && padding(m, t))
            return true;
    }
    return false;
}

Fact *place_types(Model *m)
{
    Fact *list = fact_table(m->arena);
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        if (tensor_owner(t)->first_phase >= 0 && t->space != RAW)
            fact_push(list, type_fact(m, t));
    }
    return list;
}

const char *place_shape_type(const Model *m, const Tensor *t)
{
    Text name = { .arena = m->arena };
    const char *element = t->space == PARTS ? "part" : place_element(t), *end = strstr(element, "_t");
    text_add(&name, element, end ? (size_t)(end - element) : strlen(element));
    for (int k = 0; k < rank_of(m, t); k++)
        text_printf(&name, "%s%lld", k ? "x" : "_", (long long)t->shape.dim[k]);
    if (!rank_of(m, t))
        text_printf(&name, "_scalar");          /* not real_1, which has an axis of length 1 before its lanes */
    return name.text;
}

void place_shape_fact(Model *m, Fact *list, const Tensor *t)
{
    const char *type = place_shape_type(m, t);
    for (int i = 0; i < list->items.count; i++)
        if (!strcmp(fact_get(list->items.items[i], "type")->text, type))
            return;
    Fact *f = fact_table(m->arena);
    fact_text(f, "type", type);
    fact_text(f, "element", place_element(t));
    fact_text(f, "dims", type_dims(m, t));
    fact_push(list, f);
}

static int by_use(const Tensor *a, const Tensor *b)
{
    if (a->local != b->local)
        return a->local - b->local;
    return a->first_phase != b->first_phase ? a->first_phase - b->first_phase : a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* The tensors that have a place, in the order of their owners' first use: those of the batch, then those of a scratch.  Returns their number. */
static int in_order(Model *m, Tensor ***out)
{
    int n = 0;
    Tensor **order = *out = NEW_ARRAY(m->arena, Tensor *, m->tensors.count + 1);
    for (int i = 0; i < m->tensors.count; i++) {
        Tensor *t = m->tensors.items[i];
        if (tensor_owner(t)->first_phase < 0)
            continue;
        int at = n++;
        while (at > 0 && by_use(tensor_owner(t), tensor_owner(order[at - 1])) < 0)
            order[at] = order[at - 1], at--;
        order[at] = t;
    }
    return n;
}

const char *place_name(const Model *m, const Tensor *t) { return arena_printf(m->arena, "%s%s", tensor_owner(t)->local ? "scratch->" : "v.", member(m, t)); }

const char *place_declaration(const Model *m, const Tensor *t)
{
    const Tensor *o = tensor_owner(t);
    if (t->space == RAW)
        return o->local || o->shared ? arena_printf(m->arena, "real *%s", member(m, t)) : arena_printf(m->arena, "real (*%s)[%lld]", member(m, t), (long long)o->slot_reals);
    return arena_printf(m->arena, "%s_%s *%s", t->name, padding(m, t) ? "slot" : "t", member(m, t));
}

/* "2G", "-G", "0": a number of groups, in the plain form of examples. */
static const char *groups(Model *m, int n)
{
    const char *one = m->options.plain ? "N" : "G";
    return !n ? "0" : n == 1 ? one : n == -1 ? arena_printf(m->arena, "-%s", one) : arena_printf(m->arena, "%d%s", n, one);
}

/* The reals of a tensor with a place of its own. */
static void range_of(const Model *m, const Tensor *o, int64_t *from, int64_t *to)
{
    *from = o->offset, *to = o->offset + o->slot_reals;
    if (!o->local)
        tensor_range(m, o, from, to);
}

/* Appends which other tensors have some of the reals from `from` to `to`. */
static void put_neighbours(const Model *m, Text *text, const Tensor *o, int64_t from, int64_t to)
{
    bool first = true;
    for (int i = 0; i < m->tensors.count; i++) {
        const Tensor *t = m->tensors.items[i];
        int64_t low, high;
        if (t == o || tensor_owner(t) != t || t->first_phase < 0 || t->stored || t->local != o->local)
            continue;
        range_of(m, t, &low, &high);
        if (low < to && from < high)
            text_printf(text, "%s%s", first ? "; with " : ", ", member(m, t)), first = false;
    }
}

/* The operator of the backward pass that writes t; NULL: none. */
static const Op *gradient_maker(Model *m, const Tensor *t)
{
    for_each_op(w, &m->backward) {
        for (int k = 0; k < w.op->write_count; k++)
            if (w.op->writes[k].tensor == t && w.op->kind != OP_fill)
                return w.op;
    }
    return NULL;
}

/* Where a gradient comes from, since a value has one by each of its readers: "by A", "d_h + d_h_2 of the next step"; "": it is none of a value. */
static const char *origin(Model *m, const Tensor *t)
{
    const Op *maker = gradient_maker(m, t);
    if (!maker || t->space != REALS)
        return "";
    if (maker->kind == OP_sum_steps || maker->kind == OP_sum_slices)
        return arena_printf(m->arena, "%s of all steps; ", maker->reads[0].tensor->name);
    if (maker->pass == BACKWARD)
        return arena_printf(m->arena, "by %s%s; ", maker->name, t->tail ? ", for the step before" : "");
    Text sum = { .arena = m->arena };
    for (int k = 0; k < maker->read_count; k++)
        text_printf(&sum, "%s%s%s", k ? " + " : "", maker->reads[k].tensor->name, maker->reads[k].shift ? " of the next step" : "");
    return maker->read_count ? arena_printf(m->arena, "%s; ", sum.text) : "";
}

static const char *note(Model *m, const Tensor *t)
{
    const Tensor *o = tensor_owner(t);
    if (t->view_of)
        return arena_printf(m->arena, "%s again", t->view_of->name);
    if (t->over)
        return arena_printf(m->arena, "%sin the place of %s", origin(m, t), t->over->name);
    int64_t from, to;
    range_of(m, o, &from, &to);
    Text text = { .arena = m->arena };
    text_printf(&text, "%sreals %lld to %lld, %s", origin(m, t), (long long)from, (long long)to, place_size(m, (to - from) * real_bytes(m)));
    if (from != o->offset)
        text_printf(&text, ", [0] at %lld", (long long)o->offset);
    put_neighbours(m, &text, o, from, to);
    return text.text;
}

/* A member of the struct of places with its comment: beside it at column `wide`, or below where the line would be too long. */
static const char *member_line(Model *m, const Tensor *t, const char *range, int wide)
{
    const char *declaration = arena_printf(m->arena, "    %s;", place_declaration(m, t));
    const char *shape = t->space != RAW ? shape_text(m->arena, &t->shape) : t->work ? "working memory" : "a kernel's own layout";
    const char *about = arena_printf(m->arena, "/* %s%s%s: %s */", range, *range ? "  " : "", shape, note(m, t));
    int gap = wide + 6 - (int)strlen(declaration);
    const char *beside = arena_printf(m->arena, "%s%*s%s", declaration, gap > 1 ? gap : 1, "", about);
    return strlen(beside) <= 120 ? beside : arena_printf(m->arena, "%s\n        %s", declaration, about);
}

void place_members(Model *m, Fact *f, bool local)
{
    Tensor **order;
    int n = in_order(m, &order), wide = 0;
    Fact *list = fact_table(m->arena);
    for (int i = 0; i < n; i++) {
        int width = (int)strlen(place_declaration(m, order[i]));
        if (tensor_owner(order[i])->local == local && width < 40)
            wide = width > wide ? width : wide;
    }
    for (int i = 0; i < n; i++) {
        if (tensor_owner(order[i])->local != local)
            continue;
        Tensor *t = order[i], *o = tensor_owner(t);
        Fact *x = fact_table(m->arena);
        int first = -tensor_front(o);
        const char *range = o->local || (o->shared && o->slots == 1) ? "" : o->shared ? arena_printf(m->arena, "[0 .. %d)", o->slots) : arena_printf(m->arena, "[%s .. %s)", groups(m, first), groups(m, o->slots + first));
        fact_text(x, "name", t->name);
        fact_text(x, "member", member(m, t));
        fact_text(x, "line", member_line(m, t, range, wide));
        fact_bool(x, "raw", t->space == RAW);
        fact_int(x, "steps", o->brief ? o->brief > 1 ? o->brief : 0 : o->repeat ? steps_all(o->repeat) : 0);
        fact_int(x, "offset", o->offset);
        fact_push(list, x);
    }
    fact_set(f, local ? "own_places" : "places", list);
}
