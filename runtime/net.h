/* net.h -- the interface between a generated net (NAME.c) and the trainer, in both directions.
 *
 * NAME.c defines one `const Net net`: tables (parameters, inputs, targets, outputs, losses) and a few functions; NAME-train.c has the
 * settings of the model's `train:`.
 * The trainer (main.c, train.c, check.c, ...) uses nothing else of a net.
 * All memory of the net is allocated once by net.open(); nothing is allocated after that.
 * Everything here counts examples as N = net.batch; `real` is float or double (real.h). */
#ifndef SPN_H
#define SPN_H

#include <stdint.h>
#include <stddef.h>
#include "real.h"

enum { NET_LOSSES = 64, NET_RANK = 6, NET_STATES = 8, NET_REPEATS = 4 };

/* How a parameter lies in its block: EXPORTED is PyTorch's order, [rows][rest...]; IN_OUT is a dense weight kept as
 * [in][stride] with the outputs side by side (stride = outputs rounded up to whole vectors; the padding stays zero). */
typedef enum { EXPORTED, IN_OUT } Layout;

/* The rules by which a parameter's elements start: INIT_WORD here, start_word in trainer/run/weights.c. */
#define NET_STARTS(X) X(CONSTANT, constant) X(UNIFORM, uniform) X(NORMAL, normal) X(ORTHOGONAL, orthogonal) X(IDENTITY_AFFINE, identity_affine) X(FORGET_GATE, forget_gate) X(ONES_AT, ones_at)
#define NET_INIT(upper, lower) INIT_##upper,
typedef enum { NET_STARTS(NET_INIT) INITS } Init;
#undef NET_INIT

typedef struct {
    const char *name;             /* "classify.conv1.weight" */
    int rank, shape[NET_RANK];    /* PyTorch's shape */
    Layout layout;
    int stride;                   /* IN_OUT: reals from one input's row to the next */
    size_t offset, count;         /* place in the block of all parameters, in reals; exported elements (product of shape) */
    Init init;
    double init_value;            /* the rule's number: the constant, the bound of the uniform, or the standard deviation */
    int yaml_line;
    int frozen;                   /* no update changes it; what stands for its gradient means nothing */
} NetParam;

/* A use of a batch norm in the flow. */
typedef struct {
    const char *name;             /* "front.batch_norm1" */
    int positions;                /* numbers of a channel that one example has, at one step */
    int yaml_line;
} NetNorm;

struct Batch;

/* An input or a target of the model. */
typedef enum { U8_OVER_255, F32, LABELS } DataType;      /* LABELS: whole numbers from 0 to classes - 1, of a target or an input */
typedef struct {
    const char *name;
    DataType type;
    int rank, shape[NET_RANK];    /* of one example; a target of LABELS: rank 0 (one label) or 1 (length) */
    size_t count;                 /* elements of one example */
    int classes;                  /* LABELS: their number */
} NetData;

/* A name of the flow. */
typedef struct {
    const char *name;
    int steps;                    /* 0, or T for a name made in a repeat: shape is then that of one step; of a repeat in a repeat those of all together */
    int rank, shape[NET_RANK];
    size_t count;                 /* elements of one example at one step */
    size_t offset;                /* place in the activation memory, in reals: [steps or 1][groups] slots of [count][lanes]; to be read before backward or step */
    int once;                     /* made in a repeat, but the same at each step: kept as [groups] slots */
    size_t slot;                  /* reals from one slot to the next; count * lanes, or more with a guard behind each (--debug) */
    int transform;                /* an spn reads it as a transform [2][3] */
    int output;                   /* predict gives it: the model's `outputs:`; or what its losses read, and transforms */
} NetValue;

/* A tensor of a repeat in a repeat: the steps of each, the outermost first. */
typedef struct {
    const char *tensor;           /* its name in the C */
    int value;                    /* the value of the flow that it is, an index into values, or -1 */
    int repeats, repeat[NET_REPEATS];
    int kept;                     /* it has slots for the steps of so many of them, and is the same at each step of the others */
} NetNest;

