/* cells.c -- recurrent cells, gru, lstm and rnn, as operators of the graph: two products and what joins them.
 *
 * In: parsed attributes and resolved operands.  Out: m->ops grows.  The product with the input and the one with the state are dense layers of
 * their own, so that steps.c can compute the first before the loop.  A carried cell has its attributes under `carry`, any other one where it is
 * used: { lstm: [x, h, c], units: 9 }.  An lstm has two values, NAME.h and NAME.c; a carried one is called by the name alone too, which is its h. */
#include "formula/formula.h"
#include "graph/model.h"
#include <string.h>

/* Of the weights' rows for each unit; inputs of a cell without a carry; that call in a message. */
typedef struct { OpKind kind; int rows, inputs; const char *a, *form; } Cell;
static const Cell cells[] = {
    { OP_gru, 3, 2, "a gru", "[x, h]" },
    { OP_lstm, 4, 3, "an lstm", "[x, h, c]" },
    { OP_rnn, 1, 2, "an rnn", "[x, h]" },
};

static const Cell *cell_of(OpKind kind)
{
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        if (cells[i].kind == kind)
            return &cells[i];
    unreachable("an operator that is no cell");
}

const char *cell_called(OpKind kind) { return cell_of(kind)->a; }

OpKind cell_kind(const char *word)
{
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        if (!strcmp(op_table[cells[i].kind]->name, word))
            return cells[i].kind;
    unreachable("a word that is no cell");
}

/* ---- operators ------------------------------------------------------------------------------------------ */

/* A dense operator with `rows` outputs and what the cell says of weights; k: of the input (0) or of the state (1). */
static Op *product(Builder *b, const Op *cell, int64_t rows, int k, Loc at)
{
    Model *m = b->m;
    const Attr *init = op_attr(cell, "weight_init");
    Op *dense = op_new(m, OP_dense, FORWARD, "", at);
    Yaml units = { .kind = YAML_SCALAR, .loc = at, .text = arena_printf(m->arena, "%lld", (long long)rows) };
    attr_parse(m, dense, &units, NULL, at);
    for (int i = 0; i < dense->attr_count; i++) {
        Attr *a = &dense->attrs[i];
        if (!strcmp(a->spec->name, "bias")) {
            a->number[0] = k == 0 || op_int(cell, "bias_hh");
        } else if (!strcmp(a->spec->name, "gemm")) {
            a->word = op_word(cell, "gemm");
        } else if (!strcmp(a->spec->name, "init")) {
            a->word = init->given ? init->word : "normal";
            a->number[0] = init->given ? init->number[0] : 0.1;
            a->number[1] = init->number[1];
            a->count = init->given ? init->count : 1;
        }
    }
    return dense;
}

/* The products W_ih x + b_ih and W_hh h [+ b_hh] of the cell. */
static void products(Builder *b, const Op *cell, const char *path, Loc at, Use x, Use h, Tensor *parts[2])
{
    const Cell *c = cell_of(cell->kind);
    const int64_t units = op_int(cell, "units");
    for (int k = 0; k < 2; k++) {
        Op *dense = product(b, cell, c->rows * units, k, at);
        const Use in = k == 0 ? x : h;
        parts[k] = make_operator(b, dense, arena_printf(b->m->arena, "%s.%s", path, k == 0 ? "from_input" : "from_state"), at, &in, 1);
        parts[k]->op->prefix = path;
        parts[k]->op->family = path;
        parts[k]->op->suffix[0] = k == 0 ? "weight_ih" : "weight_hh";
        parts[k]->op->suffix[1] = k == 0 ? "bias_ih" : "bias_hh";
        if (k == 1 && cell->kind != OP_gru)
            parts[k]->op->dense.cell = cell;
    }
}

/* A formula of the compiler's own, of two values; `cell` is the cell's path, `path` the value's. */
static Tensor *combine(Builder *b, const char *text, const char *const names[2], const Use uses[2], const char *cell, const char *path, Loc at, Tensor *out)
{
    Model *m = b->m;
    FormulaNames *known = NEW(m->arena, FormulaNames);
    const char **list = NEW_ARRAY(m->arena, const char *, 2);
    memcpy(list, names, 2 * sizeof *list);
    *known = (FormulaNames){ .values = list, .value_count = 2 };
    const Yaml scalar = { .kind = YAML_SCALAR, .loc = at, .text = text };
    Op *op = make(b, OP_formula, path, at, out);
    op->formula.f = formula_read(m->arena, m->diag, known, &scalar);
    op->prefix = op->family = cell;
    for (int i = 0; i < op->formula.f->operand_count; i++) {
        const Use *u = &uses[op->formula.f->operands[i].value];
        op_read(op, u->tensor, u->shift);
    }
    return op->writes[0].tensor;
}

static Tensor *make_gru(Builder *b, const Op *cell, const char *path, Loc at, Tensor *out, Use x, Use h)
{
    Tensor *parts[2];
    products(b, cell, path, at, x, h, parts);
    Op *gates = make(b, OP_gru_gates, path, at, out);
    gates->family = path;
    op_read(gates, parts[0], 0);
    op_read(gates, parts[1], 0);
    op_read(gates, h.tensor, h.shift);
    return gates->writes[0].tensor;
}

/* h' = act(W_ih x + b_ih + W_hh h) */
static Tensor *make_rnn(Builder *b, const Op *cell, const char *path, Loc at, Tensor *out, Use x, Use h)
{
    static const char *const names[] = { "from_input", "from_state" };
    const char *act = op_word(cell, "act"), *sum = "from_input + from_state";
    Tensor *parts[2];
    products(b, cell, path, at, x, h, parts);
    const Use uses[] = { { parts[0], 0 }, { parts[1], 0 } };
    return combine(b, strcmp(act, "linear") ? arena_printf(b->m->arena, "%s(%s)", act, sum) : sum, names, uses, path, path, at, out);
}

