/* onnx.c -- the net as a graph of ONNX, for `export -o NET.onnx` of its trainer.
 *
 * In: the graph as the file has it, with shapes, before steps.c.  Out: m->onnx, lines of text (lines.h), or why there is none.  Next: emit, which puts
 * them into NAME-train.c.  From the outputs backwards, so that only what they depend on is written; repeats are written out step by step.  A value at
 * a step is written once, under the tensor's name and the step. */
#include "onnx/operators.h"
#include <string.h>

/* The names of a tensor at each step of its repeats, the outermost first; the innermost has one more, the state before the first step. */
typedef struct { const Tensor *tensor; const char **names; } Steps;
typedef struct { Onnx o; List known; bool *inputs; } Asked;

static const char *value(Asked *w, const Tensor *t, const int *at);

/* The place of the name of t at these steps; the start of a state is behind its last step. */
static const char **place(Asked *w, const Tensor *t, const int *at)
{
    Steps *s = NULL;
    int64_t index = 0, all = 1;
    for (int i = 0; i < w->known.count && !s; i++)
        if (((Steps *)w->known.items[i])->tensor == t)
            s = w->known.items[i];
    const int levels = repeat_level(t->repeat);
    for (int k = 1; k <= levels; k++) {
        const int steps = repeat_at(t->repeat, k)->steps, step = at[k - 1] < 0 || at[k - 1] >= steps ? steps : at[k - 1];
        index = index * (steps + 1) + step, all *= steps + 1;
    }
    if (!s) {
        s = NEW(w->o.m->arena, Steps);
        *s = (Steps){ t, NEW_ARRAY(w->o.m->arena, const char *, all) };
        list_push(w->o.m->arena, &w->known, s);
    }
    return &s->names[index];
}

/* "/crop@2": a name that no input, output or parameter has. */
static const char *name_at(Asked *w, const Tensor *t, const int *at)
{
    const char *name = onnx_text(&w->o, "/%s", t->name);
    for (int k = 0; k < repeat_level(t->repeat); k++)
        name = onnx_text(&w->o, "%s%c%d", name, k ? '.' : '@', at[k]);
    return name;
}

/* The level of the innermost repeat that both the operator and t stand in. */
static int level_of_both(const Op *op, const Tensor *t)
{
    const Repeat *r = t->repeat;
    while (r && !repeat_within(op->repeat, r))
        r = r->outer;
    return repeat_level(r);
}

/* The value that an operator at the steps `at` reads. */
static const char *operand(Asked *w, const Op *op, const Use *u, const int *at)
{
    const Tensor *t = u->tensor;
    const int levels = repeat_level(t->repeat), both = level_of_both(op, t);
    int to[REPEATS_DEEP + 1] = { 0 };
    for (int k = 0; k < both; k++)
        to[k] = at[k];
    if (levels)
        to[levels - 1] += t->repeat->reverse ? -u->shift : u->shift;
    return value(w, t, to);
}

/* All steps of the repeats beyond `level` that t stands in, side by side: [N][T]...[shape]. */
static const char *stacked(Asked *w, const Tensor *t, const int *at, int level, const char *out)
{
    Onnx *o = &w->o;
    const int levels = repeat_level(t->repeat);
    int to[REPEATS_DEEP + 1] = { 0 };
    int64_t count = 1;
    Shape y = { 0 };
    Text all = { .arena = o->m->arena };
    for (int k = 0; k < level; k++)
        to[k] = at[k];
    for (int k = level; k < levels; k++)
        count *= y.dim[y.rank++] = repeat_at(t->repeat, k + 1)->steps;
    for (int i = 0; i < t->shape.rank; i++)
        y.dim[y.rank++] = t->shape.dim[i];
    for (int64_t i = 0; i < count && !o->refused; i++) {
        int64_t rest = i;
        for (int k = levels; k > level; k--) {
            to[k - 1] = (int)(rest % repeat_at(t->repeat, k)->steps);
            rest /= repeat_at(t->repeat, k)->steps;
        }
        text_printf(&all, "%s%s", i ? " " : "", onnx_node(o, "Unsqueeze", NULL, onnx_text(o, "%s int[1]", value(w, t, to)), ""));
    }
    const char *joined = onnx_node(o, "Concat", levels == level + 1 ? out : NULL, all.text, "axis=1");
    return levels == level + 1 ? joined : onnx_reshape(o, joined, &y, out);
}

