/* grad.c -- the command `grad`: one forward and one backward pass, written to a file for comparison with other tools.
 *
 * The file holds the real examples of the batch only, examples first: out/NAME is [N][...], or [N][T][...] for a name
 * made in a repeat, [N][T][T2][...] in a repeat in a repeat.  Everything is in the build's precision. */
#include "inspect/inspect.h"
#include "run/eval.h"
#include "run/message.h"
#include "run/norms.h"
#include "run/weights.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The value of the whole batch, [count][steps or 1][v->count]; owned by the caller. */
static real *collect(const NetValue *v, int count)
{
    int steps = v->steps ? v->steps : 1;
    const real *memory = net.activations();
    real *out = need_memory((size_t)count * (size_t)steps * v->count * sizeof *out, v->name), *at = out;
    for (int n = 0; n < count; n++)
        for (int step = 0; step < steps; step++)
            for (size_t e = 0; e < v->count; e++)
                *at++ = memory[value_index(v, n, step, e)];
    return out;
}

static Array describe(const NetValue *v, const real *data, int count)
{
    int shape[ARRAY_RANK] = { count }, rank = nest_axes(v, shape, 1);
    for (int i = 0; i < v->rank; i++)
        shape[rank++] = v->shape[i];
    return weights_view("out/", v->name, data, rank, shape);
}

int command_grad(const Options *o)
{
    Data data;
    Batch batch = { .train = !strcmp(o->mode, "train") };
    ArrayError e;
    size_t end = strlen(o->out);
    if (end < 5 || strcmp(o->out + end - 4, ".npz"))
        fail(WRONG_USAGE, "-o %s: the answer is an .npz file; give a name that ends in .npz", o->out);
    data_open(&data, o->data, o->split, true);
    if (o->first >= data.examples)
        fail(WRONG_INPUT, "--first %" PRId64 ": %s/%s has %" PRId64 " examples, 0 to %" PRId64, o->first, o->data, o->split,
             data.examples, data.examples - 1);
    open_net(o->threads);
    const NetParam *missing = weights_load(net.weights(), o->weights);
    data_batch(&batch, &data, NULL, o->first);
    if (batch.train)
        norms_check_batch(batch.count);
    else
        buffers_need(missing, o->weights);
    real loss = (real)net.forward(&batch, NULL);
    int count = 0, all = 1 + net.value_count + net.param_count;
    Array *arrays = need_memory((size_t)all * sizeof *arrays, "the answer");
    arrays[count++] = weights_view("", "loss", &loss, 0, NULL);
    for (int i = 0; i < net.value_count; i++) {              /* before backward, which may use their memory again */
        const NetValue *v = &net.values[i];
        arrays[count++] = describe(v, collect(v, batch.count), batch.count);
    }
    net.backward(&batch);
    real *exported = need_memory(weights_count() * sizeof *exported, "the answer");
    weights_arrays(arrays + count, exported, net.gradients(), "grad/");
    for (int k = 0, first = count; k < net.param_count; k++)
        if (!net.params[k].frozen)
            arrays[count++] = arrays[first + k];
    if (!array_write_npz(o->out, arrays, count, NULL, &e))
        fail_array(&e);
    for (int i = 1; i <= net.value_count; i++)
        free(arrays[i].data);
    free(exported);
    free(arrays);
    data_close(&data);
    net.close();
    return FINE;
}
