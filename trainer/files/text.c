/* text.c -- control characters out of text, text as a word of a shell, UTF-8, and how a text ends. */
#include "files/text.h"

#include <string.h>

static char *clean(char *text, const char *kept)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++)
        if ((*c < 32 && !strchr(kept, *c)) || *c == 127)
            *c = '?';
        else if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
            c[0] = c[1] = '?';
        else if (c[0] == 0xe2 && ((c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xaa && c[2] <= 0xae))) || (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9)))
            c[0] = c[1] = c[2] = '?';
    return text;
}

char *text_clean(char *text) { return clean(text, "\n"); }

char *text_clean_name(char *text) { return clean(text, ""); }

char *text_shell(char *to, size_t room, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,";
    size_t used = 0;
    if (*text && !text[strspn(text, plain)]) {
        for (; text[used] && used + 1 < room; used++)
            to[used] = text[used];
        to[used] = '\0';
        return to;
    }
    to[used++] = '\'';
    for (; *text && used + 6 < room; text++)         /* a ' ends the quote, stands alone after \, and begins it again */
        if (*text == '\'')
            memcpy(to + used, "'\\''", 4), used += 4;
        else
            to[used++] = *text;
    to[used++] = '\'';
    to[used] = '\0';
    return to;
}

bool text_ends(const char *text, const char *end)
{
    const size_t n = strlen(text), k = strlen(end);
    return n > k && strcmp(text + n - k, end) == 0;
}

size_t text_utf8(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return 1;
    size_t length = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || n < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    bool bad = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F)
            || (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F);
    return bad ? 0 : length;
}