/* What ONNX's cells compute in one, the graph has in several operators: the products, the gates and, of an lstm, the formula of its h. */
static const Op *lstm_of(const Op *op)
{
    for (int i = 0; op->kind == OP_formula && i < op->read_count; i++) {
        const Op *maker = op->reads[i].tensor->op;
        if (maker && maker->kind == OP_lstm_gates && op->reads[i].tensor == maker->writes[1].tensor)
            return maker;
    }
    return NULL;
}

static void cell(Asked *w, const Op *gates, const int *at)
{
    const Op *from_input = gates->reads[0].tensor->op, *from_state = gates->reads[1].tensor->op;
    const char *x[3] = { operand(w, from_input, &from_input->reads[0], at), operand(w, from_state, &from_state->reads[0], at), NULL };
    const char *y[2] = { NULL };
    for (int i = 0; i < 1 + (gates->kind == OP_lstm_gates); i++)
        *place(w, gates->writes[i].tensor, at) = y[i] = name_at(w, gates->writes[i].tensor, at);
    if (gates->kind == OP_gru_gates) {
        onnx_gru(&w->o, gates, x, y[0]);
        return;
    }
    x[2] = operand(w, gates, &gates->reads[2], at);
    onnx_lstm(&w->o, gates, x, y[1], y[0]);          /* h' stands in the place of the output gate, which only h' is made of */
}

static const char *written(Asked *w, const Op *op, const Tensor *t, const int *at)
{
    const char *x[INPUT_MAX] = { NULL };
    int to[REPEATS_DEEP + 1] = { 0 };
    const Op *lstm = lstm_of(op);
    const int both = op->read_count ? level_of_both(op, op->reads[0].tensor) : 0;
    switch (op->kind) {
    case OP_gru_gates:
    case OP_lstm_gates: cell(w, op, at); return *place(w, t, at);
    case OP_stack: return stacked(w, op->reads[0].tensor, at, both, name_at(w, t, at));
    case OP_pick:
        memcpy(to, at, (size_t)both * sizeof *to);
        to[both] = op->step;
        return value(w, op->reads[0].tensor, to);
    case OP_load: w->inputs[op->data->number] = true; break;
    case OP_batch_norm: x[0] = operand(w, op, &op->reads[0], at); break;
    default:
        if (lstm)
            return value(w, lstm->writes[1].tensor, at);
        for (int k = 0; k < op->read_count; k++)
            x[k] = operand(w, op, &op->reads[k], at);
    }
    return onnx_operator(&w->o, op, x, at, name_at(w, t, at));
}

/* The operator that writes the start of a state. */
static const Op *starter(const Model *m, const Tensor *state)
{
    for (int i = 0; i < m->ops.count; i++) {
        const Op *op = m->ops.items[i];
        if (op->write_count && op->writes[0].tensor == state && op->writes[0].shift == -1)
            return op;
    }
    return NULL;
}

/* Writes the states of r at the steps before this one, the first step first, so that no step waits for all before it. */
static void earlier_states(Asked *w, const Repeat *r, const int *at)
{
    const int level = repeat_level(r), by = r->reverse ? -1 : 1, begin = r->reverse ? r->steps - 1 : 0;
    int to[REPEATS_DEEP + 1];
    memcpy(to, at, (size_t)level * sizeof *to);
    for (int i = 0; i < r->states.count; i++) {
        const Tensor *state = r->states.items[i];
        for (to[level - 1] = at[level - 1] - by; state->carried && to[level - 1] - begin != -by && !*place(w, state, to); to[level - 1] -= by)
            ;                                        /* back to the last step that is written */
        for (to[level - 1] += by; state->carried && to[level - 1] != at[level - 1]; to[level - 1] += by)
            value(w, state, to);
    }
}

