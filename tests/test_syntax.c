/* The parser of parameters, conditions and formulas: what it reads, as a tree in brackets, and what it refuses, at which column. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "read/expr.h"

static Arena *arena;
static char *said;

static void set_up(void) { arena = arena_new(); }
static void tear_down(void) { free(said); arena_free(arena); }
TestSuite(syntax, .init = set_up, .fini = tear_down, .timeout = 600);

/* The value after `v: ` of a model with four parameters; or of its one entry.  Messages go to `said` when *out is closed. */
static const Yaml *scalar_of(const char *text, Scope *scope, Diag **d, FILE **out, size_t *size)
{
    const char *model = arena_printf(arena, "params: { d: 2, rate: 0.5, border: zero, t: 7 }\nv: %s\n", text);
    free(said);
    *out = open_memstream(&said, size);
    *d = diag_new(arena, *out, false, false);
    Yaml *y = read_yaml(arena, *d, source_new(arena, "m", model, strlen(model)));
    cr_assert(y && expr_params(arena, *d, yaml_get(y, "params"), NULL, 0, scope));
    const Yaml *v = yaml_get(y, "v");
    return v->kind == YAML_MAP ? v->items[0] : v;
}

static void brackets(Text *t, const Syntax *n)
{
    bool binary = n->kind == SYNTAX_PAIR;
    text_printf(t, "%s", binary || n->kind == SYNTAX_SIGN ? "(" : "");
    if (binary)
        brackets(t, n->items[0]);
    text_printf(t, binary ? " %s " : "%s%s", n->kind == SYNTAX_PARAM ? "$" : binary ? n->word : "", n->word);
    if (n->kind == SYNTAX_SLICE || n->kind == SYNTAX_CALL)
        text_printf(t, n->kind == SYNTAX_CALL ? "(" : "[");
    for (int i = binary; i < n->count; i++) {
        text_printf(t, "%s", i > binary ? ", " : "");
        brackets(t, n->items[i]);
    }
    if (n->kind == SYNTAX_SLICE || n->kind == SYNTAX_CALL)
        text_printf(t, n->kind == SYNTAX_CALL ? ")" : "]");
    text_printf(t, "%s", binary || n->kind == SYNTAX_SIGN ? ")" : "");
}

static const char *tree(const char *text, SyntaxText kind)
{
    Scope scope;
    Diag *d;
    FILE *out;
    size_t size;
    const Yaml *scalar = scalar_of(text, &scope, &d, &out, &size);
    const Syntax *n = syntax_read(arena, d, &scope, scalar, kind, "");
    cr_assert((n != NULL) == (diag_errors(d) == 0));
    fclose(out);
    Text t = { .arena = arena };
    if (n)
        brackets(&t, n);
    return n ? t.text : NULL;
}

#define READS(kind, text, wanted) do { const char *got_ = tree(text, kind); \
        cr_assert(got_ && strcmp(got_, wanted) == 0, "%s is %s %s", text, got_ ? got_ : "refused:", got_ ? "" : said); } while (0)
#define FORMULA(text, wanted) READS(SYNTAX_FORMULA, text, wanted)
#define REFUSED(kind, text, column, part) do { cr_assert(tree(text, kind) == NULL, "%s should be wrong", text); \
        cr_assert(strstr(said, arena_printf(arena, "m:2:%d: error: ", column)) != NULL, "%s", said); \
        cr_assert(strstr(said, part) != NULL, "%s", said); } while (0)

Test(syntax, operators_bind_as_in_python)
{
    FORMULA("m * g + (1 - m) * h", "((m * g) + ((1 - m) * h))");
    FORMULA("a - b - c", "((a - b) - c)");
    FORMULA("a / b * c // d % e", "((((a / b) * c) // d) % e)");
    FORMULA("x**2", "(x ** 2)");
    FORMULA("\"-x ** 2\"", "(-(x ** 2))");
    FORMULA("a * -x ** -2", "(a * (-(x ** (-2))))");
    FORMULA("x ** 2 ** 3", "(x ** (2 ** 3))");
    FORMULA("(x ** 2) ** 3", "((x ** 2) ** 3)");
    FORMULA("a + b < c * d", "((a + b) < (c * d))");
    FORMULA("(a < b) * (b >= c)", "((a < b) * (b >= c))");
    FORMULA("a == -b", "(a == (-b))");
    FORMULA("+a != b", "((+a) != b)");
}

