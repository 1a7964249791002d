/* html.h -- a page of HTML that grows in memory, is well-formed XML too, and loads no other file. */
#ifndef SPN_HTML_H
#define SPN_HTML_H

#include "files/picture.h"

#include <stddef.h>

/* Owned text, NUL-terminated once something is in it; all zeros is an empty page.  Ends the program (74) without memory. */
typedef struct { char *text; size_t length, room; } Html;

void html_free(Html *h);
/* Markup of our own, as printf makes it: what comes from outside goes through html_text, never through %s here. */
void html_put(Html *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Any bytes as text, in elements and in attributes: < > & " ' are escaped, control characters and bytes that are no
 * UTF-8 become U+FFFD. */
void html_text(Html *h, const char *text);
/* A data URI with the picture as PNG. */
void html_picture(Html *h, const Picture *picture);
/* 1234567 as "1,234,567". */
void html_count(Html *h, long long count);

#endif
