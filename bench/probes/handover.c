/* handover.c -- what it costs that one thread needs what another has just written; bench/probes/scaling.py runs it beside its measurements.
 *
 * usage: handover
 * Two threads pass a number to and fro: half a round trip, the least of 200 means of 500, is the time that a cache line takes from one processor to
 * the other.  Then one writes 8 MiB, as a phase leaves for the next, and it or the other reads them.  Prints { "ns", "own_gb_s", "other_gb_s" };
 * exit 74 if there is one processor only.  On an EPYC, 35 to 60 ns are two processors that share a cache, 180 ns two that do not; the host of a
 * virtual machine may move them from one to the other. */
#include <omp.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURNS = 500, TRIES = 200, BYTES = 8 << 20, ROUNDS = 10 };

static _Alignas(128) atomic_int turn;
static volatile uint64_t sink;      /* so that what is read is read */

static __attribute__((noinline)) void read_all(const uint64_t *p, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += p[i];
    sink = sum;
}

int main(void)
{
    if (omp_get_num_procs() < 2) {
        fprintf(stderr, "handover: this process may use one processor only\n");
        return 74;
    }
    uint64_t *data = aligned_alloc(4096, BYTES);
    double passing = 1, least[2] = { 1e9, 1e9 };
    if (!data)
        return 74;
    memset(data, 0, BYTES);
    #pragma omp parallel num_threads(2)
    {
        int me = omp_get_thread_num();
        double begin;
        for (int i = 0, round = 0; round < TRIES; round++) {
            begin = omp_get_wtime();
            for (int end = i + TURNS; i < end; i++) {
                while (atomic_load_explicit(&turn, memory_order_acquire) != 2 * i + me)
                    continue;
                atomic_store_explicit(&turn, 2 * i + me + 1, memory_order_release);
            }
            double each = (omp_get_wtime() - begin) / (2.0 * TURNS);
            if (me == 0)
                passing = each < passing ? each : passing;
        }
        for (int round = 0; round < 2 * ROUNDS; round++) {
            #pragma omp barrier
            if (me == 0)
                memset(data, round, BYTES);
            #pragma omp barrier
            if (me == round % 2) {
                begin = omp_get_wtime();
                read_all(data, BYTES / sizeof *data);
                double seconds = omp_get_wtime() - begin;
                least[me] = seconds < least[me] ? seconds : least[me];
            }
        }
    }
    printf("{ \"ns\": %.0f, \"own_gb_s\": %.1f, \"other_gb_s\": %.1f }\n", 1e9 * passing, 1e-9 * BYTES / least[0], 1e-9 * BYTES / least[1]);
    free(data);
    return 0;
}
