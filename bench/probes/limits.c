/* limits.c -- what one thread of this machine can do at most: multiply-adds in registers, and reading memory that is in no cache; and what memory
 * a program took.
 *
 * usage: cc -O2 -march=native limits.c -o limits
 *   ./limits                  prints {"peak_gflops": ..., "read_gb_s": ...}, the best of several rounds
 *   ./limits COMMAND...       runs it, and prints {"rss_mb": ...}, the most that was resident; from here, because a child counts what its parent
 *                             had when it began */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined __AVX512F__
enum { LANES = 16 };
#elif defined __AVX__
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
typedef float Vec __attribute__((vector_size(4 * LANES)));

enum { CHAINS = 12, TIMES = 100000, ROUNDS = 20, BYTES = 1 << 28 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#if defined __x86_64__
#define REGISTER "+v"
#else
#define REGISTER "+w"
#endif
#define EACH(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define BEGIN(i) Vec c##i = factor;
#define MULTIPLY_ADD(i) c##i = c##i * factor + factor; __asm__ volatile("" : REGISTER(c##i));

/* CHAINS independent sums, so that the units are always busy; the assembly changes nothing, but the compiler cannot say so.  Names, not an array,
 * which gcc would keep in memory. */
static double multiply_adds(void)
{
    Vec factor = { 0 };
    factor += 0.5f;
    EACH(BEGIN)
    const double begin = now();
    for (int k = 0; k < TIMES; k++) {
        EACH(MULTIPLY_ADD)
    }
    return 2e-9 * LANES * CHAINS * TIMES / (now() - begin);
}

static double reading(const Vec *from)
{
    Vec sum[4];
    memset(sum, 0, sizeof sum);
    const double begin = now();
    for (size_t i = 0; i < BYTES / sizeof(Vec); i += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += from[i + (size_t)k];
    const double seconds = now() - begin;
    sum[0] += sum[1] + sum[2] + sum[3];
    __asm__ volatile("" : : "m"(sum));
    return 1e-9 * BYTES / seconds;
}

static int resident(char **command)
{
    const pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stdout))
            execv(command[0], command);
        _exit(127);
    }
    struct rusage use;
    int status;
    if (child < 0 || wait4(child, &status, 0, &use) != child || status != 0)
        return 1;
    printf("{\"rss_mb\": %.2f}\n", (double)use.ru_maxrss * 1024e-6);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return resident(argv + 1);
    Vec *memory = aligned_alloc(64, BYTES);
    if (!memory)
        return 74;
    memset(memory, 0, BYTES);
    double peak = 0, read = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const double p = multiply_adds(), r = reading(memory);
        peak = p > peak ? p : peak;
        read = r > read ? r : read;
    }
    printf("{\"peak_gflops\": %.2f, \"read_gb_s\": %.2f}\n", peak, read);
    free(memory);
    return 0;
}
