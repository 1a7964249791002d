/* spnc.h -- the map of the compiler: every shared type and prototype, in the order of the pipeline.
 *
 *   arena  diag  read  expr | model  shape  steps  forward  grad  fuse  kernel  store  schedule  plan  emit | fact  template  (outside.h: operators that are not spnc's own)
 *
 * pipeline.c has the table of the stages in that order; each stage is a file of that name (model uses the other readers in graph/, emit
 * uses call, template uses sandbox).  A stage reports every error it finds to the Diag and returns false; the next one does not run then.
 * All memory is allocated from the one Arena of the compilation and is freed with it. */
#ifndef SPNC_H
#define SPNC_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- arena.c: memory that ends with the compilation ------------------------------------------ */

typedef struct Arena Arena;
Arena *arena_new(void);
void arena_free(Arena *a);
void *arena_alloc(Arena *a, size_t size);                 /* zeroed, 16-byte aligned; exits 74 when memory is out */
char *arena_copy(Arena *a, const char *text, size_t n);   /* n bytes and a NUL */
char *arena_printf(Arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define NEW_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))

/* A growing list of pointers: items[0..count). */
typedef struct { void **items; int count, room; } List;
void list_push(Arena *a, List *l, void *item);
void list_insert(Arena *a, List *l, int at, void *item);  /* before items[at]; at count: behind all */
void list_remove(List *l, int at);                        /* items[at]; those behind it move up */
int list_index(const List *l, const void *item);          /* index of the first such item, or -1 */

