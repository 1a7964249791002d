/* formulas.h -- values that no operand makes alone: formulas, constants, trained parameters, draws. */
#ifndef SPNC_FORMULAS_H
#define SPNC_FORMULAS_H

#include "graph/model.h"

/* True if the text is a name, perhaps with dots in it: no formula. */
bool formula_is_name(const char *text);
/* The value of a formula's text; `path` is its entry's.  A single name is that value itself.  False after errors. */
bool formula_make(Builder *b, const char *path, const Yaml *text, Use *out);
/* u[index], along its first axis; NULL after errors. */
Tensor *value_element(Builder *b, const char *path, Loc at, Use u, int index);
/* Operators whose main operand is no value: constant, parameter, random. */
bool value_is_special(OpKind kind);
/* { constant: ..., shape: ... }, { parameter: shape, init: ... }, { random: normal, shape: ... }: v's key `which`. */
bool value_special(Builder *b, OpKind kind, const char *path, Loc at, const Yaml *v, int which, Use *out);

#endif
