/* arguments.h -- the options of a command line as a table: name, kind of value, help, and the field that holds the value.
 *
 * A program has one struct for its options' values, and one row an option.  The program itself prints errors. */
#ifndef SPN_ARGUMENTS_H
#define SPN_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { OPTION_FLAG, OPTION_TEXT, OPTION_CHOICE, OPTION_INT, OPTION_INT64, OPTION_SEED, OPTION_DURATION, OPTION_OWN } OptionKind;

typedef struct {
    const char *name, *argument;               /* argument NULL: a flag; CHOICE: its words, one|two|three */
    OptionKind kind;
    uint64_t least, most;                      /* numbers */
    size_t at, given;                          /* where it goes in the program's struct; given: a bool there, set too, or 0 */
    const char *help;
} Option;

/* The columns kind, least and most: a bool; a const char *, not empty; one of some; whole numbers as int, int64_t and uint64_t; seconds, a
 * double; what the program reads by itself. */
#define FLAG OPTION_FLAG, 0, 0
#define TEXT OPTION_TEXT, 0, 0
#define CHOICE OPTION_CHOICE, 0, 0
#define INT(low, high) OPTION_INT, low, high
#define INT64(low, high) OPTION_INT64, low, high
#define SEED OPTION_SEED, 0, UINT64_MAX
#define DURATION OPTION_DURATION, 0, 0
#define OWN OPTION_OWN, 0, 0

typedef enum { OPTION_NEEDS_VALUE, OPTION_TAKES_NONE, OPTION_WRONG_VALUE } OptionFault;
typedef struct {
    OptionFault fault;
    const char *value;                         /* NULL: NEEDS_VALUE */
    char expected[96];                         /* WRONG_VALUE: "a whole number from 1 to 3" */
} OptionError;

/* Is `name` in `list`, names with a space around each? */
bool option_listed(const char *list, const char *name);
/* Of "--name=value" or "--name" the length of the name. */
size_t option_length(const char *argument);
/* The row that `argument` names, or NULL. */
const Option *option_find(const Option *rows, int count, const char *argument);
/* Reads the option o at argv[*i]: its value stands behind a '=', or it is the next argument and *i moves there.  The value goes to o's
 * place in `into` (OWN: nowhere), its text to *value (a flag: NULL).  False: *e is the error. */
bool option_read(void *into, const char **value, const Option *o, int argc, char **argv, int *i, OptionError *e);
/* The option's line of help: `width` columns for what is written, then help and note. */
void option_print(const Option *o, int width, const char *note);

#endif
