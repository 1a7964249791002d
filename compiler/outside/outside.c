/* outside.c -- described operators: each description, of a user's folder or of spnc's own, becomes one more row of op_table.
 *
 * In: NAME.op.lua, NAME_plain.c.in, NAME_fast.c.in.  Out: an OpInfo whose functions read the description (describe.c), so that every
 * stage treats the operator as a built-in one.  The one convention: an operator's name is its file's.  From a description only identifiers
 * and numbers get into the emitted C; the templates are the user's own C. */
#define _POSIX_C_SOURCE 200809L
#include "outside/outside.h"
#include "base/embed.h"
#include "base/folder.h"
#include "graph/attr.h"
#include "read/language.h"
#include "template/template.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char ENDING[] = ".op.lua";
enum { FOLDER_MOST = 64 };      /* operators of a user's folder */

/* ---- functions of OpInfo, called by the stages ---- */

/* The place in op->weights of parameter `index` of its description; -1: this operator has none. */
static int weight_of(const Op *op, int index)
{
    const Part *p = outside_of(op->kind)->parameters;
    int at = 0;
    for (int i = 0; i < index; i++)
        at += outside_present(op, &p[i]);
    return outside_present(op, &p[index]) ? at : -1;
}

static bool infer(Model *m, Op *op)
{
    const Outside *o = outside_of(op->kind);
    if (!(op->outside = describe_use(m, op)))
        return false;
    op->writes[0].tensor->shape = op->outside->y;
    for (int i = 0; i < o->parameter_count; i++) {
        const Part *p = &o->parameters[i];
        if (!outside_present(op, p))
            continue;
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
        const int weight = g->kind == GIVES_PARAMETER ? weight_of(op, g->index) : -1;
        if (weight >= 0)
            to->weights[to->weight_count++] = op->weights[weight];
        else if (g->kind == GIVES_PARAMETER)
            continue;
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
    for (int i = 0; i < o->parameter_count; i++) {
        const int weight = weight_of(op, i);
        if (weight < 0)
            continue;
        Fact *p = fact_table(m->arena), *dims = fact_table(m->arena);
        const Shape *s = &op->weights[weight]->shape;
        Text array = { .arena = m->arena };
        for (int k = 0; k < s->rank; k++)
            fact_push_int(dims, s->dim[k]), text_printf(&array, "[%lld]", (long long)s->dim[k]);
        fact_text(p, "name", o->parameters[i].name);
        fact_text(p, "array", s->rank ? array.text : "[1]");
        fact_set(p, "dims", dims);
        fact_int(p, "count", shape_count(s));
        fact_push(parameters, p);
    }
    fact_set(f, "attrs", outside_attrs(m->arena, op));
    fact_set(f, "facts", forward_of(op)->outside->facts);
    fact_set(f, "parameters", parameters);
    fact_bool(f, "keep", op->grad.keeps);
}

static double macs(const Op *op)
{
    return op->outside->macs;
}

Use outside_kink(const Op *op)
{
    const Outside *o = outside_of(op->kind);
    const Use none = { NULL, 0 };
    if (!o || o->kink < 0)
        return none;
    const Gives *g = &o->backward[o->kink];
    return g->kind == GIVES_INPUTS ? op->reads[0] : g->kind == GIVES_RESULT ? op->writes[0] : op->grad.keeps ? op->writes[1 + g->index] : none;
}

Use outside_choice(const Op *op)
{
    const Outside *o = outside_of(op->kind);
    return o && o->choice >= 0 && op->grad.keeps ? op->writes[1 + o->choice] : (Use){ NULL, 0 };
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
    for (int k = 0; k < op_count; k++)
        if (op_table[k]->help && !strcmp(op_table[k]->name, name))
            return "an operator";
    if (optimiser_named(name))
        return "an optimiser";
    if (initialiser_named(name))
        return "an initialiser";
    return !strcmp(name, map_repeat.name) ? "a word of the flow" : NULL;
}

/* An operator whose description is loaded; its functions and its name are set. */
static Outside *outside_new(Arena *a, const char *file, Source source)
{
    Outside *o = NEW(a, Outside);
    o->source = source;
    o->info = (OpInfo){ .name = arena_copy(a, file, strlen(file) - strlen(ENDING)), .attrs = o->attrs, .infer = infer, .grad = grad, .facts = facts, .macs = macs,
                        .help = &o->help };
    return o;
}

bool first_edition(const char *name)
{
    static const char *const words[] = { "conv", "maxpool", "dense", "relu", "tanh", "sigmoid", "dropout", "add", "multiply", "concat", "slice", "reshape", "flatten", "gru", "spn",
                                         "last", "cross_entropy", "mse" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], name))
            return true;
    return false;
}