Test(syntax, words_before_a_parenthesis_are_functions)
{
    FORMULA("max", "max");
    FORMULA("max * max(max, 3)", "(max * max(max, 3))");
    FORMULA("where (m > 0, x, 0)", "where((m > 0), x, 0)");
    FORMULA("leaky_relu(x, 0.2)", "leaky_relu(x, 0.2)");
    FORMULA("f()", "f()");
    FORMULA("u.gate * n.h", "(u.gate * n.h)");
    FORMULA("floor + ceil(2)", "(floor + ceil(2))");
}

Test(syntax, slices_have_one_index)
{
    FORMULA("x[2]", "x[2]");
    FORMULA("n.h[2 * $t + 1] - x", "(n.h[((2 * $t) + 1)] - x)");
    REFUSED(SYNTAX_FORMULA, "x[1, 2]", 7, "one index stands in [ ]");
    REFUSED(SYNTAX_FORMULA, "x[1", 7, "expected ']'");
    REFUSED(SYNTAX_FORMULA, "(x)[1]", 7, "an index stands behind a name alone");
}

Test(syntax, numbers_may_begin_or_end_with_a_point)
{
    FORMULA(".5 + 5. + 1e-5 * x", "((.5 + 5.) + (1e-5 * x))");
    FORMULA("'.5'", ".5");
    REFUSED(SYNTAX_FORMULA, "x + 2y", 8, "not '2y'");
    REFUSED(SYNTAX_FORMULA, "x + 1.2.3", 8, "not '1'");
}

Test(syntax, errors_stand_at_their_column)
{
    REFUSED(SYNTAX_FORMULA, "a < b < c", 10, "comparisons do not chain: write (a < b) * (b < c)");
    REFUSED(SYNTAX_CONDITION, "1 < $d < 3", 11, "write a < b and b < c");
    REFUSED(SYNTAX_FORMULA, "a = b", 6, "equal is written '=='");
    REFUSED(SYNTAX_FORMULA, "a and b", 6, "a formula has no 'and' and 'or'");
    REFUSED(SYNTAX_FORMULA, "f(a < b or c)", 12, "a formula has no 'and' and 'or'");
    REFUSED(SYNTAX_FORMULA, "a +", 7, "expected a value, a number, $name or '(' at the end of 'a +'");
    REFUSED(SYNTAX_FORMULA, "a b", 6, "expected an operator or the end, not 'b'");
    REFUSED(SYNTAX_FORMULA, "a ^ b", 6, "in a formula a power is written '**'");
    REFUSED(SYNTAX_FORMULA, "not a", 4, "a formula has no 'not'");
    REFUSED(SYNTAX_FORMULA, "a if b", 6, "in a formula a choice is written where(condition, a, b)");
    REFUSED(SYNTAX_FORMULA, "a iffy", 6, "expected an operator or the end, not 'iffy'");
    REFUSED(SYNTAX_FORMULA, "(a)[0]", 7, "in a formula an index stands behind a name alone");
    REFUSED(SYNTAX_PARAMETER, "2 ^ 3", 6, "not '^'");
    REFUSED(SYNTAX_FORMULA, "f(a b)", 8, "expected ',' or ')', not 'b'");
    REFUSED(SYNTAX_FORMULA, "f(a,)", 8, "not ')'");
    REFUSED(SYNTAX_FORMULA, "(a", 6, "expected ')' at the end");
    REFUSED(SYNTAX_FORMULA, "a + $", 8, "a parameter's name must follow the '$'");
    REFUSED(SYNTAX_FORMULA, "\"a + \xc3\xa4\"", 9, "not '\xc3\xa4'");
    REFUSED(SYNTAX_CONDITION, "not", 7, "expected a number, a word, $name or '('");
}

Test(syntax, what_is_open_inside_braces)
{
    REFUSED(SYNTAX_FORMULA, "{ dense: 2 * (m }", 19, "expected ')' at the end");
    REFUSED(SYNTAX_FORMULA, "{ dense: \"2 * (m\", x: 1 }", 20, "expected ')' at the end");
    FORMULA("{ dense: \"where(m > 0, x, 0)\", units: 4 }", "where((m > 0), x, 0)");
}

