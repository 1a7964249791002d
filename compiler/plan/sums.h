/* sums.h -- how several ranks divide the sums over a batch among them: which rows each makes, and when the exchange for that begins.  The orders of
 * sums are in spnc.h. */
#ifndef SPNC_SUMS_H
#define SPNC_SUMS_H

#include "deal.h"
#include "spnc.h"

/* Reals of a row of w in memory, by which ranks divide its gradient and its update among them; 0: each rank has all of it. */
int64_t sums_row(const Weight *w);
/* PRODUCTS: the rows of a slice of its operand t, or of its result t, of which a rank gets, or makes, its own.  Returns their number; 0: all of a
 * slice. */
enum { SUM_PIECES = 4 };
int sums_pieces(const Op *op, const Tensor *t, DealPiece pieces[SUM_PIECES]);
/* Is its sum exchanged while something else is computed?  And the phase of the backward pass behind which that begins, for the sum of phase `at`: it
 * makes the operands, or ends the loop that makes them; NULL: right before the sum. */
bool sums_posted(const Op *op);
/* The number of that exchange: how many such sums come before it in the phases of the backward pass. */
int sums_exchange(const Model *m, const Op *sum);
const Phase *sums_made(const List *phases, int at);

#endif
