/* graph.c -- basic functions of the graph: tensors, operators, attributes, shapes, names.
 *
 * In: a Model and the parts of a new tensor or operator.  Out: the graph, extended or looked up.
 * Every stage builds the graph through these functions, so that each tensor has a C identifier of its own,
 * and each operator a place in the model file. */
#include "spnc.h"
#include <string.h>

const OpInfo *op_table[OP_NONE];
int op_count;
bool op_hidden[OP_NONE + 1], op_elements[OP_NONE + 1];
WholeUse op_whole[OP_NONE + 1];
bool op_weighs[OP_NONE + 1];
const LossInfo *loss_table[OP_NONE + 1];

const char *loss_word(OpKind kind) { return loss_table[kind]->word ? loss_table[kind]->word : op_table[kind]->name; }

OpKind loss_kind_of(const char *word)
{
    for (int k = 0; k < OP_COUNT; k++)
        if (loss_table[k] && strcmp(loss_word((OpKind)k), word) == 0)
            return (OpKind)k;
    return OP_NONE;
}

int loss_operands(const LossInfo *l)
{
    int n = 0;
    while (n < OPERANDS_MAX && l->operands[n])
        n++;
    return n;
}

int64_t shape_count(const Shape *s)
{
    int64_t n = 1;
    for (int i = 0; i < s->rank; i++)
        n *= s->dim[i];
    return n;
}

