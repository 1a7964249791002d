/* cell.h -- the white space around a cell of a table that is not quoted: blanks, tabs, and the NO-BREAK SPACE (UTF-8) that web pages and spreadsheets
 * leave. */
#ifndef SPN_CELL_H
#define SPN_CELL_H

/* Where the text at `from` begins behind its white space; a tab that separates cells is none. */
char *cell_begin(char *from, char separator);
/* The end of the text [from, to) without the white space at it. */
char *cell_end(char *from, char *to);

#endif
