/* schema.c -- the language as a JSON Schema (2020-12), for editors with a YAML language server: completion, hover text, validation.
 *
 * In: the tables that the compiler itself checks with: operators' attributes (ops/), the other maps (language.c).  Out: JSON.
 * Only the nesting of maps is written here.  Where the file may say $name or arithmetic, the schema allows a string of that look;
 * a bare word in a net may be a net, so the schema cannot refuse an unknown one. */
#include "base/json.h"
#include "outside/outside.h"
#include "read/language.h"
#include <string.h>

enum { WORDS = 42 * OP_NONE };                          /* the names of all operators, with blanks between */

static void refer(Json *j, const char *key, const char *definition)
{
    json_word(j, key, arena_printf(j->out->arena, "{ \"$ref\": \"#/$defs/%s\" }", definition));
}

/* "enum": [..] of the words of a list with spaces between. */
static void words(Json *j, const char *key, const char *list)
{
    Text t = { .arena = j->out->arena };
    for (const char *w = list; *w;) {
        size_t n = strcspn(w, " ");
        text_printf(&t, "%s\"%.*s\"", w == list ? "" : ", ", (int)n, w);
        w += n + strspn(w + n, " ");
    }
    json_word(j, key, arena_printf(j->out->arena, "[%s]", t.text ? t.text : ""));
}

static void number(Json *j, const char *key, bool whole, double low, double high)
{
    json_word(j, key, arena_printf(j->out->arena, "{ \"anyOf\": [{ \"type\": \"%s\", \"minimum\": %.15g, \"maximum\": %.15g }, { \"$ref\": \"#/$defs/expression\" }] }",
                                   whole ? "integer" : "number", low, high));
}

static const char *number_text(Arena *a)
{
    return arena_printf(a, "{ \"anyOf\": [{ \"type\": \"number\", \"minimum\": %.15g, \"maximum\": %.15g }, { \"$ref\": \"#/$defs/expression\" }] }", -1e6, 1e6);
}

/* { NAME: n }, or { NAME: [n, n] }. */
static void init_numbers(Json *j, const InitSpec *i)
{
    const char *one = number_text(j->out->arena);
    if (i->pair)
        json_word(j, i->name, arena_printf(j->out->arena, "{ \"anyOf\": [%s, { \"description\": \"%s\", \"type\": \"array\", \"minItems\": 2, \"maxItems\": 2, \"items\": %s }] }", one, i->pair, one));
    else
        json_word(j, i->name, one);
}

/* { NAME: { gain: n } }. */
static void init_gain(Json *j, const InitSpec *i)
{
    json_opens(j, NULL, '{');
    json_text(j, "description", i->help);
    json_text(j, "type", "object");
    json_word(j, "required", arena_printf(j->out->arena, "[\"%s\"]", i->name));
    json_opens(j, "properties", '{');
    json_word(j, i->name, arena_printf(j->out->arena, "{ \"type\": \"object\", \"required\": [\"gain\"], \"properties\": { \"gain\": %s }, \"additionalProperties\": false }",
                                       number_text(j->out->arena)));
    json_closes(j, '}');
    json_word(j, "additionalProperties", "false");
    json_closes(j, '}');
}

/* An item of ATTR_PAIRS: n or [before, after]. */
static void pairs(Json *j, double low, double high)
{
    json_opens(j, "items", '{');
    json_opens(j, "anyOf", '[');
    json_opens(j, NULL, '{');
    json_text(j, "type", "integer");
    json_real(j, "minimum", low, 15);
    json_real(j, "maximum", high, 15);
    json_closes(j, '}');
    refer(j, NULL, "expression");
    json_opens(j, NULL, '{');
    json_text(j, "type", "array");
    json_int(j, "minItems", 2);
    json_int(j, "maxItems", 2);
    number(j, "items", true, low, high);
    json_closes(j, '}');
    json_closes(j, ']');
    json_closes(j, '}');
}

/* ---- rows of tables ------------------------------------------------------------------------------------ */

