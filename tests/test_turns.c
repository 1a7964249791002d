/* Loops of one turn in the emitted C: what is left of them, and which stay. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "emit/tidy.h"

/* A function, and names that the texts use in it. */
static const char function[] = "static int a, b, c, i, j, k, p, s, at, from;\nvoid g(int u, int v, int next, int pack)";

static void expect_in(const char *head, const char *before, const char *after)
{
    Arena *a = arena_new();
    Text t = { .arena = a };
    text_printf(&t, "%s\n{\n%s}\n", head, before);
    tidy(&t, true);
    cr_expect(eq(str, t.text, arena_printf(a, "%s\n{\n%s}\n", head, after)));
    arena_free(a);
}

static void expect(const char *before, const char *after) { expect_in(function, before, after); }

static void stays(const char *text) { expect(text, text); }

/* A line with a number in place of a variable. */
static void put(const char *line, const char *variable, int number, const char *want)
{
    Arena *a = arena_new();
    const char *const end = strchr(line, ';') ? "" : ";";
    expect(arena_printf(a, "    for (int %s = %d; %s < %d; %s++)\n        %s%s\n", variable, number, variable, number + 1, variable, line, end),
           arena_printf(a, "    %s%s\n", want, end));
    arena_free(a);
}

Test(turns, a_body_takes_the_place_of_its_loop)
{
    expect("    for (int c = 0; c < 1; c++)\n        f(c);\n", "    f(0);\n");
    expect("    for (int m = 22; m < 32; m += 10) {\n        f(m);\n        g(m + 1);\n    }\n", "    f(22);\n    g(23);\n");
    expect("    for (int c = 0; c < 16; c += L)\n        f(c);\n", "    f(0);\n");
    expect("    for (int i = 0; i < 1 * L; i += L)\n        f(i);\n", "    f(0);\n");
    expect("    for (int m = 3 * L; m < 5 * L; m += 2 * L)\n        f(m);\n", "    f(48);\n");
    expect("    for (int u = 0; u < 1; u++)\n        for (int v = 0; v < 1; v++) {\n            f(u);\n            g(v);\n        }\n",
           "    f(0);\n    g(0);\n");
    expect("    for (int c = 0; c < 1; c++) {\n        for (int k = 0; k < 2; k++)\n            f(c, k);\n    }\n",
           "    for (int k = 0; k < 2; k++)\n        f(0, k);\n");
}

Test(turns, loops_of_more_turns_stay_and_those_that_cannot_be_counted)
{
    stays("    for (int c = 0; c < 2; c++)\n        f(c);\n");
    stays("    for (int m = 0; m < 17; m += L)\n        f(m);\n");
    stays("    for (int c = 0; c < C; c++)\n        f(c);\n");
    stays("    for (int c = from; c < 1; c++)\n        f(c);\n");
    stays("    for (int c = 0; c < 0; c++)\n        f(c);\n");
    stays("    for (int c = 0; c < 1 && x; c++)\n        f(c);\n");
    stays("    for (int c = 0; c < 1; )\n        f(c++);\n");
    stays("/* for one turn\n    for (int c = 0; c < 1; c++)\n        f(c);\n*/\n");
    stays("#define EACH \\\n    for (int c = 0; c < 1; c++) \\\n        f(c)\n");
}

Test(turns, a_variable_that_changes_or_is_pointed_to_keeps_its_loop)
{
    stays("    for (int c = 0; c < 1; c++) {\n        c += 2;\n        f(c);\n    }\n");
    stays("    for (int c = 0; c < 1; c++)\n        f(&c);\n");
    stays("    for (int c = 0; c < 1; c++)\n        f(c++);\n");
}

