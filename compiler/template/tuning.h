/* tuning.h -- the fastest choices on this processor, among those that are bit-neutral.
 *
 * A question is a text ("forward") with its choices ("4x7", "5x5", ...), the best by rule first: one of the stage `schedule`, or of a
 * template that calls candidate().  Its key is the operator's shape (schedule_key, the fact `key`), the target, the precision and that text;
 * the text's first word is the pass whose time counts: forward, backward, weights, products, or all. */
#ifndef SPNC_TUNING_H
#define SPNC_TUNING_H

#include "spnc.h"

typedef struct {
    const char *key, *pass, *what;   /* pass: the first word; what: the whole text */
    List ops;                        /* names of the operators with this question */
    List choices;                    /* texts, the rule's own first */
    int chosen;
} TuningQuestion;

bool tuning_concerns(const TuningQuestion *q, const char *op);       /* true if the operator of that name has this question */

Tuning *tuning_new(Arena *a, const char *processor, const char *version);

/* Reads the answers of the file at `path`.  A file that is damaged, or of another version or processor, is reported in one line on stderr
 * and counts as empty; so is a missing one, if `wanted`. */
void tuning_read(Tuning *t, const char *path, bool wanted);

/* The answers as a file's text: those read or set that belong to this file, sorted. */
void tuning_write(const Tuning *t, Text *out);

void tuning_set(Tuning *t, const char *key, const char *choice);      /* NULL: by the rule again */
int tuning_answers(const Tuning *t);                                  /* number of answers */

/* Copies the answers (or that there is none) to all questions of `from`; returns the number of answers. */
int tuning_merge(Tuning *into, const Tuning *from);

/* Index of the answer among `choices`, 0 if there is none that fits; notes the question. */
int tuning_ask(Tuning *t, const char *settings, const char *op, const char *op_key, const char *what, const List *choices);
const List *tuning_questions(const Tuning *t);                        /* TuningQuestion: all since tuning_new or tuning_forget */
void tuning_forget(Tuning *t);

/* "AMD EPYC 9354, family 25 model 17": what /proc/cpuinfo says, one line of printable ASCII. */
const char *processor_name(Arena *a);

#endif
