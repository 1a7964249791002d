/* nearest.c -- the nearest of some words by edit distance, for the trainer and spn-data.
 *
 * In: a word, the known words, and the largest distance of a likely misspelling.  Out: the nearest known word. */
#include "files/nearest.h"

#include <string.h>

enum { ROW = 128 };

/* Levenshtein's distance, one row at a time; words longer than a row are simply far away. */
static int distance(const char *a, const char *b)
{
    int row[ROW + 1];
    size_t n = strlen(b);
    if (n > ROW)
        return ROW;
    for (size_t j = 0; j <= n; j++)
        row[j] = (int)j;
    for (size_t i = 0; a[i]; i++) {
        int diagonal = row[0];
        row[0] = (int)i + 1;
        for (size_t j = 0; j < n; j++) {
            int best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            best = best < row[j] + 1 ? best : row[j] + 1;
            row[j + 1] = best < diagonal + 1 ? best : diagonal + 1;
        }
    }
    return row[n];
}

const char *nearest_within(const char *word, const char *const *words, int count, int most)
{
    const char *nearest = NULL;
    for (int i = 0; i < count; i++) {
        int d = distance(word, words[i]);
        if (d <= most)
            most = d - 1, nearest = words[i];
    }
    return nearest;
}