/* linear, an elementwise operator of one value, or such a one with its attributes. */
static void activation(Json *j)
{
    char all[WORDS] = "linear relu tanh sigmoid";
    for (int k = 0; k < OP_COUNT; k++)
        if (op_is_element((OpKind)k) && op_table[k]->inputs_min == 1)
            snprintf(all + strlen(all), sizeof all - strlen(all), " %s", op_table[k]->name);
    json_opens(j, "anyOf", '[');
    json_opens(j, NULL, '{');
    words(j, "enum", all);
    json_closes(j, '}');
    refer(j, NULL, "parameter");
    json_word(j, NULL, "{ \"type\": \"object\", \"minProperties\": 1, \"maxProperties\": 1 }");
    json_closes(j, ']');
}

/* The keywords of one row's value, inside an open object. */
static void attribute_body(Json *j, const AttrSpec *s)
{
    if (s->type == ATTR_ACT) {
        activation(j);
        return;
    }
    if (s->type == ATTR_NAME || s->type == ATTR_INIT || s->type == ATTR_TREE) {
        char path[64];
        snprintf(path, sizeof path, "#/$defs/%s", s->type == ATTR_NAME ? "name" : s->type == ATTR_INIT ? strcmp(s->name, "bias_init") ? "initialiser" : "bias_start" : s->choices);
        json_text(j, "$ref", path);
        return;
    }
    json_opens(j, "anyOf", '[');
    bool whole = s->type != ATTR_REAL;
    switch (s->type) {
    case ATTR_INT: case ATTR_INDEX: case ATTR_REAL: case ATTR_PAIR: case ATTR_SHAPE: case ATTR_PAIRS:
        json_opens(j, NULL, '{');
        json_text(j, "type", whole ? "integer" : "number");
        json_real(j, "minimum", s->low, 15);
        json_real(j, "maximum", s->high, 15);
        json_closes(j, '}');
        refer(j, NULL, "expression");
        if (s->type == ATTR_INT || s->type == ATTR_INDEX || s->type == ATTR_REAL)
            break;
        json_opens(j, NULL, '{');
        json_text(j, "type", "array");
        json_int(j, "minItems", s->type == ATTR_PAIR ? 2 : s->type == ATTR_SHAPE && s->choices ? 0 : 1);
        json_int(j, "maxItems", s->type == ATTR_PAIR ? 2 : RANK_MAX);
        if (s->type == ATTR_PAIRS)
            pairs(j, s->low, s->high);
        else
            number(j, "items", true, s->low, s->high);
        json_closes(j, '}');
        if (s->choices && s->type != ATTR_SHAPE) {
            json_opens(j, NULL, '{');
            words(j, "enum", s->choices);
            json_closes(j, '}');
        }
        break;
    case ATTR_WORD:
        json_opens(j, NULL, '{');
        if (s->choices)
            words(j, "enum", s->choices);
        else
            json_text(j, "type", "string");
        json_closes(j, '}');
        refer(j, NULL, "parameter");
        break;
    case ATTR_BOOL:
        json_opens(j, NULL, '{');
        json_text(j, "type", "boolean");
        json_closes(j, '}');
        refer(j, NULL, "parameter");
        break;
    case ATTR_INIT: case ATTR_NAME: case ATTR_ACT: case ATTR_TREE:
        break;
    }
    json_closes(j, ']');
}

static void attribute(Json *j, const AttrSpec *s)
{
    json_opens(j, s->name, '{');
    json_text(j, "description", s->help);
    if (s->fallback && *s->fallback) {
        if (s->type == ATTR_INT || s->type == ATTR_INDEX || s->type == ATTR_PAIR || s->type == ATTR_PAIRS || s->type == ATTR_REAL || s->type == ATTR_BOOL)
            json_word(j, "default", s->fallback);
        else
            json_text(j, "default", s->fallback);
    }
    attribute_body(j, s);
    json_closes(j, '}');
}

static void required(Json *j, const char *first, const AttrSpec *attrs)
{
    char list[WORDS];
    size_t n = (size_t)snprintf(list, sizeof list, "%s", first);
    for (const AttrSpec *s = attrs; s && s->name; s++)
        if (!s->fallback)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? " " : "", s->name);
    if (n)
        words(j, "required", list);
}

/* A map with exactly the keys of a table. */
static void map_body(Json *j, const MapSpec *map)
{
    json_text(j, "type", "object");
    json_text(j, "description", map->help);
    required(j, "", map->keys);
    json_opens(j, "properties", '{');
    for (const AttrSpec *s = map->keys; s->name; s++)
        attribute(j, s);
    json_closes(j, '}');
    json_word(j, "additionalProperties", "false");
}

