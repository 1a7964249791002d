/* threads.c -- the default number of threads: the least of several bounds.
 *
 * More threads than processors, or than a quota pays for, are slower than fewer: all threads wait at a barrier for the one that has no
 * processor.  Hence a quota of one and a half processors is one thread. */
#include "run/threads.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_ROOM = 4096, TEXT_ROOM = 1 << 16 };

/* The first number of a list as "4,2"; 0 if there is none. */
static long first_number(const char *text)
{
    char *end;
    long n = text ? strtol(text, &end, 10) : 0;
    return n > 0 && end[strspn(end, " \t")] && !strchr(",", end[strspn(end, " \t")]) ? 0 : n;
}

int threads_allowed(const char *num_threads, const char *thread_limit, int processors, double quota)
{
    double most = fmin(fmin(processors, floor(quota)), THREADS_MOST);
    long wanted = first_number(num_threads), limit = first_number(thread_limit);
    if (wanted > 0)
        most = fmin(most, (double)wanted);
    if (limit > 0)
        most = fmin(most, (double)limit);
    return most < 1 ? 1 : (int)most;
}

/* ---- quotas of control groups -------------------------------------------------------------------------------------- */

/* The text of FOLDER/file; false if there is none. */
static bool read_text(char *text, size_t room, const char *folder, const char *file)
{
    char path[PATH_ROOM];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, file) >= sizeof path)
        return false;
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, room - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
    return n > 0;
}

static double processors_of(double quota, double period) { return quota > 0 && period > 0 ? quota / period : (double)INFINITY; }

/* "50000 100000" or "max 100000": microseconds of processor time in a period of so many microseconds */
static double quota_in(const char *folder)
{
    char text[100], period[100];
    double quota, of;
    if (read_text(text, sizeof text, folder, "cpu.max") && sscanf(text, "%lf %lf", &quota, &of) == 2)
        return processors_of(quota, of);
    if (read_text(text, sizeof text, folder, "cpu.cfs_quota_us") && read_text(period, sizeof period, folder, "cpu.cfs_period_us"))
        return processors_of(strtod(text, NULL), strtod(period, NULL));       /* -1: none */
    return INFINITY;
}

/* The least quota of the group mounted at `root` and of all above it.  What a container cannot see of the path is passed over. */
static double quota_above(const char *root, const char *group)
{
    char path[PATH_ROOM];
    double least = INFINITY;
    if ((size_t)snprintf(path, sizeof path, "%s%s", root, group) >= sizeof path)
        return least;
    for (;;) {
        least = fmin(least, quota_in(path));
        char *slash = strrchr(path, '/');
        if (!slash || slash < path + strlen(root))
            return least;
        *slash = '\0';
    }
}

/* Lines "0::/group" (version 2) and "4:cpu,cpuacct:/group" (version 1). */
double threads_quota(const char *groups, const char *root)
{
    char controllers[200], group[PATH_ROOM - 300], mount[PATH_ROOM - 200];
    double least = INFINITY;
    for (const char *line = groups; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        int n = (int)strcspn(line, "\n");
        const char *first = memchr(line, ':', (size_t)n), *second = first ? memchr(first + 1, ':', (size_t)(line + n - first - 1)) : NULL;
        if (!second || (size_t)snprintf(controllers, sizeof controllers, ",%.*s,", (int)(second - first - 1), first + 1) >= sizeof controllers ||
            (size_t)snprintf(group, sizeof group, "%.*s", (int)(line + n - second - 1), second + 1) >= sizeof group)
            continue;
        if (!strcmp(controllers, ",,")) {
            least = fmin(least, quota_above(root, group));
            snprintf(mount, sizeof mount, "%.3000s/unified", root);
            least = fmin(least, quota_above(mount, group));
        } else if (strstr(controllers, ",cpu,")) {
            snprintf(mount, sizeof mount, "%.3000s/cpu", root);
            least = fmin(least, quota_above(mount, group));
            snprintf(mount, sizeof mount, "%.3000s/%.*s", root, (int)(second - first - 1), first + 1);
            least = fmin(least, quota_above(mount, group));
        }
    }
    return least;
}

int threads_default(void)
{
    static char groups[TEXT_ROOM];
    double quota = read_text(groups, sizeof groups, "/proc/self", "cgroup") ? threads_quota(groups, "/sys/fs/cgroup") : (double)INFINITY;
    return threads_allowed(getenv("OMP_NUM_THREADS"), getenv("OMP_THREAD_LIMIT"), omp_get_num_procs(), quota);
}
