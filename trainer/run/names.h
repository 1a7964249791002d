/* names.h -- what the classes of the targets are called: DIR/TARGET_classes.txt, a name a line, as spn-data pack writes it; a run keeps them. */
#ifndef SPN_NAMES_H
#define SPN_NAMES_H

#include "files/json.h"

/* of[k][c]: the name of class c of target k, in UTF-8, owned; of[k] NULL: its classes have no names. */
typedef struct { char ***of; } Names;

/* Those of a folder of data.  A list that has not one line for each class is a warning, and passed over. */
void names_of_data(Names *n, const char *dir);
/* Those of run.json; none in runs of older versions. */
void names_of_run(Names *n, const char *run);
/* What a command shows that has a run, a folder of data, or both (each may be NULL): the run's names, which are those the net has learnt, else the
 * folder's.  Where both are known and differ that is a warning: its labels are other classes'. */
void names_open(Names *n, const char *run, const char *dir);
/* That warning alone. */
void names_check(const char *run, const char *dir);
void names_close(Names *n);
/* NULL: it has none, or is none (a label below 0). */
const char *names_class(const Names *n, int k, int class);
/* "classes": { TARGET: [names] } of the targets that have some, if any has, and they are not too long for a run.json. */
void names_write(JsonWriter *w, const Names *n);

#endif
