/* schema.c -- the language as a JSON Schema (2020-12), for editors with a YAML language server: completion, hover text, validation.
 *
 * In: the tables that the compiler itself checks with: operators' attributes (ops/), the other maps (language.c).  Out: JSON.
 * Only how maps stand in each other is said here.  Where the file may say $name or arithmetic, the schema allows a string of that look;
 * a bare word in a net may be a net, so the schema cannot refuse an unknown one. */
#include "read/language.h"
#include <string.h>

enum { WORDS = 42 * OP_NONE };                          /* the names of all operators, with blanks between */

typedef struct {
    FILE *out;
    int depth;
    bool first;              /* nothing stands in the innermost object or list yet */
} Json;

static void put_string(Json *j, const char *text)
{
    putc('"', j->out);
    for (const char *c = text; *c; c++) {
        if (*c == '\n')
            fputs("\\n", j->out);
        else
            fprintf(j->out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
    putc('"', j->out);
}

/* What stands before a value: comma, new line, key (NULL in a list). */
static void before(Json *j, const char *key)
{
    fprintf(j->out, "%s\n%*s", j->first ? "" : ",", 2 * j->depth, "");
    j->first = false;
    if (key) {
        put_string(j, key);
        fputs(": ", j->out);
    }
}

static void opens(Json *j, const char *key, char bracket)
{
    if (j->depth)
        before(j, key);
    putc(bracket, j->out);
    j->depth++;
    j->first = true;
}

static void closes(Json *j, char bracket)
{
    j->depth--;
    fprintf(j->out, "\n%*s%c", 2 * j->depth, "", bracket);
    j->first = false;
}

static void string(Json *j, const char *key, const char *value) { before(j, key), put_string(j, value); }
static void real(Json *j, const char *key, double value) { before(j, key), fprintf(j->out, "%.15g", value); }
static void word(Json *j, const char *key, const char *value) { before(j, key), fputs(value, j->out); }     /* true, false, a number */

static void refer(Json *j, const char *key, const char *definition)
{
    before(j, key);
    fprintf(j->out, "{ \"$ref\": \"#/$defs/%s\" }", definition);
}

/* "enum": [..] of the words of a list with spaces between. */
static void words(Json *j, const char *key, const char *list)
{
    before(j, key);
    putc('[', j->out);
    for (const char *w = list; *w;) {
        size_t n = strcspn(w, " ");
        fprintf(j->out, "%s\"%.*s\"", w == list ? "" : ", ", (int)n, w);
        w += n + strspn(w + n, " ");
    }
    putc(']', j->out);
}

static void number(Json *j, const char *key, bool whole, double low, double high)
{
    before(j, key);
    fprintf(j->out, "{ \"anyOf\": [{ \"type\": \"%s\", \"minimum\": %.15g, \"maximum\": %.15g }, { \"$ref\": \"#/$defs/expression\" }] }",
            whole ? "integer" : "number", low, high);
}

/* ---- rows of tables ------------------------------------------------------------------------------------ */

/* The keywords of one row's value, inside an open object. */
static void attribute_body(Json *j, const AttrSpec *s)
{
    if (s->type == ATTR_NAME || s->type == ATTR_INIT || s->type == ATTR_TREE) {
        char path[64];
        snprintf(path, sizeof path, "#/$defs/%s", s->type == ATTR_NAME ? "name" : s->type == ATTR_INIT ? "initialiser" : s->choices);
        string(j, "$ref", path);
        return;
    }
    opens(j, "anyOf", '[');
    bool whole = s->type != ATTR_REAL;
    switch (s->type) {
    case ATTR_INT: case ATTR_REAL: case ATTR_PAIR: case ATTR_SHAPE:
        opens(j, NULL, '{');
        string(j, "type", whole ? "integer" : "number");
        real(j, "minimum", s->low);
        real(j, "maximum", s->high);
        closes(j, '}');
        refer(j, NULL, "expression");
        if (s->type == ATTR_INT || s->type == ATTR_REAL)
            break;
        opens(j, NULL, '{');
        string(j, "type", "array");
        real(j, "minItems", s->type == ATTR_PAIR ? 2 : 1);
        real(j, "maxItems", s->type == ATTR_PAIR ? 2 : RANK_MAX);
        number(j, "items", true, s->low, s->high);
        closes(j, '}');
        break;
    case ATTR_WORD:
        opens(j, NULL, '{');
        if (s->choices)
            words(j, "enum", s->choices);
        else
            string(j, "type", "string");
        closes(j, '}');
        refer(j, NULL, "parameter");
        break;
    case ATTR_BOOL:
        opens(j, NULL, '{');
        string(j, "type", "boolean");
        closes(j, '}');
        refer(j, NULL, "parameter");
        break;
    case ATTR_INIT: case ATTR_NAME: case ATTR_TREE:
        break;
    }
    closes(j, ']');
}

static void attribute(Json *j, const AttrSpec *s)
{
    opens(j, s->name, '{');
    string(j, "description", s->help);
    if (s->fallback && *s->fallback) {
        if (s->type == ATTR_INT || s->type == ATTR_PAIR || s->type == ATTR_REAL || s->type == ATTR_BOOL)
            word(j, "default", s->fallback);
        else
            string(j, "default", s->fallback);
    }
    attribute_body(j, s);
    closes(j, '}');
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
    string(j, "type", "object");
    string(j, "description", map->help);
    required(j, "", map->keys);
    opens(j, "properties", '{');
    for (const AttrSpec *s = map->keys; s->name; s++)
        attribute(j, s);
    closes(j, '}');
    word(j, "additionalProperties", "false");
}

static void map(Json *j, const char *key, const MapSpec *spec)
{
    opens(j, key, '{');
    map_body(j, spec);
    closes(j, '}');
}

/* ---- operators -------------------------------------------------------------------------------------------- */

static void describe(Json *j, const OpInfo *op)
{
    char text[2048];
    string(j, "description", op->help->about);
    size_t n = (size_t)snprintf(text, sizeof text, "**%s**: %s\n\n`%s`\n\n%s", op->name, op->help->about, op->equation, op->help->shapes);
    if (op->help->example && n < sizeof text)
        snprintf(text + n, sizeof text - n, "\n\n```yaml\n%s```", op->help->example);
    string(j, "markdownDescription", text);
}

static bool is_loss(const OpInfo *op) { return op == op_table[OP_cross_entropy] || op == op_table[OP_mse]; }

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
    opens(j, key, '{');
    string(j, "type", "object");
    required(j, inputs ? op->name : "", all_needed ? op->attrs : NULL);
    opens(j, "properties", '{');
    if (inputs) {
        opens(j, op->name, '{');
        describe(j, op);
        char path[64];
        snprintf(path, sizeof path, "#/$defs/%s", inputs);
        string(j, "$ref", path);
        closes(j, '}');
    }
    for (const AttrSpec *s = op->attrs; s->name; s++)
        if (!(inputs && s->type == ATTR_NAME))      /* a value of the flow has its name already */
            attribute(j, s);
    closes(j, '}');
    word(j, "additionalProperties", "false");
    closes(j, '}');
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
    char bare[WORDS] = "", all[WORDS] = "";
    const OpInfo *op;
    for (int at = 0; (op = next_operator(&at));) {
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", *all ? " " : "", op->name);
        if (op->layer && !needs_attribute(op))
            snprintf(bare + strlen(bare), sizeof bare - strlen(bare), "%s%s", *bare ? " " : "", op->name);
    }
    opens(j, "operator", '{');
    words(j, "enum", all);
    closes(j, '}');
    opens(j, "layer", '{');
    string(j, "description", "one layer: an operator, with its attributes, or another net");
    opens(j, "anyOf", '[');
    opens(j, NULL, '{');
    words(j, "enum", bare);
    closes(j, '}');
    opens(j, NULL, '{');
    string(j, "$ref", "#/$defs/name");
    refer(j, "not", "operator");
    closes(j, '}');
    opens(j, NULL, '{');
    string(j, "type", "object");
    word(j, "minProperties", "1");
    word(j, "maxProperties", "1");
    opens(j, "properties", '{');
    for (int at = 0; (op = next_operator(&at));) {
        if (!op->layer) {
            word(j, op->name, "false");
            continue;
        }
        opens(j, op->name, '{');
        describe(j, op);
        opens(j, "anyOf", '[');
        for (const AttrSpec *s = op->attrs; s->name; s++)
            if (op->main && !strcmp(op->main, s->name)) {
                opens(j, NULL, '{');
                attribute_body(j, s);
                closes(j, '}');
            }
        operator_map(j, NULL, op, NULL, true);
        closes(j, ']');
        closes(j, '}');
    }
    closes(j, '}');
    opens(j, "propertyNames", '{');
    string(j, "$ref", "#/$defs/name");
    closes(j, '}');
    opens(j, "additionalProperties", '{');
    string(j, "type", "object");
    word(j, "maxProperties", "0");
    closes(j, '}');
    closes(j, '}');
    closes(j, ']');
    closes(j, '}');
}

static void flow(Json *j)
{
    opens(j, "made", '{');
    string(j, "description", "what makes a value: one operator or net with its inputs, and the operator's attributes");
    string(j, "type", "object");
    opens(j, "anyOf", '[');
    const OpInfo *op;
    for (int at = 0; (op = next_operator(&at));)
        if (!is_loss(op))
            operator_map(j, NULL, op, op->inputs_max == 1 ? "one" : "several", op != op_table[OP_gru]);      /* a carried gru has its attributes under carry */
    opens(j, NULL, '{');
    word(j, "minProperties", "1");
    word(j, "maxProperties", "1");
    opens(j, "propertyNames", '{');
    string(j, "$ref", "#/$defs/name");
    refer(j, "not", "operator");
    closes(j, '}');
    refer(j, "additionalProperties", "one");
    closes(j, '}');
    closes(j, ']');
    closes(j, '}');

    opens(j, "entry", '{');
    string(j, "type", "object");
    opens(j, "if", '{');
    words(j, "required", "repeat");
    closes(j, '}');
    refer(j, "then", "repeat");
    opens(j, "else", '{');
    word(j, "minProperties", "1");
    word(j, "maxProperties", "1");
    refer(j, "propertyNames", "name");
    refer(j, "additionalProperties", "made");
    closes(j, '}');
    closes(j, '}');
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static void scalars(Json *j)
{
    static const struct { const char *name, *help, *pattern; } patterns[] = {
        { "name", "a letter, then letters, digits and _; at most 40", "^[A-Za-z][A-Za-z0-9_]{0,39}$" },
        { "parameter", "$name of a parameter", "\\$" },
        { "expression", "a number, $name of a parameter, or arithmetic: + - * / // % ( ) floor ceil min max",
          "\\$|^(?=.*[0-9])(floor|ceil|min|max|[0-9.eE+*/%(), -])+$" },
    };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        opens(j, patterns[i].name, '{');
        string(j, "type", "string");
        string(j, "description", patterns[i].help);
        string(j, "pattern", patterns[i].pattern);
        closes(j, '}');
    }
    word(j, "text", "{ \"type\": [\"string\", \"number\", \"boolean\"] }");
    word(j, "one", "{ \"anyOf\": [{ \"$ref\": \"#/$defs/name\" }, { \"type\": \"array\", \"minItems\": 1, \"maxItems\": 1, \"items\": { \"$ref\": \"#/$defs/name\" } }] }");
    word(j, "several", "{ \"anyOf\": [{ \"$ref\": \"#/$defs/name\" }, { \"type\": \"array\", \"minItems\": 1, \"maxItems\": 30, \"items\": { \"$ref\": \"#/$defs/name\" } }] }");
    word(j, "pair", "{ \"type\": \"array\", \"minItems\": 2, \"maxItems\": 2, \"items\": { \"$ref\": \"#/$defs/name\" } }");
    word(j, "params", "{ \"type\": \"object\", \"maxProperties\": 256, \"propertyNames\": { \"pattern\": \"^[A-Za-z_][A-Za-z0-9_]*$\" }, \"additionalProperties\": { \"$ref\": \"#/$defs/text\" } }");

    opens(j, "initialiser", '{');
    opens(j, "anyOf", '[');
    for (const InitSpec *i = initialisers; i->name; i++) {
        opens(j, NULL, '{');
        string(j, "description", i->help);
        if (i->number) {
            string(j, "type", "object");
            words(j, "required", i->name);
            opens(j, "properties", '{');
            number(j, i->name, false, -1e6, 1e6);
            closes(j, '}');
            word(j, "additionalProperties", "false");
        } else {
            string(j, "const", i->name);
        }
        closes(j, '}');
    }
    refer(j, NULL, "parameter");
    closes(j, ']');
    closes(j, '}');
}

/* A map from names to things of one definition. */
static void named(Json *j, const char *key, const char *definition, bool not_empty)
{
    opens(j, key, '{');
    string(j, "type", "object");
    if (not_empty)
        word(j, "minProperties", "1");
    refer(j, "propertyNames", "name");
    refer(j, "additionalProperties", definition);
    closes(j, '}');
}

static void training(Json *j)
{
    opens(j, "optimiser", '{');
    opens(j, "anyOf", '[');
    for (int i = 0; optimisers[i]; i++) {
        opens(j, NULL, '{');
        string(j, "const", optimisers[i]->name);
        closes(j, '}');
        opens(j, NULL, '{');
        string(j, "type", "object");
        words(j, "required", optimisers[i]->name);
        opens(j, "properties", '{');
        opens(j, optimisers[i]->name, '{');
        char text[512];
        snprintf(text, sizeof text, "**%s**: %s\n\n`%s`", optimisers[i]->name, optimisers[i]->help, optimisers[i]->equation);
        string(j, "markdownDescription", text);
        map_body(j, optimisers[i]);
        closes(j, '}');
        closes(j, '}');
        word(j, "additionalProperties", "false");
        closes(j, '}');
    }
    closes(j, ']');
    closes(j, '}');
    map(j, "train", &map_train);
    map(j, "clip", &map_clip);
    opens(j, "schedule", '{');
    opens(j, "anyOf", '[');
    word(j, NULL, "{ \"const\": \"constant\" }");
    map(j, NULL, &map_schedule);
    closes(j, ']');
    closes(j, '}');
}

void schema_print(FILE *out)
{
    Json json = { .out = out }, *j = &json;
    opens(j, NULL, '{');
    string(j, "$schema", "https://json-schema.org/draft/2020-12/schema");
    string(j, "title", "spnc model");
    map_body(j, &map_model);
    opens(j, "$defs", '{');
    scalars(j);
    named(j, "inputs", "input", true);
    map(j, "input", &map_input);
    map(j, "augment", &map_augment);
    map(j, "clutter", &map_clutter);
    named(j, "targets", "target", false);
    opens(j, "target", '{');
    word(j, "if", "{ \"required\": [\"classes\"] }");
    map(j, "then", &map_labels);
    map(j, "else", &map_reals);
    closes(j, '}');
    opens(j, "nets", '{');
    string(j, "type", "object");
    real(j, "maxProperties", NETS_MAX);
    word(j, "propertyNames", "{ \"$ref\": \"#/$defs/name\", \"not\": { \"$ref\": \"#/$defs/operator\" } }");
    word(j, "additionalProperties", "{ \"type\": \"array\", \"items\": { \"$ref\": \"#/$defs/layer\" } }");
    closes(j, '}');
    layer(j);
    word(j, "flow", "{ \"type\": \"array\", \"minItems\": 1, \"items\": { \"$ref\": \"#/$defs/entry\" } }");
    flow(j);
    map(j, "repeat", &map_repeat);
    named(j, "carry", "state", false);
    opens(j, "state", '{');
    word(j, "if", "{ \"required\": [\"gru\"] }");
    map(j, "then", &map_carried_gru);
    map(j, "else", &map_carried);
    closes(j, '}');
    operator_map(j, "gru_cell", op_table[OP_gru], NULL, true);
    word(j, "losses", "{ \"anyOf\": [{ \"$ref\": \"#/$defs/loss\" }, { \"type\": \"array\", \"minItems\": 1, \"maxItems\": 64, \"items\": { \"$ref\": \"#/$defs/loss\" } }] }");
    opens(j, "loss", '{');
    opens(j, "anyOf", '[');
    const OpInfo *op;
    for (int at = 0; (op = next_operator(&at));)
        if (is_loss(op))
            operator_map(j, NULL, op, "pair", true);
    closes(j, ']');
    closes(j, '}');
    training(j);
    closes(j, '}');
    closes(j, '}');
    putc('\n', out);
}
