/* expr.h -- values of trees that are made of numbers, $params and steps alone, in whole numbers and double. */
#ifndef SPNC_EXPR_H
#define SPNC_EXPR_H

#include "read/syntax.h"

/* What a tree may read. */
typedef struct {
    Arena *arena;
    Diag *diag;
    Scope *scope;            /* parameters; NULL: none */
    /* Steps: `$t` is a number that the compiler counts, unless a parameter bears its name. */
    const char *const *steps;
    const int64_t *step_values;
    int step_count;
    const int *step_repeats; /* of each name the repeat that counts it, 0 the innermost; a repeat may have two names.  NULL: each its own */
    /* Functions beside floor, ceil, min, max of the first three operands: sets *result and returns true, or false after reporting, a wrong
     * number of operands too; NULL: there are none. */
    bool (*function)(void *context, const Syntax *call, const double *x, double *result);
    void *context;
} Reckoner;

/* True if the tree reads no value: it can be reckoned.  *stepped is set to true if it reads a step. */
bool expr_is_number(const Reckoner *r, const Syntax *n, bool *stepped);

/* The number of such a tree: whole results of whole numbers stay whole, `/` included when it divides evenly; comparisons give 0 or 1.
 * False after reporting: division by zero, a whole number beyond 2^53, a result that is not finite, an unknown parameter, text. */
bool expr_number(const Reckoner *r, const Syntax *n, Value *out);

/* The tree as a * step + b of whole numbers.  *repeat is set to the repeat that counts the step, by r->step_repeats; it stays as it is where
 * a = 0.  False after reporting what else it is. */
bool expr_linear(const Reckoner *r, const Syntax *n, int *repeat, int64_t *a, int64_t *b);

/* Likewise of a scalar's text, with the names of r alone.  An index as text: "2 * $t + 1". */
bool expr_index(const Reckoner *r, const Yaml *scalar, int *repeat, int64_t *a, int64_t *b);

/* `when:`: true in *holds if the condition holds.  Numbers and words are compared (words with == and != alone); every parameter is looked
 * up, what stands behind an `and` or `or` that is decided is not reckoned.  False after reporting. */
bool expr_when(Arena *a, Diag *d, Scope *scope, const Yaml *scalar, bool *holds);

#endif
