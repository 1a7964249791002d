/* weights.h -- the weights of a library, from a file of weights or a run to the form in which its kernels read them. */
#ifndef SPNC_LIBRARY_WEIGHTS_H
#define SPNC_LIBRARY_WEIGHTS_H

#include "spnc.h"

/* Appends the content of NAME.weights: a head of LIBRARY_HEAD reals and m->weights.  path: an .npz or .safetensors, a checkpoint, or the folder of a
 * run, whose best weights are taken, or its last if there are none.  Every parameter that is missing, has another shape, or is not of the net is
 * reported to m->diag; then, and for a damaged file, false.  Exits 74 when the environment refuses. */
bool weights_pack(Model *m, const char *path, Text *bytes);

/* Appends NAME_weights.c, which NAME.c includes: the bytes as numbers, or beyond a megabyte by the assembler's .incbin. */
void weights_source(Model *m, const Text *bytes, Text *c);

#endif