/* A term of the loss.  SHOWS_WRONG: its value has a logit for each class of the target, and the share of wrong labels is shown beside it;
 * SHOWS_BITS: a logit for each element of the target, share of wrong bits; SHOWS_SQUARE: real numbers, root mean square of the difference.
 * How it grows with what it reads: in proportion, or as the square. */
typedef enum { SHOWS_NOTHING, SHOWS_WRONG, SHOWS_BITS, SHOWS_SQUARE } LossShows;
typedef enum { GROWS_EVENLY, GROWS_SQUARED } LossGrowth;
/* What is left of it where the prediction is as good as it can be: nothing, or the entropy of smoothed labels, of shares, of bits that are shares. */
typedef enum { LEAST_ZERO, LEAST_SMOOTHED, LEAST_SHARES, LEAST_BITS } LossLeast;
typedef struct {
    LossShows shows;
    LossGrowth growth;
    int value;                    /* index into values: the first operand that is one (from value_count on: without a name), or -1: all are inputs and targets */
    int target;                   /* index into targets, or -1: there is none */
    int positions;                /* SHOWS_WRONG, and SHOWS_BITS of labels: predictions per example; else 1 */
    double weight;
    int yaml_line;
    int inner;                    /* SHOWS_WRONG: the logits are [positions / inner][classes][inner] */
    int ignores, ignored;         /* 1: labels `ignored` do not count */
    double (*count)(const struct Batch *batch);      /* what it was divided by in the forward pass just done; NULL: examples and positions */
    LossLeast least;
    double smoothing;             /* of LEAST_SMOOTHED and LEAST_SHARES */
    const double *class_weights;  /* likewise; NULL: all 1 */
} NetLoss;

/* A dropout rate that a run may set. */
enum { NET_RATES = 16 };
typedef struct {
    const char *name;             /* "dropout", a parameter of the model, or "classify.dropout1.rate" */
    double *rate;                 /* its place in NAME.c; NULL: it is 0 in the model, and its layers are left out */
    double factor;                /* the largest by which a layer multiplies it */
} NetRate;

/* A number of the schedule, which a run may set. */
enum { NET_SCHEDULE = 8 };
typedef struct {
    const char *name;             /* as --set has it: "train.divide" */
    int whole;                    /* a whole number, from 0 */
    int zero;                     /* 0 is allowed; else it must be above 0 */
    const char *what;             /* its meaning */
} NetSetting;

/* What a parameter starts as instead of by its rule: numbers of a file that the model names. */
typedef struct {
    int at;                       /* the number of the parameter; from param_count on of a running statistic; -1: the end of a list */
    const real *numbers;          /* in exported order */
} NetStart;

typedef struct {
    const char *optimiser;        /* its name; its settings but for the rate are constants in NAME-train.c */
    double rate;
    double schedule[NET_SCHEDULE];     /* of net.schedule */
    int epochs, patience;
    uint64_t seed;
    double dropout[NET_RATES];    /* of net.rates */
    const NetStart *starts;       /* a list; NULL: all parameters start by their rules */
} NetTraining;

/* In NAME-train.c: an edit of the model's `train:` changes these. */
extern const NetTraining net_training;
extern const char net_hash[], net_settings[], net_yaml[], *const net_onnx[];

/* Values behind a stop_gradient: a difference of two losses must not see them move, as the gradient does not. */
typedef struct Held { real *values; int taken; } Held;       /* taken: they are read; else the forward pass writes them */

/* One batch: for each input and each target N pointers to the examples' data as the file holds them
 * (u8 or f32; LABELS as int32).  Pointers beyond `count` are not read. */
