/* model.h -- what the readers of a model share while its graph is built.  All of it lives in the model's arena. */
#ifndef SPNC_MODEL_H
#define SPNC_MODEL_H

#include "graph/attr.h"
#include "read/language.h"

/* Limits for nets of nets: number of layers in all, and depth.  Inputs and outputs of a net, values of a call. */
enum { LAYERS_MAX = 1024, NETS_DEEP = 32, LOSSES_MAX = 64, STATES_OF_REPEAT = 64 };

/* What a name stands for.  A name with several values (a net's outputs) stands for none itself: they are called NAME.OUTPUT. */
typedef struct Name {
    const char *name;
    Loc loc;
    Tensor *tensor;          /* NULL: its operator has an error, or it has several values */
    int shift;
    bool several;
    bool conditional;        /* its entry has a `when` */
    const Repeat *repeat;    /* in whose `do` it stands, or NULL */
    bool weighs, outside;    /* its entry has weights; it is read outside of its repeat */
    const struct Name *twin; /* an entry of that name in a repeat before */
    Tensor *copied;          /* the state of the step before, as repeats inside read it: a copy; NULL: none has */
} Name;

/* An entry whose `when` does not hold. */
typedef struct { const char *name; Loc loc; const char *condition; } Absent;

/* A value of a call: the only one (name NULL), or one of several by its name. */
typedef struct { const char *name; Use use; } Output;
enum { OUTPUTS_MAX = 16 };
typedef struct { Output items[OUTPUTS_MAX]; int count; } Outputs;

typedef struct {
    const char *name;
    Loc loc;
    const Yaml *layers;      /* a list of layers; NULL: it has a `do`, or is refused */
    const Yaml *params, *in, *body, *out;
    bool refused;
    bool used, read, open;   /* read: its layers have been; open: being expanded; a net inside itself is a cycle */
    List given;              /* Param: parameters of the first use without `new`, which all others must have too */
    Loc given_at;
} Net;

typedef struct {
    const char *name;
    Loc loc;
    Tensor *tensor;
    Tensor *c;               /* of an lstm; `tensor` is its h */
    bool defined, refused;   /* refused: by an entry of a repeat inside, which has its error already */
    const Op *cell;          /* a gru, an lstm, an rnn: its attributes; NULL: any rule under `do` */
    const Yaml *init;
} State;

/* Where entries are read: the model's flow, or the `do` of a net at one of its uses. */
typedef struct {
    const Net *net;          /* NULL: the flow */
    const char *path;        /* beginning of parameter names: "x1.b1"; "" in the flow */
    List names, absent;      /* Name, Absent */
    State states[STATES_OF_REPEAT];      /* of the repeat being read and of those around it, */
    int state_first, state_count;        /* its own from state_first on */
} Frame;

/* Counts the operators inside an entry that have no entry of their own: ENTRY.OPk. */
typedef struct { const char *word; int count; } Counted;
typedef struct { const char *name; Loc loc; List counted; } Entry;

typedef struct Builder Builder;
struct Builder {
    Model *m;
    Frame *frame;
    List nets;               /* Net */
    Repeat *repeat;          /* the repeat being read, or NULL */
    int layers, depth;       /* entries and layers so far; nets that are open */
    int repeats;             /* repeats so far, those included whose `when` does not hold */
    /* flow.c's flow_read and flow_operand, for nets.c, which flow.c uses. */
    bool (*read)(Builder *b, const Yaml *entries);
    bool (*operand)(Builder *b, Entry *e, const Yaml *y, Use *out, bool keep_steps);
};

enum { REFUSED = -1 };       /* a DataDef's type: its declaration has an error, which is reported; its readers report none */

/* maps.c: maps of the language.  Each reports what is wrong. */
bool map_expected(Model *m, const Yaml *y, const char *what);                       /* y is a map */
bool map_keys_known(Model *m, const Yaml *y, const MapSpec *map);
const AttrSpec *map_key(const MapSpec *map, const char *key);
bool map_number(Model *m, const Yaml *y, const MapSpec *map, const char *key, double *out);
/* Likewise a word. */
bool map_word(Model *m, const Yaml *y, const MapSpec *map, const char *key, const char **out);
bool shape_read(Model *m, Attr *a, const Yaml *y, const char *name, Shape *out);
/* Likewise of sizes that are read already. */
bool shape_given(Model *m, const Attr *a, const char *name, Shape *out);

/* data.c: the inputs, or the targets, of the map y (may be NULL); *count of them, those with mistakes included. */
DataDef *data_read(Model *m, const Yaml *y, bool target, int *count);
/* The input or target d as a tensor, loaded at its first use: labels as a loss reads them. */
Tensor *data_tensor(Model *m, DataDef *d);
/* d as a value of the flow: whole numbers as reals. */
Tensor *data_value(Model *m, DataDef *d);

/* augment.c: `augment:` of the input d, whose shape is already read; false after errors. */
bool augment_read(Model *m, const Yaml *y, DataDef *d);
/* The examples of d, augmented in training, in the layout of the file. */
Tensor *augment_tensor(Model *m, const DataDef *d);

