/* norms.c -- see norms.h.  PyTorch refuses such a batch when it comes; here a training does not start. */
#include "run/norms.h"
#include "run/message.h"

#include <inttypes.h>

/* The first batch norm that has one number a channel in a batch of `count` examples, or NULL. */
static const NetNorm *lonely(int64_t count)
{
    for (int k = 0; k < net.norm_count; k++)
        if (count * net.norms[k].positions == 1)
            return &net.norms[k];
    return NULL;
}

void norms_check_batch(int64_t count)
{
    const NetNorm *n = lonely(count);
    if (n)
        fail(WRONG_INPUT, "%s:%d: batch norm %s would measure a batch of one example, which has one number a channel and so no variance; expected a batch"
             " of at least two", net.source, n->yaml_line, n->name);
}

void norms_check_split(int64_t examples)
{
    const int64_t last = examples % net.batch ? examples % net.batch : net.batch;
    const NetNorm *n = lonely(last);
    if (n)
        fail(WRONG_INPUT, "%s:%d: batch norm %s would have one number a channel, and so no variance, in the last batch of each epoch: %" PRId64
             " examples in batches of %d leave one; leave out or add an example, or build with another --batch", net.source, n->yaml_line, n->name,
             examples, net.batch);
}
