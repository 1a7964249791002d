/* template.h -- the texts of templates: built in, or a file in the user's folder; template_expand is in spnc.h. */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "spnc.h"

/* The text of the template `name` ("conv.c.in"), from the first of the folders `dir` (one a line; may be NULL) that has it, or built in.  Returns NULL, or the error: a sentence in the
 * arena. */
const char *template_load(Arena *a, const char *dir, const char *name, Source *source);
/* True if a folder of `dir` has a file of that name, which is then used instead of the built-in template. */
bool template_replaced(Arena *a, const char *dir, const char *name);

#endif
