/* norms.h -- refuses batches in which a batch norm would have one number a channel: it has no variance. */
#ifndef SPN_NORMS_H
#define SPN_NORMS_H

#include "net.h"

/* End the program with exit code 1, naming the batch norm with its line, if the statistics of a batch of `count` examples, or of the smallest
 * batch of a training split of `examples`, would be those of one number. */
void norms_check_batch(int64_t count);
void norms_check_split(int64_t examples);

#endif
