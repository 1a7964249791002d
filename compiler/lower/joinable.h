/* joinable.h -- see joinable.c. */
#ifndef SPNC_LOWER_JOINABLE_H
#define SPNC_LOWER_JOINABLE_H

#include "spnc.h"

/* True if a tensor is a view of t, which then reads its numbers where they lie. */
bool has_view(const Model *m, const Tensor *t);
/* How many operands of the operators of all sections are t, but for those of `a` and `b`, which may be NULL.  An operator may read t at several. */
int reads_in(const List *sections, const Tensor *t, const Op *a, const Op *b);
/* True if the user replaces the operator's template: it need not have what spnc's own does for operators that are joined with it. */
bool own_template(const Model *m, const Op *op);

#endif
