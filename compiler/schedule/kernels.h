/* kernels.h -- the schedules that schedule.c puts together, a file for each kernel. */
#ifndef SPNC_KERNELS_H
#define SPNC_KERNELS_H

#include "graph/window.h"
#include "schedule/choice.h"

void schedule_direct(Work *w);           /* conv_direct.c */
/* conv_packed.c; false: the pass has the kernel of conv_direct.c. */
bool schedule_packed_forward(Work *w);
bool schedule_packed_backward(Work *w);
bool schedule_packed_weights(Work *w);
bool packed_pays(const Window *w, int64_t rows);         /* likewise: what lies outside is copied as 0 and multiplied, else left out */
bool schedule_phased(Work *w);           /* conv_phases.c, likewise of the gradient to the input */
void schedule_lines(Work *w);            /* conv_lines.c */
bool is_depthwise(const Window *w);      /* likewise: it has kernels of its own */
void schedule_winograd(Work *w);         /* conv_winograd.c */
void schedule_dense(Work *w);            /* dense_fast.c */
void schedule_latency(Work *w);          /* latency_tiles.c */

/* Bytes of the arrays that one function may have on the stack, whatever the model's sizes: a thread's stack may be as small as 1 MiB. */
enum { STACK_BYTES = 1 << 18 };

#endif
