/* peak.h -- the machine's peak rate of multiply-adds, measured. */
#ifndef SPN_PEAK_H
#define SPN_PEAK_H

/* Fused multiply-adds of `threads` threads together, in GFLOP/s (two a multiply-add), with the instructions that this program is
 * compiled for: while all of them run, each thread's best of many rounds of a millisecond, so that another program's turns do not count.
 * It takes 0.3 s; another program that runs all that time makes it too low.  So callers measure it before and after the compared times. */
double peak_gflops(int threads);

#endif
