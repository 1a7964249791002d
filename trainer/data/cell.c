/* cell.c -- see cell.h. */
#include "data/cell.h"
#include <stddef.h>
#include <string.h>

/* Bytes of the white space that text begins with: 1, 2, or 0 if it begins with none. */
static size_t blank_at(const char *text) { return *text == ' ' || *text == '\t' ? 1 : strncmp(text, "\xc2\xa0", 2) ? 0 : 2; }

char *cell_begin(char *from, char separator)
{
    while (blank_at(from) && *from != separator)
        from += blank_at(from);
    return from;
}

char *cell_end(char *from, char *to)
{
    while (to > from && (to[-1] == ' ' || to[-1] == '\t' || (to - from > 1 && blank_at(to - 2) == 2)))
        to -= to[-1] == ' ' || to[-1] == '\t' ? 1 : 2;
    return to;
}