Test(turns, a_block_becomes_that_of_the_loop_around_it)
{
    expect("    for (int i = 0; i < 2; i++)\n        for (int c = 0; c < 1; c++) {\n            f(i);\n            g(c);\n        }\n",
           "    for (int i = 0; i < 2; i++) {\n        f(i);\n        g(0);\n    }\n");
    expect("    for (; m < 2; m++)\n        for (int t = 0; t < 1; t++, pack++)\n            f(t);\n",
           "    for (; m < 2; m++) {\n        f(0);\n        pack++;\n    }\n");
    expect(
        "    if (a)\n        for (int c = 0; c < 1; c++) {\n            if (b)\n                f(c);\n        }\n    else\n        g();\n",
        "    if (a) {\n        if (b)\n            f(0);\n    }\n    else\n        g();\n");
}

Test(turns, what_the_step_does_beside_is_done_where_something_reads_it)
{
    expect("    for (int k = 0; k < 16; k += L, u += 4)\n        f(u + k);\n    g(u);\n", "    f(u);\n    u += 4;\n    g(u);\n");
    expect("    for (int k = 0; k < 16; k += L, u += 4, next += 4)\n        f(u + k);\n    g(v);\n", "    f(u);\n    g(v);\n");
    expect("    while (h()) {\n        for (int k = 0; k < 1; k++, u++)\n            f(u);\n    }\n",
           "    while (h()) {\n        f(u);\n        u++;\n    }\n");
}

Test(turns, a_block_stays_where_its_names_meet_others)
{
    expect("    for (int c = 0; c < 1; c++) {\n        vec a = f(c), *b = g(c);\n        h(a, b);\n    }\n",
           "    vec a = f(0), *b = g(0);\n    h(a, b);\n");
    expect("    int b = 1;\n    for (int c = 0; c < 1; c++) {\n        vec a = f(c), *b = g(c);\n        h(a, b);\n    }\n",
           "    int b = 1;\n    {\n        vec a = f(0), *b = g(0);\n        h(a, b);\n    }\n");
}

Test(turns, jumps_go_where_they_went)
{
    expect("    for (int u = 0; u < 3; u++)\n        for (int v = 0; v < 1; v++) {\n            if (u > v)\n                continue;\n    "
           "        f(u);\n        }\n",
           "    for (int u = 0; u < 3; u++) {\n        if (u > 0)\n            continue;\n        f(u);\n    }\n");
    expect("    for (int v = 0; v < 1; v++)\n        for (int u = 0; u < 3; u++) {\n            if (u > v)\n                break;\n       "
           "     f(u);\n        }\n",
           "    for (int u = 0; u < 3; u++) {\n        if (u > 0)\n            break;\n        f(u);\n    }\n");
    stays("    for (int v = 0; v < 1; v++) {\n        if (a)\n            continue;\n        f(v);\n    }\n    g();\n");
    stays("    for (int u = 0; u < 3; u++)\n        for (int v = 0; v < 1; v++) {\n            if (a)\n                break;\n            "
          "f(v);\n        }\n");
}

Test(turns, what_is_dealt_out_to_one_thread_is_done_by_one)
{
    expect("    #pragma omp for schedule(static) nowait\n    for (int v = 0; v < 1; v++) {\n        f(v);\n        g(v);\n    }\n",
           "    #pragma omp master\n    {\n        f(0);\n        g(0);\n    }\n");
    expect("    #pragma omp for schedule(dynamic, 1) nowait\n    for (int v = 0; v < 1; v++)\n        f(v);\n",
           "    #pragma omp single nowait\n    f(0);\n");
    stays("    #pragma omp for schedule(static)\n    for (int v = 0; v < 1; v++)\n        f(v);\n");
    stays("    #pragma omp for collapse(2) schedule(dynamic, 1) nowait\n    for (int v = 0; v < 1; v++)\n        for (int u = 0; u < 2; "
          "u++)\n            f(v);\n");
}

Test(index, a_number_is_computed_with_those_beside_it)
{
    put("w[m + 1][k]", "m", 2, "w[3][k]");
    put("g(at + f * L, (f * 4 + s) * L, f * 2 * L);", "f", 0, "g(at, s * L, 0);");
    put("x[c / L * B + c % L]", "c", 0, "x[0]");
    put("x[i * 2 + u][j - v]", "u", 0, "x[i * 2][j - v]");
    put("x[(k - from) * 6 + from]", "from", 0, "x[k * 6]");
    put("int to = f + 6 < 6 ? at + f : p + 1 < 9 ? b : c;", "f", 0, "int to = p + 1 < 9 ? b : c;");
    put("int to = f + 6 < 12 ? at + f : p + 1 < 9 ? b : c, x;", "f", 0, "int to = at, x;");
    put("g(m > 0 ? a : b, m);", "m", 0, "g(b, 0);");
}

