/* deal.h -- how the examples of a batch are dealt to the ranks of an MPI job, and which sums each of them can make alone.
 *
 * Pure functions of numbers: a net of several ranks, the plan and the tests share them.
 * Groups go to ranks in contiguous runs.  A weight's gradient has a part a slice (leaf): leaf t * groups + g is group g at step t, and the leaves are
 * added by one fixed tree, 0+1, 2+3, ..., then pairs of pairs; a leaf without a partner goes up as it is.  A node of that tree whose leaves
 * all belong to one rank is a sum that this rank makes alone, with the additions of the whole tree.  The largest of such nodes are what
 * ranks exchange; the additions above them follow, again those of the whole tree.  So the bits do not depend on the number of ranks. */
#ifndef SPN_DEAL_H
#define SPN_DEAL_H

#include <stddef.h>

/* The first group of a rank; that of rank `ranks` is `groups`.  1 <= ranks <= groups: then each has a group at least. */
static inline int deal_from(int groups, int ranks, int rank) { return (int)((long)groups * rank / ranks); }

/* The rank of a group. */
static inline int deal_rank(int groups, int ranks, int group) { return (int)(((long)ranks * (group + 1) - 1) / groups); }

/* A node: leaves first .. first + leaves - 1, all of `rank`.  Added to what waits, it completes `due` sums, as the last one all. */
typedef struct { int rank, first, leaves, due; } DealNode;

/* The largest nodes that belong to one rank, in the order of their leaves, into nodes[0 .. leaves).  `leaves` is a multiple of `groups`, the steps
 * lie one behind the other.  Returns their number. */
static inline int deal_nodes(DealNode *nodes, int leaves, int groups, int ranks)
{
    int count = 0, waiting = 0, span[32];              /* of the sums that wait: leaves, as if the tree were whole */
    for (int first = 0; first < leaves;) {
        const int rank = deal_rank(groups, ranks, first % groups);
        int width = 1, due = 0;
        for (int end = first + 1;; end = first + width) {
            const int next = 2 * width;
            while (end < leaves && end < first + next && deal_rank(groups, ranks, end % groups) == rank)
                end++;
            if (first % next || (end < leaves && end < first + next) || width >= leaves)
                break;
            width = next;
        }
        const int end = first + width < leaves ? first + width : leaves;
        span[waiting++] = width;
        for (; waiting > 1 && (end == leaves || span[waiting - 2] == span[waiting - 1]); waiting--, due++)
            span[waiting - 2] *= 2;
        nodes[count++] = (DealNode){ rank, first, end - first, due };
        first = end;
    }
    return count;
}

/* Rows that ranks divide among them, of `row` numbers each, the first at number `at`: rank r has rows deal_from(rows, ranks, r) to
 * deal_from(rows, ranks, r + 1) - 1.  Likewise in `times` places, `apart` numbers from one to the next. */
typedef struct { ptrdiff_t at, row; int rows, times; ptrdiff_t apart; } DealPiece;

/* A sum of a weight's gradient, of `size` reals, is finished by ranks in such rows, and the weight's rows are updated by the same ranks; where the
 * sum is in a form of its own (Winograd's algorithm), in rows of DEAL_WIDE.  Every rank finishes the whole of a sum of at most DEAL_SHORT numbers,
 * and updates the whole of such a weight: that is one exchange less. */
enum { DEAL_WIDE = 128, DEAL_SHORT = 1024 };

/* Elements *from to *to - 1 of the sum that a rank finishes: its rows, and what completes the vectors at both ends.  row 0: every rank has all. */
static inline void deal_range(ptrdiff_t *from, ptrdiff_t *to, ptrdiff_t size, ptrdiff_t row, int ranks, int rank)
{
    const int rows = row ? (int)((size + row - 1) / row) : 0, first = deal_from(rows, ranks, rank), behind = deal_from(rows, ranks, rank + 1);
    const ptrdiff_t end = (behind * row + 15) / 16 * 16;
    *from = behind > first ? first * row / 16 * 16 : 0;
    *to = !row ? size : behind == first ? 0 : end < size ? end : size;
}

