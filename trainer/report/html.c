/* html.c -- text that grows, escapes, and pictures inside it.
 *
 * Reads numbers, texts and pictures; makes one NUL-terminated text.  Convention: html_put takes markup that this program
 * wrote itself, html_text everything else, so that a model's name or a file's cannot become markup. */
#include "report/html.h"
#include "run/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void html_free(Html *h)
{
    free(h->text);
    *h = (Html){ 0 };
}

static char *room_for(Html *h, size_t more)
{
    if (h->length + more + 1 > h->room) {
        h->room = 2 * (h->length + more) + 4096;
        char *text = realloc(h->text, h->room);
        if (!text)
            fail(ENVIRONMENT, "no memory for a report of %zu bytes", h->room);
        h->text = text;
    }
    return h->text + h->length;
}

static void append(Html *h, const char *bytes, size_t n)
{
    memcpy(room_for(h, n), bytes, n);
    h->length += n;
    h->text[h->length] = '\0';
}

void html_put(Html *h, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    va_start(args, format);
    vsnprintf(room_for(h, (size_t)n), (size_t)n + 1, format, args);
    va_end(args);
    h->length += (size_t)n;
}

/* Bytes of the UTF-8 character at s that XML allows, or 0: overlong forms, surrogates and U+FFFE.. are none. */
static size_t character(const unsigned char *s)
{
    if (s[0] < 0x80)
        return (s[0] >= 0x20 && s[0] != 0x7f) || s[0] == '\n' || s[0] == '\t';
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    uint32_t code = s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    bool fine = s[0] >= 0xc2 && s[0] < 0xf5 && code >= least[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
        && (code & 0xfffe) != 0xfffe && code >= 0xa0;
    return fine ? n : 0;
}

void html_text(Html *h, const char *text)
{
    while (*text) {
        const char *escape = *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : *text == '&' ? "&amp;" : *text == '"' ? "&quot;"
            : *text == '\'' ? "&#39;" : NULL;
        size_t n = character((const unsigned char *)text);
        if (escape)
            append(h, escape, strlen(escape));
        else
            append(h, n ? text : "\xef\xbf\xbd", n ? n : 3);
        text += n ? n : 1;
    }
}

void html_picture(Html *h, const Picture *picture)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    ArrayError e;
    size_t size;
    unsigned char *png = picture_pack(&size, picture, "a picture of the report", &e);
    if (!png)
        fail_array(&e);
    html_put(h, "data:image/png;base64,");
    char *out = room_for(h, (size + 2) / 3 * 4);
    for (size_t i = 0; i < size; i += 3) {
        uint32_t three = (uint32_t)png[i] << 16 | (uint32_t)(i + 1 < size ? png[i + 1] : 0) << 8 | (i + 2 < size ? png[i + 2] : 0);
        *out++ = digits[three >> 18];
        *out++ = digits[three >> 12 & 63];
        *out++ = i + 1 < size ? digits[three >> 6 & 63] : '=';
        *out++ = i + 2 < size ? digits[three & 63] : '=';
    }
    *out = '\0';
    h->length = (size_t)(out - h->text);
    free(png);
}

void html_count(Html *h, long long count)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%lld", count);
    for (int i = 0; i < n; i++) {
        append(h, &text[i], 1);
        if (i + 1 < n && (n - 1 - i) % 3 == 0 && text[i] != '-')
            append(h, ",", 1);
    }
}
