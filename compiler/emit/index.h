/* index.h -- a number in place of a variable in C, and what can be computed by that; see index.c. */
#ifndef SPNC_INDEX_H
#define SPNC_INDEX_H

#include "emit/declared.h"

/* Puts `number` in place of each `variable` between the tokens `before` and `behind`, and computes what can be computed by that. */
void index_put(Code *c, const Declared *d, Token *before, Token *behind, const char *variable, int number);

#endif
