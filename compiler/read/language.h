/* language.h -- the maps of a model file that are not an operator's: tables that the files of graph/ check values with, and that schema.c
 * and help.c print. */
#ifndef LANGUAGE_H
#define LANGUAGE_H

#include "spnc.h"

/* One kind of map: its keys as rows of an operator's table are written; a fallback is the default.  ATTR_TREE: the value is a map or list
 * with a reader of its own (graph/model.h), and `choices` names its definition in the schema. */
typedef struct {
    const char *name;        /* as the file writes it, where it has a name */
    const char *what;        /* as messages call it: "a repeat" */
    const AttrSpec *keys;    /* ends with name NULL */
    const char *help;        /* one line */
    const char *equation, *example;      /* for `spnc ops`: see OpHelp; NULL: no page of its own */
} MapSpec;

/* The default of a key; 0 if it has none. */
double default_number(const AttrSpec *s);

extern const MapSpec map_net, map_net_layers, map_model, map_included, map_input, map_augment, map_clutter, map_labels, map_reals, map_repeat, map_carried,
    map_train, map_train_net, map_clip;
extern const MapSpec carried_cells[];                /* a state that a cell updates, one row a cell; ends with keys NULL */

/* ---- training: one row an optimiser, a schedule, an initialiser ------------------------------------- */

enum { STATES_MAX = 8 };     /* blocks of an optimiser; NET_STATES in runtime/net.h */

/* A block that an optimiser keeps beside the weights: one number for each of theirs. */
typedef struct {
    const char *name;        /* in the equation, and of the rule's parameter */
    const char *setting;     /* kept only where this setting is not 0; NULL: always */
} StateSpec;

/* An optimiser.  Its rule is optimiser_NAME in runtime/optimiser.h, whose parameters are the states and the settings of the row, in this
 * order. */
struct Optimiser {
    MapSpec map;             /* its settings, all of them numbers or booleans; the first is `rate` */
    StateSpec states[STATES_MAX + 1];    /* end with name NULL */
    bool counted;            /* its rule has the number of earlier updates as another parameter */
};
extern const Optimiser optimisers[];                 /* ends with map.name NULL */
const Optimiser *optimiser_named(const char *name);  /* NULL: there is none */
bool optimiser_has(const Optimiser *o, const char *name);   /* is it a setting of its? */
/* The setting of that name, which its row has. */
double optimiser_setting(const Optimiser *o, const double *settings, const char *name);
/* Blocks that it keeps at these settings, which are in the order of the row.  blocks[k] (may be NULL) becomes the number of the block
 * that holds state k of the row, or -1 if it is not kept. */
int optimiser_blocks(const Optimiser *o, const double *settings, int *blocks);

/* A schedule of the rate.  Its rule is schedule_NAME in runtime/schedule.h, whose last parameters are the settings of the row but for its
 * last one, warm_up. */
struct Schedule {
    MapSpec map;             /* its settings: numbers, whole (ATTR_INT) or real, which a run may set too */
    const char *form;        /* its form in a model, behind `schedule:` */
    const char *begins;      /* the setting that is the first epoch with another rate; NULL: the second epoch */
    bool whole_run;          /* it depends on the number of epochs, which is then part of the model's identity */
    bool bare;               /* its settings stand there themselves; else { NAME: { settings } } */
};
extern const Schedule schedules[];                   /* ends with map.name NULL; the first, with all of its numbers 0, is a constant rate */

/* Initialisers: a word, or with `number` a map of one key, { normal: 0.1 }, with `pair` also { normal: [mean, deviation] }; with `gain`
 * a word or a map as { orthogonal: { gain: 2 } }. */
typedef struct {
    const char *name;
    bool number, gain;
    const char *pair;        /* what the two numbers are; NULL: there are none */
    const char *help;
    const char *rule;        /* rule of a weight's initial values: a word of NET_STARTS in runtime/net.h */
    double (*value)(double in, double out, double number);   /* the rule's number, from the weight's fans and the file's number (a gain is 1 unless given); NULL: 0 */
    const char *bias_rule;   /* likewise the bias beside the weight; NULL: it starts at 0 */
    bool fans;               /* it needs [outputs, inputs, ...]: the rule's number follows from the fans, or the rule from the rows */
    int units;               /* for a dense layer of so many units alone; 0: for any weight */
    const char *units_what;  /* what so many units are */
    bool transform;          /* for a dense layer whose value is the transform of an spn; its bias starts at that transform's identity */
} InitSpec;
extern const InitSpec initialisers[];                /* ends with name NULL */
const InitSpec *initialiser_named(const char *name); /* NULL: there is none */

#endif
