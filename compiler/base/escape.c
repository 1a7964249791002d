/* escape.c -- words from a model or a path, inside HTML and Graphviz's language and on a terminal; json.c adds JSON.
 *
 * In: bytes of unknown origin.  Out: text of the other language that means those bytes and nothing else.  What is unprintable (trainer/files/text.h
 * says what) becomes U+FFFD in a language, so the output is always well-formed, and its number on a terminal. */
#include "base/escape.h"
#include "files/text.h"
#include <inttypes.h>
#include <string.h>

static const char REPLACEMENT[] = "\xef\xbf\xbd";

/* Bytes of the character at s that a text may hold (whitespace: newline and tab), or 0. */
static size_t character(const char *s, size_t left)
{
    int32_t c;
    size_t n = text_decode(s, left, &c);
    return (text_unprintable(c) && c != '\n' && c != '\t') || (c & 0xfffe) == 0xfffe ? 0 : n;
}

void escape_put(Text *t, const char *s, size_t n, const char *(*special)(char c))
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

static const char *in_html(char c)
{
    return c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : c == '\'' ? "&#39;" : NULL;
}

static const char *in_dot(char c) { return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\t' ? " " : NULL; }

void html_put(Text *t, const char *s, size_t n) { escape_put(t, s, n, in_html); }

void plain_put(Text *t, const char *s)
{
    char shown[TEXT_CELL];
    for (size_t left = strlen(s), bytes; left; s += bytes, left -= bytes) {
        bytes = text_cell(shown, s, left);
        text_printf(t, "%s", *s == '\n' || *s == '\t' ? " " : shown);
    }
}

void place_put(Text *t, Loc at)
{
    plain_put(t, at.file->path);
    if (at.line)
        text_printf(t, ":%d", at.line);
}

void dot_put(Text *t, const char *s)
{
    text_add(t, "\"", 1);
    escape_put(t, s, strlen(s), in_dot);
    text_add(t, "\"", 1);
}

const char *comment_path(Arena *a, const char *path, int line)
{
    Text t = { .arena = a };
    for (const char *c = path; *c; c++) {
        bool safe = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("._-/+ ", *c);
        text_printf(&t, "%c", safe && !(*c == '/' && (c[1] == '*' || (t.length && t.text[t.length - 1] == '*'))) ? *c : '_');
    }
    if (line)
        text_printf(&t, ":%d", line);
    return t.text;
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
