/* peak.h -- what the machine could do. */
#ifndef SPN_PEAK_H
#define SPN_PEAK_H

/* Fused multiply-adds of `threads` threads together, in GFLOP/s (two a multiply-add), with the instructions that this program is
 * compiled for: while all of them run, each thread's best of many rounds of a millisecond, so that another program's turns do not count.
 * It takes 0.3 s; a neighbour who has the processor as long makes it too low.  So it is asked before and after what it is held against. */
double peak_gflops(int threads);

#endif
