/* attr.h -- attributes of operators; see attr.c. */
#ifndef ATTR_H
#define ATTR_H

#include "spnc.h"

/* Fills op->attrs from `y`: a map of attributes (the key `skip`, which held the inputs, is passed over; in a net skip is NULL), a bare
 * value for the main attribute, or NULL.  Errors about a missing attribute are placed at `at`.  False after reporting. */
bool attr_parse(Model *m, Op *op, const Yaml *y, const char *skip, Loc at);
/* One value against one row of a table. */
bool attr_from_yaml(Model *m, Attr *a, const Yaml *y);
/* The text of a scalar that is a name or a path, or what the parameter says whose $name it is; NULL after reporting that there is none. */
const char *word_from_yaml(Model *m, const Yaml *y);
/* What a key is called here that others call `word`: "; here it is 'act'"; NULL if no name among these is that. */
const char *attr_elsewhere(Arena *a, const char *word, const char *const *names, int count);
/* A name that may become a C identifier: a letter, then letters, digits, _; at most 40; no keyword of C. */
bool name_check(Model *m, Loc at, const char *name);

/* After an error about an unknown word: adds the note "WHAT knows: a, b, c"; none if the list is empty. */
void note_known(const Model *m, const char *what, const char *const *names, int count);

/* Notes for the values that --set gave and `text` mentions as $name (NULL: for all of them). */
void note_sets(const Model *m, const char *text);

#endif
