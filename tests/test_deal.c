/* test_deal.c -- how groups are dealt to ranks, and the nodes that they exchange: with any number of ranks the additions of a fold are those of one process. */
#include "deal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { GROUPS = 9, STEPS = 5, LEAVES = GROUPS * STEPS, ROOM = 4096 };

/* A sum as text: "((0+1)+2)". */
typedef struct { char text[ROOM]; } Sum;

static void add(Sum *first, const Sum *second)
{
    char text[2 * ROOM + 8];
    cr_assert_lt(snprintf(text, sizeof text, "(%s+%s)", first->text, second->text), ROOM);
    snprintf(first->text, ROOM, "%.*s", ROOM - 1, text);
}

/* Leaves first .. first + leaves - 1 in pairs, then pairs of pairs, as the fold of one process adds them. */
static void fold(Sum *sum, int first, int leaves)
{
    static Sum level[LEAVES];
    for (int k = 0; k < leaves; k++)
        snprintf(level[k].text, ROOM, "%d", first + k);
    for (int n = leaves; n > 1; n = (n + 1) / 2)
        for (int k = 0; k < n; k += 2) {
            if (k + 1 < n)
                add(&level[k], &level[k + 1]);
            level[k / 2] = level[k];
        }
    *sum = level[0];
}

/* The same from nodes, each a fold of its own leaves. */
static void fold_nodes(Sum *sum, const DealNode *nodes, int count)
{
    static Sum waiting[32], own;
    int n = 0;
    for (int k = 0; k < count; k++) {
        fold(&own, nodes[k].first, nodes[k].leaves);
        for (int due = nodes[k].due; due > 0; due--) {
            cr_assert_gt(n, 0);
            add(&waiting[--n], &own);
            own = waiting[n];
        }
        waiting[n++] = own;
    }
    cr_assert_eq(n, 1);
    *sum = waiting[0];
}

Test(deal, groups)
{
    for (int groups = 1; groups <= 40; groups++)
        for (int ranks = 1; ranks <= groups; ranks++) {
            cr_expect_eq(deal_from(groups, ranks, 0), 0);
            cr_expect_eq(deal_from(groups, ranks, ranks), groups);
            for (int r = 0; r < ranks; r++) {
                const int from = deal_from(groups, ranks, r), to = deal_from(groups, ranks, r + 1);
                cr_expect(to - from == groups / ranks || to - from == groups / ranks + 1);
                for (int g = from; g < to; g++)
                    cr_expect_eq(deal_rank(groups, ranks, g), r);
            }
        }
}

Test(deal, same_additions)
{
    static Sum one, many;
    DealNode nodes[LEAVES];
    for (int groups = 1; groups <= GROUPS; groups++)
        for (int steps = 1; steps <= STEPS; steps++)
            for (int ranks = 1; ranks <= groups; ranks++) {
                const int count = deal_nodes(nodes, groups * steps, groups, ranks);
                int leaf = 0;
                for (int k = 0; k < count; k++) {
                    cr_expect_eq(nodes[k].first, leaf);
                    leaf += nodes[k].leaves;
                    for (int i = nodes[k].first; i < leaf; i++)
                        cr_expect_eq(deal_rank(groups, ranks, i % groups), nodes[k].rank);
                }
                cr_assert_eq(leaf, groups * steps);
                fold(&one, 0, groups * steps);
                fold_nodes(&many, nodes, count);
                cr_expect_str_eq(one.text, many.text, "%d groups, %d steps, %d ranks", groups, steps, ranks);
            }
}

/* 7 groups, 3 steps: rank 0 has groups 0 to 2, rank 1 those from 3 on. */
Test(deal, largest_nodes)
{
    DealNode nodes[21];
    static const int first[] = { 0, 2, 3, 4, 6, 7, 8, 10, 12, 14, 16, 17, 18, 20 };
    cr_assert_eq(deal_nodes(nodes, 21, 7, 2), 14);
    for (int k = 0; k < 14; k++)
        cr_expect_eq(nodes[k].first, first[k]);
    cr_expect_eq(deal_nodes(nodes, 21, 7, 1), 1);
    cr_expect_eq(deal_nodes(nodes, 8, 8, 2), 2);
    cr_expect_eq(deal_nodes(nodes, 7, 7, 7), 7);
}

