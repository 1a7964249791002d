/* onnx.h -- the net with its weights as an ONNX file. */
#ifndef SPN_INSPECT_ONNX_H
#define SPN_INSPECT_ONNX_H

#include "net.h"

#include <stdbool.h>

/* Is that the name of an ONNX file? */
bool onnx_named(const char *path);
/* Writes `path`: IR version 9, opset 20, the weights of the block and the net's running statistics as float32, the model hash, settings and text as metadata.
 * Ends the program with the reason if the net has no form in ONNX. */
void onnx_save(const char *path, const real *block);

#endif
