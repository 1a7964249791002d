/* attr.c -- an operator's attributes: from YAML to numbers and words, checked against the operator's table.
 *
 * In: a node of the tree and the operator's table.  Out: op->attrs.
 * The one convention: op->attrs has one entry for each row of the table, in its order, given or default alike. */
#include "graph/attr.h"
#include "graph/model.h"
#include "read/expr.h"
#include "read/language.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void note_sets(const Model *m, const char *text)
{
    for (int i = 0; i < m->scope.count; i++) {
        const Param *p = &m->scope.params[i];
        const char *at = text && p->set ? strstr(text, arena_printf(m->arena, "$%s", p->name)) : NULL;
        if (p->set && (!text || at) && m->scope.outer)
            diag_note(m->diag, p->given, "%s = %s is given here", p->name, p->value.text);
        else if (p->set && (!text || at))
            diag_note(m->diag, p->loc, "%s=%s comes from --set %s", p->name, p->value.text, p->set_text);
    }
}

static bool is_number(const char *text)
{
    char *end;
    return *text && strchr("0123456789.+-", *text) && (strtod(text, &end), end != text && !*end);
}

/* Is the scalar a number, but for its quotes? */
static bool is_quoted_number(const Yaml *y) { return y->quoted && is_number(y->text); }

static bool number_in_range(Model *m, const AttrSpec *s, const Yaml *y, const Value *v, bool whole)
{
    const Loc at = y->loc;
    if (v->kind == VALUE_TEXT && is_quoted_number(y)) {
        diag_error(m->diag, at, "'%s' must be %s number; in quotes \"%s\" is text: leave the quotes out", s->name, whole ? "a whole" : "a", v->text);
        return false;
    }
    if (v->kind == VALUE_TEXT || (whole && v->kind != VALUE_INT && v->r != floor(v->r))) {
        const Param *p = v->kind == VALUE_TEXT ? scope_param(&m->scope, v->text) : NULL;
        diag_error(m->diag, at, "'%s' must be %s number, not '%s'%s", s->name, whole ? "a whole" : "a", v->text,
                   p ? arena_printf(m->arena, "; did you mean '$%s'?", p->name) : "");
        if (p)
            diag_note(m->diag, p->loc, "the parameter '%s' is given here", p->name);
        const Param *own = *y->text == '$' ? scope_param(&m->scope, y->text + 1) : NULL;
        if (own && v->kind == VALUE_TEXT && is_number(v->text))
            diag_note(m->diag, own->loc, "in quotes it is text: leave the quotes out");
        return false;
    }
    if (!(v->r >= s->low && v->r <= s->high)) {
        diag_error(m->diag, at, "'%s' must be between %.15g and %.15g, not %.15g", s->name, s->low, s->high, v->r);
        return false;
    }
    return true;
}

const char *word_from_yaml(Model *m, const Yaml *y)
{
    Value v;
    if (*y->text != '$')
        return y->text;
    return expr_value(m->arena, m->diag, &m->scope, y, &v) ? v.text : NULL;
}

/* One of the words of the list, a space between each? */
static bool is_among(const char *word, const char *list)
{
    const size_t n = strlen(word);
    for (const char *at = list; n && (at = strstr(at, word)); at++)
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
            return true;
    return false;
}