/* The name of t at the steps at[level - 1]; what is not there yet is written. */
static const char *value(Asked *w, const Tensor *t, const int *at)
{
    const char **name = place(w, t, at);
    const Repeat *r = t->repeat;
    const int inner = r ? at[repeat_level(r) - 1] : 0;
    const bool start = r && (inner < 0 || inner >= r->steps);
    if (*name || w->o.refused)
        return *name ? *name : "";
    if (r && !start)
        earlier_states(w, r, at);
    const Op *op = start ? starter(w->o.m, t) : t->op;
    if (!op) {
        onnx_refuse(&w->o, t->loc, "'%s' is no value that an example alone decides", t->name);
        return "";
    }
    if (*name)                                       /* a state that reads this value has written it */
        return *name;
    const char *made = written(w, op, t, at);
    return *name = made;
}

/* The name of the output k, another than those of inputs, which ONNX's graph has beside it. */
static const char *output_name(Onnx *o, int k)
{
    const char *name = ((const Tensor *)o->m->outputs.items[k])->flow_name;
    for (bool taken = true; taken;) {
        taken = false;
        for (int i = 0; i < o->m->input_count; i++)
            taken = taken || strcmp(o->m->inputs[i].name, name) == 0;
        for (int i = 0; i < o->m->outputs.count; i++)
            taken = taken || (i != k && strcmp(((const Tensor *)o->m->outputs.items[i])->flow_name, name) == 0);
        name = taken ? onnx_text(o, "%s_out", name) : name;
    }
    return name;
}

static void outputs(Asked *w)
{
    Onnx *o = &w->o;
    const int none[REPEATS_DEEP + 1] = { 0 };
    for (int i = 0; i < o->m->outputs.count && !o->refused; i++) {
        const Tensor *t = o->m->outputs.items[i];
        const char *name = output_name(o, i);
        Shape y = { 0 };
        for (int k = 1; k <= repeat_level(t->repeat); k++)
            y.dim[y.rank++] = repeat_at(t->repeat, k)->steps;
        for (int k = 0; k < t->shape.rank; k++)
            y.dim[y.rank++] = t->shape.dim[k];
        const char *from = t->repeat ? stacked(w, t, none, 0, onnx_text(o, "/%s@all", t->name)) : value(w, t, none);
        onnx_node(o, t->classes ? "Cast" : "Identity", name, from, t->classes ? "to=1" : "");
        text_printf(&o->text, "out %s f32 %s\n", name, onnx_list(o, y.dim, y.rank));
    }
}

bool onnx_write(Model *m)
{
    static const char *const types[] = { "u8", "f32", "i32" };       /* by DataDef's type */
    Asked w = { .o = { .m = m, .text = { .arena = m->arena } }, .inputs = NEW_ARRAY(m->arena, bool, m->input_count + 1) };
    if (m->options.inference || m->options.stage)
        return true;
    m->onnx = (Text){ .arena = m->arena };
    outputs(&w);
    if (!m->outputs.count)
        onnx_refuse(&w.o, (Loc){ 0 }, "the losses read no value of the flow, so the net has no outputs");
    if (w.o.refused) {
        text_printf(&m->onnx, "refused %s\n", w.o.refused);
        return true;
    }
    if (!onnx_first(&w.o, "//examples"))              /* counted by the first input */
        w.inputs[0] = true;
    for (int i = 0; i < m->input_count; i++)
        if (w.inputs[i])
            text_printf(&m->onnx, "in %s %s %s\n", m->inputs[i].name, types[m->inputs[i].type],
                        onnx_list(&w.o, m->inputs[i].shape.dim, m->inputs[i].shape.rank));
    text_add(&m->onnx, w.o.text.text, w.o.text.length);
    return true;
}