static void map(Json *j, const char *key, const MapSpec *spec)
{
    json_opens(j, key, '{');
    map_body(j, spec);
    json_closes(j, '}');
}

/* ---- operators -------------------------------------------------------------------------------------------- */

static void described(Json *j, const OpInfo *op)
{
    char text[2048];
    json_text(j, "description", op->help->about);
    size_t n = (size_t)snprintf(text, sizeof text, "**%s**: %s\n\n`%s`\n\n%s", op->name, op->help->about, op->equation, op->help->shapes);
    if (op->help->example && n < sizeof text)
        snprintf(text + n, sizeof text - n, "\n\n```yaml\n%s```", op->help->example);
    json_text(j, "markdownDescription", text);
}

/* Its row as a loss; NULL: no loss. */
static const LossInfo *loss_of(const OpInfo *op)
{
    for (int k = 0; k < op_count; k++)
        if (op_table[k] == op)
            return loss_table[k];
    return NULL;
}

/* Operators that a user may write, in the order of ops.def; `at` goes on. */
static const OpInfo *next_operator(int *at)
{
    while (*at < op_count && !op_table[*at]->help)
        ++*at;
    return *at < op_count ? op_table[(*at)++] : NULL;
}

/* A map of attributes; with `inputs` (a definition) the operator's own key is among them, as in the flow. */
static void operator_map(Json *j, const char *key, const OpInfo *op, const char *inputs, bool all_needed)
{
    json_opens(j, key, '{');
    json_text(j, "type", "object");
    required(j, inputs ? op->name : "", all_needed ? op->attrs : NULL);
    json_opens(j, "properties", '{');
    if (inputs) {
        json_opens(j, op->name, '{');
        described(j, op);
        char path[64];
        snprintf(path, sizeof path, "#/$defs/%s", inputs);
        json_text(j, "$ref", path);
        json_closes(j, '}');
    }
    for (const AttrSpec *s = op->attrs; s->name; s++)
        if (!(inputs && s->type == ATTR_NAME))      /* a value of the flow has its name already */
            attribute(j, s);
    refer(j, "when", "condition");
    json_closes(j, '}');
    json_word(j, "additionalProperties", "false");
    json_closes(j, '}');
}

static bool needs_attribute(const OpInfo *op)
{
    for (const AttrSpec *s = op->attrs; s->name; s++)
        if (!s->fallback)
            return true;
    return false;
}

static void layer(Json *j)
{
    char bare[WORDS] = "", all[WORDS] = "", first[WORDS] = "";
    const OpInfo *op;
    for (int at = 0; (op = next_operator(&at));) {
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", *all ? " " : "", op->name);
        if (first_edition(op->name))
            snprintf(first + strlen(first), sizeof first - strlen(first), "%s%s", *first ? " " : "", op->name);
        if (op->layer && !needs_attribute(op))
            snprintf(bare + strlen(bare), sizeof bare - strlen(bare), "%s%s", *bare ? " " : "", op->name);
    }
    json_opens(j, "operator", '{');
    words(j, "enum", all);
    json_closes(j, '}');
    json_opens(j, "first_edition", '{');
    words(j, "enum", first);
    json_closes(j, '}');
    json_opens(j, "layer", '{');
    json_text(j, "description", "one layer: an operator, with its attributes, or another net");
    json_opens(j, "anyOf", '[');
    json_opens(j, NULL, '{');
    words(j, "enum", bare);
    json_closes(j, '}');
    json_opens(j, NULL, '{');
    json_text(j, "$ref", "#/$defs/name");
    refer(j, "not", "operator");
    json_closes(j, '}');
    json_opens(j, NULL, '{');
    json_text(j, "type", "object");
    json_word(j, "minProperties", "1");
    json_word(j, "maxProperties", "1");
    json_opens(j, "properties", '{');
    for (int at = 0; (op = next_operator(&at));) {
        if (!op->layer) {
            json_word(j, op->name, "false");
            continue;
        }
        json_opens(j, op->name, '{');
        described(j, op);
        json_opens(j, "anyOf", '[');
        for (const AttrSpec *s = op->attrs; s->name; s++)
            if (op->main && !strcmp(op->main, s->name)) {
                json_opens(j, NULL, '{');
                attribute_body(j, s);
                json_closes(j, '}');
            }
        operator_map(j, NULL, op, NULL, true);
        json_closes(j, ']');
        json_closes(j, '}');
    }
    json_closes(j, '}');
    json_opens(j, "propertyNames", '{');
    json_text(j, "$ref", "#/$defs/name");
    json_closes(j, '}');
    json_opens(j, "additionalProperties", '{');     /* a net's `new`, `name`, `when` and parameters */
    json_text(j, "type", "object");
    refer(j, "additionalProperties", "text");
    json_closes(j, '}');
    json_closes(j, '}');
    json_closes(j, ']');
    json_closes(j, '}');
}

