/* ranks.h -- the ranks of an MPI job: processes, perhaps on several machines, that train one net together (spnc build --mpi).
 *
 * Each rank has all weights and all memory of a batch, and works on its own groups of examples (deal.h).  What sums over the batch need of other
 * groups is exchanged; then each rank has the same numbers, and goes on as one process would.  A program built without --mpi has one rank, and
 * the functions here are empty.
 * Every rank calls the collective functions in the same order.  Functions "of a team" are called by all threads of a parallel region, which wait for
 * each other before and after; MPI itself is called by the main thread alone (MPI_THREAD_FUNNELED). */
#ifndef SPN_RANKS_H
#define SPN_RANKS_H

#include "deal.h"

/* Starts MPI; it ends by itself when the program does.  The output of all ranks but the first is dropped.  Returns 0; or, if the MPI library cannot
 * be called from a program with threads, -1. */
int ranks_open(void);
int ranks_can(void);                           /* 1: the program is built with --mpi */
int ranks_count(void);                         /* 1: one process */
int ranks_mine(void);                          /* this process: 0 to ranks_count() - 1 */
const char *ranks_name(void);                  /* "rank 1 on host node7: "; "" of one process, and of the first rank behind ranks_last() */

/* This rank's groups are from ranks_from() up to ranks_to(). */
int ranks_from(int groups);
int ranks_to(int groups);
/* deal_range() of this rank. */
void ranks_range(ptrdiff_t *from, ptrdiff_t *to, ptrdiff_t size, ptrdiff_t row);

/* One process for a while, which does everything by itself (1), or a rank again (0): for what the first rank does while the others wait in the next
 * collective call. */
void ranks_alone(int on);
int ranks_single(void);                        /* 1: one process, or one for a while */

/* ---- in a pass: of a team ------------------------------------------------------------------------------------------- */

/* Slices of `slot` bytes, those of `groups` groups at each of `steps` steps: each rank has those of its own groups, and then all have all. */
void ranks_gather(void *slices, int steps, int groups, size_t slot);

/* An exchange that is begun here and ends in ranks_wait(); meanwhile a rank computes something else.  `exchange` is its number, from 0; several
 * calls may begin one.  Slices as in ranks_gather(); pieces: of all slices a rank gets its own rows alone (reals, within a slot), and the rest is
 * undefined; NULL: all of them. */
void ranks_post(int exchange, void *slices, int steps, int groups, size_t slot, const DealPiece *pieces, int count);
void ranks_wait(int exchange);

/* Each rank has its rows of the pieces, numbers of `each` bytes (a float or a double), and then all have all. */
void ranks_share(void *numbers, size_t each, const DealPiece *pieces, int count);
/* A sum that goes from rank to rank, each adding its own terms.  ranks_before(): takes the sums so far from the rank before (the first rank takes
 * none).  ranks_behind(): passes them to the next rank; those of the last one go to all. */
void ranks_before(void *numbers, size_t each, const DealPiece *pieces, int count);
void ranks_behind(void *numbers, size_t each, const DealPiece *pieces, int count);

/* Of a fold of `parts` parts, `stride` reals from one to the next: all nodes, in the order of their leaves (kept until the program ends). */
const DealNode *ranks_nodes(int *count, int parts, int groups);
/* Each rank has summed its own nodes, each in the place of its first part.  After ranks_wait() it also has those of the others, in their places:
 * the elements that ranks_range() gives. */
void ranks_post_nodes(int exchange, void *part, const DealNode *nodes, int count, ptrdiff_t stride, ptrdiff_t size, ptrdiff_t row);
/* Each rank has its elements of the sum, in rows of DEAL_WIDE, and then all have all. */
void ranks_slices(void *sum, ptrdiff_t size);

/* ---- between passes: of the main thread ----------------------------------------------------------------------------- */

/* The largest of the ranks' values. */
int ranks_most(int value);
/* Copies text, of `size` bytes, from that rank to all. */
void ranks_tell(char *text, size_t size, int rank);

/* At the start: text is what all ranks must have in common, lines of "what<tab>value"; failed: instead it says what went wrong in this one, and code
 * is the exit code that follows.  Returns if no rank has failed and all texts are equal.  Else the first rank prints, behind `program`, what is
 * wrong, or who differs in what, and all ranks exit. */
void ranks_agree(const char *program, const char *text, int failed, int code);
int ranks_agreed(void);                        /* ranks_agree() has returned, or this is one process */
/* The first rank goes on alone, to its exit, whose code it gives here before; the others wait for that and exit with the same.  Returns in the first
 * rank only. */
void ranks_last(void);
/* Ends the job: at once all ranks, or, after ranks_last(), with this exit code, each by itself. */
_Noreturn void ranks_exit(int code);

#endif
