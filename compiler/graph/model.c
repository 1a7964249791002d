/* model.c -- from the YAML tree to the graph: reads a model from top to bottom, each part by the file of its name.
 *
 * In: the tree (read.c), the parameters (expr.c).  Out: m->ops in the order of the file, tensors without shapes.  Next: shape.c.
 * One cause, one error: the name of an entry with an error is bound to no tensor, and its readers fail without a message.  Nothing
 * hides behind an error: a layer after a wrong one, and a net without uses, are read too, as layers of no tensor. */
#include "graph/model.h"
#include <string.h>

enum { LATENCY_BELOW = 8 };      /* from that many examples on, those side by side in the lanes are quicker */

/* Warnings about valid input that is probably a mistake; values that the loss does not depend on are found later (warn.c). */
static void unused(Builder *b)
{
    Model *m = b->m;
    for (int i = 0; i < b->nets.count; i++) {
        Net *n = b->nets.items[i];
        if (!n->used && n->loc.file == m->file)      /* an included file may hold more than a model needs */
            diag_warning(m->diag, n->loc, "net '%s' is not used", n->name);
    }
    for (int i = 0; i < m->input_count; i++)
        if (!m->inputs[i].used)
            diag_warning(m->diag, m->inputs[i].loc, "input '%s' is not used", m->inputs[i].name);
    for (int i = 0; i < m->target_count; i++)
        if (!m->targets[i].used)
            diag_warning(m->diag, m->targets[i].loc, "target '%s' is not used", m->targets[i].name);
    for (int i = 0; i < m->scope.count; i++)
        if (!m->scope.params[i].reads && m->scope.params[i].loc.file == m->file)
            diag_warning(m->diag, m->scope.params[i].loc, "parameter '%s' is not used", m->scope.params[i].name);
}

/* The program's name is that of a file beside others in one folder, and of a target of its Makefile. */
static bool file_check(Model *m, const Yaml *name)
{
    static const char *const others[] = { "runtime", "trainer", "Makefile", "makefile", "GNUmakefile", "clean" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name->text, others[i]) == 0) {
            diag_error(m->diag, name->loc, "'%s' is taken in the folder that the program is built in: another name for the model, please", name->text);
            return false;
        }
    return true;
}

/* The part of a model under `key`; NULL if it is absent, or has nothing behind its colon. */
static const Yaml *part(const Yaml *root, const char *key)
{
    const Yaml *y = yaml_get(root, key);
    return y && y->kind == YAML_SCALAR && !*y->text && !y->quoted ? NULL : y;
}

bool model_build(Model *m)
{
    const Yaml *root = m->root;
    Frame flow_frame = { .path = "" };
    Builder b = { .m = m, .frame = &flow_frame, .read = flow_read, .operand = flow_operand };
    if (!map_expected(m, root, "a model"))
        return false;
    bool known = map_keys_known(m, root, &map_model);
    expr_params(m->arena, m->diag, part(root, "params"), m->options.sets, m->options.set_count, &m->scope);
    const Yaml *name = yaml_get(root, "model"), *about = yaml_get(root, "about");
    if (name && name->kind == YAML_SCALAR) {
        if (name_check(m, name->loc, name->text) && file_check(m, name))
            m->name = name->text;
    } else if (name || known) {
        diag_error(m->diag, name ? name->loc : root->loc, "a model needs a name: model: my_net");
    }
    if (about && about->kind != YAML_SCALAR)
        diag_error(m->diag, about->loc, "about is one line of text");
    m->about = about && about->kind == YAML_SCALAR ? about->text : "";
    double batch = 100;      /* also when it is refused */
    map_number(m, root, &map_model, "batch", &batch);
    m->batch = m->options.batch ? m->options.batch : (int64_t)batch;
    if (m->options.inference && !m->options.plain)
        m->options.latency = m->options.form ? strcmp(m->options.form, "latency") == 0 : m->batch < LATENCY_BELOW;
    m->options.plain |= m->options.latency;
    m->lanes = m->options.plain ? 1 : LANES;
    m->groups = (int)((m->batch + m->lanes - 1) / m->lanes);
    m->last_examples = (int)(m->batch - (int64_t)(m->groups - 1) * m->lanes);
    m->inputs = data_read(m, yaml_get(root, "inputs"), false, &m->input_count);
    m->targets = data_read(m, part(root, "targets"), true, &m->target_count);
    for (int i = 0; i < m->input_count; i++)
        for (int k = 0; k < m->target_count; k++)
            if (strcmp(m->inputs[i].name, m->targets[k].name) == 0) {
                diag_error(m->diag, m->targets[k].loc, "'%s' is defined twice", m->targets[k].name);
                diag_note(m->diag, m->inputs[i].loc, "the first definition is here");
            }
    const Yaml *nets = part(root, "nets"), *flow = yaml_get(root, "flow"), *loss = yaml_get(root, "loss"), *inputs = yaml_get(root, "inputs");
    if (m->input_count == 0 && (inputs ? inputs->kind == YAML_MAP : known))
        diag_error(m->diag, root->loc, "a model needs inputs: inputs: { image: { shape: [1, 28, 28] } }");
    nets_read(&b, nets);
    if (flow ? flow->kind != YAML_LIST || flow->count == 0 : known)
        diag_error(m->diag, flow ? flow->loc : root->loc, "a model needs a flow: a list of entries such as - c: { front: image }");
    if (m->input_count && flow && flow->kind == YAML_LIST && flow->count) {
        flow_read(&b, flow);
        if (loss && b.layers <= LAYERS_MAX)
            losses_read(&b, loss);
        if (!diag_errors(m->diag))
            outputs_read(&b, part(root, "outputs"));
    }
    if (b.layers <= LAYERS_MAX)
        nets_read_unused(&b);
    if (!loss && known)
        diag_error(m->diag, root->loc, "a model needs a loss: { cross_entropy: [logits, labels] }");
    for (int i = 0; i < m->scope.count; i++)
        m->scope.params[i].net_reads = m->scope.params[i].reads;
    training_read(m, part(root, "train"));
    if (diag_errors(m->diag))
        return false;
    unused(&b);
    rates_choose(m);
    return true;
}
