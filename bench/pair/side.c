/* side.c -- one side of a pair: a net that spnc has made, behind three functions of plain types, in a shared library.
 *
 * In:  the headers of the folder that it is compiled with.  Out: side_open, side_step, side_forward, which pair.c calls.
 * Each folder has its own copy of this, compiled with its own headers and flags, so two versions of spnc may lay out Net, Batch and Data differently,
 * and one may be in double: pair.c sees no type of theirs. They must have the functions and members used here; if not, this does not compile. */
#if __has_include("run/data.h")
#include "run/data.h"
#include "run/weights.h"
#else                           /* the runtime of an older spnc: one folder, no trainer/ */
#include "data.h"
#include "weights.h"
#endif

int side_open(int threads);
void side_step(int64_t update);
void side_forward(void);

static Data data;
static Batch batch;

/* Opens the net for so many threads, with one batch of made-up examples and the weights of seed 1.  Returns the examples in a batch; -1: no memory. */
int side_open(int threads)
{
    if (net.open(threads))
        return -1;
    data_made_up(&data, net.batch, 0);
    weights_init(net.weights(), 1);
    return net.batch;
}

/* A whole training step, loading and update number `update` (from 0) included. */
void side_step(int64_t update)
{
    double norm;
    batch = (Batch){ .train = 1, .step = (uint64_t)update };
    data_batch(&batch, &data, NULL, 0);
    net.step(&batch, 1e-4, batch.step, &norm);
}

/* A forward pass of the batch of the last step, without dropout. */
void side_forward(void)
{
    batch.train = 0;
    net.forward(&batch, NULL);
}