static bool word_among(Model *m, const char *what, Loc at, const char *word, const char *choices)
{
    const char *list[16];
    int n = 0;
    char *copy = arena_copy(m->arena, choices, strlen(choices));
    for (char *w = strtok(copy, " "); w && n < 16; w = strtok(NULL, " "))
        list[n++] = w;
    for (int i = 0; i < n; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    Text words = { .arena = m->arena };
    for (int i = 0; i < n; i++)
        text_printf(&words, "%s%s", i ? ", " : "", list[i]);
    diag_error(m->diag, at, "'%s' cannot be '%s'; it is one of %s%s", what, word, words.text, diag_suggestion(m->arena, word, list, n));
    return false;
}

/* A word where numbers may stand too. */
static bool word_or_numbers(Model *m, const AttrSpec *s, Loc at, const char *word)
{
    if (is_among(word, s->choices))
        return true;
    diag_error(m->diag, at, "'%s' cannot be '%s'; it is n, [n or [before, after], ...] or %s%s", s->name, word, s->choices,
               diag_suggestion(m->arena, word, &s->choices, 1));
    return false;
}

/* A number of an initialiser. */
static bool init_number(Model *m, const char *word, const Yaml *number, double *to)
{
    Value v;
    if (number->kind != YAML_SCALAR || !expr_value(m->arena, m->diag, &m->scope, number, &v))
        return number->kind == YAML_SCALAR ? false : (diag_error(m->diag, number->loc, "expected a number"), false);
    if (v.kind == VALUE_TEXT && is_quoted_number(number)) {
        diag_error(m->diag, number->loc, "'%s' needs a number; in quotes \"%s\" is text: leave the quotes out", word, v.text);
        return false;
    }
    if (v.kind == VALUE_TEXT || fabs(v.r) > 1e6) {
        diag_error(m->diag, number->loc, "'%s' needs a number of at most a million in size, not '%s'", word, v.text);
        return false;
    }
    *to = v.r;
    return true;
}

/* [mean, deviation] or [low, high].  number[0] becomes the deviation or half the width, number[1] the middle. */
static bool init_pair(Model *m, Attr *a, const InitSpec *spec, const Yaml *y)
{
    double x[2];
    if (y->count != 2) {
        diag_error(m->diag, y->loc, "'%s' takes one number, or two: { %s: [%s] }", spec->name, spec->name, spec->pair);
        return false;
    }
    if (!init_number(m, spec->name, y->items[0], &x[0]) || !init_number(m, spec->name, y->items[1], &x[1]))
        return false;
    const bool range = !strcmp(spec->rule, "uniform");
    if (range && x[0] > x[1]) {
        diag_error(m->diag, y->loc, "'%s' is between a lower and an upper number: { %s: [%s] }", spec->name, spec->name, spec->pair);
        return false;
    }
    if (!range && x[1] < 0) {
        diag_error(m->diag, y->items[1]->loc, "'%s' has its deviation behind the mean, and none is below 0: { %s: [%s] }", spec->name,
                   spec->name, spec->pair);
        return false;
    }
    a->number[0] = range ? (x[1] - x[0]) / 2 : x[1];
    a->number[1] = range ? x[0] + (x[1] - x[0]) / 2 : x[0];
    a->count = 2;
    return true;
}

static bool init_unknown(Model *m, Loc at, const char *word)
{
    static const Synonym brought[] = {
        { "glorot", "glorot_uniform" }, { "xavier", "glorot_uniform" }, { "xavier_uniform", "glorot_uniform" },
        { "xavier_normal", "glorot_normal" }, { "he", "he_normal" }, { "kaiming", "he_normal" }, { "kaiming_normal", "he_normal" },
        { "kaiming_uniform", "he_uniform" }, { "gaussian", "normal" }, { "random_normal", "normal" }, { "random_uniform", "uniform" },
    };
    int count = 0;
    while (initialisers[count].name)
        count++;
    const char **words = NEW_ARRAY(m->arena, const char *, count);
    Text list = { .arena = m->arena };
    for (int i = 0; i < count; i++)
        text_printf(&list, "%s%s", i ? ", " : "", words[i] = initialisers[i].name);
    const char *end = is_number(word) ? arena_printf(m->arena, "; write { constant: %.40s }", word)
                                      : diag_called_here(m->arena, word, brought, sizeof brought / sizeof *brought, words, count);
    diag_error(m->diag, at, "no initialiser is called '%s'%s", word, end ? end : diag_suggestion(m->arena, word, words, count));
    if (strcmp(word, "file") == 0)
        diag_note(m->diag, (Loc){ 0 }, "a file gives all parameters of a net: train: { nets: { NET: { init: { file: weights.npz } } } }");
    else
        diag_note(m->diag, (Loc){ 0 }, "initialisers are %s", list.text);
    return false;
}

/* What is drawn from no range at all is a constant, and probably a slip: weights that all start at 0 learn nothing in most places. */
static void init_warn(Model *m, const Attr *a, const InitSpec *spec, Loc at)
{
    const double middle = a->count > 1 ? a->number[1] : 0;
    if (!a->count || a->number[0] != 0 || !(spec->gain || spec->pair))
        return;
    const char *what = spec->gain ? "a gain" : a->count > 1 && !strcmp(spec->rule, "uniform") ? "a width" : !strcmp(spec->rule, "uniform") ? "a bound" : "a deviation";
    if (middle == 0)
        diag_warning(m->diag, at, "'%s' with %s of 0 starts every number at 0: `zeros` says so", spec->name, what);
    else
        diag_warning(m->diag, at, "'%s' with %s of 0 starts every number at %g: { constant: %g } says so", spec->name, what, middle, middle);
}

/* a->number: what InitSpec.value takes; with two numbers (a->count 2) behind it what is added. */
static bool init_of(Model *m, Attr *a, const Yaml *y, const InitSpec **of)
{
    const Yaml *number = NULL;
    const char *word = NULL;
    Loc at = y->loc;
    if (y->kind == YAML_SCALAR) {
        Value v;
        if (!expr_value(m->arena, m->diag, &m->scope, y, &v))
            return false;
        word = v.text;
        if (v.kind != VALUE_TEXT && strcmp(a->spec->name, "bias_init") == 0)
            word = "constant", number = y;
    } else if (y->kind == YAML_MAP && y->count == 1) {
        word = y->keys[0]->text;
        at = y->keys[0]->loc;
        number = y->items[0];
    } else {
        diag_error(m->diag, at, "'%s' must be the name of an initialiser, or { normal: 0.1 }, { uniform: 0.1 } or { constant: 0 }", a->spec->name);
        return false;
    }
    const InitSpec *spec = *of = initialiser_named(word);
    if (!spec)
        return init_unknown(m, at, word);
    a->word = word;
    if (number && spec->gain && number->kind == YAML_MAP && number->count == 1 && !strcmp(number->keys[0]->text, "gain"))
        return init_number(m, word, number->items[0], &a->number[0]) && (a->count = 1);
    if (number && spec->pair && number->kind == YAML_LIST)
        return init_pair(m, a, spec, number);
    if (spec->gain && number) {
        diag_error(m->diag, at, "'%s' takes no number but a gain: { %s: { gain: 2 } }", word, word);
        return false;
    }
    if (spec->number != (number != NULL)) {
        diag_error(m->diag, at, spec->number ? "'%s' needs a number: { %s: 0.1 }" : "'%s' takes no number", word, word);
        return false;
    }
    return !number || (init_number(m, word, number, &a->number[0]) && (a->count = 1));
}

static bool parse_init(Model *m, Attr *a, const Yaml *y)
{
    const InitSpec *spec = NULL;
    if (!init_of(m, a, y, &spec))
        return false;
    init_warn(m, a, spec, y->kind == YAML_MAP ? y->items[0]->loc : y->loc);
    return true;
}

/* One more whole number of a list. */
static bool parse_item(Model *m, Attr *a, const Yaml *y)
{
    Value v;
    if (y->kind != YAML_SCALAR) {
        diag_error(m->diag, y->loc, a->spec->type == ATTR_PAIRS ? "an item of '%s' must be n or [before, after]" : "'%s' must be a list of numbers", a->spec->name);
        return false;
    }
    if (!expr_value(m->arena, m->diag, &m->scope, y, &v) || !number_in_range(m, a->spec, y, &v, true))
        return false;
    a->number[a->count++] = v.r;
    return true;
}

/* A list whose items are n or [before, after]: n stands for [n, n]. */
static bool parse_pairs(Model *m, Attr *a, const Yaml *y)
{
    if (y->count < 1 || y->count > RANK_MAX) {
        diag_error(m->diag, y->loc, "'%s' must have 1 to 6 items, one for each axis", a->spec->name);
        return false;
    }
    for (int i = 0; i < y->count; i++) {
        const Yaml *item = y->items[i];
        bool pair = item->kind == YAML_LIST && item->count == 2;
        if (!parse_item(m, a, pair ? item->items[0] : item) || !parse_item(m, a, pair ? item->items[1] : item))
            return false;
    }
    return true;
}

/* An operator of one value that may be an activation. */
static bool is_act(const char *word)
{
    OpKind kind = op_kind_own(word);
    return kind == OP_relu || kind == OP_tanh || kind == OP_sigmoid || (op_is_element(kind) && op_table[kind]->inputs_min == 1);
}

/* linear, the name of an elementwise operator, or { NAME: { attributes } }.  a->number gets the attributes in the order of the operator's table. */
static bool parse_act(Model *m, Attr *a, const Yaml *y)
{
    const Yaml *given = NULL;
    Loc at = y->loc;
    Value v;
    if (y->kind == YAML_SCALAR) {
        if (!expr_value(m->arena, m->diag, &m->scope, y, &v))
            return false;
        a->word = v.text;
    } else if (y->kind == YAML_MAP && y->count == 1) {
        a->word = y->keys[0]->text;
        at = y->keys[0]->loc;
        given = y->items[0];
    } else {
        diag_error(m->diag, at, "'%s' must be the name of an activation, or { leaky_relu: { slope: 0.2 } }", a->spec->name);
        return false;
    }
    if (strcmp(a->word, "linear") == 0)
        return true;
    if (!is_act(a->word)) {
        const char *words[OP_COUNT + 1] = { "linear" };
        int n = 1;
        for (int k = 0; k < OP_COUNT; k++)
            if (is_act(op_table[k]->name))
                words[n++] = op_table[k]->name;
        unknown_act(m, at, a->word, words, n);
        return false;
    }
    Op *parsed = op_new(m, op_kind_own(a->word), FORWARD, "", at);
    if (!attr_parse(m, parsed, given, NULL, at))
        return false;
    if (given)
        a->act = parsed;
    return true;
}

/* True if the text has the name of a step in it, as $name. */
static bool mentions_step(const Model *m, const char *text)
{
    for (const char *at = text; (at = strchr(at, '$')) != NULL; at++)
        for (int i = 0; i < m->step_count; i++) {
            const size_t n = strlen(m->step_names[i]);
            if (!strncmp(at + 1, m->step_names[i], n) && syntax_word_end(at + 1) == at + 1 + n)
                return true;
        }
    return false;
}

/* a * step + b inside a repeat. */
static bool parse_index(Model *m, Attr *a, const Yaml *y)
{
    const Reckoner r = { .arena = m->arena, .diag = m->diag, .scope = &m->scope, .steps = m->step_names, .step_count = m->step_count,
                         .step_repeats = m->step_repeats };
    int64_t by = 0, from = 0;
    if (!expr_index(&r, y, &a->repeat, &by, &from))
        return false;
    if (!by && (from < a->spec->low || from > a->spec->high)) {
        diag_error(m->diag, y->loc, "'%s' must be between %.15g and %.15g, not %lld", a->spec->name, a->spec->low, a->spec->high, (long long)from);
        return false;
    }
    a->number[0] = (double)from;
    a->number[1] = (double)by;
    a->count = by ? 2 : 1;
    return true;
}

static bool from_yaml(Model *m, Attr *a, const Yaml *y)
{
    const AttrSpec *s = a->spec;
    a->loc = y->loc;
    a->given = true;
    a->text = y->kind == YAML_SCALAR ? y->text : NULL;
    if (s->type == ATTR_TREE)
        return true;
    if (s->type == ATTR_INDEX && y->kind == YAML_SCALAR && mentions_step(m, y->text))
        return parse_index(m, a, y);
    if (s->type == ATTR_INIT)
        return parse_init(m, a, y);
    if (s->type == ATTR_ACT)
        return parse_act(m, a, y);
    if (y->kind == YAML_LIST && s->type == ATTR_PAIRS)
        return parse_pairs(m, a, y);
    bool many = s->type == ATTR_PAIR || s->type == ATTR_SHAPE || s->type == ATTR_PAIRS;
    if (y->kind == YAML_LIST && many) {
        int most = s->type == ATTR_PAIR ? 2 : RANK_MAX;
        const bool none = s->type == ATTR_SHAPE && s->choices;
        if ((y->count < 1 && !none) || y->count > most || (s->type == ATTR_PAIR && y->count != 2)) {
            diag_error(m->diag, y->loc, s->type == ATTR_PAIR ? "'%s' must be one number or [rows, columns]"
                       : none ? "'%s' must be a list of at most 6 numbers" : "'%s' must be a list of 1 to 6 numbers", s->name);
            return false;
        }
        for (int i = 0; i < y->count; i++)
            if (!parse_item(m, a, y->items[i]))
                return false;
        return true;
    }
    if (y->kind != YAML_SCALAR) {
        diag_error(m->diag, y->loc, "'%s' must be %s", s->name, many ? "a number or a list of numbers" : "one value");
        return false;
    }
    Value v;
    if (!expr_value(m->arena, m->diag, &m->scope, y, &v))
        return false;
    switch (s->type) {
    case ATTR_INT: case ATTR_INDEX: case ATTR_PAIR: case ATTR_SHAPE: case ATTR_PAIRS: case ATTR_REAL:
        if (s->choices && s->type != ATTR_SHAPE && v.kind == VALUE_TEXT && !is_quoted_number(y)) {
            a->word = v.text;
            return word_or_numbers(m, s, y->loc, v.text);
        }
        if (!number_in_range(m, s, y, &v, s->type != ATTR_REAL))
            return false;
        a->number[0] = v.r;
        a->count = 1;
        return true;
    case ATTR_BOOL:
        if (!is_among(v.text, "true True TRUE false False FALSE")) {
            diag_error(m->diag, y->loc, "'%s' must be true or false, not '%s'", s->name, v.text);
            return false;
        }
        a->number[0] = v.text[0] == 't' || v.text[0] == 'T';
        a->count = 1;
        return true;
    case ATTR_WORD:
        a->word = v.text;
        return !s->choices || word_among(m, s->name, y->loc, v.text, s->choices);
    case ATTR_NAME:
        a->word = v.text;
        return name_check(m, y->loc, v.text);
    case ATTR_INIT: case ATTR_ACT: case ATTR_TREE:
        break;
    }
    unreachable("attribute type");
}

bool attr_from_yaml(Model *m, Attr *a, const Yaml *y)
{
    int errors = diag_errors(m->diag);
    bool good = from_yaml(m, a, y);
    if (diag_errors(m->diag) > errors && y->kind == YAML_SCALAR && strchr(y->text, '$'))
        note_sets(m, y->text);
    return good;
}

bool name_check(Model *m, Loc at, const char *name)
{
    static const char *const keywords[] = {
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float", "for",
        "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct",
        "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "main",
    };
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strcmp(name, keywords[i]) == 0) {
            diag_error(m->diag, at, "'%s' is a word of C and cannot be a name", name);
            return false;
        }
    bool good = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z');
    for (const char *c = name; good && *c; c++)
        good = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_';
    if (!good) {
        diag_error(m->diag, at, "'%.40s' cannot be a name: a letter first, then letters, digits and _", name);
        return false;
    }
    if (strlen(name) > 40) {
        diag_error(m->diag, at, "a name has at most 40 characters; this one has %zu", strlen(name));
        return false;
    }
    return true;
}

