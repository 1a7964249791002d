/* traffic.h -- what the ranks of a job send each other in a training step (runtime/ranks_mpi.c), on paper. */
#ifndef SPNC_TRAFFIC_H
#define SPNC_TRAFFIC_H

#include "spnc.h"

/* Bytes and messages that one rank sends, or several of them together.  Not in it: the two numbers of a step that all ranks agree on. */
typedef struct { int64_t bytes, messages; } Traffic;

/* Of rank `rank` of `ranks`, in a batch of `groups` groups (the model's, or as many as another batch would have): for the sum over the batch that `op` makes in
 * the phase p, in all its rounds; for the losses and the errors, behind a forward pass in training. */
Traffic traffic_op(Model *m, const Phase *p, const Op *op, int groups, int ranks, int rank);
Traffic traffic_losses(const Model *m, int groups, int ranks, int rank);
/* For the norm of the gradient; and, in a step that ends with an update, to bring the new weights to all. */
Traffic traffic_norm(const Model *m, int ranks, int rank);
Traffic traffic_weights(const Model *m, int ranks, int rank);
/* For a checkpoint: the optimiser's state, and gradients that wait for an update. */
Traffic traffic_state(const Model *m, int ranks, int rank);

#endif
