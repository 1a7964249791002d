/* nearest.h -- for "did you mean": the known word nearest to a misspelt one. */
#ifndef SPN_NEAREST_H
#define SPN_NEAREST_H

/* Of words[0..count) the one nearest to `word`, the first of several, at most `most` edits away; NULL if there is none. */
const char *nearest_within(const char *word, const char *const *words, int count, int most);

#endif
