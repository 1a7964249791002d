/* text.h -- text of strangers on its way to a terminal or a shell: names of arrays, files, folders, classes. */
#ifndef SPN_TEXT_H
#define SPN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Control characters become '?', so that no text moves the cursor, changes a title or writes over other lines: those below space but
 * for the line break, DEL, C1 (U+0080 to U+009F in UTF-8), and what turns the direction of writing
 * (U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), each byte one '?'.  In place; returns text. */
char *text_clean(char *text);
/* The same with line breaks: for a name within a line. */
char *text_clean_name(char *text);
/* As one word of a POSIX shell: plain if it may stand so, else in '...'.  Cut to `room`; returns to. */
char *text_shell(char *to, size_t room, const char *text);
/* True if the text ends so, and has something before that: "a.npz", but not ".npz". */
bool text_ends(const char *text, const char *end);
/* The length of the UTF-8 sequence that text[0..n) begins with, n >= 1; 0 if it is none: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t text_utf8(const char *text, size_t n);

#endif
