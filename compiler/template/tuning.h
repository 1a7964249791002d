/* tuning.h -- what is fastest here: choices that templates leave open because they decide speed and never bits.
 *
 * A template asks candidate("forward", { "4x7", "5x5", ... }), the best by its own rule first.  The question's key is the operator's shape
 * (its fact `key`), the target, the precision and that text; the first word says whose time it is about: forward, backward, weights, or all. */
#ifndef SPNC_TUNING_H
#define SPNC_TUNING_H

#include "spnc.h"

typedef struct {
    const char *key, *pass, *what;   /* pass: the first word; what: the template's whole text */
    List ops;                        /* names of the operators that ask */
    List choices;                    /* texts, the rule's own first */
    int chosen;
} TuningQuestion;

bool tuning_concerns(const TuningQuestion *q, const char *op);       /* is the operator of that name one that asks? */

Tuning *tuning_new(Arena *a, const char *processor, const char *version);

/* Takes the answers of the file at `path`.  One that is damaged, of another version or processor says so in one line on stderr and counts as
 * empty; likewise one that is not there, if it is `wanted`. */
void tuning_read(Tuning *t, const char *path, bool wanted);

/* The answers as a file's text: those read or set that belong to this file, sorted. */
void tuning_write(const Tuning *t, Text *out);

void tuning_set(Tuning *t, const char *key, const char *choice);      /* NULL: by the rule again */
int tuning_answers(const Tuning *t);                                  /* how many there are */

/* Takes the answers to all that `from` has been asked, also that there is none; returns how many there are. */
int tuning_merge(Tuning *into, const Tuning *from);

/* Index of the answer among `choices`, 0 if there is none that fits; notes the question. */
int tuning_ask(Tuning *t, const char *settings, const char *op, const char *op_key, const char *what, const List *choices);
const List *tuning_questions(const Tuning *t);                        /* TuningQuestion: what has been asked since it was made or forgotten */
void tuning_forget(Tuning *t);

/* "AMD EPYC 9354, family 25 model 17": what /proc/cpuinfo says, one line of printable ASCII. */
const char *processor_name(Arena *a);

#endif
