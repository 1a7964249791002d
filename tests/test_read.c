/* The reader: trees with their places, and everything hostile. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "spnc.h"

static Arena *arena;
static char *said;

/* Work is counted, not timed: characters that libyaml has read, and comparisons of two texts.  Calls come here by the linker's --wrap. */
static size_t characters, comparisons;

int __real_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event);
int __wrap_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event);
int __wrap_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event)
{
    int fine = __real_yaml_parser_parse(parser, event);
    characters = parser->mark.index;
    return fine;
}

int __real_strcmp(const char *a, const char *b);
int __wrap_strcmp(const char *a, const char *b);
int __wrap_strcmp(const char *a, const char *b)
{
    comparisons++;
    return __real_strcmp(a, b);
}

static void set_up(void) { arena = arena_new(); }
static void tear_down(void) { free(said); arena_free(arena); }
TestSuite(read, .init = set_up, .fini = tear_down, .timeout = 600);

static Yaml *read_bytes(const char *text, size_t n)
{
    size_t size;
    free(said);
    FILE *f = open_memstream(&said, &size);
    Diag *d = diag_new(arena, f, false, false);
    Yaml *y = read_yaml(arena, d, source_new(arena, "m", text, n));
    fclose(f);
    cr_assert(diag_errors(d) > 0 ? y == NULL : y != NULL, "%s", said);
    return y;
}

static Yaml *fine(const char *text)
{
    Yaml *y = read_bytes(text, strlen(text));
    cr_assert(y != NULL, "%s", said);
    return y;
}

#define REFUSES(text, parts) refuses(text, strlen(text), parts)
static void refuses(const char *text, size_t n, const char *part)
{
    cr_assert(read_bytes(text, n) == NULL, "this should be refused: %.60s", text);
    cr_assert(strstr(said, part) != NULL, "said: %.2000s", said);
}

Test(read, a_tree_knows_its_places)
{
    Yaml *y = fine("# note\nmodel: conv\nnets:\n  - conv: { filters: 32, \"k\": '3 x' }\n  - relu\n");
    cr_assert(y->kind == YAML_MAP && y->count == 2 && y->loc.line == 2 && y->loc.column == 1);
    Yaml *nets = yaml_get(y, "nets"), *conv = yaml_get(nets->items[0], "conv"), *k = yaml_get(conv, "k");
    cr_assert(nets->kind == YAML_LIST && nets->count == 2 && nets->loc.line == 4 && nets->loc.column == 3);
    cr_assert(conv->loc.line == 4 && conv->loc.column == 11);
    cr_assert(eq(str, (char *)k->text, "3 x"));
    cr_assert(k->quoted && k->loc.column == 31 && k->loc.length == 5);
    Yaml *filters = yaml_get(conv, "filters");
    cr_assert(filters->loc.column == 22 && !filters->quoted && filters->loc.length == 2);
    cr_assert(yaml_get(y, "none") == NULL && yaml_get(nets, "x") == NULL && yaml_get(NULL, "x") == NULL);
}

Test(read, plain_words_are_just_text)
{
    Yaml *y = fine("a: yes\nb: null\nc: ~\nd:\ne: 0x1\n<<: 1\nyes: 2\n");
    cr_assert(eq(str, (char *)yaml_get(y, "a")->text, "yes"));
    cr_assert(eq(str, (char *)yaml_get(y, "b")->text, "null"));
    cr_assert(eq(str, (char *)yaml_get(y, "c")->text, "~"));
    cr_assert(eq(str, (char *)yaml_get(y, "d")->text, ""));
    cr_assert(eq(str, (char *)yaml_get(y, "<<")->text, "1"));
}

Test(read, columns_count_characters)
{
    Yaml *y = fine("\xEF\xBB\xBF{ \xC3\xA9\xE4\xB8\xAD: x }\r\n");
    cr_assert(y->items[0]->loc.column == 7 && y->items[0]->loc.line == 1, "%d", y->items[0]->loc.column);
}

Test(read, a_key_given_twice_points_at_both)
{
    REFUSES("a: 1\nb: 2\na: 3\n", "m:3:1: error: the key 'a' is given twice");
    cr_assert(strstr(said, "m:1:1: note: 'a' is first given here") != NULL);
    fine("x: { a: 1 }\ny: { a: 2 }\n");
}

