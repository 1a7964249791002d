/* field.h -- the fields of a struct that a file records: one row a value; writing, reading, checking and describing use the rows.
 *
 * The tables: checkpoint.c (a checkpoint's facts), settings.c (the training settings in it), transfer.c (its "init"), epoch.c
 * (log.jsonl). */
#ifndef SPN_FIELD_H
#define SPN_FIELD_H

#include "files/json.h"

typedef enum {
    FIELD_INT,                                 /* int */
    FIELD_WHOLE,                               /* double with a whole number, at most FIELD_WHOLE_MOST; the file has no point in it */
    FIELD_LONG,                                /* int64_t or uint64_t, at most FIELD_WHOLE_MOST */
    FIELD_SEED,                                /* uint64_t, all of it; the file has it as a signed number */
    FIELD_REAL,                                /* double; NaN and the infinities are written as null and refused on reading */
    FIELD_FLAG,                                /* bool */
    FIELD_TEXT,                                /* const char *; owned (malloc) where it was read */
    FIELD_CHARS,                               /* char[room] */
} FieldKind;

typedef struct {
    const char *name;
    FieldKind kind;
    size_t offset;                             /* in the struct that the table describes */
    double least, most;                        /* of numbers: the range that is accepted, both included; infinite: no bound */
    int since;                                 /* the first version of the file that has it; from 2 on it may be missing */
    const char *what;                          /* its meaning, for the documentation */
    const char *group;                         /* the object in the file that holds it; NULL: none.  Rows of a group follow each other */
    const char *limit;                         /* a row before it in the table that it must not exceed either; NULL: none */
    bool optional;                             /* left out where it is NULL, "" or NaN, with the rest of its group */
    const char *formerly;                      /* its name in the versions before `since`, outside any object; NULL: it had none */
    const void *absent;                        /* its value where the file does not have it; NULL: 0, false, "" */
    const void *own;                           /* a constant of the program: written from there; of a file only its kind and range are checked.  NULL: a value of the struct */
    size_t room;                               /* of FIELD_CHARS */
} Field;

enum { FIELD_INT_MOST = 1000000000 };
#define FIELD_WHOLE_MOST 9007199254740991.0    /* 2^53 - 1: up to there a double has every whole number, and no other reads as one */

/* The rows in their order, as members of the writer's innermost object. */
void fields_write(JsonWriter *w, const Field *rows, int count, const void *from);
/* The other way round: what the object does not have gets its value for that, members that no row names are passed over.  False, with
 * the reason in why[0..room), at the first row that is missing although its version is 1, or that is of another kind or out of its
 * range: "field 'epoch' is -1, expected a whole number from 0 to 1000000000".  *to is then half filled. */
bool fields_read(void *to, const Field *rows, int count, const JsonValue *object, char *why, size_t room);
/* False, with the first row in why[0..room), if a number of the struct is NaN or infinite, and its row is not optional. */
bool fields_finite(const Field *rows, int count, const void *from, char *why, size_t room);
/* What a row accepts: "a number from 0 to 0.999". */
char *field_range(char *text, size_t room, const Field *f);
/* Appends rows[0..count) to to[0..n), `offset` further on in their struct; returns n + count. */
int fields_add(Field *to, int n, const Field *rows, int count, size_t offset);

#endif
