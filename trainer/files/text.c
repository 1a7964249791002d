/* text.c -- text as a terminal may have it, as a word of a shell, as UTF-8, and how a text ends.
 *
 * In: bytes of unknown origin.  Out: text without a control character or a mark that reorders it, whose place shows what it was.  The compiler and
 * the trainers show text by these functions and no others, so one name looks the same in all their messages. */
#include "files/text.h"

#include <stdio.h>
#include <string.h>

size_t text_decode(const char *text, size_t n, int32_t *code)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t need = s[0] < 0x80 ? 1 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2 : (s[0] & 0xF0) == 0xE0 ? 3
                : s[0] >= 0xF0 && s[0] < 0xF5 ? 4 : 0;
    *code = -1;
    if (need == 0 || need > n)
        return 1;
    int32_t c = need == 1 ? s[0] : s[0] & (0xFF >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 1;
        c = c << 6 | (s[i] & 0x3F);
    }
    if ((need == 3 && c < 0x800) || (need == 4 && (c < 0x10000 || c > 0x10FFFF)) || (c >= 0xD800 && c < 0xE000))
        return 1;
    *code = c;
    return need;
}

size_t text_utf8(const char *text, size_t n)
{
    int32_t code;
    const size_t length = text_decode(text, n, &code);
    return code < 0 ? 0 : length;
}

bool text_unprintable(int32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || (c >= 0x200E && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E)
        || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

size_t text_cell(char shown[TEXT_CELL], const char *text, size_t n)
{
    int32_t c;
    const size_t bytes = text_decode(text, n, &c);
    if (c >= 0 && !text_unprintable(c)) {
        memcpy(shown, text, bytes);
        shown[bytes] = '\0';
        return bytes;
    }
    if (c == '\n' || c == '\t' || c == '\r')
        snprintf(shown, TEXT_CELL, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
    else if (c >= 0x80)
        snprintf(shown, TEXT_CELL, "\\u%04x", (unsigned)c);
    else
        snprintf(shown, TEXT_CELL, "\\x%02x", (unsigned)(unsigned char)*text);
    return bytes;
}

char *text_shown(char *to, size_t room, const char *text, const char *kept)
{
    char shown[TEXT_CELL];
    size_t left = strlen(text), used = 0;
    while (left) {
        const size_t bytes = text_cell(shown, text, left);
        if (strchr(kept, *text))
            shown[0] = *text, shown[1] = '\0';
        const size_t length = strlen(shown);
        if (used + length + 1 > room)
            break;
        memcpy(to + used, shown, length);
        used += length, text += bytes, left -= bytes;
    }
    to[used] = '\0';
    return to;
}

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
