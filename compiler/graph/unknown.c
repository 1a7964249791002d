/* unknown.c -- which words name operators and nets, and what is said of one that does not: what it is called here, what is near it in meaning, where
 * there is more.
 *
 * In: the word and its place.  Out: one error with its notes.  Words are what other libraries call things; of the operators near one only those
 * are named that there are. */
#include "base/embed.h"
#include "formula/rows.h"
#include "graph/model.h"
#include <string.h>
#include <strings.h>

/* Words that people bring from elsewhere, and what the same thing is called here. */
static const Synonym brought[] = {
    { "linear", "dense" }, { "fc", "dense" }, { "fully_connected", "dense" }, { "conv2d", "conv" }, { "conv1d", "conv" }, { "convolution", "conv" },
    { "max_pool", "maxpool" }, { "maxpool2d", "maxpool" }, { "max_pool2d", "maxpool" }, { "avg_pool", "avgpool" }, { "avg_pool2d", "avgpool" }, { "average_pool", "avgpool" },
    { "mean_pool", "avgpool" }, { "meanpool", "avgpool" }, { "avgpool2d", "avgpool" }, { "avgpool1d", "avgpool" }, { "avg_pool1d", "avgpool" }, { "average_pooling", "avgpool" },
    { "averagepooling2d", "avgpool" }, { "maxpool1d", "maxpool" }, { "max_pool1d", "maxpool" }, { "max_pooling", "maxpool" }, { "maxpooling2d", "maxpool" }, { "globalaveragepooling2d", "global_avgpool" },
    { "global_average_pooling", "global_avgpool" }, { "stn", "spn" }, { "grid_sample", "spn" }, { "concatenate", "concat" }, { "cat", "concat" },
    { "mul", "multiply" }, { "sub", "subtract" }, { "div", "divide" }, { "swish", "silu" }, { "sigm", "sigmoid" }, { "logistic", "sigmoid" }, { "leakyrelu", "leaky_relu" }, { "lrelu", "leaky_relu" },
    { "hardsigmoid", "hard_sigmoid" }, { "hsigmoid", "hard_sigmoid" }, { "soft_plus", "softplus" }, { "rectify", "relu" }, { "rectifier", "relu" }, { "gelu_new", "gelu" }, { "bn", "batch_norm" },
    { "ln", "layer_norm" }, { "gn", "group_norm" }, { "none", "linear" }, { "identity", "linear" }, { "id", "linear" }, { "permute", "transpose" }, { "dimshuffle", "transpose" }, { "view", "reshape" },
    { "squeeze", "reshape" }, { "unsqueeze", "reshape" }, { "batchnorm", "batch_norm" }, { "batch_norm2d", "batch_norm" }, { "layernorm", "layer_norm" }, { "groupnorm", "group_norm" },
    { "deconv", "conv_transpose" }, { "conv_transpose2d", "conv_transpose" }, { "mm", "matmul" }, { "bmm", "matmul" }, { "dot", "matmul" }, { "detach", "stop_gradient" },
    { "resize", "upsample" }, { "interpolate", "upsample" }, { "logsoftmax", "log_softmax" }, { "lstmcell", "lstm" }, { "rnncell", "rnn" }, { "grucell", "gru" }, { "elman", "rnn" },
};

/* What is no word for anything here, and what does something like it; no misspelling of the nearest word.  Formulas of such functions of x stand below. */
static const struct { const char *word, *near; } meanings[] = {
    { "lstm", "gru rnn" }, { "rnn", "gru lstm" }, { "bidirectional", "gru lstm repeat" }, { "norm", "batch_norm layer_norm group_norm rms_norm" }, { "lrn", "group_norm layer_norm" },
    { "batch_norm", "group_norm instance_norm layer_norm" }, { "attention", "matmul softmax transpose" }, { "self_attention", "matmul softmax transpose" },
    { "multi_head_attention", "matmul softmax transpose" }, { "transformer", "matmul softmax layer_norm" }, { "einsum", "matmul transpose sum" }, { "mish", "silu gelu softplus" },
    { "prelu", "leaky_relu elu" }, { "rrelu", "leaky_relu" }, { "celu", "elu selu" }, { "hardswish", "hard_sigmoid silu" }, { "hardtanh", "clip tanh" }, { "softsign", "tanh" },
    { "separable_conv", "conv" }, { "depthwise_conv", "conv" }, { "depthwise", "conv" }, { "dilated_conv", "conv" }, { "unpool", "upsample" },
    { "pixel_shuffle", "reshape transpose upsample" }, { "adaptive_avg_pool", "global_avgpool avgpool" }, { "lp_pool", "avgpool maxpool" }, { "embedding", "one_hot dense" },
    { "split", "slice" }, { "chunk", "slice" }, { "gather", "slice embedding" }, { "roll", "slice concat" }, { "tile", "upsample stack" }, { "repeat_vector", "repeat" },
    { "var", "mean square" }, { "std", "mean square sqrt" }, { "argmax", "max" }, { "min", "max minimum" }, { "prod", "multiply sum" }, { "cumsum", "sum repeat" }, { "noise", "random dropout" },
    { "highway", "sigmoid multiply" }, { "matmul", "dense multiply sum" }, { "spectral_norm", "group_norm" }, { "crop", "slice spn" },
};

