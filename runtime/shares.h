/* shares.h -- the update by the ranks of an MPI job: each updates its rows of each parameter, and then all have all weights.
 *
 * A parameter of more than DEAL_SHORT numbers is dealt by its rows in memory: of an EXPORTED one those of its exported shape, of an IN_OUT one
 * its inputs.  Each rank has the gradient of its own rows, and keeps their part of the optimiser's state; what it has of other rows is of no
 * use.  Every rank updates the whole of a shorter parameter.
 * The norm is that of one process (optimiser_norm): sums of rows are added up where the rows are, sums over inputs are passed on from rank to
 * rank, and each rank adds up all of them.
 * Functions are called by all threads of a team, as those of optimiser.h; shares_open() and shares_close() by one. */
#ifndef SPN_SHARES_H
#define SPN_SHARES_H

#include "optimiser.h"
#include "ranks.h"
#include <stdlib.h>

typedef struct Shares {
    DealPiece *weights;            /* of the block: the dealt parameters, in their order; */
    DealPiece *rows, *columns;     /* of the norm's sums of rows, as doubles: those of EXPORTED ones, and those of IN_OUT ones */
    int weight_count, row_count, column_count, run_count;
    struct { size_t from, to; } *runs;     /* of the block: what this rank updates */
} Shares;

static inline int shares_deal(const NetParam *p) { return !p->frozen && p->count > DEAL_SHORT; }

static inline void shares_close(Shares *s)
{
    free(s->weights), free(s->rows), free(s->columns), free(s->runs);
    *s = (Shares){ 0 };
}

/* Adds reals from .. to - 1 to what this rank updates. */
static inline void shares_add_run(Shares *s, size_t from, size_t to)
{
    if (from == to)
        return;
    if (s->run_count && s->runs[s->run_count - 1].to == from)
        s->runs[s->run_count - 1].to = to;
    else
        s->runs[s->run_count].from = from, s->runs[s->run_count++].to = to;
}

/* 0; or -1 if memory is out. */
static inline int shares_open(Shares *s, const NetParam *params, int count)
{
    const size_t room = (size_t)count + 1;
    ptrdiff_t sums = 0;
    *s = (Shares){ .weights = calloc(room, sizeof *s->weights), .rows = calloc(room, sizeof *s->rows), .columns = calloc(room, sizeof *s->columns), .runs = calloc(room, sizeof *s->runs) };
    if (!s->weights || !s->rows || !s->columns || !s->runs)
        return -1;
    for (const NetParam *p = params; p < params + count; sums += (ptrdiff_t)optimiser_rows(p), p++) {
        const ptrdiff_t rows = (ptrdiff_t)optimiser_rows(p);
        if (!shares_deal(p)) {
            shares_add_run(s, p->offset, p->offset + (optimiser_length(p) + 15) / 16 * 16);
            continue;
        }
        const DealPiece norm = { 2 * sums, 2, (int)rows, 1, 0 };
        const DealPiece own = { (ptrdiff_t)p->offset, p->layout == EXPORTED ? (ptrdiff_t)p->count / rows : p->stride, (int)(p->layout == EXPORTED ? rows : (ptrdiff_t)p->count / rows), 1, 0 };
        ptrdiff_t from, to;
        ranks_range(&from, &to, own.rows * own.row, own.row);
        shares_add_run(s, p->offset + (size_t)from, p->offset + ((size_t)to + 15) / 16 * 16);
        s->weights[s->weight_count++] = own;
        if (p->layout == EXPORTED)
            s->rows[s->row_count++] = norm;
        else
            s->columns[s->column_count++] = norm;
    }
    return 0;
}

/* The norm of the gradient, as optimiser_norm() has it. */
static inline OptimiserNorm shares_norm(const Shares *s, const real *gradient, const NetParam *params, int count, OptimiserNorm *row_sums, double most)
{
    OptimiserNorm *sums = row_sums;
    if (ranks_single())
        return optimiser_norm(gradient, params, count, row_sums, most);
    for (const NetParam *p = params; p < params + count; sums += optimiser_rows(p), p++)
        if (!shares_deal(p))
            optimiser_sums(sums, gradient + p->offset, p, most);
        else if (p->layout == EXPORTED)
            optimiser_sums_of_rows(sums, gradient + p->offset, p, (size_t)ranks_from((int)optimiser_rows(p)), (size_t)ranks_to((int)optimiser_rows(p)), most);
    ranks_before(row_sums, sizeof(double), s->columns, s->column_count);
    sums = row_sums;
    for (const NetParam *p = params; p < params + count; sums += optimiser_rows(p), p++)
        if (shares_deal(p) && p->layout == IN_OUT) {
            const int inputs = (int)(p->count / optimiser_rows(p));
            optimiser_sums_of_columns(sums, gradient + p->offset, p, (size_t)ranks_from(inputs), (size_t)ranks_to(inputs), most, ranks_mine() > 0);
        }
    ranks_behind(row_sums, sizeof(double), s->columns, s->column_count);
    ranks_share(row_sums, sizeof(double), s->rows, s->row_count);
    return optimiser_norm_of_sums(row_sums, (size_t)(sums - row_sums));
}

/* The k-th run of the block that this rank updates: reals *from to *to - 1 of `all`; 0 behind the last one.  Runs are of whole vectors: where
 * rows of two ranks lie in one vector, both update it, and each number is then taken from the rank that has its row. */
static inline int shares_run(const Shares *s, int k, size_t all, size_t *from, size_t *to)
{
    const int single = ranks_single();
    *from = single || k >= s->run_count ? 0 : s->runs[k].from;
    *to = single || k >= s->run_count ? all : s->runs[k].to;
    return k < (single ? 1 : s->run_count);
}

#endif
