/* ranks_mpi.c -- see ranks.h: several processes, by MPI (version 3 or later).  Compiled by mpicc, with -DSPN_MPI, for programs
 * built with --mpi; else empty.
 *
 * All exchanges are messages from each rank to each other one, so that the bytes of a step can be counted on paper.  Each large block of memory is
 * one (deal.h); of many small ones a message is made by a datatype of MPI. */
#define _DEFAULT_SOURCE
#include "ranks.h"
#include "real.h"

#ifdef SPN_MPI
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG = 1, TREES = 64 };

static int count = 1, mine, started, agreed, last;
static int alone;
static char name[MPI_MAX_PROCESSOR_NAME + 40];

/* ---- start and end ----------------------------------------------------------------------------------------------------- */

static void close_all(void)
{
    int over = 0;
    MPI_Finalized(&over);
    if (started && !over)
        MPI_Finalize();
}

int ranks_can(void) { return 1; }

int ranks_open(void)
{
    int have = 0, length = 0;
    char host[MPI_MAX_PROCESSOR_NAME] = "";
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &have);
    started = 1;
    atexit(close_all);
    if (have < MPI_THREAD_FUNNELED)
        return -1;
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    MPI_Comm_rank(MPI_COMM_WORLD, &mine);
    MPI_Get_processor_name(host, &length);
    if (count > 1)
        snprintf(name, sizeof name, "rank %d on host %s: ", mine, host);
    return mine && !freopen("/dev/null", "w", stdout) ? -1 : 0;
}

int ranks_count(void) { return count; }
int ranks_mine(void) { return mine; }
const char *ranks_name(void) { return name; }
void ranks_alone(int on) { alone = on; }
int ranks_single(void) { return count == 1 || alone; }
int ranks_from(int groups) { return ranks_single() ? 0 : deal_from(groups, count, mine); }
int ranks_to(int groups) { return ranks_single() ? groups : deal_from(groups, count, mine + 1); }
void ranks_range(ptrdiff_t *from, ptrdiff_t *to, ptrdiff_t size, ptrdiff_t row) { deal_range(from, to, size, row, ranks_single() ? 1 : count, ranks_single() ? 0 : mine); }

int ranks_most(int value)
{
    int most = value;
    if (!ranks_single())
        MPI_Allreduce(&value, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return most;
}

void ranks_tell(char *text, size_t size, int rank)
{
    if (!ranks_single())
        MPI_Bcast(text, (int)size, MPI_CHAR, rank, MPI_COMM_WORLD);
}

int ranks_agreed(void) { return agreed || count == 1; }

void ranks_last(void)
{
    int code = 0;
    if (ranks_single())
        return;
    last = 1;
    if (!mine) {
        alone = 1;
        *name = 0;                             /* what it says now is said of the job */
        return;
    }
    MPI_Bcast(&code, 1, MPI_INT, 0, MPI_COMM_WORLD);
    exit(code);
}

void ranks_exit(int code)
{
    if (count > 1 && !last)
        MPI_Abort(MPI_COMM_WORLD, code);
    if (count > 1)
        MPI_Bcast(&code, 1, MPI_INT, 0, MPI_COMM_WORLD);
    exit(code);
}

/* ---- agreement ----------------------------------------------------------------------------------------------------------- */

/* The value of the line of `text` that begins with the first `length` characters of `what`; NULL: there is none. */
static const char *value_of(const char *text, const char *what, size_t length)
{
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, what, length))
            return line + length;
    }
    return NULL;
}

/* Prints in what the text of a rank differs from that of the first. */
static void print_differences(const char *program, const char *who, const char *first, const char *text)
{
    for (const char *line = first; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const size_t length = strcspn(line, "\t\n") + 1;
        const char *other = *line ? value_of(text, line, length) : NULL;
        if (!*line || (other && strcspn(line + length, "\n") == strcspn(other, "\n") && !strncmp(line + length, other, strcspn(other, "\n"))))
            continue;
        fprintf(stderr, "%s: error: %snot the same %.*s as the first rank: %.*s, there %.*s\n", program, who, (int)length - 1, line,
                other ? (int)strcspn(other, "\n") : 4, other ? other : "none", (int)strcspn(line + length, "\n"), line + length);
    }
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const size_t length = strcspn(line, "\t\n") + 1;
        if (*line && !value_of(first, line, length))
            fprintf(stderr, "%s: error: %snot the same %.*s as the first rank: %.*s, there none\n", program, who, (int)length - 1, line, (int)strcspn(line + length, "\n"), line + length);
    }
}

