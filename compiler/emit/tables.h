/* tables.h -- facts for the tables that the trainer reads; see tables.c. */
#ifndef SPNC_TABLES_H
#define SPNC_TABLES_H

#include "spnc.h"

/* Sets the facts parameters, weights, inputs, targets, values, losses and train. */
void tables_facts(Model *m, Fact *f);
/* The sizes of a shape, a list. */
Fact *tables_dims(Model *m, const Shape *s);
/* The text of the model and of the files that it includes, one behind the other, as a C string; and the line of a place in it, 0: none. */
const char *tables_yaml(Model *m);
int tables_line(const Model *m, Loc at);
/* n bytes as a C string, in quotes; a line of it is a line of the C. */
const char *tables_string(Model *m, const char *text, size_t n);

#endif
