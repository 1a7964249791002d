/* Factors and divisors of one in the emitted C: which are left out, and what stays. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "emit/tidy.h"

static void expect(const char *before, const char *after)
{
    Arena *a = arena_new();
    Text t = { .arena = a };
    text_printf(&t, "%s", before);
    tidy(&t, false);
    cr_expect(eq(str, t.text, (char *)after));
    arena_free(a);
}

Test(ones, factors_and_divisors_are_left_out)
{
    expect("f(k * 6, s * 1, m);\n", "f(k * 6, s, m);\n");
    expect("int from = t / 1 * 2, to = x[i] * 1 + (a + b) / 1;\n", "int from = t * 2, to = x[i] + (a + b);\n");
}

Test(ones, a_first_factor_too_and_a_term_of_0_within_brackets)
{
    expect("real s[1 * L]; f(m + 1 * L, 1 * k, 1 * 2); k < 1 * L\n", "real s[L]; f(m + L, k, 2); k < L\n");
    expect("x[i * 2 + 0][j + 0 + u] = y[(i + 0) * 4];\n", "x[i * 2][j + u] = y[i * 4];\n");
    static const char same[] = "y = s + 0; f(s + 0, a * b); x[i + 0.5][k + 01] = -1 * b;\n";
    expect(same, same);
}

Test(ones, a_remainder_that_stands_alone_is_0)
{
    expect("int v = t % 1, w = f(t % 1), x = t % 1 * 1;\n", "int v = 0, w = f(0), x = 0;\n");
    expect("int v = t % 1 * 16, w = a + t % 1, x = t % 1 * 16 + 2;\n", "int v = 0, w = a + t % 1, x = t % 1 * 16 + 2;\n");
}

Test(ones, a_whole_number_that_is_itself_is_1_as_an_argument)
{
    expect("static void g(int k, real s)\n{\n    f(s, k == k, k * 2);\n}\n", "static void g(int k, real s)\n{\n    f(s, 1, k * 2);\n}\n");
    static const char same[] = "static void g(int k, real s)\n{\n    f(s == s, k == m, k == k + 1);\n    if (k == k)\n        f(s != s);\n}\n";
    expect(same, same);
}

Test(ones, other_numbers_comments_strings_and_macros_stay)
{
    static const char same[] = "y = x * 1.0 + k * 16 + a * 1e3 - *p * 1u;\n"
                               "/* of x * 1 in a comment\n * and b * 1 */\n"
                               "puts(\"c * 1\");\n"
                               "#define TWICE x * 1\n"
                               "#define BOTH \\\n    x * 1; \\\n    y / 1\n";
    expect(same, same);
    expect("#define ONE 1 \\\n    * 1\na * 1;\n", "#define ONE 1 \\\n    * 1\na;\n");
    expect("c = '\"', a * 1; d = '\\'', b * 1; puts(\"\\\\\"), e * 1;\n", "c = '\"', a; d = '\\'', b; puts(\"\\\\\"), e;\n");
    expect("/* a * 1 */ b * 1;\n", "/* a * 1 */ b;\n");
}

Test(ones, terms_of_0_go_where_no_real_can_stand)
{
    expect("typedef real row_t[1 * L];\nstatic real *memory;\nvoid f(int s, real a, real *p, int n)\n{\n    g((void *)(memory + 0), s + 0, (s + 0) * n, 0 + n, 0 * n, a + 0, p[n + 0] + 0, 0 * a, h(n) + 0);\n}\n",
           "typedef real row_t[L];\nstatic real *memory;\nvoid f(int s, real a, real *p, int n)\n{\n    g((void *)memory, s, s * n, n, 0, a + 0, p[n] + 0, 0 * a, h(n) + 0);\n}\n");
    expect("int n = k * 1 * 1 + 1 * 1 * k % 1;\nint m = k % 1 * 1 * 1, l = a - 1 * b;\n", "int n = k + k % 1;\nint m = 0, l = a - b;\n");
}
