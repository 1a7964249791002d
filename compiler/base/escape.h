/* escape.h -- words from a model or a path, written into another language so that they stay words. */
#ifndef ESCAPE_H
#define ESCAPE_H

#include "spnc.h"

/* Appends s[0..n): each character as it is, or as `special` says (NULL: as it is); what is no character of a text becomes U+FFFD. */
void escape_put(Text *t, const char *s, size_t n, const char *(*special)(char c));
/* Appends n bytes of s as the text of an HTML element or of a quoted attribute; what HTML forbids becomes U+FFFD. */
void html_put(Text *t, const char *s, size_t n);
/* Appends s as text in a line on a terminal: line breaks and tabs as blanks, all else as text_cell (files/text.h) shows it. */
void plain_put(Text *t, const char *s);
/* Appends "models/tiny.yaml:17", likewise; the path alone where there is no line. */
void place_put(Text *t, Loc at);
/* Appends s as a quoted identifier of Graphviz's language. */
void dot_put(Text *t, const char *s);

/* A path, and behind it ":17" if line is not 0, safe inside a C comment. */
const char *comment_path(Arena *a, const char *path, int line);

/* 1234567 as "1,234,567". */
const char *count_text(Arena *a, int64_t n);
/* Bytes as "3.05 MiB" or "12.0 KiB". */
const char *bytes_text(Arena *a, int64_t bytes);

#endif
