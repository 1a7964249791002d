/* ranks_mpi.c -- see ranks.h: several processes, by MPI (version 3 or later).  Compiled by mpicc, with -DSPN_MPI, for programs built with --mpi; else empty.
 *
 * All exchanges are messages from each rank to each other one, so that the bytes of a step can be counted on paper.  Of many pieces of memory one
 * message is made by a datatype of MPI. */
#define _DEFAULT_SOURCE
#include "ranks.h"
#include "real.h"

#ifdef SPN_MPI
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG = 1, TREES = 64 };

static int count = 1, mine, started, agreed, last;
static int alone;
static char name[MPI_MAX_PROCESSOR_NAME + 40];
static MPI_Request *requests;                  /* 2 * count */
#ifdef SPN_DOUBLE
#define REAL MPI_DOUBLE
#else
#define REAL MPI_FLOAT
#endif

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
    requests = malloc(2 * (size_t)count * sizeof *requests);
    return !requests || (mine && !freopen("/dev/null", "w", stdout)) ? -1 : 0;
}

int ranks_count(void) { return count; }
int ranks_mine(void) { return mine; }
const char *ranks_name(void) { return name; }
void ranks_alone(int on) { alone = on; }
static int single(void) { return count == 1 || alone; }
int ranks_from(int groups) { return single() ? 0 : deal_from(groups, count, mine); }
int ranks_to(int groups) { return single() ? groups : deal_from(groups, count, mine + 1); }

int ranks_most(int value)
{
    int most = value;
    if (!single())
        MPI_Allreduce(&value, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return most;
}

int ranks_agreed(void) { return agreed || count == 1; }

void ranks_last(void)
{
    int code = 0;
    if (single())
        return;
    last = 1;
    if (!mine) {
        alone = 1;
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

/* One of the main thread while the others of its team wait. */
#define BY_MAIN_THREAD(...) \
    do { \
        _Pragma("omp barrier") \
        _Pragma("omp master") \
        { __VA_ARGS__; } \
        _Pragma("omp barrier") \
    } while (0)

/* Takes `type`, of memory that begins at `at`, from rank r, or sends it there; the type may be freed at once. */
static void post(int *n, void *at, MPI_Datatype type, int r, int sends)
{
    MPI_Type_commit(&type);
    if (sends)
        MPI_Isend(at, 1, type, r, TAG, MPI_COMM_WORLD, &requests[(*n)++]);
    else
        MPI_Irecv(at, 1, type, r, TAG, MPI_COMM_WORLD, &requests[(*n)++]);
    MPI_Type_free(&type);
}

static void gather(char *slices, int steps, int groups, size_t slot)
{
    int n = 0;
    for (int sends = 0; sends < 2; sends++)
        for (int k = 1; k < count; k++) {
            const int other = (mine + k) % count, whose = sends ? mine : other, from = deal_from(groups, count, whose);
            MPI_Datatype type;
            MPI_Type_create_hvector(steps, (deal_from(groups, count, whose + 1) - from) * (int)(slot / sizeof(real)), (MPI_Aint)(slot * (size_t)groups), REAL, &type);
            post(&n, slices + (size_t)from * slot, type, other, sends);
        }
    MPI_Waitall(n, requests, MPI_STATUSES_IGNORE);
}

void ranks_gather(void *slices, int steps, int groups, size_t slot)
{
    if (!single())
        BY_MAIN_THREAD(gather(slices, steps, groups, slot));
}

static struct { DealNode *nodes; int parts, groups, count; } trees[TREES];

static int tree_of(int parts, int groups)
{
    int k = 0;
    while (k < TREES - 1 && trees[k].nodes && (trees[k].parts != parts || trees[k].groups != groups))
        k++;
    if (trees[k].nodes && trees[k].parts == parts && trees[k].groups == groups)
        return k;
    free(trees[k].nodes);
    trees[k].nodes = malloc((size_t)parts * sizeof(DealNode));
    if (!trees[k].nodes)
        MPI_Abort(MPI_COMM_WORLD, 74);
    trees[k].parts = parts, trees[k].groups = groups;
    trees[k].count = deal_nodes(trees[k].nodes, parts, groups, count);
    return k;
}

const DealNode *ranks_nodes(int *nodes, int parts, int groups)
{
    static int k;                              /* of the team */
    BY_MAIN_THREAD(k = tree_of(parts, groups));
    *nodes = trees[k].count;
    return trees[k].nodes;
}

/* A message of the nodes of `whose`, of each `size` reals. */
static MPI_Datatype type_of_nodes(const DealNode *nodes, int total, int whose, ptrdiff_t stride, ptrdiff_t size)
{
    MPI_Aint *at = malloc((size_t)total * sizeof *at);
    MPI_Datatype type;
    int n = 0;
    if (!at)
        MPI_Abort(MPI_COMM_WORLD, 74);
    for (int i = 0; i < total; i++)
        if (nodes[i].rank == whose)
            at[n++] = (MPI_Aint)(nodes[i].first * stride * (ptrdiff_t)sizeof(real));
    MPI_Type_create_hindexed_block(n, (int)size, at, REAL, &type);
    free(at);
    return type;
}

static void exchange(real *part, const DealNode *nodes, int total, ptrdiff_t stride, ptrdiff_t size, int whole)
{
    int n = 0;
    for (int sends = 0; sends < 2; sends++)
        for (int k = 1; k < count; k++) {
            const int other = (mine + k) % count, slice = sends ? other : mine;
            const ptrdiff_t from = whole ? 0 : deal_slice(size, count, slice), to = whole ? size : deal_slice(size, count, slice + 1);
            if (to > from)
                post(&n, part + from, type_of_nodes(nodes, total, sends ? mine : other, stride, to - from), other, sends);
        }
    MPI_Waitall(n, requests, MPI_STATUSES_IGNORE);
}

void ranks_exchange(void *part, const DealNode *nodes, int total, ptrdiff_t stride, ptrdiff_t size, ptrdiff_t *from, ptrdiff_t *to, int *whole)
{
    *whole = size <= DEAL_SHORT;
    *from = *whole ? 0 : deal_slice(size, count, mine);
    *to = *whole ? size : deal_slice(size, count, mine + 1);
    BY_MAIN_THREAD(exchange(part, nodes, total, stride, size, size <= DEAL_SHORT));
}

static void slices(real *sum, ptrdiff_t size)
{
    int n = 0;
    for (int sends = 0; sends < 2; sends++)
        for (int k = 1; k < count; k++) {
            const int other = (mine + k) % count, whose = sends ? mine : other;
            const ptrdiff_t from = deal_slice(size, count, whose), to = deal_slice(size, count, whose + 1);
            if (to > from)
                sends ? MPI_Isend(sum + from, (int)(to - from), REAL, other, TAG, MPI_COMM_WORLD, &requests[n++])
                      : MPI_Irecv(sum + from, (int)(to - from), REAL, other, TAG, MPI_COMM_WORLD, &requests[n++]);
        }
    MPI_Waitall(n, requests, MPI_STATUSES_IGNORE);
}

void ranks_slices(void *sum, ptrdiff_t size) { BY_MAIN_THREAD(slices(sum, size)); }

#endif
