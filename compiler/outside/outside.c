/* outside.c -- operators from outside: each description in the folder of --templates becomes one more row of op_table.
 *
 * In: NAME.op.lua, NAME_plain.c.in, NAME_fast.c.in.  Out: an OpInfo whose functions read the description (describe.c), so that every
 * stage treats the operator as a built-in one.  The one convention: an operator's name is its file's.  From a description only identifiers
 * and numbers get into the emitted C; the templates are the user's own C. */
#define _POSIX_C_SOURCE 200809L
#include "outside/outside.h"
#include "graph/attr.h"
#include "read/language.h"
#include "template/template.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char ENDING[] = ".op.lua";

/* ---- functions of OpInfo, called by the stages ---- */

static bool infer(Model *m, Op *op)
{
    const Outside *o = outside_of(op->kind);
    if (!(op->outside = describe_use(m, op)))
        return false;
    op->writes[0].tensor->shape = op->outside->y;
    for (int i = 0; i < o->parameter_count; i++) {
        const Part *p = &o->parameters[i];
        const Attr *init = p->init_by ? op_attr(op, p->init_by) : &p->init;
        if (initialiser_named(init->word)->units)
            return shape_refuse(m, op, "the initialiser %s is for a dense layer", init->word);
        if (!weight_start(m, op, p->name, op->outside->parameters[i], W_EXPORTED, init, false))
            return false;
    }
    return true;
}

static void give(Op *to, Op *op, const Gives *list, int count)
{
    for (int i = 0; i < count; i++) {
        const Gives *g = &list[i];
        if (g->kind == GIVES_PARAMETER)
            to->weights[to->weight_count++] = op->weights[g->index];
        else if (g->kind == GIVES_RESULT || g->kind == GIVES_KEPT)
            op_read(to, op->writes[g->kind == GIVES_KEPT ? 1 + g->index : 0].tensor, 0);
        else
            for (int k = 0; k < op->read_count; k++)
                if (g->kind == GIVES_INPUTS || g->index == k)
                    op_read(to, op->reads[k].tensor, op->reads[k].shift);
    }
}

static void grad(Model *m, Op *op, Use dy)
{
    const Outside *o = outside_of(op->kind);
    Tensor *y = op->writes[0].tensor;
    for (int i = 0; i < o->keep_count; i++) {
        Tensor *kept = tensor_new(m, arena_printf(m->arena, "%s_%s", op->name, o->keeps[i].name), op->loc, y->repeat);
        kept->shape = op->outside->keeps[i];
        op_write(op, kept, 0);
        op->grad.keeps = true;
    }
    Op *w = grad_weights(m, op, dy);
    if (w)
        give(w, op, o->weights, o->weights_count);
    Op *b = grad_backward(m, op, dy);
    if (b)
        give(b, op, o->backward, o->backward_count);
}

static void facts(const Model *m, const Op *op, Fact *f)
{
    const Outside *o = outside_of(op->kind);
    Fact *parameters = fact_table(m->arena);
    for (int i = 0; i < op->weight_count; i++) {
        Fact *p = fact_table(m->arena), *dims = fact_table(m->arena);
        const Shape *s = &op->weights[i]->shape;
        for (int k = 0; k < s->rank; k++)
            fact_push_int(dims, s->dim[k]);
        fact_text(p, "name", o->parameters[i].name);
        fact_set(p, "dims", dims);
        fact_int(p, "count", shape_count(s));
        fact_push(parameters, p);
    }
    fact_set(f, "attrs", outside_attrs(m->arena, op));
    fact_set(f, "parameters", parameters);
    fact_bool(f, "keep", op->grad.keeps);
}

static double macs(const Op *op)
{
    return op->outside->macs;
}

Tensor *outside_kink(const Op *op)
{
    const Outside *o = outside_of(op->kind);
    if (!o || o->kink < 0)
        return NULL;
    const Gives *g = &o->backward[o->kink];
    return g->kind == GIVES_INPUTS ? op->reads[0].tensor : g->kind == GIVES_RESULT ? op->writes[0].tensor : op->grad.keeps ? op->writes[1 + g->index].tensor : NULL;
}

/* ---- the folder ---- */

static uint64_t hash_bytes(uint64_t h, const Source *s)
{
    for (size_t i = 0; i < s->length; i++)
        h = (h ^ (unsigned char)s->text[i]) * 0x100000001b3u;
    return (h ^ 0xff) * 0x100000001b3u;                       /* no byte of UTF-8: where one ends */
}

