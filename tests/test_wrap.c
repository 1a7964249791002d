/* Long lines of the emitted C: where they are broken, and that nothing but blanks changes. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ctype.h>

#include "emit/wrap.h"

static char *wrapped(Arena *a, const char *text)
{
    Text t = { .arena = a };
    text_printf(&t, "%s", text);
    wrap(&t);
    return t.text;
}

/* The text without blanks, without a whole comment in a line, and without the star that begins a line of a comment. */
static char *bare(Arena *a, const char *text)
{
    char *out = arena_copy(a, text, strlen(text)), *to = out;
    for (const char *c = text; *c; c++) {
        if (*c == '\n' && !strncmp(c + 1, " * ", 3))
            c += 3;
        const char *end = strstr(c, "*/"), *line = strchr(c, '\n');
        if (!strncmp(c, "/*", 2) && end && (!line || end < line))
            c = end + 1;
        else if (!isspace((unsigned char)*c))
            *to++ = *c;
    }
    *to = 0;
    return out;
}

static void expect(const char *before, const char *after)
{
    Arena *a = arena_new();
    cr_expect(eq(str, wrapped(a, before), (char *)after));
    cr_expect(eq(str, bare(a, wrapped(a, before)), bare(a, before)));
    arena_free(a);
}

#define FIFTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

Test(wrap, lines_that_fit_stay)
{
    expect("int a;\n\n    /* b */\n" FIFTY FIFTY "aaaaaaaaaaaaaaaaaaaa\n", "int a;\n\n    /* b */\n" FIFTY FIFTY "aaaaaaaaaaaaaaaaaaaa\n");
}

Test(wrap, a_call_is_broken_behind_a_comma_outside_of_inner_parentheses)
{
    expect("    f(" FIFTY ", g(" FIFTY ", c, ddddddddddddddd), e);\n", "    f(" FIFTY ",\n        g(" FIFTY ", c, ddddddddddddddd), e);\n");
}

Test(wrap, statements_of_a_line_keep_their_indentation)
{
    expect("    a = " FIFTY "; b = " FIFTY "; c = ddddddddddddddd;\n", "    a = " FIFTY "; b = " FIFTY ";\n    c = ddddddddddddddd;\n");
}

Test(wrap, a_comment_beside_goes_above)
{
    expect("    a = " FIFTY ";    /* " FIFTY " what it is */\n    b;\n", "    /* " FIFTY " what it is */\n    a = " FIFTY ";\n    b;\n");
}

Test(wrap, a_comment_goes_on_in_its_next_line)
{
    expect("/* " FIFTY " " FIFTY " one two three four\n * five.\n *   a[i] = b */\n",
           "/* " FIFTY " " FIFTY " one two three\n * four five.\n *   a[i] = b */\n");
    expect("/* " FIFTY " " FIFTY " one two three four\n */\nint a;\n", "/* " FIFTY " " FIFTY " one two three\n * four\n */\nint a;\n");
}

Test(wrap, what_cannot_be_broken_stays)
{
    expect("#pragma " FIFTY " " FIFTY " " FIFTY "\n", "#pragma " FIFTY " " FIFTY " " FIFTY "\n");
    expect("    \"" FIFTY ", " FIFTY ", " FIFTY "\"\n", "    \"" FIFTY ", " FIFTY ", " FIFTY "\"\n");
}
