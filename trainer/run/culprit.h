/* culprit.h -- finds the number that a NaN or an infinity in a loss, a norm or an answer comes from. */
#ifndef SPN_CULPRIT_H
#define SPN_CULPRIT_H

#include "run/data.h"

/* Where it was: nowhere; in the examples; in a parameter before the step; in a result of an operator, of a loss, or in a gradient. */
typedef enum { CULPRIT_NONE, CULPRIT_DATA, CULPRIT_WEIGHT, CULPRIT_OPERATOR, CULPRIT_NORM } Culprit;

/* The first number of the batch that is NaN or infinite, looked for in this order: inputs, targets, parameters; then, by a run of operator
 * after operator on one thread, values, losses, and with `backward` gradients; then the squares that the norm of the gradient adds.
 * text[size] gets what it is and where: a file, its example and element; or operator, line of the model, pass, step, example and element, and
 * the ranges of the operands; "" if nothing is found.  The weights must be those of the batch's first run; gradients and values are overwritten.
 * d: the batch's data, for the files' names; NULL: the examples are of no file. */
Culprit culprit_find(char *text, size_t size, const Data *d, const Batch *batch, bool backward);

/* The same for the examples alone, of several ranks for this one's, fast enough for every batch: false if one holds a NaN or an infinity.  text may be NULL. */
bool culprit_data_is_finite(char *text, size_t size, const Data *d, const Batch *batch);

#endif
