/* pipeline.h -- the stages of a compilation as a table, and the loop over it. */
#ifndef PIPELINE_H
#define PIPELINE_H

#include "spnc.h"

typedef struct {
    const char *name;                           /* with `print`: the word of --stage */
    bool (*run)(Model *m);                      /* reports every mistake it finds and returns false; then no other stage runs */
    void (*print)(const Model *m, FILE *out);   /* prints its result, for --stage; NULL: nothing to print */
    const char *says;                           /* text of --help about its output, where the name is not enough */
    bool regardless;                            /* runs even if the stage before it returned false */
} Stage;

extern const Stage stages[];
extern const int stage_count;

/* Runs the stages on m; its arena, diag, options and path must be set.  The model is m->root, or, if that is NULL, the file m->path.
 * Prints the result of the stage m->options.stage to stdout.  Returns NULL, with the texts of m->c, m->makefile and m->gdb made, or the
 * first stage that returned false. */
const Stage *stages_run(Model *m);

/* The same; after a shape error it adds a note with a parameter value that would fit.  True if no stage returned false. */
bool compile(Model *m);

#endif