/* Memory that is sent: `count` numbers from number `at`.  What one rank sends another at a time is a list of these; what follows directly on the
 * block before it is one with it, up to DEAL_MOST numbers (MPI counts with int).  A block of DEAL_LARGE bytes or more is a message of its own:
 * between ranks of one host Open MPI copies it from memory to memory once, where it copies a message of several blocks together first; a network
 * takes far longer for so much than for one message more.  The smaller blocks are one message. */
typedef struct { ptrdiff_t at, count; } DealBlock;
enum { DEAL_LARGE = 1 << 15, DEAL_MOST = 1 << 30 };

/* Appends to n blocks; returns their number then. */
static inline int deal_add(DealBlock *blocks, int n, ptrdiff_t at, ptrdiff_t count)
{
    if (n && blocks[n - 1].at + blocks[n - 1].count == at && blocks[n - 1].count + count <= DEAL_MOST)
        blocks[n - 1].count += count;
    else if (count)
        blocks[n++] = (DealBlock){ at, count };
    return n;
}

/* The rows of the pieces that rank `whose` has, behind number `base`; DEAL_ALL: all rows.  Appends at most as many blocks as the pieces have places
 * (deal_places). */
enum { DEAL_ALL = -1 };
static inline int deal_rows(DealBlock *blocks, int n, ptrdiff_t base, const DealPiece *pieces, int total, int ranks, int whose)
{
    for (const DealPiece *p = pieces; p < pieces + total; p++) {
        const int from = whose == DEAL_ALL ? 0 : deal_from(p->rows, ranks, whose), to = whose == DEAL_ALL ? p->rows : deal_from(p->rows, ranks, whose + 1);
        for (int i = 0; i < p->times; i++)
            n = deal_add(blocks, n, base + p->at + i * p->apart + from * p->row, (to - from) * p->row);
    }
    return n;
}

static inline int deal_places(const DealPiece *pieces, int total)
{
    int places = 0;
    for (int k = 0; k < total; k++)
        places += pieces[k].times;
    return places;
}

/* Slices of `slot` numbers of the groups of rank `of`, at each of `steps` steps; with pieces (total > 0) the rows in each of them that rank `whose`
 * gets.  Returns the number of blocks: at most steps * groups, times deal_places() with pieces. */
static inline int deal_slices(DealBlock *blocks, int steps, int groups, ptrdiff_t slot, int of, const DealPiece *pieces, int total, int ranks, int whose)
{
    int n = 0;
    for (int t = 0; t < steps; t++)
        for (int g = deal_from(groups, ranks, of); g < deal_from(groups, ranks, of + 1); g++)
            n = total ? deal_rows(blocks, n, ((ptrdiff_t)t * groups + g) * slot, pieces, total, ranks, whose) : deal_add(blocks, n, ((ptrdiff_t)t * groups + g) * slot, slot);
    return n;
}

/* Numbers from .. to - 1 of each node of rank `whose`, of parts that lie `stride` numbers apart.  Returns the number of blocks, at most `count`. */
static inline int deal_node_blocks(DealBlock *blocks, const DealNode *nodes, int count, int whose, ptrdiff_t stride, ptrdiff_t from, ptrdiff_t to)
{
    int n = 0;
    for (int k = 0; k < count && to > from; k++)
        if (nodes[k].rank == whose)
            n = deal_add(blocks, n, nodes[k].first * stride + from, to - from);
    return n;
}

static inline int deal_is_large(DealBlock b, size_t each) { return b.count * (ptrdiff_t)each >= DEAL_LARGE; }

/* The messages of n blocks, of numbers of `each` bytes, and the bytes of all of them. */
static inline int deal_messages(const DealBlock *blocks, int n, size_t each, long long *bytes)
{
    int large = 0;
    *bytes = 0;
    for (int k = 0; k < n; k++) {
        large += deal_is_large(blocks[k], each);
        *bytes += (long long)blocks[k].count * (long long)each;
    }
    return large + (large < n);
}

#endif
