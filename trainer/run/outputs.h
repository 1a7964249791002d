/* outputs.h -- what the net gives, by kind: see outputs.c. */
#ifndef SPN_OUTPUTS_H
#define SPN_OUTPUTS_H

#include <stdbool.h>

typedef enum { OUTPUT_NONE, OUTPUT_CLASSES, OUTPUT_NUMBERS, OUTPUT_MAP, OUTPUT_TRANSFORM } OutputKind;

/* Of value i of net.values; OUTPUT_NONE: it is no output. */
OutputKind output_kind(int i);
/* "classes", "numbers", "map", "transform"; "" for OUTPUT_NONE. */
const char *output_word(OutputKind kind);
/* True if classes of target k are given: its logits are an output. */
bool output_target(int k);

#endif
