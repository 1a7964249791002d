/* Values, arithmetic and parameters, read from real YAML so that columns are those of a file. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "spnc.h"

static Arena *arena;
static char *said;

static void set_up(void) { arena = arena_new(); }
static void tear_down(void) { free(said); arena_free(arena); }
TestSuite(expr, .init = set_up, .fini = tear_down, .timeout = 600);

static const char *const no_sets[] = { NULL };

/* The params in braces and the value after `v: ` of a two-line model. */
static bool value_with(const char *params, const char *text, const char *const *sets, int set_count, Value *v, Scope *scope)
{
    const char *model = arena_printf(arena, "params: %s\nv: %s\n", params, text);
    size_t size;
    free(said);
    FILE *f = open_memstream(&said, &size);
    Diag *d = diag_new(arena, f, false, false);
    Yaml *y = read_yaml(arena, d, source_new(arena, "m", model, strlen(model)));
    bool ok = y && expr_params(arena, d, yaml_get(y, "params"), sets, set_count, scope)
            && expr_value(arena, d, scope, yaml_get(y, "v"), v);
    cr_assert(ok == (diag_errors(d) == 0));
    fclose(f);
    return ok;
}

static const char *const PARAMS = "{ d: 2, rate: 0.5, border: zero, twice: $d * 2 }";

static Value value(const char *text)
{
    Value v;
    Scope scope;
    cr_assert(value_with(PARAMS, text, no_sets, 0, &v, &scope), "%s", said);
    return v;
}

#define INT(text, n) do { Value v_ = value(text); \
        cr_assert(v_.kind == VALUE_INT && v_.i == (n) && v_.r == (double)(n), "%s is %g", text, v_.r); } while (0)
#define REAL(text, x) do { Value v_ = value(text); \
        cr_assert(v_.kind == VALUE_REAL && v_.r == (x), "%s is %g", text, v_.r); } while (0)
#define TEXT(written, s) do { Value v_ = value(written); \
        cr_assert(v_.kind == VALUE_TEXT && strcmp(v_.text, s) == 0, "%s is '%s'", written, v_.text); } while (0)
#define WRONG(text, column, part) do { Value v_; Scope s_; \
        cr_assert(value_with(PARAMS, text, no_sets, 0, &v_, &s_) == false, "%s should be wrong", text); \
        cr_assert(strstr(said, arena_printf(arena, "m:2:%d: error: ", column)) != NULL, "%s", said); \
        cr_assert(strstr(said, part) != NULL, "%s", said); } while (0)

Test(expr, plain_numbers)
{
    INT("3", 3);
    INT("-2", -2);
    INT("+7", 7);
    INT("007", 7);
    INT("9007199254740992", INT64_C(9007199254740992));
    REAL("5e-4", 5e-4);
    REAL(".5", 0.5);
    REAL("1e3", 1000.0);
    REAL("2.0", 2.0);
}

