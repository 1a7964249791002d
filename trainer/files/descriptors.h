/* descriptors.h -- standard input, output and error at the start of a program. */
#ifndef SPN_DESCRIPTORS_H
#define SPN_DESCRIPTORS_H

/* A descriptor of standard input, output or error that the caller has closed becomes /dev/null.  Otherwise the next file that is opened, a log, a
 * lock or generated C, would have its number, and would get what is printed.  The first call of main. */
void descriptors_open(void);

#endif
