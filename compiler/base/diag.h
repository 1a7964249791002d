/* diag.h -- diagnostics about a file that is not the model: template.c points into templates with it. */
#ifndef DIAG_H
#define DIAG_H

#include "spnc.h"

typedef enum { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE } Severity;

/* path as shown, and the text that lines are quoted from (text may be NULL: no quote). */
typedef struct { const char *path, *text; size_t length; } Source;

/* As diag_error and its kin, for a place in `source`; at.column 0 names a whole line. */
void diag_in(Diag *d, Severity severity, const Source *source, Loc at, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* What diag_source was told. */
const Source *diag_text(const Diag *d);

#endif