Test(index, only_what_the_number_touches_and_only_where_whole_numbers_stand)
{
    put("x[a - m + 3]", "m", 2, "x[a - 2 + 3]");
    put("x[a / m * 3]", "m", 2, "x[a / 2 * 3]");
    put("x[1 + 2 + a][m]", "m", 0, "x[1 + 2 + a][0]");
    put("x[m - 4]", "m", 2, "x[2 - 4]");
    put("real y = x + m, z = x[i + m];", "m", 0, "real y = x + 0, z = x[i];");
    put("y = x + m * 0.5;", "m", 0, "y = x + 0 * 0.5;");
    put("s.m + p->m + mm + f(\"m\") + m2;    /* of m */", "m", 7, "s.m + p->m + mm + f(\"m\") + m2;    /* of m */");
    put("    x[m];    /* of m */", "m", 7, "x[7];    /* of m */");
}

Test(turns, what_stands_above_and_behind_keeps_its_meaning)
{
    expect("    if (x)\n        for (int c = 0; c < 1; c++) {\n            a[c] = 0; b[c] = 0;\n        }\n", "    if (x) {\n        a[0] = 0; b[0] = 0;\n    }\n");
    expect("    if (x)   /* why */\n        for (int c = 0; c < 1; c++) {\n            a[c] = 0;\n            b[c] = 0;\n        }\n",
           "    if (x)   /* why */ {\n        a[0] = 0;\n        b[0] = 0;\n    }\n");
    expect("    if (x)\n        for (int c = 0; c < 1; c++) {\n            if (y) a[c] = 0;\n        }\n    else\n        f();\n",
           "    if (x) {\n        if (y) a[0] = 0;\n    }\n    else\n        f();\n");
    expect("    /* first */ if (x)\n        for (int c = 0; c < 1; c++) {\n            f(c);\n            g(c);\n        }\n",
           "    /* first */ if (x) {\n        f(0);\n        g(0);\n    }\n");
    stays("    for (int k = 0; k < 9; k++) {   /* all */\n        for (int c = 0; c < 1; c++) {\n            if (a[k])\n                continue;\n"
          "            f(c);\n        }\n        a[k] = 1;\n    }\n");
    stays("    for (int k = 0; k < 9; k++) {\n        for (int c = 0; c < 1; c++) {\n            switch (a[k]) {\n                case 1:\n"
          "                    continue;\n            }\n            f(c);\n        }\n        a[k] = 1;\n    }\n");
    expect("    for (int m = 0; m < 1; m++, b[3]++)\n        f(m);\n", "    f(0);\n    b[3]++;\n");
}

Test(turns, only_whole_numbers_that_belong_together_are_computed)
{
    put("b = (real)m / 2;", "m", 3, "b = (real)3 / 2;");
    put("n = !m * 2;", "m", 3, "n = !3 * 2;");
    put("f(x && m < 6 ? 5 : 7);", "m", 3, "f(x && 3 < 6 ? 5 : 7);");
    put("f(x ? m < 6 ? 5 : 7 : 9);", "m", 3, "f(x ? 5 : 9);");
    put("n = m * 70000;", "m", 70000, "n = 70000 * 70000;");
    put("return -m;", "m", 0, "return -0;");
    put("n = (int)-m;", "m", 0, "n = (int)-0;");
}