/* ---- numbers of formulas: d is 2, rate 0.5, border a word, t 7; $i is step 3 ---- */

static const char *const step_names[] = { "i", "t" };
static const int64_t step_values[] = { 3, 5 };

static bool reckon(const char *text, Value *v, int64_t *a, int64_t *b)
{
    Scope scope;
    Diag *d;
    FILE *out;
    size_t size;
    const Yaml *scalar = scalar_of(text, &scope, &d, &out, &size);
    Reckoner r = { arena, d, &scope, step_names, step_values, 2, NULL, NULL, NULL };
    const Syntax *n = syntax_read(arena, d, &scope, scalar, SYNTAX_FORMULA, "");
    int repeat = 0;
    bool stepped = false, fine = n && expr_is_number(&r, n, &stepped) && (a ? expr_linear(&r, n, &repeat, a, b) : expr_number(&r, n, v));
    fclose(out);
    return fine;
}

Test(syntax, depth_is_limited_and_length_is_not)
{
    enum { TERMS = 100000 };
    char *deep = arena_alloc(arena, TERMS + 1), *flat = arena_alloc(arena, 2 * TERMS);
    memset(deep, '(', TERMS);
    REFUSED(SYNTAX_FORMULA, arena_printf(arena, "x + %s", deep), 72, "nested more than 64 deep");
    memset(deep, '-', TERMS);
    REFUSED(SYNTAX_FORMULA, arena_printf(arena, "x + %s", deep), 72, "nested more than 64 deep");
    for (int i = 0; i < TERMS; i++)
        memcpy(flat + 2 * i, "1+", 2);
    flat[2 * TERMS - 1] = '\0';
    Value v;
    cr_assert(reckon(flat, &v, NULL, NULL) && v.i == TERMS, "%s", said);
}

/* ---- conditions ---- */

static bool when(const char *text, bool *yes)
{
    Scope scope;
    Diag *d;
    FILE *out;
    size_t size;
    const Yaml *scalar = scalar_of(text, &scope, &d, &out, &size);
    bool fine = expr_when(arena, d, &scope, scalar, yes);
    cr_assert(fine == (diag_errors(d) == 0));
    fclose(out);
    return fine;
}

#define HOLDS(text, wanted) do { bool yes_; cr_assert(when(text, &yes_), "%s", said); cr_assert(yes_ == (wanted), "%s", text); } while (0)
#define NOT_WHEN(text, column, part) do { bool yes_; cr_assert(!when(text, &yes_), "%s should be wrong", text); \
        cr_assert(strstr(said, arena_printf(arena, "m:2:%d: error: ", column)) != NULL, "%s", said); \
        cr_assert(strstr(said, part) != NULL, "%s", said); } while (0)

Test(syntax, conditions_compare_numbers_and_words)
{
    HOLDS("$d == 2", true);
    HOLDS("$d > 2", false);
    HOLDS("$d * 2 >= 4", true);
    HOLDS("$rate < 0.5", false);
    HOLDS("$border == zero", true);
    HOLDS("$border != zero", false);
    HOLDS("clamp == $border", false);
    HOLDS("not $border == clamp", true);
    HOLDS("not not $d == 2", true);
    HOLDS("$d == 1 or $d == 2 and $rate == 1", false);
    HOLDS("($d == 1 or $d == 2) and $rate == 0.5", true);
    HOLDS("$d == 2 or $d == 1 and $rate == 1", true);
    HOLDS("$d == 0 or 8 / $d == 4", true);
    HOLDS("$d != 2 and 8 / ($d - 2) == 4", false);
    HOLDS("\"$border == zero\"", true);
    HOLDS("floor($rate) == 0", true);
}

Test(syntax, conditions_that_say_nothing_are_refused)
{
    NOT_WHEN("$d", 4, "a condition compares");
    NOT_WHEN("yes", 4, "a condition compares");
    NOT_WHEN("$d == 2 and $rate", 16, "a condition compares");
    NOT_WHEN("$e == 2", 4, "unknown parameter 'e'");
    NOT_WHEN("$d == 2 or $rat == 1", 15, "did you mean 'rate'?");
    NOT_WHEN("$border == 2", 4, "'zero' is a word and '2' a number");
    NOT_WHEN("d == 2", 4, "the parameter is written '$d'");
    NOT_WHEN("$border < zero", 12, "words are compared with == and !=");
    NOT_WHEN("8 / ($d - 2) == 4", 6, "division by zero");
    NOT_WHEN("$border + 1 == 4", 4, "text cannot be reckoned with");
    NOT_WHEN("x + 1 == 4", 4, "'x' is no number");
    NOT_WHEN("[1]", 4, "expected a condition, not a list");
}

