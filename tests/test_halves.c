/* NAME.c in two halves: which operators are in the second, which names are not static, and that the program stays the same. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/child.h"
#include "emit/halves.h"
#include "temporary.h"

enum { OPERATORS = 6 };
static const int lines[OPERATORS] = { 10, 900, 1500, 1150, 20, 1600 };       /* of each operator's helper; all: 5180 and some */

/* A file of the form of net.c.in's: operator i adds i to what its helper makes of x in lines[i] steps. */
static Text whole(Arena *a, int count)
{
    Text c = { .arena = a };
    text_printf(&c, "#include <stdio.h>\n\ntypedef struct { int w; } Weights;\n\nstatic Weights *weights, *gradient;\nstatic int threads = 3;\n\n"
                    "/* ==== 3 operators ===== */\n\n");
    for (int i = 0; i < count; i++) {
        text_printf(&c, "/* ---- op%d: add ---- model.yaml:%d */\nstatic const unsigned op%d_table[2] = { %d, 1 };\nstatic unsigned op%d_part(unsigned x)\n{\n", i, i, i, i, i);
        for (int k = 0; k < lines[i]; k++)
            text_printf(&c, "    x = x * 3 + %du;\n", (unsigned)k % 7);
        text_printf(&c, "    return x;\n}\n\nstatic void op%d_forward(unsigned *y,\n                       unsigned x)\n{\n    *y = op%d_part(x) + op%d_table[0];\n}\n\n", i, i, i);
    }
    text_printf(&c, "/* ---- the rest, which is no operator ---- */\nstatic unsigned fold(unsigned x) { return x ^ 5; }\n\n/* ==== 4 memory ===== */\n\n"
                    "int main(void)\n{\n    unsigned x = (unsigned)threads + (weights == gradient);\n");
    for (int i = 0; i < count; i++)
        text_printf(&c, "    op%d_forward(&x, x);\n", i);
    text_printf(&c, "    printf(\"%%u\\n\", fold(x));\n    return 0;\n}\n");
    return c;
}

/* The output of the command, run in the folder, with a compiler as $CC. */
static const char *said(Arena *a, const char *folder, const char *command)
{
    Text t = { .arena = a };
    const char *line = arena_printf(a, "cd %s && CC='cc -std=c11 -O0 -Wall -Wextra -Werror' && %s", folder, command);
    int status = child_run((const char *const[]){ "sh", "-c", line, NULL }, true, &t);
    cr_expect(status == 0, "%s: %s", command, t.text ? t.text : "");
    return t.text ? t.text : "";
}

Test(halves, a_short_file_stays_whole)
{
    Arena *a = arena_new();
    Text c = whole(a, 3), none = { .arena = a };
    const char *before = c.text;
    cr_expect(halves_make(&c) == false);
    cr_expect(c.text == before);
    cr_expect(halves_make(&none) == false);
    arena_free(a);
}

Test(halves, both_halves_are_the_whole)
{
    Arena *a = arena_new();
    Text c = whole(a, OPERATORS);
    const char *before = c.text;
    char folder[TEMPORARY_ROOM];
    temporary_folder(folder);
    cr_assert(halves_make(&c));
    /* op2 and op3 are 2650 lines of 5180 */
    cr_expect(strstr(c.text, "#endif\n#if HALF != 1\n/* ---- op2: add") != NULL);
    cr_expect(strstr(c.text, "#endif\n#if HALF != 2\n/* ---- the functions between #if HALF != 1 and here that are called below ---- */\nvoid op2_forward(unsigned *y,\n                       unsigned x);\n"
                             "void op3_forward(unsigned *y,\n                       unsigned x);\n\n/* ---- op4: add") != NULL);
    cr_expect(strstr(c.text, "\nvoid op2_forward(") && strstr(c.text, "\nstatic void op1_forward(") && strstr(c.text, "\nstatic void op4_forward("));
    cr_expect(strstr(c.text, "\nstatic unsigned op2_part(") && strstr(c.text, "\nstatic const unsigned op2_table["));
    const struct { const char *name, *text; } files[] = { { "whole.c", before }, { "net.c", c.text } };
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(arena_printf(a, "%s/%s", folder, files[i].name), "w");
        cr_assert(f && fputs(files[i].text, f) >= 0 && fclose(f) == 0);
    }
    const char *want = said(a, folder, "$CC whole.c -o net && ./net");
    cr_expect(strlen(want) > 1);
    cr_expect(eq(str, (char *)said(a, folder, "$CC net.c -o net && ./net"), (char *)want));
    cr_expect(eq(str, (char *)said(a, folder, "$CC -DHALF=1 -c net.c -o 1.o && $CC -DHALF=2 -c net.c -o 2.o && $CC 1.o 2.o -o net && ./net"), (char *)want));
    said(a, folder, "rm -r \"$PWD\"");
    arena_free(a);
}