Test(turns, lines_and_columns_do_not_matter)
{
    expect("    for (int c = 0; c < 1; c++) f(c);\n", "    f(0);\n");
    expect("  for (int c=0;c<1;c++)\n  {\n  f(c);\n  }\n", "  f(0);\n");
    expect("    for (int c = 0;\n         c < 1; c++)\n    f(c);\n    g(c);\n", "    f(0);\n    g(c);\n");
    expect("    if (u) for (int c = 0; c < 1; c++) f(c); else h();\n", "    if (u) f(0); else h();\n");
    expect("    for (int c = 0; c < 1; c++) { f(c); }\n", "    f(0);\n");
    expect("    for (int c = 0; c < 1; c++)\n        /* why */\n        f(c);   /* so */\n", "    /* why */\n    f(0);   /* so */\n");
    expect("    for (int c = 0; c < 1; c++) {\n        f(c);\n        /* last */\n    }\n", "    f(0);\n    /* last */\n");
    stays("    for (int c = 0; c < 1; c++)    /* all of them */\n        f(c);\n");
    stays("    for (int c = 0; c < 1; /* one */ c++)\n        f(c);\n");
    stays("    /* two\n       lines */ for (int c = 0; c < 1; c++)\n        f(c);\n");
    expect("    if (u)   // why\n        for (int c = 0; c < 1; c++) {\n            f(c);\n            h();\n        }\n",
           "    if (u) {   // why\n        f(0);\n        h();\n    }\n");
    expect("    if (u)   /* two\n    lines */\n        for (int c = 0; c < 1; c++) {\n            f(c);\n            h();\n        }\n",
           "    if (u) {   /* two\n    lines */\n        f(0);\n        h();\n    }\n");
}

Test(turns, what_is_no_function_or_cannot_be_read_stays)
{
    static const char *const same[] = {
        "int x[] = {\n    for (int c = 0; c < 1; c++)\n        f(c);\n};\n",
        "void f(void)\n{\n    (\n    for (int c = 0; c < 1; c++)\n        f(c);\n}\n",
        "void f(void)\n{\n    for (int c = 0; c < 1; c++)\n#if A\n        f(c);\n#else\n        g(c);\n#endif\n}\n",
        "#define AT x[c]\nvoid f(void)\n{\n    for (int c = 0; c < 1; c++)\n        f(AT);\n}\n",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        Arena *a = arena_new();
        Text t = { .arena = a };
        text_printf(&t, "%s", same[i]);
        tidy(&t, true);
        cr_expect(eq(str, t.text, (char *)(uintptr_t)same[i]));
        arena_free(a);
    }
    stays("    EACH(x)\n    for (int c = 0; c < 1; c++)\n        f(c);\n");
    stays("    for (int c = 0; c < 1; c++)\n        EACH(x) {\n            f(c);\n        }\n");
    stays("    _Pragma(\"omp for\")\n    for (int c = 0; c < 1; c++)\n        f(c);\n");
    stays("here:\n    for (int c = 0; c < 1; c++) {\n        int x = f(c);\n        g(x);\n    }\n");
    stays("    for (int c = 0; c < 010; c += 8)\n        f(c);\n    for (int k = 0; k < 1u; k++)\n        f(k);\n");
}

Test(turns, a_variable_that_is_more_than_a_number_keeps_its_loop)
{
    static const char *const bodies[] = { "(c)++", "c <<= 1", "f(&(c))", "int c = 1", "struct { int c; } x", "f(offsetof(struct s, c))", "f(sizeof c)",
                                          "int x = 1, *c = &x", "goto c", "c: f()" };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char text[200];
        snprintf(text, sizeof text, "    for (int c = 0; c < 1; c++) {\n        %s;\n        g(c);\n    }\n", bodies[i]);
        stays(text);
    }
    stays("    for (int c = 0; c < 1; c++, u += c)\n        f(u);\n");
    expect("    for (int c = 0; c < 1; c++) {\n        f(u ? c : u, p & c, x.c);\n        g(&q[c]);\n    }\n", "    f(u ? 0 : u, p & 0, x.c);\n    g(&q[0]);\n");
}