Test(read, several_mistakes_are_all_reported)
{
    REFUSES("a: 1\na: 2\nb: &x 3\nc: *x\nd: !t 4\n", "given twice");
    cr_assert(strstr(said, "anchors") && strstr(said, "m:4:4: error: aliases") && strstr(said, "m:5:4: error: tags"), "%s", said);
}

Test(read, syntax_errors_speak_english)
{
    REFUSES("{ a: f(m > 0 , x, 0), b: [g(x, 1)] }", "m:1:14: error: a comma ends a value inside { }: put the formula in quotes");
    REFUSES("{ a: f(m > 0 , x, 0), b: [g(x, 1)] }", "m:1:30: error: a comma ends a value inside { }");
    fine("{ a: \"f(m, x)\", b: (m) , c: (m }");
    REFUSES("a: [b, min(x[0], 1) + 2, c]", "m:1:8: error: put min(x[0], 1) + 2 in quotes: inside of [ ] and { } a '[' begins a list");
    REFUSES("a: { b: \xc3\xa4 + x[$t], c: 1 }", "m:1:9: error: put \xc3\xa4 + x[$t] in quotes");
    REFUSES("a: [\n  x[0]]", "m:2:3: error: put x[0] in quotes");
    REFUSES("a: [[1] [2]]", "m:1:9: error: the list opened with '[' needs");
    REFUSES("a: b: c\n", "m:1:5: error: a ':' cannot stand here");
    REFUSES("a: 1\nb\nc: 2\n", "no ':' after its key");
    REFUSES("a: [1, 2\nb: 3\n", "needs a ',' or a ']'");
    cr_assert(strstr(said, "note: the '[' is here") != NULL, "%s", said);
    REFUSES("a: {x: 1\n", "needs a ',' or a '}'");
    REFUSES("a: 'open\nb: 2\n", "m:1:4: error: the quote opened here is never closed");
    REFUSES("a:\n\tb: 1\n", "tabs");
    REFUSES("a: @x\n", "cannot begin a value");
    REFUSES("a: \"\\q\"\n", "unknown escape");
    REFUSES("a:\n  b: 1\n c: 2\n", "m:3:2: error: ");
    REFUSES("- a\nb: 1\n", "does not fit the list");
    REFUSES("a: - b\n", "a '- ' item cannot stand here");
}