Test(syntax, numbers_and_steps_are_reckoned_in_double)
{
#define NUMBER(text, kind_, number) do { Value v_; cr_assert(reckon(text, &v_, NULL, NULL), "%s", said); \
        cr_assert(v_.kind == (kind_) && v_.r == (number), "%s is %.17g", text, v_.r); } while (0)
    NUMBER("2 ** 10", VALUE_INT, 1024);
    NUMBER("(-1) ** 1001", VALUE_INT, -1);
    NUMBER("0 ** 0", VALUE_INT, 1);
    NUMBER("2 ** -2", VALUE_REAL, 0.25);
    NUMBER("2 ** 0.5", VALUE_REAL, 1.4142135623730951);
    NUMBER("-2 ** 2", VALUE_INT, -4);
    NUMBER("0.9 ** $i", VALUE_REAL, 0.7290000000000001);
    NUMBER("$i + $t", VALUE_INT, 10);            /* the parameter t comes before the step */
    NUMBER("($i < 4) + (2 != 2)", VALUE_INT, 1);
    NUMBER("$i // 2 + 7 % 4", VALUE_INT, 4);
    Value v;
    cr_assert(!reckon("2 ** 53 + 1", &v, NULL, NULL) && strstr(said, "m:2:4: error: this is beyond 2^53"), "%s", said);
    cr_assert(!reckon("0 ** -1", &v, NULL, NULL) && strstr(said, "m:2:6: error: division by zero"), "%s", said);
    cr_assert(!reckon("(-2.5) ** 0.3", &v, NULL, NULL) && strstr(said, "this is no number"), "%s", said);
    cr_assert(!reckon("1 + x", &v, NULL, NULL));
}

Test(syntax, indices_are_linear_in_the_step)
{
#define LINE(text, a_, b_) do { int64_t a1_, b1_; cr_assert(reckon(text, NULL, &a1_, &b1_), "%s", said); \
        cr_assert(a1_ == (a_) && b1_ == (b_), "%s: %d %d", text, (int)a1_, (int)b1_); } while (0)
#define NO_LINE(text, column, part) do { int64_t a1_, b1_; cr_assert(!reckon(text, NULL, &a1_, &b1_), "%s", text); \
        cr_assert(strstr(said, arena_printf(arena, "m:2:%d: error: ", column)) && strstr(said, part), "%s", said); } while (0)
    LINE("3", 0, 3);
    LINE("$i", 1, 0);
    LINE("$d * $i + 1", 2, 1);
    LINE("5 - $i", -1, 5);
    LINE("-($i - 2) * 3", -3, 6);
    LINE("$i + $i", 2, 0);
    NO_LINE("$i * $i", 4, "a whole number or a * $i + b");
    NO_LINE("$i / 2", 4, "a whole number or a * $i + b");
    NO_LINE("$rate", 4, "a whole number or a * $i + b");
    NO_LINE("$i * 9007199254740992 * 4", 4, "beyond 2^53");
}

/* A scalar that the compiler makes itself lives on its stack. */
Test(syntax, places_outlive_the_scalar)
{
    Scope scope;
    Diag *d;
    FILE *out;
    size_t size;
    const Yaml *v = scalar_of("x + exp(y)", &scope, &d, &out, &size);
    Yaml *copy = malloc(sizeof *copy);
    *copy = *v;
    Syntax *n = syntax_read(arena, d, NULL, copy, SYNTAX_FORMULA, "");
    memset(copy, 0xc0, sizeof *copy);
    free(copy);
    cr_assert(n);
    const Loc sign = syntax_sign(n), call = syntax_at(n->items[1]);
    cr_expect_eq(sign.line, v->loc.line);
    cr_expect_eq(sign.column, v->loc.column + 2);
    cr_expect_eq(call.column, v->loc.column + 4);
    cr_expect_eq(call.length, 6);
    fclose(out);
}