/* The template, and each of the same folder that it names in quotes, once. */
static uint64_t hash_template(Arena *a, const char *dir, List *done, const char *name, const Source *s, uint64_t h)
{
    list_push(a, done, (void *)(uintptr_t)name);
    h = hash_bytes(h, s);
    for (const char *open = s->text; (open = strchr(open, '"')) != NULL; open++) {
        size_t n = strcspn(open + 1, "\"\n");
        const char *other = arena_copy(a, open + 1, n);
        Source included;
        bool known = n < 4 || strcmp(other + n - 3, ".in") != 0 || strchr(other, '/') || access(arena_printf(a, "%s/%s", dir, other), R_OK)
                     || template_load(a, dir, other, &included);
        for (int i = 0; !known && i < done->count; i++)
            known = !strcmp(done->items[i], other);
        if (!known)
            h = hash_template(a, dir, done, other, &included, h);
    }
    return h;
}

static bool wrong(Diag *d, Loc at, const char *format, const char *a, const char *b)
{
    diag_error(d, at, format, a, b);
    return false;
}

static Loc first_line(const Outside *o) { return (Loc){ .line = 1, .file = &o->source }; }

static bool load_template(Arena *a, Diag *d, const char *dir, const Outside *o, const char *form, OutsideTemplate *t)
{
    t->name = arena_printf(a, "%s_%s.c.in", o->info.name, form);
    const char *why = template_load(a, dir, t->name, &t->source);
    return !why || wrong(d, first_line(o), "'%s' needs the template '%s' beside its description", o->info.name, t->name);
}

/* The kind of thing that the language already names `name`; NULL: the name is free. */
static const char *taken(const char *name)
{
    for (int k = 0; k < op_count; k++) {
        if (!strcmp(op_table[k]->name, name))
            return "an operator";
        for (const AttrSpec *s = k < OP_COUNT ? op_table[k]->attrs : NULL; s && s->name; s++)
            if (!strcmp(s->name, name))
                return "an attribute of operators";
    }
    if (optimiser_named(name))
        return "an optimiser";
    if (initialiser_named(name))
        return "an initialiser";
    return !strcmp(name, map_repeat.name) ? "a word of the flow" : NULL;
}

static bool read_one(Arena *a, Diag *d, const char *dir, const char *file)
{
    Outside *o = NEW(a, Outside);
    if (template_load(a, dir, file, &o->source))
        return wrong(d, (Loc){ 0 }, "the description '%s/%s' cannot be read", dir, file);
    o->info = (OpInfo){ .name = arena_copy(a, file, strlen(file) - strlen(ENDING)), .attrs = o->attrs, .infer = infer, .grad = grad, .facts = facts, .macs = macs,
                        .help = &o->help };
    if (!name_check(&(Model){ .arena = a, .diag = d }, first_line(o), o->info.name))
        return false;
    if (taken(o->info.name))
        return wrong(d, first_line(o), "'%s' is %s already: the operator, and so its files, need another name", o->info.name, taken(o->info.name));
    if (op_count == OP_NONE)
        return wrong(d, first_line(o), "%s%s: a folder holds at most 64 operators", o->info.name, "");
    bool good = describe(a, d, o);
    good = load_template(a, d, dir, o, "plain", &o->plain) && good;
    good = load_template(a, d, dir, o, "fast", &o->fast) && good;
    if (!good)
        return false;
    List done = { 0 };
    o->hash = hash_bytes(0xcbf29ce484222325u, &o->source);
    o->hash = hash_template(a, dir, &done, o->plain.name, &o->plain.source, o->hash);
    o->hash = hash_template(a, dir, &done, o->fast.name, &o->fast.source, o->hash);
    op_table[op_count++] = &o->info;
    return true;
}

/* An entry of the flow has one key that names an operator: no attribute may. */
static bool attributes_apart(Diag *d)
{
    bool good = true;
    for (int k = OP_COUNT; k < op_count; k++)
        for (const AttrSpec *s = op_table[k]->attrs; s->name; s++)
            for (int i = 0; i < op_count; i++)
                if (!strcmp(s->name, op_table[i]->name))
                    good = wrong(d, description_place(&outside_of((OpKind)k)->source, s->name), "the attribute '%s' of '%s' bears an operator's name", s->name, op_table[k]->name);
    return good;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool outside_read(Arena *a, Diag *d, const char *dir)
{
    op_count = OP_COUNT;
    if (!dir || !*dir)
        return true;
    DIR *folder = opendir(dir);
    if (!folder)
        return wrong(d, (Loc){ 0 }, "the folder '%s' of --templates cannot be read: %s", dir, strerror(errno));
    List files = { 0 };
    for (struct dirent *e; (e = readdir(folder)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n > strlen(ENDING) && e->d_name[0] != '.' && strcmp(e->d_name + n - strlen(ENDING), ENDING) == 0)
            list_push(a, &files, arena_copy(a, e->d_name, n));
    }
    closedir(folder);
    if (files.count)
        qsort(files.items, (size_t)files.count, sizeof *files.items, by_name);
    bool good = true;
    for (int i = 0; i < files.count; i++)
        good = read_one(a, d, dir, files.items[i]) && good;
    return attributes_apart(d) && good;
}
