/* lines.h -- the graph of an ONNX file as lines of text, which the trainer turns into a file (trainer/inspect/onnx.c has the same list).
 *
 *   in NAME TYPE [2,3]                    an input of the net, of one example: u8, f32 or i32
 *   out NAME TYPE [2,3]                   an output
 *   const NAME TYPE [2,3] 0 0.5 1         numbers, f32 or i64; a single one stands for all
 *   node TYPE OUTPUT... = INPUT... : KEY=VALUE...
 *   refused TEXT                          instead of all: the net has no form in ONNX
 *
 * Operands are outputs of a node above, inputs, constants, parameters and running statistics by their names in exported files, or numbers themselves:
 * int:3, int[0,-1], real:0.5, real[1,2]; `-` is an operand that is left out.  Values of attributes: 1 is an int, 1.0 a float, [1,2] ints, 'text' a
 * string. */
#ifndef SPNC_ONNX_LINES_H
#define SPNC_ONNX_LINES_H

#include "spnc.h"

enum { ONNX_NODES_MAX = 20000 };

typedef struct {
    Model *m;
    Text text;
    List made;               /* char: names of what is made once, such as reordered weights */
    int nodes, names;
    const char *refused;     /* why there is no form in ONNX; NULL: there is one so far */
} Onnx;

/* A node with these outputs and inputs, names with spaces between.  outputs NULL: one of a new name.  attributes: as above, with spaces between;
 * "": none.  Returns outputs. */
const char *onnx_node(Onnx *o, const char *type, const char *outputs, const char *inputs, const char *attributes);
/* Printed into the arena, for operands and attributes. */
const char *onnx_text(Onnx *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says why there is no form in ONNX, with the place in the model; the first one stays. */
void onnx_refuse(Onnx *o, Loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* True the first time that it is called for the name. */
bool onnx_first(Onnx *o, const char *name);

/* "int[0,20,9,9]": a whole batch of the shape, for Reshape, with `ones` axes of one element before those of the shape. */
const char *onnx_shape(Onnx *o, const Shape *s, int ones);
/* "[1,2]" of n numbers. */
const char *onnx_list(Onnx *o, const int64_t *numbers, int n);
/* x, which is a value of one example, stretched to the shape [N, ...]. */
const char *onnx_every(Onnx *o, const char *x, const Shape *s, const char *outputs);
/* Another shape of x. */
const char *onnx_reshape(Onnx *o, const char *x, const Shape *s, const char *outputs);
/* A constant of the shape, which need not be that of a batch. */
const char *onnx_constant(Onnx *o, const char *name, const Shape *s, const double *values, int64_t count);

#endif
