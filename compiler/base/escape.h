/* escape.h -- words from a model or a path, written into another language so that they stay words. */
#ifndef ESCAPE_H
#define ESCAPE_H

#include "spnc.h"

/* Appends s as a JSON string with its quotes; what is not UTF-8 becomes U+FFFD. */
void json_put(Text *t, const char *s);
/* Appends n bytes of s as the text of an HTML element or of a quoted attribute; what HTML forbids becomes U+FFFD. */
void html_put(Text *t, const char *s, size_t n);
/* Appends s as text on a terminal: no control characters. */
void plain_put(Text *t, const char *s);
/* Appends "models/tiny.yaml:17", likewise; the path alone where there is no line. */
void place_put(Text *t, Loc at);
/* Appends s as a quoted identifier of Graphviz's language. */
void dot_put(Text *t, const char *s);

/* 1234567 as "1,234,567". */
const char *count_text(Arena *a, int64_t n);
/* Bytes as "3.05 MiB" or "12.0 KiB". */
const char *bytes_text(Arena *a, int64_t bytes);

#endif
