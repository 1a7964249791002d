/* The compiler's JSON: its three forms byte for byte, and strings of hostile bytes. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/json.h"

static Arena *arena;
static void set_up(void) { arena = arena_new(); }
static void tear_down(void) { arena_free(arena); }
TestSuite(compiler_json, .init = set_up, .fini = tear_down, .timeout = 600);

static const char *written(JsonForm form, const char *odd)
{
    Text text = { .arena = arena };
    Json json = { .out = &text, .form = form }, *j = &json;
    json_opens(j, NULL, '{');
    json_text(j, "t", odd);
    json_opens(j, "l", '[');
    json_int(j, NULL, -1);
    json_break(j, "\n ");
    json_real(j, NULL, 0.1, 3);
    json_closes(j, ']');
    json_word(j, "w", "null");
    json_closes(j, '}');
    return text.text;
}

Test(compiler_json, has_three_forms)
{
    cr_assert(eq(str, (char *)written(JSON_TIGHT, "a"), "{\"t\":\"a\",\"l\":[-1,\n 0.1],\"w\":null}"));
    cr_assert(eq(str, (char *)written(JSON_INDENTED, "a"), "{\n  \"t\": \"a\",\n  \"l\": [\n    -1,\n    0.1\n  ],\n  \"w\": null\n}"));
    cr_assert(eq(str, (char *)written(JSON_MESSAGE, "a"), "{\"t\": \"a\", \"l\": [-1, \n 0.1], \"w\": null}"));
}

Test(compiler_json, strings_hold_no_byte_that_is_not_text)
{
    const char *odd = "\"\\<\n\t\x1b\xc2\x85\xe2\x80\xae\xff\xc3\xa9";
    const char *clean = strstr(written(JSON_TIGHT, odd), ":") + 1, *message = strstr(written(JSON_MESSAGE, odd), ": ") + 2;
    const char *mark = "\xef\xbf\xbd";
    const char *expected = arena_printf(arena, "\"\\\"\\\\\\u003c\\n\\t%s%s%s%s%s%s%s\xc3\xa9\"", mark, mark, mark, mark, mark, mark, mark);
    cr_assert(strncmp(clean, expected, strlen(expected)) == 0, "%s", clean);
    expected = "\"\\\"\\\\<\\u000a\\u0009\\u001b\\u0085\\u202e\\ufffd\xc3\xa9\"";
    cr_assert(strncmp(message, expected, strlen(expected)) == 0, "%s", message);
}
