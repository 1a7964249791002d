/* penalty.c -- penalties on weights, entries of `loss:` that depend on no example: weight_l2 and weight_l1.
 *
 * In: such an entry (read with the losses), and m->weights once shapes are known.  Out: m->penalties.  A penalty is no operator of the graph: the file around
 * the operators (net.c.in) adds it to the loss and to the gradients once a batch, by runtime/penalty.h.
 * A penalty counts what a product or a convolution multiplies by, as `no_decay: [weights]` does: no biases, norms, starts of states. */
#include "graph/attr.h"
#include "graph/model.h"
#include <string.h>

/* A weight that is written as 0 is probably not meant; a parameter may well be 0 in some runs. */
static void weight_check(Model *m, const char *word, double weight, const Yaml *y)
{
    if (weight == 0 && y && y->kind == YAML_SCALAR && !strchr(y->text, '$'))
        diag_warning(m->diag, y->loc, "with a weight of 0 this %s changes nothing: give it a weight, or leave it out", word);
}

void penalty_add(Model *m, const Op *parsed, const Yaml *y, const Yaml *weight)
{
    const char *word = loss_word(parsed->kind);
    if (y->kind != YAML_SCALAR || !*y->text) {
        diag_error(m->diag, y->loc, "%s takes the name of a net, or a beginning of parameter names: { %s: front, weight: 1e-4 }", word, word);
        return;
    }
    const char *key = word_from_yaml(m, y);
    if (!key)
        return;
    weight_check(m, word, op_real(parsed, "weight"), weight);
    Penalty *p = NEW(m->arena, Penalty);
    *p = (Penalty){ .kind = parsed->kind, .key = key, .loc = parsed->loc, .key_loc = y->loc, .weight = op_real(parsed, "weight") };
    list_push(m->arena, &m->penalties, p);
}

void penalties_settle(Model *m)
{
    for (int i = 0; i < m->penalties.count; i++) {
        Penalty *p = m->penalties.items[i];
        int64_t numbers = 0;
        bool fits = false, moves = false;
        for (int k = 0; k < m->weights.count; k++) {
            Weight *w = m->weights.items[k];
            if (!parameters_fit(m, p->key, w->name))
                continue;
            fits = true;
            if (w->kind != W_PRODUCT || w->is_bias)
                continue;
            list_push(m->arena, &p->weights, w);
            moves = moves || !w->frozen;
            numbers += shape_count(&w->shape);
        }
        if (!fits)
            parameters_refuse(m, p->key, p->key_loc);
        else if (!p->weights.count)
            diag_error(m->diag, p->key_loc, "'%s' has no weight to penalise: a penalty counts those of conv, conv_transpose, dense, cells and embedding, not biases, norms and starts", p->key);
        else if (!moves)
            diag_warning(m->diag, p->key_loc, "all that %s counts of '%s' is frozen: it adds a constant to the loss and changes no parameter; leave it out, or freeze less", loss_word(p->kind), p->key);
        else
            remark(m, p->loc, "%s of %s: %lld numbers of %d parameter%s, once a batch", loss_word(p->kind), p->key, (long long)numbers, p->weights.count, p->weights.count == 1 ? "" : "s");
    }
}
