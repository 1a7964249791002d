/* message.h -- the messages of a trainer: one line on stderr, and a fixed exit code for scripts. */
#ifndef SPN_MESSAGE_H
#define SPN_MESSAGE_H

#include "files/array_io.h"

#include <math.h>
#include <stdbool.h>

enum { FINE = 0, WRONG_INPUT = 1, WRONG_USAGE = 2, ENVIRONMENT = 74, BY_SIGNAL = 128 };

/* Prints "NET: error: text" to stderr and exits with `code`.  Files being written are abandoned by their own rule:
 * they appear whole or not at all. */
_Noreturn void fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with the text and exit code of a failed call of array_file.h or checkpoint.h. */
_Noreturn void fail_array(const ArrayError *e);
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* printf, of text that may hold names of strangers: folders, files, runs. */
void tell_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The errors and warnings of a run, a line each ("error: text"): what fail() and warn() say is added to this file of the folder that the descriptor
 * holds open (-1: of none).  message_also adds a text that is said elsewhere; message_forget removes the file. */
#define MESSAGES "messages.txt"
void message_keep(int folder);
void message_also(const char *kind, const char *text);
void message_forget(void);
/* Calls act(of); true if it returned.  If it called fail(), the program goes on: its text is in text[0..room), and what it had opened or allocated
 * stays so; for the end of a program, and not within another attempt. */
bool attempt(void (*act)(void *), void *of, char *text, size_t room);
/* fail() calls act(of) once before it says anything: a text that has begun on standard output is ended there.  NULL: nothing. */
void message_before(void (*act)(void *), void *of);
/* malloc that does not return without memory (exit 74); `what` names it to the user. */
void *need_memory(size_t bytes, const char *what);
/* Of words[0..count) the one nearest to `word`, between `before` and `after`: for the text of fail(), which ends the program.  "" if none is near. */
const char *nearest_text(const char *before, const char *word, const char *const *words, int count, const char *after);
/* A number for a message: a NaN without its sign, which is the processor's own. */
static inline double plain_number(double x) { return isnan(x) ? (double)NAN : x; }
/* Seconds since some moment, never running backwards. */
double seconds_now(void);

#endif
