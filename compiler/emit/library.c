/* library.c -- the texts of a library's folder: the net as a function, its header, a Makefile, an example, and a package for Python.
 *
 * In: the planned forward pass and its facts.  Out: m->c, m->header, m->makefile, m->example, m->python.  Next: library/, which writes the weights.
 * The library has no threads: the lines `#pragma omp` of operators' templates are left out. */
#include "emit/library.h"
#include "base/folder.h"
#include "emit/place.h"
#include "emit/tidy.h"
#include "emit/words.h"
#include "emit/wrap.h"
#include "files/version.h"
#include "lower/latency.h"
#include "schedule/target.h"
#include "template/fact.h"
#include "template/template.h"
#include <string.h>

enum { POINTER = 8, ALIGN = 64 };

uint64_t library_layout(const Model *m)
{
    Text t = { .arena = m->arena };
    text_printf(&t, "%s %s\n", m->options.is_double ? "double" : "float", m->options.latency ? "latency" : m->options.plain ? "plain" : "lanes");
    for (int i = 0; i < m->weights.count; i++) {
        const Weight *w = m->weights.items[i];
        const Shape *y = w->made_for ? &w->made_for->writes[0].tensor->shape : &w->shape;
        text_printf(&t, "%s %s %d %lld %lld %s\n", w->name, shape_text(m->arena, &w->shape), (int)w->layout, (long long)w->stride,
                    (long long)w->offset, shape_text(m->arena, y));
    }
    return bytes_sum(t.text, t.length);
}

/* ---- facts -------------------------------------------------------------------------------------------------------- */

