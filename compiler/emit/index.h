/* index.h -- a number in place of a variable in C, and what can be computed by that; see index.c. */
#ifndef SPNC_INDEX_H
#define SPNC_INDEX_H

#include "emit/declared.h"

/* Puts `name`, a whole number too, or `number` if name is NULL, in place of each `variable` between the tokens `before` and `behind`, and computes what
 * can be computed by that. */
void index_put(Code *c, const Declared *d, Token *before, Token *behind, const char *variable, const char *name, int number);
/* Puts `number` in place of each `to - from`, and computes what can be computed by that; true if there was one. */
bool index_put_distance(Code *c, const Declared *d, Token *before, Token *behind, const char *to, const char *from, int number);
/* Takes t out where it is a term of 0, or makes a product with it 0, if no real number can stand there; false: it stays. */
bool index_leave_out_zero(Code *c, const Declared *d, Token *t);
/* True if a sum can begin behind t. */
bool index_begins_sum(const Token *t);

#endif
