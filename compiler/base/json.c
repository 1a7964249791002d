/* json.c -- the one writer of JSON: messages, the schema, show, the map.
 *
 * In: values in the order of the text.  Out: JSON at the end of a Text.  Commas are put before a value, never behind it.
 * A string is quoted here and nowhere else.  In JSON_MESSAGE a character unsafe for a terminal is written as \u and its number, so that
 * nothing is lost; in the other forms, which editors and browsers show, newline and tab are \n and \t, `<` is \u003c, so that the text may
 * stand in a page, and every other control character and broken byte is U+FFFD, as in escape.c. */
#include "base/json.h"
#include "base/escape.h"
#include "files/text.h"
#include <inttypes.h>
#include <string.h>

static const char *special(char c)
{
    return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '<' ? "\\u003c" : NULL;
}

static void put_message(Text *t, const char *s)
{
    size_t n = strlen(s), bytes;
    for (size_t i = 0; i < n; i += bytes) {
        int32_t c;
        bytes = text_decode(s + i, n - i, &c);
        if (c < 0)
            text_printf(t, "\\ufffd");
        else if (c == '"' || c == '\\')
            text_printf(t, "\\%c", (int)c);
        else if (text_unprintable(c))
            text_printf(t, "\\u%04x", (unsigned)c);
        else
            text_add(t, s + i, bytes);
    }
}

static void put_string(Json *j, const char *s)
{
    text_add(j->out, "\"", 1);
    if (j->form == JSON_MESSAGE)
        put_message(j->out, s);
    else
        escape_put(j->out, s, strlen(s), special);
    text_add(j->out, "\"", 1);
}

static void put_space(Json *j)
{
    if (j->form == JSON_INDENTED)
        text_printf(j->out, "\n%*s", 2 * j->depth, "");
    else if (j->space)
        text_printf(j->out, "%s", j->space);
    j->space = NULL;
}

/* What stands before a value: comma, space, key. */
static void before(Json *j, const char *key)
{
    if (j->filled)
        text_printf(j->out, j->form == JSON_MESSAGE ? ", " : ",");
    if (j->depth)
        put_space(j);
    j->filled = true;
    if (key) {
        put_string(j, key);
        text_printf(j->out, j->form == JSON_TIGHT ? ":" : ": ");
    }
}

void json_opens(Json *j, const char *key, char bracket)
{
    before(j, key);
    text_add(j->out, &bracket, 1);
    j->depth++;
    j->filled = false;
}

void json_closes(Json *j, char bracket)
{
    j->depth--;
    put_space(j);
    text_add(j->out, &bracket, 1);
    j->filled = true;
}

void json_text(Json *j, const char *key, const char *value)
{
    before(j, key);
    put_string(j, value);
}

void json_int(Json *j, const char *key, int64_t value)
{
    before(j, key);
    text_printf(j->out, "%" PRId64, value);
}

void json_real(Json *j, const char *key, double value, int digits)
{
    before(j, key);
    text_printf(j->out, "%.*g", digits, value);
}

void json_word(Json *j, const char *key, const char *value)
{
    before(j, key);
    text_printf(j->out, "%s", value);
}

void json_break(Json *j, const char *space)
{
    j->space = space;
}