/* Each element is finished by the rank that has its row, and more only to fill vectors. */
Test(deal, ranges)
{
    for (ptrdiff_t row = 1; row < 200; row += 33)
        for (int rows = 1; rows < 40; rows += 3)
            for (int ranks = 1; ranks <= 9; ranks++) {
                const ptrdiff_t size = rows * row - (row > 100 ? 50 : 0);
                for (int r = 0; r < ranks; r++) {
                    const ptrdiff_t first = deal_from(rows, ranks, r) * row, end = deal_from(rows, ranks, r + 1) * row, behind = end < size ? end : size;
                    ptrdiff_t from, to;
                    deal_range(&from, &to, size, row, ranks, r);
                    if (first == end) {
                        cr_expect_eq(from, to);
                        continue;
                    }
                    cr_expect(from <= first && first - from < 16 && from % 16 == 0);
                    cr_expect(to >= behind && to - behind < 16 && to <= size && (to % 16 == 0 || to == size));
                }
            }
    ptrdiff_t from, to;
    deal_range(&from, &to, 77, 0, 3, 1);
    cr_expect(from == 0 && to == 77);
}

/* Neighbours are one block; large blocks are messages of their own, the others one. */
Test(deal, blocks)
{
    DealBlock blocks[16];
    const DealPiece pieces[] = { { 100, 16, 8, 2, 1000 }, { 228, 4, 4, 1, 0 } };
    long long bytes;
    cr_assert_eq(deal_places(pieces, 2), 3);
    int n = deal_rows(blocks, 0, 0, pieces, 2, 2, 1);
    cr_assert_eq(n, 3);
    cr_expect(blocks[0].at == 164 && blocks[0].count == 64 && blocks[1].at == 1164 && blocks[1].count == 64 && blocks[2].at == 236 && blocks[2].count == 8);
    cr_expect_eq(deal_messages(blocks, n, 4, &bytes), 1);
    cr_expect_eq(bytes, 4 * 136);
    n = deal_rows(blocks, 0, 7, pieces, 1, 2, DEAL_ALL);
    cr_expect(n == 2 && blocks[0].at == 107 && blocks[0].count == 128 && blocks[1].at == 1107);
    /* groups 3 to 6 of 7, at two steps; all of the slices, then 16 numbers in each */
    n = deal_slices(blocks, 2, 7, 5000, 1, NULL, 0, 2, 1);
    cr_expect(n == 2 && blocks[0].at == 15000 && blocks[0].count == 20000 && blocks[1].at == 50000 && blocks[1].count == 20000);
    cr_expect_eq(deal_messages(blocks, n, 4, &bytes), 2);
    cr_expect_eq(deal_messages(blocks, n, 1, &bytes), 1);
    n = deal_slices(blocks, 2, 7, 5000, 1, &(DealPiece){ 10, 16, 2, 1, 0 }, 1, 2, 0);
    cr_expect(n == 8 && blocks[7].at == 13 * 5000 + 10 && blocks[7].count == 16);
    n = deal_add(blocks, deal_add(blocks, 0, 0, DEAL_LARGE / 4), 2 * DEAL_LARGE, 1);
    cr_expect_eq(deal_messages(blocks, n, 4, &bytes), 2);
    cr_expect_eq(deal_add(blocks, deal_add(blocks, 0, 0, DEAL_MOST), DEAL_MOST, 1), 2);
    cr_expect_eq(deal_messages(blocks, 0, 4, &bytes), 0);
    const DealNode nodes[] = { { 0, 0, 4, 0 }, { 1, 4, 4, 1 }, { 0, 8, 2, 0 } };
    n = deal_node_blocks(blocks, nodes, 3, 0, 1024, 16, 48);
    cr_expect(n == 2 && blocks[1].at == 8 * 1024 + 16 && blocks[1].count == 32);
}
