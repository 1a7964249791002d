/* threads.h -- how many threads a program uses if nobody says: what the user, the processors and the control group allow. */
#ifndef SPN_THREADS_H
#define SPN_THREADS_H

enum { THREADS_MOST = 1024 };

/* The default of this process: threads_allowed of the environment, the processors it may run on, and its control group. */
int threads_default(void);

/* The least of OMP_NUM_THREADS (its first number), OMP_THREAD_LIMIT (NULL: not set; a text that is no such number counts as not set), the
 * number of processors, and whole processors of `quota` (infinite: none), within 1 and THREADS_MOST. */
int threads_allowed(const char *num_threads, const char *thread_limit, int processors, double quota);

/* Processors that the groups of this process may use, by their quotas: the least of its own group and of all above it; infinite without a
 * quota.  `groups` is the text of /proc/self/cgroup, `root` the folder of the control groups, /sys/fs/cgroup.  Of both versions: cpu.max,
 * or cpu.cfs_quota_us and cpu.cfs_period_us. */
double threads_quota(const char *groups, const char *root);

#endif
