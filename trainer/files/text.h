/* text.h -- text of strangers on its way to a terminal or a shell: names of arrays, files, folders, classes. */
#ifndef SPN_TEXT_H
#define SPN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TEXT_CELL = 16,          /* bytes that one character needs as it is shown, with the 0 behind it */
    TEXT_GROWS = 4           /* a text of n bytes is shown in at most TEXT_GROWS * n + 1, with the 0 */
};

/* One character of UTF-8 at text[0..n), n from 1: returns its bytes and sets *code, or returns 1 and sets -1 for a broken byte: no overlong forms,
 * no surrogates, nothing above U+10FFFF. */
size_t text_decode(const char *text, size_t n, int32_t *code);
/* Likewise its length alone; 0 for a broken byte. */
size_t text_utf8(const char *text, size_t n);
/* What no terminal is sent: controls (below space, DEL, C1), separators of lines and paragraphs, and the marks that reorder text
 * (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069, U+FEFF). */
bool text_unprintable(int32_t code);
/* The character at text[0..n), n from 1, as it is shown; returns its bytes.  What is unprintable has its number: \n, \t, \r, \x1b, \u202e, and a
 * broken byte \xff. */
size_t text_cell(char shown[TEXT_CELL], const char *text, size_t n);
/* A whole text likewise, so that it moves no cursor, changes no title and writes over no other line; bytes of `kept` stay ("\n" for a text of lines, "").
 * Cut between two characters to `room` bytes, the 0 among them; returns to, which is not in `text`. */
char *text_shown(char *to, size_t room, const char *text, const char *kept);
/* As one word of a POSIX shell: plain if it may stand so, else in '...'.  Cut to `room`; returns to. */
char *text_shell(char *to, size_t room, const char *text);
/* True if the text ends so, and has something before that: "a.npz", but not ".npz". */
bool text_ends(const char *text, const char *end);

#endif
