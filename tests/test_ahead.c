/* test_ahead.c -- the read-ahead thread requests the rows of the coming batches, in their order, and no others.
 *
 * posix_madvise is replaced by a function that records the requests, and pthread_cond_wait (by the linker's --wrap) by one that counts: in
 * it the thread waits when there is nothing more to request. */
#define _DEFAULT_SOURCE
#include "net.h"
static void as_it_is(void *to, const Batch *batch, int n) { (void)to, (void)batch, (void)n; }
static const NetAugment augments[] = { { 0, 2, 2, as_it_is } };
#define TINY_AUGMENTS augments
#include "fixtures/tiny_net.c"
#include "run/ahead.h"
#include "augment.h"
#include "folder.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

enum { EXAMPLES = 4000, SEED = 5, WINDOW = 32 * N, ROOM = 1 << 16 };

typedef struct { uintptr_t from, to; } Asked;
static Asked list[ROOM];
static int count, shuffled;
static bool waits;                                       /* the thread, for training to move */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int posix_madvise(void *from, size_t size, int advice)
{
    pthread_mutex_lock(&lock);
    if (advice == POSIX_MADV_WILLNEED && count < ROOM)
        list[count++] = (Asked){ (uintptr_t)from, (uintptr_t)from + size };
    shuffled += advice == POSIX_MADV_RANDOM;
    pthread_mutex_unlock(&lock);
    return 0;
}

static void set_waits(bool now)
{
    pthread_mutex_lock(&lock);
    waits = now;
    pthread_mutex_unlock(&lock);
}

int __real_pthread_cond_wait(pthread_cond_t *moved, pthread_mutex_t *held);
int __wrap_pthread_cond_wait(pthread_cond_t *moved, pthread_mutex_t *held);
int __wrap_pthread_cond_wait(pthread_cond_t *moved, pthread_mutex_t *held)
{
    set_waits(true);
    int code = __real_pthread_cond_wait(moved, held);
    set_waits(false);
    return code;
}

static Data data;

static void put(const char *path, ArrayType type, int rank, const int64_t *shape)
{
    static int32_t zeros[EXAMPLES * IN];
    Array a = array_view("", type, zeros, rank, shape);
    ArrayError e;
    cr_assert(array_write_npy(path, &a, &e), "%s", e.text);
}

static void begin(void)
{
    folder_make();
    put("train_image.npy", ARRAY_U1, 4, (int64_t[]){ EXAMPLES, 1, 4, 4 });
    put("train_digits.npy", ARRAY_I4, 2, (int64_t[]){ EXAMPLES, POSITIONS });
    data_open(&data, ".", "train", true);
}

static void end(void)
{
    data_close(&data);
    folder_remove();
}

TestSuite(ahead, .init = begin, .fini = end, .timeout = 600);

/* The number of calls, as soon as there are at least `wanted` and the thread waits. */
static int calls(int wanted)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        int seen = count;
        bool all = waits && seen >= wanted;
        pthread_mutex_unlock(&lock);
        if (all)
            return seen;
        usleep(1000);
    }
}

static void has(int k, const void *from, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)from;
    cr_assert(list[k].from == at / page * page && list[k].to == at + size, "call %d asks for %#lx to %#lx, not %#lx to %#lx", k, (unsigned long)list[k].from,
              (unsigned long)list[k].to, (unsigned long)at, (unsigned long)(at + size));
}

/* From call k on: the examples at places from to to - 1, each with its two pieces of clutter. */
static int has_examples(int k, int64_t from, int64_t to)
{
    static uint32_t order[EXAMPLES];
    for (int64_t place = from; place < to; place++) {
        int epoch = (int)(place / EXAMPLES);
        if (place == from || place % EXAMPLES == 0)
            data_order(order, &data, SEED, epoch);
        uint32_t example = order[place % EXAMPLES];
        has(k++, (const char *)data.base[0] + example * (size_t)IN, IN);
        Batch batch = { .seed = SEED, .epoch = epoch, .which = &example, .all = data.base, .stride = data.stride, .total = EXAMPLES };
        for (int p = 0; p < 2; p++) {
            AugmentPiece piece = augment_piece(&batch, 0, 0, p, 2, 4, 4);
            has(k++, (const char *)piece.image + 4 * piece.row, 2 * 4);
        }
    }
    return k;
}

Test(ahead, asks_for_the_coming_batches_in_their_order)
{
    ahead_shuffled(&data);
    cr_assert(eq(int, shuffled, 1), "labels are not mapped");
    Ahead *a = ahead_open(&data, SEED, 2);
    cr_assert(a != NULL);
    cr_assert(eq(int, calls(0), 0), "asks before training begins");
    ahead_move(a, 0, 0);
    cr_assert(eq(int, calls(3 * WINDOW), 3 * WINDOW));
    int k = has_examples(0, 0, WINDOW);
    ahead_move(a, 0, WINDOW / 2 + N);
    cr_assert(eq(int, calls(3 * (WINDOW / 2 + N + WINDOW)), 3 * (WINDOW / 2 + N + WINDOW)));
    has_examples(k, WINDOW, WINDOW / 2 + N + WINDOW);
    ahead_close(a);
}

Test(ahead, goes_on_into_the_next_epoch_and_stops_behind_the_last)
{
    Ahead *a = ahead_open(&data, SEED, 2);
    ahead_move(a, 0, EXAMPLES - N);                      /* a run that is resumed begins anywhere */
    cr_assert(eq(int, calls(3 * WINDOW), 3 * WINDOW));
    int k = has_examples(0, EXAMPLES - N, EXAMPLES - N + WINDOW);
    ahead_move(a, 1, EXAMPLES - N);
    cr_assert(eq(int, calls(k + 3 * N), k + 3 * N));
    has_examples(k, 2 * EXAMPLES - N, 2 * EXAMPLES);
    ahead_close(a);
}

Test(ahead, has_nothing_to_do_for_examples_that_are_made_up)
{
    Data made;
    data_made_up(&made, 20, 1);
    cr_assert(ahead_open(&made, SEED, 2) == NULL);
    ahead_move(NULL, 0, 0);
    ahead_close(NULL);
    data_close(&made);
}