Test(expr, plain_words_stay_text)
{
    static const char *const words[] = { "zeros", "half-pixel", "models/a.yaml", "2x2", "1.2.3", "--", "yes", "null", "~", "a+b",
                                         "0x10", "inf", "nan", "min", "1 2", "3-way" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        TEXT(words[i], words[i]);
    TEXT("\"3\"", "3");
    TEXT("'1 + 2'", "1 + 2");
}

Test(expr, whole_results_stay_whole)
{
    INT("100 / 4", 25);
    REAL("100 / 3", 100.0 / 3);
    INT("100 // 3", 33);
    INT("-7 // 2", -4);
    INT("-7 % 3", 2);
    INT("7 % -3", -2);
    REAL("7.5 // 2", 3.0);
    INT("1 + 2 * 3 - 4", 3);
    INT("(1 + 2) * -(3 - 4)", 3);
    INT("2 - 3 - 4", -5);
    INT("floor(7 / 2) + ceil(7 / 2)", 7);
    INT("min(3, 2.5 * 2)", 3);
    REAL("max(3, 2.5 * 2)", 5.0);
    INT("0 * -3", 0);
}

Test(expr, parameters)
{
    INT("$d", 2);
    INT("$twice + 1", 5);
    INT("\"$d*8\"", 16);
    INT("ceil(9 * $rate)", 5);
    TEXT("$border", "zero");
    TEXT("\" $border \"", "zero");
}

Test(expr, errors_name_the_column)
{
    WRONG("1 / 0", 6, "division by zero");
    WRONG("8 // ($d - 2)", 6, "division by zero");
    WRONG("8 % 0", 6, "division by zero");
    WRONG("1 + $e", 8, "unknown parameter 'e'");
    WRONG("$rat", 4, "did you mean 'rate'?");
    WRONG("\"1 + $e\"", 9, "unknown parameter 'e'");
    WRONG("$", 4, "name must follow");
    WRONG("$d +", 8, "expected a number, $name or '(' at the end");
    WRONG("($d", 7, "expected ')'");
    WRONG("$d)", 6, "expected an operator or the end, not ')'");
    WRONG("$d ^ 2", 7, "not '^'");
    WRONG("min($d)", 10, "expected ','");
    WRONG("3 * d", 8, "'$d'");
    WRONG("$d * x", 9, "not 'x'");
    WRONG("$border + 1", 4, "is the text 'zero'");
    WRONG("9007199254740993", 4, "beyond 2^53");
    WRONG("9007199254740992 + 1", 4, "beyond 2^53");
    WRONG("$d * 9007199254740992 * 4", 4, "beyond 2^53");
    WRONG("99999999999999999999999", 4, "beyond 2^53");
    WRONG("1e999", 4, "too large");
    WRONG("1e300 * 1e300", 4, "too large");
    WRONG("[1]", 4, "not a list");
}

Test(expr, deep_parentheses_are_refused)
{
    char *deep = arena_alloc(arena, 100001);
    memset(deep, '(', 100000);
    deep[0] = '$';
    deep[1] = 'd';
    deep[2] = '+';
    WRONG(deep, 71, "nested more than 64 deep");
}

Test(expr, params_are_in_order_and_marked)
{
    Value v;
    Scope s;
    static const char *const sets[] = { "d=8", "border=clamp" };
    cr_assert(value_with(PARAMS, "$twice", sets, 2, &v, &s), "%s", said);
    cr_assert(eq(int, (int)v.i, 16));
    cr_assert(eq(int, s.count, 4));
    cr_assert(s.params[0].set && s.params[0].reads && !s.params[1].set && !s.params[1].reads);
    cr_assert(eq(str, (char *)s.params[0].set_text, "d=8"));
    cr_assert(eq(str, (char *)s.params[2].value.text, "clamp"));
    cr_assert(eq(int, s.params[1].loc.column, 23));
    cr_assert(not(value_with("{ a: $b, b: 1 }", "1", no_sets, 0, &v, &s)));
    cr_assert(strstr(said, "m:1:14: error: unknown parameter 'b'") != NULL, "%s", said);
    cr_assert(not(value_with("[1]", "1", no_sets, 0, &v, &s)));
    cr_assert(not(value_with("{ 1a: 1 }", "1", no_sets, 0, &v, &s)));
    cr_assert(not(value_with("{ a: }", "1", no_sets, 0, &v, &s)));
}

Test(expr, sets_that_do_not_fit_are_errors)
{
    static const char *const bad[][2] = {
        { "e=3", "unknown parameter 'e'" }, { "rat=3", "did you mean 'rate'?" }, { "d=big", "'d' is a number, not text" },
        { "border=3", "'border' is text, not a number" }, { "d=", "not empty" }, { "d", "write --set name=value" },
        { "=3", "write --set name=value" }, { "d=1/0", "--set d=1/0: division by zero" }, { "d=8x", "not text" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Value v;
        Scope s;
        cr_assert(not(value_with(PARAMS, "1", bad[i], 1, &v, &s)), "%s", bad[i][0]);
        cr_assert(strstr(said, bad[i][1]) != NULL, "%s", said);
    }
}