bool shape_equal(const Shape *a, const Shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

char *shape_text(Arena *a, const Shape *s)
{
    if (s->rank == 0)
        return arena_copy(a, "1", 1);
    Text t = { .arena = a };
    for (int i = 0; i < s->rank; i++)
        text_printf(&t, "%s%lld", i ? "x" : "", (long long)s->dim[i]);
    return t.text;
}

/* Words that mean something else where the emitted C would use a tensor's name: C's keywords, and what the system's and the
 * runtime's headers define under the patterns NAME, NAME_t and NAME_forward. */
static const char *const taken[] = {
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float", "for",
    "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct",
    "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "asm", "typeof", "main", "net", "real", "vec", "mask",
    "ivec", "dropout", "labels", "loss", "step", "net_pass", "memory", "scratch", "weights", "gradient", "batch", "fold",
    "blkcnt", "blkcnt64", "blksize", "caddr", "clock", "clockid", "comparison_fn", "cpu_set", "daddr", "dev", "div", "fenv", "fexcept",
    "fpos", "fpos64", "fpregset", "fsblkcnt", "fsblkcnt64", "fsfilcnt", "fsfilcnt64", "fsid", "gid", "greg", "gregset", "id", "imaxdiv",
    "ino", "ino64", "key", "ldiv", "lldiv", "locale", "loff", "max_align", "mbstate", "mcontext", "mode", "nlink", "off", "off64", "pid",
    "ptrdiff", "quad", "regex", "sem", "sig", "sig_atomic", "sigevent", "sighandler", "siginfo", "sigset", "sigval", "size", "socklen",
    "ssize", "stack", "suseconds", "time", "timer", "ucontext", "uid", "useconds", "va_list", "wchar", "wctrans", "wctype", "wint",
};
/* So do these with more behind them; the last two are sums and copies of gradients. */
static const char *const taken_stems[] = { "int", "uint", "u_int", "u_quad", "char8", "char16", "char32", "pthread", "omp_", "kmp_", "cookie_", "sum_d_", "copy_d_" };

bool identifier_taken(const char *id)
{
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(id, taken[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof taken_stems / sizeof *taken_stems; i++)
        if (strncmp(id, taken_stems[i], strlen(taken_stems[i])) == 0)
            return true;
    return false;
}

static bool is_free(const Model *m, const char *id)
{
    for (int i = 0; i < m->tensors.count; i++)
        if (strcmp(((Tensor *)m->tensors.items[i])->name, id) == 0)
            return false;
    for (int i = 0; i < m->ops.count; i++)
        if (strcmp(((Op *)m->ops.items[i])->name, id) == 0)
            return false;
    return true;
}

char *identifier_unique(Model *m, const char *name)
{
    char *id = arena_copy(m->arena, name, strlen(name));
    for (char *c = id; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
            *c = '_';
    if (identifier_taken(id))                                       /* OpenMP has types omp_..._value_t too */
        id = arena_printf(m->arena, strncmp(id, "omp_", 4) && strncmp(id, "kmp_", 4) ? "%s_value" : "value_%s", id);
    if (is_free(m, id))
        return id;
    /* the layers of a net that is used a thousand times: doubled until a number is free, then halved back to the first such */
    int low = 1, high = 2;
    while (!is_free(m, arena_printf(m->arena, "%s_%d", id, high)))
        low = high, high *= 2;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        *(is_free(m, arena_printf(m->arena, "%s_%d", id, middle)) ? &high : &low) = middle;
    }
    return arena_printf(m->arena, "%s_%d", id, high);
}

const char *tensor_type(const Model *m, const Tensor *t) { return t->type ? t->type : arena_printf(m->arena, "%s_t", t->name); }

Tensor *tensor_new(Model *m, const char *name, Loc loc, Repeat *repeat)
{
    Tensor *t = NEW(m->arena, Tensor);
    t->name = identifier_unique(m, name);
    t->loc = loc;
    t->repeat = repeat;
    list_push(m->arena, &m->tensors, t);
    return t;
}

Tensor *tensor_raw(Model *m, const char *name, const Op *op, Repeat *repeat, int64_t reals)
{
    Tensor *t = tensor_new(m, name, op->loc, repeat);
    t->space = RAW;
    t->reals = reals;
    return t;
}

Op *op_new(Model *m, OpKind kind, Pass pass, const char *name, Loc loc)
{
    Op *op = NEW(m->arena, Op);
    op->kind = kind;
    op->pass = pass;
    op->name = name;
    op->loc = loc;
    op->fuse.act = OP_NONE;
    op->family = "";
    op->prefix = name;
    op->suffix[0] = "weight";
    op->suffix[1] = "bias";
    return op;
}

void op_read(Op *op, Tensor *t, int shift)
{
    if (op->read_count == INPUT_MAX)
        unreachable("an operator reads too much");
    op->reads[op->read_count++] = (Use){ t, shift };
}

void op_write(Op *op, Tensor *t, int shift)
{
    if (op->write_count == INPUT_MAX)
        unreachable("an operator writes too much");
    op->writes[op->write_count++] = (Use){ t, shift };
    if (!t->op)
        t->op = op;
}

bool walk_next(Walk *w)
{
    for (w->at++; w->section_at < w->sections->count; w->section_at++, w->at = 0) {
        w->section = w->sections->items[w->section_at];
        if (w->at < w->section->ops.count) {
            w->op = w->section->ops.items[w->at];
            return true;
        }
    }
    return false;
}

void walk_remove(Walk *w) { list_remove(&w->section->ops, w->at--); }

const Attr *op_attr(const Op *op, const char *name)
{
    for (int i = 0; i < op->attr_count; i++)
        if (strcmp(op->attrs[i].spec->name, name) == 0)
            return &op->attrs[i];
    unreachable(name);
}

int64_t op_int(const Op *op, const char *name) { return (int64_t)op_attr(op, name)->number[0]; }
double op_real(const Op *op, const char *name) { return op_attr(op, name)->number[0]; }
const char *op_word(const Op *op, const char *name) { return op_attr(op, name)->word; }

void op_pair(int64_t out[2], const Op *op, const char *name)
{
    const Attr *a = op_attr(op, name);
    out[0] = (int64_t)a->number[0];
    out[1] = (int64_t)a->number[a->count > 1 ? 1 : 0];
}

OpKind op_kind_of(const char *word)
{
    for (int k = 0; k < op_count; k++)
        if (op_table[k]->help && !op_hidden[k] && strcmp(op_table[k]->name, word) == 0)
            return (OpKind)k;
    return OP_NONE;
}

OpKind op_kind_own(const char *word)
{
    for (int k = 0; k < OP_COUNT; k++)
        if (op_table[k]->help && strcmp(op_table[k]->name, word) == 0)
            return (OpKind)k;
    return OP_NONE;
}

void remark(Model *m, Loc at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char line[512];
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    Remark *r = NEW(m->arena, Remark);
    *r = (Remark){ at, arena_copy(m->arena, line, strlen(line)) };
    list_push(m->arena, &m->remarks, r);
}

Tensor *tensor_value(const Tensor *t)
{
    while (t->view_of)
        t = t->view_of;
    return (Tensor *)(uintptr_t)t;
}

Tensor *tensor_owner(const Tensor *t)
{
    while (t->view_of || t->over)
        t = t->view_of ? t->view_of : t->over;
    return (Tensor *)(uintptr_t)t;
}

int tensor_ignored_class(const Tensor *t)
{
    const Op *op = t->op;
    if (!op || t->carried)
        return -1;
    if (op->kind == OP_load || op->kind == OP_labels)
        return op->data->ignores && op->data->ignored >= 0 && op->data->ignored < op->data->classes ? op->data->ignored : -1;
    int found = -1, sources = 0;
    for (int i = 0; i < op->read_count; i++)
        if (op->reads[i].tensor->classes) {
            const int one = tensor_ignored_class(op->reads[i].tensor);
            found = sources++ && one != found ? CLASSES_DIFFER : one;
            if (found == CLASSES_DIFFER)
                break;
        }
    return found;
}

bool tensor_is_read(const Model *m, const Tensor *t)
{
    for (int i = 0; i < m->ops.count; i++) {
        const Op *op = m->ops.items[i];
        for (int k = 0; k < op->read_count; k++)
            if (op->reads[k].tensor == t)
                return true;
    }
    return false;
}

void tensor_range(const Model *m, const Tensor *t, int64_t *from, int64_t *to)
{
    *from = t->offset - tensor_front(t) * m->groups * t->slot_reals;
    *to = *from + (int64_t)t->slots * (t->shared ? 1 : m->groups) * t->slot_reals;
}