/* c' and the output gate from the products, then h' = out tanh(c').  out_h, out_c: the carried states, or NULL. */
static Tensor *make_lstm(Builder *b, const Op *cell, const char *path, Loc at, Tensor *out_h, Tensor **out_c, Use x, Use h, Use c)
{
    static const char *const names[] = { "out", "cell" };
    Model *m = b->m;
    Tensor *parts[2];
    products(b, cell, path, at, x, h, parts);
    Op *gates = make(b, OP_lstm_gates, arena_printf(m->arena, "%s.c", path), at, *out_c);
    memcpy(gates->attrs, op_attr(cell, "forget_bias"), sizeof *gates->attrs);
    gates->attr_count = 1;
    gates->prefix = gates->family = path;
    *out_c = gates->writes[0].tensor;
    Tensor *out = tensor_new(m, arena_printf(m->arena, "%s_out", gates->name), at, b->repeat);
    op_write(gates, out, 0);
    op_read(gates, parts[0], 0);
    op_read(gates, parts[1], 0);
    op_read(gates, c.tensor, c.shift);
    const Use uses[] = { { out, 0 }, { *out_c, 0 } };
    return combine(b, "out * tanh(cell)", names, uses, path, arena_printf(m->arena, "%s.h", path), at, out_h);
}

/* ---- calls ------------------------------------------------------------------------------------------------ */

/* The cell that the state is carried as: [x] or [x, h]. */
static bool carried(Builder *b, const char *path, Loc at, const Yaml *v, int which, State *s, const Use *in, int count, Outputs *out)
{
    Model *m = b->m;
    const char *word = OP_INFO(s->cell)->name;
    const Yaml *inputs = v->items[which];
    for (int i = 0; i < v->count; i++)
        if (i != which) {
            diag_error(m->diag, v->keys[i]->loc, "'%s' belongs to the %s under carry", v->keys[i]->text, word);
            diag_note(m->diag, s->loc, "'%s' is carried here", s->name);
            return false;
        }
    const Use h = { s->tensor, -1 }, c = { s->c, -1 };
    if (count < 1 || count > 2) {
        diag_error(m->diag, inputs->loc, "%s takes 1 to 2 inputs, not %d", word, count);
        return false;
    }
    if (count == 2 && (in[1].tensor != h.tensor || in[1].shift != h.shift)) {
        diag_error(m->diag, inputs->items[1]->loc, "the %s of '%s' updates '%s' itself: write { %s: [input, %s] }", word, s->name, s->name, word, s->name);
        return false;
    }
    Tensor *cell = s->c;
    Tensor *t = s->cell->kind == OP_gru ? make_gru(b, s->cell, path, at, s->tensor, in[0], h)
                : s->cell->kind == OP_rnn ? make_rnn(b, s->cell, path, at, s->tensor, in[0], h)
                                          : make_lstm(b, s->cell, path, at, s->tensor, &cell, in[0], h, c);
    out->items[out->count++] = (Output){ NULL, { t, 0 } };
    return true;
}

bool cell_call(Builder *b, const char *path, Loc at, const Yaml *v, int which, State *state, const Use *in, int count, Outputs *out)
{
    Model *m = b->m;
    const Yaml *key = v->keys[which];
    const Cell *c = cell_of(op_kind_of(key->text));
    const char *word = key->text;
    if (state && state->cell && state->cell->kind == c->kind)
        return carried(b, path, at, v, which, state, in, count, out);
    if (v->count == 1 && state && state->cell) {
        diag_error(m->diag, key->loc, "'%s' is carried as %s, so { %s: [input, %s] } must define it", state->name,
                   cell_called(state->cell->kind), OP_INFO(state->cell)->name, state->name);
        return false;
    }
    Op *cell = op_new(m, c->kind, FORWARD, "", at);
    if (v->count == 1) {
        diag_error(m->diag, key->loc, "%s needs 'units' (size of the state)", word);
        diag_note(m->diag, (Loc){ 0 }, "a state that a repeat carries has them there: carry: { %s: { %s: { units: 256 } } }", path, word);
        return false;
    }
    if (!attr_parse(m, cell, v, word, key->loc))
        return false;
    if (op_attr(cell, "init")->given) {
        diag_error(m->diag, op_attr(cell, "init")->loc, "this %s has no first step: its state is %s, { %s: %s }", word,
                   c->inputs == 2 ? "the second input" : "the second and third input", word, c->form);
        return false;
    }
    if (count != c->inputs) {
        diag_error(m->diag, v->items[which]->loc, "%s without a carry takes %d inputs, %s, not %d", c->a, c->inputs, c->form, count);
        return false;
    }
    if (c->kind == OP_lstm) {
        Tensor *second = NULL;
        Tensor *h = make_lstm(b, cell, path, at, NULL, &second, in[0], in[1], in[2]);
        out->items[out->count++] = (Output){ "h", { h, 0 } };
        out->items[out->count++] = (Output){ "c", { second, 0 } };
        return true;
    }
    Tensor *t = c->kind == OP_gru ? make_gru(b, cell, path, at, NULL, in[0], in[1]) : make_rnn(b, cell, path, at, NULL, in[0], in[1]);
    out->items[out->count++] = (Output){ NULL, { t, 0 } };
    return true;
}