/* Functions of one number that are no operators: as formulas. */
static const struct { const char *word, *formula; } formulas[] = {
    { "mish", "x * tanh(softplus(x))" }, { "hardswish", "x * relu6(x + 3) / 6" }, { "hard_swish", "x * relu6(x + 3) / 6" }, { "hardtanh", "clip(x, -1, 1)" },
    { "hard_tanh", "clip(x, -1, 1)" }, { "softsign", "x / (1 + abs(x))" }, { "celu", "where(x > 0, x, exp(min(x, 0)) - 1)" }, { "tanhshrink", "x - tanh(x)" },
    { "softshrink", "x - clip(x, -0.5, 0.5)" }, { "hardshrink", "where(abs(x) > 0.5, x, 0)" }, { "log_sigmoid", "-softplus(-x)" },
    { "logsigmoid", "-softplus(-x)" }, { "squared_relu", "relu(x) * relu(x)" }, { "relu2", "relu(x) * relu(x)" }, { "quick_gelu", "x * sigmoid(1.702 * x)" },
    { "quickgelu", "x * sigmoid(1.702 * x)" }, { "gaussian", "exp(-x * x)" }, { "sine", "sin(x)" }, { "cosine", "cos(x)" }, { "reciprocal", "1 / x" },
    { "exponential", "exp(x)" }, { "snake", "x + sin(x) * sin(x)" }, { "hard_silu", "x * relu6(x + 3) / 6" },
};

/* Descriptions that lie in docs/operators of spnc's sources. */
static const char *const examples[] = { "leaky", "space_to_depth", "channel_scale" };

Net *net_find(Builder *b, const char *word)
{
    for (int i = 0; i < b->nets.count; i++)
        if (strcmp(((Net *)b->nets.items[i])->name, word) == 0)
            return b->nets.items[i];
    return NULL;
}

static bool among(const char *const *list, int n, const char *word, size_t length)
{
    for (int i = 0; i < n; i++)
        if (strlen(list[i]) == length && memcmp(list[i], word, length) == 0)
            return true;
    return false;
}

/* All operators that a model may name; *count of them, and room for `more` behind them. */
static const char **known(Model *m, int more, int *count)
{
    const char **list = NEW_ARRAY(m->arena, const char *, OP_NONE + more + m->described.count + embedded_descriptions_count);
    int n = 0;
    for (int k = 0; k < op_count; k++)
        if (op_table[k]->help)
            list[n++] = op_table[k]->name;
    for (int i = 0; i < embedded_descriptions_count; i++) {
        const char *name = embedded_descriptions[i].name;
        if (!among(list, n, name, strcspn(name, ".")))      /* one that the model uses is in the table already */
            list[n++] = arena_copy(m->arena, name, strcspn(name, "."));
    }
    for (int i = 0; i < m->described.count; i++)
        if (!among(list, n, m->described.items[i], strlen(m->described.items[i])))
            list[n++] = m->described.items[i];
    *count = n;
    return list;
}

/* "gru, lstm": those of `words` (apart by spaces) that there are; NULL: none. */
static const char *those_of(Arena *a, const char *const *list, int n, const char *words)
{
    Text t = { .arena = a };
    while (*words) {
        const size_t length = strcspn(words, " ");
        if (among(list, n, words, length))
            text_printf(&t, "%s%.*s", t.length ? ", " : "", (int)length, words);
        words += length + (words[length] == ' ');
    }
    return t.text;
}

static void note_all(Builder *b, const char *const *list, int n)
{
    Text all = { .arena = b->m->arena };
    for (int i = 0; i < n; i++)
        if (op_kind_of(list[i]) == OP_NONE || !loss_table[op_kind_of(list[i])])
            text_printf(&all, "%s%s", all.length ? ", " : "", list[i]);
    diag_note(b->m->diag, (Loc){ 0 }, "there are %s", all.text);
    diag_note(b->m->diag, (Loc){ 0 }, "one that is not there can be written: a description and two templates, in a folder for --templates");
}