/* The definition of what stands under an operator's key in the flow. */
static const char *operand_form(const OpInfo *op)
{
    return op == op_table[OP_constant] ? "numbers" : op == op_table[OP_parameter] ? "sizes" : op == op_table[OP_random] ? "distribution" : op == op_table[OP_formula] ? "text" : op->inputs_max == 1 ? "one" : "several";
}

static void flow(Json *j)
{
    json_opens(j, "made", '{');
    json_text(j, "description", "what makes a value: one operator or net with its inputs, and the operator's attributes");
    json_text(j, "type", "object");
    json_opens(j, "anyOf", '[');
    const OpInfo *op;
    for (int at = 0; (op = next_operator(&at));)
        if (!loss_of(op))
            operator_map(j, NULL, op, operand_form(op), !op_is_cell(op_kind_of(op->name)));      /* a carried cell has its attributes under carry */
    json_opens(j, NULL, '{');       /* a net, whose inputs, `new`, `when` and parameters are */
    json_word(j, "minProperties", "1");
    json_opens(j, "propertyNames", '{');
    json_text(j, "$ref", "#/$defs/name");
    refer(j, "not", "operator");
    json_closes(j, '}');
    json_word(j, "additionalProperties", "{ \"anyOf\": [{ \"$ref\": \"#/$defs/several\" }, { \"type\": \"boolean\" }] }");
    json_closes(j, '}');
    json_closes(j, ']');
    json_closes(j, '}');

    json_opens(j, "entry", '{');
    json_text(j, "type", "object");
    json_opens(j, "if", '{');
    words(j, "required", "repeat");
    json_closes(j, '}');
    refer(j, "then", "repeat");
    json_opens(j, "else", '{');
    json_word(j, "minProperties", "1");
    json_word(j, "maxProperties", "1");
    refer(j, "propertyNames", "name");
    json_word(j, "additionalProperties", "{ \"anyOf\": [{ \"description\": \"a formula\", \"type\": [\"string\", \"number\"] }, { \"$ref\": \"#/$defs/made\" }] }");
    json_closes(j, '}');
    json_closes(j, '}');
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static void scalars(Json *j)
{
    static const struct { const char *name, *help, *pattern; } patterns[] = {
        { "name", "a letter, then letters, digits and _; at most 40", "^[A-Za-z][A-Za-z0-9_]{0,39}$" },
        { "parameter", "$name of a parameter", "\\$" },
        { "expression", "a number, $name of a parameter, or arithmetic: + - * / // % ** ( ) floor ceil min max",
          "\\$|^(?![-+]?[0-9.]+([eE][-+]?[0-9]+)?$)(?=.*[0-9])(floor|ceil|min|max|[0-9.eE+*/%(), -])+$" },
    };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        json_opens(j, patterns[i].name, '{');
        json_text(j, "type", "string");
        json_text(j, "description", patterns[i].help);
        json_text(j, "pattern", patterns[i].pattern);
        json_closes(j, '}');
    }
    json_word(j, "text", "{ \"type\": [\"string\", \"number\", \"boolean\"] }");
    json_word(j, "operand", "{ \"description\": \"the name of a value, a formula, or an operator with its operands\", \"anyOf\": [{ \"type\": [\"string\", \"number\"] }, { \"$ref\": \"#/$defs/made\" }] }");
    json_word(j, "one", "{ \"anyOf\": [{ \"$ref\": \"#/$defs/operand\" }, { \"type\": \"array\", \"minItems\": 1, \"maxItems\": 1, \"items\": { \"$ref\": \"#/$defs/operand\" } }] }");
    json_word(j, "several", "{ \"anyOf\": [{ \"$ref\": \"#/$defs/operand\" }, { \"type\": \"array\", \"minItems\": 1, \"maxItems\": 30, \"items\": { \"$ref\": \"#/$defs/operand\" } }] }");
    json_word(j, "pair", "{ \"type\": \"array\", \"minItems\": 2, \"maxItems\": 2, \"items\": { \"$ref\": \"#/$defs/operand\" } }");
    json_word(j, "penalised", "{ \"description\": \"a net, or a beginning of parameter names\", \"anyOf\": [{ \"type\": \"string\" }, { \"type\": \"array\", \"minItems\": 1, \"maxItems\": 1, \"items\": { \"type\": \"string\" } }] }");
    json_word(j, "file_start", "{ \"type\": \"object\", \"required\": [\"file\"], \"properties\": { \"file\": { \"type\": \"string\", \"minLength\": 1 } }, \"additionalProperties\": false }");
    json_word(j, "class_weights", "{ \"type\": \"array\", \"minItems\": 1, \"items\": { \"type\": [\"number\", \"string\"] } }");
    json_word(j, "numbers", "{ \"description\": \"a number, a list of numbers or of such lists, or { range: n }\", \"type\": [\"number\", \"string\", \"array\", \"object\"] }");
    json_word(j, "distribution", "{ \"description\": \"normal: of deviation amount; uniform: from 0 to amount\", \"anyOf\": [{ \"enum\": [\"normal\", \"uniform\"] }, { \"$ref\": \"#/$defs/parameter\" }] }");
    json_word(j, "sizes", "{ \"description\": \"a shape\", \"type\": [\"integer\", \"string\", \"array\"] }");
    json_word(j, "condition", "{ \"description\": \"it is there only if this holds: $stride > 1\", \"type\": [\"string\", \"boolean\", \"number\"] }");
    json_word(j, "net_in", "{ \"anyOf\": [{ \"$ref\": \"#/$defs/name\" }, { \"type\": \"array\", \"minItems\": 1, \"items\": { \"$ref\": \"#/$defs/name\" } }] }");
    json_word(j, "net_out", "{ \"anyOf\": [{ \"type\": [\"string\", \"number\"] }, { \"type\": \"object\", \"minProperties\": 1, \"propertyNames\": { \"$ref\": \"#/$defs/name\" }, \"additionalProperties\": { \"$ref\": \"#/$defs/operand\" } }] }");
    json_word(j, "include", "{ \"anyOf\": [{ \"type\": \"string\" }, { \"type\": \"array\", \"minItems\": 1, \"items\": { \"type\": \"string\" } }] }");
    json_word(j, "outputs", "{ \"anyOf\": [{ \"type\": \"string\" }, { \"type\": \"array\", \"minItems\": 1, \"uniqueItems\": true, \"items\": { \"type\": \"string\" } }] }");
    json_word(j, "layers", "{ \"type\": \"array\", \"items\": { \"$ref\": \"#/$defs/layer\" } }");
    json_word(j, "params", "{ \"type\": \"object\", \"maxProperties\": 256, \"propertyNames\": { \"pattern\": \"^[A-Za-z_][A-Za-z0-9_]*$\" }, \"additionalProperties\": { \"$ref\": \"#/$defs/text\" } }");

    json_word(j, "bias_start", arena_printf(j->out->arena, "{ \"anyOf\": [%s, { \"$ref\": \"#/$defs/initialiser\" }] }", number_text(j->out->arena)));
    json_opens(j, "initialiser", '{');
    json_opens(j, "anyOf", '[');
    for (const InitSpec *i = initialisers; i->name; i++) {
        json_opens(j, NULL, '{');
        json_text(j, "description", i->help);
        if (i->number) {
            json_text(j, "type", "object");
            words(j, "required", i->name);
            json_opens(j, "properties", '{');
            init_numbers(j, i);
            json_closes(j, '}');
            json_word(j, "additionalProperties", "false");
        } else {
            json_text(j, "const", i->name);
        }
        json_closes(j, '}');
        if (i->gain)
            init_gain(j, i);
    }
    refer(j, NULL, "parameter");
    json_closes(j, ']');
    json_closes(j, '}');
}

