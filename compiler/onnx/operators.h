/* operators.h -- operators of the graph as nodes of ONNX, opset 20. */
#ifndef SPNC_ONNX_OPERATORS_H
#define SPNC_ONNX_OPERATORS_H

#include "onnx/lines.h"

/* Writes the operator's value `out`, from its operands x[k] (names), at the steps at[level - 1] of the repeats that it stands in; shapes have the
 * examples in front.  Returns out, or the name of a value that it is equal to. */
const char *onnx_operator(Onnx *o, const Op *op, const char *const *x, const int *at, const char *out);

/* formula.c: the formula of operands x[k] of these shapes. */
const char *onnx_formula(Onnx *o, const Op *op, const char *const *x, const char *out);
/* described.c: of an operator with a description (templates/). */
const char *onnx_described(Onnx *o, const Op *op, const char *const *x, const char *out);
/* cells.c: one step of a gru or lstm; x: the cell's input, its state h, and of an lstm c.  out: h', and of an lstm c'. */
void onnx_gru(Onnx *o, const Op *gates, const char *const *x, const char *out);
void onnx_lstm(Onnx *o, const Op *gates, const char *const *x, const char *out, const char *out_c);

#endif
