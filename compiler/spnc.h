/* spnc.h -- the map of the compiler: every shared type and prototype, in the order of the pipeline.
 *
 *   arena  diag  read  expr | model  shape  steps  grad  fuse  kernel  plan  emit | fact  template  (outside.h: operators that are not spnc's own)
 *
 * pipeline.c has the table of the stages in that order; each stage is a file of that name (model leans on the other readers in graph/, emit on call, template on sandbox).  A stage
 * reports every mistake it finds to the Diag and returns false; the next one does not run then.
 * All memory belongs to the one Arena of the compilation; nobody else frees. */
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
int list_index(const List *l, const void *item);          /* where the item stands first, or -1 */

/* A growing text; text is always NUL-terminated (NULL while empty). */
typedef struct { Arena *arena; char *text; size_t length, room; } Text;
void text_add(Text *t, const char *bytes, size_t n);
void text_printf(Text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A bug of ours: prints file:line, exits 70.  Never the user's fault. */
_Noreturn void unreachable_at(const char *file, int line, const char *what);
#define unreachable(what) unreachable_at(__FILE__, __LINE__, (what))

/* ---- diag.c: what is wrong, and where --------------------------------------------------------- */

/* A file that places are in: its path as messages show it, and its text without a byte order mark (NULL: no line of it is quoted).
 * Places point to it, so it lives as long as the arena. */
typedef struct { const char *path, *text; size_t length; } Source;
const Source *source_new(Arena *a, const char *path, const char *text, size_t length);

/* A span of a file; line and column count from 1 (column in characters).  line 0: no place in it; column 0: the whole line; file NULL: no file. */
typedef struct { int line, column, length; const Source *file; } Loc;

typedef struct Diag Diag;
Diag *diag_new(Arena *a, FILE *out, bool json, bool colour);
/* The file that messages without a file are about, the model's: JSON gives its path. */
void diag_source(Diag *d, const Source *file);
void diag_error(Diag *d, Loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_warning(Diag *d, Loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A note belongs to the error or warning before it.  at.line 0 prints "note: text" without a place; a place is printed with its file's path and line. */
void diag_note(Diag *d, Loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));
int diag_errors(const Diag *d);
/* For the end of a message about `word`: "; did you mean 'conv'?" with the word of words[0..count) nearest by edit distance, or "" when none is near. */
const char *diag_suggestion(Arena *a, const char *word, const char *const *words, int count);

/* ---- read.c: libyaml events -> a tree that knows its lines --------------------------------------- */

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
/* The document in the file's text, to which all its places point; NULL after reporting errors: syntax, duplicate keys, aliases and anchors (refused),
 * tags (refused), nesting deeper than 64, several documents, an empty one, text over 1 MiB, wrong UTF-8. */
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
    Loc loc;             /* where the file gives it */
    bool set;            /* overridden on the command line; set_text is "d=8" */
    const char *set_text;
    int reads;           /* how many expressions have read it, */
    int net_reads;       /* and how many of them before `train:`, which is read last */
    bool refused;        /* its value is wrong, and has been reported: what reads it fails silently */
} Param;
typedef struct { Param *params; int count; } Scope;
const Param *scope_param(const Scope *scope, const char *name);  /* NULL if there is none */

/* A scalar without $ that is a number (3, -2, 5e-4, .5) is that number; `$name` is the parameter; anything with $ or an operator
 * (+ - * / // % ( ), floor(x), ceil(x), min(x,y), max(x,y)) is arithmetic.  Quoted text without $ and every other plain word is
 * VALUE_TEXT.  int op int stays int when the result is whole (100 / 4 is 25, 100 / 3 is 33.33...); // rounds down.
 * Reports division by zero, overflow beyond 2^53, unknown parameters (nearest name) and syntax with the exact column. */
bool expr_value(Arena *a, Diag *d, Scope *scope, const Yaml *scalar, Value *out);
/* params: { name: value, ... } of the model, in order (later ones may use earlier ones), then `--set key=value` texts.
 * A --set of an unknown name, or one that does not fit the kind (number for number, text for text), is an error. */
bool expr_params(Arena *a, Diag *d, const Yaml *params, const char *const *sets, int set_count, Scope *out);

/* ---- fact.c: what templates are told -------------------------------------------------------------- */

/* A tree of plain facts that sandbox.c turns into read-only Lua tables. */
typedef struct Fact Fact;
Fact *fact_table(Arena *a);
void fact_int(Fact *t, const char *key, int64_t v);
void fact_real(Fact *t, const char *key, double v);
void fact_bool(Fact *t, const char *key, bool v);
void fact_text(Fact *t, const char *key, const char *v);
void fact_set(Fact *t, const char *key, Fact *sub);
void fact_place(Fact *t, Loc at);                         /* the fields line, column, span; and where messages about the table point */
void fact_push(Fact *list, Fact *item);                   /* list items are 1, 2, ... in Lua */
void fact_push_text(Fact *list, const char *v);
void fact_push_int(Fact *list, int64_t v);

/* ---- the graph: what model.c builds and every later stage refines ---------------------------------- */

typedef enum {
#define OP(name) OP_##name,
#include "ops/ops.def"
    OP_COUNT,                                /* from here on: those that outside.c has read */
    OP_NONE = OP_COUNT + 64                  /* no operator; and how many there may be */
} OpKind;

/* FORWARD computes values; BACKWARD the gradients of an operator's inputs; WEIGHTS those of its parameters
 * (per group of examples, or whole batch); FOLD adds the groups' parts of one parameter in a fixed tree; or WEIGHTS leaves each group's terms, and
 * PRODUCTS multiplies and adds those of the whole batch, in the same order.  PREPARE and FINISH bring
 * weights into a kernel's own form at the beginning of a step, and their gradient back at its end. */
typedef enum { FORWARD, BACKWARD, WEIGHTS, PRODUCTS, FOLD, PREPARE, FINISH } Pass;

enum { RANK_MAX = 6, INPUT_MAX = 32, ATTR_MAX = 16, STEPS_MAX = 4096, PARAMS_MAX = 256, NETS_MAX = 256, SETS_MAX = 256 };
/* Sizes stay below 2^31 elements, so that every index fits an int in the emitted C. */
#define ELEMENTS_MAX ((int64_t)1 << 31)
enum { GUARD = 16 };                                             /* reals of a guard: --debug */

typedef struct { int rank; int64_t dim[RANK_MAX]; } Shape;      /* of one example at one step; rank 0 is one number */
int64_t shape_count(const Shape *s);
bool shape_equal(const Shape *a, const Shape *b);
char *shape_text(Arena *a, const Shape *s);                      /* "20x9x9" */

typedef struct Repeat Repeat;
typedef struct Tensor Tensor;
typedef struct Weight Weight;
typedef struct Op Op;
typedef struct Tuning Tuning;

/* A repeat: its body runs `steps` times.  steps.c deals its operators out to three sections. */
struct Repeat {
    const char *name;        /* repeat1, repeat2, ... */
    int steps;
    Loc loc;
    List states;             /* Tensor: carried from step to step */
};

/* What a tensor's memory holds, for each group of lanes. */
typedef enum { REALS, WINNERS, LABELS_I32, PARTS, RAW, BYTES, FLOATS } Space;

/* A value, a gradient, or what forward keeps for backward.  Made in a repeat (and depending on the step) it is stacked: one slot a step. */
struct Tensor {
    const char *name;        /* C identifier, unique */
    const char *flow_name;   /* its name in the flow, or NULL */
    Loc loc;
    Shape shape;
    Space space;             /* REALS unless it is a winner mask, labels, one group's part of a weight gradient, RAW: a kernel's own layout,
                                or BYTES, FLOATS: an input as it came, one example after the other; bytes with room to read a word at the last */
    int64_t reals;           /* RAW: reals of one slot */
    bool work;               /* RAW: a kernel's working memory, its last argument */
    bool shared;             /* RAW: one for the whole batch */
    Repeat *repeat;          /* stacked over its steps; NULL: once */
    bool carried;            /* one more slot in front: the state before step 0 */
    bool tail;               /* one more slot behind, zero: the gradient that arrives from beyond the last step */
    Op *op;                  /* who makes it; NULL for inputs until a load is made */
    int hoisted;             /* written in a repeat of so many steps, but the same at each and made once before it; else 0 */
    Tensor *view_of;         /* shares that tensor's memory under another shape */
    Tensor *over;            /* share.c: takes the place of that one, which nobody needs as it was */
    bool trained;            /* depends on a parameter: its gradient is wanted */
    bool needed;             /* warn.c: the loss depends on it */
    Tensor *start;           /* carried: the value before step 0 (NULL: zeros) */
    Weight *start_weight;    /* carried with a trained start */
    List grads;              /* grad.c: Use, what its readers contribute */
    /* plan.c */
    bool local;              /* lives within one phase: in a thread's scratch */
    int64_t slot_reals;      /* reals from one group (and step) to the next */
    int slots, first, last;  /* slots; first and last phase (local: operator in the phase) that touch it */
    bool guarded;            /* --debug: a guard behind each slot, and so before the next */
    int64_t offset;          /* in reals */
};

/* A tensor as an operator reads or writes it: at its own step + shift.  In a section that is not stepped, shift is the step itself. */
typedef struct { Tensor *tensor; int shift; } Use;

typedef enum { W_EXPORTED, W_IN_OUT } WeightLayout;
struct Weight {
    const char *name;        /* front.conv1.weight */
    const char *field;       /* front_conv1_weight: its member in struct Weights */
    Loc loc;
    Shape shape;             /* PyTorch's */
    WeightLayout layout;
    int64_t stride;          /* W_IN_OUT: outputs rounded up to whole vectors */
    const char *init;        /* the rule by which its elements start, and the rule's number: see InitSpec */
    double init_value;
    int64_t offset, reals;   /* in the block; with padding */
    bool trained;            /* the loss depends on it */
    int uses;                /* WEIGHTS operators so far: the second adds to the first */
};

typedef enum { ATTR_INT, ATTR_PAIR, ATTR_REAL, ATTR_WORD, ATTR_BOOL, ATTR_INIT, ATTR_SHAPE, ATTR_NAME, ATTR_TREE } AttrType;      /* ATTR_TREE: see language.h */
typedef struct {
    const char *name;
    AttrType type;
    const char *fallback;    /* as it would be written; NULL: required; "": absent is fine */
    double low, high;        /* numbers: the range that makes sense */
    const char *choices;     /* ATTR_WORD: "zero clamp legacy" */
    const char *help;
} AttrSpec;
typedef struct {
    const AttrSpec *spec;
    Loc loc;
    bool given;
    const char *text;        /* one value: as written */
    int count;               /* numbers */
    double number[RANK_MAX];
    const char *word;
} Attr;

/* A dropout rate that a run may set. */
enum { RATES_MAX = 16 };     /* later ones are compiled in; NET_RATES in runtime/net.h */
typedef struct {
    const char *name;        /* "dropout", a parameter of the model, or "classify.dropout1.rate" */
    const char *variable;    /* in the C: dropout_rate */
    double value;            /* the model's */
    double factor;           /* the largest by which a layer multiplies it */
    bool removed;            /* its layers are not there: the model's rate is 0 */
} Rate;

struct Op {
    OpKind kind;
    Pass pass;
    const char *name;        /* C identifier, unique among forward operators; a backward operator bears its forward operator's */
    Loc loc;
    Op *of;                  /* the forward operator of a BACKWARD or WEIGHTS */
    Use reads[INPUT_MAX];    /* in the order of the emitted function's arguments: writes, reads, weights */
    int read_count;
    Use writes[INPUT_MAX];
    int write_count;
    Weight *weights[3];
    int weight_count;
    const char *prefix;      /* of its weights' names: front.conv1 */
    const char *suffix[2];   /* weight and bias, or weight_ih and bias_ih */
    Attr attrs[ATTR_MAX];
    int attr_count;
    bool grads[INPUT_MAX];   /* forward: is the gradient to input i wanted (grad.c) */
    bool keeps;              /* forward keeps something for backward (writes[1]) */
    OpKind act;              /* fuse.c: activation in the epilogue, or OP_NONE */
    bool winograd;           /* kernel.c: a convolution by Winograd's algorithm */
    bool gathers;            /* kernel.c: WEIGHTS that leaves terms for PRODUCTS */
    bool openblas;           /* kernel.c: a dense layer by OpenBLAS, and its backward operators */
    const struct Told *told; /* outside.h: sizes, from the description of an operator that is not spnc's own */
    bool relu;               /* fuse.c: a maxpool whose backward takes the relu below it along */
    bool accumulate;         /* WEIGHTS, FOLD: adds to what an earlier use left */
    int random_place;        /* dropout: its number among the model's places */
    const Op *drop;          /* share.c: the dropout that its result goes through as it is stored; gradients: that theirs comes from */
    const Rate *rate;        /* and the setting that its rate is, times rate_factor; NULL: compiled in */
    double rate_factor;
    int index;               /* load, labels: which input or target; loss: which loss; pick: step */
    const char *family;      /* the net it belongs to, or "" */
    Repeat *repeat;          /* in whose body it was written; steps.c clears it where it was hoisted */
};

/* Operators that run in order: once; at each step, forwards or backwards; or for all steps at once. */
typedef enum { ONCE, CORE, CORE_BACKWARD, AFTER } SectionKind;
typedef struct { SectionKind kind; Repeat *repeat; List ops; } Section;

/* What training does to each example of an input; 0: nothing. */
typedef struct { Loc loc; int shift, pieces, size; double rotate, scale, noise; } AugmentDef;

typedef struct {
    const char *name;
    Loc loc;
    Shape shape;             /* labels: rank 0 or [length] */
    int type;                /* 0 u8, 1 f32, 2 labels */
    int classes;
    Tensor *tensor;          /* as lanes; NULL until somebody reads it */
    bool used;
    const AugmentDef *augment;   /* inputs only; NULL: as they are */
} DataDef;

/* A term of the loss.  What its operator's row says of all of its kind is LOSS_INFO(op). */
typedef struct {
    Op *op;
    Tensor *value, *loss;    /* its first operand; one number per example */
    int target;              /* DataDef index or -1 */
    int64_t positions;       /* terms of the mean per example */
    double weight;
    Loc loc;
} LossDef;

typedef struct Optimiser Optimiser;      /* read/language.h */
typedef struct Schedule Schedule;
enum { SCHEDULE_MAX = 8 };               /* numbers of a schedule; NET_SCHEDULE in runtime/net.h */
typedef struct {
    const Optimiser *optimiser;
    double optimiser_set[ATTR_MAX];      /* its settings, in the order of its row: [0] is the rate */
    const Schedule *schedule;
    double schedule_set[SCHEDULE_MAX];   /* likewise; all 0: the rate is constant */
    double clip_element, clip_norm;      /* 0: none */
    bool clip_lasagne;
    double weight_decay;
    int epochs, patience;
    uint64_t seed;
} TrainDef;

typedef struct {
    const char *target;      /* avx512, avx2, generic */
    bool plain, is_double, debug;       /* debug: plain, every tensor at a place of its own, guarded */
    int64_t batch;           /* 0: the model's */
    int64_t memory;          /* bytes the program may use */
    const char *templates;   /* --templates DIR or NULL */
    const char *stage;       /* --stage NAME or NULL: what that stage left is printed (pipeline.c) */
    const char *sets[SETS_MAX + 1];     /* --set KEY=VALUE, as given; with room for one more, which pipeline.c tries */
    int set_count;
} Options;

/* A run of operators between two barriers: group operators, run for one group (and step) after the other, each by one thread;
 * or one whole-batch operator, shared out inside. */
typedef struct { SectionKind kind; Repeat *repeat; bool whole_batch, barrier; List ops; int section; } Phase;

typedef struct { Loc at; const char *text; } Remark;

typedef struct {
    Arena *arena;
    Diag *diag;
    Options options;
    Scope scope;             /* the model's params */
    const char *path;        /* of the file to read */
    const Source *file;      /* the model's, once it is read */
    const Yaml *root;        /* its tree */
    const char *name, *about;
    int64_t batch;
    int lanes;               /* 16; plain: 1 */
    int groups, last_examples;               /* examples of the last group: 1 to lanes */
    DataDef *inputs, *targets;
    int input_count, target_count;
    List tensors, weights, ops, repeats;     /* ops: forward, in the order of the file */
    LossDef *losses;
    int loss_count;
    TrainDef train;
    int random_places;
    List noted_rates, rates; /* rates.c: every dropout's rate as it is written; Rate */
    List forward, backward;  /* Section (steps.c, grad.c) */
    List forward_phases, backward_phases;    /* Phase (plan.c) */
    int64_t activation_reals, scratch_reals, block_reals;
    double forward_macs, backward_macs;
    List remarks;            /* Remark: what was hoisted, fused, removed, and why (printed by show and explain) */
    uint64_t hash, signature;
    Text c, makefile, gdb, training;     /* emit.c: NAME.c, Makefile, NAME-gdb.py (how gdb shows its tensors), NAME-train.c (what `train:` says) */
    Tuning *tuning;          /* what is fastest on this processor; NULL: nobody asks */
} Model;

Tensor *tensor_new(Model *m, const char *name, Loc loc, Repeat *repeat);
Tensor *tensor_value(const Tensor *t);                           /* the tensor whose numbers t has: itself, unless it is a view */
Tensor *tensor_owner(const Tensor *t);                           /* the tensor whose memory t has: itself, unless it is a view, or takes another's place */
/* Where all slots of an owner lie in the batch's memory, in reals: from *from up to *to.  After plan.c; not for a local one. */
void tensor_range(const Model *m, const Tensor *t, int64_t *from, int64_t *to);
char *identifier_unique(Model *m, const char *name);             /* a C identifier no other tensor or operator bears */
Op *op_new(Model *m, OpKind kind, Pass pass, const char *name, Loc loc);
void op_read(Op *op, Tensor *t, int shift);
void op_write(Op *op, Tensor *t, int shift);
const Attr *op_attr(const Op *op, const char *name);             /* never NULL for a name of the operator's table */
int64_t op_int(const Op *op, const char *name);
double op_real(const Op *op, const char *name);
const char *op_word(const Op *op, const char *name);
void op_pair(int64_t out[2], const Op *op, const char *name);    /* [rows, columns] */
void remark(Model *m, Loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- ops/: one operator, one row in ops.def, one file ---------------------------------------------- */

/* An operator's page in `spnc ops NAME`, and what editors show of it. */
typedef struct {
    const char *about;       /* one line */
    const char *shapes;      /* one line: inputs -> result; parameters */
    const char *example;     /* a whole model but for its name; the tests compile it; NULL: an operator from outside shows none */
} OpHelp;

typedef struct {
    const char *name;        /* in the language, and of its template */
    const char *equation;    /* one line for sections' heads and `spnc ops` */
    int inputs_min, inputs_max;
    const char *main;        /* attribute that a bare value sets in a net */
    bool layer;              /* may stand in a net; all but plumbing may stand in the flow */
    const AttrSpec *attrs;   /* ends with name NULL */
    /* Sets writes[0]'s shape (and makes what else forward writes, and the weights' shapes); reports and returns false if it does not fit. */
    bool (*infer)(Model *m, Op *op);
    /* Appends the operator's backward operators; dy is the whole gradient of writes[0].  See grad.c for the helpers. */
    void (*grad)(Model *m, Op *op, Use dy);
    void (*facts)(const Model *m, const Op *op, Fact *f);
    double (*macs)(const Op *op);    /* multiply-adds of one example at one step, forward; each gradient costs the same */
    bool whole_batch;        /* fast form: called for all groups at once, shared out inside */
    const char *arguments;   /* how the emitted functions take what forward writes ":" reads: t its array type, f a flat pointer,
                                a a pointer to the array at step 0, i int32_t; the last letter goes on.  Gradients are taken as their values are. */
    const OpHelp *help;      /* NULL: never written by a user */
} OpInfo;
/* Fills op_table with spnc's own operators: main's first call, before any other of this header. */
void ops_register(void);
/* By kind: spnc's own, then those from outside, op_count in all.  Filled before the first stage, the same from then on. */
extern const OpInfo *op_table[OP_NONE];
extern int op_count;
#define OP_INFO(op) (op_table[(op)->kind])

/* What may stand where a loss has its last operand: a target with classes; a target of real numbers; any value of the flow. */
enum { TAKES_LABELS = 1, TAKES_REALS = 2, TAKES_VALUES = 4 };
enum { OPERANDS_MAX = 2 };

/* An operator that is a loss has a second row, with what the language and the trainer do with losses. */
typedef struct {
    const char *operands[OPERANDS_MAX];  /* what each is called in messages; a loss of one has NULL behind it */
    const char *form;        /* its operands in an example: "[a, b]" */
    int takes;               /* TAKES_..., added */
    /* After shapes are known: do those of its operands fit?  Sets l->positions; reports and returns false if not. */
    bool (*fits)(Model *m, LossDef *l);
    bool shows_wrong;        /* its first operand has a logit for each class of the target: the share of wrong labels is shown beside it */
    bool squares;            /* its terms grow as the squares of what it reads, not in proportion */
} LossInfo;
extern const LossInfo *loss_table[OP_NONE + 1];  /* by kind; NULL: no loss.  Filled by ops_register */
#define LOSS_INFO(op) (loss_table[(op)->kind])
int loss_operands(const LossInfo *l);            /* how many it takes */

/* ---- model.c ... emit.c: the stages ----------------------------------------------------------------- */

/* All have one form, that of a row in pipeline.c's table; those that refuse nothing return true. */
bool model_build(Model *m);      /* of m->root and m->options.sets */
/* rates.c: the dropout layer `layer` stands in the model, with the parsed attributes; op NULL: it does nothing and is removed. */
void rate_note(Model *m, Op *op, const char *layer, const Op *parsed);
void rates_choose(Model *m);     /* at the end of model_build: Model.rates, Op.rate */
bool shape_infer(Model *m);      /* also after model_build has refused: what it could build has shapes, and mistakes in them */
bool steps_split(Model *m);
bool grad_build(Model *m);
bool warn(Model *m);             /* after grad_build: what is not wrong but hardly meant */
bool fuse(Model *m);
bool kernels_choose(Model *m);
bool identify(Model *m);         /* identity.c: m->signature and m->hash */
void layouts_choose(Model *m);       /* after the hash: never bit-relevant */
void places_share(Model *m);         /* likewise: share.c */
/* Of a convolution by Winograd's algorithm, or a gradient of it: how many of its tiles share a vec in the last group, which has few images: 4 or 2; else 0. */
int kernel_packs(const Model *m, const Op *op);
const char *kernel_name(const Model *m, const Op *op);    /* how a forward operator is computed, in a few words */
const char *kernel_reason(const Model *m, const Op *op);  /* by which rule: a sentence */
bool plan(Model *m);
/* identity.c: the text that says all that decides the bits of m, of which m->hash is the checksum.  After kernels_choose. */
void identity_write(Text *t, const Model *m);
/* cost.c: sets Phase.barrier: whether the threads wait for each other after it (phases: those of a pass). */
void barriers(Model *m, List *phases);
/* What an operator of phase p does in a step of the whole batch; macs are multiply-adds by direct convolution, products those that are made. */
typedef struct { double calls, macs, products, bytes; } Cost;
Cost op_cost(const Model *m, const Phase *p, const Op *op);
bool op_multiplies(const Op *op);                         /* are its operator's multiply-adds made in this pass of it? */
Cost update_cost(const Model *m);                         /* clipping and optimiser */
/* Every text of the generated folder: m->c, m->makefile, m->gdb and m->training (the sources of runtime/ and trainer/ are copied by main.c). */
bool emit(Model *m);
Fact *emit_facts(Model *m);      /* what its templates are told; manual.c says what it means */

/* stage.c: what each stage left, as text: for the table of stages.  (show.h: the whole net, for its reader.) */
void stage_graph(const Model *m, FILE *out);
void stage_steps(const Model *m, FILE *out);      /* the forward pass */
void stage_passes(const Model *m, FILE *out);     /* forward and backward: grad and fuse */
void stage_identity(const Model *m, FILE *out);
void stage_plan(const Model *m, FILE *out);

/* grad.c's helpers for ops' grad functions. */
Op *grad_backward(Model *m, Op *op, Use dy);          /* a BACKWARD operator that reads dy, writes the wanted gradients of op's reads in order */
Op *grad_weights(Model *m, Op *op, Use dy);           /* a WEIGHTS operator that reads dy; NULL if no weight is trained; folds are added */
void grad_pass(Model *m, Op *op, int input, Use dy);  /* the gradient of input i is dy itself */

/* Does it look as if the batch were the first axis of an input?  Not where there are three: as many channels as examples may well be meant. */
bool batch_is_axis(const Model *m, const DataDef *d);
/* shape.c's helpers for ops' infer functions: errors with the chain of shapes that led to the input. */
bool shape_refuse(Model *m, const Op *op, const char *format, ...) __attribute__((format(printf, 3, 4)));
Weight *weight_new(Model *m, Op *op, const char *suffix, Shape shape, WeightLayout layout);    /* by the attribute `init`; the second is a bias */
Weight *weight_start(Model *m, Op *op, const char *suffix, Shape shape, WeightLayout layout, const Attr *init, bool bias);

/* ---- the language itself, printed from the tables that check it ------------------------------------- */

void schema_print(FILE *out);                                        /* schema.c: a JSON Schema, 2020-12 */
/* help.c: the list of operators and the rest (name NULL), or one page; false if there is none, with diag_suggestion's text. */
bool ops_print(Arena *a, FILE *out, const char *name, const char **suggestion);

/* ---- template.c: C with Lua in the margin ---------------------------------------------------------- */

/* Expands the template `name` ("conv.c.in") with `facts` as the template's globals and appends to `out`.
 * Templates are embedded at build time; a file of that name in `dir` (may be NULL) is used instead.
 *   a line whose first character is %   is Lua (the rest of the line)
 *   ${expr}                             is replaced by the value: text, integer, or number; nil, false or a table is an error
 *   include("NAME.c.in", { ... })       expands another template in place: the table's fields over the current facts
 *   candidate("forward", { "4x7", ... })   the number of the choice that `tuning` (may be NULL) knows to be fastest, else 1: tuning.h
 *   ipairs pairs string.format/rep/upper/lower/sub, math.floor/min/max, tostring, type, error, assert, #, are there; io, os, load, require,
 *   print, debug, string.dump, metatables are not.  Reading an unset global or an unset field of a fact is an error; facts are read-only;
 *   has(table, "key") asks whether a fact is set.  Locals of a template line live to the end of their block as in Lua.
 * 50 million Lua instructions and 256 MiB of Lua memory are the limits of one expansion.
 * An error is reported as PATH:LINE:COLUMN: error: text (the template's), with the line and what of it is wrong underlined; then come the
 * includes on the way, and a note with the operator (`op` of an include, at its place in the model) or else `what` was being expanded. */
bool template_expand(Arena *a, Diag *d, const char *dir, const char *name, const char *what, const Fact *facts, Tuning *tuning, Text *out);

#endif