/* Hides the operator in C that a user's bears the name of, if it is of a later edition; true if there was one. */
static bool hide(const char *name)
{
    const OpKind kind = op_kind_own(name);
    if (kind == OP_NONE || first_edition(name))
        return false;
    op_hidden[kind] = true;
    return true;
}

static void reset(void)
{
    op_count = OP_COUNT;
    memset(op_hidden, 0, sizeof op_hidden);
}

/* Makes it a row of op_table. */
static void add_row(const Outside *o)
{
    op_whole[op_count] = o->whole ? WHOLE_KEPT : WHOLE_REFUSED;
    op_weighs[op_count] = o->parameter_count > 0;
    op_table[op_count++] = &o->info;
}

static bool read_one(Arena *a, Diag *d, const char *dir, const char *file)
{
    Source source;
    if (template_load(a, dir, file, &source))
        return wrong(d, (Loc){ 0 }, "the description '%s/%s' cannot be read", dir, file);
    Outside *o = outside_new(a, file, source);
    if (!name_check(&(Model){ .arena = a, .diag = d }, first_line(o), o->info.name))
        return false;
    const bool hides = hide(o->info.name);
    if (!hides && taken(o->info.name))
        return wrong(d, first_line(o), "'%s' is %s already: the operator, and so its files, need another name", o->info.name, taken(o->info.name));
    if (op_count - OP_COUNT == FOLDER_MOST)
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
    if (hides)
        diag_warning(d, first_line(o), "spnc has an operator '%s' too: the one described here is used", o->info.name);
    o->warned = hides;
    add_row(o);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The descriptions in a folder, by name; false if there is no such folder. */
static bool folder_list(Arena *a, const char *dir, List *files)
{
    DIR *folder = opendir(dir);
    if (!folder)
        return false;
    for (struct dirent *e; (e = readdir(folder)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n > strlen(ENDING) && e->d_name[0] != '.' && strcmp(e->d_name + n - strlen(ENDING), ENDING) == 0)
            list_push(a, files, arena_copy(a, e->d_name, n));
    }
    closedir(folder);
    if (files->count)
        qsort(files->items, (size_t)files->count, sizeof *files->items, by_name);
    return true;
}

static const char NO_FOLDER[] = "the folder '%s' of --templates cannot be read: %s";

bool outside_read(Arena *a, Diag *d, const char *dir)
{
    List files = { 0 };
    reset();
    if (!dir || !*dir)
        return true;
    if (!folder_list(a, dir, &files))
        return wrong(d, (Loc){ 0 }, NO_FOLDER, dir, strerror(errno));
    bool good = true;
    for (int i = 0; i < files.count; i++)
        good = read_one(a, d, dir, files.items[i]) && good;
    return good;
}

/* ---- spnc's own ---- */

enum { BUILTIN_MOST = 64 };

/* Memory to the end of the process: a model's operators may be compiled again, in other arenas (pipeline.c, tune.c). */
static Arena *for_ever(void)
{
    static Arena *arena;
    if (!arena)
        arena = arena_new();
    return arena;
}

/* Description i of spnc's own, read at its first use and kept to the end of the process. */
static const Outside *builtin(int i)
{
    Arena *arena = for_ever();
    static const Outside *read[BUILTIN_MOST];
    if (embedded_descriptions_count > BUILTIN_MOST)
        unreachable("more described operators than there are places");
    if (read[i])
        return read[i];
    const EmbeddedFile *e = &embedded_descriptions[i];
    Diag *d = diag_new(arena, stderr, false, false);
    Outside *o = outside_new(arena, e->name, (Source){ e->path, (const char *)e->bytes, e->size });
    o->builtin = true;
    if (!describe(arena, d, o) || !load_template(arena, d, NULL, o, "plain", &o->plain) || !load_template(arena, d, NULL, o, "fast", &o->fast))
        unreachable("a description of spnc's own is wrong");
    return read[i] = o;
}

/* Its name is `word`. */
static bool is_builtin(int i, const char *word)
{
    const char *file = embedded_descriptions[i].name;
    size_t n = strlen(file) - strlen(ENDING);
    return strlen(word) == n && memcmp(file, word, n) == 0;
}

static const OpInfo *row_of(const char *word)
{
    for (int k = 0; k < op_count; k++)
        if (op_table[k]->help && !strcmp(op_table[k]->name, word))
            return op_table[k];
    return NULL;
}

/* Adds the operator that `word`, a text of the model's tree, is the name of, if it is one of spnc's own. */
static void use_word(Model *m, const Yaml *nets, const char *word)
{
    for (int i = 0; i < embedded_descriptions_count; i++) {
        if (!is_builtin(i, word))
            continue;
        const OpInfo *row = row_of(word);
        const Outside *o = (const Outside *)row;
        if (yaml_get(nets, word))
            continue;
        if (!row)
            add_row(builtin(i));
        else if (!o->builtin && !o->warned)
            diag_warning(m->diag, first_line(o), "spnc has an operator '%s' too: the one described here is used", word);
        if (row && !o->builtin)
            ((Outside *)(uintptr_t)o)->warned = true;
    }
}

static void use_words(Model *m, const Yaml *nets, const Yaml *y)
{
    if (y->kind == YAML_SCALAR)
        use_word(m, nets, y->text);
    for (int i = 0; i < y->count; i++) {
        if (y->kind == YAML_MAP)
            use_word(m, nets, y->keys[i]->text);
        use_words(m, nets, y->items[i]);
    }
}

/* ---- those of a model ---- */

static bool mentions(const Yaml *y, const char *word)
{
    if (y->kind == YAML_SCALAR)
        return strcmp(y->text, word) == 0;
    for (int i = 0; i < y->count; i++)
        if ((y->kind == YAML_MAP && strcmp(y->keys[i]->text, word) == 0) || mentions(y->items[i], word))
            return true;
    return false;
}

/* Reads from a folder the operators that the model mentions; an error in another one is no error of this model. */
static bool use_folder(Model *m, const char *dir, Loc at)
{
    List files = { 0 };
    if (!folder_list(m->arena, dir, &files)) {
        if (at.line)
            diag_error(m->diag, at, "the folder '%s' of operators cannot be read: %s", dir, strerror(errno));
        else
            diag_error(m->diag, at, NO_FOLDER, dir, strerror(errno));
        return false;
    }
    m->templates = m->templates ? arena_printf(m->arena, "%s\n%s", m->templates, dir) : dir;
    bool good = true;
    for (int i = 0; i < files.count; i++) {
        const char *file = files.items[i], *name = arena_copy(m->arena, file, strlen(file) - strlen(ENDING));
        const OpInfo *row = row_of(name);
        if (row && outside_of(op_kind_of(name)))
            continue;                                    /* from the folder before */
        if (mentions(m->root, name))
            good = read_one(for_ever(), m->diag, arena_copy(for_ever(), dir, strlen(dir)), file) && good;
        else
            list_push(m->arena, &m->described, (void *)(uintptr_t)name);
    }
    return good;
}

/* `operators:`, by its path from the model. */
static bool use_operators(Model *m)
{
    const Yaml *y = yaml_get(m->root, "operators");
    if (!y)
        return true;
    if (y->kind != YAML_SCALAR || !*y->text) {
        diag_error(m->diag, y->loc, "operators is the path of a folder: operators: my_operators");
        return false;
    }
    return use_folder(m, path_beside(m->arena, m->path, y->text), y->loc);
}

bool outside_use(Model *m)
{
    const Yaml *nets = yaml_get(m->root, "nets");
    reset();
    bool good = !m->options.templates || !*m->options.templates || use_folder(m, m->options.templates, (Loc){ 0 });
    good = use_operators(m) && good;
    for (int k = 0; nets && nets->kind == YAML_MAP && k < nets->count; k++) {
        bool too = hide(nets->keys[k]->text);
        for (int i = 0; i < embedded_descriptions_count; i++)
            too = too || is_builtin(i, nets->keys[k]->text);
        if (too)
            diag_warning(m->diag, nets->keys[k]->loc, "spnc has an operator '%s' too: in this model the name means the net", nets->keys[k]->text);
    }
    use_words(m, nets, m->root);
    return good;
}

void outside_use_all(void)
{
    for (int i = 0; i < embedded_descriptions_count; i++)
        if (!row_of(builtin(i)->info.name))
            add_row(builtin(i));
}
