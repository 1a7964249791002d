/* kernels.h -- the schedules that schedule.c puts together, a file for each kernel. */
#ifndef SPNC_KERNELS_H
#define SPNC_KERNELS_H

#include "schedule/choice.h"

void schedule_direct(Work *w);           /* conv_direct.c */
void schedule_winograd(Work *w);         /* conv_winograd.c */
void schedule_dense(Work *w);            /* dense_fast.c */

#endif