Test(turns, a_step_that_others_could_see_is_done)
{
    expect("    for (int c = 0; c < 1; c++, there++)\n        f(c);\n", "    f(0);\n    there++;\n");
    expect("    for (int c = 0; c < 1; c++, u += h())\n        f(c);\n", "    f(0);\n    u += h();\n");
    expect("    int *x = &u;\n    for (int c = 0; c < 1; c++, u++)\n        f(c);\n    f(*x);\n", "    int *x = &u;\n    f(0);\n    u++;\n    f(*x);\n");
    stays("    for (int c = 0; c < 1; c++, u++) {\n        int u = 2;\n        f(u);\n    }\n");
    expect("    static int x;\n    for (int c = 0; c < 1; c++, x++)\n        f(c);\n", "    static int x;\n    f(0);\n    x++;\n");
}

Test(index, terms_of_0_go_by_what_the_names_beside_them_are)
{
    static const char head[] = "typedef real row_t[4][L];\ntypedef real number;\nenum { FIRST = 3, C };\nstatic real *memory;\n"
                               "static void g(row_t x, real *y, int *k, int n, real a, double b, number c, struct s *s, real (*z)[4][L], real (*e)(int))";
    static const struct {
        const char *before, *after;
    } rows[] = {
        { "h(x + i, y + i * n, n + i, i + n * 4, FIRST + i, C * i, memory + i)", "h(x, y, n, n * 4, FIRST, 0, memory)" },
        { "h(z + i, z[1] + i, z[1][2] + i, x[1] + i, k[1] + i, (n - i) * 4, (real *)x + i, (int *)x[1] + i)", "h(z, z[1], z[1][2], x[1], k[1], n * 4, (real *)x, (int *)x[1])" },
        { "h(a + i, b - i, c + i, s->n + i, e(n) + i, *y + i, y[1] + i)", "h(a + 0, b - 0, c + 0, s->n + 0, e(n) + 0, *y + 0, y[1] + 0)" },
        { "h(a * i, i * b, i + a * n, (real)n + i, z[1][2][3] + i, x[1][2] + i)", "h(a * 0, 0 * b, 0 + a * n, (real)n + 0, z[1][2][3] + 0, x[1][2] + 0)" },
        { "h(n * 1.5 + i, n + a + i, i + n + a)", "h(n * 1.5 + 0, n + a + 0, n + a)" },
        { "h(y[n + i], y[e(a) + i], y[e(a + i)])", "h(y[n], y[e(a)], y[e(a + 0)])" },
        { "h((i < 1 ? 1 : a) / 2, (i < 1 ? f(n) : a) / 2, i < 1 ? n : n + 1, i < 1 ? a : 1)", "h((0 < 1 ? 1 : a) / 2, (0 < 1 ? f(n) : a) / 2, n, a)" },
        { "h(a + i + 3, n + i + 3)", "h(a + 0 + 3, n + 3)" },
        { "real n = a; h(n + i)", "real n = a; h(n + 0)" },
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        Arena *a = arena_new();
        expect_in(head, arena_printf(a, "    for (int i = 0; i < 1; i++) {\n        %s;\n        h(q);\n    }\n", rows[k].before),
                  arena_printf(a, "%s    %s;\n%s    h(q);\n%s", k == 8 ? "    {\n    " : "", rows[k].after, k == 8 ? "    " : "", k == 8 ? "    }\n" : ""));
        arena_free(a);
    }
}

Test(constants, a_variable_that_is_a_number_is_that_number)
{
    expect("    int x = 0, y = x + 1;\n    for (int r = x; r < y; r++)\n        f(r, u + x);\n", "    f(0, u);\n");
    expect("    int x = 3, y = u, z = x + y;\n    f(x + 1, y, z, e.x);\n", "    int y = u, z = 3 + y;\n    f(4, y, z, e.x);\n");
    expect("    while (u) {\n        int x = 4;\n        for (int r = 0; r < x; r++)\n            f(r);\n    }\n",
           "    while (u) {\n        for (int r = 0; r < 4; r++)\n            f(r);\n    }\n");
}

