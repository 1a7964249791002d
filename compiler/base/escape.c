/* escape.c -- words from a model or a path, inside JSON, HTML and Graphviz's language.
 *
 * In: bytes that a stranger chose.  Out: text of the other language that is those bytes and nothing else.  Control characters and broken
 * UTF-8 become U+FFFD, so that what comes out is always well-formed. */
#include "base/escape.h"
#include <inttypes.h>
#include <string.h>

static const char REPLACEMENT[] = "\xef\xbf\xbd";

/* Bytes of the character at s that a text may hold (whitespace: newline and tab), or 0. */
static size_t character(const char *text, size_t left)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return (s[0] >= 0x20 && s[0] != 0x7f) || s[0] == '\n' || s[0] == '\t';
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (n > left || s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    uint32_t code = s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    static const uint32_t least[5] = { 0, 0, 0xa0, 0x800, 0x10000 };
    bool surrogate = code >= 0xd800 && code <= 0xdfff, direction = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return code >= least[n] && code <= 0x10ffff && !surrogate && !direction && (code & 0xfffe) != 0xfffe ? n : 0;
}

/* Each character as it is, or as `special` says (NULL: as it is). */
static void put(Text *t, const char *s, size_t n, const char *(*special)(char c))
{
    for (size_t i = 0; i < n;) {
        size_t k = character(s + i, n - i);
        const char *other = k == 1 ? special(s[i]) : NULL;
        if (other)
            text_add(t, other, strlen(other));
        else
            text_add(t, k ? s + i : REPLACEMENT, k ? k : sizeof REPLACEMENT - 1);
        i += k ? k : 1;
    }
}

/* `<` is escaped too, so that JSON may stand in a page. */
static const char *in_json(char c)
{
    return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '<' ? "\\u003c" : NULL;
}

static const char *in_html(char c)
{
    return c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : c == '\'' ? "&#39;" : NULL;
}

static const char *in_line(char c) { return c == '\n' || c == '\t' ? " " : NULL; }

static const char *in_dot(char c) { return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\t' ? " " : NULL; }

void json_put(Text *t, const char *s)
{
    text_add(t, "\"", 1);
    put(t, s, strlen(s), in_json);
    text_add(t, "\"", 1);
}

void html_put(Text *t, const char *s, size_t n) { put(t, s, n, in_html); }

void plain_put(Text *t, const char *s) { put(t, s, strlen(s), in_line); }

void place_put(Text *t, Loc at)
{
    plain_put(t, at.file->path);
    if (at.line)
        text_printf(t, ":%d", at.line);
}

void dot_put(Text *t, const char *s)
{
    text_add(t, "\"", 1);
    put(t, s, strlen(s), in_dot);
    text_add(t, "\"", 1);
}

const char *count_text(Arena *a, int64_t n)
{
    char plain[32];
    int digits = snprintf(plain, sizeof plain, "%" PRId64, n);
    Text t = { .arena = a };
    for (int i = 0; i < digits; i++)
        text_printf(&t, "%s%c", i && (digits - i) % 3 == 0 && plain[i - 1] != '-' ? "," : "", plain[i]);
    return t.text;
}

const char *bytes_text(Arena *a, int64_t bytes)
{
    double b = (double)bytes;
    return b >= 1048576 ? arena_printf(a, "%.2f MiB", b / 1048576) : b >= 1024 ? arena_printf(a, "%.1f KiB", b / 1024) : arena_printf(a, "%d B", (int)bytes);
}