/* A growing text; text is always NUL-terminated (NULL while empty). */
typedef struct { Arena *arena; char *text; size_t length, room; } Text;
void text_add(Text *t, const char *bytes, size_t n);
void text_printf(Text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A bug of ours: prints file:line, exits 70.  Never the user's fault. */
_Noreturn void unreachable_at(const char *file, int line, const char *what);
#define unreachable(what) unreachable_at(__FILE__, __LINE__, (what))

/* ---- diag.c: errors, warnings and notes, each with its place ---------------------------------- */

/* A source file: its path as messages show it, and its text without a byte order mark (NULL: no line of it is quoted).
 * Each Loc points to its Source, so a Source lives as long as the arena. */
typedef struct { const char *path, *text; size_t length; } Source;
const Source *source_new(Arena *a, const char *path, const char *text, size_t length);

/* A span of a file; line and column count from 1 (column in characters).  line 0: no place in it; column 0: the whole line; file NULL: no file. */
typedef struct { int line, column, length; const Source *file; } Loc;

typedef struct Diag Diag;
Diag *diag_new(Arena *a, FILE *out, bool json, bool colour);
/* Sets the file of messages that have none (the model's): JSON gives its path. */
void diag_source(Diag *d, const Source *file);
void diag_error(Diag *d, Loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_warning(Diag *d, Loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A note belongs to the error or warning before it.  at.line 0 prints "note: text" without a place; a place is printed with its file's path and line. */
void diag_note(Diag *d, Loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));
int diag_errors(const Diag *d);
/* Returns the end of a message about `word`: "; did you mean 'conv'?" with the word of words[0..count) nearest by edit distance, or "" if
 * none is near. */
const char *diag_suggestion(Arena *a, const char *word, const char *const *words, int count);

/* ---- read.c: libyaml events -> a tree with the place of each node --------------------------------- */

typedef enum { YAML_SCALAR, YAML_LIST, YAML_MAP } YamlKind;
typedef struct Yaml Yaml;
struct Yaml {
    YamlKind kind;
    Loc loc;             /* scalars: their whole span; lists and maps: their first character */
    const char *text;    /* scalar: NUL-terminated UTF-8 without NUL or control characters inside */
    bool quoted;         /* scalar written in quotes: always a string */
    int count;           /* list: items; map: pairs */
    Yaml **keys;         /* map: scalar keys, unique */
    Yaml **items;        /* list items, map values */
};
/* The tree of the document in the file's text; each Loc points to `file`.  NULL after reporting errors: syntax, duplicate keys, aliases and
 * anchors (refused), tags (refused), nesting deeper than 64, several documents, an empty one, text over 1 MiB, wrong UTF-8. */
Yaml *read_yaml(Arena *a, Diag *d, const Source *file);
/* Reads the file at `path` ("-" is not special) and calls read_yaml; a file that cannot be read is an error. */
Yaml *read_file(Arena *a, Diag *d, const char *path);
Yaml *yaml_get(const Yaml *map, const char *key);         /* NULL when absent or not a map */

/* ---- expr.c: parameters and arithmetic ------------------------------------------------------------ */

typedef enum { VALUE_INT, VALUE_REAL, VALUE_TEXT } ValueKind;
typedef struct {
    ValueKind kind;
    int64_t i;           /* VALUE_INT */
    double r;            /* VALUE_INT and VALUE_REAL */
    const char *text;    /* the text as written */
} Value;
typedef struct {
    const char *name;
    Value value;
    Loc loc;             /* its place in the file */
    bool set;            /* overridden on the command line; set_text is "d=8" */
    const char *set_text;
    int reads;           /* how many expressions have read it, */
    int net_reads;       /* and how many of them before `train:`, which is read last */
    bool refused;        /* its value is wrong and reported: an expression that reads it fails without a message */
} Param;
/* A net's parameters stand before the model's: outer. */
typedef struct Scope Scope;
struct Scope { Param *params; int count; const Scope *outer; };
/* scope.c: the parameter of that name, the second of name[0..n), whose reads the caller counts; NULL: there is none. */
const Param *scope_param(const Scope *scope, const char *name);
Param *scope_find(const Scope *scope, const char *name, size_t n);

/* A scalar without $ that is a number (3, -2, 5e-4, .5) is that number; `$name` is the parameter; anything with $ or an operator
 * (+ - * / // % ** ( ), floor(x), ceil(x), min(x,y), max(x,y)) is arithmetic.  Quoted text without $ and every other plain word is
 * VALUE_TEXT.  int op int stays int when the result is whole (100 / 4 is 25, 100 / 3 is 33.33...); // rounds down.
 * Reports division by zero, overflow beyond 2^53, unknown parameters (nearest name) and syntax with the exact column. */
bool expr_value(Arena *a, Diag *d, Scope *scope, const Yaml *scalar, Value *out);
/* params: { name: value, ... } of the model, in order (later ones may use earlier ones), then `--set key=value` texts.
 * A --set of an unknown name, or one that does not fit the kind (number for number, text for text), is an error. */
bool expr_params(Arena *a, Diag *d, const Yaml *params, const char *const *sets, int set_count, Scope *out);
/* Likewise parameters of a net, which stand before those of `outer`; sets: the values given where it is used. */
bool expr_params_within(Arena *a, Diag *d, const Yaml *params, const char *const *sets, int set_count, const Scope *outer, Scope *out);

/* ---- fact.c: facts, the input of templates --------------------------------------------------------- */

/* A tree of plain facts that sandbox.c turns into read-only Lua tables. */
typedef struct Fact Fact;
Fact *fact_table(Arena *a);
void fact_int(Fact *t, const char *key, int64_t v);
void fact_real(Fact *t, const char *key, double v);
void fact_bool(Fact *t, const char *key, bool v);
void fact_text(Fact *t, const char *key, const char *v);
void fact_set(Fact *t, const char *key, Fact *sub);
void fact_place(Fact *t, Loc at);                         /* sets line, column, span, and the place of messages about the table */
void fact_push(Fact *list, Fact *item);                   /* list items are 1, 2, ... in Lua */
void fact_push_text(Fact *list, const char *v);
void fact_push_int(Fact *list, int64_t v);

/* ---- the graph: built by model.c, refined by every later stage -------------------------------------- */

typedef enum {
#define OP(name) OP_##name,
#include "ops/ops.def"
    OP_COUNT,                                /* from here on: described operators, read by outside.c */
    OP_NONE = OP_COUNT + 128                 /* no operator; also the largest number of operators */
} OpKind;

/* FORWARD computes values; BACKWARD the gradients of an operator's inputs.  Weight gradients: either WEIGHTS (a partial sum a group, or at
 * once for the whole batch), then FOLD (pairwise tree over the groups); or WEIGHTS (stores operands), then PRODUCTS (one product, same
 * order: a deferred weight gradient).  PREPARE and FINISH, once a training step: transform of weights into the kernel's form, inverse
 * transform of their gradient.  AGAIN: the forward result once more, in backward. */
typedef enum { FORWARD, BACKWARD, WEIGHTS, PRODUCTS, FOLD, PREPARE, FINISH, AGAIN } Pass;

enum { RANK_MAX = 6, INPUT_MAX = 32, ATTR_MAX = 16, STEPS_MAX = 4096, STEPS_ALL_MAX = 1 << 20, REPEATS_DEEP = 4, PARAMS_MAX = 256, NETS_MAX = 256, SETS_MAX = 256 };
/* Sizes stay below 2^31 elements, so that every index fits an int in the emitted C. */
#define ELEMENTS_MAX ((int64_t)1 << 31)
enum { GUARD = 16 };                                             /* --debug: reals of a guard */

typedef struct { int rank; int64_t dim[RANK_MAX]; } Shape;      /* of one example at one step; rank 0 is one number */
int64_t shape_count(const Shape *s);
bool shape_equal(const Shape *a, const Shape *b);
char *shape_text(Arena *a, const Shape *s);                      /* "20x9x9" */

typedef struct Repeat Repeat;
typedef struct Tensor Tensor;
typedef struct Weight Weight;
typedef struct Op Op;
typedef struct DataDef DataDef;
typedef struct LossDef LossDef;
typedef struct Tuning Tuning;
typedef struct OpSchedule OpSchedule;

/* A repeat: its body runs `steps` times.  steps.c divides its operators into four sections: before the loop, ahead of it, in it, and after it. */
struct Repeat {
    const char *name;        /* repeat1, repeat2, ..., unless it has a `name:` */
    int steps;
    Repeat *outer;           /* the repeat in whose body it stands, or NULL */
    bool reverse;            /* runs from its last step to step 0; shifts count steps in the order in which they run */
    Loc loc;
    List states;             /* Tensor: carried states */
    const char *step;        /* a name of its step beside `t`, or NULL */
};
/* A repeat in a repeat: at how many levels it stands (NULL: 0); steps of it and all around it together (NULL: 1); does r lie in `around`, or is it that? */
static inline int repeat_level(const Repeat *r) { return r ? 1 + repeat_level(r->outer) : 0; }
static inline int steps_all(const Repeat *r) { return r ? r->steps * steps_all(r->outer) : 1; }
static inline bool repeat_within(const Repeat *r, const Repeat *around)
{
    while (r && r != around)
        r = r->outer;
    return r == around;
}
/* The repeat of r and those around it that stands at this level (r's own at most). */
static inline const Repeat *repeat_at(const Repeat *r, int level)
{
    while (repeat_level(r) > level)
        r = r->outer;
    return r;
}

/* Contents of a tensor's memory, for each group: see Tensor.space. */
typedef enum { REALS, WINNERS, LABELS_I32, PARTS, RAW, BYTES, FLOATS, SUMS, TOTALS } Space;

/* A value, a gradient, or data that forward keeps for backward.  A tensor that is computed at each step of a repeat is stacked: one slot a
 * step.  Of a repeat in a repeat the steps of the inner one lie furthest apart, so that all outer steps together are like a larger batch: step t2 of the inner
 * and t of the outer is slot t2 * T + t. */
struct Tensor {
    const char *name;        /* C identifier, unique */
    const char *flow_name;   /* its name in the flow, or NULL */
    Loc loc;
    Shape shape;
    Space space;             /* REALS: values; WINNERS: a pool's winner mask; LABELS_I32: labels; PARTS: one group's part of a weight
                                gradient; RAW: a kernel's own layout; BYTES, FLOATS: an input as in the data file, one example after the
                                other (BYTES: padded, so that a whole word can be read at the last byte); SUMS, TOTALS: doubles without lanes,
                                of a group, or of the whole batch (then shared) */
    int64_t reals;           /* RAW: reals of one slot */
    bool work;               /* RAW: working memory of a kernel, passed as its last argument */
    bool shared;             /* RAW, TOTALS: one for the whole batch (at each step) */
    Repeat *repeat;          /* stacked over its steps; NULL: once */
    bool carried;            /* one more slot in front (reverse: behind): the state before the first step */
    bool tail;               /* one more slot behind (reverse: in front), zero: the gradient from the step after the last */
    Op *op;                  /* the operator that writes it; NULL: an input that has no load yet */
    const Weight *stored;    /* RAW, of a library: it is not computed, but lies among the weights, as this one (store.c); NULL: not so */
    const Repeat *hoisted;   /* the repeat it was written in, if it was hoisted: computed once before the loop; else NULL */
    Tensor *view_of;         /* shares that tensor's memory under another shape */
    Tensor *over;            /* share.c: in place: the operand whose memory it overwrites; NULL: none */
    int classes;             /* whole numbers from 0 to classes - 1, kept as reals; 0: real numbers */
    int classes_axis;        /* of whole numbers: where one_hot puts the classes; -1: behind all axes */
    bool trained;            /* depends on a parameter that is not frozen: its gradient is computed */
    bool weighted;           /* depends on a parameter, frozen or not */
    bool needed;             /* warn.c: the loss depends on it */
    const char *type;        /* emit.c: the name of its C type in the function whose facts are made; NULL: NAME_t */
    bool decides;            /* kinks.c: its values are read when the forward pass is over */
    bool shown;              /* a loss compares it with a target: errors are counted from it when the passes are over, with or without a name */
    Tensor *start;           /* carried: the value before step 0 (NULL: zeros) */
    Weight *start_weight;    /* carried with a trained start */
    List grads;              /* grad.c: parts of its gradient, one from each reader */
    /* plan.c */
    bool local;              /* used in one phase only: placed in a thread's scratch */
    int64_t slot_reals;      /* reals from the start of one slice to the next */
    int slots, first, last;  /* slots; first and last phase (local: operator in the phase) that touch it */
    bool guarded;            /* --debug: a guard behind each slot, which is also the one before the next slot */
    int64_t offset;          /* in reals */
};

/* A tensor as an operand.  Stepped section (of a repeat): slot t + shift.  Outside of its repeat (ONCE, or a section of the repeat around it) shift is the
 * slot: -1 the start, T the zero slot past the end (tail).  Of a reverse repeat: slot t - shift, and T - 1 - shift. */
typedef struct { Tensor *tensor; int shift; } Use;

/* Of a library.  W_TRANSFORMED: Winograd's U of a convolution's weight, as its PREPARE would leave it.  W_SCALES: scale and shift of each channel of a
 * batch norm, which follow from its parameters and running statistics.  W_LATENCY, W_LATENCY_BIAS: as the kernel of the latency form reads it
 * (lower/latency.h). */
typedef enum { W_EXPORTED, W_IN_OUT, W_TRANSFORMED, W_SCALES, W_LATENCY, W_LATENCY_BIAS } WeightLayout;
/* For decay and penalties by kind: what a product or a convolution multiplies by; of a norm; a bias, or any other. */
typedef enum { W_OTHER, W_PRODUCT, W_NORM } WeightKind;
struct Weight {
    const char *name;        /* front.conv1.weight */
    const char *field;       /* front_conv1_weight: its member in struct Weights */
    Loc loc;
    Shape shape;             /* PyTorch's */
    WeightLayout layout;
    int64_t stride;          /* W_IN_OUT: outputs rounded up to whole vectors */
    const Weight *of;        /* W_TRANSFORMED, W_LATENCY: the weight that is transformed; NULL: a bias that a batch norm alone makes */
    const Op *made_for;      /* of these: the operator that reads it; W_SCALES: the batch_statistics that it stands for */
    const char *init;        /* the rule of its initial values, and the rule's number: see InitSpec */
    double init_value, init_shift;       /* init_shift is added to what the rule makes */
    int64_t offset, reals;   /* in the block; with padding */
    WeightKind kind;
    bool is_bias;            /* also of a norm */
    double rate_times, decay;    /* parameters.c: of its updates */
    bool frozen;             /* no update changes it */
    bool trained;            /* the loss depends on it, and it is not frozen */
    int uses;                /* number of WEIGHTS operators so far: each after the first adds to the gradient */
};

typedef enum { ATTR_INT, ATTR_PAIR, ATTR_REAL, ATTR_WORD, ATTR_BOOL, ATTR_INIT, ATTR_SHAPE, ATTR_PAIRS, ATTR_NAME, ATTR_ACT, ATTR_INDEX, ATTR_TREE } AttrType;
/* ATTR_INDEX: b, or a * step + b inside a repeat; ATTR_TREE: see language.h; its reader finds the value in the tree */
typedef struct {
    const char *name;
    AttrType type;
    const char *fallback;    /* the default as YAML text; NULL: required; "": may be absent */
    double low, high;        /* numbers: the accepted range */
    const char *choices;     /* ATTR_WORD: "zero clamp legacy"; ATTR_PAIRS: a word that may stand for the numbers, or NULL;
                                ATTR_SHAPE: "[]" if there may be no axis */
    const char *help;
} AttrSpec;
typedef struct {
    const AttrSpec *spec;
    Loc loc;
    bool given;
    const char *text;        /* one value: as written */
    int count;               /* numbers; ATTR_PAIRS: 1 for a single number, else two for each item of the list; ATTR_INDEX: b, or b and a */
    int repeat;              /* ATTR_INDEX with a: the repeat that counts the step, 0 the innermost */
    double number[2 * RANK_MAX];
    const char *word;
    const Op *act;           /* ATTR_ACT with attributes: they are its */
} Attr;

/* A dropout rate that a run can set. */
enum { RATES_MAX = 16 };     /* rates beyond this number are compiled in; NET_RATES in runtime/net.h */
typedef struct {
    const char *name;        /* "dropout", a parameter of the model, or "classify.dropout1.rate" */
    const char *variable;    /* in the C: dropout_rate */
    double value;            /* the model's */
    double factor;           /* the largest factor that a layer multiplies it by */
    bool removed;            /* the model's rate is 0, so its layers are removed */
} Rate;

/* Where an operator of a repeat runs, for explain: before, ahead, core or after; why; of which repeat.  NULL: it is of none. */
typedef struct { const char *word, *why; const Repeat *repeat; } StepsPart;

/* One operator: what it is, its operands, what the file says about it, and a struct for the notes of each stage that decides something about it. */
struct Op {
    OpKind kind;
    Pass pass;
    const char *name;        /* C identifier, unique among forward operators; a backward operator has its forward operator's */
    Loc loc;
    Op *of;                  /* the forward operator of a BACKWARD, WEIGHTS or PRODUCTS; see forward_of */
    const char *function;    /* forward, emit.c: what its C functions begin with; NULL: its own name */
    const char *gradients;   /* likewise of all its functions but the forward one and those that this calls; NULL: the same */
    const char *family;      /* the net it belongs to, or "" */
    Repeat *repeat;          /* the repeat in whose body it was written; NULL: none, or hoisted by steps.c */
    StepsPart section;       /* steps.c */
    int numbered;            /* constant: not 0: it has one number for each of so many steps */

    Use reads[INPUT_MAX];    /* in the order of the emitted function's arguments: writes, reads, weights */
    int read_count;
    Use writes[INPUT_MAX];
    int write_count;
    Weight *weights[3];
    int weight_count;

    const char *prefix;      /* of the names of its weights: front.conv1 */
    const char *suffix[2];   /* weight and bias, or weight_ih and bias_ih */
    Attr attrs[ATTR_MAX];
    int attr_count;
    union {                  /* by kind; a backward operator has it in its forward operator */
        struct { const Repeat *repeat; const Op *of; } slice;           /* slice: whose step its positions move with, or NULL; sum_slices: the slice
                                                                           whose gradient it is */
        const DataDef *data;                                            /* load, load_bytes, labels, augment: the input or target */
        const LossDef *loss;                                            /* a loss: its term */
        int step;                                                       /* pick: the step that is read */
        int64_t held;                                                   /* stop_gradient: where Batch.held has its values, in reals */
        struct { int place; const Rate *rate; double factor; } dropout; /* number of its place of use, which selects its random numbers; its rate is
                                                                           this setting times factor (NULL: compiled in) */
        struct { const struct Formula *f; struct FormulaGradient *gradient; struct FormulaKinks *kinks; } formula;     /* gradient NULL: until grad.c
                                                                           needs it; kinks NULL: no trained parameter crosses one (kinks.c) */
        struct { const char *name, *inner; } reference;                 /* parameter: the name of one that an entry above has, and that in its net; NULL: of its own */
        struct { const double *values; const Repeat *repeat; } constant;    /* in row-major order; numbered: in the order in which the steps count,
                                                                           those of this repeat and of all around it */
        struct { int place; } random;                                   /* number of its place of use, as of a dropout */
        struct { const Weight *mean, *variance; Repeat *repeat; const Tensor *gradient; } norm;     /* batch_sums, batch_statistics: running
                                                                           statistics; the repeat it is written in; batch_norm: what its gradient needs */
        struct { const struct Op *cell; bool transposed; } dense;       /* cell: it multiplies the state of this cell, an lstm's or an rnn's; NULL: any value.
                                                                           transposed: y = W' x, a product whose factor is a parameter (matmul.c) */
        const struct Told *outside;                                     /* from outside: sizes, from its description (outside.h) */
    };

    struct {
        bool inputs[INPUT_MAX];      /* forward: true if the gradient of input i is computed */
        bool keeps;                  /* forward keeps writes[1] for backward */
        bool accumulates;            /* WEIGHTS, FOLD, PRODUCTS, FINISH: adds to the gradient of an earlier use of the weight */
        bool adds_bias;              /* WEIGHTS, PRODUCTS: likewise of its second weight */
    } grad;
    struct {
        OpKind act;                  /* activation in the epilogue, or OP_NONE */
        bool relu;                   /* a maxpool whose backward includes that of the relu below it */
        const Op *norm;              /* latency form: the batch_statistics whose scale and shift are in its weights; NULL: none */
    } fuse;
    struct {
        bool winograd;               /* a convolution by Winograd's algorithm */
        bool deferred;               /* deferred weight gradient: WEIGHTS stores the operands of PRODUCTS */
        bool openblas;               /* a dense layer by OpenBLAS, and its backward operators */
        const struct Latency *latency;       /* latency form: of a kernel of its own (lower/latency.h); NULL: plain loops */
    } kernel;
    bool again;                      /* forward: backward computes its result once more */
    OpSchedule *schedule;            /* forward: how its kernels' loops are cut (schedule/schedule.h); NULL: nothing to choose */
    struct {
        const Op *dropout;           /* joined: forward applies it to its result; backward multiplies dy by its 1/(1-rate) */
    } share;
};
/* The start of a state: it writes the slot before step 0. */
static inline bool op_is_start(const Op *op) { return op->write_count && op->writes[0].shift == -1; }
/* True for an operator whose result is its operand's memory under another shape or meaning: it has no code. */
static inline bool op_is_view(OpKind k) { return k == OP_reshape || k == OP_flatten || k == OP_to_real; }
/* The operator whose values `op` computes or differentiates: op->of, or itself. */
static inline const Op *forward_of(const Op *op) { return op->of ? op->of : op; }
/* What the names of its C functions begin with: its name, or that of the functions which it shares with equal operators. */
static inline const char *op_function(const Op *op) { return forward_of(op)->function ? forward_of(op)->function : forward_of(op)->name; }
/* Likewise of its pass: an operator may share the functions of its gradients with one that differs in its epilogue alone. */
static inline const char *op_pass_function(const Op *op)
{
    const Op *f = forward_of(op);
    return op->pass != FORWARD && op->pass != AGAIN && f->gradients ? f->gradients : op_function(op);
}
/* Its operands: reads, then writes. */
static inline int op_uses(const Op *op) { return op->read_count + op->write_count; }
static inline Use *op_use(const Op *op, int i) { return (Use *)(uintptr_t)(i < op->read_count ? &op->reads[i] : &op->writes[i - op->read_count]); }

/* A section: operators that run in order: once; at each step, forwards or backwards; or for all steps at once.  At each step of a repeat in a repeat, the steps of
 * the repeats around it are either all there at once, those outside of `from`, or loops around that of `repeat`.  Sections of one loop follow each other. */
typedef enum { ONCE, CORE, CORE_BACKWARD, AFTER } SectionKind;
typedef struct {
    SectionKind kind;
    Repeat *repeat;          /* NULL: ONCE */
    Repeat *from;            /* CORE, CORE_BACKWARD: of the loops around it the outermost, or `repeat` */
    int loop;                /* likewise: the number of that loop, which its sections share; else 0 */
    List ops;
} Section;
static inline bool section_loops(SectionKind kind) { return kind == CORE || kind == CORE_BACKWARD; }
/* Steps that a section has at once, whose slices lie one behind the other. */
static inline int steps_at_once(SectionKind kind, const Repeat *repeat, const Repeat *from)
{
    return kind == ONCE ? 1 : kind == AFTER ? steps_all(repeat) : steps_all(from->outer);
}

/* A walk over the operators of a list of sections, in order: for_each_op(w, &m->forward) use(w.op).  The operator may be removed by walk_remove, and
 * others may be put behind it. */
typedef struct { const List *sections; int section_at, at; Section *section; Op *op; } Walk;
bool walk_next(Walk *w);
void walk_remove(Walk *w);
#define for_each_op(w, list) for (Walk w = { (list), 0, -1, NULL, NULL }; walk_next(&w);)

/* Random changes of an input's examples in training; 0: none. */
typedef struct { Loc loc; int shift, pieces, size; double rotate, scale, noise; } AugmentDef;

/* An input or a target of the model. */
struct DataDef {
    const char *name;
    Loc loc;
    bool target;             /* of m->targets, not m->inputs */
    int number;              /* its place there */
    Shape shape;             /* labels: rank 0, [length], or any */
    int type;                /* 0 u8, 1 f32, 2 whole numbers: labels, or an input of i32 */
    int classes;
    bool classes_last;       /* the classes of logits, and of one_hot, are their last axis, not the first */
    bool ignores;            /* a loss ignores the label `ignored` */
    int ignored;
    Tensor *tensor;          /* in lane layout, labels as cross_entropy reads them; NULL until an operator reads it */
    Tensor *numbers;         /* whole numbers as a value; likewise */
    bool used;
    const AugmentDef *augment;   /* inputs only; NULL: no augmentation */
};

/* A term of the loss.  LOSS_INFO(op) has the properties of its operator. */
struct LossDef {
    int number;              /* its place in m->losses */
    Op *op;
    Tensor *value, *loss;    /* its first operand; one number per example */
    Tensor *counts;          /* one number per example: the weights of its labels that count, whose sum the loss is divided by; NULL: examples
                                and positions count */
    int target;              /* DataDef index or -1 */
    int64_t positions;       /* terms of the mean per example */
    int64_t inner;           /* cross entropy: logits are [outer][classes][inner] */
    int class_count;         /* cross entropy: classes, and their weights (NULL: all 1) */
    const double *class_weights;
    int weights_given;
    double weight;
    Loc loc;
};

typedef struct Optimiser Optimiser;      /* read/language.h */
typedef struct Schedule Schedule;
/* An entry of `train: nets:`. */
typedef struct {
    const char *key;
    Loc key_loc, loc;        /* loc: of `freeze: true`, where that is said */
    double rate_times, decay;            /* decay -1: the one of all */
    bool freeze, used;
} OwnTraining;
enum { NO_DECAY_BIAS = 1, NO_DECAY_NORMS = 2, NO_DECAY_WEIGHTS = 4 };
/* A beginning of parameter names that a use of a net, or a copy, has made. */
typedef struct { const char *net, *path; } NetPath;
enum { SCHEDULE_MAX = 8 };               /* numbers of a schedule; NET_SCHEDULE in runtime/net.h */
typedef struct {
    const Optimiser *optimiser;
    double optimiser_set[ATTR_MAX];      /* its settings, in the order of its row: [0] is the rate */
    const Schedule *schedule;
    double schedule_set[SCHEDULE_MAX];   /* likewise; all 0: the rate is constant */
    const Yaml *schedule_at;             /* where they stand; NULL: nowhere */
    double clip_element, clip_norm;      /* 0: none */
    bool clip_lasagne;
    double weight_decay;
    OwnTraining *own; int own_count;     /* of single parameters */
    unsigned no_decay;                   /* kinds without decay: NO_DECAY_..., or-ed */
    int accumulate;                      /* batches of an update */
    double average;                      /* share that the average of the weights keeps at an update; 0: there is none */
    int epochs, patience;
    uint64_t seed;
} TrainDef;

typedef struct {
    const char *target;      /* avx512, avx2, generic */
    bool plain, is_double, debug;       /* debug: plain, every tensor at a place of its own, guarded */
    bool latency;            /* of a library: the plain form's layout, with kernels for few examples; plain is set too */
    int64_t batch;           /* 0: the model's */
    int64_t memory;          /* bytes the program may use */
    const char *templates;   /* --templates DIR or NULL */
    const char *stage;       /* --stage NAME or NULL: the result of that stage is printed (pipeline.c) */
    bool inference;          /* --for inference: the forward pass alone, as a library */
    const char *form;        /* its form: lanes or latency; NULL: by the batch */
    const char *outputs;     /* its values, with commas between; NULL: the model's outputs */
    const char *weights;     /* the file or run whose weights are compiled in; NULL: none */
    const char *sets[SETS_MAX + 1];     /* --set KEY=VALUE, as given; one more place for a value that pipeline.c tries */
    int set_count;
} Options;

/* A run of operators between two barriers: group operators, where one thread runs all of them for a slice; or one whole-batch operator,
 * which divides its work among all threads. */
typedef struct {
    SectionKind kind;
    Repeat *repeat, *from;
    int loop, section;
    bool whole_batch, barrier;
    List ops;
} Phase;

typedef struct { Loc at; const char *text; } Remark;

typedef struct {
    Arena *arena;
    Diag *diag;
    Options options;
    Scope scope;             /* the model's params */
    const char *path;        /* of the file to read */
    const Source *file;      /* the model's, once it is read */
    const Yaml *root;        /* its tree; from include.c on with what it includes */
    const char *templates;   /* folders with templates of a user, one a line: that of --templates, that of `operators:`; NULL: none */
    List described;          /* const char: operators that these folders describe and the model does not mention */
    List included;           /* const Source: the files that it includes */
    const char *const *step_names;           /* while a repeat is read: its step's names, then those of repeats around it; */
    const int *step_repeats;                 /* of each name the repeat, 0 the innermost */
    int step_count;
    const char *name, *about;
    int64_t batch;
    int lanes;               /* 16; plain: 1 */
    int groups, last_examples;               /* examples of the last group: 1 to lanes */
    DataDef *inputs, *targets;
    int input_count, target_count;
    List tensors, weights, ops, repeats;     /* ops: forward, in the order of the file */
    List buffers;            /* Weight: running statistics, which no gradient changes */
    List net_paths;          /* NetPath */
    LossDef *losses;
    int loss_count;
    List outputs;            /* Tensor: what predict and the inference library give, in order (outputs.c); each has a flow_name, none depends on a target */
    bool outputs_named;      /* the model has `outputs:`; else they are what the losses read */
    TrainDef train;
    int random_places;
    List noted_rates, rates; /* rates.c: each dropout's rate as written; the Rates made of them */
    List forward, backward;  /* Section (steps.c, grad.c) */
    int loops;               /* numbers of loops given so far */
    struct Gradient *gradient;   /* grad.c: while it runs */
    List forward_phases, backward_phases;    /* Phase (plan.c) */
    int64_t activation_reals, scratch_reals, block_reals, buffer_reals;
    int64_t held_reals;      /* values behind a stop_gradient, of a whole batch and all steps */
    double forward_macs, backward_macs;
    List remarks;            /* Remark: each hoisting, fusion and removal, with its reason (printed by show and explain) */
    List parameters;         /* library: Weight: all of the net's, and its buffers; `weights` has those that are stored, in the kernels' form (store.c) */
    uint64_t hash, signature;
    Text header, example;    /* library: NAME.h, and a program that calls it */
    Text c, inspect, makefile, gdb, training;    /* emit.c: NAME.c, NAME_inspect.c, Makefile, NAME-gdb.py (gdb's printers), NAME-train.c (`train:`) */
    Tuning *tuning;          /* the fastest choices on this processor; NULL: all by rule */
} Model;

Tensor *tensor_new(Model *m, const char *name, Loc loc, Repeat *repeat);
/* A tensor in a kernel's own layout, of that many reals. */
Tensor *tensor_raw(Model *m, const char *name, const Op *op, Repeat *repeat, int64_t reals);
const char *tensor_type(const Model *m, const Tensor *t);        /* the name of its C type: "crop_t" */
Tensor *tensor_value(const Tensor *t);                           /* the tensor whose numbers t has: itself, unless it is a view */
/* Slots in front of that of step 0: 0, or one for each step of the repeats around its own. */
static inline int tensor_front(const Tensor *t)
{
    return (t->repeat && t->repeat->reverse ? t->tail : t->carried) * (t->repeat ? steps_all(t->repeat->outer) : 1);
}
Tensor *tensor_owner(const Tensor *t);                           /* the tensor whose memory t has: itself, unless t is a view or in place */
/* The range of an owner's slots in the batch's memory, in reals: from *from up to *to.  Valid after plan.c; not for a local tensor. */
void tensor_range(const Model *m, const Tensor *t, int64_t *from, int64_t *to);
char *identifier_unique(Model *m, const char *name);             /* a C identifier that no other tensor or operator has */
bool identifier_taken(const char *id);                           /* a word of C, or of the headers that the emitted C includes */
Op *op_new(Model *m, OpKind kind, Pass pass, const char *name, Loc loc);
void op_read(Op *op, Tensor *t, int shift);
void op_write(Op *op, Tensor *t, int shift);
const Attr *op_attr(const Op *op, const char *name);             /* never NULL for a name of the operator's table */
int64_t op_int(const Op *op, const char *name);
double op_real(const Op *op, const char *name);
const char *op_word(const Op *op, const char *name);
void op_pair(int64_t out[2], const Op *op, const char *name);    /* [rows, columns] */
OpKind op_kind_of(const char *word);                             /* an operator that a model may name; OP_NONE: none */
OpKind op_kind_own(const char *word);                            /* likewise of spnc's own in C, be its name hidden or not: for activations */
void remark(Model *m, Loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- ops/: one operator, one row in ops.def, one file ---------------------------------------------- */

/* Texts of an operator's page in `spnc ops NAME`, and of its help in editors. */
typedef struct {
    const char *about;       /* one line */
    const char *shapes;      /* one line: inputs -> result; parameters */
    const char *example;     /* a whole model without its name; the tests compile it; NULL: none (an operator from outside) */
} OpHelp;

typedef struct {
    const char *name;        /* in the language, and of its template */
    const char *equation;    /* one line for sections' heads and `spnc ops` */
    int inputs_min, inputs_max;
    const char *main;        /* attribute that a bare value sets in a net */
    bool layer;              /* allowed in a net; in the flow all but plumbing are allowed */
    const AttrSpec *attrs;   /* ends with name NULL */
    /* Sets the shape of writes[0]; makes the other tensors that forward writes, and the weights with their shapes.  False after reporting
     * that shapes do not fit. */
    bool (*infer)(Model *m, Op *op);
    /* Appends the operator's backward operators; dy is the whole gradient of writes[0].  See grad.c for the helpers. */
    void (*grad)(Model *m, Op *op, Use dy);
    void (*facts)(const Model *m, const Op *op, Fact *f);
    double (*macs)(const Op *op);    /* multiply-adds of one example at one step, forward; each gradient costs the same */
    bool whole_batch;        /* fast form: called once for all groups, divides its own work among the threads */
    const char *arguments;   /* C parameter kinds, outputs:inputs, last letter repeats.  t array type, f real *, a pointer to step 0,
                                i int32_t *.  spn is "tt:tf": (crop_t y, slopes_t, image_t, real *A).
                                A gradient has the kind of its value. */
    const OpHelp *help;      /* NULL: not a word of the language */
} OpInfo;
/* The `transform` of an spn, or of the operator that make.c puts before it. */
int transform_numbers(const Op *op);             /* how many numbers it has */
unsigned transform_identity(const Op *op);       /* its identity: bit i is set where number i is 1, the others are 0 */
/* The first operator behind `after` (NULL: of all) that reads t as its transform; NULL: none does. */
const Op *transform_reader(const Model *m, const Tensor *t, const Op *after);
/* Fills op_table with spnc's own operators: main's first call, before any other of this header. */
void ops_register(void);
/* By kind: spnc's own, then those from outside, op_count in all.  Filled before the first stage, the same from then on. */
extern const OpInfo *op_table[OP_NONE];
extern int op_count;
extern bool op_hidden[OP_NONE + 1];              /* by kind: a net or an operator of the user's has its name, which means that one */
extern bool op_elements[OP_NONE + 1];            /* by kind: a function of formulas (ELEMENT in ops.def).  Filled by ops_register */
/* By kind, what it does with whole numbers as inputs: refuses them; moves them about, so that its result holds them too; makes real numbers of them.
 * Filled with op_table. */
typedef enum { WHOLE_REFUSED, WHOLE_KEPT, WHOLE_TAKEN } WholeUse;
extern WholeUse op_whole[OP_NONE + 1];
static inline bool op_is_element(OpKind kind) { return op_elements[kind]; }
static inline bool op_is_cell(OpKind kind) { return kind == OP_gru || kind == OP_lstm || kind == OP_rnn; }
#define OP_INFO(op) (op_table[(op)->kind])
/* Fast form: op is called once for all groups, and divides its own work among the threads. */
static inline bool op_is_whole(const Op *op) { return OP_INFO(op)->whole_batch || (op->kind == OP_embedding && op->pass == WEIGHTS); }

/* What may stand where a loss has its last operand: a target with classes; a target of real numbers; any value of the flow. */
enum { TAKES_LABELS = 1, TAKES_REALS = 2, TAKES_VALUES = 4 };
enum { OPERANDS_MAX = 2 };

/* The second row of an operator that is a loss: properties for the language and the trainer. */
typedef struct {
    const char *word;        /* under `loss:`; NULL: the operator's name */
    const char *operands[OPERANDS_MAX];  /* names for messages; NULL behind the last, if a loss has only one */
    const char *form;        /* its operands in an example: "[a, b]" */
    int takes;               /* TAKES_..., or-ed */
    /* Called when shapes are known: checks those of the operands and sets l->positions; false after reporting. */
    bool (*fits)(Model *m, LossDef *l);
    const char *shows;       /* what the trainer shows beside it: a word of LossShows in runtime/net.h; NULL: nothing */
    bool squares;            /* its terms grow with the square of its operands, not in proportion */
} LossInfo;
extern const LossInfo *loss_table[OP_NONE + 1];  /* by kind; NULL: no loss.  Filled by ops_register */
#define LOSS_INFO(op) (loss_table[(op)->kind])
int loss_operands(const LossInfo *l);            /* its number of operands */
/* loss.c: true if there is a class weight for each of l->class_count classes; an error if not. */
bool loss_classes_fit(Model *m, LossDef *l);
const char *loss_word(OpKind kind);              /* its name under `loss:` */
OpKind loss_kind_of(const char *word);           /* OP_NONE: no loss has that name */

/* ---- model.c ... emit.c: the stages ----------------------------------------------------------------- */

/* All have one form, that of a row in pipeline.c's table; a stage that has no errors to report returns true. */
bool include_read(Model *m);     /* include.c: m->root with the nets and params of the files that it names */
bool model_build(Model *m);      /* of m->root and m->options.sets */
/* rates.c: records the dropout layer `layer` and its parsed attributes; op NULL: its rate is 0, and it is removed. */
void rate_note(Model *m, Op *op, const char *layer, const Op *parsed);
void rates_choose(Model *m);     /* at the end of model_build: Model.rates, Op.dropout.rate */
bool shape_infer(Model *m);      /* also runs after a failed model_build, to report shape errors of the operators that were built */
/* parameters.c, at the end of shape_infer: what `train:` says about single parameters goes to m->weights; a key that fits none is an error. */
void parameters_settle(Model *m);
double parameters_decay(const Model *m);     /* the decay of a parameter of which nothing else is said */
bool steps_split(Model *m);
bool forward_only(Model *m);     /* forward.c: of a library: what only training needs is removed */
bool grad_build(Model *m);
void kinks_mark(Model *m);       /* kinks.c, at the end of grad_build: which formulas have kinks that trained parameters may cross */
bool warn(Model *m);             /* after grad_build: warnings about valid models that are probably mistakes */
bool fuse(Model *m);
bool kernels_choose(Model *m);
bool identify(Model *m);         /* identity.c: m->signature and m->hash */
bool weights_store(Model *m);    /* store.c: of a library: which weights are stored, and in which form */
void layouts_choose(Model *m);       /* layout.c, after the hash: never bit-relevant */
void places_share(Model *m);         /* likewise: share.c */
/* For a Winograd convolution or its gradient: the number of Winograd tiles in one vec in a last group of few images, 4 or 2; 0: no
 * packing. */
int kernel_packs(const Model *m, const Op *op);
/* Why a convolution is not computed by Winograd's algorithm; NULL if it is. */
const char *kernel_misfit(const Model *m, const Op *op);
bool schedule(Model *m);         /* schedule.c: layouts_choose, then op->schedule; bit-neutral like the stages after it */
bool plan(Model *m);
void compute_again(Model *m);     /* again.c, once the phases are cut */
void memory_place(Model *m);      /* memory.c: places of tensors and weights, once the phases are cut */
/* identity.c: appends all bit-relevant properties of m as text; m->hash is its checksum.  Valid after kernels_choose. */
void identity_write(Text *t, const Model *m);
/* cost.c: sets Phase.barrier of the phases of a pass: true if the threads wait for each other after the phase. */
void barriers(Model *m, List *phases);
/* Work of an operator of phase p in one training step of the whole batch.  macs: multiply-adds as by direct convolution; products: those
 * executed. */
typedef struct { double calls, macs, products, bytes; } Cost;
Cost op_cost(const Model *m, const Phase *p, const Op *op);
bool op_multiplies(const Op *op);                         /* true if this pass executes the operator's multiply-adds */
int64_t train_blocks(const Model *m);                      /* blocks as long as that of the parameters which training keeps, with them and their gradients */
Cost update_cost(const Model *m);                         /* gathering, clipping, optimiser and average */
/* Every text of the generated folder: m->c, m->inspect, m->makefile, m->gdb and m->training (the sources of runtime/ and trainer/ are copied by main.c). */
bool emit(Model *m);
Fact *emit_facts(Model *m);      /* the facts of its templates; facts.c of manual documents them */

/* stage.c: the result of each stage as text, for `--stage`.  (show.h: the whole net, for `spnc show`.) */
void stage_graph(const Model *m, FILE *out);
void stage_steps(const Model *m, FILE *out);      /* the forward pass */
void stage_passes(const Model *m, FILE *out);     /* forward and backward: grad and fuse */
void stage_identity(const Model *m, FILE *out);
void stage_plan(const Model *m, FILE *out);

/* Of a dense layer or its gradients: positions of an example that go through it by themselves. */
int64_t dense_positions(const Op *op);
/* Rows and columns of the products of a matmul: its value, the gradient to its first operand, that to its second. */
void matmul_sizes(const Op *op, int sizes[3][2]);
/* grad.c's helpers for ops' grad functions. */
Op *grad_backward(Model *m, Op *op, Use dy);          /* a BACKWARD operator: from dy to the inputs' gradients (op->grad.inputs), in order; NULL: none */
Op *grad_weights(Model *m, Op *op, Use dy);           /* a WEIGHTS operator that reads dy; NULL if no weight is trained; folds are added */
void grad_append(Model *m, Op *op);                   /* another operator, behind those that backward has so far */
void grad_pass(Model *m, Op *op, int input, Use dy);  /* the gradient of input i is dy itself */
void grad_slices(Model *m, Op *op, Use dy);           /* op is a slice that moves with the step, of a value made once: the slices of all steps at once */

/* True if the first axis of an input is probably the batch.  False for three axes: as many channels as examples may be intended. */
bool batch_is_axis(const Model *m, const DataDef *d);
/* shape.c's helpers for ops' infer functions: errors with the chain of shapes that led to the input. */
bool shape_refuse(Model *m, const Op *op, const char *format, ...) __attribute__((format(printf, 3, 4)));
Weight *weight_new(Model *m, Op *op, const char *suffix, Shape shape, WeightLayout layout);    /* by the attribute `init`; the second is a bias */
Weight *weight_named(const Model *m, const char *name);         /* NULL: none so far */
Weight *weight_start(Model *m, Op *op, const char *suffix, Shape shape, WeightLayout layout, const Attr *init, bool bias);
Weight *weight_constant(Model *m, Op *op, const char *suffix, Shape shape, double value);     /* all elements start so */
/* A buffer of the net, of PREFIX.suffix, that starts as `value`: the one of that name, if an earlier use has made it. */
Weight *buffer_new(Model *m, Op *op, const char *suffix, Shape shape, double value);

/* ---- the language itself, printed from the tables that check it ------------------------------------- */

void schema_print(FILE *out);                                        /* schema.c: a JSON Schema, 2020-12 */
/* help.c: the list of operators and the rest (name NULL), or one page; false if there is none, with diag_suggestion's text. */
bool ops_print(Arena *a, FILE *out, const char *name, const char **suggestion);

/* ---- template.c: C with Lua in the margin ---------------------------------------------------------- */

/* Expands the template `name` ("conv.c.in") with `facts` as the template's globals and appends to `out`.
 * Templates are embedded at build time; a file of that name in `dir` (folders, one a line; may be NULL) is used instead.
 *   a line whose first character is %   is Lua (the rest of the line)
 *   ${expr}                             is replaced by the value: text, integer, or number; nil, false or a table is an error
 *   include("NAME.c.in", { ... })       expands another template in place: the table's fields over the current facts
 *   list(n, ", ", f[, margin[, each]])   f(0), ..., f(n - 1) in one text; with a margin in lines that begin with it, of `each` items if given
 *   plus(a, n)                           the C of a + n, or a if n is 0
 *   candidate("forward", { "4x7", ... })   the number of the fastest choice in `tuning` (may be NULL), else 1: tuning.h
 *   ipairs pairs string.format/rep/upper/lower/sub, math.floor/min/max, tostring, type, error, assert, #, are there; io, os, load, require,
 *   print, debug, string.dump, metatables are not.  Reading an unset global or an unset field of a fact is an error; facts are read-only;
 *   has(table, "key") is true if a fact is set; index("k", { 12, 1 }) is the text k1 * 12 + k2.  Locals of a template line live to the end of their block as in Lua.
 * 50 million Lua instructions and 64 MiB of Lua memory are the limits of one expansion.
 * An error is reported as PATH:LINE:COLUMN: error: text (the template's), with the line, the wrong part underlined; then come the
 * includes on the way, and a note with the operator (`op` of an include, at its place in the model), or else with `what`. */
bool template_expand(Arena *a, Diag *d, const char *dir, const char *name, const char *what, const Fact *facts, Tuning *tuning, Text *out);

#endif
