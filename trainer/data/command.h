/* command.h -- what the commands of spn-data share. */
#ifndef SPN_DATA_COMMAND_H
#define SPN_DATA_COMMAND_H

#include "files/array_file.h"

#ifdef _OPENMP
#define ALL_THREADS _Pragma("omp parallel for schedule(static)")
#else
#define ALL_THREADS
#endif

enum { FINE = 0, WRONG_INPUT = 1, WRONG_USAGE = 2, ENVIRONMENT = 74 };
enum { SPLITS = 3 };
extern const char *const split_names[SPLITS];  /* train, valid, test */

/* Says it on stderr and returns `code`. */
int complain(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
int complain_array(const ArrayError *e);
int complain_unknown(const char *kind, const char *word, const char *const *words, int count);

/* An option that takes a text, a whole number from least to most, or (flag) nothing. */
typedef struct { const char *name; const char **text; int64_t *number; int64_t least, most; bool *flag; } Option;

/* Fills what the options (up to 16) point at, and *plain with the one word that is no option (plain NULL: there may be none).
 * FINE, WRONG_USAGE, or -1 when --help was asked for, which prints `usage`. */
int options_parse(int argc, char **argv, const Option *options, int count, const char **plain, const char *usage);

/* Makes `path` and the folders above it that are missing. */
int make_folder(const char *path);
/* Begins DIR/SPLIT_NAME.npy, up to 2 * SPLITS of them, so that a signal takes it back. */
bool split_begin(ArrayNpy *file, const char *dir, int split, const char *name, ArrayType type, int rank, const int64_t *shape, ArrayError *e);

void set_signals(void);
/* Removes the temporary files and the empty folders of this program: after a failure, or on a signal. */
void take_back(void);
/* Between true and false a signal waits. */
void hold_signals(bool hold);

int command_pack(int argc, char **argv);

#endif
