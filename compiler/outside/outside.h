/* outside.h -- operators that are described, not written in C: a description NAME.op.lua and two templates, NAME_plain.c.in and NAME_fast.c.in.
 * Those of a user lie in the folder of --templates (operators from outside); spnc's own in templates/, read only when a model uses them.
 * outside.c makes each a row of op_table; describe.c reads its description. */
#ifndef OUTSIDE_H
#define OUTSIDE_H

#include "spnc.h"

enum { PARAMETERS_MOST = 3, KEEPS_MOST = 4, INPUTS_MOST = INPUT_MAX - 2, READS_MOST = 16 };

/* Operands of NAME_backward or NAME_weights beside dy. */
typedef enum { GIVES_INPUTS, GIVES_INPUT, GIVES_RESULT, GIVES_KEPT, GIVES_PARAMETER } GivesKind;
typedef struct { GivesKind kind; int index; } Gives;

typedef struct {
    const char *name;
    Attr init;               /* a parameter's initialiser: its word and number ... */
    const char *init_by;     /* ... or NULL, and the attribute that holds it */
    const char *present_by;  /* a parameter: the attribute of type bool that says whether the operator has it; NULL: always */
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
    int kink;                /* the operator has a kink where the sign of backward[kink] changes; -1: no kink */
    int choice;              /* keeps[choice] are whole numbers, each the number of the element that a result was taken from; -1: none */
    bool whole;              /* takes whole numbers too, and its result holds them then */
    bool builtin;            /* spnc's own */
    bool warned;             /* a user's that has the name of one of spnc's own: it was said */
    int version;             /* spnc's own: raised when its bits change */
    uint64_t hash;           /* of the description, its templates and the files of the same folder that these include */
} Outside;

/* Sizes of one operator of a model, from its description. */
typedef struct Told {
    Shape y, parameters[PARAMETERS_MOST], keeps[KEEPS_MOST];
    Fact *facts;             /* numbers and lists of numbers that its templates are given as op.facts */
    double macs;
} Told;

/* Reads the descriptions in `dir` (NULL: none) into op_table; rows of an earlier call are forgotten.  False after reporting. */
bool outside_read(Arena *a, Diag *d, const char *dir);
/* A stage: adds to op_table, from the folders of --templates and of `operators:`, the operators that the tree of the model mentions, and those of spnc's own
 * described operators that it names.  Rows of an earlier call are forgotten.  A user's operator or a net of that name
 * stands instead, with a warning. */
bool outside_use(Model *m);
/* Adds all of spnc's own that no user's operator stands for. */
void outside_use_all(void);
/* The outside operator of that kind; NULL for spnc's own. */
static inline const Outside *outside_of(OpKind kind)
{
    return kind >= OP_COUNT && (int)kind < op_count ? (const Outside *)op_table[kind] : NULL;
}
/* Operators and losses of the language's first edition: no net and no operator of a user's may have their names. */
bool first_edition(const char *name);
/* For an operator of the model: what it reads or writes whose sign is the side of the kink that each element is on; no tensor: no kink. */
Use outside_kink(const Op *op);
/* For an operator of the model: what holds its choices (Outside.choice); no tensor: none, or none is kept. */
Use outside_choice(const Op *op);

/* describe.c: fills `o` (name, source and templates are set) from its description.  False after reporting, at a line of the description. */
bool describe(Arena *a, Diag *d, Outside *o);
/* Sizes for `op`, whose attributes and inputs are known.  NULL after reporting: a refusal by the description at the operator's place in the
 * model, an error in the description at its own line. */
const Told *describe_use(Model *m, const Op *op);
/* True if the operator `op` has the parameter `p` of its description. */
bool outside_present(const Op *op, const Part *p);

/* question.c: the place of `word`, the name of a row or a field, in a description. */
Loc description_place(const Source *s, const char *word);

/* The facts of an operator's attributes for description and templates, by name: numbers, texts, lists of ints.  An attribute that is not
 * given and has no default is not set; initialisers neither. */
Fact *outside_attrs(Arena *a, const Op *op);

#endif
