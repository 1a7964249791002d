/* Text of strangers as compiler and trainers show it: what is unprintable, and its one spelling. */
#include <criterion/criterion.h>

#include "base/escape.h"
#include "files/json.h"
#include "files/text.h"
#include "spnc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* c as UTF-8. */
static size_t encode(char to[5], unsigned c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3F));
    to[0] = (char)(n == 1 ? c : (0xF0u << (4 - n) & 0xFF) | c);
    to[n] = '\0';
    return n;
}

/* The marks that reorder text (Unicode's Bidi_Control), controls, and what breaks lines or begins a file. */
static bool hidden(unsigned c)
{
    static const unsigned marks[] = { 0x061C, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069, 0xFEFF };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (marks[i] == c)
            return true;
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

static const char *number_of(unsigned c)
{
    static char text[16];
    snprintf(text, sizeof text, c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : c < 0x80 ? "\\x%02x" : "\\u%04x", c);
    return text;
}

Test(text, every_character_is_itself_or_its_number)
{
    char one[5], shown[TEXT_CELL];
    for (unsigned c = 1; c < 0x110000; c += c == 0xD7FF ? 0x801 : 1) {
        const size_t n = encode(one, c);
        int32_t code;
        cr_assert(text_decode(one, n, &code) == n && code == (int32_t)c, "U+%04X", c);
        cr_assert(text_cell(shown, one, n) == n, "U+%04X", c);
        cr_assert(strcmp(shown, hidden(c) ? number_of(c) : one) == 0, "U+%04X is shown as %s", c, shown);
    }
}

Test(text, one_name_is_spelt_in_one_way_by_compiler_and_trainers)
{
    static const char name[] = "a\x1b]0;t\x07\x7f\xff\xc2\x9b\xd8\x9c\xe2\x80\x8e\xe2\x80\xae\xe2\x81\xa6\xef\xbb\xbf\xed\xa0\x80\xc3\xa9!";
    static const char spelt[] = "a\\x1b]0;t\\x07\\x7f\\xff\\u009b\\u061c\\u200e\\u202e\\u2066\\ufeff\\xed\\xa0\\x80\xc3\xa9!";
    char shown[TEXT_GROWS * sizeof name];
    Arena *arena = arena_new();
    Text t = { .arena = arena };
    plain_put(&t, name);
    cr_assert(strcmp(t.text, spelt) == 0, "%s", t.text);
    cr_assert(strcmp(text_shown(shown, sizeof shown, name, ""), spelt) == 0, "%s", shown);
    char *message = NULL;
    size_t size;
    FILE *f = open_memstream(&message, &size);
    diag_error(diag_new(arena, f, false, false), (Loc){ 0 }, "%s", name);
    fclose(f);
    cr_assert(strstr(message, spelt) != NULL, "%s", message);
    free(message);
    arena_free(arena);
}

Test(text, a_language_has_a_mark_where_a_terminal_has_the_number)
{
    char one[5];
    Arena *arena = arena_new();
    for (unsigned c = 0x80; c < 0x10000; c += c == 0xD7FF ? 0x801 : 1) {
        Text t = { .arena = arena };
        html_put(&t, one, encode(one, c));
        cr_assert((strncmp(t.text, "\xef\xbf\xbd", 3) == 0) == (hidden(c) || c >= 0xFFFD), "U+%04X: %s", c, t.text);
    }
    arena_free(arena);
}

Test(text, what_is_kept_stays_and_a_cut_is_between_characters)
{
    char shown[64];
    cr_assert(strcmp(text_shown(shown, sizeof shown, "a\nb\tc\r", "\n"), "a\nb\\tc\\r") == 0, "%s", shown);
    cr_assert(strcmp(text_shown(shown, 4, "ab\x1b", ""), "ab") == 0, "%s", shown);
    cr_assert(strcmp(text_shown(shown, 7, "ab\x1b", ""), "ab\\x1b") == 0, "%s", shown);
    cr_assert(strcmp(text_shown(shown, 3, "a\xc3\xa9", ""), "a") == 0, "%s", shown);
    cr_assert(strcmp(text_shown(shown, 1, "a", ""), "") == 0, "%s", shown);
}

Test(text, json_has_the_number_and_loses_nothing)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    JsonWriter w;
    json_begin(&w, f);
    json_string(&w, NULL, "\x1b\xc2\x9b\xe2\x80\xae\xff\xc3\xa9");
    cr_assert(json_end(&w));
    json_free(&w);
    fclose(f);
    cr_assert(strstr(text, "\"\\u001b\\u009b\\u202e\xef\xbf\xbd\xc3\xa9\"") != NULL, "%s", text);
    free(text);
}
