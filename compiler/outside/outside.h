/* outside.h -- operators from outside of spnc: a description NAME.op.lua and two templates, NAME_plain.c.in and NAME_fast.c.in, in the folder of
 * --templates.  outside.c makes each an operator like all others; describe.c asks its description. */
#ifndef OUTSIDE_H
#define OUTSIDE_H

#include "spnc.h"

enum { PARAMETERS_MOST = 3, KEEPS_MOST = 4, INPUTS_MOST = 8, READS_MOST = 16 };

/* What NAME_backward or NAME_weights is given beside dy. */
typedef enum { GIVES_INPUTS, GIVES_INPUT, GIVES_RESULT, GIVES_KEPT, GIVES_PARAMETER } GivesKind;
typedef struct { GivesKind kind; int index; } Gives;

typedef struct {
    const char *name;
    Attr init;               /* a parameter's initialiser: its word and number ... */
    const char *init_by;     /* ... or NULL and the attribute that says it */
} Part;

typedef struct { const char *name; Source source; } OutsideTemplate;

typedef struct {
    OpInfo info;             /* first: op_table points to it */
    OpHelp help;
    Source source;           /* the description */
    OutsideTemplate plain, fast;
    AttrSpec attrs[ATTR_MAX + 1];
    Part parameters[PARAMETERS_MOST], keeps[KEEPS_MOST];
    int parameter_count, keep_count;
    Gives backward[READS_MOST], weights[READS_MOST];
    int backward_count, weights_count;
    int kink;                /* backward[kink]: where its sign changes, the operator has a kink; -1: it has none */
    uint64_t hash;           /* of the description, the templates and what of the same folder these include */
} Outside;

/* What a description said of one operator of a model. */
typedef struct Told {
    Shape y, parameters[PARAMETERS_MOST], keeps[KEEPS_MOST];
    double macs;
} Told;

/* Reads the descriptions in `dir` (NULL: none) into op_table; those of an earlier call are forgotten.  False after reporting. */
bool outside_read(Arena *a, Diag *d, const char *dir);
/* The outside operator of that kind; NULL for spnc's own. */
static inline const Outside *outside_of(OpKind kind)
{
    return kind >= OP_COUNT && (int)kind < op_count ? (const Outside *)op_table[kind] : NULL;
}
/* Of an operator of the model: the tensor whose sign tells on which side of its kink each element is, or NULL. */
Tensor *outside_kink(const Op *op);

/* describe.c: fills `o` (whose name, source and templates are there) from its description.  False after reporting, at its line. */
bool describe(Arena *a, Diag *d, Outside *o);
/* Sizes for `op`, whose attributes and inputs are known; NULL after reporting: what the description refuses at the operator's place in the
 * model, what is wrong with the description at its own line. */
const Told *describe_use(Model *m, const Op *op);

/* question.c: where a description says `word`, the name of a row or a field. */
Loc description_place(const Source *s, const char *word);

/* What description and templates are told of an operator's attributes, by name: numbers, texts, lists of ints.  Those not given and without a
 * default are not there, nor are initialisers. */
Fact *outside_attrs(Arena *a, const Op *op);

#endif
