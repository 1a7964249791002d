/* command.h -- what the commands of spn-data share. */
#ifndef SPN_DATA_COMMAND_H
#define SPN_DATA_COMMAND_H

#include "files/arguments.h"
#include "files/array_file.h"

#ifdef _OPENMP
#define ALL_THREADS _Pragma("omp parallel for schedule(static)")
#else
#define ALL_THREADS
#endif

enum { FINE = 0, WRONG_INPUT = 1, WRONG_USAGE = 2, ENVIRONMENT = 74 };
enum { SPLITS = 3 };
extern const char *const split_names[SPLITS];  /* train, valid, test */

/* Prints the message on stderr and returns `code`. */
int complain(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
int complain_array(const ArrayError *e);
/* Prints on stdout.  Of both, control characters in what they print become '?': names are of strangers. */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
int complain_unknown(const char *kind, const char *word, const char *const *words, int count);

/* A command of spn-data: a row of the table in spn_data.c, which stands where its function does. */
typedef struct Command Command;
struct Command {
    const char *name, *operand;                /* operand NULL: all it takes are options */
    const char *does;                          /* a line of spn-data --help */
    const char *about;                         /* its own --help, before the options: whole lines */
    const Option *options;                     /* up to OPTIONS_MOST rows */
    int option_count;
    int (*run)(const Command *c, int argc, char **argv);    /* argv: what stands behind the command; returns an exit code */
};
extern const Command command_make, command_pack, command_sheet;
enum { OPTIONS_MOST = 16 };

/* Puts the options' values to their places in `into`, and the one word that is no option to *operand (NULL: there may be none).  Returns
 * FINE, WRONG_USAGE after a message, or -1 after printing the help (--help). */
int options_parse(void *into, const char **operand, const Command *c, int argc, char **argv);

/* Makes `path` and the folders above it that are missing. */
int make_folder(const char *path);
/* Begins DIR/SPLIT_NAME.npy, up to 2 * SPLITS of them, so that a signal takes it back. */
bool split_begin(ArrayNpy *file, const char *dir, int split, const char *name, ArrayType type, int rank, const int64_t *shape, ArrayError *e);
/* The same for one list of classes' names. */
bool list_begin(ArrayOut *file, const char *path, ArrayError *e);

/* A set: the files DIR/SPLIT_NAME.npy that are made together, and lists of classes' names.  Begun before the first of its files; what an
 * interrupted spn-data left in DIR is removed. */
void set_begin(const char *dir);
/* All files are there, or none.  outs are sealed; they are renamed while signals wait, under the mark of an incomplete set (array_io.h),
 * and files that are in `stale` (paths, or NULL at its end) are removed with it.  An exit code. */
int set_commit(const char *dir, ArrayOut **outs, int count, const char *const *stale);
/* Refuses to replace input files, of which one is there, beside other files DIR/SPLIT_*.npy that would stay: `names` are all that are
 * written, the first of them the input. */
int set_refuse_mixture(const char *dir, const char *const *names, int count);

void set_signals(void);
/* Removes the temporary files and the empty folders of this program: after a failure, or on a signal. */
void take_back(void);
/* Between true and false a signal waits. */
void hold_signals(bool hold);

#endif
