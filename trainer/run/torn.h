/* torn.h -- mapped files that another program cuts short while they are read.
 *
 * A read behind the new end of such a file is a signal, SIGBUS, which ends a program without a word; a read before it, in the last page, gives
 * zeros.  Both are noticed here. */
#ifndef SPN_TORN_H
#define SPN_TORN_H

#include <stddef.h>

/* The file at `path` is mapped to data[0..size): from now on a read that it cannot give ends the program with exit code 74 and a message that
 * names it.  The file's descriptor is kept until torn_forget (NULL is fine), before the mapping ends. */
void torn_watch(const void *data, size_t size, const char *path);
void torn_forget(const void *data);

/* From now on a read that a watched file cannot give does not end the program: it gives zeros, and `torn` is not 0 any more. */
void torn_go_on(void);
extern volatile int torn;
/* Other than 0 if a watched file is shorter than it was, whether or not a read has met that; `torn` is set then. */
int torn_look(void);
/* Ends the program, with exit code 74, once `torn` is set in a rank at least: that one names the file, then `more`. */
_Noreturn void torn_stop(const char *more);
/* Likewise, of this process. */
_Noreturn void torn_fail(const char *more);

#endif
