/* exchange.h -- what several ranks exchange for the sums over a batch: which operands of a sum it brings, and the C for that.  Texts live in the
 * model's arena. */
#ifndef SPNC_EXCHANGE_H
#define SPNC_EXCHANGE_H

#include "plan/sums.h"

/* How the operand u of a sum `op`, of phase p, comes to a rank.  by: the sum that brings it, the first of those that read the same slices; `op`
 * itself, or one that is posted before it.  NULL: no rank lacks any of it.  pieces: the rows of a slice of which a rank gets its own; count 0: all
 * of it. */
typedef struct { const Op *by; DealPiece pieces[SUM_PIECES]; int count; } Brought;
Brought exchange_brings(Model *m, const Phase *p, const Op *op, Use u);

/* Arguments of ranks_gather for the slices of t that begin at the slice `at`, of so many steps. */
const char *exchange_gather(Model *m, const Tensor *t, const char *at, int steps);
/* Statements: appends what begins the exchange for the sum of `op`, of phase p, once the operands are there; what stands before the call of an
 * operator, and behind it. */
void exchange_posts(Model *m, Fact *list, const Phase *p, const Op *op);
Fact *exchange_before(Model *m, const Phase *p, const Op *op);
Fact *exchange_behind(Model *m, const Op *op);

#endif
