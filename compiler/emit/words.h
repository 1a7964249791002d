/* words.h -- a model's names as names in C, C++ and Python, for its library. */
#ifndef SPNC_WORDS_H
#define SPNC_WORDS_H

#include "spnc.h"

/* False after an error: the model's name cannot be that of a library, or with --for python of a package. */
bool library_name_fits(Model *m);

/* The name of an input, or of an output, as a member of the struct of these in C and C++, in the arena: the model's own, but that a dot becomes an underscore, and a name that
 * cannot be a member, or that another has then, has an underscore behind it.  others: facts that have a `member` each; the answer is none of these. */
const char *library_member(Model *m, const char *name, bool input, const Fact *others);

#endif