/* A map from names to things of one definition. */
static void named(Json *j, const char *key, const char *definition, bool not_empty)
{
    json_opens(j, key, '{');
    json_text(j, "type", "object");
    if (not_empty)
        json_word(j, "minProperties", "1");
    refer(j, "propertyNames", "name");
    refer(j, "additionalProperties", definition);
    json_closes(j, '}');
}

/* { NAME: { settings } } of a row of a table. */
static void named_map(Json *j, const MapSpec *spec)
{
    char text[1024];
    json_opens(j, NULL, '{');
    json_text(j, "type", "object");
    words(j, "required", spec->name);
    json_opens(j, "properties", '{');
    json_opens(j, spec->name, '{');
    snprintf(text, sizeof text, "**%s**: %s\n\n`%s`", spec->name, spec->help, spec->equation);
    json_text(j, "markdownDescription", text);
    map_body(j, spec);
    json_closes(j, '}');
    json_closes(j, '}');
    json_word(j, "additionalProperties", "false");
    json_closes(j, '}');
}

static void training(Json *j)
{
    json_opens(j, "optimiser", '{');
    json_opens(j, "anyOf", '[');
    for (const Optimiser *o = optimisers; o->map.name; o++) {
        json_opens(j, NULL, '{');
        json_text(j, "const", o->map.name);
        json_closes(j, '}');
        named_map(j, &o->map);
    }
    json_closes(j, ']');
    json_closes(j, '}');
    map(j, "train", &map_train);
    json_word(j, "train_nets", "{ \"type\": \"object\", \"additionalProperties\": { \"$ref\": \"#/$defs/train_net\" } }");
    map(j, "train_net", &map_train_net);
    json_word(j, "no_decay", "{ \"anyOf\": [{ \"enum\": [\"bias\", \"norms\", \"weights\"] }, "
                             "{ \"type\": \"array\", \"items\": { \"enum\": [\"bias\", \"norms\", \"weights\"] } }] }");
    map(j, "clip", &map_clip);
    json_opens(j, "schedule", '{');
    json_opens(j, "anyOf", '[');
    json_word(j, NULL, "{ \"const\": \"constant\" }");
    const AttrSpec *warm_up = schedules[0].map.keys;
    while (warm_up[1].name)
        warm_up++;
    map(j, NULL, &(MapSpec){ .what = "a warm-up", .keys = (AttrSpec[]){ *warm_up, { 0 } }, .help = "A constant rate behind a warm-up." });
    for (const Schedule *s = schedules; s->map.name; s++) {
        bool alone = !s->bare;
        for (const AttrSpec *k = s->map.keys; k->name; k++)
            alone = alone && k->fallback;
        if (alone) {
            json_opens(j, NULL, '{');
            json_text(j, "const", s->map.name);
            json_closes(j, '}');
        }
        if (s->bare)
            map(j, NULL, &s->map);
        else
            named_map(j, &s->map);
    }
    json_closes(j, ']');
    json_closes(j, '}');
}

