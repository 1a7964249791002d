/* point.c -- the place of an error within a template's line.
 *
 * In: a line of a template, the part of it that was running (a Lua line, or one hole), and Lua's or our own message.  Out: a span for diag.c.
 * Lua gives lines without columns.  But its messages quote the wrong word ("no field 'KQ'", "near 'do'"), and so do ours: the one
 * convention is that a message quotes the wrong word before anything else, such as a suggestion; `near '...'` is used first, for it quotes
 * where Lua stopped. */
#include "template/point.h"

#include <string.h>

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80);
}

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

const char *point_line(const Source *s, int number, size_t *length)
{
    const char *at = s->text, *end = s->text ? s->text + s->length : NULL;
    for (int line = 1; at && line < number; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : NULL;
    }
    if (!at || at == end)
        return NULL;
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    *length = (size_t)((newline ? newline : end) - at);
    return at;
}

/* `word` in text[0..n) as a word of its own; kind '.': a field, 'g': no field, 0: either. */
static const char *find(const char *text, size_t n, const char *word, size_t length, char kind)
{
    for (size_t i = 0; length && i + length <= n; i++) {
        if (memcmp(text + i, word, length) != 0)
            continue;
        char before = i ? text[i - 1] : ' ', after = i + length < n ? text[i + length] : ' ';
        bool field = before == '.' || before == ':';
        if ((in_word(word[0]) && in_word(before)) || (in_word(word[length - 1]) && in_word(after)))
            continue;
        if (!kind || (kind == '.') == field)
            return text + i;
    }
    return NULL;
}

/* The first quoted part of the message that text[0..n) holds. */
static const char *quoted(const char *text, size_t n, const char *message, size_t *length)
{
    char kind = strstr(message, "field '") ? '.' : strstr(message, "is not set here") ? 'g' : 0;
    const char *near = strstr(message, "near '");
    for (const char *open = strchr(near ? near : message, '\''); open;) {
        const char *close = strchr(open + 1, '\'');
        if (!close)
            break;
        *length = (size_t)(close - open - 1);
        const char *at = find(text, n, open + 1, *length, kind);
        if (at)
            return at;
        open = strchr(close + 1, '\'');
    }
    return NULL;
}

Loc point_at(const Source *s, int number, const char *text, size_t n, const char *message)
{
    while (n && blank(text[0]))
        text++, n--;
    while (n && blank(text[n - 1]))
        n--;
    size_t length;
    const char *at = quoted(text, n, message, &length);
    if (at)
        text = at, n = length;
    Loc loc = { .line = number, .file = s };
    const char *line = point_line(s, number, &length);
    if (!line || !n)
        return loc;
    for (loc.column = 1; line < text; line++)           /* columns are characters */
        loc.column += (*line & 0xC0) != 0x80;
    for (size_t i = 0; i < n; i++)
        loc.length += (text[i] & 0xC0) != 0x80;
    return loc;
}
