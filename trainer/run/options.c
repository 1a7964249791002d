/* options.c -- opens the net with the number of threads of the command line, its running statistics as they start. */
#include "run/options.h"
#include "run/message.h"
#include "run/weights.h"

#include <omp.h>

void open_net(int threads)
{
    omp_set_dynamic(0);
    omp_set_num_threads(threads);
    if (net.open(threads))
        fail(ENVIRONMENT, "no memory for the net with a batch of %d; build it with a smaller --batch", net.batch);
    buffers_init();
}
