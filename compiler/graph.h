/* graph.h -- the graph that the stages work on: tensors, weights, operators, repeats, phases, and the model that has them all.
 *
 * model.c builds it, every later stage refines it. */
#ifndef SPNC_GRAPH_H
#define SPNC_GRAPH_H

#include "common.h"

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
enum { LANES = 16 };                                             /* of a vec in the emitted C: its L, in all forms; as in runtime/real.h */

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
    int steps_in_front;      /* so many of its first axes are the steps of repeats: those of a stack, and of what is computed of one element by element */
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
    int brief;               /* used within single rounds of one loop, or from one to the next: so many slots, for all rounds (1; in a repeat in a
                                repeat those of the outer steps that are there at once); 0: not so */
    int64_t slot_reals;      /* reals from the start of one slice to the next */
    int slots;
    int first_phase, last_phase;     /* its lifetime, forward's phases first: those that touch it, and all others of a loop that does; -1: none.  last_phase
                                their number: it is read when the passes are over */
    bool guarded;            /* --debug: a guard behind each slot, which is also the one before the next slot */
    int64_t offset;          /* in reals */
};

/* A tensor as an operand: of a step so many after the one that the section is at, in the order in which the tensor's repeat runs; a section outside of it
 * is at its first step.  So -1 there is the start (carried), and T the zero slot past the end (tail).  The slot of step t lies at t, in any repeat: from a
 * section's step it is t + shift, of a reverse repeat t - shift. */
typedef struct { Tensor *tensor; int shift; } Use;

/* Of a library.  W_TRANSFORMED: Winograd's U of a convolution's weight, as its PREPARE would leave it.  W_SCALES: scale and shift of each channel of a
 * batch norm, which follow from its parameters and running statistics.  W_PANELS: a dense layer's of the lanes form, [outputs / 16][inputs][16].
 * W_LATENCY, W_LATENCY_BIAS: as the kernel of the latency form reads it (lower/latency.h). */
typedef enum { W_EXPORTED, W_IN_OUT, W_TRANSFORMED, W_SCALES, W_LATENCY, W_LATENCY_BIAS, W_PANELS } WeightLayout;
/* For decay and penalties by kind: what a product or a convolution multiplies by; of a norm; a bias, or any other. */
typedef enum { W_OTHER, W_PRODUCT, W_NORM } WeightKind;
struct Weight {
    const char *name;        /* front.conv1.weight */
    const char *field;       /* front_conv1_weight: its member in struct Weights */
    Loc loc;
    Shape shape;             /* PyTorch's */
    WeightLayout layout;
    int64_t stride;          /* W_IN_OUT, W_PANELS: outputs rounded up to whole vectors */
    const Weight *of;        /* W_TRANSFORMED, W_LATENCY: the weight that is transformed; NULL: a bias that a batch norm alone makes */
    const Op *made_for;      /* of these: the operator that reads it; W_SCALES: the batch_statistics that it stands for */
    const char *init;        /* the rule of its initial values, and the rule's number: see InitSpec */
    double init_value, init_shift;       /* init_shift is added to what the rule makes */
    const double *start;     /* instead of the rule: the numbers of a file, in exported order (starts.c); NULL: none */
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

/* A layer that does nothing and is no operator, a dropout at rate 0; behind: the operator that was made before it, NULL: none. */
typedef struct {
    const char *name;        /* "classify.dropout1" */
    Loc loc;
    const struct Op *behind;
} LeftOut;

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
        bool masks;                  /* a maxpool whose backward includes that of the activation below it (op_masks) */
    } fuse;
    struct {
        bool winograd;               /* a convolution by Winograd's algorithm */
        bool deferred;               /* deferred weight gradient: WEIGHTS stores the operands of PRODUCTS */
        bool openblas;               /* a dense layer by OpenBLAS, and its backward operators */
        const struct Latency *latency;       /* latency form: of a kernel of its own (lower/latency.h); NULL: plain loops */
    } kernel;
    struct {
        const struct Formula *then;  /* formula in the epilogue, or NULL: its operand `at` is the sum, the others are read behind the first `reads`
                                        operands */
        int at, reads;
    } stores;
    struct {
        const Op *norm;              /* latency form: the batch_statistics whose scale and shift are in its weights; NULL: none */
    } fold;
    struct {
        const Op *applies;           /* batch_norm: what works element by element on its result and is computed there; NULL: none */
        const Op *host;              /* batch_norm: another one, which computes its result on the way to its own; NULL: it has its own code */
        const Op *through;           /* batch_norm, batch_gradient_sums: what `applies` had, whose gradient is taken from dy first; NULL: dy is that of the
                                        norm's result */
        const Op *sums_of;           /* batch_gradient_sums with `through`: the batch_norm whose sums they are; else NULL */
        bool gradients[INPUT_MAX];   /* batch_gradient_sums with `through`: writes the gradient of operand i of that as well */
    } norms;
    struct {
        bool by_group;               /* WEIGHTS of a dense layer: called for each group, behind what makes its operand */
    } rows;
    OpSchedule *schedule;            /* forward: how its kernels' loops are cut (schedule/schedule.h); NULL: nothing to choose */
    struct {
        const Op *dropout;           /* joined: forward applies it to its result; backward multiplies dy by its 1/(1-rate) */
    } share;
};
/* The start of a state: it writes the slot before step 0. */
static inline bool op_is_start(const Op *op) { return op->write_count && op->writes[0].shift == -1; }
/* True for an operator whose result is its operand's memory under another shape or meaning: it has no code. */
static inline bool op_is_view(OpKind k) { return k == OP_reshape || k == OP_flatten || k == OP_to_real; }
/* True for an operator that works element by element, by a formula: one of the flow, or a function of the table of formulas (lower/elements.c). */
static inline bool op_is_elementwise(OpKind k) { return k == OP_formula || k == OP_relu || k == OP_tanh || k == OP_sigmoid || k == OP_add || k == OP_multiply || k == OP_sum; }
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
typedef struct { Loc loc; bool flip; int shift, pieces, size; double rotate, scale, noise; } AugmentDef;

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
    bool state;              /* step.c: a state before the step, of reals; the caller may leave it out, then it is its start */
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
    bool behind;             /* the classes are behind the steps of a stack's formula, where another axis would fit as well */
    int class_count;         /* cross entropy: classes, and their weights (NULL: all 1) */
    const double *class_weights;
    int weights_given;
    double weight;
    Loc loc;
};