void schema_print(FILE *out)
{
    Arena *arena = arena_new();
    Text text = { .arena = arena };
    Json json = { .out = &text, .form = JSON_INDENTED }, *j = &json;
    json_opens(j, NULL, '{');
    json_text(j, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_text(j, "title", "spnc model");
    map_body(j, &map_model);
    json_word(j, "if", "{ \"properties\": { \"nets\": { \"propertyNames\": { \"not\": { \"$ref\": \"#/$defs/operator\" } } } } }");
    json_word(j, "then", "{ \"properties\": { \"nets\": { \"$ref\": \"#/$defs/nets\" }, \"flow\": { \"$ref\": \"#/$defs/flow\" } } }");
    json_opens(j, "$defs", '{');
    /* a net may have the name of an operator that came after the first edition; entries with that word are then those of the net, of which
     * a schema knows nothing */
    json_word(j, "model_nets", "{ \"type\": \"object\", \"propertyNames\": { \"$ref\": \"#/$defs/name\", \"not\": { \"$ref\": \"#/$defs/first_edition\" } } }");
    json_word(j, "model_flow", "{ \"type\": \"array\", \"minItems\": 1, \"items\": { \"type\": \"object\" } }");
    scalars(j);
    named(j, "inputs", "input", true);
    json_opens(j, "input", '{');
    map_body(j, &map_input);
    json_word(j, "if", "{ \"properties\": { \"dtype\": { \"const\": \"i32\" } }, \"required\": [\"dtype\"] }");
    json_word(j, "then", "{ \"required\": [\"classes\"], \"not\": { \"required\": [\"augment\"] } }");
    json_closes(j, '}');
    map(j, "augment", &map_augment);
    map(j, "clutter", &map_clutter);
    named(j, "targets", "target", false);
    json_opens(j, "target", '{');
    json_word(j, "if", "{ \"required\": [\"classes\"] }");
    map(j, "then", &map_labels);
    map(j, "else", &map_reals);
    json_closes(j, '}');
    json_opens(j, "nets", '{');
    json_text(j, "type", "object");
    json_int(j, "maxProperties", NETS_MAX);
    json_word(j, "propertyNames", "{ \"$ref\": \"#/$defs/name\", \"not\": { \"$ref\": \"#/$defs/operator\" } }");
    json_word(j, "additionalProperties", "{ \"anyOf\": [{ \"$ref\": \"#/$defs/layers\" }, { \"$ref\": \"#/$defs/net\" }, { \"$ref\": \"#/$defs/net_layers\" }] }");
    json_closes(j, '}');
    map(j, "net", &map_net);
    map(j, "net_layers", &map_net_layers);
    layer(j);
    json_word(j, "flow", "{ \"type\": \"array\", \"minItems\": 1, \"items\": { \"$ref\": \"#/$defs/entry\" } }");
    flow(j);
    map(j, "repeat", &map_repeat);
    named(j, "carry", "state", false);
    json_opens(j, "state", '{');
    int nested = 0;
    for (const MapSpec *cell = carried_cells; cell->keys; cell++) {
        if (nested++)
            json_opens(j, "else", '{');
        json_opens(j, "if", '{');
        json_opens(j, "required", '[');
        json_text(j, NULL, cell->keys->name);
        json_closes(j, ']');
        json_closes(j, '}');
        map(j, "then", cell);
    }
    map(j, "else", &map_carried);
    while (nested--)
        json_closes(j, '}');
    for (const MapSpec *cell = carried_cells; cell->keys; cell++)
        operator_map(j, cell->keys->choices, op_table[op_kind_of(cell->keys->name)], NULL, true);
    json_word(j, "cell_start", "{ \"anyOf\": [{ \"$ref\": \"#/$defs/operand\" }, { \"type\": \"object\", \"properties\": { \"h\": { \"$ref\": \"#/$defs/operand\" }, \"c\": { \"$ref\": "
                              "\"#/$defs/operand\" } }, \"additionalProperties\": false }] }");
    json_word(j, "state_shape", "{ \"anyOf\": [{ \"type\": \"integer\", \"minimum\": 1 }, { \"$ref\": \"#/$defs/expression\" }, { \"type\": \"array\", \"maxItems\": 6, "
                                "\"items\": { \"anyOf\": [{ \"type\": \"integer\", \"minimum\": 1 }, { \"$ref\": \"#/$defs/expression\" }] } }] }");
    json_word(j, "losses", "{ \"anyOf\": [{ \"$ref\": \"#/$defs/loss\" }, { \"type\": \"array\", \"minItems\": 1, \"maxItems\": 64, \"items\": { \"$ref\": \"#/$defs/loss\" } }] }");
    json_opens(j, "loss", '{');
    json_opens(j, "anyOf", '[');
    const OpInfo *op;
    for (int at = 0; (op = next_operator(&at));)
        if (loss_of(op))
            operator_map(j, NULL, op, loss_of(op)->takes == TAKES_WEIGHTS ? "penalised" : loss_operands(loss_of(op)) == 1 ? "one" : "pair", true);
    json_word(j, NULL, "{ \"type\": \"object\", \"required\": [\"mean\"], \"properties\": { \"mean\": { \"$ref\": \"#/$defs/operand\" }, \"weight\": { \"$ref\": \"#/$defs/text\" } }, \"additionalProperties\": false }");
    json_closes(j, ']');
    json_closes(j, '}');
    training(j);
    json_closes(j, '}');
    json_closes(j, '}');
    fprintf(out, "%s\n", text.text);
    arena_free(arena);
}