const char *operator_written(Builder *b, const char *word, const char **what)
{
    const Model *m = b->m;
    const bool net = net_find(b, word);
    const OpKind kind = net ? OP_NONE : op_kind_of(word);
    *what = net ? "a net" : "an operator";
    if (kind != OP_NONE && (loss_table[kind] || !op_table[kind]->inputs_min))
        return NULL;
    bool found = kind != OP_NONE || net;
    for (int i = 0; i < embedded_descriptions_count && !found; i++)
        found = !strncmp(embedded_descriptions[i].name, word, strlen(word)) && embedded_descriptions[i].name[strlen(word)] == '.';
    for (int i = 0; i < m->described.count && !found; i++)
        found = !strcmp(m->described.items[i], word);
    return found ? arena_printf(m->arena, kind != OP_NONE && op_table[kind]->inputs_min > 1 ? "{ %s: [x, y] }" : "{ %s: x }", word) : NULL;
}

/* "; here it is 'dense'" for a word that others have for one of the list, or that has other capitals; NULL: none. */
static const char *called_here(Arena *a, const char *word, const char *const *list, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcasecmp(word, list[i]))
            return arena_printf(a, "; here it is '%s'", list[i]);
    return diag_called_here(a, word, brought, sizeof brought / sizeof *brought, list, n);
}

/* "silu, gelu": what of the list is near the word in meaning; NULL: nothing. */
static const char *near_in_meaning(Arena *a, const char *word, const char *const *list, int n)
{
    const char *near = NULL;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings && !near; i++)
        if (strcasecmp(meanings[i].word, word) == 0)
            near = those_of(a, list, n, meanings[i].near);
    return near;
}

/* The formula of a function that is no operator, or NULL. */
static const char *formula_of(const char *word)
{
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++)
        if (strcasecmp(formulas[i].word, word) == 0)
            return formulas[i].formula;
    return NULL;
}

void unknown_act(Model *m, Loc at, const char *word, const char *const *words, int count)
{
    Text all = { .arena = m->arena };
    int n;
    const char **list = known(m, 0, &n);
    for (int i = 0; i < count; i++)
        text_printf(&all, "%s%s", i ? ", " : "", words[i]);
    const char *formula = formula_of(word), *here = called_here(m->arena, word, words, count), *near = near_in_meaning(m->arena, word, words, count);
    const bool own = among(list, n, word, strlen(word));
    const char *elsewhere = here || formula || own ? NULL : called_here(m->arena, word, list, n);
    const bool operator = own || elsewhere;
    const char *end = here ? here : elsewhere ? elsewhere : own || near || formula ? "" : diag_suggestion(m->arena, word, words, count);
    diag_error(m->diag, at, "'act' cannot be '%s'; it is one of %s%s", word, all.text, end);
    if (formula)
        diag_note(m->diag, at, "a formula does it, in an entry behind this one: y: %s", formula);
    if (near)
        diag_note(m->diag, (Loc){ 0 }, "near it in meaning: %s; `spnc ops NAME` explains each", near);
    if (operator || strpbrk(word, "( "))
        diag_note(m->diag, at, "behind the operator, an entry or a layer of its own takes any other");
    else if (!*end)
        diag_note(m->diag, (Loc){ 0 }, "one that is not there can be written: a formula in an entry of its own, or a description and two templates in a folder for --templates");
}

void unknown_operator(Builder *b, Loc at, const char *word)
{
    Model *m = b->m;
    int n;
    const char **list = known(m, b->nets.count, &n);
    for (int i = 0; i < b->nets.count; i++)
        list[n++] = ((Net *)b->nets.items[i])->name;
    const char *end = called_here(m->arena, word, list, n), *formula = formula_of(word);
    const char *near = end ? NULL : near_in_meaning(m->arena, word, list, n);
    const bool function = !end && function_find(word) >= 0;
    if (!end)
        end = near || function || formula ? "" : diag_suggestion(m->arena, word, list, n);
    diag_error(m->diag, at, "no operator or net is called '%s'%s", word, end);
    if (*end)
        return;
    if (function)
        diag_note(m->diag, (Loc){ 0 }, "it is a function of formulas: write y: %s", function_form(m->arena, (FunctionKind)function_find(word)));
    if (formula)
        diag_note(m->diag, (Loc){ 0 }, "a formula does it: write y: %s", formula);
    if (near)
        diag_note(m->diag, (Loc){ 0 }, "near it in meaning: %s; `spnc ops NAME` explains each", near);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        if (strcmp(examples[i], word) == 0)
            diag_note(m->diag, (Loc){ 0 }, "docs/operators of spnc's sources describes it: give that folder as --templates, or as `operators:` in the model");
    note_all(b, list, n);
}
