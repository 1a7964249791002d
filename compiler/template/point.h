/* point.h -- the place of an error within a template's line. */
#ifndef POINT_H
#define POINT_H

#include "spnc.h"

/* The start of line `number` of the source, and its length without the line end; NULL if there is no such line. */
const char *point_line(const Source *s, int number, size_t *length);

/* What to underline for `message` in text[0..n), a part of line `number`: the first word that the message quotes and the text holds,
 * or else all of it without the blanks around it.  Column 0 (the whole line) if that leaves nothing. */
Loc point_at(const Source *s, int number, const char *text, size_t n, const char *message);

#endif