Test(constants, a_variable_that_is_that_of_a_loop_is_that)
{
    expect("    for (int t = 0; t < 9; t++) {\n        int x = t, y = x + 3;\n        f(x * 8, y);\n    }\n", "    for (int t = 0; t < 9; t++) {\n        int y = t + 3;\n        f(t * 8, y);\n    }\n");
    expect("    for (int t = 0; t < 9; t++) {\n        int x = t;\n        f(t);\n    }\n", "    for (int t = 0; t < 9; t++) {\n        f(t);\n    }\n");
    stays("    for (int t = 0; t < 9; t++) {\n        int x = t;\n        t++;\n        f(x);\n    }\n");
    stays("    for (int t = 0; t < 9; t++) {\n        int x = t;\n        h(&t);\n        f(x);\n    }\n");
    stays("    for (int t = 0; t < 9; t++) {\n        int x = t;\n        for (int t = 0; t < 2; t++)\n            f(x);\n    }\n");
    stays("    for (int t = 0; t < 9; t++) {\n        int x = t;\n        x = 3;\n        f(x);\n    }\n");
    stays("    for (int t = 0; t < 9; t++) {\n        const int x = t;\n        f(x);\n    }\n");
}

Test(constants, a_name_that_does_more_or_that_shall_stay_stays)
{
    static const char *const same[] = {
        "const int x = 3;", "static int x = 3;", "enum { x = 3 };", "long x = 3;", "int x = 3, *y = &x;", "int x = 3;\n    x++;", "int x = 3;\n    (x) = 4;",
        "int x = -3;", "int x[] = { 3 };", "int x = e(3);", "int x = 3;\n    #pragma omp parallel num_threads(x)", "int x = 3;   /* of the paper */",
        "{\n        int x = 3;\n        h(x);\n    }\n    int x = u;",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char text[200];
        snprintf(text, sizeof text, "    %s\n    f(x);\n", same[i]);
        stays(text);
    }
}

Test(turns, a_loop_from_a_variable_to_one_more_has_one_turn)
{
    expect("    int x = h(), y = x + 1;\n    for (int r = x; r < y; r++) {\n        f(q[(r - x) * L + 1]);\n        f(r);\n    }\n",
           "    int x = h();\n    f(q[1]);\n    f(x);\n");
    expect("    int x = h(), y = x + 3;\n    for (int r = x; r < y; r += 3)\n        f(r);\n    f(y);\n", "    int x = h(), y = x + 3;\n    f(x);\n    f(y);\n");
    expect("    int x = h();\n    for (int r = x; r < x + 1; r++)\n        f(r);\n", "    int x = h();\n    f(x);\n");
    stays("    int x = h(), y = x + 3;\n    for (int r = x; r < y; r++)\n        f(r);\n");
    expect("    int x = h(), y = x + 2;\n    for (int r = 0; r < (y - x) * L; r++)\n        f(r, u - y - x, y - x * 2);\n",
           "    int x = h(), y = x + 2;\n    for (int r = 0; r < 2 * L; r++)\n        f(r, u - y - x, y - x * 2);\n");
    expect("    for (int t = 0; t < 4; t++) {\n        int x = t % 1, y = x + 1;\n        for (int r = x; r < y; r++)\n            f(r, y - x);\n    }\n",
           "    for (int t = 0; t < 4; t++) {\n        f(0, 1);\n    }\n");
    stays("    int x = h(), y = x + 1;\n    x++;\n    for (int r = x; r < y; r++)\n        f(r);\n");
    stays("    int x = h(), y = x + 1;\n    y++;\n    for (int r = x; r < y; r++)\n        f(r);\n");
    stays("    int x = h(), y = x + 1 < 4 ? x + 1 : 4;\n    for (int r = x; r < y; r++)\n        f(r);\n");
    stays("    for (int r = u; r < u + 1; r++)\n        f(r);\n");
    expect("    int x = h(), y = x + 1;\n    for (int r = x; r < y; r++)\n        f(q[r - x - u], u - r - x, (r - x) / 2.0);\n",
           "    int x = h();\n    f(q[0 - u], u - x - x, 0 / 2.0);\n");
}
