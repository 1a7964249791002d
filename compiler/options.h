/* options.h -- the command line of spnc: the tables of commands and options, and the parsed arguments. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "spnc.h"

typedef enum { CHECK, SHOW, EXPLAIN, EMIT, BUILD, TUNE, OPS, TEMPLATES, SCHEMA, WORDS } CommandKind;

typedef struct {
    CommandKind kind;
    const char *name, *operands;    /* what it takes beside options, as --help shows it */
    int most;                       /* operands that may be there */
    const char *needs[2];           /* those that must: what an error says is missing */
    const char *refuses, *why;      /* options it does not take, a space around each; the error, with %s for the option */
    const char *help;
} Command;

/* SWITCH a bool; TEXT as it is; WORD one of some; STAGE a stage that can be printed; COUNT a whole number from 1 (int64_t); SIZE bytes
 * (int64_t); SETTING a --set; the last two are answered at once, and end the program. */
typedef enum { SWITCH, TEXT, WORD, STAGE, COUNT, SIZE, SETTING, SHOW_VERSION, SHOW_HELP } OptionKind;

typedef struct {
    const char *name, *argument;    /* argument NULL: it takes none */
    OptionKind kind;
    size_t at;                      /* where it goes in Arguments */
    int64_t most;                   /* COUNT: the largest number */
    const char *takes;              /* WORD: its words, a space between; else what an error says it takes; NULL: any text */
    const char *only;               /* the commands that it is for, as in "build and tune"; NULL: all */
    const char *help;               /* NULL: it stands in the last line of --help */
} Option;

extern const Command commands[];
extern const Option options[];
extern const int command_count, option_count;

/* The parsed command line.  Texts are argv's; NULL or false: not given. */
typedef struct {
    const Command *command;
    const char *path, *name;        /* the operands: a model; of explain a name in it */
    const char *out, *tuning, *precision, *purpose;
    const char *ranks, *network;    /* show --scaling: as in tell/show.h; ranks NULL: one process */
    bool json, dot, html, scaling, force, no_cache;
    Options options;                /* target is never "native" */
} Arguments;

/* Reads the command line.  An error ends the program with 2; --help and --version end it with 0. */
Arguments arguments(int argc, char **argv);

/* Every command and option, one a line, for completion and other programs: name, a tab, what it takes, a tab, the words it can be. */
void words_print(FILE *out);

/* "spnc: TEXT; see spnc --help", and exit code 2. */
_Noreturn void usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
