/* print.h -- infix text of nodes: what formula_text() and the plain form in C share. */
#ifndef SPNC_FORMULA_PRINT_H
#define SPNC_FORMULA_PRINT_H

#include "formula/formula.h"

typedef struct {
    Dag *dag;
    bool c;                                  /* C, of reals; else the language of formulas */
    const char *const *operands;             /* names of the inputs */
    const char *dy, *result;
    const char *prefix, *indent;             /* of names for parts; before each line */
} Infix;

/* Appends a line for each part that gets a name, and sets values[k] to the text of roots[k]. */
void infix_lines(Text *out, const Infix *i, Node *const *roots, int count, const char **values);

/* x as a constant: whole numbers as they are, others with the fewest digits that give x back, in C as a real. */
const char *number_text(Arena *a, double x, bool c);
const char *input_name(const Infix *i, int input);
/* Adds to uses[id], for n and all below it, how many times each is read; a root counts as one. */
void node_uses(const Node *n, int *uses);
/* A name or a member: writing it twice costs nothing. */
bool is_identifier(const char *s);

#endif