/* A term of the loss that depends on weights alone, once a batch: weight_l2 or weight_l1 under `loss:`. */
typedef struct {
    OpKind kind;
    const char *key;         /* a net, or a beginning of parameter names */
    Loc loc, key_loc;
    double weight;
    List weights;            /* Weight: what it counts (penalty.c) */
} Penalty;

typedef struct Optimiser Optimiser;      /* read/language.h */
typedef struct Schedule Schedule;
/* An entry of `train: nets:`. */
typedef struct {
    const char *key;
    Loc key_loc, loc;        /* loc: of `freeze: true`, where that is said */
    double rate_times, decay;            /* decay -1: the one of all */
    bool freeze, used;
    const Yaml *file;        /* the path of what its parameters start as; NULL: they start by their rules */
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
    const char *target;      /* a row of schedule/target.c */
    bool plain, is_double, debug;       /* debug: plain, every tensor at a place of its own, guarded */
    bool latency;            /* of a library: the plain form's layout, with kernels for few examples; plain is set too */
    int64_t batch;           /* 0: the model's */
    int64_t memory;          /* bytes the program may use */
    const char *templates;   /* --templates DIR or NULL */
    bool check;              /* spnc check: the model's mistakes are wanted, no C */
    const char *stage;       /* --stage NAME or NULL: the result of that stage is printed (pipeline.c) */
    bool portable;           /* --target portable: a library of several bodies; target: that of this one */
    bool inference;          /* --for inference: the forward pass alone, as a library */
    bool python;             /* --for python: likewise, and a package for Python that calls it */
    bool mpi;                /* --mpi: the program trains on several ranks of MPI */
    const char *form;        /* its form: lanes or latency; NULL: by the batch */
    bool step;               /* one step of its repeat in each call */
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
    int lanes;               /* LANES; plain: 1 */
    int groups, last_examples;               /* examples of the last group: 1 to lanes */
    DataDef *inputs, *targets;
    int input_count, target_count;
    List tensors, weights, ops, repeats;     /* ops: forward, in the order of the file */
    List buffers;            /* Weight: running statistics, which no gradient changes */
    List net_paths;          /* NetPath */
    LossDef *losses;
    int loss_count;
    List penalties;          /* Penalty: further terms of the loss */
    List outputs;            /* Tensor: what predict and the inference library give, in order (outputs.c); each has a flow_name, none depends on a target */
    bool outputs_named;      /* the model has `outputs:`; else they are what the losses read */
    TrainDef train;
    int random_places;
    List noted_rates, rates; /* rates.c: each dropout's rate as written; the Rates made of them */
    List left_out;           /* LeftOut */
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
    struct Fact *facts;      /* library: those of the net; emit.c */
    int64_t workspace;       /* likewise: bytes of a workspace */
    Text front;              /* portable library: NAME.c; the net itself, a body, is `c` */
    Text onnx;               /* onnx.c: the net as lines of an ONNX graph, or why there is none */
    Text header, example;    /* library: NAME.h, and a program that calls it */
    struct { Text package, wheel, project; } python;     /* --for python: NAME/__init__.py, spnc_wheel.py, pyproject.toml */
    Text c, inspect, makefile, gdb, training;    /* emit.c: NAME.c, NAME_inspect.c, Makefile, NAME-gdb.py (gdb's printers), NAME-train.c (`train:`) */
    Text start, start_numbers;   /* start.c: NAME_start.c, NAME.start; empty: no parameter starts from a file, or NAME_start.c has the numbers itself */
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
    return t->brief ? 0 : (t->repeat && t->repeat->reverse ? t->tail : t->carried) * (t->repeat ? steps_all(t->repeat->outer) : 1);
}
Tensor *tensor_owner(const Tensor *t);                           /* the tensor whose memory t has: itself, unless t is a view or in place */
bool tensor_is_read(const Model *m, const Tensor *t);            /* does an operator of the graph read it? */
/* Of whole numbers: the class that a loss ignores among the labels that they come from; -1: none, CLASSES_DIFFER: not the same of all these. */
enum { CLASSES_DIFFER = -2 };
int tensor_ignored_class(const Tensor *t);
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

#endif