/* texts[r]: of rank r: its name, then its text.  Returns the exit code, 0 if all is well. */
static int judge(const char *program, char *const *texts, const int *failed, const int *codes)
{
    int worst = 0, all = 1;
    const char *own = texts[0] + strlen(texts[0]) + 1;
    for (int r = 0; r < count; r++) {
        const char *text = texts[r] + strlen(texts[r]) + 1;
        all = all && failed[r] && !strcmp(text, own);
        worst = failed[r] && !worst ? codes[r] : worst;
    }
    for (int r = 0; r < count; r++) {
        const char *text = texts[r] + strlen(texts[r]) + 1;
        if (failed[r] && (!all || !r))
            fprintf(stderr, "%s: error: %s%s\n", program, all ? "" : texts[r], text);
    }
    for (int r = 1; r < count && !worst; r++) {
        const char *text = texts[r] + strlen(texts[r]) + 1;
        if (strcmp(text, own))
            print_differences(program, texts[r], own, text);
    }
    for (int r = 1; r < count && !worst; r++)
        if (strcmp(texts[r] + strlen(texts[r]) + 1, own))
            worst = 1;
    return worst;
}

void ranks_agree(const char *program, const char *text, int failed, int code)
{
    int verdict = 0, said[3] = { failed, code, (int)(strlen(name) + strlen(text) + 2) };
    if (count == 1 && failed)
        exit(code);
    if (count == 1)
        return;
    int *all = calloc(3 * (size_t)count, sizeof *all), *flags = calloc(2 * (size_t)count, sizeof *flags);
    char **texts = calloc((size_t)count, sizeof *texts);
    if (!all || !flags || !texts)
        MPI_Abort(MPI_COMM_WORLD, 74);
    MPI_Gather(said, 3, MPI_INT, all, 3, MPI_INT, 0, MPI_COMM_WORLD);
    for (int r = 0; r < count; r++) {
        const int n = mine ? said[2] : all[3 * r + 2];
        if ((mine && r != mine) || !(texts[r] = malloc((size_t)n)))
            continue;
        if (r == mine) {
            strcpy(texts[r], name);
            strcpy(texts[r] + strlen(name) + 1, text);
        }
        if (r && mine)
            MPI_Send(texts[r], n, MPI_CHAR, 0, TAG, MPI_COMM_WORLD);
        else if (r)
            MPI_Recv(texts[r], n, MPI_CHAR, r, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        flags[r] = all[3 * r], flags[count + r] = all[3 * r + 1];
    }
    if (!mine)
        verdict = judge(program, texts, flags, flags + count);
    MPI_Bcast(&verdict, 1, MPI_INT, 0, MPI_COMM_WORLD);
    for (int r = 0; r < count; r++)
        free(texts[r]);
    free(texts), free(flags), free(all);
    if (verdict)
        exit(verdict);
    agreed = 1;
}

/* ---- exchanges ----------------------------------------------------------------------------------------------------------- */

/* By the main thread when all threads of its team are here; they do not wait for it. */
#define FROM_MAIN_THREAD(...) \
    do { \
        _Pragma("omp barrier") \
        _Pragma("omp master") \
        { __VA_ARGS__; } \
    } while (0)
/* The same, and they wait. */
#define BY_MAIN_THREAD(...) \
    do { \
        FROM_MAIN_THREAD(__VA_ARGS__); \
        _Pragma("omp barrier") \
    } while (0)

/* Messages under way. */
typedef struct { MPI_Request *of; int n, room; } Messages;

static void *more(void *memory, size_t bytes)
{
    void *p = realloc(memory, bytes);
    if (!p)
        MPI_Abort(MPI_COMM_WORLD, 74);
    return p;
}

static MPI_Request *next_of(Messages *m)
{
    if (m->n == m->room)
        m->of = more(m->of, (size_t)(m->room = 2 * m->room + 64 * count) * sizeof *m->of);
    return &m->of[m->n++];
}

/* Takes `total` numbers of a type from rank r into `at`, or sends them there. */
static void post_one(Messages *m, void *at, int total, MPI_Datatype type, int r, int sends)
{
    if (sends)
        MPI_Isend(at, total, type, r, TAG, MPI_COMM_WORLD, next_of(m));
    else
        MPI_Irecv(at, total, type, r, TAG, MPI_COMM_WORLD, next_of(m));
}

/* The type of those of n blocks that are not large, of numbers that begin at one place; there is one at least. */
static MPI_Datatype type_of_small(const DealBlock *blocks, int n, size_t each)
{
    MPI_Datatype type;
    int *length = more(NULL, (size_t)n * sizeof *length), small = 0;
    MPI_Aint *at = more(NULL, (size_t)n * sizeof *at);
    for (int k = 0; k < n; k++)
        if (!deal_is_large(blocks[k], each)) {
            at[small] = (MPI_Aint)(blocks[k].at * (ptrdiff_t)each);
            length[small++] = (int)blocks[k].count;
        }
    MPI_Type_create_hindexed(small, length, at, each == sizeof(double) ? MPI_DOUBLE : MPI_FLOAT, &type);
    free(length), free(at);
    return type;
}

/* Takes n blocks of `numbers`, of `each` bytes, from rank r, or sends them there: deal_messages() messages. */
static void post(Messages *m, void *numbers, const DealBlock *blocks, int n, size_t each, int r, int sends)
{
    int small = 0;
    for (int k = 0; k < n; k++)
        if (deal_is_large(blocks[k], each))
            post_one(m, (char *)numbers + blocks[k].at * (ptrdiff_t)each, (int)blocks[k].count, each == sizeof(double) ? MPI_DOUBLE : MPI_FLOAT, r, sends);
        else
            small++;
    if (small) {
        MPI_Datatype type = type_of_small(blocks, n, each);
        MPI_Type_commit(&type);
        post_one(m, numbers, 1, type, r, sends);
        MPI_Type_free(&type);                  /* it lives as long as the message */
    }
}

/* Room for so many blocks, until the next call. */
static DealBlock *blocks_of(size_t n)
{
    static DealBlock *blocks;
    static size_t room;
    if (n > room)
        blocks = more(blocks, (room = n) * sizeof *blocks);
    return blocks;
}

static void wait_for(Messages *m)
{
    MPI_Waitall(m->n, m->of, MPI_STATUSES_IGNORE);
    m->n = 0;
}

static Messages now;                           /* of an exchange that is waited for at once, */
static Messages *posted;                       /* and of those that are not, by their numbers */

static Messages *messages_of(int exchange)
{
    static int room;
    if (exchange >= room) {
        posted = more(posted, (size_t)(exchange + 1) * sizeof *posted);
        memset(posted + room, 0, (size_t)(exchange + 1 - room) * sizeof *posted);
        room = exchange + 1;
    }
    return &posted[exchange];
}

/* The rows of the pieces that rank `whose` has (DEAL_ALL: all of them), from rank r or to it. */
static void post_rows(Messages *m, void *numbers, const DealPiece *pieces, int total, size_t each, int whose, int r, int sends)
{
    DealBlock *blocks = blocks_of((size_t)deal_places(pieces, total));
    post(m, numbers, blocks, deal_rows(blocks, 0, 0, pieces, total, count, whose), each, r, sends);
}

static void gather(Messages *m, void *slices, int steps, int groups, size_t slot, const DealPiece *pieces, int total)
{
    DealBlock *blocks = blocks_of((size_t)steps * (size_t)groups * (size_t)(total ? deal_places(pieces, total) : 1));
    for (int sends = 0; sends < 2; sends++)
        for (int k = 1; k < count; k++) {
            const int other = (mine + k) % count;
            const int n = deal_slices(blocks, steps, groups, (ptrdiff_t)(slot / sizeof(real)), sends ? mine : other, pieces, total, count, sends ? other : mine);
            post(m, slices, blocks, n, sizeof(real), other, sends);
        }
}

void ranks_gather(void *slices, int steps, int groups, size_t slot)
{
    if (!ranks_single())
        BY_MAIN_THREAD(gather(&now, slices, steps, groups, slot, NULL, 0), wait_for(&now));
}

void ranks_post(int exchange, void *slices, int steps, int groups, size_t slot, const DealPiece *pieces, int total)
{
    if (!ranks_single())
        FROM_MAIN_THREAD(gather(messages_of(exchange), slices, steps, groups, slot, pieces, total));
}

/* Messages come into memory at any time before that, so no thread has to be here for the main thread to wait. */
void ranks_wait(int exchange)
{
    if (ranks_single())
        return;
    _Pragma("omp master")
    wait_for(messages_of(exchange));
    _Pragma("omp barrier")
}

static void share(char *numbers, size_t each, const DealPiece *pieces, int total)
{
    for (int sends = 0; sends < 2; sends++)
        for (int k = 1; k < count; k++) {
            const int other = (mine + k) % count;
            post_rows(&now, numbers, pieces, total, each, sends ? mine : other, other, sends);
        }
    wait_for(&now);
}

void ranks_share(void *numbers, size_t each, const DealPiece *pieces, int total)
{
    if (!ranks_single() && total)
        BY_MAIN_THREAD(share(numbers, each, pieces, total));
}

void ranks_before(void *numbers, size_t each, const DealPiece *pieces, int total)
{
    if (!ranks_single() && total && mine)
        BY_MAIN_THREAD(post_rows(&now, numbers, pieces, total, each, DEAL_ALL, mine - 1, 0), wait_for(&now));
}

static void behind(char *numbers, size_t each, const DealPiece *pieces, int total)
{
    if (mine < count - 1) {
        post_rows(&now, numbers, pieces, total, each, DEAL_ALL, mine + 1, 1);
        wait_for(&now);                        /* before what the last rank has takes its place */
        post_rows(&now, numbers, pieces, total, each, DEAL_ALL, count - 1, 0);
    }
    for (int r = 0; r < count - 1 && mine == count - 1; r++)
        post_rows(&now, numbers, pieces, total, each, DEAL_ALL, r, 1);
    wait_for(&now);
}

void ranks_behind(void *numbers, size_t each, const DealPiece *pieces, int total)
{
    if (!ranks_single() && total)
        BY_MAIN_THREAD(behind(numbers, each, pieces, total));
}

static struct { DealNode *nodes; int parts, groups, count; } trees[TREES];

/* The tree's place in the table, or where it is to be made. */
static int tree_of(int parts, int groups)
{
    int k = 0;
    while (k < TREES - 1 && trees[k].nodes && (trees[k].parts != parts || trees[k].groups != groups))
        k++;
    return k;
}

static bool tree_is_there(int k, int parts, int groups) { return trees[k].nodes && trees[k].parts == parts && trees[k].groups == groups; }

static void make_tree(int k, int parts, int groups)
{
    free(trees[k].nodes);
    trees[k].nodes = malloc((size_t)parts * sizeof(DealNode));
    if (!trees[k].nodes)
        MPI_Abort(MPI_COMM_WORLD, 74);
    trees[k].parts = parts, trees[k].groups = groups;
    trees[k].count = deal_nodes(trees[k].nodes, parts, groups, count);
}

/* All threads find the same: a tree is made, and another may lose its place, when all are here. */
const DealNode *ranks_nodes(int *nodes, int parts, int groups)
{
    const int k = tree_of(parts, groups);
    if (!tree_is_there(k, parts, groups))
        BY_MAIN_THREAD(make_tree(k, parts, groups));
    *nodes = trees[k].count;
    return trees[k].nodes;
}

static void post_nodes(Messages *m, real *part, const DealNode *nodes, int total, ptrdiff_t stride, ptrdiff_t size, ptrdiff_t row)
{
    DealBlock *blocks = blocks_of((size_t)total);
    for (int sends = 0; sends < 2; sends++)
        for (int k = 1; k < count; k++) {
            const int other = (mine + k) % count;
            ptrdiff_t from, to;
            deal_range(&from, &to, size, row, count, sends ? other : mine);
            post(m, part, blocks, deal_node_blocks(blocks, nodes, total, sends ? mine : other, stride, from, to), sizeof(real), other, sends);
        }
}

void ranks_post_nodes(int exchange, void *part, const DealNode *nodes, int total, ptrdiff_t stride, ptrdiff_t size, ptrdiff_t row)
{
    FROM_MAIN_THREAD(post_nodes(messages_of(exchange), part, nodes, total, stride, size, row));
}

static void slices(real *sum, ptrdiff_t size)
{
    for (int sends = 0; sends < 2; sends++)
        for (int k = 1; k < count; k++) {
            const int other = (mine + k) % count;
            DealBlock block;
            ptrdiff_t from, to;
            deal_range(&from, &to, size, DEAL_WIDE, count, sends ? mine : other);
            post(&now, sum, &block, deal_add(&block, 0, from, to - from), sizeof(real), other, sends);
        }
    wait_for(&now);
}

void ranks_slices(void *sum, ptrdiff_t size) { BY_MAIN_THREAD(slices(sum, size)); }

#endif
