/* outputs.c -- the kind of each output: logits of labels are classes; what a sampler reads is a transform; what has rows and columns, and one plane or
 * three, is a map, a picture of its own; all others are numbers.
 *
 * In: net.values, whose outputs the compiler has chosen (compiler/graph/outputs.c).  Used by predict, dump and the report. */
#include "run/outputs.h"
#include "run/eval.h"

bool output_target(int k) { return eval_positions(k) && net.values[eval_value(k)].output; }

OutputKind output_kind(int i)
{
    const NetValue *v = &net.values[i];
    if (!v->output)
        return OUTPUT_NONE;
    if (v->transform)
        return OUTPUT_TRANSFORM;
    for (int k = 0; k < net.target_count; k++)
        if (eval_value(k) == i)
            return OUTPUT_CLASSES;
    const bool planes = v->rank == 2 || (v->rank == 3 && (v->shape[0] == 1 || v->shape[0] == 3));
    return planes && v->shape[v->rank - 2] > 1 && v->shape[v->rank - 1] > 1 ? OUTPUT_MAP : OUTPUT_NUMBERS;
}

const char *output_word(OutputKind kind)
{
    static const char *const words[] = { "", "classes", "numbers", "map", "transform" };
    return words[kind];
}
