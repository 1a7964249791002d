/* weights.h -- copies parameters, and buffers (running statistics), between the blocks a net computes with and the arrays of files.
 *
 * A block holds net.block reals, each parameter at its offset, in its layout, with padding that is zero.  "Exported" is
 * PyTorch's order and shape.  Files hold exported arrays only, so they do not depend on the layouts. */
#ifndef SPN_WEIGHTS_H
#define SPN_WEIGHTS_H

#include "files/array_file.h"
#include "net.h"

#ifdef SPN_DOUBLE
#define ARRAY_REAL ARRAY_F8
#else
#define ARRAY_REAL ARRAY_F4
#endif

/* Index in the block of exported element i of p. */
size_t weights_index(const NetParam *p, size_t i);
/* Parameters start from `seed` alone: each is keyed by its name, each element by its exported index. */
void weights_init(real *block, uint64_t seed);

/* All running statistics: as they start, mean 0 and variance 1. */
void buffers_init(void);

/* One parameter of the block: p->count reals in exported order. */
void weights_export(real *exported, const real *block, const NetParam *p);

/* Exported elements of all parameters together; of all buffers. */
size_t weights_count(void);
size_t buffers_count(void);
/* Exports a block to `exported` (weights_count() reals, which the arrays then point at) and describes it as
 * arrays[net.param_count], named prefix + parameter. */
void weights_arrays(Array *arrays, real *exported, const real *block, const char *prefix);
/* Likewise net.buffer_count arrays of the buffers, buffers_count() reals. */
void buffers_arrays(Array *arrays, real *exported, const char *prefix);
/* The other way round: fills the block from the arrays (f4, f8, f2 or bf16) named prefix + parameter.  A missing name, another
 * shape or type ends the program, naming path, parameter, what was expected and found. */
void weights_from_arrays(real *block, const Array *arrays, int count, const char *prefix, const char *path);

/* Fills the net's buffers likewise.  One that is not there starts anew; returns the first such, NULL: all are there. */
const NetParam *buffers_from_arrays(const Array *arrays, int count, const char *prefix, const char *path);
/* Ends the program if a buffer is missing in the file of weights: evaluation needs all. */
void buffers_need(const NetParam *missing, const char *path);

/* Fills the block, and the net's buffers, from a .npz or .safetensors file whose names and shapes are those of the net: no parameter may be
 * missing, nothing may be left over but PyTorch's counts of batches.  Ends the program otherwise.  Returns the first buffer that is missing, or NULL. */
const NetParam *weights_load(real *block, const char *path);
/* Is that the name of PyTorch's count of batches (num_batches_tracked) of one of the net's batch norms?  spnc keeps none. */
bool weights_counts_batches(const char *name);
/* Ends the program (exit code 2) on a name that is neither .npz nor .safetensors; for one of PyTorch's, with the line that converts it. */
void weights_check_name(const char *path);
/* The list of a .npz or .safetensors file of any model, with the data of those arrays that are wanted (array_file.h), for
 * array_list_free.  Memory is bounded by the net's own parameters.  Ends the program if it cannot be read. */
void weights_read_file(ArrayList *list, const char *path, ArrayWanted *wanted, const void *context);
/* Wanted: named prefix (the context, a text) + one of the net's parameters or buffers, with its shape. */
bool weights_wanted(const Array *a, const void *prefix);
/* Has the array the parameter's shape? */
bool weights_fits(const Array *a, const NetParam *p);
/* One array (f4, f8, f2 or bf16) into the block; another shape or type ends the program. */
void weights_take(real *block, const Array *a, const NetParam *p, const char *path);
/* Writes all parameters, and the net's buffers if `buffers`, to `path` (.npz or .safetensors) with the metadata that names the model. */
void weights_save(const char *path, const real *block, bool buffers);

/* An array in the build's precision, named prefix + name; ends the program if that is too long for a file. */
Array weights_view(const char *prefix, const char *name, const real *data, int rank, const int *shape);

#endif