static const char *upper(Model *m, const char *name)
{
    char *id = arena_copy(m->arena, name, strlen(name));
    for (char *c = id; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    return id;
}

/* "[3][10]" */
static const char *dims_text(Model *m, const Repeat *steps, const Shape *s)
{
    Text t = { .arena = m->arena };
    for (int k = 1; k <= repeat_level(steps); k++)
        text_printf(&t, "[%d]", repeat_at(steps, k)->steps);
    for (int i = 0; i < s->rank; i++)
        text_printf(&t, "[%lld]", (long long)s->dim[i]);
    return t.text ? t.text : "";
}

/* "(3, 10)", a tuple of Python */
static const char *tuple_text(Model *m, const Repeat *steps, const Shape *s)
{
    Text t = { .arena = m->arena };
    const int axes = repeat_level(steps) + s->rank;
    for (int k = 1; k <= repeat_level(steps); k++)
        text_printf(&t, "%d, ", repeat_at(steps, k)->steps);
    for (int i = 0; i < s->rank; i++)
        text_printf(&t, "%lld, ", (long long)s->dim[i]);
    return arena_printf(m->arena, "(%.*s)", axes ? (int)t.length - (axes == 1 ? 1 : 2) : 0, t.text ? t.text : "");
}

/* True if an operator loads the input. */
static bool is_read(const Model *m, const DataDef *d)
{
    for_each_op(w, &m->forward)
        if ((w.op->kind == OP_load || w.op->kind == OP_load_bytes) && w.op->data == d)
            return true;
    return false;
}

static bool is_image(const DataDef *d) { return d->type == 0 && d->shape.rank == 3; }

/* The member in which the state d comes out: another than that in which it goes in where their neighbours meet with them in C. */
static const char *comes_out(const DataDef *d, const Fact *outputs)
{
    for (int i = 0; d->state && i < outputs->items.count; i++)
        if (strcmp(fact_get(outputs->items.items[i], "name")->text, d->name) == 0)
            return fact_get(outputs->items.items[i], "member")->text;
    return "";
}

/* ", `class` of the model" behind a member that has another name than the model's. */
static const char *called(Model *m, const char *name, const Fact *f)
{
    return strcmp(name, fact_get(f, "member")->text) ? arena_printf(m->arena, ", `%s` of the model", name) : "";
}

static Fact *input_fact(Model *m, const DataDef *d, const Fact *others, const Fact *outputs)
{
    Fact *f = fact_table(m->arena);
    const bool byte = d->type == 0, image = is_image(d);
    const int64_t *n = d->shape.dim;
    fact_text(f, "name", d->name);
    fact_text(f, "member", library_member(m, d->name, true, others));
    const char *real = m->options.is_double ? "double" : "float";
    fact_text(f, "type", byte ? "uint8_t" : d->type == 2 ? "int32_t" : d->state ? real : "float");
    fact_bool(f, "state", d->state);
    fact_text(f, "comes_out", comes_out(d, outputs));
    fact_text(f, "stored", byte ? "|u1" : d->type == 2 ? "<i4" : "<f4");
    fact_text(f, "dims", dims_text(m, NULL, &d->shape));
    fact_text(f, "tuple", tuple_text(m, NULL, &d->shape));
    fact_text(f, "numpy", byte ? "uint8" : d->type == 2 ? "int32" : d->state && m->options.is_double ? "float64" : "float32");
    fact_bool(f, "read", is_read(m, d));
    fact_text(f, "note",
              d->state         ? ", before the step; NULL: as before the first"
              : !is_read(m, d) ? ", not read for these outputs"
              : byte           ? ", read as x / 255"
              : d->type == 2   ? arena_printf(m->arena, ", whole numbers from 0 to %lld; others count as the nearest of these",
                                              (long long)d->classes - 1)
                               : "");
    fact_text(f, "called", called(m, d->name, f));
    fact_int(f, "size", shape_count(&d->shape));
    fact_int(f, "bytes", byte ? 1 : 4);
    fact_bool(f, "image", image);
    fact_text(f, "axes", image ? arena_printf(m->arena, "%lld, %lld, %lld", (long long)n[0], (long long)n[1], (long long)n[2]) : "0, 0, 0");
    return f;
}

static Fact *output_fact(Model *m, const Tensor *t, const Fact *others)
{
    Fact *f = fact_table(m->arena);
    const Tensor *owner = tensor_owner(t);
    const Repeat *written = t->hoisted ? t->hoisted : t->repeat;
    const int64_t steps = written ? steps_all(written) : 0, size = shape_count(&t->shape);
    Fact *repeats = fact_table(m->arena);
    for (int k = 1; repeat_level(written) > 1 && k <= repeat_level(written); k++)
        fact_push_int(repeats, repeat_at(written, k)->steps);
    fact_text(f, "name", t->flow_name);
    fact_text(f, "member", library_member(m, t->flow_name, false, others));
    fact_text(f, "type", m->options.is_double ? "double" : "float");
    fact_text(f, "dims", dims_text(m, m->options.step ? NULL : written, &t->shape));
    fact_text(f, "tuple", tuple_text(m, m->options.step ? NULL : written, &t->shape));
    fact_text(f, "numpy", m->options.is_double ? "float64" : "float32");
    fact_text(f, "note", m->options.step && t->carried ? ", after the step; may be the array that it came in" : "");
    fact_text(f, "called", called(m, t->flow_name, f));
    fact_bool(f, "state", m->options.step && t->carried);
    fact_set(f, "repeats", repeats);
    fact_int(f, "kept", repeat_level(t->repeat));
    fact_int(f, "each", size * (steps ? steps : 1));
    fact_int(f, "row", t->shape.rank ? t->shape.dim[t->shape.rank - 1] : 1);
    fact_int(f, "size", size);
    fact_int(f, "steps", steps ? steps : 1);
    fact_int(f, "step", t->repeat ? m->groups : 0);       /* of a repeat in a repeat: between places */
    fact_int(f, "offset", owner->offset);
    fact_int(f, "slot", owner->slot_reals);
    return f;
}

static int64_t up(int64_t n) { return (n + ALIGN - 1) / ALIGN * ALIGN; }

void library_facts(Model *m, Fact *f)
{
    Fact *x = fact_table(m->arena), *inputs = fact_table(m->arena), *outputs = fact_table(m->arena), *files = fact_table(m->arena);
    Fact *states = fact_table(m->arena), *needed = fact_table(m->arena);
    bool nested = false;
    for (int i = 0; i < m->outputs.count; i++) {
        const Tensor *t = m->outputs.items[i];
        nested = nested || repeat_level(t->hoisted ? t->hoisted : t->repeat) > 1;
        fact_push(outputs, output_fact(m, m->outputs.items[i], outputs));
    }
    fact_bool(x, "nested", nested);
    for (int i = 0; i < m->input_count; i++) {
        Fact *input = input_fact(m, &m->inputs[i], inputs, outputs);
        fact_push(inputs, input);
        fact_push(m->inputs[i].state ? states : files, input);
        if (!m->inputs[i].state && is_read(m, &m->inputs[i]))
            fact_push(needed, input);
    }
    const int64_t head = up(POINTER * (1 + m->options.portable + m->input_count * m->batch)), real = m->options.is_double ? 8 : 4;
    fact_text(x, "upper", upper(m, m->name));
    const int64_t behind = m->options.latency ? LANES : 0;        /* a vec of points may begin at the last one */
    m->workspace = up(head + (m->activation_reals + m->scratch_reals + behind) * real);
    fact_int(x, "memory", m->workspace);
    fact_text(x, "real", m->options.is_double ? "double" : "float");
    fact_text(x, "body", m->options.portable ? m->options.target : "");
    fact_text(x, "suffix", m->options.portable ? arena_printf(m->arena, "_%s", m->options.target) : "");
    fact_set(x, "bodies", fact_table(m->arena));
    fact_int(x, "block_reals", m->weights.count ? m->block_reals : 1);
    fact_text(x, "magic", arena_printf(m->arena, "%016llx", (unsigned long long)LIBRARY_MAGIC));
    fact_text(x, "layout", arena_printf(m->arena, "%016llx", (unsigned long long)library_layout(m)));
    fact_bool(x, "compiled", m->options.weights != NULL);
    fact_text(x, "version", arena_printf(m->arena, SPN_VERSION "+%016llx", (unsigned long long)m->hash));
    bool images = false, padded = false, rest = false, takes = false, pools = false;
    for (int i = 0; i < m->input_count; i++)
        images = images || is_image(&m->inputs[i]);
    for (int i = 0; i < m->tensors.count; i++)
        padded = padded || place_padded(m, m->tensors.items[i]);
    fact_bool(x, "images", images);
    fact_bool(x, "padded", padded);
    for_each_op(w, &m->forward) {
        const Latency *l = w.op->kernel.latency;
        const bool extras = w.op->stores.then && w.op->read_count > w.op->stores.reads;
        takes = takes || (l && (l->kind == BY_TILES || l->kind == BY_OUTPUTS) && extras);
        rest = rest || (l && (l->kind == BY_TILES || (l->kind == BY_OUTPUTS && l->M % LANES)));
        pools = pools || (l && l->kind == BY_ROWS);
    }
    fact_bool(x, "latency", m->options.latency), fact_bool(x, "rest", rest), fact_bool(x, "takes", takes), fact_bool(x, "pools", pools);
    fact_set(x, "inputs", inputs);
    fact_set(x, "files", files), fact_set(x, "states", states), fact_set(x, "needed", needed), fact_bool(x, "step", m->options.step);
    fact_set(x, "outputs", outputs);
    fact_set(f, "library", x);
}

/* ---- texts -------------------------------------------------------------------------------------------------------- */

static void without_pragmas(Text *t)
{
    char *to = t->text;
    for (const char *line = t->text; line && *line;) {
        const char *end = strchr(line, '\n');
        const size_t n = end ? (size_t)(end - line) + 1 : strlen(line);
        if (strncmp(line + strspn(line, " "), "#pragma omp", 11) != 0) {
            memmove(to, line, n);
            to += n;
        }
        line += n;
    }
    if (t->text) {
        *to = '\0';
        t->length = (size_t)(to - t->text);
    }
}

static bool expand(Model *m, const char *name, const Fact *f, Text *text)
{
    *text = (Text){ .arena = m->arena };
    return template_expand(m->arena, m->diag, m->templates, name, m->name, f, m->tuning, text);
}

/* What stands around the net: header, Makefile and example, and the package for Python. */
static bool surround(Model *m, const Fact *f)
{
    if (!expand(m, "library.h.in", f, &m->header) || !expand(m, "library_make.in", f, &m->makefile) ||
        !expand(m, "library_example.c.in", f, &m->example))
        return false;
    if (m->options.python && (!expand(m, "library_python.py.in", f, &m->python.package) || !expand(m, "library_wheel.py.in", f, &m->python.wheel) ||
                              !expand(m, "library_pyproject.in", f, &m->python.project)))
        return false;
    wrap(&m->example);
    return true;
}

bool library_emit(Model *m, Fact *f)
{
    if (!library_name_fits(m))
        return false;
    library_facts(m, f);
    m->facts = f;
    if (!expand(m, "library.c.in", f, &m->c) || (!m->options.portable && !surround(m, f)))
        return false;
    without_pragmas(&m->c);
    tidy(&m->c, !m->templates);
    return true;
}

bool library_front(Model *m, Model *const *bodies, int count)
{
    Fact *x = (Fact *)(uintptr_t)fact_get(m->facts, "library"), *list = fact_table(m->arena);
    for (int i = 0; i < count; i++) {
        const char *target = bodies[i]->options.target;
        Fact *b = fact_table(m->arena);
        fact_text(b, "target", target);
        fact_text(b, "flags", target_named(target)->flags);
        fact_int(b, "level", target_named(target)->level);
        fact_bool(b, "fast", target_named(target)->level > 0 && !m->options.plain);
        fact_push(list, b);
        m->workspace = bodies[i]->workspace > m->workspace ? bodies[i]->workspace : m->workspace;
    }
    fact_set(x, "bodies", list);
    fact_int(x, "memory", m->workspace);
    if (!expand(m, "library_portable.c.in", m->facts, &m->front) || !surround(m, m->facts))
        return false;
    wrap(&m->front);
    return true;
}