/* A fallback is written as in YAML; it is read the same way. */
static void attr_fallback(Model *m, Attr *a)
{
    if (!a->spec->fallback || !*a->spec->fallback)
        return;
    Yaml y = { .kind = YAML_SCALAR, .text = a->spec->fallback };
    if (!attr_from_yaml(m, a, &y))
        unreachable("a fallback does not fit its own table");
    a->given = false;
}

void note_known(const Model *m, const char *what, const char *const *names, int count)
{
    Text list = { .arena = m->arena };
    for (int k = 0; k < count; k++)
        text_printf(&list, "%s%s", k ? ", " : "", names[k]);
    if (list.text)
        diag_note(m->diag, (Loc){ 0 }, "%s knows: %s", what, list.text);
}

/* True if `word` names an operator of the language. */
static bool op_named(const char *word)
{
    for (int k = 0; k < op_count; k++)
        if (op_table[k]->help && !strcmp(op_table[k]->name, word))
            return true;
    return false;
}

/* clip's bounds, which the formula refuses, too, where they stand the wrong way round. */
static bool bounds_fit(Model *m, const Op *op)
{
    if (op->kind != OP_clip || op_real(op, "low") <= op_real(op, "high"))
        return true;
    diag_error(m->diag, op_attr(op, "low")->loc, "clip has its lower bound under `low`: %g is above %g", op_real(op, "low"), op_real(op, "high"));
    return false;
}

