/* manual.h -- the texts of `spnc templates`: the list of templates, and the facts of each. */
#ifndef MANUAL_H
#define MANUAL_H

#include "spnc.h"

/* One row of the documentation of facts: names that share a type and a meaning. */
typedef struct {
    const char *table;       /* where: "" for globals, or the table's name as in `type` */
    const char *names;       /* "H W" */
    const char *type;        /* int, real, bool, text, a table, or a list of these: int[], value[] */
    const char *meaning;
    const char *kinds;       /* operators that have it; NULL: all */
} FactDoc;
extern const FactDoc fact_docs[];       /* ends with table NULL */

/* The file that "conv_forward" or "conv_forward.c.in" means; NULL if there is none, with diag_suggestion's text. */
const char *template_named(Arena *a, const char *name, const char **suggestion);

/* The list of templates (file NULL), or the page of one, as --templates `dir` (or NULL) has them. */
void templates_print(Arena *a, FILE *out, const char *dir, const char *file);

#endif
