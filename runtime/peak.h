/* peak.h -- what the machine could do. */
#ifndef SPN_PEAK_H
#define SPN_PEAK_H

/* Fused multiply-adds of `threads` threads together, in GFLOP/s (two a multiply-add), with the instructions that this program is
 * compiled for: while all of them run, each thread's best of many rounds of a millisecond, so that another program's turns do not count. */
double peak_gflops(int threads);

#endif