const char *attr_elsewhere(Arena *a, const char *word, const char *const *names, int count)
{
    static const Synonym brought[] = {
        { "activation", "act" }, { "nonlinearity", "act" }, { "kernel_size", "kernel" }, { "pool_size", "size" }, { "out_channels", "filters" },
        { "out_features", "units" }, { "embedding_dim", "units" }, { "hidden_size", "units" }, { "eps", "epsilon" }, { "use_bias", "bias" },
        { "scale_factor", "factor" }, { "kernel_initializer", "init" }, { "bias_initializer", "bias_init" }, { "label_smoothing", "smoothing" },
        { "ignore_index", "ignore" }, { "lr", "rate" }, { "learning_rate", "rate" }, { "scheduler", "schedule" }, { "lr_scheduler", "schedule" },
        { "ema", "average" }, { "max_norm", "norm" }, { "value", "element" }, { "warmup_epochs", "warm_up" }, { "lr_mult", "rate_times" },
        { "frozen", "freeze" }, { "l2", "weight_decay" }, { "early_stopping", "patience" }, { "gamma", "factor" }, { "clip_norm", "clip" },
        { "gradient_clipping", "clip" }, { "grad_clip", "clip" }, { "accumulation_steps", "accumulate" }, { "num_epochs", "epochs" }, { "max_epochs", "epochs" },
        { "betas", "beta1" }, { "alpha", "factor" },
    };
    return diag_called_here(a, word, brought, sizeof brought / sizeof *brought, names, count);
}

