/* test_threads.c -- the default number of threads, by given texts of the environment and of control groups. */
#define _DEFAULT_SOURCE
#include "folder.h"
#include "run/threads.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <sys/stat.h>

TestSuite(threads);

Test(threads, are_the_least_of_what_is_allowed)
{
    const double none = INFINITY;
    cr_assert(eq(int, threads_allowed(NULL, NULL, 8, none), 8));
    cr_assert(eq(int, threads_allowed("3", NULL, 8, none), 3));
    cr_assert(eq(int, threads_allowed("16", NULL, 8, none), 8));
    cr_assert(eq(int, threads_allowed(" 4, 2", NULL, 8, none), 4));
    cr_assert(eq(int, threads_allowed("4,2,1", "2", 8, none), 2));
    cr_assert(eq(int, threads_allowed("4 ", "20", 8, none), 4));
    cr_assert(eq(int, threads_allowed(NULL, "5", 8, none), 5));
    cr_assert(eq(int, threads_allowed("6", "5", 8, 2.9), 2));
    cr_assert(eq(int, threads_allowed(NULL, NULL, 8, 0.5), 1));
    cr_assert(eq(int, threads_allowed(NULL, NULL, 1 << 20, none), THREADS_MOST));
    cr_assert(eq(int, threads_allowed(NULL, NULL, 0, none), 1));
}

Test(threads, a_text_that_is_no_number_counts_as_not_set)
{
    static const char *const texts[] = { "", "0", "-2", "x", "3x", "2.5", ",4", "99999999999999999999x" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cr_assert(eq(int, threads_allowed(texts[i], NULL, 8, INFINITY), 8), "%s", texts[i]);
        cr_assert(eq(int, threads_allowed(NULL, texts[i], 8, INFINITY), 8), "%s", texts[i]);
    }
}

/* ---- control groups: a folder as /sys/fs/cgroup has it ------------------------------------------------------------------- */

static char root[TEMPORARY_ROOM];

static void remove_root(void)
{
    char command[TEMPORARY_ROOM + 20];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    if (system(command))
        abort();
}

static void make_root(void) { temporary_folder(root); }

/* ROOT/folder/file with a text; the folders above it are made. */
static void put(const char *folder_in_root, const char *file, const char *text)
{
    char path[2 * TEMPORARY_ROOM + 200];
    snprintf(path, sizeof path, "%s/%s/%s", root, folder_in_root, file);
    for (char *slash = path + strlen(root); (slash = strchr(slash + 1, '/')); *slash = '/') {
        *slash = '\0';
        mkdir(path, 0777);
    }
    file_put(path, text, strlen(text));
}

TestSuite(quota, .init = make_root, .fini = remove_root);

Test(quota, of_the_second_version)
{
    put("a/b", "cpu.max", "150000 100000\n");
    cr_assert(eq(dbl, threads_quota("0::/a/b\n", root), 1.5));
    cr_assert(eq(dbl, threads_quota("0::/a/b/c/d\n", root), 1.5), "a group without a file has the quota of the one above it");
    cr_assert(eq(dbl, threads_quota("0::/a", root), INFINITY));
    put("a", "cpu.max", "50000 100000\n");
    cr_assert(eq(dbl, threads_quota("0::/a/b\n", root), 0.5), "the least counts");
    put("a", "cpu.max", "max 100000\n");
    cr_assert(eq(dbl, threads_quota("0::/a/b\n", root), 1.5));
    put(".", "cpu.max", "100000 100000\n");
    cr_assert(eq(dbl, threads_quota("0::/\n", root), 1), "as in a container, whose group is the root");
    cr_assert(eq(dbl, threads_quota("0::/../../elsewhere\n", root), 1));
}

Test(quota, of_the_first_version)
{
    put("cpu,cpuacct/job/1", "cpu.cfs_quota_us", "250000\n");
    put("cpu,cpuacct/job/1", "cpu.cfs_period_us", "100000\n");
    cr_assert(eq(dbl, threads_quota("12:pids:/job/1\n4:cpu,cpuacct:/job/1\n1:name=systemd:/\n", root), 2.5));
    cr_assert(eq(dbl, threads_quota("4:cpuset:/job/1\n", root), INFINITY));
    put("cpu,cpuacct/job", "cpu.cfs_quota_us", "-1\n");
    put("cpu,cpuacct/job", "cpu.cfs_period_us", "100000\n");
    cr_assert(eq(dbl, threads_quota("4:cpu,cpuacct:/job/1", root), 2.5));
    put("cpu", "cpu.cfs_quota_us", "100000\n");
    put("cpu", "cpu.cfs_period_us", "50000\n");
    cr_assert(eq(dbl, threads_quota("4:cpuacct,cpu:/docker/0123\n0::/\n", root), 2), "a container sees its group at the root");
    put("unified/x", "cpu.max", "100000 100000");
    cr_assert(eq(dbl, threads_quota("4:cpu:/docker/0123\n0::/x\n", root), 1), "both versions at once");
}

Test(quota, of_texts_that_are_none)
{
    static const char *const texts[] = { "", "\n", "0", "max\n", "100000\n", "0 100000\n", "100000 0\n", "-5 100000\n", "x y\n", "nan nan\n" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put("g", "cpu.max", texts[i]);
        cr_assert(eq(dbl, threads_quota("0::/g\n", root), INFINITY), "%s", texts[i]);
    }
    cr_assert(eq(dbl, threads_quota("", root), INFINITY));
    cr_assert(eq(dbl, threads_quota("no colon\n:\n::\n0:/g\n", root), INFINITY));
    cr_assert(eq(dbl, threads_quota("0::/none\n", "/nowhere/at/all"), INFINITY));
}
