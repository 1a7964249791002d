/* pipeline.h -- the stages of a compilation as a table, and the loop over it. */
#ifndef PIPELINE_H
#define PIPELINE_H

#include "spnc.h"

typedef struct {
    const char *name;                           /* with `print`: the word of --stage */
    bool (*run)(Model *m);                      /* reports every mistake it finds and returns false; then no other stage runs */
    void (*print)(const Model *m, FILE *out);   /* what it left, for --stage; NULL: nothing to print */
    const char *says;                           /* what is printed, in the words of --help, where the name does not say it */
    bool regardless;                            /* runs even so, after a refusal of the stage before it */
} Stage;

extern const Stage stages[];
extern const int stage_count;

/* Runs the stages on m, whose arena, diag, options and path are set; the model is m->root, or, if that is NULL, the file m->path.  What the
 * stage m->options.stage left is printed to stdout.  Returns NULL, with the texts of m->c, m->makefile and m->gdb made, or the first stage
 * that refused. */
const Stage *stages_run(Model *m);

/* The same, with a note about the value of a parameter that would do where shapes do not fit.  True if no stage refused. */
bool compile(Model *m);

#endif