bool attr_parse(Model *m, Op *op, const Yaml *y, const char *skip, Loc at)
{
    const OpInfo *info = OP_INFO(op);
    const char *names[ATTR_MAX], *called = loss_table[op->kind] ? loss_word(op->kind) : info->name;
    bool good = true, unknown = false;      /* unknown: an unknown name may be the misspelt form of a missing one */
    for (const AttrSpec *s = info->attrs; s->name; s++) {
        names[op->attr_count] = s->name;
        op->attrs[op->attr_count++] = (Attr){ .spec = s, .loc = at };
    }
    if (y && y->kind == YAML_MAP) {
        for (int i = 0; i < y->count; i++) {
            const char *key = y->keys[i]->text;
            if ((skip && strcmp(key, skip) == 0) || strcmp(key, "when") == 0)
                continue;
            Attr *a = NULL;
            for (int k = 0; k < op->attr_count; k++)
                if (strcmp(names[k], key) == 0)
                    a = &op->attrs[k];
            if (!a || (skip && strcmp(key, "name") == 0)) {
                const bool operator = skip && op_named(key);
                const char *ours = attr_elsewhere(m->arena, key, names, op->attr_count);
                diag_error(m->diag, y->keys[i]->loc, "%s has no attribute '%s'%s", called, key,
                           ours ? ours : operator ? "; an entry has one operator, its first key" : diag_suggestion(m->arena, key, names, op->attr_count));
                note_known(m, called, names, op->attr_count);
                unknown = true;
                continue;
            }
            good = attr_from_yaml(m, a, y->items[i]) && good;
        }
    } else if (y) {
        if (!info->main) {
            const AttrSpec *first = info->attrs->name && strcmp(info->attrs->name, "name") ? info->attrs : NULL;
            diag_error(m->diag, y->loc, "%s takes no value here%s", called, first ? arena_printf(m->arena, ": its attributes stand in braces, { %s: ... }", first->name) : "");
            return false;
        }
        for (int k = 0; k < op->attr_count; k++)
            if (strcmp(names[k], info->main) == 0)
                good = attr_from_yaml(m, &op->attrs[k], y);
    }
    for (int k = 0; k < op->attr_count; k++) {
        Attr *a = &op->attrs[k];
        if (a->given)
            continue;
        if (a->spec->fallback) {
            attr_fallback(m, a);
        } else {
            if (!unknown)
                diag_error(m->diag, at, "%s needs '%s' (%s)", called, a->spec->name, a->spec->help);
            good = false;
        }
    }
    return good && !unknown && bounds_fit(m, op);
}
