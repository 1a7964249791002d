/* program.h -- the sources that a generated program is built from; see program.c. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "spnc.h"

/* The embedded files (EmbeddedFile, base/embed.h) that the program of m->c and m->inspect needs, sorted by name.  The list is the arena's,
 * the files are static. */
List program_files(const Model *m);

/* Likewise those that a library needs, m->c or several of them: headers. */
List library_headers(Model *const *bodies, int count);

#endif