/* A mark of print is named where it may have brought about the error: not in comments, in texts for people, and in texts in quotes. */
Test(read, marks_of_print_are_named_where_they_matter)
{
    static const struct { const char *text, *names; } cases[] = {
        { "b: 2\na\uFF1A1\nc: 2\n", "m:2:2: note: this is a FULLWIDTH COLON (U+FF1A)" },
        { "b: 2\na: \"x\u201D, c\n", "m:2:6: note: this is a typographic quote (U+201D)" },
        { "b: 2\na: { c: \"it\u2019s d\u201D }\n", "m:2:16: note: this is a typographic quote (U+201D)" },
        { "a: 'x' \u2013 1\n", "m:1:8: note: this is an EN DASH (U+2013)" },
        { "a: ['it''s', ''] \u2013 1\n", "m:1:18: note: this is an EN DASH (U+2013)" },
        { "a: [1\u3001 2]\n", "m:1:6: error: there is an IDEOGRAPHIC COMMA here (U+3001)" },
        { "a: 1 # don\u2019t\nb: c: d\n", NULL },
        { "b: c: d # don\u2019t\n", NULL },
        { "about: that\u2019s it\na: b: c\n", NULL },
        { "about: that\u2019s it: b\n", NULL },
        { "about: that\u2019s\n  it \u2013 now: b\n", NULL },
        { "a: { b: \"it\u2019s\", c: [1 }\n", NULL },
        { "a: { b: \"a \\\"\u2019b\\\" \u2013\", c: [1 }\n", NULL },
        { "a: { b: 'it''s \u201Cx\u201D', c: [1 }\n", NULL },
        { "a: \"it\u2019s\n", NULL },
        { "a: \"b\u00A0c\" d\n", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        REFUSES(cases[i].text, "error: ");
        cr_expect(cases[i].names ? strstr(said, cases[i].names) != NULL : !strstr(said, "U+"), "of %s: %s", cases[i].text, said);
    }
}

Test(read, what_a_model_needs_not_is_refused)
{
    REFUSES("", "nothing in this file");
    REFUSES("# only words\n", "nothing in this file");
    REFUSES("---\n", "nothing in this file");
    REFUSES("a: 1\n---\nb: 2\n", "a second document");
    REFUSES("%YAML 1.1\n---\na: 1\n", "directives");
    REFUSES("? [a]\n: 1\n", "a key is one word");
    REFUSES("'': 1\n", "a key is missing");
    REFUSES("a: |\n  x\n  y\n", "line break");
    REFUSES("a: \"x\\0y\"\n", "control character");
    REFUSES("a: \"\\x1b\"\n", "control character");
}

Test(read, bytes_that_are_not_text_are_refused)
{
    refuses("a: \0b", 5, "m:1:4: error: there is a NUL byte");
    refuses("a: 1\nb: \xff\n", 10, "m:2:4: error: the byte 0xff is not UTF-8");
    REFUSES("a: \xC0\x80", "not UTF-8");
    REFUSES("a: \xED\xA0\x80", "not UTF-8");
    REFUSES("a: \xE2\x82", "not UTF-8");
    REFUSES("a: \x1b[31m", "control character here (U+001B)");
    REFUSES("a: 1\xE2\x80\xA8" "b: 2\n", "U+2028");
}

static const char *repeated(const char *unit, int times, const char *last)
{
    Text t = { .arena = arena };
    for (int i = 0; i < times; i++)
        text_add(&t, unit, strlen(unit));
    text_add(&t, last, strlen(last));
    return t.text;
}

Test(read, nesting_stops_at_64)
{
    fine(arena_printf(arena, "%s%s", repeated("[", 64, "x"), repeated("]", 64, "")));
    REFUSES(arena_printf(arena, "%s%s", repeated("[", 65, "x"), repeated("]", 65, "")), "m:1:65: error: lists and maps are nested");
}

/* Up to the 64th level, and what libyaml looks ahead for the ':' of a key (1024 characters at most). */
Test(read, bombs_are_refused_before_they_are_read)
{
    static const char *const units[] = { "[", "{", "[\n", "- ", "{a: ", "? ", "[{", "a: {\n ", "- - ", "? - " };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const char *text = repeated(units[i], 100000, "");
        cr_assert(read_bytes(text, strlen(text)) == NULL, "%s", units[i]);
        cr_assert(characters > 0 && characters < 66 * strlen(units[i]) + 2048, "%s: %zu characters", units[i], characters);
    }
    REFUSES(repeated("%TAG !a! b\n", 50000, "--- x\n"), "directives");
    REFUSES(repeated("a: 1 # x\n", 200000, ""), "larger than 1 MiB");
}

Test(read, each_key_is_compared_with_a_few_others)
{
    enum { KEYS = 90000, SAME = 200000, FEW = 8 };
    Text t = { .arena = arena };
    for (int i = 0; i < KEYS; i++)
        text_printf(&t, "k%d: 1\n", i);
    comparisons = 0;
    cr_assert(eq(int, fine(t.text)->count, KEYS));
    cr_assert(comparisons > KEYS / FEW && comparisons < FEW * KEYS, "%zu comparisons", comparisons);
    const char *same = repeated("a: 1\n", SAME, "");
    comparisons = 0;
    cr_assert(read_bytes(same, strlen(same)) == NULL);
    cr_assert(comparisons >= SAME - 1 && comparisons < FEW * SAME, "%zu comparisons", comparisons);
}

Test(read, every_cut_of_a_model_ends_in_a_tree_or_an_error)
{
    static const char model[] = "model: \"x\"\nflow:\n  - h: { conv: [1, 'a', {b: c}], of: image }\n  - y:\n      dense: ~\n";
    for (size_t n = 0; n < sizeof model; n++)
        read_bytes(arena_copy(arena, model, n), n);
    for (size_t i = 0; i + 1 < sizeof model; i++)
        for (const char *c = "{}[]:,-?&*!|>'\"%@`#\n\t \x01"; *c; c++) {
            char *damaged = arena_copy(arena, model, sizeof model - 1);
            damaged[i] = *c;
            read_bytes(damaged, sizeof model - 1);
        }
}

Test(read, a_file_that_cannot_be_read_is_an_error)
{
    size_t size;
    FILE *f = open_memstream(&said, &size);
    Diag *d = diag_new(arena, f, false, false);
    cr_assert(read_file(arena, d, "/nonexistent/m.yaml") == NULL);
    cr_assert(read_file(arena, d, "/") == NULL);
    fclose(f);
    cr_assert(strstr(said, "error: cannot open '/nonexistent/m.yaml': No such file") != NULL, "%s", said);
    cr_assert(strstr(said, "error: cannot read '/': Is a directory") != NULL, "%s", said);
}