typedef struct Batch {
    int count;                                  /* real examples, 1..N */
    const void *const *const *inputs;           /* inputs[i][n] */
    const void *const *const *targets;          /* targets[k][n] */
    int train;                                  /* 1: dropout on, batch norms measure the batch */
    int statistics;                             /* 1: batch norms measure the batch, though it is not training */
    int undrawn;                                /* 1: what `random` draws is 0, even where evaluation draws: no example's values follow its place */
    uint64_t seed, step;                        /* key of the dropout masks, and of what `random` draws */
    double epoch;                               /* for dropout ramps and augmentation */
    int waits;                                  /* 1: its gradient waits for those of the batches behind it; no update yet */
    int64_t gathered;                           /* examples of the batches before it whose gradients wait for the same update */
    const Held *held;                           /* what stands behind a stop_gradient is kept there, or taken from there; NULL: neither */
    const uint32_t *which;                      /* which[n]: the example's number in its split */
    const void *const *all;                     /* example k of input i lies at all[i] + k * stride[i], 0 <= k < total; */
    const size_t *stride;                       /* NULL: the inputs are as training saw them already */
    int64_t total;
    int (*unread)(void);                        /* called after the forward pass; other than 0: some data could not be read, so a step changes
                                                 * nothing.  NULL: they could */
} Batch;

/* An input that training sees augmented. */
typedef struct {
    int input, pieces, piece;     /* pieces: squares of other examples that are laid under each; rows of one */
    void (*one)(void *to, const Batch *batch, int n);      /* example n of the batch after augmentation, in the type of the file */
} NetAugment;

/* A tensor that an operator reads (before it runs) or has written, during a replay. */
typedef struct {
    const char *op, *pass;        /* "classify_conv2"; "forward", "backward" or "weights" */
    int yaml_line;
    const char *tensor;
    int written;
    size_t count, slot;           /* reals in all; of one group, or 0: not by examples */
    int rank, shape[NET_RANK];    /* of one example at one step, if it is by examples */
    /* What changes from call to call: */
    int step, group;              /* -1: all of them, or none.  Of a repeat in a repeat the step's place in memory: run/nest.h */
    const real *values;           /* [groups if group is -1][elements][lanes]; parts of weights' gradients have no lanes */
} Look;

/* What a step does between two clock stops: a call of an operator's function, or a wait of the threads for each other. */
typedef struct {
    const char *name, *pass;      /* "classify_conv2"; load, prepare, forward, again, backward, weights, fold, finish, update or wait */
    int phase, yaml_line;         /* phases count from 0; line 0: no place in the model */
    int whole;                    /* a call for the whole batch, made by all threads together */
    double macs;                  /* of a step of the whole batch: multiply-adds by direct convolution, */
    double products;              /* those that are made, fewer by Winograd's algorithm */
    double bytes;                 /* tensors and weights that it reads and writes */
} NetRow;

/* A file that the model includes: its path, and the line of net.yaml that it begins at. */
typedef struct { const char *path; int line; } NetPart;

typedef struct Clock Clock;       /* clock.h */

