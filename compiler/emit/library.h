/* library.h -- the texts of a library's folder, `--for inference`. */
#ifndef SPNC_LIBRARY_H
#define SPNC_LIBRARY_H

#include "spnc.h"

enum { LIBRARY_HEAD = 16 };              /* reals before the numbers of NAME.weights: so many that these begin on a whole vector */
#define LIBRARY_MAGIC UINT64_C(0x317374676877636e)       /* "ncwhgts1", little endian */

/* m->c, m->header, m->makefile and m->example (of a portable library m->c alone, a body); f: the facts of the net.  False after an error of a template, or of a name. */
bool library_emit(Model *m, Fact *f);

/* Of a portable library: m->front, m->header, m->makefile and m->example around `count` bodies, in the order of their levels from the highest: models that
 * library_emit has done, m the first of them.  False after an error of a template. */
bool library_front(Model *m, Model *const *bodies, int count);

/* Sets the fact `library`, beside those of emit_facts. */
void library_facts(Model *m, Fact *f);

/* A checksum of what is stored: names, shapes, layouts and places of m->weights, and their type.  NAME.weights has it. */
uint64_t library_layout(const Model *m);

#endif
