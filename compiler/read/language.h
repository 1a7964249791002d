/* language.h -- the maps of a model file that are not an operator's: tables that the files of graph/ check with, and that schema.c and help.c print. */
#ifndef LANGUAGE_H
#define LANGUAGE_H

#include "spnc.h"

/* One kind of map: its keys as rows of an operator's table are written; a fallback is the default.  ATTR_TREE: what stands under the key
 * has a reader of its own (graph/model.h), and `choices` names its definition in the schema. */
typedef struct {
    const char *name;        /* of an optimiser or a state: as the file writes it */
    const char *what;        /* as messages call it: "a repeat" */
    const AttrSpec *keys;    /* ends with name NULL */
    const char *help;        /* one line */
    const char *equation, *example;      /* for `spnc ops`: see OpHelp; NULL: no page of its own */
} MapSpec;

extern const MapSpec map_model, map_input, map_augment, map_clutter, map_labels, map_reals, map_repeat, map_carried_gru, map_carried, map_train, map_clip, map_schedule;
extern const MapSpec map_rmsprop, map_sgd, map_adam;
extern const MapSpec *const optimisers[];            /* the first is the default; ends with NULL */

/* Initialisers: a word, or with `number` a map of one key, { normal: 0.1 }. */
typedef struct { const char *name; bool number; const char *help; } InitSpec;
extern const InitSpec initialisers[];                /* ends with name NULL */

#endif