typedef struct Net {
    const char *name, *about, *source, *target, *precision, *form;   /* form: "fast" or "plain" */
    const char *signature;        /* 16 hex digits: names and shapes of the parameters */
    const char *hash;             /* 16 hex digits: everything that decides bits */
    const char *yaml;             /* the model file as it was compiled, and behind it the files that it includes: yaml_line counts in all of it */
    const char *const *onnx;      /* the net as lines that trainer/inspect/onnx.c makes an ONNX file of, up to a NULL; none: it has no graph */
    const NetPart *parts; int part_count;       /* of these the included ones */
    const char *settings;         /* "d=3 steps=3": the parameters' values */
    int batch, lanes, groups;
    const NetParam *params; int param_count;
    const double *init_shifts;    /* of each parameter: added to what its rule makes; NULL: all 0 */
    const NetParam *buffers; int buffer_count;  /* running statistics of batch norms: EXPORTED; they have no gradient */
    const NetNorm *norms; int norm_count;
    const NetData *inputs; int input_count;
    const NetData *targets; int target_count;
    const NetAugment *augments; int augment_count;
    const NetValue *values; int value_count;    /* names of the flow; behind them may be what a loss reads under no name */
    const NetNest *nests; int nest_count;       /* tensors of repeats in repeats */
    const NetLoss *losses; int loss_count;
    const NetTraining *training;
    const NetSetting *schedule; int schedule_count;
    const NetRate *rates; int rate_count;
    size_t block;                 /* reals in the parameter block (with padding) */
    size_t buffer_block;          /* reals in the block of buffers */
    int state_blocks;             /* blocks of that size the optimiser keeps: 0 to NET_STATES */
    int accumulate;               /* batches of an update; 0 or 1: each has its own */
    double average_keeps;         /* share of itself that the average of the weights keeps at an update; 0: there is none */
    size_t activation_reals, thread_reals;
    size_t held_reals;            /* of Batch.held; 0: the net has no stop_gradient */
    double forward_macs, backward_macs;         /* multiply-adds per example by direct convolution: forward; gradients that are used */

    /* Allocates everything for `threads` threads; 0, or -1 when memory is out. */
    int (*open)(int threads);
    void (*close)(void);
    real *(*running)(void);                     /* the block of buffers; NULL if there are none */
    real *(*weights)(void);                     /* the parameter block; likewise the gradient's and the optimiser's state */
    real *(*gradients)(void);
    real *(*state)(int k);
    real *(*gathered)(void);                    /* gradients of batches that wait for an update, each times its examples, added up; NULL: accumulate is 1 */
    real *(*average)(void);                     /* of the weights, moved by updates; NULL: none is kept */
    void (*swap)(void);                         /* weights() and average() change places, for an evaluation; again: back */
    real *(*activations)(void);
    /* Of all ranks of a job: each keeps the optimiser's state of what it updates (shares.h); then all have it whole.  NULL: for one process. */
    void (*collect)(void);
    /* Forward pass; returns the loss, and the single losses (unweighted) in losses[loss_count] if that is not NULL. */
    double (*forward)(const Batch *batch, double *losses);
    double (*penalties)(void);                  /* what weight_l2 and weight_l1 add to the loss; NULL: the model has neither */
    /* Gradients of the loss of the forward pass just done, into gradients(). */
    void (*backward)(const Batch *batch);
    /* The rate of an update in an epoch (from 0), by the schedule; update: those of the run before it; updates: those of an epoch. */
    double (*rate)(const NetTraining *t, int epoch, uint64_t update, uint64_t updates);
    /* forward, backward, clipping and update in one, of weights and of running statistics; rate is the schedule's, update_count counts updates from 0.
     * A batch that waits is only gathered; *norm is that of its own gradient.
     * Returns the loss; the norm of the gradient before clipping in *norm.  If either is not finite, or the batch is unread, weights, state
     * and running statistics stay as they were; *norm is NaN if the loss alone told that. */
    double (*step)(const Batch *batch, double rate, uint64_t update_count, double *norm);
    /* Clipping and update alone, with what lies in gradients(), which stays as it was. */
    double (*update)(double rate, uint64_t update_count);
    /* A hash of the discrete decisions of the forward pass just done (ReLU masks, pool winners, pixels read). */
    uint64_t (*decisions)(void);
    /* Forward and backward on one thread, each operator's tensors shown to `see`; ends early, returning 1, when that returns other than 0.  NULL: a net by hand. */
    int (*replay)(const Batch *batch, int (*see)(void *to, const Look *look), void *to);
    const NetRow *rows; int row_count;
    /* step, with each thread's clock stopped at every row. */
    double (*profile)(const Batch *batch, double rate, uint64_t update_count, double *norm, Clock *clocks);
} Net;

extern const Net net;

#endif
