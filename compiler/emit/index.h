/* index.h -- a number in place of a variable in a line of the emitted C; see index.c. */
#ifndef SPNC_INDEX_H
#define SPNC_INDEX_H

#include "spnc.h"

/* True if `word` stands in the text outside of comments and strings, as a name of its own and not as a member's. */
bool index_names(const char *text, const char *word);

/* The line with `number` in place of each `variable`, and what can be computed of it computed; in the arena. */
const char *index_put(Arena *a, const char *line, const char *variable, int number);

#endif