/* names.c: what words mean in a frame. */
Name *name_find(Builder *b, const char *word);              /* the newest of that name in the frame, or NULL */
Name *name_bind(Builder *b, const char *name, Loc at, Use u);
/* True if `word` is written as the name of a parameter is: NAME.weight. */
bool name_of_parameter(const char *word);
/* True if the word is a name here, be it one with an error. */
bool name_is_known(Builder *b, const char *word);
/* Binds a name whose entry has an error to no tensor; one that is already bound keeps its value. */
void name_refuse(Builder *b, const Yaml *key);
/* The value that `word` names, at the step being read; false after an error.  keep_steps: a name of a repeat as it is at each step. */
bool name_resolve(Builder *b, const char *word, Loc at, Use *out, bool keep_steps);
/* Counts a layer or an entry; false, with one error, when there are too many. */
bool room(Builder *b, Loc at);
/* `when:` of the map y: true in *holds if there is none or it holds; its text in *condition (NULL: none).  False after an error. */
bool when_holds(Builder *b, const Yaml *y, bool *holds, const char **condition);
/* A parameter's path in the frame: "w" in the flow, "x1.w" in a net. */
const char *path_in(Builder *b, const char *name);
/* The k-th operator or net `word` inside the entry: "r.dense1". */
const char *entry_inner(Builder *b, Entry *e, const char *word);

/* unknown.c: the net of that name, or NULL. */
Net *net_find(Builder *b, const char *word);
/* Reports a word that names no operator and no net; what there is instead. */
void unknown_operator(Builder *b, Loc at, const char *word);
/* Reports a word that `act:` does not take; words [count] are those that it does. */
void unknown_act(Model *m, Loc at, const char *word, const char *const *words, int count);
/* How the operator or net `word` is written with an operand, "{ relu: x }", in memory of its own for each call; NULL: there is none.  *what: "an
 * operator" or "a net". */
const char *operator_written(Builder *b, const char *word, const char **what);

/* make.c: operators appended to the graph. */
Op *make(Builder *b, OpKind kind, const char *name, Loc at, Tensor *out);
/* The tensor of a carried state of the repeat being read, without a shape. */
Tensor *make_state(Builder *b, const char *path, Loc at);
/* The parameter `name` of an entry above as a value, in a net first that of its path `inner` (NULL: in the flow): which one it is is seen when shapes are
 * inferred (constant.c). */
Tensor *make_reference(Builder *b, const char *name, const char *inner, Loc at);
/* u, of the step before in a repeat around the one being read, as a value of its own step: a copy that is made before that repeat. */
Tensor *make_before(Builder *b, Use u, Loc at);
/* u as it is read outside of its repeat: the stack of its steps; of a repeat in a repeat, of those of all that the reader does not stand in. */
Use make_outside(Builder *b, Use u, Loc at);
/* A value that a view may be made of: u, or a copy of it. */
Use make_viewable(Builder *b, Use u, Loc at);
/* An operator with parsed attributes, and its activation; `path` begins the names of its weights. */
Tensor *make_operator(Builder *b, Op *parsed, const char *path, Loc at, const Use *inputs, int count);
/* An operator with weights whose names begin with `path` (NULL: any), made since m->ops had `from` of them, or NULL. */
const Op *weighs(const Model *m, int from, const char *path);
/* True, with an error at y, if there is one of any name since then: it does not stand there, but has an entry in another place. */
bool weighs_refuse(Builder *b, int from, const Yaml *y, const char *where, const char *place);
bool inputs_fit(Builder *b, OpKind kind, Loc at, int count);

/* cells.c: a gru, an lstm or an rnn, v's key `which`: of the carried `state`, or (NULL, or a state by another rule) a free one. */
bool cell_call(Builder *b, const char *path, Loc at, const Yaml *v, int which, State *state, const Use *in, int count, Outputs *out);
const char *cell_called(OpKind kind);                       /* "a gru" */
OpKind cell_kind(const char *word);                         /* of a word under `carry`, also where a net has that name */

/* nets.c: nets and their uses. */
void nets_read(Builder *b, const Yaml *y);                  /* the map `nets:` */
/* { NET: x, new: true, PARAM: value }: v's key `which` is the net's name, `path` its own, where a copy has its weights.  False after errors. */
bool net_call(Builder *b, const char *path, const Yaml *v, int which, const Use *in, int count, Outputs *out);
/* Reads nets without uses, to report their errors. */
void nets_read_unused(Builder *b);

/* flow.c: entries. */
bool flow_read(Builder *b, const Yaml *y);                  /* a list of entries; false after errors */
/* An operand: a name, a formula, or an operator with its operands.  False after errors. */
bool flow_operand(Builder *b, Entry *e, const Yaml *y, Use *out, bool keep_steps);
/* loss.c: one loss or a list of them; errors are reported. */
void losses_read(Builder *b, const Yaml *y);

/* penalty.c: the entry `parsed` of `loss:` penalises the weights of what y names; `weight` is what it gives as its weight, or NULL.  Errors are reported. */
void penalty_add(Model *m, const Op *parsed, const Yaml *y, const Yaml *weight);

/* outputs.c: what the net gives. */
void outputs_read(Builder *b, const Yaml *y);               /* `outputs:` (NULL: what the losses read) into m->outputs; errors are reported */
const DataDef *target_behind(Model *m, const Tensor *t);    /* the target that t depends on, or NULL */

/* parameters.c: `nets:` and `no_decay:` of `train:`. */
void parameters_read(Model *m, const Yaml *y);
/* The longest beginning of a parameter's name that `key` stands for: a net for those of all its uses and copies, anything else for itself, whole up to a
 * dot.  0: none. */
size_t parameters_fit(const Model *m, const char *key, const char *name);
/* An error at `at`: the key fits no parameter. */
void parameters_refuse(Model *m, const char *key, Loc at);
/* The entry of `nets:` that counts for a parameter, or a running statistic; NULL: none. */
OwnTraining *parameters_own(Model *m, const Weight *w);
/* Weight k of the parameters and, behind them, the running statistics; NULL: there is no such k. */
Weight *weight_at(const Model *m, int k);
/* training.c: `train:` (NULL: all defaults); errors are reported. */
void training_read(Model *m, const Yaml *y);

#endif
