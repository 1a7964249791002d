/* model.h -- what the readers of a model share while its graph is built.  All of it lives in the model's arena. */
#ifndef SPNC_MODEL_H
#define SPNC_MODEL_H

#include "graph/attr.h"
#include "read/language.h"

/* Limits for nets of nets: number of layers in all, and depth. */
enum { LAYERS_MAX = 1024, NETS_DEEP = 32, LOSSES_MAX = 64 };

typedef struct {
    const char *name;
    Loc loc;
    Tensor *tensor;          /* NULL: its operator has an error */
    int shift;
} Name;

typedef struct {
    const char *name;
    Loc loc;
    const Yaml *layers;      /* NULL: refused */
    bool used, read, open;   /* read: its layers have been; open: being expanded; a net inside itself is a cycle */
} Net;

typedef struct {
    const char *name;
    Loc loc;
    Tensor *tensor;
    bool gru, defined;
    const Op *cell;          /* gru: its attributes */
    const Yaml *init;
} State;

typedef struct {
    Model *m;
    List names, nets;        /* Name, Net */
    Repeat *repeat;          /* the repeat being read, or NULL */
    State states[16];
    int state_count;
    int layers, depth;       /* entries and layers so far; nets that are open */
} Builder;

enum { REFUSED = -1 };       /* a DataDef's type: its declaration has an error, which is reported; its readers report none */

/* maps.c: maps of the language.  Each reports what is wrong. */
bool map_expected(Model *m, const Yaml *y, const char *what);                       /* y is a map */
bool map_keys_known(Model *m, const Yaml *y, const MapSpec *map);
const AttrSpec *map_key(const MapSpec *map, const char *key);
bool map_number(Model *m, const Yaml *y, const MapSpec *map, const char *key, double *out);
/* Likewise a word. */
bool map_word(Model *m, const Yaml *y, const MapSpec *map, const char *key, const char **out);
bool shape_read(Model *m, Attr *a, const Yaml *y, const char *name, Shape *out);

/* data.c: the inputs, or the targets, of the map y (may be NULL); *count of them, those with mistakes included. */
DataDef *data_read(Model *m, const Yaml *y, bool target, int *count);
/* The input or target d as a tensor, loaded at its first use. */
Tensor *data_tensor(Model *m, DataDef *d);

/* augment.c: `augment:` of the input d, whose shape is already read; false after errors. */
bool augment_read(Model *m, const Yaml *y, DataDef *d);
/* The examples of d, augmented in training, in the layout of the file. */
Tensor *augment_tensor(Model *m, const DataDef *d);

/* flow.c: names, nets and the flow. */
OpKind op_kind_of(const char *word);                        /* an operator that a model may name; OP_NONE: none */
/* The value that y names, or false after an error; keep_steps: a name of a repeat as it is at each step. */
bool flow_resolve(Builder *b, const Yaml *y, Use *out, bool keep_steps);
/* u as it is read outside of its repeat: the stack of its steps. */
Use flow_outside(Builder *b, Use u, Loc at);
/* Appends the operators of a flow, a list of entries; false after errors. */
bool flow_read(Builder *b, const Yaml *y);
/* Reads nets without uses, to report their errors. */
void flow_read_unused(Builder *b);

/* loss.c: one loss or a list of them; errors are reported. */
void losses_read(Builder *b, const Yaml *y);

/* training.c: `train:` (NULL: all defaults); errors are reported. */
void training_read(Model *m, const Yaml *y);

#endif
